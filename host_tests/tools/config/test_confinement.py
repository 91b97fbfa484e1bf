"""What the unit of a service keeps its agent from writing is told by `config check` and doctor, as systemd does it."""

import errno
import os
from pathlib import Path

import pytest

from toolcart.tools.config import confinement, files, path_checks, runner
from toolcart.tools.config.confinement import Confinement
from toolcart.tools.config.file import CannotRunHere
from toolcart.tools.service.unit import Service
from host_tests.support.running import cart_of, toolcart, written
from host_tests.support.unseen import hide

STRICT = {"ProtectSystem": ["strict"], "StateDirectory": ["toolcart"]}
BELOW = "a file below /var/lib/toolcart"


@pytest.fixture(autouse=True)
def booted(tmp_path, monkeypatch):
    monkeypatch.setattr(confinement, "BOOTED", str(tmp_path))


def setting(path, **settings):
    """The setting that keeps the service from writing there, "" if none does."""
    words, _ = Confinement(("toolcart", settings)).problem(Path(path))
    return words.partition(", by ")[2].partition(" of its unit")[0]


CASES = [  # settings, a path, and what of the unit is in the way
    (STRICT, "/srv/x/a.jsonl", "ProtectSystem=strict"),
    (STRICT, "/var/lib/toolcart/a.spool", ""),
    (STRICT, "/var/lib/toolcarts/a.spool", "ProtectSystem=strict"),
    (STRICT, "/home/a/a.jsonl", ""),
    ({**STRICT, "ProtectHome": ["yes"]}, "/home/a/a.jsonl", "ProtectHome=yes"),
    ({**STRICT, "ProtectHome": ["yes"], "ReadWritePaths": ["/home/a"]}, "/home/a/a.jsonl", "ProtectHome=yes"),
    ({**STRICT, "ProtectHome": ["read-only"], "ReadWritePaths": ["/home/a"]}, "/home/a/a.jsonl", ""),
    ({**STRICT, "ReadWritePaths": ["/srv /opt/x", '-"/mnt/a b"']}, "/srv/x/a.jsonl", ""),
    ({**STRICT, "ReadWritePaths": ["/srv /opt/x", '-"/mnt/a b"']}, "/opt/x/y/a.jsonl", ""),
    ({**STRICT, "ReadWritePaths": ["/srv /opt/x", '-"/mnt/a b"']}, "/mnt/a b/a.jsonl", ""),
    ({**STRICT, "ReadWritePaths": ["/srv /opt/x", '-"/mnt/a b"']}, "/opt/a.jsonl", "ProtectSystem=strict"),
    ({**STRICT, "ReadWritePaths": ["/srv"], "ReadOnlyPaths": ["/srv/x"]}, "/srv/x/a", "ReadOnlyPaths=/srv/x"),
    ({**STRICT, "ReadWritePaths": ["/srv"], "ReadOnlyPaths": ["/srv"]}, "/srv/x/a", "ReadOnlyPaths=/srv"),
    ({**STRICT, "ReadWritePaths": ["/"]}, "/srv/x/a.jsonl", "ProtectSystem=strict"),
    ({**STRICT, "ReadWritePaths": ["%S/x 50%%"]}, "/var/lib/x/a.jsonl", ""),
    ({**STRICT, "ReadWritePaths": ["%h"]}, "/srv/x/a.jsonl", ""),
    ({**STRICT, "RootDirectory": ["/srv"]}, "/srv/x/a.jsonl", ""),
    ({**STRICT, "PrivateTmp": ["yes"]}, "/tmp/a.jsonl", "PrivateTmp=yes"),
    ({**STRICT, "RuntimeDirectory": ["toolcart"]}, "/run/toolcart/a.spool", "RuntimeDirectory=toolcart"),
    ({**STRICT, "RuntimeDirectory": ["t"], "RuntimeDirectoryPreserve": ["yes"]}, "/run/t/a.spool", ""),
    (STRICT, "/tmp/a.jsonl", "ProtectSystem=strict"),
    ({"ProtectSystem": ["full"]}, "/srv/a.jsonl", ""),
    ({"ProtectSystem": ["full"]}, "/etc/a.jsonl", "ProtectSystem=full"),
    ({"ProtectSystem": ["yes"]}, "/usr/a.jsonl", "ProtectSystem=yes"),
    ({"DynamicUser": ["yes"]}, "/srv/a.jsonl", "DynamicUser=yes"),
    ({"DynamicUser": ["yes"]}, "/home/a.jsonl", "DynamicUser=yes"),
    ({}, "/srv/a.jsonl", ""),
]


