"""What may be acknowledged is on flash: one record for each tightening, told from all others, and never before."""

from struct import pack, unpack

from toolcart.agent.base import counters as counter
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.framing import FRAME_BYTES
from toolcart.agent.log.log import WHEN_FULL_OVERWRITE
from toolcart.agent.log.snapshot_fields import DAMAGED, OVERWRITTEN, STORED, STORED_AGAIN
from toolcart.agent.openprotocol.ids import id_at
from toolcart.agent.openprotocol.plausibility import plausible
from toolcart.agent.openprotocol.stored_contents import StoredContents
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.agent.record.malformed import put_in_order
from toolcart.agent.record.provenance import spindle_in
from toolcart.agent.station.store import KEPT, KEPT_BEFORE, NOT_KEPT, NOT_SURE, RECENT
from toolcart.base.clock import Dice
from toolcart.board.ram_flash import RamFlash
from host_tests.portable import HAS_ALL, LONG
from host_tests.support.frames import EXAMPLE, GARBLED, fetched, garbled, light, pushed
from host_tests.support.heap import allocated, heap_tools
from host_tests.support.log import STATE_BLOCKS, Area, take_all
from host_tests.support.station import NOW, Bench, LinkMessage
from lab.harness.flash import TEARS

PORTABLE = True
HEAVY = True
HEAP = "2m"

NO_ID = " " * 10


def test_light_result_becomes_one_record_with_everything_in_it():
    bench = Bench()
    bench.store.serial[:] = b"C3412129      "
    assert bench.push(EXAMPLE) == KEPT
    kind, flags, payload = bench.results()[0]
    assert (kind, flags, len(payload)) == (KIND_RESULT, 0, 114) and len(payload) + FRAME_BYTES <= 128
    # number, station, spindle, epoch; then the body
    assert payload[:8] == b"\x01\0\0\0" + b"\x0a\0" + b"\x01" + b"\0"
    assert payload[8:] == (
        b"WVWZZZ1KZAW123456        000700120006000400120042370009"
        b"5\x20\x24\x03\x14\x09\x26\x532024-02-01:08:00:000001234567C3412129      "
    )
    assert bench.counted(counter.STORED) == 1 and bench.counters.log.logged == 0
    other = light(tightening_id=1234568)
    bench.push(other[:14] + b"07" + other[16:])
    assert bench.results()[1][2][6] == 7, "the spindle of its header"


def test_revision_1_is_the_same_record_with_more_fields():
    light_one, first = Bench(), Bench()
    light_one.push(EXAMPLE)
    assert first.push(pushed(1)) == KEPT
    plain, longer = light_one.results()[0][2], first.results()[0][2]
    assert longer[:6] == plain[:6] and longer[7:114] == plain[7:114]
    assert longer[114:151] == b"004000005000004500000600009000075    "
    assert longer[6] == 0x81 and longer[151:154] == b"\x01\x01\0" and len(longer) == 158, "an origin is behind it"
    assert first.counted(counter.OTHER_REVISION) == 1


def test_any_documented_revision_is_read_though_999_was_asked_for():
    for revision in (2, 3, 4, 5, 6, 7):
        bench = Bench()
        assert bench.push(pushed(revision)) == KEPT
        payload = bench.results()[0][2]
        assert payload[8 : 8 + res.SERIAL] == example_body()[: res.SERIAL]
        assert payload[8 + res.SERIAL : 8 + res.BODY_BYTES] == b"C3412129      "
        assert bench.counted(counter.RAW) == 0


def example_body():
    bench = Bench()
    bench.push(EXAMPLE)
    return bench.results()[0][2][8:114]


def test_repeat_is_acknowledged_and_stored_once():
    for frame in (EXAMPLE, pushed(1), pushed(7)):
        bench = Bench()
        assert bench.push(frame) == KEPT
        for _ in range(4):
            assert bench.push(frame) == KEPT_BEFORE
        assert len(bench.results()) == 1 and bench.counted(counter.DUPLICATES) == 4
        assert bench.counted(counter.STORED) == 1


def test_same_id_with_another_time_is_another_tightening():
    bench = Bench()
    bench.push(light(tightening_id=5))
    bench.push(light(tightening_id=6))
    assert bench.push(light(tightening_id=5, time="2024-03-15:09:26:53")) == KEPT
    assert len(bench.results()) == 3 and bench.counted(counter.OUT_OF_SEQUENCE) == 1


def test_result_without_a_time_gets_the_agents_own_and_says_so():
    bench = Bench()
    assert bench.push(light(time="Last Change Unknown")) == KEPT
    _, flags, payload = bench.results()[0]
    assert flags == res.FLAG_EDGE_TIME and bench.counted(counter.EDGE_TIME) == 1
    assert payload[8 + res.TIME : 8 + res.TIME + 7] == b"\x20\x30\x01\x01\x00\x00\x01"


