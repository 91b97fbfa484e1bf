"""What a running agent tells."""

from __future__ import annotations


def healthy_station(**changed: object) -> dict:
    """A station of a status at which all is well."""
    return {
        "number": 1,
        "name": "Cart",
        "mounted": True,
        "counters": {},
        "logged": 0,
        "log": [],
        "controller": {"host": "10.0.0.1", "port": 4545, "state": "ready", "why": "", "why_in": ""},
        "outlets": [{"kind": "toolsnet", "host": "10.0.0.2", "port": 6575, "state": "streaming", "why": ""}],
        "stored": 7,
        "delivered": 5,
        "backlog": 2,
        "parked": 0,
        "recovery": {"phase": "idle", "open_ids": 0, "gone": 0, "epoch": 0},
        "spool": {"kib": 64, "blocks": 16, "used_blocks": 3, "damaged": 0, "torn": 0, "worn": 0},
        **changed,
    }


def status_of(*stations: dict, faults: int = 0, last_fault: str | None = None) -> dict:
    """The line of the agent in which these stations are."""
    return {"kind": "status", "stations": [*stations], "scheduler": {"faults": faults, "last_fault": last_fault}}
