"""Snapshots by themselves: which one counts, where the next one goes, what a failing flash does to them."""

from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.flash import FLASH_DONE
from toolcart.agent.log.snapshot import (
    STATE_EMPTY,
    STATE_FINE,
    STATE_FOREIGN,
    STATE_FOUND,
    STATE_LAST,
    STATE_LOST,
    STATE_WORN,
    Snapshot,
)
from toolcart.agent.log.snapshot_fields import (
    CURSOR,
    DELIVERED,
    JUMPED,
    JUMPED_FINDS_AGAIN,
    MISSED,
    MISSED_SHARED,
    NUMBERS,
    OCTETS,
    SEQUENCE_LAG,
)
from toolcart.board.ram_flash import RamFlash
from host_tests.support.heap import allocated, heap_tools
from lab.harness.flash import TEARS, Nor, PowerCut

PORTABLE = True

TOP = 0x3FFFFFFF
SPOILT = b"\x55" * 256


class Faulty(Nor):
    """Blocks in `silent` lose octets and say nothing; `erased` are blocks in their order."""

    def __init__(self, unit_bytes=256, block_bytes=1024):
        Nor.__init__(self, 4, block_bytes, unit_bytes)
        self.silent = ()
        self.erased = []

    def write(self, block, address, octets):
        code = Nor.write(self, block, address, octets)
        if block in self.silent:
            self.cells[address + 40] ^= 4
        return code

    def blank(self, block, address, n):
        code = Nor.blank(self, block, address, n)
        if code == FLASH_DONE:
            self.erased.append(block)
        return code


def started(flash):
    state = Snapshot(flash)
    before = flash.operations
    state.load()
    assert flash.operations == before, "a start writes nothing"
    return state


def saved(state, value):
    state.numbers[DELIVERED] = value
    return state.save()


def test_an_erased_area_holds_no_snapshot():
    state = Snapshot(Faulty())
    assert state.load() == STATE_EMPTY and not state.found and state.numbers == [0] * NUMBERS


def test_where_sequences_broke_is_kept_beside_them_and_nothing_else_changes():
    flash = Faulty()
    state = started(flash)
    for at, by in ((0, 0), (1, 1), (99999, 99998), (8191, 8192), (8192, 8191), (0, 5), (70000, 3)):
        state.broke_at, state.broke_by = at, by
        for index in range(NUMBERS):
            state.numbers[index] = 99990 - index
        state.names[:] = bytes(range(0xF0, 0xFC))
        assert state.save()
        again = Snapshot(flash)
        assert again.load() == STATE_FOUND
        assert (again.broke_at, again.broke_by) == ((at, by) if at else (0, 0))
        assert again.numbers == state.numbers == again.durable and again.names == state.names
    state.numbers[SEQUENCE_LAG] = 3 * 99999 + 7
    assert state.save() and Snapshot(flash).load() == STATE_FOUND
    again = Snapshot(flash)
    again.load()
    assert again.numbers[SEQUENCE_LAG] == 7, "the same on the circle of sequences"
    assert again.numbers == state.durable, "and what was saved says so"


def test_what_was_saved_is_found_whole():
    for unit, block_bytes in ((1, 1024), (16, 512), (256, 4096), (512, 4096)):
        flash = Faulty(unit, block_bytes)
        state = started(flash)
        state.identity = 77
        for turn in range(70):
            for index in range(NUMBERS):
                state.numbers[index] = TOP - index * turn
            state.numbers[JUMPED] &= ~JUMPED_FINDS_AGAIN
            for index in range(OCTETS):
                state.octets[index] = (index + turn) & 0xFF
            assert state.save() and state.durable == state.numbers
            again = Snapshot(flash)
            assert again.load() == STATE_FOUND and again.identity == 77
            assert again.numbers == state.numbers == again.durable and again.octets == state.octets
        assert state.saves == 70 and state.alarm == STATE_FINE


