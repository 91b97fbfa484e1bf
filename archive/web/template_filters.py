"""How values are shown to people, as filters of the pages' templates."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment
from sqlalchemy import Connection

from toolcart import pages
from toolcart import toolsnet_rows as rows
from toolcart.archive.database.queries import Wanted
from toolcart.archive.reports.export import shown_time, status
from toolcart.archive.statistics import spc, statistics
from toolcart.archive.statistics.periods import period_by
from toolcart.archive.statistics.statistics import Part
from toolcart.archive.web.trend import QUANTITIES, Quantity, drawn

HERE = Path(__file__).parent
ALIVE_S = 90  # a station sends something at least every minute, and that is stored within five seconds


def moment(digits: str | None) -> str:
    """Return 14 digits as people write a time; anything else as it is."""
    digits = digits or ""
    return shown_time(digits) if len(digits) == 14 and digits.isdigit() else digits


day = period_by("day")  # of some digits: 2026-11-21


def number(value: float | None, decimals: int) -> str:
    """Return a number as text, "" for None."""
    return "" if value is None else f"{value:.{decimals}f}"


def limits(low: float | None, high: float | None, decimals: int) -> str:
    """Return the two limits of a value as text, "" if it has none."""
    low, high = limits_of(low, high)
    return "" if low is None else f"{number(low, decimals)} to {number(high, decimals)}"


def gauge(value: float | None, low: float | None, high: float | None) -> float | None:
    """Return a value's place on a scale of 100 with the limits at 25 and 75; None without limits."""
    if value is None or low is None or high is None or not low < high:
        return None
    return round(min(98.0, max(0.0, 25 + 50 * (value - low) / (high - low))), 1)


def place(row: dict) -> str:
    """Return a station's address: type/system/station."""
    return f"{row['SystemType']}/{row['System']}/{row['Station']}"


def silence(heard: str, now: datetime | None = None) -> tuple[str, str]:
    """Return how long ago a station was heard, in words, and its state: alive, silent, never.

    One that will be heard was heard last before the clock was set back.
    """
    then = rows.moment(heard)
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
    made = pages.templates(HERE / "templates")
    for one in (moment, number, limits, status, place, silence, gauge, drawn):
        made.filters[one.__name__] = one
    made.filters["day"] = day
    made.globals["link"] = link  # type: ignore
    return made


# A station's day in figures: each program's verdicts, and how torque and angle lie between their limits.
#
# 1. A program whose limits were changed during the day gets two lines: figures across two sets of limits mean nothing.
# 2. Spread is shown between the limits and half their distance beyond on both sides; the rest is in the outer bars.

BARS = 40
_FLAT = 1e-6  # values this near to each other have one bar
MARGIN = 0.5  # of the distance between the limits, on each side


def programs(
    connection: Connection, wanted: Wanted, names: dict[tuple[int, int], str], only_ok: bool
) -> list[dict[str, Any]]:
    """Return each program's figures, by spindle and number; `only_ok`: spread and capability of OK results only."""
    parts = statistics.parts(connection, wanted, 0)
    bars = statistics.bars(connection, wanted, statistics.QUANTITIES, only_ok, _around, BARS)
    told = []
    for part in sorted(parts, key=lambda one: (one.spindle, one.program, -one.good - one.bad)):
        count = part.good + part.bad
        one: dict[str, Any] = {"spindle": part.spindle, "program": part.program, "count": count, "nok": part.bad}
        one.update(name=names.get((part.spindle, part.program), f"Program {part.program}"), ok_share=part.good / count)
        for quantity in QUANTITIES:
            found = bars[quantity.name].get(part.key)
            one[quantity.name.lower()] = _spread(connection, wanted, part, quantity, found, only_ok)
        told.append(one)
    return told


def _around(low: float, high: float) -> tuple[float, float]:
    """Return where the bars of what has these limits begin and end."""
    margin = (high - low) * MARGIN
    return low - margin, high + margin


def _spread(
    connection: Connection, wanted: Wanted, part: Part, quantity: Quantity, bars: list[int] | None, only_ok: bool
) -> dict[str, Any]:
    sums, (low, high) = part.of(only_ok)[quantity.name], part.limits[quantity.name]
    told: dict[str, Any] = {"unit": quantity.unit, "decimals": quantity.decimals, "bars": []}
    if low < high:
        told.update(low=low, high=high, bars=bars or [])
        told["from"], told["to"] = _around(low, high)
        return {**told, **spc.figures(sums, low, high)}
    told.update(low=None, high=None)
    if sums.least is None or sums.most is None or not (sums.least or sums.most):
        return {**told, **spc.figures(spc.Sums(), None, None)}  # a program that does not measure it sends zeros
    first, last = (sums.least, sums.most) if sums.most - sums.least > _FLAT else (sums.least - 0.5, sums.most + 0.5)
    of_it = replace(wanted, spindle=part.spindle, program=part.program)
    found = statistics.bars(connection, of_it, (quantity.name,), only_ok, lambda *_: (first, last), BARS)
    told.update({"from": first, "to": last, "bars": found[quantity.name].get(part.key, [])})
    return {**told, **spc.figures(sums, None, None)}


def limits_of(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """Return the limits, or none: a station without limits sends 0 for both."""
    if low is None or high is None or not low < high:
        return None, None
    return low, high
