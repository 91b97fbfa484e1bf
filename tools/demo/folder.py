"""The demo's folder: the agent's configuration, its spool, the archive, and where the next run continues."""

from __future__ import annotations

import json
from pathlib import Path

CART = "Demo cart"  # in the live view and on the archive's pages
ARCHIVE = "archive.sqlite"
LINE = "line"  # the pty for the serial links; its path has to fit the setting `device`
_NEWEST_ID = "newest-id"


def write_configuration(folder: Path, link: str, pim_port: int, controller_port: int) -> Path:
    """Write the agent's configuration and return its path."""
    # A pty has no baud rate; the highest keeps the waits short that are meant for a real wire.
    line = {"link": link, "device": str(folder / LINE), "baud": 115200}
    end = {"host": "127.0.0.1", "port": controller_port} if link == "tcp" else line
    controller = {**end, "result_revisions": [3]}  # with limits: the pages' Cp needs them from the first result on
    spool = {"path": "demo.spool", "size_kib": 1024}
    toolsnet = {"pim_host": "127.0.0.1", "pim_port": pim_port, "reconnect_s": 1, "extras": ["names"]}
    configuration = {
        "system": {"name": "Demo"},
        "toolsnet": toolsnet,
        "stations": [{"number": 1, "name": CART, "controller": controller, "spool": spool}],
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
