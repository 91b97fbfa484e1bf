"""Machine code twins of the loops over fields and of the checksum: twenty times faster, with the same answers.

Rules
1. Used by fields.py, byte_moves.py, plausibility.py, crc.py and toolcart.agent.log.framing where `compat.FAST` says
   that this build runs it; everything works without it. The same tests run on both forms (test_fields_viper.py).
2. Reaching outside a buffer is an IndexError as in the plain form, checked once before the loop: machine code checks
   no bounds by itself, and a wrong one would silently destroy the heap.
3. No number of 2**30 or more is passed in or out: it would be allocated.
4. No constant above 255: on ARMv6-M it is read from a place in the code that must be at a multiple of four, and
   MicroPython puts frozen code at multiples of two (tools/mpy-tool.py).
5. No loop longer than a branch reaches, 2 KB there: MicroPython 1.28 reads a longer way from such a place, too.
"""

from array import array

import micropython
from micropython import const

_len = len  # a builtin is looked up in the module first, which costs more than the loop

# The moves of toolcart.agent.base.byte_moves, which is built on this module.
_TEXT = const(1)
_DIGITS = const(2)
_STATUS = const(3)
_PACK_TIME = const(4)
_UNPACK = const(5)
_STRIP = const(6)
_FIXED = const(7)


@micropython.viper
def number(buf, start: int, width: int) -> int:
    if start < 0 or start + width > int(_len(buf)):
        raise IndexError
    octets = ptr8(buf)
    value = 0
    blanks = 0
    end = start + width
    while start < end:
        octet = octets[start] ^ 0x30
        if octet <= 9:
            value = value * 10 + octet
        elif octet == 0x10 or octet == 0x30:
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
def is_plain(buf, start: int, width: int) -> bool:
    if start < 0 or start + width > int(_len(buf)):
        raise IndexError
    octets = ptr8(buf)
    end = start + width
    while start < end and (octets[start] == 0x20 or octets[start] == 0):
        start += 1
    while start < end and (octets[end - 1] == 0x20 or octets[end - 1] == 0):
        end -= 1
    while start < end:
        octet = octets[start]
        if octet < 0x20 or octet > 0x7D:
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
def compare(one, at: int, other, start: int, width: int) -> int:
    if at < 0 or start < 0 or at + width > int(_len(one)) or start + width > int(_len(other)):
        raise IndexError
    octets = ptr8(one)
    others = ptr8(other)
    end = start + width
    while start < end:
        if octets[at] != others[start]:
            return 1 if octets[at] > others[start] else -1
        at += 1
        start += 1
    return 0


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
def pack_time(target, to: int, source, at: int):
    if to < 0 or at < 0 or to + 7 > int(_len(target)) or at + 19 > int(_len(source)):
        raise IndexError
    out = ptr8(target)
    octets = ptr8(source)
    fits = 1
    place = 0
    while place < 19:  # `YYYY-MM-DD:HH:MM:SS`
        octet = octets[at + place]
        if place == 4 or place == 7:
            fits &= int(octet == 0x2D)
        elif place == 10 or place == 13 or place == 16:
            fits &= int(octet == 0x3A)
        else:
            fits &= int(octet >= 0x30 and octet <= 0x39)
        place += 1
    place = 0
    while place < 7:
        begin = at + place * 2 if place < 2 else at + place * 3 - 1
        pair = (octets[begin] & 15) << 4 | (octets[begin + 1] & 15)
        out[to + place] = pair
        place += 1
    month = out[to + 2]
    day = out[to + 3]
    last = 0x31
    if month == 4 or month == 6 or month == 9 or month == 0x11:
        last = 0x30
    if month == 2:
        pair = out[to + 1]
        if pair == 0:
            pair = out[to]
        last = 0x28 if ((pair >> 4) * 2 + pair) & 3 else 0x29
    if (out[to] == 0 and out[to + 1] == 0) or month < 1 or month > 0x12 or day < 1 or day > last:
        fits = 0
    if out[to + 4] > 0x23 or out[to + 5] > 0x59 or out[to + 6] > 0x59:
        fits = 0
    while fits == 0 and place > 0:
        place -= 1
        out[to + place] = 0


