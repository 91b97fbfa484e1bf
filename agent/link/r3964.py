"""3964R, both roles: every block is handed over once and whole, or the link is reported down; nothing waits for ever.

Rules (003:892-961, and the procedure as it is run in the field: docs/serial.md)
1. Sender: STX, DLE comes back, payload with every 10 doubled, `10 03`, BCC, DLE comes back. Anything else, NAK or
   silence for QVZ (counted from when the last octet has left the wire): again from STX, at most `attempts` times, at
   most JOB_MS for the whole job; then NAK, and LINK_BROKEN.
2. Receiver: STX is answered DLE; `10 10` is one 10, `10 03` is followed by the BCC whatever octet that is; an error
   waits for the end of the block or for ZVZ, then NAK, and the repeat is awaited for REPEAT_MS.
3. A good block: first its DLE goes out, then the message is handed upward, then what followed it is looked at.
4. Idle: NAK is ignored, or two ends would NAK each other for ever; junk is swallowed until ZVZ of silence, then NAK.
5. A block like the last one while our acknowledgement still waits to go out is its repeat after a lost DLE: it gets
   its DLE and is not handed over, or a second acknowledgement would be taken for the next result's. For the same
   reason an acknowledgement that the peer answers with a block of its own is not repeated.
6. Both sent STX: the low priority answers DLE, receives, and starts over; the high priority goes on waiting.

    IDLE --STX--> RX_BLOCK --BCC good--> IDLE, message          --bad--> RX_REPEAT --4 s or STX--> IDLE
    IDLE --junk--> JUNK --ZVZ--> NAK, IDLE
    IDLE --post--> TX_STX --DLE--> TX_BLOCK --all out--> TX_ACK --DLE--> IDLE
                   each of the three --NAK, other octet, QVZ--> TX_CLEAR --wire free--> TX_STX, or DOWN
"""

from agent.base.compat import const
from agent.base.fields import number
from agent.link import LINK_BROKEN, LINK_CUT_SHORT, LINK_MESSAGE, LINK_NEED_DATA, WHY_NOTHING, WHY_UNANSWERED
from agent.link.handshake import (
    DLE_AT,
    DOWN,
    IDLE,
    JUNK,
    NAK,
    NAK_AT,
    RX_BLOCK,
    RX_REPEAT,
    STX,
    TX_ACK,
    TX_BLOCK,
    TX_CLEAR,
    TX_STX,
    Handshake,
)
from agent.link.payload import (
    NO_MESSAGE,
    TALLY_JUNK,
    TALLY_NAKS_GOT,
    TALLY_NAKS_SENT,
    TALLY_REFUSED,
    TALLY_SILENCES,
    begin_of,
    tail_fits,
)

REPEAT_MS = const(4000)
CUT_SHORT_BYTES = const(640)  # what is kept of a message that is too large: all that a raw record holds
FIFO_OCTETS = const(28)  # of the 32 in an RP2's UART: what leaves the wire without the processor

_SOON_MS = const(5)  # how soon a step is wanted after something was handed to the port
_RAW_BYTES = 128


