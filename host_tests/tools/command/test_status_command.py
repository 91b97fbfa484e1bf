"""`toolcart status`: a running agent says how it is; the same words for a board."""

import contextlib
import errno
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from toolcart.agent.cart.app import App
from toolcart.base import privileges
from toolcart.base.clock import SimClock
from toolcart.board.linux import spool_file
from toolcart.board.linux.board import Board
from toolcart.board.linux.control import Control, no_socket
from toolcart.board.linux.flash import FileFlash
from toolcart.tools.config import file as config_file
from toolcart.tools.config import socket_location
from toolcart.tools.doctor import agent as doctor_agent
from toolcart.tools.doctor import commands as doctor
from toolcart.tools.messages import attention, reasons
from toolcart.tools.messages import status as words
from toolcart.tools.spool import quarantine_commands
from toolcart.tools.status import client, commands, server
from toolcart.tools.status import process as process_module
from toolcart.tools.web import page as web_page
from host_tests.support.agent_lines import healthy_station
from host_tests.support.peers import Peer
from host_tests.support.running import (
    ROOT,
    cart_of,
    command_of,
    ran,
    run_agent,
    run_agent_while,
    station_at,
    toolcart,
    wait_for,
    written,
)
from host_tests.support.running import running as running_command


@pytest.fixture
def running(tmp_path):
    """The configuration of an agent that runs, with no one at the other ends."""
    path = written(tmp_path, cart_of(number=7))
    with running_command(*command_of("run", "--plain", "--config", path)) as process:
        wait_for("both sides were tried", lambda: _has_tried(path))
        yield path
    assert process.returncode == 0 and not Path(socket_location.config_socket(path)).exists()


def _has_tried(path):
    try:
        answer = client.ask(socket_location.config_socket(path))
    except client.NoAgent:
        return False
    station = answer["stations"][0]
    return station["mounted"] and station["controller"]["why"] and station["outlets"][0]["why"]


def status(*words, code=0):
    return toolcart("status", *words, code=code).output


def test_what_is_no_configuration_has_no_agent_to_ask(running, tmp_path):
    """A spool has a socket of its own, for orders."""
    spool = next(tmp_path.glob("*.spool"))
    text = tmp_path / "notes.txt"
    text.write_text("buy milk")
    for path in (spool, text):
        for arguments in (("status",), ("status", "--json"), ("command", "10", "select-pset", "5")):
            assert f"{path} is no configuration" in toolcart(*arguments, "--config", path, code=2).output
    running.write_text("no longer one")
    toolcart("status", "--config", running, code=1)  # its agent runs all the same


def test_a_running_agent_says_what_is_not_connected_and_why(running):
    output = status("--config", running)
    for expected in ("process", "station 7", "refused the connection", "Is Open Protocol switched on", "0 stored"):
        assert expected in output, output
    reported = json.loads(status("--config", running, "--json"))
    assert reported["running"] and reported["stations"][0]["controller"]["why"] == "refused"
    assert reported["stations"][0]["spool"]["path"].endswith("cart.spool")
    assert reported["agent"]["pid"] > 0 and reported["agent"]["started"][-6] in "+-"
    mode = os.stat(socket_location.config_socket(running)).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


def test_a_second_agent_does_not_take_the_socket_of_the_first(running):
    before = os.stat(socket_location.config_socket(running)).st_ino
    assert "another agent answers there" in ran("run", "--plain", "--config", running, code=3).stdout
    assert os.stat(socket_location.config_socket(running)).st_ino == before and status("--config", running)


