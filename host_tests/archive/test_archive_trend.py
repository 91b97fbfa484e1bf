"""The trend of a program and what is not OK by how often: figures, periods, filters, and that they read an index."""

import re
import statistics
import subprocess
from collections import Counter

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from starlette.testclient import TestClient

from toolcart.archive import database, periods, queries, rates
from toolcart.archive.statistics import Trended, causes, parts, values
from toolcart.archive.web import asked, serving, trends
from toolcart.archive.web.app import make
from toolcart.archive.web.reading import Reading
from toolcart.tools.cli.main import main
from host_tests.support.archive import Served, place_in, result
from lab.harness.archive_rows import Plant, fill, vin

SHIFTS = periods.shifts_of("early=06:00, late=14:00,night=22:00")
NARROWED = Trended((3, 1, 1), 1, 1, "2020", "2027", vin_from=vin(50), vin_to=vin(60))
SPAN = Trended((3, 1, 1), 1, 1, "202611190610", "202611201435a")
LISTED = queries.Wanted(station=(3, 1, 1), program=1, from_time="20261119", to_time="20261121")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = str(place_in(tmp_path_factory.mktemp("trend")))
    with database.writing(made) as engine:
        fill(engine, Plant(stations=2, cars=200, every_s=600))  # 33 hours up to 2026-11-20 14:30
    return made


@pytest.fixture(scope="module")
def browser(place):
    with TestClient(make(Reading(place), None, True, SHIFTS), base_url="http://127.0.0.1:8080") as made:
        yield made


def told(browser, path, **query):
    answer = browser.get(path, params={**query, "json": ""})
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows_of(place, where):
    """Torque and verdict of some results, in the order they were made."""
    engine = database.connect(place, writes=False)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            f'SELECT Torque, Overall, "Time" FROM Result WHERE {where} ORDER BY ResultId'
        )
        rows = [tuple(row) for row in found]
    engine.dispose()
    return rows


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
    assert periods.shifts_of(periods.written(SHIFTS)) == SHIFTS
    assert shift_of("20261120052900", periods.shifts_of("all=05:30")) == "2026-11-19 all"


@pytest.mark.parametrize(
    "text", ["", "early", "early=25:00", "early=06:60", "a=06:00,a=14:00", "a=06:00,b=06:00", "=06:00", "a=06:10"]
)
def test_what_are_no_shifts_is_told(text):
    with pytest.raises(ValueError, match="a name and a begin"):
        periods.shifts_of(text)
    if text:
        said = CliRunner().invoke(main, ["archive", "serve", "--web", "127.0.0.1:0", "--shifts", text])
        assert said.exit_code == 2 and "a name and a begin" in said.stderr


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
    page = told(browser, "/trend/3/1/1")
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
    page = told(browser, "/trend/3/1/1", program=1, by=by)
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
    found = told(browser, "/trend/3/1/1", **query)["trend"]
    wanted = rows_of(place, f"Station = 1 AND {where} AND Program = {query['program']}")
    assert (found["count"] if found else 0) == len(wanted)


@pytest.mark.parametrize(
    "query", [{"from": "2026-02-30"}, {"to": "tomorrow"}, {"program": "x"}, {"by": "year"}, {"only": "nok"}], ids=str
)
def test_what_cannot_be_read_is_told(browser, query):
    assert browser.get("/trend/1", params=query).status_code == 400


@pytest.mark.parametrize("path", ["/trend/1", "/pareto", "/results"])
@pytest.mark.parametrize(
    ("since", "until"), [("0001", "9999"), ("9999", "0001"), ("", "0001-01-01"), ("9999-12-31", "")]
)
def test_the_ends_of_time_are_times(browser, path, since, until):
    assert browser.get(path, params={"from": since, "to": until}).status_code == 200


def test_a_shift_that_is_no_setting_is_not_offered(place):
    with TestClient(make(Reading(place)), base_url="http://127.0.0.1:8080") as browser:
        assert browser.get("/trend/1?by=shift").status_code == 400
        assert "shift" not in browser.get("/trend/1").text


def test_what_is_not_there_is_told(browser):
    assert browser.get("/trend/77").status_code == 404
    assert "There is no result of this station or program." in browser.get("/trend/1?program=77").text


