"""A ToolsNet restored from a copy that is older than an order: its sequences of before the order name other results."""

import pytest

from toolcart.agent.log.snapshot_fields import DELIVERED, TAKEN
from toolcart.agent.quarantine.orders import carry_out as quarantine_order
from toolcart.agent.record import KIND_EVENT
from toolcart.tools.spool.quarantine_commands import orders
from host_tests.agent.outlets.test_data_loss import (
    NOTHING,
    again,
    cut_everywhere,
    delivering,
    lacks,
    order,
    restarted,
    up,
)
from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.log import numbers, put
from host_tests.support.toolsnet import PIM, SERVER


def copied(outlet):
    archive = outlet.archive
    return list(archive.results), dict(archive._keys), dict(archive._latest)


def put_back(outlet, copy):
    archive = outlet.archive
    archive.results, archive._keys, archive._latest = list(copy[0]), dict(copy[1]), dict(copy[2])


def delivered_after_copy(copy_at=71, count=200, **settings):
    """ToolsNet has `count` results, and there is a copy of when it had `copy_at`."""
    outlet = delivering(copy_at, blocks=64, **settings)
    outlet.copy = copied(outlet)
    outlet.store(count - copy_at)
    outlet.until_passed(and_ms=1000)
    assert len(outlet.ids()) == count
    return outlet


def ordered(outlet, *firsts):
    for first in firsts:
        assert order(outlet, "from", str(first))["done"]
        up(outlet)
        outlet.until_passed(and_ms=1000)
        assert lacks(outlet) == NOTHING
    return outlet


def restored(outlet, copy=None):
    put_back(outlet, copy or outlet.copy)
    again(outlet)
    outlet.until_passed(and_ms=1000)
    return outlet


def unknown(outlet):
    return outlet.counted(31)


FIRSTS = [1, 55, 71, 72, 73, 130, 190, 200]


@pytest.mark.parametrize(("first", "restart"), each_choice(FIRSTS, [False, True]))
def test_a_copy_older_than_an_order_lacks_what_came_after_it(first, restart):
    outlet = ordered(delivered_after_copy(), first)
    if restart:
        restarted(outlet)
    restored(outlet)
    for _ in range(2):
        assert lacks(outlet) == (129, True, 0) and unknown(outlet) == 0
        restarted(outlet)
    outlet.store(3)
    outlet.run(1000)
    assert lacks(restarted(outlet)) == (129, True, 0), "three results later"
    assert order(outlet, "from", "72")["lacks"] == 0
    up(outlet)
    outlet.until_passed(and_ms=1000)
    assert lacks(restarted(outlet)) == NOTHING and sorted(set(outlet.ids())) == numbers(1, 203)


@pytest.mark.parametrize(("first", "restart"), each_choice(FIRSTS, [False, True]))
def test_rewind_sends_each_of_these_once(first, restart):
    outlet = ordered(delivered_after_copy(rewind=True), first)
    put_back(outlet, outlet.copy)
    if restart:
        outlet.cut()
        up(outlet)
    else:
        again(outlet)
    outlet.until_passed(and_ms=1000)
    assert lacks(outlet) == NOTHING and outlet.ids() == numbers(1, 200)
    outlet.store(3)
    outlet.run(1000)
    assert lacks(restarted(outlet)) == NOTHING and outlet.ids() == numbers(1, 203)
    assert outlet.state.numbers[DELIVERED] == 203


@pytest.mark.parametrize("rewind", [False, True])
def test_the_same_copy_twice_and_then_the_newest_one(rewind):
    outlet = ordered(delivered_after_copy(rewind=rewind), 55)
    newest = copied(outlet)
    for _ in range(2):
        restored(outlet)
        assert lacks(outlet) == (NOTHING if rewind else (129, True, 0))
        assert not rewind or outlet.ids() == numbers(1, 200)
    restored(outlet, newest)
    assert lacks(outlet) == NOTHING and unknown(outlet) == 0
    outlet.store(2)
    outlet.run(1000)
    assert set(outlet.ids()) == set(range(1, 203))


