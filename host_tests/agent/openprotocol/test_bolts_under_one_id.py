"""Several bolts under one ID, no spindle in the header: each result is stored, or counts as gone, whatever comes."""

import random

import pytest

from toolcart.agent.base import counters as counter
from host_tests.portable import LONG
from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import BoltsUnderOneId, OddController, OperationsUnderOneId
from host_tests.support.world import CONTROLLER


def outages(one, endings=("cut", "down", "cut")):
    """Live through these; what is pushed in between shows nothing of how many bolts there are but by its IDs."""
    cart = one.cart
    cart.until_ready(2000)
    one.make(6, 700)
    for ending in endings:
        one.away(5, cut=ending == "cut")
        cart.run(6000)
        one.make(4, 700)
        cart.run(100000)
    return one


@pytest.mark.parametrize(
    ("bolts", "answers", "apart_s", "keeps", "first"),
    all_pairs([2, 3], ["first", "last", "any", "all"], [0, 1], [3, 500], [1, 20]),
)
def test_a_bolt_that_is_not_answered_for_counts_as_gone(monkeypatch, bolts, answers, apart_s, keeps, first):
    one = outages(BoltsUnderOneId(monkeypatch, bolts, answers, apart_s, keeps=keeps, first_id=first))
    twice, _, missing, gone, opened = one.books()
    assert (twice, missing, opened) == (0, gone, 0), one.cart.gone()
    assert one.cart.station.ledger.epoch() == 0 and missing >= 15 * (bolts - 1)


@pytest.mark.parametrize(
    ("profile", "is_named", "history", "bolts", "answers", "apart_s", "first"),
    all_pairs(
        ["mt-focus-6000", "stepsync"],
        [False, True],
        [True, False],
        [2, 3],
        ["first", "last", "any"],
        [0, 1],
        [1, 20],
    ),
)
def test_a_bolt_with_an_operation_of_its_own_that_is_not_answered_for_counts_as_gone(
    monkeypatch, profile, is_named, history, bolts, answers, apart_s, first
):
    controller = {"operation_history": history}
    one = OperationsUnderOneId(
        monkeypatch, profile, bolts, answers, apart_s, is_named=is_named, controller=controller, first_id=first
    )
    outages(one)
    twice, _, missing, gone, opened = one.books()
    assert (twice, missing, opened) == (0, gone, 0), one.cart.gone()
    assert one.cart.station.ledger.epoch() == 0 and missing >= 12 * (bolts - 1)
    assert one.cart.counted(counter.CONTROLLER_RESETS) == 0


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("first", [24, 4294967291])
@pytest.mark.parametrize(("answers", "apart_s"), [("first", 0), ("last", 1), ("any", 0), ("all", 1)])
def test_ids_that_begin_again_while_no_one_hears_are_asked_for_whichever_bolts_are_answered_for(
    monkeypatch, answers, apart_s, first, cut, waits
):
    one = BoltsUnderOneId(monkeypatch, 2, answers, apart_s, first_id=first)
    cart = one.cart
    cart.until_ready(2000)
    one.make(4, 2000)  # no bolt has the second of the next ID
    if cut:
        cart.cut()
    cart.network.down(*CONTROLLER)
    one.make(1)
    if first == 24:
        cart.controller.reset_ids()  # the memory stays
    one.make(5)
    cart.network.up(*CONTROLLER)
    if waits:
        cart.run(100000)
    else:  # the first push is stored before the newest is asked for
        sessions = cart.controller.messages.get(60, 0)
        cart.until(lambda: cart.controller.messages.get(60, 0) > sessions, 60000)
    one.make(1)
    cart.run(100000)
    missing = 6 if first == 24 else 7  # the other bolt's, and of both what has ID 0
    assert one.books() == (0, 0, missing, missing, 0), cart.gone()


@pytest.mark.parametrize("missed", [0, 1, 4])
@pytest.mark.parametrize("place", [-2, -3, -100])
@pytest.mark.parametrize(("answers", "apart_s"), [("first", 0), ("any", 1), ("all", 0)])
def test_an_older_one_for_id_0_begins_no_count_whichever_bolts_are_answered_for(
    monkeypatch, answers, apart_s, place, missed
):
    one = BoltsUnderOneId(monkeypatch, 2, answers, apart_s, first_id=20)
    one.newest_place = place
    cart = one.cart
    cart.until_ready(2000)
    one.make(6, 2000)
    for cut in (False, True, False):
        one.away(missed, 2000, cut=cut)
        cart.run(6000)
        one.make(3, 2000)
        cart.run(100000)
    assert one.books() == (0, 0, 3 * missed, 3 * missed, 0) and cart.station.ledger.epoch() == 0, cart.gone()
    assert len(one.requests) < 60


@pytest.mark.parametrize("cut", [False, True])
def test_bolts_that_a_single_tightening_has_shown_are_expected_of_all_that_is_missing(monkeypatch, cut):
    one = BoltsUnderOneId(monkeypatch, 3)
    one.cart.until_ready(2000)
    one.make(1, 700)
    one.away(4, cut=cut)
    one.cart.run(100000)
    assert one.books() == (0, 0, 8, 8, 0), one.cart.gone()
    before = len(one.requests)
    one.away(0, cut=True)
    one.cart.run(100000)
    assert one.books() == (0, 0, 8, 8, 0) and len(one.requests) - before <= 3


