"""Figures of a process against the standards' tables and Python's statistics; signals against rows drawn by hand."""

import math
import random
import statistics

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolcart.archive.statistics import spc

# ISO 7870-2, factors of mean and deviation charts: c4, A3, B3, B4 by the subgroup's size.
FACTORS = {
    2: (0.7979, 2.659, 0.0, 3.267),
    3: (0.8862, 1.954, 0.0, 2.568),
    5: (0.9400, 1.427, 0.0, 2.089),
    10: (0.9727, 0.975, 0.284, 1.716),
    25: (0.9896, 0.606, 0.565, 1.435),
}
VALUES = st.lists(st.integers(-(10**8), 10**8).map(lambda hundredths: hundredths / 100), min_size=2, max_size=200)


def sums_of(values):
    """The sums of some values, without subgroups."""
    if not values:
        return spc.Sums()
    origin = values[0]
    apart = [value - origin for value in values]
    squares = math.fsum(one * one for one in apart)
    return spc.Sums(len(values), math.fsum(apart), squares, min(values), max(values), origin=origin)


def grouped(groups):
    """The sums of each subgroup, with what is inside of it."""
    sums_of_groups = []
    for group in groups:
        sums = sums_of(group)
        sums.inner, sums.free = sums.squares - sums.total**2 / sums.count, sums.count - 1
        sums_of_groups.append(sums)
    return sums_of_groups


@pytest.mark.parametrize("size", FACTORS)
def test_factors_are_those_of_the_standard(size):
    c4, a3, b3, b4 = FACTORS[size]
    assert spc.c4(size) == pytest.approx(c4, abs=5e-5)
    groups = [[100.0, *[100.0 + (-1) ** at for at in range(size - 1)]]] * 30
    level = spc.Level(100.0, 2.0)
    s = c4 * level.within  # the mean deviation, which the standard's factors are of
    means, deviations = spc.chart_of_means(grouped(groups), level), spc.chart_of_deviations(grouped(groups), level)
    assert means["points"] == pytest.approx([statistics.fmean(group) for group in groups])
    assert means["high"][0] == pytest.approx(100 + a3 * s, abs=1e-3 * s)
    assert means["low"][0] == pytest.approx(100 - a3 * s, abs=1e-3 * s)
    assert deviations["points"] == pytest.approx([statistics.stdev(group) for group in groups])
    assert deviations["centre"][0] == pytest.approx(s, abs=1e-3 * s)
    assert deviations["low"][0] == pytest.approx(b3 * s, abs=1e-3 * s)
    assert deviations["high"][0] == pytest.approx(b4 * s, abs=1e-3 * s)


@given(st.lists(VALUES, min_size=1, max_size=6))
def test_sums_that_are_added_are_the_sums_of_all(several):
    added = spc.together(grouped(several))
    everything = [value for values in several for value in values]
    scale = max(map(abs, everything)) + 1
    assert added.count == len(everything) and (added.least, added.most) == (min(everything), max(everything))
    assert added.mean == pytest.approx(statistics.fmean(everything), abs=1e-9 * scale)
    assert added.deviation == pytest.approx(statistics.stdev(everything), rel=1e-6, abs=1e-6 * scale)
    inner = sum(statistics.variance(values) * (len(values) - 1) for values in several)
    assert added.within == pytest.approx((inner / added.free) ** 0.5, rel=1e-6, abs=1e-6 * scale)


@given(VALUES)
def test_mean_and_deviation_are_those_of_the_library(values):
    figures = spc.figures(sums_of(values), None, None)
    scale = max(map(abs, values))
    assert figures["mean"] == pytest.approx(statistics.fmean(values), abs=1e-12 * scale)
    assert figures["deviation"] == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-9 * scale)


@example([0.0] * 24 + [2.225073858507203e-309], 0.0, 60.0)  # too little for a quotient that is a number
@given(st.lists(st.floats(0, 100), min_size=25, max_size=200), st.floats(-50, 50), st.floats(60, 200))
def test_capability_is_a_ratio_of_tolerance_and_spread(values, low, high):
    figures = spc.figures(sums_of(values), low, high)
    if figures["pp"] is not None:
        assert figures["pp"] * 6 * figures["deviation"] == pytest.approx(high - low)
        assert figures["ppk"] <= figures["pp"] * (1 + 1e-9)
        mean = statistics.fmean(values)
        assert figures["ppk"] == pytest.approx(min(high - mean, mean - low) / (3 * figures["deviation"]))


def test_a_drift_spoils_pp_and_not_cp():
    dice = random.Random(3)
    groups = [[100 + group / 10 + dice.gauss(0, 0.5) for _ in range(5)] for group in range(40)]
    figures = spc.figures(spc.together(grouped(groups)), 96, 108)
    assert figures["within"] == pytest.approx(0.5, rel=0.15)
    assert figures["cp"] > 2 * figures["pp"]


