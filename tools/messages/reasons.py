"""Why a connection is down, in words for a plant engineer, and what to do about it; made from the agent's state.

Rules
1. The agent gives short words and numbers (toolcart.agent.cart.status), a board the same over its cable; the sentences
   are here.
2. `words` says what happened to whom; `hint` says what to check, and is left out where nothing can be done.
3. If nothing is known the Reason is empty, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from toolcart.agent.linux.web_address import WebAddress
from toolcart.agent.mqtt.status import NO_PINGRESP, NO_RECEIPT, SILENCES
from toolcart.agent.openprotocol.error_codes import NO_CODE
from toolcart.agent.openprotocol.requests import DONE
from toolcart.agent.openprotocol.requests import REJECTION as REJECTED_BY
from toolcart.agent.openprotocol.session_states import INCOMPLETE_MESSAGE
from toolcart.base.privileges import as_root
from toolcart.base.serial_settings import NAMED as PROCEDURE_NAMES
from toolcart.tools.config.peers import no_host
from toolcart.tools.messages import commands
from toolcart.tools.messages.durations import next_try

CONTROLLER = "controller"
PIM = "PIM"
SERVER = "ToolsNet server"
BROKER = "broker"
WEB_SERVER = "web server"
DEVICE_SERVER = "serial device server"

NO_NETWORK_WANTED = "no network wanted"  # in place of the agent's "no network" on a board that is to have none

OUR_FLASH = "flash refuses"  # it is not the other side that keeps anything from going on
KEPT_AGAIN = "kept again"  # the same, and it is over

# The other side is only away: not reached, silent, or it ends the connection. That ends by itself once it is there.
_AWAY = (
    *("no address", "name not found", "DNS slow", "refused", "no route", "no network", NO_NETWORK_WANTED),
    *("timed out", "reset", "ended", "failed", "silence", "framing lost", "stopped", "no device", "unplugged"),
    *("no PIM", "no info", "no answer", "TLS ended", "TLS broken"),
    *SILENCES.values(),
    *(NO_PINGRESP, NO_RECEIPT),
    OUR_FLASH,  # the other side is there; a need of the station says what is wrong
    KEPT_AGAIN,
)


@dataclass(frozen=True)
class Reason:
    """`slug` is the agent's short word, for machines."""

    slug: str = ""
    words: str = ""
    hint: str = ""

    def __bool__(self) -> bool:
        return bool(self.words)

    def text(self) -> str:
        """Return words and hint in one line."""
        return f"{self.words}. {self.hint}" if self.hint else self.words


@dataclass(frozen=True)
class Endpoint:
    """The other side: what it is called, where it is, and the settings that say so."""

    name: str
    host: str
    port: int  # the baud of a serial line
    setting: str  # the setting of the host, or the device

    @property
    def is_line(self) -> bool:
        return self.setting.endswith(".device")

    @property
    def place(self) -> str:
        return self.host if self.is_line else address(self.host, self.port)


def address(host: str, port: int) -> str:
    """Return both in one; an address of IPv6 has brackets then."""
    return f"[{host}]:{port}" if host.count(":") > 1 and "/" not in host else f"{host}:{port}"


def of_controller(connection: dict) -> Reason:
    """Return why the controller of this part of the status cannot be reached."""
    is_line = bool(connection.get("line"))
    host, port = str(connection.get("host", "")), connection.get("port", 0)
    endpoint = Endpoint(CONTROLLER, host, port, "controller.device" if is_line else "controller.host")
    slug = connection.get("why", "")
    code, mid = connection.get("why_code", 0), connection.get("why_mid", 0)
    if slug in _SESSION:
        return _session_reason(endpoint, slug, connection.get("why_in", ""), code, mid)
    if is_line:
        endpoint = line_endpoint(host, port)
    return connect_reason(endpoint, slug, connection.get("why_in", ""), code)


def line_endpoint(device: str, baud: int) -> Endpoint:
    """Return what a serial line is reached by: its device, or the device server that it is behind."""
    scheme, _, location = device.partition("://")
    if not location:
        return Endpoint(CONTROLLER, device, baud, "controller.device")
    host, _, port = location.rpartition(":")
    return Endpoint(
        DEVICE_SERVER, host.strip("[]"), int(port) if port.isdigit() else 0, f"controller.device ({scheme}://)"
    )


