"""Lines that bend, break and lie: the Port contract against in-memory peers on a simulated clock.

Rules:
1. A byte stream stays a stream: it may be late, cut into any pieces and end anywhere, but never lose a byte in
   the middle.
2. Nothing happens outside `Network.step`; what is due at `clock.now` happens there, in the order it was sent.
3. A peer is an endpoint: connected(now), receive(octets, now), outgoing() -> bytes, tick(now) -> ms until it
   needs to be called again, disconnected(now), and the attribute wants_close. A factory makes an endpoint for
   each connection.
4. An endpoint that cannot know better because the line swallowed something has its attribute `excused` set.
"""

from toolcart.agent.base.counters import NAMES
from toolcart.agent.base.ticks import FOREVER
from lab.harness.sim_port import Connection, Line, SimPort

PORTABLE = True


SPLIT_GAP_MS = 50  # how long a stream pauses at `split_at`


class Network:
    """All addresses and connections; moves bytes when `step` is called."""

    def __init__(self, clock, rng=None):
        self.clock = clock
        self.rng = rng
        self.defaults = Line()
        self._lines = {}
        self._factories = {}
        self._connections = []
        self.connects = 0  # attempts
        self.refused = 0
        self.resets = 0

    # What tests and boards set up

    def listen(self, host, number, factory):
        """Let `factory()` make the endpoint of each connection to the address; return the address's Line."""
        self._factories[(host, number)] = factory
        return self.line(host, number)

    def line(self, host, number):
        """Return the Line of an address, made as a copy of `defaults` at first use."""
        address = (host, number)
        if address not in self._lines:
            line = Line()
            for name, value in self.defaults.__dict__.items():
                setattr(line, name, value)
            self._lines[address] = line
        return self._lines[address]

    def port(self):
        return SimPort(self)

    # Faults

    def cut(self, host, number):
        """Reset every connection of the address: both ends see it at once, what was under way is lost."""
        for connection in self._of(host, number):
            self._reset(connection)

    def down(self, host, number):
        """Cut the address and refuse connects until `up`."""
        self.line(host, number).refuses = True
        self.cut(host, number)

    def swallow(self, host, number):
        """Make the address a black hole until `up`: nothing arrives, nothing fails."""
        self.line(host, number).black_hole = True
        for connection in self._of(host, number):
            self._excuse(connection)

    def up(self, host, number):
        """End `down` and `swallow`; what the black hole held continues, as by TCP's own retransmission."""
        line = self.line(host, number)
        line.refuses = False
        line.black_hole = False

    def half_open(self, host, number, answers_reset=True):
        """Let the peer forget its connections without a word; it answers writes by RST unless told not to."""
        for connection in self._of(host, number):
            endpoint = connection.endpoint
            connection.endpoint = None
            connection.answers_reset = answers_reset
            if endpoint is not None:
                endpoint.disconnected(self.clock.now)

    def abandon(self, port):
        """Let the agent's side vanish without a word (power cut): the peer keeps its connection."""
        for connection in self._connections:
            if connection.port is port:
                connection.port = None
                self._excuse(connection)
        port.reset()

    # Time

    def step(self):
        """Do everything that is due now; True if anything moved."""
        moved = False
        again = True
        while again:
            again = False
            for connection in list(self._connections):
                if self._advance(connection):
                    again = True
                    moved = True
        return moved

    def next_due(self, is_still=False):
        """Return ms until something happens by itself; FOREVER if nothing will.

        `is_still`: `step` has just moved nothing, so each peer has said what it waits for.
        """
        total = self.clock.total_ms
        best = FOREVER
        for connection in self._connections:
            line = connection.line
            if connection.endpoint is not None:
                if not is_still:
                    self._pump(connection)
                best = min(best, connection.tick_at - total)
            if line.black_hole:
                continue
            if not connection.opened:
                best = min(best, connection.open_at - total)
            if connection.to_peer:
                best = min(best, connection.to_peer[0][0] - total)
            if connection.to_port:
                best = min(best, connection.to_port[0][0] - total)
        return max(best, 0)

    def readable(self):
        """True while a port has unread bytes, or an end that was not read yet."""
        for connection in self._connections:
            if connection.port is not None and (connection.unread or connection.ended):
                return True
        return False

    # What ports call

    def connect(self, port, host, number):
        self.connects += 1
        address = (host, number)
        line = self.line(host, number)
        connection = Connection(port, address, line, self.clock.total_ms + line.connect_delay_ms)
        self._connections.append(connection)
        return connection

    def port_closed(self, connection):
        connection.port = None
        connection.unread = b""
        if not connection.opened or connection.endpoint is None:
            self._forget(connection)
            return
        connection.to_port = []
        self._schedule(connection, None)

    def carry_to_peer(self, connection, octets):
        connection.to_peer_bytes += len(octets)
        self._schedule(connection, octets)

    def piece(self, line, n, limit):
        """Return how many of `n` bytes go in one piece."""
        if limit and n > limit:
            n = limit
        if line.random_splits and n > 1 and self.rng is not None:
            n = self.rng.randrange(1, n + 1)
        return n

    # Inside

    def _of(self, host, number):
        return [c for c in self._connections if c.address == (host, number)]

    def _excuse(self, connection):
        if connection.endpoint is not None:
            connection.endpoint.excused = True

    def _forget(self, connection):
        if connection in self._connections:
            self._connections.remove(connection)

    def _reset(self, connection):
        self._forget(connection)
        self.resets += 1
        if connection.port is not None:
            connection.port.reset()
            connection.port = None
        endpoint = connection.endpoint
        connection.endpoint = None
        if endpoint is not None:
            endpoint.disconnected(self.clock.now)

    def _schedule(self, connection, octets):
        line = connection.line
        start = max(self.clock.total_ms + line.delay_ms, connection.last_due_to_peer)
        if octets and line.bytes_per_s:
            start += (len(octets) * 1000 + line.bytes_per_s - 1) // line.bytes_per_s
        connection.last_due_to_peer = start
        connection.to_peer.append((start, octets))

    def _schedule_to_port(self, connection, octets):
        line = connection.line
        due = max(self.clock.total_ms + line.delay_ms, connection.last_due_to_port)
        if octets is None:
            connection.to_port.append((due, None))
            return
        if line.bytes_per_s:
            due += (len(octets) * 1000 + line.bytes_per_s - 1) // line.bytes_per_s
        if line.split_at is not None:
            first = line.split_at - connection.sent_to_port
            if 0 < first < len(octets):
                connection.to_port.append((due, octets[:first]))
                octets = octets[first:]
                due += SPLIT_GAP_MS
                connection.sent_to_port += first
        connection.sent_to_port += len(octets)
        connection.last_due_to_port = due
        connection.to_port.append((due, octets))

    def _advance(self, connection):
        if connection.line.black_hole:
            if connection.endpoint is not None:
                self._pump(connection)
            return False
        if not connection.opened:
            return self._open(connection)
        moved = bool(connection.to_peer) and self._deliver_to_peer(connection)
        if connection.endpoint is not None:
            self._pump(connection)
        return (bool(connection.to_port) and self._deliver_to_port(connection)) or moved

    def _open(self, connection):
        if self.clock.total_ms < connection.open_at:
            return False
        factory = self._factories.get(connection.address)
        if factory is None or connection.line.refuses:
            self.refused += 1
            self._reset(connection)
            return True
        connection.opened = True
        connection.endpoint = factory()
        connection.endpoint.connected(self.clock.now)
        return True

    def _deliver_to_peer(self, connection):
        moved = False
        now = self.clock.now
        while connection.to_peer and connection.to_peer[0][0] <= self.clock.total_ms:
            octets = connection.to_peer.pop(0)[1]
            moved = True
            endpoint = connection.endpoint
            if octets is None:
                connection.endpoint = None
                self._forget(connection)
                if endpoint is not None:
                    endpoint.disconnected(now)
                break
            connection.to_peer_bytes -= len(octets)
            if endpoint is None:
                if connection.answers_reset:
                    self._reset(connection)
                    break
                continue
            self._hand_over(connection, endpoint, octets)
        return moved

    def _hand_over(self, connection, endpoint, octets):
        line = connection.line
        while octets:
            n = self.piece(line, len(octets), line.segment_bytes)
            endpoint.receive(octets[:n], self.clock.now)
            octets = octets[n:]
            if endpoint.wants_close:
                break

    def _pump(self, connection):
        endpoint = connection.endpoint
        now = self.clock.now
        connection.tick_at = self.clock.total_ms + endpoint.tick(now)
        octets = endpoint.outgoing()
        if octets and connection.port is not None:
            self._schedule_to_port(connection, octets)
        if endpoint.wants_close:
            connection.endpoint = None
            endpoint.disconnected(now)
            if connection.port is None:
                self._forget(connection)
            else:
                self._schedule_to_port(connection, None)

    def _deliver_to_port(self, connection):
        moved = False
        while connection.to_port and connection.to_port[0][0] <= self.clock.total_ms:
            octets = connection.to_port.pop(0)[1]
            moved = True
            if octets is None:
                connection.ended = True
            else:
                connection.unread += octets
        return moved


