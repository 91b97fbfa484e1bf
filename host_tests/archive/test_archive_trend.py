"""The trend of a program and what is not OK by how often: figures, periods, filters, and that they read an index."""

import re
import shutil
import statistics
import subprocess
from collections import Counter
from dataclasses import replace

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select, update

from toolcart.archive.database import database, tables
from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.serve_commands import listening
from toolcart.archive.statistics import limits, periods, rates, spc
from toolcart.archive.statistics.limits import Phase, segments
from toolcart.archive.statistics.placeholders import Placeholders
from toolcart.archive.statistics.rates import causes
from toolcart.archive.statistics.spc import Level
from toolcart.archive.statistics.statistics import program_sums, values
from toolcart.archive.storage import maintenance
from toolcart.archive.web import page_queries, serving, statistics_pages, users
from host_tests.support.archive import Served, browsing, change, place_in, reading, reported, result, run
from host_tests.support.archive import filled as filled_with
from lab.harness.archive_rows import sum_all, vin

SHIFTS = periods.shifts_of("early=06:00, late=14:00,night=22:00")
NARROWED = ResultFilter((3, 1, 1), 1, 1, "2020", "2027", vin_from=vin(50), vin_to=vin(60))
SPAN = ResultFilter((3, 1, 1), 1, 1, "202611190610", "202611201435a")
LISTED = ResultFilter(station=(3, 1, 1), program=1, from_time="20261119", to_time="20261121")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    archive = place_in(tmp_path_factory.mktemp("trend"))
    return filled_with(archive, stations=2, cars=200, every_s=600)  # 33 hours up to 2026-11-20 14:30


@pytest.fixture(scope="module")
def browser(place):
    with browsing(place, None, True, SHIFTS) as client:
        yield client


def as_json(browser, path, **query):
    answer = browser.get(path, params={**query, "json": ""})
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows_of(place, where):
    """Torque and verdict of some results, in the order they were made."""
    return Served(place).rows(f"SELECT Torque, Overall, Time FROM Result WHERE {where} ORDER BY ResultId")


# -- periods -------------------------------------------------------------------------------------------------------


def shift_of(time, shifts=SHIFTS):
    """The shift of a time, as the database numbers them."""
    return periods.name_of_shift(f"{time[:8]} {sum(time[8:12] >= begin for begin, _ in shifts)}", shifts)


@pytest.mark.parametrize(
    ("time", "week", "shift"),
    [
        ("20261120143000", "2026-W47", "2026-11-20 late"),
        ("20261120060000", "2026-W47", "2026-11-20 early"),
        ("20261120055959", "2026-W47", "2026-11-19 night"),
        ("20261120235959", "2026-W47", "2026-11-20 night"),
        ("20270101000000", "2026-W53", "2026-12-31 night"),
        ("20241230120000", "2025-W01", "2024-12-30 early"),
    ],
)
def test_weeks_are_iso_and_a_night_is_the_evenings(time, week, shift):
    assert periods.period_by("week")(time) == week
    assert shift_of(time) == shift
    assert periods.period_by("month")(time) == f"{time[:4]}-{time[4:6]}"
    assert periods.period_by("day")(time) == f"{time[:4]}-{time[4:6]}-{time[6:8]}"


def test_a_day_that_older_archives_took_has_a_period():
    assert periods.period_by("week")("20250229120000") == "2025-W09"
    assert shift_of("20250229050000") == "2025-02-28 night"


def test_shifts_are_read_as_they_are_written():
    assert SHIFTS == (("0600", "early"), ("1400", "late"), ("2200", "night"))
    assert shift_of("20261120052900", periods.shifts_of("all=05:30")) == "2026-11-19 all"


@pytest.mark.parametrize(
    "text", ["", "early", "early=25:00", "early=06:60", "a=06:00,a=14:00", "a=06:00,b=06:00", "=06:00", "a=06:10"]
)
def test_what_are_no_shifts_is_reported(text):
    with pytest.raises(ValueError, match="a name and a begin"):
        periods.shifts_of(text)
    if text:
        assert "a name and a begin" in run("serve", "--web", "127.0.0.1:0", "--shifts", text, code=2).stderr


