"""Open Protocol over a byte stream (TCP): any split, any join, late or missing NUL, never more than the buffer.

Rules (DIGEST A.2)
1. A message is found by its length field alone, never by its NUL: binary parts contain NULs (003:2017-2023).
2. NULs in front of a length field are late terminators and are dropped.
3. Four octets that are no number, or a number below 20, lose the frame: there is no way back inside a stream, the
   connection has to be closed.
4. A message that has begun and is not whole after `frame_timeout_ms` loses the frame too.
5. A message larger than the buffer is handed over cut short, and exactly its remaining octets are thrown away.
"""

from agent.base.compat import const
from agent.base.fields import number
from agent.base.fifo import Fifo
from agent.base.ticks import FOREVER, Timer
from agent.link import LINK_BROKEN, LINK_CUT_SHORT, LINK_MESSAGE, LINK_NEED_DATA, WHY_LENGTH, WHY_NOTHING, WHY_SLOW

HEADER_BYTES = const(20)
TX_BYTES = 64  # the longest message of an integrator that sends no commands is MID 0064 with 31 octets
CUT_SHORT_BYTES = const(640)  # what is kept of a message that is too large: all that a raw record holds

_LENGTH_DIGITS = const(4)


class Stream:
    """One TCP connection's worth of messages; `buffer_bytes` bounds the largest that is taken whole."""

    __slots__ = (
        "_consumed",
        "_discard",
        "_pending",
        "at",
        "buf",
        "fifo",
        "frame_timeout_ms",
        "late",
        "length",
        "tx",
        "tx_at",
        "tx_from",
        "why",
    )

    def __init__(self, buffer_bytes=2048, frame_timeout_ms=5000):
        self.fifo = Fifo(buffer_bytes)
        self.buf = self.fifo.buf
        self.tx = bytearray(TX_BYTES)
        self.tx_at = 0
        self.frame_timeout_ms = frame_timeout_ms
        self.late = Timer()
        self.reset()

    def reset(self):
        """Forget both directions: a new connection begins."""
        self.fifo.clear()
        self.late.stop()
        self.at = 0
        self.length = 0
        self.tx_from = 0
        self.why = WHY_NOTHING
        self._pending = 0
        self._consumed = 0
        self._discard = 0

    def inlet(self):
        """Return the buffer whose first `room()` octets may be filled."""
        return self.fifo.inlet()

    def room(self):
        """Return how many octets are taken now."""
        self._consume()
        return self.fifo.room()

    def receive(self, n):
        """Take over the first n octets of the inlet."""
        self.fifo.commit(n)

    def next_message(self, now):
        """Find the next whole message; see the link contract for what it returns."""
        self._consume()
        fifo = self.fifo
        buf = self.buf
        while fifo.start < fifo.end:
            if self._discard:
                have = fifo.end - fifo.start
                gone = have if have < self._discard else self._discard
                fifo.drop(gone)
                self._discard -= gone
            elif buf[fifo.start] == 0:
                fifo.drop(1)
            else:
                break
        have = fifo.end - fifo.start
        if have == 0 and not self._discard:
            self.late.stop()
            return LINK_NEED_DATA
        if have >= _LENGTH_DIGITS:
            length = number(buf, fifo.start, _LENGTH_DIGITS)
            if length < HEADER_BYTES:
                return self._lose(WHY_LENGTH)
            if have >= length:
                return self._found(length, LINK_MESSAGE)
            kept = CUT_SHORT_BYTES if fifo.size > CUT_SHORT_BYTES else fifo.size
            if length > fifo.size and have >= kept:
                self._discard = length - kept
                return self._found(kept, LINK_CUT_SHORT)
        if not self.late.armed:
            self.late.start(now, self.frame_timeout_ms)
        elif self.late.expired(now):
            return self._lose(WHY_SLOW)
        return LINK_NEED_DATA

    def idle(self):
        """Tell whether the last message posted has gone to the port."""
        return self._pending == 0

    def post(self, n):
        """Send the n octets at tx[tx_at:] and the NUL that ends them."""
        self.tx[n] = 0
        self.tx_from = 0
        self._pending = n + 1

    def outgoing(self):
        """Return how many octets of tx[tx_from:] wait for the port."""
        return self._pending

    def sent(self, n):
        """The port took n octets."""
        self.tx_from += n
        self._pending -= n

    def tick(self, now):
        """Return the ms until an unfinished message is given up."""
        return self.late.left(now) if self.late.armed else FOREVER

    def quiet(self, busy_ms):
        """Nobody listens to the flash on a network: always."""
        return True

    def last_chance(self):
        """Nor does the flash need silence: never."""
        return False

    def _consume(self):
        if self._consumed:
            self.fifo.drop(self._consumed)
            self._consumed = 0

    def _found(self, length, kind):
        self.at = self.fifo.start
        self.length = length
        self._consumed = length
        self.late.stop()
        return kind

    def _lose(self, why):
        self.why = why
        self.fifo.clear()
        self._discard = 0
        self.late.stop()
        return LINK_BROKEN
