"""Tightening IDs count from 4294967295 on to 0, as digits and as numbers, and are compared on that circle."""

from toolcart.agent.openprotocol.ids import ID_PERIOD, id_of, increment, is_ahead, put_id, unpack_id

PORTABLE = True

NUMBERS = (0, 1, 9, 10, 99999, 100000, 1234567, 2147483647, 2147483648, 4294967294, 4294967295)


def test_digits_and_numbers_are_the_same_thing():
    digits = bytearray(10)
    for number in NUMBERS:
        put_id(digits, number)
        assert bytes(digits) == ("%010d" % number).encode()
        assert id_of(b"##" + digits + b"#", 2) == number
        packed = bytes([(digits[i] & 15) << 4 | (digits[i + 1] & 15) for i in range(0, 10, 2)])
        assert unpack_id(b"#" + packed, 1) == number


def test_digits_are_incremented_like_numbers_and_wrap_after_32_bits():
    for number in NUMBERS:
        digits = bytearray(10)
        put_id(digits, number)
        increment(digits)
        assert id_of(digits, 0) == (number + 1) % ID_PERIOD


def test_ahead_is_less_than_half_the_circle():
    for number in NUMBERS:
        assert not is_ahead(number, number)
        for step in (1, 2, 500, 100000, 2147483647):
            assert is_ahead((number + step) % ID_PERIOD, number)
            assert not is_ahead(number, (number + step) % ID_PERIOD)
        assert not is_ahead((number + 2147483648) % ID_PERIOD, number)
