"""The archive's pages without a browser: what they show, refuse and escape, and who may see them."""

import asyncio
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.request
from datetime import datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from toolcart.archive import serve_commands
from toolcart.archive.database import bulk_insert, database, queries, rollups
from toolcart.archive.database.tables import RESULT as RESULTS
from toolcart.archive.web import day_figures, page_queries, server, template_filters
from toolcart.archive.web import users as login
from toolcart.archive.web.app import LOGINS_AT_ONCE
from toolcart.archive.web.live import LiveFeed
from toolcart.archive.web.reading import QueryTimeout, Reading
from toolcart.archive.web.serving import CannotServe, WebSettings, address
from toolcart.archive.web.users import Proxy
from toolcart.base import niceness
from toolcart.base.sources import ROOT
from host_tests.support.archive import (
    DESCRIBED,
    EVENT,
    GRAPH,
    RESULT,
    Served,
    browsing,
    change,
    empty,
    get,
    place_in,
    reported,
    result,
    run,
    serving_in,
)
from lab.harness.archive_rows import sum_all, vin

HOSTILE = "<script>x</script>\"'&"
PAGES = ("/", "/live", "/search", "/search?q=W", "/results", "/results?verdict=all", "/pareto", "/events")
PAGES = (*PAGES, "/breaches", "/audit")


@pytest.fixture(scope="module")
def browser(plant):
    with browsing(plant) as client:
        yield client


def as_json(browser, path):
    return get(browser, path + ("&" if "?" in path else "?") + "json").json()


# -- what pages show -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [*PAGES, f"/car?vin={vin(39)}", "/result/600", "/station/3/1/2", "/station/2", "/trend/2"]
)
def test_every_page_is_there_takes_nothing_from_outside_and_is_json_too(browser, path):
    answer = get(browser, path)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.text.rstrip().endswith("</html>") and "{{" not in answer.text
    taken = re.findall(r'(?:src|href|action)="([^"]*)"', answer.text)
    assert taken and all((one.startswith("/") and not one.startswith("//")) or one == "#main" for one in taken)
    assert not re.search(r'\sstyle="|\son\w+="|<script>', answer.text)
    assert isinstance(as_json(browser, path), dict)


def test_every_file_that_pages_name_is_there(browser):
    text = "".join(get(browser, path).text for path in ("/", "/result/600", "/trend/1"))
    named = set(re.findall(r'"(/static/[^"]+)"', text))
    assert len(named) == 9
    for path in named:
        assert len(get(browser, path).content) > 100
    assert "Leon Sorokin" in get(browser, "/static/uplot-LICENSE.txt").text


def test_the_map_has_every_station_with_its_last_sign_of_life(browser):
    [system] = as_json(browser, "/")["systems"]
    assert system["Name"] == "Final line 4" and system["TypeName"] == "Open Protocol"
    assert [station["Name"] for station in system["Stations"]] == [
        "Wheel front left",
        "Wheel front right",
        "Seat driver",
    ]
    page = get(browser, "/").text
    assert 'data-heard="20261120143000"' in page and "Seat driver" in page


def test_the_map_counts_the_results_of_today(plant):
    reading = Reading(plant)
    [system] = reading.ask(page_queries.stations, "20261120142")
    rows = system["Stations"]
    assert [row["Today"] for row in rows] == [50, 50, 50]
    span = {"from_time": "20261120142", "to_time": "20261120142a"}
    bad = reading.ask(page_queries.results, queries.ResultFilter(nok=True, **span), None)
    assert sum(row["TodayNOK"] for row in rows) == len(bad)


def test_what_a_wrong_clock_dates_later_is_not_todays(tmp_path):
    days = ("20261130233000", "20261201003000", "20261201235959", "20261202003000", "20991231235959")
    place = reported(place_in(tmp_path), *[result(at, at, time=time) for at, time in enumerate(days, 1)])
    change(place, "UPDATE Result SET Overall = 1")
    [system] = Reading(place).ask(page_queries.stations, "20261201")
    assert [(row["Today"], row["TodayNOK"]) for row in system["Stations"]] == [(2, 2)]


def test_silence_is_described_in_words():
    now = datetime.fromisoformat("2026-11-21T12:00:00+00:00")
    for heard_at, words, state in (
        ("20261121115950", "10 s ago", "alive"),
        ("20261121115830", "90 s ago", "alive"),
        ("20261121115829", "91 s ago", "silent"),
        ("20261121110000", "60 min ago", "silent"),
        ("20261119000000", "2 d ago", "silent"),
        ("20261121120005", "5 s ago", "alive"),
        ("20261122120000", "24 h ago", "silent"),  # the clock was set back a day
        ("", "never", "never"),
    ):
        assert template_filters.silence(heard_at, now) == (words, state)


