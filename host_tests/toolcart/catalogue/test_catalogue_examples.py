"""The example telegrams of the documents, read as they stand there; and the agent's own readers, field by field."""

import random

from toolcart import catalogue
from toolcart.agent.openprotocol.controller_identity import (
    IDENTITY_BYTES,
    TOOL_BYTES,
    read_identity,
    read_tool,
)
from toolcart.agent.openprotocol.header import SPINDLE, place_of, revision_of, sequence_of
from toolcart.agent.openprotocol.layouts import layout_of, read_limits, read_result
from toolcart.agent.openprotocol.light_result import read_light
from toolcart.agent.record import result as res
from toolcart.catalogue import FrameError, Odd
from toolcart.codec.examples import BUILT, DOCUMENTED, example, frame_of
from host_tests.portable import error_of
from host_tests.support.frames import EXAMPLE, fetched, pushed

PORTABLE = True
HEAP = "4m"

# What the text around them says, by the line of document 003.
WANTED = {
    3091: {"controller_name": "Airbag1", "channel_id": 1},
    3255: {"failed_mid": 18, "error_code": 2},
    3499: {"mid_accepted": 18},
    3571: {"extra_length": 39},
    3632: {"pset_ids": [1, 2]},
    3683: {"pset_id": 1},
    3704: {"pset_name": "Airbag1", "torque_max": 1500, "angle_target": 480, "batch_size": 3, "rotation": 1},
    4659: {"job_ids": [1, 2]},
    4700: {"job_id": 1},
    4973: {"batch_size": 8, "batch_counter": 3, "time": "2001-12-01:20:12:45", "job_status": 0},
    5270: {"job_id": 1},
    5299: {"tool_serial": "C341212", "tightenings": 548796, "controller_serial": "670919"},
    5467: {"calibration_unit": 1, "calibration_value": 3550},
    5496: {"primary_tool": 1},
    5711: {"torque": 739, "tightening_id": 345675, "batch_status": 1, "torque_target": 1200, "angle_max": 9999},
    6565: {"tightening_id": 456789, "vin": "AIRBAG", "torque": 1467, "angle": 46, "batch_status": 2},
    7445: {"error_code": "E404", "controller_ready": 1, "tool_ready": 1},
    7530: {"error_code": "E406"},
    7551: {"alarm_active": 1, "error_code": "E404"},
    7686: {"sync_status": 1, "sync_tightening_id": 12, "spindle_count": 2},
    9611: {"relays": [0, 1, 0, 2, 3, 0, 1, 2, 3, 0]},
    9690: {"inputs": [0, 0, 1, 0, 0, 1, 1, 1]},
    11104: {"user_data": "12345678"},
    11743: {"pset_id": 1, "histogram_type": 0},
    12415: {"extra_length": 35},
}


def test_every_example_of_the_document_reads_as_the_text_around_it_says():
    for line, text in DOCUMENTED:
        wanted = WANTED.get(line, {})
        message = catalogue.decode(frame_of(text))
        assert message.form.known and message.odd() == {} and message.rest() == b"", (line, message.odd())
        for name in wanted:
            assert message[name] == wanted[name], (line, name, message[name])
        assert catalogue.encode(message) == frame_of(text)


def test_every_described_revision_has_an_example_with_every_field_filled_in():
    documented = 0
    for mid in catalogue.mids():
        for revision in catalogue.revisions(mid):
            frame, source = example(catalogue.form(mid, revision))
            message = catalogue.decode(frame)
            documented += source != BUILT
            assert (message.mid, message.revision) == (mid, revision) and message.form.known
            assert message.odd() == {} and message.rest() == b"" and catalogue.encode(message) == frame
            assert source != BUILT or None not in message.fields().values(), (mid, revision)
    assert documented == 25  # two of MID 0008


def test_examples_that_contradict_the_tables_beside_them_are_reported_as_odd():
    # OP 5.5.2 p. 109: three digits of a count that has four, and a length that fits neither.
    error_of(lambda: catalogue.decode(frame_of("00290031002_________00200010002")), FrameError)  # 29 and 31 octets
    assert catalogue.decode(frame_of("00310031002_________00200010002"))["job_count"] == 20
    # OP 5.27.1.2 p. 262: five octets of extra data are announced as six.
    assert "cut off" in catalogue.decode(frame_of("003400090010________09000010601001"))["extra"].why
    # OP 5.18.6 p. 233: no offset stands before the data, so its first digits are taken for one.
    assert catalogue.decode(frame_of("00280245____________12345678"))["offset"] == 123