@pytest.mark.parametrize(("middle", "left"), each_choice([71, 72, 150, 200], [False, True]))
def test_a_newer_copy_of_before_the_order_ends_the_doubt_as_far_as_it_goes(middle, left):
    outlet = delivered_after_copy(middle)
    newer = outlet.copy
    older = newer[0][:60], dict.fromkeys(newer[1]), dict.fromkeys(newer[2], 60)
    ordered(outlet, 55)
    restored(outlet, older)
    assert lacks(outlet)[0] == 140
    if left:
        order(outlet, "leave")
    restored(outlet, newer)
    assert lacks(outlet)[0] == (0 if left else 200 - middle) and unknown(outlet) == 0


@pytest.mark.parametrize(
    ("firsts", "rewind"), each_choice([(150, 140), (140, 150), (55, 55), (199, 1), (1, 199)], [False, True])
)
def test_of_several_orders_one_bound_is_kept(firsts, rewind):
    outlet = ordered(delivered_after_copy(rewind=rewind), *firsts)
    restored(outlet)
    assert unknown(outlet) == 0
    if rewind:
        assert lacks(outlet) == NOTHING
    else:
        assert 129 <= lacks(outlet)[0] <= 200
    outlet.store(3)
    outlet.run(1000)
    restarted(outlet)
    if rewind:
        assert sorted(set(outlet.ids())) == numbers(1, 203)
    else:
        assert 129 <= lacks(outlet)[0] <= 200


@pytest.mark.parametrize("rewind", [False, True])
@pytest.mark.parametrize("firsts", [(150, 140), (55, 190)])
def test_a_copy_between_two_orders_is_known_exactly(firsts, rewind):
    outlet = ordered(delivered_after_copy(rewind=rewind), firsts[0])
    copy = copied(outlet)
    outlet.store(20)
    outlet.run(2000)
    ordered(outlet, firsts[1])
    restored(outlet, copy)
    assert lacks(outlet) == (NOTHING if rewind else (20, True, 0))
    if rewind:
        assert sorted(set(outlet.ids())) == numbers(1, 220) and len(outlet.ids()) == len(copy[0]) + 20


@pytest.mark.parametrize(("sent", "kill", "rewind"), all_pairs([3, 25, 100], [False, True], [False, True]))
def test_a_copy_that_comes_while_the_order_is_carried_out(sent, rewind, kill):
    outlet = delivered_after_copy(40, rewind=rewind)
    order(outlet, "from", "55")
    outlet.until(lambda: len(outlet.ids()) >= 200 + sent)
    put_back(outlet, outlet.copy)
    if kill:
        outlet.cut()
    else:
        outlet.network.cut(*SERVER)
        outlet.until(lambda: not outlet.forward.is_up())
    up(outlet)
    outlet.until_passed(and_ms=1000)
    missing = set(range(1, 201)) - set(outlet.ids())
    assert not missing if rewind else len(missing) <= lacks(outlet)[0] <= len(missing) + 50
    assert len(missing) <= lacks(outlet)[0] and outlet.state.numbers[DELIVERED] == 200
    assert lacks(restarted(outlet))[0] >= len(missing)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("second", [60, 150])
def test_a_copy_that_comes_before_a_second_order_is_begun_with(second, restart):
    outlet = ordered(delivered_after_copy(), 55)
    outlet.network.down(*PIM)
    put_back(outlet, outlet.copy)
    order(outlet, "from", str(second))
    if restart:
        outlet.cut()
    outlet.network.up(*PIM)
    up(outlet)
    outlet.until_passed(and_ms=1000)
    assert max(0, second - 72) <= lacks(outlet)[0] < second, "the first order is behind another one: a bound"


