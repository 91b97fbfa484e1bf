"""Foreign text as people may see it: what would move a terminal's cursor, change its colours or turn its writing round
is shown as its escape, `\\x1b` or `\\u202e`, in place of being done.

Rules
1. Every table and line for people that holds text of a controller, a server, a spool or a board goes through here. JSON
   does not: there every character has its escape already, and machines want what was there.
2. Shown by their escape: C0 and C1 controls, DEL, format characters (bidi controls, zero widths), line and paragraph
   separators, lone surrogates, which no terminal can be sent.
3. A backslash stays as it is: this is for eyes. Whoever needs to tell `\\x1b` from an ESC asks for --json.
"""

from __future__ import annotations

import unicodedata
from typing import Any

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # categories of Unicode


def visible(value: object) -> str:
    """Return the text of a value with nothing in it that acts on a terminal."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def visible_lines(text: str) -> str:
    """The same of several lines: they stay lines."""
    return "\n".join(visible(line) for line in text.split("\n"))


def visible_in(tree: object) -> Any:
    """The same tree of dicts, lists and plain values with every text in it made visible."""
    if isinstance(tree, dict):
        return {visible(key): visible_in(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [visible_in(value) for value in tree]
    return visible(tree) if isinstance(tree, str) else tree


def _shown(character: str) -> str:
    if unicodedata.category(character) not in HIDDEN:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
