"""Many rows at once into the large tables, and which of many keys a table has: in the database's own way.

Rules
1. SQLite gets one prepared statement for all rows; PostgreSQL gets them by COPY, keys and changes as arrays. SQLAlchemy
   would put every row together anew, which takes longer than to store it.
2. All of it happens in the connection's transaction, and what the database refuses is raised as SQLAlchemy's errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Table
from sqlalchemy.exc import DBAPIError


def insert(connection: Connection, table: Table, rows: list[dict]) -> None:
    """Put these rows into the table; all of them have the same columns."""
    names = tuple(rows[0])
    with _cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            cursor.executemany(_insert_text(table, names), rows)
            return
        with cursor.copy(_copy_text(table, names)) as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])


def add_missing(connection: Connection, table: Table, rows: list[dict]) -> None:
    """Put in those rows whose key the table has not."""
    names = tuple(rows[0])
    with _cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            cursor.executemany(_insert_text(table, names).replace("INSERT", "INSERT OR IGNORE", 1), rows)
        else:
            cursor.execute(_insert_many_text(table, names), _columns(rows, names))


def update(connection: Connection, table: Table, key: Sequence[str], rows: list[dict]) -> None:
    """Change the rows that have these keys; all of `rows` have the same columns, the key's and what changes."""
    names = tuple(rows[0])
    with _cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            cursor.executemany(_update_text(table, tuple(key), names), rows)
        else:
            cursor.execute(_update_many_text(table, tuple(key), names), _columns(rows, names))


def known_keys(connection: Connection, table: Table, names: Sequence[str], keys: list[tuple]) -> set[tuple]:
    """Those of the keys that the table has."""
    if not keys:
        return set()
    with _cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            text = _known_text(table, tuple(names))
            return {key for key in keys if cursor.execute(text, key).fetchone()}
        columns = [list(column) for column in zip(*keys, strict=True)]
        return set(cursor.execute(_known_of_many_text(table, tuple(names)), columns).fetchall())


@contextmanager
def _cursor(connection: Connection) -> Iterator[Any]:
    """The driver's cursor."""
    error = connection.dialect.loaded_dbapi.Error
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except error as wrong:
        raise DBAPIError.instance(None, None, wrong, error, dialect=connection.dialect) from wrong
    finally:
        cursor.close()


def _columns(rows: list[dict], names: tuple[str, ...]) -> list[list]:
    return [[row[name] for row in rows] for name in names]


@cache
def _insert_text(table: Table, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {_quoted(table.name)} ({_list(names)}) VALUES ({', '.join(f':{name}' for name in names)})"


@cache
def _copy_text(table: Table, names: tuple[str, ...]) -> str:
    return f"COPY {_quoted(table.name)} ({_list(names)}) FROM STDIN"


@cache
def _known_text(table: Table, names: tuple[str, ...]) -> str:
    here = " AND ".join(f"{_quoted(name)} = ?" for name in names)
    return f"SELECT 1 FROM {_quoted(table.name)} WHERE {here} LIMIT 1"


@cache
def _insert_many_text(table: Table, names: tuple[str, ...]) -> str:
    into = f"INSERT INTO {_quoted(table.name)} ({_list(names)})"
    return f"{into} SELECT * FROM {_arrays(table, names)} ON CONFLICT DO NOTHING"


@cache
def _update_text(table: Table, key: tuple[str, ...], names: tuple[str, ...]) -> str:
    values = ", ".join(f"{_quoted(name)} = :{name}" for name in names if name not in key)
    here = " AND ".join(f"{_quoted(name)} = :{name}" for name in key)
    return f"UPDATE {_quoted(table.name)} SET {values} WHERE {here}"


@cache
def _update_many_text(table: Table, key: tuple[str, ...], names: tuple[str, ...]) -> str:
    values = ", ".join(f"{_quoted(name)} = new.{_quoted(name)}" for name in names if name not in key)
    here = " AND ".join(f"had.{_quoted(name)} = new.{_quoted(name)}" for name in key)
    new = f"{_arrays(table, names)} AS new({_list(names)})"
    return f"UPDATE {_quoted(table.name)} AS had SET {values} FROM {new} WHERE {here}"


@cache
def _known_of_many_text(table: Table, names: tuple[str, ...]) -> str:
    keys = ", ".join(f"key.{_quoted(name)}" for name in names)
    same = " AND ".join(f"had.{_quoted(name)} = key.{_quoted(name)}" for name in names)
    had = f"EXISTS (SELECT 1 FROM {_quoted(table.name)} AS had WHERE {same})"
    return f"SELECT {keys} FROM {_arrays(table, names)} AS key({_list(names)}) WHERE {had}"


def _arrays(table: Table, names: tuple[str, ...]) -> str:
    kinds = ["integer" if isinstance(table.c[name].type, Integer) else "varchar" for name in names]
    return f"unnest({', '.join(f'%s::{kind}[]' for kind in kinds)})"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'
