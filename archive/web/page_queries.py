"""What pages ask the archive: bounded lists, each by an index, as dicts that JSON takes.

Rules
1. A list goes on after the last row shown (`behind`), never by an offset: page 1,000 costs the same as page 1.
2. A list filtered by station or "not OK" is in the order of the stations' clocks, else of arrival; each has its index.
3. A VIN's beginning or end is a range of an index (toolcart.archive.database.vehicle_numbers).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from toolcart.archive.database import tables as t
from toolcart.archive.database import vehicle_numbers
from toolcart.archive.database.queries import ResultFilter, dicts, is_program, key_of, wanted_results, which
from toolcart.archive.database.rollups import end_of
from toolcart.archive.database.tables import Station
from toolcart.archive.statistics import rates
from toolcart.archive.statistics.placeholders import Placeholders
from toolcart.toolsnet import rows

ROWS = 100  # of a list on a page
CARS = 50
STATIONS = 2000  # of the map, those heard last; the search finds the others
PROGRAMS = 2000  # of a station that are shown with names
LOOKED_THROUGH = 2000  # results searched for those with curves
CAR_ROWS = 2000  # results of one car on a page; a car body has a few hundred
_R, _S, _E = t.RESULT.c, t.STATION.c, t.EVENT.c

_Q = t.QUARTER.c
_END_OF_TIME = ":"  # sorts behind all digits
_IS_THERE = _S.Watched != t.REMOVED
_NEWEST = (_R.Time.desc(), _R.ResultId.desc())

FAST_S = 36 * 3600  # a station's clock ahead of UTC: the farthest time zone, and most of a day for a wrong clock


@dataclass(frozen=True)
class PagePosition:
    """Where a list goes on: the last row shown. `time` is "" in a list by arrival."""

    time: str
    number: int

    def __str__(self) -> str:
        return f"{self.time}-{self.number}"


def stations(connection: Connection, today: str, most: int = STATIONS) -> list[dict]:
    """Return every system with its stations, their last sign of life, and their number of results `today`.

    `today` is what the day's times begin with: what a wrong clock has dated later is none of it.
    Of more stations than `most`, those heard last; none that was removed.
    """
    key = (_S.SystemType, _S.System, _S.Station)
    one = select(*t.STATION.columns).where(_IS_THERE).order_by(_S.Heard.desc(), *key).limit(most).subquery().c
    here = [_R[name] == one[name] for name in t.PLACE]
    its_day = (_R.Time >= today, _R.Time < today + _END_OF_TIME)
    count = select(func.count()).select_from(t.RESULT).where(*here, *its_day).scalar_subquery()
    statement = select(*one, count.label("Today")).order_by(one.SystemType, one.System, one.Station)
    rows = dicts(connection, statement)
    bad = select(_R.SystemType, _R.System, _R.Station, func.count()).where(t.IS_NOK, *its_day)
    counted = {tuple(row[:3]): row[3] for row in connection.execute(bad.group_by(*bad.selected_columns[:3]))}
    kinds = dict(tuple(row) for row in connection.execute(select(t.SYSTEM_TYPE.c.SystemType, t.SYSTEM_TYPE.c.Name)))
    systems = {}
    statement = select(*t.SYSTEM.columns).order_by(*t.SYSTEM.primary_key).limit(most)
    for row in connection.execute(statement).mappings():
        system = {**row, "TypeName": kinds.get(row["SystemType"], ""), "Stations": []}
        systems[row["SystemType"], row["System"]] = system
    for row in rows:
        row["TodayNOK"] = counted.get((row["SystemType"], row["System"], row["Station"]), 0)
        place = row["SystemType"], row["System"]
        unnamed = {"SystemType": place[0], "System": place[1], "Name": f"System {place[1]}", "IP": ""}
        system = systems.setdefault(place, {**unnamed, "TypeName": kinds.get(place[0], ""), "Stations": []})
        system["Stations"].append(row)
    return list(systems.values())


def station_count(connection: Connection) -> int:
    """Return how many stations have ever reported and are not removed."""
    return connection.execute(select(func.count()).select_from(t.STATION).where(_IS_THERE)).scalar() or 0


def station(connection: Connection, key: Station) -> dict | None:
    """Return a station's row with its system's name; None if it is not known."""
    statement = select(*t.STATION.columns, t.SYSTEM.c.Name.label("SystemName")).outerjoin(
        t.SYSTEM, t.belongs(_S, t.SYSTEM)
    )
    return next(iter(dicts(connection, statement.where(t.is_row(t.STATION, t.PLACE, key)))), None)


def newest_number(connection: Connection) -> int:
    """Return the number of the latest row, 0 if there is none."""
    return connection.execute(select(func.max(_R.ResultId))).scalar() or 0


def arrived_behind(connection: Connection, number: int, most: int) -> list[dict]:
    """Return the newest `most` results after this number, oldest first."""
    statement = (
        wanted_results(connection, ResultFilter()).where(_R.ResultId > number).order_by(_R.ResultId.desc()).limit(most)
    )
    return dicts(connection, statement)[::-1]


def results(
    connection: Connection, wanted: ResultFilter, behind: PagePosition | None = None, most: int = ROWS
) -> list[dict]:
    """Return a page of a list, newest first, and one more row if there is another page."""
    if not _is_in_the_map(connection, wanted):
        return []
    if wanted.tool is not None:
        there = _where_tool_was(connection, wanted)
        if there is None:
            return []
        wanted = there
    time = _R.Time if by_time(wanted) else None
    return page(connection, wanted_results(connection, wanted), _R.ResultId, time, behind, most)


def _is_in_the_map(connection: Connection, wanted: ResultFilter) -> bool:
    """True unless no result of this station can have this program and spindle: all that had one are in the map."""
    columns = t.PROGRAM.c
    here = [
        columns[name] == value for name, value in (("Spindle", wanted.spindle), ("Program", wanted.program)) if value
    ]
    if not here:
        return True
    if wanted.station is not None:
        here.append(t.is_row(t.PROGRAM, t.PLACE, wanted.station))
    return connection.execute(select(columns.Program).where(*here).limit(1)).first() is not None


def _where_tool_was(connection: Connection, wanted: ResultFilter) -> ResultFilter | None:
    """Return the same, of the span in which the tool was used, and of its station if it is one; None if it was not.

    No index of results has tools: the results of all others would be read for one that is not there.
    """
    places = [_Q[name] for name in t.PLACE]
    statement = select(*places, func.min(_Q.Slot), func.max(_Q.Slot)).where(_Q.Tool == wanted.tool).group_by(*places)
    if wanted.station is not None:
        statement = statement.where(t.is_row(t.QUARTER, t.PLACE, wanted.station))
    there = connection.execute(statement).fetchall()
    if not there:
        return None
    first, last = min(row[3] for row in there), max(row[4] for row in there)
    station = (there[0][0], there[0][1], there[0][2]) if len(there) == 1 else wanted.station
    since = max(wanted.from_time or "", first[:10])
    until = min(wanted.to_time or _END_OF_TIME, last[:10] + _END_OF_TIME)  # whole hours
    return replace(wanted, station=station, from_time=since, to_time=until)


def page(
    connection: Connection,
    statement: Select,
    number: ColumnElement,
    time: ColumnElement | None,
    behind: PagePosition | None,
    most: int,
) -> list[dict]:
    """Return some rows by number, or by time and number, the newest first, and one more if there are more."""
    order = [number.desc()] if time is None else [time.desc(), number.desc()]
    if behind:
        statement = statement.where(number < behind.number if time is None else _behind(time, number, behind))
    return dicts(connection, statement.order_by(*order).limit(most + 1))


def by_time(wanted: ResultFilter) -> bool:
    """True if a list is in the order of the stations' clocks."""
    names = ("station", "from_time", "to_time", "program", "tool", "statuses", "spindle")
    return wanted.nok or any(getattr(wanted, name) is not None for name in names)


