"""The log by itself: order, room, blocks, restarts, refusals, several cursors, nothing allocated for a result."""

from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.cursor import WANTS_FRAMES, WANTS_RESULTS, Cursor
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.framing import RECORD_LOST, RECORD_NONE, RETAINED_MAX
from toolcart.agent.log.log import LOG_DONE, LOG_FAILED, LOG_FULL, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE
from toolcart.agent.log.reader import WORN
from toolcart.agent.log.snapshot import STATE_BLOCKS
from toolcart.agent.log.snapshot_fields import OVERWRITTEN
from toolcart.agent.record import KIND_RAW
from toolcart.agent.record.result import FLAG_COPY
from toolcart.board.ram_flash import RamFlash
from host_tests.portable import HAS_ALL
from host_tests.support.heap import allocated, heap_tools
from host_tests.support.log import (
    PAYLOAD,
    Area,
    append,
    append_event,
    held,
    ident_in,
    mounted,
    read_all,
    store,
    take,
    take_all,
)
from lab.harness.flash import NEW, TEARS, Nor, PowerCut

PORTABLE = True
HEAP = "2m"

UNITS = (1, 8, 16, 64, 256, 512)


def numbers(first, last):
    return [(number, number) for number in range(first, last + 1)]


def fill(log, ident=1):
    """Append until there is no room; return the next tightening that was not taken."""
    while append(log, ident) == LOG_DONE:
        ident += 1
    return ident


def deliver(log):
    """Hand out all that waits, the newest from the stage as a rule."""
    cursor = log.cursors[0]
    if log.peek_staged(cursor):
        assert ident_in(log.stage, log.payload_at) > 0
        cursor.advance()
    take_all(log)


def watched(blocks=16, block_bytes=4096, unit_bytes=256, **options):
    area = Area(blocks, block_bytes, unit_bytes)
    area.mount(**options)
    return area


# -- the ordinary way


def test_what_was_appended_is_read_in_order_at_every_unit():
    for unit in UNITS:
        log = mounted(Nor(16, 4096, unit))
        store(log, range(1, 61))
        assert log.backlog_of(log.cursors[0]) == 60
        assert read_all(log) == numbers(1, 60)
        assert log.peek(log.cursors[0]) == RECORD_NONE and log.backlog_of(log.cursors[0]) == 0
        assert log.state.numbers[field.DAMAGED] == 0


def test_cursor_reads_the_kinds_it_wants_in_any_length():
    area = watched(16, 4096, 16, cursors=2, events=(1,))
    log = area.log
    for ident in range(1, 40):
        if ident % 3 == 0:
            assert append_event(log, ident) == LOG_DONE
        else:
            assert append(log, ident, KIND_RAW if ident % 5 == 0 else 0xD2, ident * 11) == LOG_DONE
    assert [ident for _, ident in read_all(log)] == [ident for ident in range(1, 40) if ident % 3]
    assert [number for number, _ in read_all(log, 1)] == list(range(1, 40))
    assert log.backlog_of(log.cursors[0]) == log.backlog_of(log.cursors[1]) == 0


def test_the_result_appended_last_is_handed_out_of_the_stage():
    log = mounted(Nor())
    cursor = log.cursors[0]
    assert not log.peek_staged(cursor)
    for ident in range(1, 40):
        append(log, ident)
        assert log.peek_staged(cursor) and cursor.found == ident
        assert (log.staging.staged_length, log.staging.staged_flags) == (PAYLOAD, 0)
        assert ident_in(log.stage, log.payload_at) == ident
        cursor.advance()
        assert not log.peek_staged(cursor) and log.backlog_of(cursor) == 0
    append(log, 40)
    append(log, 41)
    assert not log.peek_staged(cursor), "an older one comes first"
    assert read_all(log) == numbers(40, 41)


def test_what_lies_in_a_stage_that_was_written_since_is_not_fresh():
    area = watched()
    append(area.log, 1)
    area.log.stage[area.log.payload_at] = 2
    assert not area.log.peek_staged(area.log.cursors[0])
    append(area.log, 2)
    append(area.kept, 1)
    assert not area.log.peek_staged(area.log.cursors[0]), "the quarantine has the same stage"
    assert read_all(area.log) == numbers(1, 2)


