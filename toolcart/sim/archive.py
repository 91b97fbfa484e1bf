"""ToolsNet's archive as an SQLite file: a map of systems and stations, every result once, easy to query.

Rules:
1. The map's tables have the document's names (004 section 6). Entries are made from arriving results, with default
   names like "Station 10", and renamed by telegrams 01 and 02.
2. A result with the same system type, system, station, sequence and time stamp is stored once; its row counts
   the arrivals.
3. What is stored is committed before the acknowledgement goes out.
4. The methods are those of MemoryArchive (toolcart/sim/toolsnet.py); ResultView is for people.
"""

from __future__ import annotations

import sqlite3
import threading

from toolcart.toolsnet import SCHEMA, SYSTEM_TYPES, is_behind, station_of, tightening_id_of

_SAME = "SystemType = ? AND System = ? AND Station = ? AND Sequence = ? AND Time = ?"
_EVENT_COLUMNS = "SystemType, System, Station, Sequence, Time, Code, Level"
_GRAPH_COLUMNS = (
    "SystemType, System, Station, Spindle, Program, Sequence, Time, GraphType, BitShift, FactorDom, "
    "FactorNom, SampleMs, Samples"
)
_RESULT_COLUMNS = (
    "SystemType, System, Station, Sequence, Time, VIN, Spindle, SpindleSerial, Program, Overall, "
    "TorqueLow, Torque, TorqueHigh, TorqueStatus, AngleLow, Angle, AngleHigh, AngleStatus, TimeStatus, "
    "TighteningId, OutOfOrder"
)


