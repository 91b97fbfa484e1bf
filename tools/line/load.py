"""How busy a serial line is: the share of the time in which octets were on each of its two wires.

1. An octet takes its start bit, eight bits, parity and stop bits, at the line's rate; between them the wire is idle.
2. A live line's windows are whole seconds of the clock that gives the moments; the total covers all of it.
"""

from __future__ import annotations

from toolcart.tools.line.explanation import WHO

BAR_CELLS = 20


class Load:
    """Counts what came on the monitored wires; `directions` are values of `from_agent`."""

    def __init__(self, baud: int, parity: str, stop_bits: int, directions: tuple[bool, ...]) -> None:
        self.octet_s = (1 + 8 + (parity != "none") + stop_bits) / baud
        self.total = dict.fromkeys(directions, 0)
        self._window = dict.fromkeys(directions, 0)
        self._window_start_s = 0.0

    def add(self, from_agent: bool, count: int) -> None:
        """Count octets that came."""
        self.total[from_agent] += count
        self._window[from_agent] += count

    def window(self, now_s: float) -> str:
        """Return what came since the last window, as bars, and begin a new one."""
        span_s = max(now_s - self._window_start_s, 0.001)
        parts = []
        for direction, octets in self._window.items():
            percent = self.percent(octets, span_s)
            filled = round(percent * BAR_CELLS / 100)
            bar = "#" * filled + "." * (BAR_CELLS - filled)
            parts.append(f"{WHO[direction]} {bar} {percent:3.0f} % {octets:5} bytes")
        self._window = dict.fromkeys(self._window, 0)
        self._window_start_s = now_s
        return f"{now_s:8.1f} s  " + "   ".join(parts)

    def account(self, span_s: float) -> str:
        """Return the load of the whole time, in words."""
        parts = [
            f"{WHO[direction]} {self.percent(octets, span_s):.1f} % ({octets} bytes)"
            for direction, octets in self.total.items()
        ]
        return f"the line was busy: {', '.join(parts)} of {span_s:.1f} s"

    def percent(self, octets: int, span_s: float) -> float:
        """Return the share of this time, 100 at most: a driver may deliver late what came before."""
        return min(100 * octets * self.octet_s / max(span_s, 0.001), 100.0)
