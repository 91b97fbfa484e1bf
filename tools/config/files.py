"""The files of a configuration: checked as a whole, read, and looked at again; itself, secrets and certificates.

Rules
1. What counts is a file's content: one that was only touched has not changed. It is read again only if its inode, size
   or times are others.
2. One that could be used and no longer can has changed. A secret that never could is tried again by who needs it: what
   it is when it first can be used counts as read.
3. `digest` is the configuration file's alone, in which no secret stands; what the others hold leaves no trace.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from toolcart.base import open_files
from toolcart.board.linux import regular_file
from toolcart.tools.config import file as config_file
from toolcart.tools.config import machine_checks, path_checks, socket_location
from toolcart.tools.config import secrets as config_secrets
from toolcart.tools.config.file import Mistake
from toolcart.tools.config.path_checks import TLS_FILES

READ_TRIES = 3


class Files:
    """The state of these files now; `changed` compares it with what they are later."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        named, self._secrets = _named(self._path)
        self._as_read = {file: self._state(file) for file in named}
        self._now = dict(self._as_read)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the configuration file as it was read; "" if it could not be."""
        content = self._as_read[self._path][1]
        return content.hex() if isinstance(content, bytes) else ""

    def changed(self) -> list[str]:
        """Return the paths of those that are not what they were."""
        for file, (stamp, _) in self._now.items():
            if _stamp(file) != stamp:
                self._now[file] = self._state(file)
                if not isinstance(self._as_read[file][1], bytes):
                    self._as_read[file] = self._now[file]
        return [str(file) for file, (_, content) in self._now.items() if content != self._as_read[file][1]]

    def expect(self, configuration: dict) -> None:
        """Take each secret that an outlet of this configuration awaits for one that could not be used."""
        for station in configuration["stations"]:
            for outlet in station["outlets"]:
                for file in outlet["awaits"].files() if "awaits" in outlet else ():
                    self._as_read[file] = self._now[file] = (_stamp(file), "awaited")

    def _state(self, file: Path) -> tuple[object, bytes | str]:
        """Return the file's stamp, and the digest of its content or why it cannot be used."""
        stamp = _stamp(file)
        if file in self._secrets:
            secret = config_secrets.from_file(file)
            return stamp, hashlib.sha256(secret.encode()).digest() if isinstance(secret, str) else secret[0]
        try:
            return stamp, hashlib.sha256(regular_file.content_of(file)).digest()
        except (OSError, ValueError) as error:  # the latter where no file can be named so
            return stamp, getattr(error, "strerror", None) or str(error)

    def state(self) -> tuple[bytes | str, ...]:
        """Return what differs whenever a file is another one than when `changed` last looked."""
        return tuple(content for _, content in self._now.values())


def read_to_run(path: str | Path) -> tuple[dict, Files]:
    """Return the completed configuration (toolcart.tools.config.file) and the files that it was read from."""
    tries = READ_TRIES
    while True:
        files = Files(path)
        configuration = config_file.read_to_run(path)
        tries -= 1
        if not tries or not files.changed():  # else it was written to meanwhile
            _ensure_open_files(path, configuration)
            files.expect(configuration)
            return configuration, files


def _ensure_open_files(path: str | Path, configuration: dict) -> None:
    """Raise CannotRunHere if an agent with this configuration may open too few files."""
    try:
        open_files.require(
            open_files.LEAST + sum(map(_files_of, configuration["stations"])), "these stations with their outlets need"
        )
    except open_files.TooFewFiles as reason:
        raise config_file.CannotRunHere(path, [("stations", "", str(reason))]) from None


def _files_of(station: dict) -> int:
    """Return how many a station has open: spool, socket and its client, controller, outlets; a file is read, too."""
    return 4 + sum(1 + (outlet["kind"] == "file") for outlet in station["outlets"])


def certificates(tree: dict) -> list[str]:
    """Return the names of the files for TLS in a configuration's tree, each once."""
    stations = tree.get("stations")
    sections = [tree.get("toolsnet")]
    for station in stations if isinstance(stations, list) else ():
        outlets = station.get("outlets") if isinstance(station, dict) else None
        sections += outlets if isinstance(outlets, list) else []
    named = [section.get(key) for section in sections if isinstance(section, dict) for key in TLS_FILES]
    return list(dict.fromkeys(name for name in named if isinstance(name, str) and name))


def _named(path: Path) -> tuple[list[Path], set[Path]]:
    """Return the configuration file and those it names, and which of them are secrets; itself alone if unreadable."""
    try:
        tree = config_file.parse(path)
    except config_file.ConfigurationError:
        return [path], set()
    if not isinstance(tree, dict):
        return [path], set()
    secrets = [Path(os.path.realpath(path)).parent / name for name in config_secrets.named(tree, "file")]
    tls_files = [config_file.folder_of(path) / name for name in certificates(tree)]
    return list(dict.fromkeys([path, *secrets, *tls_files])), set(secrets)


def _stamp(file: Path) -> object:
    try:
        status = os.stat(file)
    except OSError as error:
        return error.errno
    except ValueError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@dataclass
class Checked:
    """`configuration` is the completed one, None if there are mistakes; `lacks` is what keeps it from running here.

    `later` is what keeps it from no start and will not work, at once or later, or has no effect: place, words, what
    helps.
    """

    configuration: dict | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    lacks: list[Mistake] = field(default_factory=list)
    later: list[Mistake] = field(default_factory=list)

    def all(self) -> list[Mistake]:
        """Return everything that is wrong."""
        return [*self.mistakes, *self.lacks]


def first_of(problems: list[Mistake]) -> str:
    """Return the first of what is wrong in one line, and how many there are; "" if nothing is."""
    if not problems:
        return ""
    more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
    return f"{config_file.placed_sentence(problems[0])}{more}"


def check(
    path: str | Path, credentials: Iterable[str] = (), agent_pid: int | None = None, text: str | None = None
) -> Checked:
    """Check the file and everything that it names, as the user of this process; with `text` that, as if it were there.

    Credentials of these names need not be here: the service's, if it is not this process. What the agent of this
    configuration has, whose process is `agent_pid`, it may use; None: who answers at its socket.
    """
    try:
        configuration, unread, idle = config_file.read_to_check(path, credentials, text)
    except config_file.ConfigurationError as error:
        return Checked(None, error.mistakes)
    folder = config_file.folder_of(path)
    agent_pid = socket_location.process_at(path) if agent_pid is None else agent_pid
    lacks = [*unread, *config_file.not_runnable(configuration, folder)]
    lacks += path_checks.unusable(configuration, folder, agent_pid)
    lacks += machine_checks.lacking(path, configuration)
    later = [*idle, *path_checks.not_grown(configuration, folder), *path_checks.not_renamed(configuration, folder)]
    return Checked(configuration, [], lacks, later)
