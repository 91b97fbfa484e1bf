"""Measures the client's round trips a second, from a MID 0061 to its MID 0062, beside a bare asyncio loop's.

Rules
1. A peer in a thread of its own sends one result, waits for the acknowledgement, sends the next; both clients have the
   same peer. It measures the wait for the other side and back, on this machine's loopback.
2. The bare loop is what one writes without any library: `readuntil` of the NUL, a comparison of the MID, `write`. It
   has no session, no deadline, no keep-alive, and reads nothing of the result.
3. They take turns, and the best turn of each counts.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time

from toolcart.agent import catalogue
from toolcart.client import connect
from lab.bench.report import Report

ROUND_TRIPS = 1500
TURNS = 5
_TIMEOUT_S = 30


class Peer:
    """A controller that knows MID 0001, 0003 and 0060, and then sends `ROUND_TRIPS` results, one after the other."""

    def __init__(self, result: bytes) -> None:
        self.result = result + b"\0"
        self.took_s = 0.0
        self.came = b""  # and not processed: two messages may come in one read
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        line, _ = self.listener.accept()
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.settimeout(_TIMEOUT_S)
        with line:
            while True:
                mid = self._next(line)
                if mid == 1:
                    line.sendall(catalogue.encode(2, 1, cell_id=1, channel_id=1, controller_name="bench") + b"\0")
                elif mid == 60:
                    line.sendall(catalogue.encode(5, mid_accepted=60) + b"\0")
                    self._push(line)
                else:
                    line.sendall(catalogue.encode(5, mid_accepted=mid) + b"\0")
                    return

    def _push(self, line: socket.socket) -> None:
        start = time.perf_counter()
        for _ in range(ROUND_TRIPS):
            line.sendall(self.result)
            if self._next(line) != 62:
                raise ValueError("no acknowledgement")
        self.took_s = time.perf_counter() - start

    def _next(self, line: socket.socket) -> int:
        """Return the MID of the next message."""
        while b"\0" not in self.came:
            octets = line.recv(4096)
            if not octets:
                raise ValueError("the client is gone")
            self.came += octets
        frame, _, self.came = self.came.partition(b"\0")
        return int(frame[4:8])

    def close(self) -> None:
        self.thread.join(_TIMEOUT_S)
        self.listener.close()


async def _bare(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in (catalogue.encode(1), catalogue.encode(60, 999)):
        writer.write(request + b"\0")
        await reader.readuntil(b"\0")
    acknowledgement = catalogue.encode(62) + b"\0"
    for _ in range(ROUND_TRIPS):
        frame = await reader.readuntil(b"\0")
        if frame[4:8] == b"0061":
            writer.write(acknowledgement)
    writer.write(catalogue.encode(3) + b"\0")
    await reader.readuntil(b"\0")
    writer.close()
    await writer.wait_closed()


async def _ours(port: int) -> None:
    left = ROUND_TRIPS
    async with connect("127.0.0.1", port, start_revisions=(1,), revisions={"results": (999,)}) as controller:
        async with controller.results() as results:
            async for result in results:
                await result.acknowledge()
                left -= 1
                if not left:
                    return


def add_to(report: Report, result: bytes) -> None:
    """Add the figures of this result (a MID 0061) to a report."""
    best = {}
    for _ in range(TURNS):
        for way in (_bare, _ours):
            peer = Peer(result)
            asyncio.run(way(peer.port))
            peer.close()
            best[way] = max(best.get(way, 0.0), ROUND_TRIPS / peer.took_s)
    ours, bare = best[_ours], best[_bare]
    how = f"{ours:,.0f} round trips a second over loopback, each acknowledged by its reader; best turns of the same run"
    report.add("client against a bare asyncio loop", ours / bare, "x", ">= 0.8", how)
