"""The agent's process and machine: version, memory, clock. Linux; what is not available is None."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import time
from datetime import UTC, datetime
from typing import Any

from toolcart.base.installation import program_version
from toolcart.board.linux import service
from toolcart.board.linux.board import TIMESYNC

TIMEX = struct.Struct("@I4l")  # modes, offset, freq, maxerror, esterror (adjtimex(2))
TIMEX_BYTES = 1024  # struct timex has 208 at most
CLOCK_IS_NOT_KEPT = 5  # TIME_ERROR of adjtimex(2)

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
    clock_state: dict[str, Any] = {
        "now": now.isoformat(timespec="seconds"),
        "zone": zone,
        "kept": None,
        "error_s": None,
    }
    try:
        page = ctypes.create_string_buffer(TIMEX_BYTES)
        state = ctypes.CDLL(None).adjtimex(page)  # this only reads: no mode is set
    except (OSError, AttributeError):
        return clock_state
    if state < 0 and os.path.exists(TIMESYNC):
        clock_state["kept"] = True
    if state >= 0:
        clock_state["kept"] = state < CLOCK_IS_NOT_KEPT
        clock_state["error_s"] = TIMEX.unpack_from(page)[4] / 1e6 if clock_state["kept"] else None
    return clock_state


def moment(seconds: float) -> str:
    """Return a moment as ISO 8601 with its zone."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(timespec="seconds")


def unit() -> str:
    """Return the systemd unit that this process is the main one of, without `.service`; "" if it is none."""
    if not os.environ.get("NOTIFY_SOCKET"):
        return ""
    return service.unit()


def namespace() -> int:
    """Return the number of the namespace in which the process has its number; 0 if that cannot be told."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def way_to_reload(name: str) -> str:
    """Return how this process, of the unit `name` if it is one, can be told to read its configuration again."""
    if name:
        return USERS_SERVICE if "/user@" in service.group() else SERVICE
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

    def report(self) -> dict:
        return {
            "version": program_version(),
            **identity(),
            "started": moment(self._started_s),
            "started_s": round(self._started_s, 3),
            "uptime_s": round(time.monotonic() - self._since, 1),
            "memory_kib": memory_kib(),
            "clock": clock(),
        }
