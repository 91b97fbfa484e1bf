"""docs/install.md and docs/operations.md in a clean Debian under a real systemd.

With --long: each machine is a Debian of its own in a folder, what a Raspberry Pi has but for its hardware.
debootstrap makes it once, kept in .cache; systemd-nspawn starts it; both need root. It shares this machine's network:
simulators on the loopback are its plant. `pull_the_plug` ends it as a power cut does; `boot` starts it again.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from toolcart.sim.serve import SimulatedPlant
from lab.cache import CACHE, CHECKOUT
from lab.packaging import debian, wheel
from lab.packaging.wheel import version

SUITE = "bookworm"
WANTED = ("systemd-sysv", "dbus", "sudo", "python3-click", "python3-serial", "python3-h11")
NEEDED = ("debootstrap", "systemd-nspawn", "nsenter", "dpkg-deb", "tar")
MAKE_S = 900
DEADLINE_S = 300
BOOT_S = 120
AROUND = {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def missing():
    """What this machine lacks to start one, in words; "" if nothing."""
    lacks = [name for name in NEEDED if shutil.which(name) is None] + (["root"] if os.geteuid() else [])
    return f"to start a Debian there is no {', '.join(lacks)}" if lacks else ""


def _base():
    """Debian's files as an archive, made once."""
    kept = CACHE / "machine" / f"{SUITE}.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        tree, part = kept.with_suffix(".tree"), kept.with_suffix(".part")
        shutil.rmtree(tree, ignore_errors=True)
        # In a namespace of its own: a debootstrap that is cut off leaves no /proc mounted.
        _make("unshare", "-m", "debootstrap", "--variant=minbase", SUITE, tree)
        _make("chroot", tree, "apt-get", "update")  # its resolver knows what debootstrap's does not
        _make("chroot", tree, "apt-get", "install", "-y", "--no-install-recommends", *WANTED)
        subprocess.run(["tar", "--exclude=./var/cache/apt", "-C", tree, "-cf", part, "."], check=True, timeout=MAKE_S)
        shutil.rmtree(tree)
        part.rename(kept)
    return kept


def _make(*words):
    around = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"}
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run([*map(str, words)], env=around, text=True, timeout=MAKE_S, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}"


