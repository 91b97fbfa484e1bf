"""A program's torque and angle over time: values with limits, charts, figures by day, week, month or shift, causes.

Rules
1. Everything is of the whole span, exactly. Where a program's limits were changed, figures start again: across two
   sets of limits they mean nothing. Charts of means and deviations do not depend on them and go on.
2. Up to POINTS_MOST results are drawn as points; of more, the least and most of each period, for good and bad ones
   separately, so that nothing that sticks out is missing. A chart's subgroups are these periods.
3. A chart's control limits are those that were set (toolcart.archive.statistics.limits), each from its begin on; where
   none were set, they are those of the OK results that are shown. Signals are looked for in each stretch by itself.
4. A study of a tool is STUDY results in a row from one tool under one set of limits; its Cm and Cmk are the Pp and Ppk
   of these values. The newest STUDIES_MOST are shown.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.statistics import limits, rates, spc, statistics
from toolcart.archive.statistics.limits import Phase
from toolcart.archive.statistics.periods import Shifts, name_of_shift, period_by
from toolcart.archive.statistics.statistics import PERIODS, ProgramSums

POINTS_MOST = 1000  # in a chart; half a screen has as many columns
STUDY = 50  # tightenings, as in most handbooks
STUDIES_MOST = 20
_FILLED = "00000101000000"


@dataclass(frozen=True)
class Quantity:
    """Torque or angle."""

    name: str
    unit: str
    decimals: int


QUANTITIES = (Quantity("Torque", "Nm", 2), Quantity("Angle", "°", 1))


@dataclass(frozen=True)
class TrendQuery:
    """How a trend is shown: figures `by` day, week, month, shift or study; charts and figures of OK results only."""

    by: str
    shifts: Shifts = ()
    only_ok: bool = False
    rules: Collection[int] = spc.USUAL


def trend(connection: Connection, wanted: ResultFilter, query: TrendQuery) -> dict:
    """Return counts, causes and each quantity's values, charts and figures."""
    group = statistics.period_of(connection, wanted, POINTS_MOST)
    periods, drawn = _periods_and_drawn(connection, wanted, query, PERIODS[group][0])
    good, bad = sum(entry.good for entry in drawn), sum(entry.bad for entry in drawn)
    values: dict[str, Any] = {
        "count": good + bad,
        "nok": bad,
        "causes": rates.causes(connection, wanted),
        "group": group,
        "quantities": [],
    }
    values["rules"] = [spc.RULES[number].words for number in query.rules]
    phases = limits.phases(connection, wanted)
    begun = drawn[0].period.ljust(12, "0") if drawn else ""
    is_set = not drawn or all(several and several[0].begins <= begun for several in phases.values())
    ok = {} if is_set else {name: spc.together(entry.ok[name] for entry in drawn) for name in statistics.QUANTITIES}
    is_study = query.by == "study"
    studies = _studies(connection, wanted, query.only_ok) if is_study else {}
    for quantity in QUANTITIES:
        if not any(any(entry.extremes(quantity.name)) or any(entry.limits[quantity.name]) for entry in drawn):
            continue  # a program that does not measure it sends zeros
        is_few = good + bad <= POINTS_MOST
        points = _values(statistics.values(connection, wanted, quantity.name)) if is_few else _extremes(drawn, quantity)
        values["quantities"].append(
            {
                "name": quantity.name,
                "unit": quantity.unit,
                "decimals": quantity.decimals,
                "points": points,
                "is_each": is_few,
                "phases": [vars(phase.level) | {"begins": phase.begins} for phase in phases[quantity.name]],
                "charts": _charts(drawn, quantity, query.rules, phases[quantity.name], ok, query.only_ok),
                "periods": studies[quantity.name] if is_study else _periods(periods, quantity, query.only_ok),
                "all": _periods([("", entry) for entry in drawn], quantity, query.only_ok),
            }
        )
    return values


# -- points --------------------------------------------------------------------------------------------------------


