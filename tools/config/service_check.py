"""Checks a configuration as its agent will find things: as its user, and in the confinement of its service.

Rules
1. What the service may use is tried, in a transient service with the settings of its unit (systemd-run): no setting is
   interpreted. Left out is what starts, watches and ends an agent, RuntimeDirectory=, whose end would delete the
   running agent's socket, and the folders that systemd would give to the user of the unit (StateDirectory=): where the
   unit has been changed the running agent is another user, who would lose its spools. They are paths to write instead.
2. Only root can have systemd do that. Without root, or where systemd does not start it, the words say that it was
   checked outside the service. What a process of the service itself checks (ExecReload=) is in it already.
3. What is wrong wherever the agent runs is found first, without the service: as its user, and as root for a dynamic
   user, who can look at its files in the service alone. That needs the folders as systemd gives them, so it is done
   only where they are a dynamic user's already, or not there: systemd makes them, as it would for the service.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from toolcart.base import subprocesses
from toolcart.base.private_files import user_name
from toolcart.base.sources import ROOT
from toolcart.board.linux import service
from toolcart.tools.config import file as config_file
from toolcart.tools.config import files, runner, socket_location
from toolcart.tools.config.files import Checked

BOOTED = "/run/systemd/system"  # there if systemd is the init system (sd_booted(3))
PATIENCE_S = 90
# Settings that begin so are those of an agent that runs, or of another process than this one.
_OF_RUNNING = (
    *("Exec", "Type", "Restart", "Watchdog", "Notify", "Timeout", "Runtime", "LoadCredential", "SetCredential"),
    *("ImportCredential", "Standard", "Start", "Success", "Sockets", "FileDescriptor", "Kill", "SendSIG", "FinalKill"),
    *("BusName", "PIDFile", "GuessMainPID", "RemainAfterExit", "OOM", "WorkingDirectory", "Environment", "Pass"),
    *("Unset", "Reload", "TTY", "Utmp", "NonBlocking", "RootDirectoryStartOnly", "Syslog"),
)
# Folders that systemd gives to the unit's user, and which of these it keeps.
_FOLDERS = {
    "StateDirectory": "/var/lib",
    "CacheDirectory": "/var/cache",
    "LogsDirectory": "/var/log",
    "ConfigurationDirectory": "/etc",
    "RuntimeDirectory": "/run",
}
_KEPT = tuple(key for key in _FOLDERS if key != "RuntimeDirectory")
_VARIABLES = {"RuntimeDirectory": "RUNTIME_DIRECTORY", "StateDirectory": "STATE_DIRECTORY"}
_ROOT = runner.User(0, 0)
# Of a unit's file, for the whole system (systemd.unit(5)); systemd-run takes none.
_SPECIFIERS = {"%S": "/var/lib", "%C": "/var/cache", "%L": "/var/log", "%t": "/run", "%E": "/etc", "%%": "%"}


def check(path: str, text: str | None = None, to_reload: bool = False) -> tuple[Checked, str, str]:
    """Return what was found, as whom, and that in words; with `text` that is checked, as if it were there.

    `to_reload`: only what the running agent would refuse to read it again for, if one answers.
    """
    unit, agent = runner.unit_of(path), runner.user_of(path)
    has_user = unit is None or not runner.is_dynamic(unit[1])
    with runner.acting_as(agent if has_user else _ROOT) as user:
        checked = files.check(path, runner.credentials_of(path), text=text)
        faults = socket_location.reload_faults(path) if to_reload and not checked.mistakes else None
    if faults is not None:
        checked.lacks = faults  # which the agent may know of no file
    if faults is not None or checked.mistakes or unit is None or not os.path.isdir(BOOTED):
        return checked, user.name, user.words
    name, settings = unit
    if service.unit() == name:
        return checked, user.name, f"{user.words}, in the service {name}"
    if not has_user and any(os.path.isdir(folder) and not os.path.islink(folder) for folder in _folders(settings)):
        checked.lacks = []  # root cannot tell what that user lacks
        return (
            checked,
            user.name,
            f"{user.words}, without its files (the service {name} gets a dynamic user at its start)",
        )
    found = _in_service(path, text, name, settings) if os.geteuid() == 0 else "root checks it there"
    if isinstance(found, str):
        return checked, user.name, f"{user.words}, outside the service {name} ({found})"
    outside = {place for place, *_ in checked.lacks}
    lacks, checked.later, who = found
    checked.lacks = [_of_unit(lack, name) if has_user and lack[0] not in outside else lack for lack in lacks]
    return checked, who, f"{who}, in the service {name}"


def _of_unit(lack: config_file.Mistake, name: str) -> config_file.Mistake:
    """Return what only the service lacks, in words that say so."""
    place, found, allowed = lack
    words = f"the service {name}"
    return lack if words in found else (place, f"{found} (for {words} only, by its unit)", allowed)


def _in_service(
    path: str, text: str | None, name: str, settings: dict[str, list[str]]
) -> tuple[list[config_file.Mistake], list[config_file.Mistake], str] | str:
    """Return what is lacking, what will be later, and for whom, in a transient service; why there is none in words."""
    asked = json.dumps({"path": os.path.abspath(path), "text": text, "credentials": [*runner.credentials_of(path)]})
    try:
        done = subprocess.run(
            command(name, settings), input=asked, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"systemd-run: {getattr(error, 'strerror', None) or 'it does not end'}"
    try:
        lacks, later, who = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.strip().rpartition("\n")[2]
        return last or f"systemd-run ends with {done.returncode}"
    return [tuple(lack) for lack in lacks], [tuple(one) for one in later], who


def command(name: str, settings: dict[str, list[str]]) -> list[str]:
    """Return the command that checks in the confinement of the unit `name` with these settings."""
    words = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", f"--description=check for {name}.service"]
    is_dynamic = runner.is_dynamic(settings)
    left_out = _OF_RUNNING if is_dynamic else (*_OF_RUNNING, *_KEPT)
    for key, values in settings.items():
        if not key.startswith(left_out):
            words += [f"--property={key}={_expanded(value)}" for value in values or [""]]
    if not is_dynamic:
        words += [f"--property=ReadWritePaths=-{folder}" for folder in _folders(settings)]
    elif not settings.get("User"):
        words.append(f"--property=User={name}")  # else the user is named after the transient unit
    variables = {service.CHECKED: name, "PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT))}
    for key, variable in _VARIABLES.items():
        folders = _folders(settings, key)
        if folders:
            variables[variable] = ":".join(folders)
    words += [f"--setenv={key}={value}" for key, value in variables.items()]
    return [*words, *subprocesses.command("-m", "toolcart.tools.config.service_check")]


def _folders(settings: dict[str, list[str]], *keys: str) -> list[str]:
    """Return the folders that systemd gives to the unit's user by these settings; without any, those that it keeps."""
    return [
        f"{_FOLDERS[key]}/{word.partition(':')[0]}"
        for key in keys or _KEPT
        for value in settings.get(key, [])
        for word in value.split()
    ]


def _expanded(value: str) -> str:
    return re.sub("%.", lambda specifier: _SPECIFIERS.get(specifier[0], specifier[0]), value)


def main() -> None:
    """Check what standard input says, in the service."""
    asked = json.load(sys.stdin)
    checked = files.check(Path(asked["path"]), asked["credentials"], text=asked["text"])
    print(json.dumps([checked.all(), checked.later, user_name()]))


if __name__ == "__main__":
    main()
