"""The Debian package is built, installed into a folder, used, upgraded, removed, purged; the spool outlives it all."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from host_tests.portable import LONG
from lab.cache import CHECKOUT
from lab.packaging import debian, sbom, source_archive, wheel
from lab.packaging.wheel import version

DEADLINE_S = 120
NEEDED = ("dpkg", "dpkg-deb", "systemd-sysusers", "deb-systemd-helper")
MISSING = [name for name in NEEDED if shutil.which(name) is None] + (["root"] if os.geteuid() else [])

pytestmark = [pytest.mark.skipif(bool(MISSING), reason=f"to install a Debian package there is no {', '.join(MISSING)}")]


class Root:
    """A folder that packages are installed into, as a card's image is."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "etc", "var/lib"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "var/lib/dpkg/status").touch()

    def dpkg(self, *words):
        # Scripts run outside with $DPKG_ROOT, as the folder has no shell; what the package depends on is outside too.
        forced = ["--force-script-chrootless", "--force-depends", "--force-unsafe-io"]
        command = ["dpkg", f"--root={self.folder}", *forced, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def toolcart(self, *words):
        """Run the installed program with this Python and its Click."""
        folders = {str(Path(find_spec(name).origin).parents[1]) for name in ("click",)}
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join([str(self.folder / debian.PYTHON), *folders])}
        command = [sys.executable, "-S", "-P", str(self.folder / "usr/bin/toolcart"), *words]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=DEADLINE_S
        )

    def users(self):
        return {line.split(":")[0]: line.split(":") for line in (self.folder / "etc/passwd").read_text().splitlines()}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return debian.build(tmp_path_factory.mktemp("deb"), level=debian.LEVEL if LONG else 0)


def test_the_package_lives_through_its_life_and_the_spool_outlives_it(package, tmp_path):
    users_here = Path("/etc/passwd").read_text()
    root = Root(tmp_path)
    root.dpkg("--install", package)
    name, _, uid, _, _, home, shell = root.users()["toolcart"]
    assert (name, home) == ("toolcart", "/var/lib/toolcart") and 0 < int(uid) < 1000 and shell.endswith("nologin")

    assert root.toolcart("--version").stdout == f"toolcart, version {version()}\n"
    units = {unit.name for unit in (tmp_path / "usr/lib/systemd/system").iterdir()}
    report = {f"toolcart-archive-report.{kind}" for kind in ("service", "timer")}
    assert units == {f"toolcart{name}.service" for name in ("", "-archive")} | report
    cart = tmp_path / "etc/toolcart/config.json"
    done = root.toolcart(
        "config", "new", str(cart), "--name", "A", "--controller", "192.0.2.1", "--pim", "192.0.2.2:6575", "--system",
        "1", "--station", "1", "--on", "linux",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    spool = tmp_path / "var/lib/toolcart/a.spool"
    spool.parent.mkdir(parents=True)
    spool.write_bytes(b"results")

    root.dpkg("--install", package)
    assert root.toolcart("config", "check", str(cart)).returncode == 0
    root.dpkg("--remove", "toolcart")
    assert not (tmp_path / "usr/bin/toolcart").exists() and cart.exists() and spool.exists()
    output = root.dpkg("--purge", "toolcart")
    assert "the spools stay in /var/lib/toolcart" in output
    assert not cart.parent.exists() and spool.read_bytes() == b"results"
    assert "toolcart" in root.users() and Path("/etc/passwd").read_text() == users_here


@pytest.mark.long("both are built twice")
def test_wheel_and_package_are_built_the_same_twice(package, built_wheel, tmp_path):
    assert debian.build(tmp_path).read_bytes() == package.read_bytes()
    assert wheel.build(tmp_path).read_bytes() == built_wheel.read_bytes()
    one, two = (source_archive.build(tmp_path / name) for name in "ab")
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.long("its list is read by a tool for it")
def test_the_list_of_a_wheel_is_cyclonedx_and_complete(built_wheel):
    from cyclonedx.schema import SchemaVersion  # both take a second, which each worker would wait for
    from cyclonedx.validation.json import JsonStrictValidator

    text = sbom.of(built_wheel)
    assert text == sbom.of(built_wheel)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = json.loads(text)
    assert bom["metadata"]["component"]["version"] == version()
    scopes = {one["name"]: one.get("scope") for one in bom["components"]}
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    extras = [
        row for name, rows in project["optional-dependencies"].items() if name not in sbom.LABORATORY for row in rows
    ]
    required = {re.match(r"[\w-]+", row)[0] for row in (*project["dependencies"], *extras)}
    assert set(scopes) == required | {"uplot"} and [name for name in scopes if scopes[name] == "required"] == ["click"]


@pytest.mark.long("lintian reads all of it")
@pytest.mark.skipif(shutil.which("lintian") is None, reason="lintian is not installed (Debian: lintian)")
def test_lintian_finds_no_error_and_no_warning(package):
    command = ["lintian", "--allow-root", "--fail-on", "error,warning", package]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long("another installation")
def test_a_purge_leaves_no_empty_folder(package, tmp_path):
    root = Root(tmp_path)
    root.dpkg("--install", package)
    (tmp_path / "var/lib/toolcart").mkdir()
    assert "stay" not in root.dpkg("--purge", "toolcart")
    left = {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*") if path.is_file()}
    assert left <= {("var", "lib"), ("etc", "passwd"), ("etc", "group"), ("etc", "shadow"), ("etc", "gshadow")} | {
        ("etc", name) for name in (".pwd.lock", "passwd-", "group-", "shadow-", "gshadow-")
    }


def test_it_lists_what_it_needs_and_brings_page_completion_and_unit(package, tmp_path):
    fields = subprocess.run(["dpkg-deb", "--field", package], capture_output=True, text=True, timeout=DEADLINE_S).stdout
    assert f"Version: {version()}\n" in fields and "Architecture: all" in fields and "python3-click (>= 8.1)" in fields
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True, timeout=DEADLINE_S)
    page = gzip.decompress((tmp_path / "usr/share/man/man1/toolcart.1.gz").read_bytes()).decode()
    assert page.startswith(".TH TOOLCART 1")
    for place, shell in (
        ("bash-completion/completions/toolcart", "bash"),
        ("zsh/vendor-completions/_toolcart", "zsh"),
        ("fish/vendor_completions.d/toolcart.fish", "fish"),
    ):
        assert f"_TOOLCART_COMPLETE={shell}_complete" in (tmp_path / "usr/share" / place).read_text()
    assert (tmp_path / "usr/lib/systemd/system/toolcart.service").read_text() == debian.unit()
    assert not [path for path in tmp_path.rglob("*") if path.name == "__pycache__" or path.stat().st_mode & 0o022]


def test_its_service_is_the_package_s_user_with_the_configuration_of_etc():
    unit = debian.unit()
    for line in ("User=toolcart", "ConditionPathExists=/etc/toolcart/config.json", "DeviceAllow=char-ttyUSB rw"):
        assert f"\n{line}\n" in unit
    assert "DynamicUser" not in unit and "ExecStart=/usr/bin/toolcart run --plain --config /etc/toolcart/config" in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_its_service_shut_in(tmp_path):
    file = tmp_path / "toolcart-test.service"
    file.write_text(debian.unit())
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stdout[-300:]
