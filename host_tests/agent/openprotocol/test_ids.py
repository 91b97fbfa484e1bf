"""Tightening IDs count from 4294967295 on to 0, as digits and as numbers, and are compared on that circle."""

from toolcart.agent.openprotocol.ids import ID_PERIOD, id_of, increment, put_id

PORTABLE = True


EDGES = (0, 1, 9, 10, 99999, 100000, 1234567, 2147483647, 2147483648, 4294967294, 4294967295)


def test_digits_are_incremented_like_numbers_and_wrap_after_32_bits():
    for number in EDGES:
        digits = bytearray(10)
        put_id(digits, 0, number)
        increment(digits)
        assert id_of(digits, 0) == (number + 1) % ID_PERIOD
