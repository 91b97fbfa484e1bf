"""Text beyond ASCII goes out in a form that can be turned back, and no two texts become one."""

import json

from toolcart.agent.log import framing
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
from toolcart.agent.record import result as res
from toolcart.agent.record.escaping import decoded, json_of, octets_of, put_ascii, stripped
from toolcart.agent.record.json_line import Line
from toolcart.agent.record.text import describe, text_of
from toolcart.base.clock import Dice
from host_tests.support.log import put_event

PORTABLE = True

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
        assert decoded(stored) == text and octets_of(text) == stored, stored
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
    event = describe(alarm(), 0, KIND_EVENT, 0, 37)
    assert event["source"] == "EVENT" and event["event"] == "alarm"
    assert (event["number"], event["station"], event["code"], event["text"]) == (17, 1000, "E404", "Tool overheated")
    assert (event["time"], event["time_source"]) == ("2024-03-14 09:26:53", "controller")
    assert (event["controller_ready"], event["tool_ready"]) == (True, False)


def test_what_is_absent_is_absent():
    page = bytearray(ev.EVENT_LEAST)
    assert ev.put_event(page, 0, 1, 1, ev.ALARM_ACKNOWLEDGED) == ev.EVENT_LEAST == len(page)
    event = describe(page, 0, KIND_EVENT, res.FLAG_EDGE_TIME, len(page))
    assert (event["event"], event["code"], event["text"], event["time"]) == ("alarm acknowledged", "", "", None)
    assert event["controller_ready"] is None and event["tool_ready"] is None and event["time_source"] == "agent"
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
    assert max(most) + res.QUARANTINE_BYTES == PAYLOAD_MAX
    for kind in KINDS:
        assert kind & 0x80, "no text can begin like a record"
    assert len({kind & 15 for kind in KINDS}) == len(KINDS), "each has a bit of its own among what a cursor wants"


def test_what_is_shorter_than_its_kind_is_no_record():
    for kind, least in zip(KINDS, LEAST):  # noqa: B905 - MicroPython has no strict
        for length in (least - 1, least):
            buf = bytearray(200)
            octets = framing.seal(buf, 0, kind, 0, length, 1)
            assert framing.record_length(buf, 0, 200) == (octets if length == least else framing.RECORD_BAD)
