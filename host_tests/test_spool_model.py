"""The ring against a list, under everything hypothesis thinks of: crash, full, damage, failing blocks, growth."""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent.log.flash import FLASH_DONE
from host_tests.support_spool import Plant
from tools.sim.flash import SHAPES, PowerCut, SimFlash

LONG = os.environ.get("TOOLCART_LONG") == "1"


class Spool(RuleBasedStateMachine):
    """A plant with two outlets; the archives are the model: after every drain they hold 1, 2, 3 .. without a hole."""

    @initialize(unit=st.sampled_from([1, 16, 64, 256]), blocks=st.integers(3, 7), outlets=st.integers(1, 2))
    def make(self, unit, blocks, outlets):
        self.plant = Plant(SimFlash(blocks, 1024, unit), outlets=outlets)

    @rule(count=st.integers(1, 12))
    def append(self, count):
        self._run(lambda: [self.plant.produce() for _ in range(count)])

    @rule(outlet=st.integers(0, 1), count=st.integers(1, 20))
    def advance(self, outlet, count):
        self._run(lambda: [self.plant.deliver(outlet % self.plant.outlets) for _ in range(count)])

    @rule()
    def fill(self):
        def until_full():
            for _ in range(60):
                if not self.plant.produce():
                    break

        self._run(until_full)

    @rule()
    def maintain(self):
        self._run(lambda: self.plant.ring.maintain())

    @rule()
    def remount(self):
        self._run(self.plant.restart)

    @rule(after=st.integers(1, 12), shape=st.sampled_from(SHAPES))
    def crash_later(self, after, shape):
        flash = self.plant.flash
        flash.cut_at = flash.operations + after
        flash.cut_shape = shape

    @rule(block=st.integers(0, 6), erase=st.booleans())
    def fail_a_block(self, block, erase):
        flash = self.plant.flash
        # A block that holds records may stop erasing; one at most, so that there is somewhere to go.
        if not flash.bad_erase and not flash.bad_program and flash.block_count > 4:
            (flash.bad_erase if erase else flash.bad_program).add(block % flash.block_count)

    @rule(count=st.integers(1, 3))
    def refuse_for_a_while(self, count):
        flash = self.plant.flash
        flash.refuses = True
        flash.refused_shape = SHAPES[count]
        try:
            self._run(lambda: [self.plant.produce() for _ in range(count)])
        finally:
            flash.refuses = False
        self.plant.flash.refuses = False

    @rule(more=st.integers(1, 3))
    def grow(self, more):
        old = self.plant.flash
        if old.regions or old.block_count > 20:
            return
        self.plant.flash = old.grown(old.block_count + more)
        self.plant.flash.bad_erase = old.bad_erase
        self.plant.flash.bad_program = old.bad_program
        self.plant.restart()

    @rule()
    def drain(self):
        self._run(lambda: self.plant.finish(1))

    @invariant()
    def nothing_is_ahead(self):
        plant = getattr(self, "plant", None)
        if plant is not None:
            assert plant.ring.worn or plant.ring.overwritten == 0
            for archive in plant.archives:
                idents = [ident for _, ident in archive]
                assert idents == list(range(1, len(idents) + 1))
                assert len(idents) <= plant.acknowledged + 1

    def teardown(self):
        if getattr(self, "plant", None) is not None:
            self.plant.flash.cut_at = 0
            self.plant.flash.refuses = False
            self.plant.restart()
            self.plant.finish(1)

    def _run(self, act):
        try:
            act()
        except PowerCut:
            self.plant.restart()


assert FLASH_DONE == 0
TestSpool = Spool.TestCase
TestSpool.settings = settings(max_examples=400 if LONG else 40, stateful_step_count=40, deadline=None)
