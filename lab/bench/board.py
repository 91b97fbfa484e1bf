"""Measures what the agent takes on a chip: instructions and heap; the figures of a board.

Rules
1. Instructions are those of the Cortex-M3 under QEMU, counted exactly (lab/firmware/cortex.py): two runs of the same
   files are equal. Port and flash are the board's and not counted.
2. The agent is compiled as boards get it: with constants written out, without asserts, with its lines.
3. Missing tools are looked for first: a report without them would take minutes and have no figures.
4. `python -m lab.bench.board` writes the table that a test compares with.
5. The least heap is that of a whole board: boot, Wi-Fi, sockets, names, housekeeping, watchdog, spool, results and a
   backlog on the simulated chip (lab.chips.chip), the fakes' share added on top; it is found by halving. A board has
   run if every result has arrived, it has sent its log, and no task has failed.
"""

from __future__ import annotations

import copy
import json
import subprocess
import tempfile
from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from pathlib import Path

from toolcart.base.command_line import CommandLine, start
from toolcart.base.constants import chip_sources, written_out
from toolcart.base.mpy_files import compile_into
from toolcart.base.sources import ROOT, Source
from lab import runtimes
from lab.bench.report import Report, measured
from lab.cache import Unavailable
from lab.chips.chip import PIM, SERVER, TREE, Chip
from lab.firmware import cortex, programs, rp2040, sources

BASELINE = Path(__file__).with_name("instructions.json")
MACHINE = "armv7m"
FORMS = ("plain", "fast")
HEAP_BYTES = 400 * 1024  # RAM flash of 64 KiB, agent, peers, counters
RUN_TIMEOUT_S = 120
HELPERS = (*rp2040.PEERS, "lab/bench/instructions.py")
NEEDED = (
    *(programs.QEMU_SYSTEM, programs.ARM_COMPILER, programs.ARM_LIBRARY),
    *(programs.CMAKE, programs.MAKE, programs.HOST_COMPILER, ("node", "nodejs")),
)
LOW_BYTES, HIGH_BYTES, STEP_BYTES = 32 * 1024, 512 * 1024, 256  # of the search
LIVE, BACKLOG = 10, 40
NAME = "pim.plant.example"
HEAPS = (  # name, target, platform, copied
    ("least heap, whole board, core frozen, RP2040", "<= 92000", "rp2", False),
    ("least heap, whole board, core frozen, ESP32", "<= 90000", "esp32", False),
    ("least heap, whole board, .mpy copied", "<= 307200", "rp2", True),
)
TARGETS = {"plain": "<= 540000", "fast": "<= 280000"}
SCRIPT = "import sys\nfrom lab.bench import instructions\ninstructions.main(sys.argv[1])\n"


def tree(folder: Path, form: str) -> None:
    """Fill `folder` with the agent, and with what measures it; without machine code if it is the `plain` form."""
    helpers = written_out(*(Source(name, (ROOT / name).read_text(encoding="utf-8")) for name in HELPERS))
    compile_into(folder, [*chip_sources(), *helpers], MACHINE if form == "fast" else "")


def count(folder: Path, form: str) -> dict[str, float]:
    """Run one count on the Cortex-M3; return its figures by name, Unavailable if it does not run."""
    script = folder / "count.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = cortex.command(script, HEAP_BYTES, (form,), folder, exact=True)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=RUN_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the count had no end within {RUN_TIMEOUT_S} s") from None
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0:
        raise Unavailable(lines[-1] if lines else "it said nothing")
    return {name: float(number) for name, number in map(str.split, lines)}


def instructions(ticks: float) -> int:
    return round(ticks * cortex.INSTRUCTIONS_PER_TICK)


def measure(forms: tuple[str, ...] = FORMS) -> dict:
    """Return the counts of these forms: `result`, `idle_wake`, `from_backlog` in instructions, `allocated` in bytes."""
    cortex.build()
    figures = {}
    for form in forms:
        with tempfile.TemporaryDirectory(prefix="toolcart-bench-") as name:
            tree(Path(name), form)
            counted = count(Path(name), form)
        ticked = {what: instructions(counted[what]) for what in ("result", "idle_wake", "from_backlog")}
        figures[form] = {**ticked, "allocated": counted["allocated"]}
    return figures


def missing() -> str:
    """Return which measuring tools are missing here, and how to get them; "" if none. Takes less than a second."""
    packages = programs.missing(*NEEDED)
    if packages:
        return f"{' '.join(packages)} missing (sudo apt-get install {' '.join(packages)})"
    folders = {"unix32": runtimes.named("unix32").folder, "cortex": sources.FOLDER, "rp2040": rp2040.SIMULATOR_FOLDER}
    names = " ".join(name for name, folder in folders.items() if not folder.is_dir())
    return names and f"{names} not fetched yet (python -m lab.runtimes fetch {names})"


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1. Unavailable if something is missing."""
    lacking = missing()
    if lacking:
        raise Unavailable(lacking)
    return measured([_counts, *(partial(_least_heap, *row) for row in HEAPS)], progress)


def _counts(report: Report) -> None:
    how = "Cortex-M3 under QEMU, exact: first octet to handled 05, without port and flash"
    try:
        figures = measure()
    except (Unavailable, ValueError, subprocess.CalledProcessError) as reason:
        figures, how = {}, str(reason)
    for form in FORMS:
        value = figures[form]["result"] if figures else None
        report.add(f"instructions a result, {form}", value, "instructions", TARGETS[form], how)


def _least_heap(name: str, target: str, platform: str, copied: bool, report: Report) -> None:
    how = "unix32: boot, Wi-Fi, names, sockets, housekeeping, watchdog, spool; 50 results, 40 of them a backlog"
    try:
        report.add(name, least(platform, copied), "bytes", target, how)
    except Unavailable as reason:
        report.add(name, None, "bytes", target, str(reason))


def runs_in(heap_bytes: int, platform: str, copied: bool) -> bool:
    """True if a board with so small a heap does all that is asked of it."""
    tree = copy.deepcopy(TREE)
    tree["toolsnet"]["pim_host"] = NAME
    with Chip(platform, tree, heap_bytes, copied) as chip:
        chip.name_server.names[NAME] = PIM[0]
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


def least(platform: str, copied: bool) -> int | None:
    """Return the least heap, a multiple of STEP_BYTES, found by halving; None if the largest is not enough."""
    sizes = range(LOW_BYTES, HIGH_BYTES + 1, STEP_BYTES)
    at = bisect_left(sizes, True, key=lambda size: runs_in(size, platform, copied))
    return sizes[at] if at < len(sizes) else None


def main() -> None:
    CommandLine(__doc__).parse_args()
    BASELINE.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    start(main)