def of_toolsnet(connection: dict) -> Reason:
    """Return why this outlet cannot reach ToolsNet: its PIM, or the server that the PIM names."""
    slug, state = connection.get("why", ""), connection.get("why_in", "")
    endpoint = Endpoint(PIM, connection.get("host", ""), connection.get("port", 0), "toolsnet.pim_host")
    if slug != "no TLS files" and state in ("server opening", "streaming"):
        endpoint = server_endpoint(connection)
    problem = no_host(endpoint.host) if endpoint.name == SERVER else ""
    if slug and problem:  # what the system says of it may be said of other things: "no network"
        words = f"the PIM names {endpoint.place} as the server, {problem}: no server can be there"
        reason = Reason(slug, words, "Ask who set up the PIM, or set toolsnet.host_override.")
    elif slug in _TELEGRAMS:
        words, hint = _TELEGRAMS[slug]
        awaited = _AWAITED.get(state, "telegram")
        words = words.format(name=endpoint.name, place=endpoint.place, host=endpoint.host, awaited=awaited)
        reason = Reason(slug, words, hint)
    else:
        reason = connect_reason(endpoint, slug, state, connection.get("why_code", 0), _detail(connection))
    if reason and endpoint.name == SERVER and slug != "no port" and not connection.get("server_port_named", True):
        return replace(reason, hint=f"The 08 names no port, so the PIM's own is used. {reason.hint}".strip())
    return reason


def server_endpoint(connection: dict) -> Endpoint:
    """Return the server that the PIM named, or toolsnet.host_override: a blank and 0.0.0.0 mean the PIM's own host."""
    server = connection.get("server", "")
    host, _, port = server.rpartition(":") if ":" in server else (server, "", "")
    host = connection.get("host", "") if host in ("", "0.0.0.0") else host
    return Endpoint(
        SERVER, host, int(port or 0) or connection.get("port", 0), "the address that the PIM names (its 08)"
    )


def short_word(connection: dict) -> str:
    """Return a word or two for a table: a refused connection is not ToolsNet refusing a result."""
    slug = connection.get("why") or ""
    return "connection refused" if slug == "refused" else slug


def with_next_try(text: str, connection: dict) -> str:
    """Return the text and when this side is tried again, if a wait is under way."""
    again = next_try(connection.get("next_try_ms", 0))
    if not again:
        return text
    return f"{text} {again.capitalize()}." if text.endswith((".", "?")) else f"{text}, {again}"


def is_refusal(reason: Reason) -> bool:
    """True if a side is there and refuses, or cannot be used from here: it does not end by itself."""
    return bool(reason) and reason.slug not in _AWAY


def of_outlet(connection: dict) -> Reason:
    """Return why an outlet other than ToolsNet cannot be used, in its own words if it has some."""
    slug = connection.get("why", "")
    if connection.get("cure"):  # the file of an outlet says what helps
        return Reason(slug, slug, connection["cure"])
    if connection.get("kind") == "file" and slug and slug != OUR_FLASH:
        return Reason(slug, slug, _PATH_OF_LINES)
    if slug == OUR_FLASH:
        return Reason(slug, *_TELEGRAMS[slug])
    endpoint = _endpoint_of(connection.get("place", ""))
    if endpoint is None or (slug not in _CONNECT and slug not in _ENDS):
        return Reason(connection.get("why_kind") or slug, slug)
    return connect_reason(endpoint, slug, "", connection.get("why_code", 0), _detail(connection))


_PATH_OF_LINES = "The outlet's path names a file of its lines, or none yet, in a folder that is there."


def _endpoint_of(place: str) -> Endpoint | None:
    """Return the broker or web server of this address; None if it is none."""
    web = WebAddress(place)
    if not web.fault:
        return Endpoint(WEB_SERVER, web.host, web.number, "the outlet's url")
    host, _, port = place.partition("://")[2].partition("/")[0].rpartition(":")
    return Endpoint(BROKER, host, int(port), "the outlet's host") if host and port.isdigit() else None


