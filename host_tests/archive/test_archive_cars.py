"""A car's screws, VINs that are no car's, and why a result was not OK whose statuses do not say it."""

import pytest
from sqlalchemy import update

from toolcart.archive.database import bulk_insert, database, vehicle_numbers
from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.serve_commands import listening
from toolcart.archive.statistics import placeholders, rates
from toolcart.archive.web import page_queries
from host_tests.support.archive import browsing, filled, place_in, reading, reported, result, run
from lab.harness.archive_rows import sum_all, vin

NO_CODE, ODD = "No BCode", "STATION7"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A plant's results; each seventh and eleventh car has no car's number, and one screw came three times."""
    archive = filled(place_in(tmp_path_factory.mktemp("cars")), stations=3, cars=2000, every_s=60)
    with database.writing(archive) as engine, engine.begin() as connection:
        r = t.RESULT.c
        connection.execute(update(t.RESULT).where(r.ResultId / 15 % 7 == 0).values(VIN=ODD))
        connection.execute(update(t.RESULT).where(r.ResultId / 15 % 11 == 0).values(VIN=NO_CODE))
        vehicle_numbers.add(connection, {ODD, NO_CODE})
        again = connection.execute(t.RESULT.select().where(r.VIN == vin(3))).mappings().all()
        row = dict(next(one for one in again if one["Station"] == 1 and one["Program"] == 2))
        for attempt, is_bad in enumerate((1, 0), 1):
            time = row["Time"][:12] + f"{50 + attempt}"
            number = 10**6 + attempt
            more = {**row, "ResultId": number, "Sequence": number, "Time": time, "Overall": is_bad}
            bulk_insert.insert(connection, t.RESULT, [tuple(more[name] for name in bulk_insert.columns(t.RESULT))])
        connection.execute(update(t.RESULT).where(r.VIN == vin(3)).values(Overall=0))
        connection.execute(update(t.RESULT).where(r.ResultId.in_((row["ResultId"], 10**6 + 1))).values(Overall=1))
        sum_all(connection)
    return archive


@pytest.fixture(scope="module")
def browser(place):
    with browsing(place) as client:
        yield client


def as_json(browser, address):
    return browser.get(address + ("&" if "?" in address else "?") + "json").json()


def test_a_car_has_screws_and_tightenings(browser):
    page = as_json(browser, f"/car?vin={vin(3)}")
    assert (page["count"], page["nok"]) == (17, 2)
    screws = page["screws"]
    assert (screws["screws"], screws["at_once"], screws["again"], screws["never"]) == (15, 14, 1, 0)
    text = browser.get(f"/car?vin={vin(3)}").text
    assert "<b>15</b> screws" in text and "1 after others" in text and "17 tightenings, 2 not OK" in text


def test_a_screw_that_nothing_follows_was_never_ok():
    screws = rates.screws_of([("a", 1), ("b", 0), ("a", 0), ("a", 0), ("b", 1), ("c", 1), ("c", 1)])
    assert (screws.at_once, screws.again, screws.never) == (2, 1, 2)


def test_more_results_of_a_car_than_a_page_has_are_on_pages(browser, monkeypatch):
    monkeypatch.setattr(page_queries, "CAR_ROWS", 7)
    seen, behind = [], ""
    while behind is not None:
        page = as_json(browser, f"/car?vin={vin(3)}" + (f"&behind={behind}" if behind else ""))
        assert page["count"] == 17
        seen += [(row["Time"], row["ResultId"]) for row in page["results"]]
        behind = page["behind"]
    assert len(seen) == 17 and seen == sorted(set(seen))
    text = browser.get(f"/car?vin={vin(3)}").text
    assert "7 of 17 tightenings" in text and "Later ones" in text


def test_what_is_on_many_results_and_usual_words_are_no_cars(place, browser):
    with reading(place) as connection:
        found = placeholders.of(connection, None)
    assert found.is_guess and set(found.shares) == {NO_CODE, ODD}
    assert found.shares[ODD] == pytest.approx(1 / 7, abs=0.05)
    assert "0" in found and "   " in found and "0" * 17 in found and vin(3) not in found
    assert [one["vin"] for one in as_json(browser, "/pareto")["no_car"]["vins"]]
    text = browser.get("/pareto").text
    assert "by a guess" in text and NO_CODE in text and ODD in text


def test_a_car_with_many_screws_in_a_small_archive_is_a_car(tmp_path):
    with reading(filled(place_in(tmp_path), stations=1, cars=5)) as connection:
        found = placeholders.of(connection, None)
    assert vin(3) not in found and found.shares == {}


def test_what_the_plant_names_takes_the_place_of_the_guess(place):
    where = listening("127.0.0.1:0", {"placeholder_vins": f"{NO_CODE}, X"})
    assert where.placeholders == (NO_CODE, "X") and "--placeholder-vins" in where.words
    with reading(place) as connection:
        found = placeholders.of(connection, where.placeholders)
    assert NO_CODE in found and "" in found and ODD not in found and not found.is_guess


@pytest.mark.parametrize("typed", [NO_CODE, ODD])
def test_a_search_does_not_take_it_for_a_car(browser, typed):
    answer = browser.get("/search", params={"q": typed})
    assert answer.status_code == 200 and "is no car&#39;s number" in answer.text.replace("'", "&#39;")
    assert ODD not in [car["VIN"] for car in as_json(browser, "/search?q=STAT")["cars"]]
    page = as_json(browser, f"/car?vin={typed}")
    assert page["screws"] is None and page["count"] > 2000 and page["no_car"]["is_guess"]
    assert page["behind"] is not None and "no car" in browser.get(f"/car?vin={typed}").text


def test_first_attempts_and_repairs_are_without_them(place):
    wanted = ResultFilter(from_time="2026", to_time="2027")
    with reading(place) as connection:
        counts = rates.totals(connection, wanted)
        found = placeholders.of(connection, None)
        without, with_them = (
            rates.together(list(rates.attempts(connection, wanted, counts, one).values()))
            for one in (found, placeholders.Placeholders())
        )
        statement = t.RESULT.select().where(t.RESULT.c.VIN.in_((NO_CODE, ODD)))
        nok, ok = (len(connection.execute(statement.where(t.RESULT.c.Overall == bad)).all()) for bad in (1, 0))
    assert (without.ok_without_car, without.nok_without_car) == (ok, nok) and ok > 100 and nok > 0
    assert (with_them.ok_without_car, with_them.nok_without_car) == (0, 0)
    assert without.screws <= sum(map(sum, counts.values())) - ok - nok
    assert 1 <= without.again < with_them.again


def test_a_nok_of_another_cause_shows_its_reason(tmp_path):
    with browsing(reported(place_in(tmp_path), result(1, 1))) as browser:
        [row] = as_json(browser, "/results?verdict=all")["results"]
        number, place = row["ResultId"], tmp_path
    with database.writing(str(place_in(place))) as engine, engine.begin() as connection:
        connection.execute(update(t.RESULT).values(Overall=1, TorqueStatus=0, AngleStatus=0, TimeStatus=0))
        more = {"ResultId": number, "Number": 90, "Spindle": 0, "Program": 12, "Type": 2, "Unit": "", "Step": 0}
        for at, (ident, name, value) in enumerate(
            [(60017, "Errors", "TR MN"), (60019, "Customer error code", "0000"), (60006, "Odd fields", "no angle")]
        ):
            its = {**more, "Number": 90 + at, "ParameterId": ident, "Name": name, "Value": value}
            connection.execute(t.RESULT_PARAMETER.insert(), its)
        sum_all(connection)
    with browsing(str(place_in(place))) as browser:
        [row] = as_json(browser, "/results")["results"]
        assert row["Reason"] == "Errors TR MN"
        for address in ("/results", f"/result/{number}", "/pareto", "/live", f"/car?vin={row['VIN']}"):
            assert "Errors TR MN" in browser.get(address).text, address
        trend = as_json(browser, f"/trend/{row['SystemType']}/{row['System']}/{row['Station']}")["trend"]
        assert [one["points"]["why"] for one in trend["quantities"]] == 2 * [["Errors TR MN"]]
        [bar] = as_json(browser, "/pareto")["bars"]
        assert bar["what"] == "other" and bar["reasons"] == [{"what": "Errors TR MN", "count": 1}]
        assert bar["reasons_of"] is None and "of the newest" not in browser.get("/pareto").text


@pytest.mark.usefixtures("in_this_process")
def test_reasons_of_the_newest_results_alone_are_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr(rates, "REASONS_OF", 3)
    place = reported(place_in(tmp_path), *[result(at, at, time=f"2026112010000{at}") for at in range(1, 6)])
    with database.writing(place) as engine, engine.begin() as connection:
        connection.execute(update(t.RESULT).values(Overall=1, TorqueStatus=0, AngleStatus=0, TimeStatus=0))
        error = {"Number": 90, "Spindle": 0, "Program": 12, "ParameterId": 60014, "Name": "Error", "Type": 2}
        rows = [error | {"ResultId": at, "Value": f"E{at % 2}", "Unit": "", "Step": 0} for at in range(1, 6)]
        connection.execute(t.RESULT_PARAMETER.insert(), rows)
        sum_all(connection)
    with browsing(place) as browser:
        [bar] = as_json(browser, "/pareto")["bars"]
        assert (bar["count"], bar["reasons_of"]) == (5, 3) and sum(one["count"] for one in bar["reasons"]) == 3
        assert "Error E1 (2), Error E0 (1) of the newest 3" in browser.get("/pareto").text
        assert "Error E1 (2), Error E0 (1) of the newest 3" in browser.get("/pareto?wait&as=csv").text
    run("report", "--database", place, "--of", "2026-11-20", "--into", tmp_path)
    assert "of the newest 3" in (tmp_path / "report-2026-W47.html").read_text()
