"""`toolcart command`: from the command line to a running agent, its controller and back, and into every outlet."""

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

import pytest

from toolcart.board.console import Console
from toolcart.board.linux import control as linux_control
from toolcart.board.linux.control import Control, OrderClient
from toolcart.tools import command as commands
from toolcart.tools.config import socket_location
from toolcart.tools.status import client
from host_tests.board.test_housekeeping import answered
from host_tests.support.archive import delivering
from host_tests.support.running import ENVIRONMENT, cart_of, command_of, running, toolcart, wait_for, written
from host_tests.support.world import Cart

DEADLINE_S = 30


@contextmanager
def running_agent(folder, plant, allowed):
    """The configuration of an agent that runs as a process between the simulators."""
    station = {
        "spool": {"path": "10.spool", "size_kib": 256},
        "outlets": [{"kind": "toolsnet"}, {"kind": "file", "path": "10.jsonl"}],
    }
    toolsnet = {"reconnect_s": 0.3, "events": ["commands"]}
    config = written(folder, cart_of(plant, 10, {"commands": allowed}, station, toolsnet))
    with running(*command_of("run", "--plain", "--config", config), stderr=subprocess.DEVNULL) as process:
        wait_for("a session", lambda: _is_ready(config))
        yield config
    assert process.returncode == 0


def _is_ready(config):
    try:
        stations = client.ask(socket_location.config_socket(config))["stations"]
    except client.NoAgent:
        return False
    return bool(stations) and stations[0].get("controller", {}).get("state") == "ready"


def give(config, *words, code=0):
    return toolcart("command", *words, "--config", config, code=code)


def lines_of(folder):
    return [json.loads(line) for line in (folder / "10.jsonl").read_text().splitlines()]


def test_a_command_goes_the_whole_way_and_every_outlet_has_it(tmp_path):
    with (
        delivering(tmp_path) as plant,
        running_agent(tmp_path, plant, ["select-pset", "vin", "disable", "job"]) as config,
    ):
        plant.produce_rate(20)
        assert give(config, 10, "select-pset", 12, "--as", "bo").stdout == "select-pset 12: accepted\n"
        time.sleep(1)
        answer = json.loads(give(config, 10, "vin", "WVW 4711%", "--json").stdout)
        assert (answer["outcome"], answer["mid"], answer["command"]) == ("accepted", 50, "vin WVW 4711%")
        assert plant.controller.carried_out == [(18, b"012"), (50, b"WVW 4711%")]
        time.sleep(1)
        refused = give(config, 10, "select-pset", 99, code=1).stderr
        assert "refused by the controller with code 03, parameter set can not be set" in refused
        assert "enable is not allowed" in give(config, 10, "enable", code=2).stderr
        assert "0 to 999" in give(config, 10, "select-pset", 1000, code=2).stderr
        assert "no station 11; configured: 10" in give(config, 11, "disable", code=2).stderr
        plant.controller.options.refuse = {42: None}
        time.sleep(1)
        assert "unknown whether the controller did it" in give(config, 10, "disable", code=5).stderr
        assert plant.controller.messages[42] == 1
        plant.cut_controller(True)
        wait_for("it is away", lambda: not _is_ready(config))
        assert "the controller is away" in give(config, 10, "job", 5, code=4).stderr
        plant.cut_controller(False)
        assert "job 5: accepted" in give(config, 10, "job", 5, "--wait", 30).stdout
        plant.stop_producing()
        status = client.ask(socket_location.config_socket(config))["stations"][0]["controller"]["commands"]
        assert status["sent"] == 5 and status["allowed"] == ["select-pset", "vin", "disable", "job"]
        events = [line for line in lines_of(tmp_path) if line["type"] == "event" and line["event"] == "command"]
        outcomes = [(line["text"], line["outcome"], line["code"], line["mid"]) for line in events]
        assert outcomes == [
            ("select-pset 12", "sent", "", 18),
            ("select-pset 12", "accepted", "", 18),
            ("vin WVW 4711%", "sent", "", 50),
            ("vin WVW 4711%", "accepted", "", 50),
            ("select-pset 99", "sent", "", 18),
            ("select-pset 99", "refused", "03", 18),
            ("disable", "sent", "", 42),
            ("disable", "unknown", "", 42),
            ("job 5", "sent", "", 38),
            ("job 5", "accepted", "", 38),
        ]
        user = linux_control.OrderClient(socket.socketpair()[0]).user
        assert events[0]["asked_by"] == f"{user} (bo)" and events[2]["asked_by"] == user
        wait_for("all is delivered", lambda: plant.account()["delivered"] == plant.account()["produced"])
        account = plant.account()
        assert (account["lost"], account["out_of_order"], plant.complaints()) == (0, 0, [])


