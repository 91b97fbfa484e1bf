"""What is set aside lies where it was until somebody leaves it: found after any start, and never erased before."""

from agent.outlets.toolsnet.position import SET_ASIDE
from agent.spool import aside
from agent.spool import record as rec
from agent.spool.blocks import SPOOL_FULL, WHEN_FULL_OVERWRITE
from agent.log.flash import FLASH_DONE
from agent.spool.memory import ASIDE_RANGES
from agent.spool.mount import mount
from agent.spool.ring import Ring
from host_tests.support_spool import append, ident_in, mounted, read_all
from host_tests.test_blocks import outlet_of
from tools.sim.flash import FADES, PowerCut, SimFlash

PORTABLE = True
HEAP = "4m"  # for the simulated chips


def with_ranges(*ranges, blocks=6, count=20, when_full=0):
    """A log of `count` results of which each (first, last, reason) is set aside and what lies between is delivered."""
    flash = SimFlash(blocks, 1024, 16)
    ring = mounted(flash, when_full=when_full)
    for ident in range(1, count + 1):
        assert append(ring, ident) == FLASH_DONE
    outlet = outlet_of(ring)
    for first, last, reason in ranges:
        while outlet.next() > 0 and outlet.cursor.peek_number < first:
            outlet.deliver(outlet.cursor.peek_number)
        assert outlet.set_aside(last + 1, reason, 0) == SET_ASIDE
    return flash, ring


def idents_of_oldest(ring):
    """Which tightenings the oldest range holds."""
    found = []

    def visit(kind):
        if kind == rec.KIND_RESULT:
            found.append(ident_in(ring.walk.page))
        return False

    assert aside.walk_from(ring, ring.aside_block, ring.aside_first, ring.aside_last + 1, visit) is False
    return found


def all_ranges(ring):
    """Every range with its reason, oldest first; each is left behind, and at last the log is told."""
    found = []
    while ring.has_aside():
        reason = aside.find_range(ring, ring.aside_first - 1)[2]
        found.append((idents_of_oldest(ring), reason))
        assert aside.leave_range(ring) == FLASH_DONE
    assert aside.save(ring) == FLASH_DONE and aside.is_saved(ring)
    return found


def test_ranges_are_found_one_after_the_other_with_their_reasons():
    _, ring = with_ranges((2, 3, 41), (5, 5, 42), (11, 14, 43))
    assert ring.memory[ASIDE_RANGES] == 2
    assert all_ranges(ring) == [([2, 3], 41), ([5], 42), ([11, 12, 13, 14], 43)]
    assert ring.memory[ASIDE_RANGES] == 0
    assert [ident for _, ident in read_all(ring)] == [15, 16, 17, 18, 19, 20]


def test_a_start_finds_the_same_ranges_and_the_block_that_the_oldest_begins_in():
    for first in (1, 6, 8, 13, 15):
        flash, ring = with_ranges((first, first + 1, 41), (first + 3, first + 5, 42))
        again = mounted(flash)
        assert again.aside_block == ring.aside_block, first
        assert all_ranges(again) == [([first, first + 1], 41), ([first + 3, first + 4, first + 5], 42)]
        assert not mounted(flash).has_aside()


def test_a_range_whose_record_fades_after_a_start_has_relied_on_it_is_found_with_its_reason():
    for before in ((), ((2, 3, 41),)):
        flash, ring = with_ranges(*before)
        outlet = outlet_of(ring)
        while outlet.next() > 0 and outlet.cursor.peek_number < 5:
            outlet.deliver(outlet.cursor.peek_number)
        assert ring.save_cursors(0) == FLASH_DONE
        flash.cut_at, flash.cut_shape = flash.operations + 1, FADES
        try:
            outlet.set_aside(7, 42, 0)
            raise AssertionError("nothing was written")
        except PowerCut:
            flash.restart()
        assert mounted(flash).backlog(0) == 14
        flash.restart()
        again = mounted(flash)
        assert again.backlog(0) == 14
        assert all_ranges(again) == [([2, 3], 41)][: len(before)] + [([5, 6], 42)]


def test_leaving_a_range_moves_on_to_the_block_of_the_next():
    flash, ring = with_ranges((1, 2, 41), (15, 16, 42))
    before = ring.aside_block
    assert aside.leave_range(ring) == FLASH_DONE and aside.save(ring) == FLASH_DONE
    assert ring.aside_block != before and ring.aside_block == mounted(flash).aside_block
    assert idents_of_oldest(ring) == [15, 16]


