"""Whatever a firmware pushes, keeps, answers and rejects: what was not made is not stored, what is missed counts."""

import pytest

from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record.text import describe
from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.generated_firmware import NAMED, PLAIN, Firmware


def firmware(monkeypatch, seed=1, **given):
    return Firmware(monkeypatch, seed, **{**PLAIN, **given}).live()


def reasons(one):
    """Return why results are gone, an event each."""
    why = [describe(event, 0, kind, 0, len(event)) for _, kind, _, event in one.cart.records() if kind == KIND_EVENT]
    return [line["text"] for line in why if line["event"] == "results gone"]


@pytest.mark.parametrize(
    ("keeps", "found", "blank_as"), all_pairs([2, 7], ["blank", "blank below the newest"], ["spaces", "zeros"])
)
def test_a_blank_record_is_no_result(monkeypatch, found, blank_as, keeps):
    one = firmware(monkeypatch, found=found, blank_as=blank_as, keeps=keeps, first=20, outages=[(15, "cut", False)])
    assert one.faults() == [] and one.books()[0] == 0 and one.cart.station.ledger.gone() == one.books()[2] > 0


@pytest.mark.parametrize(
    ("found", "keeps"),
    each_choice(["newest", "oldest", "nearest", "by its place", "below the newest by its place"], [2, 3, 4, 5, 7]),
)
def test_an_answer_that_copies_the_id_asked_for_counts_what_is_gone(monkeypatch, found, keeps):
    outages = [(9, "cut", False), (1, "down", False), (15, "down", False)]
    one = firmware(monkeypatch, named="as asked", found=found, keeps=keeps, first=20, outages=outages, between=4)
    assert one.faults() == [], one.cart.gone()


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("keeps", [2, 500])
def test_the_results_of_the_bolts_that_are_not_answered_for_are_gone(monkeypatch, keeps, names):
    outages = [(9, "cut", False), (3, "down", False)]
    one = firmware(monkeypatch, bolts=True, names_spindles=names, keeps=keeps, first=20, outages=outages, between=4)
    false, twice, missing = one.books()
    assert one.faults() == [] and false == twice == 0 and one.cart.station.ledger.gone() == missing
    if keeps == 500:  # all are there
        assert reasons(one) == ["no answer came for these, or none that is certainly theirs"] * 2


@pytest.mark.parametrize(
    ("pushed", "rounded", "times"),
    all_pairs(["one", "at random", "in turn"], [True, False], ["UTC", "ahead", "a quarter"]),
)
def test_what_is_kept_in_another_writing_under_other_ids_is_counted(monkeypatch, pushed, rounded, times):
    outages = [(5, "cut", False), (3, "down", False)]
    one = firmware(monkeypatch, pushed=pushed, rounded=rounded, times=times, keeps=500, first=20, outages=outages)
    assert one.faults() == []


@pytest.mark.parametrize(("keeps", "gone"), each_choice([1, 3, 7], ["15", "another code"]))
def test_what_a_new_count_has_lost_is_counted(monkeypatch, keeps, gone):
    one = firmware(monkeypatch, keeps=keeps, first=20, gone=gone, outages=[(9, "down", True), (3, "cut", False)])
    assert one.faults() == [], one.cart.gone()


@pytest.mark.parametrize("limit", [0, 65535])
def test_id_zero_that_is_lost_has_an_event(monkeypatch, limit):
    first = 65525 if limit else 4294967285
    one = firmware(monkeypatch, limit=limit, keeps=50, first=first, outages=[(9, "cut", False)])
    ledger = one.cart.station.ledger
    assert one.faults() == [] and (ledger.gone() == 0 or (0, 0) in one.cart.gone()), one.cart.gone()


@pytest.mark.parametrize("gone", ["another code", "silence"])
def test_a_new_count_of_several_bolts_that_answers_nothing_is_counted(monkeypatch, gone):
    outages = [(40, "cut", True)]
    one = firmware(
        monkeypatch, named="nine above", bolts=True, keeps=2, first=500, gone=gone, knows_newest=False, outages=outages
    )
    assert one.faults() == [], one.cart.gone()