def test_a_run_that_is_over_before_the_last_spool_was_tried_has_failed_too(tmp_path, monkeypatch):
    monkeypatch.setattr(spool_file, "LOCK_WAIT_S", 0.3)  # the first one's: a turn ends with it
    path = written(tmp_path, cart_of(stations=[station_at(number) for number in (7, 8, 9)]))
    with contextlib.ExitStack() as held:
        for number in (7, 8, 9):
            held.enter_context(contextlib.closing(FileFlash(str(tmp_path / f"{number}.spool"), 65536)))
        code, lines = run_agent(path, lambda _agent, lines: not [line for line in lines if line["kind"] == "spool"])
        _, all_lines = run_agent(path, lambda _agent, _lines: True)
    texts = [line["text"] for line in all_lines if line["kind"] == "spool"]
    assert len(texts) == len(set(texts)) == 3, "each is told once"
    assert code == 3 and "in use by another agent" in next(line for line in lines if line["kind"] == "spool")["text"]


@contextlib.contextmanager
def held(folder, numbers):
    """Hold the spools of these stations, as another agent does."""
    with contextlib.ExitStack() as files:
        for number in numbers:
            files.enter_context(contextlib.closing(FileFlash(str(folder / f"{number}.spool"), 65536)))
        yield


def mounted(agent):
    return [station.number for station in agent.app.stations if station.mounted]


def test_spools_that_another_agent_has_keep_no_other_station_from_coming_up(tmp_path):
    path = written(tmp_path, cart_of(stations=[station_at(number) for number in range(1, 11)]))
    begun = time.monotonic()
    with held(tmp_path, range(1, 6)):
        code, lines = run_agent(
            path,
            lambda agent, _lines: len(mounted(agent)) < 5 and time.monotonic() - begun < 2 * spool_file.LOCK_WAIT_S,
        )
    assert time.monotonic() - begun < 2 * spool_file.LOCK_WAIT_S, "one waits for all"
    told = [line["text"] for line in lines if line["kind"] == "spool"]
    assert code == 0 and len(told) == 5 and all("in use by another agent" in text for text in told)


class SlowDisks(Board):
    """A board on which each attempt to open a spool takes 3 s, and fails."""

    def __init__(self):
        super().__init__()
        self.clock, self.tried = SimClock(), []

    def now(self):
        return self.clock.now

    def flash(self, spool):
        self.tried.append(spool["owner"][2])
        self.clock.advance(3000)


def test_stations_are_tried_in_turn_however_long_an_attempt_takes(tmp_path):
    numbers = list(range(1, 11))
    path = written(tmp_path, cart_of(stations=[station_at(number) for number in numbers]))
    with contextlib.closing(SlowDisks()) as board:
        app = App(config_file.read_to_run(path), board)
        while len(board.tried) < 3 * len(numbers):
            board.clock.advance(max(1, app.step(board.now())))
    assert board.tried == 3 * numbers


def test_a_second_agent_of_many_stations_ends_and_says_why(tmp_path):
    path = written(tmp_path, cart_of(stations=[station_at(number) for number in range(1, 11)]))
    begun = time.monotonic()
    with held(tmp_path, range(1, 11)):
        code, lines = run_agent(path, lambda *_: time.monotonic() - begun < 3 * spool_file.LOCK_WAIT_S)
    assert code == 3 and time.monotonic() - begun < 2 * spool_file.LOCK_WAIT_S
    assert len([line for line in lines if line["kind"] == "spool"]) == 10


@pytest.mark.parametrize("what", ["folder", "unreadable", "in a closed folder"])
def test_what_has_become_of_the_configuration_keeps_nobody_from_asking(tmp_path, monkeypatch, what):
    config = tmp_path / "cart.json"
    if what == "folder":
        config.mkdir()
    else:
        config.write_text("{}")
    if what == "unreadable":
        monkeypatch.setattr(os, "access", lambda *_args, **_more: False)
    if what == "in a closed folder":
        stat_of = os.stat

        def closed(path, **more):
            if str(path).startswith(str(tmp_path)):
                raise PermissionError
            return stat_of(path, **more)

        monkeypatch.setattr(os, "stat", closed)
    assert "no agent runs here" in status("--config", config, code=3)


WITHOUT_SOCKET = {  # what is in the way of the agent's socket, what is said of it, and what is done about it
    "a folder": (lambda path: path.mkdir(), "that is a folder", "move it away: `mv {path} {path}.away`"),
    "a file": (lambda path: path.write_text("mine"), "that is no socket", "move it away: `mv {path} {path}.away`"),
    "a long path": (None, "its path has 117 bytes, and that of a socket may have 107", "a shorter path"),
}


