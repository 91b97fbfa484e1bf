"""Runs the pages by uvicorn, on a socket that is bound before it begins, so that a taken port is told in words."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

CONNECTIONS_MOST = 100
ENDING_S = 2


def run(app: Starlette, host: str, port: int, seconds: float | None, say: Callable[[str], None]) -> None:
    """Serve until a signal comes or the time is up; OSError if nobody can listen there."""
    family, kind, number, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with contextlib.closing(socket.socket(family, kind, number)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        listening.listen(CONNECTIONS_MOST)
        told = listening.getsockname()[1]
        say(f"pages on http://{f'[{host}]' if ':' in host else host}:{told}, figures under /metrics")
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS_MOST,
            timeout_graceful_shutdown=ENDING_S,
            ws="none",
        )
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(uvicorn.Server(config), listening, seconds))


async def _serve(server: uvicorn.Server, listening: socket.socket, seconds: float | None) -> None:
    def end() -> None:
        server.should_exit = True

    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, end)
    await server.serve([listening])
