"""A batch: its head and its lines octet for octet, what does not fit, and that it allocates nothing."""

from toolcart.agent.outlets.batch import HEAD_MOST, Batch, identity_of
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.agent.record.json_line import Line
from host_tests.portable import stub
from host_tests.support.heap import allocated, heap_tools

PORTABLE = True

OWNER = (1, 3, 7)
HEAD = b'{"schema":1,"system_type":1,"system":3,"station":7,"identity":"3fa9c1d2","after":%d,"last":%d,"count":%d}\n'
LINE = (
    b'{"schema":1,"type":"result","station":7,"number":%d,"spindle":2,"time":"2024-03-14T09:26:53",'
    b'"time_source":"controller","tightening_id":"4294967295","vin":"A\\"1\\\\B","job":"3","program":"12",'
    b'"batch_size":4,"batch_counter":0,"batch_status":"OK","status":"OK","torque":"12.05","torque_unit":"Nm",'
    b'"torque_status":"high","angle":90,"angle_status":"low","program_changed":"2024-01-02T03:04:05",'
    b'"tool_serial":"T-77","id_epoch":5,"torque_min":null,"torque_max":null,"torque_target":null,"angle_min":null,'
    b'"angle_max":null,"angle_target":null,"odd":null,"spindles":null,"identifier_2":null,"identifier_3":null,'
    b'"identifier_4":null,"fetched":false,"again":false}\n'
)
FRAME = (
    b'{"schema":1,"type":"frame","station":7,"number":%d,"spindle":2,"cut_short":true,"frame":"%s",'
    b'"fetched":true,"again":false}\n'
)


def payload(number, body=None):
    """A result with everything in it but its limits, or a frame."""
    head = bytes([number & 255, number >> 8 & 255, number >> 16 & 255, number >> 24, 7, 0, 2, 5])
    if body is not None:
        return head + body
    made = bytearray(b" " * res.BODY_BYTES)
    for at, octets in (
        (res.VIN, b'A"1\\B\0\0'),
        (res.JOB, b"000300120004000011"),
        (res.TORQUE_STATUS, b"2000120500090\x20\x24\x03\x14\x09\x26\x532024-01-02:03:04:054294967295T-77\0"),
    ):
        made[at : at + len(octets)] = octets
    return head + bytes(made)


def batch(room=4000, records=8, octets=100000, before=20):
    return Batch(Line(bytearray(before + HEAD_MOST + room)), before, OWNER, "3fa9c1d2", records, octets)


def written(made, after, last):
    n = made.seal(after, last)
    assert made.start >= 20 and made.start + n == made.line.end
    return bytes(made.line.buf[made.start : made.start + n])


def test_a_batch_is_its_head_and_a_line_for_each_record():
    made = batch()
    for number in (17, 18, 1000000000):
        assert made.add(payload(number), 0, KIND_RESULT, 0, 114)
    expected = HEAD % (16, 1000000000, 3) + LINE % 17 + LINE % 18 + LINE % 1000000000
    assert written(made, 16, 1000000000) == expected
    made.clear()
    assert made.add(payload(5, b'06"\\\n\xff'), 0, KIND_RAW, res.FLAG_TRUNCATED | res.FLAG_RECOVERED, 14)
    assert written(made, 0, 9) == HEAD % (0, 9, 1) + FRAME % (5, b'06\\"\\\\\\u000a\\u00ff')


def test_what_does_not_fit_waits_and_leaves_nothing_of_itself():
    whole = len(LINE % 17)
    for room in range(whole, 2 * whole, 7):
        made = batch(room)
        assert made.add(payload(17), 0, KIND_RESULT, 0, 114)
        assert not made.add(payload(18), 0, KIND_RESULT, 0, 114)
        assert written(made, 16, 17) == HEAD % (16, 17, 1) + LINE % 17
    raw = b"\x00" * 632  # a frame at its longest
    for room in (0, 1, 60, 700, 3800):
        made = batch(room)
        assert not made.add(payload(1, raw), 0, KIND_RAW, 0, 640) and made.count == 0
    assert batch(4000).add(payload(1, raw), 0, KIND_RAW, 0, 640)


def test_a_batch_is_full_by_records_and_by_octets():
    made = batch(records=2)
    assert [made.add(payload(n), 0, KIND_RESULT, 0, 114) for n in (1, 2, 3)] == [True, True, False]
    made = batch(octets=len(LINE % 1) + 1)
    assert [made.add(payload(n), 0, KIND_RESULT, 0, 114) for n in (1, 2, 3)] == [True, True, False]


def test_odd_records_are_written_too():
    made = batch()
    odd = bytearray(payload(3))
    at = res.HEAD_BYTES
    odd[at + res.TORQUE : at + res.TORQUE + 11] = b"-00120--5 x"
    assert made.add(odd, 0, KIND_RESULT, res.FLAG_ODD, 114)
    line = written(made, 2, 3)
    assert b'"torque":"-1.20"' in line and b'"angle":null' in line and b'"odd":"angle --5 x"' in line


def test_the_identity_is_eight_digits():
    assert identity_of(stub(identity=0x3FA9C1)) == "003fa9c1"


def test_a_batch_allocates_nothing():
    heap_tools()
    made = batch()
    records = [payload(number) for number in range(1, 5)]
    raw = payload(9, b"0061" + b"x" * 200)

    def several():
        for number in range(50):
            made.clear()
            for one in records:
                made.add(one, 0, KIND_RESULT, 0, 114)
            made.add(raw, 0, KIND_RAW, 0, 212)
            made.add(raw, 0, KIND_RAW, 0, 212)
            made.seal(number, number + 4)

    several()
    assert allocated(several) == 0
