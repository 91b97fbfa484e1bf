"""Where each field of a result is in MID 0061 and 0065, as data; brings them into the body, with care.

One row per layout: the byte of the message (counted from 1 as in the documents) at which each field of
`toolcart.agent.record.result` begins, in the body's order; 0 where the layout has no such field. Widths are the body's,
but `job` and `pset` follow the layout. Sources: OP 5.8.2 p. 134-144 and OP 5.8.6 p. 146-152 (protocol.md
5.2 to 5.5), and for revisions 8 to 11 the later releases (2.10 to 2.17), which leave every earlier byte in place.

Rules
1. An unknown revision of a known chain is read as far as the chain is known.
2. A message is a result if two of ID, time and status can be read, or if nothing in it is odd; else it is unreadable.
3. A number that is padded, signed or has a point is read (`put_careful`). What is not a number, or a status that does
   not exist, stays as it came: RESULT_ODD. A field beyond the end of the message is absent.
4. Nothing is read from a place that is not proven: every parameter ID is where the revision has it and the message
   ends with the last field (`in_place`), or else toolcart.agent.openprotocol.shifted_result finds what can be read of
   it. Revision 999 has no IDs: its length and the separators of its time stamps are its proof.
5. A torque is one of its unit: 1 to 8, or blank, which says nothing, so Nm (OP 2.3 p. 30, OP 2.3.1 p. 31). With
   anything else there the message is unreadable.
6. From revision 10 on every angle is to be multiplied by a scale that the message carries. Its digits stay as they
   are; the record says how many of them are decimals.

A light message in order has its own reader, `toolcart.agent.openprotocol.light_result`; this module is imported when
any other comes.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import BAD, all_digits, copy, fill, is_blank, number
from toolcart.agent.openprotocol.header import HEADER_BYTES, mid_of, revision_of
from toolcart.agent.openprotocol.light_result import LIGHT_BYTES, is_proven
from toolcart.agent.openprotocol.parameter_ids import end_of, has_id
from toolcart.agent.record.result import (
    ANGLE,
    ANGLE_BYTES,
    ANGLE_DECIMALS,
    ANGLE_MAX,
    ANGLE_MIN,
    ANGLE_TARGET,
    BODY_BYTES,
    LIMITS_BYTES,
    RESULT_ODD,
    RESULT_PADDED,
    RESULT_READ,
    RESULT_UNREADABLE,
    STATUSES_MOST,
    TIGHTENING_ID,
    TIGHTENING_STATUS,
    has_odd_change,
    has_time,
    put_time,
)

# Indexes of the body's fields.
_JOB = 1
_PSET = 2
_STATUS_FIRST, _STATUS_LAST = 5, 8
_TORQUE = 9
_ANGLE = const(10)
_TIME = 11
_ID = 13
_UNIT = 6  # of the limits

# Width of each field in the body, in its order; then of each field of the limits.
_WIDTHS = b"\x19\x04\x04\x04\x04\x01\x01\x01\x01\x06\x05\x07\x13\x0a\x0e"
_LIMIT_WIDTHS = b"\x06\x06\x06\x05\x05\x05\x01\x02"
_NUMERIC = b"\x00\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x00\x00\x01\x00"
_STAMP_BYTES = 19
_SCALE_BYTES = 5
_DECIMALS = 2  # of a torque
_POWERS = {10: 1, 100: 2, 1000: 3, 10000: 4}  # of ten: how many digits are decimals

#          job width | vin job pset size count bs ts qs as torque angle time change id serial | limits | angle scale
_LIGHT = (2, (21, 46, 48, 51, 55, 59, 60, 61, 62, 63, 69, 74, 93, 112, 0), None, None)
_LIGHT_ID = 111  # of the tightening ID in revision 999 (protocol.md 5.2), from the message's first byte
_PUSHED_1 = (
    2,
    (60, 87, 91, 96, 102, 219, 108, 111, 114, 141, 170, 177, 198, 222, 0),
    (117, 125, 133, 149, 156, 163, 0, 0),
    None,
)
_PUSHED_2 = (
    4,
    (60, 87, 93, 109, 115, 124, 121, 127, 130, 184, 213, 346, 367, 304, 330),
    (160, 168, 176, 192, 199, 206, 415, 418),
    None,
)
_PUSHED_10 = _PUSHED_2[:3] + ((595, 602),)
_FETCHED_1 = (2, (35, 0, 62, 0, 67, 118, 73, 76, 79, 82, 90, 97, 0, 23, 0), None, None)
_FETCHED_2 = (
    4,
    (35, 62, 68, 84, 90, 99, 96, 102, 105, 135, 143, 208, 0, 23, 192),
    (0, 0, 0, 0, 0, 0, 229, 232),
    None,
)
_FETCHED_10 = _FETCHED_2[:3] + ((430, 437),)

# The fields of each chain (toolcart.agent.openprotocol.parameter_ids), and how many the revisions from 2 on have.
_FIELDS_PUSHED_1 = b"\x04\x02\x99\x99\x02\x03\x04\x04\x01\x01\x01\x06\x06\x06\x06\x05\x05\x05\x05\x13\x13\x01\x0a"
_FIELDS_PUSHED_2 = (
    b"\x04\x02\x99\x99\x04\x03\x02\x05\x04\x04\x01\x01\x01\x01\x01\x01\x01\x01\x01\x0a"
    b"\x06\x06\x06\x06\x05\x05\x05\x05\x05\x05\x05\x03\x03\x03\x06\x06\x06\x06\x06\x06\x0a\x05\x05\x8e\x13\x13"
    b"\x99\x01\x02\x99\x99\x99\x84\x06\x0a\x07\x07\x06\x01\x06\x06\x05\x05\x05"
    b"\x05\x05\x01\x05\x05\x05\x06\x06\x06\x06\x06\x05"
)
_FIELDS_FETCHED_1 = b"\x0a\x99\x03\x04\x01\x01\x01\x06\x05\x13\x01"
_FIELDS_FETCHED_2 = (
    b"\x0a\x99\x04\x03\x02\x05\x04\x04\x01\x01\x01\x01\x01\x01\x01\x01\x01\x0a\x06\x05\x05\x03\x06\x06\x05\x05\x8e\x13"
    b"\x01\x02\x99\x99\x99\x84\x06\x0a\x0a\x99\x06\x01\x06\x06\x05\x05\x05\x05\x05\x01\x05\x05\x05\x06\x06\x06\x06\x06\x05"
)
_COUNTS_PUSHED = b"\x2e\x31\x34\x35\x37\x39\x3d\x40\x4a\x4c"
_COUNTS_FETCHED = b"\x1c\x1e\x21\x22\x24\x26\x2a\x2d\x37\x39"
LAST_REVISION = const(11)
_STAGES = const(998)
_STAGE_BYTES = const(11)


def layout_of(mid, revision):
    """Return the layout of a result message by the revision in its own header, None if there is none."""
    pushed = mid == 61
    if revision == 999 and pushed:
        return _LIGHT
    if revision == 998 and pushed:  # a branch of revision 6
        return _PUSHED_2
    if revision >= 10:
        return _PUSHED_10 if pushed else _FETCHED_10
    if revision >= 2:
        return _PUSHED_2 if pushed else _FETCHED_2
    if revision == 1:
        return _PUSHED_1 if pushed else _FETCHED_1
    return None


def fields_of(mid, revision):
    """Return the fields of a message (toolcart.agent.openprotocol.parameter_ids), and how many this revision has."""
    pushed = mid == 61
    if revision == 1:
        fields = _FIELDS_PUSHED_1 if pushed else _FIELDS_FETCHED_1
        return fields, len(fields)
    index = (6 if revision == _STAGES and pushed else min(revision, LAST_REVISION)) - 2
    if pushed:
        return _FIELDS_PUSHED_2, _COUNTS_PUSHED[index]
    return _FIELDS_FETCHED_2, _COUNTS_FETCHED[index]


def in_place(mid, revision, buf, at, length):
    """True if every field of a MID 0061 or 0065 is where its revision has it, to the last octet. Rule 4.

    Hot: allocates nothing.
    """
    if revision == 999 and mid == 61:
        return length >= LIGHT_BYTES and is_proven(buf, at, length)
    end = at + length
    fields, count = fields_of(mid, revision)
    rest = end_of(fields, count, buf, at + HEADER_BYTES, end)
    if revision <= LAST_REVISION:
        return rest == end
    return rest > 0 and rest_fits(mid, revision, buf, rest, end)


def rest_fits(mid, revision, buf, place, end):
    """True if buf[place:end] can follow the fields of `fields_of`: stages, or what a later revision adds."""
    if revision != _STAGES or mid != 61:
        return place == end or (place + 2 <= end and has_id(buf, place, fields_of(mid, revision)[1] + 1))
    if place + 8 > end or not has_id(buf, place, 56) or not has_id(buf, place + 4, 57):
        return False
    stages = number(buf, place + 6, 2)
    stages_end = place + 10 + stages * _STAGE_BYTES
    return stages_end == end and stages >= 0 and has_id(buf, place + 8, 58)


def place_of_id(revision):
    """Return the offset of the tightening ID in MID 0061; that of revision 2 if this one is unknown."""
    return _LIGHT_ID if revision == 999 else (layout_of(61, revision) or _PUSHED_2)[1][_ID] - 1


def read_whole(layout, buf, at, length, body, start):
    """Bring the message, whose fields are in place, into body[start:], limits and all; a RESULT_ and its length."""
    if not names_unit(layout, buf, at, length):
        return RESULT_UNREADABLE, BODY_BYTES
    read = read_result(layout, buf, at, length, body, start)
    octets = read_limits(layout, buf, at, length, body, start + BODY_BYTES) if read else 0
    if not octets:
        return read, BODY_BYTES
    if octets < 0:
        read = RESULT_ODD
    return max(read, scale_angles(layout, buf, at, length, body, start)), BODY_BYTES + LIMITS_BYTES


def names_unit(layout, buf, at, length):
    """True unless the unit of the message's torques is one that does not exist. Rule 5."""
    place = layout[2][_UNIT] if layout[2] else 0
    if not place or place > length:
        return True
    octet = buf[at + place - 1]
    return 0x31 <= octet <= 0x38 or octet == 0x20 or octet == 0


