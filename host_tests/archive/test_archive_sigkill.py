"""The archive, killed hard under load again and again: whatever a 05 was sent for is in the database, and once."""

import asyncio
import random

from host_tests.portable import LONG
from host_tests.support.archive import DEADLINE_S, EVENT, GRAPH, Talk, kill, place_in, reading, result

KILLS = 1000 if LONG else 5
STATIONS = 8
WINDOW = 4
UP_S = (0.0, 0.12)  # how long it may live once it answers
SEED = 12
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

    async def report(self, port, heard):
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
                heard.set()
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
    heard = asyncio.Event()
    reports = [asyncio.create_task(station.report(port, heard)) for station in stations]
    await asyncio.wait_for(heard.wait(), DEADLINE_S)
    await asyncio.sleep(up_s)
    kill(process)
    await asyncio.wait_for(asyncio.gather(*reports), DEADLINE_S)


def named(port, station):
    """The latest result and event that the PIM names to a station."""
    with Talk(port) as pim:
        pim.hear()
        told = pim.ask(f"070000100030001{station:04d}")
    return int(told[7:12]), int(told[12:17])


def kill_again_and_again(starter, place):
    dice = random.Random(SEED)
    stations = [Station(number) for number in range(1, STATIONS + 1)]
    kept = Kept(place)
    for _ in range(KILLS):
        process, pim, server = starter.start(place)
        for station in stations[:2]:
            latest = named(pim, station.number)
            for kind, told in zip(("04", "09"), latest, strict=True):
                mine = [sequence for of, _, sequence in station.answered if of == kind]
                assert told >= max(mine, default=0)
        asyncio.run(live_and_die(process, server, stations, dice.uniform(*UP_S)))
        there = kept.look()
        for station in stations:
            assert station.answered <= there
    answered = sum(len(station.answered) for station in stations)
    assert answered >= KILLS
    assert len(kept.rows) == len(set(kept.rows))
    return answered


def test_every_answer_on_sqlite_was_kept(starter, tmp_path):
    kill_again_and_again(starter, str(place_in(tmp_path)))
