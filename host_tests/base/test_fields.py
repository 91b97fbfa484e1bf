"""Fixed-width fields: blanks are absent, anything else that is no number is told, text passes unchanged."""

from toolcart.agent.base import fields as f

PORTABLE = True


def test_digits_are_read_where_they_stand():
    assert f.number(b"xx0042yy", 2, 4) == 42
    assert f.number(b"7", 0, 1) == 7
    assert f.number(b"999999999", 0, 9) == 999999999
    assert f.number(b"000000000", 0, 9) == 0


def test_blank_field_is_absent_and_not_zero():
    for width in range(1, 10):
        assert f.number(b" " * 9, 0, width) == f.ABSENT
        assert f.number(b"\0" * 9, 0, width) == f.ABSENT
        assert f.number(b" \0 \0 \0 \0 ", 0, width) == f.ABSENT
    assert f.ABSENT < 0 and f.BAD < 0 and f.ABSENT != f.BAD


def test_anything_else_is_bad_and_raises_nothing():
    for text in (b"12 4", b" 124", b"124 ", b"-124", b"+124", b"1.24", b"12a4", b"0x12", b"\xff124", b"/124", b":124"):
        assert f.number(text, 0, 4) == f.BAD


def test_only_ten_octets_are_digits():
    for octet in range(256):
        value = f.number(bytes([octet]), 0, 1)
        if 0x30 <= octet <= 0x39:
            assert value == octet - 0x30
        elif octet in (0, 0x20):
            assert value == f.ABSENT
        else:
            assert value == f.BAD


def test_numbers_are_written_with_leading_zeros_and_come_back():
    buf = bytearray(b"." * 8)
    for value in (0, 9, 10, 1234, 9999):
        f.put_number(buf, 2, 4, value)
        assert f.number(buf, 2, 4) == value
        assert buf[:2] == b".." and buf[6:] == b".."
    f.put_number(buf, 2, 4, 123456)
    assert buf[2:6] == b"3456"


def test_copying_to_the_left_may_overlap():
    buf = bytearray(b"0123456789")
    f.copy(buf, 0, buf, 3, 7)
    assert bytes(buf) == b"3456789789"
    f.copy(buf, 5, b"abcd", 1, 0)
    assert bytes(buf) == b"3456789789"


def test_fill_and_blank_go_together():
    buf = bytearray(b"0123456789")
    f.fill(buf, 2, 5)
    assert bytes(buf) == b"01     789"
    assert f.is_blank(buf, 2, 5) and not f.is_blank(buf, 1, 5) and not f.is_blank(buf, 2, 6)
    f.fill(buf, 2, 2, 0)
    assert f.is_blank(buf, 2, 5)


def test_all_digits_and_same_look_at_every_octet():
    assert f.all_digits(b"x0123456789x", 1, 10)
    for bad in range(10):
        text = bytearray(b"0123456789")
        text[bad] = 0x2F if bad % 2 else 0x3A
        assert not f.all_digits(text, 0, 10)
        assert f.compare(b"0123456789", 0, text, 0, 10) != 0


def test_a_buffer_holds_octets_only_where_they_begin():
    for buf in (b"01230", bytearray(b"01230")):
        assert f.holds(buf, 0, bytearray(b"0123")) and f.holds(buf, 1, b"1230") and f.holds(buf, 4, b"0")
        assert not f.holds(buf, 0, b"123") and not f.holds(buf, 2, b"2301") and not f.holds(buf, 3, b"0")


def test_octets_are_compared_from_the_left():
    assert f.compare(b"x129", 1, b"130", 0, 3) == -1
    assert f.compare(b"x131", 1, b"130", 0, 3) == 1
    assert f.compare(b"x130", 1, b"1300", 0, 3) == 0 == f.compare(b"a", 0, b"b", 0, 0)
    assert f.compare(b"\x7f", 0, b"\x80", 0, 1) == -1


def test_text_that_is_not_ascii_becomes_question_marks_and_nul_a_blank():
    buf = bytearray(10)
    f.put_text(buf, 1, b"A\0\x7f\x1f\xc3\xa4~ ", 0, 8)
    assert bytes(buf) == b"\0A ????~ \0"
