"""Sessions that were logged out of, kept in a file so that a restart of the pages does not let them in again.

Rules
1. A line is a time and a session. A session whose tokens have all expired is left out at the next start.
2. Without a file, or if it cannot be written, a log-out holds until a restart.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

MOST = 10000  # sessions; if there are more the oldest goes


class Over:
    """The sessions that are over; each is remembered for `kept_s`."""

    def __init__(self, file: str | None, kept_s: float) -> None:
        self._file = file
        self._of: dict[str, int] = {}  # session: when it ended
        if file is None:
            return
        with suppress(OSError, UnicodeDecodeError), open(file, encoding="ascii") as lines:
            for line in lines.readlines(64 * MOST)[-MOST:]:
                when, _, session = line.strip().partition(" ")
                if when.isdigit() and time.time() < int(when) + kept_s:
                    self._of[session] = int(when)
        with suppress(OSError):
            self._write(os.O_TRUNC, self._of)

    def __contains__(self, session: str) -> bool:
        return session in self._of

    def add(self, session: str) -> None:
        """Note that this session is over."""
        if len(self._of) >= MOST:
            self._of.pop(next(iter(self._of)))
        self._of[session] = int(time.time())
        with suppress(OSError):
            self._write(os.O_APPEND, {session: self._of[session]})

    def _write(self, how: int, sessions: dict[str, int]) -> None:
        if self._file is not None and (sessions or os.path.exists(self._file)):
            with os.fdopen(os.open(self._file, os.O_WRONLY | os.O_CREAT | how, 0o600), "w") as written:
                written.writelines(f"{when} {session}\n" for session, when in sessions.items())
