"""An archive in a thread of its own or in a process that can be killed, and a station that speaks to it by octets.

As a program it reads places of databases, one a line, and starts an archive for each by forking: some 0.1 s each, as it
has imported everything. What such an archive waits is shorter: it would be most of a test's time.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import text
from starlette.testclient import TestClient

from toolcart.archive import serving
from toolcart.archive.consume import broker
from toolcart.archive.consume.broker import Address
from toolcart.archive.consume.consumer import Consumer
from toolcart.archive.consume.topics import client_id_of
from toolcart.archive.database import database
from toolcart.archive.server import servers
from toolcart.archive.server.demo_queries import ArchiveBooks
from toolcart.archive.server.server import ArchiveServer
from toolcart.archive.server.server_state import ServerState
from toolcart.archive.storage.writer import Writer
from toolcart.archive.web.app import make
from toolcart.archive.web.reading import Reading
from toolcart.base.sources import ROOT
from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import command_of, toolcart
from lab.harness.archive_rows import Plant, fill, fill_other_tables
from lab.harness.faulty_archive import Faults, server_with

DEADLINE_S = 20.0

# example.md 2: the telegram behind its length.
RESULT = (
    "0400042800003000100102024031409265300017WVWZZZ1KZAW123456        000170002900572"
    "0001C3412129  0012100040.0000042.37000050.00000060.0000095.03000090.00"
    "0001001200030Tightening ID            0001234567               0      00"
    "0001001201500Job ID                   7                        1      00"
    "0001001200100Batch size               6                        1      00"
    "0001001200101Batch counter            4                        1      00"
    "0001001201003Pset last change         2024-02-01:08:00:00      0      00"
)
# Example 4, with its samples.
GRAPH = (
    b"13000431160003000100100001001220240314092653000170000000000000000000010000000100000040.0000050.0000000.0"
    b"000002.00016" + bytes.fromhex("0000000d010004120aff108d105effe7")
)
EVENT = "0900045000300010010202403140930000000400404002010010E404                "
DESCRIBED = "0200051000300010010127.0.0.1      Left front               0001" + (
    "0001" + "Spindle A".ljust(25) + "0001" + "0012" + "Wheel nuts".ljust(25)
)


def result(identifier=42, sequence=17, vin="WVWZZZ1KZAW123456", station=10, system=1, time="20240314092653"):
    """Telegram 04 with these fields changed."""
    head = f"04{identifier:05d}80{3:04d}{system:04d}{station:04d}{time}{sequence:05d}{vin:<25}"
    return head + RESULT[65:]


class Served:
    """`with Served(place) as archive`: it listens, and commits what waits at the end."""

    def __init__(self, place, faults: Faults | None = None, silence_s: float = 60.0, tls: ssl.SSLContext | None = None):
        self.place = str(place)
        self.faults = faults
        self.silence_s = silence_s
        self.tls = tls
        self.log: list[str] = []
        self._ready = threading.Event()
        self._wrong: BaseException | None = None
        self.pim_port = self.server_port = 0

    def __enter__(self):
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(DEADLINE_S)
        if self._wrong:
            raise self._wrong
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()

    def _run(self):
        try:
            asyncio.run(self._serve())
        except BaseException as wrong:
            self._wrong = wrong
            self._ready.set()

    async def _serve(self):
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        with database.writing(self.place) as engine:
            self.writer = Writer(engine, self.log.append)
            self.state = ServerState(self.writer, "127.0.0.1", self.log.append, self.silence_s)
            self.listening = server_with(self.faults, self.state) if self.faults else ArchiveServer(self.state)
            self.pim_port, self.server_port = await self.listening.listen("127.0.0.1", 0, 0, self.tls)
            self._ready.set()
            await self._stop.wait()
            await self.listening.close()

    def server(self, host: str = "127.0.0.1"):
        """A connection to the server, from an address of this machine."""
        return Talk(self.server_port, host=host)

    def pim(self):
        """A connection to the PIM."""
        return Talk(self.pim_port)

    def report(self, *telegrams):
        """A station that connects, says these, and hears that each is stored."""
        with self.server() as server:
            for telegram in telegrams:
                assert server.ask(telegram)[21:24] == "000", telegram

    def rows(self, sql, *values):
        """Rows of the database, by SQL."""
        with reading(self.place) as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql, values)]


def reported(place, *telegrams) -> str:
    """An archive that has got these telegrams, and is served no more."""
    with Served(place) as archive, archive.server() as server:
        for telegram in telegrams:
            server.ask(telegram)
    return archive.place


def filled(place, with_more: bool = False, **size) -> str:
    """An archive full of an invented plant of this size (lab.harness.archive_rows), with events and breaches too."""
    plant = Plant(**size)
    with database.writing(str(place)) as engine:
        fill(engine, plant)
        if with_more:
            fill_other_tables(engine, plant)
    return str(place)


def empty(place) -> str:
    """An archive without anything in it."""
    with database.writing(str(place)):
        return str(place)


def change(place, *statements) -> None:
    """Change an archive past its writer, by SQL."""
    with database.writing(str(place)) as engine, engine.begin() as connection:
        for one in statements:
            connection.execute(text(one) if isinstance(one, str) else one)


def browsing(place, *about, base: str = "http://127.0.0.1:8080", **more) -> TestClient:
    """A browser of the archive's pages; the rest is as toolcart.archive.web.app.make has it."""
    return TestClient(make(Reading(str(place)), *about, **more), base_url=base, follow_redirects=False)


