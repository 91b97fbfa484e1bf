"""Stations that would talk to one controller because it is spelled in two ways.

What is spelled alike, toolcart.agent.cart.config finds. Here one address of IPv6, one serial line by its links, and one
port of a device server by any of its protocols are the same. Names are not looked up: they may change.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

from toolcart.agent.cart.config import OWN_CONTROLLER
from toolcart.agent.link.serial_server import server_of
from toolcart.tools.config import path_checks
from toolcart.tools.config.path_checks import Mistake


def shared(configuration: dict) -> list[Mistake]:
    """List the stations whose controller is another station's."""
    first: dict[tuple, tuple[int, str, str]] = {}
    mistakes = []
    for index, station in enumerate(configuration["stations"]):
        controller = station["controller"]
        key = "host" if controller["link"] == "tcp" else "device"
        spelled = f"{controller['host']} port {controller['port']}" if key == "host" else controller["device"]
        if path_checks.is_of_a_chip(configuration) and key == "device":
            continue
        other, other_key, other_spelled = first.setdefault(_identity(controller), (index, key, spelled))
        if other != index:
            place = f"stations[{other}].controller.{other_key}"
            allowed = OWN_CONTROLLER % other if key == "host" else f"another device than {place}"
            found = f"{spelled}, which is the same as {other_spelled}"
            mistakes.append((f"stations[{index}].controller.{key}", found, allowed))
    return mistakes


def plain_host(host: str) -> str:
    """Return the host in its one usual spelling."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().rstrip(".")
    return str(getattr(address, "ipv4_mapped", None) or address)


def _identity(controller: dict) -> tuple:
    """Return what all spellings of a controller have in common."""
    if controller["link"] == "tcp":
        return plain_host(controller["host"]), controller["port"], controller["station_id"], controller["spindle_id"]
    server = server_of(controller["device"])
    if server is not None:
        return plain_host(server[1]), server[2], None, None
    return path_checks.identity(Path(controller["device"]))
