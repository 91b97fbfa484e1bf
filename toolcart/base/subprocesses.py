"""A child process that runs this same program: no file in the current folder can replace one of its modules (-P)."""

from __future__ import annotations

import os
import subprocess
import sys


def command(*words: str) -> list[str]:
    """Return the command that starts this Python with these arguments."""
    return [sys.executable, "-P", *words]


def wait_or_kill(process: subprocess.Popen, within_s: float) -> None:
    """Wait for its end, which a closed pipe has told it; kill it if it takes longer."""
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# How far a process stands back when CPU is scarce: one that serves people yields to one that takes results.

VARIABLE = "TOOLCART_NICENESS"  # overrides it: tests set 0, since they run beside others that use all processors


def stand_back(niceness: int) -> None:
    """Take this niceness, or the one in the environment."""
    os.nice(int(os.environ.get(VARIABLE, niceness)))
