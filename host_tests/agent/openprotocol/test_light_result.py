"""Revision 999 is read field by field as protocol.md 5.2 lays it out, and what is no result is told."""

from toolcart.agent.openprotocol.light_result import LIGHT_BYTES, read_light
from toolcart.agent.record import result as res
from host_tests.support.frames import EXAMPLE, LIGHT_FIELDS, light

PORTABLE = True


def read(frame, at=3):
    """Read the frame from somewhere inside a buffer."""
    buf = b"#" * at + frame + b"\0next"
    body = bytearray(b"#" * (res.BODY_BYTES + 4))
    code = read_light(body, 2, buf, at)
    assert body[:2] == b"##" and body[-2:] == b"##"
    return code, bytes(body[2:-2])


def part(body, place, width):
    return body[place : place + width]


def test_worked_example_becomes_the_body_of_the_drawing():
    assert len(EXAMPLE) == LIGHT_BYTES == 121
    code, body = read(EXAMPLE)
    assert code == res.RESULT_READ
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


def test_any_field_that_is_no_number_is_left_to_the_careful_reader():
    for name in ("job", "pset", "batch_size", "batch_counter", "torque", "angle", "tightening_id"):
        first, width = LIGHT_FIELDS[name]
        for at in range(width):
            for octet in (0x2D, 0x41, 0xFF, 0x2E):
                frame = bytearray(EXAMPLE)
                frame[first - 1 + at] = octet
                assert read(bytes(frame))[0] == res.RESULT_UNREADABLE, name
        assert read(light(**{name: "x" * width}))[0] == res.RESULT_UNREADABLE


def test_status_that_does_not_exist_is_left_to_the_careful_reader():
    for name, most in (("batch_status", 3), ("status", 1), ("torque_status", 2), ("angle_status", 2)):
        for value in range(10):
            assert (read(light(**{name: value}))[0] == res.RESULT_READ) == (value <= most), name
        assert read(light(**{name: "x"}))[0] == res.RESULT_UNREADABLE
