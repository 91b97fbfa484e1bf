"""The toolcart command: configurations, mistakes, exit codes, plain lines without a terminal."""

import contextlib
import json
import lzma
import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from toolcart.agent.base.crc import crc30
from toolcart.base import working_folder
from toolcart.sim import option_checks
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.option_values import setting_of, value_like
from toolcart.sim.serve import SimulatedPlant
from toolcart.sim.toolsnet import ToolsNetOptions
from toolcart.tools.config import file as config_file
from host_tests.portable import LONG
from host_tests.support.combinations import all_pairs
from host_tests.support.running import (
    DEADLINE_S,
    ENVIRONMENT,
    cart_of,
    command_of,
    ran,
    run_agent,
    running,
    station_at,
    toolcart,
    written,
)

# -- configuration -------------------------------------------------------------------------------------------------


def test_every_mistake_is_reported_with_its_place(tmp_path):
    tree = cart_of()
    tree["toolsnet"]["pim_port"] = 70000
    tree["stations"][0]["spool"]["when_ful"] = "refuse"
    path = written(tmp_path, tree)
    output = toolcart("config", "check", path, code=2).output
    for words in ("2 mistakes", "toolsnet.pim_port", "70000", "1 to 65535", "did you mean when_full?"):
        assert words in output
    as_json = json.loads(toolcart("config", "check", path, "--json", code=2).output)
    assert not as_json["good"]
    assert [mistake["place"] for mistake in as_json["mistakes"]] == ["stations[0].spool.when_ful", "toolsnet.pim_port"]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{"system": ', "line 1, column 12"),
        ("[" * 100000, "line 1, column 7"),
        ("[]", "(file)"),
        ("9" * 5000, "(file)"),
    ],
)
def test_a_file_that_is_no_configuration_is_a_mistake_and_no_traceback(tmp_path, content, place):
    errors = ran("config", "check", written(tmp_path, content), code=2).stderr
    assert place in errors and "Traceback" not in errors


