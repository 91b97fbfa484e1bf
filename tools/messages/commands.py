"""The commands that show more about a station, as they are typed on the machine where its status was read.

A status says where its spool is: `path` for a file, or `port` if a board was asked over its cable
(toolcart.tools.flash.board_commands). So the commands work whatever configuration the agent runs with.
"""

from __future__ import annotations

import shlex
import shutil

from toolcart.base.privileges import as_root


def quarantine(station: dict) -> str:
    """Return the command that shows the results that ToolsNet refused."""
    if station.get("port"):
        return f"toolcart board quarantine --port {station['port']} --station {station['number']} list"
    return f"toolcart quarantine list --spool {_path(station)}"


def drop_first(station: dict) -> str:
    """Return the command that gives up the result that ToolsNet refuses and that holds all others."""
    return quarantine(station).replace(" list", " drop first", 1)


def offer_again(station: dict) -> str:
    """Return the command that has results sent to ToolsNet again, or left, without what it is to do."""
    return f"toolcart spool offer-again --spool {_path(station)}"


def gaps(station: dict) -> str:
    """Return the command that lists the tightening IDs that are gone."""
    return _of_file("gaps", station)


def check(station: dict) -> str:
    """Return the command that names the damaged records of the spool."""
    return _of_file("check", station)


def reload(agent: dict) -> str:
    """Return what has an agent read its configuration again, as it runs (toolcart.tools.status.server)."""
    reload_by, pid, unit = agent.get("reload", ""), agent.get("pid", "PID"), agent.get("unit")
    if unit:
        command = f"systemctl --user reload {unit}" if reload_by == "user" else as_root(f"systemctl reload {unit}")
        return f"`{command}` takes it"
    if reload_by == "none":
        return "it does not hear SIGHUP, as it was begun so (nohup): end it and start it again"
    inside = " inside its container" if reload_by == "container" else ""
    return f"`kill -HUP {pid}`{inside} has it read again"


def name_servers() -> str:
    """Return where this machine's name servers are seen: not every machine has systemd-resolved."""
    return "`resolvectl status`" if shutil.which("resolvectl") else "/etc/resolv.conf"


def check_configuration(configuration: dict) -> str:
    """Return the command that lists what keeps a running agent from taking a configuration."""
    return f"toolcart config check --reload {shlex.quote(configuration['file'])}"


def _of_file(order: str, station: dict) -> str:
    if station.get("port"):  # its spool is pulled and read here
        pull = f"toolcart board spool --port {station['port']} --station {station['number']} --out FILE"
        return f"{pull} && toolcart spool {order} FILE"
    return f"toolcart spool {order} {_path(station)}"


def _path(station: dict) -> str:
    return shlex.quote(station.get("spool", {}).get("path") or "FILE")
