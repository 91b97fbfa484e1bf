"""The network of a board: its own addresses, the radio's country, and hosts that no board reaches.

Rules
1. A board speaks IPv4 alone, and nothing but the agent runs on it: its own address is no peer's.
2. A gateway is a machine of the net that the address and its prefix name, and so is the board.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator

from toolcart.agent.link.port import is_numeric
from toolcart.tools.config import peers
from toolcart.tools.config.shared_controllers import plain_host

ADDRESS_EXAMPLE = "10.0.0.5/24, gateway 10.0.0.1, dns 10.0.0.2"
HOST = "a name, or an address of IPv4, such as 10.0.0.5"
_PREFIXES = range(8, 32)  # so every address of a net is for machines, or none; with 32 a board would be alone

Mistake = tuple[str, str, str]  # place, found, allowed


def addresses_of(text: str) -> list[str]:
    """Return address, mask, gateway and name server, each as a chip wants it; ValueError for what cannot be.

    An empty address asks DHCP, whatever name server there is; nothing at all is [].

    >>> addresses_of("10.0.0.5/24, gateway 10.0.0.1")
    ['10.0.0.5', '255.255.255.0', '10.0.0.1', '10.0.0.1']
    """
    parts = {"address": "", "gateway": "", "dns": ""}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.rpartition(" ")
        name = name or "address"
        if name not in parts or parts[name]:
            raise ValueError(f"an address with its prefix, gateway, dns, such as {ADDRESS_EXAMPLE}")
        parts[name] = value
    address, _, prefix = parts["address"].partition("/")
    if parts["address"] and not (is_numeric(address) and prefix.isascii() and prefix.isdigit()):
        raise ValueError("an address with its prefix, such as 10.0.0.5/24")
    for name in ("gateway", "dns"):
        if parts[name] and not is_numeric(parts[name]):
            raise ValueError(f"an IPv4 address for {name}, such as 10.0.0.1")
        parts[name] = parts[name] and _plain(parts[name])
    if parts["gateway"] and not address:
        raise ValueError(f"a gateway with a fixed address alone, such as {ADDRESS_EXAMPLE}")
    if parts["dns"] and _no_machine(parts["dns"]):
        raise ValueError(f"another name server than {parts['dns']}, {_no_machine(parts['dns'])}")
    if not address:
        return ["", "", "", parts["dns"]] if parts["dns"] else []
    if int(prefix) not in _PREFIXES:
        raise ValueError(f"a prefix from {_PREFIXES[0]} to {_PREFIXES[-1]}, such as 10.0.0.5/24")
    address = _plain(address)
    net = ipaddress.IPv4Network(f"{address}/{prefix}", strict=False)
    if _no_machine(str(net[1])):
        raise ValueError(f"another net than {net}, in which no address can be a board's")
    for name, own in (("the board", address), ("gateway", parts["gateway"])):
        if problem := own and _not_in(net, own):
            raise ValueError(f"for {name} {_machines(net)}, not {own}, {problem}")
    for name in ("gateway", "dns"):
        if parts[name] == address:
            raise ValueError(f"another address for {name} than the board's own")
    gateway = parts["gateway"] or "0.0.0.0"
    return [address, str(net.netmask), gateway, parts["dns"] or gateway]


def mistakes(configuration: dict) -> Iterator[Mistake]:
    """Give what is wrong with the network of a board."""
    board = configuration["board"]
    country = board["country"]
    if country and board["network"] == "wifi" and not (len(country) == 2 and country.isalpha() and country.isupper()):
        yield "board.country", json.dumps(country), "two capital letters, such as DE"
    address = ""
    if board["network"] != "none":
        try:
            address = [*addresses_of(board["address"]), ""][0]
        except ValueError as error:
            yield "board.address", json.dumps(board["address"]), str(error)
    for peer in peers.peers(configuration):
        host = plain_host(peer.host)
        if peers.no_host(host):
            continue  # which is told of every machine
        if ":" in host:
            yield peer.place, f"{peer.host}, which is an address of IPv6; a board speaks IPv4", HOST
        elif _is_itself(host):
            yield peer.place, f"{peer.host}, which is the board itself", HOST
        elif host == address:
            yield "board.address", f"{address}, which {peer.place} names", "an address that no other machine has"


def _is_itself(host: str) -> bool:
    """True for an address or a name, in small letters, of the loopback (RFC 6761, 6.3)."""
    if is_numeric(host):
        return ipaddress.IPv4Address(host).is_loopback
    return f".{host}".endswith(".localhost")


def _no_machine(host: str) -> str:
    return "which is the board itself" if _is_itself(host) else peers.no_host(host)


def _not_in(net: ipaddress.IPv4Network, host: str) -> str:
    """Say why no machine of this net has this address, "" if one can have it."""
    address = ipaddress.IPv4Address(host)
    if address not in net:
        return f"which is not in {net}"
    if net.prefixlen < 31 and address in (net.network_address, net.broadcast_address):
        return "which is the net's own" if address == net.network_address else "which is for broadcasts there"
    return ""


def _machines(net: ipaddress.IPv4Network) -> str:
    first, last = (net[0], net[1]) if net.prefixlen == 31 else (net[1], net[-2])
    return f"an address from {first} to {last}"


def _plain(host: str) -> str:
    return ".".join(str(int(part)) for part in host.split("."))
