"""Rewrites the line numbers of a .mpy so that a traceback can be looked up, in bytes that a chip's heap rounds away.

Rules
1. A number is not a line: it stands for a piece of a function, and counts through all functions of one name in a file.
   So file, name and number of a traceback's frame are one entry of the map.
2. The bytecode of a function is one allocation, and MicroPython allocates blocks of 16 bytes. Numbers go only where a
   block is not full; the space left after the first one separates the function's parts, beginning with those inlined
   from other functions. A function without room gets the number 1, which takes no byte, while its name has it left;
   otherwise it costs a block (about ten do).
3. Machine code has no line numbers and is not rewritten.
"""

from __future__ import annotations

from collections import defaultdict

from tools.compact.bytecode import BLOCK_BYTES, Bytecode, Span
from tools.compact.mpy import Mpy, NameOf, OriginOf, joined

Lines = dict[str, list[list[Span]]]  # by a function's name on the board and by number, from 1


def rewritten(octets: bytes, origin_of: OriginOf, name_of: NameOf) -> tuple[bytes, Lines]:
    """Return the .mpy with numbers in place of lines, and what they stand for.

    `origin_of` gives the origin of a line of the compiled text, None if it has none: then the function has no
    numbers at all. `name_of` gives the function that a line is in, for names that a .mpy does not spell.
    """
    pieces = Mpy(octets).pieces(origin_of, name_of)
    named: dict[str, list[Bytecode]] = defaultdict(list)
    for piece in pieces:
        if isinstance(piece, Bytecode):
            piece.lines = b""
            named[piece.name].append(piece)
    lines: Lines = {}
    for name, functions in named.items():
        functions = [one for one in functions if one.places]
        functions.sort(key=lambda one: -len(one.data) % BLOCK_BYTES)
        for one in functions:
            one.number(len(lines.setdefault(name, [])) + 1)
            lines[name] += one.spans()
    return joined(pieces), lines