def test_the_block_of_what_is_set_aside_is_not_erased_before_it_is_left():
    for restart in (False, True):
        flash, ring = with_ranges((1, 2, 41), count=5)
        if restart:
            ring = mounted(flash)
        ident = 6
        while append(ring, ident) == FLASH_DONE:
            read_all(ring)
            ring.maintain()
            ident += 1
            assert ident < 200, "the block was used again"
        assert append(ring, ident) == SPOOL_FULL and ring.backlog(0) == 0
        assert idents_of_oldest(ring) == [1, 2]
        assert aside.leave_range(ring) == FLASH_DONE and aside.save(ring) == FLASH_DONE
        for more in range(100):
            assert append(ring, ident + more) == FLASH_DONE
            read_all(ring)


def test_where_overwriting_is_allowed_what_is_set_aside_is_given_up_at_last_and_counted():
    flash, ring = with_ranges((1, 3, 41), (9, 10, 42), when_full=WHEN_FULL_OVERWRITE)
    read_all(ring)
    for ident in range(21, 120):
        assert append(ring, ident) == FLASH_DONE
        read_all(ring)
    assert ring.overwritten == 5 and not ring.has_aside()
    again = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
    assert again.overwritten == 5 and not again.has_aside()


def test_all_ranges_of_a_block_are_given_up_at_once_and_what_is_counted_is_durable_then():
    """A log that gave up one of them, and was full for the other, would count what its flash still holds."""
    flash, ring = with_ranges((1, 2, 41), (4, 4, 42), when_full=WHEN_FULL_OVERWRITE)
    assert aside.find_range(ring, ring.aside_last)[0] < ring.bound(ring.aside_block)  # both lie in one block
    ident = 21
    while ring.overwritten == 0:
        assert append(ring, ident) == FLASH_DONE
        read_all(ring)
        ident += 1
    assert ring.overwritten == 3 and not ring.has_aside()
    assert mounted(flash, when_full=WHEN_FULL_OVERWRITE).overwritten == 3


def test_a_device_that_refuses_to_be_read_gives_nothing_up():
    _, ring = with_ranges((1, 2, 41), (15, 16, 42), when_full=WHEN_FULL_OVERWRITE)
    before = ring.aside_first, ring.aside_last, ring.aside_block, ring.aside_ranges, ring.overwritten
    find = aside.find_result
    fails = [True]

    def find_once(*those):
        return rec.RECORD_BAD if fails and fails.pop() else find(*those)

    aside.find_result = find_once
    try:
        assert aside.give_up(ring, ring.aside_block) < 0
    finally:
        aside.find_result = find
    assert before == (ring.aside_first, ring.aside_last, ring.aside_block, ring.aside_ranges, ring.overwritten)


def test_giving_up_asks_for_no_room_of_its_own():
    flash, _ = with_ranges((1, 3, 41), blocks=3, count=5)
    ring = mounted(flash)
    ident = 6
    while append(ring, ident) == FLASH_DONE:
        ident += 1
    for _ in range(3):  # the last free block is used up, and nothing is written behind what a start found
        ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
    assert idents_of_oldest(ring) == [1, 2, 3]
    assert append(ring, ident) == FLASH_DONE and not ring.has_aside() and ring.overwritten >= 3


def test_a_refused_record_leaves_the_memory_at_the_range_before_and_a_start_finds_it_again():
    flash, ring = with_ranges((2, 3, 41), (5, 6, 42))
    memory = bytes(ring.memory)
    assert aside.leave_range(ring) == FLASH_DONE
    flash.refuses = True
    assert aside.save(ring) < 0
    assert bytes(ring.memory) == memory and not aside.is_saved(ring)
    flash.refuses = False
    assert all_ranges(mounted(flash.clone())) == [([2, 3], 41), ([5, 6], 42)]
    assert aside.save(ring) == FLASH_DONE and aside.is_saved(ring)
    assert all_ranges(mounted(flash)) == [([5, 6], 42)]


def test_a_device_that_cannot_be_read_is_not_the_end_of_the_ranges():
    flash, ring = with_ranges((2, 3, 41), (5, 6, 42))
    flash.unreadable = True
    assert aside.find_range(ring, 0) is None
    assert aside.place(ring) == rec.RECORD_BAD
    assert aside.leave_range(ring) == rec.RECORD_BAD
    assert aside.walk_from(ring, ring.aside_block, 1, 99, lambda kind: True) == rec.RECORD_BAD
    flash.unreadable = False
    assert aside.find_range(ring, rec.SEQ_TOP) == (0, 0, 0)
    assert all_ranges(ring) == [([2, 3], 41), ([5, 6], 42)]


def test_an_aside_record_that_is_damaged_lets_its_results_wait_again():
    flash, ring = with_ranges((2, 4, 41), count=16)
    append(ring, 17)
    at = bytes(flash.cells).index(b"\xc1\x00\x30\x00")
    flash.cells[at + 12] ^= 1
    found = Ring(flash)
    assert mount(found) == 1 and not found.has_aside()
    # That the first was delivered stood in there as well: it is repeated.
    assert [ident for _, ident in read_all(found)] == list(range(1, 18))
