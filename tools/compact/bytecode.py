"""A function's bytecode in a .mpy, and the numbers in it that lead to its places in the sources.

Format: py/bc.h and py/emitbc.c of MicroPython, .mpy version 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from tools.compact.lines import Origin

BLOCK_BYTES = 16  # of the heap of every 32-bit port
Span = list  # module, function, first and last line in the sources


@dataclass
class Bytecode:
    """A function's bytecode in its parts, and the place in the sources of each."""

    name: str
    signature: bytes
    names: bytes
    cells: int
    rest: bytes
    has_children: bool
    places: list[tuple[int, Origin]]
    lines: bytes
    cuts: list[int] = field(default_factory=list)  # indexes of `places` at which a new number begins

    @property
    def data(self) -> bytes:
        info = self.names + self.lines
        return self.signature + _size(len(info), self.cells) + info + self.rest

    def number(self, first: int) -> int:
        """Give its parts numbers from `first` on, as many as cost no block; return how many."""
        self.cuts, self.lines = [], encoded(0, first - 1)
        blocks = -(-len(self.data) // BLOCK_BYTES)
        for cut in self._by_worth():
            before = self.cuts, self.lines
            self.cuts = sorted([*self.cuts, cut])
            self.lines = encoded(0, first - 1)
            at = 0
            for one in self.cuts:
                self.lines += encoded(self.places[one][0] - at, 1)
                at = self.places[one][0]
            if len(self.data) > blocks * BLOCK_BYTES:
                self.cuts, self.lines = before
        return len(self.cuts) + 1

    def _by_worth(self) -> list[int]:
        places = self.places
        rest = [at for at in range(1, len(places)) if places[at][0] > 0]
        found = [at for at in rest if places[at][1][:2] != places[at - 1][1][:2]]
        rest = [at for at in rest if at not in found]
        taken = [0, *found, len(places)]
        away = {at: min(abs(at - other) for other in taken) for at in rest}
        while away:  # the one farthest from all others
            best = max(away, key=away.__getitem__)
            found.append(best)
            del away[best]
            for at in away:
                away[at] = min(away[at], abs(at - best))
        return found

    def spans(self) -> list[list[Span]]:
        """Return what each of its numbers stands for."""
        edges = [0, *self.cuts, len(self.places)]
        return [_spans([origin for _, origin in self.places[a:b]]) for a, b in pairwise(edges)]


def _spans(origins: list[Origin]) -> list[Span]:
    found: dict[tuple[str, str], list[int]] = {}
    for module, function, line in origins:
        found.setdefault((module, function), []).append(line)
    return [[*where, min(lines), max(lines)] for where, lines in found.items()]


def _size(info: int, cells: int) -> bytes:
    octets = bytearray()
    while True:
        octet = (info & 0x3F) << 1 | cells & 1
        info, cells = info >> 6, cells >> 1
        octets.append(octet | (0x80 if info or cells else 0))
        if not info and not cells:
            return bytes(octets)


def decoded(info: bytes) -> list[tuple[int, int]]:
    """Return offset and line for each line's beginning; at least the first."""
    found: list[tuple[int, int]] = []
    at, offset, line = 0, 0, 1
    while at < len(info):
        octet = info[at]
        if octet & 0x80:
            offset, line = offset + (octet & 0xF), line + ((octet << 4) & 0x700 | info[at + 1])
            at += 2
        else:
            offset, line = offset + (octet & 0x1F), line + (octet >> 5)
            at += 1
        if found and found[-1][0] == offset:
            found.pop()
        found.append((offset, line))
    return found or [(0, 1)]


def encoded(skipped: int, lines: int) -> bytes:
    """Return `lines` more after `skipped` bytes of bytecode, as py/emitbc.c writes it."""
    octets = bytearray()
    while skipped or lines:
        if lines <= 6 or skipped > 0xF:
            step = min(skipped, 0x1F)
            more = min(lines, 3) if step == skipped else 0
            octets.append(step | more << 5)
        else:
            step, more = min(skipped, 0xF), min(lines, 0x7FF)
            octets += bytes((0x80 | step | more >> 4 & 0x70, more & 0xFF))
        skipped, lines = skipped - step, lines - more
    return bytes(octets)