# -- figures -------------------------------------------------------------------------------------------------------


def test_causes_by_how_often_with_their_shares():
    assert rates.pareto({"a": 1, "b": 6, "c": 1}) == [
        {"what": "b", "count": 6, "share": 0.75, "up_to": 0.75},
        {"what": "a", "count": 1, "share": 0.125, "up_to": 0.875},
        {"what": "c", "count": 1, "share": 0.125, "up_to": 1.0},
    ]
    assert rates.pareto({}) == []
    assert [rates.cause(*one) for one in ((2, 3, 0), (0, 1, None), (None, 0, 0), (0, 0, 9))] == [
        "torque low, angle high",
        "angle not OK",
        "other",
        "time 9",
    ]


# -- pages ---------------------------------------------------------------------------------------------------------


def test_a_trend_shows_the_latest_days_of_the_latest_program(browser, place):
    page = as_json(browser, "/trend/3/1/1")
    assert (page["form"]["program"], page["form"]["spindle"]) == (1, 1)
    assert (page["form"]["from"], page["form"]["to"]) == ("2026-11-14T00:00", "2026-11-20T14:30")
    rows = rows_of(place, "Station = 1 AND Program = 1")
    assert page["trend"]["count"] == len(rows) == 800
    assert page["trend"]["nok"] == sum(row[1] for row in rows)
    figures = page["trend"]["quantities"][0]["all"][0]
    assert figures["mean"] == pytest.approx(statistics.fmean(row[0] for row in rows))
    assert figures["deviation"] == pytest.approx(statistics.stdev(row[0] for row in rows))


@pytest.mark.parametrize("by", ["day", "week", "month", "shift"])
def test_periods_are_whole(browser, place, by):
    page = as_json(browser, "/trend/3/1/1", program=1, by=by)
    name = shift_of if by == "shift" else periods.period_by(by)
    counts = Counter(name(row[2]) for row in rows_of(place, "Station = 1 AND Program = 1"))
    assert {one["period"]: one["count"] for one in page["trend"]["quantities"][0]["periods"]} == counts


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"program": 2}, "Program = 2"),
        ({"from": "2026-11-20T06:00", "to": "2026-11-20T07"}, "Time >= '2026112006' AND Time < '202611200760'"),
        ({"from": "2026-11-20"}, "Time >= '20261120'"),
        ({"to": "2026-11-19"}, "Time < '20261120'"),
        ({"from": "2026-11", "to": "2026-11"}, "Time < '202612'"),
        ({"vin_from": vin(50), "vin_to": vin(69)[:-1]}, f"VIN >= '{vin(50)}' AND VIN <= '{vin(69)}'"),
        ({"vin_to": vin(19)}, f"VIN <= '{vin(19)}'"),
        ({"tool": "C3412001"}, "Program = 1"),
        ({"tool": "another"}, "Program = 9"),
        ({"spindle": 2}, "Program = 9"),
    ],
    ids=str,
)
def test_filters_narrow_it(browser, place, query, where):
    query = {"program": 1, **query}
    figures = as_json(browser, "/trend/3/1/1", **query)["trend"]
    wanted = rows_of(place, f"Station = 1 AND {where} AND Program = {query['program']}")
    assert (figures["count"] if figures else 0) == len(wanted)


@pytest.mark.parametrize("path", ["/trend/1", "/pareto", "/results"])
@pytest.mark.parametrize(
    ("since", "until"), [("0001", "9999"), ("9999", "0001"), ("", "0001-01-01"), ("9999-12-31", "")]
)
def test_the_ends_of_time_are_times(browser, path, since, until):
    assert browser.get(path, params={"from": since, "to": until}).status_code == 200


def test_a_list_by_cause_is_of_what_is_not_ok(browser):
    page = as_json(browser, "/results", verdict="all", cause="torque low")
    assert page["filters"]["verdict"] == "nok" and {row["Overall"] for row in page["results"]} == {1}
    assert as_json(browser, "/results", verdict="all", cause="other")["results"] == []


