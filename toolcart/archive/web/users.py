"""Who may see the pages: a file of names, roles and password keys, and what a proxy says about whom it let in.

    anna export scrypt$16384$SALT$KEY

Rules
1. Each role includes the one before: `view` sees every page, `export` may also take its content away, as a file or as
   JSON, and write remarks, `admin` also sets control limits and sees who changed what. `role_for` is the one place
   that says what an address needs.
2. The file is only its owner's, is written whole, and is read again when it has changed: a user taken out is out.
3. A name in a proxy's header counts only from the proxy's own addresses; a name that is not in the file gets `view`.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import secrets
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from toolcart.base import private
from toolcart.base.private import Wrong

ROLES = ("view", "export", "admin")
LEAST = 8  # characters in a password
_COST = 2**14
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True)
class User:
    """A user with a role; `key` is that of the password."""

    name: str
    role: str
    salt: bytes = b""
    key: bytes = field(default=b"", repr=False)

    def may(self, role: str) -> bool:
        """True if this user has this role or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


def role_for(path: str, parts: Container[str], is_change: bool = False) -> str:
    """Return the role that an address with these parts (`?json&as=csv`) needs, or a change there."""
    if is_change:
        return "export" if path.startswith("/remark/") else "admin"
    if path == "/audit":
        return "admin"
    return "export" if path.startswith("/export/") or "json" in parts or "as" in parts else "view"


def key_of(password: str, salt: bytes) -> bytes:
    """Return the key that is kept instead of a password. Takes about 50 ms, on purpose."""
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=_COST, r=8, p=1)


def read(file: str) -> dict[str, User]:
    """Return all users in the file; Wrong names the line that cannot be read."""
    found = {}
    for number, line in enumerate(private.text_of(file).splitlines(), 1):
        if not line.strip():
            continue
        try:
            name, role, how = line.split()
            kind, cost, salt, key = how.split("$")
            user = User(name, role, bytes.fromhex(salt), bytes.fromhex(key))
            if not _NAME.fullmatch(name) or role not in ROLES or (kind, cost) != ("scrypt", str(_COST)):
                raise ValueError
        except ValueError:
            raise Wrong(f"{file}, line {number}: not a user; write it by `toolcart archive user`") from None
        found[name] = user
    return found


def put(file: str, name: str, role: str, password: str | None) -> None:
    """Give a user this role and password, or remove the user (None)."""
    users = read(file) if os.path.exists(file) else {}
    if password is None:
        if users.pop(name, None) is None:
            raise Wrong(f"{file}: there is no user {name!r}")
    elif not _NAME.fullmatch(name):
        raise Wrong(f"{name!r}: a name has letters, digits and . _ @ -, 64 at most")
    elif len(password) < LEAST:
        raise Wrong(f"a password has at least {LEAST} characters")
    else:
        salt = secrets.token_bytes(16)
        users[name] = User(name, role, salt, key_of(password, salt))
    lines = [f"{u.name} {u.role} scrypt${_COST}${u.salt.hex()}${u.key.hex()}\n" for u in users.values()]
    try:
        private.put(file, "".join(lines))
    except OSError as refused:
        raise Wrong(f"{file}: {refused.strerror}") from None


class UsersFile:
    """The users of a file as it is now; a file that cannot be read lets no one in."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._users = read(file)
        self._stamp = self._stamped()

    def now(self) -> Mapping[str, User]:
        stamp = self._stamped()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._users = read(self._file)
            except Wrong:
                self._users = {}
        return self._users

    def _stamped(self) -> tuple[int, ...]:
        try:
            told = os.stat(self._file)
        except OSError:
            return ()
        return (told.st_mtime_ns, told.st_size, told.st_ino, told.st_mode)


@dataclass(frozen=True)
class Proxy:
    """Addresses of trusted proxies, and the header in which they name whom they have let in."""

    addresses: frozenset[str]
    header: str = ""

    def visitor(self, peer: str, headers: Mapping[bytes, bytes]) -> str:
        """Return the visitor's address, as the proxy saw it."""
        told = headers.get(b"x-forwarded-for", b"").decode("latin-1").rpartition(",")[2].strip()
        return told[:64] if told and peer in self.addresses else peer

    def name(self, peer: str, headers: Mapping[bytes, bytes]) -> str | None:
        """Return the name that a trusted proxy gives; None from anyone else."""
        told = headers.get(self.header.lower().encode(), b"").decode("latin-1").strip()
        return told if self.header and peer in self.addresses and _NAME.fullmatch(told) else None


def proxy_of(addresses: str, header: str) -> Proxy:
    """Read `10.0.0.5,10.0.0.6`; ValueError says which is not an address."""
    return Proxy(frozenset(str(ipaddress.ip_address(one.strip())) for one in addresses.split(",")), header)
