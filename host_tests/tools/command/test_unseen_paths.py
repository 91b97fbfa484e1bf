"""A path that cannot be looked at is one finding at its setting; everything else is checked all the same."""

import errno
import json
import os

import pytest

from toolcart.board.linux.flash import FileFlash
from toolcart.tools.config import files, path_checks
from toolcart.tools.doctor import local, toolsnet
from toolcart.tools.doctor.finding import BAD, NOTE, SKIPPED
from toolcart.tools.process.configuration_watch import ConfigurationWatch
from host_tests.support.running import cart_of, run_agent, station_at, toolcart, written
from host_tests.support.unseen import hide

ERRORS = (errno.EACCES, errno.EIO, errno.ESTALE, errno.ENAMETOOLONG)
EACH = pytest.mark.parametrize("number", ERRORS, ids=[errno.errorcode[number] for number in ERRORS])


@pytest.fixture
def closed(tmp_path):
    """A folder with a spool of station 7 in it."""
    folder = tmp_path / "closed"
    folder.mkdir()
    FileFlash(str(folder / "s.spool"), 65536, 16, (3, 1, 7)).close()
    return folder


def cart_in(folder, spool="closed/s.spool", **more):
    """A cart with a station whose spool is there, and one in front of it and behind it that is well."""
    stations = [station_at(6), station_at(7, spool=spool), station_at(8)]
    return written(folder, cart_of(stations=stations, **more))


def found(cart, *options, code=1):
    output = toolcart("doctor", "--offline", "--json", "--config", cart, *options, code=code).stdout
    return json.loads(output)["found"]


@EACH
def test_a_spool_in_such_a_folder_is_one_finding_and_the_others_are_checked(tmp_path, monkeypatch, closed, number):
    cart = cart_in(tmp_path)
    hide(monkeypatch, closed, number)
    findings = found(cart)
    bad = [one for one in findings if one["verdict"] == BAD]
    assert {one["what"] for one in bad} == {"configuration", "station 7 spool"}, bad
    for one in bad:
        assert "closed/s.spool" in one["words"] and (
            "may not enter" in one["words"] if number == errno.EACCES else os.strerror(number) in one["words"]
        ), one
    [spool] = [one for one in bad if one["what"] == "station 7 spool"]
    assert "spool.path names a file in a folder" in spool["hint"]
    [placed] = [one for one in bad if one["what"] == "configuration"]
    assert "stations[1].spool.path" in placed["words"]
    good = {one["what"] for one in findings if one["verdict"] == "good"}
    assert {"station 6 spool", "station 6 disk", "station 8 spool", "station 8 disk"} <= good
    assert any(one["what"] == "clock" for one in findings)


@EACH
def test_config_check_says_it_at_its_setting(tmp_path, monkeypatch, closed, number):
    cart = cart_in(tmp_path)
    hide(monkeypatch, closed, number)
    answer = json.loads(toolcart("config", "check", "--json", cart, code=1).stdout)
    assert answer["good"] and [one["place"] for one in answer["cannot_run_yet"]] == ["stations[1].spool.path"]
    assert "mkdir" not in str(answer)


def test_the_folder_that_keeps_others_out_is_named_whichever_it_is(tmp_path, monkeypatch):
    deep = tmp_path / "closed" / "a" / "b"
    deep.mkdir(parents=True)
    hide(monkeypatch, tmp_path / "closed", errno.EACCES)
    problem = path_checks.path_problem(deep / "s.spool")
    assert f"may not enter {tmp_path}/closed, which belongs to " in problem


def test_a_new_spool_s_room_is_not_taken_for_one_that_cannot_be_looked_at(tmp_path, monkeypatch, closed):
    cart = cart_in(tmp_path)
    hide(monkeypatch, closed, errno.EACCES)
    usage = os.statvfs_result((1024, 1024, 100000, 140, 140, 1, 1, 1, 0, 255))  # enough for two of 64 KiB
    monkeypatch.setattr(path_checks.os, "statvfs", lambda _path: usage)
    answer = json.loads(toolcart("config", "check", "--json", cart, code=1).stdout)
    assert [one["place"] for one in answer["cannot_run_yet"]] == ["stations[1].spool.path"], answer


