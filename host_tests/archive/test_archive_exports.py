"""For other programs: files of lists, every row once, by a process of their own; views with the pages' numbers."""

import asyncio
import csv
import io
import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import time
import zipfile
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from sqlalchemy import text

from toolcart.archive.commands import query
from toolcart.archive.database import database, queries, tables
from toolcart.archive.database.queries import ResultFilter
from toolcart.archive.database.tables import VIEWS
from toolcart.archive.file_formats import export, xlsx
from toolcart.archive.web import app, exports, list_rows, users
from toolcart.base.sources import ROOT
from host_tests.support.archive import (
    DEADLINE_S,
    Served,
    browsing,
    empty,
    filled,
    get,
    place_in,
    reading,
    reported,
    result,
)
from lab.harness.archive_rows import vin

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LISTS = [
    list_rows.of_results(ResultFilter()),
    list_rows.of_results(ResultFilter(station=(3, 1, 2), from_time="20261119", to_time="20261121")),
    list_rows.of_results(ResultFilter(nok=True)),
    list_rows.of_results(ResultFilter(program=2)),
    list_rows.of_results(ResultFilter((3, 1, 1), 1, 1, "20261119", "20261121a"), list_rows.TREND),
    list_rows.ListQuery(list_rows.EVENTS),
    list_rows.ListQuery(list_rows.EVENTS, {"station": (3, 1, 2)}),
    list_rows.ListQuery(list_rows.BREACHES),
    list_rows.ListQuery(list_rows.ROWS, rows=[{"what": "a", "count": 1}, {"what": "b", "count": None}]),
]


@pytest.fixture
def browser(plant):
    with browsing(plant) as client:
        yield client


@pytest.mark.parametrize("wanted", LISTS, ids=lambda one: f"{one.what}-{len(one.wanted)}")
def test_steps_of_a_list_have_every_row_once(plant, wanted, monkeypatch):
    engine = database.connect(plant, writes=False)
    again = list_rows.read(wanted.text())
    whole = list(list_rows.rows(engine, again))
    monkeypatch.setattr(list_rows, "AT_ONCE", 7)
    assert list(list_rows.rows(engine, again)) == whole
    with engine.connect() as connection:
        assert list_rows.count(connection, again) == len(whole) > 0
    engine.dispose()


