"""What nobody takes or nobody reads is kept, each once, until an operator drops it; without room it stays in place."""

from agent import health as h
from agent.base.words import get_u32
from agent.outlets.toolsnet.position import OUTLET
from agent.quarantine import NO_ROOM, NOTHING, PRESSURE_FULL, SLOTS
from agent.record.result import PARKED_BYTES, ROOM_BYTES, TAKEN
from agent.spool.record import HEAD_BYTES, KIND_RAW, KIND_RESULT, RECORD_NONE
from host_tests.support_toolsnet import Outlet
from tools.sim import flash as chips
from tools.sim.flash import SimFlash

PORTABLE = True
HEAVY = True
HEAP = "6m"


def numbers(first, last):
    return list(range(first, last + 1))


def chip(blocks):
    return SimFlash(blocks, unit_bytes=256)


def kept_in(outlet):
    """Return (kind, main number) of what the quarantine shows, oldest first."""
    seen = []
    quarantine = outlet.quarantine
    for number in quarantine.numbers():
        kind = quarantine.find(number)
        walk = quarantine.ring.walk
        assert get_u32(walk.page, HEAD_BYTES) == number
        seen.append((kind, get_u32(walk.page, HEAD_BYTES + walk.length - PARKED_BYTES)))
    return seen


def empty(outlet):
    """Drop what is kept, again and again until nothing waits in place; return (kind, main number) of all, in order."""
    seen = []
    for _ in range(200):
        seen += kept_in(outlet)
        kept = outlet.quarantine.numbers()
        if not kept and not outlet.ring.has_aside():
            return seen
        assert not kept or outlet.quarantine.drop(*kept)
        outlet.run(61000)
    raise AssertionError("it never gets empty")


def test_seventy_unreadable_frames_do_not_keep_five_good_results_from_arriving():
    for first in (0, 70):
        outlet = Outlet(parked_blocks=4, blocks=24)
        for _ in range(first):
            outlet.store_raw(b"r" * 260)
        outlet.store(2)
        for _ in range(70 - first):
            outlet.store_raw(b"s" * 260)
        outlet.store(3)
        outlet.until_stored(5)
        outlet.run(1000)
        assert outlet.ids() == [1, 2, 3, 4, 5] and outlet.ring.backlog(OUTLET) == 0
        assert outlet.counted(h.PARKED) == 70
        kept = len(kept_in(outlet))
        assert 0 < kept < 70 and outlet.ring.has_aside()
        assert outlet.counted(h.PARKED_FAILED) == 1, "that it is full is told once"
        outlet.cut()
        outlet.run(1000)
        assert len(kept_in(outlet)) == kept, "a start finds the same"
        raw = [n for n in numbers(1, 75) if n not in (first + 1, first + 2, 73, 74, 75)]
        assert empty(outlet) == [(KIND_RAW, n) for n in raw], "each of them is kept, once"
        outlet.clean()


def test_what_was_kept_last_counts_after_a_start_though_no_block_takes_its_copy():
    for in_place in (0, 2):  # frames that found no room after it
        outlet = Outlet(parked_blocks=2, make_flash=chip)
        for _ in range(2):
            outlet.store_raw()
            outlet.store(1)
            outlet.run(1000)
            outlet.cut()  # the next one lies in the other block
        outlet.store_raw(b"0061 the last one")
        outlet.store(1)
        outlet.run(1000)
        outlet.parked_flash.bad_program = {0, 1}
        outlet.parked_flash.worn_shape = chips.GARBAGE
        for _ in range(in_place):
            outlet.store_raw()
            outlet.store(1)
            outlet.run(1000)
        assert len(kept_in(outlet)) == 3 and outlet.ring.has_aside() == (in_place > 0)
        assert outlet.ring.save_cursors(0) == 0
        for _ in range(2):
            outlet.cut()
            outlet.run(1000)
            assert [number for _, number in kept_in(outlet)] == [1, 3, 5] and not outlet.parked.suspect


