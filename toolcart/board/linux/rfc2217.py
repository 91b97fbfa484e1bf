"""RFC 2217 as its client: a serial line's settings and bytes over telnet; knows no socket.

Rules
1. The line is set when the server has confirmed each setting with the value asked for, and not before.
2. A byte 255 is doubled both ways. What else the server says in telnet is answered, refused or ignored.
3. `outgoing` is what is to be sent before any byte of the line.
"""

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
        self._asked = {
            _BAUD: settings["baud"].to_bytes(4, "big"),
            _BITS: b"\x08",
            _PARITY: bytes((_PARITIES[settings["parity"]],)),
            _STOP_BITS: bytes((settings["stop_bits"],)),
            _CONTROL: bytes((flow,)),
        }
        self._open = set(self._asked)  # not confirmed yet
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
            self._hear(bytes(self._inside))
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
                for command, value in self._asked.items():
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

    def _hear(self, told):
        """Take a subnegotiation: what of the line the server has set."""
        if len(told) < 3 or told[0] != _COM_PORT:
            return
        command, value = told[1] - _CONFIRMED, told[2:]
        if command in self._open:
            if value == self._asked[command]:
                self._open.discard(command)
            else:
                self.refused = True
