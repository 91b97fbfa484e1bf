"""Where too few files may be open (`ulimit -n`), a command works or ends with a sentence, and no spool is harmed."""

import subprocess

import pytest

from toolcart.sim.serve import SimulatedPlant
from host_tests.portable import LONG
from host_tests.support.combinations import each_choice
from host_tests.support.running import (
    DEADLINE_S,
    ENVIRONMENT,
    cart_of,
    command_of,
    ran,
    station_at,
    toolcart,
    wait_for,
    written,
)

STATIONS = 8


def limited(files, *words):
    """A process of `toolcart` that may open only so many files: its exit code, and what it said."""
    command = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command_of(*words)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=DEADLINE_S)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("files", [7, 16, 20, 24] if LONG else [7, 16, 24])
def test_few_files_end_in_a_sentence_and_harm_no_spool(tmp_path, files):
    with SimulatedPlant() as plant:
        first = station_at(1, plant.controller_port)
        tree = cart_of(plant, stations=[first, *[station_at(number) for number in range(2, STATIONS + 1)]])
        path = written(tmp_path, tree)
        ran("run", "--plain", "--seconds", "1", "--config", path)
        for words in (("run", "--plain", "--seconds", "2"), ("doctor",), ("status",), ("quarantine", "list")):
            more = ("--station", "1") if words[0] == "quarantine" else ()
            code, output = limited(files, *words, *more, "--config", path)
            assert "Traceback" not in output and "should not happen" not in output, output
            assert code in (0, 1, 3) and output.strip(), output
            if words[0] == "run" or files < 16:
                assert code == 1 and output.count("`ulimit -n`") == 1, output
    assert ", 0 damaged" in toolcart("spool", "check", tmp_path / "1.spool").output


def agent_with(files, plant, path, log):
    """An agent with so few files beside a controller that makes results once it is connected: exit code and words."""
    command = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command_of("run", "--plain", "--config", path)]
    with open(log, "w+", encoding="utf-8") as out:
        agent = subprocess.Popen(command, env=ENVIRONMENT, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_for("a session", lambda: agent.poll() is not None or "controller ready" in log.read_text())
            plant.produce(3)
            wait_for("results", lambda: agent.poll() is not None or len(plant.controller.acknowledged) == 3)
        finally:
            agent.terminate()
            agent.wait(DEADLINE_S)
    return agent.returncode, log.read_text()


@pytest.mark.parametrize(("files", "stations"), each_choice([5, 6, 8, 12, 20, 32, 24, 33, 16], [1, 3]))
def test_an_agent_with_few_files_takes_results_or_says_what_it_lacks(tmp_path, files, stations):
    outlets = {"outlets": [{"kind": "toolsnet"}, {"kind": "file", "path": "lines.jsonl"}]}
    with SimulatedPlant() as plant:
        first = {**station_at(1, plant.controller_port), **outlets}
        tree = cart_of(plant, stations=[first, *[station_at(number) for number in range(2, stations + 1)]])
        code, output = agent_with(files, plant, written(tmp_path, tree), tmp_path / "log")
        assert "Traceback" not in output and "fault inside" not in output and "Too many" not in output, output
        if code:
            assert code == 1 and output.count("`ulimit -n`") == 1, output
            assert f"only {files} files may be open" in output, output
            assert plant.controller.connections == 0 and not list(tmp_path.glob("*.spool*")), output
        else:
            assert plant.controller.acknowledged == [1, 2, 3], output
        assert (code == 0) == (files >= 16 + 4 + 3 + 5 * (stations - 1)), (files, output)


@pytest.mark.parametrize(
    ("files", "words"),
    each_choice(
        [5, 8, 12, 15],
        [("--version",), ("spool", "check", "a.spool"), ("config", "new", "--help"), ("simulate", "--help")],
    ),
)
def test_a_command_with_too_few_files_says_so_before_it_does_anything(files, words):
    code, output = limited(files, *words)
    assert (code, output.splitlines()[0]) == (
        1,
        f"toolcart: only {files} files may be open in a process (`ulimit -n`), and a command needs 16",
    )


def test_a_limit_that_may_be_raised_is_raised(tmp_path):
    command = ["sh", "-c", 'ulimit -Sn 8; exec "$@"', "sh", *command_of("--version")]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0 and "version" in done.stdout, done.stderr
