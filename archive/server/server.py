"""PIM and server as one asyncio program: it opens the ports, and ends the connections.

Rules
1. `listen` opens the ports; what comes in is a connection of toolcart.archive.server.connections, or of what is
   handed in for one.
2. `reset_all` ends every connection by a reset, `drain` answers what was sent, `close` commits what was taken.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable

from toolcart.archive.database.tables import Station
from toolcart.archive.server import connections
from toolcart.archive.server.pim_answers import InProcessServer
from toolcart.archive.server.server_state import CLIENTS_MOST, ServerState
from toolcart.archive.server.tls import HANDSHAKE_S
from toolcart.base.open_files import require

FILES_WANTED = 16384
FILES_FOR_OTHERS = 200  # the database, the pages, the log
BACKLOG = 1024  # connections waiting to be accepted
ACCEPTED_AT_ONCE = 8  # of them; each takes about 0.2 ms, during which no result is answered
FOREIGN_DRAINED_AT_ONCE = 50  # connections of stations that belong to another server
DRAINED_IN_S = 10.0


class ArchiveServer:
    """The ports and all connections of a process; what these share is its `state`."""

    def __init__(
        self,
        state: ServerState,
        pim_client: Callable[[ServerState], connections.PimClient] = connections.PimClient,
        server_client: Callable[[ServerState], connections.ServerClient] = connections.ServerClient,
    ) -> None:
        self.state = state
        self._pim_client = pim_client
        self._server_client = server_client
        self._tls: ssl.SSLContext | None = None
        self._listeners: list[asyncio.Server] = []

    async def listen(
        self, host: str, pim_port: int | None, server_port: int | None, tls: ssl.SSLContext | None = None
    ) -> tuple[int, int]:
        """Open the ports (0: any free one, None: not opened) and return them; OSError if one cannot be opened.

        TooFewFiles if no connection could be taken.
        """
        state = self.state
        self._tls = tls
        files = require(FILES_FOR_OTHERS + 1, "the archive needs", FILES_WANTED)
        state.connection_limits.most = min(CLIENTS_MOST, files - FILES_FOR_OTHERS)
        opened = 0 if server_port is None else await self._open(self._server_client, host, server_port)
        if isinstance(state.pim, InProcessServer):
            state.pim.port = opened
        return (0 if pim_port is None else await self._open(self._pim_client, host, pim_port)), opened

    async def _open(self, client: Callable[[ServerState], connections.Client], host: str, port: int) -> int:
        how: dict = {"backlog": ACCEPTED_AT_ONCE}
        if self._tls is not None:
            how.update(ssl=self._tls, ssl_handshake_timeout=HANDSHAKE_S)
        listener = await self.state.loop.create_server(lambda: client(self.state), host, port, **how)
        self._listeners.append(listener)
        for listening in listener.sockets:  # the loop accepts `backlog` at once; let more wait
            with socket.socket(fileno=os.dup(listening.fileno())) as same:
                same.listen(BACKLOG)
        return listener.sockets[0].getsockname()[1]

    def _stop_listening(self) -> None:
        while self._listeners:
            self._listeners.pop().close()

    async def reset_all(self) -> None:
        """Reset every connection (RST) and free the ports; `listen` opens them again."""
        self._stop_listening()
        for client in list(self.state.connection_limits):
            client.abort()
        await asyncio.sleep(0)

    def drain_foreign_stations(self, is_mine: Callable[[Station], bool]) -> None:
        """End some connections of stations that belong to another server; their PIM sends them there."""
        left = FOREIGN_DRAINED_AT_ONCE
        for client in list(self.state.connection_limits):
            if left and isinstance(client, connections.ServerClient) and client.station and not is_mine(client.station):
                client.drain()
                left -= 1

    async def drain(self) -> None:
        """Accept no more connections, and end each one when what it has sent is answered."""
        self._stop_listening()
        loop = self.state.loop
        until = loop.time() + DRAINED_IN_S
        while len(self.state.connection_limits) and loop.time() < until:
            for client in list(self.state.connection_limits):
                client.drain()
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Close every connection; return when everything taken is committed."""
        self._stop_listening()
        for client in list(self.state.connection_limits):
            client.close()
        await asyncio.sleep(0)
        await asyncio.to_thread(self.state.writer.close)
