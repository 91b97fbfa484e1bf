"""Which entries of the quarantine are gone behind its cursor: up to four ranges of its ring's numbers, in the snapshot.

Rules
1. Ranges never touch: what borders on one widens it, what lies between two joins them.
2. `gone` is a fifth, of one entry, in RAM alone: while its owner looks whether the cursor can swallow it.
"""

from agent.log.numbers import HOLES, HOLES_MOST

_END = HOLES + 2 * HOLES_MOST


class Holes:
    """The ranges in `numbers` of a state."""

    def __init__(self, numbers):
        self.gone = 0
        self._numbers = numbers

    def end_of(self, entry):
        """Return the last entry of the range in which this one lies, 0 if it is not gone."""
        numbers = self._numbers
        for at in range(HOLES, _END, 2):
            if numbers[at] and numbers[at] <= entry <= numbers[at + 1]:
                return numbers[at + 1]
        return entry if entry == self.gone else 0

    def count(self):
        """Return how many entries are gone so."""
        numbers = self._numbers
        count = 0
        for at in range(HOLES, _END, 2):
            if numbers[at]:
                count += numbers[at + 1] - numbers[at] + 1
        return count

    def free(self):
        """Return how many more ranges there may be."""
        free = 0
        for at in range(HOLES, _END, 2):
            free += self._numbers[at] == 0
        return free

    def add(self, entry, spare):
        """Note that an entry is gone, if `spare` ranges stay free or it touches one; whether that was done."""
        numbers = self._numbers
        may = self.free() > spare
        hole = -1
        first = last = entry
        for at in range(HOLES, _END, 2):
            if numbers[at] == 0:
                if hole < 0 and may:
                    hole = at
            elif numbers[at + 1] == entry - 1 or numbers[at] == entry + 1:
                first = min(first, numbers[at])
                last = max(last, numbers[at + 1])
                numbers[at] = numbers[at + 1] = 0
                hole = at
        if hole < 0:
            return False
        numbers[hole] = first
        numbers[hole + 1] = last
        return True

    def swallow(self, last):
        """Forget the ranges up to entry `last`: the cursor passes them."""
        numbers = self._numbers
        for at in range(HOLES, _END, 2):
            if numbers[at] <= last:
                numbers[at] = numbers[at + 1] = 0

    def saved(self):
        """Return a copy of them, for `restore`."""
        return self._numbers[HOLES:_END]

    def restore(self, saved):
        """Have them as they were."""
        self._numbers[HOLES:_END] = saved
