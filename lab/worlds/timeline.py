"""Simulated time: a heap of things to do, and a clock that jumps from one to the next."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from typing import Any


class Timeline:
    """What happens when. Things due at the same moment happen in the order in which they were added."""

    def __init__(self) -> None:
        self.now = 0  # ms since the world began; the agent sees a tick counter of its own
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0

    def at(self, moment: int, action: Callable[[], None]) -> None:
        """Do this at that moment, or at once if it has passed."""
        self._order += 1
        heapq.heappush(self._heap, (max(moment, self.now), self._order, action))

    def after(self, ms: int, action: Callable[[], None]) -> None:
        """Do this so many milliseconds from now."""
        self.at(self.now + ms, action)

    def next(self, limit: int) -> int:
        """Return the moment of the next thing to do, at most `limit`."""
        return min(self._heap[0][0], limit) if self._heap else limit

    def run_due(self) -> None:
        """Do everything that is due."""
        while self._heap and self._heap[0][0] <= self.now:
            heapq.heappop(self._heap)[2]()


# Power that fails: a fuse that blows at a counted operation, whatever the agent is doing.
#
# A cut derives from BaseException, because whatever runs tasks catches Exception; nothing may survive a cut.

READ, PROGRAM, ERASE, SEND = 1, 2, 4, 8  # operations that count
ON_FLASH = PROGRAM | ERASE
READS_MAX = 200000  # a mount of the largest flash here takes less than a tenth of it
KINDS = {"flash": ON_FLASH, "any": ON_FLASH | SEND, "read": READ | ON_FLASH | SEND, "send": SEND}


class PowerCut(BaseException):
    """The power is gone."""


class Hung(BaseException):
    """The agent does not return from a step."""


class Fuse:
    """Blows at the n-th operation of some kinds; each model asks it before it works."""

    def __init__(self) -> None:
        self.left = 0  # operations until it blows; 0: not armed
        self.kinds = 0
        self.reads = 0  # in this step of the agent

    def count_read(self) -> None:
        """Count one read of a flash; a step must stay below READS_MAX reads."""
        self.reads += 1
        if self.reads > READS_MAX:
            raise Hung

    def arm(self, operations: int, kinds: str) -> None:
        """Blow at this operation from now on, the next being 1."""
        self.left = operations
        self.kinds = KINDS[kinds]

    def disarm(self) -> None:
        """Never blow."""
        self.left = 0

    def burns(self, kind: int) -> bool:
        """Count one operation; True if the power fails during it."""
        if not self.left or not self.kinds & kind:
            return False
        self.left -= 1
        return not self.left


# Named dice: each purpose rolls its own, so that removing one event from a world does not change the others.
#
# A text seed goes through SHA-512 inside `random.Random`, so the numbers depend on nothing else.


def dice(seed: int, *names: object) -> random.Random:
    """Return the dice for this purpose in the world of this seed."""
    return random.Random(":".join(["world", str(seed), *map(str, names)]))


def one_of(dice: random.Random, odds: Sequence[tuple[float, Any]]) -> Any:
    """Return one of the values, each with its weight: `one_of(d, [(3, "often"), (1, "seldom")])`."""
    at = dice.random() * sum(weight for weight, _ in odds)
    for weight, value in odds:
        at -= weight
        if at < 0:
            return value
    return odds[-1][1]
