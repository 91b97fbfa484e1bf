"""The history of a count, over three spans of time at once.

1. Each span has POINTS points, so that memory does not grow: 2 minutes, an hour, a day.
2. A point is the highest count of its time.
"""

from __future__ import annotations

from collections import deque

POINTS = 240
SPANS_S = (120, 3600, 86400)
SPAN_NAMES = ("2 min", "1 h", "24 h")


class Curve:
    """The history of a count, over each of the spans."""

    __slots__ = ("_due_s", "points")

    def __init__(self) -> None:
        self.points: tuple[deque[int], ...] = tuple(deque([0], maxlen=POINTS) for _ in SPANS_S)
        self._due_s = [0.0] * len(SPANS_S)

    def add(self, count: int, at_s: float) -> None:
        """Add the current count; moments only grow."""
        for index, span_s in enumerate(SPANS_S):
            points = self.points[index]
            step_s = span_s / POINTS
            if at_s < self._due_s[index]:
                points[-1] = max(points[-1], count)
                continue
            # Moments at which the count was not taken keep the count from before.
            for _ in range(min(int((at_s - self._due_s[index]) / step_s), POINTS) if self._due_s[index] else 0):
                points.append(points[-1])
            points.append(count)
            self._due_s[index] = at_s - at_s % step_s + step_s