@pytest.mark.parametrize("way", WITHOUT_SOCKET)
def test_an_agent_that_runs_without_its_socket_is_said_to_run_and_why_nobody_can_ask_it(tmp_path, way):
    block, words, cure = WITHOUT_SOCKET[way]
    config = tmp_path / "cart.json"
    if not block:
        config = tmp_path / ("x" * (112 - len(str(tmp_path)) - 1 - len(".json")) + ".json")
    written(tmp_path, cart_of(number=7)).rename(config)
    path = Path(socket_location.config_socket(config))
    if block:
        block(path)
    cure, seen = cure.format(path=path), {}

    def look():
        seen["status"] = status("--config", config, code=3)
        seen["--socket"] = status("--socket", path, code=3)
        seen["json"] = status("--config", config, "--json", code=3)
        seen["doctor"] = toolcart("doctor", "--offline", "--config", config, code=1).output
        seen["command"] = toolcart("command", "--config", config, "7", "enable", code=3).output
        state = web_page.AgentState("cart", path=str(path))
        state.refresh(client.ask)
        seen["page"] = f"{state.trouble} {state.hint}"

    _, lines = run_agent_while(config, look)
    for voice, output in seen.items():
        output = " ".join(output.split())
        assert "no agent runs" not in output, (voice, output)
        assert f"the spool is in use, and no agent answers: its agent cannot make {path}: {words}" in output, (
            voice,
            output,
        )
        assert cure in output, (voice, output)
    [note] = [line["text"] for line in lines if line["kind"] == "note" and "cannot ask this agent" in line["text"]]
    assert f"{path}: {words}; " in note and cure in note
    output = status("--config", config, code=3)
    assert "the spool is in use" not in output and "AF_UNIX" not in output, "it has ended"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes what another user may not write")
@pytest.mark.parametrize("is_running", [False, True])
@pytest.mark.parametrize("what", ["a file", "a folder", "a socket"])
def test_what_is_in_the_place_of_a_socket_is_the_same_to_root_and_to_the_agents_user(monkeypatch, what, is_running):
    monkeypatch.setattr("toolcart.tools.status.without_socket.is_held", lambda _path: is_running)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        path = Path(folder, "cart.json.sock")
        Path(folder, "cart.json").write_text(json.dumps(cart_of(number=7)))
        for made in (folder, Path(folder, "cart.json")):
            os.chown(made, 65534, -1)
        if what == "a socket":
            listening.bind(str(path))  # nobody listens: root is refused, and nobody else is told
        else:
            WITHOUT_SOCKET[what][0](path)
        os.chmod(path, 0o755)
        seen = {}
        for user in (0, 65534):
            os.seteuid(user)
            try:
                with pytest.raises(client.NoAgent) as refusal:
                    client.ask(str(path))
                if what != "a socket":
                    assert quarantine_commands.ask_agent(str(path), ["list"]) is None
                elif user:
                    with pytest.raises(quarantine_commands.OrderNotGiven, match="only root, whose socket that is"):
                        quarantine_commands.ask_agent(str(path), ["list"])
            finally:
                os.seteuid(0)
            seen[user] = (str(refusal.value), refusal.value.hint, refusal.value.is_forbidden)
        if what == "a socket":
            assert seen[65534][2] and not seen[0][2]
        else:
            assert seen[0] == seen[65534] and not seen[0][2], seen
            words = WITHOUT_SOCKET[what][1] if is_running else "is not a socket"
            assert words in seen[0][0], seen


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a folder that its agent's user may not write")
def test_the_folder_of_a_socket_that_its_user_may_not_write_is_named():
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "cart.json")
        config.write_text(json.dumps(cart_of(number=7)))
        path = str(config) + ".sock"
        os.chmod(folder, 0o755)
        os.seteuid(65534)
        try:
            words, cure = no_socket(path)
        finally:
            os.seteuid(0)
        assert words == f"nobody may make no file in {folder}, which belongs to root"
        assert cure.startswith(f"`chown nobody {folder}`")


