"""The container: small, not root, the spool a volume, watched by `toolcart status`; built and run where that can be."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

import pytest

from toolcart.base.cache import CHECKOUT
from toolcart.tools.cli.main import main
from toolcart.tools.config.file import SERVICE_FOLDER, SERVICE_STATE
from host_tests.support.archive import RESULT, Talk
from host_tests.support.container import DEADLINE_S, IMAGE, Buildah, missing, run
from lab.packaging import wheel

TEXT = (CHECKOUT / "Containerfile").read_text(encoding="utf-8")
KNOWN = set("ARG FROM WORKDIR COPY RUN ENV USER VOLUME STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split())
JOINED = re.sub(r"\\\n\s*", "", "\n".join(line for line in TEXT.splitlines() if not line.startswith("#")))
STEPS = [tuple(line.split(" ", 1)) for line in JOINED.splitlines() if line]
USER = 10001
RESULTS = 20
LAST = STEPS[max(number for number, step in enumerate(STEPS) if step[0] == "FROM") :]


def free_ports(count):
    """So many ports that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def until(met, tell, limit_s=60):
    """Wait for it."""
    deadline = time.monotonic() + limit_s
    while not met():
        assert time.monotonic() < deadline, tell()
        time.sleep(0.2)


def the(word):
    [found] = [rest for name, rest in LAST if name == word]
    return found


def test_every_step_is_known_and_nothing_is_fetched_by_hand():
    assert {name for name, _ in STEPS} <= KNOWN
    assert [rest for name, rest in STEPS if name == "FROM"] == ["${BASE} AS build", "${BASE}"]
    assert not re.search(r"curl|wget|git clone|--platform|amd64/|arm64", JOINED)


def test_what_is_copied_is_there_and_reaches_the_builder():
    passed = {line[1:] for line in (CHECKOUT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for step, rest in STEPS if step == "COPY" and "--from" not in rest for name in rest.split()[:-1]}
    assert copied == passed and all((CHECKOUT / name).exists() for name in copied)


def test_it_is_not_root_and_may_write_to_the_volume_alone():
    assert the("USER") == f"{USER}:{USER}"
    assert the("VOLUME") == the("WORKDIR") == str(SERVICE_STATE)
    assert any(f"-o {USER} -g {USER} -m 0700 {SERVICE_STATE}" in rest for name, rest in LAST if name == "RUN")


def test_what_it_starts_and_asks_are_commands_of_ours():
    assert json.loads(the("ENTRYPOINT")) == ["toolcart"]
    words = json.loads(the("CMD"))
    assert words[0] in main.places and {"--plain", "--config"} <= set(words)
    assert words[-1] == f"{SERVICE_FOLDER}/config.json"
    asked = json.loads(the("HEALTHCHECK").split("CMD ", 1)[1])
    assert asked == ["toolcart", "status", "--config", words[-1]]


def test_the_second_stage_gets_nothing_but_the_environment():
    assert [rest for name, rest in LAST if name == "COPY"] == ["--from=build /opt/toolcart /opt/toolcart"]


def test_every_folder_of_the_product_is_copied():
    taken = (CHECKOUT / ".containerignore").read_text(encoding="utf-8").split()
    for folder in wheel.FOLDERS:
        assert f"COPY {folder} {folder}\n" in TEXT and f"!{folder}" in taken, folder


class Peers:
    """A simulated controller and a simulated ToolsNet on this machine, which the container shares its network with."""

    def __init__(self, folder):
        self.archive = folder / "archive.sqlite"
        self._running = []
        self.controller, self.pim, server = free_ports(3)
        self._start("controller", "--port", self.controller, "--rate", 5)
        self._start("toolsnet", "--pim-port", self.pim, "--server-port", server, "--archive", self.archive)

    def _start(self, *words):
        command = [sys.executable, "-m", "toolcart.tools.cli.main", "simulate", *map(str, words), "--seconds", "300"]
        self._running.append(subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL))

    def stored(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.archive}?mode=ro", uri=True)) as archive:
            return archive.execute("SELECT count(*) FROM Result").fetchone()[0]

    def close(self):
        for process in self._running:
            process.terminate()
            process.wait(DEADLINE_S)


