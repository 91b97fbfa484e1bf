"""Curves become pieces in their own ring: whole, durable, once, with their result, and never in anyone's way."""

from toolcart.agent.base import health as h
from toolcart.agent.base.words import get_u32, put_u32
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.numbers import MISSED, OVERWRITTEN
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import graph as gr
from toolcart.agent.record import result as res
from toolcart.agent.wide.mid0900 import LOST_LONG, LOST_ROOM, READ
from toolcart.sim import trace_frames as made
from host_tests.support.frames import message
from host_tests.support.graphs import TIME, Bench, ident_of, samples_for, samples_in, trace_message
from host_tests.support.log import Flash, append, body_of, held, take_all

PACKED = b"\x20\x24\x03\x14\x09\x26\x53"


def bench_of(blocks=16, unit=16, block_bytes=4096, **more):
    return Bench(Flash(blocks + 4, block_bytes, unit), **more)


def put_result(log, ident, time=PACKED, limits=b"", pset=b"0012", spindle=3):
    """Store a result with this ID and time."""
    body = body_of(ident)
    body[res.TIME : res.TIME + 7] = time
    body[res.PSET : res.PSET + 4] = pset
    stage, at = log.stage, log.place
    put_u32(stage, at, log.next)
    stage[at + 4 : at + 8] = bytes((10, 0, spindle, 0))
    stage[at + 8 : at + 114] = body
    stage[at + 114 : at + 114 + len(limits)] = limits
    assert log.append(KIND_RESULT, 0, 114 + len(limits)) == LOG_DONE


def test_a_curve_of_any_length_comes_back_octet_for_octet():
    for unit, block_bytes in ((16, 4096), (256, 4096), (512, 4096), (16, 1024), (256, 1024)):
        bench = bench_of(24, unit, block_bytes, graphs=12)
        for count in (1, 2, 207, 208, 209, 453, 454, 455, 700, 1000):
            samples = samples_for(count, 2, count)
            assert bench.put(trace_message(count, samples=samples)) == READ
            lead, data, flags = bench.curves()[-1]
            assert (ident_of(lead), samples_in(data), flags) == (count, samples, 0), (unit, count)
            assert bytes(lead[gr.TIME : gr.TIME + 7]) == PACKED and lead[gr.WHAT] == 2 and lead[gr.SPINDLE] == 1
            assert get_u32(lead, gr.NUMERATOR) == 1 and get_u32(lead, gr.DENOMINATOR) == 100 and lead[gr.SHIFT] == 0
            assert lead[gr.STEPS] == 1 and get_u32(lead, gr.ANNOUNCED) == count == lead[gr.COUNT] | lead[73] << 8
            assert bytes(lead[gr.FIRST_STEP :]) == bytes((count & 0xFF, count >> 8, 2, 0, 0, 0, 1, 0, 0, 0))
            assert bytes(lead[gr.LOW : gr.DECIMALS]) == b" " * 12 and get_u32(lead, gr.RESULT) == 0
        before = [curve[:2] for curve in bench.curves()]
        bench.start()
        assert [curve[:2] for curve in bench.curves()] == before, "a start loses none"


def test_the_layout_is_the_document_s():
    bench = bench_of()
    put_result(bench.main, 7, limits=b"004000005000004500000600009000075" + b"101" + b" ")
    assert bench.put(trace_message(7, samples=(1, -2))) == READ
    lead, data, _ = bench.curves()[0]
    assert (
        bytes(lead)
        == (
            b"\1\0\0\0"  # number
            b"\x0a\0"  # station
            b"\0\1"  # piece, pieces
            b"\1\0\0\0"  # result
            b"0000000007" + PACKED + PACKED + b"\3\2\1\1"  # spindle, what, transducer, steps
            b"\1\0"  # unit
            b"0012" + b"004000" + b"005000" + b"\2"  # program, limits, decimals
            b"\0" + b"\1\0\0\0" + b"\x64\0\0\0"  # shift, numerator, denominator
            b"\2\0\0\0" + b"\2\0"  # announced, count
            b"\2\0" + b"\2\0\0\0" + b"\1\0\0\0"
        )
    )
    assert data == b"\0\1\xff\xfe"


