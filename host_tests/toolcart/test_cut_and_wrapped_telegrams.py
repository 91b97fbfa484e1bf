"""Telegrams in texts that cut, wrap, quote or mark them: no value is shown, and no message, that nobody sent."""

import pytest

from toolcart import captures, catalogue

OLD = {"controller_name": "airbag7", "vin": "KPOL3456JKLO897", "torque": 739, "angle": 17, "tightening_id": 345675}
RESULT = catalogue.encode(61, 1, **OLD, time="2001-06-02:09:54:09", pset_change="2001-05-29:12:34:33")
LIGHT = catalogue.encode(61, 999, vin="VIN 1", tightening_id=345675, time="2001-06-02:09:54:09")
ASKED = catalogue.encode(64, 1, tightening_id=345675)
FULL = (  # every field has digits, in which other headers seem to begin
    b"02310061001         010001020103airbag7                  04KPOL3456JKLO897          0500060030700000"
    b"8000009010011112000840130014001400120015000739160000017099991800000190"
    b"0000202001-06-02:09:54:09212001-05-29:12:34:33221230000345675"
)
NEXT = b"00200062001         "
WORDS = (b"", b"12:00:01 got  ", b"2026-12-01T12:00:01.123456789Z < ", b"> ")


def values(capture, name="tightening_id"):
    return [one.message[name] for one in capture]


@pytest.mark.parametrize("frame", [RESULT, LIGHT, ASKED], ids=["0061", "0061 revision 999", "0064"])
@pytest.mark.parametrize("words", WORDS)
def test_last_value_of_a_line_that_was_cut_off_is_not_shown(frame, words):
    for count in range(1, 10):
        read = captures.read(words + frame[:-count] + b"\nthe next line\n", kind="text")
        assert values(read) == [] and f"its length says {len(frame)}" in read.problems[0].why, count
        assert read.problems[0].octets == frame[:-count]
    assert values(captures.read(words + frame + b"\n", kind="text")) == [345675]


def test_blanks_that_an_editor_cut_off_are_no_loss():
    frame = catalogue.encode(50, 1, vin="AB")
    read = captures.read(frame.rstrip() + b"\n" + NEXT + b"\n", kind="text")
    assert [one.message.mid for one in read] == [50, 62] and read[0].message["vin"] == "AB" and read.problems == []


@pytest.mark.parametrize("columns", [60, 72, 80, 100, 132, 200])
@pytest.mark.parametrize("words", WORDS)
def test_lines_that_continue_a_telegram_are_joined(words, columns):
    whole = words + RESULT
    lines = [whole[at : at + columns] for at in range(0, len(whole), columns)]
    quoted = [b"> " + line for line in lines]
    for rows in (lines, quoted):
        read = captures.read(b"before\n" + b"\n".join(rows) + b"\n" + NEXT + b"\n", kind="text")
        assert [one.message.mid for one in read] == [61, 62], rows
        assert values(read[:1]) == [345675] and [one.octets for one in read.problems] == [b"before"]


@pytest.mark.parametrize("words", WORDS)
def test_nothing_begins_in_the_middle_of_a_telegram_that_cannot_be_read(words):
    for marked in range(60, len(FULL) - 10, 7):
        line = words + FULL[:marked] + b"**" + FULL[marked : marked + 10] + b"**" + FULL[marked + 10 :]
        read = captures.read(line + b"\n" + NEXT + b"\n", kind="text")
        assert {one.message.mid for one in read} <= {61, 62}, (line, list(read))
    for line in (FULL[:120], FULL[:150] + b"...", FULL[:70] + b"\n" + FULL[80:]):
        read = captures.read(words + line + b"\n\n" + NEXT + b"\n", kind="text")
        assert [one.message.mid for one in read] == [62], (line, list(read))
        assert read.problems and all(one.octets in words + line for one in read.problems)


def test_behind_a_nul_the_next_telegram_begins():
    marked = FULL[:100] + b"**" + FULL[100:150] + b"**" + FULL[150:]
    read = captures.read(b"got " + marked + b"\\x00" + NEXT + b"\n", kind="text")
    assert 62 in [one.message.mid for one in read]


def test_another_line_behind_one_that_lacks_blanks_is_not_joined():
    frame = catalogue.encode(50, 1, vin="AB")
    missing = len(frame) - len(frame.rstrip())
    read = captures.read(frame.rstrip() + b"\n" + b"x" * (missing - 1) + b"\n" + NEXT + b"\n", kind="text")
    assert [one.message.mid for one in read] == [50, 62] and read[0].message["vin"] == "AB"