class Machine:
    """One machine; a context manager that boots it and ends it."""

    def __init__(self, folder):
        self.root = Path(folder, "root")
        self.root.mkdir()
        self._nspawn = self._leader = None
        subprocess.run(["tar", "-C", self.root, "-xf", _base()], check=True, timeout=MAKE_S)

    def __enter__(self):
        self.boot()
        return self

    def __exit__(self, *_):
        self.pull_the_plug()

    def boot(self):
        """Start it; returns when its systemd has started all it wants."""
        name = f"toolcart-{os.getpid()}-{id(self)}"
        options = ["-q", "-D", self.root, "-M", name, "-b", "--register=no", "--keep-unit", "--console=pipe"]
        options += ["--system-call-filter=@clock"]  # nspawn forbids what a machine allows: to ask who keeps the clock
        self._nspawn = subprocess.Popen(
            ["systemd-nspawn", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until_s = time.monotonic() + BOOT_S
        while "running" not in (state := self._state()):
            assert time.monotonic() < until_s and self._nspawn.poll() is None, state
            time.sleep(0.2)

    def _state(self):
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        self._leader = children[-1] if children else None
        if self._leader is None or not Path(f"/proc/{self._leader}/exe").resolve().name.startswith("systemd"):
            return "not there yet"
        return self.run("systemctl", "is-system-running", wants=None)

    def pull_the_plug(self):
        """End every process of it at once."""
        if self._leader is not None and self._nspawn.poll() is None:
            os.kill(int(self._leader), 9)  # the first of its namespace takes all others along
        self._nspawn.kill()
        self._nspawn.wait(DEADLINE_S)
        self._leader = None

    def run(self, *words, wants=0):
        """Run it as root; both its outputs, if it ends with the exit code `wants` (None: whatever)."""
        inside = ["nsenter", "-t", self._leader, "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--", *map(str, words)]
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(inside, env=AROUND, text=True, timeout=DEADLINE_S, **options)
        assert wants is None or done.returncode == wants, f"{words} exits {done.returncode}\n{done.stdout}"
        return done.stdout

    def put(self, name, content):
        """Write a file there."""
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


pytestmark = [
    pytest.mark.long("a Debian that boots"),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

LIMIT_S = 120
CONFIG = "/etc/toolcart/config.json"
STOPS = "import sys\nif 'run' in sys.argv: sys.exit('broken on purpose')\n"


@pytest.fixture
def plant():
    with SimulatedPlant(rate=5) as simulated:
        yield simulated


@pytest.fixture
def machine(tmp_path):
    with Machine(tmp_path) as booted:
        yield booted


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
    target = folder / f"toolcart_{number}_all.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", tree, target]
    subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S)
    return target


def installed(machine, package, plant, *more, name="a"):
    """As docs/install.md says, with a controller and a PIM of this plant."""
    machine.put("/root/toolcart.deb", package.read_bytes())
    machine.run("apt-get", "install", "-y", "/root/toolcart.deb")
    sides = [f"127.0.0.1:{plant.controller_port}", f"127.0.0.1:{plant.pim_port}"]
    answers = ["--name", name, "--controller", sides[0], "--pim", sides[1], "--system", 1, "--station", 7]
    output = machine.run("toolcart", "config", "new", CONFIG, *answers, "--on", "linux")
    assert "systemctl restart toolcart" in output
    machine.run("systemctl", "restart", "toolcart", *more)


def status_of(machine):
    return json.loads(machine.run("toolcart", "status", "--json", wants=None) or "{}")


def until(machine, is_so, why_not=lambda: ""):
    """The first station's state once it is so."""
    until_s = time.monotonic() + LIMIT_S
    while True:
        status = status_of(machine)
        if status.get("running") and status["stations"][0]["mounted"] and is_so(status["stations"][0]):
            return status
        journal = ("journalctl", "-u", "toolcart", "-n", "40", "--no-pager")
        assert time.monotonic() < until_s, f"{why_not()}\n{machine.run(*journal)}"
        time.sleep(0.5)


def restarts(machine):
    return machine.run("systemctl", "show", "toolcart", "-p", "NRestarts").strip()


def test_the_service_delivers_is_watched_and_outlives_the_pulled_plug(machine, package, plant):
    begun_s = time.monotonic()
    installed(machine, package, plant)
    until(machine, lambda station: station["delivered"] >= 1)
    print(f"from the package to a service that delivers: {time.monotonic() - begun_s:.0f} s")
    first = until(machine, lambda station: station["delivered"] >= 10)
    assert restarts(machine) == "NRestarts=0" and first["agent"]["clock"]["kept"] in (True, False)
    assert "everything works" in machine.run("toolcart", "doctor", "--config", CONFIG)
    machine.pull_the_plug()
    machine.boot()
    station = until(machine, lambda station: station["delivered"] >= 10)["stations"][0]
    assert restarts(machine) == "NRestarts=0" and station["stored"] >= first["stations"][0]["stored"]
    plant.producer.set_rate(0.0, 0.0, None)
    until(machine, lambda station: not station["backlog"] and station["controller"]["state"] == "ready")
    archived = sorted(kept(plant))  # what was made meanwhile is fetched, and comes behind live ones
    assert archived == plant.controller.produced[-len(archived) :], "from the first connection on, each once"


def test_wrong_configuration_is_reported_once_and_the_service_waits_for_right_one(machine, package, plant):
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


def played(machine, package, wants=0):
    """Run the role of docs/ansible for this cart, from the cart itself."""
    return machine.run(
        "sh", "-c",
        f"cd /root && ansible-playbook -i cart7, -c local -e toolcart_package={package} -e toolcart_healthy_s=20 "
        "ansible/site.yml",
        wants=wants,
    )  # fmt: skip


def test_a_service_is_reloaded_or_refuses_and_is_missed_when_it_stops(machine, package, plant):
    installed(machine, package, plant)
    until(machine, lambda station: station["delivered"] >= 1)
    process = status_of(machine)["agent"]["pid"]
    good = machine.run("cat", CONFIG)

    def doctor(wants):
        return machine.run("toolcart", "doctor", "--offline", wants=wants)

    assert "as the service toolcart" in doctor(0).splitlines()[0] and "checked as toolcart" in doctor(0)
    machine.put(CONFIG, good.replace("pim_port", "pim_prot"))
    status = machine.run("toolcart", "status", wants=1)
    assert f"{CONFIG} changed since the start" in status and "a reload would be refused: " in status
    machine.run("systemctl", "reload", "toolcart", wants=1)
    assert "pim_prot" in machine.run("journalctl", "-u", "toolcart", "--no-pager")
    machine.run("sh", "-c", f"kill -HUP {process}")
    time.sleep(3)
    assert "a reload was refused" in machine.run("toolcart", "status", wants=1)
    assert status_of(machine)["agent"]["pid"] == process and restarts(machine) == "NRestarts=0"

    machine.put(CONFIG, good.replace('"name": "a"', '"name": "b"'))
    assert "systemctl reload toolcart` takes it" in machine.run("toolcart", "status")
    before = plant.controller.messages.get(3, 0)
    machine.run("systemctl", "reload", "toolcart")
    reloaded = until(machine, lambda station: station["name"] == "b" and station["outlets"][0]["state"] == "streaming")
    assert reloaded["agent"]["pid"] == process and restarts(machine) == "NRestarts=0"
    assert plant.controller.messages[3] == before + 1, "MID 0003"
    assert machine.run("systemctl", "show", "toolcart", "-p", "ActiveState", "--value").strip() == "active"
    assert "changed since the start" not in machine.run("toolcart", "status")

    machine.run("systemctl", "disable", "toolcart")
    assert "the service toolcart is disabled: it does not start with the machine" in doctor(0)
    machine.run("systemctl", "stop", "toolcart")
    stopped = doctor(1)
    assert "no agent runs: the service toolcart is stopped" in stopped.splitlines()[0], stopped
    assert "systemctl restart toolcart` starts it" in stopped and "everything works" not in stopped
    machine.put(CONFIG, good.replace("pim_port", "pim_prot"))
    machine.run("systemctl", "restart", "toolcart", wants=1)
    failed = doctor(2)
    assert "the service toolcart has failed (exit code 2, it refuses its configuration)" in failed, failed


def test_a_password_of_root_stops_no_service_and_root_sees_it(machine, package, plant):
    installed(machine, package, plant)
    tree = json.loads(machine.run("cat", CONFIG))
    broker = {"kind": "mqtt", "host": "127.0.0.1", "port": 1, "user": "u", "password": {"file": "broker.password"}}
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, broker]
    machine.put("/etc/toolcart/broker.password", "secret\n")
    machine.run("chmod", "600", "/etc/toolcart/broker.password")
    machine.put(CONFIG, json.dumps(tree))
    checked = machine.run("toolcart", "config", "check", CONFIG, wants=1)
    assert "which toolcart may not read" in checked and "checked as toolcart" in checked, checked
    machine.run("systemctl", "restart", "toolcart")
    until(machine, lambda station: station["delivered"] >= 3)
    assert restarts(machine) == "NRestarts=0"
    for words in (("status",), ("doctor", "--offline")):
        assert "broker.password, which toolcart may not read" in machine.run("toolcart", *words, wants=None)
    machine.run("chown", "toolcart", "/etc/toolcart/broker.password")
    until(machine, lambda station: station["outlets"][1]["state"] != "not started")
    assert ": good, 1 station; checked as toolcart" in machine.run("toolcart", "config", "check", CONFIG)


