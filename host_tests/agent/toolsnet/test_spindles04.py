"""Telegram 04 of results of several spindles: writing them allocates nothing, and one says nothing of the last."""

import json
from struct import pack_into

from toolcart.agent.openprotocol import operation_result as op
from toolcart.agent.openprotocol import spindle_assembly as assembly
from toolcart.agent.record import KIND_RESULT, PAYLOAD_WIDE
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.json_line import Line
from toolcart.agent.record.text import describe
from toolcart.agent.toolsnet.result04 import PARAM_ALL, ResultWriter
from toolcart.agent.toolsnet.session import RESULT_BYTES
from toolcart.base.clock import Dice
from toolcart.sim import operation_frames, spindle_frames
from host_tests.agent.toolsnet.test_result04 import Record
from host_tests.portable import HAS_ALL, LONG, stub
from host_tests.support.frames import example_tightening, message
from host_tests.support.heap import allocated, heap_tools
from host_tests.support.toolsnet import read

PORTABLE = True
HEAP = "2m"


LONG_VIN = b"WVWZZZ1KZAW123456-AND-SOME-MORE"  # goes on behind the 25 octets of a VIN
AT = 5  # of the payload in its page
WRITES = 10


def payload(body, station=10, spindle=1):
    head = bytearray(res.HEAD_BYTES)
    pack_into("<IHBB", head, 0, 17, station, spindle, 0)
    return bytes(head + body)


def payload_of_parts(frames, bolt_data=False):
    """Return the payload out of MID 0101, or 0106 and its 0107; each frame with its MID and revision."""
    made = assembly.SpindleAssembly()
    made.most = PAYLOAD_WIDE
    for mid, revision, data in frames:
        octets = message(mid, data, revision)
        result = made.take(octets, 0, len(octets), mid, revision, bolt_data, 0)
    assert result == assembly.ASSEMBLY_WHOLE
    return payload(made.body[: made.octets])


def sync(revision, count, **fields):
    return payload_of_parts([(101, revision, spindle_frames.sync_data(example_tightening(**fields), revision, count))])


def bolts(count, bolt_data=False, **fields):
    result = example_tightening(**fields)
    frames = [(106, 4, spindle_frames.station_data(result, 4, count))]
    if bolt_data:
        for index in range(1, count + 1):
            frames.append((107, 4, spindle_frames.bolt_data(result, 4, index, count)))
    return payload_of_parts(frames, bolt_data)


def objects(*listed, **fields):
    """Return the payload of MID 1201 with these objects: ID, status, type, reference; the tool has a serial number."""
    made = op.OperationResult()
    result = example_tightening(**fields)
    total = len(listed) + 1
    frames = [(1201, message(1201, operation_frames.overall_data(result, 3, total, objects=listed), 3))]
    for index in range(len(listed)):
        data = operation_frames.object_data(
            result, 1, operation_frames.standard_fields(result), total, index + 2, listed[index][0]
        )
        frames.append((1202, message(1202, data)))
    for mid, octets in frames:
        outcome = made.take(octets, 0, len(octets), mid, 3 if mid == 1201 else 1, 0)
    assert outcome == op.PART_WHOLE
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
    telegram = bytes(writer.tx[:end])
    decoded = read(telegram)
    assert (decoded["identifier"], decoded["sequence"]) == (ident, sequence)
    return telegram


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
        for _ in range(400 if LONG else 150 if HAS_ALL else 40):
            octets, length = pool[dice.randrange(len(pool))]
            flag = flags[dice.randrange(len(flags))]
            ident, sequence = 1 + dice.randrange(99999), 1 + dice.randrange(99999)
            wanted = written(writer_of(parameters), octets[:length], flag, ident, sequence)
            assert written(writer, octets[:length], flag, ident, sequence) == wanted
            assert writer.session.result in (None, writer.tx)


def test_sync_figures_with_a_point_are_the_same_in_the_telegram():
    for count in (1, 2):
        data = spindle_frames.sync_data(example_tightening(), 3, count)
        for text, wanted in ((b"8.09  ", "00008.09"), (b"12.345", "00012.34"), (b"9999.9", "09999.90")):
            at = 174 - 20 + (count - 1) * 18 + 6
            odd = data[: 77 - 20] + text + data[83 - 20 : at] + text + data[at + 6 :]
            page = payload_of_parts([(101, 3, odd)])
            writer = ResultWriter(bytearray(RESULT_BYTES), 3, 1)
            octets = writer.write(page, 0, len(page), 0, 42, 17)
            spindle = bytes(writer.tx[84 + (count - 1) * 70 :][:70]).decode()
            assert octets and spindle[27:35] == wanted and bytes(writer.tx[84 + 19 :][:8]).decode() == wanted, text