def connect_reason(endpoint: Endpoint, slug: str, state: str = "", code: int = 0, detail: str = "") -> Reason:
    """Return the words for a failed attempt to connect, or for a connection that has ended."""
    if not slug:
        return Reason()
    if slug in _ENDS:
        return _end_reason(endpoint, slug, state)
    words, hint = _CONNECT.get(slug, ("{name} {place} cannot be reached: " + slug, ""))
    if slug in ("failed", "in use") and endpoint.is_line:
        words, hint = _LINE[slug]
    if slug in _OF_A_LINE and not endpoint.is_line:
        words, hint = _OF_A_LINE[slug] or _CONNECT["failed"]
    if slug == "not trusted":
        words = "{name} {place}: " + _CERTIFICATES.get(code, _CERTIFICATE)
    if endpoint.name == DEVICE_SERVER and slug in _SERVER_OF_LINE:
        words, hint = _SERVER_OF_LINE[slug]
    words = words.format(
        name=endpoint.name,
        place=endpoint.place,
        host=endpoint.host,
        port=endpoint.port,
        system=_system_error(code),
        detail=detail,
        alert=_alert(code),
    )
    if slug == "no driver":
        from toolcart.base import installation  # rare

        hint = installation.how_to_get("serial")
    hint = hint.format(
        setting=endpoint.setting, host=endpoint.host, device=endpoint.host, name_servers=commands.name_servers()
    )
    if slug == "TLS ended" and endpoint.name == BROKER:
        hint += " Or does it refuse a retained will? Then set `retain` to false."
    if slug == "no TLS" and endpoint.name == WEB_SERVER:  # its url asks for TLS, with tls_ca and without
        hint = "Is this the port for TLS? Without TLS its url begins with http://, and there is no tls_ca."
    if slug == "TLS refused" and code in _ALERTS and code not in _OF_OUR_CERTIFICATE:
        hint = "Its own log says why."
    if slug == "refused":
        hint = _REFUSED.get(endpoint.name, "Does it run there, and is this its port?")
    return Reason(slug, words, hint)


_SEE_DISK = "DISK says what it lacks and what to do."  # a write that succeeds ends it, or only a start

_ENDS = ("ended", "reset")

# `refused` is not here: what should be listening differs between the sides.
_REFUSED = {
    BROKER: "Does the broker run there, and is this its port (8883 is usual with TLS)?",
    CONTROLLER: "Is Open Protocol switched on in the controller, and on this port?",
    DEVICE_SERVER: "Is this the port of that line, and the server in the mode of socket:// (raw TCP) or rfc2217://?",
    PIM: "Does ToolsNet run there, and is this its PIM's port (toolsnet.pim_port, which every plant chooses)?",
    SERVER: "The PIM names this address, unless toolsnet.host_override does: is it right? Does it run there?",
}

