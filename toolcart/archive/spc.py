"""Process statistics: capability, and charts of means and deviations with their signals (ISO 22514-2, ISO 7870-2).

Rules
1. Values are in the order they were made. A subgroup is `size` values in a row; those left over at the end are in none.
2. s is that of a sample (n - 1). Within subgroups it is their mean deviation divided by c4, so that a drift between
   them does not count; over all it is that of all values. Cp and Cpk use the first, Pp and Ppk the second.
3. Cp = (high - low) / 6s, Cpk = min(high - mean, mean - low) / 3s. With fewer than ENOUGH values, or no spread, they
   are left out: they would say more about chance, or about the resolution, than about the screw.
4. A signal is one of Nelson's rules 1, 2, 3 and 5, given for the point that completes it; for deviations only rule 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

ENOUGH = 25
GROUP = 5  # values in a subgroup, as in most handbooks
GROUPS = range(2, 26)
_BEYOND, _SIDE, _TREND, _TWO_OF_THREE = "beyond 3s", "9 on one side", "6 rising or falling", "2 of 3 beyond 2s"


@cache
def c4(count: int) -> float:
    """Return the mean deviation of samples of `count` values (2 or more) if the true deviation is 1."""
    return math.sqrt(2 / (count - 1)) * math.exp(math.lgamma(count / 2) - math.lgamma((count - 1) / 2))


def mean_of(values: Sequence[float]) -> float:
    """Return the mean of at least one value."""
    return math.fsum(values) / len(values)


def deviation_of(values: Sequence[float]) -> float:
    """Return the deviation of a sample of at least two values; exactly 0 if they are all the same."""
    first = values[0]
    apart = [value - first for value in values]  # a mean of equal values may be rounded, that of zeros is not
    return math.dist(apart, [mean_of(apart)] * len(apart)) / math.sqrt(len(apart) - 1)


def groups_of(values: Sequence[float], size: int) -> list[Sequence[float]]:
    """Return the complete subgroups."""
    return [values[first : first + size] for first in range(0, len(values) - size + 1, size)]


def figures(values: Sequence[float], low: float | None, high: float | None, size: int = GROUP) -> dict:
    """Return count, mean, deviation, least, most, within (deviation in subgroups), cp, cpk, pp, ppk; None: left out."""
    names = ("mean", "deviation", "least", "most", "within", "cp", "cpk", "pp", "ppk")
    told: dict = {"count": len(values), **dict.fromkeys(names)}
    if not values:
        return told
    told.update(mean=mean_of(values), least=min(values), most=max(values))
    if len(values) > 1:
        told["deviation"] = deviation_of(values)
    groups = groups_of(values, size)
    if groups:
        told["within"] = mean_of([deviation_of(group) for group in groups]) / c4(size)
    if low is not None and high is not None and len(values) >= ENOUGH:
        told["cp"], told["cpk"] = _capability(told["mean"], told["within"], low, high)
        told["pp"], told["ppk"] = _capability(told["mean"], told["deviation"], low, high)
    return told


def _capability(mean: float, deviation: float | None, low: float, high: float) -> tuple[float | None, float | None]:
    if not deviation:
        return None, None
    found = (high - low) / (6 * deviation), min(high - mean, mean - low) / (3 * deviation)
    return found if all(map(math.isfinite, found)) else (None, None)


def charts(values: Sequence[float], size: int = GROUP) -> dict | None:
    """Return the charts of means and deviations: points, centre, low, high, signals {place of the point: rule}.

    None with fewer than ENOUGH values: the limits would say more about chance.
    """
    groups = groups_of(values, size)
    if len(values) < ENOUGH or not groups:
        return None
    means = [mean_of(group) for group in groups]
    deviations = [deviation_of(group) for group in groups]
    centre, s = mean_of(means), mean_of(deviations)
    error = s / c4(size) / math.sqrt(size)  # of a mean
    spread = s * math.sqrt(1 - c4(size) ** 2) / c4(size)  # of a deviation
    beyond = {at: _BEYOND for at, one in enumerate(deviations) if abs(one - s) > 3 * spread}
    return {
        "size": size,
        "means": _chart(means, centre, centre - 3 * error, centre + 3 * error, _signals(means, centre, error)),
        "deviations": _chart(deviations, s, max(0.0, s - 3 * spread), s + 3 * spread, beyond),
    }


def _chart(points: list[float], centre: float, low: float, high: float, signals: dict[int, str]) -> dict:
    return {"points": points, "centre": centre, "low": low, "high": high, "signals": signals}


def _signals(points: list[float], centre: float, error: float) -> dict[int, str]:
    """Return the first rule that each point completes."""
    scaled = [(one - centre) / error if error else 0.0 for one in points]
    told = {}
    for end in range(1, len(points) + 1):
        met = (rule for rule, (count, is_met) in _RULES.items() if end >= count and is_met(scaled[end - count : end]))
        rule = next(met, None)
        if rule:
            told[end - 1] = rule
    return told


def _two_of_three(last: list[float]) -> bool:
    """True if the newest and at least one of the two before it are beyond 2 s on one side."""
    return any(side * last[2] > 2 and max(side * last[0], side * last[1]) > 2 for side in (1, -1))


# How many points a rule looks at, and whether they meet it, in standard errors from the centre (Nelson 1984).
_RULES = {
    _BEYOND: (1, lambda last: abs(last[0]) > 3),
    _TWO_OF_THREE: (3, _two_of_three),
    _SIDE: (9, lambda last: min(last) > 0 or max(last) < 0),
    _TREND: (6, lambda last: _rises(last) or _rises(last[::-1])),
}


def _rises(last: list[float]) -> bool:
    return all(first < second for first, second in pairwise(last))
