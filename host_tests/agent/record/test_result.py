"""Records of results and events: their drawing, their time, what counts as no value, widths, and the table of kinds."""

import json

from toolcart.agent.log import framing as rec
from toolcart.agent.record import (
    FRAME,
    FRAME_MOST,
    KIND_EVENT,
    KIND_GRAPH,
    KIND_RAW,
    KIND_RESULT,
    KINDS,
    LEAST,
    PAYLOAD_MAX,
)
from toolcart.agent.record import event as ev
from toolcart.agent.record import result as r
from toolcart.agent.record import result as res
from toolcart.agent.record.equality import is_same, put_digits
from toolcart.agent.record.escaping import json_of, octets_of, put_ascii, shown, stripped
from toolcart.agent.record.json_line import Line
from toolcart.agent.record.text import describe, text_of
from toolcart.base.clock import Dice
from host_tests.support.log import put_event
from host_tests.support.recovery import Result

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


# Two bodies are of one tightening if ID, time and all that both carry agree; some fields may be said in two ways.

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
    found = bytearray(Result(key, ident, key).payload[res.HEAD_BYTES :])
    found[res.BATCH_STATUS : res.TORQUE] = b"0011"
    found[res.BATCH_COUNTER : res.BATCH_COUNTER + 4] = b"0003"
    for name, value in fields.items():
        at = PLACES[name]
        found[at : at + len(value)] = value
    return found


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
    for pad in (b"7         ", b"         7", b"   007    ", b"\0\0\0\0\0\0\0\0\x007"):
        assert same(body(), body(TIGHTENING_ID=pad)) and not same(body(8, 7), body(TIGHTENING_ID=pad)), pad
    blank = b" " * 10
    assert same(body(TIGHTENING_ID=blank), body(TIGHTENING_ID=blank)) and not same(body(), body(TIGHTENING_ID=blank))
    assert not same(body(), body(TIGHTENING_ID=b"7x        "))


def test_a_number_is_written_as_ten_digits_or_not_at_all():
    digits = bytearray(12)
    assert put_digits(digits, 1, b"##  42    \0\0##", 2) and bytes(digits) == b"\x000000000042\0"
    for bad in (b" " * 10, b"4 2       ", b"-42       ", b"\0" * 10):
        assert not put_digits(digits, 1, bad, 0), bad


# Text beyond ASCII goes out in a form that can be turned back, and no two texts become one.


SHOWN = (
    (b"Lenks\xc3\xa4ule", "Lenks\xe4ule"),
    (b"Lenks\xe4ule", "Lenks~E4ule"),
    (b"\xe8\xbd\xa6 7\xe8\xbd", "\u8f66 7~E8~BD"),
    (b"A~E4", "A~7EE4"),
    (b"\xed\xa0\x80\xc0\x80\xc2\x85\x1b\x7f", "~ED~A0~80~C0~80~C2~85~1B~7F"),
    (b"\xf0\x9f\x9a\x97", "\U0001f697"),
)


def octets(dice):
    return bytes([dice.randrange(256) if dice.randrange(3) else 0x41 for _ in range(1 + dice.randrange(25))])


def test_utf_8_stays_and_all_else_is_escaped_byte_by_byte():
    for stored, text in SHOWN:
        assert shown(stored) == text and octets_of(text) == stored, stored
        assert text_of(b"# " + stored + b"\0\0 #", 1, len(stored) + 4) == text


def test_no_two_texts_are_one_in_a_field_of_toolsnet():
    dice = Dice(8)
    fields = {}
    for _ in range(200):
        stored = octets(dice)
        field = bytearray(25)
        put_ascii(field, 0, 25, stripped(stored, 0, len(stored)))
        assert all(0x20 <= octet <= 0x7E for octet in field)
        before = fields.setdefault(bytes(field), stripped(stored, 0, len(stored)))
        assert before == stripped(stored, 0, len(stored)), (before, stored)


def test_json_has_it_in_plain_ascii():
    assert json_of("\U0001f697") == "\\ud83d\\ude97"
    for stored, text in SHOWN[:-1]:  # MicroPython reads no pairs
        assert json.loads('"' + json_of(text) + '"') == text
        line = Line(bytearray(400))
        line._trim(stored, 0, len(stored))
        line._add_text(stored)
        assert json.loads(bytes(line.buf[: line.end]).decode()) == text


