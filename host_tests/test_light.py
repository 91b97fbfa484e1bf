"""Revision 999 is read field by field as DIGEST D.2 lays it out, and what is no result is told."""

from agent.base import result as r
from agent.base.fields import ABSENT
from agent.openprotocol.light import LIGHT_BYTES, Light, put_body
from host_tests.support_frames import EXAMPLE, LIGHT_FIELDS, light

PORTABLE = True


def read(frame, at=3):
    """Read the frame from somewhere inside a buffer."""
    buf = b"#" * at + frame + b"\0next"
    reader = Light()
    code = reader.read(buf, at, len(frame))
    body = bytearray(b"#" * (r.BODY_BYTES + 4))
    if code == r.RESULT_READ:
        put_body(body, 2, buf, at)
        assert body[:2] == b"##" and body[-2:] == b"##"
    return code, reader, bytes(body[2:-2])


def part(body, place, width):
    return body[place : place + width]


def test_worked_example_has_the_values_of_the_digest():
    assert len(EXAMPLE) == LIGHT_BYTES == 121
    code, fields, _ = read(EXAMPLE)
    assert code == r.RESULT_READ
    assert (fields.job_id, fields.parameter_set) == (7, 12)
    assert (fields.batch_size, fields.batch_counter, fields.batch_status) == (6, 4, 0)
    assert (fields.tightening_status, fields.torque_status, fields.angle_status) == (0, 1, 2)
    assert (fields.torque_cnm, fields.angle_deg) == (4237, 95)
    assert (fields.id_high, fields.id_low) == (12, 34567)


def test_worked_example_becomes_the_body_of_the_drawing():
    _, _, body = read(EXAMPLE)
    assert body == (
        b"WVWZZZ1KZAW123456        "
        b"0007001200060004"
        b"0012"
        b"00423700095"
        b"\x20\x24\x03\x14\x09\x26\x53"
        b"2024-02-01:08:00:00"
        b"0001234567"
        b"              "
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
    _, _, before = read(EXAMPLE)
    for name in LIGHT_FIELDS:
        value = 1 if "status" in name else 98
        if name == "angle_status" or name == "torque_status" or name == "batch_status":
            value = 2 if name != "angle_status" else 0
        if name == "vin" or name == "pset_change":
            value = "Last Change Unknown"
        if name == "time":
            value = "2031-12-30:21:22:23"
        _, _, after = read(light(**{name: value}))
        place, width = places[name]
        assert part(after, place, width) != part(before, place, width), name
        assert after[:place] == before[:place] and after[place + width :] == before[place + width :], name


def test_blank_fields_are_absent_and_stay_blank_in_the_body():
    for name, attribute in (
        ("job", "job_id"),
        ("pset", "parameter_set"),
        ("batch_size", "batch_size"),
        ("batch_counter", "batch_counter"),
        ("batch_status", "batch_status"),
        ("status", "tightening_status"),
        ("torque_status", "torque_status"),
        ("angle_status", "angle_status"),
        ("torque", "torque_cnm"),
        ("angle", "angle_deg"),
    ):
        code, fields, _ = read(light(**{name: ""}))
        assert code == r.RESULT_READ and getattr(fields, attribute) == ABSENT, name
    _, fields, body = read(light(tightening_id="", job=""))
    assert fields.id_high == ABSENT and fields.id_low == ABSENT
    assert part(body, r.TIGHTENING_ID, 10) == b" " * 10 and part(body, r.JOB, 4) == b"    "


def test_any_field_that_is_no_number_makes_it_unreadable():
    for name in ("job", "pset", "batch_size", "batch_counter", "torque", "angle", "tightening_id"):
        first, width = LIGHT_FIELDS[name]
        for at in range(width):
            for octet in (0x2D, 0x41, 0xFF, 0x2E):
                frame = bytearray(EXAMPLE)
                frame[first - 1 + at] = octet
                assert read(bytes(frame))[0] == r.RESULT_UNREADABLE, name
        assert read(light(**{name: "x" * width}))[0] == r.RESULT_UNREADABLE


def test_status_that_does_not_exist_makes_it_unreadable():
    for name, most in (("batch_status", 2), ("status", 1), ("torque_status", 2), ("angle_status", 2)):
        for value in range(10):
            assert (read(light(**{name: value}))[0] == r.RESULT_READ) == (value <= most), name
        assert read(light(**{name: "x"}))[0] == r.RESULT_UNREADABLE


def test_short_message_is_unreadable_at_every_length_and_a_tail_is_ignored():
    for length in range(20, 121):
        assert Light().read(EXAMPLE, 0, length) == r.RESULT_UNREADABLE
    assert Light().read(EXAMPLE + b"tail of a later revision", 0, 145) == r.RESULT_READ


def test_largest_values_are_read_and_kept():
    _, fields, body = read(
        light(
            job=99, pset=999, batch_size=9999, batch_counter=9999, torque=999999, angle=99999, tightening_id=4294967295
        )
    )
    assert (fields.job_id, fields.parameter_set, fields.torque_cnm, fields.angle_deg) == (99, 999, 999999, 99999)
    assert (fields.id_high, fields.id_low) == (42949, 67295)
    assert part(body, r.JOB, 8) == b"00990999" and part(body, r.TIGHTENING_ID, 10) == b"4294967295"


def test_text_and_foreign_octets_of_vin_are_kept_as_they_came():
    vin = bytes([0xC3, 0xA4, 0, 1, 0x7F]) + b"  right aligned text"
    code, _, body = read(light(vin=vin))
    assert code == r.RESULT_READ and part(body, r.VIN, 25) == vin


def test_time_that_is_none_is_zeros_in_the_body():
    code, _, body = read(light(time="Last Change Unknown"))
    assert code == r.RESULT_READ and not r.has_time(body, 0)


def test_reader_is_refilled_by_each_message():
    reader = Light()
    assert reader.read(light(torque=111111), 0, 121) == r.RESULT_READ
    assert reader.read(light(torque=""), 0, 121) == r.RESULT_READ
    assert reader.torque_cnm == ABSENT