def test_repeat_of_result_without_time_is_stored_once_though_clock_went_on():
    bench = Bench()
    timeless = light(time="Last Change Unknown")
    assert bench.push(timeless) == KEPT
    assert bench.push(timeless) == KEPT_BEFORE
    assert len(bench.results()) == 1
    # The same ID with other values is another tightening.
    assert bench.push(light(time="Last Change Unknown", torque=1)) == KEPT


def test_results_without_any_value_are_counted():
    bench = Bench()
    empty = light(vin="", job=0, pset=0, batch_size=0, batch_counter=0, batch_status=0, torque=0, angle=0)
    empty = bytearray(empty)
    empty[58:62] = b"0000"
    assert bench.push(bytes(empty)) == KEPT and bench.counted(counter.NO_VALUES) == 1
    assert bench.push(light(tightening_id=1234568)) == KEPT and bench.counted(counter.NO_VALUES) == 1


UNREADABLE = (
    garbled(),
    garbled(status=1, time="no time at all"),
    garbled(tightening_id=7, time=GARBLED * 19),
    EXAMPLE[:59],
    b"0121" + EXAMPLE[4:8] + b"99x" + EXAMPLE[11:],
    b"00200061999         ",
    pushed(2)[:200],
    EXAMPLE[:20] + bytes([index & 0xFF for index in range(101)]),
)


def test_frame_that_cannot_be_read_is_kept_raw_and_may_be_acknowledged():
    for frame in UNREADABLE:
        bench = Bench()
        buf = b"##" + frame
        revision = 999 if frame[8:11] == b"999" else 2 if frame[8:11] == b"002" else -2
        assert bench.store.put_pushed(LinkMessage(buf, 2, len(frame)), revision, False, NOW) == KEPT
        raw = bench.records(KIND_RAW)
        assert len(raw) == 1 and raw[0][1] == 0
        assert raw[0][2][8:] == frame
        assert bench.results() == [] and bench.counted(counter.RAW) == 1 and bench.counted(counter.STORED) == 0


def test_cut_short_frame_keeps_its_first_octets_and_is_flagged():
    bench = Bench()
    frame = b"9999" + pushed(7, status="#", tightening_id="#" * 10)[4:] + b"x" * 96
    assert bench.push(frame, cut_short=True) == KEPT
    _, flags, payload = bench.records(KIND_RAW)[0]
    assert flags == res.FLAG_TRUNCATED and payload[8:] == frame[:632]
    assert bench.counted(counter.CUT_SHORT) == 1


def test_unreadable_answer_is_not_taken():
    bench = Bench()
    for frame in (fetched(2)[:90], fetched(1)[:50], b"0118" + fetched(1)[4:8] + b"000" + fetched(1)[11:]):
        assert not bench.store.read_fetched(frame, 0, len(frame), int(frame[8:11]))
    assert bench.records(KIND_RESULT, KIND_RAW) == []


# Nothing is acknowledged that is not durable


def test_result_that_was_refused_is_new_when_it_comes_again():
    bench = Bench()
    bench.push(light(tightening_id=1))
    bench.device.code = FLASH_IO
    assert bench.push(light(tightening_id=2)) == NOT_KEPT
    bench.device.code = 0
    bench.start()
    assert bench.push(light(tightening_id=2)) == KEPT


def test_block_that_cannot_be_read_any_more_holds_up_nothing():
    bench = Bench()
    frame = light(tightening_id=NO_ID)
    assert bench.push(frame) == KEPT
    first = bytes(bench.device.cells).find(b"WVWZZZ1KZAW123456") // bench.device.block_bytes
    count = 0
    while bench.log.used_blocks() == 1:
        count += 1
        assert bench.push(light(tightening_id=NO_ID, torque=count)) == KEPT
    bench.device.unreadable = (first,)
    assert bench.push(light(tightening_id=NO_ID, vin="OTHER CAR")) == KEPT
    assert bench.push(light(tightening_id=NO_ID, torque=count)) == KEPT_BEFORE
    assert bench.push(frame) == KEPT  # what lay there is lost


# What a start finds


def test_what_lies_after_the_snapshot_counts_once_however_often_start_is_cut():
    bench = Bench()
    for number in range(1, 9):
        bench.push(light(tightening_id=number))
        if number == 4:
            assert bench.state.save()
    for _ in range(3):
        bench.start()
        assert bench.ledger.top() == 8 and bench.state.numbers[STORED] == 8
    assert bench.push(light(tightening_id=9)) == KEPT and bench.state.numbers[STORED] == 9