@pytest.mark.parametrize(
    ("more", "program"), [({}, 9), ({"program": 2}, 2), ({"spindle": 3}, 8), ({"program": 7}, None)]
)
def test_a_trend_ends_with_its_programs_newest_result(tmp_path, more, program):
    place = filled_with(place_in(tmp_path), stations=1, cars=20)
    latest = 'UPDATE "Result" SET {} WHERE "ResultId" = (SELECT max("ResultId") {} FROM "Result")'
    change(place, latest.format('"Program" = 9, "Time" = \'20261120144000\'', ""))
    change(place, latest.format('"Program" = 8, "Spindle" = 3, "Time" = \'20260101000000\'', "- 1"))
    with database.writing(place) as engine, engine.begin() as connection:
        sum_all(connection)
    with browsing(place) as browser:
        page = as_json(browser, "/trend/1", **more)
    assert (page["form"]["program"] if page["trend"] else None) == program
    if program:
        assert page["trend"]["count"] > 0


def test_a_shift_that_is_no_setting_is_not_offered(place):
    with browsing(place) as browser:
        assert browser.get("/trend/1?by=shift").status_code == 400
        assert "shift" not in browser.get("/trend/1").text


def test_what_is_not_there_is_reported(browser):
    assert browser.get("/trend/77").status_code == 404
    assert "There is no result of this station or program." in browser.get("/trend/1?program=77").text


