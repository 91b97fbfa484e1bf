"""Measures the archive: results committed a second, how long a 05 takes, memory, and pages over 10 million results.

Rules
1. Server, stations and pages are three processes, over TCP on the loopback. Every commit waits for the disk.
2. PostgreSQL runs on a socket of its own, `fsync` on; without it SQLite alone is measured.
3. The pages' database has half a million cars at four stations, 10,000 results a station and day. Filling
   one of SQLite and one of PostgreSQL takes some five minutes each.
4. Times of pages are those of whole requests, each for another car or day; the median and the slowest of a hundred.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from toolcart.archive.database import database
from toolcart.base import subprocesses
from toolcart.base.sources import Unavailable
from lab.bench.archive_hostile import COUNT
from lab.bench.report import Report
from lab.harness.archive_rows import Plant, fill, vin
from lab.harness.browser import pages_of
from lab.harness.postgresql import postgresql
from lab.harness.processes import STOP_LIMIT_S, memory_mib, running_command

STATIONS, WINDOWS, SECONDS = 100, (1, 8), 10.0
RATE_PER_S, RATE_STATIONS, RATE_S = 500.0, 1000, 30.0
LARGE = Plant(stations=4, cars=500_000, every_s=43.2)
REQUESTS = 100
SEED = 12
STEPS = len(WINDOWS) + 3  # of a database


def run(progress: Callable[[float], None]) -> dict:
    """Measure all of it; `progress` gets the share done, 0 to 1."""
    report = Report()
    steps = iter(range(1, 2 * STEPS + 1))

    def step() -> None:
        progress(next(steps) / (2 * STEPS + 1))

    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(1000))
        _measure(report, "SQLite", lambda: str(Path(folder, f"{next(numbers)}.sqlite")), step)
    try:
        with postgresql(synced=True) as new_place:
            _measure(report, "PostgreSQL", new_place, step)
    except Unavailable as reason:
        report.add("committed a second, PostgreSQL", None, "1/s", ">= 3000", str(reason))
    progress(1.0)
    return report.as_dict()


def _measure(report: Report, name: str, new_place: Callable[[], str], step: Callable[[], None]) -> None:
    for window in WINDOWS:
        step()
        with served(new_place()) as (_, port, _pim):
            seen = load(port, STATIONS, SECONDS, window, 0)
        what = f"{name}, {STATIONS} stations, window {window}"
        report.add(f"committed a second, {what}", seen["answered"] / seen["seconds"], "1/s", ">= 3000", lost(seen))
    for crowd in ("", f", {COUNT:,} hostile connections"):
        step()
        with ExitStack() as stack:
            process, port, pim_port = stack.enter_context(served(new_place()))
            if crowd:
                stack.enter_context(hostile(pim_port, port))
            _answers(report, name, port, crowd)
            if crowd:
                report.add(f"memory at most, {name}{crowd}", memory_mib(process), "MiB", "<= 200")
    step()
    _pages(report, name, new_place())


# -- what gets through ---------------------------------------------------------------------------------------------


@contextmanager
def served(place: str, *words: str) -> Iterator[tuple[int, int, int]]:
    """An archive in a process of its own: its pid, the server's port and the PIM's, 0 for what it does not have."""
    ports_of = ("--pim-port", "0", "--server-port", "0", "--database", place)
    with running_command("archive", "serve", *ports_of, *words, begins=" on ") as (process, line):
        ports = dict(re.findall(r"(PIM|server) on [^:]*:(\d+)", line))
        yield process, int(ports.get("server", 0)), int(ports.get("PIM", 0))


def load(port: int, stations: int, seconds: float, window: int, rate: float, *more: int) -> dict:
    """Return what stations in a process of their own saw; `more`: parameters of a result, a PIM's port."""
    words = [str(word) for word in (port, stations, seconds, window, rate, *more)]
    command = subprocesses.command("-m", "lab.bench.archive_load", *words)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds + 120, check=True)
    return json.loads(done.stdout)


def lost(seen: dict) -> str:
    return f"unanswered {seen['unanswered']}, refused {seen['refused']}" if seen["unanswered"] + seen["refused"] else ""


@contextmanager
def hostile(pim_port: int, server_port: int) -> Iterator[None]:
    """Meanwhile ten thousand connections do all the harm they can (lab.bench.archive_hostile)."""
    command = subprocesses.command("-m", "lab.bench.archive_hostile", str(pim_port), str(server_port))
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "there\n":
            raise Unavailable("the hostile connections did not come")
        yield
    finally:
        process.communicate(timeout=STOP_LIMIT_S)


