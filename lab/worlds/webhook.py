"""A webhook server beside ToolsNet, in worlds of the shape `webhook`.

Rules
1. The server keeps the contract of docs/outlets.md, with one transaction for each batch; nothing in it is the agent's.
2. It has outages, answers 503, takes a batch without an answer, takes part of a batch, hangs up before its answer.
"""

from __future__ import annotations

import json
import random

from lab.worlds.beside import Beside, beside
from lab.worlds.network import Link

PLACE = ("hook", 8080)
SHAPE = "webhook"
FAULTS = ("outage", "outage", "busy", "mute", "mute", "part", "hangs up")
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"


class Hook(Beside):
    """The server of one world, with its database."""

    def __init__(self, world) -> None:
        super().__init__(world, PLACE, lambda link: _Peer(self, link))
        self.records = []
        self.have: dict[tuple[str, int], int] = {}  # by log and station
        self.faults: list[str] = []  # present ones, one entry each

    def fail(self, what: str, ms: int) -> None:
        """Cause a fault of the server for so long."""
        self.faults.append(what)
        self.world.time.after(ms, lambda: what in self.faults and self.faults.remove(what))

    def works_again(self) -> None:
        super().works_again()
        self.faults.clear()

    def take(self, body: bytes) -> bytes | None:
        """Return the answer to a batch: bytes, or None for silence."""
        if "busy" in self.faults:
            return BUSY
        head, *lines = [json.loads(line) for line in body.splitlines()]
        numbers = [line["number"] for line in lines]
        is_ascending = numbers == sorted(set(numbers)) and head["after"] < numbers[0] and numbers[-1] <= head["last"]
        if head["count"] != len(lines) or not is_ascending:
            self.said.append(f"a batch that cannot be: {head}")
        key = (head["identity"], head["station"])
        have = self.have.get(key, 0)
        last = head["last"]
        if "part" in self.faults:
            last = numbers[len(numbers) // 2]
        if head["after"] <= have < last:
            self.records += [(key[0], line["number"], line) for line in lines if have < line["number"] <= last]
            self.have[key] = have = last
        receipt = json.dumps({"identity": head["identity"], "number": have}).encode()
        return (
            None
            if "mute" in self.faults
            else b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
            % (
                len(receipt),
                receipt,
            )
        )


class _Peer:
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
    return beside(script, SHAPE, FAULTS, _outlet)


def _outlet(d: random.Random) -> dict:
    d.choice((1, 3, 8, 100))  # of settings that are no more, as in lab.worlds.script
    d.choice((1, 5, 30))
    return {
        "url": "http://%s:%d/results" % PLACE,
        "durable": d.random() < 0.7,
    }
