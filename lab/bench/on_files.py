"""Counts what results allocate with the spool in files; MicroPython runs it, lab/bench/path.py reads its line."""

import gc
import os

from toolcart.agent.base.fields import copy
from toolcart.board.folder_flash import BLOCK_BYTES, FolderFlash
from lab.harness.allocation_free_peers import Workbench, configuration

PORTABLE = True

WARM_UP = 40  # results before anything is counted: blocks are opened, a cursor is saved


def main(count):
    """Print the bytes that `count` live results and `count` from a backlog allocate.

    The files are on a littlefs of 160 blocks in RAM, mounted at /chip.
    """
    disk = _Disk(160)
    os.VfsLfs2.mkfs(disk, progsize=256)
    os.mount(os.VfsLfs2(disk, progsize=256), "/chip")
    bench = Workbench(configuration(), FolderFlash("/chip/spool", 64 * BLOCK_BYTES))
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
        self.octets = bytearray(blocks * BLOCK_BYTES)

    def readblocks(self, block, buf, offset=0):
        copy(buf, 0, self.octets, block * BLOCK_BYTES + offset, len(buf))

    def writeblocks(self, block, buf, offset=0):
        copy(self.octets, block * BLOCK_BYTES + offset, buf, 0, len(buf))

    def ioctl(self, request, _):
        if request == 4:
            return self.blocks
        return BLOCK_BYTES if request == 5 else 0
