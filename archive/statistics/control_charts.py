"""Charts of a program's means and deviations: subgroups of a day, week, month, shift, hour or quarter of an hour.

Rules
1. The results that a chart shows are those that its limits are made of: the OK ones. What was not OK is told apart from
   these by its verdict already, and is not in a chart.
2. A stretch is measured by the limits that were set for it. How much subgroups differ is that of the reference period
   in subgroups of the same kind; of a period with few of them, or that was moved out, that of the stretch as well. It
   is wider by SMALL_SAMPLE in the number of moving ranges: what few of them say is uncertain, and Student's
   distribution is as much wider.
3. Where none are set, a stretch is measured by itself: by the median of its means, which a step moves less than their
   mean.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from toolcart.archive.statistics import limits, spc
from toolcart.archive.statistics.limits import Phase
from toolcart.archive.statistics.spc import Between, Level, Pairs, Sums

SMALL_SAMPLE = 4.0
Groups = Mapping[str, Sums]  # by the begin of each subgroup, in order of time
_OF_DAY = len("20261120")


@dataclass(frozen=True)
class Stretch:
    """Subgroups that are measured by the same: first, one past the last."""

    first: int
    end: int
    phase: Phase | None
    level: Level
    between: Between


def stretches(
    groups: Groups, phases: Sequence[Phase], reference: Callable[[Phase], Groups], is_within: bool
) -> list[Stretch] | None:
    """Return what each part is measured by, `is_within`: by s alone; None if there are too few values for that.

    `reference` gives a phase's own subgroups.
    """
    periods, several = list(groups), list(groups.values())
    measured = []
    for first, end, phase in limits.segments(phases, periods):
        part = dict(zip(periods[first:end], several[first:end], strict=True))
        level = phase.level if phase else _level_of(part) or _level_of(groups)
        if level is None:
            return None
        between = spc.WITHIN if is_within else _between(part, reference(phase) if phase else None, level)
        measured.append(Stretch(first, end, phase, level, between))
    return measured


def charts(groups: Groups, measured: Sequence[Stretch], rules: Collection[int]) -> dict[str, dict]:
    """Return the chart of means and that of deviations, with all stretches in them."""
    several = list(groups.values())
    both: dict[str, dict] = {"means": {}, "deviations": {}}
    for one in measured:
        part = several[one.first : one.end]
        _append(both["means"], spc.chart_of_means(part, one.level, rules, one.between), one.first)
        _append(both["deviations"], spc.chart_of_deviations(part, one.level, one.between), one.first)
    return both


def _level_of(groups: Groups) -> Level | None:
    level = spc.level_of(spc.together(groups.values()))
    return replace(level, mean=_median(groups.values())) if level else None


def _median(groups: Collection[Sums]) -> float:
    """Return the mean below which half of the values' subgroups have theirs."""
    half, so_far = sum(group.count for group in groups) / 2, 0
    for mean, count in sorted((group.mean or 0.0, group.count) for group in groups):
        so_far += count
        if so_far >= half:
            return mean
    return 0.0


def _between(part: Groups, reference: Groups | None, level: Level) -> Between:
    neighbours, a_day_apart = _pairs(part if reference is None else reference)
    if reference is not None and len(neighbours) < spc.ENOUGH_PAIRS:
        for pairs, more in zip((neighbours, a_day_apart), _pairs(part), strict=True):
            pairs += more
    found = spc.between(neighbours, a_day_apart, level.within)
    if reference is None or not neighbours:
        return found
    wider = 1 + SMALL_SAMPLE / len(neighbours)
    return replace(found, means=wider * found.means, deviations=wider * found.deviations)


def _pairs(groups: Groups) -> tuple[Pairs, Pairs]:
    """Return each subgroup with the one before; parts of a day also with that of the same time a day before."""
    several = list(groups.values())
    at_time: dict[str, Sums] = {}
    a_day_apart = []
    for begin, group in groups.items():
        time = begin[_OF_DAY:]
        if time and time in at_time:
            a_day_apart.append((at_time[time], group))
        at_time[time] = group
    return list(pairwise(several)), a_day_apart


def _append(chart_so_far: dict, chart: dict, first: int) -> None:
    """Put the chart of one stretch of subgroups behind those before it."""
    for name in ("points", "centre", "low", "high"):
        chart_so_far.setdefault(name, []).extend(chart[name])
    chart_so_far.setdefault("signals", {}).update({first + at: rule for at, rule in chart["signals"].items()})
