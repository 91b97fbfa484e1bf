"""What a configuration needs of this machine besides files: serial devices, and the right to set the clock.

Rules
1. No device is opened: some adapters reset a controller then. Its type is what the kernel says.
2. A chip's configuration says nothing about this machine.
3. The right to set the clock is that of the unit which runs the agent, as a start would have it; without a unit it is
   that of the agent's user.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from toolcart.tools.config import runner
from toolcart.tools.config.path_checks import A_DEVICE, is_of_a_chip

MAY_SET = "a service with AmbientCapabilities=CAP_SYS_TIME, as `toolcart install-service` makes one, or off or check"
_DEVICES = "/sys/dev/char"  # all character devices that drivers have made; pseudo terminals are not there
_CAPABILITY = "CAP_SYS_TIME"

Mistake = tuple[str, str, str]  # place, found, allowed


def lacking(path: str | Path, configuration: dict) -> list[Mistake]:
    """List what this machine does not have for the agent of this configuration, whose file is at `path`."""
    if is_of_a_chip(configuration):
        return []
    devices = [(place, device_problem(device), A_DEVICE) for place, device in _devices(configuration)]
    return [*[mistake for mistake in devices if mistake[1]], *_clock(path, configuration)]


def device_problem(device: str) -> str:
    """Say why this is no serial device, "" if it is one."""
    try:
        status = os.stat(device)
    except OSError as error:
        return f"{device}: {error.strerror}"
    if not stat.S_ISCHR(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a file" if stat.S_ISREG(status.st_mode) else ""
        return f"{device}, which is {kind or 'no device'}"
    number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    subsystem = os.path.basename(os.path.realpath(f"{_DEVICES}/{number}/subsystem"))
    if os.path.exists(f"{_DEVICES}/{number}/subsystem") and subsystem != "tty":
        return f"{device}, which is a device, but no serial line"
    return ""


def _devices(configuration: dict) -> list[tuple[str, str]]:
    """Return the place and path of each serial device of this machine."""
    return [
        (f"stations[{index}].controller.device", station["controller"]["device"])
        for index, station in enumerate(configuration["stations"])
        if station["controller"]["link"] != "tcp" and "://" not in station["controller"]["device"]
    ]


def _clock(path: str | Path, configuration: dict) -> list[Mistake]:
    if (configuration["toolsnet"] or {}).get("clock") != "set":
        return []
    unit, user = runner.unit_of(path), runner.user_of(path)
    if user.uid == 0 and unit is None:
        return []
    named = [word for line in (unit[1].get("AmbientCapabilities", []) if unit else []) for word in line.split()]
    if _CAPABILITY in named:
        return []
    who = f"the service {unit[0]}" if unit else user.name
    return [("toolsnet.clock", f'"set", which {who} may not do', MAY_SET)]
