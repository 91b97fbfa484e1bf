"""Measures what many stations take: the live view of all of them, and how soon `toolcart status` reports them.

Rules
1. Controllers and ToolsNet are simulated in this process; agent and live view are processes of their own, and
   the figures are their own processor time (/proc/PID/stat), which a busy machine does not change.
2. Every controller makes RATE_PER_S results a second, more than anyone tightens for hours: an upper limit.
3. The live view draws on a pseudo-terminal of 120 x 40 whose output is read and dropped.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import resource
import struct
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from toolcart.base import subprocesses
from lab.bench.report import Report
from lab.harness.fleet import Fleet
from lab.harness.processes import running, worked_s

STATIONS = 50
RATE_PER_S = 1.0
SECONDS = 20.0
SETTLE_S = 6.0  # imports, the meeting of both sides and the first search for every controller's newest ID are over
READY_LIMIT_S = 60.0
STOP_LIMIT_S = 15.0
LINES, COLUMNS = 40, 120
STATUS_RUNS = 15


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="toolcart-stations-") as folder, Fleet(STATIONS) as fleet:
        path = Path(folder, "stations.json")
        path.write_text(json.dumps(fleet.configuration()), encoding="utf-8")
        _live_view(report, fleet, path)
        progress(1.0)
    return report.as_dict()


def _live_view(report: Report, fleet: Fleet, path: Path) -> None:
    """Measure the view of all stations over its agent, and `toolcart status` beside it."""
    parent, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    drain = threading.Thread(target=_drop, args=(parent,), daemon=True)
    drain.start()
    command = subprocesses.command("-m", "toolcart.tools.cli.main", "run", "--config", str(path))
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    with running(command, env=environment, **dict.fromkeys(("stdin", "stdout", "stderr"), terminal)) as process:
        os.close(terminal)
        _until_all_talk(fleet)
        before_s, began_s = worked_s(process.pid), time.monotonic()
        time.sleep(SECONDS)
        percent = 100 * (worked_s(process.pid) - before_s) / (time.monotonic() - began_s)
        words = f"{STATIONS} stations, {RATE_PER_S:g} result/s each, {SECONDS:g} s"
        report.add("live view of all, share of a core", round(percent, 1), "%", "<= 10", how=words)
        _status(report, path)
    drain.join(STOP_LIMIT_S)


def _status(report: Report, path: Path) -> None:
    """Measure the processor time of `toolcart status` as a person types it."""
    command = subprocesses.command("-m", "toolcart.tools.cli.main", "status", "--config", str(path))
    used = []
    for _ in range(STATUS_RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, timeout=STOP_LIMIT_S, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    words = f"processor time, median of {STATUS_RUNS}"
    report.add("toolcart status", round(1000 * median(used), 0), "ms", "<= 150", how=words)


def _until_all_talk(fleet: Fleet) -> None:
    """Wait until every controller has its agent; then set the rate, and allow time for what only a start does."""
    fleet.produce_rate(0)
    deadline_s = time.monotonic() + READY_LIMIT_S
    while not fleet.all_talk():
        if time.monotonic() > deadline_s:
            raise RuntimeError("the agent did not meet every controller in time")
        time.sleep(0.05)
    fleet.produce_rate(RATE_PER_S)
    time.sleep(SETTLE_S)


def _drop(descriptor: int) -> None:
    """Read what is drawn until the last process closes the terminal."""
    with contextlib.suppress(OSError):
        while os.read(descriptor, 65536):
            pass
    os.close(descriptor)
