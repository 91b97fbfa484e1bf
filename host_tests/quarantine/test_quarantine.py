"""What is refused is kept, each once, and goes by a drop alone; what a start finds is what was there."""

from agent.base.words import get_u32
from agent.log.numbers import DROPPED, HOLES, KEPT_DAMAGED, KEPT_LAST, LATE, SET_ASIDE
from agent.log.record import RECORD_LOST, RECORD_NONE
from agent.quarantine.quarantine import (
    FAILED,
    KEPT_BEFORE,
    KEPT_DONE,
    PRESSURE_FULL,
    PRESSURE_NONE,
    PRESSURE_TIGHT,
    TIDY_DONE,
    TIDY_MORE,
)
from agent.record import KIND_RAW, KIND_RESULT
from agent.record import result as res
from host_tests.support.kept import Shelf, room_of
from host_tests.support.log import STATE_BLOCKS, PowerCut, ident_in

PORTABLE = True
HEAVY = True
HEAP = "3m"


def entries(shelf):
    """Return (ring's number, main log's number) of all entries."""
    quarantine = shelf.quarantine
    found = []
    kind = quarantine.next_entry(0)
    while kind > RECORD_NONE:
        found.append((quarantine.entry, quarantine.number))
        kind = quarantine.next_entry(quarantine.entry)
    assert kind == RECORD_NONE
    return found


def test_an_entry_is_the_record_with_its_number_and_why():
    shelf = Shelf(results=3)
    frame = shelf.store_frame()
    assert shelf.keep(2, frame) == KEPT_DONE
    quarantine, log = shelf.quarantine, shelf.quarantine.log
    assert quarantine.find(2) == KIND_RESULT and quarantine.number == 2 and quarantine.reason == 17
    assert ident_in(log.page, log.at) == 2 and get_u32(log.page, log.at) == 2 and quarantine.is_late()
    assert quarantine.length == res.HEAD_BYTES + res.BODY_BYTES == log.length - res.PARKED_BYTES
    assert quarantine.find(frame) == KIND_RAW and quarantine.reason == res.PARKED_UNREADABLE
    assert not quarantine.is_late()
    assert quarantine.find(3) == RECORD_NONE and quarantine.numbers() == [2, frame] and quarantine.count() == 2


def test_one_in_doubt_is_not_offered_without_a_word():
    shelf = Shelf(results=2)
    shelf.keep(1, reason=res.PARKED_IN_DOUBT)
    assert shelf.quarantine.find(1) == KIND_RESULT and not shelf.quarantine.is_late()


def test_what_is_kept_twice_is_there_once_and_any_number_is_looked_up():
    shelf = Shelf(results=9)
    assert shelf.keep(2, 5) == KEPT_DONE
    assert shelf.keep(2) == shelf.keep(5) == KEPT_BEFORE
    assert shelf.keep(3) == KEPT_DONE, "below the last one and not there"
    assert [shelf.quarantine.has(number) for number in range(1, 8)] == [0, 1, 1, 0, 1, 0, 0]
    for _ in range(3):
        assert shelf.quarantine.numbers() == [2, 5, 3]
        assert shelf.state.numbers[SET_ASIDE] == 3 and shelf.state.numbers[KEPT_LAST] == 5
        shelf.start()
        assert shelf.quarantine.settle() and shelf.state.save()


def test_the_last_one_counts_after_a_start_when_it_is_settled_and_not_before():
    shelf = Shelf(results=3)
    shelf.keep(1, 2)
    shelf.start()
    assert shelf.quarantine.log.doubtful and shelf.quarantine.numbers() == [1] and shelf.quarantine.has(2) == 0
    shelf.flash.code = -2
    assert not shelf.quarantine.settle() and shelf.keep(2) == FAILED and room_of(shelf.quarantine, 114) == 0
    shelf.flash.code = 0
    assert shelf.keep(2) == KEPT_BEFORE and shelf.quarantine.numbers() == [1, 2]
    assert shelf.state.numbers[KEPT_LAST] == 2 and shelf.state.numbers[SET_ASIDE] == 2


def test_the_last_one_that_fades_at_a_start_is_kept_again():
    shelf = Shelf(results=3)
    shelf.keep(1)
    assert shelf.state.save()
    shelf.keep(2)
    shelf.spoil(2)
    shelf.start()
    assert shelf.keep(2) == KEPT_DONE and shelf.keep(2) == KEPT_BEFORE
    assert shelf.quarantine.numbers() == [1, 2] and shelf.state.numbers[SET_ASIDE] == 2
    shelf.start()
    assert shelf.quarantine.settle() and shelf.quarantine.numbers() == [1, 2]


