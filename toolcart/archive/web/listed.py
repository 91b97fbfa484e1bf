"""What a list shows, as rows for a file: in steps of some thousand by a key, however many there are.

Rules
1. What is wanted is plain data (`Listed.text`), so that another process can read it.
2. Each step is a transaction of its own: a long export keeps no old state of the database alive.
3. Rows come newest first; what arrives meanwhile is not in it, except for results with an old time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from toolcart.archive import tables as t
from toolcart.archive.queries import Wanted, which
from toolcart.archive.web import asked
from toolcart.archive.web.asked import Behind

AT_ONCE = 1000
RESULTS, TREND, EVENTS, BREACHES, CHANGES, ROWS = "results", "trend", "events", "breaches", "changes", "rows"


@dataclass(frozen=True)
class Listed:
    """A list: its kind, and what narrows it."""

    what: str
    wanted: dict[str, Any] = field(default_factory=dict)
    rows: list[dict] = field(default_factory=list)  # of a table that a page has computed

    def text(self) -> str:
        return json.dumps(asdict(self))


def read(text: str) -> Listed:
    """Return what `Listed.text` made."""
    return Listed(**json.loads(text))


def of_results(wanted: Wanted, what: str = RESULTS) -> Listed:
    return Listed(what, asdict(wanted))


def count(connection: Connection, listed: Listed) -> int:
    """Return how many rows it has now."""
    if listed.what == ROWS:
        return len(listed.rows)
    if listed.what in (RESULTS, TREND):
        found = select(func.count()).select_from(t.RESULT).where(*which(connection, _wanted(listed)))
    else:
        table = {EVENTS: t.EVENT, BREACHES: t.BREACH, CHANGES: t.AUDIT}[listed.what]
        found = select(func.count()).select_from(table)
        if listed.wanted.get("station"):
            found = found.where(t.is_row(table, t.RESULT_KEY, listed.wanted["station"]))
    return connection.execute(found).scalar() or 0


def rows(engine: Engine, listed: Listed) -> Iterator[dict]:
    if listed.what == ROWS:
        yield from listed.rows
        return
    step = _steps(listed)
    behind: Behind | None = None
    while True:
        with engine.connect() as connection:
            some, behind = step(connection, behind)
        yield from some
        if behind is None:
            return


def _steps(listed: Listed) -> Callable[[Connection, Behind | None], tuple[list[dict], Behind | None]]:
    """Return what reads the rows behind a place, and says where the next ones begin."""
    if listed.what in (RESULTS, TREND):
        wanted = _wanted(listed)
        by_time = asked.by_time(wanted)
        return _stepping(lambda *where: asked.results(where[0], wanted, *where[1:]), "ResultId", by_time)
    if listed.what == EVENTS:
        station = tuple(listed.wanted["station"]) if listed.wanted.get("station") else None
        return _stepping(lambda *where: _events(where[0], station, *where[1:]), "EventId", station is not None)
    if listed.what == BREACHES:
        return _stepping(asked.breaches, "BreachId", False)
    return _stepping(asked.changes, "AuditId", False)


def _stepping(read: Callable[..., list[dict]], number: str, by_time: bool):
    def step(connection: Connection, behind: Behind | None) -> tuple[list[dict], Behind | None]:
        some = read(connection, behind, AT_ONCE)
        if len(some) <= AT_ONCE:
            return some, None
        some = some[:AT_ONCE]
        return some, Behind(some[-1]["Time"] if by_time else "", some[-1][number])

    return step


def _events(connection: Connection, station: asked.Station | None, behind: Behind | None, most: int) -> list[dict]:
    """Return events with their parameters as one text."""
    found = asked.events(connection, station, behind, most)
    return [{**row, "Parameters": " ".join(str(one["Value"]) for one in row["Parameters"])} for row in found]


def _wanted(listed: Listed) -> Wanted:
    """Return what narrows a list of results again: JSON has lists for tuples."""
    given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in listed.wanted.items()}
    return Wanted(**given)
