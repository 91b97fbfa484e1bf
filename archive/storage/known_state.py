"""What a writer knows of the database before it writes: from memory if it is the only one, else read under a lock.

    begin(connection)            at the start, and after a commit that failed
    before(connection, taken)    first in a transaction: brings the numbers and the stations' latest up to date
    numbers, latest              the last number of each table; a station's latest result and event
    learn(numbers, latest)       the commit has returned

Rules
1. Alone: nothing else writes these (toolcart.archive.database.database, rule 3), so what was committed is known.
2. Shared: a lock of the database, which a transaction holds until it ends, puts the commits in order. So numbers rise
   in the order in which rows become visible, and a repeat is found after its station has moved to another server.
3. The database throws out a holder of the lock that says nothing for LOCK_TIMEOUT: a machine that lost its power holds
   up the others for that long. Nobody waits longer for the lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Table, func, select, text, tuple_

from toolcart.archive.database import tables as t
from toolcart.archive.database.tables import Station
from toolcart.toolsnet.records import station_of

LOCK_TIMEOUT = "10s"
_TURN_NUMBER = 0x7475726E  # "turn": the advisory lock's number
_NUMBERED = (t.RESULT, t.EVENT, t.GRAPH)
_TURN = text(
    f"SELECT set_config('lock_timeout', '{LOCK_TIMEOUT}', true), "
    f"set_config('idle_in_transaction_session_timeout', '{LOCK_TIMEOUT}', true)"
)
_STATION = t.STATION.c
_KEY = tuple(t.STATION.primary_key.columns)
_LATEST = select(*_KEY, _STATION.Result, _STATION.Event)

Latest = dict[Station, tuple[int, int]]


def numbers_of(connection: Connection) -> dict[Table, int]:
    """Return the last number of each table that has numbers."""
    newest = {table: select(func.max(table.primary_key.columns[0])) for table in _NUMBERED}
    return {table: connection.execute(statement).scalar() or 0 for table, statement in newest.items()}


def latest_of(connection: Connection, stations: Iterable[Station]) -> Latest:
    """Return the sequences of these stations' latest result and event; a station that is not known is left out."""
    wanted = tuple_(*_KEY).in_(list(stations))
    return {tuple(row[:3]): (row[3], row[4]) for row in connection.execute(_LATEST.where(wanted))}


class KnownState:
    """Nothing else writes."""

    def __init__(self) -> None:
        self.numbers: dict[Table, int] = {}
        self.latest: Latest = {}

    def begin(self, connection: Connection) -> None:
        """Read everything."""
        self.numbers = numbers_of(connection)
        self.latest = {tuple(row[:3]): (row[3], row[4]) for row in connection.execute(_LATEST)}

    def before(self, connection: Connection, taken: list) -> None:
        """Do nothing: all is known."""

    def learn(self, numbers: Mapping[Table, int], latest: Latest) -> None:
        """Remember what was committed."""
        self.numbers = dict(numbers)
        self.latest.update(latest)


class SharedState(KnownState):
    """Other servers write as well: nothing is known beyond a transaction."""

    def begin(self, connection: Connection) -> None:
        """Do nothing."""

    def before(self, connection: Connection, taken: list) -> None:
        """Wait for the lock, then read."""
        connection.execute(_TURN)
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _TURN_NUMBER})
        self.numbers = numbers_of(connection)
        self.latest = latest_of(connection, {station_of(fields) for kind, fields, *_ in taken if kind != "01"})

    def learn(self, numbers: Mapping[Table, int], latest: Latest) -> None:
        """Do nothing: another server may write next."""