def test_of_a_spool_that_may_not_be_opened_status_does_not_say_that_no_agent_runs(tmp_path, monkeypatch):
    config = written(tmp_path, cart_of(number=7))
    monkeypatch.setattr("toolcart.tools.status.without_socket.is_held", lambda _path: None)
    output = status("--config", config, code=3)
    assert "no agent runs" not in output and "it cannot be told whether an agent runs: " in output
    monkeypatch.setattr("toolcart.tools.status.without_socket.is_held", lambda _path: True)
    output = status("--config", config, code=3)
    assert f"the spool is in use, and no agent answers: there is no {config}.sock" in output
    assert "If the agent of another configuration has the spool" in output


def test_no_one_there_is_reported_with_what_to_do(tmp_path):
    config = tmp_path / "cart.json"
    config.write_text("{}")
    output = status("--config", config, code=3)
    assert "no agent runs here" in output and "toolcart run --config" in output
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(socket_location.config_socket(config))
    assert "one that was killed, or moved while it ran, has left" in status("--config", config, code=3)
    assert json.loads(status("--config", config, "--json", code=3))["running"] is False
    status("--config", config, "--port", "COM3", code=2)


def test_the_service_is_asked_without_any_option(monkeypatch, tmp_path):
    monkeypatch.setattr(socket_location, "SERVICE_FOLDER", str(tmp_path / "toolcart"))
    output = status(code=3)
    assert f"there is no {tmp_path}/toolcart/agent.sock" in output and "systemctl status toolcart" in output
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "toolcart"))
    assert socket_location.socket_of("cart.json") == socket_location.default()


def test_a_configuration_in_etc_has_its_socket_where_something_may_be_written(monkeypatch, tmp_path):
    assert socket_location.config_socket("/etc/toolcart/config.json") == "/var/lib/toolcart/config.json.sock"
    monkeypatch.setattr(socket_location, "STATE", str(tmp_path))
    config = tmp_path / "config.json"
    assert socket_location.to_ask(config) == socket_location.default(), "the service's"
    Path(socket_location.config_socket(config)).touch()
    assert socket_location.to_ask(config) == socket_location.config_socket(config) and socket_location.to_ask(
        "cart.json"
    ) == socket_location.config_socket("cart.json")