def test_agent_that_is_killed_leaves_it_unknown_and_sent_in_the_log(tmp_path):
    with delivering(tmp_path) as plant:
        plant.controller.options.refuse = {42: None}
        config = tmp_path / "cart.json"
        with pytest.raises(AssertionError, match="-9"), running_agent(tmp_path, plant, ["disable"]):
            words = command_of("command", 10, "disable", "--config", config)
            given = subprocess.Popen(words, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
            wait_for("it is out", lambda: plant.controller.messages.get(42) == 1)
            os.kill(client.ask(socket_location.config_socket(config))["agent"]["pid"], signal.SIGKILL)
            errors = given.communicate(timeout=DEADLINE_S)[1]
            assert given.returncode == 5 and "unknown" in errors
        with running_agent(tmp_path, plant, ["disable"]):
            wait_for("it is in the file", lambda: [line["outcome"] for line in lines_of(tmp_path)] == ["sent"])
        assert plant.controller.messages[42] == 1


def test_without_an_agent_that_is_reported(tmp_path):
    assert "no agent runs here" in give(tmp_path / "cart.json", 10, "enable", code=3).stderr
    answer = json.loads(give(tmp_path / "cart.json", 10, "enable", "--json", code=3).stdout)
    assert answer["outcome"] == "no agent"
    give(tmp_path / "cart.json", 10, "explode", code=2)


@pytest.mark.parametrize(("reads", "outcome", "code"), [(False, "no agent", 3), (True, "unknown", 5)])
def test_a_command_that_is_given_up_is_withdrawn_unless_the_agent_has_read_it(
    tmp_path, monkeypatch, reads, outcome, code
):
    class Sender(socket.socket):
        def sendall(self, octets):
            super().sendall(octets)
            if reads:
                with listening.accept()[0] as sock:
                    taken.append(socket.socket(fileno=os.dup(sock.fileno())))
                assert taken[0].recv(1000) == octets

    taken = []
    monkeypatch.setattr(commands, "ANSWER_S", 0.01)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "a.sock"))
        listening.listen(1)
        monkeypatch.setattr(client.socket, "socket", Sender)
        answer = toolcart("command", 10, "enable", "--json", "--socket", tmp_path / "a.sock", code=code)
    for sock in taken:
        sock.close()
    answer = json.loads(answer.stdout)
    assert answer["outcome"] == outcome and "does not answer within" in answer["why"]
    assert ("the order is withdrawn, and is not carried out" in answer["why"]) is not reads
    assert ("it may have been carried out. The agent's log says" in answer["why"]) is reads


def test_an_answer_that_breaks_off_or_means_nothing_is_unknown(tmp_path, monkeypatch):
    for answer, code in (([], 5), ([{"waiting": "x"}], 5), ([{"error": "no such order"}], 2), ([{"outcome": "x"}], 2)):
        monkeypatch.setattr(client, "lines_of", lambda path, line, patience_s, answer=answer: answer)
        toolcart("command", 10, "enable", "--socket", "a", code=code)


def test_a_board_is_given_the_same_line(monkeypatch):
    requests = []
    answer = [{"outcome": "accepted", "command": "enable", "mid": 43, "logged": True}]
    from toolcart.tools.flash import board_commands

    monkeypatch.setattr(board_commands, "command_lines", lambda port, line, patience_s: requests.append(line) or answer)
    toolcart("command", 10, "vin", "A B", "--as", "bo", "--port", "COM3")
    assert requests == ["command 10 wait=0 as=bo vin A%20B"]


def test_a_board_carries_it_out_and_tells_the_same():
    cart = Cart(controller={"max_clients": 9}, settings={"controller": {"commands": ["vin", "enable"]}}).ready()
    console = Console(cart.app, "", None)
    for line, expected in (
        ("?command 10 as=bo vin " + "V" * 25, "accepted"),
        ("?command 10 disable", "not allowed"),
        ("?command 10 wait=9 enable", "accepted"),
    ):
        assert answered(console, line, lambda: cart.run(20))[-1]["outcome"] == expected, line
    assert cart.controller.carried_out == [(50, b"V" * 25), (43, b"")]
    console = Console(Cart().ready().app, "", None)
    assert "commands are off" in answered(console, "?command 10 enable")[-1]["error"]


def test_an_order_that_waits_hears_that_its_client_went_away(tmp_path):
    seen = []

    def long(words, asker):
        seen.append(asker)
        while not asker.gone:
            yield 50
        yield {"outcome": "not sent"}

    control = Control(str(tmp_path / "a.sock"), {"command": long}, ours=False)
    client = socket.socket(socket.AF_UNIX)
    client.connect(control.path)
    client.send(b"command\n")
    for now in range(0, 40, 10):
        control.on_turn(now)
    assert control.on_turn(40) in range(1, 51)
    assert seen[0].uid == os.getuid() and seen[0].user
    client.close()
    for now in range(100, 400, 50):
        control.on_turn(now)
    assert seen[0].gone and control.talks[0].is_free()
    control.close()


def test_who_asks_is_a_name_of_this_machine_or_a_number(monkeypatch):
    mine, other = socket.socketpair()
    asker = OrderClient(mine)
    asker.uid = 0
    assert asker.user == "root"
    asker.uid = 3999999
    assert asker.user == "uid 3999999"
    mine.close()
    other.close()


def test_every_outcome_has_an_exit_code():
    assert commands.EXIT_CODES == {
        "accepted": 0,
        "refused": 1,
        "wrong": 2,
        "not allowed": 2,
        "not sent": 4,
        "unknown": 5,
    }
