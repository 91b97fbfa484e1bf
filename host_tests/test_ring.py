"""The ring by itself: order, room, free blocks, refusals, several outlets, nothing allocated for a result."""

import gc

from agent.base.words import put_u32
from agent.record.result import FLAG_ASIDE, FLAG_RETRIED
from agent.spool import record as rec
from agent.spool.blocks import SPOOL_FAILED, SPOOL_FULL, WHEN_FULL_OVERWRITE
from agent.log.flash import FLASH_DONE, Part, RamFlash
from agent.spool.fold import ROLE_QUARANTINE
from agent.spool.memory import NoOwner
from agent.spool.mount import mount
from agent.spool.programmer import SENT_AHEAD
from agent.spool.ring import Ring
from agent.spool.search import holds
from host_tests.portable import Skip
from host_tests.support_spool import PAYLOAD, append, body_of, ident_in, mounted, read_all
from tools.sim.flash import ALL, NOTHING, SimFlash

PORTABLE = True
HEAP = "2m"  # for the simulated chips; the ring itself takes two kilobytes


def fill(ring, ident=1):
    """Append until there is no room; return the next tightening that was not taken."""
    while append(ring, ident) == FLASH_DONE:
        ident += 1
    return ident


def idents(ring, outlet=0):
    return [ident for _, ident in read_all(ring, outlet)]


def test_what_was_appended_is_read_in_order_at_every_unit():
    for unit in (1, 4, 16, 64, 256, 512):
        ring = mounted(SimFlash(5 if unit < 512 else 10, 4096, unit))
        for ident in range(1, 41):
            assert append(ring, ident) == FLASH_DONE
        assert read_all(ring) == [(n, n) for n in range(1, 41)]
        assert ring.peek(0) == rec.RECORD_NONE
        assert ring.damaged == 0


def test_a_full_ring_refuses_and_takes_again_when_a_block_is_free():
    ring = mounted(SimFlash(6, 1024, 16))
    last = fill(ring)
    assert last > 20
    assert append(ring, last) == SPOOL_FULL
    assert not ring.has_room(PAYLOAD)
    for _ in range(8):
        ring.peek(0)
        ring.advance(0)
    assert ring.has_room(PAYLOAD)
    assert append(ring, last) == FLASH_DONE
    assert idents(ring) == list(range(9, last + 1))


def test_a_full_ring_still_takes_a_cursor_record():
    ring = mounted(SimFlash(4, 1024, 16))
    fill(ring)
    assert ring.save_cursors(60) == FLASH_DONE


def test_overwriting_drops_the_oldest_and_counts_them():
    flash = SimFlash(4, 1024, 16)
    ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
    for ident in range(1, 101):
        assert append(ring, ident) == FLASH_DONE
    found = idents(ring)
    assert found == list(range(found[0], 101))
    assert ring.overwritten == found[0] - 1
    again = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
    assert append(again, 101) == FLASH_DONE


def test_a_block_is_free_only_when_every_outlet_has_passed_it():
    ring = mounted(SimFlash(4, 1024, 16), outlets=2)
    last = fill(ring)
    assert idents(ring, 0) == list(range(1, last))
    assert append(ring, last) == SPOOL_FULL
    for _ in range(8):
        ring.peek(1)
        ring.advance(1)
    assert append(ring, last) == FLASH_DONE
    assert idents(ring, 1) == list(range(9, last + 1))
    assert idents(ring, 0) == [last]


def test_no_append_erases_while_the_block_ahead_is_kept_erased():
    flash = SimFlash(4, 1024, 16)
    ring = mounted(flash)
    ring.maintain()
    append(ring, 1)
    read_all(ring)
    inside = 0
    for ident in range(2, 120):
        ring.maintain()
        before = sum(flash.wear)
        operations = flash.operations
        assert append(ring, ident) == FLASH_DONE
        inside += sum(flash.wear) - before
        assert flash.operations - operations == 1
        read_all(ring)
    assert inside == 0


def test_wear_is_spread_evenly():
    flash = SimFlash(6, 1024, 16)
    ring = mounted(flash)
    for ident in range(1, 600):
        assert append(ring, ident) == FLASH_DONE
        read_all(ring)
    assert max(flash.wear) - min(flash.wear) <= 2
    assert ring.block_no >= sum(flash.wear) - 2


def test_a_block_that_fails_is_left_and_the_record_goes_elsewhere():
    flash = SimFlash(7, 1024, 16)
    flash.bad_program.add(1)
    flash.bad_erase.add(3)
    ring = mounted(flash)
    for ident in range(1, 121):
        while append(ring, ident) != FLASH_DONE:
            raise AssertionError("not taken")
        if ident > 10:
            assert ring.peek(0) > 0
            assert ident_in(ring.walk.page) == ident - 10
            ring.advance(0)
    assert ring.worn >= 2
    assert idents(ring) == list(range(111, 121))
    assert ring.damaged == 0