def test_an_order_out_of_a_doubt_and_the_same_copy_again():
    for first in (55, 72, 100):
        outlet = restored(delivered_after_copy())
        assert lacks(outlet)[0] == 129
        order(outlet, "from", str(first))
        up(outlet)
        outlet.until_passed(and_ms=1000)
        assert lacks(outlet)[0] == max(0, first - 72)
        for _ in range(2):
            restored(outlet)
            assert lacks(outlet)[0] == 129, first


def test_what_is_right_of_a_copy_taken_after_the_order_stays_right():
    outlet = ordered(delivered_after_copy(), 55)
    copy = copied(outlet)
    outlet.store(10)
    outlet.run(1000)
    restored(outlet, copy)
    assert lacks(restarted(outlet)) == (10, True, 0) and unknown(outlet) == 0
    outlet.archive.clear()
    again(outlet)
    assert lacks(outlet)[0] == 210


def test_a_place_of_an_order_long_past_is_forgotten_before_its_sequences_come_round():
    outlet = ordered(delivered_after_copy(), 55)
    state, cursor = outlet.state, outlet.cursor
    assert state.broke_at == 200 and state.broke_by == 146
    cursor.sequence_lag -= 60000
    outlet.state.numbers[TAKEN] += 60000
    assert outlet.policy.save_at_end()
    assert state.broke_at == 0


def test_a_number_that_was_never_sent_is_still_called_that():
    outlet = ordered(delivered_after_copy(), 55)
    for key in list(outlet.archive._latest):
        outlet.archive._latest[key] = 90000
    again(outlet)
    assert unknown(outlet) == 1


def test_a_cut_within_an_order_or_the_08_after_it_leaves_the_copy_readable():
    def make():
        return delivered_after_copy(30, 60)

    def give(outlet):
        order(outlet, "from", "25")
        outlet.until(lambda: outlet.cursor.number > 40)

    def check(outlet, after):
        up(outlet)
        outlet.until_passed(and_ms=1000)
        restored(outlet)
        missing = 60 - len(set(outlet.ids()))
        assert lacks(outlet)[0] == missing == 30, after

    assert cut_everywhere(make, give, check) > 1


@pytest.mark.parametrize("rewind", [False, True])
def test_one_that_was_taken_late_before_an_order_makes_it_a_bound(rewind):
    outlet = delivering(40, blocks=64, rewind=rewind)
    outlet.options.tightening_codes.update({45: 17})
    outlet.store(20)
    outlet.until_passed(and_ms=3000)
    copy = copied(outlet)
    outlet.options.tightening_codes.clear()
    kept = outlet.policy.lookahead.quarantine
    list(quarantine_order(kept, outlet.log, 10, outlet, None, ["retry", "all"], outlet.forward))
    outlet.until(lambda: 45 in outlet.ids())
    outlet.store(20)
    outlet.until_passed(and_ms=2000)
    ordered(outlet, 50)
    restored(outlet, copy)
    missing = set(range(1, 81)) - {45} - set(outlet.ids())
    assert len(missing) <= lacks(outlet)[0] <= len(missing) + 1 and unknown(outlet) == 0
    assert not rewind or not missing


def test_an_order_to_a_stopped_agent_breaks_them_as_well():
    outlet = delivered_after_copy()
    outlet.forward.stop()
    assert outlet.policy.save_at_end()
    assert [one for one in orders(outlet.flash, 10, ["offer-again", "from", "55"]) if one][-1]["done"]
    outlet.cut()
    up(outlet)
    outlet.until_passed(and_ms=1000)
    restored(outlet)
    assert lacks(restarted(outlet)) == (129, True, 0)


@pytest.mark.parametrize("events", [0, 4])
def test_what_is_not_for_toolsnet_lies_between(events):
    outlet = delivered_after_copy()
    for _ in range(events):
        put(outlet.log, b"an event", KIND_EVENT)
    outlet.store(10)
    outlet.until_passed(and_ms=2000)
    ordered(outlet, 55)
    restored(outlet)
    assert 139 <= lacks(outlet)[0] <= 139 + events


