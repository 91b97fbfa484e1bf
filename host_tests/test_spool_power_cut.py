"""A power cut at every operation of a scenario, in every tear shape: what was acknowledged is delivered once, in order.

The world is forked in front of every program and erase: each fork is torn in one shape, started again, made to take
and deliver more results, emptied and counted. With a second cut each fork is forked again at every operation of its
own recovery. TOOLCART_LONG=1 takes all shapes everywhere and more geometries.
Three cuts in a row are tried for a seeded sample.
"""

import os

import pytest

from agent.openprotocol.known import VERDICT_NEW
from agent.record.result import FLAG_RECOVERED, TORQUE
from agent.spool.mount import mount
from agent.spool.record import HEAD_OCTETS
from host_tests.support_spool import Plant, append, body_of, difference, made, read_all
from tools.sim.clock import Dice
from tools.sim.flash import ALL, FADES, SHAPES, PowerCut, SimFlash

LONG = os.environ.get("TOOLCART_LONG") == "1"
GEOMETRIES = [(1, 1024), (4, 1024), (16, 1024), (64, 1024), (256, 1024), (16, 4096), (256, 4096), (512, 4096)]


class Cuts:
    """Forks a plant at every operation; counts the forks."""

    def __init__(self, shapes, depth, seed=1, every=1):
        self.shapes = shapes  # one list for each depth
        self.depth = depth
        self.forks = 0
        self.every = every
        self.operations = 0
        self.dice = Dice(seed)

    def watch(self, plant, level=0):
        def fork(flash, block, address, octets):
            self.operations += 1
            if self.every > 1 and self.dice.randrange(self.every):
                return
            for shape in self.shapes[level]:
                self.try_one(plant, level, address, octets, shape)

        plant.flash.before_operation = fork

    def try_one(self, plant, level, address, octets, shape):
        twin = plant.clone(plant.flash.clone())
        twin.flash.tear(address, octets, shape)
        self.forks += 1
        if level + 1 < self.depth:
            self.watch(twin, level + 1)
        twin.restart()
        assert difference(twin.ring) == ""
        twin.finish()
        twin.flash.before_operation = None
        twin.restart()  # what faded or emerged did so behind the archive's back
        twin.finish(1)


def scenario(plant, results, seed, outlets=1, idle_every=5):
    """Results come, are delivered with some delay, and the block ahead is erased now and then.

    Where an outlet wants events some come in between; a best-effort one is slow.
    """
    dice = Dice(seed)
    made = 0
    while made < results:
        if plant.produce():
            made += 1
        if plant.events and dice.randrange(3) == 0:
            plant.produce_event()
        for outlet in range(outlets):
            if outlet in plant.best_effort and dice.randrange(8):
                continue
            for _ in range(dice.randrange(3 if made % 40 < 20 else 2)):
                plant.deliver(outlet)
        if dice.randrange(idle_every) == 0:
            plant.ring.maintain()


def results_for(flash, wraps):
    per_block = flash.block_bytes // max(128, flash.unit_bytes) - (1 if flash.unit_bytes < 256 else 0)
    return per_block * flash.block_count * wraps


@pytest.mark.parametrize(("unit", "block_bytes"), GEOMETRIES)
def test_a_cut_at_every_operation_loses_nothing(unit, block_bytes):
    flash = SimFlash(5, block_bytes, unit)
    plant = Plant(flash)
    # In the short run two geometries are cut at every operation, the others at some, drawn with a fixed seed.
    whole = LONG or (unit in (16, 256) and block_bytes == 1024)
    cuts = Cuts([SHAPES], 1, every=1 if whole else 12 if block_bytes == 4096 else 4)
    cuts.watch(plant)
    results = results_for(flash, 3)
    scenario(plant, results, unit)
    flash.before_operation = None
    plant.finish()
    assert min(flash.wear) >= 2, "less than two wraps"
    assert cuts.forks >= results // 8


@pytest.mark.parametrize("unit", [16, 256])
def test_a_cut_with_two_outlets_loses_nothing_at_either(unit):
    plant = Plant(SimFlash(5, 1024, unit), outlets=2)
    cuts = Cuts([SHAPES], 1, every=1 if LONG else 4)
    cuts.watch(plant)
    scenario(plant, 60, unit, outlets=2)
    assert cuts.forks