def test_what_the_main_log_has_not_passed_is_not_relied_on_without_a_copy():
    for aside in (False, True):
        outlet = Outlet(parked_blocks=2, make_flash=chip)
        for _ in range(2):
            outlet.store_raw()
            outlet.store(1)
            outlet.run(1000)
            outlet.cut()
        outlet.run(1000)
        if aside:
            outlet.parked_flash.refuses = True
            outlet.store_raw()
            outlet.run(1000)
            outlet.parked_flash.refuses = False
            assert outlet.ring.has_aside()
            assert outlet.quarantine.take_oldest(outlet.ring) == TAKEN  # and the main log does not say so yet
        else:
            outlet.store_raw()
            assert outlet.ring.peek(OUTLET) == KIND_RAW
            assert outlet.quarantine.keep(outlet.ring, 0) == TAKEN
        outlet.parked_flash.bad_program = {0, 1}
        outlet.parked_flash.worn_shape = chips.GARBAGE
        outlet.cut()
        assert outlet.parked.suspect and [number for _, number in kept_in(outlet)] == [1, 3]
        for _ in range(2):  # nothing stops for that
            outlet.store_raw()
            outlet.store(1)
            outlet.run(200000)
            assert outlet.ring.backlog(OUTLET) == 0 and outlet.ring.has_aside()
            assert outlet.quarantine.pressure() == PRESSURE_FULL and outlet.quarantine.last_kept() == 3
            outlet.cut()
        outlet.run(200000)
        assert outlet.archive.stored == 4 and [number for _, number in kept_in(outlet)] == [1, 3]


def test_what_was_kept_behind_a_torn_head_is_there_when_that_has_faded():
    """A cut tears the piece with a block's HEAD and the SEAL of a start; it reads well until more lies behind it."""
    for blocks in (2, 4):
        keep_behind_a_torn_head(Outlet(parked_blocks=blocks, make_flash=chip), more=0 if blocks == 2 else 20)


def keep_behind_a_torn_head(outlet, more):
    """Keep three frames there, a start before each, and so many others at last; all are there at the next start."""
    flash = outlet.parked_flash
    while len(kept_in(outlet)) < 3 or outlet.parked.offset + 256 < flash.block_bytes:
        outlet.store_raw()
        outlet.run(1000)
    # The last record once more; an erase, or two where the next block but one is free as well; the SEAL.
    flash.cut_at, flash.cut_shape = flash.operations + (4 if more else 3), chips.FADES
    try:
        outlet.cut()
        raise AssertionError("no SEAL was written")
    except chips.PowerCut:
        flash.restart()
    for _ in range(3):
        outlet.cut()
        outlet.store_raw()
        outlet.run(1000)
        assert outlet.ring.save_cursors(0) == 0  # the main log relies on what is kept
        kept = kept_in(outlet)
        assert [number for _, number in kept] == numbers(1, outlet.ring.number)
        flash.restart()
    assert outlet.parked.block == 1 and outlet.parked.walk.first(1) == RECORD_NONE
    for _ in range(more):
        outlet.store_raw()
        outlet.run(1000)
    outlet.cut()
    outlet.run(1000)
    assert [number for _, number in kept_in(outlet)] == numbers(1, outlet.ring.number)
    assert outlet.parked.block == (2 if more else 1)
    assert len(empty(outlet)) == outlet.ring.number


def test_a_refused_copy_of_what_was_kept_last_is_written_behind_that_though_no_other_block_is_free():
    outlet = Outlet(parked_blocks=2, make_flash=chip)
    while outlet.parked.block == 0 or len(kept_in(outlet)) < 3:
        outlet.store_raw()
        outlet.run(1000)
    kept = len(kept_in(outlet))
    flash = outlet.parked_flash
    flash.refuses, flash.refused_shape = True, chips.GARBAGE
    outlet.cut()
    outlet.store_raw()
    outlet.store(1)
    outlet.run(1000)
    flash.refuses = False
    outlet.until_stored(1)
    outlet.run(61000)
    assert [number for _, number in kept_in(outlet)] == numbers(1, kept + 1) and not outlet.parked.suspect
    outlet.cut()
    assert [number for _, number in kept_in(outlet)] == numbers(1, kept + 1)


def test_what_stays_in_place_is_not_overwritten_and_a_full_spool_goes_on_after_drops():
    outlet = Outlet(parked_blocks=2, blocks=6)
    stored = 0
    while outlet.ring.has_room(8 + 600):
        outlet.store_raw(b"z" * 600)
        stored += 1
        outlet.run(1000)
    assert stored > 12 and outlet.ring.has_aside() and outlet.ring.backlog(OUTLET) == 0
    seen = []
    for _ in range(10):
        seen += kept_in(outlet)
        assert outlet.quarantine.drop(*outlet.quarantine.numbers())
        outlet.run(61000)
        if outlet.ring.has_room(8 + 600):
            break
    outlet.store(1)
    outlet.until_stored(1)
    assert seen + empty(outlet) == [(KIND_RAW, n) for n in numbers(1, stored)]