def test_more_periods_than_lines_are_on_pages_newest_first(place, monkeypatch):
    monkeypatch.setattr(statistics_pages, "LINES", 2)
    with browsing(place, None, True, SHIFTS) as browser:
        periods = as_json(browser, "/trend/3/1/1", by="shift")["trend"]["quantities"][0]["periods"]
        names = [one["period"] for one in periods]
        pages = [browser.get(f"/trend/3/1/1?by=shift&behind={behind or ''}").text for behind in (0, 2, 4, 6)]
    assert "Lines 3 to 4 of 7." in pages[1] and "Lines 7 to 7 of 7." in pages[3]
    assert ["Older ones" in page for page in pages] == [True, True, True, False]
    listed = [re.findall(r'class="time">(2026-11-\d\d [a-z]+|all)', page) for page in pages]
    assert [one for page in listed for one in page[: len(page) // 2]] == ["all", *names[::-1]]


@given(st.tuples(*[st.none() | st.integers(0, 9)] * 3))
def test_a_cause_names_its_statuses(statuses):
    assert rates.statuses(rates.cause(*statuses)) == tuple(status or 0 for status in statuses)


@pytest.mark.parametrize("by", statistics_pages.BY)
def test_a_bar_leads_to_its_results(browser, by):
    page = as_json(browser, "/pareto", by=by)
    for bar in page["bars"]:
        listed = browser.get(bar["address"] + "&json").json()["results"]
        assert len(listed) == bar["count"]


TWO_DAYS = ResultFilter(from_time="20261119", to_time="20261121")


def without_car(connection, wanted):
    connection.execute(rates._ok_without_car(connection, wanted, Placeholders(("", "0"))))


SCREW = " AND ".join(f"{name}=?" for name in ("VIN", *tables.PLACE, "Program", "Spindle"))


@pytest.mark.parametrize(
    ("question", "values", "index"),
    [
        (values, (SPAN, "Torque"), "sqlite_autoindex_Result_1"),
        (values, (NARROWED, "Torque"), "ResultByVIN"),
        (program_sums, (SPAN, 8), "PRIMARY KEY"),
        (program_sums, (SPAN, 8), "sqlite_autoindex_Result_1"),  # at its ends
        (program_sums, (NARROWED, 8), "ResultByVIN"),
        (causes, (SPAN,), "ResultNOKOf"),
        (page_queries.nok_counts, (TWO_DAYS,), "COVERING INDEX ResultNOKByTime"),
        (page_queries.nok_counts, (replace(TWO_DAYS, station=(3, 1, 1)),), "COVERING INDEX ResultNOKOf"),
        (rates.attempts, (TWO_DAYS, {}), f"COVERING INDEX ResultByVIN ({SCREW} AND Time>? AND Time<?)"),
        (without_car, (TWO_DAYS,), f"COVERING INDEX ResultByVIN ({SCREW} AND Time>? AND Time<?)"),
        (
            without_car,
            (replace(TWO_DAYS, station=(3, 1, 1), program=1),),
            f"COVERING INDEX ResultByVIN ({SCREW} AND Time>",
        ),
        (rates.totals, (ResultFilter(from_time="202511", to_time="202612"),), "COVERING INDEX QuarterByTool"),
        (rates.totals, (ResultFilter(from_time="202601", to_time="202602"),), "COVERING INDEX QuarterBySlot"),
        (rates.over_time, (ResultFilter(from_time="202511", to_time="202612"), 8), "COVERING INDEX QuarterBySlot"),
        (page_queries.newest_time, (), "ResultByMoment"),
        (page_queries.newest, ((3, 1, 1), 1, None), "sqlite_autoindex_Result_1"),
        (page_queries.newest, ((3, 1, 1), 1, None), "PRIMARY KEY"),
        (page_queries.nok_counts, (replace(TWO_DAYS, program=1),), "COVERING INDEX ResultNOKByTime"),
        (page_queries.results, (ResultFilter(nok=True, statuses=(2, 0, 0)),), "ResultNOK"),
        (page_queries.results, (LISTED,), "sqlite_autoindex_Result_1"),
        (page_queries.results, (ResultFilter(vin=vin(3)),), "ResultByVIN"),
        (page_queries.results, (ResultFilter((3, 1, 1), from_time="20261120"),), "sqlite_autoindex_Result_1"),
        (page_queries.results, (ResultFilter(nok=True),), "ResultNOK"),
        (page_queries.results, (ResultFilter(tightening_id=7),), "ResultByTighteningId"),
    ],
)
def test_every_question_has_its_index(place, question, values, index):
    plan = plan_of(place, question, *values)
    assert any(index in line for line in plan)
    scans = [line for line in plan if line.startswith("SCAN ")]
    assert not [
        line
        for line in scans
        if not re.search(r"anon|SUBQUERY|CONSTANT|USING INDEX ResultNOK|INDEX QuarterByTool|TNMapProgram", line)
    ]


NOWHERE = [{"tool": "XYZ"}, {"tool": "XYZ", "station": (3, 1, 1)}, {"spindle": 7}, {"program": 7, "station": (3, 1, 1)}]


@pytest.mark.parametrize("nowhere", NOWHERE)
def test_what_is_not_there_is_not_looked_for_in_all_results(place, nowhere):
    assert not [line for line in plan_of(place, page_queries.results, ResultFilter(**nowhere)) if " Result" in line]


def test_a_tool_s_results_are_all_there_from_its_first_to_its_last(browser):
    every = as_json(browser, "/results", verdict="all", station="3/1/1")["results"]
    times = sorted(row["Time"] for row in every)
    for span in ({}, {"from": times[3]}, {"to": times[-3]}, {"from": times[3][:8], "to": times[3][:10]}):
        wanted = {"verdict": "all", **span}
        of_station = as_json(browser, "/results", station="3/1/1", **wanted)["results"]
        assert as_json(browser, "/results", tool=every[0]["SpindleSerial"], **wanted)["results"] == of_station


def plan_of(place, *call):
    """How SQLite answers a question."""
    engine = database.connect(place, writes=False)
    statements, plan = [], []
    event.listen(engine, "before_cursor_execute", lambda *about: statements.append(about[2:4]))
    with engine.connect() as connection:
        call[0](connection, *call[1:])
        for sql, bound in list(statements):
            plan += [row[3] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql, bound)]
    engine.dispose()
    return plan


DAY = {"from_time": "20260101000000", "to_time": "20260102000000"}


@pytest.mark.parametrize(
    "narrowed",
    [
        DAY,
        {"to_time": DAY["to_time"]},
        {"program": 1},
        {"program": 1, "from_time": DAY["from_time"]},
        {"nok": True},
        {"nok": True, "program": 1},
    ],
    ids=str,
)
def test_a_filter_without_a_station_reads_an_index_and_sorts_nothing(place, narrowed):
    plan = plan_of(place, page_queries.results, ResultFilter(**narrowed))
    assert any(re.match('SEARCH "?Result|.*USING INDEX Result(By|NOK)', line) for line in plan)
    assert not any("TEMP B-TREE" in line for line in plan), plan


def test_a_station_that_is_new_has_a_trend(tmp_path):
    telegrams = [result(number, number, time=f"2024031409265{number}") for number in range(1, 4)]
    with browsing(reported(place_in(tmp_path), *telegrams)) as browser:
        page = as_json(browser, "/trend/10", program=12)
        assert page["trend"]["count"] == 3
        assert "Charts of subgroups need 25 values," in browser.get("/trend/10").text


def test_shifts_go_to_the_pages_own_process(monkeypatch):
    start, started = subprocess.Popen, []
    monkeypatch.setattr(
        serving.subprocess, "Popen", lambda command, **more: started.append(command) or start(["true"], **more)
    )
    options = {"shifts": "early=06:00,late=14:00,night=22:00", "rules": "1,4", "password_file": None}
    where = listening("127.0.0.1:0", options)
    serving.Child("here", where).close()
    assert where.shifts == SHIFTS and started[0][-5:-1] == ["--shifts", options["shifts"], "--rules", "1,4"]


def test_a_clock_that_was_far_ahead_is_not_the_latest_for_ever(tmp_path):
    times = ("20240314092653", "20240315092653", "99991231235959")
    telegrams = [result(number, number, time=time) for number, time in enumerate(times, 1)]
    with browsing(reported(place_in(tmp_path), *telegrams)) as browser:
        days = as_json(browser, "/station/10")["days"]
        assert (days["Day"], days["Earlier"], days["Later"]) == ("20240315", "20240314", "99991231")
        assert as_json(browser, "/trend/10")["form"]["to"] == "2024-03-15T09:26"
        assert as_json(browser, "/pareto")["form"]["to"] == "2024-03-15T09:26"
        assert as_json(browser, "/station/10", day="99991231")["count"] == 1


PROGRAM = ResultFilter((3, 1, 1), 1, 1)
TREND = "/trend/1?program=1&from=2026-11-05T00:00&to=2026-11-21T00:00"
REFERENCE = {"from": "2026-11-18T06:10", "to": "2026-11-19T14:35", "begins": "2026-11-20T00:00", "note": "new sockets"}
LIMITS = "/limits/3/1/1?program=1&spindle=1"


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    archive = place_in(tmp_path_factory.mktemp("limits"))
    return filled_with(archive, stations=2, cars=500, every_s=600)  # three days up to 2026-11-20 14:30


@pytest.fixture
def limits_place(filled, tmp_path):
    return str(shutil.copy(filled, place_in(tmp_path)))


@pytest.fixture
def limits_browser(limits_place):
    with browsing(limits_place) as client:
        yield client


def rows_at(limits_place, statement):
    with reading(limits_place) as connection:
        matching = connection.execute(statement).mappings().all()
    return [dict(row) for row in matching]


def charts(limits_browser, name="Torque"):
    quantities = limits_browser.get(TREND + "&json").json()["trend"]["quantities"]
    return next(one for one in quantities if one["name"] == name)["charts"]


def test_limits_are_mean_and_deviation_within_quarters_of_the_reference(limits_browser, limits_place):
    assert limits_browser.post(LIMITS, data=REFERENCE).status_code == 303
    r = t.RESULT.c
    statement = select(r.Time, r.Torque, r.Angle).where(t.is_row(t.RESULT, t.RESULT_KEY, PROGRAM.station))
    statement = statement.where(r.Program == 1, r.Overall == 0, r.Time >= "202611180610", r.Time < "202611191436")
    results = rows_at(limits_place, statement)
    by_quantity = {row["Quantity"]: row for row in rows_at(limits_place, select(t.CONTROL_LIMITS))}
    for name in ("Torque", "Angle"):
        quarters = {}
        for row in results:
            slot = row["Time"][:10] + str(int(row["Time"][10:12]) // 15)
            quarters.setdefault(slot, []).append(row[name])
        squares = sum(numpy.var(one) * len(one) for one in quarters.values())
        within = numpy.sqrt(squares / (len(results) - len(quarters)))
        assert by_quantity[name]["Mean"] == pytest.approx(numpy.mean([row[name] for row in results]), rel=1e-12)
        assert by_quantity[name]["Within"] == pytest.approx(within, rel=1e-9)
        assert by_quantity[name]["Count"] == len(results)


def test_chart_has_the_limits_of_each_phase(limits_browser, limits_place):
    before = charts(limits_browser)["means"]
    limits_browser.post(LIMITS, data=REFERENCE)
    level = next(row for row in rows_at(limits_place, select(t.CONTROL_LIMITS)) if row["Quantity"] == "Torque")
    whole = charts(limits_browser)
    after, between = whole["means"], whole["stretches"][-1]["between"]
    assert whole["stretches"][-1]["is_set"] and not whole["stretches"][0]["is_set"]
    for at, period in enumerate(after["time"]):
        if period.ljust(12, "0") >= "202611200000":
            assert after["centre"][at] == pytest.approx(level["Mean"], abs=1e-5)
            reach = 3 * numpy.hypot(level["Within"] / after["count"][at] ** 0.5, between)
            assert after["high"][at] == pytest.approx(level["Mean"] + reach, abs=1e-4)
        else:
            assert after["centre"][at] == pytest.approx(before["centre"][at], abs=0.2)
    assert after["points"] == before["points"]


def test_points_and_limits_are_of_the_same_ok_results(limits_browser, limits_place):
    r = t.RESULT.c
    statement = select(r.Time, r.Torque).where(t.is_row(t.RESULT, t.RESULT_KEY, PROGRAM.station), r.Program == 1)
    good = rows_at(limits_place, statement.where(r.Overall == 0))
    of_hour = {}
    for row in good:
        of_hour.setdefault(row["Time"][:10], []).append(row["Torque"])
    found = limits_browser.get(TREND + "&subgroup=hour&json").json()["trend"]["quantities"][0]["charts"]
    means = found["means"]
    assert means["points"] == pytest.approx([numpy.mean(of_hour[hour]) for hour in means["time"]], abs=1e-5)
    assert means["count"] == [len(of_hour[hour]) for hour in means["time"]] and sum(means["count"]) == len(good)
    assert means["centre"][0] == pytest.approx(numpy.median([numpy.mean(one) for one in of_hour.values()]), abs=0.05)


@pytest.mark.parametrize(("kind", "count"), [("day", 4), ("week", 1), ("month", 1), ("shift", 11), ("hour", 84)])
def test_subgroups_are_of_the_kind_that_is_asked_for_and_lead_to_their_results(filled, kind, count):
    with browsing(filled, None, True, SHIFTS) as browser:
        trend = browser.get(TREND + f"&subgroup={kind}&json").json()["trend"]
        means = trend["quantities"][0]["charts"]["means"]
        assert trend["group"] == kind and len(means["time"]) == pytest.approx(count, abs=1)
        assert means["time"] == sorted(means["time"])
        page = browser.get(TREND + f"&subgroup={kind}").text
        assert f"Means of each {kind}" in page
        for at, begin in list(enumerate(means["time"]))[-2:]:
            span = periods.ends_of(begin, kind, SHIFTS)
            place = f"{trend['results']}&from={span['from']}&to={span['to']}&json"
            listed, behind = [], ""
            while behind is not None:
                part = browser.get(place + (f"&behind={behind}" if behind else "")).json()
                listed += part["results"]
                behind = part["behind"]
            assert len([row for row in listed if not row["Overall"]]) == means["count"][at]


def test_limits_may_be_of_s_within_alone(limits_browser):
    both, alone = (charts_of(limits_browser, f"&subgroup=day{more}") for more in ("", "&limits=within"))
    assert alone["stretches"][0]["between"] == 0
    reach = 3 * alone["stretches"][0]["within"] / alone["means"]["count"][0] ** 0.5
    assert alone["means"]["high"][0] - alone["means"]["centre"][0] == pytest.approx(reach, abs=1e-4)
    assert both["means"]["high"][0] >= alone["means"]["high"][0]


def charts_of(browser, more):
    return browser.get(TREND + more + "&json").json()["trend"]["quantities"][0]["charts"]


def test_signal_leads_to_results_of_its_subgroup(limits_browser, limits_place):
    limits_browser.post(LIMITS, data=REFERENCE)
    with database.writing(limits_place) as engine, engine.begin() as connection:
        r = t.RESULT.c
        some = (r.Station == 1, r.Program == 1, r.Time >= "202611201000", r.Time < "202611201030")
        connection.execute(update(t.RESULT).where(*some).values(Torque=r.Torque + 6, Overall=0))
        sum_all(connection)
    trend = limits_browser.get(TREND + "&json").json()["trend"]
    chart = trend["quantities"][0]["charts"]["means"]
    assert len(chart["signals"]) >= 2
    for signal in chart["signals"]:
        address = f"{trend['results']}&from={signal['from']}&to={signal['to']}&json"
        listed = [row for row in limits_browser.get(address).json()["results"] if not row["Overall"]]
        assert len(listed) == signal["count"] and {row["Program"] for row in listed} == {1}


def test_withdrawn_limits_are_kept_and_not_used(limits_browser, limits_place):
    before = charts(limits_browser)["means"]
    limits_browser.post(LIMITS, data=REFERENCE)
    for row in rows_at(limits_place, select(t.CONTROL_LIMITS)):
        assert limits_browser.post(LIMITS, data={"withdraw": str(row["ControlLimitsId"])}).status_code == 303
        assert limits_browser.post(LIMITS, data={"withdraw": str(row["ControlLimitsId"])}).status_code == 404
    assert charts(limits_browser)["means"] == before
    kept = limits_browser.get(LIMITS + "&json").json()["limits"]
    assert len(kept) == 2 and all(one["Withdrawn"] and one["Note"] == "new sockets" for one in kept)
    changes = [row["What"] for row in rows_at(limits_place, select(t.AUDIT))]
    assert sum("withdrawn" in one for one in changes) == 2 and sum("new sockets" in one for one in changes) == 2


def test_later_limits_with_the_same_begin_replace_earlier_ones(limits_browser, limits_place):
    limits_browser.post(LIMITS, data=REFERENCE)
    limits_browser.post(LIMITS, data={**REFERENCE, "note": "again"})
    with reading(limits_place) as connection:
        phases = limits.phases(connection, PROGRAM, ("Nm", "deg"))["Torque"]
    assert [phase.number for phase in phases] == [3]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"from": "2026-11-18T06:10", "to": "2026-11-18T06:11"}, "too few results"),
        ({"begins": "soon"}, "begins &#39;soon&#39;"),
        ({"from": "2026-13-40T00:00"}, "a time such as"),
        ({"begins": "2026-02-30T00:00"}, "a time such as"),
    ],
)
def test_what_cannot_be_set_is_refused(limits_browser, limits_place, changed, reason):
    answer = limits_browser.post(LIMITS, data={**REFERENCE, **changed})
    assert answer.status_code == 400 and reason in answer.text
    assert not rows_at(limits_place, select(t.CONTROL_LIMITS))


