"""A private PostgreSQL for tests and figures: on a socket in a folder that is removed with it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from toolcart.base.sources import Unavailable

VERSIONS = Path("/usr/lib/postgresql")  # where Debian puts them
START_LIMIT_S = 60


@contextmanager
def postgresql(synced: bool = True, parent: str | None = None) -> Iterator[Databases]:
    """Makes empty databases and gives their URLs; Unavailable says what is missing.

    Without `synced` it does not wait for its disk; its files are in a new folder, or in this one.
    """
    programs = _programs()
    user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
    if user:
        try:
            pwd.getpwnam(user)
        except KeyError:
            raise Unavailable("PostgreSQL does not run as root, and there is no user postgres") from None
    folder = tempfile.mkdtemp(prefix="toolcart-pg-", dir=parent or "/tmp")  # a socket's path must be short
    try:
        if user:
            shutil.chown(folder, user, user)
        _run([programs / "initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "toolcart", "-N", "-E", "UTF8"], user)
        settings = f"-k {folder} -c listen_addresses= -c fsync={'on' if synced else 'off'}"
        control = [programs / "pg_ctl", "-D", f"{folder}/data", "-w", "-t", str(START_LIMIT_S)]
        start = [*control, "-l", f"{folder}/log", "-o", settings, "start"]
        _run(start, user)
        try:
            yield Databases(folder, lambda: _run(start, user))
        finally:
            with suppress(Unavailable):  # it may have been killed
                _run([*control, "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Databases:
    """Each call returns another database."""

    def __init__(self, folder: str, start: Callable[[], None]) -> None:
        self._folder = folder
        self._count = 0
        self.start = start  # after a `kill`

    def kill(self) -> None:
        """End all its processes by SIGKILL, and return when none is left."""
        file = Path(self._folder, "data", "postmaster.pid")
        main = int(file.read_text().split()[0])
        os.kill(main, signal.SIGSTOP)  # so that it starts no more children
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for process in (main, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for process in (main, *map(int, children)):
            while _runs(process):
                time.sleep(0.01)
        for left in (file, *Path(self._folder).glob(".s.PGSQL.*.lock")):
            left.unlink()  # where dead processes are not waited for, it seems to run

    def __call__(self) -> str:
        self._count += 1
        engine = create_engine(f"postgresql+psycopg://toolcart@/postgres?host={self._folder}")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"CREATE DATABASE archive{self._count}")
        engine.dispose()
        return f"postgresql://toolcart@/archive{self._count}?host={self._folder}"


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _programs() -> Path:
    installed = sorted(VERSIONS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    initdb = shutil.which("initdb")
    if initdb is None:
        raise Unavailable("there is no PostgreSQL on this machine: apt install postgresql")
    return Path(initdb).resolve().parent


def _run(command: list, user: str | None) -> None:
    words = [str(word) for word in command]
    as_user: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if user else {}
    # No pipe: what pg_ctl starts would hold its other end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            words, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=2 * START_LIMIT_S, **as_user
        )
        output.seek(0)
        if done.returncode:
            raise Unavailable(f"{Path(words[0]).name}: {output.read().decode(errors='replace').strip()[-300:]}")
