"""What is set aside stays until somebody orders otherwise, and moves on when its block is erased."""

from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.framing import RECORD_LOST
from toolcart.agent.log.snapshot_fields import DAMAGED, DROPPED, QUARANTINE_LAST, QUARANTINED, REOFFERED
from toolcart.agent.quarantine.quarantine import (
    ADMITTED,
    ADMITTED_BEFORE,
    FAILED,
    PRESSURE_FULL,
    PRESSURE_NONE,
    PRESSURE_TIGHT,
)
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res
from host_tests.portable import LONG
from host_tests.support.log import STATE_BLOCKS
from host_tests.support.quarantine import QuarantineBench, room_of
from lab.harness.flash import NEW, TEARS, UNTOUCHED, Nor

PORTABLE = True
HEAVY = True
HEAP = "3m"


def test_one_in_doubt_is_not_offered_without_a_word():
    bench = QuarantineBench(results=2)
    bench.keep(1, reason=res.QUARANTINED_IN_DOUBT)
    assert bench.quarantine.find(1) == KIND_RESULT and not bench.quarantine.may_be_reoffered()


def test_what_is_kept_twice_is_there_once():
    bench = QuarantineBench(results=9)
    assert bench.keep(2, 5) == ADMITTED
    assert bench.keep(2) == bench.keep(5) == ADMITTED_BEFORE
    assert bench.keep(3) == ADMITTED, "below the last one and not there"
    assert [bench.quarantine.has(number) for number in range(1, 8)] == [0, 1, 1, 0, 1, 0, 0]
    for _ in range(3):
        assert bench.numbers() == [2, 5, 3]
        assert bench.state.numbers[QUARANTINED] == 3 and bench.state.numbers[QUARANTINE_LAST] == 5
        bench.again()
        assert bench.state.save()


def test_last_one_counts_after_start_when_it_is_settled_and_not_before():
    bench = QuarantineBench(results=3)
    bench.keep(1, 2)
    bench.start()
    assert bench.quarantine.log.doubtful and bench.numbers() == [1] and bench.quarantine.has(2) == 0
    bench.flash.code = -2
    assert not bench.quarantine.settle() and bench.keep(2) == FAILED and room_of(bench.quarantine, 114) == 0
    bench.flash.code = 0
    assert bench.keep(2) == ADMITTED_BEFORE and bench.numbers() == [1, 2]
    assert bench.state.numbers[QUARANTINE_LAST] == 2 and bench.state.numbers[QUARANTINED] == 2


def test_the_last_one_that_fades_at_a_start_is_kept_again():
    bench = QuarantineBench(results=3)
    bench.keep(1)
    assert bench.state.save()
    bench.keep(2)
    bench.spoil(2)
    bench.start()
    assert bench.keep(2) == ADMITTED and bench.keep(2) == ADMITTED_BEFORE
    assert bench.numbers() == [1, 2] and bench.state.numbers[QUARANTINED] == 2
    bench.again()
    assert bench.numbers() == [1, 2]


def test_where_there_is_none_the_flash_is_asked_once():
    bench = QuarantineBench(results=40)
    bench.keep(3, 30, 12, 25)
    assert bench.quarantine.has(15) == 0
    bench.flash.unreadable = range(STATE_BLOCKS, STATE_BLOCKS + 4)
    assert [bench.quarantine.has(number) for number in (12, 13, 20, 24, 25)] == [-1, 0, 0, 0, -1]
    bench.flash.unreadable = ()
    assert bench.quarantine.has(12) == bench.quarantine.has(25) == 1 and bench.quarantine.has(11) == 0
    assert bench.keep(14) == ADMITTED and [bench.quarantine.has(number) for number in (13, 14, 15)] == [0, 1, 0]


def test_a_drop_that_could_not_be_written_has_not_happened():
    bench = QuarantineBench(results=4)
    bench.keep(1, 2, 3, 4)
    bench.flash.code = -2
    assert bench.quarantine.remove([1, 3], DROPPED) == FAILED
    assert bench.numbers() == [1, 2, 3, 4] and bench.state.numbers[DROPPED] == 0
    bench.flash.code = 0
    assert bench.quarantine.remove([1, 3], DROPPED) == 2 and bench.numbers() == [2, 4]
    assert bench.quarantine.remove([3], DROPPED) == 0, "one that is not there"


