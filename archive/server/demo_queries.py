"""What a simulated plant asks this archive; needs only Python's own library.

1. Everything here is read-only, on a connection of its own, whether the archive is writing or dead.
2. Complaints are the rows of Breach: what arrived and broke the document.
"""

from __future__ import annotations

import sqlite3
import threading
from functools import cached_property

_BUSY_S = 10.0


class ArchiveBooks:
    """The books of the archive in this file, which must exist once somebody asks. Any thread may ask."""

    def __init__(self, place: str) -> None:
        self.place = str(place)
        self.lock = threading.RLock()

    @cached_property
    def db(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.place, _BUSY_S, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA query_only=ON")
        return connection

    def query(self, sql: str, values: tuple = ()) -> list[tuple]:
        with self.lock:
            return self.db.execute(sql, values).fetchall()

    def tightening_ids(self) -> list[int | None]:
        """Return the tightening IDs in order of arrival."""
        return [row[0] for row in self.query("SELECT TighteningId FROM Result ORDER BY ResultId")]

    def newest_tightening_id(self) -> int:
        """Return the tightening ID of the last result that has one, 0 if none has."""
        rows = self.query("SELECT TighteningId FROM Result WHERE TighteningId NOT NULL ORDER BY ResultId DESC LIMIT 1")
        return rows[0][0] if rows else 0

    @property
    def stored(self) -> int:
        """How many rows of results there are."""
        return self.query("SELECT COUNT(*) FROM Result")[0][0]

    @property
    def repeated(self) -> int:
        """How many arrivals were repeats of a result."""
        return self.query("SELECT COALESCE(SUM(Arrivals - 1), 0) FROM Result")[0][0]

    @property
    def out_of_order(self) -> int:
        """How many results came behind a later one."""
        return self.query("SELECT COALESCE(SUM(Behind), 0) FROM Result")[0][0]

    @property
    def breaches(self) -> list[str]:
        """What broke the document, in words."""
        rows = self.query("SELECT Telegram, Field, Found, Allowed FROM Breach ORDER BY BreachId")
        return [f"telegram {row[0].strip()}: {row[1]} is {row[2]}, allowed: {row[3]}" for row in rows]

    def close_books(self) -> None:
        self.db.close()
