"""Who may come in: users of the archive's file with their roles, or clients without a name if --anonymous allows it.

Rules
1. `view` reads; acknowledging results or having them sent again takes `export`: it changes what other clients get.
2. A password only goes over an encrypted channel: with users there is no other (tools.archive.opcua.wire).
3. Wrong passwords are slowed down by address, as on the pages (tools.archive.web.login).
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

from asyncua.crypto.permission_rules import User as LibraryUser
from asyncua.crypto.permission_rules import UserRole

from tools.archive.opcua.limits import Counted
from tools.archive.web.login import Door
from tools.archive.web.users import ROLES

READS, CHANGES = "view", "export"


class Access:
    """What the library asks for each session (its protocol: `get_user`). `visitor`, set before, is who asks."""

    def __init__(self, door: Door | None, anonymous: str | None, counted: Counted) -> None:
        self._door = door
        self._anonymous = anonymous
        self._counted = counted
        self.visitor = ""

    def get_user(
        self, iserver: object, username: str | None = None, password: str | None = None, certificate: object = None
    ) -> LibraryUser | None:
        """Return the user, with the role as the name; None for a wrong name or password, or if a name is needed."""
        del iserver, certificate
        if username is None:
            if self._anonymous is not None:
                return LibraryUser(role=UserRole.User, name=self._anonymous)
        elif self._door is not None:
            token = self._door.token(password or "", self.visitor, username)
            user = self._door.knows(token) if token else None
            if user is not None:
                return LibraryUser(role=UserRole.User, name=user.role)
        self._counted.refused_users += 1
        return None


def may(user: LibraryUser | None, role: str) -> bool:
    """True if the user has this role or a higher one."""
    name = user.name if user is not None else None
    return name in ROLES and ROLES.index(str(name)) >= ROLES.index(role)
