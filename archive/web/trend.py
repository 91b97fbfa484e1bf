"""A program's torque and angle over time: values with limits, charts, figures by day, week, month or shift, causes.

Rules
1. Everything is of the whole span, exactly, and of results in one unit: that of most, or the one that was asked for.
   What is there in others is counted beside. Where a program's limits were changed, figures start again: across two
   sets of limits they mean nothing. Charts of means and deviations do not depend on them and go on.
2. Up to POINTS_MOST results are drawn as points; of more, the range and mean of the OK ones of each subgroup. Of NOK
   ones each is a mark, with its cause; of more than POINTS_MOST, the least and most of each subgroup.
3. A chart's subgroups are of the kind that was asked for, else of the shortest of which there are at most POINTS_MOST.
   What it is measured by is decided in toolcart.archive.statistics.control_charts; charts are of OK results.
4. A histogram has every value of up to HISTOGRAM_MOST results; of more, those of quarters of an hour drawn by lot.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection

from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.statistics import control_charts, limits, rates, spc, statistics
from toolcart.archive.statistics.control_charts import Stretch
from toolcart.archive.statistics.limits import Phase
from toolcart.archive.statistics.periods import Shifts, ends_of, name_of_shift, period_by, subgroup_by
from toolcart.archive.statistics.statistics import PERIODS, ProgramSums
from toolcart.archive.web import histograms
from toolcart.toolsnet.rows import DEGREES, NM

POINTS_MOST = 1000  # in a chart; half a screen has as many columns
HISTOGRAM_MOST = 5000
SUBGROUPS = ("quarter of an hour", "hour", "shift", "day", "week", "month")
_SECONDS = {"shift": 86400, "week": 7 * 86400} | {name: seconds for name, (_, seconds) in PERIODS.items()}
_FILLED = "00000101000000"


@dataclass(frozen=True)
class Quantity:
    """Torque or angle."""

    name: str
    unit: str
    decimals: int


def label_of(units: tuple[str, str]) -> str:
    """Return what these units are called: that of torque, and that of angle if it is not degrees."""
    return units[0] if units[1] == DEGREES else ", ".join(units)


def quantities_in(units: tuple[str, str]) -> tuple[Quantity, Quantity]:
    """Return torque and angle as they are shown in these units."""
    torque, angle = units
    return Quantity("Torque", torque, 2), Quantity("Angle", "°" if angle == DEGREES else angle, 1)


@dataclass(frozen=True)
class TrendQuery:
    """How a trend is shown: figures `by` day, week, month or shift, of OK results only if wanted.

    `subgroup`: the charts' kind, "" for what fits. `is_within`: their limits are of s within subgroups alone.
    `unit`: a label_of, "" for that of most results.
    """

    by: str
    shifts: Shifts = ()
    only_ok: bool = False
    rules: Collection[int] = spc.USUAL
    subgroup: str = ""
    is_within: bool = False
    unit: str = ""


def trend(connection: Connection, wanted: ResultFilter, query: TrendQuery) -> dict:
    """Return counts, causes and each quantity's values, charts and figures."""
    wanted = statistics.narrowed(connection, wanted)
    shortest = statistics.period_of(connection, wanted, POINTS_MOST)
    group = query.subgroup if _SECONDS.get(query.subgroup, 0) >= _SECONDS[shortest] else shortest
    periods, drawn = _periods_and_drawn(connection, wanted, query, group)
    units, counts = _units_of(drawn, query.unit)
    label = label_of(units) if units in counts else query.unit or NM
    if len(counts) > 1:  # no index has them
        wanted = replace(wanted, units=units)
    periods = [(name, entry) for name, entry in periods if entry.units == units]
    drawn = [entry for entry in drawn if entry.units == units]
    good, bad = sum(entry.good for entry in drawn), sum(entry.bad for entry in drawn)
    values: dict[str, Any] = {
        "count": good + bad,
        "nok": bad,
        "unit": label,
        "shown_units": units,
        "units": [{"unit": label_of(one), "count": count} for one, count in counts.items()],
        "causes": rates.causes(connection, wanted),
        "group": group,
        "quantities": [],
    }
    values["rules"] = [spc.RULES[number].words for number in query.rules]
    phases = limits.phases(connection, wanted, units)
    is_few = good + bad <= POINTS_MOST
    measured = [
        quantity
        for quantity in quantities_in(units)  # a program that does not measure it sends zeros
        if any(any(entry.extremes(quantity.name)) or any(entry.specification(quantity.name)) for entry in drawn)
    ]
    sample = statistics.sample(connection, wanted, good + bad, HISTOGRAM_MOST) if measured else []

    @cache
    def sums_of(since: str, until: str) -> list[ProgramSums]:
        digits, begin_of = subgroup_by(group, query.shifts)
        its = replace(wanted, from_time=since, to_time=until + "a", tool=None, vin_from=None, vin_to=None, units=units)
        entries = statistics.program_sums(connection, its, digits, query.shifts if group == "shift" else ())
        return statistics.merged(entries, begin_of)

    def reference(name: str) -> Callable[[Phase], control_charts.Groups]:
        return lambda phase: _groups(sums_of(phase.since, phase.until), name)

    for quantity in measured:
        name = quantity.name
        at = statistics.QUANTITIES.index(name)
        nok = None if is_few or bad > POINTS_MOST else statistics.values(connection, replace(wanted, nok=True), name)
        each = statistics.values(connection, wanted, name) if is_few else None
        known = rates.reasons(connection, [row[0] for row in each or nok or () if row[2] and not any(row[6:])])
        points = _ranges(drawn, at, nok, known) if each is None else _values(each, at, known)
        values["quantities"].append(
            {
                "name": name,
                "unit": quantity.unit,
                "decimals": quantity.decimals,
                "points": points,
                "is_each": is_few,
                "is_each_nok": bad <= POINTS_MOST,
                "phases": [vars(phase.level) | {"begins": phase.begins} for phase in phases[name]],
                "charts": _charts(_groups(drawn, name), phases[name], reference(name), query, group),
                "histogram": _histogram(drawn, name, [row[at] for row in sample]),
                "periods": _periods(periods, quantity, query.only_ok),
                "all": _periods([("", entry) for entry in drawn], quantity, query.only_ok),
            }
        )
    return values


