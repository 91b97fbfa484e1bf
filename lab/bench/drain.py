"""Measures how fast a backlog drains to ToolsNet over lines with a round trip, in simulated time and so exactly.

Rules
1. The whole agent, its controller and ToolsNet; the controller's line has no delay. ToolsNet is away while the backlog
   grows.
2. The limit is one result a round trip (decisions.md).
3. The day's backlog drains while the tool goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from lab.bench.report import AT_LEAST, AT_MOST, Report, measured
from lab.harness.cart import PIM, SERVER, Cart

RESULTS = 10_000
ROUND_TRIPS_MS = (20, 100)
LAN_MS = 2  # the shortest possible with two ways of whole milliseconds
DAY_RESULTS = 8_640
EVERY_MS = 10_000  # a cart that tightens 8,640 screws a day
SHARE_PERCENT = 98
DAY_LIMIT_S = 60
BLOCKS = 640  # of 4 KiB: room for all of it
LIMIT_MS = 4 * 3_600_000


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1."""
    drains = [partial(_drain, round_trip_ms) for round_trip_ms in ROUND_TRIPS_MS]
    return measured([*drains, _day], progress)


def _drain(round_trip_ms: int, report: Report) -> None:
    """Measure the share of the limit."""
    cart = _waiting(RESULTS + 1, round_trip_ms)
    took_ms = cart.until_stored(RESULTS + 1, LIMIT_MS)
    percent = 100 * RESULTS * round_trip_ms / took_ms
    name = f"drain of {RESULTS:,} results, round trip of {round_trip_ms} ms, of the limit"
    how = f"{took_ms / 1000:.1f} s of simulated time; the limit is one a round trip"
    report.add(name, round(percent, 1), "%", f"{AT_LEAST} {SHARE_PERCENT}", how)


def _waiting(results: int, round_trip_ms: int) -> Cart:
    """Return a cart of which that many results wait and the first has just gone out."""
    cart = Cart(
        blocks=BLOCKS,
        archive_rows=results + 1000,
        settings={"spool": {"size_kib": 4 * (BLOCKS - 4)}},
    )
    cart.until_ready()
    for address in (PIM, SERVER):
        cart.network.line(*address).delay_ms = round_trip_ms // 2
        cart.network.down(*address)
    for _ in range(results):
        cart.controller.produce()
        cart.run(1)
    station: Any = cart.station
    cart.until(lambda: station.log.number >= results, LIMIT_MS)
    for address in (PIM, SERVER):
        cart.network.up(*address)
    cart.until_stored(1, LIMIT_MS)
    return cart


def _day(report: Report) -> None:
    """Measure the seconds that a day's backlog takes beside live results."""
    cart = _waiting(DAY_RESULTS, LAN_MS)
    begun_ms = cart.clock.total_ms
    while cart.archive.stored < len(cart.controller.produced):
        cart.controller.produce()
        produced = len(cart.controller.produced)
        end_ms = cart.clock.total_ms + EVERY_MS
        cart.until(lambda: cart.archive.stored >= produced or cart.clock.total_ms >= end_ms, LIMIT_MS)  # noqa: B023
    name = f"a day of {DAY_RESULTS:,}, round trip of {LAN_MS} ms"
    report.add(name, round((cart.clock.total_ms - begun_ms) / 1000, 1), "s", f"{AT_MOST} {DAY_LIMIT_S}")
