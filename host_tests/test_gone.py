"""What cannot be had any more is told once, with its IDs and the reason, and agrees with what is counted as gone."""

import sys

import agent.spool.ring  # noqa: F401 - MicroPython's stack is too short for the whole chain of imports at once
from agent.base.ticks import ticks_add
from agent.gone import TELL_EVERY_MS, Gone
from agent.openprotocol.untold import FLAG_UNTOLD, UNTOLD_AT, UNTOLD_MOST
from agent.record import event as ev
from agent.record.result import ROOM_BYTES
from agent.record.text import describe
from agent.spool import record as rec
from agent.log.flash import FLASH_IO
from agent.spool.walk import Walk
from agent.status import snapshot
from host_tests.support_recovery_model import Clock, Life, Memory, Tank
from host_tests.support_world import Cart, WatchedFlash
from tools.sim.flash import BITS, PowerCut, SimFlash

PORTABLE = True
HEAP = "8m"

ON_A_COMPUTER = sys.implementation.name == "cpython"
LIVES = 60 if ON_A_COMPUTER else 4
UNKNOWN = 4  # place of the unknown reason among the codes


def events_of(ring):
    """Return every event that says which IDs are gone, each once, in words and in its order."""
    found = {}
    walk = Walk(ring.device, 700, None)
    for block in range(ring.device.block_count):
        walk.begin(block, 0, 0, ring.bound(block))
        while walk.next() > rec.RECORD_NONE:
            if walk.kind == rec.KIND_EVENT and walk.page[rec.HEAD_BYTES + ev.WHAT] == ev.GONE:
                told = describe(walk.page, rec.HEAD_BYTES, walk.kind, walk.flags, walk.length)
                found[told["number"]] = told
    return [found[number] for number in sorted(found)]


def ranges(events):
    return [(int(one["first_id"]), int(one["last_id"]), one["count"], one["code"]) for one in events if one["first_id"]]


class Bench(Tank):
    """A tank that tells what is gone whenever it may."""

    def __init__(self, device=None, **settings):
        self.memory = Memory()
        Tank.__init__(self, device or WatchedFlash(24, 4096, 16), **settings)

    def start(self):
        Tank.start(self)
        self.gone = Gone(self.store)
        return self

    def tell(self):
        known = self.known
        return known.has_untold() and self.gone.write_down(self.recovery, ROOM_BYTES, self.now)

    def live(self, ident, after_s=1):
        self.memory.make(after_s, ident)
        return self.push(self.memory.kept[-1])

    def fetch_all(self):
        """Ask until nothing is wanted; what is told meanwhile is told."""
        quiet = 0
        while quiet < 3:
            number = self.ask()
            if number < 0:
                quiet += 1
                self.wait()
                continue
            found = self.memory.find(number)
            self.answer(found) if found else self.refuse()
            self.tell()
        self.tell()

    def told(self):
        return events_of(self.ring)


def met(**settings):
    """Return a bench that has met a controller with the IDs 1 and 2."""
    bench = Bench(**settings)
    bench.connect()
    bench.fetch_all()
    bench.live(1)
    bench.live(2)
    bench.fetch_all()
    return bench


def total(events):
    return sum([one["count"] for one in events])


# What is told, and why


def test_ids_that_the_controller_has_no_more_are_told_once_and_with_all_that_matters():
    cart = Cart().ready()
    cart.settle()
    cart.controller.produce()
    cart.settle()
    cart.controller.jump_ids(4)
    cart.controller.produce()
    cart.settle()
    (told,) = events_of(cart.station.ring)
    assert ranges([told]) == [(2, 5, 4, "none")] and told["total"] == 4 and told["id_epoch"] == 0
    assert told["event"] == "results gone" and told["time_source"] == "agent" and told["time"][:3] == "202"
    assert "nothing under these IDs" in told["text"]
    shown = snapshot(cart.app)["stations"][0]
    assert shown["recovery"]["gone"] == 4 == shown["counters"]["ids gone"] * 4
    latest = shown["recovery"]["gone_latest"]
    assert (latest["first_id"], latest["last_id"], latest["count"]) == ("2", "5", 4)
    assert latest["command"].startswith("toolcart spool gaps ")
    cart.cut()
    cart.settle()
    cart.run(2 * TELL_EVERY_MS)
    assert len(events_of(cart.station.ring)) == 1
    cart.controller.jump_ids(1)
    cart.controller.produce()
    cart.settle()
    assert ranges(events_of(cart.station.ring)) == [(2, 5, 4, "none"), (7, 7, 1, "none")]
    assert cart.station.known.gone() == 5


