"""A TCP connection with TLS on MicroPython: to a tunnel in front of a PIM, which itself has no TLS.

Rules
1. The other side's certificate is checked only against the given authorities, and its name against the host or the
   configured name. If it does not pass, that counts as a connection that could not be opened.
2. Nothing waits: the handshake goes on whenever the port is looked at. Its computations take the time they take.
3. MicroPython does not say when the handshake is done. It is taken to be done when the certificate has passed and, on
   firmware without TLS 1.3, the server has sent something since: its last flight. Nothing goes out before it is really
   done, whatever is written; what fails in between is a lost connection.
4. It reads byte by byte: one call for many loses what it has read if the end follows, and a port may not do that.
5. What `write` could not send yet is encrypted in mbedtls: the next `write` must have the same bytes.
6. Too little memory counts as a connection that could not be opened.
"""

# pyrefly: ignore-errors[missing-attribute]

import select

from toolcart.agent.base.compat import const
from toolcart.agent.link.port import (
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
    WHY_ENDED,
    WHY_NO_SOCKET,
    WHY_NO_TLS,
    WHY_NOT_TRUSTED,
    WHY_TLS_BROKEN,
    WHY_TLS_REFUSED,
)
from toolcart.board.errno_reasons import why_of
from toolcart.board.sockets import TROUBLE, TcpPort

# mbedtls: numbers of errors, without their sign. The multiple of 128 in them is the part, the remainder the cause.
_ENDED = const(0x7280)
_NOT_TRUSTED = const(0x2700)
_ALERT = const(0x7780)
_NO_MEMORY = (0x2880, 0x3F80, 0x4D80, 0x5180, 0x6180, 0x7F00)  # of certificates, keys, curves, hashes, ciphers, TLS
_NO_MEMORY_CAUSES = (0x10, 0x6A)  # of large numbers and ASN.1
_ERRNO_MOST = const(255)  # larger ones are mbedtls's


class Tls:
    """What all connections of a configuration share: the authorities and our own certificate, from files in DER.

    `folder` is where those files are, `toolsnet` that part of the completed configuration; ports are among `sockets`.
    ValueError with the setting if the firmware has no TLS, a file cannot be read, or mbedtls cannot use it.
    """

    def __init__(self, sockets, folder, toolsnet):
        try:
            import tls
        except ImportError:
            raise ValueError("toolsnet.tls_ca: this firmware has no TLS")
        self._sockets = sockets
        self._folder = folder
        self._name = toolsnet["tls_name"]
        self.has_passed = False  # the certificate that the current handshake has shown
        self.context = context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        self.has_13 = False
        for name in context.get_ciphers():
            if name.startswith("TLS1-3-"):
                self.has_13 = True
        context.verify_mode = tls.CERT_REQUIRED
        context.verify_callback = self._passes
        authorities = self._content(toolsnet, "tls_ca")
        at = 0
        try:
            while at < len(authorities):
                end = at + _length_of(authorities, at)
                context.load_verify_locations(authorities[at:end])
                at = end
        except (ValueError, IndexError):
            raise ValueError("toolsnet.tls_ca: no certificates in DER")
        if toolsnet["tls_certificate"]:
            own = self._content(toolsnet, "tls_certificate")
            try:
                context.load_cert_chain(own, self._content(toolsnet, "tls_key") if toolsnet["tls_key"] else own)
            except ValueError as error:
                raise ValueError("toolsnet.tls_certificate: %s" % error)  # "invalid key", "invalid cert"

    def port(self, toolsnet):
        """Return a new port: `board.tls(toolsnet)` for toolcart.agent.cart.app, with the same configuration."""
        return TlsPort(self._sockets, self, self._name)

    def _content(self, toolsnet, setting):
        """Return the content of the file that a setting names."""
        name = toolsnet[setting]
        if not name.startswith("/"):
            name = self._folder + "/" + name
        try:
            with open(name, "rb") as file:
                return file.read()
        except OSError as error:
            raise ValueError("toolsnet.%s: %s: %s" % (setting, name, error))

    def _passes(self, certificate, depth):
        """Note the other side's own certificate (0). mbedtls judges, and calls this for each of a chain, that one last.

        If one does not pass, the handshake raises in the same call.
        """
        if depth == 0:
            self.has_passed = True
        return 0