@pytest.mark.parametrize(("settings", "path", "expected"), CASES)
def test_the_innermost_setting_holds(settings, path, expected, monkeypatch):
    monkeypatch.setattr(confinement.os.path, "isdir", lambda _path: True)
    assert setting(path, **settings) == expected


def test_what_the_service_loses_when_it_ends_is_refused_to_its_agent_too(monkeypatch):
    """It would take results there, and a restart would begin with a new spool."""
    unit = ("toolcart", {**STRICT, "PrivateTmp": ["yes"], "RuntimeDirectory": ["toolcart"]})
    words = "the service toolcart loses whenever it ends what is there, by PrivateTmp=yes of its unit"
    assert Confinement(unit).problem(Path("/tmp/a.spool")) == (words, BELOW)
    monkeypatch.setattr(confinement.service, "unit", lambda: "toolcart")
    of_agent = Confinement(unit, of_agent=True)
    assert of_agent.problem(Path("/tmp/a.spool")) == (words, BELOW)
    assert of_agent.problem(Path("/srv/a.spool")) == of_agent.problem(Path("/var/lib/toolcart/a.spool")) == ("", "")
    monkeypatch.setattr(confinement.service, "unit", lambda: "user@1000")
    assert Confinement(unit, of_agent=True).problem(Path("/tmp/a.spool")) == ("", "")


def test_without_systemd_and_without_a_unit_nothing_is_said(monkeypatch):
    assert Confinement(None).problem(Path("/srv/a")) == ("", "")
    monkeypatch.setattr(confinement, "BOOTED", "/nothing")
    assert setting("/srv/x/a.jsonl", **STRICT) == ""


def test_what_is_hidden_is_named_without_a_way_to_allow_it():
    assert Confinement(("toolcart", {**STRICT, "ProtectHome": ["yes"]})).problem(Path("/home/a"))[1] == BELOW


@pytest.fixture
def of_service(tmp_path, monkeypatch):
    """A configuration of a service whose unit is the one that we write; its spool and its file are outside."""
    folder = tmp_path / "results"
    folder.mkdir()
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": str(folder / "x.jsonl")}]
    path = written(tmp_path, cart_of(station={"spool": {"path": str(folder / "a.spool")}, "outlets": outlets}))
    units = tmp_path / "units"
    (units / "toolcart.service.d").mkdir(parents=True)
    (units / "toolcart.service").write_text(Service("/usr/bin/toolcart", user="root", config=str(path)).text())
    monkeypatch.setattr(runner, "UNIT_FOLDERS", (str(units),))
    monkeypatch.setattr(runner, "acting_as", runner.contextlib.nullcontext)
    real = os.path.realpath(path)
    settings = runner.unit_of(path)[1]
    settings["PrivateTmp"] = ["no"]  # the folder of tests may lie in /tmp, or in /dev/shm
    monkeypatch.setattr(confinement, "_NOT_OF_STRICT", ())
    monkeypatch.setattr(
        runner, "unit_of", lambda asked: ("toolcart", settings) if os.path.realpath(asked) == real else None
    )
    return path, folder, settings


