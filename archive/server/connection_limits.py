"""Who may be connected when there are fewer places than connections.

1. One address may have only a part of the places: a host that opens too many leaves room for the others.
2. A guest is unknown until something from it is stored. When there is no room, the oldest unknown one goes, and the new
   one itself where all are known: one that has brought something is never put out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Generic, TypeVar

Guest = TypeVar("Guest")


class ConnectionLimits(Generic[Guest]):
    """The guests that have a place, each with its address."""

    def __init__(self, most: int, of_one_most: int) -> None:
        self.most = most
        self.of_one_most = of_one_most
        self._all: dict[Guest, str] = {}
        self._count: Counter[str] = Counter()
        self._unknown: dict[Guest, None] = {}  # oldest first

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Guest]:
        return iter(self._all)

    def take(self, guest: Guest, address: str) -> Guest | None:
        """Give a guest a place. Return the one to put out for it, if any: the guest itself if no unknown one can go."""
        if self._count[address] >= self.of_one_most:
            out = next((one for one in self._unknown if self._all[one] == address), guest)
        elif len(self._all) >= self.most:
            out = next(iter(self._unknown), guest)
        else:
            out = None
        if out is guest:
            return guest
        if out is not None:
            self.leave(out)
        self._all[guest] = address
        self._count[address] += 1
        self._unknown[guest] = None
        return out

    def is_unknown(self, guest: Guest) -> bool:
        """True if nothing from it has been stored yet."""
        return guest in self._unknown

    def trust(self, guest: Guest) -> None:
        """Note that something from it was stored."""
        self._unknown.pop(guest, None)

    def leave(self, guest: Guest) -> None:
        """Free a guest's place, if it has one."""
        if guest not in self._all:
            return
        self._unknown.pop(guest, None)
        address = self._all.pop(guest)
        self._count[address] -= 1
        if not self._count[address]:
            del self._count[address]
