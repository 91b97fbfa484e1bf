"""A line becomes the rows that ToolsNet's telegram of the same record becomes; the agent's own writers judge it."""

import json

import pytest
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
from host_tests.archive.batches import line as good_line
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
    fields = lines.result_of(line, PLACE)
    assert fields["breaches"] == []
    results, vins, parameters = rows_of({**fields, "sequence": 17})
    # What is unknown is zeros in a telegram, which cannot say so (toolcart.agent.toolsnet.result04, rules 3 and 8).
    results = [(*row[:12], *[0.0 if one is None else one for one in row[12:19]], *row[19:]) for row in results]
    without_time = [row for row in parameters if row[3] == 60006 and "no time" in row[5]]
    assert bool(without_time) == (line["time"] is None and len(line["odd"] or "") <= 16)
    for row in without_time:
        parameters.remove(row)
        rest = row[5].removesuffix("no time").removesuffix(", ")
        parameters += [(*row[:5], rest, *row[6:])] if rest else []
    return results, vins, sorted(parameters)


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


NUMBERS = (  # of the rows, as they came; in the line; in the database, by either way; what is odd
    ((b"05", b"06", b"03"), [5, 6, 3], [5, 6, 3], None),
    ((b"05", b"XX", b"03"), [5, None, 3], [5, 2, 3], "spindle XX"),
    ((b"05", b"00", b"03"), [5, 0, 3], [5, 2, 3], "spindle 00"),
    ((b"05", b"05", b"03"), [5, 5, 3], [5, 2, 3], "spindle 05"),
    ((b"XX", b"  ", b"01"), [None, None, 1], [2, 3, 1], "spindle XX, no spindle"),
    ((b"02", b"0A", b"0A"), [2, None, None], [2, 1, 3], "spindle 0A, spindle 0A"),
)


@pytest.mark.parametrize("numbers, in_line, stored, odd", NUMBERS, ids=[repr(row[0]) for row in NUMBERS])
def test_a_spindle_whose_number_is_none_is_the_same_by_either_way(numbers, in_line, stored, odd):
    """A result that comes both ways is one by its first spindle."""
    tightening = example_tightening()
    for mid, revision, data, first, width in (
        (101, 3, spindle_frames.sync_data(tightening, 3, 3), 174 - 20, 18),
        (106, 4, spindle_frames.station_data(tightening, 4, 3), 165 - 20 + 2, 67),
    ):
        for index, octets in enumerate(numbers):
            at = first + index * width
            data = data[:at] + octets + data[at + 2 :]
        assembly = WideSpindleAssembly()
        assembly.most = PAYLOAD_WIDE
        payload = of(assembly, message(mid, data, revision))
        line = json.loads(line_of(bytes(payload), 0, KIND_RESULT, 0, len(payload)))
        assert ([one["spindle"] for one in line["spindles"]["each"]], line["odd"]) == (in_line, odd)
        assert by_line(payload)[0] == by_telegram(payload)[0]
        assert [row[8] for row in by_line(payload)[0]] == stored
        told = [row[5] for row in by_line(payload)[2] if row[3] == 60006]
        assert told == ([odd[:25]] if odd else [])


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
    assert lines.curve_of({**line, "unit": None}, PLACE)["factor_nom"] == curve["factor_nom"] // 100


# -- what cannot be read -------------------------------------------------------------------------------------------

NO_NUMBERS = (
    "12,34",
    "NaN",
    "1e400",
    "1e2",
    "Infinity",
    "text",
    "--1",
    "1.2.3",
    "9" * 20,
    "9" * 5000,
    True,
    False,
    [],
    {},
)
NUMBER_COLUMNS = {"torque_min": 12, "torque": 13, "torque_max": 14, "angle_min": 16, "angle": 17, "angle_max": 18}


def read_odd(**fields):
    """Its row, its parameters by ID, and the fields that are said to be unreadable."""
    read_fields = lines.result_of({**good_line(1), **fields}, PLACE)
    results, _, parameters = rows.result_rows({**read_fields, "sequence": 17}, 1, "", False)
    return results[0], {row[4]: row[6] for row in parameters}, [one.field for one in read_fields["breaches"]]


