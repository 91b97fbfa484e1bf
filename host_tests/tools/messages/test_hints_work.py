"""What a hint says works as toolcart is installed here, and every hint comes from one place."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from toolcart.base import installation, subprocesses
from toolcart.base.privileges import as_root
from toolcart.base.sources import ROOT, files_below
from lab.cache import CHECKOUT

EXTRAS = ("view", "serial", "webhook", "flash", "archive", "archive-mqtt", "archive-web", "postgresql")


@pytest.fixture
def outside(monkeypatch, tmp_path):
    """An installation in an environment of its own, that pip has made."""
    monkeypatch.setattr(installation, "ROOT", tmp_path / "lib/site-packages")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return tmp_path


def test_in_a_checkout_the_checkout_is_installed_with_the_extra():
    line = shlex.split(installation.how_to_get("flash"))
    assert line == [sys.executable, "-m", "pip", "install", "-e", f"{CHECKOUT}[flash]"]


def test_outside_a_checkout_the_packages_are_named_and_not_toolcart(outside):
    line = shlex.split(installation.how_to_get("serial"))
    assert line == [sys.executable, "-m", "pip", "install", "pyserial>=3.5"]


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_is_known_by_the_installation_with_its_packages(outside, extra):
    named = installation.requirements(extra)
    assert named and not [package for package in named if "toolcart" in package or ";" in package]


def test_an_environment_without_pip_is_served_by_another_pip(outside, monkeypatch):
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    line = shlex.split(installation.how_to_get_packages("pyarrow"))
    assert line == ["pip", "--python", sys.executable, "install", "pyarrow"]


def test_pipx_injects_into_its_environment(outside):
    (outside / "pipx_metadata.json").touch()
    line = shlex.split(installation.how_to_get("view"))
    assert line == ["pipx", "inject", outside.name, "textual>=3"]


def test_the_debian_package_names_debian_s_packages_where_they_are_new_enough(outside, monkeypatch):
    monkeypatch.setattr(installation, "ROOT", outside / "lib/python3/dist-packages")
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    assert installation.how_to_get("serial") == as_root("apt install python3-serial")
    assert "--system-site-packages" in installation.how_to_get("view")


def test_no_one_else_says_how_to_install():
    for path in files_below(CHECKOUT / "toolcart"):
        if path != Path(installation.__file__):
            assert not re.search(r"pip\w* install ['\"]?\w", path.read_text(encoding="utf-8")), path


def test_a_service_gets_the_toolcart_that_is_here(outside, monkeypatch):
    class Wheel:
        def read_text(self, name):
            return '{"url": "file:///media/my%20stick/toolcart-1.whl", "archive_info": {}}'

    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Wheel())
    line = installation.how_to_install_for_all()
    assert shlex.split(line)[-1] == "/media/my stick/toolcart-1.whl[serial,webhook]"
    monkeypatch.setattr(Wheel, "read_text", lambda self, name: None)  # from an index
    assert shlex.split(installation.how_to_install_for_all())[-1] == "toolcart[serial,webhook]"
    monkeypatch.setattr(installation, "ROOT", CHECKOUT)
    assert shlex.split(installation.how_to_install_for_all())[-1] == f"{CHECKOUT}[serial,webhook]"


def test_child_runs_this_program_and_not_what_lies_in_the_current_folder(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('another one')\n")
    done = subprocess.run(
        subprocesses.command(
            "-c", "import sys, json, toolcart.base; print(toolcart.base.__file__, sys.path.count(''))"
        ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    file, blanks = done.stdout.split()
    assert Path(file).is_relative_to(ROOT)
    assert blanks == "0"


def test_an_environment_that_has_more_than_is_asked_for_is_ready(tmp_path):
    (tmp_path / "tools").mkdir()
    shutil.copy(CHECKOUT / "tools/setup.sh", tmp_path / "tools")
    (tmp_path / ".venv").mkdir()
    for room in ("agent", "archive", "board", "tools"):
        (tmp_path / "toolcart" / room).mkdir(parents=True)
    project = tmp_path / "pyproject.toml"
    project.write_text("[project]\n")
    python = shlex.quote(sys.executable)

    def bash(line):
        source = f"source {shlex.quote(str(tmp_path / 'tools/setup.sh'))}; {line}"
        return subprocess.run(["bash", "-c", source], timeout=60).returncode

    assert bash(f'toolcart_stamp {python} view,serial,web > "$toolcart_root/.venv/toolcart-view,serial,web.stamp"') == 0
    assert bash(f"toolcart_is_ready {python} view,serial") == bash(f"toolcart_is_ready {python} view,serial,web") == 0
    assert bash(f"toolcart_is_ready {python} view,test") != 0
    project.write_text("[project]\nname = 'other'\n")
    assert bash(f"toolcart_is_ready {python} view,serial") != 0
