"""What to fix first: causes by how often they occurred (Pareto), and the cause of a result that is not OK."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping

_OTHER = re.compile("[4-9]").fullmatch  # what a station may send beyond the text
_STATUSES = {1: "not OK", 2: "low", 3: "high"}  # 004:150


def cause(torque: int | None, angle: int | None, time: int | None) -> str:
    """Return what its statuses say is wrong with a result: `torque low, angle high`; `other` if they say nothing."""
    named = (("torque", torque), ("angle", angle), ("time", time))
    told = [f"{name} {_STATUSES.get(status, status)}" for name, status in named if status]
    return ", ".join(told) or "other"


# What a station reports as a rule: one thing wrong, or torque and angle.
_OF = {name: [f"{name} {_STATUSES[number]}" for number in (2, 3)] for name in ("torque", "angle")}
CAUSES = (*_OF["torque"], *_OF["angle"], *[f"{one}, {two}" for one in _OF["torque"] for two in _OF["angle"]], "other")


def statuses(told: str) -> tuple[int, int, int] | None:
    """Return the statuses of torque, angle and time for this cause; None if it is not a cause."""
    found = {"torque": 0, "angle": 0, "time": 0}
    for one in () if told == "other" else told.split(", "):
        name, _, status = one.partition(" ")
        number = next((n for n, word in _STATUSES.items() if word == status), int(status) if _OTHER(status) else 0)
        if name not in found or not number:
            return None
        found[name] = number
    return found["torque"], found["angle"], found["time"]


def pareto(counts: Mapping[Hashable, int]) -> list[dict]:
    """Return what, count, share of all, and cumulative share, the most frequent first."""
    total = sum(counts.values())
    told, so_far = [], 0
    for what, count in sorted(Counter(counts).items(), key=lambda one: (-one[1], str(one[0]))):
        so_far += count
        told.append({"what": what, "count": count, "share": count / total, "up_to": so_far / total})
    return told
