"""A serial device server as a process of its own: one line on one port of the loopback, raw TCP or pyserial's RFC 2217.

with SerialBridge(plant_line, "rfc2217") as server: ...
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from host_tests.support.running import free_port

START_LIMIT_S = 20.0
ROOT = Path(__file__).resolve().parents[2]


class SerialBridge:
    """The process; it may be killed and started again on the same port."""

    def __init__(self, line, kind):
        self.line, self.kind, self.port = str(line), kind, free_port()
        self.process = None

    @property
    def device(self):
        """What the configuration has."""
        return f"{self.kind}://127.0.0.1:{self.port}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        words = [sys.executable, "-m", "host_tests.plant.serial_bridge", self.line, self.kind, str(self.port)]
        self.process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        until = time.monotonic() + START_LIMIT_S
        assert select.select([self.process.stdout], [], [], until - time.monotonic())[0]
        assert self.process.stdout.readline() == "listens\n"

    def kill(self):
        """End it at once, as a cut of its power would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(START_LIMIT_S)
            self.process.stdout.close()
            self.process = None


class _Out:
    """What pyserial's server writes telnet to."""

    def __init__(self, client):
        self.client = client

    def write(self, octets):
        self.client.sendall(bytes(octets))


def _serve(line, kind, port):
    import serial
    import serial.rfc2217

    class Line(serial.Serial):
        """A pty has no modem lines, which pyserial's server asks for."""

        cts = dsr = ri = cd = property(lambda _: True)

    listener = socket.create_server(("127.0.0.1", port))
    os.write(1, b"listens\n")
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with Line(line, timeout=0) as opened, client:
            manager = serial.rfc2217.PortManager(opened, _Out(client)) if kind == "rfc2217" else None
            _carry(opened, client, manager)


def _carry(line, client, manager):
    """Carry bytes both ways until the client has gone."""
    while True:
        ready = select.select([client, line.fileno()], [], [], 5)[0]
        try:
            if client in ready:
                octets = client.recv(4096)
                if not octets:
                    return
                line.write(b"".join(manager.filter(octets)) if manager else octets)
            if line.fileno() in ready:
                octets = line.read(4096)
                client.sendall(b"".join(manager.escape(octets)) if manager else octets)
        except OSError:
            return


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
