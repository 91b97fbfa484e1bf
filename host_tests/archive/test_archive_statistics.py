"""Statistics of any span are those of numpy over all its results, on both databases; so are the sums below them."""

import random
from datetime import datetime, timedelta

import numpy
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from toolcart.archive.database import bulk_insert, database, rollups, vehicle_numbers
from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.reports import report
from toolcart.archive.statistics import periods, spc, statistics
from toolcart.archive.storage import maintenance
from toolcart.archive.web import day_figures, histograms
from toolcart.archive.web.trend import HISTOGRAM_MOST, POINTS_MOST, TrendQuery, trend
from host_tests.portable import LONG
from host_tests.support.archive import empty, filled, place_in, reported, result

SHIFTS = periods.shifts_of("early=06:00,late=14:15,night=22:00")
LIMITS = ((40.0, 50.0), (40.0, 48.0), (0.0, 0.0), (40.0, 99999.99), (0.0, 48.0), (None, 52.0), (40.0, None))
HERE = (3, 1, 1)

HOW = settings(
    max_examples=200 if LONG else 5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


@pytest.fixture(scope="module")
def engines(new_place):
    with database.writing(new_place()) as engine:
        yield engine


def row(number, moment, torque, angle=None, *, bad=0, limits=(40.0, 50.0), tool="C1", vin="", program=1, **more):
    time = moment.strftime("%Y%m%d%H%M%S")
    spindle, (low, high) = more.get("spindle", 1), more.get("angle_limits", (0.0, 0.0))
    values = (limits[0], torque, limits[1], 2 * bad, low, angle, high, 0, 0)
    units = more.get("units", ("Nm", "deg"))
    return (number, *HERE, number, time, time, vin, spindle, tool, program, bad, *values, number, 1, 0, *units, None)


def put(connection, rows):
    bulk_insert.insert(connection, t.RESULT, rows)
    rollups.add(connection, rows)


@st.composite
def archives(draw):
    """Some results with gaps between them, NOK, several programs, spindles, tools and sets of limits, in runs."""
    begin = datetime(2026, 11, 20, 21, 40)
    results = []
    same: dict = {}
    for number in range(1, draw(st.integers(0, 80)) + 1):
        begin += timedelta(seconds=draw(st.sampled_from([1, 1, 20, 20, 300, 900, 7000, 90000])))
        if not same or draw(st.integers(0, 3)) == 3:
            same = {
                "limits": draw(st.sampled_from(LIMITS)),
                "tool": draw(st.sampled_from(["C1", "C2"])),
                "program": draw(st.sampled_from([1, 1, 2])),
                "spindle": draw(st.sampled_from([1, 1, 2])),
            }
        torque, angle = draw(st.none() | st.floats(30, 60)), draw(st.none() | st.floats(0, 400))
        bad = draw(st.integers(0, 3)) // 3
        results.append(row(number, begin, torque, angle, bad=bad, vin=f"V{number // 7:03d}", **same))
    return results


MINUTES = st.integers(-60, 9000).map(
    lambda at: (datetime(2026, 11, 20, 21) + timedelta(minutes=at)).strftime("%Y%m%d%H%M")
)
NARROWED = st.fixed_dictionaries(
    {},
    optional={
        "tool": st.just("C2"),
        "vin_from": st.sampled_from(["V", "V004"]),
        "vin_to": st.sampled_from(["V002", "V007"]),
    },
)


def wanted_of(rows, wanted, only_ok):
    """The rows that are meant, by Python."""
    at = {name: place for place, name in enumerate(bulk_insert.columns(t.RESULT))}
    for one in rows:
        if (one[at["Program"]], one[at["Spindle"]]) != (wanted.program, wanted.spindle):
            continue
        if not wanted.from_time <= one[at["Time"]] < wanted.to_time or (only_ok and one[at["Overall"]]):
            continue
        if wanted.tool and one[at["SpindleSerial"]] != wanted.tool:
            continue
        vin = one[at["VIN"]]
        if vin >= (wanted.vin_from or "") and (not wanted.vin_to or vin <= wanted.vin_to + "\xff"):
            yield dict(zip(at, one, strict=True))


def close(value, wanted, scale=1.0):
    return value == (None if wanted is None else pytest.approx(float(wanted), rel=1e-6, abs=1e-6 * scale))


def check_figures(one, rows, name):
    """One line of figures against numpy."""
    values = numpy.array([row[name] for row in rows if row[name] is not None])
    assert one["count"] == len(values)
    assert close(one["mean"], values.mean()) and (one["least"], one["most"]) == (values.min(), values.max())
    if len(values) > 1:
        assert close(one["deviation"], values.std(ddof=1), 100)
    groups = {}
    for row in rows:
        if row[name] is not None:
            limits = [rollups.limits_of(row[f"{q}Low"], row[f"{q}High"]) for q in rollups.QUANTITIES]
            key = (rollups.slot_of(row["Time"]), row["SpindleSerial"], *limits)
            groups.setdefault(key, []).append(row[name])
    free = sum(len(group) - 1 for group in groups.values())
    if free:
        inner = sum(len(group) * numpy.var(group) for group in groups.values())
        assert close(one["within"], numpy.sqrt(inner / free), 100)
    low, high = one["low"], one["high"]
    if one["pp"] is not None:
        s, nearest = values.std(ddof=1), min(high - values.mean(), values.mean() - low)
        assert close(one["pp"], (high - low) / (6 * s)) and close(one["ppk"], nearest / (3 * s))


@HOW
@given(archives(), MINUTES, MINUTES, NARROWED, st.booleans(), st.sampled_from(["day", "week", "month", "shift"]))
def test_figures_of_any_span_are_numpys(engines, rows, since, until, narrowed, only_ok, by):
    wanted = ResultFilter(HERE, 1, 1, min(since, until), max(since, until) + "a", **narrowed)
    with engines.connect() as connection:
        if rows:
            put(connection, rows)
        figures = trend(connection, wanted, TrendQuery(by, SHIFTS, only_ok))
        connection.rollback()
    everything = list(wanted_of(rows, wanted, False))
    assert figures["count"] == len(everything) and figures["nok"] == sum(one["Overall"] for one in everything)
    assert sum(one["count"] for one in figures["causes"]) == figures["nok"]
    mine = list(wanted_of(rows, wanted, only_ok))

    def name(time):
        if by == "shift":
            return periods.name_of_shift(f"{time[:8]} {sum(time[8:12] >= begin for begin, _ in SHIFTS)}", SHIFTS)
        return periods.period_by(by)(time)

    for quantity in figures["quantities"]:
        what = quantity["name"]
        for lines, of in ((quantity["all"], lambda time: ""), (quantity["periods"], name)):
            counted = 0
            for one in lines:
                limits = (one["low"], one["high"])
                same = [
                    row
                    for row in mine
                    if of(row["Time"]) == one["period"]
                    and row[what] is not None
                    and spc.specification(row[f"{what}Low"], row[f"{what}High"]) == limits
                ]
                check_figures(one, same, what)
                counted += one["count"]
            assert counted == sum(row[what] is not None for row in mine)
        points = quantity["points"]
        drawn = [v for name in ("mean", "own", "other") for v in points.get(name, ()) if v is not None]
        assert sorted(drawn) == sorted(row[what] for row in everything if row[what] is not None)


ONE_SIDED = [
    (0.4, 99999.99),
    (0.4, 9999.99),
    (0.4, 999.0),
    (0.4, 0.0),
    (0.4, None),
    (0.0, 0.6),
    (None, 0.6),
    (-99999.0, 0.6),
]
NO_LIMITS = [(0.0, 0.0), (None, None), (0.0, 99999.0), (0.6, 0.4)]


@pytest.mark.parametrize("limits", [*ONE_SIDED, *NO_LIMITS, (0.4, 0.6)])
@pytest.mark.parametrize("spread", [0, 1])
def test_day_trend_and_report_are_exact_and_agree_for_any_limits(engines, limits, spread):
    dice, begin = random.Random(4), datetime(2026, 11, 20, 8)
    values = [0.5 + spread * round(dice.gauss(0, 0.01), 3) for _ in range(400)]
    rows = [row(at, begin + timedelta(seconds=40 * at), one, limits=limits) for at, one in enumerate(values, 1)]
    rows.append(row(401, begin + timedelta(hours=6), 0.7, limits=limits, bad=1))
    wanted = ResultFilter(HERE, 1, 1, "20261120", "20261120a")
    with engines.connect() as connection:
        for first in range(0, len(rows), 7):  # in batches, as they come
            put(connection, rows[first : first + 7])
        bulk_insert.add_missing(connection, t.STATION, [(*HERE, "Left", "", "", 0, 0, 1)])
        lines = [
            day_figures.programs(connection, wanted, {}, True)[0]["torque"],
            trend(connection, wanted, TrendQuery("day", only_ok=True))["quantities"][0]["all"][0],
            trend(connection, wanted, TrendQuery("day", only_ok=True))["quantities"][0]["periods"][0],
        ]
        [program] = report.report(connection, report.span_of("day", begin.date()), (1,))["programs"]
        connection.rollback()
    assert [one["count"] for one in lines] == [400] * 3
    low, high = spc.specification(*limits)
    s = numpy.std(values, ddof=1) if spread else 0.0
    sides = ([] if low is None else [numpy.mean(values) - low]) + ([] if high is None else [high - numpy.mean(values)])
    ppk = min(sides) / (3 * s) if sides and spread else None
    for one in lines:
        assert (one["low"], one["high"]) == (low, high)
        assert one["deviation"] == pytest.approx(s, rel=1e-10, abs=0)
        assert one["within"] == lines[0]["within"] and (one["cpk"] is None) == (ppk is None)
        assert one["ppk"] == (None if ppk is None else pytest.approx(ppk, rel=1e-10))
    [of_report] = program["quantities"][0]["all"]
    assert (of_report["low"], of_report["high"]) == (low, high) and (of_report["cpk"] is None) == (ppk is None)


@HOW
@given(archives(), st.booleans())
def test_a_days_bars_have_every_value_once(engines, rows, only_ok):
    wanted = ResultFilter(HERE, None, None, "20261121", "20261121a")
    with engines.connect() as connection:
        if rows:
            put(connection, rows)
        programs = day_figures.programs(connection, wanted, {}, only_ok)
        connection.rollback()
    at = {name: place for place, name in enumerate(bulk_insert.columns(t.RESULT))}
    of_day = [one for one in rows if one[at["Time"]].startswith("20261121")]
    assert sum(one["count"] for one in programs) == len(of_day)
    for name in ("torque", "angle"):
        counted = sum(row[at[name.capitalize()]] is not None for row in of_day if not (only_ok and row[at["Overall"]]))
        found = [one[name]["histogram"] for one in programs]
        bars = sum(sum(one["counts"]) for one in found if one)
        zeros = sum(one[name]["count"] for one in programs)
        assert bars == zeros or not bars
        assert zeros <= counted


def days_spread(engines, values, limits, bad=()):
    """The spread of a day with these values under these limits."""
    begin = datetime(2026, 11, 21, 6)
    with engines.connect() as connection:
        rows = [
            row(at, begin + timedelta(seconds=at), value, limits=limits, bad=int(at in bad))
            for at, value in enumerate(values, 1)
        ]
        put(connection, rows)
        wanted = ResultFilter(HERE, None, None, "20261121", "20261121a")
        [program] = day_figures.programs(connection, wanted, {}, only_ok=False)
        connection.rollback()
    return program["torque"]


def test_a_days_bars_span_its_values_and_are_numpys(engines):
    values = [41.0, 44.1, 44.3, 44.35, 44.9, 45.1, 45.2, 46.0, 47.3]
    found = days_spread(engines, values, (40.0, 50.0))["histogram"]
    assert (found["from"], found["to"]) == (41.0, 47.3)
    assert found["counts"] == list(numpy.histogram(values, histograms.BARS, (41.0, 47.3))[0])
    assert [one["value"] for one in found["limits"]] == [40.0, 50.0]
    assert 0 < found["limits"][0]["x"] < found["bars"][0]["x"] < found["bars"][-1]["x"] < found["limits"][1]["x"] < 400
    assert not any(bar["is_out"] for bar in found["bars"])


def test_a_nok_that_is_far_off_is_in_the_outer_bar(engines):
    values = [3.0, 44.0, 44.1, 44.3, 45.1, 52.0]
    found = days_spread(engines, values, (40.0, 50.0), bad=(1, 6))["histogram"]
    assert (found["from"], found["to"]) == (35.0, 52.0)
    assert found["counts"][0] == found["counts"][-1] == 1 and sum(found["counts"]) == 6
    assert [bar["is_out"] for bar in found["bars"]] == [True, *[False] * (len(found["bars"]) - 2), True]


@pytest.mark.parametrize("limits", [(0.0, 99999.0), (0.0, 9999.99), (0.0, 0.0), (0.0, 999.0)])
def test_bars_of_limits_that_mean_none_span_the_values(engines, limits):
    values = [44 + at % 13 / 10 for at in range(150)]
    spread = days_spread(engines, values, limits)
    found = spread["histogram"]
    assert len(found["bars"]) >= 13 and found["limits"] == []
    assert (found["from"], found["to"]) == (44.0, 45.2)
    assert (spread["low"], spread["cp"], spread["cpk"]) == (None, None, None)


def test_one_sided_limits_have_a_cpk_and_no_cp(engines):
    values = [44 + at % 13 / 10 for at in range(150)]
    spread = days_spread(engines, values, (40.0, 9999.99))
    within = spread["within"]
    assert spread["cpk"] == pytest.approx((numpy.mean(values) - 40) / (3 * within)) and spread["cp"] is None
    assert [one["value"] for one in spread["histogram"]["limits"]] == [40.0]


def test_many_results_are_drawn_as_ranges_with_their_nok(engines):
    begin = datetime(2026, 1, 1)
    rows = [
        row(number, begin + timedelta(seconds=97 * number), float(number % 977) / 100 + 40, bad=int(number % 50 == 0))
        for number in range(1, 20001)
    ]
    with engines.connect() as connection:
        put(connection, rows)
        wanted = ResultFilter(HERE, 1, 1, "20260101", "20270101")
        torque = trend(connection, wanted, TrendQuery("week"))["quantities"][0]
        points = torque["points"]
        assert not torque["is_each"] and torque["is_each_nok"]
        assert (min(v for v in points["least"] if v), max(v for v in points["most"] if v)) == (40.0, 49.76)
        assert len([v for v in points["mean"] if v]) <= POINTS_MOST
        marks = [(v, why) for v, why in zip(points["own"], points["why"], strict=True) if v is not None]
        assert len(marks) == 400 and {why for _, why in marks} == {"torque low"}
        assert points["time"] == sorted(points["time"])
        assert torque["all"][0]["count"] == 20000
        chart = torque["charts"]["means"]
        assert sum(chart["count"]) == 19600 and len(chart["points"]) <= POINTS_MOST
        histogram = torque["histogram"]
        assert histogram["count"] == pytest.approx(HISTOGRAM_MOST, rel=0.05)  # drawn by lot
        share = sum(histogram["counts"][:20]) / histogram["count"]
        assert share == pytest.approx(0.5, abs=0.03)
        connection.rollback()


def test_a_nok_within_its_limits_is_of_another_cause(engines):
    begin = datetime(2026, 11, 5, 6)
    rows = [row(at, begin + timedelta(minutes=at), 44.0 + at % 7 / 10, 60.0) for at in range(30)]
    angle_high = list(row(30, begin + timedelta(minutes=30), 44.0, 99.0, bad=1, angle_limits=(30.0, 90.0)))
    at = bulk_insert.columns(t.RESULT)
    angle_high[at.index("TorqueStatus")], angle_high[at.index("AngleStatus")] = 0, 3
    with engines.connect() as connection:
        put(connection, [*rows, tuple(angle_high)])
        found = trend(connection, ResultFilter(HERE, 1, 1, "20261105", "20261105a"), TrendQuery("day"))
        connection.rollback()
    torque, angle = (one["points"] for one in found["quantities"])
    assert torque["other"][-1] == 44.0 and torque["why"][-1] == "angle high" and "own" not in torque
    assert angle["own"][-1] == 99.0 and "other" not in angle


@pytest.mark.parametrize("is_in_order", [True, False], ids=["cars in the order of their numbers", "in no order"])
@pytest.mark.parametrize("tool", [None, "C2"])
def test_figures_of_a_range_of_many_vins_are_those_of_its_results(engines, monkeypatch, is_in_order, tool):
    monkeypatch.setattr(statistics, "READ_MOST", 20)
    monkeypatch.setattr(vehicle_numbers, "FEW", -1)  # so many that they are not looked up one by one
    begin, dice = datetime(2026, 11, 5, 6, 7), random.Random(4)
    rows = []
    for at in range(400):
        car = at // 4 if is_in_order else dice.randrange(100)
        some = {"vin": f"V{car:03d}", "tool": "C1" if at % 3 else "C2", "program": 1 + at % 2, "bad": int(at % 7 == 0)}
        rows.append(row(at + 1, begin + timedelta(minutes=3 * at), 44 + at % 11 / 10, **some))
    wanted = ResultFilter(HERE, 1, 1, "2026", "2027", tool=tool, vin_from="V020", vin_to="V04")
    everything = list(wanted_of(rows, wanted, False))
    with engines.connect() as connection:
        put(connection, rows)
        found = trend(connection, wanted, TrendQuery("day"))
        is_by_time_alone = statistics.narrowed(connection, wanted).vin_from is None
        connection.rollback()
    assert (found["count"], found["nok"]) == (len(everything), sum(one["Overall"] for one in everything))
    check_figures(found["quantities"][0]["all"][0], everything, "Torque")
    assert sum(one["count"] for one in found["causes"]) == found["nok"]
    assert is_by_time_alone == (is_in_order and tool is None)


def test_a_signal_leads_to_its_subgroup(engines):
    begin = datetime(2026, 11, 5, 6)
    rows = [row(at, begin + timedelta(minutes=at), 44 + at % 5 / 10 + (at // 15 == 7)) for at in range(150)]
    with engines.connect() as connection:
        put(connection, rows)
        figures = trend(connection, ResultFilter(HERE, 1, 1, "20261105", "20261105a"), TrendQuery("day"))
        connection.rollback()
    assert figures["group"] == "quarter of an hour"
    [signal] = [one for one in figures["quantities"][0]["charts"]["means"]["signals"] if one["rule"] == "beyond 3s"]
    assert (signal["count"], signal["from"], signal["to"]) == (15, "2026-11-05T07:45", "2026-11-05T07:59")


def test_what_a_program_does_not_measure_is_no_trend(engines):
    begin = datetime(2026, 11, 5, 6)
    wanted = ResultFilter(HERE, 1, 1, "20261105", "20261105a")
    with engines.connect() as connection:
        put(connection, [row(at, begin + timedelta(minutes=at), 44.0, 0.0) for at in range(30)])
        assert [one["name"] for one in trend(connection, wanted, TrendQuery("day"))["quantities"]] == ["Torque"]
        put(connection, [row(30, begin, 44.0, 0.5)])
        assert len(trend(connection, wanted, TrendQuery("month"))["quantities"]) == 2
        connection.rollback()


@pytest.mark.parametrize(
    ("since", "until", "first", "end", "rest"),
    [
        ("202611200600", "202611200659a", "202611200600", "202611200645a", []),
        (
            "202611200607",
            "202611200621a",
            "202611200607",
            "202611200615",
            [("202611200607", "202611200615"), ("202611200615", "202611200621a")],
        ),
        ("202611200607", "202611200609a", "202611200607", "202611200600", [("202611200607", "202611200609a")]),
        ("202611200651", "202611200714a", "202611200651", "202611200700a", [("202611200651", "202611200660")]),
        ("20261120", "20261120a", "202611200000", "202611202345a", []),
    ],
)
def test_a_span_is_whole_quarters_and_its_ends(since, until, first, end, rest):
    assert statistics.spans(since, until) == (first, end, rest)


REAL = st.none() | st.floats(-200, 200).map(lambda value: round(value, 3))


@st.composite
def archived(draw):
    """A row of Result, in a few quarters, programs and sets of limits."""
    moment = datetime(2026, 11, 20, 13, 50) + timedelta(seconds=draw(st.integers(0, 3600)))
    limits = draw(st.sampled_from([(40.0, 50.0), (40.0, 48.0), (0.0, 0.0), (None, 50.0), (5.0, 5.0)]))
    bad, torque, angle = draw(st.integers(0, 1)), draw(REAL), draw(REAL)
    same = {"program": draw(st.integers(1, 2)), "tool": draw(st.sampled_from(["", "C1"])), "limits": limits}
    same["units"] = draw(st.sampled_from([("Nm", "deg"), ("%", "deg"), ("kN", "mm")]))
    return lambda number: row(number, moment, torque, angle, bad=bad, angle_limits=(30.0, 90.0), **same)


def table(connection):
    """The table as it is kept, and as the results give it: sums by key."""
    wide = len(rollups.KEY)
    return [
        {tuple(row[:wide]): list(row[wide:]) for row in connection.execute(statement)}
        for statement in (select(t.QUARTER), rollups.summed())
    ]


def is_equal(connection):
    kept, summed = table(connection)
    assert kept.keys() == summed.keys()
    for key, row in kept.items():
        assert row == [None if one is None else pytest.approx(one, abs=1e-6) for one in summed[key]], key
    return len(kept)


@HOW
@given(batches=st.lists(st.lists(archived(), min_size=1, max_size=30), max_size=6), gone=st.randoms())
def test_the_table_is_what_the_results_give_after_any_batches_and_deletions(engines, batches, gone):
    with engines.connect() as connection:
        number = 0
        for batch in batches:
            rows = [make(number + at) for at, make in enumerate(batch, 1)]
            number += len(rows)
            put(connection, rows)
        is_equal(connection)
        some = [one for one in range(1, number + 1) if gone.random() < 0.3]
        condition = t.RESULT.c.ResultId.in_(some)
        rows = [dict(row) for row in connection.execute(select(t.RESULT).where(condition)).mappings()]
        connection.execute(t.RESULT.delete().where(condition))
        rollups.again(connection, rollups.places_of(rows))
        is_equal(connection)
        connection.rollback()


def test_what_comes_goes_moves_and_returns_is_in_the_sums(tmp_path, new_place):
    into, dice = str(place_in(tmp_path)), random.Random(3)
    telegrams = []
    for number in range(1, 60):
        time = f"202403{dice.randrange(10, 20)}{dice.randrange(10, 20)}{dice.randrange(10, 60)}00"
        telegrams.append(result(number, number, time=time, station=dice.randrange(1, 3)))
    place = reported(new_place(), *telegrams)
    with database.writing(place) as engine, engine.connect() as connection:
        assert is_equal(connection) > 20
    maintenance.forget_newest(place, 7)
    other = filled(tmp_path / "other.sqlite", stations=2, cars=20)
    assert maintenance.take_from(place, other, lambda share: None)["taken"] == 200
    with database.writing(place) as engine, engine.connect() as connection:
        assert is_equal(connection) > 20
    maintenance.move_old(place, into, maintenance.AgeLimits("20261120142000"), lambda share: None)
    for one in (place, into):
        with database.writing(one) as engine, engine.connect() as connection:
            assert is_equal(connection) > 1


def test_quarters_are_summed_again_by_one_statement_however_many_they_are(tmp_path, monkeypatch):
    place = filled(place_in(tmp_path), stations=2, cars=200)
    old = empty(tmp_path / "old.sqlite")
    built = []
    rollups._again.cache_clear()
    summed = rollups.summed
    monkeypatch.setattr(rollups, "summed", lambda *which: built.append(which) or summed(*which))
    maintenance.move_old(place, old, maintenance.AgeLimits("20261120142000"), lambda share: None)
    assert len(built) == 1
