"""ToolsNet's archive as an SQLite file: a map of systems and stations, every result once, easy to query.

Rules:
1. The map's tables have the document's names (004 section 6). Entries are made from arriving results, with default
   names like "Station 10", and renamed by telegrams 01 and 02.
2. A result with the same system type, system, station, sequence and time stamp is stored once; its row counts
   the arrivals.
3. What is stored is committed before the acknowledgement goes out.
4. Times are kept as they came, 14 digits; ResultView shows them and the statuses to people. Rows are the archive's own
   (toolcart.toolsnet_rows), without the time of arrival.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from functools import cached_property

from toolcart.toolsnet import SYSTEM_TYPES
from toolcart.toolsnet_records import is_behind, station_of
from toolcart.toolsnet_rows import event_rows, graph_row, result_rows

_LEVELS = ("SystemType", "System", "Station", "Spindle", "Program")  # of the map, one in the other
_PLACE = _LEVELS[:3]


def _map_table(depth: int) -> str:
    key = _LEVELS[:depth]
    ip = "IP TEXT NOT NULL DEFAULT ''," if depth in (2, 3) else ""
    columns = ", ".join(f"{name} INTEGER" for name in key)
    return f"""CREATE TABLE IF NOT EXISTS TNMap{key[-1]} (
        {columns}, Name TEXT NOT NULL, {ip} PRIMARY KEY ({", ".join(key)}));
"""


_TIMED = "SystemType INTEGER NOT NULL, System INTEGER NOT NULL, Station INTEGER NOT NULL, Sequence INTEGER NOT NULL"
_TIMED += ", Time TEXT NOT NULL"
_JUDGED = "WHEN 0 THEN 'OK' WHEN 1 THEN 'NOK' WHEN 2 THEN 'low' ELSE 'high' END"
_SCHEMA = "".join(map(_map_table, range(1, len(_LEVELS) + 1)))
_SCHEMA += f"""
CREATE TABLE IF NOT EXISTS Result (
    ResultId INTEGER PRIMARY KEY, {_TIMED}, VIN TEXT NOT NULL, Spindle INTEGER NOT NULL,
    SpindleSerial TEXT NOT NULL, Program INTEGER NOT NULL, Overall INTEGER NOT NULL,
    TorqueLow REAL, Torque REAL, TorqueHigh REAL, TorqueStatus INTEGER,
    AngleLow REAL, Angle REAL, AngleHigh REAL, AngleStatus INTEGER, TimeStatus INTEGER,
    TighteningId INTEGER, Arrivals INTEGER NOT NULL DEFAULT 1, OutOfOrder INTEGER NOT NULL DEFAULT 0,
    UNIQUE (SystemType, System, Station, Sequence, Time, Spindle));
CREATE INDEX IF NOT EXISTS ResultByTighteningId ON Result (TighteningId);
CREATE INDEX IF NOT EXISTS ResultByVIN ON Result (VIN);
CREATE TABLE IF NOT EXISTS ResultVIN (
    ResultId INTEGER NOT NULL REFERENCES Result, Identifier INTEGER NOT NULL, VIN TEXT NOT NULL,
    PRIMARY KEY (ResultId, Identifier));
