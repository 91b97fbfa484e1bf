"""MID 0900 is read by its fields; curves become pieces in a ring: whole, durable, once."""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.fields import get_u32
from toolcart.agent.linux.mid0900 import (
    CURVES,
    LOST_LONG,
    LOST_ROOM,
    LOST_UNREADABLE,
    PLOT_PARAMETERS,
    READ,
    Trace,
    TraceSubscription,
    fraction,
    within,
)
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.record import graph as gr
from toolcart.agent.record import result as res
from toolcart.sim import curve_frames
from toolcart.sim import operation_frames as made
from host_tests.support.frames import message
from host_tests.support.graphs import (
    PACKED,
    TIME,
    Bench,
    ident_of,
    samples_in,
    trace_message,
)
from host_tests.support.log import append

FACTOR = ((2214, 3, 1, "0.000854"),)
SAMPLES = (-1, 0, 13, 256, 1042, -25, 32767, -32768)

# example.md 3: K 100, 2.0 ms, eight samples, the last one below zero.
EXAMPLE = (
    b"01480900001 0101    00012345672024-03-14:09:26:53001013010030100000000010201001001022130030100000001000010000000"
    b"007003032022.000008\0\0\0\0\x0d\x01\0\x04\x12\x0a\xff\x10\x8d\x10\x5e\xff\xe7"
)


def curve(revision=1, samples=SAMPLES, parameters=FACTOR, steps=None, what=2, unit=1, **more):
    if steps is None:
        steps = (curve_frames.resolution(0, len(samples) - 1, "11.000000"),)
    data = curve_frames.curve_data(1234567, TIME, revision, what, unit, samples, parameters, steps, **more)
    return message(CURVES, data, revision)


def read(frame, mid=CURVES, revision=1, front=b"", behind=b""):
    """Read the message as it lies in a buffer between other octets."""
    trace = Trace()
    buf = bytearray(front + frame + behind)
    return trace.read(buf, len(front), len(frame), mid, revision), trace, buf


def samples_of(trace, buf):
    return samples_in(buf[trace.at : trace.at + trace.octets])


def test_the_worked_example_is_read():
    why, trace, buf = read(EXAMPLE, behind=b"0020")
    assert (why, trace.what, trace.transducer, trace.unit, trace.odd) == (READ, 2, 1, 1, False)
    assert trace.scale == (1, 100, 0) and trace.steps == [(8, 2, 1)] and trace.announced == trace.count == 8
    assert samples_of(trace, buf) == (0, 13, 256, 1042, 2815, 4237, 4190, -25)


def test_what_is_missing_or_makes_no_sense_is_odd():
    for parameters in ((), ((2214, 3, 1, "abc"),), ((2214, 3, 1, "0"),), ((2213, 3, 1, ""),), ((2214, 3, 1, "-1"),)):
        why, trace, _ = read(curve(parameters=parameters))
        assert (why, trace.scale, trace.odd) == (READ, (1, 1, 0), True), parameters
    for steps, trace_steps in (
        ((), []),
        ((curve_frames.resolution(0, 7, "x"),), [(8, 0, 1)]),
        ((curve_frames.resolution(0, 7, "2.0", 50),), [(8, 0, 1)]),
        ((curve_frames.resolution(0, 3, "2.0"),), [(8, 2, 1)]),
        ((curve_frames.resolution(9, 3, "2"), curve_frames.resolution(0, 7, "4")), [(8, 2, 1), (0, 4, 1)]),
    ):
        why, trace, _ = read(curve(steps=steps))
        assert (why, trace.steps, trace.odd) == (READ, trace_steps, True), steps
    why, trace, buf = read(curve(announced=9))
    assert (why, trace.count, trace.announced, trace.odd) == (READ, 8, 9, True)
    frame = bytearray(curve() + b"\x05")
    frame[:4] = b"%04d" % len(frame)
    why, trace, buf = read(bytes(frame))
    assert (why, trace.count, trace.odd) == (READ, 8, True) and samples_of(trace, buf) == SAMPLES


def test_a_message_is_never_read_beyond_its_end():
    frame = curve(3, fields=((10, 4, 0, "VIN"),))
    for length in range(20, len(frame)):
        why, trace, _ = read(frame[:length], revision=3)
        assert why != READ or (trace.odd and trace.at + trace.octets <= length), length


def test_spoiled_octets_are_read_or_lost():
    frame = curve(2, fields=((10, 4, 0, "VIN"),))
    for place in range(20, len(frame) - 2 * len(SAMPLES)):
        for octet in b"\0 9A\xff-":
            spoiled = bytearray(frame)
            spoiled[place] = octet
            why, trace, _ = read(bytes(spoiled), revision=2)
            assert why != READ or 0 < trace.octets <= len(frame) - trace.at


def test_plot_parameters_are_the_octets_of_their_fields():
    fields = ((2002, 3, 1, "50.00"), (2012, 3, 50, "90.0"))
    for revision in (1, 2, 3):
        frame = message(PLOT_PARAMETERS, curve_frames.parameter_data(77, TIME, revision, fields), revision)
        why, trace, buf = read(frame, PLOT_PARAMETERS, revision)
        assert (why, trace.what, trace.odd, trace.announced) == (READ, 0, False, 2)
        assert bytes(buf[trace.at : trace.at + trace.octets]) == made.data_fields(fields)[3:]
        for cut in (1, 9):
            why, trace, _ = read(frame[:-cut], PLOT_PARAMETERS, revision)
            assert why == READ and trace.odd
        assert read(frame[:40], PLOT_PARAMETERS, revision)[0] == LOST_UNREADABLE


