"""The archive on PostgreSQL: stored, asked, shown and killed as on SQLite; several PIMs and servers lose nothing."""

import asyncio
import os
import random
import re
import signal
import time
from collections import Counter
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from toolcart.archive.database import database, queries, vehicle_numbers
from toolcart.archive.database.tables import CAR
from toolcart.archive.server import servers
from toolcart.archive.server.servers import Server
from toolcart.archive.statistics import statistics
from toolcart.archive.storage import maintenance
from toolcart.archive.web import page_queries, processor_limit
from toolcart.archive.web.reading import DatabaseUnreachable, QueryTimeout, Reading
from host_tests.archive.test_archive_trouble import Station, judge, kill_again_and_again
from host_tests.portable import LONG
from host_tests.support.archive import (
    DESCRIBED,
    EVENT,
    GRAPH,
    RESULT,
    Served,
    browsing,
    filled,
    kill,
    place_in,
    reading,
    reported,
    result,
    run,
)
from host_tests.support.running import wait_for
from lab.bench import archive_load
from lab.bench.archive import load
from lab.harness.archive_rows import vin
from lab.harness.postgresql import postgresql


@pytest.fixture(scope="module")
def plant(databases):
    return filled(databases(), with_more=True, stations=3, cars=20, curves=10)


def test_every_telegram_is_stored_and_the_next_start_knows_it(databases):
    place = databases()
    with Served(place) as archive:
        archive.report(DESCRIBED, RESULT, RESULT, EVENT, GRAPH, result(1, 18, vin="A'\";--"))
    with Served(place) as archive, archive.pim() as pim:
        pim.receive()
        assert pim.ask("0700002000300010010")[7:17] == "0001800004"
        results = archive.rows('SELECT "Sequence", "VIN", "Arrivals", "Torque" FROM "Result" ORDER BY "ResultId"')
        assert results == [(17, "WVWZZZ1KZAW123456", 2, 42.37), (18, "A'\";--", 1, 42.37)]
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
    with (
        postgresql(synced=False) as new_place,
        pytest.raises(database.DatabaseUnusable, match=r"`fsync` off.* a 05 promises that"),
    ):
        database.connect(new_place(), writes=True)


def test_every_page_is_there(plant):
    with browsing(plant) as browser:
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
        sql = select(CAR.c.VIN).where(vehicle_numbers.between(connection, CAR.c[column], part, part))
        text = str(sql.compile(connection, compile_kwargs={"literal_binds": True}))
        return "\n".join(row[0] for row in connection.exec_driver_sql("EXPLAIN " + text))

    assert "Index Cond" in Reading(plant).ask(plan)


def test_values_drawn_by_lot_are_looked_up_by_their_time(plant):
    """PostgreSQL took each quarter of an hour for a ninth of all results, and read all of a station's."""
    reading, seen = Reading(plant), []

    def plan(connection):
        event.listen(connection, "before_cursor_execute", lambda *seen_of: seen.append(seen_of[2:4]))
        wanted = queries.ResultFilter((3, 1, 1), 1, 1, "2026", "2027")
        assert statistics.sample(connection, wanted, 1000, 900)
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        text, values = next(one for one in seen if "LATERAL" in one[0])
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {text}", values))

    found = reading.ask(plan)
    assert re.search(r'Index Cond: .*"Time"\)?(::text)? >= ', found), found


def test_pages_cannot_write_and_ask_no_longer_than_they_may(plant):
    reading = Reading(plant, limit_s=0.1)
    with pytest.raises(QueryTimeout):
        reading.ask(lambda connection: connection.exec_driver_sql("SELECT pg_sleep(20)").fetchall())
    with pytest.raises(DatabaseUnreachable, match="read-only"):
        reading.ask(lambda connection: connection.exec_driver_sql('DELETE FROM "Breach"'))
    assert reading.ask(page_queries.newest_number) == 300


def test_a_page_has_processor_time_and_by_the_clock_more_of_it(plant, monkeypatch):
    monkeypatch.setattr("toolcart.archive.web.reading.WAITS", 100)  # 20 s
    reading = Reading(plant, limit_s=0.2)

    def busy(connection):
        return connection.exec_driver_sql("SELECT count(*) FROM generate_series(1, 1000000000)").scalar()

    began_s = time.monotonic()
    for _ in range(2):
        assert reading.ask(lambda connection: connection.exec_driver_sql("SELECT pg_sleep(0.5)").fetchall())
        with pytest.raises(QueryTimeout):
            reading.ask(busy)
        assert reading.ask(page_queries.newest_number) == 300
    assert time.monotonic() - began_s < 15


