"""Records of results and events: their drawing, their time, what counts as no value, widths, and the table of kinds."""

from toolcart.agent.record import result as r

PORTABLE = True
HEAP = "2m"

# (offset, width) of every field in the order of the module's drawing.
DRAWN = (
    (r.VIN, 25),
    (r.JOB, 4),
    (r.PSET, 4),
    (r.BATCH_SIZE, 4),
    (r.BATCH_COUNTER, 4),
    (r.BATCH_STATUS, 1),
    (r.TIGHTENING_STATUS, 1),
    (r.TORQUE_STATUS, 1),
    (r.ANGLE_STATUS, 1),
    (r.TORQUE, 6),
    (r.ANGLE, 5),
    (r.TIME, r.TIME_BYTES),
    (r.PSET_CHANGE, r.STAMP_BYTES),
    (r.TIGHTENING_ID, r.ID_BYTES),
    (r.SERIAL, r.SERIAL_BYTES),
)
LIMITS = (
    (r.TORQUE_MIN, 6),
    (r.TORQUE_MAX, 6),
    (r.TORQUE_TARGET, 6),
    (r.ANGLE_MIN, 5),
    (r.ANGLE_MAX, 5),
    (r.ANGLE_TARGET, 5),
    (r.TORQUE_UNIT, 1),
    (r.RESULT_TYPE, 2),
    (r.ANGLE_DECIMALS, 1),
)


def test_fields_lie_side_by_side_without_gap_or_overlap():
    for fields, end in ((DRAWN, r.BODY_BYTES), (LIMITS, r.LIMITS_BYTES)):
        at = 0
        for offset, width in fields:
            assert offset == at
            at += width
        assert at == end


def test_flags_are_bits_of_their_own():
    flags = (
        r.FLAG_RECOVERED,
        r.FLAG_EDGE_TIME,
        r.FLAG_COPY,
        r.FLAG_TRUNCATED,
        r.FLAG_RETRIED,
        r.FLAG_ASIDE,
        r.FLAG_ODD,
        r.FLAG_UNPROVEN,
    )
    assert sum(flags) == 255


def packed(text):
    body = bytearray(b"\xee" * (r.BODY_BYTES + 2))
    r.put_time(body, 1, text, 0)
    at = 1 + r.TIME
    assert body[at - 1] == 0xEE and body[at + 7] == 0xEE
    return bytes(body[at : at + 7])


def test_what_is_no_time_packs_to_zeros():
    for text in (
        b"Last Change Unknown",
        b"                   ",
        b"0000-00-00:00:00:00",
        b"2024-13-01:00:00:00",
        b"2024-00-01:00:00:00",
        b"2024-01-00:00:00:00",
        b"2024-01-32:00:00:00",
        b"2023-02-29:00:00:00",
        b"2024-02-30:00:00:00",
        b"2100-02-29:00:00:00",
        b"2024-04-31:00:00:00",
        b"2024-11-31:00:00:00",
        b"2024-01-01:24:00:00",
        b"2024-01-01:00:60:00",
        b"2024-01-01:00:00:60",
        b"2024.01.01:00:00:00",
        b"2024-01-01 00:00:00",
        b"2024-01-01:0a:00:00",
        b"\xff" * 19,
    ):
        assert not r.is_time(text, 0)
        assert packed(text) == b"\0" * 7


def test_body_with_and_without_time_are_told_apart():
    body = bytearray(r.BODY_BYTES + 3)
    assert not r.has_time(body, 3)
    r.put_time(body, 3, b"2024-03-14:09:26:53", 0)
    assert r.has_time(body, 3)


def test_only_a_result_without_any_value_looks_empty():
    body = bytearray(b"0" * r.BODY_BYTES)
    body[: r.VIN_BYTES] = b" " * r.VIN_BYTES
    assert r.looks_empty(body, 0)
    for place in (r.VIN, r.JOB, r.PSET, r.BATCH_COUNTER, r.TIGHTENING_STATUS, r.TORQUE, r.ANGLE + 4):
        spoiled = bytearray(body)
        spoiled[place] = 0x31
        assert not r.looks_empty(spoiled, 0)
    # An ID, a time and a serial number are no values of the tightening.
    body[r.TIGHTENING_ID] = 0x37
    r.put_time(body, 0, b"2024-03-14:09:26:53", 0)
    assert r.looks_empty(body, 0)
