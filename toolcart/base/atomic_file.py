"""A file that gets its name when all of it is written: who reads it meanwhile has the old one, or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def whole(path: str) -> Iterator[str]:
    """Yield the name to write to; leaving `with` gives the file its own, unless something went wrong. OSError if it
    cannot have it, as what is there already is a device, a pipe or a folder."""
    path = os.path.realpath(path)  # of a link, what it leads to is written
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(errno.EEXIST, "this is a folder, a device or a pipe; name a file")
    part = f"{path}.part"
    try:
        yield part
        os.replace(part, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)
