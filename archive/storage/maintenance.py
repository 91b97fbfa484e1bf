"""Changes to an archive: results lost on purpose, imported from another one, moved out, at once or while it serves.

Rules of moving while it serves
1. Some rows at a time, then a pause. A row is on the disk there before the writer deletes it here, between two batches.
2. A run that fails or is cut off loses nothing: the next one goes on.
3. Of several servers only one does it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DataError, IntegrityError

from toolcart.archive.database import audit, bulk_insert, database, rollups, vehicle_numbers
from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import dicts
from toolcart.archive.database.tables import Station
from toolcart.archive.storage.stored_results import StoredResult, StoredResults
from toolcart.archive.storage.writer import ArchiveEnding, Writer
from toolcart.toolsnet import rows
from toolcart.toolsnet.records import is_behind

_AT_ONCE = 500
LEFT_MOST = 100  # rows that are named; all are counted


def forget_newest(place: str, newest: int) -> int:
    """Lose the newest results, and the events and curves that came with them or later; return how many results."""
    with database.writing(place, makes=False) as engine, engine.begin() as connection:
        number = t.RESULT.c.ResultId
        statement = select(t.RESULT).order_by(number.desc()).limit(newest)
        gone = dicts(connection, statement)
        for first in range(0, len(gone), _AT_ONCE):
            some = [row["ResultId"] for row in gone[first : first + _AT_ONCE]]
            for table in (t.REMARK, t.RESULT_VIN, t.RESULT_PARAMETER, t.RESULT):
                connection.execute(delete(table).where(table.c.ResultId.in_(some)))
        if gone:
            rollups.again(connection, rollups.places_of(gone))
            _forget_since(connection, gone[-1]["Arrived"])
        _set_latest(connection)
        _forget_consumed(connection, gone)
        audit.note(connection, f"forget: the newest {len(gone)} results")
    return len(gone)


def set_watched(place: str, station: Station, watched: int) -> bool:
    """Watch a station from now on, or remove it from the map (tables.WATCHED, REMOVED); False if it never reported.

    The archive may be served meanwhile.
    """
    engine = database.for_changes(place)
    try:
        with database.in_words(place), engine.begin() as connection:
            there = t.is_row(t.STATION, t.PLACE, station)
            is_there = connection.execute(update(t.STATION).where(there).values(Watched=watched)).rowcount == 1
            if is_there:
                what = "watched" if watched == t.WATCHED else "removed from the map"
                audit.note(connection, f"station {'/'.join(map(str, station))}: {what}")
    finally:
        engine.dispose()
    return is_there


def _forget_since(connection: Connection, arrived: str) -> None:
    later = select(t.EVENT.c.EventId).where(t.EVENT.c.Arrived >= arrived)
    connection.execute(delete(t.EVENT_PARAMETER).where(t.EVENT_PARAMETER.c.EventId.in_(later)))
    for table in (t.EVENT, t.GRAPH):
        connection.execute(delete(table).where(table.c.Arrived >= arrived))


def _forget_consumed(connection: Connection, gone: list[dict]) -> None:
    """Set back how far batches are stored, so that what is gone is sent again.

    Rows can be in another order than the numbers of the batches: what came by ToolsNet first is in front of older
    results that a batch brought later. So what counts is the lowest number that is gone. What stays with a higher one
    came by telegram, and is as if its line had not come: a line without an ID finds it by that.
    """
    first: dict[tuple, int] = {}
    for row in gone:
        if row["Number"] is not None:
            station = tuple(row[name] for name in t.PLACE)
            first[station] = min(max(row["Number"], 1), first.get(station, row["Number"] + 1))
    for station, lowest in first.items():
        here = t.is_row(t.RESULT, t.PLACE, station)
        above = and_(here, t.FROM_TOOLSNET, t.RESULT.c.Number >= lowest)
        arrivals = case((t.RESULT.c.Arrivals > 1, t.RESULT.c.Arrivals - 1), else_=t.RESULT.c.Arrivals)
        connection.execute(update(t.RESULT).where(above).values(Number=None, Arrivals=arrivals))
        consumed = dicts(connection, select(t.CONSUMED).where(t.is_row(t.CONSUMED, t.PLACE, station)))
        for one in consumed:
            if one["Sequence"] >= lowest:
                others = max((other["Sequence"] for other in consumed if other is not one), default=0)
                now = _set_back(one, lowest, others)
                there = t.is_row(t.CONSUMED, ("Topic", "Identity"), (one["Topic"], one["Identity"]))
                connection.execute(update(t.CONSUMED).where(there).values(**now))


def _set_back(one: dict, lowest: int, others: int) -> dict[str, int]:
    """Return how far batches of a spool are stored in front of this Number of its station.

    The base of now tells which line had that Number if it is the one that the spool began with: the Number at which
    the `others` ended. Where it has moved, because results were known already or came from several spools in turn,
    it is that of the last line alone; then all are to be sent again, and those that stayed are repeats.
    """
    before = lowest - 1
    number = min(one["Number"], max(0, before - one["Base"])) if one["Base"] == others else 0
    return {"Number": number, "Base": before - number, "Sequence": before}


def take_from(place: str, source: str, progress: Callable[[float], None]) -> dict[str, Any]:
    """Copy the results, events and graphs of another archive that this one lacks.

    Return how many rows of results were taken and were there already, how many events and graphs were taken, and how
    many rows this database does not take; `left` says which of them, and why, up to LEFT_MOST.
    """
    other = database.connect(source, writes=False)
    counts: dict[str, Any] = {"taken": 0, "again": 0, "events": 0, "graphs": 0, "failed": 0, "left": []}
    try:
        with database.writing(place) as engine, other.connect() as reading, engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")  # the driver would let the first savepoint be the transaction
            latest = _latest_numbers(connection)
            _take_map(reading, connection)
            count = sum(reading.execute(select(func.count()).select_from(kind.table)).scalar() or 0 for kind in _KINDS)
            done = 0
            names: Names = {}
            for kind in _KINDS:
                statement = select(kind.table).order_by(*kind.table.primary_key.columns)
                rows = reading.execution_options(yield_per=_AT_ONCE).execute(statement)
                for some in rows.mappings().partitions():
                    taken, left = _take_one_by_one(reading, connection, kind, [dict(row) for row in some], names)
                    counts[kind.counter] += taken
                    counts["failed"] += len(left)
                    counts["left"] += left[: LEFT_MOST - len(counts["left"])]
                    if kind.table is t.RESULT:
                        counts["again"] += len(some) - taken - len(left)
                    done += len(some)
                    progress(done / count)
            _set_latest(connection, latest)
            _take_missing(reading, connection, t.CONTROL_LIMITS, bulk_insert.columns(t.CONTROL_LIMITS))
            _take_missing(
                reading, connection, t.CONSUMED, t.CONSUMED.primary_key.columns.keys()
            )  # so that its batches need not be sent again
            what = (
                f"import of {database.without_password(source)}: {counts['taken']} results, {counts['events']} events"
            )
            audit.note(connection, f"{what}, {counts['graphs']} curves")
    finally:
        other.dispose()
    return counts


Names = dict[tuple, int]  # sequences here, by the key there, of results that have another one


@dataclass(frozen=True)
class AgeLimits:
    """What is old: what arrived before `before`, and OK results that arrived before `ok_before` (14 digits)."""

    before: str
    ok_before: str = ""

    def of(self, table: Table) -> ColumnElement[bool]:
        """The condition that a row is old. What came in one telegram with a result that is not OK stays with it."""
        old = table.c.Arrived < self.before
        if table is t.EVENT or not self.ok_before:
            return old
        nok = t.RESULT.alias()
        same = and_(*[nok.c[name] == table.c[name] for name in t.RESULT_KEY], nok.c.Overall == 1)
        return or_(old, and_(table.c.Arrived < self.ok_before, ~exists(select(nok.c.ResultId).where(same))))


def old(keep_days: int, keep_ok_days: int | None = None) -> AgeLimits:
    """What arrived more than this many days ago."""
    return AgeLimits(*[rows.time_text(-86400 * days) if days else "" for days in (keep_days, keep_ok_days)])


def move_old(place: str, into: str, what: AgeLimits, progress: Callable[[float], None]) -> dict[str, int]:
    """Move what is old into another archive, which is made if need be. Return how many rows."""
    with database.writing(place, makes=False) as engine:

        def write(change: Callable[[Connection], None]) -> None:
            with engine.begin() as connection:
                change(connection)

        return move_some(engine, place, into, what, write, progress)


def move_some(
    engine: Engine,
    place: str,
    into: str,
    what: AgeLimits,
    write: Callable[[Callable[[Connection], None]], None],
    progress: Callable[[float], None],
    at_once: int | None = None,
) -> dict[str, int]:
    """The same while another writes: `write` has a change made in a transaction of the writer's.

    Some rows at a time are committed there, then deleted here: wherever it is cut off, both together have all rows,
    and the next run goes on. The newest row of each kind stays, so that numbers go on; breaches are only deleted.
    """
    counts = {"taken": 0, "events": 0, "graphs": 0, "breaches": 0}
    if database.is_same(place, into):
        raise database.DatabaseUnusable(into, "the archive itself; name another place")
    with database.writing(into) as other:
        with engine.connect() as reading, other.begin() as kept:
            _take_map(reading, kept)
        names: Names = {}
        for at, kind in enumerate(_KINDS):
            [number] = kind.table.primary_key.columns
            with engine.connect() as reading:
                newest = reading.execute(select(func.max(number))).scalar() or 0
            last = 0
            while some := _copy_some(engine, other, kind, (last, newest), what, at_once or _AT_ONCE, names):
                write(partial(_delete, kind=kind, some=some))
                counts[kind.counter] += len(some)
                last = some[-1][number.name]
                progress((at + last / newest) / len(_KINDS))
        with other.begin() as kept:
            _set_latest(kept, _latest_numbers(kept))

        def end(connection: Connection) -> None:
            counts["breaches"] = connection.execute(delete(t.BREACH).where(t.BREACH.c.Arrived < what.before)).rowcount
            if any(counts.values()):
                done = f"move-old into {database.without_password(into)}, arrived before {what.before}"
                moved = f"{counts['taken']} results, {counts['events']} events, {counts['graphs']} curves"
                audit.note(connection, f"{done}: {moved}")

        write(end)
    return counts


def _copy_some(
    engine: Engine, other: Engine, kind: _Kind, within: tuple[int, int], what: AgeLimits, most: int, names: Names
) -> list[dict]:
    """Copy the next old rows with numbers between these two; they are on the other archive's disk when this returns."""
    [number] = kind.table.primary_key.columns
    statement = select(kind.table).where(what.of(kind.table), number > within[0], number < within[1])
    with engine.connect() as reading:
        some = dicts(reading, statement.order_by(number).limit(most))
        if some:
            with other.begin() as kept:
                _take_some(reading, kept, kind, some, names)
    return some


