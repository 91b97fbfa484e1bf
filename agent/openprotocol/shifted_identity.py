"""Finds the fields of a MID 0002 by their parameter IDs where these are not in the places of its layout.

Imported when the first such message comes; it allocates.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.parameter_ids import ID_BYTES, has_id
from toolcart.agent.openprotocol.shifted_fields import straightened

_EARLY_COUNT = const(13)  # fields of revision 6 before release 2.7 (OP 1.1 p. 15)
_NUMBERS = const(2)  # in front of the first text


def straight(widths, count, buf, at, length):
    """Return a copy of the MID 0002 at buf[at:at+length] with its first `count` fields in their places.

    Where they are not found it ends in front of the first text, or of a number that is not followed by the next ID.
    """
    copies = straightened(widths, count, buf, at, length)
    if not copies and count > _EARLY_COUNT:
        copies = straightened(widths, _EARLY_COUNT, buf, at, length)
    if copies and copies[0]:
        return copies[0]
    known = place = at + HEADER_BYTES
    for index in range(_NUMBERS + 1):
        if place + ID_BYTES > at + length or not has_id(buf, place, index + 1):
            break
        known = place
        place += ID_BYTES + widths[index]
    return bytes(buf[at:known])
