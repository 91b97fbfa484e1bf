"""How long ago the records that wait were stored, by this machine's own clock, as far as this run of the agent saw it.

No record keeps when it was stored: its time stamp is the controller's, whose clock may be days off. So once a second it
is noted how far each log had come. What was there at the first look was stored before it: its age is a least one.

Rules
1. A note says that all records up to a number were stored by a moment. The one in front of what waits is kept: without
   it a record may be older than the first note says.
2. Notes are thinned out once there are MOST: one is left out where its neighbours are closer to each other than a
   sixteenth of its age. So there are few, and an age is exact to that and a second.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from toolcart.agent.base.ticks import ticks_add, ticks_diff
from toolcart.agent.log.cursor import WANTS_RESULTS, Cursor
from toolcart.agent.log.framing import RECORD_NONE

LOOK_MS = 1000
MOST = 512  # a station's notes
APART = 16

Note = tuple[int, float]  # number of a record, and by when it was stored


class StoredTimes:
    """Looks at the logs of these stations (toolcart.agent.cart.app); `clock` never goes back."""

    def __init__(self, stations: list[Any], now: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._stations = stations
        self._due = now
        self._clock = clock
        self._notes: dict[int, deque[Note]] = {}  # by station

    def on_turn(self, now: int) -> None:
        """Note how far the logs have come, once a second; nobody is woken for it: turns come often enough."""
        if ticks_diff(self._due, now) <= 0:
            self._due = ticks_add(now, LOOK_MS)
            moment = self._clock()
            for station in self._stations:
                if station.mounted:
                    self._look(station, moment)

    def _look(self, station: Any, moment: float) -> None:
        newest, passed = station.log.number, station.log.backlog_cursor().number
        notes = self._notes.setdefault(station.number, deque())
        if notes and newest < notes[-1][0]:
            notes.clear()  # the log was mounted again, with less
        if not notes or newest > notes[-1][0]:
            notes.append((newest, moment))
        while len(notes) > 1 and notes[1][0] <= passed:
            notes.popleft()
        if len(notes) > MOST:
            self._notes[station.number] = _thinned(notes, moment)

    def put_oldest(self, station: Any, status: dict) -> None:
        """Add to a station's status how many seconds ago the oldest result that waits was stored, 0 if none waits, and
        whether that is only the least; None if the record cannot be read."""
        number = _oldest_waiting(station.log)
        age_s, is_least = None if number is None else 0.0, False
        if number:
            now = self._clock()
            notes = self._notes.get(station.number, deque())
            place = next((place for place, note in enumerate(notes) if note[0] >= number), None)
            if place is not None:  # else it was stored since the last look
                age_s, is_least = round(now - notes[place][1], 1), place == 0
        status["oldest_waiting_s"], status["oldest_waiting_at_least"] = age_s, is_least


def _oldest_waiting(log: Any) -> int | None:
    """Return the number of the oldest result that waits for any outlet, 0 if none does, None if it cannot be read."""
    scout = Cursor()
    scout.wants = WANTS_RESULTS
    scout.stand_at(log.backlog_cursor())
    kind = log.peek(scout)
    if kind < RECORD_NONE:
        return None
    return scout.found if kind > RECORD_NONE else 0


def _thinned(notes: deque[Note], moment: float) -> deque[Note]:
    kept = deque([notes[0]])
    for place in range(1, len(notes) - 1):
        if notes[place + 1][1] - kept[-1][1] > (moment - notes[place][1]) / APART:
            kept.append(notes[place])
    kept.append(notes[-1])
    return kept
