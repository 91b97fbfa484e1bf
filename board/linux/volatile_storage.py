"""Whether what is written to a path outlives a restart: the type of its file system.

A spool on one that does not is warned of and not refused: a container's layer may be kept, and a test needs no disk.
"""

from toolcart.board.linux import mounts

CPYTHON_ONLY = True

VOLATILE = {
    "tmpfs": "memory (tmpfs): a restart of the machine empties it",
    "ramfs": "memory (ramfs): a restart of the machine empties it",
    "overlay": "a layer (overlay): it is gone with its container, or after a restart where the layer is memory",
}


def volatility(path):
    """Say what the path lies in if that does not last, else ""."""
    mount = mounts.of(path)
    return VOLATILE.get(mount.file_system, "") if mount is not None else ""
