"""A disk that fails as it is told to, for programs of ours that run: libc's calls on chosen files return an error.

    disk = FailingDisk(folder)                      # compiles failing_disk.c; Skip where there is no C compiler
    agent = site.start("run", ..., **disk.around)   # in front of libc (LD_PRELOAD)
    disk.fails("write,sync", errno.EIO, site.home / "7.spool"); disk.works()

Calls are open, read, write, sync, truncate and allocate; erasing is a write. Error 0 lets a write fall short.
"""

from __future__ import annotations

import os
from pathlib import Path

from host_tests.support.preload import library

SOURCE = Path(__file__).with_suffix(".c")


class FailingDisk:
    """One library and one file of orders, which every user can read; `around` is the environment of a program."""

    def __init__(self, folder: Path) -> None:
        made = library(SOURCE, folder)
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