_CONNECT = {
    "no address": ("{name}: {host} is neither an address nor a name", "Correct {setting}."),
    "name not found": (
        "{name}: the name {host} is not found",
        "Is {setting} spelled right? An address needs no name server.",
    ),
    "DNS slow": (
        "{name}: the name servers do not answer for {host}",
        "Give an address in {setting}, or fix this machine's name servers ({name_servers}).",
    ),
    "refused": ("{name} {place} refused the connection: the host is there, but nothing listens on that port", ""),
    "no route": (
        "{name} {place} cannot be reached: no route to the host",
        "It is switched off, or this machine has no route to its network; `ip route get {host}` shows the way.",
    ),
    "no network": ("{name} {place} cannot be reached: this machine has no network", "Is the cable or the Wi-Fi up?"),
    NO_NETWORK_WANTED: (
        "{name} {place} is not reached: board.network is none, results stay on the board",
        "`toolcart board spool` reads them.",
    ),
    "timed out": (
        "{name} {place} did not answer in time",
        "Is it switched on, and is the address right? A firewall that drops looks the same.",
    ),
    "in use": (
        "{name} {place}: address in use, no local port is free",
        "Too many connections of this machine are open or have just been closed.",
    ),
    "no device": (
        "there is no device {host}",
        "Is the adapter plugged in? `ls /dev/serial/by-id` shows names that stay the same.",
    ),
    "not a tty": ("{host} is not a serial line", "Name the adapter's device in {setting}."),
    "no permission": (
        "no permission to use {host}",
        f"The agent's user has to be in the group dialout: `{as_root('usermod -aG dialout USER')}`, then log in again.",
    ),
    "unplugged": ("the adapter {host} was unplugged", "It is used again when it is back."),
    "no driver": ("pyserial is not installed", ""),
    "no socket": (
        "{name} {place}: the system has no more sockets or memory",
        "Look at `ulimit -n`, and what else runs on this machine.",
    ),
    "not settable": (
        "the line {host} cannot do what controller.flow, rs485 or invert ask for",
        "An adapter that switches the direction of RS485, or inverts, by itself needs no setting.",
    ),
    "no TLS": (
        "{name} {place} does not speak TLS, or no version that both know",
        "Is this the port for TLS, or of the tunnel? Without TLS leave out tls_ca.",
    ),
    "not trusted": (
        "{name} {place}: its certificate is not trusted",
        "`openssl s_client -connect HOST:PORT` shows it; tls_name is the name it has to have. A board whose "
        "clock was never set trusts no certificate.",
    ),
    "TLS refused": (
        "{name} {place} refuses our side of TLS{alert}",
        "Does it require a certificate of ours (tls_certificate, tls_key), or one of another authority? "
        "Its own log says why.",
    ),
    "TLS broken": (
        "{name} {place}: what came over TLS was damaged on the way, or is no TLS",
        "It is connected again. If that goes on, something between changes what passes.",
    ),
    "TLS ended": (
        "{name} {place} closed the connection before anything came over TLS",
        "Does it require a certificate of ours (tls_certificate, tls_key)? Its own log says why.",
    ),
    "no TLS files": (
        "{name} {place}: no connection is tried, since a file for TLS cannot be used{detail}",
        "Correct it: it is read again at each attempt.",
    ),
    "failed": ("{name} {place} cannot be reached{system}", ""),
}

# Error numbers that mean something else where no line is; without words it is the system's.
_OF_A_LINE = {
    "no permission": (
        "{name} {place}: this machine does not permit the connection",
        "Is there a firewall on it, or a limit for the agent's user?",
    ),
    **dict.fromkeys(("no device", "not a tty", "unplugged")),
}

# What is wrong with a certificate, by OpenSSL's number (X509_V_ERR_).
_AUTHORITY = "tls_ca or, without that, by an authority of the system"
_CERTIFICATE = "its certificate is not signed by tls_ca, has expired, or is for another host"
_CERTIFICATES = {
    9: "its certificate is not valid yet, or the clock of this machine is wrong",
    10: "its certificate has expired, or the clock of this machine is wrong",
    **dict.fromkeys((2, 18, 19, 20, 21), f"its certificate is not signed by {_AUTHORITY}"),
    62: "its certificate is for another host",
    64: "its certificate is for another host",
}

# RFC 8446, 6.2, and before it RFC 5246, 7.2
_ALERTS = {
    10: "unexpected message",
    20: "bad record MAC",
    21: "decryption failed",
    22: "record overflow",
    30: "decompression failure",
    40: "handshake failure",
    41: "no certificate",
    42: "bad certificate",
    43: "unsupported certificate",
    44: "certificate revoked",
    45: "certificate expired",
    46: "certificate unknown",
    47: "illegal parameter",
    48: "unknown CA",
    49: "access denied",
    50: "decode error",
    51: "decrypt error",
    60: "export restriction",
    71: "insufficient security",
    80: "internal error",
    86: "inappropriate fallback",
    90: "user canceled",
    100: "no renegotiation",
    109: "missing extension",
    110: "unsupported extension",
    111: "certificate unobtainable",
    112: "unrecognized name",
    113: "bad certificate status response",
    114: "bad certificate hash value",
    115: "unknown PSK identity",
    116: "certificate required",
    120: "no application protocol",
}
_OF_OUR_CERTIFICATE = (40, 41, 42, 43, 44, 45, 46, 48, 49, 116)

_LINE = {
    "in use": (
        "{host} is in use by another program",
        f"`{as_root('fuser -v {device}')}` says which; two agents cannot share it.",
    ),
    "failed": ("the serial line {host} failed{system}", "Unplug the adapter and plug it in again."),
}

