"""The whole command line in wrong worlds: no traceback, words that say what and where, and a code that is not 0."""

import errno
import json
import os
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from toolcart.base import command_group
from toolcart.tools.cli import manual
from toolcart.tools.cli.main import main
from host_tests.lab.worlds.test_worlds import ROOT

COMMANDS = {name: context.command for name, context in manual.commands(main, click.Context(main, info_name="toolcart"))}
# They run for long, or need a checkout, a board or a whole plant: what they say of wrong worlds has tests of its own.
ELSEWHERE = (
    "toolcart bench",
    "toolcart run",
    "toolcart simulate",
    "toolcart worlds",
    "toolcart archive serve",
    "toolcart archive web",
    "toolcart web",
)


def _invoke(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def _check(done, words=""):
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert "Traceback" not in done.output and "should not happen" not in done.output, done.output
    assert words in done.output, done.output


def _leaves():
    return sorted(name for name, one in COMMANDS.items() if not isinstance(one, click.Group))


def _value(parameter, bad):
    """Something that the type takes where it takes anything."""
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return str(next(iter(kind.choices)))
    if isinstance(kind, click.IntRange):
        return str(kind.min or 1)
    return "1" if kind in (click.INT, click.FLOAT) else bad


def _arguments(command, bad):
    arguments = []
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            arguments.append(_value(parameter, bad))
        elif parameter.required or {"--spool", "--config", "--file", "--database"} & set(parameter.opts):
            arguments += [parameter.opts[0], _value(parameter, bad)]
    return arguments


@pytest.mark.parametrize("name", [name for name in _leaves() if not name.startswith(ELSEWHERE)])
def test_no_command_answers_a_bad_file_with_a_traceback(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(bytes(range(256)) * 40)
    for bad in ("/proc/nothere/x", "/dev/null", str(tmp_path), str(rubbish)):
        _check(_invoke(*name.split()[1:], *_arguments(COMMANDS[name], bad)))


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("simulate controller --set max_clients=abc --port 0 --seconds 1", 2, "max_clients is a whole number"),
        ("simulate controller --link ascii --device /dev/null --seconds 1", 1, "--device"),
        ("line monitor /dev/null", 3, "/dev/null is not a serial line"),
        ("line monitor /dev/ttyUSB99", 3, "there is no device /dev/ttyUSB99"),
        ("run --config /proc/x/y", 2, "file not found"),
        ("run --log-format json", 2, "only for a service"),
        ("run --keep /proc/x --seconds 1 --plain", 1, "the demo cannot begin in /proc/x"),
        ("config check /proc/x", 2, "file not found"),
        ("doctor --config /proc/x", 2, "file not found"),
        ("ask 127.0.0.1 --port 1 1", 3, "nothing listens there"),
        ("status --socket /proc/x", 3, "no agent runs here"),
        ("status --socket /dev/null", 3, "/dev/null is not a socket"),
        ("status --port /dev/null", 3, "/dev/null is not a serial line"),
        ("status --port /", 3, "/ is not a serial line"),
        ("status --port /dev/ttyACM99", 3, "/dev/ttyACM99 is not there"),
        ("board status --port /dev/ttyACM99", 3, "/dev/ttyACM99 is not there"),
        ("spool info /proc/x", 2, "/proc/x: No such file"),
        ("trace plot /proc/x", 2, "/proc/x"),
    ],
)
def test_a_wrong_world_is_reported_in_words(line, code, words):
    done = _invoke(*line.split())
    _check(done, words)
    assert done.exit_code == code, done.output


@pytest.mark.parametrize(
    ("error", "words", "hint"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/etc/x"), "/etc/x: Permission denied", "another place"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left", "make room"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", b"/x"), "/x: No such file", "Is the name right"),
        (ModuleNotFoundError("No module named 'x'", name="x"), "x is not installed", "extras"),
        (MemoryError(), "not enough memory", "smaller"),
        (KeyError("seven"), "should not happen: KeyError: 'seven'", "TOOLCART_TRACEBACK=1"),
    ],
)
def test_what_no_one_foresaw_is_one_line_and_what_to_do(monkeypatch, error, words, hint):
    def fails():
        raise error

    group = command_group.LazyGroup("toolcart")
    group.add_command(click.Command("fails", callback=fails))
    done = CliRunner().invoke(group, ["fails"])
    assert done.exit_code == 1 and words in done.output and hint in done.output
    monkeypatch.setenv(command_group.TRACEBACK, "1")
    assert CliRunner().invoke(group, ["fails"]).exception is error


def test_a_reader_that_goes_away_ends_a_command_quietly():
    command = [sys.executable, "-m", "toolcart.tools.cli.main", "mid"]
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_help_of_every_command_is_there_though_it_is_imported_late():
    assert len(COMMANDS) > 30 and json.dumps(sorted(COMMANDS))
    for name, command in COMMANDS.items():
        assert command.get_short_help_str(), name


@pytest.mark.parametrize("name", ["controller", "toolsnet"])
def test_the_option_that_the_help_of_simulator_names_is_one_of_its(name, tmp_path, monkeypatch):
    [option] = re.findall(r"such as (\w+=\w+)", " ".join(_invoke("simulate", name, "--help").output.split()))
    ports = {"controller": ["--port", "0"], "toolsnet": ["--pim-port", "0", "--server-port", "0"]}[name]
    monkeypatch.chdir(tmp_path)
    done = _invoke("simulate", name, *ports, "--seconds", "0.2", "--set", option)
    assert done.exit_code == 0, done.output
