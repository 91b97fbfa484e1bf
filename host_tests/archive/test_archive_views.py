"""The views for other programs: sqlite3 and psql get the numbers that the pages show."""

import csv
import shutil
import sqlite3
import struct
import subprocess

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from starlette.testclient import TestClient

from toolcart.archive import database, queries
from toolcart.archive.tables import VIEWS
from toolcart.archive.web.app import make
from toolcart.archive.web.reading import Reading
from toolcart.base.sources import ROOT
from host_tests.support.archive import DEADLINE_S, place_in, reading
from lab.harness.archive_rows import Plant, fill, fill_beside

SIZE = Plant(stations=2, cars=30, curves=6)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = str(place_in(tmp_path_factory.mktemp("views")))
    with database.writing(made) as engine:
        fill(engine, SIZE)
        fill_beside(engine, SIZE)
    return made


def read(place, view):
    connection = sqlite3.connect(place)
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute(f"SELECT * FROM {view} ORDER BY 1")]
    connection.close()
    return rows


def test_foreign_reader_gets_the_results_and_events_of_the_pages(place):
    with TestClient(make(Reading(place)), base_url="http://127.0.0.1:8080") as browser:
        shown, behind = [], ""
        while behind is not None:
            page = browser.get("/results", params={"verdict": "all", "json": "", "behind": behind}).json()
            shown, behind = shown + page["results"], page["behind"]
        events = browser.get("/events?json").json()["events"]
    found = read(place, "results")
    assert len(found) == len(shown)
    for row, of_page in zip(found, sorted(shown, key=lambda one: one["ResultId"]), strict=True):
        assert row["result_id"] == of_page["ResultId"] and row["vin"] == of_page["VIN"]
        assert (row["torque"], row["angle"]) == (of_page["Torque"], of_page["Angle"])
        assert row["verdict"] == ("NOK" if of_page["Overall"] else "OK")
        assert row["time"].replace("-", "").replace(":", "").replace(" ", "") == of_page["Time"]
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
        found = connection.execute(COUNTS).fetchall()
        connection.close()
        return found
    command = ["psql", "-X", "--csv", "--tuples-only", place, "-c", COUNTS]
    said = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    return [(one[0], *map(int, one[1:4]), float(one[4])) for one in csv.reader(said.stdout.splitlines())]


def test_foreign_reader_counts_what_the_statistics_say(new_place):
    place = new_place()
    with database.writing(place) as engine:
        fill(engine, SIZE)
    if "://" in place and shutil.which("psql") is None:
        pytest.skip("there is no psql")
    found = counted(place)
    assert len(found) == 4
    with TestClient(make(Reading(place)), base_url="http://127.0.0.1:8080") as browser:
        for station, program, count, nok, mean in found:
            asked = {"program": program, "from": "2026-11-01", "json": ""}
            told = browser.get(f"/trend/{station}", params=asked).json()["trend"]
            assert (told["count"], told["nok"]) == (count, nok)
            assert told["quantities"][0]["all"][0]["mean"] == pytest.approx(mean, rel=1e-12)


def test_values_of_a_curve_are_its_numbers_times_scale(place):
    curves = read(place, "curves")
    assert curves
    with reading(place) as connection:
        for row in curves:
            graphs = queries.result(connection, row["result_id"])["Graphs"]
            graph = next(one for one in graphs if one["GraphId"] == row["curve_id"])
            numbers = struct.unpack(f">{row['sample_count']}h", row["samples"])
            assert [number * row["scale"] for number in numbers] == pytest.approx(queries.samples(graph)[1])


def test_the_document_names_every_column_of_every_view(place):
    page = (ROOT / "docs/archive.md").read_text(encoding="utf-8")
    for view in VIEWS:
        line = next(line for line in page.splitlines() if line.startswith(f"| `{view}`"))
        connection = sqlite3.connect(place)
        names = [column[0] for column in connection.execute(f"SELECT * FROM {view} LIMIT 0").description]
        connection.close()
        missing = [name for name in names if f"`{name}`" not in line]
        assert not [name for name in missing if not name.startswith("angle_")], missing


def test_views_are_the_same_on_postgresql(databases):
    place = databases()
    with database.writing(place) as engine:
        fill(engine, SIZE)
        fill_beside(engine, SIZE)
        with engine.connect() as connection:
            for view in VIEWS:
                rows = connection.exec_driver_sql(f"SELECT * FROM {view} ORDER BY 1").mappings().all()
                assert view == "remarks" or rows
            scale = connection.exec_driver_sql("SELECT scale, sample_count FROM curves LIMIT 1").one()
            assert isinstance(scale[0], float) and scale[1] > 0


def test_archive_of_an_earlier_revision_is_not_only_read(tmp_path, monkeypatch):
    made = str(place_in(tmp_path))
    with database.writing(made):
        pass
    monkeypatch.setattr(database, "REVISIONS", (*database.REVISIONS, "a later one"))
    with pytest.raises(database.Unusable, match="serve` brings it up to date"):
        database.connect(made, writes=False)


def test_known_revisions_are_those_of_the_migrations():
    folder = ROOT / "toolcart/archive/migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(found[::-1]) == database.REVISIONS
