"""Which results and events are new, without asking the database: those later than all of their station's.

Rules
1. It relies on nothing else writing to the database (toolcart.archive.database, rule 3): it is read from there at the
   start and after each failed commit, and learns from each commit.
2. Those that have the newest time itself are told apart by sequence, as long as there are at most SEQUENCES_MOST.
3. Whatever is not known to be new has to be looked up.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Table, and_, func, select

from toolcart.archive import tables as t
from toolcart.archive.rows import Key

SEQUENCES_MOST = 100
_OF_STATION = t.RESULT_KEY[:3]


class Newest:
    """The newest times of all stations in one table."""

    def __init__(self, connection: Connection, table: Table) -> None:
        same = and_(*[table.c[name] == t.STATION.c[name] for name in _OF_STATION])
        time = select(func.max(table.c.Time)).where(same).correlate(t.STATION).scalar_subquery()
        station = t.STATION.c
        asked = select(station.SystemType, station.System, station.Station, time)
        # None for the sequences: those with this time are not known.
        self._of: dict[tuple, tuple[str, set[int] | None]] = {
            tuple(row[:3]): (row[3], None) for row in connection.execute(asked) if row[3] is not None
        }

    def is_new(self, key: Key) -> bool:
        """True if this is certainly not in the table."""
        told = self._of.get(key[:3])
        if told is None:
            return True
        time, sequences = told
        return key[4] > time or (key[4] == time and sequences is not None and key[3] not in sequences)

    def learn(self, keys: Iterable[Key]) -> None:
        """Note that these are in the table now."""
        for key in keys:
            told = self._of.get(key[:3])
            if told is None or key[4] > told[0]:
                self._of[key[:3]] = (key[4], {key[3]})
            elif key[4] == told[0] and told[1] is not None:
                told[1].add(key[3])
                if len(told[1]) > SEQUENCES_MOST:
                    self._of[key[:3]] = (key[4], None)
