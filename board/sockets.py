"""TCP connections of a chip and its one wait: non-blocking sockets, one `poll`, nothing allocated once they are open.

Rules
1. `ipoll`, `readinto(buf, n)` and `write(buf, start, n)` allocate nothing on any port; an empty `readinto` gives None.
2. Names are looked up beside the loop (toolcart.board.resolver), only while there is a network.
3. The serial console is in the same poll if the port can poll it.
"""

# pyrefly: ignore-errors[missing-attribute]

import select
import sys
import time

from toolcart.agent.base.compat import const
from toolcart.agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
    WHY_ENDED,
    WHY_NAME_SLOW,
    WHY_NAME_UNKNOWN,
    WHY_NO_ADDRESS,
    WHY_NO_NETWORK,
    WHY_REFUSED,
    WHY_RESET,
    is_address,
    is_numeric,
)
from toolcart.board.errno_reasons import why_of
from toolcart.board.resolver import ASKING, KNOWN, UNKNOWN

try:
    import socket
except ImportError:  # firmware without a network: serial lines work, but no TCP port ever opens
    socket = None

# EINPROGRESS is 115 on lwIP and Linux, 119 on ESP-IDF; EALREADY (114, 120) and EAGAIN (11) mean the same here.
_UNDER_WAY = (115, 119, 114, 120, 11)
TROUBLE = select.POLLERR | select.POLLHUP
_NODELAY = const(1)  # TCP_NODELAY, the same number on every stack
_CONSOLE_CHARACTERS = const(64)  # read in one turn; the rest comes in the next
WAIT_MAX_MS = const(60000)
NAP_MS = const(100)


class TcpPort:
    """One TCP client connection (toolcart.agent.link.port)."""

    def __init__(self, sockets):
        self.sock = None
        self.slot = -1
        self.events = 0
        self.why = 0
        self.why_code = 0
        self.asks = ""  # the name being looked up
        self._number = 0
        self._sockets = sockets
        self._state = PORT_CLOSED
        self._asks_out = False

    def open(self, host, number):
        """Begin to connect; without a network or a possible host the port stays closed."""
        self.close()
        self.why_code = 0
        if socket is None or not self._sockets.is_up():
            self.why = WHY_NO_NETWORK
            return
        if not is_address(host, number):
            self.why = WHY_NO_ADDRESS
            return
        self._number = number
        self._sockets.tried = True
        if self._sockets.looks_up(host, self):
            self.asks = host
            self.why = WHY_NAME_SLOW
            self._state = PORT_OPENING
            return
        self._connect(host)

    def _connect(self, host):
        """Begin to connect; a name, which only the unix port passes, is looked up by a blocking call."""
        self._state = PORT_CLOSED
        self.why = WHY_NAME_UNKNOWN
        sock = None
        try:
            address = socket.getaddrinfo(host, self._number, 0, socket.SOCK_STREAM)[0][-1]
            self.why = 0
            sock = socket.socket()
            sock.setblocking(False)
            _set_nodelay(sock)
            sock.connect(address)
        except (OSError, ValueError) as error:  # a ValueError is a name that cannot be encoded (CPython)
            if sock is None or getattr(error, "errno", 0) not in _UNDER_WAY:
                self._failed(error)
                if sock is not None:
                    sock.close()
                return
        self.sock = sock
        self.events = 0
        self._state = PORT_OPENING
        self._asks_out = True
        # An ESP32 reports a failed connect only to those that ask for POLLHUP (ports/esp32/modsocket.c:835).
        self._sockets.listen(self, sock, select.POLLIN | select.POLLOUT | select.POLLHUP)

    def is_looked_up(self):
        """True if the name has an address now and the port has begun to connect; without an address the port closes."""
        resolver = self._sockets.resolver
        state = resolver.state(self.asks)
        if state == ASKING:
            return False
        host = self.asks
        self.asks = ""
        if state == KNOWN:
            self._connect(resolver.address(host))
            return self.sock is not None
        self._state = PORT_CLOSED
        self.why = WHY_NAME_UNKNOWN if state == UNKNOWN else WHY_NAME_SLOW
        return False

    def state(self):
        if self.asks and not self.is_looked_up():
            return self._state
        if self._state == PORT_OPENING and self.events:
            if self.events & TROUBLE:
                self._ask_why()
                self.close()
            else:
                self._state = PORT_OPEN
                self._ask_out(False)
        return self._state

    def readinto(self, buf, n):
        if self._state != PORT_OPEN:
            return PORT_LOST
        if n == 0:
            return 0
        try:
            count = self.sock.readinto(buf, n)
        except OSError as error:
            self._failed(error)
            return PORT_LOST
        if count is None:
            return 0
        if count == 0:
            self.why = WHY_ENDED
            return PORT_LOST
        self._sockets.has_received = True
        return count

    def write(self, buf, start, n):
        if self._state != PORT_OPEN:
            return PORT_LOST
        try:
            count = self.sock.write(buf, start, n)
        except OSError as error:
            self._failed(error)
            return PORT_LOST
        if count is None:
            count = 0
        self._ask_out(count < n)
        return count

    def close(self):
        sock = self.sock
        if sock is not None:
            self.sock = None
            self._sockets.forget(sock)
            sock.close()
        self.asks = ""
        self._state = PORT_CLOSED

    def _failed(self, error):
        """Note the reason, unless one is already known."""
        code = getattr(error, "errno", 0) or 0
        if self.why == 0:
            self.why = why_of(code)
        self.why_code = code

    def _ask_why(self):
        """Read to find out how the connect failed; lwIP says reset if the connection is refused."""
        try:
            self.sock.read(1)
            self.why = WHY_ENDED
        except OSError as error:
            self._failed(error)
        if self.why == WHY_RESET:
            self.why = WHY_REFUSED

    def _ask_out(self, asks):
        if asks is not self._asks_out:
            self._asks_out = asks
            self._sockets.poll.modify(self.sock, select.POLLIN | select.POLLOUT if asks else select.POLLIN)


