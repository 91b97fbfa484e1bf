"""A failing world made small: fewer events, fewer results, plain traits, shorter times, still failing the same way.

Rules
1. It fails the same way if the judge finds the same worst kind again.
2. Each try is a whole world; there are at most `tries` of them, so that shrinking always ends.
3. The result is a script (`script.py`): it runs, reads well, and is a test as it is (docs/internals/worlds.md).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator

from toolcart.agent.cart.config import ConfigError
from lab.worlds.events import is_of_station
from lab.worlds.profiles import TRAITS
from lab.worlds.script import PLAIN, PLAIN_STATION
from lab.worlds.world_run import run

TRIES = 400
_NEEDED = {"pim_host", "pim_port", "host", "path", "size_kib", "parked_kib", "number", "controller", "spool"}
_TIMES = ("dark_ms", "within_ms")


def fails_with(kind: str) -> Callable[[dict], bool]:
    """Return a test of whether the worst finding in a script's world is of this kind."""
    return lambda script: run(script).verdict.kinds()[:1] == [kind]


class Shrinker:
    """One script being shortened."""

    def __init__(self, script: dict, still_fails: Callable[[dict], bool], tries: int = TRIES) -> None:
        self.script = script
        self.still_fails = still_fails
        self.left = tries

    def shrink(self) -> dict:
        """Return the shortest script found that still fails this way."""
        rounds = (self._fewer_events, self._plainer, self._one_station, self._smaller, self._sooner)
        while self.left > 0:
            before = json.dumps(self.script)
            for work in rounds:
                work()
            if json.dumps(self.script) == before:
                break
        return self.script

    def _fails(self, script: dict) -> bool:
        """Try this script, and keep it if it fails the same way."""
        if self.left <= 0:
            return False
        self.left -= 1
        try:
            fails = self.still_fails(script)
        except (ConfigError, ValueError, KeyError, IndexError):
            return False  # no longer a script that makes a world
        if fails:
            self.script = script
        return fails

    def _fewer_events(self) -> None:
        size = max(len(self.script["events"]) // 2, 1)
        while size:
            at = 0
            while at < len(self.script["events"]) and self.left > 0:
                events = self.script["events"]
                if not self._fails({**self.script, "events": events[:at] + events[at + size :]}):
                    at += size
            size //= 2

    def _plainer(self) -> None:
        """Remove every trait and setting that is not needed."""
        for place in list(_places(self.script)):
            script = copy.deepcopy(self.script)
            part = script
            try:
                for name in place[:-1]:
                    part = part[name]
                del part[place[-1]]
            except (KeyError, IndexError):
                continue
            self._fails(script)

    def _one_station(self) -> None:
        if len(self.script["stations"]) != 2:
            return
        for gone in (2, 1):
            script = copy.deepcopy(self.script)
            del script["stations"][gone - 1]
            del script["settings"]["stations"][gone - 1]
            script["settings"]["stations"][0]["number"] = 1
            script["events"] = [_for_station_1(event) for event in script["events"] if not _is_of(event, gone)]
            if self._fails(script):
                return

    def _smaller(self) -> None:
        """Try fewer results in a row, fewer cuts in a row, shorter waits."""
        for index in range(len(self.script["events"])):
            for event in _smaller_forms(self.script["events"][index]):
                events = list(self.script["events"])
                events[index] = event
                if self._fails({**self.script, "events": events}):
                    break

    def _sooner(self) -> None:
        """Move the events closer together, and the calm to the last of them."""
        events = self.script["events"]
        last = max([event[0] for event in events], default=0)
        self._fails({**self.script, "end_ms": min(self.script["end_ms"], last + 60000)})
        for index in range(len(events)):
            events = self.script["events"]
            gap = events[index][0] - (events[index - 1][0] if index else 0)
            for less in (gap, gap // 2):
                if less < 1000:
                    continue
                moved = events[:index] + [[event[0] - less, *event[1:]] for event in events[index:]]
                if self._fails({**self.script, "events": moved, "end_ms": self.script["end_ms"] - less}):
                    break


def _is_of(event: list, station: int) -> bool:
    return is_of_station(event[1]) and event[2] == station


def _for_station_1(event: list) -> list:
    if is_of_station(event[1]):
        return [*event[:2], 1, *event[3:]]
    return [part.replace("controller 2", "controller 1") if isinstance(part, str) else part for part in event]


def _places(script: dict) -> Iterator[tuple]:
    """Yield every trait and setting that may be left out."""
    for part, plain in PLAIN.items():
        yield from ((part, name) for name in script.get(part, {}) if name in plain)
    for index, station in enumerate(script["stations"]):
        for part in PLAIN_STATION:
            given = station.get(part, {})
            of_profile = {"profile", *TRAITS.get(given.get("profile", ""), {})}  # these make it this controller
            yield from (("stations", index, part, name) for name in given if name not in of_profile)
    settings = script["settings"]
    yield from (("settings", "toolsnet", name) for name in settings["toolsnet"] if name not in _NEEDED)
    for index, station in enumerate(settings["stations"]):
        for part in ("controller", "spool"):
            yield from (("settings", "stations", index, part, name) for name in station[part] if name not in _NEEDED)


def _smaller_forms(event: list) -> Iterator[list]:
    at, what, *rest = event
    if what in ("make", "refuse_content", "garble", "elsewhere") and rest[1] > 1:
        for count in (1, rest[1] // 2, rest[1] - 1):
            if 0 < count < rest[1]:
                yield [at, what, rest[0], count, *rest[2:]]
    elif what in ("cut", "off"):
        how = rest[0]
        if how.get("again"):
            yield [at, what, {**how, "again": []}]
            yield [at, what, {**how, "again": how["again"][:-1]}]
        if how.get("operations"):
            yield [at, what, {**how, "operations": 0}]
        for name in _TIMES:
            if how.get(name, 0) > 2000:
                yield [at, what, {**how, name: 1000}]
    elif what == "outlets":
        for index in range(len(rest[0])):
            yield [at, what, rest[0][:index] + rest[0][index + 1 :]]