def test_the_search_goes_to_the_car_or_lists_what_begins_so(browser):
    for typed in (vin(7), vin(7).lower(), f" {vin(7)} "):
        answer = browser.get("/search", params={"q": typed})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/car?vin={vin(7)}")
    cars = as_json(browser, f"/search?q={vin(7)[:-1]}")["cars"]
    assert [car["VIN"] for car in cars] == [vin(n) for n in range(10)] and cars[7]["Results"] == 15
    assert browser.get(f"/search?q={vin(39)[2:-1]}").status_code == 200  # the middle is neither beginning nor end
    [result] = as_json(browser, "/search?q=1000033")["results"]
    assert result["ResultId"] == 33
    assert [row["Station"] for row in as_json(browser, "/search?q=seat")["stations"]] == [3]
    assert "Nothing has the VIN" in get(browser, "/search?q=nothing%25").text


def test_the_last_characters_of_a_vin_find_the_car(browser):
    for typed in (vin(7)[-6:], vin(7)[-7:], vin(7)[-7:].lower(), vin(7)[1:]):
        answer = browser.get("/search", params={"q": typed})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/car?vin={vin(7)}")
    cars = as_json(browser, f"/search?q={vin(7)[-1:]}")["cars"]
    assert len(cars) > 1 and all(car["VIN"].endswith(vin(7)[-1:]) and car["Results"] == 15 for car in cars)
    assert "47%11" not in get(browser, "/search?q=%25").text  # a sign that LIKE would take for anything


def test_a_car_has_all_its_screws(browser):
    rows = as_json(browser, f"/car?vin={vin(3)}")["results"]
    assert {row["VIN"] for row in rows} == {vin(3)} and len(rows) == 15
    assert {row["Station"] for row in rows} == {1, 2, 3}
    get(browser, "/car?vin=nobody", 404)


def test_a_car_is_found_by_an_additional_number_with_all_spindles(tmp_path):
    spindles = RESULT[80:150] + "0002" + RESULT[84:150]
    two = RESULT[:65] + "000270" + "0129" + RESULT[75:80] + spindles + "0009" + "BODY 4711".ljust(25) + RESULT[150:]
    place = reported(place_in(tmp_path), two)
    assert Served(place).rows("SELECT * FROM Breach") == []
    with browsing(place) as browser:
        assert [row["Spindle"] for row in as_json(browser, "/car?vin=BODY 4711")["results"]] == [1, 2]
        details = as_json(browser, "/result/2")
        assert [one["Spindle"] for one in details["around"]["Spindles"]] == [1, 2]
        assert details["result"]["VINs"] == [{"Identifier": 9, "VIN": "BODY 4711"}]
        assert browser.get("/search?q=BODY 4711").headers["location"] == "/car?vin=BODY+4711"


def test_a_result_has_its_curves_in_units_with_limits_and_its_neighbours(tmp_path):
    times = {18: "20240314092653", 19: "20240314092659", 16: "20240314092650"}
    around = [result(sequence, sequence, time=time) for sequence, time in times.items()]
    with browsing(reported(place_in(tmp_path), DESCRIBED, RESULT, GRAPH, *around)) as browser:
        details = as_json(browser, "/result/1")
        assert details["curves"]["torque"]["values"][:4] == [0.0, 0.13, 2.56, 10.42]  # example.md 3
        assert details["curves"]["torque"]["times"][:3] == [0.0, 2.0, 4.0]
        assert details["curves"]["limits"] == {"torque": [40.0, 50.0], "angle": [60.0, 90.0]}
        assert (details["around"]["Earlier"], details["around"]["Later"]) == (4, 2)
        page = get(browser, "/result/1").text
        assert "Left front" in page and "Wheel nuts" in page and "Tightening ID" in page
        assert json.loads(re.search(r'id="curves">(.*?)</script>', page)[1])["torque"]["unit"] == "Nm"
        assert "without a curve" in get(browser, "/result/2").text
        get(browser, "/result/99", 404)
        get(browser, f"/result/{2**70}", 404)


