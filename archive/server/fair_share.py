"""Strangers are served in turns, for part of the time: whatever they send takes little from known stations.

Rules
1. In each PERIOD_S strangers are served for SHARE_S, the longest waiting first, TELEGRAMS_MOST of each at a time.
2. A waiting stranger is not read: what it sends stays with it. While there is time left, none waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

PERIOD_S = 0.02
SHARE_S = 0.005
TELEGRAMS_MOST = 20  # about 1 ms


class Stranger(Protocol):
    """A connection that has not yet brought anything that was stored; `take` is True if there may be more."""

    def take(self, most: int) -> bool: ...

    def read(self, on: bool) -> None: ...


class Turns:
    """The strangers that wait, and how much of the current period is used."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Stranger] = deque()
        self._began_s = self._used_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def serve(self, stranger: Stranger) -> None:
        """Serve a stranger that has sent something, now or in its turn."""
        if not self._waiting and time.perf_counter() - self._began_s >= PERIOD_S:
            self._begin()
        if self._waiting or self._used_s >= SHARE_S:
            self._wait(stranger)
        else:
            self._serve(stranger)

    def _begin(self) -> None:
        self._began_s, self._used_s = time.perf_counter(), 0.0

    def _serve(self, stranger: Stranger) -> None:
        before_s = time.perf_counter()
        is_more = stranger.take(TELEGRAMS_MOST)
        self._used_s += time.perf_counter() - before_s
        if is_more:
            self._wait(stranger)

    def _wait(self, stranger: Stranger) -> None:
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


# Who may be connected when there are fewer places than connections.
#
# 1. One address may have only a part of the places: a host that opens too many leaves room for the others.
# 2. A stranger has not yet brought anything that was stored. When there is no room, the oldest stranger goes: a station
#    that has something to say always gets in, and one that has brought something is never put out.

Guest = TypeVar("Guest")


class Places(Generic[Guest]):
    """The guests that have a place, each with its address."""

    def __init__(self, most: int, of_one_most: int) -> None:
        self.most = most
        self.of_one_most = of_one_most
        self._all: dict[Guest, str] = {}
        self._count: Counter[str] = Counter()
        self._strangers: dict[Guest, None] = {}  # oldest first

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Guest]:
        return iter(self._all)

    def take(self, guest: Guest, address: str) -> Guest | None:
        """Give a guest a place. Return the guest to put out for it, if any: the guest itself if no stranger can go."""
        if self._count[address] >= self.of_one_most:
            out = next((one for one in self._strangers if self._all[one] == address), guest)
        elif len(self._all) >= self.most:
            out = next(iter(self._strangers), guest)
        else:
            out = None
        if out is guest:
            return guest
        if out is not None:
            self.leave(out)
        self._all[guest] = address
        self._count[address] += 1
        self._strangers[guest] = None
        return out

    def is_stranger(self, guest: Guest) -> bool:
        """True if nothing from it has been stored yet."""
        return guest in self._strangers

    def trust(self, guest: Guest) -> None:
        """Note that something from it was stored."""
        self._strangers.pop(guest, None)

    def leave(self, guest: Guest) -> None:
        """Free a guest's place, if it has one."""
        if guest not in self._all:
            return
        self._strangers.pop(guest, None)
        address = self._all.pop(guest)
        self._count[address] -= 1
        if not self._count[address]:
            del self._count[address]
