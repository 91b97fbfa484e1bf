"""A spool that overwrites and is full is taken over, and takes orders, as the next agent would start it."""

import pytest

from toolcart.agent.cart.outlet_places import OutletPlaces
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE
from toolcart.agent.log.snapshot import STATE_BLOCKS
from toolcart.spool.offline_spool import begun, each, opened
from toolcart.tools.spool import take_over
from toolcart.tools.spool.quarantine_commands import OrderNotGiven, orders
from toolcart.tools.spool.take_over import Plan
from host_tests.support.toolsnet import Outlet

TOOLSNET, WEBHOOK = {"kind": "toolsnet"}, {"kind": "webhook", "name": "a"}


def full(when_full=WHEN_FULL_OVERWRITE, aside=0):
    """An outlet whose log is full, and whose last record is in doubt; so many results are set aside."""
    station = Outlet(blocks=13, when_full=when_full)
    station.store(10 + aside)
    station.options.tightening_codes.update(dict.fromkeys(range(5, 5 + aside), 17))
    station.run(60000)
    station.options.tightening_codes.clear()
    OutletPlaces(station.state, [TOOLSNET]).put(station.state)
    station.state.numbers[field.DOUBT_TO] = station.state.numbers[field.DOUBT_LACKS] = 4  # which `--leave` leaves
    assert station.quarantine.count() == aside and station.state.save()
    station.network.abandon(station.port)
    while station.log.has_room(200, gives_up=False):
        station.store(1)
    if when_full == WHEN_FULL_OVERWRITE:
        before = station.state.numbers[field.OVERWRITTEN]
        while station.state.numbers[field.OVERWRITTEN] == before:
            station.store(1)
        while station.log.room(200) > 3:
            station.store(1)
    station.start()
    assert station.log.doubtful and (station.log.free_blocks() == 0) == (when_full == WHEN_FULL_OVERWRITE)
    return station


def numbers_in(log):
    return [number for number, _ in each(log)]


def waits_behind(spool):
    """The number behind which results wait for ToolsNet."""
    return spool.log.cursor_at(field.TOOLSNET_CURSOR).number


def answer(station, *words):
    return [line for line in orders(station.flash, 10, list(words)) if line][-1]


@pytest.mark.parametrize("aside", [0, 8])
def test_a_full_log_that_overwrites_is_taken_over_whole(aside):
    station = full(aside=aside)
    found = opened(station.flash)
    made = take_over.make(take_over.start(bytes(station.flash.cells)), Plan(80 * 1024, 12 * 1024), 4711)
    after = begun(made.device)
    waiting = [number for number in numbers_in(found.log) if number > waits_behind(found)]
    assert made.waiting == len(waiting) and made.kept == aside
    assert [number for number in numbers_in(after.log) if number > waits_behind(after)] == waiting
    for index in (field.OVERWRITTEN, field.STORED, field.DELIVERED, field.QUARANTINED):
        assert after.state.numbers[index] == found.state.numbers[index], index


@pytest.mark.parametrize("order", [("drop", "all"), ("retry", "all"), ("offer-again", "leave")])
def test_an_order_to_a_full_log_that_overwrites_counts_what_it_gives_up(order):
    station = full(aside=8)
    before = opened(station.flash)
    held, given_up = numbers_in(before.log), before.state.numbers[field.OVERWRITTEN]
    assert "error" not in answer(station, *order)
    after = opened(station.flash)
    lost = len([number for number in held if number > waits_behind(before)]) - len(
        [number for number in numbers_in(after.log) if number > waits_behind(before)]
    )
    assert numbers_in(after.log)[-1] == held[-1]
    assert 0 < lost <= after.state.numbers[field.OVERWRITTEN] - given_up
    assert waits_behind(after) >= numbers_in(after.log)[0] - 1


def test_an_order_to_a_full_log_that_refuses_gives_up_nothing():
    station = full(WHEN_FULL_REFUSE, aside=8)
    held = [number for number in numbers_in(opened(station.flash).log) if number > station.cursor.number]
    assert answer(station, "drop", "all")["count"] == 8
    after = opened(station.flash)
    assert [number for number in numbers_in(after.log) if number > station.cursor.number] == held
    assert after.state.numbers[field.OVERWRITTEN] == 0


def test_offer_again_without_toolsnet_says_what_is_missing():
    station = Outlet()
    station.store(5)
    OutletPlaces(station.state, [WEBHOOK]).put(station.state)
    assert station.state.save()
    station.start()
    before = bytes(station.flash.cells)
    for words in (["offer-again", "from", "1"], ["offer-again", "leave"]):
        with pytest.raises(OrderNotGiven) as why:
            list(orders(station.flash, 10, words))
        assert "ToolsNet is not among the outlets of station 10" in str(why.value)
        assert "offered again" in str(why.value) and "quarantine" not in str(why.value)
    assert bytes(station.flash.cells) == before, "what cannot be done gives up nothing"


def test_where_the_state_is_lost_an_order_counts_what_a_full_log_gives_up():
    station = full()
    for block in range(STATE_BLOCKS):
        assert station.flash.erase(block) == 0
    before = opened(station.flash)
    held = numbers_in(before.log)
    assert waits_behind(before) == held[0] - 1, "nobody knows what was taken"
    assert answer(station, "drop", "all")["count"] == 0
    after = opened(station.flash)
    lost = len(held) - len(numbers_in(after.log))
    assert 0 < lost <= after.state.numbers[field.OVERWRITTEN] and numbers_in(after.log)[-1] == held[-1]


def test_one_that_keeps_nothing_holds_up_no_order():
    station = Outlet(blocks=13)
    station.log.follow(Cursor(), field.CURSOR + 1)
    station.log.cursors[1].durable = False
    OutletPlaces(station.state, [TOOLSNET, {**WEBHOOK, "durable": False}]).put(station.state)
    station.store(30)
    station.run(60000)
    assert station.state.save()
    station.network.abandon(station.port)
    while station.log.has_room(200):
        station.store(1)
    before = opened(station.flash)
    assert station.log.free_blocks() == 1 and before.log.free_blocks() == 0
    waiting = [number for number in numbers_in(before.log) if number > station.cursor.number]
    assert answer(station, "drop", "all")["count"] == 0
    after = opened(station.flash)
    assert [number for number in numbers_in(after.log) if number > station.cursor.number] == waiting
    gone = numbers_in(after.log)[0] - 1
    assert after.state.numbers[field.OVERWRITTEN] == 0 and 0 < gone <= after.state.missed_counts[1]
