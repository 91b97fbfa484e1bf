"""A station's telegrams, read for what they say: the text's own rules, and nothing stricter (004:120-320).

The simulated ToolsNet checks what a station may send (toolcart.toolsnet); this is what a ToolsNet has to
take.

Rules
1. Length fields rule: a part begins where those before it end by their own lengths, which may be longer than what is
   printed. Anything after the printed fields is ignored.
2. Numbers may have blanks around them, a sign, and a point anywhere (004:312-320), identifiers and counts too. They
   are finite and have no exponent; after a point a whole number has only zeros. A blank field is not a number.
3. What cannot be read is blank, and named in `unread`; it never becomes a good result (toolcart.archive.rows). What
   differs from the text is a Breach, once for each field of a telegram.
4. Nothing raises, and no count causes more work than the telegram's own bytes.
"""

from __future__ import annotations

import re

from toolcart import toolsnet as layouts
from toolcart.archive.tables import FACTOR_MOST, SHIFT_MOST
from toolcart.base.octets import printable, text_of
from toolcart.toolsnet import Breach, time_ok

_WHOLE = re.compile(rb"([+-]?[0-9]+)(?:\.0*)?")
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


class _Reading:
    """One telegram, and where it differs from the text."""

    def __init__(self, telegram: bytes) -> None:
        self.telegram = telegram
        self.breaches: list[Breach] = []
        self.unread: set[str] = set()

    def differs(self, field: str, position: int, found: bytes, allowed: str) -> None:
        self.breaches.append(Breach(field, position, text_of(found), allowed))

    def fields(self, at: int, layout: tuple, where: str = "") -> dict:
        """Return the fields of a layout that begins at byte `at`."""
        found = {}
        for name, start, width, *form in layout:
            octets = self.telegram[at + start : at + start + width]
            value, allowed = _value(octets, width, form)
            if value is None:
                self.unread.add(where + name)
                value = 0 if form[0] in "di" else ""
            if allowed:
                self.differs(where + name, at + start + 1, octets, allowed)
            found[name] = value
        return found

    def size(self, found: dict, name: str, position: int, least: int) -> int:
        """Return the bytes of a part: as its length field says, but `least` at least."""
        told = found[name]
        if told >= least:
            return told
        if name not in self.unread:
            self.differs(name, position, b"%d" % told, f"{least} or more")
        return least

    def entries(self, at: int, count: int, size: int, layout: tuple, name: str) -> list[dict]:
        """Return those entries of a list that are whole."""
        there = max(0, min(count, (len(self.telegram) - at) // size))
        return [self.fields(at + index * size, layout, f"{name}[{index}].") for index in range(there)]

    def ends_at(self, end: int) -> None:
        """Note if the telegram is shorter or longer."""
        if len(self.telegram) != end:
            self.differs("length", 0, b"%d octets" % len(self.telegram), f"{end} octets")
        if len(self.telegram) < end:
            self.unread.add("length")


def _value(octets: bytes, width: int, form: list) -> tuple[int | str | None, str]:
    """Return a field's value, None if it cannot be read, and what is allowed if the value breaks the text."""
    kind = form[0]
    if len(octets) < width:
        return None, f"{width} octets"
    if kind == "s":
        return text_of(octets).rstrip(), "" if printable(octets) else "printable ASCII"
    if kind[0] == "t":
        good = time_ok(octets) or (kind == "t?" and not octets.strip())
        return text_of(octets) if good else None, "" if good else "a time yyyymmddhhnnss"
    text = octets.strip(b" ")
    if kind in "di":
        found = _WHOLE.fullmatch(text)
        if found is None:
            return None, "a whole number"
        value = int(found[1])
        if kind == "d" and not form[1] <= value <= form[2]:
            return (value if value >= 0 else None), f"{form[1]} to {form[2]}"
        return value, ""
    if not _NUMBER.fullmatch(text):
        return None, "a number"
    return text.decode(), ""


def _result(one: _Reading) -> dict:
    """Telegram 04 (004:120-185)."""
    general = one.fields(0, (("general_bytes", 7, 2, "d", 79, 99),))
    found = one.fields(0, layouts.GENERAL)
    at = one.size(general, "general_bytes", 8, 80)
    parts = (
        ("spindles", "spindle", 70, 70, layouts.SPINDLE),
        ("vins", "vin", 74, 29, layouts.VIN),
        ("parameters", "parameter", 79, 72, layouts.PARAMETER),
    )
    for name, kind, position, least, layout in parts:
        count = found[kind + "_count"]
        size = one.size(found, kind + "_bytes", position, least) if count else least
        found[name] = one.entries(at, count, size, layout, name)
        at += count * size
    one.ends_at(at)
    return found


def _station(one: _Reading) -> dict:
    """Telegram 02 (004:269-288)."""
    found = one.fields(0, layouts.STATION)
    found["spindles"] = []
    at = 63
    for index in range(found["spindle_count"]):
        where = f"spindles[{index}]."
        if at + 33 > len(one.telegram):
            at += 33
            break
        spindle = one.fields(at, layouts.STATION_SPINDLE, where)
        at += 33
        spindle["programs"] = one.entries(at, spindle["program_count"], 29, layouts.STATION_PROGRAM, where + "programs")
        at += 29 * spindle["program_count"]
        found["spindles"].append(spindle)
    one.ends_at(at)
    return found


def _event(one: _Reading) -> dict:
    """Telegram 09 (004:189-204)."""
    found = one.fields(0, layouts.EVENT)
    count = found["parameter_count"]
    found["parameters"] = one.entries(48, count, 24, layouts.EVENT_PARAMETER, "parameters")
    one.ends_at(48 + 24 * count)
    return found


def _graph(one: _Reading) -> dict:
    """Telegram 13 (004:290-320). An impossible scale makes samples meaningless: it counts as not read."""
    found = one.fields(0, layouts.GRAPH)
    at = one.size(found, "general_bytes", 8, 116)
    octets = found["sample_bytes"]
    if octets % 2:
        one.differs("sample_bytes", 113, b"%d" % octets, "even")
        one.unread.add("sample_bytes")
    for name, position, is_scale in (
        ("bit_shift", 51, abs(found["bit_shift"]) <= SHIFT_MOST),
        ("factor_dom", 61, abs(found["factor_dom"]) <= FACTOR_MOST),
        ("factor_nom", 71, 0 < abs(found["factor_nom"]) <= FACTOR_MOST),
    ):
        if not is_scale and name not in one.unread:
            allowed = f"{-SHIFT_MOST} to {SHIFT_MOST}" if position == 51 else "not 0"
            one.differs(name, position, b"%d" % found[name], allowed)
            one.unread.add(name)
    found["samples"] = one.telegram[at : at + octets]
    one.ends_at(at + octets)
    return found


def _plain(layout: tuple, octets: int):
    def read(one: _Reading) -> dict:
        one.ends_at(octets)
        return one.fields(0, layout)

    return read


_KINDS = {
    "01": _plain(layouts.SYSTEM, 57),
    "02": _station,
    "04": _result,
    "05": _plain(layouts.ACKNOWLEDGE, 24),
    "06": _plain((), 7),
    "07": _plain(layouts.REQUEST, 19),
    "09": _event,
    "11": _plain(layouts.PLUGIN_REQUEST, 26),
    "13": _graph,
}
# Without these a telegram cannot be stored under its name.
_NEEDED = {
    "01": ("system_type", "system"),
    "02": ("system_type", "system", "station"),
    "04": ("system_type", "system", "station", "time", "sequence"),
    "09": ("system_type", "system", "station", "time", "sequence", "code"),
    "13": (
        *("system_type", "system", "station", "time", "sequence", "spindle", "graph_type", "length"),
        *("sample_bytes", "bit_shift", "factor_dom", "factor_nom"),
    ),
}
_FROM_ONE = ("system", "station", "spindle")  # a system type may be 0: that of a PF3000 (004 section 6)


def read(telegram: bytes) -> tuple[dict, list[Breach]]:
    """Return (fields, breaches) of the bytes after a length.

    Always there: "id", two characters; "identifier", -1 if it has none; "unread", the fields that cannot be read.
    """
    one = _Reading(telegram)
    kind = text_of(telegram[:2])
    identifier, _ = _value(telegram[2:7], 5, ["d", 0, 99999])
    if not isinstance(identifier, int):
        identifier = -1
        one.differs("identifier", 3, telegram[2:7], "00000 to 99999")
    if kind in _KINDS:
        found = _KINDS[kind](one)
    else:
        found = {}
        one.differs("telegram", 1, telegram[:2], ", ".join(_KINDS))
    found.update(id=kind, identifier=identifier, unread=one.unread)
    return found, one.breaches


def is_told(found: dict) -> bool:
    """True if a telegram's fields say whose it is and what, so that it can be stored."""
    kind = found["id"]
    unread = found.get("unread", ())  # missing if nothing was wrong
    for name in _NEEDED.get(kind, ()):
        if name in unread or (name in _FROM_ONE and not 1 <= found[name] <= 9999):
            return False
    if kind == "02":
        return len(found["spindles"]) == found["spindle_count"] and "length" not in unread
    if kind != "04":
        return kind in _NEEDED
    spindles = [spindle["spindle"] for spindle in found["spindles"]]
    is_whole = 0 < len(spindles) == found["spindle_count"]
    return is_whole and min(spindles) > 0 and len(set(spindles)) == len(spindles)