@pytest.mark.parametrize(
    ("low", "high", "meant"),
    [
        (40.0, 50.0, (40.0, 50.0)),
        (0.0, 0.0, (None, None)),
        (None, 50.0, (None, 50.0)),
        (40.0, None, (40.0, None)),
        (40.0, 0.0, (40.0, None)),
        (0.0, -5.0, (None, -5.0)),
        (-20.0, 0.0, (-20.0, 0.0)),
        (99999.0, 99999.0, (None, None)),
        (50.0, 40.0, (None, None)),
        (40.0, 9999.99, (40.0, None)),
        (40.0, 999.0, (40.0, None)),
        (0.0, 99999.0, (None, None)),
        (0.0, 90.0, (None, 90.0)),
        (-99999.0, -5.0, (None, -5.0)),
        (40.0, 99.0, (40.0, 99.0)),
        (990.0, 1999.0, (990.0, 1999.0)),
    ],
)
def test_limits_of_all_nines_or_nothing_are_none(low, high, meant):
    assert spc.specification(low, high) == meant
    assert spc.specification(*meant) == meant


def test_one_limit_gives_a_cpk_of_its_side_and_no_cp():
    groups = grouped([[44.0, 45.0, 46.0]] * 20)
    both = spc.figures(spc.together(groups), 40.0, 52.0)
    low, high = (spc.figures(spc.together(groups), *one) for one in ((40.0, None), (None, 52.0)))
    assert (low["cp"], low["pp"], high["cp"], high["pp"]) == (None,) * 4
    assert low["cpk"] == pytest.approx(5 / 3) == both["cpk"] and high["cpk"] == pytest.approx(7 / 3)
    assert low["ppk"] == both["ppk"]


@given(st.integers(1, 10**6), st.integers(25, 60))
def test_values_that_are_all_the_same_have_no_spread(hundredths, count):
    figures = spc.figures(spc.together(grouped([[hundredths / 100] * count] * 2)), 0.0, 1e6)
    assert (figures["deviation"], figures["within"], figures["cp"], figures["ppk"]) == (0.0, 0.0, None, None)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.5] * 12])
def test_too_few_values_have_no_capability(values):
    figures = spc.figures(spc.together(grouped([values] if values else [])), 0.0, 2.0)
    assert figures["count"] == len(values)
    assert [figures[name] for name in ("cp", "cpk", "pp", "ppk")] == [None] * 4
    assert spc.level_of(sums_of(values)) is None


def signals(*means, rules=(1, 2, 3, 5)):
    """The signals of a chart whose subgroups of one have these means, in standard errors."""
    return spc.chart_of_means([sums_of([one]) for one in means], spc.Level(0.0, 1.0), rules)["signals"]


QUIET = [0.5, -0.5] * 7  # their mean is 0


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ([0.0, 3.2, -3.2], {15: "beyond 3s", 16: "beyond 3s"}),
        ([2.9, -2.9], {}),
        ([2.2, 0.1, 2.2, -1.5, -1.5, -1.5], {16: "2 of 3 beyond 2s"}),
        ([2.2, 0.1, -2.2, -0.1], {}),
        ([0.1, 0.4] * 4 + [0.2] + [-0.55, 0.15] * 2 + [-0.95, 0.0, -0.4], {22: "9 on one side"}),
        ([-0.6, -0.4, -0.1, 0.2, 0.3, 0.6], {19: "6 rising or falling"}),
        ([0.6, 0.4, 0.1, -0.2, -0.3, -0.6], {19: "6 rising or falling"}),
        ([-0.6, -0.4, -0.1, 0.2, 0.3, 0.3, 0.3], {}),
    ],
)
def test_signals_are_nelsons(tail, expected):
    raised = signals(*QUIET, *tail)
    assert {at: raised[at] for at in expected} == expected and (expected or not raised)


def test_a_run_that_goes_on_is_told_again_when_it_is_twice_as_long():
    assert sorted(signals(*[0.5, 0.4] * 10, rules=(2,))) == [8, 17]
    assert sorted(signals(*[3.5, 3.4] * 2, rules=(1,))) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("rule", "points"),
    [(4, [0.1, -0.1] * 7), (6, [1.2, 1.2, 0.0, 1.2, 1.2]), (7, [0.5, -0.5] * 7 + [0.5]), (8, [1.5, -1.5] * 4)],
)
def test_rule_that_a_plant_chooses_is_met_by_its_last_point_alone(rule, points):
    assert signals(*points, rules=(rule,)) == {len(points) - 1: spc.RULES[rule].words}
    assert signals(*points[1:], rules=(rule,)) == {}


def test_what_are_no_rules_is_reported():
    assert spc.rules_of("5,1") == (1, 5)
    for text in ("", "9", "1,,2", "one"):
        with pytest.raises(ValueError, match="Nelson"):
            spc.rules_of(text)
