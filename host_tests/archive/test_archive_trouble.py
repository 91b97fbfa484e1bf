"""An archive killed hard, databases that die, full disks: whatever was answered is there once, and all get through."""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from toolcart.archive.database import database
from host_tests.portable import LONG
from host_tests.support import memory
from host_tests.support.archive import (
    DEADLINE_S,
    DESCRIBED,
    EVENT,
    GRAPH,
    Served,
    Talk,
    kill,
    place_in,
    reading,
    result,
)
from host_tests.support.needed import needed
from lab.harness.postgresql import postgresql

SIGKILLS = 1000 if LONG else 5
WINDOW = 4
UP_S = (0.0, 0.12)  # how long it may live once it answers
SIGKILL_SEED = 12
TABLES = {"04": ("Result", "ResultId"), "09": ("Event", "EventId"), "13": ("Graph", "GraphId")}


def telegram(kind, identifier, station, sequence):
    if kind == "04":
        return result(identifier, sequence, station=station).encode()
    if kind == "09":
        return f"09{identifier:05d}00030001{station:04d}{EVENT[19:33]}{sequence:05d}{EVENT[38:]}".encode()
    head = GRAPH.decode("latin-1")
    return f"13{identifier:05d}{head[7:18]}{station:04d}{head[22:44]}{sequence:05d}{head[49:]}".encode("latin-1")


class Station:
    """Sends with a window, in order; what was not answered goes again on the next connection, in front."""

    def __init__(self, number):
        self.number = number
        self.waiting = []  # (kind, sequence), oldest first
        self.answered = set()
        self.ends = False  # it has nothing new to say
        self._sequence = self._identifier = 0

    async def report(self, port, is_answered):
        """Send until the other side is gone; `heard` is set at the first answer."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            self._out = {}
            for key in self.waiting:
                self._send(writer, key)
            while True:
                while len(self.waiting) < WINDOW and not self.ends:
                    self.waiting.append(self._next())
                    self._send(writer, self.waiting[-1])
                if not self.waiting:
                    writer.close()
                    return
                length = int(await reader.readexactly(4))
                answer = (await reader.readexactly(length)).decode()
                assert answer[:2] == "05" and answer[21:24] == "000", answer
                key = self._out.pop(int(answer[2:7]))
                self.waiting.remove(key)
                self.answered.add((key[0], self.number, key[1]))
                is_answered.set()
        except (asyncio.IncompleteReadError, OSError):
            return

    def _next(self):
        self._sequence += 1
        kind = "04" if self._sequence % 6 else "09" if self._sequence % 12 else "13"
        return (kind, self._sequence)

    def _send(self, writer, key):
        self._identifier = self._identifier % 99999 + 1
        self._out[self._identifier] = key
        octets = telegram(key[0], self._identifier, self.number, key[1])
        writer.write(b"%04d" % len(octets) + octets)


class Kept:
    """What the database has, looked at from outside after each kill."""

    def __init__(self, place):
        self._place = place
        self._seen = dict.fromkeys(TABLES, 0)
        self.rows = []

    def look(self):
        with reading(self._place) as connection:
            for kind, (table, number) in TABLES.items():
                sql = f'SELECT "{number}", "Station", "Sequence" FROM "{table}" WHERE "{number}" > {self._seen[kind]}'
                for row in connection.exec_driver_sql(sql):
                    self._seen[kind] = max(self._seen[kind], row[0])
                    self.rows.append((kind, row[1], row[2]))
        return set(self.rows)


async def live_and_die(process, port, stations, up_s):
    is_answered = asyncio.Event()
    reports = [asyncio.create_task(station.report(port, is_answered)) for station in stations]
    await asyncio.wait_for(is_answered.wait(), DEADLINE_S)
    await asyncio.sleep(up_s)
    kill(process)
    await asyncio.wait_for(asyncio.gather(*reports), DEADLINE_S)


def named(port, station):
    """The latest result and event that the PIM names to a station."""
    with Talk(port) as pim:
        pim.receive()
        reply = pim.ask(f"070000100030001{station:04d}")
    return int(reply[7:12]), int(reply[12:17])


def kill_again_and_again(starter, place):
    dice = random.Random(SIGKILL_SEED)
    stations = [Station(number) for number in range(1, STATIONS + 1)]
    kept = Kept(place)
    for _ in range(SIGKILLS):
        process, pim, server = starter.start(place)
        for station in stations[:2]:
            latest = named(pim, station.number)
            for kind, latest_number in zip(("04", "09"), latest, strict=True):
                mine = [sequence for of, _, sequence in station.answered if of == kind]
                assert latest_number >= max(mine, default=0)
        asyncio.run(live_and_die(process, server, stations, dice.uniform(*UP_S)))
        there = kept.look()
        for station in stations:
            assert station.answered <= there
    answered = sum(len(station.answered) for station in stations)
    assert answered >= SIGKILLS
    assert len(kept.rows) == len(set(kept.rows))
    return answered


def test_every_answer_on_sqlite_was_kept(starter, tmp_path):
    kill_again_and_again(starter, str(place_in(tmp_path)))


KILLS = 100 if LONG else 1
STATIONS = 8
PATIENCE_S = 1.5  # a station that is not answered connects again
END_S = 60.0
SEED = 5


def running(parent=None):
    """A PostgreSQL of a test's own, which may be killed."""
    return needed("PostgreSQL", postgresql(parent=parent or memory.folder()))


