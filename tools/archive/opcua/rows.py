"""What the OPC UA server asks the database: stations, results with all their parts, events, curves.

Rules
1. Each query is bounded by a number of rows and has the deadline of tools.archive.web.reading.
2. What is new is found by its number: numbers rise in the order of the commits (tools.archive.known).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, select, tuple_

from tools.archive import queries
from tools.archive import tables as t
from tools.archive.opcua.results import Key

_R, _G, _E, _S = t.RESULT.c, t.GRAPH.c, t.EVENT.c, t.STATION.c
_RESULT_KEY = tuple_(*[_R[name] for name in t.RESULT_KEY])
SPINDLES_MOST = 100  # of a station: each is a tool with nodes of its own

Station = tuple[int, int, int]


@dataclass(frozen=True)
class Place:
    """A station in the map."""

    station: Station
    name: str
    system: str
    kind: str
    spindles: tuple[tuple[int, str], ...]  # number and name


def places(connection: Connection, most: int) -> list[Place]:
    """Return up to `most` stations in order of their numbers."""
    kinds = dict(tuple(row) for row in connection.execute(select(t.SYSTEM_TYPE.c.SystemType, t.SYSTEM_TYPE.c.Name)))
    asked = select(t.SYSTEM.c.SystemType, t.SYSTEM.c.System, t.SYSTEM.c.Name)
    systems = {(kind, system): name for kind, system, name in connection.execute(asked)}
    spindles: dict[Station, list[tuple[int, str]]] = {}
    p = t.SPINDLE.c
    for *station, number, name in connection.execute(
        select(p.SystemType, p.System, p.Station, p.Spindle, p.Name).order_by(p.Spindle)
    ):
        spindles.setdefault((station[0], station[1], station[2]), []).append((number, name))
    asked = select(_S.SystemType, _S.System, _S.Station, _S.Name).order_by(_S.SystemType, _S.System, _S.Station)
    return [
        Place(
            (kind, system, station),
            name,
            systems.get((kind, system), ""),
            kinds.get(kind, ""),
            tuple(spindles.get((kind, system, station), [(1, "")])[:SPINDLES_MOST]),
        )
        for kind, system, station, name in connection.execute(asked.limit(most))
    ]


def newest_numbers(connection: Connection) -> dict[str, int]:
    """Return the last number of results, curves and events."""
    return {
        name: connection.execute(select(func.max(table.primary_key.columns[0]))).scalar() or 0
        for name, table in (("result", t.RESULT), ("graph", t.GRAPH), ("event", t.EVENT))
    }


def whole(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return these rows of Result with their VINs, parameters and curves."""
    keys = {tuple(row[name] for name in t.RESULT_KEY) for row in rows}
    asked = select(func.min(_R.ResultId), *[_R[name] for name in t.RESULT_KEY]).where(_RESULT_KEY.in_(list(keys)))
    first = {tuple(key): number for number, *key in connection.execute(asked.group_by(*[_R[n] for n in t.RESULT_KEY]))}
    vins = _below(connection, t.RESULT_VIN, first.values())
    parameters = _below(connection, t.RESULT_PARAMETER, first.values())
    graphs: dict[tuple, list[dict]] = {}
    same = tuple_(*[_G[name] for name in t.RESULT_KEY]).in_(list(keys))
    for graph in connection.execute(select(*t.GRAPH.columns).where(same).order_by(_G.GraphType)).mappings():
        place = (*[graph[name] for name in t.RESULT_KEY], graph["Spindle"])
        graphs.setdefault(place, []).append(dict(graph))
    found = []
    for row in rows:
        key = tuple(row[name] for name in t.RESULT_KEY)
        number = first.get(key, row["ResultId"])
        more = {"VINs": vins.get(number, []), "Parameters": parameters.get(number, [])}
        found.append({**row, **more, "Graphs": graphs.get((*key, row["Spindle"]), [])})
    return found


def _below(connection: Connection, table: Table, numbers: Iterable[int]) -> dict[int, list[dict]]:
    found: dict[int, list[dict]] = {}
    for row in connection.execute(select(*table.columns).where(table.c.ResultId.in_(list(numbers)))).mappings():
        found.setdefault(row["ResultId"], []).append(dict(row))
    return found


def arrived_behind(connection: Connection, number: int, most: int) -> list[dict[str, Any]]:
    """Return the next results after this number, oldest first, whole."""
    return _whole(connection, _wanted().where(_R.ResultId > number).order_by(_R.ResultId).limit(most))


