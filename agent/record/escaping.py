"""Text as others get it: what is no text of its own becomes an escape, so that no two texts become one.

    stored      4C 65 6E 6B 73 C3 A4 75 6C 65      4C 65 6E 6B 73 E4 75 6C 65     41 7E 31
    shown       Lenksäule                          Lenks~E4ule                    A~7E1
    in ASCII    Lenks~C3~A4ule                     Lenks~E4ule                    A~7E1

Rules
1. Blanks and NULs on either side are padding. A tilde and two digits, `~E4`, are one byte; so a tilde is `~7E`.
2. `decoded` leaves printable UTF-8 as it is, for JSON and people; whatever else there is, a latin-1 letter, a character
   that was cut off, a control character, is escaped byte by byte. `octets_of` turns it back.
3. `put_ascii`, for ToolsNet, escapes every byte outside printable ASCII. What then does not fit the field keeps its
   beginning and ends in two tildes and twelve characters, a check over all of it: two texts never look alike.

Imported when the first such text comes: nearly all are plain ASCII.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import fill

_TILDE = const(0x7E)
_HEX = b"0123456789ABCDEF"
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CHECK_BYTES = const(14)  # two tildes, 60 bits of check in digits of five bits


def stripped(buf, at, width):
    """Return the bytes of the field without its padding."""
    end = at + width
    while end > at and (buf[end - 1] == 0x20 or buf[end - 1] == 0):
        end -= 1
    while at < end and (buf[at] == 0x20 or buf[at] == 0):
        at += 1
    return bytes(buf[at:end])


def decoded(octets):
    """Return these bytes as text: UTF-8 as it is, all else escaped."""
    letters = []
    at = 0
    while at < len(octets):
        code, used = _character(octets, at)
        letters.append(chr(code) if used else "~%02X" % octets[at])
        at += used or 1
    return "".join(letters)


def _character(octets, at):
    """Return the printable character at octets[at:] and how many bytes it has; 0 bytes: there is none."""
    first = octets[at]
    if first < 0x80:
        return first, 1 if 0x20 <= first < _TILDE else 0
    more = 1 if 0xC2 <= first <= 0xDF else 2 if 0xE0 <= first <= 0xEF else 3 if 0xF0 <= first <= 0xF4 else 0
    if not more or at + more >= len(octets):
        return 0, 0
    code = first & (0x3F >> more)
    for octet in octets[at + 1 : at + 1 + more]:
        if octet & 0xC0 != 0x80:
            return 0, 0
        code = code << 6 | octet & 0x3F
    least = (0xA0, 0x800, 0x10000)[more - 1]  # below 0xA0 are control characters
    is_character = least <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return code, more + 1 if is_character else 0


def octets_of(text):
    """Return the bytes that `decoded` has made this text from."""
    parts = []
    at = 0
    while at < len(text):
        digits = text[at + 1 : at + 3]
        if text[at] == "~" and len(digits) == 2 and not digits.strip("0123456789ABCDEF"):
            parts.append(bytes((int(digits, 16),)))
            at += 3
        else:
            parts.append(text[at].encode())
            at += 1
    return b"".join(parts)


def put_ascii(target, at, room, octets):
    """Write these bytes into the field of `room` at target[at:], padded with blanks; False if they do not fit it."""
    fill(target, at, room)
    whole = 0
    for octet in octets:
        whole += 1 if 0x20 <= octet < _TILDE else 3
    end = at + room if whole <= room else at + room - _CHECK_BYTES
    for octet in octets:
        if 0x20 <= octet < _TILDE:
            if at >= end:
                break
            target[at] = octet
            at += 1
        else:
            if at + 3 > end:
                break
            target[at] = _TILDE
            target[at + 1] = _HEX[octet >> 4]
            target[at + 2] = _HEX[octet & 15]
            at += 3
    if whole > room:
        _put_check(target, at, octets)
    return whole <= room


def _put_check(target, at, octets):
    target[at] = target[at + 1] = _TILDE
    check = crc30(octets, 0, len(octets))
    other = crc30(bytes(reversed(octets)), 0, len(octets))
    for index in range(6):
        target[at + 2 + index] = _DIGITS[check >> 5 * index & 31]
        target[at + 8 + index] = _DIGITS[other >> 5 * index & 31]


def json_of(text):
    """Return the text between the quotes of JSON, in printable ASCII."""
    parts = []
    for letter in text:
        code = ord(letter)
        if letter == '"' or letter == "\\":
            parts.append("\\" + letter)
        elif 0x20 <= code <= 0x7E:
            parts.append(letter)
        elif code < 0x10000:
            parts.append("\\u%04x" % code)
        else:
            code -= 0x10000
            parts.append("\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF)))
    return "".join(parts)