@EACH
def test_an_outlet_s_file_and_a_secret_there_are_findings_at_their_settings(tmp_path, monkeypatch, closed, number):
    outlets = [
        {"kind": "toolsnet"},
        {"kind": "file", "path": "closed/lines"},
        {"kind": "mqtt", "host": "b", "user": "u", "password": {"file": "closed/secret"}, "tls_ca": "closed/ca.pem"},
    ]
    station = {**station_at(7), "outlets": outlets}
    cart = written(tmp_path, cart_of(stations=[station, station_at(8)], toolsnet={"tls_ca": "closed/ca.pem"}))
    hide(monkeypatch, closed, number)
    answer = json.loads(toolcart("config", "check", "--json", cart, code=1).stdout)
    places = {one["place"] for one in answer["cannot_run_yet"]}
    outlet = "stations[0].outlets"
    assert places == {f"{outlet}[1].path", f"{outlet}[2].password", f"{outlet}[2].tls_ca", "toolsnet.tls_ca"}
    findings = found(cart)
    assert {one["what"] for one in findings if one["verdict"] == BAD} == {"configuration"}
    assert {one["what"] for one in findings if one["verdict"] == "good"} >= {"station 7 spool", "station 8 spool"}


@EACH
def test_a_running_agent_is_told_and_not_ended_by_a_configuration_that_names_one(tmp_path, monkeypatch, closed, number):
    cart = written(tmp_path, cart_of(stations=[station_at(8)]))
    watch = ConfigurationWatch(str(cart), files.Files(cart))
    cart_in(tmp_path)
    hide(monkeypatch, closed, number)
    assert "stations[1].spool.path" in watch.check_and_report()["wrong"]
    assert "stations[1].spool.path" in files.first_of(watch.problems())


@EACH
def test_a_start_says_why_and_runs_the_other_stations(tmp_path, monkeypatch, closed, number):
    cart = cart_in(tmp_path)
    hide(monkeypatch, closed, number)
    code, lines = run_agent(cart, lambda agent, _: len([one for one in agent.app.stations if one.mounted]) < 2)
    [problem] = {line["text"] for line in lines if line["kind"] == "spool"}
    assert problem.startswith("station 7: ") and "closed" in problem
    assert code == 0


@EACH
def test_the_running_agent_s_spool_is_not_called_gone_because_it_cannot_be_seen(tmp_path, monkeypatch, closed, number):
    hide(monkeypatch, closed, number)
    [finding] = local.spool("station 7", closed / "s.spool", {}, is_up=True)
    assert finding.verdict == NOTE and "not to be seen from here" in finding.words
    assert os.path.exists(tmp_path)


@EACH
def test_a_spool_that_cannot_be_looked_at_is_not_called_new(monkeypatch, closed, number):
    hide(monkeypatch, closed, number)
    [finding] = toolsnet.compare(7, 5, closed / "s.spool")
    assert finding.verdict == SKIPPED and "cannot be read" in finding.words


@EACH
@pytest.mark.parametrize(
    "words",
    [
        ("spool", "info", "{spool}"),
        ("spool", "take-over", "{spool}", "new.spool"),
        ("spool", "rescue", "{spool}"),
        ("spool", "offer-again", "--spool", "{spool}", "--leave"),
        ("quarantine", "list", "--spool", "{spool}"),
        ("quarantine", "drop", "1", "--yes", "--spool", "{spool}"),
        ("archive", "query", "--database", "{spool}"),
    ],
    ids=" ".join,
)
def test_commands_say_what_they_cannot_look_at(tmp_path, monkeypatch, closed, number, words):
    hide(monkeypatch, closed, number)
    monkeypatch.chdir(tmp_path)
    done = toolcart(*[word.format(spool=closed / "s.spool") for word in words], code=None)
    assert done.exit_code == 2 and str(closed / "s.spool") in done.output, done.output
    assert "there is no such" not in done.output and "Traceback" not in done.output
