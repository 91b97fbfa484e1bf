"""How far an MQTT outlet is: what was sent, what the broker has, what the consumer has confirmed (rules 1 to 4 of
toolcart.agent.outlets.mqtt).

            base                last result   log's end
    --------|--------|----------|-------------|
    confirmed, the   has its    sent since    not sent
    cursor follows   PUBACK     the base      scout reads here

    event                           what moves
    batch sent                      scout, last_result, sent; the timer starts unless it runs
    PUBACK                          acked; base as well where no receipt is needed
    receipt above base              base, cursor; the timer starts again while more is out, else it stops
    receipt not above base          the consumer's last word, nothing else: it came twice or late, or tells of a gap
        below, as the first of a    base goes back to it, cursor and scout with it: the retained one, or a consumer's
        connection                  that was restored (toolcart.agent.outlets.redelivery)
        below, nothing is out       the timer starts unless it runs
    receipt above base as the first scout goes back to it where the cursor was moved past it, and a start has forgotten
        of a connection             what the consumer had before
    receipt above all that there is cursor and scout go back to the oldest record, once until a receipt above base
    the timer is over               scout goes back to base; base and cursor to the last word before that, if it is
                                    below
        behind a receipt            once until a receipt above base: a batch is missing there, or it was restored
        else                        overdue: one batch at a time; the next pause is longer if this is not the first
    a connection takes batches      as if the timer were over; the last word may be of the connection before

So a receipt that comes twice, or behind a newer one, sends nothing again, as a newer one follows in time or has come. A
consumer that lacks something says no more than that either, and its word is not followed by a newer one.

A receipt for what was sent twice does not tell which of the two it is for. So pauses stay twice as long as usual until
one for something new comes in time: a consumer that takes longer than that would get everything twice.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.outlets.mqtt_batch_window import BatchWindow
from toolcart.agent.outlets.redelivery import Redelivery

RECEIPT_NEWS = const(0)
RECEIPT_KNOWN = const(1)
RECEIPT_BELOW = const(2)  # the consumer was set back
RECEIPT_LATE = const(3)  # news of what was given up, and will be sent again

LONGEST = const(8)  # times the receipt's timeout: the longest pause without one


class Receipts:
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
        self.stale_pubacks_expected = 0  # how many PUBACKs are still to come for what will be sent again
        self.timer = Timer()  # until a receipt is overdue
        self.wait_ms = timeout_ms
        self.batch_window = BatchWindow(ahead)
        self._log = log
        self._cursor = cursor
        self._timeout_ms = timeout_ms
        self._acked = 0  # up to here everything sent after the base has its PUBACK
        self._first = 0  # where the scout began after the base: what is before it is gone
        self._probe = Cursor()  # it wants results and frames
        self.redelivery = Redelivery(log, cursor)
        # the consumer's receipts
        self._none_yet = True  # on this connection
        self.receipt_came = False  # since the timer was started
        self._none_before = False  # none came in the time before that
        self._resent_to = 0  # what is sent up to here is sent again: when its receipt was due is not known
        self.receipts_repeat = False  # they name nothing new, and it was gone back for that
        self.odd = 0  # what else came since the last right one, the kind that says most; 0: nothing
        self._started_over = False  # one named more than there is, and it was gone back for that

    def begin(self):
        """The log is mounted: whatever it has may have been sent before, and what a start has skipped."""
        self.highest = self._log.next - 1
        self.redelivery.begin()
        self.stand_at_cursor()
        self.receipt = self.base

    def is_above(self, value):
        """True if a receipt names more than was ever sent, or still names what did so before."""
        return self.redelivery.is_above(value, self.highest)

    def stand_at_cursor(self):
        """A connection has ended: what was out may or may not have arrived; the consumer's last word stands."""
        number = self._log.state.confirmed(self._cursor)
        self.base = self.after = self.last_result = self._acked = number
        if self.receipt > number or not self.needs_receipt:
            self.receipt = number
        self._first = self._cursor.number
        self.is_overdue = False
        self._none_yet = True
        self.receipt_came = False
        self.stale_pubacks_expected = 0
        self.batch_window.forget()
        self.timer.stop()
        self.redelivery.forget_out()
        self.scout.stand_at(self._cursor)

    def may_send(self):
        """True if more may go out without a receipt."""
        if not self.needs_receipt:
            return True
        return self.batch_window.out < (1 if self.is_overdue else self.batch_window.most)

    def put_sent(self, now):
        """A batch went out, up to where the scout is."""
        last = self.scout.number
        self.after = self.last_result = last
        self.redelivery.put_out(last)
        if last > self.sent:
            self.sent = last
            self.highest = max(self.highest, last)
        if self.needs_receipt:
            self.batch_window.put_sent(last)
            if not self.timer.armed:
                self._await(now)

    def put_acked(self, tag, out):
        """The broker has the batch that ends with the number `tag`; not above 0: something else."""
        if self.stale_pubacks_expected:
            self.stale_pubacks_expected -= 1
        elif tag > 0:
            self._acked = tag
            if not self.needs_receipt:
                self.redelivery.note_delivered(tag)
                self.base = self.receipt = tag
            self.confirm(out)

    def confirm(self, out):
        """Move the cursor to what is confirmed now."""
        cursor = self._cursor
        to = self.base
        if self.base >= self.last_result:
            if out == 0 or self.stale_pubacks_expected == out:
                if self.scout.number > cursor.number:
                    cursor.stand_at(self.scout)
                if self.scout.number > self._first:
                    self.base = max(to, self.scout.number)
                self._put_confirmed()
                return
            to = max(to, self._acked)
        if to > cursor.number:
            self._log.seek(cursor, to)
        self._put_confirmed()

    def _put_confirmed(self):
        """Note that the consumer has all that the cursor has passed, if it has."""
        if self.base >= self._cursor.number > 0 == self.redelivery.above:  # at 0 there is nothing, or its rule 6
            self._log.state.put_confirmed(self._cursor)

    def go_back(self, out):
        """Go back to send again what is out, and what the consumer's last word lacks; return a RECEIPT_."""
        scout, cursor = self.scout, self._cursor
        is_below = self._is_missing_behind(self.receipt)
        if is_below:
            self._go_below(self.receipt)
        # What the cursor was moved past before the consumer had it is not sent for that: it lost nothing.
        is_moved = cursor.number > self.base >= self._log.state.confirmed(cursor) and not self._knows_little(self.base)
        self._log.seek(scout, cursor.number if is_moved else self.base)
        self._first = scout.number
        self.last_result = self._acked = self.base
        self.after = self.receipt
        self.stale_pubacks_expected = out
        self.batch_window.forget()
        self.redelivery.forget_out()
        self.timer.stop()
        return RECEIPT_BELOW if is_below else RECEIPT_KNOWN

    def put_silence(self, out):
        """The timer is over: go back."""
        was_out = self.last_result > self.base
        self._none_before = not self.receipt_came
        if self.receipt_came and not self.receipts_repeat:
            self.receipts_repeat = True
        elif was_out:
            if (self.is_overdue or self.base < self._resent_to) and self.wait_ms < LONGEST * self._timeout_ms:
                self.wait_ms *= 2
            self.is_overdue = True
        self._resent_to = self.sent
        return self.go_back(out)

    def put_receipt(self, value, out, now):
        """Take a receipt for everything up to `value`, not above `highest`; return a RECEIPT_."""
        is_first = self._none_yet
        self._none_yet = False
        self.odd = 0
        value = min(value, self._log.number)  # what is above that is gone
        is_unanswering = is_first and self.last_result <= self.base  # it answers nothing that was sent
        if value > self.base:
            self.redelivery.confirm(max(self.base, self._first), value)
            self.batch_window.put_confirmed(value)
            self.base = self.receipt = value
            self.receipt_came = self.receipts_repeat = self._started_over = self.is_overdue = False
            if self.wait_ms > self._timeout_ms:
                is_sure = value > self._resent_to and self._took_ms(now) <= self._timeout_ms
                self.wait_ms = self._timeout_ms if is_sure else 2 * self._timeout_ms
            if self.last_result > value:
                self._await(now)
            else:
                self.timer.stop()
            is_late = self.scout.number < value  # the consumer has more than was sent since it was gone back
            if is_late:
                from toolcart.agent.log.refound_damage import count_between  # hardly any consumer is ahead of a start

                count_between(self._log, self.scout.number, value)
            if is_late or (is_first and self._knows_little(value)):
                self.go_back(out)
            if is_unanswering:
                self.redelivery.put_first(value)
            self.confirm(out)
            return RECEIPT_LATE if is_late else RECEIPT_NEWS
        self.receipt = value
        if self._is_missing_behind(value):
            if is_first:
                return self.go_back(out)
            if not self.timer.armed:
                self._await(now)
        elif self.last_result <= self.base:
            self.after = max(value, self.after) if self.sent else value
        self.receipt_came = True
        if self.is_overdue and self._none_before and self.timer.left(now) > self._timeout_ms:  # someone is there again
            self._none_before = False
            self.timer.start(now, self._timeout_ms)
        return RECEIPT_KNOWN

    def put_above(self, out):
        """A receipt names more than was ever sent: what the log has goes to that consumer from the oldest record on."""
        self._none_yet = False
        if self._started_over:
            return
        self._started_over = True
        self._go_below(0)
        self.receipt = 0
        self.go_back(out)

    def _knows_little(self, value):
        """True if the cursor was moved, a start has forgotten from where, and the consumer names this number.

        It may have had more before it was restored, which nobody would send or count.
        """
        return value > 0 == self._log.state.confirmed(self._cursor) and value < self._cursor.number

    def _took_ms(self, now):
        """Return how long this receipt was waited for."""
        return self.wait_ms - self.timer.left(now) if self.timer.armed else 0

    def _await(self, now):
        """Start the timer."""
        self.receipt_came = False
        self.timer.start(now, self.wait_ms)

    def _go_below(self, value):
        """The consumer lacks what comes after `value`, and had it."""
        self.redelivery.lose(value, self.base)
        self.base = value

    def _is_missing_behind(self, value):
        """True if the log has a result or frame between what the consumer has and what it had confirmed.

        Also where that cannot be read now, or the last one is in doubt: who goes back for nothing sends nothing again.
        """
        if value >= self.base:
            return False
        probe = self._probe
        self._log.seek(probe, value)
        if probe.number > value:
            return True
        kind = self._log.peek(probe)
        if kind == RECORD_NONE:
            return self._log.doubtful
        return kind < RECORD_NONE or probe.found <= self.base