def _delete(connection: Connection, kind: _Kind, some: list[dict]) -> None:
    """Delete rows with what belongs to them, and cars that have nothing left."""
    [number] = kind.table.primary_key.columns
    numbers = [row[number.name] for row in some]
    vins = {row["VIN"] for row in some if "VIN" in row}
    if t.RESULT_VIN in kind.more:
        other = t.RESULT_VIN.c
        vins.update(connection.execute(select(other.VIN).where(other.ResultId.in_(numbers))).scalars())
    for table in (*kind.more, kind.table):
        connection.execute(delete(table).where(table.c[number.name].in_(numbers)))
    vehicle_numbers.forget(connection, vins)
    if kind.table is t.RESULT:
        rollups.again(connection, rollups.places_of(some))


@dataclass(frozen=True)
class _Kind:
    """A table whose rows are copied, what identifies a row, and the tables of what belongs to it."""

    counter: str
    table: Table
    key: tuple[str, ...]
    more: tuple[Table, ...] = ()


_KINDS = (
    _Kind("taken", t.RESULT, (*t.RESULT_KEY, "Spindle"), (t.RESULT_VIN, t.RESULT_PARAMETER, t.REMARK)),
    _Kind("events", t.EVENT, t.RESULT_KEY, (t.EVENT_PARAMETER,)),
    _Kind("graphs", t.GRAPH, t.GRAPH_KEY),
)


