"""Ten thousand connections that do an archive all the harm they can, in a process of its own, until its input ends.

Rules
1. There are several kinds, each from an address of its own; one of them opens more than one address may.
2. A closed connection is opened again after a pause, for ever.
3. It prints `there` once each connection was tried, and at its end what it saw, as a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from collections import Counter
from heapq import heappop, heappush

COUNT = 10_000
AGAIN_S = 5.0
EACH_S = 1.0  # between two actions of a connection
SHARES = 20  # of them, that act at the same instant
AT_ONCE = 200  # connection attempts
CONNECT_S = 10.0
BEHIND = 10  # elsewhere it would have processors of its own
_UNREADABLE = b"0042" + b"0400001800003000100xx" + b"x" * 21
_NAMES = b"10.0.0.1       " + b"Nobody".ljust(25) + b"0001" + b"0001" + b"Spindle".ljust(25)
_ODD = b"0096" + b"0200001000300010999" + _NAMES + b"00-1"  # stored, despite its number of programs
_KEEP_ALIVE = b"00070600001"


class _Hostile(asyncio.Protocol):
    """What each kind does: once when connected, and then every second."""

    def __init__(self, crowd: _Crowd, kind: str) -> None:
        self._crowd = crowd
        self._kind = kind
        self._octet = 0
        self.share = crowd.tried % SHARES
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._crowd.open.add(self)
        if self._kind == "noise":
            transport.write(b"GET / HTTP/1.1\r\n\r\n" * 50)
        elif self._kind == "half":
            transport.write(_UNREADABLE[:30])
        elif self._kind == "deaf":
            transport.pause_reading()

    def act(self) -> None:
        """Do the harm of this kind once more."""
        assert self.transport is not None
        if self.transport.is_closing():
            return
        if self._kind == "drip":
            self.transport.write(_UNREADABLE[:-1][self._octet : self._octet + 1])  # never the last
            self._octet += 1
        elif self._kind == "deaf":
            self.transport.write(_KEEP_ALIVE * 100)
        elif self._kind == "unreadable":
            self.transport.write(_UNREADABLE)
        elif self._kind == "odd":
            self.transport.write(_ODD)
        elif self._kind == "where":
            self.transport.write(b"0007" + b"0700001")

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.open.discard(self)
        self._crowd.ended[self._kind] += 1
        heappush(self._crowd.wanted, (asyncio.get_running_loop().time() + AGAIN_S, self._kind))


# Kind, share of all connections, whether they go to the PIM.
KINDS = (
    ("idle", 0.3, False),
    ("drip", 0.1, False),
    ("half", 0.1, False),
    ("noise", 0.1, False),
    ("deaf", 0.05, False),
    ("unreadable", 0.1, False),
    ("odd", 0.05, False),
    ("where", 0.1, True),
    ("silent", 0.1, True),
)


class _Crowd:
    def __init__(self, pim_port: int, server_port: int) -> None:
        self._ports = {kind: pim_port if at_pim else server_port for kind, _, at_pim in KINDS}
        self.open: set[_Hostile] = set()
        self.ended: Counter[str] = Counter()
        self.wanted: list[tuple[float, str]] = []  # when a connection is tried next, and its kind
        self.tried = self.failed = 0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self.wanted = [(number / COUNT, kind) for kind, share, _ in KINDS for number in range(round(COUNT * share))]
        self.wanted.sort()
        over = loop.run_in_executor(None, sys.stdin.read)
        acting_s, share = loop.time(), 0
        is_announced = False
        while not over.done():
            now_s = loop.time()
            due = []
            while self.wanted and self.wanted[0][0] <= now_s and len(due) < AT_ONCE:
                due.append(heappop(self.wanted)[1])
            await asyncio.gather(*[self._connect(kind) for kind in due])
            if now_s >= acting_s:
                acting_s = now_s + EACH_S / SHARES
                share = (share + 1) % SHARES
                for one in [one for one in self.open if one.share == share]:
                    one.act()
            if not due:
                await asyncio.sleep(0.02)
            if not is_announced and self.tried >= COUNT:
                is_announced = True
                print("there", flush=True)
        print(json.dumps({"tried": self.tried, "open": len(self.open), "failed": self.failed, "ended": self.ended}))

    async def _connect(self, kind: str) -> None:
        self.tried += 1
        address = (f"127.0.1.{1 + [one for one, _, _ in KINDS].index(kind)}", 0)
        loop = asyncio.get_running_loop()
        port = self._ports[kind]
        connecting = loop.create_connection(lambda: _Hostile(self, kind), "127.0.0.1", port, local_addr=address)
        try:
            await asyncio.wait_for(connecting, CONNECT_S)
        except (OSError, TimeoutError):
            self.failed += 1
            heappush(self.wanted, (loop.time() + AGAIN_S, kind))


if __name__ == "__main__":
    os.nice(BEHIND)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_Crowd(int(sys.argv[1]), int(sys.argv[2])).run())