@pytest.mark.parametrize("sent", range(4))
@pytest.mark.parametrize("answers", ["first", "last"])
def test_a_connection_that_ends_between_two_bolts_leaves_none_uncounted(monkeypatch, answers, sent):
    one = BoltsUnderOneId(monkeypatch, 3, answers)
    one.cart.until_ready(2000)
    one.make(2, 700)
    session = one.cart.controller.sessions[0]
    session.drop_sent = session.count_sent + sent
    one.make(1, 700)
    one.cart.run(60000)
    for _ in range(2):
        one.away(0)
        one.cart.run(60000)
    one.make(2, 700)
    one.cart.run(60000)
    twice, _, missing, gone, opened = one.books()
    assert (twice, missing, opened) == (0, gone, 0) and missing <= 3, (gone, one.cart.gone())


def test_spindles_that_are_named_count_once_too_if_the_connection_ends_between_them(monkeypatch):
    one = OddController(monkeypatch, bolts=True)
    one.cart.until_ready(2000)
    one.make(2, 700)
    session = one.cart.controller.sessions[0]
    session.drop_sent = session.count_sent + 1
    one.make(1, 700)
    for _ in range(3):
        one.cart.run(60000)
        one.away(0)
    assert one.books() == (0, 0, 1, 1, 0), one.cart.gone()


@pytest.mark.parametrize("answers", ["first", "any"])
def test_a_bolt_that_is_pushed_again_is_stored_once(monkeypatch, answers):
    one = outages(BoltsUnderOneId(monkeypatch, 2, answers, controller={"repeat": 2, "repeat_every_ms": 300}), ("down",))
    assert one.books()[0] == 0 and one.books()[2] == one.books()[3]
    assert one.cart.counted(counter.DUPLICATES) > 20


def test_a_controller_that_answers_nothing_is_expected_to_have_made_each_bolt(monkeypatch):
    one = outages(BoltsUnderOneId(monkeypatch, 2, controller={"refuse": {64: 99}}), ("down", "down"))
    assert one.books() == (0, 0, 20, 20, 0)


def test_ids_that_are_made_twice_over_a_new_count_are_no_bolts(monkeypatch):
    one = OddController(monkeypatch)
    one.cart.until_ready(2000)
    one.make(1, 700)
    one.away(1, restarts=True)
    one.cart.run(60000)
    one.make(3, 700)
    one.away(3, keeps=False)
    one.cart.run(60000)
    assert one.cart.station.ledger.results_each() == 1 and one.books()[2] == one.books()[3]


def life(monkeypatch, seed, of_operations=False):
    """Live through what this seed draws; return what came of it."""
    dice = random.Random(seed)
    more = {"is_named": seed % 2 == 1} if of_operations else {}
    one = (OperationsUnderOneId if of_operations else BoltsUnderOneId)(
        monkeypatch,
        *(("mt-focus-6000", "stepsync")[seed // 2 % 2 :][:of_operations]),
        dice.choice((2, 2, 3, 4)),
        dice.choice(("first", "last", "any", "all")),
        dice.choice((0, 0, 1, 3)),
        keeps=dice.choice((2, 5, 500)),
        first_id=dice.choice((1, 2, 20, 4294967280)),
        controller={"repeat": dice.choice((0, 0, 1)), "repeat_every_ms": 300},
        **more,
    )
    cart = one.cart
    cart.until_ready(2000)
    one.make(dice.choice((2, 5) if of_operations else (1, 2, 5)), 700)
    for _ in range(dice.choice((2, 4))):
        how = dice.choice(("cut", "down", "ends"))
        if how == "ends" and cart.controller.sessions:
            session = cart.controller.sessions[0]
            session.drop_sent = session.count_sent + dice.choice((1, 2, 3))
            one.make(1, 700)
            cart.until_ready(60000)
        else:
            one.away(dice.choice((0, 1, 3, 9)), cut=how == "cut")
        cart.run(dice.choice((50, 6000)))
        one.make(dice.choice((0, 1, 4)), 700)
        cart.run(100000)
    return one


@pytest.mark.parametrize("seed", range(100 if LONG else 8))
def test_whatever_ends_between_whichever_bolts_each_result_is_stored_once_or_counted(monkeypatch, seed):
    one = life(monkeypatch, seed)
    one.judge()
    assert one.books()[0] == 0 and one.cart.station.ledger.epoch() == 0, one.books()


@pytest.mark.parametrize("seed", range(100 if LONG else 8))
def test_whatever_ends_between_operations_of_whichever_bolts_each_is_stored_once_or_counted(monkeypatch, seed):
    one = life(monkeypatch, seed, True)
    one.judge()
    assert one.books()[0] == 0 and one.cart.station.ledger.epoch() == 0, one.books()


@pytest.mark.parametrize("profile", ["mt-focus-6000", "stepsync"])
@pytest.mark.parametrize("first", [1, 20])
def test_operations_of_several_bolts_that_have_shown_one_id_alone_are_no_fewer_than_counted(
    monkeypatch, profile, first
):
    one = OperationsUnderOneId(monkeypatch, profile, 3, first_id=first)
    one.cart.until_ready(2000)
    one.make(1, 700)
    for count in (0, 4):
        one.away(count)
        one.cart.run(6000)
        one.make(2, 700)
        one.cart.run(100000)
    one.judge(most_again=0)
