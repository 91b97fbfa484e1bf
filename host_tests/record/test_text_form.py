"""Text beyond ASCII goes out in a form that can be turned back, and no two texts become one."""

import json

from toolcart.agent.record.line import Line
from toolcart.agent.record.text import text_of
from toolcart.agent.record.text_form import json_of, octets_of, put_ascii, shown, stripped
from toolcart.base.clock import Dice

PORTABLE = True
HEAP = "2m"

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
