"""What people did: a line for each change by a command or on a page, in its transaction if any; remarks on results."""

from __future__ import annotations

import os
import socket

from sqlalchemy import Connection, insert, select

from toolcart.archive.database import tables as t
from toolcart.base.private_files import user_name
from toolcart.toolsnet import rows


def note(connection: Connection, what: str, who: str = "") -> None:
    """Note that this user, by default the one of this process, does this."""
    what = what.encode("utf-8", "backslashreplace").decode()  # the name of a file may be no UTF-8
    who = who or f"{user_name(os.getuid())}@{socket.gethostname()}"[:100]
    connection.execute(insert(t.AUDIT).values(Arrived=rows.now_text(), Who=who, What=what))


REMARK_MOST = 1000  # characters


def remarks_of(connection: Connection, number: int) -> list[dict]:
    """Return the remarks on a result, oldest first."""
    statement = select(t.REMARK).where(t.REMARK.c.ResultId == number).order_by(t.REMARK.c.RemarkId)
    return [dict(row) for row in connection.execute(statement).mappings()]


def add_remark(connection: Connection, number: int, who: str, text: str) -> bool:
    """Add a remark to a result; False if there is no such result."""
    there = select(t.RESULT.c.ResultId).where(t.RESULT.c.ResultId == number)
    if connection.execute(there).first() is None:
        return False
    connection.execute(insert(t.REMARK).values(ResultId=number, Arrived=rows.now_text(), Who=who, Text=text))
    note(connection, f"remark on result {number}: {text}", who)
    return True