def _take_missing(reading: Connection, connection: Connection, table: Table, key: Sequence[str]) -> None:
    """Take the rows whose key is missing here; the database numbers them again if it numbers them itself."""
    names = bulk_insert.columns(table)
    statement = select(*[table.c[name] for name in names]).order_by(*table.primary_key.columns)
    present = {tuple(row) for row in connection.execute(select(*[table.c[name] for name in key]))}
    at = [names.index(name) for name in key]
    rows = map(tuple, reading.execute(statement))
    bulk_insert.insert(connection, table, [row for row in rows if tuple(row[place] for place in at) not in present])


def _take_map(reading: Connection, connection: Connection) -> None:
    for table in t.MAP:
        _take_missing(reading, connection, table, table.primary_key.columns.keys())


def _take_one_by_one(
    reading: Connection, connection: Connection, kind: _Kind, some: list, names: Names
) -> tuple[int, list[str]]:
    """Take rows, each by itself if the database refuses them together; return how many, and what it did not take."""
    part = connection.begin_nested()  # a full disk takes it away, so only what is left out here is rolled back to it
    try:
        taken = _take_some(reading, connection, kind, some, names)
        part.commit()
        return taken, []
    except (IntegrityError, DataError, TypeError, OverflowError) as wrong:  # the last two: values of another type
        part.rollback()
        if len(some) == 1:
            key = "/".join(str(some[0][name]) for name in kind.key)
            return 0, [f"{kind.table.name} {key}: {database.first_line(wrong)}"]
    half = len(some) // 2
    first, second = (_take_one_by_one(reading, connection, kind, part, names) for part in (some[:half], some[half:]))
    return first[0] + second[0], first[1] + second[1]


