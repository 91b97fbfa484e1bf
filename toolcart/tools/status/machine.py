"""The agent's process and machine: version, memory, clock. Linux; what is not available is None."""

from __future__ import annotations

import ctypes
import os
import struct
import time
from datetime import UTC, datetime
from typing import Any

from toolcart.base.installation import program_version
from toolcart.board.linux.board import TIMESYNC

TIMEX = struct.Struct("@I4l")  # modes, offset, freq, maxerror, esterror (adjtimex(2))
TIMEX_BYTES = 1024  # struct timex has 208 at most
CLOCK_IS_NOT_KEPT = 5  # TIME_ERROR of adjtimex(2)


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
    try:
        with open("/proc/self/cgroup", encoding="ascii", errors="replace") as groups:
            name = groups.read().strip().rpartition("/")[2]
    except OSError:
        return ""
    return name.removesuffix(".service") if name.endswith(".service") else ""


class Process:
    """The running agent's own part of the status."""

    def __init__(self) -> None:
        self._started_s = time.time()
        self._since = time.monotonic()

    def told(self) -> dict:
        return {
            "version": program_version(),
            "pid": os.getpid(),
            "unit": unit(),
            "started": moment(self._started_s),
            "started_s": round(self._started_s, 3),
            "uptime_s": round(time.monotonic() - self._since, 1),
            "memory_kib": memory_kib(),
            "clock": clock(),
        }
