"""A form carries each kind of field over as its move says, and refuses what is none."""

from toolcart.agent.base import form as f

PORTABLE = True


def made(move, source, width=None, upper=0, room=16):
    """The target after one move, from the third octet of it and of a larger source; None if it was refused."""
    target = bytearray(b"#" * (room + 3))
    row = bytes((move | upper << 4, 1, 0, 2, len(source) if width is None else width))
    if not f.carry_out(row, 1, target, 2, b"?????" + source + b"?", 3):
        return None
    assert target[:3] == b"###"
    return bytes(target[3:]).rstrip(b"#")


def test_text_that_is_not_ascii_becomes_question_marks_and_nul_a_blank():
    assert made(f.TEXT, b"A\0\x7f\x1f\xc3\xa4~ ") == b"A ????~ "


def test_digits_are_widened_with_zeros_and_blanks_with_blanks():
    assert made(f.DIGITS, b"012") == b"012"
    assert made(f.DIGITS, b"12", upper=2) == b"0012"
    assert made(f.DIGITS, b"  ", upper=2) == b"    " == made(f.DIGITS, b"\0\0", upper=2)


def test_time_is_packed_and_what_is_none_becomes_zeros():
    assert made(f.PACK_TIME, b"2024-03-14:09:26:53") == b"\x20\x24\x03\x14\x09\x26\x53"
    for none in (b"Last Change Unknown", b"0000-03-14:09:26:53", b"2024-13-14:09:26:53", b"2024-03-14 09:26:53"):
        assert made(f.PACK_TIME, none) == bytes(7)


def test_leading_zeros_are_stripped_but_one_digit_stays():
    assert made(f.STRIP, b"0001234567") == b"1234567   "
    assert made(f.STRIP, b"0000") == b"0   "
    assert made(f.STRIP, b"4294967295") == b"4294967295"


def test_a_point_is_inserted_and_nothing_is_computed():
    assert made(f.FIXED, b"004237", upper=2) == b"00042.37"
    assert made(f.FIXED, b"999999", upper=2) == b"09999.99"
    assert made(f.FIXED, b"00095") == b"000095.0"
    assert made(f.FIXED, b"      ", upper=2) == b"00000.00" == made(f.FIXED, b"\0" * 6, upper=2)
