"""Measures a result's way from the controller's first byte to the handled 05: time here, bytes allocated on files.

That it allocates nothing with the spool in raw flash is a test: host_tests/agent/cart/test_allocation.py.

Rules
1. The agent is the real one, compiled as for a board; its peers are those of lab/harness/allocation_free_peers.py,
   which allocate nothing and answer at once. So times are the agent's and the interpreter's, without a network.
2. What needs a missing MicroPython is reported as not measured, with the reason.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from lab import runtimes
from lab.bench.report import Report, measured
from lab.cache import Unavailable
from lab.harness import allocation_free_peers
from lab.harness.allocation_free_peers import configuration
from lab.runtimes.harness import Machine

RESULTS = 1000
TURNS = 20
WARM_UP = 40  # results before anything is timed
SOUGHT = 250  # idle steps: the controller was empty, so results before its first ID are searched for once
RUN_TIMEOUT_S = 120


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1."""
    return measured([_speed, _allocation_on_files], progress)


def _speed(report: Report) -> None:
    bench = allocation_free_peers.Workbench(configuration())
    bench.settle()
    if not bench.many_results(WARM_UP):
        raise RuntimeError("the results do not get through")
    bench.idle(SOUGHT)
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


def _allocation_on_files(report: Report) -> None:
    numbers, reason = _counts_of(f"from lab.bench import on_files\non_files.main({RESULTS})\n")
    how = reason or f"{RESULTS} results, files on littlefs, collection off; a file that is opened takes 1.2 KB"
    for at, name in enumerate(("live", "backlog")):
        value = numbers[at] / RESULTS if numbers else None
        report.add(f"allocated a result, spool in files, {name}", value, "bytes", "<= 0", how)


def _counts_of(source: str) -> tuple[list[int], str]:
    """Run this on 32-bit MicroPython; return the numbers of its last line, or why there are none."""
    runtime = runtimes.named("unix32")
    if reason := runtime.fetch():
        return [], reason
    try:
        done = Machine(runtime).run_source(source, "4m", timeout_s=RUN_TIMEOUT_S)
    except Unavailable as unavailable:
        return [], str(unavailable)
    except subprocess.TimeoutExpired:
        return [], f"no end within {RUN_TIMEOUT_S} s"
    lines = done.stdout.strip().splitlines() or ["it said nothing"]
    if done.returncode != 0:
        return [], lines[-1]
    return [int(word) for word in lines[-1].split()[1:]], ""