def test_where_there_is_none_the_flash_is_asked_once():
    shelf = Shelf(results=40)
    shelf.keep(3, 30, 12, 25)
    assert shelf.quarantine.has(15) == 0
    shelf.flash.unreadable = range(STATE_BLOCKS, STATE_BLOCKS + 4)
    assert [shelf.quarantine.has(number) for number in (12, 13, 20, 24, 25)] == [-1, 0, 0, 0, -1]
    shelf.flash.unreadable = ()
    assert shelf.quarantine.has(12) == shelf.quarantine.has(25) == 1 and shelf.quarantine.has(11) == 0
    assert shelf.keep(14) == KEPT_DONE and [shelf.quarantine.has(number) for number in (13, 14, 15)] == [0, 1, 0]


def test_what_is_removed_stays_removed_and_the_others_stay():
    shelf = Shelf(results=9)
    shelf.keep(1, 2, 3, 4, 5, 6, 7)
    assert shelf.quarantine.remove([2, 4, 5], DROPPED) == 3
    for _ in range(2):
        assert shelf.quarantine.numbers() == [1, 3, 6, 7] and shelf.quarantine.count() == 4
        assert shelf.state.numbers[DROPPED] == 3 and shelf.quarantine.find(4) == RECORD_NONE
        shelf.start()
        assert shelf.quarantine.settle()
    assert shelf.quarantine.remove([1, 3], DROPPED) == 2, "the hole between is swallowed, and the one behind"
    assert shelf.quarantine.log.cursors[0].number == 5 and shelf.state.numbers[HOLES : HOLES + 8] == [0] * 8
    assert shelf.keep(4) == KEPT_DONE, "it may come again when it is refused again"
    assert shelf.quarantine.numbers() == [6, 7, 4]


def test_a_drop_that_could_not_be_written_has_not_happened():
    shelf = Shelf(results=4)
    shelf.keep(1, 2, 3, 4)
    shelf.flash.code = -2
    assert shelf.quarantine.remove([1, 3], DROPPED) == FAILED
    assert shelf.quarantine.numbers() == [1, 2, 3, 4] and shelf.state.numbers[DROPPED] == 0
    shelf.flash.code = 0
    assert shelf.quarantine.remove([1, 3], DROPPED) == 2 and shelf.quarantine.numbers() == [2, 4]
    assert shelf.quarantine.remove([3], DROPPED) == 0, "one that is not there"


def test_many_holes_are_swallowed_by_moving_the_oldest():
    for unit in (16, 256):
        shelf = Shelf(results=40, unit_bytes=unit)
        shelf.keep(*range(1, 21))
        assert shelf.quarantine.remove(list(range(2, 21, 2)), DROPPED) == 4, "so many holes there are"
        assert shelf.quarantine.remove([10], DROPPED) == 0
        assert shelf.quarantine.tidy() == TIDY_MORE and shelf.quarantine.tidy() == TIDY_DONE
        assert shelf.quarantine.numbers() == [3, 5, 7] + list(range(9, 21)) + [1]
        assert shelf.drop(*range(10, 21, 2))
        for _ in range(2):
            assert sorted(shelf.quarantine.numbers()) == list(range(1, 20, 2))
            assert shelf.state.numbers[DROPPED] == 10 and shelf.state.numbers[SET_ASIDE] == 20
            shelf.start()
            assert shelf.quarantine.settle()


def test_a_full_quarantine_can_be_emptied_in_any_order():
    for blocks, unit in ((3, 256), (4, 256), (4, 16), (6, 64)):
        for step in (1, 2, 3, 7):
            shelf = Shelf(kept_blocks=blocks, blocks=40, unit_bytes=unit)
            left = shelf.fill()
            assert len(left) >= 14 and room_of(shelf.quarantine, 114) == 0
            assert shelf.quarantine.pressure() == PRESSURE_FULL
            while left:
                some = left[step - 1 :: step] or left
                assert shelf.drop(*some), (blocks, unit, step)
                left = [number for number in left if number not in some]
                assert sorted(shelf.quarantine.numbers()) == left, (blocks, unit, step)
            assert shelf.state.numbers[KEPT_DAMAGED] == 0


