"""Deployment and status over SSH: a shell that stands for ssh, carts that run real agents in folders of their own."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from host_tests.support.running import ROOT, free_port
from tools.cli.main import main
from tools.fleet import status
from tools.fleet.deploy import BACK, DONE, FAILED, LEFT_ALONE, Deployment, Plan
from tools.fleet.inventory import Cart
from tools.fleet.ssh import Reach, Unreachable
from tools.harness.fleet import Fleet

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
NEEDS_SSHD = pytest.mark.skipif(SSHD is None, reason="no sshd here (Debian: openssh-server)")
CARTS = 150
LOOKS = 64  # that a deployment takes in its two minutes
TEMPLATE = {
    "toolsnet": {"pim_host": "127.0.0.1", "pim_port": "{pim:int}"},
    "stations": [
        {
            "number": "{station:int}",
            "name": "{name}",
            "controller": {"host": "127.0.0.1", "port": "{port:int}"},
            "spool": {"path": "{name}.spool", "size_kib": 64},
        }
    ],
}


# -- without a machine: what a deployment does about what carts say


class Told(Reach):
    """Carts that say what they are to say; `did` is what was done there."""

    def __init__(self, statuses, refuses=()):
        super().__init__(become="")
        object.__setattr__(self, "statuses", statuses)
        object.__setattr__(self, "refuses", refuses)
        object.__setattr__(self, "did", [])

    def status(self, host):
        told = self.statuses[host]
        told = told.pop(0) if len(told) > 1 else told[0]
        if isinstance(told, str):
            raise Unreachable(told)
        return told

    def run(self, host, command, octets=b"", timeout_s=30):
        self.did.append((host, command))
        for word in self.refuses:
            if word in command:
                return 1, "", f"{word} is refused"
        return 0, "", ""


def agent(pid=1, controller="ready", toolsnet="streaming", mounted=True):
    """A status with one station."""
    sides = {"controller": {"state": controller, "why": "refused"}, "spool_problem": "worn out"}
    outlets = [{"kind": "toolsnet", "state": toolsnet, "why": "no answer"}]
    return {
        "running": True,
        "agent": {"pid": pid, "version": "0.2.0"},
        "stations": [{"number": 7, "mounted": mounted, "backlog": 3, "outlets": outlets, **sides}],
    }


def deployed(statuses, refuses=(), **plan):
    """Deploy to carts a and b; (outcomes, what was done)."""
    carts = [Cart(row, {"name": name, "host": name}) for row, name in enumerate(statuses, 2)]
    reach, clock = Told(statuses, refuses), [0.0]
    deployment = Deployment(
        reach,
        Plan(**plan),
        dict.fromkeys(statuses, "{}"),
        lambda: clock[0],
        lambda s: clock.__setitem__(0, clock[0] + s),
    )
    deployment.run(carts, lambda _: None)
    return deployment.outcomes, reach.did


def test_a_cart_is_done_when_a_new_process_has_all_that_was_connected():
    away = agent(2, controller="connecting")
    outcomes, did = deployed({"a": [agent(1), agent(1), away, agent(2)]})
    assert [one.what for one in outcomes] == [DONE]
    assert sum("systemctl restart" in command for _, command in did) == 1
    assert [one.what for one in deployed({"a": [agent(1, "connecting"), away]})[0]] == [DONE], "it was away before"


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (agent(2, controller="connecting"), "controller of station 7 was connected and is not"),
        (agent(2, toolsnet="connecting"), "ToolsNet of station 7 was connected and is not"),
        (agent(2, mounted=False), "station 7: the spool is not up: worn out"),
        (agent(1), "the old process still runs"),
        ({"running": False, "error": "nothing there"}, "no agent answers: nothing there"),
    ],
)
def test_a_cart_that_is_not_healthy_in_time_goes_back_and_nothing_more_is_touched(after, why):
    healthy = [agent(1), *[after] * LOOKS, agent(3)]
    outcomes, did = deployed({"a": healthy, "b": [agent(1)]})
    assert [one.what for one in outcomes] == [BACK] and why in outcomes[0].why
    assert {host for host, _ in did} == {"a"} and "config.json.before" in did[-2][1]


def test_who_cannot_go_back_is_told_to_be_seen_to():
    outcomes, _ = deployed({"a": [agent(1), {"running": False, "error": "down"}]})
    assert outcomes[0].what == FAILED and "BY HAND" in outcomes[0].why.upper()


def test_a_configuration_that_the_cart_finds_wrong_changes_nothing():
    outcomes, did = deployed({"a": [agent(1)]}, refuses=("config check",))
    assert outcomes[0].what == FAILED and "nothing was changed" in outcomes[0].why
    assert not any("restart" in command or "mv " in command for _, command in did)


def test_a_package_goes_in_first_and_out_again(tmp_path):
    new, old = tmp_path / "new.deb", tmp_path / "old.deb"
    for file in (new, old):
        file.write_bytes(b"a package")
    down = {"running": False, "error": "down"}
    outcomes, did = deployed({"a": [agent(1), *[down] * LOOKS, agent(3)]}, package=new, previous=old)
    installed = [command for _, command in did if "apt-get" in command]
    assert outcomes[0].what == BACK and "new.deb" in installed[0] and "old.deb" in installed[1]


def test_the_worst_cart_comes_first_and_nothing_is_wider_than_the_screen():
    reach = Told(
        {
            "a": [agent()],
            "b": ["no route"],
            "c": [agent(controller="connecting")],
            "d": [{"running": False}],
            "e": [{"running": True}],
        }
    )
    carts = [Cart(row, {"name": name * 3, "host": name}) for row, name in enumerate("abcde", 2)]
    found = list(status.looks(carts, reach))
    told = status.lines(found, 60)
    assert [line.split()[0] for line in told[:-1]] == ["bbb", "ddd", "eee", "ccc", "aaa"]
    assert max(map(len, told[:-1])) <= 60
    assert told[-1] == "5 carts: 1 unreachable, 1 not running, 1 needs you, 1 away, 1 good; 6 results waiting"


# -- with real agents


SHELL = """#!/bin/sh
# stands for ssh: the last two words are the host and the command
while [ $# -gt 2 ]; do shift; done
[ -d "{folder}/$1" ] || {{ echo "ssh: connect to host $1: No route to host" >&2; exit 255; }}
cd "{folder}/$1" && CART="{folder}/$1" exec sh -c "$2"
"""
TOOLCART = """#!/bin/sh
place=--config; [ -f "$CART/config.json" ] || place=--socket
[ "$1" = status ] && set -- "$@" $place "$CART/config.json"
exec {python} -m tools.cli.main "$@"
"""
RESTART = """#!/bin/sh
[ -f "$CART/pid" ] && kill "$(cat "$CART/pid")" && while kill -0 "$(cat "$CART/pid")" 2>/dev/null; do sleep 0.1; done
{python} -m tools.cli.main run --plain --config "$CART/config.json" >"$CART/log" 2>&1 </dev/null &
echo $! >"$CART/pid"
"""


class Plant:
    """Carts in folders below one, with commands that stand for the service's."""

    def __init__(self, folder, names):
        self.folder = folder
        for name, text in (("ssh", SHELL), ("toolcart", TOOLCART), ("restart", RESTART)):
            path = folder / name
            path.write_text(text.format(folder=folder, python=sys.executable), encoding="utf-8")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        self.rows = {
            name: {"station": 10 + at, "port": free_port(), "pim": free_port()} for at, name in enumerate(names)
        }
        for name in names:
            (folder / name).mkdir()
        (folder / "template.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")

    def inventory(self):
        rows = [f"{name},{name},{row['station']},{row['port']},{row['pim']}\n" for name, row in self.rows.items()]
        (self.folder / "carts.csv").write_text("name,host,station,port,pim\n" + "".join(rows), encoding="utf-8")

    def fleet(self, command, *more, ssh=""):
        """Run `toolcart fleet`; (exit code, its JSON)."""
        self.inventory()
        words = ["fleet", command, str(self.folder / "carts.csv"), "--become", "", "--json"]
        words += ["--ssh", ssh or str(self.folder / "ssh"), "--toolcart", str(self.folder / "toolcart")]
        if command == "deploy":
            words += ["--template", str(self.folder / "template.json"), "--restart", str(self.folder / "restart")]
            words += ["--config-path", "config.json", "--healthy-s", "60"]
        done = CliRunner().invoke(main, [*words, *more])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done.exit_code, json.loads(done.stdout.splitlines()[-1])

    def end(self):
        for name in self.rows:
            pid = self.folder / name / "pid"
            if pid.exists():
                os.kill(int(pid.read_text()), signal.SIGTERM)
        for name in self.rows:
            until = time.monotonic() + 30
            pid = self.folder / name / "pid"
            while pid.exists() and time.monotonic() < until and Path(f"/proc/{pid.read_text().strip()}").exists():
                time.sleep(0.05)


@pytest.fixture
def plant(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made = Plant(tmp_path, ["cart1", "cart2", "cart3"])
    yield made
    made.end()


def outcomes_of(told):
    return [one["outcome"] for one in told["carts"]]


def test_three_carts_are_deployed_left_alone_and_looked_at(plant):
    code, told = plant.fleet("deploy")
    assert code == 0 and outcomes_of(told) == [DONE] * 3, told
    code, told = plant.fleet("deploy")
    assert code == 0 and outcomes_of(told) == [LEFT_ALONE] * 3, told
    code, told = plant.fleet("status")
    assert code == 1 and [one["state"] for one in told["carts"]] == ["away"] * 3
    assert [one["status"]["stations"][0]["number"] for one in told["carts"]] == [10, 11, 12]
    os.kill(int((plant.folder / "cart2/pid").read_text()), signal.SIGKILL)
    os.kill(int((plant.folder / "cart3/pid").read_text()), signal.SIGKILL)  # nobody finds it behind its folder
    shutil.rmtree(plant.folder / "cart3")
    del plant.rows["cart1"]
    code, told = plant.fleet("status")
    assert code == 1 and [one["state"] for one in told["carts"]] == ["not running", "unreachable"]
    assert "No route to host" in told["carts"][1]["why"]
    (plant.folder / "cart2/pid").unlink()
    del plant.rows["cart3"]
    os.kill(int((plant.folder / "cart1/pid").read_text()), signal.SIGTERM)


def test_a_cart_that_does_not_come_up_goes_back_and_the_next_deployment_goes_on_there(plant):
    assert plant.fleet("deploy")[0] == 0
    good = (plant.folder / "cart2/config.json").read_text(encoding="utf-8")
    for row in plant.rows.values():
        row["pim"] = free_port()
    plant.rows["cart2"]["station"] = 99  # the spool belongs to another station
    code, told = plant.fleet("deploy", "--healthy-s", "12")  # a healthy one has it as well
    assert code == 1 and outcomes_of(told) == [DONE, BACK] and told["not_touched"] == ["cart3"], told
    assert (
        "no agent answers" in told["carts"][1]["why"]
        and (plant.folder / "cart2/config.json").read_text("utf-8") == good
    )
    assert plant.fleet("status", "--only", "cart2")[1]["carts"][0]["state"] == "away", "it runs again"
    plant.rows["cart2"]["station"] = 11
    code, told = plant.fleet("deploy")
    assert code == 0 and outcomes_of(told) == [LEFT_ALONE, DONE, DONE], told


def test_150_carts_are_asked_side_by_side(tmp_path):
    answer = tmp_path / "ssh"
    answer.write_text("#!/bin/sh\ncat <<'X'\n" + json.dumps(agent()) + "\nX\n", encoding="utf-8")
    answer.chmod(0o755)
    rows = "".join(f"cart{at},10.0.0.{at}\n" for at in range(1, 151))
    (tmp_path / "carts.csv").write_text("name,host\n" + rows, encoding="utf-8")
    done = CliRunner().invoke(main, ["fleet", "status", str(tmp_path / "carts.csv"), "--ssh", str(answer)])
    assert done.exit_code == 0 and "150 carts: 150 good; 450 results waiting" in done.stdout


@contextmanager
def sshd(plant, tmp_path):
    """The system's own, on the loopback; the command that reaches each of the plant's carts through it."""
    port, keys = free_port(), tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)], check=True)
    shutil.copy(keys / "user.pub", keys / "authorized")
    server_lines = f"""
ListenAddress 127.0.0.1:{port}
HostKey {keys}/host
AuthorizedKeysFile {keys}/authorized
StrictModes no
UsePAM no
PidFile none
PermitRootLogin yes
PasswordAuthentication no
SetEnv PYTHONPATH={ROOT}
"""
    host_lines = f"""
HostName 127.0.0.1
Port {port}
IdentityFile {keys}/user
IdentitiesOnly yes
UserKnownHostsFile {keys}/known
StrictHostKeyChecking no
LogLevel ERROR
"""
    (keys / "sshd").write_text(server_lines, encoding="utf-8")
    (keys / "ssh").write_text("".join(f"Host {name}{host_lines}" for name in plant.rows), encoding="utf-8")
    # The server does not know which of them is meant: what stands in front of the command says it.
    wrap, there = tmp_path / "wrap", f"{tmp_path}/$1"
    command = f"cd {there} && export CART={there} && $2"
    wrap.write_text(f'#!/bin/sh\nexec ssh -F {keys}/ssh -o BatchMode=yes "$1" "{command}"\n', encoding="utf-8")
    wrap.chmod(0o755)
    Path("/run/sshd").mkdir(exist_ok=True) if os.geteuid() == 0 else None
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(keys / "sshd")], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until and server.poll() is None:
            with socket.socket() as caller:
                if caller.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        assert server.poll() is None
        yield str(wrap)
    finally:
        server.terminate()
        server.wait(30)


