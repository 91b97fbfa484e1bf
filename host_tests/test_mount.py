"""A start comes up from everything that can lie on the flash, reads little, and leaves alone what does not fit."""

from agent.spool import mount as mt
from agent.spool import record as rec
from agent.spool.areas import divide
from agent.spool.blocks import SPOOL_FAILED, SPOOL_FOREIGN, WHEN_FULL_REFUSE
from agent.log.flash import FLASH_DONE, Part, RamFlash
from agent.spool.fold import ROLE_GRAPHS, ROLE_QUARANTINE
from agent.spool.mount import mount
from agent.spool.ring import Ring
from agent.spool.why import WHY_NAMES
from host_tests.support_spool import append, append_event, difference, ident_in, mounted, read_all
from tools.sim.clock import Dice
from tools.sim.flash import ALL, SUFFIX, SimFlash

PORTABLE = True
HEAP = "4m"  # for the simulated chips; the ring itself takes two kilobytes


def filled(blocks=4, results=12, unit=16, block_bytes=1024):
    flash = SimFlash(blocks, block_bytes, unit)
    ring = mounted(flash)
    for ident in range(1, results + 1):
        if append(ring, ident) != FLASH_DONE:
            read_all(ring)
            assert append(ring, ident) == FLASH_DONE
    return flash


def idents(ring):
    return [ident for _, ident in read_all(ring)]


def works(flash, ident=500):
    ring = mounted(flash)
    before = idents(ring)
    assert append(ring, ident) == FLASH_DONE
    assert idents(ring) == [ident]
    assert idents(mounted(flash))[-1] == ident
    return before


def test_an_empty_area_comes_up_empty():
    flash = SimFlash(4, 1024, 16)
    assert mount(Ring(flash)) == 0
    assert works(flash) == []


def test_an_area_of_zeros_of_noise_and_of_text_comes_up_empty():
    dice = Dice(4)
    for fill in (b"\x00", b"\x48", b"TCSP", None):
        flash = SimFlash(4, 1024, 16)
        for index in range(len(flash.cells)):
            flash.cells[index] = dice.randrange(256) if fill is None else fill[index % len(fill)]
        flash.used[:] = b"\x01" * len(flash.used)
        assert works(flash) == []


def test_a_full_area_comes_up_full_and_whole():
    flash = SimFlash(3, 1024, 16)
    ring = mounted(flash)
    last = 1
    while append(ring, last) == FLASH_DONE:
        last += 1
    ring = mounted(flash)
    assert append(ring, last) < 0
    assert idents(ring) == list(range(1, last))
    assert append(ring, last) == FLASH_DONE


def test_a_block_that_is_half_erased_costs_nothing_that_was_not_there():
    flash = filled(4, 12)
    for index in range(3 * 1024 + 300, 4 * 1024):
        flash.cells[index] = 0x5A
    assert works(flash) == list(range(1, 13))


def test_a_start_reads_the_first_records_and_one_block():
    flash = SimFlash(64, 4096, 16)
    ring = mounted(flash)
    for ident in range(1, 1500):
        append(ring, ident)
    flash.reads = 0
    ring = Ring(flash)
    mount(ring)
    newest = 4096 // 64 + 40
    assert flash.reads <= 2 * 64 + newest, flash.reads


def test_a_large_foreign_area_is_read_in_a_few_reads_a_block():
    flash = SimFlash(256, 1024, 16)
    dice = Dice(9)
    for block in range(256):
        for index in range(300):
            flash.cells[block * 1024 + index] = dice.randrange(256)
    flash.reads = 0
    assert mount(Ring(flash)) == 0
    assert flash.reads <= 2 * 256 + mt.BLOCKS_SEARCHED * 400, flash.reads


def test_nothing_is_written_while_the_device_cannot_be_read():
    flash = filled()
    flash.operations = 0
    flash.unreadable = True
    assert mount(Ring(flash)) == SPOOL_FAILED
    assert flash.operations == 0
    flash.unreadable = False
    assert works(flash) == list(range(1, 13))


def test_a_start_after_which_nothing_happens_writes_once_and_then_no_more():
    flash = filled()
    mounted(flash)
    flash.operations = 0
    for _ in range(20):
        mounted(flash)
    assert flash.operations == 0
    assert works(flash) == list(range(1, 13))


