"""`config check` and doctor as root try everything in the confinement of the agent's service, by systemd-run."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from toolcart.board.linux import service
from toolcart.tools.config import files, runner, service_check
from toolcart.tools.service.unit import Service
from host_tests.support.running import cart_of, toolcart, written

# Notes its words, and does what the answer that a test has put there does; without one it runs the command.
SYSTEMD_RUN = """\
#!{python}
import os, sys
folder = {folder!r}
with open(folder + "/words", "w") as words:
    words.write("\\n".join(sys.argv[1:]))
if os.path.exists(folder + "/answer.py"):
    exec(open(folder + "/answer.py").read())
    sys.exit(0)
options = [word for word in sys.argv[1:] if word.startswith("--")]
for option in options:
    if option.startswith("--setenv="):
        os.environ.__setitem__(*option.removeprefix("--setenv=").split("=", 1))
command = sys.argv[1 + sys.argv[1:].index({python!r}):]
os.execv(command[0], command)
"""
ONLY = "for the service toolcart only"
LACK = ["stations[0].spool.path", "a.spool: the folder x is not there", "another folder"]


@pytest.fixture
def of_service(tmp_path, monkeypatch):
    """A configuration with the unit of a service; root asks, and systemd runs."""
    path = written(tmp_path, cart_of(station={"outlets": [{"kind": "toolsnet"}, {"kind": "file", "path": "x.jsonl"}]}))
    (tmp_path / "units").mkdir()
    unit = Service("/usr/bin/toolcart", user="root", config=str(path)).text()
    (tmp_path / "units" / "toolcart.service").write_text(unit)
    program = tmp_path / "systemd-run"
    program.write_text(SYSTEMD_RUN.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(runner, "UNIT_FOLDERS", (str(tmp_path / "units"),))
    monkeypatch.setattr(service_check, "BOOTED", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(runner, "acting_as", runner.contextlib.nullcontext)
    monkeypatch.setattr(runner, "user_of", lambda _path: runner.User(os.getuid(), os.getgid()))
    return path


def answers(folder, text):
    Path(folder, "answer.py").write_text(text)


def found_there(folder, *lacks, later=()):
    answers(folder, f"print({json.dumps([lacks, later, 'anna'])!r})")


def test_everything_is_tried_in_the_service(of_service, tmp_path):
    told = toolcart("config", "check", of_service).output
    assert re.search(r": good, 1 station; checked as \w+, in the service toolcart$", told.strip())
    assert (tmp_path / "words").exists()


def test_what_confines_the_agent_confines_the_check_and_what_runs_it_is_left_out(of_service, tmp_path):
    toolcart("config", "check", of_service)
    words = (tmp_path / "words").read_text().splitlines()
    assert {"--wait", "--pipe", "--collect", "--quiet"} <= set(words)
    given = [word.removeprefix("--property=") for word in words if word.startswith("--property=")]
    unit = (tmp_path / "units" / "toolcart.service").read_text().partition("[Service]")[2].partition("[Install]")[0]
    left_out = [line for line in unit.split("\n") if line and line not in given]
    assert {line.partition("=")[0] for line in left_out} == {
        *("Type", "NotifyAccess", "ExecStart", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus"),
        *("WatchdogSec", "TimeoutStopSec", "WorkingDirectory", "RuntimeDirectory", "RuntimeDirectoryMode"),
        *("StateDirectory", "StateDirectoryMode"),
    }
    assert [line for line in given if line not in unit.split("\n")] == ["ReadWritePaths=-/var/lib/toolcart"]
    filters = [line for line in unit.split("\n") if line.startswith("SystemCallFilter")]
    assert [line for line in given if line.startswith("SystemCallFilter")] == filters, "their order counts"
    assert "CapabilityBoundingSet=" in given
    assert "--setenv=RUNTIME_DIRECTORY=/run/toolcart" in words
    assert "--setenv=STATE_DIRECTORY=/var/lib/toolcart" in words, "by which a process knows that it is the service's"
    assert f"--setenv={service.CHECKED}=toolcart" in words


def test_specifiers_are_written_out_and_systemd_gives_no_folder_to_the_user_of_the_check():
    """Given to another user than the running agent's, its spools would be taken from it."""
    settings = {"User": ["b"], "StateDirectory": ["x:y z"], "ReadWritePaths": ["%S/x 50%%", '"%t/a b"']}
    words = service_check.command("toolcart", settings)
    given = [word.removeprefix("--property=") for word in words if word.startswith("--property=")]
    of_folders = ["ReadWritePaths=-/var/lib/x", "ReadWritePaths=-/var/lib/z"]
    assert given == ["User=b", "ReadWritePaths=/var/lib/x 50%", 'ReadWritePaths="/run/a b"', *of_folders]
    words = service_check.command("toolcart", {"DynamicUser": ["yes"], "StateDirectory": ["x"]})
    given = [word.removeprefix("--property=") for word in words if word.startswith("--property=")]
    assert given == ["DynamicUser=yes", "StateDirectory=x", "User=toolcart"]


def test_what_only_the_service_lacks_is_said_to_be_its_units(of_service, tmp_path):
    found_there(tmp_path, LACK, later=[["x", "it is idle", "delete it"]])
    told = toolcart("config", "check", of_service, code=1).output
    words = "a.spool: the folder x is not there (for the service toolcart only, by its unit); expected another folder"
    assert f"stations[0].spool.path: found {words}" in told and "warning: x: it is idle; delete it" in told
    found_there(tmp_path, [LACK[0], "a.spool: the service toolcart cannot see x", LACK[2]])
    told = toolcart("config", "check", of_service, code=1).output
    assert "cannot see x; expected" in told and ONLY not in told
    [station] = cart_of()["stations"]
    (tmp_path / station["spool"]["path"]).mkdir()
    found_there(tmp_path, LACK)
    assert ONLY not in toolcart("config", "check", of_service, code=1).output, "so it is for everybody"