def has_undefined_unit(buf, at, length):
    """True if the frame at buf[at:at+length] is a MID 0061 or 0065 whose unit of torque does not exist."""
    mid = mid_of(buf, at) if length >= HEADER_BYTES else 0
    if mid != 61 and mid != 65:
        return False
    revision = revision_of(buf, at)
    layout = layout_of(mid, revision)
    if layout is None or names_unit(layout, buf, at, length):
        return False
    return in_place(mid, revision, buf, at, length)


def read_result(layout, buf, at, length, body, start):
    """Bring the message buf[at:at+length] into body[start:]. Bytes beyond the layout are ignored.

    Return RESULT_READ, RESULT_PADDED if something is not written as documented but the body is as usual, RESULT_ODD if
    the body keeps something as it came, or RESULT_UNREADABLE.
    """
    begin = start
    code = RESULT_READ
    for index in range(15):
        width = _WIDTHS[index]
        place = layout[1][index]
        used = layout[0] if index == _JOB else 3 if index == _PSET else _STAMP_BYTES if index == _TIME else width
        if place and place - 1 + used > length:
            place = 0
            code = max(code, RESULT_PADDED)
        if not place:
            fill(body, start, width, 0 if index == _TIME else 0x20)
        elif index == _TIME:
            put_time(body, begin, buf, at + place - 1)
        elif _STATUS_FIRST <= index <= _STATUS_LAST:
            code = max(code, _put_status(body, start, buf[at + place - 1], STATUSES_MOST[index - _STATUS_FIRST]))
        elif _NUMERIC[index]:
            decimals = _DECIMALS if index == _TORQUE else 0 if index == _ANGLE else -1
            code = max(code, _put_digits(body, start, width, buf, at + place - 1, used, decimals))
        else:
            copy(body, start, buf, at + place - 1, used)
        start += width
    if has_odd_change(body, begin):
        code = max(code, RESULT_PADDED)
    if code == RESULT_READ or _is_made_out(body, begin):
        return code
    return RESULT_UNREADABLE