@pytest.mark.parametrize("name", list(NUMBER_COLUMNS))
@pytest.mark.parametrize("value", [*NO_NUMBERS, 1e300, -1e300, 10**30], ids=lambda value: repr(value)[:12])
def test_a_number_that_cannot_be_read_is_unknown_and_said_so(name, value):
    row, parameters, unread = read_odd(**{name: value})
    assert row[NUMBER_COLUMNS[name]] is None and unread == [name]
    assert parameters[60006].startswith(f"{name} ")
    several = {"told": 1, "each": [{"spindle": 1, "status": "OK", "torque": "1.5", "angle": 2, name: value}]}
    row, parameters, unread = read_odd(spindles=several)
    assert row[NUMBER_COLUMNS[name]] is None and unread == [f"spindles.each[0].{name}"]
    assert parameters[60006].startswith(f"{name} ")


@pytest.mark.parametrize("name", list(NUMBER_COLUMNS))
def test_a_number_that_is_absent_is_unknown(name):
    row, parameters, unread = read_odd(**{name: None})
    assert row[NUMBER_COLUMNS[name]] is None and unread == [] and 60006 not in parameters


@pytest.mark.parametrize(
    ("value", "is_read_as"), [(" 12.5 ", 12.5), ("+3", 3.0), (".5", 0.5), ("7.", 7.0), ("-3.00", -3.0), (1e-7, 1e-7)]
)
def test_a_number_is_read_in_any_form_that_a_telegram_may_have(value, is_read_as):
    row, _, unread = read_odd(torque=value)
    assert row[13] == is_read_as and unread == []


@pytest.mark.parametrize("unit", ["lbf", "nm", "", None, 5, []])
def test_a_torque_in_a_unit_that_is_unknown_is_no_torque_in_nm(unit):
    row, parameters, unread = read_odd(torque_unit=unit, torque_min="40.00", torque_max="45.00", torque_target="42.00")
    assert row[12:15] == (None, None, None) and row[17] == 95.0 and unread == ["torque_unit"]
    assert "torque_unit" in parameters[60006] and 2000 not in parameters


def test_a_torque_in_another_unit_is_rounded_as_in_a_telegram():
    for torque, unit, wanted in (("7.39", "lbf.ft", 10.02), ("-7.39", "lbf.ft", -10.02), ("0.50", "Ncm", 0.01)):
        row, _, unread = read_odd(torque=torque, torque_unit=unit)
        assert row[13] == wanted and unread == [], unit


def test_a_torque_that_is_too_large_in_nm_is_unknown():
    row, _, unread = read_odd(torque="999999999", torque_unit="kpm")
    assert row[13] is None and unread == ["torque"]


@pytest.mark.parametrize("value", ["ok", "WAT", 1, True, 0, [], {}])
def test_a_judgement_that_cannot_be_read_is_never_ok(value):
    row, _, unread = read_odd(status=value)
    assert row[11] == 1 and unread == ["status"]
    row, _, unread = read_odd(torque_status=value, angle_status=value)
    assert (row[11], row[15], row[19]) == (0, None, None) and unread == ["torque_status", "angle_status"]
    assert read_odd(status=None)[0][11] == 1 and read_odd(status=None)[2] == ["status"]


@pytest.mark.parametrize("value", ["x", -1, True, 1.5, [], "1e2", 2**40])
def test_a_program_that_cannot_be_read_is_none(value):
    row, _, unread = read_odd(program=value)
    assert row[10] == 0 and unread == ["program"]


@pytest.mark.parametrize(
    ("name", "ident"),
    [("job", 1500), ("batch_size", 100), ("batch_counter", 101), ("batch_status", 102), ("fetched", 60001)],
)
def test_a_parameter_that_cannot_be_read_is_left_out_and_said_so(name, ident):
    good = {"job": "7", "batch_size": 3, "batch_counter": 2, "batch_status": "OK"}
    assert ident in read_odd(**good)[1]
    _, parameters, unread = read_odd(**{**good, name: 1.5})
    assert ident not in parameters and unread == [name] and parameters[60006] == f"{name} 1.5"


@pytest.mark.parametrize("name", ["vin", "tightening_id", "tool_serial", "identifier_2", "program_changed", "odd"])
@pytest.mark.parametrize("value", [5, True, [], {}])
def test_a_text_that_is_none_is_blank_and_said_so(name, value):
    assert read_odd(**{name: value})[2] == [name]


def test_an_id_that_is_too_long_is_none():
    row, parameters, unread = read_odd(tightening_id="9" * 40)
    assert row[21] is None and 30 not in parameters and unread == ["tightening_id"]