def test_curve_finds_its_result_in_stage_in_block_and_in_one_before():
    for how in ("stage", "block", "before"):
        bench = bench_of(unit=256)
        for ident in range(1, 5):
            put_result(bench.main, ident, bytes((0x20, 0x24, 0x03, 0x14, 0x09, 0x26, 0x50 + ident)))
        if how == "before":
            bench.start()  # the next record opens a block
            put_result(bench.main, 5, b"\x20\x24\x03\x14\x09\x27\x10")
        put_result(bench.main, 6, b"\x20\x24\x03\x14\x09\x28\x10")
        ident = 6 if how == "stage" else 3
        time = "2024-03-14:09:28:10" if how == "stage" else "2024-03-14:09:26:54"
        assert bench.put(trace_message(ident, time=time)) == READ
        lead = bench.curves()[0][0]
        assert get_u32(lead, gr.RESULT) == (ident if how != "stage" else bench.main.number), how
        assert lead[gr.SPINDLE] == 3 and bytes(lead[gr.PROGRAM : gr.PROGRAM + 4]) == b"0012"
        assert bytes(lead[gr.RESULT_TIME : gr.RESULT_TIME + 7]) != bytes(7)


def test_which_result_a_curve_fits():
    for ident, time, number in (
        (2, "2024-03-14:09:26:53", 2),
        (2, "2024-03-14:09:26:55", 2),
        (2, "2024-03-14:09:26:51", 2),
        (2, "2024-03-14:09:26:56", 0),
        (2, "2024-04-14:09:26:53", 0),
        (99, "2024-03-14:09:26:53", 2),  # another ID, the very time: the newest of those
        (99, "2024-03-14:09:26:52", 0),
        (1, "2024-03-14:09:26:53", 1),
    ):
        bench = bench_of()
        put_result(bench.main, 1)
        put_result(bench.main, 2)
        put_result(bench.main, 3, b"\x20\x24\x03\x14\x09\x59\x53")
        assert bench.put(trace_message(ident, time=time)) == READ
        assert get_u32(bench.curves()[0][0], gr.RESULT) == number, (ident, time)


def test_spindles_with_one_id_and_time_have_a_curve_each():
    bench = bench_of()
    for number, spindle in ((1, 2), (2, 3)):
        put_result(bench.main, 7, spindle=spindle)
        assert bench.main.number == number
    for _ in range(2):
        for spindle in (b"02", b"03"):
            frame = trace_message(7)
            bench.put(frame[:14] + spindle + frame[16:])
        told = [(get_u32(lead, gr.RESULT), lead[gr.SPINDLE]) for lead, _, _ in bench.curves()]
        assert told == [(1, 2), (2, 3)], "a repeat is none"
        bench.start()


def test_the_limits_are_those_of_the_value_and_of_digits_only():
    limits = b"004000005000004500000600009000075" + b"101"
    for what, text, decimals, low, high in (
        (2, limits + b" ", 2, b"004000", b"005000"),
        (1, limits + b" ", 0, b"000060", b"000090"),
        (1, limits + b"2", 2, b"000060", b"000090"),
        (3, limits + b" ", 0, b" " * 6, b" " * 6),
        (2, b"-04000" + limits[6:] + b" ", 0, b" " * 6, b" " * 6),
        (1, limits[:18] + b" " * 5 + limits[23:] + b" ", 0, b" " * 6, b" " * 6),
    ):
        bench = bench_of()
        put_result(bench.main, 7, limits=text)
        assert bench.put(trace_message(7, what)) == READ
        lead = bench.curves()[0][0]
        assert bytes(lead[gr.LOW : gr.HIGH]) == low and bytes(lead[gr.HIGH : gr.DECIMALS]) == high, text
        assert lead[gr.DECIMALS] == decimals


def test_the_same_curve_is_kept_once_over_connections_and_starts():
    bench = bench_of()
    assert bench.put_curve(1) == READ and bench.put_curve(1, 1) == READ
    assert bench.put_curve(1, 1) < READ, "sent again at once"
    bench.health.count(h.CONTROLLER_CONNECTS)
    assert bench.put_curve(1) < READ and bench.put_curve(1, 1) < READ and bench.put_curve(2) == READ
    bench.start()
    assert bench.put_curve(2) < READ and bench.put_curve(1, 1) < READ and bench.put_curve(3) == READ
    assert [ident_of(lead) for lead, _, _ in bench.curves()] == [1, 1, 2, 3]
    assert bench.put(trace_message(3, samples=samples_for(3), time="2024-03-14:09:26:54")) == READ


def test_a_curve_of_which_a_piece_is_missing_is_kept_again():
    bench = bench_of()
    assert bench.put_curve(1, count=700) == READ
    bench.flash.cells[bytes(bench.flash.cells).find(b"\2\0\0\0\x0a\0\1\3") + 40] ^= 1  # in its second piece
    bench.start()
    assert bench.put_curve(1, count=700) == READ and bench.put_curve(1, count=700) < READ
    assert len(bench.curves()) == 1


