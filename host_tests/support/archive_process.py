"""Archives in processes that can be killed, made by forking one that has imported everything: some 0.1 s each.

As a program it reads places of databases, one a line, starts an archive for each and says its number and its ports.
What an archive waits is shorter here: it would be most of a test's time.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import subprocess
import sys
from functools import partial

from toolcart.archive import servers, serving
from toolcart.archive.consume import broker
from toolcart.archive.consume.batch import client_id_of
from toolcart.archive.consume.broker import Address
from toolcart.archive.consume.consumer import Consumer
from toolcart.archive.faults import Faults
from toolcart.base.sources import ROOT

PAUSE_LEAST_S = 0.05  # of a consumer whose broker was killed
CONNECT_S = 1.0  # of a consumer whose broker is silent to MQTT 5: where one is late, the other version is tried again
BEAT_S = 0.25  # of a server
GONE_S = servers.GONE_S


class Starter:
    """`start(place)` gives (process number, PIM's port, server's port)."""

    def __enter__(self):
        command = [sys.executable, "-m", "host_tests.support.archive_process"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1)
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def start(self, place: str, role: str = "all", port: int = 0, gone_s: float = GONE_S) -> tuple[int, int, int]:
        """An archive that listens; a server or PIM among others on this port if one is given.

        For a PIM and for others a server is gone that was silent for `gone_s`.
        """
        self._process.stdin.write(f"{role} {port} {gone_s} {place}\n")
        while True:
            line = self._process.stdout.readline()
            assert line, "the starter has ended"
            found = re.match(r"(\d+) (?:PIM on [^:]*:(\d+), )?(?:server on [^:]*:(\d+), )?archive ", line)
            if found:
                return (int(found[1]), int(found[2] or 0), int(found[3] or 0))
            assert "Unusable" not in line, line


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
    where = serving.Place(place, pim_port=port, server_port=port, role=role)
    if role == serving.CONSUMER:  # of the broker on this port
        broker.PAUSE_LEAST_S, broker.CONNECT_S = PAUSE_LEAST_S, CONNECT_S
        address = Address("127.0.0.1", port, filters=("toolcart/#",), client_id=client_id_of(place))
        where = serving.Place(place, role=role, consuming=partial(Consumer, address))
    try:
        asyncio.run(serving.run(where, Faults(), say))
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
