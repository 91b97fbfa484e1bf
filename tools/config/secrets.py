"""Secrets are kept outside the configuration: in a file that only its owner can read, or in systemd's credentials.

Rules
1. The value of a secret setting (toolcart.agent.cart.secrets.is_secret, except FILES) is {"file": NAME} or
   {"credential": NAME}. Writing the secret itself is a mistake: configurations are copied, mailed and kept in
   repositories.
2. A file's name is relative to the configuration's folder, and neither group nor others may have access (mode 0600).
   Its one line is the secret, without the line end.
3. A credential is the file NAME in $CREDENTIALS_DIRECTORY, where systemd puts what LoadCredential= names. Outside the
   service there is none: UNKNOWN takes its place, which is long enough for every check.
4. No message contains what a file holds.
5. What cannot be read here is no mistake in the configuration: it is good in itself, and cannot run here as it is.
   So is a content that its setting does not take: it is this machine's, and nobody else's configuration has it.
   An agent runs without the secret of an outlet beside ToolsNet and tries to get it again: `PendingSecrets`.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from toolcart.agent.cart import config
from toolcart.agent.cart.secrets import is_secret
from toolcart.base.private_files import user_name
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import regular_file, service

UNKNOWN = "*" * 8
_LONGEST = 4096  # that any setting takes; the setting itself says how long it may be
_TOO_LONG = "*" * (_LONGEST + 1)
FORMS = '{"file": NAME} or {"credential": NAME}'
NO_NAME = "a name that no file can have"  # on no machine
OWNER_ONLY = 0o077
_OF_OUTLET = re.compile(r"stations\[\d+\]\.outlets\[\d+\]\.")
_CREDENTIAL = re.compile(r"[\w.@-]{1,200}", re.ASCII)

# Settings that already name a file; the code that reads it checks its mode (toolcart.board.linux.tls).
FILES = ("tls_key",)

Mistake = tuple[str, str, str]


def resolve(
    tree: object, folder: Path, awaits: dict[str, dict] | None = None, unread: list[Mistake] | None = None
) -> tuple[list[Mistake], list[str]]:
    """Replace every secret's name in the tree by the secret; return mistakes, and places with no credential.

    With `awaits` one of an outlet that cannot be read is neither: a mark takes its place, and its name is put there.
    With `unread` no secret that is named as it should be is a mistake: why it cannot be read here is put there.
    """
    mistakes: list[Mistake] = []
    absent: list[str] = []
    read: dict[str, tuple[dict, str, dict, str | tuple[str, str]]] = {}
    for place, parent, key in list(secrets(tree)):
        value = parent[key]
        if isinstance(value, str) and value:
            mistakes.append((place, "***", f"{FORMS}; secrets are kept out of the configuration"))
            parent[key] = UNKNOWN
        elif isinstance(value, dict):
            parent[key] = UNKNOWN  # whatever is wrong with it, there is one: nothing else is a mistake for that
            read[place] = parent, key, value, _read_named(value, folder)
        elif value is not None and not isinstance(value, str):
            mistakes.append((place, "***", FORMS))
            parent[key] = UNKNOWN
    not_taken = _not_taken(tree, read, folder)
    for place, (parent, key, value, content) in read.items():
        secret = not_taken.get(place, content)
        if isinstance(secret, str) and secret != UNKNOWN:
            parent[key] = secret
        elif awaits is not None and _OF_OUTLET.match(place) and _is_named(value):
            parent[key] = f"{UNKNOWN}{len(awaits)}"
            awaits[parent[key]] = value
        elif isinstance(secret, str):
            absent.append(place)
        elif unread is not None and _is_named(value) and secret[0] != NO_NAME:
            unread.append((place, *secret))
        else:
            mistakes.append((place, *secret))
    return mistakes, absent


def _not_taken(tree: object, read: dict, folder: Path) -> dict[str, tuple[str, str]]:
    """Return for the place of each secret that its setting does not take what was found and what is allowed.

    What is a mistake whatever the secret is, is not meant.
    """
    whatever = {place for place, *_ in config.check(tree)} if read else ()
    for parent, key, _, secret in read.values():
        parent[key] = (secret or _TOO_LONG) if isinstance(secret, str) else UNKNOWN
    allowed = {place: words for place, _, words in config.check(tree)} if read else {}
    for parent, key, *_ in read.values():
        parent[key] = UNKNOWN
    return {
        place: _unfit(value, folder, secret, allowed[place])
        for place, (_, _, value, secret) in read.items()
        if place in allowed and place not in whatever
    }


def _unfit(value: dict, folder: Path, secret: str, allowed: str) -> tuple[str, str]:
    """Return what is wrong with a secret that is readable text, and what of `allowed` a file can hold."""
    has_blank = " " in secret and "without blanks" in allowed
    least = int(allowed.partition(" ")[0]) if allowed[:1].isdigit() else 0
    found = "a blank" if has_blank else "nothing" if not secret else "too little" if len(secret) < least else "too much"
    in_file = re.sub("^0 ", "1 ", allowed.removesuffix(" or null"))
    return f"{_path_of(value, folder)} with {found} in it", in_file


class PendingSecrets:
    """The secrets of one outlet that could not be read; `look` puts them into the outlet's settings once they can."""

    def __init__(self, folder: Path, settings: dict) -> None:
        self._folder = folder
        self._settings = settings
        self._named: dict[str, dict] = {}

    def add(self, key: str, value: dict) -> None:
        self._named[key] = value

    def files(self) -> list[Path]:
        """Return the files of those that are still awaited."""
        return [self._folder / value["file"] for value in self._named.values() if "file" in value]

    def look(self) -> str:
        """Return why one of them cannot be read now, "" if all can be and are in the settings."""
        for key, value in list(self._named.items()):
            secret = _read_named(value, self._folder)
            if not isinstance(secret, str):
                return f"{key}: found {secret[0]}; expected {secret[1]}"
            if secret == UNKNOWN:
                return f"{key}: no credential {value['credential']}: systemd hands over none (LoadCredential=)"
            allowed = config.outlet_fault({**self._settings, key: secret or _TOO_LONG}, key)
            if allowed:
                found, expected = _unfit(value, self._folder, secret, allowed)
                return f"{key}: found {found}; expected {expected}"
            self._settings[key] = secret
            del self._named[key]
        return ""


