"""Who may see the pages: users in a file or one password for all, their roles, tokens, and guessing slowed down.

    anna export scrypt$16384$SALT$KEY

Rules
1. Each role includes the one before: `view` sees every page, but for who changed what, `export` may also take its
   content away, as a file or as JSON, and write remarks, `admin` also sets control limits and sees who changed what.
   `role_for` says what an address or a change needs.
2. The file is only its owner's, is written whole, and is read again when it has changed: a user taken out is out.
3. A name in a proxy's header counts only from the proxy's own addresses; a name that is not in the file gets `view`.
4. Passwords come from that file or, one for all, from the environment: never from the command line, which every user of
   the machine can see. One is compared as a key (scrypt), in the same time whatever it is and whoever is named.
5. A token is signed with a key made from the password. It ends after IDLE_S without a visit, VALID_S after the log-in,
   when its visitor logs out, and when the password changes or the user is removed. A restart ends none, and brings
   none back (`RevokedSessions`).
6. Wrong passwords are slowed down by address: after ten in a minute none from there is checked until it is over.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import re
import secrets
import time
from collections import deque
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from toolcart.base import private_files
from toolcart.base.private_files import PrivateFileError

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
    """Return all users in the file; PrivateFileError names the line that cannot be read."""
    users = {}
    for number, line in enumerate(private_files.text_of(file).splitlines(), 1):
        if not line.strip():
            continue
        try:
            name, role, how = line.split()
            kind, cost, salt, key = how.split("$")
            user = User(name, role, bytes.fromhex(salt), bytes.fromhex(key))
            if not _NAME.fullmatch(name) or role not in ROLES or (kind, cost) != ("scrypt", str(_COST)):
                raise ValueError
        except ValueError:
            raise PrivateFileError(f"{file}, line {number}: not a user; write it by `toolcart archive user`") from None
        users[name] = user
    return users


def put(file: str, name: str, role: str, password: str | None) -> None:
    """Give a user this role and password, or remove the user (None)."""
    users = read(file) if os.path.exists(file) else {}
    if password is None:
        if users.pop(name, None) is None:
            raise PrivateFileError(f"{file}: there is no user {name!r}")
    elif not _NAME.fullmatch(name):
        raise PrivateFileError(f"{name!r}: a name has letters, digits and . _ @ -, 64 at most")
    elif len(password) < LEAST:
        raise PrivateFileError(f"a password has at least {LEAST} characters")
    else:
        salt = secrets.token_bytes(16)
        users[name] = User(name, role, salt, key_of(password, salt))
    lines = [f"{u.name} {u.role} scrypt${_COST}${u.salt.hex()}${u.key.hex()}\n" for u in users.values()]
    try:
        private_files.put(file, "".join(lines))
    except OSError as refused:
        raise PrivateFileError(f"{file}: {refused.strerror}") from None


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
            except PrivateFileError:
                self._users = {}
        return self._users

    def _stamped(self) -> tuple[int, ...]:
        try:
            status = os.stat(self._file)
        except OSError:
            return ()
        return (status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode)


@dataclass(frozen=True)
class Proxy:
    """Addresses of trusted proxies, and the header in which they name whom they have let in."""

    addresses: frozenset[str]
    header: str = ""

    def visitor(self, peer: str, headers: Mapping[bytes, bytes]) -> str:
        """Return the visitor's address, as the proxy saw it."""
        address = headers.get(b"x-forwarded-for", b"").decode("latin-1").rpartition(",")[2].strip()
        return address[:64] if address and peer in self.addresses else peer

    def name(self, peer: str, headers: Mapping[bytes, bytes]) -> str | None:
        """Return the name that a trusted proxy gives; None from anyone else."""
        user = headers.get(self.header.lower().encode(), b"").decode("latin-1").strip()
        return user if self.header and peer in self.addresses and _NAME.fullmatch(user) else None


VARIABLE = "TOOLCART_ARCHIVE_PASSWORD"
VALID_S = 30 * 24 * 3600
IDLE_S = 12 * 3600
RENEWED_S = 600  # older tokens are renewed
TRIES = 10
TRIES_S = 60.0
REMEMBERED_MOST = 10000  # addresses with wrong passwords
OVER_MOST = 10000  # sessions; if there are more the oldest goes
_SALT = b"toolcart archive: pages"  # one password, one key: there is no table of keys to protect
_PARTS = 5


def password(file: str | None) -> str | None:
    """Return the pages' password; None if there is none.

    PrivateFileError if the file is not private, or it is too short.
    """
    secret, where = (os.environ.get(VARIABLE) or None), VARIABLE
    if file is not None:
        secret, where = private_files.text_of(file).rstrip("\r\n"), file
    if secret is not None and len(secret) < LEAST:
        raise PrivateFileError(f"{where}: a password has at least {LEAST} characters")
    return secret


def over_file(users_file: str | None) -> str | None:
    """Return where log-outs are kept: in a service's own folder, else beside the file of passwords."""
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return os.path.join(folder, "logged-out") if folder else f"{users_file}.logged-out" if users_file else None