def _take_some(reading: Connection, connection: Connection, kind: _Kind, some: list[dict], names: Names) -> int:
    """Take the rows that are missing here, under new numbers; return how many."""
    stored: StoredResults | None = None
    if kind.table is t.RESULT:
        stored = StoredResults(connection, some, t.stations_of_batches(reading))
        some = _named_here(stored, some, names)
    elif kind.table is t.GRAPH:
        some = [{**row, "Sequence": names.get(_key(row), row["Sequence"])} for row in some]
    keys = [tuple(row[name] for name in kind.key) for row in some]
    present = bulk_insert.known_keys(connection, kind.table, kind.key, keys)
    [number] = kind.table.primary_key.columns
    newest = connection.execute(select(func.max(number))).scalar() or 0
    new: dict[int, int] = {}
    added = []
    for row, key in zip(some, keys, strict=True):
        if key not in present:
            present.add(key)
            newest += 1
            new[row[number.name]] = newest
            added.append({**row, number.name: newest})
    if t.REMARK in kind.more:
        _take_remarks(reading, connection, [row for row in some if row[number.name] not in new])
    if added:
        _add(reading, connection, kind, added, new)
    if stored is not None:
        stored.look_for_curves()
        stored.write()
    return len(added)


def _named_here(stored: StoredResults, some: list[dict], names: Names) -> list[dict]:
    """Return the rows under the names that they have or get here, before `stored` is written; note other ones."""
    here: dict[tuple, StoredResult] = {}
    rows = []
    for row in some:
        key = _key(row)
        had = here[key] = here.get(key) or stored.row(row)
        names.pop(key, None)
        if had.sequence != row["Sequence"]:
            names[key] = had.sequence
        rows.append({**row, "Sequence": had.written_as, "Number": had.number})
    return rows


def _key(row: dict) -> tuple:
    return tuple(row[name] for name in t.RESULT_KEY)


def _add(reading: Connection, connection: Connection, kind: _Kind, added: list[dict], new: dict[int, int]) -> None:
    """Put in rows, with what belongs to them; `new` has their numbers by those of the other archive."""
    [number] = kind.table.primary_key.columns
    bulk_insert.insert(connection, kind.table, [tuple(row.values()) for row in added])
    if kind.table is t.RESULT:
        rollups.add(connection, [tuple(row.values()) for row in added])
        vehicle_numbers.add(connection, {row["VIN"] for row in added} - {""})
    for table in kind.more:
        statement = select(table).where(table.c[number.name].in_(list(new)))
        theirs = [{**row, number.name: new[row[number.name]]} for row in reading.execute(statement).mappings()]
        if theirs:
            bulk_insert.insert(
                connection, table, [tuple(row[name] for name in bulk_insert.columns(table)) for row in theirs]
            )
        if table is t.RESULT_VIN:
            vehicle_numbers.add(connection, {str(row["VIN"]) for row in theirs} - {""})


