"""The torques of a spool by program, with the limits that the controller sent: what `toolcart spool plot` draws.

Rules
1. A result counts once, by its number; one whose torque cannot be read is counted and left out.
2. Limits are those of the newest result that has some; revisions of MID 0061 below 2 have none, nor does 999 without
   the setting that asks for them. If they have changed, that is said.
3. Mean and deviation are of the results that are OK: a broken-off tightening says nothing about the tool.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean, stdev

from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.agent.record.text import decimal_of
from toolcart.spool.image import Area, Entry
from toolcart.tools.spool.report import results, row
from toolcart.trace.draw import Panel


@dataclass
class Program:
    """The results of one parameter set, oldest first."""

    name: str
    unit: str = "Nm"
    rows: list[dict] = field(default_factory=list)  # number, time, vin, torque, status
    low: float | None = None
    high: float | None = None
    target: float | None = None
    limits_changed: int = 0
    unreadable: int = 0

    @property
    def good(self) -> list[float]:
        return [one["torque"] for one in self.rows if one["status"] == "OK"]

    def title(self) -> str:
        """Describe it in one line."""
        nok = len(self.rows) - len(self.good)
        words = [f"program {self.name or 'without a number'}", f"{len(self.rows)} results", f"{nok} NOK"]
        if len(self.good) > 1:
            words.append(f"OK ones {fmean(self.good):.2f} {self.unit} ± {stdev(self.good):.2f}")
        if self.limits_changed:
            times = "once" if self.limits_changed == 1 else f"{self.limits_changed} times"
            words.append(f"limits changed {times}, the newest are drawn")
        return ", ".join(words)

    def as_data(self) -> dict[str, object]:
        several = len(self.good) > 1
        return {
            "program": self.name or None,
            "unit": self.unit,
            "low": self.low,
            "high": self.high,
            "target": self.target,
            "limits_changed": self.limits_changed,
            "count": len(self.rows),
            "nok": len(self.rows) - len(self.good),
            "unreadable": self.unreadable,
            "mean": round(fmean(self.good), 4) if several else None,
            "deviation": round(stdev(self.good), 4) if several else None,
            "results": self.rows,
        }


def programs(areas: list[Area]) -> list[Program]:
    """Return every program that has results in these areas, by number."""
    found: dict[str, Program] = {}
    rows = []
    for entry in (entry for area in areas for entry in results(area) if entry.kind == KIND_RESULT):
        told = row(entry)
        number = int(str(told.get("refused_number") or told["number"]))  # its number in the log, wherever it is now
        rows.append((number, told, entry))
    for number, told, entry in sorted(rows, key=lambda one: one[0]):
        program = found.setdefault(str(told["program"]), Program(str(told["program"])))
        try:
            torque = float(str(told["torque"]))
        except ValueError:
            program.unreadable += 1
            continue
        program.unit = str(told["unit"])
        program.rows.append({"number": number, "time": told["time"], "vin": told["vin"], "torque": torque})
        program.rows[-1].update(status=told["status"], parked="refused_number" in told)
        _take_limits(program, entry)
    return sorted(found.values(), key=lambda program: (len(program.name), program.name))


def _take_limits(program: Program, entry: Entry) -> None:
    at = res.HEAD_BYTES + res.BODY_BYTES
    if len(entry.payload) < at + res.LIMITS_BYTES:
        return
    told = []
    for place in (res.TORQUE_MIN, res.TORQUE_MAX, res.TORQUE_TARGET):
        text = decimal_of(entry.payload, at + place, res.TORQUE_BYTES, 2)
        try:
            told.append(float(text) if text else None)
        except ValueError:
            told.append(None)
    low, high, target = told
    if not low and not high:  # a controller without limits sends 0 for both
        return
    if (program.low, program.high) not in ((None, None), (low, high)):
        program.limits_changed += 1
    program.low, program.high, program.target = low, high, target


def panels(found: list[Program]) -> list[Panel]:
    """Return a drawing for each program: torque over the number of the result, a cross for what is not OK."""
    drawn = []
    for program in found:
        points = [(float(one["number"]), one["torque"]) for one in program.rows]
        good = [one["status"] == "OK" for one in program.rows]
        panel = Panel(
            program.title(), "result number", f"torque ({program.unit})", [], program.low, program.high, False
        )
        for point, is_good in zip(points, good, strict=True):
            (panel.points if is_good else panel.crosses).append(point)
        drawn.append(panel)
    return drawn
