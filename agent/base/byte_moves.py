"""Moves fields from one layout into another: a form is data, a list of moves that are carried out in one go.

    byte   0      1      3      4
           | move | to   | from | width |     `to` is little endian; some moves carry a number in their upper four bits

Rules
1. `to` counts from the start of the target, `from` from the start of the source; a form knows neither buffer.
2. A numeric field is digits or, absent, blanks (OP 2.3 p. 30); NUL counts as a blank and is written as one.
3. Text is copied and a decimal point is put between digits; nothing is computed (protocol.md 2.2).
4. The first move that cannot be made ends it: `carry_out` returns False, and the target's contents are undefined.
5. Where machine code runs, `carry_out` is the twin in toolcart.agent.base.fields_viper: one call for a whole message.
"""

from toolcart.agent.base.compat import FAST, const
from toolcart.agent.base.fields import copy, fill, is_blank, pack_time, put_text, unpack_digits

MOVE_BYTES = const(5)

COPY = const(0)  # the bytes as they are
TEXT = const(1)  # `?` for every byte outside 0x20..0x7E, blanks for NUL (protocol.md 8.1)
DIGITS = const(2)  # digits, after as many zeros as the upper bits say (blanks if the field is blank)
STATUS = const(3)  # one digit, at most what the upper bits say
PACK_TIME = const(4)  # a time of 19 characters into seven bytes, zeros if it is not a time
UNPACK = const(5)  # packed digits, two from each byte
STRIP = const(6)  # digits without leading zeros, padded with blanks
FIXED = const(7)  # a zero, then digits with a point and as many decimals as the upper bits say; for 0, ".0" is added

UPPER = const(16)  # what a number in the upper bits is multiplied by


def carry_out(form, moves, target, at, source, start):
    """Make the form's first `moves` moves from source[start:] to target[at:]; return False if one cannot be made."""
    place = 0
    last = moves * MOVE_BYTES
    while place < last:
        move = form[place]
        to = at + (form[place + 1] | form[place + 2] << 8)
        begin = start + form[place + 3]
        width = form[place + 4]
        place += MOVE_BYTES
        upper = move >> 4
        move &= 15
        if move == COPY:
            copy(target, to, source, begin, width)
        elif move == DIGITS:
            if not _digits(target, to, source, begin, width, upper):
                return False
        elif move == TEXT:
            put_text(target, to, source, begin, width)
        elif move == STATUS:
            octet = source[begin]
            if octet == 0x20 or octet == 0:
                octet = 0x20
            elif octet < 0x30 or octet > 0x30 + upper:
                return False
            target[to] = octet
        elif move == FIXED:
            _fixed(target, to, source, begin, width, upper)
        elif move == STRIP:
            _strip(target, to, source, begin, width)
        elif move == UNPACK:
            unpack_digits(target, to, source, begin, width * 2)
        else:
            pack_time(target, to, source, begin)
    return True


def _digits(target, to, source, begin, width, lead):
    octet = source[begin]
    if octet == 0x20 or octet == 0:
        if not is_blank(source, begin, width):
            return False
        fill(target, to, lead + width)
        return True
    while lead > 0:
        lead -= 1
        target[to] = 0x30
        to += 1
    end = begin + width
    to -= begin
    while begin < end:
        octet = source[begin]
        if octet ^ 0x30 > 9:  # 0 to 9 for digits alone
            return False
        target[to + begin] = octet
        begin += 1
    return True


def _fixed(target, to, source, begin, width, decimals):
    target[to] = 0x30
    to += 1 - begin
    point = begin + width - decimals
    while begin < point:
        octet = source[begin]
        target[to + begin] = octet if octet > 0x20 else 0x30
        begin += 1
    target[to + begin] = 0x2E
    to += 1
    if decimals == 0:
        target[to + begin] = 0x30
    end = begin + decimals
    while begin < end:
        octet = source[begin]
        target[to + begin] = octet if octet > 0x20 else 0x30
        begin += 1


def _strip(target, to, source, begin, width):
    end = to + width
    last = begin + width - 1
    while begin < last and source[begin] == 0x30:
        begin += 1
    while begin <= last:
        target[to] = source[begin]
        begin += 1
        to += 1
    while to < end:
        target[to] = 0x20
        to += 1


if FAST is not None:
    globals()["carry_out"] = FAST.carry_out