def _take_remarks(reading: Connection, connection: Connection, some: list[dict]) -> None:
    """Take the remarks that are missing here on results that are here: what was taken back may have got some."""
    here = {row["ResultId"]: row for row in some}
    for row in dicts(
        reading, select(t.REMARK).where(t.REMARK.c.ResultId.in_(list(here))).order_by(t.REMARK.c.RemarkId)
    ):
        key = (*t.RESULT_KEY, "Spindle")
        same = t.is_row(t.RESULT, key, [here[row["ResultId"]][name] for name in key])
        row["ResultId"] = connection.execute(select(t.RESULT.c.ResultId).where(same)).scalar()
        remark = {name: row[name] for name in bulk_insert.columns(t.REMARK)}
        same = t.is_row(t.REMARK, tuple(remark), tuple(remark.values()))
        if connection.execute(select(t.REMARK).where(same)).first() is None:
            connection.execute(t.REMARK.insert().values(**remark))


def _latest_numbers(connection: Connection) -> dict[tuple, dict[str, int]]:
    """Return the sequences that an 08 says, by station."""
    statement = select(*t.STATION.primary_key.columns, t.STATION.c.Result, t.STATION.c.Event)
    return {tuple(row[:3]): {"Result": row[3], "Event": row[4]} for row in connection.execute(statement)}


def _set_latest(connection: Connection, previous: dict[tuple, dict[str, int]] | None = None) -> None:
    """Set all stations' latest sequences to those of the rows now; none goes behind its `previous` one."""
    previous = previous or {}
    for table, column in ((t.RESULT, "Result"), (t.EVENT, "Event")):
        number = table.primary_key.columns[0]
        station = [table.c[name] for name in t.PLACE]
        newest = select(func.max(number)).group_by(*station)
        newest = newest.where(table.c.Sequence >= 0)  # what came by telegram
        statement = select(*station, table.c.Sequence % t.SEQUENCE_SPAN).where(number.in_(newest))
        rows = connection.execute(statement).fetchall()
        if not previous:
            connection.execute(update(t.STATION).values(**{column: 0}))
        for row in rows:
            before = previous.get(tuple(row[:3]), {}).get(column, 0)
            if before and is_behind(row[3], before):
                continue
            there = t.is_row(t.STATION, t.RESULT_KEY, row[:3])
            connection.execute(update(t.STATION).where(there).values(**{column: row[3]}))


EVERY_S = 6 * 3600.0
FIRST_S = 60.0  # after a start stations come first
STEP = 100  # rows; deleting them takes a few ms
PAUSE_S = 0.1  # between two such steps


@dataclass(frozen=True)
class RetentionPeriods:
    """How long rows stay, and where they go then."""

    into: str
    days: int
    ok_days: int | None = None


class Retention:
    """A thread that moves old rows now and then."""

    def __init__(
        self, engine: Engine, place: str, writer: Writer, keeping: RetentionPeriods, say: Callable[[str], None]
    ) -> None:
        self._engine = engine
        self._place = place
        self._writer = writer
        self._keeping = keeping
        self._say = say
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the rows that are being moved."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        wait_s = FIRST_S
        while not self._ended.wait(wait_s):
            wait_s = EVERY_S
            keeping = self._keeping
            what = old(keeping.days, keeping.ok_days)
            try:
                counts = move_some(self._engine, self._place, keeping.into, what, self._write, lambda share: None, STEP)
            except ArchiveEnding:
                return
            except Exception as wrong:  # whatever it is: nothing is lost, and it goes on later
                self._say(f"what is old stays for now: {database.first_line(wrong)}")
            else:
                if any(counts.values()):
                    self._say(f"moved {counts['taken']} results, {counts['events']} events, {counts['graphs']} curves")

    def _write(self, change: Callable[[Connection], None]) -> None:
        if self._ended.wait(PAUSE_S):
            raise ArchiveEnding("the archive ends")
        self._writer.change(change)
