"""The checkout's cache, which git ignores: what is in it is complete or absent, and made by one process at a time.

Rules:
1. A folder is built under a temporary name and renamed when it is complete, so half a folder is never seen. Two folders
   beside each other are built in parallel unless their names begin alike: few locks, and no idle core.
2. The lock is the kernel's, so a killed process leaves none behind.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from toolcart.base.sources import ROOT, Unavailable, locked, output_of

__all__ = ["CACHE", "CHECKOUT", "Unavailable", "forget_old", "from_npm", "locked", "output_of", "whole_folder"]

CHECKOUT = ROOT
NPM_TIMEOUT_S = 180
KEPT = 12
KEPT_S = 3600  # longer than any run that may still be using it
CACHE = (CHECKOUT / ".cache").resolve()  # CMake wants the same path from every worktree that shares a cache


def whole_folder(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Return `folder`; if it is not there yet, first let `fill` build it under a temporary name."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(f"{folder.parent.name}-{folder.name[0]}", CACHE):
        if folder.is_dir():
            return folder
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
        try:
            fill(building)
            building.chmod(0o755)
            os.rename(building, folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    return folder


def from_npm(package: str, folder: Path, why: str, least: int = 0) -> None:
    """Fill `folder` with a package of npm's that runs on this node at least; Unavailable says why that is needed."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not installed ({why})")
    node = output_of(["node", "--version"], NPM_TIMEOUT_S).strip()
    major = node.lstrip("v").split(".")[0]
    if not major.isdigit() or int(major) < least:
        raise Unavailable(f"node is {node}; {least} or later is needed")
    quiet = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error"]
    output_of(["npm", "install", "--prefix", str(folder), *quiet, package], NPM_TIMEOUT_S)


def forget_old(folder: Path) -> None:
    """Remove what has not been used for an hour from a folder of the cache, but keep the latest dozen."""

    def age_s(path: Path) -> float:
        try:
            return time.time() - path.stat().st_mtime
        except FileNotFoundError:  # another run removed it at the same time
            return 0.0

    trees = sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=age_s)
    for tree in trees[KEPT:]:
        if age_s(tree) > KEPT_S:
            shutil.rmtree(tree, ignore_errors=True)
