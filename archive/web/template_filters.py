"""How values are shown to people, as filters of the pages' templates."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment

from toolcart import pages
from toolcart.archive.file_formats import export
from toolcart.archive.file_formats.export import readable_time, status
from toolcart.archive.statistics.periods import period_by
from toolcart.archive.statistics.spc import specification
from toolcart.archive.web.trend import drawn
from toolcart.toolsnet import rows

HERE = Path(__file__).parent
ALIVE_S = 90  # a station sends something at least every minute, and that is stored within five seconds


def moment(digits: str | None) -> str:
    """Return 14 digits as people write a time; anything else as it is."""
    digits = digits or ""
    return readable_time(digits) if len(digits) == 14 and digits.isdigit() else digits


day = period_by("day")  # of some digits: 2026-11-21


def number(value: float | None, decimals: int) -> str:
    """Return a number as text, "" for None."""
    return "" if value is None else f"{value:.{decimals}f}"


def limits(low: float | None, high: float | None, decimals: int) -> str:
    """Return the two limits of a value as text, "" if it has none."""
    return between(*specification(low, high), decimals)


def between(low: float | None, high: float | None, decimals: int) -> str:
    """Return limits as they are meant as text."""
    if low is not None and high is not None:
        return f"{number(low, decimals)} to {number(high, decimals)}"
    if low is not None:
        return f"at least {number(low, decimals)}"
    return "" if high is None else f"at most {number(high, decimals)}"


def gauge(value: float | None, low: float | None, high: float | None) -> float | None:
    """Return a value's place on a scale of 100 with the limits at 25 and 75; None without limits."""
    low, high = specification(low, high)
    if value is None or low is None or high is None:
        return None
    return round(min(98.0, max(0.0, 25 + 50 * (value - low) / (high - low))), 1)


def place(row: dict) -> str:
    """Return a station's address: type/system/station."""
    return f"{row['SystemType']}/{row['System']}/{row['Station']}"


def silence(heard_at: str, now: datetime | None = None) -> tuple[str, str]:
    """Return how long ago a station was heard, in words, and its state: alive, silent, never.

    One that will be heard was heard last before the clock was set back.
    """
    then = rows.moment(heard_at)
    if then is None:
        return "never", "never"
    seconds = abs(int(((now or datetime.now(UTC)) - then.replace(tzinfo=UTC)).total_seconds()))
    state = "alive" if seconds <= ALIVE_S else "silent"
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name} ago", state
    return f"{seconds} s ago", state


def link(path: str, **parts: object) -> str:
    """Return an address of ours with these parts; None and "" are left out."""
    wanted = {name: str(value) for name, value in parts.items() if value not in (None, "")}
    return f"{path}?{urlencode(wanted, errors='replace')}" if wanted else path


@functools.cache
def templates() -> Environment:
    environment = pages.templates(HERE / "templates")
    for one in (moment, number, limits, between, status, place, silence, gauge, drawn):
        environment.filters[one.__name__] = one
    environment.filters["day"] = day
    environment.globals["link"] = link  # type: ignore
    environment.globals["file_formats"] = tuple(export.FORMATS.values())  # type: ignore
    return environment
