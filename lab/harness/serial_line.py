"""A serial line byte by byte: baud, loss, flips, extra bytes, cuts, a chip deaf while its flash works.

Rules:
1. Time is microseconds; the clock's milliseconds follow. A byte takes bits / baud seconds, and a wire carries one at
   a time, in order.
2. The agent's end is a UART like an RP2's: FIFOs of 32 bytes, emptied and filled by an interrupt. While the chip
   is `deaf` the interrupt does not run: bytes that do not fit into the FIFO are lost and counted.
3. Faults happen on the wire, by dice (parts per million) or by `script`, a function called with every byte.
4. The peer's end is an object with octet(value, now), tick(now) -> ms, outgoing() -> bytes, wire_free(now).
"""

from toolcart.agent.link.port import PORT_CLOSED, PORT_OPEN, WHY_NO_DEVICE, WHY_UNPLUGGED
from toolcart.base.clock import START_TICKS, SimClock

PORTABLE = True

FIFO_OCTETS = 32
BITS = 10  # of a byte on the wire
RING_OCTETS = 1024
FAR_US = 1000000000


class MicroClock(SimClock):
    """A SimClock that also counts microseconds."""

    def __init__(self, start=START_TICKS):
        super().__init__(start)
        self.total_us = 0

    def advance_us(self, us):
        self.total_us += us
        ms = self.total_us // 1000 - self.total_ms
        if ms > 0:
            self.advance(ms)


class Wire:
    """One direction: bytes go in at one end and come out at the other, or do not."""

    def __init__(self, line):
        self.line = line
        self.queue = []  # in the sender's FIFO, the first one is on the wire
        self.done_us = 0
        self.carried = 0
        self.script = None  # script(octet, index) -> a list of bytes that arrive instead

    def put(self, octet):
        if not self.queue:
            self.done_us = self.line.clock.total_us + self.line.octet_us()
        self.queue.append(octet)

    def due(self):
        """Return when the next thing happens here."""
        return self.done_us if self.queue else FAR_US * 1000000

    def run(self, now_us, refill, sink):
        """Do what is due; True if the last byte has left."""
        emptied = False
        while self.queue and self.done_us <= now_us:
            octet = self.queue.pop(0)
            self.done_us += self.line.octet_us()
            refill()
            for value in self._arriving(octet):
                sink(value)
            emptied = not self.queue
        return emptied

    def _arriving(self, octet):
        """Return what comes out at the other end for this byte."""
        line = self.line
        arrives = [octet] if self.script is None else self.script(octet, self.carried)
        self.carried += 1
        if line.is_cut or line.hits(line.loss_ppm):
            arrives = []
        arrives = [value ^ 1 << line.dice.randrange(8) if line.hits(line.flip_ppm) else value for value in arrives]
        if line.hits(line.extra_ppm):
            arrives.append(line.dice.randrange(256))
        return arrives


