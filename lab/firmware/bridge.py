"""Carries the Cortex-M3's serial lines to TCP connections on this machine; the protocol on the line is board/qemu.py's.

Rules
1. One listener for each line, on 127.0.0.1: QEMU connects to it (`-serial tcp:127.0.0.1:NUMBER`).
2. A line carries one connection at a time; a new O closes the previous one.
3. Connections are made only to 127.0.0.1, whatever host the board asks for: this is for simulators.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

DLE = 0x10
OPEN, CLOSE = ord("O"), ord("C")
UP, LOST = b"U", b"L"
RECEIVE_BYTES = 4096
CONNECT_TIMEOUT_S = 2
TURN_S = 0.1


class Line:
    """One serial line and the connection behind it."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.selector = selector
        self.serial: socket.socket | None = None
        self.peer: socket.socket | None = None
        self.address: bytearray | None = None  # the part of an O received so far
        self.escaped = False
        self.opened = 0
        self.turn = b"0"  # which of the board's connections is the present one
        self.listener = socket.create_server(("127.0.0.1", 0))
        selector.register(self.listener, selectors.EVENT_READ, self.accept)

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    def accept(self) -> None:
        self.serial, _ = self.listener.accept()
        self.serial.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(self.serial, selectors.EVENT_READ, self.from_board)

    def from_board(self) -> None:
        octets = _received(self.serial)
        if not octets:
            if self.serial is not None:
                self.selector.unregister(self.serial)
            self.hang_up()
            return
        data = bytearray()
        for octet in octets:
            if self.address is not None:
                if octet == ord("\n"):
                    self.dial(self.address.decode())
                    self.address = None
                else:
                    self.address.append(octet)
            elif self.escaped:
                self.escaped = False
                if octet == DLE:
                    data.append(octet)
                elif octet == OPEN:
                    self.address = bytearray()
                elif octet == CLOSE:
                    self.send(data)
                    self.hang_up()
            elif octet == DLE:
                self.escaped = True
            else:
                data.append(octet)
        self.send(data)

    def from_peer(self) -> None:
        octets = _received(self.peer)
        if not octets:
            self.hang_up()
            self.report(LOST)
            return
        self.tell(octets.replace(bytes((DLE,)), bytes((DLE, DLE))))

    def dial(self, address: str) -> None:
        self.hang_up()
        self.turn = address[:1].encode()
        try:
            self.peer = socket.create_connection(("127.0.0.1", int(address.split()[1])), CONNECT_TIMEOUT_S)
        except OSError:
            self.report(LOST)
            return
        self.opened += 1
        self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(self.peer, selectors.EVENT_READ, self.from_peer)
        self.report(UP)

    def send(self, data: bytearray) -> None:
        if self.peer is not None and data:
            with contextlib.suppress(OSError):  # its end shows when it is read
                self.peer.sendall(bytes(data))
        data.clear()

    def report(self, what: bytes) -> None:
        self.tell(bytes((DLE,)) + what + self.turn)

    def tell(self, octets: bytes) -> None:
        if self.serial is not None:
            with contextlib.suppress(OSError):
                self.serial.sendall(octets)

    def hang_up(self) -> None:
        if self.peer is not None:
            self.selector.unregister(self.peer)
            self.peer.close()
            self.peer = None

    def close(self) -> None:
        self.hang_up()
        self.listener.close()
        if self.serial is not None:
            self.serial.close()


def _received(sock: socket.socket | None) -> bytes:
    try:
        return sock.recv(RECEIVE_BYTES) if sock is not None else b""
    except OSError:
        return b""


class Bridge:
    """Two lines, served by a thread of its own while the `with` block runs."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.lines = [Line(self.selector) for _ in range(2)]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def serial_options(self) -> tuple[str, ...]:
        """Return QEMU's options for its further serial ports."""
        return tuple(f"tcp:127.0.0.1:{line.port}" for line in self.lines)

    def _run(self) -> None:
        while not self._stopping.is_set():
            for key, _ in self.selector.select(TURN_S):
                key.data()

    def __enter__(self) -> Bridge:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        for line in self.lines:
            line.close()
        self.selector.close()