def test_a_device_that_refuses_is_no_success_and_what_it_wrote_does_not_count():
    for shape in (NOTHING, ALL):
        for before in (3, 7):  # inside a block, and where a block has to be opened
            flash = SimFlash(6, 1024, 16)
            ring = mounted(flash)
            for ident in range(1, before):
                assert append(ring, ident) == FLASH_DONE
            flash.refuses = True
            flash.refused_shape = shape
            assert append(ring, 99) == SPOOL_FAILED
            assert not holds(ring, body_of(99), 0)
            assert append(ring, 99) == SPOOL_FAILED
            flash.refuses = False
            assert append(ring, before) == FLASH_DONE
            assert not holds(ring, body_of(99), 0)
            assert idents(ring) == list(range(1, before + 1))
            assert idents(mounted(flash))[-1:] in ([before], [])


def test_a_refused_record_is_void_even_where_its_block_cannot_be_erased_again():
    flash = SimFlash(6, 1024, 16)
    ring = mounted(flash)
    for ident in range(1, 8):
        append(ring, ident)
    flash.refuses = True
    flash.refused_shape = ALL
    while append(ring, 99) == SPOOL_FAILED and ring.offset < 1024:
        pass
    append(ring, 99)
    flash.refuses = False
    flash.bad_erase.add((ring.block + 1) % 6)
    assert append(ring, 8) == FLASH_DONE
    assert not holds(ring, body_of(99), 0)
    assert idents(ring) == list(range(1, 9))
    assert 99 not in idents(mounted(flash))


def test_reading_errors_are_told_and_lose_nothing():
    flash = SimFlash(4, 1024, 16)
    ring = mounted(flash)
    for ident in range(1, 12):
        append(ring, ident)
    flash.unreadable = True
    assert ring.peek(0) == rec.RECORD_BAD
    flash.unreadable = False
    assert idents(ring) == list(range(1, 12))


def test_rewinding_brings_back_what_still_lies_there():
    ring = mounted(SimFlash(4, 1024, 16))
    for ident in range(1, 15):
        append(ring, ident)
    read_all(ring)
    ring.rewind(0, 5)
    assert idents(ring) == list(range(6, 15))
    ring.rewind(0, 0)
    assert idents(ring)[-1] == 14


def test_the_search_finds_what_was_stored_and_nothing_else():
    ring = mounted(SimFlash(4, 1024, 16))
    for ident in range(1, 12):
        append(ring, ident)
    assert holds(ring, body_of(2), 0)
    assert holds(ring, body_of(11), 0)
    assert not holds(ring, body_of(12), 0)


def test_a_raw_frame_that_embeds_a_record_is_delivered_as_it_is_and_once():
    ring = mounted(SimFlash(4, 4096, 16))
    append(ring, 1)
    inner = bytearray(200)
    rec.seal(inner, 0, rec.KIND_RESULT, 0, 114, 40)
    length = 8 + len(inner)
    at = ring.begin(rec.KIND_RAW, length)
    ring.stage[at : at + 8] = b"\x02\x00\x00\x00\x0a\x00\x01\x00"
    ring.stage[at + 8 : at + length] = inner
    assert ring.commit(rec.KIND_RAW, 0, length) == FLASH_DONE
    append(ring, 3)
    kinds = []
    while ring.peek(0) > 0:
        kinds.append(ring.walk.kind)
        ring.advance(0)
    assert kinds == [rec.KIND_RESULT, rec.KIND_RAW, rec.KIND_RESULT]


def test_ram_does_not_depend_on_the_size_of_the_area():
    sizes = []
    for blocks in (16, 64):
        ring = Ring(RamFlash(blocks, 1024))
        sizes.append(len(ring.stage) + len(ring.walk.page) + len(ring.memory) + len(ring.walk.probe))
    assert sizes[0] == sizes[1] < 604 + 2 * ring.payload_most


def test_append_peek_and_advance_allocate_nothing():
    try:
        import micropython
    except ImportError:
        raise Skip("only MicroPython tells what is allocated")
    import sys

    ring = Ring(RamFlash(4, 4096, 16))
    mounted_ring = ring
    body = body_of(5)
    for _ in range(40):  # what is made at the first use is made now
        _one_result(mounted_ring, body)
    gc.collect()
    micropython.heap_lock()
    try:
        for _ in range(100):
            _one_result(mounted_ring, body)
    finally:
        micropython.heap_unlock()
    before = gc.mem_alloc()
    for _ in range(20):
        _one_result(mounted_ring, body)
    grown = gc.mem_alloc() - before
    print("append, peek, advance: %d octets allocated on MicroPython %s" % (grown, sys.version.split()[2][:6]))
    assert grown == 0