def test_nothing_is_stored_or_acknowledged_while_the_last_result_is_in_doubt():
    bench = Bench()
    bench.push(light(tightening_id=1))
    bench.device.code = FLASH_IO
    bench.start()
    assert bench.log.doubtful and not bench.store.finish_replay()
    for frame in (light(tightening_id=1), light(tightening_id=2), garbled()):
        assert bench.push(frame) == NOT_KEPT
    assert bench.fetch(fetched(2, tightening_id=1)) == NOT_KEPT
    bench.device.code = FLASH_DONE
    assert bench.store.finish_replay() and bench.ledger.top() == 1
    assert bench.push(light(tightening_id=1)) == KEPT_BEFORE
    assert bench.push(light(tightening_id=2)) == KEPT
    assert bench.idents() == [1, 2]


def test_power_cut_at_any_operation_of_a_push_stores_it_once():
    for stored in (0, 1, 14, 15, 16, 47):
        base = Bench(11)
        for number in range(1, stored + 1):
            assert base.push(light(tightening_id=number)) == KEPT
            if number % 4 == 0:
                take_all(base.log)
        if stored:
            assert base.state.save()
        for tear in TEARS:
            after = 0
            while pushed_with_cut(base.area.clone(), stored, after, tear):
                after += 1
            assert after > 0


def pushed_with_cut(area, stored, after, tear):
    """Start and push the next result, with a cut; then it comes again. True if the power failed before all was done."""
    frame = light(tightening_id=stored + 1)
    kept = area.flash.cut_in(lambda: Bench(area=area).push(frame), after, tear)
    assert kept in (KEPT, None)
    bench = Bench(area=area)
    assert bench.push(frame) in ((KEPT_BEFORE,) if kept else (KEPT, KEPT_BEFORE))
    assert bench.push(frame) == KEPT_BEFORE
    idents = bench.idents()
    assert idents == list(range(stored + 2 - len(idents), stored + 2)), (stored, after, tear)
    return kept is None


# What tells two tightenings apart, and what does not


def test_controller_with_a_constant_id_has_every_tightening_stored_once():
    bench = Bench()
    for second, wanted in ((10, KEPT), (11, KEPT), (11, KEPT_BEFORE), (12, KEPT), (10, KEPT_BEFORE)):
        frame = light(tightening_id=0, time="2024-03-15:09:26:%02d" % second, vin="CAR")
        assert bench.push(frame) == wanted
    assert len(bench.results()) == 3


def test_what_has_neither_id_nor_time_is_stored_each_time_and_counted():
    """Nothing tells a repeat from the next one then, over a start as well: a loss would be silent."""
    for ident in (0, NO_ID):
        area = Area()
        bench = Bench(area=area)
        for torque in ("000500", "000500", "000600", "000500"):
            frame = light(tightening_id=ident, time="0000-00-00:00:00:00", torque=torque)
            assert bench.push(frame) == KEPT
        assert bench.state.numbers[STORED_AGAIN] == 2
        bench = Bench(area=area)
        assert bench.push(frame) == KEPT and len(bench.results()) == 5
        assert bench.state.numbers[STORED_AGAIN] == 3
    bench = Bench()
    for ident, time in ((7, "0000-00-00:00:00:00"), (0, "2024-03-15:09:26:53")):
        frame = light(tightening_id=ident, time=time)
        assert [bench.push(frame), bench.push(frame)] == [KEPT, KEPT_BEFORE]


# Over a serial line, where a spoiled message may look like one


def test_odd_message_that_comes_differently_the_second_time_has_to_come_again():
    bench = Bench()
    bench.store.plausible = plausible
    assert bench.push(light(torque="12x456")) == NOT_SURE
    assert bench.push(EXAMPLE) == KEPT
    assert bench.push(light(torque="1y3456")) == NOT_SURE
    assert bench.records(KIND_RAW) == []


# A log that overwrites


def test_repeat_lets_nothing_go_from_a_full_log_that_overwrites():
    bench = Bench(11, WHEN_FULL_OVERWRITE)
    for number in range(1, 150):
        assert bench.push(light(tightening_id=number)) == KEPT
        assert bench.results()[-1][2][:4] == pack("<I", bench.log.number)
        stands = (bench.device.operations, bench.log.number)
        for tightening_id in (number, number - 1 if number > 1 else 1):
            assert bench.push(light(tightening_id=tightening_id)) == KEPT_BEFORE
            assert (bench.device.operations, bench.log.number) == stands
    kept = [unpack("<I", payload[:4])[0] for _, _, payload in bench.results()]
    assert bench.state.numbers[OVERWRITTEN] >= kept[0] - 1 > 0
    assert kept == list(range(kept[0], bench.log.number + 1))


