"""Measures the catalogue: results a second beside plain slicing.

It also measures the import of the catalogue, and the client's round trips a second, from a MID 0061 to its MID 0062,
beside a bare asyncio loop's.

Rules
1. Plain slicing means: the header's length, MID and revision as numbers, each field as a slice and int() or decode(),
   all in one dict, without checking any field. It is written by hand below, for two revisions.
2. Ours and theirs take turns of some hundred calls, in the thread's own time, and the best turn of each counts: on a
   shared machine a turn is disturbed or it is not.
3. Imports and the first connect are measured in fresh interpreters, with nothing imported but what they need, and with
   compiled .pyc, as pip leaves them: the first of each is not counted.
4. For round trips a peer in a thread of its own sends one result, waits for the acknowledgement, sends the next; both
   clients have the same peer. The bare loop is what one writes without any library: `readuntil` of the NUL, a
   comparison of the MID, `write`. It has no session, no deadline, no keep-alive, and reads nothing of the result.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from toolcart import catalogue, simulated
from toolcart.client import connect
from lab.bench.report import Report, measured
from lab.cache import CHECKOUT

ROUND_TRIPS = 1500
ROUND_TURNS = 5
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


def add_round_trips(report: Report, result: bytes) -> None:
    """Add the figures of this result (a MID 0061) to a report."""
    best = {}
    for _ in range(ROUND_TURNS):
        for way in (_bare, _ours):
            peer = Peer(result)
            asyncio.run(way(peer.port))
            peer.close()
            best[way] = max(best.get(way, 0.0), ROUND_TRIPS / peer.took_s)
    ours, bare = best[_ours], best[_bare]
    how = f"{ours:,.0f} round trips a second over loopback, each acknowledged by its reader; best turns of the same run"
    report.add("client against a bare asyncio loop", ours / bare, "x", ">= 0.8", how)


TURNS = 300
CALLS = 400
RUN_TIMEOUT_S = 120
FRESH_ROUNDS = 7
DIFFERENT = 1000
READ_BYTES = 1460  # of a TCP segment

FIELDS = {
    "vin": "KPOL3456JKLO897",
    "job_id": 7,
    "pset_id": 3,
    "batch_size": 12,
    "batch_counter": 5,
    "batch_status": 0,
    "tightening_status": 1,
    "torque_status": 1,
    "angle_status": 1,
    "torque": 4237,
    "angle": 95,
    "time": "2024-03-14:09:26:53",
    "pset_change": "2024-02-01:08:00:00",
    "tightening_id": 123345675,
}
MORE = {
    "cell_id": 1,
    "channel_id": 1,
    "controller_name": "airbag7",
    "torque_min": 4000,
    "torque_max": 5000,
    "torque_target": 4500,
    "angle_min": 60,
    "angle_max": 120,
    "angle_target": 90,
}

_IMPORT = (
    "import sys, time; sys.path.insert(0, {root!r}); start = time.process_time(); "
    "import toolcart; {use}; print((time.process_time() - start) * 1000)"
)
_CONNECT = """
import asyncio, sys, time
sys.path.insert(0, {root!r})
start = time.perf_counter()
import toolcart
async def connect():
    async with toolcart.connect("127.0.0.1", {port}):
        return time.perf_counter()
print((asyncio.run(connect()) - start) * 1000)
"""
_USES = {"nothing used": "None", "a result decoded": "toolcart.decode({frame!r}).fields()"}


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1."""
    steps: list[Callable[[Report], None]] = [
        lambda report: _against_plain(report, 999, plain_999),
        lambda report: _against_plain(report, 1, plain_1),
        lambda report: _different(report, 999, plain_999),
        lambda report: _different(report, 1, plain_1),
        lambda report: add_round_trips(report, frame_of(999)),
        _imports,
        _first_connect,
    ]
    return measured(steps, progress)


# -- decoding ------------------------------------------------------------------------------------------------------


def plain_999(frame: bytes) -> dict:
    """Read MID 0061 revision 999 as one would on a PC."""
    length, mid, revision = int(frame[0:4]), int(frame[4:8]), int(frame[8:11])
    if mid != 61 or revision != 999 or length != len(frame):
        raise ValueError(frame)
    return {
        "vin": frame[20:45].decode().rstrip(),
        "job_id": int(frame[45:47]),
        "pset_id": int(frame[47:50]),
        "batch_size": int(frame[50:54]),
        "batch_counter": int(frame[54:58]),
        "batch_status": int(frame[58:59]),
        "tightening_status": int(frame[59:60]),
        "torque_status": int(frame[60:61]),
        "angle_status": int(frame[61:62]),
        "torque": int(frame[62:68]),
        "angle": int(frame[68:73]),
        "time": frame[73:92].decode(),
        "pset_change": frame[92:111].decode(),
        "tightening_id": int(frame[111:121]),
    }


def plain_1(frame: bytes) -> dict:
    """Read revision 1 in the same way."""
    length, mid, revision = int(frame[0:4]), int(frame[4:8]), int(frame[8:11])
    if mid != 61 or revision != 1 or length != len(frame):
        raise ValueError(frame)
    return {
        "cell_id": int(frame[22:26]),
        "channel_id": int(frame[28:30]),
        "controller_name": frame[32:57].decode().rstrip(),
        "vin": frame[59:84].decode().rstrip(),
        "job_id": int(frame[86:88]),
        "pset_id": int(frame[90:93]),
        "batch_size": int(frame[95:99]),
        "batch_counter": int(frame[101:105]),
        "tightening_status": int(frame[107:108]),
        "torque_status": int(frame[110:111]),
        "angle_status": int(frame[113:114]),
        "torque_min": int(frame[116:122]),
        "torque_max": int(frame[124:130]),
        "torque_target": int(frame[132:138]),
        "torque": int(frame[140:146]),
        "angle_min": int(frame[148:153]),
        "angle_max": int(frame[155:160]),
        "angle_target": int(frame[162:167]),
        "angle": int(frame[169:174]),
        "time": frame[176:195].decode(),
        "pset_change": frame[197:216].decode(),
        "batch_status": int(frame[218:219]),
        "tightening_id": int(frame[221:231]),
    }


