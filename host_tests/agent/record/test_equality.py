"""Two bodies are of one tightening if ID, time and all that both carry agree; some fields may be said in two ways."""

from toolcart.agent.record import result as res
from toolcart.agent.record.equality import is_same, put_digits
from host_tests.support.recovery import Result

PORTABLE = True

PLACES = {
    "VIN": res.VIN,
    "JOB": res.JOB,
    "PSET": res.PSET,
    "BATCH_STATUS": res.BATCH_STATUS,
    "BATCH_COUNTER": res.BATCH_COUNTER,
    "TIGHTENING_STATUS": res.TIGHTENING_STATUS,
    "TORQUE_STATUS": res.TORQUE_STATUS,
    "TORQUE": res.TORQUE,
    "ANGLE": res.ANGLE,
    "TIME": res.TIME,
    "TIGHTENING_ID": res.TIGHTENING_ID,
}


def body(ident=7, key=7, **fields):
    octets = bytearray(Result(key, ident, key).payload[res.HEAD_BYTES :])
    octets[res.BATCH_STATUS : res.TORQUE] = b"0011"
    octets[res.BATCH_COUNTER : res.BATCH_COUNTER + 4] = b"0003"
    for name, value in fields.items():
        at = PLACES[name]
        octets[at : at + len(value)] = value
    return octets


def same(one, other, flags=0, other_flags=0):
    head = bytes((9, 0, 0, 0, 10, 0, 1, 0))
    return is_same(
        b"##" + head + one, 2, len(head + one), flags, b"#" + head + other, 1, len(head + other), other_flags
    )


def test_id_time_and_every_value_tell_two_apart():
    assert same(body(), body())
    assert not same(body(), body(8)) and not same(body(), body(7, 8))
    for name, value in (("VIN", b"A"), ("PSET", b"0009"), ("TORQUE_STATUS", b"0"), ("TORQUE", b"1"), ("ANGLE", b"9")):
        assert not same(body(), body(**{name: value})) or name in ("VIN", "PSET"), name
    assert not same(body(VIN=b"A"), body(VIN=b"B"))


def test_fetched_result_may_say_the_same_in_another_way():
    fetched = res.FLAG_RECOVERED
    assert not same(body(), body(BATCH_STATUS=b"3"))
    assert same(body(BATCH_COUNTER=b"0000"), body(), fetched)
    assert not same(body(), body(ANGLE=b"9"), 0, fetched)
    assert same(body(), body(ANGLE=b"9"), 0, fetched | res.FLAG_ODD), "it is in parts of a degree"
    assert same(body(BATCH_STATUS=b"0"), body(BATCH_STATUS=b"3"), fetched)


def test_status_beyond_ok_may_be_fetched_as_plain_not_ok():
    one = body(TIGHTENING_STATUS=b"0")
    for status, fetched in ((b"0", True), (b"1", False), (b"2", True), (b"5", True), (b" ", True)):
        other = body(TIGHTENING_STATUS=status)
        assert same(one, other, res.FLAG_RECOVERED) == fetched, status
        assert same(one, other) == (status in (b"0", b" ")), status


def test_time_of_the_agents_own_is_no_time_of_the_result():
    other = body(TIME=b"\x20\x30\x01\x01\0\0\0")
    assert not same(body(), other) and same(body(), other, 0, res.FLAG_EDGE_TIME)


def test_ids_are_compared_as_numbers_however_they_are_padded():
    for pad in (b"7         ", b"         7", b"   007    "):
        assert same(body(), body(TIGHTENING_ID=pad)) and not same(body(8, 7), body(TIGHTENING_ID=pad)), pad
    blank = b" " * 10
    assert same(body(TIGHTENING_ID=blank), body(TIGHTENING_ID=blank)) and not same(body(), body(TIGHTENING_ID=blank))
    assert not same(body(), body(TIGHTENING_ID=b"7x        "))


def test_a_number_is_written_as_ten_digits_or_not_at_all():
    digits = bytearray(12)
    assert put_digits(digits, 1, b"##  42      ##", 2) and bytes(digits) == b"\x000000000042\0"
    for bad in (b" " * 10, b"4 2       ", b"-42       ", b"\0" * 10, b"000000042\0", b"42\0       ", b"\0        7"):
        assert not put_digits(digits, 1, bad, 0), bad
