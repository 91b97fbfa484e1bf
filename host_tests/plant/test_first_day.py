"""An installed toolcart on its first day: its start, as a service and whose, with an unset clock, with foreign text."""

import json
import os
import signal
import sqlite3
import stat
import time

import pytest

from toolcart.agent.record.escaping import octets_of
from toolcart.archive.server.demo_server import DemoServer
from host_tests.plant.as_installed import delivered, stored
from host_tests.plant.libc import ShiftedClock
from host_tests.support.running import wait_for
from host_tests.support.tls import certificate_files


def test_an_installed_agent_delivers_as_its_user(site, plant):
    cart = site.cart(plant)
    site.output("config", "check", cart, code=0)
    site.begin(cart, "controller ready")
    delivered(plant, 5)
    site.output("status", "--config", cart, code=0)
    assert (site.home / "7.spool").stat().st_uid != 0 or not site.other_user


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs a service")
def test_a_spool_with_waiting_results_is_seen_and_taken_along(site, plant):
    root = site.folder / "root"
    cart = site.cart(plant)
    agent = site.begin(cart, "ToolsNet connected")
    plant.cut_toolsnet(True)
    stored(plant, 3)
    install = ("install-service", "--config", cart, "--root", root, "--no-start")
    output = site.output(*install, as_root=True, code=1)
    spool = site.home / "7.spool"
    assert "station 7: up to 3 results wait for ToolsNet" in output and str(spool) in output, output
    assert "--take-spools" in output and not root.exists()
    assert "is in use: end that agent first" in site.output(*install, "--take-spools", as_root=True, code=1)
    assert agent.end() == 0
    moved = root / "var/lib/toolcart/7.spool"
    output = site.output(*install, "--take-spools", as_root=True, code=0)
    assert f"moved {spool} to /var/lib/toolcart/7.spool: up to 3 results wait for ToolsNet\n" in output, output
    assert moved.stat().st_mode & 0o777 == 0o600 and not spool.exists()
    assert json.loads((moved.parent / "config.json").read_text())["stations"][0]["number"] == 7
    assert '"waiting": 3' in site.output("spool", "info", moved, "--json", as_root=True)
    plant.cut_toolsnet(False)
    service = site.begin(moved.parent / "config.json", as_root=True)
    delivered(plant, 0, [1, 2, 3])
    assert service.end() == 0
    spool.write_bytes(moved.read_bytes())  # delivered: nothing in it is left behind
    site.give(spool)
    site.output(*install, as_root=True, code=0)


def test_a_date_of_an_unset_clock_is_marked_everywhere(site, plants):
    shift = ShiftedClock(site.folder, -int(time.time()) + 5)
    lines = site.home / "lines.jsonl"
    plant = plants({"time_text": "0000-00-00:00:00:00"})
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": lines.name}]
    cart = site.cart(plant, station={"outlets": outlets})
    for around, source, edge in ((shift.around, "agent, clock unset", "EDGE, CLOCK UNSET"), ({}, "agent", "EDGE")):
        agent = site.begin(cart, "ToolsNet connected", **around)
        made = plant.produce(1)
        wait_for("delivered", lambda made=made: plant.archive.tightening_ids()[-1:] == made)
        wait_for("in the file", lambda made=made: str(made[0]) in lines.read_text())
        assert agent.end() == 0
        record = json.loads(lines.read_text().splitlines()[-1])
        assert record["time_source"] == source and record["time"].startswith("1970-01-01T" if around else "20"), record
        parameters = [one["value"].strip() for one in plant.archive.results[-1]["parameters"]]
        assert edge in parameters, parameters
    listed = site.run("spool", "list", site.home / "7.spool").stdout.splitlines()
    assert [("(agent, clock unset)" in line) for line in listed] == [True, False], listed
    assert "agent, clock unset" in site.run("spool", "export", site.home / "7.spool").stdout