def test_what_stays_in_place_moves_on_until_a_result_finds_room_and_then_stays():
    outlet = Outlet(parked_blocks=2, blocks=4)
    for _ in range(34):
        outlet.store_raw(b"r" * 200)
        outlet.run(100)
    outlet.run(3 * 3600000)
    assert outlet.ring.has_aside() and outlet.ring.has_room(ROOM_BYTES)
    erased = outlet.ring.erases
    assert erased < 10, "one record sets aside all that is moved on in a row"
    outlet.run(24 * 3600000)
    assert outlet.ring.erases == erased, "nothing came in"
    for count in range(1, 200):
        outlet.store(1)
        outlet.until_stored(count)
        outlet.run(100)
        assert outlet.ring.has_room(ROOM_BYTES), count
    outlet.clean()


def test_a_dropped_record_stays_dropped_and_the_others_stay():
    outlet = Outlet()
    for _ in range(5):
        outlet.store_raw()
    outlet.run(1000)
    quarantine = outlet.quarantine
    assert quarantine.take_oldest(outlet.ring) == NOTHING
    assert quarantine.drop(2) and quarantine.drop(4)
    assert not quarantine.drop(3 + SLOTS) and not quarantine.drop(0), "no other record than the one that is named"
    assert quarantine.numbers() == [1, 3, 5] and quarantine.count() == 3
    assert quarantine.find(2) == RECORD_NONE and quarantine.find(3) == KIND_RAW
    outlet.cut()
    quarantine = outlet.quarantine
    assert quarantine.numbers() == [1, 3, 5] and quarantine.count() == 3
    assert quarantine.find(4) == RECORD_NONE and quarantine.find(5) == KIND_RAW and quarantine.find(6) == RECORD_NONE
    assert quarantine.drop(1, 3, 5) and quarantine.count() == 0
    outlet.cut()
    assert outlet.quarantine.count() == 0
    outlet.store_raw()
    outlet.run(1000)
    assert kept_in(outlet) == [(KIND_RAW, 6)]


def test_a_drop_that_could_not_be_written_has_not_happened():
    outlet = Outlet(make_flash=chip)
    for _ in range(3):
        outlet.store_raw()
    outlet.run(1000)
    outlet.parked_flash.refuses = True
    assert not outlet.quarantine.drop(1, 2)
    assert outlet.quarantine.numbers() == [1, 2, 3]
    outlet.parked_flash.refuses = False
    assert outlet.quarantine.drop(1, 2) and outlet.quarantine.numbers() == [3]


def test_a_full_quarantine_can_always_be_emptied_by_one_drop():
    for blocks in (2, 3, 4):
        outlet = Outlet(parked_blocks=blocks, blocks=40)
        for lap in range(4):
            while outlet.quarantine.ring.has_room(8 + 20 + PARKED_BYTES):
                outlet.store_raw(b"y" * 20)
                outlet.run(10)
            assert outlet.quarantine.count() > 8, (blocks, lap, outlet.quarantine.count())
            outlet.cut()
            assert outlet.quarantine.drop(*outlet.quarantine.numbers()), (blocks, lap)
            assert outlet.quarantine.count() == 0


def test_a_quarantine_that_refuses_loses_nothing_and_stops_nothing():
    for shape in (chips.NOTHING, chips.ALL):
        outlet = Outlet(make_flash=chip)
        outlet.parked_flash.refuses = True
        outlet.parked_flash.refused_shape = shape
        for _ in range(3):
            outlet.store_raw()
            outlet.store(1)
        outlet.until_stored(3)
        outlet.run(200000)
        assert outlet.ids() == [1, 2, 3] and outlet.quarantine.count() == 0 and outlet.ring.has_aside()
        outlet.parked_flash.refuses = False
        outlet.run(200000)
        assert kept_in(outlet) == [(KIND_RAW, 1), (KIND_RAW, 3), (KIND_RAW, 5)], shape
        assert not outlet.ring.has_aside()


def test_a_quarantine_whose_next_block_fails_keeps_room_for_what_a_start_writes():
    for unit in (16, 64, 256):
        outlet = Outlet(parked_blocks=2, blocks=16, make_flash=lambda n, unit=unit: SimFlash(n, unit_bytes=unit))
        outlet.parked_flash.bad_erase.add(1)
        stored = 0
        while not outlet.ring.has_aside() and stored < 100:
            outlet.store_raw(b"r" * 60)
            outlet.run(1000)
            stored += 1
        kept = outlet.quarantine.count()
        assert 2 < kept < stored, (unit, kept, stored)
        for _ in range(2):
            outlet.cut()
            outlet.run(1000)
            assert not outlet.quarantine.ring.suspect and outlet.quarantine.count() == kept, (unit, kept)
        assert outlet.quarantine.drop(*outlet.quarantine.numbers()[:2])


