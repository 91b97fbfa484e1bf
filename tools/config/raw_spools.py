"""Where the spools of a board lie: no two have a part of its raw flash, or a folder, in common.

Rules
1. `raw@KIB` is a part from there on, as long as `size_kib` says; `raw` begins at 0. It is compared as it was written:
   how large the flash is only the board knows (toolcart.tools.flash.hardware).
2. Any other spool is in a folder of its own in /spool, whose name has no `/`: so it has one spelling, is nowhere near
   the program, and is none of a Pi's paths. No name begins with raw, as firmware without raw flash keeps such parts in
   folders.
3. A name has no character that a file system may refuse. FAT takes capitals for small letters, so they are compared
   alike, and drops a dot at the end.
4. The part that a mistake names as free overlaps with none, and with none that another mistake names.
"""

from __future__ import annotations

import json
import re

BLOCK_KIB = 4  # raw flash is divided in blocks
A_SPOOL = "raw, raw@KIB, or a name in letters, digits, -, _ and, inside it, dots, which does not begin with raw"
_PART = re.compile(r"raw(?:@(\d+))?", re.ASCII)
_NAME = re.compile(r"(?!raw)[\w-](?:[\w.-]*[\w-])?", re.ASCII | re.IGNORECASE)

Mistake = tuple[str, str, str]  # place, found, allowed


def part_of(spool: dict) -> tuple[int, int] | None:
    """Return from where to where a spool lies in raw flash, in KiB; None if it lies in files.

    >>> part_of({"path": "raw@256", "size_kib": 320})
    (256, 576)
    """
    matched = _PART.fullmatch(spool["path"])
    first = int(matched[1] or 0) if matched else 0
    return (first, first + spool["size_kib"]) if matched else None


def mistakes(configuration: dict) -> list[Mistake]:
    """List the spools of a board whose path it cannot have, or that have something of another one."""
    found = []
    spools = [station["spool"] for station in configuration["stations"]]
    parts = [part_of(spool) for spool in spools]
    firsts = [_first_overlap(spools, index) for index in range(len(spools))]
    kept = [part for part, first in zip(parts, firsts, strict=True) if part and first is None]
    free = max((_whole_blocks(part[1]) for part in kept), default=0)
    for index, (spool, part, first) in enumerate(zip(spools, parts, firsts, strict=True)):
        place, text = f"stations[{index}].spool.path", json.dumps(spool["path"])
        if problem := _path_problem(spool["path"]):
            found.append((place, text, problem))
        elif first is not None and part and (other := parts[first]):
            words = f"a part of its own, such as raw@{free}: stations[{first}] has {other[0]} to {other[1]} KiB"
            found.append((place, f"{text} to {part[1]} KiB", words))
            free += _whole_blocks(spool["size_kib"])
        elif first is not None:
            spelled = json.dumps(spools[first]["path"])
            same = f", which shares its folder with {spelled}" if text != spelled else ""
            found.append((place, f"{text}{same}", f"a folder of its own, not that of stations[{first}]"))
    return found


def _first_overlap(spools: list[dict], index: int) -> int | None:
    """Return which spool in front of this one has something of it."""
    part = part_of(spools[index])
    for number, spool in enumerate(spools[:index]):
        other = part_of(spool)
        if part and other:
            shares = part[0] < other[1] and other[0] < part[1]
        else:
            shares = spool["path"].lower() == spools[index]["path"].lower()
        if shares:
            return number
    return None


def _path_problem(path: str) -> str:
    """Say what a board could have in place of this path, "" if it can have it."""
    matched = _PART.fullmatch(path)
    if matched:
        return f"a multiple of {BLOCK_KIB} behind the @" if int(matched[1] or 0) % BLOCK_KIB else ""
    return "" if _NAME.fullmatch(path) else A_SPOOL


def _whole_blocks(kib: int) -> int:
    return -(-kib // BLOCK_KIB) * BLOCK_KIB
