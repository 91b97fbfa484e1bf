"""What one look at a controller has heard, and what follows from it; a look that begins forgets all of it.

newest, top     N: the newest that was answered, or pushed since; NONE as long as no one has said
first .. upto   what may be missing, once that is concluded
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy
from toolcart.agent.openprotocol.id_ledger import DIGEST_BYTES
from toolcart.agent.openprotocol.ids import after, is_ahead, moved, preceding

NONE = const(-1)


class Heard:
    """Made once: a look resets it."""

    def __init__(self):
        self.top = bytearray(DIGEST_BYTES)
        self.forget()

    def forget(self):
        """Nothing was heard."""
        self.newest = NONE
        self.is_held = False  # the newest, by the log
        self.is_zero_gone = False  # ID 0 is: that may be unknown there
        self.is_witness_there = False  # there is a result under the highest ID known, this one or another
        self.row = 0  # gone in a row, upward
        self.first = self.upto = 0
        self.is_afresh = False  # only that is missing, not what was before
        self.is_reset = False  # since the IDs began again

    def is_nothing(self):
        """True if no one has said what the newest is."""
        return self.newest < 0

    def is_below(self, number):
        """True if the newest is below `number`, or there is none."""
        return self.newest < 0 or is_ahead(number, self.newest)

    def take(self, number, digest):
        """This is the newest."""
        self.newest = number
        copy(self.top, 0, digest, 0, DIGEST_BYTES)

    def take_newest(self, number, digest, is_held, known):
        """Take the newest of one of the spindles: the highest of all counts, of equals the one that is known."""
        is_above = self.is_below(number)
        if is_above or (known.is_top(digest) and not known.is_top(self.top)):
            self.take(number, digest)
        if is_above or number == self.newest:
            self.is_held = is_held or (self.is_held and not is_above)

    def miss_up_to_newest(self, is_known):
        """What may be missing ends with the newest, or in front of it if that `is_known`."""
        self.upto = preceding(self.newest) if is_known else self.newest


# What a connection has pushed, as far as something follows from it.
#
# A run is what came one ID after the other. It is asked for once: if the controller has its first one under that ID, it
# made the rest since.


class Pushes:
    """The run that came last."""

    def __init__(self):
        self.first = bytearray(DIGEST_BYTES)  # of the run
        self.last = NONE  # ID of the run's last one; NONE: there is no run

    def take(self, number, digest):
        """Take note of a push; True if a run begins with it."""
        is_first = self.last < 0 or number != after(self.last)
        if is_first:
            copy(self.first, 0, digest, 0, DIGEST_BYTES)
        self.last = number
        return is_first

    def follows(self, number):
        """True if a push of this ID would not be behind the last one."""
        return self.last < 0 or is_ahead(number, self.last)

    def close(self):
        """There is no run: it was asked for, or the connection is over."""
        self.last = NONE


# Finds the lowest ID that a controller still has, going down from one that is there, in few questions.
#
#     distance  0    1   2     4              8 .. 8 + most - 1      end
#               ID   there     there (low)    gone, all of them      nothing of interest
#
# Rules
# 1. A probe asks for one ID after another, downward, until one is there, or `most` in a row are gone: then nothing
#    below is there either, since `most` is more than the longest run of IDs that are not ours, and the oldest go first.
# 2. Probes are twice as far away each time until one finds nothing; then they halve what lies between.


class Walk:
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
        return self._probe()

    def hear(self, there):
        """Take whether the ID asked for is there; True if another one is to be asked for."""
        if there:
            self._low = self._at
            return self._probe()
        self._at += 1
        if self._at < self._end and self._at - self._start < self._most:
            return self._aim()
        self._end = self._start
        self._step = 0
        return self._probe()

    def lowest(self):
        """Return the lowest ID that is there."""
        return moved(self._above, -self._low)

    def _probe(self):
        if self._end - self._low <= 1:
            return False
        at = self._low + self._step
        if self._step == 0 or at >= self._end:
            at = (self._low + self._end) // 2
        self._step *= 2
        self._start = self._at = at
        return self._aim()

    def _aim(self):
        self.asked = moved(self._above, -self._at)
        return self.asked > 0 or self.hear(False)  # 0 cannot be asked for
