"""A program's torque and angle over time: values with limits, charts, figures by day, week or shift, causes.

Rules
1. Values are in the order of the station's clock. Where limits were changed, figures start again: across two sets of
   limits they mean nothing. Charts of means and deviations do not depend on limits and go on.
2. A chart has a bounded number of points: some of each stretch, with its least and most, for good and bad ones
   separately, so that nothing that sticks out is missing.
3. A study of a tool is STUDY results in a row from one tool under one set of limits; its Cm and Cmk are the Pp and Ppk
   of these values.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toolcart.archive import pareto, spc
from toolcart.archive.web.day import limits_of

POINTS_MOST = 1000  # of a kind in a chart; half a screen has as many columns
_TIME, _NUMBER, _OVERALL = 0, 1, 2  # places in a row of asked.trend_rows
_STATUSES = (6, 10, 11)
_TOOL = 12
STUDY = 50  # tightenings, as in most handbooks
STUDIES_MOST = 20  # the newest


@dataclass(frozen=True)
class Quantity:
    """Torque or angle, and where a row has it."""

    name: str
    unit: str
    decimals: int
    value: int
    low: int
    high: int


QUANTITIES = (Quantity("Torque", "Nm", 2, 3, 4, 5), Quantity("Angle", "°", 1, 7, 8, 9))


def trend(rows: Sequence[tuple], period: Callable[[str], str] | None, size: int, only_ok: bool) -> dict:
    """Return counts, causes and each quantity's values, charts and figures; `only_ok`: the last two of OK results only.

    Without a period the figures are those of tool studies.
    """
    bad = [row for row in rows if row[_OVERALL]]
    causes = pareto.pareto(Counter(pareto.cause(*[row[at] for at in _STATUSES]) for row in bad))
    told = {"count": len(rows), "nok": len(bad), "causes": causes, "quantities": []}
    for quantity in QUANTITIES:
        found = [row for row in rows if row[quantity.value] is not None]
        if found and not any(row[quantity.value] or row[quantity.high] for row in found):
            continue  # a program that does not measure it sends zeros
        judged = [row for row in found if not row[_OVERALL]] if only_ok else found
        told["quantities"].append(
            {
                "name": quantity.name,
                "unit": quantity.unit,
                "decimals": quantity.decimals,
                "points": _points(found, quantity),
                "charts": _charts(judged, quantity, size),
                "periods": _periods(judged, quantity, period, size) if period else _studies(judged, quantity, size),
                "all": _periods(judged, quantity, lambda time: "", size),
            }
        )
    return told


def _points(rows: Sequence[tuple], quantity: Quantity) -> dict:
    """Return columns for a chart: seconds, good and bad values, limits."""
    value = quantity.value
    kept = thinned([(row[value], at) for at, row in enumerate(rows) if not row[_OVERALL]])
    kept += thinned([(row[value], at) for at, row in enumerate(rows) if row[_OVERALL]])
    told: dict[str, list] = {"time": [], "good": [], "bad": [], "low": [], "high": []}
    for at in sorted(at for _, at in kept):
        row = rows[at]
        low, high = limits_of(row[quantity.low], row[quantity.high])
        told["time"].append(seconds(row[_TIME]))
        told["good"].append(None if row[_OVERALL] else row[value])
        told["bad"].append(row[value] if row[_OVERALL] else None)
        told["low"].append(low)
        told["high"].append(high)
    return told


def thinned(points: Sequence[tuple[float, int]], most: int = POINTS_MOST) -> list[tuple[float, int]]:
    """Return at most `most` of these (value, place), in order: some of each stretch, with its least and most."""
    if len(points) <= most:
        return list(points)
    told: list[tuple[float, int]] = []
    stretches = most // 4
    for stretch in range(stretches):
        part = points[stretch * len(points) // stretches : (stretch + 1) * len(points) // stretches]
        kept = {part[0], part[len(part) // 2], min(part), max(part)}  # the first two fill in between the extremes
        told += sorted(kept, key=lambda point: point[1])
    return told


def seconds(time: str) -> int:
    """Return a station's time in seconds as if it were UTC, so that a browser shows it unchanged."""
    year, month, day = int(time[:4]), int(time[4:6]), int(time[6:8])
    return calendar.timegm((year, month, day, int(time[8:10]), int(time[10:12]), int(time[12:14])))


def _charts(rows: Sequence[tuple], quantity: Quantity, size: int) -> dict | None:
    found = spc.charts([row[quantity.value] for row in rows], size)
    if found is None:
        return None
    last = [rows[at] for at in range(size - 1, len(rows), size)]  # of each subgroup
    return {"size": size, "means": _chart(found["means"], last), "deviations": _chart(found["deviations"], last)}


def _chart(chart: dict, last: Sequence[tuple]) -> dict:
    """Return a chart's points for a browser, and its signals: how many of each rule, and the newest result with one."""
    points, signals = chart["points"], chart["signals"]
    kept = thinned([(one, at) for at, one in enumerate(points) if at not in signals])
    kept += thinned([(one, at) for at, one in enumerate(points) if at in signals])
    places = sorted(at for _, at in kept)
    counts = Counter(signals.values())
    newest = {rule: last[at] for at, rule in signals.items()}
    return {
        **{name: round(chart[name], 5) for name in ("centre", "low", "high")},
        "at": [at + 1 for at in places],
        "time": [last[at][_TIME] for at in places],
        "value": [round(points[at], 5) for at in places],
        "signal": [signals.get(at) for at in places],
        "signals": [
            {"rule": rule, "count": count, "ResultId": newest[rule][_NUMBER], "Time": newest[rule][_TIME]}
            for rule, count in counts.most_common()
        ],
    }


def _periods(rows: Sequence[tuple], quantity: Quantity, period: Callable[[str], str], size: int) -> list[dict]:
    """Return the figures of each period, and of each set of limits in it."""
    found: dict[tuple, list[tuple]] = {}
    for row in rows:
        found.setdefault((period(row[_TIME]), *limits_of(row[quantity.low], row[quantity.high])), []).append(row)
    return [_figures(name, part, quantity, size) for (name, _, _), part in found.items()]


def _studies(rows: Sequence[tuple], quantity: Quantity, size: int) -> list[dict]:
    """Return the figures of the newest STUDIES_MOST complete studies, oldest first."""
    found: dict[tuple, list[int]] = {}
    for at, row in enumerate(rows):
        found.setdefault((row[_TOOL], *limits_of(row[quantity.low], row[quantity.high])), []).append(at)
    told = []
    for (tool, _, _), places in found.items():
        for end in range(len(places), STUDY - 1, -STUDY):
            study = [rows[at] for at in places[end - STUDY : end]]
            first = study[0][_TIME]
            begun = f"{first[:4]}-{first[4:6]}-{first[6:8]} {first[8:10]}:{first[10:12]}"
            name = f"{tool or 'without a serial number'}, from {begun}"
            told.append((places[end - 1], _figures(name, study, quantity, size)))
    return [figures for _, figures in sorted(told, key=lambda one: one[0])[-STUDIES_MOST:]]


def _figures(name: str, rows: Sequence[tuple], quantity: Quantity, size: int) -> dict:
    low, high = limits_of(rows[0][quantity.low], rows[0][quantity.high])
    bad = sum(1 for row in rows if row[_OVERALL])
    values = [row[quantity.value] for row in rows]
    return {"period": name, "low": low, "high": high, "nok": bad, **spc.figures(values, low, high, size)}
