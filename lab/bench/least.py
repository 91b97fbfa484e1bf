"""Runs the whole agent in a heap of any size, and reports how much of it was not the agent's.

As on a board: the agent is loaded, the completed configuration is read from a file, then the station is built. Prints
`through` and the bytes that script, peers and flash took beside it, so that they can be added on top.
"""

import gc
import json

PORTABLE = True

WARM_UP = 40  # results before the backlog: blocks are opened, a cursor is saved
BACKLOG = 100
CONFIG = "config.json"


class FileFlash:
    """Flash in a file, so that the heap holds the agent and not its flash. Reads and writes allocate nothing."""

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

    def refusal(self):
        return 0


def heap(path, taken):
    """Run with a backlog; `taken` bytes were already taken by this module."""
    __import__("toolcart.agent.cart.app")
    gc.collect()
    with open(CONFIG) as file:  # like toolcart.board.main
        settings = json.load(file)

    gc.collect()
    taken -= gc.mem_alloc()
    from lab.harness.quiet import QuietController, QuietToolsNet, Workbench

    device = FileFlash(path)
    peers = [QuietController(), QuietToolsNet()]
    gc.collect()
    taken += gc.mem_alloc()
    del peers  # the bench has its own
    gc.collect()
    bench = Workbench(settings, device)
    del settings  # like toolcart.board.main
    bench.settle()
    through = bench.many_results(WARM_UP) and bench.backlog(BACKLOG) and bench.sound()
    print("through" if through else "stuck: %s" % bench.app.scheduler.last_fault, taken)
