"""What each page shows: a template's name and its values, all of which JSON takes too.

Rules
1. A page is `async def page(read, request) -> Page`; an address that cannot be read raises InvalidRequest.
2. Nothing here changes anything.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request

from toolcart.archive.database import queries, vehicle_numbers
from toolcart.archive.database.audit import REMARK_MOST, remarks_of
from toolcart.archive.statistics import placeholders, rates
from toolcart.archive.statistics.placeholders import Placeholders
from toolcart.archive.web import day_figures, list_rows, page_queries, request_arguments, template_filters
from toolcart.archive.web.list_rows import ListQuery
from toolcart.archive.web.reading import Reading
from toolcart.archive.web.request_arguments import NotThere
from toolcart.toolsnet import rows
from toolcart.trace.curves import Tightening

DAY_LIST = 50
LIVE_ROWS = 50
SPINDLES = 10000
CURVES, CURVES_MOST = 10, 30  # drawn over one another
VIN_MOST = 25  # TN 5.3
GUESS_S = 60.0  # it takes longer than a car's page
_UNITS = {"deg": "°"}


@dataclass
class Page:
    """A template's name and its values, or another address to go to."""

    template: str
    values: dict[str, Any]
    go_to: str | None = None
    rows: ListQuery | None = None  # what it lists, for a file
    choices: dict[str, list] | None = None  # what its filters offer, for people alone


def today() -> str:
    """Return today by the machine's clock, as stations write it."""
    return datetime.now().strftime("%Y%m%d")


async def overview(read: Reading, request: Request) -> Page:
    """The map: systems, stations, their last sign of life, today's results."""
    systems = await read(page_queries.stations, today())
    more = max(0, await read(page_queries.station_count) - page_queries.STATIONS)
    return Page("overview.html", {"systems": systems, "more": more, "now": rows.now_text()})


async def live(read: Reading, request: Request) -> Page:
    """The newest results; page.js adds new ones."""
    results = await read(page_queries.results, queries.ResultFilter(), None, LIVE_ROWS)
    newest = results[0]["ResultId"] if results else 0
    return Page("live.html", {"results": await with_reasons(read, results[:LIVE_ROWS]), "newest": newest})


async def search(read: Reading, request: Request) -> Page:
    """A whole VIN first, then the beginning or end of one, a tightening ID, a station's name."""
    text = request.query_params.get("q", "").strip()[:100]
    if not text:
        return Page("search.html", {"q": "", "cars": [], "results": [], "stations": [], "is_no_car": False})
    no_car = await no_cars(read, request)
    for vin in dict.fromkeys((text, text.upper())):
        if len(vin) <= VIN_MOST and vin not in no_car and await read(vehicle_numbers.is_there, vin):
            return Page("", {}, go_to=template_filters.link("/car", vin=vin))
    matching = await read(page_queries.cars_like, text, no_car) or (
        await read(page_queries.cars_like, text.upper(), no_car)
    )
    by_id: list[dict] = []
    if text.isascii() and text.isdigit() and int(text) < 2**63:
        by_id = (await read(page_queries.results, queries.ResultFilter(tightening_id=int(text))))[: page_queries.ROWS]
    stations = await read(page_queries.named_stations, text)
    if len(matching) == 1 and not by_id and not stations:
        return Page("", {}, go_to=template_filters.link("/car", vin=matching[0]["VIN"]))
    found = {"q": text, "cars": matching, "results": by_id, "stations": stations, "is_no_car": text in no_car}
    return Page("search.html", found)


async def car(read: Reading, request: Request) -> Page:
    """A car's screws, and its results in the order they were made."""
    vin = request.query_params.get("vin", "")[:100]
    results = await read(page_queries.car, vin, request_arguments.place(request))
    if not results:
        raise NotThere(f"no result has the VIN {vin!r}")
    count, nok = await read(page_queries.car_count, vin)
    page = await with_reasons(read, results[: page_queries.CAR_ROWS])
    last = page[-1]
    is_more = len(results) > len(page)
    values: dict[str, Any] = {"vin": vin, "results": page, "count": count, "nok": nok}
    values["behind"] = str(page_queries.PagePosition(last["Time"], last["ResultId"])) if is_more else None
    no_car = await no_cars(read, request)
    values["no_car"] = {"share": no_car.shares.get(vin), "is_guess": no_car.is_guess} if vin in no_car else None
    values["screws"] = None if vin in no_car else (await read(page_queries.car_screws, vin)).as_dict()
    return Page("car.html", values, rows=list_rows.of_results(queries.ResultFilter(vin=vin)))


