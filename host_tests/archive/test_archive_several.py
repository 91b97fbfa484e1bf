"""Several PIMs and servers on one PostgreSQL: who takes which station, and that nothing is lost or doubled by that."""

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress

import pytest
from click.testing import CliRunner

from toolcart.archive import database, servers
from toolcart.archive.servers import Server
from toolcart.tools.cli.main import main
from host_tests.archive.test_archive_sigkill import Kept, Station
from host_tests.portable import LONG
from host_tests.support.archive import RESULT, Served, place_in, reading
from host_tests.support.archive_process import kill
from lab.bench import archive_load
from lab.bench.archive import load

STATIONS = 200 if LONG else 12
SECONDS = 300 if LONG else 0  # of kills at random
MOVED_IN_S = 60.0
GONE_S = 2.0  # of a killed server, whose stations would be waited for most of the time
SEED = 30


def test_a_station_moves_only_if_its_server_goes_and_weights_count():
    three = [Server("10.0.0.1", 10111), Server("10.0.0.2", 10111), Server("10.0.0.3", 10111, 2)]
    stations = [(3, system, number) for system in (1, 2) for number in range(2000)]
    before = {station: servers.of_station(three, station) for station in stations}
    count = Counter(before.values())
    assert all(abs(count[server] - 1000 * server.weight) < 150 for server in three)
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
            told = (await reader.readexactly(int(await reader.readexactly(4)))).decode()
        finally:
            writer.close()
        mine = [sequence for kind, _, sequence in self.answered if kind == "04"]
        assert told[:2] == "08" and int(told[7:12]) >= max(mine, default=0)
        assert told[17:32].strip() == "127.0.0.1"
        return int(told[32:37])


async def until_all_moved(stations):
    """Each station gets an answer that it did not have."""
    had = {station.number: len(station.answered) for station in stations}
    began_s = time.monotonic()
    while any(len(station.answered) == had[station.number] for station in stations):
        assert time.monotonic() - began_s < MOVED_IN_S
        await asyncio.sleep(0.05)
    return time.monotonic() - began_s


async def travel(place, starter, ports, processes, dice):
    """Servers and PIMs die and come back, or are drained, while stations report."""
    stations = [Traveller(number) for number in range(1, STATIONS + 1)]
    lives = [asyncio.create_task(station.live(ports["pim"], dice)) for station in stations]
    await until_all_moved(stations)
    kill(processes["server"][0])
    took_s = await until_all_moved(stations)
    kill(processes["pim"][0])
    drained = await asyncio.to_thread(
        CliRunner().invoke, main, ["archive", "drain", "--database", place, f"127.0.0.1:{ports['server'][1]}"]
    )
    assert drained.exit_code == 0, drained.output
    await until_all_moved(stations)
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
    await asyncio.wait_for(asyncio.gather(*lives), MOVED_IN_S)
    return stations, took_s, kills


def test_servers_die_and_are_drained_and_nothing_is_lost_or_doubled(databases, starter):
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
    kept = Kept(place)
    there = kept.look()
    answered = set().union(*(station.answered for station in stations))
    print(f"{len(answered)} answered, {rate:.0f} a second, {kills} kills, moved in {took_s:.1f} s")
    assert answered == there, f"{len(answered - there)} missing, {len(there - answered)} not answered"
    assert len(kept.rows) == len(there), "doubled"


def test_load_asks_pim_for_each_station_and_all_of_it_is_stored(databases, starter):
    place = databases()
    processes = [starter.start(place, role) for role in ("server", "server", "pim")]
    pim = processes[2][1]
    deadline_s = time.monotonic() + MOVED_IN_S
    while set(archive_load.servers_of(pim, 40)[1:]) != {processes[0][2], processes[1][2]}:
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    told = load(0, 40, 0.5, 1, 40.0, 5, pim)
    for process, *_ in processes:
        kill(process)
    assert told["refused"] == told["unanswered"] == 0 and told["sent"] > 0
    with reading(place) as connection:
        counts = [
            connection.exec_driver_sql(f'SELECT count(*) FROM "{t}"').scalar() for t in ("Result", "ResultParameter")
        ]
    assert counts == [told["sent"], 5 * told["sent"]]
    assert archive_load.place_of(10_000) == (2, 1)


def test_where_no_server_is_a_station_is_not_answered(databases, starter):
    process, pim, _ = starter.start(databases(), "pim")
    station = Traveller(1)
    with pytest.raises(asyncio.IncompleteReadError):
        asyncio.run(station._ask(pim))
    kill(process)


def test_alone_and_among_others_exclude_one_another(databases, monkeypatch, tmp_path):
    place = databases()
    monkeypatch.setattr(database, "_LOCK_WAIT_S", 0.1)
    with database.writing(place, is_shared=True):
        with database.writing(place, is_shared=True):
            pass
        with pytest.raises(database.Unusable, match="another archive writes"), database.writing(place):
            pass
    with (
        pytest.raises(database.Unusable, match="on PostgreSQL alone"),
        database.writing(str(place_in(tmp_path)), is_shared=True),
    ):
        pass
    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        assert server.ask(RESULT)[21:24] == "000", "the file's lock is free after that"
    told = CliRunner().invoke(main, ["archive", "servers", "--database", str(place_in(tmp_path))])
    assert told.exit_code == 2 and "one process serves an SQLite archive" in told.output
