"""What commands and pages ask an archive; everything here is read-only.

Rules
1. A time is the station's own unless it is named `arrived`. A span is [from, to), each given by the first of the 14
   digits: `20261121` is a day.
2. Rows are dicts by column name, with the map's names beside its numbers.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, and_, func, or_, select

from toolcart.archive.database import tables as t
from toolcart.archive.database import vehicle_numbers
from toolcart.archive.database.tables import Station
from toolcart.toolsnet.rows import DEGREES, NM
from toolcart.trace.curves import Curve

PAGE_ROWS = 500
GRAPHS = {0: ("torque", NM, "TorqueUnit"), 1: ("angle", DEGREES, "AngleUnit")}  # TN 5.13
_TIME = re.compile(  # 20261121 or 2026-11-21T14:30:00, to the second or to any part before it
    r"\d{4}(?:[-.]?(?:0[1-9]|1[0-2])(?:[-.]?(?:0[1-9]|[12]\d|3[01])"
    r"(?:[T ]?(?:[01]\d|2[0-3])(?::?[0-5]\d(?::?[0-5]\d)?)?)?)?)?",
    re.ASCII,
)
_DAY = re.compile(r"\d{4}-?\d\d-?\d\d", re.ASCII)  # also one that no calendar has, as odd stations send it
_R = t.RESULT.c


def station_of(text: str) -> Station | None:
    """Read type/system/station, each of four digits at most, or the last alone; None if it is something else."""
    parts = text.split("/")
    if len(parts) == 1:
        parts = ["3", "1", *parts]
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 5 for part in parts):
        return None
    return (int(parts[0]), int(parts[1]), int(parts[2]))


def digits_of(text: str, is_day: bool = False) -> str | None:
    """Return the digits of a time or of its beginning, `is_day`: of a day; None if it is none."""
    fits = (_DAY if is_day else _TIME).fullmatch(text.strip())
    return "".join(c for c in text if c.isdigit()) if fits else None


@dataclass(frozen=True)
class ResultFilter:
    """Which results, of a span of time [from_time, to_time); None: any.

    An `a` behind the digits of `to_time` includes all that begins so.
    """

    station: Station | None = None
    spindle: int | None = None
    program: int | None = None
    from_time: str | None = None
    to_time: str | None = None
    tool: str | None = None  # its serial number
    vin_from: str | None = None
    vin_to: str | None = None  # including what begins with it
    vin: str | None = None  # whole; the main or an additional one
    vins: tuple[str, ...] | None = None  # any of these
    nok: bool = False
    tightening_id: int | None = None
    units: tuple[str, str] | None = None  # of torque and angle
    statuses: Station | None = None  # of torque, angle and time; one that was not sent counts as 0


def results(connection: Connection, wanted: ResultFilter, limit: int | None = PAGE_ROWS) -> Iterator[dict]:
    """Yield the wanted results, newest arrival first."""
    statement = wanted_results(connection, wanted).order_by(_R.ResultId.desc())
    if limit is not None:
        statement = statement.limit(limit)
    for row in connection.execution_options(yield_per=1000).execute(statement).mappings():
        yield dict(row)


def dicts(connection: Connection, statement: Select) -> list[dict]:
    """Return the answer's rows as dicts by column name."""
    return [dict(row) for row in connection.execute(statement).mappings()]


def wanted_results(connection: Connection, wanted: ResultFilter) -> Select:
    """Return the query for them, not yet ordered, with the map's names beside the numbers."""
    texts = func.aggregate_strings(t.REMARK.c.Who.concat(": ").concat(t.REMARK.c.Text), "; ")
    remarks = select(texts).where(t.REMARK.c.ResultId == _R.ResultId).scalar_subquery().label("Remarks")
    names = (t.STATION.c.Name.label("StationName"), t.PROGRAM.c.Name.label("ProgramName"))
    statement = select(*t.SHOWN, *names, remarks)
    for table in (t.STATION, t.PROGRAM):
        statement = statement.outerjoin(table, t.belongs(_R, table))
    return statement.where(*which(connection, wanted))


def which(connection: Connection, wanted: ResultFilter, *span: str) -> list[ColumnElement[bool]]:
    """The conditions that a result is wanted; `span`: since and until in place of those of `wanted`."""
    since, until = span or (wanted.from_time, wanted.to_time)
    time: ColumnElement[str] = _R.Time
    place: list[ColumnElement[int]] = [_R[name] for name in t.PLACE]
    here: list[ColumnElement[bool]] = []
    if wanted.vin_from or wanted.vin_to:
        first, last = wanted.vin_from or "", wanted.vin_to or ""
        here.append(vehicle_numbers.between(connection, _R.VIN, first, last))
        if vehicle_numbers.are_few(connection, first, last):  # by the cars' index, whatever span of time is asked for
            time, place = time.op("||")(""), [column + 0 for column in place]
    if wanted.station is not None:
        here += [column == number for column, number in zip(place, wanted.station, strict=True)]
    if since is not None:
        here.append(time >= since)
    if until is not None:
        here.append(time < until)
    if wanted.program is not None:
        here.append(is_program(wanted.program, wanted.nok or wanted.station is not None))
    for column, value in (
        (_R.Spindle, wanted.spindle),
        (_R.SpindleSerial, wanted.tool),
        (_R.TighteningId, wanted.tightening_id),
        *zip((_R.TorqueUnit, _R.AngleUnit), wanted.units or (), strict=False),
    ):
        if value is not None:
            here.append(column == value)
    if wanted.nok:
        here.append(t.IS_NOK)  # only 0 and 1 exist (toolcart.toolsnet.rows), and there is an index
    for vins in ((wanted.vin,) if wanted.vin is not None else None, wanted.vins):
        if vins is not None:
            here.append(_R.ResultId.in_(_of_cars(vins)))
    if wanted.statuses is not None:
        statuses = (_R.TorqueStatus, _R.AngleStatus, _R.TimeStatus)
        for one, status in zip(statuses, wanted.statuses, strict=True):  # so PostgreSQL knows how many there are
            here.append(one == status if status else or_(one == 0, one.is_(None)))
    return here


