"""A power cut at every operation while curves and results are written: results as without curves, curves whole or gone.

The world is forked in front of every program and erase of either ring, torn in one shape and started again.
TOOLCART_LONG=1 takes every shape everywhere.
"""

import os

import pytest

from agent.openprotocol.trace import READ
from agent.record import graph as gr
from agent.log.flash import FLASH_DONE, Part
from agent.spool.fold import ROLE_GRAPHS
from agent.spool.mount import mount
from agent.spool.ring import Ring
from agent.spool.search import holds
from host_tests.support_graphs import Bench, ident_of, samples_for, samples_in
from host_tests.support_spool import append, body_of, read_all
from tools.sim.clock import Dice
from tools.sim.flash import SHAPES, SimFlash

LONG = os.environ.get("TOOLCART_LONG") == "1"
COUNT = 420  # samples: two or three pieces
GRAPHS = 5


class World(Bench):
    """Curves and results are written in turn; what was said to be kept is noted."""

    def __init__(self, flash):
        self.results = []  # acknowledged
        self.kept = []  # (ident, what) of curves that were acknowledged
        self.delivered = {}  # by number, as ToolsNet has them
        Bench.__init__(self, flash, graphs=GRAPHS, wanting=())

    def clone(self):
        twin = World.__new__(World)
        twin.results = list(self.results)
        twin.kept = list(self.kept)
        twin.delivered = dict(self.delivered)
        twin.flash = self.flash.clone()
        twin.graph_blocks, twin.wanting, twin.order = self.graph_blocks, self.wanting, self.order
        return twin

    def produce(self, ident):
        if not holds(self.main, body_of(ident), 0) and append(self.main, ident) != FLASH_DONE:
            return
        assert not self.main.suspect
        self.results.append(ident)

    def trace(self, ident, what):
        if self.put_curve(ident, what, COUNT) == READ:
            self.kept.append((ident, what))

    def deliver(self):
        self.main.save_cursors(self.main.number)
        for number, ident in read_all(self.main):
            assert self.delivered.setdefault(number, ident) == ident

    def check(self):
        """What was acknowledged is there, once and in order; curves are whole, each once, the newest at least."""
        found = []
        for lead, data, _ in self.curves():
            ident, what = ident_of(lead), lead[gr.WHAT]
            assert samples_in(data) == samples_for(ident, what, COUNT)
            found.append((ident, what))
        assert found == sorted(found, key=lambda one: (one[0], -one[1])) and len(set(found)) == len(found)
        # Of a ring of five blocks at least two are never erased: so many curves of this length they hold whole.
        newest = 6 if self.flash.block_bytes == 4096 else 2
        assert [one for one in self.kept[-newest:] if one not in found] == []
        self.deliver()
        delivered = [self.delivered[number] for number in sorted(self.delivered)]
        assert sorted(set(self.results) - set(delivered)) == [] and delivered == sorted(set(delivered))


def scenario(world, first, count, dice):
    for ident in range(first, first + count):
        world.produce(ident)
        world.trace(ident, 2)
        world.trace(ident, 1)
        if dice.randrange(3) == 0:
            world.deliver()
        if dice.randrange(3) == 0:
            world.ring.maintain()
            world.main.maintain()


def fork_all(world, shapes, every, dice, level=0, second=()):
    """Tear every operation from now on in a copy of the world."""
    forks = [0, 0]

    def fork(flash, block, address, octets):
        if dice.randrange(every):
            return
        for shape in shapes:
            twin = world.clone()
            twin.flash.tear(address, octets, shape)
            twin.flash.restart()
            forks[0] += 1
            forks[1] += block < GRAPHS
            if second:
                twin.flash.before_operation = None
            twin.start()
            twin.check()
            last = max([0, *twin.results])
            if second:
                fork_all(twin, second, 3, dice)
            scenario(twin, last + 1, 2, Dice(shape))
            twin.flash.before_operation = None
            twin.check()
            twin.flash.restart()
            twin.start()
            twin.check()

    world.flash.before_operation = fork
    return forks


@pytest.mark.parametrize(("unit", "block_bytes"), [(16, 4096), (256, 4096), (512, 4096), (16, 2048)])
def test_a_cut_anywhere_leaves_results_as_they_were_and_no_half_curve_counts_as_whole(unit, block_bytes):
    world = World(SimFlash(11, block_bytes, unit))
    dice = Dice(unit)
    scenario(world, 1, 2, Dice(9))
    forks = fork_all(world, SHAPES, 1 if LONG else 3, dice)
    scenario(world, 3, 14, Dice(unit))
    world.flash.before_operation = None
    world.check()
    assert forks[1] > 20 and forks[0] > forks[1], "neither ring was cut"
    assert min(world.flash.wear[:GRAPHS]) >= 1, "the ring of graphs did not come round"


def test_a_second_cut_in_the_recovery_leaves_results_as_they_were():
    world = World(SimFlash(10, 4096, 256))
    dice = Dice(5)
    forks = fork_all(world, SHAPES if LONG else SHAPES[1::3], 1 if LONG else 6, dice, second=SHAPES[::4])
    scenario(world, 1, 9, Dice(3))
    world.flash.before_operation = None
    world.check()
    assert forks[1]


def test_what_a_cut_leaves_in_the_ring_of_graphs_is_no_part_of_the_log_of_results():
    world = World(SimFlash(10, 4096, 16))
    scenario(world, 1, 10, Dice(3))
    before = (world.main.number, world.main.seq, world.main.damaged, world.main.torn)
    dice = Dice(8)
    for block in range(GRAPHS):
        for index in range(4096):
            world.flash.cells[block * 4096 + index] = dice.randrange(256)
    world.flash.restart()
    main = Ring(Part(world.flash, GRAPHS, 5))
    assert mount(main) >= 0 and main.confirm()
    assert (main.number, main.damaged, main.torn) == (before[0], before[2], before[3])
    graphs = Ring(Part(world.flash, 0, GRAPHS), role=ROLE_GRAPHS, other=main)
    assert mount(graphs) >= 0