def test_form_of_a_foreign_page_changes_nothing(limits_browser, limits_place):
    for origin in ("http://evil.example", "null", "http://[::1"):
        foreign = {"origin": origin}
        assert limits_browser.post(LIMITS, data=REFERENCE, headers=foreign).status_code == 403
    assert limits_browser.post("/remark/3", data={"text": "x"}, headers=foreign).status_code == 403
    assert limits_browser.post("/trend/1", data={}).status_code == 405
    own = {"origin": "http://127.0.0.1:8080"}
    assert limits_browser.post(LIMITS, data=REFERENCE, headers=own).status_code == 303
    assert len(rows_at(limits_place, select(t.AUDIT))) == 2


def test_changes_need_a_log_in_and_carry_the_name_that_a_proxy_gives(limits_place):
    proxy = users.Proxy(frozenset({"testclient"}), "X-Forwarded-User")
    with browsing(limits_place, users.Authenticator("correct horse"), False, (), proxy) as limits_browser:
        assert limits_browser.post("/remark/3", data={"text": "x"}).headers["location"].startswith("/login")
        anna = {"X-Forwarded-User": "anna"}
        assert limits_browser.post(LIMITS, data=REFERENCE, headers=anna).status_code == 303
        limits_browser.post("/login", data={"password": "correct horse"})
        assert limits_browser.post("/remark/3", data={"text": "ok"}).status_code == 303
    assert {row["Who"] for row in rows_at(limits_place, select(t.AUDIT))} == {"anna", "without a name"}


