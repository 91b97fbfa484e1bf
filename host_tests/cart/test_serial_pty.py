"""The whole way over a pty: a real process with a real serial port, unplugged, killed, and started again."""

import json
import os
import sys
import tempfile

import pytest

from host_tests.cart.test_end_to_end import START, Agent, compare_rows
from host_tests.portable import LONG
from host_tests.support.archive import delivering
from host_tests.support.running import wait_for

HEAP = "384k"  # the links' code lies in the heap as well


class SerialAgent(Agent):
    """The agent of test_end_to_end with a line in place of the network.

    MicroPython learns only by silence, in some 20 s, that the adapter was pulled out.
    """

    def __init__(self, command, folder, plant, link, line_path):
        super().__init__(command, folder, plant)
        tree = json.loads(self.configuration.read_text())
        controller = tree["stations"][0]["controller"]
        del controller["host"], controller["port"]
        controller.update(link=link, device=line_path, baud=115200)
        self.configuration.write_text(json.dumps(tree))


@pytest.fixture
def line_path(tmp_path_factory):
    """The setting `device` has 64 characters, pytest's folders are longer."""
    path = tempfile.mktemp(prefix="cart-", suffix=".tty")
    yield path
    if os.path.islink(path):
        os.unlink(path)


def command_of(kind, request, tmp_path):
    if kind == "cpython":
        return [sys.executable, "-m", "toolcart.board.unix.main"]
    machine = request.getfixturevalue("micropython32")
    script = tmp_path / "start.py"
    script.write_text(START)
    return machine.runtime.command(script, HEAP, (), machine.tree)


# One link, one interpreter; the links themselves are tried on all of them (host_tests/link).
WAYS = [("cpython", "3964r")]
if LONG:
    WAYS += [("cpython", "ascii"), ("micropython", "3964r"), ("micropython", "ascii")]


@pytest.mark.parametrize(("kind", "link"), WAYS)
def test_every_result_is_in_the_archive_once_after_unplugging_and_a_kill(kind, link, request, tmp_path, line_path):
    with delivering(tmp_path, link=link, line_path=line_path) as plant:
        agent = SerialAgent(command_of(kind, request, tmp_path), tmp_path, plant, link, line_path)

        def delivered():
            return plant.account()["delivered"]

        def answered():
            # A 0062 that comes right after the 0063 of a new start finds nothing that waits for it: the result is kept.
            return plant.account()["acknowledged"] + plant._controller.peer.surplus

        with agent:
            plant.produce(10)
            wait_for("the first results", lambda: delivered() == 10)
            plant.cut_toolsnet(True)
            plant.produce(15)
            wait_for("acknowledgements without ToolsNet", lambda: answered() >= 25)
            agent.kill()
            plant.produce(5)
            agent.start()
            wait_for("what was missed", lambda: answered() >= 30)
            plant.cut_controller(True)  # the adapter is pulled out
            plant.produce(5)
            plant.cut_toolsnet(False)
            wait_for("the backlog", lambda: delivered() == 30)
            plant.cut_controller(False)
            wait_for("the last ones", lambda: delivered() == 35)
            agent.end_in_order()
        account = plant.account()
        assert account["produced"] == account["delivered"] == 35
        assert account["lost"] == account["out_of_order"] == 0
        assert plant.complaints() == []
        compare_rows(plant)
