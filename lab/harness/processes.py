"""Processes beside a measurement: started and ended, and what each used of the machine (proc(5))."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolcart.base import subprocesses
from toolcart.base.sources import Unavailable

STOP_LIMIT_S = 60
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: list[str], **more) -> Iterator[subprocess.Popen]:
    """A process, ended by SIGTERM, or killed if that is not enough; `more` is for Popen."""
    process = subprocess.Popen(command, **more)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_command(*words: str, begins: str) -> Iterator[tuple[int, str]]:
    """`toolcart` with these words: its pid and its first line; Unavailable if `begins` is not in that."""
    with running(
        subprocesses.command("-m", "toolcart.tools.cli.main", *words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if begins not in line:
            raise Unavailable(f"{' '.join(words[:2])} did not begin: {line.strip() or 'it said nothing'}")
        yield process.pid, line


def worked_s(pid: int) -> float:
    """Return the processor time so far, user and system: on a shared machine it says more than the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mib(pid: int) -> float:
    """Return its memory, the peak so far."""
    match = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE)
    return int(match[1]) / 1024 if match else 0.0
