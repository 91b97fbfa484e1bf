"""Sends what arrives to every open page, as server-sent events.

Rules
1. While any page watches, the database is read twice a second, once for all of them; otherwise not at all.
2. `result` carries a row as the list has it, with its number as the event's id; `stations` what changed on the map;
   `reload` says that the map has new stations.
3. A page that comes back names the last id it had and gets what it missed, one page at most.
4. A page that does not read is dropped when its queue is full: its browser comes back by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from toolcart.archive.web import page_queries, template_filters
from toolcart.archive.web.pages import with_reasons
from toolcart.archive.web.reading import DatabaseUnreachable, QueryTimeout, Reading
from toolcart.toolsnet import rows

LOOK_S = 0.5
MAP_EVERY = 10  # looks
QUEUE_MOST = 200
WATCHERS_MOST = 200
MAP_COLUMNS = ("Heard", "Today", "TodayNOK", "Result")  # page.js knows their order
ROWS_MOST = 100  # per look; what comes faster is left to the lists
_ALIVE = ": still here\n\n"


class LiveFeed:
    """`async for text in feed.watch(after)`; `stop` ends them all."""

    def __init__(self, reading: Reading, render_row: Callable[[dict], str], today: Callable[[], str]) -> None:
        self._reading = reading
        self._render_row = render_row
        self._today = today
        self._watchers: set[asyncio.Queue[tuple[int, str | None]]] = set()
        self._task: asyncio.Task | None = None
        self._begun = asyncio.Event()
        self._map: dict[str, list] = {}

    def is_full(self) -> bool:
        """True if no more pages may watch."""
        return len(self._watchers) >= WATCHERS_MOST

    async def watch(self, after: int | None) -> AsyncIterator[str]:
        """Yield events from now on, or after this number."""
        queue: asyncio.Queue[tuple[int, str | None]] = asyncio.Queue(QUEUE_MOST)
        self._watchers.add(queue)
        if self._task is None:
            self._begun.clear()
            self._task = asyncio.create_task(self._look())
        try:
            yield "retry: 2000\n\n"
            await self._begun.wait()  # from here on events are in the queue; earlier ones are in the database
            if after is not None:
                for row in await self._arrived(after):
                    yield self._event(row)
                    after = row["ResultId"]
            while True:
                number, text = await queue.get()
                if text is None:
                    return
                if not number or after is None or number > after:
                    yield text
        except (DatabaseUnreachable, QueryTimeout):
            return  # the browser comes back
        finally:
            self._watchers.discard(queue)

    async def stop(self) -> None:
        """End all watchers."""
        self._publish(None)
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        number = looks = 0
        while self._watchers:
            try:
                if not self._begun.is_set():
                    number = await self._reading(page_queries.newest_number)
                    self._begun.set()
                for row in await self._arrived(number):
                    number = row["ResultId"]
                    self._publish(self._event(row), number)
                if looks % MAP_EVERY == 0:
                    await self._look_at_map()
            except (DatabaseUnreachable, QueryTimeout):
                self._publish(_ALIVE)
            looks += 1
            await asyncio.sleep(LOOK_S)
        self._task = None

    async def _arrived(self, after: int) -> list[dict]:
        return await with_reasons(self._reading, await self._reading(page_queries.arrived_behind, after, ROWS_MOST))

    async def _look_at_map(self) -> None:
        """Send the state of stations that have changed since the last look."""
        now: dict[str, list] = {}
        for system in await self._reading(page_queries.stations, self._today()):
            for station in system["Stations"]:
                now[template_filters.place(station)] = [station[name] for name in MAP_COLUMNS]
        if self._map and len(now) != len(self._map):
            self._publish("event: reload\ndata: \n\n")
        changed = {place: state for place, state in now.items() if self._map.get(place) != state}
        self._map = now
        data = json.dumps({"now": rows.now_text(), "stations": changed})
        self._publish(f"event: stations\ndata: {data}\n\n")

    def _event(self, row: dict) -> str:
        data = "".join(f"data: {line}\n" for line in self._render_row(row).splitlines())
        return f"event: result\nid: {row['ResultId']}\n{data}\n"

    def _publish(self, text: str | None, number: int = 0) -> None:
        for queue in list(self._watchers):
            if queue.full():
                queue.get_nowait()  # room for the end: a page that does not read comes back and asks for what it missed
                text_for_it = None
            else:
                text_for_it = text
            queue.put_nowait((number, text_for_it))
