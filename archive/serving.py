"""`toolcart archive serve` and `consume`: PIM, server, both or neither in one asyncio loop until Ctrl-C or SIGTERM.

At both signals no PIM names a server among others any more, what stations have sent is answered, and it ends.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from toolcart.archive.consume.parcels import Parcels
from toolcart.archive.database import database
from toolcart.archive.database.tables import Station
from toolcart.archive.server import servers
from toolcart.archive.server.pim_answers import InProcessServer, RegisteredServers
from toolcart.archive.server.server import ArchiveServer
from toolcart.archive.server.server_state import ServerState
from toolcart.archive.storage.maintenance import Retention, RetentionPeriods
from toolcart.archive.storage.writer import Writer
from toolcart.archive.web.serving import Child, WebSettings

if TYPE_CHECKING:
    from toolcart.archive.consume.consumer import Consumer  # needs an MQTT client's library

FIGURES_EVERY_S = 10.0
ALL, PIM, SERVER = "all", "pim", "server"  # what a process does
CONSUMER = "consumer"  # it opens no port


@dataclass
class Place:
    """Where an archive listens, and the database that it uses."""

    database: str
    host: str = "127.0.0.1"
    pim_port: int = 6575
    server_port: int = 10111
    announced_host: str | None = None  # in 08; None: `host`
    tls: ssl.SSLContext | None = None
    role: str = ALL
    keeping: RetentionPeriods | None = None
    consuming: Callable[[Writer, Callable[[str], None]], Consumer] | None = None  # begins to take batches
    is_shared: bool = False  # others write to the same database


async def run(
    place: Place,
    say: Callable[[str], None],
    seconds: float | None = None,
    where_pages: WebSettings | None = None,
    server_of: Callable[[ServerState], ArchiveServer] = ArchiveServer,
) -> None:
    """Serve; OSError if a port cannot be opened, database.Unusable if the database cannot be used.

    The pages, if they are wanted, start once the database is there and the ports are open.
    """
    is_shared = place.is_shared or place.role in (PIM, SERVER)
    with database.writing(place.database, is_shared) as engine:
        writer = Writer(engine, say, is_shared, Parcels)
        state = ServerState(writer, place.announced_host or place.host, say)
        if place.role == PIM:
            state.pim = RegisteredServers(engine, say)
        server = server_of(state)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            state.loop.add_signal_handler(number, stop.set)
        pages: Child | None = None
        consumer: Consumer | None = None
        async with AsyncExitStack() as ends:  # in the opposite order
            ends.push_async_callback(server.close)
            ports = (
                place.pim_port if place.role in (ALL, PIM) else None,
                place.server_port if place.role in (ALL, SERVER) else None,
            )
            say(_listening_line(place, *await server.listen(place.host, *ports, place.tls)))
            if place.role == SERVER:
                ends.push_async_callback(server.drain)
                ends.push_async_callback(asyncio.to_thread, _member(engine, server).leave)
            if place.keeping:
                retention = Retention(engine, place.database, writer, place.keeping, say)
                ends.push_async_callback(asyncio.to_thread, retention.close)
            if where_pages:
                pages = Child(place.database, where_pages)
                ends.callback(pages.close)
            if place.consuming:
                consumer = place.consuming(writer, say)
                ends.push_async_callback(asyncio.to_thread, consumer.close)
            gc.freeze()  # the libraries stay: garbage collection need not look through them
            await _until(stop, seconds, state, say, pages, consumer)
    say(_figures_line(state, consumer))


def _listening_line(place: Place, pim_port: int, server_port: int) -> str:
    parts = [f"PIM on {place.host}:{pim_port}"] * (place.role in (ALL, PIM))
    parts += [f"server on {place.host}:{server_port}"] * (place.role in (ALL, SERVER))
    return ", ".join(
        [*parts, f"archive {database.without_password(place.database)}"] + ["TLS"] * (place.tls is not None)
    )


def _member(engine: Engine, server: ArchiveServer) -> servers.Member:
    """Announce this server to the PIMs."""
    state = server.state
    assert isinstance(state.pim, InProcessServer)
    myself = servers.Server(state.pim.host, state.pim.port)

    def on_beat(live: list[servers.Server]) -> None:
        if myself in live:
            is_mine = partial(_is_of, live, myself)
            state.loop.call_soon_threadsafe(server.drain_foreign_stations, is_mine)

    return servers.Member(engine, myself, on_beat)


def _is_of(live: list[servers.Server], server: servers.Server, station: Station) -> bool:
    return servers.of_station(live, station) == server


def figures(state: ServerState) -> str:
    """What was stored since the start, in a line."""
    writer = state.writer
    return (
        f"stored {writer.stored}, again {writer.repeated}, refused {state.refused}, not stored {writer.failed}, "
        f"breaches {state.breaches}, connections {len(state.connection_limits)}"
        + (f", turned away {state.turned_away}" if state.turned_away else "")
        + (f", reset as they did not read {state.unread}" if state.unread else "")
    )


def _figures_line(state: ServerState, consumer: Consumer | None) -> str:
    return figures(state) + (f"; {consumer.counted.line()}" if consumer is not None else "")


def counted(state: ServerState) -> dict[str, float]:
    """The same for other programs, with units, and what the server has now (toolcart.archive.web.metrics)."""
    writer = state.writer
    return {
        "start_time_seconds": state.started_s,
        "memory_bytes": _memory_bytes(),
        "connections": len(state.connection_limits),
        "uncommitted_bytes": state.uncommitted,
        "stored_total": writer.stored,
        "repeated_total": writer.repeated,
        "refused_total": state.refused,
        "not_stored_total": writer.failed,
        "breaches_total": state.breaches,
        "turned_away_total": state.turned_away,
        "unread_total": state.unread,
        "commits_total": writer.commits,
        "commit_time_seconds_total": writer.commit_s,
        "commit_most_seconds": writer.commit_most_s,
    }


def _memory_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def _until(
    stop: asyncio.Event,
    seconds: float | None,
    state: ServerState,
    say: Callable[[str], None],
    pages: Child | None,
    consumer: Consumer | None,
) -> None:
    """Wait for the end, and log the figures when they have changed."""
    end = None if seconds is None else state.loop.time() + seconds
    last = _figures_line(state, consumer)
    while not stop.is_set():
        left = FIGURES_EVERY_S if end is None else min(FIGURES_EVERY_S, end - state.loop.time())
        if left <= 0:
            return
        try:
            await asyncio.wait_for(stop.wait(), left)
        except TimeoutError:
            if pages is not None:
                pages.look_after(say, counted(state) | (consumer.figures() if consumer is not None else {}))
            now = _figures_line(state, consumer)
            if now != last:
                say(now)
            last = now
