"""What a connection has pushed, as far as something follows from it.

A run is what came one ID after the other. It is asked for once: if the controller has its first one under that ID, it
made the rest since.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy
from toolcart.agent.openprotocol.ids import after, is_ahead
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES

NONE = const(-1)


class PushRun:
    """The run that came last."""

    def __init__(self):
        self.first = bytearray(FINGERPRINT_BYTES)  # of the run
        self.last = NONE  # ID of the run's last one; NONE: there is no run
        # a timer, where nothing can be asked for: then what pushes have skipped is gone, if it did not come behind them
        self.on_its_way = None

    def take(self, number, digest):
        """Take note of a push; True if a run begins with it."""
        is_first = self.last < 0 or number != after(self.last)
        if is_first:
            copy(self.first, 0, digest, 0, FINGERPRINT_BYTES)
        self.last = number
        return is_first

    def follows(self, number):
        """True if a push of this ID would not be after the last one."""
        return self.last < 0 or is_ahead(number, self.last)

    def close(self):
        """There is no run: it was asked for, or the connection is over."""
        self.last = NONE
