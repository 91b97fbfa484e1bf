"""Measures what many stations in one process take: CPU and memory of the agent and of the live view beside it, and
how soon `toolcart status` reports them.

Rules
1. Controllers and ToolsNet are simulated in this process; the agent and the live view are processes of their own, and
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

from toolcart.base import child
from toolcart.base.report import Report
from lab.bench.processes import memory_mib, running, worked_s
from lab.harness.fleet import Fleet

STATIONS = 50
RATE_PER_S = 1.0
SECONDS = 20.0
SETTLE_S = 6.0  # imports, the meeting of both sides and the first search for every controller's newest ID are over
READY_LIMIT_S = 60.0
STOP_LIMIT_S = 15.0
LINES, COLUMNS = 40, 120
VIEW_PERCENT = "<= 10"
STATUS_MS = "<= 150"
STATUS_RUNS = 15


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="toolcart-stations-") as folder, Fleet(STATIONS) as fleet:
        path = Path(folder, "stations.json")
        path.write_text(json.dumps(fleet.configuration()), encoding="utf-8")
        words = f"{STATIONS} stations, {RATE_PER_S:g} result/s each, {SECONDS:g} s"
        _agent_alone(report, fleet, path, words)
        progress(0.5)
        _live_view(report, fleet, path, words)
        progress(1.0)
    return report.as_dict()


def _agent_alone(report: Report, fleet: Fleet, path: Path, words: str) -> None:
    """Measure the agent as it runs as a service: plain lines to a file."""
    with running(
        [*_command(path), "--json"], **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    ) as process:
        _until_all_talk(fleet)
        before_s, before = worked_s(process.pid), fleet.archive.stored
        began_s = time.monotonic()
        time.sleep(SECONDS)
        took_s = time.monotonic() - began_s
        delivered = fleet.archive.stored - before
        percent = 100 * (worked_s(process.pid) - before_s) / took_s
        report.add("agent, share of a core", round(percent, 1), "%", how=words)
        report.add("agent, CPU for each result", round(percent * 10 * took_s / max(delivered, 1), 2), "ms", how=words)
        report.add("agent, results delivered", round(delivered / took_s, 1), "1/s", how=words)
        report.add("agent, most memory", round(memory_mib(process.pid), 1), "MB", how=words)
        _status(report, path)


def _status(report: Report, path: Path) -> None:
    """Measure `toolcart status` as a person types it: from start to end, and its own processor time."""
    command = child.command("-m", "toolcart.tools.cli.main", "status", "--config", str(path))
    environment = dict(os.environ)
    took, used = [], []
    for _ in range(STATUS_RUNS):
        before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=STOP_LIMIT_S, check=True)
        took.append(time.monotonic() - began_s)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    words = f"median of {STATUS_RUNS}, the same agent; the clock's swings with what else runs"
    report.add("toolcart status", round(1000 * median(took), 0), "ms", STATUS_MS, how=words)
    report.add("toolcart status, CPU", round(1000 * median(used), 0), "ms", STATUS_MS, how=words)


def _live_view(report: Report, fleet: Fleet, path: Path, words: str) -> None:
    """Measure the view of all stations, and its agent, which is its child."""
    parent, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    drain = threading.Thread(target=_drop, args=(parent,), daemon=True)
    drain.start()
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    with running(_command(path), env=environment, **dict.fromkeys(("stdin", "stdout", "stderr"), terminal)) as process:
        os.close(terminal)
        _until_all_talk(fleet)
        agent = _children(process.pid)[0]
        before = [worked_s(process.pid), worked_s(agent)]
        began_s = time.monotonic()
        time.sleep(SECONDS)
        took_s = time.monotonic() - began_s
        view, beside = (
            100 * (worked_s(pid) - was) / took_s for pid, was in zip((process.pid, agent), before, strict=True)
        )
        report.add("live view of all, share of a core", round(view, 1), "%", VIEW_PERCENT, how=words)
        report.add("agent that it watches, share of a core", round(beside, 1), "%", how=words)
        report.add("live view, most memory", round(memory_mib(process.pid), 1), "MB", how=words)
    drain.join(STOP_LIMIT_S)


def _command(path: Path) -> list[str]:
    return child.command("-m", "toolcart.tools.cli.main", "run", "--config", str(path))


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


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [int(word) for task in tasks.iterdir() for word in (task / "children").read_text().split()]
