"""Whether it can be told what is at a path; `exists` and its like answer no where they may not look, or raise."""

from __future__ import annotations

import os
from pathlib import Path

from toolcart.board.linux import refusal as linux_refusal


def obstacle(path: str | Path) -> str:
    """Say in words why it cannot be told what is there, and what helps; "" if it can: something, or nothing."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except PermissionError:
        folder = _closed_folder(path)
        owner = linux_refusal.owner_of(folder)
        return f"{linux_refusal.user_name(os.geteuid())} may not enter {folder}, which belongs to {owner}"
    except OSError as error:
        return linux_refusal.explanation(error, str(path))
    return ""


def _closed_folder(path: str | Path) -> Path:
    """Return the folder that keeps this user from looking at the path."""
    real = Path(os.path.realpath(path))
    for inside in (*reversed(real.parents), real):
        try:
            os.stat(inside)
        except PermissionError:
            return inside.parent
        except OSError:
            break
    return real.parent