def car(connection: Connection, vin: str, behind: PagePosition | None = None) -> list[dict]:
    """Return a page of a car's results, in the order they were tightened, and one more if there is another page."""
    statement = wanted_results(connection, ResultFilter(vin=vin))
    if behind:
        later = and_(_R.Time == behind.time, _R.ResultId > behind.number)
        statement = statement.where(or_(_R.Time > behind.time, later))
    return dicts(connection, statement.order_by(_R.Time, _R.ResultId).limit(CAR_ROWS + 1))


def car_screws(connection: Connection, vin: str) -> rates.Attempts:
    """Return the screws of a car, of all its results."""
    where = (*t.PLACE, "Program", "Spindle")
    statement = select(*[_R[name] for name in where], _R.Overall).where(*which(connection, ResultFilter(vin=vin)))
    rows = connection.execute(statement.order_by(_R.Time, _R.ResultId))
    return rates.screws_of([(tuple(row[:-1]), row[-1]) for row in rows])


def car_count(connection: Connection, vin: str) -> tuple[int, int]:
    """Return how many results have this VIN, and how many of them were not OK."""
    statement = select(func.count(), func.sum(_R.Overall)).where(*which(connection, ResultFilter(vin=vin)))
    row = connection.execute(statement).one()
    return row[0], int(row[1] or 0)