class R3964(Handshake):
    """One serial line's worth of messages; `octet_us` is the time of one octet on the wire."""

    steady = False  # the procedure goes on by itself

    def __init__(
        self,
        buffer_bytes=2048,
        octet_us=1042,
        qvz_ms=2000,
        zvz_ms=100,
        attempts=6,
        high_priority=False,
        payload="auto",
        message_bytes=64,
    ):
        Handshake.__init__(
            self, buffer_bytes, octet_us, qvz_ms, zvz_ms, attempts, high_priority, payload, message_bytes
        )
        self._raw = bytearray(_RAW_BYTES)
        self._now = 0
        self.reset()

    def reset(self):
        """Forget both directions: a new connection begins."""
        self._begin()
        self.free = 0
        self._raw_at = self._raw_end = 0
        self._last_fill = self._last_bcc = -1
        self._message = False
        self._bad_blocks = 0
        self.tx_from = 0
        self.at = 0
        self.length = 0
        self.why = WHY_NOTHING
        self.size = len(self.buf)
        self.start = self.end = 0  # what was not looked at lies in a buffer of its own
        self._reader.begin(self.size)

    # -- the link's verbs --------------------------------------------------------------------------------------

    def inlet(self):
        """Return the buffer whose first `free` octets may be filled."""
        self.free = self.room()
        return self._raw

    def room(self):
        """Return how many octets are taken now: none before the last ones were looked at."""
        return 0 if self._raw_at < self._raw_end else _RAW_BYTES

    def receive(self, n):
        """Take over the first n octets of the inlet."""
        self._raw_at = 0
        self._raw_end = n

    def next_message(self, now):
        """Work through what came; see the link contract for what it returns."""
        self._now = now
        while True:
            if self._message:
                if self.pending:
                    return LINK_NEED_DATA  # its DLE has not gone out yet
                self._message = False
                found = self._open()
                if found != LINK_NEED_DATA:
                    return found
            elif self._raw_at < self._raw_end:
                if self._state == RX_BLOCK:
                    self._take_block()
                else:
                    octet = self._raw[self._raw_at]
                    self._raw_at += 1
                    self._take(octet)
            else:
                break
        if self._state == DOWN and self.pending == 0:
            self.why = WHY_UNANSWERED
            return LINK_BROKEN
        self._look_at_time(now)
        return LINK_NEED_DATA

    def pushed(self):
        """The handshake says whose turn it is: look at it now."""
        return True

    def answered(self):
        """It was not waited for."""

    def idle(self):
        """True if a message may be posted: no block is under way in either direction."""
        return self._state == IDLE and not self._job and self.pending == 0 and not self._message

    def tick(self, now):
        """Return the ms until a deadline; soon while something waits for the port."""
        self._now = now
        if self.pending or self._message:
            return _SOON_MS
        if self._state == DOWN:
            return 0
        left = self._timer.left(now)
        if self._state == TX_CLEAR and not self._timer.armed:
            left = self._wire.left(now) if self._wire.armed else 0
        if self._job:
            job = self._job_time.left(now)
            return job if job < left else left
        return left

    def quiet(self, busy_ms):
        """True if no octet is lost and no gap seen if the processor is away for so long."""
        if self.pending or self._raw_at < self._raw_end:
            return False
        state = self._state
        if state == IDLE:
            return True  # the peer may send one STX, then it waits for our DLE
        if state == TX_ACK:  # the rest leaves by itself; the peer sends DLE and perhaps one STX
            return self._wire.left(self._now) * 1000 <= FIFO_OCTETS * self.octet_us or not self._wire.armed
        # After its DLE the peer waits ZVZ for our block; after our NAK it may send one STX.
        return state == RX_REPEAT or (state == TX_STX and busy_ms * 4 <= self.zvz_ms)

    def last_chance(self):
        """The peer is held by the handshake, not by the acknowledgement: never."""
        return False

    # -- one octet outside a block -----------------------------------------------------------------------------

    def _take(self, octet):
        state = self._state
        if state == IDLE or state == RX_REPEAT:
            if octet == STX:
                self._answer()
            elif octet == NAK:
                self.tally[TALLY_NAKS_GOT] += 1
            else:
                self.tally[TALLY_JUNK] += 1
                self._state = JUNK
                self._timer.start(self._now, self.zvz_ms)
        elif state == JUNK or state == TX_CLEAR:
            self.tally[TALLY_JUNK] += 1
            if state == JUNK or self._timer.armed:
                self._timer.start(self._now, self.zvz_ms)
        elif state == TX_STX:
            self._take_connect(octet)
        elif state == TX_BLOCK or state == TX_ACK:
            self._take_acknowledge(octet, state)

    # -- a block -----------------------------------------------------------------------------------------------

    def _take_block(self):
        """Take octets of a block until they or the block end."""
        reader = self._reader
        at = reader.take(self._raw, self._raw_at, self._raw_end)
        if at > 0:
            self._raw_at = at
            self._timer.start(self._now, self.zvz_ms)
            return
        self._raw_at = -at
        if not reader.good:
            self._refuse_block()
            return
        self._bad_blocks = 0
        same = reader.fill == self._last_fill and reader.bcc == self._last_bcc
        self._message = not (same and self._job and self._acknowledges)
        self._last_fill = reader.fill
        self._last_bcc = reader.bcc
        self._become_idle()
        self._put(DLE_AT)

    def _refuse_block(self):
        """NAK; the repeat is awaited unless there were too many of them."""
        self.tally[TALLY_NAKS_SENT] += 1
        self._bad_blocks += 1
        self._state = RX_REPEAT
        self._timer.start(self._now, REPEAT_MS)
        if self._bad_blocks >= self.attempts:
            self._bad_blocks = 0
            self._become_idle()
        self._put(NAK_AT)

    def _open(self):
        """Find the message in the block just received."""
        end = self._reader.fill
        at = begin_of(self.buf, end)
        if at != NO_MESSAGE:
            self.at = at
            self.length = length = number(self.buf, at, 4)
            self.form.answered()
            if at + length <= end and tail_fits(self.buf, at + length, end):
                return LINK_MESSAGE
            if end == self._reader.size and at + length >= end:
                self.length = CUT_SHORT_BYTES if end - at > CUT_SHORT_BYTES else end - at
                return LINK_CUT_SHORT
        self.tally[TALLY_REFUSED] += 1
        return LINK_NEED_DATA

    def _look_at_time(self, now):
        state = self._state
        if self._job and state != RX_BLOCK and not self._message and self._job_time.expired(now):
            self._give_up()
        elif state == TX_CLEAR:
            if not self._wire_busy() and (not self._timer.armed or self._timer.expired(now)):
                self._ask()
        elif state == IDLE:
            if self._job and self.pending == 0 and not self._message:
                self._ask()
        elif self._timer.expired(now):
            self._late(state)

    def _late(self, state):
        """The state's deadline has come, and nothing was there to be read."""
        if state == JUNK:
            self.tally[TALLY_NAKS_SENT] += 1
            self._become_idle()
            self._put(NAK_AT)
        elif state == RX_BLOCK:
            self.tally[TALLY_SILENCES] += 1
            self._refuse_block()
        elif state == RX_REPEAT:
            self._bad_blocks = 0
            self._become_idle()
        elif state == DOWN:
            self.pending = 0  # the port does not take even the NAK
        else:
            self._fail(-1)
