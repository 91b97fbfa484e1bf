"""One thread writes what all stations send: it takes what has arrived, commits it, and tells each sender.

Rules
1. Nothing is reported as stored before its commit has returned. If a commit fails, all of its batch get FAILED, but for
   rule 6, and so does what their senders have sent behind it: stored, it would be the latest of the station, and what
   an 08 names stands for all before it. None is answered, and the stations send again (TN 3).
2. While a commit runs, the next batch gathers: a thousand stations share a sync; one alone waits for no other.
3. Which results are stored already is decided in toolcart.archive.storage.stored_results. An event is identified by
   station, sequence and time stamp; a graph by its spindle and kind as well. Repeats are counted in the row's Arrivals,
   and in `repeated`; what comes the other way for the first time in Arrivals alone.
4. Descriptions rename entries of the map. Until one comes, what has arrived has names like `Station 10`.
5. The queue is bounded: a telegram that finds it full is not answered.
6. What the database does not take spoils nothing else: a batch of several that fails for what it holds, and not for the
   database's own state, is written one telegram at a time.
7. After a failed commit what is known of the database (toolcart.archive.storage.known_state) is read from it again: the
   commit may have succeeded after all.
8. Whatever else changes what the writer knows or writes does so in this thread (`change`), between two batches. What
   people enter on pages (toolcart.archive.web.reading) and where a server is (toolcart.archive.server.servers) have
   transactions of their own: the writer reads neither.
9. A connection is kept as long as there is work; after a pause PostgreSQL's is first checked to be still alive.
10. A parcel has several results, which are stored all or not at all: `open_parcels`, handed in, says what is new.
11. A station is watched once it has reported for a while (toolcart.archive.storage.watched_stations).
12. What an 08 says comes from telegrams alone: what a broker brought, ToolsNet has not got.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Table, select, update
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from toolcart.archive.database import bulk_insert, rollups, vehicle_numbers
from toolcart.archive.database import tables as t
from toolcart.archive.database.database import first_line
from toolcart.archive.database.tables import Station
from toolcart.archive.storage.known_state import KnownState, SharedState
from toolcart.archive.storage.stored_results import AGAIN, NEW, StoredResults, row_of
from toolcart.archive.storage.watched_stations import WatchedStations
from toolcart.toolsnet import rows
from toolcart.toolsnet.records import is_behind, station_of
from toolcart.toolsnet.telegrams import Breach

STORED, REPEATED, FAILED = "stored", "repeated", "failed"
PARCEL = "parcel"  # as a kind of telegram
BATCH_MOST = 1000
WAITING_MOST = 20000
ALIVE_EVERY_S = 5.0
PAUSE_S = 1.0
# Rows of the map remembered, about 30 MiB; a start takes so many of each of its tables. Beyond that rows are inserted
# again, to no effect.
MAPPED_MOST = 200_000
REPORT_EVERY_S = 3600  # a breach of the same kind is kept and told once in this time
KINDS_MOST = 4096  # kinds of breaches remembered for that
_TABLES = t.TABLES.sorted_tables
RESULT = "04"
_KEYS: dict[str, tuple[Table, tuple[str, ...], Callable[[dict], tuple]]] = {  # what identifies a row of other telegrams
    "09": (t.EVENT, t.RESULT_KEY, rows.key_of),
    "13": (t.GRAPH, t.GRAPH_KEY, rows.graph_key_of),
}
# What a row of the map is called until it is described, and its other columns.
_NAMED = (("System type",), ("System", ""), ("Station", "", "", 0, 0, t.NEW), ("Spindle",), ("Program",))

OnOutcome = Callable[[str], None]


class _Taken(NamedTuple):
    """A telegram, or a parcel, in the queue."""

    kind: str
    fields: dict
    on_outcome: OnOutcome
    sender: object  # whose telegrams are stored in their order, or None


@dataclass
class _Batch:
    """What one commit writes."""

    rows: dict[Table, list[tuple]] = field(default_factory=dict)
    again: dict[Table, dict[tuple, int]] = field(default_factory=dict)  # arrivals of what is stored already
    changed: dict[Table, dict[tuple, dict]] = field(default_factory=dict)  # columns, by the row's key
    outcomes: list[str] = field(default_factory=list)
    results: StoredResults | None = None
    stored: int = 0
    repeated: int = 0
    # What is known once the commit has returned, and forgotten if it fails:
    latest: dict[Station, tuple[int, int]] = field(default_factory=dict)
    mapped: set[tuple] = field(default_factory=set)
    ids: dict[Table, int] = field(default_factory=dict)
    cars: set[str] = field(default_factory=set)

    def count(self, outcome: str) -> None:
        """Count the outcome of the next telegram."""
        self.outcomes.append(outcome)
        self.stored += outcome == STORED

    def arrive_again(self, table: Table, key: tuple) -> None:
        """Count another arrival of a row that is there already, or is of this batch."""
        again = self.again.setdefault(table, {})
        again[key] = again.get(key, 0) + 1
        self.repeated += 1

    def add(self, table: Table, more: list[tuple]) -> None:
        if more:
            self.rows.setdefault(table, []).extend(more)

    def change(self, table: Table, key: tuple, **values: object) -> None:
        """Give a row that is there these values: of the map, or of a broker's topics."""
        if values:
            self.changed.setdefault(table, {}).setdefault(key, {}).update(values)


