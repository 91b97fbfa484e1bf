"""How values are shown to people, as filters of the pages' templates."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment

from toolcart.archive.web.day import limits_of
from toolcart.archive.web.trend import drawn
from toolcart.pages import frame

HERE = Path(__file__).parent
STATUSES = {0: "OK", 1: "NOK", 2: "low", 3: "high"}  # 004:150
ALIVE_S = 90  # a station sends something at least every minute, and that is stored within five seconds


def moment(digits: str | None) -> str:
    """Return 14 digits as people write a time; anything else as it is."""
    d = digits or ""
    if len(d) != 14 or not d.isdigit():
        return d
    return f"{d[:4]}-{d[4:6]}-{d[6:8]} {d[8:10]}:{d[10:12]}:{d[12:14]}"


def day(digits: str) -> str:
    """Return the day of some digits: 2026-11-21."""
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"


def number(value: float | None, decimals: int) -> str:
    """Return a number as text, "" for None."""
    return "" if value is None else f"{value:.{decimals}f}"


def limits(low: float | None, high: float | None, decimals: int) -> str:
    """Return the two limits of a value as text, "" if it has none."""
    low, high = limits_of(low, high)
    return "" if low is None else f"{number(low, decimals)} to {number(high, decimals)}"


def status(value: int | None) -> str:
    """Return the status of a value; "" if it is good or was not sent."""
    return "" if not value else STATUSES.get(value, str(value))


def gauge(value: float | None, low: float | None, high: float | None) -> float | None:
    """Return a value's place on a scale of 100 with the limits at 25 and 75; None without limits."""
    if value is None or low is None or high is None or not low < high:
        return None
    return round(min(98.0, max(0.0, 25 + 50 * (value - low) / (high - low))), 1)


def place(row: dict) -> str:
    """Return a station's address: type/system/station."""
    return f"{row['SystemType']}/{row['System']}/{row['Station']}"


def silence(heard: str, now: datetime | None = None) -> tuple[str, str]:
    """Return how long ago a station was heard, in words, and its state: alive, silent, never."""
    try:
        then = datetime.strptime(heard, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return "never", "never"
    seconds = int(((now or datetime.now(UTC)) - then).total_seconds())
    state = "alive" if seconds <= ALIVE_S else "silent"
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name} ago", state
    return f"{max(0, seconds)} s ago", state


def link(path: str, **parts: object) -> str:
    """Return an address of ours with these parts; None and "" are left out."""
    wanted = {name: str(value) for name, value in parts.items() if value not in (None, "")}
    return f"{path}?{urlencode(wanted, errors='replace')}" if wanted else path


@functools.cache
def templates() -> Environment:
    """Return the templates with their filters."""
    made = frame.templates(HERE / "templates")
    made.filters.update(
        moment=moment, day=day, number=number, limits=limits, status=status, place=place, silence=silence, gauge=gauge
    )
    made.filters["drawn"] = drawn
    made.globals["link"] = link  # type: ignore
    return made
