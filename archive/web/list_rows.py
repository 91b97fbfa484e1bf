"""What a list shows, as rows for a file: in steps of some thousand by a key, however many there are.

Rules
1. What is wanted is plain data (`ListQuery.text`), so that another process can read it.
2. Each step is a transaction of its own: a long export keeps no old state of the database alive.
3. Rows come newest first; what arrives meanwhile is not in it, except for results with an old time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import ResultFilter, which
from toolcart.archive.web import page_queries
from toolcart.archive.web.page_queries import PagePosition

AT_ONCE = 1000
RESULTS, TREND, EVENTS, BREACHES, CHANGES, ROWS = "results", "trend", "events", "breaches", "changes", "rows"
_TABLES = {RESULTS: t.RESULT, TREND: t.RESULT, EVENTS: t.EVENT, BREACHES: t.BREACH, CHANGES: t.AUDIT}


@dataclass(frozen=True)
class ListQuery:
    """A list: its kind, and what narrows it."""

    what: str
    wanted: dict[str, Any] = field(default_factory=dict)
    rows: list[dict] = field(default_factory=list)  # of a table that a page has computed

    def text(self) -> str:
        return json.dumps(asdict(self))


def read(text: str) -> ListQuery:
    """Return what `ListQuery.text` made."""
    return ListQuery(**json.loads(text))


def of_results(wanted: ResultFilter, what: str = RESULTS) -> ListQuery:
    return ListQuery(what, asdict(wanted))


def count(connection: Connection, listed: ListQuery) -> int:
    """Return how many rows it has now."""
    if listed.what == ROWS:
        return len(listed.rows)
    table = _TABLES[listed.what]
    statement = select(func.count()).select_from(table)
    if table is t.RESULT:
        statement = statement.where(*which(connection, _wanted(listed)))
    elif listed.wanted.get("station"):
        statement = statement.where(t.is_row(table, t.PLACE, listed.wanted["station"]))
    return connection.execute(statement).scalar() or 0


def some(
    connection: Connection, listed: ListQuery, behind: PagePosition | None, most: int = page_queries.ROWS
) -> tuple[list[dict], PagePosition | None]:
    """Return the rows behind a place, and where the next ones begin, if there are any."""
    table = _TABLES[listed.what]
    [number] = table.primary_key.columns
    by_time = False
    if table is t.RESULT:
        wanted = _wanted(listed)
        by_time, rows = page_queries.by_time(wanted), page_queries.results(connection, wanted, behind, most)
    elif table is t.EVENT:
        station = listed.wanted.get("station")
        by_time, rows = station is not None, page_queries.events(connection, station, behind, most)
    else:
        rows = page_queries.page(connection, select(table), number, None, behind, most)
    if len(rows) <= most:
        return rows, None
    last = rows[most - 1]
    return rows[:most], PagePosition(last["Time"] if by_time else "", last[number.name])


def rows(engine: Engine, listed: ListQuery) -> Iterator[dict]:
    if listed.what == ROWS:
        yield from listed.rows
        return
    behind: PagePosition | None = None
    while True:
        with engine.connect() as connection:
            page, behind = some(connection, listed, behind, AT_ONCE)
        for row in page:
            if listed.what == EVENTS:
                row["Parameters"] = " ".join(str(one["Value"]) for one in row["Parameters"])
            yield row
        if behind is None:
            return


def _wanted(listed: ListQuery) -> ResultFilter:
    """Return what narrows a list of results again: JSON has lists for tuples."""
    given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in listed.wanted.items()}
    return ResultFilter(**given)
