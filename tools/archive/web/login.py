"""Who may see the pages: whoever knows one password, if there is one.

Rules
1. A password comes from a file that only its owner can read (mode 0600), or from the environment; never from the
   command line, which every user of the machine can read.
2. Listening beyond the loopback needs one.
3. A visitor keeps a token: when it was given, signed with a key out of the password. It ends after 30 days (a screen on
   a wall logs in once a month), and when the password changes; a restart ends none.
4. Wrong passwords are slowed down for all: ten in a minute, then none is looked at until the minute is over.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import stat
import time
from collections import deque
from pathlib import Path

VARIABLE = "TOOLCART_ARCHIVE_PASSWORD"
LEAST = 8  # characters
VALID_S = 30 * 24 * 3600
TRIES = 10
TRIES_S = 60.0
_SALT = b"toolcart archive: pages"  # one password, one key: there is no table of them to protect


class Wrong(Exception):
    """There is no usable password; the text says what to do."""


def password(file: str | None) -> str | None:
    """The password of this page; None if there is none. Wrong if the file is not private, or it is too short."""
    if file is None:
        found = os.environ.get(VARIABLE) or None
        where = VARIABLE
    else:
        where = file
        try:
            mode = Path(file).stat().st_mode
            found = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise Wrong(f"{file}: {getattr(error, 'strerror', None) or 'is no text'}") from None
        if stat.S_IMODE(mode) & 0o077:
            raise Wrong(f"{file}: others may read it; chmod 600 {file}")
    if found is not None and len(found) < LEAST:
        raise Wrong(f"{where}: a password has at least {LEAST} characters")
    return found


def is_loopback(host: str) -> bool:
    """True if only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Door:
    """Gives tokens for the password, and knows them again."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.scrypt(secret.encode(), salt=_SALT, n=2**14, r=8, p=1)
        self._wrong: deque[float] = deque(maxlen=TRIES)

    def is_shut(self) -> bool:
        """True if too many wrong passwords came just now."""
        return len(self._wrong) == TRIES and time.monotonic() - self._wrong[0] < TRIES_S

    def token(self, tried: str) -> str | None:
        """A token if this is the password. Takes some 50 ms, on purpose: call it in a thread."""
        if self.is_shut():
            return None
        key = hashlib.scrypt(tried.encode("utf-8", "surrogatepass"), salt=_SALT, n=2**14, r=8, p=1)
        if not hmac.compare_digest(key, self._key):
            self._wrong.append(time.monotonic())
            return None
        return self._signed(int(time.time()))

    def knows(self, token: str) -> bool:
        """True if this is a token of ours that is still good."""
        given = token.partition(".")[0]
        if not (given.isascii() and given.isdigit() and len(given) < 12):
            return False
        return hmac.compare_digest(token.encode(), self._signed(int(given)).encode()) and (
            int(given) + VALID_S > time.time()
        )

    def _signed(self, given: int) -> str:
        return f"{given}.{hmac.new(self._key, str(given).encode(), hashlib.sha256).hexdigest()}"
