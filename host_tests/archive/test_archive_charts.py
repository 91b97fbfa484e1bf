"""Simulated processes: how often charts alarm without a cause, and how soon they find one, with confidence bounds.

A process has a mean of its own each day, with a spread between days in units of its s; results not OK far off; and what
goes wrong. Sums of days and shifts are drawn as sums of so many normal values have them, so that years take seconds.
"""

import functools
import math
import random
from datetime import datetime, timedelta

import pytest

from toolcart.archive.database import bulk_insert, database, rollups
from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.statistics import control_charts, periods, rates, spc
from toolcart.archive.statistics.limits import Phase
from toolcart.archive.statistics.spc import Sums
from toolcart.archive.web.trend import TrendQuery, trend
from host_tests.support.archive import place_in

BEGIN = datetime(2026, 1, 1)
SHIFTS = periods.shifts_of("early=06:00,late=14:00,night=22:00")
PER_DAY = (100, 1000, 5000)
SPREADS = (0.0, 0.1, 0.3)
KINDS = {"day": 250, "shift": 90, "week": 700}  # and how many days a chart has
RUNS = {"day": 12, "shift": 12, "week": 24}
MOST = 1 / 100  # of all points
MOST_WITH_SPREAD = 1 / 200
STEP = 1.5  # in s
SOON = 5  # points


def nothing(day):
    return 0.0


