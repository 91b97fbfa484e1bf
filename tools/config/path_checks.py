"""Whether the files that a configuration names can be where it says, on this machine and for this user.

Rules
1. Nothing is left behind: a folder is tried by making and removing a file, whose name no spool has.
2. A chip's configuration says nothing about this machine's folders: they are not checked.
3. What is there already has to be what an agent takes: a spool, or a file of its lines.
4. Two names are one file if they lead to the same one, by links of any kind or by another spelling. What is not there
   yet is told by its folder and its name.
5. The state folder of the service need not be there: systemd makes it (StateDirectory=).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from toolcart.base.private_files import user_name
from toolcart.board.linux import lines
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import spool_header as linux_header

PROBE = ".toolcart-check"
STATE_FOLDER = "/var/lib/toolcart"  # the service's
RAW = "raw"  # a chip's flash after its file system (toolcart.board.chip)
A_FILE = "a file in a folder that is there and that the agent's user may write"

Mistake = tuple[str, str, str]  # place, found, allowed
Owner = tuple[int, int, int]  # of a spool, as its header has it; a file of lines has none


def unusable(configuration: dict, folder: Path) -> list[Mistake]:
    """List the spools and outlets' files that could not be written; relative paths start from `folder`."""
    mistakes = []
    for place, path, owner in _named(configuration):
        wrong = wrong_with(folder / path) or _foreign(folder / path, owner)
        if wrong:
            mistakes.append((place, f"{path}: {wrong}", A_FILE))
    return mistakes


def shared(configuration: dict, folder: Path) -> list[Mistake]:
    """List the spools and outlets' files that are one file under two names: its results would be mixed."""
    first: dict[tuple, tuple[str, str]] = {}
    mistakes = []
    for place, path, _ in _named(configuration):
        other, spelled = first.setdefault(_identity(folder / path), (place, path))
        if other != place:
            alias = f", which is the same file as {spelled}" if spelled != path else ""
            mistakes.append((place, f"{path}{alias}", f"another file than {other}"))
    return mistakes


def fleeting(configuration: dict, folder: Path) -> list[str]:
    """Say which spools would not outlive a restart of the machine, or of its container."""
    told = []
    for place, path, owner in _named(configuration):
        what = linux_refusal.fleeting(folder / path) if owner else ""
        if what:
            told.append(f"{place}: {folder / path} lies in {what}; results that wait there are lost then")
    return told


def _identity(path: Path) -> tuple:
    """Return what two names of one file have in common."""
    with suppress(OSError):
        found = os.stat(path)
        return found.st_dev, found.st_ino
    real = Path(os.path.realpath(path))
    with suppress(OSError):
        found = os.stat(real.parent)
        return found.st_dev, found.st_ino, real.name
    return (str(real),)


def is_of_a_chip(configuration: dict) -> bool:
    """True if it names something that only a chip has: a network of its own, or raw flash."""
    paths = [station["spool"]["path"] for station in configuration["stations"]]
    return configuration["board"]["network"] != "none" or any(
        path == RAW or path.startswith(RAW + "@") for path in paths
    )


def _named(configuration: dict) -> Iterator[tuple[str, str, Owner | None]]:
    """Give the place and path of each spool and file of an outlet, and whose a spool is; none of a chip's."""
    if is_of_a_chip(configuration):
        return
    system = configuration["system"]
    for index, station in enumerate(configuration["stations"]):
        owner = (system["type"], system["number"], station["number"])
        yield f"stations[{index}].spool.path", station["spool"]["path"], owner
        for number, outlet in enumerate(station["outlets"]):
            if "path" in outlet:
                yield f"stations[{index}].outlets[{number}].path", outlet["path"], None


def wrong_with(path: Path) -> str:
    """Say why a file cannot be used or made there, "" if it can."""
    try:
        if path.is_dir():
            return "that is a folder"
        if path.exists():
            return _wrong_with_file(path)
        if not path.parent.is_dir():
            if str(path.parent) == STATE_FOLDER:
                return ""  # rule 5
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
    if not path.is_file():
        return "that is a device, pipe or socket"
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
    except PermissionError:
        return f"{user_name()} may not write it"
    except OSError as error:
        return linux_refusal.told(error, str(path))
    return ""


def _foreign(path: Path, owner: Owner | None) -> str:
    """Say what an existing file is in place of what an agent takes, "" if it takes it."""
    if owner and path.is_symlink():
        return "that is a link, which the agent does not follow"
    try:
        with path.open("rb") as file:
            page, found = file.read(linux_header.PAGE_BYTES), os.fstat(file.fileno())
    except OSError:  # there is none yet
        return ""
    if owner is None:
        return f"it {lines.HOLDS_OTHER}" if lines.is_foreign(page) else ""
    why, _ = linux_header.refusal(page, found.st_size, owner, "")
    why = why or linux_header.linked(found.st_nlink)
    return f"it {why}" if why else ""
