"""node-opcua for a test: npm gets it once into the checkout's cache; where that cannot be, the test says why."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "node-opcua"
PACKAGE = "node-opcua@2.186.4"
INSTALL_LIMIT_S = 180


def missing() -> str | None:
    """What is not here, with what to do; None if the package can be required from CACHE."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node or npm is not installed (Debian: nodejs, npm)"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (CACHE / "whole").exists():
            return None
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(CACHE), PACKAGE]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S)
        except subprocess.TimeoutExpired:
            return f"`{' '.join(command)}` was not done within {INSTALL_LIMIT_S} s"
        if done.returncode:
            return f"`{' '.join(command)}`: {done.stderr.strip()[-300:]}"
        (CACHE / "whole").touch()
    return None
