"""ToolsNet's small telegrams, the worked examples octet for octet, and telegram 04 of several spindles."""

from struct import pack_into

from toolcart.agent.base.fields import BAD
from toolcart.agent.openprotocol import operation_result as op
from toolcart.agent.openprotocol import spindle_assembly as cy
from toolcart.agent.record import PAYLOAD_WIDE
from toolcart.agent.record import result as res
from toolcart.agent.toolsnet import telegram as tel
from toolcart.agent.toolsnet.result04 import PARAM_ALL, ResultWriter
from toolcart.agent.toolsnet.session import RESULT_BYTES
from toolcart.agent.toolsnet.telegram import (
    BUFFER_BYTES,
    FRAME_BROKEN,
    FRAME_FOUND,
    FRAME_NEED_DATA,
    FRAME_TOO_LARGE,
    Frames,
)
from toolcart.base.clock import Dice
from toolcart.sim import operation_frames, spindle_frames
from host_tests.agent.toolsnet.test_result04 import Record
from host_tests.portable import stub
from host_tests.support.fifo import given
from host_tests.support.frames import example_tightening, message
from host_tests.support.heap import allocated, heap_tools
from host_tests.support.toolsnet import read

PORTABLE = True

# DIGEST H.5, the lines "TN 05", "TN 06", "TN 07", "TN 08"
ACKNOWLEDGE = b"0024050004220240314092654000"
KEEPALIVE = b"00070600044"
REQUEST = b"00190700001000300010010"
INFORMATION = b"00370800001000160000310.0.0.5       10111"


def buffer():
    """Return a transmit buffer full of what an earlier telegram left there."""
    return bytearray(b"\xaa" * 64)


def information(result=b"00016", event=b"00003", address=b"10.0.0.5       ", port=b"10111"):
    return b"0037" + b"0800001" + result + event + address + port


def test_writers_write_the_worked_examples_and_touch_nothing_behind_them():
    for write, telegram in (
        (lambda tx: tel.put_keepalive(tx, 44), KEEPALIVE),
        (lambda tx: tel.put_keepalive(tx, 99999), b"00070699999"),
        (lambda tx: tel.put_info_request(tx, 1, 3, 1, 10), REQUEST),
        (lambda tx: tel.put_info_request(tx, 99999, 9999, 9999, 9999), b"00190799999" + b"9999" * 3),
        (lambda tx: tel.put_acknowledge(tx, 42, b"20240314092654"), ACKNOWLEDGE),
        (lambda tx: tel.put_acknowledge(tx, 99999, b"20240314092654"), b"00240599999" + ACKNOWLEDGE[11:]),
    ):
        tx = buffer()
        assert write(tx) == len(telegram)
        assert bytes(tx) == telegram + b"\xaa" * (64 - len(telegram))


def test_error_code_that_is_no_number_or_not_there_is_no_success():
    assert tel.code_of(ACKNOWLEDGE[:-3] + b"   ", 0, 24) == tel.NO_CODE
    assert tel.code_of(ACKNOWLEDGE[:-3] + b"0x0", 0, 24) == tel.NO_CODE
    assert tel.code_of(ACKNOWLEDGE, 0, 23) == tel.NO_CODE


def test_information_is_read_from_its_places():
    assert tel.head_of(INFORMATION, 0, 37) // tel.IDENTS == tel.ID_INFO
    assert tel.is_info(37) and not tel.is_info(36)
    assert tel.result_sequence_of(INFORMATION, 0) == 16
    assert tel.event_sequence_of(INFORMATION, 0) == 3
    assert INFORMATION[tel.ADDRESS : tel.ADDRESS + tel.ADDRESS_BYTES] == b"10.0.0.5       "
    assert tel.port_of(INFORMATION, 0) == 10111


def test_port_is_read_with_blanks_on_either_side():
    for text, port in (
        (b"10111", 10111),
        (b"6575 ", 6575),
        (b" 6575", 6575),
        (b"  80 ", 80),
        (b"00080", 80),
        (b"80\x00\x00\x00", 80),
        (b"65535", 65535),
    ):
        assert tel.port_of(information(port=text), 0) == port, text


def test_port_that_can_be_none_is_0():
    for text in (b"     ", b"00000", b"65536", b"99999", b"80 80", b"-0080", b"port1", b"\xff\xff\xff\xff\xff"):
        assert tel.port_of(information(port=text), 0) == 0, text