def is_program(program: int, is_few: bool) -> ColumnElement[bool]:
    """The condition that a result is of this program; of one station or of what is not OK without the index of all."""
    return (_R.Program + 0 if is_few else _R.Program) == program


def _of_cars(vins: tuple[str, ...]) -> CompoundSelect:
    """Numbers of the rows with one of these VINs; an additional VIN of a telegram's first row counts for all."""
    first, each = t.RESULT.alias(), t.RESULT.alias()
    same = and_(*[first.c[name] == each.c[name] for name in t.RESULT_KEY])
    others = select(each.c.ResultId).select_from(t.RESULT_VIN).join(first, first.c.ResultId == t.RESULT_VIN.c.ResultId)
    others = others.join(each, same).where(t.RESULT_VIN.c.VIN.in_(vins))
    return select(_R.ResultId).where(_R.VIN.in_(vins)).union(others)


def result(connection: Connection, number: int, bolt: int | None = None) -> dict | None:
    """Return one result with its VINs, parameters and graphs; None if no result has this number.

    `Bolts` are the spindles of curves that came with it though no row of it has them: a fixtured system has curves of
    each bolt, and may have one result of all. The graphs are those of `bolt`, else of the result's spindle.
    """
    row = connection.execute(wanted_results(connection, ResultFilter()).where(_R.ResultId == number)).mappings().first()
    if row is None:
        return None
    details = dict(row)
    key = key_of(connection, number)
    rows = t.is_row(t.RESULT, t.RESULT_KEY, key)
    whole = connection.execute(select(func.min(_R.ResultId)).where(rows)).scalar()  # what VINs and parameters belong to
    vin, parameter = t.RESULT_VIN.c, t.RESULT_PARAMETER.c
    statement = select(vin.Identifier, vin.VIN).where(vin.ResultId == whole)
    details["VINs"] = dicts(connection, statement.order_by(vin.Identifier))
    columns = [column for column in parameter if not column.primary_key]
    statement = select(*columns).where(parameter.ResultId == whole)
    details["Parameters"] = dicts(connection, statement.order_by(parameter.Number))
    curves_of, rows_of = (
        set(connection.execute(select(table.c.Spindle).where(t.is_row(table, t.RESULT_KEY, key))).scalars())
        for table in (t.GRAPH, t.RESULT)
    )
    details["Bolts"] = sorted(curves_of - rows_of)
    of = details["Spindle"] if bolt is None else bolt
    same = t.is_row(t.GRAPH, (*t.RESULT_KEY, "Spindle"), (*key, of))
    details["Graphs"] = dicts(connection, select(t.GRAPH).where(same).order_by(t.GRAPH.c.GraphType))
    return details


def key_of(connection: Connection, number: int) -> tuple:
    """Return what a telegram's rows and curves have in common (RESULT_KEY); what is shown may be another sequence."""
    return tuple(connection.execute(select(*[_R[name] for name in t.RESULT_KEY]).where(_R.ResultId == number)).one())


def curves(details: dict) -> dict[str, Curve]:
    """Return a result's curves by what they are of, without those that have no scale.

    A telegram 13 has no unit: where the result has another one than the document's, that of its curve is unknown.
    """
    named = {}
    for graph in details["Graphs"]:
        times_ms, values = samples(graph)
        if values:
            name, unit, of_result = GRAPHS.get(graph["GraphType"], ("another", "", ""))
            is_usual = not unit or details[of_result] == unit
            named[name] = Curve(name, unit if is_usual else "", values, times_ms, graph["LimitMin"], graph["LimitMax"])
    return named


def samples(graph: dict) -> tuple[list[float], list[float]]:
    """Return a graph's times in ms and its values: 2^shift x Dom / Nom x sample (TN 5.13); none if it has no scale."""
    octets, shift, step_ms = graph["Samples"], graph["BitShift"], graph["SampleMs"]
    dom, nom = graph["FactorDom"], graph["FactorNom"]
    has_scale = nom and abs(shift) <= t.SHIFT_MOST and max(abs(nom), abs(dom)) <= t.FACTOR_MOST
    if not has_scale or step_ms is None:
        return [], []
    dom *= 2.0**shift
    values = [sample * dom / nom for (sample,) in struct.iter_unpack(">h", octets[: len(octets) // 2 * 2])]
    return [index * step_ms for index in range(len(values))], values
