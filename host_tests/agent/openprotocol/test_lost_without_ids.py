"""What is pushed without an ID of the memory: whatever ends when, what is missing is fetched or counted, or said."""

import pytest

from toolcart.agent.cart.status import _why_off
from host_tests.support.combinations import each_choice
from host_tests.support.generated_firmware import PLAIN, Firmware

WITHOUT_ID = ("zero", "blank", "one", "two digits")


def firmware(monkeypatch, pushed, **given):
    settings = {"pushed": pushed, "first": 1040, "keeps": 500, "between": 4, "outages": [(6, "down", False)]}
    return Firmware(monkeypatch, 1, **{**PLAIN, **settings, **given}).live()


@pytest.mark.parametrize(("pushed", "at_once"), each_choice(list(WITHOUT_ID), [0, 2]))
def test_the_first_connection_may_end_before_anything_is_asked(monkeypatch, pushed, at_once):
    one = firmware(monkeypatch, pushed, early=2, away=6, at_once=at_once)
    assert one.books() == (0, 0, 0) and one.cart.station.ledger.gone() == 0


def test_a_power_cut_behind_the_first_push_hides_nothing(monkeypatch):
    one = firmware(monkeypatch, "zero", early=2, away=6, at_once=2, outages=[(6, "cut", False)])
    assert one.books() == (0, 0, 0) and one.cart.station.ledger.gone() == 0


def test_what_was_made_before_the_first_connection_is_not_missing(monkeypatch):
    one = firmware(monkeypatch, "blank", before=30)
    assert one.books() == (0, 0, 0) and len(one.rows()) == len(one.made) - 30


@pytest.mark.parametrize(
    ("pushed", "ends_at"), each_choice(WITHOUT_ID, [(1,), (2,), (3,), (5, 8, 12), (2, 4, 7, 11, 16), (26, 29)])
)
def test_connections_that_end_with_questions_leave_nothing_behind(monkeypatch, pushed, ends_at):
    one = firmware(monkeypatch, pushed, ends_at=ends_at, away=3)
    assert one.books()[::2] == (0, 0) and one.faults() == []


@pytest.mark.parametrize("at_once", [0, 2])
@pytest.mark.parametrize(("pushed", "keeps"), each_choice(WITHOUT_ID, [4, 5]))
def test_what_a_small_memory_has_lost_is_counted_exactly(monkeypatch, pushed, keeps, at_once):
    outages = [(2, "down", False), (9, "down", False), (7, "cut", False)]
    one = firmware(monkeypatch, pushed, keeps=keeps, at_once=at_once, outages=outages)
    false, twice, missing = one.books()
    assert (false, twice) == (0, 0) and one.cart.station.ledger.gone() == missing > 0
    assert one.questions < 100


@pytest.mark.parametrize(("ending", "keeps"), each_choice(["down", "cut"], [2, 3, 5]))
def test_each_outage_is_counted_alone(monkeypatch, keeps, ending):
    one = firmware(monkeypatch, "zero", keeps=keeps, at_once=2, between=2, outages=[(3, ending, False)] * 5)
    assert one.cart.station.ledger.gone() == one.books()[2]


@pytest.mark.parametrize("pushed", ["zero", "one"])
def test_a_live_session_longer_than_the_memory_loses_nothing(monkeypatch, pushed):
    outages = [(2, "down", False), (3, "down", False), (0, "cut", False)]
    one = firmware(monkeypatch, pushed, keeps=12, between=40, outages=outages)
    assert one.books() == (0, 0, 0) and one.cart.station.ledger.gone() == 0, one.cart.gone()


@pytest.mark.parametrize("keeps", [3, 500])
@pytest.mark.parametrize(("pushed", "code"), each_choice(["zero", "blank", "one"], [15, 98, 28, 79]))
def test_where_nothing_can_be_known_that_is_said(monkeypatch, pushed, code, keeps):
    one = firmware(monkeypatch, pushed, newest_rejected=code, keeps=keeps)
    assert one.books()[2] == 6 and one.faults() == []
    assert _why_off(one.cart.station.log, one.cart.station.recovery) or one.cart.station.ledger.gone() >= 6
