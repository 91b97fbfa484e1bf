"""Open Protocol over a byte stream (TCP): any split, any join, late or missing NUL, never more than the buffer.

Rules (protocol.md 2.3)
1. A message is found only by its length field, never by its NUL: binary parts contain NULs (OP 3.8 p. 58).
2. NULs before a length field are late terminators and are dropped.
3. Four bytes that are not a number, or a number below 20, break the framing: a stream cannot be resynchronized, so the
   connection must be closed.
4. A message that has begun and is not whole after FRAME_TIMEOUT_MS breaks it too.
5. A message larger than the buffer is handed over cut short, and exactly its remaining bytes are thrown away.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number
from toolcart.agent.base.fifo import SIDE_BYTES, Fifo
from toolcart.agent.base.ticks import FOREVER, Timer
from toolcart.agent.link import (
    FRAME_TIMEOUT_MS,
    LINK_BROKEN,
    LINK_CUT_SHORT,
    LINK_MESSAGE,
    LINK_NEED_DATA,
    WHY_LENGTH,
    WHY_NOTHING,
    WHY_SLOW,
)

HEADER_BYTES = const(20)
CUT_SHORT_BYTES = const(640)  # what is kept of a message that is too large: as much as a raw record holds

_LENGTH_DIGITS = const(4)


class Stream(Fifo):
    """The messages of one TCP connection.

    `buffer_bytes` limits what is taken whole, `message_bytes` what is sent.
    """

    __slots__ = (
        "pending",
        "at",
        "header",
        "wait",
        "length",
        "tx",
        "tx_at",
        "tx_from",
        "why",
    )

    steady = True  # only messages go over it: without input and before its deadline there is nothing to do

    def __init__(self, buffer_bytes=2048, message_bytes=64):
        Fifo.__init__(self, buffer_bytes, SIDE_BYTES)
        self.tx = bytearray(message_bytes + 1)  # with its NUL
        self.tx_at = 0
        self.header = None
        self.wait = Timer()
        self.reset()

    def reset(self):
        """Clear both directions: a new connection begins."""
        self.clear()
        self.size = len(self.buf)
        self.wait.stop()
        self.at = 0
        self.length = 0
        self.tx_from = 0
        self.why = WHY_NOTHING
        self.pending = 0

    # inlet, room and receive are those of Fifo

    def next_message(self, now):
        """Find the next whole message; see the link contract for what it returns."""
        have = self.end - self.start
        if have and (self.skip or self.buf[self.start] == 0):
            have = self._pass_terminators()
        if have == 0 and not self.skip:
            self.wait.armed = False
            return LINK_NEED_DATA
        if have >= _LENGTH_DIGITS:
            length = number(self.buf, self.start, _LENGTH_DIGITS)
            if length < HEADER_BYTES:
                return self._lose(WHY_LENGTH)
            if have >= length:
                return self._found(length, LINK_MESSAGE)
            if length > self.size:
                kept = CUT_SHORT_BYTES if self.size > CUT_SHORT_BYTES else self.size
                if have >= kept:
                    self.skip = length - kept
                    return self._found(kept, LINK_CUT_SHORT)
        if not self.wait.armed:
            self.wait.start(now, FRAME_TIMEOUT_MS)
        elif self.wait.expired(now):
            return self._lose(WHY_SLOW)
        return LINK_NEED_DATA

    def idle(self):
        """True if the last message posted has gone to the port."""
        return self.pending == 0

    def post(self, n, answered=True):
        """Send the n bytes at tx[tx_at:] and the NUL that ends them."""
        if self.header is not None:
            self.header.write(self.tx, 0)
        self.tx[n] = 0
        self.tx_from = 0
        self.pending = n + 1

    def sent(self, n):
        """Take note that the port took n bytes."""
        self.tx_from += n
        self.pending -= n

    def tick(self, now):
        """Return the ms until an unfinished message is given up."""
        return self.wait.left(now) if self.wait.armed else FOREVER

    def quiet(self, busy_ms):
        """Return True: the flash does not disturb a network."""
        return True

    def last_chance(self):
        """Return False: the flash needs no silence."""
        return False

    def _pass_terminators(self):
        """Drop the rest of a message too large, and late terminators; return how many bytes remain."""
        self.pass_over()
        while self.start < self.end and not self.skip and self.buf[self.start] == 0:
            self.start += 1
        return self.end - self.start

    def _found(self, length, kind):
        """Hand the message over; its bytes stay in place until more are read."""
        start = self.at = self.start
        self.length = length
        start += length
        if start < self.end and self.buf[start] == 0 and not self.skip:
            start += 1  # its terminator
        self.start = start
        self.wait.armed = False
        if self.header is not None:
            self.header.read(self.buf, self.at)
        return kind

    def _lose(self, why):
        self.why = why
        self.clear()
        self.wait.stop()
        return LINK_BROKEN
