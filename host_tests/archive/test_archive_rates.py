"""NOK rates with their interval, over time, and first attempts: against plain counting of the same rows."""

import re
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from toolcart.archive.database import bulk_insert, database
from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.statistics import periods, rates
from toolcart.archive.web import statistics_pages
from toolcart.archive.web.reading import QueryTimeout
from host_tests.support.archive import browsing, filled, place_in, reading, reported, result, run
from host_tests.support.combinations import each_choice
from lab.harness.archive_rows import sum_all

SHIFTS = periods.shifts_of("early=06:00,late=14:00,night=22:00")
SPANS = ["?from=2026-11-18&to=2026-11-20", "?from=2026-11-18T06:07&to=2026-11-20T11:52"]
NARROW = ["", "&station=3/1/2", "&station=3/1/1&program=1", "&program=2"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Four days, in which NOK screws of every second car were repeated until they were OK; the last came first."""
    archive = filled(place_in(tmp_path_factory.mktemp("rates")), stations=2, cars=600, every_s=600, seed=3)
    with database.writing(archive) as engine, engine.begin() as connection:
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
        ok = connection.execute(select(t.RESULT).where(t.RESULT.c.Overall == 0)).mappings().all()[::9]
        more += [
            {**row, "ResultId": row["ResultId"] + 3 * 10**6, "Sequence": 8000 + at, "VIN": ""}
            for at, row in enumerate(ok)
        ]
        bulk_insert.insert(connection, t.RESULT, [tuple(row.values()) for row in more])
        sum_all(connection)
    return archive


@pytest.fixture(scope="module")
def browser(place):
    with browsing(place, None, True, SHIFTS) as client:
        yield client


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
    [(by, SPANS[1], "") for by in (*statistics_pages.BY, *statistics_pages.OVER)]
    + [(by, SPANS[at % 2], narrow) for by in ("program", "shift") for at, narrow in enumerate(NARROW)],
)
def test_rates_are_those_of_the_rows(browser, place, span, narrow, by):
    page = browser.get(f"/pareto{span}{narrow}&by={by}&json").json()
    rows = rows_of(place, span + narrow)
    bad = sum(row["Overall"] for row in rows)
    assert (page["nok"], page["all"]["of"]) == (bad, len(rows))
    assert page["all"]["rate"] == pytest.approx(bad / len(rows))
    assert sum(bar["count"] for bar in page["bars"]) == bad and page["more"] == 0
    assert by in statistics_pages.OVER or page["bars"][-1]["up_to"] == pytest.approx(1.0)
    for bar in page["bars"]:
        assert bar["rate"] == pytest.approx(bar["count"] / bar["of"]) and bar["low"] <= bar["rate"] <= bar["high"]
    if by != "cause":
        whole = sum(bar["of"] for bar in page["bars"])
        assert whole == len(rows) or (by in ("station", "program", "tool") and whole <= len(rows))
    if by == "day":
        days = Counter(row["Time"][:8] for row in rows)
        assert {bar["what"].replace("-", ""): bar["of"] for bar in page["bars"]} == days


@pytest.mark.parametrize(("span", "narrow"), each_choice(list(SPANS), list(NARROW)))
def test_first_attempts_are_those_of_each_cars_screws(browser, place, span, narrow):
    screws = defaultdict(list)
    counts = Counter()
    for row in rows_of(place, span + narrow):
        if row["VIN"]:
            screws[row["VIN"], row["Station"], row["Program"], row["Spindle"]].append(row["Overall"])
        else:
            counts["nok_without_car" if row["Overall"] else "ok_without_car"] += 1
    for verdicts in screws.values():
        tries = 0
        for bad in verdicts:
            tries += 1
            if not bad:
                counts["at_once" if tries == 1 else "again"] += 1
                tries = 0
        counts["never"] += tries > 0
    page = browser.get(f"/pareto{span}{narrow}&json").json()["screws"]
    for name in ("at_once", "again", "never", "ok_without_car", "nok_without_car"):
        assert page[name] == counts[name], name
    assert counts["again"] and page["rate"] == pytest.approx(counts["at_once"] / page["screws"])


def test_first_attempts_of_many_are_counted_only_if_that_is_asked_for(browser, monkeypatch):
    whole = browser.get("/pareto?by=station&json").json()
    monkeypatch.setattr(statistics_pages, "ATTEMPTS_MOST", whole["nok"])
    assert browser.get("/pareto?json").json()["screws"] == whole["screws"]
    monkeypatch.setattr(statistics_pages, "ATTEMPTS_MOST", whole["nok"] - 1)
    page = browser.get("/pareto?by=station").text
    assert "First time OK" not in page and "it would take too long" not in page
    [link] = re.findall(r'<a href="([^"]*)">count them</a>', page)
    asked = browser.get(link.replace("&amp;", "&") + "&json").json()
    assert asked["screws"] == whole["screws"] and asked["bars"] == whole["bars"]


def test_rates_are_shown_if_first_attempts_take_too_long(browser, monkeypatch):
    def endless(*_):
        raise QueryTimeout

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
def test_days_without_any_nok_are_shown_and_reported(tmp_path):
    times = ("20261120100000", "20261121100000")
    archive = reported(place_in(tmp_path), *[result(at, at, time=time) for at, time in enumerate(times, 1)])
    with browsing(archive) as client:
        page = client.get("/pareto?by=day&from=2026-11-19&to=2026-11-22")
        assert page.status_code == 200 and page.text.count("0.00 %") >= 2
    run("report", "--database", archive, "--of", "2026-11-20", "--into", tmp_path)
    assert "2026-11-21" in (tmp_path / "report-2026-W47.html").read_text()


def test_first_attempts_of_all_results_are_those_of_a_span_that_has_all(place):
    with reading(place) as connection:
        every, span = (
            rates.together(list(rates.attempts(connection, one, rates.totals(connection, one)).values()))
            for one in (ResultFilter(), ResultFilter(from_time="2000", to_time="2999"))
        )
    assert every == span and every.again


@pytest.mark.usefixtures("in_this_process")
def test_pareto_is_a_file_too(browser):
    text = browser.get("/pareto?by=day&wait&as=csv").text
    assert text.splitlines()[0] == "what,count,of,rate,low,high" and len(text.splitlines()) > 3
