"""Little-endian numbers below 2**30 in a byte buffer; decimal digits and times packed two digits to a byte."""

from struct import pack_into

from toolcart.agent.base.compat import FAST, const

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
        digits[at] = 0x30 + (buf[start] >> 4) % 10
        digits[at + 1] = 0x30 + (buf[start] & 0x0F) % 10
        at += 2
        start += 1


def pack_time(target, to, buf, at):
    """Pack a time `YYYY-MM-DD:HH:MM:SS` (003:5848-5854) at buf[at:] into seven bytes at target[to:].

    Write zeros if the 19 bytes are not a possible date and time.
    """
    end = to + TIME_BYTES
    place = to
    fits = buf[at + 4] == buf[at + 7] == 0x2D and buf[at + 10] == buf[at + 13] == buf[at + 16] == 0x3A
    while place < end and fits:
        high = buf[at] - 0x30
        low = buf[at + 1] - 0x30
        fits = 0 <= high <= 9 and 0 <= low <= 9
        target[place] = (high << 4 | low) & 0xFF
        at += 2 if place == to else 3
        place += 1
    if (
        not fits
        or not (target[to] or target[to + 1])
        or not 1 <= target[to + 2] <= 0x12
        or not 1 <= target[to + 3] <= 0x31
        or target[to + 4] > 0x23
        or target[to + 5] > 0x59
        or target[to + 6] > 0x59
    ):
        while to < end:
            target[to] = 0
            to += 1


if FAST is not None:  # twins in machine code, as in fields.py
    for _name in FAST.WORDS:
        globals()[_name] = getattr(FAST, _name)
