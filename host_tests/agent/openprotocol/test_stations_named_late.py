"""Stations share the IDs, and the session began in a revision that does not name ours, or answers name none."""

import pytest

from toolcart.agent.base import counters as counter
from toolcart.sim import controller_frames
from host_tests.support.combinations import all_pairs
from host_tests.support.world import Cart

PLACE = 322  # of the station's number in the data of MID 0065

STARTS = {"each": (1, 2, 3, 4, 5, 6), "6 alone": (6,), "5 at most": (1, 2, 3, 4, 5)}


def cart_at(starts=(1, 2, 3, 4, 5, 6), settings=None, **options):
    options = {"start_revisions": starts, "recover_revisions": (7,), "answers_below": True, "elsewhere": 2, **options}
    identity = {"system_type": 1}
    return Cart(controller={"identity": identity, **options}, blocks=48, settings=settings or {})


def live(cart, outages=2):
    """Return the IDs of what was made here."""
    cart.until_ready(5000)
    for _ in range(outages):
        cart.produce(3, 1300)
        cart.settle()
        cart.miss(4, 1300)
        cart.settle()
    return list(cart.controller.produced)


@pytest.mark.parametrize("below", (True, False))
@pytest.mark.parametrize("starts", STARTS)
def test_results_of_another_station_are_not_stored(starts, below):
    cart = cart_at(STARTS[starts], answers_below=below)
    made = live(cart)
    assert sorted(cart.stored_ids()) == sorted(made)


def test_a_start_asks_for_the_name_once_more():
    cart = cart_at()
    made = live(cart, 1)
    cart.cut()
    made = live(cart, 1)
    assert sorted(cart.stored_ids()) == sorted(made)


def write_stations(monkeypatch, form):
    """MID 0065 names stations so, from now on."""
    written = controller_frames.old_result_data

    def data(*args):
        octets = bytes(written(*args))
        return octets[:PLACE] + form(octets[PLACE : PLACE + 10]) + octets[PLACE + 10 :]

    monkeypatch.setattr(controller_frames, "old_result_data", data)


@pytest.mark.parametrize("starts", STARTS)
@pytest.mark.parametrize("side", ("left", "right"))
def test_a_station_s_number_may_be_padded_with_blanks(starts, side, monkeypatch):
    write_stations(monkeypatch, lambda digits: getattr(digits.lstrip(b"0"), side[0] + "just")(10))
    cart = cart_at(STARTS[starts])
    made = live(cart)
    assert sorted(cart.stored_ids()) == sorted(made) and cart.counted(counter.NO_OWNER) == 0


UNREADABLE = {
    "NULs": lambda digits: digits.lstrip(b"0").ljust(10, b"\0"),
    "a sign": lambda digits: b"+" + digits[1:],
    "letters": lambda digits: b"cell %s    " % digits[-1:],
    "blank": lambda digits: b" " * 10,
    "0": lambda digits: b"0" * 10,
}


@pytest.mark.parametrize("below", (True, False))
@pytest.mark.parametrize("starts", STARTS)
@pytest.mark.parametrize("form", UNREADABLE)
def test_answer_with_no_station_s_number_in_its_place_is_not_stored_and_that_is_said(form, starts, below, monkeypatch):
    write_stations(monkeypatch, UNREADABLE[form])
    cart = cart_at(STARTS[starts], answers_below=below)
    cart.until_ready(5000)
    cart.produce(3, 1300)
    cart.run(20000)
    cart.miss(4, 1300)
    cart.run(120000)
    assert sorted(cart.stored_ids()) == cart.controller.produced[:3]
    assert cart.counted(counter.NO_OWNER) > 0 and cart.station.recovery.ownership.needs == "owner"


@pytest.mark.parametrize("station_id", (None, 1))
@pytest.mark.parametrize("starts", STARTS)
def test_where_the_setting_says_that_ids_are_shared_the_station_is_asked_for(starts, station_id):
    cart = cart_at(STARTS[starts], settings={"controller": {"tightening_ids": "shared", "station_id": station_id}})
    made = live(cart)
    assert sorted(cart.stored_ids()) == sorted(made)
    assert (cart.station.session.start_revisions.wanted() == 6) == (6 in STARTS[starts])


def live_without_pushes_between(cart, cuts=()):
    """The same, where the highest result known is one that was fetched, each time; `cuts`: the agent starts then."""
    cart.until_ready(5000)
    for place, (pushed, missed) in enumerate(((4, 3), (0, 2), (3, 2), (0, 2))):
        if place in cuts:
            cart.cut()
            cart.until_ready(5000)
        if pushed:
            cart.produce(pushed, 1300)
            cart.settle()
        cart.miss(missed, 1300)
        cart.settle()
    return list(cart.controller.produced)


SETTINGS = {
    "auto": {},
    "shared": {"tightening_ids": "shared"},
    "station 1": {"station_id": 1},
    "shared, station 1": {"tightening_ids": "shared", "station_id": 1},
}


@pytest.mark.parametrize(
    ("starts", "settings", "below", "elsewhere", "cuts"),
    all_pairs(list(STARTS), list(SETTINGS), (True, False), (0, 2), ((), (1, 3))),
)
def test_a_result_that_was_fetched_shows_which_station_is_ours(starts, settings, below, elsewhere, cuts):
    settings = {"controller": SETTINGS[settings]} if SETTINGS[settings] else {}
    cart = cart_at(STARTS[starts], answers_below=below, elsewhere=elsewhere, settings=settings)
    made = live_without_pushes_between(cart, cuts)
    assert sorted(cart.stored_ids()) == sorted(made) and cart.counted(counter.NO_OWNER) == 0


@pytest.mark.parametrize("elsewhere", (0, 2))
@pytest.mark.parametrize("below", (True, False))
def test_a_push_that_is_answered_shows_it_where_nothing_else_in_the_log_is_there_any_more(below, elsewhere):
    per_screw = 1 + elsewhere
    cart = cart_at(STARTS["5 at most"], answers_below=below, elsewhere=elsewhere, memory=4 * per_screw)
    cart.until_ready(5000)
    cart.produce(3, 1300)
    cart.settle()
    cart.cut()
    cart.miss(4, 1300)
    cart.until_ready(60000)
    cart.run(60000)
    assert sorted(cart.stored_ids()) == cart.controller.produced[:3]
    assert cart.station.recovery.ownership.needs == "owner"
    cart.produce(1, 1300)
    cart.settle()
    made = cart.controller.produced
    assert sorted(cart.stored_ids()) == made[:3] + made[4:]
    assert cart.station.recovery.ownership.needs == ""


def test_an_answer_of_the_station_that_the_setting_names_is_ours_where_nothing_in_the_log_is_there_any_more():
    settings = {"controller": {"station_id": 1}}
    cart = cart_at(STARTS["5 at most"], elsewhere=0, answers_below=False, memory=4, settings=settings)
    cart.until_ready(5000)
    cart.produce(3, 1300)
    cart.settle()
    cart.cut()
    cart.miss(4, 1300)
    cart.settle()
    assert sorted(cart.stored_ids()) == cart.controller.produced
