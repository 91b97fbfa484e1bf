"""Which results a client has acknowledged: on disk, in a file beside the archive's database.

Rules
1. By the specification the one client that stores the results acknowledges them (OPC 40001-101, 7.2.1; 40450-1,
   7.5.4), so there is one state for each joining system, not for each client.
2. Results that existed when the file was made count as acknowledged: `RequestResults` has them. Each station's floor
   rises over what is acknowledged without a hole; what lies above it is stored as numbers.
3. The archive's own database is not written: it has one writer, which nothing may hold up (tools.archive.database).
4. Numbers go back when a database is restored from an older copy: floors follow, so new results are unacknowledged.
5. An acknowledgement is answered after the synced commit.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence

Station = tuple[int, int, int]

_TABLES = """
CREATE TABLE IF NOT EXISTS Whole (One INTEGER PRIMARY KEY CHECK (One = 1), Base INTEGER NOT NULL, Newest INTEGER);
CREATE TABLE IF NOT EXISTS Station (Place TEXT PRIMARY KEY, Floor INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS Acknowledged (Place TEXT, ResultId INTEGER, PRIMARY KEY (Place, ResultId)) WITHOUT ROWID;
"""
_SETTINGS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000")


class Unusable(Exception):
    """The file cannot be used; the text says why."""


class Taken:
    """The file; every method may be called from any thread."""

    def __init__(self, file: str) -> None:
        try:
            self._held = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._file = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
            for setting in _SETTINGS:
                self._file.execute(f"PRAGMA {setting}")
            self._file.executescript(_TABLES)
        except BlockingIOError:
            raise Unusable(
                f"{file}: another OPC UA server keeps its acknowledgements there; name another file"
            ) from None
        except (OSError, sqlite3.Error) as wrong:
            raise Unusable(f"{file}: {getattr(wrong, 'strerror', None) or wrong}") from None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        os.close(self._held)

    def begin(self, newest: int) -> bool:
        """Take the archive's last number; True if it went back below one acknowledged, or below the file's first."""
        with self._lock, self._file:
            self._file.execute("BEGIN IMMEDIATE")
            row = self._file.execute("SELECT Newest FROM Whole").fetchone()
            if row is None:
                self._file.execute("INSERT INTO Whole VALUES (1, ?, ?)", (newest, newest))
                return False
            went_back = newest < row[0]
            if went_back:
                self._file.execute("UPDATE Whole SET Base = min(Base, ?)", (newest,))
                self._file.execute("UPDATE Station SET Floor = min(Floor, ?)", (newest,))
                self._file.execute("DELETE FROM Acknowledged WHERE ResultId > ?", (newest,))
                self._file.execute("UPDATE Whole SET Newest = ?", (newest,))
            return went_back

    def floor(self, station: Station) -> int:
        """Return the number up to which all results of the station count as acknowledged."""
        with self._lock:
            row = self._file.execute("SELECT Floor FROM Station WHERE Place = ?", (_place(station),)).fetchone()
            return row[0] if row else self._file.execute("SELECT Base FROM Whole").fetchone()[0]

    def unacknowledged(self, station: Station, numbers: Sequence[int]) -> list[int]:
        """Return those numbers that are not acknowledged; `numbers` are ascending and above the floor."""
        if not numbers:
            return []
        asked = "SELECT ResultId FROM Acknowledged WHERE Place = ? AND ResultId BETWEEN ? AND ?"
        with self._lock:
            rows = self._file.execute(asked, (_place(station), numbers[0], numbers[-1])).fetchall()
        had = {row[0] for row in rows}
        return [number for number in numbers if number not in had]

    def acknowledge(self, station: Station, numbers: Iterable[int]) -> None:
        """Remember these; repeats make no difference."""
        place, floor = _place(station), self.floor(station)
        rows = [(place, number) for number in numbers if number > floor]
        with self._lock, self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("INSERT OR IGNORE INTO Acknowledged VALUES (?, ?)", rows)
            newest = max((number for _, number in rows), default=0)  # no floor is above it: `begin` relies on that
            self._file.execute("UPDATE Whole SET Newest = max(Newest, ?)", (newest,))

    def advance(self, station: Station, numbers: Sequence[int]) -> bool:
        """Raise the floor over the station's next numbers as far as they are acknowledged; True if over all of them."""
        left = self.unacknowledged(station, numbers)
        passed = [number for number in numbers if not left or number < left[0]]
        if passed:
            with self._lock, self._file:
                self._file.execute("BEGIN IMMEDIATE")
                self._file.execute("INSERT OR REPLACE INTO Station VALUES (?, ?)", (_place(station), passed[-1]))
                asked = "DELETE FROM Acknowledged WHERE Place = ? AND ResultId <= ?"
                self._file.execute(asked, (_place(station), passed[-1]))
        return bool(passed) and not left


def _place(station: Station) -> str:
    return "/".join(str(number) for number in station)