def alarm(code=b"E404", text=b"Tool overheated", time=b"2024-03-14:09:26:53"):
    """Return the payload of an alarm."""
    page = bytearray(b"#" * 160)
    length = put_event(page, 3, ev.ALARM, 17, 1000, code, text, time, 0x31, 0x30)
    assert bytes(page[:3]) == b"###" and bytes(page[3 + ev.EVENT_LEAST + len(text) :]).strip(b"#") == b"", (
        "nothing beside it is touched"
    )
    return bytearray(page[3 : 3 + length])


def is_event(page, at, length):
    """True if the length of the text fits the payload's."""
    return ev.EVENT_LEAST <= length <= ev.EVENT_MOST and page[at + ev.TEXT_LENGTH] == length - ev.EVENT_LEAST


def test_what_is_put_in_comes_out_in_words():
    told = describe(alarm(), 0, KIND_EVENT, 0, 37)
    assert told["source"] == "EVENT" and told["event"] == "alarm"
    assert (told["number"], told["station"], told["code"], told["text"]) == (17, 1000, "E404", "Tool overheated")
    assert (told["time"], told["time_source"]) == ("2024-03-14 09:26:53", "controller")
    assert (told["controller_ready"], told["tool_ready"]) == (True, False)


def test_what_is_absent_is_absent():
    page = bytearray(ev.EVENT_LEAST)
    assert ev.put_event(page, 0, 1, 1, ev.ALARM_ACKNOWLEDGED) == ev.EVENT_LEAST == len(page)
    told = describe(page, 0, KIND_EVENT, res.FLAG_EDGE_TIME, len(page))
    assert (told["event"], told["code"], told["text"], told["time"]) == ("alarm acknowledged", "", "", None)
    assert told["controller_ready"] is None and told["tool_ready"] is None and told["time_source"] == "agent"
    assert is_event(page, 0, len(page)) and int.from_bytes(page[:4], "little") == 1


def test_widths_hold():
    page = alarm(code=b"E40456", text=b"x" * ev.TEXT_MOST)
    assert len(page) == ev.EVENT_MOST and bytes(page[ev.CODE : ev.CODE + 5]) == b"E4045"
    assert is_event(page, 0, ev.EVENT_MOST) and not is_event(page, 0, ev.EVENT_MOST - 1)
    padded = alarm(text=b"low oil" + b" " * 40 + b"\x00" * 3)
    assert len(padded) == ev.EVENT_LEAST + 7 and padded[ev.TEXT_LENGTH] == 7
    assert bytes(alarm(text=b"a\xc3\x07b"))[-4:] == b"a\xc3\x07b", "stored as it came"
    assert not any(alarm(time=b"2024-13-14:09:26:53")[ev.TIME : ev.TIME + 7]), "no time is all zero"


def test_the_table_of_kinds_says_what_the_modules_say():
    assert list(KINDS) == [KIND_RESULT, KIND_RAW, KIND_EVENT, KIND_GRAPH]
    assert list(LEAST) == [res.HEAD_BYTES + res.BODY_BYTES, FRAME, ev.EVENT_LEAST, res.HEAD_BYTES + 1]
    most = res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES, FRAME + FRAME_MOST, ev.EVENT_MOST
    assert max(most) + res.PARKED_BYTES == PAYLOAD_MAX
    for kind in KINDS:
        assert kind & 0x80, "no text can begin like a record"
    assert len({kind & 15 for kind in KINDS}) == len(KINDS), "each has a bit of its own among what a cursor wants"


def test_what_is_shorter_than_its_kind_is_no_record():
    for kind, least in zip(KINDS, LEAST):  # noqa: B905 - MicroPython has no strict
        for length in (least - 1, least):
            buf = bytearray(200)
            octets = rec.seal(buf, 0, kind, 0, length, 1)
            assert rec.record_length(buf, 0, 200) == (octets if length == least else rec.RECORD_BAD)
