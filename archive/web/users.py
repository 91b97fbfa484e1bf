"""Who may see the pages: who knows the password, or whom a proxy in front lets in; tokens, and guessing slowed down.

Rules
1. Who may come in may do all that pages do. A name, for audit and remarks, comes from a proxy alone, in a header that
   counts only from the proxy's own addresses.
2. The password comes from a file or the environment: never from the command line, which every user of the machine can
   see. It is compared as a key (scrypt), in the same time whatever it is.
3. A token is signed with a key made from the password. It ends after IDLE_S without a visit, VALID_S after the log-in,
   when its visitor logs out, and when the password changes. A restart ends none, and brings none back
   (`RevokedSessions`).
4. Wrong passwords are slowed down by address: after ten in a minute none from there is checked until it is over.
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
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from toolcart.base import private_files
from toolcart.base.private_files import PrivateFileError

LEAST = 8  # characters in a password
_COST = 2**14
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def key_of(password: str) -> bytes:
    """Return the key that is kept instead of a password. Takes about 50 ms, on purpose."""
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=_SALT, n=_COST, r=8, p=1)


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
_PARTS = 4


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


def over_file(password_file: str | None) -> str | None:
    """Return where log-outs are kept: in a service's own folder, else beside the file of the password."""
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return os.path.join(folder, "logged-out") if folder else f"{password_file}.logged-out" if password_file else None


def is_loopback(host: str) -> bool:
    """True if only this machine can reach this address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Authenticator:
    """Gives tokens for the password, and checks them; without a password no one gets one."""

    def __init__(self, secret: str | None, over: str | None = None) -> None:
        self._key = key_of(secret) if secret else None
        self._wrong: dict[str, deque[float]] = {}  # by the visitor's address, latest last
        self._over = RevokedSessions(over, IDLE_S)  # sessions logged out of; `over` is the file

    @property
    def has_password(self) -> bool:
        """False if only a proxy lets visitors in."""
        return self._key is not None

    def is_shut(self, visitor: str = "") -> bool:
        """True if too many wrong passwords have just come from this address."""
        wrong = self._wrong.get(visitor, ())
        return len(wrong) == TRIES and time.monotonic() - wrong[0] < TRIES_S

    def token(self, tried: str, visitor: str = "") -> str | None:
        """Return a token if this is the password. Takes about 50 ms, on purpose: call it in a thread."""
        if self._key is None or self.is_shut(visitor):
            return None
        if not hmac.compare_digest(key_of(tried), self._key):
            wrong = self._wrong.pop(visitor, None) or deque(maxlen=TRIES)
            wrong.append(time.monotonic())
            if len(self._wrong) >= REMEMBERED_MOST:
                self._wrong.pop(next(iter(self._wrong)))
            self._wrong[visitor] = wrong
            return None
        now = int(time.time())
        return _signed(self._key, now, now, secrets.token_hex(8))

    def knows(self, token: str) -> bool:
        """True if this token is ours and still valid."""
        parts = token.split(".")
        if len(parts) != _PARTS or not all(one.isascii() and one.isdigit() and len(one) < 12 for one in parts[:2]):
            return False
        given, began, session = int(parts[0]), int(parts[1]), parts[2]
        if self._key is None or session in self._over:
            return False
        signed = _signed(self._key, given, began, session)
        is_ours = hmac.compare_digest(token.encode("utf-8", "replace"), signed.encode("utf-8", "replace"))
        now = time.time()
        return is_ours and now < given + IDLE_S and now < began + VALID_S

    def renewed(self, token: str) -> str | None:
        """Return a new token for a valid one that is due for renewal; None otherwise."""
        given, began, session = token.split(".")[:3] if self.knows(token) else ("0", "0", "")
        now = int(time.time())
        is_due = bool(session) and now - int(given) >= RENEWED_S
        return _signed(self._key, now, int(began), session) if is_due and self._key else None

    def forget(self, token: str) -> None:
        """Log the visitor out: every token of the session is over."""
        if self.knows(token):
            self._over.add(token.split(".")[2])


def _signed(key: bytes, given: int, began: int, session: str) -> str:
    text = f"{given}.{began}.{session}"
    return f"{text}.{hmac.new(key, text.encode('utf-8', 'replace'), hashlib.sha256).hexdigest()}"


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
