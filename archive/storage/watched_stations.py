"""Which stations have reported for long enough to be watched: one telegram with a wrong number is no station.

A station reports as long as no two signs of life are farther apart than PAUSE_S. After LONG_S of that, and then once in
LONG_S, it is to be noted; a restart begins anew.
"""

from __future__ import annotations

from toolcart.archive.database.tables import Station

LONG_S = 3600.0
PAUSE_S = 600.0  # a station sends something at least every minute
STATIONS_MOST = 20_000  # the one heard longest ago goes


class WatchedStations:
    """Since when stations report."""

    def __init__(self) -> None:
        self._heard: dict[Station, tuple[float, float]] = {}  # since when, and last, by station; the latest last

    def is_due(self, station: Station, now_s: float) -> bool:
        """Note a sign of life; True if the station is to be noted as one that reports."""
        since, last = self._heard.pop(station, (now_s, now_s))
        if now_s - last > PAUSE_S:
            since = now_s
        is_due = now_s - since >= LONG_S
        if len(self._heard) >= STATIONS_MOST:
            self._heard.pop(next(iter(self._heard)))
        self._heard[station] = (now_s if is_due else since), now_s
        return is_due
