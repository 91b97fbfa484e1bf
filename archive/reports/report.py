"""A report on a day, a week or a month: how much was not OK, at the first attempt, why, and how capable programs are.

Rules
1. Every figure is the one that the pages show for this span, made by the same code.
2. A period is over by this machine's date before it is reported; results that come late are in no report but in one
   that is made again.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.database.tables import Station
from toolcart.archive.statistics import placeholders, rates, statistics
from toolcart.archive.statistics.periods import period_by
from toolcart.archive.web import page_queries, template_filters
from toolcart.archive.web.trend import TrendQuery, label_of, trend
from toolcart.pages import STATIC

CAUSES = 10
WEAK = 1.33
_S = t.STATION.c


@dataclass(frozen=True)
class ReportPeriod:
    """The days of a report, both included."""

    name: str
    first: date
    last: date

    @property
    def digits(self) -> tuple[str, str]:
        """Its ends as questions have them."""
        return f"{self.first:%Y%m%d}", f"{self.last:%Y%m%d}a"


def span_of(kind: str, day: date) -> ReportPeriod:
    """Return the day, week or month that a day is in."""
    first, last = day, day
    if kind == "week":
        first = day - timedelta(days=day.weekday())
        last = first + timedelta(days=6)
    elif kind == "month":
        first, last = day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])
    return ReportPeriod(period_by(kind)(f"{day:%Y%m%d}"), first, last)


def last_over(kind: str, today: date) -> ReportPeriod:
    """Return the last one that is over."""
    return span_of(kind, span_of(kind, today).first - timedelta(days=1))


def report(
    connection: Connection, span: ReportPeriod, rules: Collection[int], no_car: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the figures of a span; `no_car`: VINs that are no car's, guessed unless given."""
    wanted = ResultFilter(from_time=span.digits[0], to_time=span.digits[1])
    counts = rates.totals(connection, wanted)
    good, bad = rates.added(counts, ()).get((), (0, 0))
    found = placeholders.of(connection, no_car)
    attempts = rates.attempts(connection, wanted, counts, found)
    days = rates.over_time(connection, wanted, rates.DIGITS["day"])
    return {
        "name": span.name,
        "span": span,
        "no_car": found.as_dict(),
        "all": {"count": bad, **rates.rate(bad, good + bad)},
        "screws": rates.together(list(attempts.values())).as_dict(),
        "days": [
            {"day": template_filters.day(day), "count": bad, **rates.rate(bad, good + bad)}
            for day, (good, bad) in days.items()
        ],
        "causes": rates.causes(connection, wanted)[:CAUSES],
        "programs": [
            one
            for key, name in _stations(connection)
            for one in _programs(connection, key, name, span, rules, attempts)
        ],
    }


def _stations(connection: Connection) -> list[tuple[Station, str]]:
    statement = select(_S.SystemType, _S.System, _S.Station, _S.Name)
    rows = connection.execute(statement.order_by(*statement.selected_columns[:3]))
    return [((row[0], row[1], row[2]), row[3]) for row in rows]


def _programs(
    connection: Connection, key: Station, name: str, span: ReportPeriod, rules: Collection[int], attempts: dict
) -> list[dict]:
    """Return the figures of each program of a station that had results, of each unit by itself."""
    entries = statistics.program_sums(connection, ResultFilter(key, None, None, *span.digits), 0)
    names = page_queries.program_names(connection, key)
    programs = []
    for spindle, program, unit in sorted({(entry.spindle, entry.program, label_of(entry.units)) for entry in entries}):
        query = TrendQuery("day", rules=rules, unit=unit)
        figures = trend(connection, ResultFilter(key, spindle, program, *span.digits), query)
        programs.append(
            {
                "station": "/".join(map(str, key)),
                "station_name": name,
                "program": program,
                "program_name": names.get((spindle, program), f"Program {program}"),
                "spindle": spindle,
                "unit": unit if len(figures["units"]) > 1 else "",
                "count": figures["nok"],
                **rates.rate(figures["nok"], figures["count"]),
                "first_time": attempts[(*key, program)].as_dict()["rate"],
                "quantities": [_quantity(one) for one in figures["quantities"]],
            }
        )
    return programs


def _quantity(quantity: dict) -> dict:
    """Return a quantity's figures, for each set of limits, and how many subgroups have a signal."""
    charts = [quantity["charts"][name] for name in ("means", "deviations")] if quantity["charts"] else []
    return {
        **{name: quantity[name] for name in ("name", "unit", "decimals")},
        "signals": sum(len(chart["signals"]) for chart in charts) if quantity["charts"] else None,
        "all": quantity["all"],
    }


def rows(content: dict) -> list[dict]:
    """Return a report's programs as rows of a file: one for each quantity and set of limits."""
    names = ("station", "station_name", "program", "program_name", "spindle")
    figures = ("low", "high", "mean", "deviation", "cp", "cpk", "pp", "ppk")
    lines = []
    for one in content["programs"]:
        rate = {"results": one["of"], "nok": one["count"], "nok_rate": one["rate"], "first_time_ok": one["first_time"]}
        rate.update(nok_rate_low=one["low"], nok_rate_high=one["high"])
        for quantity in one["quantities"]:
            for each in quantity["all"]:
                values = {"quantity": quantity["name"], "unit": quantity["unit"], "values": each["count"]}
                values.update({name: each[name] for name in figures}, signals=quantity["signals"])
                lines.append({**{name: one[name] for name in names}, **rate, **values})
    return lines


def weak(content: dict) -> list[str]:
    """Return the programs with a Cpk below WEAK, in words, the weakest first."""
    below = [
        (
            each["cpk"],
            f"{one['program_name']}, {one['station_name']} ({one['station']}), "
            f"{quantity['name'].lower()} in {quantity['unit']}",
        )
        for one in content["programs"]
        for quantity in one["quantities"]
        for each in quantity["all"]
        if each["cpk"] is not None and each["cpk"] < WEAK
    ]
    return [f"{what}: Cpk {cpk:.2f}" for cpk, what in sorted(below)]


def summary(content: dict) -> tuple[str, str]:
    """Return the subject and the text of a mail."""
    every, screws = content["all"], content["screws"]
    head = f"toolcart archive: {content['name']}, "
    if not every["of"]:
        return head + "no results", "There are no results of this time."
    lines = [f"{every['count']} of {every['of']} results were not OK: {_percent(every)}."]
    if screws["rate"] is not None:
        lines.append(f"{screws['screws']} screws, OK at the first attempt: {_percent(screws)}.")
    lines += [f"{one['what']}: {one['count']}" for one in content["causes"]]
    lines += weak(content) or [f"No Cpk below {WEAK}."]
    return f"{head}{100 * every['rate']:.2f} % not OK", "\n".join(lines)


def _percent(one: dict) -> str:
    return f"{100 * one['rate']:.2f} % ({100 * one['low']:.2f} to {100 * one['high']:.2f} % with 95 %)"


def page(content: dict) -> str:
    """Return a report as HTML in one file, without scripts."""
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    return (
        template_filters.templates()
        .get_template("report.html")
        .render(report=content, weak=weak(content), limit=WEAK, style=style)
    )
