"""A power cut at every operation of a scenario, in every tear shape: what was acknowledged is delivered once, in order.

The world is forked in front of every program and erase: each fork is torn in one shape, started again, made to take
and deliver more results, emptied and counted. With a second cut each fork is forked again at every operation of its
own recovery. TOOLCART_LONG=1 takes all shapes everywhere and more geometries.
"""

import os

import pytest

from host_tests.support_spool import Plant
from tools.sim.clock import Dice
from tools.sim.flash import SHAPES, SimFlash

LONG = os.environ.get("TOOLCART_LONG") == "1"
GEOMETRIES = [(1, 1024), (4, 1024), (16, 1024), (64, 1024), (256, 1024), (16, 4096), (256, 4096)]


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
        twin.finish()
        twin.flash.before_operation = None
        twin.restart()  # what faded or emerged did so behind the archive's back
        twin.finish(1)


def scenario(plant, results, seed, outlets=1, idle_every=5):
    """Results come, are delivered with some delay, and the block ahead is erased now and then."""
    dice = Dice(seed)
    made = 0
    while made < results:
        if plant.produce():
            made += 1
        for outlet in range(outlets):
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
def test_a_second_cut_at_every_operation_of_the_recovery_loses_nothing(unit):
    plant = Plant(SimFlash(3, 512 if unit == 16 else 1024, unit))
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
