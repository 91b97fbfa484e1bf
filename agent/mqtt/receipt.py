"""Reads a consumer's receipt: one JSON object, with its own members `identity` and `number`; nothing else is one.

    {"identity":"3fa9c1d2","number":1208}       whatever else is in it, in any order

Rules
1. Both are members of the outermost object, each there once. What only has such members somewhere inside, or text in
   front of the object or after it, is an error message that quotes a receipt: it confirms nothing.
2. The number is whole: digits, and perhaps a point with zeros alone behind it, as some libraries write every number.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import compare

_QUOTE = const(0x22)
_BACKSLASH = const(0x5C)
_COLON = const(0x3A)
_COMMA = const(0x2C)
_IDENTITY = b'"identity"'
_NUMBER = b'"number"'


class Receipt:
    """Where the last receipt read has its values: `identity` of eight characters, `number` of so many `digits`."""

    def __init__(self):
        self.identity = 0
        self.number = 0
        self.digits = 0

    def read(self, buf, at, end):
        """Find the values in buf[at:end]; False if that is no receipt. Hot: allocates nothing."""
        self.identity = self.number = self.digits = 0
        if end - at > 3 and buf[at] == 0xEF and buf[at + 1] == 0xBB and buf[at + 2] == 0xBF:
            at += 3  # a byte order mark
        at = _blanks(buf, at, end)
        if at >= end or buf[at] != 0x7B:
            return False
        while True:
            key = _blanks(buf, at + 1, end)
            key_end = _end_of_text(buf, key, end)
            colon = _blanks(buf, key_end, end)
            if key_end == 0 or colon >= end or buf[colon] != _COLON:
                return False
            value = _blanks(buf, colon + 1, end)
            at = _end_of_value(buf, value, end)
            if at == 0 or not self._take(buf, key, key_end, value, at):
                return False
            at = _blanks(buf, at, end)
            if at >= end:
                return False
            if buf[at] == 0x7D:
                return self.identity > 0 and self.digits > 0 and _blanks(buf, at + 1, end) >= end
            if buf[at] != _COMMA:
                return False

    def _take(self, buf, key, key_end, value, end):
        """Take this member; False if it is one of ours, and is there twice or is not as it should be."""
        if key_end - key == len(_IDENTITY) and compare(buf, key, _IDENTITY, 0, len(_IDENTITY)) == 0:
            if self.identity or end - value != 10 or buf[value] != _QUOTE:
                return False
            self.identity = value + 1
        elif key_end - key == len(_NUMBER) and compare(buf, key, _NUMBER, 0, len(_NUMBER)) == 0:
            if self.digits:
                return False
            place = value
            while place < end and 0x30 <= buf[place] <= 0x39:
                place += 1
            self.number = value
            self.digits = place - value
            if place == value or place < end:
                return place > value and _is_point_0(buf, place, end)
        return True


def _is_point_0(buf, at, end):
    """True if buf[at:end] is a point and zeros."""
    if buf[at] != 0x2E or at + 1 == end:
        return False
    for place in range(at + 1, end):
        if buf[place] != 0x30:
            return False
    return True


def _blanks(buf, at, end):
    """Return where the next octet that is no blank is, or `end`."""
    while at < end and (buf[at] == 0x20 or 9 <= buf[at] <= 13):
        at += 1
    return at


def _end_of_text(buf, at, end):
    """Return where the text at buf[at:] ends, 0 if none is there."""
    if at >= end or buf[at] != _QUOTE:
        return 0
    at += 1
    while at < end:
        octet = buf[at]
        if octet == _QUOTE:
            return at + 1
        if octet < 0x20:
            return 0
        at += 2 if octet == _BACKSLASH else 1
    return 0


def _end_of_value(buf, at, end):
    """Return where the value at buf[at:] ends, 0 if none is there; its insides are only bracketed rightly."""
    if at >= end:
        return 0
    if buf[at] == _QUOTE:
        return _end_of_text(buf, at, end)
    if buf[at] != 0x7B and buf[at] != 0x5B:
        start = at
        while at < end and buf[at] > 0x20 and buf[at] != _COMMA and buf[at] != 0x7D and buf[at] != 0x5D:
            if buf[at] == _QUOTE or buf[at] == _COLON or buf[at] == 0x7B or buf[at] == 0x5B:
                return 0
            at += 1
        return at if at > start else 0
    depth = 0
    while at < end:
        octet = buf[at]
        if octet == _QUOTE:
            at = _end_of_text(buf, at, end)
            if at == 0:
                return 0
            continue
        if octet == 0x7B or octet == 0x5B:
            depth += 1
        elif octet == 0x7D or octet == 0x5D:
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return 0
