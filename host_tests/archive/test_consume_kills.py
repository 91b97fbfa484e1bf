"""Outlets, broker, consumer, database and agent, killed at random under load: each batch in order and once."""

import random
import subprocess
import time
from contextlib import ExitStack, closing

import pytest

from toolcart.archive.database import sequence_gaps
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.serve import SimulatedPlant
from host_tests.archive.batches import Outlet
from host_tests.portable import LONG
from host_tests.support.archive import kill, reading
from host_tests.support.brokers import Mosquitto
from host_tests.support.running import ENVIRONMENT, cart_of, command_of, free_port, ran, wait_for, written

KILLS = 1000 if LONG else 9
STATIONS = 4
EACH_MOST = 12  # results of each station between two kills
PAUSE_MOST_S = 0.1
SEED = 32


class Killed:
    """A consumer and its broker, and what stands on the other side; each can be killed and begins again."""

    def __init__(self, place, broker, starter):
        self.place, self.broker, self.starter = place, broker, starter
        self.start_consumer()

    def start_consumer(self):
        self.consumer = self.starter.start(self.place, f"consumer+{self.broker.port}")[0]

    def kill(self, what):
        if what == "consumer":
            kill(self.consumer)
            self.check()
            self.start_consumer()
        elif what == "broker":
            self.broker.kill()
            self.broker.start()
        else:
            self.kill_other()

    def check(self):
        """What is there while no consumer runs."""


class Outlets(Killed):
    """The other side is small outlets (host_tests.archive.batches)."""

    def __init__(self, place, broker, starter):
        super().__init__(place, broker, starter)
        self.dice = random.Random(SEED)
        self.outlets = [Outlet(broker.port, number, f"000000{number:02d}") for number in range(1, STATIONS + 1)]

    def kill_other(self):
        outlet = self.dice.choice(self.outlets)
        outlet.kill()
        outlet.start()

    def stored(self):
        """Each station's tightening IDs in the order in which they are there."""
        idents = {outlet.station: [] for outlet in self.outlets}
        with reading(self.place) as connection:
            statement = 'SELECT "Station", "TighteningId" FROM "Result" ORDER BY "ResultId"'
            for station, ident in connection.exec_driver_sql(statement):
                idents[station].append(ident)
        return idents

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


def test_every_receipt_was_kept(new_place, starter, tmp_path):
    with Mosquitto(tmp_path) as broker, closing(Outlets(new_place(), broker, starter)) as everything:
        outlets, dice = everything.outlets, everything.dice
        for index in range(KILLS):
            for outlet in outlets:
                outlet.tighten(dice.randrange(EACH_MOST + 1))
            time.sleep(dice.uniform(0, PAUSE_MOST_S))
            everything.kill(("consumer", "outlet", "broker")[index % 3])
        wait_for(
            lambda: [(outlet.cursor, len(outlet.log)) for outlet in outlets],
            lambda: all(outlet.cursor >= len(outlet.log) for outlet in outlets),
        )
        everything.check()
        stored = everything.stored()
        for outlet in outlets:
            assert len(stored[outlet.station]) == len(outlet.log) == outlet.cursor and outlet.wrong == []


WAY_KILLS = 300 if LONG else 6
RATE_PER_S = 40
UP_MOST_S = 0.8
MEMORY = 100_000  # of the controller: what a kill took between its answer and the log can be fetched again
WAY_END_S = 600.0 if LONG else 90.0
WAY_SEED = 33
# What is below the consumer's writer differs, and host_tests/archive/test_consume_kills.py kills it on both.
ALSO = pytest.mark.long("the whole way on another database")
POSTGRESQL = pytest.param("postgresql", marks=ALSO)


class WholeWay(Killed):
    """The other side is an agent with a controller and ToolsNet."""

    def __init__(self, folder, place, plant, broker, starter):
        super().__init__(place, broker, starter)
        self.folder, self.plant = folder, plant
        outlets = [{"kind": "toolsnet"}, {"kind": "mqtt", "host": "127.0.0.1", "port": broker.port}]
        station = {"spool": {"path": str(folder / "7.spool")}, "outlets": outlets}
        self.config = written(folder, cart_of(plant, 7, station=station))
        self.start_agent()

    def start_agent(self):
        words = command_of("run", "--config", self.config, "--plain")
        with open(self.folder / "agent.log", "ab") as log:
            self.agent = subprocess.Popen(words, env=ENVIRONMENT, stdout=log, stderr=log)

    def kill_other(self):
        self.agent.kill()
        self.agent.wait()
        self.start_agent()

    def acknowledged(self):
        """What the agent has acknowledged, or was given when it asked for it."""
        with self.plant.loop.lock:
            return {*self.plant.controller.acknowledged, *self.plant.controller.fetched_by_id}

    def stored(self):
        with reading(self.place) as connection:
            statement = 'SELECT "TighteningId" FROM "Result" ORDER BY "ResultId"'
            idents = [row[0] for row in connection.exec_driver_sql(statement)]
            behind = [gap for gap in sequence_gaps.check(connection) if gap.kind == "behind"]
        return idents, behind

    def close(self):
        self.agent.kill()
        self.agent.wait()
        kill(self.consumer)


