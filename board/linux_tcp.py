"""TCP connections on CPython: non-blocking sockets, and names looked up in a thread.

A host name is looked up in a thread, since that may take seconds; an address never waits.
"""

import socket
import threading

from agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN, PORT_OPENING, is_address

CPYTHON_ONLY = True


class TcpPort:
    """One TCP client connection (agent.link.port)."""

    NOT_NOW = (BlockingIOError, InterruptedError)  # what says that there is nothing to read, or no room to write

    def __init__(self):
        self.sock = None
        self.slot = -1
        self.wants_out = False
        self._state = PORT_CLOSED
        self._lookup = None

    def open(self, host, number):
        """Begin to connect to `host` (an address, or a name that is looked up first)."""
        self.close()
        if not is_address(host, number):
            return
        try:
            self._lookup = _Lookup(host, number)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: no thread can be had now
            return
        self._state = PORT_OPENING
        self._connect()

    def state(self):
        """Return PORT_CLOSED, PORT_OPENING or PORT_OPEN."""
        if self._state == PORT_OPENING:
            if self.sock is None:
                self._connect()
            else:
                self._look_at_connect()
        return self._state

    def readinto(self, buf, n):
        """Read up to n octets into buf[0:]; 0 if there are none, PORT_LOST at the end."""
        if self._state != PORT_OPEN:
            return PORT_LOST
        if n == 0:
            return 0
        try:
            count = self.sock.recv_into(buf, n)  # type: ignore
        except self.NOT_NOW:
            return 0
        except OSError:
            return PORT_LOST
        return count or PORT_LOST

    def write(self, buf, start, n):
        """Hand buf[start:start+n] over in one call; return how many octets were taken."""
        if self._state != PORT_OPEN:
            return PORT_LOST
        try:
            count = self.sock.send(memoryview(buf)[start : start + n])  # type: ignore
        except self.NOT_NOW:
            count = 0
        except OSError:
            return PORT_LOST
        self.wants_out = count < n
        return count

    def close(self):
        """Close at once."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None
        self._state = PORT_CLOSED
        self._lookup = None
        self.wants_out = False

    def looks_up(self):
        """Tell whether a name is being looked up."""
        return self._state == PORT_OPENING and self.sock is None

    def _connect(self):
        family, address = self._lookup.result()  # type: ignore
        if family == 0:
            if address == "failed":
                self.close()
            return
        try:
            self.sock = socket.socket(family, socket.SOCK_STREAM)
            self.sock.setblocking(False)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock.connect(address)
        except BlockingIOError:
            pass
        except (OSError, ValueError, OverflowError):
            self.close()
            return
        self.wants_out = True

    def _look_at_connect(self):
        if self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # type: ignore
            self.close()
            return
        try:
            self.sock.getpeername()  # type: ignore
        except OSError:
            return  # still under way
        self._state = PORT_OPEN
        self.wants_out = False


class _Lookup:
    """The addresses of a host; a name is resolved in a thread of its own."""

    def __init__(self, host, number):
        self._found = (0, "")
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                socket.inet_pton(family, host)
            except OSError:
                continue
            self._found = (family, (host, number))
            return
        threading.Thread(target=self._resolve, args=(host, number), daemon=True).start()

    def result(self):
        """Return (family, address), (0, "") while it runs, (0, "failed") without an answer."""
        return self._found

    def _resolve(self, host, number):
        try:
            first = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        except Exception:  # whatever it is: a look-up that never ends would be worse than one that failed
            self._found = (0, "failed")
            return
        self._found = (first[0], first[4])
