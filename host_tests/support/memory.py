"""A folder in memory for what tests write: there processes die and no machine, so nothing has to wait for a disk."""

from __future__ import annotations

import os
import shutil

FOLDER = "/dev/shm"
ROOM_BYTES = 6 * 2**30  # three workers' files and databases, several times


def folder() -> str | None:
    """It, where there is one with room, in which programs may run; None: the usual place for what goes away."""
    if not (os.path.isdir(FOLDER) and os.access(FOLDER, os.W_OK | os.X_OK)):
        return None
    runs_programs = not os.statvfs(FOLDER).f_flag & os.ST_NOEXEC
    return FOLDER if runs_programs and shutil.disk_usage(FOLDER).free >= ROOM_BYTES else None