def test_a_figure_that_the_telegram_has_no_room_for_is_named_beside_the_zero_in_its_place():
    data = spindle_frames.station_data(example_tightening(), 4, 2)
    for text, angle, names in (
        (b"0329909", b"     81", ["torque 0329909"]),
        (b"32990.9", b"     81", []),
        (b"  42.37", b"1234567", ["angle 1234567"]),
        (b"329909 ", b"9999999", ["torque 329909", "angle 9999999"]),
    ):
        odd = data
        for start, figure in ((165 - 20 + 67 + 15, text), (165 - 20 + 67 + 24, angle)):
            odd = odd[:start] + figure + odd[start + 7 :]
        page = payload_of_parts([(106, 4, odd)])
        writer = ResultWriter(bytearray(RESULT_BYTES), 3, 1)
        octets = writer.write(page, 0, len(page), 0, 42, 17)
        parameters = [bytes(writer.tx[at : at + 72]) for at in range(84 + 2 * 70, octets - 1, 72)]
        named = [one[38:63].decode().strip() for one in parameters if one[8:13] == b"60006"]
        assert named == names, (text, named)


NUMBERS = (  # as they came; as telegram 04 has them; what is odd, by the spindle there
    ((b"05", b"06", b"03"), (5, 6, 3), {}),
    ((b"05", b"XX", b"03"), (5, 2, 3), {2: "spindle XX"}),
    ((b"05", b"00", b"03"), (5, 2, 3), {2: "spindle 00"}),
    ((b"05", b"05", b"03"), (5, 2, 3), {2: "spindle 05"}),
    ((b"05", b"  ", b"\0\0"), (5, 2, 3), {2: "no spindle", 3: "no spindle"}),
    ((b" 2", b"02", b"01"), (3, 2, 1), {3: "spindle 2"}),
    ((b"0A", b"1 ", b"--"), (1, 2, 3), {1: "spindle 0A", 2: "spindle 1", 3: "spindle --"}),
    ((b"03", b"01", b"01"), (3, 1, 2), {2: "spindle 01"}),
    ((b"99", b"01", b"99"), (99, 1, 3), {3: "spindle 99"}),
)


def payloads_with(numbers):
    """Return a result of MID 0101 and one of MID 0106 whose spindles have these numbers."""
    result = example_tightening()
    for mid, revision, data, first, width in (
        (101, 3, spindle_frames.sync_data(result, 3, len(numbers)), 174 - 20, 18),
        (106, 4, spindle_frames.station_data(result, 4, len(numbers)), 165 - 20 + 2, 67),
    ):
        for index in range(len(numbers)):
            at = first + index * width
            data = data[:at] + numbers[index] + data[at + 2 :]
        yield payload_of_parts([(mid, revision, data)])


def odd_of(telegram):
    return {
        one["spindle"]: one["value"].strip() for one in read(telegram)["parameters"] if one["parameter_id"] == 60006
    }


def test_a_number_that_is_none_is_named_and_the_others_stay():
    writer = writer_of()
    for numbers, wanted, odd in NUMBERS + NUMBERS[:2]:
        for page in payloads_with(numbers):
            telegram = written(writer, page)
            assert tuple([one["spindle"] for one in read(telegram)["spindles"]]) == wanted, numbers
            assert odd_of(telegram) == odd, numbers
            assert telegram == written(writer_of(), page)
            fields = describe(page_of(page), AT, KIND_RESULT, 0, len(page))
            assert fields.get("odd") == (", ".join([odd[one] for one in wanted if one in odd]) or None)


def test_an_object_without_a_number_of_its_own_is_named_and_the_others_stay():
    page = bytearray(objects((100, 1, 2, 0), (7, 1, 2, 0), (9999, 1, 2, 0)))
    for text, number, words in ((b"0007", 7, None), (b"0100", 2, "spindle 0100"), (b"1X00", 2, "spindle 1X00")):
        row = sp.first_row(page, 0) + sp.row_bytes(page, 0)
        page[row : row + 4] = text
        telegram = written(writer_of(), bytes(page))
        assert [one["spindle"] for one in read(telegram)["spindles"]] == [100, number, 9999]
        assert odd_of(telegram) == ({number: words} if words else {})


def test_a_channel_that_cannot_be_read_is_named():
    data = spindle_frames.sync_data(example_tightening(), 3, 3)
    for text, number, words in (
        (b"03XX", 3, "channel XX"),
        (b"03  ", 3, None),
        (b"0000", 3, "spindle 00"),
        (b"01-1", 3, "spindle 01, channel -1"),
    ):
        at = 174 - 20 + 2 * 18
        page = payload_of_parts([(101, 3, data[:at] + text + data[at + 4 :])])
        telegram = written(writer_of(), page)
        assert [one["spindle"] for one in read(telegram)["spindles"]] == [1, 2, number]
        assert odd_of(telegram) == ({number: words} if words else {})
        assert describe(page_of(page), AT, KIND_RESULT, 0, len(page)).get("odd") == words


