"""The whole way with real processes over TCP: cut off, and started again.

The same scenario on CPython and on the 32-bit MicroPython. The archive is compared row by row with what the controller
tightened.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toolcart.toolsnet.records import tightening_id_of
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

    def lines_written():
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
            wait_for("all lines", lambda: len(lines_written()) >= 50)
            agent.end_in_order()
    assert [one["number"] for one in lines_written()] == list(range(1, 51))
    assert {int(one["tightening_id"]) for one in lines_written()} == set(range(1, 51))


def rows_of(plant):
    """Return (ID, VIN, program, torque, angle, time, system, station) of each result, in the order of the IDs."""
    if plant.archived:
        return plant.archive.query(
            "SELECT TighteningId, VIN, Program, Torque, Angle, Time, System, Station FROM Result ORDER BY TighteningId"
        )
    rows = []
    for one in plant.archive.results:
        (spindle,) = one["spindles"]
        figures = (spindle["program"], float(spindle["torque"]), float(spindle["angle"]))
        rows.append((tightening_id_of(one), one["vin"], *figures, one["time"], one["system"], one["station"]))
    return sorted(rows)


def compare_rows(plant):
    rows = rows_of(plant)
    assert len(rows) == len(plant.controller.produced)
    for number, vin, program, torque, angle, time, *place in rows:
        result = plant.controller.result(number)
        assert vin.strip() == result.vin.decode().strip()
        assert program == result.pset
        assert round(torque * 100) == result.torque
        assert round(angle) == result.angle
        assert time == "".join(digit for digit in result.time if digit.isdigit())
        assert place == [4, 10]