async def no_cars(read: Reading, request: Request) -> Placeholders:
    """Return the VINs that are no car's: those that the plant has named, or a guess, which is kept for GUESS_S."""
    state, now = request.app.state, time.monotonic()
    if now >= state.guess_ends:
        state.no_cars = await read(placeholders.of, state.placeholders)
        state.guess_ends = now + GUESS_S
    return state.no_cars


async def with_reasons(read: Reading, results: list[dict]) -> list[dict]:
    """Return the results; those that are not OK and whose statuses do not say why, with the reason that is known."""
    names = ("TorqueStatus", "AngleStatus", "TimeStatus")
    numbers = [row["ResultId"] for row in results if row["Overall"] and not any(row[name] for name in names)]
    known = await read(rates.reasons, numbers) if numbers else {}
    return [{**row, "Reason": known[row["ResultId"]]} if row["ResultId"] in known else row for row in results]


async def result(read: Reading, request: Request) -> Page:
    """One result with everything that came with it, and its curves."""
    bolt = request_arguments.number(request, "bolt", range(SPINDLES))
    details = await _result(read, request, bolt)
    around = await read(page_queries.neighbours, details)
    remarks = await read(remarks_of, details["ResultId"])
    graphs = [{name: value for name, value in graph.items() if name != "Samples"} for graph in details["Graphs"]]
    [reasoned] = await with_reasons(read, [details])
    values = {"result": {**reasoned, "Graphs": graphs}, "around": around}
    values |= {"remarks": remarks, "curves": _curves(details, bolt), "bolt": bolt, "remark_most": REMARK_MOST}
    return Page("result.html", values)


async def _result(read: Reading, request: Request, bolt: int | None = None) -> dict:
    number = request.path_params["number"]
    result = await read(queries.result, number, bolt) if number < 2**63 else None
    if result is None:
        raise NotThere(f"there is no result {number}")
    return result


async def station_of(read: Reading, request: Request) -> tuple[page_queries.Station, dict]:
    """Return the station that the address names, and its row."""
    text = request.path_params["key"]
    key = request_arguments.station(text)
    station = await read(page_queries.station, key)
    if station is None:
        raise NotThere(f"station {text} has never reported")
    return key, station


async def curves(read: Reading, request: Request) -> Page:
    """Curves of a result and those before it, over one another, with the window that they have to end in."""
    result = await _result(read, request)
    count = request_arguments.number(request, "count", range(2, CURVES_MOST + 1)) or CURVES
    only_ok = request_arguments.one_of(request, "only", ("", "ok")) == "ok"
    others = [await read(queries.result, one) for one in await read(page_queries.like, result, count, only_ok)]
    names = ("ResultId", "Time", "Overall", "VIN")
    lines = [{**_curves(one), **{name: one[name] for name in names}} for one in others if one]
    values = {"result": {**result, "Graphs": []}, "lines": lines, "limits": _limits(result)}
    return Page("curves.html", {**values, "count": count, "only_ok": only_ok})


async def station(read: Reading, request: Request) -> Page:
    """A station's day."""
    key, details = await station_of(read, request)
    days = await read(page_queries.days, key, request_arguments.time(request, "day", is_day=True))
    only_ok = request.query_params.get("only") == "ok"
    names = await read(page_queries.program_names, key)
    programs, newest, wanted = [], [], None
    if days["Day"]:
        wanted = queries.ResultFilter(station=key, from_time=days["Day"], to_time=days["Day"] + "a")
        programs = await read(day_figures.programs, wanted, names, only_ok)
        newest = await with_reasons(read, (await read(page_queries.results, wanted, None, DAY_LIST))[:DAY_LIST])
    count, nok = (sum(one[name] for one in programs) for name in ("count", "nok"))
    if days["Day"] and not count and rows.moment(days["Day"] + "000000") is None:  # older archives have such days
        raise request_arguments.InvalidRequest(f"day {request.query_params['day']!r}: there is no such day")
    values = {"station": details, "days": days, "only_ok": only_ok, "count": count, "nok": nok, "results": newest}
    values.update(programs=programs, now=rows.now_text())
    return Page("station.html", values, rows=list_rows.of_results(wanted) if wanted else None)


