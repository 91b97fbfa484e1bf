"""Files are checked as the agent's user, an outlet that cannot start stops nothing, and doctor sees who runs."""

import json
import os
import signal
import stat

import pytest

from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import wait_for
from host_tests.support.tls import certificate_files

MQTT = {"kind": "mqtt", "host": "127.0.0.1", "port": 1, "user": "u", "password": {"file": "broker.password"}}
TOOLSNET = {"kind": "toolsnet"}
ALSO = pytest.mark.long("another fault, the same wait")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users' eyes")


def password_of_root(site, name="broker.password"):
    path = site.home / name
    path.write_text("secret\n")
    path.chmod(0o600)  # and root's, as `sudoedit` leaves it
    return path


@root_only
def test_root_checks_as_the_user_that_runs_the_agent(site):
    with SimulatedPlant() as plant:
        secret = password_of_root(site)
        cart = site.cart(plant, station={"outlets": [TOOLSNET, MQTT]})
        checked = site.run("config", "check", cart, as_root=True)
        assert checked.returncode == 2 and f"{secret}, which nobody may not read" in checked.stderr, checked.stderr
        assert f"chown nobody {secret}" in checked.stderr and "checked as nobody" in checked.stderr
        doctor = site.run("doctor", "--offline", "--config", cart, as_root=True)
        assert doctor.returncode == 1 and "which nobody may not read" in doctor.stdout, doctor.stdout
        site.give(secret)
        checked = site.run("config", "check", cart, as_root=True)
        assert checked.returncode == 0 and "good, 1 station; checked as nobody" in checked.stdout, checked.stderr
        (site.home / "7.spool").write_bytes(b"")
        told = site.run("config", "check", cart, as_root=True)
        assert "nobody may not write it" in told.stderr and "as nobody:" in told.stdout, told.stderr


@pytest.mark.parametrize(
    "kind", ["of root", *[pytest.param(kind, marks=ALSO) for kind in ("missing", "open to others", "empty")]]
)
def test_an_outlet_without_its_secret_stops_nothing_and_is_tried_again(site, kind):
    if kind == "of root" and os.geteuid() != 0:
        pytest.skip("only root makes files of root")
    with SimulatedPlant() as plant:
        secret = password_of_root(site) if kind != "missing" else site.home / "broker.password"
        if kind == "open to others":
            secret.chmod(0o644)
        if kind == "empty":
            secret.write_text("")
            site.give(secret)
        cart = site.cart(plant, station={"outlets": [TOOLSNET, MQTT]})
        agent = site.start("run", "--plain", "--config", cart)
        agent.wait_for("mqtt://127.0.0.1:1 cannot be used: password: ")
        agent.wait_for("controller ready")
        made = plant.produce(4)
        wait_for("four results at ToolsNet", lambda: plant.archive.tightening_ids() == made)
        for command, code in (("status", 0), ("doctor", 1)):
            told = site.run(command, "--config", cart)
            assert told.returncode == code and "cannot be used: password: " in told.stdout, told.stdout
            assert str(secret) in told.stdout
        secret.write_text("secret\n")
        secret.chmod(0o600)
        site.give(secret)
        agent.wait_for("nothing listens on that port")  # it is made, and finds no broker
        told = json.loads(site.run("status", "--json", "--config", cart).stdout)
        assert told["agent"]["configuration"]["changed"] == [], "it counts as read"
        assert told["stations"][0]["outlets"][1]["waiting"] == 4
        assert agent.said.count("cannot be used: password: ") == 1, agent.said
        assert agent.end() == 0


@pytest.mark.parametrize("section", ["toolsnet", "webhook", "mqtt"])
def test_a_certificate_that_is_missing_stops_no_collecting(site, section):
    with SimulatedPlant() as plant:
        tls = {"tls_ca": "ca.pem"}
        outlets, sections = [TOOLSNET], {}
        if section == "toolsnet":
            toolsnet = {"pim_host": "127.0.0.1", "pim_port": plant.pim_port, "reconnect_s": 0.5, **tls}
            sections = {"toolsnet": toolsnet}
        elif section == "webhook":
            outlets.append({"kind": "webhook", "url": "https://127.0.0.1:1/x", **tls})
        else:
            outlets.append({"kind": "mqtt", "host": "127.0.0.1", "port": 1, **tls})
        cart = site.cart(plant, station={"outlets": outlets}, **sections)
        agent = site.start("run", "--plain", "--config", cart)
        agent.wait_for("controller ready")
        made = plant.produce(3)
        wait_for("taken", lambda: plant.controller.acknowledged == made)
        agent.wait_for(f"tls_ca: {site.home}/ca.pem: No such file or directory")
        for command in ("status", "doctor"):
            assert f"tls_ca: {site.home}/ca.pem: No such file" in site.run(command, "--config", cart).stdout
        if section == "toolsnet":
            site.give(certificate_files(site.home)["ca"])
            agent.wait_for("does not speak TLS")
        assert agent.end() == 0


def test_doctor_says_first_whether_an_agent_runs(site):
    with SimulatedPlant() as plant:
        cart = site.cart(plant)

        def doctor(*words):
            told = site.run("doctor", *words, "--config", cart)
            return told.returncode, told.stdout.splitlines()

        code, lines = doctor()
        assert code == 0 and "no agent runs with this configuration yet" in lines[0], lines
        assert lines[-1].startswith("what can be checked without an agent works")
        agent = site.start("run", "--plain", "--config", cart)
        agent.wait_for("controller ready")
        code, lines = doctor()
        assert code == 0 and f"process {agent.process.pid} runs for " in lines[0], lines
        assert lines[-1].startswith("everything works")

        plant.cut_toolsnet(True)
        agent.wait_for("ToolsNet lost")
        made = plant.produce(3)
        wait_for("taken", lambda: plant.controller.acknowledged == made)
        agent.process.send_signal(signal.SIGSTOP)
        code, lines = doctor("--offline")
        assert code == 1 and "an agent has the spool and does not answer" in lines[0], lines
        agent.process.send_signal(signal.SIGCONT)
        agent.process.kill()
        agent.wait()
        plant.cut_toolsnet(False)
        for words in ((), ("--offline",)):
            code, lines = doctor(*words)
            assert code == 1 and "no agent runs: 3 results wait in the spool, and nothing is taken" in lines[0], lines
            assert lines[-1].startswith("1 thing does not work"), lines
        told = json.loads(site.run("doctor", "--json", "--config", cart).stdout)
        assert told["found"][0]["what"] == "agent" and told["found"][0]["figures"]["waiting"] == 3
        assert stat.S_ISSOCK((site.home / "cart.json.sock").stat().st_mode), "the killed one has left its socket"
