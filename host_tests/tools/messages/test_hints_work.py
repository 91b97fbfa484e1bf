"""What a hint says works as toolcart is installed here, and every hint comes from one place."""

import contextlib
import os
import pty
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


def _copied_set_up(folder):
    """A checkout that has no more than its set-up; return the words that source it."""
    (folder / "tools").mkdir()
    shutil.copy(CHECKOUT / "tools/setup.sh", folder / "tools")
    for room in ("agent", "archive", "board", "tools"):
        (folder / "toolcart" / room).mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[project]\n")
    return f"source {shlex.quote(str(folder / 'tools/setup.sh'))}; "


def test_an_environment_that_has_more_than_is_asked_for_is_ready(tmp_path):
    source = _copied_set_up(tmp_path)
    (tmp_path / ".venv").mkdir()
    project = tmp_path / "pyproject.toml"
    python = shlex.quote(sys.executable)

    def bash(line):
        return subprocess.run(["bash", "-c", source + line], timeout=60).returncode

    assert bash(f'toolcart_stamp {python} view,serial,web > "$toolcart_root/.venv/toolcart-view,serial,web.stamp"') == 0
    assert bash(f"toolcart_is_ready {python} view,serial") == bash(f"toolcart_is_ready {python} view,serial,web") == 0
    assert bash(f"toolcart_is_ready {python} view,test") != 0
    project.write_text("[project]\nname = 'other'\n")
    assert bash(f"toolcart_is_ready {python} view,serial") != 0


# What pip writes, step by step; how many packages it has installed, and the bar then.
PIP_STEPS = (
    ("", 0, "[#                   ] making the environment"),
    ("Obtaining file:///cart\n", 0, "[##                  ] looking for packages"),
    ("Building: finished with status 'done'\n", 0, "[###                 ] looking for packages"),
    ("Collecting click>=8.1\nProcessing /files/h11.whl\nCollecting a\n", 0, "[####                ] packages found: 3"),
    ("Collecting b\n" * 90, 0, "[#############       ] packages found: 93"),
    ("Installing collected packages: click, h11, a, b\n", 2, "[################    ] packages to install: 4"),
    ("", 4, "[####################] packages to install: 4"),
)


def test_the_bar_of_the_set_up_is_as_far_as_pip_is(tmp_path):
    source, log, before = _copied_set_up(tmp_path), tmp_path / "setup.log", 2
    log.write_text("")
    for text, installed, bar in PIP_STEPS:
        with log.open("a") as lines:
            lines.write(text)
        line = f"toolcart_progress {shlex.quote(str(log))} {before + installed} {before}"
        done = subprocess.run(["bash", "-c", source + line], capture_output=True, text=True, timeout=60)
        assert (done.stdout.rstrip(), done.stderr) == (bar, "")


@pytest.mark.parametrize("on_terminal", [True, False])
def test_a_terminal_sees_a_bar_while_the_environment_is_made(tmp_path, on_terminal):
    """The environment is made once the bar has been seen; where there is no terminal, at once."""
    is_seen = tmp_path / "seen"
    waits = f"for _ in {{1..1200}}; do [ -e {shlex.quote(str(is_seen))} ] && break; sleep 0.05; done; " * on_terminal
    makes = f"mkdir -p .venv/bin; ln -s {shlex.quote(sys.executable)} .venv/bin/python"
    line = f"toolcart_make_venv() {{ {waits}{makes}; }}; toolcart_setup view; jobs -p"
    reader, terminal = pty.openpty() if on_terminal else os.pipe()
    command = ["bash", "-c", _copied_set_up(tmp_path) + line]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    shown = b""
    try:
        with contextlib.suppress(OSError):  # EIO: the last one has closed the terminal
            while octets := os.read(reader, 4096):
                shown += octets
                if b"making the environment" in shown:
                    is_seen.touch()
        assert running.communicate(timeout=60) == (b"", None), "stdout is the agent's, and no bar goes on"
    finally:
        running.kill()
        running.wait()
        os.close(reader)
    assert running.returncode == 0 and b"the environment is ready" in shown, shown
    assert (b"[#                   ] making the environment" in shown) == on_terminal, shown
