"""Little-endian numbers below 2**30 in a byte buffer, and decimal digits packed two to an octet."""

from struct import pack_into

from agent.base.compat import FAST, const

TOO_LARGE = const(-1)

_TOP = const(0x3F)


def get_u32(buf, start):
    """Return the number at `start`; TOO_LARGE if it needs more than 30 bits."""
    top = buf[start + 3]
    if top > _TOP:
        return TOO_LARGE
    return buf[start] | buf[start + 1] << 8 | buf[start + 2] << 16 | top << 24


def put_u32(buf, start, value):
    """Write `value`, 0..2**30-1."""
    pack_into("<I", buf, start, value)


def pack_digits(buf, start, digits, at, count):
    """Pack `count` (even) ASCII digits from digits[at:] into count // 2 octets; anything else counts as 0."""
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
        digits[at] = 0x30 + (buf[start] >> 4) % 10
        digits[at + 1] = 0x30 + (buf[start] & 0x0F) % 10
        at += 2
        start += 1


if FAST is not None:  # twins in machine code, as in fields.py
    for _name in FAST.WORDS:
        globals()[_name] = getattr(FAST, _name)
