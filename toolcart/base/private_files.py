"""Files that only their owner may read: passwords, keys, and who is told what.

Rules
1. A file is on the disk once written, and at no moment readable by others: it is made anew under a free name.
2. A file that is replaced is complete at every moment, either the old one or the new one.
"""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path

from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import regular_file


class PrivateFileError(Exception):
    """A file that should be private cannot be used; the text says what to do."""


def user_name(uid: int | None = None) -> str:
    """Return the name of this user, or of the one whose files this process may use."""
    return linux_refusal.user_name(os.geteuid() if uid is None else uid)


def opener(path: str | Path, flags: int) -> int:
    """Open it for `open(..., opener=opener)`: a regular file alone; one that is made is its owner's."""
    return regular_file.opener(path, flags)


def text_of(path: str | Path, handed: bool = False) -> str:
    """Return its content; PrivateFileError if others may read it. A file that was `handed` to us may have any mode."""
    try:
        with open(path, encoding="utf-8", opener=regular_file.argument_opener) as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise PrivateFileError(f"{path}: {getattr(error, 'strerror', None) or 'is no text'}") from None
    if stat.S_IMODE(mode) & 0o077 and not handed:
        raise PrivateFileError(f"{path}: others may read it; chmod 600 {shlex.quote(str(path))}")
    return text


def make(path: str | Path, octets: bytes, mode: int = 0o600) -> None:
    """Write a file that does not exist yet; OSError if it does, or if not all of it can be written."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        try:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.unlink(path)
            raise


def put(path: str | Path, text: str) -> None:
    """Write a file, which may exist already."""
    part = f"{path}.part"
    with suppress(FileNotFoundError):
        os.unlink(part)
    make(part, text.encode())
    os.replace(part, path)