def test_a_refused_drop_does_not_happen_at_the_next_start():
    bench = QuarantineBench(results=4)
    bench.keep(1, 2)
    assert bench.log.maintain()
    bench.flash.code, bench.flash.refused_look = FLASH_IO, NEW  # it is programmed all the same
    assert bench.quarantine.remove([1], DROPPED) == FAILED
    bench.flash.code = FLASH_DONE
    assert not bench.log.writes_in_one_program() and bench.log.maintain() and bench.log.writes_in_one_program()
    bench.again()
    assert bench.numbers() == [1, 2]


def test_many_gaps_are_swallowed_by_moving_the_oldest():
    for unit in (16, 256):
        bench = QuarantineBench(results=40, unit_bytes=unit)
        bench.keep(*range(1, 21))
        assert bench.quarantine.remove(list(range(2, 21, 2)), DROPPED) == 4, "so many gaps there are"
        assert bench.quarantine.remove([10], DROPPED) == 0
        assert bench.quarantine.tidy() and bench.quarantine.tidy(), "the second time there is a gap"
        assert bench.numbers() == [3, 5, 7] + list(range(9, 21)) + [1]
        assert bench.drop(*range(10, 21, 2))
        for _ in range(2):
            assert sorted(bench.numbers()) == list(range(1, 20, 2))
            assert bench.state.numbers[DROPPED] == 10 and bench.state.numbers[QUARANTINED] == 20
            bench.again()


def test_a_full_quarantine_can_be_emptied_in_any_order():
    for blocks, unit in ((3, 256), (4, 256), (4, 16), (6, 64)):
        for step in (1, 2, 3, 7):
            bench = QuarantineBench(kept_blocks=blocks, blocks=40, unit_bytes=unit)
            left = bench.fill()
            assert len(left) >= 14 and room_of(bench.quarantine, 114) == 0
            assert bench.quarantine.pressure() == PRESSURE_FULL
            while left:
                some = left[step - 1 :: step] or left
                assert bench.drop(*some), (blocks, unit, step)
                left = [number for number in left if number not in some]
                assert sorted(bench.numbers()) == left, (blocks, unit, step)
            assert bench.state.numbers[DAMAGED] == 0