def test_more_periods_than_lines_are_on_pages_newest_first(place, monkeypatch):
    monkeypatch.setattr(trends, "LINES", 2)
    with TestClient(make(Reading(place), None, True, SHIFTS), base_url="http://127.0.0.1:8080") as browser:
        names = [
            one["period"] for one in told(browser, "/trend/3/1/1", by="shift")["trend"]["quantities"][0]["periods"]
        ]
        pages = [browser.get(f"/trend/3/1/1?by=shift&behind={behind or ''}").text for behind in (0, 2, 4, 6)]
    assert "Lines 3 to 4 of 7." in pages[1] and "Lines 7 to 7 of 7." in pages[3]
    assert ["Older ones" in page for page in pages] == [True, True, True, False]
    shown = [re.findall(r'class="time">(2026-11-\d\d [a-z]+|all)', page) for page in pages]
    assert [one for page in shown for one in page[: len(page) // 2]] == ["all", *names[::-1]]


def test_a_study_is_shown_with_cm_and_cmk(browser):
    page = browser.get("/trend/3/1/1?program=1&by=study").text
    assert "Cmk" in page and "Ppk" not in page and "C3412001, from 2026-11-" in page
    assert "A study needs 50 results" in browser.get("/trend/3/1/1?program=1&by=study&from=2026-11-20T14:00").text


@given(st.tuples(*[st.none() | st.integers(0, 9)] * 3))
def test_a_cause_names_its_statuses(statuses):
    assert rates.statuses(rates.cause(*statuses)) == tuple(status or 0 for status in statuses)


@pytest.mark.parametrize("text", ["torque", "torque fine", "volume low", "torque low angle low", "torque 12", ", "])
def test_what_is_no_cause_is_told(browser, text):
    assert browser.get("/results", params={"cause": text}).status_code == (200 if not text.strip() else 400)


@pytest.mark.parametrize("by", trends.BY)
def test_what_was_not_ok_is_counted_once_whatever_it_is_counted_by(browser, place, by):
    page = told(browser, "/pareto", by=by)
    rows = rows_of(place, "Overall = 1")
    assert page["nok"] == len(rows) == sum(bar["count"] for bar in page["bars"]) and page["more"] == 0
    assert page["bars"][-1]["up_to"] == pytest.approx(1.0)
    one = told(browser, "/pareto", by=by, station="3/1/2", program=1, to="2026-11-19")
    where = "Overall = 1 AND Station = 2 AND Program = 1 AND Time < '20261120'"
    assert one["nok"] == len(rows_of(place, where)) > 0


@pytest.mark.parametrize("by", trends.BY)
def test_a_bar_leads_to_its_results(browser, by):
    page = told(browser, "/pareto", by=by)
    for bar in page["bars"]:
        listed = browser.get(bar["address"] + "&json").json()["results"]
        assert len(listed) == bar["count"]


@pytest.mark.parametrize(
    ("question", "values", "index"),
    [
        (values, (SPAN, "Torque"), "sqlite_autoindex_Result_1"),
        (values, (NARROWED, "Torque"), "ResultByVIN"),
        (parts, (SPAN, 8), "PRIMARY KEY"),
        (parts, (SPAN, 8), "sqlite_autoindex_Result_1"),  # at its ends
        (parts, (NARROWED, 8), "ResultByVIN"),
        (causes, (SPAN,), "ResultNOKOf"),
        (asked.nok_counts, (None, None, "20261119", "20261121"), "ResultNOK"),
        (asked.nok_counts, ((3, 1, 1), None, "20261119", "20261121"), "ResultNOKOf"),
        (asked.newest_time, (), "ResultByMoment"),
        (asked.newest, ((3, 1, 1), 1, None), "sqlite_autoindex_Result_1"),
        (asked.results, (LISTED,), "sqlite_autoindex_Result_1"),
    ],
)
def test_every_question_has_its_index(place, question, values, index):
    engine = database.connect(place, writes=False)
    said = []
    event.listen(engine, "before_cursor_execute", lambda *about: said.append(about[2:4]))
    with engine.connect() as connection:
        question(connection, *values)
        asked_for = list(said)
        plan = []
        for sql, bound in asked_for:
            plan += [row[3] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql, bound)]
    engine.dispose()
    assert any(index in line for line in plan) and not any(
        line.startswith("SCAN ") and not re.search(r"anon|SUBQUERY|CONSTANT", line) for line in plan
    )


def test_a_station_that_is_new_has_a_trend(tmp_path):
    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        for number in range(1, 4):
            server.ask(result(number, number, time=f"2024031409265{number}"))
    with TestClient(make(Reading(str(place_in(tmp_path)))), base_url="http://127.0.0.1:8080") as browser:
        page = told(browser, "/trend/10", program=12)
        assert page["trend"]["count"] == 3
        assert "Charts of subgroups need 25 values," in browser.get("/trend/10").text


def test_shifts_go_to_the_pages_own_process(monkeypatch):
    start, started = subprocess.Popen, []
    monkeypatch.setattr(
        serving.subprocess, "Popen", lambda command, **more: started.append(command) or start(["true"], **more)
    )
    serving.Child("here", serving.Listening(shifts=SHIFTS)).close()
    assert started[0][started[0].index("--shifts") + 1] == "early=06:00,late=14:00,night=22:00"


def test_a_clock_that_was_far_ahead_is_not_the_latest_for_ever(tmp_path):
    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        for number, time in enumerate(("20240314092653", "20240315092653", "99991231235959"), 1):
            server.ask(result(number, number, time=time))
    with TestClient(make(Reading(str(place_in(tmp_path)))), base_url="http://127.0.0.1:8080") as browser:
        days = told(browser, "/station/10")["days"]
        assert (days["Day"], days["Earlier"], days["Later"]) == ("20240315", "20240314", "99991231")
        assert told(browser, "/trend/10")["form"]["to"] == "2024-03-15T09:26"
        assert told(browser, "/pareto")["form"]["to"] == "2024-03-15T09:26"
        assert told(browser, "/station/10", day="99991231")["count"] == 1