def read_limits(layout, buf, at, length, limits, start):
    """Bring limits, targets, unit and result type into limits[start:]; the decimals of the angles are left blank.

    Return 0 if the layout has none, else LIMITS_BYTES, -LIMITS_BYTES if one has a sign or is none: it stays as it came.
    """
    places = layout[2]
    if places is None:
        return 0
    octets = LIMITS_BYTES
    for index in range(8):
        width = _LIMIT_WIDTHS[index]
        place = places[index]
        if not place or place - 1 + width > length:
            fill(limits, start, width)
        elif _put_digits(limits, start, width, buf, at + place - 1, width, _DECIMALS if index < 3 else 0) == RESULT_ODD:
            octets = -LIMITS_BYTES
        start += width
    limits[start] = 0x20
    return octets


def scale_angles(layout, buf, at, length, body, start):
    """Say in the limits after body[start:] how many digits of the angles are decimals; RESULT_READ for whole degrees.

    A scale that is not a power of ten is multiplied out; angles whose scale is no number or was cut off are no numbers.
    """
    if layout[3] is None:
        return RESULT_READ
    limits = start + BODY_BYTES
    from toolcart.agent.record.malformed import keep_unread  # such an angle is odd, or has decimals

    angles = (start + ANGLE, limits + ANGLE_MIN, limits + ANGLE_MAX, limits + ANGLE_TARGET)
    numerator = denominator = BAD
    if layout[3][1] - 1 + _SCALE_BYTES <= length:
        numerator = number(buf, at + layout[3][0] - 1, _SCALE_BYTES)
        denominator = number(buf, at + layout[3][1] - 1, _SCALE_BYTES)
    if numerator == BAD or denominator == BAD:
        for place in angles:
            keep_unread(body, place, ANGLE_BYTES, body[place : place + ANGLE_BYTES])
        return RESULT_ODD
    if numerator <= 0 or denominator <= 0 or numerator == denominator:  # not filled in, or whole degrees
        return RESULT_READ
    decimals = _POWERS.get(denominator, 0) if numerator == 1 else 0
    if decimals:
        body[limits + ANGLE_DECIMALS] = 0x30 + decimals
    else:
        for place in angles:
            _multiply(body, place, numerator, denominator, keep_unread)
    return RESULT_ODD


