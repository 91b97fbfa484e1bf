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

BUFFER_BYTES = const(256)


class Frames:
    """The receiving side of one connection; `at` and `length` (without the length field) are the telegram found."""

    __slots__ = ("_consumed", "_discard", "at", "buf", "fifo", "length")

    def __init__(self):
        self.fifo = Fifo(BUFFER_BYTES)
        self.buf = self.fifo.buf
        self.reset()

    def reset(self):
        """A new connection begins."""
        self.fifo.clear()
        self.at = 0
        self.length = 0
        self._consumed = 0
        self._discard = 0

    def inlet(self):
        """Return the buffer whose first `room()` octets may be filled."""
        return self.fifo.inlet()

    def room(self):
        """Return how many octets are taken now."""
        self._consume()
        return self.fifo.room()

    def receive(self, n):
        """Take over the first n octets of the inlet."""
        self.fifo.commit(n)

    def next(self):
        """Find the next telegram; what was found before is forgotten."""
        self._consume()
        fifo = self.fifo
        if self._discard:
            have = fifo.end - fifo.start
            gone = have if have < self._discard else self._discard
            fifo.drop(gone)
            self._discard -= gone
        have = fifo.end - fifo.start
        if have < 4:
            return FRAME_NEED_DATA
        length = number(self.buf, fifo.start, 4)
        if length < 1:
            fifo.clear()
            return FRAME_BROKEN
        if length + 4 > BUFFER_BYTES:
            self._discard = length + 4
            return FRAME_TOO_LARGE
        if have < length + 4:
            return FRAME_NEED_DATA
        self.at = fifo.start
        self.length = length
        self._consumed = length + 4
        return FRAME_FOUND

    def _consume(self):
        if self._consumed:
            self.fifo.drop(self._consumed)
            self._consumed = 0
