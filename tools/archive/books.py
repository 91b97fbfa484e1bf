"""What a simulated plant asks of an archive in an SQLite file; nothing but Python's own library is needed for it.

Rules
1. Everything here only reads, by a connection of its own, while the archive writes or is dead.
2. Complaints are the rows of Breach: what came and broke the document.
"""

from __future__ import annotations

import sqlite3
import threading

_BUSY_S = 10.0


class Books:
    """The books of the archive in this file, which has to be there. Any thread may ask."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._lock = threading.Lock()
        self._reads = sqlite3.connect(place, _BUSY_S, check_same_thread=False, isolation_level=None)
        self._reads.execute("PRAGMA query_only=ON")

    @property
    def stored(self) -> int:
        """How many rows of results there are."""
        return self.query("SELECT COUNT(*) FROM Result")[0][0]

    @property
    def repeated(self) -> int:
        """How many arrivals were none of a new result."""
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

    def tightening_ids(self) -> list[int | None]:
        """The tightening IDs in order of arrival."""
        return [row[0] for row in self.query("SELECT TighteningId FROM Result ORDER BY ResultId")]

    def newest_tightening_id(self) -> int:
        """The tightening ID of the last result that has one, 0 for none."""
        rows = self.query("SELECT TighteningId FROM Result WHERE TighteningId NOT NULL ORDER BY ResultId DESC LIMIT 1")
        return rows[0][0] if rows else 0

    def query(self, sql: str, values: tuple = ()) -> list[tuple]:
        """Rows by SQL."""
        with self._lock:
            return self._reads.execute(sql, values).fetchall()

    def close_books(self) -> None:
        """Give the file back."""
        self._reads.close()
