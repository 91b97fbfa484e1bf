"""Memory runs out at every allocation of a start and of a reconnect: the agent says so, starts again, nothing is lost.

The heap is filled up to so many octets, the agent starts (or reconnects) in what is left, and the octets grow step by
step until it gets through, so that in the long run every allocation on the way has been the one that fails.
"""

import gc
import sys

from toolcart.board.ram_flash import RamFlash
from host_tests.portable import LONG
from lab.harness.allocation_free_peers import RECONNECT_MS, Workbench, configuration
from lab.harness.portable_session import Skip

PORTABLE = True
HEAP = "512k"

# Three blocks of the heap: smaller than any two allocations of a start together. Coarser but in the long run.
STEP_BYTES = 480 if sys.platform == "qemu" else 48 if LONG else 576
MOST_BYTES = 96 * 1024
BALLAST_PIECES = 1000
BLOCKS = 10  # as many as the configuration says


class Ballast:
    """Takes the heap but for one piece of a size that is asked for."""

    def __init__(self, pieces=BALLAST_PIECES):
        self.pieces = [None] * pieces

    def leave(self, octets):
        gc.collect()
        place = bytearray(octets) if octets else None
        size = 65536
        at = 0
        while size >= 16 and at < len(self.pieces):
            try:
                self.pieces[at] = bytearray(size)
                at += 1
            except MemoryError:
                size //= 2
        place = None
        gc.collect()
        if at == len(self.pieces):
            raise AssertionError("%d pieces do not fill the heap" % at)
        return place

    def give_back(self):
        for at in range(len(self.pieces)):
            self.pieces[at] = None
        gc.collect()


class Trial:
    """What survives: flash, and the books of both sides."""

    def __init__(self):
        self.settings = configuration()
        self.flash = RamFlash(BLOCKS)
        self.ballast = Ballast()
        self.refused = 0
        self.bench = None

    def start(self):
        """A whole agent that has run; what the peers knew is handed over. MemoryError where it does not fit."""
        before = self.bench
        bench = Workbench(self.settings, self.flash)
        if before is not None:
            # Controller and ToolsNet are the same ones after a restart of the agent.
            bench.controller.result[:] = before.controller.result
            bench.controller.acknowledged = before.controller.acknowledged
            bench.toolsnet.information[:] = before.toolsnet.information
            bench.toolsnet.stored = before.toolsnet.stored
            bench.toolsnet.following = before.toolsnet.following
            bench.moment = before.moment
        self.bench = bench
        bench.settle()
        if not bench.many_results(2):
            raise AssertionError("results do not get through")

    def check(self):
        """After a failure: with memory again, everything acknowledged is delivered, in order."""
        acknowledged = self.bench.controller.acknowledged
        self.start()
        bench = self.bench
        bench.wait(2000)
        assert bench.station.log.number >= acknowledged + 2
        assert bench.station.log.backlog_of(bench.station.log.cursors[0]) == 0
        assert bench.toolsnet.disorder == 0
        assert bench.app.scheduler.faults == 0
        assert bench.toolsnet.stored >= bench.controller.acknowledged


def skip_where_the_heap_is_no_boards():
    if sys.implementation.name == "cpython" or sys.platform == "webassembly":
        raise Skip("memory runs out only where the heap has a size")
    if sys.maxsize > 2**31 or sys.platform == "rp2":
        raise Skip("done on the 32-bit unix port and the Cortex-M3")


def fails_and_recovers(trial, attempt):
    """Let `attempt` run in more and more memory until it gets through; how often memory ran out."""
    octets = 0
    while octets < MOST_BYTES:
        trial.ballast.leave(octets)
        through = False
        try:
            attempt()
            through = True
        except MemoryError:
            trial.refused += 1
        trial.ballast.give_back()
        if through:
            return octets
        trial.check()
        octets += STEP_BYTES
    raise AssertionError("%d octets are not enough" % octets)


def test_memory_that_runs_out_anywhere_in_a_start_loses_nothing():
    skip_where_the_heap_is_no_boards()
    trial = Trial()
    trial.start()
    needed = fails_and_recovers(trial, trial.start)
    trial.check()
    print("out of memory %d times in a start, which takes %d octets" % (trial.refused, needed))
    assert trial.refused > 20 * 48 // STEP_BYTES


def test_memory_that_runs_out_anywhere_in_a_reconnect_loses_nothing():
    skip_where_the_heap_is_no_boards()
    trial = Trial()
    trial.start()

    def reconnect():
        bench = trial.bench
        bench.controller.close()
        bench.toolsnet.close()
        bench.wait(RECONNECT_MS)
        if not bench.many_results(2):
            raise AssertionError("results do not get through")

    needed = fails_and_recovers(trial, reconnect)
    trial.check()
    print("out of memory %d times in a reconnect, which takes %d octets" % (trial.refused, needed))