def test_curves_of_bolts_without_a_row_are_on_the_result_s_page(tmp_path):
    graphs = [GRAPH[:2] + b"%05d" % (50 + bolt) + GRAPH[7:22] + b"%04d" % bolt + GRAPH[26:] for bolt in (2, 3)]
    with browsing(reported(place_in(tmp_path), RESULT, *graphs)) as browser:
        page = get(browser, "/result/1").text
        assert "without a curve of its own" in page and "/result/1?bolt=2" in page and "/result/1?bolt=3" in page
        details = as_json(browser, "/result/1?bolt=3")
        assert details["curves"]["torque"]["values"][:3] == [0.0, 0.13, 2.56]
        assert details["curves"]["limits"] == {"torque": [40.0, 50.0]}
        assert "without a curve of bolt 4" in get(browser, "/result/1?bolt=4").text


def test_torque_over_angle_has_a_point_for_each_sample(browser):
    curves = as_json(browser, "/result/600")["curves"]
    assert len(curves["over"]["angle"]) == len(curves["over"]["torque"]) == 180
    assert curves["over"]["angle"] == curves["angle"]["values"]


def test_a_list_goes_on_after_its_last_row_until_all_are_shown(browser):
    for path, most in (("/results?verdict=all", 600), ("/results?verdict=all&station=2", 200)):
        seen, behind = [], ""
        while behind is not None:
            content = as_json(browser, f"{path}&behind={behind}")
            seen += [row["ResultId"] for row in content["results"]]
            behind = content["behind"]
        assert len(seen) == len(set(seen)) == most
        assert seen == sorted(seen, reverse=True)


def test_the_filter_of_what_is_not_ok(browser):
    rows = as_json(browser, "/results")["results"]
    assert rows and all(row["Overall"] for row in rows)
    station = rows[0]["Station"]
    some = as_json(browser, f"/results?station=3/1/{station}&program={rows[0]['Program']}")["results"]
    assert some == [row for row in rows if (row["Station"], row["Program"]) == (station, rows[0]["Program"])]
    moment = rows[0]["Time"]
    assert as_json(browser, f"/results?from={moment}&to={moment[:12]}")["results"] == [
        row for row in rows if row["Time"] == moment
    ]
    assert as_json(browser, "/results?to=2026-11-19")["results"] == []
    assert as_json(browser, "/results?to=2026-11-20")["results"] == rows


@pytest.mark.parametrize(
    "path",
    [
        "/results?station=a/b",
        "/results?from=yesterday",
        "/results?behind=x",
        "/station/1/2/3/4",
        "/events?station=9999999",
        "/results?program=x",
        "/station/1?day=2026",
        *[f"/station/1?day={day}" for day in ("99999999", "2026-02-30", "00000000")],
        *[f"/trend/1?{query}" for query in ("from=2026-02-30", "to=tomorrow", "program=x", "by=year", "only=nok")],
        *[f"/results?cause={cause}" for cause in ("torque", "torque fine", "volume low", "torque 12", ", ")],
        "/results?cause=torque low angle low",
        *["/search?q=%00", "/car?vin=%00", "/results?tool=%00", "/trend/3/1/1?vin_from=a%00"],
    ],
)
def test_what_cannot_be_read_is_reported_with_what_is_right(browser, path):
    assert "This cannot be read" in get(browser, path, 400).text


@pytest.mark.parametrize("path", [*PAGES, "/station/1", "/result/1", "/trend/1", "/curves/1", "/limits/1", "/audit"])
def test_what_a_page_does_not_take_is_refused_with_what_it_takes(browser, path):
    text = get(browser, f"{path}{'&' if '?' in path else '?'}date=2026-11-20", 400).text
    assert "&#39;date&#39;: this page takes" in text


def test_what_is_refused_is_named(browser):
    error = get(browser, "/station/1?json&date=2026-11-20&tag=1", 400).json()["error"]
    assert error == "'date', 'tag': this page takes day, only"


def test_what_is_not_there_is_reported(browser):
    get(browser, "/nothing", 404)
    assert "has never reported" in get(browser, "/station/9", 404).text
    assert get(browser, "/nothing?json", 404).json()["error"]


def test_an_empty_archive_says_so_on_every_page(tmp_path):
    with browsing(empty(place_in(tmp_path))) as browser:
        for path in PAGES:
            assert 'class="empty"' in get(browser, path).text or path == "/live"


def test_events_and_breaches_have_what_was_received(browser):
    events = as_json(browser, "/events")["events"]
    assert len(events) == 12 and events[0]["EventId"] == 12 and events[0]["Parameters"][0]["Value"]
    assert [row["EventId"] for row in as_json(browser, "/events?station=3/1/1")["events"]] == [12, 9, 6, 3]
    assert as_json(browser, "/breaches")["breaches"][0]["Field"] == "spindles[0].torque_low"


