"""The holes in a controller's tightening IDs: at most GAPS_MAX ranges, oldest first, kept in the spool's memory.

    memory  20                    27 octets
           | 3 x (first BCD 5, count u32) |      a count of 0 is no gap

Rules
1. What does not fit joins two gaps, or stays in one: then the ranges lie over IDs that are stored, and the call says
   so. The caller looks into the log before it stores anything then. Where joining would make too wide a range, the
   oldest gap makes room.
2. Going through the IDs (`step`) is one round from the oldest to the newest, whatever is cut out meanwhile.
3. ID 0 exists after the wrap and cannot be asked for: MID 0064 with 0 means the newest (DIGEST D.6).
"""

from agent.base.compat import const
from agent.base.result import ID_BYTES
from agent.base.words import get_u32, pack_digits, put_u32
from agent.openprotocol.ids import ID_PERIOD, put_id, unpack_id

GAPS_MAX = const(3)
GAP_IDS_MAX = const(20000)  # more than a controller keeps: what lies further back is gone without being asked for

_AT = const(20)
_OCTETS = const(9)


class Gaps:
    """Ranges of IDs, and where the round through them stands."""

    __slots__ = ("_digits", "asked", "count", "counts", "dropped", "firsts", "memory", "round")

    def __init__(self, memory):
        self.memory = memory
        self.firsts = [0] * GAPS_MAX
        self.counts = [0] * GAPS_MAX
        self.count = 0
        self.dropped = 0  # IDs that had to make room
        self.asked = 0  # the ID that `step` gave last; 0: the round begins
        self.round = 0  # the gap it lay in
        self._digits = bytearray(ID_BYTES)

    def load(self):
        """Take the ranges over from the memory."""
        self.count = 0
        for index in range(GAPS_MAX):
            at = _AT + index * _OCTETS
            count = get_u32(self.memory, at + 5)
            if count > 0:
                self.firsts[self.count] = unpack_id(self.memory, at)
                self.counts[self.count] = count
                self.count += 1

    def write(self):
        """Put the ranges into the memory; what saves it is the owner's business."""
        memory = self.memory
        for index in range(GAPS_MAX):
            at = _AT + index * _OCTETS
            if index < self.count:
                put_id(self._digits, self.firsts[index])
                pack_digits(memory, at, self._digits, 0, ID_BYTES)
                put_u32(memory, at + 5, self.counts[index])
            else:
                put_u32(memory, at + 5, 0)

    def total(self):
        """Return how many IDs are missing."""
        return sum(self.counts[: self.count])

    def holding(self, number):
        """Return the index of the gap that the ID lies in, -1 if it is not missing."""
        for index in range(self.count):
            if (number - self.firsts[index]) % ID_PERIOD < self.counts[index]:
                return index
        return -1

    def open(self, first, count):
        """Add the `count` IDs from `first` on; whether the ranges now lie over IDs that may be stored."""
        overlaps = False
        if count > GAP_IDS_MAX:
            self.dropped += count - GAP_IDS_MAX
            first = (first + count - GAP_IDS_MAX) % ID_PERIOD
            count = GAP_IDS_MAX
        for index in range(self.count):
            known = self.firsts[index]
            if (first - known) % ID_PERIOD < self.counts[index] or (known - first) % ID_PERIOD < count:
                overlaps = True
        last = GAPS_MAX - 1
        joined = (first + count - self.firsts[last]) % ID_PERIOD
        if self.count == GAPS_MAX and joined <= GAP_IDS_MAX:
            self.counts[last] = joined
            overlaps = True
        else:
            if self.count == GAPS_MAX:
                self.dropped += self.counts[0]
                self._remove(0)
            self.firsts[self.count] = first
            self.counts[self.count] = count
            self.count += 1
        self.write()
        return overlaps

    def cut_out(self, gap, number):
        """Close one ID of the gap; whether it had to stay in the range although it is stored or gone."""
        firsts, counts = self.firsts, self.counts
        offset = (number - firsts[gap]) % ID_PERIOD
        behind = counts[gap] - offset - 1
        if offset == 0:
            firsts[gap] = (number + 1) % ID_PERIOD
            counts[gap] = behind
            if behind == 0:
                self._remove(gap)
        elif behind == 0:
            counts[gap] = offset
        elif self.count < GAPS_MAX:
            for index in range(self.count, gap + 1, -1):
                firsts[index], counts[index] = firsts[index - 1], counts[index - 1]
            counts[gap] = offset
            firsts[gap + 1] = (number + 1) % ID_PERIOD
            counts[gap + 1] = behind
            self.count += 1
            if gap < self.round:
                self.round += 1
        else:
            return True
        self.write()
        return False

    def begin(self):
        """Begin the round anew."""
        self.asked = 0
        self.round = 0

    def step(self):
        """Set `asked` to the next missing ID behind the last one; False when the round is over."""
        zero = self.holding(0)
        if zero >= 0:
            self.cut_out(zero, 0)
        if self.asked:
            following = self.asked + 1 if self.asked < ID_PERIOD - 1 else 1
            gap = self.holding(following)
            if gap < 0:
                gap = self.round + 1
                following = self.firsts[gap] if gap < self.count else 0
        else:
            gap = 0
            following = self.firsts[0]
        if gap >= self.count:
            return False
        self.round = gap
        self.asked = following
        return True

    def _remove(self, gap):
        for index in range(gap, self.count - 1):
            self.firsts[index] = self.firsts[index + 1]
            self.counts[index] = self.counts[index + 1]
        self.count -= 1
        if gap <= self.round:
            self.round -= 1
