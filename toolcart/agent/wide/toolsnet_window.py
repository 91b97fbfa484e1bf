"""Several results outstanding at once: for a backlog over a line with a long round trip (`toolsnet.window`).

Rules
1. A window is open only while many results wait and nothing is in doubt; else one telegram is outstanding, as usual.
   That it is open is durable before the second one goes out (SENT_WINDOW), until an 08 or its end has settled it.
2. Results leave it in their order: one that is answered waits for those in front of it.
3. After a refusal the outstanding ones are answered and no more go out. A refused result in front of one that was taken
   is set aside: to ToolsNet its number has passed. One behind the last that was taken is offered again, alone, as
   usual.
4. How many may be outstanding is durable, too (SENT_WIDTH). So only that many results in front of the one that an 08
   names are in doubt: without an answer they may be stored or refused, and there is no way to ask. They are set aside,
   PARKED_IN_DOUBT. Those further in front were settled before that one went out.
5. At an orderly end, those in front of one that was taken are settled at once: later their answers are not known.
6. After a refusal and after a lost connection one result is outstanding at a time, for SHUT_MS.
"""

from toolcart.agent.base import health as h
from toolcart.agent.base.ticks import FOREVER, Timer
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.numbers import KEPT_LAST, SENT, SENT_WIDTH
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record.result import PARKED_IN_DOUBT, ROOM_BYTES
from toolcart.agent.toolsnet.telegram import sequence_at
from toolcart.agent.wide.toolsnet_session import UNANSWERED

CPYTHON_ONLY = True  # on a board one result is outstanding at a time

WINDOW_MOST = 8  # also where the state does not say how many
OPEN_FACTOR = 2  # so many windows full of results have to wait: opening costs a snapshot, and so does shutting
SHUT_MS = 600000
AGAIN_MS = 5000  # until setting aside or writing is tried again


