"""3964R, the sender's half: STX until the peer says DLE, the block, and its DLE; again from the start, or down.

Rules: 1, 5 and 6 of agent.link.r3964, which receives, and gives the peer the turn here.
"""

from agent.base.compat import const
from agent.base.ticks import Timer
from agent.link.block import BLOCK_END_BYTES, BlockReader, put_block
from agent.link.payload import (
    FRONT_BYTES,
    MESSAGE_AT,
    TAIL_BYTES,
    TALLY_CONFLICTS,
    TALLY_JUNK,
    TALLY_NAKS_GOT,
    TALLY_NAMES,
    TALLY_REPEATS,
    TALLY_SILENCES,
    Form,
)

IDLE = const(0)
JUNK = const(1)
RX_BLOCK = const(2)
RX_REPEAT = const(3)  # NAK sent: the peer repeats the block
TX_STX = const(4)
TX_BLOCK = const(5)
TX_ACK = const(6)
TX_CLEAR = const(7)  # the attempt has failed: wait until the wire is free and, after junk, until it is quiet
DOWN = const(8)
STATE_NAMES = (
    "idle",
    "junk",
    "receiving",
    "awaits the repeat",
    "asks to send",
    "sending",
    "awaits DLE",
    "clearing",
    "down",
)

JOB_MS = const(13000)  # less than the controller's keep-alive of 15 s (003:12526): six silent attempts take 12 s

STX = const(0x02)
DLE = const(0x10)
NAK = const(0x15)
STX_AT = const(0)  # of tx: the three octets that are sent alone
DLE_AT = const(1)
NAK_AT = const(2)


class Handshake:
    """The sender of one line; `octet_us` is the time of one octet on the wire."""

    def __init__(self, buffer_bytes, octet_us, qvz_ms, zvz_ms, attempts, high_priority, payload, message_bytes):
        self._reader = BlockReader(buffer_bytes)
        self.buf = self._reader.buf
        self.size = len(self.buf)
        framed_bytes = message_bytes + TAIL_BYTES
        self._block_at = MESSAGE_AT + framed_bytes  # of tx: the block as it goes out, at worst each octet doubled
        self.tx = bytearray(self._block_at + (FRONT_BYTES + framed_bytes) * 2 + BLOCK_END_BYTES)
        self.tx[STX_AT] = STX
        self.tx[DLE_AT] = DLE
        self.tx[NAK_AT] = NAK
        self.tx_at = MESSAGE_AT
        self.octet_us = octet_us
        self.qvz_ms = qvz_ms
        self.zvz_ms = zvz_ms
        self.attempts = attempts
        self.form = Form(payload)
        self.tally = [0] * len(TALLY_NAMES)
        self._high = high_priority
        self._timer = Timer()  # the one deadline of the state
        self._wire = Timer()  # when what was handed to the port has left it
        self._job_time = Timer()
        self.tx_from = 0
        self._now = 0
        self._begin()

    def _begin(self):
        """A new connection begins."""
        self.form.reset()
        self.pending = 0
        self._state = IDLE
        self._timer.stop()
        self._wire.stop()
        self._job_time.stop()
        self._job = False
        self._acknowledges = False
        self._failed = 0
        self._block_end = 0

    def post(self, n, answered=True):
        """Send the n octets at tx[tx_at:]; the handshake begins at once."""
        form = self.form
        tx = self.tx
        at = form.put(tx, n)
        self._block_end = put_block(tx, self._block_at, tx, at, form.end_of(n))
        self._job = True
        self._acknowledges = not answered
        self._failed = 0
        self._job_time.start(self._now, JOB_MS)
        self._ask()

    def sent(self, n):
        """The port took n octets; the wait for the answer counts from when they have left the wire."""
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

    def _take_connect(self, octet):
        """An octet while we ask to send."""
        if octet == DLE and self.pending == 0:
            self._state = TX_BLOCK
            self.tx_from = self._block_at
            self.pending = self._block_end - self._block_at
            self._timer.stop()
        elif octet == STX:
            self.tally[TALLY_CONFLICTS] += 1
            if not self._high:
                self._answer()
        else:
            self._fail(octet)

    def _take_acknowledge(self, octet, state):
        """An octet while the block is under way, or when its DLE is awaited."""
        if octet == DLE and state == TX_ACK:  # early or not: a pty has no baud rate to hold it against
            self._job = False
            self._job_time.stop()
            self._become_idle()
        elif octet == STX and state == TX_ACK and not self._wire_busy():
            # Its DLE was lost and it goes on with a block of its own: take that first, then repeat ours.
            self._count_failure()
            if self._state != DOWN:
                self._job = not self._acknowledges
                self._answer()
        else:
            self._fail(octet)

    def _put(self, at):
        """Send the one control octet at tx[at]; whatever else waited is given up."""
        self.tx_from = at
        self.pending = 1

    def _answer(self):
        """DLE: go ahead, we receive."""
        self._state = RX_BLOCK
        self._reader.begin(self.size)
        self._timer.start(self._now, self.qvz_ms)  # until it has gone out
        self._put(DLE_AT)

    def _ask(self):
        self._state = TX_STX
        self._timer.start(self._now, self.qvz_ms)  # until it has gone out
        self._put(STX_AT)

    def _become_idle(self):
        self._state = IDLE
        self._timer.stop()

    def _wire_busy(self):
        return self._wire.armed and not self._wire.expired(self._now)

    def _fail(self, octet):
        """This attempt is over: a NAK repeats it at once, after junk the line must have been quiet for ZVZ."""
        self._count_failure()
        if self._state == DOWN:
            return
        self._state = TX_CLEAR
        self.pending = 0
        if octet == NAK:
            self.tally[TALLY_NAKS_GOT] += 1
            self._timer.stop()
        elif octet >= 0:
            self.tally[TALLY_JUNK] += 1
            self._timer.start(self._now, self.zvz_ms)
        else:
            self.tally[TALLY_SILENCES] += 1
            self._timer.stop()

    def _count_failure(self):
        self._failed += 1
        if self._failed >= self.attempts or self._job_time.expired(self._now):
            self._give_up()
        else:
            self.tally[TALLY_REPEATS] += 1

    def _give_up(self):
        self._state = DOWN
        self._job = False
        self._timer.start(self._now, self.qvz_ms)
        self._put(NAK_AT)