def test_an_append_is_one_program_and_an_erase_where_a_block_ends():
    area = watched(40, 4096, 64)
    log, flash = area.log, area.flash
    append(log, 1)
    deliver(log)
    for ident in range(2, 400):
        programs, erases = flash.programs, sum(flash.wear)
        room = log.room(PAYLOAD)
        assert append(log, ident) == LOG_DONE
        assert flash.programs == programs + 1
        assert sum(flash.wear) == erases + (room == 0)
        deliver(log)


# -- room


def test_a_full_log_refuses_and_accepts_again_when_a_block_is_free():
    log = mounted(Nor(13, 1024, 16))
    last = fill(log)
    assert last == 1 + 5 * 7 and log.is_still_full(), "one of six is kept free"
    assert append(log, last) == LOG_FULL and not log.has_room(PAYLOAD)
    take(log, 6)
    assert not log.has_room(PAYLOAD) and append(log, last) == LOG_FULL
    take(log, 1)
    assert log.has_room(PAYLOAD) and not log.is_still_full()
    assert append(log, last) == LOG_DONE
    assert read_all(log) == numbers(8, last)


def test_refused_large_record_is_waited_for_until_it_has_room():
    log = mounted(Nor(13, 1024, 16))
    last = fill(log)
    usual = log.room_bytes
    assert append(log, last, extra=300) == LOG_FULL and log.room_bytes == PAYLOAD + 300 > usual
    assert append(log, last) == LOG_FULL and log.room_bytes == PAYLOAD + 300


def test_a_full_log_writes_nothing_when_it_is_asked():
    area = watched(13, 1024, 16)
    fill(area.log)
    before = bytes(area.flash.cells)
    for _ in range(3):
        assert append(area.log, 99) == LOG_FULL and not area.log.has_room(PAYLOAD) and area.log.maintain()
    assert bytes(area.flash.cells) == before


def test_a_short_record_has_room_where_a_long_one_has_none():
    log = mounted(Nor(13, 1024, 16))
    while append(log, 1, extra=240) == LOG_DONE:
        pass
    assert not log.has_room(PAYLOAD + 240) and log.has_room(PAYLOAD)
    assert append(log, 2) == LOG_DONE


def test_a_log_retains_no_more_than_the_wires_digits_tell_apart():
    log = mounted(Nor())
    append(log, 1)
    log.next = RETAINED_MAX
    assert append(log, 2) == LOG_DONE
    assert log.next == RETAINED_MAX + 1 and not log.has_room(PAYLOAD)
    assert append(log, 3) == LOG_FULL
    log.cursors[0].number = 1
    assert append(log, 3) == LOG_DONE


def test_a_log_that_overwrites_gives_up_no_block_before_it_is_erased():
    """What is still on the flash is still everybody's, over restarts too."""
    area = watched(13, 1024, 16, cursors=2, best_effort=(1,), when_full=WHEN_FULL_OVERWRITE)
    log = area.log
    ident = 1
    for _ in range(3):
        for _ in range(70):
            assert append(log, ident) == LOG_DONE and log.maintain()
            ident += 1
            oldest = log.first_above(0)
            assert [cursor.number + 1 for cursor in log.cursors] == [oldest, oldest]
        state, log = area.mount(cursors=2, best_effort=(1,), when_full=WHEN_FULL_OVERWRITE)
        assert [cursor.number + 1 for cursor in log.cursors] == [oldest, oldest]
    assert oldest > 1 and state.numbers[field.OVERWRITTEN] + state.numbers[field.MISSED] == 2 * (oldest - 1)


