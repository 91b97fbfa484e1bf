"""The door: one password for all or one for each user, tokens that expire, and guessing slowed down.

Rules
1. Passwords come from a file that others cannot read, or one for all from the environment: never from the command line,
   which every user of the machine can see.
2. A password is compared as a key (scrypt), in the same time whatever it is and whoever is named.
3. A token is signed with a key made from the password. It ends after IDLE_S without a visit, VALID_S after the log-in,
   when its visitor logs out, and when the password changes or the user is removed. A restart ends none, and brings
   none back (`Over`).
4. Wrong passwords are slowed down by address: after ten in a minute none from there is checked until it is over.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from toolcart.archive.web.users import LEAST, User, UsersFile, key_of
from toolcart.base import private
from toolcart.base.private import Wrong

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
    """Return the pages' password; None if there is none. Wrong if the file is not private, or it is too short."""
    found, where = (os.environ.get(VARIABLE) or None), VARIABLE
    if file is not None:
        found, where = private.text_of(file).rstrip("\r\n"), file
    if found is not None and len(found) < LEAST:
        raise Wrong(f"{where}: a password has at least {LEAST} characters")
    return found


def over_file(beside: str | None) -> str | None:
    """Return where log-outs are kept: in a service's own folder, else beside the file of passwords."""
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return os.path.join(folder, "logged-out") if folder else f"{beside}.logged-out" if beside else None


def is_loopback(host: str) -> bool:
    """True if only this machine can reach this address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Door:
    """Gives tokens for passwords, and checks them. With one password for all, everyone is `admin` without a name."""

    def __init__(self, secret: str | None, users: UsersFile | None = None, over: str | None = None) -> None:
        self._all = {"": User("", "admin", _SALT, key_of(secret, _SALT))} if secret else {}
        self._file = users
        self._wrong: dict[str, deque[float]] = {}  # by the visitor's address, latest last
        self._over = Over(over, IDLE_S)  # sessions logged out of; `over` is the file

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


class Over:
    """The sessions that were logged out of; each is remembered for `kept_s`, in a file if there is one.

    A line is a time and a session; one whose tokens have all expired is left out at the next start. Without a file, or
    if it cannot be written, a log-out holds until a restart.
    """

    def __init__(self, file: str | None, kept_s: float) -> None:
        self._file = file
        self._of: dict[str, int] = {}  # session: when it ended
        if file is None:
            return
        with suppress(OSError, UnicodeDecodeError), open(file, encoding="ascii") as lines:
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
            with os.fdopen(os.open(self._file, os.O_WRONLY | os.O_CREAT | how, 0o600), "w") as written:
                written.writelines(f"{when} {session}\n" for session, when in sessions.items())