def test_what_is_open_of_several_bolts_are_results(monkeypatch):
    one = firmware(
        monkeypatch, named="none", bolts=True, gone="silence", keeps=2, first=20, outages=[(9, "cut", False)]
    )
    assert one.faults() == [] and missing_most(one.cart.station.ledger, one.cart.station.recovery.spindle_count()) >= 18


def test_a_new_count_is_seen_where_the_newest_is_not_known_and_the_nearest_is_answered(monkeypatch):
    outages = [(0, "down", False), (40, "down", True)]
    one = firmware(
        monkeypatch,
        named="nine above",
        found="nearest",
        keeps=2,
        first=65520,
        knows_newest=False,
        outages=outages,
        between=4,
        limit=65535,
        times="UTC",
    )
    assert one.faults() == [], one.cart.gone()


@pytest.mark.parametrize("first, away", [(88, 12), (85, 20), (20, 12)])
@pytest.mark.parametrize("by", [1, 2, 3])
def test_ids_that_are_off_and_begin_again(monkeypatch, by, first, away):
    monkeypatch.setitem(NAMED, "below", lambda number, requested: number - by)
    outages = [(away, "cut", False), (4, "cut", False)]
    one = firmware(monkeypatch, named="below", asks_above=-by, keeps=500, first=first, limit=99, outages=outages)
    false, twice, missing = one.books()
    begins = away + first > 99  # then the first ones of the new count have no ID that can be asked for
    assert false == twice == 0 and one.cart.station.ledger.gone() == missing == (by if begins else 0), one.cart.gone()


@pytest.mark.parametrize(("keeps", "between", "ending"), all_pairs([1, 3, 5], [1, 2, 4], ["down", "cut"]))
def test_a_count_whose_first_push_is_its_first_result(monkeypatch, keeps, between, ending):
    """Nothing is missing in front of it; what it has made since is not what the count before had under these IDs."""
    outages = [(0, ending, True), (15, "down", False), (3, "cut", False)]
    one = firmware(monkeypatch, first=1, gone="another code", keeps=keeps, between=between, outages=outages)
    false, twice, missing = one.books()
    assert one.faults() == [] and false == twice == 0 and one.cart.station.ledger.gone() == missing > 0


@pytest.mark.parametrize("ending", ["down", "cut"])
def test_what_the_count_before_hides_is_counted(monkeypatch, ending):
    """The memory keeps both counts, and answers with the oldest result of an ID."""
    outages = [(3, ending, True)]
    one = firmware(monkeypatch, first=1, keeps=500, forgets=False, between=7, oldest_first=True, outages=outages)
    assert one.faults() == [] and one.books() == (0, 0, 3) and one.cart.gone() == [(1, 3)]
    assert reasons(one) == ["no answer came for these, or none that is certainly theirs"]


@pytest.mark.parametrize(
    ("oldest_first", "missed", "ending", "later", "between", "keeps", "gone"),
    all_pairs(
        [True, False],
        [1, 2, 3],
        ["down", "cut"],
        [[], [(2, "cut", False)], [(5, "down", False), (1, "cut", False)], [(1, "down", True)], [(2, "cut", True)]],
        [1, 2, 5],
        [50, 500],
        ["15", "another code"],
    ),
)
def test_what_a_memory_of_two_counts_does_not_show_is_gone_and_nothing_else(
    monkeypatch, oldest_first, missed, ending, later, between, keeps, gone
):
    given = {"first": 1, "forgets": False, "settles": True, "outages": [(missed, ending, True)] + later}
    given.update(keeps=keeps, gone=gone, between=between, oldest_first=oldest_first)
    one = firmware(monkeypatch, **given)
    false, twice, missing = one.books()
    assert one.faults() == [] and false == twice == 0
    most = missing
    if oldest_first and later and later[-1][2]:  # what the second count made up to the first one's end may be hidden
        most += max(one.made.values())
    assert missing - one.unknowable <= one.cart.station.ledger.gone() <= most, (one.cart.gone(), one.made)