def test_hostile_text_is_text_everywhere(tmp_path):
    described = DESCRIBED.replace("Left front", "<u>&\x1b[2J<!")
    telegrams = (described, result(1, 1, vin=HOSTILE[:25]), EVENT.replace("E404", "<i>x"))
    with browsing(reported(place_in(tmp_path), *telegrams)) as browser:
        car = browser.get("/search", params={"q": HOSTILE[:25]}).headers["location"]
        for path in (*PAGES, car, "/result/1", "/station/10", "/trend/10", "/pareto?by=tool"):
            page = get(browser, path).text
            assert "<script>x" not in page and "<u>" not in page and "<i>" not in page and "\x1b" not in page, path
        assert "&lt;script&gt;" in get(browser, car).text and "&lt;u&gt;&amp;" in get(browser, "/").text
        assert as_json(browser, car)["results"][0]["VIN"] == HOSTILE[:25]


def test_a_verdict_that_cannot_be_read_is_never_good(tmp_path):
    telegrams = [RESULT[:35] + f"{ord(digit):05d}" + RESULT[40:98] + digit + RESULT[99:] for digit in "x27"]
    with browsing(reported(place_in(tmp_path), *telegrams)) as browser:
        assert [row["Overall"] for row in as_json(browser, "/results")["results"]] == [1, 1, 1]


# -- a station's day -----------------------------------------------------------------------------------------------


def test_a_days_figures_are_those_of_its_values_whatever_the_limits_were(tmp_path):
    place = str(place_in(tmp_path))
    with database.writing(place) as engine, engine.begin() as connection:
        rows = []
        for n in range(75):  # fifty from 10.0 to 10.4, ten each, and then 25 under other limits
            high, torque = (11.0, 10.0 + 0.1 * (n % 5)) if n < 50 else (12.0, 50.0)
            time = f"20240314{8 + n // 60:02d}{n % 60:02d}00"
            values = (int(n == 0), 9.0, torque, high, 0, 0.0, 0.0, 0.0, 0, 0, n, 1, 0, "Nm", "deg", None)
            rows.append((n + 1, 3, 1, 10, n + 1, time, time, "", 1, "C1", 7, *values))
        bulk_insert.insert(connection, RESULTS, rows)
        rollups.add(connection, rows)
    of_day = queries.ResultFilter((3, 1, 10), None, None, "20240314", "20240314a")
    one, other = Reading(place).ask(day_figures.programs, of_day, {(1, 7): "Nuts"}, False)
    torque = one["torque"]
    assert (one["name"], one["count"], one["nok"]) == ("Nuts", 50, 1)
    assert torque["mean"] == pytest.approx(10.2) and torque["deviation"] == pytest.approx((50 * 0.02 / 49) ** 0.5)
    assert torque["pp"] == pytest.approx(2.0 / (6 * torque["deviation"]))
    assert torque["ppk"] == pytest.approx(0.8 / (3 * torque["deviation"]))
    assert torque["within"] == pytest.approx((50 * 0.02 / 46) ** 0.5, rel=0.01)  # of four quarters of an hour
    histogram = torque["histogram"]
    assert sum(histogram["counts"]) == 50 and (histogram["from"], histogram["to"]) == (10.0, 10.4)
    assert one["angle"]["histogram"] is None and one["angle"]["cp"] is None  # no limits, and all are 0
    assert (other["count"], other["torque"]["histogram"]["count"], other["torque"]["cpk"]) == (
        25,
        25,
        None,
    )  # no spread
    good, _ = Reading(place).ask(day_figures.programs, of_day, {}, True)
    assert (good["count"], good["torque"]["count"], good["name"]) == (50, 49, "Program 7")


def test_a_stations_day_is_its_own_and_knows_the_days_around_it(tmp_path):
    moments = ("20240313235959", "20240314000000", "20240314235959", "20240316000000")
    telegrams = [result(number, number, time=moment) for number, moment in enumerate(moments, 1)]
    with browsing(reported(place_in(tmp_path), *telegrams)) as browser:
        latest = as_json(browser, "/station/10")
        assert latest["days"] == {"Day": "20240316", "Earlier": "20240314", "Later": None}
        middle = as_json(browser, "/station/10?day=2024-03-14")
        assert middle["count"] == 2 and middle["days"]["Later"] == "20240316"
        assert "No results on 2024-03-15" in get(browser, "/station/10?day=20240315").text
        assert "day &#39;20240230&#39;: there is no such day" in get(browser, "/station/10?day=20240230", 400).text


