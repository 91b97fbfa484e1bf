"""A disk that fails as it is told to, for programs of ours that run: libc's calls on chosen files return an error.

    disk = FailingDisk(folder)                      # compiles failing_disk.c; Skip where there is no C compiler
    agent = site.start("run", ..., **disk.around)   # in front of libc (LD_PRELOAD)
    disk.fails("write,sync", errno.EIO, site.home / "7.spool"); disk.works()

Calls are open, read, write, sync, truncate and allocate; erasing is a write. Error 0 lets a write fall short.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")
COMPILE_S = 60


class FailingDisk:
    """One library and one file of orders, which every user can read; `around` is the environment of a program."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("gcc") or shutil.which("cc")
        if not compiler:
            pytest.skip("no C compiler: calls of libc cannot be made to fail")
        library = folder / "failing_disk.so"
        words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
        told = subprocess.run(words, capture_output=True, text=True, timeout=COMPILE_S)
        if told.returncode:
            pytest.skip(f"the C compiler cannot make a library: {told.stderr.strip()[-200:]}")
        self._orders = folder / "failing_disk.orders"
        self._given: list[str] = []
        self.around = {"LD_PRELOAD": str(library), "FAILING_DISK": str(self._orders)}
        self._write()
        library.chmod(0o755)

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
