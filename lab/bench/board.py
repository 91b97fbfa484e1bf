"""Measures what the agent takes on a chip: instructions, heap, sizes, wakes; the figures of a board.

Rules
1. Instructions are those of the Cortex-M3 under QEMU, counted exactly (lab/firmware/cortex.py): two runs of the same
   files are equal. Port and flash are the board's and not counted.
2. The agent is compiled as boards get it: with constants written out, without asserts, with its lines.
3. Missing tools are looked for first: a report without them would take minutes and have no figures.
4. `python -m lab.bench.board` writes the table that a test compares with.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from toolcart.base.cache import Unavailable
from toolcart.base.command_line import CommandLine, start
from toolcart.base.constants import chip_sources, written_out
from toolcart.base.mpy import compile_into
from toolcart.base.report import Report
from toolcart.base.sources import ROOT, Source
from toolcart.tools.flash import package
from lab import runtimes
from lab.bench import board_heap, board_idle
from lab.firmware import cortex, programs, rp2040, sources
from lab.runtimes.build import BOARD_MACHINES

BASELINE = Path(__file__).with_name("instructions.json")
MACHINE = "armv7m"
FORMS = ("plain", "fast")
PLATFORMS = {"rp2": BOARD_MACHINES[0], "esp32": BOARD_MACHINES[2]}
HEAP_BYTES = 400 * 1024  # RAM flash of 64 KiB, agent, peers, counters
RUN_TIMEOUT_S = 120
HELPERS = (*rp2040.PEERS, "lab/bench/instructions.py")
NEEDED = (
    *(programs.QEMU_SYSTEM, programs.ARM_COMPILER, programs.ARM_LIBRARY),
    *(programs.CMAKE, programs.MAKE, programs.HOST_COMPILER, ("node", "nodejs")),
)
TARGETS = {"plain": "<= 540000", "fast": "<= 280000"}
SCRIPT = "import sys\nfrom lab.bench import instructions\ninstructions.main(sys.argv[1])\n"


def tree(folder: Path, form: str) -> None:
    """Fill `folder` with the agent, and with what measures it; without machine code if it is the `plain` form."""
    helpers = [written_out(Source(name, (ROOT / name).read_text(encoding="utf-8"))) for name in HELPERS]
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
    found = {}
    for form in forms:
        with tempfile.TemporaryDirectory(prefix="toolcart-bench-") as name:
            tree(Path(name), form)
            counted = count(Path(name), form)
        ticked = {what: instructions(counted[what]) for what in ("result", "idle_wake", "from_backlog")}
        found[form] = {**ticked, "allocated": counted["allocated"]}
    return found


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
    report = Report()
    progress(0.0)
    try:
        found = measure()
    except (Unavailable, ValueError, subprocess.CalledProcessError) as reason:
        for form in FORMS:
            report.add(f"instructions a result, {form}", None, "instructions", TARGETS[form], str(reason))
        found = {}
    progress(0.2)
    for form, figures in found.items():
        how = "Cortex-M3 under QEMU, exact: first octet to handled 05, without port and flash"
        report.add(f"instructions a result, {form}", figures["result"], "instructions", TARGETS[form], how)
        report.add(f"instructions an idle wake, {form}", figures["idle_wake"], "instructions", "", "both tasks woken")
        how = "read from the flash, sent, its 05 taken; a live result is sent from where it was put together"
        report.add(
            f"instructions a result out of the backlog, {form}", figures["from_backlog"], "instructions", "", how
        )
    board_idle.add(report)
    progress(0.3)
    sizes(report)
    board_heap.add(report)
    progress(1.0)
    return report.as_dict()


def sizes(report: Report) -> None:
    """Add what a chip is given: the .mpy files that `toolcart flash` copies, and the RP2040 image."""
    for platform, machine in PLATFORMS.items():
        name = f".mpy in all, {platform}"
        try:
            files = package.compiled(platform, machine)
        except (Unavailable, ValueError) as reason:
            report.add(name, None, "bytes", "", str(reason))
            continue
        octets = sum(len(content) for content in files.values())
        report.add(name, octets, "bytes", "", f"{len(files)} files, both links, configuration, status")
    try:
        octets = (rp2040.build() / "fw.bin").stat().st_size
        report.add("RP2040 image", octets, "bytes", "", "MicroPython with toolcart/agent/ and toolcart/board/ frozen")
    except Unavailable as reason:
        report.add("RP2040 image", None, "bytes", "", str(reason))


def main() -> None:
    CommandLine(__doc__).parse_args()
    BASELINE.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    start(main)