def test_a_day_that_no_calendar_has_is_shown_where_it_has_results(tmp_path):
    place = reported(place_in(tmp_path), result(1, 1))
    with database.writing(place) as engine, engine.begin() as connection:
        connection.execute(update(RESULTS).values(Time="20260230120000"))
        sum_all(connection)
    with browsing(place) as browser:
        assert as_json(browser, "/station/10?day=2026-02-30")["count"] == 1


# -- who may come in -----------------------------------------------------------------------------------------------


def test_nothing_can_be_changed(browser):
    for path in ("/", "/results", "/static/page.js", "/live/events"):
        for method in ("POST", "PUT", "DELETE"):
            assert browser.request(method, path).status_code == 405
    with pytest.raises(Exception, match="readonly"), browser.app.state.site.reading._engine.connect() as connection:
        connection.exec_driver_sql("DELETE FROM Result")


def test_a_page_under_another_machines_name_is_not_served(plant):
    with browsing(plant, base="http://evil.example:8080") as foreign:
        get(foreign, "/", 421)
    for base in ("http://localhost:8080", "http://[::1]:1", "http://127.0.0.1"):
        with browsing(plant, base=base) as own:
            get(own, "/")


def test_pages_show_the_copy_that_was_restored_and_make_no_file_meanwhile(tmp_path):
    """They made an empty one that all could read, and said for ever that it had no tables."""
    place, copy = reported(place_in(tmp_path), result(1, 1)), reported(tmp_path / "copy", result(1, 2))
    with browsing(place) as browser:
        assert "Station 10" in get(browser, "/").text
        os.unlink(place)
        assert "may this user write in its folder" in get(browser, "/", 503).text
        assert not os.path.exists(place)
        os.rename(copy, place)
        assert [row["Sequence"] for row in get(browser, "/results?verdict=all&json").json()["results"]] == [2]


def test_a_password_stands_in_front_of_everything(plant):
    with browsing(plant, login.Authenticator("correct horse"), only_here=False) as browser:
        assert browser.get("/car?vin=1&x=%0a").headers["location"] == "/login?to=%2Fcar%3Fvin%3D1%26x%3D%250a"
        assert browser.get("/results?json").status_code == browser.get("/live/events").status_code == 401
        get(browser, "/static/style.css")
        assert "Password" in get(browser, "/login").text
        assert browser.post("/login", data={"password": "wrong horse"}).status_code == 403
        inside = browser.post("/login?to=/results", data={"password": "correct horse"})
        assert (inside.status_code, inside.headers["location"]) == (303, "/results")
        cookie = inside.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie
        assert "Log out" in get(browser, "/results").text
        token = next(iter(inside.cookies.values()))
        assert browser.post("/logout").headers["location"] == "/login"
        browser.cookies.clear()
        assert browser.get("/").status_code == 303
        name = next(iter(inside.cookies))
        assert browser.get("/", headers={"cookie": f"{name}={token}"}).status_code == 303, "whoever kept it is out too"
        for outside in ("//evil.example", "https://evil.example", "/\\evil.example"):
            answer = browser.post("/login", params={"to": outside}, data={"password": "correct horse"})
            assert answer.headers["location"] == "/"


def test_tokens_are_ours_end_and_fall_with_the_password(monkeypatch):
    door = login.Authenticator("correct horse")
    token = door.token("correct horse")
    assert door.knows(token) and login.Authenticator("correct horse").knows(token)
    assert not login.Authenticator("another one").knows(token)
    given, began, chance, signature = token.split(".")
    rest = f"{began}.{chance}.{signature}"
    for wrong in (
        "",
        ".",
        given,
        f"{int(given) + 1}.{rest}",
        token[:-1],
        f"-1.{rest}",
        "é." + rest,
        f"{given}.{began}.x.{signature}",
        f"{given}.{began}.{chance}.zz.{signature}",
        f"{given}.{chance}.{signature}",
    ):
        assert not door.knows(wrong)
    other = door.token("correct horse")
    door.forget(token)
    assert not door.knows(token) and door.knows(other)
    token = other
    given = token.partition(".")[0]
    now, renewals = int(given), 0
    for _ in range(100):
        now += login.IDLE_S - 1
        monkeypatch.setattr(time, "time", lambda now=now: now)
        if not door.knows(token):
            break
        token, renewals = door.renewed(token), renewals + 1
    assert renewals == login.VALID_S // (login.IDLE_S - 1), "a visit now and then keeps it, but not for ever"
    later = login.Authenticator("correct horse")
    token = later.token("correct horse")
    monkeypatch.setattr(time, "time", lambda: now + login.IDLE_S)
    assert not later.knows(token)


