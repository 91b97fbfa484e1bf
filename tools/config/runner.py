"""Who runs the agent of a configuration: the service whose unit names it, the service's user, else the folder's owner.

Rules
1. The unit is the file that systemd would read, with its drop-ins; systemd itself need not run (the image of a card).
2. A dynamic user has no name that lasts: the owner of the state folder stands for it.
3. Root checks files as the agent's user: with its user, group and groups as effective ones, and only meanwhile. Python
   reads modules when they are first needed, so that user has to be able to read all of the program and of Python.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shlex
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from toolcart.base.private_files import user_name
from toolcart.base.sources import ROOT
from toolcart.tools.config.file import folder_of

# In the order in which systemd prefers them (systemd.unit(5)).
UNIT_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)

_CREDENTIALS = ("LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted")


@dataclass(frozen=True)
class User:
    """A user of this machine, and the groups that its agent has."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    instead_of: str = ""  # who could not be acted as, as this program is not readable for that user

    @property
    def name(self) -> str:
        """Return its name, or its number if it has none."""
        return user_name(self.uid)

    @property
    def words(self) -> str:
        """Return the name, with why it is not that of the agent's user."""
        return f"{self.name}, as {self.instead_of} cannot read this program" if self.instead_of else self.name


def unit_of(config_path: str | Path) -> tuple[str, dict[str, list[str]]] | None:
    """Return the unit whose agent has this configuration, without `.service`, and its settings; None if none has."""
    wanted = os.path.realpath(config_path)
    seen = set()
    for folder in map(Path, UNIT_FOLDERS):
        for path in sorted(folder.glob("*toolcart*.service")):
            if path.name in seen:
                continue
            seen.add(path.name)
            settings = _settings(path)
            named = _configuration_in(settings.get("ExecStart", []))
            if named is not None and os.path.realpath(named) == wanted:
                return path.name.removesuffix(".service"), settings
    return None


def _last(settings: dict[str, list[str]], key: str) -> str:
    """Return the last value of a setting; "" without one, or where an empty one has taken them back."""
    return (settings.get(key) or [""])[-1]


def is_dynamic(settings: dict[str, list[str]]) -> bool:
    """True if the user of a service with these settings is there only while it runs."""
    return _last(settings, "DynamicUser").lower() in ("yes", "true", "on", "1")


def credentials_of(config_path: str | Path) -> set[str]:
    """Return the names of the credentials that the service of this configuration will be handed over."""
    unit = unit_of(config_path)
    lines = [line for key in _CREDENTIALS for line in unit[1].get(key, [])] if unit else []
    return {line.partition(":")[0] for line in lines}


def user_of(config_path: str | Path) -> User:
    """Return the user that the agent of this configuration has, as far as this machine shows it."""
    unit = unit_of(config_path)
    folder = folder_of(config_path)
    if unit is not None:
        settings = unit[1]
        extra = tuple(_group(name) for line in settings.get("SupplementaryGroups", []) for name in line.split())
        groups = tuple(group for group in extra if group is not None)
        name = _last(settings, "User")
        if name and not is_dynamic(settings):
            with contextlib.suppress(KeyError):
                account = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
                gid = _group(_last(settings, "Group"))
                account_groups = os.getgrouplist(account.pw_name, account.pw_gid)
                return User(account.pw_uid, account.pw_gid if gid is None else gid, (*account_groups, *groups))
        return _owner(folder, groups)
    return _owner(folder, ())


@contextlib.contextmanager
def acting_as(user: User) -> Iterator[User]:
    """Do everything with files as this user, if we are root and it can read this program; yield whom it is done as."""
    if os.geteuid() != 0 or user.uid == 0:
        yield User(os.geteuid(), os.getegid())
        return
    before, program = os.getgroups(), _program()
    os.setgroups(user.groups or (user.gid,))
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        if all(os.access(path, os.R_OK, effective_ids=True) for path in program):
            yield user
            return
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)
    yield User(
        0, 0, instead_of=user.name
    )  # what it cannot read it cannot run, nor could this command go on as that user


def _program() -> list[Path]:
    """Return a file or folder of each part that modules are read from: ours, Python's own, and the packages we use."""
    paths = [ROOT / "toolcart" / "__init__.py"]
    paths += [Path(sysconfig.get_path(name), "encodings") for name in ("stdlib", "platstdlib")]
    paths += [Path(sysconfig.get_path("platstdlib"), "lib-dynload")]
    specs = [find_spec(name) for name in ("encodings", "click", "h11", "serial")]
    paths += [Path(spec.origin) for spec in specs if spec is not None and spec.origin is not None]
    return [path for path in paths if path.exists()]  # a program in one file has none of Python's


def _settings(path: Path) -> dict[str, list[str]]:
    """Return the settings of the service in a unit file and its drop-ins; an empty value clears those before it."""
    drop_ins = sorted(
        (drop_in for folder in UNIT_FOLDERS for drop_in in Path(folder, f"{path.name}.d").glob("*.conf")),
        key=lambda drop_in: drop_in.name,
    )
    settings: dict[str, list[str]] = {}
    for file in (path, *drop_ins):
        section = "[Service]"
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ").splitlines()
        except OSError:
            continue
        for line in lines:
            key, equals, value = line.partition("=")
            section = line.strip() if line.startswith("[") else section
            if not equals or section != "[Service]" or line.lstrip().startswith(("#", ";", "[")):
                continue
            settings[key.strip()] = [*settings.get(key.strip(), []), value.strip()] if value.strip() else []
    return settings


def _configuration_in(commands: list[str]) -> Path | None:
    for command in commands:
        try:
            arguments = shlex.split(command.replace("%%", "%").replace("$$", "$"))
        except ValueError:
            continue
        if "run" in arguments and "--config" in arguments[:-1]:
            return Path(arguments[arguments.index("--config") + 1])
    return None


def _group(name: str) -> int | None:
    try:
        return int(name) if name.isdigit() else grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def _owner(folder: Path, groups: tuple[int, ...]) -> User:
    try:
        status = os.stat(folder)
    except OSError:
        return User(os.geteuid(), os.getegid(), groups)
    return User(status.st_uid, status.st_gid, (status.st_gid, *groups))
