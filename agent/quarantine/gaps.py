"""Which entries above the quarantine's cursor are gone: up to four ranges of its ring's numbers, in the snapshot.

Rules
1. Ranges never touch: an entry next to a range widens it, one between two ranges joins them.
2. `gone` is a fifth range of one entry, only in RAM, while its owner checks whether the cursor can pass it.
"""

from toolcart.agent.log.snapshot_fields import GAPS, GAPS_MOST

_END = GAPS + 2 * GAPS_MOST


class Gaps:
    """The ranges in a state's `numbers`."""

    def __init__(self, numbers):
        self.gone = 0
        self._numbers = numbers

    def end_of(self, entry):
        """Return the last entry of the range that this one is in, 0 if it is not gone."""
        numbers = self._numbers
        for at in range(GAPS, _END, 2):
            if numbers[at] and numbers[at] <= entry <= numbers[at + 1]:
                return numbers[at + 1]
        return entry if entry == self.gone else 0

    def count(self, after, last):
        """Return how many entries of the ranges are above `after` and not above `last`."""
        numbers = self._numbers
        count = 0
        for at in range(GAPS, _END, 2):
            if numbers[at]:
                count += max(0, min(numbers[at + 1], last) - max(numbers[at] - 1, after))
        return count

    def free(self):
        """Return how many ranges are free."""
        return self._numbers[GAPS:_END:2].count(0)

    def add(self, entry, spare):
        """Mark an entry as gone if it touches a range or `spare` others stay free; return True if that was done."""
        numbers = self._numbers
        may = self.free() > spare
        gap = -1
        first = last = entry
        for at in range(GAPS, _END, 2):
            if numbers[at] == 0:
                if gap < 0 and may:
                    gap = at
            elif numbers[at + 1] == entry - 1 or numbers[at] == entry + 1:
                first = min(first, numbers[at])
                last = max(last, numbers[at + 1])
                numbers[at] = numbers[at + 1] = 0
                gap = at
        if gap < 0:
            return False
        numbers[gap] = first
        numbers[gap + 1] = last
        return True

    def absorb_front(self, last):
        """Forget the ranges up to entry `last`: the cursor passes them."""
        numbers = self._numbers
        for at in range(GAPS, _END, 2):
            if numbers[at] <= last:
                numbers[at] = numbers[at + 1] = 0

    def saved(self):
        """Return a copy of the ranges, for `restore`."""
        return self._numbers[GAPS:_END]

    def restore(self, saved):
        """Set the ranges back to this copy."""
        self._numbers[GAPS:_END] = saved
