"""The checksum of a record sees what damage does, in any pieces, and never leaves 30 bits."""

from toolcart.agent.base.crc import crc30

PORTABLE = True

CHECK = 0x1790FBF6  # of b"123456789", from the module's own definition of the polynomial


def bitwise(octets):
    """The same CRC by its definition, bit by bit: polynomial 0x2030B9C7 reflected, start all ones."""
    value = (1 << 30) - 1
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = (value >> 1) ^ 0x38E74301 if value & 1 else value >> 1
    return value


def reflected(value, bits):
    turned = 0
    for bit in range(bits):
        if value >> bit & 1:
            turned |= 1 << (bits - 1 - bit)
    return turned


def test_check_value_and_polynomial_are_the_documented_ones():
    assert crc30(b"123456789", 0, 9) == CHECK == bitwise(b"123456789")
    assert reflected(0x2030B9C7, 30) == 0x38E74301


def test_erased_and_blank_flash_have_no_checksum_that_looks_like_themselves():
    for octet in (0x00, 0xFF):
        blank = bytes([octet] * 64)
        assert crc30(blank, 0, 60) not in (0, 0x3FFFFFFF)


def test_value_is_a_small_int_of_a_32_bit_board():
    for index in range(256):
        assert 0 <= crc30(bytes([index, 255 - index, index]), 0, 3) < 1 << 30