def test_a_start_begins_a_fresh_block_with_the_same_snapshot_twice():
    flash = Faulty()
    for turn in range(1, 10):
        state = started(flash)
        operations = flash.operations
        assert saved(state, turn) and flash.operations == operations + 3
        assert saved(state, turn + 100) and flash.operations == operations + 4
        assert started(flash).numbers[DELIVERED] == turn + 100
    assert flash.erased == [0, 1, 2, 3, 0, 1, 2, 3, 0], "all four take turns"


def test_all_four_blocks_take_turns_in_one_session():
    flash = Faulty()
    state = started(flash)
    for turn in range(1, 28):
        assert saved(state, turn)
    assert flash.erased == [0, 1, 2, 3, 0, 1, 2, 3, 0] and state.erases == 9


def test_a_session_is_ready_once_it_has_saved():
    flash = Faulty()
    state = started(flash)
    assert not state.writes_in_one_program() and state.saves == 0
    assert state.ensure_reliable() and state.saves == 1 and state.ensure_reliable() and state.saves == 1
    assert state.writes_in_one_program() and saved(state, 1) and saved(state, 2) and not state.writes_in_one_program()


def test_a_snapshot_that_is_damaged_or_lies_elsewhere_does_not_count():
    flash = Faulty()
    state = started(flash)
    assert saved(state, 1) and saved(state, 2)
    for at in range(0, 256, 9):
        flash.cells[512 + at] ^= 1
        assert started(flash).numbers[DELIVERED] == 1
        flash.cells[512 + at] ^= 1
    flash.cells[768:1024] = flash.cells[512:768]
    flash.cells[512:768] = b"\xff" * 256
    assert started(flash).numbers[DELIVERED] == 1, "in another slot"
    flash.cells[1024:2048] = flash.cells[0:1024]
    flash.cells[0:1024] = b"\xff" * 1024
    assert Snapshot(flash).load() == STATE_EMPTY, "in another block"


def test_snapshots_of_another_format_or_size_are_left_alone():
    flash = Faulty(64, 1024)
    saved(started(flash), 1)
    other = Faulty(16, 1024)
    other.cells[:] = flash.cells
    assert Snapshot(other).load() == STATE_FOREIGN


def test_cut_anywhere_leaves_what_was_saved_or_what_was_to_be_saved():
    for look in TEARS:
        for cut in range(30):
            flash = Faulty()
            flash.cut_after = cut
            flash.look = look
            done = tried = 0
            try:
                while True:
                    state = started(flash)
                    assert done <= state.numbers[DELIVERED] <= tried
                    for _ in range(4):
                        tried += 1
                        if saved(state, tried):
                            done = tried
            except PowerCut:
                pass
            delivered = started(flash).numbers[DELIVERED]
            assert done <= delivered <= tried, (look, cut)
            state = started(flash)
            assert saved(state, 1000) and started(flash).numbers[DELIVERED] == 1000


def test_two_cuts_in_a_row_lose_nothing_that_was_relied_on():
    for look in TEARS:
        for first in range(5, 16):
            for second in range(6):
                flash = Faulty(256, 512)
                flash.cut_after = first
                flash.look = look
                done = _until_cut(flash)
                flash.cut_after = second
                done = max(done, _until_cut(flash, 100))
                assert started(flash).numbers[DELIVERED] >= done, (look, first, second)


def _until_cut(flash, value=0):
    done = 0
    try:
        state = started(flash)
        while True:
            value += 1
            if saved(state, value):
                done = value
    except PowerCut:
        return done


def test_first_snapshot_of_a_cut_opening_never_beats_a_later_one():
    """Two openings are cut behind their first snapshot; what they left reads well at one start and not at the next."""
    for is_seen in (False, True):  # by the second one
        flash = Faulty()
        assert saved(started(flash), 1)
        left = {}
        for value in (2, 3):
            flash.cut_after = 2
            try:
                saved(started(flash), value)
            except PowerCut:
                left[flash.erased[-1]] = None
            for block in left:
                at = 1024 * block
                if flash.cells[at : at + 256] != SPOILT:
                    left[block] = bytes(flash.cells[at : at + 256])
                    if value == 3 or not is_seen:
                        flash.cells[at : at + 256] = SPOILT
        assert left and saved(started(flash), 10)
        for block in left:
            at = 1024 * block
            if flash.cells[at : at + 256] == SPOILT:
                flash.cells[at : at + 256] = left[block]
        assert started(flash).numbers[DELIVERED] == 10, is_seen