def cars_like(connection: Connection, part: str, no_car: Placeholders) -> list[dict]:
    """Return the first cars whose VIN begins or ends with `part`, and how many results they have."""
    vins = [vin for vin in vehicle_numbers.matching(connection, part, CARS) if vin not in no_car]
    statement = select(_R.VIN, func.count(), func.sum(_R.Overall), func.max(_R.Time)).where(_R.VIN.in_(vins))
    figures = {row[0]: tuple(row[1:]) for row in connection.execute(statement.group_by(_R.VIN))}
    names = ("VIN", "Results", "NOK", "Time")
    return [dict(zip(names, (vin, *figures.get(vin, (0, 0, None))), strict=True)) for vin in vins]


def named_stations(connection: Connection, text: str) -> list[dict]:
    """Return the stations whose name contains this."""
    statement = select(*t.STATION.columns).where(func.lower(_S.Name).contains(text.lower(), autoescape=True))
    return dicts(connection, statement.order_by(_S.Name).limit(CARS))


def neighbours(connection: Connection, result: dict) -> dict:
    """Return the numbers of the station's results before and after this one by its clock, and of its telegram's."""
    here = t.is_row(t.RESULT, t.PLACE, [result[name] for name in t.PLACE])
    moment, number = result["Time"], result["ResultId"]
    statement = select(_R.ResultId).where(here, _R.Time >= moment, or_(_R.Time > moment, _R.ResultId > number))
    later = connection.execute(statement.order_by(_R.Time, _R.ResultId).limit(1)).scalar()
    statement = select(_R.ResultId).where(here, _behind(_R.Time, _R.ResultId, PagePosition(moment, number)))
    earlier = connection.execute(statement.order_by(_R.Time.desc(), _R.ResultId.desc()).limit(1)).scalar()
    same = t.is_row(t.RESULT, t.RESULT_KEY, key_of(connection, number))
    statement = select(_R.ResultId, _R.Spindle, _R.Overall).where(same).order_by(_R.Spindle)
    return {"Earlier": earlier, "Later": later, "Spindles": dicts(connection, statement)}


def days(connection: Connection, key: Station, day: str | None) -> dict:
    """Return the day to show (by default the latest with results), and the days with results around it."""
    here = t.is_row(t.RESULT, t.RESULT_KEY, key)

    def one(statement) -> str | None:
        time = connection.execute(statement.where(here)).scalar()
        return time[:8] if time else None

    newest = select(func.max(_R.Time))
    chosen = day or one(newest.where(_R.Time < _soon())) or one(newest)
    if chosen is None:
        return {"Day": None, "Earlier": None, "Later": None}
    earlier = one(select(func.max(_R.Time)).where(_R.Time < chosen))
    return {"Day": chosen, "Earlier": earlier, "Later": one(select(func.min(_R.Time)).where(_R.Time >= chosen + "a"))}


def newest(connection: Connection, key: Station, program: int | None, spindle: int | None) -> tuple | None:
    """Return time, spindle and program of a station's latest result, of this program and spindle if given.

    In the quarter of an hour that its sums name: all results of a station are read for a program that it does not have.
    """
    statement = select(_R.Time, _R.Spindle, _R.Program).where(t.is_row(t.RESULT, t.RESULT_KEY, key))
    quarter = select(func.max(_Q.Slot)).where(t.is_row(t.QUARTER, t.PLACE, key))
    for name, value in (("Program", program), ("Spindle", spindle)):
        if value is not None:
            statement, quarter = statement.where(_R[name] + 0 == value), quarter.where(_Q[name] == value)
    soon = connection.execute(quarter.where(_Q.Slot < _soon())).scalar()
    slot = soon or connection.execute(quarter).scalar()
    if slot is None:
        return None
    there = _R.Time < (min(end_of(slot), _soon()) if soon else end_of(slot))
    row = connection.execute(statement.where(_R.Time >= slot, there).order_by(*_NEWEST).limit(1)).first()
    return tuple(row) if row else None


