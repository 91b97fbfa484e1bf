"""A line becomes the rows that ToolsNet's telegram of the same record becomes; the agent's own writers judge it."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from toolcart.agent.linux import telegram09
from toolcart.agent.linux.json_line import line_of
from toolcart.agent.linux.special_values import WideSpindleAssembly
from toolcart.agent.linux.telegram04 import TargetWriter
from toolcart.agent.openprotocol.operation_result import OperationResult
from toolcart.agent.record import KIND_EVENT, KIND_RAW, KIND_RESULT, PAYLOAD_WIDE
from toolcart.agent.record import event as ev
from toolcart.agent.record import result as res
from toolcart.agent.toolsnet.result04 import RESULT_BYTES_MAX
from toolcart.archive.consume import lines
from toolcart.archive.database import unescaping
from toolcart.archive.server.reader import read
from toolcart.sim import operation_frames, spindle_frames
from toolcart.toolsnet import rows
from host_tests.agent.record.test_line import result
from host_tests.support.frames import example_tightening, message
from host_tests.support.log import put_event

PLACE = (3, 1, 1000)
RESULT_TYPE = 60005  # no line has it
NEVER = settings(deadline=None, max_examples=150, database=None)


class _Buffer:
    result = None


def by_telegram(payload, flags=0):
    """The rows of what ToolsNet is sent."""
    writer = TargetWriter(bytearray(RESULT_BYTES_MAX), *PLACE[:2])
    writer.session = _Buffer()
    octets = writer.write(bytearray(payload), 0, len(payload), flags, 1, 17)
    telegram = bytes(writer.tx[4:octets])
    fields, breaches = read(telegram)
    unescaping.restore(fields, telegram)
    assert [str(one) for one in breaches if "time" not in one.field and "spindle" not in one.field] == []
    fields["time"] = fields["time"] if fields["time"].strip("0 ") else lines.NO_TIME
    return rows_of(fields)


def by_line(payload, flags=0):
    """The rows of what an outlet's line says."""
    line = json.loads(line_of(bytes(payload), 0, KIND_RESULT, flags, len(payload)))
    return rows_of({**lines.result_of(line, PLACE), "sequence": 17})


def rows_of(fields):
    results, vins, parameters = rows.result_rows(fields, 1, "", False)
    parameters_sent = [row for row in parameters if row[4] != RESULT_TYPE]
    # But for their place: a telegram has them in another order than a line.
    stripped = [
        tuple(one.strip() if isinstance(one, str) else one for one in (row[0], *row[2:])) for row in parameters_sent
    ]
    return results, sorted(vins), sorted(stripped)


def digits(width):
    return st.integers(0, 10**width - 1).map(lambda number: b"%0*d" % (width, number)) | st.just(b" " * width)


def one_of(octets):
    return st.sampled_from([bytes([octet]) for octet in octets])


WORDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=14)
PLATES = st.text("Lä~\u8f66E4 ", max_size=12).flatmap(
    lambda text: st.sampled_from([text.encode()[:25], text.encode("gbk", "replace")])
)
FIELDS = st.fixed_dictionaries(
    {
        "VIN": (WORDS.map(str.encode) | PLATES | st.binary(max_size=25)).map(lambda octets: octets.ljust(25)),
        "JOB": digits(4),
        "PSET": digits(4),
        "BATCH_SIZE": digits(4),
        "BATCH_COUNTER": digits(4),
        "BATCH_STATUS": one_of(b"0123 "),
        "TIGHTENING_STATUS": one_of(b"01"),
        "TORQUE_STATUS": one_of(b"012 "),
        "ANGLE_STATUS": one_of(b"012 "),
        "TORQUE": digits(6),
        "ANGLE": digits(5),
        "TIME": st.sampled_from([bytes(7), bytes.fromhex("20240314092653"), bytes.fromhex("20991231235959")]),
        "TIGHTENING_ID": digits(10),
        "SERIAL": WORDS.map(lambda text: text.replace("~", "").encode().ljust(14)),
        "PSET_CHANGE": st.sampled_from([b" " * 19, b"2024-01-02:03:04:05"]),
    }
)
LIMITS = st.fixed_dictionaries(
    {
        res.TORQUE_MIN: digits(6),
        res.TORQUE_MAX: digits(6),
        res.TORQUE_TARGET: digits(6),
        res.ANGLE_MIN: digits(5),
        res.ANGLE_MAX: digits(5),
        res.ANGLE_TARGET: digits(5),
        res.TORQUE_UNIT: one_of(b"12345678 "),
    }
)


@NEVER
@given(FIELDS, st.none() | LIMITS, st.sampled_from([0, res.FLAG_RECOVERED, res.FLAG_EDGE_TIME]))
def test_a_result_is_the_same_rows_by_either_way(fields, limits, flags):
    payload = bytearray(result(limits=limits is not None, **fields))
    for place, octets in (limits or {}).items():
        at = res.HEAD_BYTES + res.BODY_BYTES + place
        payload[at : at + len(octets)] = octets
    assert by_line(payload, flags) == by_telegram(payload, flags)


