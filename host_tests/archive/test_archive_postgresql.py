"""The archive on PostgreSQL: what is stored, asked, shown and killed there as on SQLite."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select
from starlette.testclient import TestClient

from toolcart.archive import cars, changes, database, queries
from toolcart.archive.tables import CAR, TABLES
from toolcart.archive.web import asked
from toolcart.archive.web.app import make
from toolcart.archive.web.reading import Away, Reading, TooLong
from host_tests.archive.test_archive_sigkill import kill_again_and_again
from host_tests.support.archive import DESCRIBED, EVENT, GRAPH, RESULT, Served, place_in, reading, result
from lab.harness.archive_rows import Plant, fill, fill_beside, vin
from lab.harness.postgresql import postgresql


@pytest.fixture(scope="module")
def plant(databases):
    place = databases()
    size = Plant(stations=3, cars=20, curves=10)
    with database.writing(place) as engine:
        fill(engine, size)
        fill_beside(engine, size)
    return place


def test_every_telegram_is_stored_and_the_next_start_knows_it(databases):
    place = databases()
    with Served(place) as archive, archive.server() as server:
        for telegram in (DESCRIBED, RESULT, RESULT, EVENT, GRAPH, result(1, 18, vin="A'\";--")):
            assert server.ask(telegram)[21:24] == "000"
    with Served(place) as archive, archive.pim() as pim:
        pim.hear()
        assert pim.ask("0700002000300010010")[7:17] == "0001800004"
        found = archive.rows('SELECT "Sequence", "VIN", "Arrivals", "Torque" FROM "Result" ORDER BY "ResultId"')
        assert found == [(17, "WVWZZZ1KZAW123456", 2, 42.37), (18, "A'\";--", 1, 42.37)]
        assert bytes(archive.rows('SELECT "Samples" FROM "Graph"')[0][0]) == GRAPH[116:]


def test_what_is_committed_is_on_the_disk_whatever_the_server_does_otherwise(databases):
    place = databases()
    with database.writing(place) as engine, engine.connect() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
        connection.commit()
    with database.writing(place) as engine, engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        plain = database.connect(place, writes=False)
        with plain.connect() as reading:
            assert reading.exec_driver_sql("SHOW synchronous_commit").scalar() == "off", "as it was set"
        plain.dispose()


def test_a_server_that_does_not_wait_for_its_disk_is_refused(databases):
    with postgresql(synced=False) as made, pytest.raises(database.Unusable, match="`fsync` off"):
        database.connect(made(), writes=True)


def test_one_archive_writes_at_a_time(databases, monkeypatch):
    place = databases()
    monkeypatch.setattr(database, "_LOCK_WAIT_S", 0.1)
    with (
        database.writing(place),
        pytest.raises(database.Unusable, match="another archive writes there"),
        database.writing(place),
    ):
        pass


def test_migrations_make_what_the_tables_say(plant):
    with reading(plant) as connection:
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []


def test_every_page_is_there(plant):
    with TestClient(make(Reading(plant)), base_url="http://127.0.0.1", follow_redirects=False) as browser:
        for path in (
            "/",
            "/live",
            f"/car?vin={vin(3)}",
            "/result/300",
            "/station/3/1/2",
            f"/trend/3/1/2?vin_from={vin(3)}&vin_to={vin(7)}",
            "/pareto",
            "/pareto?by=program&station=2&program=1",
            "/results",
            "/events",
            "/breaches",
        ):
            assert browser.get(path).status_code == 200
        cars = browser.get(f"/search?q={vin(10)[:-1]}&json").json()["cars"]
        assert [car["VIN"] for car in cars] == [vin(n) for n in range(10, 20)]
        assert browser.get(f"/search?q={vin(7).lower()}").headers["location"] == f"/car?vin={vin(7)}"
        rows = browser.get("/results?verdict=all&json").json()
        further = browser.get(f"/results?verdict=all&json&behind={rows['behind']}")
        assert [row["ResultId"] for row in rows["results"]] == list(range(300, 200, -1))
        assert further.json()["results"][0]["ResultId"] == 200


@pytest.mark.parametrize(("column", "part"), [("VIN", vin(3)[:-1]), ("Backwards", vin(3)[:10:-1])])
def test_a_beginning_and_an_end_are_found_by_an_index(plant, column, part):
    def plan(connection):
        connection.exec_driver_sql("SET enable_seqscan = off")  # three hundred rows are read faster than looked up
        sql = select(CAR.c.VIN).where(cars.begins(connection, CAR.c[column], part))
        text = str(sql.compile(connection, compile_kwargs={"literal_binds": True}))
        return "\n".join(row[0] for row in connection.exec_driver_sql("EXPLAIN " + text))

    assert "Index Cond" in Reading(plant).ask(plan)


def test_pages_cannot_write_and_ask_no_longer_than_they_may(plant):
    reading = Reading(plant, limit_s=0.1)
    with pytest.raises(TooLong):
        reading.ask(lambda connection: connection.exec_driver_sql("SELECT pg_sleep(20)").fetchall())
    with pytest.raises(Away, match="read-only"):
        reading.ask(lambda connection: connection.exec_driver_sql('DELETE FROM "Breach"'))
    assert reading.ask(asked.newest_number) == 300


def test_an_sqlite_archive_is_taken_over_once(databases, tmp_path):
    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        for telegram in (RESULT, EVENT, GRAPH):
            server.ask(telegram)
    place = databases()
    for taken in (1, 0):
        told = changes.take_from(place, str(place_in(tmp_path)), lambda share: None)
        assert (told["taken"], told["events"], told["graphs"]) == (taken, taken, taken)
    [row] = Reading(place).ask(lambda connection: list(queries.results(connection, queries.Wanted())))
    assert row["VIN"] == "WVWZZZ1KZAW123456"


def test_what_is_old_moves_into_a_file_and_back(databases, tmp_path):
    place, into = databases(), str(place_in(tmp_path))
    with database.writing(place) as engine:
        fill(engine, Plant(stations=1, cars=10, curves=50, every_s=3600))  # the last one at 14:30
    told = changes.move_old(place, into, changes.Old("20261120103001"), lambda share: None)
    assert (told["taken"], told["graphs"]) == (30, 60)
    left = Reading(place).ask(lambda connection: set(connection.execute(select(CAR.c.VIN)).scalars()))
    assert left == {vin(car) for car in range(6, 10)}
    assert changes.take_from(place, into, lambda share: None)["taken"] == 30


def test_every_answer_was_kept(starter, databases):
    kill_again_and_again(starter, databases())
