"""A station's day in figures: each program's verdicts, and how torque and angle lie between their limits.

Rules
1. A program whose limits were changed during the day gets two lines: figures across two sets of limits mean nothing.
2. Figures are those of toolcart.archive.spc, in the order in which the screws were tightened.
3. Spread is shown between the limits and half their distance beyond on both sides; the rest is in the outer bars.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from toolcart.archive import spc

BARS = 40
MARGIN = 0.5  # of the distance between the limits, on each side


@dataclass
class Spread:
    """How one quantity was spread; limits are None if the station sent none."""

    unit: str
    decimals: int
    low: float | None
    high: float | None
    values: list[float] = field(default_factory=list)

    def figures(self) -> dict:
        """Return those of spc.figures, and the bars."""
        told = {"unit": self.unit, "decimals": self.decimals, "low": self.low, "high": self.high, "bars": []}
        if self.low is None and not any(self.values):
            self.values.clear()  # a program that does not measure it sends zeros
        told.update(spc.figures(self.values, self.low, self.high))
        if self.values:
            told["from"], told["to"], told["bars"] = self._bars()
        return told

    def _bars(self) -> tuple[float, float, list[int]]:
        if self.low is not None and self.high is not None:
            margin = (self.high - self.low) * MARGIN
            first, last = self.low - margin, self.high + margin
        else:
            first, last = min(self.values), max(self.values)
        if last <= first:
            first, last = first - 0.5, last + 0.5
        bars = [0] * BARS
        for value in self.values:
            at = int((value - first) / (last - first) * BARS)
            bars[at if 0 <= at < BARS else 0 if at < 0 else BARS - 1] += 1
        return first, last, bars


@dataclass
class Program:
    """One program of one spindle under one set of limits."""

    spindle: int
    program: int
    torque: Spread
    angle: Spread
    count: int = 0
    nok: int = 0

    def figures(self, name: str) -> dict:
        """Return what a page shows of it."""
        return {
            "spindle": self.spindle,
            "program": self.program,
            "name": name,
            "count": self.count,
            "nok": self.nok,
            "ok_share": (self.count - self.nok) / self.count,
            "torque": self.torque.figures(),
            "angle": self.angle.figures(),
        }


def programs(rows: Iterable[Sequence], names: dict[tuple[int, int], str], only_ok: bool) -> list[dict]:
    """Return each program's figures, by spindle and number; `only_ok`: spread and capability of OK results only."""
    found: dict[tuple, Program] = {}
    for spindle, program, overall, torque, torque_low, torque_high, angle, angle_low, angle_high in rows:
        key = (spindle, program, torque_low, torque_high, angle_low, angle_high)
        one = found.get(key)
        if one is None:
            torques = Spread("Nm", 2, *limits_of(torque_low, torque_high))
            angles = Spread("°", 1, *limits_of(angle_low, angle_high))
            one = found[key] = Program(spindle, program, torques, angles)
        one.count += 1
        one.nok += overall != 0
        if only_ok and overall:
            continue
        if torque is not None:
            one.torque.values.append(torque)
        if angle is not None:
            one.angle.values.append(angle)
    ordered = sorted(found.values(), key=lambda one: (one.spindle, one.program, -one.count))
    return [one.figures(names.get((one.spindle, one.program), f"Program {one.program}")) for one in ordered]


def limits_of(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """Return the limits, or none: a station without limits sends 0 for both."""
    if low is None or high is None or not low < high:
        return None, None
    return low, high
