"""Makes durable where the outlets are, once nothing has moved for a while.

What an outlet has taken is made durable as records come, a batch or a block at a time. When none come any more the last
ones would count as waiting after a power cut: said of an outlet that is removed then, taken over with the spool, and
counted as given up for one that was restored. One snapshot for each such pause costs a disk nothing; a chip's flash has
too few erases for it.
"""

from __future__ import annotations

from typing import Any

from toolcart.agent.base.ticks import ticks_add, ticks_diff

LOOK_MS = 15000  # what has not moved from one look to the next is saved


class IdleSave:
    """Looks at the spools of these stations (toolcart.agent.cart.app)."""

    def __init__(self, stations: list[Any], now: int) -> None:
        self._stations = stations
        self._due = ticks_add(now, LOOK_MS)
        self._seen: dict[int, list[int]] = {}  # by station: what was not durable at the last look

    def on_turn(self, now: int) -> int:
        """Save what is due; return the ms until the next look."""
        left_ms = ticks_diff(self._due, now)
        if left_ms > 0:
            return left_ms
        self._due = ticks_add(now, LOOK_MS)
        for station in self._stations:
            places = _unsaved(station)
            if places and places == self._seen.get(station.number):
                station.state.save()
            self._seen[station.number] = places
        return LOOK_MS


def _unsaved(station: Any) -> list[int]:
    """Return where the outlets are, if that is not durable; nothing while the spool is not up, or a log in doubt."""
    if not station.mounted or not station.state.is_reliable or station.log.doubtful:
        return []
    cursors = station.log.cursors
    if all(station.state.durable[cursor.slot] == cursor.number for cursor in cursors):
        return []
    return [station.log.number, *[cursor.number for cursor in cursors]]
