"""Writes many rows at once, and finds which of many keys a table has, in each database's own way.

Rules
1. SQLite gets many rows in one statement, since each statement waits for the interpreter; PostgreSQL gets an array for
   each column, and all statements of one `together` in one round trip. SQLAlchemy would build every row anew, which
   takes longer than storing it.
2. All of it happens in the connection's transaction. What the database refuses is raised as SQLAlchemy's errors;
   within `together`, at its end.
3. A row is a tuple in the order of the table's columns, without a number that the database assigns itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import BigInteger, Connection, Float, Integer, LargeBinary, Table
from sqlalchemy.exc import DBAPIError

from toolcart.archive.database.tables import Real

# What ends a `together` is raised, and need not be printed in the terminal as well.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

_AT_ONCE = (64, 16, 4, 1)  # rows per statement: few texts, so that SQLite keeps each of them prepared


@cache
def columns(table: Table) -> tuple[str, ...]:
    """Return the names of the columns in a row of this table."""
    return tuple(column.name for column in table.columns if column.autoincrement is not True)


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """Send what is written inside to the database without waiting for each answer; a commit inside as well."""
    if connection.dialect.name == "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    with _errors(connection), driver.pipeline():
        yield


def insert(connection: Connection, table: Table, rows: list[tuple], end: str = "") -> None:
    """Put these rows into the table; `end` is what to do where their key is there already (ON CONFLICT ..)."""
    names = columns(table)
    into = f"INSERT INTO {_quoted(table.name)} ({_list(names)})"
    _run(connection, table, names, rows, f"{into} SELECT * FROM {{new}} WHERE true {end}")


def add_missing(connection: Connection, table: Table, rows: list[tuple]) -> None:
    """Put in the rows whose key the table does not have yet."""
    insert(connection, table, rows, "ON CONFLICT DO NOTHING")


def merging(table: Table, merged: Mapping[str, str]) -> str:
    """Return the end of an `insert` that merges these columns where the key is there: their sum, least or most."""
    assignments = []
    for name, how in merged.items():
        had, new = f"{_quoted(table.name)}.{_quoted(name)}", f"excluded.{_quoted(name)}"
        if how == "sum":
            assignments.append(f"{_quoted(name)} = {had} + {new}")
        else:  # one that is unknown gives way
            order = "<=" if how == "least" else ">="
            assignments.append(
                f"{_quoted(name)} = CASE WHEN {had} {order} {new} THEN {had} ELSE coalesce({new}, {had}) END"
            )
    return f"ON CONFLICT ({_list(table.primary_key.columns.keys())}) DO UPDATE SET {', '.join(assignments)}"


def update(connection: Connection, table: Table, key: Sequence[str], names: Sequence[str], rows: list[tuple]) -> None:
    """Change the rows that have these keys; a row of `rows` has the key's columns, then those of `names`."""
    values = ", ".join(f"{_quoted(name)} = new.{_quoted(name)}" for name in names)
    text = f"UPDATE {_quoted(table.name)} AS had SET {values} FROM {{new}} WHERE {_same(key)}"
    _run(connection, table, (*key, *names), rows, text)


def known_keys(connection: Connection, table: Table, names: Sequence[str], keys: list[tuple]) -> set[tuple]:
    had = f"EXISTS (SELECT 1 FROM {_quoted(table.name)} AS had WHERE {_same(names)})"
    return set(_run(connection, table, tuple(names), keys, f"SELECT * FROM {{new}} WHERE {had}"))


def matching(
    connection: Connection,
    table: Table,
    wanted: Sequence[str],
    names: Sequence[str],
    same: Sequence[str],
    keys: Iterable[tuple],
    more: str = "",
) -> list[tuple]:
    """Return the columns `wanted` of each row whose columns `same` are those of a key, in order of the first of them.

    A key has the columns `names`; `more` narrows it (AND had.. new..).
    """
    columns = ", ".join(f"had.{_quoted(name)}" for name in wanted)
    # CROSS JOIN: SQLite goes through the keys, and looks each of them up.
    found = f"SELECT {columns} FROM {{new}} CROSS JOIN {_quoted(table.name)} AS had WHERE {_same(same)} {more}"
    return sorted(set(_run(connection, table, tuple(names), list(dict.fromkeys(keys)), found)))


def _same(names: Sequence[str]) -> str:
    return " AND ".join(f"had.{_quoted(name)} = new.{_quoted(name)}" for name in names)


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'


# -- the driver ----------------------------------------------------------------------------------------------------


def _run(connection: Connection, table: Table, names: tuple[str, ...], rows: list[tuple], text: str) -> list[tuple]:
    """Run a statement in which {new} is these rows, with these names; return what it answers."""
    returned: list[tuple] = []
    if not rows:
        return returned
    with _cursor(connection) as cursor:
        if connection.dialect.name != "sqlite":
            cursor.execute(_with_arrays(table, names, text), _arrays_of(table, names, rows))
            return cursor.fetchall() if cursor.description else returned
        first = 0
        for count in _AT_ONCE:
            while len(rows) - first >= count:
                values = tuple(chain.from_iterable(rows[first : first + count]))
                returned += cursor.execute(_with_values(names, text, count), values).fetchall()
                first += count
    return returned


@cache
def _with_values(names: tuple[str, ...], text: str, count: int) -> str:
    marks = ", ".join([f"({', '.join('?' * len(names))})"] * count)
    return _with(f"VALUES {marks}", names, text)


@cache
def _with_arrays(table: Table, names: tuple[str, ...], text: str) -> str:
    arrays = ", ".join(f"%s::{_kind(table, name)}[]" for name in names)
    return _with(f"SELECT * FROM unnest({arrays})", names, text)


def _with(rows: str, names: tuple[str, ...], text: str) -> str:
    # Not in front of all: SQLite's driver begins a transaction only for what begins with INSERT, UPDATE or DELETE.
    return text.format(new=f"(WITH named ({_list(names)}) AS ({rows}) SELECT * FROM named) AS new")


@contextmanager
def _cursor(connection: Connection) -> Iterator[Any]:
    """The driver's cursor."""
    with _errors(connection):
        cursor = connection.connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()


@contextmanager
def _errors(connection: Connection) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy's."""
    error = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except error as wrong:
        raise DBAPIError.instance(None, None, wrong, error, dialect=connection.dialect) from wrong


# -- PostgreSQL: an array for each column --------------------------------------------------------------------------


@cache
def _kind(table: Table, name: str) -> str:
    kind = table.c[name].type
    kinds = ((BigInteger, "bigint"), (Integer, "integer"), ((Float, Real), "float8"), (LargeBinary, "bytea"))
    return next((sql_type for is_of, sql_type in kinds if isinstance(kind, is_of)), "varchar")


@cache
def _are_numbers(table: Table, names: tuple[str, ...]) -> list[bool]:
    return [_kind(table, name) not in ("varchar", "bytea") for name in names]


def _arrays_of(table: Table, names: tuple[str, ...], rows: list[tuple]) -> list[str]:
    """Return the rows' columns as PostgreSQL writes arrays; the driver takes ten times as long."""
    arrays = []
    for are_numbers, values in zip(_are_numbers(table, names), zip(*rows, strict=True), strict=True):
        arrays.append(f"{{{','.join(map(_number if are_numbers else _text, values))}}}")
    return arrays


def _number(value: float | None) -> str:
    return "NULL" if value is None else repr(value)


def _text(value: str | bytes | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'
