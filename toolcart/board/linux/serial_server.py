"""A serial line behind a device server on the network (Moxa, Digi, ser2net): raw TCP, or RFC 2217.

Rules
1. It is a TCP connection of the agent (toolcart.board.linux.tcp) and never blocks; pyserial is not needed.
2. With RFC 2217 the port is open when the server has set the line; until then `why` says that it has not.
3. After the connection has ended the intake tries again, as with any other port.
"""

from toolcart.agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
    WHY_NO_ADDRESS,
    WHY_NO_RFC2217,
    WHY_NOT_SETTABLE,
)
from toolcart.agent.link.serial_server import RFC2217, server_of
from toolcart.board.linux.rfc2217 import Rfc2217
from toolcart.board.linux.tcp import TcpPort

CPYTHON_ONLY = True
_READ_MOST = 4096


class SerialServerPort(TcpPort):
    """One serial line (agent.link.port); `settings` is the `controller` part of the completed configuration."""

    def __init__(self, settings):
        TcpPort.__init__(self)
        self._settings = settings
        self._telnet = None
        self._unsent = b""
        self._raw = bytearray(_READ_MOST)

    def open(self, device, baud):  # type: ignore[override] - as a serial line is opened
        del baud  # of the settings; with raw TCP the server has its own
        found = server_of(device)
        if found is None:
            self.close()
            self._why = WHY_NO_ADDRESS
            return
        scheme, host, number = found
        TcpPort.open(self, host, number)
        self._telnet = Rfc2217(self._settings) if scheme == RFC2217 else None

    def state(self):
        state = TcpPort.state(self)
        telnet = self._telnet
        if state != PORT_OPEN or telnet is None or telnet.is_set:
            return state
        self._why = 0
        count = TcpPort.readinto(self, self._raw, _READ_MOST)
        if count > 0:
            telnet.take(memoryview(self._raw)[:count])  # what the controller says before is dropped, as with a line
        if count < 0 or not self._flush():
            self.close()
            return PORT_CLOSED
        if telnet.is_set and not telnet.refused:
            return PORT_OPEN
        self._why = WHY_NOT_SETTABLE if telnet.speaks else WHY_NO_RFC2217
        if telnet.refused:
            self.close()
            return PORT_CLOSED
        return PORT_OPENING

    def readinto(self, buf, n):
        if self._telnet is None:
            return TcpPort.readinto(self, buf, n)
        if self._unsent and not self._flush():
            return PORT_LOST
        count = TcpPort.readinto(self, self._raw, min(n, _READ_MOST))
        if count <= 0:
            return count
        line = self._telnet.take(memoryview(self._raw)[:count])
        buf[: len(line)] = line
        return len(line) if self._flush() else PORT_LOST

    def write(self, buf, start, n):
        if self._telnet is None:
            return TcpPort.write(self, buf, start, n)
        if self._unsent:
            return 0 if self._flush() else PORT_LOST
        self._unsent = self._telnet.escaped(memoryview(buf)[start : start + n])
        return n if self._flush() else PORT_LOST

    def close(self):
        TcpPort.close(self)
        self._telnet = None
        self._unsent = b""

    def overruns(self):
        """Return -1: nobody counts what a server has lost."""
        return -1

    def _flush(self):
        """Send what is due; False if the connection is lost."""
        telnet = self._telnet
        if telnet is not None and telnet.outgoing:
            self._unsent += bytes(telnet.outgoing)
            telnet.outgoing.clear()
        if not self._unsent:
            return True
        count = TcpPort.write(self, self._unsent, 0, len(self._unsent))
        if count < 0:
            return False
        self._unsent = self._unsent[count:]
        return True
