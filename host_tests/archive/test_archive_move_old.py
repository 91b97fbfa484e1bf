"""`toolcart archive move-old`: what is old goes into another archive, and together they always have all of it."""

import json
import threading

import pytest
from click.testing import CliRunner

from toolcart.archive import changes, database, retention
from toolcart.archive.retention import Keeping, Retention
from toolcart.tools.cli.main import main
from host_tests.support.archive import EVENT, GRAPH, Served, place_in, reading, result, run

OLD = "20200101000000"


def with_vin(telegram, vin):
    """The same with an additional number."""
    return telegram[:71] + "01" + telegram[73:150] + "0002" + vin.ljust(25) + telegram[150:]


@pytest.fixture
def place(tmp_path):
    """Ten results, an event, a curve and a breach; all but the last three results are old."""
    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        for number in range(1, 11):
            telegram = result(number, number, vin=f"CAR{(number - 1) // 2}", time=f"202403140926{number:02d}")
            server.ask(with_vin(telegram, f"BODY{number}") if number in (2, 9) else telegram)
        for telegram in (EVENT, EVENT.replace("0900045", "0900046").replace("20240314", "20240315"), GRAPH):
            server.ask(telegram)
        server.ask("0400099garbage")
    made = archive.place
    with database.writing(made) as engine, engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE Result SET Arrived = '{OLD}' WHERE ResultId <= 7")
        connection.exec_driver_sql(f"UPDATE Event SET Arrived = '{OLD}'")
        connection.exec_driver_sql(f"UPDATE Breach SET Arrived = '{OLD}'")
    return made


def whole(place):
    """All results with everything that belongs to them, and all events, without their numbers."""
    told = set()
    with reading(place) as connection:

        def rows(sql):
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

        for number, *row in rows("SELECT * FROM Result"):
            vins = rows(f"SELECT Identifier, VIN FROM ResultVIN WHERE ResultId = {number}")
            parameters = rows(f"SELECT Name, Value, Unit FROM ResultParameter WHERE ResultId = {number}")
            told.add((*row, tuple(vins), tuple(parameters)))
        for number, *row in rows("SELECT * FROM Event"):
            told.add((*row, *rows(f"SELECT Value FROM EventParameter WHERE EventId = {number}")))
        cars = {row[0] for row in rows("SELECT VIN FROM Car")}
        assert cars == {row[0] for row in rows("SELECT VIN FROM Result UNION SELECT VIN FROM ResultVIN")} - {""}
    return told


def test_what_is_old_is_in_the_other_archive_and_the_rest_here(place, tmp_path):
    before, into = whole(place), tmp_path / "old.sqlite"
    told = json.loads(run("move-old", "--database", place, "--keep-days", 30, "--into", into, "--json").stdout)
    assert told.pop("breaches") > 0
    assert told == {"taken": 7, "events": 1, "graphs": 0}
    here, there = whole(place), whole(into)
    assert "BODY2" in str(there) and "BODY9" in str(here)
    assert len(there) == 8 and here | there == before and not here & there
    assert "moved 0 results" in run("move-old", "--database", place, "--keep-days", 30, "--into", into).stdout
    assert "missing 0, behind 0" in run("check", "--database", place).stdout
    run("import", "--database", place, into)
    assert whole(place) == before


def test_an_08_names_the_same_and_numbers_go_on(place, tmp_path):
    with database.writing(place) as engine, engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE Result SET Arrived = '{OLD}'")
    run("move-old", "--database", place, "--keep-days", 1, "--into", tmp_path / "old.sqlite")
    with Served(place) as archive:
        assert archive.writer.latest((3, 1, 10)) == (10, archive.writer.latest((3, 1, 10))[1])
        with archive.server() as server:
            assert server.ask(result(11, 11, time="20240314092711"))[21:24] == "000"
        assert archive.rows("SELECT ResultId FROM Result ORDER BY 1") == [(10,), (11,)]


def test_cut_off_anywhere_both_together_have_all(place, tmp_path, monkeypatch):
    monkeypatch.setattr(changes, "_AT_ONCE", 2)
    before, into = whole(place), tmp_path / "old.sqlite"
    steps = ("_take_some", "_delete")
    for step in steps * 4:
        done, left = getattr(changes, step), [1]

        def cut(*words, done=done, left=left):
            if not left:
                raise KeyboardInterrupt
            left.pop()
            return done(*words)

        words = ["archive", "move-old", "--database", place, "--keep-days", "30", "--into", str(into)]
        with monkeypatch.context() as patched:
            patched.setattr(changes, step, cut)
            CliRunner().invoke(main, words)
        assert whole(place) | whole(into) == before
    run("move-old", "--database", place, "--keep-days", 30, "--into", into)
    assert len(whole(into)) == 8 and whole(place) | whole(into) == before and not whole(place) & whole(into)


def test_an_archive_is_not_moved_into_itself_or_while_it_is_served(place, tmp_path):
    words = ["move-old", "--database", place, "--keep-days", 30, "--into"]
    assert "the archive itself" in run(*words, f"{tmp_path}/../{tmp_path.name}/archive.sqlite", code=2).stderr
    with Served(place):
        assert "another archive writes there" in run(*words, tmp_path / "old.sqlite", code=2).stderr


def test_ok_results_go_earlier_but_not_beside_one_that_is_not_ok(place, tmp_path):
    with database.writing(place) as engine, engine.begin() as connection:
        connection.exec_driver_sql("UPDATE Result SET Overall = ResultId % 2")
        connection.exec_driver_sql("UPDATE Result SET Sequence = 1, Time = 'x', Spindle = ResultId WHERE ResultId <= 2")
        connection.exec_driver_sql("UPDATE Graph SET Arrived = '20200101000000'")
    before, into = whole(place), tmp_path / "old.sqlite"
    words = ("--keep-days", 10000, "--keep-ok-days", 30, "--into", into, "--json")
    told = json.loads(run("move-old", "--database", place, *words).stdout)
    assert told["taken"] == 2, "4 and 6, not 2"
    assert told["events"] == 0 and whole(place) | whole(into) == before


def test_what_is_old_goes_while_the_archive_is_served(place, tmp_path, monkeypatch):
    monkeypatch.setattr(retention, "FIRST_S", 0.0)
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    monkeypatch.setattr(retention, "PAUSE_S", 0.001)
    before, into, said = whole(place), tmp_path / "old.sqlite", []
    with Served(place) as archive, archive.server() as server:
        engine = archive.writer._engine
        moving = Retention(engine, str(place), archive.writer, Keeping(str(into), 30), said.append)
        for number in range(100, 160):  # a car that goes with its results comes back with a new one
            assert server.ask(result(number, number, vin="CAR0", time="20240315000000"))[21:24] == "000"
        moving._thread.join(0)
        deadline = threading.Event()
        while not said and not deadline.wait(0.01):
            pass
        moving.close()
    assert said == ["moved 7 results, 1 events, 0 curves"]
    here, there = whole(place), whole(into)
    assert len(there) == 8 and before <= here | there and not here & there and len(here) == len(before) - 8 + 60
    assert "move-old into" in str(Served(place).rows("SELECT What FROM Audit"))
