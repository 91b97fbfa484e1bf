"""The results that nobody could tell from those refused by content: `kept, blamed`, rule 6 of docs/worlds.md."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from tools.worlds.history import Result

SEQUENCES = 99999
PAUSE_MS = 5000  # from an answer to the next offer: who waits longer begins with the first again
SILENT_CONNECTS = 3  # that end at one without an answer to it, until the next begins behind it (DIGEST G.9 no. 3)


class Connection(Protocol):
    """One connection to the server, open since `since`, in ms."""

    since: int


class Refused:
    """The row of offers that the next one taken ends: each later than the one before, without a pause (rule 6)."""

    def __init__(self) -> None:
        self.by_trouble: list[tuple[int, Result | None]] = []  # those of it that a server in trouble refused
        self.peer: Connection | None = None
        self.last = 0
        self.out = 0  # the production number of the one that was offered last, 0 once it is answered
        self.silent: Counter[int] = Counter()  # connections that ended at one without an answer to it
        self.passed = 0  # the one that is in front of the row because of that

    def offered(self, number: int, sequence: int, peer: Connection | None, now: int) -> None:
        """One is offered: on another connection or after a pause that begins a row, else what is not in front goes.

        A lie may have changed its sequence since the last time.
        """
        if peer is not None and peer is not self.peer:
            self._on_another(peer, now)
        elif now - self.last > PAUSE_MS:
            self.by_trouble.clear()
        if number == self.passed:
            self.passed = 0  # it has its turn, and is one of the row like any other
        self.peer, self.last, self.out = peer, now, number
        self.by_trouble = [one for one in self.by_trouble if 0 < (sequence - one[0]) % SEQUENCES < SEQUENCES // 2]

    def _on_another(self, peer: Connection, now: int) -> None:
        """Another connection begins a row, behind the one that has been silent at the end of three, if there is one."""
        self.passed = 0
        if self.out:
            self.silent[self.out] += 1
            if self.silent[self.out] >= SILENT_CONNECTS and now - peer.since <= PAUSE_MS:
                self.passed = self.out
        self.by_trouble = [one for one in self.by_trouble if self.passed and self._is(one, self.passed)]

    def answered(self, now: int) -> None:
        """The last one is answered: a silent one in front of it has its turn again, unless it has had that before."""
        self.last = now
        self.silent.pop(self.out, None)
        self.out = 0
        if self.passed and self.silent[self.passed] <= SILENT_CONNECTS:
            self.by_trouble = [one for one in self.by_trouble if not self._is(one, self.passed)]

    @staticmethod
    def _is(one: tuple[int, Result | None], number: int) -> bool:
        return one[1] is not None and one[1].number == number

    def blame(self) -> None:
        """The one that was offered last is taken."""
        for _, result in self.by_trouble:
            if result is not None:
                result.blamed = True
        self.by_trouble.clear()
        self.silent.clear()