def test_another_users_socket_and_one_that_hangs_are_told_apart(tmp_path, monkeypatch):
    path = str(tmp_path / "a.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(1)
        with pytest.raises(client.NoAgent, match="does not answer within"):
            client.ask(path, 0.05)
        with (
            contextlib.ExitStack() as others,
            pytest.raises(client.NoAgent, match="as many as may ask at once") as full,
        ):
            for _ in range(10):  # of whom two fit the queue
                other = others.enter_context(socket.socket(socket.AF_UNIX))
                other.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    other.connect(path)
            client.ask(path, 0.05)
        assert full.value.is_late, "its own agent has that socket"

    def forbidden(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(client.socket.socket, "connect", forbidden)
    for is_root in (False, True):
        monkeypatch.setattr(privileges, "is_root", lambda is_root=is_root: is_root)
        with pytest.raises(client.NoAgent, match="no permission") as error:
            client.ask(path)
        assert ("sudo" in error.value.hint) is not is_root


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.EMFILE, "ulimit -n"), (errno.ENFILE, "ulimit -n"), (errno.EACCES, ""), (errno.EIO, "")]
)
def test_an_agent_that_cannot_be_asked_for_want_of_a_socket_does_not_answer(tmp_path, monkeypatch, number, hint):
    def refuse(*_arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(client.socket, "socket", refuse)
    with pytest.raises(client.NoAgent) as error:
        client.ask(str(tmp_path / "a.sock"))
    assert hint in error.value.hint
    with pytest.raises(SystemExit) as ended:
        commands._look(lambda: client.ask(str(tmp_path / "a.sock")), False, False)
    assert ended.value.code == 3


def test_a_socket_that_may_not_be_looked_for_is_the_services(tmp_path, monkeypatch):
    monkeypatch.setattr(socket_location, "CONFIGURATIONS", str(tmp_path))
    monkeypatch.setattr(socket_location, "STATE", str(tmp_path))
    assert socket_location.to_ask(tmp_path / ("a" * 252)) == socket_location.default(), "a name too long for a file"


@pytest.mark.parametrize(("words", "code"), [("status", 3), ("doctor", 2), ("config check", 2), ("run", 2)])
def test_a_configuration_that_is_a_link_to_itself_cannot_be_read(tmp_path, words, code):
    path = tmp_path / "cart.json"
    path.symlink_to("cart.json")
    option = [] if words == "config check" else ["--config"]
    output = toolcart(*words.split(), *option, path, code=code).output
    assert "should not happen" not in output and ("symbolic links" in output or code == 3)


@pytest.mark.parametrize("answer", [b'{"error": "no such order"}\n{"end": true}\n', b"HTTP/1.1 400\r\n", b""])
def test_what_is_no_status_is_refused(tmp_path, answer):
    def behave(client):
        client.recv(100)
        client.sendall(answer)

    path = str(tmp_path / "a.sock")
    with Peer(behave, path), pytest.raises(client.NoAgent):
        client.ask(path, 5)


# -- the words -----------------------------------------------------------------------------------------------------


def _station(**changed):
    station = healthy_station(
        number=10, stored=5, delivered=3, oldest_waiting="2026-11-20 10:00:00", oldest_waiting_s=60.0
    )
    station["controller"]["clock_ahead_s"] = -70
    station["spool"]["torn"] = 1
    return {**station, **changed}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "its clock is 70 s behind ours"),
        ({}, "5 stored, 3 delivered, 2 waiting (the oldest stored 60 s ago, stamped 2026-11-20 10:00:00)"),
        ({"oldest_waiting_at_least": True}, "(the oldest stored at least 60 s ago, stamped 2026-11-20 10:00:00)"),
        ({"oldest_waiting_s": None}, "2 waiting (the oldest stamped 2026-11-20 10:00:00)"),
        ({}, "20 % full, of 16 blocks for results; at most 0 blocks erased so far; 1 torn"),
        ({"mounted": False, "spool_problem": "it is a folder"}, "the spool is not up: it is a folder"),
        (
            {"overwritten": 4},
            "4 results at most overwritten before ToolsNet had them, because the spool was full, or left out when it",
        ),
        ({"parked": 1}, "in doubt or unreadable; `toolcart quarantine list --spool FILE` shows them"),
        ({"recovery": {"open_ids": 7, "gone": 2}}, "7 missed results from before"),
        ({"recovery": {"stored_again_at_most": 3}}, "3 results may be stored twice"),
    ],
)
def test_what_needs_somebody_is_reported_with_its_command(changed, expected):
    assert expected in "\n".join(words.station_lines(_station(**changed)))


def test_an_address_of_ipv6_is_reported_in_brackets():
    station = _station()
    station["controller"]["host"] = "fe80::1"
    assert "[fe80::1]:4545" in "\n".join(words.station_lines(station))


def test_the_clock_and_a_fault_of_the_agent_are_reported():
    about = {"version": "1", "pid": 7, "uptime_s": 7300, "started": "x", "memory_kib": 20480, "notes": ["n"]}
    about.update({"clock": {"now": "t", "zone": "CET", "kept": False}, "faults": 2, "last_fault": "ValueError: v"})
    text = "\n".join(words.agent_lines(about))
    assert "2 h 1 min" in text and "NOT synchronised" in text and "FAULT" in text and "20 MiB" in text


def test_clock_and_memory_are_those_of_this_machine():
    report = process_module.Process().report()
    assert report["memory_kib"] > 1000 and report["clock"]["kept"] in (True, False, None)
    assert report["clock"]["now"][:10] == time.strftime("%Y-%m-%d")