@pytest.mark.parametrize("is_static", (False, True))
def test_the_files_of_a_dynamic_user_are_looked_at_in_the_service_alone(is_static, of_service, tmp_path, monkeypatch):
    """Nobody but root gets through /var/lib/private; a folder of another user would be moved there, by systemd."""
    (tmp_path / "state").mkdir()
    monkeypatch.setattr(service_check, "_folders", lambda *_: [str(tmp_path / "state")] if is_static else [])
    unit = Service("/usr/bin/toolcart", config=str(of_service)).text()
    (tmp_path / "units" / "toolcart.service").write_text(unit)
    monkeypatch.setattr(runner, "user_of", lambda _path: runner.User(61234, 61234))
    acted_as = []
    monkeypatch.setattr(
        runner, "acting_as", lambda user: acted_as.append(user.uid) or runner.contextlib.nullcontext(user)
    )
    found_there(tmp_path, LACK)
    told = toolcart("config", "check", of_service, code=0 if is_static else 1).output
    assert acted_as == [0] and ONLY not in told, "root would not lack what a mode keeps from that user"
    assert ("as anna, in the service toolcart" in told) != is_static
    assert (tmp_path / "words").exists() != is_static
    assert ("without its files (the service toolcart gets a dynamic user at its start)" in told) == is_static


def test_doctor_does_not_say_that_such_a_spool_will_be_made(of_service, tmp_path):
    found_there(tmp_path, LACK)
    told = toolcart("doctor", "--offline", "--config", of_service, code=1).output
    assert "is made at the first start" not in told and "ok  configuration" not in told
    assert re.search(r"XX +station \d+ spool +a.spool: the folder x is not there \(for the service toolcart", told)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("sys.stderr.write('one\\nFailed to connect to bus\\n'); sys.exit(1)", "Failed to connect to bus"),
        ("sys.exit(203)", "systemd-run ends with 203"),
        ("", "systemd-run ends with 0"),
    ],
)
def test_where_systemd_does_not_start_it_the_words_say_that_it_was_checked_outside(of_service, tmp_path, answer, why):
    answers(tmp_path, answer)
    told = toolcart("config", "check", of_service).output
    assert told.strip().endswith(f", outside the service toolcart ({why})")


def test_without_systemd_run_too(of_service, tmp_path, monkeypatch):
    (tmp_path / "systemd-run").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ", outside the service toolcart (systemd-run: No such file" in toolcart("config", "check", of_service).output


@pytest.mark.parametrize("what", ["not root", "not booted", "of the service", "no unit", "a mistake"])
def test_systemd_is_asked_only_by_root_for_a_service_that_this_is_not_of(of_service, tmp_path, monkeypatch, what):
    answers(tmp_path, "sys.exit(1)")
    code, words = 0, r"good, 1 station; checked as \w+$"
    if what == "not root":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        words = r"checked as \w+, outside the service toolcart \(root checks it there\)$"
    elif what == "not booted":
        monkeypatch.setattr(service_check, "BOOTED", "/nowhere")
    elif what == "of the service":
        monkeypatch.setattr(service, "unit", lambda: "toolcart")
        words = r"checked as \w+, in the service toolcart$"
    elif what == "no unit":
        (tmp_path / "units" / "toolcart.service").unlink()
    else:
        written(tmp_path, cart_of(station={"controller": {"port": "x"}}))
        code, words = 2, "the files that it names are tried once this is right$"
    assert re.search(words, toolcart("config", "check", of_service, code=code).output.strip())
    assert not (tmp_path / "words").exists()


def test_a_text_that_is_to_be_there_is_checked_in_the_service(of_service, tmp_path):
    new = tmp_path / "new"
    new.write_text(json.dumps(cart_of(station={"spool": {"path": "nowhere/b.spool"}})))
    told = toolcart("config", "check", new, "--as", of_service, code=1).output
    assert "nowhere/b.spool" in told and "in the service toolcart" in told


def test_what_the_next_start_will_not_find_is_told_before_it_and_no_start_refuses_it(tmp_path, monkeypatch):
    """A secret and a certificate in the service's RuntimeDirectory= can be read by the agent that runs."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "pw").write_text("secret")
    (tmp_path / "run" / "pw").chmod(0o600)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setenv(service.CHECKED, "toolcart")
    broker = {"kind": "mqtt", "host": "b", "user": "u", "password": {"file": "run/pw"}}
    outlets = [{"kind": "toolsnet"}, broker, {"kind": "file", "path": "run/x.jsonl"}]
    path = written(tmp_path, cart_of(station={"outlets": outlets}))
    lacks = files.check(path).lacks
    assert [place.rpartition(".")[2] for place, *_ in lacks] == ["password", "path"]
    assert all("(RuntimeDirectory=)" in found and allowed == f"a file below {tmp_path}" for _, found, allowed in lacks)
    files.read_to_run(path)


def test_config_new_says_what_of_it_cannot_be_used_here(tmp_path):
    answers_given = ("--name", "c", "--controller", "10.0.0.1", "--pim", "10.0.0.2:4500", "--system", "1")
    words = ("config", "new", tmp_path / "cart.json", *answers_given, "--station", "7", "--on", "linux", "--also", "no")
    toolcart(*words)
    [spool] = [station["spool"]["path"] for station in json.loads((tmp_path / "cart.json").read_text())["stations"]]
    (tmp_path / "cart.json").unlink()
    (tmp_path / spool).write_text("another's")
    told = toolcart(*words).output
    assert "good in itself, 1 station, but it cannot run as it is on this machine: stations[0].spool.path" in told