def test_remark_is_shown_escaped_and_stays(limits_browser, limits_place):
    assert limits_browser.post("/remark/7", data={"text": " <b>socket worn</b> "}).headers["location"] == "/result/7"
    assert "&lt;b&gt;socket worn&lt;/b&gt;" in limits_browser.get("/result/7").text
    assert [row["text"] for row in rows_at(limits_place, t.text("SELECT * FROM remarks"))] == ["<b>socket worn</b>"]
    for number, text, status in ((7, "", 400), (7, "x" * 1001, 400), (10**6, "x", 404), (7, "x" * 5000, 413)):
        assert limits_browser.post(f"/remark/{number}", data={"text": text}).status_code == status
    assert len(rows_at(limits_place, select(t.REMARK))) == 1


def test_remarks_and_limits_go_along_into_another_archive(tmp_path):
    limits_place = filled_with(place_in(tmp_path), stations=1, cars=20)
    reference = {"from": "2026-11-20T14:00", "to": "2026-11-20T14:30", "begins": "2026-11-20T14:00"}
    with browsing(limits_place) as limits_browser:
        assert limits_browser.post(LIMITS, data=reference).status_code == 303
        limits_browser.post("/remark/7", data={"text": "socket worn"})
    other, old = str(tmp_path / "other.sqlite"), str(tmp_path / "old.sqlite")
    for _ in range(2):
        maintenance.take_from(other, limits_place, lambda share: None)
    assert [row["Text"] for row in rows_at(other, select(t.REMARK))] == ["socket worn"]
    assert len(rows_at(other, select(t.CONTROL_LIMITS))) == 2
    maintenance.move_old(limits_place, old, maintenance.AgeLimits("29990101000000"), lambda share: None)
    assert [row["Text"] for row in rows_at(old, select(t.REMARK))] == ["socket worn"]
    assert rows_at(limits_place, select(t.REMARK)) == [] and len(rows_at(limits_place, select(t.CONTROL_LIMITS))) == 2
    maintenance.take_from(limits_place, old, lambda share: None)
    taken_back = rows_at(limits_place, select(t.REMARK.c.ResultId))[0]["ResultId"]
    with browsing(limits_place) as limits_browser:
        limits_browser.post(f"/remark/{taken_back}", data={"text": "and replaced"})
    maintenance.move_old(limits_place, old, maintenance.AgeLimits("29990101000000"), lambda share: None)
    assert [row["Text"] for row in rows_at(old, select(t.REMARK))] == ["socket worn", "and replaced"]


