"""The reading half of the ring: each outlet sees every result once and in order, from wherever its cursor stands.

Rules
1. `peek` finds, `advance` passes: a cursor moves over a result only because its owner said so.
2. A record counts only below the bound of its block, which the next block's HEAD names (`after`): what a cut or a
   failed write left there was acknowledged to nobody, whether it reads well today or not.
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


class Cursor:
    """How far one outlet is: everything up to `seq` (and result `number`) is done; `limit` may have been sent."""

    __slots__ = (
        "block",
        "bound",
        "bound_block",
        "jumped",
        "limit",
        "number",
        "offset",
        "peek_block",
        "peek_number",
        "peek_offset",
        "peek_seq",
        "seq",
    )

    def __init__(self):
        self.seq = 0
        self.number = 0
        self.limit = 0
        self.block = 0
        self.offset = 0
        self.bound = 0
        self.bound_block = -1  # the block that `bound` was found for
        self.jumped = False  # what lies between `seq` and the next record is gone on purpose: no damage
        self.peek_seq = 0
        self.peek_number = 0
        self.peek_block = 0
        self.peek_offset = 0


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
        self._counted = 0  # the highest number of them: two outlets find the same damage

    def peek(self, outlet):
        """Bring the outlet's next result or raw frame into `walk.page`: its kind, RECORD_NONE or RECORD_BAD.

        The page is everybody's: use it before the next call of any method.
        """
        kind = self.find_next(self.cursors[outlet])
        if kind > RECORD_NONE and self.suspect and self.walk.seq == self.seq:
            self.confirm()
            if self.suspect:
                return RECORD_NONE
            kind = self.find_next(self.cursors[outlet])
        return kind

    def confirm(self):
        """Tell whether the last record can be relied on; the writing half does something about it."""
        return not self.suspect

    def peek_second(self, outlet):
        """Bring the result behind the one `peek` finds into the page, and leave the cursor where it is.

        Returns (kind, number); for the rare question whether a refusal is the record's or the server's fault. Frames
        that could not be read are passed over.
        """
        cursor = self.cursors[outlet]
        kept = (cursor.seq, cursor.number, cursor.block, cursor.offset, self.damaged)
        first = (cursor.peek_seq, cursor.peek_number, cursor.peek_block, cursor.peek_offset)
        kind = rec.KIND_RAW
        while kind == rec.KIND_RAW:
            self.advance(outlet)
            kind = self.peek(outlet)
        number = cursor.peek_number
        cursor.seq, cursor.number, cursor.block, cursor.offset, self.damaged = kept
        cursor.peek_seq, cursor.peek_number, cursor.peek_block, cursor.peek_offset = first
        return kind, number

    def advance(self, outlet):
        """Pass over the record that `peek` found: it is acknowledged, parked or given up by the outlet's owner."""
        cursor = self.cursors[outlet]
        cursor.seq = cursor.peek_seq
        cursor.number = cursor.peek_number
        cursor.block = cursor.peek_block
        cursor.offset = cursor.peek_offset

    def rewind(self, outlet, number):
        """Set the outlet back behind result `number`, as far as the records still lie in the ring."""
        cursor = self.cursors[outlet]
        cursor.number = number
        cursor.seq = 0
        cursor.offset = 0
        cursor.jumped = True
        cursor.block = (self.block + 1) % self.device.block_count
        cursor.bound_block = -1
        self.find_next(cursor)  # so that `number` says at once how much is really kept

    def backlog(self, outlet):
        """Return how many results the outlet has still to take."""
        cursor = self.cursors[outlet]
        return self.number - cursor.number if cursor.seq < self.seq else 0

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
            if not self._know_bound(cursor):
                return rec.RECORD_BAD
            walk.begin(cursor.block, cursor.offset, cursor.seq, cursor.bound)
            kind = self._find_here(cursor)
            if kind != RECORD_NONE:
                return kind
            if cursor.block == self.block or hops == 0:
                break
            hops -= 1
            cursor.block = (cursor.block + 1) % self.device.block_count
            cursor.offset = 0
        else:
            if cursor.block != self.block:
                cursor.block = self.block
                cursor.offset = self.offset
        if cursor.jumped and cursor.block == self.block:
            cursor.jumped = False
            cursor.number = self.number
        return RECORD_NONE

    def _know_bound(self, cursor):
        if cursor.block == self.block:
            cursor.bound = self.seq + 1
            cursor.bound_block = -1
        elif cursor.bound_block != cursor.block:
            bound = self.bound(cursor.block)
            if bound < 0:
                return False
            cursor.bound = bound
            cursor.bound_block = cursor.block
        return True

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
                if cursor.jumped and number > cursor.number:
                    cursor.number = number - 1
                cursor.jumped = False
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
