"""Measures the archive: results committed a second, how long a 05 takes, memory.

Rules
1. Server, stations and pages are three processes, over TCP on the loopback. Every commit waits for the disk.
2. PostgreSQL is measured if this machine has it (started on a socket of its own, `fsync` on).
3. Pages over 10 million results, and 10,000 stations, are measured by lab.bench.archive_large.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from toolcart.base import child
from toolcart.base.report import Report
from toolcart.base.sources import Unavailable
from lab.bench.archive_hostile import COUNT
from lab.bench.browser import pages_of
from lab.bench.postgresql import postgresql
from lab.bench.processes import STOP_LIMIT_S, memory_mib, told, worked_s

LOADS = ((1, 1), (100, 1), (100, 8), (1000, 1))  # stations, window
SECONDS = 10.0
RATE_PER_S, RATE_STATIONS, RATE_S = 500.0, 1000, 30.0
STEPS = 2 * (len(LOADS) + 3)


@contextmanager
def served(place: str, *words: str) -> Iterator[tuple[int, int, int]]:
    """An archive in a process of its own: its pid, the server's port and the PIM's, 0 for what it does not have."""
    ports_of = ("--pim-port", "0", "--server-port", "0", "--database", place)
    with told("archive", "serve", *ports_of, *words, begins=" on ") as (process, line):
        ports = dict(re.findall(r"(PIM|server) on [^:]*:(\d+)", line))
        yield process, int(ports.get("server", 0)), int(ports.get("PIM", 0))


def load(port: int, stations: int, seconds: float, window: int, rate: float, *more: int) -> dict:
    """Return what stations in a process of their own saw; `more`: parameters of a result, a PIM's port."""
    words = [str(word) for word in (port, stations, seconds, window, rate, *more)]
    command = child.command("-m", "lab.bench.archive_load", *words)
    before = os.times()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds + 120, check=True)
    after = os.times()
    took_s = after.children_user - before.children_user + after.children_system - before.children_system
    return {**json.loads(done.stdout), "worked_s": took_s}


# -- what gets through ---------------------------------------------------------------------------------------------


def _measure_server(report: Report, name: str, new_place: Callable[[], str], progress: Callable[[], None]) -> None:
    for stations, window in LOADS:
        progress()
        with served(new_place()) as (process, port, _):
            before_s = worked_s(process)
            seen = load(port, stations, SECONDS, window, 0)
            took_s = worked_s(process) - before_s
            memory = memory_mib(process)
        what = f"{name}, {stations} station{'s' if stations > 1 else ''}, window {window}"
        target = ">= 3000" if stations == 100 else ""
        report.add(f"committed a second, {what}", seen["answered"] / seen["seconds"], "1/s", target, lost(seen))
        report.add(f"processor time a result, {what}", took_s / seen["sent"] * 1e6, "us")
        report.add(f"processor time of the stations a result, {what}", seen["worked_s"] / seen["sent"] * 1e6, "us")
        report.add(f"memory at most, {what}", memory, "MiB")
    for beside in ("", ", pages asked all the time", f", {COUNT:,} hostile connections"):
        progress()
        with ExitStack() as stack:
            place = new_place()
            process, port, pim_port = stack.enter_context(served(place))
            if "pages" in beside:
                stack.enter_context(_asked(stack.enter_context(pages_of(place))))
            elif beside:
                stack.enter_context(hostile(pim_port, port))
            seen = load(port, RATE_STATIONS, RATE_S, 1, RATE_PER_S)
            memory = memory_mib(process)
        what = f"{name}, 500/s from 1,000 stations{beside}"
        report.add(f"05 behind its result, p99, {what}", seen["p99_ms"], "ms", "<= 50", lost(seen))
        report.add(f"05 behind its result, median, {what}", seen["p50_ms"], "ms")
        report.add(f"05 behind its result, slowest, {what}", seen["worst_ms"], "ms")
        report.add(f"memory at most, {what}", memory, "MiB", "<= 200" if "hostile" in beside else "")


@contextmanager
def hostile(pim_port: int, server_port: int) -> Iterator[None]:
    """Meanwhile ten thousand connections do all the harm they can (lab.bench.archive_hostile)."""
    command = child.command("-m", "lab.bench.archive_hostile", str(pim_port), str(server_port))
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "there\n":
            raise Unavailable("the hostile connections did not come")
        yield
    finally:
        process.communicate(timeout=STOP_LIMIT_S)


def lost(seen: dict) -> str:
    return f"unanswered {seen['unanswered']}, refused {seen['refused']}" if seen["unanswered"] + seen["refused"] else ""


@contextmanager
def _asked(address: str) -> Iterator[None]:
    """Meanwhile pages are requested without a pause: a station's day, the map, and what is not OK."""
    stop = threading.Event()

    def ask() -> None:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        while not stop.is_set():
            for path in ("/station/3/1/1", "/", "/results"):
                connection.request("GET", path)
                connection.getresponse().read()
        connection.close()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)


def run(progress: Callable[[float], None]) -> dict:
    """Measure all of it; `progress` gets the share done, 0 to 1."""
    report = Report()
    steps = iter(range(1, STEPS + 1))

    def step() -> None:
        progress(next(steps, STEPS) / (STEPS + 1))

    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(1000))
        _measure_server(report, "SQLite", lambda: str(Path(folder, f"{next(numbers)}.sqlite")), step)
    try:
        with postgresql(synced=True) as new_place:
            _measure_server(report, "PostgreSQL", new_place, step)
    except Unavailable as reason:
        report.add("committed a second, PostgreSQL, 100 stations, window 1", None, "1/s", ">= 3000", str(reason))
    progress(1.0)
    return report.as_dict()
