"""A log with hardly any room: it goes on after starts that were cut, moves what is in the way once, counts right."""

from agent.openprotocol.known import INDEXES
from agent.outlets.toolsnet.position import FLAG_SWEEP, NOT_SET, SET_ASIDE
from agent.quarantine import PRESSURE_FULL, PRESSURE_NONE, PRESSURE_TIGHT
from agent.record.result import BODY_BYTES, FLAG_ASIDE, FLAG_COPY, HEAD_BYTES
from agent.spool import aside, moving
from agent.spool.blocks import SPOOL_FULL, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE
from agent.log.flash import FLASH_DONE
from agent.spool.memory import OUTLET_OWN_BYTES
from agent.spool.mount import mount
from agent.spool.record import FRAME_BYTES, HEAD_OCTETS, KIND_RAW, KIND_RESULT, SEQ_TOP
from agent.spool.ring import Ring
from host_tests.support_outlet import NoRoom, full, outlet_of
from host_tests.support_spool import PAYLOAD, append, ident_in, mounted, read_all
from tools.sim import flash as chips
from tools.sim.flash import PowerCut, SimFlash

PORTABLE = True
HEAVY = True
HEAP = "4m"  # for the simulated chips


def write_memory(ring):
    """A record that starts and the controller's side leave."""
    assert ring.begin_memory() >= 0 and ring.commit_memory() == FLASH_DONE


def use_up(ring, ahead):
    """Let such records take what is free, until the block that is so far ahead is not."""
    while ring.is_free(ahead):
        write_memory(ring)


def give_power(flash, shape):
    """Power is back; a cut before the operation had begun has left nothing at all."""
    flash.restart()
    if shape == chips.NOTHING:
        unit = flash.unit_bytes
        for index in range(len(flash.used)):
            flash.used[index] = flash.cells[index * unit : (index + 1) * unit] != b"\xff" * unit


def take_all(ring, most=1000, outlet=None):
    """Deliver all as the agent does, or so many, and return the identities in order."""
    outlet = outlet or outlet_of(ring)
    taken = []
    while len(taken) < most and outlet.next() > 0:
        number = outlet.cursor.peek_number
        if outlet.must_write(number):
            if not outlet.allow(number):
                break
            assert outlet.next() > 0
        taken.append(ident_in(outlet.buf, outlet.at + HEAD_BYTES))
        outlet.deliver(number)
    return taken


# -- what a result leaves free ---------------------------------------------------------------------------------------


