"""Answers that do not match what is asked lead to one state: all is stored or counted, and no theory is told."""

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.cart.status import of_station
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.record.result import FLAG_RECOVERED
from toolcart.agent.record.text import _REASONS
from toolcart.sim.controller import Controller
from toolcart.tools.messages import attention
from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.odd_controllers import ANSWERS, OddController

NAMED = {
    "always 0": lambda number: 0,
    "always 1": lambda number: 1,
    "always 77": lambda number: 77,
    "always the last": lambda number: 4294967295,
}


def outages(odd, endings=("cut", "down", "cut")):
    odd.cart.until_ready(2000)
    odd.make(6, 700)
    for ending in endings:
        odd.away(5, cut=ending == "cut")
        odd.cart.run(6000)
        odd.make(4, 700)
        odd.cart.run(100000)
    return odd


def off(cart):
    return of_station(cart.station, cart.clock.now)["recovery"]["off"]


@pytest.mark.parametrize(("how", "first"), each_choice(list(NAMED), [1, 2, 9, 20, 500]))
def test_answers_that_all_have_one_id_hide_nothing_and_show_nothing(monkeypatch, how, first):
    odd = outages(OddController(monkeypatch, named=NAMED[how], first_id=first))
    _, again, missing, gone, opened = odd.books()
    assert (again, gone, opened) == (0, missing, 0), odd.books()
    cart = odd.cart
    assert (
        cart.counted(counter.IDS_OFF) == cart.counted(counter.CONTROLLER_RESETS) == 0
        and not cart.station.ledger.shares()
    )
    assert cart.station.recovery.phase == phases.PHASE_OFF and off(cart) == "answers"
    [need] = [need for need in attention.needs(of_station(cart.station, cart.clock.now)) if need.slug == "fetching"]
    assert "does not match what it is asked" in need.words


def test_a_controller_that_answers_right_again_is_asked_again(monkeypatch):
    odd = outages(OddController(monkeypatch, named=NAMED["always 0"], first_id=20))
    odd.named = None
    odd.away(5)
    odd.make(2)
    odd.cart.settle()
    assert off(odd.cart) == "" and set(odd.made[-7:]) <= set(odd.rows())


def test_results_alike_but_for_id_and_vin_are_counted_and_nothing_false_is_said_of_them(monkeypatch):
    monkeypatch.setattr(Controller, "stamp", lambda controller: "2024-05-05:10:00:00")
    odd = OddController(monkeypatch, first_id=1000)
    produce = odd.cart.controller.produce
    odd.cart.controller.produce = lambda **fields: produce(**{**fields, "torque": 1200, "angle": 60})
    outages(odd, ("down", "down"))
    cart = odd.cart
    missing = [one for one in cart.controller.produced if one not in cart.stored_ids()]
    assert len(missing) == cart.station.ledger.gone() > 0 and off(cart) == "answers"
    [need] = [need for need in attention.needs(of_station(cart.station, cart.clock.now)) if need.slug == "fetching"]
    assert "or cannot be told from other results" in need.words
    assert "or none that is certainly theirs" in _REASONS["mute"]


def restarted(odd, before, away, after, cut):
    odd.cart.until_ready(2000)
    odd.make(before)
    odd.away(away, restarts=True, cut=cut)
    odd.make(after)
    odd.cart.run(100000)
    odd.away(3, cut=True)
    odd.make(2)
    odd.cart.run(3000)
    odd.away(0)
    odd.make(1)
    odd.cart.run(100000)
    return odd


@pytest.mark.parametrize(
    ("how", "keeps", "course", "cut"),
    all_pairs(list(ANSWERS), [5, 50], [(6, 3, 4), (6, 0, 4), (20, 4, 2), (3, 5, 1)], [True, False]),
)
def test_a_count_that_begins_again_misses_nothing_uncounted(monkeypatch, how, keeps, course, cut):
    before, away, after = course
    odd = OddController(monkeypatch, answers=how, keeps=keeps)
    restarted(odd, before, away, after, cut).judge(most_again=0)
    assert not odd.cart.station.ledger.shares() and off(odd.cart) == ""


