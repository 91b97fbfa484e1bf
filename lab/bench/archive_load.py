"""Stations that report to an archive, in a process of their own; the outcome is a line of JSON.

Rules
1. Without a rate each station keeps its window full until the time is up: the highest throughput.
2. With one, results leave when they are due, whatever is unanswered: how long a 05 takes. The time counts from when a
   result was due, so that a stall is not hidden by what waits behind it.
3. The first second is not counted.
4. A result carries the time at which it leaves, like a station's.
5. With several servers each station first asks a PIM for its own; stations come from as many addresses as they need.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass

WARM_S = 1.0
SILENT_S = 20.0  # longest wait for the last answers
SPREAD_CONNECTS = 100
STATIONS_MOST = 9999  # of a system: four digits
FROM_ONE = 1500  # stations of one address; a server takes 2,000 from one
# After the VIN's 18 characters: its blanks, the counts, a spindle, and a parameter up to its value (TN 5.3).
_REST = (
    "       00017000290%02d72"
    "0001C3412129  0012000112.0000120.37000128.00000040.0000062.30000085.00"
    "0001001200030Tightening ID            "
)
_DESCRIBED = b"0063" + b"02000010003%04d%04d10.0.0.1       " + b"Station".ljust(25) + b"0000"
_END = "               0      00"
_PARAMETER = f"00010012%05d{'Clamp torque':25}{'12.50':25}2{'Nm':6}00"


@dataclass
class LoadOutcome:
    """The outcome: answers after the first second, their times in ms, and what was not answered."""

    answered: int
    sent: int
    seconds: float
    p99_ms: float
    unanswered: int
    refused: int


class _Station(asyncio.Protocol):
    """One connection that sends a station's results and takes the time of each answer."""

    def __init__(self, load: _Load, number: int) -> None:
        self._load = load
        self._number = number
        self._sequence = 0
        self._received = b""
        self.out: deque[float] = deque()  # when each unanswered one was due; answers come in order
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def describe(self) -> None:
        """Say who it is, as a station does first; this answer's time is not taken."""
        assert self._transport is not None
        self.out.append(0.0)
        self._transport.write(_DESCRIBED % place_of(self._number))

    def send(self, due_s: float) -> None:
        """Send the next result."""
        assert self._transport is not None
        self._sequence += 1
        self.out.append(due_s)
        self._transport.write(self._load.telegram(self._number, self._sequence))

    def data_received(self, data: bytes) -> None:
        self._received += data
        now_s = time.perf_counter()
        while len(self._received) >= 28:  # a 05 has 24 bytes
            refused = self._received[25:28] != b"000"
            self._received = self._received[28:]
            due_s = self.out.popleft()
            if due_s:
                self._load.note_answer(self, due_s, now_s, refused)


class _Load:
    def __init__(
        self, port: int, stations: int, seconds: float, window: int, rate: float, parameters: int = 1, pim: int = 0
    ) -> None:
        self._ports = servers_of(pim, stations) if pim else [port] * (stations + 1)
        self._rest = _REST % parameters
        self._end = _END + "".join(_PARAMETER % number for number in range(101, 100 + parameters))
        self._count = stations
        self._seconds = seconds
        self._window = window
        self._rate = rate
        self._second = 0
        self._moment = ""
        self._times_ms: list[float] = []
        self._refused = self._sent = 0
        self._from_s = self._until_s = 0.0

    def telegram(self, station: int, sequence: int) -> bytes:
        """Return a result of 222 bytes after its length: one spindle, the tightening ID; 72 for each one more."""
        self._sent += 1
        second = int(time.time())
        if second != self._second:
            self._second, self._moment = second, time.strftime("%Y%m%d%H%M%S", time.localtime(second))
        system, number = place_of(station)
        general = (
            f"04{sequence:05d}800003{system:04d}{number:04d}{self._moment}{sequence:05d}"
            f"WVWZZZ1KZ{number:04d}{sequence:05d}"
        )
        octets = (general + self._rest + f"{station * 100000 + sequence:010d}" + self._end).encode()
        return b"%04d" % len(octets) + octets

    def note_answer(self, station: _Station, due_s: float, now_s: float, refused: bool) -> None:
        """Note an answer."""
        self._refused += refused
        if self._from_s <= now_s <= self._until_s:
            self._times_ms.append((now_s - due_s) * 1000)
        if not self._rate and now_s < self._until_s:
            station.send(now_s)

    async def run(self) -> LoadOutcome:
        loop = asyncio.get_running_loop()
        stations = []
        for first in range(0, self._count, SPREAD_CONNECTS):
            numbers = range(first + 1, min(first + SPREAD_CONNECTS, self._count) + 1)
            connecting = [
                loop.create_connection(
                    lambda n=n: _Station(self, n),
                    "127.0.0.1",
                    self._ports[n],
                    local_addr=(f"127.0.0.{1 + n // FROM_ONE}", 0),
                )
                for n in numbers
            ]
            stations += [protocol for _, protocol in await asyncio.gather(*connecting)]
            for station in stations[first:]:
                station.describe()
        self._from_s = time.perf_counter() + WARM_S
        self._until_s = self._from_s + self._seconds
        if self._rate:
            await self._send_at_rate(stations)
        else:
            for station in stations:
                for _ in range(self._window):
                    station.send(time.perf_counter())
            await asyncio.sleep(WARM_S + self._seconds)
        end_s = time.perf_counter() + SILENT_S
        while any(station.out for station in stations) and time.perf_counter() < end_s:
            await asyncio.sleep(0.05)
        return self._outcome(sum(len(station.out) for station in stations))

    async def _send_at_rate(self, stations: list[_Station]) -> None:
        began_s = time.perf_counter()
        number = 0
        while (due_s := began_s + number / self._rate) < self._until_s:
            now_s = time.perf_counter()
            if due_s > now_s:
                await asyncio.sleep(due_s - now_s)
            stations[number % len(stations)].send(due_s)
            number += 1
            if number % 50 == 0:
                await asyncio.sleep(0)  # late: answers are read all the same

    def _outcome(self, unanswered: int) -> LoadOutcome:
        times = sorted(self._times_ms) or [0.0]
        p99_ms = round(times[int(0.99 * len(times))], 3)
        return LoadOutcome(len(self._times_ms), self._sent, self._seconds, p99_ms, unanswered, self._refused)


def place_of(station: int) -> tuple[int, int]:
    """Return system and station: a system has 9,999."""
    return 1 + (station - 1) // STATIONS_MOST, 1 + (station - 1) % STATIONS_MOST


def servers_of(pim: int, stations: int) -> list[int]:
    """Return the port of each station's server, by its number, as a PIM names it (07, 08)."""
    ports = [0]
    with socket.create_connection(("127.0.0.1", pim), SILENT_S) as connection, connection.makefile("rb") as replies:
        replies.read(int(replies.read(4)))  # 12
        for number in range(1, stations + 1):
            connection.sendall(b"001907000020003%04d%04d" % place_of(number))
            ports.append(int(replies.read(int(replies.read(4)))[32:37]))
    return ports


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    given = sys.argv[1:]
    wanted = _Load(int(given[0]), int(given[1]), float(given[2]), int(given[3]), float(given[4]), *map(int, given[5:]))
    print(json.dumps(asdict(asyncio.run(wanted.run()))))