@pytest.mark.long("building a container takes two minutes")
@pytest.mark.skipif(bool(missing()), reason=missing())
def test_container_is_built_runs_unprivileged_delivers_is_healthy_and_ends_in_order(tmp_path):
    begun_s = time.monotonic()
    buildah = Buildah(tmp_path / "storage")
    container = buildah.build()
    built_s = time.monotonic() - begun_s
    told = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
    assert (told["User"], told["Entrypoint"], told["StopSignal"]) == ("10001:10001", ["toolcart"], "SIGTERM")
    assert told["Healthcheck"]["Test"] == ["CMD", "toolcart", "status", "--config", "/etc/toolcart/config.json"]

    spool, settings = tmp_path / "spool", tmp_path / "etc"
    for folder in (spool, settings):
        folder.mkdir()
    os.chown(spool, USER, USER)
    peers = Peers(tmp_path)
    cart = {
        "toolsnet": {"pim_host": "127.0.0.1", "pim_port": peers.pim},
        "stations": [
            {"number": 1, "controller": {"host": "127.0.0.1", "port": peers.controller}, "spool": {"path": "a.spool"}}
        ],
    }
    (settings / "config.json").write_text(json.dumps(cart))
    shared = ("--volume", f"{spool}:{SERVICE_STATE}", "--volume", f"{settings}:/etc/toolcart:ro")

    def within(*words):
        # Into a file: of what goes through buildah's own pipes the end is missing now and then.
        run(*buildah.command(container, ("sh", "-c", f'exec "$@" > {SERVICE_STATE}/said 2>&1', "sh", *words), *shared))
        return (spool / "said").read_text()

    assert within("toolcart", "config", "check", "/etc/toolcart/config.json").startswith(
        "/etc/toolcart/config.json: good, 1 station; checked as "
    )
    assert within("id", "-u").strip() == str(USER)
    assert "denied" in within("sh", "-c", "touch /opt/toolcart/x /etc/toolcart/x 2>&1 || true")
    assert "No module named pip" in within("sh", "-c", "/opt/toolcart/bin/python -m pip 2>&1 || true")
    asked = ("sh", "-c", f"{' '.join(told['Healthcheck']['Test'][1:])}; echo exit $?")
    assert within(*asked).endswith("exit 3\n")  # no one runs yet
    lines = tmp_path / "lines"
    with lines.open("w") as out:
        command = buildah.command(container, [*told["Entrypoint"], *told["Cmd"]], *shared)
        agent = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        begun_s = time.monotonic()
        until(lambda: peers.stored() >= RESULTS, lines.read_text)
        print(f"container: built in {built_s:.0f} s, delivers {time.monotonic() - begun_s:.0f} s after its start")
        assert within(*asked).endswith("exit 0\n")
        assert (spool / "a.spool").stat().st_uid == USER
        told = json.loads(within("toolcart", "status", "--json", "--config", "/etc/toolcart/config.json"))
        os.kill(told["agent"]["pid"], signal.SIGTERM)
        assert agent.wait(DEADLINE_S) == 0, lines.read_text()
        assert "controller left in order" in lines.read_text()
    finally:
        agent.kill()
        peers.close()


@pytest.mark.long("building a container takes two minutes")
@pytest.mark.skipif(bool(missing()), reason=missing())
def test_the_container_with_the_archive_s_extras_serves_it_and_its_pages(tmp_path):
    buildah = Buildah(tmp_path / "storage")
    container = buildah.build("archive-web,postgresql")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, USER, USER)
    pim, server, web = free_ports(3)
    served = f"toolcart archive serve --pim-port {pim} --server-port {server} --web 127.0.0.1:{web}"
    words = ("sh", "-c", f"echo $$ > {SERVICE_STATE}/pid; exec {served}")
    shared = ("--volume", f"{state}:{SERVICE_STATE}")
    run(*buildah.command(container, ("/opt/toolcart/bin/python", "-c", "import psycopg"), *shared))
    lines = tmp_path / "lines"
    with lines.open("w") as out:
        serving = subprocess.Popen(buildah.command(container, words, *shared), stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: "pages on" in lines.read_text(), lines.read_text)
        with Talk(server) as station:
            assert station.ask(RESULT)[21:24] == "000"
        with urllib.request.urlopen(
            f"http://127.0.0.1:{web}/car?vin=WVWZZZ1KZAW123456&json", timeout=DEADLINE_S
        ) as told:
            assert len(json.load(told)["results"]) == 1
        assert (state / "archive.sqlite").stat().st_uid == USER
        os.kill(int((state / "pid").read_text()), signal.SIGTERM)
        assert serving.wait(DEADLINE_S) == 0, lines.read_text()
    finally:
        serving.kill()