def _units_of(entries: Sequence[ProgramSums], unit: str) -> tuple[tuple[str, str], dict[tuple[str, str], int]]:
    """Return the units to show, and how many results are in each, the most first."""
    counts: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        counts[entry.units] += entry.good + entry.bad
    asked = [units for units, _ in counts.most_common() if unit in ("", label_of(units))]
    return next(iter(asked), (unit or NM, DEGREES)), dict(counts.most_common())


# -- points --------------------------------------------------------------------------------------------------------

_COLUMNS = ("time", "least", "mean", "most", "own", "other", "why", "low", "high")


def _values(rows: Sequence[Sequence], at: int, known: Mapping[int, str]) -> dict:
    """Return columns for a chart of results: seconds, OK values as `mean`, NOK ones, why these are NOK, limits.

    `at`: which of the statuses is the quantity's; `known`: reasons of those whose statuses say nothing.
    """
    points = []
    for row in rows:
        _, time, overall, value, low, high, *_ = row
        points.append(_nok_of(row, at, known) if overall else _point(time, low, high, mean=value))
    return _columns(points)


def _ranges(entries: Sequence[ProgramSums], at: int, nok: Sequence[Sequence] | None, known: Mapping[int, str]) -> dict:
    """Return columns for a chart of subgroups: range and mean of the OK ones; each NOK one, or their least and most."""
    name = statistics.QUANTITIES[at]
    points = []
    for entry in entries:
        ok, (low, high) = entry.ok[name], entry.limits[name]
        if ok.count:
            ends = {"least": ok.least, "mean": _short(ok.mean), "most": ok.most}
            points.append(_point(entry.period, low, high, **ends))
        for value in set(entry.bad_ends[name]) - {None} if nok is None else ():
            points.append(_nok(entry.period, value or 0.0, low, high))
    points += [_nok_of(row, at, known) for row in nok or ()]
    return _columns(sorted(points, key=lambda point: point["time"]))