def test_log_out_outlives_restart_and_is_forgotten_when_its_tokens_have_ended(tmp_path, monkeypatch):
    secret, kept = tmp_path / "password", tmp_path / "password.logged-out"
    secret.write_text("correct horse")
    secret.chmod(0o600)
    where = WebSettings(password_file=str(secret))
    door = where.door()
    token, other = door.token("correct horse"), door.token("correct horse")
    door.forget(token)
    assert kept.stat().st_mode & 0o777 == 0o600
    for _ in range(3):
        door = where.door()
        assert not door.knows(token) and door.knows(other)
    with open(kept, "a") as file:
        file.write("not a line\n")
    door.forget(other)
    assert not where.door().knows(other) and len(kept.read_text().split()) == 4, "what is no line is left out"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + login.IDLE_S)
    assert not where.door().knows(token) and kept.read_text() == ""
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "is not there"))
    door = where.door()
    token = door.token("correct horse")
    door.forget(token)
    assert not door.knows(token), "without a place for it, until a restart"


def test_guessing_is_slowed_down(monkeypatch):
    monkeypatch.setattr(login.hashlib, "scrypt", lambda tried, **_: tried)  # its time is not what is tested
    door = login.Authenticator("correct horse")
    for _ in range(login.TRIES):
        assert door.token("guess") is None
    assert door.is_shut() and door.token("correct horse") is None
    assert door.token("correct horse", "192.0.2.1"), "who guesses shuts out no one else"
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + login.TRIES_S + 1)
    assert door.token("correct horse")


def test_a_password_comes_from_a_private_file_or_the_environment(tmp_path, monkeypatch):
    file = tmp_path / "password"
    file.write_text("correct horse\n")
    file.chmod(0o640)
    with pytest.raises(login.PrivateFileError, match="chmod 600"):
        login.password(str(file))
    file.chmod(0o600)
    assert login.password(str(file)) == "correct horse"
    file.write_text("short\n")
    for wrong in (str(file), str(tmp_path / "none")):
        with pytest.raises(login.PrivateFileError, match=r"at least 8|No such file"):
            login.password(wrong)
    monkeypatch.delenv(login.VARIABLE, raising=False)
    assert login.password(None) is None
    monkeypatch.setenv(login.VARIABLE, "correct horse")
    assert login.password(None) == "correct horse"


def test_beyond_the_loopback_a_password_is_needed(monkeypatch):
    monkeypatch.delenv(login.VARIABLE, raising=False)
    for host in ("0.0.0.0", "::", "10.0.0.5", "plant.example"):
        with pytest.raises(CannotServe, match="need a password"):
            WebSettings(host).door()
    for host in ("127.0.0.1", "127.5.5.5", "::1", "localhost"):
        assert WebSettings(host).door() is None
    assert address("8080") == ("127.0.0.1", 8080) and address("[::1]:80") == ("::1", 80)
    with pytest.raises(ValueError, match="HOST:PORT"):
        address("host")


# -- time ----------------------------------------------------------------------------------------------------------


def test_question_that_takes_too_long_is_ended_and_the_next_one_answered(plant):
    reading = Reading(plant, limit_s=0.05)
    slow = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
    with pytest.raises(QueryTimeout):
        reading.ask(lambda connection: connection.exec_driver_sql(slow).fetchall())
    assert reading.ask(page_queries.newest_number) == 600


def test_a_query_may_take_its_processor_time_however_long_others_take_theirs(plant, monkeypatch):
    reading, seconds = Reading(plant, limit_s=1.0), [0.0]
    clock = SimpleNamespace(monotonic=lambda: seconds[0], thread_time=time.thread_time)
    monkeypatch.setattr("toolcart.archive.web.reading.time", clock)
    count = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100000) SELECT COUNT(*) FROM n"

    def asked(connection, after_s):
        seconds[0] += after_s
        return connection.exec_driver_sql(count).scalar()

    assert reading.ask(asked, 5.0) == 100_000
    with pytest.raises(QueryTimeout):
        reading.ask(asked, 7.0)


