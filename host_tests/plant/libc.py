"""Programs of ours that run on a disk that fails as it is told to, or with a wall clock that is wrong: calls of libc
are replaced by a library in front of it (LD_PRELOAD), compiled when a test wants one.

    disk = FailingDisk(folder)                      # Skip where there is no C compiler
    agent = site.start("run", ..., **disk.around)
    disk.fails("write,sync", errno.EIO, site.home / "7.spool"); disk.works()

Calls are open, read, write, sync, truncate and allocate; erasing is a write. Error 0 lets a write fall short.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMPILE_S = 60


def library(source: Path, folder: Path) -> Path:
    """Compile a C file into a library in this folder that every user can read; skip where that cannot be done."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler: calls of libc cannot be replaced")
    made = folder / f"{source.stem}.so"
    words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=COMPILE_S)
    if done.returncode:
        pytest.skip(f"the C compiler cannot make a library: {done.stderr.strip()[-200:]}")
    made.chmod(0o755)
    return made


class FailingDisk:
    """One library and one file of orders, which every user can read; `around` is the environment of a program."""

    def __init__(self, folder: Path) -> None:
        made = library(HERE / "failing_disk.c", folder)
        self._orders = folder / "failing_disk.orders"
        self._given: list[str] = []
        self.around = {"LD_PRELOAD": str(made), "FAILING_DISK": str(self._orders)}
        self._write()

    def fails(self, calls: str, error: int, path: Path, least: int = 0) -> None:
        """Let these calls on this file fail from now on, if the last write was at `least` or behind.

        Earlier orders stay.
        """
        self._given.append(f"{calls} {error} {path} {least}")
        self._write()

    def works(self) -> None:
        """Everything works again."""
        self._given = []
        self._write()

    def _write(self) -> None:
        new = self._orders.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in self._given), encoding="ascii")
        new.chmod(0o644)
        os.replace(new, self._orders)


class ShiftedClock:
    """One library; `around` is the environment of a program whose clock is `shift_s` seconds off."""

    def __init__(self, folder: Path, shift_s: int) -> None:
        self.around = {"LD_PRELOAD": str(library(HERE / "shifted_clock.c", folder)), "SHIFTED_CLOCK": str(shift_s)}
