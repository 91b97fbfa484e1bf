"""Serves the pages by uvicorn until Ctrl-C, SIGTERM or the end of the parent that holds the other end of stdin."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from tools.archive.web.app import make
from tools.archive.web.live import Feed
from tools.archive.web.reading import Reading
from tools.archive.web.serving import Listening

CONNECTIONS_MOST = 500
ENDING_S = 2  # how long an answer may still take


class _Server(uvicorn.Server):
    """One that ends live views first, which never end by themselves, and leaves signals to us."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._feed.stop()
        await super().shutdown(sockets)


def run(
    place: str, where: Listening, say: Callable[[str], None], seconds: float | None = None, with_parent: bool = False
) -> None:
    """Serve; CannotServe, OSError or database.Unusable if it cannot begin."""
    door = where.door()
    app = make(Reading(place), door, only_here=door is None)
    with contextlib.closing(_listen(where)) as listening:
        host, port = listening.getsockname()[:2]
        say(f"pages on http://{f'[{host}]' if ':' in host else host}:{port}{' (with a password)' if door else ''}")
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS_MOST,
            timeout_graceful_shutdown=ENDING_S,
            ws="none",
        )
        server = _Server(config, app.state.site.feed)
        if with_parent:
            threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
        asyncio.run(_serve(server, listening, seconds))


def _listen(where: Listening) -> socket.socket:
    family, kind, number, _, place = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, number)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


def _end_with_parent(server: _Server) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    server.should_exit = True


async def _serve(server: _Server, listening: socket.socket, seconds: float | None) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    if seconds is not None:
        loop.call_later(seconds, end)
    await server.serve([listening])
