"""`toolcart status`: a running agent says how it is, whoever asks and however badly; the same words for a board."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from toolcart.board.linux.control import PATIENCE_MS, Control
from toolcart.tools.cli import main as cli
from toolcart.tools.status import asking, commands, place, served
from toolcart.tools.status.served import CLIENTS
from toolcart.tools.words import reasons
from toolcart.tools.words import status as words

DEADLINE_S = 30
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = dict(os.environ, PYTHONPATH=str(ROOT), TERM="dumb")


@pytest.fixture
def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def _config(folder, port, spool="cart.spool", stations=1):
    tree = {
        "toolsnet": {"pim_host": "127.0.0.1", "pim_port": port, "reconnect_s": 0.2},
        "stations": [
            {
                "number": number,
                "controller": {"host": "127.0.0.1", "port": port},
                "spool": {"path": f"{number}{spool}", "size_kib": 64},
            }
            for number in range(1, stations + 1)
        ],
    }
    path = folder / "cart.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


@pytest.fixture
def running(tmp_path, free_port):
    """The configuration of an agent that runs, with no one at the other ends."""
    path = _config(tmp_path, free_port)
    command = [sys.executable, "-m", "toolcart.tools.cli.main", "run", "--plain", "--config", str(path)]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + DEADLINE_S
    while not _has_tried(path):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.05)
    yield path
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE_S) == 0
    assert not Path(place.beside(path)).exists()


def _has_tried(path):
    try:
        told = asking.ask(place.beside(path))
    except asking.Trouble:
        return False
    station = told["stations"][0]
    return station["mounted"] and station["controller"]["why"] and station["outlets"][0]["why"]


def _invoke(*arguments):
    return CliRunner().invoke(cli.main, ["status", *map(str, arguments)])


def test_a_running_agent_says_what_is_not_connected_and_why(running):
    done = _invoke("--config", running)
    assert done.exit_code == 0, done.output
    for words_told in ("process", "station 1", "refused the connection", "Is Open Protocol switched on", "0 stored"):
        assert words_told in done.output, done.output
    told = json.loads(_invoke("--config", running, "--json").output)
    assert told["running"] and told["stations"][0]["controller"]["why"] == "refused"
    assert told["stations"][0]["spool"]["path"].endswith("1cart.spool")
    assert told["agent"]["pid"] > 0 and told["agent"]["started"][-6] in "+-"
    mode = os.stat(place.beside(running)).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


def test_a_second_agent_does_not_take_the_socket_of_the_first(running):
    before = os.stat(place.beside(running)).st_ino
    command = [sys.executable, "-m", "toolcart.tools.cli.main", "run", "--plain", "--config", str(running)]
    second = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=DEADLINE_S)
    assert second.returncode == 3 and "another agent answers there" in second.stdout
    assert os.stat(place.beside(running)).st_ino == before and _invoke("--config", running).exit_code == 0


def test_no_one_there_is_said_with_what_to_do(tmp_path):
    config = tmp_path / "cart.json"
    config.write_text("{}")
    done = _invoke("--config", config)
    assert done.exit_code == 3 and "no agent runs here" in done.output and "toolcart run --config" in done.output
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(place.beside(config))
    done = _invoke("--config", config)
    assert done.exit_code == 3 and "left behind by an agent that was killed" in done.output
    assert json.loads(_invoke("--config", config, "--json").output)["running"] is False
    done = _invoke("--config", config, "--port", "COM3")
    assert done.exit_code == 2


def test_the_service_is_asked_without_any_option(monkeypatch, tmp_path):
    monkeypatch.setattr(place, "SERVICE_FOLDER", str(tmp_path / "toolcart"))
    done = _invoke()
    assert done.exit_code == 3 and f"there is no {tmp_path}/toolcart/agent.sock" in done.output
    assert "systemctl status toolcart" in done.output
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "toolcart"))
    assert place.socket_of("cart.json") == place.default()


def test_a_configuration_in_etc_has_its_socket_where_something_may_be_written(monkeypatch, tmp_path):
    assert place.beside("/etc/toolcart/config.json") == "/var/lib/toolcart/config.json.sock"
    monkeypatch.setattr(place, "STATE", str(tmp_path))
    config = tmp_path / "config.json"
    assert place.to_ask(config) == place.default(), "the service's"
    Path(place.beside(config)).touch()
    assert place.to_ask(config) == place.beside(config) and place.to_ask("cart.json") == place.beside("cart.json")


def test_another_users_socket_and_one_that_hangs_are_told_apart(tmp_path, monkeypatch):
    path = str(tmp_path / "a.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(1)
        with pytest.raises(asking.Trouble, match="does not answer within"):
            asking.ask(path, 0.05)

    def forbidden(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(asking.socket.socket, "connect", forbidden)
    with pytest.raises(asking.Trouble, match="no permission") as told:
        asking.ask(path)
    assert "sudo" in told.value.hint


def test_what_is_no_status_is_refused(tmp_path):
    for answer in (b'{"error": "no such order"}\n{"end": true}\n', b"HTTP/1.1 400\r\n", b""):
        path = str(tmp_path / f"{len(answer)}.sock")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            listening.listen(1)
            pid = os.fork()
            if pid == 0:
                client, _ = listening.accept()
                client.recv(100)
                client.sendall(answer)
                os._exit(0)
            with pytest.raises(asking.Trouble):
                asking.ask(path, 5)
            os.waitpid(pid, 0)


# -- who asks badly ------------------------------------------------------------------------------------------------


def _served(tmp_path):
    def told(_words, _asker):
        yield {"agent": {"pid": 1}}
        for number in range(2):
            yield {"station": {"number": number, "text": "x" * 2000}}

    return Control(str(tmp_path / "a.sock"), {"status": told}, CLIENTS, ours=False)


def _client(control, text=b"status\n"):
    client = socket.socket(socket.AF_UNIX)
    client.connect(control.path)
    client.setblocking(False)
    client.sendall(text)
    return client


def _read(client):
    octets = b""
    try:
        while piece := client.recv(65536):
            octets += piece
    except BlockingIOError:
        pass
    return octets


def test_silent_clients_hold_up_no_one_for_long(tmp_path):
    control = _served(tmp_path)
    silent = []
    for _ in range(CLIENTS - 1):
        silent.append(_client(control, b"sta"))
        control.on_turn(0)
    one = _client(control)
    for _ in range(6):
        control.on_turn(0)
    assert b'"end": true' in _read(one)
    silent.append(_client(control, b""))
    control.on_turn(0)
    late = _client(control)
    for _ in range(6):
        left = control.on_turn(100)
    assert _read(late) == b"" and control.listener.sock is None and 0 < left <= PATIENCE_MS
    for now in range(PATIENCE_MS, PATIENCE_MS + 200, 20):
        control.on_turn(now)
    assert b'"end": true' in _read(late)
    control.close()
    for client in (*silent, one, late):
        client.close()


# -- the words -----------------------------------------------------------------------------------------------------


def _station(**changed):
    toolsnet = {"kind": "toolsnet", "state": "streaming", "host": "10.0.0.9", "port": 6575, "why": "", "why_in": ""}
    controller = {"state": "ready", "host": "10.0.0.5", "port": 4545, "why": "", "why_in": "", "clock_ahead_s": -70}
    shown = {"number": 10, "name": "Cart", "mounted": True, "controller": controller, "outlets": [toolsnet]}
    shown.update({"stored": 5, "delivered": 3, "backlog": 2, "oldest_waiting": "2026-11-20 10:00:00", "counters": {}})
    shown.update({"spool": {"used_blocks": 3, "blocks": 16, "torn": 1}, "recovery": {"open_ids": 0, "gone": 0}})
    return {**shown, **changed}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, "its clock is 70 s behind ours"),
        ({}, "5 stored, 3 delivered, 2 waiting (the oldest of 2026-11-20 10:00:00)"),
        ({}, "3 of 16 blocks in use, at most 0 erased so far; 1 torn"),
        ({"mounted": False, "spool_problem": "it is a folder"}, "the spool is not up: it is a folder"),
        ({"overwritten": 4}, "4 results overwritten, because the spool was full; a larger spool.size_kib holds more"),
        ({"parked": 1}, "in doubt or unreadable; `toolcart quarantine list --spool FILE` shows them"),
        ({"recovery": {"open_ids": 7, "gone": 2}}, "7 results that were missed"),
        ({"recovery": {"stored_again_at_most": 3}}, "3 results may be stored twice"),
    ],
)
def test_what_needs_somebody_is_told_with_its_command(changed, told):
    assert told in "\n".join(words.station_lines(_station(**changed)))


def test_the_clock_and_a_fault_of_the_agent_are_told():
    about = {"version": "1", "pid": 7, "uptime_s": 7300, "started": "x", "memory_kib": 20480, "notes": ["n"]}
    about.update({"clock": {"now": "t", "zone": "CET", "kept": False}, "faults": 2, "last_fault": "ValueError: v"})
    told = "\n".join(words.agent_lines(about))
    assert "2 h 1 min" in told and "NOT synchronised" in told and "FAULT" in told and "20 MiB" in told


def test_clock_and_memory_are_those_of_this_machine():
    told = served.Process().told()
    assert told["memory_kib"] > 1000 and told["clock"]["kept"] in (True, False, None)
    assert told["clock"]["now"][:10] == time.strftime("%Y-%m-%d")


def test_asking_imports_neither_the_agent_nor_what_draws():
    source = (
        "import sys, toolcart.tools.cli.main, toolcart.tools.status.commands; print(any(n in sys.modules for n in %r))"
    )
    heavy = ["toolcart.agent.cart.app", "textual", "mpremote", "sqlalchemy", "asyncio"]
    done = subprocess.run([sys.executable, "-c", source % heavy], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_the_same_words_are_told_of_a_board():
    from toolcart.tools.flash.board_commands import status_lines

    station = _station()
    station["controller"].update(state="closed", why="timed out")
    told = status_lines({"board": {"chip": "rp2"}, "stations": [station]})
    assert [line for line in told if reasons.of_controller(station["controller"]).words in line]
    assert set(words.station_lines(station)) <= set(told)


def test_a_board_that_wants_no_network_is_not_asked_for_one():
    from toolcart.tools.flash.board_commands import status_lines

    station = _station()
    station["outlets"][0].update(state="closed", why="no network", why_in="closed", next_try_ms=4000)
    told = "\n".join(status_lines({"board": {"network": {"kind": "none"}}, "stations": [station]}))
    assert "results stay on the board" in told and "toolcart board spool" in told
    assert "Wi-Fi" not in told and "ext try" not in told
    told = "\n".join(status_lines({"board": {"network": {"kind": "wifi"}}, "stations": [station]}))
    assert "Wi-Fi" in told and "ext try" in told


def test_watching_ends_in_order(monkeypatch):
    turns = []

    def ask(_path):
        turns.append(1)
        if len(turns) == 3:
            raise KeyboardInterrupt
        return {"agent": {"pid": 1}, "stations": []}

    monkeypatch.setattr(asking, "ask", ask)
    monkeypatch.setattr(commands, "EVERY_S", 0.0)
    done = _invoke("--watch", "--json", "--socket", "x")
    assert done.exit_code == 0 and len(done.output.splitlines()) == 2
