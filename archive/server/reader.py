"""A station's telegrams, read for what they say: the text's own rules, and nothing stricter (TN 5.3).

The simulated ToolsNet checks what a station may send (toolcart.toolsnet.telegrams); this is what a ToolsNet has to
take.

Rules
1. Length fields rule: a part begins where those before it end by their own lengths, which may be longer than what is
   printed. Anything after the printed fields is ignored.
2. Numbers may have blanks around them, a sign, and a point anywhere (TN 5.13), identifiers and counts too. They
   are finite and have no exponent; after a point a whole number has only zeros. A blank field is not a number.
3. What cannot be read is blank, and named in `unread`; it never becomes a good result (toolcart.toolsnet.rows). What
   differs from the text is a Breach, once for each field of a telegram.
4. A text is UTF-8, and each byte that is none of it a character of latin-1: it has no more characters than bytes. In a
   breach all that is not plain is escaped (toolcart.agent.record.escaping).
5. Nothing raises, and no count causes more work than the telegram's own bytes.
"""

from __future__ import annotations

import codecs
import re

from toolcart.agent.record.escaping import decoded
from toolcart.base.octets import printable, text_of
from toolcart.toolsnet.layouts import time_ok
from toolcart.toolsnet.telegrams import SENT, Breach, Reading, fields_of

_KINDS = tuple(sorted((*SENT, "11")))
_WHOLE = re.compile(rb"([+-]?[0-9]+)(?:\.0*)?")
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_AS_LATIN_1 = "toolcart-latin-1"


def _as_latin_1(wrong: UnicodeError) -> tuple[str, int]:
    assert isinstance(wrong, UnicodeDecodeError)
    return wrong.object[wrong.start : wrong.end].decode("latin-1"), wrong.end


codecs.register_error(_AS_LATIN_1, _as_latin_1)


class _Lenient(Reading):
    """It takes a part that is longer and a number in any form that says the same."""

    is_exact = False

    def shown(self, octets: bytes) -> str:
        return text_of(octets) if printable(octets) else decoded(octets)

    def value(self, octets: bytes, form: tuple) -> tuple[int | str | None, str | None]:
        kind = form[3]
        if kind == "s":
            return _text_of(octets).rstrip(), None if printable(octets) else "printable ASCII"
        if kind[0] == "t":
            good = time_ok(octets) or (kind == "t?" and not octets.strip())
            return text_of(octets) if good else None, None if good else "a time yyyymmddhhnnss"
        text = octets.strip(b" ")
        if kind in "di":
            match = _WHOLE.fullmatch(text)
            if match is None:
                return None, "a whole number"
            value = int(match[1])
            if kind == "d" and not form[4] <= value <= form[5]:
                return (value if value >= 0 else None), f"{form[4]} to {form[5]}"
            return value, None
        return (text.decode(), None) if _NUMBER.fullmatch(text) else (None, "a number")


def _text_of(octets: bytes) -> str:
    text = octets.decode(errors=_AS_LATIN_1)
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


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
_FROM_ONE = ("system", "station", "spindle")  # a system type may be 0: that of a PF3000 (TN 6)


def read(telegram: bytes) -> tuple[dict, list[Breach]]:
    """Return (fields, breaches) of the bytes after a length.

    Always there: "id", two characters; "identifier", -1 if it has none; "unread", the fields that cannot be read, which
    the fields of other readers lack.
    """
    one = _Lenient(telegram)
    decoded = fields_of(one, _KINDS)
    octets = telegram[2:7]
    identifier, _ = one.value(octets, ("identifier", 2, 5, "d", 0, 99999)) if len(octets) == 5 else (None, None)
    if identifier is None:
        one.differs("identifier", 3, text_of(octets), "00000 to 99999")
    decoded.update(identifier=-1 if identifier is None else identifier, unread=one.unread)
    return decoded, one.breaches


def is_complete(fields: dict) -> bool:
    """True if a telegram's fields say whose it is and what, so that it can be stored."""
    kind = fields["id"]
    unread = fields.get("unread", ())
    for name in _NEEDED.get(kind, ()):
        if name in unread or (name in _FROM_ONE and not 1 <= fields[name] <= 9999):
            return False
    if kind == "02":
        return len(fields["spindles"]) == fields["spindle_count"] and "length" not in unread
    if kind != "04":
        return kind in _NEEDED
    spindles = [spindle["spindle"] for spindle in fields["spindles"]]
    is_whole = 0 < len(spindles) == fields["spindle_count"]
    return is_whole and min(spindles) > 0 and len(set(spindles)) == len(spindles)