def test_an_answer_that_takes_too_long_has_a_form_that_asks_for_less(plant, monkeypatch):
    def late(*_):
        raise QueryTimeout

    with browsing(plant) as browser:
        monkeypatch.setattr(Reading, "ask", late)
        page = get(browser, "/results?verdict=all&from=2025-01-01&station=3/1/2&tool=C1&behind=1-1", 503).text
        fields = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', page.partition("<main")[2]))
        assert fields["from"] == "2025-01-01T00:00" and fields["station"] == "3/1/2" and fields["tool"] == "C1"
        assert fields["verdict"] == "all" and "behind" not in fields and 'action="/results"' in page
        assert "<form" not in get(browser, "/car?vin=X", 503).text.partition("<main")[2]
        assert "Ask for less" in get(browser, "/pareto?json", 503).json()["error"]


def test_watchers_get_what_arrives_and_what_they_missed(tmp_path):
    async def watched(archive, server):
        reading = Reading(archive.place)
        feed = LiveFeed(reading, lambda row: f"<tr>\n{row['Sequence']}</tr>", lambda: "20240101")
        events = []

        async def listen(after):
            async for text in feed.watch(after):
                events.append(text)

        def has(text):
            return any(text in one for one in events)

        async def until(text):
            for _ in range(400):
                if has(text):
                    return
                await asyncio.sleep(0.02)
            raise AssertionError(events)

        first = asyncio.create_task(listen(0))
        await until("id: 1\ndata: <tr>\ndata: 1</tr>\n\n")
        await until("event: stations")
        await asyncio.to_thread(server.ask, result(2, 2))
        await until("id: 2\n")
        assert not has("reload")
        assert sum("event: result" in one for one in events) == 2
        events.clear()
        second = asyncio.create_task(listen(1))  # as a browser that comes back
        await until("id: 2\n")
        await feed.stop()
        await asyncio.gather(first, second)
        assert not has("id: 1\n")

    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        server.ask(result(1, 1))
        asyncio.run(watched(archive, server))


# -- processes -----------------------------------------------------------------------------------------------------


def test_pages_beside_an_archive_go_up_with_it_and_end_with_it(tmp_path):
    command = serving_in(tmp_path, "--web", "127.0.0.1:0")
    archive = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        lines = [archive.stdout.readline(), archive.stdout.readline()]
        where = next(line.split()[2] for line in lines if line.startswith("pages on"))
        with urllib.request.urlopen(where, timeout=10) as answer:
            assert b"No station has reported yet" in answer.read()
    finally:
        archive.kill()  # as a power cut: nothing tells the pages
        archive.wait(10)
    assert archive.stdout.read() == ""  # ends when the pages, who hold its other end, have ended
    archive.stdout.close()


def test_pages_stand_back_behind_what_takes_results(tmp_path, monkeypatch):
    stood = []
    monkeypatch.setattr(os, "nice", stood.append)
    monkeypatch.delenv(niceness.VARIABLE)
    run("web", "--database", empty(place_in(tmp_path)), "--listen", "127.0.0.1:0", "--seconds", "0.01")
    assert stood == [server.BEHIND_RESULTS] and stood[0] > 0


def test_pages_wait_for_an_archive_and_say_so(tmp_path, monkeypatch):
    place, looks = str(tmp_path / "a.sqlite"), []

    def makes(_):
        looks.append(1)
        if len(looks) == 2:
            empty(place)

    monkeypatch.setattr(serve_commands, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=makes))
    said = run("web", "--database", place, "--web", "127.0.0.1:0", "--seconds", "0.01").stdout
    assert said.count("waiting for it") == 1 and "there is no such archive" in said and "pages on http" in said


def test_pages_that_cannot_be_served_are_reported(tmp_path, monkeypatch):
    monkeypatch.delenv(login.VARIABLE, raising=False)
    words = ("--database", empty(place_in(tmp_path)))
    for command, option in (("web", "--listen"), ("serve", "--web")):
        assert "need a password" in run(command, *words, option, "0.0.0.0:0", code=2).stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "--listen" in run("web", *words, "--listen", taken.getsockname()[1], code=1).stderr
    assert "no such archive" in run("web", "--database", tmp_path / "none.sqlite", "--seconds", "0.01", code=2).stderr


# -- a proxy in front ----------------------------------------------------------------------------------------------


