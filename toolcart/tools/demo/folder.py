"""The demo's folder: the agent's configuration, its spool, the archive, and where the next run continues."""

from __future__ import annotations

import copy
import json
from pathlib import Path

ARCHIVE = "archive.sqlite"
SIMULATED_ARCHIVE = "simulated.sqlite"  # used if the archive's libraries are missing; its tables differ
LINE = "line"  # the pty for the serial links; its path has to fit the setting `device`
_NEWEST_ID = "newest-id"

CONFIGURATION = {
    "system": {"name": "Demo"},
    "toolsnet": {"pim_host": "127.0.0.1", "pim_port": 0, "reconnect_s": 1},
    "stations": [
        {
            "number": 1,
            "name": "Demo cart",
            "controller": {"host": "127.0.0.1", "port": 0},
            "spool": {"path": "demo.spool", "size_kib": 1024},
        }
    ],
}


def write_configuration(folder: Path, link: str, pim_port: int, controller_port: int) -> Path:
    """Write the agent's configuration and return its path."""
    configuration = copy.deepcopy(CONFIGURATION)
    configuration["toolsnet"]["pim_port"] = pim_port
    controller = configuration["stations"][0]["controller"]
    if link == "tcp":
        controller["port"] = controller_port
    else:
        # A pty has no baud rate; the highest keeps the waits short that are meant for a real wire.
        for key in ("host", "port"):
            del controller[key]
        controller.update(link=link, device=str(folder / LINE), baud=115200)
    path = folder / "demo.json"
    path.write_text(json.dumps(configuration, indent=2) + "\n", encoding="utf-8")
    return path


def first_id(folder: Path) -> int | None:
    """Return the ID after the last run's results, delivered or not; None lets the archive decide."""
    try:
        return int((folder / _NEWEST_ID).read_text(encoding="ascii")) + 1
    except (OSError, ValueError):
        return None


def keep_newest_id(folder: Path, newest: int) -> None:
    """Save the last tightening ID of this run."""
    (folder / _NEWEST_ID).write_text(f"{newest}\n", encoding="ascii")
