"""What a piece of work allocates on the heap of a 32-bit board."""

import gc
import sys

from lab.harness.portable_session import Skip

PORTABLE = True


def heap_tools():
    """Return MicroPython's heap module; Skip where a heap cannot be locked and counted."""
    if sys.implementation.name != "micropython":
        raise Skip("CPython allocates for everything")
    if sys.maxsize > 0x7FFFFFFF:
        raise Skip("64-bit objects show nothing of a 32-bit board")
    import micropython

    return micropython


def allocated(work, argument=None):
    """Return the bytes that `work(argument)` allocates, or `work()` without one, collection switched off."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    if argument is None:
        work()
    else:
        work(argument)
    after = gc.mem_alloc()
    gc.enable()
    return after - before
