"""Plain ASCII on a serial line: a message is taken whole or not at all, and the next one is always found again.

    controller -> us  STX message [NUL] ETX         us -> controller  BEL HT BEL HT STX message NUL ETX

Rules (OP 2.1.2.1 p. 22, 3.3.2 p. 42)
1. Hunt for STX; then four digits of length, 20 or more; then that many bytes; then NUL or nothing; then ETX. Nothing
   inside a message ends or restarts it: binary parts contain 02 and 03.
2. The NUL in its place proves the message; what comes between it and ETX is no part of it. If neither NUL nor ETX is in
   its place, or the length is not digits, the message is dropped and the hunt goes on after it. So is one whose last
   byte is a NUL, with none behind it, from a controller that sends one: it lacks a byte. A gap of ZVZ inside a
   message drops it too: this ends a corrupted length, because the controller waits for its answer.
3. The header must be possible: digits where digits belong. This line has no checksum, so the layers above check every
   field and take nothing odd unless it comes twice (toolcart.agent.station.store).
4. Only the 0062 it waits for holds the controller back: the flash is used between a result and its 0062, where the port
   does not keep what comes meanwhile.
5. On a line too fast for that (what comes during a program does not fit the UART) a result that comes while an answer
   is due is handed over HOLD_MS later: by then the answer is in the UART's buffer, no longer in its FIFO.
6. A message larger than the buffer is handed over cut short.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import BAD, all_digits, number
from toolcart.agent.base.ticks import Timer
from toolcart.agent.link import LINK_CUT_SHORT, LINK_MESSAGE, LINK_NEED_DATA, PROGRAM_MS, WHY_NOTHING
from toolcart.agent.link.serial_framing import (
    ETX,
    MESSAGE_AT,
    MESSAGE_KB,
    MESSAGE_MIN,
    STX,
    TAIL_BYTES,
    TALLY_JUNK,
    TALLY_NAMES,
    TALLY_REFUSED,
    TALLY_SILENCES,
    Form,
)
from toolcart.agent.link.serial_inlet import Inlet

HUNT = const(0)
LENGTH = const(1)
BODY = const(2)
TAIL = const(3)

ZVZ_MS = const(100)  # between two bytes of a message, as in a block (toolcart.agent.link.r3964)
FIFO_OCTETS = const(28)  # of the 32 in an RP2's UART
HOLD_MS = const(60)  # the longest answer, 544 bytes (protocol.md 5.4), at 115200 baud
ANSWER_MS = const(500)  # after that the answer is no longer waited for
SILENT_MS = 500  # a line that has been quiet that long is idle
CUT_SHORT_BYTES = const(640)  # what is kept of a message that is too large: as much as a raw record holds

_SOON_MS = const(5)


class Frame:
    """The message that is coming in."""

    __slots__ = ("ends_in_nul", "fill", "has_nuls", "length", "most", "nul", "state")

    def __init__(self, size):
        self.reset(size)

    def reset(self, size):
        """A connection begins."""
        self.state = HUNT
        self.fill = 0
        self.length = 0
        self.most = size  # for this message: the link's `size` may change while it comes in
        self.nul = False  # the NUL after it has come
        self.has_nuls = False  # the controller sends a NUL after its messages: the last one tells
        self.ends_in_nul = False  # its own last byte is one

    def lacks_octet(self):
        """True if its last byte is the NUL that should come after it; else note whether one does."""
        if self.ends_in_nul and self.has_nuls and not self.nul:
            return True
        self.has_nuls = self.nul
        return False


class SerialAscii:
    """The messages of one serial line; `octet_us` is the time of one byte on the wire."""

    is_event_driven = False  # see the link contract: it has deadlines of its own, also without input
    tx_at = MESSAGE_AT
    start = end = 0  # unread input is in a buffer of its own

    def __init__(self, buffer_bytes=2048, octet_us=1042, zvz_ms=ZVZ_MS, payload="auto", message_bytes=64):
        self.buf = bytearray(buffer_bytes)
        self.tx = bytearray(MESSAGE_AT + message_bytes + TAIL_BYTES)
        self.header = None
        self.octet_us = octet_us
        self.zvz_ms = zvz_ms
        self.message_ms = zvz_ms + MESSAGE_KB * octet_us
        self.form = Form(payload, plain=True)
        self.tally = [0] * len(TALLY_NAMES)
        self.at = 0
        self._inlet = Inlet()
        self._frame = Frame(buffer_bytes)
        self._gap = Timer()
        self._busy = Timer()  # runs while the line is not idle
        self._awaits = Timer()  # runs while an answer is due
        self._held = Timer()
        self.set_input_buffer(FIFO_OCTETS)
        self._now = 0
        self.reset()

    def set_input_buffer(self, octets):
        """Say how much the port keeps of what comes while the flash works: a chip's UART little, a system a lot."""
        self._buffer_us = octets * self.octet_us
        self._is_fast = self._buffer_us < PROGRAM_MS * 1000

    def reset(self):
        """Clear both directions: a new connection begins."""
        self.free = 0
        self.form.reset()
        self.why = WHY_NOTHING
        self.length = 0
        self.tx_from = 0
        self.size = len(self.buf)
        self._frame.reset(self.size)
        self._inlet.clear()
        self.pending = 0
        self._window = False
        self._early = False
        self._gap.stop()
        self._busy.stop()
        self._awaits.stop()
        self._held.stop()

    # -- the link's methods ------------------------------------------------------------------------------------

    def inlet(self):
        """Return the buffer whose first `free` bytes may be filled."""
        self.free = self.room()
        return self._inlet.octets

    def room(self):
        """Return how many bytes it accepts now: none before it has looked at the last ones."""
        return 0 if self._held.armed else self._inlet.room()

    def receive(self, n):
        """Take the first n bytes of the inlet."""
        self._inlet.receive(n)

    def next_message(self, now):
        """Find the next whole message; see the link contract for what it returns."""
        self._now = now
        self._window = False
        if self._held.armed:
            if not self._held.expired(now):
                return LINK_NEED_DATA
            self._held.stop()
            self._early = False
            return self._deliver()
        if self._inlet.at < self._inlet.end:
            self._gap.start(now, self.zvz_ms)
            self._busy.start(now, SILENT_MS)
        while self._inlet.at < self._inlet.end:
            if self._frame.state == BODY:
                self._take_body()
                continue
            kind = self._take(self._inlet.next())
            if kind != LINK_NEED_DATA:
                return kind
        if self._frame.state != HUNT and self._gap.expired(now):
            self.tally[TALLY_SILENCES] += 1
            self._frame.state = HUNT
        return LINK_NEED_DATA

    def pushed(self):
        """The controller waits for our answer to this message; False if it may still owe us one (rule 5)."""
        if self._early and self._awaits.armed and not self._awaits.expired(self._now):
            self._held.start(self._now, HOLD_MS)
            return False
        self._window = True
        return True

    def answered(self):
        """Take note that the controller's answer has come."""
        self._awaits.stop()

    def idle(self):
        """True if the last message posted has gone to the port."""
        return self.pending == 0

    def post(self, n, expects_answer=True):
        """Send the n bytes at tx[tx_at:] with their framing."""
        self._window = False
        if self.header is not None:
            self.header.write(self.tx, MESSAGE_AT)
        self.tx_from = self.form.put(self.tx, n)
        self.pending = self.form.end_of(n) - self.tx_from
        if expects_answer:
            self._awaits.start(self._now, ANSWER_MS)

    def sent(self, n):
        """Take note that the port took n bytes."""
        self.tx_from += n
        self.pending -= n
        self._busy.start(self._now, SILENT_MS)

    def is_receiving(self):
        """True from a message's STX to its end, or to a gap."""
        return self._frame.state != HUNT

    def tick(self, now):
        """Return the ms until the next deadline; soon while something waits for the port."""
        self._now = now
        if self.pending:
            return _SOON_MS
        if self._held.armed:
            return self._held.left(now)
        if self._frame.state != HUNT:
            return self._gap.left(now)
        left = self._busy.left(now)
        return left if left else self._still()

    def quiet(self, busy_ms):
        """True if the processor can be away that long without losing a byte."""
        if self._window:
            return True
        if self._held.armed:
            return False
        if self._frame.state != HUNT or self._inlet.at < self._inlet.end:
            return False
        if busy_ms * 1000 <= self._buffer_us:
            return True  # what may come in the meantime fits the UART, or the system
        return busy_ms <= self.zvz_ms and not self._busy.armed

    def last_chance(self):
        """True between a result and its acknowledgement: the controller waits."""
        return self._window

    # -- what comes in -----------------------------------------------------------------------------------------

    def _still(self):
        """Take note that the line is idle now; return FOREVER."""
        self._busy.stop()
        return self._busy.left(self._now)

    def _take(self, octet):
        frame = self._frame
        state = frame.state
        if state == HUNT:
            self._find_start(octet)
        elif state == LENGTH:
            self.buf[frame.fill] = octet
            frame.fill += 1
            if octet < 0x30 or octet > 0x39:
                return self._drop(octet)
            if frame.fill == 4:
                frame.length = number(self.buf, 0, 4)
                frame.most = self.size
                frame.state = BODY
                frame.nul = False
                if frame.length < MESSAGE_MIN:
                    return self._drop(octet)
        elif octet == 0 and not frame.nul:
            frame.nul = True
        elif octet == ETX:
            return self._complete()
        elif frame.nul:  # what stands between its NUL and ETX is no part of it
            kind = self._complete()
            self._find_start(octet)
            return kind
        else:
            return self._drop(octet)
        return LINK_NEED_DATA

    def _find_start(self, octet):
        if octet == STX:
            self._frame.state = LENGTH
            self._frame.fill = 0
        elif octet != 0:
            self.tally[TALLY_JUNK] += 1

    def _take_body(self):
        """Take the message's bytes as its length says; the only loop that runs for every byte."""
        inlet = self._inlet
        frame = self._frame
        raw = inlet.octets
        buf = self.buf
        size = frame.most
        at = inlet.at
        fill = frame.fill
        end = at + frame.length - fill
        if end > inlet.end:
            end = inlet.end
        while at < end:
            if fill < size:
                buf[fill] = raw[at]
            at += 1
            fill += 1
        inlet.at = at
        frame.fill = fill
        if fill == frame.length:
            frame.state = TAIL
            frame.ends_in_nul = raw[at - 1] == 0

    def _drop(self, octet):
        """Drop what was not a message; the byte that spoiled it may be the STX of the next one."""
        self.tally[TALLY_REFUSED] += 1
        self._frame.state = LENGTH if octet == STX else HUNT
        self._frame.fill = 0
        return LINK_NEED_DATA

    def _complete(self):
        self._frame.state = HUNT
        if self.header is not None:
            self.header.read(self.buf, 0)
        if not self._can_be() or self._frame.lacks_octet():
            self.tally[TALLY_REFUSED] += 1
            return LINK_NEED_DATA
        self.form.answered()
        self._early = self._is_fast
        return self._deliver()

    def _deliver(self):
        self.at = 0
        self.length = self._frame.length
        if self._frame.length <= self._frame.most:
            return LINK_MESSAGE
        self.length = CUT_SHORT_BYTES if self._frame.most > CUT_SHORT_BYTES else self._frame.most
        return LINK_CUT_SHORT

    def _can_be(self):
        """True if the header is possible: MID digits, everything after it digits or blanks (OP 2.2.2 p. 26-27)."""
        buf = self.buf
        if not all_digits(buf, 4, 4):
            return False
        at = 8
        while at < MESSAGE_MIN:
            octet = buf[at]
            if (octet < 0x30 or octet > 0x39) and octet != 0x20 and octet != 0:
                return False
            at += 1
        return number(buf, 16, 2) != BAD
