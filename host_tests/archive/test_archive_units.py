"""What is made of several results is made of each unit apart: per cent and a press's force are no newton metres."""

import csv
import io
import re
from datetime import date

import pytest
from sqlalchemy import update

from toolcart.archive.database import database
from toolcart.archive.database import tables as t
from toolcart.archive.reports import report
from toolcart.archive.statistics import limits
from host_tests.support.archive import browsing, place_in, reading
from host_tests.support.archive import filled as filled_with
from lab.harness.archive_rows import sum_all

TREND = "/trend/1?program=1&from=2026-11-05T00:00&to=2026-11-21T00:00"
OTHERS = {"%": (600, 800), "kN, mm": (800, 900)}  # numbers of the results in these, of 2,000 at two stations
UNITS = {"Nm": ("Nm", "deg"), "%": ("%", "deg"), "kN, mm": ("kN", "mm")}
OF_STATION = {"%": 80, "kN, mm": 40, "Nm": 680}  # of station 1, program 1: four of five, at every other station


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A station whose program was in Nm, for some hours in per cent of another range, then of a press."""
    place = filled_with(place_in(tmp_path_factory.mktemp("units")), stations=2, cars=200, every_s=600, curves=2000)
    with database.writing(place) as engine, engine.begin() as connection:
        r = t.RESULT.c
        for name, (first, end) in OTHERS.items():
            torque, angle = UNITS[name]
            values = {"TorqueUnit": torque, "AngleUnit": angle, "Torque": r.Torque - 100}
            connection.execute(update(t.RESULT).where(r.ResultId > first, r.ResultId <= end).values(**values))
        sum_all(connection)
    return place


@pytest.fixture
def browser(filled):
    with browsing(filled) as client:
        yield client


def trend(browser, more=""):
    return browser.get(f"{TREND}{more}&json").json()["trend"]


def torque_of(found):
    return next(one for one in found["quantities"] if one["name"] == "Torque")


def test_a_trend_is_of_one_unit_and_counts_the_others(browser):
    found = trend(browser)
    assert {one["unit"]: one["count"] for one in found["units"]} == OF_STATION
    assert found["unit"] == "Nm" and found["count"] == OF_STATION["Nm"]
    for unit, count in OF_STATION.items():
        found = trend(browser, f"&unit={unit.replace('%', '%25')}")
        assert found["count"] == count == sum(one["count"] for one in torque_of(found)["all"])
        shown = [value for name in ("mean", "own", "other") for value in torque_of(found)["points"].get(name, ())]
        assert all((value > 60) == (unit == "Nm") for value in shown if value is not None)
        assert torque_of(found)["histogram"]["count"] == count
        assert sum(torque_of(found)["charts"]["means"]["count"]) == count - found["nok"]
        assert sum(one["count"] for one in found["causes"]) == found["nok"]
        assert [one["unit"] for one in found["quantities"]] == {"kN, mm": ["kN", "mm"]}.get(unit, [unit, "°"])


def test_the_page_of_a_trend_says_which_unit_it_shows(browser):
    page = browser.get(TREND).text
    assert "the results in Nm alone" in page and "80 others are in %" in page and "40 others are in kN, mm" in page
    page = browser.get(TREND + "&unit=%25").text
    assert "the results in % alone" in page and "Torque, %" in page and "Torque, Nm" not in page
    assert "Mean, %" in page
    page = browser.get(TREND + "&unit=Ncm").text
    assert (
        "the results in Ncm alone" in page and "680 others are in Nm" in page and "No results of this program" in page
    )
    assert "These are the results" not in browser.get("/trend/1?program=1&from=2026-11-20T08:00").text


def test_a_trends_file_has_what_its_page_shows(browser):
    for unit, count in OF_STATION.items():
        answer = browser.get(f"{TREND}&unit={unit.replace('%', '%25')}&as=csv&wait")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(rows) == count and {(one["TorqueUnit"], one["AngleUnit"]) for one in rows} == {UNITS[unit]}


def test_a_day_has_figures_of_each_unit(browser):
    day = "/station/1?day=2026-11-19"
    programs = [one for one in browser.get(day + "&json").json()["programs"] if one["program"] == 1]
    units = {(one["torque"]["unit"], one["angle"]["unit"]): one for one in programs}
    assert set(units) == {("Nm", "°"), ("%", "°"), ("kN", "mm")}
    assert units["%", "°"]["torque"]["most"] < 60 < units["Nm", "°"]["torque"]["least"]
    page = browser.get(day).text
    assert "Torque, %" in page and "Torque, kN" in page and "Angle, mm" in page


def test_control_limits_are_of_a_unit_and_measure_what_is_in_it(filled, tmp_path):
    place = filled_with(place_in(tmp_path), stations=1, cars=100, every_s=60)
    with database.writing(place) as engine, engine.begin() as connection:
        r = t.RESULT.c
        early = r.ResultId <= 250
        connection.execute(update(t.RESULT).where(early).values(TorqueUnit="%", Torque=r.Torque - 100))
        sum_all(connection)
        wanted = limits.ResultFilter((3, 1, 1), 1, 1, "20261120", "20261120a")
        levels = limits.put(connection, wanted, "20261120", "", "")
        assert sorted((name, level.mean > 60) for name, level in levels if name == "Torque") == [
            ("Torque", False),
            ("Torque", True),
        ]
        for unit, is_high in (("Nm", True), ("%", False)):
            [phase] = limits.phases(connection, wanted, (unit, "deg"))["Torque"]
            assert (phase.level.mean > 60) == is_high
            assert len(limits.phases(connection, wanted, (unit, "deg"))["Angle"]) == 1
        assert limits.phases(connection, wanted, ("kN", "mm")) == {"Torque": [], "Angle": []}
    with browsing(place) as browser:
        assert "Torque, %" in browser.get("/limits/1?program=1&spindle=1").text
        for unit in ("Nm", "%25"):
            charts = torque_of(trend(browser, f"&unit={unit}"))["charts"]
            assert charts["stretches"][-1]["is_set"] and charts["stretches"][-1]["between"] < 5
            assert charts["means"]["low"][-1] < charts["means"]["points"][-1] < charts["means"]["high"][-1]


def test_a_report_has_a_line_for_each_unit(filled):
    with reading(filled) as connection:
        content = report.report(connection, report.span_of("month", date(2026, 11, 20)), (1,))
    programs = [one for one in content["programs"] if (one["station"], one["program"]) == ("3/1/1", 1)]
    assert {one["unit"]: one["of"] for one in programs} == OF_STATION
    rows = [one for one in report.rows(content) if one["quantity"] == "Torque" and one["program"] == 1]
    assert {one["unit"] for one in rows} == {"Nm", "%", "kN"}
    assert all((one["mean"] > 60) == (one["unit"] == "Nm") for one in rows)
    assert ", in kN, mm</small></td>" in report.page(content)


def test_views_say_units(filled):
    with reading(filled) as connection:
        query = "SELECT torque_unit, angle_unit, count(*), max(torque) FROM results WHERE torque < 300 GROUP BY 1, 2"
        found = {tuple(row[:2]): row[2:] for row in connection.exec_driver_sql(query)}
        assert set(found) == set(UNITS.values()) and found["Nm", "deg"][0] == 1700
        assert max(found["%", "deg"][1], found["kN", "mm"][1]) < 60
        query = "SELECT DISTINCT torque_unit, quantity, unit FROM curves LEFT JOIN results USING (result_id)"
        curves = {tuple(row) for row in connection.exec_driver_sql(query)}
    assert ("%", "torque", "") in curves and ("%", "angle", "deg") in curves and ("Nm", "torque", "Nm") in curves
    assert ("kN", "torque", "") in curves and ("kN", "angle", "") in curves


def test_a_curve_whose_unit_is_unknown_has_no_limits_of_its_results_unit(browser):
    for number, units, torque in ((100, ("Nm", "°"), [112.0, 128.0]), (702, ("", "°"), [None, None])):
        values = browser.get(f"/result/{number}?json").json()["curves"]
        assert (values["torque"]["unit"], values["angle"]["unit"]) == units
        assert values["limits"] == {"torque": torque, "angle": [40.0, 85.0]}
    assert browser.get("/result/850?json").json()["curves"]["limits"] == {"torque": [None] * 2, "angle": [None] * 2}


def test_curves_over_one_another_are_of_one_unit(browser):
    page = browser.get("/curves/805?count=30&json").json()
    numbers = [one["ResultId"] for one in page["lines"]]
    assert numbers and min(numbers) > 800 and page["limits"]["torque"] == [None, None]
    page = browser.get("/curves/907?count=30&json").json()
    numbers = [one["ResultId"] for one in page["lines"]]
    assert 0 < len([one for one in numbers if one < 600]) and not [one for one in numbers if 600 < one <= 900]
    assert re.search(r'"limits": \{"angle"', browser.get("/curves/907?count=30").text)
