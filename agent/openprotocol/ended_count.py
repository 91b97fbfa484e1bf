"""The newest result is not above the highest one known, `top`: what the count that `top` belongs to may have left.

Rules
1. The count may have begun again, or have reached its end, while no one heard: what it made last lies above `top`. It
   is asked for upward from `top`, until so many IDs in a row bring nothing that the log lacks.
2. If `top` still stands, or anything of that is there, all of it may be missing, with what was missing before, beside
   what the controller has of the new count.
3. Nothing is below the newest: IDs may fall. What lies between it and `top` is asked for too, from the newest up.
4. A count that ends where its digits or its bits do may go on with 0, which cannot be asked for: where 1 is there, 0
   counts as gone unless the log has it, behind `top`. So it does behind IDs that a count is likely to end with: behind
   9, 15, 31 or 63 it has begun anew rather than ended.
5. The count may have begun again more than once: then the memory has, above the newest, what a count between left. One
   look takes one count: what lies there, or under the ID of `top`, is later than `top` and not in the log, becomes the
   present count, with its last result as `top`, and the next look finds that this has ended. So does the last push of
   an earlier connection, if the newest is not above it, and it is not above `top`. What has no time is later where the
   log has a proven push below it: else it may have been made before the first meeting.
   What this count had under IDs that the next one has reached is gone. Of several between, it is that of one.
6. Where the count has begun again before, what is older than `top` is of others, unless it is above all that was
   pushed.
7. Where the memory shows an older result under the ID of `top`, it hides what the count of `top` made: so it does under
   each ID above that as long as there is an older one. What was made so may be gone, and counts: it is a bound.

Imported where the count of IDs does not go on.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import get_u32
from toolcart.agent.openprotocol.differing_formats import digests, newest_record
from toolcart.agent.openprotocol.ids import ZERO_DIGITS, after, following, is_ahead, put_id, unpack_id
from toolcart.agent.openprotocol.result_digest import TIME, are_alike, is_unread
from toolcart.agent.record.result import FLAG_RECOVERED, FLAG_UNPROVEN, HEAD_BYTES, ID_BYTES

_VALUES = const(12)  # of a digest
BETWEEN_MOST = const(4)  # IDs in a row that end the way up: a count between is there in front of the newest
_LIMITS = (255, 999, 9999, 32767, 65535, 99999, 999999, 16777215, 9999999, 99999999, 2147483647, 999999999)


class EndedCountSearch:
    """What the answers have shown; `most`: how many in a row without anything new end the way up."""

    def __init__(self, top, most):
        self.is_rising = True  # it is asked for
        self.is_there = False  # the count before
        self.is_falling = False  # what is between the newest and `top` is asked for
        self._falls = False  # rule 3
        self.is_between = False  # rule 5: what is above `top` is of a count between, too
        self.is_of_between = False  # the newest is of a count that has ended: another look follows
        self._hides = False  # rule 7
        self.hidden = top  # what the count of `top` made up to here may be hidden
        self._newest = b""  # the answer that came last of those that are looked for
        self._span = ()  # the lowest and the highest ID of the proven pushes in the log
        self.last = top  # what may be missing of it ends there
        self._top = self._before = top
        self._most = most
        self._vain = 0
        self._unsure = -1  # one that may be there, the ID in front of the one asked for
        self._is_unsure = False
        self._may_be_there = False  # the count before

    def skip(self, count, may_be_there=False):
        """So many more count as gone in front of the one asked for, which `may_be_there`."""
        self._vain += count
        self._is_unsure = may_be_there

    def is_lacking(self, recovery, number, is_logged):
        """True if the answer, which has this ID, is of what is looked for here, and not in the log."""
        answer = recovery.answer
        if number == self._top:
            self.is_there = recovery.is_top(answer)
            is_other = not (self.is_there or is_unread(answer)) and recovery.is_id_unique()
            if is_other and not is_logged and self.age(recovery, number) > 0:
                self.is_between = True
                if number != recovery.observed.newest:
                    self._newest = bytes(answer)
            else:
                self._hides = is_other and _is_older(recovery, number)
            return False
        if self._hides and after(self.hidden) == number and _is_older(recovery, number):
            self.hidden = number
        if is_logged:
            return False
        if self.is_between or (self.is_falling and not self._falls):
            is_lacking = not recovery.ledger.misses(number) and self.age(recovery, number) > 0
            is_lacking = is_lacking and recovery.is_id_unique()
        else:
            is_lacking = self._falls or not recovery.ledger.epoch() or self.age(recovery, number) >= 0
            is_lacking = is_lacking or number > self._span[1]
        if is_lacking:
            self._newest = bytes(answer)
        return is_lacking

    def age(self, recovery, number):
        """Return 1 if the answer, which has this ID, is later than `top`, -1 if older, else 0."""
        if not self._span:
            flags = FLAG_RECOVERED | FLAG_UNPROVEN
            pushed = [one[1] for one in digests(recovery.duplicates.results(1)) if not one[3] & flags]
            self._span = (min(pushed), max(pushed)) if pushed else (self._top, 0)
        time, known = recovery.answer[TIME:_VALUES], recovery.ledger.octets[TIME:_VALUES]
        if is_unread(recovery.answer) or not (time[2] and known[2]):
            return 1 if self._span[0] <= number else -1
        return (time > known) - (time < known)

    def take(self, asked, is_new):
        """Take whether the answer is one that the log lacks; True if the next ID is to be asked for."""
        if self._unsure >= 0 and not is_new and not self._is_unsure:
            self._vain = 0
            self.last = self._unsure
            self._may_be_there = True
        self._unsure = asked if self._is_unsure else -1
        self._is_unsure = False
        self._vain = 0 if is_new or self._top != self.hidden == asked else self._vain + 1
        if is_new:
            self.last = asked
            self.is_there = self.is_there or not (self.is_falling or self.is_between)
        is_end = self._vain >= self._most or (self.is_falling and after(asked) == self._top)
        self.is_rising = not is_end
        return not is_end

    def fall(self, newest, lowest):
        """The lowest ID that is there is known; return the first one to ask for below `top`, 0 if there is none."""
        self._falls = lowest == newest > 1
        self._most = self._most if self._falls else min(self._most, BETWEEN_MOST)
        if self.is_between or not is_ahead(self._top, after(newest)):
            return 0
        self.is_rising = self.is_falling = True
        self._before = self.last
        self.last = newest
        self._vain = 0
        return after(newest)

    def end_fall(self, recovery):
        """All ways are over: take what was found below `top`, or in a count between."""
        observed = recovery.observed
        last = observed.newest
        if self.is_falling:
            last, self.last = self.last, self._before
            self.is_falling = False
        is_between = self.is_between or (last != observed.newest and not self._falls)
        if self._newest and is_between and observed.is_reset:
            self.is_of_between = True
            last = unpack_id(self._newest, 0)
            observed.take(last, self._newest)
        if last != observed.newest or self.is_of_between:
            observed.upto = last
        elif observed.is_reset and not self._falls and recovery.is_id_unique():
            self._take_pushed(recovery)

    def _take_pushed(self, recovery):
        """Take the last push of earlier connections that is not above `top`, if the newest is not above that."""
        from toolcart.agent.openprotocol.nothing_above import pushed_of_new_count

        observed = recovery.observed
        pushes = pushed_of_new_count(recovery, recovery.first_record)
        if not pushes or any(are_alike(one[2], observed.top) for one in pushes):
            return
        _, number, digest = pushes[-1]
        if not is_ahead(observed.newest, number):
            self.is_of_between = True
            observed.take(number, digest)
            observed.miss_up_to_newest(True)

    def may_be_missing(self, ranges):
        """Return first and last of what may be missing of the count before, with what was; None: nothing is."""
        if not (self.is_there or self._may_be_there) or not (ranges or self.last != self._top):
            return None
        first = ranges[0][0] if ranges else following(self._top)
        goes_on = ranges and (self.last == self._top or is_ahead(ranges[-1][1], self.last))
        return first, ranges[-1][1] if goes_on else self.last

    def goes_on_with_zero(self, lowest):
        """Rule 4."""
        return lowest == 1 and self.last in _LIMITS and not self.is_between


def _is_older(recovery, number):
    """True if what came last, under this ID, is older than the highest result known: by its time, else by the log."""
    known = recovery.ledger.octets
    time = recovery.answer[TIME:_VALUES]
    if time[2] and known[TIME + 2] and time != known[TIME:_VALUES]:
        return time < known[TIME:_VALUES]
    duplicates = recovery.duplicates
    return (
        0 < newest_record(duplicates, number, recovery.answer) < newest_record(duplicates, unpack_id(known, 0), known)
    )


def has_zero(duplicates, ledger):
    """True if the log has a result of ID 0 that came after `top`."""
    if duplicates.has_id(ZERO_DIGITS, ledger.since):
        return True
    top = bytearray(ID_BYTES)
    put_id(top, 0, max(ledger.top(), 0))
    newest = 0
    for page, at, _ in duplicates.results_of(bytes(top), 1):
        newest = max(newest, get_u32(page, at - HEAD_BYTES))
    return newest > 0 and duplicates.has_id(ZERO_DIGITS, newest + 1)
