"""Measures what it takes to build each telegram that a station sends, on CPython and on 32-bit MicroPython.

Rules
1. Every figure is the best of several turns, in ns, and a multiple of something plain in the same run: a telegram 05
   put together by `%` (lab.bench.inside_telegrams).
2. Boards do not get the writers of 01, 02, 09 and 13. They are compiled beside the rest for this alone.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from toolcart.base import child
from toolcart.base.cache import Unavailable
from toolcart.base.report import Report
from toolcart.base.sources import is_cpython_only, python_files
from lab.runtimes import named
from lab.runtimes.build import compiled_tree
from lab.runtimes.harness import Machine

ROUNDS = 2000
MICROPYTHON_ROUNDS = 200
HEAP = "1m"
TIMEOUT_S = 120
STEPS = 2
INSIDE = "lab/bench/inside_telegrams.py"
BESIDE_RESULTS = (
    "toolcart/agent/toolsnet/",
    "toolcart/agent/outlets/",
    "toolcart/agent/wide/",
    "toolcart/agent/wide/controller_events.py",
    "toolcart/agent/wide/controller_programs.py",
    "toolcart/agent/record/",
)


def machine() -> Machine:
    """Return the 32-bit MicroPython with all of ToolsNet's side, the part for CPython too; Unavailable if missing."""
    runtime = named("unix32")
    reason = runtime.fetch()
    if reason:
        raise Unavailable(reason)
    more = [source for source in python_files("toolcart/agent") if is_cpython_only(source.name, source.text)]
    more = [source for source in more if source.name.startswith(BESIDE_RESULTS)]
    more += [source for source in python_files("lab/bench") if source.name == INSIDE]
    tree, refused = compiled_tree(runtime.native, tuple(more))
    if refused:
        raise Unavailable(refused[0])
    return Machine(runtime, tree)


def measure(report: Report, progress: Callable[[float], None]) -> None:
    """Add the figures; `progress` gets the share done, 0 to 1."""
    call = f"from lab.bench import inside_telegrams\ninside_telegrams.times({ROUNDS})\n"
    done = subprocess.run(
        child.command("-c", call),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    _tell(report, "CPython", done.stdout)
    progress(1 / STEPS)
    try:
        done = machine().run_source(call.replace(str(ROUNDS), str(MICROPYTHON_ROUNDS)), HEAP, timeout_s=TIMEOUT_S)
        _tell(report, "unix32", done.stdout)
    except Unavailable as reason:
        report.add("telegram 04 built, unix32", None, "ns", "", str(reason))
    progress(1.0)


def _tell(report: Report, where: str, said: str) -> None:
    rows = [line.split() for line in said.splitlines() if line.startswith("took ")]
    if not rows:
        raise Unavailable(f"{where}: {said.strip().splitlines()[-1:] or ['it said nothing']}")
    plain = int(rows[0][2])
    report.add(f"a telegram 05 by %, {where}", plain, "ns", "", "what is plain, in the same run")
    for _, name, ns, octets in rows[1:]:
        told = f"telegram {name.replace('_', ' ')} built, {where}"
        report.add(told, int(ns), "ns")
        report.add(f"{told}, to plain", int(ns) / plain, "x")
        if int(octets) >= 0:
            report.add(f"{told}, allocated", int(octets), "bytes")
