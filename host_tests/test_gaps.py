"""The missing IDs are exactly those that were opened and not closed, as long as three ranges can say so."""

from agent.openprotocol.gaps import GAP_IDS_MAX, GAPS_MAX, Gaps
from agent.openprotocol.ids import ID_PERIOD
from tools.sim.clock import Dice

PORTABLE = True


def made():
    return Gaps(bytearray(52))


def listed(gaps):
    """Every missing ID, in the order of the ranges."""
    found = []
    for index in range(gaps.count):
        found += [(gaps.firsts[index] + step) % ID_PERIOD for step in range(gaps.counts[index])]
    return found


def one_round(gaps):
    gaps.begin()
    found = []
    while gaps.step():
        found.append(gaps.asked)
        assert len(found) < 1000
    return found


def test_nothing_is_missing_at_first():
    gaps = made()
    assert gaps.total() == 0 and gaps.holding(5) == -1 and one_round(gaps) == []


def test_opened_ids_are_missing_and_gone_through_oldest_first():
    gaps = made()
    assert not gaps.open(5, 3) and not gaps.open(20, 2)
    assert one_round(gaps) == [5, 6, 7, 20, 21]
    assert gaps.total() == 5 and gaps.holding(6) == 0 and gaps.holding(20) == 1 and gaps.holding(8) == -1


def test_closed_id_leaves_the_others_open_wherever_it_lay():
    for number in (5, 6, 7, 8):
        gaps = made()
        gaps.open(5, 4)
        assert not gaps.cut_out(gaps.holding(number), number)
        assert listed(gaps) == [other for other in (5, 6, 7, 8) if other != number]


def test_memory_holds_the_same_ranges_after_every_change():
    for seed in range(60):
        dice = Dice(seed + 1)
        gaps = made()
        top = ID_PERIOD - 40
        missing = []
        doubt = False
        for _ in range(40):
            if dice.randrange(3) == 0:
                first = (top + 1 + dice.randrange(5)) % ID_PERIOD
                count = 1 + dice.randrange(6)
                doubt = gaps.open(first, count) or doubt
                missing += [(first + step) % ID_PERIOD for step in range(count)]
                top = missing[-1]
            elif missing:
                number = missing.pop(dice.randrange(len(missing)))
                doubt = gaps.cut_out(gaps.holding(number), number) or doubt
            again = Gaps(bytearray(gaps.memory))
            again.load()
            assert listed(again) == listed(gaps) and again.total() == gaps.total()
            # Nothing that is missing is ever forgotten; more than that only after it was said.
            assert set(missing) <= set(listed(gaps))
            assert doubt or sorted(missing) == sorted(listed(gaps))


def test_fourth_range_joins_the_third_and_says_so():
    gaps = made()
    for index in range(GAPS_MAX):
        assert not gaps.open(10 * index + 1, 2)
    assert gaps.open(51, 2)
    assert listed(gaps) == [1, 2, 11, 12] + list(range(21, 53))


def test_id_that_cannot_be_cut_out_stays_and_it_is_said():
    gaps = made()
    for index in range(GAPS_MAX):
        gaps.open(10 * index + 1, 3)
    assert gaps.cut_out(1, 12)
    assert gaps.holding(12) == 1
    assert not gaps.cut_out(1, 11) and not gaps.cut_out(1, 12)
    assert listed(gaps) == [1, 2, 3, 13, 21, 22, 23]


def test_ranges_over_each_other_are_told():
    for first, count in ((1, 3), (3, 1), (5, 9), (4, 2), (1, 100)):
        gaps = made()
        gaps.open(3, 3)
        assert gaps.open(first, count)
    gaps = made()
    gaps.open(3, 3)
    assert not gaps.open(6, 5)


def test_zero_cannot_be_asked_for_and_is_closed_on_the_way():
    gaps = made()
    gaps.open(ID_PERIOD - 2, 5)
    assert one_round(gaps) == [ID_PERIOD - 2, ID_PERIOD - 1, 1, 2]
    assert gaps.holding(0) == -1
    gaps = made()
    gaps.open(0, 1)
    assert one_round(gaps) == [] and gaps.total() == 0


def test_round_goes_on_whatever_is_closed_on_its_way():
    for seed in range(60):
        dice = Dice(seed + 1)
        gaps = made()
        for index in range(GAPS_MAX):
            gaps.open(10 * index + 1, 1 + dice.randrange(5))
        wanted = listed(gaps)
        gaps.begin()
        asked = []
        while gaps.step():
            asked.append(gaps.asked)
            if dice.randrange(2):
                gaps.cut_out(gaps.holding(gaps.asked), gaps.asked)
            if dice.randrange(3) == 0 and gaps.count:
                other = dice.randrange(gaps.count)
                gaps.cut_out(other, gaps.firsts[other])
        # Each at most once, in order; those that were left out are closed, or still there for the next round.
        assert asked == [number for number in wanted if number in asked]
        left = listed(gaps)
        assert [number for number in left if number in wanted] == left


def test_gap_that_is_split_behind_the_round_is_not_gone_through_twice():
    gaps = made()
    gaps.open(1, 5)
    gaps.open(10, 2)
    assert one_round(gaps) == [1, 2, 3, 4, 5, 10, 11]
    gaps.begin()
    while gaps.step() and gaps.asked != 11:
        pass
    gaps.cut_out(0, 3)
    assert not gaps.step()


def test_gap_wider_than_any_controller_remembers_keeps_its_newest_ids():
    gaps = made()
    assert not gaps.open(11, 1210061988)
    assert gaps.total() == GAP_IDS_MAX and gaps.dropped == 1210061988 - GAP_IDS_MAX
    assert gaps.holding(1210061998) == 0 and gaps.holding(11) == -1
    gaps = made()
    for first in (1, 3, 5):
        gaps.open(first, 1)
    gaps.open(100000, 1)
    assert listed(gaps) == [3, 5, 100000] and gaps.dropped == 1


def test_gap_of_ids_that_count_anew_takes_the_place_of_the_oldest():
    gaps = made()
    for first in (501, 511, 521):
        gaps.open(first, 2)
    gaps.open(3, 4)
    assert listed(gaps) == [511, 512, 521, 522, 3, 4, 5, 6] and gaps.dropped == 2
    assert one_round(gaps) == [511, 512, 521, 522, 3, 4, 5, 6]
