"""A station's day in figures: each program's verdicts, and how torque and angle lie between their limits.

1. A program whose limits were changed during the day gets two lines: figures across two sets of limits mean nothing.
2. Spread is shown between the limits and half their distance beyond on both sides; the rest is in the outer bars.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.statistics import spc, statistics
from toolcart.archive.statistics.statistics import ProgramSums
from toolcart.archive.web.trend import QUANTITIES, Quantity

BARS = 40
_FLAT = 1e-6  # values this near to each other have one bar
MARGIN = 0.5  # of the distance between the limits, on each side


def programs(
    connection: Connection, wanted: ResultFilter, names: dict[tuple[int, int], str], only_ok: bool
) -> list[dict[str, Any]]:
    """Return each program's figures, by spindle and number; `only_ok`: spread and capability of OK results only."""
    entries = statistics.program_sums(connection, wanted, 0)
    bars = statistics.bars(connection, wanted, statistics.QUANTITIES, only_ok, _around, BARS)
    figures = []
    for entry in sorted(entries, key=lambda one: (one.spindle, one.program, -one.good - one.bad)):
        count = entry.good + entry.bad
        one: dict[str, Any] = {"spindle": entry.spindle, "program": entry.program, "count": count, "nok": entry.bad}
        one.update(
            name=names.get((entry.spindle, entry.program), f"Program {entry.program}"), ok_share=entry.good / count
        )
        for quantity in QUANTITIES:
            counts = bars[quantity.name].get(entry.key)
            one[quantity.name.lower()] = _spread(connection, wanted, entry, quantity, counts, only_ok)
        figures.append(one)
    return figures


def _around(low: float, high: float) -> tuple[float, float]:
    """Return where the bars of what has these limits begin and end."""
    margin = (high - low) * MARGIN
    return low - margin, high + margin


def _spread(
    connection: Connection,
    wanted: ResultFilter,
    entry: ProgramSums,
    quantity: Quantity,
    bars: list[int] | None,
    only_ok: bool,
) -> dict[str, Any]:
    sums, (low, high) = entry.of(only_ok)[quantity.name], entry.limits[quantity.name]
    spread: dict[str, Any] = {"unit": quantity.unit, "decimals": quantity.decimals, "bars": []}
    if low < high:
        spread.update(low=low, high=high, bars=bars or [])
        spread["from"], spread["to"] = _around(low, high)
        return {**spread, **spc.figures(sums, low, high)}
    spread.update(low=None, high=None)
    if sums.least is None or sums.most is None or not (sums.least or sums.most):
        return {**spread, **spc.figures(spc.Sums(), None, None)}  # a program that does not measure it sends zeros
    first, last = (sums.least, sums.most) if sums.most - sums.least > _FLAT else (sums.least - 0.5, sums.most + 0.5)
    of_it = replace(wanted, spindle=entry.spindle, program=entry.program)
    counts = statistics.bars(connection, of_it, (quantity.name,), only_ok, lambda *_: (first, last), BARS)
    spread.update({"from": first, "to": last, "bars": counts[quantity.name].get(entry.key, [])})
    return {**spread, **spc.figures(sums, None, None)}


def limits_of(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """Return the limits, or none: a station without limits sends 0 for both."""
    if low is None or high is None or not low < high:
        return None, None
    return low, high
