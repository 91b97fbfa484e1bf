"""Random work on a quarantine, with cuts and refusals anywhere: a dict says what is there, each once."""

import sys

from toolcart.agent.log.flash import FLASH_IO
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.snapshot_fields import DAMAGED, DROPPED, QUARANTINE_LAST, REOFFERED
from toolcart.agent.quarantine.quarantine import ADMITTED, ADMITTED_BEFORE, FAILED, NO_ROOM
from toolcart.base.clock import Dice
from host_tests.portable import LONG
from host_tests.support.log import STATE_BLOCKS
from host_tests.support.quarantine import QuarantineBench
from lab.harness.flash import TEARS, PowerCut

PORTABLE = True
HEAVY = True
HEAP = "4m"

RESULTS = 220
ON_CPYTHON = sys.implementation.name == "cpython"
WORLDS = 32 if LONG else 8 if ON_CPYTHON else 4
STEPS = 120


class World:
    """One quarantine, and what has to be in it: `kept` for certain, `maybe` as the cut has left it."""

    def __init__(self, seed, kept_blocks, unit_bytes, flash):
        self.dice = Dice(seed)
        self.bench = QuarantineBench(kept_blocks, unit_bytes=unit_bytes, flash=flash)
        self.kept = set()
        self.maybe = set()
        self.refused = set()  # their drop was refused: until the next snapshot a start may find it done all the same
        self.floating = set()  # what a start has found of a cut: the next one may find it otherwise, without a snapshot
        self.saves = 0
        self.next = 1
        self.done = {}
        self.where = ()  # for a failed test's message

    def count(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    def keep(self):
        """Keep the next one, or any."""
        number = self.next if self.dice.randrange(5) else 1 + self.dice.randrange(self.next)
        if number > RESULTS:
            return
        was = number in self.kept
        self.maybe = set() if was else {number}
        self.next = max(self.next, number + 1)
        code = self.bench.quarantine.admit(number, 17)
        self.count(code)
        if was:
            assert code == ADMITTED_BEFORE
        elif code == ADMITTED:
            self.kept.add(number)
        else:
            assert code == NO_ROOM or (code == FAILED and self.bench.flash.worn), code
            assert self.bench.quarantine.has(number) == 0

    def drop(self):
        """Drop some, few or many."""
        share = (2, 8, 8, 9, 9, 9)[self.dice.randrange(6)]
        chosen = [number for number in self.bench.numbers() if self.dice.randrange(10) >= share]
        quarantine = self.bench.quarantine
        for _ in range(500):
            if not chosen:
                return
            self.maybe = set(chosen)
            self.kept -= self.maybe
            done = quarantine.remove(chosen, DROPPED)
            self.kept |= self.maybe
            assert done >= 0
            if done == 0:
                self.count("tidy")
                newest = quarantine.log.number
                assert quarantine.tidy() and quarantine.log.number > newest, "dropping them does not go on"
            self.kept -= set(chosen[:done])
            chosen = chosen[done:]
        raise AssertionError("it does not end")

    def offer(self):
        """One is offered again, and taken or not; an operator drops others meanwhile."""
        quarantine, numbers = self.bench.quarantine, self.bench.state.numbers
        while not quarantine.may_leave():
            assert quarantine.tidy(), "no gap for one that is offered again"
        if not self.kept:
            return
        living = self.bench.numbers()
        number = living[self.dice.randrange(len(living))]
        assert quarantine.find(number) > RECORD_NONE
        numbers[REOFFERED] = quarantine.entry
        assert self.bench.state.save()
        if self.dice.randrange(2):
            others = [one for one in living if one != number and not self.dice.randrange(3)]
            self.maybe = set(others)
            done = quarantine.remove(others, DROPPED)
            self.kept -= set(others[:done])
            self.count("offered, %d dropped" % done)
        newest = quarantine.log.number
        if self.dice.randrange(2) and quarantine.tidy() and quarantine.log.number > newest:
            self.count("offered and tidied")
        assert quarantine.next_entry(numbers[REOFFERED] - 1) > RECORD_NONE and quarantine.number == number
        taken = self.dice.randrange(3) > 0
        self.maybe = {number} if taken else set()
        assert quarantine.end_reoffer(taken)
        assert self.bench.state.save()
        if taken:
            self.kept.discard(number)

    def restart(self):
        """The process ends, and begins again."""
        if self.dice.randrange(2):
            assert self.bench.state.save()
        self.begin()
        self.find()

    def refuse(self):
        """The flash refuses from some operation on; what is tried then has happened or not, and says so."""
        quarantine = self.bench.quarantine
        self.bench.flash.code, self.bench.flash.left = FLASH_IO, self.dice.randrange(4)
        before = set(self.kept)
        if self.dice.randrange(2) and self.next <= RESULTS:
            number = self.next
            self.maybe = {number}
            self.next += 1
            code = quarantine.admit(number, 17)
            if code == ADMITTED:
                self.kept.add(number)
            else:
                assert code in (FAILED, NO_ROOM)
        else:
            chosen = [number for number in (self.bench.numbers() or []) if self.dice.randrange(2)]
            self.maybe = set(chosen)
            done = quarantine.remove(chosen, DROPPED)
            self.count("refused %d" % min(done, 1))
            if done > 0:
                self.kept -= set(chosen[:done])
            elif done == 0:
                quarantine.tidy()
            else:
                self.refused, self.saves = set(chosen), self.bench.state.saves
        assert set(self.bench.numbers()) == self.kept, (before, self.kept)
        self.bench.flash.code = 0

    def wear(self):
        """A block wears out where one of two that are free may be that one: no start knows of it."""
        flash, blocks = self.bench.flash, self.bench.area.kept_blocks
        if blocks > 3 and not flash.worn:
            flash.worn = (STATE_BLOCKS + self.dice.randrange(blocks),)

    def begin(self):
        if self.bench.state.saves == self.saves:
            self.maybe |= self.refused
        if self.bench.state.saves == 0:
            self.maybe |= self.floating
        self.floating, self.refused = self.maybe, set()
        self.bench.flash.cut_after = None
        self.bench.flash.code = 0
        if self.dice.randrange(2):
            self.bench.flash.fade()
        self.bench.start()
        quarantine = self.bench.quarantine
        assert quarantine.settle(), "the last one stays in doubt"
        if self.bench.state.numbers[REOFFERED]:
            assert quarantine.end_reoffer(False) and self.bench.state.save()

    def find(self):
        numbers = set(self.bench.numbers())
        assert self.kept - self.maybe <= numbers <= self.kept | self.maybe, (sorted(numbers ^ self.kept), self.maybe)
        self.kept = numbers

    def check(self):
        quarantine, numbers = self.bench.quarantine, self.bench.state.numbers
        remaining = self.bench.numbers()
        assert len(remaining) == len(set(remaining)), "one is there twice"
        assert set(remaining) == self.kept, (sorted(set(remaining) ^ self.kept), remaining)
        assert quarantine.count() == len(remaining) and numbers[DAMAGED] == 0
        assert max(remaining + [0]) <= numbers[QUARANTINE_LAST] and numbers[QUARANTINE_LAST] < self.next
        for number in range(1, self.next, 5):
            assert quarantine.has(number) == (number in self.kept)

    def step(self):
        deeds = (self.keep,) * 8 + (self.drop, self.drop, self.offer, self.restart, self.refuse, self.wear)
        deed = deeds[self.dice.randrange(len(deeds))]
        self.maybe = set()
        if not self.dice.randrange(6):
            self.bench.flash.cut_after = self.dice.randrange(6)
            self.bench.flash.look = TEARS[self.dice.randrange(len(TEARS))]
        try:
            deed()
            self.bench.flash.cut_after = None
        except PowerCut:
            self.count("cut")
            self.begin()
            self.find()
        self.check()


def template(unit_bytes, kept_blocks):
    """A flash with results in its main log, all passed."""
    options = {"blocks": kept_blocks + 30, "unit_bytes": unit_bytes}
    bench = QuarantineBench(kept_blocks, results=RESULTS, **options)
    assert bench.state.save()
    return bench.flash


def test_random_work_with_cuts_and_refusals_is_what_a_dict_says():
    done = {}
    for unit_bytes, kept_blocks in ((256, 3), (256, 4), (64, 4), (16, 6)):
        flash = template(unit_bytes, kept_blocks)
        for seed in range(WORLDS // 4):
            world = World(seed * 977 + unit_bytes + kept_blocks, kept_blocks, unit_bytes, flash.clone())
            for step in range(STEPS):
                world.where = (unit_bytes, kept_blocks, seed, step)
                world.step()
            for what in world.done:
                done[what] = done.get(what, 0) + world.done[what]
    for what in ("cut", "tidy", NO_ROOM, ADMITTED_BEFORE, "offered and tidied", "refused 1", "refused -2"):
        assert done.get(what, 0) > 3 or not ON_CPYTHON, (what, done)
