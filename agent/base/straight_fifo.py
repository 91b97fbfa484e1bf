"""The FIFO for CPython: what comes while something is in it is read to where it belongs, and nothing is copied.

Rules
1. Taken by agent.base.fifo on CPython. The room behind what is kept is handed out as a memoryview: here that costs less
   than a copy, and one read takes all that has come instead of a side buffer at a time.
2. The view of the whole buffer is kept, as making one costs as much as the part that is taken of it. It follows the
   buffer when that is exchanged, and a copy of the FIFO makes its own.
3. `room()` stays what it was, and is never more than what `inlet()` has for the same moment.
"""

from collections.abc import Callable

from agent.base.straight_class import remade

CPYTHON_ONLY = True  # a memoryview is an allocation on a board

_NEAR_BYTES = 256  # with less room behind what is kept, a move costs less than the read more that comes of it


class _Straight:
    """What takes the place of methods of the FIFO."""

    buf: bytearray
    size: int
    start: int
    end: int
    free: int
    _view: memoryview | None
    _plain_init: Callable[..., None]

    def __init__(self, *arguments):
        self._view = None
        self._plain_init(*arguments)

    def __getstate__(self):
        nothing, state = object.__getstate__(self)  # type: ignore[misc]
        state["_view"] = None
        return nothing, state

    def inlet(self):
        """Return where the next octets go, from its first on; `free` says how many it takes."""
        start = self.start
        end = self.end
        if start == end:
            self.start = self.end = 0
            self.free = self.size
            return self.buf
        left = self.size - end
        if left < _NEAR_BYTES and start:
            end -= start
            self.buf[:end] = self.buf[start : start + end]
            self.start = 0
            self.end = end
            left = self.size - end
        self.free = left
        view = self._view
        if view is None or view.obj is not self.buf:
            view = self._view = memoryview(self.buf)
        return view[end:]

    def receive(self, n):
        """Take over the first `n` octets of what `inlet()` returned."""
        if self.start == self.end:
            self.start = 0
            self.end = n
            return
        self.end += n


def straightened(fifo):
    """Return the class that takes the place of `fifo`."""
    return remade(fifo, _Straight, ("_view",), {"__init__": "_plain_init"})