class Sockets:
    """All ports of a board and its console; `is_up()` is true if there is a network.

    `make_resolver()` returns a toolcart.board.resolver.Resolver when the first name is to be looked up; `now()` the
    ticks.
    """

    def __init__(self, is_up, make_resolver, now):
        self.is_up = is_up
        self.poll = select.poll()
        self.tried = False  # a port was opened since toolcart.board.housekeeping cleared this
        self.has_received = False  # bytes came in over the network since then
        self.resolver = None
        self._make_resolver = make_resolver
        self._now = now
        self._asking = []  # ports that wait for a name
        self._open = {}  # ports by what the poll gives
        self._typed = False
        try:
            self.poll.register(sys.stdin, select.POLLIN)
        except (OSError, TypeError, AttributeError):
            pass  # this port cannot poll its console: then no questions are answered while the agent runs

    def tcp(self):
        return TcpPort(self)

    def looks_up(self, host, port):
        """Begin to look a name up for a port; False for an address."""
        if is_numeric(host):
            return False
        self._ask(host)
        if port not in self._asking:
            self._asking.append(port)
        return True

    def address_of(self, host):
        """Return the address of a host; "" while it is not known. A name is asked for again, as it may have moved."""
        if is_numeric(host):
            return host
        resolver = self.resolver
        address = resolver.address(host) if resolver is not None and resolver.state(host) == KNOWN else ""
        self._ask(host)
        return address

    def _ask(self, host):
        if self.resolver is None:
            self.resolver = self._make_resolver()
        self.resolver.ask(host, self._now())

    def listen(self, port, sock, events):
        """Wake the port's slot whenever one of these events happens at `sock`."""
        self.poll.register(sock, events)
        self._open[sock] = port

    def forget(self, sock):
        """Wake nobody for it any more."""
        self.poll.unregister(sock)
        del self._open[sock]

    def wait(self, app, wait_ms):
        if wait_ms > WAIT_MAX_MS:
            wait_ms = WAIT_MAX_MS
        if self.resolver is not None:
            wait_ms = self._look_up(app, wait_ms, self._now())
        if not self._open and (self.resolver is None or self.resolver.sock is None):
            self._nap(wait_ms)
            wait_ms = 0
        for thing, events in self.poll.ipoll(wait_ms):
            port = self._open.get(thing)
            if port is not None:
                port.events = events
                if port.slot >= 0:
                    app.scheduler.wake(port.slot, self._now())
            elif thing is sys.stdin:
                self._typed = True
            else:
                self.resolver.receive()

    def _look_up(self, app, wait_ms, now):
        """Let the resolver go on, and wake a port whose name is settled; return the ms until the next time."""
        resolver = self.resolver
        left_ms = resolver.tick(now)
        for port in self._asking:
            if resolver.state(port.asks) != ASKING:  # settled, or the port was closed meanwhile
                self._asking.remove(port)
                app.scheduler.wake(port.slot, now)
                return 0
        return left_ms if left_ms < wait_ms else wait_ms

    def _nap(self, wait_ms):
        """Sleep while nothing but the console can have input: a poll would look at that every millisecond."""
        while wait_ms > 0:
            piece_ms = wait_ms if wait_ms < NAP_MS else NAP_MS
            time.sleep_ms(piece_ms)
            wait_ms -= piece_ms
            if self._is_typed():
                return

    def read_console(self):
        """Return what was typed, "" if nothing was."""
        if not self._typed:
            return ""
        self._typed = False
        text = ""
        while len(text) < _CONSOLE_CHARACTERS and self._is_typed():
            character = sys.stdin.read(1)
            if not character:
                break
            text += character
        return text

    def _is_typed(self):
        for thing, _ in self.poll.ipoll(0):
            if thing is sys.stdin:
                return True
        return False


def _set_nodelay(sock):
    """Switch Nagle off: one frame is one write, so there is nothing to gather. Older stacks cannot, and still work."""
    try:
        sock.setsockopt(6, _NODELAY, 1)  # 6: IPPROTO_TCP
    except (OSError, AttributeError):
        pass
