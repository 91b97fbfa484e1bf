"""What is done to an archive that is not being served: results lost on purpose, results taken from another one."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, delete, func, insert, select, update

from tools.archive import database
from tools.archive import tables as t

_AT_ONCE = 500


def forget_newest(place: str, newest: int) -> int:
    """Lose the newest results and what belongs to them; how many were there to lose."""
    with database.writing(place) as engine, engine.begin() as connection:
        number = t.RESULT.c.ResultId
        asked = select(number).order_by(number.desc()).limit(newest)
        gone = [row[0] for row in connection.execute(asked)]
        for first in range(0, len(gone), _AT_ONCE):
            some = gone[first : first + _AT_ONCE]
            for table in (t.RESULT_VIN, t.RESULT_PARAMETER, t.RESULT):
                connection.execute(delete(table).where(table.c.ResultId.in_(some)))
        _say_latest(connection)
    return len(gone)


def take_from(place: str, source: str, progress: Callable[[float], None]) -> dict[str, int]:
    """Copy the results of another archive that this one has not; how many were taken and how many were there."""
    other = database.connect(source, writes=False)
    told = {"taken": 0, "again": 0}
    try:
        with database.writing(place) as engine, other.connect() as reading, engine.begin() as connection:
            for table in (t.SYSTEM_TYPE, t.SYSTEM, t.STATION, t.SPINDLE, t.PROGRAM):
                _take_map(reading, connection, table)
            count = reading.execute(select(func.count()).select_from(t.RESULT)).scalar() or 0
            done = 0
            rows = reading.execution_options(yield_per=_AT_ONCE).execute(select(t.RESULT).order_by(t.RESULT.c.ResultId))
            for some in rows.mappings().partitions():
                _take_some(reading, connection, [dict(row) for row in some], told)
                done += len(some)
                progress(done / count)
            _say_latest(connection)
    finally:
        other.dispose()
    return told


def _take_map(reading: Connection, connection: Connection, table) -> None:
    key = list(table.primary_key.columns)
    known = {tuple(row) for row in connection.execute(select(*key))}
    rows = [dict(row) for row in reading.execute(select(table)).mappings()]
    new = [row for row in rows if tuple(row[column.name] for column in key) not in known]
    if new:
        connection.execute(insert(table), new)


def _take_some(reading: Connection, connection: Connection, some: list[dict], told: dict[str, int]) -> None:
    names = (*t.RESULT_KEY, "Spindle")
    keys = [tuple(row[name] for name in names) for row in some]
    known = t.known_keys(connection, t.RESULT, names, keys)
    number = connection.execute(select(func.max(t.RESULT.c.ResultId))).scalar() or 0
    new: dict[int, int] = {}
    rows = []
    for row, key in zip(some, keys, strict=True):
        if key in known:
            told["again"] += 1
            continue
        number += 1
        new[row["ResultId"]] = number
        rows.append({**row, "ResultId": number})
    if not rows:
        return
    told["taken"] += len(rows)
    connection.execute(insert(t.RESULT), rows)
    for table in (t.RESULT_VIN, t.RESULT_PARAMETER):
        asked = select(table).where(table.c.ResultId.in_(list(new)))
        theirs = [{**row, "ResultId": new[row["ResultId"]]} for row in reading.execute(asked).mappings()]
        if theirs:
            connection.execute(insert(table), theirs)


def _say_latest(connection: Connection) -> None:
    """The latest sequences of all stations, as the rows have them now."""
    for table, column in ((t.RESULT, "Result"), (t.EVENT, "Event")):
        number = table.primary_key.columns[0]
        newest = select(func.max(number)).group_by(table.c.SystemType, table.c.System, table.c.Station)
        asked = select(table.c.SystemType, table.c.System, table.c.Station, table.c.Sequence).where(number.in_(newest))
        connection.execute(update(t.STATION).values(**{column: 0}))
        for row in connection.execute(asked).fetchall():
            there = t.is_row(t.STATION, t.RESULT_KEY, row[:3])
            connection.execute(update(t.STATION).where(there).values(**{column: row[3]}))
