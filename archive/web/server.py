"""Serves the pages with uvicorn until Ctrl-C, SIGTERM or the end of the parent, which holds the other end of stdin."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from toolcart.archive.web.app import Site, make
from toolcart.archive.web.live import LiveFeed
from toolcart.archive.web.reading import Reading
from toolcart.archive.web.serving import WebSettings
from toolcart.base import web_server as pages
from toolcart.base.niceness import stand_back

CONNECTIONS_MOST = 500
BACKLOG = 128
BEHIND_RESULTS = 10  # if the processor is busy a page waits for a 05, never the other way round


class _Server(uvicorn.Server):
    """A server that first ends live views, which never end by themselves, and leaves signals to us."""

    def __init__(self, config: uvicorn.Config, feed: LiveFeed) -> None:
        super().__init__(config)
        self._feed = feed

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._feed.stop()
        await super().shutdown(sockets)


def run(
    place: str, where: WebSettings, say: Callable[[str], None], seconds: float | None = None, with_parent: bool = False
) -> None:
    """Serve; CannotServe, OSError or database.Unusable if it cannot start."""
    door = where.door()
    app = make(Reading(place), door, door is None, where.shifts, where.proxy(), where.rules, where.placeholders)
    with contextlib.closing(pages.listen(where.host, where.port, BACKLOG)) as listening:
        address = pages.address(listening)
        if where.tls:
            address = address.replace("http:", "https:", 1)
        say(f"pages on {address}{' (with a password)' if door else ''}")
        config = pages.config(app, CONNECTIONS_MOST)
        if where.tls:
            config.ssl_certfile, config.ssl_keyfile = where.tls.certificate, where.tls.key
        server = _Server(config, app.state.site.feed)
        if with_parent:
            threading.Thread(target=_follow_parent, args=(server, app.state.site), daemon=True).start()
        stand_back(BEHIND_RESULTS)
        asyncio.run(_serve(server, listening, seconds))


def _follow_parent(server: _Server, site: Site) -> None:
    """Read the parent's figures, line by line, until it ends."""
    with contextlib.suppress(OSError, ValueError), os.fdopen(0, "rb", closefd=False) as pipe:
        for line in pipe:
            site.server = json.loads(line)
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
