"""A linear byte FIFO: what is in it always lies in one piece, so that a whole message can be read in place.

      buf  |....consumed....|######## kept ########|...... room ......|
                            start                  end

Rules
1. Data comes in through `inlet()`: a buffer whose first `free` octets the owner may fill, then `receive(n)`.
   While the FIFO is empty that is the FIFO's own buffer, so the usual message is never copied.
2. Otherwise it is a small side buffer of `side_bytes` and `receive` copies: reading into the middle of a buffer would
   cost a memoryview, and that is an allocation.
3. It never grows. When full, `room()` is 0 and the owner has to consume (move `start`) or give up.
4. What is too large for it is passed over: the owner sets `skip`, and calls `pass_over` before it looks at what came.
"""

from agent.base.fields import copy

SIDE_BYTES = 128  # one light message; larger pieces simply take more turns


class Fifo:
    """Bytes between a port and a machine; `size` octets at the most."""

    __slots__ = ("buf", "end", "free", "side", "size", "skip", "start")

    def __init__(self, size, side_bytes):
        self.buf = bytearray(size)
        self.side = bytearray(side_bytes)
        self.size = size
        self.start = 0
        self.end = 0
        self.free = 0
        self.skip = 0  # octets from `start` on, come or not, that no one looks at

    def clear(self):
        """Forget everything that is in it, and what was to be passed over."""
        self.start = 0
        self.end = 0
        self.skip = 0

    def inlet(self):
        """Return the buffer to read into, from its first octet on; `free` says how many octets it takes."""
        if self.start == self.end:
            self.start = 0
            self.end = 0
            self.free = self.size
            return self.buf
        self.free = self.room()
        return self.side

    def room(self):
        """Return how many octets can come in now; 0 when the FIFO is full."""
        if self.start == self.end:
            return self.size
        side = len(self.side)
        left = self.size - self.end
        if left < side and self.start:
            copy(self.buf, 0, self.buf, self.start, self.end - self.start)
            self.end -= self.start
            self.start = 0
            left = self.size - self.end
        return left if left < side else side

    def receive(self, n):
        """Take over the first `n` octets of what `inlet()` returned."""
        if self.start == self.end:
            self.start = 0
            self.end = n
        else:
            copy(self.buf, self.end, self.side, 0, n)
            self.end += n

    def pass_over(self):
        """Drop what has come of the octets that no one looks at."""
        gone = self.end - self.start
        if gone > self.skip:
            gone = self.skip
        self.start += gone
        self.skip -= gone

    def is_empty(self):
        """True if nothing is in it."""
        return self.start == self.end