VINS = (
    "Lenks\xe4ule 7".encode(),
    "Lenks\xe4ule 7".encode("latin-1"),
    b"Lenks?ule 7",
    "\u8f66\u8eab 123".encode(),
    "\u8f66\u8eab 123".encode("gbk"),
    "\u8f66\u8eab\u53f7\u7801\u4e00\u4e8c\u4e09\u56db".encode(),  # 24 bytes: does not fit the field of telegram 04
    "\u8f66\u8eab\u53f7\u7801\u4e00\u4e8c\u4e09\u56db\u4e94".encode("gbk"),
    "\u8f66\u8eab\u53f7\u7801\u4e00\u4e8c\u4e09\u56db\u516d".encode("gbk"),
    b"A~E4",
    b"A\xe4",
    b"A\0B\x1b[2J\xff",
)
STORED = ("Lenks\xe4ule 7", "Lenks~E4ule 7", "Lenks?ule 7", "\u8f66\u8eab 123", "~B3~B5~C9~ED 123")
STORED += ("\u8f66\u8eab\u53f7\u7801\u4e00\u4e8c\u4e09\u56db",)


def archived_names(plant):
    if plant.archived:
        return {row[0] for row in plant.archive.query("SELECT Name FROM TNMapProgram")}
    return set(plant.archive.programs.values())


def run(site, plant, form=str):
    """Each VIN tightened once, delivered; the lines of the file, and what status says."""
    for pset in plant.controller.psets.values():
        pset.pset_name = "Lenks\xe4ule %d" % pset.pset
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": "lines.jsonl"}]
    cart = site.cart(plant, station={"name": "Wheels", "outlets": outlets}, toolsnet={"extras": ["names"]})
    agent = site.begin(cart, "controller ready")
    made = [plant.produce(vin=vin)[0] for vin in VINS]
    wait_for("all at ToolsNet", lambda: len(plant.archive.tightening_ids()) == len(made))
    file = site.home / "lines.jsonl"
    wait_for("all in the file", lambda: file.exists() and len(file.read_bytes().splitlines()) == len(made))
    status = site.run("status", "--config", cart).stdout
    lines = [json.loads(line) for line in file.read_text("ascii").splitlines()]
    names = {pset.pset_name for pset in plant.controller.psets.values()}
    wait_for("the names of all programs", lambda: names <= {form(name) for name in archived_names(plant)})
    assert agent.end() == 0
    return lines, status


def test_text_beyond_ascii_can_be_turned_back_and_is_counted(site, plant):
    lines, status = run(site, plant, lambda name: octets_of(name).decode())
    at_toolsnet = [one["vin"].strip() for one in plant.archive.results]
    assert plant.complaints() == []
    assert [octets_of(line["vin"]) for line in lines] == list(VINS)
    assert lines[0]["vin"] == STORED[0] and lines[3]["vin"] == STORED[3]
    assert len(set(at_toolsnet)) == len(VINS) and all(vin.isascii() and vin.isprintable() for vin in at_toolsnet)
    assert at_toolsnet[:3] == ["Lenks~C3~A4ule 7", "Lenks~E4ule 7", "Lenks?ule 7"]
    sentence = "10 results since the start with text that outlets escape: more than printable ASCII, or a tilde"
    assert sentence in status and "docs/outlets.md" in status


def test_archive_turns_the_vin_and_a_program_s_name_back(site, plants):
    place = str(site.folder / "archive.sqlite")
    run(site, plants(archived=DemoServer(place).ready()))
    with sqlite3.connect(place) as books:
        vins = [row[0] for row in books.execute("SELECT VIN FROM Result ORDER BY ResultId")]
    assert tuple(vins[: len(STORED)]) == STORED and len(set(vins)) == len(VINS)


MQTT = {"kind": "mqtt", "host": "127.0.0.1", "port": 1, "user": "u", "password": {"file": "broker.password"}}
TOOLSNET = {"kind": "toolsnet"}
ALSO = pytest.mark.long("another fault, the same wait")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users' eyes")


def password_of_root(site):
    path = site.home / "broker.password"
    path.write_text("secret\n")
    path.chmod(0o600)  # and root's, as `sudoedit` leaves it
    return path


@root_only
def test_root_checks_as_the_user_that_runs_the_agent(site, plant):
    secret = password_of_root(site)
    cart = site.cart(plant, station={"outlets": [TOOLSNET, MQTT]})
    output = site.output("config", "check", cart, as_root=True, code=1)
    for words in (f"{secret}, which nobody may not read", f"chown nobody {secret}", "on this machine as nobody"):
        assert words in output
    assert "which nobody may not read" in site.output("doctor", "--offline", "--config", cart, as_root=True, code=1)
    site.give(secret)
    assert "good, 1 station; checked as nobody" in site.output("config", "check", cart, as_root=True, code=0)
    (site.home / "7.spool").write_bytes(b"")
    output = site.output("config", "check", cart, as_root=True)
    assert "nobody may not open " in output and "as nobody:" in output


