"""The missing IDs are exactly those opened and not closed; what cannot be noted any more is the oldest, and counted."""

from agent.openprotocol.gaps import GAP_IDS_MAX, GAPS_BYTES, GAPS_MAX, Gaps
from agent.openprotocol.ids import ID_PERIOD
from tools.sim.clock import Dice

PORTABLE = True

AT = 3  # somewhere inside a memory


def listed(gaps):
    """Every missing ID, in the order of the ranges."""
    found = []
    for index in range(gaps.count):
        found += [(gaps.firsts[index] + step) % ID_PERIOD for step in range(gaps.counts[index])]
    return found


def ranges(gaps):
    return [(gaps.firsts[index], gaps.counts[index]) for index in range(gaps.count)]


def read_again(gaps):
    """What a start would read out of the memory."""
    memory = bytearray(b"\xa5" * (AT + GAPS_BYTES + 2))
    gaps.write(memory, AT)
    assert memory[:AT] + memory[-2:] == b"\xa5" * (AT + 2)
    again = Gaps()
    again.load(memory, AT, 0)
    return again


def opened(*some):
    gaps = Gaps()
    for first, count in some:
        assert gaps.open(first, count) == 0
    return gaps


def full(first=1, count=3, step=10):
    return opened(*[(first + step * index, count) for index in range(GAPS_MAX)])


def test_nothing_is_missing_at_first():
    gaps = Gaps()
    assert gaps.total() == 0 and gaps.holding(5) == -1 and gaps.fits(5) and not gaps.splits(5)
    assert read_again(gaps).count == 0


def test_opened_ids_are_missing_and_no_others():
    gaps = opened((5, 3), (20, 2))
    assert listed(gaps) == [5, 6, 7, 20, 21] and gaps.total() == 5
    assert [gaps.holding(number) for number in (4, 5, 7, 8, 19, 20, 21, 22)] == [-1, 0, 0, -1, -1, 1, 1, -1]


def test_closed_id_leaves_the_others_open_wherever_it_lay():
    for number in (5, 6, 7, 8):
        gaps = opened((5, 4))
        assert gaps.cut(number, 1) == 0
        assert listed(gaps) == [other for other in (5, 6, 7, 8) if other != number]


def test_run_of_ids_is_closed_as_far_as_its_range_goes():
    for first, length, left in (
        (5, 2, [7, 8]),
        (6, 2, [5, 8]),
        (7, 2, [5, 6]),
        (7, 9, [5, 6]),
        (5, 4, []),
        (9, 2, [5, 6, 7, 8]),
    ):
        gaps = opened((5, 4), (20, 1))
        assert gaps.cut(first, length) == 0
        assert listed(gaps) == left + [20]


def test_memory_holds_the_same_ranges_after_every_change():
    for seed in range(80):
        dice = Dice(seed + 1)
        gaps = Gaps()
        top = ID_PERIOD - 40
        missing = []
        gone = 0
        for _ in range(60):
            if dice.randrange(3) == 0:
                first = (top + 1 + dice.randrange(5)) % ID_PERIOD
                count = 1 + dice.randrange(6)
                gone += gaps.open(first, count)
                missing += [(first + step) % ID_PERIOD for step in range(count)]
                top = missing[-1]
            elif missing:
                number = missing.pop(dice.randrange(len(missing)))
                gone += gaps.cut(number, 1)
            # What had to go is the oldest, and as many as was said.
            missing = missing[gone:]
            gone = 0
            assert listed(gaps) == missing and gaps.total() == len(missing)
            assert ranges(read_again(gaps)) == ranges(gaps)


def test_range_too_many_makes_the_oldest_go_and_says_how_many_ids_that_were():
    gaps = full()
    assert not gaps.fits(51)
    assert gaps.open(51, 2) == 3
    assert listed(gaps)[:3] == [11, 12, 13] and listed(gaps)[-2:] == [51, 52] and gaps.count == GAPS_MAX


def test_range_behind_the_last_one_joins_it():
    gaps = full()
    end = gaps.firsts[GAPS_MAX - 1] + 3
    assert gaps.fits(end)
    assert gaps.open(end, 4) == 0
    assert gaps.count == GAPS_MAX and gaps.counts[GAPS_MAX - 1] == 7
    assert ranges(read_again(gaps)) == ranges(gaps)


def test_joined_range_keeps_no_more_ids_than_a_controller_does():
    gaps = opened((1, GAP_IDS_MAX - 10))
    assert gaps.open(GAP_IDS_MAX - 9, 30) == 20
    assert ranges(gaps) == [(21, GAP_IDS_MAX)]


