"""In /lib of a simulated RP2040: TCP connections over its two UARTs to lab/firmware/bridge.py.

Rules
1. A line carries one connection at a time; a third socket is refused as lwIP refuses it, by OSError.
2. Like a socket that does not block: `connect` raises EINPROGRESS, an empty `readinto` gives None, a lost one gives 0.
3. The words on the line are toolcart/board/qemu.py's.
"""

import io

from machine import UART

AF_INET = 2
SOCK_STREAM = 1
SOCK_DGRAM = 2

_POLL = 3  # requests of a stream's ioctl, and what poll asks for
_POLLIN = 1
_POLLOUT = 4
_POLLHUP = 16
_EINPROGRESS = 115
_ENOMEM = 12
_BAUD = 115200
_RX_OCTETS = 2048

_OPENING = 0
_UP = 1
_LOST = 2


class _Line:
    def __init__(self, number):
        self.uart = UART(number, baudrate=_BAUD, rxbuf=_RX_OCTETS, txbuf=_RX_OCTETS, timeout=0, timeout_char=0)
        self.owner = None
        self.turn = 0x30
        self.escaped = 0

    def pump(self):
        """Take in what the line has received."""
        while self.uart.any():
            for octet in self.uart.read(self.uart.any()):
                self._take(octet)

    def _take(self, octet):
        what, self.escaped = self.escaped, 0
        owner = self.owner
        if what == 0x10 and octet != 0x10:
            self.escaped = octet
        elif what in (0x55, 0x4C):
            if owner is not None and octet == self.turn:
                owner.there = _UP if what == 0x55 else _LOST
        elif what == 0 and octet == 0x10:
            self.escaped = octet
        elif owner is not None and owner.there == _UP:
            owner.waiting.append(octet)


_lines = []


def getaddrinfo(host, number, *kind):
    """Look nothing up: the bridge connects only to this machine."""
    return [(AF_INET, SOCK_STREAM, 0, "", (host, number))]


class socket(io.IOBase):
    """One TCP connection."""

    def __init__(self, *kind):
        if not _lines:
            _lines.extend((_Line(0), _Line(1)))
        free = [line for line in _lines if line.owner is None]
        if not free:
            raise OSError(_ENOMEM)
        self._line = free[0]
        self._line.owner = self
        self._any = free[0].uart.any
        self.there = _OPENING
        self.waiting = bytearray()

    def setblocking(self, blocks):
        """Do nothing: it never blocks."""

    def setsockopt(self, *option):
        """Do nothing: every write goes out at once."""

    def connect(self, address):
        """Ask the bridge to connect."""
        line = self._line
        line.turn = line.turn + 1 if line.turn < 0x39 else 0x30
        line.uart.write(b"\x10O%c%s %d\n" % (line.turn, address[0], address[1]))
        raise OSError(_EINPROGRESS)

    def readinto(self, buf, n):
        """Read like a stream."""
        self._line.pump()
        n = min(n, len(self.waiting))
        if not n:
            return 0 if self.there == _LOST else None
        buf[:n] = self.waiting[:n]
        self.waiting = self.waiting[n:]
        return n

    def write(self, buf, start, n):
        """Write all of it."""
        if self.there != _UP:
            raise OSError(104)
        self._line.uart.write(bytes(buf[start : start + n]).replace(b"\x10", b"\x10\x10"))
        return n

    def ioctl(self, request, argument):
        """Answer a poll, every millisecond: with as little work as possible."""
        if request != _POLL:
            return 0
        if self._any():
            self._line.pump()
        there = self.there
        if there == _UP:
            return argument & (_POLLOUT | _POLLIN) if self.waiting else argument & _POLLOUT
        return argument & _POLLIN | _POLLHUP if there == _LOST else 0

    def close(self):
        """Tell the bridge; what it still sends is dropped."""
        line = self._line
        if line.owner is self:
            line.owner = None
            line.uart.write(b"\x10C")
