"""Several results out at once: in order, answers in any order, nothing lost or doubled, one at a time after a doubt."""

import itertools
import random

import pytest

from toolcart.agent.base import health as h
from toolcart.agent.base.ticks import ticks_diff
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.log import LOG_DONE, WHEN_FULL_OVERWRITE
from toolcart.agent.log.numbers import DELIVERED, OVERWRITTEN, SENT, SENT_WINDOW
from toolcart.agent.outlets.toolsnet.late import GOOD_MS
from toolcart.agent.record.result import PARKED_IN_DOUBT
from toolcart.agent.wide.toolsnet_session import WideSession
from toolcart.agent.wide.toolsnet_window import OPEN_FACTOR, SHUT_MS, Window
from toolcart.sim.toolsnet_session import ServerSession
from host_tests.support.log import append_event, numbers
from host_tests.support.toolsnet import NUMBER, PIM, SERVER, Outlet
from lab.harness.flash import PowerCut

ROUND_TRIP_MS = 100
REFUSED = 17


class Far(Outlet):
    """An outlet with a window."""

    def make_session(self):
        return WideSession(3, 1, NUMBER)

    def make_others(self):
        return {"window": Window(self.settings["window"])}

    def store_event(self):
        assert append_event(self.log, 1) == LOG_DONE


def far(window=8, **more):
    """An outlet whose ToolsNet is a round trip away."""
    options = dict(more.pop("options", {}), window=window)
    outlet = Far(options, window=window, **more)
    for place in (PIM, SERVER):
        outlet.network.line(*place).delay_ms = ROUND_TRIP_MS // 2
    return outlet


def kept(outlet):
    """The numbers of the results that are set aside, with their reasons."""
    return {number: reason for _kind, number, reason, _content in outlet.parked_records()}


def is_open(outlet):
    return bool(outlet.state.numbers[SENT] & SENT_WINDOW)


# -- the ordinary way


