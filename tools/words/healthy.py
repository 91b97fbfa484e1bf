"""Whether an agent is healthy after a change: a new process answers, every spool is up, all that was connected is."""

from __future__ import annotations

from collections.abc import Iterator

from tools.words import attention, reasons


def away(station: dict) -> Iterator[tuple[str, str]]:
    """Yield the sides of a station that are not connected, and why."""
    controller = station["controller"]
    if controller["state"] != "ready":
        yield "controller", reasons.of_controller(controller).text() or controller["state"]
    for outlet in station["outlets"]:
        if outlet["kind"] == "toolsnet" and outlet["state"] != "streaming":
            yield "ToolsNet", reasons.of_toolsnet(outlet).text() or outlet["state"]


def connected(told: dict) -> set[tuple[int, str]]:
    """Return the sides that are connected: (station's number, side)."""
    found = set()
    for station in told.get("stations", ()):
        if station["mounted"]:
            sides = {
                "controller",
                *(("ToolsNet",) if any(one["kind"] == "toolsnet" for one in station["outlets"]) else ()),
            }
            found |= {(station["number"], side) for side in sides - {side for side, _ in away(station)}}
    return found


def lacks(told: dict, wanted: set[tuple[int, str]], old_process: int | None) -> str:
    """Say what a status lacks to be healthy, "" if nothing; `wanted` must be connected and `old_process` gone."""
    if not told.get("running"):
        return f"no agent answers: {told.get('error', '')}"
    if old_process is not None and told["agent"]["pid"] == old_process:
        return "the old process still runs"
    down = [station for station in told["stations"] if not station["mounted"]]
    if down:
        return f"station {down[0]['number']}: {attention.not_up(down[0])}"
    for station in told["stations"]:
        disk = [need for need in attention.bad(station) if need.slug == "disk"]
        if disk:
            return f"station {station['number']}: {disk[0].words}"
    stations = {station["number"]: station for station in told["stations"]}
    for number, side in sorted(wanted - connected(told)):
        if number in stations:
            why = dict(away(stations[number])).get(side, "")
            return f"{side} of station {number} was connected and is not: {why}"
    return ""


def process_of(told: dict) -> int | None:
    """Return the ID of the process that answered, None if none did."""
    return told["agent"]["pid"] if told.get("running") else None
