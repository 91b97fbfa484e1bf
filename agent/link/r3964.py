"""3964R, both roles: every block is delivered once and whole, or the link is reported down; nothing waits forever.

Rules (OP 2.1.2.2 p. 22-24, and the procedure as used in the field: docs/serial.md)
1. Sender: STX, DLE comes back, payload with every 10 doubled, `10 03`, BCC, DLE comes back. On anything else, NAK or
   silence for QVZ (counted from when the last byte left the wire), it starts again from STX, at most ATTEMPTS times
   and at most JOB_MS for the whole job; then NAK, and LINK_BROKEN.
2. Receiver: STX is answered with DLE; `10 10` is one 10, `10 03` is followed by the BCC, whatever byte that is; after
   an error it waits for the end of the block or for ZVZ, sends NAK, and waits REPEAT_MS for the repeat.
3. A good block: first its DLE goes out, then the message is handed over, then what followed it is looked at.
4. Idle: NAK is ignored, or two ends would NAK each other forever; junk is dropped until ZVZ of silence, then NAK.
5. A block equal to the last one while our acknowledgement still waits to go out is its repeat after a lost DLE: it gets
   its DLE but is not handed over, or a second acknowledgement would be taken for the next result's. For the same
   reason an acknowledgement that the peer answers with a block of its own is not repeated.
6. Both sent STX: the side with low priority answers DLE, receives, and starts over; the other goes on waiting.

    IDLE --STX--> RX_BLOCK --BCC good--> DLE, IDLE, message
                           --bad, or ZVZ--> NAK, RX_REPEAT, or IDLE after ATTEMPTS of them in a row
    RX_REPEAT --STX--> RX_BLOCK    --REPEAT_MS--> IDLE    --junk--> JUNK
    IDLE --junk--> JUNK --ZVZ--> NAK, IDLE
    IDLE --post--> TX_STX --DLE--> TX_BLOCK --all out--> TX_ACK --DLE--> IDLE
                   each of the three --NAK, other byte, QVZ--> TX_CLEAR --wire free--> TX_STX, or DOWN
                   TX_STX with low priority, TX_ACK --STX--> RX_BLOCK
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number
from toolcart.agent.base.ticks import Timer
from toolcart.agent.link import LINK_BROKEN, LINK_CUT_SHORT, LINK_MESSAGE, LINK_NEED_DATA, WHY_NOTHING, WHY_UNANSWERED
from toolcart.agent.link.r3964_block import BLOCK_END_BYTES, BlockReader, put_block
from toolcart.agent.link.serial_framing import (
    FRONT_BYTES,
    MESSAGE_AT,
    MESSAGE_KB,
    NO_MESSAGE,
    TAIL_BYTES,
    TALLY_CONFLICTS,
    TALLY_JUNK,
    TALLY_NAKS_GOT,
    TALLY_NAKS_SENT,
    TALLY_NAMES,
    TALLY_REFUSED,
    TALLY_REPEATS,
    TALLY_SILENCES,
    Form,
    begin_of,
    tail_fits,
)
from toolcart.agent.link.serial_inlet import Inlet

IDLE = const(0)
JUNK = const(1)
RX_BLOCK = const(2)
RX_REPEAT = const(3)  # NAK sent: the peer repeats the block
TX_STX = const(4)
TX_BLOCK = const(5)
TX_ACK = const(6)
TX_CLEAR = const(7)  # the attempt failed: wait until the wire is free and, after junk, quiet
DOWN = const(8)

# German names of the procedure: Quittungsverzugszeit, until an acknowledgement, and Zeichenverzugszeit, between bytes.
QVZ_MS = const(2000)  # what controllers have
ZVZ_MS = const(100)  # within a block; a UART has no gaps, an adapter or a device server waits 16 ms at most
ATTEMPTS = const(6)  # to connect, and to send one block; JOB_MS has room for all of them
JOB_MS = const(13000)  # less than the controller's keep-alive of 15 s (OP 5.28.1 p. 265): six silent attempts take 12 s

STX = const(0x02)
DLE = const(0x10)
NAK = const(0x15)
STX_AT = const(0)  # in tx: the three bytes that are sent alone
DLE_AT = const(1)
NAK_AT = const(2)

REPEAT_MS = const(4000)  # the procedure's block waiting time (Blockwartezeit)
CUT_SHORT_BYTES = const(640)  # what is kept of a message that is too large: as much as a raw record holds
FIFO_OCTETS = const(28)  # of the 32 in an RP2's UART: what it sends without the processor

_SOON_MS = const(5)  # how soon a step is needed after something was handed to the port
_SILENCE = const(-1)  # in place of a byte: none has come in time


class Job:
    """The message that is to be sent: its block is tx[at:end]."""

    __slots__ = ("acknowledges", "at", "deadline", "due", "end", "failed_attempts")

    def __init__(self, at):
        self.at = at
        self.deadline = Timer()  # of all its attempts together
        self.clear()

    def clear(self):
        """Nothing is to be sent."""
        self.due = False
        self.acknowledges = False  # it is a mere acknowledgement
        self.failed_attempts = 0
        self.end = 0
        self.deadline.stop()

    def begin(self, acknowledges, now):
        """Send the block just written."""
        self.due = True
        self.acknowledges = acknowledges
        self.failed_attempts = 0
        self.deadline.start(now, JOB_MS)

    def done(self):
        """The peer has it."""
        self.due = False
        self.deadline.stop()


class R3964:
    """The messages of one serial line; `octet_us` is the time of one byte on the wire."""

    is_event_driven = False  # see the link contract: the procedure has deadlines of its own, also without input
    tx_at = MESSAGE_AT
    start = end = 0  # unread input is in a buffer of its own

    def __init__(
        self,
        buffer_bytes=2048,
        octet_us=1042,
        qvz_ms=QVZ_MS,
        zvz_ms=ZVZ_MS,
        attempts=ATTEMPTS,
        high_priority=False,
        payload="auto",
        message_bytes=64,
    ):
        self._reader = BlockReader(buffer_bytes)
        self.buf = self._reader.buf
        framed_bytes = message_bytes + TAIL_BYTES
        block_at = MESSAGE_AT + framed_bytes  # the block as it goes out, at worst with each byte doubled
        self.tx = bytearray(block_at + (FRONT_BYTES + framed_bytes) * 2 + BLOCK_END_BYTES)
        self.tx[STX_AT] = STX
        self.tx[DLE_AT] = DLE
        self.tx[NAK_AT] = NAK
        self.header = None
        self.octet_us = octet_us
        self.message_ms = REPEAT_MS + 2 * MESSAGE_KB * octet_us  # each byte doubled, or the block repeated
        self.qvz_ms = qvz_ms
        self.zvz_ms = zvz_ms
        self.attempts = attempts
        self.form = Form(payload)
        self.tally = [0] * len(TALLY_NAMES)
        self._has_high_priority = high_priority
        self._timer = Timer()  # the deadline of the current state
        self._wire = Timer()  # until what was handed to the port has left the wire
        self._job = Job(block_at)
        self._inlet = Inlet()
        self._now = 0
        self.reset()

    def reset(self):
        """Clear both directions: a new connection begins."""
        self.form.reset()
        self.pending = 0
        self._state = IDLE
        self._timer.stop()
        self._wire.stop()
        self._job.clear()
        self.free = 0
        self._inlet.clear()
        self._has_message = False
        self._reader.reset()
        self.tx_from = 0
        self.at = 0
        self.length = 0
        self.why = WHY_NOTHING
        self.size = len(self.buf)
        self._reader.begin(self.size)

    # -- the link's methods ------------------------------------------------------------------------------------

    def inlet(self):
        """Return the buffer whose first `free` bytes may be filled."""
        self.free = self.room()
        return self._inlet.octets

    def room(self):
        """Return how many bytes it accepts now: none before it has looked at the last ones."""
        return self._inlet.room()

    def receive(self, n):
        """Take the first n bytes of the inlet."""
        self._inlet.receive(n)

    def next_message(self, now):
        """Work through the input; see the link contract for what it returns."""
        self._now = now
        while True:
            if self._has_message:
                if self.pending:
                    return LINK_NEED_DATA  # its DLE has not gone out yet
                self._has_message = False
                kind = self._find_message()
                if kind != LINK_NEED_DATA:
                    return kind
            elif self._inlet.at < self._inlet.end:
                if self._state == RX_BLOCK:
                    self._take_block()
                else:
                    self._take_byte(self._inlet.next())
            else:
                break
        if self._state == DOWN and self.pending == 0:
            self.why = WHY_UNANSWERED
            return LINK_BROKEN
        self._check_timers(now)
        return LINK_NEED_DATA

    def post(self, n, expects_answer=True):
        """Send the n bytes at tx[tx_at:]; the handshake begins at once."""
        form = self.form
        tx = self.tx
        job = self._job
        if self.header is not None:
            self.header.write(tx, MESSAGE_AT)
        at = form.put(tx, n)
        job.end = put_block(tx, job.at, tx, at, form.end_of(n))
        job.begin(not expects_answer, self._now)
        self._send_stx()

    def sent(self, n):
        """Take note that the port took n bytes; the wait for the answer starts when they have left the wire."""
        now = self._now
        self.tx_from += n
        self.pending -= n
        wire_ms = self._wire.left(now) if self._wire.armed else 0
        wire_ms += (n * self.octet_us + 999) // 1000
        self._wire.start(now, wire_ms)
        state = self._state
        if self.pending:
            return
        if state == TX_BLOCK:
            self._state = TX_ACK
            self._timer.start(now, wire_ms + self.qvz_ms)
        elif state == TX_STX:
            self._timer.start(now, wire_ms + self.qvz_ms)
        elif state == RX_BLOCK:
            self._timer.start(now, wire_ms + self.zvz_ms)

    def pushed(self):
        """Let it be looked at now: the handshake says whose turn it is."""
        return True

    def answered(self):
        """Do nothing: the handshake says whose turn it is."""

    def idle(self):
        """True if a message may be posted: no block is under way in either direction."""
        return self._state == IDLE and not self._job.due and self.pending == 0 and not self._has_message

    def is_receiving(self):
        """True while a block comes in, or its repeat is waited for."""
        return self._state == RX_BLOCK or self._state == RX_REPEAT or self._has_message

    def tick(self, now):
        """Return the ms until a deadline; soon while something waits for the port."""
        self._now = now
        if self.pending or self._has_message:
            return _SOON_MS
        if self._state == DOWN:
            return 0
        left = self._timer.left(now)
        if self._state == TX_CLEAR and not self._timer.armed:
            left = self._wire.left(now) if self._wire.armed else 0
        if self._job.due and self._state != RX_BLOCK:  # the block that comes in may be longer
            return self._job.deadline.least(now, left)
        return left

    def quiet(self, busy_ms):
        """True if the processor can be away that long without a lost byte or a noticeable gap."""
        if self.pending or self._inlet.at < self._inlet.end:
            return False
        state = self._state
        if state == IDLE:
            return True  # the peer may send one STX, then it waits for our DLE
        if state == TX_ACK:  # the UART sends the rest by itself; the peer sends DLE and perhaps one STX
            return self._wire.left(self._now) * 1000 <= FIFO_OCTETS * self.octet_us or not self._wire.armed
        # After its DLE the peer waits ZVZ for our block, and a quarter of that may go by here: the way takes time, too.
        # After our NAK it may send one STX.
        return state == RX_REPEAT or (state == TX_STX and busy_ms * 4 <= self.zvz_ms)

    def last_chance(self):
        """Return False: the handshake holds the peer back, not the acknowledgement."""
        return False

    # -- one byte outside a block -----------------------------------------------------------------------------

    def _take_byte(self, octet):
        """Take a byte that belongs to no block."""
        state = self._state
        if state == IDLE or state == RX_REPEAT:
            if octet == STX:
                self._send_dle()
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

    # -- the sender ---------------------------------------------------------------------------------------------

    def _send_stx(self):
        """Ask the peer whether we may send."""
        self._state = TX_STX
        self._timer.start(self._now, self.qvz_ms)  # until it has gone out
        self._put(STX_AT)

    def _put(self, at):
        """Send the one control byte at tx[at]; whatever else was pending is given up."""
        self.tx_from = at
        self.pending = 1

    def _take_connect(self, octet):
        """Take a byte while we ask to send."""
        if octet == DLE and self.pending == 0:
            self._state = TX_BLOCK
            self.tx_from = self._job.at
            self.pending = self._job.end - self._job.at
            self._timer.stop()
        elif octet == STX:
            self.tally[TALLY_CONFLICTS] += 1
            if not self._has_high_priority:
                self._send_dle()
        else:
            self._fail(octet)

    def _take_acknowledge(self, octet, state):
        """Take a byte while the block is under way, or while we wait for its DLE."""
        if octet == DLE and state == TX_ACK:  # even if early: a pty has no baud rate to compare with
            self._job.done()
            self._become_idle()
        elif octet == STX and state == TX_ACK and not self._wire_busy():
            # The peer's DLE was lost and it goes on with a block of its own: take that first, then repeat ours.
            self._count_failure()
            if self._state != DOWN:
                self._job.due = not self._job.acknowledges
                self._send_dle()
        else:
            self._fail(octet)

    def _send_dle(self):
        """Send DLE: go ahead, we receive."""
        self._state = RX_BLOCK
        self._reader.begin(self.size)
        self._timer.start(self._now, self.qvz_ms)  # until it has gone out
        self._put(DLE_AT)

    def _become_idle(self):
        self._state = IDLE
        self._timer.stop()

    def _wire_busy(self):
        return self._wire.armed and not self._wire.expired(self._now)

    def _fail(self, octet):
        """End this attempt: after a NAK repeat it at once, after junk when the line has been quiet for ZVZ."""
        self._count_failure()
        if self._state == DOWN:
            return
        self._state = TX_CLEAR
        self.pending = 0
        if octet == NAK:
            self.tally[TALLY_NAKS_GOT] += 1
            self._timer.stop()
        elif octet == _SILENCE:
            self.tally[TALLY_SILENCES] += 1
            self._timer.stop()
        else:
            self.tally[TALLY_JUNK] += 1
            self._timer.start(self._now, self.zvz_ms)

    def _count_failure(self):
        job = self._job
        job.failed_attempts += 1
        if job.failed_attempts >= self.attempts or job.deadline.expired(self._now):
            self._give_up()
        else:
            self.tally[TALLY_REPEATS] += 1

    def _give_up(self):
        self._state = DOWN
        self._job.due = False
        self._timer.start(self._now, self.qvz_ms)
        self._put(NAK_AT)

    # -- a block -----------------------------------------------------------------------------------------------

    def _take_block(self):
        """Take bytes of a block until they or the block end."""
        reader = self._reader
        at = reader.take(self._inlet.octets, self._inlet.at, self._inlet.end)
        if at > 0:
            self._inlet.at = at
            self._timer.start(self._now, self.zvz_ms)
            return
        self._inlet.at = -at
        if not reader.good:
            self._refuse_block()
            return
        same = reader.is_repeat()
        self._has_message = not (same and self._job.due and self._job.acknowledges)
        self._become_idle()
        self._put(DLE_AT)

    def _refuse_block(self):
        """Send NAK, and wait for the repeat unless there were too many."""
        self.tally[TALLY_NAKS_SENT] += 1
        self._reader.bad += 1
        self._state = RX_REPEAT
        self._timer.start(self._now, REPEAT_MS)
        if self._reader.bad >= self.attempts:
            self._reader.bad = 0
            self._become_idle()
        self._put(NAK_AT)

    def _find_message(self):
        """Find the message in the block just received."""
        end = self._reader.fill
        at = begin_of(self.buf, end)
        if at != NO_MESSAGE:
            self.at = at
            self.length = length = number(self.buf, at, 4)
            self.form.answered()
            if self.header is not None:
                self.header.read(self.buf, at)
            if at + length <= end and tail_fits(self.buf, at + length, end):
                return LINK_MESSAGE
            if end == self._reader.size and at + length >= end:
                self.length = CUT_SHORT_BYTES if end - at > CUT_SHORT_BYTES else end - at
                return LINK_CUT_SHORT
        self.tally[TALLY_REFUSED] += 1
        return LINK_NEED_DATA

    def _check_timers(self, now):
        state = self._state
        if self._job.due and state != RX_BLOCK and not self._has_message and self._job.deadline.expired(now):
            self._give_up()
        elif state == TX_CLEAR:
            if not self._wire_busy() and (not self._timer.armed or self._timer.expired(now)):
                self._send_stx()
        elif state == IDLE:
            if self._job.due and self.pending == 0 and not self._has_message:
                self._send_stx()
        elif self._timer.expired(now):
            self._deadline_passed(state)

    def _deadline_passed(self, state):
        """Handle the state's deadline: it has come with no input to read."""
        if state == JUNK:
            self.tally[TALLY_NAKS_SENT] += 1
            self._become_idle()
            self._put(NAK_AT)
        elif state == RX_BLOCK:
            self.tally[TALLY_SILENCES] += 1
            self._refuse_block()
        elif state == RX_REPEAT:
            self._reader.bad = 0
            self._become_idle()
        elif state == DOWN:
            self.pending = 0  # the port does not even take the NAK
        else:
            self._fail(_SILENCE)
