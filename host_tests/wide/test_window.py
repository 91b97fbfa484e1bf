"""Several results out at once: in order, answers in any order, nothing lost or doubled, one at a time after a doubt."""

import itertools
import random

import pytest

from toolcart.agent.base import health as h
from toolcart.agent.base.ticks import ticks_diff
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.log import LOG_DONE, WHEN_FULL_OVERWRITE
from toolcart.agent.log.numbers import DELIVERED, DROPPED, OVERWRITTEN, SENT, SENT_WINDOW
from toolcart.agent.quarantine.quarantine import DROP_SOON
from toolcart.agent.record.result import PARKED_IN_DOUBT
from toolcart.agent.wide.toolsnet_session import WideSession
from toolcart.agent.wide.toolsnet_window import OPEN_FACTOR, Window
from toolcart.sim.toolsnet_session import ServerSession
from host_tests.support.log import PowerCut, append_event
from host_tests.support.toolsnet import NUMBER, PIM, SERVER, Outlet

ROUND_TRIP_MS = 100
REFUSED = 17


def numbers(first, last):
    return list(range(first, last + 1))


class Far(Outlet):
    """An outlet with a window."""

    def make_session(self):
        return WideSession(3, 1, NUMBER, **self.session_settings)

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


def state(outlet):
    shown = {}
    outlet.forward.put_state(shown)
    return shown


# -- the ordinary way


@pytest.mark.parametrize("named", [61234, 0])
def test_08_that_no_one_can_believe_settles_nothing_of_what_was_out(named):
    for moment in range(200, 800, 100):
        outlet = far(4)
        outlet.store(30)
        outlet.run(moment)
        assert len(outlet.session.row) == 4
        outlet.network.cut(*SERVER)
        outlet.options.reported_result = named
        outlet.until(lambda outlet=outlet: outlet.archive.repeated == 1)
        outlet.network.cut(*SERVER)  # its answer is lost
        outlet.options.reported_result = None
        outlet.until_passed()
        outlet.run(1000)
        assert outlet.archive.repeated == 1, "what the truth names now was out before the lie"
        assert outlet.ids() == numbers(1, 30)


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


# -- every fate of every result in a window: rules 1 and 9 of docs/internals/worlds.md

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
    outlet.until_passed(3600000)
    outlet.run(1000)
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
    whole.until_passed()
    whole.run(1000)
    operations = whole.flash.operations - before
    assert operations > 4
    for cut in range(operations):
        outlet = far(3, cursor_batch=4)
        outlet.store(14)
        outlet.flash.cut_after = cut
        with pytest.raises(PowerCut):
            outlet.run(100000)
        outlet.cut()
        outlet.until_passed(3600000)
        outlet.run(1000)
        stored = outlet.archive.sequences()
        assert outlet.archive.repeated == 0 and stored == sorted(set(stored)), cut
        assert set(stored) | set(kept(outlet)) == set(numbers(1, 14)), cut


# -- back to one


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


def test_late_answer_before_the_window_does_not_end_its_connection_at_refusal():
    outlet = far(8)
    outlet.options.lost_acks = [1]
    outlet.options.tightening_codes[12] = REFUSED
    outlet.store(1)
    outlet.until_passed()  # it went out twice
    outlet.store(39)
    outlet.until_passed()
    outlet.run(100)
    assert outlet.archive.repeated == 1 and kept(outlet) == {12: REFUSED}
    assert outlet.toolsnet.server_connections == 1


def test_nothing_more_goes_out_from_a_refusal_on_until_all_are_answered():
    outlet = far(8)
    outlet.network.listen(*SERVER, lambda: Shuffled(outlet.toolsnet))
    outlet.options.codes_once = [(12, REFUSED), (30, REFUSED)]
    outlet.store(60)
    before, met = [], 0
    while outlet.waiting():
        outlet.step()
        row = [out.number for out in outlet.session.row]
        if any(out.code > 0 for out in outlet.session.row):
            met += 1
            assert not before or row[-1] == before[-1]
            before = row
        else:
            before = []
        outlet.clock.advance(1)
    assert met and set(outlet.archive.sequences()) | set(kept(outlet)) == set(numbers(1, 60))


def away(outlet):
    """The quarantine takes nothing now."""
    outlet.quarantine.keep = lambda _number, _reason: -2


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


def test_an_operator_gives_up_one_and_not_the_next(monkeypatch):
    outlet = far(3, options={"silent_sequences": (1, 2)})
    outlet.store(12)
    outlet.until(lambda: len(outlet.session.row) > 1)
    monkeypatch.setattr(outlet.quarantine, "measure", lambda _length, _count=1: False)  # its spare blocks are worn
    for dropped in (1, 2):
        outlet.until(lambda: outlet.shown()["needs_operator"])
        assert outlet.forward.drop_first() == DROP_SOON and outlet.cursor.number == dropped - 1
        outlet.run(90000)
        assert outlet.state.numbers[DROPPED] == dropped
        assert outlet.shown()["needs_operator"] == (dropped == 1)
    outlet.until_stored(10)
    assert outlet.ids() == numbers(3, 12) and not kept(outlet)
    outlet.clean()


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
        outlet.until_passed()
        outlet.run(1000)
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
    outlet.until_passed()
    outlet.run(100)
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
        outlet.until_passed(3600000)
        outlet.run(100)
        assert kept(outlet) == {number: REFUSED if number in refused else PARKED_IN_DOUBT for number in aside}
        assert outlet.ids() == [number for number in numbers(1, 60) if number not in refused]
        assert outlet.archive.repeated == 0