def test_what_is_odd_is_the_same_and_signs_and_decimals_stay():
    payload = bytearray(result(limits=True, ANGLE=b"-0905", TORQUE=b"-01205", ANGLE_STATUS=b"9"))
    payload[res.HEAD_BYTES + res.BODY_BYTES + res.ANGLE_DECIMALS] = 0x31
    assert by_line(payload, res.FLAG_ODD) == by_telegram(payload, res.FLAG_ODD)
    row = by_line(payload, res.FLAG_ODD)[0][0]
    assert (row[13], row[17]) == (-12.05, -90.5)


def of(read_in, *frames):
    """The payload of what is read out of these messages."""
    for frame in frames:
        mid, revision = int(frame[4:8]), int(frame[8:11])
        arguments = (mid, revision, True, 0) if hasattr(read_in, "head") else (mid, revision, 0)
        read_in.take(frame, 0, len(frame), *arguments)
    octets = getattr(read_in, "octets", len(read_in.body))
    return (17).to_bytes(4, "little") + (1000).to_bytes(2, "little") + bytes([2, 5]) + bytes(read_in.body[:octets])


def test_several_spindles_bolts_and_what_the_plant_has_named():
    tightening, assembly = example_tightening(), WideSpindleAssembly()
    assembly.most = PAYLOAD_WIDE
    bolts = [message(107, spindle_frames.bolt_data(tightening, 4, index, 2), 4) for index in (1, 2)]
    payload = of(assembly, message(106, spindle_frames.station_data(tightening, 4, 2), 4), *bolts)
    assert by_line(payload) == by_telegram(payload)
    assert len(by_line(payload)[0]) == 2 and any("Anna" in row for row in by_line(payload)[2])


def test_objects_with_what_they_refer_to():
    tightening, operation = example_tightening(), OperationResult()
    objects = ((100, 1, 4, 1), (1, 0, 2, 0))
    parts = [
        message(
            1202,
            operation_frames.object_data(tightening, 1, operation_frames.standard_fields(tightening), 3, number, ident),
            1,
        )
        for number, ident in ((2, 100), (3, 1))
    ]
    payload = of(operation, message(1201, operation_frames.overall_data(tightening, 3, 3, objects=objects), 3), *parts)
    assert by_line(payload) == by_telegram(payload)
    assert [row[8] for row in by_line(payload)[0]] == [100, 1]


def test_an_alarm_is_the_same_event_by_either_way():
    page = bytearray(200)
    text, time = b"The tool is hot and has to rest for a while", b"2024-03-14:09:26:53"
    length = put_event(page, 0, ev.ALARM, 3, 1000, b"E404", text, time, 0x31, 0x30)
    fields, breaches = read(telegram09.write(page, 0, *PLACE[:2], 1, 3)[4:])
    assert not breaches
    line = json.loads(line_of(bytes(page), 0, KIND_EVENT, 0, length))
    theirs, ours = (rows.event_rows(one, 1, "") for one in (fields, lines.event_of(line, PLACE)))
    assert ours[0] == theirs[0]
    assert [(*row[:3], row[3].strip()) for row in ours[1]] == [(*row[:3], row[3].strip()) for row in theirs[1]]


def test_frame_is_shown_octet_by_octet_and_has_nothing_that_database_refuses():
    payload = result()[: res.HEAD_BYTES] + b"0012\x00\x1bA\\\xff"
    line = json.loads(line_of(payload, 0, KIND_RAW, 0, len(payload)))
    assert lines.frame_text(line) == "0012\\x00\\x1bA\\\\xff"


def test_a_curve_has_its_samples_scale_and_steps():
    line = {
        "station": 1000,
        "curve": "torque",
        "result": 17,
        "result_time": "2024-03-14T09:26:53",
        "spindle": 2,
        "program": "12",
        "unit": "cNm",
        "low": "40.0",
        "high": None,
        "numerator": 1,
        "denominator": 10,
        "steps": [[4, 2]],
        "samples": [0, 1, -1, 300],
    }
    curve = lines.curve_of(line, PLACE)
    assert (curve["graph_type"], curve["factor_dom"], curve["factor_nom"], curve["sample_ms"]) == (0, 1, 1000, "2.0")
    assert curve["samples"] == bytes.fromhex("00000001ffff012c") and curve["sequence"] == 17
    assert rows.graph_row(curve, 1, "")[13:17] == (40.0, None, 0.0, 2.0)
    assert lines.curve_of({**line, "curve": "current"}, PLACE) is None
    assert lines.curve_of({**line, "result": None}, PLACE) is None
    assert lines.curve_of({**line, "unit": []}, PLACE)["factor_nom"] == curve["factor_nom"] // 100
