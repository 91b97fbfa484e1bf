"""What a connection has pushed, as far as something follows from it.

Rules
1. A run is what came one ID after the other. It is asked for once: if the controller has its first one under that ID,
   it made the rest since.
2. A connection on which nothing can be asked for counts the IDs that are skipped as lost, also since the one before
   (`skipped`). What is proven in between is fetched, and not lost.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy
from toolcart.agent.openprotocol.ids import after, before, is_ahead
from toolcart.agent.openprotocol.known import DIGEST_BYTES

NONE = const(-1)


class Pushes:
    """The run that came last, and the first push of all."""

    def __init__(self):
        self.first = bytearray(DIGEST_BYTES)  # of the run
        self.last = NONE  # ID of the run's last one; NONE: there is no run
        self.begun = NONE  # the first ID that was pushed and is not in `counted`
        self.counted = NONE  # up to this ID what was skipped is counted as lost

    def take(self, number, digest):
        """Take note of a push; True if a run begins with it."""
        is_first = self.last < 0 or number != after(self.last)
        if is_first:
            copy(self.first, 0, digest, 0, DIGEST_BYTES)
        self.last = number
        if self.begun < 0:
            self.begun = number
        return is_first

    def follows(self, number):
        """True if a push of this ID would not be behind the last one."""
        return self.last < 0 or is_ahead(number, self.last)

    def close(self):
        """There is no run: it was asked for."""
        self.last = NONE

    def ended(self):
        """The connection is over. If it has shown nothing, no one knows what is skipped behind it."""
        self.last = NONE
        if self.begun >= 0:
            self.begun = self.counted = NONE

    def proven(self):
        """What may be missing is known, and will be fetched."""
        self.begun = self.counted = NONE

    def skipped(self):
        """Count up to the last push: return the first and the last ID skipped in front of the first one, else None."""
        before_it, first = self.counted, self.begun
        if first < 0:
            return None
        self.counted = self.last
        self.begun = NONE
        if before_it < 0 or not is_ahead(first, after(before_it)):
            return None
        return after(before_it), before(first)
