"""What follows an outlet's base topic, and under which names a consumer asks for it."""

from __future__ import annotations

import hashlib
import socket

RESULTS, RECEIPT, ALARMS, CURVES, STATE = "/results", "/receipt", "/alarms", "/curves", "/state"
ENDS = (RESULTS, ALARMS, CURVES)  # what is consumed


def filters_of(filters: tuple[str, ...]) -> tuple[str, ...]:
    """Return the topic filters to subscribe; one that names no kind of message asks for results and state."""
    subscribed = []
    for one in filters:
        if one.endswith((*ENDS, STATE)) or one.rpartition("/")[2] == "#":
            subscribed.append(one)
        else:
            subscribed += [one.rstrip("/") + RESULTS, one.rstrip("/") + STATE]
    return tuple(dict.fromkeys(subscribed))


def client_id_of(place: str) -> str:
    """Return a name that stays the same for this machine and database, so that the broker knows the consumer again."""
    return "toolcart-archive-" + hashlib.sha256(f"{socket.gethostname()} {place}".encode()).hexdigest()[:8]
