"""Finds the lowest ID that a controller still has, going down from one that is there, in few questions.

    distance  0    1   2     4              8 .. 8 + most - 1      end
              ID   there     there (low)    gone, all of them      nothing of interest

Rules
1. A probe asks for one ID after another, downward, until one is there, or `most` in a row are gone: then nothing
   below is there either, since `most` is more than the longest run of IDs that are not ours, and the oldest go first.
2. Probes are twice as far away each time until one finds nothing; then they halve what lies between.
3. One that may be there counts as such if the next one is gone, and not as well one that may be there; the last one of
   all too, unless `most` in a row are gone with it.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol.ids import moved

FAR = const(1 << 29)


class LowestIdSearch:
    """One walk down."""

    def __init__(self):
        self.asked = 0  # what to ask for

    def begin(self, above, left, most):
        """Begin below `above`, which is there or counts as such, for `left` IDs at most. True if one is to be asked."""
        self._above = above
        self._most = most
        self._low = 0  # the farthest that is there
        self._end = left + 1  # from here on nothing is there
        self._step = 1
        self._unsure = -1  # the last one that may be there
        self._is_end_unsure = False
        return self._probe()

    def answered(self, there):
        """Take whether the ID asked for is there; True if another one is to be asked for."""
        if there:
            return self._go_on_from(self._at)
        is_unsure = self._unsure == self._at
        if not is_unsure and self._unsure == self._at - 1:
            return self._go_on_from(self._unsure)
        self._at += 1
        self._gone += 1
        if self._at < self._end and self._gone < self._most:
            return self._aim()
        if is_unsure and self._at == self._end and self._gone < self._most and not self._is_end_unsure:
            return self._go_on_from(self._unsure)
        self._end = self._start
        self._is_end_unsure = is_unsure
        self._step = 0
        return self._probe()

    def skip(self, count, may_be_there=False):
        """So many more count as gone in front of the one asked for, which `may_be_there`."""
        self._gone += count
        if may_be_there:
            self._unsure = self._at

    def extend(self, left):
        """There may be something of interest below the end: go on, for `left` IDs in all."""
        self._end = left + 1

    def lowest(self):
        """Return the lowest ID that is there."""
        return moved(self._above, -self._low)

    def finds_all(self):
        """True if IDs are there that no memory can have: whatever is asked for is answered."""
        return self._low >= FAR

    def _go_on_from(self, low):
        self._low = low
        self._unsure = -1
        return self._probe()

    def _probe(self):
        if self._end - self._low <= 1:
            return False
        at = self._low + self._step
        if self._step == 0 or at >= self._end:
            at = (self._low + self._end) // 2
        self._step *= 2
        self._start = self._at = at
        self._gone = 0  # in a row
        return self._aim()

    def _aim(self):
        self.asked = moved(self._above, -self._at)
        if self.asked > 0:
            return True
        self._unsure = -1
        return self.answered(False)  # 0 cannot be asked for, and shows nothing