def _nok_of(row: Sequence, at: int, known: Mapping[int, str]) -> dict:
    number, time, _, value, low, high, *statuses = row
    why = known.get(number) or rates.cause(*statuses)
    return _nok(time, value, low, high, bool(statuses[at]), why)


def _nok(time: str, value: float, low: float, high: float, is_its_own: bool = False, why: str = "") -> dict:
    """Return a mark: of the quantity's own, or of another cause, if the value is within its limits."""
    first, last = spc.specification(low, high)
    is_within = (first is None or first <= value) and (last is None or value <= last)
    return _point(time, low, high, **{"other" if is_within and not is_its_own else "own": value}, why=why or None)


def _point(time: str, low: float, high: float, **values: Any) -> dict:
    first, last = spc.specification(low, high)
    return {"time": seconds(time), "low": first, "high": last, **values}


def _columns(points: Sequence[dict]) -> dict[str, list]:
    """Return the points as columns, without those that have nothing."""
    columns = {name: [point.get(name) for point in points] for name in _COLUMNS}
    return {name: column for name, column in columns.items() if name == "time" or any(v is not None for v in column)}


def seconds(time: str) -> int:
    """Return the seconds of a time, or of its first digits, as if it were UTC: a browser shows it unchanged."""
    digits = time.rstrip("a")
    digits += _FILLED[len(digits) :]
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    return calendar.timegm((year, month, day, int(digits[8:10]), int(digits[10:12]), int(digits[12:14])))


def _histogram(entries: Sequence[ProgramSums], name: str, values: Sequence[float | None]) -> dict | None:
    """Return how the values are spread, with the limits if there is one set of them."""
    ok = spc.together(entry.ok[name] for entry in entries)
    every = spc.together(entry.sums[name] for entry in entries)
    several = list({entry.specification(name) for entry in entries if entry.sums[name].count})
    low, high = several[0] if len(several) == 1 else (None, None)
    ends = histograms.ends(ok, every, low, high)
    return histograms.of(ends, histograms.counted([one for one in values if one is not None], ends), low, high)


# -- charts --------------------------------------------------------------------------------------------------------


def _groups(entries: Sequence[ProgramSums], name: str) -> dict[str, spc.Sums]:
    """Return a quantity's subgroups of OK results by their begin."""
    groups: dict[str, spc.Sums] = {}
    for entry in entries:
        if entry.ok[name].count:
            groups.setdefault(entry.period, spc.Sums()).add(entry.ok[name])
    return groups


def _charts(
    groups: control_charts.Groups,
    phases: Sequence[Phase],
    reference: Callable[[Phase], control_charts.Groups],
    query: TrendQuery,
    group: str,
) -> dict | None:
    measured = control_charts.stretches(groups, phases, reference, query.is_within) if groups else None
    if not measured:
        return None
    charts = control_charts.charts(groups, measured, query.rules)
    ends = [ends_of(begin, group, query.shifts) for begin in groups]
    found = {what: _chart(chart, groups, ends) for what, chart in charts.items()}
    return {**found, "stretches": [_stretch(one, list(groups)) for one in measured]}


def _stretch(one: Stretch, periods: Sequence[str]) -> dict:
    """Return what a stretch is measured by: since when, and its figures."""
    between = {"between": one.between.means, "between_s": one.between.deviations, "is_alike": one.between.is_alike}
    return {"begin": periods[one.first], "is_set": one.phase is not None, **vars(one.level), **between}