def test_telegram_too_short_for_an_identifier_has_no_number():
    assert tel.head_of(b"0006060004", 0, 6) == -1
    assert tel.head_of(b"0007ab00044", 0, 7) == BAD
    assert tel.head_of(b"00070600044", 0, 7) == tel.ID_KEEPALIVE * tel.IDENTS + 44
    assert tel.head_of(b"000706000x4", 0, 7) == BAD
    assert tel.head_of(b"00070699999", 0, 7) == tel.ID_KEEPALIVE * tel.IDENTS + 99999


# ToolsNet's frames are found by their length alone, in any split, and nothing that is no frame gets through.

FIRST = b"00071200001"
SECOND = b"0024050004220240314092654000"
THIRD = b"00370800001000160000310.0.0.5       10111"


def feed(frames, octets):
    """Give the octets in as large pieces as are taken; return what was found in order, up to a lost frame."""
    found = []
    for kind in given(frames, octets, frames.next, FRAME_NEED_DATA):
        found.append(kind)
        if kind == FRAME_FOUND:
            found[-1] = bytes(frames.buf[frames.at : frames.at + 4 + frames.length])
        elif kind == FRAME_BROKEN:
            break
    return found


def in_pieces(octets, dice, most):
    frames = Frames()
    found = []
    while octets:
        n = 1 + dice.randrange(most)
        found += feed(frames, octets[:n])
        octets = octets[n:]
    return found


def test_telegrams_are_found_whatever_the_split():
    stream = FIRST + SECOND + THIRD
    for cut in range(len(stream) + 1):
        frames = Frames()
        assert feed(frames, stream[:cut]) + feed(frames, stream[cut:]) == [FIRST, SECOND, THIRD], cut
    assert in_pieces(stream, Dice(1), 1) == [FIRST, SECOND, THIRD]


def test_binary_content_and_digits_inside_end_no_telegram():
    inside = b"0031" + b"05\x00\x00\x00\x03\x02000700070007\xff\xfe0007\x00\x00\x00\x00\x10\x10"
    assert len(inside) == 35
    assert feed(Frames(), inside + FIRST) == [inside, FIRST]


def test_largest_telegram_that_is_kept_fills_the_buffer():
    length = BUFFER_BYTES - 4
    whole = ("%04d" % length).encode() + b"z" * length
    assert feed(Frames(), whole + FIRST) == [whole, FIRST]


def test_length_that_is_no_number_loses_the_frame():
    for octets in (b"00 7", b"    ", b"\x00\x00\x00\x00", b"-007", b"0000", b"abcd", b"\xff\xff\xff\xff"):
        assert feed(Frames(), FIRST + octets + SECOND) == [FIRST, FRAME_BROKEN], octets


def test_new_connection_knows_nothing_of_the_last_one():
    frames = Frames()
    assert feed(frames, b"9999" + b"x" * 500) == [FRAME_TOO_LARGE]
    frames.reset()
    assert feed(frames, FIRST[:6]) == []
    frames.reset()
    assert feed(frames, SECOND) == [SECOND]


HEAP = "2m"

LONG_VIN = b"WVWZZZ1KZAW123456-AND-SOME-MORE"  # goes on behind the 25 octets of a VIN
AT = 5  # of the payload in its page
WRITES = 10


def payload(body, station=10, spindle=1):
    head = bytearray(res.HEAD_BYTES)
    pack_into("<IHBB", head, 0, 17, station, spindle, 0)
    return bytes(head + body)


def cycle(frames, bolt_data=False):
    """Return the payload out of MID 0101, or 0106 and its 0107; each frame with its MID and revision."""
    made = cy.Cycle()
    made.most = PAYLOAD_WIDE
    for mid, revision, data in frames:
        octets = message(mid, data, revision)
        found = made.take(octets, 0, len(octets), mid, revision, bolt_data, 0)
    assert found == cy.CYCLE_WHOLE
    return payload(made.body[: made.octets])


def sync(revision, count, **fields):
    return cycle([(101, revision, spindle_frames.sync_data(example_tightening(**fields), revision, count))])


def bolts(count, bolt_data=False, **fields):
    result = example_tightening(**fields)
    frames = [(106, 4, spindle_frames.station_data(result, 4, count))]
    if bolt_data:
        for index in range(1, count + 1):
            frames.append((107, 4, spindle_frames.bolt_data(result, 4, index, count)))
    return cycle(frames, bolt_data)