def test_what_is_given_up_and_not_saved_is_taken_back():
    area = watched(13, 1024, 16, cursors=2, when_full=WHEN_FULL_OVERWRITE)
    log, state = area.log, area.state
    ident = 1
    while log.room(PAYLOAD) > 0 or log.free_blocks():
        assert append(log, ident) == LOG_DONE
        ident += 1
    take_all(log, 1)
    before = state.numbers[field.OVERWRITTEN], state.numbers[field.MISSED], log.blocks.passed_over
    assert log.peek(log.cursors[0]) > RECORD_NONE  # it goes out
    places = [cursor.number for cursor in log.cursors]
    save, state.save = state.save, lambda: False
    assert append(log, ident) == LOG_FAILED
    assert [cursor.number for cursor in log.cursors] == places, "no one goes on behind what may still come back"
    assert (state.numbers[field.OVERWRITTEN], state.numbers[field.MISSED], log.blocks.passed_over) == before
    log.cursors[0].advance()
    assert log.cursors[0].number == places[0] + 1, "it is taken"
    state.save = save
    assert append(log, ident) == LOG_DONE
    first = log.cursors[0].number + 1
    assert state.durable[field.OVERWRITTEN] == first - 2 > places[0], "all but that one"
    assert read_all(log) == numbers(first, ident)


def test_cursor_says_of_where_it_stands_how_many_it_did_not_want():
    for every in range(2, 9):
        log = watched(13, 1024, 16, when_full=WHEN_FULL_OVERWRITE).log
        cursor = log.cursors[0]
        events = [0]  # up to each number
        for number in range(1, 200):
            is_event = number % every < every // 2
            assert (append_event(log, number) if is_event else append(log, number)) == LOG_DONE
            events.append(events[-1] + is_event)
            assert cursor.sequence_lag == events[cursor.number], "a start would number what goes out by that"


def test_a_best_effort_cursor_keeps_nothing_and_what_it_misses_is_counted():
    area = watched(13, 1024, 16, cursors=2, best_effort=(1,))
    log = area.log
    store(log, range(1, 100), deliver)
    records = read_all(log, 1)
    assert records == numbers(records[0][0], 99)
    assert area.state.numbers[field.MISSED] == records[0][0] - 1 and area.state.numbers[field.OVERWRITTEN] == 0


def test_what_stands_in_a_block_that_is_erased_is_placed_again():
    area = watched(13, 1024, 16)
    log = area.log
    scout = Cursor()
    scout.wants = WANTS_RESULTS | WANTS_FRAMES
    append(log, 1)
    assert log.peek(scout) > 0
    scout.advance()
    store(log, range(2, 80), deliver)
    number = 1
    while log.peek(scout) > 0:
        assert scout.found > number and ident_in(log.page, log.at) == scout.found
        number = scout.found
        scout.advance()
    assert number == 79 and area.state.numbers[field.DAMAGED] == 0


def test_what_a_cursor_went_back_to_is_not_erased():
    log = mounted(Nor(13, 1024, 16))
    store(log, range(1, 30))
    take_all(log)
    log.seek(log.cursors[0], 3)
    assert fill(log, 30) == 36
    assert read_all(log) == numbers(4, 35)


# -- restarts


def test_a_start_finds_everything_and_goes_on():
    for unit in UNITS:
        area = watched(20, 4096, unit)
        ident = 1
        for count in (3, 1, 14, 40, 2, 1, 1, 30):
            for _ in range(count):
                assert append(area.log, ident) == LOG_DONE
                ident += 1
            before = area.flash.programs
            log = area.mount()[1]
            assert area.mount_result == 0 and area.flash.programs == before, "a mount writes nothing"
            assert log.number == ident - 1 and log.next == ident and log.doubtful
        assert log.settle() and not log.doubtful
        assert read_all(log) == numbers(1, ident - 1)
        assert log.state.numbers[field.DAMAGED] == log.state.numbers[field.JUMPED] == log.damage.torn == 0


def test_the_last_record_is_shown_to_no_one_before_it_is_settled():
    area = watched()
    store(area.log, (1, 2, 3))
    log = area.mount()[1]
    assert log.doubtful and read_all(log) == numbers(1, 2) and log.backlog_of(log.cursors[0]) == 1
    assert log.settle() and read_all(log) == numbers(3, 3)
    assert [flags for _, _, flags, _ in held(log)] == [0, 0, FLAG_COPY]


