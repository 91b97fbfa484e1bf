"""Outlets, broker and consumer, killed at random under load: what a receipt speaks of is there, in order and once."""

import random
import time

from host_tests.archive.batches import Outlet
from host_tests.portable import LONG
from host_tests.support.archive import kill, reading
from host_tests.support.brokers import Mosquitto

KILLS = 1000 if LONG else 15
STATIONS = 4
EACH_MOST = 12  # results of each station between two kills
PAUSE_MOST_S = 0.1
END_S = 60.0
SEED = 32


class Everything:
    """All that can be killed."""

    def __init__(self, folder, place, starter):
        self.dice = random.Random(SEED)
        self.place = place
        self.broker = Mosquitto(folder)
        self.starter = starter
        self.consumer = self.start_consumer()
        self.outlets = [Outlet(self.broker.port, number, f"000000{number:02d}") for number in range(1, STATIONS + 1)]

    def start_consumer(self):
        return self.starter.start(self.place, "consumer", self.broker.port)[0]

    def kill(self, what):
        if what == "consumer":
            kill(self.consumer)
            self.check()
            self.consumer = self.start_consumer()
        elif what == "broker":
            self.broker.kill()
            self.broker.start()
        else:
            outlet = self.dice.choice(self.outlets)
            outlet.kill()
            outlet.start()

    def stored(self):
        """Each station's tightening IDs in the order in which they are there."""
        found = {outlet.station: [] for outlet in self.outlets}
        with reading(self.place) as connection:
            asked = 'SELECT "Station", "TighteningId" FROM "Result" ORDER BY "ResultId"'
            for station, ident in connection.exec_driver_sql(asked):
                found[station].append(ident)
        return found

    def check(self):
        """What was acknowledged is there, in order and once; cursors are read first, so the database may be ahead."""
        cursors = {outlet.station: outlet.cursor for outlet in self.outlets}
        for station, idents in self.stored().items():
            assert idents == [station * 10_000_000 + number for number in range(1, len(idents) + 1)]
            assert len(idents) >= cursors[station]

    def close(self):
        for outlet in self.outlets:
            outlet.kill()
        kill(self.consumer)
        self.broker.kill()


def kill_again_and_again(folder, place, starter):
    everything = Everything(folder, place, starter)
    try:
        for index in range(KILLS):
            for outlet in everything.outlets:
                outlet.tighten(everything.dice.randrange(EACH_MOST + 1))
            time.sleep(everything.dice.uniform(0, PAUSE_MOST_S))
            everything.kill(("consumer", "outlet", "broker")[index % 3])
        until_s = time.monotonic() + END_S
        while any(outlet.cursor < len(outlet.log) for outlet in everything.outlets):
            assert time.monotonic() < until_s, [(outlet.cursor, len(outlet.log)) for outlet in everything.outlets]
            time.sleep(0.02)
        everything.check()
        stored = everything.stored()
        for outlet in everything.outlets:
            assert len(stored[outlet.station]) == len(outlet.log) == outlet.cursor and outlet.wrong == []
    finally:
        everything.close()


def test_every_receipt_was_kept(new_place, starter, tmp_path):
    kill_again_and_again(tmp_path, new_place(), starter)
