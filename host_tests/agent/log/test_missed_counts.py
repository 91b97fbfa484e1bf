"""What outlets beside ToolsNet lack is kept in a snapshot, for each of them."""

import random

import pytest

from toolcart.agent.log import missed_counts
from toolcart.agent.log.flash import Partition
from toolcart.agent.log.snapshot import STATE_BLOCKS, Snapshot
from toolcart.agent.log.snapshot_fields import EVENT_SEQUENCE_LAG, HAD_MORE, MISSED, SEQUENCE_LAG, TAKEN
from toolcart.board.ram_flash import RamFlash
from host_tests.portable import LONG
from host_tests.support.combinations import each_choice


def state_with(kinds):
    state = Snapshot(Partition(RamFlash(STATE_BLOCKS, 4096, 16), 0, STATE_BLOCKS))
    for place, kind in enumerate(kinds):
        state.places |= kind << 6 * place
    return state


@pytest.mark.parametrize(
    ("kinds", "broke_at"),
    each_choice([(0, 2, 0, 0), (1, 0, 3, 0), (1, 2, 3, 0), (0, 2, 0, 4), (1, 2, 3, 4), (0, 2, 2, 2)], [0, 30]),
)
def test_each_is_exact_after_restarts_and_a_bound_where_a_break_needs_the_room(kinds, broke_at):
    rolled = random.Random(str(kinds))
    places = [place for place in (1, 2, 3) if kinds[place]]
    for _ in range(2000 if LONG else 300):
        state = state_with(kinds)
        state.broke_at = broke_at
        truth = [0] * 4
        for _ in range(rolled.randrange(1, 4)):
            for place in places:
                more = rolled.choice((0, 1, rolled.randrange(60), rolled.randrange(100_000)))
                truth[place] += more
                state.missed_counts[place] += more
            missed_counts.put(state)
            assert state.save()
            again = Snapshot(state.device)
            assert again.load() == 1
            state = again
        for place in places:
            most = truth[place] * 1.25 + 1 if broke_at and len(places) > 1 else truth[place]
            assert truth[place] <= state.missed_counts[place] <= most
        assert all(state.missed_counts[place] == 0 for place in range(4) if place not in places)


@pytest.mark.parametrize("broke_at", [0, 30])
@pytest.mark.parametrize("more", [0, HAD_MORE])
@pytest.mark.parametrize("kinds", [(1, 0, 0, 0), (1, 2, 0, 0), (1, 0, 2, 0), (1, 0, 0, 2), (1, 2, 0, 2), (1, 3, 2, 4)])
def test_events_that_toolsnet_lacks_have_room_beside_all_other_outlets(kinds, more, broke_at):
    place = next((place for place in (1, 2, 3) if kinds[place]), 0)
    most = 1.34 if all(kinds) else 1.25  # four share what one has alone
    for events, others in ((1, 0), (7, 3), (1500, 1900), (8000, 5), (5, 8191)):
        state = state_with(kinds)
        state.broke_at = broke_at
        state.numbers[SEQUENCE_LAG], state.numbers[TAKEN], state.numbers[EVENT_SEQUENCE_LAG] = 4711, 99999, 99998
        state.places |= more
        state.missed_counts[0] = events
        if place:
            state.missed_counts[place] = others
        missed_counts.put(state)
        for _ in range(2):
            assert state.save()
            again = Snapshot(state.device)
            assert again.load() == 1
            state = again
        assert state.places & HAD_MORE == more and state.broke_at == broke_at
        assert events <= state.missed_counts[0] <= (events * most + 1 if broke_at else events)
        assert not place or others <= state.missed_counts[place] <= (others * most + 1 if broke_at else others)
        assert sum(state.missed_counts) == state.missed_counts[0] + (state.missed_counts[place] if place else 0)
        if not broke_at:
            assert (state.numbers[TAKEN], state.numbers[EVENT_SEQUENCE_LAG]) == (99999, 99998)


def test_small_numbers_are_exact_and_great_ones_stay_at_the_top():
    for kinds, exact in (((1, 2, 3, 0), 2047), ((1, 2, 3, 4), 63)):
        state = state_with(kinds)
        state.missed_counts[1:] = [exact, 1, 0]
        missed_counts.put(state)
        missed_counts.load(state, None)
        assert state.missed_counts == [0, exact, 1, 0]
        state.missed_counts[1] = 1 << 29
        missed_counts.put(state)
        missed_counts.load(state, None)
        assert state.missed_counts[1] > 1_000_000 and state.missed_counts[2:] == [1, 0]


@pytest.mark.parametrize("kinds", [(1, 2, 0, 0), (1, 2, 3, 0), (1, 2, 3, 4)])
def test_beside_events_what_is_shown_is_what_a_start_finds(kinds):
    for broke_at in (0, 30):
        for number in (1, 31, 8191, 8192, 70_001, 4_000_000):
            state = state_with(kinds)
            state.broke_at = broke_at
            state.missed_counts[:] = truth = [number + place if kinds[place] else 0 for place in range(4)]
            missed_counts.put(state)
            shown = list(missed_counts.shown(state))
            for own, more in zip(truth, shown, strict=True):
                is_over = broke_at and number > 245_000  # more than a quarter of 28 bits can say
                assert is_over or own <= more <= own * (1.34 if broke_at else 1.0005) + 1
            for _ in range(3):
                assert state.save()
                state = Snapshot(state.device)
                assert state.load() == 1
                assert state.missed_counts == list(missed_counts.shown(state)) == shown
                missed_counts.put(state)


@pytest.mark.parametrize("broke_at", [0, 30])
@pytest.mark.parametrize("kinds", [(0, 2, 0, 0), (1, 0, 3, 0), (1, 2, 3, 0), (0, 2, 2, 2)])
def test_what_is_shown_is_what_a_start_finds_and_stays_until_more_is_given_up(kinds, broke_at):
    state = state_with(kinds)
    state.broke_at = broke_at
    state.numbers[SEQUENCE_LAG], state.numbers[TAKEN], state.numbers[EVENT_SEQUENCE_LAG] = 99998, 99999, 77777
    for number in (1, 31, 217, 248, 512, 600, 1024, 5000, 70_000, 4_000_000):
        truth = [0, *(number + place if kinds[place] else 0 for place in (1, 2, 3))]
        state.missed_counts[:] = truth
        missed_counts.put(state)
        shown = list(missed_counts.shown(state))
        assert broke_at or shown == truth
        for _ in range(3):
            assert number > 1_000_000 or all(own <= more for own, more in zip(truth, shown, strict=True))
            assert state.save()
            state = Snapshot(state.device)
            assert state.load() == 1
            assert state.missed_counts == missed_counts.shown(state) == shown
            assert [state.numbers[index] for index in (SEQUENCE_LAG, TAKEN, EVENT_SEQUENCE_LAG)] == [
                99998,
                99999,
                77777,
            ]
            assert state.broke_at == broke_at
            missed_counts.put(state)


def test_sum_of_an_older_version_is_a_bound_for_each():
    state = state_with((1, 2, 3, 0))
    state.numbers[MISSED] = 1035
    missed_counts.load(state, None)
    assert state.missed_counts == [0, 1035, 1035, 0]