def test_a_file_that_is_missing_or_binary_is_a_mistake(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe{")
    for name in ("missing", "binary"):
        with pytest.raises(config_file.ConfigurationError) as wrong:
            config_file.read(tmp_path / name)
        assert wrong.value.mistakes[0][0] == "(file)"


def test_wrong_options_are_reported_before_anything_runs(tmp_path):
    path = written(tmp_path, cart_of())
    for arguments, text in (
        (["--outage", "8:5"], "end after it began"),
        (["--outage", "soon"], "such as 5:8"),
        (["--seconds", "5", "--kill", "9"], "after the end"),
        (["--config", path, "--kill", "3", "--controller-outage", "1:2"], "--kill, --controller-outage: only"),
    ):
        assert text in toolcart("run", *arguments, code=2).output.replace("\n", " ")


# -- run with a configuration ----------------------------------------------------------------------------------------


def test_a_wrong_configuration_ends_with_2_and_every_mistake(tmp_path):
    tree = cart_of()
    del tree["toolsnet"]["pim_host"]
    tree["stations"][0]["number"] = 0
    done = ran("run", "--config", written(tmp_path, tree), code=2)
    assert "toolsnet.pim_host" in done.stderr and "stations[0].number" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("spool", "reason"),
    [
        ("missing/cart.spool", "spool.path names a file in a folder"),
        ("notes.txt", "does not begin as a spool; `toolcart spool rescue"),
    ],
)
def test_a_spool_that_cannot_be_used_ends_with_3_and_the_reason(tmp_path, spool, reason):
    (tmp_path / "notes.txt").write_text("of somebody else " * 300)
    path = written(tmp_path, cart_of(station={"spool": {"path": spool}}))
    errors = ran("run", "--plain", "--config", path, code=3).stderr
    assert reason in errors and "writable" not in errors


def test_a_spool_that_does_not_fit_ends_with_3(tmp_path):
    with SimulatedPlant(rate=20) as plant:
        tree = cart_of(plant)
        ran("run", "--config", written(tmp_path, tree), "--seconds", 2)
    spool = tmp_path / "cart.spool"
    octets = bytearray(spool.read_bytes())
    for at in range(4096, len(octets), 256):
        if octets[at : at + 2] == b"TS":
            # Make the snapshot at `at` one of a later version, with its right checksum.
            octets[at + 2] = 200
            end = at + 252
            octets[end : end + 4] = crc30(octets, at, end).to_bytes(4, "little")
    spool.write_bytes(octets)
    assert "another version" in ran("run", "--config", written(tmp_path, tree), "--seconds", 2, code=3).stderr
    assert spool.read_bytes() == octets


def test_without_terminal_agent_writes_plain_lines_and_ends_in_order_on_sigterm(tmp_path):
    with SimulatedPlant() as plant:
        path = written(tmp_path, cart_of(plant))
        with running(*command_of("run", "--config", path)) as agent:
            output = ""
            while "controller ready" not in output or "ToolsNet connected" not in output:
                line = agent.stdout.readline()
                assert line, output
                output += line
            assert "in use by another agent" in ran("run", "--config", path, "--seconds", 5, code=3).stderr
            plant.produce(5)
            agent.send_signal(signal.SIGTERM)
            rest, _ = agent.communicate(timeout=DEADLINE_S)
        assert agent.returncode == 0 and "controller left in order" in rest
        assert plant.complaints() == []


def with_streams(folder, words, streams, environment):
    """Run it with these redirections; return its code and what it said on standard error."""
    written(folder, cart_of())
    shell = ["sh", "-c", f'cd "$0"; exec "$@" {streams}', str(folder), *command_of(*words)]
    done = subprocess.run(shell, env=environment, stderr=subprocess.PIPE, text=True, timeout=DEADLINE_S)
    return done.returncode, done.stderr


ASIDE = Path(__file__).parents[2] / "data/aside.spool.xz"  # a spool with results that wait, and some set aside
FULL = "toolcart: No space left on device\n  The disk is full; make room, or name another place.\n"
CLOSED = "toolcart: standard output is closed\n  Give it a file, a pipe, or /dev/null if nobody is to read it.\n"


UNPRINTED = {  # the code, and what is said on standard error
    ">&-": (1, CLOSED),
    ">/dev/full": (1, FULL),
    ">&- 2>&-": (1, ""),
    ">/dev/null": (0, ""),
    "| head -0": (0, ""),  # a reader that has all it wants
}
PRINTING = [
    "spool rescue cart.json",  # its CSV is smaller than a buffer, and goes to it as to a file
    "spool rescue cart.json --json",
    "config explain",
    "web --dashboard",
    *(["--help", "mid 61"] if LONG else []),  # print as the others do
]


@pytest.mark.parametrize(("words", "streams", "buffered"), all_pairs(PRINTING, list(UNPRINTED), [True, False]))
def test_what_cannot_be_printed_is_not_done(tmp_path, words, streams, buffered):
    code, errors = UNPRINTED[streams]
    environment = {**ENVIRONMENT, "PYTHONUNBUFFERED": "" if buffered else "1"}
    found, said = with_streams(tmp_path, words.split(), streams, environment)
    assert (found, said.replace("0 results found in 0 KiB\n", "")) == (code, errors)


@pytest.mark.parametrize(
    ("streams", "why"),
    [(">&-", "standard output is closed"), (">/dev/full", "No space left on device"), ("| true", "")],
)
@pytest.mark.parametrize(("words", "made"), [(["spool", "take-over", "old.spool", "new.spool"], "new.spool")])
def test_an_order_whose_words_cannot_be_printed_is_done_all_the_same(tmp_path, words, made, streams, why):
    (tmp_path / "old.spool").write_bytes(lzma.decompress(ASIDE.read_bytes()))
    code, said = with_streams(tmp_path, words, streams, ENVIRONMENT)
    assert (code, said) == (0, f"toolcart: it is done; what it says cannot be printed: {why}.\n" if why else "")
    assert (tmp_path / made).exists()


@pytest.mark.parametrize("streams", [">&- 2>&- <&-", ">&-"])
def test_a_command_that_lasts_goes_on_without_its_output(tmp_path, streams):
    assert with_streams(tmp_path, ["run", "--config", "cart.json", "--seconds", 1], streams, ENVIRONMENT) == (0, "")


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize(
    ("words", "code_of_whole"),
    [
        (["config", "check", "cart.json"], 0),
        (["doctor", "--config", "cart.json"], 1),
        (["status", "--config", "cart.json"], 3),
        (["archive", "serve", "--pim-port", 0, "--server-port", 0, "--seconds", 0.05, "--database", "a.sqlite"], 0),
    ],
    ids=lambda words: " ".join(map(str, words[:2])) if isinstance(words, list) else "",
)
def test_in_a_working_folder_that_is_gone_whole_paths_work_and_others_are_refused_for_that(
    tmp_path, is_whole, words, code_of_whole
):
    written(tmp_path, cart_of())
    folder = tmp_path / "gone"
    folder.mkdir()
    *words, name = words
    shell = 'cd "$0"; rmdir "$0"; exec "$@"'
    command = ["sh", "-c", shell, folder, *command_of(*words, tmp_path / name if is_whole else name)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=DEADLINE_S)
    if is_whole:
        assert done.returncode == code_of_whole and working_folder.GONE not in done.stderr, done.stderr
    else:
        assert (done.returncode, done.stdout, done.stderr) == (1, "", REFUSED_FOR_THAT)


REFUSED_FOR_THAT = f"toolcart: {working_folder.GONE}\n  {working_folder.ADVICE}\n"


@pytest.mark.parametrize(
    "words",
    [
        "run --plain --keep demo",
        "archive serve --database WHOLE/a.sqlite --old-into b.sqlite --keep-days 9",
        "archive check",
        "archive web --listen 127.0.0.1:0",
        "archive web --listen 127.0.0.1:0 --database sqlite:///a.sqlite",
        "archive serve --database WHOLE/a.sqlite --tls-key key --tls-certificate certificate",
        "spool rescue a.spool",
        "spool take-over WHOLE/a.spool b.spool",
        "config new cart.json",
        "simulate controller --link ascii",
        "simulate controller --link ascii --device line",
        "line decode capture",
        "web a.socket",
    ],
)
def test_there_is_one_sentence_for_a_name_without_a_folder(tmp_path, words):
    folder = tmp_path / "gone"
    folder.mkdir()
    words = words.replace("WHOLE", str(tmp_path)).split()
    command = ["sh", "-c", 'cd "$0"; rmdir "$0"; exec "$@"', folder, *command_of(*words)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=DEADLINE_S)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", REFUSED_FOR_THAT)


def test_what_names_no_file_needs_no_working_folder(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    words = ["simulate", "controller", "--port", 0, "--seconds", 0.1]
    command = ["sh", "-c", 'cd "$0"; rmdir "$0"; exec "$@"', folder, *command_of(*words)]
    assert subprocess.run(command, env=ENVIRONMENT, timeout=DEADLINE_S).returncode == 0


def test_the_view_is_not_drawn_into_a_file_of_errors(tmp_path):
    path = written(tmp_path, cart_of())
    ours, theirs = pty.openpty()
    words, output = command_of("run", "--config", path), b""
    with subprocess.Popen(words, env=ENVIRONMENT, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        while b"agent started, process" not in output:
            output += os.read(ours, 1 << 16)
        process.terminate()
        assert process.communicate(timeout=DEADLINE_S)[1] == b""
    assert process.returncode == 0 and b"\x1b" not in output
    os.close(ours)


def test_the_machine_form_of_a_run_ends_with_one_object(tmp_path):
    with SimulatedPlant(rate=20) as plant:
        path = written(tmp_path, cart_of(plant))
        lines = [
            json.loads(line) for line in ran("run", "--json", "--config", path, "--seconds", 3).stdout.splitlines()
        ]
        assert lines[-1]["kind"] == "account"
        assert lines[-1]["stored"] > 10
        assert {line["kind"] for line in lines[:-1]} <= {"change", "summary"}
        assert plant.account()["lost"] <= lines[-1]["waiting"]


# -- simulate ------------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_reported_with_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        errors = ran("simulate", "controller", "--port", taken.getsockname()[1], code=1).stderr
    assert "Address already in use" in errors and "--port" in errors


def _simulate(*words, code):
    output = toolcart("simulate", *words, "--seconds", 0.01, code=code).output
    assert "Traceback" not in output
    return output


def test_what_a_simulator_cannot_use_is_reported_with_what_to_do(tmp_path):
    output = _simulate("controller", "--port", 0, "--set", 'identity={"nonsense": 1}', code=2)
    assert "identity is a dictionary whose keys are one of the fields" in output
    (tmp_path / "file").write_text("keep me")
    for path in (tmp_path / "no" / "where", tmp_path / "file", "/dev/zero"):
        output = _simulate("controller", "--link", "ascii", "--device", path, code=1)
        assert "--device" in output and str(path) in output
    assert "--link ascii" in _simulate("controller", "--device", "x.tty", "--port", 0, code=2)
    assert (tmp_path / "file").read_text() == "keep me"


@pytest.mark.parametrize("setting", ["ids_off_by=-1", "clock_ahead_s=-5", "seed=-1", "pushed_revision=null"])
def test_what_an_option_may_be_can_be_typed(setting):
    name, value = setting_of(ControllerOptions, setting)
    assert value == json.loads(setting.partition("=")[2]) and not option_checks.wrong(ControllerOptions, name, value)


@pytest.mark.parametrize(
    ("kind", "setting", "words"),
    [
        (ControllerOptions, "memory=-1", "memory is a whole number, 0 or more, such as memory=5000"),
        (ControllerOptions, "traces=[9]", "traces is a list of whole numbers, one of 1, 2, 3 each: in JSON"),
        (ControllerOptions, "silent=1", "silent is True or False, such as silent=false"),
        (ControllerOptions, "pad=xx", "pad is b"),
        (ControllerOptions, "refuse=60", 'such as {"60": 97}'),
        (ToolsNetOptions, "codes=5", "codes is a dictionary: in JSON"),
    ],
)
def test_what_an_option_may_not_be_is_refused_as_typed(kind, setting, words):
    with pytest.raises(ValueError) as raised:
        setting_of(kind, setting)
    assert words in str(raised.value)


def test_setting_that_breaks_a_simulator_while_it_runs_ends_it_in_words():
    with _simulated("--set", "batch=123456", "--rate", 50, "--set", "start_revisions=[1]") as (process, port):
        with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as client:
            client.sendall(b"00200001            \x0000200060            \0")
            assert process.wait(DEADLINE_S) == 1
        errors = process.stderr.read()
        assert "cannot go on" in errors and "--set" in errors and "Traceback" not in errors


@contextlib.contextmanager
def _simulated(*arguments):
    """A simulated controller in a process of its own; (process, port)."""
    command = command_of("simulate", "controller", "--port", 0, *arguments)
    with running(*command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        yield process, int(process.stdout.readline().rsplit(":", 1)[1])


@pytest.mark.parametrize("strict, code", [((), 0), (("--strict",), 1)])
def test_headers_as_public_clients_write_them_are_taken(strict, code):
    with _simulated("--profile", "power-focus-4000", "--rate", 0, *strict) as (process, port):
        for start in (b"00200001001001010000\0", b"00200001            \0", b"00200001000 00000000\0"):
            with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as client:
                client.sendall(start)
                assert client.recv(100)[4:8] == b"0002"
                client.sendall(b"00200003001         \0")
                assert client.recv(100)[4:8] == b"0005"
        process.terminate()
        output, _ = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == code
        complaints = [line for line in output.splitlines() if "complaint" in line]
        assert all("odd, and taken" in line for line in complaints)
        assert len(complaints) == (5 if strict else 0), complaints
        assert "produced 0" in output


def test_a_reader_that_goes_away_ends_a_simulator_without_a_word():
    with _simulated("--rate", 50) as (process, _):
        process.stdout.close()
        assert process.wait(DEADLINE_S) == 1
        assert process.stderr.read() == ""
        process.stdout = None


def test_a_running_controller_takes_orders():
    with _simulated("--rate", 0, "--orders", "--profile", "minimal") as (process, _):
        for order in ("produce 3", "jump 7", "produce", "nonsense", "set max_clients=x", "rate fast", ""):
            process.stdin.write(order + "\n")
        process.stdin.flush()
        lines = []
        while not any("rate" in line for line in lines):
            lines.append(process.stdout.readline())
        assert "produced 1 to 3\n" in lines and "produced 11 to 11\n" in lines
        assert any("no such order: nonsense" in line for line in lines)
        assert any("a whole number" in line for line in lines)


def test_options_of_a_simulator_are_read_in_the_form_they_have():
    assert value_like((1, 2), "[5, 6]") == (5, 6)
    assert value_like({}, '{"7": 110}') == {7: 110}
    assert value_like(b" ", "x") == b"x"
    assert value_like("mirror", "none") == "none"
    assert value_like(1, "3") == 3


def _agent_lines(tmp_path, tree, turns=3, each_turn=lambda agent: None):
    """The lines of an agent in this process that runs for some turns; no one answers it."""
    left = iter(range(turns))
    return run_agent(written(tmp_path, tree), lambda agent, _: (each_turn(agent), next(left, None))[1] is not None)[1]


def test_another_station_does_not_get_the_spool(tmp_path):
    tree = cart_of()
    _agent_lines(tmp_path, tree)
    before = (tmp_path / "cart.spool").read_bytes()
    tree["stations"][0]["number"] = 2
    (line,) = [line for line in _agent_lines(tmp_path, tree) if line["kind"] == "spool"]
    assert "belongs to station 1 of system 1 (type 3), not to station 2" in line["text"]
    assert (tmp_path / "cart.spool").read_bytes() == before


def test_a_start_that_makes_a_spool_says_so_and_another_does_not(tmp_path):
    for _ in range(2):
        (line,) = [line for line in _agent_lines(tmp_path, cart_of()) if line["kind"] == "made"]
        assert str(tmp_path / "cart.spool") in line["text"] and "is not fetched" in line["text"]
        assert not [line for line in _agent_lines(tmp_path, cart_of()) if line["kind"] == "made"]
        (tmp_path / "cart.spool").unlink()


def test_why_a_spool_is_not_up_begins_with_its_station_where_there_are_several(tmp_path):
    tree = cart_of()
    tree["stations"] = [station_at(number, spool=f"{number}/a.spool") for number in (1, 2)]
    texts = [line["text"] for line in _agent_lines(tmp_path, tree) if line["kind"] == "spool"]
    assert sorted(text[:11] for text in texts) == ["station 1: ", "station 2: "], texts


def test_a_spool_that_is_deleted_under_a_running_agent_is_reported(tmp_path):
    def delete(agent):
        state = agent.app.stations[0].state
        path = tmp_path / "cart.spool"
        if agent.app.stations[0].mounted and path.exists():
            path.unlink()
            assert not state.save()

    tree = cart_of()
    stations = [line["stations"][0] for line in _agent_lines(tmp_path, tree, 6, delete) if line["kind"] == "status"]
    assert stations[-1]["spool"]["refused"] == "gone"
    assert "was deleted, replaced or cut while the agent was running" in stations[-1]["spool"]["refused_words"]


# -- Ctrl-C while it starts ----------------------------------------------------------------------------------------

INTERRUPTING = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""
ENTRIES = {  # the console script as an installer writes it
    "module": ["-m", "toolcart"],
    "script": ["-c", "import sys; from toolcart.__main__ import main; sys.exit(main())"],
}


def interrupted(tmp_path, entry, at, *words, **more):
    """The command as a process that gets Ctrl-C when it imports this module."""
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTING)
    env = dict(ENVIRONMENT, PYTHONPATH=os.pathsep.join((str(tmp_path), ENVIRONMENT["PYTHONPATH"])), INTERRUPT_AT=at)
    command = [sys.executable, *ENTRIES[entry], *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=DEADLINE_S, **more)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("at", ["toolcart.base.hangup", "click", "toolcart.tools.cli.main", "toolcart.tools.cli.docs"])
def test_ctrl_c_while_it_is_imported_ends_it_by_the_signal_and_prints_nothing(tmp_path, entry, at):
    done = interrupted(tmp_path, entry, at, "docs", "--path")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_ctrl_c_that_is_ignored_stays_so_while_it_is_imported(tmp_path, entry):
    ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)}
    done = interrupted(tmp_path, entry, "click", "--version", **ignoring)
    assert done.returncode == 0 and "version" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("entry", ENTRIES)
def test_ctrl_c_is_the_commands_as_soon_as_it_runs(tmp_path, entry):
    done = interrupted(tmp_path, entry, "toolcart.codec.rendering", "mid", "61", "--json")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (1, "", "Aborted!")
