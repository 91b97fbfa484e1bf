"""A line for each change by a command or on a page, in the change's own transaction if it has one."""

from __future__ import annotations

import os
import pwd
import socket

from sqlalchemy import Connection, insert

from toolcart.archive import rows
from toolcart.archive.tables import AUDIT


def note(connection: Connection, what: str, who: str = "") -> None:
    """Note that this user, by default the one of this process, does this."""
    connection.execute(insert(AUDIT).values(Arrived=rows.now_text(), Who=who or _user(), What=what))


def _user() -> str:
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"[:100]
