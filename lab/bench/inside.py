"""What runs inside an interpreter that is measured: each function prints one line and raises on failure.

The same functions run on every MicroPython and on CPython; lab/bench/path.py starts them and reads the lines.
"""

import gc
import sys
import time

from toolcart.agent.base.fields import copy
from lab.harness.configuration import configuration
from lab.harness.quiet import Workbench

PORTABLE = True

WARM_UP = 40  # results before anything is counted: blocks are opened, a cursor is saved
_DISK_BLOCK_BYTES = 4096
SOUGHT = 250  # idle steps: the controller was empty, so results before its first ID are searched for once


def allocation(count):
    """Print the bytes that `count` results and `count` idle steps allocate."""
    bench = Workbench(configuration())
    bench.settle()
    if not bench.many_results(WARM_UP):
        raise RuntimeError("the results do not get through")
    bench.idle(SOUGHT)
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


def on_files(count):
    """Print the bytes that `count` live results and `count` from a backlog allocate with the spool in files.

    The files are on a littlefs of 160 blocks in RAM, mounted at /chip.
    """
    import os

    from toolcart.board.folder_flash import FolderFlash

    disk = _Disk(160)
    os.VfsLfs2.mkfs(disk, progsize=256)
    os.mount(os.VfsLfs2(disk, progsize=256), "/chip")
    bench = Workbench(configuration(), FolderFlash("/chip/spool", 64 * _DISK_BLOCK_BYTES))
    bench.settle()
    through = bench.many_results(WARM_UP) and bench.backlog(WARM_UP)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    through = through and bench.many_results(count)
    after_live = gc.mem_alloc()
    through = through and bench.backlog(count)
    after_backlog = gc.mem_alloc()
    if not through or not bench.sound():
        raise RuntimeError("the results do not get through")
    print("allocated", after_live - before, after_backlog - after_live)


class _Disk:
    """A block device in RAM for littlefs, as MicroPython wants it; erased blocks keep their old content."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.octets = bytearray(blocks * _DISK_BLOCK_BYTES)

    def readblocks(self, block, buf, offset=0):
        copy(buf, 0, self.octets, block * _DISK_BLOCK_BYTES + offset, len(buf))

    def writeblocks(self, block, buf, offset=0):
        copy(self.octets, block * _DISK_BLOCK_BYTES + offset, buf, 0, len(buf))

    def ioctl(self, request, _):
        if request == 4:
            return self.blocks
        return _DISK_BLOCK_BYTES if request == 5 else 0


def speed(count):
    """Print the milliseconds that `count` results take."""
    bench = Workbench(configuration())
    bench.settle()
    if not bench.many_results(WARM_UP):
        raise RuntimeError("the results do not get through")
    bench.idle(SOUGHT)
    begin = _now_ms()
    through = bench.many_results(count)
    took = _now_ms() - begin
    if not through or not bench.sound():
        raise RuntimeError("the results do not get through")
    print("took", took)


def _now_ms():
    return time.perf_counter_ns() // 1000000 if sys.implementation.name == "cpython" else time.ticks_ms()