@pytest.mark.parametrize("new_place", ["sqlite", POSTGRESQL], indirect=True)
def test_what_was_acknowledged_to_the_controller_is_in_the_database_once(new_place, starter, tmp_path):
    dice = random.Random(WAY_SEED)
    options = ControllerOptions(memory=MEMORY)
    with Mosquitto(tmp_path) as broker, SimulatedPlant(controller_options=options) as plant:
        with closing(WholeWay(tmp_path, new_place(), plant, broker, starter)) as everything:
            wait_for("the first result", lambda: plant.controller.acknowledged or not plant.produce(1))
            plant.produce_rate(RATE_PER_S)
            for index in range(WAY_KILLS):
                time.sleep(dice.uniform(0, UP_MOST_S))
                everything.kill(("agent", "consumer", "broker")[index % 3])
            plant.stop_producing()
            is_there = lambda: everything.acknowledged() <= set(everything.stored()[0])  # noqa: E731
            wait_for("what was acknowledged", is_there, WAY_END_S)
            time.sleep(1)
            idents, behind = everything.stored()
    assert len(idents) > WAY_KILLS and len(idents) == len(set(idents))
    assert behind == []


class BothWays(Killed):
    """Two agents, whose ToolsNet is the archive that also takes their batches."""

    def __init__(self, folder, place, plants, broker, starter):
        self.pim_port = free_port()
        super().__init__(place, broker, starter)
        self.plants, self.dice = plants, random.Random(WAY_SEED)
        self.configs, self.agents, self.logs = [], [], []
        for number, plant in enumerate(plants, 7):
            outlets = [{"kind": "toolsnet"}, {"kind": "mqtt", "host": "127.0.0.1", "port": broker.port}]
            station = {"spool": {"path": str(folder / f"{number}.spool")}, "outlets": outlets}
            toolsnet = {"pim_port": self.pim_port, "reconnect_s": 0.2}
            tree = cart_of(plant, number, station=station, toolsnet=toolsnet)
            self.configs.append(written(folder, tree, f"{number}.json"))
            self.logs.append(folder / f"{number}.log")
            self.agents.append(self.started(number - 7))

    def start_consumer(self):
        self.consumer = self.starter.start(self.place, f"all+{self.broker.port}", self.pim_port)[0]

    def started(self, index):
        words = command_of("run", "--config", self.configs[index], "--plain")
        with open(self.logs[index], "ab") as log:
            return subprocess.Popen(words, env=ENVIRONMENT, stdout=log, stderr=log)

    def kill_other(self):
        index = self.dice.randrange(len(self.agents))
        self.agents[index].kill()
        self.agents[index].wait()
        self.agents[index] = self.started(index)

    def acknowledged(self):
        """What the agents have acknowledged, or were given when they asked for it, by station."""
        pairs = set()
        for station, plant in enumerate(self.plants, 7):
            with plant.loop.lock:
                idents = {*plant.controller.acknowledged, *plant.controller.fetched_by_id}
            pairs |= {(station, ident) for ident in idents}
        return pairs

    def stored(self):
        """Every row's station and tightening ID, and how many of them both ways have brought."""
        with reading(self.place) as connection:
            statement = 'SELECT "Station", "TighteningId", "Sequence", "Number" FROM "Result"'
            rows = [tuple(row) for row in connection.exec_driver_sql(statement)]
        return [row[:2] for row in rows], sum(row[2] >= 0 and bool(row[3]) for row in rows)

    def close(self):
        for agent in self.agents:
            agent.kill()
            agent.wait()
        kill(self.consumer)


@pytest.mark.parametrize("new_place", ["sqlite", POSTGRESQL], indirect=True)
def test_what_comes_both_ways_is_there_once_whatever_is_killed(new_place, starter, tmp_path):
    dice = random.Random(WAY_SEED)
    with Mosquitto(tmp_path) as broker, ExitStack() as stack:
        options = ControllerOptions(memory=MEMORY)
        plants = [stack.enter_context(SimulatedPlant(controller_options=options)) for _ in range(2)]
        everything = stack.enter_context(closing(BothWays(tmp_path, new_place(), plants, broker, starter)))
        for plant in plants:
            wait_for("the first result", lambda plant=plant: plant.controller.acknowledged or not plant.produce(1))
            plant.produce_rate(RATE_PER_S)
        for index in range(WAY_KILLS):
            time.sleep(dice.uniform(0, UP_MOST_S))
            everything.kill(("agent", "consumer", "broker")[index % 3])
        for plant in plants:
            plant.stop_producing()

        def is_there_both_ways():
            stored, both = everything.stored()
            return everything.acknowledged() <= set(stored) and both == len(stored)

        wait_for(lambda: everything.stored()[1], is_there_both_ways, WAY_END_S)
        stored, _ = everything.stored()
        with reading(everything.place) as connection:
            gaps = [gap for gap in sequence_gaps.check(connection) if gap.kind != "again"]
        said = [ran("status", "--config", config).stdout for config in everything.configs]
    assert len(stored) == len(set(stored)) > WAY_KILLS
    assert gaps == []
    assert [text for text in said if "DOUBT" in text or "GIVEN UP" in text] == []
