"""NOK rates with their interval, over time, and first attempts: against plain counting of the same rows."""

import random
import statistics
from collections import Counter, defaultdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select

from toolcart.archive.database import bulk_insert, database
from toolcart.archive.database import tables as t
from toolcart.archive.statistics import periods, rates, spc
from toolcart.archive.web import trends
from toolcart.archive.web.reading import TooLong
from host_tests.support.archive import browsing, filled, place_in, reading
from lab.harness.archive_rows import sum_all

SHIFTS = periods.shifts_of("early=06:00,late=14:00,night=22:00")
SPANS = ["?from=2026-11-18&to=2026-11-20", "?from=2026-11-18T06:07&to=2026-11-20T11:52"]
NARROW = ["", "&station=3/1/2", "&station=3/1/1&program=1", "&program=2"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Four days, in which NOK screws of every second car were repeated until they were OK; the last came first."""
    made = filled(place_in(tmp_path_factory.mktemp("rates")), stations=2, cars=600, every_s=600, seed=3)
    with database.writing(made) as engine, engine.begin() as connection:
        nok = connection.execute(select(t.RESULT).where(t.IS_NOK)).mappings().all()
        number, more = 2 * 10**6, []
        for row in nok:
            car = int(row["VIN"][-6:])
            for attempt in range(car % 3 if car % 2 else 0):
                number -= 1
                time = f"{row['Time'][:12]}{attempt + 1:02d}"
                last = attempt == car % 3 - 1
                again = {"ResultId": number, "Sequence": number, "Time": time, "Overall": int(not last)}
                more.append({**row, **again})
        more += [{**row, "ResultId": row["ResultId"] + 2 * 10**6, "Sequence": 7, "VIN": ""} for row in nok[:5]]
        bulk_insert.insert(connection, t.RESULT, [tuple(row.values()) for row in more])
        sum_all(connection)
    return made


@pytest.fixture(scope="module")
def browser(place):
    with browsing(place, None, True, SHIFTS) as made:
        yield made


def rows_of(place, query):
    """The rows that an address is about, in the order they were made, by plain comparison."""
    parts = dict(one.split("=") for one in query[1:].split("&"))
    since = "".join(c for c in parts["from"] if c.isdigit())
    until = "".join(c for c in parts["to"] if c.isdigit()) + "a"
    with reading(place) as connection:
        rows = connection.execute(select(t.RESULT)).mappings().all()
    kept = [row for row in rows if since <= row["Time"] < until]
    kept = [row for row in kept if not parts.get("station") or row["Station"] == int(parts["station"][-1])]
    kept = [row for row in kept if not parts.get("program") or row["Program"] == int(parts["program"])]
    return sorted(kept, key=lambda row: (row["Time"], row["ResultId"]))


@pytest.mark.parametrize(
    ("by", "span", "narrow"),
    # What a bar is, and which rows there are, are decided apart: each of one with some of the other.
    [(by, SPANS[1], "") for by in (*trends.BY, *trends.OVER)]
    + [(by, SPANS[at % 2], narrow) for by in ("program", "shift") for at, narrow in enumerate(NARROW)],
)
def test_rates_are_those_of_the_rows(browser, place, span, narrow, by):
    page = browser.get(f"/pareto{span}{narrow}&by={by}&json").json()
    rows = rows_of(place, span + narrow)
    bad = sum(row["Overall"] for row in rows)
    assert (page["nok"], page["all"]["of"]) == (bad, len(rows))
    assert page["all"]["rate"] == pytest.approx(bad / len(rows))
    assert sum(bar["count"] for bar in page["bars"]) == bad and page["more"] == 0
    assert by in trends.OVER or page["bars"][-1]["up_to"] == pytest.approx(1.0)
    for bar in page["bars"]:
        assert bar["rate"] == pytest.approx(bar["count"] / bar["of"]) and bar["low"] <= bar["rate"] <= bar["high"]
    if by != "cause":
        whole = sum(bar["of"] for bar in page["bars"])
        assert whole == len(rows) or (by in ("station", "program", "tool") and whole <= len(rows))
    if by == "day":
        days = Counter(row["Time"][:8] for row in rows)
        assert {bar["what"].replace("-", ""): bar["of"] for bar in page["bars"]} == days


@pytest.mark.parametrize("narrow", NARROW)
@pytest.mark.parametrize("span", SPANS)
def test_first_attempts_are_those_of_each_cars_screws(browser, place, span, narrow):
    screws = defaultdict(list)
    told = Counter()
    for row in rows_of(place, span + narrow):
        if row["VIN"]:
            screws[row["VIN"], row["Station"], row["Program"], row["Spindle"]].append(row["Overall"])
        else:
            told["at_once" if not row["Overall"] else "without_vin"] += 1
    for verdicts in screws.values():
        tries = 0
        for bad in verdicts:
            tries += 1
            if not bad:
                told["at_once" if tries == 1 else "again"] += 1
                tries = 0
        told["never"] += tries > 0
    page = browser.get(f"/pareto{span}{narrow}&json").json()["screws"]
    for name in ("at_once", "again", "never", "without_vin"):
        assert page[name] == told[name], name
    assert told["again"] and page["rate"] == pytest.approx(told["at_once"] / page["screws"])


def test_rates_are_shown_if_first_attempts_take_too_long(browser, monkeypatch):
    def endless(*_):
        raise TooLong

    before = browser.get("/pareto?by=station&json").json()
    monkeypatch.setattr(rates, "attempts", endless)
    page = browser.get("/pareto?by=station&json").json()
    assert page["screws"] is None and page["all"] == before["all"]
    assert [bar["count"] for bar in page["bars"]] == [bar["count"] for bar in before["bars"]]
    assert "it would take too long" in browser.get("/pareto?by=station").text


@pytest.mark.parametrize(
    ("bad", "count", "low", "high"),
    # R: prop.test(bad, count, correct = FALSE)$conf.int, and Newcombe 1998, table I
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_interval_is_wilsons(bad, count, low, high):
    assert rates.interval(bad, count) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(0, 500), st.integers(0, 500))
def test_interval_has_the_rate_in_it(bad, good):
    low, high = rates.interval(bad, bad + good)
    assert 0 <= low <= high <= 1 and (not bad + good or low <= bad / (bad + good) <= high)


def test_filters_offer_what_is_there(browser):
    page = browser.get("/results").text
    assert '<option value="3/1/2">Wheel front right</option>' in page and '<option value="torque low">' in page
    assert '<option value="2">Pre-tighten</option>' in browser.get("/pareto").text
    assert "choices" not in browser.get("/pareto?json").json()


@pytest.mark.usefixtures("in_this_process")
def test_pareto_is_a_file_too(browser):
    text = browser.get("/pareto?by=day&wait&as=csv").text
    assert text.splitlines()[0] == "what,count,of,rate,low,high" and len(text.splitlines()) > 3


# Figures of a process against the standards' tables and Python's statistics; signals against rows drawn by hand.

# ISO 7870-2, factors of mean and deviation charts: c4, A3, B3, B4 by the subgroup's size.
FACTORS = {
    2: (0.7979, 2.659, 0.0, 3.267),
    3: (0.8862, 1.954, 0.0, 2.568),
    5: (0.9400, 1.427, 0.0, 2.089),
    10: (0.9727, 0.975, 0.284, 1.716),
    25: (0.9896, 0.606, 0.565, 1.435),
}
VALUES = st.lists(st.integers(-(10**8), 10**8).map(lambda hundredths: hundredths / 100), min_size=2, max_size=200)


def grouped(groups):
    """The sums of each subgroup, with what is inside of it."""
    told = []
    for group in groups:
        sums = spc.sums_of(group)
        sums.inner, sums.free = sums.squares - sums.total**2 / sums.count, sums.count - 1
        told.append(sums)
    return told


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
    told = spc.figures(spc.sums_of(values), None, None)
    scale = max(map(abs, values))
    assert told["mean"] == pytest.approx(statistics.fmean(values), abs=1e-12 * scale)
    assert told["deviation"] == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-9 * scale)


@example([0.0] * 24 + [2.225073858507203e-309], 0.0, 60.0)  # too little for a quotient that is a number
@given(st.lists(st.floats(0, 100), min_size=25, max_size=200), st.floats(-50, 50), st.floats(60, 200))
def test_capability_is_a_ratio_of_tolerance_and_spread(values, low, high):
    told = spc.figures(spc.sums_of(values), low, high)
    if told["pp"] is not None:
        assert told["pp"] * 6 * told["deviation"] == pytest.approx(high - low)
        assert told["ppk"] <= told["pp"] * (1 + 1e-9)
        mean = statistics.fmean(values)
        assert told["ppk"] == pytest.approx(min(high - mean, mean - low) / (3 * told["deviation"]))


def test_a_drift_spoils_pp_and_not_cp():
    dice = random.Random(3)
    groups = [[100 + group / 10 + dice.gauss(0, 0.5) for _ in range(5)] for group in range(40)]
    told = spc.figures(spc.together(grouped(groups)), 96, 108)
    assert told["within"] == pytest.approx(0.5, rel=0.15)
    assert told["cp"] > 2 * told["pp"]


@given(st.integers(1, 10**6), st.integers(25, 60))
def test_values_that_are_all_the_same_have_no_spread(hundredths, count):
    told = spc.figures(spc.together(grouped([[hundredths / 100] * count] * 2)), 0.0, 1e6)
    assert (told["deviation"], told["within"], told["cp"], told["ppk"]) == (0.0, 0.0, None, None)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.5] * 12])
def test_too_few_values_have_no_capability(values):
    told = spc.figures(spc.together(grouped([values] if values else [])), 0.0, 2.0)
    assert told["count"] == len(values)
    assert [told[name] for name in ("cp", "cpk", "pp", "ppk")] == [None] * 4
    assert spc.level_of(spc.sums_of(values)) is None


def signals(*means, rules=spc.USUAL):
    """The signals of a chart whose subgroups of one have these means, in standard errors."""
    return spc.chart_of_means([spc.sums_of([one]) for one in means], spc.Level(0.0, 1.0), rules)["signals"]


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
    told = signals(*QUIET, *tail)
    assert {at: told[at] for at in found} == found and (found or not told)


@pytest.mark.parametrize(
    ("rule", "points"),
    [(4, [0.1, -0.1] * 7), (6, [1.2, 1.2, 0.0, 1.2, 1.2]), (7, [0.5, -0.5] * 7 + [0.5]), (8, [1.5, -1.5] * 4)],
)
def test_rule_that_a_plant_chooses_is_met_by_its_last_point_alone(rule, points):
    assert signals(*points, rules=(rule,)) == {len(points) - 1: spc.RULES[rule].words}
    assert signals(*points[1:], rules=(rule,)) == {}


def test_what_are_no_rules_is_told():
    assert spc.rules_of("5,1") == (1, 5)
    for text in ("", "9", "1,,2", "one"):
        with pytest.raises(ValueError, match="Nelson"):
            spc.rules_of(text)
