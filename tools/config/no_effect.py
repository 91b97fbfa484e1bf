"""Settings that are allowed, and have no effect beside others: nothing fails for one, and nobody gets what it says.

Each is a warning, never a mistake: the cart does all the rest. Only what the file itself sets to another value than the
default is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolcart.agent.cart import settings
from toolcart.agent.link.serial_server import RAW, server_of
from toolcart.tools.config.path_checks import is_of_a_chip

Warning_ = tuple[str, str, str]  # place, what is so, what helps

_DELETE = "delete it"
_OF_TCP = ("host", "port")
_SET_IN_SERVER = ("baud", "parity", "stop_bits")  # with socket://; `flow` is a mistake there
_OF_WIFI = ("ssid", "password", "country")
_OF_OTHER_NETWORKS = {
    "none": (*_OF_WIFI, "address", "ethernet_pins"),
    "ethernet": _OF_WIFI,
    "wifi": ("ethernet_pins",),
}
_OF_CONTROLLERS = ("alarms", "pset", "job", "vin")  # of toolsnet.events; the others are the agent's own
_OF_TLS = ("tls_ca", "tls_certificate", "tls_key", "tls_name")
_OF_CHIP = ("time_zone", "lamp", "supply")


def found(tree: dict, configuration: dict) -> list[Warning_]:
    """List them, each with what it needs; `configuration` is the completed `tree`."""
    return [*_in_sections(tree, configuration), *_in_stations(tree, configuration)]


def _given(part: object, key: str, table: str) -> bool:
    """True if the file sets this key to another value than its default in the table."""
    if not isinstance(part, dict) or part.get(key) is None:
        return False
    row = next(row.split() for row in table.split("\n") if row.split()[0] == key)
    default = {"~": None, '""': "", "true": True, "false": False}.get(row[2], row[2])
    return part[key] != default and str(part[key]) != default


def _in_sections(tree: dict, configuration: dict) -> Iterator[Warning_]:
    board, toolsnet = configuration["board"], configuration["toolsnet"]
    network = board["network"]
    for key in _OF_OTHER_NETWORKS[network]:
        if _given(tree.get("board"), key, settings.BOARD):
            yield f"board.{key}", f"no effect, as board.network is {network}", _DELETE
    if is_of_a_chip(configuration):
        yield from _on_a_board(tree, configuration)
    else:
        for key in _OF_CHIP:
            if _given(tree.get("board"), key, settings.BOARD):
                yield f"board.{key}", "no effect on Linux, it is for boards", _DELETE
    stations = configuration["stations"]
    has_curves = any(station["controller"]["traces"] for station in stations)
    if toolsnet and "curves" in (toolsnet["extras"] or ()) and not has_curves:
        yield "toolsnet.extras", "curves has no effect, as no controller is asked for any", "set controller.traces too"
    events = toolsnet["events"] or () if toolsnet else ()
    asked = {event for station in stations for event in station["controller"]["events"] or ()}
    for event in events:
        if event in _OF_CONTROLLERS and event not in asked:
            words = f"{event} has no effect, as no controller is asked for it"
            yield "toolsnet.events", words, "set controller.events too"
    if "commands" in events and not any(station["controller"]["commands"] for station in stations):
        yield "toolsnet.events", "commands has no effect, as controller.commands allows none", "set that too"
    if toolsnet and toolsnet["host_override"] and toolsnet["allow_hosts"]:
        yield "toolsnet.allow_hosts", "no effect, as host_override is used whatever the PIM names", _DELETE


def _on_a_board(tree: dict, configuration: dict) -> Iterator[Warning_]:
    board, toolsnet = configuration["board"], configuration["toolsnet"] or {}
    if board["network"] == "none" and board["ntp_hosts"]:
        yield "board.ntp_hosts", "no effect, as board.network is none", _DELETE
    elif board["time_zone"] and not board["ntp_hosts"]:
        yield "board.time_zone", "no effect, as it is for the time of NTP", "set board.ntp_hosts too, or delete it"
    for key in _OF_TLS if board["network"] == "none" else ():
        if toolsnet.get(key):
            yield f"toolsnet.{key}", "no effect, as board.network is none", _DELETE
    if toolsnet.get("clock", "off") != "off":
        words = "no effect on a board, which always takes ToolsNet's time where NTP is silent"
        yield "toolsnet.clock", words, _DELETE
    for index, station in enumerate(configuration["stations"]):
        place, controller = f"stations[{index}]", station["controller"]
        if _given(tree["stations"][index]["spool"], "unit", settings.SPOOL):
            yield f"{place}.spool.unit", "no effect on a board, whose flash has its own", _DELETE
        if controller["link"] != "tcp" and controller["flow"] == "none" and controller["device"].count(",") == 3:
            words = "the pins of RTS and CTS have no effect, as controller.flow is none"
            yield f"{place}.controller.device", words, "set controller.flow too, or delete the two"


def _in_stations(tree: dict, configuration: dict) -> Iterator[Warning_]:
    for index, station in enumerate(configuration["stations"]):
        place, part = f"stations[{index}]", tree["stations"][index]
        yield from _in_controller(f"{place}.controller", part["controller"], station["controller"])
        has_toolsnet = any(outlet["kind"] in settings.SHARED for outlet in station["outlets"])
        traces = station["controller"]["traces"]
        if station["spool"]["graphs_kib"] and not traces:
            words = "no effect but less room for results, as controller.traces asks for no curves"
            yield f"{place}.spool.graphs_kib", words, "set controller.traces too, or delete it"
        if _given(part["spool"], "parked_kib", settings.SPOOL) and not has_toolsnet:
            words = "no effect but less room for results, as only ToolsNet has a quarantine"
            yield f"{place}.spool.parked_kib", words, _DELETE
        urls: dict[str, int] = {}
        for number, outlet in enumerate(station["outlets"]):
            if outlet.get("graphs") and not traces:
                words = "no effect, as controller.traces asks for no curves"
                yield f"{place}.outlets[{number}].graphs", words, "set controller.traces too, or delete it"
            first = urls.setdefault(outlet["url"], number) if "url" in outlet else number
            if first != number:
                words = f"that of outlets[{first}]: the server gets each result twice"
                yield f"{place}.outlets[{number}].url", words, "delete one of the two outlets"


def _in_controller(place: str, part: dict, controller: dict) -> Iterator[Warning_]:
    link = controller["link"]
    server = server_of(controller["device"]) if link != "tcp" else None
    without: dict[str, str] = {}
    if link == "tcp":
        without = dict.fromkeys(settings.SERIAL, "no effect with the link tcp, it is for serial lines")
    else:
        without = dict.fromkeys(_OF_TCP, f"no effect with the link {link}, whose controller is at device")
        if link == "ascii":
            without["priority"] = "no effect with the link ascii, it is for 3964r"
        if server and server[0] == RAW:
            words = "no effect with socket://, where the server's own settings say it"
            without.update(dict.fromkeys(_SET_IN_SERVER, words))
    for key, words in without.items():
        if _given(part, key, settings.CONTROLLER):
            cure = "with rfc2217:// it is set from here" if "socket://" in words else _DELETE
            yield f"{place}.{key}", words, cure