def test_what_the_unit_keeps_from_the_service_is_tried_and_stops_one_outlet_alone(machine, package, plant):
    installed(machine, package, plant)
    tree = json.loads(machine.run("cat", CONFIG))
    kept_from = {
        "/tmp": "has a /tmp of its own",
        "/home/tc": "the service toolcart cannot see /home",
        "/run/tc": "can be written, but not by the service toolcart",
        "/run/toolcart": "is deleted when it ends",
    }
    for folder, words in kept_from.items():
        machine.run("install", "-d", *(() if folder == "/tmp" else ("-o", "toolcart")), "-m", "1777", folder)
        tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, {"kind": "file", "path": f"{folder}/x.jsonl"}]
        machine.put(CONFIG, json.dumps(tree))
        checked = machine.run("toolcart", "config", "check", CONFIG, wants=1)
        assert words in checked and "as toolcart, in the service toolcart" in checked, checked
        machine.run("systemctl", "restart", "toolcart")
        until(machine, lambda station: station["outlets"][0]["state"] == "streaming")
        assert words in machine.run("toolcart", "status", wants=1)
        assert restarts(machine) == "NRestarts=0"
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}]
    machine.put(CONFIG, json.dumps(tree))
    assert "in the service toolcart" in machine.run("toolcart", "config", "check", CONFIG)