@dataclass
class ParcelContent:
    """What is new in a parcel: telegrams by kind and fields, rows of other tables, changed columns.

    `again` is how many of its results came in a parcel before.
    """

    outcome: str
    telegrams: list[tuple[str, dict]] = field(default_factory=list)
    rows: list[tuple[Table, tuple]] = field(default_factory=list)
    changes: list[tuple[Table, tuple, dict]] = field(default_factory=list)
    again: int = 0


class OpensParcels(Protocol):
    """What opens the parcels of a commit, in the order in which they arrived."""

    def lines(self) -> list[dict]:
        """Return the fields of all results that they may bring."""
        ...

    def stations(self) -> set[Station]:
        """Return whose results they are."""
        ...

    def open(self, parcel: dict, stored: StoredResults) -> ParcelContent:
        """Return what is new in one; `stored` has been told of its results then."""
        ...


OpenParcels = Callable[[Connection, list[dict], str], OpensParcels]


class ArchiveEnding(Exception):
    """The archive is ending and changes nothing more."""


class Writer:
    """Takes telegrams from any thread; `close` returns when the last one is committed."""

    def __init__(
        self,
        engine: Engine,
        trouble: Callable[[str], None],
        is_shared: bool = False,
        open_parcels: OpenParcels | None = None,
    ) -> None:
        self._engine = engine
        self._open_parcels = open_parcels
        self._known: KnownState = SharedState() if is_shared else KnownState()
        self._trouble = trouble
        self._wake = threading.Condition()
        self._waiting: list[_Taken] = []
        self._failed_senders: WeakSet = WeakSet()  # those of a commit that failed
        self._breaches: list[tuple] = []
        self._noted: dict[tuple, float] = {}  # kinds of breaches
        self._alive_at: dict[Station, str] = {}
        self._changes: list[Callable[[], None]] = []
        self._reporting = WatchedStations()
        self._closing = False
        self.stored = self.repeated = self.failed = self.commits = 0
        self.commit_s = self.commit_most_s = 0.0
        self._connection: Connection | None = None
        self._used_s = 0.0
        self._is_known = False
        with engine.connect() as connection:
            self._begin(connection)
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)
        self._thread.start()

    # -- for the server --------------------------------------------------------------------------------------------

    def put(self, kind: str, fields: dict, on_outcome: OnOutcome, sender: object = None) -> bool:
        """Queue this telegram; `on_outcome` is called in the writer's thread. False if too many wait already,
        or it is closing. Once one of a `sender` has failed, all that it puts fail."""
        with self._wake:
            if len(self._waiting) >= WAITING_MOST or self._closing:
                return False
            self._waiting.append(_Taken(kind, fields, on_outcome, sender))
            self._wake.notify()
        return True

    def note_breach(self, kind: tuple, peer: str, telegram: str, breach: Breach) -> bool:
        """Queue this breach of the document to be stored if it is the first of its kind for a while; True then."""
        now_s = time.monotonic()
        with self._wake:
            if now_s - self._noted.get(kind, -REPORT_EVERY_S) < REPORT_EVERY_S:
                return False
            self._noted.pop(kind, None)
            if len(self._noted) >= KINDS_MOST:
                self._noted.pop(next(iter(self._noted)))  # the one noted longest ago
            self._noted[kind] = now_s
            if len(self._breaches) < WAITING_MOST:
                origin = (rows.now_text(), peer[:60], telegram[:2].ljust(2), breach.field[:60])
                self._breaches.append((*origin, breach.position or None, breach.found[:1000], breach.allowed))
                self._wake.notify()
        return True

    def mark_alive(self, station: Station) -> None:
        """Note a station's sign of life; these are written every few seconds."""
        with self._wake:
            self._alive_at[station] = rows.now_text()

    def latest(self, station: Station) -> tuple[int, int]:
        """The sequences of the latest stored result and event, 0 for none (TN 5.9)."""
        with self._wake:
            return self._known.latest.get(station, (0, 0))

    def change(self, change: Callable[[Connection], None]) -> None:
        """Have something else changed, in a transaction of its own between two batches; raises what it raises."""
        raised: list[BaseException] = []
        done = threading.Event()

        def make() -> None:
            try:
                connection = self._connected()
                with connection.begin():
                    self._known.before(connection, [])
                    change(connection)
                self._used_s = time.monotonic()
            except BaseException as wrong:
                raised.append(wrong)
                self._is_known = False
                with suppress(SQLAlchemyError):
                    self._let_go()
            done.set()

        with self._wake:
            if self._closing:
                raise ArchiveEnding("the archive ends")
            self._changes.append(make)
            self._wake.notify()
        done.wait()
        if raised:
            raise raised[0]

    def close(self) -> None:
        """Commit what is waiting, and end."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    # -- the thread ------------------------------------------------------------------------------------------------

    def _begin(self, connection: Connection) -> None:
        with self._wake:
            self._known.begin(connection)
        self._mapped: set[tuple] = set()
        for table in t.MAP:
            statement = select(*table.primary_key.columns).limit(MAPPED_MOST)
            self._mapped.update(tuple(row) for row in connection.execute(statement))
        self._is_known = True

    def _run(self) -> None:
        while True:
            with self._wake:
                if not (self._waiting or self._breaches or self._changes or self._closing):
                    self._wake.wait(ALIVE_EVERY_S)
                taken, self._waiting = self._waiting[:BATCH_MOST], self._waiting[BATCH_MOST:]
                breaches, self._breaches = self._breaches, []
                alive_at, self._alive_at = self._alive_at, {}
                changes, self._changes = self._changes, []
                if self._closing and not (changes or taken or breaches or alive_at):
                    break
            for make in changes:
                make()
            if not (taken or breaches or alive_at):
                continue
            if not self._store(taken, breaches, alive_at):
                self._store([], breaches, alive_at)
                for one in taken:
                    self._store([one], [], {})
        self._let_go()

    def _store(self, taken: list[_Taken], breaches: list[tuple], alive_at: dict[Station, str]) -> bool:
        """Commit all and say what became of it; False if nothing is said, as one may have spoilt the others."""
        late = [one for one in taken if one.sender in self._failed_senders]
        taken = [one for one in taken if one.sender not in self._failed_senders]
        outcomes = self._commit(taken, breaches, alive_at) if taken or breaches or alive_at else []
        if outcomes is None:
            return False
        self.failed += len(late)
        for one, outcome in zip(taken + late, outcomes + [FAILED] * len(late), strict=True):
            if outcome == FAILED and one.sender is not None:
                self._failed_senders.add(one.sender)
            one.on_outcome(outcome)
        return True

    def _connected(self) -> Connection:
        """Return the connection, after reading what is known of the database if need be."""
        if self._connection is not None and time.monotonic() - self._used_s > PAUSE_S:
            self._let_go()
        if self._connection is None:
            self._connection = self._engine.connect()
        if not self._is_known:
            with self._connection.begin():
                self._begin(self._connection)
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _commit(self, taken: list[_Taken], breaches: list[tuple], alive_at: dict[Station, str]) -> list[str] | None:
        """Store all in one commit; return the outcomes, None if one cannot be stored and may have spoilt the others."""
        try:
            connection = self._connected()
            began_s = time.monotonic()
            with connection.begin() as transaction:
                batch = self._batch(connection, taken)
                for station, moment in alive_at.items():
                    self._hear(batch, station, moment)
                batch.add(t.BREACH, breaches)
                with bulk_insert.together(connection):
                    self._write(connection, batch)
                    transaction.commit()
            self._used_s = time.monotonic()
            self.commits += 1
            self.commit_s += self._used_s - began_s
            self.commit_most_s = max(self.commit_most_s, self._used_s - began_s)
        except Exception as wrong:  # whatever it is: nothing is answered, and the thread goes on
            self._is_known = False
            if self._connection is not None:
                self._connection.invalidate()  # it may be dead, and a rollback would be in vain
            with suppress(SQLAlchemyError):
                self._let_go()
            is_of_one = not isinstance(wrong, SQLAlchemyError) or isinstance(wrong, IntegrityError | DataError)
            if is_of_one and len(taken) > 1:
                return None
            self.failed += len(taken)
            self._trouble(f"{len(taken)} not stored: {first_line(wrong)}")
            return [FAILED] * len(taken)
        with self._wake:
            self._known.learn(batch.ids, batch.latest)
        if len(self._mapped) + len(batch.mapped) > MAPPED_MOST:
            self._mapped.clear()
        self._mapped |= batch.mapped
        self.stored += batch.stored
        self.repeated += batch.repeated
        return batch.outcomes

    def _batch(self, connection: Connection, taken: list[_Taken]) -> _Batch:
        self._known.before(connection, taken)
        arrived = rows.now_text()
        parcels = [one.fields for one in taken if one.kind == PARCEL]
        opener = self._opener(connection, parcels, arrived) if parcels else None
        compared = [row_of(one.fields) for one in taken if one.kind == RESULT]
        lines = [row_of(line) for line in opener.lines()] if opener else []
        batch = _Batch(ids=dict(self._known.numbers))
        batch.results = StoredResults(connection, compared + lines, opener.stations() if opener else ())
        telegrams = iter(compared)
        stored_keys = {
            kind: bulk_insert.known_keys(
                connection, table, names, [key_of(one.fields) for one in taken if one.kind == kind]
            )
            for kind, (table, names, key_of) in _KEYS.items()
        }
        for kind, fields, *_ in taken:
            if kind == RESULT:
                batch.count(self._take_result(batch, fields, next(telegrams), arrived))
            elif kind in stored_keys:
                batch.count(self._take(batch, kind, fields, stored_keys[kind], arrived))
            elif opener is not None and kind == PARCEL:
                opened = opener.open(fields, batch.results)
                self._take_parcel(connection, batch, fields, opened, stored_keys, arrived)
            else:
                self._describe(batch, kind, fields)
                batch.count(STORED)
            if kind != "01":
                self._hear(batch, station_of(fields), arrived)
        batch.results.look_for_curves(stored_keys["13"])
        return batch

    def _hear(self, batch: _Batch, station: Station, moment: str) -> None:
        batch.change(t.STATION, station, Heard=moment)
        if self._reporting.is_due(station, time.monotonic()):
            batch.change(t.STATION, station, Watched=t.WATCHED)

    def _opener(self, connection: Connection, parcels: list[dict], arrived: str) -> OpensParcels:
        assert self._open_parcels is not None, "no one has handed in what opens parcels"
        return self._open_parcels(connection, parcels, arrived)

    def _take_parcel(
        self,
        connection: Connection,
        batch: _Batch,
        fields: dict,
        opened: ParcelContent,
        stored_keys: dict[str, set],
        arrived: str,
    ) -> None:
        batch.outcomes.append(opened.outcome)
        if opened.outcome != STORED:
            return
        self._map(batch, *station_of(fields))
        batch.repeated += opened.again
        for kind, telegram in opened.telegrams:
            if kind == RESULT:
                self._add_result(batch, telegram, telegram["sequence"], arrived)
                batch.stored += 1
                continue
            table, names, key_of = _KEYS[kind]
            stored_keys[kind] |= bulk_insert.known_keys(connection, table, names, [key_of(telegram)])
            batch.stored += self._take(batch, kind, telegram, stored_keys[kind], arrived) == STORED
        for table, row in opened.rows:
            batch.add(table, [row])
        for table, key, values in opened.changes:
            batch.change(table, key, **values)

    def _take_result(self, batch: _Batch, fields: dict, compared: dict, arrived: str) -> str:
        """Take a telegram 04; `compared` are its columns for StoredResults."""
        assert batch.results is not None
        how, stored = batch.results.telegram(compared)
        if how == AGAIN:
            batch.repeated += 1
            return REPEATED
        station = station_of(fields)
        result, event = self._latest(batch, station)
        if how == NEW:
            self._add_result(
                batch, fields, stored.written_as, arrived, bool(result) and is_behind(fields["sequence"], result)
            )
        self._go_on(batch, station, (fields["sequence"], event))
        return STORED if how == NEW else REPEATED

    def _add_result(self, batch: _Batch, fields: dict, sequence: int, arrived: str, behind: bool = False) -> None:
        station = station_of(fields)
        self._map(batch, *station)
        for spindle in fields["spindles"]:
            self._map(batch, *station, spindle["spindle"], spindle["program"])
        first = batch.ids[t.RESULT] + 1
        if sequence != fields["sequence"]:
            fields = {**fields, "sequence": sequence}
        results, vins, parameters = rows.result_rows(fields, first, arrived, behind)
        number = fields.get("number")
        batch.add(t.RESULT, [(*row, number) for row in results])
        batch.add(t.RESULT_VIN, vins)
        batch.cars |= {fields["vin"].strip(), *[vin[2] for vin in vins]} - {""}
        batch.add(t.RESULT_PARAMETER, parameters)
        batch.ids[t.RESULT] += len(results)

    def _take(self, batch: _Batch, kind: str, fields: dict, stored_keys: set[tuple], arrived: str) -> str:
        table, _, key_of = _KEYS[kind]
        key = key_of(fields)
        station = station_of(fields)
        if key in stored_keys:
            batch.arrive_again(table, key)
            return REPEATED
        stored_keys.add(key)
        self._map(batch, *station)
        batch.ids[table] += 1
        number = batch.ids[table]
        if kind == "09":
            row, parameters = rows.event_rows(fields, number, arrived)
            batch.add(t.EVENT, [row])
            batch.add(t.EVENT_PARAMETER, parameters)
            if fields["sequence"] >= 0:  # rule 12
                self._go_on(batch, station, (self._latest(batch, station)[0], fields["sequence"]))
        else:
            batch.add(t.GRAPH, [rows.graph_row(fields, number, arrived)])
        return STORED

    def _latest(self, batch: _Batch, station: Station) -> tuple[int, int]:
        return batch.latest.get(station) or self._known.latest.get(station, (0, 0))

    def _go_on(self, batch: _Batch, station: Station, latest: tuple[int, int]) -> None:
        batch.latest[station] = latest
        batch.change(t.STATION, station, Result=latest[0], Event=latest[1])

    def _write(self, connection: Connection, batch: _Batch) -> None:
        for table in _TABLES:
            if batch.rows.get(table):
                put = (
                    bulk_insert.add_missing if table in t.MAP else bulk_insert.insert
                )  # another server may have been faster
                put(connection, table, batch.rows[table])
        if batch.results is not None:
            batch.results.write()
        if t.RESULT in batch.rows:
            rollups.add(connection, batch.rows[t.RESULT])
        vehicle_numbers.add(connection, batch.cars)
        for table, arrivals in batch.again.items():
            for key, count in arrivals.items():
                there = t.is_row(table, t.GRAPH_KEY, key)  # others' keys are its first columns
                connection.execute(update(table).where(there).values(Arrivals=table.c.Arrivals + count))
        for table, changed in batch.changed.items():
            alike: dict[tuple, list[tuple]] = {}
            for key, values in changed.items():
                alike.setdefault(tuple(values), []).append((*key, *values.values()))
            for names, several in alike.items():
                bulk_insert.update(connection, table, table.primary_key.columns.keys(), names, several)

    # -- the map ---------------------------------------------------------------------------------------------------

    def _map(self, batch: _Batch, *place: int) -> None:
        """Give this place, and all that it is in, names of their own where they have none."""
        if place in self._mapped or place in batch.mapped:
            return
        if len(place) > 1:
            self._map(batch, *place[:-1])
        batch.mapped.add(place)
        kind, *more = _NAMED[len(place) - 1]
        batch.add(t.MAP[len(place) - 1], [(*place, f"{kind} {place[-1]}", *more)])

    def _describe(self, batch: _Batch, kind: str, fields: dict) -> None:
        """Telegrams 01 and 02 name entries of the map."""

        def rename(table: Table, key: tuple, name: str, **more: object) -> None:
            batch.change(table, key, **({"Name": name.strip()} if name.strip() else {}), **more)

        if kind == "01":
            key = (fields["system_type"], fields["system"])
            self._map(batch, *key)
            rename(t.SYSTEM, key, fields["name"], IP=fields["ip"].strip())
            return
        station = station_of(fields)
        self._map(batch, *station)
        rename(t.STATION, station, fields["name"], IP=fields["ip"].strip())
        for spindle in fields["spindles"]:
            place = (*station, spindle["spindle"])
            self._map(batch, *place)
            rename(t.SPINDLE, place, spindle["name"])
            for program in spindle["programs"]:
                self._map(batch, *place, program["program"])
                rename(t.PROGRAM, (*place, program["program"]), program["name"])
