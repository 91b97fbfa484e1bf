"""The form of every benchmark's report: figures with unit, target and whether it was met, and the machine measured.

Rules
1. A figure that could not be measured has no value, is not met, and says why in `how`.
2. A figure without a target is met when it has a value.
3. The dict is what is stored and printed as JSON; the table is the same for people.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

AT_MOST = "<="
AT_LEAST = ">="


@dataclass
class Figure:
    """One measured number. `target` is for example "<= 40960", empty if there is none."""

    name: str
    value: float | None
    unit: str
    target: str = ""
    how: str = ""

    @property
    def met(self) -> bool:
        if self.value is None:
            return False
        if not self.target:
            return True
        sign, _, limit = self.target.partition(" ")
        return self.value <= float(limit) if sign == AT_MOST else self.value >= float(limit)

    def as_dict(self) -> dict:
        return {**asdict(self), "met": self.met}


@dataclass
class Report:
    """What one benchmark found."""

    figures: list[Figure] = field(default_factory=list)
    machine: dict = field(default_factory=lambda: machine())

    def add(self, name: str, value: float | None, unit: str, target: str = "", how: str = "") -> None:
        self.figures.append(Figure(name, value, unit, target, how))

    def as_dict(self) -> dict:
        return {"figures": [figure.as_dict() for figure in self.figures], "machine": self.machine}


def measured(steps: Sequence[Callable[[Report], None]], progress: Callable[[float], None]) -> dict:
    """Run the steps in turn, each adds its figures to the report; `progress` gets the share done, 0 to 1."""
    report = Report()
    for index, step in enumerate(steps):
        progress(index / len(steps))
        step(report)
    progress(1.0)
    return report.as_dict()


def machine() -> dict:
    """Return what the figures depend on."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": sys.version.split()[0],
    }


def table(report: dict) -> str:
    """Return the report's dict as lines for people."""
    rows = [(one["name"], _number(one), one["target"], _verdict(one), one["how"]) for one in report["figures"]]
    widths = [max([len(row[column]) for row in rows], default=0) for column in range(4)]
    lines = []
    for name, value, target, verdict, how in rows:
        cells = f"{name:<{widths[0]}}  {value:>{widths[1]}}  {target:<{widths[2]}}  {verdict:<{widths[3]}}  {how}"
        lines.append(cells.rstrip())
    about = report["machine"]
    lines.append(f"on {about['processor']}, {about['cores']} cores, {about['system']}, Python {about['python']}")
    return "\n".join(lines)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.lower().startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _number(figure: dict) -> str:
    value = figure["value"]
    if value is None:
        return "-"
    text = f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"
    return f"{text} {figure['unit']}"


def _verdict(figure: dict) -> str:
    if figure["value"] is None:
        return "not taken"
    if not figure["target"]:
        return ""
    return "met" if figure["met"] else "MISSED"
