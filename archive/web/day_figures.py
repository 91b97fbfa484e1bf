"""A station's day in figures: each program's verdicts, and how torque and angle lie between their limits.

A program whose limits or units were changed during the day gets two lines: figures across both mean nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.statistics import spc, statistics
from toolcart.archive.statistics.statistics import ProgramSums
from toolcart.archive.web import histograms
from toolcart.archive.web.trend import Quantity, quantities_in


def programs(
    connection: Connection, wanted: ResultFilter, names: dict[tuple[int, int], str], only_ok: bool
) -> list[dict[str, Any]]:
    """Return each program's figures, by spindle and number; `only_ok`: spread and capability of OK results only."""
    entries = statistics.program_sums(connection, wanted, 0)
    by_key = {entry.key: entry for entry in entries}
    bars = statistics.bars(connection, wanted, only_ok, lambda name, key: _ends(by_key.get(key), name), histograms.BARS)
    figures = []
    for entry in sorted(entries, key=lambda one: (one.spindle, one.program, -one.good - one.bad)):
        count = entry.good + entry.bad
        one: dict[str, Any] = {"spindle": entry.spindle, "program": entry.program, "count": count, "nok": entry.bad}
        one.update(
            name=names.get((entry.spindle, entry.program), f"Program {entry.program}"), ok_share=entry.good / count
        )
        for quantity in quantities_in(entry.units):
            one[quantity.name.lower()] = _spread(entry, quantity, bars[quantity.name].get(entry.key, ()), only_ok)
        figures.append(one)
    return figures


def _ends(entry: ProgramSums | None, name: str) -> histograms.Ends:
    if entry is None:  # it has come since the sums were read
        return 0.0, 1.0
    return histograms.ends(entry.ok[name], entry.sums[name], *entry.specification(name))


def _spread(entry: ProgramSums, quantity: Quantity, counts: Sequence[int], only_ok: bool) -> dict[str, Any]:
    sums, (low, high) = entry.of(only_ok)[quantity.name], entry.specification(quantity.name)
    spread: dict[str, Any] = {"unit": quantity.unit, "decimals": quantity.decimals, "low": low, "high": high}
    if not (sums.least or sums.most) and low is None and high is None:
        sums, counts = spc.Sums(), ()  # a program that does not measure it sends zeros
    histogram = histograms.of(_ends(entry, quantity.name), counts, low, high)
    return {**spread, "histogram": histogram, **spc.figures(sums, low, high)}