def like(connection: Connection, result: dict, most: int, only_ok: bool) -> list[int]:
    """Return numbers of results with curves: this one and those before it of its program and units, at most `most`."""
    here = t.is_row(t.RESULT, t.RESULT_KEY, [result[name] for name in t.RESULT_KEY[:3]])
    same = and_(is_program(result["Program"], is_few=True), _R.Spindle == result["Spindle"], here)
    until = or_(_R.Time < result["Time"], and_(_R.Time == result["Time"], _R.ResultId <= result["ResultId"]))
    wanted = select(*[_R[name] for name in ("ResultId", *t.GRAPH_KEY[:6])]).where(
        same, _R.Time <= result["Time"], until
    )
    wanted = wanted.where(_R.TorqueUnit == result["TorqueUnit"], _R.AngleUnit == result["AngleUnit"])
    if only_ok:
        wanted = wanted.where(or_(_R.Overall == 0, _R.ResultId == result["ResultId"]))
    some = wanted.order_by(*_NEWEST).limit(LOOKED_THROUGH).subquery()
    curve = and_(*[t.GRAPH.c[name] == some.c[name] for name in t.GRAPH_KEY[:6]])
    statement = (
        select(some.c.ResultId).where(exists().where(curve)).order_by(some.c.Time.desc(), some.c.ResultId.desc())
    )
    return list(connection.execute(statement.limit(most)).scalars())


def newest_time(connection: Connection) -> str | None:
    """Return the time of the latest result."""
    statement = select(func.max(_R.Time))
    return connection.execute(statement.where(_R.Time < _soon())).scalar() or connection.execute(statement).scalar()


def _soon() -> str:
    """Return a time that only a wrong clock has passed: results stamped with it do not stay the latest for ever."""
    return rows.time_text(FAST_S)


def nok_counts(connection: Connection, wanted: ResultFilter) -> list[dict]:
    """Return how many were not OK by station, program, tool and statuses, with names."""
    by = (_R.SystemType, _R.System, _R.Station, _R.Program, _R.SpindleSerial)
    by = (*by, _R.TorqueStatus, _R.AngleStatus, _R.TimeStatus)
    statement = select(*by, func.count().label("count")).where(*which(connection, replace(wanted, nok=True)))
    one = statement.group_by(*by).subquery().c
    there = [t.PROGRAM.c[name] == one[name] for name in (*t.PLACE, "Program")]
    station = select(_S.Name).where(t.belongs(one, t.STATION)).scalar_subquery()
    named = select(func.max(t.PROGRAM.c.Name)).where(*there).scalar_subquery()
    return dicts(connection, select(*one, station.label("StationName"), named.label("ProgramName")))


def program_names(connection: Connection, key: Station) -> dict[tuple[int, int], str]:
    """Return the names of a station's programs by spindle and number."""
    columns = t.PROGRAM.c
    statement = select(columns.Spindle, columns.Program, columns.Name).where(t.is_row(t.PROGRAM, t.RESULT_KEY, key))
    statement = statement.order_by(columns.Spindle, columns.Program).limit(PROGRAMS)
    return {(row[0], row[1]): row[2] for row in connection.execute(statement)}


def choices(connection: Connection) -> dict[str, list]:
    """Return what filters offer: stations by address and name, programs by number and name, causes."""
    place = (_S.SystemType, _S.System, _S.Station)
    rows = connection.execute(select(*place, _S.Name).order_by(_S.Heard.desc(), *place).limit(STATIONS))
    stations = [("/".join(map(str, row[:3])), row[3]) for row in rows]
    columns = t.PROGRAM.c
    named = select(columns.Program, func.min(columns.Name)).group_by(columns.Program).order_by(columns.Program)
    programs = [tuple(row) for row in connection.execute(named.limit(PROGRAMS))]
    return {"station": sorted(stations), "program": programs, "cause": [(one, "") for one in rates.CAUSES]}


def events(connection: Connection, key: Station | None, behind: PagePosition | None, most: int = ROWS) -> list[dict]:
    """Return a page of events, newest first, with their parameters, and one more if there is another page."""
    columns = [func.abs(one).label("Sequence") if one is _E.Sequence else one for one in t.EVENT.columns]
    statement = select(*columns, _S.Name.label("StationName")).outerjoin(t.STATION, t.belongs(_E, t.STATION))
    if key is not None:
        statement = statement.where(t.is_row(t.EVENT, t.PLACE, key))
    raw_events = page(connection, statement, _E.EventId, None if key is None else _E.Time, behind, most)
    rows = [{**row, "Parameters": []} for row in raw_events]
    by_number = {row["EventId"]: row for row in rows}
    statement = select(t.EVENT_PARAMETER).where(t.EVENT_PARAMETER.c.EventId.in_(list(by_number)))
    for row in dicts(connection, statement):
        by_number[row.pop("EventId")]["Parameters"].append(row)
    return rows


def _behind(time: ColumnElement, number: ColumnElement, behind: PagePosition) -> ColumnElement[bool]:
    """The condition to be further down a list by time and number, newest first; the first term lets an index serve."""
    return and_(time <= behind.time, or_(time < behind.time, number < behind.number))
