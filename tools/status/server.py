"""The agent's end of `toolcart status`: a line for process and machine and one for each station, each in a turn.

Rules
1. It only looks, except for `command` (toolcart.agent.station.command_orders): nothing here moves a cursor or waits,
   and a station's state is made when its line is asked for.
2. At most CLIENTS clients at a time; each has little time and little room (toolcart.board.linux.control).
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from toolcart.agent.cart import status
from toolcart.agent.cart.app import App, Station
from toolcart.base.installation import program_version
from toolcart.board.linux.board import TIMESYNC, Board
from toolcart.board.linux.clock import ServersClock
from toolcart.board.linux.control import Control, OrderClient, given

# The agent's process and machine: version, memory, clock. Linux; what is not available is None.

TIMEX = struct.Struct("@I4l")  # modes, offset, freq, maxerror, esterror (adjtimex(2))
TIMEX_BYTES = 1024  # struct timex has 208 at most
CLOCK_IS_NOT_KEPT = 5  # TIME_ERROR of adjtimex(2)

GROUP = "/proc/self/cgroup"
FIRST_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO of the kernel: that of a machine, not of a container

# How an agent is told to read its configuration again.
SERVICE, USERS_SERVICE = "service", "user"
SIGNAL, CONTAINER = "signal", "container"
NONE = "none"  # it would not hear the signal (nohup), or end by it


def memory_kib() -> int | None:
    """Return how much memory the process uses."""
    try:
        with open("/proc/self/statm", encoding="ascii") as pages:
            return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    except (OSError, ValueError, IndexError):
        return None


def clock() -> dict:
    """Return the wall clock with its zone, whether it is kept right, and how far it may be off."""
    now = datetime.now(UTC).astimezone()
    zone = now.tzname()
    told: dict[str, Any] = {"now": now.isoformat(timespec="seconds"), "zone": zone, "kept": None, "error_s": None}
    try:
        page = ctypes.create_string_buffer(TIMEX_BYTES)
        state = ctypes.CDLL(None).adjtimex(page)  # this only reads: no mode is set
    except (OSError, AttributeError):
        return told
    if state < 0 and os.path.exists(TIMESYNC):
        told["kept"] = True
    if state >= 0:
        told["kept"] = state < CLOCK_IS_NOT_KEPT
        told["error_s"] = TIMEX.unpack_from(page)[4] / 1e6 if told["kept"] else None
    return told


def moment(seconds: float) -> str:
    """Return a moment as ISO 8601 with its zone."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(timespec="seconds")


def unit() -> str:
    """Return the systemd unit that this process is the main one of, without `.service`; "" if it is none."""
    if not os.environ.get("NOTIFY_SOCKET"):
        return ""
    name = _group().rpartition("/")[2]
    return name.removesuffix(".service") if name.endswith(".service") else ""


def _group() -> str:
    try:
        with open(GROUP, encoding="ascii", errors="replace") as groups:
            return groups.read().strip()
    except OSError:
        return ""


def namespace() -> int:
    """Return the number of the namespace in which the process has its number; 0 if that cannot be told."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def way_to_reload(name: str) -> str:
    """Return how this process, of the unit `name` if it is one, can be told to read its configuration again."""
    if name:
        return USERS_SERVICE if "/user@" in _group() else SERVICE
    if not callable(signal.getsignal(signal.SIGHUP)):
        return NONE
    return SIGNAL if namespace() in (FIRST_NAMESPACE, 0) else CONTAINER


def identity() -> dict:
    """Return the process's number and what has it read its configuration again."""
    name = unit()
    return {"pid": os.getpid(), "unit": name, "reload": way_to_reload(name)}


class Process:
    """The running agent's own part of the status."""

    def __init__(self) -> None:
        self._started_s = time.time()
        self._since = time.monotonic()

    def told(self) -> dict:
        return {
            "version": program_version(),
            **identity(),
            "started": moment(self._started_s),
            "started_s": round(self._started_s, 3),
            "uptime_s": round(time.monotonic() - self._since, 1),
            "memory_kib": memory_kib(),
            "clock": clock(),
        }


CLIENTS = 8
CANNOT = "`toolcart status` cannot ask this agent"


def open_socket(
    path: str,
    app: App,
    board: Board,
    problem_of: Callable[[Station], str],
    configured: Callable[[], dict],
    tell: Callable[[str], None],
    clock: ServersClock | None = None,
) -> Control:
    """Return the socket at this path; its `note` says why there is none. `problem_of(station)` says why a spool is
    not up, `configured()` what is known of the configuration's files; `tell` gets each command as a line for the
    log; `clock` is given if ours is compared with the server's."""
    process = Process()

    def told(_words: list[str], _asker: OrderClient) -> Iterator[dict]:
        fault = app.scheduler.last_fault
        yield {
            "agent": {
                **process.told(),
                "configuration": configured(),
                "servers_clock": None if clock is None else clock.about(),
                "stations": len(app.stations),
                "notes": board.spool_notes(),
                "faults": app.scheduler.faults,
                "last_fault": None if fault is None else f"{type(fault).__name__}: {fault}",
            }
        }
        for station in app.stations:
            yield {"station": of_station(station, board, problem_of)}

    def command(words: list[str], asker: OrderClient) -> Iterator[dict]:
        for station in app.stations:
            if words[1:] and words[1] == str(station.number):
                from toolcart.agent.station.command_orders import carry_out  # few agents take commands

                job = carry_out(station, board, words[2:], asker)
                return given(job, [words[0], *words[2:]], asker, station, tell)
        known = ", ".join(str(station.number) for station in app.stations)
        return iter([{"outcome": "wrong", "why": f"no station {' '.join(words[1:2])}; configured: {known}"}])

    return Control(path, {"status": told, "command": command}, CLIENTS, CANNOT, ours=False)


def put_details(station: Station, shown: dict) -> None:
    """Add what only a port of Linux knows of why it cannot be used: which file of TLS."""
    for outlet, told in zip(station.outlets, shown.get("outlets", ()), strict=False):
        detail = getattr(outlet.port, "detail", "")
        if detail:
            told["why_detail"] = detail


def of_station(station: Station, board: Board, problem_of: Callable[[Station], str]) -> dict:
    """Return the state as the live view gets it, plus what only Linux knows about a spool."""
    shown: dict[str, Any] = status.of_station(station, board.now())
    put_details(station, shown)
    if station.commands is not None:
        shown["controller"]["commands"] = {"allowed": station.commands.allowed, "sent": station.commands.count}
    if not station.mounted:
        shown["spool_problem"] = problem_of(station)
    elif station.log is not None:
        shown["spool"].update(station.log.device.device.sync_times())
    return shown