def test_snapshot_that_rots_at_the_front_of_block_leaves_the_other_one():
    for slot in (0, 1):
        flash = Faulty()
        for value in (1, 2):
            assert saved(started(flash), value)
        flash.cells[1024 + slot * 256 + 99] ^= 4
        assert started(flash).numbers[DELIVERED] == 2


def test_failing_blocks_are_left_until_the_last_which_stays_as_it_is():
    flash = Faulty()
    state = started(flash)
    for turn in range(1, 8):
        assert saved(state, turn)
    flash.worn = (3,)
    for turn in range(8, 20):
        assert saved(state, turn) and state.alarm == STATE_FINE
    flash.worn = (2, 3)
    for turn in range(20, 40):
        assert saved(state, turn)
    assert state.alarm == STATE_WORN and state.worn == 2
    flash.worn = (1, 2, 3)
    while saved(state, turn):
        turn += 1
        assert turn < 60
    assert state.alarm == STATE_LAST and state.ensure_reliable(), "delivery goes on without"
    kept = bytes(flash.cells)
    assert not state.save() and bytes(flash.cells) == kept
    assert started(flash).numbers[DELIVERED] >= turn - 1


def test_a_device_that_cannot_be_read_is_lost_and_not_empty():
    flash = Faulty()
    saved(started(flash), 1)
    flash.unreadable = (2,)
    assert Snapshot(flash).load() == STATE_LOST


def test_a_number_that_no_snapshot_holds_is_put_right_and_counted():
    for index in range(NUMBERS):
        for wrong, right in ((-1, 0), (-(1 << 40), 0), (TOP + 1, TOP), (1 << 40, TOP)):
            flash = Nor(4, 4096, 256)
            state = started(flash)
            cursor = Cursor()
            state.follow(cursor, CURSOR, SEQUENCE_LAG)
            if index == CURSOR:
                cursor.number = wrong
            elif index == SEQUENCE_LAG:
                cursor.sequence_lag = wrong
            else:
                state.numbers[index] = wrong
            assert state.save() and state.corrected == 1, index
            assert state.numbers[index] == right
            if index == JUMPED:
                right &= ~JUMPED_FINDS_AGAIN
            assert started(flash).numbers[index] == right
            assert state.save() and state.corrected == 1
            assert cursor.number == state.numbers[CURSOR] and cursor.sequence_lag == state.numbers[SEQUENCE_LAG]


def test_names_stand_above_numbers_of_any_size():
    for fill in (0, 0x55, 0xAA, 0xFF):
        flash = Nor(4, 4096, 256)
        state = started(flash)
        for index in range(NUMBERS):
            state.numbers[index] = TOP - index
        state.numbers[MISSED] &= ~MISSED_SHARED
        state.numbers[JUMPED] &= ~JUMPED_FINDS_AGAIN
        for index in range(len(state.names)):
            state.names[index] = fill ^ index
        state.places = 0xFEDCBA
        assert state.save()
        after = started(flash)
        assert after.numbers == state.numbers and after.names == state.names and after.places == 0xFEDCBA
        assert after.save() and started(flash).numbers == state.numbers


def test_a_save_allocates_nothing():
    heap_tools()
    state = Snapshot(RamFlash(4, 4096, 64))
    state.load()
    state.follow(Cursor(), CURSOR)

    def save(count):
        for turn in range(count):
            state.numbers[SEQUENCE_LAG] = TOP - turn
            if not state.save():
                return False
        return True

    assert save(3)
    assert allocated(save, 60) == 0
