"""What may have gone out to ToolsNet, and how the next 08 is read: durable before anything goes out under it.

    SEND_LIMIT      results and events up to this number may have been sent
    SENT  neither   an 08 vouches for all up to the one that it names, up to SEND_LIMIT; so only answers are missing
          LOOKAHEAD it vouches for that one alone: those in front of it were refused
          SEVERAL   those of an earlier version that are in front of it are in doubt
          ALONE     with it SEND_LIMIT allowed one alone, not a batch: nothing else that is passed over was out

`may_send_to` is how far results may go out before the next snapshot, which makes the cursor durable too: once in a
batch. Nothing above `may_have` can have reached the server under the sequence that it has now. Where a batch may go
out SEND_LIMIT is `most` behind the cursor's place then, in every session: how far a batch really goes depends on the
log's room and the longest record, which may be others at the next start.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.snapshot import STATE_LAST
from toolcart.agent.log.snapshot_fields import (
    OVERWRITTEN,
    SEND_LIMIT,
    SENT,
    SENT_AGAIN,
    SENT_ALONE,
    SENT_BACK,
    SENT_EMPTY,
    SENT_EVENTS_MET,
    SENT_LOOKAHEAD,
    SENT_MET,
    SENT_OLDER,
    SENT_OPEN,
    SENT_SEVERAL,
    TOOLSNET_CURSOR,
)

# Of SENT, what stays whatever goes out: SENT_MET, _EVENTS_MET, _EMPTY, _BACK, _AGAIN, _OPEN, _OLDER, and SENT_ALONE
# while SEND_LIMIT stays
_LASTING = const(0x3FFFFFF9)
_LESS = const(6)  # SENT_LOOKAHEAD | SENT_SEVERAL: an 08 says less than that all up to the one it names are there


class InFlight:
    """SEND_LIMIT and SENT of one station, beside the cursor of its results."""

    def __init__(self, log, state, batch, most=0):
        self.state = state
        self.numbers = state.numbers
        self.cursor = log.cursor_at(TOOLSNET_CURSOR)
        self.batch = batch
        self.most = most or batch
        # A cursor that goes back does not lower it: a server believed to have less may say later that it has all.
        self.may_have = min(state.numbers[SEND_LIMIT], log.next - 1)
        self.may_send_to = min(state.numbers[SEND_LIMIT], self.cursor.number + batch)
        # OVERWRITTEN when that was said: once more is, it has to be said again, as what was given up was not out.
        self.overwritten = 0
        # Up to here the last 08 has left open what was out. Until that is settled no reoffered one gets its sequence,
        # as it would be taken for it, and a lookahead is not over: one at a time goes out, each after the cursor is
        # saved.
        self.unsettled_to = 0

    def save(self):
        """Make the state durable; with a flash that can no longer save, results go out all the same."""
        return self.state.save() or self.state.alarm == STATE_LAST

    def declare(self, limit, sent, alone=0):
        """Make the state say this durably; True if it does. A failed save may still count, until a later one does.

        `alone` is SENT_ALONE if the limit allows one alone.
        """
        numbers = self.numbers
        old_limit, old_sent = numbers[SEND_LIMIT], numbers[SENT]
        numbers[SEND_LIMIT] = limit if limit > self.may_have else self.may_have
        if numbers[SEND_LIMIT] < old_limit:
            alone = SENT_ALONE  # it is what may have been out: the cursor's next
        elif numbers[SEND_LIMIT] > old_limit:
            sent &= ~SENT_ALONE
        numbers[SENT] = sent | alone
        if self.state.broke_at:
            self._age_break()
        if self.save():
            self.may_send_to = limit
            self.overwritten = numbers[OVERWRITTEN]
            return True
        numbers[SENT] = old_sent
        numbers[SEND_LIMIT] = old_limit
        self.may_send_to = self.cursor.number  # so nothing goes out before that
        return False

    def declare_batch(self, number, sent):
        """The same for the batch behind `number`."""
        if not self.declare(number + self.most, sent):
            return False
        self.may_send_to = number + self.batch
        return True

    def _age_break(self):
        from toolcart.agent.outlets.toolsnet.sequence_break import is_past

        if is_past(self.state, self.cursor):
            self.state.broke_at = 0

    def is_lookahead(self):
        """True if the state says that an 08 vouches only for the one that it names."""
        return self.numbers[SENT] & SENT_LOOKAHEAD != 0

    def were_several(self):
        """True if the state is of an earlier version that may have had several outstanding."""
        return self.numbers[SENT] & SENT_SEVERAL != 0

    def is_unsettled(self):
        """True while the last 08 has left open what was out: a later one may still name what a lookahead sent."""
        return self.cursor.number < self.unsettled_to

    def in_order(self):
        """Return SENT for what goes out in order: a lookahead ends with that, as far as it is settled."""
        return self.numbers[SENT] & (_LASTING | _LESS if self.is_unsettled() else _LASTING)

    def raise_send_limit(self, number, is_alone):
        """W1, W2: let `number` go out in order, and unless it `is_alone` its batch; True if that is durable."""
        if is_alone or self.is_unsettled():
            return self.declare(number, self.in_order(), SENT_ALONE)
        return self.declare_batch(number - 1, self.in_order())

    def begin_lookahead(self, limit):
        """W3: make durable that from now on an 08 vouches only for the one that it names."""
        before = self.numbers[SEND_LIMIT]
        return self.declare(limit if limit > before else before, self.in_order() | SENT_LOOKAHEAD)

    def end_lookahead(self):
        """Let nothing go out in order before the end of a lookahead is durable."""
        if self.numbers[SENT] & _LESS:
            self.may_send_to = self.cursor.number

    def note_sent(self, number):
        """Take note that this one goes out."""
        if number > self.may_have:
            self.may_have = number

    def answered(self, number):
        """The cursor's next is refused: if nothing behind it was left open, nothing is any more."""
        if self.unsettled_to <= number:
            self.unsettled_to = 0

    def settle(self):
        """Leave nothing in doubt that the cursor has not passed, even if an 08 that could not be believed left more."""
        self.may_have = self.cursor.number
        self.unsettled_to = 0


assert _LASTING == (
    SENT_MET | SENT_EVENTS_MET | SENT_EMPTY | SENT_BACK | SENT_AGAIN | SENT_OPEN | SENT_OLDER | SENT_ALONE
)
assert _LESS == SENT_LOOKAHEAD | SENT_SEVERAL
