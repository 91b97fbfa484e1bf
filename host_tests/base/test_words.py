"""Numbers below 2**30 and packed digits come back from a buffer as they went in."""

from toolcart.agent.base.words import TOO_LARGE, get_u32

PORTABLE = True


def test_number_of_more_than_30_bits_is_told_apart_and_never_made():
    buf = bytearray(b"\x00\x00\x00\x40" + b"\xff" * 4)
    assert get_u32(buf, 0) == TOO_LARGE
    assert get_u32(buf, 4) == TOO_LARGE
    buf[3] = 0x3F
    assert get_u32(buf, 0) == 0x3F000000
