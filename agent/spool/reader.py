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

from agent.base.compat import ON_CPYTHON
from agent.base.words import get_u32
from agent.record import PAYLOAD_MAX, PAYLOAD_WIDE
from agent.spool import record as rec
from agent.spool.cursors import NEVER, WANTS_EVENTS, WANTS_FRAMES, WANTS_RESULTS, Cursor
from agent.spool.record import FRAME_BYTES, HEAD_BYTES, RECORD_NONE
from agent.spool.walk import Walk


class Reader:
    """A log and its cursors. `seq`, `number` (of results) and `event_number` are the last ones that count.

    `block` is the newest block.
    """

    def __init__(self, device, outlets, other, wide):
        self.device = device
        # The longest payload. Where memory is no matter every tool reads what any station has written.
        self.payload_most = PAYLOAD_WIDE if wide else PAYLOAD_MAX
        if ON_CPYTHON:
            self.payload_most = PAYLOAD_WIDE
        if other is not None:
            self.payload_most = other.payload_most
        self.walk = Walk(device, FRAME_BYTES + self.payload_most, None if other is None else other.walk)
        self.cursors = [Cursor() for _ in range(outlets)]
        self.seq = 0
        self.number = 0
        self.event_number = 0
        self.block = device.block_count - 1
        self.offset = device.block_bytes
        self.suspect = False
        self.damaged = 0
        self.overwritten = 0
        self.missed = 0  # by the outlets behind the first, which were moved on
        self._counted = 0  # the highest number of them: two outlets find the same damage
        self.half = -1  # the block whose results a cut may have found half given up for newer ones, perhaps
        self.half_to = -1  # with those behind it, up to the next one that begins with a sound HEAD

    def peek(self, outlet):
        """Bring the next record that the outlet wants into `walk.page`: its kind, RECORD_NONE or RECORD_BAD.

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
        """Return how many results, and events if it wants them, the outlet has still to take."""
        cursor = self.cursors[outlet]
        if cursor.seq >= self.seq:
            return 0
        unused = cursor.unused if cursor.unused_at == cursor.number else 0
        events = self.event_number - cursor.event if cursor.wants & WANTS_EVENTS else 0
        return self.number - cursor.number - unused + events

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
        """Stand the cursor in front of the next record that it wants and bring that into the page."""
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
            self._land(cursor, self.number, self.event_number)
        return RECORD_NONE

    def _land(self, cursor, number, event):
        """The jump ends behind result `number` and this event; below 0 for one that is not known here."""
        cursor.jumped = False
        count = 0
        before = cursor.number
        if number > before:
            count = number - before
            cursor.number = number
        if event > cursor.event:
            if cursor.wants & WANTS_EVENTS:
                count += event - cursor.event
            cursor.event = event
        if cursor.dropped:
            cursor.dropped = False
            if cursor is self.cursors[0]:
                self.overwritten += count
                if count:
                    if cursor.gone_to != before:
                        cursor.gone_from = before
                    cursor.gone_to = number
                    cursor.saved_number = NEVER  # before anything goes out that may seem to vouch for these
            else:
                self.missed += count

    def _land_at_head(self, cursor):
        """Only a HEAD says of both, results and events, how many are in front of it."""
        page = self.walk.page
        if rec.is_head(page, HEAD_BYTES):
            self._land(
                cursor, get_u32(page, HEAD_BYTES + rec.AT_NUMBER), get_u32(page, HEAD_BYTES + rec.AT_EVENT_NUMBER)
            )

    def _find_here(self, cursor):
        """Look in the cursor's block only."""
        walk = self.walk
        while True:
            kind = walk.next()
            if kind <= RECORD_NONE:
                return kind
            self._count_missing(cursor, kind)
            if kind == rec.KIND_RESULT or kind == rec.KIND_RAW or kind == rec.KIND_GRAPH:
                number = get_u32(walk.page, HEAD_BYTES)
                if cursor.jumped:
                    self._land(cursor, number - 1, -1)
                if number > cursor.number:
                    if cursor.wants & (WANTS_RESULTS if kind == rec.KIND_RESULT else WANTS_FRAMES):
                        return self._found(cursor, kind, number, cursor.event)
                    cursor.number = number
            elif kind == rec.KIND_EVENT:
                event = get_u32(walk.page, HEAD_BYTES)
                if event > cursor.event:
                    if cursor.wants & WANTS_EVENTS:
                        return self._found(cursor, kind, cursor.number, event)
                    cursor.event = event
            elif kind == rec.KIND_HEAD and cursor.jumped and cursor.wants & WANTS_EVENTS:
                self._land_at_head(cursor)
            cursor.seq = walk.seq
            cursor.offset = walk.offset

    def _found(self, cursor, kind, number, event):
        """The record in the page is the cursor's next: remember what `advance` needs."""
        walk = self.walk
        cursor.seq = walk.seq - 1
        cursor.peek_seq = walk.seq
        cursor.peek_number = number
        cursor.peek_event = event
        cursor.peek_block = cursor.block
        cursor.peek_offset = walk.offset
        return kind

    def _count_missing(self, cursor, kind):
        """Numbers that a writer left out in front of a HEAD are no damage; those that are missing elsewhere are."""
        walk = self.walk
        last = walk.seq - 1
        if kind == rec.KIND_HEAD and rec.is_head(walk.page, HEAD_BYTES):
            last = get_u32(walk.page, HEAD_BYTES + rec.AT_AFTER)
        if last > cursor.seq and not cursor.jumped and self._is_half_gone(cursor, kind):
            if cursor in self.cursors:
                cursor.jumped = cursor.dropped = True
        elif last > cursor.seq and not cursor.jumped:
            if kind == rec.KIND_CURSOR:
                last -= walk.flags  # these were refused by the device
            known = cursor.seq if cursor.seq > self._counted else self._counted
            if last > known:
                self.damaged += last - known
                self._counted = last
        if last > cursor.seq:
            cursor.seq = last

    def _is_half_gone(self, cursor, kind):
        """Tell whether what is missing in front of the record was being erased when the power went, and given up."""
        count = self.device.block_count
        hops = (cursor.block - self.half) % count
        blocks = (self.half_to - self.half) % count
        return self.half >= 0 and (hops < blocks or (hops == blocks and kind == rec.KIND_HEAD))