def test_asking_imports_neither_the_agent_nor_what_draws():
    heavy = {"toolcart.agent.cart.app", "textual", "mpremote", "sqlalchemy", "asyncio"}
    source = "import sys, toolcart.tools.cli.main, toolcart.tools.status.commands; print({*sys.modules} & %r)" % heavy
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_board_is_reported_in_the_same_words():
    from toolcart.tools.flash.board_commands import status_lines

    station = _station()
    station["controller"].update(state="closed", why="timed out")
    lines = status_lines({"board": {"chip": "rp2"}, "stations": [station]})
    assert [line for line in lines if reasons.of_controller(station["controller"]).words in line]
    assert set(words.station_lines(station)) <= set(lines)


def test_a_board_that_wants_no_network_is_not_asked_for_one():
    from toolcart.tools.flash.board_commands import status_lines

    station = _station()
    station["outlets"][0].update(state="closed", why="no network", why_in="closed", next_try_ms=4000)
    text = "\n".join(status_lines({"board": {"network": {"kind": "none"}}, "stations": [station]}))
    assert "results stay on the board" in text and "toolcart board spool" in text
    assert "Wi-Fi" not in text and "ext try" not in text
    text = "\n".join(status_lines({"board": {"network": {"kind": "wifi"}}, "stations": [station]}))
    assert "Wi-Fi" in text and "ext try" in text


def test_watching_ends_in_order(monkeypatch):
    turns = []

    def ask(_path):
        turns.append(1)
        if len(turns) == 3:
            raise KeyboardInterrupt
        return {"agent": {"pid": 1}, "stations": []}

    monkeypatch.setattr(client, "ask", ask)
    monkeypatch.setattr(commands, "EVERY_S", 0.0)
    assert len(status("--watch", "--json", "--socket", "x").splitlines()) == 2


# -- the exit code -------------------------------------------------------------------------------------------------


def _outlet(**changed):
    outlet = {
        "kind": "file",
        "name": "file",
        "place": "/data/out.jsonl",
        "state": "closed",
        "is_up": False,
        "waiting": 0,
    }
    return {**outlet, "cure": "", "why": "", **changed}


def _side(kind, why):
    """A station one of whose sides is down for this reason."""
    station = _station()
    side = station["controller"] if kind == "controller" else station["outlets"][0]
    side.update(state="waiting", why=why, why_mid=2, why_code=0, next_try_ms=1000)
    return station


AWAY = ("refused", "name not found", "no route", "no network", "timed out", "reset", "ended")
NEEDS_SOMEBODY = {
    "a spool that is not up": _station(mounted=False),
    "a disk that refuses": _station(spool={**_station()["spool"], "refused": "no room"}),
    "results that ToolsNet has lost": _station(outlets=[{**_station()["outlets"][0], "lost_there": 3}]),
    "a worn flash": _station(spool={**_station()["spool"], "state_alarm": 2}),
    "a full quarantine": _station(needs_operator={"why": "the quarantine is full"}),
    "a folder that is gone": _station(outlets=[_station()["outlets"][0], _outlet(why="No such file or directory")]),
    "a file that its disk refuses": _station(outlets=[_outlet(why="No space left on device", cure="free some room")]),
    "a web server that refuses": _station(
        outlets=[_outlet(kind="webhook", name="webhook", place="http://a:80/b", why="it answers 401: who is that?")]
    ),
    **{f"ToolsNet, {why}": _side("toolsnet", why) for why in ("not trusted", "foreign PIM", "server not allowed")},
    **{f"a controller, {why}": _side("controller", why) for why in ("no permission", "slot taken", "other header")},
}
NEEDS_NOBODY = {
    "all is well": _station(),
    "some were overwritten": _station(overwritten=7),
    "what is worth knowing": _station(outlets=[{**_station()["outlets"][0], "late": 2}]),
    "a flash that begins to wear out": _station(spool={**_station()["spool"], "state_alarm": 1}),
    "a web server that is away": _station(outlets=[_outlet(kind="webhook", place="http://a:80/b", why="no route")]),
    "an outlet that has not been tried yet": _station(outlets=[_station()["outlets"][0], _outlet()]),
    **{f"ToolsNet, {why}": _side("toolsnet", why) for why in (*AWAY, "no PIM", "no answer")},
    **{f"a controller, {why}": _side("controller", why) for why in (*AWAY, "silence", "unplugged")},
}


