"""What all commands that serve pages have in common: a socket bound before uvicorn starts, its address, limits.

It is bound first so that a port in use is reported in words, and the number that port 0 became can be shown.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

ENDING_S = 2  # how long an answer may still take at the end


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """Return a socket that listens there; OSError if that fails."""
    family, kind, number, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, number)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
        made.listen(backlog)
    except OSError:
        made.close()
        raise
    return made


def address(listening: socket.socket, host: str = "") -> str:
    """Return the address for a browser, with `host` or the address that the socket is bound to."""
    bound, port = listening.getsockname()[:2]
    host = host or bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def config(app, connections: int) -> uvicorn.Config:
    """Return uvicorn's settings for `app` with at most so many connections."""
    return uvicorn.Config(
        app,
        http=WebProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # it would trust any client on this machine
        limit_concurrency=connections,
        timeout_graceful_shutdown=ENDING_S,
        ws="none",
    )


# HTTP in which no wait is endless: for a request, for its body, for a client that does not read its answer.
#
# uvicorn closes only connections that are idle after an answer: a client that sends half a request keeps a place for
# ever, and there are few places.
#
# 1. A connection is checked every LOOK_S. It is reset if since the last check no request has begun, or the same one
#    still lacks part of its body, or the client has read nothing of what waits to be sent. Working on a request may
#    take any time.
# 2. One address gets at most half of the places.

LOOK_S = 10.0


class WebProtocol(H11Protocol):
    """One connection of a browser."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._asked: Any = None  # the request at the last check
        self._unsent = 0  # bytes that waited to be sent then
        self._look_again()
        host = self.client[0] if self.client else ""
        clients = [getattr(one, "client", None) for one in self.connections]
        from_here = sum(1 for client in clients if client and client[0] == host)
        if self.limit_concurrency is not None and from_here > self.limit_concurrency // 2:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def _look_again(self) -> None:
        self._timer = self.loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        cycle, unsent = self.cycle, self.transport.get_write_buffer_size()
        waits_for_it = cycle is None or cycle.response_complete or cycle.more_body
        if (cycle is self._asked and waits_for_it) or 0 < unsent == self._unsent:
            self.transport.abort()
            return
        self._asked, self._unsent = cycle, unsent
        self._look_again()
