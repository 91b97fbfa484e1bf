"""Measures results as OPC UA events, from the 05 to a client, and their cost: `python -m tools.bench.archive_opcua`.

Rules
1. The archive, the OPC UA server and this client are processes of their own; the client takes whole results, undecoded.
2. A latency is the time from the 05, which goes out after the commit, to the event in the client. Publishing every
   50 ms is part of it.
3. A burst is as many results as the archive takes at once; the rate is that of the events.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asyncua.client.client import Client

from asyncua import ua  # isort: skip

from tools.archive import database
from tools.archive.beside import Beside
from tools.base.command_line import CommandLine, start
from tools.bench.archive_rows import Plant, fill
from tools.bench.processes import memory_mib, told, worked_s

STATIONS = 200
CARS = 5  # of each station, before the measurement
RATE, SECONDS = 50, 20
BURST = 5000
WAIT_S = 120.0
PUBLISHING_MS = 50
_RESULT = (
    "04%05d80%04d%04d%04d%s%05d%-25s00017000290%02d72"
    "0001C3412129  0012000112.0000120.37000128.00000040.0000062.30000085.00"
    "0001001200030Tightening ID            %-25s0      00"
)


@dataclass
class Figures:
    """The measured figures."""

    stations: int
    start_s: float
    memory_mib: float
    memory_most_mib: float
    events: int
    median_ms: float
    p99_ms: float
    burst_events_a_second: float
    missing: int
    processor_us_a_result: float


class _Heard:
    """When each ResultId arrived."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def event_notification(self, event: Any) -> None:
        """Note an event; the library prescribes the name."""
        self.at.setdefault(getattr(event, "Result/ResultMetaData/ResultId"), time.monotonic())


class _Sender:
    """One connection to the archive that reports for all stations."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0
        self.committed: dict[str, float] = {}

    def _next(self) -> str:
        self._number += 1
        station, sequence = 1 + self._number % STATIONS, 1 + self._number // STATIONS
        stamp = time.strftime("%Y%m%d%H%M%S")
        vin = f"BENCH{self._number:013d}"
        telegram = _RESULT % (self._number % 100000, 3, 1, station, stamp, sequence, vin, 1, str(self._number))
        self._writer.write(f"{len(telegram):04d}{telegram}".encode())
        return f"3/1/{station}/{stamp}/{sequence}/1"

    async def send(self, count: int, every_s: float) -> None:
        """Send that many, and take the time of each answer."""
        begun = time.monotonic()
        waiting = []
        for index in range(count):
            waiting.append(self._next())
            if every_s:
                await asyncio.sleep(max(0.0, begun + index * every_s - time.monotonic()))
                await self._answers(waiting)
            elif len(waiting) >= 200:
                await self._answers(waiting)
        await self._answers(waiting)

    async def _answers(self, waiting: list[str]) -> None:
        for id_ in waiting:
            length = int(await self._reader.readexactly(4))
            answer = await self._reader.readexactly(length)
            if not answer.startswith(b"05"):
                raise RuntimeError(f"the archive answered {answer!r}")
            self.committed[id_] = time.monotonic()
        waiting.clear()


def measure(folder: Path) -> Figures:
    """Measure all of it."""
    place = str(folder / "archive.sqlite")
    with database.writing(place) as engine:
        fill(engine, Plant(stations=STATIONS, cars=CARS))
    archive = Beside(place).ready()
    begun = time.monotonic()
    words = ("--database", place, "--bind", "127.0.0.1:0", "--state", str(folder / "opcua.sqlite"))
    try:
        with told("archive", "opcua", *words, begins="OPC UA on ") as (pid, line):
            url = line.split()[3].rstrip(",")
            return asyncio.run(_measured(url, archive.server_port, pid, time.monotonic() - begun))
    finally:
        archive.close()


async def _measured(url: str, port: int, pid: int, start_s: float) -> Figures:
    sender = _Sender(*await asyncio.open_connection("127.0.0.1", port))
    heard = _Heard()
    async with Client(url, timeout=60, watchdog_intervall=20) as client:
        subscription = await client.create_subscription(PUBLISHING_MS, heard)
        await subscription.subscribe_events(client.nodes.server, evfilter=_filter(), queuesize=0)
        memory = memory_mib(pid, "VmRSS")
        await sender.send(RATE * SECONDS, 1 / RATE)
        await _until(heard, len(sender.committed))
        late = sorted(1000 * (heard.at[id_] - at) for id_, at in sender.committed.items() if id_ in heard.at)
        paced = len(late)
        before_s = worked_s(pid)
        begun = time.monotonic()
        await sender.send(BURST, 0)
        await _until(heard, len(sender.committed))
        took_s = max(heard.at.values()) - begun
        used_s = worked_s(pid) - before_s
    return Figures(
        stations=STATIONS,
        start_s=round(start_s, 1),
        memory_mib=round(memory, 1),
        memory_most_mib=round(memory_mib(pid), 1),
        events=len(heard.at),
        median_ms=round(statistics.median(late), 1),
        p99_ms=round(late[int(len(late) * 0.99) - 1], 1),
        burst_events_a_second=round((len(heard.at) - paced) / took_s, 1),
        missing=len(set(sender.committed) - set(heard.at)),
        processor_us_a_result=round(1e6 * used_s / BURST, 1),
    )


def _filter() -> Any:
    """Return the filter for the whole result, and its name."""
    paths = (["Result"], ["Result", "ResultMetaData", "ResultId"], ["Message"])
    clauses = [
        ua.SimpleAttributeOperand(
            TypeDefinitionId=ua.NodeId(ua.ObjectIds.BaseEventType),  # pyright: ignore
            BrowsePath=[ua.QualifiedName(name, 0) for name in path],  # pyright: ignore
            AttributeId=ua.AttributeIds.Value,  # pyright: ignore
        )
        for path in paths
    ]
    return ua.EventFilter(SelectClauses=clauses)


async def _until(heard: _Heard, count: int) -> None:
    end = time.monotonic() + WAIT_S
    while len(heard.at) < count and time.monotonic() < end:
        await asyncio.sleep(0.05)


def main() -> None:
    """Measure, and print a line of JSON."""
    CommandLine(__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="toolcart-opcua-") as folder:
        print(json.dumps(asdict(measure(Path(folder)))))


if __name__ == "__main__":
    start(main)
