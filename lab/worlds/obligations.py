"""What is owed, what of it is missing, and what may be missing: rules 1 and 5 of docs/internals/worlds.md."""

from __future__ import annotations

from lab.worlds.history import Result, StationHistory
from lab.worlds.identification import named_in


def is_owed(result: Result, station: StationHistory) -> bool:
    """True if acknowledged, or held by a controller met before; not what an earlier count has left there."""
    if result.acks:
        return True
    if not (station.rules.recover and result.held and result.after_meeting):
        return False
    return result.count == max(other.count for other in station.results.values())


def missing(station: StationHistory) -> list[Result]:
    """Return owed results without a row that counts before the last power cycle, whatever may excuse them.

    A row that the server forgot counts if the server had vouched for it before.
    """
    there = {row.number for row in station.rows if row.forgotten is None or row.vouched} - station.came_after
    return [r for r in station.results.values() if r.number not in there and is_owed(r, station)]


def is_kept(result: Result, station: StationHistory) -> bool:
    """True if the bytes of this result are in the quarantine."""
    payloads, spindles = station.report.kept_payloads, station.rules.spindles
    return any(result.number == made for one in payloads for _, made in named_in(result.station, one, spindles))


def is_overwritten(result: Result, station: StationHistory) -> bool:
    """True if it was in the oldest block, or its last copy in a block that was erased, while the log was full."""
    return station.rules.overwrite and result.gone is not None and result.gone_full


def still_open(station: StationHistory) -> int:
    """Return how much the calm must still wait for."""
    report = station.report
    owed = [r for r in missing(station) if not r.dropped]
    left = [r for r in owed if (r.is_liked() if is_kept(r, station) else not is_overwritten(r, station))]
    return len(left) + report.waiting + report.needs_operator
