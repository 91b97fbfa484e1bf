"""The whole way with real processes, over TCP and over a pty: cut off, unplugged, killed, and started again.

The same scenario on CPython and on the 32-bit MicroPython. The archive is compared row by row with what the controller
tightened.
"""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from toolcart.sim.controller_model import ControllerOptions
from host_tests.portable import LONG
from host_tests.support.archive import delivering
from host_tests.support.running import wait_for

CHECKOUT = Path(__file__).resolve().parents[3]
HEAP = "384k"
START = "import sys\nfrom toolcart.board.unix import main as unix_main\nunix_main.main(sys.argv[1])\n"


class Agent:
    """One agent process on one configuration; may be killed and started again."""

    def __init__(self, command, folder, plant, outlets=({"kind": "toolsnet"},), size_kib=256, **controller):
        self.command = command
        self.folder = folder
        self.plant = plant
        self.process = None
        self.configuration = folder / "cart.json"
        tree = {
            "system": {"number": 4},
            "toolsnet": {"pim_host": "127.0.0.1", "pim_port": plant.pim_port, "reconnect_s": 0.3},
            "stations": [
                {
                    "number": 10,
                    "controller": controller or {"host": "127.0.0.1", "port": plant.controller_port},
                    "spool": {"path": "cart10.spool", "size_kib": size_kib},
                    "outlets": outlets,
                }
            ],
        }
        self.configuration.write_text(json.dumps(tree))

    def start(self):
        with open(self.folder / "agent.log", "a") as log:
            self.process = subprocess.Popen(
                [*self.command, str(self.configuration)],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self):
        """Started, and subscribed: a new agent takes the newest result that it finds as its starting point."""
        self.start()
        try:
            wait_for("a subscription", lambda: self.plant.controller.messages.get(60, 0) > 0)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def end_in_order(self):
        os.kill(self.process.pid, signal.SIGINT)
        return self.process.wait(10)


def command_of(kind, request, tmp_path):
    if kind == "cpython":
        return [sys.executable, "-m", "toolcart.board.unix.main"]
    machine = request.getfixturevalue("micropython32")
    script = tmp_path / "start.py"
    script.write_text(START)
    return machine.runtime.command(script, HEAP, (), machine.tree)


def come_through_outages(agent, lots, surplus=lambda: 0):
    """Have four lots of results made, the last three in outages; then nothing is missing.

    `surplus`: acknowledgements for which no result waited.
    """
    plant = agent.plant
    first, second, third, last = itertools.accumulate(lots)

    def delivered(count):
        return lambda: plant.account()["delivered"] == count

    def answered(count):
        return lambda: plant.account()["acknowledged"] + surplus() >= count

    with agent:
        plant.produce(lots[0])
        wait_for("the first results", delivered(first))
        plant.cut_toolsnet(True)
        plant.produce(lots[1])
        wait_for("acknowledgements without ToolsNet", answered(second))
        agent.kill()
        plant.produce(lots[2])  # while the agent is not listening
        agent.start()
        wait_for("what was missed", answered(third))
        plant.cut_controller(True)
        plant.produce(lots[3])
        plant.cut_toolsnet(False)
        # The answer to the last question may have been cut off on its way: that result is fetched with the last ones.
        wait_for("the backlog", lambda: plant.account()["delivered"] >= second)
        plant.cut_controller(False)
        wait_for("the last ones", delivered(last))
        agent.end_in_order()
    account = plant.account()
    assert account["produced"] == account["delivered"] == last
    assert (account["lost"], account["out_of_order"], plant.complaints()) == (0, 0, [])
    compare_rows(plant)


@pytest.mark.parametrize("kind", ["cpython", "micropython"])
def test_every_result_is_in_the_archive_once_after_outages_and_a_kill(kind, request, tmp_path):
    with delivering(tmp_path) as plant:
        come_through_outages(Agent(command_of(kind, request, tmp_path), tmp_path, plant), (30, 40, 15, 5))
        assert plant.account()["acknowledged"] == 90