def test_subgroup_in_which_a_phase_begins_is_measured_by_the_earlier_one():
    first, second = Phase(1, "202611191200", Level(0, 1)), Phase(2, "202611201200", Level(0, 1))
    periods = ["20261119", "20261120", "20261121", "20261122"]
    assert segments([first, second], periods) == [(0, 1, None), (1, 2, first), (2, 4, second)]
    assert segments([], periods) == [(0, 4, None)]
    assert segments([first], []) == []


def test_run_does_not_go_on_over_a_new_phase(limits_browser):
    groups = [spc.Sums(2, 0.2, 0.04, 1.0, 1.2, origin=1.0)] * 12
    level, other = Level(0.0, 1.0), Level(0.5, 1.0)
    whole = spc.chart_of_means(groups, level, (2,))["signals"]
    parts = [spc.chart_of_means(part, one, (2,))["signals"] for part, one in ((groups[:6], level), (groups[6:], other))]
    assert whole and not any(parts)


def test_remark_is_written_while_the_archive_takes_results(tmp_path):
    archive_place = place_in(tmp_path)
    with Served(archive_place) as archive, archive.server() as server:
        server.ask(result(1, 1))
        with browsing(archive_place) as limits_browser:
            for number in range(2, 30):
                server.ask(result(number, number))
                assert limits_browser.post(f"/remark/{number}", data={"text": f"the {number}th"}).status_code == 303
    assert [row["ResultId"] for row in rows_at(archive_place, select(t.REMARK))] == list(range(2, 30))
    assert len(rows_at(archive_place, select(t.RESULT.c.ResultId))) == 29
