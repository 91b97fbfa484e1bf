"""A status as lines for people, the same for an agent on Linux and on a board.

Rules
1. Each station begins with what does not work and what to do about it; figures follow.
2. Whoever prints these lines passes them through toolcart.base.terminal_safe: they hold foreign text.
"""

from __future__ import annotations

from toolcart.board.linux.plurals import counted
from toolcart.tools.messages import (
    attention,
    connections,
    latched_conditions,
    missed_results,
    outlet_names,
    reasons,
    spool_room,
    waiting_by_outlet,
)
from toolcart.tools.messages.durations import rounded, span

WIDTH = 12


def agent_lines(agent: dict) -> list[str]:
    """Describe the process and the machine."""
    clock = agent.get("clock") or {}
    memory = f", {agent['memory_kib'] / 1024:.0f} MiB" if agent.get("memory_kib") else ""
    lines = [
        f"toolcart {agent.get('version', '')}, process {agent.get('pid', '?')}, running for "
        f"{span(agent.get('uptime_s', 0))} since {agent.get('started', '?')}{memory}"
    ]
    if clock:
        synchronised = {True: "synchronised", False: "NOT synchronised (no NTP)"}.get(clock.get("kept"), "")  # type: ignore
        error = f", within {rounded(clock['error_s'], 3)} s" if clock.get("error_s") is not None else ""
        lines.append(f"clock {clock.get('now')} ({clock.get('zone')}) {synchronised}{error}".rstrip())
    lines += servers_clock(agent.get("servers_clock") or {})
    if agent.get("faults"):
        lines.append(f"FAULT inside the agent, {agent['faults']} in all, the last: {agent.get('last_fault')}")
    lines += [f"{need.label}: {need.text()}" for need in attention.of_agent(agent)]
    return lines + [f"note: {note}" for note in agent.get("notes", ())]


_CLOCK_WORDS = {
    "right": "ours is right",
    "kept by NTP": "NTP keeps ours, so it is left alone",
    "set": "ours was set by it",
    "time zone": "whole half hours: LOOK AT THE TIME ZONE here and there, nothing is set",
    "set since": "somebody has set ours since, it is compared again",
    "not allowed": "NOT SET: the agent may not; run `toolcart install-service` again, or give it CAP_SYS_TIME",
}


def servers_clock(clock: dict) -> list[str]:
    """Say how our clock compares with ToolsNet's, if that is measured."""
    ahead_s = clock.get("ahead_s")
    if ahead_s is None:
        return ["ToolsNet's clock: no time has come from it yet"] if clock else []
    words = _CLOCK_WORDS.get(clock["outcome"], "it is only compared")
    sets = f"; set {clock['times_set']} times" if clock["times_set"] else ""
    error = f"give or take {clock['error_s']:.0f} s"
    if ahead_s == 0:
        return [f"ours and ToolsNet's clock agreed when last compared, {error}{sets}"]
    direction = "ahead of" if ahead_s > 0 else "behind"
    return [f"ours was {span(abs(ahead_s))} {direction} ToolsNet's clock, {error}: {words}{sets}"]


def station_lines(station: dict) -> list[str]:
    """Describe one station: first what is wrong with it."""
    lines = [f"station {station['number']} {station.get('name', '')}".rstrip()]
    if not station["mounted"]:
        return [*lines, _line("SPOOL", attention.spool_problem(station)), _line("", "no result is taken until it is")]
    lines += [line for side in connections.main_connections(station).values() for line in _connection_lines(side)]
    lines += [_outlet_line(outlet) for outlet in outlet_names.other_outlets(station)]
    lines.append(_line("results", results(station)))
    lines.append(_line("spool", _spool(station)))
    return lines + problem_lines(station)


def problem_lines(station: dict) -> list[str]:
    """Say what does not work or did not get through, with the command that says more or helps."""
    lines = [_line(need.label, need.text()) for need in latched_conditions.all_needs(station)]
    missed = missed_results.of_station(station)
    return [*lines, _line(missed.label, missed.words)] if missed else lines


def _connection_lines(connection: dict) -> list[str]:
    place = reasons.with_next_try(connections.place_of(connection), connection)
    lines = [_line(outlet_names.name_of(connection), f"{connection['state']:<15} {place}")]
    reason = connections.reason_of(connection)
    if reason:
        lines.append(_line("", f"why: {reason.words}"))
        if reason.hint:
            lines.append(_line("", f"     {reason.hint}"))
    ahead_s = connection.get("clock_ahead_s")
    if ahead_s:
        direction = "ahead of" if ahead_s > 0 else "behind"
        lines.append(_line("", f"its clock is {span(abs(ahead_s))} {direction} ours"))
    return lines


def _outlet_line(outlet: dict) -> str:
    text = f"{outlet.get('place', '')}: {outlet.get('state', '')}, {waiting_by_outlet.outlet_text(outlet)}"
    return _line(outlet_names.name_of(outlet), text)


def results(station: dict) -> str:
    """Say how many results are stored, delivered, dropped by an operator if any are, and waiting for whom."""
    oldest = station.get("oldest_waiting")
    waiting = waiting_by_outlet.waiting_text([station], "waiting")
    if oldest and station["backlog"]:
        age = waiting_by_outlet.oldest_text(station)
        waiting += f" (the oldest{f' stored {age} ago,' if age else ''} stamped {oldest})"
    delivered = f"{waiting_by_outlet.delivered_text([station])} delivered, " if "delivered" in station else ""
    dropped = f"{station['dropped']} dropped, " if station.get("dropped") else ""
    return f"{waiting_by_outlet.stored_text([station])} stored, {delivered}{dropped}{waiting}"


def _spool(station: dict) -> str:
    spool = station["spool"]
    text = f"{spool_room.percent_full(station)} % full, of {spool['blocks']} blocks for results; "
    text += f"at most {counted(spool.get('erases_ever', 0), 'block')} erased so far"
    if spool.get("path"):
        text = f"{spool['path']}: {text}"
    if spool.get("sync_ms_mean") is not None:
        text += f", a sync takes {spool['sync_ms_mean']:g} ms ({spool['sync_ms_most']:g} at most)"
    faults = [f"{spool[name]} {name}" for name in ("damaged", "torn", "worn") if spool.get(name)]
    return text + (f"; {', '.join(faults)}" if faults else "")


def _line(label: str, text: str) -> str:
    return f"  {label:<{WIDTH - 1}} {text}"
