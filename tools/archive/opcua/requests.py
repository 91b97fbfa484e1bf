"""Results that a client wants sent again: from the database one by one, as events, until all are sent.

Rules
1. One request for each session and system at a time, REQUESTS_MOST in all: more are refused with a status.
2. It goes on by the row's number, so it holds one page at a time, and ends with the session that asked.
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from asyncua.server.internal_session import SessionState

from tools.archive.opcua import limits, rows
from tools.archive.opcua.announce import Announce
from tools.archive.opcua.results import Made
from tools.archive.opcua.sessions import Session
from tools.archive.opcua.space import System
from tools.archive.opcua.taken import Taken
from tools.archive.web.reading import Away, Reading, TooLong

PAGE = 50
NUMBERS = 500

Pages = AsyncIterator[list[dict[str, Any]]]


class Requests:
    """The requests that are under way."""

    def __init__(self, reading: Reading, taken: Taken, announce: Announce, made_of: Callable[[dict], Made]) -> None:
        self._reading = reading
        self._taken = taken
        self._announce = announce
        self._made_of = made_of
        self._running: dict[tuple[Any, Any], asyncio.Task[None]] = {}

    def has_room(self, session: Session, system: System) -> bool:
        """True if another request may begin."""
        return (session.session_id, system.station) not in self._running and len(self._running) < limits.REQUESTS_MOST

    def send(self, session: Session, system: System, pages: Pages, between_s: float) -> None:
        """Begin to send these results."""
        key = (session.session_id, system.station)
        task = asyncio.create_task(self._send(session, system, pages, between_s))
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key, None))

    async def close(self) -> None:
        """End all requests."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, session: Session, system: System, pages: Pages, between_s: float) -> None:
        try:
            async for page in pages:
                for row in page:
                    if session.state is SessionState.Closed:
                        return
                    await self._announce.requested(system, self._made_of(row))
                    session.iserver.counted.requested += 1
                    await asyncio.sleep(between_s)
        except (Away, TooLong):
            return  # the client asks again: what it did not get is not acknowledged

    async def stored(self, system: System, sequences: tuple[int, int] | None, times: tuple[str, str] | None) -> Pages:
        """Yield the results of these sequences or times, page by page."""
        behind = 0
        while page := await self._reading(rows.requested, system.station, sequences, times, behind, PAGE):
            yield page
            behind = page[-1]["ResultId"]

    async def unacknowledged(self, system: System, most: int) -> Pages:
        """Yield up to `most` results not acknowledged yet (0: all), page by page."""
        left = most or None
        async for numbers in self._numbers(system):
            for at in range(0, len(numbers), PAGE):
                part = numbers[at : at + PAGE][:left]
                if not part:
                    return
                yield await self._reading(rows.numbered, part)
                left = None if left is None else left - len(part)

    async def count(self, system: System) -> int:
        """Return how many are not acknowledged yet, up to COUNT_MOST."""
        found = 0
        async for numbers in self._numbers(system):
            found += len(numbers)
            if found >= limits.COUNT_MOST:
                break
        return min(found, limits.COUNT_MOST)

    async def _numbers(self, system: System) -> AsyncIterator[list[int]]:
        behind = await asyncio.to_thread(self._taken.floor, system.station)
        while numbers := await self._reading(rows.numbers_behind, system.station, behind, NUMBERS):
            yield await asyncio.to_thread(self._taken.unacknowledged, system.station, numbers)
            behind = numbers[-1]
