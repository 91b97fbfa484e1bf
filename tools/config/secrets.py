"""Secrets are kept outside the configuration: in a file that only its owner can read, or in systemd's credentials.

Rules
1. The value of a secret setting (agent.cart.secrets.is_secret, except FILES) is {"file": NAME} or {"credential": NAME}.
   Writing the secret itself is a mistake: configurations are copied, mailed and kept in repositories.
2. A file's name is relative to the configuration's folder, and neither group nor others may have access (mode 0600).
   Its one line is the secret, without the line end.
3. A credential is the file NAME in $CREDENTIALS_DIRECTORY, where systemd puts what LoadCredential= names. Outside the
   service there is none: UNKNOWN takes its place, which is long enough for every check.
4. No message contains what a file holds.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.cart.secrets import is_secret

UNKNOWN = "*" * 8
SECRET_BYTES_MAX = 4096  # the size of a key file; a larger file cannot be the right one
FORMS = '{"file": NAME} or {"credential": NAME}'
OWNER_ONLY = 0o077
_CREDENTIAL = re.compile(r"[\w.@-]{1,200}", re.ASCII)

# Settings that already name a file; the code that reads it checks its mode (board.linux_tls).
FILES = ("tls_key",)

Mistake = tuple[str, str, str]


def resolve(tree: object, folder: Path) -> tuple[list[Mistake], list[str]]:
    """Replace every secret's name in the tree by the secret; return mistakes, and places with no credential."""
    mistakes: list[Mistake] = []
    absent: list[str] = []
    for place, parent, key in list(secrets(tree)):
        value = parent[key]
        if isinstance(value, str) and value:
            mistakes.append((place, "***", f"{FORMS}; a secret does not stand in the configuration itself"))
            parent[key] = None
        elif isinstance(value, dict):
            parent[key] = None
            found = _named(value, folder)
            if isinstance(found, str):
                parent[key] = found
                absent += [place] if found == UNKNOWN else []
            else:
                mistakes.append((place, *found))
    return mistakes, absent


def is_written(key: str) -> bool:
    """True if the value of this key would itself be a secret."""
    return is_secret(key) and key not in FILES


def secrets(tree: object) -> Iterator[tuple[str, dict, Any]]:
    """Yield every secret of a tree: its place, the object that holds it, and its key there."""
    work = [("", tree)]
    while work:
        place, part = work.pop()
        if isinstance(part, dict):
            for key, value in part.items():
                if is_written(key):
                    yield f"{place}{key}", part, key
                else:
                    work.append((f"{place}{key}.", value))
        elif isinstance(part, list):
            work += [(f"{place[:-1]}[{index}].", value) for index, value in enumerate(part)]


def named(tree: object, form: str) -> list[str]:
    """Return the names of a tree's secrets that have this form, "file" or "credential", each once."""
    values = [parent[key] for _, parent, key in secrets(tree)]
    names = [value[form] for value in values if isinstance(value, dict) and isinstance(value.get(form), str)]
    return sorted(set(names))


def _named(value: dict, folder: Path) -> str | tuple[str, str]:
    """Return the secret, or what was found and what is allowed."""
    if len(value) != 1 or not isinstance(next(iter(value.values())), str):
        return "an object", FORMS
    [(form, name)] = value.items()
    if form == "file":
        return _from_file(folder / name)
    if form != "credential":
        return "an object", FORMS
    if not _CREDENTIAL.fullmatch(name):
        return "no name of a credential", "letters, digits and . _ - @"
    place = os.environ.get("CREDENTIALS_DIRECTORY")
    return _text(Path(place, name)) if place else UNKNOWN


def _from_file(path: Path) -> str | tuple[str, str]:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"{path}: {error.strerror}", "a file that can be read"
    if not stat.S_ISREG(mode):
        return f"{path}, which is no file", "a file"
    if mode & OWNER_ONLY:
        return f"{path} with mode {mode & 0o7777:04o}", f"mode 0600: chmod 600 {path}"
    return _text(path)


def _text(path: Path) -> str | tuple[str, str]:
    try:
        with path.open("rb") as file:
            octets = file.read(SECRET_BYTES_MAX + 1)
    except OSError as error:
        return f"{path}: {error.strerror}", "a file that can be read"
    try:
        text = octets.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return f"{path}, which is no UTF-8", "a text"
    if not text or len(octets) > SECRET_BYTES_MAX:
        return f"{path} with {'nothing' if not text else 'too much'} in it", f"1 to {SECRET_BYTES_MAX} bytes"
    return text