def test_file_is_written_by_a_process_of_its_own(browser, plant):
    answer = browser.get("/results?verdict=all&wait&as=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    numbers = Served(plant).rows("SELECT ResultId FROM Result ORDER BY 1 DESC")
    assert [(int(row["ResultId"]),) for row in rows] == numbers
    assert 'filename="results.csv"' in answer.headers["content-disposition"]


def test_large_file_is_offered_on_a_page_when_done(browser, monkeypatch):
    monkeypatch.setattr(app, "SOON_S", 0.0)
    answer = browser.get("/results?verdict=all&as=xlsx")
    page = answer.headers["location"]
    assert answer.status_code == 303 and page.startswith("/export/")
    deadline = time.monotonic() + 60
    while (status := browser.get(page + "?json").json())["state"] != "done":
        response = browser.get(page)
        if "<progress" in response.text:
            assert response.headers["refresh"] == "2"
        assert time.monotonic() < deadline and status["state"] != "failed"
        time.sleep(0.1)
    assert status["count"] == status["total"] == 600 and "Take the file" in browser.get(page).text
    for _ in range(2):
        assert zipfile.ZipFile(io.BytesIO(browser.get(f"{page}?file=1").content)).namelist()


def test_only_who_started_a_file_gets_it(plant, monkeypatch):
    monkeypatch.setattr(app, "SOON_S", 0.0)
    proxy = users.Proxy(frozenset({"testclient"}), "X-Forwarded-User")
    with browsing(plant, users.Authenticator("correct horse"), False, (), proxy) as browser:
        anna, berta = {"X-Forwarded-User": "anna"}, {"X-Forwarded-User": "berta"}
        page = browser.get("/results?verdict=all&as=json", headers=anna).headers["location"]
        assert browser.get(page, headers=anna).status_code == 200
        assert browser.get(page, headers=berta).status_code == 404
        assert browser.get(page).status_code == 303


def jobs(plant, run, count, monkeypatch):
    """Run some jobs of an Exports whose process is `run`; return it."""

    async def all_of_them():
        queue = exports.Exports(plant)
        monkeypatch.setattr(queue, "_run", run)
        started = [queue.start(list_rows.ListQuery(list_rows.ROWS), "csv", "") for _ in range(count)]
        for job in started:
            assert await job.finished(10)
        return queue, started

    return asyncio.run(all_of_them())


def test_files_are_written_one_at_a_time_and_the_oldest_go(plant, monkeypatch):
    running, most = [], []

    async def run(job):
        running.append(job)
        most.append(len(running))
        await asyncio.sleep(0)
        with open(job.path, "w", encoding="utf-8"):
            job.is_whole = True
        running.remove(job)

    queue, started = jobs(plant, run, 12, monkeypatch)
    assert most == [1] * 12
    kept = [job for job in started if queue.find(job.number)]
    assert (
        kept == started[-exports.KEPT :] and [os.path.exists(job.path) for job in started] == [False] * 4 + [True] * 8
    )
    asyncio.run(queue.close())
    assert not os.path.exists(os.path.dirname(started[-1].path))


def test_a_user_takes_neither_all_places_nor_the_files_of_others(plant, monkeypatch):
    async def run(job):
        await hold.wait()
        with open(job.path, "w", encoding="utf-8"):
            job.is_whole = True

    async def all_of_them():
        nonlocal hold
        hold = asyncio.Event()
        queue = exports.Exports(plant)
        monkeypatch.setattr(queue, "_run", run)

        def start(who):
            return queue.start(list_rows.ListQuery(list_rows.ROWS), "csv", who)

        of_one = [start("anna") for _ in range(exports.OF_ONE_MOST)]
        with pytest.raises(exports.QueueFull):
            start("anna")
        other = start("berta")
        hold.set()
        for job in (*of_one, other):
            assert await job.finished(10)
        for _ in range(exports.KEPT + 1):
            assert await start("anna").finished(10)
        assert queue.find(other.number) and not queue.find(of_one[0].number)
        await queue.close()

    hold = None
    asyncio.run(all_of_them())


def test_process_that_dies_is_reported(plant, monkeypatch):
    async def run(job):
        job.count = 5

    _, [job] = jobs(plant, run, 1, monkeypatch)
    assert job.state == exports.FAILED and "has ended" in job.why


def test_too_many_waiting_files_are_refused(browser, monkeypatch):
    monkeypatch.setattr(exports, "WAITING_MOST", 0)
    assert browser.get("/results?verdict=all&as=csv").status_code == 503


def rows_of(answer, kind, folder):
    """The rows of a file, as (ResultId, VIN, Torque, Time)."""
    path = folder / f"found.{kind}"
    path.write_bytes(answer.content)
    names = ("ResultId", "VIN", "Torque", "Time")
    if kind == "csv":
        of_file = [[one[name] for name in names] for one in csv.DictReader(io.StringIO(answer.text))]
        return [[int(a), b, float(c), "".join(x for x in d if x.isdigit())] for a, b, c, d in of_file]
    if kind == "json":
        return [[json.loads(line)[name] for name in names] for line in answer.text.splitlines()]
    if kind == "parquet":
        of_file = parquet.read_table(path).select(names).to_pylist()
        return [[*list(one.values())[:3], one["Time"].strftime("%Y%m%d%H%M%S")] for one in of_file]
    head, *lines = cells_of(path)
    columns = {name: column for column, name in head.items()}
    lines_of_sheet = []
    for line in lines:
        number, vin, torque, days = (line.get(columns[name], "") for name in names)
        time = datetime(1899, 12, 30) + timedelta(seconds=round(float(days) * 86400))
        lines_of_sheet.append([int(number), vin, float(torque), time.strftime("%Y%m%d%H%M%S")])
    return lines_of_sheet


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("kind", ["csv", "json", "xlsx", "parquet"])
def test_what_a_page_shows_is_there_as_a_file(plant, kind, tmp_path):
    with browsing(plant) as browser:
        for address, count in (
            (f"/car?vin={vin(3)}", 15),
            ("/results?verdict=all&station=3/1/2", 200),
            ("/station/3/1/2", None),
            (f"/trend/3/1/2?vin_from={vin(3)}&vin_to={vin(7)}", None),
        ):
            response = get(browser, f"{address}{'&' if '?' in address else '?'}wait&as={kind}")
            disposition = response.headers["content-disposition"]
            assert "attachment" in disposition and f".{kind}" in disposition
            exported = rows_of(response, kind, tmp_path)
            as_json = get(browser, f"{address}{'&' if '?' in address else '?'}wait&as=json")
            assert exported == rows_of(as_json, "json", tmp_path) and exported
            assert count in (None, len(exported))
            if "vin_from" in address:
                assert {row[1] for row in exported} == {vin(n) for n in range(3, 8)}
        assert f"as={kind}" in get(browser, "/results?verdict=all").text
        assert get(browser, f"/events?wait&as={kind}", 400 if kind == "parquet" else 200)


@pytest.mark.usefixtures("in_this_process")
def test_a_file_holds_no_formula_and_leaves_nothing_behind(tmp_path, monkeypatch):
    texts = ("=1+1", "@SUM(A1)", "http://x", "-2")
    telegrams = [result(number, 16 + number, vin=text) for number, text in enumerate(texts, 1)]
    place = reported(place_in(tmp_path), *telegrams)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    with browsing(place) as browser:
        exported = get(browser, "/results?verdict=all&wait&as=csv").text
        assert "'=1+1" in exported and "'@SUM(A1)" in exported and "'-2" in exported
        sheet = rows_of(get(browser, "/results?verdict=all&wait&as=xlsx"), "xlsx", tmp_path)
        assert [row[1] for row in sheet] == ["-2", "http://x", "@SUM(A1)", "=1+1"]
        assert not list((tmp_path / "scratch").iterdir())
        get(browser, "/results?verdict=all&wait&as=exe", 400)
        assert get(browser, "/results?station=9&wait&as=parquet", 404)


def test_every_format_of_the_table_is_on_pages_and_an_option(tmp_path):
    place = filled(place_in(tmp_path), with_more=True, stations=1, cars=3)
    with browsing(place) as browser:
        lists = {address: get(browser, address).text for address in ("/results?verdict=all", "/events")}
    options = {option for parameter in query.params for option in parameter.opts}
    for one in export.FORMATS.values():
        links = [f">{one.label}</a>" in text and f"as={one.name}" in text for text in lists.values()]
        assert links == [True, not one.is_for_results] and f"--{one.name}" in options
        assert (one.write_text is None) != (one.write_file is None)


# -- forms ---------------------------------------------------------------------------------------------------------


def test_csv_with_semicolons_is_what_a_german_spreadsheet_opens(tmp_path):
    row = {"ResultId": 1, "Time": "20261120143000", "VIN": "=1+1", "Torque": 1234.5, "Angle": None, "Who": "a;b"}
    assert export.FORMATS["csv-semicolon"].write([row], str(tmp_path / "a.csv")) == 1
    head, line = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    assert head.startswith("\ufeff") and head[1:] == "ResultId;Time;VIN;Torque;Angle;Who"
    assert line == '1;2026-11-20 14:30:00;\'=1+1;1234,5;;"a;b"'


OTHERS = ("00012345", "1E5", "12345678901234567890", "1-2", "SEPT2", "12:30", "3.4", "3,4", "2 Mai", "März 2026", "1/2")
OTHERS += (
    "5 %",
    "12 €",
    "(5)",
    "1 000",
    "12:30 PM",
    "2-Déc",
    "WAHR",
    "False",
    "٣",
    "12e3",
    " 7 ",
    "1.1.2026",
    '1"',
    "#NV",
    "#N/A",
    "#DIV/0!",
)


@pytest.mark.parametrize("text", OTHERS)
def test_a_text_that_a_spreadsheet_would_take_for_another_stays_text(tmp_path, text):
    export.FORMATS["csv-semicolon"].write([{"VIN": text, "TighteningId": 2**63 - 1}], str(tmp_path / "a.csv"))
    [_, cells] = csv.reader((tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines(), delimiter=";")
    assert cells == ['="' + text.replace('"', '""') + '"', '="9223372036854775807"']


@pytest.mark.parametrize("text", ["WVWZZZ1KZAW123456", "C3412001", "Wheel bolts 2", "No BCode", "", "Tor 1", "8" * 256])
def test_what_stays_text_by_itself_is_written_as_it_is(tmp_path, text):
    row = {"VIN": text, "Number": 10**15 - 1, "Other": "a"}
    export.FORMATS["csv-semicolon"].write([row], str(tmp_path / "a.csv"))
    assert (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()[1] == f"{text};999999999999999;a"
    export.FORMATS["csv"].write([{"VIN": "00012345"}], str(tmp_path / "a.csv"))
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()[1] == "00012345"


def cells_of(path, sheet=1):
    """Every line's cells of a sheet as texts, by the letters of the column."""
    with zipfile.ZipFile(path) as book:
        tree = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))
    assert tree.find(f".//{SPACE}f") is None, "no formula"
    lines = []
    for line in tree.iter(f"{SPACE}row"):
        lines.append({re.match("[A-Z]+", cell.get("r"))[0]: "".join(cell.itertext()) for cell in line})
    return lines


def unescaped(text):
    return re.sub("_x([0-9A-F]{4})_", lambda match: chr(int(match[1], 16)), text)


VALUES = st.one_of(
    st.none(),
    st.integers(-(2**70), 2**70),
    st.floats(-1e9, 1e9),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


@given(st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=5))
def test_sheet_has_every_value_as_it_was(tmp_path_factory, rows):
    path = str(tmp_path_factory.mktemp("sheet") / "a.xlsx")
    names = ("A", "B", "C")
    assert xlsx.write([dict(zip(names, row, strict=True)) for row in rows], path) == len(rows)
    head, *lines = cells_of(path)
    assert list(head.values()) == list(names)
    for row, line in zip(rows, lines, strict=True):
        for name, value in zip(names, row, strict=True):
            cell = line.get(name)
            if isinstance(value, float):
                assert float(cell) == value
            else:
                assert (cell if cell is None else unescaped(cell)) == (value if value is None else str(value))


def test_what_is_too_long_for_a_sheet_goes_on_in_another(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx, "SHEET_ROWS", 4)
    path = str(tmp_path / "a.xlsx")
    assert xlsx.write([{"Number": number} for number in range(7)], path) == 7
    cells = [[line["A"] for line in cells_of(path, sheet)] for sheet in (1, 2, 3)]
    assert cells == [["Number", "0", "1", "2"], ["Number", "3", "4", "5"], ["Number", "6"]]
    with zipfile.ZipFile(path) as book:
        assert re.findall('name="(Results[^"]*)"', book.read("xl/workbook.xml").decode()) == [
            "Results",
            "Results 2",
            "Results 3",
        ]


@pytest.mark.parametrize(
    ("digits", "days"),
    [
        ("20261120143000", 46346.604166666664),
        ("19000301000000", 61.0),
        ("19000228000000", None),
        ("2026112014300x", None),
    ],
)
def test_times_are_days_of_a_sheet(tmp_path, digits, days):
    path = str(tmp_path / "a.xlsx")
    xlsx.write([{"Time": digits}], path)
    assert cells_of(path)[1]["A"] == (digits if days is None else repr(days))


def test_file_that_fails_leaves_nothing(tmp_path):
    def rows():
        yield {"A": 1}
        raise OSError(28, "no space")

    with pytest.raises(OSError, match="no space"):
        xlsx.write(rows(), str(tmp_path / "a.xlsx"))
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def place(new_place):
    return filled(new_place(), with_more=True, stations=2, cars=30, curves=6)


def read(place, view):
    with reading(place) as connection:
        return queries.dicts(connection, text(f"SELECT * FROM {view} ORDER BY 1"))


def test_foreign_reader_gets_the_results_and_events_of_the_pages(place):
    with browsing(place) as browser:
        results, behind = [], ""
        while behind is not None:
            page = browser.get("/results", params={"verdict": "all", "json": "", "behind": behind}).json()
            results, behind = results + page["results"], page["behind"]
        events = browser.get("/events?json").json()["events"]
    foreign = read(place, "results")
    assert len(foreign) == len(results)
    for row, of_page in zip(foreign, sorted(results, key=lambda one: one["ResultId"]), strict=True):
        assert row["result_id"] == of_page["ResultId"] and row["vin"] == of_page["VIN"]
        assert (row["torque"], row["angle"]) == (of_page["Torque"], of_page["Angle"])
        assert row["verdict"] == ("NOK" if of_page["Overall"] else "OK")
        assert str(row["time"]).replace("-", "").replace(":", "").replace(" ", "") == of_page["Time"]
        assert row["station"] == "/".join(str(of_page[name]) for name in ("SystemType", "System", "Station"))
        assert (row["station_name"], row["program_name"]) == (of_page["StationName"], of_page["ProgramName"])
    assert events and {row["event_id"]: row["code"] for row in read(place, "events")}.items() >= {
        (one["EventId"], one["Code"]) for one in events
    }


COUNTS = """SELECT station, program, count(*), count(CASE WHEN verdict = 'NOK' THEN 1 END), avg(torque)
    FROM results GROUP BY station, program"""


def counted(place):
    """What another program counts: sqlite3, or psql in a process of its own."""
    if "://" not in place:
        connection = sqlite3.connect(place)
        counts = connection.execute(COUNTS).fetchall()
        connection.close()
        return counts
    command = ["psql", "-X", "--csv", "--tuples-only", place, "-c", COUNTS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    return [(one[0], *map(int, one[1:4]), float(one[4])) for one in csv.reader(done.stdout.splitlines())]


def test_foreign_reader_counts_what_the_statistics_say(place):
    if "://" in place and shutil.which("psql") is None:
        pytest.skip("there is no psql")
    counts = counted(place)
    assert len(counts) == 4
    with browsing(place) as browser:
        for station, program, count, nok, mean in counts:
            params = {"program": program, "from": "2026-11-01", "json": ""}
            figures = browser.get(f"/trend/{station}", params=params).json()["trend"]
            assert (figures["count"], figures["nok"]) == (count, nok)
            assert figures["quantities"][0]["all"][0]["mean"] == pytest.approx(mean, rel=1e-12)


def test_values_of_a_curve_are_its_numbers_times_scale(place):
    curves = read(place, "curves")
    assert curves
    with reading(place) as connection:
        for row in curves:
            graphs = queries.result(connection, row["result_id"])["Graphs"]
            graph = next(one for one in graphs if one["GraphId"] == row["curve_id"])
            numbers = struct.unpack(f">{row['sample_count']}h", row["samples"])
            assert isinstance(row["scale"], float)
            assert [number * row["scale"] for number in numbers] == pytest.approx(queries.samples(graph)[1])


def test_the_document_names_every_column_of_every_view(place):
    page = (ROOT / "docs/archive.md").read_text(encoding="utf-8")
    for view in VIEWS:
        line = next(line for line in page.splitlines() if line.startswith(f"| `{view}`"))
        with reading(place) as connection:
            names = connection.exec_driver_sql(f"SELECT * FROM {view} LIMIT 0").keys()
        missing = [name for name in names if f"`{name}`" not in line]
        assert not [name for name in missing if not name.startswith("angle_")], missing


def test_an_archive_whose_making_was_interrupted_is_made_at_the_next_start(tmp_path, monkeypatch):
    place = str(tmp_path / "a.sqlite")

    def cut(_connection):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tables, "make_views", cut)
        with pytest.raises(KeyboardInterrupt):
            database.connect(place, writes=True)
    database.connect(place, writes=True).dispose()
    database.connect(place, writes=False).dispose()


def test_archive_of_an_earlier_revision_is_not_only_read(tmp_path, monkeypatch):
    place = empty(place_in(tmp_path))
    monkeypatch.setattr(database, "REVISIONS", (*database.REVISIONS, "a later one"))
    with pytest.raises(database.DatabaseUnusable, match="serve` brings it up to date"):
        database.connect(place, writes=False)


def test_known_revisions_are_those_of_the_migrations():
    folder = ROOT / "toolcart/archive/database/migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(revisions[::-1]) == database.REVISIONS