def test_what_all_spindles_have_and_cannot_be_read_is_named():
    result = example_tightening()
    sync, station = spindle_frames.sync_data(result, 3, 2), spindle_frames.station_data(result, 4, 2)
    for mid, revision, data, at, text, words in (
        (101, 3, sync, 53, b"X1", "job X1"),
        (101, 3, sync, 57, b"1-1", "program 1-1"),
        (101, 3, sync, 62, b"0x10", "batch size 0x10"),
        (101, 3, sync, 68, b"   ?", "batch counter ?"),
        (101, 3, sync, 77, b"12A456", "torque min 12A456"),
        (101, 3, sync, 115, b"--.--", "angle target --.--"),
        (101, 3, sync, 77, b"      ", None),
        (106, 4, station, 89, b"P1", "program P1"),
        (106, 4, station, 165 + 33, b"    abc", "torque max abc"),
        (106, 4, station, 165 + 33, b"9999999", None),  # its row has it
        (106, 4, station, 165 + 33, b"       ", None),
    ):
        odd = data[: at - 20] + text + data[at - 20 + len(text) :]
        made = assembly.SpindleAssembly()
        made.most = PAYLOAD_WIDE
        octets = message(mid, odd, revision)
        assert made.take(octets, 0, len(octets), mid, revision, False, 0) == assembly.ASSEMBLY_WHOLE
        assert (made.result_code == res.RESULT_ODD) == (words is not None), text
        flags = res.FLAG_ODD if words else 0
        page = payload(made.body[: made.octets])
        assert describe(page, 0, KIND_RESULT, flags, len(page)).get("odd") == words
        assert odd_of(written(writer_of(), page, flags)) == ({0: words} if words else {}), text


def test_a_spindle_without_status_and_number_is_named():
    for numbers, words in (
        ((b"05", b"XX", b"03"), "spindle XX, no status of ?"),
        ((b"05", b"  ", b"03"), "no spindle, no status of ?"),
        ((b"05", b"06", b"03"), "no status of 6"),
    ):
        for octets in payloads_with(numbers):
            page = bytearray(octets)
            row = sp.first_row(page, 0) + sp.row_bytes(page, 0)
            page[row + (2 if sp.form_of(page, 0) == sp.BOLTS else 4)] = 0x20
            assert describe(page, 0, KIND_RESULT, 0, len(page))["odd"] == words


def test_a_status_of_a_spindle_that_is_none_is_named():
    listed = ((5, 1, 2, 0), (6, 1, 2, 0), (3, 1, 2, 0))
    for octets in list(payloads_with((b"05", b"06", b"03"))) + [objects(*listed)]:
        for step, name in ((0, "status"), (1, "torque status"), (2, "angle status")):
            for octet in b"9X-2\1":
                if step and octet == 0x32:
                    continue
                page = bytearray(octets)
                place = sp.first_row(page, 0) + (2 if sp.form_of(page, 0) == sp.BOLTS else 4) + step
                for index in (1, 2):
                    page[place + index * sp.row_bytes(page, 0)] = octet
                words = "%s %s" % (name, chr(octet) if octet > 0x20 else "?")
                telegram = written(writer_of(), bytes(page))
                assert odd_of(telegram) == {6: words, 3: words}
                overall = 0 if step else 1
                assert [one["overall"] for one in read(telegram)["spindles"]][1:] == [overall, overall]
                fields = describe(page_of(page), AT, KIND_RESULT, 0, len(page))
                assert fields["odd"] == words + " of 6 3"
                line = Line(bytearray(2000))
                assert line.put(page, 0, KIND_RESULT, 0, len(page))
                assert json.loads(bytes(line.buf[: line.end]))["odd"] == words + " of 6 3"


def test_every_odd_status_of_a_spindle_has_room():
    page = bytearray(objects((5, 1, 2, 0), (6, 1, 2, 0)))
    row = sp.first_row(page, 0) + sp.row_bytes(page, 0)
    page[row : row + 7] = b"0X00XYZ"
    parameters = read(written(writer_of(), page))["parameters"]
    odd = [one["value"].strip() for one in parameters if one["parameter_id"] == 60006]
    assert odd == ["spindle 0X00", "status X", "torque status Y", "angle status Z"]
    fields = describe(page_of(page), AT, KIND_RESULT, 0, len(page))
    assert fields["odd"] == "spindle 0X00, angle status Z of ?, status X of ?, torque status Y of ?"


def test_a_figure_of_any_object_that_cannot_be_read_is_named():
    octets = objects((5, 1, 2, 0), (6, 1, 2, 0), (3, 1, 2, 0))
    for to, text, words in (
        (7, b"  abc ", "torque abc"),
        (13, b"81/7 ", "angle 81/7"),
        (sp.OBJECT_LIMITS + res.TORQUE_MAX, b"1.2.3 ", "torque max 1.2.3"),
        (sp.OBJECT_LIMITS + res.ANGLE_TARGET, b"XX   ", "angle target XX"),
        (13, b"-0081", ""),
        (13, b"     ", ""),
    ):
        page = bytearray(octets)
        place = sp.first_row(page, 0) + 2 * sp.row_bytes(page, 0) + to
        page[place : place + len(text)] = text
        fields = describe(page_of(page), AT, KIND_RESULT, res.FLAG_ODD, len(page))
        assert fields["odd"] == (words + " of 3" if words else "")
        if words and to < sp.OBJECT_LIMITS:
            assert odd_of(written(writer_of(), page, res.FLAG_ODD))[3] == words