def test_the_role_brings_a_version_and_takes_a_broken_one_back(machine, package, plant, tmp_path):
    machine.run("apt-get", "install", "-y", "--no-install-recommends", "ansible-core", "python3-apt")
    for file in (CHECKOUT / "docs/ansible").rglob("*.yml"):
        machine.put(f"/root/ansible/roles/{file.relative_to(CHECKOUT / 'docs/ansible')}", file.read_bytes())
    machine.run("mv", "/root/ansible/roles/site.yml", "/root/ansible/site.yml")
    (tmp_path / "carts.csv").write_text("name,host,station\ncart7,127.0.0.1,7\n")
    side = {"host": "127.0.0.1", "port": plant.controller_port}
    station = {"number": "{station:int}", "controller": side, "spool": {"path": "{name}.spool"}}
    toolsnet = {"pim_host": "127.0.0.1", "pim_port": plant.pim_port}
    (tmp_path / "template.json").write_text(json.dumps({"toolsnet": toolsnet, "stations": [station]}))
    for name in ("carts.csv", "template.json"):
        machine.put(f"/root/{name}", (tmp_path / name).read_bytes())
    for built in (package, another(package, tmp_path, "9.0"), another(package, tmp_path, "9.1", STOPS)):
        machine.put(f"/root/{built.name}", built.read_bytes())
    machine.run("apt-get", "install", "-y", f"/root/{package.name}")  # whoever makes the configurations has it
    machine.run("sh", "-c", "cd /root && toolcart config make carts.csv --template template.json --out made")
    played(machine, f"/root/{package.name}")
    until(machine, lambda station: station["delivered"] >= 1)
    assert "changed=0" in played(machine, f"/root/{package.name}")
    before = status_of(machine)["agent"]["pid"]
    played(machine, "/root/toolcart_9.0_all.deb")
    until(machine, lambda station: station["outlets"][0]["state"] == "streaming")
    assert status_of(machine)["agent"]["pid"] != before
    output = played(machine, "/root/toolcart_9.1_all.deb", wants=2)
    assert "did not become healthy; what it had before is back" in output
    assert machine.run("dpkg-query", "-W", "-f", "${Version}", "toolcart") == "9.0"
    until(machine, lambda station: station["outlets"][0]["state"] == "streaming")