def test_a_result_leaves_a_block_that_something_else_opened_to_what_is_refused_where_the_quarantine_is_nearly_full():
    for pressure, when_full in (
        (PRESSURE_NONE, WHEN_FULL_REFUSE),
        (PRESSURE_TIGHT, WHEN_FULL_REFUSE),
        (PRESSURE_FULL, WHEN_FULL_REFUSE),
        (PRESSURE_FULL, WHEN_FULL_OVERWRITE),
    ):
        flash, count = full(6)
        ring = mounted(flash, when_full=when_full)
        quarantine = NoRoom()
        quarantine.told = pressure
        ring.stand_beside(quarantine)
        write_memory(ring)  # opens a block, as the first record of each start
        assert ring.is_free(1) and not ring.is_free(2) and ring.offset + 300 < 1024
        takes = pressure == PRESSURE_NONE or when_full == WHEN_FULL_OVERWRITE
        assert ring.has_room(PAYLOAD) == takes
        assert append(ring, count + 1) == (FLASH_DONE if takes else SPOOL_FULL)
        assert len(take_all(ring, count // 2)) == count // 2
        write_memory(ring)
        assert ring.is_free(2) and ring.has_room(PAYLOAD) and append(ring, count + 2) == FLASH_DONE


def free_that_work(ring, bad):
    """How many of the free blocks ahead can be erased."""
    ahead = 1
    while ring.is_free(ahead):
        ahead += 1
    blocks = [(ring.block + hop) % ring.device.block_count for hop in range(1, ahead)]
    return len([block for block in blocks if block not in bad])


def test_a_block_that_failed_is_no_spare_one_when_its_turn_comes_again_where_the_quarantine_is_nearly_full():
    for bad in ({3}, {3, 4}):
        left = {}
        for pressure in (PRESSURE_NONE, PRESSURE_FULL):
            flash = SimFlash(9, 1024, 16)
            flash.bad_erase = bad
            ring = mounted(flash)
            ident = 0
            while ring.block_no < 18:
                ident += 1
                assert append(ring, ident) == FLASH_DONE
                take_all(ring)
            ring = mounted(flash)  # only the log can say which blocks failed
            quarantine = NoRoom()
            quarantine.told = pressure
            ring.stand_beside(quarantine)
            left[pressure] = []
            for _ in range(20):
                while append(ring, ident + 1) == FLASH_DONE:
                    ident += 1
                # The result that opens a block leaves all of it but its own place.
                opened = ring.offset <= HEAD_OCTETS + ring.aligned(FRAME_BYTES + PAYLOAD)
                left[pressure].append(free_that_work(ring, bad) + opened)
                block = ring.cursors[0].block
                while ring.cursors[0].block == block:
                    assert len(take_all(ring, 1)) == 1
        assert min(left[PRESSURE_FULL]) == 2 > min(left[PRESSURE_NONE]), (bad, left)


# -- what ends a sweep -----------------------------------------------------------------------------------------------


def swept(ring):
    """Results 1 to 3 were delivered, a sweep has begun at 4, and the server has taken 7."""
    outlet = outlet_of(ring)
    assert outlet.resume(700, 0)
    for ident in range(1, 10):
        assert append(ring, ident) == FLASH_DONE
    assert len(take_all(ring, 3, outlet)) == 3 and outlet.begin_sweep(5)
    return outlet


def test_what_sets_refused_ones_aside_ends_the_sweep_and_says_what_was_delivered():
    flash = SimFlash(6, 1024, 16)
    ring = mounted(flash)
    outlet = swept(ring)
    seq = ring.seq
    assert outlet.set_aside(7, 43, 0, True) == SET_ASIDE and outlet.end_sweep()
    assert ring.seq == seq + 1  # no other record
    flash.restart()
    ring = mounted(flash)
    assert ring.has_aside() and not outlet_of(ring).sweeps()
    cursor = ring.cursors[0]
    assert (cursor.number, cursor.delivered, cursor.limit) == (6, 3, 11)  # 5 in a batch, from 7 on
    outlet = outlet_of(ring)
    assert outlet.resume(707, 0) and (cursor.number, cursor.delivered) == (7, 4)


def test_set_aside_in_front_of_one_that_is_not_taken_the_sweep_goes_on():
    ring = mounted(SimFlash(6, 1024, 16))
    outlet = swept(ring)
    assert outlet.set_aside(7, 43, 0) == SET_ASIDE and outlet.sweeps() and ring.cursors[0].limit == 9


def test_at_each_cut_in_what_ends_a_sweep_the_server_says_what_was_taken():
    for shape in (chips.ALL, chips.NOTHING, chips.PREFIX):
        for operation in range(1, 10):
            flash = SimFlash(6, 1024, 16)
            outlet = swept(mounted(flash))
            flash.cut_at, flash.cut_shape = flash.operations + operation, shape
            try:
                assert outlet.set_aside(7, 43, 0, True) == SET_ASIDE
                outlet.deliver(7)
                assert outlet.end_sweep() and outlet.allow(8)
            except PowerCut:
                pass
            give_power(flash, shape)
            ring = mounted(flash)
            outlet = outlet_of(ring)
            assert outlet.resume(707, 0) and ring.cursors[0].number == 7, (shape, operation)
            assert ring.cursors[0].delivered == 4 and ring.has_aside(), (shape, operation)
            assert take_all(ring, outlet=outlet) == [8, 9], (shape, operation)


def test_the_first_one_behind_the_durable_cursor_goes_out_as_it_is_after_a_start_in_a_sweep():
    flash = SimFlash(6, 1024, 16)
    swept(mounted(flash))
    flash.restart()
    ring = mounted(flash)
    outlet = outlet_of(ring)
    assert outlet.resume(703, 0) and ring.confirm()
    seq = ring.seq
    assert outlet.sweeps() and outlet.next() > 0 and not outlet.must_write(outlet.cursor.peek_number)
    assert outlet.begin_sweep(1) and ring.seq == seq  # refused again: the log says all of it already
    outlet.deliver(4)
    assert outlet.next() > 0 and outlet.must_write(outlet.cursor.peek_number)


def test_with_hardly_any_room_one_record_is_for_all_sweeps():
    flash, count = full(6)
    ring = mounted(flash)
    outlet = outlet_of(ring)
    assert outlet.resume(700, 0) and outlet.begin_sweep(1)
    seq = ring.seq
    for reach in (2, 4, 8, 16, count):
        assert outlet.begin_sweep(reach) and ring.seq == seq, reach
    assert outlet.sweep_last == count


# -- starts that are cut -----------------------------------------------------------------------------------------------


def test_a_full_log_whose_starts_are_cut_one_after_the_other_goes_on():
    for blocks in (4, 8):
        for shape in (chips.ALL, chips.NOTHING):
            for operation in range(1, 6):
                flash, count = full(blocks)
                for _ in range(4):
                    flash.cut_at, flash.cut_shape = flash.operations + operation, shape
                    try:
                        ring = mounted(flash)
                        outlet_of(ring).save()
                    except PowerCut:
                        pass
                    give_power(flash, shape)
                ring = mounted(flash)
                assert outlet_of(ring).set_aside(3, 43, 0) == SET_ASIDE, (blocks, shape, operation)
                assert take_all(ring) == list(range(3, count + 1)), (blocks, shape, operation)


def test_a_full_log_that_goes_on_behind_what_it_found_remembers_what_it_said_there():
    flash, count = full(4)
    for _ in range(8):
        ring = mounted(flash)
        assert ring.begin_memory() >= 0
        ring.stage[ring.payload_at + INDEXES] += 1
        assert ring.commit_memory() == FLASH_DONE
        if not ring.is_free(1):
            break
    said = bytes(ring.memory)
    ring = Ring(flash)
    assert mount(ring) == 1 and ring.suspect and not ring.is_free(1) and not ring.can_write()
    ring.pressed = True
    assert ring.can_write()
    block, last = ring.block, ring.last_record_at
    assert ring.save_cursors(count, FLAG_SWEEP) == FLASH_DONE and ring.block == block and not ring.suspect
    for fades in (False, True):
        if fades:
            at = block * flash.block_bytes + last
            flash.cells[at : at + 64] = b"\xff" * 64
        again = Ring(flash.clone())
        assert mount(again) == 1 and again.cursors[0].limit == ring.cursors[0].limit and outlet_of(again).sweeps()
        assert again.memory[OUTLET_OWN_BYTES:] == said[OUTLET_OWN_BYTES:], fades


def without_a_free_block(blocks=4, met=True):
    """A chip with a full log of whose last free block a start has just taken the first unit, and how many it holds."""
    flash, count = full(blocks, met=met)
    for _ in range(8):
        ring = mounted(flash)
        write_memory(ring)
        if not ring.is_free(1):
            return flash, count
    raise AssertionError("it has no end")


def test_a_full_log_goes_on_behind_a_record_that_was_refused_and_that_changes_nothing():
    for shape in (chips.NOTHING, chips.ALL, chips.BITS, chips.FADES, chips.EMERGES):
        for work in ("cursor", "memory", "aside"):
            flash, count = without_a_free_block()
            ring = mounted(flash)
            ring.pressed = True
            outlet = outlet_of(ring)
            assert outlet.allow(1)  # there is room behind what the start found
            before = bytes(ring.memory)
            flash.refuses, flash.refused_shape = True, shape
            if work == "cursor":
                assert ring.save_cursors(count, FLAG_SWEEP) < 0
            elif work == "memory":
                assert ring.begin_memory() >= 0
                ring.stage[ring.payload_at + INDEXES] += 1
                assert ring.commit_memory() < 0
            else:
                assert outlet.set_aside(3, 43, 0) == NOT_SET
            flash.refuses = False
            assert ring.can_write() and outlet.allow(1), (shape, work)
            for _ in range(2):
                flash.restart()
                again = Ring(flash.clone())
                assert mount(again) == 1 and bytes(again.memory) == before, (shape, work)
                assert not again.has_aside() and again.cursors[0].number == 0, (shape, work)
                assert again.cursors[0].limit == ring.cursors[0].limit, (shape, work)
                assert again.number == ring.number and again.damaged == 0, (shape, work)
            assert outlet.set_aside(3, 43, 0) == SET_ASIDE
            assert take_all(ring) == list(range(3, count + 1)), (shape, work)


def test_a_server_that_a_full_log_meets_for_the_first_time_is_remembered():
    flash, count = without_a_free_block(met=False)
    ring = Ring(flash)
    assert mount(ring) == 1
    outlet = outlet_of(ring)
    assert outlet.resume(700, 0) and outlet.sequence_of(1) == 701
    flash.restart()
    again = outlet_of(mounted(flash))
    assert again.sequence_of(1) == 701 and again.resume(702, 0)  # two went out before the cut
    assert take_all(again.ring) == list(range(3, count + 1))


def test_a_last_result_that_the_server_has_is_known_after_a_cut_before_it_could_be_confirmed():
    for left_out in (0, 1, 2):  # numbers that are nobody's
        flash = SimFlash(6, 4096, 256)
        ring = mounted(flash)
        outlet = outlet_of(ring)
        assert outlet.resume(700, 0) and append(ring, 1) == FLASH_DONE and outlet.allow(1)
        for _ in range(left_out):
            ring.skip_number()
        last = 2 + left_out
        assert append(ring, 2) == FLASH_DONE and take_all(ring, 2, outlet) == [1, 2]
        flash.restart()
        ring = Ring(flash)
        assert mount(ring) == 1 and ring.suspect and ring.cursors[0].number == 0
        outlet = outlet_of(ring)
        flash.refuses = True
        assert outlet.resume(700 + last, 0) and ring.suspect and outlet.vouched == last, left_out
        flash.refuses = False
        assert outlet.lower()  # the connection has ended before anything else
        flash.restart()
        outlet = outlet_of(mounted(flash))
        assert outlet.resume(700 + last, 0) and outlet.next() <= 0


def test_what_is_written_behind_the_copy_of_the_last_record_seals_the_log():
    flash = SimFlash(6, 4096, 256)
    assert append(mounted(flash), 1) == FLASH_DONE
    ring = Ring(flash)
    assert mount(ring) == 1 and ring.suspect
    assert ring.save_cursors(0) == FLASH_DONE
    assert ring.offset == 2 * 256, "the copy behind its HEAD, and the record that was asked for"
    assert not ring.peek_stage(0), "the copy does not lie in the stage any more"
    ring = Ring(flash)
    assert mount(ring) == 1 and ring.number == 1 and read_all(ring) == [(1, 1)]
    ring = Ring(flash)
    assert mount(ring) == 1 and ring.begin(KIND_RESULT, 100) >= 0  # which is known already, and not written
    ring = Ring(flash)
    assert mount(ring) == 1 and not ring.suspect


# -- moved on ----------------------------------------------------------------------------------------------------------

ASIDE = 12


def jammed(blocks=6, copies=()):
    """A log in which the first results are set aside in place, and the rest is delivered; a start copies some."""
    flash = SimFlash(blocks, 4096, 256)
    ring = mounted(flash)
    outlet = outlet_of(ring)
    assert outlet.resume(700, 0)
    for ident in range(1, 45):
        assert append(ring, ident) == FLASH_DONE
        if ident in copies:
            ring = mounted(flash)
            outlet = outlet_of(ring)
    assert outlet.set_aside(ASIDE + 1, 43, 0) == SET_ASIDE and len(take_all(ring)) == 44 - ASIDE
    return flash, ring


def moved_in(ring):
    """Return the identities of what was moved on and still waits to be set aside again."""
    found = []

    def visit(kind):
        if kind == KIND_RESULT and ring.walk.flags & (FLAG_ASIDE | FLAG_COPY) == FLAG_ASIDE:
            found.append(ident_in(ring.walk.page))
        return False

    assert (
        aside.walk_from(ring, ring.aside_block if ring.has_aside() else ring.cursors[0].block, 1, SEQ_TOP, visit)
        is False
    )
    return found


def move_all(ring):
    assert ring.confirm() and moving.pass_moved(ring, 0) == 0
    for _ in range(2 * ASIDE):
        if not ring.has_aside():
            return
        assert moving.carry(ring, 0) == 0
    raise AssertionError("it has no end")


def test_what_goes_out_where_the_log_has_room_for_one_record_more_is_known_after_a_cut():
    worst = 0
    for left in range(16, 44, 9):  # results that go out one by one, each with a record of its own while there is room
        flash, count = full(7, 256)
        ring = mounted(flash)
        use_up(ring, 1)
        outlet = outlet_of(ring, 1)
        assert outlet.resume(700, 0)
        while outlet.set_aside(count - left + 1, 43, 0) != SET_ASIDE:
            pass
        assert take_all(ring, left, outlet) == list(range(count - left + 1, count + 1))
        worst += not ring.can_write()
        flash.restart()
        ring = mounted(flash)
        outlet = outlet_of(ring, 1)
        assert outlet.resume(700 + count, 0) and ring.cursors[0].number == count, left
        assert outlet.next() <= 0
    assert worst  # in some of them no record found room at the end


def test_with_room_a_full_log_says_after_each_batch_what_was_delivered():
    for batch in (1, 4):
        flash, _ = full(7, 256)
        ring = mounted(flash)
        use_up(ring, 1)
        outlet = outlet_of(ring, batch)
        assert outlet.resume(700, 0) and ring.cursors[0].limit > 8
        assert len(take_all(ring, 8, outlet)) == 8 and not ring.is_free(1)
        flash.restart()
        assert mounted(flash).cursors[0].number >= 8 - batch, batch


def test_connections_that_end_do_not_fill_a_full_log_with_what_cannot_be_taken_back():
    flash, _ = full(6, 16)
    outlet = outlet_of(mounted(flash))
    ring = outlet.ring
    use_up(ring, 1)
    outlet.may_have = 0
    assert ring.fits(3 * ring.memory_octets) and outlet.cursor.limit > 0
    seq = ring.seq
    for _ in range(100):
        assert outlet.lower()
    assert ring.seq == seq


def test_where_few_records_find_room_they_are_spread_over_what_goes_out():
    for used in range(6):  # records that starts and the controller's side have left there
        flash, _ = full(7, 256)
        ring = mounted(flash)
        use_up(ring, 1)
        for _ in range(used):
            write_memory(ring)
        outlet = outlet_of(ring, 1)
        assert outlet.resume(700, 0)
        for taken in range(1, 20):
            assert len(take_all(ring, 1, outlet)) == 1
            assert mounted(flash.clone()).cursors[0].number >= taken - 2, (used, taken)


def test_with_a_full_quarantine_what_goes_out_leaves_room_to_move_on_what_is_refused_behind_it():
    flash, _ = full(7, 256)
    ring = mounted(flash)
    use_up(ring, 1)
    outlet = outlet_of(ring, 1)
    outlet.quarantine.told = PRESSURE_FULL
    assert outlet.resume(700, 0)
    block = ring.cursors[0].block
    assert take_all(ring, 12, outlet) == list(range(1, 13)) and ring.cursors[0].block == block
    assert outlet.set_aside(16, 43, 0) == SET_ASIDE and ring.aside_block == block
    assert moving.is_in_the_way(ring)
    move_all(ring)
    assert moved_in(ring) == [13, 14, 15] and ring.is_free(1)


def test_a_block_that_cannot_be_erased_is_no_room_to_move_to():
    for works in (True, False):
        flash, _ = full(7, 256)
        ring = mounted(flash)
        use_up(ring, 2)
        outlet = outlet_of(ring)
        assert outlet.resume(700, 0) and outlet.set_aside(14, 43, 0) == SET_ASIDE
        while ring.fits(8 * 256):
            write_memory(ring)
        assert ring.is_free(1) and ring.aside_block == (ring.block + 2) % 7
        flash.bad_erase = set() if works else {(ring.block + 1) % 7}
        assert moving.is_in_the_way(ring) == works


def test_nothing_goes_out_beyond_what_the_log_says_however_few_records_have_room():
    flash, _ = full(7, 256)
    ring = mounted(flash)
    use_up(ring, 1)
    outlet = outlet_of(ring, 1)
    outlet.quarantine.told = PRESSURE_FULL
    assert outlet.resume(700, 0)
    ring.cursors[0].limit = 0  # set back
    for taken in range(1, 8):
        assert take_all(ring, 1, outlet) == [taken]
        assert mounted(flash.clone()).cursors[0].limit >= taken


def limit_found(flash):
    """What a start finds to be granted, before it has written anything."""
    ring = Ring(flash.clone())
    assert mount(ring) == 1
    return ring.cursors[0].limit


def test_in_the_last_free_block_as_well_nothing_goes_out_that_a_refused_record_may_have_taken_back():
    lost_without = 0
    for used in range(16):
        flash, _ = full(7, 64)
        ring = mounted(flash)
        use_up(ring, 2)
        outlet = outlet_of(ring, 1)
        assert ring.is_free(1) and outlet.resume(700, 0) and outlet.allow(1)
        for _ in range(used):
            if ring.fits(ring.memory_octets):
                write_memory(ring)
        flash.refuses, flash.refused_shape = True, chips.ALL
        assert ring.save_cursors(0, 0) != FLASH_DONE
        flash.refuses = False
        assert ring.cursors[0].limit >= 1, "what was refused changes nothing"
        lost_without += limit_found(flash) < 1
        assert take_all(ring, 1, outlet) == [1]
        assert limit_found(flash) >= 1, used
    assert lost_without > 2


def test_a_start_without_a_free_block_says_behind_what_it_found_what_goes_out():
    flash = without_a_free_block()[0]
    for cut in (False, True):
        if cut:
            flash.restart()
        ring = Ring(flash)
        assert mount(ring) == 1 and ring.cursors[0].limit > 8 and not ring.is_free(1)
        outlet = outlet_of(ring, 1)
        before = ring.cursors[0].number
        for taken in range(before + 1, before + 4):
            assert len(take_all(ring, 1, outlet)) == 1
            assert mounted(flash.clone()).cursors[0].number >= taken - 2, (cut, taken)


def test_the_last_record_that_finds_room_behind_a_start_speaks_of_all_that_go_out():
    for used in (9, 10):  # records behind which a start has to confirm the last one
        for batch, quiet in ((1, False), (1, True), (4, False), (4, True)):
            flash, _ = full(4, 256)
            ring = mounted(flash)
            use_up(ring, 2)
            flash.bad_erase = {(ring.block + 1) % 4}
            for _ in range(used):
                write_memory(ring)
            ring = Ring(flash)
            assert mount(ring) == 1
            outlet = outlet_of(ring, batch)
            assert outlet.resume(700, 0)
            ring.pressed = True
            for _ in range(14):  # the block that they lie in is not free yet
                if quiet:
                    outlet.prepare()
                assert len(take_all(ring, 1, outlet)) == 1
            flash.restart()
            outlet = outlet_of(mounted(flash), batch)
            assert outlet.resume(714, 0) and outlet.cursor.number == 14, (used, batch, quiet)


def test_what_goes_out_behind_what_was_set_aside_in_the_last_of_the_room_is_known_after_a_cut():
    aside_found_room = 0
    for used in range(8, 15):  # records that starts and the controller's side have left there
        flash, _ = full(7, 256)
        ring = mounted(flash)
        use_up(ring, 1)
        for _ in range(used):
            write_memory(ring)
        outlet = outlet_of(ring, 4)
        assert outlet.resume(700, 0)
        ring.cursors[0].limit = 0  # set back
        assert take_all(ring, 2, outlet) == [1, 2]
        if outlet.set_aside(4, 43, 0) == SET_ASIDE:
            aside_found_room += 1
            assert take_all(ring, 9, outlet) == list(range(4, 13))
            flash.restart()
            outlet = outlet_of(mounted(flash), 4)
            assert outlet.resume(712, 0) and outlet.cursor.number == 12, used
    assert 0 < aside_found_room < 7  # in some of them none is left behind it


def test_room_behind_the_last_record_serves_though_no_free_block_can_be_erased():
    for worn in (1, 2):
        flash, _ = full(7, 256)
        ring = mounted(flash)
        use_up(ring, 2)
        while not ring.is_free(worn):
            assert ring.peek(0) > 0
            ring.advance(0)
        flash.bad_erase = {(ring.block + ahead) % 7 for ahead in range(1, worn + 1)}
        assert not ring.is_free(worn + 1) and not ring.next_ready and ring.fits(3 * 256)
        while ring.fits(3 * 256):
            write_memory(ring)
        ring.urgent = True
        for _ in range(2):
            place = ring.block, ring.offset
            assert ring.begin(KIND_RAW, 600) == SPOOL_FULL
        ring.urgent = False
        assert (ring.block, ring.offset) == place and not ring.has_next() and ring.can_write(), worn
        assert ring.begin_memory() >= 0 and ring.commit_memory() == FLASH_DONE and ring.block == place[0]


def test_with_no_free_block_that_works_the_log_says_what_goes_out_where_it_has_room():
    flash, _ = full(7, 256)
    ring = mounted(flash)
    flash.bad_erase = set(range(7))
    ring = Ring(flash)
    assert mount(ring) == 1 and ring.cursors[0].limit == 0
    outlet = outlet_of(ring, 1)
    assert outlet.resume(700, 0) and len(take_all(ring, 5, outlet)) == 5
    flash.restart()
    outlet = outlet_of(mounted(flash), 1)
    assert outlet.resume(705, 0) and outlet.cursor.number == 5


def test_what_is_moved_on_is_there_once_wherever_power_fails():
    for shape in (chips.ALL, chips.NOTHING, chips.GARBAGE, chips.FADES):
        operation = 0
        while True:
            operation += 1
            flash, ring = jammed()
            flash.cut_at, flash.cut_shape = flash.operations + operation, shape
            try:
                move_all(ring)
                break
            except PowerCut:
                pass
            give_power(flash, shape)
            ring = mounted(flash)
            move_all(ring)
            assert moved_in(ring) == list(range(1, ASIDE + 1)), (shape, operation, moved_in(ring))
        assert operation > ASIDE, (shape, operation)


def test_a_copy_that_a_start_made_is_not_moved_on_as_well():
    ring = jammed(8, copies=(4, 9))[1]
    move_all(ring)
    assert moved_in(ring) == list(range(1, ASIDE + 1)) and ring.number == 44 + ASIDE


def test_what_was_moved_on_and_copied_by_a_start_is_moved_on_again():
    for moved in range(1, ASIDE + 1):
        flash, ring = jammed(8)
        for _ in range(moved):
            assert moving.carry(ring, 0) == FLASH_DONE
        ring = mounted(flash)  # copies the last one
        move_all(ring)
        assert moved_in(ring) == list(range(1, ASIDE + 1))
        outlet = outlet_of(ring)
        assert outlet.resume(744, 0) and outlet.set_aside(ring.number + 1, 43, 0) == SET_ASIDE
        assert append(ring, 99) == FLASH_DONE and take_all(ring, 1) == [99]
        ring = mounted(flash)
        move_all(ring)
        assert moved_in(ring)[-ASIDE:] == list(range(1, ASIDE + 1)), moved


def test_what_is_moved_on_behind_a_refused_result_does_not_wait():
    ring = jammed()[1]
    assert append(ring, 45) == FLASH_DONE
    move_all(ring)
    outlet = outlet_of(ring)
    assert outlet.begin_sweep(1000) and outlet.next_of_sweep() == KIND_RESULT
    outlet.pass_in_sweep(outlet.scout.peek_number)
    assert outlet.next_of_sweep() <= 0 and ring.backlog(0) == 1


def fill_up_to(ring, octets):
    """Let the log leave so much of its newest block, with none of the others free."""
    ident = ring.number
    while append(ring, ident + 1) == FLASH_DONE:
        ident += 1
        take_all(ring)
    while ring.is_free(1) or ring.device.block_bytes - ring.offset > octets:
        assert ring.save_cursors(ident) == FLASH_DONE


def test_nothing_is_moved_on_that_finds_no_room():
    _, ring = jammed(10)
    assert not moving.is_in_the_way(ring), "its block is not needed yet"
    ident = 44
    while append(ring, ident + 1) == FLASH_DONE:
        ident += 1
        take_all(ring)
    assert moving.is_in_the_way(ring)
    fill_up_to(ring, (ASIDE - 1) * 256)
    assert not moving.is_in_the_way(ring)


def move_from(ring, block):
    """Move on what is set aside in this block, as long as the agent does; whether anything was moved."""
    number = ring.number
    while ring.has_aside() and ring.aside_block == block and moving.is_in_the_way(ring):
        assert moving.carry(ring, 0) == 0
    return ring.number != number


def test_where_all_was_moved_on_in_vain_a_result_goes_in_as_long_as_that_can_be_done_once_more():
    gained = opened = 0
    for used in range(16):
        _, ring = jammed(10)
        quarantine = NoRoom()
        quarantine.told = PRESSURE_FULL
        ring.stand_beside(quarantine)
        ident = 44
        while append(ring, ident + 1) == FLASH_DONE:
            ident += 1
        for _ in range(used):
            if moving.is_movable_behind(ring, 60):
                write_memory(ring)
        assert not ring.has_room(PAYLOAD) and moving.is_in_the_way(ring)
        quarantine.in_vain = True
        block, before = ring.block, ident
        while ring.has_room(PAYLOAD):
            ident += 1
            assert append(ring, ident) == FLASH_DONE
        assert append(ring, ident + 1) == SPOOL_FULL
        gained += ident - before
        opened += ring.block != block
        assert moving.is_in_the_way(ring)
        move_all(ring)
        assert len(moved_in(ring)) == ASIDE and ring.is_free(1)
    assert gained > 16 and opened


def test_what_is_moved_on_leaves_room_for_what_waits_in_its_block_and_may_be_refused_as_well():
    begun = 0
    for used in range(8, 16):  # records that starts and the controller's side have left there
        flash, count = full(6, 256)
        ring = mounted(flash)
        outlet = outlet_of(ring)
        assert outlet.resume(700, 0)
        block = ring.cursors[0].block
        for _ in range(used):
            assert ring.save_cursors(count) == FLASH_DONE
        assert outlet.set_aside(10, 43, 0) == SET_ASIDE and ring.aside_block == ring.cursors[0].block == block
        if move_from(ring, block):
            begun += 1
            assert outlet.set_aside(17, 43, 0) == SET_ASIDE and move_from(ring, block)
            assert not (ring.has_aside() and ring.aside_block == block), used
    assert 0 < begun < 8


def test_what_is_moved_on_into_the_last_of_the_room_makes_its_block_free():
    for operation in range(1, 2 * ASIDE):
        flash, ring = jammed(10)
        fill_up_to(ring, ASIDE * 256)
        assert moving.is_in_the_way(ring) and not ring.is_free(1)
        flash.cut_at, flash.cut_shape = flash.operations + operation, chips.GARBAGE
        try:
            move_all(ring)
            assert ring.is_free(1) and append(ring, 99) == FLASH_DONE
            return
        except PowerCut:
            give_power(flash, chips.GARBAGE)
        ring = mounted(flash)
        assert moving.pass_moved(ring, 0) == 0
        left = len(moved_in(ring))
        while ring.has_aside() and moving.carry(ring, 0) == FLASH_DONE:
            pass
        assert moved_in(ring) == list(range(1, len(moved_in(ring)) + 1)), operation
        assert ring.has_aside() or len(moved_in(ring)) == ASIDE, (operation, left)
    raise AssertionError("it has no end")


def test_what_fills_its_blocks_is_moved_on_into_as_many():
    flash = SimFlash(9, 4096, 64)
    ring = mounted(flash, wide=True)
    outlet = outlet_of(ring)
    assert outlet.resume(700, 0)
    extra = 1984 - FRAME_BYTES - HEAD_BYTES - BODY_BYTES  # behind a HEAD a block holds two of them and nothing else
    while not ring.has_aside():
        assert append(ring, ring.number + 1, extra=extra) == FLASH_DONE
        if ring.number == 8:
            assert outlet.set_aside(9, 43, 0) == SET_ASIDE
    opened = 0
    while ring.has_aside():
        before = ring.block_no
        if moving.is_in_the_way(ring):
            assert moving.carry(ring, 0) == FLASH_DONE
            opened += ring.block_no - before
            found = Ring(flash.clone(), wide=True)
            assert mount(found) == 1 and ring.aside_first - found.aside_first < 5, "a HEAD says what was moved before"
        else:
            assert append(ring, ring.number + 1, extra=extra) == FLASH_DONE
            take_all(ring)
    assert opened <= 4 + 1, "no record of their own takes the room of one of them"


def test_where_a_start_has_sealed_the_log_what_it_found_leaves_room_to_move_on():
    flash, ring = jammed(10)
    fill_up_to(ring, (ASIDE + 4) * 256)
    for _ in range(2):
        ring = mounted(flash)
        ring.pressed = True
        assert ring.confirm()
    assert ring.offset == 4096 and not ring.is_free(1) and moving.is_in_the_way(ring)
    move_all(ring)
    assert ring.is_free(1) and moved_in(ring) == list(range(1, ASIDE + 1))


# -- given up ----------------------------------------------------------------------------------------------------------


def test_what_is_given_up_is_counted_before_it_is_gone():
    """Results set aside in a log that overwrites: there, or counted, at each start and never less than before."""
    for unit, blocks, life in ((16, 6, 400), (256, 6, 400), (16, 3, 9), (256, 4, 5), (16, 5, 3)):
        flash = SimFlash(blocks, 4096, unit)
        ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
        outlet = outlet_of(ring)
        assert outlet.resume(700, 0)
        for ident in range(1, 13):
            assert append(ring, ident) == FLASH_DONE
        assert outlet.set_aside(11, 43, 0) == SET_ASIDE and ring.has_aside()
        seen = [0]

        def look(flash, block, address, octets, seen=seen, case=(unit, blocks, life)):
            found = Ring(flash.clone(), when_full=WHEN_FULL_OVERWRITE)
            if mount(found) < 0:
                return
            there = [0]

            def visit(kind):
                if kind == KIND_RESULT:
                    there[0] += 1
                return False

            if found.has_aside():
                aside.walk_from(found, found.aside_block, found.aside_first, found.aside_last + 1, visit)
            seen[0] += 1
            assert there[0] + found.overwritten >= 10, (case, there[0], found.overwritten)

        flash.before_operation = look
        for ident in range(13, 300):
            if ident % life == 0:
                assert outlet_of(ring).save()
                ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
            assert append(ring, ident) == FLASH_DONE
            take_all(ring)
        assert ring.overwritten == 10, (unit, blocks, life, ring.overwritten)
        assert not ring.has_aside() and seen[0] > 200


def cut_with_results_out(sent):
    """A log that overwrites, which had delivered so many when power failed, and what a start finds durable of that."""
    flash = SimFlash(6, 4096, 256)
    ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
    assert outlet_of(ring).resume(700, 0)
    for ident in range(1, 31):
        assert append(ring, ident) == FLASH_DONE
    taken = take_all(ring, sent)
    assert taken == list(range(1, sent + 1)) and ring.cursors[0].number == sent
    flash.restart()
    ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
    return flash, ring, ring.cursors[0].number


def test_what_was_delivered_before_a_cut_is_not_counted_as_overwritten():
    for sent in (1, 6, 9, 12):
        for late in (0, 2, 40):  # results that the server says to have beyond or in front of what went out
            flash, ring, durable = cut_with_results_out(sent)
            outlet = outlet_of(ring)
            assert durable < sent <= ring.cursors[0].limit
            ident = 30
            while ring.overwritten == 0:
                ident += 1
                assert append(ring, ident) == FLASH_DONE
            first = ring.cursors[0].number + 1
            assert first > sent and ring.overwritten == first - 1 - durable, (
                "whether any was delivered is not known yet"
            )
            said = max(durable, sent - late) if late < 40 else 61234
            assert outlet.resume(700 + said if late < 40 else said, 0)
            known = sent - durable if late == 0 else said - durable if late == 2 else 0
            for _ in range(2):
                assert ring.overwritten == first - 1 - durable - known, (sent, late)
                assert ring.cursors[0].delivered == durable + known and ring.cursors[0].number == first - 1
                flash.restart()
                ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
            assert take_all(ring) == list(range(first, ident + 1))


def test_a_result_that_is_overwritten_while_it_is_out_is_not_counted_when_it_is_acknowledged():
    ring = cut_with_results_out(6)[1]
    outlet = outlet_of(ring)
    assert outlet.resume(706, 0) and outlet.allow(7) and outlet.next() > 0
    outlet.goes_out(7)
    ident = 30
    while ring.overwritten == 0:
        ident += 1
        assert append(ring, ident) == FLASH_DONE
    gone = ring.overwritten
    outlet.deliver(7)
    assert outlet.save() and ring.overwritten == gone - 1 and ring.cursors[0].delivered == 7
    outlet.deliver(7)
    assert outlet.save() and ring.overwritten == gone - 1


def test_what_was_overwritten_before_the_result_that_is_out_was_never_sent():
    ring = cut_with_results_out(6)[1]
    outlet = outlet_of(ring)
    assert outlet.resume(706, 0)
    ident = 30

    def overwrite():
        nonlocal ident
        before = ring.overwritten
        while ring.overwritten == before:
            ident += 1
            assert append(ring, ident) == FLASH_DONE

    overwrite()
    assert outlet.next() > 0
    number = ring.cursors[0].peek_number
    assert number > 7 and outlet.allow(number) and outlet.next() > 0
    outlet.goes_out(number)
    overwrite()
    gone = ring.overwritten
    assert ring.cursors[0].number > number and outlet.resume(700 + number, 0)
    assert ring.overwritten == gone - 1 and ring.cursors[0].delivered == 7


def test_what_was_overwritten_is_said_before_anything_behind_it_goes_out():
    flash, ring, durable = cut_with_results_out(6)
    assert outlet_of(ring).resume(700 + durable, 0)
    for ident in range(31, 40):
        assert append(ring, ident) == FLASH_DONE
    assert ring.save_cursors(39) == FLASH_DONE  # so many may go out
    flash.restart()
    ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)  # its last record is a SEAL now
    assert ring.overwritten == 0 and flash.erase(ring.cursors[0].block) == FLASH_DONE  # and a cut before the next HEAD
    flash.restart()
    ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
    outlet = outlet_of(ring, 40)
    assert outlet.resume(700 + durable, 0) and len(take_all(ring, 2, outlet)) == 2
    last, lost = ring.cursors[0].number, ring.overwritten
    assert lost == last - 2 - durable > 0
    flash.restart()
    ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
    assert ring.peek(0) > 0  # somebody looks at the log before the server is met
    assert outlet_of(ring).resume(700 + last, 0) and ring.overwritten == lost


def test_what_was_given_up_in_a_block_that_is_half_erased_counts_as_overwritten():
    holes = 0
    for shape in (chips.PREFIX, chips.SUFFIX, chips.BITS, chips.ALL, chips.GARBAGE):
        for last in range(20, 36):
            flash = SimFlash(4, 1024, 16, seed=last)
            ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
            for ident in range(1, last + 1):
                assert append(ring, ident) == FLASH_DONE
            for _ in range(2):
                ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
            erases = [0]

            def cut_the_second_erase(flash, block, address, octets, erases=erases):
                erases[0] += octets is None  # of a block with results: a start leaves no room for a record in front
                flash.cut_at = flash.operations if erases[0] == 2 else 0

            flash.cut_shape = shape
            flash.before_operation = cut_the_second_erase
            try:
                append(ring, last + 1)
                raise AssertionError("nothing was erased")
            except PowerCut:
                pass
            flash.before_operation = None
            flash.restart()
            ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
            found = [ident for _, ident in read_all(ring)]
            assert found == sorted(found) and found[-1] == last and ring.damaged == 0, (shape, last, found)
            assert len(found) + ring.overwritten == last, (shape, last, found, ring.overwritten)
            holes += found != list(range(found[0], last + 1))
    assert holes > 5


def before_the_bad_block(bad, keeps, unit):
    """An overwriting log whose next block fails; some behind that are delivered. Returns how many it has stored."""
    flash = SimFlash(7, 1024, unit)
    ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
    last = 0
    while ring.block_no < 10 or ring.block != bad - 3:
        last += 1
        assert append(ring, last) == FLASH_DONE
    while ring.block != bad - 1:  # as starts do
        write_memory(ring)
    while ring.cursors[0].block != bad + 1:
        assert ring.peek(0) > 0
        ring.advance(0)
    assert ring.save_cursors(0) == FLASH_DONE
    while ring.fits(ring.memory_octets):
        write_memory(ring)
    flash.bad_erase = {bad}
    if not keeps:
        flash.cells[bad * 1024 : bad * 1024 + 256] = bytes(256)
    return flash, last


def test_what_was_given_up_behind_a_block_that_failed_counts_as_overwritten_wherever_power_fails():
    gone = 0
    for keeps in (True, False):
        for unit in (16, 256):
            for operation in range(1, 9):
                flash, last = before_the_bad_block(4, keeps, unit)
                ring = mounted(flash.clone(), when_full=WHEN_FULL_OVERWRITE)
                done, before, waits = ring.cursors[0].number, ring.overwritten, read_all(ring)[0][1]
                flash.cut_at, flash.cut_shape = flash.operations + operation, chips.ALL
                try:
                    append(mounted(flash, when_full=WHEN_FULL_OVERWRITE), last + 1)
                    continue
                except PowerCut:
                    flash.restart()
                ring = mounted(flash, when_full=WHEN_FULL_OVERWRITE)
                found = [ident for _, ident in read_all(ring)]
                assert found == list(range(found[0], found[-1] + 1)) and found[-1] >= last, (keeps, unit, operation)
                given_up = ring.overwritten - before
                assert done + given_up + len(found) == found[-1], (keeps, unit, operation, found)
                assert ring.damaged == 0
                gone += found[0] > waits
    assert gone
