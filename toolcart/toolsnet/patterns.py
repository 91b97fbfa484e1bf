"""Reads the fields of a layout at once where each is as the document prints it, and in its range."""

from __future__ import annotations

import re

from toolcart.toolsnet.layouts import time_ok


class Pattern:
    """A layout's fields in order, one behind the other, and what becomes of each."""

    def __init__(self, layout: tuple) -> None:
        self.first = layout[0][1]
        self.pattern = re.compile("".join(_octets_of(*form[2:]) for form in layout))
        self.names = [form[0] for form in layout]
        self.numbers = [form[0] for form in layout if form[3] == "d"]
        self.texts = [form[0] for form in layout if form[3] == "s"]
        self.ranges = [(form[0], *form[4:6]) for form in layout if form[3] == "d" and not _is_by_digits(*form[2:])]
        self.times = [form[0] for form in layout if form[3] == "t"]

    def read(self, text: str, at: int) -> dict | None:
        """Return the fields that begin at `at`; None if one is not in order."""
        match = self.pattern.match(text, at + self.first)
        if match is None:
            return None
        fields: dict = dict(zip(self.names, match.groups(), strict=True))
        for name in self.numbers:
            fields[name] = int(fields[name])
        for name in self.texts:
            fields[name] = fields[name].rstrip()
        for name, least, most in self.ranges:
            if not least <= fields[name] <= most:
                return None
        for name in self.times:
            if not time_ok(fields[name].encode()):
                return None
        return fields


_MADE: dict[int, tuple[tuple, Pattern | None]] = {}  # by the layout's id, as its hash takes as long as to read it


def pattern_of(layout: tuple) -> Pattern | None:
    """Return the pattern of a layout; None where its fields have no form that one says."""
    made = _MADE.get(id(layout))
    if made is None:
        has_one = layout and all(form[3] in ("d", "s", "t", "n1", "n2") for form in layout)
        made = _MADE[id(layout)] = layout, Pattern(layout) if has_one else None
    return made[1]


def _is_by_digits(width: int, _kind: str, least: int, most: int) -> bool:
    """True if a pattern of digits says all of the range."""
    return least in (0, 1) and (width == 1 or most == 10**width - 1)


def _octets_of(width: int, kind: str, *span: int) -> str:
    if kind == "s":
        return r"([ -~]{%d})" % width
    if kind == "d" and _is_by_digits(width, kind, *span):
        if width == 1:
            return r"([%d-%d])" % span
        return (r"(?!0{%d})" % width if span[0] else "") + r"([0-9]{%d})" % width
    if kind[0] == "n":
        decimals = int(kind[1])
        return r"([-0-9][0-9]{%d}\.[0-9]{%d})" % (width - decimals - 2, decimals)
    return r"([0-9]{%d})" % width