def test_full_log_that_overwrites_takes_results_after_any_start():
    bench = Bench(11, WHEN_FULL_OVERWRITE)
    number = 0
    while bench.state.numbers[OVERWRITTEN] < 60:
        number += 1
        assert bench.push(light(tightening_id=number)) == KEPT
    for _ in range(70):  # one result a start: the log goes round once more
        bench.start()
        assert bench.store.finish_replay() and bench.log.has_room(res.ROOM_BYTES)
        number += 1
        assert bench.push(light(tightening_id=number)) == KEPT
    idents = bench.idents()
    assert idents == list(range(number - len(idents) + 1, number + 1)) and len(idents) > 20


# Who is asked, and who is not


class Refusing:
    """In the place of the look-ups: no one may ask."""

    def holds(self, body, start, flags):
        raise AssertionError("it was looked for")


def proven(bench, top):
    """Return a bench whose controller has proven its IDs up to `top`."""
    bench.push(light(tightening_id=top))
    bench.prove(fetched(2, tightening_id=top))
    assert bench.push(light(tightening_id=top + 1, torque=top + 1)) == KEPT
    return bench


def test_next_result_of_a_proven_count_is_looked_for_nowhere():
    bench = proven(Bench(), 41)
    look = bench.store.duplicates
    bench.store.duplicates = Refusing()
    for number in range(43, 60):
        assert bench.push(light(tightening_id=number, torque=number)) == KEPT
    assert bench.ledger.top() == 59
    bench.store.duplicates = look
    for number in range(42, 60):
        assert bench.push(light(tightening_id=number, torque=number)) == KEPT_BEFORE
    assert bench.push(light(tightening_id=41)) == KEPT_BEFORE
    assert bench.idents() == list(range(41, 60)) and bench.counted(counter.OUT_OF_SEQUENCE) == 0


def test_restarted_count_under_earlier_ids_is_all_stored_once():
    bench = proven(Bench(), 41)
    afresh = (42, 43, 7, 8, 9, 42, 43, 44)
    for index in range(len(afresh)):
        frame = light(tightening_id=afresh[index], time="2024-04-%02d:00:00:00" % (index + 1))
        assert bench.push(frame) == KEPT
        assert bench.push(frame) == KEPT_BEFORE
    assert bench.idents() == [41, 42] + list(afresh)


def test_with_worn_out_state_nothing_is_acknowledged_since_last_record_may_fade():
    bench = Bench()
    assert bench.push(EXAMPLE) == KEPT
    bench.device.worn = tuple(range(STATE_BLOCKS))
    bench.start()
    assert bench.store.finish_replay() and bench.idents() == [1234567]
    assert bench.push(EXAMPLE) == NOT_KEPT and bench.push(light(tightening_id=9)) == NOT_KEPT


def test_unreadable_fetched_frame_possibly_pushed_counts_as_stored_again():
    bench = proven(Bench(10), 41)
    numbers = bench.log.state.numbers
    assert bench.push(light(tightening_id=61, torque=61)) == KEPT  # 43..60 may be missing
    assert put_raw(bench, 43) == KEPT and numbers[STORED_AGAIN] == 0, "nothing was pushed before"
    assert bench.store.put_unread(b"0024006100100000        no one reads it", 0, 39, NOW) == KEPT
    assert put_raw(bench, 45) == KEPT and numbers[STORED_AGAIN] == 1, "it is a bound, not a count"


def test_what_was_damaged_may_have_been_what_is_stored_again():
    bench = proven(Bench(10), 41)
    numbers = bench.log.state.numbers
    assert bench.push(light(tightening_id=61, torque=61)) == KEPT
    assert bench.store.put_unread(b"0024006100100000        no one reads it", 0, 39, NOW) == KEPT
    assert bench.fetch(fetched(2, tightening_id=43, torque=430)) == KEPT and numbers[STORED_AGAIN] == 0
    numbers[DAMAGED] = 1
    assert bench.fetch(fetched(2, tightening_id=45, torque=450)) == KEPT and numbers[STORED_AGAIN] == 1


def test_frame_of_a_result_that_is_fetched_as_well_counts_as_stored_again():
    bench = proven(Bench(10), 41)
    numbers = bench.log.state.numbers
    assert bench.store.put_unread(b"0231006100100000    " + b"?" * 211, 0, 231, NOW) == KEPT
    assert bench.fetch(fetched(2, tightening_id=43, torque=43)) == KEPT and numbers[STORED_AGAIN] == 1


class Flaky:
    """The reads of a device, of which some are refused, often several in a row."""

    def __init__(self, device, dice, odds):
        self.device, self.dice, self.odds = device, dice, odds
        self.read = device.read
        self.is_well = self.was_well = True
        device.read = self

    def __call__(self, block, address, buf, n):
        if not self.is_well and self.dice.randrange(100) < (self.odds if self.was_well else 70):
            self.was_well = False
            return FLASH_IO
        self.was_well = True
        return self.read(block, address, buf, n)