def test_a_settled_record_is_not_covered_before_its_owner_says_so():
    area = watched()
    store(area.log, (1, 2, 3))
    assert area.state.numbers[field.LOG + field.NEXT] == 4
    state, log = area.mount()
    assert state.numbers[field.LOG + field.NEXT] == 1, "the only snapshot was written before the first one"
    log.checkpoint(2)
    assert log.settle() and state.durable[field.LOG + field.NEXT] == 3
    append(log, 4)
    assert state.numbers[field.LOG + field.NEXT] == 3
    log.checkpoint(4)
    append(log, 5)
    assert state.numbers[field.LOG + field.NEXT] == 6


def test_result_that_turns_out_torn_is_gone_and_its_number_is_used():
    for octet in (70, 4000):
        area = watched(16, 4096, 256)
        store(area.log, (1, 2, 3))
        log = area.mount()[1]
        flash = area.flash
        at = 7 * 4096 + 2 * 256
        flash.cells[at + 20 : at + 24] = b"\0\0\0\0"
        assert log.settle() and log.damage.torn == 1 and log.number == 2 and log.next == 3
        assert append(log, octet) == LOG_DONE
        assert read_all(log) == [(1, 1), (2, 2), (3, octet)]


def test_one_result_a_restart_fills_nearly_as_much_as_results_do():
    area = watched(16, 4096, 64)
    without = fill(area.log)
    area = watched(16, 4096, 64)
    ident = 1
    while append(area.mount()[1], ident) == LOG_DONE:
        ident += 1
    print("%d results in one go, %d with a restart each" % (without, ident))
    assert ident > without * 0.85
    log = area.mount()[1]
    assert log.settle() and read_all(log) == numbers(1, ident - 1)
    assert append(log, ident) == LOG_DONE


def test_without_a_snapshot_everything_is_delivered_again_and_there_is_an_alarm():
    area = watched()
    store(area.log, range(1, 60), deliver)
    assert append(area.kept, 7) == LOG_DONE
    area.state.save()
    identity = area.state.identity
    for octet in range(4 * 4096):
        area.flash.cells[octet] = 0x5A
    state, log = area.mount()
    assert area.mount_result == 0 and state.lost and not state.found and state.identity == identity
    assert log.settle() and area.kept.settle()
    assert read_all(log) == numbers(1, 59) and len(held(area.kept)) == 1
    assert append(log, 60) == LOG_DONE and not area.mount()[0].lost


def test_a_lost_state_of_a_log_without_a_free_block_leaves_no_doubt_that_stays():
    area = Area(10, 1024, 16)
    store(area.mount()[1], range(1, 61), take_all)
    for block in range(STATE_BLOCKS):
        area.flash.erase(block)
    area.flash.restart()
    state, log = area.mount()
    assert state.lost and min(log.firsts) > 0 and state.ensure_reliable() and log.settle()
    assert log.cursors[0].number < 55, "they are delivered again"
    take_all(log)
    assert append(log, 61) == LOG_DONE


def test_a_lost_state_of_a_full_log_that_overwrites_counts_what_it_gives_up():
    area = Area(10, 1024, 16)
    store(area.mount(when_full=WHEN_FULL_OVERWRITE)[1], range(1, 61))
    for block in range(STATE_BLOCKS):
        area.flash.erase(block)
    area.flash.restart()
    state, log = area.mount(when_full=WHEN_FULL_OVERWRITE)
    oldest = log.first_above(0)
    assert state.lost and min(log.firsts) > 0 and log.settle()
    assert state.numbers[OVERWRITTEN] == log.cursors[0].number + 1 - oldest > 0


# -- what fails