def numbered(connection: Connection, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Return the results with these numbers, whole, in order."""
    return _whole(connection, _wanted().where(_R.ResultId.in_(list(numbers))).order_by(_R.ResultId))


def named(connection: Connection, key: Key) -> dict[str, Any] | None:
    """Return the result with this key; None if it is not here."""
    found = _whole(connection, _wanted().where(t.is_row(t.RESULT, (*t.RESULT_KEY, "Spindle"), key)))
    return found[0] if found else None


def numbers_of(connection: Connection, keys: Iterable[Key]) -> dict[Key, int]:
    """Return the numbers of those results that are here."""
    columns = [_R[name] for name in (*t.RESULT_KEY, "Spindle")]
    asked = select(_R.ResultId, *columns).where(tuple_(*columns).in_(list(keys)))
    return {(k[0], k[1], k[2], k[3], k[4], k[5]): number for number, *k in connection.execute(asked)}


def latest(connection: Connection, station: Station) -> dict[str, Any] | None:
    """Return the station's latest result by its clock, for which there is an index."""
    found = _whole(connection, _wanted().where(_is_of(station)).order_by(_R.Time.desc(), _R.ResultId.desc()).limit(1))
    return found[0] if found else None


def graphs_behind(connection: Connection, number: int, most: int) -> list[tuple[int, Key]]:
    """Return the next curves after this number: each one's number and its result's key."""
    columns = [_G[name] for name in (*t.RESULT_KEY, "Spindle")]
    asked = select(_G.GraphId, *columns).where(_G.GraphId > number).order_by(_G.GraphId).limit(most)
    return [(found, (k[0], k[1], k[2], k[3], k[4], k[5])) for found, *k in connection.execute(asked)]


def events_behind(connection: Connection, number: int, most: int) -> list[dict[str, Any]]:
    """Return the next events after this number with their parameters."""
    asked = select(*t.EVENT.columns).where(_E.EventId > number).order_by(_E.EventId).limit(most)
    rows = [dict(row) for row in connection.execute(asked).mappings()]
    p = t.EVENT_PARAMETER.c
    parameters: dict[int, list[dict]] = {}
    wanted = select(*t.EVENT_PARAMETER.columns).where(p.EventId.in_([row["EventId"] for row in rows]))
    for one in connection.execute(wanted.order_by(p.ParameterId)).mappings():
        parameters.setdefault(one["EventId"], []).append(dict(one))
    return [{**row, "Parameters": parameters.get(row["EventId"], [])} for row in rows]


def numbers_behind(connection: Connection, station: Station, number: int, most: int) -> list[int]:
    """Return the numbers of the station's next results after this one."""
    asked = select(_R.ResultId).where(_is_of(station), _R.ResultId > number).order_by(_R.ResultId).limit(most)
    return list(connection.execute(asked).scalars())


def requested(
    connection: Connection,
    station: Station,
    sequences: tuple[int, int] | None,
    times: tuple[str, str] | None,
    behind: int,
    most: int,
) -> list[dict[str, Any]]:
    """Return the station's results of these sequences, or of these times, after this number, whole.

    Sequences start again after 99999: the newest result with each is meant.
    """
    asked = _wanted().where(_is_of(station), _R.ResultId > behind)
    if sequences is not None:
        newer = t.RESULT.alias()
        same = and_(*[newer.c[name] == _R[name] for name in t.RESULT_KEY[:4]])
        newest = select(func.max(newer.c.Time)).where(same).correlate(t.RESULT).scalar_subquery()
        asked = asked.where(_R.Sequence.between(*sequences), _R.Time == newest)
    elif times is not None:
        asked = asked.where(_R.Time >= times[0], _R.Time <= times[1])
    return _whole(connection, asked.order_by(_R.ResultId).limit(most))


def filtered(
    connection: Connection, station: Station, wanted: ColumnElement[bool], order: Sequence[Any], most: int
) -> list[dict[str, Any]]:
    """Return what identifies the station's wanted results, newest first if no order is given."""
    asked = select(*[_R[name] for name in (*t.RESULT_KEY, "Spindle")]).where(_is_of(station), wanted)
    columns = list(order) or [_R.ResultId.desc()]
    return [dict(row) for row in connection.execute(asked.order_by(*columns).limit(most)).mappings()]


def _is_of(station: Station) -> Any:
    return t.is_row(t.RESULT, t.RESULT_KEY, station)


def _wanted() -> Select:
    return queries.wanted_results(queries.Wanted())


def _whole(connection: Connection, asked: Select) -> list[dict[str, Any]]:
    rows = [dict(row) for row in connection.execute(asked).mappings()]
    return whole(connection, rows) if rows else []
