"""What all connections of a server share: who is connected, who speaks for which station, what waits for its commit.

admit, claim_station, release_station    a connection takes its place, begins and stops to speak for a station
settle                                   what became of a telegram, from the writer's thread to its connection
note                                     a breach of the document
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from toolcart.archive.database.tables import Station
from toolcart.archive.server.connection_limits import ConnectionLimits
from toolcart.archive.server.pim_answers import InProcessServer, RegisteredServers
from toolcart.archive.server.unknown_connections import UnknownConnections
from toolcart.archive.storage.writer import Writer
from toolcart.base.terminal_safe import visible
from toolcart.toolsnet.telegrams import Breach

SILENCE_S = 60.0
CLIENTS_MOST = 5000
FROM_ONE_MOST = 2000  # connections from one address: a host that opens too many leaves room for the others
INLET_BYTES = 16384  # read at once

_INDEX = re.compile(r"\[\d+\]")


class Client(Protocol):
    """What is asked of a connection."""

    host: str
    peer: str

    def abort(self) -> None: ...

    def close(self) -> None: ...

    def drain(self) -> None: ...


class Reporter(Client, Protocol):
    """What is asked of a connection that reports for a station."""

    station: Station | None
    connected_s: float
    last_telegram_s: float

    def stored(self, kind: str, fields: dict, octets: int, outcome: str) -> None: ...


class ServerState:
    """What PIM and server know, and each of their connections uses."""

    def __init__(
        self,
        writer: Writer,
        announced_host: str,
        say: Callable[[str], None] = lambda text: None,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.writer = writer
        self.pim: InProcessServer | RegisteredServers = InProcessServer(writer, announced_host)
        self.say = say
        self.silence_s = silence_s
        self.started_s = time.time()
        self.loop = asyncio.get_running_loop()
        self.connection_limits: ConnectionLimits[Client] = ConnectionLimits(CLIENTS_MOST, FROM_ONE_MOST)
        self.unknown_connections = UnknownConnections(self.loop)
        self.refused = 0
        self.breaches = 0
        self.turned_away = 0  # connections for which there was no room, or that were closed to make some
        self.unread = 0  # connections reset because the other side does not read
        self.uncommitted = 0  # bytes
        self.inlet = memoryview(bytearray(INLET_BYTES))  # shared by all connections; what is read is copied at once
        self._reporters: dict[Station, Reporter] = {}  # the last to speak for each station
        self._identifier = 0
        self._settled: deque[tuple[Reporter, str, dict, int, str]] = deque()
        self._wake_scheduled = False

    def next_identifier(self) -> int:
        """Return a new identifier for a telegram of ours."""
        self._identifier = self._identifier % 99999 + 1
        return self._identifier

    def settle(self, client: Reporter, kind: str, fields: dict, octets: int, outcome: str) -> None:
        """Note what became of a client's telegram; called by the writer's thread. Wakes the loop once for many."""
        self._settled.append((client, kind, fields, octets, outcome))
        if not self._wake_scheduled:
            self._wake_scheduled = True
            self.loop.call_soon_threadsafe(self._deliver_outcomes)

    def _deliver_outcomes(self) -> None:
        self._wake_scheduled = False  # first: whatever is settled from now on wakes the loop again
        while self._settled:
            client, kind, fields, octets, outcome = self._settled.popleft()
            self.uncommitted -= octets
            client.stored(kind, fields, octets, outcome)

    def admit(self, client: Client) -> None:
        """Take a connection; reset the one that loses its place for it, which may be itself."""
        out = self.connection_limits.take(client, client.host)
        if out is not None:
            self.turned_away += 1
            out.abort()

    def claim_station(self, client: Reporter, station: Station, telegram: str) -> None:
        """Note that a connection speaks for a station; if a station elsewhere has the same number, that is a breach."""
        other = self._reporters.get(station)
        if other is not None and _overlap(other, client):
            place = "/".join(map(str, station))
            allowed = f"a number of its own; one at {other.host} has it too"
            self.note(client.peer, telegram, Breach("station", 0, place, allowed))
        if client.station != station:
            self.release_station(client)
        client.station = station
        self._reporters[station] = client

    def release_station(self, client: Reporter) -> None:
        """Note that a connection no longer speaks for its station."""
        if client.station and self._reporters.get(client.station) is client:
            del self._reporters[client.station]

    def note(self, peer: str, telegram: str, breach: Breach) -> None:
        """Count a breach of the document; store and log it if it is the first of its kind for a while."""
        self.breaches += 1
        kind = (peer.rpartition(":")[0], telegram, _INDEX.sub("[]", breach.field))
        if self.writer.note_breach(kind, peer, visible(telegram), breach):
            self.say(f"{peer}: telegram {visible(telegram)}: {visible(str(breach))}")


def _overlap(earlier: Reporter, later: Reporter) -> bool:
    """True if they come from two hosts, and the earlier one has spoken since the later one connected."""
    return earlier.host != later.host and earlier.last_telegram_s > later.connected_s
