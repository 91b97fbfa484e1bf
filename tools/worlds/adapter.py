"""The agent as a world sees it, and the only file here that knows it: build, step, stop, ask.

Everything else in `tools/worlds` uses the functions below and `Agent`'s attributes `app` and `board` not at all.
"""

from __future__ import annotations

from typing import Any

from agent.app import App
from agent.base.ticks import FOREVER
from agent.config import ConfigError, complete
from agent.spool import record
from agent.spool.walk import Walk
from agent.status import snapshot
from tools.worlds.history import Said

TICKS_MAX = 0x3FFFFFFF
_PAGE_BYTES = record.FRAME_BYTES + 648  # of the longest record


class Agent:
    """One run of the agent, from power on to power off."""

    def __init__(self, tree: dict, board) -> None:
        self.board = board
        self.app = App(tree, board)


def completed(tree: dict) -> dict:
    """Return the configuration with every default filled in; raise ValueError for any mistake."""
    try:
        return complete(tree)
    except ConfigError as mistake:
        raise ValueError(str(mistake)) from None


def build(tree: dict, board) -> Agent:
    """Start the agent with this completed configuration on this board."""
    return Agent(tree, board)


def step(agent: Agent, now: int) -> int:
    """Run what is due; return the ms until the next thing is, at most half a day."""
    return min(agent.app.step(now), FOREVER)


def wake(agent: Agent, slot: int, now: int) -> None:
    """The port that was watched for this slot has something to say."""
    agent.app.scheduler.wake(slot, now)


def network_is_up(agent: Agent, now: int) -> None:
    """The board's network has come back."""
    agent.app.network_is_up(now)


def stop(agent: Agent, now: int) -> None:
    """Begin the orderly end; go on stepping until `stopped`, then `close`."""
    agent.app.stop(now)


def stopped(agent: Agent) -> bool:
    """Tell whether the orderly end has been reached."""
    return agent.app.stopped()


def close(agent: Agent) -> None:
    """Close everything."""
    agent.app.close()


def raised(agent: Agent) -> str:
    """What a task of the agent raised last, empty if nothing."""
    scheduler = agent.app.scheduler
    fault = scheduler.last_fault
    return f"{type(fault).__name__}: {fault}" if scheduler.faults else ""


def waiting(agent: Agent, index: int) -> int:
    """How many results of this station the agent says wait for ToolsNet; asked often, so it is cheap."""
    station: Any = agent.app.stations[index]
    return station.ring.backlog(0) if station.mounted else 1


def said(agent: Agent, index: int) -> Said:
    """What the agent says of one station: waiting, overwritten, kept, given up, and the kept payloads."""
    shown = snapshot(agent.app)["stations"][index]
    if not shown["mounted"]:
        return Said(waiting=1)
    station: Any = agent.app.stations[index]
    return Said(
        waiting=shown["backlog"],
        overwritten=shown["spool"]["overwritten"],
        kept=shown["parked"],
        kept_gone=station.parked.overwritten,
        kept_payloads=_payloads(station.parked.device),
    )


def check(agent: Agent) -> list[str]:
    """Complaints of the agent's own invariants after a step; there are none yet.

    Meant for: mounting a copy of the flash (`device.clone()`) gives the same remembered state.
    """
    return []


def _payloads(device) -> list[bytes]:
    """The payload of every record in the area of what is set aside."""
    walk = Walk(device, _PAGE_BYTES)
    found = []
    for block in range(device.block_count):
        walk.begin(block, 0, 0)
        while True:
            kind = walk.next()
            if kind <= record.RECORD_NONE:
                break
            found.append(bytes(walk.page[record.HEAD_BYTES : record.HEAD_BYTES + walk.length]))
    return found
