"""When results set aside are offered to ToolsNet again: an operator's order, then those never offered, then the rest.

Rules
1. Good service begins when a result is taken, and starts over with a refusal and with each connection. After ten
   minutes of it one entry that was never offered again goes out; on an idle cart all of them are offered this way.
2. All that were refused again get another round after an hour, then one a day.
3. What is in doubt is offered only at an operator's order, what could not be read never.
4. An operator's order needs no good service and waits for no hold.
"""

from toolcart.agent.base import counters as h
from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.snapshot_fields import DELIVERED, LATE, LATE_FIRST, TAKEN
from toolcart.agent.quarantine.quarantine import ASK_DONE, ASK_FRAME, ASK_GONE, ASK_IN_DOUBT, ASK_MANY, ASK_UNREADABLE
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record.result import PARKED_IN_DOUBT
from toolcart.agent.toolsnet.telegram import SEQUENCES, sequence_at

# One result of the quarantine that is offered to ToolsNet again, under the next number on the wire.
#
#     what happens                 durable write, before anything else goes out
#     the schedule has chosen it   W5: LATE is its entry, the base one more, LIMIT the cursor: only that is vouched for
#     taken, or the 08 names it    W6: the entry is gone, LATE is 0, TAKEN its number on the wire
#     refused, or it cannot be read  W6: LATE is 0, the base as before: its number on the wire is free again
#     the 08 names neither it nor the one before   W6: LATE is 0; it stays, and its number is used up
#
# It needs no room in the log and waits for no hold. `Late` says which one, and when.

LATE_OUT = const(5)  # what the policy does while one is out
LATES_MOST = const(8)


class Offer:
    """The late one that is out, or is chosen, and the numbers that late ones have used up since the start."""

    def __init__(self, policy):
        self.policy = policy
        self.numbers = policy.numbers
        self.quarantine = policy.late.quarantine
        self.entry = 0  # that is chosen
        self.number = 0  # of it, in the log
        self.before = 0  # what was done before
        self.is_taken = False
        self.used = 0  # numbers on the wire since the start
        self._used_at = [0] * LATES_MOST  # by the last of them: after which number of the log

    def begin(self):
        """Begin with the chosen entry (W5), or make room for it to leave; False if that has to be tried again."""
        policy, numbers = self.policy, self.numbers
        if not self.quarantine.may_leave():
            return self.quarantine.tidy()
        numbers[LATE] = self.entry
        self._go_ahead(-1)
        sent = policy.sent
        if not sent.say(policy.cursor.number, sent.in_order()):
            numbers[LATE] = 0
            self._go_ahead(1)
            return False
        self.before = policy.doing
        policy.doing = LATE_OUT
        return True

    def find(self):
        """Read the one that is out into the page; False if it cannot be read, or is dropped."""
        quarantine = self.quarantine
        entry = self.numbers[LATE]
        if quarantine.next_entry(entry - 1) != KIND_RESULT or quarantine.entry != entry:
            self.is_taken = False
            return False
        self.number = quarantine.number
        self.policy.late.goes_out(quarantine.number)
        return True

    def resume(self, stored, now):
        """The 08 names `stored`: one that is out was taken if it is that; False if this could not be saved."""
        if self.numbers[LATE]:
            self.is_taken = stored == self.next_sequence()
        elif self.policy.doing != LATE_OUT:
            return True
        return self.conclude(now, stored != self.numbers[TAKEN])

    def conclude(self, now, is_unknown=False):
        """End it (W6); with `is_unknown` nothing tells whether it was taken. False if that could not be saved."""
        policy, numbers = self.policy, self.numbers
        entry = numbers[LATE]
        if entry:
            is_taken = self.is_taken
            # One that an order has sent again with others goes out in its place, too, and counts there.
            is_passed = is_taken and self._number_of(entry) <= policy.cursor.number
            if not self.quarantine.end_late(is_taken):
                return False
            policy.late.done(entry, is_taken, now)
            if is_taken:
                policy.health.counters[h.DELIVERED] += 1
            if is_passed:
                numbers[DELIVERED] += 1
                policy.standing.again.base += 1
            if is_taken or is_unknown:
                numbers[TAKEN] = self.next_sequence()
                self.used += 1
                self._used_at[self.used % LATES_MOST] = policy.cursor.number
            else:
                self._go_ahead(1)
        if not policy.sent.save():
            return False
        policy.late_is_over()
        return True

    def _number_of(self, entry):
        """Return the log's number of this entry; 0 if it is gone, or cannot be read now."""
        quarantine = self.quarantine
        return quarantine.number if quarantine.next_entry(entry - 1) > 0 and quarantine.entry == entry else 0

    def next_sequence(self):
        """Return the sequence that follows what the server has; the cursor may be past what it never gets."""
        return sequence_at(self.numbers[TAKEN] + 1)

    def used_before(self, number):
        """Return how many numbers late ones have used up before the log's `number`, since the start."""
        count = self.used
        for at in self._used_at:
            count -= at >= number
        return count

    def _go_ahead(self, count):
        for one in (self.policy.cursor, self.policy.row.scout):  # a pass may go on behind a late one
            one.ahead = (one.ahead + count) % SEQUENCES


