"""The header is written in one form and read in every form that was seen (DIGEST A.1)."""

from toolcart.agent.openprotocol.header import mid_of, put_header, revision_of, sequence_of, spindle_of

PORTABLE = True


def with_octets(at, octets):
    head = bytearray(b"00200061999 0101    ")
    head[at : at + len(octets)] = octets
    return head


def test_written_header_is_the_one_of_the_documents():
    buf = bytearray(b"#" * 24)
    put_header(buf, 2, 20, 1, 5)
    assert bytes(buf) == b"##00200001005         ##"
    put_header(buf, 2, 31, 64, 2)
    assert bytes(buf) == b"##00310064002         ##"


def test_mid_is_four_digits_or_negative():
    assert mid_of(b"..00200061999 0101    ", 2) == 61
    assert mid_of(with_octets(4, b"9999"), 0) == 9999
    for octets in (b"006x", b"    ", b" 061", b"\0\0\0\0", b"\xff\xff\xff\xff"):
        assert mid_of(with_octets(4, octets), 0) < 0


def test_revision_blank_zero_and_one_are_all_the_first():
    for octets in (b"   ", b"000", b"001", b"  1", b"1  ", b"\0\0\0", b" 1 "):
        assert revision_of(with_octets(8, octets), 0) == 1


def test_revision_may_be_padded_with_blanks_on_either_side():
    for octets, revision in ((b"999", 999), (b"998", 998), (b"  7", 7), (b"7  ", 7), (b"007", 7), (b" 12", 12)):
        assert revision_of(with_octets(8, octets), 0) == revision


def test_revision_that_is_no_number_is_negative():
    for octets in (b"x01", b"-01", b"1.0", b"\xff\xff\xff"):
        assert revision_of(with_octets(8, octets), 0) < 0


def test_spindle_blank_zero_or_garbage_is_the_first():
    for octets in (b"  ", b"00", b"01", b"x1", b"\0\0"):
        assert spindle_of(with_octets(14, octets), 0) == 1
    assert spindle_of(with_octets(14, b"07"), 0) == 7
    assert spindle_of(with_octets(14, b"99"), 0) == 99


def test_sequence_number_blank_zero_or_garbage_is_not_used():
    for octets in (b"  ", b"00", b"x1", b" 1", b"\0\0"):
        assert sequence_of(with_octets(16, octets), 0) == 0
    for number in (1, 2, 50, 99):
        assert sequence_of(with_octets(16, ("%02d" % number).encode()), 0) == number
