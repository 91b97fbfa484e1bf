"""Where each field of a result stands in the long layouts of MID 0061 and 0065, as data; brings them into the body.

One row per layout: the octet of the message (counted from 1 as in the documents) at which each field of
`agent.record.result` begins, in the body's order; 0 where the layout has no such field. Widths are the body's, but
`job` and `pset` follow the layout. Sources: DIGEST D.3 (003:5718-5877), D.4 (003:5880-6404), D.5 (003:6565-7019).
Revision 999 has its own reader, `agent.openprotocol.light`; this module is imported when another one comes.
"""

from agent.base.fields import BAD, all_digits, copy, fill, is_blank, number
from agent.record.result import (
    BODY_BYTES,
    LIMITS_BYTES,
    RESULT_READ,
    RESULT_UNREADABLE,
    put_time,
    statuses_fit,
)

_ID = 13  # which of the body's fields

# width of each field in the body, in its order; then of each field of the limits
_WIDTHS = b"\x19\x04\x04\x04\x04\x01\x01\x01\x01\x06\x05\x07\x13\x0a\x0e"
_LIMIT_WIDTHS = b"\x06\x06\x06\x05\x05\x05\x01\x02"
_NUMERIC = b"\x00\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x00\x00\x01\x00"

#          job width | vin job pset size count bs ts qs as torque angle time change id serial | limits | octets needed
_PUSHED_1 = (
    2,
    (60, 87, 91, 96, 102, 219, 108, 111, 114, 141, 170, 177, 198, 222, 0),
    (117, 125, 133, 149, 156, 163, 0, 0),
    231,
)
_PUSHED_2 = (
    4,
    (60, 87, 93, 109, 115, 124, 121, 127, 130, 184, 213, 346, 367, 304, 330),
    (160, 168, 176, 192, 199, 206, 415, 418),
    385,
)
_FETCHED_1 = (2, (35, 0, 62, 0, 67, 118, 73, 76, 79, 82, 90, 97, 0, 23, 0), None, 118)
_FETCHED_2 = (
    4,
    (35, 62, 68, 84, 90, 99, 96, 102, 105, 135, 143, 208, 0, 23, 192),
    (0, 0, 0, 0, 0, 0, 229, 232),
    226,
)


def layout_of(mid, revision):
    """Return the layout of a result message by the revision in its own header, None for one that nobody documents."""
    if mid == 61:
        if revision == 1:
            return _PUSHED_1
        return _PUSHED_2 if 2 <= revision <= 7 or revision == 998 else None
    if revision == 1:
        return _FETCHED_1
    return _FETCHED_2 if 2 <= revision <= 7 else None


def place_of_id(revision):
    """Return at which octet, from 0 on, the tightening ID of MID 0061 stands; of revision 2 if this one is unknown."""
    return (layout_of(61, revision) or _PUSHED_2)[1][_ID] - 1


def read_result(layout, buf, at, length, body, start):
    """Bring the message buf[at:at+length] into body[start:]; RESULT_UNREADABLE if a number is none or it is too short.

    A field that ends behind the message is absent. Octets behind the layout are ignored.
    """
    job_width, places, _, needed = layout
    if length < needed:
        return RESULT_UNREADABLE
    begin = start
    for index in range(15):
        width = _WIDTHS[index]
        place = places[index]
        if not place:
            fill(body, start, width)
        elif index == 11:
            put_time(body, begin, buf, at + place - 1)
        else:
            used = width
            if index == 1:
                used = job_width
            elif index == 2:
                used = 3
            place += at - 1
            if _NUMERIC[index] and not _is_number(buf, place, used):
                return RESULT_UNREADABLE
            fill(body, start, width - used, 0x20 if is_blank(buf, place, used) else 0x30)
            copy(body, start + width - used, buf, place, used)
        start += width
    return RESULT_READ if statuses_fit(body, begin) else RESULT_UNREADABLE


def read_limits(layout, buf, at, length, limits, start):
    """Bring limits, targets, unit and result type into limits[start:]; 0 if the layout has none, else LIMITS_BYTES."""
    places = layout[2]
    if places is None:
        return 0
    begin = start
    for index in range(8):
        width = _LIMIT_WIDTHS[index]
        place = places[index]
        if not place or place - 1 + width > length or not _is_number(buf, at + place - 1, width):
            fill(limits, start, width)
        else:
            copy(limits, start, buf, at + place - 1, width)
        start += width
    return start - begin


def _is_number(buf, place, width):
    if width == 10:
        return all_digits(buf, place, 10) or is_blank(buf, place, 10)
    return number(buf, place, width) != BAD


assert BODY_BYTES == sum(_WIDTHS) and LIMITS_BYTES == sum(_LIMIT_WIDTHS)
