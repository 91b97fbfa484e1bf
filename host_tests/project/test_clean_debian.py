"""docs/install.md and docs/second-day.md in a clean Debian under a real systemd.

With --long: each machine is a Debian of its own (host_tests/support/debian_machine.py).
"""

import json
import os
import subprocess
import time

import pytest

from host_tests.support import debian_machine
from tools.packaging import debian
from tools.packaging.wheel import version
from tools.sim.serve import SimulatedPlant

pytestmark = [
    pytest.mark.skipif(os.environ.get("TOOLCART_LONG") != "1", reason="a Debian that boots: with --long"),
    pytest.mark.skipif(bool(debian_machine.missing()), reason=debian_machine.missing()),
    pytest.mark.xdist_group("machine"),
]

LIMIT_S = 120
CONFIG = "/etc/toolcart/config.json"
STOPS = "import sys\nif 'run' in sys.argv: sys.exit('broken on purpose')\n"


@pytest.fixture
def plant():
    with SimulatedPlant(rate=5) as made:
        yield made


@pytest.fixture
def machine(tmp_path):
    with debian_machine.Machine(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return debian.build(tmp_path_factory.mktemp("deb"))


def another(package, folder, number, program=""):
    """The package under another version, whose program begins with these lines."""
    tree = folder / f"tree-{number}"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True, timeout=LIMIT_S)
    control, start = tree / "DEBIAN/control", tree / "usr/bin/toolcart"
    control.write_text(control.read_text().replace(f"Version: {version()}\n", f"Version: {number}\n"))
    first, rest = start.read_text().split("\n", 1)
    start.write_text(f"{first}\n{program}{rest}")
    made = folder / f"toolcart_{number}_all.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", tree, made]
    subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S)
    return made


def installed(machine, package, plant, *more):
    """As docs/install.md says, with a controller and a PIM of this plant."""
    machine.put("/root/toolcart.deb", package.read_bytes())
    machine.run("apt-get", "install", "-y", "/root/toolcart.deb")
    sides = [f"127.0.0.1:{plant.controller_port}", f"127.0.0.1:{plant.pim_port}"]
    answers = ["--name", "a", "--controller", sides[0], "--pim", sides[1], "--system", 1, "--station", 7]
    said = machine.run("toolcart", "config", "new", CONFIG, *answers, "--on", "linux")
    assert "Next: sudo systemctl restart toolcart" in said
    machine.run("systemctl", "restart", "toolcart", *more)


def told(machine):
    return json.loads(machine.run("toolcart", "status", "--json", wants=None) or "{}")


def until(machine, is_so):
    """The first station's state once it is so."""
    until_s = time.monotonic() + LIMIT_S
    while True:
        shown = told(machine)
        if shown.get("running") and shown["stations"][0]["mounted"] and is_so(shown["stations"][0]):
            return shown
        assert time.monotonic() < until_s, machine.run("journalctl", "-u", "toolcart", "-n", "40", "--no-pager")
        time.sleep(0.5)


def restarts(machine):
    return machine.run("systemctl", "show", "toolcart", "-p", "NRestarts").strip()


def test_the_service_delivers_is_watched_and_outlives_the_pulled_plug(machine, package, plant):
    installed(machine, package, plant)
    first = until(machine, lambda station: station["delivered"] >= 10)
    assert restarts(machine) == "NRestarts=0" and first["agent"]["clock"]["kept"] in (True, False)
    assert "everything works" in machine.run("toolcart", "doctor", "--config", CONFIG)
    machine.pull_the_plug()
    machine.boot()
    station = until(machine, lambda station: station["delivered"] >= 10)["stations"][0]
    assert restarts(machine) == "NRestarts=0" and station["stored"] >= first["stations"][0]["stored"]
    plant.producer.set_rate(0.0, 0.0, None)
    until(machine, lambda station: not station["backlog"] and station["controller"]["state"] == "ready")
    archived = [row[0] for row in plant.archive.query("SELECT TighteningId FROM Result ORDER BY rowid")]
    assert archived == plant.controller.produced[-len(archived) :], "from the first connection on, each once, in order"


def test_a_wrong_configuration_is_said_once_and_the_service_waits_for_a_right_one(machine, package, plant):
    installed(machine, package, plant)
    until(machine, lambda station: station["delivered"] >= 1)
    good = machine.run("cat", CONFIG)
    machine.put(CONFIG, good.replace("pim_port", "pim_prot"))
    machine.run("systemctl", "restart", "toolcart", wants=1)
    time.sleep(5)
    assert restarts(machine) == "NRestarts=0" and "failed" in machine.run("systemctl", "is-active", "toolcart", wants=3)
    assert "pim_prot" in machine.run("journalctl", "-u", "toolcart", "--no-pager")
    machine.put(CONFIG, good)
    machine.run("systemctl", "restart", "toolcart")
    until(machine, lambda station: station["controller"]["state"] == "ready")


def test_a_signed_update_is_installed_and_a_broken_one_is_taken_back(machine, package, plant, tmp_path):
    installed(machine, package, plant)
    until(machine, lambda station: station["delivered"] >= 1)
    for made in (another(package, tmp_path, "9.0"), another(package, tmp_path, "9.1", STOPS)):
        machine.put(f"/root/{made.name}", made.read_bytes())
    files = ["/root/toolcart.deb", "/root/toolcart_9.0_all.deb", "/root/toolcart_9.1_all.deb"]
    machine.run("toolcart", "sign", "--new-key", "/root/plant")
    machine.run("toolcart", "sign", *files, "--key", "/root/plant.key")
    unknown = machine.run("toolcart", "update", files[1], wants=2)
    assert "no key is trusted" in unknown
    machine.run("install", "-D", "/root/plant.pub", "/etc/toolcart/keys/plant.pub")
    before = until(machine, lambda station: station["outlets"][0]["state"] == "streaming")["agent"]["pid"]
    said = machine.run("toolcart", "update", files[1], "--previous", files[0])
    assert f"9.0 is installed in place of {version()}" in said and told(machine)["agent"]["pid"] != before
    said = machine.run("toolcart", "update", files[2], "--within", "20", wants=1)
    assert "no agent answers" in said and "the version before runs again" in said
    assert machine.run("dpkg-query", "-W", "-f", "${Version}", "toolcart") == "9.0"
    until(machine, lambda station: station["outlets"][0]["state"] == "streaming")
    assert "older than 9.0" in machine.run("toolcart", "update", files[0], wants=2)


def test_a_service_that_install_service_has_made_delivers(machine, package, plant):
    installed(machine, package, plant)
    machine.run("systemctl", "disable", "--now", "toolcart")
    other = machine.run("cat", CONFIG).replace('"number": 7', '"number": 8').replace("a.spool", "8.spool")
    machine.put("/root/cart.json", other)
    machine.run("toolcart", "install-service", "--config", "/root/cart.json")
    shown = until(machine, lambda station: station["delivered"] >= 3)
    assert shown["stations"][0]["number"] == 8 and restarts(machine) == "NRestarts=0"
