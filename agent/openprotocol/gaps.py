"""The holes in a controller's tightening IDs: at most GAPS_MAX ranges, oldest first, exact.

    octet  0          4       6      8       10            22
           | first u32| count | skip | count | skip ..     |     a count of 0 ends the table; u16 each

`skip` is how many IDs lie between the end of one range and the beginning of the next.

Rules
1. A range lies over missing IDs only, never over one that is stored: what is fetched out of it is new for certain.
2. What does not fit makes the oldest range go; the call returns how many IDs that were, and `lost` says which: the
   caller counts them, and takes them out of it. Whoever would rather wait asks `fits` and `splits` first. What lies in
   front of `begins` was never made, and is not among these.
3. A range that begins where the last one ends joins it: one gap stays one, however often its end was asked for.
4. ID 0 exists after the wrap and cannot be asked for: MID 0064 with 0 means the newest (DIGEST D.6).
"""

from agent.base.compat import const
from agent.openprotocol.ids import ID_PERIOD, is_ahead

GAPS_MAX = const(5)
GAP_IDS_MAX = const(20000)  # more than a controller keeps: what lies further back is gone without being asked for
GAPS_BYTES = const(22)

_SKIP_MAX = const(0xFFFF)


class Gaps:
    """Ranges of IDs."""

    __slots__ = ("begins", "count", "counts", "firsts", "lost")

    def __init__(self):
        self.firsts = [0] * (GAPS_MAX + 1)  # one more than is kept: while one is put in between
        self.counts = [0] * (GAPS_MAX + 1)
        self.count = 0
        self.begins = -1  # the first ID of all, where the oldest range reaches in front of it
        self.lost = []  # [first, count] of the ranges that had to go, in their order

    def load(self, memory, at, reaches_in_front):
        """Take the ranges over from memory[at:at+GAPS_BYTES]."""
        self._load(memory, at)
        self.lost = []
        self.begins = self._behind(0) if reaches_in_front and self.count else -1

    def reaches_in_front(self):
        """Tell whether the oldest range still reaches in front of the first ID of all."""
        if self.begins >= 0:
            self.begins = self._behind(0) if self.count and is_ahead(self.begins, self.firsts[0]) else -1
        return self.begins >= 0

    def _load(self, memory, at):
        self.count = 0
        first = memory[at] | memory[at + 1] << 8 | memory[at + 2] << 16 | memory[at + 3] << 24
        at += 4
        while self.count < GAPS_MAX:
            count = memory[at] | memory[at + 1] << 8
            if count == 0:
                return
            self.firsts[self.count] = first
            self.counts[self.count] = count
            self.count += 1
            if self.count < GAPS_MAX:
                first = (first + count + (memory[at + 2] | memory[at + 3] << 8)) % ID_PERIOD
            at += 4

    def write(self, memory, at):
        """Put the ranges into memory[at:at+GAPS_BYTES]."""
        for index in range(GAPS_BYTES):
            memory[at + index] = 0
        first = self.firsts[0] if self.count else 0
        for index in range(4):
            memory[at + index] = first & 0xFF
            first >>= 8
        at += 4
        for index in range(self.count):
            if index:
                skip = (self.firsts[index] - self.firsts[index - 1] - self.counts[index - 1]) % ID_PERIOD
                memory[at - 2] = skip & 0xFF
                memory[at - 1] = skip >> 8
            memory[at] = self.counts[index] & 0xFF
            memory[at + 1] = self.counts[index] >> 8
            at += 4

    def total(self):
        """Return how many IDs are missing. Allocates nothing."""
        missing = 0
        for index in range(self.count):
            missing += self.counts[index]
        return missing

    def missed(self):
        """Return how many of these may be results that were missed, as far as that can be said to a person.

        In front of the first result of all nobody knows of any; only those from 1 up to it are told.
        """
        total = self.total()
        if self.begins >= 0 and self.firsts[0] > self.begins:  # it reaches in front of the wrap
            total -= min(self.counts[0], ID_PERIOD - self.firsts[0] + 1)
        return total

    def holding(self, number):
        """Return the index of the range that the ID lies in, -1 if it is not missing."""
        for index in range(self.count):
            if (number - self.firsts[index]) % ID_PERIOD < self.counts[index]:
                return index
        return -1

    def fits(self, first):
        """Tell whether a range beginning at `first`, above all others, can be added without one that goes."""
        if self.count == 0:
            return True
        skip = (first - self._behind(self.count - 1)) % ID_PERIOD
        return skip == 0 or (self.count < GAPS_MAX and skip <= _SKIP_MAX)

    def splits(self, number):
        """Tell whether taking this ID out leaves more than can be noted."""
        gap = self.holding(number)
        if gap < 0:
            return False
        before = number != self.firsts[gap]
        behind = (number + 1) % ID_PERIOD != self._behind(gap)
        if before and behind:
            return self.count == GAPS_MAX
        if (not before and gap == 0) or (not behind and gap == self.count - 1):
            return False
        skip = 1
        if not before:
            skip += self._skip(gap)
        if not behind:
            skip += self._skip(gap + 1)
        return skip > _SKIP_MAX

    def open(self, first, count):
        """Add `count` IDs from `first` on, above all others; return how many IDs had to go for that."""
        gone = 0
        if count > GAP_IDS_MAX:
            gone = self.lose(first, count - GAP_IDS_MAX)
            first = (first + count - GAP_IDS_MAX) % ID_PERIOD
            count = GAP_IDS_MAX
        if count == 0:
            return gone
        while not self.fits(first):
            gone += self._lose_first()
        last = self.count - 1
        if last >= 0 and first == self._behind(last):  # more of what the last one lies over
            too_many = self.counts[last] + count - GAP_IDS_MAX
            if too_many > 0:
                gone += self.lose(self.firsts[last], too_many)
                self.firsts[last] = (self.firsts[last] + too_many) % ID_PERIOD
                count -= too_many
            self.counts[last] += count
            return gone + self._drop_far()
        self.firsts[self.count] = first
        self.counts[self.count] = count
        self.count += 1
        return gone

    def put_below(self, first, count):
        """Put a range in front of all others that takes their part of its IDs over; return how many IDs had to go."""
        gone = 0
        if count > GAP_IDS_MAX:
            gone = self.lose(first, count - GAP_IDS_MAX)
            first = (first + count - GAP_IDS_MAX) % ID_PERIOD
            count = GAP_IDS_MAX
        last = (first + count - 1) % ID_PERIOD
        kept = []
        for index in range(self.count):
            below = (last + 1 - self.firsts[index]) % ID_PERIOD  # as many of its IDs are taken over
            if is_ahead(self.firsts[index], last):
                kept.append((self.firsts[index], self.counts[index]))
                continue
            if below < self.counts[index]:
                kept.append(((last + 1) % ID_PERIOD, self.counts[index] - below))
            gone += self.lose(self.firsts[index], min(below, self.counts[index]))
        self.count = 0
        if count:
            gone += self.open(first, count)
        for one in kept:
            gone += self.open(one[0], one[1])
        return gone

    def clear(self):
        """Forget all ranges; return how many IDs that were."""
        total = 0
        while self.count:
            total += self._lose_first()
        return total

    def cut(self, number, length):
        """Take `length` IDs from `number` on out of the range that has them; return how many others had to go."""
        gap = self.holding(number)
        if gap < 0:
            return 0
        firsts, counts = self.firsts, self.counts
        before = (number - firsts[gap]) % ID_PERIOD
        if length > counts[gap] - before:
            length = counts[gap] - before
        behind = counts[gap] - before - length
        if behind:
            if before:
                for index in range(self.count, gap + 1, -1):
                    firsts[index], counts[index] = firsts[index - 1], counts[index - 1]
                counts[gap] = before
                gap += 1
                self.count += 1
            firsts[gap] = (number + length) % ID_PERIOD
            counts[gap] = behind
        elif before:
            counts[gap] = before
        else:
            self._remove(gap)
        return self._drop_far()

    def _behind(self, gap):
        """Return the ID behind the range."""
        return (self.firsts[gap] + self.counts[gap]) % ID_PERIOD

    def _skip(self, gap):
        """Return how many IDs lie between this range and the one before it."""
        return (self.firsts[gap] - self._behind(gap - 1)) % ID_PERIOD

    def _drop_far(self):
        """Let the oldest ranges go until the rest can be noted; return how many IDs that were."""
        gone = 0
        gap = self.count - 1
        while gap > 0 and self._skip(gap) <= _SKIP_MAX:
            gap -= 1
        while gap > 0 or self.count > GAPS_MAX:
            gone += self._lose_first()
            gap -= 1
        return gone

    def _lose_first(self):
        count = self.lose(self.firsts[0], self.counts[0])
        self._remove(0)
        return count

    def lose(self, first, count):
        """`count` IDs from `first` on go; return how many of them were made."""
        if self.begins >= 0 and is_ahead(self.begins, first):
            unmade = min(count, (self.begins - first) % ID_PERIOD)
            first = (first + unmade) % ID_PERIOD
            count -= unmade
        if count:
            self.lost.append([first, count])
        return count

    def _remove(self, gap):
        for index in range(gap, self.count - 1):
            self.firsts[index] = self.firsts[index + 1]
            self.counts[index] = self.counts[index + 1]
        self.count -= 1