class Patient(Station):
    """A station that connects again where no one answers."""

    async def live(self, port):
        while not (self.ends and not self.waiting):
            before = len(self.answered)
            reporting = asyncio.create_task(self.report(port, asyncio.Event()))
            while not reporting.done():
                await asyncio.wait([reporting], timeout=PATIENCE_S)
                if len(self.answered) == before:
                    break
                before = len(self.answered)
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)
            await asyncio.sleep(0.05)


async def answered_again(stations):
    """Each gets an answer that it did not have."""
    had = [len(station.answered) for station in stations]
    until_s = time.monotonic() + END_S
    while any(len(station.answered) == before for station, before in zip(stations, had, strict=True)):
        assert time.monotonic() < until_s
        await asyncio.sleep(0.02)


async def through(port, trouble, stations):
    """Stations report while `trouble` does its worst, and until all is answered."""
    tasks = [asyncio.create_task(station.live(port)) for station in stations]
    await answered_again(stations)
    await trouble(stations)
    for station in stations:
        station.ends = True
    await asyncio.wait_for(asyncio.gather(*tasks), END_S)


def judge(place, stations):
    kept = Kept(place)
    there = kept.look()
    answered = set().union(*(station.answered for station in stations))
    assert answered == there, f"{len(answered - there)} missing, {len(there - answered)} not answered"
    assert len(kept.rows) == len(there), "doubled"
    return len(answered)


def test_postgresql_is_killed_under_load_and_nothing_answered_is_lost():
    stations, dice = [Patient(number) for number in range(1, STATIONS + 1)], random.Random(SEED)
    with running() as databases:
        place = databases()

        async def kill(stations):
            for _ in range(KILLS):
                await asyncio.to_thread(databases.kill)
                await asyncio.sleep(dice.uniform(0, 0.3))
                await asyncio.to_thread(databases.start)
                await answered_again(stations)

        with Served(place) as archive:
            asyncio.run(through(archive.server_port, kill, stations))
            assert any("not stored" in text for text in archive.log)
        print(f"{judge(place, stations)} answered, {KILLS} kills")


@pytest.fixture
def small_disk():
    """A file system of its own, where another user gets to as well."""
    folder = Path(tempfile.mkdtemp(prefix="toolcart-small-", dir="/tmp"))
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=128m,mode=0777", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"no file system of a test's own here: {done.stderr.decode().strip()}")
        folder.chmod(0o777)
        yield folder
        subprocess.run(["umount", "-l", folder], check=True)
    finally:
        folder.rmdir()


async def fill_up(folder, stations, archive):
    """No room is left until what wants to be stored fails; then there is some again."""
    with open(folder / "filling", "wb", 0) as file:
        octets = 2**20
        while octets >= 4096:
            try:
                while file.write(bytes(octets)) == octets:
                    pass
            except OSError:
                pass
            octets //= 4
        noted = len(archive.log)
        until_s = time.monotonic() + END_S
        while not any("not stored" in text for text in archive.log[noted:]):
            assert time.monotonic() < until_s, "it never noticed"
            await asyncio.sleep(0.05)
    os.unlink(folder / "filling")
    await answered_again(stations)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_disk_that_is_full_costs_nothing_answered(kind, small_disk):
    stations = [Patient(number) for number in range(1, STATIONS + 1)]

    with running(str(small_disk)) if kind == "postgresql" else nullcontext() as databases:
        place = databases() if databases else str(place_in(small_disk))
        with Served(place) as archive:

            async def trouble(stations):
                filling = asyncio.create_task(fill_up(small_disk, stations, archive))
                while not filling.done():
                    await asyncio.wait([filling], timeout=2)
                    if databases and not filling.done() and not (small_disk / "filling").exists():
                        await asyncio.to_thread(restart_if_dead, databases, place)
                await filling

            asyncio.run(through(archive.server_port, trouble, stations))
        assert judge(place, stations)


def restart_if_dead(databases, place):
    """A PostgreSQL without room for its journal ends itself."""
    try:
        database.connect(place, writes=False).dispose()
    except database.DatabaseUnusable:
        databases.start()


# -- backup and restore --------------------------------------------------------------------------------------------


def some_reported(place):
    stations = [Patient(number) for number in range(1, 4)]

    async def nothing(stations):
        pass

    with Served(place) as archive:
        archive.report(DESCRIBED)
        asyncio.run(through(archive.server_port, nothing, stations))
    return stations


def test_a_backup_of_sqlite_taken_while_it_is_served_is_an_archive(tmp_path):
    place, copy = str(place_in(tmp_path)), str(tmp_path / "copy.sqlite")
    stations = some_reported(place)
    with Served(place) as archive:
        archive.report(DESCRIBED)
        source, to = sqlite3.connect(place), sqlite3.connect(copy)
        source.backup(to)
        source.close()
        to.close()
    judge(copy, stations)
    with Served(copy) as archive, archive.pim() as pim:
        pim.receive()
        reply = pim.ask("0700001000300010001")
        mine = [sequence for of, _, sequence in stations[0].answered if of == "04"]
        assert int(reply[7:12]) == max(mine), "an 08 names what the copy has"


def test_a_dump_of_postgresql_is_restored_into_an_archive(tmp_path):
    dump = shutil.which("pg_dump")
    if dump is None:
        pytest.skip("no pg_dump")
    with running() as databases:
        place, other = databases(), databases()
        stations = some_reported(place)
        subprocess.run([dump, "-Fc", "-f", tmp_path / "dump", place], check=True)
        subprocess.run(["pg_restore", "--no-owner", "-d", other, tmp_path / "dump"], check=True)
        judge(other, stations)
        with Served(other) as archive:
            archive.report(DESCRIBED)
