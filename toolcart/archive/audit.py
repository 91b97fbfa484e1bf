"""A line for each change by a command, in the change's own transaction if it has one."""

from __future__ import annotations

import os
import pwd
import socket

from sqlalchemy import Connection, insert

from toolcart.archive import rows
from toolcart.archive.tables import AUDIT


def note(connection: Connection, what: str) -> None:
    """Note that the user of this process does this."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    who = f"{name}@{socket.gethostname()}"[:100]
    connection.execute(insert(AUDIT).values(Arrived=rows.now_text(), Who=who, What=what))
