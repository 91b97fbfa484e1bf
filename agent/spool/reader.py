"""The reading half of the ring: each outlet sees every result once and in order, from wherever its cursor stands.

Rules
1. `peek` finds, `advance` passes: a cursor moves over a result only because its owner said so.
2. A record counts only below the bound of its block, which the next block's HEAD names (`after`): what a cut or a
   failed write left there was acknowledged to nobody, whether it reads well today or not. A bound is known for one
   visit to a block and forgotten when the cursor leaves it: a lap later the block holds something else.
3. The last record found at a start is shown to nobody before it was confirmed (agent.spool.ring).
4. Blocks that could not be erased keep old records between new ones: whoever looks at a block's place in the log
   compares `seq`, not places.
"""

from agent.base.compat import const
from agent.base.words import get_u32
from agent.spool import record as rec
from agent.spool.record import FRAME_BYTES, HEAD_BYTES, RECORD_NONE
from agent.spool.walk import Walk

PAYLOAD_MAX = const(648)  # one raw frame: the longest layout of MID 0061 is 544 octets (DIGEST D.4)

_UNKNOWN = const(-1)


class Cursor:
    """How far one outlet is: everything up to `seq` (and result `number`) is done; `limit` may have been sent."""

    __slots__ = (
        "ahead",
        "block",
        "bound",
        "delivered",
        "dropped",
        "gone_from",
        "gone_to",
        "jumped",
        "limit",
        "number",
        "offset",
        "peek_block",
        "peek_number",
        "peek_offset",
        "peek_seq",
        "saved_block",
        "saved_number",
        "seq",
        "unused",
        "unused_at",
    )

    def __init__(self):
        self.seq = 0
        self.number = 0
        self.limit = 0
        self.delivered = 0  # how many the outlet's other side has said to have
        self.ahead = 0  # results that go out as they come: what a HEAD allows beyond `number`
        self.block = 0
        self.offset = 0
        self.bound = _UNKNOWN  # of the block it stands in
        self.jumped = False  # what lies between `seq` and the next record is gone on purpose: no damage
        self.dropped = False  # what it jumps over is overwritten, to be counted when the next record is found
        self.gone_from = 0  # behind this number, and up to the next one, was overwritten what may have been delivered
        self.gone_to = 0
        self.peek_seq = 0
        self.peek_number = 0
        self.peek_block = 0
        self.peek_offset = 0
        self.saved_block = _UNKNOWN  # where the durable cursor stands
        self.saved_number = 0
        self.unused = 0  # numbers behind result `unused_at` that nothing has which waits, as a sweep has found
        self.unused_at = 0

    def enter(self, block, offset):
        """Stand in another block."""
        self.block = block
        self.offset = offset
        self.bound = _UNKNOWN

    def stand_at(self, other):
        """Stand where `other` stands."""
        self.seq = other.seq
        self.number = other.number
        self.enter(other.block, other.offset)
        self.jumped = other.jumped

    def advance(self):
        """Pass over the record that was found last."""
        self.seq = self.peek_seq
        self.number = self.peek_number
        if self.block != self.peek_block:
            self.enter(self.peek_block, 0)
        self.offset = self.peek_offset

    def saved(self):
        """The cursor as it stands now is durable."""
        self.saved_block = self.block
        self.saved_number = self.number


