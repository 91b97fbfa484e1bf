"""Where tests write: a folder in memory, as there processes die and no machine, so nothing has to wait for a disk."""

from __future__ import annotations

import os
import shutil
import tempfile

FOLDER = "/dev/shm"
SHORT = "/tmp"
ROOT_MOST = 20  # letters of a place in front of a test's own folder: the path of a socket in that has 107 at most
ROOM_BYTES = 6 * 2**30  # three workers' files and databases, several times


def folder() -> str | None:
    """It, where there is one with room, in which programs may run; None: the usual place for what goes away."""
    if not (os.path.isdir(FOLDER) and os.access(FOLDER, os.W_OK | os.X_OK)):
        return None
    runs_programs = not os.statvfs(FOLDER).f_flag & os.ST_NOEXEC
    return FOLDER if runs_programs and shutil.disk_usage(FOLDER).free >= ROOM_BYTES else None


def root() -> str | None:
    """Where tests write: in memory; else in a short place if the path of the usual one leaves a socket no room."""
    is_long = len(tempfile.gettempdir()) > ROOT_MOST and os.access(SHORT, os.W_OK | os.X_OK)
    return folder() or (SHORT if is_long else None)