_SERVER_OF_LINE = {
    "no RFC 2217": (
        "{name} {place} accepted the connection but does not speak RFC 2217",
        "Is this its port for RFC 2217? For a port with raw TCP write socket:// in controller.device.",
    ),
    "not settable": (
        "{name} {place} does not set what controller.baud, parity, stop_bits and flow ask for",
        "Can this port of it do that? With socket:// its own settings apply.",
    ),
}

_AWAITED = {"pim info": "08", "streaming": "05"}  # by the state of the session

_TELEGRAMS = {
    "no PIM": (
        "{name} {place} did not identify itself as a PIM (telegram 12): wrong port, or ToolsNet 1.5",
        "Is toolsnet.pim_port the PIM's, and not the server's or a web page's? ToolsNet 1.5 is not supported.",
    ),
    "foreign PIM": (
        "{name} {place}: what answers there is not a PIM",
        "Is toolsnet.pim_port the PIM's? Each plant chooses it; 6575 is one that is in use.",
    ),
    "no info": (
        "{name} {place} sent its 12 and then no 08",
        "Does ToolsNet know this system and station? Compare system.number and stations[].number with its own.",
    ),
    "no answer": (
        "{name} {place} accepts the connection but did not acknowledge a telegram in time (no 05)",
        "Is this ToolsNet's server port? Look at its own log.",
    ),
    "malformed": (
        "{name} {place} answers, but by no {awaited} that can be read and is for the telegram that was sent",
        "Does something else listen there? Look at ToolsNet's own log.",
    ),
    "server not allowed": (
        "the PIM names {place} as the server, which toolsnet.allow_hosts does not have: nothing is sent there",
        "Add that host, or ask who changed the PIM.",
    ),
    "no port": (
        "the PIM names a port for the server at {host} that cannot be one: nothing is sent there",
        "A port is a number up to 65535; without one, and with 0, the PIM's own is used. Ask who set up the PIM.",
    ),
    OUR_FLASH: (
        "nothing is sent while this station's own flash or disk refuses: what is sent has to be read, and what is "
        "delivered to be written down",
        _SEE_DISK,
    ),
}

_START = 1
_HEADERS = (
    'Its headers are the usual ones: leave controller.header out, or set it to "standard".',
    'The spindle stands in front of the revision: set controller.header to "op-ford" or "op-bmw".',
)
_OTHER_STARTS = "The other revisions in controller.start_revisions are tried next."
_OTHER_WAYS = "It is asked again, in another revision or way where there is one; what results do not need is left out."

# What goes wrong in Open Protocol, by the agent's word; "ready" behind it: in a session that stood.
_SESSION = {
    "silence": (
        "{name} accepted the connection but does not answer {request}",
        "Is this a controller's Open Protocol port? Some answer one client only.",
    ),
    "no usable answer": (
        "{name} gives no answer to {request} that can be used: what came is {answer}",
        "`toolcart ask` shows what it answers; docs/controllers.md says what is known of each controller.",
    ),
    "silence, ready": ("{name} fell silent: it did not answer the keep-alive", ""),
    "framing lost": ("{name}: what answers there is not Open Protocol", "Does something else listen there?"),
    "framing lost, ready": ("{name} sent too much that is no message, or a message that did not end", ""),
    "slot taken": (
        "{name} has no room for another client: 0004 to {request} {code}",
        "Another program holds its connection, or our last one has not timed out there yet.",
    ),
    "no revision accepted": (
        "{name} accepts no revision of MID 0001 that is offered: 0004 {code}",
        "Offer others in controller.start_revisions.",
    ),
    "knows no MID 0060": (
        "{name} accepts no subscription to results, by MID 0060 or another: 0004 to {request} {code}",
        "Is the subscription to results part of its licence? docs/controllers.md says what is known of each.",
    ),
    OUR_FLASH: (
        "there is no session, as this station's own flash or disk refused a write: the controller keeps its results",
        _SEE_DISK,
    ),
    KEPT_AGAIN: (
        "the session was ended, since results could not be kept; they can be kept again, and the next is on its way",
        "",
    ),
    "other header": ("{name}: its answers are laid out otherwise than controller.header says", ""),
    "refused by code": ("{name} rejected {request}: 0004 {code}", ""),
}

