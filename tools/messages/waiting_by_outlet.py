"""How much waits in a station's spool, and for which of its outlets, from its status."""

from __future__ import annotations

from collections.abc import Iterable

from toolcart.tools.messages.durations import span
from toolcart.tools.messages.outlet_names import NAMES, first_outlet, listing, name_of


def furthest_behind(station: dict) -> list[dict]:
    """Return the outlets that keep most of the spool: the durable ones that are furthest behind, several if level."""
    outlets = station.get("outlets", ())
    durable = [outlet for outlet in outlets if outlet.get("durable", True)] or list(outlets[:1])
    highest = max([_waiting(station, outlet) for outlet in durable], default=0)
    return [outlet for outlet in durable if _waiting(station, outlet) == highest]


def waiting_for(station: dict) -> tuple[str, str]:
    """Return how much waits for those outlets, in words, and what they are called."""
    outlets = furthest_behind(station)
    count = _waiting(station, outlets[0]) if outlets else station.get("backlog", 0)
    return count_text(count, any(_is_bound(outlet) for outlet in outlets)), listing(outlets)


def waits(stations: Iterable[dict]) -> dict[str, int]:
    """Return how much waits for each outlet of these stations, by its name, the most first."""
    counts: dict[str, int] = {}
    for station in stations:
        for outlet in station.get("outlets", ()):
            counts[name_of(outlet)] = counts.get(name_of(outlet), 0) + _waiting(station, outlet)
    return dict(sorted(counts.items(), key=lambda count: -count[1]))


def count_text(count: int, is_bound: bool) -> str:
    """Return a count of what waits, as a bound if it is one."""
    return f"{'up to ' if is_bound and count else ''}{count}"


def waits_in_words(stations: Iterable[dict]) -> dict[str, str]:
    """Return the same in words: `up to 3` where no more waits, and perhaps less."""
    stations = list(stations)
    outlets = [outlet for station in stations for outlet in station.get("outlets", ())]
    bounds = {name_of(outlet) for outlet in outlets if _is_bound(outlet)}
    return {name: count_text(count, name in bounds) for name, count in waits(stations).items()}


def waiting_text(stations: Iterable[dict], word: str = "") -> str:
    """Say how much waits for whom, with a word behind the first count: `3 waiting for MQTT, 0 for ToolsNet`.

    ToolsNet alone needs no name.
    """
    counts, word = waits_in_words(stations), f" {word}" if word else ""
    if list(counts) in ([], [NAMES["toolsnet"]]):
        return f"{''.join(counts.values()) or 0}{word}"
    texts: list[str] = []
    for name, count in counts.items():
        texts.append(f"{count}{'' if texts else word} for {name}")
    return ", ".join(texts)


def outlet_text(outlet: dict) -> str:
    """Say how much waits for one outlet."""
    return f"{count_text(outlet.get('waiting', 0), _is_bound(outlet))} waiting"


def is_bound(station: dict) -> bool:
    """True if no more waits than the status says, and perhaps less."""
    return any(_is_bound(outlet) for outlet in station.get("outlets", ()))


def backlog_text(*stations: dict) -> str:
    """Say how much waits for the outlets that are furthest behind, of all these stations together."""
    return count_text(sum(station.get("backlog", 0) for station in stations), any(map(is_bound, stations)))


def backlog_for(station: dict) -> str:
    """Return whose the backlog in the status is: that of the outlets for which most waits, whatever they keep."""
    counts = waits([station])
    highest = max(counts.values(), default=0)
    return listing([outlet for outlet in station.get("outlets", ()) if counts[name_of(outlet)] == highest])


def common_backlog_for(stations: Iterable[dict]) -> str:
    """Return whose the backlogs of these stations are, if that is the same at all of them."""
    names = {backlog_for(station) for station in stations if station.get("outlets")}
    return names.pop() if len(names) == 1 else "outlets"


def stored_text(stations: Iterable[dict]) -> str:
    """Return how many results were stored, as a bound if a start could not read all of the spool yet."""
    stations = list(stations)
    least = "at least " if any(station.get("stored_at_least") for station in stations) else ""
    return f"{least}{sum(station.get('stored', 0) for station in stations)}"


def delivered_text(stations: Iterable[dict]) -> str:
    """Return how many results ToolsNet has taken, as a bound if it is one."""
    stations = [station for station in stations if "delivered" in station]
    least = "at least " if any(map(is_least, stations)) else ""
    return f"{least}{sum(station['delivered'] for station in stations)}"


def is_least(station: dict) -> bool:
    """True if ToolsNet may have more results than the status says: it has not told yet since the start."""
    return bool(station.get("delivered_at_least"))


def delivered_of(station: dict) -> int:
    """Return how many results the first outlet has taken; one that refuses none keeps no count of them."""
    return station.get("delivered", station.get("stored", 0) - _waiting(station, first_outlet(station)))


def waits_for_first(station: dict) -> bool:
    """True if something waits for the first outlet."""
    return _waiting(station, first_outlet(station)) > 0


def _is_bound(outlet: dict) -> bool:
    return bool(outlet.get("waiting_at_most"))


def _waiting(station: dict, outlet: dict) -> int:
    return outlet.get("waiting", station.get("backlog", 0))


def oldest_text(station: dict) -> str:
    """Return how long the oldest result that waits has been in the spool, "" if none does or that is not known."""
    if not station.get("oldest_waiting_s"):
        return ""
    return f"{'at least ' if station.get('oldest_waiting_at_least') else ''}{span(station['oldest_waiting_s'])}"