def test_what_the_station_found_odd_stands_in_front():
    assert read_odd(odd="status 5", torque="12,34")[1][60006] == "status 5, torque 12,34"


@pytest.mark.parametrize(
    "value", ["x", "", "2026-13-45T00:00:00", "2026-02-29T00:00:00", "2026-01-01T24:00:00", 5, True, []]
)
def test_a_result_whose_time_cannot_be_read_is_kept_as_it_came(value):
    kept = lines.record_of({**good_line(1), "time": value}, PLACE)
    assert isinstance(kept, str) and json.loads(kept)["time"] == value and json.loads(kept)["torque"] == "42.37"


@pytest.mark.parametrize("value", ["x", None, 0, -1, 99999, 2**40, True, 1.5, []])
def test_a_result_whose_spindle_cannot_be_read_is_kept_as_it_came(value):
    assert isinstance(lines.record_of({**good_line(1), "spindle": value}, PLACE), str)


@pytest.mark.parametrize("several", ["x", 5, {"each": 5}, {"each": [5]}, {"each": [{"spindle": "x", "status": "OK"}]}])
def test_a_result_whose_spindles_cannot_be_read_is_kept_as_it_came(several):
    """It would be shown as the result of one spindle otherwise, or of fewer."""
    assert isinstance(lines.record_of({**good_line(1), "spindles": several}, PLACE), str)


def test_a_result_without_a_time_says_so():
    row, parameters, unread = read_odd(time=None)
    assert (row[5], parameters[60006], unread) == (lines.NO_TIME, "no time", [])


def test_several_spindles_say_each_what_could_not_be_read_of_it():
    each = [
        {"spindle": number, "status": "OK", "torque": torque, "angle": 5} for number, torque in ((4, "1.5"), (7, "x"))
    ]
    fields = lines.result_of({**good_line(1), "spindles": {"told": 2, "each": each}}, PLACE)
    assert [spindle["torque"] for spindle in fields["spindles"]] == ["1.5", ""]
    odd = [(one["spindle"], one["value"]) for one in fields["parameters"] if one["parameter_id"] == 60006]
    assert odd == [(7, "torque x")]


EVENT = {"schema": 1, "type": "event", "station": 7, "number": 3, "event": "alarm", "code": "E404", "text": "hot"}
CURVE = {
    "schema": 1,
    "type": "graph",
    "station": 7,
    "number": 1,
    "result": 2,
    "curve": "torque",
    "unit": "Nm",
    "spindle": 1,
    "program": "12",
    "samples": [1, 2],
    "steps": [[2, 1]],
    "numerator": 1,
    "denominator": 1,
}


def test_an_event_has_nothing_in_place_of_what_cannot_be_read():
    names = ("text", "controller_ready", "batch_size", "count", "first_id", "job_status")
    event = lines.event_of({**EVENT, **dict.fromkeys(names, 1.5)}, PLACE)
    assert {one.field for one in event["breaches"]} == set(names)
    assert [one["parameter_id"] for one in event["parameters"]] == [1]
    for wrong in ({"time": "2026-13-45T00:00:00"}, {"time": 5}, {"number": True}, {"number": None}):
        with pytest.raises(lines.Unreadable):
            lines.event_of({**EVENT, **wrong}, PLACE)


@pytest.mark.parametrize(
    "wrong",
    [
        *[{name: value} for name in ("numerator", "denominator") for value in ("x", True, 0, 1.5)],
        *[{"steps": value} for value in ("x", [[2, True]], [[2, "x"]], [[2, -1]], [["x", 1]], [2], [[2, 1e300]])],
        *[{"unit": value} for value in ("furlong", 5, [])],
        *[{"samples": value} for value in ("x", [True], [40000], [1.5])],
        *[{name: "x"} for name in ("result", "spindle", "result_time", "samples")],
        {"curve": 5},
        {"spindle": True},
    ],
    ids=str,
)
def test_a_curve_whose_scale_or_place_cannot_be_read_is_none(wrong):
    with pytest.raises(lines.Unreadable):
        lines.curve_of({**CURVE, **wrong}, PLACE)


def test_a_curve_without_readable_limits_has_none():
    curve = lines.curve_of({**CURVE, "low": "1,5", "high": True, "program": "x"}, PLACE)
    assert rows.graph_row(curve, 1, "")[13:15] == (None, None) and curve["program"] == 0
    assert [one.field for one in curve["breaches"]] == ["program", "low", "high"]
