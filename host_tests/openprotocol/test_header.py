"""The header is written in one form and read in every form that was seen (DIGEST A.1)."""

from toolcart.agent.openprotocol import replies as r
from toolcart.agent.openprotocol.header import put_header, revision_of
from toolcart.agent.openprotocol.ids import ID_PERIOD, id_of, increment, put_id

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


# Tightening IDs count from 4294967295 on to 0, as digits and as numbers, and are compared on that circle.

NUMBERS = (0, 1, 9, 10, 99999, 100000, 1234567, 2147483647, 2147483648, 4294967294, 4294967295)


def test_digits_are_incremented_like_numbers_and_wrap_after_32_bits():
    for number in NUMBERS:
        digits = bytearray(10)
        put_id(digits, number)
        increment(digits)
        assert id_of(digits, 0) == (number + 1) % ID_PERIOD


# Every error code of MID 0004 has the meaning that DIGEST C.2 gives it.

# Written from DIGEST C.2, "Reaction". Codes that are not here are OTHER.
REACTIONS = (
    ((6, 9, 11, 13, 18, 71), r.REFUSED_EXISTS),
    ((7, 10, 12, 14, 19, 72), r.REFUSED_MISSING),
    ((97, 74, 76), r.REFUSED_REVISION),
    ((96, 16, 35), r.REFUSED_BUSY),
    ((98, 28, 27), r.REFUSED_LATER),
    ((99, 73, 75), r.REFUSED_NEVER),
    ((15,), r.REFUSED_GONE),
)


def test_each_code_from_0_to_999_has_the_class_of_the_digest():
    wanted = {}
    for codes, kind in REACTIONS:
        for code in codes:
            wanted[code] = kind
    for code in range(1000):
        assert r.refusal_class(code) == wanted.get(code, r.REFUSED_OTHER), code


def test_classes_are_different_numbers_below_16():
    kinds = [kind for _, kind in REACTIONS] + [r.REFUSED_OTHER]
    assert len(set(kinds)) == 8 and max(kinds) < 16 and min(kinds) == 0
