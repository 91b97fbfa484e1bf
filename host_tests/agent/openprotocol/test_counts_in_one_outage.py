"""A count of IDs begins again twice while no one hears: what the count between has left is fetched, or counted."""

import pytest

from host_tests.agent.openprotocol.test_new_count_and_small_memory import muted
from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import OddController, exactly
from host_tests.support.world import CONTROLLER


def begin_again(one, count, every_ms=300, first=1):
    one.cart.controller.reset_ids(first)
    one.make(count, every_ms)


def go_away(one, is_cut):
    if is_cut:
        one.cart.cut()
    one.cart.network.down(*CONTROLLER)
    one.cart.run(1000)


def come_back(one, live):
    one.cart.network.up(*CONTROLLER)
    one.cart.until_ready(60000)
    one.make(live, 600)
    one.cart.run(200000)


def check(one, before, hidden, untold=(), most=0):
    """All but what is `hidden` is stored, none of what was made `before` the first contact; `most` too many count.

    Nothing tells of what is `untold`.
    """
    twice, again, _, gone, opened = one.books()
    rows = one.rows()
    missing = [one.made.index(torque) for torque in one.made[before:] if torque not in rows]
    assert not [torque for torque in one.made[:before] if torque in rows], "made before the first contact"
    assert twice == opened == 0 and again <= len(rows)
    assert missing == [*untold, *hidden], (missing, one.cart.gone())
    assert len(hidden) <= gone <= len(hidden) + most, (missing, gone, one.cart.gone())


@pytest.mark.parametrize(
    ("before", "known", "unheard", "between", "new", "live", "is_cut"),
    all_pairs([0, 15], [4, 11, 40], [0, 2], [11, 60], [1, 3, 9], [0, 1, 4], [False, True]),
)
def test_what_the_count_between_left_is_fetched(monkeypatch, before, known, unheard, between, new, live, is_cut):
    one = OddController(monkeypatch)
    one.make(before, 0)
    one.cart.until_ready(5000)
    one.make(known, 600)
    one.cart.run(4000)
    go_away(one, is_cut)
    one.make(unheard, 300)
    begin_again(one, between)
    begin_again(one, new)
    come_back(one, live)
    of_first = before + known
    reached = range(of_first, of_first + unheard) if of_first < between else ()
    check(one, before, range(of_first + unheard, of_first + unheard + new), reached)


@pytest.mark.parametrize(
    ("early", "pushed", "late", "new", "answered", "live", "is_cut"),
    all_pairs([0, 2], [1, 3], [0, 1, 12], [1, 2, 9], [0, 1, 3, 5, 8], [0, 1, 4], [False, True]),
)
def test_what_the_count_between_left_is_fetched_though_one_was_pushed(
    monkeypatch, early, pushed, late, new, answered, live, is_cut
):
    """A look that is cut short hears so many pushes of the count between; its first results may be `early`."""
    one = OddController(monkeypatch)
    one.make(3, 0)
    one.cart.until_ready(5000)
    one.make(20, 600)
    one.cart.run(4000)
    go_away(one, is_cut)
    begin_again(one, early)
    answers = muted(one, answered)
    one.cart.network.up(*CONTROLLER)
    one.cart.until_ready(60000)
    one.make(pushed, 300)
    go_away(one, is_cut)
    answers()
    one.make(late, 300)
    begin_again(one, new)
    come_back(one, live)
    of_between = [place for place in range(23, 23 + early + pushed + late) if not early <= place - 23 < early + pushed]
    rows = one.rows()
    missing = [place for place in of_between if one.made[place] not in rows]  # some are pushed under IDs that are asked
    hidden = [place for place in of_between if place < 23 + new]
    assert [place for place in missing if place < 23 + new] == hidden and max(missing + [0]) < 23 + new + live
    is_told = early or early + pushed + late > new
    check(one, 3, missing if is_told else [], [] if is_told else missing)


@pytest.mark.parametrize(
    ("before", "known", "unheard", "between", "live", "again", "first", "is_cut"),
    all_pairs(
        [0, 3], [5, 17, 40], [(0, 0), (2, 2), (1, 6), (0, 5)], [1, 3], [11, 12, 14], [1, 2, 5], [1, 40], [False, True]
    ),
)
def test_what_an_older_count_hides_of_the_one_between_is_counted(
    monkeypatch, before, known, unheard, between, live, again, first, is_cut
):
    """The memory keeps all counts and answers with the oldest result of an ID; each of two outages has a new count."""
    one = OddController(monkeypatch, first_id=1 if first == 1 else 300)
    one.answers = lambda kept, number: exactly(list(reversed(kept)), number)
    one.make(before, 0)
    one.cart.until_ready(5000)
    one.make(known, 600)
    one.cart.run(4000)
    go_away(one, is_cut)
    one.make(unheard[0], 300)
    begin_again(one, between, first=first)
    come_back(one, live)
    go_away(one, is_cut)
    one.make(unheard[1], 300)
    begin_again(one, again, first=first)
    come_back(one, 4)
    _, _, missing, gone, opened = one.books()
    rows = one.rows()
    missing -= len([torque for torque in one.made[:before] if torque not in rows])
    ends = before + known + unheard[0] if first == 1 else 0  # the first count, in the memory
    most = max(ends - between - live, 0)  # of the count between so many may be hidden
    in_front = first - 1  # a new count may have begun with 1
    assert opened == 0 and missing <= gone <= missing + most + 2 * in_front, (missing, gone, one.cart.gone(), one.made)


@pytest.mark.parametrize(
    ("by", "before", "unheard", "again", "live", "is_cut"),
    [
        *all_pairs([-1, 0, 1, 8], [0, 3], [2, 5], [1, 3], [1, 4, 12], [True, False]),
        (-1, 3, 5, 1, 12, True),  # the new one has reached what is missing of the one before when that is known
    ],
)
def test_what_was_missed_in_front_of_a_new_count_is_stored_or_counted_though_ids_are_off(
    monkeypatch, by, before, unheard, again, live, is_cut
):
    one = OddController(monkeypatch, named=lambda number: number + by)
    one.make(before, 0)
    one.cart.until_ready(5000)
    one.make(6, 600)
    one.cart.run(4000)
    go_away(one, is_cut)
    one.make(unheard, 300)
    begin_again(one, again)
    come_back(one, live)
    one.cart.run(200000)
    _, _, missing, gone, opened = one.books()
    rows = one.rows()
    missing -= len([torque for torque in one.made[:before] if torque not in rows])
    assert opened == 0 and missing <= gone <= missing + before + 1, (missing, gone, one.cart.gone(), one.made)
