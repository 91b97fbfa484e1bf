"""Pages for a quality engineer: the trend of a station's program, and what was not OK, by frequency."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request

from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.database.tables import PLACE
from toolcart.archive.statistics import rates
from toolcart.archive.statistics.periods import Shifts, moment, name_of_shift, period_by
from toolcart.archive.web import list_rows, page_queries, request_arguments, template_filters
from toolcart.archive.web.pages import VIN_MOST, Page, no_cars, station_of
from toolcart.archive.web.reading import QueryTimeout, Reading
from toolcart.archive.web.trend import HISTOGRAM_MOST, SUBGROUPS, TrendQuery, trend

DAYS = 7  # up to the latest result, unless the address says otherwise
PARETO_DAYS = 30
SERIAL_MOST = 10  # TN 5.3
UNIT_MOST = 60  # of both, each as long as a parameter's value
BARS = 30
ATTEMPTS_MOST = 10_000  # results that are not OK, of which each is looked up; of more only if that is asked for
EVERY = "every"
WITHIN = "within"  # limits of charts: of s within subgroups alone
LINES = 31  # of a table, a month of days; another page has those before
SPANS = {"1 day": 1, "7 days": 7, "30 days": 30, "90 days": 90, "a year": 365}  # offered as links
KINDS = ("day", "week", "month", "shift")
BY = ("cause", "station", "program", "tool")
OVER = ("day", "week", "month", "shift")  # the same over time


async def trend_page(read: Reading, request: Request) -> Page:
    """A program of a station over time."""
    key, station = await station_of(read, request)
    names = await read(page_queries.program_names, key)
    newest = await read(
        page_queries.newest,
        key,
        request_arguments.number(request, "program"),
        request_arguments.number(request, "spindle"),
    )
    if newest is None:
        return Page("trend.html", {"station": station, "trend": None, "title": ""})
    time, spindle, program = newest
    form = _form(request, time, DAYS)
    form.update(program=program, spindle=spindle, **_narrowed(request))
    shifts = request.app.state.shifts
    kinds = KINDS if shifts else KINDS[:-1]
    form["by"] = request_arguments.one_of(request, "by", kinds)
    form["only"] = request_arguments.one_of(request, "only", ("", "ok"))
    form["limits"] = request_arguments.one_of(request, "limits", ("", WITHIN))
    subgroups = [one for one in SUBGROUPS if shifts or one != "shift"]
    form["subgroup"] = request_arguments.one_of(request, "subgroup", ("", *subgroups))
    form["unit"] = request_arguments.text(request, "unit", UNIT_MOST)
    wanted = ResultFilter(key, spindle, program, *_digits(form), form["tool"], form["vin_from"], form["vin_to"])
    how = TrendQuery(
        *(form["by"], shifts, form["only"] == "ok", request.app.state.rules),
        *(form["subgroup"], form["limits"] == WITHIN, form["unit"] or ""),
    )
    figures = await read(trend, wanted, how)
    if figures["units"] != [{"unit": figures["unit"], "count": figures["count"]}]:
        wanted = replace(wanted, units=figures["shown_units"])
    which = {"station": template_filters.place(station), "program": program, "spindle": spindle}
    figures["results"] = template_filters.link("/results", verdict="all", **which)
    values: dict[str, Any] = {"station": station, "trend": figures, "form": form, "kinds": kinds}
    values.update(subgroups=subgroups, histogram_most=HISTOGRAM_MOST)
    values.update(lines=LINES, behind=request_arguments.number(request, "behind") or 0)
    values["title"] = names.get((spindle, program), f"Program {program}")
    values["programs"] = list({number: name for (_, number), name in sorted(names.items())}.items())
    values["spindles"] = sorted({number for number, _ in names})
    values["spans"] = {name: _span(moment(time), days) for name, days in SPANS.items()}
    return Page("trend.html", {**values, "around": _around(form)}, rows=list_rows.of_results(wanted, list_rows.TREND))


async def pareto_page(read: Reading, request: Request) -> Page:
    """What was not OK, of how many: by cause, station, program or tool, the most first; or over time."""
    shifts = request.app.state.shifts
    kinds = (*BY, *(OVER if shifts else OVER[:-1]))
    by = request_arguments.one_of(request, "by", kinds)
    text = request.query_params.get("station", "")
    key = request_arguments.station(text) if text else None
    latest = await read(page_queries.newest_time)
    form = {**_form(request, latest, PARETO_DAYS), "by": by, "station": text}
    form["program"] = request_arguments.number(request, "program")
    wanted = ResultFilter(key, None, form["program"], *_digits(form))
    counts = await read(rates.totals, wanted)
    good, nok = rates.added(counts, ()).get((), (0, 0))
    no_car = await no_cars(read, request)
    form["attempts"] = request_arguments.one_of(request, "attempts", ("", EVERY))
    screws, is_counted = None, nok <= ATTEMPTS_MOST or bool(form["attempts"])
    if is_counted:
        with suppress(QueryTimeout):
            screws = await read(rates.attempts, wanted, counts, no_car)
    if by in OVER:
        bars = await _over_time(read, wanted, form, shifts)
    else:
        bars = await _by_frequency(read, wanted, form, counts, screws)
    values: dict[str, Any] = {"bars": bars[:BARS], "more": len(bars[BARS:]), "nok": nok, "form": form, "kinds": kinds}
    values["over"], values["is_counted"] = by in OVER, is_counted
    values["no_car"] = no_car.as_dict()
    values["all"] = rates.rate(nok, good + nok)
    values["screws"] = None if screws is None else rates.together(list(screws.values())).as_dict()
    rows = list_rows.ListQuery(list_rows.ROWS, rows=[_as_row(bar) for bar in bars])
    return Page("pareto.html", values, rows=rows, choices=await read(page_queries.choices))


def _as_row(bar: dict) -> dict:
    """Return a bar as a row of a file: without its address, the reasons as one text."""
    row = {name: value for name, value in bar.items() if name != "address"}
    if "reasons" in row:
        of = row.pop("reasons_of")
        named = ", ".join(f"{one['what']} ({one['count']})" for one in row["reasons"])
        row["reasons"] = f"{named} of the newest {of}" if named and of else named
    return row


async def _by_frequency(
    read: Reading, wanted: ResultFilter, form: dict, every: rates.Counts, screws: dict | None
) -> list[dict]:
    by = form["by"]
    counted = await read(page_queries.nok_counts, wanted)
    columns = {"cause": (), "station": PLACE, "tool": (*PLACE, "Tool")}.get(by, (*PLACE, "Program"))
    totals = {key: sum(counts) for key, counts in rates.added(every, columns).items()}
    counts: Counter = Counter()
    more: dict[Any, dict] = {}
    for row in counted:
        what, to = _what(by, row)
        counts[what] += row["count"]
        of = tuple(row["SpindleSerial" if name == "Tool" else name] for name in columns)
        more[what] = {
            "of": totals.get(of, 0),
            "address": template_filters.link("/results", **{**form, "by": None, "attempts": None, **to}),
        }
        if by in ("station", "program") and screws is not None:
            attempts = rates.together([one for key, one in screws.items() if key[: len(columns)] == of])
            more[what]["first_time"] = attempts.as_dict()["rate"]
    bars = [
        {**bar, **rates.rate(bar["count"], more[bar["what"]]["of"]), **more[bar["what"]]}
        for bar in rates.pareto(counts)
    ]
    return [await read(rates.with_reasons, wanted, bar) for bar in bars] if by == "cause" else bars


async def _over_time(read: Reading, wanted: ResultFilter, form: dict, shifts: Shifts) -> list[dict]:
    """Return a bar for each day, week, month or shift with results, the newest first."""
    by = form["by"]
    by_period = await read(rates.over_time, wanted, rates.DIGITS[by], shifts if by == "shift" else ())
    by_name: dict[str, list[int]] = {}
    for period, (good, bad) in by_period.items():
        name = name_of_shift(period, shifts) if by == "shift" else period_by(by)(period)
        counts = by_name.setdefault(name, [0, 0])
        counts[0] += bad
        counts[1] += good + bad
    bars = []
    for name, (bad, count) in reversed(by_name.items()):
        of_day = {**form, "by": None, "attempts": None, "from": name, "to": name}
        address = template_filters.link("/results", **of_day) if by == "day" else ""
        bars.append({"what": name, "count": bad, "address": address, **rates.rate(bad, count), "of": count})
    return bars


def _what(by: str, row: dict) -> tuple[str, dict]:
    """Return what a bar stands for, and the filter for a list of its results."""
    where = template_filters.place(row)
    station = f"{row['StationName'] or ''} ({where})"
    if by == "station":
        return station, {"station": where}
    if by == "program":
        name = row["ProgramName"] or f"Program {row['Program']}"
        return f"{name}, {station}", {"station": where, "program": row["Program"]}
    if by == "tool":
        tool = row["SpindleSerial"]
        return f"{tool or 'without a serial number'}, {station}", {
            "station": where,
            "tool": tool or request_arguments.NONE,
        }
    cause = rates.cause(row["TorqueStatus"], row["AngleStatus"], row["TimeStatus"])
    return cause, {"cause": cause}


# -- filters -------------------------------------------------------------------------------------------------------


def _form(request: Request, latest: str | None, days: int) -> dict[str, Any]:
    """Return from and to as a browser's fields have them; by default `days` days up to the latest result."""
    until = request_arguments.minute(request, "to") or (moment(latest) if latest else datetime.now())
    since = request_arguments.minute(request, "from")
    return _ends(since, until) if since else _span(until, days)


