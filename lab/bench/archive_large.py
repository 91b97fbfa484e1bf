"""Measures the archive at length: its pages over 10 million results, 10,000 stations, results with 5 parameters, and
how long a 05 takes while old results are moved out.

Rules
1. The pages' database has half a million cars at four stations, 10,000 results a station and day. Filling
   one of SQLite and one of PostgreSQL takes some five minutes each.
2. Times of pages are those of whole requests, each for another car or day; the median and the slowest of a hundred.
3. 10,000 stations ask a PIM for their server; three servers share one PostgreSQL. All of it runs on this machine.
"""

from __future__ import annotations

import http.client
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from toolcart.archive import database, servers
from toolcart.base.report import Report
from toolcart.base.sources import Unavailable
from lab.bench.archive import load, lost, served
from lab.bench.archive_rows import Plant, fill, vin
from lab.bench.browser import pages_of
from lab.bench.postgresql import postgresql
from lab.bench.processes import memory_mib

LARGE = Plant(stations=4, cars=500_000, every_s=43.2)
OLD = Plant(stations=4, cars=5_000, every_s=43.2)
REQUESTS = 100
SEED = 12
STATIONS, SERVERS, RATE_PER_S, SECONDS = 10_000, 3, 1000.0, 30.0
THERE_S = 30.0
MOVING_S = 65.0  # until a server begins to move what is old


# -- pages ---------------------------------------------------------------------------------------------------------


def measure_pages(report: Report, name: str, place: str) -> None:
    """Measure every query of a page, a hundred times."""
    dice, what = random.Random(SEED), name
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
        for name, target, path in (
            ("a station's day with 10,000 results", "<= 200", a_day),
            ("a VIN among 10 million results, search", "<= 50", lambda: f"/search?q={a_car()}"),
            ("a VIN among 10 million results, the car's page", "<= 50", lambda: f"/car?vin={a_car()}"),
            ("a VIN's beginning among 10 million results", "", lambda: f"/search?q={a_car()[:-2]}"),
            ("a VIN's last 6 characters among 10 million results", "<= 50", lambda: f"/search?q={a_car()[-6:]}"),
            ("not OK, a page of the list", "", lambda: f"/results?station={dice.randrange(1, 5)}"),
            ("the map", "", lambda: "/"),
            ("a program's trend of 7 days", "<= 300", lambda: f"/trend/3/1/{dice.randrange(1, 5)}"),
            ("a program's trend of a year", "<= 300", lambda: f"/trend/3/1/{dice.randrange(1, 5)}?from=2025-11-21"),
            ("a program's trend by VINs", "<= 300", lambda: f"/trend/3/1/1?from=2020-01-01&{a_range()}"),
            ("all results of two days, any station", "<= 300", lambda: f"/results?verdict=all&{a_span()}"),
            ("a program at any station, two days", "<= 300", lambda: f"/results?verdict=all&program=1&{a_span()}"),
            ("NOK by cause of 30 days", "<= 300", lambda: "/pareto"),
            ("NOK rate of each day, 30 days", "<= 300", lambda: "/pareto?by=day"),
        ):
            times = _times_ms(address, path)
            report.add(f"{what}, {name}, median", statistics.median(times), "ms", target)
            report.add(f"{what}, {name}, slowest of {REQUESTS}", max(times), "ms", "<= 300")


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


# -- stations ------------------------------------------------------------------------------------------------------


def measure_stations(report: Report, place: str) -> None:
    """Measure 10,000 stations at three servers, at the highest rate possible and at a given rate."""
    with ExitStack() as stack:
        shared = ("--role", "server")
        processes = [stack.enter_context(served(place, *shared))[0] for _ in range(SERVERS)]
        pim = stack.enter_context(served(place, "--role", "pim"))[2]
        _until_there(place)
        for name, rate in (("at 1,000/s", RATE_PER_S), ("one outstanding", 0.0)):
            told = load(0, STATIONS, SECONDS, 1, rate, 1, pim)
            what = f"10,000 stations, three servers, {name}"
            report.add(f"committed a second, {what}", told["answered"] / told["seconds"], "1/s", "", lost(told))
            report.add(f"05 behind its result, median, {what}", told["p50_ms"], "ms")
            report.add(f"05 behind its result, p99, {what}", told["p99_ms"], "ms")
            report.add(f"05 behind its result, slowest, {what}", told["worst_ms"], "ms")
            report.add(f"memory at most, {what}, a server", max(map(memory_mib, processes)), "MiB")


def _until_there(place: str) -> None:
    engine = database.connect(place, writes=False)
    until_s = time.monotonic() + THERE_S
    with engine.connect() as connection:
        while len(servers.live(connection)) < SERVERS:
            if time.monotonic() > until_s:
                raise Unavailable("the servers did not come")
            connection.rollback()
            time.sleep(0.2)
    engine.dispose()


def measure_parameters(report: Report, name: str, new_place: Callable[[], str]) -> None:
    """Measure a hundred stations, results with one parameter and with five."""
    for parameters in (1, 5):
        with served(new_place()) as (_, port, _pim):
            told = load(port, 100, 10.0, 1, 0.0, parameters)
        what = f"{name}, 100 stations, parameters {parameters}"
        report.add(f"committed a second, {what}", told["answered"] / told["seconds"], "1/s", ">= 3000", lost(told))


def measure_moving(report: Report, name: str, place: str, into: str) -> None:
    """Measure how long a 05 takes while 100,000 old results are moved into another archive."""
    with database.writing(place) as engine:
        fill(engine, OLD)
    with served(place, "--keep-days", "1", "--old-into", into) as (_, port, _pim):
        time.sleep(MOVING_S)
        told = load(port, 1000, SECONDS, 1, 500.0)
    what = f"{name}, 500/s from 1,000 stations while old results are moved"
    report.add(f"05 behind its result, p99, {what}", told["p99_ms"], "ms", "<= 50", lost(told))
    report.add(f"05 behind its result, slowest, {what}", told["worst_ms"], "ms")
    engine = database.connect(into, writes=False)
    with engine.connect() as connection:
        moved = connection.exec_driver_sql('SELECT count(*) FROM "Result"').scalar()
    engine.dispose()
    report.add(f"results moved in that time, {name}", moved, "")


def run(progress: Callable[[float], None]) -> dict:
    """Measure all of it; `progress` gets the share done, 0 to 1."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder, postgresql(synced=True) as databases:
        numbers = iter(range(1000))
        kinds = {"SQLite": lambda: str(Path(folder, f"{next(numbers)}.sqlite")), "PostgreSQL": databases}
        for name, new_place in kinds.items():
            measure_parameters(report, name, new_place)
            measure_moving(report, name, new_place(), new_place())
        progress(0.3)
        measure_stations(report, databases())
        for share, (name, new_place) in zip((0.4, 0.7), kinds.items(), strict=True):
            progress(share)
            place = new_place()
            with database.writing(place) as engine:
                fill(engine, LARGE)
            measure_pages(report, name, place)
    progress(1.0)
    return report.as_dict()
