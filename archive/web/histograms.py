"""How values are spread, as bars over them with the limits marked, and where each of these is in a picture.

Rules
1. The bars span the values. Those of NOK results that lie far from the limits, or from the OK ones, are in the outer
   bars, or a single one would take all the room.
2. A limit is in the picture unless it is FAR away, in spans of the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolcart.archive.statistics import statistics
from toolcart.archive.statistics.spc import Sums

BARS = 40
WIDTH = 400  # of a picture
MARGIN = 0.5  # of the distance between the limits, on each side
FAR = 4
_FLAT = 1e-6  # values this near to each other have one bar
Ends = tuple[float, float]


def ends(ok: Sums, every: Sums, low: float | None, high: float | None) -> Ends:
    """Return where the bars begin and end."""
    if every.least is None or every.most is None:
        return 0.0, 1.0
    some = ok if ok.least is not None else every
    first, last = some.least or 0.0, some.most or 0.0
    if low is not None and high is not None:
        margin = MARGIN * (high - low)
        first, last = min(first, max(every.least, low - margin)), max(last, min(every.most, high + margin))
    else:
        margin = last - first
        first, last = max(every.least, first - margin), min(every.most, last + margin)
    return (first, last) if last - first > _FLAT else (first - 0.5, last + 0.5)


def counted(values: Sequence[float], ends: Ends) -> list[int]:
    """Return how many values are in each bar."""
    counts = [0] * BARS
    statistics.put_in_bars(counts, values, *ends)
    return counts


def of(ends: Ends, counts: Sequence[int], low: float | None, high: float | None) -> dict[str, Any] | None:
    """Return bars with their place in a picture, and limits; None for no values."""
    if not any(counts):
        return None
    first, last = ends
    wide = (last - first) * FAR
    near = {name: limit for name, limit in (("low", low), ("high", high)) if limit is not None}
    near = {name: limit for name, limit in near.items() if first - wide <= limit <= last + wide}
    begin, end = min(first, *near.values(), last), max(last, *near.values(), first)
    room = (end - begin) * 0.03 if near else 0.0
    begin, end = begin - room, end + room

    def place(value: float) -> float:
        return round(WIDTH * (value - begin) / (end - begin), 1)

    width = (last - first) / len(counts)
    bars = []
    for at, count in enumerate(counts):
        middle = first + (at + 0.5) * width
        is_out = (low is not None and middle < low) or (high is not None and middle > high)
        if count:
            bars.append({"x": place(first + at * width), "count": count, "is_out": is_out})
    marks = [{"x": place(limit), "value": limit} for limit in near.values()]
    return {
        "from": first,
        "to": last,
        "bars": bars,
        "counts": list(counts),
        "width": max(place(begin + width) - 0.6, 0.8),
        "top": max(counts),
        "count": sum(counts),
        "limits": marks,
        "ends": [{"x": place(first), "value": first}, {"x": place(last), "value": last}] if not marks else [],
    }