def test_controller_that_cannot_be_asked_is_the_reason_then():
    cart = Cart(controller={"unknown_mids": (64,)}).ready()
    cart.settle()
    cart.controller.produce()
    cart.controller.jump_ids(3)
    cart.controller.produce()
    cart.settle()
    assert ranges(events_of(cart.station.ring)) == [(2, 4, 3, "never")]


def test_what_was_missing_when_the_controller_turns_out_to_know_no_0064_is_told():
    bench = met()
    bench.live(9)
    assert bench.ask() >= 0
    bench.refuse(99)
    bench.tell()
    assert ranges(bench.told()) == [(3, 8, 6, "never")] and bench.known.gone() == 6


def test_ids_that_began_anew_before_they_were_fetched_are_told_of_the_epoch_before():
    bench = met()
    bench.live(9)
    bench.lose()
    bench.memory.wipe()
    bench.memory.make(5, 1)
    bench.connect()
    bench.fetch_all()
    assert (3, 8, 6, "reset") in ranges(bench.told())
    assert [one["id_epoch"] for one in bench.told() if one["code"] == "reset"] == [0]
    assert bench.known.memory[21] == 1 and total(bench.told()) == bench.known.gone()


def test_push_that_shows_that_ids_began_anew_tells_what_was_missing():
    bench = met()
    bench.live(9)
    bench.live(1, after_s=5)
    bench.wait(TELL_EVERY_MS)
    bench.tell()  # busy: the time is up
    bench.wait(TELL_EVERY_MS)
    bench.tell()
    assert ranges(bench.told()) == [(3, 8, 6, "reset")] and bench.told()[0]["id_epoch"] == 0


def test_more_than_can_be_noted_is_told():
    bench = met()
    bench.live(30002)
    bench.wait(TELL_EVERY_MS)
    bench.tell()
    bench.wait(TELL_EVERY_MS)
    bench.tell()
    assert ranges(bench.told()) == [(3, 10001, 9999, "many")] and bench.known.gone() == 9999


def test_nothing_is_told_where_nothing_was_made():
    cart = Cart(first_id=500).ready()
    cart.settle()
    for _ in range(3):
        cart.controller.produce()
    cart.settle()
    assert events_of(cart.station.ring) == [] and snapshot(cart.app)["stations"][0]["recovery"]["gone_latest"] is None


# How much of it


def test_what_goes_in_one_run_is_one_range():
    bench = met()
    bench.live(450)
    bench.fetch_all()
    assert bench.known.gone() == 447 == total(bench.told())
    assert len(bench.told()) <= 2


def test_controller_that_talks_nonsense_gets_one_record_a_minute():
    bench = met()
    bench.live(9)
    bench.ask()
    bench.refuse(99)  # no MID 0064: every jump is gone at once
    start = bench.now
    ident = 9
    minutes = 10
    for second in range(60 * minutes):
        ident += 2 + second % 3
        bench.live(ident)
        bench.tell()
        bench.wait(1000)
    assert len(bench.told()) <= minutes + 2
    bench.wait(TELL_EVERY_MS)
    bench.tell()
    assert total(bench.told()) == bench.known.gone() > 600
    assert bench.told()[-1]["total"] == bench.known.gone()
    assert bench.now != start


def test_many_reasons_one_after_the_other_become_one_range_without_ids():
    bench = met()
    known = bench.known
    for turn in range(UNTOLD_MOST + 3):
        known.count_gone(100 * turn, 2, turn % 2)
    assert len(known.untold) == UNTOLD_MOST and known.untold_ids() == known.gone() == 2 * (UNTOLD_MOST + 3)
    for _ in range(UNTOLD_MOST):
        assert bench.tell()
        bench.wait(TELL_EVERY_MS)
    assert not known.has_untold() and total(bench.told()) == known.gone()
    assert bench.told()[-1]["first_id"] is None and bench.told()[-1]["code"] == "?"


def test_flash_that_refuses_is_told_later():
    bench = met()
    bench.live(5)
    bench.device.code = FLASH_IO
    bench.known.count_gone(90, 1, 0)
    bench.fetch_all()
    assert bench.known.has_untold() and bench.told() == []
    bench.device.code = 0
    bench.fetch_all()
    bench.wait(TELL_EVERY_MS)
    bench.tell()
    assert total(bench.told()) == bench.known.gone() == 3 and bench.known.gaps.count == 0


# Power cuts


