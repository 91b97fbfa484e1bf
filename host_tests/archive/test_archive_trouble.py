"""Databases that die and disks that are full: whatever was answered is there, and stations get through afterwards."""

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

from toolcart.archive import database
from host_tests.archive.test_archive_sigkill import Kept, Station
from host_tests.portable import LONG
from host_tests.support import memory
from host_tests.support.archive import DESCRIBED, Served, place_in
from host_tests.support.memory import needed
from lab.harness.postgresql import postgresql

KILLS = 100 if LONG else 1
STATIONS = 8
PATIENCE_S = 1.5  # a station that is not answered connects again
DEADLINE_S = 60.0
SEED = 5


def running(beside=None):
    """A PostgreSQL of a test's own, which may be killed."""
    return needed("PostgreSQL", postgresql(beside=beside or memory.folder()))


class Patient(Station):
    """A station that connects again where no one answers."""

    async def live(self, port):
        while not (self.ends and not self.waiting):
            before = len(self.answered)
            told = asyncio.create_task(self.report(port, asyncio.Event()))
            while not told.done():
                await asyncio.wait([told], timeout=PATIENCE_S)
                if len(self.answered) == before:
                    break
                before = len(self.answered)
            told.cancel()
            await asyncio.gather(told, return_exceptions=True)
            await asyncio.sleep(0.05)


async def answered_again(stations):
    """Each gets an answer that it did not have."""
    had = [len(station.answered) for station in stations]
    until_s = time.monotonic() + DEADLINE_S
    while any(len(station.answered) == before for station, before in zip(stations, had, strict=True)):
        assert time.monotonic() < until_s
        await asyncio.sleep(0.02)


async def through(port, trouble, stations):
    """Stations report while `trouble` does its worst, and until all is answered."""
    lives = [asyncio.create_task(station.live(port)) for station in stations]
    await answered_again(stations)
    await trouble(stations)
    for station in stations:
        station.ends = True
    await asyncio.wait_for(asyncio.gather(*lives), DEADLINE_S)


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
            assert any("not stored" in text for text in archive.said)
        print(f"{judge(place, stations)} answered, {KILLS} kills")


@pytest.fixture
def small_disk():
    """A file system of its own, where another user gets to as well."""
    folder = Path(tempfile.mkdtemp(prefix="toolcart-small-", dir="/tmp"))
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=128m,mode=0777", "tmpfs", str(folder)]
        made = subprocess.run(command, capture_output=True, check=False)
        if made.returncode:
            pytest.skip(f"no file system of a test's own here: {made.stderr.decode().strip()}")
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
        said = len(archive.said)
        until_s = time.monotonic() + DEADLINE_S
        while not any("not stored" in text for text in archive.said[said:]):
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
    except database.Unusable:
        databases.start()


# -- backup and restore --------------------------------------------------------------------------------------------


def some_reported(place):
    stations = [Patient(number) for number in range(1, 4)]

    async def nothing(stations):
        pass

    with Served(place) as archive, archive.server() as server:
        assert server.ask(DESCRIBED)[21:24] == "000"
        asyncio.run(through(archive.server_port, nothing, stations))
    return stations


def test_a_backup_of_sqlite_taken_while_it_is_served_is_an_archive(tmp_path):
    place, copy = str(place_in(tmp_path)), str(tmp_path / "copy.sqlite")
    stations = some_reported(place)
    with Served(place) as archive, archive.server() as server:
        assert server.ask(DESCRIBED)[21:24] == "000"
        source, to = sqlite3.connect(place), sqlite3.connect(copy)
        source.backup(to)
        source.close()
        to.close()
    judge(copy, stations)
    with Served(copy) as archive, archive.pim() as pim:
        pim.hear()
        told = pim.ask("0700001000300010001")
        mine = [sequence for of, _, sequence in stations[0].answered if of == "04"]
        assert int(told[7:12]) == max(mine), "an 08 names what the copy has"


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
        with Served(other) as archive, archive.server() as server:
            assert server.ask(DESCRIBED)[21:24] == "000"
