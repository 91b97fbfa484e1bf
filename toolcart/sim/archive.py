"""ToolsNet's archive as an SQLite file: a map of systems and stations, every result once, easy to query.

Rules:
1. The map's tables have the document's names (004 section 6). Entries are made from arriving results, with default
   names like "Station 10", and renamed by telegrams 01 and 02.
2. A result with the same system type, system, station, sequence and time stamp is stored once; its row counts
   the arrivals.
3. What is stored is committed before the acknowledgement goes out.
4. ResultView is for people.
"""

from __future__ import annotations

import sqlite3
import threading

from toolcart.toolsnet import SCHEMA, SYSTEM_TYPES, is_behind, station_of, tightening_id_of

_SAME = "SystemType = ? AND System = ? AND Station = ? AND Sequence = ? AND Time = ?"
_LEVELS = ("SystemType", "System", "Station", "Spindle", "Program")  # of the map, one in the other
_PLACE = _LEVELS[:3]


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
        self._db = sqlite3.connect(self.path, check_same_thread=False, isolation_level="IMMEDIATE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        with self._db:
            self._db.executemany("INSERT OR IGNORE INTO TNMapSystemType VALUES (?, ?)", SYSTEM_TYPES.items())
        self._mapped: set[tuple[int, ...]] = set()
        self._load_counters()

    def store_result(self, result: dict) -> bool:
        """Return True if it is new, False if it was stored before."""
        with self._lock, self._db:
            if self._came_again("Result", result):
                self.repeated += 1
                return False
            self._insert_result(result)
            return True

    def store_event(self, event: dict) -> bool:
        with self._lock, self._db:
            if self._came_again("Event", event):
                self.events_repeated += 1
                return False
            place = station_of(event)
            self._map(*place)
            row = self._insert("Event", event, Code=event["code"], Level=event["level"])
            for parameter in event["parameters"]:
                values = (row, parameter["parameter_id"], parameter["type"], parameter["value"])
                self._db.execute("INSERT INTO EventParameter VALUES (?, ?, ?, ?)", values)
            self._latest_event[place] = event["sequence"]
            self.events_stored += 1
            return True

    def store_graph(self, graph: dict) -> None:
        with self._lock, self._db:
            self._insert(
                "Graph",
                graph,
                Spindle=graph["spindle"],
                Program=graph["program"],
                GraphType=graph["graph_type"],
                BitShift=graph["bit_shift"],
                FactorDom=graph["factor_dom"],
                FactorNom=graph["factor_nom"],
                SampleMs=_real(graph["sample_ms"]),
                Samples=graph["samples"],
            )
            self.graphs_stored += 1

    def _came_again(self, table: str, record: dict) -> bool:
        """Count one more arrival of a stored record; False if it is new."""
        key = (*station_of(record), record["sequence"], record["time"])
        return self._db.execute(f"UPDATE {table} SET Arrivals = Arrivals + 1 WHERE {_SAME}", key).rowcount > 0

    def _insert(self, table: str, record: dict, **columns: object) -> int | None:
        """Insert a record with its place, sequence and time; return its row."""
        columns.update(zip(_PLACE, station_of(record), strict=True))
        columns |= {"Sequence": record["sequence"], "Time": record["time"]}
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        return self._db.execute(sql, tuple(columns.values())).lastrowid

    def describe_system(self, description: dict) -> None:
        with self._lock, self._db:
            place = (description["system_type"], description["system"])
            self._name("REPLACE", place, description["name"], description["ip"])

    def describe_station(self, description: dict) -> None:
        with self._lock, self._db:
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
        with self._lock, self._db:
            newest = "(SELECT ResultId FROM Result ORDER BY ResultId DESC LIMIT ?)"
            for table in ("ResultParameter", "ResultVIN", "Result"):
                self._db.execute(f"DELETE FROM {table} WHERE ResultId IN {newest}", (forgotten,))
        self._load_counters()

    def clear(self) -> None:
        """Turn into an empty database."""
        with self._lock, self._db:
            for table in ("ResultParameter", "ResultVIN", "Result", "EventParameter", "Event", "Graph"):
                self._db.execute(f"DELETE FROM {table}")
        self._load_counters()

    def close(self) -> None:
        with self._lock:
            self._db.close()

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

    def _insert_result(self, result: dict) -> None:
        place = station_of(result)
        latest = self._latest.get(place, 0)
        behind = bool(latest) and is_behind(result["sequence"], latest)
        tightening_id = tightening_id_of(result)
        first = None
        for spindle in result["spindles"]:
            self._map(*place, spindle["spindle"], spindle["program"])
            row = self._insert(
                "Result",
                result,
                VIN=result["vin"].strip(),
                Spindle=spindle["spindle"],
                SpindleSerial=spindle["serial"].strip(),
                Program=spindle["program"],
                Overall=spindle["overall"],
                TorqueLow=_real(spindle["torque_low"]),
                Torque=_real(spindle["torque"]),
                TorqueHigh=_real(spindle["torque_high"]),
                TorqueStatus=spindle["torque_status"],
                AngleLow=_real(spindle["angle_low"]),
                Angle=_real(spindle["angle"]),
                AngleHigh=_real(spindle["angle_high"]),
                AngleStatus=spindle["angle_status"],
                TimeStatus=spindle["time_status"],
                TighteningId=tightening_id,
                OutOfOrder=int(behind),
            )
            first = first or row
        for vin in result["vins"]:
            values = (first, vin["identifier"], vin["vin"])
            self._db.execute("INSERT OR REPLACE INTO ResultVIN VALUES (?, ?, ?)", values)
        names = ("spindle", "program", "parameter_id", "name", "value", "type", "unit", "step")
        rows = [(first, *(parameter[name] for name in names)) for parameter in result["parameters"]]
        self._db.executemany("INSERT INTO ResultParameter VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._latest[place] = result["sequence"]
        self.stored += 1
        self.out_of_order += behind

    # The map: default names until a description arrives (004:387, Appendix B's note)

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
        self._db.execute(sql, (*place, name, *ip))
