"""Process statistics: capability, and charts of means and deviations with their signals (ISO 22514-2, ISO 7870-2).

Rules
1. Everything is computed from sums (`Sums`), which are added together: a year's statistics need no value of it.
2. s is that of a sample (n - 1). Within subgroups it is pooled, so that a drift between them does not count; over all
   it is that of all values. A subgroup is a quarter of an hour of one tool under one set of limits. Cp and Cpk use the
   first, Pp and Ppk the second.
3. Cp = (high - low) / 6s, Cpk = min(high - mean, mean - low) / 3s. With fewer than ENOUGH values, or no spread, they
   are left out: they would say more about chance, or about the resolution, than about the screw.
4. A chart's limits are those of its reference (`Level`) for a subgroup of that many values: mean +- 3 s / sqrt(n).
5. A signal is one of Nelson's eight rules, given for the point that completes it; for deviations only the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

ENOUGH = 25
USUAL = (1, 2, 3, 5)  # of Nelson's rules: the others signal what few plants act on


@dataclass
class Sums:
    """Values as sums: of their differences from `origin` and of the squares of these, and the same inside subgroups."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    least: float | None = None
    most: float | None = None
    inner: float = 0.0  # squares of the differences from the mean of each subgroup
    free: int = 0  # values in subgroups, less one for each of these
    origin: float = 0.0

    def add(self, other: Sums) -> None:
        if not other.count:
            return
        if not self.count:
            self.origin = other.origin
        self.squares += other.squares
        self.total += other.total
        apart = other.origin - self.origin
        if apart:
            self.squares += 2 * apart * other.total + other.count * apart * apart
            self.total += other.count * apart
        self.count += other.count
        self.inner += other.inner
        self.free += other.free
        if other.least is not None and (self.least is None or other.least < self.least):
            self.least = other.least
        if other.most is not None and (self.most is None or other.most > self.most):
            self.most = other.most

    @property
    def mean(self) -> float | None:
        return self.origin + self.total / self.count if self.count else None

    @property
    def deviation(self) -> float | None:
        """The deviation s of the values; None for fewer than two."""
        return _root(self.squares - self.total**2 / self.count, self.count - 1) if self.count > 1 else None

    @property
    def within(self) -> float | None:
        """The deviation within subgroups; None if none has two values."""
        return _root(self.inner, self.free) if self.free else None


def _root(squares: float, free: int) -> float:
    return math.sqrt(max(0.0, squares) / free)


def sums_of(values: Sequence[float]) -> Sums:
    """Return the sums of some values, without subgroups."""
    if not values:
        return Sums()
    origin = values[0]
    apart = [value - origin for value in values]
    squares = math.fsum(one * one for one in apart)
    return Sums(len(values), math.fsum(apart), squares, min(values), max(values), origin=origin)


def together(several: Iterable[Sums]) -> Sums:
    """Return all of them added."""
    total = Sums()
    for one in several:
        total.add(one)
    return total


# -- capability ----------------------------------------------------------------------------------------------------


def figures(sums: Sums, low: float | None, high: float | None) -> dict:
    """Return count, mean, deviation, least, most, within (deviation in subgroups), cp, cpk, pp, ppk; None: left out."""
    mean, deviation, within = sums.mean, sums.deviation, sums.within
    cp = cpk = pp = ppk = None
    is_spread = sums.least != sums.most  # of values that are all the same, rounding may leave a deviation
    if low is not None and high is not None and sums.count >= ENOUGH and mean is not None and is_spread:
        cp, cpk = _capability(mean, within, low, high)
        pp, ppk = _capability(mean, deviation, low, high)
    ends = {"least": sums.least, "most": sums.most}
    capability = {"cp": cp, "cpk": cpk, "pp": pp, "ppk": ppk}
    return {"count": sums.count, "mean": mean, "deviation": deviation, **ends, "within": within, **capability}


def _capability(mean: float, deviation: float | None, low: float, high: float) -> tuple[float | None, float | None]:
    if not deviation:
        return None, None
    indices = (high - low) / (6 * deviation), min(high - mean, mean - low) / (3 * deviation)
    return indices if all(map(math.isfinite, indices)) else (None, None)


# -- charts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Level:
    """What a chart is measured by: the mean and the deviation within subgroups of its reference."""

    mean: float
    within: float


