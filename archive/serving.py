"""`toolcart archive serve` and `consume`: PIM, server, both or neither in one asyncio loop until Ctrl-C or SIGTERM.

Both signals drain a server among others as `toolcart archive drain` does: no PIM names it any more, what stations have
sent is answered, and it ends.
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

from toolcart.archive.consume.parcels import open_parcels
from toolcart.archive.database import database
from toolcart.archive.database.tables import Station
from toolcart.archive.server import servers
from toolcart.archive.server.fault_injection import Faults
from toolcart.archive.server.pim import InProcessServer, RegisteredServers
from toolcart.archive.server.server import Archive
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
    weight: int = 1  # of a server among others
    keeping: RetentionPeriods | None = None
    consuming: Callable[[Writer, Callable[[str], None]], Consumer] | None = None  # begins to take batches
    is_shared: bool = False  # others write to the same database


async def run(
    place: Place,
    faults: Faults,
    say: Callable[[str], None],
    seconds: float | None = None,
    where_pages: WebSettings | None = None,
) -> Archive:
    """Serve; OSError if a port cannot be opened, database.Unusable if the database cannot be used.

    The pages, if they are wanted, start once the database is there and the ports are open.
    """
    is_shared = place.is_shared or place.role in (PIM, SERVER)
    with database.writing(place.database, is_shared) as engine:
        writer = Writer(engine, say, is_shared, open_parcels)
        archive = Archive(writer, place.announced_host or place.host, faults, say)
        if place.role == PIM:
            archive.guide = RegisteredServers(engine, say)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            archive.loop.add_signal_handler(number, stop.set)
        pages: Child | None = None
        consumer: Consumer | None = None
        async with AsyncExitStack() as ends:  # in the opposite order
            ends.push_async_callback(archive.close)
            ports = (
                place.pim_port if place.role in (ALL, PIM) else None,
                place.server_port if place.role in (ALL, SERVER) else None,
            )
            say(_listening_line(place, *await archive.listen(place.host, *ports, place.tls)))
            if place.role == SERVER:
                ends.push_async_callback(archive.drain)
                ends.push_async_callback(asyncio.to_thread, _member(engine, place, archive, stop).leave)
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
            await _until(stop, seconds, archive, say, pages, consumer)
    say(_figures_line(archive, consumer))
    return archive


def _listening_line(place: Place, pim_port: int, server_port: int) -> str:
    parts = [f"PIM on {place.host}:{pim_port}"] * (place.role in (ALL, PIM))
    parts += [f"server on {place.host}:{server_port}"] * (place.role in (ALL, SERVER))
    return ", ".join(
        [*parts, f"archive {database.without_password(place.database)}"] + ["TLS"] * (place.tls is not None)
    )


def _member(engine: Engine, place: Place, archive: Archive, stop: asyncio.Event) -> servers.Member:
    """Announce this server to the PIMs, and end when it is drained."""
    assert isinstance(archive.guide, InProcessServer)
    myself = servers.Server(archive.guide.host, archive.guide.port, place.weight)

    def on_beat(live: list[servers.Server] | None) -> None:
        if live is None:
            archive.loop.call_soon_threadsafe(stop.set)
        elif myself in live:
            mine = partial(_is_of, live, myself)
            archive.loop.call_soon_threadsafe(archive.hand_over, mine)

    return servers.Member(engine, myself, on_beat)


def _is_of(live: list[servers.Server], server: servers.Server, station: Station) -> bool:
    return servers.of_station(live, station) == server


def figures(archive: Archive) -> str:
    """What was stored since the start, in a line."""
    writer = archive.writer
    return (
        f"stored {writer.stored}, again {writer.repeated}, refused {archive.refused}, not stored {writer.failed}, "
        f"breaches {archive.breaches}, connections {len(archive.places)}"
        + (f", turned away {archive.turned_away}" if archive.turned_away else "")
        + (f", reset as they did not read {archive.unread}" if archive.unread else "")
    )


def _figures_line(archive: Archive, consumer: Consumer | None) -> str:
    return figures(archive) + (f"; {consumer.counted.line()}" if consumer is not None else "")


def counted(archive: Archive) -> dict[str, float]:
    """The same for other programs, with units, and what the server has now (toolcart.archive.web.metrics)."""
    writer = archive.writer
    return {
        "start_time_seconds": archive.started_s,
        "memory_bytes": _memory_bytes(),
        "connections": len(archive.places),
        "uncommitted_bytes": archive.uncommitted,
        "stored_total": writer.stored,
        "repeated_total": writer.repeated,
        "refused_total": archive.refused,
        "not_stored_total": writer.failed,
        "breaches_total": archive.breaches,
        "turned_away_total": archive.turned_away,
        "unread_total": archive.unread,
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
    archive: Archive,
    say: Callable[[str], None],
    pages: Child | None,
    consumer: Consumer | None,
) -> None:
    """Wait for the end, and log the figures when they have changed."""
    end = None if seconds is None else archive.loop.time() + seconds
    last = _figures_line(archive, consumer)
    while not stop.is_set():
        left = FIGURES_EVERY_S if end is None else min(FIGURES_EVERY_S, end - archive.loop.time())
        if left <= 0:
            return
        try:
            await asyncio.wait_for(stop.wait(), left)
        except TimeoutError:
            if pages is not None:
                pages.look_after(say, counted(archive) | (consumer.figures() if consumer is not None else {}))
            now = _figures_line(archive, consumer)
            if now != last:
                say(now)
            last = now