def test_a_server_elsewhere_has_the_clock_alone():
    for host, pid in (("10.0.0.7", os.getpid()), ("127.0.0.1", os.getpid()), ("", 2**30)):
        session = SimpleNamespace(info=SimpleNamespace(hostaddr=host, backend_pid=pid))
        assert processor_limit.used_s(session) is None


def test_an_sqlite_archive_is_taken_over_once(databases, tmp_path):
    place, source = databases(), reported(place_in(tmp_path), RESULT, EVENT, GRAPH)
    for taken in (1, 0):
        counts = maintenance.take_from(place, source, lambda share: None)
        assert (counts["taken"], counts["events"], counts["graphs"]) == (taken, taken, taken)
    [row] = Reading(place).ask(lambda connection: list(queries.results(connection, queries.ResultFilter())))
    assert row["VIN"] == "WVWZZZ1KZAW123456"


def test_what_is_old_moves_into_a_file_and_back(databases, tmp_path):
    into = str(place_in(tmp_path))
    place = filled(databases(), stations=1, cars=10, curves=50, every_s=3600)  # the last one at 14:30
    counts = maintenance.move_old(place, into, maintenance.AgeLimits("20261120103001"), lambda share: None)
    assert (counts["taken"], counts["graphs"]) == (30, 60)
    left = Reading(place).ask(lambda connection: set(connection.execute(select(CAR.c.VIN)).scalars()))
    assert left == {vin(car) for car in range(6, 10)}
    assert maintenance.take_from(place, into, lambda share: None)["taken"] == 30


def test_every_answer_was_kept(starter, databases):
    kill_again_and_again(starter, databases())


STATIONS = 200 if LONG else 12
SECONDS = 300 if LONG else 0  # of kills at random
MOVED_IN_S = 60.0
GONE_S = 2.0  # of a killed server, whose stations would be waited for most of the time
SEED = 30


def test_a_station_moves_only_if_its_server_goes_and_each_server_has_as_many():
    three = [Server("10.0.0.1", 10111), Server("10.0.0.2", 10111), Server("10.0.0.3", 10111)]
    stations = [(3, system, number) for system in (1, 2) for number in range(2000)]
    before = {station: servers.of_station(three, station) for station in stations}
    count = Counter(before.values())
    assert all(abs(count[server] - len(stations) / 3) < 150 for server in three)
    for station, server in before.items():
        now = servers.of_station(three[1:], station)
        assert now == server or server == three[0]
    assert servers.of_station([], (3, 1, 1)) is None