def level_of(sums: Sums) -> Level | None:
    """Return the level of these values; None if they are too few: the limits would say more about chance."""
    mean, within = sums.mean, sums.within
    return None if sums.count < ENOUGH or mean is None or within is None else Level(mean, within)


@cache
def c4(count: int) -> float:
    """Return the mean deviation of samples of `count` values (2 or more) if the true deviation is 1."""
    return math.sqrt(2 / (count - 1)) * math.exp(math.lgamma(count / 2) - math.lgamma((count - 1) / 2))


def chart_of_means(groups: Sequence[Sums], level: Level, rules: Collection[int] = USUAL) -> dict:
    """Return the points, centre, low and high of each, and signals {place of the point: rule}. No group is empty."""
    errors = [level.within / math.sqrt(group.count) for group in groups]
    points = [group.mean or 0.0 for group in groups]
    scaled = [(point - level.mean) / error if error else 0.0 for point, error in zip(points, errors, strict=True)]
    return {
        "points": points,
        "centre": [level.mean] * len(groups),
        "low": [level.mean - 3 * error for error in errors],
        "high": [level.mean + 3 * error for error in errors],
        "signals": _signals(scaled, rules),
    }


def chart_of_deviations(groups: Sequence[Sums], level: Level) -> dict:
    """The same for deviations; a group of one value has none."""
    chart: dict = {"points": [], "centre": [], "low": [], "high": [], "signals": {}}
    for at, group in enumerate(groups):
        point = group.deviation
        centre = low = high = None
        if point is not None:
            centre = level.within * c4(group.count)
            reach = 3 * level.within * math.sqrt(1 - c4(group.count) ** 2)
            low, high = max(0.0, centre - reach), centre + reach
            if reach and abs(point - centre) > reach:
                chart["signals"][at] = RULES[1].words
        for name, value in (("points", point), ("centre", centre), ("low", low), ("high", high)):
            chart[name].append(value)
    return chart


def _signals(scaled: list[float], rules: Collection[int]) -> dict[int, str]:
    """Return the first rule that each point completes."""
    signals = {}
    for end in range(1, len(scaled) + 1):
        for number in rules:
            rule = RULES[number]
            if end >= rule.count and rule.is_met(scaled[end - rule.count : end]):
                signals[end - 1] = rule.words
                break
    return signals


@dataclass(frozen=True)
class Rule:
    """One of Nelson's rules (1984): how many points it looks at, in standard errors from the centre."""

    words: str
    count: int
    is_met: Callable[[list[float]], bool]


def _most_beyond(last: list[float], errors: float) -> bool:
    """True if the newest and all but one are beyond on its side."""
    side = math.copysign(1.0, last[-1])
    return side * last[-1] > errors and sum(side * one > errors for one in last) >= len(last) - 1


def _rises(last: list[float]) -> bool:
    return all(first < second for first, second in pairwise(last))


def _alternates(last: list[float]) -> bool:
    steps = [second - first for first, second in pairwise(last)]
    return all(first * second < 0 for first, second in pairwise(steps))


RULES = {
    1: Rule("beyond 3s", 1, lambda last: abs(last[0]) > 3),
    2: Rule("9 on one side", 9, lambda last: min(last) > 0 or max(last) < 0),
    3: Rule("6 rising or falling", 6, lambda last: _rises(last) or _rises(last[::-1])),
    4: Rule("14 up and down", 14, _alternates),
    5: Rule("2 of 3 beyond 2s", 3, lambda last: _most_beyond(last, 2)),
    6: Rule("4 of 5 beyond 1s", 5, lambda last: _most_beyond(last, 1)),
    7: Rule("15 within 1s", 15, lambda last: max(map(abs, last)) < 1),
    8: Rule("8 beyond 1s", 8, lambda last: min(map(abs, last)) > 1),
}


def rules_of(text: str) -> tuple[int, ...]:
    """Read `1,2,3,5`; ValueError if it is something else."""
    numbers = {part.strip() for part in text.split(",")}
    rules = tuple(number for number in RULES if str(number) in numbers)
    if len(rules) != len(numbers):
        raise ValueError(f"{text!r}: numbers of Nelson's rules, 1 to {max(RULES)}, such as 1,2,3,5")
    return rules