def _span(until: datetime, days: int) -> dict[str, str]:
    """Return `days` days, the last one up to `until`."""
    midnight = until.replace(hour=0, minute=0)
    return _ends(midnight - min(timedelta(days=days - 1), midnight - datetime.min), until)


def _ends(since: datetime, until: datetime) -> dict[str, str]:
    return {"from": request_arguments.field(since), "to": request_arguments.field(until)}


def _digits(form: dict) -> tuple[str, str]:
    """Return the span of time that a form names, including both minutes."""
    since, until = ("".join(c for c in form[name] if c.isdigit()) for name in ("from", "to"))
    return since, until + "a"


def _narrowed(request: Request) -> dict[str, str | None]:
    most = {"tool": SERIAL_MOST, "vin_from": VIN_MOST, "vin_to": VIN_MOST}
    return {name: request_arguments.text(request, name, length) for name, length in most.items()}


def _around(form: dict) -> dict[str, dict]:
    """Return the spans of the same length before and after this one."""
    since, until = (datetime.fromisoformat(form[name]) for name in ("from", "to"))
    length = max(until - since, timedelta()) + timedelta(minutes=1)
    ranges = {}
    for name, by in (("earlier", -length), ("later", length)):
        try:
            ranges[name] = _ends(since + by, until + by)
        except OverflowError:  # the first year, or the last
            continue
    return ranges
