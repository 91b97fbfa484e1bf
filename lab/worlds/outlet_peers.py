"""The peers of outlets that come and go: a file, an HTTP server, or a broker with its consumer, each with a name.

Rules
1. A peer belongs to a place (a path, a host), not to an outlet: outlets that are removed, renamed or configured again
   find there what was left.
2. A peer knows what it ever had, and what it has now, in its own order. What someone took from it is `forgotten`; who
   empties a file takes its word about where to go on as well.
3. A file has the contract of toolcart.agent.linux.file. A power cut leaves any of the lines that were not synced, from
   the first one on, and no half one: of that the file's own tests are.
"""

from __future__ import annotations

import json
import re
from collections import Counter

from lab.worlds.dice import dice
from lab.worlds.mqtt_outlet import BROKER_FAULTS, MQTT, Plant
from lab.worlds.webhook_outlet import HOOK_FAULTS, WEBHOOK, WebhookServer

FILE, TOOLSNET = "file", "toolsnet"
FILE_FAULTS = ("outage",)
FAULTS = {FILE: FILE_FAULTS, WEBHOOK: HOOK_FAULTS, MQTT: BROKER_FAULTS}
KINDS = (FILE, WEBHOOK, MQTT)


def settings_of(kind: str, place: str) -> dict:
    """Return the settings of an outlet of this kind that leads to this place."""
    if kind == FILE:
        return {"path": place}
    return {"url": f"http://{place}:8080/results"} if kind == WEBHOOK else {"host": place}


def place_of(outlet: dict) -> str:
    """Return the place to which these settings lead."""
    where = outlet.get("path") or outlet.get("host") or outlet.get("url", TOOLSNET)
    return where.partition("://")[2].partition(":")[0] if "://" in where else where


class Side:
    """One place. `all` is what it ever had; `repeats` what it had twice at a time."""

    def __init__(self, world, place: str) -> None:
        self.world = world
        self.place = place
        self.all: set[int] = set()
        self.repeats: Counter = Counter()
        self.pardoned: set[int] = set()  # what nobody whose outlet leads here can ask for any more
        self._token = re.compile(r"W1N(\d{6})")

    def stored(self) -> list[tuple[int, int]]:
        """Return (number in the log, production number) of what it has now, in its order."""
        raise NotImplementedError

    def note(self) -> None:
        """Keep in mind what it has: someone is about to take it away, or the world ends."""
        made = [number for _, number in self.stored()]
        self.all.update(made)
        for number, times in Counter(made).items():
            self.repeats[number] = max(self.repeats[number], times - 1)

    def _named(self, line: str) -> int:
        found = self._token.search(line)
        return int(found[1]) if found else 0


class LineFile(Side):
    """A file of lines."""

    def __init__(self, world, place: str) -> None:
        super().__init__(world, place)
        self.path = place
        self.lines: list[bytes] = []
        self.is_begun = False
        self.why = ""
        self.cure = ""
        self.fails_until = -1
        self._durable = 0
        self._is_open = False
        self._chance = dice(world.script["seed"], "file", place)

    def stored(self) -> list[tuple[int, int]]:
        lines = [json.loads(line) for line in self.lines]
        return [(one["number"], self._named(json.dumps(one))) for one in lines if one["type"] in ("result", "frame")]

    # -- what the agent asks ---------------------------------------------------------------------------------------

    def open(self) -> bool:
        """Use the file: what is there is durable now."""
        self._is_open = self._works()
        if self._is_open:
            self._durable = len(self.lines)
            self.is_begun = bool(self.lines)
        return self._is_open

    def backwards(self):
        """Yield its lines, the newest first."""
        yield from reversed(self.lines)

    def add(self, line: bytes) -> bool:
        """Append a line."""
        if not self._is_open or not self._works():
            return False
        self.lines.append(bytes(line))
        return True

    def sync(self) -> bool:
        """Make all lines durable; what is not is taken back."""
        if not self._is_open or not self._works():
            del self.lines[self._durable :]
            return False
        self._durable = len(self.lines)
        return True

    def close(self) -> None:
        """Close it."""
        self._is_open = False

    def _works(self) -> bool:
        self.why = "no room" if self.world.time.now < self.fails_until else ""
        return not self.why

    # -- what else happens to it -----------------------------------------------------------------------------------

    def power_off(self) -> None:
        """Lose some of what was not synced."""
        unsynced = len(self.lines) - self._durable
        if unsynced > 0:
            del self.lines[self._durable + self._chance.randrange(unsynced + 1) :]
        self._is_open = False

    def happen(self, what: str, ms: int) -> None:
        """Have the disk refuse for so long."""
        self.fails_until = self.world.time.now + ms

    def forget(self, share: float) -> None:
        """Lose the last lines: a backup is restored, someone has cut it short, or (0) emptied it."""
        self.note()
        del self.lines[int(len(self.lines) * share) :]
        self._durable = len(self.lines)

    def works_again(self) -> None:
        """End all faults."""
        self.fails_until = -1


class Consumer(Side):
    """A place that a connection leads to."""

    def __init__(self, world, place: str, kind: str) -> None:
        super().__init__(world, place)
        self.peer = Plant(world, (place, 1883)) if kind == MQTT else WebhookServer(world, (place, 8080))

    def stored(self) -> list[tuple[int, int]]:
        records = [(number, record) for _, number, record in self.peer.records if record.get("type") != "event"]
        return [(number, self._named(json.dumps(record))) for number, record in records]

    def power_off(self) -> None:
        """The agent's power is not its own."""

    def happen(self, what: str, ms: int) -> None:
        """Let this fault happen, and last for `ms`."""
        self.peer.happen(what, ms)

    def forget(self, share: float) -> None:
        """Restore an older state of the database."""
        self.note()
        self.peer.forget(int(len(self.peer.records) * share))

    def works_again(self) -> None:
        """End all faults."""
        self.peer.works_again()


def peer_of(world, kind: str, place: str) -> LineFile | Consumer:
    """Return a new peer."""
    return LineFile(world, place) if kind == FILE else Consumer(world, place, kind)
