"""Where file systems are mounted as this process sees it, by /proc/self/mountinfo (proc(5)); a service sees others.

A file system may be writable and a mount of it not: systemd makes one so for what a unit protects.
"""

import os
import re

CPYTHON_ONLY = True

MOUNTS = "/proc/self/mountinfo"
ESCAPED = re.compile(rb"\\([0-7]{3})")  # a blank, a tab, a line feed, a backslash


class Mount:
    """A mount: its point, what of its file system is there, the type of that, and whether each is read-only."""

    def __init__(self, row):
        self.root, self.point = [
            os.fsdecode(ESCAPED.sub(lambda digits: bytes([int(digits[1], 8)]), name)) for name in row[3:5]
        ]
        end = row.index(b"-")
        self.file_system = row[end + 1].decode("ascii", "replace")
        self.is_read_only = b"ro" in row[5].split(b",")
        self.is_file_system_read_only = b"ro" in row[-1].split(b",")


def is_mounted(path):
    """True if something is mounted at the real path itself: a single file may be, as in a container."""
    return any(path == mount.point for mount in _mounts())


def of(path):
    """Return the mount that the path is on, or would be; None if that cannot be told."""
    inside = os.path.realpath(path)
    while not os.path.exists(inside):
        inside = os.path.dirname(inside)
    innermost = None
    for mount in _mounts():
        if inside == mount.point or inside.startswith(mount.point.rstrip("/") + "/"):
            # Of two at one point the later one is seen.
            if innermost is None or len(mount.point) >= len(innermost.point):
                innermost = mount
    return innermost


def _mounts():
    """Return all mounts; nothing if that cannot be told."""
    try:
        with open(MOUNTS, "rb") as lines:
            return [Mount(row) for line in lines if b"-" in (row := line.split())]
    except OSError:
        return []
