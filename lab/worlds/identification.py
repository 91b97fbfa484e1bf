"""Which result stands where: by the production number in its VIN and, where several spindles share that, its spindle.

A record has its spindle two bytes in front of the VIN; a frame that no one could read has none there.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

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