def doubles(bench):
    """Return how many records of the log are of what it had already."""
    frames = [payload[res.HEAD_BYTES :] for _, _, payload in bench.records(KIND_RAW)]
    idents = bench.idents()
    return len(frames) - len(set(frames)) + len(idents) - len(set(idents))


def test_repeat_in_a_block_refused_twice_is_counted_as_stored_again():
    bench = proven(Bench(19), 41)
    for ident in range(43, 120):
        assert bench.push(light(tightening_id=ident)) == KEPT
    reads = bench.device.reads
    assert bench.push(light(tightening_id=60)) == KEPT_BEFORE and doubles(bench) == 0
    reads = bench.device.reads - reads
    read = bench.device.read
    for refused in range(1, reads):
        count = [0]

        def refuse_two(block, address, buf, n, count=count, refused=refused):
            count[0] += 1
            return FLASH_IO if refused <= count[0] <= refused + 1 else read(block, address, buf, n)

        bench.device.read = refuse_two
        bench.push(light(tightening_id=60))
        bench.device.read = read
        assert bench.log.state.numbers[STORED_AGAIN] >= doubles(bench), refused
    assert doubles(bench) > 0
    counted = bench.log.state.numbers[STORED_AGAIN]
    assert counted <= bench.start().log.state.numbers[STORED_AGAIN] <= counted + 1, (
        "the last one was counted in front of it"
    )


def test_stored_again_is_no_less_than_the_truth_whichever_reads_are_refused():
    for seed in range(60 if LONG else 24 if HAS_ALL else 8):
        dice = Dice(seed + 1)
        bench = proven(Bench(24), 41)
        flaky = Flaky(bench.device, dice, (2, 10, 30)[seed % 3])
        last = 41
        for _ in range(150):
            step = dice.randrange(6)
            flaky.is_well = dice.randrange(2) == 0
            if step < 3:
                last += 1
                bench.push(light(tightening_id=last))
            elif step == 3:
                bench.push(light(tightening_id=41 + dice.randrange(last - 40)))
            elif step == 4:
                bench.fetch(fetched(2, tightening_id=41 + dice.randrange(last - 40)))
            else:
                for _ in range(2):  # a frame is repeated at once or not at all
                    frame = garbled(tightening_id=last)
                    bench.store.put_unread(frame, 0, len(frame), NOW)
            if dice.randrange(30) == 0:
                flaky.is_well = True
                flaky.device.read = flaky.read
                bench.start()
                flaky.device.read = flaky
        flaky.is_well = True
        counted = bench.log.state.numbers[STORED_AGAIN]
        assert counted >= doubles(bench), (seed, counted, doubles(bench))


def put_raw(bench, ident):
    frame = fetched(2, tightening_id=ident)
    return bench.store.put_fetched_raw(frame, 0, len(frame), b"%010d" % ident, 0, NOW)


def test_start_without_the_count_counts_a_repeat_once_more():
    bench = proven(Bench(10), 41)
    assert bench.push(light(tightening_id=61, torque=61)) == KEPT
    assert bench.push(garbled(tightening_id=44)) == KEPT
    assert bench.log.state.save()
    assert put_raw(bench, 45) == KEPT and bench.log.state.numbers[STORED_AGAIN] == 1
    assert bench.start().log.state.numbers[STORED_AGAIN] == 1, "from the record, since no snapshot says so"


def test_missing_results_never_pushed_count_once_however_often_logs_turn():
    bench = proven(Bench(10), 41)
    assert bench.push(light(tightening_id=1000, torque=1000)) == KEPT
    for ident in range(43, 300):
        assert bench.fetch(fetched(2, tightening_id=ident, torque=10000 + 20 * ident)) == KEPT
        take_all(bench.log)
    assert 43 not in bench.idents() and bench.log.state.numbers[STORED_AGAIN] == 0


def test_fetched_result_is_not_stored_while_the_log_cannot_be_read():
    bench = Bench()
    bench.push(light(tightening_id=5))
    bench.device.unreadable = range(bench.device.block_count)
    assert bench.fetch(fetched(2, tightening_id=5)) == NOT_KEPT
    bench.device.unreadable = ()
    assert bench.fetch(fetched(2, tightening_id=5)) == KEPT_BEFORE and len(bench.results()) == 1


def test_id_that_an_answer_pads_with_blanks_is_the_same_id():
    for padded in (b"   1234567", b"1234567   "):
        bench = Bench()
        bench.push(EXAMPLE)
        frame = fetched(2)
        assert bench.fetch(frame[:22] + padded + frame[32:]) == KEPT_BEFORE
    assert len(bench.results()) == 1


# What a board's heap sees


def next_id(buf):
    """Add one to the ID of the light result at buf[2:], without an allocation."""
    at = 2 + 120
    while buf[at] == 0x39:
        buf[at] = 0x30
        at -= 1
    buf[at] += 1