def test_an_order_that_fills_all_gaps_leaves_an_older_copy_readable():
    outlet = delivered_after_copy(16, 40)
    restored(outlet)
    outlet.store(18)
    outlet.until_passed(and_ms=1000)
    ordered(outlet, 17)
    restored(outlet)
    assert lacks(outlet)[0] >= 42 and unknown(outlet) == 0


def lost_at_100(lost, more, made_good=None):
    """ToolsNet had 100 results, lost the last `lost`, and got `more`; `outlet.copy` is of when it had 40.

    With `made_good` an order has sent these again, all from that one on.
    """
    outlet = delivered_after_copy(40, 100)
    forget(outlet, lost)
    outlet.store(more)
    outlet.until_passed(and_ms=1000)
    if made_good:
        assert order(outlet, "from", str(made_good))["done"]
        up(outlet)
        outlet.until_passed(and_ms=1000)
    return outlet


def forget(outlet, lost):
    if lost == 100:
        outlet.archive.clear()
    else:
        outlet.archive.restore_backup(lost)
    again(outlet)


@pytest.mark.parametrize(
    ("lost", "more", "first", "restart"),
    each_choice([100, 50, 10], [2, 30], [1, 41, 51, 61, 101], [False, True]),
)
def test_a_copy_older_than_a_loss_and_the_order_after_it_is_known_exactly(lost, more, first, restart):
    outlet = lost_at_100(lost, more, first)
    total = 100 + more
    if restart:
        restarted(outlet)
    rows, gaps = total - first + 1, lost + more
    for copy_at in (40, 30):
        older = outlet.copy[0][:copy_at], dict.fromkeys(outlet.copy[1]), dict.fromkeys(outlet.copy[2], copy_at)
        restored(outlet, older)
        missing = total - copy_at
        more_said = max(0, first - 101 + lost)  # what the order has left in doubt stays so
        if rows > 2 * gaps:
            more_said = gaps
        assert missing <= lacks(restarted(outlet))[0] <= min(total, missing + more_said) and unknown(outlet) == 0


@pytest.mark.parametrize(
    ("lost", "first", "how"),
    each_choice([100, 50], [1, 51, 61, 101], ["", "left", "restart", "cut between", "twice", "left, twice", "foreign"]),
)
def test_rewind_sends_each_that_such_a_copy_lacks_once(lost, first, how):
    outlet = delivered_after_copy(40, 100) if how == "foreign" else lost_at_100(lost, 2)
    if "left" in how:
        assert order(outlet, "leave")["done"]
    if how == "foreign":
        outlet.archive.clear()
        for key in list(outlet.archive._latest):
            outlet.archive._latest[key] = 500
        again(outlet)
        outlet.store(2)
        outlet.run(1000)
    if "twice" in how:
        forget(outlet, lost)
        outlet.store(3)
        outlet.run(1000)
    if how == "cut between":
        outlet.cut()
        up(outlet)
    total = outlet.log.number
    assert order(outlet, "from", str(first))["done"]
    up(outlet)
    outlet.until_passed(and_ms=1000)
    if how == "restart":
        restarted(outlet)
    outlet.policy.resume_point._rewinds = True
    restored(outlet)
    missing = set(numbers(1, total)) - set(outlet.ids())
    assert len(missing) <= lacks(outlet)[0], "what lacks is in doubt"
    if "twice" not in how:
        assert not missing and outlet.ids() == numbers(1, total), "each once"