def _values(rows: Sequence[Sequence]) -> dict:
    """Return columns for a chart of results: seconds, good and bad values, limits."""
    columns = _columns()
    for time, overall, value, low, high in rows:
        _put(columns, time, value, bool(overall), (low, high))
    return columns


def _extremes(entries: Sequence[ProgramSums], quantity: Quantity) -> dict:
    """Return columns for a chart of periods: the least and most of the good and of the bad ones."""
    columns = _columns()
    for entry in entries:
        for at, value in enumerate(entry.extremes(quantity.name)):
            if value is not None:
                _put(columns, entry.period, value, at > 1, entry.limits[quantity.name])
    return columns


def _columns() -> dict[str, list]:
    return {name: [] for name in ("time", "good", "bad", "low", "high")}


def _put(columns: dict[str, list], time: str, value: float, is_bad: bool, limits: tuple[float, float]) -> None:
    columns["time"].append(seconds(time))
    columns["good"].append(None if is_bad else value)
    columns["bad"].append(value if is_bad else None)
    for name, limit in zip(("low", "high"), limits, strict=True):
        columns[name].append(limit if any(limits) else None)


def seconds(time: str) -> int:
    """Return the seconds of a time, or of its first digits, as if it were UTC: a browser shows it unchanged."""
    digits = time + _FILLED[len(time) :]
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    return calendar.timegm((year, month, day, int(digits[8:10]), int(digits[10:12]), int(digits[12:14])))


# -- charts --------------------------------------------------------------------------------------------------------


def _charts(
    entries: Sequence[ProgramSums],
    quantity: Quantity,
    rules: Collection[int],
    phases: Sequence[Phase],
    ok: dict[str, spc.Sums],
    only_ok: bool,
) -> dict | None:
    groups: dict[str, spc.Sums] = {}
    for entry in entries:
        sums = entry.of(only_ok)[quantity.name]
        if sums.count:
            groups.setdefault(entry.period, spc.Sums()).add(sums)
    level_of_all = spc.level_of(ok[quantity.name]) if ok else None
    periods = list(groups)
    charts: dict[str, dict] = {"means": {}, "deviations": {}}
    for first, last, phase in limits.segments(phases, periods):
        level = phase.level if phase else level_of_all
        if level is None:
            return None
        several = [groups[period] for period in periods[first:last]]
        _append(charts["means"], spc.chart_of_means(several, level, rules), first)
        _append(charts["deviations"], spc.chart_of_deviations(several, level), first)
    return {name: _chart(chart, groups) for name, chart in charts.items()} if groups else None


def _append(chart_so_far: dict, chart: dict, first: int) -> None:
    """Put the chart of one stretch of subgroups behind those before it."""
    for name in ("points", "centre", "low", "high"):
        chart_so_far.setdefault(name, []).extend(chart[name])
    chart_so_far.setdefault("signals", {}).update({first + at: rule for at, rule in chart["signals"].items()})


def _chart(chart: dict, groups: dict[str, spc.Sums]) -> dict:
    """Return a chart for a browser, its signals by rule, and each subgroup with one, the newest first."""
    periods, signals = list(groups), chart["signals"]
    several = list(groups.values())
    return {
        **{name: [_short(one) for one in chart[name]] for name in ("points", "centre", "low", "high")},
        "time": periods,
        "count": [group.count for group in several],
        "rules": [{"rule": rule, "count": count} for rule, count in Counter(signals.values()).most_common()],
        "signals": [
            {"at": at, "rule": signals[at], "count": several[at].count, **ends_of(periods[at])}
            for at in sorted(signals, reverse=True)
        ],
    }


