"""The twin of agent.base.form in machine code: all moves of a form in one call; the rules of agent.base.fast hold."""

import micropython
from micropython import const

_len = len

# The moves of agent.base.form, which is built on this module.
_TEXT = const(1)
_DIGITS = const(2)
_STATUS = const(3)
_PACK_TIME = const(4)
_UNPACK = const(5)
_STRIP = const(6)
_FIXED = const(7)
_BLANK = const(8)


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
    if (out[to] == 0 and out[to + 1] == 0) or month < 1 or month > 0x12 or day < 1 or day > 0x31:
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
        elif move == _BLANK:
            begin = end = 0
        if end > have or last > room:
            raise IndexError
        octet = octets[begin] if begin < end else 0
        blank = int(octet == 0x20 or octet == 0)
        point = -1
        if move == _DIGITS:
            while upper > 0:
                upper -= 1
                out[to] = 0x20 if blank else 0x30
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
        while begin < end:
            octet = octets[begin]
            if move == _DIGITS or move == _STATUS:
                if octet == 0:
                    octet = 0x20
                if blank:
                    if octet != 0x20:
                        return False
                elif octet < 0x30 or octet > (0x39 if move == _DIGITS else 0x30 + upper):
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
            elif move == _UNPACK:
                high = octet >> 4
                out[to] = 0x30 + (high - 10 if high > 9 else high)
                to += 1
                octet = octet & 15
                octet = 0x30 + (octet - 10 if octet > 9 else octet)
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