def test_a_service_that_install_service_has_made_delivers(machine, package, plant):
    installed(machine, package, plant)
    machine.run("systemctl", "disable", "--now", "toolcart")
    other = machine.run("cat", CONFIG).replace('"number": 7', '"number": 8').replace("a.spool", "8.spool")
    machine.put("/root/cart.json", other)
    machine.run("toolcart", "install-service", "--config", "/root/cart.json")
    status = until(machine, lambda station: station["delivered"] >= 3)
    assert status["stations"][0]["number"] == 8 and restarts(machine) == "NRestarts=0"


def test_a_service_whose_disk_is_away_waits_for_it(machine, package, plant):
    installed(machine, package, plant)
    until(machine, lambda station: station["delivered"] >= 1)
    machine.run("systemctl", "stop", "toolcart")
    machine.run("mv", "/var/lib/toolcart/a.spool", "/root/disk.spool")
    machine.run("mkdir", "/var/lib/toolcart/a.spool")
    machine.run("systemctl", "start", "toolcart")
    time.sleep(15)
    assert "is a folder" in machine.run("toolcart", "status", wants=1) and restarts(machine) == "NRestarts=0"
    assert "no spool can be used" in machine.run("systemctl", "status", "toolcart")
    assert machine.run("journalctl", "-u", "toolcart", "--no-pager").count("is a folder") == 1
    machine.run("rmdir", "/var/lib/toolcart/a.spool")
    machine.run("mv", "/root/disk.spool", "/var/lib/toolcart/a.spool")
    before = status_of(machine)["agent"]["pid"]
    until(machine, lambda station: station["delivered"] >= 2)
    assert restarts(machine) == "NRestarts=0" and status_of(machine)["agent"]["pid"] == before


def test_a_wheel_that_pipx_installs_becomes_a_service_that_delivers(machine, plant, tmp_path):
    wheels = tmp_path / "wheels"
    how = ("-q", "--only-binary=:all:", "--python-version", "3.11", "--dest", wheels)
    wanted = ("pip", "setuptools", "wheel", "click", "pyserial")
    subprocess.run([sys.executable, "-m", "pip", "download", *how, *wanted], check=True, timeout=LIMIT_S)
    for file in wheels.iterdir():
        machine.put(f"/wheels/{file.name}", file.read_bytes())
    machine.put("/etc/pip.conf", "[global]\nno-index = true\nfind-links = /wheels\n")
    (tmp_path / "dist").mkdir()
    built = wheel.build(tmp_path / "dist")
    machine.put(f"/root/dist/{built.name}", built.read_bytes())
    page = (CHECKOUT / "docs/install.md").read_text(encoding="utf-8").split("\n## Wheel\n")[1].split("\n## ")[0]
    commands = re.findall(r"^ {4}(sudo .*)$", page, re.MULTILINE)
    assert len(commands) == 2 and "pipx install" in commands[0] and "install-service" in commands[1]
    begun_s = time.monotonic()
    machine.run("apt-get", "install", "-y", "--no-install-recommends", "pipx")
    machine.run("sh", "-c", f"cd /root && {commands[0]}")
    sides = f"--controller 127.0.0.1:{plant.controller_port} --pim 127.0.0.1:{plant.pim_port}"
    answers = f"--name a {sides} --system 1 --station 7 --on linux"
    machine.run("sh", "-c", f"cd /root && toolcart config new cart.json {answers}")
    machine.run("sh", "-c", f"cd /root && {commands[1]}")
    until(machine, lambda station: station["delivered"] >= 1)
    print(f"from pipx to a service that delivers: {time.monotonic() - begun_s:.0f} s")


# -- docs/operations.md, typed as it stands ------------------------------------------------------------------------


def typed(section):
    """The commands of a section with the machine they are typed at."""
    page = (CHECKOUT / "docs/operations.md").read_text(encoding="utf-8")
    part = page.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"^ {4}([a-z]+)\$ (.*?)(?: {3,}.*)?$", part, re.MULTILINE)


