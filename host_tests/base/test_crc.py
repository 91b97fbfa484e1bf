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


def test_table_gives_what_the_definition_gives():
    octets = bytes([(index * 37 + 11) & 0xFF for index in range(300)])
    for end in (0, 1, 2, 106, 255, 256, 300):
        assert crc30(octets, 0, end) == bitwise(octets[:end])


def test_pieces_give_what_the_whole_gives():
    octets = bytes(range(50))
    whole = crc30(octets, 0, 50)
    for cut in range(51):
        assert crc30(octets, cut, 50, crc30(octets, 0, cut)) == whole


def test_only_the_named_part_of_the_buffer_counts():
    assert crc30(b"xx123456789yy", 2, 11) == CHECK


def test_every_single_bit_and_every_neighbouring_pair_is_seen():
    octets = bytearray(b"2024-03-14:09:26:53" * 6)
    right = crc30(octets, 0, len(octets))
    for bit in range(len(octets) * 8):
        for mask in (1, 3):
            at = bit // 8
            kept = octets[at]
            octets[at] ^= mask << bit % 8 & 0xFF
            assert octets[at] == kept or crc30(octets, 0, len(octets)) != right
            octets[at] = kept


def test_erased_and_blank_flash_have_no_checksum_that_looks_like_themselves():
    for octet in (0x00, 0xFF):
        blank = bytes([octet] * 64)
        assert crc30(blank, 0, 60) not in (0, 0x3FFFFFFF)


def test_value_is_a_small_int_of_a_32_bit_board():
    for index in range(256):
        assert 0 <= crc30(bytes([index, 255 - index, index]), 0, 3) < 1 << 30
