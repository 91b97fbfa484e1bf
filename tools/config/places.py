"""Whether the files that a configuration names can be where it says, on this machine and for this user.

Rules
1. Nothing is left behind: a folder is tried by making and removing a file, whose name no spool has.
2. A chip's configuration says nothing about this machine's folders: they are not checked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from board import linux_refusal
from tools.base.private import user_name

PROBE = ".toolcart-check"
RAW = "raw"  # a chip's flash after its file system (board.chip)
A_FILE = "a file in a folder that is there and that the agent's user may write"

Mistake = tuple[str, str, str]  # place, found, allowed


def unusable(configuration: dict, folder: Path) -> list[Mistake]:
    """List the spools and outlets' files that could not be written; relative paths start from `folder`."""
    if is_of_a_chip(configuration):
        return []
    mistakes = []
    for place, path in _named(configuration):
        wrong = wrong_with(folder / path)
        if wrong:
            mistakes.append((place, f"{path}: {wrong}", A_FILE))
    return mistakes


def is_of_a_chip(configuration: dict) -> bool:
    """True if it names something that only a chip has: a network of its own, or raw flash."""
    paths = [station["spool"]["path"] for station in configuration["stations"]]
    return configuration["board"]["network"] != "none" or any(
        path == RAW or path.startswith(RAW + "@") for path in paths
    )


def _named(configuration: dict) -> Iterator[tuple[str, str]]:
    for index, station in enumerate(configuration["stations"]):
        yield f"stations[{index}].spool.path", station["spool"]["path"]
        for number, outlet in enumerate(station["outlets"]):
            if "path" in outlet:
                yield f"stations[{index}].outlets[{number}].path", outlet["path"]


def wrong_with(path: Path) -> str:
    """Say why a file cannot be used or made there, "" if it can."""
    try:
        if path.is_dir():
            return "that is a folder"
        if path.exists():
            return _wrong_with_file(path)
        if not path.parent.is_dir():
            return f"the folder {path.parent} is not there (mkdir -p {path.parent})"
        probe = path.parent / f"{PROBE}-{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(probe, flags, 0o600))
        probe.unlink()
    except PermissionError:
        return f"{user_name()} may make no file in {path.parent}"
    except OSError as error:
        return f"no file can be made in {path.parent}: {linux_refusal.told(error, str(path))}"
    return ""


def _wrong_with_file(path: Path) -> str:
    """Say why an existing file cannot be opened for writing; that changes nothing in it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
    except PermissionError:
        return f"{user_name()} may not write it"
    except OSError as error:
        return linux_refusal.told(error, str(path))
    return ""
