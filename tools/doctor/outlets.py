"""Checks the outlets other than ToolsNet as far as that can be done without disturbing anyone.

A broker or a web server gets a TCP connection and nothing more: no agent's client identifier is used, and nothing is
sent. A file's folder is checked with the configuration.
"""

from __future__ import annotations

import socket

from toolcart.agent.cart.status import why_name
from toolcart.agent.link.port import WHY_NAME_SLOW, WHY_NAME_UNKNOWN, WHY_TIMED_OUT
from toolcart.agent.linux.web_address import WebAddress
from toolcart.board.errno_reasons import why_of
from toolcart.tools.doctor.finding import BAD, GOOD, Finding
from toolcart.tools.messages import outlet_names, reasons

LIMIT_S = 5.0


def examine(name: str, outlet: dict) -> list[Finding]:
    """Check one outlet of a station; nothing for one that has no address."""
    address = address_of(outlet)
    if address is None:
        return []
    host, port = address
    subject = f"{name} {outlet_names.name_of(outlet)}"
    try:
        socket.create_connection((host, port), LIMIT_S).close()
    except (OSError, UnicodeError) as error:
        server = reasons.BROKER if outlet["kind"] == "mqtt" else outlet_names.name_of(outlet)
        return [unreached(subject, reasons.Endpoint(server, host, port, f"the outlet's {setting_of(outlet)}"), error)]
    words = f"{host}:{port} accepts connections; only the running agent can tell whether it accepts results"
    return [Finding(subject, GOOD, words)]


def unreached(subject: str, endpoint: reasons.Endpoint, error: BaseException | None) -> Finding:
    """Say why a connection cannot be made, as an agent says it."""
    code = getattr(error, "errno", None) or 0
    fault = WHY_TIMED_OUT if isinstance(error, TimeoutError) else why_of(code)
    if isinstance(error, (socket.gaierror, UnicodeError)):  # the latter where no name can be so
        fault = WHY_NAME_SLOW if code == socket.EAI_AGAIN else WHY_NAME_UNKNOWN
    reason = reasons.connect_reason(endpoint, why_name(fault), "", code)
    return Finding(subject, BAD, reason.words, reason.hint, {"why": reason.slug})


def setting_of(outlet: dict) -> str:
    """Return which of its settings says where an outlet is."""
    return "url" if outlet.get("url") else "host"


def address_of(outlet: dict) -> tuple[str, int] | None:
    """Return host and port of an outlet that has them."""
    if outlet.get("url"):
        address = WebAddress(outlet["url"])
        return None if address.fault else (address.host, address.number)
    return (outlet["host"], outlet["port"]) if outlet.get("host") else None
