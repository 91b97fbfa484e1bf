"""Figures of a process against the standards' tables and Python's statistics; signals against rows drawn by hand."""

import random
import statistics

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolcart.archive import spc

# ISO 7870-2, factors of mean and deviation charts: c4, A3, B3, B4 by the subgroup's size.
FACTORS = {
    2: (0.7979, 2.659, 0.0, 3.267),
    3: (0.8862, 1.954, 0.0, 2.568),
    5: (0.9400, 1.427, 0.0, 2.089),
    10: (0.9727, 0.975, 0.284, 1.716),
    25: (0.9896, 0.606, 0.565, 1.435),
}
VALUES = st.lists(st.integers(-(10**8), 10**8).map(lambda hundredths: hundredths / 100), min_size=2, max_size=200)


@pytest.mark.parametrize("size", FACTORS)
def test_factors_are_those_of_the_standard(size):
    c4, a3, b3, b4 = FACTORS[size]
    assert spc.c4(size) == pytest.approx(c4, abs=5e-5)
    dice = random.Random(size)
    values = [dice.gauss(100, 2) for _ in range(20 * size + 1)]  # the last one belongs to no subgroup
    groups = [values[at : at + size] for at in range(0, 20 * size, size)]
    s = statistics.fmean(map(statistics.stdev, groups))
    centre = statistics.fmean(values[:-1])
    told = spc.charts(values, size)
    assert told["means"]["points"] == pytest.approx(list(map(statistics.fmean, groups)))
    assert told["means"]["centre"] == pytest.approx(centre)
    assert told["means"]["high"] == pytest.approx(centre + a3 * s, abs=1e-3 * s)
    assert told["means"]["low"] == pytest.approx(centre - a3 * s, abs=1e-3 * s)
    assert told["deviations"]["centre"] == pytest.approx(s)
    assert told["deviations"]["low"] == pytest.approx(b3 * s, abs=1e-3 * s)
    assert told["deviations"]["high"] == pytest.approx(b4 * s, abs=1e-3 * s)


@given(VALUES)
def test_mean_and_deviation_are_those_of_the_library(values):
    told = spc.figures(values, None, None)
    scale = max(map(abs, values))
    assert told["mean"] == pytest.approx(statistics.fmean(values), abs=1e-12 * scale)
    assert told["deviation"] == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-9 * scale)


@example([0.0] * 24 + [2.225073858507203e-309], 0.0, 60.0)  # too little for a quotient that is a number
@given(st.lists(st.floats(0, 100), min_size=25, max_size=200), st.floats(-50, 50), st.floats(60, 200))
def test_capability_is_a_ratio_of_tolerance_and_spread(values, low, high):
    told = spc.figures(values, low, high)
    if told["pp"] is not None:
        assert told["pp"] * 6 * told["deviation"] == pytest.approx(high - low)
        assert told["ppk"] <= told["pp"] * (1 + 1e-9)
        mean = statistics.fmean(values)
        assert told["ppk"] == pytest.approx(min(high - mean, mean - low) / (3 * told["deviation"]))
    if told["cp"] is not None:
        within = statistics.fmean(statistics.stdev(values[at : at + 5]) for at in range(0, len(values) - 4, 5))
        assert told["cp"] == pytest.approx((high - low) / (6 * within / 0.93999), rel=1e-4)


def test_a_drift_spoils_pp_and_not_cp():
    dice = random.Random(3)
    values = [100 + group / 10 + dice.gauss(0, 0.5) for group in range(40) for _ in range(5)]
    told = spc.figures(values, 96, 108)
    assert told["within"] == pytest.approx(0.5, rel=0.15)
    assert told["cp"] > 2 * told["pp"]


@given(st.integers(1, 10**6), st.integers(25, 60))
def test_values_that_are_all_the_same_have_no_spread(hundredths, count):
    told = spc.figures([hundredths / 100] * count, 0.0, 1e6)
    assert (told["deviation"], told["within"], told["cp"], told["ppk"]) == (0.0, 0.0, None, None)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.5] * 12])
def test_too_few_values_have_no_capability(values):
    told = spc.figures(values, 0.0, 2.0)
    assert told["count"] == len(values)
    assert [told[name] for name in ("cp", "cpk", "pp", "ppk")] == [None] * 4
    assert spc.charts(values[:24]) is None


def signals(*means):
    """The signals of a chart whose subgroups of two have these means, in standard errors, and one deviation."""
    half = 0.5 * spc.c4(2) * 2**0.5 * 2**0.5  # so that a mean's standard error is 1
    told = spc.charts([one + sign * half for one in means for sign in (1, -1)], 2)
    return told["means"]["signals"]


QUIET = [0.5, -0.5] * 7  # their mean is 0


@pytest.mark.parametrize(
    ("tail", "found"),
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
def test_signals_are_nelsons(tail, found):
    means = QUIET + tail
    centre = sum(means) / len(means)
    assert abs(centre) < 0.07  # near enough for what is drawn
    told = signals(*means)
    assert {at: told[at] for at in found} == found and (found or not told)
