"""Text that a station has escaped (toolcart.agent.record.escaping), turned back where an archive reads it.

Rules
1. Only escapes of bytes beyond ASCII are turned back, and only those that make a character: `~C3~A4` is `ä`, `~E4`
   stays. So another station's text with a tilde in it stays what it is, and two texts never become one.
2. A VIN too long for its field has its bytes in two parameters; if it fits its column, it is read from those.
3. A line of an outlet has the text in full. What does not fit its column gets the form that ToolsNet's field has.
"""

from __future__ import annotations

import re

from toolcart.agent.base.fields import is_plain
from toolcart.agent.record.escaping import decoded, octets_of, put_ascii

VIN_OCTETS = (60022, 60023)  # parameters of ours (docs/outlets.md): hexadecimal digits
_VIN_MOST = 25
_BEYOND = re.compile("(?:~[89A-F][0-9A-F])+")
_HEX = re.compile("(?:[0-9A-F]{2})+")


def restore(fields: dict, telegram: bytes) -> None:
    """Turn back what is escaped in a telegram's fields."""
    if b"~" not in telegram:
        return
    _restore(fields)
    digits = "".join(one["value"] for one in fields.get("parameters", ()) if one.get("parameter_id") in VIN_OCTETS)
    if "~~" in fields.get("vin", "") and _HEX.fullmatch(digits):
        text = decoded(bytes.fromhex(digits))
        if len(text) <= _VIN_MOST:
            fields["vin"] = text


def _restore(fields: dict) -> None:
    for name, value in fields.items():
        if isinstance(value, str):
            fields[name] = _turned_back(value)
        elif isinstance(value, list):
            for one in value:
                _restore(one)


def _turned_back(text: str) -> str:
    return _BEYOND.sub(lambda escaped: decoded(octets_of(escaped[0])), text)


def of_line(text: str, most: int) -> str:
    """Return a line's text as its column gets it, whatever is in it."""
    octets = _octets(text)
    text = decoded(octets)
    if len(text) <= most or _is_plain(octets):
        return text[:most]
    field = bytearray(most)
    put_ascii(field, 0, most, octets)
    return _turned_back(field.decode().rstrip())


def octets_left_out(text: str) -> str:
    """Return the hexadecimal digits of a line's VIN that does not fit ToolsNet's field; "" if it does."""
    octets = _octets(text)
    is_whole = _is_plain(octets) or put_ascii(bytearray(_VIN_MOST), 0, _VIN_MOST, octets)
    return "" if is_whole else octets.hex().upper()


def _octets(text: str) -> bytes:
    return octets_of(text.encode(errors="replace").decode()).strip(b" \0")


def _is_plain(octets: bytes) -> bool:
    return is_plain(octets, 0, len(octets))
