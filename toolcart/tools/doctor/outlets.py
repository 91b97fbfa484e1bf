"""Checks the outlets other than ToolsNet as far as that can be done without disturbing anyone.

A broker or a web server gets a TCP connection and nothing more: no agent's client identifier is used, and nothing is
sent. A file's folder is checked with the configuration.
"""

from __future__ import annotations

import socket

from toolcart.agent.wide.http_client import WebAddress
from toolcart.tools.doctor.found import BAD, GOOD, Found
from toolcart.tools.words import sides

LIMIT_S = 5.0


def examine(name: str, outlet: dict) -> list[Found]:
    """Check one outlet of a station; nothing for one that has no address."""
    found = address_of(outlet)
    if found is None:
        return []
    host, port = found
    what = f"{name} {sides.name_of(outlet)}"
    try:
        socket.create_connection((host, port), LIMIT_S).close()
    except OSError as error:
        words = f"{host}:{port} cannot be reached: {error.strerror or error}"
        return [Found(what, BAD, words, "Does it run there, and is this its port?")]
    words = f"{host}:{port} accepts connections; only the running agent can tell whether it accepts results"
    return [Found(what, GOOD, words)]


def address_of(outlet: dict) -> tuple[str, int] | None:
    """Return host and port of an outlet that has them."""
    if outlet.get("url"):
        address = WebAddress(outlet["url"])
        return None if address.fault else (address.host, address.number)
    return (outlet["host"], outlet["port"]) if outlet.get("host") else None
