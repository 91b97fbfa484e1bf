"""TCP connections on CPython: non-blocking sockets, names looked up in a thread, and why a connection fails.

Rules
1. A host name is looked up in a thread, since that may take seconds; an address never waits.
2. A name that does not exist and name servers that do not answer are told apart. Of a name's addresses the next one is
   tried after each failure: nothing may listen at `localhost`'s ::1, or no way lead to a server's IPv6 address.
"""

import socket
import threading
import time

from toolcart.agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
    WHY_ENDED,
    WHY_NAME_SLOW,
    WHY_NAME_UNKNOWN,
    WHY_NO_ADDRESS,
    WHY_NO_SOCKET,
    is_address,
)
from toolcart.board.errno_reasons import why_of

CPYTHON_ONLY = True
SLOW_S = 2.0  # a look-up that takes longer is reported
_NONE = 0  # families of _Lookup.result: not finished yet
_FAILED = -1


class TcpPort:
    """One TCP client connection (toolcart.agent.link.port)."""

    NOT_NOW: tuple[type[OSError], ...] = (BlockingIOError, InterruptedError)  # nothing to read, or no room to write

    def __init__(self):
        self.sock: socket.socket | None = None
        self.slot = -1
        self.wants_out = False
        self.why_code = 0
        self._why = 0
        self._state = PORT_CLOSED
        self._lookup: _Lookup | None = None
        self.looked_up = ("", "")  # the last name, and the address that it was found to be
        self._failed = 0  # attempts

    def open(self, host, number, /):
        """Begin to connect to `host` (an address, or a name that is looked up first)."""
        self.close()
        self._why = self.why_code = 0
        if not is_address(host, number):
            self._why = WHY_NO_ADDRESS
            return
        try:
            self._lookup = lookup = _Lookup(host, number, self._failed)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: no thread can be started now
            self._why = WHY_NO_SOCKET
            return
        self._state = PORT_OPENING
        self._connect(lookup)

    @property
    def why(self):
        """Return the WHY_ of the last failure; while a name is being looked up, WHY_NAME_SLOW if that takes long."""
        lookup = self._lookup
        if self._why == 0 and self.looks_up() and lookup is not None and time.monotonic() >= lookup.slow_at_s:
            return WHY_NAME_SLOW
        return self._why

    def state(self):
        if self._state == PORT_OPENING:
            if self.sock is not None:
                self._look_at_connect(self.sock)
            elif self._lookup is not None:
                self._connect(self._lookup)
        return self._state

    def readinto(self, buf, n):
        sock = self.sock
        if self._state != PORT_OPEN or sock is None:
            return PORT_LOST
        if n == 0:
            return 0
        try:
            count = sock.recv_into(buf, n)
        except self.NOT_NOW:
            return 0
        except OSError as error:
            return self._lost(error)
        if not count:
            self._why = WHY_ENDED
        return count or PORT_LOST

    def write(self, buf, start, n):
        sock = self.sock
        if self._state != PORT_OPEN or sock is None:
            return PORT_LOST
        try:
            count = sock.send(memoryview(buf)[start : start + n])
        except self.NOT_NOW:
            count = 0
        except OSError as error:
            return self._lost(error)
        self.wants_out = count < n
        return count

    def close(self):
        if self.sock is not None:
            self._failed += self._state == PORT_OPENING
            self.sock.close()
            self.sock = None
        self._state = PORT_CLOSED
        self._lookup = None
        self.wants_out = False

    def looks_up(self):
        """True if a name is being looked up."""
        return self._state == PORT_OPENING and self.sock is None

    def _connect(self, lookup):
        family, address = lookup.outcome
        if family == _NONE:
            return
        if family == _FAILED:
            self._why, self.why_code = address
            self.close()
            return
        if lookup.host != address[0]:
            self.looked_up = (lookup.host, address[0])
        try:
            self.sock = sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except BlockingIOError:
            pass
        except (OSError, ValueError, OverflowError) as error:
            self._lost(error)
            self.close()
            return
        self.wants_out = True

    def _look_at_connect(self, sock):
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.why_code = code
            self._why = why_of(code)
            self.close()
            return
        try:
            sock.getpeername()
        except OSError:
            return  # not connected yet
        self._state = PORT_OPEN
        self.wants_out = False

    def _lost(self, error):
        """Note the reason; return PORT_LOST for the caller to return."""
        self.why_code = getattr(error, "errno", 0) or 0
        self._why = why_of(self.why_code)
        return PORT_LOST


class _Lookup:
    """An address of a host; a name is resolved in a thread of its own, and `turn` says which of its addresses it is.

    `found` is (family, address); (_NONE, any) while it runs; (_FAILED, (WHY_, code)) without an answer.
    """

    def __init__(self, host, number, turn):
        self.host = host
        self.outcome: tuple[int, tuple] = (_NONE, (0, 0))
        self.slow_at_s = time.monotonic() + SLOW_S
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                socket.inet_pton(family, host)
            except OSError:
                continue
            self.outcome = (family, (host, number))
            return
        threading.Thread(target=self._resolve, args=(host, number, turn), daemon=True).start()

    def _resolve(self, host, number, turn):
        try:
            places = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)
        except Exception as error:  # of any kind: a look-up that never ends would be worse than a failed one
            code = getattr(error, "errno", 0) or 0
            self.outcome = (_FAILED, (WHY_NAME_SLOW if code == socket.EAI_AGAIN else WHY_NAME_UNKNOWN, code))
            return
        place = places[turn % len(places)]
        self.outcome = (place[0], place[4])
