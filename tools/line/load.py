"""How busy a serial line is: the share of the time that octets were on each of its two wires.

Rules
1. An octet takes its start bit, eight bits, parity and stop bits, at the line's rate; between them the wire is idle.
2. The windows of a live line are whole seconds of the clock that the moments are of; the account is of all of it.
"""

from __future__ import annotations

BAR_CELLS = 20
WHO = {False: "controller", True: "agent"}


class Load:
    """Counts what was heard on the wires that are listened to; `directions` are those of `Heard.from_agent`."""

    def __init__(self, baud: int, parity: str, stop_bits: int, directions: tuple[bool, ...]) -> None:
        self.octet_s = (1 + 8 + (parity != "none") + stop_bits) / baud
        self.total = dict.fromkeys(directions, 0)
        self._window = dict.fromkeys(directions, 0)
        self._begun_s = 0.0

    def hear(self, from_agent: bool, count: int) -> None:
        """So many octets came."""
        self.total[from_agent] += count
        self._window[from_agent] += count

    def window(self, now_s: float) -> str:
        """What there was since the last window, as bars; a new one begins."""
        span_s = max(now_s - self._begun_s, 0.001)
        parts = []
        for direction, octets in self._window.items():
            percent = self.percent(octets, span_s)
            filled = round(percent * BAR_CELLS / 100)
            bar = "#" * filled + "." * (BAR_CELLS - filled)
            parts.append(f"{WHO[direction]} {bar} {percent:3.0f} % {octets:5} octets")
        self._window = dict.fromkeys(self._window, 0)
        self._begun_s = now_s
        return f"{now_s:8.1f} s  " + "   ".join(parts)

    def account(self, span_s: float) -> str:
        """All of it, in words."""
        parts = [
            f"{WHO[direction]} {self.percent(octets, span_s):.1f} % ({octets} octets)"
            for direction, octets in self.total.items()
        ]
        return f"the line was busy: {', '.join(parts)} of {span_s:.1f} s"

    def percent(self, octets: int, span_s: float) -> float:
        """The share of this time; no more than all of it: a driver hands over late what came before."""
        return min(100 * octets * self.octet_s / max(span_s, 0.001), 100.0)
