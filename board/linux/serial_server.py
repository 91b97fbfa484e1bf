"""A serial line behind a device server on the network (Moxa, Digi, ser2net): raw TCP, or RFC 2217.

Rules
1. It is a TCP connection of the agent (toolcart.board.linux.tcp) and never blocks; pyserial is not needed.
2. With RFC 2217 the port is open when the server has set the line; until then `why` says that it has not.
3. After the connection has ended the intake tries again, as with any other port.
4. RFC 2217 as its client knows no socket: settings and bytes over telnet. The line is set when the server has confirmed
   each setting with the value asked for. A byte 255 is doubled both ways. What else the server says in telnet is
   answered, refused or ignored. `outgoing` is what is to be sent before any byte of the line.
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
from toolcart.board.linux.tcp import TcpPort

CPYTHON_ONLY = True

_SE, _SB, _WILL, _WONT, _DO, _DONT, _IAC = 240, 250, 251, 252, 253, 254, 255
_BINARY, _GO_AHEAD, _COM_PORT = 0, 3, 44
_WANTED = (_BINARY, _GO_AHEAD, _COM_PORT)
_CONFIRMED = 100  # added to a command by the server
_BAUD, _BITS, _PARITY, _STOP_BITS, _CONTROL = 1, 2, 3, 4, 5
_PARITIES = {"none": 1, "odd": 2, "even": 3}
_SUBNEGOTIATION_MOST = 64
_ANSWERED_MOST = 64  # requests of the server: one that never ends is no RFC 2217

# What the next byte is.
_DATA, _COMMAND, _OPTION, _INSIDE, _INSIDE_COMMAND = range(5)


class Rfc2217:
    """One connection; `settings` is the `controller` part of the completed configuration."""

    def __init__(self, settings):
        flow = 3 if settings.get("flow") == "rts_cts" else 1
        self._requested = {
            _BAUD: settings["baud"].to_bytes(4, "big"),
            _BITS: b"\x08",
            _PARITY: bytes((_PARITIES[settings["parity"]],)),
            _STOP_BITS: bytes((settings["stop_bits"],)),
            _CONTROL: bytes((flow,)),
        }
        self._open = set(self._requested)  # not confirmed yet
        self._state = _DATA
        self._verb = 0
        self._inside = bytearray()
        self._answered = 0
        self.refused = False  # the server does not set what was asked for
        self.speaks = False  # it has agreed to RFC 2217
        self.outgoing = bytearray()
        for option in _WANTED:
            self.outgoing += bytes((_IAC, _WILL, option))
            if option != _COM_PORT:
                self.outgoing += bytes((_IAC, _DO, option))

    @property
    def is_set(self):
        """True if the line is as asked for."""
        return not self._open

    def escaped(self, octets):
        """Return bytes of the line as they are sent."""
        return bytes(octets).replace(b"\xff", b"\xff\xff")

    def take(self, octets):
        """Take what has come; return the line's bytes in it."""
        if self._state == _DATA and _IAC not in octets:
            return bytes(octets)
        line = bytearray()
        for octet in octets:
            if self._state == _DATA:
                if octet == _IAC:
                    self._state = _COMMAND
                else:
                    line.append(octet)
            elif self._state == _COMMAND:
                self._state = self._begin(octet, line)
            elif self._state == _OPTION:
                self._state = _DATA
                self._answer(self._verb, octet)
            else:
                self._take_inside(octet)
        return bytes(line)

    def _begin(self, octet, line):
        if octet == _IAC:
            line.append(octet)
        elif octet == _SB:
            self._inside.clear()
            return _INSIDE
        elif octet >= _WILL:
            self._verb = octet
            return _OPTION
        return _DATA

    def _take_inside(self, octet):
        if self._state == _INSIDE:
            if octet == _IAC:
                self._state = _INSIDE_COMMAND
                return
        elif octet == _SE:
            self._state = _DATA
            self._take_option(bytes(self._inside))
            return
        else:
            self._state = _INSIDE
        if len(self._inside) < _SUBNEGOTIATION_MOST:
            self._inside.append(octet)

    def _answer(self, verb, option):
        """Answer a WILL, WONT, DO or DONT."""
        if option == _COM_PORT and verb in (_DO, _WILL):
            if not self.speaks:
                self.speaks = True
                for command, value in self._requested.items():
                    self._tell(command, value)
            return
        if option == _COM_PORT:
            self.refused = True
            return
        if option in _WANTED or self._answered >= _ANSWERED_MOST:
            return  # it was asked for or offered at the start
        self._answered += 1
        if verb == _WILL:
            self.outgoing += bytes((_IAC, _DONT, option))
        elif verb == _DO:
            self.outgoing += bytes((_IAC, _WONT, option))

    def _tell(self, command, value):
        self.outgoing += bytes((_IAC, _SB, _COM_PORT, command)) + self.escaped(value) + bytes((_IAC, _SE))

    def _take_option(self, option):
        """Take a subnegotiation: what of the line the server has set."""
        if len(option) < 3 or option[0] != _COM_PORT:
            return
        command, value = option[1] - _CONFIRMED, option[2:]
        if command in self._open:
            if value == self._requested[command]:
                self._open.discard(command)
            else:
                self.refused = True


_READ_MOST = 4096


class SerialServerPort(TcpPort):
    """One serial line (toolcart.agent.link.port); `settings` is `controller` of the completed configuration."""

    input_octets = 8192  # a socket's buffer is larger

    def __init__(self, settings):
        TcpPort.__init__(self)
        self._settings = settings
        self._telnet = None
        self._unsent = b""
        self._raw = bytearray(_READ_MOST)

    def open(self, device, baud, /):
        del baud  # of the settings; with raw TCP the server has its own
        server = server_of(device)
        if server is None:
            self.close()
            self._why = WHY_NO_ADDRESS
            return
        scheme, host, number = server
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
