"""Measures what the agent takes on a chip: instructions by stage, heap, sizes, the image; the figures of a board.

Rules
1. Instructions are those of the Cortex-M3 under QEMU, counted exactly (lab/firmware/cortex.py): two runs of the same
   files are equal. Port and flash are the board's and not counted.
2. The agent is compiled as boards get it: without asserts, with its lines.
3. Missing tools are looked for first: a report without them would take minutes and have no figures.
4. `python -m lab.bench.board` writes the table of stages that a test compares with.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from toolcart.base.cache import Unavailable
from toolcart.base.command_line import CommandLine, start
from toolcart.base.mpy import compile_into
from toolcart.base.report import Report
from toolcart.base.sources import ROOT, Source, product_sources
from lab import runtimes
from lab.bench import board_heap, board_idle, board_sizes, board_time, halving
from lab.firmware import cortex, programs, rp2040, sources

BASELINE = Path(__file__).with_name("instructions.json")
MACHINE = "armv7m"
FORMS = ("plain", "fast")
HEAP_BYTES = 400 * 1024  # RAM flash of 64 KiB, agent, peers, counters
RUN_TIMEOUT_S = 120
# The least heap of the RP2040 image is searched between these.
HEAP_LOW_BYTES, HEAP_HIGH_BYTES, HEAP_STEP_BYTES = 16 * 1024, 160 * 1024, 256
HELPERS = (*rp2040.PEERS, "lab/bench/stages.py")
NEEDED = (
    *(programs.QEMU_SYSTEM, programs.ARM_COMPILER, programs.ARM_LIBRARY),
    *(programs.CMAKE, programs.MAKE, programs.HOST_COMPILER, ("node", "nodejs")),
)
TARGETS = {"plain": "<= 540000", "fast": "<= 280000"}
LEAST_TARGET = "<= 32768"
SCRIPT = "import sys\nfrom lab.bench import stages\nstages.main(sys.argv[1], sys.argv[2])\n"


def tree(folder: Path, form: str) -> None:
    """Fill `folder` with the agent, and with what measures it; without machine code if it is the `plain` form."""
    helpers = [Source(name, (ROOT / name).read_text(encoding="utf-8")) for name in HELPERS]
    compile_into(folder, [*product_sources(), *helpers], MACHINE if form == "fast" else "")


def count(folder: Path, what: str, form: str) -> dict[str, list[float]]:
    """Run one count on the Cortex-M3; return instructions by name (and the calls), Unavailable if it does not run."""
    script = folder / "count.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = cortex.command(script, HEAP_BYTES, (what, form), folder, exact=True)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=RUN_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the count had no end within {RUN_TIMEOUT_S} s") from None
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0:
        raise Unavailable(lines[-1] if lines else "it said nothing")
    figures = {}
    for line in lines:
        name, *numbers = line.split()
        figures[name] = [float(number) for number in numbers]
    return figures


def instructions(ticks: float) -> int:
    return round(ticks * cortex.INSTRUCTIONS_PER_TICK)


def measure(forms: tuple[str, ...] = FORMS, with_stages: bool = True) -> dict:
    """Return the counts of these forms: `result`, `idle_wake`, `stages` in instructions, `allocated` in bytes.

    Stages are counted in a run of their own; without `with_stages` there are none.
    """
    cortex.build()
    found = {}
    for form in forms:
        whole, parts = _counted("total", form), _counted("stages", form) if with_stages else {}
        found[form] = {
            "result": instructions(whole["result"][0]),
            "idle_wake": instructions(whole["idle_wake"][0]),
            "from_backlog": instructions(whole["from_backlog"][0]),
            "allocated": whole["allocated"][0],
            "stages": {
                stage.removeprefix("stage."): instructions(ticks[0])
                for stage, ticks in sorted(parts.items())
                if stage.startswith("stage.")
            },
        }
    return found


def _counted(what: str, form: str) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory(prefix="toolcart-bench-") as name:
        tree(Path(name), form)
        return count(Path(name), what, form)


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
        board_idle.add(report, None)
        _beside(report)
        return report.as_dict()
    progress(0.2)
    for form in FORMS:
        figures = found[form]
        how = "Cortex-M3 under QEMU, exact: first octet to handled 05, without port and flash"
        report.add(f"instructions a result, {form}", figures["result"], "instructions", TARGETS[form], how)
        for stage, value in figures["stages"].items():
            report.add(f"  of these {stage}, {form}", value, "instructions")
        report.add(f"instructions an idle wake, {form}", figures["idle_wake"], "instructions", "", "both tasks woken")
        how = "read from the flash, sent, its 05 taken; a live result is sent from where it was put together"
        report.add(
            f"instructions a result out of the backlog, {form}", figures["from_backlog"], "instructions", "", how
        )
    board_idle.add(report, found["fast"]["idle_wake"])
    _beside(report)
    progress(0.3)
    _image(report, progress)
    progress(1.0)
    return report.as_dict()


def _beside(report: Report) -> None:
    """Measure what does not need the Cortex-M3."""
    board_sizes.add(report)
    board_heap.add(report)
    board_time.add(report)


def _image(report: Report, progress: Callable[[float], None]) -> None:
    """Measure what the RP2040 image takes of flash and heap."""
    name = "least heap, RP2040 image, core frozen"
    try:
        image = rp2040.build()
        rp2040.simulator()
        modules = rp2040.peers_tree()
    except Unavailable as reason:
        report.add(name, None, "bytes", LEAST_TARGET, str(reason))
        return
    report.add(
        "RP2040 image",
        (image / "fw.bin").stat().st_size,
        "bytes",
        "",
        "MicroPython with toolcart/agent/ and toolcart/board/ frozen",
    )
    least, peers = halving.least(
        lambda heap_bytes: _beside_in(modules, heap_bytes),
        *(HEAP_LOW_BYTES, HEAP_HIGH_BYTES, HEAP_STEP_BYTES),
        lambda share: progress(0.3 + 0.7 * share),
    )
    if least is None or peers is None:
        report.add(name, None, "bytes", LEAST_TARGET, f"it does not run in {HEAP_HIGH_BYTES} bytes either")
        return
    how = f"rp2040js, free at the start, log on the chip's own flash, a backlog; {peers} more for the peers"
    report.add(name, least - peers, "bytes", LEAST_TARGET, how)


def _beside_in(modules: Path, heap_bytes: int) -> int | None:
    """Return the bytes that the peers take, if the agent gets through with so small a heap; else None."""
    command = rp2040.command(rp2040.JOBS / "heap_job.py", (str(heap_bytes),), modules)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=RUN_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return None  # it collects all the time: that does not count
    lines = done.stdout.split("\n")
    found = [int(line.split()[1]) for line in lines if line.startswith("beside ")]
    return found[0] if found and done.stdout.rstrip().endswith("through") else None


def main() -> None:
    CommandLine(__doc__).parse_args()
    BASELINE.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    start(main)
