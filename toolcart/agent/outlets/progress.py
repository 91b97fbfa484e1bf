"""How far an MQTT outlet is: what was sent, what the broker has, what the consumer has confirmed (rules 1 to 4 of
toolcart.agent.outlets.mqtt).

            base                last result   log's end
    --------|--------|----------|-------------|
    confirmed, the   has its    sent since    not sent
    cursor follows   PUBACK     the base      scout reads here

    event                           what moves
    batch sent                      scout, last_result, sent
    PUBACK                          acked; base as well where no receipt is needed
    receipt above base              base, cursor; the timer starts again while more is out
    receipt below, log has more     base goes back, scout with it
    receipt again, more is out      scout goes back, once for each new one
    no receipt in time, new session scout goes back to base
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.record import RECORD_NONE

RECEIPT_NEWS = const(0)
RECEIPT_KNOWN = const(1)
RECEIPT_BELOW = const(2)  # the consumer was set back
RECEIPT_HOLE = const(3)  # something before a batch is missing there

LONGEST = const(8)  # times the receipt's timeout: the longest pause without one


class Progress:
    """See the module; all are numbers of records. `out` is how many messages have no PUBACK yet."""

    def __init__(self, log, cursor, needs_receipt, ahead, timeout_ms):
        self.needs_receipt = needs_receipt
        self.base = 0  # everything up to here is confirmed
        self.receipt = 0  # what the consumer has said, or what stands for it
        self.scout = Cursor()
        self.scout.wants = cursor.wants
        self.after = 0  # what the next batch comes after
        self.sent = 0  # the highest number since the start
        self.highest = 0  # the same over all starts, as far as is known
        self.last_result = 0  # the end of the last batch that was sent after the base
        self.is_overdue = False  # no receipt came in time
        self.strays = 0  # how many PUBACKs are still to come for what will be sent again
        self.timer = Timer()  # until a receipt is overdue
        self.wait_ms = timeout_ms
        self._log = log
        self._cursor = cursor
        self._ahead = ahead
        self._timeout_ms = timeout_ms
        self._acked = 0  # up to here everything sent after the base has its PUBACK
        self._first = 0  # where the scout began after the base: what is before it is gone
        self._probe = Cursor()  # it wants results and frames
        self._has_gone_back = False  # since the last receipt that was new

    def stand_at_cursor(self):
        """A connection begins, or has ended: what was out may or may not have arrived."""
        number = self._cursor.number
        self.base = self.receipt = self.after = self.last_result = self._acked = self._first = number
        self.is_overdue = False
        self.strays = 0
        self.timer.stop()
        self.scout.stand_at(self._cursor)

    def may_send(self):
        """True if more may go out without a receipt."""
        if not self.needs_receipt:
            return True
        if self.is_overdue:
            return self.last_result <= self.base
        return self.scout.number - max(self.base, self._first) < self._ahead

    def put_sent(self, now):
        """A batch went out, up to where the scout is."""
        last = self.scout.number
        self.after = self.last_result = last
        if last > self.sent:
            self.sent = last
            self.highest = max(self.highest, last)
        if self.needs_receipt and not self.timer.armed:
            self.timer.start(now, self.wait_ms)

    def put_acked(self, tag, out):
        """The broker has the batch that ends with the number `tag`; not above 0: something else."""
        if self.strays:
            self.strays -= 1
        elif tag > 0:
            self._acked = tag
            if not self.needs_receipt:
                self.base = self.receipt = tag
            self.confirm(out)

    def confirm(self, out):
        """Move the cursor to what is confirmed now."""
        cursor = self._cursor
        to = self.base
        if self.base >= self.last_result:
            if out == 0 or self.strays == out:
                if self.scout.number > cursor.number:
                    cursor.stand_at(self.scout)
                self.base = max(to, self.scout.number)
                return
            to = max(to, self._acked)
        if to > cursor.number:
            self._log.rewind(cursor, to)

    def go_back(self, out):
        """Go back to send again what comes after the base."""
        scout = self.scout
        self._log.rewind(scout, self.base)
        self._first = scout.number
        self.last_result = self._acked = self.base
        self.after = self.receipt
        self.strays = out
        self.timer.stop()

    def put_overdue(self, out):
        """No receipt came in time: send again, after ever longer pauses."""
        if not self.is_overdue:
            self.is_overdue = True
        elif self.wait_ms < LONGEST * self._timeout_ms:
            self.wait_ms *= 2
        self.go_back(out)

    def put_receipt(self, value, out, now):
        """Take a receipt for everything up to `value`, not above `highest`; return a RECEIPT_."""
        if value > self.receipt and value > self.base:
            self.base = self.receipt = value
            self._has_gone_back = self.is_overdue = False
            self.wait_ms = self._timeout_ms
            if self.last_result > value:
                self.timer.start(now, self.wait_ms)
            else:
                self.timer.stop()
            if self.scout.number < value:  # the consumer has more than was sent on this connection
                self.go_back(out)
            self.confirm(out)
            return RECEIPT_NEWS
        is_news = value != self.receipt
        self.receipt = value
        if self._is_missing_behind(value):
            self.base = value
            self.go_back(out)
            return RECEIPT_BELOW
        if self.last_result > self.base and (is_news or not self._has_gone_back):
            self._has_gone_back = True
            self.go_back(out)
            return RECEIPT_HOLE
        self.after = max(value, self.after) if self.sent else value
        return RECEIPT_KNOWN

    def _is_missing_behind(self, value):
        """True if the log has a result or frame between what the consumer has and what it had confirmed."""
        if value >= self.base:
            return False
        probe = self._probe
        self._log.rewind(probe, value)
        return probe.number > value or (self._log.peek(probe) > RECORD_NONE and probe.found <= self.base)
