"""The agents' figures in Prometheus' text format (0.0.4).

Rules
1. Pure: statuses in, text out. A figure that is not known is left out, never 0.
2. A name says its unit; what only grows ends with _total. Labels are agent, station and name, and a few more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolcart.agent.cart.status import NOT_TRIED
from toolcart.base.prometheus import COUNTER, GAUGE, Sheet
from toolcart.tools.messages import attention, connections, latched_conditions, outlet_names, spool_room

RATED_ERASES = 100000  # of a block of NOR flash, which the boards have

# name -> (type, help)
FAMILIES = {
    "toolcart_up": (GAUGE, "Whether the agent answers at its socket."),
    "toolcart_agent_info": (GAUGE, "Always 1; the version is a label."),
    "toolcart_agent_start_time_seconds": (GAUGE, "When the agent's process started, since 1970."),
    "toolcart_agent_restarts_total": (COUNTER, "Starts of the agent that this page has seen, but for the first."),
    "toolcart_agent_memory_bytes": (GAUGE, "Memory of the agent's process."),
    "toolcart_agent_faults_total": (COUNTER, "Faults inside the agent that it has survived."),
    "toolcart_clock_kept": (GAUGE, "Whether the system keeps its clock right, by NTP or the like."),
    "toolcart_clock_ahead_of_server_seconds": (GAUGE, "How far the system's clock was ahead of ToolsNet's."),
    "toolcart_clock_error_seconds": (GAUGE, "How far the system's clock may be off, by its own estimate."),
    "toolcart_spool_up": (GAUGE, "Whether the station's spool can be used."),
    "toolcart_results_produced_total": (
        COUNTER,
        "Results known to have been made: stored, or gone at most. What only the controller has is in none of both.",
    ),
    "toolcart_results_stored_total": (
        COUNTER,
        "Results that are durable in the spool; at least, while a part of it could not be read since the start.",
    ),
    "toolcart_results_delivered_total": (
        COUNTER,
        "Results that ToolsNet has acknowledged, without those to be sent again; "
        "at least, after a power cut until it has answered.",
    ),
    "toolcart_results_waiting": (
        GAUGE,
        "Records at most that the outlet which is furthest behind has not taken.",
    ),
    "toolcart_outlet_waiting": (GAUGE, "Records at most that an outlet has not taken yet, by its name."),
    "toolcart_results_in_doubt": (
        GAUGE,
        "Results at most that ToolsNet lacks of those it had, and are not sent again.",
    ),
    "toolcart_results_to_send_again": (GAUGE, "Results at most that are still to be sent to ToolsNet again."),
    "toolcart_results_sent_again": (
        GAUGE,
        "Results taken of those that are sent again, since that began or the start.",
    ),
    "toolcart_results_dropped": (GAUGE, "Results that an operator dropped, without those certainly sent again."),
    "toolcart_results_parked": (GAUGE, "Results set aside: refused by ToolsNet, in doubt or unreadable."),
    "toolcart_needs": (GAUGE, "1 for each thing that needs attention: refused, operator, full, state and others."),
    "toolcart_results_missing": (
        GAUGE,
        "IDs known to be missing that the controller is still to be asked for; there may be fewer results.",
    ),
    "toolcart_results_gone_total": (
        COUNTER,
        "Tightening IDs without a result that can be had: at most so many are lost.",
    ),
    "toolcart_results_overwritten": (
        GAUGE,
        "Results at most that a durable outlet lacks, by its name: overwritten in a full spool, or left out for it.",
    ),
    "toolcart_results_missed": (GAUGE, "Records at most given up before a best-effort outlet had them, by its name."),
    "toolcart_oldest_waiting_seconds": (
        GAUGE,
        "How long the oldest result that waits for any outlet has been in the spool, by the agent's own clock, "
        "0 if none waits; at least, since the agent's start or reload, if it was there before.",
    ),
    "toolcart_repeats_total": (COUNTER, "Messages that came or went more than once, by side."),
    "toolcart_connected": (
        GAUGE,
        "1 if the controller's session is established, or the outlet accepts results; none of an outlet not tried yet.",
    ),
    "toolcart_connection_why": (GAUGE, "1 for the reason why a side is not connected."),
    "toolcart_connects_total": (COUNTER, "Connections that stood, by side."),
    "toolcart_serial_overruns_total": (COUNTER, "Bytes of the serial line that were lost for want of room."),
    "toolcart_spool_blocks": (GAUGE, "Blocks of the spool."),
    "toolcart_spool_used_blocks": (GAUGE, "Blocks of the spool that are in use; one stays free while results wait."),
    "toolcart_spool_full_ratio": (GAUGE, "How full the spool is, of what can be used: 1 if it has no room."),
    "toolcart_spool_bad_records": (GAUGE, "Records or blocks found bad, by kind."),
    "toolcart_flash_erases_total": (COUNTER, "Blocks erased since the spool was made, at most."),
    "toolcart_flash_erases_rated": (
        GAUGE,
        "Erases that NOR flash of this size is rated for; cards level wear.",
    ),
    "toolcart_spool_sync_time_seconds_total": (COUNTER, "Time that writes took to reach the disk, since the start."),
    "toolcart_spool_syncs_total": (COUNTER, "Writes to the disk since the start."),
    "toolcart_spool_sync_most_seconds": (GAUGE, "The longest such write since the start."),
    "toolcart_controller_clock_ahead_seconds": (GAUGE, "How far the controller's clock is ahead of ours."),
    "toolcart_noted_total": (COUNTER, "The agent's own counters since its start, by name."),
}


# The agent's counters of a side, by the family that has them.
_COUNTERS = {
    "controller": (
        ("toolcart_connects_total", "controller connects"),
        ("toolcart_repeats_total", "duplicates"),
    ),
    "toolsnet": (("toolcart_connects_total", "server connects"), ("toolcart_repeats_total", "repeated")),
}
_OF_DOUBT = (
    ("toolcart_results_in_doubt", "lost_there"),
    ("toolcart_results_to_send_again", "sent_again"),
    ("toolcart_results_sent_again", "sent_again_done"),
)


@dataclass
class Agent:
    """What is known about an agent: name for labels, newest status (None if it does not answer), restarts seen."""

    name: str
    status: dict | None = None
    restarts: int = 0


def text_of(agents: Sequence[Agent]) -> str:
    """Return the whole page of /metrics."""
    sheet = Sheet(FAMILIES)
    for agent in agents:
        labels: dict[str, object] = {"agent": agent.name}
        sheet.add("toolcart_up", labels, agent.status is not None)
        sheet.add("toolcart_agent_restarts_total", labels, agent.restarts)
        if agent.status is not None:
            _add_agent(sheet, labels, agent.status["agent"])
            for station in agent.status["stations"]:
                _add_station(sheet, labels, station)
    return sheet.text()


def _add_agent(sheet: Sheet, labels: dict, agent: dict) -> None:
    clock = agent.get("clock") or {}
    memory_kib = agent.get("memory_kib")
    sheet.add("toolcart_agent_info", {**labels, "version": agent.get("version", "")}, 1)
    sheet.add("toolcart_agent_start_time_seconds", labels, agent.get("started_s"))
    sheet.add("toolcart_agent_memory_bytes", labels, None if memory_kib is None else memory_kib * 1024)
    sheet.add("toolcart_agent_faults_total", labels, agent.get("faults"))
    sheet.add("toolcart_clock_kept", labels, clock.get("kept"))
    sheet.add("toolcart_clock_error_seconds", labels, clock.get("error_s"))
    servers = agent.get("servers_clock") or {}
    sheet.add("toolcart_clock_ahead_of_server_seconds", labels, servers.get("ahead_s"))
    for need in attention.of_agent(agent):
        sheet.add("toolcart_needs", {**labels, "what": need.slug, "level": need.level}, 1)


def _add_station(sheet: Sheet, labels: dict, station: dict) -> None:
    labels = {**labels, "station": station["number"], "name": station.get("name") or ""}
    sheet.add("toolcart_spool_up", labels, bool(station["mounted"]))
    for counter, count in station.get("counters", {}).items():
        sheet.add("toolcart_noted_total", {**labels, "counter": counter}, count)
    if not station["mounted"]:
        return
    recovery = station["recovery"]
    stored, missing, gone_count = station["stored"], recovery["open_ids"], recovery["gone"]
    sheet.add("toolcart_results_produced_total", labels, stored + gone_count)
    sheet.add("toolcart_results_stored_total", labels, stored)
    sheet.add("toolcart_results_delivered_total", labels, station.get("delivered"))
    sheet.add("toolcart_results_waiting", labels, station["backlog"])
    sheet.add("toolcart_results_parked", labels, station.get("parked"))
    sheet.add("toolcart_results_dropped", labels, station.get("dropped"))
    for connection in station["outlets"]:
        if connection["kind"] == "toolsnet":
            for family, name in _OF_DOUBT:
                sheet.add(family, labels, connection.get(name))
    for slug, level in dict.fromkeys((need.slug, need.level) for need in latched_conditions.all_needs(station)):
        sheet.add("toolcart_needs", {**labels, "what": slug, "level": level}, 1)  # several may be of one kind
    sheet.add("toolcart_results_missing", labels, missing)
    sheet.add("toolcart_results_gone_total", labels, gone_count)
    sheet.add("toolcart_oldest_waiting_seconds", labels, station.get("oldest_waiting_s"))
    for connection_name, connection in (("controller", station["controller"]), *outlet_names.outlets_of(station)):
        of_side = {**labels, "side": connection_name}
        is_well = connections.is_working(connection)
        is_known = connection["state"] != NOT_TRIED  # a webhook is not before the first record
        sheet.add("toolcart_connected", of_side, is_well if is_known else None)
        if connection.get("why") and not is_well:
            sheet.add("toolcart_connection_why", {**of_side, "why": connection["why"]}, 1)
        sheet.add("toolcart_outlet_waiting", {**labels, "outlet": connection_name}, connection.get("waiting"))
        given_up = "overwritten" if connection.get("durable", True) else "missed"
        sheet.add(f"toolcart_results_{given_up}", {**labels, "outlet": connection_name}, connection.get("given_up"))
        for name, counter in _COUNTERS.get(connection.get("kind", "controller"), ()):
            sheet.add(name, of_side, station["counters"].get(counter, 0))
    sheet.add("toolcart_controller_clock_ahead_seconds", labels, station["controller"].get("clock_ahead_s"))
    overruns = station["controller"].get("line", {}).get("overruns", -1)
    if overruns >= 0:
        sheet.add("toolcart_serial_overruns_total", labels, overruns)
    sheet.add("toolcart_spool_full_ratio", labels, spool_room.percent_full(station) / 100)
    _add_spool(sheet, labels, station["spool"])


def _add_spool(sheet: Sheet, labels: dict, spool: dict) -> None:
    sheet.add("toolcart_spool_blocks", labels, spool["blocks"])
    sheet.add("toolcart_spool_used_blocks", labels, spool["used_blocks"])
    for kind in ("damaged", "torn", "worn"):
        sheet.add("toolcart_spool_bad_records", {**labels, "kind": kind}, spool[kind])
    sheet.add("toolcart_flash_erases_total", labels, spool["erases_ever"])
    sheet.add("toolcart_flash_erases_rated", labels, spool["blocks"] * RATED_ERASES)
    if spool.get("sync_ms_mean") is not None:
        sheet.add("toolcart_spool_sync_time_seconds_total", labels, spool["sync_ms_mean"] * spool["syncs"] / 1000)
        sheet.add("toolcart_spool_syncs_total", labels, spool["syncs"])
        sheet.add("toolcart_spool_sync_most_seconds", labels, spool["sync_ms_most"] / 1000)