def test_a_file_has_every_result_once_over_a_kill(tmp_path):
    file = tmp_path / "cart10.jsonl"
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": file.name}]

    def told():
        return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []

    with delivering(tmp_path) as plant:
        agent = Agent([sys.executable, "-m", "toolcart.board.unix.main"], tmp_path, plant, outlets)
        with agent:
            plant.produce(30)
            wait_for("acknowledgements", lambda: plant.account()["acknowledged"] == 30)
            agent.kill()
            agent.start()
            wait_for("another subscription", lambda: plant.controller.messages.get(60, 0) > 1)
            plant.produce(20)
            wait_for("the rest", lambda: plant.account()["acknowledged"] == 50)
            agent.end_in_order()
            agent.start()  # what the end has left
            wait_for("all lines", lambda: len(told()) >= 50)
            agent.end_in_order()
    assert [one["number"] for one in told()] == list(range(1, 51))
    assert {int(one["tightening_id"]) for one in told()} == set(range(1, 51))


def compare_rows(plant):
    rows = plant.archive.query(
        "SELECT TighteningId, VIN, Program, Overall, Torque, Angle, Time, System, Station"
        " FROM Result ORDER BY TighteningId"
    )
    assert len(rows) == len(plant.controller.produced)
    for row in rows:
        result = plant.controller.result(row[0])
        assert row[1].strip() == result.vin.decode().strip()
        assert row[2] == result.pset
        assert round(row[4] * 100) == result.torque
        assert round(row[5]) == result.angle
        assert row[6] == "".join(digit for digit in result.time if digit.isdigit())
        assert row[7:] == (4, 10)


# The whole way over a pty: a real process with a real serial port, unplugged, killed, and started again.


@pytest.fixture
def line_path(tmp_path_factory):
    """The setting `device` has 64 characters, pytest's folders are longer."""
    path = tempfile.mktemp(prefix="cart-", suffix=".tty")
    yield path
    if os.path.islink(path):
        os.unlink(path)


# One link, one interpreter; the links themselves are tried on all of them (host_tests/agent/link).
WAYS = [("cpython", "3964r")]
if LONG:
    WAYS += [("cpython", "ascii"), ("micropython", "3964r"), ("micropython", "ascii")]


@pytest.mark.parametrize(("kind", "link"), WAYS)
def test_every_result_is_in_the_archive_once_after_unplugging_and_a_kill(kind, link, request, tmp_path, line_path):
    """The controller is cut by pulling the adapter out: MicroPython learns that only by silence, in some 20 s."""
    with delivering(tmp_path, link=link, line_path=line_path) as plant:
        line = {"link": link, "device": line_path, "baud": 115200}
        # A 0062 that comes right after the 0063 of a new start finds nothing that waits for it: the result is kept.
        come_through_outages(
            Agent(command_of(kind, request, tmp_path), tmp_path, plant, **line),
            (10, 15, 5, 5),
            lambda: plant._controller.peer.surplus,
        )


# The whole agent, killed hard at random moments between the simulators, again and again on one spool.

KILLS = 1000 if LONG else 12
RATE_PER_S = 60
UP_S = (0.05, 0.6)  # how long it may live once it talks to the controller
MEMORY = 200000  # results the controller keeps: all of the long run's, to compare every row
SEED = 20
SIZE_KIB = 2048  # of the spool: what it has overwritten may come twice, and a busy machine takes long for each start


def wait_for_the_rest(plant):
    """Everything is delivered; the deadline counts from the last one that came, since a long run leaves many."""
    while True:
        before = plant.archive.stored
        account = plant.account()  # it compares all rows, and the plant stands still meanwhile
        if account["delivered"] == account["produced"]:
            return
        wait_for("the next one is delivered", lambda before=before: plant.archive.stored > before)
        time.sleep(1)


def test_hard_kills_at_any_moment_lose_nothing_and_double_nothing(tmp_path):
    dice = random.Random(SEED)
    options = ControllerOptions(memory=MEMORY)
    with delivering(tmp_path, controller_options=options) as plant:
        agent = Agent([sys.executable, "-m", "toolcart.board.unix.main"], tmp_path, plant, size_kib=SIZE_KIB)
        with agent:
            plant.produce_rate(RATE_PER_S)
            for _ in range(KILLS):
                subscriptions = plant.controller.messages.get(60, 0)
                time.sleep(dice.uniform(*UP_S))
                agent.kill()
                agent.start()
                wait_for("the agent is back", lambda seen=subscriptions: plant.controller.messages.get(60, 0) > seen)
            plant.stop_producing()
            wait_for_the_rest(plant)
            agent.end_in_order()
        account = plant.account()
        assert account["produced"] > KILLS
        assert (account["lost"], account["out_of_order"]) == (0, 0)
        assert plant.complaints() == []
        compare_rows(plant)  # as many rows as results: nothing under two numbers
