"""Connections of stations not yet known are served one after the other, for a part of the time.

Whatever they send takes little from known stations.

Rules
1. In each PERIOD_S unknown connections are served for SHARE_S, the longest waiting first, TELEGRAMS_MOST of each at a
   time.
2. A waiting one is not read: what it sends stays with it. While there is time left, none waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol

PERIOD_S = 0.02
SHARE_S = 0.005
TELEGRAMS_MOST = 20  # about 1 ms


class UnknownConnection(Protocol):
    """A connection that has not yet brought anything that was stored; `take` is True if there may be more."""

    def take(self, most: int) -> bool: ...

    def read(self, on: bool) -> None: ...


class UnknownConnections:
    """Those that wait, and how much of the current period is used."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[UnknownConnection] = deque()
        self._began_s = self._used_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def serve(self, connection: UnknownConnection) -> None:
        """Serve one that has sent something, now or in its turn."""
        if not self._waiting and time.perf_counter() - self._began_s >= PERIOD_S:
            self._begin()
        if self._waiting or self._used_s >= SHARE_S:
            self._wait(connection)
        else:
            self._serve(connection)

    def _begin(self) -> None:
        self._began_s, self._used_s = time.perf_counter(), 0.0

    def _serve(self, connection: UnknownConnection) -> None:
        before_s = time.perf_counter()
        is_more = connection.take(TELEGRAMS_MOST)
        self._used_s += time.perf_counter() - before_s
        if is_more:
            self._wait(connection)

    def _wait(self, connection: UnknownConnection) -> None:
        connection.read(False)
        self._waiting.append(connection)
        if self._timer is None:
            self._timer = self._loop.call_later(self._began_s + PERIOD_S - time.perf_counter(), self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        self._begin()
        while self._waiting and self._used_s < SHARE_S:
            connection = self._waiting.popleft()
            connection.read(True)
            self._serve(connection)
        if self._waiting and self._timer is None:
            self._timer = self._loop.call_later(PERIOD_S, self._go_on)
