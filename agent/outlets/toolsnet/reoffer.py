"""One result of the quarantine that is offered to ToolsNet again, under the next number on the wire.

    what happens                 durable write, before anything else goes out
    the schedule has chosen it   W5: REOFFERED is its entry, sequence_lag 1 less, SEND_LIMIT the cursor: it alone counts
    taken, or the 08 names it    W6: the entry is gone, REOFFERED is 0, TAKEN its number on the wire
    refused, or it cannot be read  W6: REOFFERED is 0, sequence_lag as before: its number on the wire is free again
    the 08 names neither it nor the one before   W6: REOFFERED is 0; it stays, and its number is used up

A number on the wire is the log's less the cursor's `sequence_lag` (toolcart.agent.log.cursor).

It needs no room in the log and does not wait for the policy's pause. `ReofferSchedule` says which one, and when.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.log.snapshot_fields import (
    DELIVERED,
    DOUBT_TO,
    REOFFERED,
    SENT,
    SENT_EMPTY,
    SENT_OLDER,
    TAKEN,
)
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.toolsnet.telegram import SEQUENCES, sequence_at

REOFFER = const(5)  # what the policy does while one is out
REOFFERS_MOST = const(8)


class Reoffer:
    """The reoffered one that is out, or is chosen, and the numbers that reoffered ones have used up since the start."""

    def __init__(self, policy):
        self.policy = policy
        self.numbers = policy.numbers
        self.quarantine = policy.reoffers.quarantine
        self.entry = 0  # that is chosen
        self.number = 0  # of it, in the log
        self.before = 0  # what was done before
        self.is_taken = False
        self.used = 0  # numbers on the wire since the start
        self.taken = 0  # reoffered ones, as far as that is known, since the start
        self._used_at = [0] * REOFFERS_MOST  # by the last of them: after which number of the log

    def begin(self):
        """Begin with the chosen entry (W5), or make room for it to leave; False if that has to be tried again."""
        policy, numbers = self.policy, self.numbers
        if not self.quarantine.may_leave():
            return self.quarantine.tidy()
        numbers[REOFFERED] = self.entry
        self._shift_ahead(-1)
        in_flight = policy.in_flight
        # A server that comes back may lack it.
        if not in_flight.declare(policy.cursor.number, in_flight.in_order() | SENT_OLDER):
            numbers[REOFFERED] = 0
            self._shift_ahead(1)
            return False
        self.before = policy.phase
        policy.phase = REOFFER
        return True

    def find(self):
        """Read the one that is out into the page; False if it cannot be read, or is dropped."""
        quarantine = self.quarantine
        entry = self.numbers[REOFFERED]
        if quarantine.next_entry(entry - 1) != KIND_RESULT or quarantine.entry != entry:
            self.is_taken = False
            return False
        self.number = quarantine.number
        self.policy.reoffers.goes_out(quarantine.number)
        return True

    def resume(self, stored, now):
        """The 08 names `stored`: one that is out was taken if it is that; False if this could not be saved."""
        if self.numbers[REOFFERED]:
            self.is_taken = stored == self.next_sequence()
        elif self.policy.phase != REOFFER:
            return True
        return self.conclude(now, stored != self.numbers[TAKEN])

    def conclude(self, now, is_unknown=False):
        """End it (W6); with `is_unknown` nothing tells whether it was taken. False if that could not be saved."""
        policy, numbers = self.policy, self.numbers
        entry = numbers[REOFFERED]
        if entry:
            is_taken = self.is_taken
            # One that an order has sent again with others goes out in its place, too, and counts there.
            number = self._number_of(entry)
            is_passed = is_taken and number <= policy.cursor.number
            if not self.quarantine.end_reoffer(is_taken):
                return False
            policy.reoffers.done(entry, is_taken, now)
            if is_taken:
                policy.counters.counts[counter.DELIVERED] += 1
                self.taken += 1
            if is_passed:
                numbers[DELIVERED] += 1
                policy.resume_point.again_base += 1
                if number <= numbers[DOUBT_TO]:
                    from toolcart.agent.log.doubt_range import widen

                    widen(numbers)
            if is_taken or is_unknown:
                numbers[SENT] &= ~SENT_EMPTY
                numbers[TAKEN] = self.next_sequence()
                self.used += 1
                self._used_at[self.used % REOFFERS_MOST] = policy.cursor.number
            else:
                self._shift_ahead(1)
        if not policy.in_flight.save():
            return False
        policy.reoffer_is_over()
        return True

    def _number_of(self, entry):
        """Return the log's number of this entry; 0 if it is gone, or cannot be read now."""
        quarantine = self.quarantine
        return quarantine.number if quarantine.next_entry(entry - 1) > 0 and quarantine.entry == entry else 0

    def next_sequence(self):
        """Return the sequence that follows what the server has; the cursor may be past what it never gets."""
        return sequence_at(self.numbers[TAKEN] + 1)

    def used_before(self, number):
        """Return how many numbers reoffered ones have used up before the log's `number`, since the start."""
        count = self.used
        for at in self._used_at:
            count -= at >= number
        return count

    def _shift_ahead(self, count):
        for one in (self.policy.cursor, self.policy.lookahead.scout):  # a lookahead may go on behind a reoffered one
            one.sequence_lag = (one.sequence_lag + count) % SEQUENCES
