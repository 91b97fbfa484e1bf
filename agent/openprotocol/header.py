"""The 20 bytes in front of every message, written in one form and read in all forms seen (protocol.md 2.1).

    octet  1     5    9    12     13      15      17   19    20
           | len | MID| rev|noack |station|spindle| seq|parts|part|

Offsets here count from 0. Blank, `000` and `001` are all revision 1; blank or zero station and spindle are 1.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number, put_number

HEADER_BYTES = const(20)
STATION = const(12)
SPINDLE = const(14)

_ZERO = const(0x30)
_BLANK = const(-16)  # from a zero


def put_header(buf, at, length, mid, revision):
    """Write a header with everything after the revision blank; `length` counts header and data, not the NUL.

    A `revision` of 0 is written as blanks, which mean 1 (OP 2.2.2 p. 26).
    """
    put_number(buf, at, 4, length)
    put_number(buf, at + 4, 4, mid)
    put_number(buf, at + 8, 3, revision)
    for index in range(8 if revision == 0 else 11, HEADER_BYTES):
        buf[at + index] = 0x20


def mid_of(buf, at):
    """Return the MID, or a negative number if its four bytes are not digits."""
    return number(buf, at + 4, 4)


def revision_of(buf, at):
    """Return the revision, padded with blanks or NULs on either side. Negative if it is not a number."""
    value = 0
    for index in range(8, 11):
        octet = buf[at + index]
        if octet == 0x20 or octet == 0:
            continue
        if octet < 0x30 or octet > 0x39:
            return -2
        value = value * 10 + octet - 0x30
    return value if value else 1


def place_of(buf, at):
    """Return the two digits at buf[at:], a station or a spindle; 0 where they are blank or not a number. Hot."""
    tens = buf[at] - _ZERO
    ones = buf[at + 1] - _ZERO
    if 0 <= ones <= 9:
        return tens * 10 + ones if 0 <= tens <= 9 else ones if tens == _BLANK or tens == -_ZERO else 0
    return tens if 0 <= tens <= 9 and (ones == _BLANK or ones == -_ZERO) else 0


def has_spindle_first(buf, at):
    """True if the header of this answer to MID 0001 has its spindle in front of its revision, 1 to 7.

    Zeros are a usual one where the other has octets that mean nothing, all the same.
    """
    for index in range(8, 13):
        if not 0x30 <= buf[at + index] <= (0x30 if 10 <= index < 12 else 0x37 if index == 12 else 0x39):
            return False
    if buf[at + 12] == 0x30:
        return False
    if buf[at + 8] == 0x30 and buf[at + 9] == 0x30:
        for index in range(14, HEADER_BYTES):
            if buf[at + index] != buf[at + 13]:
                return False
    return True


def sequence_of(buf, at):
    """Return the link-level sequence number 1..99, or 0 where it is not used."""
    value = number(buf, at + 16, 2)
    return value if value > 0 else 0
