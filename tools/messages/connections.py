"""A station's connections in its status: the controller and its outlets.

The first outlet is ToolsNet where there is one, else the first durable one of the list. It and the controller are the
two without which nothing gets through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from toolcart.tools.messages import reasons

NAMES = {"toolsnet": "ToolsNet", "mqtt": "MQTT"}


def first_outlet(station: dict) -> dict:
    """Return ToolsNet, or without it the first outlet that is durable; empty before the spool is up."""
    outlets = station.get("outlets", ())
    toolsnet = [outlet for outlet in outlets if outlet["kind"] == "toolsnet"]
    return next(iter(toolsnet or [outlet for outlet in outlets if outlet.get("durable", True)] or outlets), {})


def furthest_behind(station: dict) -> list[dict]:
    """Return the outlets that keep most of the spool: the durable ones that are furthest behind, several if level."""
    outlets = station.get("outlets", ())
    durable = [outlet for outlet in outlets if outlet.get("durable", True)] or list(outlets[:1])
    highest = max([_waiting(station, outlet) for outlet in durable], default=0)
    return [outlet for outlet in durable if _waiting(station, outlet) == highest]


def waiting_for(station: dict) -> tuple[int, str]:
    """Return how much waits for those outlets, and what they are called."""
    outlets = furthest_behind(station)
    return _waiting(station, outlets[0]) if outlets else station.get("backlog", 0), _names(outlets)


def waits(stations: Iterable[dict]) -> dict[str, int]:
    """Return how much waits for each outlet of these stations, by its name, the most first."""
    counts: dict[str, int] = {}
    for station in stations:
        for outlet in station.get("outlets", ()):
            counts[name_of(outlet)] = counts.get(name_of(outlet), 0) + _waiting(station, outlet)
    return dict(sorted(counts.items(), key=lambda count: -count[1]))


def waiting_text(stations: Iterable[dict], word: str = "") -> str:
    """Say how much waits for whom, with a word behind the first count: `3 waiting for MQTT, 0 for ToolsNet`.

    ToolsNet alone needs no name.
    """
    counts, word = waits(stations), f" {word}" if word else ""
    if list(counts) in ([], [NAMES["toolsnet"]]):
        return f"{sum(counts.values())}{word}"
    texts = [f"{count} for {name}" for name, count in counts.items()]
    return ", ".join([texts[0].replace(" ", f"{word} ", 1), *texts[1:]])


def backlog_for(station: dict) -> str:
    """Return whose the backlog in the status is: that of the outlets for which most waits, whatever they keep."""
    counts = waits([station])
    highest = max(counts.values(), default=0)
    return _names([outlet for outlet in station.get("outlets", ()) if counts[name_of(outlet)] == highest])


def common_backlog_for(stations: Iterable[dict]) -> str:
    """Return whose the backlogs of these stations are, if that is the same at all of them."""
    names = {backlog_for(station) for station in stations if station.get("outlets")}
    return names.pop() if len(names) == 1 else "outlets"


def _waiting(station: dict, outlet: dict) -> int:
    return outlet.get("waiting", station.get("backlog", 0))


def _names(connections: list[dict]) -> str:
    names = [name_of(connection) for connection in connections] or [name_of({})]
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def main_connections(station: dict) -> dict[str, dict]:
    """Return the controller's part of the status, and that of the first outlet."""
    return {"controller": station.get("controller", {}), "outlet": first_outlet(station)}


def other_outlets(station: dict) -> list[dict]:
    """Return the station's other outlets."""
    first = first_outlet(station)
    return [outlet for outlet in station.get("outlets", ()) if outlet is not first]


def name_of(connection: dict) -> str:
    """Return what a side is called: controller, ToolsNet, MQTT, webhook, file, with its name; "outlet" for none."""
    kind = str(connection.get("kind", "controller" if connection else "outlet"))
    name = connection.get("name", kind)
    return NAMES.get(kind, kind) + ("" if name == kind else f" {name}")


def name_and_place(outlet: dict) -> str:
    """Return where an outlet goes, with its name if it has one: several may go to one place."""
    name = name_of(outlet)
    return f"{name} at {outlet['place']}" if " " in name else outlet["place"]


def common_name(stations: Iterable[dict]) -> str:
    """Return what the first outlets of these stations are called, if that is the same of all."""
    names = {name_of(first_outlet(station)) for station in stations if first_outlet(station)}
    return names.pop() if len(names) == 1 else "outlet"


def delivered_of(station: dict) -> int:
    """Return how many results the first outlet has taken; one that refuses none keeps no count of them."""
    return station.get("delivered", station.get("stored", 0) - _waiting(station, first_outlet(station)))


def waits_for_first(station: dict) -> bool:
    """True if something waits for the first outlet."""
    return _waiting(station, first_outlet(station)) > 0


def place_of(connection: dict) -> str:
    return connection["place"] if "place" in connection else reasons.address(connection["host"], connection["port"])


def is_working(connection: dict) -> bool:
    """True if the controller's session stands, or the outlet takes records."""
    return bool(connection["is_up"]) if "is_up" in connection else connection.get("state") in ("ready", "streaming")


def is_proven(connection: dict) -> bool:
    """True unless this outlet has no connection without a batch, and none was taken since the start."""
    return connection.get("batches_sent") != 0


def kind_of_reason(connection: dict) -> str:
    """Return what stays the same of the reason while only the words of the other side in it differ."""
    return str(connection.get("why_kind") or reason_of(connection).text())


def reason_of(connection: dict) -> reasons.Reason:
    """Return why this side of a station is down."""
    if "kind" not in connection:
        return reasons.of_controller(connection)
    return reasons.of_toolsnet(connection) if connection["kind"] == "toolsnet" else reasons.of_outlet(connection)


def outlets_of(station: dict) -> Iterator[tuple[str, dict]]:
    """Yield each outlet with its name; a version without names showed kinds."""
    for outlet in station.get("outlets", ()):
        yield outlet.get("name", outlet["kind"]), outlet