def test_a_trusted_proxy_names_its_visitors_and_others_cannot(plant):
    for trusted, status in (("testclient", 200), ("10.0.0.5", 303)):
        proxy = Proxy(frozenset({trusted}), "X-Forwarded-User")
        with browsing(plant, login.Authenticator("correct horse"), False, (), proxy) as browser:
            forwarded = {"X-Forwarded-User": "someone", "X-Forwarded-For": "192.0.2.9"}
            assert browser.get("/", headers=forwarded).status_code == status
            assert browser.get("/metrics", headers=forwarded).status_code == (200 if status == 200 else 401)
            for _ in range(login.TRIES):
                browser.post("/login", data={"password": "guess"}, headers=forwarded)
            elsewhere = {"X-Forwarded-For": "192.0.2.10"}
            right = browser.post("/login", data={"password": "correct horse"}, headers=elsewhere)
            assert right.status_code == (303 if trusted == "testclient" else 429)


def test_without_a_password_only_the_proxy_lets_visitors_in(plant, monkeypatch):
    monkeypatch.delenv(login.VARIABLE, raising=False)
    with pytest.raises(CannotServe, match="--trust-proxy"):
        WebSettings("0.0.0.0", user_header="X-Forwarded-User").door()
    where = WebSettings("0.0.0.0", user_header="X-Forwarded-User", trust_proxy="10.0.0.5, 10.0.0.6")
    assert where.proxy().addresses == {"10.0.0.5", "10.0.0.6"}
    with browsing(plant, where.door(), False, (), Proxy(frozenset({"testclient"}), "X-Forwarded-User")) as browser:
        for path in ("/", "/breaches", "/metrics", "/results?json"):
            assert browser.get(path).status_code == 401
            assert browser.get(path, headers={"X-Forwarded-User": "anna"}).status_code == 200
        for name in ("", "a b", "<b>"):
            assert browser.get("/", headers={"X-Forwarded-User": name}).status_code == 401
        assert "through the proxy" in browser.get("/").text
        assert browser.get("/login").headers["location"] == "/"
        assert browser.post("/login", data={"password": ""}).status_code == 303 and browser.get("/").status_code == 401
        assert "Log out" not in browser.get("/", headers={"X-Forwarded-User": "anna"}).text


def test_curves_over_one_another_are_those_of_the_same_program_before_it(plant):
    with browsing(plant) as browser:
        content = get(browser, "/curves/600?json&count=5").json()
        here = content["result"]
        assert content["lines"][0]["ResultId"] == 600 and 2 <= len(content["lines"]) <= 5
        for one in content["lines"]:
            other = get(browser, f"/result/{one['ResultId']}?json").json()["result"]
            assert all(other[name] == here[name] for name in ("Station", "Program", "Spindle"))
            assert other["Time"] <= here["Time"] and one["torque"]["values"]
        fine = get(browser, "/curves/600?json&only=ok").json()["lines"]
        assert not [one for one in fine if one["Overall"] and one["ResultId"] != 600]
        get(browser, "/curves/600?count=31", 400)
        get(browser, "/curves/601", 404)


@pytest.mark.parametrize("path", ["/result/", "/curves/", "/station/", "/static/", "/"])
def test_an_address_of_thousands_of_characters_is_none(browser, path):
    assert browser.get(path + "9" * 5000).status_code == 404


def test_a_map_of_too_many_stations_shows_those_that_sent_last(tmp_path):
    place = reported(place_in(tmp_path), *[result(number, number, station=number) for number in range(1, 6)])
    old = "UPDATE TNMapStation SET Heard = '20240101000000' WHERE Station IN (2, 4)"
    change(place, old, "DELETE FROM TNMapSystem")
    [system] = Reading(place).ask(page_queries.stations, "2024", 3)
    assert [row["Station"] for row in system["Stations"]] == [1, 3, 5] and system["Name"] == "System 1"
    assert [row["Today"] for row in system["Stations"]] == [1, 1, 1]


def test_only_a_few_passwords_are_looked_at_at_once(plant, monkeypatch):
    seen, lock, never = [0, 0], threading.Lock(), threading.Event()

    def token(self, tried, visitor=""):
        with lock:
            seen[0] += 1
            seen[1] = max(seen)
        never.wait(0.05)
        with lock:
            seen[0] -= 1

    monkeypatch.setattr(login.Authenticator, "token", token)
    with browsing(plant, login.Authenticator("long enough")) as browser:
        tries = [
            lambda: browser.post("/login", data={"password": "x"}),
            lambda: browser.get("/metrics", auth=("a", "b")),
        ]
        threads = [threading.Thread(target=one) for one in 4 * tries]
        for one in threads:
            one.start()
        for one in threads:
            one.join(20)
    assert seen == [0, LOGINS_AT_ONCE]
