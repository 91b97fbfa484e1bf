"""A count over time, and its bars of text, with its scale, its unit and how far back it goes.

        132 results                     the number beside the top line is what that line stands for
            ▂▆█▅▁                       a bar is the highest count of its time
          0 ────────────────────        no bar means zero: the lowest sign already means at least one
            2 min ago         now

Rules
1. A bar is the highest count of its time: a backlog shows, however short it was.
2. A drawing has the lines and columns it is given; with fewer than MARKED_LINES lines it has no line for the time.
"""

from __future__ import annotations

from collections import deque

from rich.text import Text

# The history of a count, over three spans of time at once.
#
# Rules
# 1. Each span has POINTS points, so that memory does not grow: 2 minutes, an hour, a day.
# 2. A point is the highest count of its time.

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


MARKED_LINES = 4
_EIGHTHS = " ▁▂▃▄▅▆▇█"


def scale_of(most: int) -> int:
    """Return the round number that the top line of a drawing stands for: 1, 2 or 5 and zeros, at least 5."""
    scale = 5
    while scale < most:
        scale = scale * 2 if str(scale)[0] != "2" else scale * 5 // 2
    return scale


def drawn(curve: Curve, span: int, lines: int, columns: int, unit: str, style: str) -> Text:
    """Draw the curve over one of the spans, `lines` high and `columns` wide."""
    points = list(curve.points[span])
    scale = scale_of(max(points))
    marked = lines >= MARKED_LINES
    bars = max(lines - marked, 1)
    label = f"{scale} {unit}" if columns >= 40 else f"{scale}"
    side = len(label) + 1
    width = max(columns - side, 1)
    heights = [_height(points, column, width, scale, bars) for column in range(width)]
    text = Text(no_wrap=True, overflow="crop")
    for line in range(bars):
        above = (bars - 1 - line) * 8
        left = label if line == 0 else f"{scale // 2}" if line * 2 == bars >= 4 and scale >= 10 else ""
        left = "0" if line == bars - 1 and bars > 1 else left
        text.append(f"{left:>{side - 1}} ", "dim")
        text.append("".join(_EIGHTHS[min(max(height - above, 0), 8)] for height in heights), style)
        if line + 1 < bars or marked:
            text.append("\n")
    if marked:
        past = f"{SPAN_NAMES[span]} ago"
        text.append(" " * side + past + "now".rjust(max(width - len(past), 4)), "dim")
    return text


def mini(curve: Curve, columns: int) -> str:
    """Draw the first span in one line, without a scale: whether it grows or falls."""
    points = list(curve.points[0])
    scale = scale_of(max(points))
    return "".join(_EIGHTHS[_height(points, column, columns, scale, 1)] for column in range(columns))


def _height(points: list[int], column: int, width: int, scale: int, bars: int) -> int:
    """Return how many eighths of a line this column's bar has; the newest point is in the last column."""
    first, last = column * POINTS // width, max((column + 1) * POINTS // width, column * POINTS // width + 1)
    missing = POINTS - len(points)
    seen = points[max(first - missing, 0) : max(last - missing, 0)]
    most = max(seen, default=0)
    return max(most * bars * 8 // scale, 1) if most else 0
