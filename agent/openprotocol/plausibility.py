"""Whether a light result can be what the controller meant: for lines whose checksum is weak (3964R) or missing (ASCII).

An odd result is not refused for good: it is taken when it comes a second time exactly the same
(toolcart.agent.station.store), since noise does not repeat itself and a controller with odd habits does.

Odd is (MID 0061 revision 999, OP 5.8.2 p. 144)
1. a length other than the layout's, a control character anywhere, a single byte above 0x7E in the VIN (UTF-8 comes
   in twos), any outside it;
2. a time that is not a time, unless blank or zero; a change stamp with digits in it that is not a time;
3. statuses that contradict each other: OK with a torque or an angle that is not; a batch counter above its size.
"""

from toolcart.agent.base.compat import FAST, const
from toolcart.agent.base.fields import is_blank, number
from toolcart.agent.openprotocol.light_result import LIGHT_BYTES
from toolcart.agent.record.result import (
    ANGLE_STATUS,
    BATCH_COUNTER,
    BATCH_SIZE,
    TIGHTENING_STATUS,
    TORQUE_STATUS,
    is_time,
)

_HEADER = const(20)
_VIN_END = const(45)
_TIME = const(73)
_CHANGE = const(92)
_STAMP = const(19)


def plausible(body, start, buf, at, length):
    """True if the message buf[at:at+length], whose body is at body[start:], is not odd."""
    if length != LIGHT_BYTES or not _characters_fit(buf, at + _HEADER, at + _VIN_END, at + length):
        return False
    if not _stamp_fits(buf, at + _TIME) or not _stamp_fits(buf, at + _CHANGE):
        return False
    if body[start + TIGHTENING_STATUS] == 0x31:
        if _is_bad(body[start + TORQUE_STATUS]) or _is_bad(body[start + ANGLE_STATUS]):
            return False
    size = number(body, start + BATCH_SIZE, 4)
    return size <= 0 or number(body, start + BATCH_COUNTER, 4) <= size


def _is_bad(status):
    return status == 0x30 or status == 0x32


def _plain_characters_fit(buf, start, free_end, end):
    """True if all is text; before `free_end` two or more bytes above 0x7F are too (a VIN in another encoding)."""
    high = 0
    for index in range(start, end):
        octet = buf[index]
        if octet < 0x20 and octet != 0:
            return False
        if octet > 0x7E:
            if octet == 0x7F or index >= free_end:
                return False
            high += 1
    return high != 1


_characters_fit = _plain_characters_fit if FAST is None else FAST.characters_fit


def _stamp_fits(buf, at):
    """True for a time, a blank field, zeros for a time (trap 42), or words such as `Last Change Unknown`."""
    if is_time(buf, at) or is_blank(buf, at, _STAMP):
        return True
    digits = 0
    for index in range(at, at + _STAMP):
        octet = buf[index]
        if 0x31 <= octet <= 0x39:
            return False
        if octet == 0x30:
            digits += 1
    return digits == 0 or digits == 14