def _one_result(ring, body):
    at = ring.begin(rec.KIND_RESULT, PAYLOAD)
    stage = ring.stage
    number = ring.number + 1
    stage[at] = number & 255
    stage[at + 1] = number >> 8
    stage[at + 2] = stage[at + 3] = 0
    for index in range(106):
        stage[at + 8 + index] = body[index]
    assert ring.commit(rec.KIND_RESULT, 0, PAYLOAD) == 0
    assert ring.peek(0) == rec.KIND_RESULT
    ring.advance(0)
    ring.maintain()


def from_stage(ring):
    """Return (number, tightening) of the result just stored, as an outlet may take it without reading the flash."""
    assert ring.peek_stage(0)
    return ring.cursors[0].peek_number, ident_in(ring.stage, ring.payload_at + 8)


def test_the_result_just_stored_is_there_without_reading_the_flash():
    for unit in (1, 16, 256):
        flash = SimFlash(4, 1024, unit)
        ring = mounted(flash)
        for ident in range(1, 30):  # through several blocks
            assert append(ring, ident) == FLASH_DONE
            taken = from_stage(ring)
            assert taken == (ident, ident) and ring.fresh_length == PAYLOAD and ring.fresh_flags == 0
            if ident % 3:  # else it is taken from the flash after all: the two ways may change from one to the next
                ring.advance(0)
            else:
                assert read_all(ring) == [taken]
        assert ring.peek(0) == rec.RECORD_NONE and ring.damaged == 0 and ring.backlog(0) == 0


def test_what_was_stored_before_is_read_from_the_flash_however_fresh_the_last_one_is():
    ring = mounted(SimFlash(4, 1024, 16))
    append(ring, 1)
    append(ring, 2)
    assert not ring.peek_stage(0) and idents(ring) == [1, 2]
    assert not ring.peek_stage(0)


def test_nothing_is_taken_from_a_stage_that_holds_something_else_by_now():
    flash = SimFlash(8, 1024, 16)
    ring = mounted(Part(flash, 2, 6))
    parked = Ring(Part(flash, 0, 2), role=ROLE_QUARANTINE, other=ring)
    mount(parked)
    uses = (
        lambda: ring.save_cursors(60),
        lambda: (ring.begin_memory(), ring.commit_memory()),
        lambda: ring.begin(rec.KIND_RESULT, PAYLOAD),  # and not committed
        lambda: parked.begin(rec.KIND_RESULT, PAYLOAD),
        lambda: append(parked, 77),
    )
    for ident in range(1, len(uses) + 1):
        assert append(ring, ident) == FLASH_DONE and ring.peek_stage(0)
        uses[ident - 1]()
        assert not ring.peek_stage(0)
        assert idents(ring) == [ident]


def test_a_result_that_the_device_refused_is_not_taken_from_the_stage():
    flash = SimFlash(4, 1024, 16)
    ring = mounted(flash)
    append(ring, 1)
    assert idents(ring) == [1]
    flash.refuses = True
    flash.refused_shape = ALL
    assert append(ring, 2) == SPOOL_FAILED and not ring.peek_stage(0)


def test_what_fills_a_unit_up_is_as_erased_whatever_was_written_before():
    flash = SimFlash(4, 4096, 256)
    ring = mounted(flash)
    page = bytearray(512)
    for extra in (200, 0, 90, 0, 300, 20, 0):
        append(ring, 5, extra=extra)
        end = ring.offset
        octets = 12 + PAYLOAD + extra
        begin = end - (octets + 255) // 256 * 256
        if begin:  # behind a HEAD the record stands elsewhere
            assert flash.read_into(ring.block * 4096 + begin, page, end - begin) == FLASH_DONE
            assert page[octets : end - begin] == b"\xff" * (end - begin - octets), extra


def test_no_more_may_go_out_than_the_log_itself_says():
    flash = SimFlash(6, 1024, 16)
    ring = mounted(flash)
    for ident in range(1, 90):
        assert append(ring, ident) == FLASH_DONE
        if ident % 9 == 0:
            ring.save_cursors(ring.number + 3)
        if ident % 2 or ring.backlog(0) > 9:
            ring.peek(0)
            ring.advance(0)
        found = Ring(flash.clone())
        assert mount(found) >= 0
        assert ring.cursors[0].limit <= found.cursors[0].limit


def test_a_cursor_record_that_was_refused_grants_nothing():
    flash = SimFlash(6, 1024, 16)
    ring = mounted(flash)
    append(ring, 1)
    assert ring.save_cursors(3) == FLASH_DONE
    for shape in (NOTHING, ALL):
        flash.refuses, flash.refused_shape = True, shape
        assert ring.save_cursors(30) == SPOOL_FAILED
        assert ring.cursors[0].limit == 3
    flash.refuses = False
    assert ring.save_cursors(30) == FLASH_DONE and ring.cursors[0].limit == 30


