"""Why this user cannot use an SQLite archive: which of its files, or the folder, is closed to it, and what helps.

SQLite makes two files beside the archive's and removes them: who reads needs them as well. A writer has a lock file.
"""

from __future__ import annotations

import os

from toolcart.base.path_access import not_allowed, obstacle

WITH_IT = ("-wal", "-shm")
LOCK = ".lock"


def closed_to_user(place: str, writes: bool) -> str:
    """Say what keeps this user from the archive in this file; "" if it is not that."""
    path = os.path.realpath(place)  # SQLite and the lock follow a link
    if closed := obstacle(path):
        return closed
    if os.path.exists(path):
        beside = [name for end in WITH_IT if os.path.exists(name := path + end)]
        lock = [path + LOCK] if writes and os.path.exists(path + LOCK) else []
        wanted = [(path, writes), *[(name, False) for name in beside], *[(name, True) for name in (*beside, *lock)]]
        for name, write in wanted:
            if words := not_allowed(name, write=write):
                return words
        if len(beside) == len(WITH_IT) and len(lock) == writes:
            return ""
    folder = os.path.dirname(path)
    return not_allowed(folder, write=True) if os.path.isdir(folder) else ""
