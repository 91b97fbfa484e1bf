"""The text of a file that a person wrote, or what the file is instead, and where.

UTF-8, with a byte order mark or without: some editors write one.
"""

from __future__ import annotations

import codecs

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # begins like the mark of UTF-16, so it is tried first
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_WIDE = {b"10": "UTF-16", b"01": "UTF-16", b"1000": "UTF-32", b"0001": "UTF-32"}  # 0 where ASCII has a NUL
_LOOKED_AT = 8  # octets: two characters of UTF-32
_BINARY = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


class NotText(Exception):
    """The octets are no text in UTF-8: `problem` in words; `at` is the (line, column) of what is wrong, if not all."""

    def __init__(self, problem: str, at: tuple[int, int] | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.at = at


def text_of(octets: bytes) -> str:
    """Return the text, its lines ended by LF alone; NotText if it is none."""
    if octets and not octets.strip(b"\0"):
        raise NotText("nothing but NUL bytes, as a power failure may leave it: write the file again")
    if encoding := _wide_encoding(octets):
        raise NotText(f"{encoding}: save it as UTF-8")
    octets = octets.removeprefix(codecs.BOM_UTF8)
    try:
        return _with_plain_ends(octets.decode())
    except UnicodeDecodeError as error:
        if octets.translate(None, _BINARY) != octets:
            raise NotText("a binary file, no text") from None
        before = _with_plain_ends(octets[: error.start].decode())
        problem = (
            f'not UTF-8 (the byte 0x{octets[error.start]:02X}), but perhaps Windows-1252, or "ANSI": save it as UTF-8'
        )
        raise NotText(problem, place_in(before, len(before))) from None


def place_in(text: str, at: int) -> tuple[int, int]:
    """Return line and column of this place in a text, as people count them."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _wide_encoding(octets: bytes) -> str:
    """Return the encoding whose characters have 2 or 4 octets each, by the mark or by the first of them; "" if none."""
    for mark, name in _MARKS.items():
        if octets.startswith(mark):
            return name
    first = octets[:_LOOKED_AT]
    pattern = b"".join(b"1" if octet else b"0" for octet in first)
    for one, name in _WIDE.items():
        if len(first) >= 4 and pattern == (one * _LOOKED_AT)[: len(first)]:
            return name
    return ""


def _with_plain_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
