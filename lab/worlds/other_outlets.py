"""Outlets beside ToolsNet in a world: what they share, a broker with its consumer, a webhook's server.

Rules
1. Such a world is a usual one, requested by its shape; the outlet's random choices have dice of their own.
2. In the calm all of it works.
"""

from __future__ import annotations

import json
import random
import re

from lab.harness.mqtt_broker import Broker, BrokerSession, Consumer, batch_of
from lab.worlds.network import Link, Service
from lab.worlds.timeline import dice, one_of


class Beside:
    """The second place where a world's results go; `records` are (identity, number, line), as stored there."""

    records: list[tuple[str, int, dict]]

    def __init__(self, world, place: tuple[str, int], peer_of) -> None:
        self.world = world
        self.said: list[str] = []  # breaches of its protocol
        self.service = Service("beside", peer_of)
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
        said = list(self.said)
        last: dict = {}
        for identity, number, record in self.records:
            key = (identity, record["station"])
            if number <= last.get(key, 0):
                said.append(f"the consumer has {number} of station {record['station']} behind {last[key]}")
            last[key] = number
        return said


def beside(script: dict, shape: str, faults: tuple[str, ...], outlet_of) -> dict:
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
        [d.randrange(max(end_ms, 1)), "beside", d.choice(faults), one_of(d, [(3, 2000), (2, 20000), (1, 300000)])]
        for _ in range(d.choice((0, 2, 5, 10)))
    ]


# A broker and a consumer beside ToolsNet, in worlds of the shape `mqtt`.
#
# Rules
# 1. The models are those of lab.harness.mqtt_broker: from the OASIS text and docs/outlets.md, nothing from the agent.
# 2. The broker has outages, forgets what it has acknowledged, comes back empty, drops the oldest; the consumer is away,
#    and its receipts are lost.

BROKER = ("broker", 1883)
MQTT = "mqtt"
BROKER_FAULTS = ("outage", "outage", "forgets", "restart", "away", "away", "mute", "drops")


class Plant(Beside):
    """The broker of one world, and the consumer behind it."""

    def __init__(self, world, place: tuple[str, int] = BROKER) -> None:
        super().__init__(world, place, self._accept)
        self.broker = Broker()
        self.consumer = Consumer(self.broker)
        self.records = self.consumer.records
        self.said = self.broker.complaints
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
    return beside(script, MQTT, BROKER_FAULTS, _mqtt_outlet)


def _mqtt_outlet(d: random.Random) -> dict:
    d.choice((1, 3, 8, 32))  # of settings that are no more, as in lab.worlds.script
    d.choice((1, 2, 4))
    d.choice((1, 3, 10))
    return {"host": BROKER[0], "durable": d.random() < 0.7}


# A webhook server beside ToolsNet, in worlds of the shape `webhook`.
#
# Rules
# 1. The server keeps the contract of docs/outlets.md, with one transaction for each batch; nothing in it is the
#    agent's.
# 2. It has outages, answers 503, takes a batch without an answer, takes part of a batch, hangs up before its answer.

HOOK = ("hook", 8080)
WEBHOOK = "webhook"
HOOK_FAULTS = ("outage", "outage", "busy", "mute", "mute", "part", "hangs up")
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"


class Hook(Beside):
    """The server of one world, with its database."""

    def __init__(self, world, place: tuple[str, int] = HOOK) -> None:
        super().__init__(world, place, lambda link: _HookPeer(self, link))
        self.records = []
        self.have: dict[tuple[str, int], int] = {}  # by log and station
        self.faults: list[str] = []  # present ones, one entry each

    def fail(self, what: str, ms: int) -> None:
        """Cause a fault of the server for so long."""
        self.faults.append(what)
        self.world.time.after(ms, lambda: what in self.faults and self.faults.remove(what))

    def forget(self, count: int) -> None:
        """Restore the database to its first records."""
        del self.records[count:]
        for key in self.have:
            self.have[key] = max((number for identity, number, _ in self.records if identity == key[0]), default=0)

    def works_again(self) -> None:
        super().works_again()
        self.faults.clear()

    def take(self, body: bytes) -> bytes | None:
        """Return the answer to a batch: bytes, or None for silence."""
        if "busy" in self.faults:
            return BUSY
        head, lines, can_be = batch_of(body)
        if not can_be:
            self.said.append(f"a batch that cannot be: {head}")
        key = (head["identity"], head["station"])
        have = self.have.get(key, 0)
        last = head["last"]
        if "part" in self.faults:
            last = lines[len(lines) // 2]["number"]
        if head["after"] <= have < last:
            self.records += [(key[0], line["number"], line) for line in lines if have < line["number"] <= last]
            self.have[key] = have = last
        receipt = json.dumps({"identity": head["identity"], "number": have}).encode()
        return (
            None
            if "mute" in self.faults
            else b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(receipt), receipt)
        )


class _HookPeer:
    """The server's end of one connection."""

    def __init__(self, hook: Hook, link: Link) -> None:
        self.hook = hook
        self.link = link
        self.got = b""

    def receive(self, octets: bytes, reads: int) -> None:
        self.got += octets
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end:
            return
        length = next(int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: "))
        if len(body) < length:
            return
        self.got = body[length:]
        answer = self.hook.take(body[:length])
        if "hangs up" in self.hook.faults:
            self.link.reset()
        elif answer is not None:
            self.link.send(answer)

    def lost(self) -> None:
        """Handle the loss of the agent's end."""


def with_webhook(script: dict) -> dict:
    """Return the script of a usual world with a webhook server."""
    return beside(script, WEBHOOK, HOOK_FAULTS, _webhook_outlet)


def _webhook_outlet(d: random.Random) -> dict:
    d.choice((1, 3, 8, 100))  # of settings that are no more, as in lab.worlds.script
    d.choice((1, 5, 30))
    return {"url": "http://%s:%d/results" % HOOK, "durable": d.random() < 0.7}
