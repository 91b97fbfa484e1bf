"""Reads the fields of an outlet's line (docs/outlets.schema.json): the one place that says what can be read.

Rules
1. A field that is null or missing is absent. One that is there and cannot be read counts as absent too, and is noted:
   a Breach in `breaches`, and a short text in `marks`. No value stands in its place.
2. As in a telegram (toolcart.archive.server.reader), a number as text may have blanks around it, a sign, and a point
   anywhere, and no exponent. True and false are no numbers, and a number that no column holds is none.
3. A field may be read more than once; it is noted once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from typing import Any

from toolcart.archive.database.unescaping import of_line
from toolcart.toolsnet.layouts import REAL_MOST, time_ok
from toolcart.toolsnet.telegrams import Breach

_TEXT_MOST = 25
_FOUND_MOST = 80
_WHOLE_MOST = 2**31 - 1  # of an integer column
_NUMBER = re.compile(r"([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))", re.ASCII)
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", re.ASCII)


class Unreadable(Exception):
    """Not a valid line or batch; the text says why."""


class LineFields:
    """The fields of a line, or of an object in it, whose place there is `where`."""

    def __init__(self, values: dict, where: str = "", above: LineFields | None = None) -> None:
        self.values = values
        self.breaches: list[Breach] = above.breaches if above else []
        self.marks: list[str] = above.marks if above else []
        self._where = where
        self._noted: set[str] = set()

    def note(self, name: str, allowed: str) -> None:
        """Note that this field cannot be read."""
        if name not in self._noted:
            self._noted.add(name)
            found = json.dumps(self.values.get(name))
            self.breaches.append(Breach(self._where + name, 0, found[:_FOUND_MOST], allowed))
            self.marks.append(f"{name} {found.strip(chr(34))[:_TEXT_MOST]}")

    def must(self, *names: str) -> None:
        """Raise Unreadable if one of these was read, and could not be."""
        for name in names:
            if name in self._noted:
                raise Unreadable(f"{self._where}{name} {self.values.get(name)!r:.40}")

    def is_unread(self, name: str) -> bool:
        """True if this field was read, and could not be."""
        return name in self._noted

    def text(self, name: str, most: int = _TEXT_MOST, *, is_whole: bool = False, is_needed: bool = False) -> str:
        """Return a text without padding, cut to `most` unless it has to be whole; "" if there is none."""
        value = self.values.get(name)
        if not isinstance(value, str):
            if value is not None or is_needed:
                self.note(name, "a text")
            return ""
        value = value.strip() if _is_plain(value) else of_line(value, most)
        if is_whole and len(value) > most:
            self.note(name, f"{most} characters at most")
            return ""
        return value[:most]

    def word(self, name: str, words: Container[str], *, is_needed: bool = False) -> str | None:
        """Return a word that is one of these, None if there is none."""
        value = self.values.get(name)
        if isinstance(value, str) and value in words:
            return value
        if value is not None or is_needed:
            self.note(name, "one of its words")
        return None

    def flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.note(name, "true or false")
        return None

    def whole(self, name: str, least: int = 0, most: int = _WHOLE_MOST) -> int | None:
        """Return a whole number, also one given as digits."""
        value = self.values.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
            value = int(value)
        if type(value) is int and least <= value <= most:
            return value
        if value is not None:
            self.note(name, f"{least} to {most}")
        return None

    def needed(self, name: str, least: int = 0, most: int = _WHOLE_MOST) -> int:
        """Return a whole number without which there is no record; Unreadable."""
        value = self.whole(name, least, most)
        if value is None:
            raise Unreadable(f"{self._where}{name} {self.values.get(name)!r:.40}: {least} to {most}")
        return value

    def digits(self, name: str) -> str:
        """Return a whole number as text, "" if there is none."""
        whole = self.whole(name)
        return "" if whole is None else str(whole)

    def number(self, name: str) -> str:
        """Return a number as decimal text, "" if there is none."""
        value = self.values.get(name)
        text = _decimal(value)
        if text is None and value is not None:
            self.note(name, f"a number, {-REAL_MOST:.0f} to {REAL_MOST:.0f}")
        return text or ""

    def time(self, name: str) -> str:
        """Return a time's 14 digits, "" if there is none."""
        value = self.values.get(name)
        match = _TIME.fullmatch(value) if isinstance(value, str) else None
        digits = "".join(match.groups()) if match else ""
        if time_ok(digits.encode()) and digits:
            return digits
        if value is not None:
            self.note(name, "a time yyyy-mm-ddThh:mm:ss")
        return ""

    def part(self, name: str) -> LineFields | None:
        """Return an object in it, None if there is none."""
        value = self.values.get(name)
        if isinstance(value, dict):
            return LineFields(value, f"{self._where}{name}.", self)
        if value is not None:
            self.note(name, "an object")
        return None

    def parts(self, name: str, *, apart: bool = False) -> list[LineFields]:
        """Return the objects of a list in it; `apart`: each has marks of its own."""
        value = self.values.get(name)
        if not isinstance(value, list | None) or not all(isinstance(one, dict) for one in value or ()):
            self.note(name, "a list of objects")
            return []
        several = [LineFields(one, f"{self._where}{name}[{index}].", self) for index, one in enumerate(value or ())]
        for one in several if apart else ():
            one.marks = []
        return several

    def numbers(self, name: str, least: int, most: int) -> list[int]:
        """Return a list of whole numbers."""
        value = self.values.get(name)
        if isinstance(value, list) and all(type(one) is int and least <= one <= most for one in value):
            return value
        if value is not None:
            self.note(name, f"a list of numbers, {least} to {most}")
        return []

    def pairs(self, name: str) -> list[list]:
        """Return a list of pairs."""
        value = self.values.get(name)
        if isinstance(value, list) and all(isinstance(one, list) and len(one) == 2 for one in value):
            return value
        if value is not None:
            self.note(name, "a list of pairs")
        return []


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "~" not in text


def _decimal(value: Any) -> str | None:
    """Return a number as decimal text; None if it is none, or no column holds it."""
    if type(value) in (int, float):
        if not abs(value) <= REAL_MOST:
            return None
        value = str(value) if "e" not in str(value) else f"{value:.12f}"
    if not isinstance(value, str):
        return None
    match = _NUMBER.fullmatch(value.strip(" ")) if len(value) <= _TEXT_MOST else None
    if match is None or abs(float(match[0])) > REAL_MOST:
        return None
    sign, whole, rest, only_rest = match.groups()
    decimals = rest or only_rest
    return ("-" if sign == "-" else "") + (whole or "0") + ("." + decimals if decimals else "")
