"""Where the spools of a chip lie: no two have a part of its raw flash, or a folder, in common.

Rules
1. `raw@KIB` is a part from there on, as long as `size_kib` says; `raw` begins at 0. It is compared as it was written:
   how large the flash is only the board knows (toolcart.tools.flash.hardware).
2. Firmware without raw flash keeps such a spool in the folder that toolcart.board.chip makes of its path, which
   therefore is compared as well.
"""

from __future__ import annotations

import json
import re

from toolcart.agent.cart.settings import SPOOL_OF_CHIPS

BLOCK_KIB = 4  # raw flash is divided in blocks
FOLDER = "/spool"  # where a relative path of a chip begins (toolcart.board.chip)
_PART = re.compile(r"raw(?:@(\d+))?", re.ASCII)

Mistake = tuple[str, str, str]  # place, found, allowed


def part_of(spool: dict) -> tuple[int, int] | None:
    """Return from where to where a spool lies in raw flash, in KiB; None if it lies in files.

    >>> part_of({"path": "raw@256", "size_kib": 320})
    (256, 576)
    """
    matched = _PART.fullmatch(spool["path"])
    first = int(matched[1] or 0) if matched else 0
    return (first, first + spool["size_kib"]) if matched else None


def mistakes(configuration: dict, tree: dict) -> list[Mistake]:
    """List the spools of a chip that do not begin with a block, or have something of another one.

    `tree` is the file's own: a chip has other defaults than the completed configuration.
    """
    found = []
    parts: list[tuple[int, int, int]] = []
    folders: dict[str, int] = {}
    for index, station in enumerate(configuration["stations"]):
        sizes = {**SPOOL_OF_CHIPS, **tree["stations"][index].get("spool", {})}
        spool = {"path": station["spool"]["path"], "size_kib": sizes["size_kib"]}
        place, text = f"stations[{index}].spool.path", json.dumps(spool["path"])
        part = part_of(spool)
        other = folders.setdefault(folder_of(spool["path"]), index)
        if part is None:
            if other != index:
                found.append((place, text, f"a folder of its own: stations[{other}] has this one"))
            continue
        first, end = part
        if first % BLOCK_KIB:
            found.append((place, text, f"a multiple of {BLOCK_KIB} behind the @"))
        shared = [of for of in parts if first < of[1] and of[0] < end]
        if shared:
            start, stop, number = shared[0]
            free = max(of[1] for of in parts)
            words = f"a part of its own, such as raw@{free}: stations[{number}] has {start} to {stop} KiB"
            found.append((place, f"{text} to {end} KiB", words))
        parts.append((first, end, index))
    return found


def folder_of(path: str) -> str:
    """Return the folder of a board's spool, as toolcart.board.chip makes it where it lies in files."""
    return path if path.startswith("/") else f"{FOLDER}/{path.replace('@', '_') if path.startswith('raw') else path}"
