"""Takes a .mpy apart, as far as needed to change the line numbers of its functions.

Format: py/persistentcode.c and py/bc.h of MicroPython, .mpy version 6.
"""

from __future__ import annotations

from collections.abc import Callable

from tools.compact.bytecode import Bytecode, decoded
from tools.compact.lines import Origin

OriginOf = Callable[[int], Origin | None]  # where a line of the compiled text comes from
NameOf = Callable[[int], str]  # which function of the text a line is in
BYTECODE = 0  # kind of a function
STRING, BYTES, TUPLE = 5, 6, 10  # kinds of constants; those below are one byte


class Mpy:
    """Reads a .mpy from its front; ValueError if it contains machine code."""

    def __init__(self, octets: bytes):
        self.octets = octets
        self.at = 0

    def pieces(self, origin_of: OriginOf, name_of: NameOf) -> list[bytes | Bytecode]:
        """Return the file as bytes that stay and functions, in order."""
        self.origin_of, self.name_of = origin_of, name_of
        self.at = 4
        names, constants = self._uint(), self._uint()
        self.strings = [self._string() for _ in range(names)]
        for _ in range(constants):
            self._constant()
        self.found: list[bytes | Bytecode] = [self.octets[: self.at]]
        self._function()
        return self.found

    def _byte(self) -> int:
        self.at += 1
        return self.octets[self.at - 1]

    def _uint(self) -> int:
        value = 0
        while True:
            octet = self._byte()
            value = value << 7 | octet & 0x7F
            if octet < 0x80:
                return value

    def _string(self) -> str:
        """Return a name; "" for one that every firmware has, which a .mpy only counts."""
        length = self._uint()
        if length & 1:
            return ""
        self.at += (length >> 1) + 1
        return self.octets[self.at - (length >> 1) - 1 : self.at - 1].decode()

    def _constant(self) -> None:
        kind = self._byte()
        if kind == TUPLE:
            for _ in range(self._uint()):
                self._constant()
        elif kind >= STRING:
            length = self._uint()
            self.at += length + (kind in (STRING, BYTES))

    def _function(self) -> None:
        head = self._uint()
        if head & 3 != BYTECODE:
            raise ValueError("machine code beside bytecode in one .mpy")
        end = self.at + (head >> 3)
        self.found.append(self._bytecode(end, bool(head & 4)))
        self.at = end
        if head & 4:
            children = self._uint()
            self.found.append(self.octets[end : self.at])
            for _ in range(children):
                self._function()

    def _bytecode(self, end: int, has_children: bool) -> Bytecode:
        start = self.at
        arguments = self._arguments()
        signature = self.octets[start : self.at]
        info, cells = self._sizes()
        first = self.at
        name = self.strings[self._uint()]
        for _ in range(arguments):
            self._uint()
        names, rest = self.octets[first : self.at], self.octets[first + info : end]
        raw = self.octets[self.at : first + info]
        lines = decoded(raw)
        places = _without_repeats([(at, origin) for at, line in lines if (origin := self.origin_of(line))])
        name = "<module>" if len(self.found) == 1 else name or self.name_of(lines[0][1])
        return Bytecode(name, signature, names, cells, rest, has_children, places, raw)

    def _arguments(self) -> int:
        """Return how many names of arguments follow."""
        octet = self._byte()
        count, shift = octet & 3, 0
        keywords = 0
        while octet & 0x80:
            octet = self._byte()
            count |= (octet & 4) << shift
            keywords |= (octet & 8) >> 3 << shift
            shift += 1
        return count + keywords

    def _sizes(self) -> tuple[int, int]:
        """Return the bytes of names and lines, and those closures need."""
        info = cells = shift = 0
        octet = 0x80
        while octet & 0x80:
            octet = self._byte()
            info |= (octet & 0x7E) >> 1 << 6 * shift
            cells |= (octet & 1) << shift
            shift += 1
        return info, cells


def joined(pieces: list[bytes | Bytecode]) -> bytes:
    """Return the .mpy made of these pieces."""
    return b"".join(_written(piece) if isinstance(piece, Bytecode) else piece for piece in pieces)


def _written(one: Bytecode) -> bytes:
    return _uint(len(one.data) << 3 | one.has_children << 2 | BYTECODE) + one.data


def _without_repeats(places: list[tuple[int, Origin]]) -> list[tuple[int, Origin]]:
    return [one for at, one in enumerate(places) if at == 0 or one[1] != places[at - 1][1]]


def _uint(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.insert(0, value & 0x7F | 0x80)
    return bytes(octets)
