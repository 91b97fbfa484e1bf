"""Outlets beside ToolsNet in a world: what a broker with its consumer and a webhook's server share.

Rules
1. Such a world is a usual one, requested by its shape; the outlet's random choices have dice of their own.
2. In the calm all of it works.
"""

from __future__ import annotations

import json
import random
import re

from lab.worlds.dice import dice, one_of
from lab.worlds.network import Service


class OtherOutlet:
    """The second place where a world's results go; `records` are (identity, number, line), as stored there."""

    records: list[tuple[str, int, dict]]

    def __init__(self, world, place: tuple[str, int], peer_of) -> None:
        self.world = world
        self.breaches: list[str] = []  # breaches of its protocol
        self.service = Service("other_outlet", peer_of)
        world.network.serve(*place, self.service)

    def happen(self, what: str, ms: int) -> None:
        """Let this fault happen, and last for `ms`."""
        network, after = self.world.network, self.world.time.after
        if what == "outage":
            network.set_state(self.service, "hole" if ms % 2 else "refusing", ms % 3 > 0)
            after(ms, lambda: network.set_state(self.service, "up", False))
        else:
            self.fail(what, ms)

    def fail(self, what: str, ms: int) -> None:
        """Start a fault of this outlet's own."""
        raise NotImplementedError

    def works_again(self) -> None:
        """End all faults: the calm begins."""
        self.world.network.set_state(self.service, "up", False)

    def consumed(self, station: int) -> set[int]:
        """Return the production numbers of this station's results that are there."""
        token = re.compile(r"W%dN(\d{6})" % station)
        spindles = self.world.history.stations[station].rules.spindles
        found = set()
        for _, _, record in self.records:
            one = token.search(json.dumps(record)) if record["station"] == station else None
            if one:
                found.add(int(one[1]) + (record["spindle"] - 1 if spindles else 0))
        return found

    def complaints(self) -> list[str]:
        """Return breaches of its protocol and the contract, and records that are there twice or out of order."""
        breaches = list(self.breaches)
        last: dict = {}
        for identity, number, record in self.records:
            key = (identity, record["station"])
            if number <= last.get(key, 0):
                breaches.append(f"the consumer has {number} of station {record['station']} behind {last[key]}")
            last[key] = number
        return breaches


def with_other_outlet(script: dict, shape: str, faults: tuple[str, ...], outlet_of) -> dict:
    """Return the script of a usual world with this outlet at each station; `outlet_of` draws its settings."""
    d = dice(script["seed"], shape)
    script["shape"] = shape
    for station in script["settings"]["stations"]:
        station["controller"]["events"] = []
        station["outlets"] = [{"kind": "toolsnet"}, {"kind": shape, **outlet_of(d)}]
    script["events"] += _drawn(d, faults, script["end_ms"])
    script["events"].sort(key=lambda event: event[0])
    return script


def _drawn(d: random.Random, faults: tuple[str, ...], end_ms: int) -> list[list]:
    return [
        [d.randrange(max(end_ms, 1)), "other_outlet", d.choice(faults), one_of(d, [(3, 2000), (2, 20000), (1, 300000)])]
        for _ in range(d.choice((0, 2, 5, 10)))
    ]
