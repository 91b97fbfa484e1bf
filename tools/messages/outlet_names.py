"""A station's outlets in its status: which of them is the first, and what each is called.

The first outlet is ToolsNet where there is one, else the first durable one of the list. It and the controller are the
two without which nothing gets through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

NAMES = {"toolsnet": "ToolsNet", "mqtt": "MQTT"}


def first_outlet(station: dict) -> dict:
    """Return ToolsNet, or without it the first outlet that is durable; empty before the spool is up."""
    outlets = station.get("outlets", ())
    toolsnet = [outlet for outlet in outlets if outlet["kind"] == "toolsnet"]
    return next(iter(toolsnet or [outlet for outlet in outlets if outlet.get("durable", True)] or outlets), {})


def other_outlets(station: dict) -> list[dict]:
    """Return the station's other outlets."""
    first = first_outlet(station)
    return [outlet for outlet in station.get("outlets", ()) if outlet is not first]


def outlets_of(station: dict) -> Iterator[tuple[str, dict]]:
    """Yield each outlet with its name; a version without names showed kinds."""
    for outlet in station.get("outlets", ()):
        yield outlet.get("name", outlet["kind"]), outlet


def name_of(connection: dict) -> str:
    """Return what a side is called: controller, ToolsNet, MQTT, webhook, file, with its name; "outlet" for none."""
    kind = str(connection.get("kind", "controller" if connection else "outlet"))
    name = connection.get("name", kind)
    return NAMES.get(kind, kind) + ("" if name == kind else f" {name}")


def toolsnet_name(*stations: dict) -> str:
    """Return what ToolsNet is called at these stations; without a name where there is none, or several are."""
    outlets = [outlet for station in stations for outlet in station.get("outlets", ())]
    names = {name_of(outlet) for outlet in outlets if outlet["kind"] == "toolsnet"}
    return names.pop() if len(names) == 1 else NAMES["toolsnet"]


def with_name(words: str, station: dict) -> str:
    """Return words about the station's ToolsNet with the name that it has there."""
    return words.replace(NAMES["toolsnet"], toolsnet_name(station))


def listing(connections: list[dict]) -> str:
    """Return the names of these sides as a sentence has them: `MQTT, file and webhook`."""
    names = [name_of(connection) for connection in connections] or [name_of({})]
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def name_and_place(outlet: dict) -> str:
    """Return where an outlet goes, with its name if it has one: several may go to one place."""
    name = name_of(outlet)
    return f"{name} at {outlet['place']}" if " " in name else outlet["place"]


def common_name(stations: Iterable[dict]) -> str:
    """Return what the first outlets of these stations are called, if that is the same of all."""
    names = {name_of(first_outlet(station)) for station in stations if first_outlet(station)}
    return names.pop() if len(names) == 1 else "outlet"