class TlsPort(TcpPort):
    """One TLS client connection (toolcart.agent.link.port). `name` is that of the certificate; None: the host."""

    def __init__(self, sockets, tls, name):
        TcpPort.__init__(self, sockets)
        self._tls = tls
        self._name = name
        self._host = ""
        self._tcp = None  # what TLS goes over, once that is connected: `sock` speaks TLS then
        self._has_passed = False
        self._one = bytearray(1)
        self._has_one = False
        self._has_ended = False
        self._owed = 0

    def open(self, host, number):
        self._host = self._name or host
        TcpPort.open(self, host, number)

    def state(self):
        if self.asks and not self.is_looked_up():
            return self._state
        if self._state == PORT_OPENING:
            if self._tcp is not None:
                self._shake()
            elif self.events & TROUBLE:
                self._ask_why()
                self.close()
            elif self.events:
                self._begin()
        return self._state

    def readinto(self, buf, n):
        if self._state != PORT_OPEN:
            return PORT_LOST
        sock = self.sock
        one = self._one
        at = 0
        try:
            while at < n and not self._has_ended:
                if self._has_one:
                    self._has_one = False
                else:
                    count = sock.readinto(one)
                    if count is None:
                        break
                    if count == 0:
                        self._end()
                        break
                    self._sockets.has_received = True
                buf[at] = one[0]
                at += 1
        except OSError as error:
            self._failed(error)
            self._end()
        return PORT_LOST if at == 0 and self._has_ended else at

    def write(self, buf, start, n):
        if self._state != PORT_OPEN:
            return PORT_LOST
        wanted = n
        if 0 < self._owed < n:
            n = self._owed
        try:
            count = self.sock.write(buf, start, n) or 0
        except OSError as error:
            self._failed(error)
            return PORT_LOST
        self._owed = n - count
        self._ask_out(count < wanted)
        return count

    def close(self):
        tcp = self._tcp
        self._tcp = None
        TcpPort.close(self)
        if tcp is not None:
            tcp.close()  # a handshake that failed has let go of it; else it is already closed, which does no harm

    def _end(self):
        """Note the end, which the other side announces only once; wake the reader again to see it."""
        self.why = self.why or WHY_ENDED
        self._has_ended = True
        self._ask_out(True)

    def _begin(self):
        """TCP is connected: from here on `sock` is what speaks TLS, as only that knows what it has already read."""
        tcp = self.sock
        self._has_passed = self._has_one = self._has_ended = self._asks_out = False
        self._owed = 0
        try:
            sock = self._tls.context.wrap_socket(tcp, server_hostname=self._host, do_handshake_on_connect=False)
        except (OSError, ValueError, MemoryError) as error:
            self._give_up(error)
            return
        self._sockets.forget(tcp)
        self._tcp = tcp
        self.sock = sock
        self._sockets.listen(self, sock, select.POLLIN)
        self._shake()

    def _shake(self):
        """Go on with the handshake by a read; that returns a byte once the handshake is done and something has come."""
        events = self.events
        self.events = 0
        tls = self._tls
        tls.has_passed = False
        try:
            count = self.sock.readinto(self._one)
        except (OSError, ValueError, MemoryError) as error:
            self._give_up(error)
            return
        if count == 0:  # so MicroPython reports a connection that ends during the handshake
            self.why = WHY_ENDED
            self.close()
            return
        self._has_one = count is not None
        if self._has_one or (self._has_passed and events) or (tls.has_passed and tls.has_13):
            self._state = PORT_OPEN
        self._has_passed = self._has_passed or tls.has_passed

    def _give_up(self, error):
        """The handshake has failed. MicroPython raises ValueError for a certificate, with the reasons as text."""
        if isinstance(error, OSError):
            self._failed(error)
        else:
            self.why = WHY_NO_SOCKET if isinstance(error, MemoryError) else WHY_NOT_TRUSTED
        self.close()

    def _failed(self, error):
        """Note the reason. Error numbers of mbedtls are negative; the system's that came through it may be, too."""
        code = error.errno or 0
        if code < 0:
            code = -code
        is_opening = self._state == PORT_OPENING
        why = WHY_TLS_BROKEN
        if (code & 0xFF80) in _NO_MEMORY or (is_opening and (code & 0x7F) in _NO_MEMORY_CAUSES):
            why = WHY_NO_SOCKET
        elif code <= _ERRNO_MOST:
            why = why_of(code)
        elif code == _NOT_TRUSTED:
            why = WHY_NOT_TRUSTED
        elif code == _ENDED:
            why = WHY_ENDED
        elif code == _ALERT:  # which one mbedtls does not say
            why = WHY_TLS_REFUSED
        elif is_opening:
            why = WHY_NO_TLS
        self.why = self.why or why
        self.why_code = code


def _length_of(octets, at):
    """Return the length of the certificate at `at`, in bytes: mbedtls takes one at a time (X.690, 8.1.3)."""
    first = octets[at + 1]
    if first < 0x80:
        return 2 + first
    length = 0
    for index in range(at + 2, at + 2 + first - 0x80):
        length = length << 8 | octets[index]
    return 2 + first - 0x80 + length