def test_a_larger_area_keeps_every_record_wherever_the_log_stands():
    for results in (3, 12, 20, 27, 33, 40):
        flash = filled(5, results)
        kept = idents(mounted(flash.clone()))
        ring = mounted(flash.grown(9))
        assert idents(ring) == kept, results
        for ident in range(1000, 1080):
            if append(ring, ident) != FLASH_DONE:
                read_all(ring)
                assert append(ring, ident) == FLASH_DONE
        assert idents(ring)[-1] == 1079
        ring.save_cursors(0)
        assert idents(mounted(ring.device)) == []


def test_a_smaller_area_is_refused_in_words_and_left_alone():
    flash = filled(6, 20)
    small = flash.grown(4)
    before = bytes(small.cells)
    ring = Ring(small)
    assert mount(ring) == SPOOL_FOREIGN
    assert "larger" in WHY_NAMES[ring.why]
    assert bytes(small.cells) == before and small.operations == 0


def test_another_unit_block_size_version_or_role_is_refused_and_left_alone():
    flash = filled(4, 12)
    for why, change in (
        (mt.WHY_UNIT, lambda: _as(flash, unit_bytes=64)),
        (mt.WHY_BLOCK, lambda: _as(flash, block_bytes=512, block_count=8)),
        (mt.WHY_VERSION, lambda: _other_version(flash)),
    ):
        other = change()
        before = bytes(other.cells)
        ring = Ring(other)
        assert mount(ring) == SPOOL_FOREIGN
        assert ring.why == why
        assert bytes(other.cells) == before and other.operations == 0
    ring = Ring(flash.clone(), role=ROLE_QUARANTINE)
    assert mount(ring) == SPOOL_FOREIGN and ring.why == mt.WHY_ROLE


def _as(flash, **geometry):
    twin = flash.clone()
    for name in geometry:
        setattr(twin, name, geometry[name])
    return twin


def _other_version(flash):
    twin = flash.clone()
    twin.cells[rec.HEAD_BYTES + rec.AT_VERSION] += 1
    head = twin.cells[: rec.HEAD_OCTETS]
    rec.seal(head, 0, rec.KIND_HEAD, 0, rec.HEAD_PAYLOAD, 1)
    twin.cells[: rec.HEAD_OCTETS] = head
    return twin


def test_the_parking_area_keeps_the_size_the_spool_was_made_with():
    for parked_first in (False, True):
        flash = RamFlash(12, 1024, 16)
        assert divide(flash, 4, 0) == (4, 0)
        parked = mounted(Part(flash, 0, 4), role=ROLE_QUARANTINE)
        ring = mounted(Part(flash, 4, 8), when_full=WHEN_FULL_REFUSE)
        if parked_first:
            append(parked, 7)
        append(ring, 1)
        for wanted in (2, 4, 6):
            assert divide(flash, wanted, 0) == (4, 0)
        assert idents(mounted(Part(flash, 4, 8))) == [1]


def test_the_ring_of_graphs_keeps_its_place_whatever_was_written_first():
    for order in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (2, 1), (0, 1, 2)):
        flash = RamFlash(16, 1024, 16)
        assert divide(flash, 2, 5) == (2, 5)
        rings = (
            mounted(Part(flash, 7, 9)),
            mounted(Part(flash, 0, 2), role=ROLE_QUARANTINE),
            mounted(Part(flash, 2, 5), role=ROLE_GRAPHS),
        )
        for index in order:
            append(rings[index], 1)
        for parked, graphs in ((2, 5), (4, 5), (2, 0), (2, 3), (3, 6), (9, 9)):
            found = divide(flash, parked, graphs)
            if 0 in order:
                assert sum(found) == 7, "the main log lies elsewhere"
            if 2 in order or (0 in order and 1 in order):
                assert found == (2, 5), (order, parked, graphs)
            elif 1 in order:
                assert found == (2, graphs)


def test_a_spool_without_graphs_has_no_room_for_them_later():
    for parked_first in (False, True):
        flash = RamFlash(12, 1024, 16)
        parked = mounted(Part(flash, 0, 3), role=ROLE_QUARANTINE)
        ring = mounted(Part(flash, 3, 9))
        if parked_first:
            append(parked, 7)
        append(ring, 1)
        assert divide(flash, 3, 5) == (3, 0)


