"""Tightening IDs: ten digits on the wire, 32 bits that count up by one and begin again at 0 (OP 5.8.2 p. 144).

The ten digits hold more: who counts beyond the 32 bits begins again after 9999999999. From the first such ID on, all
that it is compared with lies on that longer circle. What comes after 4294967295 is 0, or 4294967296 where that leads to
an end beyond it.

Rules
1. The live path keeps an ID as ten digits: as an int it could exceed 2**30, which allocates on a 32-bit board.
2. IDs are ints on the rare paths only: what is missing, a reset, a walk back.
3. Two IDs are compared on the circle: "ahead" is less than half of it away.
4. 0 cannot be asked for, since it means the newest: `after` and `before` skip it. `following` and `preceding` do not: a
   range of missing IDs may go over 0, and end with it. Where it was made and is not in the log, it is gone.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import fill
from toolcart.agent.record.equality import put_digits
from toolcart.agent.record.result import ID_BYTES

ID_PERIOD = const(4294967296)
COUNT_MOST = const(0x3FFFFFFF)  # of IDs: what a number of the state can hold
_ID_LAST = 4294967295
_LONG_PERIOD = 10000000000

_HALF = 2147483648
_LONG_HALF = 5000000000
_OPEN = 1073741824  # a range as long as this has an unknown start

ZERO_DIGITS = b"0000000000"


def is_ahead(number, other):
    """True if `number` comes after `other`."""
    return 0 < ahead_by(number, other) < (_LONG_HALF if number > _ID_LAST or other > _ID_LAST else _HALF)


def ahead_by(number, other):
    """Return how many IDs `number` is ahead of `other`, at most the circle but one."""
    return (number - other) % (_LONG_PERIOD if number > _ID_LAST or other > _ID_LAST else ID_PERIOD)


def moved(number, by):
    """Return the ID that is `by` ahead of `number`, or so much behind it if that is negative."""
    return (number + by) % (_LONG_PERIOD if number > _ID_LAST else ID_PERIOD)


def after(number):
    """Return the next ID after `number` that can be asked for."""
    if 0 <= number < _ID_LAST:
        return number + 1  # a remainder of a large number would be allocated
    return moved(number, 1) or 1


def before(number):
    """Return the last ID before `number` that can be asked for."""
    return moved(number, -1) or _ID_LAST


def following(number, end=0):
    """Return the ID that is made after `number`, on the way to `end`."""
    return _ID_LAST + 1 if number == _ID_LAST < end else moved(number, 1)


def preceding(number):
    """Return the ID that is made before `number`."""
    return moved(number, -1)


def length_of(first, last):
    """Return how many IDs first..last are; 0 where `last` comes before `first`."""
    count = ahead_by(last, first)
    return count + 1 if count < (_LONG_HALF if first > _ID_LAST or last > _ID_LAST else _HALF) else 0


def is_within(number, first, last):
    """True if `number` is one of first..last."""
    return 0 < length_of(number, last) <= length_of(first, last)


def is_open(first, last):
    """True if it is not known where the range begins: see `open_below`."""
    return length_of(first, last) >= _OPEN


def open_below(number):
    """Return the first ID to note for a range that ends with `number` and has an unknown start."""
    return moved(number, -_OPEN - _OPEN // 2) or 1  # it may grow


def first_below(number):
    """Return the first of all IDs that a shared counter may have given, up to `number`."""
    return 1 if length_of(1, number) else open_below(number)


def increment(digits):
    """Add one to ten ASCII digits; 4294967295 is followed by 0."""
    index = ID_BYTES - 1
    while index >= 0:
        if digits[index] != 0x39:
            digits[index] += 1
            break
        digits[index] = 0x30
        index -= 1
    if digits[0] == 0x34 and digits == b"4294967296":
        fill(digits, 0, ID_BYTES, 0x30)


def id_of(digits, at):
    """Return the number of the ten digits at digits[at:]."""
    value = 0
    for index in range(ID_BYTES):
        value = value * 10 + digits[at + index] - 0x30
    return value


def id_at(buf, at):
    """Return the number of the ten bytes at buf[at:], padded with blanks on either side; -1 if it is none."""
    return id_of(_digits, 0) if put_digits(_digits, 0, buf, at) else -1


def is_some(digits, at):
    """True if the ten digits at digits[at:] are no 0, which some write where they have no ID."""
    for index in range(at, at + ID_BYTES):
        if digits[index] != 0x30:
            return True
    return False


def put_id(buf, at, value):
    """Write `value` as ten digits to buf[at:]."""
    for index in range(at + ID_BYTES - 1, at - 1, -1):
        buf[index] = 0x30 + value % 10
        value //= 10


def unpack_id(buf, at):
    """Return the number of the five bytes at buf[at:], two digits in each."""
    value = 0
    for index in range(5):
        value = value * 100 + (buf[at + index] >> 4) * 10 + (buf[at + index] & 0x0F)
    return value


def pack_id(buf, at, value):
    """Write `value` to the five bytes at buf[at:], two digits in each."""
    for index in range(at + 4, at - 1, -1):
        buf[index] = value // 10 % 10 << 4 | value % 10
        value //= 100


_digits = bytearray(ID_BYTES)