def process(dice, kind, days, per_day, spread, shift_of_mean=nothing):
    """The subgroups of a chart, by their begin. A day's three shifts have its mean."""
    groups = {}
    begins = ("0600", "1400", "2200") if kind == "shift" else ("",)
    count = per_day // len(begins)
    free = max(1, count - min(count // 2, 64 // len(begins)))  # values, less one for each quarter of an hour
    for day in range(days):
        of_day = dice.gauss(0, spread) + shift_of_mean(day)
        for begin in begins:
            mean = dice.gauss(of_day, 1 / math.sqrt(count))
            inner = 2 * dice.gammavariate(free / 2, 1)
            moment = BEGIN + timedelta(days=day)
            if kind == "week":
                moment -= timedelta(days=moment.weekday())
            name = f"{moment:%Y%m%d}{begin}"
            one = Sums(count, count * mean, count * mean * mean, mean - 3, mean + 3, inner, free)
            groups.setdefault(name, Sums()).add(one)
    return groups


def signals(groups, phases=(), reference=None, rules=spc.USUAL):
    measured = control_charts.stretches(groups, phases, lambda phase: reference, False)
    both = control_charts.charts(groups, measured, rules)
    return [sorted(both[name]["signals"]) for name in ("means", "deviations")]


@functools.cache
def false_alarms(kind, spread, is_set):
    """How many points of means and of deviations have a signal, of how many, for a process that is stationary."""
    dice = random.Random(f"{kind} {spread} {is_set}")
    found, points = [0, 0], 0
    for per_day in PER_DAY:
        for _ in range(RUNS[kind]):
            groups = process(dice, kind, KINDS[kind], per_day, spread)
            phases, reference = (), None
            if is_set:
                reference = process(dice, kind, KINDS[kind], per_day, spread)
                sums = spc.together(reference.values())
                phases = (Phase(1, "2025", spc.Level(sums.mean, sums.within)),)
            for at, several in enumerate(signals(groups, phases, reference)):
                found[at] += len(several)
            points += len(groups)
    return (*found, points)


@pytest.mark.parametrize("is_set", [False, True], ids=["of what is shown", "of a reference"])
@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_stationary_process_is_seldom_signalled(kind, spread, is_set):
    means, deviations, points = false_alarms(kind, spread, is_set)
    low, _ = rates.interval(means + deviations, 2 * points)
    assert low < MOST_WITH_SPREAD
    assert rates.interval(means, points)[1] < 1.5 * MOST and rates.interval(means, points)[0] < MOST


def test_all_false_alarms_together_are_surely_fewer_than_is_allowed():
    counted = [false_alarms(kind, spread, is_set) for kind in KINDS for spread in SPREADS for is_set in (False, True)]
    means, deviations, points = map(sum, zip(*counted, strict=True))
    assert rates.interval(means, points)[1] < MOST
    assert rates.interval(means + deviations, 2 * points)[1] < MOST_WITH_SPREAD


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_found_within_five_points(kind, spread):
    dice = random.Random(f"{kind} {spread}")
    found = runs = 0
    for per_day in PER_DAY:
        for _ in range(6):
            days = KINDS[kind]
            reference = process(dice, kind, days, per_day, spread)
            sums = spc.together(reference.values())
            groups = process(dice, kind, 35, per_day, spread, lambda day: STEP)
            means, _ = signals(groups, (Phase(1, "2025", spc.Level(sums.mean, sums.within)),), reference)
            found += bool(means) and means[0] < SOON
            runs += 1
    assert rates.interval(found, runs)[1] == 1.0  # each of them


@pytest.mark.parametrize("kind", ["day", "week"])
def test_a_step_in_what_is_shown_is_found_where_no_limits_are_set(kind):
    dice, found, runs = random.Random(kind), 0, 0
    for per_day in PER_DAY:
        for spread in SPREADS:
            days = KINDS[kind]
            at = days * 6 // 10 // 7 * 7
            groups = process(dice, kind, days, per_day, spread, lambda day, at=at: STEP * (day >= at))
            first = list(groups).index(f"{BEGIN + timedelta(days=at):%Y%m%d}") if kind == "day" else at // 7 + 1
            means, _ = signals(groups)
            found += any(first <= one < first + SOON for one in means)
            before = sum(one < first - 1 for one in means)
            assert before < 0.15 * first, "the others are not red for it"
            runs += 1
    assert found == runs


def drift(day):
    return 0.65 * day / 250  # of s: 1.3 Nm in a year, if s is 2 Nm


def cycle(day):
    return 0.6 * math.sin(2 * math.pi * day / 28)


def batches(day):
    return 0.8 * (day // 15 % 2)


@pytest.mark.parametrize("per_day", PER_DAY)
@pytest.mark.parametrize("cause", [drift, cycle, batches])
def test_what_is_no_chance_is_found_and_does_not_make_each_point_red(cause, per_day):
    dice, red, points = random.Random(f"{cause.__name__} {per_day}"), 0, 0
    for _ in range(6):
        groups = process(dice, "day", 250, per_day, 0.2, cause)
        means, deviations = signals(groups)
        assert means, "it is found"
        red, points = red + len(means), points + len(groups)
        assert len(deviations) / len(groups) < 0.02
    assert rates.interval(red, points)[1] < 0.5


def quarters(dice, days, per_day, spread, nok):
    """Rows of Quarter: 64 quarters a day, a twentieth of the NOK results of a torque that is far off."""
    rows = []
    count = per_day // 64
    for day in range(days):
        of_day = 120 + dice.gauss(0, 2 * spread)
        for quarter in range(64):
            slot = f"{BEGIN + timedelta(days=day, hours=6, minutes=15 * quarter):%Y%m%d%H%M}"
            measures = dict.fromkeys(rollups.MEASURES, 0)
            for verdict, middle in (("Good", 8.0), ("Bad", -16.0)):
                number = sum(dice.random() < nok for _ in range(count)) if verdict == "Bad" else count
                values = [dice.gauss(of_day - 120 + middle, 2) for _ in range(number)]
                measures |= {
                    verdict: number,
                    f"{verdict}TorqueCount": number,
                    f"{verdict}TorqueSum": math.fsum(values),
                    f"{verdict}TorqueSquares": math.fsum(one * one for one in values),
                    f"{verdict}TorqueLeast": 112 + min(values) if values else None,
                    f"{verdict}TorqueMost": 112 + max(values) if values else None,
                    f"{verdict}AngleLeast": None,
                    f"{verdict}AngleMost": None,
                }
            rows.append((3, 1, 1, 1, 1, slot, "C1", 112.0, 128.0, 0.0, 0.0, "Nm", "deg", *measures.values()))
    return rows


@pytest.mark.parametrize("kind", KINDS)
def test_an_archives_own_charts_are_not_moved_by_nok_results(tmp_path, kind):
    dice, wanted = random.Random(kind), ResultFilter((3, 1, 1), 1, 1, "2026", "2027")
    red = points = 0
    with database.writing(str(place_in(tmp_path))) as engine, engine.begin() as connection:
        bulk_insert.insert(connection, t.QUARTER, quarters(dice, 100, 640, 0.2, 0.005))
        found = trend(connection, wanted, TrendQuery("day", SHIFTS, subgroup=kind))
        assert found["nok"] > 200 and found["group"] == kind
        charts = found["quantities"][0]["charts"]
        for name in ("means", "deviations"):
            red, points = red + len(charts[name]["signals"]), points + len(charts[name]["points"])
    assert rates.interval(red, points)[0] < MOST_WITH_SPREAD and red <= 4
