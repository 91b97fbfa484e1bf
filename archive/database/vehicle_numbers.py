"""Every number that a car is known by, once, and also reversed: people type a VIN's last digits, or its first.

Rules
1. A row comes with a car's first result, in the same commit.
2. The end of a number is the beginning of the reversed one, so each is a range of an index.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, select

from toolcart.archive.database import bulk_insert
from toolcart.archive.database.tables import CAR, RESULT, RESULT_VIN

AT_ONCE = 1000
FEW = 2000
_LAST = "\U0010ffff"  # all other characters sort before it


def add(connection: Connection, vins: Iterable[str]) -> None:
    """Put these in; those that are there already stay."""
    rows = [(vin, vin[::-1]) for vin in sorted(vins)]
    for first in range(0, len(rows), AT_ONCE):
        bulk_insert.add_missing(connection, CAR, rows[first : first + AT_ONCE])


def forget(connection: Connection, vins: Iterable[str]) -> None:
    """Take out those that no result has any more."""
    number = CAR.c.VIN
    main = select(RESULT.c.ResultId).where(RESULT.c.VIN == number)
    additional = select(RESULT_VIN.c.ResultId).where(RESULT_VIN.c.VIN == number)
    connection.execute(delete(CAR).where(number.in_(list(vins)), ~exists(main), ~exists(additional)))


def matching(connection: Connection, part: str, most: int) -> list[str]:
    """Return the first `most` numbers that begin or end with `part`, those that begin with it first."""
    vins: dict[str, None] = {}
    for column, text in ((CAR.c.VIN, part), (CAR.c.Backwards, part[::-1])):
        statement = select(CAR.c.VIN).where(between(connection, column, text, text)).order_by(column).limit(most)
        vins.update(dict.fromkeys(connection.execute(statement).scalars()))
    return list(vins)[:most]


def is_there(connection: Connection, vin: str) -> bool:
    """True if a result has this number, as its main or an additional one."""
    return connection.execute(select(CAR.c.VIN).where(CAR.c.VIN == vin)).first() is not None


def are_few(connection: Connection, first: str, last: str) -> bool:
    """True if no more than FEW numbers lie in this range."""
    some = select(CAR.c.VIN).where(between(connection, CAR.c.VIN, first, last)).limit(FEW + 1).subquery()
    return (connection.execute(select(func.count()).select_from(some)).scalar() or 0) <= FEW


def between(connection: Connection, column: ColumnElement[str], first: str, last: str) -> ColumnElement[bool]:
    """The condition that a column is from `first` up to anything that begins with `last`, in byte order."""
    if connection.dialect.name == "postgresql":  # compared as bytes, like its index
        at_least, less = column.op("~>=~", is_comparison=True), column.op("~<~", is_comparison=True)
        return and_(at_least(first), less(last + _LAST))
    return and_(column >= first, column < last + _LAST)
