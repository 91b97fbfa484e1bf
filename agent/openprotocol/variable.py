"""Variable data fields (OP 2.4 p. 32): each says what it is, in which unit, and how long; brought into a body.

    octet 0     5       8     10    13    17
          | PID | length| type| unit| step| value ..
            5     3       2     3     4

The numbers of MT Focus 6000 (30200 and above) are in MT notes on MID 1202, those of others in OP 6.4 p. 270-283
(protocol.md 5.7).

Rules
1. A field whose number is not in the table is skipped by its length. So one wrong length moves all that follow: unless
   the fields lead to the message's end, octet by octet, none of them is read: RESULT_UNREADABLE. Of a message that was
   cut off those in front of its end are read.
2. Figures are integers times a power of ten from the first digit to the last: torque becomes Nm x 100 by the unit of
   its own field, angles become whole degrees, both truncated like all others (OP 5.8.2 p. 134). Exponents may have one
   digit (`00001.234e+2`, MT "Communication") or more.
3. What has no meaning here (a unit that is not one of torque, a status that does not exist, digits that do not fit)
   stays as it came, as far as there is room, and the result is RESULT_ODD; if it is the torque itself,
   RESULT_UNREADABLE. A field of blanks is absent.
4. Of the standard numbers those of a single step do not count.
5. A number or status that comes twice with two values is neither: it is kept like one that cannot be read.

Imported when the first MID 1201 comes.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import BAD, copy, fill, is_blank, number
from toolcart.agent.record.result import (
    ANGLE,
    ANGLE_MAX,
    ANGLE_MIN,
    ANGLE_STATUS,
    ANGLE_TARGET,
    BATCH_COUNTER,
    BATCH_SIZE,
    BATCH_STATUS,
    BODY_BYTES,
    JOB,
    PSET,
    PSET_CHANGE,
    RESULT_ODD,
    RESULT_PADDED,
    RESULT_READ,
    RESULT_TYPE,
    RESULT_UNREADABLE,
    SERIAL,
    TIME,
    TORQUE,
    TORQUE_MAX,
    TORQUE_MIN,
    TORQUE_STATUS,
    TORQUE_TARGET,
    VIN,
    has_time,
    put_time,
)

_FIELD_BYTES = const(17)
_COUNT_BYTES = const(3)
_OWN = const(30200)  # numbers from here on are MT Focus 6000's
_NUMBER_MOST = const(32)  # bytes of a number; the longest documented has 12
_POWER_MOST = const(40)
_STAMP_BYTES = const(19)

# What becomes of a value.
_TEXT = const(0)
_FIRST_TEXT = const(1)  # unless there is one already
_DIGITS = const(2)
_TORQUE = const(3)
_ANGLE = const(4)
_STATUS = const(5)  # Open Protocol's: 0 low, 1 OK, 2 high
_NUMBERS = (_DIGITS, _TORQUE, _ANGLE)
_OWN_STATUS = const(6)  # 0 undefined, 1 OK, 2 low, 3 high (MT notes on MID 1202)
_TYPE = const(7)
_TIME = const(8)

_LIMITS = const(106)

# For each number: what becomes of its value, the place in the body or the limits after it, the width there.
_PLACES = {
    10: (_TEXT, VIN, 25),
    11: (_FIRST_TEXT, VIN, 25),
    100: (_DIGITS, BATCH_SIZE, 4),
    101: (_DIGITS, BATCH_COUNTER, 4),
    102: (_STATUS, BATCH_STATUS, 0x33),
    1000: (_DIGITS, PSET, 4),
    1003: (_TEXT, PSET_CHANGE, _STAMP_BYTES),
    1039: (_TYPE, _LIMITS + RESULT_TYPE, 2),
    1202: (_TEXT, SERIAL, 14),
    1402: (_STATUS, TORQUE_STATUS, 0x32),
    1403: (_STATUS, ANGLE_STATUS, 0x32),
    1500: (_DIGITS, JOB, 4),
    2000: (_TORQUE, _LIMITS + TORQUE_TARGET, 6),
    2001: (_TORQUE, TORQUE, 6),
    2002: (_TORQUE, _LIMITS + TORQUE_MAX, 6),
    2003: (_TORQUE, _LIMITS + TORQUE_MIN, 6),
    2010: (_ANGLE, _LIMITS + ANGLE_TARGET, 5),
    2011: (_ANGLE, ANGLE, 5),
    2012: (_ANGLE, _LIMITS + ANGLE_MAX, 5),
    2013: (_ANGLE, _LIMITS + ANGLE_MIN, 5),
    30201: (_TYPE, _LIMITS + RESULT_TYPE, 2),
    30203: (_TIME, TIME, 0),
    30214: (_TEXT, SERIAL, 14),
    30216: (_DIGITS, PSET, 4),
    30220: (_TEXT, PSET_CHANGE, _STAMP_BYTES),
    # What is a job elsewhere is called a batch sequence there (MT "Special MT Focus 6000 considerations, per mid")
    30221: (_DIGITS, JOB, 4),
    30228: (_DIGITS, BATCH_SIZE, 4),
    30229: (_DIGITS, BATCH_COUNTER, 4),
    30237: (_TORQUE, TORQUE, 6),
    30238: (_ANGLE, ANGLE, 5),
    30241: (_OWN_STATUS, TORQUE_STATUS, 1),
    30242: (_OWN_STATUS, ANGLE_STATUS, 1),
    30245: (_FIRST_TEXT, VIN, 25),
    30247: (_FIRST_TEXT, VIN, 25),
    30249: (_FIRST_TEXT, VIN, 25),
    30251: (_FIRST_TEXT, VIN, 25),
    30255: (_TORQUE, _LIMITS + TORQUE_MAX, 6),
    30256: (_TORQUE, _LIMITS + TORQUE_MIN, 6),
    30257: (_ANGLE, _LIMITS + ANGLE_MAX, 5),
    30258: (_ANGLE, _LIMITS + ANGLE_MIN, 5),
}

# A unit of torque (MT "Communication", OP 5.19.7 p. 238): what a figure is multiplied by for Nm x 100, and the power of
# ten after it. 000, "None", is none of them: a field that names no unit is not one of Nm.
_UNITS = {
    1: (1, 2),
    2: (13558179483, -8),  # ft-lbf
    3: (1, 0),  # cNm
    4: (1, 5),
    5: (1, 8),
    6: (112984829, -7),  # in-lbf
    7: (980665, -3),  # kpm
    10: (706155181, -9),  # ozf-in
    11: (1, 1),  # dNm
    12: (1, -1),  # mNm
    13: (980665, -5),  # kgf-cm
    14: (980665, -8),  # gf-cm
    15: (847386211, -8),  # ft-ozf
    90: (1, -1),  # mNm, as MT Focus 6000 says it unless set otherwise (MT "Communication")
}
_DEGREES = (0, 50)
_OWN_STATUSES = b" 102"
_TYPES = {1: b"01", 2: b"02"}
_STANDARD_TYPES = {1: b"01", 2: b"02", 3: b"07", 6: b"03", 7: b"04"}  # PID 01039 numbers them differently from MID 0061


def read_fields(body, buf, at, end, is_cut=False):
    """Bring the fields of the message that ends at buf[end] into the body and its limits; return a RESULT_.

    Their number, three digits, is at buf[at:]. `is_cut`: the message did not end there.
    """
    remaining = number(buf, at, _COUNT_BYTES) if at + _COUNT_BYTES <= end else -1
    at += _COUNT_BYTES
    leads_to_end = leads_to(buf, at, end, remaining)
    if not leads_to_end and not is_cut:
        return RESULT_UNREADABLE
    code = RESULT_READ if leads_to_end else RESULT_ODD
    came = {}  # what became of each number and status
    while remaining > 0:
        remaining -= 1
        value = at + _FIELD_BYTES
        length = length_of(buf, at, end)
        if length < 0:
            return RESULT_ODD
        pid = number(buf, at, 5)
        place = _PLACES.get(pid)
        if place is not None and not is_blank(buf, value, length):
            if pid >= _OWN or number(buf, at + 13, 4) <= 0:
                how, to, width = place
                if pid in came:
                    fill(body, to, len(came[pid]))
                field_code = _bring(body, place, pid, number(buf, at + 10, 3), buf, value, length)
                if field_code == RESULT_ODD and how in _NUMBERS and is_blank(body, to, width):
                    if to == TORQUE:
                        return RESULT_UNREADABLE
                    from toolcart.agent.record.malformed import keep_unread  # hardly any message needs it

                    keep_unread(body, to, width, buf[value : value + length])
                if how in _NUMBERS or how == _STATUS or how == _OWN_STATUS:
                    octets = width if how in _NUMBERS else 1
                    brought = bytes(body[to : to + octets])
                    if came.get(pid, brought) != brought:
                        if to == TORQUE:
                            return RESULT_UNREADABLE
                        _keep_both(body, to, came[pid], brought)
                        brought = bytes(body[to : to + octets])
                        field_code = RESULT_ODD
                    came[pid] = brought
                code = max(code, field_code)
        at = value + length
    return code


def _keep_both(body, to, one, other):
    """Write that a number was `one/other`, so neither, as far as there is room; `?` for a status."""
    from toolcart.agent.record.malformed import keep_unread  # hardly any message needs it

    if len(one) == 1:
        body[to] = 0x3F
        return
    keep_unread(body, to, len(one), b"/".join([text.strip().lstrip(b"0") or b"0" for text in (one, other)]))


def length_of(buf, at, end):
    """Return how long the value of the field at buf[at:] is, below 0 if no field ending in front of buf[end] is there.

    What says what it is, in which unit and of which step is digits, or blank.
    """
    value = at + _FIELD_BYTES
    if value > end or number(buf, at, 5) < 0:
        return BAD
    length = number(buf, at + 5, 3)
    if number(buf, at + 8, 2) == BAD or number(buf, at + 10, 3) == BAD or number(buf, at + 13, 4) == BAD:
        return BAD
    return length if value + length <= end else BAD


def leads_to(buf, at, end, remaining):
    """True if so many fields are one after the other at buf[at:], and no more than blanks and ends of lines behind."""
    while remaining > 0:
        length = length_of(buf, at, end)
        if length < 0:
            return False
        at += _FIELD_BYTES + length
        remaining -= 1
    while at < end and buf[at] <= 0x20:
        at += 1
    return remaining == 0 and at == end


def decimal(buf, at, length):
    """Return the number of buf[at:at+length] as an integer and the power of ten after it; None if it is not one."""
    if length > _NUMBER_MOST:
        return None
    text = bytes(buf[at : at + length]).replace(b"\0", b" ").strip().lower()
    power = 0
    mark = text.find(b"e")
    if mark >= 0:
        tail = text[mark + 1 :]
        text = text[:mark]
        sign = tail[:1]
        if sign == b"-" or sign == b"+":
            tail = tail[1:]
        if not tail.isdigit() or len(tail) > 3:
            return None
        power = -int(tail) if sign == b"-" else int(tail)
    sign = text[:1]
    if sign == b"-" or sign == b"+":
        text = text[1:]
    point = text.find(b".")
    if point >= 0:
        power -= len(text) - point - 1
        text = text[:point] + text[point + 1 :]
    if not text.isdigit():
        return None
    return (-int(text) if sign == b"-" else int(text)), power


def _bring(body, place, pid, unit, buf, at, length):
    """Bring one value into its place; return a RESULT_."""
    how, to, width = place
    if how == _TEXT or (how == _FIRST_TEXT and is_blank(body, to, width)):
        return _put_text(body, to, width, buf, at, length)
    if how == _FIRST_TEXT:
        return RESULT_READ
    if how == _TIME:
        if length >= _STAMP_BYTES and not has_time(body, 0):
            put_time(body, 0, buf, at)
        return RESULT_READ
    figure = decimal(buf, at, length)
    if how == _STATUS or how == _OWN_STATUS:
        value = -1 if figure is None else _times(figure[0], figure[1])
        return _put_status(body, to, value, how, width, bytes(buf[at : at + length]))
    if figure is None:
        return RESULT_ODD
    if how == _TORQUE or how == _ANGLE:
        factor = _UNITS.get(unit) if how == _TORQUE else (1, 0) if unit in _DEGREES else None
        if factor is None:
            return RESULT_ODD
        return _put_digits(body, to, width, _times(figure[0] * factor[0], figure[1] + factor[1]))
    value = _times(figure[0], figure[1])
    if value is None or how == _DIGITS:
        return _put_digits(body, to, width, value)
    types = _TYPES if pid >= _OWN else _STANDARD_TYPES
    copy(body, to, types.get(value, b"  "), 0, 2)
    return RESULT_READ


def _times(value, power):
    """Return value x 10**power, truncated towards zero; None if that is far too large."""
    if power >= 0:
        return value * 10**power if power <= _POWER_MOST else (None if value else 0)
    if power < -_POWER_MOST:
        return 0
    return value // 10**-power if value >= 0 else -(-value // 10**-power)


def _put_digits(body, to, width, value):
    if value is None:
        return RESULT_ODD
    digits = b"%d" % (value if value >= 0 else -value)
    signs = 1 if value < 0 else 0
    if signs + len(digits) > width:
        return RESULT_ODD
    fill(body, to, width, 0x30)
    copy(body, to + width - len(digits), digits, 0, len(digits))
    if signs:
        body[to] = 0x2D
        return RESULT_ODD
    return RESULT_READ


def _put_status(body, to, value, how, most, text):
    """Write the one byte of a status in Open Protocol's numbering; `text`, if it is none, or `?` if that is longer."""
    if value is None or not 0 <= value <= 9:
        text = text.strip(b" \0")
        body[to] = text[0] if len(text) == 1 else 0x3F
        return RESULT_ODD
    if how == _OWN_STATUS:
        if value < len(_OWN_STATUSES):
            body[to] = _OWN_STATUSES[value]
            return RESULT_READ
        most = 0
    body[to] = 0x30 + value
    return RESULT_READ if body[to] <= most else RESULT_ODD


def _put_text(body, to, width, buf, at, length):
    text = bytes(buf[at : at + length]).replace(b"\0", b" ").strip()
    fill(body, to, width)
    copy(body, to, text, 0, min(len(text), width))
    return RESULT_READ if len(text) <= width else RESULT_PADDED


assert _LIMITS == BODY_BYTES
