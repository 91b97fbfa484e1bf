"""A broker and a consumer beside ToolsNet, in worlds that are asked for by the shape `mqtt`: with dice of their own.

Rules
1. The models are tools.sim.mqtt: the OASIS text and docs/mqtt.md, nothing of the agent's.
2. The broker has outages, forgets what it has acknowledged, comes back empty, drops the oldest; the consumer is away,
   and its receipts are lost. In the calm all of it works.
3. What reached the consumer is noted by production number, in the order in which it is there.
"""

from __future__ import annotations

import json
import random
import re

from tools.sim.mqtt import Broker, BrokerSession, Consumer
from tools.worlds.dice import dice, one_of
from tools.worlds.network import Link, Service

PLACE = ("broker", 1883)
SHAPE = "mqtt"
FAULTS = ("outage", "outage", "forgets", "restart", "away", "away", "mute", "drops")


class Plant:
    """The broker of one world, and what stands behind it."""

    def __init__(self, world) -> None:
        self.world = world
        self.broker = Broker()
        self.consumer = Consumer(self.broker)
        self.peers: list[_Peer] = []
        self.service = Service("broker", self._accept)
        world.network.serve(*PLACE, self.service)

    def _accept(self, link: Link) -> _Peer:
        peer = _Peer(self, link, self.broker.endpoint())
        self.peers.append(peer)
        return peer

    def flush(self) -> None:
        """Send what every session has to say."""
        for peer in list(self.peers):
            peer.flush()

    def happen(self, what: str, ms: int) -> None:
        """Let this fault happen, for so long."""
        network, after = self.world.network, self.world.time.after
        if what == "outage":
            network.set_state(self.service, "hole" if ms % 2 else "refusing", ms % 3 > 0)
            after(ms, lambda: network.set_state(self.service, "up", False))
        elif what == "restart":
            self.broker.restart()
            self.flush()
            network.break_all(self.service)
        elif what == "drops":
            self.broker.queue_most = 1
        else:
            owner = self.broker if what == "forgets" else self.consumer
            setattr(owner, what, True)
            after(ms, lambda: self._over(owner, what))

    def _over(self, owner, what: str) -> None:
        setattr(owner, what, False)
        self.consumer.work()
        self.flush()

    def works_again(self) -> None:
        """The calm begins."""
        self.world.network.set_state(self.service, "up", False)
        self.broker.forgets = False
        self.broker.queue_most = 1000
        self._over(self.consumer, "away")
        self._over(self.consumer, "mute")

    def consumed(self, station: int) -> set[int]:
        """The production numbers of what the consumer has of this station."""
        token = re.compile(r"W%dN(\d{6})" % station)
        found = [
            token.search(json.dumps(record)) for _, _, record in self.consumer.records if record["station"] == station
        ]
        return {int(one[1]) for one in found if one}

    def complaints(self) -> list[str]:
        """What MQTT and the contract do not allow, and records that are there twice or out of order."""
        said = list(self.broker.complaints)
        last: dict = {}
        for identity, number, record in self.consumer.records:
            key = (identity, record["station"])
            if number <= last.get(key, 0):
                said.append(f"the consumer has {number} of station {record['station']} behind {last[key]}")
            last[key] = number
        return said


class _Peer:
    """The broker's end of one connection."""

    def __init__(self, plant: Plant, link: Link, session: BrokerSession) -> None:
        self.plant = plant
        self.link = link
        self.session = session

    def receive(self, octets: bytes, reads: int) -> None:
        self.session.receive(octets, 0)
        self.plant.flush()

    def lost(self) -> None:
        if self in self.plant.peers:
            self.plant.peers.remove(self)
            self.session.disconnected(0)
            self.plant.flush()

    def flush(self) -> None:
        octets = self.session.outgoing()
        if octets:
            self.link.send(octets)
        if self.session.wants_close:
            self.lost()
            self.link.close()


def with_mqtt(script: dict) -> dict:
    """The script of a usual world, with a broker beside it."""
    d = dice(script["seed"], SHAPE)
    script["shape"] = SHAPE
    for station in script["settings"]["stations"]:
        station["controller"]["events"] = []
        outlet = {
            "kind": "mqtt",
            "host": PLACE[0],
            "batch": d.choice((1, 3, 8, 32)),
            "window": d.choice((1, 2, 4)),
            "receipt_timeout_s": d.choice((1, 3, 10)),
            "durable": d.random() < 0.7,
        }
        station["outlets"] = [{"kind": "toolsnet"}, outlet]
    script["events"] += _faults(d, script["end_ms"])
    script["events"].sort(key=lambda event: event[0])
    return script


def _faults(d: random.Random, end_ms: int) -> list[list]:
    return [
        [d.randrange(max(end_ms, 1)), "broker", d.choice(FAULTS), one_of(d, [(3, 2000), (2, 20000), (1, 300000)])]
        for _ in range(d.choice((0, 2, 5, 10)))
    ]