def test_result_of_a_proven_count_allocates_nothing_over_several_blocks():
    heap_tools()
    bench = proven(Bench(area=Area(23, make_flash=RamFlash)), 41)
    buf = bytearray(b"##" + light(tightening_id=42) + b"\0")
    message = LinkMessage(buf, 2, len(buf) - 3)

    def push(count):
        for _ in range(count):
            next_id(buf)
            if bench.store.put_pushed(message, 999, False, NOW) != KEPT:
                return

    push(40)
    before = bench.log.blocks.erases
    octets = allocated(push, 100)
    assert bench.ledger.top() == 42 + 140 and bench.log.blocks.erases >= before + 2
    assert octets == 0


def test_repeat_that_is_looked_for_allocates_nothing():
    heap_tools()
    bench = proven(Bench(area=Area(23, make_flash=RamFlash)), 41)
    buf = bytearray(b"##" + light(tightening_id=42) + b"\0")
    for _ in range(60):
        next_id(buf)
        assert bench.store.put_pushed(LinkMessage(buf, 2, len(buf) - 3), 999, False, NOW) == KEPT
    octets = bytearray(b"##" + light(tightening_id=50) + b"\0")
    repeat = LinkMessage(octets, 2, len(octets) - 3)

    def push(count):
        for _ in range(count):
            bench.store.put_pushed(repeat, 999, False, NOW)

    push(3)
    assert allocated(push, 20) == 0 and bench.counted(counter.DUPLICATES) == 23


REVISIONS = (999, 1, 2, 3, 4, 5, 6, 7) if HAS_ALL else (999, 1, 7)


def placed(frame, station=b"01", spindle=b"01"):
    """The frame with these two fields of its header."""
    return frame[:12] + station + spindle + frame[16:]


def made(revision, **fields):
    return light(**fields) if revision == 999 else pushed(revision, **fields)


def test_stations_on_one_connection_are_stored_each_once():
    for revision in REVISIONS:
        frame = made(revision)
        bench = Bench()
        for station, kept in ((b"  ", KEPT), (b"02", KEPT), (b"01", KEPT_BEFORE), (b"00", KEPT_BEFORE), (b"10", KEPT)):
            assert bench.push(placed(frame, station)) == kept, (revision, station)
        bench.start()
        for station, kept in ((b"01", KEPT_BEFORE), (b"02", KEPT_BEFORE), (b"10", KEPT_BEFORE), (b"20", KEPT)):
            assert bench.push(placed(frame, station)) == kept, (revision, station)


def test_whatever_else_a_longer_message_says_tells_two_apart():
    for revision, fields in ((1, ("cell", "channel")), (2, ("channel", "sync_id", "rundown")), (7, ("current",))):
        for field in fields:
            bench = Bench()
            one = pushed(revision, **{field: 3})
            other = pushed(revision, **{field: 4})
            assert bench.push(one) == KEPT and bench.push(other) == KEPT, (revision, field)
            bench.start()
            assert bench.push(one) == KEPT_BEFORE and bench.push(other) == KEPT_BEFORE


def test_fetched_result_of_another_spindle_is_stored():
    for revision in (1, 2, 7):
        for pushed_as in REVISIONS:
            bench = Bench()
            bench.push(placed(made(pushed_as), b"01", b"02"))
            answer = fetched(revision)
            assert bench.fetch(placed(answer, b"01", b"02")) == KEPT_BEFORE
            assert bench.fetch(placed(answer, b"  ", b"  ")) == KEPT_BEFORE, "it names none"
            assert bench.fetch(placed(answer, b"01", b"01")) == KEPT
            assert bench.fetch(placed(answer, b"02", b"02")) == KEPT
            assert [spindle_in(payload, 0) for _, _, payload in bench.results()] == [2, 1, 2]


def test_frames_no_one_can_read_are_told_apart_by_their_headers():
    bench = Bench()
    for station, spindle, kept in (
        (b"01", b"01", KEPT),
        (b"01", b"02", KEPT),
        (b"02", b"01", KEPT),
        (b"01", b"02", KEPT_BEFORE),
    ):
        assert bench.push(placed(garbled(), station, spindle)) == kept
    assert len(bench.records(KIND_RAW)) == 3


def test_frame_fetched_of_another_spindle_than_the_one_pushed_is_kept():
    bench = Bench()
    frame = placed(light(status=b"#", time=b"#" * 19, torque=b"#" * 6), b"01", b"02")
    assert bench.push(frame) == KEPT and len(bench.records(KIND_RAW)) == 1
    answer = b"0065" + frame[4:]
    for spindle, kept in ((b"  ", KEPT_BEFORE), (b"02", KEPT_BEFORE), (b"01", KEPT)):
        other = placed(answer, b"01", spindle)
        assert bench.store.put_fetched_raw(other, 0, len(other), b"0001234567", 111, NOW) == kept, spindle