def test_without_a_time_the_agent_s_own_stands_there():
    bench = bench_of()
    assert bench.put(trace_message(1, time="0000-00-00:00:00:00")) == READ
    lead, _, flags = bench.curves()[0]
    assert bytes(lead[gr.TIME : gr.TIME + 2]) == b"\x20\x30" and flags == res.FLAG_EDGE_TIME


def test_octets_of_mt_focus_are_turned_round_and_wrong_order_is_counted():
    samples = tuple([index * 90 for index in range(100)])
    bench = bench_of()
    assert bench.put(trace_message(1, samples=samples, little=True), little=True) == READ
    _, data, flags = bench.curves()[0]
    assert samples_in(data) == samples and flags == 0
    assert bench.put(trace_message(2, samples=samples, little=True)) == READ
    _, data, flags = bench.curves()[1]
    assert flags == res.FLAG_ODD and samples_in(data) != samples and bench.health.counters[h.TRACES_ODD] == 1


def test_fewer_samples_than_announced_are_kept_and_said_to_be_few():
    bench = bench_of()
    assert bench.put(trace_message(1, samples=(1, 2, 3), announced=5)) == READ
    lead, data, flags = bench.curves()[0]
    assert flags == res.FLAG_ODD | res.FLAG_TRUNCATED and get_u32(lead, gr.ANNOUNCED) == 5
    assert samples_in(data) == (1, 2, 3)


def test_plot_parameters_are_kept_as_they_came():
    bench = bench_of()
    put_result(bench.main, 7)
    fields = tuple([(2000 + index, 4, 1, "x" * 40) for index in range(20)])
    frame = message(901, made.parameter_data(7, TIME, 1, fields))
    assert bench.put(frame, 901) == READ
    lead, data, flags = bench.curves()[0]
    assert (lead[gr.WHAT], lead[gr.PIECES], flags) == (0, 3, 0) and data == made.data_fields(fields)[3:]
    assert get_u32(lead, gr.RESULT) == 1


def test_when_the_ring_is_full_the_oldest_goes_and_the_newest_stays():
    bench = bench_of(graphs=4, wanting=())
    made_curves = 60
    for ident in range(1, made_curves + 1):
        assert bench.put_curve(ident, count=700) == READ
    kept = [ident_of(lead) for lead, _, _ in bench.curves()]
    assert kept == list(range(kept[0], made_curves + 1)) and len(kept) >= 4
    assert bench.state.numbers[MISSED] == bench.state.numbers[OVERWRITTEN] == 0, "no one wanted them"
    assert [bench.log.waits(cursor) for cursor in bench.log.cursors] == [0, 0]
    bench = bench_of(graphs=4, wanting=(1,))
    for ident in range(1, made_curves + 1):
        bench.put_curve(ident, count=700)
    first = ident_of(bench.curves()[0][0])
    assert first > 1 and bench.log.waits(bench.log.cursors[1]) <= bench.log.number - first


def test_what_is_longer_than_the_ring_is_lost_before_anything_is_written():
    bench = bench_of(graphs=4, block_bytes=1024)
    operations = bench.flash.operations
    assert bench.put_curve(1, count=900) == LOST_LONG and bench.flash.operations == operations
    assert bench.put_curve(1, count=400) == READ


def test_a_flash_that_refuses_loses_the_curve_alone():
    bench = bench_of()
    assert bench.put_curve(1) == READ
    bench.flash.code = FLASH_IO
    assert bench.put_curve(2) == LOST_ROOM
    bench.flash.code = FLASH_DONE
    assert bench.put_curve(3) == READ and append(bench.main, 1) == LOG_DONE
    assert [ident_of(lead) for lead, _, _ in bench.curves()] == [1, 3]


def test_curves_take_no_block_of_the_results_and_none_of_their_turns():
    bench = bench_of(unit=256)
    twin = bench_of(unit=256)
    for ident in range(1, 200):
        for one in (bench, twin):
            assert append(one.main, ident) == LOG_DONE
            take_all(one.main)
        for what in (1, 2):
            assert bench.put_curve(ident, what) == READ
    assert held(bench.main) == held(twin.main), "the log of results is another one"
    assert bench.main.counts.erases == twin.main.counts.erases and list(bench.main.firsts) == list(twin.main.firsts)