def test_a_cut_anywhere_loses_nothing_that_was_acknowledged():
    for look in TEARS:
        for cut in range(0, 40, 1 if HAS_ALL else 7):
            area = watched(13, 1024, 64)
            ident, acked = 1, 0
            area.mount()
            try:
                area.flash.cut_after, area.flash.look = cut, look
                for _ in range(3):
                    for _ in range(4):
                        if append(area.log, ident) == LOG_DONE:
                            acked = ident
                        ident = acked + 1
                    area.mount()
            except PowerCut:
                pass
            area.flash.cut_after = None
            log = area.mount()[1]
            assert log.settle()
            idents = [one for _, one in read_all(log)]
            assert idents[:acked] == list(range(1, acked + 1)) and len(idents) <= acked + 1, (look, cut, idents, acked)


def test_erase_that_comes_undone_after_the_head_of_copies_brings_nothing_back():
    cuts = 0
    for cut in range(40):
        area = Area(11, 1024, 16)
        area.flash.forgets = True
        last = 0
        for _ in range(6):
            log = area.mount()[1]
            assert log.settle() and append(log, last + 1) == LOG_DONE
            last += 1
        area.flash.look, area.flash.cut_after = NEW, cut
        try:
            for _ in range(4):
                log = area.mount()[1]
                if log.settle() and append(log, last + 1) == LOG_DONE:
                    last += 1
        except PowerCut:
            cuts += 1
        area.flash.cut_after = None
        log = area.mount()[1]
        assert log.settle() and read_all(log)[:last] == numbers(1, last), cut
    assert cuts > 20


def test_one_waiting_result_in_two_working_blocks_fills_none_until_restart():
    for when_full in (0, WHEN_FULL_OVERWRITE):
        area = watched(10, 1024, 16, when_full=when_full)
        log = area.log
        assert log.device.block_count == 3
        area.flash.worn = (area.flash.block_count - 1,)
        ident = last = 0
        for _ in range(40):
            while append(log, ident + 1) == LOG_DONE:
                ident += 1
            assert ident > last, "it is full"
            last = ident
            cursor = log.cursors[0]
            while cursor.number < ident - 1:  # the last one waits
                assert log.peek(cursor) > RECORD_NONE
                cursor.advance()
            assert log.has_room(PAYLOAD)
        assert log.damage.worn
        state, log = area.mount(when_full=when_full)
        assert log.settle() and [one[0] for one in held(log)][-1] == ident and state.numbers[field.DAMAGED] == 0


def test_nothing_is_appended_where_no_snapshot_can_be_written():
    area = watched()
    area.flash.code = FLASH_IO
    assert append(area.log, 1) == LOG_FAILED and not area.log.maintain()
    area.flash.code = FLASH_DONE
    assert append(area.log, 1) == LOG_DONE


def test_full_log_refuses_at_once_despite_copies_in_a_worn_block():
    """They have the whole newest block carried, so nothing is won by carrying it."""
    for when_full in (WHEN_FULL_REFUSE, WHEN_FULL_OVERWRITE):
        area = watched(10, 1024, 16, when_full=when_full)
        log = area.log
        area.flash.worn = (8,)
        last = fill(log)
        assert append(log, last) == LOG_FULL and log.damage.worn == 1
        log.blocks.cut = list(log.firsts).index(WORN)
        erases = log.blocks.erases
        take(log, 3)
        assert append(log, last) == LOG_FULL and log.blocks.erases <= erases + 1
        while log.peek(log.cursors[0]) > RECORD_NONE:
            log.cursors[0].advance()
        assert append(log, last) == LOG_DONE and log.maintain()
        assert read_all(log) == numbers(last, last)


def test_last_two_blocks_take_what_fits_once_something_is_passed():
    for when_full in (WHEN_FULL_REFUSE, WHEN_FULL_OVERWRITE):
        area = watched(10, 1024, 16, when_full=when_full)
        log = area.log
        area.flash.worn = (8,)
        last = fill(log)
        cursor = log.cursors[0]
        before = bytes(area.flash.cells)
        assert append(log, last) == LOG_FULL and log.damage.worn == 1 and bytes(area.flash.cells) == before
        for _ in range(3):
            log.peek(cursor)
            cursor.advance()
        assert log.has_room(PAYLOAD) and append(log, last) == LOG_DONE and log.maintain()
        assert append(log, last + 1) == LOG_DONE and append(log, last + 2) == LOG_DONE
        assert append(log, last + 3) == LOG_FULL and not log.has_room(PAYLOAD)
        assert read_all(log) == numbers(4, last + 2)
        log = area.mount(when_full=when_full)[1]
        assert log.settle() and read_all(log) == numbers(4, last + 2)


