"""Measures how long a board takes from power to its session: from main.py's first line to MID 0001 on the wire.

Rules
1. The chip is the RP2040 image in rp2040js, its clock the chip's own: cycles of the core at 125 MHz. The program is in
   a flash that never waits: on hardware XIP cache misses are added, and the listed erases and programs.
2. The board is as `toolcart flash` leaves it, confirmed: once with the core in the firmware, once with all of it
   copied as .mpy. The controller is on UART 0 (plain ASCII), because this image has no network.
3. Stages are separated by marks (lab/firmware/jobs/boot_marks.py), each one store; the end is the first byte that
   UART 0 is given.
4. The heap at a mark is reduced by what the script with the marks takes: a board does not have it.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from toolcart.base.cache import Unavailable
from toolcart.base.mpy import compiled
from toolcart.base.report import Report
from toolcart.base.sources import Source
from toolcart.tools.flash import package
from lab.firmware import rp2040

RUN_TIMEOUT_S = 120
ARCHITECTURE = "armv6m"
HEAP_FROM = 1000000  # as in boot_marks.py
CONFIRMED = b"a - 0 0 -\n"
# What the simulated flash does in no time (W25Q16JV data sheet, typical): a block erased, a page programmed.
ERASE_MS, PROGRAM_MS = 45, 0.7
PAGE_WORDS, BLOCK_WORDS = 64, 1024
FORM = "core frozen"
# What is done at each mark.
STAGES = (
    (1, "main.py's first line"),
    (2, "import safe_mode"),
    (3, "state read and written"),
    (4, "import toolcart.board.main"),
    (5, "import toolcart.agent.cart.app"),
    (6, "import toolcart.board.upkeep"),
    (7, "configuration read"),
    (8, "board made"),
    (9, "agent built"),
    (10, "spool brought up"),
)
NUMBER = {stage: number for number, stage in STAGES}
SENT = 11
LAST_STAGE = "MID 0001 written"
CART = {
    "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
    "board": {"network": "ethernet"},
    "stations": [
        {
            "number": 7,
            "controller": {"link": "ascii", "device": "0", "baud": 9600},
            "spool": {"path": "raw", "size_kib": 256, "parked_kib": 16},
        }
    ],
}
_MARK = re.compile(r"== (mark \d+|sent) ([\d.]+) (\d+) (\d+)")  # after the program's own output
MAIN = b"from machine import mem32\nmem32[0x40058010] = 1\nimport boot_marks\n"
WEIGHED_MAIN = MAIN.replace(
    b"import boot", b"import gc\ngc.collect()\nmem32[0x40058010] = %d + gc.mem_alloc()\nimport boot" % HEAP_FROM
)
SCRIPT = 0  # boot_marks.py is loaded


@dataclass(frozen=True)
class Mark:
    """A moment since power-on: milliseconds, flash blocks erased, pages programmed, heap in use (0: not measured)."""

    ms: float
    erases: int
    programs: int
    heap: int = 0


def lay_out(folder: Path, flash: Path, heap: bool) -> None:
    """Fill the flash as `toolcart flash` does, with a main.py that marks."""
    config = folder / "cart.json"
    config.write_text(json.dumps(CART), encoding="utf-8")
    version = package.build("rp2", ARCHITECTURE, config, package.core_digest("rp2"))
    files = {f"a/{name}": content for name, content in version.files.items()}
    files |= {name.lstrip("/"): content for name, content in version.root.items()}
    files |= {"a/version.json": version.manifest(), "toolcart.state": CONFIRMED}
    files |= {
        "main.py": WEIGHED_MAIN if heap else MAIN,
        "boot_marks.mpy": _compiled_marks(heap),
    }
    tree = folder / "tree"
    for name, content in files.items():
        target = tree / "files" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    said = _output(rp2040.command(rp2040.JOBS / "lay_out_job.py", (), tree, flash))
    if "laid out" not in said:
        raise Unavailable(f"the board could not be laid out: {said.strip()[-200:]}")


def marks(heap: bool = False) -> dict[int, Mark]:
    """Start such a board once; return the moment of each mark, SENT included."""
    with tempfile.TemporaryDirectory(prefix="toolcart-bench-") as name:
        folder = Path(name)
        flash = folder / "flash.bin"
        lay_out(folder, flash, heap)
        said = _output(rp2040.command(flash=flash, marks=True))
    found: dict[int, Mark] = {}
    last = 0
    for what, nanos, erased, words in _MARK.findall(said):
        number = SENT if what == "sent" else int(what.split()[1])
        erases, written = int(erased), int(words)
        if number >= HEAP_FROM:
            before = found[last]
            found[last] = Mark(before.ms, before.erases, before.programs, number - HEAP_FROM)
        else:
            last = number
            found[number] = Mark(float(nanos) / 1e6, erases, (written - erases * BLOCK_WORDS) // PAGE_WORDS)
    if SCRIPT in found:
        own = found.pop(SCRIPT).heap - found[1].heap
        found |= {
            number: replace(mark, heap=mark.heap - own) for number, mark in found.items() if number > 1 and mark.heap
        }
    if SENT not in found:
        raise Unavailable(f"it sent nothing: {said.strip()[-300:]}")
    return found


def _compiled_marks(heap: bool) -> bytes:
    """Return the marks, compiled."""
    text = (rp2040.JOBS / "boot_marks.py").read_text(encoding="utf-8").replace("HEAP = False", f"HEAP = {heap}")
    return compiled(Source("boot_marks.py", text))


def _output(command: list[str]) -> str:
    """Return the chip's output, cut off if it does not stop by itself."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=RUN_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as late:
        said = late.stdout or b""
        raise Unavailable(f"no end within {RUN_TIMEOUT_S} s: {said[-200:]!r}") from None
    return done.stdout


def add(report: Report) -> None:
    """Put time and heap of a start into the report, stage by stage."""
    name = f"main.py's first line to MID 0001, {FORM}"
    try:
        timed = marks()
        weighed = marks(heap=True)
    except (Unavailable, ValueError) as reason:
        report.add(name, None, "ms", "", str(reason))
        return
    first, sent = timed[1], timed[SENT]
    erases, programs = sent.erases - first.erases, sent.programs - first.programs
    slow_ms = erases * ERASE_MS + programs * PROGRAM_MS
    how = f"RP2040 at 125 MHz in rp2040js; with {erases} erases and {programs} programs {slow_ms:.0f} ms on flash"
    report.add(name, sent.ms - first.ms, "ms", "", how)
    report.add(f"  reset to main.py's first line, {FORM}", first.ms, "ms", "", "MicroPython's own start, no boot ROM")
    before = first.ms
    for number, stage in (*STAGES[1:], (SENT, LAST_STAGE)):
        report.add(f"  of these {stage}, {FORM}", timed[number].ms - before, "ms")
        before = timed[number].ms
    how = "agent, board and upkeep imported; interpreter, safe_mode and configuration included"
    report.add(f"heap after import, RP2040, {FORM}", weighed[NUMBER["configuration read"]].heap, "bytes", "", how)
    spool_up = weighed[NUMBER["spool brought up"]].heap
    report.add(f"heap with the spool up, RP2040, {FORM}", spool_up, "bytes", "", "and all objects made")
