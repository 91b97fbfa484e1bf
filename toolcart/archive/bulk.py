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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import BigInteger, Connection, Float, Integer, LargeBinary, Table
from sqlalchemy.exc import DBAPIError

from toolcart.archive.tables import Real

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
    with _errors(connection), _driver(connection).pipeline():
        yield


def insert(connection: Connection, table: Table, rows: list[tuple]) -> None:
    """Put these rows into the table."""
    with _cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            _in_parts(cursor, _insert_text, (table, "INSERT", ""), rows)
        else:
            cursor.execute(_insert_arrays(table, ""), _arrays_of(table, columns(table), rows))


def add_missing(connection: Connection, table: Table, rows: list[tuple]) -> None:
    """Put in the rows whose key the table does not have yet."""
    with _cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            _in_parts(cursor, _insert_text, (table, "INSERT OR IGNORE", ""), rows)
        else:
            text = _insert_arrays(table, "ON CONFLICT DO NOTHING")
            cursor.execute(text, _arrays_of(table, columns(table), rows))


def merge(
    connection: Connection, table: Table, key: Sequence[str], merged: Mapping[str, str], rows: list[tuple]
) -> None:
    """Put these rows in; where there is one with the key, each other column is merged: its sum, least or most."""
    end = _merging(table, tuple(key), tuple(merged.items()))
    with _cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            _in_parts(cursor, _insert_text, (table, "INSERT", end), rows)
        else:
            cursor.execute(_insert_arrays(table, end), _arrays_of(table, columns(table), rows))


@cache
def _merging(table: Table, key: tuple[str, ...], merged: tuple[tuple[str, str], ...]) -> str:
    told = []
    for name, how in merged:
        had, new = f"{_quoted(table.name)}.{_quoted(name)}", f"excluded.{_quoted(name)}"
        if how == "sum":
            told.append(f"{_quoted(name)} = {had} + {new}")
        else:  # one that is unknown gives way
            order = "<=" if how == "least" else ">="
            told.append(f"{_quoted(name)} = CASE WHEN {had} {order} {new} THEN {had} ELSE coalesce({new}, {had}) END")
    return f"ON CONFLICT ({_list(key)}) DO UPDATE SET {', '.join(told)}"


def update(connection: Connection, table: Table, key: Sequence[str], names: Sequence[str], rows: list[tuple]) -> None:
    """Change the rows that have these keys; a row of `rows` has the key's columns, then those of `names`."""
    key, names = tuple(key), tuple(names)
    with _cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            _in_parts(cursor, _update_text, (table, key, names), rows)
        else:
            cursor.execute(_update_arrays(table, key, names), _arrays_of(table, key + names, rows))


def known_keys(connection: Connection, table: Table, names: Sequence[str], keys: list[tuple]) -> set[tuple]:
    """Return the keys that the table has."""
    if not keys:
        return set()
    names = tuple(names)
    with _cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            return set(_in_parts(cursor, _known_text, (table, names), keys))
        return set(cursor.execute(_known_arrays(table, names), _arrays_of(table, names, keys)).fetchall())


# -- the driver ----------------------------------------------------------------------------------------------------


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


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'


# -- SQLite: many rows in one statement ----------------------------------------------------------------------------


def _in_parts(cursor: Any, text_of: Callable[..., str], what: tuple, rows: list[tuple]) -> list[tuple]:
    """Run the statement for all rows, in parts of the sizes in _AT_ONCE; return what it answers."""
    told, first = [], 0
    for count in _AT_ONCE:
        while len(rows) - first >= count:
            text = text_of(*what, count)
            told += cursor.execute(text, tuple(chain.from_iterable(rows[first : first + count]))).fetchall()
            first += count
    return told


def _marks(width: int, count: int) -> str:
    return ", ".join([f"({', '.join('?' * width)})"] * count)


@cache
def _insert_text(table: Table, how: str, end: str, count: int) -> str:
    names = columns(table)
    return f"{how} INTO {_quoted(table.name)} ({_list(names)}) VALUES {_marks(len(names), count)} {end}"


@cache
def _update_text(table: Table, key: tuple[str, ...], names: tuple[str, ...], count: int) -> str:
    values = ", ".join(f"{_quoted(name)} = new.column{len(key) + at}" for at, name in enumerate(names, 1))
    here = " AND ".join(f"{_quoted(name)} = new.column{at}" for at, name in enumerate(key, 1))
    new = f"(VALUES {_marks(len(key) + len(names), count)}) AS new"
    return f"UPDATE {_quoted(table.name)} SET {values} FROM {new} WHERE {here}"


@cache
def _known_text(table: Table, names: tuple[str, ...], count: int) -> str:
    here = " AND ".join(f"had.{_quoted(name)} = key.column{at}" for at, name in enumerate(names, 1))
    had = f"EXISTS (SELECT 1 FROM {_quoted(table.name)} AS had WHERE {here})"
    return f"SELECT * FROM (VALUES {_marks(len(names), count)}) AS key WHERE {had}"


# -- PostgreSQL: an array for each column --------------------------------------------------------------------------


@cache
def _insert_arrays(table: Table, end: str) -> str:
    names = columns(table)
    return f"INSERT INTO {_quoted(table.name)} ({_list(names)}) SELECT * FROM {_arrays(table, names)} {end}"


@cache
def _update_arrays(table: Table, key: tuple[str, ...], names: tuple[str, ...]) -> str:
    values = ", ".join(f"{_quoted(name)} = new.{_quoted(name)}" for name in names)
    here = " AND ".join(f"had.{_quoted(name)} = new.{_quoted(name)}" for name in key)
    new = f"{_arrays(table, key + names)} AS new({_list(key + names)})"
    return f"UPDATE {_quoted(table.name)} AS had SET {values} FROM {new} WHERE {here}"


@cache
def _known_arrays(table: Table, names: tuple[str, ...]) -> str:
    keys = ", ".join(f"key.{_quoted(name)}" for name in names)
    same = " AND ".join(f"had.{_quoted(name)} = key.{_quoted(name)}" for name in names)
    had = f"EXISTS (SELECT 1 FROM {_quoted(table.name)} AS had WHERE {same})"
    return f"SELECT {keys} FROM {_arrays(table, names)} AS key({_list(names)}) WHERE {had}"


def _arrays(table: Table, names: tuple[str, ...]) -> str:
    return f"unnest({', '.join(f'%s::{_kind(table, name)}[]' for name in names)})"


@cache
def _kind(table: Table, name: str) -> str:
    kind = table.c[name].type
    for is_of, told in (
        (BigInteger, "bigint"),
        (Integer, "integer"),
        ((Float, Real), "float8"),
        (LargeBinary, "bytea"),
    ):
        if isinstance(kind, is_of):
            return told
    return "varchar"


@cache
def _are_numbers(table: Table, names: tuple[str, ...]) -> list[bool]:
    return [_kind(table, name) not in ("varchar", "bytea") for name in names]


def _arrays_of(table: Table, names: tuple[str, ...], rows: list[tuple]) -> list[str]:
    """Return the rows' columns as PostgreSQL writes arrays; the driver takes ten times as long."""
    told = []
    for are_numbers, values in zip(_are_numbers(table, names), zip(*rows, strict=True), strict=True):
        told.append(f"{{{','.join(map(_number if are_numbers else _text, values))}}}")
    return told


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
