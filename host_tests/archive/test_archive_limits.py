"""Control limits from a reference period, their phases, and remarks: the numbers, who may set them, what is kept."""

import shutil

import numpy
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from toolcart.archive import changes, database, limits, spc
from toolcart.archive import tables as t
from toolcart.archive.limits import Phase, segments
from toolcart.archive.spc import Level
from toolcart.archive.statistics import Trended
from toolcart.archive.web import users
from toolcart.archive.web.app import make
from toolcart.archive.web.reading import Reading
from toolcart.archive.web.users import ROLES, UsersFile, put
from host_tests.support.archive import Served, place_in, reading, result
from lab.harness.archive_rows import Plant, fill

PROGRAM = Trended((3, 1, 1), 1, 1, "", "")
TREND = "/trend/1?program=1&from=2026-11-05T00:00&to=2026-11-21T00:00"
REFERENCE = {"from": "2026-11-18T06:10", "to": "2026-11-19T14:35", "begins": "2026-11-20T00:00", "note": "new sockets"}
LIMITS = "/limits/3/1/1?program=1&spindle=1"


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    made = place_in(tmp_path_factory.mktemp("limits"))
    with database.writing(str(made)) as engine:
        fill(engine, Plant(stations=2, cars=500, every_s=600))  # three days up to 2026-11-20 14:30
    return made


@pytest.fixture
def place(filled, tmp_path):
    return str(shutil.copy(filled, place_in(tmp_path)))


@pytest.fixture
def browser(place):
    with TestClient(make(Reading(place)), base_url="http://127.0.0.1:8080", follow_redirects=False) as made:
        yield made


def rows_of(place, asked):
    with reading(place) as connection:
        found = connection.execute(asked).mappings().all()
    return [dict(row) for row in found]


def charts(browser, name="Torque"):
    told = browser.get(TREND + "&json").json()["trend"]["quantities"]
    return next(one for one in told if one["name"] == name)["charts"]