@pytest.mark.parametrize(
    ("how", "keeps_and_missed", "named"),
    all_pairs(list(ANSWERS), [(5, 8), (5, 5), (12, 40), (50, 8)], [True, False]),
)
def test_what_is_answered_with_another_result_is_gone_and_the_rest_is_fetched(
    monkeypatch, how, keeps_and_missed, named
):
    keeps, missed = keeps_and_missed
    identity = {"station_number": 1 if named else 0}
    odd = OddController(monkeypatch, answers=how, keeps=keeps, controller={"identity": identity})
    odd.cart.until_ready(2000)
    odd.make(4)
    odd.away(missed)
    odd.make(3)
    odd.cart.run(120000)
    _, again, missing, gone, opened = odd.books()
    assert (again, opened) == (0, 0) and missing == gone <= max(0, missed - keeps + 3), odd.books()
    assert not odd.cart.station.ledger.shares() and odd.cart.counted(counter.CONTROLLER_UNKNOWN) == 0


@pytest.mark.parametrize(("late_ms", "keeps"), each_choice([300, 6000, 12000, 16000, 25000], [5, 50]))
def test_an_answer_that_is_late_is_one_all_the_same(monkeypatch, late_ms, keeps):
    odd = OddController(monkeypatch, keeps=keeps)
    odd.late_ms = late_ms
    cart = odd.cart
    cart.until_ready(2000)
    odd.make(4)
    cart.run(60000)
    odd.away(8)
    odd.make(3)
    cart.run(1500000)
    odd.make(1)
    cart.run(60000)
    _, again, missing, gone, opened = odd.books()
    assert (again, opened) == (0, 0) and missing == gone <= (6 if keeps == 5 else 0), odd.books()
    assert cart.counted(counter.CONTROLLER_UNKNOWN) == 0 and off(cart) == ""


@pytest.mark.parametrize("stands", [False, True])
@pytest.mark.parametrize("keeps", [5, 500])
def test_results_alike_that_are_all_pushed_as_one_are_stored_and_what_is_missing_is_said(monkeypatch, keeps, stands):
    if stands:
        monkeypatch.setattr(Controller, "stamp", lambda controller: "2024-05-05:10:00:00")
    odd = OddController(monkeypatch, pushed_as=lambda number: 1, keeps=keeps, first_id=1000)
    produce = odd.cart.controller.produce
    odd.cart.controller.produce = lambda **fields: produce(**{**fields, "torque": 1200, "angle": 60})
    outages(odd, ("down", "down"))
    cart = odd.cart
    pushed = [flags for _, _, flags in cart.station.recovery.duplicates.results(1) if not flags & FLAG_RECOVERED]
    assert len(pushed) == 6 + 2 * 4
    missing = len(cart.controller.produced) - len(cart.stored())
    assert missing <= cart.station.ledger.gone() if not stands else off(cart) == "answers"


@pytest.mark.parametrize("every_ms", [300, 700, 1500, 3000])
@pytest.mark.parametrize("cut", [False, True])
def test_push_with_the_id_of_an_answer_that_is_off_contradicts_nothing(monkeypatch, every_ms, cut):
    one = OddController(monkeypatch, named=lambda number: number + 1, keeps=6)
    one.cart.until_ready(5000)
    one.make(3)
    for _ in range(2):
        one.away(30, cut=cut)
        one.make(3, every_ms=every_ms)
        one.cart.run(60000)
        one.make(2)
    one.cart.run(120000)
    twice, _, missing, gone, opened = books = one.books()
    assert twice == opened == 0, (books, one.requests)
    assert missing == gone <= 2 * (30 + 3 - 6), (books, one.cart.gone(), one.requests)  # it keeps no more