@pytest.mark.parametrize("unit", [16, 256])
def test_a_cut_with_a_second_durable_and_a_best_effort_outlet_loses_nothing_at_the_durable_ones(unit):
    plant = Plant(SimFlash(5, 1024, unit), outlets=3, best_effort=(2,), events=(1, 2))
    cuts = Cuts([SHAPES], 1, every=1 if LONG or unit == 16 else 3)
    cuts.watch(plant)
    scenario(plant, 60, unit, outlets=3)
    assert cuts.forks
    plant.flash.before_operation = None
    plant.finish()
    assert plant.ring.missed, "the slow one was never moved on"


@pytest.mark.parametrize("unit", [16, 256])
def test_a_second_cut_with_three_outlets_loses_nothing_at_the_durable_ones(unit):
    plant = Plant(SimFlash(3, 1024, unit), outlets=3, best_effort=(2,), events=(1, 2))
    cuts = Cuts([SHAPES, SHAPES if LONG else [unit % 10, 1, 8]], 2, every=1 if LONG else 6)
    cuts.watch(plant)
    scenario(plant, 24, unit, outlets=3)
    assert cuts.forks


@pytest.mark.parametrize("unit", [16, 256, 512])
def test_a_second_cut_at_every_operation_of_the_recovery_loses_nothing(unit):
    plant = Plant(SimFlash(3, {16: 512, 256: 1024, 512: 2048}[unit], unit))
    second = SHAPES if LONG else [(unit + 3) % 10, 1, 8, 9]
    cuts = Cuts([SHAPES, second], 2, every=1 if LONG else 4)
    cuts.watch(plant)
    scenario(plant, 24, unit)
    assert cuts.forks


@pytest.mark.parametrize("unit", [16, 256])
def test_a_cut_with_a_block_that_fails_loses_nothing(unit):
    flash = SimFlash(6, 1024, unit)
    plant = Plant(flash)
    flash.bad_program.add(2)
    flash.bad_erase.add(4)
    cuts = Cuts([SHAPES], 1, every=1 if LONG else 4)
    cuts.watch(plant)
    scenario(plant, 60, unit)
    flash.before_operation = None
    plant.finish()
    assert plant.ring.worn >= 2


def ring_with_known(flash):
    ring = made(flash, recover=True)
    assert mount(ring) >= 0
    return ring


@pytest.mark.parametrize("unit", [16, 256, 512])
def test_a_last_record_that_fades_after_its_copy_was_cut_behind_a_whole_head_leaves_no_trace(unit):
    flash = SimFlash(4, 4096, unit)
    ring = ring_with_known(flash)
    for ident in range(1, 5):
        assert append(ring, ident) == 0
    ring = fades_behind_the_head_of_its_copy(ring, unit, 5, 0)
    assert ring.number == 4 and ring.owner.top() == 4 and ring.owner.gone() == 0
    assert ring.owner.verdict(body_of(5), 0) == VERDICT_NEW, "the controller brings it again, and it is no repeat"
    assert append(ring, 5) == 0
    assert read_all(ring) == [(n, n) for n in range(1, 6)]
    assert ring.damaged == 0


@pytest.mark.parametrize("unit", [16, 256, 512])
def test_a_fetched_result_that_fades_after_its_copy_was_cut_behind_a_whole_head_is_missing_still(unit):
    flash = SimFlash(4, 4096, unit)
    ring = ring_with_known(flash)
    for ident in (1, 2, 6):
        assert append(ring, ident) == 0
    assert (ring.owner.gaps.firsts[0], ring.owner.gaps.counts[0]) == (3, 3)
    ring = fades_behind_the_head_of_its_copy(ring, unit, 3, FLAG_RECOVERED)
    assert ring.number == 3 and ring.owner.gone() == 0
    assert (ring.owner.gaps.firsts[0], ring.owner.gaps.counts[0]) == (3, 3), "it is asked for again"
    assert append(ring, 3, flags=FLAG_RECOVERED) == 0
    assert [ident for _, ident in read_all(ring)] == [1, 2, 6, 3]
    assert ring.damaged == 0