def test_a_restart_at_each_step_keeps_that_so():
    shelf = Shelf(kept_blocks=3, blocks=30)
    left = shelf.fill()
    while left:
        number = left.pop(len(left) // 2)
        shelf.start()
        assert shelf.drop(number), number
        assert sorted(shelf.quarantine.numbers()) == left
    shelf.start()
    assert len(shelf.fill(100)) >= 14


def test_room_is_what_fits():
    for blocks, unit in ((3, 256), (4, 16), (5, 64)):
        shelf = Shelf(kept_blocks=blocks, blocks=40, unit_bytes=unit, results=1)
        room = room_of(shelf.quarantine, 114)
        kept = shelf.fill()
        assert room <= len(kept) <= room + 1, (blocks, unit, room, len(kept))
        for _ in range(3):  # restarts eat none of it
            assert shelf.drop(kept.pop())
            shelf.start()
            assert room_of(shelf.quarantine, 114) >= 0
        before = room_of(shelf.quarantine, 114)
        more = shelf.fill(kept[-1] + 4)
        assert len(more) >= before and len(more) <= 3 + 1


def test_room_is_what_fits_in_front_of_a_sessions_first_entry_too():
    for blocks, unit, few in ((3, 256, 5), (4, 256, 1), (4, 16, 20), (4, 64, 29), (5, 64, 40)):
        shelf = Shelf(kept_blocks=blocks, blocks=40, unit_bytes=unit, results=120)
        shelf.keep(*range(1, few + 1))
        before = room_of(shelf.quarantine, 114)
        shelf.start()
        room = room_of(shelf.quarantine, 114)
        assert room >= before - 3, (blocks, unit, room, before)
        assert shelf.quarantine.measure(114, room) and not shelf.quarantine.measure(114, room + 1)
        more = shelf.fill(few + 1)
        assert room <= len(more) <= room + 3, (blocks, unit, room, len(more))


def test_an_empty_one_has_room_for_as_many_however_much_of_its_newest_block_is_written():
    for few in (1, 8, 13, 14):
        shelf = Shelf(kept_blocks=3, blocks=40, unit_bytes=256, results=20)
        whole = room_of(shelf.quarantine, 114)
        shelf.keep(*range(1, few + 1))
        assert shelf.drop(*range(1, few + 1)) and shelf.quarantine.count() == 0
        assert room_of(shelf.quarantine, 114) == whole, few
        assert len(shelf.fill(few + 1)) == whole, few


def test_long_ones_and_short_ones_count_as_what_they_are():
    shelf = Shelf(kept_blocks=4, blocks=40, unit_bytes=256)
    assert shelf.quarantine.measure(1911)
    count = 1
    while shelf.quarantine.fits(114):
        count += 1
    assert count == room_of(shelf.quarantine, 114) - 7 and room_of(shelf.quarantine, 1911) == 4


def test_pressure_grows_before_it_is_full():
    shelf = Shelf(kept_blocks=8, blocks=60)
    seen = []
    number = 0
    while not seen or seen[-1] != PRESSURE_FULL:
        number += 1
        shelf.store()
        shelf.log.cursors[0].number = number
        shelf.keep(number)
        if not seen or seen[-1] != shelf.quarantine.pressure():
            seen.append(shelf.quarantine.pressure())
    assert seen == [PRESSURE_NONE, PRESSURE_TIGHT, PRESSURE_FULL]


def test_one_hole_is_left_for_the_entry_that_is_offered_again():
    shelf = Shelf(results=20)
    shelf.keep(*range(1, 15))
    quarantine, numbers = shelf.quarantine, shelf.state.numbers
    assert quarantine.may_leave() and quarantine.find(9) > 0
    numbers[LATE] = quarantine.entry
    assert shelf.state.save()
    assert quarantine.remove([2, 4, 6, 11], DROPPED) == 3 and not quarantine.may_leave()
    assert quarantine.tidy() == TIDY_MORE and quarantine.remove([11], DROPPED) == 1
    assert quarantine.end_late(True) and numbers[LATE] == 0 and quarantine.has(9) == 0
    assert quarantine.numbers() == [3, 5, 7, 8, 10, 12, 13, 14, 1]


def test_the_entry_that_is_offered_again_keeps_its_name_when_it_is_moved():
    shelf = Shelf(results=20)
    shelf.keep(*range(1, 15))
    quarantine, numbers = shelf.quarantine, shelf.state.numbers
    assert quarantine.find(1) > 0
    numbers[LATE] = quarantine.entry
    assert quarantine.remove([2, 4, 6], DROPPED) == 3
    assert quarantine.tidy() == TIDY_MORE and quarantine.numbers()[-1] == 1
    shelf.start()
    quarantine, numbers = shelf.quarantine, shelf.state.numbers
    assert quarantine.settle() and quarantine.next_entry(numbers[LATE] - 1) > 0 and quarantine.number == 1
    assert quarantine.end_late(False) and quarantine.has(1) == 1 and numbers[LATE] == 0


def test_a_cut_between_copy_and_snapshot_leaves_the_entry_once():
    for cut in range(1, 8):
        for tear in ("none", "half", "garbage", "all"):
            shelf = Shelf(results=20)
            shelf.keep(*range(1, 15))
            shelf.quarantine.remove([2, 4, 6, 8], DROPPED)
            shelf.flash.cut_after, shelf.flash.tear = cut - 1, tear
            try:
                assert shelf.drop(10)
            except PowerCut:
                pass
            shelf.flash.cut_after = None
            shelf.start()
            assert shelf.quarantine.settle()
            left = shelf.quarantine.numbers()
            assert sorted(set(left) | {10}) == sorted(left + [10] * (10 not in left)), (cut, tear, left)
            assert set(left) | {10} == {1, 3, 5, 7, 9, 10, 11, 12, 13, 14}, (cut, tear, left)
            assert shelf.quarantine.count() == len(left) and shelf.state.numbers[SET_ASIDE] == 14


def test_what_cannot_be_read_any_more_is_counted_shown_and_passed_with_what_lies_around_it():
    shelf = Shelf(results=9)
    shelf.keep(1, 2, 3, 4, 5)
    shelf.store()
    assert shelf.state.save()
    shelf.spoil(2)
    for _ in range(2):
        quarantine = shelf.quarantine
        assert quarantine.numbers() == [1, 3, 4, 5] and quarantine.count() == 5
        assert quarantine.next_entry(1) > 0 and quarantine.lost == 1
        assert shelf.state.numbers[KEPT_DAMAGED] == 0, "it is there"
        shelf.start()
        assert shelf.quarantine.settle()
    assert quarantine is not shelf.quarantine and shelf.drop(1)
    assert shelf.state.numbers[KEPT_DAMAGED] == 1 and shelf.quarantine.count() == 3
    shelf.start()
    assert shelf.quarantine.settle() and shelf.state.numbers[KEPT_DAMAGED] == 1
    assert shelf.quarantine.numbers() == [3, 4, 5]


def test_what_cannot_be_read_now_is_not_taken_for_gone():
    shelf = Shelf(results=9)
    shelf.keep(1, 2, 3)
    shelf.flash.unreadable = range(STATE_BLOCKS, STATE_BLOCKS + 4)
    assert shelf.quarantine.has(2) == -1 and shelf.quarantine.numbers() is None
    assert shelf.keep(2) == FAILED and shelf.quarantine.remove([2], DROPPED) == 0
    assert shelf.quarantine.next_entry(0) == RECORD_LOST and shelf.state.numbers[KEPT_DAMAGED] == 0
    shelf.flash.unreadable = ()
    assert shelf.keep(2) == KEPT_BEFORE and shelf.quarantine.numbers() == [1, 2, 3]


def test_a_quarantine_that_refuses_loses_nothing():
    shelf = Shelf(results=9)
    shelf.keep(1)
    shelf.flash.code = -2
    assert shelf.keep(2) == FAILED and shelf.quarantine.numbers() == [1] and shelf.state.numbers[KEPT_LAST] == 1
    shelf.flash.code = 0
    assert shelf.keep(2) == KEPT_DONE and shelf.quarantine.numbers() == [1, 2]


def test_a_state_that_was_lost_shows_what_was_dropped_again_and_nothing_twice():
    shelf = Shelf(results=20)
    shelf.keep(*range(1, 15))
    shelf.drop(2, 4, 6, 8, 10)
    shelf.flash.cells[: STATE_BLOCKS * 4096] = b"\xff" * (STATE_BLOCKS * 4096)
    shelf.start()
    assert shelf.quarantine.settle()
    found = shelf.quarantine.numbers()
    assert len(found) == len(set(found)) and {1, 3, 5, 7, 9, 11, 12, 13, 14} <= set(found)
    assert shelf.state.numbers[KEPT_LAST] == 14
