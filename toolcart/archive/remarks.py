"""Remarks on a result: who wrote what, and when. They are never changed."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from toolcart.archive import audit, rows
from toolcart.archive import tables as t

MOST = 1000  # characters


def of(connection: Connection, number: int) -> list[dict]:
    """Return the remarks on a result, oldest first."""
    asked = select(t.REMARK).where(t.REMARK.c.ResultId == number).order_by(t.REMARK.c.RemarkId)
    return [dict(row) for row in connection.execute(asked).mappings()]


def add(connection: Connection, number: int, who: str, text: str) -> bool:
    """Add a remark to a result; False if there is no such result."""
    there = select(t.RESULT.c.ResultId).where(t.RESULT.c.ResultId == number)
    if connection.execute(there).first() is None:
        return False
    connection.execute(insert(t.REMARK).values(ResultId=number, Arrived=rows.now_text(), Who=who, Text=text))
    audit.note(connection, f"remark on result {number}: {text}", who)
    return True
