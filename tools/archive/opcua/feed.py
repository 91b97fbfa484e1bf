"""Looks for what is new in the archive five times a second, and announces it in the order of the commits.

Rules
1. A result is announced as it is. Curves come in telegrams of their own: whenever more have come, their result is
   announced again, under the same ResultId.
2. What came before a start is not announced: a client that was away asks for it (RequestUnacknowledgedResults).
3. If the database does not answer, it is tried again; nothing is missed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from tools.archive.opcua import rows
from tools.archive.opcua.announce import Announce
from tools.archive.opcua.limits import Counted
from tools.archive.opcua.methods import Methods
from tools.archive.opcua.results import Made, moment
from tools.archive.opcua.rows import Station
from tools.archive.opcua.space import SYSTEMS_MOST, Space, System
from tools.archive.opcua.taken import Taken
from tools.archive.web.reading import Away, Reading, TooLong

LOOK_S = 0.2
PAGE = 100
MAP_EVERY = 50  # looks, for stations that have reported nothing yet
REMEMBERED_MOST = 5000  # results whose curves may still come


class Feed:
    """`begin`, then `run` for ever."""

    def __init__(
        self,
        space: Space,
        reading: Reading,
        taken: Taken,
        methods: Methods,
        counted: Counted,
        say: Callable[[str], None],
        zone: Any,
    ) -> None:
        self._space = space
        self._reading = reading
        self._taken = taken
        self._methods = methods
        self._counted = counted
        self._say = say
        self._zone = zone
        self._announce = Announce(space)
        self._numbers: dict[str, int] = {}
        self._curves: OrderedDict[str, int] = OrderedDict()  # by ResultId: how many were announced
        self._is_away = False

    async def begin(self) -> None:
        """Read all stations, their latest results, and where new ones begin; Away or TooLong."""
        await self._look_at_map()
        self._numbers = await self._reading(rows.newest_numbers)
        if await asyncio.to_thread(self._taken.begin, self._numbers["result"]):
            self._went_back()

    async def run(self) -> None:
        """Look for what is new, again and again."""
        looks = 0
        while True:
            try:
                if looks % MAP_EVERY == MAP_EVERY - 1:
                    await self._look_at_map()
                await self._look()
                self._is_away = False
            except (Away, TooLong) as why:
                if not self._is_away:
                    self._say(f"the database does not answer: {why}")
                self._is_away = True
            looks += 1
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        newest = await self._reading(rows.newest_numbers)
        if newest["result"] < self._numbers["result"]:
            await asyncio.to_thread(self._taken.begin, newest["result"])
            self._went_back()
            self._numbers = newest
        if newest["result"] > self._numbers["result"]:
            await self._results()
        if newest["graph"] > self._numbers["graph"]:
            await self._graphs()
        elif newest["graph"] < self._numbers["graph"]:
            self._numbers["graph"] = newest["graph"]
        if newest["event"] > self._numbers["event"]:
            await self._events()
        elif newest["event"] < self._numbers["event"]:
            self._numbers["event"] = newest["event"]

    async def _results(self) -> None:
        while True:
            page = await self._reading(rows.arrived_behind, self._numbers["result"], PAGE)
            latest: dict[Station, tuple[System, Made]] = {}
            for row in page:
                made = self._methods.made(row)
                system = await self._system(made.station)
                if system is not None:
                    await self._announce.ready(system, made)
                    await self._space.put_serial(system, row["Spindle"], row["SpindleSerial"])
                    latest[made.station] = (system, made)
                    self._remember(made.id, len(row["Graphs"]))
                self._counted.results += 1
                self._numbers["result"] = row["ResultId"]
            for system, made in latest.values():
                await self._space.put(system, "Result", made)
            if len(page) < PAGE:
                return

    async def _graphs(self) -> None:
        while True:
            page = await self._reading(rows.graphs_behind, self._numbers["graph"], PAGE)
            keys = list(dict.fromkeys(key for _, key in page))
            numbers = await self._reading(rows.numbers_of, keys) if keys else {}
            announced = [number for number in numbers.values() if number <= self._numbers["result"]]
            for row in await self._reading(rows.numbered, announced) if announced else []:
                await self._with_curves(row)
            if page:
                self._numbers["graph"] = page[-1][0]
            if len(page) < PAGE:
                return

    async def _with_curves(self, row: dict[str, Any]) -> None:
        made = self._methods.made(row)
        system = await self._system(made.station)
        if system is None or self._curves.get(made.id, 0) >= len(row["Graphs"]):
            return
        self._remember(made.id, len(row["Graphs"]))
        await self._announce.ready(system, made)
        self._counted.curves += 1
        if system.known == made.id:
            await self._space.put(system, "Result", made)

    def _remember(self, id_: str, curves: int) -> None:
        self._curves[id_] = curves
        if len(self._curves) > REMEMBERED_MOST:
            self._curves.popitem(last=False)

    async def _events(self) -> None:
        while True:
            page = await self._reading(rows.events_behind, self._numbers["event"], PAGE)
            for row in page:
                system = await self._system((row["SystemType"], row["System"], row["Station"]))
                if system is not None:
                    await self._announce.alarm(system, row, moment(row["Time"], self._zone))
                self._counted.alarms += 1
                self._numbers["event"] = row["EventId"]
            if len(page) < PAGE:
                return

    # -- stations --------------------------------------------------------------------------------------------------

    async def _system(self, station: Station) -> System | None:
        if station not in self._space.systems and len(self._space.systems) < SYSTEMS_MOST:
            await self._look_at_map()
        return self._space.systems.get(station)

    async def _look_at_map(self) -> None:
        places = await self._reading(rows.places, SYSTEMS_MOST + 1)
        for place in places:
            system = await self._space.add(place)
            row = await self._reading(rows.latest, place.station) if system is not None else None
            if system is not None and row is not None:
                await self._space.put(system, "Result", self._methods.made(row))
                await self._space.put_serial(system, row["Spindle"], row["SpindleSerial"])
        self._counted.left_out = max(0, len(places) - SYSTEMS_MOST)

    def _went_back(self) -> None:
        self._counted.went_back += 1
        self._say("the archive has fewer results than before: what comes from here on counts as unacknowledged")