@pytest.mark.parametrize(
    "kind", ["of root", *[pytest.param(kind, marks=ALSO) for kind in ("missing", "open to others", "empty")]]
)
def test_an_outlet_without_its_secret_stops_nothing_and_is_tried_again(site, plant, kind):
    if kind == "of root" and os.geteuid() != 0:
        pytest.skip("only root makes files of root")
    secret = password_of_root(site) if kind != "missing" else site.home / "broker.password"
    if kind == "open to others":
        secret.chmod(0o644)
    if kind == "empty":
        secret.write_text("")
        site.give(secret)
    cart = site.cart(plant, station={"outlets": [TOOLSNET, MQTT]})
    agent = site.begin(cart, "mqtt://127.0.0.1:1 cannot be used: password: ", "controller ready")
    delivered(plant, 4)
    for command, code in (("status", 1), ("doctor", 1)):
        output = site.output(command, "--config", cart, code=code)
        assert "cannot be used: password: " in output and str(secret) in output
    secret.write_text("secret\n")
    secret.chmod(0o600)
    site.give(secret)
    agent.wait_for("nothing listens on that port")  # it is made, and finds no broker
    reported = site.status(cart)
    assert reported["agent"]["configuration"]["changed"] == [], "it counts as read"
    assert reported["stations"][0]["outlets"][1]["waiting"] == 4
    assert agent.output.count("cannot be used: password: ") == 1, agent.output


@pytest.mark.parametrize(
    ("toolsnet", "outlet"),
    [
        ({"reconnect_s": 0.5, "tls_ca": "ca.pem"}, None),
        ({}, {"kind": "webhook", "url": "https://127.0.0.1:1/x", "tls_ca": "ca.pem"}),
        ({}, {"kind": "mqtt", "host": "127.0.0.1", "port": 1, "tls_ca": "ca.pem"}),
    ],
    ids=["toolsnet", "webhook", "mqtt"],
)
def test_a_certificate_that_is_missing_stops_no_collecting(site, plant, toolsnet, outlet):
    outlets = [TOOLSNET, outlet] if outlet else [TOOLSNET]
    cart = site.cart(plant, station={"outlets": outlets}, toolsnet=toolsnet)
    agent = site.begin(cart, "controller ready")
    stored(plant, 3)
    agent.wait_for(f"tls_ca: {site.home}/ca.pem: No such file or directory")
    for command in ("status", "doctor"):
        assert f"tls_ca: {site.home}/ca.pem: No such file" in site.run(command, "--config", cart).stdout
    if toolsnet:
        site.give(certificate_files(site.home)["ca"])
        agent.wait_for("does not speak TLS")


def test_doctor_says_first_whether_an_agent_runs(site, plant):
    cart = site.cart(plant)

    def doctor(*words):
        done = site.run("doctor", *words, "--config", cart)
        return done.returncode, done.stdout.splitlines()

    code, lines = doctor()
    assert code == 0 and "no agent runs with this configuration yet" in lines[0], lines
    assert lines[-1].startswith("what can be checked without an agent works")
    agent = site.begin(cart, "controller ready")
    code, lines = doctor()
    assert code == 0 and f"process {agent.process.pid} runs for " in lines[0], lines
    assert lines[-1].startswith("everything works")

    plant.cut_toolsnet(True)
    agent.wait_for("ToolsNet lost")
    stored(plant, 3)
    agent.process.send_signal(signal.SIGSTOP)
    code, lines = doctor("--offline")
    assert code == 1 and "the spool is in use, and no agent answers" in lines[0], lines
    agent.process.send_signal(signal.SIGCONT)
    agent.process.kill()
    agent.wait()
    plant.cut_toolsnet(False)
    for words in ((), ("--offline",)):
        code, lines = doctor(*words)
        assert code == 1 and "no agent runs: up to 3 results wait for ToolsNet, and nothing is taken" in lines[0], lines
        assert lines[-1].startswith("1 thing does not work"), lines
    report = json.loads(site.run("doctor", "--json", "--config", cart).stdout)
    assert report["found"][0]["what"] == "agent" and report["found"][0]["figures"]["waiting"] == 3
    assert stat.S_ISSOCK((site.home / "cart.json.sock").stat().st_mode), "the killed one has left its socket"
