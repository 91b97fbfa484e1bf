"""A webhook server beside ToolsNet, in worlds of the shape `webhook`.

Rules
1. The server keeps the contract of docs/outlets.md, with one transaction for each batch; nothing in it is the
   agent's.
2. It has outages, answers 503, takes a batch without an answer, takes part of a batch, hangs up before its answer.
"""

from __future__ import annotations

import json
import random

from lab.harness.mqtt_broker import batch_of
from lab.worlds.network import Link
from lab.worlds.other_outlets import OtherOutlet, with_other_outlet

HOOK = ("hook", 8080)
WEBHOOK = "webhook"
HOOK_FAULTS = ("outage", "outage", "busy", "mute", "mute", "part", "hangs up")
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"


class WebhookServer(OtherOutlet):
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
            self.breaches.append(f"a batch that cannot be: {head}")
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

    def __init__(self, hook: WebhookServer, link: Link) -> None:
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
    return with_other_outlet(script, WEBHOOK, HOOK_FAULTS, _webhook_outlet)


def _webhook_outlet(d: random.Random) -> dict:
    d.choice((1, 3, 8, 100))  # of settings that are no more, as in lab.worlds.script
    d.choice((1, 5, 30))
    return {"url": "http://%s:%d/results" % HOOK, "durable": d.random() < 0.7}