class Traveller(Station):
    """A station that asks a PIM where to report, again and again."""

    async def live(self, pims, dice):
        while not (self.ends and not self.waiting):
            try:
                port = await asyncio.wait_for(self._ask(dice.choice(pims)), 5)
            except (TimeoutError, asyncio.IncompleteReadError, OSError):
                await asyncio.sleep(0.2)
                continue
            await self.report(port, asyncio.Event())
            await asyncio.sleep(0.1)

    async def _ask(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await reader.readexactly(int(await reader.readexactly(4)))
            writer.write(f"0019070000200030001{self.number:04d}".encode())
            reply = (await reader.readexactly(int(await reader.readexactly(4)))).decode()
        finally:
            writer.close()
        mine = [sequence for kind, _, sequence in self.answered if kind == "04"]
        assert reply[:2] == "08" and int(reply[7:12]) >= max(mine, default=0)
        assert reply[17:32].strip() == "127.0.0.1"
        return int(reply[32:37])


async def until_all_moved(stations):
    """Each station gets an answer that it did not have."""
    had = {station.number: len(station.answered) for station in stations}
    began_s = time.monotonic()
    while any(len(station.answered) == had[station.number] for station in stations):
        assert time.monotonic() - began_s < MOVED_IN_S
        await asyncio.sleep(0.05)
    return time.monotonic() - began_s


async def travel(place, starter, ports, processes, dice):
    """Servers and PIMs die and come back, or are stopped, while stations report."""
    stations = [Traveller(number) for number in range(1, STATIONS + 1)]
    tasks = [asyncio.create_task(station.live(ports["pim"], dice)) for station in stations]
    await until_all_moved(stations)
    kill(processes["server"][0])
    took_s = await until_all_moved(stations)
    kill(processes["pim"][0])
    os.kill(processes["server"][1], signal.SIGTERM)
    await until_all_moved(stations)
    with reading(place) as connection:
        assert ports["server"][1] not in [one["Port"] for one in servers.all_of(connection)]
    until_s = time.monotonic() + SECONDS
    kills = 0
    while time.monotonic() < until_s:
        await asyncio.sleep(dice.uniform(0, 6))
        role = dice.choice(("server", "server", "pim"))
        one = dice.randrange(len(ports[role]))
        with suppress(ProcessLookupError):
            kill(processes[role][one])
        kills += 1
        await asyncio.sleep(dice.uniform(0, 3))
        process, *again = await asyncio.to_thread(starter.start, place, role, ports[role][one], GONE_S)
        assert ports[role][one] in again
        processes[role][one] = process
    for station in stations:
        station.ends = True
    await asyncio.wait_for(asyncio.gather(*tasks), MOVED_IN_S)
    return stations, took_s, kills


def test_servers_die_and_are_stopped_and_nothing_is_lost_or_doubled(databases, starter):
    place, dice = databases(), random.Random(SEED)
    ports, processes = {"pim": [], "server": []}, {"pim": [], "server": []}
    for role in ("server", "server", "server", "pim", "pim"):
        process, pim, server = starter.start(place, role, gone_s=GONE_S)
        processes[role].append(process)
        ports[role].append(pim or server)
    try:
        began_s = time.monotonic()
        stations, took_s, kills = asyncio.run(travel(place, starter, ports, processes, dice))
        rate = sum(len(station.answered) for station in stations) / (time.monotonic() - began_s)
    finally:
        for process in processes["pim"] + processes["server"]:
            with suppress(ProcessLookupError):
                kill(process)
    answered = judge(place, stations)
    print(f"{answered} answered, {rate:.0f} a second, {kills} kills, moved in {took_s:.1f} s")


def test_load_asks_pim_for_each_station_and_all_of_it_is_stored(databases, starter):
    place = databases()
    processes = [starter.start(place, role) for role in ("server", "server", "pim")]
    pim = processes[2][1]
    both = {processes[0][2], processes[1][2]}
    wait_for("both servers are there", lambda: set(archive_load.servers_of(pim, 40)[1:]) == both)
    figures = load(0, 40, 0.5, 1, 40.0, 5, pim)
    for process, *_ in processes:
        kill(process)
    assert figures["refused"] == figures["unanswered"] == 0 and figures["sent"] > 0
    with reading(place) as connection:
        counts = [
            connection.exec_driver_sql(f'SELECT count(*) FROM "{t}"').scalar() for t in ("Result", "ResultParameter")
        ]
    assert counts == [figures["sent"], 5 * figures["sent"]]
    assert archive_load.place_of(10_000) == (2, 1)


def test_a_server_that_was_last_seen_before_the_clock_was_set_back_is_gone(databases):
    with database.writing(databases(), is_shared=True) as engine, engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO \"Server\" VALUES ('10.0.0.6', 10111, 1e10)")
        assert servers.live(connection) == [] and servers.all_of(connection)[0]["Silent"] > servers.GONE_S


def test_where_no_server_is_a_station_is_not_answered(databases, starter):
    process, pim, _ = starter.start(databases(), "pim")
    station = Traveller(1)
    with pytest.raises(asyncio.IncompleteReadError):
        asyncio.run(station._ask(pim))
    kill(process)


@pytest.mark.parametrize("is_other_faster", [False, True])
def test_the_lock_that_a_restart_takes_away_is_taken_again_or_another_has_it(databases, monkeypatch, is_other_faster):
    """After a restart of PostgreSQL a second archive could begin to write beside the first."""
    place = databases()
    monkeypatch.setattr(database, "_LOCK_WAIT_S", 0.1)
    with ExitStack() as ends:
        engine = ends.enter_context(database.writing(place))
        with reading(place) as connection:
            others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid, 5000) {others}")
        if is_other_faster:
            ends.enter_context(database.writing(place))
            with pytest.raises(OperationalError, match="another archive writes"):
                engine.connect()
        else:
            engine.connect().close()
            with pytest.raises(database.DatabaseUnusable, match="another archive writes"), database.writing(place):
                pass


def test_alone_and_among_others_exclude_one_another(databases, monkeypatch, tmp_path):
    place = databases()
    monkeypatch.setattr(database, "_LOCK_WAIT_S", 0.1)
    with database.writing(place, is_shared=True):
        with database.writing(place, is_shared=True):
            pass
        with pytest.raises(database.DatabaseUnusable, match="another archive writes"), database.writing(place):
            pass
    with (
        pytest.raises(database.DatabaseUnusable, match="on PostgreSQL alone"),
        database.writing(str(place_in(tmp_path)), is_shared=True),
    ):
        pass
    with Served(place_in(tmp_path)) as archive:  # the file's lock is free after that
        archive.report(RESULT)
    done = run("servers", "--database", place_in(tmp_path), code=2)
    assert "one process serves an SQLite archive" in done.output
