"""A child process that runs this same program: no file in the current folder can replace one of its modules (-P)."""

from __future__ import annotations

import sys


def command(*words: str) -> list[str]:
    """Return the command that starts this Python with these arguments."""
    return [sys.executable, "-P", *words]
