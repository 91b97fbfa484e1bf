"""One record as one line of JSON, against docs/outlets.schema.json."""

import json
import random
import re
from functools import cache
from pathlib import Path

from toolcart.agent.linux.json_line import line_of, number_in
from toolcart.agent.linux.telegram04 import TargetWriter
from toolcart.agent.openprotocol.operation_result import OperationResult
from toolcart.agent.openprotocol.spindle_assembly import ASSEMBLY_WHOLE, SpindleAssembly
from toolcart.agent.record import KIND_EVENT, KIND_RAW, KIND_RESULT, PAYLOAD_WIDE
from toolcart.agent.record import event as ev
from toolcart.agent.record import result as res
from toolcart.agent.record.json_line import Line
from toolcart.agent.record.malformed import put_in_order
from toolcart.agent.record.text import describe, text_of
from toolcart.agent.toolsnet.result04 import RESULT_BYTES_MAX
from toolcart.sim import operation_frames, spindle_frames
from toolcart.toolsnet.telegrams import take_apart
from host_tests.portable import LONG
from host_tests.support.frames import example_tightening, message
from host_tests.support.log import put_event

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "docs" / "outlets.schema.json").read_text(encoding="utf-8"))


@cache
def validator():
    """What judges by the schema; its import takes two seconds, which each worker would wait for."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(SCHEMA)


def result(limits=False, **fields):
    """The payload of a result with everything in it."""
    body = bytearray(b" " * (res.BODY_BYTES + (res.LIMITS_BYTES if limits else 0)))
    put = {
        res.VIN: b'A"1\\B',
        res.JOB: b"0003",
        res.PSET: b"0012",
        res.BATCH_SIZE: b"0004",
        res.BATCH_COUNTER: b"0000",
        res.BATCH_STATUS: b"1",
        res.TIGHTENING_STATUS: b"1",
        res.TORQUE_STATUS: b"2",
        res.ANGLE_STATUS: b"0",
        res.TORQUE: b"001205",
        res.ANGLE: b"00090",
        res.TIME: bytes.fromhex("20240314092653"),
        res.PSET_CHANGE: b"2024-01-02:03:04:05",
        res.TIGHTENING_ID: b"4294967295",
        res.SERIAL: b"T-77",
    }
    if limits:
        put |= {res.BODY_BYTES + res.TORQUE_MIN: b"001000", res.BODY_BYTES + res.ANGLE_MAX: b"00120"}
    put |= {res.__dict__[name]: value for name, value in fields.items()}
    for at, octets in put.items():
        body[at : at + len(octets)] = octets
    return (17).to_bytes(4, "little") + (1000).to_bytes(2, "little") + bytes([2, 5]) + bytes(body)


def record_of(payload, kind=KIND_RESULT, flags=0):
    line = line_of(b"#" * 3 + payload, 3, kind, flags, len(payload))
    assert line.endswith(b"}\n") and line.count(b"\n") == 1 and line.isascii()
    record = json.loads(line)
    assert number_in(line) == record["number"]
    validator().validate(record)
    is_in_order(record, SCHEMA["$defs"][record["type"]])
    return record


def is_in_order(value, rule):
    """Each object has the fields of the schema, in its order, and no other."""
    if isinstance(value, dict):
        assert list(value) == list(rule["properties"]) == rule["required"] and rule["additionalProperties"] is False
        for name, one in value.items():
            is_in_order(one, rule["properties"][name])
    elif isinstance(value, list):
        for one in value:
            is_in_order(one, rule["items"])


def test_a_result_says_everything_in_its_units():
    record = record_of(result())
    assert record == {
        "schema": 1,
        "type": "result",
        "station": 1000,
        "number": 17,
        "spindle": 2,
        "spindles": None,
        "time": "2024-03-14T09:26:53",
        "time_source": "controller",
        "tightening_id": "4294967295",
        "vin": 'A"1\\B',
        "job": "3",
        "program": "12",
        "batch_size": 4,
        "batch_counter": 0,
        "batch_status": "OK",
        "status": "OK",
        "torque": "12.05",
        "torque_unit": "Nm",
        "torque_status": "high",
        "angle": 90,
        "angle_status": "low",
        "program_changed": "2024-01-02T03:04:05",
        "tool_serial": "T-77",
        "id_epoch": 5,
        "torque_min": None,
        "torque_max": None,
        "torque_target": None,
        "angle_min": None,
        "angle_max": None,
        "angle_target": None,
        "odd": None,
        "identifier_2": None,
        "identifier_3": None,
        "identifier_4": None,
        "fetched": False,
        "again": False,
    }


def test_angles_have_their_decimals_and_numbers_their_signs():
    payload = bytearray(result(limits=True, ANGLE=b"-0905", TORQUE=b"-01205"))
    payload[res.HEAD_BYTES + res.BODY_BYTES + res.ANGLE_DECIMALS] = 0x31
    record = record_of(bytes(payload), flags=res.FLAG_ODD)
    assert (record["angle"], record["angle_max"], record["torque"], record["odd"]) == (-90.5, 12.0, "-12.05", None)


def test_what_no_one_can_read_is_null_and_reported_as_it_came():
    odd = {"TORQUE": b"12x456", "TIGHTENING_STATUS": b"5", "ANGLE_STATUS": b"\xff", "BATCH_STATUS": b"3"}
    record = record_of(result(**odd), flags=res.FLAG_ODD)
    assert record["torque"] is None and record["angle_status"] is None
    assert record["status"] == "NOK" and record["batch_status"] == "running"
    assert record["odd"] == "torque 12x456, status 5, angle status ?"


def test_number_with_a_nul_is_none_for_every_outlet():
    for name, place, width, text in (
        ("torque", res.TORQUE, 6, b"1234\0\0"),
        ("torque", res.TORQUE, 6, b"\0\x001234"),
        ("torque", res.TORQUE, 6, b"12\x00034"),
        ("angle", res.ANGLE, 5, b"50\0\0\0"),
        ("angle", res.ANGLE, 5, b"50  \0"),
        ("program", res.PSET, 4, b"12\0\0"),
        ("job", res.JOB, 4, b"7\0\0\0"),
        ("batch_size", res.BATCH_SIZE, 4, b"6\0\0\0"),
        ("tightening_id", res.TIGHTENING_ID, 10, b"1000\0\0\0\0\0\0"),
        ("torque_max", res.BODY_BYTES + res.TORQUE_MAX, 6, b"1500\0\0"),
    ):
        payload = bytearray(result(limits=True))
        payload[8 + place : 8 + place + width] = text
        assert record_of(bytes(payload), flags=res.FLAG_ODD)[name] is None, (name, text)
        words = describe(payload, 0, KIND_RESULT, res.FLAG_ODD, len(payload))
        assert words.get(name, "") == "" and words["odd"], (name, text)
        put_in_order(payload, len(payload))  # what ToolsNet is sent
        assert not payload[8 + place : 8 + place + width].strip(), (name, text)


def test_what_is_absent_is_null_and_time_of_the_agent_says_so():
    blank = dict.fromkeys(("VIN",), b" " * 30)
    payload = bytearray(result(**blank))
    payload[res.HEAD_BYTES :] = b" " * res.BODY_BYTES
    payload[res.HEAD_BYTES + res.TIME : res.HEAD_BYTES + res.TIME + 7] = bytes(7)
    record = record_of(bytes(payload), flags=res.FLAG_EDGE_TIME)
    assert record["status"] == "NOK" and record["time_source"] == "agent"
    for name in ("time", "tightening_id", "vin", "job", "program", "torque", "angle", "batch_size", "program_changed"):
        assert record[name] is None, name


def several(read, octets, *more):
    """The line's spindles of what `read` makes of these messages."""
    for frame in (octets, *more):
        mid, revision = int(frame[4:8]), int(frame[8:11])
        arguments = (mid, revision, True, 0) if hasattr(read, "head") else (mid, revision, 0)
        read.take(frame, 0, len(frame), *arguments)
    octets = len(read.body) if not hasattr(read, "octets") else read.octets
    return record_of(bytes(res.HEAD_BYTES) + bytes(read.body[:octets]))