def spindles(bench):
    return [spindle_in(payload, 0) for _, _, payload in bench.results()]


def test_the_same_in_another_revision_or_with_another_sequence_is_a_repeat():
    bench = Bench()
    assert bench.push(pushed(2)) == KEPT
    assert bench.push(EXAMPLE) == KEPT_BEFORE and bench.push(pushed(1)) == KEPT_BEFORE
    numbered = pushed(2)
    assert bench.push(numbered[:16] + b"07" + numbered[18:]) == KEPT_BEFORE
    assert bench.push(numbered[:11] + b"1" + numbered[12:]) == KEPT_BEFORE, "nor does the no-ack flag"


def test_push_of_what_was_fetched_without_a_spindle_is_a_repeat():
    bench = Bench()
    assert bench.fetch(placed(fetched(2), b"  ", b"  ")) == KEPT
    bench.start()
    assert bench.push(placed(EXAMPLE, b"01", b"03")) == KEPT_BEFORE and spindles(bench) == [1]


def test_result_without_an_id_is_told_apart_too():
    for ident in (b" " * 10, b"0000000000"):
        bench = Bench()
        frame = light(tightening_id=ident)
        for spindle, kept in ((b"01", KEPT), (b"02", KEPT), (b"01", KEPT_BEFORE), (b"02", KEPT_BEFORE)):
            assert bench.push(placed(frame, b"01", spindle)) == kept, (ident, spindle)


def test_limits_after_the_body_stay_where_they_are():
    bench = Bench()
    bench.push(placed(pushed(1), b"07"))
    payload = bench.results()[0][2]
    assert payload[res.HEAD_BYTES + res.BODY_BYTES :][: res.LIMITS_BYTES] == b"004000005000004500000600009000075    "
    assert payload[-7] == 7


def test_contents_of_a_long_log_are_read_in_turns():
    bench = Bench(24)
    for number in range(1, 101):
        assert bench.push(light(tightening_id=number, torque=number)) == KEPT
    contents = StoredContents(bench.duplicates)
    turns = 0
    while not contents.read(16):
        turns += 1
        if turns == 2:  # what comes between two turns is known as well
            assert bench.push(light(tightening_id=101, torque=101)) == KEPT
    assert turns == 100 // 16
    for number in (1, 50, 100, 101):
        frame = fetched(2, tightening_id=number + 500, torque=number)
        assert bench.store.read_fetched(frame, 0, len(frame), 2)
        assert contents.holds(bench.log.stage, bench.store.body, 0), number
    frame = fetched(2, tightening_id=7, torque=777)
    assert bench.store.read_fetched(frame, 0, len(frame), 2)
    assert not contents.holds(bench.log.stage, bench.store.body, 0)


def test_push_of_a_known_result_that_says_something_else_too_is_counted_as_stored_again():
    others = (("batch_status", 1), ("vin", "LATER"), ("pset_change", "2001-02-03:04:05:06"), ("torque_max", 7000))
    for revision in (1, 2, 3, 999):
        for name, value in others[: 3 if revision == 999 else 4]:
            bench = Bench(24)
            frames = [pushed(revision, tightening_id=number, torque=4000 + number) for number in (1, 2, 3)]
            for frame in frames:
                assert bench.push(frame) == KEPT
            assert bench.push(frames[2]) == KEPT_BEFORE
            again = pushed(revision, tightening_id=3, torque=4003, **{name: value})
            assert again != frames[2] and bench.push(again) == KEPT
            assert bench.log.state.numbers[STORED_AGAIN] == 1, (revision, name)
    for behind, count in ((b"0", 1), (b"1", 0)):  # octets behind the last field
        bench = Bench(24)
        frame = pushed(3, tightening_id=1)
        assert bench.push(lengthened(frame, b"1")) == KEPT
        assert bench.push(lengthened(frame, behind)) == (KEPT if count else KEPT_BEFORE)
        assert bench.log.state.numbers[STORED_AGAIN] == count


OTHERS = (
    [{"vin": "OTHER"}, {"batch_counter": 2}, {"batch_counter": 3}, {"pset": 7}, {"status": 1}],
    [{"torque": 4001}, {"torque": 4002}, {"angle": 41}],
)


def test_results_that_share_a_second_are_others_wherever_they_differ():
    for first in (1, 4):
        for others in OTHERS:
            bench = proven(Bench(24), 100)
            for index, fields in enumerate([{}] + others):
                frame = light(tightening_id=101 + index * first, **dict({"torque": 4000, "angle": 40}, **fields))
                assert bench.push(frame) == KEPT and bench.push(frame) == KEPT_BEFORE
            numbers = bench.log.state.numbers
            assert numbers[STORED_AGAIN] == 0, (first, others)
            assert bench.start().log.state.numbers[STORED_AGAIN] == 0, (first, others)


