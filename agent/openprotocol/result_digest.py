"""ID, time and values of a result in 16 bytes, and whether two such digests are of one result.

octet  0      5      12       15      16
       |ID    |time  |torque  |angle  |
       | BCD  | BCD  | 6 digits, its last two: two to a byte; 0xFF where unknown
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import compare, copy, fill, pack_digits, put_u32
from toolcart.agent.openprotocol.ids import pack_id
from toolcart.agent.record import result as res

FINGERPRINT_BYTES = const(16)

TIME = const(5)
_SECOND = const(11)
_VALUES = const(12)
_ANGLE = const(15)


def put_digest(digest, to, body, start, flags):
    """Write ID, time and values of the body at body[start:] to digest[to:]."""
    pack_digits(digest, to, body, start + res.TIGHTENING_ID, res.ID_BYTES)
    if flags & res.FLAG_EDGE_TIME:
        fill(digest, to + TIME, res.TIME_BYTES, 0)
    else:
        copy(digest, to + TIME, body, start + res.TIME, res.TIME_BYTES)
    put_values(digest, to, body, start)
    if flags & res.FLAG_ODD:  # then MID 0061 and 0065 may give the angle in two ways
        digest[to + _ANGLE] = 0xFF


def put_values(digest, to, body, start):
    if body[start + res.TORQUE] == 0x20:
        fill(digest, to + _VALUES, 4, 0xFF)
        return
    pack_digits(digest, to + _VALUES, body, start + res.TORQUE, res.TORQUE_BYTES)
    start += res.ANGLE
    blank = body[start] == 0x20
    digest[to + _ANGLE] = 0xFF if blank else (body[start + 3] & 0x0F) << 4 | body[start + 4] & 0x0F


def put_unread(digest, number, check=-1):
    """Write the digest of a result of which only the ID can be read; `check`, unless negative, identifies its frame."""
    pack_id(digest, 0, number)
    fill(digest, TIME, res.TIME_BYTES, 0 if check < 0 else 0xEE)  # a time that no readable result has
    fill(digest, _VALUES, 4, 0xFF)
    if check >= 0:
        put_u32(digest, _VALUES, check & 0x3FFFFF7F)  # its first byte must not be 0xFF, unknown


def contents_of(digest):
    """Return what tells time and values of a result from others', under any ID; 0 if it has no time or no torque.

    Of one of which only the ID can be read that is the check of its frame.
    """
    if not digest[TIME + 2] or digest[_VALUES] == 0xFF:
        return 0
    if not (is_unread(digest) or digest[_VALUES] or digest[_VALUES + 1] or digest[_VALUES + 2]):
        return 0
    return crc30(digest, TIME, FINGERPRINT_BYTES) or 1


def is_unread(digest):
    """True if only the ID of this result can be read."""
    return digest[TIME] == 0xEE


def two_digits(digest, at):
    """Return the two digits of an octet of a digest as a number."""
    return (digest[at] >> 4) * 10 + (digest[at] & 0x0F)


def same(one, other):
    """True if both digests are of one result. What one of them lacks is not compared."""
    return compare(one, 0, other, 0, TIME) == 0 and fit(one, other)


def are_of_one(one, other):
    """True if both have the same ID and time."""
    return compare(one, 0, other, 0, TIME) == 0 and compare(one, TIME, other, TIME, res.TIME_BYTES) == 0


def fit(one, other):
    """True if time and values are the same. What one of them lacks is not compared."""
    if one[TIME + 2] and other[TIME + 2] and compare(one, TIME, other, TIME, res.TIME_BYTES):  # a month: a time
        return False
    return _have_same_values(one, other)


def _have_same_values(one, other):
    if one[_VALUES] != 0xFF and other[_VALUES] != 0xFF and compare(one, _VALUES, other, _VALUES, 3):
        return False
    return one[_ANGLE] == 0xFF or other[_ANGLE] == 0xFF or one[_ANGLE] == other[_ANGLE]


def are_alike(one, other):
    """True if both have a time, and the same time and values, under any ID. One second may be 0: some keep none."""
    if not (one[TIME + 2] and other[TIME + 2]) or compare(one, TIME, other, TIME, _SECOND - TIME):
        return False  # without a time there would be little to compare
    has_second = one[_SECOND] and other[_SECOND]
    return (one[_SECOND] == other[_SECOND] or not has_second) and _have_same_values(one, other)
