"""What a PIM answers to a station's 07: where its server is and what is stored from it.

    ask(station, reply)   calls `reply(answer)` on the loop; None if there is no answer to give

Rules
1. With its server in the same process a PIM knows at once (InProcessServer). With several servers (RegisteredServers)
   it asks the database, once for all stations that wait: what another server stored a moment ago is in the 08.
2. Without a server or the database, no station is answered: it asks again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Engine

from toolcart.archive.database.database import first_line
from toolcart.archive.database.tables import Station
from toolcart.archive.server import servers
from toolcart.archive.storage import known_state
from toolcart.archive.storage.writer import Writer

REPORT_EVERY_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What an 08 says."""

    result: int
    event: int
    host: str
    port: int


Reply = Callable[[Answer | None], None]


class InProcessServer:
    """The server is in this process."""

    def __init__(self, writer: Writer, host: str) -> None:
        self._writer = writer
        self.host = host
        self.port = 0

    def ask(self, station: Station, reply: Reply) -> None:
        """Answer at once."""
        reply(Answer(*self._writer.latest(station), self.host, self.port))


class RegisteredServers:
    """The servers are those in the database."""

    def __init__(self, engine: Engine, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[Station, Reply]] = []
        self._asks: asyncio.Task | None = None
        self._reported_s = -REPORT_EVERY_S

    def ask(self, station: Station, reply: Reply) -> None:
        """Answer soon, together with all that are waiting by then."""
        self._waiting.append((station, reply))
        if self._asks is None:
            self._asks = self._loop.create_task(self._ask())

    async def _ask(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            try:
                live, latest = await asyncio.to_thread(self._read, {station for station, _ in taken})
            except Exception as wrong:  # whatever it is: go on with the next ones
                live, latest = [], {}
                self._trouble(f"the database does not answer: {first_line(wrong)}")
            else:
                if not live:
                    self._trouble("no server is there: start one with `toolcart archive serve --role server`")
            for station, reply in taken:
                server = servers.of_station(live, station)
                result, event = latest.get(station, (0, 0))
                reply(Answer(result, event, server.host, server.port) if server else None)
        self._asks = None

    def _read(self, stations: Iterable[Station]) -> tuple[list[servers.Server], known_state.Latest]:
        with self._engine.connect() as connection:
            return servers.live(connection), known_state.latest_of(connection, stations)

    def _trouble(self, text: str) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_s >= REPORT_EVERY_S:
            self._reported_s = now_s
            self._say(f"stations are not answered: {text}")
