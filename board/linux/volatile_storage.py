"""Whether what is written to a path outlives a restart: the type of its file system, by /proc/self/mountinfo (proc(5)).

A spool on one that does not is warned of and not refused: a container's layer may be kept, and a test needs no disk.
"""

import os
import re

CPYTHON_ONLY = True

MOUNTS = "/proc/self/mountinfo"
ESCAPED = re.compile(rb"\\([0-7]{3})")  # a blank, a tab, a line feed, a backslash
VOLATILE = {
    "tmpfs": "memory (tmpfs): a restart of the machine empties it",
    "ramfs": "memory (ramfs): a restart of the machine empties it",
    "overlay": "a layer (overlay): it is gone with its container, or after a restart where the layer is memory",
}


def volatility(path):
    """Say what the path lies in if that does not last, else ""."""
    folder = os.path.realpath(path)
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    return VOLATILE.get(_type_of(folder), "")


def is_mounted(path):
    """True if something is mounted at the real path itself: a single file may be, as in a container."""
    return any(path == point for point, _ in _mounts())


def _type_of(path):
    """Return the type of the file system that the real path is on; "" if that cannot be told."""
    longest, file_system = -1, ""
    for point, kind in _mounts():
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= longest:  # of two at one point the later one is seen
            longest, file_system = len(point), kind
    return file_system


def _mounts():
    """Return where each file system is mounted, and of what type it is; nothing if that cannot be told."""
    try:
        with open(MOUNTS, "rb") as lines:
            rows = [row for line in lines if b"-" in (row := line.split())]
    except OSError:
        return []
    return [
        (
            os.fsdecode(ESCAPED.sub(lambda digits: bytes([int(digits[1], 8)]), row[4])),
            row[row.index(b"-") + 1].decode("ascii", "replace"),
        )
        for row in rows
    ]
