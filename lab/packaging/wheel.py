"""Builds the wheel of this checkout, in a copy of the tree: `python -m lab.packaging.wheel [FOLDER]`.

It has the manual page and the completions below share/, where pip puts them beside the command. Where setuptools is
older than pyproject.toml wants it, as in an environment that `tools/run` has made, pip builds in one of its own.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

from toolcart.base.command_line import CommandLine, start
from lab.cache import CHECKOUT, Unavailable
from lab.packaging.share_files import share_files

SETUPTOOLS_LEAST = 77  # as pyproject.toml says
OUTPUT_LINES = 20  # of a builder that fails
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
FOLDERS = ("toolcart", "lab/packaging")
FILES = ("pyproject.toml", "README.md", "LICENSE")
TIMEOUT_S = 300


def version() -> str:
    """Return the version of this checkout, from its only place, pyproject.toml."""
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def environment() -> dict[str, str]:
    """Return the builders' environment: the commit's time on every file, so that a commit gives the same bytes."""
    command = ["git", "-C", str(CHECKOUT), "log", "-1", "--format=%ct"]
    try:
        committed = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S).stdout.strip()
    except OSError:
        committed = ""  # an unpacked source archive has no commit; its files have their times
    moment = committed or str(int((CHECKOUT / "pyproject.toml").stat().st_mtime))
    return {"SOURCE_DATE_EPOCH": moment, **os.environ}


def build(target: Path) -> Path:
    """Build the wheel into the folder `target`; Unavailable with the builder's message if it cannot."""
    with tempfile.TemporaryDirectory(prefix="toolcart-wheel-") as folder:
        for name in FOLDERS:
            shutil.copytree(CHECKOUT / name, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
        for name in FILES:
            shutil.copy(CHECKOUT / name, folder)
        _add_share(Path(folder))
        if has_setuptools():
            command = [sys.executable, "-P", "-c", BUILD, str(target.resolve())]
        else:
            pip = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "wheel", "-q", "--no-deps"]
            command = [*pip, "-w", str(target.resolve()), folder]
        output_of(command, "the wheel cannot be built", folder)
    return target / f"toolcart-{version()}-py3-none-any.whl"


def output_of(command: list[str], trouble: str, folder: str | Path = CHECKOUT) -> str:
    """Run a builder in this folder and return its output; Unavailable with the trouble and the end of what it said."""
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode != 0:
        raise Unavailable("\n".join([f"{trouble}:", *done.stderr.strip().splitlines()[-OUTPUT_LINES:]]))
    return done.stdout


def has_setuptools() -> bool:
    """True if the setuptools of this environment can build the wheel."""
    try:
        return int(importlib.metadata.version("setuptools").split(".")[0]) >= SETUPTOOLS_LEAST
    except importlib.metadata.PackageNotFoundError:
        return False


def _add_share(folder: Path) -> None:
    """Make the files for an installation's share/, and name them to the builder."""
    rows = []
    for name, content in share_files(version(), zsh="site-functions").items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(content)
        rows.append(f'"{Path(name).parent}" = ["{name}"]\n')
    with open(folder / "pyproject.toml", "a", encoding="utf-8") as project:
        project.write("\n[tool.setuptools.data-files]\n" + "".join(rows))


def by_hand(about: str | None, build: Callable[[Path], Path], folder: str = "dist") -> None:
    """Run the command line of a module that builds something into a folder."""
    line = CommandLine(about)
    line.add_argument("folder", nargs="?", default=folder, type=Path, help=f"where it goes, default: {folder}")
    start(lambda: print(build(line.parse_args().folder)))


if __name__ == "__main__":
    by_hand(__doc__, build)