CREATE TABLE IF NOT EXISTS ResultParameter (
    ResultId INTEGER NOT NULL REFERENCES Result, Spindle INTEGER, Program INTEGER, ParameterId INTEGER NOT NULL,
    Name TEXT NOT NULL, Value TEXT NOT NULL, Type INTEGER NOT NULL, Unit TEXT NOT NULL, Step INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS ParameterByResult ON ResultParameter (ResultId);
CREATE TABLE IF NOT EXISTS Event (
    EventId INTEGER PRIMARY KEY, {_TIMED}, Code INTEGER NOT NULL, Level INTEGER NOT NULL,
    Arrivals INTEGER NOT NULL DEFAULT 1, UNIQUE (SystemType, System, Station, Sequence, Time));
CREATE TABLE IF NOT EXISTS EventParameter (
    EventId INTEGER NOT NULL REFERENCES Event, ParameterId INTEGER, Type INTEGER, Value TEXT);
CREATE TABLE IF NOT EXISTS Graph (
    GraphId INTEGER PRIMARY KEY, SystemType INTEGER, System INTEGER, Station INTEGER, Spindle INTEGER,
    Program INTEGER, Sequence INTEGER, Time TEXT, GraphType INTEGER, BitShift INTEGER, FactorDom INTEGER,
    FactorNom INTEGER, SampleMs REAL, Samples BLOB);
CREATE VIEW IF NOT EXISTS ResultView AS
    SELECT r.ResultId, t.Name AS SystemTypeName, s.Name AS SystemName, st.Name AS StationName,
        sp.Name AS SpindleName, p.Name AS ProgramName, r.Sequence,
        substr(r.Time, 1, 4) || '-' || substr(r.Time, 5, 2) || '-' || substr(r.Time, 7, 2) || ' ' ||
        substr(r.Time, 9, 2) || ':' || substr(r.Time, 11, 2) || ':' || substr(r.Time, 13, 2) AS Time,
        r.VIN, CASE r.Overall WHEN 0 THEN 'OK' ELSE 'NOK' END AS Overall,
        r.TorqueLow, r.Torque, r.TorqueHigh, CASE r.TorqueStatus {_JUDGED} AS TorqueStatus,
        r.AngleLow, r.Angle, r.AngleHigh, CASE r.AngleStatus {_JUDGED} AS AngleStatus,
        r.TighteningId, r.Arrivals
    FROM Result r
    LEFT JOIN TNMapSystemType t USING (SystemType)
    LEFT JOIN TNMapSystem s USING (SystemType, System)
    LEFT JOIN TNMapStation st USING (SystemType, System, Station)
    LEFT JOIN TNMapSpindle sp USING (SystemType, System, Station, Spindle)
    LEFT JOIN TNMapProgram p USING (SystemType, System, Station, Spindle, Program)
    ORDER BY r.ResultId;
"""
_SAME = "SystemType = ? AND System = ? AND Station = ? AND Sequence = ? AND Time = ?"
_ARRIVED = 6  # its place in a row of Result or Event


class Books:
    """What a simulated plant asks an archive in an SQLite file, simulated or not. Any thread may ask."""

    def __init__(self, place: str) -> None:
        self.place = str(place)
        self.lock = threading.RLock()

    def opened(self) -> sqlite3.Connection:
        """Return a connection to it, once somebody asks."""
        return sqlite3.connect(self.place, check_same_thread=False, isolation_level="IMMEDIATE")

    @cached_property
    def db(self) -> sqlite3.Connection:
        return self.opened()

    def tightening_ids(self) -> list[int | None]:
        """Return the tightening IDs in order of arrival."""
        return [row[0] for row in self.query("SELECT TighteningId FROM Result ORDER BY ResultId")]

    def newest_tightening_id(self) -> int:
        """Return the tightening ID of the last result that has one, 0 if none has."""
        rows = self.query("SELECT TighteningId FROM Result WHERE TighteningId NOT NULL ORDER BY ResultId DESC LIMIT 1")
        return rows[0][0] if rows else 0

    def query(self, sql: str, values: tuple = ()) -> list[tuple]:
        with self.lock:
            return self.db.execute(sql, values).fetchall()


class SqliteArchive(Books):
    """See the module. All methods may be called from any thread."""

    def __init__(self, place: str = ":memory:") -> None:
        super().__init__(place)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(_SCHEMA)
        with self.db:
            self.db.executemany("INSERT OR IGNORE INTO TNMapSystemType VALUES (?, ?)", SYSTEM_TYPES.items())
        self._mapped: set[tuple[int, ...]] = set()
        self._load_counters()

    def store_result(self, result: dict) -> bool:
        """Return True if it is new, False if it was stored before."""
        with self.lock, self.db:
            if self._came_again("Result", result):
                self.repeated += 1
                return False
            place = station_of(result)
            latest = self._latest.get(place, 0)
            behind = bool(latest) and is_behind(result["sequence"], latest)
            told, vins, parameters = result_rows(result, self._next("Result"), "", behind)
            for spindle in result["spindles"]:
                self._map(*place, spindle["spindle"], spindle["program"])
            self._put("Result", told, _ARRIVED)
            self._put("ResultVIN", vins)
            self._put("ResultParameter", parameters, 1)  # its place in the telegram
            self._latest[place] = result["sequence"]
            self.stored += 1
            self.out_of_order += behind
            return True

    def store_event(self, event: dict) -> bool:
        with self.lock, self.db:
            if self._came_again("Event", event):
                self.events_repeated += 1
                return False
            place = station_of(event)
            self._map(*place)
            row, parameters = event_rows(event, self._next("Event"), "")
            self._put("Event", [row], _ARRIVED)
            self._put("EventParameter", parameters)
            self._latest_event[place] = event["sequence"]
            self.events_stored += 1
            return True

    def store_graph(self, graph: dict) -> None:
        with self.lock, self.db:
            self._put("Graph", [graph_row(graph, self._next("Graph"), "")], 8, 13, 14, 15, 18)  # no limits, no arrivals
            self.graphs_stored += 1

    def _came_again(self, table: str, record: dict) -> bool:
        """Count one more arrival of a stored record; False if it is new."""
        key = (*station_of(record), record["sequence"], record["time"])
        return self.db.execute(f"UPDATE {table} SET Arrivals = Arrivals + 1 WHERE {_SAME}", key).rowcount > 0

    def _next(self, table: str) -> int:
        """Return the number of a new row."""
        return self.query(f"SELECT IFNULL(MAX({table}Id), 0) + 1 FROM {table}")[0][0]

    def _put(self, table: str, rows: Sequence[tuple], *left_out: int) -> None:
        """Insert rows, without the columns at these places."""
        for row in rows:
            values = [value for at, value in enumerate(row) if at not in left_out]
            self.db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)

    def describe_system(self, description: dict) -> None:
        with self.lock, self.db:
            place = (description["system_type"], description["system"])
            self._name("REPLACE", place, description["name"], description["ip"])

    def describe_station(self, description: dict) -> None:
        with self.lock, self.db:
            place = station_of(description)
            self._map(*place[:2])
            self._name("REPLACE", place, description["name"], description["ip"])
            for spindle in description["spindles"]:
                self._name("REPLACE", (*place, spindle["spindle"]), spindle["name"])
                for program in spindle["programs"]:
                    self._name("REPLACE", (*place, spindle["spindle"], program["program"]), program["name"])

    def latest_result(self, system_type: int, system: int, station: int) -> int:
        """Return the sequence number of the latest stored result, 0 for none."""
        return self._latest.get((system_type, system, station), 0)

    def latest_event(self, system_type: int, system: int, station: int) -> int:
        return self._latest_event.get((system_type, system, station), 0)

    def sequences(self) -> list[int]:
        return [row[0] for row in self.query("SELECT Sequence FROM Result ORDER BY ResultId")]

    def restore_backup(self, forgotten: int) -> None:
        """Lose the last `forgotten` results, like a server restored from an older backup."""
        with self.lock, self.db:
            newest = "(SELECT ResultId FROM Result ORDER BY ResultId DESC LIMIT ?)"
            for table in ("ResultParameter", "ResultVIN", "Result"):
                self.db.execute(f"DELETE FROM {table} WHERE ResultId IN {newest}", (forgotten,))
        self._load_counters()

    def clear(self) -> None:
        """Turn into an empty database."""
        with self.lock, self.db:
            for table in ("ResultParameter", "ResultVIN", "Result", "EventParameter", "Event", "Graph"):
                self.db.execute(f"DELETE FROM {table}")
        self._load_counters()

    def close(self) -> None:
        with self.lock:
            self.db.close()

    def _load_counters(self) -> None:
        self.stored, self.repeated, self.out_of_order = self.query(
            "SELECT COUNT(*), IFNULL(SUM(Arrivals - 1), 0), IFNULL(SUM(OutOfOrder), 0) FROM "
            "(SELECT Arrivals, OutOfOrder FROM Result GROUP BY SystemType, System, Station, Sequence, Time)"
        )[0]
        self.events_stored, self.events_repeated = self.query(
            "SELECT COUNT(*), IFNULL(SUM(Arrivals - 1), 0) FROM Event"
        )[0]
        self.graphs_stored = self.query("SELECT COUNT(*) FROM Graph")[0][0]
        station = ", ".join(_PLACE)
        newest = f"SELECT {station}, Sequence, MAX({{0}}) FROM {{1}} GROUP BY {station}"
        self._latest = {row[:3]: row[3] for row in self.query(newest.format("ResultId", "Result"))}
        self._latest_event = {row[:3]: row[3] for row in self.query(newest.format("EventId", "Event"))}

    # The map: default names until a description arrives (TN Appendix B, Appendix B's note)

    def _map(self, *place: int) -> None:
        """Give this place, and all that it is in, default names where they have none."""
        for depth in range(1, len(place) + 1):
            here = place[:depth]
            if here not in self._mapped:
                self._mapped.add(here)
                what = "System type" if depth == 1 else _LEVELS[depth - 1]
                self._name("IGNORE", here, f"{what} {here[-1]}")

    def _name(self, otherwise: str, place: tuple[int, ...], name: str, *ip: str) -> None:
        """Name a place in its table; `otherwise`: REPLACE or IGNORE, if it has a name."""
        columns = (*_LEVELS[: len(place)], "Name", "IP")[: len(place) + 1 + len(ip)]
        marks = ", ".join("?" * len(columns))
        table = f"TNMap{_LEVELS[len(place) - 1]}"
        sql = f"INSERT OR {otherwise} INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        self.db.execute(sql, (*place, name, *ip))
