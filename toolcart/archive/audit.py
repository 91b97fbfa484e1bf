"""A line for each change by a command or on a page, in the change's own transaction if it has one."""

from __future__ import annotations

import os
import socket

from sqlalchemy import Connection, insert

from toolcart.archive import rows
from toolcart.archive.tables import AUDIT
from toolcart.base.private import user_name


def note(connection: Connection, what: str, who: str = "") -> None:
    """Note that this user, by default the one of this process, does this."""
    who = who or f"{user_name(os.getuid())}@{socket.gethostname()}"[:100]
    connection.execute(insert(AUDIT).values(Arrived=rows.now_text(), Who=who, What=what))