def get(browser, path, status=200):
    """What a page answers, with this status."""
    answer = browser.get(path)
    assert answer.status_code == status, answer.text
    return answer


class Archived(ArchiveBooks):
    """A served archive as a simulated plant wants its ToolsNet (toolcart.sim.serve.Archived)."""

    def __init__(self, served: Served):
        super().__init__(served.place)
        self._served = served
        self.pim_port, self.server_port = served.pim_port, served.server_port

    @property
    def complaints(self) -> list[str]:
        """What could not be stored, and what broke the document."""
        return list(self._served.log)

    def cut(self, cut: bool) -> None:
        """Cut PIM and server off, or connect them again."""
        listening = self._served.listening
        what = listening.reset_all() if cut else listening.listen("127.0.0.1", self.pim_port, self.server_port)
        asyncio.run_coroutine_threadsafe(what, self._served.loop).result(DEADLINE_S)

    def close(self) -> None:
        """Give the file back."""
        self.close_books()


@contextmanager
def delivering(folder, **plant) -> Iterator[SimulatedPlant]:
    """A simulated controller whose results go into an archive; `toolcart archive check` finds nothing wrong then."""
    place = str(place_in(folder))
    with Served(place) as served, SimulatedPlant(archived=Archived(served), **plant) as simulated:
        yield simulated
    done = run("check", "--database", place)
    assert "missing 0, behind 0" in done.output, done.output


class Talk:
    """One connection of a station."""

    def __init__(self, port, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE_S, (host, 0))
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.socket.settimeout(DEADLINE_S)
        self._received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *telegrams):
        """Send telegrams in one piece, each with its length."""
        octets = b""
        for telegram in telegrams:
            telegram = telegram.encode() if isinstance(telegram, str) else telegram
            octets += b"%04d" % len(telegram) + telegram
        self.socket.sendall(octets)

    def receive(self):
        """The next telegram; "" if the other side has closed."""
        while len(self._received) < 4 or len(self._received) < 4 + int(self._received[:4]):
            octets = self.socket.recv(4096)
            if not octets:
                return ""
            self._received += octets
        end = 4 + int(self._received[:4])
        telegram, self._received = self._received[4:end], self._received[end:]
        return telegram.decode()

    def ask(self, telegram):
        """Send one and hear one."""
        self.send(telegram)
        return self.receive()


@contextmanager
def reading(place):
    """A connection that reads an archive, and no other of it stays."""
    engine = database.connect(str(place), writes=False)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


run = partial(toolcart, "archive")


def place_in(folder) -> Path:
    """A database that is not there yet."""
    return Path(folder, "archive.sqlite")


command = partial(command_of, "archive")  # of a process of its own


def serving_in(folder, *words) -> list[str]:
    """Return the command of an archive of its own in this folder, on free ports, with these words more."""
    return command("serve", "--database", place_in(folder), "--pim-port", "0", "--server-port", "0", *words)


PAUSE_LEAST_S = 0.05  # of a consumer whose broker was killed
CONNECT_S = 1.0  # of a consumer whose broker is silent to MQTT 5: where one is late, the other version is tried again
BEAT_S = 0.25  # of a server
GONE_S = servers.GONE_S


class Starter:
    """`start(place)` gives (process number, PIM's port, server's port)."""

    def __enter__(self):
        command = [sys.executable, "-m", "host_tests.support.archive"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1)
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def start(self, place: str, role: str = "all", port: int = 0, gone_s: float = GONE_S) -> tuple[int, int, int]:
        """An archive that listens; a server or PIM among others on this port if one is given.

        A role with `+` and a broker's port consumes as well.
        For a PIM and for others a server is gone that was silent for `gone_s`.
        """
        self._process.stdin.write(f"{role} {port} {gone_s} {place}\n")
        while True:
            line = self._process.stdout.readline()
            assert line, "the starter has ended"
            match = re.match(r"(\d+) (?:PIM on [^:]*:(\d+), )?(?:server on [^:]*:(\d+), )?archive ", line)
            if match:
                return (int(match[1]), int(match[2] or 0), int(match[3] or 0))
            assert "DatabaseUnusable" not in line, line


def kill(process: int) -> None:
    """End one of them by SIGKILL; back when it is gone, and with it its lock of the database."""
    gone = os.pidfd_open(process)
    signal.pidfd_send_signal(gone, signal.SIGKILL)
    assert select.select([gone], [], [], 10)[0], f"{process} does not end"
    os.close(gone)


def _serve(role: str, port: int, place: str) -> None:
    def say(text: str) -> None:
        os.write(1, f"{os.getpid()} {text}\n".encode())

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    role, _, broker_port = role.partition("+")
    where = serving.Place(place, pim_port=port, server_port=0 if broker_port else port, role=role)
    if broker_port:
        broker.PAUSE_LEAST_S, broker.CONNECT_S = PAUSE_LEAST_S, CONNECT_S
        address = Address("127.0.0.1", int(broker_port), filters=("toolcart/#",), client_id=client_id_of(place))
        where.consuming = partial(Consumer, address)
    try:
        asyncio.run(serving.run(where, say))
    except BaseException as wrong:
        say(f"{type(wrong).__name__}: {wrong}")
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who was killed leaves nothing behind
    for line in sys.stdin:
        if os.fork() == 0:
            role, port, gone_s, place = line.strip().split(" ", 3)
            servers.BEAT_S, servers.GONE_S = BEAT_S, float(gone_s)
            _serve(role, int(port), place)