class SerialLine:
    """Both wires, the agent's port and the peer."""

    def __init__(self, clock, dice, peer=None, baud=9600):
        self.clock = clock
        self.dice = dice
        self.peer = peer
        self.baud = baud
        self.loss_ppm = 0
        self.flip_ppm = 0
        self.extra_ppm = 0
        self.is_cut = False
        self.plugged = True
        self.port = SerialPort(self)
        self.to_agent = Wire(self)
        self.to_peer = Wire(self)
        self.record = None  # a list that gets (us, to_agent, byte), or None
        self._peer_due = 0

    def octet_us(self):
        return (BITS * 1000000 + self.baud // 2) // self.baud

    def hits(self, ppm):
        return ppm > 0 and self.dice.randrange(1000000) < ppm

    # Time

    def due_us(self):
        """Return the microseconds until something happens by itself."""
        return max(0, min(self.to_agent.due(), self.to_peer.due(), self._peer_due) - self.clock.total_us)

    def run(self):
        """Do everything that is due now."""
        now_us = self.clock.total_us
        self.to_peer.run(now_us, self.port.refill, self._to_peer)
        if self.to_agent.run(now_us, _nothing, self._to_agent) and self.peer is not None:
            self.peer.wire_free(self.clock.now)
        self._pump(now_us)

    def play(self, ms, turn, wait_us, until=None):
        """Let time pass with the agent, from one event to the next; True as soon as `until()` is, False at the end.

        `turn()` does what is due and returns how long nothing is; `wait_us` makes of it the most that may pass, or 0.
        """
        end = self.clock.total_us + ms * 1000
        while True:
            left = turn()
            if until is not None and until():
                return True
            rest = end - self.clock.total_us
            if rest <= 0:
                return False
            self.run()
            most = wait_us(left)
            if most:
                self.clock.advance_us(max(min(rest, self.due_us(), most), 1))

    def pass_us(self, us):
        """Let time pass without the agent: from one event to the next."""
        end = self.clock.total_us + us
        while True:
            self.run()
            left = end - self.clock.total_us
            if left <= 0:
                return
            self.clock.advance_us(min(left, self.due_us() or 1))

    def stall(self, us):
        """Let the chip's flash work for so long: nothing of the agent runs, not even its UART's interrupt."""
        self.port.deaf = True
        self.pass_us(us)
        self.port.receive_again()

    # Faults

    def unplug(self):
        """Pull the adapter out: the port is lost, and so is what was under way."""
        self.plugged = False
        self.port.lose()
        self.to_agent.queue = []
        self.to_peer.queue = []

    def plug(self):
        self.plugged = True

    # Inside

    def _pump(self, now_us):
        peer = self.peer
        if peer is None:
            self._peer_due = now_us + FAR_US
            return
        self._peer_due = now_us + min(peer.tick(self.clock.now), 100000) * 1000
        for octet in peer.outgoing():
            self.to_agent.put(octet)

    def _to_agent(self, octet):
        if self.record is not None:
            self.record.append((self.clock.total_us, True, octet))
        self.port.receive(octet)

    def _to_peer(self, octet):
        if self.record is not None:
            self.record.append((self.clock.total_us, False, octet))
        if self.peer is not None and self.plugged:
            self.peer.octet(octet, self.clock.now)


def _nothing():
    pass


class SerialPort:
    """The agent's end: the contract of toolcart.agent.link.port over a UART."""

    def __init__(self, line):
        self.line = line
        self.deaf = False
        self.overran = 0  # bytes that the FIFO had no room for
        self.write_limit = 0  # the most bytes a single write takes; 0: all
        self.read_limit = 0
        self._open = False
        self._lost = False
        self._fifo = []
        self._ring = []
        self._out = []
        self.why = 0
        self.why_code = 0

    # The contract

    def open(self, device, baud):
        self.close()
        self.why = 0 if self.line.plugged else WHY_NO_DEVICE
        if self.line.plugged:
            self._open = True

    def state(self):
        return PORT_OPEN if self._open else PORT_CLOSED

    def readinto(self, buf, n):
        if self._lost or not self._open:
            return -1
        n = min(n, len(self._ring))
        if self.read_limit:
            n = min(n, self.read_limit)
        buf[0:n] = bytes(self._ring[:n])
        self._ring = self._ring[n:]
        return n

    def write(self, buf, start, n):
        if self._lost or not self._open:
            return -1
        if self.write_limit:
            n = min(n, self.write_limit)
        for index in range(start, start + n):
            self._out.append(buf[index])
        self.refill()
        return n

    def overruns(self):
        return self.overran

    def close(self):
        self._open = False
        self._lost = False
        self._fifo = []
        self._ring = []
        self._out = []

    # The UART

    def has_input(self):
        return bool(self._ring) or self._lost

    def waiting(self):
        """Return how many bytes can be read."""
        return len(self._ring)

    def receive(self, octet):
        if not self._open:
            return
        room, most = (self._fifo, FIFO_OCTETS) if self.deaf else (self._ring, RING_OCTETS)
        if len(room) < most:
            room.append(octet)
        else:
            self.overran += 1

    def receive_again(self):
        self.deaf = False
        self._ring += self._fifo
        self._fifo = []
        self.refill()

    def refill(self):
        """Fill the transmit FIFO, as the interrupt does."""
        wire = self.line.to_peer
        while self._out and not self.deaf and len(wire.queue) < FIFO_OCTETS:
            wire.put(self._out.pop(0))

    def lose(self):
        if self._open:
            self._lost = True
            self.why = WHY_UNPLUGGED
