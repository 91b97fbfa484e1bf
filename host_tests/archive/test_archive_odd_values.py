"""Values that no station can send, and files that a disk has damaged: what pages show, and commands say, then."""

import csv
import io
import itertools
import json
import re
import resource
import sqlite3

import pytest

from toolcart.archive.consume.batch import read
from toolcart.archive.database import database
from host_tests.archive.batches import kept, line, message
from host_tests.support.archive import (
    Served,
    browsing,
    filled,
    get,
    place_in,
    run,
)

HOSTILE = ("1e999", "-1e999", "1e300", "'x'", "NULL", "x'00ff'")
PATHS = ("/", "/results?verdict=all", "/pareto", "/station/1", "/trend/1", "/trend/1?by=month")


@pytest.fixture
def place(tmp_path):
    return filled(place_in(tmp_path), stations=2, cars=20, curves=40)


def spoil(place, *changes):
    """Change rows past the rules of their tables, as a disk can."""
    with sqlite3.connect(place) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        for change in changes:
            connection.execute(change)
    connection.close()


def of_station_1(place):
    return [row[0] for row in Served(place).rows("SELECT ResultId FROM Result WHERE Station = 1 ORDER BY 1 DESC")]


@pytest.mark.usefixtures("in_this_process")
def test_a_page_never_fails_for_a_value(place):
    spoilt = list(itertools.product(("Torque", "TorqueLow", "AngleHigh"), HOSTILE))
    numbers = of_station_1(place)[: len(spoilt)]
    changed = zip(numbers, spoilt, strict=True)
    spoil(place, *(f"UPDATE Result SET {name} = {value} WHERE ResultId = {at}" for at, (name, value) in changed))
    with browsing(place) as browser:
        for path in (*PATHS, *[f"/{page}/{number}" for page in ("result", "curves") for number in numbers]):
            answer = browser.get(path)
            assert answer.status_code == 200 and "Infinity" not in answer.text, path
            json.loads(browser.get(path, params={"json": ""}).content)
        for kind in ("csv", "json", "xlsx", "parquet"):
            assert browser.get(f"/results?verdict=all&wait&as={kind}").status_code == 200


@pytest.mark.parametrize(
    "change", ["BitShift = 5000", "BitShift = 1 << 40", "FactorNom = 0", "SampleMs = 1e999", "FactorDom = 1 << 60"]
)
def test_a_curve_without_a_scale_is_no_curve(place, change):
    spoil(place, f"UPDATE Graph SET {change}")
    number = of_station_1(place)[0]
    with browsing(place) as browser:
        assert "It came without a curve." in browser.get(f"/result/{number}").text
        assert browser.get(f"/curves/{number}").status_code == 200


def test_import_leaves_out_what_is_not_taken_and_says_which_and_why(place, new_place):
    spoil(
        place,
        "UPDATE Result SET Program = 1 << 40 WHERE ResultId = 17",
        "UPDATE Result SET Torque = 1e999 WHERE ResultId = 18",
        "UPDATE Graph SET BitShift = 1 << 40 WHERE GraphId = 3",
    )
    into = new_place()
    done = run("import", "--database", into, "--json", place, code=1)
    counts = json.loads(done.stdout)
    in_postgresql = "://" in str(into)
    assert counts["taken"] == 200 - in_postgresql and counts["graphs"] == 79 and counts["failed"] == 1 + in_postgresql
    lines = done.stderr.splitlines()
    assert len([line for line in lines if line.startswith("left out: ")]) == counts["failed"]
    assert any("Graph 3/1/" in line for line in lines)
    if in_postgresql:
        assert any("Result 3/1/" in line and "out of range" in line for line in lines)
    assert json.loads(run("import", "--database", into, "--json", place, code=1).stdout)["taken"] == 0


def test_import_that_cannot_be_written_says_why(place, tmp_path, monkeypatch):
    """SQLite takes the whole transaction back then, savepoints too, as on a full disk."""
    monkeypatch.setattr(
        database, "_SQLITE_SESSION", (*database._SQLITE_SESSION, "cache_size=10")
    )  # pages; the others go to the file
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        errors = run("import", "--database", tmp_path / "new.sqlite", place, code=2).stderr
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "new.sqlite: disk I/O error" in errors


