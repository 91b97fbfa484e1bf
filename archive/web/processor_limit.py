"""Ends a query of PostgreSQL that has had its processor time: of a server on this machine, whose processes can be seen.

Rules
1. A session is a process; what it has used is in /proc. One thread looks at those that are answering, every EVERY_S.
2. What is ended raises PostgreSQL's `canceling statement due to user request`.
3. Of a server elsewhere nothing can be seen (`used_s` is None): there the clock has to do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

EVERY_S = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


def used_s(session: Any) -> float | None:
    """Return the processor time that a session of psycopg's has used; None if that cannot be seen."""
    host = session.info.hostaddr
    if host and not ip_address(host).is_loopback:
        return None
    try:
        name, _, rest = Path(f"/proc/{session.info.backend_pid}/stat").read_text(encoding="ascii").rpartition(")")
        user, system = rest.split()[11:13]
    except (OSError, ValueError):
        return None
    return (int(user) + int(system)) / _TICKS if name.endswith("(postgres") else None


class ProcessorLimit:
    """Sessions that are answering, and how much processor time each may have used by then."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._until_s: dict[Any, float] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, session: Any) -> Iterator[None]:
        """Meanwhile the session's query is ended when it has used its time."""
        begun_s = used_s(session)
        if begun_s is None:
            yield
            return
        with self._changed:
            self._until_s[session] = begun_s + self._limit_s
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="processor limit", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:  # it is not ended behind this
                self._until_s.pop(session, None)

    def _run(self) -> None:
        with self._changed:
            while True:
                self._changed.wait(EVERY_S if self._until_s else None)
                for session, until_s in list(self._until_s.items()):
                    if (used_s(session) or 0.0) > until_s:
                        session.cancel()
