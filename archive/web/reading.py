"""The archive's database for pages: read-only, a few queries at once, none longer than a page may take.

Rules
1. A connection cannot write: SQLite has `query_only`, PostgreSQL a read-only session. Neither holds up the writer.
2. A query that takes too long is ended, and raises QueryTimeout. That is processor time, since the clock says what
   others do: on SQLite, which answers in this process, and of a PostgreSQL on this machine. By the clock it has WAITS
   times as long. A PostgreSQL elsewhere has the same time by the clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from toolcart.archive.database import database
from toolcart.archive.web.processor_limit import ProcessorLimit, used_s

LIMIT_S = 5.0
WAITS = 6
AT_ONCE = 4  # queries; more would only wait for the same two cores
_CACHE_KIB = 8000  # of a connection; with SQLite's own 2,000 a year's quarters of an hour are sorted in files
_NO_LIMIT = (float("inf"), float("inf"))
_STEPS = 10000  # of SQLite's machine between two looks at the clock, about 0.1 ms

_ENDED = ("interrupted", "statement timeout", "canceling statement due to user request")

Answer = TypeVar("Answer")


class QueryTimeout(Exception):
    """A query took longer than a page may."""


class DatabaseUnreachable(Exception):
    """The database does not answer; the text says why."""


class Writing:
    """`await writing(change, ...)` calls `change(connection, ...)` in a thread and commits; one change at a time.

    It takes no lock of the archive's: the server goes on, and a database takes turns by itself. Made when first used.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._engine: Engine | None = None
        self._limiter = CapacityLimiter(1)

    async def __call__(self, change: Callable[..., Answer], *values: object) -> Answer:
        """Return what the change returns, when it is on the disk; DatabaseUnreachable if the database refuses it."""
        return await to_thread.run_sync(self._change, change, *values, limiter=self._limiter)

    def _change(self, change: Callable[..., Answer], *values: object) -> Answer:
        try:
            if self._engine is None:
                self._engine = database.for_changes(self._place)
            with self._engine.begin() as connection:
                return change(connection, *values)
        except SQLAlchemyError as wrong:
            raise DatabaseUnreachable(database.trouble(wrong)) from None

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()


class Reading:
    """`await reading(question, ...)` calls `question(connection, ...)` in a thread."""

    def __init__(self, place: str, limit_s: float = LIMIT_S) -> None:
        self.place = place
        self.label = database.without_password(place) if "://" in place else Path(place).name
        self.limit_s = limit_s
        self._engine = database.connect(place, writes=False)
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        self._until = threading.local()
        self._processor = ProcessorLimit(limit_s)
        self._limiter = CapacityLimiter(AT_ONCE)
        self._engine.dispose()  # from here on connections are made as pages need them
        event.listen(self._engine, "connect", self._as_pages_want_it)

    async def __call__(self, question: Callable[..., Answer], *values: object) -> Answer:
        """Return the answer; raise QueryTimeout or DatabaseUnreachable."""
        return await to_thread.run_sync(self.ask, question, *values, limiter=self._limiter)

    def ask(self, question: Callable[..., Answer], *values: object) -> Answer:
        """The same in this thread."""
        self._until.s = time.thread_time() + self.limit_s, time.monotonic() + WAITS * self.limit_s
        try:
            with self._engine.connect() as connection:
                if self._is_sqlite:
                    return question(connection, *values)
                with self._processor.watching(connection.connection.driver_connection):
                    return question(connection, *values)
        except SQLAlchemyError as wrong:
            text = database.trouble(wrong)
            ended = isinstance(wrong, OperationalError) and any(words in text for words in _ENDED)
            raise (QueryTimeout() if ended else DatabaseUnreachable(text)) from None

    def close(self) -> None:
        self._engine.dispose()

    def _is_over(self) -> bool:
        used_s, waited_s = getattr(self._until, "s", _NO_LIMIT)
        return time.thread_time() > used_s or time.monotonic() > waited_s

    def _as_pages_want_it(self, connection, _record) -> None:
        if self._is_sqlite:
            connection.execute("PRAGMA query_only=ON")
            connection.execute(f"PRAGMA cache_size={-_CACHE_KIB}")
            connection.set_progress_handler(self._is_over, _STEPS)
        else:
            connection.execute("SET default_transaction_read_only = on")
            connection.execute("SET jit = off")  # compiling a query takes longer than answering it
            connection.execute("SET max_parallel_workers_per_gather = 0")  # the other processors are for the writer
            by_the_clock = self.limit_s if used_s(connection) is None else WAITS * self.limit_s
            connection.execute(f"SET statement_timeout = {int(by_the_clock * 1000)}")
            connection.commit()
