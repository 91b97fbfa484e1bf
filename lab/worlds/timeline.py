"""Simulated time: a heap of things to do, and a clock that jumps from one to the next."""

from __future__ import annotations

import heapq
from collections.abc import Callable


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
