"""Serves the pages with uvicorn until a signal comes or the time is up."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from toolcart.base import web_server as pages

CONNECTIONS_MOST = 100


def run(app: Starlette, host: str, port: int, seconds: float | None, report: Callable[[str], None]) -> None:
    """Serve until a signal comes or the time is up; OSError if that fails."""
    with contextlib.closing(pages.listen(host, port, CONNECTIONS_MOST)) as listener:
        report(f"pages on {pages.address(listener, host)}, figures under /metrics")
        server = uvicorn.Server(pages.config(app, CONNECTIONS_MOST))
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn, once it has ended, sends it again
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(server, listener, seconds))


async def _serve(server: uvicorn.Server, listener: socket.socket, seconds: float | None) -> None:
    def end() -> None:
        server.should_exit = True

    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, end)
    await server.serve([listener])
