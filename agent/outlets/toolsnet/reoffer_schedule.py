"""When quarantined results are offered to ToolsNet again: an operator's order, then those never offered, then the rest.

Rules
1. Good service begins when a result is taken, and starts over with a refusal and with each connection. After ten
   minutes of it one entry that was never offered again goes out; on an idle cart all of them are offered this way.
2. All that were refused again get another round after an hour, then one a day.
3. What is in doubt is offered only at an operator's order, what could not be read never.
4. An operator's order needs no good service and does not wait for the policy's pause.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.snapshot_fields import REOFFERED_TO
from toolcart.agent.quarantine.quarantine import ASK_DONE, ASK_FRAME, ASK_GONE, ASK_IN_DOUBT, ASK_MANY, ASK_UNREADABLE
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record.result import QUARANTINED_IN_DOUBT

GOOD_MS = const(600000)
HOUR_MS = const(3600000)
DAY_MS = const(86400000)
ASKED_MOST = const(32)
PAUSE_MS = const(5000)


class ReofferSchedule:
    """The schedule of one quarantine."""

    def __init__(self, quarantine, state):
        self.quarantine = quarantine
        self.numbers = state.numbers
        self.timer = Timer()  # while there is good service: until `choose` is asked
        self.ordered = []  # numbers in the log of what an operator wants offered
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

    def accepted(self, now):
        """A result was taken."""
        if self.wants and not self.timer.armed:
            self.timer.start(now, GOOD_MS)

    def reset(self, now):
        """A result was refused, or the connection is new: good service starts over."""
        if self.timer.armed:
            self.timer.start(now, GOOD_MS)

    def time_left(self, now, ms, in_order):
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
        while self.ordered:
            kind = quarantine.find(self.ordered[0])
            if kind == KIND_RESULT:
                return quarantine.entry
            if kind < RECORD_NONE:
                self.pause.start(now, PAUSE_MS)
                return 0
            del self.ordered[0]  # dropped meanwhile
        if not self.timer.expired(now):
            return 0
        entry = self._next(self.numbers[REOFFERED_TO])
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
            if quarantine.may_be_reoffered():
                return after

    def goes_out(self, number):
        """The log's `number` is offered now; an order from here on is for another offer."""
        if number in self.ordered:
            self.ordered.remove(number)

    def done(self, entry, is_taken, now):
        """Entry `entry` was offered; what this changes in the state is saved when the offer ends."""
        numbers = self.numbers
        if is_taken:
            return
        self.timer.start(now, GOOD_MS)
        if entry <= numbers[REOFFERED_TO]:
            if self._again.expired(now) and self._next(self._after) >= entry:  # else an operator's order, in no round
                self._after = entry
        elif self._next(numbers[REOFFERED_TO]) >= entry:  # else an operator's order went ahead of others
            numbers[REOFFERED_TO] = entry
            if self._again.left(now) > HOUR_MS:
                self._again.start(now, HOUR_MS)

    def offer_on_order(self, number, in_doubt):
        """Offer the log's `number` as soon as possible; return an ASK_ code."""
        quarantine = self.quarantine
        kind = quarantine.find(number)
        if kind < RECORD_NONE:
            return ASK_UNREADABLE
        if kind == RECORD_NONE:
            return ASK_GONE
        if kind != KIND_RESULT:
            return ASK_FRAME
        if quarantine.reason == QUARANTINED_IN_DOUBT and not in_doubt:
            return ASK_IN_DOUBT
        if number not in self.ordered:
            if len(self.ordered) >= ASKED_MOST:
                return ASK_MANY
            self.ordered.append(number)
        return ASK_DONE

    def waiting(self):
        """Return how many entries wait to be offered again."""
        quarantine = self.quarantine
        of = (quarantine.log.number, quarantine.count())
        if of != self._waiting_of:
            count = 0
            kind = quarantine.next_listed(0)
            while kind > RECORD_NONE:
                count += quarantine.may_be_reoffered()
                kind = quarantine.next_listed(quarantine.entry)
            self._waiting = count
            self._waiting_of = of
        return self._waiting