def objects(*listed, **fields):
    """Return the payload of MID 1201 with these objects: ID, status, type, reference; the tool has a serial number."""
    made = op.Operation()
    result = example_tightening(**fields)
    total = len(listed) + 1
    frames = [(1201, message(1201, operation_frames.overall_data(result, 3, total, objects=listed), 3))]
    for index in range(len(listed)):
        data = operation_frames.object_data(
            result, 1, operation_frames.standard_fields(result), total, index + 2, listed[index][0]
        )
        frames.append((1202, message(1202, data)))
    for mid, octets in frames:
        found = made.take(octets, 0, len(octets), mid, 3 if mid == 1201 else 1, 0)
    assert found == op.PART_WHOLE
    return payload(made.body)


def kinds():
    """Return every kind of result that has several spindles, two of each that differ in their values."""
    listed = ((100, 1, 4, 1), (1, 0, 2, 0), (9999, 1, 5, 100))
    return (
        ("sync", sync(3, 4), sync(3, 4, torque=5000, pset=13, tightening_id=2)),
        ("sync with a job", sync(5, 4, job_sequence=4711), sync(5, 4, job_sequence=12, status=1)),
        ("bolts", bolts(4), bolts(4, torque=123, angle=7, pset=90)),
        ("bolts with a long Wp. Id", bolts(3, vin=LONG_VIN), bolts(3, vin=b"V" * 40)),
        ("bolts with data", bolts(4, True), bolts(4, True, vin=b"ANOTHER", torque=9999)),
        ("fifty", bolts(50), bolts(50, status=1, angle=0)),
        ("objects", objects(*listed), objects(*listed, torque=77, tightening_id=3)),
    )


def writer_of(parameters=PARAM_ALL):
    writer = ResultWriter(bytearray(b"\xaa" * RESULT_BYTES), 3, 1, parameters)
    writer.session = stub(result=None)
    return writer


def page_of(octets):
    return bytearray(b"\xee" * AT + octets + b"1" * 200)


def written(writer, octets, flags=0, ident=42, sequence=17):
    """Return the telegram; it has to be one by the document."""
    end = writer.write(page_of(octets), AT, len(octets), flags, ident, sequence)
    told = bytes(writer.tx[:end])
    found = read(told)
    assert (found["identifier"], found["sequence"]) == (ident, sequence)
    return told


def writing(writer, records):
    """Return a function that writes each of the records (octets, length) once."""
    pages = [(page_of(octets), length) for octets, length in records]

    def write():
        for page, length in pages:
            writer.write(page, AT, length, 0, 42, 17)

    return write


def test_nothing_is_allocated_from_the_second_telegram_of_a_size_on():
    heap_tools()
    for name, one, other in kinds():
        write = writing(writer_of(), ((one, len(one)), (other, len(other))) * WRITES)
        write()
        octets = allocated(write)
        print("%s: %d bytes for %d telegrams" % (name, octets, 2 * WRITES))
        assert octets == 0, name


def test_results_of_one_and_of_several_spindles_in_turns_allocate_nothing():
    heap_tools()
    single = Record(61, 5)
    records = [(bytes(single.octets), single.length)]
    for _, one, other in kinds():
        records += [(one, len(one)), (other, len(other))]
    write = writing(writer_of(), records)
    write()
    assert allocated(write) == 0


def test_telegram_says_nothing_of_those_before_it():
    dice = Dice(3)
    pool = [(bytes(record.octets), record.length) for record in (
        Record(),
        Record(61, 5, pset=0, vin=b"OTHER"),
        Record(61, 2, 11, 4, batch_status=None),
    )]  # fmt: skip
    for _, one, other in kinds():
        pool += [(one, len(one)), (other, len(other))]
    for more in (sync(4, 2), sync(4, 1, vin=b"X"), sync(3, 3), bolts(2, vin=LONG_VIN), bolts(2, True, pset=0)):
        pool.append((more, len(more)))
    flags = (0, 0, res.FLAG_RECOVERED, res.FLAG_EDGE_TIME, res.FLAG_ODD)
    for parameters in (PARAM_ALL, 0):
        writer = writer_of(parameters)
        for _ in range(400):
            octets, length = pool[dice.randrange(len(pool))]
            flag = flags[dice.randrange(len(flags))]
            ident, sequence = 1 + dice.randrange(99999), 1 + dice.randrange(99999)
            wanted = written(writer_of(parameters), octets[:length], flag, ident, sequence)
            assert written(writer, octets[:length], flag, ident, sequence) == wanted
            assert writer.session.result in (None, writer.tx)