def test_objects_say_what_they_are_and_what_they_refer_to():
    made, operation = example_tightening(), OperationResult()
    objects = ((100, 1, 4, 1), (1, 0, 2, 0))
    parts = [
        message(
            1202, operation_frames.object_data(made, 1, operation_frames.standard_fields(made), 3, number, ident), 1
        )
        for number, ident in ((2, 100), (3, 1))
    ]
    octets = message(1201, operation_frames.overall_data(made, 3, 3, objects=objects), 3)
    record = several(operation, octets, *parts)
    assert record["odd"] is None and record["torque"] == "42.37" and record["status"] == "NOK"
    record = record["spindles"]
    assert record["told"] == 2 and record["special"] == [] and record["pm_status"] is None
    assert [(one["spindle"], one["status"], one["torque"], one["angle"]) for one in record["each"]] == [
        (100, "OK", "42.37", 95),
        (1, "NOK", "42.37", 95),
    ]
    kinds = [(one["object_type"], one["reference_object"], one["bolt"], one["channel"]) for one in record["each"]]
    assert kinds == [("joint check", 1, None, None), ("tightening", None, None, None)]


def test_more_objects_than_two_digits_hold_are_reported():
    for count in (99, 100, 250):
        made, operation = example_tightening(), OperationResult()
        objects = tuple([(number, 1, 2, 0) for number in range(1, count + 1)])
        octets = message(1201, operation_frames.overall_data(made, 1, 2, objects=objects), 1)
        fields = operation_frames.standard_fields(made)
        line_fields = several(
            operation, octets, message(1202, operation_frames.object_data(made, 1, fields, 2, 2, 1), 1)
        )
        spindles = line_fields["spindles"]
        assert spindles["told"] == count and spindles["job_sequence"] is None and len(spindles["each"]) == 1
        page = bytes(res.HEAD_BYTES) + bytes(operation.body)
        writer = TargetWriter(bytearray(RESULT_BYTES_MAX), 3, 1)
        octets = writer.write(page, 0, len(page), 0, 42, 17)
        record = take_apart(bytes(writer.tx[4:octets]))[0]["parameters"]
        values = {one["parameter_id"]: one["value"].strip() for one in record}
        assert values[60007] == str(count) and 1501 not in values