@pytest.mark.parametrize("only", ["ok", "all"])
def test_limits_are_mean_and_deviation_within_quarters_of_the_reference(browser, place, only):
    assert browser.post(LIMITS, data={**REFERENCE, "only": only}).status_code == 303
    r = t.RESULT.c
    asked = select(r.Time, r.Torque, r.Angle, r.Overall).where(t.is_row(t.RESULT, t.RESULT_KEY, PROGRAM.station))
    asked = asked.where(r.Program == 1, r.Time >= "202611180610", r.Time < "202611191436")
    results = [row for row in rows_of(place, asked) if only == "all" or not row["Overall"]]
    found = {row["Quantity"]: row for row in rows_of(place, select(t.CONTROL_LIMITS))}
    for name in ("Torque", "Angle"):
        quarters = {}
        for row in results:
            slot = row["Time"][:10] + str(int(row["Time"][10:12]) // 15)
            quarters.setdefault(slot, []).append(row[name])
        squares = sum(numpy.var(one) * len(one) for one in quarters.values())
        within = numpy.sqrt(squares / (len(results) - len(quarters)))
        assert found[name]["Mean"] == pytest.approx(numpy.mean([row[name] for row in results]), rel=1e-12)
        assert found[name]["Within"] == pytest.approx(within, rel=1e-9)
        assert found[name]["Count"] == len(results)


def test_chart_has_the_limits_of_each_phase(browser, place):
    before = charts(browser)["means"]
    browser.post(LIMITS, data=REFERENCE)
    level = next(row for row in rows_of(place, select(t.CONTROL_LIMITS)) if row["Quantity"] == "Torque")
    after = charts(browser)["means"]
    for at, period in enumerate(after["time"]):
        if period.ljust(12, "0") >= "202611200000":
            assert after["centre"][at] == pytest.approx(level["Mean"], abs=1e-5)
            reach = 3 * level["Within"] / after["count"][at] ** 0.5
            assert after["high"][at] == pytest.approx(level["Mean"] + reach, abs=1e-4)
        else:
            assert after["centre"][at] == before["centre"][at]
    assert after["points"] == before["points"]


def test_without_set_limits_chart_is_measured_by_ok_results(browser, place):
    r = t.RESULT.c
    asked = select(r.Torque).where(t.is_row(t.RESULT, t.RESULT_KEY, PROGRAM.station), r.Program == 1, r.Overall == 0)
    good = [row["Torque"] for row in rows_of(place, asked)]
    assert charts(browser)["means"]["centre"][0] == pytest.approx(numpy.mean(good), abs=1e-5)


def test_signal_leads_to_results_of_its_subgroup(browser):
    browser.post(LIMITS, data=REFERENCE)
    trend = browser.get(TREND + "&json").json()["trend"]
    chart = trend["quantities"][0]["charts"]["deviations"]
    assert chart["signals"]
    for signal in chart["signals"]:
        listed = browser.get(f"{trend['results']}&from={signal['from']}&to={signal['to']}&json").json()["results"]
        assert len(listed) == signal["count"] and {row["Program"] for row in listed} == {1}


def test_withdrawn_limits_are_kept_and_not_used(browser, place):
    before = charts(browser)["means"]
    browser.post(LIMITS, data=REFERENCE)
    for row in rows_of(place, select(t.CONTROL_LIMITS)):
        assert browser.post(LIMITS, data={"withdraw": str(row["ControlLimitsId"])}).status_code == 303
        assert browser.post(LIMITS, data={"withdraw": str(row["ControlLimitsId"])}).status_code == 404
    assert charts(browser)["means"] == before
    kept = browser.get(LIMITS + "&json").json()["limits"]
    assert len(kept) == 2 and all(one["Withdrawn"] and one["Note"] == "new sockets" for one in kept)
    said = [row["What"] for row in rows_of(place, select(t.AUDIT))]
    assert sum("withdrawn" in one for one in said) == 2 and sum("new sockets" in one for one in said) == 2


def test_later_limits_with_the_same_begin_replace_earlier_ones(browser, place):
    browser.post(LIMITS, data=REFERENCE)
    browser.post(LIMITS, data={**REFERENCE, "only": "all"})
    with reading(place) as connection:
        found = limits.phases(connection, PROGRAM)["Torque"]
    assert [phase.number for phase in found] == [3]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"from": "2026-11-18T06:10", "to": "2026-11-18T06:11"}, "too few results"),
        ({"begins": "soon"}, "begins &#39;soon&#39;"),
        ({"from": "2026-13-40T00:00"}, "a time such as"),
    ],
)
def test_what_cannot_be_set_is_refused(browser, place, changed, told):
    answer = browser.post(LIMITS, data={**REFERENCE, **changed})
    assert answer.status_code == 400 and told in answer.text
    assert not rows_of(place, select(t.CONTROL_LIMITS))


def test_form_of_a_foreign_page_changes_nothing(browser, place):
    foreign = {"origin": "http://evil.example"}
    assert browser.post(LIMITS, data=REFERENCE, headers=foreign).status_code == 403
    assert browser.post("/remark/3", data={"text": "x"}, headers=foreign).status_code == 403
    assert browser.post("/trend/1", data={}).status_code == 405
    own = {"origin": "http://127.0.0.1:8080"}
    assert browser.post(LIMITS, data=REFERENCE, headers=own).status_code == 303
    assert len(rows_of(place, select(t.AUDIT))) == 2


@pytest.mark.parametrize("role", ROLES)
def test_changes_need_their_role_and_carry_the_name(place, tmp_path, role):
    put(str(tmp_path / "users"), role, role, f"{role} {role}")
    site = make(Reading(place), users.Door(None, UsersFile(str(tmp_path / "users"))), only_here=False)
    with TestClient(site, base_url="http://127.0.0.1", follow_redirects=False) as browser:
        assert browser.post("/remark/3", data={"text": "x"}).headers["location"].startswith("/login")
        browser.post("/login", data={"name": role, "password": f"{role} {role}"})
        assert browser.post(LIMITS, data=REFERENCE).status_code == (303 if role == "admin" else 403)
        assert browser.post("/remark/3", data={"text": "ok"}).status_code == (403 if role == "view" else 303)
    assert {row["Who"] for row in rows_of(place, select(t.AUDIT))} == (set() if role == "view" else {role})