def _multiply(body, place, numerator, denominator, keep_unread):
    """Scale an angle to whole degrees, truncated like all figures of these messages; no number if it is too wide."""
    text = bytes(body[place : place + ANGLE_BYTES])
    sign = text[:1] if text[:1] == b"-" else b""
    digits = text[len(sign) :]
    if digits.isdigit():
        digits = b"%d" % (int(digits) * numerator // denominator)
        if not _put_number(body, place, ANGLE_BYTES, sign, digits):
            keep_unread(body, place, ANGLE_BYTES, sign + digits)


def _put_number(body, start, width, sign, digits):
    """Write the sign, zeros and the digits into the field; False, and nothing written, if they do not fit."""
    if len(sign) + len(digits) > width:
        return False
    fill(body, start, width, 0x30)
    copy(body, start, sign, 0, len(sign))
    copy(body, start + width - len(digits), digits, 0, len(digits))
    return True


def _put_status(body, at, octet, most):
    if octet == 0:
        octet = 0x20
    body[at] = octet
    return RESULT_READ if octet == 0x20 or 0x30 <= octet <= most else RESULT_ODD


def _put_digits(body, start, width, buf, place, used, decimals):
    if all_digits(buf, place, used):
        fill(body, start, width - used, 0x30)
        copy(body, start + width - used, buf, place, used)
        return RESULT_READ
    if is_blank(buf, place, used):
        fill(body, start, width)
        return RESULT_READ
    if put_careful(body, start, width, buf, place, used, decimals) and body[start] != 0x2D:
        return RESULT_PADDED
    return RESULT_ODD


def put_careful(body, start, width, buf, place, used, decimals):
    """Bring the number at buf[place:place+used] into body[start:start+width]; False if it is none: it stays as it came.

    b"12   " -> 00012      padded on the other side: the document's own examples pad IDs this way (OP 5.8.5 p. 146)
    b"-0012" -> -0012      the sign first, then the digits
    b"012.34" -> 001234    with two `decimals`, the rest is cut off like in the documents' own figures (OP 5.8.2 p.
                           134); with none an angle loses what is after the point; below 0 a number with a point is none
    b".5" -> 000050        likewise
    """
    text = bytes(buf[place : place + used]).strip(b" ")  # a NUL may have taken a digit's place
    sign = text[:1] if text[:1] in (b"-", b"+") else b""
    digits = text[len(sign) :]
    point = digits.find(b".")
    if point == 0 and len(digits) > 1:
        digits = b"0" + digits
        point = 1
    if point > 0:
        fraction = digits[point + 1 :]
        if decimals < 0 or (fraction and not fraction.isdigit()):
            digits = b""
        else:
            digits = digits[:point] + (fraction + b"00")[:decimals]
    digits = digits.strip(b" ") if sign else digits
    while len(digits) > 1 and digits[0] == 0x30:
        digits = digits[1:]
    if sign == b"+" or digits == b"0":
        sign = b""
    if digits.isdigit() and _put_number(body, start, width, sign, digits):
        return True
    fill(body, start, width - used)
    copy(body, start + width - used, buf, place, used)
    return False


def _is_made_out(body, start):
    """Rule 2."""
    return (
        has_time(body, start)
        + all_digits(body, start + TIGHTENING_ID, 10)
        + (0x30 <= body[start + TIGHTENING_STATUS] <= 0x39)
    ) >= 2


assert BODY_BYTES == sum(_WIDTHS) and LIMITS_BYTES == sum(_LIMIT_WIDTHS) + 1
