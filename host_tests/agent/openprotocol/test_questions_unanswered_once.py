"""Single questions end connections, or are answered with another result: what was made is fetched, or counted."""

import pytest

from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.generated_firmware import PLAIN, Firmware


def firmware(monkeypatch, **given):
    return Firmware(monkeypatch, 1, **{**PLAIN, "keeps": 500, "between": 2, "settles": True, **given}).live()


@pytest.mark.parametrize(
    ("place", "first", "count"),
    all_pairs([3, 4, 5, 6, 27, 28, 29, 30], [9, 500], [(3, "cut"), (5, "down"), (9, "cut")]),
)
def test_one_id_that_ends_connections_hides_no_end_of_a_count(monkeypatch, place, first, count):
    one = firmware(
        monkeypatch, first=first, outages=[(*count, True)], forgets=False, ends_with={place: 3}
    )  # the ends of both counts are looked for, upward and downward
    assert one.faults() == [] and one.books()[:2] == (0, 0), one.cart.gone()
    assert one.books()[2] <= 1, one.cart.gone()  # it is asked for again


@pytest.mark.parametrize(("place", "keeps"), each_choice([3, 5, 27], [2, 7]))
def test_one_id_that_ends_connections_shows_no_count_that_is_not_there(monkeypatch, place, keeps):
    one = firmware(monkeypatch, keeps=keeps, first=500, outages=[(9, "cut", True)], ends_with={place: 3})
    assert one.faults() == [], one.cart.gone()


@pytest.mark.parametrize("count", [(15, "cut"), (14, "down"), (20, "down")])
def test_another_result_under_the_highest_id_is_seen_where_the_newest_is_not_known(monkeypatch, count):
    one = firmware(monkeypatch, first=9, outages=[(*count, True)], knows_newest=False)
    assert one.faults() == [] and one.books()[2] == count[0] // 2, one.cart.gone()


@pytest.mark.parametrize("wrong", ["newest under the ID", "another under the ID"])
def test_a_wrong_answer_under_the_highest_id_loses_nothing_where_the_newest_is_not_known(monkeypatch, wrong):
    outages = [(3, "down", False)]
    one = firmware(monkeypatch, first=9, outages=outages, knows_newest=False, wrong=wrong, wrong_at=(1,))
    assert one.faults() == [], one.cart.gone()


@pytest.mark.parametrize("place", [5, 8, 12])
def test_a_push_of_a_new_count_is_not_forgotten_with_its_connection(monkeypatch, place):
    outages = [(9, "cut", True)]
    one = firmware(
        monkeypatch, keeps=4, first=500, outages=outages, knows_newest=False, between=1, ends_with={place: 2}
    )
    assert one.faults() == [] and one.cart.station.ledger.gone() > 0, one.cart.gone()


@pytest.mark.parametrize(
    ("wrong", "at", "count"),
    all_pairs(["another", "another under the ID", "newest under the ID"], range(2, 12), [(3, "down"), (5, "cut")]),
)
def test_one_id_that_is_answered_with_another_result_hides_no_end_of_a_count(monkeypatch, wrong, at, count):
    one = firmware(monkeypatch, first=9, outages=[(*count, True)], forgets=False, wrong=wrong, wrong_at=(at, at + 1))
    assert one.faults() == [], one.cart.gone()
