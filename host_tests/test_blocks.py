"""Blocks are used in turn, none is erased too early, and a full log always finds the room to become less full."""

from agent.outlets.toolsnet.position import SET_ASIDE, SET_SOME
from agent.record.result import ROOM_BYTES
from agent.spool.blocks import SPOOL_FULL
from agent.log.flash import FLASH_DONE
from agent.spool.mount import mount
from agent.spool.record import KIND_HEAD
from agent.spool.ring import Ring
from agent.spool.search import holds
from host_tests.support_outlet import full, outlet_of
from host_tests.support_spool import append, body_of, ident_in, mounted, read_all
from tools.sim.flash import ALL, GARBAGE, NOTHING, PREFIX, SUFFIX, SimFlash

PORTABLE = True
HEAP = "4m"  # for the simulated chips


def set_aside(outlet, before):
    """Set aside all that waits in front of result `before`, in as many turns as it takes; whether that is done."""
    code = SET_SOME
    while code == SET_SOME:
        code = outlet.set_aside(before, 43, 0)
    return code == SET_ASIDE


def take(ring, most, refuses=()):
    """Deliver up to `most` results as the agent does: the log has to say first that they may go out."""
    outlet = outlet_of(ring)
    taken = []
    while len(taken) < most:
        if outlet.next() <= 0:
            break
        number = outlet.cursor.peek_number
        if number > outlet.cursor.limit:
            if not outlet.allow(number):
                break
            assert outlet.next() > 0
        ident = ident_in(outlet.buf, outlet.at + 8)
        if ident in refuses:
            assert set_aside(outlet, number + 1)
            continue
        taken.append(ident)
        outlet.deliver(number)
    return taken


# -- spare blocks ------------------------------------------------------------------------------------------------------


def test_results_leave_one_block_free_and_two_where_there_are_many():
    for blocks, spare in ((3, 1), (4, 2), (7, 2), (12, 2)):
        for unit in (16, 256, 512):
            flash, _ = full(blocks, unit)
            ring = Ring(flash)
            assert mount(ring) == 1  # as it was left: nothing was written behind it
            assert ring.is_free(spare) and not ring.is_free(spare + 1), (blocks, unit)


def test_a_block_that_cannot_be_erased_is_none_that_results_leave_free():
    for blocks in (3, 4, 7):
        flash = SimFlash(blocks, 1024, 16)
        flash.bad_erase = {blocks - 1}
        ring = mounted(flash)
        count = 0
        ring.maintain()  # as the line is quiet
        while append(ring, count + 1) == FLASH_DONE:
            count += 1
            ring.maintain()
        assert not ring.has_room(ROOM_BYTES)
        assert ring.block + 1 < blocks - 1 or (ring.block < blocks - 1 and ring.fits(4 * ring.memory_octets))
        assert len(take(ring, count)) == count and ring.has_room(ROOM_BYTES)
        assert append(ring, count + 1) == FLASH_DONE and ring.block != blocks - 1  # it goes on behind that block


def test_a_full_log_takes_what_has_to_be_written_so_that_results_go_out():
    for blocks in (3, 4, 8, 9):
        for unit in (16, 256, 512):
            flash, count = full(blocks, unit)
            ring = mounted(flash)
            if blocks < 4:
                assert append(ring, 999) == SPOOL_FULL
            assert ring.save_cursors(9) == FLASH_DONE
            assert ring.begin_memory() >= 0 and ring.commit_memory() == FLASH_DONE
            assert set_aside(outlet_of(ring), 3)
            assert take(ring, count) == list(range(3, count + 1)), (blocks, unit)


# -- erasing -----------------------------------------------------------------------------------------------------------


def test_no_block_is_erased_in_front_of_which_the_durable_cursor_stands():
    for unit in (16, 256):
        flash = SimFlash(6, 1024, unit)
        ring = mounted(flash)
        seen = [0]

        def look(flash, block, address, octets, seen=seen):
            if octets is None:
                found = Ring(flash.clone())
                if mount(found) == 1 and not found.suspect:
                    cursor = found.cursors[0]
                    seen[0] += 1
                    assert cursor.block != block or cursor.number == found.number, "it would find its place gone"

        ring.maintain()
        flash.before_operation = look
        for ident in range(1, 200):
            assert append(ring, ident) == FLASH_DONE
            if ident > 4:
                ring.peek(0)
                ring.advance(0)
            if ident % 3 == 0:
                ring.maintain()
        flash.before_operation = None
        assert sum(flash.wear) > 12


def test_a_start_after_any_erase_finds_its_cursor_s_place_and_no_damage():
    flash = SimFlash(5, 1024, 16)
    ring = mounted(flash)
    for ident in range(1, 200):
        assert append(ring, ident) == FLASH_DONE
        if ident > 9:
            ring.peek(0)
            ring.advance(0)
        if ring.maintain() and ident > 30:
            found = Ring(flash.clone())
            assert mount(found) == 1 and not found.cursors[0].jumped, ident
            assert [one for _, one in read_all(found)][-1:] == [ident]
            assert found.damaged == 0