def is_loopback(host: str) -> bool:
    """True if only this machine can reach this address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Authenticator:
    """Gives tokens for passwords, and checks them. With one password for all, everyone is `admin` without a name."""

    def __init__(self, secret: str | None, users: UsersFile | None = None, over: str | None = None) -> None:
        self._all = {"": User("", "admin", _SALT, key_of(secret, _SALT))} if secret else {}
        self._file = users
        self._wrong: dict[str, deque[float]] = {}  # by the visitor's address, latest last
        self._over = RevokedSessions(over, IDLE_S)  # sessions logged out of; `over` is the file

    @property
    def has_names(self) -> bool:
        """True if a log-in needs a name."""
        return self._file is not None

    def users(self) -> Mapping[str, User]:
        """Return all users who may come in."""
        return self._file.now() if self._file else self._all

    def is_shut(self, visitor: str = "") -> bool:
        """True if too many wrong passwords have just come from this address."""
        wrong = self._wrong.get(visitor, ())
        return len(wrong) == TRIES and time.monotonic() - wrong[0] < TRIES_S

    def token(self, tried: str, visitor: str = "", name: str = "") -> str | None:
        """Return a token if this is the password. Takes about 50 ms, on purpose: call it in a thread."""
        if self.is_shut(visitor):
            return None
        user = self.users().get(name)
        key = key_of(tried, user.salt if user else _SALT)
        if user is None or not hmac.compare_digest(key, user.key):
            wrong = self._wrong.pop(visitor, None) or deque(maxlen=TRIES)
            wrong.append(time.monotonic())
            if len(self._wrong) >= REMEMBERED_MOST:
                self._wrong.pop(next(iter(self._wrong)))
            self._wrong[visitor] = wrong
            return None
        now = int(time.time())
        return _signed(user, now, now, secrets.token_hex(8))

    def knows(self, token: str) -> User | None:
        """Return whose token this is; None if it is not ours or no longer valid."""
        parts = token.split(".")
        if len(parts) != _PARTS or not all(one.isascii() and one.isdigit() and len(one) < 12 for one in parts[:2]):
            return None
        given, began, session, name = int(parts[0]), int(parts[1]), parts[2], parts[3]
        try:
            user = self.users().get(bytes.fromhex(name).decode())
        except ValueError:
            return None
        if user is None or session in self._over:
            return None
        is_ours = hmac.compare_digest(token.encode("utf-8", "replace"), _signed(user, given, began, session).encode())
        now = time.time()
        return user if is_ours and now < given + IDLE_S and now < began + VALID_S else None

    def renewed(self, token: str) -> str | None:
        """Return a new token for a valid one that is due for renewal; None otherwise."""
        user = self.knows(token)
        given, began, session = token.split(".")[:3] if user else ("0", "0", "")
        now = int(time.time())
        return _signed(user, now, int(began), session) if user and now - int(given) >= RENEWED_S else None

    def forget(self, token: str) -> None:
        """Log the visitor out: every token of the session is over."""
        if self.knows(token):
            self._over.add(token.split(".")[2])


def _signed(user: User, given: int, began: int, session: str) -> str:
    text = f"{given}.{began}.{session}.{user.name.encode().hex()}"
    mac = hmac.new(user.key, f"{text}.{user.role}".encode("utf-8", "replace"), hashlib.sha256)
    return f"{text}.{mac.hexdigest()}"


class RevokedSessions:
    """The sessions that were logged out of; each is remembered for `kept_s`, in a file if there is one.

    A line is a time and a session; one whose tokens have all expired is left out at the next start. Without a file, or
    if it cannot be written, a log-out holds until a restart.
    """

    def __init__(self, file: str | None, kept_s: float) -> None:
        self._file = file
        self._of: dict[str, int] = {}  # session: when it ended
        if file is None:
            return
        with suppress(OSError, UnicodeDecodeError), open(file, encoding="ascii", opener=private_files.opener) as lines:
            for line in lines.readlines(64 * OVER_MOST)[-OVER_MOST:]:
                when, _, session = line.strip().partition(" ")
                if when.isdigit() and time.time() < int(when) + kept_s:
                    self._of[session] = int(when)
        with suppress(OSError):
            self._write(os.O_TRUNC, self._of)

    def __contains__(self, session: str) -> bool:
        return session in self._of

    def add(self, session: str) -> None:
        if len(self._of) >= OVER_MOST:
            self._of.pop(next(iter(self._of)))
        self._of[session] = int(time.time())
        with suppress(OSError):
            self._write(os.O_APPEND, {session: self._of[session]})

    def _write(self, how: int, sessions: dict[str, int]) -> None:
        if self._file is not None and (sessions or os.path.exists(self._file)):
            with os.fdopen(private_files.opener(self._file, os.O_WRONLY | os.O_CREAT | how), "w") as written:
                written.writelines(f"{when} {session}\n" for session, when in sessions.items())
