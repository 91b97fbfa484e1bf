"""What the unit of a service lets its agent write, as its file and drop-ins say it (systemd.exec(5)).

Rules
1. Of nested settings the inner one holds, of two for one path the stricter one; what is hidden hides all below it.
2. Without systemd nobody is confined. The agent finds by trying what it may not write, and asks here why, and for what
   it may write and will not find again: folders that are made anew with each start of the service.
3. Where the unit has what this does not know (a root of its own, a specifier) nothing is said.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from toolcart.board.linux import service

BOOTED = "/run/systemd/system"  # there if systemd is the init system (sd_booted(3))
_ON = ("yes", "true", "on", "1")
_HOMES = ("/home", "/root", "/run/user")
_NOT_OF_STRICT = ("/proc", "/sys", "/dev", *_HOMES)  # these have settings of their own
_OWN_FOLDERS = {
    "StateDirectory": "/var/lib",
    "CacheDirectory": "/var/cache",
    "LogsDirectory": "/var/log",
    "RuntimeDirectory": "/run",
}
_SPECIFIERS = {"%S": "/var/lib", "%C": "/var/cache", "%L": "/var/log", "%t": "/run", "%%": "%"}
_UNKNOWN = ("RootDirectory", "RootImage", "TemporaryFileSystem", "BindPaths", "BindReadOnlyPaths")
_PATHS = ("InaccessiblePaths", "ReadOnlyPaths", "ReadWritePaths")


class _Rule(NamedTuple):
    """A path, and what the `setting` makes of all below it."""

    path: str
    setting: str = ""
    may_write: bool = False
    is_hidden: bool = False
    is_emptied: bool = False  # whenever the service ends


class Confinement:
    """Where the agent of this unit may write; without a unit, and without systemd, it is wherever its user may.

    `of_agent`: this process is that of the agent, be it of the service or not.
    """

    def __init__(self, unit: tuple[str, dict[str, list[str]]] | None, of_agent: bool = False) -> None:
        self._name, self._settings = unit or ("", {})
        self._of_agent = of_agent
        rules = [*self._protected(), *self._own_folders(), *self._paths()]
        is_known = not any(map(self._value, _UNKNOWN)) and all(rule.path for rule in rules)
        is_confined = os.path.isdir(BOOTED) and not (of_agent and service.unit() != self._name)
        self._rules = rules if is_known and is_confined else []

    def problem(self, path: Path, is_refused: bool = False) -> tuple[str, str]:
        """Say what keeps the agent from writing a file of this path, and what would do; two "" if the unit does not.

        `is_refused`: this process has tried, and cannot. A folder that is not there comes first, as a unit may name
        only what is there; of what is hidden the agent cannot know, and of that no unit's name is asked.
        """
        rule = self._rule_of(os.path.realpath(path))
        if rule is None or rule.may_write or (self._of_agent and not (rule.is_emptied or is_refused)):
            return "", ""
        words = f"the service {self._name} may not write there, by {rule.setting} of its unit"
        if rule.is_emptied:
            words = f"the service {self._name} loses whenever it ends what is there, by {rule.setting} of its unit"
        state = next((f"/var/lib/{word.partition(':')[0]}" for word in self._words("StateDirectory")), "")
        if rule.is_hidden or rule.is_emptied:
            return words, f"a file below {state}" if state else "a file elsewhere"
        if not os.path.isdir(path.parent):
            return "", ""
        allowing = service.allowing(service.folder_of(str(path)), self._name)
        return words, f"a file below {state}, or {allowing}" if state else allowing

    def _rule_of(self, real: str) -> _Rule | None:
        rules = [rule for rule in self._rules if service.is_below(real, rule.path)]
        depth = lambda rule: (rule.is_hidden, len(Path(os.path.realpath(rule.path)).parts), not rule.may_write)  # noqa: E731
        return max(rules, key=depth, default=None)

    def _protected(self) -> Iterator[_Rule]:
        """Give what ProtectSystem= and ProtectHome= say; a dynamic user has both."""
        dynamic = "DynamicUser=yes" if self._value("DynamicUser") in _ON else ""
        system, home = self._value("ProtectSystem"), self._value("ProtectHome")
        if system == "strict" or dynamic:
            yield _Rule("/", "ProtectSystem=strict" if system == "strict" else dynamic)
            yield from (_Rule(path, may_write=True) for path in _NOT_OF_STRICT)
        elif system in (*_ON, "full"):
            folders = ("/usr", "/boot", "/efi", *(("/etc",) if system == "full" else ()))
            yield from (_Rule(path, f"ProtectSystem={system}") for path in folders)
        if home in (*_ON, "tmpfs", "read-only") or dynamic:
            setting = f"ProtectHome={home}" if home in (*_ON, "tmpfs", "read-only") else dynamic
            yield from (_Rule(path, setting, is_hidden=home in (*_ON, "tmpfs")) for path in _HOMES)
        if self._value("PrivateTmp") in _ON or dynamic:
            setting = dynamic or "PrivateTmp=yes"
            yield from (_Rule(path, setting, is_emptied=True) for path in ("/tmp", "/var/tmp"))

    def _own_folders(self) -> Iterator[_Rule]:
        """Give the folders that systemd makes for the service."""
        for key, root in _OWN_FOLDERS.items():
            is_emptied = key == "RuntimeDirectory" and self._value("RuntimeDirectoryPreserve") not in _ON
            for word in self._words(key):
                setting = f"{key}={word}" if is_emptied else ""
                yield _Rule(f"{root}/{word.partition(':')[0]}", setting, not is_emptied, is_emptied=is_emptied)

    def _paths(self) -> Iterator[_Rule]:
        """Give the paths that the unit names; one without a path if that is not known."""
        for key in _PATHS:
            for word in self._words(key):
                pieces = iter(word.lstrip("-+"))
                path = "".join(_SPECIFIERS.get(f"%{next(pieces, '')}", "\0") if c == "%" else c for c in pieces)
                path = "" if "\0" in path else path
                yield _Rule(path, f"{key}={path}", key == "ReadWritePaths", key == "InaccessiblePaths")

    def _value(self, key: str) -> str:
        """Return the last value of a setting; "" without one."""
        return (self._settings.get(key) or [""])[-1]

    def _words(self, key: str) -> Iterator[str]:
        for line in self._settings.get(key, []):
            try:
                yield from shlex.split(line)
            except ValueError:
                yield from line.split()
