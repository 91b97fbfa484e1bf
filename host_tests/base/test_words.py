"""Numbers below 2**30 and packed digits come back from a buffer as they went in."""

from toolcart.agent.base.words import TOO_LARGE, get_u32, pack_digits, put_u32, unpack_digits

PORTABLE = True


def test_numbers_come_back_little_endian():
    buf = bytearray(b"\xaa" * 8)
    put_u32(buf, 2, 0x01020304)
    assert bytes(buf) == b"\xaa\xaa\x04\x03\x02\x01\xaa\xaa"
    for value in (0, 1, 255, 256, 65535, 65536, 0xFFFFFF, 0x1000000, 0x3FFFFFFF):
        put_u32(buf, 2, value)
        assert get_u32(buf, 2) == value


def test_number_of_more_than_30_bits_is_told_apart_and_never_made():
    buf = bytearray(b"\x00\x00\x00\x40" + b"\xff" * 4)
    assert get_u32(buf, 0) == TOO_LARGE
    assert get_u32(buf, 4) == TOO_LARGE
    buf[3] = 0x3F
    assert get_u32(buf, 0) == 0x3F000000


def test_digits_are_packed_two_to_an_octet():
    buf = bytearray(b"\xee" * 7)
    pack_digits(buf, 1, b"..1234567890", 2, 10)
    assert bytes(buf) == b"\xee\x12\x34\x56\x78\x90\xee"
    text = bytearray(b"-" * 12)
    unpack_digits(text, 1, buf, 1, 10)
    assert bytes(text) == b"-1234567890-"


def test_every_pair_of_digits_comes_back():
    buf = bytearray(1)
    text = bytearray(2)
    for value in range(100):
        digits = ("%02d" % value).encode()
        pack_digits(buf, 0, digits, 0, 2)
        unpack_digits(text, 0, buf, 0, 2)
        assert bytes(text) == digits


def test_blanks_count_as_zeros_and_bit_rot_unpacks_to_digits_all_same():
    buf = bytearray(2)
    pack_digits(buf, 0, b"  12", 0, 4)
    assert bytes(buf) == b"\x00\x12"
    text = bytearray(2)
    for octet in range(256):
        unpack_digits(text, 0, bytes([octet]), 0, 2)
        assert 0x30 <= text[0] <= 0x39 and 0x30 <= text[1] <= 0x39