def test_last_two_blocks_refuse_what_does_not_fit_after_the_rest():
    for when_full in (WHEN_FULL_REFUSE, WHEN_FULL_OVERWRITE):
        area = watched(10, 1024, 16, when_full=when_full)
        log = area.log
        area.flash.worn = (8,)
        last = fill(log)
        take(log, 1)
        assert append(log, last, extra=300) == LOG_FULL
        assert append(log, last) == LOG_FULL, "no cursor has moved since"
        take(log, 1)
        assert append(log, last) == LOG_DONE and read_all(log) == numbers(3, last)


def test_block_that_refused_a_program_is_carried_where_no_other_is_left():
    area = watched(10, 1024, 16)
    log = area.log
    store(log, range(1, 10))
    area.flash.code = FLASH_IO
    assert append(log, 10) == LOG_FAILED and log.open_to == 0
    area.flash.code = FLASH_DONE
    assert log.has_room(PAYLOAD) and append(log, 10) == LOG_DONE
    assert read_all(log) == numbers(1, 10)


def test_copies_that_no_snapshot_calls_counted_are_not_carried_again():
    for refused in range(0, 12, 1 if HAS_ALL else 5):
        for cut in range(12):
            area = watched(10, 1024, 16)
            log = area.log
            area.flash.worn = (8,)
            last = fill(log)
            take(log, 3)
            assert area.state.save()
            area.flash.code, area.flash.left = FLASH_IO, refused
            done = append(log, last)
            area.flash.code, area.flash.cut_after = FLASH_DONE, cut
            try:
                if done != LOG_DONE:
                    done = append(log, last)
            except PowerCut:
                pass
            area.flash.cut_after = None
            log = area.mount()[1]
            records = read_all(log) if log.settle() else []
            assert records[: last - 4] == numbers(4, last - 1) and (done != LOG_DONE or len(records) == last - 3)


def test_what_is_given_up_is_saved_even_where_rest_cannot_be_read():
    area = watched(13, 1024, 16, cursors=2, best_effort=(1,))
    log, flash = area.log, area.flash
    store(log, range(1, 43), deliver)
    assert log.cursors[1].number == 0 and area.state.save()
    assert append(log, 43) == LOG_DONE and log.cursors[1].number == 7
    store(log, range(44, 50), deliver)
    take_all(log)
    flash.read_fails_in = 4
    assert append(log, 50) == LOG_FAILED and 7 < log.cursors[1].number < 14
    assert area.state.durable[field.CURSOR + 1] == area.state.durable[field.MISSED] == log.cursors[1].number
    assert append(log, 50) == LOG_DONE and area.state.numbers[field.MISSED] == log.cursors[1].number


def test_a_device_that_cannot_be_read_tells_nothing():
    area = watched()
    store(area.log, range(1, 6))
    cursor = area.log.cursors[0]
    area.flash.unreadable = (7,)
    assert area.log.peek(cursor) == RECORD_LOST and cursor.number == 0
    area.flash.unreadable = ()
    assert read_all(area.log) == numbers(1, 5)
    area.flash.unreadable = (7,)
    area.mount()
    assert area.mount_result == -1


def test_damaged_records_are_passed_and_counted_once():
    area = watched(16, 4096, 16, cursors=2)
    log = area.log
    store(log, range(1, 80))
    for number in (3, 40):
        places = [one for one in range(7 * 4096, 16 * 4096) if area.flash.cells[one : one + 6] == _number(number)]
        for at in places:
            area.flash.cells[at + 9] ^= 1
    expected = [one for one in numbers(1, 79) if one[0] not in (3, 40)]
    assert read_all(log) == expected and read_all(log, 1) == expected
    assert area.state.numbers[field.DAMAGED] == 2