@NEEDS_SSHD
def test_the_systems_own_ssh_and_sshd_carry_it(plant, tmp_path):
    with sshd(plant, tmp_path) as ssh:
        code, told = plant.fleet("deploy", ssh=ssh)
        assert code == 0 and outcomes_of(told) == [DONE] * 3, told
        code, told = plant.fleet("status", ssh=ssh)
        assert [one["state"] for one in told["carts"]] == ["away"] * 3


@NEEDS_SSHD
@pytest.mark.skipif(os.environ.get("TOOLCART_LONG") != "1", reason="150 agents for minutes: with --long")
def test_150_carts_are_deployed_over_sshd_from_one_inventory_and_looked_at(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Fleet(CARTS) as fleet:
        plant = Plant(tmp_path, [f"cart{number}" for number in range(1, CARTS + 1)])
        made = fleet.configuration()
        for row, station in zip(plant.rows.values(), made["stations"], strict=True):
            row |= {"station": station["number"], "port": station["controller"]["port"]}
            row |= {"pim": made["toolsnet"]["pim_port"]}
        try:
            with sshd(plant, tmp_path) as ssh:
                begun = time.monotonic()
                code, told = plant.fleet("deploy", ssh=ssh)
                deploy_s = time.monotonic() - begun
                assert code == 0 and outcomes_of(told) == [DONE] * CARTS, told["carts"][-1]
                fleet.produce_rate(0.05)
                until, is_good = time.monotonic() + 300, False
                while not is_good:
                    assert time.monotonic() < until, [one["why"] for one in told["carts"] if one["state"] != "good"]
                    begun = time.monotonic()
                    code, told = plant.fleet("status", ssh=ssh)
                    status_s = time.monotonic() - begun
                    is_good = code == 0 and [one["state"] for one in told["carts"]] == ["good"] * CARTS
                begun = time.monotonic()
                code, told = plant.fleet("deploy", ssh=ssh)
                again_s = time.monotonic() - begun
                assert code == 0 and outcomes_of(told) == [LEFT_ALONE] * CARTS
        finally:
            plant.end()
    per_minute = CARTS * 60 / deploy_s
    print(f"{per_minute:.0f} carts a minute; again, nothing to do: {again_s:.0f} s; status of all: {status_s:.0f} s")