def test_the_last_one_kept_is_known_before_the_next_even_if_a_start_could_not_confirm_it():
    outlet = Outlet(make_flash=chip)
    outlet.store_raw()
    while outlet.quarantine.ring.number == 0:  # kept, but the range is not left yet
        outlet.step()
    outlet.parked_flash.refuses = True
    outlet.cut()
    assert outlet.parked.suspect and outlet.quarantine.count() == 0
    outlet.parked_flash.refuses = False
    outlet.run(61000)
    assert kept_in(outlet) == [(KIND_RAW, 1)] and not outlet.ring.has_aside()


def test_no_more_are_kept_than_there_are_bits_for():
    outlet = Outlet(parked_blocks=40)
    ring = outlet.parked
    for number in range(1, SLOTS + 1):
        put(ring, number)
    assert outlet.quarantine.count() == SLOTS and ring.has_room(60)
    outlet.store_raw()
    outlet.until_passed()
    outlet.run(1000)
    assert outlet.quarantine.take_oldest(outlet.ring) == NO_ROOM and outlet.ring.has_aside()
    assert outlet.quarantine.drop(1)
    assert outlet.quarantine.numbers() == numbers(2, SLOTS)


def put(ring, number):
    """Keep a small raw frame, as if the main log's record 0 had been set aside."""
    length = 8 + 4 + PARKED_BYTES
    at = ring.begin(KIND_RAW, length)
    assert at >= 0
    ring.stage[at : at + length] = bytes(length)
    ring.stage[at] = number & 0xFF
    ring.stage[at + 1] = number >> 8
    assert ring.commit(KIND_RAW, 0, length) == 0


def test_every_record_lies_in_one_of_the_two_places_wherever_power_fails():
    """Two refused results in a row, a frame, a third: cut at each operation of either chip, in several shapes."""
    shapes = (chips.NOTHING, chips.ALL, chips.PREFIX, chips.GARBAGE, chips.FADES)
    # A quarantine goes on behind what a start found, so what was begun and reads as erased is not for it.
    for where, several in (("flash", shapes + (chips.EMERGES,)), ("parked_flash", shapes)):
        for shape in several:
            cut_at = 0
            while True:
                cut_at += 1
                outlet = scenario()
                device = getattr(outlet, where)
                device.cut_at = device.operations + cut_at
                device.cut_shape = shape
                try:
                    outlet.until(lambda outlet=outlet: done(outlet), 3600000)
                    break
                except chips.PowerCut:
                    pass
                device.restart()
                if shape == chips.NOTHING:
                    forget_what_reads_as_erased(device)
                outlet.cut()
                outlet.until(lambda outlet=outlet: done(outlet), 3600000)
                assert kept_in(outlet) == EXPECTED, (where, shape, cut_at, kept_in(outlet))
                assert 0 not in [record[2] for record in outlet.parked_records()], (where, shape, cut_at)
                assert outlet.ids() == [1, 4, 5, 6], (where, shape, cut_at, outlet.ids())
                outlet.cut()
                assert not outlet.ring.has_aside() and outlet.ring.overwritten == 0, (where, shape, cut_at)
            assert cut_at > 5, where


def forget_what_reads_as_erased(device):
    """The cut came before the operation had begun."""
    unit = device.unit_bytes
    for index in range(len(device.used)):
        device.used[index] = device.cells[index * unit : (index + 1) * unit] != b"\xff" * unit


EXPECTED = [(KIND_RESULT, 2), (KIND_RESULT, 3), (KIND_RAW, 5), (KIND_RESULT, 7)]


def scenario():
    outlet = Outlet(make_flash=chip, refused_wait_ms=1)
    outlet.store(4)
    outlet.store_raw()
    outlet.store(1)
    outlet.next_id = 9
    outlet.store(1)
    outlet.next_id = 6
    outlet.store(1)
    for ident in (2, 3, 9):
        outlet.options.tightening_codes[ident] = 17
    outlet.options.codes = {}
    return outlet


def done(outlet):
    return outlet.archive.stored == 4 and not outlet.ring.has_aside() and outlet.ring.backlog(OUTLET) == 0
