"""What stands behind an outlet's base topic, and under which names a consumer asks for it."""

from __future__ import annotations

import hashlib
import socket

RESULTS, RECEIPT, ALARMS, CURVES = "/results", "/receipt", "/alarms", "/curves"
ENDS = (RESULTS, ALARMS, CURVES)  # what is consumed
OTHERS = (RECEIPT, "/state")  # what stands beside it


def filters_of(filters: tuple[str, ...]) -> tuple[str, ...]:
    """Topic filters as they are subscribed: one that names no kind of message asks for the results."""
    found = []
    for one in filters:
        is_whole = one.endswith(ENDS) or one.rpartition("/")[2] == "#"
        found.append(one if is_whole else f"{one.rstrip('/')}{RESULTS}")
    return tuple(dict.fromkeys(found))


def client_id_of(place: str) -> str:
    """A name that the same consumer of the same database has again, so that the broker knows it."""
    return "toolcart-archive-" + hashlib.sha256(f"{socket.gethostname()} {place}".encode()).hexdigest()[:8]
