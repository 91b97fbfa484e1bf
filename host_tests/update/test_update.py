"""`toolcart update` on a machine of its own in a folder, with the real dpkg: what is refused, installed, taken back."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading

import pytest
from click.testing import CliRunner

from tools.cli.main import main
from tools.update import commands
from tools.update.machine import Machine, Refused, Unhealthy
from tools.update.minisign import SecretKey, Wrong
from tools.update.source import Missing, read

MISSING = [name for name in ("dpkg", "dpkg-deb") if shutil.which(name) is None] + (["root"] if os.geteuid() else [])
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"to install a package there is no {', '.join(MISSING)}")
DEADLINE_S = 60


def told(pid, controller="ready", mounted=True):
    sides = {"controller": {"state": controller, "why": "refused"}, "spool_problem": "worn out", "outlets": []}
    stations = [{"number": 7, "mounted": mounted, **sides}]
    return {"running": True, "agent": {"pid": pid, "version": "x"}, "stations": stations}


class Plant:
    """Who makes packages, and one machine that trusts them; its clock is simulated."""

    def __init__(self, folder):
        self.folder, self.key, self.waited_s = folder, SecretKey.new(), 0.0
        self.keys, root = folder / "keys", folder / "root"
        for path in (self.keys, root / "var/lib/dpkg/info", root / "var/lib/dpkg/updates"):
            path.mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        (self.keys / "plant.pub").write_text(self.key.public().text())
        (self.keys / "other.pub").write_text(SecretKey.new().public().text())
        self.machine = Machine(
            ("dpkg", f"--root={root}", "--force-unsafe-io"),
            ("dpkg-query", f"--admindir={root}/var/lib/dpkg"),
            (str(root / "usr/bin/toolcart"),),
            folder / "kept",
            clock=lambda: self.waited_s,
            sleep=self.sleep,
        )

    def sleep(self, seconds):
        self.waited_s += seconds

    def package(self, version, status, name="toolcart", key=None, exits=0, depends=""):
        """A signed package whose program tells this status."""
        tree = self.folder / f"tree{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "usr/bin").mkdir(parents=True)
        fields = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: x\nDescription: x\n{depends}"
        (tree / "DEBIAN/control").write_text(fields)
        (tree / "usr/bin/toolcart").write_text(f"#!/bin/sh\necho '{json.dumps(status)}'\nexit {exits}\n")
        (tree / "usr/bin/toolcart").chmod(0o755)
        file = self.folder / f"{name}_{version}_all.deb"
        command = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(file)]
        subprocess.run(command, check=True, capture_output=True, timeout=DEADLINE_S)
        signature = (key or self.key).sign(file.read_bytes(), f"file:{file.name}")
        file.with_name(file.name + ".minisig").write_text(signature)
        return str(file)

    def install(self, package):
        subprocess.run([*self.machine.dpkg, "-i", package], check=True, capture_output=True, timeout=DEADLINE_S)

    def update(self, package, previous=None):
        return commands.bring(self.machine, str(package), self.keys, previous)


@pytest.fixture
def plant(tmp_path):
    return Plant(tmp_path)


@pytest.fixture
def first(plant):
    package = plant.package("0.2.0", told(1))
    plant.install(package)
    return package


def test_a_newer_version_is_installed_and_is_the_next_way_back(plant, first):
    assert plant.update(plant.package("0.10.0", told(2)), first) == 0
    assert plant.machine.installed() == "0.10.0"
    assert plant.update(plant.package("0.11.0", told(3))) == 0, "the way back was kept"
    assert [path.name for path in plant.machine.kept.iterdir()] == ["toolcart_0.11.0.deb"]
    assert plant.update(plant.folder / "toolcart_0.11.0_all.deb") == 0, "it is there already"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (told(2, mounted=False), "station 7: the spool is not up: worn out"),
        (told(2, controller="connecting"), "controller of station 7 was connected and is not"),
        (told(1), "the old process still runs"),
        ({"running": False, "error": "no agent here"}, "no agent answers: no agent here"),
        ("nonsense", "no agent answers: the program tells no status"),
    ],
)
def test_a_version_that_does_not_become_healthy_is_taken_back(plant, first, status, words):
    with pytest.raises(Unhealthy, match=f"not healthy within 120 s: {words}.*; the version before runs again"):
        plant.update(plant.package("0.3.0", status), first)
    assert plant.machine.installed() == "0.2.0" and plant.waited_s >= 120
    assert [path.name for path in plant.machine.kept.iterdir()] == ["toolcart_0.2.0.deb"]


def test_a_package_that_dpkg_cannot_install_is_taken_back(plant, first):
    with pytest.raises(Unhealthy, match=r"dpkg could not install .*; the version before runs again"):
        plant.update(plant.package("0.3.0", told(2), depends="Depends: nothing-has-this\n"), first)
    assert plant.machine.installed() == "0.2.0"


def test_without_an_agent_the_new_program_must_start(plant):
    stopped = {"running": False, "error": "no agent"}
    first = plant.package("0.2.0", stopped)
    plant.install(first)
    with pytest.raises(Unhealthy, match="the program does not start"):
        plant.update(plant.package("0.3.0", stopped, exits=1), first)
    assert plant.update(plant.package("0.4.0", stopped)) == 0 and plant.machine.installed() == "0.4.0"


def test_what_is_refused_changes_nothing_and_says_why(plant, first):
    newer = plant.package("0.3.0", told(2))
    unsigned = plant.folder / "unsigned.deb"
    shutil.copy(newer, unsigned)
    damaged = plant.folder / "damaged.deb"
    damaged.write_bytes(unsigned.read_bytes()[:-1] + b"!")
    shutil.copy(newer + ".minisig", str(damaged) + ".minisig")
    strange = plant.package("0.5.0", told(2), key=SecretKey.new())
    cases = [
        ((unsigned, first), Refused, "it is not signed"),
        ((damaged, first), Wrong, "does not fit: the file is damaged"),
        ((strange, first), Wrong, "was made with key"),
        ((newer,), Refused, "there would be no way back"),
        ((newer, newer), Refused, "--previous has 0.3.0, but 0.2.0 is installed"),
        ((newer, str(unsigned)), Refused, "it is not signed"),
        ((plant.package("0.1.9", told(2)), first), Refused, "0.1.9 is older than 0.2.0"),
        ((plant.package("9", told(2), name="other"), first), Refused, "is no Debian package of toolcart"),
        ((plant.folder / "none.deb", first), Missing, "No such file"),
    ]
    for given, kind, words in cases:
        with pytest.raises(kind, match=words):
            plant.update(*given)
    assert plant.machine.installed() == "0.2.0"
    shutil.rmtree(plant.keys)
    with pytest.raises(Refused, match="no key is trusted"):
        plant.update(newer, first)


def test_a_package_comes_from_a_server_and_a_bad_one_is_told(plant, first):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=plant.folder)
    handler.func.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        at = f"http://127.0.0.1:{server.server_port}/"
        plant.package("0.3.0", told(2))
        assert plant.update(at + "toolcart_0.3.0_all.deb", first) == 0
        with pytest.raises(Missing, match="the server answers 404"):
            plant.update(at + "none.deb")
        with pytest.raises(Missing, match="more than 100 bytes"):
            read(at + "toolcart_0.3.0_all.deb", 100)
        server.shutdown()
    with pytest.raises(Missing, match="Connection refused"):
        read(at)


def test_the_commands_make_a_key_sign_and_check(plant, monkeypatch):
    monkeypatch.chdir(plant.folder)
    package = plant.package("0.3.0", told(2))
    run = lambda *words: CliRunner().invoke(main, words)  # noqa: E731
    assert run("sign", "--new-key", "own").exit_code == 0
    assert (plant.folder / "own.key").stat().st_mode & 0o77 == 0
    assert run("sign", "--new-key", "own").exit_code == 1, "a key is not overwritten"
    assert run("sign", package, "--key", "own.key").exit_code == 0
    told_why = run("update", "--check", "--keys", str(plant.keys), package)
    assert told_why.exit_code == 2 and "not installed, nothing was changed" in told_why.output
    shutil.copy("own.pub", plant.keys)
    good = run("update", "--check", "--keys", str(plant.keys), package)
    assert good.exit_code == 0 and "0.3.0, signed by own.pub" in good.output
    assert run("sign", package, "--key", "own.pub").exit_code == 1


def test_any_file_is_signed_and_verified_as_a_board_s_image_is(plant, monkeypatch):
    monkeypatch.chdir(plant.folder)
    (plant.folder / "own.key").write_text(plant.key.text())
    (plant.folder / "toolcart-rp2.uf2").write_bytes(bytes(range(256)) * 100)
    run = lambda *words: CliRunner().invoke(main, words)  # noqa: E731
    assert run("sign", "toolcart-rp2.uf2", "--key", "own.key").exit_code == 0
    good = run("verify", "toolcart-rp2.uf2", "--keys", str(plant.keys))
    assert good.exit_code == 0 and "good, signed by plant.pub" in good.output
    (plant.folder / "toolcart-rp2.uf2").write_bytes(bytes(range(256)) * 99)
    bad = run("verify", "toolcart-rp2.uf2", "own.key", "--keys", str(plant.keys), "--json")
    told = json.loads(bad.output)
    assert bad.exit_code == 2 and "does not fit" in told["files"][0]["why"] and "not signed" in told["files"][1]["why"]


def test_the_installed_version_is_kept_as_the_first_way_back(plant, first):
    assert plant.update(first) == 0
    assert [path.name for path in plant.machine.kept.iterdir()] == ["toolcart_0.2.0.deb"]
    assert plant.update(plant.package("0.3.0", told(2))) == 0
