"""The agent's end of `toolcart status`: a line for process and machine and one for each station, each in a turn.

`reload-faults` is what `toolcart config check --reload` asks.

Rules
1. It only looks, except for `command` (toolcart.agent.station.command_orders): nothing here moves a cursor or waits,
   and a station's state is made when its line is asked for.
2. At most CLIENTS clients at a time; each has little time and little room (toolcart.board.linux.control).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from toolcart.agent.cart import status
from toolcart.agent.cart.app import App, Station
from toolcart.agent.cart.status import REFUSED_NAMES
from toolcart.agent.log.flash import REFUSED_NO_ROOM, REFUSED_READ_ONLY
from toolcart.board.linux import refusal
from toolcart.board.linux.board import Board
from toolcart.board.linux.control import Control, OrderClient, given
from toolcart.board.linux.server_clock import ServersClock
from toolcart.tools.status.process import Process

CLIENTS = 8


def open_socket(
    path: str,
    app: App,
    board: Board,
    problem_of: Callable[[Station], str],
    add_details: Callable[[Station, dict], None],
    configured: Callable[[], dict],
    reload_faults: Callable[[], list],
    log: Callable[[str], None],
    clock: ServersClock | None = None,
) -> Control:
    """Return the socket at this path; its `problem` says why there is none. `problem_of(station)` says why a spool is
    not up, `add_details(station, status)` adds what only Linux knows, `configured()` says what is known of the
    configuration's files, `reload_faults()` what a reload would be refused for now; `log` gets each command as a line;
    `clock` is given if ours is compared with the server's.
    """
    process = Process()

    def report(_words: list[str], _asker: OrderClient) -> Iterator[dict]:
        fault = app.scheduler.last_fault
        yield {
            "agent": {
                **process.report(),
                "configuration": configured(),
                "servers_clock": None if clock is None else clock.about(),
                "stations": len(app.stations),
                "notes": [*board.spools_made(), *board.spool_notes()],
                "faults": app.scheduler.faults,
                "last_fault": None if fault is None else f"{type(fault).__name__}: {fault}",
            }
        }
        for station in app.stations:
            yield {"station": of_station(station, board, problem_of, add_details)}

    def refusing_reload(_words: list[str], _asker: OrderClient) -> Iterator[dict]:
        yield {"reload_faults": reload_faults()}

    def command(words: list[str], asker: OrderClient) -> Iterator[dict]:
        for station in app.stations:
            if words[1:] and words[1] == str(station.number):
                from toolcart.agent.station.command_orders import carry_out  # few agents take commands

                job = carry_out(station, board, words[2:], asker)
                return given(job, [words[0], *words[2:]], asker, station, log)
        numbers = ", ".join(str(station.number) for station in app.stations)
        return iter([{"outcome": "wrong", "why": f"no station {' '.join(words[1:2])}; configured: {numbers}"}])

    return Control(path, {"status": report, "reload-faults": refusing_reload, "command": command}, CLIENTS, ours=False)


def put_details(station: Station, status: dict, no_orders: str) -> None:
    """Add what only Linux knows: which file of TLS a port cannot use, which address a host's name is, and what the
    spool's file system would refuse.

    `no_orders` is what keeps the station's socket from being made, "" if nothing does.
    """
    status["no_orders"] = no_orders
    for outlet, outlet_status in zip(station.outlets, status.get("outlets", ()), strict=False):
        detail = getattr(outlet.port, "detail", "")
        if detail and outlet_status.get("why") == "no TLS files":
            outlet_status["why_detail"] = detail
        name, address = getattr(outlet.port, "looked_up", ("", ""))
        if name and name == outlet_status.get("host"):
            outlet_status["address"] = address
    if "spool" in status:
        spool = status["spool"]
        spool["disk_is_full"] = refusal.of_folder(spool["path"]) == REFUSED_NO_ROOM
        is_back = getattr(station.log.device.device, "is_back", None) if station.log is not None else None
        spool["is_back"] = is_back is not None and is_back()
        if refusal.of_file(spool["path"]) == REFUSED_READ_ONLY and not spool["refused"]:  # the next write will find it
            spool["refused"] = REFUSED_NAMES.split(",")[REFUSED_READ_ONLY]
        if spool["refused"]:
            spool["pid"] = os.getpid()  # whose limit may be what refuses


def of_station(
    station: Station,
    board: Board,
    problem_of: Callable[[Station], str],
    add_details: Callable[[Station, dict], None],
) -> dict:
    """Return the state as the live view gets it, plus what only Linux knows about a spool."""
    state: dict[str, Any] = status.of_station(station, board.now())
    add_details(station, state)
    if station.commands is not None:
        state["controller"]["commands"] = {"allowed": station.commands.allowed, "sent": station.commands.count}
    if not station.mounted:
        state["spool_problem"] = "" if state["starting"] else problem_of(station)
    elif station.log is not None:
        state["spool"].update(station.log.device.device.sync_times())
    return state
