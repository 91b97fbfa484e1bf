"""What this machine lacks and the running agent does without already: no reason to refuse a reload.

Rules
1. A mistake refuses, and so does what the agent has and would lose: a secret or a certificate that it has read, a file
   that it writes.
2. Lived with is what is about a station whose spool is not up, the serial device of a controller that is not connected
   now, what this outlet of the agent lacks already (the secret or certificate, not only the other side), the room that
   an outlet's file has no more: whoever writes it has none; and a clock that may not be set, which the status says.
3. A station is known by its number, an outlet by its kind and name: what is new is not lived with.
"""

from __future__ import annotations

import re
from pathlib import Path

from toolcart.agent.linux.awaiting_secret import NOT_STARTED
from toolcart.tools.config import path_checks
from toolcart.tools.config import secrets as config_secrets
from toolcart.tools.config.file import Mistake
from toolcart.tools.config.files import Checked
from toolcart.tools.config.path_checks import TLS_FILES
from toolcart.tools.messages import connections, reasons

_PLACE = re.compile(r"stations\[(\d+)\](?:\.outlets\[(\d+)\])?\.(\w+)")


def without(checked: Checked, stations: list[dict], folder: Path) -> Checked:
    """Return what was found without what the agent lives with; `stations` is its status."""
    if checked.configuration is None:
        return checked
    by_number = {station["number"]: station for station in stations}
    lacks = [lack for lack in checked.lacks if not _is_tolerated(lack, checked.configuration, by_number, folder)]
    return Checked(checked.configuration, checked.mistakes, lacks)


def _is_tolerated(lack: Mistake, configuration: dict, stations: dict[int, dict], folder: Path) -> bool:
    place = lack[0]
    if place == "toolsnet.clock":
        return True
    if place.startswith("toolsnet."):
        outlets = [outlet for station in stations.values() for outlet in station.get("outlets", ())]
        outlets = [outlet for outlet in outlets if outlet["kind"] == "toolsnet"]
        return bool(outlets) and all(map(_lacks_certificate, outlets))
    found = _PLACE.match(place)
    if found is None:
        return False
    settings = configuration["stations"][int(found[1])]
    station = stations.get(settings["number"])
    if station is None:
        return False
    if not station.get("mounted"):
        return not station.get("starting")
    if found[2] is None:
        return place.endswith(".controller.device") and not connections.is_working(station["controller"])
    outlet = settings["outlets"][int(found[2])]
    for running in station["outlets"]:
        if (running["kind"], running["name"]) == (outlet["kind"], outlet["name"]):
            return _is_lacking(running, found[3]) or _has_no_room(running, outlet, folder)
    return False


def _is_lacking(outlet: dict, key: str) -> bool:
    """True if this outlet of the running agent has not what this setting names."""
    if outlet["state"] == NOT_STARTED:
        return True
    if config_secrets.is_written(key):
        return False
    return _lacks_certificate(outlet) if key in TLS_FILES else _is_unusable(outlet)


def _lacks_certificate(outlet: dict) -> bool:
    return not connections.is_working(outlet) and connections.reason_of(outlet).slug == "no TLS files"


def _is_unusable(outlet: dict) -> bool:
    """True if this outlet of the running agent does not work until somebody sees to it."""
    return not connections.is_working(outlet) and reasons.is_refusal(connections.reason_of(outlet))


def _has_no_room(running: dict, outlet: dict, folder: Path) -> bool:
    """True if this outlet's file is the one that it writes already, and only has no room."""
    if "path" not in outlet or running.get("place") != str(folder / outlet["path"]):
        return False
    path = folder / outlet["path"]
    return not path_checks.path_problem(path) and bool(path_checks.no_room(path))