def _answers(report: Report, name: str, port: int, crowd: str) -> None:
    """Measure how long a 05 takes, 500 a second from 1,000 stations."""
    seen = load(port, RATE_STATIONS, RATE_S, 1, RATE_PER_S)
    what = f"{name}, 500/s from 1,000 stations{crowd}"
    report.add(f"05 behind its result, p99, {what}", seen["p99_ms"], "ms", "<= 50", lost(seen))


# -- pages ---------------------------------------------------------------------------------------------------------


def _pages(report: Report, name: str, place: str) -> None:
    """Measure every query of a page, a hundred times."""
    with database.writing(place) as engine:
        fill(engine, LARGE)
    dice = random.Random(SEED)
    days = LARGE.cars * LARGE.every_s / 86400

    def a_day() -> str:
        day = LARGE.until - timedelta(days=dice.randrange(1, int(days) - 1))
        return f"/station/3/1/{dice.randrange(1, LARGE.stations + 1)}?day={day:%Y%m%d}"

    def a_span() -> str:
        day = LARGE.until - timedelta(days=dice.randrange(2, int(days) - 1))
        return f"from={day:%Y-%m-%d}&to={day + timedelta(days=1):%Y-%m-%d}"

    def a_range() -> str:
        part = a_car()[:-2]
        return f"vin_from={part}&vin_to={part}"

    def a_car() -> str:
        return vin(dice.randrange(LARGE.cars))

    with pages_of(place) as address:
        for what, target_ms, path in (
            ("a station's day with 10,000 results", 200, a_day),
            ("a VIN among 10 million results, search", 50, lambda: f"/search?q={a_car()}"),
            ("a VIN among 10 million results, the car's page", 50, lambda: f"/car?vin={a_car()}"),
            ("a VIN's beginning among 10 million results", 50, lambda: f"/search?q={a_car()[:-2]}"),
            ("a VIN's last 6 characters among 10 million results", 50, lambda: f"/search?q={a_car()[-6:]}"),
            ("not OK, a page of the list", 300, lambda: f"/results?station={dice.randrange(1, 5)}"),
            ("the map", 300, lambda: "/"),
            ("a program's trend of 7 days", 300, lambda: f"/trend/3/1/{dice.randrange(1, 5)}"),
            ("a program's trend of a year", 300, lambda: f"/trend/3/1/{dice.randrange(1, 5)}?from=2025-11-21"),
            ("a program's trend by VINs", 300, lambda: f"/trend/3/1/1?from=2020-01-01&{a_range()}"),
            ("all results of two days, any station", 300, lambda: f"/results?verdict=all&{a_span()}"),
            ("a program at any station, two days", 300, lambda: f"/results?verdict=all&program=1&{a_span()}"),
            ("NOK by cause of 30 days", 300, lambda: "/pareto"),
            ("NOK rate of each day, 30 days", 300, lambda: "/pareto?by=day"),
            ("NOK by cause of a year", 300, lambda: "/pareto?from=2025-11-21"),
            ("NOK by cause of a year, with first attempts", 1000, lambda: "/pareto?from=2025-11-21&attempts=every"),
            ("NOK by cause of a year of a program", 300, lambda: "/pareto?from=2025-11-21&program=2"),
            ("a cause that no result has", 300, lambda: "/results?cause=torque%20high,%20angle%20low"),
            ("a trend of a program that is not there", 300, lambda: "/trend/3/1/1?program=88"),
            ("a tool that is not there", 300, lambda: "/results?verdict=all&tool=XYZ"),
        ):
            times = _times_ms(address, path)
            report.add(f"{name}, {what}, median", statistics.median(times), "ms", f"<= {target_ms}")
            report.add(f"{name}, {what}, slowest of {REQUESTS}", max(times), "ms", "<= 300")

    engine = database.connect(place, writes=False)
    with engine.connect() as connection:
        times = []
        for _ in range(REQUESTS):
            day = LARGE.until - timedelta(days=dice.randrange(1, int(days) - 1))
            within = f"time >= '{day:%Y-%m-%d}' AND time < '{day + timedelta(days=1):%Y-%m-%d}'"
            began_s = time.perf_counter()
            connection.exec_driver_sql(f"SELECT count(*), avg(torque) FROM results WHERE {within}").fetchall()
            times.append((time.perf_counter() - began_s) * 1000)
    engine.dispose()
    report.add(f"{name}, view `results`, a day, median", statistics.median(times), "ms", "<= 100")


def _times_ms(address: str, path: Callable[[], str]) -> list[float]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    times = []
    for number in range(REQUESTS + 1):
        began_s = time.perf_counter()
        connection.request("GET", path())
        answer = connection.getresponse()
        answer.read()
        if answer.status not in (200, 303):
            raise Unavailable(f"a page was answered with {answer.status}")
        if number:  # the first one reads templates
            times.append((time.perf_counter() - began_s) * 1000)
    connection.close()
    return times
