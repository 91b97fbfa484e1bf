"""Revision 999 is read field by field as DIGEST D.2 lays it out, and what is no result is told."""

from toolcart.agent.openprotocol.light import LIGHT_BYTES, read_light
from toolcart.agent.record import result as r
from host_tests.support.frames import EXAMPLE, LIGHT_FIELDS, light

PORTABLE = True


def read(frame, at=3):
    """Read the frame from somewhere inside a buffer."""
    buf = b"#" * at + frame + b"\0next"
    body = bytearray(b"#" * (r.BODY_BYTES + 4))
    code = read_light(body, 2, buf, at, len(frame))
    assert body[:2] == b"##" and body[-2:] == b"##"
    return code, bytes(body[2:-2])


def part(body, place, width):
    return body[place : place + width]


def test_worked_example_becomes_the_body_of_the_drawing():
    assert len(EXAMPLE) == LIGHT_BYTES == 121
    code, body = read(EXAMPLE)
    assert code == r.RESULT_READ
    assert body == (
        b"WVWZZZ1KZAW123456        "
        b"0007001200060004"
        b"0012"
        b"00423700095"
        b"\x20\x24\x03\x14\x09\x26\x53"
        b"2024-02-01:08:00:00"
        b"0001234567"
        b"##############"  # the tool's serial number is not in the message
    )


def test_each_field_goes_to_its_own_place():
    places = {
        "vin": (r.VIN, 25),
        "job": (r.JOB, 4),
        "pset": (r.PSET, 4),
        "batch_size": (r.BATCH_SIZE, 4),
        "batch_counter": (r.BATCH_COUNTER, 4),
        "batch_status": (r.BATCH_STATUS, 1),
        "status": (r.TIGHTENING_STATUS, 1),
        "torque_status": (r.TORQUE_STATUS, 1),
        "angle_status": (r.ANGLE_STATUS, 1),
        "torque": (r.TORQUE, 6),
        "angle": (r.ANGLE, 5),
        "time": (r.TIME, 7),
        "pset_change": (r.PSET_CHANGE, 19),
        "tightening_id": (r.TIGHTENING_ID, 10),
    }
    _, before = read(EXAMPLE)
    for name in LIGHT_FIELDS:
        value = 1 if "status" in name else 98
        if name == "angle_status" or name == "torque_status" or name == "batch_status":
            value = 2 if name != "angle_status" else 0
        if name == "vin" or name == "pset_change":
            value = "Last Change Unknown"
        if name == "time":
            value = "2031-12-30:21:22:23"
        _, after = read(light(**{name: value}))
        place, width = places[name]
        assert part(after, place, width) != part(before, place, width), name
        assert after[:place] == before[:place] and after[place + width :] == before[place + width :], name


def test_blank_fields_are_absent_and_stay_blank_in_the_body():
    for name, place, width in (
        ("job", r.JOB, 4),
        ("pset", r.PSET, 4),
        ("batch_size", r.BATCH_SIZE, 4),
        ("batch_counter", r.BATCH_COUNTER, 4),
        ("batch_status", r.BATCH_STATUS, 1),
        ("status", r.TIGHTENING_STATUS, 1),
        ("torque_status", r.TORQUE_STATUS, 1),
        ("angle_status", r.ANGLE_STATUS, 1),
        ("torque", r.TORQUE, 6),
        ("angle", r.ANGLE, 5),
        ("tightening_id", r.TIGHTENING_ID, 10),
    ):
        first, used = LIGHT_FIELDS[name]
        for blank in (b" ", b"\0"):  # NUL counts as a blank, and is kept as one
            frame = bytearray(EXAMPLE)
            frame[first - 1 : first - 1 + used] = blank * used
            code, body = read(bytes(frame))
            assert code == r.RESULT_READ and part(body, place, width) == b" " * width, name


def test_any_field_that_is_no_number_is_left_to_the_careful_reader():
    for name in ("job", "pset", "batch_size", "batch_counter", "torque", "angle", "tightening_id"):
        first, width = LIGHT_FIELDS[name]
        for at in range(width):
            for octet in (0x2D, 0x41, 0xFF, 0x2E):
                frame = bytearray(EXAMPLE)
                frame[first - 1 + at] = octet
                assert read(bytes(frame))[0] == r.RESULT_UNREADABLE, name
        assert read(light(**{name: "x" * width}))[0] == r.RESULT_UNREADABLE


def test_status_that_does_not_exist_is_left_to_the_careful_reader():
    for name, most in (("batch_status", 3), ("status", 1), ("torque_status", 2), ("angle_status", 2)):
        for value in range(10):
            assert (read(light(**{name: value}))[0] == r.RESULT_READ) == (value <= most), name
        assert read(light(**{name: "x"}))[0] == r.RESULT_UNREADABLE