def test_the_examples_of_programs_are_trees():
    for line, data, nodes in (
        (4380, "0010020210000101000000010200000403001000010.000", [(1, [1, 10.0], 0)]),
        (
            4409,
            "100000021010010200000403001000010.0001010010200000403001000015.000",
            [(100, [], 2), (101, [10.0], 0), (101, [15.0], 0)],
        ),
    ):
        frame = ("%04d2500001" % (20 + len(data)) + " " * 9 + data).encode()
        message = catalogue.decode(frame)
        read_nodes = []
        for node in message["nodes"]:
            read_nodes.append((node["node_type"], [one.value() for one in node["parameters"]], node["child_count"]))
        assert read_nodes == nodes, line
        assert catalogue.encode(2500, 1, nodes=message["nodes"]) == frame


# -- the agent's own readers ---------------------------------------------------------------------------------------

# Field of the agent's body -> name in the catalogue, octets in the body.
BODY = (
    ("vin", res.VIN, 25),
    ("job_id", res.JOB, 4),
    ("pset_id", res.PSET, 4),
    ("batch_size", res.BATCH_SIZE, 4),
    ("batch_counter", res.BATCH_COUNTER, 4),
    ("batch_status", res.BATCH_STATUS, 1),
    ("tightening_status", res.TIGHTENING_STATUS, 1),
    ("torque_status", res.TORQUE_STATUS, 1),
    ("angle_status", res.ANGLE_STATUS, 1),
    ("torque", res.TORQUE, 6),
    ("angle", res.ANGLE, 5),
    ("pset_change", res.PSET_CHANGE, 19),
    ("tightening_id", res.TIGHTENING_ID, 10),
    ("tool_serial", res.SERIAL, 14),
)
LIMITS = ("torque_min", "torque_max", "torque_target", "angle_min", "angle_max", "angle_target", "torque_unit")
LIMIT_WIDTHS = (6, 6, 6, 5, 5, 5, 1)


def value_in(body, at, width, is_text):
    raw = bytes(body[at : at + width])
    if is_text:
        return raw.decode().rstrip() or None
    return int(raw) if raw.isdigit() else None


def check_body(message, body):
    for name, at, width in BODY:
        value = value_in(body, at, width, name in ("vin", "pset_change", "tool_serial"))
        if name in message:
            assert value == message[name], (message, name, value, message[name])
        else:
            assert value is None or name == "tool_serial", (message, name)


def test_the_readers_of_results_agree_with_the_catalogue_field_by_field():
    for revision in (1, 2, 3, 4, 5, 6, 7):
        for make in (pushed, fetched):
            frame = make(revision)
            message = catalogue.decode(frame)
            layout = layout_of(message.mid, revision)
            body = bytearray(res.BODY_BYTES)
            assert read_result(layout, frame, 0, len(frame), body, 0) == res.RESULT_READ
            assert message.odd() == {}
            check_body(message, body)
            limits = bytearray(res.LIMITS_BYTES)
            if read_limits(layout, frame, 0, len(frame), limits, 0):
                at = 0
                for name, width in zip(LIMITS, LIMIT_WIDTHS):  # noqa: B905 - MicroPython's zip has no strict
                    assert value_in(limits, at, width, False) == message.get(name), (message, name)
                    at += width
    body = bytearray(b" " * res.BODY_BYTES)
    read_light(body, 0, EXAMPLE, 0)
    check_body(catalogue.decode(EXAMPLE), body)


NEWER = {
    "vin": "VIN of a later release",
    "job_id": 1234,
    "pset_id": 56,
    "batch_size": 12,
    "batch_counter": 3,
    "batch_status": 1,
    "tightening_status": 1,
    "torque_status": 1,
    "angle_status": 2,
    "torque": 4237,
    "angle": 95,
    "time": "2024-03-14:09:26:53",
    "tightening_id": 1234567,
    "tool_serial": "C3412129",
    "angle_numerator": 1,
    "angle_denominator": 100,
}


def those_of(mid, revision, values):
    """Return the values of those fields that a revision has."""
    has = catalogue.form(mid, revision).by_name
    return {name: values[name] for name in values if name in has}