async def results(read: Reading, request: Request) -> Page:
    """Filtered lists: what is not OK, or all."""
    query = request.query_params
    key = request_arguments.station(query["station"]) if query.get("station") else None
    wanted = queries.ResultFilter(
        station=key,
        from_time=request_arguments.time(request, "from"),
        to_time=request_arguments.behind_day(request_arguments.time(request, "to")),
        nok=query.get("verdict", "nok") == "nok" or bool(query.get("cause")),  # a cause is of what is not OK
        program=request_arguments.number(request, "program"),
        spindle=request_arguments.number(request, "spindle"),
        tool=request_arguments.tool(request),
        statuses=request_arguments.cause(request),
    )
    form = {name: query.get(name, "") for name in ("station", "program", "spindle", "tool", "cause")}
    form.update({name: request_arguments.field(request_arguments.minute(request, name)) for name in ("from", "to")})
    form["verdict"] = "nok" if wanted.nok else "all"
    return await _list(read, request, "results", list_rows.of_results(wanted), form)


async def events(read: Reading, request: Request) -> Page:
    """Events that stations reported (telegram 09)."""
    text = request.query_params.get("station", "")
    key = request_arguments.station(text) if text else None
    return await _list(read, request, "events", ListQuery(list_rows.EVENTS, {"station": key}), {"station": text})


async def breaches(read: Reading, request: Request) -> Page:
    return await _list(read, request, "breaches", ListQuery(list_rows.BREACHES))


async def audit(read: Reading, request: Request) -> Page:
    """What commands have changed, and who ran them."""
    return await _list(read, request, "changes", ListQuery(list_rows.CHANGES))


async def _list(read: Reading, request: Request, name: str, rows: ListQuery, form: dict | None = None) -> Page:
    """Return a page of a list, whose rows its template has under this name; `form`: its filters."""
    page, behind = await read(list_rows.some, rows, request_arguments.place(request))
    if name == list_rows.RESULTS:
        page = await with_reasons(read, page)
    values = {name: page, "behind": None if behind is None else str(behind)}
    if form is None:
        return Page(f"{name}.html", values, rows=rows)
    return Page(f"{name}.html", {**values, "filters": form}, rows=rows, choices=await read(page_queries.choices))


# -- curves --------------------------------------------------------------------------------------------------------


def _curves(details: dict, bolt: int | None = None) -> dict:
    """Return values over time and torque over angle, with limits; {} if there are none.

    With `bolt` the limits are those of its curves, else of the result, as far as it is known to have the same unit.
    """
    curves = queries.curves(details)
    if not curves:
        return {}
    drawn: dict[str, Any] = {
        name: {"unit": _UNITS.get(one.unit, one.unit), "times": _short(one.times_ms), "values": _short(one.values)}
        for name, one in curves.items()
    }
    over = Tightening("", "", curves=curves).torque_over_angle()
    drawn["over"] = {"angle": _short([pair[0] for pair in over]), "torque": _short([pair[1] for pair in over])}
    drawn["limits"] = _limits(details)
    if bolt is not None:
        drawn["limits"] = {name: [one.low, one.high] for name, one in curves.items()}
    return drawn


def _limits(result: dict) -> dict[str, list[float | None]]:
    """Return a result's limits of torque and angle; none where its curve may have another unit (queries.curves)."""
    usual = {"Torque": rows.NM, "Angle": rows.DEGREES}
    return {
        name.lower(): [result[f"{name}{end}"] if result[f"{name}Unit"] == unit else None for end in ("Low", "High")]
        for name, unit in usual.items()
    }


def _short(values: list[float]) -> list[float]:
    return [round(value, 4) for value in values]
