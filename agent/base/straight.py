"""The twins of the loops over fields for CPython: slices, tables and struct, answer for answer the same.

Rules
1. Taken by fields.py, words.py, form.py, crc.py, plausible.py and agent.log.record, where `compat.FAST` and
   `compat.FAST_CRC` are this module. The same tests run on both forms (test_fast.py, test_straight.py).
2. A part of a buffer that is not there is an IndexError as in the plain form, asked for once before anything is
   written: a slice would make the buffer longer in silence.
3. Forms are compiled by agent.base.straight_form.
"""

from binascii import hexlify, unhexlify
from struct import Struct, pack_into

from agent.base.straight_form import DIGITS_OF_HEX, FIT_TEXT, carry_out, packed_time

CPYTHON_ONLY = True  # boards have agent.base.fast, or the loops

_ABSENT = -1
_BAD = -2
_BLANKS = b" \0"
_LOW_NIBBLES = bytes(b"0123456789abcdef"[octet & 15] for octet in range(256))
_PRINTED = bytes([0, *range(0x20, 0x7F)])
_POLYNOMIAL = 0x38E74301  # agent.base.crc


# -- fields.py -----------------------------------------------------------------------------------------------------


def number(buf, start, width):
    text = buf[start : start + width]
    if text.isdigit() and len(text) == width:
        return int(text)
    if len(text) != width:
        raise IndexError
    if text.strip(_BLANKS):
        return _BAD
    return _ABSENT if width > 0 else 0


def put_number(buf, start, width, value):
    if start < 0 or start + width > len(buf):
        raise IndexError
    digits = b"%0*d" % (width, value)
    if len(digits) != width or value < 0:
        digits = b"%0*d" % (width, value % 10**width) if width > 0 else b""
    buf[start : start + width] = digits


def copy(target, at, source, start, width):
    if width > 0:
        if at < 0 or start < 0 or at + width > len(target) or start + width > len(source):
            raise IndexError
        target[at : at + width] = source[start : start + width]


def fill(buf, start, width, octet=0x20):
    if width > 0:
        if start < 0 or start + width > len(buf):
            raise IndexError
        buf[start : start + width] = b" " * width if octet == 0x20 else bytes((octet,)) * width


def is_blank(buf, start, width):
    if start < 0 or start + width > len(buf):
        raise IndexError
    return not buf[start : start + width].strip(_BLANKS)


def all_digits(buf, start, width):
    if start < 0 or start + width > len(buf):
        raise IndexError
    return width <= 0 or buf[start : start + width].isdigit()


def compare(one, at, other, start, width):
    if at < 0 or start < 0 or at + width > len(one) or start + width > len(other):
        raise IndexError
    mine = one[at : at + width]
    theirs = other[start : start + width]
    return 0 if mine == theirs else 1 if mine > theirs else -1


def put_text(target, at, source, start, width):
    if width > 0:
        if at < 0 or start < 0 or at + width > len(target) or start + width > len(source):
            raise IndexError
        target[at : at + width] = source[start : start + width].translate(FIT_TEXT)


# -- words.py ------------------------------------------------------------------------------------------------------


def pack_digits(buf, start, digits, at, count):
    if start < 0 or at < 0 or start + count // 2 > len(buf) or at + count > len(digits):
        raise IndexError
    buf[start : start + count // 2] = unhexlify(digits[at : at + count].translate(_LOW_NIBBLES))


def unpack_digits(digits, at, buf, start, count):
    if start < 0 or at < 0 or start + count // 2 > len(buf) or at + count > len(digits):
        raise IndexError
    digits[at : at + count] = hexlify(buf[start : start + count // 2]).translate(DIGITS_OF_HEX)


def pack_time(target, to, buf, at):
    if to < 0 or at < 0 or to + 7 > len(target) or at + 19 > len(buf):
        raise IndexError
    target[to : to + 7] = packed_time(buf[at : at + 19])


# -- plausible.py --------------------------------------------------------------------------------------------------


def characters_fit(buf, start, free_end, end):
    if start < 0 or end > len(buf):
        raise IndexError
    free_end = min(max(free_end, start), end)
    if buf[free_end:end].translate(None, _PRINTED):
        return False
    high = buf[start:free_end].translate(None, _PRINTED)
    return not high or (len(high) > 1 and min(high) > 0x7F)


# -- crc.py, agent.log.record --------------------------------------------------------------------------------------


def _after(octet, zeros):
    """The remainder of an octet with so many octets of zeros behind it."""
    value = octet
    for _ in range(8 * zeros + 8):
        value = (value >> 1) ^ _POLYNOMIAL if value & 1 else value >> 1
    return value


# Four octets a turn; larger tables would be fewer look-ups, and out of the processor's cache.
_three, _two, _one, _none = ([_after(octet, zeros) for octet in range(256)] for zeros in (3, 2, 1, 0))
_words = {}  # by their number


def crc(buf, start, end, value):
    if start < 0 or end > len(buf):
        raise IndexError
    count = (end - start) >> 2
    words = _words.get(count)
    if words is None:
        words = _words[count] = Struct("<%dI" % max(count, 0)).unpack_from
    three, two, one, none = _three, _two, _one, _none
    for word in words(buf, start):
        word ^= value
        value = three[word & 0xFF] ^ two[word >> 8 & 0xFF] ^ one[word >> 16 & 0xFF] ^ none[word >> 24]
    for octet in buf[start + 4 * count : end]:
        value = none[(value ^ octet) & 0xFF] ^ (value >> 8)
    return value


def seal(buf, start, kind, flags, length, seq):
    end = start + 8 + length
    if start < 0 or length < 0 or end + 4 > len(buf):
        raise IndexError
    pack_into("<BBHI", buf, start, kind, flags, length, seq)
    pack_into("<I", buf, end, crc(buf, start, end, 0x3FFFFFFF))
    return 12 + length


# What fields.py and words.py take over, name by name.
FIELDS = ("number", "put_number", "copy", "fill", "is_blank", "all_digits", "compare", "put_text")
WORDS = ("pack_digits", "unpack_digits", "pack_time")
__all__ = (*FIELDS, *WORDS, "carry_out", "characters_fit", "crc", "seal")