def drawn(trend: dict) -> dict:
    """Return what a browser draws of a trend: points and charts, and the signals that lead to their results."""
    quantities = []
    for quantity in trend["quantities"]:
        one = {name: quantity[name] for name in ("name", "unit", "decimals", "points")}
        charts = quantity["charts"] or {}
        one["charts"] = {
            name: {
                **{what: chart[what] for what in ("time", "count", "points", "centre", "low", "high")},
                "signals": [
                    (signal["at"], signal["rule"], signal["from"], signal["to"]) for signal in chart["signals"]
                ],
            }
            for name, chart in charts.items()
        }
        quantities.append(one)
    return {"results": trend["results"], "quantities": quantities}


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def ends_of(period: str) -> dict[str, str]:
    """Return a period's first and last moment as an address has them."""
    day = "-".join(part for part in (period[:4], period[4:6], period[6:8]) if part)
    if len(period) < 12:
        since = f"{day}T{period[8:10]}" if len(period) == 10 else day
        return {"from": since, "to": since}
    begin = f"{day}T{period[8:10]}:"
    return {"from": begin + period[10:12], "to": f"{begin}{int(period[10:12]) + 14}"}


# -- figures -------------------------------------------------------------------------------------------------------


def _periods_and_drawn(
    connection: Connection, wanted: ResultFilter, query: TrendQuery, digits: int
) -> tuple[list[tuple[str, ProgramSums]], list[ProgramSums]]:
    """Return the sums of each day, week, month or shift with its name, and those that charts have, of so many digits.

    The database is asked once, for the shorter of both, unless a shift cuts what charts have.
    """
    day = PERIODS["day"][0]
    is_shift, is_study = query.by == "shift", query.by == "study"
    shifts = query.shifts if is_shift and digits <= day else ()
    entries = statistics.program_sums(connection, wanted, digits if is_study else max(digits, day), shifts)
    drawn = statistics.coarser(entries, digits) if entries and len(entries[0].period) > digits else entries
    if is_study:
        return [], drawn
    if is_shift and digits > day:
        entries = statistics.program_sums(connection, wanted, day, query.shifts)
    name: Callable[[str], str] = partial(name_of_shift, shifts=query.shifts) if is_shift else period_by(query.by)
    return [(name(entry.period), entry) for entry in entries], drawn


def _periods(named: Sequence[tuple[str, ProgramSums]], quantity: Quantity, only_ok: bool) -> list[dict]:
    """Return the figures of each period, and of each set of limits in it."""
    figures: dict[tuple, tuple[spc.Sums, list[int]]] = {}
    for name, entry in named:
        sums, bad = figures.setdefault((name, *entry.limits[quantity.name]), (spc.Sums(), [0]))
        sums.add(entry.of(only_ok)[quantity.name])
        bad[0] += 0 if only_ok else entry.bad
    return [
        _figures(name, sums, (low, high), bad[0]) for (name, low, high), (sums, bad) in figures.items() if sums.count
    ]


def _studies(connection: Connection, wanted: ResultFilter, only_ok: bool) -> dict[str, list[dict]]:
    """Return the figures of the newest complete studies, oldest first, for each quantity."""
    studies = []
    for tool in statistics.tools(connection, wanted):
        rows = statistics.newest_of_tool(connection, wanted, tool, only_ok, STUDY * STUDIES_MOST)
        for first in range(0, len(rows) - STUDY + 1, STUDY):
            study = rows[first : first + STUDY][::-1]
            studies.append((study[-1][0], tool, study))
    figures: dict[str, list[dict]] = {quantity.name: [] for quantity in QUANTITIES}
    for _, tool, study in sorted(studies, key=lambda one: one[0])[-STUDIES_MOST:]:
        begun = ends_of(study[0][0][:12])["from"].replace("T", " ")
        name = f"{tool[0] or 'without a serial number'}, from {begun}"
        bad = sum(1 for row in study if row[1])
        for at, quantity in enumerate(QUANTITIES):
            values = [row[2 + at] for row in study if row[2 + at] is not None]
            figures[quantity.name].append(_figures(name, spc.sums_of(values), tool[1 + 2 * at : 3 + 2 * at], bad))
    return figures


def _figures(name: str, sums: spc.Sums, limits: Sequence[float], bad: int) -> dict:
    low, high = limits if any(limits) else (None, None)
    return {"period": name, "low": low, "high": high, "nok": bad, **spc.figures(sums, low, high)}