def test_numbers_are_bounded():
    assert fraction(b"0.000854") == (854, 1000000) and fraction(b"1e2") == (100, 1) and fraction(b"1E-2") == (1, 100)
    for text in (b"", b"1" * 33, b"1e99", b"1e", b"e5", b"1e+-2", b"1.2.3", b"0.0", b"1e1111", b"0x1", b".", b"+1"):
        assert fraction(text) is None, text
    assert within(854, 1000000) == (427, 500000, 0)
    for text in (b"9" * 32, b"0." + b"0" * 20 + b"1", b"3.14159265358979323846264338", b"123456789.123456789"):
        top, bottom = fraction(text)
        number = within(top, bottom)
        if number is None:
            continue
        numerator, denominator, shift = number
        assert 0 < numerator < 1 << 30 and 0 < denominator < 1 << 30
        # 2**shift * numerator / denominator is the same within one part in 2**28
        left = numerator * bottom << max(0, shift)
        right = top * denominator << max(0, -shift)
        assert abs(left - right) >> 2 <= max(left, right) >> 28


def test_the_subscription_asks_as_documented_then_in_its_other_forms():
    subscription = TraceSubscription([1, 2])
    longest = len(subscription.data)
    requests = []
    for _ in range(5):
        assert subscription.revision() == 1 and len(subscription.data) <= longest
        requests.append(subscription.data)
        subscription.revisions.rejected()
    assert requests[0] == b"0900001380" + b" " * 29 + b"02001002"  # protocol.md 6.1
    assert [data[4:7] for data in requests] == [b"001", b"002", b"003", b"001", b"001"]
    assert requests[3] == b"0900001380" + b"0" * 29 + b"02001002"
    assert requests[4] == b"0900001390" + b" " * 29 + b"0" + b"02001002"
    assert subscription.clearing == b"09000010802001002" and subscription.revisions.index == 0
    assert TraceSubscription([1]).clearing == b"09000010501001"  # OP 5.27.1.2 p. 262, with the right length
    parameters = TraceSubscription(())
    assert parameters.revision() == 1 and parameters.data == b"090100100" and parameters.clearing == b"090100100"
    push = subscription.pushes[0]
    push.opened()
    assert push.pushed_mid == 900
    assert bytes(push.acknowledgement) == b"00240005001         0900" and push.acknowledgement_bytes == 24


def test_the_layout_is_the_document_s():
    bench = Bench()
    bench.put_result(7, limits=b"004000005000004500000600009000075" + b"101" + b" ")
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
        bench = Bench()
        bench.put_result(7, limits=text)
        assert bench.put(trace_message(7, what)) == READ
        lead = bench.curves()[0][0]
        assert bytes(lead[gr.LOW : gr.HIGH]) == low and bytes(lead[gr.HIGH : gr.DECIMALS]) == high, text
        assert lead[gr.DECIMALS] == decimals


def test_a_curve_of_which_a_piece_is_missing_is_kept_again():
    bench = Bench()
    assert bench.put_curve(1, count=700) == READ
    bench.flash.cells[bytes(bench.flash.cells).find(b"\2\0\0\0\x0a\0\1\3") + 40] ^= 1  # in its second piece
    bench.start()
    assert bench.put_curve(1, count=700) == READ and bench.put_curve(1, count=700) < READ
    assert len(bench.curves()) == 1


def test_without_a_time_the_agent_s_own_stands_there():
    bench = Bench()
    assert bench.put(trace_message(1, time="0000-00-00:00:00:00")) == READ
    lead, _, flags = bench.curves()[0]
    assert bytes(lead[gr.TIME : gr.TIME + 2]) == b"\x20\x30" and flags == res.FLAG_EDGE_TIME


def test_octets_of_mt_focus_are_turned_round_and_wrong_order_is_counted():
    samples = tuple([index * 90 for index in range(100)])
    bench = Bench()
    assert bench.put(trace_message(1, samples=samples, little=True), little=True) == READ
    _, data, flags = bench.curves()[0]
    assert samples_in(data) == samples and flags == 0
    assert bench.put(trace_message(2, samples=samples, little=True)) == READ
    _, data, flags = bench.curves()[1]
    assert flags == res.FLAG_ODD and samples_in(data) != samples and bench.counters.counts[counter.TRACES_ODD] == 1


def test_fewer_samples_than_announced_are_kept_and_said_to_be_few():
    bench = Bench()
    assert bench.put(trace_message(1, samples=(1, 2, 3), announced=5)) == READ
    lead, data, flags = bench.curves()[0]
    assert flags == res.FLAG_ODD | res.FLAG_TRUNCATED and get_u32(lead, gr.ANNOUNCED) == 5
    assert samples_in(data) == (1, 2, 3)


def test_what_is_longer_than_the_ring_is_lost_before_anything_is_written():
    bench = Bench(block_bytes=1024, graphs=4)
    operations = bench.flash.operations
    assert bench.put_curve(1, count=900) == LOST_LONG and bench.flash.operations == operations
    assert bench.put_curve(1, count=400) == READ


def test_a_flash_that_refuses_loses_the_curve_alone():
    bench = Bench()
    assert bench.put_curve(1) == READ
    bench.flash.code = FLASH_IO
    assert bench.put_curve(2) == LOST_ROOM
    bench.flash.code = FLASH_DONE
    assert bench.put_curve(3) == READ and append(bench.main, 1) == LOG_DONE
    assert [ident_of(lead) for lead, _, _ in bench.curves()] == [1, 3]
