"""How full a station's spool is, as everyone says it: in percent of what can be used, so that a full one has 100.

A board tells blocks alone, of which one stays free as long as an outlet has something to take.
"""

from __future__ import annotations

HIGH_PERCENT = 75  # time to look, before it is full


def percent_full(station: dict) -> int:
    """Return the percentage: 100 where the controller waits for room."""
    spool = station["spool"]
    if station.get("controller", {}).get("waits_for_room"):
        return 100
    percent = spool.get("percent_full")
    return percent if percent is not None else min(99, 100 * spool["used_blocks"] // max(spool["blocks"] - 1, 1))