def frame_of(revision: int) -> bytes:
    """Return the result that is read, in one of the two revisions."""
    return catalogue.encode(61, revision, **(FIELDS if revision == 999 else {**FIELDS, **MORE}))


def per_second(*ways: Callable[[], object], share: int = 1) -> list[float]:
    """Return how often a second each way runs; they take turns, the best counts. `share` divides turns and calls."""
    best = [float("inf")] * len(ways)
    calls = max(1, CALLS // share)
    for _ in range(max(1, TURNS // share)):
        for index, way in enumerate(ways):
            start = time.thread_time()
            for _ in range(calls):
                way()
            best[index] = min(best[index], time.thread_time() - start)
    return [calls / took for took in best]


def _against_plain(report: Report, revision: int, plain: Callable[[bytes], dict]) -> None:
    frame = frame_of(revision)
    read = catalogue.read
    assert read(frame) == catalogue.decode(frame).fields() == plain(frame)
    ours, theirs = per_second(lambda: read(frame), lambda: plain(frame))
    name = f"MID 0061 revision {revision}, every field against plain slicing"
    note = f"{len(plain(frame))} fields as a dict, IDs and digits checked: {ours:,.0f} a second"
    report.add(name, ours / theirs, "x", ">= 1", note)


def three_of(message: catalogue.Message) -> tuple:
    """Return what a program that watches torque and angle reads of a result."""
    return message["torque"], message["angle"], message["tightening_id"]


def reads_of(revision: int) -> list[bytes]:
    """Return a thousand different results as a network delivers them: in reads of 1,460 bytes."""
    given = FIELDS if revision == 999 else {**FIELDS, **MORE}
    frames = [
        catalogue.encode(
            61,
            revision,
            **{
                **given,
                "vin": f"KPOL3456JKLO{index:05d}",
                "torque": 3900 + index * 7 % 700,
                "angle": 60 + index * 13 % 80,
                "tightening_status": index % 9 != 0,
                "time": f"2024-03-14:09:{index // 60 % 60:02d}:{index % 60:02d}",
                "tightening_id": 123345675 + index,
            },
        )
        for index in range(DIFFERENT)
    ]
    octets = b"".join(frame + b"\0" for frame in frames)
    return [octets[at : at + READ_BYTES] for at in range(0, len(octets), READ_BYTES)]


def read_by_library(reads: list[bytes]) -> list[dict]:
    """Return every field of every result in these reads."""
    feed, read = catalogue.Frames().feed, catalogue.read
    return [read(frame) for octets in reads for frame in feed(octets)]


def read_by_slicing(reads: list[bytes], plain: Callable[[bytes], dict]) -> list[dict]:
    """Read the same as one would on a PC."""
    decoded = []
    buffer = b""
    for octets in reads:
        buffer += octets
        while len(buffer) >= 4 and len(buffer) > int(buffer[:4]):
            length = int(buffer[:4])
            decoded.append(plain(buffer[:length]))
            buffer = buffer[length + 1 :]
    return decoded


def read_lazily(reads: list[bytes]) -> list[tuple]:
    """Return three fields of every result in these reads."""
    feed, decode = catalogue.Frames().feed, catalogue.decode
    return [three_of(decode(frame)) for octets in reads for frame in feed(octets)]


def _different(report: Report, revision: int, plain: Callable[[bytes], dict]) -> None:
    reads = reads_of(revision)
    assert read_by_library(reads) == read_by_slicing(reads, plain)
    ours, lazily, theirs = per_second(
        lambda: read_by_library(reads), lambda: read_lazily(reads), lambda: read_by_slicing(reads, plain), share=20
    )
    name = f"{DIFFERENT} different results of revision {revision}, framed and read, "
    note = f"which frames them by hand; {ours * DIFFERENT:,.0f} a second"
    report.add(name + "against plain slicing", ours / theirs, "x", ">= 1", note)
    report.add(name + "three fields, against plain slicing", lazily / theirs, "x", ">= 1.3", "which reads all fields")


# -- importing, and the first connect ------------------------------------------------------------------------------


def _imports(report: Report) -> None:
    frame = frame_of(999)
    for name, use in _USES.items():
        took = _best(_IMPORT.format(root=str(CHECKOUT), use=use.format(frame=frame)))
        report.add(f"import, {name}", took, "ms", "<= 5", f"processor time, the best of {FRESH_ROUNDS} interpreters")


def _first_connect(report: Report) -> None:
    """Measure a program's first connection, from its imports behind asyncio's own to the MID 0002."""
    with simulated.controller() as peer:
        took = _best(_CONNECT.format(root=str(CHECKOUT), port=peer.port))
    report.add(
        "first connect, behind asyncio's import", took, "ms", "<= 60", f"the best of {FRESH_ROUNDS} interpreters"
    )


def _best(source: str) -> float:
    """Return the least that this program says of itself, the first time not counted."""
    return min([_seconds_in_new_process(source) for _ in range(FRESH_ROUNDS + 1)][1:])


def _seconds_in_new_process(source: str) -> float:
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", source],
        cwd=CHECKOUT, env=usual, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=True,
    )  # fmt: skip
    return float(done.stdout)
