"""The demo's folder: the agent's configuration, its spool, the archive, and where the next run continues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


ARCHIVE = "archive.sqlite"
LINE = "line"  # the pty for the serial links; its path has to fit the setting `device`
_NEWEST_ID = "newest-id"


def write_configuration(folder: Path, link: str, pim_port: int, controller_port: int) -> Path:
    """Write the agent's configuration and return its path."""
    # A pty has no baud rate; the highest keeps the waits short that are meant for a real wire.
    line = {"link": link, "device": str(folder / LINE), "baud": 115200}
    controller = {"host": "127.0.0.1", "port": controller_port} if link == "tcp" else line
    spool = {"path": "demo.spool", "size_kib": 1024}
    configuration = {
        "system": {"name": "Demo"},
        "toolsnet": {"pim_host": "127.0.0.1", "pim_port": pim_port, "reconnect_s": 1},
        "stations": [{"number": 1, "name": "Demo cart", "controller": controller, "spool": spool}],
    }
    path = folder / "demo.json"
    path.write_text(json.dumps(configuration, indent=2) + "\n", encoding="utf-8")
    return path


def first_id_in(folder: Path) -> int | None:
    """Return the ID after the last run's results, delivered or not; None lets the archive decide."""
    try:
        return int((folder / _NEWEST_ID).read_text(encoding="ascii")) + 1
    except (OSError, ValueError):
        return None


def keep_newest_id(folder: Path, newest: int) -> None:
    """Save the last tightening ID of this run."""
    (folder / _NEWEST_ID).write_text(f"{newest}\n", encoding="ascii")