def test_id_in_the_middle_that_needs_a_range_too_many_is_told_before_and_costs_the_oldest():
    gaps = full()
    assert gaps.splits(12) and not gaps.splits(11) and not gaps.splits(13) and not gaps.splits(14)
    assert gaps.cut(12, 1) == 3
    assert listed(gaps) == [11, 13, 21, 22, 23, 31, 32, 33, 41, 42, 43]
    gaps = full()
    assert gaps.cut(2, 1) == 1  # the oldest is what was just split off
    assert listed(gaps)[:2] == [3, 11]


def test_gap_wider_than_any_controller_remembers_keeps_its_newest_ids():
    gaps = Gaps()
    assert gaps.open(11, 1210061988) == 1210061988 - GAP_IDS_MAX
    assert gaps.total() == GAP_IDS_MAX
    assert gaps.holding(1210061998) == 0 and gaps.holding(11) == -1
    assert ranges(read_again(gaps)) == ranges(gaps)


def test_ranges_too_far_apart_to_be_noted_together_leave_the_newer():
    gaps = opened((1, 2), (10, 1))
    assert gaps.fits(65546) and not gaps.fits(65547)
    assert gaps.open(65547, 2) == 3 and ranges(gaps) == [(65547, 2)]
    gaps = opened((10, 1))
    assert gaps.open(65546, 2) == 0
    assert ranges(read_again(gaps)) == [(10, 1), (65546, 2)]


def test_what_lay_between_two_ranges_and_is_closed_leaves_no_skip_that_cannot_be_noted():
    widest = 65535
    # The last ID of a range, and the first one, with as much between them as can be noted.
    for number, left in ((2, (3 + widest, 2)), (3 + widest, (4 + widest, 1))):
        gaps = opened((1, 2), (3 + widest, 2))
        assert gaps.splits(number)
        assert gaps.cut(number, 1) == (1 if number == 2 else 2)
        assert ranges(gaps) == [left] == ranges(read_again(gaps))
    gaps = opened((1, 1), (60000, 1), (120000, 1))
    assert gaps.splits(60000)
    assert gaps.cut(60000, 1) == 1
    assert ranges(read_again(gaps)) == [(120000, 1)]
    gaps = opened((1, 1), (60000, 1), (120000, 1))
    assert not gaps.splits(1) and not gaps.splits(120000)
    assert gaps.cut(1, 1) == 0 and gaps.cut(120000, 1) == 0 and ranges(gaps) == [(60000, 1)]


def test_ids_that_count_anew_come_first_and_take_over_what_lay_there():
    gaps = opened((50, 5), (90, 20), (200, 3))
    assert gaps.put_below(1, 100) == 5 + 11  # of the former life: nobody can ask for those any more
    assert listed(gaps) == list(range(1, 110)) + [200, 201, 202]
    gaps = opened((50, 5))
    assert gaps.put_below(1, 40) == 0 and ranges(gaps) == [(1, 40), (50, 5)]
    gaps = opened((50, 5))
    assert gaps.put_below(1, GAP_IDS_MAX + 10) == 10 + 5
    assert ranges(gaps) == [(11, GAP_IDS_MAX)]


def test_ids_that_count_anew_are_not_given_up_for_those_before_the_wrap():
    gaps = opened((ID_PERIOD - 9, 4), (20, 2))
    assert gaps.put_below(1, 10) == 4
    assert ranges(gaps) == [(1, 10), (20, 2)]


def test_what_lies_in_front_of_the_first_result_of_all_is_told_from_id_1_on_only():
    for first, told in ((1, 0), (6, 5)):  # the newest of a controller that was met without any result
        gaps = Gaps()
        gaps.begins = first
        gaps.open((first - GAP_IDS_MAX + 1) % ID_PERIOD, GAP_IDS_MAX - 1)
        assert gaps.total() == GAP_IDS_MAX - 1 and gaps.missed() == told
        gaps.open(first + 10, 3)
        assert gaps.missed() == told + 3
    gaps = opened((ID_PERIOD - 2, 4))  # missed in front of the wrap and behind it: the first result was there before
    assert gaps.missed() == gaps.total() == 4


def test_clearing_says_how_many_were_missing():
    gaps = full()
    assert gaps.clear() == 3 * GAPS_MAX and gaps.count == 0 and read_again(gaps).count == 0
