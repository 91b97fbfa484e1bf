"""Whether it can be told what is at a path; `exists` and its like answer no where they may not look, or raise."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from toolcart.board.linux import refusal as linux_refusal


def obstacle(path: str | Path) -> str:
    """Say in words why it cannot be told what is there, and what helps; "" if it can: something, or nothing."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except PermissionError:
        return linux_refusal.not_entered(path)
    except OSError as error:
        return linux_refusal.explanation(error, str(path))
    return ""


def not_allowed(path: str | Path, *, write: bool) -> str:
    """Say that this user may not read what is there, or write it (into it), and what helps; "" if that is allowed."""
    lacking = [right for right in (os.R_OK, os.W_OK) if (write or right == os.R_OK) and not _may(path, right)]
    if not lacking:
        return ""
    if lacking == [os.W_OK] and os.statvfs(path).f_flag & os.ST_RDONLY:
        if words := linux_refusal.read_only_mount(os.path.join(path, "") if os.path.isdir(path) else str(path)):
            return f"{path}: {words}"
        return (
            f"the file system of {path} is read-only: `mount -o remount,rw` on its mount point, or name another place"
        )
    status, user, quoted = os.stat(path), linux_refusal.user_name(os.geteuid()), shlex.quote(str(path))
    is_folder = stat.S_ISDIR(status.st_mode)
    what = f"make files in {path}" if is_folder else f"{'read' if os.R_OK in lacking else 'write'} {path}"
    if status.st_uid != os.geteuid():
        owner = linux_refusal.owner_of(path)
        otherwise = f"use a folder of {user}'s" if is_folder else f"`chown {linux_refusal.user_in_command()} {quoted}`"
        return f"{user} may not {what}, which belongs to {owner}: run this as {owner}, or {otherwise}"
    wanted = stat.S_IRUSR | (stat.S_IWUSR if write else 0)
    if status.st_mode & wanted != wanted:
        return f"{user} may not {what}, by its mode: `chmod u+{'rwx' if is_folder else 'rw'} {quoted}`"
    return f"{user} may not {what}, though its mode allows it: look at `lsattr -d {quoted}`"


def _may(path: str | Path, right: int) -> bool:
    return os.access(path, right, effective_ids=os.access in os.supports_effective_ids)
