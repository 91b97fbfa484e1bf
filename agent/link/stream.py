"""Open Protocol over a byte stream (TCP): any split, any join, late or missing NUL, never more than the buffer.

Rules (protocol.md 2.3)
1. A message is found by its length field, never by its NUL: binary parts contain NULs (OP 3.8 p. 58). The NUL behind
   its length proves that it ends there; so does a whole message that follows, whatever NULs are in it, or what else
   messages end in. Without
   any of these a NUL is waited for until NUL_MS are over, once in a connection: octets of another thread of the
   controller, in the middle of a message, put its end behind its length.
2. NULs before a length field are late terminators and are dropped. So is what else the messages of a connection end in,
   once they have shown that (toolcart.agent.link.terminators).
3. What is neither is no message: it is passed over up to the next place where a message is proven, or where messages
   follow at their lengths (toolcart.agent.link.resync), and LINK_JUNK is reported once for it. JUNK_MOST octets without
   a message, and the connection must be closed.
4. A message that has begun and is not whole after FRAME_TIMEOUT_MS breaks the framing. If a NUL shows that it ended
   before its length, it is handed over after EARLY_MS: before the controller sends it again.
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
    LINK_JUNK,
    LINK_MESSAGE,
    LINK_NEED_DATA,
    WHY_LENGTH,
    WHY_NOTHING,
    WHY_SLOW,
)

HEADER_BYTES = const(20)
CUT_SHORT_BYTES = const(640)  # what is kept of a message that is too large: as much as a raw record holds
EARLY_MS = const(1000)
NUL_MS = const(300)  # longer than an acknowledgement of TCP may be put off
JUNK_MOST = const(9999)  # what is passed over may be the rest of one message, but not more

_LENGTH_DIGITS = const(4)
_MID_END = const(8)


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
        "is_lost",
        "junk",
        "terminator",
        "_waits_for_nul",
        "_piece",
        "tx",
        "tx_at",
        "tx_from",
        "why",
    )

    message_ms = FRAME_TIMEOUT_MS
    is_event_driven = True  # only messages go over it: without input and before its deadline there is nothing to do

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
        self.is_lost = False  # no message is known to begin at `start`
        self.junk = 0  # octets passed over since the last message
        self._waits_for_nul = True  # where nothing else shows that a message has ended
        self.terminator = None  # toolcart.agent.link.terminators', where messages may end in something else than a NUL
        self._piece = 0  # where a piece began, behind `start`, while a message is waited for
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
        if self.is_lost:
            return self._search(now)
        length = HEADER_BYTES
        if have >= _LENGTH_DIGITS:
            length = number(self.buf, self.start, _LENGTH_DIGITS)
            if have > length >= HEADER_BYTES and self.buf[self.start + length] == 0:
                return self._found(length, LINK_MESSAGE)
        return self._judge(length, have, now)

    def idle(self):
        """True if the last message posted has gone to the port."""
        return self.pending == 0

    def post(self, n, expects_answer=True):
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

    def is_receiving(self):
        """True if a message has begun and is waited for."""
        return self.wait.armed

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

    def _judge(self, length, have, now):
        """Look at a message that is not whole yet, or that no NUL has followed."""
        if length < HEADER_BYTES or (have and number(self.buf, self.start, have if have < _MID_END else _MID_END) < 0):
            return self._lose_place(now)
        if have < length:
            if length > self.size:
                kept = CUT_SHORT_BYTES if self.size > CUT_SHORT_BYTES else self.size
                if have >= kept:
                    self.skip = length - kept
                    return self._found(kept, LINK_CUT_SHORT)
            return self._await(now)
        from toolcart.agent.link import resync  # hardly ever: a NUL comes with the message

        buf, start, end = self.buf, self.start, self.end
        may_wait = have < self.size and not (self.wait.armed and self.wait.expired(now))
        if not resync.may_be_header(buf, start, end):
            return self._await(now) if have == length and may_wait else self._lose_place(now)
        if not resync.is_shown(buf, start, end):
            inner = resync.inner_place(buf, start, length, end, False)
            if inner != resync.NOWHERE:
                if buf[inner - 1] == 0 and inner - 1 - start >= HEADER_BYTES:
                    return self._found(inner - 1 - start, LINK_MESSAGE)
                return self._lose_place(now)  # it broke off, and was sent again
            if may_wait and resync.inner_place(buf, start, length, end, True) != resync.NOWHERE:
                return self._await(now)
            waits_for_nul = self._waits_for_nul and self.terminator is None
            if have < self.size and resync.may_be_shown(buf, start, end):
                if self._piece != have or not self.wait.armed:
                    self._piece = have
                    self.wait.start(now, NUL_MS)
                if not self.wait.expired(now):
                    return LINK_NEED_DATA
            elif may_wait and waits_for_nul and not resync.is_ended(buf, start + length, end):
                if not self.wait.armed or self.wait.left(now) > NUL_MS:
                    self.wait.start(now, NUL_MS)
                return LINK_NEED_DATA
            if self.wait.armed and self.wait.expired(now):
                self._waits_for_nul = False
        if have == length or resync.may_follow(buf, start, start + length, end):
            return self._found(length, LINK_MESSAGE)
        if self.terminator is None and resync.breaks_off(buf, start, end):
            return self._lose_place(now)
        self._found(resync.true_end(buf, start, length, end) - start, LINK_MESSAGE)
        ending = self.terminator
        self.is_lost = buf[self.start - 1] != 0 and (ending is None or not ending.is_at(buf, self.start, end))
        return LINK_MESSAGE

    def _await(self, now):
        """More has to come for what has begun, in time."""
        buf, start, end = self.buf, self.start, self.end
        have = end - start
        is_begun = self.wait.armed
        if not is_begun:
            self.wait.start(now, FRAME_TIMEOUT_MS)
            self._piece = have
            if have <= HEADER_BYTES or buf[end - 1] != 0:
                return LINK_NEED_DATA
        from toolcart.agent.link import resync

        is_early = have > HEADER_BYTES and resync.ends_early(buf, start, end)
        if is_early and self.wait.left(now) > EARLY_MS:
            self.wait.start(now, EARLY_MS)
            return LINK_NEED_DATA
        if is_begun and resync.is_proven(buf, start + self._piece, end):
            return self._lose_place(now)
        if not self.wait.expired(now):
            if not resync.may_be_header(buf, start + self._piece, end):
                self._piece = have
            return LINK_NEED_DATA
        if is_early:
            return self._found(have - 1, LINK_MESSAGE)
        is_begun = have == 0 or (have >= HEADER_BYTES and resync.may_be_header(buf, start, end))
        place = resync.proven_place(buf, start + 1, end)
        if not is_begun or place != resync.NOWHERE or resync.place_in_line(buf, start + 1, end) != resync.NOWHERE:
            self.is_lost = True
            self._piece = 0
            return self._search(now, 1)
        return self._lose(WHY_SLOW)

    def _lose_place(self, now):
        """What begins at `start` is no message."""
        self.wait.stop()
        if self.terminator is not None:
            place = self.terminator.pass_over(self.buf, self.start, self.end)
            if place != self.start:
                self.start = place
                return self.next_message(now)
        self.is_lost = True
        return self._search(now, 1)

    def _search(self, now, at_least=0):
        """Pass over what is no message, and `at_least` so many octets, up to where one is proven or may still be."""
        from toolcart.agent.link import resync

        buf, end = self.buf, self.end
        start = self.start + at_least
        is_late = self.wait.armed and self.wait.expired(now) and (not self._piece or self._piece == end - self.start)
        place = resync.NOWHERE
        if self.terminator is not None or (not self.junk and self.start != end and resync.may_end(buf[self.start])):
            from toolcart.agent.link import terminators  # hardly any controller sends such an octet

            place = terminators.place_behind(self)
        if place == resync.NOWHERE:
            ending = self.terminator
            place = resync.proven_place(buf, start, end, ending.octet if ending is not None and ending.is_known else 0)
        in_line = resync.place_in_line(buf, start, end)
        if in_line != resync.NOWHERE and (place == resync.NOWHERE or in_line < place):
            place = in_line
        is_found = place != resync.NOWHERE
        is_short = False
        if not is_found:
            if end - start >= self.size:
                start += 1
            place = resync.last_place(buf, start, end)
            is_short = place != resync.NOWHERE
            if is_late:  # nothing came that would prove it, so what comes begins anew
                is_found = is_short
                self.is_lost = False
                if not is_found:
                    place = end
            else:
                place = resync.open_place(buf, start, end, self.size)
        passed = place - self.start
        if passed:
            is_first = self.junk == 0
            self.junk += passed
            self.start = place
            self.wait.stop()
            if self.junk > JUNK_MOST:
                return self._lose(WHY_LENGTH)
            if is_first:
                self.why = WHY_SLOW if is_late else WHY_LENGTH
                return LINK_JUNK
        if is_found:
            return self._found(number(buf, place, _LENGTH_DIGITS), LINK_MESSAGE)
        if is_short:
            if self._piece != end - place or not self.wait.armed:  # only silence behind it is a proof
                self._piece = end - place
                self.wait.start(now, NUL_MS)
        elif place != end and (self._piece or not self.wait.armed):
            self._piece = 0
            self.wait.start(now, FRAME_TIMEOUT_MS)
        return LINK_NEED_DATA

    def _found(self, length, kind):
        """Hand the message over; its bytes stay in place until more are read."""
        start = self.at = self.start
        self.length = length
        start += length
        if start < self.end and self.buf[start] == 0 and not self.skip:
            start += 1  # its terminator
        self.start = start
        self.wait.armed = False
        self.is_lost = False
        self.junk = 0
        if self.header is not None:
            self.header.read(self.buf, self.at)
        return kind

    def _lose(self, why):
        self.why = why
        self.clear()
        self.wait.stop()
        return LINK_BROKEN