class Window:
    """The results outstanding to one ToolsNet, up to `size` of them. The session is a WideSession."""

    def __init__(self, size):
        self.size = size
        self.in_doubt = 0  # results set aside because what became of them is not known
        self.left_open = []  # outstanding and not settled: one was refused, or the connection is gone
        self._ahead = Cursor()  # behind the last outstanding one
        self._shut = Timer()  # until it may be opened again
        self._again = Timer()

    def join(self, forward):
        self.forward = forward
        self.policy = policy = forward.policy
        self.session = forward.session
        self.log = forward.log
        # A refused result that may not be set aside is offered again and again: no window may be open behind it.
        self.size = min(self.size, policy.sent.batch) if policy.parks else 1

    def put_state(self, shown):
        shown["window"] = self.session.width
        shown["outstanding"] = len(self.session.row)
        shown["in_doubt"] = self.in_doubt

    # -- what goes out -----------------------------------------------------------------------------------------

    def send(self, now):
        """Send what may go out; True if nothing else may now."""
        if self._again.armed:
            if not self._again.expired(now):
                return True
            self._again.stop()
        if self.left_open and not self._settle_refused(now):
            return True
        session = self.session
        if session.width == 1 and not self._open(now):
            return self._end(now)
        while session.can_send() and not self._gives_way() and self._send_ahead(now):
            pass
        if session.row:
            return True
        session.width = 1  # nothing that a window could send
        return self._end(now)

    def left(self, now):
        """Return the ms until `send` may do more."""
        return self._again.least(now, FOREVER)

    def _gives_way(self):
        """True if something is to go out alone: a source's telegram, or what an operator asks for."""
        if self.policy.late.asked:
            return True
        for source in self.forward.sources:
            if not source.gives_way and not source.hold.armed and source.waits():
                return True
        return False

    def _open(self, now):
        """Open the window, if allowed; True if it is open."""
        policy = self.policy
        is_shut = self._shut.armed and not self._shut.expired(now)
        if self.size == 1 or is_shut or policy.doing or policy.sent.is_open():
            return False
        if self.log.waits(policy.cursor) < OPEN_FACTOR * self.size or self.log.doubtful or self._gives_way():
            return False
        if not policy.row.quarantine.measure(ROOM_BYTES, self.size) or not self.forward.may_write():
            return False
        policy.sent.width = self.size
        if not policy.allow(policy.cursor.number + 1):
            policy.sent.width = 0
            return False
        self._ahead.stand_at(policy.cursor)
        self.session.width = self.size
        return True

    def _send_ahead(self, now):
        """Send the next one behind the outstanding ones; True if there was one."""
        policy, log, ahead, row = self.policy, self.log, self._ahead, self.session.row
        if ahead.number < policy.cursor.number:  # some were overwritten meanwhile
            ahead.stand_at(policy.cursor)
        if log.peek(ahead) != KIND_RESULT:
            return False
        number = ahead.found
        if number <= policy.numbers[KEPT_LAST] and policy.is_kept(ahead):
            return False
        if number > policy.sent.allowed:
            if not self.forward.may_write():
                return False
            if not policy.allow(number):
                self.forward.health.note(h.NOT_SAVED, 8, now)
                self._again.start(now, AGAIN_MS)
                return False
            if log.peek(ahead) != KIND_RESULT or ahead.found != number:
                return False
        self.number, self.sequence = number, sequence_at(number - ahead.ahead)
        self.buf, self.at, self.length, self.flags = log.page, log.at, log.length, log.flags
        self.forward.send_result(self)
        policy.out = True
        policy.sent.rise(number)
        ahead.advance()
        out = row[-1]
        out.number = number
        out.behind = Cursor()
        out.behind.stand_at(ahead)
        return True

    def _end(self, now):
        """Make it durable that one at a time is outstanding, before the next one; True if it has to wait for that."""
        policy = self.policy
        sent = policy.sent
        sent.width = 0
        if not sent.is_window() or policy.standing.unsure or policy.cursor.number < sent.may_have:
            return False
        if not self.forward.may_write():
            return True
        if not policy.allow(policy.cursor.number + 1):
            self._again.start(now, AGAIN_MS)
            return True
        return False

    # -- what comes back ---------------------------------------------------------------------------------------

    def accepted(self, now):
        """The server has one of them."""
        self._settle()
        self.policy.late.good(now)

    def refused(self, code, now):
        """The server refuses one of them: no more go out before all are answered."""
        self.session.width = 1
        self._settle()

    def _settle(self):
        """Deliver those at the front of the row that were taken; if all others are answered, leave them open."""
        row = self.session.row
        while row and row[0].code == 0:
            out = row.pop(0)
            self.policy.take(out.number, out.behind)
        if row and all(out.code != UNANSWERED for out in row):
            self.left_open = row[:]
            row.clear()
        self.policy.out = bool(row)

    def _settle_refused(self, now):
        """Settle the row when all are answered and the first was refused; True if that is done."""
        if not self.forward.may_write():
            return False
        if not self._settle_front(now):
            self._again.start(now, AGAIN_MS)
            return False
        policy = self.policy
        first = self.left_open[0] if self.left_open else None
        self.left_open = []
        self._shut.start(now, SHUT_MS)
        policy.sent.may_have = policy.cursor.number  # those behind it were refused, too
        if first is not None:  # its own fault or the server's: handled as with one at a time
            policy.number = first.number
            policy.refused(first.code, now)
        return True

    def _settle_front(self, now):
        """Set aside those refused in front of one that was taken; True if that is done."""
        policy, rest = self.policy, self.left_open
        last = max([out.number for out in rest if out.code == 0], default=0)
        while rest and rest[0].number <= last:
            out = rest[0]
            if out.code == 0:
                policy.take(out.number, out.behind)
            elif out.number > policy.cursor.number and not policy.set_aside(out.number, self._reason(out.number), now):
                return False
            del rest[0]
        return True

    def _reason(self, number):
        """Return the code that `number` was answered with, 0 if it was taken; PARKED_IN_DOUBT if it is not known."""
        for out in self.left_open:
            if out.number == number and out.code != UNANSWERED:
                return out.code
        self.in_doubt += 1
        return PARKED_IN_DOUBT

    def unanswered(self):
        """Return the number of the oldest that has no answer, also of a connection that has just ended."""
        for out in self.session.row or self.session.left_open:
            if out.code == UNANSWERED:
                return out.number
        return 0

    # -- loss --------------------------------------------------------------------------------------------------

    def silent(self, now):
        """The connection is gone: the next 08 settles what was outstanding."""
        self._again.stop()
        self.policy.out = False
        self.policy.sent.width = 0
        if self.session.left_open:
            self.left_open = self.session.left_open
            self.session.left_open = []
        if self.left_open:
            self._shut.start(now, SHUT_MS)

    def end(self, now):
        """Settle what is known of the outstanding ones, at an orderly end."""
        passed = self.policy.cursor.number  # an 08 that could not be made durable may have let some pass
        self.left_open = [out for out in self.session.row or self.left_open if out.number > passed]
        self._settle_front(now)

    def reason_of(self, number, rows):
        """Return 0 if the server, whose 08 names one `rows` behind it, has result `number`, or why it is set aside."""
        sent = self.policy.sent
        if rows == 0 or rows >= (sent.numbers[SENT] // SENT_WIDTH or WINDOW_MOST) or not sent.is_window():
            return 0
        return self._reason(number)

    def resume(self):
        """The 08 has settled what was outstanding."""
        self.left_open = []