def test_nothing_is_erased_ahead_while_what_the_log_holds_is_to_be_compared():
    flash = SimFlash(4, 1024, 16)
    ring = mounted(flash)
    assert append(ring, 1) == FLASH_DONE
    erased = sum(flash.wear)
    assert ring.maintain(keeps=True) and sum(flash.wear) == erased
    assert ring.maintain() and sum(flash.wear) == erased + 1


def test_a_cursor_that_has_gone_on_is_durable_before_the_block_it_stood_in_is_erased():
    for blocks in (4, 8):
        flash, count = full(blocks)
        ring = mounted(flash)
        outlet_of(ring).allow(count)
        assert ring.cursors[0].saved_block == 0 and len(read_all(ring)) >= count - 1
        while ring.maintain() is False:
            append(ring, 500)
        found = Ring(flash.clone())
        assert mount(found) == 1 and not found.cursors[0].jumped, "its place is gone"


def test_a_block_is_not_erased_while_the_cursor_that_passed_it_cannot_be_saved():
    for blocks in (4, 8):
        flash, count = full(blocks)
        ring = mounted(flash)
        cursor = ring.cursors[0]
        while (ring.block + 1) % blocks != cursor.saved_block:
            assert ring.begin_memory() >= 0 and ring.commit_memory() == FLASH_DONE
        assert outlet_of(ring).allow(count) and len(read_all(ring)) >= count - 1
        assert cursor.saved_number == 0 and ring.is_free(1)
        erased = sum(flash.wear)

        def refuse_programs(flash, _block, _address, octets):
            flash.refuses = octets is not None

        flash.before_operation = refuse_programs
        assert not ring.maintain() and sum(flash.wear) == erased
        flash.before_operation = None
        flash.refuses = False
        append(ring, count + 1)
        found = Ring(flash.clone())
        assert mount(found) == 1 and not found.cursors[0].jumped, "its place is gone"


def test_a_result_leaves_the_room_that_saving_the_cursor_takes_before_the_next_block_is_erased():
    for extra in range(0, 128, 16):
        flash, count = full(4)
        ring = mounted(flash)
        outlet_of(ring).allow(count)
        assert len(read_all(ring)) >= count - 1
        looked = [0]

        def look(flash, block, address, octets, looked=looked):
            if octets is not None and octets[0] == KIND_HEAD:
                found = Ring(flash.clone())
                looked[0] += 1
                assert mount(found) == 1 and not found.cursors[0].jumped, "its place is gone"

        flash.before_operation = look
        assert append(ring, 500, extra=extra) == FLASH_DONE
        for _ in range(12):
            if append(ring, 501) != FLASH_DONE:
                break
        assert looked[0]


def test_a_cursor_whose_block_was_erased_under_it_still_finds_the_next_result():
    for blocks in (3, 4):
        flash = SimFlash(blocks, 1024, 16)
        ring = mounted(flash)
        ring.maintain()
        for ident in range(1, 5):
            append(ring, ident)
        assert len(read_all(ring)) == 4
        flash.bad_erase |= {block for block in range(blocks) if block != ring.block}
        ident = 5
        while append(ring, ident) == FLASH_DONE and ident < 40:
            assert read_all(ring) == [(ident, ident)], (blocks, ident)
            ident += 1
        assert ident > 6


# -- a full log that is started again and again ------------------------------------------------------------------------


def nothing(_outlet):
    pass


def asks(outlet):
    assert outlet.resume(700, 0)


def asks_and_takes_back(outlet):
    asks(outlet)
    outlet.lower()


def allows(outlet):
    asks(outlet)
    outlet.allow(1)


def allows_and_takes_back(outlet):
    allows(outlet)
    outlet.lower()


def stops_in_order(outlet):
    asks(outlet)
    outlet.save()


def test_a_full_log_comes_to_progress_however_often_it_was_started_and_whatever_was_written_then():
    for blocks in (3, 4, 7, 8, 12):
        for unit in (16, 512):
            for life in (nothing, asks, asks_and_takes_back, allows, allows_and_takes_back, stops_in_order):
                flash, count = full(blocks, unit)
                for _ in range(7):
                    ring = mounted(flash)
                    ring.maintain()
                    life(outlet_of(ring))
                    while append(ring, count + 1) == FLASH_DONE:
                        count += 1  # with two blocks spare the first start leaves some room
                taken = take(mounted(flash), count)
                assert taken == list(range(1, count + 1)), (blocks, unit, life, taken)


def test_a_full_log_that_is_started_after_each_result_is_taken_goes_on():
    for blocks in (3, 4, 8):
        flash, count = full(blocks)
        archive = []
        for _ in range(2 * count):
            ring = mounted(flash)
            outlet = outlet_of(ring)
            assert outlet.resume(outlet.sequence_of(len(archive)), 0)  # what the server has, by its 08
            if append(ring, count + 1) == FLASH_DONE:
                count += 1
            archive += take(ring, 2)
            outlet.lower()
        assert archive == list(range(1, len(archive) + 1)) and count > 30, (blocks, count)


