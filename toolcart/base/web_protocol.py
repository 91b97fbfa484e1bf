"""HTTP in which no wait is endless: for a request, for its body, for a client that does not read its answer.

uvicorn closes only connections that are idle after an answer: a client that sends half a request keeps a place for
ever, and there are few places.

1. A connection is checked every LOOK_S. It is reset if since the last check no request has begun, or the same one
   still lacks part of its body, or the client has read nothing of what waits to be sent. Working on a request may
   take any time.
2. One address gets at most half of the places.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

LOOK_S = 10.0


class WebProtocol(H11Protocol):
    """One connection of a browser."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._last_cycle: Any = None  # the request at the last check
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
        if (cycle is self._last_cycle and waits_for_it) or 0 < unsent == self._unsent:
            self.transport.abort()
            return
        self._last_cycle, self._unsent = cycle, unsent
        self._look_again()