def test_a_result_under_another_id_that_is_the_same_in_all_else_is_counted_once_also_by_a_start():
    for idents in ((101, 102), (101, 107), (109, 101)):
        bench = proven(Bench(24), 100)
        for ident in idents:
            assert bench.push(light(tightening_id=ident, torque=4000)) == KEPT
        assert bench.log.state.numbers[STORED_AGAIN] == 1, idents
        assert bench.start().log.state.numbers[STORED_AGAIN] == 1, idents


def test_values_that_come_at_the_same_second_of_another_minute_are_of_others():
    bench = proven(Bench(24), 100)
    for index in range(20):
        time = "2024-04-01:%02d:%02d:30" % (index // 10, index)
        assert bench.push(light(tightening_id=101 + index, time=time, torque=4000, angle=40)) == KEPT
    assert bench.log.state.numbers[STORED_AGAIN] == 0
    assert bench.start().log.state.numbers[STORED_AGAIN] == 0


def test_each_repeat_of_the_last_results_under_the_next_id_is_counted_whatever_the_clock_does():
    for seed in range(12):
        dice = Dice(seed)
        bench = proven(Bench(40), 100)
        stored = []
        expected = 0
        moment = 43000
        calm = (0, RECENT + 4)[seed % 2]  # results with ever later times
        for index in range(calm + RECENT + 60):
            if index > calm + 5 * (seed & 2) and index > 4 and dice.randrange(8) == 0:
                seconds, torque = stored[-1 - dice.randrange(min(index, RECENT * 3 // 4))]
                expected += 1
            else:
                moment += dice.randrange(3) if index > calm and dice.randrange(20) == 0 else 1 + dice.randrange(90)
                if index == calm or (index > calm and dice.randrange(30) == 0):
                    moment -= 2000 + dice.randrange(9000)
                seconds, torque = moment % 86400, 2000 + index
            stored.append((seconds, torque))
            time = "2024-04-01:%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
            fields = {"tightening_id": 101 + index, "time": time, "torque": torque}
            if index > calm and torque == 2000 + index and dice.randrange(40) == 0:
                moment -= 30  # what is pushed after it is earlier
                assert bench.fetch(fetched(2, **fields)) == KEPT
            else:
                assert bench.push(light(**fields)) == KEPT
            if index % 40 == 0:
                assert bench.log.state.save()
        assert expected > 2
        assert bench.log.state.numbers[STORED_AGAIN] == expected, seed
        assert bench.start().log.state.numbers[STORED_AGAIN] == expected, seed


def lengthened(frame, octets):
    """Return the frame with more octets behind its last field."""
    return b"%04d" % (len(frame) + len(octets)) + frame[4:] + octets


def test_fetched_id_that_is_no_number_is_no_id():
    for revision in (1, 2):
        for spoiled in (b"000123456\0", b"1234\0     ", b"00012345x7"):
            bench = Bench()
            frame = bytearray(fetched(revision))
            frame[22:32] = spoiled
            assert not bench.store.read_fetched(bytes(frame), 0, len(frame), revision)
            place = bench.store.body + res.TIGHTENING_ID
            assert id_at(bench.log.stage, place) == -1, (revision, spoiled)


def test_ids_that_end_in_a_nul_are_not_one_id():
    bench = Bench()
    for number in range(1000, 1003):
        assert bench.push(light(tightening_id=b"%09d\0" % (number // 10), torque=number)) == KEPT
    assert [flags for _, flags, _ in bench.results()] == [res.FLAG_ODD] * 3
    for _, _, payload in bench.results():
        assert put_in_order(bytearray(payload), len(payload))[1] == "ID 000000100"


def test_fetched_id_of_another_width_is_no_other_id():
    for revision in (1, 2):
        frame = fetched(revision, tightening_id=1000)
        for ident in (b"00000001000", b"000001000", b"000000100", b"12345678901", b"00000010007", b"0000000001022"):
            spoiled = frame[:22] + ident + frame[32:]
            for end in (len(spoiled), 61, 33, 32):
                answer = b"%04d" % end + spoiled[4:end]
                bench = Bench()
                assert not bench.store.read_fetched(answer, 0, len(answer), revision)
                number = id_at(bench.log.stage, bench.store.body + res.TIGHTENING_ID)
                assert number == -1, (revision, ident, end)
        bench = Bench()
        unread = frame[:61] + b"x" + frame[61:]
        assert not bench.store.read_fetched(unread, 0, len(unread), revision)
        assert id_at(bench.log.stage, bench.store.body + res.TIGHTENING_ID) == 1000
