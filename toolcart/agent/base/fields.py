"""Fixed-width ASCII fields, read and written in place: no slice, no int object above 2**30, no exception.

Rules
1. A numeric field is left-padded with zeros; a field of blanks is *absent*, not 0 (003:1283-1291).
2. `number` returns ABSENT for blanks and BAD for anything else that is not a number; both are negative.
3. Fields wider than nine digits do not fit a small int on a 32-bit board: they stay text (tightening IDs).
4. NUL counts as a blank: controllers in the field pad names and serials with it.
5. Where machine code runs, the twins in toolcart.agent.base.fast replace the loops, at the end of this module.
"""

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
        octet = buf[start] - _ZERO
        if 0 <= octet <= 9:
            value = value * 10 + octet
        elif octet == -16 or octet == -48:  # blank or NUL
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
    """True if the field is text that goes out as it is: printable ASCII without a tilde (agent.record.text_form)."""
    end = start + width
    while start < end and (buf[start] == _BLANK or buf[start] == 0):
        start += 1
    while start < end and (buf[end - 1] == _BLANK or buf[end - 1] == 0):
        end -= 1
    while start < end:
        if not _BLANK <= buf[start] < _TILDE:
            return False
        start += 1
    return True


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
    """Copy a text field, with `?` for every byte outside 0x20..0x7E and blanks for NUL (DIGEST G.1)."""
    end = start + width
    while start < end:
        octet = source[start]
        if octet == 0:
            octet = _BLANK
        elif octet < _BLANK or octet > 0x7E:
            octet = 0x3F
        target[at] = octet
        at += 1
        start += 1


if FAST is not None:
    for _name in FAST.FIELDS:
        globals()[_name] = getattr(FAST, _name)
