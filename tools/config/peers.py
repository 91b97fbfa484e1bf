"""Addresses at which no peer can be, and two peers of different kinds at one port: wrong on every machine.

Two stations of one controller are for toolcart.tools.config.shared_controllers, two outlets of one topic for
toolcart.agent.cart.config. Names are not looked up: they may change.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from toolcart.agent.link.serial_server import server_of
from toolcart.agent.linux.web_address import WebAddress
from toolcart.tools.config.shared_controllers import plain_host

Mistake = tuple[str, str, str]  # place, found, allowed

HOST = "a name, or an address that a machine has, such as 10.0.0.5"
_THIS_HOST = ipaddress.ip_network("0.0.0.0/8")  # RFC 1122, 3.2.1.3
_CLASS_E = ipaddress.ip_network("240.0.0.0/4")


class Peer(NamedTuple):
    """Whom a setting names; without a port where no connection is made to just this."""

    place: str
    kind: str
    host: str
    port: int = 0


def mistakes(configuration: dict) -> list[Mistake]:
    """List the settings whose host no peer can have, or whose port another kind of peer has."""
    found = []
    first: dict[tuple[str, int], Peer] = {}
    for peer in peers(configuration):
        problem = no_host(peer.host)
        if problem:
            found.append((peer.place, f"{peer.host}, {problem}", HOST))
            continue
        if not peer.port:
            continue
        other = first.setdefault((plain_host(peer.host), peer.port), peer)
        if other.kind != peer.kind:
            words = f"{peer.host} port {peer.port}, where {other.kind} is"
            found.append((peer.place, words, f"another host or port than those of {other.place}"))
    return found


def no_host(host: str) -> str:
    """Say why no peer can have this address; "" if one can, or if it is a name."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_unspecified:
        return "which means all addresses of this machine"
    if address.version == 6 and address.is_link_local and "%" not in host:
        return "which is no address without its interface, as in fe80::1%eth0"
    if address.is_multicast:
        return "which is for multicast"
    if address.version == 4 and str(address) == "255.255.255.255":
        return "which is for broadcasts"
    if address.version == 4 and (address in _THIS_HOST or address in _CLASS_E):
        return "which no machine has"
    return ""


def peers(configuration: dict) -> Iterator[Peer]:
    """Yield them in the order in which people name them: the one that comes later is at the wrong place."""
    for index, station in enumerate(configuration["stations"]):
        place, controller = f"stations[{index}].controller", station["controller"]
        if controller["link"] == "tcp":
            yield Peer(f"{place}.host", "a controller", controller["host"], controller["port"])
        elif server := server_of(controller["device"]):
            yield Peer(f"{place}.device", "a controller", server[1], server[2])
    toolsnet = configuration["toolsnet"]
    if toolsnet:
        yield Peer("toolsnet.pim_host", "ToolsNet's PIM", toolsnet["pim_host"], toolsnet["pim_port"])
        if toolsnet["host_override"]:
            yield Peer("toolsnet.host_override", "a server of ToolsNet", toolsnet["host_override"])
        for host in toolsnet["allow_hosts"] or ():
            yield Peer("toolsnet.allow_hosts", "a server of ToolsNet", host)
    for host in configuration["board"]["ntp_hosts"] or ():
        yield Peer("board.ntp_hosts", "a time server", host)
    for index, station in enumerate(configuration["stations"]):
        for number, outlet in enumerate(station["outlets"]):
            of_outlet = f"stations[{index}].outlets[{number}]"
            if outlet["kind"] == "mqtt":
                yield Peer(f"{of_outlet}.host", "an MQTT broker", outlet["host"], outlet["port"])
            elif outlet["kind"] == "webhook":
                address = WebAddress(outlet["url"])
                yield Peer(f"{of_outlet}.url", "a web server", address.host, address.number)
