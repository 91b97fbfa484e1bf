"""Records of results and events: their drawing, their time, what counts as no value, widths, and the table of kinds."""

from toolcart.agent.record import result as res

PORTABLE = True
HEAP = "2m"

# (offset, width) of every field in the order of the module's drawing.
DRAWN = (
    (res.VIN, 25),
    (res.JOB, 4),
    (res.PSET, 4),
    (res.BATCH_SIZE, 4),
    (res.BATCH_COUNTER, 4),
    (res.BATCH_STATUS, 1),
    (res.TIGHTENING_STATUS, 1),
    (res.TORQUE_STATUS, 1),
    (res.ANGLE_STATUS, 1),
    (res.TORQUE, 6),
    (res.ANGLE, 5),
    (res.TIME, res.TIME_BYTES),
    (res.PSET_CHANGE, res.STAMP_BYTES),
    (res.TIGHTENING_ID, res.ID_BYTES),
    (res.SERIAL, res.SERIAL_BYTES),
)
LIMITS = (
    (res.TORQUE_MIN, 6),
    (res.TORQUE_MAX, 6),
    (res.TORQUE_TARGET, 6),
    (res.ANGLE_MIN, 5),
    (res.ANGLE_MAX, 5),
    (res.ANGLE_TARGET, 5),
    (res.TORQUE_UNIT, 1),
    (res.RESULT_TYPE, 2),
    (res.ANGLE_DECIMALS, 1),
)


def test_fields_lie_side_by_side_without_gap_or_overlap():
    for fields, end in ((DRAWN, res.BODY_BYTES), (LIMITS, res.LIMITS_BYTES)):
        at = 0
        for offset, width in fields:
            assert offset == at
            at += width
        assert at == end


def test_flags_are_bits_of_their_own():
    flags = (
        res.FLAG_RECOVERED,
        res.FLAG_EDGE_TIME,
        res.FLAG_COPY,
        res.FLAG_TRUNCATED,
        res.FLAG_RETRIED,
        res.FLAG_ODD,
        res.FLAG_UNPROVEN,
    )
    assert sum(flags) == 255 - 32


def packed(text):
    body = bytearray(b"\xee" * (res.BODY_BYTES + 2))
    res.put_time(body, 1, text, 0)
    at = 1 + res.TIME
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
        assert not res.is_time(text, 0)
        assert packed(text) == b"\0" * 7


def test_body_with_and_without_time_are_told_apart():
    body = bytearray(res.BODY_BYTES + 3)
    assert not res.has_time(body, 3)
    res.put_time(body, 3, b"2024-03-14:09:26:53", 0)
    assert res.has_time(body, 3)


def test_only_a_result_without_any_value_looks_empty():
    body = bytearray(b"0" * res.BODY_BYTES)
    body[: res.VIN_BYTES] = b" " * res.VIN_BYTES
    assert res.looks_empty(body, 0)
    for place in (res.VIN, res.JOB, res.PSET, res.BATCH_COUNTER, res.TIGHTENING_STATUS, res.TORQUE, res.ANGLE + 4):
        spoiled = bytearray(body)
        spoiled[place] = 0x31
        assert not res.looks_empty(spoiled, 0)
    # An ID, a time and a serial number are no values of the tightening.
    body[res.TIGHTENING_ID] = 0x37
    res.put_time(body, 0, b"2024-03-14:09:26:53", 0)
    assert res.looks_empty(body, 0)