IDLE_TURNS_MAX = 3000  # turns in which no time passes: more is an endless loop


class Timed:
    """What works on a simulated clock and network, before an archive; time moves only to the next deadline of any part.

    It has `clock`, `network`, `archive` and `counters`, `places` at which the other side answers, and one turn of its
    work: work(now) -> ms until something is due.
    """

    steps = 0

    def step(self):
        """Run one turn without waiting; return the ms until something is due."""
        self.network.step()
        self.steps += 1
        left = self.work(self.clock.now)
        if self.network.step() or self.network.readable():
            return 0
        return min(left, self.network.next_due(True))

    def run(self, ms):
        """Let `ms` pass, waking only for deadlines and input, and do what is due at its end."""
        end = self.clock.total_ms + ms
        self.until(lambda: self.clock.total_ms >= end and self.step() > 0, ms + 1, end)

    def until(self, condition, limit_ms=600000, end=None):
        """Let time pass until the condition holds; return the ms it took."""
        start = self.clock.total_ms
        idle = 0
        while not condition():
            assert self.clock.total_ms - start < limit_ms, "it did not happen in time"
            left = self.step()
            idle = idle + 1 if left <= 0 else 0
            assert idle < IDLE_TURNS_MAX, "no time passes"
            if left > 0 and not condition():
                if end is not None:
                    left = min(left, end - self.clock.total_ms)
                self.clock.advance(left)
        return self.clock.total_ms - start

    def until_stored(self, count, limit_ms=600000, and_ms=0):
        """Let time pass until the archive holds so many results, and then some more; return the ms until then."""
        took_ms = self.until(lambda: self.archive.stored >= count, limit_ms)
        if and_ms:
            self.run(and_ms)
        return took_ms

    def come_through(self, cut_at, make, produced, count, is_done):
        """Make one each 40 ms until there are `count` and all is done; the power fails at step `cut_at` (0: never).

        Returns the steps that it took.
        """
        begin_ms, before = self.clock.total_ms, self.steps
        while produced < count or not is_done():
            if produced < count and self.clock.total_ms >= begin_ms + 40 * produced:
                make()
                produced += 1
            left = self.step()
            assert self.steps - before < 5000, self.counts()
            if self.steps - before == cut_at:
                self.cut()
                left = 0
            if left > 0:
                self.clock.advance(min(left, 40) if produced < count else left)
        return self.steps - before

    def refuse(self, refuses):
        """Nothing answers where the other side is, or it does again."""
        for place in self.places:
            (self.network.down if refuses else self.network.up)(*place)

    def ids(self):
        """Return the tightening IDs in the archive, in order of arrival."""
        return self.archive.tightening_ids()

    def counted(self, code):
        return self.counters.counts[code]

    def counts(self):
        """Return the counters by name; for a failed test's message."""
        return {NAMES[code]: self.counted(code) for code in range(len(NAMES)) if self.counted(code)}
