"""Whether the terminal shows more than ASCII, and what replaces the view's own signs where it does not.

1. The locale decides, as for other programs: the first of LC_ALL, LC_CTYPE and LANG that is set names UTF-8 or not.
2. Every cell keeps its width: a line of a table ends where it ended before.
3. Anything without a sign of its own in ASCII becomes `?`, whoever wrote it: the name of a station as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# What CPython itself sets where the locale is C (PEP 538): it does not mean that the terminal shows UTF-8.
_COERCED = {"C.UTF-8", "C.utf8", "UTF-8"}

_LINES = {"─━╌╍═▔╴╶": "-", "│┃╎║▏▎▌▐": "|", "┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛╔╗╚╝": "+"}
_SIGNS = {"●": "*", "◐": "~", "○": "o", "✖": "x", "▲↑": "^", "▼↓": "v", "→⏎": ">", "←": "<", "°": "d", "\u00a0": " "}
_SIGNS |= {"█▇": "#", "▆▅": "|", "▄▃▒": ":", "▂▁░…·": ".", "▀": '"'}
_TABLE = {ord(sign): plain for signs, plain in (_LINES | _SIGNS).items() for sign in signs}


def has_utf8(environment: Mapping[str, str] = os.environ) -> bool:
    """True if the locale says that the terminal shows UTF-8."""
    locales = [environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if not locales[0] and locales[1] in _COERCED and locales[2] in ("", "C", "POSIX"):
        return locales[1] == "UTF-8"  # how macOS says it; the other two are CPython's own
    locale = next((value for value in locales if value), "")
    return "utf8" in locale.lower().replace("-", "")


def plain(text: str) -> str:
    """Return the text in ASCII, with the same width in cells."""
    if text.isascii():
        return text
    return "".join(
        character if character.isascii() else _TABLE.get(ord(character)) or "?" * cell_len(character)
        for character in text
    )


class AsciiOnly(LineFilter):
    """Turns every line of the screen into ASCII, whichever widget drew it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(plain(segment.text), segment.style, segment.control)
            for segment in segments
        ]