def _chart(chart: dict, groups: control_charts.Groups, ends: Sequence[dict]) -> dict:
    """Return a chart for a browser, its signals by rule, and each subgroup with one, the newest first."""
    signals = chart["signals"]
    several = list(groups.values())
    return {
        **{name: [_short(one) for one in chart[name]] for name in ("points", "centre", "low", "high")},
        "time": list(groups),
        "count": [group.count for group in several],
        "rules": [{"rule": rule, "count": count} for rule, count in Counter(signals.values()).most_common()],
        "signals": [
            {"at": at, "rule": signals[at], "count": several[at].count, **ends[at]}
            for at in sorted(signals, reverse=True)
        ],
    }


def drawn(trend: dict) -> dict:
    """Return what a browser draws of a trend: points and charts, and the signals that lead to their results."""
    quantities = []
    for quantity in trend["quantities"]:
        one = {name: quantity[name] for name in ("name", "unit", "decimals", "points", "is_each")}
        charts = quantity["charts"] or {}
        one["charts"] = {
            name: {
                **{what: charts[name][what] for what in ("count", "points", "centre", "low", "high")},
                "time": [seconds(begin) for begin in charts[name]["time"]],
                "signals": [
                    (signal["at"], signal["rule"], signal["from"], signal["to"]) for signal in charts[name]["signals"]
                ],
            }
            for name in ("means", "deviations")
            if name in charts
        }
        quantities.append(one)
    times = [one["points"]["time"] for one in quantities]
    times += [chart["time"] for one in quantities for chart in one["charts"].values()]
    ends = [end for several in times for end in (*several[:1], *several[-1:])]
    span = [min(ends, default=0), max(ends, default=0)]  # which has results: one axis for all
    return {"results": trend["results"], "span": span, "quantities": quantities}


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


# -- figures -------------------------------------------------------------------------------------------------------


def _periods_and_drawn(
    connection: Connection, wanted: ResultFilter, query: TrendQuery, group: str
) -> tuple[list[tuple[str, ProgramSums]], list[ProgramSums]]:
    """Return the sums of each day, week, month or shift with its name, and those of the charts' subgroups.

    The database is asked once, for the shorter of both, unless a shift cuts what charts have.
    """
    day = PERIODS["day"][0]
    is_shift = query.by == "shift"
    digits, begin_of = subgroup_by(group, query.shifts)
    shifts = query.shifts if group == "shift" or (is_shift and digits <= day) else ()
    entries = statistics.program_sums(connection, wanted, max(digits, day), shifts)
    charted = statistics.merged(entries, begin_of)
    charted.sort(key=lambda entry: entry.period)
    if is_shift and digits > day:
        entries = statistics.program_sums(connection, wanted, day, query.shifts)
    name: Callable[[str], str] = partial(name_of_shift, shifts=query.shifts) if is_shift else period_by(query.by)
    return [(name(entry.period), entry) for entry in entries], charted


def _periods(named: Sequence[tuple[str, ProgramSums]], quantity: Quantity, only_ok: bool) -> list[dict]:
    """Return the figures of each period, and of each set of limits in it."""
    figures: dict[tuple, tuple[spc.Sums, list[int]]] = {}
    for name, entry in named:
        sums, bad = figures.setdefault((name, *entry.specification(quantity.name)), (spc.Sums(), [0]))
        sums.add(entry.of(only_ok)[quantity.name])
        bad[0] += 0 if only_ok else entry.bad
    return [
        _figures(name, sums, (low, high), bad[0]) for (name, low, high), (sums, bad) in figures.items() if sums.count
    ]


def _figures(name: str, sums: spc.Sums, limits: Sequence[float | None], bad: int) -> dict:
    low, high = limits
    return {"period": name, "low": low, "high": high, "nok": bad, **spc.figures(sums, low, high)}
