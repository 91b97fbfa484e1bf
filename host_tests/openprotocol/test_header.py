"""The header is written in one form and read in every form that was seen (DIGEST A.1)."""

from toolcart.agent.openprotocol.header import put_header, revision_of

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


def test_revision_blank_zero_and_one_are_all_the_first():
    for octets in (b"   ", b"000", b"001", b"  1", b"1  ", b"\0\0\0", b" 1 "):
        assert revision_of(with_octets(8, octets), 0) == 1


def test_revision_may_be_padded_with_blanks_on_either_side():
    for octets, revision in ((b"999", 999), (b"998", 998), (b"  7", 7), (b"7  ", 7), (b"007", 7), (b" 12", 12)):
        assert revision_of(with_octets(8, octets), 0) == revision


def test_revision_that_is_no_number_is_negative():
    for octets in (b"x01", b"-01", b"1.0", b"\xff\xff\xff"):
        assert revision_of(with_octets(8, octets), 0) < 0
