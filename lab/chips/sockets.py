"""The sockets of a simulated chip, as the stack of its port has them: how many there are, their errors, their events.

A UART is one of them, since the same poll waits for it.
"""

from __future__ import annotations

import struct

from toolcart.agent.link.port import PORT_OPEN, PORT_OPENING
from lab.chips import rules
from lab.chips.radio import NAME_SERVER

TCP, SERIAL = 1, 3  # kinds: SOCK_STREAM, beside SOCK_DGRAM, and a UART
DNS_PORT = 53
PACKET_BYTES = 1500


class Socket:
    """One socket as the port has it."""

    def __init__(self, kind: int, port):
        self.kind = kind
        self.port = port
        self.was = 0  # its last state other than closed
        self.error = ""  # the name of the error that ended it
        self.opened_ms = 0
        self.datagrams: list[tuple[str, int, bytes]] = []


class Sockets:
    """Those of one chip, whose radio is `air`, in a network where these addresses listen."""

    def __init__(self, platform: str, clock, network, air, name_server, addresses):
        self.platform = platform
        self.clock = clock
        self.network = network
        self.air = air
        self.name_server = name_server
        self._addresses = addresses
        self._all: dict[int, Socket] = {}

    def __len__(self) -> int:
        return len(self._all)

    def close_all(self) -> None:
        """The chip has ended: its peers hear nothing of it."""
        for sock in self._all.values():
            if sock.kind == SERIAL:
                sock.port.close()
            elif sock.port is not None:
                self.network.abandon(sock.port)
        self._all = {}

    def add_serial(self, port) -> int:
        """Return the number of a UART."""
        number = self._free()
        self._all[number] = Socket(SERIAL, port)
        return number

    def answer(self, what: int, number: int, a: int, octets: bytes) -> tuple[int, bytes]:
        """Return what a call of the port's module `socket` gives: a number, or an error below 0, and octets."""
        if what == rules.SOCKET:
            return self._socket(a), b""
        if what == rules.NAME:
            address = self.name_server.address(octets.decode()) if self._reaches() else ""
            return 0 if address else -1, address.encode()
        sock = self._all.get(number)
        if sock is None:
            return -self._number("EBADF"), b""
        if sock.kind == SERIAL and what in (rules.READ, rules.WRITE):
            return _serial(sock.port, what, a, octets)
        if what == rules.CLOSE:
            if sock.port is not None:
                sock.port.close()
            del self._all[number]
            return 0, b""
        if what == rules.CONNECT:
            return self._connect(sock, octets.decode(), a), b""
        if what == rules.READ:
            return self._received(sock, a)
        if what == rules.WRITE:
            return self._written(sock, octets), b""
        if what == rules.SENDTO:
            return self._sent(sock, octets, a), b""
        return self._datagram(sock)

    def events(self, number: int) -> int:
        """Return what a poll says of this socket."""
        sock = self._all.get(number)
        if sock is None:
            return 0
        if sock.kind == SERIAL:
            return rules.POLLIN if sock.port.has_input() else 0
        if sock.kind != TCP:
            return rules.POLLOUT | (rules.POLLIN if sock.datagrams else 0)
        self._look(sock)
        if sock.error:
            return rules.failed_events(self.platform, sock.error)
        if sock.was != PORT_OPEN:
            return 0 if sock.was else rules.POLLHUP | rules.POLLOUT
        return rules.POLLOUT | (rules.POLLIN if sock.port.has_input() else 0)

    def _reaches(self) -> bool:
        return self.air.reaches(self.clock.total_ms)

    def _number(self, name: str) -> int:
        return rules.ERRNO[self.platform][name]

    def _socket(self, kind: int) -> int:
        have = sum(1 for sock in self._all.values() if sock.kind == kind)
        if have >= (rules.TCP_SOCKETS if kind == TCP else rules.UDP_SOCKETS)[self.platform]:
            return -rules.NO_SOCKET[self.platform]
        number = self._free()
        self._all[number] = Socket(kind, self.network.port() if kind == TCP else None)
        return number

    def _free(self) -> int:
        return next(free for free in range(1, 250) if free not in self._all)

    def _connect(self, sock: Socket, host: str, port: int) -> int:
        if not self.air.is_up(self.clock.total_ms):
            return -self._number("EHOSTUNREACH")  # ERR_RTE: no interface has an address
        if sock.kind != TCP:
            return 0
        if sock.was:
            return -self._number("EALREADY")
        sock.was = PORT_OPENING
        sock.opened_ms = self.clock.total_ms
        sock.port.open(host, port)
        return -self._number("EINPROGRESS")

    def _look(self, sock: Socket) -> None:
        """Notice what became of a connection."""
        state = sock.port.state()
        for address in self._addresses:
            self.network.line(*address).black_hole = not self._reaches()
        if state:
            if state == PORT_OPENING and self.clock.total_ms - sock.opened_ms > rules.CONNECT_GIVES_UP_MS:
                sock.port.close()
                sock.error = "ECONNABORTED"
            sock.was = state
        elif sock.was and not sock.error:
            sock.error = "ECONNRESET"  # also when refused: extmod/modlwip.c:1572

    def _received(self, sock: Socket, n: int) -> tuple[int, bytes]:
        self._look(sock)
        if sock.error:
            return -self._number(sock.error), b""
        if sock.was != PORT_OPEN:
            return -self._number("EAGAIN" if sock.was else "ENOTCONN"), b""
        buf = bytearray(min(n, PACKET_BYTES))
        got = sock.port.readinto(buf, len(buf))
        if got == 0:
            return -self._number("EAGAIN"), b""
        if got < 0:
            sock.was = 0
            return 0, b""  # the end
        return got, bytes(buf[:got])

    def _written(self, sock: Socket, octets: bytes) -> int:
        self._look(sock)
        if sock.error:
            return -self._number(sock.error)
        if sock.was != PORT_OPEN:
            return -self._number("EAGAIN" if sock.was else "ENOTCONN")
        return sock.port.write(octets, 0, len(octets)) or -self._number("EAGAIN")

    def _sent(self, sock: Socket, octets: bytes, port: int) -> int:
        host, _, octets = octets.partition(b"\0")
        if not self.air.is_up(self.clock.total_ms):
            return -self._number("EHOSTUNREACH")
        if port == DNS_PORT and host.decode() == NAME_SERVER:
            server = self.name_server
            server.questions += 1
            if server.answers and self._reaches() and len(sock.datagrams) < rules.DATAGRAMS[self.platform]:
                sock.datagrams.append((NAME_SERVER, DNS_PORT, server.reply(octets)))
        return len(octets)

    def _datagram(self, sock: Socket) -> tuple[int, bytes]:
        if not sock.datagrams:
            return -self._number("EAGAIN"), b""
        host, port, octets = sock.datagrams.pop(0)
        return 0, struct.pack("<H", port) + host.encode() + b"\0" + octets


def _serial(port, what: int, a: int, octets: bytes) -> tuple[int, bytes]:
    """Return what a call of a UART gives; to read a negative count asks how much there is."""
    if what == rules.WRITE:
        return port.write(octets, 0, len(octets)), b""
    if a < 0:
        return port.waiting(), b""
    buf = bytearray(a)
    got = port.readinto(buf, a)
    return got, bytes(buf[:got])