class Reader:
    """A log and its cursors. `seq` and `number` are the last ones that count, `block` is the newest block."""

    def __init__(self, device, outlets, other=None):
        self.device = device
        self.walk = Walk(device, FRAME_BYTES + PAYLOAD_MAX, None if other is None else other.walk)
        self.cursors = [Cursor() for _ in range(outlets)]
        self.seq = 0
        self.number = 0
        self.block = device.block_count - 1
        self.offset = device.block_bytes
        self.suspect = False
        self.damaged = 0
        self.overwritten = 0
        self._counted = 0  # the highest number of them: two outlets find the same damage

    def peek(self, outlet):
        """Bring the outlet's next result or raw frame into `walk.page`: its kind, RECORD_NONE or RECORD_BAD.

        The page is everybody's: use it before the next call of any method.
        """
        return self.peek_from(self.cursors[outlet])

    def peek_from(self, cursor):
        """The same for any cursor, as one that looks ahead."""
        kind = self.find_next(cursor)
        if kind > RECORD_NONE and self.suspect and self.walk.seq == self.seq:
            if not self.confirm():
                return RECORD_NONE
            kind = self.find_next(cursor)
        return kind

    def confirm(self):
        """Tell whether the last record can be relied on; the writing half does something about it."""
        return not self.suspect

    def advance(self, outlet):
        """Pass over the record that `peek` found: it is acknowledged or given up by the outlet's owner."""
        self.cursors[outlet].advance()

    def rewind(self, outlet, number):
        """Set the outlet back behind result `number`, as far as the records still lie in the ring.

        Returns whether `number` says at once how much is really kept: False if the device cannot be read.
        """
        cursor = self.cursors[outlet]
        cursor.number = number
        cursor.seq = 0
        cursor.jumped = True
        cursor.enter((self.block + 1) % self.device.block_count, 0)
        return self.find_next(cursor) >= RECORD_NONE

    def backlog(self, outlet):
        """Return how many results the outlet has still to take."""
        cursor = self.cursors[outlet]
        unused = cursor.unused if cursor.unused_at == cursor.number else 0
        return self.number - cursor.number - unused if cursor.seq < self.seq else 0

    def bound(self, block):
        """Return the `seq` from which on records of this block do not count; RECORD_BAD if that cannot be read."""
        if block == self.block:
            return self.seq + 1
        walk = self.walk
        if walk.first(block) < RECORD_NONE:
            return rec.RECORD_BAD
        own = walk.seq
        while True:
            block = (block + 1) % self.device.block_count
            kind = walk.first(block)
            if kind < RECORD_NONE:
                return rec.RECORD_BAD
            if kind > RECORD_NONE and walk.seq > own:
                return walk.after + 1
            if block == self.block:
                return self.seq + 1

    def find_next(self, cursor):
        """Stand the cursor in front of its next result and bring that into the page."""
        walk = self.walk
        hops = self.device.block_count
        while cursor.seq < self.seq:
            if cursor.block == self.block:
                bound = self.seq + 1
            elif cursor.bound < 0:
                bound = cursor.bound = self.bound(cursor.block)
                if bound < 0:
                    return rec.RECORD_BAD
            else:
                bound = cursor.bound
            walk.begin(cursor.block, cursor.offset, cursor.seq, bound)
            kind = self._find_here(cursor)
            if kind != RECORD_NONE:
                return kind
            if cursor.block == self.block or hops == 0:
                break
            hops -= 1
            cursor.enter((cursor.block + 1) % self.device.block_count, 0)
        else:
            if cursor.block != self.block:
                cursor.enter(self.block, self.offset)
        if cursor.jumped and cursor.block == self.block:
            self._land(cursor, self.number)
        return RECORD_NONE

    def _land(self, cursor, number):
        """The jump ends behind result `number`."""
        cursor.jumped = False
        if number > cursor.number:
            if cursor.dropped:
                self.overwritten += number - cursor.number
                if cursor.gone_to != cursor.number:
                    cursor.gone_from = cursor.number
                cursor.gone_to = number
            cursor.number = number
        cursor.dropped = False

    def _find_here(self, cursor):
        """Look in the cursor's block only."""
        walk = self.walk
        while True:
            kind = walk.next()
            if kind <= RECORD_NONE:
                return kind
            self._count_missing(cursor, kind)
            if kind == rec.KIND_RESULT or kind == rec.KIND_RAW:
                number = get_u32(walk.page, HEAD_BYTES)
                if cursor.jumped:
                    self._land(cursor, number - 1)
                if number > cursor.number:
                    cursor.seq = walk.seq - 1
                    cursor.peek_seq = walk.seq
                    cursor.peek_number = number
                    cursor.peek_block = cursor.block
                    cursor.peek_offset = walk.offset
                    return kind
            cursor.seq = walk.seq
            cursor.offset = walk.offset

    def _count_missing(self, cursor, kind):
        """Numbers that a writer left out in front of a HEAD are no damage; those that are missing elsewhere are."""
        walk = self.walk
        last = walk.seq - 1
        if kind == rec.KIND_HEAD and rec.is_head(walk.page, HEAD_BYTES):
            last = get_u32(walk.page, HEAD_BYTES + rec.AT_AFTER)
        if last > cursor.seq and not cursor.jumped:
            known = cursor.seq if cursor.seq > self._counted else self._counted
            if last > known:
                self.damaged += last - known
                self._counted = last
        if last > cursor.seq:
            cursor.seq = last
