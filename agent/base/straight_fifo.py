"""The FIFO for CPython: what comes while something is in it is read to where it belongs, and nothing is copied.

Rules
1. Taken by agent.base.fifo on CPython. The room behind what is kept is handed out as a memoryview: here that costs less
   than a copy, and one read takes all that has come instead of a side buffer at a time.
2. `room()` stays what it was, and is never more than what `inlet()` has for the same moment.
"""

CPYTHON_ONLY = True  # a memoryview is an allocation on a board


def straightened(fifo):
    """Return the class that takes the place of `fifo`."""

    class Fifo(fifo):
        """The same without a side buffer."""

        __slots__ = ()

        def inlet(self):
            """Return where the next octets go, from its first on; `free` says how many it takes."""
            end = self.end
            if self.start == end:
                self.start = self.end = 0
                self.free = self.size
                return self.buf
            left = self.size - end
            if left < len(self.side):
                self.room()  # moves what is kept to the front, where it does not lie there
                end = self.end
                left = self.size - end
            self.free = left
            return memoryview(self.buf)[end:]  # one that is kept would have to follow the buffer, and be copied with it

        def receive(self, n):
            """Take over the first `n` octets of what `inlet()` returned."""
            if self.start == self.end:
                self.start = 0
                self.end = n
                return
            self.end += n

    return Fifo
