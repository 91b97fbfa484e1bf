"""Foreign text made safe to show: what would move a terminal's cursor, change its colours or reverse its writing is
shown as an escape, `\\x1b` or `\\u202e`, instead of taking effect.

Rules
1. Every table and line for people with text from a controller, a server, a spool or a board goes through here. JSON
   does not: there such characters are escaped already, and machines want the original.
2. Shown as escapes: C0 and C1 controls, DEL, format characters (bidi controls, zero widths), line and paragraph
   separators, and lone surrogates, which cannot be sent to a terminal.
3. A backslash stays as it is: this is for people. --json tells `\\x1b` from an ESC.
"""

from __future__ import annotations

import unicodedata
from typing import Any

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # Unicode categories


def visible(value: object) -> str:
    """Return a value as text in which nothing acts on a terminal."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def visible_lines(text: str) -> str:
    """Do the same for several lines: they stay lines."""
    return "\n".join(visible(line) for line in text.split("\n"))


def visible_in(tree: object) -> Any:
    """Return the same tree of dicts, lists and plain values with every text in it made visible."""
    if isinstance(tree, dict):
        return {visible(key): visible_in(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [visible_in(value) for value in tree]
    return visible(tree) if isinstance(tree, str) else tree


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in HIDDEN:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
