"""Process statistics: capability, and charts of means and deviations with their signals (ISO 22514-2, ISO 7870-2).

Rules
1. Everything is computed from sums (`Sums`), which are added together: a year's statistics need no value of it.
2. s is that of a sample (n - 1). Within subgroups it is pooled, so that a drift between them does not count; over all
   it is that of all values. A subgroup is a quarter of an hour of one tool under one set of limits. Cp and Cpk use the
   first, Pp and Ppk the second.
3. Cp = (high - low) / 6s, Cpk = min(high - mean, mean - low) / 3s; with one limit there is no Cp, and Cpk is that
   limit's part. A limit of all nines or of 0 is none: a station sends it for want of one; so are both if the low one is
   not below the high one. With fewer than
   ENOUGH values, or no spread, they are left out: they would say more about chance, or about the resolution, than about
   the screw.
4. A mean of n values differs from the next one by s / sqrt(n), and by what a process varies from one subgroup to the
   next: another bolt, operator, temperature. Both make a chart's limits: mean +- 3 sqrt(s^2 / n + between^2). `between`
   comes from moving ranges, as in a chart of individual means (I-MR): of neighbours, or of subgroups a day apart if
   these differ more. So a step or a drift does not widen the limits that it is measured by, and where subgroups differ
   by no more than their values explain, `between` is 0, and the limits are those of s alone (ISO 7870-2). Deviations
   have limits of the same kind.
5. A signal is one of Nelson's eight rules, given for the point that completes it, and again for each further run as
   long; for deviations only the first. A run means something only where points do not depend on one another: if the
   means of one day are alike, and days differ, only the first rule is looked at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

ENOUGH = 25
USUAL = (1, 2)  # of Nelson's rules: each further one has a false alarm in some 300 points
ENOUGH_PAIRS = 20  # of subgroups that a deviation between them comes from
_ALIKE = 1.25  # the variance from day to day, in that from one subgroup to the next


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
        return self._root(self.squares - self.total**2 / self.count, self.count - 1) if self.count > 1 else None

    @property
    def within(self) -> float | None:
        """The deviation within subgroups; None if none has two values."""
        return self._root(self.inner, self.free) if self.free else None

    def _root(self, squares: float, free: int) -> float:
        is_flat = self.least is not None and self.least == self.most  # rounding may leave a deviation
        return 0.0 if is_flat else math.sqrt(max(0.0, squares) / free)


def together(several: Iterable[Sums]) -> Sums:
    """Return all of them added."""
    total = Sums()
    for one in several:
        total.add(one)
    return total


# -- capability ----------------------------------------------------------------------------------------------------


_NINES = re.compile(r"9{3,}(\.9+)?").fullmatch


def specification(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """Return a value's limits as they are meant, None for each that is none: the same again for what is returned.

    A high one of 0 is one above a low one that is less.
    """
    low, high = (None if limit is None or _is_nines(limit) else limit for limit in (low, high))
    low = low or None
    if high == 0 and (low is None or low > 0):
        high = None
    if low is not None and high is not None and not low < high:
        return None, None
    return low, high


def _is_nines(limit: float) -> bool:
    return _NINES(f"{abs(limit):.3f}".rstrip("0").rstrip(".")) is not None


def figures(sums: Sums, low: float | None, high: float | None) -> dict:
    """Return count, mean, deviation, least, most, within (deviation in subgroups), cp, cpk, pp, ppk; None: left out."""
    mean, deviation, within = sums.mean, sums.deviation, sums.within
    cp = cpk = pp = ppk = None
    if sums.count >= ENOUGH and mean is not None:
        cp, cpk = _capability(mean, within, low, high)
        pp, ppk = _capability(mean, deviation, low, high)
    ends = {"least": sums.least, "most": sums.most}
    capability = {"cp": cp, "cpk": cpk, "pp": pp, "ppk": ppk}
    return {"count": sums.count, "mean": mean, "deviation": deviation, **ends, "within": within, **capability}


def _capability(
    mean: float, deviation: float | None, low: float | None, high: float | None
) -> tuple[float | None, float | None]:
    if not deviation:
        return None, None
    sides = ([] if low is None else [mean - low]) + ([] if high is None else [high - mean])
    index = min(sides) / (3 * deviation) if sides else None
    whole = (high - low) / (6 * deviation) if low is not None and high is not None else None
    if any(one is not None and not math.isfinite(one) for one in (whole, index)):
        return None, None
    return whole, index


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


@dataclass(frozen=True)
class Between:
    """How much subgroups differ beyond what their values explain: their means, and their deviations."""

    means: float = 0.0
    deviations: float = 0.0
    is_alike: bool = False  # means of one day are alike, and days differ


WITHIN = Between()  # limits of s alone
Pairs = list[tuple[Sums, Sums]]


def between(neighbours: Pairs, a_day_apart: Pairs, within: float) -> Between:
    """Return how much subgroups differ, from pairs of them: each with the one before, and with that of a day before."""
    apart = [_of_means(pairs, within) for pairs in (neighbours, a_day_apart)]
    means = [_beyond(*one) for one in apart]
    deviations = [_beyond(*_of_deviations(pairs, within)) for pairs in (neighbours, a_day_apart)]
    if not a_day_apart or not neighbours:
        return Between(max(means), max(deviations))
    own = math.fsum(apart[0][1]) / len(apart[0][1]) / 2  # the variance of a mean that its values explain
    is_alike = own + means[1] ** 2 > _ALIKE * (own + means[0] ** 2)
    return Between(max(means), max(deviations), is_alike)


def _of_means(pairs: Pairs, within: float) -> tuple[list[float], list[float]]:
    """Return the moving ranges of the means, and the variance of each that the values explain."""
    ranges = [abs((one.mean or 0.0) - (other.mean or 0.0)) for one, other in pairs]
    return ranges, [within**2 * (1 / one.count + 1 / other.count) for one, other in pairs]


def _of_deviations(pairs: Pairs, within: float) -> tuple[list[float], list[float]]:
    both = [(one, other) for one, other in pairs if one.free and other.free]
    ranges = [
        abs((one.within or 0.0) / c4(one.free + 1) - (other.within or 0.0) / c4(other.free + 1)) for one, other in both
    ]
    return ranges, [within**2 * (_of_c4(one.free) + _of_c4(other.free)) for one, other in both]


def _of_c4(free: int) -> float:
    """Return the variance of a deviation of so many degrees of freedom, in its own expectation."""
    return 1 / c4(free + 1) ** 2 - 1


def _beyond(ranges: list[float], explained: list[float]) -> float:
    """Return the deviation that makes the mean moving range what it is, beside the variances that are explained.

    A range of normal values has the mean sqrt(2 / pi) of its deviation; Newton's steps come from below and do not pass.
    """
    wanted = math.fsum(ranges) * math.sqrt(math.pi / 2)
    variance = 0.0
    for _ in range(30):
        roots = [math.sqrt(one + 2 * variance) for one in explained]
        short = wanted - math.fsum(roots)
        if short <= 1e-6 * wanted:
            break
        if not min(roots):  # values that are all the same explain nothing
            return wanted / len(roots) / math.sqrt(2)
        variance += short / math.fsum(1 / root for root in roots)
    return math.sqrt(variance)


@cache
def c4(count: int) -> float:
    """Return the mean deviation of samples of `count` values (2 or more) if the true deviation is 1."""
    return math.sqrt(2 / (count - 1)) * math.exp(math.lgamma(count / 2) - math.lgamma((count - 1) / 2))


def chart_of_means(
    groups: Sequence[Sums], level: Level, rules: Collection[int] = USUAL, between: Between = WITHIN
) -> dict:
    """Return the points, centre, low and high of each, and signals {place of the point: rule}. No group is empty."""
    errors = [math.hypot(level.within / math.sqrt(group.count), between.means) for group in groups]
    points = [group.mean or 0.0 for group in groups]
    scaled = [(point - level.mean) / error if error else 0.0 for point, error in zip(points, errors, strict=True)]
    return {
        "points": points,
        "centre": [level.mean] * len(groups),
        "low": [level.mean - 3 * error for error in errors],
        "high": [level.mean + 3 * error for error in errors],
        "signals": _signals(scaled, [number for number in rules if number == 1 or not between.is_alike]),
    }


def chart_of_deviations(groups: Sequence[Sums], level: Level, between: Between = WITHIN) -> dict:
    """The same for the deviation within quarters of an hour; a group without two values in one has none."""
    chart: dict = {"points": [], "centre": [], "low": [], "high": [], "signals": {}}
    for at, group in enumerate(groups):
        point = group.within
        centre = low = high = None
        if point is not None:
            centre = level.within * c4(group.free + 1)
            reach = 3 * math.hypot(level.within * math.sqrt(1 - c4(group.free + 1) ** 2), between.deviations)
            low, high = max(0.0, centre - reach), centre + reach
            if reach and abs(point - centre) > reach:
                chart["signals"][at] = RULES[1].words
        for name, value in (("points", point), ("centre", centre), ("low", low), ("high", high)):
            chart[name].append(value)
    return chart


def _signals(scaled: list[float], rules: Collection[int]) -> dict[int, str]:
    """Return the first rule that each point completes. A run that goes on is told again when it is twice as long."""
    signals: dict[int, str] = {}
    for number in rules:
        rule = RULES[number]
        told = -rule.count
        for at in range(rule.count - 1, len(scaled)):
            if at - told >= rule.count and rule.is_met(scaled[at - rule.count + 1 : at + 1]):
                told = at
                signals.setdefault(at, rule.words)
    return dict(sorted(signals.items()))


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
        raise ValueError(f"{text!r}: numbers of Nelson's rules, 1 to {max(RULES)}, such as 1,2")
    return rules