def test_a_device_that_cannot_be_read_is_not_divided():
    flash = SimFlash(12, 1024, 16)
    append(mounted(Part(flash, 3, 9)), 1)
    flash.unreadable = True
    assert divide(flash, 3, 5) == (-1, 0)


def test_parked_records_fill_their_blocks_over_many_starts():
    flash = SimFlash(4, 1024, 16)
    for ident in range(1, 8):
        assert append(mounted(flash, role=ROLE_QUARANTINE), ident) == FLASH_DONE
    assert idents(mounted(flash, role=ROLE_QUARANTINE)) == list(range(1, 8))


def test_a_number_is_never_given_twice_though_the_last_record_is_damaged():
    flash = filled(5, 5)
    ring = mounted(flash)
    last = ring.number
    flash.cells[ring.block * 1024 + 150] ^= 4
    ring = mounted(flash)
    append(ring, 500)
    read = read_all(ring)
    assert read[-1][1] == 500 and read[-1][0] >= last


def test_a_lost_unit_in_the_middle_hides_nothing_behind_it():
    flash = filled(4, 6, unit=16, block_bytes=2048)
    start = 128 + 128 * 2
    flash.cells[start : start + 128] = b"\xff" * 128
    ring = mounted(flash)
    assert idents(ring) == [1, 2, 4, 5, 6]
    assert ring.damaged == 1


def test_every_record_of_every_block_whose_first_unit_is_lost_is_still_found():
    for block in range(3):
        flash = filled(4, 17)
        whole = idents(mounted(flash.clone()))
        twin = flash.clone()
        twin.cells[block * 1024 : block * 1024 + 256] = bytes(256)
        ring = mounted(twin)
        found = idents(ring)
        assert len(set(whole) - set(found)) <= 1, (block, found)
        assert append(ring, 500) == FLASH_DONE
        assert ident_in(ring.stage, ring.payload_at + 8) == 500


def test_the_last_record_of_a_start_is_shown_to_nobody_before_it_was_written_once_more():
    flash = filled(4, 5)
    ring = Ring(flash)
    assert mount(ring) == 1
    flash.refuses = True
    assert idents(ring) == [1, 2, 3, 4]
    flash.refuses = False
    assert idents(ring) == [5]


def test_the_last_result_of_a_start_is_not_remembered_before_it_was_written_once_more():
    flash = filled(4, 5)
    ring = Ring(flash)
    assert mount(ring) == 1 and ring.suspect
    assert ring.number == 4
    assert ring.confirm() and ring.number == 5


def test_a_failed_block_that_holds_the_record_all_the_same_is_not_taken_for_the_newest():
    for shape in (ALL, SUFFIX):
        flash = SimFlash(6, 1024, 16, seed=3)
        flash.bad_program.add(1)
        flash.worn_shape = shape
        ring = mounted(flash)
        for ident in range(1, 12):
            assert append(ring, ident) == FLASH_DONE
        again = mounted(flash)
        assert again.block >= 2
        assert append(again, 12) == FLASH_DONE
        assert idents(again) == list(range(1, 13))
        assert idents(mounted(flash)) == list(range(1, 13))


def refused_and_there(flash, ident):
    """Return the ring on this flash, which has refused the next result though all of it was written."""
    ring = mounted(flash)
    flash.refuses, flash.refused_shape = True, ALL
    assert append(ring, ident) == SPOOL_FAILED
    flash.refuses = False
    return ring


def test_a_block_that_was_never_opened_hides_nothing_though_its_number_is_that_of_the_last_record():
    flash = filled(6, 5)
    ring = refused_and_there(flash, 6)
    assert append(ring, 7) == FLASH_DONE
    assert append(ring, 8) == FLASH_DONE
    assert idents(mounted(flash.clone())) == [1, 2, 3, 4, 5, 7, 8]
    # The cut came with the record that opened the block: its HEAD is whole, and what was refused counts again.
    start = ring.block * 1024 + rec.HEAD_OCTETS
    flash.cells[start : start + 1024 - rec.HEAD_OCTETS] = b"\xff" * (1024 - rec.HEAD_OCTETS)
    assert idents(mounted(flash)) == [1, 2, 3, 4, 5, 6]


