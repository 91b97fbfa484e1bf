"""IDs that a controller has shown, and that no connection came to fetch, are counted when its count begins anew."""

import pytest

from toolcart.agent.openprotocol.missing_bound import missing_most
from host_tests.support.combinations import all_pairs
from host_tests.support.recovery import Bench, Memory


def seen_and_begun_anew(limit, questions, ending, anew=6, missed=12):
    """Six stored, `missed` made; a connection ends after so many answers; then the count begins at 1."""
    bench = Bench(Memory(100, limit=limit)).met(6)
    bench.away(missed)
    for _ in range(questions):
        bench.step()
    ending(bench)
    bench.memory.next_id = 1
    bench.away(anew)
    bench.settle()
    bench.make(3)
    return bench


@pytest.mark.parametrize(
    ("limit", "questions", "ending"), all_pairs([5, 9, 50], list(range(1, 9)), [Bench.close, Bench.start])
)
def test_ids_seen_above_the_last_known_are_counted_once(limit, questions, ending):
    bench = seen_and_begun_anew(limit, questions, ending, anew=limit)
    uids = bench.uids()
    assert len(uids) == len(set(uids))
    assert missing_most(bench.ledger) == 0
    assert len(bench.memory.produced) - len(uids) == bench.ledger.gone()


@pytest.mark.parametrize("questions", [1, 2, 3])
def test_ids_seen_on_several_connections_are_counted_once(questions):
    bench = Bench(Memory(100, limit=5)).met(6)
    for _ in range(3):
        bench.away(4)
        for _ in range(questions):
            bench.step()
        bench.start()
    bench.memory.next_id = 1
    bench.away(5)
    bench.settle()
    bench.make(2)
    assert len(bench.memory.produced) - len(bench.uids()) == bench.ledger.gone() > 8
    assert bench.gone.runs[-1][1] == 117


def test_ids_seen_are_fetched_where_the_count_goes_on():
    for questions in range(1, 7):
        for ending in (Bench.close, Bench.start):
            bench = Bench(Memory(100)).met(6)
            bench.away(12)
            for _ in range(questions):
                bench.step()
            ending(bench)
            bench.away(2)
            bench.settle()
            bench.make(1)
            assert bench.uids() == list(range(1, 22)), questions
            assert (bench.ledger.gone(), missing_most(bench.ledger)) == (0, 0)


def test_ids_skipped_by_a_push_alone_are_counted():
    bench = Bench(Memory(100, limit=5)).met(6)
    bench.away(12)
    bench.live()
    bench.close()
    bench.memory.next_id = 1
    bench.away(5)
    bench.settle()
    assert len(bench.memory.produced) - len(bench.uids()) == bench.ledger.gone()


def test_ids_of_a_new_count_are_not_counted_as_seen_of_the_old_one():
    for questions in range(1, 6):
        bench = Bench(Memory(1)).met(3)
        bench.close()
        bench.memory.reset()
        bench.away(6)
        for _ in range(questions):
            bench.step()
        if questions > 1:  # its answer under the last known ID has come
            bench.start()
            bench.away(0)
        bench.settle()
        bench.make(1)
        assert sorted(bench.uids()) == list(range(1, 11)), questions
        assert bench.ledger.gone() == 0, questions
