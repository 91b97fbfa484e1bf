"""How the user of this process gets to do what only root may: root is not told to use sudo."""

import os


def is_root() -> bool:
    """True if root has started this process, whoever it acts as now."""
    return os.getuid() == 0


def as_root(command: str) -> str:
    """Return the command as this user types it to run it as root."""
    return command if is_root() else f"sudo {command}"


def try_sudo(sentence: str) -> str:
    """Return what only another user may do, and what helps who is not root."""
    return f"{sentence}." if is_root() else f"{sentence}; try sudo."