def test_what_was_refused_stays_void_when_the_block_that_said_so_fades():
    flash = filled(12, 5)
    ring = refused_and_there(flash, 6)
    assert ring.begin_memory() >= 0 and ring.commit_memory() == FLASH_DONE
    opened = ring.block
    # Its one piece was cut: it reads well at this start, which says in a block of its own what holds, and never again.
    assert mounted(flash).confirm()
    flash.cells[opened * 1024 : (opened + 1) * 1024] = b"\xff" * 1024
    again = mounted(flash)
    assert append(again, 7) == FLASH_DONE
    assert idents(again) == idents(mounted(flash)) == [1, 2, 3, 4, 5, 7]


class Shaky(SimFlash):
    """Refuses its read number `bad_read`; shows the first record of `shaky_block` every other time only."""

    def __init__(self, flash):
        SimFlash.__init__(self, flash.block_count, flash.block_bytes, flash.unit_bytes)
        self.cells[:] = flash.cells
        self.used[:] = flash.used
        self.bad_read = -1
        self.shaky_block = -1
        self.looks = 0

    def read_into(self, address, buf, n):
        if self.reads == self.bad_read:
            self.reads += 1
            return -2
        code = SimFlash.read_into(self, address, buf, n)
        if address == self.shaky_block * self.block_bytes:
            self.looks += 1
            if self.looks % 2 == 0:
                buf[0] ^= 0x40
        return code


def test_a_read_that_fails_at_any_moment_of_a_start_never_makes_a_shorter_log_of_it():
    flash = filled(4, 12)
    for bad_read in range(60):
        shaky = Shaky(flash)
        shaky.bad_read = bad_read
        ring = Ring(shaky)
        code = mount(ring)
        shaky.bad_read = -1
        assert code == SPOOL_FAILED or (code == 1 and idents(ring) == list(range(1, 13))), bad_read
        assert code == 1 or shaky.operations == 0, bad_read


def test_a_head_that_does_not_read_the_same_twice_leaves_no_counter_at_zero():
    flash = filled(4, 12)
    newest = flash_newest(flash)
    shaky = Shaky(flash)
    shaky.shaky_block = newest
    again = Ring(shaky)
    mount(again)
    assert again.block_no >= 1 and again.number + again.suspect >= 7


def flash_newest(flash):
    ring = Ring(flash.clone())
    mount(ring)
    return ring.block


def test_what_was_lost_in_front_of_an_event_takes_no_number_behind_it():
    flash = SimFlash(4, 1024, 16)
    ring = mounted(flash, outlets=2, events=(1,))
    assert append(ring, 1) == append_event(ring, 1) == FLASH_DONE
    lost = ring.offset
    assert ring.save_cursors(0) == FLASH_DONE
    assert append_event(ring, 2) == ring.save_cursors(0) == FLASH_DONE
    flash.cells[lost + 4] ^= 1  # nobody reads it any more: it may have been an event, but not the third
    assert difference(ring) == "number is 1, the flash says 2"  # or a result: that number is given to nobody
    again = mounted(flash, outlets=2, events=(1,))
    assert (again.number, again.event_number) == (2, 2)


def test_a_last_result_that_fades_gives_no_number_away_that_one_lost_in_front_of_it_may_have_had():
    flash = SimFlash(4, 1024, 16)
    ring = mounted(flash)
    places = []
    for ident in range(1, 5):
        assert append(ring, ident) == FLASH_DONE
        places.append(ring.offset - 20)
    flash.cells[places[2]] ^= 1  # the third cannot be read any more, and may have gone out
    again = Ring(flash)
    assert mount(again) == 1 and again.suspect and again.number == 3
    flash.cells[places[3]] ^= 1  # the last one fades while the start is under way
    assert not again.confirm() and again.torn == 1 and not again.suspect and again.number == 3
    assert append(again, 5) == FLASH_DONE and again.number == 4
    assert [number for number, _ in read_all(again)] == [1, 2, 4]


def test_a_last_result_behind_one_that_was_lost_counts_when_it_is_confirmed():
    flash = SimFlash(4, 1024, 16)
    ring = mounted(flash)
    assert append(ring, 1) == FLASH_DONE
    lost = ring.offset + 4
    assert ring.save_cursors(0) == FLASH_DONE  # had no number
    assert append(ring, 2) == FLASH_DONE and ring.number == 2
    flash.cells[lost] ^= 1
    again = Ring(flash)
    assert mount(again) == 1 and again.suspect and again.number == 1
    assert again.confirm() and again.number == 2 and [ident for _, ident in read_all(again)] == [1, 2]