@micropython.viper
def carry_out(form, moves: int, target, at: int, source, start: int) -> bool:
    if at < 0 or start < 0 or moves * 5 > int(_len(form)):
        raise IndexError
    room = int(_len(target))
    have = int(_len(source))
    row = ptr8(form)
    octets = ptr8(source)
    out = ptr8(target)
    place = 0
    while moves > 0:
        moves -= 1
        upper = row[place] >> 4
        move = row[place] & 15
        to = at + (row[place + 1] | row[place + 2] << 8)
        begin = start + row[place + 3]
        width = row[place + 4]
        place += 5
        end = begin + width
        last = to + width
        if move == _PACK_TIME:
            last = to + 7
        elif move == _UNPACK:
            last += width
        elif move == _DIGITS:
            last += upper
        elif move == _FIXED:
            last += 2 if upper > 0 else 3
        if end > have or last > room:
            raise IndexError
        octet = octets[begin]
        most = 0  # the highest digit, where there may be nothing else
        point = -1
        if move == _DIGITS or move == _STATUS:
            if octet == 0x20 or octet == 0:
                if not is_blank(source, begin, width):
                    return False
                begin = end  # blanks are written below
            elif move == _STATUS:
                most = 0x30 + upper
            else:
                most = 0x39
                while upper > 0:
                    upper -= 1
                    out[to] = 0x30
                    to += 1
        elif move == _STRIP:
            while begin < end - 1 and octets[begin] == 0x30:
                begin += 1
        elif move == _FIXED:
            out[to] = 0x30
            to += 1
            point = end - upper
        elif move == _PACK_TIME:
            pack_time(target, to, source, begin)
            to = last
            begin = end
        elif move == _UNPACK:
            unpack_digits(target, to, source, begin, width + width)
            to = last
            begin = end
        while begin < end:
            octet = octets[begin]
            if most > 0:
                if octet < 0x30 or octet > most:
                    return False
            elif move == _TEXT:
                if octet == 0:
                    octet = 0x20
                elif octet < 0x20 or octet > 0x7E:
                    octet = 0x3F
            elif move == _FIXED:
                if begin == point:
                    out[to] = 0x2E
                    to += 1
                if octet <= 0x20:
                    octet = 0x30
            out[to] = octet
            to += 1
            begin += 1
        if move == _FIXED and upper == 0:
            out[to] = 0x2E
            out[to + 1] = 0x30
            to += 2
        while to < last:
            out[to] = 0x20
            to += 1
    return True


POLYNOMIAL = const(0x38E74301)


def _table():
    """Return the remainders of half a byte (toolcart.agent.base.crc): two steps a byte, but a kilobyte less."""
    entries = array("I", [0] * 16)
    for index in range(16):
        value = index
        for _ in range(4):
            value = (value >> 1) ^ POLYNOMIAL if value & 1 else value >> 1
        entries[index] = value
    return entries


_entries = _table()


@micropython.viper
def crc(buf, start: int, end: int, value: int) -> int:
    if start < 0 or end > int(_len(buf)):
        raise IndexError
    return int(_crc(value, start, end, buf))


@micropython.viper
def _crc(value: int, start: int, end: int, buf) -> int:  # the first three stay in registers
    entries = ptr32(_entries)
    octets = ptr8(buf)
    while start < end:
        value ^= octets[start]
        value = entries[value & 0x0F] ^ (value >> 4)
        value = entries[value & 0x0F] ^ (value >> 4)
        start += 1
    return value


@micropython.viper
def seal(buf, start: int, kind: int, flags: int, length: int, seq: int) -> int:
    end = start + length + 8
    if start < 0 or length < 0 or end + 4 > int(_len(buf)):
        raise IndexError
    octets = ptr8(buf)
    octets[start] = kind
    octets[start + 1] = flags
    octets[start + 2] = length
    octets[start + 3] = length >> 8
    octets[start + 4] = seq
    octets[start + 5] = seq >> 8
    octets[start + 6] = seq >> 16
    octets[start + 7] = seq >> 24
    value = 1
    value = (value << 30) - 1  # rule 4
    value = int(_crc(value, start, end, buf))
    octets[end] = value
    octets[end + 1] = value >> 8
    octets[end + 2] = value >> 16
    octets[end + 3] = value >> 24
    return length + 12
