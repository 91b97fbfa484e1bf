"""A broker and a consumer beside ToolsNet, in worlds of the shape `mqtt`.

Rules
1. The models are those of lab.harness.mqtt_broker: from the OASIS text and docs/outlets.md, nothing from the agent.
2. The broker has outages, forgets what it has acknowledged, comes back empty, drops the oldest; the consumer is away,
   and its receipts are lost.
"""

from __future__ import annotations

import random

from lab.harness.mqtt_broker import Broker, BrokerSession, Consumer
from lab.worlds.network import Link
from lab.worlds.other_outlets import OtherOutlet, with_other_outlet

BROKER = ("broker", 1883)
MQTT = "mqtt"
BROKER_FAULTS = ("outage", "outage", "forgets", "restart", "away", "away", "mute", "drops")


class Plant(OtherOutlet):
    """The broker of one world, and the consumer behind it."""

    def __init__(self, world, place: tuple[str, int] = BROKER) -> None:
        super().__init__(world, place, self._accept)
        self.broker = Broker()
        self.consumer = Consumer(self.broker)
        self.records = self.consumer.records
        self.breaches = self.broker.complaints
        self.peers: list[_BrokerPeer] = []

    def _accept(self, link: Link) -> _BrokerPeer:
        peer = _BrokerPeer(self, link, self.broker.endpoint())
        self.peers.append(peer)
        return peer

    def flush(self) -> None:
        """Send what every session has to say."""
        for peer in list(self.peers):
            peer.flush()

    def fail(self, what: str, ms: int) -> None:
        """Cause a fault of the broker or of its consumer."""
        if what == "restart":
            self.broker.restart()
            self.flush()
            self.world.network.break_all(self.service)
        elif what == "drops":
            self.broker.queue_most = 1
        else:
            owner = self.broker if what == "forgets" else self.consumer
            setattr(owner, what, True)
            self.world.time.after(ms, lambda: self._over(owner, what))

    def _over(self, owner, what: str) -> None:
        setattr(owner, what, False)
        self.consumer.work()
        self.flush()

    def forget(self, count: int) -> None:
        """Restore the consumer's database to its first records."""
        self.consumer.restore(count)
        self.records = self.consumer.records
        for (topic, identity), number in self.consumer.have.items():
            self.consumer.confirm(topic, identity, number)
        self.flush()

    def works_again(self) -> None:
        super().works_again()
        self.broker.forgets = False
        self.broker.queue_most = 1000
        self._over(self.consumer, "away")
        self._over(self.consumer, "mute")


class _BrokerPeer:
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
    """Return the script of a usual world with a broker."""
    return with_other_outlet(script, MQTT, BROKER_FAULTS, _mqtt_outlet)


def _mqtt_outlet(d: random.Random) -> dict:
    d.choice((1, 3, 8, 32))  # of settings that are no more, as in lab.worlds.script
    d.choice((1, 2, 4))
    d.choice((1, 3, 10))
    return {"host": BROKER[0], "durable": d.random() < 0.7}
