"""`/metrics` of the OPC UA server for Prometheus: what is connected now, and what was counted since its start.

Rules
1. Only numbers: no station, client or result is named, so no password is needed.
2. It answers in the server's own loop: few connections at once, one request each, all with a deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict

from tools.archive.opcua.limits import Counted
from tools.base.prometheus import CONTENT_TYPE, COUNTER, GAUGE, Sheet

CONNECTIONS_MOST = 20
HEAD_BYTES = 8192
ANSWER_S = 5.0
_NOW = {
    "joining_systems": "Joining systems, one for each station.",
    "connections": "Connections of clients.",
    "sessions": "Sessions of clients.",
    "subscriptions": "Subscriptions of clients.",
}
_COUNTED = {
    "results": "Results that were announced.",
    "curves": "Results that were announced again with their curves.",
    "alarms": "Alarms that were announced.",
    "requested": "Results that were sent by RequestResults or RequestUnacknowledgedResults.",
    "acknowledged": "Results that clients have acknowledged.",
    "calls": "Calls of methods.",
    "overflowed": "Events that a client was too slow for.",
    "refused_connections": "Connections for which there was no room.",
    "refused_sessions": "Sessions for which there was no room.",
    "refused_users": "Users that were not let in.",
    "refused_requests": "Requests beyond a limit, or that the user may not make.",
    "ended_unread": "Connections that were ended since their client did not read.",
    "ended_oversize": "Connections that were ended since a chunk was longer than any may be.",
    "left_out": "Stations beyond what there is room for.",
    "library_errors": "Errors that the OPC UA library reported.",
    "went_back": "Times the archive had fewer results than before.",
}
FAMILIES = {
    **{f"toolcart_opcua_{name}": (GAUGE, text) for name, text in _NOW.items()},
    **{f"toolcart_opcua_{name}_total": (COUNTER, text) for name, text in _COUNTED.items()},
}


def text_of(counted: Counted, now: dict[str, int]) -> str:
    """Return the whole page; `now` has what is connected."""
    sheet = Sheet(FAMILIES)
    for name, value in now.items():
        sheet.add(f"toolcart_opcua_{name}", {}, value)
    for name, value in asdict(counted).items():
        sheet.add(f"toolcart_opcua_{name}_total", {}, value)
    return sheet.text()


@asynccontextmanager
async def served(where: tuple[str, int] | None, text: Callable[[], str]) -> AsyncIterator[str]:
    """Answer there until the end; yields the page's address, "" without `where`. OSError if it cannot listen."""
    if where is None:
        yield ""
        return
    page = _Page(text)
    async with await asyncio.start_server(page.answer, *where, limit=HEAD_BYTES) as server:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"


class _Page:
    """Answers connections."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text
        self._connections = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request, answer it, and close."""
        self._connections += 1
        try:
            if self._connections <= CONNECTIONS_MOST:
                async with asyncio.timeout(ANSWER_S):
                    writer.write(self._reply(await reader.readuntil(b"\r\n\r\n")))
                    await writer.drain()
                    writer.close()
                    await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client did not ask, or did not read
        finally:
            self._connections -= 1
            writer.transport.abort()

    def _reply(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        status, body = "200 OK", self._text()
        if path != b"/metrics":
            status, body = "404 Not Found", "the figures are under /metrics\n"
        elif method not in (b"GET", b"HEAD"):
            status, body = "405 Method Not Allowed", "GET alone\n"
        octets = body.encode()
        lines = (f"HTTP/1.1 {status}", f"Content-Type: {CONTENT_TYPE}", f"Content-Length: {len(octets)}")
        front = "\r\n".join((*lines, "Connection: close", "\r\n")).encode()
        return front if method == b"HEAD" else front + octets
