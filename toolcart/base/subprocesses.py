"""A child process that runs this same program: no file in the current folder can replace one of its modules (-P)."""

from __future__ import annotations

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