def _number(number):
    return bytes((number, 0, 0, 0, 10, 0))


def test_copies_of_a_cut_session_that_read_well_much_later_hide_nothing():
    """Their block and one that was opened since have never the same number."""
    area = watched(cursors=2, best_effort=(1,))
    store(area.log, (1, 2, 3))
    take_all(area.log)
    assert area.state.save()
    twin = area.clone()
    append(twin.mount(cursors=2, best_effort=(1,))[1], 4)
    assert twin.mount(cursors=2, best_effort=(1,))[1].settle()
    log = area.mount(cursors=2, best_effort=(1,))[1]
    area.flash.code, area.flash.left = FLASH_IO, 4
    assert append(log, 40) == LOG_FAILED
    area.flash.code = FLASH_DONE
    assert append(log, 40) == append(log, 50) == LOG_DONE and area.state.save()
    begin, end = 9 * 4096, 10 * 4096
    assert twin.flash.cells[begin:end] != area.flash.cells[begin:end]
    area.flash.cells[begin:end] = twin.flash.cells[begin:end]
    log = area.mount(cursors=2, best_effort=(1,))[1]
    assert log.number == 5 and log.settle() and log.next == 6
    assert read_all(log) == [(4, 40), (5, 50)]
    assert read_all(log, 1) == numbers(1, 3) + [(4, 40), (5, 50)] and area.state.numbers[field.DAMAGED] == 0


def test_copies_of_a_cut_session_unusable_to_the_next_never_count():
    options = {"cursors": 2, "best_effort": (1,)}
    area = watched(**options)
    flash = area.flash
    store(area.log, (1, 2, 3))
    assert area.state.save()
    log = area.mount(**options)[1]
    flash.cut_after = 5  # three for the state, the erase, the first copy
    try:
        append(log, 4)
    except PowerCut:
        pass
    begin, end = 8 * 4096, 9 * 4096
    copies = bytes(flash.cells[begin:end])
    assert copies[:2] == b"TL"
    flash.cells[begin:end] = b"\x55" * 4096
    flash.worn = (8,)
    state, log = area.mount(**options)
    assert log.settle()
    take(log, 2)
    assert state.save() and append(log, 40) == LOG_DONE and log.block == 2 and log.firsts[2] == 3
    flash.cells[begin:end] = copies
    state, log = area.mount(**options)
    assert log.settle() and read_all(log, 1) == [(1, 1), (2, 2), (3, 3), (4, 40)]
    assert state.numbers[field.DAMAGED] == 0


def zero(area, place):
    """Something else writes zeros over this block of the log."""
    at = (area.log.device.first_block + place) * 4096
    for octet in range(at, at + 4096):
        area.flash.cells[octet] = 0


def test_numbers_that_a_start_skipped_are_no_damage_for_one_that_is_behind_them():
    for starts, passed in ((1, 0), (2, 0), (2, 40), (2, 70), (3, 0)):
        area = watched(16, 4096, 16)
        store(area.log, range(1, 81))
        area.log.seek(area.log.cursors[0], passed)
        assert area.state.save()
        lost = 80 - area.log.firsts[area.log.block] + 1
        zero(area, area.log.block)
        for ident in range(starts):
            area.flash.restart()
            area.mount()
            assert append(area.log, 90 + ident) == LOG_DONE and area.state.save()
        assert area.log.number > 80 + 256 and area.state.numbers[field.JUMPED] >= 256
        take_all(area.log)
        assert min(lost, 80 - passed) <= area.state.numbers[field.DAMAGED] <= 2 * lost + 1, (starts, passed)


def test_blocks_that_are_gone_between_others_are_all_damage_however_many():
    area = watched(40, 4096, 16)
    store(area.log, range(1, 801))
    firsts = sorted([one for one in area.log.firsts if one])
    first, last = firsts[3], firsts[18]
    for place in range(len(area.log.firsts)):
        if first <= area.log.firsts[place] < last:
            zero(area, place)
    assert area.state.save()
    area.flash.restart()
    area.mount()
    take_all(area.log)
    assert area.state.numbers[field.DAMAGED] == last - first > 256


