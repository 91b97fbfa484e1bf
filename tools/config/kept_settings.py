"""What a spool that is there keeps, whatever the file says of it now: its size, its unit, how it is divided.

Rules
1. A start opens it all the same, so each is a warning, never a mistake. The start's log says it, too.
2. It is only looked at: without a lock, as an agent may have it, and nothing is said of one that cannot be read, or
   that no start would open (toolcart.tools.config.path_checks says why).
3. `parked_kib` that is not given is what the spool has: only a number can be without effect.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.partitioning import divide
from toolcart.agent.quarantine.quarantine import BLOCKS_LEAST as KEPT_BLOCKS_LEAST
from toolcart.agent.record.graph import ring_blocks
from toolcart.board.linux import regular_file, spool_header
from toolcart.tools.config.path_checks import is_of_a_chip

Warning_ = tuple[str, str, str]  # place, what is so, what helps

NOTHING_FOUND = -2  # in place of a number of blocks: the area is new


def found(configuration: dict, tree: dict, folder: Path) -> list[Warning_]:
    """List the settings that a spool keeps another value of; `configuration` is the completed `tree`."""
    warnings: list[Warning_] = []
    for index, station in enumerate([] if is_of_a_chip(configuration) else configuration["stations"]):
        spool, system = station["spool"], configuration["system"]
        owner = (system["type"], system["number"], station["number"])
        given = tree["stations"][index]["spool"].get("parked_kib")
        with suppress(OSError, ValueError):  # no such file, or no such name
            for key, words, cure in _kept(folder / spool["path"], owner, {**spool, "parked_kib": given}):
                warnings.append((f"stations[{index}].spool.{key}", f"{spool['path']} keeps {words}", cure))
    return warnings


def _kept(path: Path, owner: tuple[int, int, int], spool: dict) -> Iterator[Warning_]:
    with open(path, "rb", opener=_opener) as file:
        page, status = file.read(spool_header.PAGE_BYTES), os.fstat(file.fileno())
        header = spool_header.read(page)
        if header is None or spool_header.refusal(page, status, owner, "")[0]:
            return
        area = _Area(file.fileno(), header, status.st_size)
        kept, graphs, _ = divide(area, NOTHING_FOUND, NOTHING_FOUND)
    block_bytes = header.block_bytes
    move = f"`toolcart spool take-over {shlex.quote(str(path))} NEW` moves it into one"
    if spool["size_kib"] * 1024 // block_bytes < area.block_count:
        kib = area.block_count * block_bytes // 1024
        yield "size_kib", f"its {kib} KiB: a spool does not shrink", f"{move} of {spool['size_kib']} KiB (--size-kib)"
    if int(spool["unit"]) != header.unit_bytes:
        yield "unit", f"its unit of {header.unit_bytes} bytes", f"{move} of another unit (--unit)"
    if kept < 0:
        return
    parked_kib, kib = spool["parked_kib"], kept * block_bytes // 1024
    if parked_kib and max(parked_kib * 1024 // block_bytes, KEPT_BLOCKS_LEAST) != kept:
        yield "parked_kib", f"its {kib} KiB for what ToolsNet refuses", f"{move} with others (--parked-kib)"
    kib = graphs * block_bytes // 1024
    if ring_blocks(spool["graphs_kib"] * 1024, block_bytes) != graphs:
        words = f"its {kib} KiB for curves" if graphs else "to results alone: it has no room for curves"
        yield "graphs_kib", words, f"{move} {'with others' if graphs else 'with some'} (--graphs-kib)"


def _opener(path: str, flags: int) -> int:
    return regular_file.opener(path, flags | os.O_NOFOLLOW)


class _Area:
    """The blocks of a spool's file, to be read."""

    def __init__(self, descriptor: int, header: spool_header.Header, size: int) -> None:
        self._descriptor = descriptor
        self.unit_bytes = header.unit_bytes
        self.block_bytes = header.block_bytes
        self.block_count = (size - spool_header.PAGE_BYTES) // header.block_bytes

    def read_into(self, address: int, buf: bytearray, n: int) -> int:
        octets = os.pread(self._descriptor, n, spool_header.PAGE_BYTES + address)
        buf[: len(octets)] = octets
        return FLASH_DONE if len(octets) == n else FLASH_IO
