"""A count over time (toolcart.tools.live.history) as bars of text, with its scale, its unit and how far back it goes.

        132 results                     the number beside the top line is what that line stands for
            ▂▆█▅▁                       a bar is the highest count of its time
          0 ────────────────────        no bar means zero: the lowest sign already means at least one
            2 min ago         now

Rules
1. A bar is the highest count of its time: a backlog shows, however short it was.
2. A drawing has the lines and columns it is given; with fewer than MARKED_LINES lines it has no line for the time.
"""

from __future__ import annotations

from rich.text import Text

from toolcart.tools.live.count_history import POINTS, SPAN_NAMES, Curve

MARKED_LINES = 4
_EIGHTHS = " ▁▂▃▄▅▆▇█"


def scale_of(highest: int) -> int:
    """Return the round number that the top line of a drawing stands for: 1, 2 or 5 and zeros, at least 5."""
    scale = 5
    while scale < highest:
        scale = scale * 2 if str(scale)[0] != "2" else scale * 5 // 2
    return scale


def draw(curve: Curve, span: int, lines: int, columns: int, unit: str, style: str) -> Text:
    """Draw the curve over one of the spans, `lines` high and `columns` wide."""
    points = list(curve.points[span])
    scale = scale_of(max(points))
    marked = lines >= MARKED_LINES
    bars = max(lines - marked, 1)
    label = f"{scale} {unit}" if columns >= 40 else f"{scale}"
    label_width = len(label) + 1
    width = max(columns - label_width, 1)
    heights = [_height(points, column, width, scale, bars) for column in range(width)]
    text = Text(no_wrap=True, overflow="crop")
    for line in range(bars):
        above = (bars - 1 - line) * 8
        line_label = label if line == 0 else f"{scale // 2}" if line * 2 == bars >= 4 and scale >= 10 else ""
        line_label = "0" if line == bars - 1 and bars > 1 else line_label
        text.append(f"{line_label:>{label_width - 1}} ", "dim")
        text.append("".join(_EIGHTHS[min(max(height - above, 0), 8)] for height in heights), style)
        if line + 1 < bars or marked:
            text.append("\n")
    if marked:
        past = f"{SPAN_NAMES[span]} ago"
        text.append(" " * label_width + past + "now".rjust(max(width - len(past), 4)), "dim")
    return text


def sparkline(curve: Curve, columns: int) -> str:
    """Draw the first span in one line, without a scale: whether it grows or falls."""
    points = list(curve.points[0])
    scale = scale_of(max(points))
    return "".join(_EIGHTHS[_height(points, column, columns, scale, 1)] for column in range(columns))


def _height(points: list[int], column: int, width: int, scale: int, bars: int) -> int:
    """Return how many eighths of a line this column's bar has; the newest point is in the last column."""
    first, last = column * POINTS // width, max((column + 1) * POINTS // width, column * POINTS // width + 1)
    missing = POINTS - len(points)
    values = points[max(first - missing, 0) : max(last - missing, 0)]
    highest = max(values, default=0)
    return max(highest * bars * 8 // scale, 1) if highest else 0