def test_the_readers_agree_on_the_revisions_after_2_8_that_they_read():
    for mid in (61, 65):
        for revision in range(8, 12):
            layout = layout_of(mid, revision)
            if layout is None:
                continue
            frame = catalogue.encode(mid, revision, **those_of(mid, revision, NEWER))
            body = bytearray(b" " * res.BODY_BYTES)
            assert read_result(layout, frame, 0, len(frame), body, 0) == res.RESULT_READ, (mid, revision)
            check_body(catalogue.decode(frame), body)


def test_the_readers_agree_on_blanks_and_on_spoiled_numbers():
    random.seed(11)
    for _ in range(150):
        frame = bytearray(EXAMPLE if random.randrange(2) else pushed(random.randrange(1, 8)))
        at = random.randrange(20, len(frame))
        width = random.randrange(1, 7)
        frame[at : at + width] = (b" " if random.randrange(3) else b"X") * len(frame[at : at + width])
        message = catalogue.decode(frame)
        body = bytearray(b" " * res.BODY_BYTES)
        if message.revision == 999:
            code = read_light(body, 0, frame, 0)
        else:
            code = read_result(layout_of(61, message.revision), frame, 0, len(frame), body, 0)
        odd = [name for name, _, _ in BODY if isinstance(message.get(name), Odd)]
        if code == res.RESULT_READ and not odd:
            check_body(message, body)
        if code != res.RESULT_READ:
            suspects = [name for name, at, width in BODY if name in message and suspect(message, name)]
            assert suspects, bytes(frame)


def suspect(message, name):
    """True if a field is something else than digits of its width, or a status that is none."""
    start, end = message.form.places[name][:2]
    raw = message.frame[start:end]
    return not raw.isdigit() or name.endswith("status")


def test_the_readers_of_identity_and_tool_agree():
    station = {"cell_id": 17, "channel_id": 3, "controller_name": "Station 4", "controller_serial": "C12345"}
    station.update({"system_type": 3, "sequence_numbers": 1})
    for revision in (1, 4, 5, 6, 7):
        frame = catalogue.encode(2, revision, **those_of(2, revision, station))
        message = catalogue.decode(frame)
        identity = bytearray(IDENTITY_BYTES)
        read_identity(identity, frame, 0, len(frame))
        assert int(identity[:4]) == message["cell_id"] and int(identity[4:6]) == message["channel_id"]
        assert bytes(identity[6:31]).decode().rstrip() == message["controller_name"]
        assert (bytes(identity[31:41]).decode().rstrip() or None) == message.get("controller_serial")
        assert int(identity[51:54].strip() or 0) == message.get("system_type", 0)
        assert (identity[54] == 0x31) == (message.get("sequence_numbers") == 1)
    tool = catalogue.encode(41, 1, tool_serial="C341212")
    serial = bytearray(TOOL_BYTES)
    read_tool(serial, tool, 0)
    assert bytes(serial).decode().rstrip() == catalogue.decode(tool)["tool_serial"]


def test_the_readers_of_the_header_agree():
    for given in ({}, {"spindle": 7}, {"sequence": 99, "station": 1}):
        frame = catalogue.encode(61, 7, **given)
        header = catalogue.decode(frame).header()
        assert revision_of(frame, 0) == catalogue.decode(frame).revision
        assert (place_of(frame, SPINDLE) or 1) == (header["spindle"] or 1) and sequence_of(frame, 0) == (
            header["sequence"] or 0
        )


def test_whatever_the_octets_are_decoding_ends_in_message_or_a_frame_error():
    random.seed(7)
    mids = catalogue.mids()
    for _ in range(1500):
        mid = mids[random.randrange(len(mids))]
        revisions = catalogue.revisions(mid) or [1]
        revision = revisions[random.randrange(len(revisions))]
        data = bytes([b"0123456789 :;-AX\0\xff"[random.randrange(18)] for _ in range(random.randrange(300))])
        if random.randrange(2):
            data = catalogue.encode(mid, revision, check=False)[20:] + data
        frame = ("%04d%04d%03d" % (20 + len(data), mid, revision)).encode() + b" " * 9 + data
        message = catalogue.decode(frame)
        message.odd()
        message.rest()
        message.answer()
        for field in message.form.head:
            assert catalogue.decode(frame)[field.name] == message.fields()[field.name]
        assert catalogue.encode(message) == frame
