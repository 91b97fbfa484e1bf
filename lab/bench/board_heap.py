"""The least heap of a whole board: boot, Wi-Fi, sockets, names, upkeep, watchdog, spool, results and a backlog.

Rules
1. The program runs on the simulated chip (lab.chips.chip), with the fakes' share of the heap added on top; the heap
   is found by halving.
2. It has run if every result has arrived, the board has sent its log, and no task has failed.
"""

from __future__ import annotations

import copy

from toolcart.base.cache import Unavailable
from toolcart.base.report import Report
from lab.chips import rules
from lab.chips.chip import PIM, SERVER, TREE, Chip

LOW_BYTES, HIGH_BYTES, STEP_BYTES = 32 * 1024, 512 * 1024, 1024
LIVE, BACKLOG = 10, 40
NAME = "pim.plant.example"
TARGET = "<= 122880"
ROWS = (  # name, platform, copied, raw flash
    ("least heap, whole board, core frozen, RP2040", "rp2", False, True),
    ("least heap, whole board, core frozen, ESP32", "esp32", False, True),
    ("least heap, whole board, spool in files", "rp2", False, False),
    ("least heap, whole board, .mpy copied", "rp2", True, False),
)

# What each board has, and how its heap is filled: an RP2350 has 256 KiB more RAM (ports/rp2/memmap_mp_rp2350.ld:27).
THERE = {
    "RP2040": rules.HEAP_BYTES["rp2"],
    "RP2350": rules.HEAP_BYTES["rp2"] + 256 * 1024,
    "ESP32": rules.HEAP_BYTES["esp32"],
}


def runs_in(heap_bytes: int, platform: str, copied: bool, ring: bool) -> bool:
    """True if a board with so small a heap does all that is asked of it."""
    tree = copy.deepcopy(TREE)
    tree["toolsnet"]["pim_host"] = NAME
    with Chip(platform, tree, heap_bytes, copied, ring) as chip:
        chip.names[NAME] = PIM[0]
        try:
            chip.until(lambda: chip.resets or chip.controller.messages.get(60), 30000)
            chip.produce(LIVE, 2000)
            for address in (PIM, SERVER):
                chip.network.down(*address)
            chip.produce(BACKLOG, 1000)
            for address in (PIM, SERVER):
                chip.network.up(*address)
            chip.until(lambda: chip.resets or not chip.missing(), 300000)
            return not chip.resets and '"faults"' not in chip.ask("?log 1")
        except AssertionError:  # it does not get there
            return False


def least(platform: str, copied: bool, ring: bool) -> int | None:
    """Return the least heap, a multiple of STEP_BYTES, found by halving; None if the largest is not enough."""
    if not runs_in(HIGH_BYTES, platform, copied, ring):
        return None
    below, above = LOW_BYTES // STEP_BYTES, HIGH_BYTES // STEP_BYTES
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if runs_in(middle * STEP_BYTES, platform, copied, ring) else (middle, above)
    return above * STEP_BYTES


def add(report: Report) -> None:
    """Add a row for each form."""
    how = "unix32: boot, Wi-Fi, names, sockets, upkeep, watchdog, spool; 50 results, 40 of them a backlog"
    needed: dict[tuple[str, bool], int | None] = {}
    for name, platform, copied, ring in ROWS:
        try:
            found = least(platform, copied, ring)
            needed.setdefault((platform, copied), found)
            report.add(name, found, "bytes", TARGET, how)
        except Unavailable as reason:
            report.add(name, None, "bytes", TARGET, str(reason))
    for board, there in THERE.items():
        report.add(f"heap, {board}", there, "bytes", "", "by the ports' sources, with its radio; not measured")
        for copied, what in ((False, "core frozen"), (True, ".mpy copied")):
            platform = "esp32" if board == "ESP32" and not copied else "rp2"
            took = needed.get((platform, copied))
            left = None if took is None else there - took
            report.add(
                f"heap left, {board}, {what}", left, "bytes", "", "of that, less the least heap; negative: refused"
            )
