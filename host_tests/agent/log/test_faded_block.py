"""A block that a torn write opened, that reads well at one start and is blank at the next: nothing was lost with it."""

from toolcart.agent.log.snapshot_fields import DAMAGED, JUMPED
from host_tests.agent.log.test_log_stale import content_of, restore
from host_tests.support.log import Area, append, numbers, read_all, store, take_all

PORTABLE = True

BLOCK_BYTES = 1024
FRONT = 4 + 3  # blocks of the state and the quarantine
BLANK = b"\xff" * BLOCK_BYTES


def with_torn_block(before, **options):
    """Return an area whose newest block was opened by record `before` + 1, which may be torn, and that block."""
    area = Area(16, BLOCK_BYTES)
    log = area.mount(**options)[1]
    store(log, numbers(1, before))
    while log.room(130) and before:  # the next append opens a block
        before += 1
        store(log, [before])
    take_all(log)
    assert area.state.save() and area.state.save()
    store(log, [before + 1])
    return area, content_of(area.flash, FRONT + log.block), before


def test_what_was_in_doubt_may_fade_at_any_later_start():
    for before in (0, 3):
        area, (block, _), before = with_torn_block(before)
        for is_blank in (False, True, True, True):
            if is_blank:
                restore(area.flash, block, BLANK)
            state, log = area.mount()
            assert state.save() and state.save()
            assert state.numbers[DAMAGED] == state.numbers[JUMPED] == 0
            assert log.next == before + 1 + (not is_blank)
        store(log, [before + 1])
        assert [number for number, _ in read_all(area.mount()[1]) if number > before] == []
        log.settle()


def test_a_block_that_reads_well_again_is_in_doubt_again():
    area, (block, content), _ = with_torn_block(0)
    for cells in (content, BLANK, content, BLANK):
        restore(area.flash, block, cells)
        state, log = area.mount()
        assert state.save() and log.doubtful == (cells != BLANK) and log.next == 1 + log.doubtful
    assert append(log, 7) == 0 and log.number == 1
    restore(area.flash, block, content if FRONT + log.block != block else content_of(area.flash, block)[1])
    log = area.mount()[1]
    assert log.settle() and read_all(log) == [(1, 7)]
    assert area.state.numbers[DAMAGED] == area.state.numbers[JUMPED] == 0


def test_what_an_outlet_waits_for_outlives_the_block_that_faded():
    options = {"cursors": 2, "best_effort": (1,)}
    area, (block, _), before = with_torn_block(20, **options)
    log = area.mount(**options)[1]
    restore(area.flash, block, BLANK)  # it read well at the start, and does not any more
    assert log.settle() and log.next == before + 1
    store(log, [before + 1])
    take_all(log)
    assert area.state.save() and area.flash.erase(block) == 0
    log = area.mount(**options)[1]
    assert log.settle() and [number for number, _ in read_all(log, 1)] == numbers(1, before + 1)
    assert area.state.numbers[DAMAGED] == 0


def test_numbers_that_are_skipped_for_a_lost_block_are_no_damage():
    for before in (3, 9):
        for newer in (1, 2, 5, 9):
            for is_saved in (False, True):
                area = Area(16, BLOCK_BYTES)
                store(area.mount()[1], numbers(1, before))
                log = area.mount()[1]  # a session opens a block of its own
                store(log, numbers(before + 1, before + newer))
                assert not is_saved or area.state.save()
                restore(area.flash, FRONT + log.block, BLANK)
                state, log = area.mount()
                assert log.settle()
                damaged, end = state.numbers[DAMAGED], log.number
                store(log, numbers(100, 103))
                assert state.numbers[JUMPED] == log.number - end - 4
                take_all(log)
                assert state.numbers[DAMAGED] == damaged, (before, newer, is_saved)