def fades_behind_the_head_of_its_copy(ring, unit, ident, flags):
    """Return the log of the third start: the one before found the torn record and was cut within its copy."""
    flash = ring.device
    before = ring.number, ring.owner.top(), ring.owner.gaps.total()
    flash.cut_at, flash.cut_shape = flash.operations + 1, FADES
    with pytest.raises(PowerCut):
        append(ring, ident, flags=flags)
    flash.restart()
    ring = ring_with_known(flash)
    assert (ring.number, ring.owner.top(), ring.owner.gaps.total()) == before, (
        "it reads well and counts for nothing yet"
    )
    assert ring.suspect

    def cut_behind_the_head(flash, _block, address, octets):
        if octets is not None:
            flash.cells[address : address + HEAD_OCTETS] = octets[:HEAD_OCTETS]
            flash.used[address // unit : (address + len(octets)) // unit] = b"\x01" * (len(octets) // unit)
            raise PowerCut("its HEAD is whole")

    flash.before_operation = cut_behind_the_head
    with pytest.raises(PowerCut):
        ring.confirm()
    flash.before_operation = None
    flash.restart()
    ring = ring_with_known(flash)
    assert ring.confirm()
    return ring


@pytest.mark.parametrize("change", ["fades", "emerges", "flickers once"])
@pytest.mark.parametrize("unit", [16, 256])
def test_a_last_record_that_changes_at_any_read_of_a_start_is_neither_lost_nor_doubled(unit, change):
    changes_at = 0
    while True:
        changes_at += 1
        plant = Plant(SimFlash(5, 1024, unit))
        flash = plant.flash
        for _ in range(5):
            assert plant.produce()
        assert plant.deliver()
        assert plant.ring.maintain()
        flash.cut_at, flash.cut_shape = flash.operations + 1, ALL
        with pytest.raises(PowerCut):
            plant.produce()
        flash.restart()
        octet = bytes(flash.cells).rindex(bytes(body_of(6))) + TORQUE
        reads = Reads(flash, octet, change, changes_at)
        plant.start()
        plant.finish()
        plant.restart()
        plant.finish()
        if reads.count < changes_at:
            break
    assert changes_at > 5


class Reads:
    """One octet of the flash that changes in front of its n-th read; for one read only if it flickers."""

    def __init__(self, flash, octet, change, changes_at):
        self.flash = flash
        self.octet = octet
        self.count = 0
        self.changes = {changes_at, changes_at + 1} if change == "flickers once" else {changes_at}
        self.read_into = flash.read_into
        flash.read_into = self
        if change == "emerges":
            self._flip()

    def __call__(self, address, buf, n):
        if address <= self.octet < address + n:
            self.count += 1
            if self.count in self.changes:
                self._flip()
        return self.read_into(address, buf, n)

    def _flip(self):
        self.flash.cells[self.octet] ^= 0x10


def three_cuts(seed, unit):
    dice = Dice(seed)
    flash = SimFlash(4 + dice.randrange(3), max(1024, 4 * unit), unit, seed)
    plant = Plant(flash)
    for _ in range(dice.randrange(60)):
        # Never full: what a full log can promise is less, see docs/spool.md.
        if plant.ring.backlog(0) > 2 or not plant.produce() or dice.randrange(2) == 0:
            plant.deliver()
    for cut in range(3):
        flash.cut_at, flash.cut_shape = flash.operations + 1 + dice.randrange(4), SHAPES[dice.randrange(len(SHAPES))]
        try:
            if cut:
                plant.start()
            for _ in range(4):
                plant.produce()
                plant.deliver()
        except PowerCut:
            pass
        flash.restart()
    plant.start()
    plant.finish()
    plant.restart()
    plant.finish(1)


@pytest.mark.parametrize("unit", [16, 64, 256, 512])
def test_three_cuts_in_a_row_lose_nothing(unit):
    for seed in range(1, 4001 if LONG else 151):
        try:
            three_cuts(seed, unit)
        except AssertionError as reason:
            raise AssertionError("seed %d: %s" % (seed, reason)) from reason
