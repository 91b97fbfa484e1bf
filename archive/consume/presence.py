"""Stations whose outlet is connected to its broker: they count as heard even if no result comes for hours.

1. B/state says so, retained; its last will says the opposite. While the consumer has no connection nothing is known.
2. A topic's station is the one that its batches have named; at the start the one in the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, select

from toolcart.archive.consume.batch import (
    read_state,
)
from toolcart.archive.consume.lines import Place
from toolcart.archive.database import tables as t

BEAT_S = 60.0
TOPICS_MOST = 10_000


class OnlineStations:
    """Which stations are online; for one thread."""

    def __init__(self, mark_alive: Callable[[Place], None]) -> None:
        self._mark_alive = mark_alive
        self._is_online: dict[str, bool] = {}
        self._places: dict[str, Place] = {}
        self._beaten_s = 0.0

    def learn(self, connection: Connection) -> None:
        """Read which station each topic belongs to."""
        c = t.CONSUMED.c
        for row in connection.execute(select(c.Topic, c.SystemType, c.System, c.Station).order_by(c.Arrived)):
            self.belongs(row[0], tuple(row[1:]))

    def belongs(self, topic: str, place: Place) -> None:
        """Note that a batch of this station came on this topic."""
        if topic in self._places or len(self._places) < TOPICS_MOST:
            self._places[topic] = place

    def take(self, topic: str, payload: bytes) -> None:
        """Take what B/state says; Unreadable."""
        is_online = read_state(payload)
        if topic in self._is_online or len(self._is_online) < TOPICS_MOST:
            self._is_online[topic] = is_online
        if is_online and topic in self._places:
            self._mark_alive(self._places[topic])

    def count(self) -> int:
        return sum(self._is_online.values())

    def beat(self) -> None:
        """Now and then, report all online stations as heard."""
        now = time.monotonic()
        if now - self._beaten_s < BEAT_S:
            return
        self._beaten_s = now
        for topic, is_online in self._is_online.items():
            if is_online and topic in self._places:
                self._mark_alive(self._places[topic])