def test_a_head_grants_nothing_unless_results_go_out_as_they_come_or_no_other_block_is_free():
    for ahead in (0, SENT_AHEAD):
        ring = mounted(SimFlash(6, 1024, 16))
        ring.cursors[0].ahead = ahead
        for ident in range(1, 16):
            assert append(ring, ident) == FLASH_DONE
        assert ring.cursors[0].limit == ahead
    for ahead in (0, 1):
        ring = mounted(SimFlash(6, 1024, 16))
        fill(ring, 1)
        for limit in (0, SENT_AHEAD):  # each start uses up one of the two blocks that are left
            ring = Ring(ring.device)
            assert mount(ring) == 1
            ring.cursors[0].ahead = ahead
            assert ring.confirm() and ring.save_cursors(0) == FLASH_DONE
            assert ring.cursors[0].limit == limit
        again = Ring(ring.device)
        assert mount(again) == 1 and again.cursors[0].limit == SENT_AHEAD, ahead


class Owner(NoOwner):
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def stored(self, kind, flags, buf, at, length):
        self.told.append(ident_in(buf, at + 8))


def test_what_is_remembered_changes_by_committed_records_only():
    flash = SimFlash(6, 1024, 16)
    ring = mounted(flash)
    ring.owner = Owner()
    append(ring, 1)
    memory = bytes(ring.memory)
    flash.refuses, flash.refused_shape = True, ALL
    assert append(ring, 2) == SPOOL_FAILED
    at = ring.begin_memory()
    if at >= 0:
        ring.stage[at + 20] = 77
        assert ring.commit_memory() == SPOOL_FAILED
    assert bytes(ring.memory) == memory and ring.number == 1 and ring.owner.told == [1]
    flash.refuses = False
    ring.stage[ring.begin_memory() + 20] = 77
    assert ring.memory[20] == 0 and ring.commit_memory() == FLASH_DONE and ring.memory[20] == 77
    assert mounted(flash).memory[20] == 77


def test_nothing_is_written_behind_a_last_record_that_could_not_be_written_once_more():
    for refused in range(1, 5):
        flash = SimFlash(6, 1024, 16)
        ring = mounted(flash)
        for ident in range(1, 4):
            append(ring, ident)
        ring = Ring(flash)
        assert mount(ring) == 1 and ring.suspect
        seen = [0]

        def refuse_the_first(flash, *_, seen=seen, refused=refused):
            seen[0] += 1
            flash.refuses = seen[0] <= refused

        flash.before_operation = refuse_the_first
        for _ in range(20):
            if append(ring, 4) == FLASH_DONE:
                break
        assert not ring.suspect and read_all(ring) == [(n, n) for n in range(1, 5)], refused


def test_numbers_in_a_block_that_cannot_be_erased_are_not_given_again():
    flash = SimFlash(6, 1024, 16)
    ring = mounted(flash)
    ident = 0
    while True:
        ident += 1
        before, block = bytes(flash.cells), ring.block
        append(ring, ident)
        if ident > 1 and ring.block != block:
            break
    # The cut came with the record that opened this block. The start finds nothing of it, and then it is there again,
    # and does not go away: what was acknowledged to nobody must not count, now or at the next start.
    start, end = ring.block * 1024, ring.block * 1024 + 1024
    stale = bytes(flash.cells[start:end])
    later = SimFlash(6, 1024, 16)
    later.cells[:] = before
    later.bad_erase.add(ring.block)
    second = Ring(later)
    assert mount(second) >= 0
    later.cells[start:end] = stale
    assert second.confirm()
    wanted = list(range(1, ident))
    assert idents(second) == wanted
    for after in (0, 1, 2):
        for one in range(after):
            assert append(second, 500 + one) == FLASH_DONE
            wanted.append(500 + one)
        third = Ring(later.clone())
        assert mount(third) >= 0
        assert third.confirm()
        third.rewind(0, 0)
        assert [one for one in idents(third) if one == ident] == []


def test_a_result_that_is_sent_again_or_moved_on_is_new_to_no_owner():
    for mark in (FLAG_RETRIED, FLAG_RETRIED | FLAG_ASIDE):
        ring = mounted(SimFlash(4, 4096, 16))
        told = []
        ring.owner = NoOwner()
        ring.owner.stored = lambda kind, flags, buf, at, length, told=told: told.append(flags)
        for flags in (0, mark):
            at = ring.begin(rec.KIND_RESULT, PAYLOAD)
            put_u32(ring.stage, at, ring.number + 1)
            assert ring.commit(rec.KIND_RESULT, flags, PAYLOAD) == FLASH_DONE
        assert told == [0] and ring.number == 2