def test_remark_is_shown_escaped_and_stays(browser, place):
    assert browser.post("/remark/7", data={"text": " <b>socket worn</b> "}).headers["location"] == "/result/7"
    assert "&lt;b&gt;socket worn&lt;/b&gt;" in browser.get("/result/7").text
    assert [row["text"] for row in rows_of(place, t.text("SELECT * FROM remarks"))] == ["<b>socket worn</b>"]
    for number, text, status in ((7, "", 400), (7, "x" * 1001, 400), (10**6, "x", 404), (7, "x" * 5000, 413)):
        assert browser.post(f"/remark/{number}", data={"text": text}).status_code == status
    assert len(rows_of(place, select(t.REMARK))) == 1


def test_remarks_and_limits_go_along_into_another_archive(tmp_path):
    place = str(place_in(tmp_path))
    with database.writing(place) as engine:
        fill(engine, Plant(stations=1, cars=20))
    reference = {"from": "2026-11-20T14:00", "to": "2026-11-20T14:30", "begins": "2026-11-20T14:00"}
    with TestClient(make(Reading(place)), base_url="http://127.0.0.1", follow_redirects=False) as browser:
        assert browser.post(LIMITS, data=reference).status_code == 303
        browser.post("/remark/7", data={"text": "socket worn"})
    other, old = str(tmp_path / "other.sqlite"), str(tmp_path / "old.sqlite")
    for _ in range(2):
        changes.take_from(other, place, lambda share: None)
    assert [row["Text"] for row in rows_of(other, select(t.REMARK))] == ["socket worn"]
    assert len(rows_of(other, select(t.CONTROL_LIMITS))) == 2
    changes.move_old(place, old, changes.Old("29990101000000"), lambda share: None)
    assert [row["Text"] for row in rows_of(old, select(t.REMARK))] == ["socket worn"]
    assert rows_of(place, select(t.REMARK)) == [] and len(rows_of(place, select(t.CONTROL_LIMITS))) == 2


def test_subgroup_in_which_a_phase_begins_is_measured_by_the_earlier_one():
    first, second = Phase(1, "202611191200", Level(0, 1)), Phase(2, "202611201200", Level(0, 1))
    periods = ["20261119", "20261120", "20261121", "20261122"]
    assert segments([first, second], periods) == [(0, 1, None), (1, 2, first), (2, 4, second)]
    assert segments([], periods) == [(0, 4, None)]
    assert segments([first], []) == []


def test_run_does_not_go_on_over_a_new_phase(browser):
    groups = [spc.sums_of([1.0, 1.2])] * 12
    level, other = Level(0.0, 1.0), Level(0.5, 1.0)
    whole = spc.chart_of_means(groups, level, (2,))["signals"]
    parts = [spc.chart_of_means(part, one, (2,))["signals"] for part, one in ((groups[:6], level), (groups[6:], other))]
    assert whole and not any(parts)


def test_remark_is_written_while_the_archive_takes_results(tmp_path):
    made = str(place_in(tmp_path))
    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        server.ask(result(1, 1))
        with TestClient(make(Reading(made)), base_url="http://127.0.0.1", follow_redirects=False) as browser:
            for number in range(2, 30):
                server.ask(result(number, number))
                assert browser.post(f"/remark/{number}", data={"text": f"the {number}th"}).status_code == 303
    assert [row["ResultId"] for row in rows_of(made, select(t.REMARK))] == list(range(2, 30))
    assert len(rows_of(made, select(t.RESULT.c.ResultId))) == 29
