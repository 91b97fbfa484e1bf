"""What runs inside an interpreter that is measured: each function prints one line and raises when it goes wrong.

The same functions run on every MicroPython and on CPython; tools/bench/path.py starts them and reads the lines.
"""

import gc
import sys
import time

from tools.bench.quiet import Workbench, configuration

PORTABLE = True

WARM_UP = 40  # results before anything is counted: blocks are opened, a cursor is saved
BACKLOG = 100


class FileFlash:
    """Flash in a file, so that the heap holds the agent and not its memory. Reads and writes allocate nothing."""

    def __init__(self, path, block_count=16, block_bytes=4096, unit_bytes=256):
        self.unit_bytes = unit_bytes
        self.block_bytes = block_bytes
        self.block_count = block_count
        self._blank = b"\xff" * 256
        self._file = open(path, "w+b")
        for block in range(block_count):
            self.erase(block)

    def read_into(self, address, buf, n):
        self._file.seek(address)
        return 0 if self._file.readinto(buf, n) == n else -2

    def program(self, address, buf, n):
        self._file.seek(address)
        return 0 if self._file.write(buf, n) == n else -2

    def erase(self, block):
        self._file.seek(block * self.block_bytes)
        for _ in range(self.block_bytes // 256):
            self._file.write(self._blank)
        return 0


def heap(path):
    """Run with a backlog; whether it gets through shows that the heap is large enough."""
    settings = configuration()
    sys.modules.pop("agent.config", None)  # as board.main does
    delattr(sys.modules["agent"], "config")
    gc.collect()
    bench = Workbench(settings, FileFlash(path))
    bench.settle()
    through = bench.many_results(WARM_UP) and bench.backlog(BACKLOG) and bench.sound()
    print("through" if through else "stuck: %s" % bench.app.scheduler.last_fault)


def allocation(count):
    """Print the bytes that `count` results and `count` idle steps allocate."""
    bench = Workbench(configuration())
    bench.settle()
    if not bench.many_results(WARM_UP):
        raise RuntimeError("the results do not get through")
    bench.idle(WARM_UP)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    through = bench.many_results(count)
    after_results = gc.mem_alloc()
    bench.idle(count)
    after_idle = gc.mem_alloc()
    if not through or not bench.sound():
        raise RuntimeError("the results do not get through")
    print("allocated", after_results - before, after_idle - after_results)


def speed(count):
    """Print the milliseconds that `count` results take."""
    bench = Workbench(configuration())
    bench.settle()
    if not bench.many_results(WARM_UP):
        raise RuntimeError("the results do not get through")
    begin = _now_ms()
    through = bench.many_results(count)
    took = _now_ms() - begin
    if not through or not bench.sound():
        raise RuntimeError("the results do not get through")
    print("took", took)


def _now_ms():
    return time.perf_counter_ns() // 1000000 if sys.implementation.name == "cpython" else time.ticks_ms()
