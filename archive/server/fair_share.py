"""A fair share for each connection of a station not yet known, a stranger: one after the other, for part of the time.

Whatever they send takes little from known stations.

Rules
1. In each PERIOD_S strangers are served for SHARE_S, the longest waiting first, TELEGRAMS_MOST of each at a time.
2. A waiting stranger is not read: what it sends stays with it. While there is time left, none waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol

PERIOD_S = 0.02
SHARE_S = 0.005
TELEGRAMS_MOST = 20  # about 1 ms


class UnknownStation(Protocol):
    """A connection that has not yet brought anything that was stored; `take` is True if there may be more."""

    def take(self, most: int) -> bool: ...

    def read(self, on: bool) -> None: ...


class FairShare:
    """The strangers that wait, and how much of the current period is used."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[UnknownStation] = deque()
        self._began_s = self._used_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def serve(self, stranger: UnknownStation) -> None:
        """Serve a stranger that has sent something, now or in its turn."""
        if not self._waiting and time.perf_counter() - self._began_s >= PERIOD_S:
            self._begin()
        if self._waiting or self._used_s >= SHARE_S:
            self._wait(stranger)
        else:
            self._serve(stranger)

    def _begin(self) -> None:
        self._began_s, self._used_s = time.perf_counter(), 0.0

    def _serve(self, stranger: UnknownStation) -> None:
        before_s = time.perf_counter()
        is_more = stranger.take(TELEGRAMS_MOST)
        self._used_s += time.perf_counter() - before_s
        if is_more:
            self._wait(stranger)

    def _wait(self, stranger: UnknownStation) -> None:
        stranger.read(False)
        self._waiting.append(stranger)
        if self._timer is None:
            self._timer = self._loop.call_later(self._began_s + PERIOD_S - time.perf_counter(), self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        self._begin()
        while self._waiting and self._used_s < SHARE_S:
            stranger = self._waiting.popleft()
            stranger.read(True)
            self._serve(stranger)
        if self._waiting and self._timer is None:
            self._timer = self._loop.call_later(PERIOD_S, self._go_on)
