"""The twins of the byte loops in machine code, twenty times faster than bytecode, answer for answer the same.

Rules
1. Taken by fields.py, words.py, crc.py, plausible.py where `compat.FAST` says that this build runs it; everything
   works without. The same tests run on both forms (test_fast.py).
2. A part of a buffer that is not there is an IndexError as in the plain form, asked for once before the loop: machine
   code checks no bound by itself, and a wrong one would destroy the heap in silence.
3. No numbers of 2**30 or more cross the border: they would be allocated.
"""

import micropython

_len = len  # a builtin is looked up in the module first, and that costs more than the loop


@micropython.viper
def number(buf, start: int, width: int) -> int:
    if start < 0 or start + width > int(_len(buf)):
        raise IndexError
    octets = ptr8(buf)
    value = 0
    blanks = 0
    end = start + width
    while start < end:
        octet = octets[start] - 0x30
        if 0 <= octet and octet <= 9:
            value = value * 10 + octet
        elif octet == -16 or octet == -48:
            blanks += 1
        else:
            return -2
        start += 1
    if blanks == 0:
        return value
    if blanks == width:
        return -1
    return -2


@micropython.viper
def put_number(buf, start: int, width: int, value: int):
    if start < 0 or start + width > int(_len(buf)):
        raise IndexError
    octets = ptr8(buf)
    at = start + width - 1
    while at >= start:
        rest = value // 10
        octets[at] = 0x30 + value - rest * 10
        value = rest
        at -= 1


@micropython.viper
def copy(target, at: int, source, start: int, width: int):
    if width <= 0:
        return
    if at < 0 or start < 0 or at + width > int(_len(target)) or start + width > int(_len(source)):
        raise IndexError
    to = ptr8(target)
    octets = ptr8(source)
    end = start + width
    while start < end:
        to[at] = octets[start]
        at += 1
        start += 1


@micropython.viper
def _fill(buf, start: int, width: int, octet: int):
    if width <= 0:
        return
    if start < 0 or start + width > int(_len(buf)):
        raise IndexError
    octets = ptr8(buf)
    end = start + width
    while start < end:
        octets[start] = octet
        start += 1


def fill(buf, start, width, octet=0x20):
    _fill(buf, start, width, octet)


@micropython.viper
def is_blank(buf, start: int, width: int) -> bool:
    if start < 0 or start + width > int(_len(buf)):
        raise IndexError
    octets = ptr8(buf)
    end = start + width
    while start < end:
        octet = octets[start]
        if octet != 0x20 and octet != 0:
            return False
        start += 1
    return True


@micropython.viper
def all_digits(buf, start: int, width: int) -> bool:
    if start < 0 or start + width > int(_len(buf)):
        raise IndexError
    octets = ptr8(buf)
    end = start + width
    while start < end:
        octet = octets[start]
        if octet < 0x30 or octet > 0x39:
            return False
        start += 1
    return True


@micropython.viper
def same(one, at: int, other, start: int, width: int) -> bool:
    if at < 0 or start < 0 or at + width > int(_len(one)) or start + width > int(_len(other)):
        raise IndexError
    octets = ptr8(one)
    others = ptr8(other)
    end = start + width
    while start < end:
        if octets[at] != others[start]:
            return False
        at += 1
        start += 1
    return True


@micropython.viper
def put_text(target, at: int, source, start: int, width: int):
    if width <= 0:
        return
    if at < 0 or start < 0 or at + width > int(_len(target)) or start + width > int(_len(source)):
        raise IndexError
    to = ptr8(target)
    octets = ptr8(source)
    end = start + width
    while start < end:
        octet = octets[start]
        if octet == 0:
            octet = 0x20
        elif octet < 0x20 or octet > 0x7E:
            octet = 0x3F
        to[at] = octet
        at += 1
        start += 1


@micropython.viper
def put_stripped(target, at: int, width: int, source, start: int, digits: int):
    if at < 0 or start < 0 or at + width > int(_len(target)) or start + digits > int(_len(source)):
        raise IndexError
    if digits < 1 or digits > width:
        raise IndexError
    to = ptr8(target)
    octets = ptr8(source)
    end = start + digits
    while start < end - 1 and octets[start] == 0x30:
        start += 1
    after = at + width
    while start < end:
        to[at] = octets[start]
        at += 1
        start += 1
    while at < after:
        to[at] = 0x20
        at += 1


@micropython.viper
def put_fixed(target, at: int, width: int, source, start: int, digits: int, decimals: int):
    if at < 0 or start < 0 or at + width > int(_len(target)) or start + digits > int(_len(source)):
        raise IndexError
    if decimals < 0 or width <= decimals:
        raise IndexError
    to = ptr8(target)
    octets = ptr8(source)
    point = at + width - 1 - decimals
    here = at
    while here < at + width:
        to[here] = 0x30
        here += 1
    to[point] = 0x2E
    end = start + digits
    here = start
    while here < end and (octets[here] == 0x20 or octets[here] == 0):
        here += 1
    if here == end:
        return
    if digits < decimals:
        raise IndexError
    # From the last digit to the first; the point is stepped over, what has no room on the left is cut off.
    here = at + width - 1
    while end > start and here >= at:
        if here == point:
            here -= 1
        else:
            end -= 1
            to[here] = octets[end]
            here -= 1


@micropython.viper
def pack_digits(buf, start: int, digits, at: int, count: int):
    if start < 0 or at < 0 or start + count // 2 > int(_len(buf)) or at + count > int(_len(digits)):
        raise IndexError
    to = ptr8(buf)
    octets = ptr8(digits)
    end = at + count
    while at < end:
        to[start] = (octets[at] & 0x0F) << 4 | (octets[at + 1] & 0x0F)
        start += 1
        at += 2


@micropython.viper
def unpack_digits(digits, at: int, buf, start: int, count: int):
    if start < 0 or at < 0 or start + count // 2 > int(_len(buf)) or at + count > int(_len(digits)):
        raise IndexError
    to = ptr8(digits)
    octets = ptr8(buf)
    end = start + count // 2
    while start < end:
        high = octets[start] >> 4
        low = octets[start] & 0x0F
        to[at] = 0x30 + (high - 10 if high > 9 else high)
        to[at + 1] = 0x30 + (low - 10 if low > 9 else low)
        at += 2
        start += 1


@micropython.viper
def characters_fit(buf, start: int, free_end: int, end: int) -> bool:
    if start < 0 or end > int(_len(buf)):
        raise IndexError
    octets = ptr8(buf)
    high = 0
    while start < end:
        octet = octets[start]
        if octet < 0x20 and octet != 0:
            return False
        if octet > 0x7E:
            if octet == 0x7F or start >= free_end:
                return False
            high += 1
        start += 1
    return high != 1


@micropython.viper
def crc(table, buf, start: int, end: int, value: int) -> int:
    if start < 0 or end > int(_len(buf)):
        raise IndexError
    entries = ptr32(table)
    octets = ptr8(buf)
    while start < end:
        octet = octets[start]
        value = entries[(value ^ octet) & 0x0F] ^ (value >> 4)
        value = entries[(value ^ octet >> 4) & 0x0F] ^ (value >> 4)
        start += 1
    return value


# What fields.py and words.py take over, name by name.
FIELDS = (
    "number",
    "put_number",
    "copy",
    "fill",
    "is_blank",
    "all_digits",
    "same",
    "put_text",
    "put_stripped",
    "put_fixed",
)
WORDS = ("pack_digits", "unpack_digits")
