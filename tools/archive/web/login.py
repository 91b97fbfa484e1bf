"""Who may see the pages: whoever knows one password, if there is one.

Rules
1. A password comes from a file that only its owner can read (mode 0600), or from the environment; never from the
   command line, which every user of the machine can read.
2. Listening beyond the loopback needs one.
3. A visitor keeps a token: when it was given and a number by chance, signed with a key out of the password. It ends
   after 30 days (a screen on a wall logs in once a month), when its visitor logs out, and when the password changes. A
   restart ends none, and knows of no log-out before it.
4. Wrong passwords are slowed down by address: ten in a minute, then none from there is looked at until it is over.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
import stat
import time
from collections import deque
from pathlib import Path

VARIABLE = "TOOLCART_ARCHIVE_PASSWORD"
LEAST = 8  # characters
VALID_S = 30 * 24 * 3600
TRIES = 10
TRIES_S = 60.0
REMEMBERED_MOST = 10000  # addresses with wrong passwords; tokens that are over
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
        self._wrong: dict[str, deque[float]] = {}  # by the visitor's address, the latest last
        self._over: dict[str, None] = {}  # tokens of who has logged out

    def is_shut(self, visitor: str = "") -> bool:
        """True if too many wrong passwords came from this address just now."""
        wrong = self._wrong.get(visitor, ())
        return len(wrong) == TRIES and time.monotonic() - wrong[0] < TRIES_S

    def token(self, tried: str, visitor: str = "") -> str | None:
        """A token if this is the password. Takes some 50 ms, on purpose: call it in a thread."""
        if self.is_shut(visitor):
            return None
        key = hashlib.scrypt(tried.encode("utf-8", "surrogatepass"), salt=_SALT, n=2**14, r=8, p=1)
        if not hmac.compare_digest(key, self._key):
            wrong = self._wrong.pop(visitor, None) or deque(maxlen=TRIES)
            wrong.append(time.monotonic())
            _remember(self._wrong, visitor, wrong)
            return None
        return self._signed(int(time.time()), secrets.token_hex(8))

    def knows(self, token: str) -> bool:
        """True if this is a token of ours that is still good."""
        given, _, rest = token.partition(".")
        if not (given.isascii() and given.isdigit() and len(given) < 12) or token in self._over:
            return False
        signed = self._signed(int(given), rest.partition(".")[0])
        return hmac.compare_digest(token.encode(), signed.encode()) and int(given) + VALID_S > time.time()

    def forget(self, token: str) -> None:
        """Its visitor has logged out."""
        if self.knows(token):
            _remember(self._over, token, None)

    def _signed(self, given: int, chance: str) -> str:
        text = f"{given}.{chance}"
        return f"{text}.{hmac.new(self._key, text.encode('utf-8', 'surrogatepass'), hashlib.sha256).hexdigest()}"


def _remember(kept: dict, key: str, value: object) -> None:
    """Keep this; the oldest goes where there are too many."""
    if len(kept) >= REMEMBERED_MOST:
        kept.pop(next(iter(kept)))
    kept[key] = value
