"""Programs of ours that run on a disk that fails as it is told to, or with a wall clock that is wrong: calls of libc
are replaced by a library in front of it (LD_PRELOAD), compiled when a test wants one.

    disk = FailingDisk(folder)                      # Skip where there is no C compiler
    agent = site.start("run", ..., **disk.around)
    disk.fails("write,sync", errno.EIO, site.home / "7.spool"); disk.works()

Calls are open, read, write, sync, truncate and allocate; erasing is a write. Error 0 lets a write fall short.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from host_tests.plant.as_installed import USER

HERE = Path(__file__).parent
COMPILE_S = 60


def library(source: Path, folder: Path) -> Path:
    """Compile a C file into a library in this folder that every user can read; skip where that cannot be done."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler: calls of libc cannot be replaced")
    made = folder / f"{source.stem}.so"
    words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl"]
    told = subprocess.run(words, capture_output=True, text=True, timeout=COMPILE_S)
    if told.returncode:
        pytest.skip(f"the C compiler cannot make a library: {told.stderr.strip()[-200:]}")
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


# A mount namespace of its own for the installed command: file systems that a test makes full, read-only or broken.
#
#     with PrivateMounts(site) as mounts:          # Skip where that is not allowed
#         mounts.run("mount", "-t", "tmpfs", "none", site.home / "card")
#         agent = site.start("run", ...)           # and site.run: they see these mounts, as their user
#
# 1. Nothing is mounted outside: a process that only sleeps holds the namespace, and all of it goes when that ends.
# 2. An image is attached to a loop device by `mount -o loop`, which lets go of it with the last mount.

TOOLS = ("unshare", "nsenter", "setpriv", "mount")
WAIT_S = 60
LIVES_S = "900"


class PrivateMounts:
    """The namespace; a context manager."""

    def __init__(self, site):
        missing = [name for name in TOOLS if shutil.which(name) is None]
        if os.geteuid() or missing:
            pytest.skip(f"only root mounts, with {', '.join(TOOLS)}")
        self._site = site

    def __enter__(self):
        words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f"echo held; exec sleep {LIVES_S}"]
        self._holder = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self._holder.stdout.readline() != "held\n":
            self.__exit__()
            pytest.skip("no mount namespace can be made here")
        user = pwd.getpwnam(USER)
        become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self._site.inside = [*self._enter(), *become, "sh", "-c", 'cd "$HOME" && exec "$@"', "sh"]
        return self

    def __exit__(self, *_):
        self._site.end_all()
        self._site.inside = []
        self._holder.kill()
        self._holder.wait(WAIT_S)
        self._holder.stdout.close()

    def _enter(self):
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt"]

    def run(self, *words, check=True):
        """Run these words inside as root; their output."""
        told = subprocess.run(
            [*self._enter(), *map(str, words)], capture_output=True, text=True, timeout=WAIT_S, stdin=subprocess.DEVNULL
        )
        assert told.returncode == 0 or not check, told.stdout + told.stderr
        return told

    def can(self, *words):
        """Run them; Skip if that is not possible here."""
        told = self.run(*words, check=False)
        if told.returncode:
            pytest.skip(f"{' '.join(map(str, words))}: {told.stderr.strip()}")