GOOD_MS = const(600000)
HOUR_MS = const(3600000)
DAY_MS = const(86400000)
ASKED_MOST = const(32)
PAUSE_MS = const(5000)


class Late:
    """The schedule of one quarantine."""

    def __init__(self, quarantine, state):
        self.quarantine = quarantine
        self.numbers = state.numbers
        self.timer = Timer()  # while there is good service: until `choose` is asked
        self.asked = []  # numbers in the log of what an operator wants offered
        self.pause = Timer()  # until what could not be written is tried again
        self.wants = False  # something may be waiting to be offered
        self._again = Timer()  # until the next round of those that were refused again
        self._after = 0  # the entry that this round has reached
        self._waiting = 0
        self._waiting_of = (-1, -1)  # what `_waiting` was counted from

    def begin(self, now):
        """Begin after a start: it is not known when each entry was last offered."""
        self.wants = self.quarantine.count() > 0
        self._again.start(now, HOUR_MS)

    def good(self, now):
        """A result was taken."""
        if self.wants and not self.timer.armed:
            self.timer.start(now, GOOD_MS)

    def afresh(self, now):
        """A result was refused, or the connection is new: good service starts over."""
        if self.timer.armed:
            self.timer.start(now, GOOD_MS)

    def left(self, now, ms, in_order):
        """Return `ms`, or less if `choose` may find something sooner: by itself only while `in_order`."""
        pause = self.pause
        if pause.armed:
            if not pause.expired(now):
                return pause.least(now, ms)
            pause.stop()
            return 0
        return self.timer.least(now, ms) if in_order else ms

    def choose(self, now):
        """Return the entry that goes out now, 0 for none. It may be moved before it does: ask again then."""
        quarantine = self.quarantine
        if self.pause.armed and not self.pause.expired(now):
            return 0
        while self.asked:
            kind = quarantine.find(self.asked[0])
            if kind == KIND_RESULT:
                return quarantine.entry
            if kind < RECORD_NONE:
                self.pause.start(now, PAUSE_MS)
                return 0
            del self.asked[0]  # dropped meanwhile
        if not self.timer.expired(now):
            return 0
        entry = self._next(self.numbers[LATE_FIRST])
        if entry == 0 and self._again.expired(now):
            entry = self._next(self._after)
            if entry == 0:
                self._after = 0
                self._again.start(now, DAY_MS)
        if entry <= 0:
            self.wants = entry < 0 or quarantine.count() > 0
            self.timer.start(now, self._again.left(now) if entry == 0 else GOOD_MS)
            return 0
        return entry

    def _next(self, after):
        """Return the first entry after this one that may go out by itself, 0 for none, below 0 if unreadable."""
        quarantine = self.quarantine
        while True:
            kind = quarantine.next_entry(after)
            if kind <= RECORD_NONE:
                return kind
            after = quarantine.entry
            if quarantine.is_late():
                return after

    def goes_out(self, number):
        """The log's `number` is offered now; an order from here on is for another offer."""
        if number in self.asked:
            self.asked.remove(number)

    def done(self, entry, is_taken, now):
        """Entry `entry` was offered; what this changes in the state is saved when the offer ends."""
        numbers = self.numbers
        if is_taken:
            return
        self.timer.start(now, GOOD_MS)
        if entry <= numbers[LATE_FIRST]:
            if self._again.expired(now) and self._next(self._after) >= entry:  # else an operator's order, in no round
                self._after = entry
        elif self._next(numbers[LATE_FIRST]) >= entry:  # else an operator's order went ahead of others
            numbers[LATE_FIRST] = entry
            if self._again.left(now) > HOUR_MS:
                self._again.start(now, HOUR_MS)

    def ask(self, number, in_doubt):
        """Offer the log's `number` as soon as possible; return an ASK_ code."""
        quarantine = self.quarantine
        kind = quarantine.find(number)
        if kind < RECORD_NONE:
            return ASK_UNREADABLE
        if kind == RECORD_NONE:
            return ASK_GONE
        if kind != KIND_RESULT:
            return ASK_FRAME
        if quarantine.reason == PARKED_IN_DOUBT and not in_doubt:
            return ASK_IN_DOUBT
        if number not in self.asked:
            if len(self.asked) >= ASKED_MOST:
                return ASK_MANY
            self.asked.append(number)
        return ASK_DONE

    def waiting(self):
        """Return how many entries wait to be offered again."""
        quarantine = self.quarantine
        of = (quarantine.log.number, quarantine.count())
        if of != self._waiting_of:
            count = 0
            kind = quarantine.next_told(0)
            while kind > RECORD_NONE:
                count += quarantine.is_late()
                kind = quarantine.next_told(quarantine.entry)
            self._waiting = count
            self._waiting_of = of
        return self._waiting
