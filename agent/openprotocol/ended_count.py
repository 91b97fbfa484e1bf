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

Imported where a newest is not above the highest ID known.
"""

from toolcart.agent.base.fields import get_u32
from toolcart.agent.openprotocol.ids import ZERO_DIGITS, after, following, is_ahead, put_id
from toolcart.agent.record.result import HEAD_BYTES, ID_BYTES

_LIMITS = (255, 999, 9999, 32767, 65535, 99999, 999999, 16777215, 9999999, 99999999, 2147483647, 999999999)


class EndedCountSearch:
    """What the answers have shown; `most`: how many in a row without anything new end the way up."""

    def __init__(self, top, most):
        self.is_rising = True  # it is asked for
        self.is_there = False  # the count before
        self.is_falling = False  # rule 3
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

    def take(self, asked, is_new):
        """Take whether the answer is one that the log lacks; True if the next ID is to be asked for."""
        if self._unsure >= 0 and not is_new and not self._is_unsure:
            self._vain = 0
            self.last = self._unsure
            self._may_be_there = True
        self._unsure = asked if self._is_unsure else -1
        self._is_unsure = False
        self._vain = 0 if is_new else self._vain + 1
        if is_new:
            self.last = asked
            self.is_there = self.is_there or not self.is_falling
        is_end = self._vain >= self._most or (self.is_falling and after(asked) == self._top)
        self.is_rising = not is_end
        return not is_end

    def fall(self, newest, lowest):
        """The lowest ID that is there is known; return the first one to ask for if IDs may fall, else 0."""
        if lowest != newest or newest <= 1 or not is_ahead(self._top, after(newest)):
            return 0
        self.is_rising = self.is_falling = True
        self._before = self.last
        self.last = newest
        self._vain = 0
        return after(newest)

    def end_fall(self):
        """The way up from the newest is over; return where what is missing below `top` ends."""
        last, self.last = self.last, self._before
        self.is_falling = False
        return last

    def may_be_missing(self, ranges):
        """Return first and last of what may be missing of the count before, with what was; None: nothing is."""
        if not (self.is_there or self._may_be_there) or not (ranges or self.last != self._top):
            return None
        first = ranges[0][0] if ranges else following(self._top)
        goes_on = ranges and (self.last == self._top or is_ahead(ranges[-1][1], self.last))
        return first, ranges[-1][1] if goes_on else self.last

    def goes_on_with_zero(self, lowest):
        """Rule 4."""
        return lowest == 1 and self.last in _LIMITS


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
