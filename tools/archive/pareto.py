"""What is to be mended first: causes by how often they occurred (Pareto), and the cause of a result that is not OK."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping

_STATUSES = {1: "not OK", 2: "low", 3: "high"}  # 004:150


def cause(torque: int | None, angle: int | None, time: int | None) -> str:
    """What was wrong with a result by its statuses: `torque low`, `torque low, angle high`; `other` if none says."""
    named = (("torque", torque), ("angle", angle), ("time", time))
    told = [f"{name} {_STATUSES.get(status, status)}" for name, status in named if status]
    return ", ".join(told) or "other"


def pareto(counts: Mapping[Hashable, int]) -> list[dict]:
    """What, count, share of all and of all up to here, the most frequent first."""
    total = sum(counts.values())
    told, so_far = [], 0
    for what, count in sorted(Counter(counts).items(), key=lambda one: (-one[1], str(one[0]))):
        so_far += count
        told.append({"what": what, "count": count, "share": count / total, "up_to": so_far / total})
    return told