# The silence of a serial line: whether it is behind a device server, and whether anything came.
_SILENT_LINE = {
    (True, True): (
        "what comes from {host} is no answer",
        f"Wrong port of the server, baud, parity or link ({PROCEDURE_NAMES})?",
    ),
    (False, True): (
        "what comes on {host} at {port} baud is no answer",
        f"Wrong baud, parity or link ({PROCEDURE_NAMES})? `toolcart line monitor` shows what comes.",
    ),
    (True, False): (
        "{host} accepted the connection, but nothing answers on its line",
        f"Check the cable behind the server, its baud and parity, and link ({PROCEDURE_NAMES}).",
    ),
    (False, False): (
        "nothing answers on {host} at {port} baud",
        f"Check cable, baud, parity and link ({PROCEDURE_NAMES}): is it crossed, in the right socket, Open Protocol "
        "switched on there? `toolcart line monitor` shows what comes.",
    ),
}


def _session_reason(endpoint: Endpoint, slug: str, state: str, code: int, mid: int) -> Reason:
    """Say what went wrong in Open Protocol."""
    words, hint = _SESSION.get(f"{slug}, {state}", _SESSION[slug])
    if slug == "silence" and state != "ready" and endpoint.is_line:
        words, hint = _SILENT_LINE["://" in endpoint.host, bool(code)]
    elif slug == "other header":
        hint = _HEADERS[bool(code)]
    elif slug == "refused by code":
        hint = _OTHER_STARTS if mid == _START else _OTHER_WAYS
    request = f"MID {mid:04d}" if mid else "what it was asked"
    place_names = {
        "name": f"controller {endpoint.place}",
        "host": endpoint.host,
        "port": endpoint.port,
        "answer": _unusable_message(code),
    }
    return Reason(slug, words.format(request=request, code=with_code(code), **place_names), hint)


def _unusable_message(code: int) -> str:
    """Return what came in place of an answer."""
    if code == INCOMPLETE_MESSAGE:
        return "a message that does not end"
    endings = {REJECTED_BY: ", which rejects another request or does not say which", DONE: ", which does not name it"}
    return f"MID {code:04d}{endings.get(code, '')}"


def _end_reason(endpoint: Endpoint, slug: str, state: str) -> Reason:
    ending = "closed the connection" if slug == "ended" else "reset the connection"
    if endpoint.is_line:
        return Reason(slug, f"the line {endpoint.host} ended", "")
    words, hint = f"{endpoint.name} {endpoint.place} {ending}", ""
    if endpoint.name == DEVICE_SERVER:
        hint = "Does another client have this line? Many such servers take one at a time."
    elif state == "starting":
        words += " before a session was established"
        hint = "Is another client connected to the controller? Many take one only."
    elif state in ("pim verify", "pim info"):
        words += " before its 08"
        hint = "Does ToolsNet know this system and station?"
    return Reason(slug, words, hint)


def code_text(code: Any) -> str:
    """Return a code of MID 0004 with its words; `code` is what was read of it, if that is no number."""
    if not isinstance(code, int) or code == NO_CODE:
        return "no code"
    from toolcart.catalogue.meanings import names_of

    words = names_of("ERROR_CODE").get(code)
    return f"{code:02d} ({words})" if words else f"{code:02d}"


def code_phrase(code: Any) -> str:
    """Return the code with that word: `code 97 (MID revision unsupported)`, or `no code`."""
    text = code_text(code)
    return f"code {text}" if text[:1].isdigit() else text


def with_code(code: Any) -> str:
    """Return with which code a MID 0004 came."""
    text = code_phrase(code)
    return f"with {text}" if text != "no code" else "without a code"


def _detail(connection: dict) -> str:
    """Return what the port itself says."""
    return f": {connection['why_detail']}" if connection.get("why_detail") else ""


def _alert(code: int) -> str:
    return f": alert {code}, {_ALERTS[code]}" if code in _ALERTS else ""


def _system_error(code: int) -> str:
    """Return the system's own words for its error number."""
    import os

    return f": {os.strerror(code)}" if code > 0 else ""