def _real(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class SqliteArchive:
    """See the module. All methods may be called from any thread."""

    def __init__(self, path: str = ":memory:") -> None:
        self.path = str(path)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        self._db.executemany("INSERT OR IGNORE INTO TNMapSystemType VALUES (?, ?)", SYSTEM_TYPES.items())
        self._mapped: set[tuple[int, ...]] = set()
        self._load_counters()

    def store_result(self, result: dict) -> bool:
        """Return True if it is new, False if it was stored before."""
        with self._lock, self._transaction():
            key = (*station_of(result), result["sequence"], result["time"])
            changed = self._db.execute(f"UPDATE Result SET Arrivals = Arrivals + 1 WHERE {_SAME}", key).rowcount
            if changed:
                self.repeated += 1
                return False
            self._insert_result(result, key)
            return True

    def store_event(self, event: dict) -> bool:
        with self._lock, self._transaction():
            key = (*station_of(event), event["sequence"], event["time"])
            changed = self._db.execute(f"UPDATE Event SET Arrivals = Arrivals + 1 WHERE {_SAME}", key).rowcount
            if changed:
                self.events_repeated += 1
                return False
            self._map_station(*key[:3])
            row = self._db.execute(
                f"INSERT INTO Event ({_EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*key, event["code"], event["level"]),
            ).lastrowid
            for parameter in event["parameters"]:
                values = (row, parameter["parameter_id"], parameter["type"], parameter["value"])
                self._db.execute("INSERT INTO EventParameter VALUES (?, ?, ?, ?)", values)
            self._latest_event[key[:3]] = event["sequence"]
            self.events_stored += 1
            return True

    def store_graph(self, graph: dict) -> None:
        with self._lock, self._transaction():
            self._db.execute(
                f"INSERT INTO Graph ({_GRAPH_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *station_of(graph),
                    graph["spindle"],
                    graph["program"],
                    graph["sequence"],
                    graph["time"],
                    graph["graph_type"],
                    graph["bit_shift"],
                    graph["factor_dom"],
                    graph["factor_nom"],
                    _real(graph["sample_ms"]),
                    graph["samples"],
                ),
            )
            self.graphs_stored += 1

    def describe_system(self, description: dict) -> None:
        with self._lock, self._transaction():
            values = (
                description["system_type"],
                description["system"],
                description["name"],
                description["ip"],
            )
            self._db.execute("INSERT OR REPLACE INTO TNMapSystem VALUES (?, ?, ?, ?)", values)

    def describe_station(self, description: dict) -> None:
        with self._lock, self._transaction():
            station = station_of(description)
            values = (*station, description["name"], description["ip"])
            self._map_system(*station[:2])
            self._db.execute("INSERT OR REPLACE INTO TNMapStation VALUES (?, ?, ?, ?, ?)", values)
            for spindle in description["spindles"]:
                values = (*station, spindle["spindle"], spindle["name"])
                self._db.execute("INSERT OR REPLACE INTO TNMapSpindle VALUES (?, ?, ?, ?, ?)", values)
                for program in spindle["programs"]:
                    values = (*station, spindle["spindle"], program["program"], program["name"])
                    self._db.execute("INSERT OR REPLACE INTO TNMapProgram VALUES (?, ?, ?, ?, ?, ?)", values)

    def latest_result(self, system_type: int, system: int, station: int) -> int:
        """Return the sequence number of the latest stored result, 0 for none."""
        return self._latest.get((system_type, system, station), 0)

    def latest_event(self, system_type: int, system: int, station: int) -> int:
        return self._latest_event.get((system_type, system, station), 0)

    def tightening_ids(self) -> list[int | None]:
        """Return the tightening IDs in order of arrival."""
        return [row[0] for row in self.query("SELECT TighteningId FROM Result ORDER BY ResultId")]

    def sequences(self) -> list[int]:
        return [row[0] for row in self.query("SELECT Sequence FROM Result ORDER BY ResultId")]

    def newest_tightening_id(self) -> int:
        """Return the tightening ID of the last result that has one, 0 for none."""
        rows = self.query("SELECT TighteningId FROM Result WHERE TighteningId NOT NULL ORDER BY ResultId DESC LIMIT 1")
        return rows[0][0] if rows else 0

    def query(self, sql: str, values: tuple = ()) -> list[tuple]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def restore_backup(self, forgotten: int) -> None:
        """Lose the last `forgotten` results, like a server restored from an older backup."""
        with self._lock, self._transaction():
            newest = "(SELECT ResultId FROM Result ORDER BY ResultId DESC LIMIT ?)"
            for table in ("ResultParameter", "ResultVIN", "Result"):
                self._db.execute(f"DELETE FROM {table} WHERE ResultId IN {newest}", (forgotten,))
        self._load_counters()

    def clear(self) -> None:
        """Turn into an empty database."""
        with self._lock, self._transaction():
            for table in ("ResultParameter", "ResultVIN", "Result", "EventParameter", "Event", "Graph"):
                self._db.execute(f"DELETE FROM {table}")
        self._load_counters()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)

    def _load_counters(self) -> None:
        self.stored, self.repeated, self.out_of_order = self.query(
            "SELECT COUNT(*), IFNULL(SUM(Arrivals - 1), 0), IFNULL(SUM(OutOfOrder), 0) FROM "
            "(SELECT Arrivals, OutOfOrder FROM Result GROUP BY SystemType, System, Station, Sequence, Time)"
        )[0]
        self.events_stored, self.events_repeated = self.query(
            "SELECT COUNT(*), IFNULL(SUM(Arrivals - 1), 0) FROM Event"
        )[0]
        self.graphs_stored = self.query("SELECT COUNT(*) FROM Graph")[0][0]
        station = "SystemType, System, Station"
        newest = f"SELECT {station}, Sequence, MAX({{0}}) FROM {{1}} GROUP BY {station}"
        self._latest = {row[:3]: row[3] for row in self.query(newest.format("ResultId", "Result"))}
        self._latest_event = {row[:3]: row[3] for row in self.query(newest.format("EventId", "Event"))}

    def _insert_result(self, result: dict, key: tuple) -> None:
        latest = self._latest.get(key[:3], 0)
        behind = bool(latest) and is_behind(result["sequence"], latest)
        tightening_id = tightening_id_of(result)
        first = None
        for spindle in result["spindles"]:
            self._map_program(*key[:3], spindle["spindle"], spindle["program"])  # type: ignore
            values = (
                *key,
                result["vin"].strip(),
                spindle["spindle"],
                spindle["serial"].strip(),
                spindle["program"],
                spindle["overall"],
                _real(spindle["torque_low"]),
                _real(spindle["torque"]),
                _real(spindle["torque_high"]),
                spindle["torque_status"],
                _real(spindle["angle_low"]),
                _real(spindle["angle"]),
                _real(spindle["angle_high"]),
                spindle["angle_status"],
                spindle["time_status"],
                tightening_id,
                int(behind),
            )
            marks = ", ".join("?" * len(values))
            row = self._db.execute(f"INSERT INTO Result ({_RESULT_COLUMNS}) VALUES ({marks})", values).lastrowid
            first = first or row
        for vin in result["vins"]:
            values = (first, vin["identifier"], vin["vin"])
            self._db.execute("INSERT OR REPLACE INTO ResultVIN VALUES (?, ?, ?)", values)
        names = ("spindle", "program", "parameter_id", "name", "value", "type", "unit", "step")
        rows = [(first, *(parameter[name] for name in names)) for parameter in result["parameters"]]
        self._db.executemany("INSERT INTO ResultParameter VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._latest[key[:3]] = result["sequence"]
        self.stored += 1
        self.out_of_order += behind

    # The map: default names until a description arrives (004:387, Appendix B's note)

    def _map_system(self, system_type: int, system: int) -> None:
        if (system_type, system) not in self._mapped:
            self._mapped.add((system_type, system))
            name = f"System type {system_type}"
            self._db.execute("INSERT OR IGNORE INTO TNMapSystemType VALUES (?, ?)", (system_type, name))
            values = (system_type, system, f"System {system}")
            self._db.execute("INSERT OR IGNORE INTO TNMapSystem (SystemType, System, Name) VALUES (?, ?, ?)", values)

    def _map_station(self, system_type: int, system: int, station: int) -> None:
        if (system_type, system, station) not in self._mapped:
            self._map_system(system_type, system)
            self._mapped.add((system_type, system, station))
            values = (system_type, system, station, f"Station {station}")
            sql = "INSERT OR IGNORE INTO TNMapStation (SystemType, System, Station, Name) VALUES (?, ?, ?, ?)"
            self._db.execute(sql, values)

    def _map_program(self, system_type: int, system: int, station: int, spindle: int, program: int) -> None:
        place = (system_type, system, station, spindle, program)
        if place not in self._mapped:
            self._map_station(*place[:3])
            self._mapped.add(place)
            values = (*place[:4], f"Spindle {spindle}")
            self._db.execute("INSERT OR IGNORE INTO TNMapSpindle VALUES (?, ?, ?, ?, ?)", values)
            values = (*place, f"Program {program}")
            self._db.execute("INSERT OR IGNORE INTO TNMapProgram VALUES (?, ?, ?, ?, ?, ?)", values)


class _Transaction:
    """Commits at the end, or rolls everything back."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
