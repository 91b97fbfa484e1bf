"""The commands that show more of a station, as a person types them where its status was read.

A status tells where its spool lies: `path` of a file, or `port` where a board was asked over its cable
(tools.flash.board_commands). So what is named works whatever configuration the agent runs with.
"""

from __future__ import annotations

import shlex


def quarantine(station: dict) -> str:
    """Return what shows the results that ToolsNet refused."""
    if station.get("port"):
        return f"toolcart board quarantine --port {station['port']} --station {station['number']} list"
    return f"toolcart quarantine list --spool {_path(station)}"


def gaps(station: dict) -> str:
    """Return what lists the tightening IDs that are gone."""
    return _of_file("gaps", station)


def check(station: dict) -> str:
    """Return what names the damaged records of the spool."""
    return _of_file("check", station)


def _of_file(order: str, station: dict) -> str:
    if station.get("port"):  # its content is looked at here
        pull = f"toolcart board spool --port {station['port']} --station {station['number']} --out FILE"
        return f"{pull} && toolcart spool {order} FILE"
    return f"toolcart spool {order} {_path(station)}"


def _path(station: dict) -> str:
    return shlex.quote(station.get("spool", {}).get("path") or "FILE")