def test_config_check_names_what_the_unit_keeps_the_agent_from_writing_and_the_way_out(of_service):
    path, folder, settings = of_service
    told = toolcart("config", "check", path, code=1).output
    allowing = f"ReadWritePaths={folder} under [Service] with `systemctl edit toolcart`"
    for setting, name in (("spool.path", "a.spool"), ("outlets[1].path", "x.jsonl")):
        words = f"stations[0].{setting}: found {folder}/{name}: the service toolcart may not write there, by "
        assert f"{words}ProtectSystem=strict of its unit; expected {BELOW}, or {allowing}" in told.replace("sudo ", "")
    settings["ReadWritePaths"] = [str(folder)]
    toolcart("config", "check", path)


def test_doctor_names_it_too_and_does_not_say_that_the_spool_will_be_made(of_service):
    path, folder, _ = of_service
    told = toolcart("doctor", "--offline", "--config", path, code=1).output
    assert f"{folder}/a.spool: the service toolcart may not write there, by ProtectSystem=strict" in told
    assert "is made at the first start" not in told and "ok configuration" not in told
    assert f"Name {BELOW}, or ReadWritePaths=" in told


def test_a_folder_that_is_not_there_comes_first_as_a_unit_cannot_name_it(of_service):
    path, folder, _ = of_service
    folder.rmdir()
    told = toolcart("config", "check", path, code=1).output
    assert "mkdir -p" in told and "ProtectSystem" not in told


def test_the_running_agent_goes_by_what_it_can_write(of_service):
    path, _, _ = of_service
    assert files.check(path, agent_pid=os.getpid()).lacks == []
    assert len(files.check(path).lacks) == 2


@pytest.mark.parametrize("is_there", [True, False])
def test_the_running_agent_names_the_same_cause_as_a_shell_which_can_look_there(of_service, monkeypatch, is_there):
    """ProtectHome=yes leaves the agent a folder of root's that it may not enter: the owner is not the cause."""
    path, home, settings = of_service
    settings["ProtectSystem"], settings["ProtectHome"] = ["no"], ["yes"]
    monkeypatch.setattr(confinement, "_HOMES", (str(home),))
    monkeypatch.setattr(confinement.service, "unit", lambda: "toolcart")
    if not is_there:
        home.rmdir()
    in_shell = files.check(path, agent_pid=0).lacks
    words = "the service toolcart may not write there, by ProtectHome=yes of its unit"
    assert [found.partition(": ")[2] for _, found, _ in in_shell] == [words, words]
    hide(monkeypatch, home, errno.EACCES)
    assert files.check(path, agent_pid=os.getpid()).lacks == in_shell


def test_an_agent_of_the_service_names_what_its_unit_keeps_it_from_only_where_it_cannot_write(of_service, monkeypatch):
    path, _, _ = of_service
    monkeypatch.setattr(confinement.service, "unit", lambda: "toolcart")
    assert files.check(path, agent_pid=os.getpid()).lacks == []
    refusals = {"a.spool": "its file system is read-only", "x.jsonl": ""}
    monkeypatch.setattr(path_checks, "path_problem", lambda file: refusals[file.name])
    [(place, found, _)] = files.check(path, agent_pid=os.getpid()).lacks
    assert place == "stations[0].spool.path" and found.endswith("by ProtectSystem=strict of its unit")


def test_an_agent_of_the_service_does_not_start_with_a_spool_that_is_lost_with_its_end(of_service, monkeypatch):
    path, folder, settings = of_service
    monkeypatch.setattr(confinement.service, "unit", lambda: "toolcart")
    monkeypatch.setattr(confinement, "_OWN_FOLDERS", {"RuntimeDirectory": str(folder.parent)})
    settings["RuntimeDirectory"] = [folder.name]
    with pytest.raises(CannotRunHere) as refused:
        files.read_to_run(path)
    assert [place for place, *_ in refused.value.mistakes] == ["stations[0].spool.path", "stations[0].outlets[1].path"]
    settings["RuntimeDirectoryPreserve"] = ["yes"]
    files.read_to_run(path)