@pytest.mark.parametrize("window", [1, 2, 3, 8])
def test_backlog_goes_out_in_order_as_fast_as_the_window_allows(window):
    outlet = far(window)
    outlet.store(160)
    outlet.until_stored(1)
    took_ms = outlet.until_stored(160)
    outlet.run(1000)
    assert outlet.ids() == numbers(1, 160) == outlet.archive.sequences()
    assert took_ms <= (160 // window + 1) * ROUND_TRIP_MS
    assert outlet.archive.repeated == 0 and outlet.counted(h.DELIVERED) == 160
    assert outlet.waiting() == 0 and not kept(outlet)
    outlet.clean()


def test_few_results_are_no_backlog():
    outlet = far(8)
    outlet.store(OPEN_FACTOR * 8 - 1)
    outlet.until_stored(1)
    assert not is_open(outlet) and outlet.shown()["outstanding"] == 0
    outlet.until_stored(OPEN_FACTOR * 8 - 1)
    assert not is_open(outlet)
    outlet.clean()


@pytest.mark.parametrize("window", [2, 3, 5, 8])
def test_as_many_are_in_doubt_as_may_be_out(window):
    most = 0
    for moment in range(150, 750, 20):
        outlet = far(window)
        for _ in range(30):
            outlet.store(1)
            for _ in range(3):
                outlet.store_event()
        outlet.run(moment)
        row = outlet.session.row
        assert len(row) <= window
        if len(row) > 1:
            most = max(most, len(row))
        outlet.settings = dict(outlet.settings, window=1 + window % 8)  # what it is now says nothing of what it was
        outlet.cut()
        outlet.until_passed(3600000, and_ms=1000)
        assert outlet.archive.repeated == 0 and outlet.ids() == sorted(set(outlet.ids()))
        aside = {(number + 3) // 4 for number in kept(outlet)}  # of four records one is a result
        assert set(outlet.archive.sequences()) | aside == set(numbers(1, 30))
        assert len(kept(outlet)) < window
    assert most == window


def test_an_08_that_names_none_says_nothing_about_the_window():
    outlet = far(4, options={"silent_sequences": (2,)})
    outlet.store(1)
    outlet.until_passed()
    outlet.store(30)
    outlet.until(lambda: len(outlet.archive.sequences()) == 4)
    outlet.options.reported_result = 1
    outlet.until(lambda: not outlet.session.row, 60000)
    outlet.until(lambda: outlet.policy.out and outlet.policy.number == 2, 60000)  # offered alone
    outlet.options.reported_result = None
    outlet.cut()
    outlet.until_passed(3600000)
    assert outlet.ids() == [1, *numbers(3, 31)] and 2 in kept(outlet), "it is in no store"


# -- answers in any order


class Shuffled(ServerSession):
    """Answers what waits for an answer in any order, one every PACE_MS."""

    PACE_MS = 5
    dice = random.Random(3)

    def connected(self, now):
        self.held, self.last = [], now
        super().connected(now)

    def answer(self, telegram, now):
        self.held.append(telegram)

    def tick(self, now):
        wait = super().tick(now)
        if not self.held:
            return wait
        left = self.PACE_MS - ticks_diff(now, self.last)
        if left <= 0:
            self.last = now
            super().answer(self.held.pop(self.dice.randrange(len(self.held))), now)
        return min(wait, max(left, 1))


# -- every fate of every result in a window: the rules are those of docs/internals/worlds.md, rules 1, 9 and 28

FATES = ("taken", "refused", "taken unheard", "refused unheard", "lost before", "lost behind")


class Fated(ServerSession):
    """Gives the first offers of some results on the first connection their fates; writes down all that it does."""

    def __init__(self, toolsnet, fates, done):
        toolsnet.server_connections += 1
        super().__init__(toolsnet)
        self.fates = fates
        self.done = done

    def _result(self, found, now):
        sequence = found["sequence"]
        fate = self.fates.pop(sequence, "taken") if self.toolsnet.server_connections == 1 else "taken"
        if fate == "lost before":
            self.close("lost before")
            return
        self.done.append((self.toolsnet.server_connections, sequence, fate))
        if not fate.startswith("refused"):
            self.toolsnet.archive.store_result(found)
        if fate == "lost behind":
            self.close("lost behind")
        elif not fate.endswith("unheard"):
            self._acknowledge(found, REFUSED if fate == "refused" else 0, now)


def expected(done):
    """Which results are set aside, and why: what the rules say, from what the server did and in which order."""
    aside = {}
    for at, (connection, number, fate) in enumerate(done):
        if fate in ("taken", "lost behind"):
            continue
        is_passed = False
        for later, other, what in done[at + 1 :]:
            if later != connection or other == number:
                break
            is_passed = is_passed or (other > number and not what.startswith("refused"))
        if is_passed:
            aside[number] = REFUSED if fate == "refused" else PARKED_IN_DOUBT
    return aside


def play(window, fates):
    """A window full of results with these fates; returns the outlet when all is over, and what the server did."""
    outlet = far(window, cursor_batch=8)
    fates, done = dict(enumerate(fates, 1)), []
    outlet.network.listen(*SERVER, lambda: Fated(outlet.toolsnet, fates, done))
    outlet.store(OPEN_FACTOR * window)
    outlet.until_passed(3600000, and_ms=1000)
    return outlet, done


@pytest.mark.parametrize("first", FATES)
def test_every_fate_of_every_result_in_a_window_of_three(first):
    for others in itertools.product(FATES, repeat=2):
        fates = (first, *others)
        outlet, done = play(3, fates)
        stored = outlet.archive.sequences()
        aside = kept(outlet)
        assert outlet.archive.repeated == 0 and len(set(stored)) == len(stored), fates
        assert stored == sorted(stored), fates
        assert set(stored) | set(aside) == set(numbers(1, 6)), fates  # nothing is nowhere
        assert aside == expected(done), (fates, done)
        unheard = {number for number, fate in enumerate(fates, 1) if fate == "taken unheard"}
        assert set(stored) & set(aside) <= unheard, fates


def test_power_that_fails_at_every_operation_of_the_flash_loses_none():
    whole = far(3, cursor_batch=4)
    whole.store(14)
    before = whole.flash.operations
    whole.until_passed(and_ms=1000)
    operations = whole.flash.operations - before
    assert operations > 4
    for cut in range(operations):
        outlet = far(3, cursor_batch=4)
        outlet.store(14)
        outlet.flash.cut_after = cut
        with pytest.raises(PowerCut):
            outlet.run(100000)
        outlet.cut()
        outlet.until_passed(3600000, and_ms=1000)
        stored = outlet.archive.sequences()
        assert outlet.archive.repeated == 0 and stored == sorted(set(stored)), cut
        assert set(stored) | set(kept(outlet)) == set(numbers(1, 14)), cut


# -- back to one


def test_after_a_doubt_one_is_out_for_a_while():
    outlet = far(8, blocks=64)
    outlet.store(700)
    outlet.until_stored(20)
    outlet.network.cut(*SERVER)
    since_ms = outlet.clock.total_ms
    outlet.network.line(*SERVER).delay_ms = 1000
    outlet.until_stored(60)
    assert not is_open(outlet) and outlet.shown()["window"] == 1
    outlet.until(lambda: len(outlet.session.row) > 1, 2 * SHUT_MS)
    assert SHUT_MS <= outlet.clock.total_ms - since_ms <= SHUT_MS * 1.1


def test_server_in_trouble_refuses_all_and_nothing_is_set_aside():
    outlet = far(8)
    outlet.store(40)
    outlet.until_stored(10)
    outlet.options.code_all = 5
    outlet.run(200)
    outlet.run(60000)
    outlet.options.code_all = None
    outlet.until_stored(40, 3600000)
    assert outlet.ids() == numbers(1, 40) and not kept(outlet)


def test_a_cut_behind_a_refusal_leaves_nothing_in_doubt():
    outlet = far(8)
    outlet.store(40)
    outlet.until_stored(10)
    outlet.options.code_all = 5
    outlet.until(lambda: outlet.forward.policy.doing and not outlet.session.row)
    outlet.until_refused(outlet.toolsnet.refused + 1)  # the first of them, offered again alone
    outlet.cut()
    outlet.options.code_all = None
    outlet.until_passed(3600000)
    assert outlet.ids() == numbers(1, 40) and not kept(outlet)


def away(outlet):
    """The quarantine takes nothing now."""
    outlet.quarantine.keep = lambda _number, _reason: -2


def test_a_refused_result_that_finds_no_room_waits_with_the_connection():
    outlet = far(8)
    outlet.options.tightening_codes[12] = REFUSED
    outlet.store(40)
    away(outlet)
    outlet.run(50000)
    assert outlet.archive.stored >= 12 and not kept(outlet) and outlet.waiting() > 20
    assert outlet.toolsnet.server_connections == 1 and outlet.toolsnet.refused == 1
    del outlet.quarantine.keep
    outlet.until_passed(and_ms=100)
    assert outlet.ids() == numbers(1, 11) + numbers(13, 40) and kept(outlet) == {12: REFUSED}
    outlet.clean()


def test_connection_that_ends_before_a_refused_result_is_set_aside_loses_nothing():
    outlet = far(8)
    outlet.options.tightening_codes[12] = REFUSED
    outlet.store(40)
    away(outlet)
    outlet.run(20000)
    outlet.network.cut(*SERVER)
    outlet.run(200000)  # each 08 is asked for again, as what it says cannot be written down
    assert not kept(outlet)
    del outlet.quarantine.keep
    outlet.until_passed()
    assert outlet.ids() == numbers(1, 11) + numbers(13, 40) and kept(outlet) == {12: REFUSED}


def test_answers_that_come_while_the_log_cannot_be_read_are_not_forgotten():
    for first in range(1, 30, 4):
        outlet = far(8)
        outlet.store(60)
        outlet.until_stored(first)
        outlet.flash.unreadable = range(outlet.flash.block_count)
        outlet.flash.code = FLASH_IO
        outlet.run(12000)
        connections = outlet.toolsnet.server_connections
        outlet.flash.unreadable = ()
        outlet.flash.code = FLASH_DONE
        outlet.until_passed(and_ms=1000)
        assert outlet.ids() == numbers(1, 60) and outlet.archive.repeated == 0, first
        assert outlet.counted(h.DELIVERED) == 60 and not kept(outlet), first
        assert connections == outlet.toolsnet.server_connections == 1, first
        outlet.clean()


@pytest.mark.parametrize("first", range(2, 40, 3))
def test_what_is_overwritten_while_it_is_out_counts_as_delivered(first):
    outlet = far(8, blocks=14, cursor_batch=8, when_full=WHEN_FULL_OVERWRITE)
    outlet.network.listen(*SERVER, lambda: Shuffled(outlet.toolsnet))
    outlet.store(first + 20)
    outlet.until(lambda: len(outlet.session.row) > 2 and outlet.archive.stored > first)
    while outlet.cursor.number < outlet.session.row[0].number:
        outlet.store(1)
    stored = outlet.log.number
    assert outlet.state.numbers[OVERWRITTEN]
    outlet.until_passed(and_ms=100)
    there = outlet.archive.sequences()
    assert there == sorted(set(there)) and outlet.archive.repeated == 0
    assert outlet.state.numbers[OVERWRITTEN] == stored - len(there)
    assert outlet.state.numbers[DELIVERED] == len(there)


def test_an_orderly_end_leaves_only_those_in_doubt_that_have_no_answer():
    for lost, refused, aside in (([12], [], [12]), ([12], [13], [12, 13]), ([], [], [])):
        outlet = far(8)
        outlet.options.lost_acks = lost
        outlet.options.tightening_codes.update(dict.fromkeys(refused, REFUSED))
        outlet.store(60)
        outlet.until_stored(16)
        outlet.forward.leave(outlet.clock.now)
        while not outlet.forward.has_left(outlet.clock.now):
            outlet.run(1)
        outlet.forward.stop()
        outlet.run(1000)
        outlet.cut()
        outlet.until_passed(3600000, and_ms=100)
        assert kept(outlet) == {number: REFUSED if number in refused else PARKED_IN_DOUBT for number in aside}
        assert outlet.ids() == [number for number in numbers(1, 60) if number not in refused]
        assert outlet.archive.repeated == 0


def test_an_unreadable_frame_waits_until_the_window_is_empty():
    outlet = far(8)
    outlet.store(20)
    outlet.store_raw()
    outlet.store(30)
    outlet.until_passed(and_ms=100)
    assert outlet.ids() == numbers(1, 50) and list(kept(outlet)) == [21]
    outlet.clean()


def test_good_service_lets_what_was_set_aside_be_offered_again():
    outlet = far(8)
    outlet.options.tightening_codes[12] = REFUSED
    outlet.store(40)
    outlet.until_passed(and_ms=100)
    assert kept(outlet) == {12: REFUSED}
    outlet.options.tightening_codes.clear()
    outlet.cut()
    outlet.store(40)
    outlet.until_stored(79)
    outlet.until_stored(80, limit_ms=GOOD_MS + 60000, and_ms=1000)
    assert outlet.ids()[-1] == 12 and not kept(outlet)