def attach_pending(configuration: dict, awaits: dict[str, dict], folder: Path) -> dict:
    """Give each outlet of the completed configuration what it awaits, in place of the mark that `resolve` has left."""
    for station in configuration["stations"] if awaits else ():
        for outlet in station["outlets"]:
            for key, value in list(outlet.items()):
                if isinstance(value, str) and value in awaits:
                    outlet.setdefault("awaits", PendingSecrets(folder, outlet)).add(key, awaits[value])
    return configuration


def is_written(key: str) -> bool:
    """True if the value of this key would itself be a secret."""
    return is_secret(key) and key not in FILES


def secrets(tree: object) -> Iterator[tuple[str, dict, Any]]:
    """Yield every secret of a tree: its place, the object that holds it, and its key there."""
    for place, part in objects(tree):
        yield from ((f"{place}{key}", part, key) for key in part if is_written(key))


def objects(tree: object, name: Callable[[str], str] = str) -> Iterator[tuple[str, dict]]:
    """Yield every object of a tree, with what stands in front of the place of its keys; `name` makes part of one."""
    work = [("", tree)]
    while work:
        place, part = work.pop()
        if isinstance(part, dict):
            yield place, part
            work += [(f"{place}{name(key)}.", value) for key, value in part.items()]
        elif isinstance(part, list):
            work += [(f"{place[:-1]}[{index}].", value) for index, value in enumerate(part)]


def named(tree: object, form: str) -> list[str]:
    """Return the names of a tree's secrets that have this form, "file" or "credential", each once."""
    values = [parent[key] for _, parent, key in secrets(tree)]
    names = [value[form] for value in values if isinstance(value, dict) and isinstance(value.get(form), str)]
    return sorted(set(names))


def _read_named(value: dict, folder: Path) -> str | tuple[str, str]:
    """Return the secret, or what was found and what is allowed."""
    if len(value) != 1 or not isinstance(next(iter(value.values())), str):
        return "an object", FORMS
    [(form, name)] = value.items()
    if form == "file":
        if not _is_file_name(name):
            return f'{"a blank around it: " * (name != name.strip())}"{name}"', "the name of a file"
        return from_file(folder / name)
    if form != "credential":
        return "an object", FORMS
    if not _CREDENTIAL.fullmatch(name):
        return "no name of a credential", "letters, digits and . _ - @"
    folder_path = os.environ.get("CREDENTIALS_DIRECTORY")
    return _text(Path(folder_path, name)) if folder_path else UNKNOWN


def _path_of(value: dict, folder: Path) -> Path:
    """Return the file of a named secret that could be read."""
    return folder / value["file"] if "file" in value else Path(os.environ["CREDENTIALS_DIRECTORY"], value["credential"])


def _is_named(value: dict) -> bool:
    """True if this is the name of a secret, whether it can be read or not."""
    [name] = [*value.values()][:1] or [None]
    if len(value) != 1 or not isinstance(name, str):
        return False
    if "file" in value:
        return _is_file_name(name)
    return "credential" in value and bool(_CREDENTIAL.fullmatch(name))


def _is_file_name(name: str) -> bool:
    """True if this can be a file's name: no folder's, and without a blank around it."""
    return name == name.strip() and name.rpartition("/")[2] not in ("", ".", "..")


def from_file(path: Path) -> str | tuple[str, str]:
    """Return the secret in this file, "" if it is empty, or what was found and what is allowed."""
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return f"{path}: {linux_refusal.not_entered(path)}", "a file that can be read"
    except OSError as error:
        return f"{path}: {service.kept_from(path) or error.strerror}", "a file that can be read"
    except ValueError:  # a NUL, or half a character
        return NO_NAME, "a file that can be read"
    if not stat.S_ISREG(mode):
        return f"{path}, which is no file", "a file"
    if mode & OWNER_ONLY:
        return f"{path} with mode {mode & 0o7777:04o}", f"mode 0600: chmod 600 {shlex.quote(str(path))}"
    return _text(path)


def _text(path: Path) -> str | tuple[str, str]:
    try:
        with open(path, "rb", opener=regular_file.opener) as file:
            octets = file.read(_LONGEST + 1 + len("\r\n"))
    except PermissionError:
        whose = "a file that the agent's user may read"
        return f"{path}, which {user_name()} may not read", f"{whose}: {linux_refusal.reading_command(path)}"
    except OSError as error:
        return f"{path}: {error.strerror}", "a file that can be read"
    try:
        text = octets.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return f"{path}, which is not UTF-8", "a text"
    odd = _odd(text)
    return (f"{path} with {odd} in it", "one line of printable ASCII characters") if odd else text


def _odd(text: str) -> str:
    """Say what no secret has in it, "" if it is printable ASCII in at most one line."""
    if text.startswith("\ufeff"):
        return "a byte order mark"
    if "\n" in text or "\r" in text:
        return "more than one line"
    if "\t" in text:
        return "a tab"
    if not text.isascii():
        return "a character that is not ASCII"
    return "" if text.isprintable() else "a control character"