def test_a_frame_that_no_one_could_read_is_there_octet_by_octet():
    frame = bytes(range(256))
    record = record_of(result()[: res.HEAD_BYTES] + frame, KIND_RAW, res.FLAG_TRUNCATED)
    assert record["frame"].encode("latin-1") == frame and record["cut_short"]


def test_an_event_says_what_happened():
    page = bytearray(100)
    length = put_event(page, 0, ev.ALARM, code=b"E404", text=b"Tool hot", controller=0x31)
    record = record_of(bytes(page[:length]), KIND_EVENT)
    assert (record["type"], record["event"], record["code"], record["text"]) == ("event", "alarm", "E404", "Tool hot")
    assert (record["controller_ready"], record["tool_ready"], record["time"]) == (True, None, None)


def test_the_document_has_a_row_for_every_field():
    text = (ROOT / "docs" / "outlets.md").read_text(encoding="utf-8")
    for shape in SCHEMA["$defs"].values():
        for name in shape["properties"]:
            assert f"| `{name}` |" in text, name


def test_the_number_of_what_is_no_line_is_none():
    assert number_in(b"") == number_in(b'{"number":x}') == 0


NUMBERS = (
    b"00120",
    b"     ",
    b"00000",
    b"-0120",
    b"99999",
    b"12.50",
    b"--5 0",
    b"\0\0\0\0\0",
    b"1.2.3",
    b"    5",
    b".5   ",
)


def generated(dice):
    """A payload with anything in it, its flags and what each number of it is as it came."""
    payload = bytearray(result(limits=dice.random() < 0.5))
    for place, width in ((res.TORQUE, 6), (res.ANGLE, 5), (res.BATCH_SIZE, 4), (res.TIGHTENING_ID, 10), (res.JOB, 4)):
        payload[8 + place : 8 + place + width] = (dice.choice(NUMBERS) * 2)[:width]
    for place in (res.BATCH_STATUS, res.TIGHTENING_STATUS, res.TORQUE_STATUS, res.ANGLE_STATUS):
        payload[8 + place] = dice.choice(b"0123 9x")
    payload[8 + res.SERIAL : 8 + res.SERIAL + 14] = bytes(dice.choice(b'A "\\\0\x80z') for _ in range(14))
    payload[8 + res.TIME : 8 + res.TIME + 7] = dice.choice((b" $\x03\x14\x09\x26\x53", bytes(7)))
    if len(payload) > 150:
        for place in (res.ANGLE_MIN, res.ANGLE_TARGET):
            payload[114 + place : 114 + place + 5] = dice.choice(NUMBERS)
        payload[114 + res.TORQUE_UNIT] = dice.choice(b"0123456789 ")
        payload[114 + res.ANGLE_DECIMALS] = dice.choice(b" 0124")
    return payload, dice.choice((0, res.FLAG_ODD, res.FLAG_ODD | res.FLAG_RECOVERED, res.FLAG_RETRIED))


def is_number(payload, at, width):
    return re.fullmatch(rb" *-?\d+ *", bytes(payload[at : at + width])) is not None


