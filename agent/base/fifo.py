"""A linear byte FIFO: its contents always lie in one piece, so that a whole message can be read in place.

      buf  |....consumed....|######## kept ########|...... room ......|
                            start                  end

Rules
1. Data comes in through `inlet()`: the owner fills up to `free` bytes of the buffer it returns, then calls
   `receive(n)`. While the FIFO is empty that is the FIFO's own buffer, so the usual message is never copied.
2. Otherwise it is a small side buffer of `side_bytes`, and `receive` copies: reading into the middle of a buffer would
   need a memoryview, which is an allocation.
3. It never grows. When it is full, `room()` is 0 and the owner must consume (move `start`) or give up.
4. What is too large for it is skipped: the owner sets `skip`, and calls `pass_over` before it looks at new data.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy

SIDE_BYTES = const(128)  # one light message; larger pieces just take more turns


class Fifo:
    """Bytes between a port and a state machine, at most `size` of them."""

    __slots__ = ("buf", "end", "free", "side", "size", "skip", "start")

    def __init__(self, size, side_bytes):
        self.buf = bytearray(size)
        self.side = bytearray(side_bytes)
        self.size = size
        self.start = 0
        self.end = 0
        self.free = 0
        self.skip = 0  # bytes from `start` on to be dropped unread, whether they have arrived or not

    def clear(self):
        """Drop the contents, and forget what was still to be skipped."""
        self.start = 0
        self.end = 0
        self.skip = 0

    def inlet(self):
        """Return the buffer to read into, from its first byte on; `free` is how many bytes it takes."""
        if self.start == self.end:
            self.start = 0
            self.end = 0
            self.free = self.size
            return self.buf
        self.free = self.room()
        return self.side

    def room(self):
        """Return how many bytes can come in now; 0 when the FIFO is full."""
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
        """Take the first `n` bytes of the buffer that `inlet()` returned."""
        if self.start == self.end:
            self.start = 0
            self.end = n
        else:
            copy(self.buf, self.end, self.side, 0, n)
            self.end += n

    def pass_over(self):
        """Drop those of the bytes to be skipped that have arrived."""
        gone = self.end - self.start
        if gone > self.skip:
            gone = self.skip
        self.start += gone
        self.skip -= gone

    def is_empty(self):
        """True if it holds nothing."""
        return self.start == self.end
