"""Which of several servers on one database takes a station: all PIMs and servers find the same one independently.

Rules
1. A server reports every BEAT_S that it is there, by the database's clock. One silent for GONE_S gets no stations.
2. A station's server is the one with the highest hash of both (rendezvous hashing): each has as many. When a server
   goes, only its stations move, to all others; they come back when it does.
3. Where a station reports does not matter to what is stored: any server stores any station's results once
   (toolcart.archive.storage.known_state). So a wrong choice costs a connection, never a result.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from toolcart.archive.database.tables import Station

BEAT_S = 2.0
GONE_S = 8.0
_NOW = "extract(epoch FROM clock_timestamp())"
_SILENT = f'abs({_NOW} - "Seen")'  # one that will be seen died before the clock was set back
_LIVE = f'SELECT "Host", "Port" FROM "Server" WHERE {_SILENT} < :gone'
_BEAT = f'INSERT INTO "Server" VALUES (:host, :port, {_NOW}) ON CONFLICT ("Host", "Port") DO UPDATE SET "Seen" = {_NOW}'
_LEAVE = 'DELETE FROM "Server" WHERE "Host" = :host AND "Port" = :port'
_ALL = f'SELECT "Host", "Port", {_SILENT} AS "Silent" FROM "Server" ORDER BY 1, 2'


@dataclass(frozen=True)
class Server:
    """A server as an 08 names it."""

    host: str
    port: int


def of_station(servers: Sequence[Server], station: Station) -> Server | None:
    """Return the server that this station belongs to; None if there is no server."""
    return max(servers, key=lambda server: (_score(server, station), server.host, server.port), default=None)


def _score(server: Server, station: Station) -> bytes:
    return hashlib.blake2b(f"{station} {server.host}:{server.port}".encode(), digest_size=8).digest()


def live(connection: Connection) -> list[Server]:
    """Return the servers that take stations now."""
    return [Server(*row) for row in connection.execute(text(_LIVE), {"gone": GONE_S})]


def all_of(connection: Connection) -> list[dict]:
    """Return every server that has not ended by itself, with the seconds since it was last seen."""
    return [dict(row) for row in connection.execute(text(_ALL)).mappings()]


class Member:
    """One server among others: a thread reports that it is there and finds out which others are.

    That thread calls `on_beat` with the servers that are there.
    """

    def __init__(self, engine: Engine, myself: Server, on_beat: Callable[[list[Server]], None]) -> None:
        self._engine = engine
        self._me = {"host": myself.host, "port": myself.port}
        self._on_beat = on_beat
        self._ended = threading.Event()
        with engine.begin() as connection:
            connection.execute(text(_BEAT), self._me)
        self._thread = threading.Thread(target=self._run, name="member", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Have no PIM name this server any more; if the database does not answer, that takes GONE_S."""
        self._ended.set()
        self._thread.join()
        with suppress(SQLAlchemyError), self._engine.begin() as connection:
            connection.execute(text(_LEAVE), self._me)

    def _run(self) -> None:
        while not self._ended.wait(BEAT_S):
            try:
                with self._engine.begin() as connection:
                    connection.execute(text(_BEAT), self._me)
                    live_servers = live(connection)
            except SQLAlchemyError:
                continue  # the silence is enough; the writer reports why
            self._on_beat(live_servers)
