"""Measures a result's way from the controller's first byte to the handled 05: bytes allocated, time.

Rules
1. The agent is the real one, compiled as for a board; its peers are those of lab/harness/quiet.py, which allocate
   nothing and answer at once. So times are the agent's and the interpreter's, without a network.
2. What needs a missing MicroPython is reported as not measured, with the reason.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from toolcart.base.cache import Unavailable
from toolcart.base.report import Report, measured
from lab import runtimes
from lab.bench import inside
from lab.harness import quiet
from lab.harness.configuration import configuration
from lab.runtimes.harness import Machine

RESULTS = 1000
TURNS = 20
RUN_TIMEOUT_S = 120


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1."""
    steps: list[Callable[[Report], None]] = [
        lambda report: _allocation(report, "wasm32"),
        lambda report: _allocation(report, "unix32"),
        _allocation_on_files,
        _speed_here,
        lambda report: _speed(report, "unix32"),
        lambda report: _speed(report, "unix64"),
    ]
    return measured(steps, progress)


# -- MicroPython ---------------------------------------------------------------------------------------------------


def _machine(name: str) -> tuple[Machine | None, str]:
    runtime = runtimes.named(name)
    reason = runtime.fetch()
    if reason:
        return None, reason
    try:
        return Machine(runtime), ""
    except Unavailable as unavailable:
        return None, str(unavailable)


def _ask(name: str, call: str, heap: str) -> tuple[list[int], str]:
    """Run one function of lab/bench/inside.py; return the numbers of its line, or why there are none."""
    machine, reason = _machine(name)
    if machine is None:
        return [], reason
    try:
        done = machine.run_source(f"from lab.bench import inside\ninside.{call}\n", heap, timeout_s=RUN_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return [], f"no end within {RUN_TIMEOUT_S} s"
    lines = done.stdout.strip().splitlines()
    numbers = [int(word) for word in lines[-1].split()[1:] if word.isdigit()] if done.returncode == 0 and lines else []
    return numbers, "" if numbers else (lines[-1] if lines else "it said nothing")


def _allocation(report: Report, name: str) -> None:
    numbers, reason = _ask(name, f"allocation({RESULTS})", "1m")
    label = f"{name} ({runtimes.named(name).version})"
    how = f"{RESULTS} results, collection off" if numbers else reason
    report.add(f"allocated a result, {label}", numbers[0] / RESULTS if numbers else None, "bytes", "<= 0", how)
    how = f"{RESULTS} steps with their keep-alives" if numbers else reason
    report.add(f"allocated an idle step, {label}", numbers[1] / RESULTS if numbers else None, "bytes", "<= 0", how)


def _allocation_on_files(report: Report) -> None:
    numbers, reason = _ask("unix32", f"on_files({RESULTS})", "4m")
    how = (
        f"{RESULTS} results, files on littlefs, collection off; a file that is opened takes 1.2 KB"
        if numbers
        else reason
    )
    for at, name in enumerate(("live", "backlog")):
        value = numbers[at] / RESULTS if numbers else None
        report.add(f"allocated a result, spool in files, {name}", value, "bytes", "<= 0", how)


def _speed(report: Report, name: str) -> None:
    numbers, reason = _ask(name, f"speed({RESULTS})", "1m")
    how = f"{RESULTS} one after the other, flash in RAM" if numbers else reason
    value = RESULTS * 1000 / max(numbers[0], 1) if numbers else None
    report.add(f"through the whole path, {name}", value, "results/s", "", how)


def _speed_here(report: Report) -> None:
    bench = quiet.Workbench(configuration())
    bench.settle()
    if not bench.many_results(inside.WARM_UP):
        raise RuntimeError("the results do not get through")
    bench.idle(inside.SOUGHT)
    best = float("inf")
    for _ in range(TURNS):
        start = time.thread_time()
        if not bench.many_results(RESULTS // TURNS):
            raise RuntimeError("the results do not get through")
        best = min(best, time.thread_time() - start)
    if not bench.sound():
        raise RuntimeError("a result was lost, or came out of order")
    how = f"one after the other, flash in RAM, the best of {TURNS} turns of {RESULTS // TURNS} in the thread's own time"
    report.add("through the whole path, CPython", RESULTS // TURNS / best, "results/s", ">= 20000", how)