def test_a_newest_block_whose_only_record_is_gone_is_free():
    for is_damaged in (False, True):  # the last record in front of it
        area = watched(10, 1024, 16)
        store(area.log, range(1, 9))
        cells = area.flash.cells
        log = area.mount()[1]
        assert log.firsts[log.block] == log.number == 8
        if is_damaged:
            cells[cells.find(_number(7), 7 * 1024) + 9] ^= 1
        begin = (7 + log.block) * 1024
        cells[begin + 60 : begin + 64] = b"\0\0\0\0"
        assert log.settle() and log.damage.torn == 1 and log.number == 7 and log.has_room(PAYLOAD)
        records = numbers(1, 7 - is_damaged)
        assert read_all(log) == records and log.cursors[0].number == 7
        assert append(log, 80) == LOG_DONE and read_all(log) == [(8, 80)]
        assert area.state.numbers[field.DAMAGED] == is_damaged


def test_block_of_a_cut_session_is_older_than_the_next_session_s():
    area = watched(10, 1024, 16)
    cells = area.flash.cells

    def fade(log):
        begin, end = (7 + log.block) * 1024, (8 + log.block) * 1024
        was, cells[begin:end] = bytes(cells[begin:end]), b"\xff" * 1024
        return begin, end, was

    store(area.log, (1, 2, 3))
    take_all(area.log)
    assert area.state.save()
    append(area.mount()[1], 4)
    log = area.mount()[1]
    assert log.number == 4
    fade(log)  # it read well at the start, and does not any more
    log.settle()
    assert append(log, 40) == LOG_DONE
    begin, end, was = fade(log)
    log = area.mount()[1]
    assert log.number == 3 and append(log, 50) == append(log, 60) == LOG_DONE
    if (7 + log.block) * 1024 != begin:
        cells[begin:end] = was
    log = area.mount()[1]
    assert log.settle() and [ident for _, ident in read_all(log)] == [50, 60]


def test_what_is_no_area_of_ours_is_left_alone():
    area = watched()
    append(area.log, 1)
    other = Area(16, 4096, 64)
    other.flash.cells[:] = area.flash.cells
    other.mount()
    assert other.mount_result == -2, "another unit"
    other = Area(16, 4096, 256)
    other.flash.cells[9 * 4096 : 9 * 4096 + 12] = b"\x48\0\x74\0\x01\0\0\0TCSP"
    other.mount()
    assert other.mount_result == -2, "the state stood in the log then"


# -- figures


def test_erases_of_a_result_state_included():
    for unit, most in ((64, 0.035), (256, 0.066))[: 2 if HAS_ALL else 1]:
        area = watched(64, 4096, unit)
        for ident in range(1, 4801):
            append(area.log, ident)
            deliver(area.log)
            if ident % 48 == 0:
                area.state.save()
        each = sum(area.flash.wear) / 4800
        print("erases of a light result at units of %d: %.4f" % (unit, each))
        assert each < most


def test_a_result_allocates_nothing_on_its_way():
    heap_tools()
    log = mounted(RamFlash(16, 4096, 64))
    cursor = log.cursors[0]
    append(log, 1)
    take_all(log)

    def way(count):
        stage, place = log.stage, log.payload_at
        for _ in range(count):
            stage[place] = log.next & 0xFF
            stage[place + 1] = log.next >> 8
            if log.append(0xD2, 0, PAYLOAD) != LOG_DONE or not log.peek_staged(cursor):
                return False
            cursor.advance()
            log.maintain()
        return log.state.save()

    def backlog(count):
        for _ in range(count):
            if log.append(0xD2, 0, PAYLOAD) != LOG_DONE:
                return False
        for _ in range(count):
            if log.peek(cursor) <= 0:
                return False
            cursor.advance()
        return log.peek(cursor) == RECORD_NONE

    assert way(100) and backlog(100)
    assert allocated(way, 300) == 0
    assert allocated(backlog, 90) == 0
