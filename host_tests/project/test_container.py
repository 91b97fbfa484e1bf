"""The container: small, not root, the spool a volume, watched by `toolcart status`; built and run where that can be.

Rules
1. buildah builds it, on a machine that reaches no registry of images: no engine and no daemon. `--isolation chroot`
   needs root and a kernel, neither control groups nor a network of its own. What that isolation does not do (limits,
   devices, the counters check's clock) is not tried.
2. The base is Debian with its own Python, made by debootstrap from Debian's packages and kept in .cache; the recipe is
   built from it as from any other BASE.
3. Wheels come from outside, so that building needs no network.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
import urllib.request

import pytest

from toolcart.tools.cli.main import main
from toolcart.tools.config.file import SERVICE_FOLDER, SERVICE_STATE
from host_tests.support.archive import RESULT, Talk
from host_tests.support.running import free_port, wait_for
from lab.cache import CACHE, CHECKOUT
from lab.packaging import wheel

TEXT = (CHECKOUT / "Containerfile").read_text(encoding="utf-8")
KNOWN = set("ARG FROM WORKDIR COPY RUN ENV USER VOLUME STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split())
JOINED = re.sub(r"\\\n\s*", "", "\n".join(line for line in TEXT.splitlines() if not line.startswith("#")))
STEPS = [tuple(line.split(" ", 1)) for line in JOINED.splitlines() if line]
USER = 10001
RESULTS = 20
SUITE = "trixie"
BASE = "localhost/toolcart-base"
IMAGE = "localhost/toolcart"
NEEDED = ("buildah", "debootstrap", "tar")
WHEELS = ("setuptools", "click")  # what the recipe needs, whatever its extras
PYTHON = "3.13"  # the base's
DEADLINE_S = 600
LAST = STEPS[max(number for number, step in enumerate(STEPS) if step[0] == "FROM") :]


def missing():
    """What this machine lacks to build and run a container, in words; "" if nothing."""
    lacks = [name for name in NEEDED if shutil.which(name) is None] + (["root"] if os.geteuid() else [])
    return f"to build a container there is no {', '.join(lacks)}" if lacks else ""


def run(*words, **options):
    """Run it; what it says on both its outputs, if it ends well."""
    options = {"timeout": DEADLINE_S, "stdin": subprocess.DEVNULL, **options}
    done = subprocess.run([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout}"
    return done.stdout


class Buildah:
    """A storage of its own in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self._words = ["buildah", "--root", folder / "root", "--runroot", folder / "run", "--storage-driver", "vfs"]

    def __call__(self, *words):
        return run(*self._words, *words)

    def command(self, container, words, *options):
        """The words that run these in the container, as its user and with the machine's network."""
        line = [*self._words, "run", "--isolation", "chroot", "--network", "host", *options, container, "--", *words]
        return [str(word) for word in line]

    def build(self, extras="serial"):
        """Make the base and the image with these extras; return a container of it."""
        base = self("from", "scratch").split()[-1]
        self("add", base, base_archive(), "/")
        self("commit", "--rm", base, BASE)
        wheels = self.folder / "wheels"
        packages = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        wanted = [*WHEELS, *[one for extra in extras.split(",") for one in packages[extra]]]
        how = ("-q", "--only-binary=:all:", "--python-version", PYTHON, "--dest", wheels)
        run(sys.executable, "-m", "pip", "download", *how, *wanted)
        settings = self.folder / "pip.conf"
        settings.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        self(
            "build", "--isolation", "chroot", "--network", "host", "--format", "docker",
            "--build-arg", f"BASE={BASE}", "--build-arg", f"EXTRAS={extras}",
            "--volume", f"{wheels}:/wheels:ro", "--volume", f"{settings}:/etc/pip.conf:ro",
            "--ignorefile", CHECKOUT / ".containerignore", "--file", CHECKOUT / "Containerfile",
            "--tag", IMAGE, CHECKOUT,
        )  # fmt: skip
        container = self("from", IMAGE).split()[-1]
        # Else buildah mounts a folder of its own there as well, above ours or below it as it happens.
        self("config", "--volume", f"{SERVICE_STATE}-", container)
        return container


def base_archive():
    """Debian's files as an archive, made once."""
    kept = CACHE / "container" / f"{SUITE}.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        tree, part = kept.with_suffix(".tree"), kept.with_suffix(".part")
        shutil.rmtree(tree, ignore_errors=True)
        # In a namespace of its own: a debootstrap that is cut off leaves no /proc mounted.
        run("unshare", "-m", "debootstrap", "--variant=minbase", "--include=python3-venv,ca-certificates", SUITE, tree)
        left_out = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man")
        run("tar", *[f"--exclude=./{name}" for name in left_out], "-C", tree, "-cf", part, ".")
        shutil.rmtree(tree)
        part.rename(kept)
    return kept


