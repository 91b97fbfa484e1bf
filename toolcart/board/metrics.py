"""`/metrics` of a chip for Prometheus: one request at a time, answered from one buffer, piece by piece.

Rules
1. Loaded if board.metrics_port is set; only such a version includes it (toolcart.tools.flash.package).
2. Reading a request, making the page (toolcart.board.metrics_page) and sending it allocate nothing, however many
   stations there are; only an ID of more than 30 bits that is still asked for is an object. Whatever a connection costs
   is allocated when it is accepted: its socket, and the moment that ages are counted from.
3. It never waits, and does one piece in a turn. A client that is not done after CLIENT_MS is dropped.
4. Anyone in the network may read it: it has no secrets, and nothing can be changed.
"""

# pyright: reportOptionalMemberAccess=false

import select

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.board import sockets
from toolcart.board.metrics_page import PIECE_BYTES, Page

CLIENT_MS = const(5000)
RETRY_MS = const(10000)  # a port that cannot be opened is tried again
IDLE_MS = const(60000)

_LISTENS = const(0)
_READS = const(1)
_TELLS = const(2)
_ENDS = const(3)

_ASKED = b"GET /metrics "
_FOUND = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\r\n"
_OTHER = b"HTTP/1.0 404 Not Found\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nIt is at /metrics.\n"


class Metrics:
    """The one port; for toolcart.board.sockets it is a port whose `sock` is the listener, or the client."""

    def __init__(self, app, board, number, now):
        self.sock = None
        self.slot = -1
        self.events = 0
        self.answers = 0
        self._page = Page(app, board)
        self._board = board
        self._number = number
        self._listener = None
        self._state = _LISTENS
        self._timer = Timer()
        self._timer.start(now, 0)
        self._has_begun = False  # some of the request is there
        self._is_asked = False
        self._line_ends = 0  # in a row
        board.sockets.add(self)

    def turn(self, now):
        """Do what is due; return the ms until the next call, if nothing comes."""
        try:
            return self._go_on(now)
        except (OSError, MemoryError):
            self._leave()
            return RETRY_MS

    def about(self):
        """Return its part of the status."""
        return {"port": self._number, "listens": self._listener is not None, "answers": self.answers}

    def _go_on(self, now):
        if self._listener is None:
            if not self._timer.expired(now) or not self._board.network.is_up():
                return RETRY_MS
            self._timer.start(now, RETRY_MS)
            self._listen()
            return IDLE_MS
        if self._state == _LISTENS:
            if not self.events:
                return IDLE_MS
            self.events = 0
            self._take(now)
        elif self._timer.expired(now):
            self._leave()
            return IDLE_MS
        elif self._state == _READS:
            self._read()
        else:
            self._tell()
        return IDLE_MS if self._state == _LISTENS else self._timer.left(now)

    def _listen(self):
        socket = sockets.socket
        if socket is None:
            return
        sock = socket.socket()
        try:
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            except (OSError, AttributeError):
                pass  # a stack that does not know it frees the port at once
            sock.bind(socket.getaddrinfo("0.0.0.0", self._number)[0][-1])
            sock.listen(1)
            sock.setblocking(False)
            self._board.sockets.poll.register(sock, select.POLLIN)
        except OSError:
            sock.close()
            raise
        self._listener = self.sock = sock

    def _take(self, now):
        sock = self._listener.accept()[0]
        sock.setblocking(False)
        poll = self._board.sockets.poll
        poll.register(sock, select.POLLIN)
        poll.modify(self._listener, 0)  # the next client waits in the system
        self.sock = sock
        self._state = _READS
        self._timer.start(now, CLIENT_MS)
        self._has_begun = False
        self._line_ends = 0
        self._page.begin()

    def _leave(self):
        """Go back to the listener, if there is one."""
        self.events = 0
        if self._state == _LISTENS:
            return
        sock = self.sock
        poll = self._board.sockets.poll
        self.sock = self._listener
        self._state = _LISTENS
        poll.unregister(sock)
        sock.close()
        poll.modify(self._listener, select.POLLIN)

    def _read(self):
        """Read to the blank line; the request is at the beginning."""
        buf = self._page.buf
        count = self.sock.readinto(buf, PIECE_BYTES)
        if count is None:
            return
        if count == 0:
            self._leave()
            return
        if not self._has_begun:
            self._has_begun = True
            self._is_asked = count >= len(_ASKED) and buf.find(_ASKED, 0, len(_ASKED)) == 0
        for index in range(count):
            octet = buf[index]
            if octet == 10:
                self._line_ends += 1
            elif octet != 13:
                self._line_ends = 0
            if self._line_ends == 2:
                self._page.put_text(_FOUND if self._is_asked else _OTHER)
                self._state = _TELLS if self._is_asked else _ENDS
                self._board.sockets.poll.modify(self.sock, select.POLLOUT)
                return

    def _tell(self):
        """Send what is made; after the last piece end the connection."""
        page = self._page
        is_more = page.fill() if self._state == _TELLS else page.sent < page.at
        if not is_more:
            self.answers += self._state == _TELLS
            self._leave()
            return
        count = self.sock.write(page.buf, page.sent, page.at - page.sent)  # type: ignore[call-arg] - as in toolcart.board.sockets
        if count is not None:
            page.sent += count
