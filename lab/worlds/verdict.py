"""The names of what the judge can find and excuse: a kind for each rule of docs/internals/worlds.md."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.worlds.history import Result, StationHistory

LOST, DOUBLED, OUT_OF_ORDER, GARBLED, STUCK, HELD_UP = "lost", "doubled", "out of order", "garbled", "stuck", "held up"
LATE, ASIDE, UNTRUTHFUL, DISOBEYED, ENDLESS, BROKEN = "late", "aside", "untruthful", "disobeyed", "endless", "broken"
# In the order of the rules.
KINDS = (LOST, DOUBLED, OUT_OF_ORDER, GARBLED, STUCK, HELD_UP, LATE, ASIDE, UNTRUTHFUL, DISOBEYED, ENDLESS, BROKEN)
KEPT, OVERWRITTEN, DROPPED, IN_DOUBT = "kept", "overwritten", "dropped by an operator", "in doubt"
FORGOTTEN, FALSE_08, AGAIN, RETRIED = "forgotten", "false 08", "given again", "retried"
OFFERED_LATE, PASSED_OVER, BROUGHT_BACK = "offered late", "passed over", "brought back"


@dataclass
class Finding:
    """One breach of the promise."""

    kind: str
    station: int
    text: str
    count: int = 1


@dataclass
class Verdict:
    """What the judge found in one world."""

    findings: list[Finding] = field(default_factory=list)
    excused: Counter = field(default_factory=Counter)
    owed: int = 0

    def add(self, kind: str, station: int, text: str, count: int = 1) -> None:
        """Note a finding."""
        self.findings.append(Finding(kind, station, text, count))

    def kinds(self) -> list[str]:
        """Return the kinds found, worst first, each once."""
        found = {finding.kind for finding in self.findings}
        return [kind for kind in KINDS if kind in found]


# Which result stands where: by the production number in its VIN and, where several spindles share that, its spindle.
#
# A record has its spindle two bytes in front of the VIN; a frame that no one could read has none there.

SPINDLES_MOST = 9  # of one tightening


@functools.lru_cache
def token(station: int) -> re.Pattern[bytes]:
    """Return the pattern of the VIN of this station's results; the group is the production number."""
    return re.compile(rb"W%dN(\d{6})" % station)


def named_in(
    station: int, octets: bytes | bytearray, spindles: int, first: int = 0, end: int | None = None
) -> Iterator:
    """Yield (match, production number) for each result in octets[first:end]; `spindles`: how many share a VIN."""
    for match in token(station).finditer(octets, first, len(octets) if end is None else end):
        number = int(match[1])
        if spindles and match.start() >= 2:
            spindle = octets[match.start() - 2] & 0x7F
            number += min(max(spindle, 1), SPINDLES_MOST) - 1
        yield match, number


# What is owed, what of it is missing, and what may be missing: rules 1 and 5 of docs/internals/worlds.md.


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
    payloads, spindles = station.said.kept_payloads, station.rules.spindles
    return any(result.number == made for one in payloads for _, made in named_in(result.station, one, spindles))


def is_overwritten(result: Result, station: StationHistory) -> bool:
    """True if it was in the oldest block, or its last copy in a block that was erased, while the log was full."""
    return station.rules.overwrite and result.gone is not None and result.gone_full


def may_wait(result: Result, station: StationHistory) -> bool:
    """True if it stays in the quarantine for good: the server does not take it, or its place is in doubt."""
    return not result.is_liked() or (station.rules.window > 1 and bool(result.doubted))


def still_open(station: StationHistory) -> int:
    """Return how much the calm must still wait for."""
    said = station.said
    owed = [r for r in missing(station) if not r.dropped]
    left = [r for r in owed if not (may_wait if is_kept(r, station) else is_overwritten)(r, station)]
    return len(left) + said.waiting + said.needs_operator
