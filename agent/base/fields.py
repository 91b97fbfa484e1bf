"""Fixed-width ASCII fields, read and written in place: no slice, no int object above 2**30, no exception.

Rules
1. A numeric field is left-padded with zeros; a field of blanks is *absent*, not 0 (OP 2.3 p. 30).
2. `number` returns ABSENT for blanks and BAD for anything else that is not a number; both are negative.
3. Fields wider than nine digits do not fit a small int on a 32-bit board: they stay text (tightening IDs).
4. NUL counts as a blank: controllers in the field pad names and serials with it.
5. Where machine code runs, the twins in toolcart.agent.base.fields_viper replace the loops, at the end of this module.
"""

from struct import pack_into

from toolcart.agent.base.compat import FAST, const

ABSENT = const(-1)
BAD = const(-2)

_BLANK = const(0x20)
_ZERO = const(0x30)
_TILDE = const(0x7E)
_len = len  # a builtin is looked up in the module first


def number(buf, start, width):
    """Return the value of the digits buf[start:start+width], 1 to 9 of them; ABSENT if blank, BAD if not digits."""
    value = 0
    blanks = 0
    end = start + width
    while start < end:
        octet = buf[start] ^ _ZERO  # 0 to 9 for digits alone
        if octet <= 9:
            value = value * 10 + octet
        elif octet == 0x10 or octet == 0x30:  # blank or NUL
            blanks += 1
        else:
            return BAD
        start += 1
    if blanks == 0:
        return value
    return ABSENT if blanks == width else BAD


def put_number(buf, start, width, value):
    """Write `value`, 0 to 2**30 - 1, with leading zeros; digits that do not fit are cut off on the left."""
    at = start + width - 1
    while at >= start:
        buf[at] = _ZERO + value % 10
        value //= 10
        at -= 1


def copy(target, at, source, start, width):
    """Copy source[start:start+width] to target[at:]; the two may overlap when `at` <= `start`."""
    end = start + width
    whole = end - 3
    while start < whole:  # unrolled: the loop itself takes a third of the time
        target[at] = source[start]
        target[at + 1] = source[start + 1]
        target[at + 2] = source[start + 2]
        target[at + 3] = source[start + 3]
        at += 4
        start += 4
    while start < end:
        target[at] = source[start]
        at += 1
        start += 1


def fill(buf, start, width, octet=_BLANK):
    """Write `octet` over buf[start:start+width]."""
    end = start + width
    while start < end:
        buf[start] = octet
        start += 1


def is_blank(buf, start, width):
    """True if the field holds nothing but blanks and NULs."""
    end = start + width
    while start < end:
        octet = buf[start]
        if octet != _BLANK and octet != 0:
            return False
        start += 1
    return True


def is_plain(buf, start, width):
    """True if the field goes out as it is: printable ASCII without a tilde (toolcart.agent.record.escaping)."""
    end = start + width
    while start < end and (buf[start] == _BLANK or buf[start] == 0):
        start += 1
    while start < end and _BLANK <= buf[start] < _TILDE:
        start += 1
    return is_blank(buf, start, end - start)


def all_digits(buf, start, width):
    """True if every byte of the field is a digit."""
    end = start + width
    while start < end:
        octet = buf[start]
        if octet < _ZERO or octet > 0x39:
            return False
        start += 1
    return True


def compare(one, at, other, start, width):
    """Return 1, 0 or -1 as one[at:at+width] is greater than, equal to or less than other[start:start+width]."""
    end = start + width
    while start < end:
        if one[at] != other[start]:
            return 1 if one[at] > other[start] else -1
        at += 1
        start += 1
    return 0


def differs(one, at, other, start, width):
    """True if both have the field, with different values."""
    return (
        compare(one, at, other, start, width) != 0
        and not is_blank(one, at, width)
        and not is_blank(other, start, width)
    )


def holds(buf, at, octets):
    """True if buf[at:] begins with the whole of `octets`: one search in C, where `compare` is a loop."""
    return buf.find(octets, at, at + _len(octets)) == at


def put_text(target, at, source, start, width):
    """Copy a text field, with `?` for every byte outside 0x20..0x7E and blanks for NUL (protocol.md 8.1)."""
    end = start + width
    at -= start
    while start < end:
        octet = source[start]
        if octet < _BLANK or octet > 0x7E:
            octet = 0x3F if octet else _BLANK
        target[at + start] = octet
        start += 1


# Little-endian numbers below 2**30 in a byte buffer; decimal digits and times packed two digits to a byte.

TOO_LARGE = const(-1)
TIME_BYTES = const(7)

_TOP = const(0x3F)


def get_u32(buf, start):
    """Return the number at `start`, or TOO_LARGE if it needs more than 30 bits."""
    top = buf[start + 3]
    if top > _TOP:
        return TOO_LARGE
    return buf[start] | buf[start + 1] << 8 | buf[start + 2] << 16 | top << 24


def put_u32(buf, start, value):
    """Write `value`, 0..2**30-1."""
    pack_into("<I", buf, start, value)


def pack_digits(buf, start, digits, at, count):
    """Pack `count` (even) ASCII digits from digits[at:] into count // 2 bytes; anything else counts as 0."""
    end = at + count
    while at < end:
        high = digits[at] & 0x0F
        low = digits[at + 1] & 0x0F
        buf[start] = high << 4 | low
        start += 1
        at += 2


def unpack_digits(digits, at, buf, start, count):
    """Write `count` (even) ASCII digits, the reverse of `pack_digits`."""
    end = start + count // 2
    while start < end:
        octet = buf[start]
        digits[at] = 0x30 + (octet >> 4) % 10
        digits[at + 1] = 0x30 + (octet & 0x0F) % 10
        at += 2
        start += 1


def _last_day(century, year, month):
    """Return the last day of this month; all are two digits of four bits each, as `pack_time` packs them."""
    if month != 2:
        return 0x30 if month == 4 or month == 6 or month == 9 or month == 0x11 else 0x31
    pair = year or century  # a century is a leap year where its own number can be divided by four
    return 0x28 if ((pair >> 4) * 2 + pair) & 3 else 0x29


def pack_time(target, to, buf, at):
    """Pack a time `YYYY-MM-DD:HH:MM:SS` (OP 5.8.2 p. 135) at buf[at:] into seven bytes at target[to:].

    Write zeros if the 19 bytes are not a possible date and time.
    """
    end = to + TIME_BYTES
    place = to
    fits = buf[at + 4] == buf[at + 7] == 0x2D and buf[at + 10] == buf[at + 13] == buf[at + 16] == 0x3A
    while place < end and fits:
        high = buf[at] ^ _ZERO
        low = buf[at + 1] ^ _ZERO
        fits = high <= 9 and low <= 9
        target[place] = (high << 4 | low) & 0xFF
        at += 2 if place == to else 3
        place += 1
    if (
        not fits
        or not (target[to] or target[to + 1])
        or not 1 <= target[to + 2] <= 0x12
        or not 1 <= target[to + 3] <= _last_day(target[to], target[to + 1], target[to + 2])
        or target[to + 4] > 0x23
        or target[to + 5] > 0x59
        or target[to + 6] > 0x59
    ):
        while to < end:
            target[to] = 0
            to += 1


# What FAST, machine code or whole calls of CPython's, does in place of what stands above.
QUICKER = (
    "number",
    "put_number",
    "copy",
    "fill",
    "is_blank",
    "is_plain",
    "all_digits",
    "compare",
    "put_text",
    "pack_digits",
    "unpack_digits",
    "pack_time",
)
if FAST is not None:
    for _name in QUICKER:
        globals()[_name] = getattr(FAST, _name)