def test_power_cut_at_every_operation_leaves_each_id_told_once():
    operations = 0
    cut = 0
    while cut <= operations:
        flash = SimFlash(16, 1024, 16, cut + 1)
        bench = met(device=flash)
        before = flash.operations
        flash.cut_at = before + cut if cut else 0
        flash.cut_shape = BITS
        try:
            bench.live(6)
            bench.fetch_all()
            operations = max(operations, flash.operations - before)
        except PowerCut:
            flash.restart()
            bench.start()
            bench.connect()
            bench.fetch_all()
            if bench.memory.find(6) and not bench.known.gone():
                bench.push(bench.memory.find(6))
                bench.fetch_all()
        bench.wait(TELL_EVERY_MS)
        bench.tell()
        assert ranges(bench.told()) == [(3, 5, 3, "none")], cut
        assert bench.known.gone() == 3 and not bench.known.has_untold()
        bench.check_memory()
        bench.start()
        assert bench.known.told == 3 and not bench.known.has_untold()
        cut += 1
    assert operations >= 3


def test_start_that_finds_only_that_something_is_untold_tells_how_many():
    bench = met(device=WatchedFlash(24, 1024, 16))
    bench.live(6)
    bench.fetch_all()
    assert total(bench.told()) == 3
    bench.live(9)
    while True:  # without a word
        number = bench.ask()
        if number < 0:
            break
        bench.refuse()
    assert bench.known.has_untold() and bench.known.untold_ids() == 2
    for ident in range(10, 40):  # other blocks
        bench.live(ident)
    bench.start()
    assert bench.known.has_untold() and bench.known.told == -1
    assert bench.known.memory[UNTOLD_AT] & FLAG_UNTOLD
    bench.tell()
    (_, told) = bench.told()
    assert (told["first_id"], told["count"], told["total"], told["code"]) == (None, 2, 5, "?")
    assert not bench.known.has_untold()
    bench.start()
    assert not bench.known.has_untold() and bench.known.told == 5


def test_start_whose_log_has_lost_the_event_before_says_that_it_does_not_know_how_many():
    bench = met(device=WatchedFlash(5, 1024, 16))
    bench.live(6)
    bench.fetch_all()

    def take():
        ring = bench.ring
        while ring.peek(0) > 0:
            ring.advance(0)
        ring.save_cursors(ring.number)

    for ident in range(7, 60):
        bench.live(ident)
        take()
    bench.live(62)
    while bench.ask() >= 0:
        bench.refuse()
    for ident in range(63, 90):
        bench.live(ident)
        take()
    bench.start()
    bench.tell()
    told = bench.told()[-1]
    assert told["count"] is None and told["total"] == 5 and not bench.known.has_untold()


def test_start_that_finds_the_event_itself_at_the_end_tells_nothing_twice():
    bench = met()
    bench.live(6)
    bench.fetch_all()
    assert total(bench.told()) == 3
    assert bench.bring_up(bench.device, recover=True, confirms=False)
    bench.take(Clock())
    assert bench.ring.suspect and bench.known.has_untold()
    assert not Gone(bench.store).write_down(bench.recovery, ROOM_BYTES, bench.now)
    assert not bench.ring.suspect and not bench.known.has_untold() and len(bench.told()) == 1
    bench.check_memory()


# Random lives


class ToldLife(Life):
    """A life in which what is gone is told whenever it may."""

    def __init__(self, seed, **settings):
        Life.__init__(self, seed, **settings)
        self.gone = None
        self.of = None

    def tell(self):
        tank = self.tank
        if self.of is not tank.store:
            self.of = tank.store
            self.gone = Gone(tank.store)
        if tank.known.has_untold() and self.gone.write_down(tank.recovery, ROOM_BYTES, tank.now):
            tank.now = ticks_add(tank.now, self._draw(2) * TELL_EVERY_MS)

    def exchange(self, faults=True):
        done = Life.exchange(self, faults)
        self.tell()
        return done

    def judge(self):
        Life.judge(self)
        for _ in range(2 * UNTOLD_MOST):
            self.tank.wait(TELL_EVERY_MS)
            self.tell()
        known = self.tank.known
        told = events_of(self.tank.ring)
        assert not known.has_untold() and known.told == known.gone() == total(told), (known.gone(), told)
        before = 0
        for one in told:
            before += one["count"]
            assert one["total"] == before
            if one["first_id"]:
                first, last = int(one["first_id"]), int(one["last_id"])
                again = self.forgotten or self.resets  # what is looked through again in doubt may go again
                assert again or one["count"] <= (last - first) % 4294967296 + 1
        self.tank.check_memory()


def test_random_lives_tell_exactly_what_they_count():
    for seed in range(1, LIVES + 1):
        ToldLife(seed).live(40)