def test_any_record_is_a_line_that_boards_write_the_same():
    dice = random.Random(32)
    plain = Line(bytearray(4096))
    for _ in range(3000 if LONG else 600):
        payload, flags = generated(dice)
        line = line_of(payload, 0, KIND_RESULT, flags, len(payload))
        plain.end = 0
        assert plain.put(payload, 0, KIND_RESULT, flags, len(payload)) and bytes(plain.buf[: plain.end]) == line
        record, words = json.loads(line), describe(payload, 0, KIND_RESULT, flags, len(payload))
        ident = words["tightening_id"]
        assert record["tightening_id"] == (ident if ident.isdigit() else None)
        assert record["torque_unit"] == words["unit"]
        assert record["odd"] == (words.get("odd") or None) and record["status"] == words["status"]
        assert record["batch_status"] == (words["batch_status"] if len(words["batch_status"]) > 1 else None)
        is_figure = is_number(payload, 8 + res.TORQUE, 6)
        assert record["torque"] == (words["torque"] if is_figure else None)
        is_figure = is_number(payload, 8 + res.ANGLE, 5)
        assert record["angle"] == (float(words["angle"]) if is_figure else None)
        assert record["tool_serial"] == (text_of(payload, 8 + res.SERIAL, 14) or None)
        assert json.dumps(json.loads(line), separators=(",", ":")).encode() + b"\n" == line


def test_a_time_of_an_unset_clock_is_said_to_be_that():
    for year, source in (
        (b"\x19\x70", "agent, clock unset"),
        (b"\x20\x23", "agent, clock unset"),
        (b"\x20\x24", "agent"),
    ):
        payload = bytearray(result())
        payload[res.HEAD_BYTES + res.TIME : res.HEAD_BYTES + res.TIME + 2] = year
        assert record_of(bytes(payload), flags=res.FLAG_EDGE_TIME)["time_source"] == source
        assert record_of(bytes(payload))["time_source"] == "controller"


def test_number_that_is_none_is_null_however_it_looks():
    texts = b"1.2.34 000-95 5-5555 -.5--- 1.-234 -1.2.3 000.-1 99999. 1234.5 12,345"
    for text in texts.split():
        record = record_of(result(TORQUE=text), flags=res.FLAG_ODD)
        assert (record["torque"], record["odd"]) == (None, "torque " + text.decode())
    for text in (b"1.2.3", b"00-95", b"9999.", b"1.-23"):
        record = record_of(result(ANGLE=text), flags=res.FLAG_ODD)
        assert (record["angle"], record["odd"]) == (None, "angle " + text.decode())
    for text in (b"12 34     ", b"0000012.50", b"-000000012", b"ABC0000012"):
        record = record_of(result(TIGHTENING_ID=text), flags=res.FLAG_ODD)
        assert (record["tightening_id"], record["odd"]) == (None, "ID " + text.decode().strip())
    record = record_of(result(JOB=b"1.5 ", PSET=b"1 2 "), flags=res.FLAG_ODD)
    assert (record["job"], record["program"], record["odd"]) == (None, None, "job 1.5, program 1 2")


def test_program_change_that_is_no_time_is_null_and_odd_unless_it_says_never():
    for text in (
        b"20x0-05-12:07:34:57",
        b"2020/05/12:07:34:57",
        b"2020-13-45:07:34:57",
        b"2020-02-30:07:34:57",
        b"2020-05-12:25:61:61",
        b"2020-05-12 07:34:57",
        b"2020-05-12T07:34:57",
        b"9999999999999999999",
        b"Last Change 2020   ",
        b"0000-00-00:00:00:01",
    ):
        payload = result(PSET_CHANGE=text)
        record = record_of(payload)
        assert (record["program_changed"], record["odd"]) == (None, "program changed " + text.decode().strip())
        assert describe(payload, 0, KIND_RESULT, 0, len(payload))["odd"] == record["odd"]
    for text in (b"0000-00-00:00:00:00", b"0" * 19, b"-" * 19, b" " * 19, bytes(19), b"Last Change Unknown"):
        record = record_of(result(PSET_CHANGE=text))
        assert (record["program_changed"], record["odd"]) == (None, None), text


def test_no_torque_is_said_of_a_blank_one_alone():
    data = spindle_frames.station_data(example_tightening(), 4, 2)
    for text, wanted, torque, row in (
        (b"0329909", "torque 3299..", None, "329909"),
        (b"32990.9", "torque 3299..", None, "32990.9"),
        (b"  42.37", None, "42.37", "42.37"),
        (b"       ", "no torque", None, None),
    ):
        read = SpindleAssembly()
        read.most = PAYLOAD_WIDE
        odd = message(106, data[:160] + text + data[167:], 4)
        assert read.take(odd, 0, len(odd), 106, 4, False, 0) == ASSEMBLY_WHOLE
        flags = res.FLAG_ODD if read.result_code == res.RESULT_ODD else 0
        record = record_of(bytes(res.HEAD_BYTES) + bytes(read.body[: read.octets]), flags=flags)
        assert (record["odd"], record["torque"], record["spindles"]["each"][0]["torque"]) == (wanted, torque, row), text