def test_a_restart_at_each_step_keeps_that_so():
    bench = QuarantineBench(kept_blocks=3, blocks=30)
    left = bench.fill()
    while left:
        number = left.pop(len(left) // 2)
        bench.start()
        assert bench.drop(number), number
        assert sorted(bench.numbers()) == left
    bench.start()
    assert len(bench.fill(100)) >= 14


def test_a_worn_block_and_a_cut_leave_one_that_can_be_emptied():
    for cut_after in (1, 2, 8, 17, 28):
        bench = QuarantineBench(4, unit_bytes=64)
        kept = bench.fill()
        free = [place for place in range(4) if bench.quarantine.log.firsts[place] == 0]
        bench.flash.worn = (STATE_BLOCKS + free[1],)  # no start knows of it
        assert bench.flash.cut_in(lambda bench=bench, kept=kept: bench.drop(*kept[1::2]), cut_after, NEW) is None
        bench.start()
        assert bench.quarantine.settle(), cut_after
        assert bench.drop(*bench.numbers()) and bench.quarantine.count() == 0


def test_room_is_what_fits_in_front_of_a_sessions_first_entry_too():
    for blocks, unit, few in ((3, 256, 5), (4, 256, 1), (4, 16, 20), (4, 64, 29), (5, 64, 40)):
        bench = QuarantineBench(kept_blocks=blocks, blocks=40, unit_bytes=unit, results=120)
        bench.keep(*range(1, few + 1))
        before = room_of(bench.quarantine, 114)
        bench.start()
        room = room_of(bench.quarantine, 114)
        assert room >= before - 3, (blocks, unit, room, before)
        assert bench.quarantine.measure(114, room) and not bench.quarantine.measure(114, room + 1)
        more = bench.fill(few + 1)
        assert room <= len(more) <= room + 3, (blocks, unit, room, len(more))


def test_no_start_makes_one_full_that_was_not():
    """With no block to open, what is left of a newest block that is nearly full is the room; also after a clean end."""
    for blocks, unit, most in ((3, 256, 16), (4, 16, 56), (4, 64, 42)):
        for few in range(most - 8, most):
            for is_saved in (False, True):
                bench = QuarantineBench(kept_blocks=blocks, blocks=40, unit_bytes=unit, results=120)
                bench.keep(*range(1, few + 1))
                before, pressure = room_of(bench.quarantine, 114), bench.quarantine.pressure()
                if is_saved:
                    assert bench.state.save()
                bench.start()
                where = (blocks, unit, few, is_saved)
                assert bench.quarantine.pressure() == pressure, where
                assert room_of(bench.quarantine, 114) == before == len(bench.fill(few + 1)), where
                assert bench.drop(*bench.numbers()) and bench.quarantine.count() == 0, where


def test_a_refused_copy_takes_no_room_from_those_after_it():
    for blocks, unit, few in ((3, 16, 9), (3, 64, 1), (3, 256, 12), (4, 16, 32)):
        for look in (UNTOUCHED, NEW):
            bench = QuarantineBench(blocks, flash=Nor(40, unit_bytes=unit), unit_bytes=unit, results=120)
            bench.flash.refused_look = look
            bench.keep(*range(1, few + 1))
            room, octets = room_of(bench.quarantine, 114), bench.quarantine.octets()
            bench.flash.code = FLASH_IO
            assert bench.keep(few + 1) == FAILED
            bench.flash.code = FLASH_DONE
            where = (blocks, unit, few, room)
            assert bench.quarantine.octets() == octets and room_of(bench.quarantine, 114) == room, where
            more = bench.fill(few + 1)
            assert len(more) == room and bench.quarantine.log.free_blocks() == 2, where
            bench.again()
            assert bench.numbers() == list(range(1, few + room + 1)), where


def test_power_that_fails_after_a_refused_copy_leaves_each_once():
    for look in TEARS:
        for cut in range(16):
            bench = QuarantineBench(3, blocks=40, unit_bytes=64, results=20)
            bench.keep(*range(1, 6))
            bench.flash.code = FLASH_IO
            assert bench.keep(6) == FAILED
            bench.flash.code = FLASH_DONE
            if bench.flash.cut_in(lambda bench=bench: bench.keep(*range(6, 12)), cut, look) is None:
                bench.start()
            bench.keep(*range(6, 12))
            assert bench.numbers() == list(range(1, 12)), (look, cut)


def test_an_empty_one_has_all_its_room_in_any_state():
    for few in (1, 8, 13, 14):
        bench = QuarantineBench(kept_blocks=3, blocks=40, unit_bytes=256, results=20)
        whole = room_of(bench.quarantine, 114)
        bench.keep(*range(1, few + 1))
        assert bench.drop(*range(1, few + 1)) and bench.quarantine.count() == 0
        assert room_of(bench.quarantine, 114) == whole, few
        assert len(bench.fill(few + 1)) == whole, few


def test_long_ones_and_short_ones_count_as_what_they_are():
    bench = QuarantineBench(kept_blocks=4, blocks=40, unit_bytes=256)
    assert bench.quarantine.measure(1911)
    count = 1
    while bench.quarantine.fits(114):
        count += 1
    assert count == room_of(bench.quarantine, 114) - 7 and room_of(bench.quarantine, 1911) == 4


def test_pressure_grows_before_it_is_full():
    bench = QuarantineBench(kept_blocks=8, blocks=60)
    seen = []
    number = 0
    while not seen or seen[-1] != PRESSURE_FULL:
        number += 1
        bench.store()
        bench.log.cursors[0].number = number
        bench.keep(number)
        if not seen or seen[-1] != bench.quarantine.pressure():
            seen.append(bench.quarantine.pressure())
    assert seen == [PRESSURE_NONE, PRESSURE_TIGHT, PRESSURE_FULL]


def test_one_hole_is_left_for_the_entry_that_is_offered_again():
    bench = QuarantineBench(results=20)
    bench.keep(*range(1, 15))
    quarantine, numbers = bench.quarantine, bench.state.numbers
    assert quarantine.may_leave() and quarantine.find(9) > 0
    numbers[REOFFERED] = quarantine.entry
    assert bench.state.save()
    assert quarantine.remove([2, 4, 6, 11], DROPPED) == 3 and not quarantine.may_leave()
    assert quarantine.tidy() and quarantine.remove([11], DROPPED) == 1
    assert quarantine.end_reoffer(True) and numbers[REOFFERED] == 0 and quarantine.has(9) == 0
    assert bench.numbers() == [3, 5, 7, 8, 10, 12, 13, 14, 1]


def test_a_cut_between_copy_and_snapshot_leaves_the_entry_once():
    for cut in range(1, 8):
        for look in TEARS:
            bench = QuarantineBench(results=20)
            bench.keep(*range(1, 15))
            bench.quarantine.remove([2, 4, 6, 8], DROPPED)
            assert bench.flash.cut_in(lambda bench=bench: bench.drop(10), cut - 1, look) in (True, None)
            bench.again()
            left = bench.numbers()
            assert sorted(set(left) | {10}) == sorted(left + [10] * (10 not in left)), (cut, look, left)
            assert set(left) | {10} == {1, 3, 5, 7, 9, 10, 11, 12, 13, 14}, (cut, look, left)
            assert bench.quarantine.count() == len(left) and bench.state.numbers[QUARANTINED] == 14


def test_what_cannot_be_read_any_more_is_counted_and_passed():
    bench = QuarantineBench(results=9)
    bench.keep(1, 2, 3, 4, 5)
    bench.store()
    assert bench.state.save()
    bench.spoil(2)
    for _ in range(2):
        quarantine = bench.quarantine
        assert bench.numbers() == [1, 3, 4, 5] and quarantine.count() == 5
        assert quarantine.next_entry(1) > 0 and quarantine.lost == 1
        assert bench.state.numbers[DAMAGED] == 0, "it is there"
        bench.again()
    assert quarantine is not bench.quarantine and bench.drop(1)
    assert bench.state.numbers[DAMAGED] == 1 and bench.quarantine.count() == 3
    bench.again()
    assert bench.state.numbers[DAMAGED] == 1
    assert bench.numbers() == [3, 4, 5]


def test_what_cannot_be_read_now_is_not_taken_for_gone():
    bench = QuarantineBench(results=9)
    bench.keep(1, 2, 3)
    bench.flash.unreadable = range(STATE_BLOCKS, STATE_BLOCKS + 4)
    assert bench.quarantine.has(2) == -1 and bench.numbers() is None
    assert bench.keep(2) == FAILED and bench.quarantine.remove([2], DROPPED) == 0
    assert bench.quarantine.next_entry(0) == RECORD_LOST and bench.state.numbers[DAMAGED] == 0
    bench.flash.unreadable = ()
    assert bench.keep(2) == ADMITTED_BEFORE and bench.numbers() == [1, 2, 3]


def test_a_quarantine_that_refuses_loses_nothing():
    bench = QuarantineBench(results=9)
    bench.keep(1)
    bench.flash.code = -2
    assert bench.keep(2) == FAILED and bench.numbers() == [1] and bench.state.numbers[QUARANTINE_LAST] == 1
    bench.flash.code = 0
    assert bench.keep(2) == ADMITTED and bench.numbers() == [1, 2]


def test_state_that_was_lost_shows_what_was_dropped_again_and_nothing_twice():
    bench = QuarantineBench(results=20)
    bench.keep(*range(1, 15))
    bench.drop(2, 4, 6, 8, 10)
    bench.flash.cells[: STATE_BLOCKS * 4096] = b"\xff" * (STATE_BLOCKS * 4096)
    bench.again()
    numbers_left = bench.numbers()
    assert len(numbers_left) == len(set(numbers_left)) and {1, 3, 5, 7, 9, 11, 12, 13, 14} <= set(numbers_left)
    assert bench.state.numbers[QUARANTINE_LAST] == 14


def test_a_drop_works_where_the_room_for_copies_has_worn_out():
    for every in (2, 3, 5):
        for unit_bytes in (1, 64, 256):
            bench = QuarantineBench(4, blocks=34, unit_bytes=unit_bytes)
            kept = bench.fill()
            log = bench.quarantine.log
            free = [place for place in range(4) if not log.firsts[place]]
            bench.flash.worn = (STATE_BLOCKS + free[0],)
            dropped = [number for number in kept if number % every]
            assert len(free) == 2 and bench.drop(*reversed(dropped)), (every, unit_bytes)
            left = sorted(set(kept) - set(dropped))
            assert sorted(bench.numbers()) == left and log.blocks.count_free(log.lowest()) > 0
            bench.again()
            assert sorted(bench.numbers()) == left and bench.state.numbers[DAMAGED] == 0


def test_power_that_fails_while_a_block_is_moved_leaves_each_once():
    for look in TEARS:
        for cut in range(0, 60, 1 if LONG else 7):
            bench = QuarantineBench(4, blocks=34, unit_bytes=64)
            kept = bench.fill()
            free = [place for place in range(4) if not bench.quarantine.log.firsts[place]]
            bench.flash.worn = (STATE_BLOCKS + free[0],)
            dropped = kept[1::2]
            done = bench.flash.cut_in(lambda bench=bench, dropped=dropped: bench.drop(*dropped), cut, look)
            assert done in (True, None)
            if done is None:
                bench.flash.worn = ()  # no start knows of it, and what it tries first may be that one
                bench.again()
            numbers_left = bench.numbers()
            assert len(numbers_left) == len(set(numbers_left)) and set(kept[::2]) <= set(numbers_left) <= set(kept), (
                look,
                cut,
            )
            assert bench.drop(*[number for number in numbers_left if number in dropped])
            assert sorted(bench.numbers()) == kept[::2]


def keep_until_tight(bench):
    """Set aside result after result until an operator is wanted; return how many."""
    number = 0
    while bench.quarantine.pressure() == PRESSURE_NONE:
        number += 1
        bench.store()
        bench.log.cursors[0].number = number
        bench.keep(number)
    return number


def test_an_empty_quarantine_needs_nobody():
    bench = QuarantineBench(kept_blocks=8, blocks=60)
    keep_until_tight(bench)
    while bench.quarantine.count():
        assert bench.quarantine.remove(bench.numbers(), DROPPED) > 0
    assert bench.quarantine.pressure() == PRESSURE_NONE


def _zero(bench, *places):
    assert bench.state.save()
    block_bytes = bench.flash.block_bytes
    for place in places:
        begin = (STATE_BLOCKS + place) * block_bytes
        bench.flash.cells[begin : begin + block_bytes] = bytes(block_bytes)


def test_what_was_set_aside_and_cannot_be_read_is_counted_at_every_start_until_it_is_given_up():
    bench = QuarantineBench(4, results=9)
    bench.keep(1, 2, 3, 4, 5)
    assert bench.drop(3) and bench.quarantine.unreadable == 0
    _zero(bench, 0, 1, 2, 3)
    for _ in range(3):
        bench.start()
        assert (bench.quarantine.count(), bench.quarantine.unreadable) == (4, 4)
        assert bench.state.save()
    bench.keep(6)
    bench.again()
    assert bench.numbers() == [6] and (bench.quarantine.count(), bench.quarantine.unreadable) == (5, 4)
    assert bench.drop(6) and bench.state.numbers[DAMAGED] == 4
    bench.again()
    assert (bench.quarantine.count(), bench.quarantine.unreadable) == (0, 0)


def test_what_cannot_be_read_is_given_up_without_anything_that_can():
    bench = QuarantineBench(4, results=9)
    bench.keep(1, 2, 3)
    _zero(bench, 0, 1, 2, 3)
    bench.again()
    assert bench.quarantine.give_up_unreadable() == 3 and bench.quarantine.give_up_unreadable() == 0
    bench.again()
    assert bench.quarantine.count() == bench.quarantine.unreadable == 0 and bench.state.numbers[DAMAGED] == 3
    bench.keep(7)
    bench.again()
    assert bench.numbers() == [7] and bench.quarantine.unreadable == 0


def test_the_newest_block_of_a_quarantine_that_is_gone_is_no_end_of_it():
    bench = QuarantineBench(6, blocks=30)
    kept = bench.fill()
    newest = bench.quarantine.log.block
    _zero(bench, newest)
    bench.again()
    readable = bench.numbers()
    assert 0 < len(readable) < len(kept) and readable == kept[: len(readable)]
    assert bench.quarantine.unreadable == len(kept) - len(readable) and bench.quarantine.count() == len(kept)
    bench.again()
    assert bench.quarantine.unreadable == len(kept) - len(readable)


def test_a_block_in_the_middle_that_is_gone_is_counted_by_a_start():
    bench = QuarantineBench(6, blocks=30)
    kept = bench.fill()
    firsts = sorted((first, place) for place, first in enumerate(bench.quarantine.log.firsts) if first)
    _zero(bench, firsts[1][1])
    bench.again()
    assert bench.quarantine.unreadable == firsts[2][0] - firsts[1][0] and bench.quarantine.count() == len(kept)


def test_blocks_whose_entries_are_all_gone_are_not_called_full():
    for kept_blocks in (4, 8):
        for left in (1, 0):
            bench = QuarantineBench(kept_blocks=kept_blocks, blocks=60)
            number = keep_until_tight(bench)
            while bench.quarantine.count() > left:
                assert bench.quarantine.remove(bench.numbers()[: number - left], DROPPED) > 0
            if left == 0:
                bench.store()
                bench.keep(number + 1)
            assert bench.quarantine.count() == 1
            assert bench.quarantine.pressure() == PRESSURE_NONE, "one is there, and the blocks before it are free"
            bench.again()
            assert bench.quarantine.count() == 1 and bench.quarantine.pressure() == PRESSURE_NONE