def test_a_refused_record_that_reads_well_takes_no_number_from_a_result():
    for shapes in ((ALL, NOTHING), (NOTHING, ALL)):
        flash, count = full(3)
        for _ in range(4):
            ring = mounted(flash)
        ring.pressed = flash.refuses = True
        for shape in shapes:
            flash.refused_shape = shape
            assert ring.save_cursors(0) < FLASH_DONE
        flash.refuses = False
        assert ring.save_cursors(0) == FLASH_DONE  # says how many in front of it were refused
        again = Ring(flash)
        assert mount(again) == 1 and again.lost == 0 and again.number == count, shapes


def test_what_a_start_could_not_repeat_takes_no_number_from_a_result():
    for refusals in (1, 2, 3):
        flash, count = full(3, 4)
        for _ in range(4):
            ring = mounted(flash)
        ring.pressed = True
        assert ring.save_cursors(0) == FLASH_DONE
        flash.tear(ring.block * flash.block_bytes + ring.offset, bytes(48), GARBAGE)  # and a cut
        ring = Ring(flash)
        assert mount(ring) == 1 and ring.torn == 1 and ring.suspect
        ring.pressed = flash.refuses = True
        for _ in range(refusals):
            assert ring.save_cursors(0) < FLASH_DONE
        flash.refuses = False
        assert ring.save_cursors(0) == FLASH_DONE and not ring.suspect
        again = Ring(flash)
        assert mount(again) == 1 and again.number == ring.number == count + 1, refusals  # one may be the torn record's


def test_refused_results_at_the_head_of_a_full_log_are_set_aside_and_the_rest_goes_out():
    for blocks in (3, 4, 8):
        for starts in (1, 2, 3):
            flash, count = full(blocks)
            for _ in range(starts):
                ring = mounted(flash)
            assert ring.number == count
            outlet = outlet_of(ring)
            assert outlet.begin_sweep(3)
            assert set_aside(outlet, 4)
            assert take(ring, count) == list(range(4, count + 1))
            assert ring.has_aside()


def test_what_is_granted_in_the_last_free_block_is_not_taken_back():
    flash, count = full(3)
    ring = mounted(flash)
    assert ring.cursors[0].limit >= count
    assert outlet_of(ring).save()
    assert ring.cursors[0].limit >= count
    again = mounted(flash)
    assert again.cursors[0].limit >= count
    taken = take(again, count)
    assert taken == list(range(1, count + 1))
    again.save_cursors(count)
    assert again.cursors[0].limit == count, "with room it is"


# -- what was learned of a block is forgotten with it ----------------------------------------------------------------


def stream(ring, ident):
    """Store one result and deliver it at once, out of the stage."""
    assert append(ring, ident) == FLASH_DONE
    assert ring.peek_stage(0)
    ring.advance(0)


def test_an_outage_that_begins_a_lap_later_in_the_block_where_one_lay_loses_nothing():
    a_block = 7  # light results that 1024 octets hold behind the HEAD
    for blocks in (4, 6):
        for lap in range((blocks - 1) * a_block, (blocks + 1) * a_block):
            ring = mounted(SimFlash(blocks, 1024, 16))
            ident = 0
            while ident < a_block - 1:
                ident += 1
                stream(ring, ident)
            for count in (2, 6):  # a backlog over the end of a block, and another a lap later
                wanted = list(range(ident + 1, ident + count + 1))
                for one in wanted:
                    assert append(ring, one) == FLASH_DONE
                assert [one for _, one in read_all(ring)] == wanted, (blocks, lap)
                ident += count
                for _ in range(lap):
                    ident += 1
                    stream(ring, ident)
            assert ring.damaged == 0 and ring.backlog(0) == 0


# -- the smallest log ------------------------------------------------------------------------------------------------


def test_three_blocks_go_on_after_a_refused_head_and_starts_that_could_confirm_nothing():
    for shape in (NOTHING, ALL, PREFIX, SUFFIX):
        for gone in range(15):
            flash, count = full(3)
            ring = mounted(flash)
            archive = take(ring, gone)
            ring.maintain()
            while ring.offset + 256 <= 1024 and append(ring, count + 1) == FLASH_DONE:
                count += 1
            flash.refuses, flash.refused_shape = True, shape
            for _ in range(3):  # at the second one at the latest it is a HEAD that is refused
                assert append(ring, count + 1) != FLASH_DONE
            for _ in range(gone % 3):
                mounted(flash)
            flash.refuses = False
            ring = mounted(flash)
            if holds(ring, body_of(count + 1), 0):  # refused after all of it was written: a start may count it
                count += 1
            outlet = outlet_of(ring)
            assert outlet.resume(outlet.sequence_of(len(archive)), 0)
            for _ in range(40):
                if append(ring, count + 1) == FLASH_DONE:
                    count += 1
                archive += take(ring, 2)
            assert archive == list(range(1, count + 1)) and count > 30, (shape, gone, count, archive[-3:])
