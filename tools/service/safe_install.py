"""Writes files as root into folders that another user can write to, without following anything that user put there.

Rules
1. A folder is opened once and everything is done through its descriptor, with file names only: a path could be made to
   lead elsewhere meanwhile.
2. A new file is made with O_EXCL and O_NOFOLLOW under a name that was removed first; mode and owner are set on the open
   file before it gets its final name in one step.
3. It gets the folder's owner: systemd gives a state folder to the service's user, and checks only the folder itself to
   see whether that was done. The service could not read a file in it that belongs to root.
4. The state folder itself may be the link that systemd makes for a dynamic user (`toolcart` -> `private/toolcart`), but
   no other.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PRIVATE = "private"  # where systemd keeps the state of dynamic users, below the folder that names it
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafePlace(Exception):
    """The place is not what it should be; the text says why and what to do."""


@contextlib.contextmanager
def state_folder(path: Path) -> Iterator[int]:
    """Yield the descriptor of a service's state folder, which is made if it is not there, for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with folder(path.parent) as parent:
        inside = _descriptor_of_state(parent, path)
    try:
        os.fchmod(inside, 0o700)
        yield inside
    finally:
        os.close(inside)


def _descriptor_of_state(parent: int, path: Path) -> int:
    name = path.name
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        return os.open(name, OPEN_FOLDER, dir_fd=parent)
    target = os.readlink(name, dir_fd=parent)
    if target not in (f"{PRIVATE}/{name}", f"/var/lib/{PRIVATE}/{name}"):
        raise UnsafePlace(f"{path} is a link to {target}, which systemd did not make; remove it")
    private = os.open(PRIVATE, OPEN_FOLDER, dir_fd=parent)
    try:
        return os.open(name, OPEN_FOLDER, dir_fd=private)
    finally:
        os.close(private)


@contextlib.contextmanager
def folder(path: Path) -> Iterator[int]:
    """Yield the descriptor of a folder that only root may write to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def replace(inside: int, name: str, text: str, mode: int) -> None:
    """Write the file `name` of an open folder in one step; it belongs to the folder's owner."""
    with written(inside, name, mode) as file:
        file.write(text.encode())


@contextlib.contextmanager
def written(inside: int, name: str, mode: int) -> Iterator[BinaryIO]:
    """Yield a file that gets the name `name` in an open folder, in one step, when it is written and synced."""
    new = name + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new, dir_fd=inside)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(new, flags, 0o600, dir_fd=inside)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        owner = os.fstat(inside)
        if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    os.rename(new, name, src_dir_fd=inside, dst_dir_fd=inside)
    os.fsync(inside)