def _ended(station):
    with pytest.raises(SystemExit) as ended:
        commands._look(lambda: {"agent": {"pid": 1}, "stations": [_station(number=1), station]}, False, True)
    return ended.value.code


@pytest.mark.parametrize("state", NEEDS_SOMEBODY)
def test_what_needs_somebody_ends_status_and_doctor_with_1(state):
    station = NEEDS_SOMEBODY[state]
    assert _ended(station) == 1
    findings = doctor._status_findings(station)
    assert "bad" in {finding.verdict for finding in findings}


@pytest.mark.parametrize("state", NEEDS_NOBODY)
def test_what_needs_nobody_is_no_failure_of_the_agent(state):
    assert _ended(NEEDS_NOBODY[state]) == 0


CHANGED = {"file": "cart.json", "digest": "", "changed": ["cart.json"], "wrong": "", "refused": False}
MISTAKE = {"wrong": "toolsnet.pim_port: missing"}


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        ({**CHANGED, "changed": []}, 0),
        (CHANGED, 0),
        ({**CHANGED, **MISTAKE}, 1),
        ({**CHANGED, **MISTAKE, "refused": True}, 1),
        ({**CHANGED, **MISTAKE, "changed": [], "refused": True}, 1),
    ],
)
def test_a_configuration_that_a_start_would_refuse_ends_status_and_doctor_with_1(configuration, code):
    answer = {"agent": {"pid": 1, "configuration": configuration}, "stations": [_station()]}
    with pytest.raises(SystemExit) as ended:
        commands._look(lambda: answer, False, True)
    assert ended.value.code == code
    findings = doctor_agent.examine("cart.json", answer, None, [])
    assert ("bad" in {one.verdict for one in findings}) == bool(code)


def test_an_agent_of_many_stations_answers_while_their_spools_come_up(tmp_path, monkeypatch):
    def slow(board, spool, really=Board.flash):
        time.sleep(0.15)
        return really(board, spool)

    monkeypatch.setattr(Board, "flash", slow)
    tree = cart_of()
    tree["stations"] = [station_at(number) for number in range(1, 6)]
    seen = []

    def goes_on(agent, lines):
        stations = [
            server.of_station(one, agent.board, lambda _: "a problem", agent._put_details) for one in agent.app.stations
        ]
        seen.append([one["mounted"] for one in stations])
        waiting = [one for one in stations if not one["mounted"]]
        for one in waiting:
            assert "the agent is starting" in words.station_lines(one)[1] and not one["spool_problem"]
        assert not any(map(attention.is_for_somebody, waiting)) and not [one for one in lines if one["kind"] == "spool"]
        return waiting != []

    assert run_agent(written(tmp_path, tree), goes_on)[0] == 0
    assert [sum(one) for one in seen] == [1, 2, 3, 4, 5], "somebody is answered between two of them"


def test_an_answer_of_many_lines_needs_few_turns_and_may_take_longer_than_its_first_line(tmp_path):
    count, turns = 200, 0
    control = Control(str(tmp_path / "a.sock"), {"all": lambda _words, _asker: iter([{"line": 1}] * count)})
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(control.path)
        asking.sendall(b"all\n")
        asking.setblocking(False)
        octets = b""
        while not octets.endswith(b'{"end": true}\n'):
            turns += 1
            control.on_turn(turns)
            with contextlib.suppress(BlockingIOError):
                octets += asking.recv(1 << 20)
    control.close()
    assert octets.count(b"line") == count and turns < count // 4
