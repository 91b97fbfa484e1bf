"""Finds whole telegrams in a byte stream: four digits, then that many octets (004:105-110).

Rules
1. Any split, any join. The answers we wait for are 41 octets at the most; a longer telegram is passed over unread.
2. Four octets that are no number above 0 lose the frame: the connection has to be closed.
"""

from agent.base.compat import const
from agent.base.fields import number
from agent.base.fifo import Fifo

FRAME_NEED_DATA = const(0)
FRAME_FOUND = const(1)
FRAME_TOO_LARGE = const(2)
FRAME_BROKEN = const(-1)

BUFFER_BYTES = const(128)
SIDE_BYTES = const(32)


class Frames(Fifo):
    """The receiving side of one connection; `at` and `length` (without the length field) are the telegram found."""

    __slots__ = ("at", "length")

    def __init__(self):
        Fifo.__init__(self, BUFFER_BYTES, SIDE_BYTES)
        self.reset()

    def reset(self):
        """A new connection begins."""
        self.clear()
        self.at = 0
        self.length = 0

    # inlet, room and receive are the Fifo's

    def next(self):
        """Find the next telegram; its octets stay where they are until more are read."""
        if self.skip:
            self.pass_over()
        have = self.end - self.start
        if have < 4:
            return FRAME_NEED_DATA
        length = number(self.buf, self.start, 4)
        if length < 1:
            self.clear()
            return FRAME_BROKEN
        if length + 4 > BUFFER_BYTES:
            self.skip = length + 4
            return FRAME_TOO_LARGE
        if have < length + 4:
            return FRAME_NEED_DATA
        self.at = self.start
        self.length = length
        self.start += length + 4
        return FRAME_FOUND