def damage(place):
    """Fill some pages in the middle of the file with what belongs to none."""
    with sqlite3.connect(place) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with open(place, "r+b") as file:
        size = file.seek(0, 2)
        for page in range(size // 2048 // 2, size // 2048 - 4, 9):
            file.seek(2048 * page)
            if b"CREATE " not in file.read(2048):  # not the schema
                file.seek(2048 * page)
                file.write(b"\x5a" * 2048)


def test_a_damaged_file_is_reported_and_not_called_complete(place, tmp_path):
    damage(place)
    done = run("check", "--database", place, code=1)
    assert "damaged" in done.stderr and "missing 0" not in done.output
    assert json.loads(run("check", "--database", place, "--json", code=1).stdout.splitlines()[0])["damage"]
    for words in (
        ("query", "--database", place, "--all"),
        ("import", "--database", tmp_path / "other.sqlite", place),
        ("move-old", "--database", place, "--keep-days", 1, "--into", tmp_path / "old.sqlite"),
        ("forget", "--database", place, "--newest", 150, "--yes"),
    ):
        done = run(*words, code=2).stderr
        assert f"{place}: " in done and "the database is damaged" in done, words
    with browsing(place) as browser:
        answer = browser.get("/results?verdict=all&wait&as=csv")
        assert answer.status_code == 503 and "damaged" in answer.text


# -- what came by MQTT and cannot be read --------------------------------------------------------------------------

UNKNOWN = ({"torque": "12,34"}, {"torque": None}, {"angle": True}, {"torque": "1e400", "angle": "x"})
LIMITS = {"torque_min": "40.00", "torque_max": "45.00", "angle_min": 80, "angle_max": 110}


@pytest.fixture
def with_unknown(new_place):
    """An archive with 30 results of one program, and in their midst some whose torque or angle cannot be read."""
    place = new_place()
    fields = [{"torque": f"{42 + number % 3}.00", "angle": 90 + number % 2} for number in range(15)]
    fields = [*fields, *UNKNOWN, *fields]
    sent = [line(number, **{**LIMITS, **more}) for number, more in enumerate(fields, 1)]
    with kept(place) as archive:
        assert archive.take([read("cart", message(0, len(sent), sent))]) == [(len(sent), "stored")]
    return place


def values_of(place):
    """Torque and angle of each result that `query` tells, by tightening ID."""
    rows = map(json.loads, run("query", "--database", place, "--all", "--json").stdout.splitlines())
    return {row["TighteningId"]: (row["Torque"], row["Angle"]) for row in rows}


@pytest.mark.usefixtures("in_this_process")
def test_what_cannot_be_read_is_unknown_wherever_it_is_shown_and_in_no_figure(with_unknown, new_place, tmp_path):
    place = with_unknown
    values = values_of(place)
    assert [values[number] for number in (16, 17, 18, 19)] == [(None, 95), (None, 95), (42.37, None), (None, None)]
    known = [[one for one in several if one is not None] for several in zip(*values.values(), strict=True)]
    assert [min(several) for several in known] == [42.0, 90.0]
    listed = csv.DictReader(io.StringIO(run("query", "--database", place, "--all", "--csv").stdout))
    cells = {row["TighteningId"]: (row["Torque"], row["Angle"]) for row in listed}
    assert [cells[number] for number in ("16", "18", "19")] == [("", "95.0"), ("42.37", ""), ("", "")]
    run("check", "--database", place)
    run("report", "--database", place, "--period", "month", "--of", "2026-03-14", "--into", tmp_path)
    report = list(csv.DictReader(next(tmp_path.glob("*.csv")).read_text().splitlines()))
    for row, several in zip(report, known, strict=True):
        assert int(row["values"]) == len(several) and float(row["mean"]) == pytest.approx(sum(several) / len(several))
    with browsing(place) as browser:
        trend = get(browser, "/trend/1/3/7?program=12&from=2026-03-14&to=2026-03-14&json").json()["trend"]
        assert trend["count"] == len(values)
        for quantity, several in zip(trend["quantities"], known, strict=True):
            [period] = quantity["periods"]
            assert (period["count"], period["least"]) == (len(several), min(several))
            assert period["mean"] == pytest.approx(sum(several) / len(several))
            assert len([one for one in quantity["points"]["mean"] if one is not None]) == len(several)
        for path in (
            "/results?verdict=all",
            "/station/1/3/7",
            "/trend/1/3/7",
            *[f"/result/{one + 1}" for one in range(34)],
        ):
            text = get(browser, path).text
            assert not re.search(r">0\.0+ <small>", text), path
    other = new_place()
    run("import", "--database", other, place)
    assert values_of(other) == values