@pytest.mark.parametrize("rewind", [False, True])
@pytest.mark.parametrize(
    ("lost", "more", "first", "left"), each_choice([100, 50, 10], [2, 30], [1, 51, 61, 91, 101], [False, True])
)
def test_what_a_copy_between_a_loss_and_the_order_lacks_is_never_less_than_is_said(lost, more, first, left, rewind):
    outlet = lost_at_100(lost, more)
    if left:
        order(outlet, "leave")
    between = copied(outlet)
    outlet.store(5)
    outlet.run(1000)
    assert order(outlet, "from", str(first))["done"]
    up(outlet)
    outlet.until_passed(and_ms=1000)
    outlet.policy.resume_point._rewinds = rewind
    for _ in range(2):
        restored(outlet, between)
        missing = set(range(1, 106 + more)) - set(outlet.ids())
        allowed = max(0, first - 1 - (100 - lost)) if left else 0  # an operator left these
        assert len(missing) - allowed <= lacks(outlet)[0] and unknown(outlet) == 0
        if rewind:
            assert all(number < first for number in missing), "what the order had sent is there again"
        between = copied(outlet)


@pytest.mark.parametrize("rewind", [False, True])
@pytest.mark.parametrize(
    ("first", "second", "more", "left"),
    each_choice([7, 5, 2, 9], [1, 3, 6, 2], [0, 3], [False, True]),
)
def test_a_copy_between_two_losses_is_never_taken_for_one_of_today(first, second, more, left, rewind):
    outlet = delivering(9, blocks=64)
    outlet.archive.clear()
    again(outlet)
    ordered_from(outlet, first)
    copy = copied(outlet)
    outlet.store(more)
    outlet.run(1000)
    outlet.archive.clear()
    again(outlet)
    ordered_from(outlet, second)
    if left:
        order(outlet, "leave")
    outlet.policy.resume_point._rewinds = rewind
    restored(outlet, copy)
    outlet.store(1)
    outlet.run(1000)
    missing = set(numbers(1, outlet.log.number)) - set(outlet.ids())
    allowed = second - 1 if left else 0  # an operator left these
    assert len(missing) - allowed <= lacks(restarted(outlet))[0]


def ordered_from(outlet, first):
    assert order(outlet, "from", str(first))["done"]
    up(outlet)
    outlet.until_passed(and_ms=1000)


@pytest.mark.parametrize("rewind", [False, True])
@pytest.mark.parametrize(("first", "newer"), each_choice([61, 71, 100], [55, 60, 80, 99]))
def test_a_copy_that_is_newer_than_the_one_of_the_order_lacks_what_came_behind_it(first, newer, rewind):
    outlet = delivered_after_copy(50, newer)
    kept = copied(outlet)
    outlet.store(100 - newer)
    outlet.until_passed(and_ms=1000)
    restored(outlet)
    ordered_from(outlet, first)
    outlet.policy.resume_point._rewinds = rewind
    restored(outlet, kept)
    missing = set(numbers(1, 100)) - set(outlet.ids())
    assert len(missing) <= lacks(restarted(outlet))[0] <= 100 and unknown(outlet) == 0
    assert not rewind or not missing


@pytest.mark.parametrize(("cut", "rewind"), each_choice([False, True], [True, False]))
def test_no_more_is_in_doubt_than_was_ever_delivered_whatever_comes_before_an_order_is_begun_with(cut, rewind):
    outlet = delivering(30, blocks=64, rewind=rewind)
    oldest = copied(outlet)
    outlet.store(25)
    outlet.until_passed(and_ms=1000)
    middle = copied(outlet)
    outlet.store(25)
    outlet.until_passed(and_ms=1000)
    outlet.archive.clear()
    again(outlet)
    outlet.store(20)
    outlet.until_passed(and_ms=1000)
    restored(outlet, middle)
    outlet.store(5)
    outlet.until_passed(and_ms=1000)
    outlet.network.down(*PIM)
    outlet.network.cut(*SERVER)
    outlet.store(10)
    put_back(outlet, oldest)
    order(outlet, "from", "95")
    if cut:
        outlet.cut()
    outlet.network.up(*PIM)
    up(outlet)
    outlet.until_passed(and_ms=1000)
    for _ in range(2):
        missing = set(numbers(1, 115)) - set(outlet.ids())
        assert len(missing) <= lacks(outlet)[0] <= outlet.state.numbers[DELIVERED] == 115
        restarted(outlet)
