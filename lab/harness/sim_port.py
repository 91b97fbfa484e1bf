"""The agent's end of a simulated line: the Port contract, how a line behaves, and what is under way on it.

Rules:
1. A port has one connection at a time; `open` gives up the previous one.
2. An end of the stream shows as -1 after the last byte was read; a reset shows at once.
3. Everything that takes time is the network's task.
"""

from toolcart.agent.link.port import PORT_CLOSED, PORT_OPEN, PORT_OPENING, WHY_ENDED, WHY_REFUSED, WHY_RESET

PORTABLE = True


class Line:
    """How one address behaves. Change the attributes at any time; 0 means no limit."""

    def __init__(self):
        self.connect_delay_ms = 0
        self.delay_ms = 0  # one way, for each direction
        self.read_limit = 0  # the most bytes a single read of the port returns
        self.write_limit = 0  # the most bytes a single write of the port takes
        self.buffer_bytes = 0  # bytes under way to the peer, above which a write takes nothing
        self.bytes_per_s = 0  # bandwidth, for each direction
        self.segment_bytes = 0  # the most bytes passed to the peer's receive() at once
        self.random_splits = False  # reads, writes and segments are cut at random places
        self.split_at = None  # offset in the stream to the port where it pauses, for tests of every split position
        self.refuses = False  # connects are refused
        self.black_hole = False  # connects never complete; bytes and ends wait until the hole is closed


class Connection:
    """One connection: the port's end, the peer's end, and what is under way between them."""

    def __init__(self, port, address, line, open_at):
        self.port = port  # None when the agent's side vanished without a word
        self.address = address
        self.line = line
        self.open_at = open_at
        self.endpoint = None  # None before it is open and after the peer is gone
        self.opened = False
        self.to_peer = []  # (due, bytes), bytes None for the end of the stream
        self.to_port = []
        self.to_peer_bytes = 0
        self.last_due_to_peer = 0
        self.last_due_to_port = 0
        self.sent_to_port = 0
        self.unread = b""
        self.ended = False  # the end of the stream has reached the port
        self.answers_reset = False  # a peer without memory of the connection answers with RST
        self.tick_at = 0


class SimPort:
    """The Port contract on a simulated network; one byte connection at a time."""

    def __init__(self, network):
        self.why = 0
        self.why_code = 0
        self._network = network
        self._connection = None

    def open(self, host, number):
        self.close()
        self.why = 0
        self._connection = self._network.connect(self, host, number)

    def state(self):
        connection = self._connection
        if connection is None:
            return PORT_CLOSED
        return PORT_OPEN if connection.opened else PORT_OPENING

    def has_input(self):
        """True if a read returns something, or the end."""
        connection = self._connection
        return connection is not None and (bool(connection.unread) or connection.ended)

    def readinto(self, buf, n):
        connection = self._connection
        if connection is None:
            return -1
        if not connection.opened:
            return 0
        have = len(connection.unread)
        if have == 0:
            if connection.ended:
                self.close()
                self.why = WHY_ENDED
                return -1
            return 0
        n = self._network.piece(connection.line, min(n, have), connection.line.read_limit)
        buf[0:n] = connection.unread[0:n]
        connection.unread = connection.unread[n:]
        return n

    def write(self, buf, start, n):
        connection = self._connection
        if connection is None:
            return -1
        if not connection.opened:
            return 0
        line = connection.line
        if line.buffer_bytes:
            n = min(n, line.buffer_bytes - connection.to_peer_bytes)
        if n <= 0:
            return 0
        n = self._network.piece(line, n, line.write_limit)
        self._network.carry_to_peer(connection, bytes(buf[start : start + n]))
        return n

    def close(self):
        connection = self._connection
        self._connection = None
        if connection is not None:
            self._network.port_closed(connection)

    def reset(self):
        """The network reports that the peer is gone, or was never there."""
        was_open = self._connection is not None and self._connection.opened
        self.why = WHY_RESET if was_open else WHY_REFUSED
        self._connection = None