def type_in(machines, section, only=".*", edit=None):
    """Type them; `edit` is what somebody changes in the configuration."""
    for at, command in typed(section):
        if not re.search(only, command):
            continue
        machine = machines[at]
        if copied := re.fullmatch(r"scp (\S+) (\w+):", command):  # neither of them has a server for it
            shutil.copy(machine.root / "root" / copied[1], machines[copied[2]].root / "root")
        elif command.startswith("sudoedit "):
            place = machine.root / command.split()[1].lstrip("/")
            place.write_text(json.dumps(edit(json.loads(place.read_text()))))
        else:
            command = command.replace("_NEW_", f"_{version()}_").replace("apt install", "apt install -y")
            machine.run("sh", "-c", f"cd /root && {command}")


def kept(plant):
    return plant.archive.tightening_ids()


def until_all(machine, plant, first):
    """The state once ToolsNet has all from the first result on, each once; what was fetched comes behind live ones."""

    def lacks():
        has, produced = sorted(kept(plant)), plant.controller.produced[first:]
        return f"{len(has)} of {len(produced)}, not there {set(produced) - set(has)}"

    return until(
        machine,
        lambda station: not station["backlog"] and sorted(kept(plant)) == plant.controller.produced[first:],
        lacks,
    )


def rewinds(tree):
    tree["toolsnet"]["rewind"] = True
    return tree


def renumbered(tree):
    tree["stations"][0]["number"] = 8
    tree["stations"][0]["spool"]["path"] = "cart8.spool"
    return tree


def test_the_second_day_s_page_moves_restores_renumbers_and_replaces_a_cart(package, plant, tmp_path):
    with ExitStack() as machines:

        def boot(name):
            (tmp_path / name).mkdir()
            booted = machines.enter_context(Machine(tmp_path / name))
            booted.put(f"/root/toolcart_{version()}_all.deb", package.read_bytes())
            return booted

        old, new = boot("old"), boot("new")
        installed(old, package, plant, name="cart7")
        until(old, lambda station: station["delivered"] >= 5)
        first = plant.controller.produced.index(kept(plant)[0])
        type_in({"cart": old}, "Back up and restore", "-czf")
        plant.cut_toolsnet(True)
        until(old, lambda station: station["backlog"] >= 5)
        type_in({"old": old, "new": new}, "Move to another machine")
        until(new, lambda station: station["controller"]["state"] == "ready")
        plant.cut_toolsnet(False)
        until(new, lambda station: station["delivered"] >= 15)
        plant.stop_producing()
        until_all(new, plant, first)

        plant.cut_toolsnet(True)
        type_in({"cart": new}, "ToolsNet was restored or emptied", edit=rewinds)
        assert len((new.root / "root/results.csv").read_text().splitlines()) > 15
        plant.loop.call(lambda: plant.archive.restore_backup(3))
        assert sorted(kept(plant)) != plant.controller.produced[first:]
        plant.cut_toolsnet(False)
        until_all(new, plant, first)

        type_in({"cart": new}, "Change a station's number", edit=renumbered)
        until(new, lambda station: station["controller"]["state"] == "ready")
        plant.produce(4)
        status = until_all(new, plant, first)
        assert status["stations"][0]["number"] == 8 and status["stations"][0]["stored"] == 4

        new.pull_the_plug()
        third, socks = boot("third"), shutil.ignore_patterns("*.sock")
        shutil.copy(old.root / "root/cart7-etc.tgz", third.root / "root")
        shutil.copytree(new.root / "var/lib/toolcart", third.root / "media/card/var/lib/toolcart", ignore=socks)
        type_in({"new": third}, "Replace a dead Pi")
        until(third, lambda station: station["controller"]["state"] == "ready")
        plant.produce(3)
        status = until_all(third, plant, first)
        assert status["stations"][0]["number"] == 7 and status["stations"][0]["stored"] == 3
        assert len((third.root / "root/rescued.csv").read_text().splitlines()) > 15