def the(word):
    [value] = [rest for name, rest in LAST if name == word]
    return value


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
    words_of_check = json.loads(the("HEALTHCHECK").split("CMD ", 1)[1])
    assert words_of_check == ["toolcart", "status", "--config", words[-1]]


def test_the_second_stage_gets_nothing_but_the_environment():
    assert [rest for name, rest in LAST if name == "COPY"] == ["--from=build /opt/toolcart /opt/toolcart"]


def test_every_folder_of_the_product_is_copied():
    taken = (CHECKOUT / ".containerignore").read_text(encoding="utf-8").split()
    for folder in wheel.FOLDERS:
        assert f"COPY {folder} {folder}\n" in TEXT and f"!{folder}" in taken, folder


class Peers:
    """A simulated controller and an archive on this machine, which the container shares its network with."""

    def __init__(self, folder):
        self.archive = folder / "archive.sqlite"
        self._running = []
        self.controller, self.pim, server = free_port(), free_port(), free_port()
        self._start("simulate", "controller", "--port", self.controller, "--rate", 5)
        self._start("archive", "serve", "--pim-port", self.pim, "--server-port", server, "--database", self.archive)

    def _start(self, *words):
        command = [sys.executable, "-m", "toolcart.tools.cli.main", *map(str, words), "--seconds", "300"]
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
    config = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
    assert (config["User"], config["Entrypoint"], config["StopSignal"]) == ("10001:10001", ["toolcart"], "SIGTERM")
    assert config["Healthcheck"]["Test"] == ["CMD", "toolcart", "status", "--config", "/etc/toolcart/config.json"]

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
        run(
            *buildah.command(container, ("sh", "-c", f'exec "$@" > {SERVICE_STATE}/output 2>&1', "sh", *words), *shared)
        )
        return (spool / "output").read_text()

    assert within("toolcart", "config", "check", "/etc/toolcart/config.json").startswith(
        "/etc/toolcart/config.json: good, 1 station; checked as "
    )
    assert within("id", "-u").strip() == str(USER)
    assert "denied" in within("sh", "-c", "touch /opt/toolcart/x /etc/toolcart/x 2>&1 || true")
    assert "No module named pip" in within("sh", "-c", "/opt/toolcart/bin/python -m pip 2>&1 || true")
    health = ("sh", "-c", f"{' '.join(config['Healthcheck']['Test'][1:])}; echo exit $?")
    assert within(*health).endswith("exit 3\n")  # no one runs yet
    lines = tmp_path / "lines"
    with lines.open("w") as out:
        command = buildah.command(container, [*config["Entrypoint"], *config["Cmd"]], *shared)
        agent = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        begun_s = time.monotonic()
        wait_for(lines.read_text, lambda: peers.stored() >= RESULTS)
        print(f"container: built in {built_s:.0f} s, delivers {time.monotonic() - begun_s:.0f} s after its start")
        assert within(*health).endswith("exit 0\n")
        assert (spool / "a.spool").stat().st_uid == USER
        status = json.loads(within("toolcart", "status", "--json", "--config", "/etc/toolcart/config.json"))
        os.kill(status["agent"]["pid"], signal.SIGTERM)
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
    pim, server, web = free_port(), free_port(), free_port()
    served = f"toolcart archive serve --pim-port {pim} --server-port {server} --web 127.0.0.1:{web}"
    words = ("sh", "-c", f"echo $$ > {SERVICE_STATE}/pid; exec {served}")
    shared = ("--volume", f"{state}:{SERVICE_STATE}")
    run(*buildah.command(container, ("/opt/toolcart/bin/python", "-c", "import psycopg"), *shared))
    lines = tmp_path / "lines"
    with lines.open("w") as out:
        serving = subprocess.Popen(buildah.command(container, words, *shared), stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_for(lines.read_text, lambda: "pages on" in lines.read_text())
        with Talk(server) as station:
            assert station.ask(RESULT)[21:24] == "000"
        with urllib.request.urlopen(
            f"http://127.0.0.1:{web}/car?vin=WVWZZZ1KZAW123456&json", timeout=DEADLINE_S
        ) as response:
            assert len(json.load(response)["results"]) == 1
        assert (state / "archive.sqlite").stat().st_uid == USER
        os.kill(int((state / "pid").read_text()), signal.SIGTERM)
        assert serving.wait(DEADLINE_S) == 0, lines.read_text()
    finally:
        serving.kill()
