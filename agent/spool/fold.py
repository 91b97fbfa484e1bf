"""What is remembered: a fold of the log. Each record that counts is applied once, and every HEAD repeats all of it.

Rules
1. What is remembered changes only by a committed record, in `apply`, here and at a start alike. A refused write changes
   nothing. The one exception are the outlets' cursors, which run ahead of their record after an acknowledgement, and
   with them how many were delivered, overwritten or missed: all become durable together, by a CURSOR record or a HEAD.
2. A HEAD says what a start needs if it finds nothing else: geometry, counters, cursors, the owners' memory.
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.fields import copy
from agent.base.words import get_u32, put_u32
from agent.record import PAYLOAD_MAX
from agent.record.result import FLAG_COPY, FLAG_RETRIED
from agent.spool import record as rec
from agent.spool.blocks import RETAINED_MAX, SEQ_MAX, WHEN_FULL_OVERWRITE, Blocks
from agent.spool.cursors import load_cursors, put_cursors
from agent.spool.flash import FLASH_DONE
from agent.spool.memory import (
    ASIDE_FIRST,
    ASIDE_LENGTH,
    ASIDE_RANGES,
    DELIVERED,
    GONE,
    OUTLET_OWN,
    OUTLET_OWN_BYTES,
    NoOwner,
)
from agent.spool.record import (
    CURSOR_PAYLOAD,
    CURSORS_BYTES,
    FORMAT_VERSION,
    FRAME_BYTES,
    HEAD_BYTES,
    HEAD_OCTETS,
    MEMORY_BYTES,
    MEMORY_PAYLOAD,
)
from agent.spool.stage import Stage

ROLE_MAIN = const(0)
ROLE_QUARANTINE = const(1)  # few records, for ever, so the rest of a block is used again after a start
ROLE_GRAPHS = const(2)  # every outlet is best effort there: the oldest makes room for the newest

BLOCKS_FOR_TWO_SPARE = const(4)
DROPS_LEFT = const(5)  # one of them is for a SEAL


class Fold(Blocks):
    """A log's blocks, and what its records add up to."""

    def __init__(self, device, outlets, when_full, role, other, wide):
        Blocks.__init__(self, device, outlets, when_full, other, wide)
        self.role = role
        self.owner = NoOwner()
        self.first_block = getattr(device, "first_block", 0)
        self.block_no = 0
        # Two rings of one process may share stage and page: they are in use for a moment only.
        self.desk = other.desk if other else Stage(HEAD_OCTETS + FRAME_BYTES + self.payload_most + self.align)
        self.stage = self.desk.buf
        self._cursor_octets = self.aligned(FRAME_BYTES + CURSOR_PAYLOAD)
        self.memory_octets = self.aligned(FRAME_BYTES + MEMORY_PAYLOAD)
        # What has to be written before the next block can be erased must fit behind every record.
        self.spare_blocks = 2 if role == ROLE_MAIN and device.block_count >= BLOCKS_FOR_TWO_SPARE else 1
        self._reserve = self._cursor_octets + self.memory_octets

    # -- whether there is room ---------------------------------------------------------------------------------

    def has_room(self, length):
        """Tell whether a result with a payload of `length` octets would be taken now; a quarantine may erase for it."""
        if self.seq >= SEQ_MAX:
            return False
        if self.when_full == WHEN_FULL_OVERWRITE:
            return True
        if self.number - self.cursors[0].number >= RETAINED_MAX:
            return False
        octets = self.aligned(FRAME_BYTES + length)
        if self.role == ROLE_QUARANTINE:
            # Only a drop makes room: what a start and a few drops may have to write is left over, in the last block
            # that works.
            longest = length if length > PAYLOAD_MAX else PAYLOAD_MAX
            octets += self.aligned(FRAME_BYTES + longest) + DROPS_LEFT * self.memory_octets
            return self.offset + octets <= self.device.block_bytes or self._make_ready(0) == FLASH_DONE
        spare = self.spare_for(length) if self.has_next() else -1
        if spare < 0:
            return False
        if self.offset + octets + self._reserve <= self.device.block_bytes:
            return True
        return self.are_free(1 + spare)

    def is_ready(self):
        """Tell whether a small record goes out without an erase in front of it."""
        if self.offset + self._reserve <= self.device.block_bytes:
            return True
        return self.next_ready and not self.after_start

    # -- what a record changes ---------------------------------------------------------------------------------

    def apply(self, kind, flags, buf, at, length):
        """Take over what the sound record with the payload buf[at:at+length] says; the same at a start and now."""
        if kind == rec.KIND_RESULT or kind == rec.KIND_RAW or kind == rec.KIND_GRAPH:
            number = get_u32(buf, at)
            if number > self.number:  # else it is a copy
                self.number = number
                if not flags & FLAG_RETRIED or self.role == ROLE_QUARANTINE:
                    self.owner.stored(kind, flags, buf, at, length)
        elif kind == rec.KIND_CURSOR:
            self._load_cursors(buf, at, get_u32(buf, at - 4))  # its own seq is in front of it
        elif kind == rec.KIND_MEMORY:
            # How many were delivered belongs to the cursor: where this record's runs ahead, that comes once more.
            skipped = DELIVERED + 4 if self.role == ROLE_MAIN else 0
            copy(self.memory, skipped, buf, at + skipped, MEMORY_BYTES - skipped)
            self.overwritten = get_u32(buf, at + MEMORY_BYTES)
            self.owner.load()
        elif kind == rec.KIND_ASIDE and not flags & FLAG_COPY:  # what a copy says stands in the HEAD in front of it
            self._set_aside(buf, at)
        elif kind == rec.KIND_GAP:
            self.owner.closed_ids(buf, at)
        elif kind == rec.KIND_EVENT:
            number = get_u32(buf, at)
            if number > self.event_number:
                self.event_number = number
                self.owner.happened(buf, at)

    def _load_cursors(self, buf, at, own):
        """Take over what a CURSOR record says, or the end of an ASIDE record; `own` is its number."""
        self.missed = load_cursors(self.cursors, buf, at, own)
        at += CURSORS_BYTES
        self.overwritten = get_u32(buf, at)
        if self.role == ROLE_MAIN:
            copy(self.memory, OUTLET_OWN, buf, at + 4, OUTLET_OWN_BYTES)
            self.cursors[0].delivered = get_u32(self.memory, DELIVERED)

    def _set_aside(self, buf, at):
        """An outlet passes some records that it could not deliver; they stay where they are."""
        first = get_u32(buf, at)
        last = get_u32(buf, at + 4)
        memory = self.memory
        if memory[ASIDE_LENGTH] == 0 and memory[ASIDE_LENGTH + 1] == 0:
            pack_into("<IH", memory, ASIDE_FIRST, first, last - first + 1)
        elif memory[ASIDE_RANGES] < 255:
            memory[ASIDE_RANGES] += 1
        if not self.has_aside():
            self.aside_first = first
            self.aside_last = last
            self.aside_block = self.cursors[0].block
        elif self.aside_ranges < 255:
            self.aside_ranges += 1
        self._load_cursors(buf, at + rec.AT_ASIDE_CURSORS, get_u32(buf, at - 4))

    # -- what a HEAD says --------------------------------------------------------------------------------------

    def _write_head(self, limit):
        """Put a HEAD into the stage; results up to number `limit` may go out on its word."""
        device = self.device
        stage = self.stage
        at = HEAD_BYTES
        pack_into(
            "<4sBBBB",
            stage,
            at,
            b"TCSP",
            FORMAT_VERSION,
            self.role,
            _log2(device.unit_bytes),
            _log2(device.block_bytes),
        )
        # The block that a start found last may fade. What its HEAD had made void in front of it stays void then; what
        # is in that block counts no more, for this HEAD repeats it.
        pack_into("<HHI", stage, at + 8, device.block_count, self.first_block, self.certain or self.seq)
        pack_into("<IIII", stage, at + 16, self.block_no + 1, self.number, self.event_number, self.overwritten)
        at += rec.AT_CURSORS
        put_cursors(stage, at, self.cursors, limit, self.seq, self.missed)
        at = HEAD_BYTES + rec.AT_MEMORY
        self._put_memory(at)
        if self.role == ROLE_MAIN and self.memory[ASIDE_LENGTH] | self.memory[ASIDE_LENGTH + 1]:
            self.put_aside(at)

    def _put_memory(self, at):
        copy(self.stage, at, self.memory, 0, MEMORY_BYTES)
        if self.role == ROLE_MAIN:
            put_u32(self.stage, at + DELIVERED, self.cursors[0].delivered)

    def put_aside(self, at):
        """Write to stage[at:], a memory, which range is the oldest now: what was moved on since is done with."""
        first = self.aside_first
        length = self.aside_last - first + 1 if first else 0
        pack_into("<IHB", self.stage, at + ASIDE_FIRST, first, length, self.aside_ranges)

    def _opened(self):
        """The HEAD is durable: what it says of the cursors holds from now on."""
        self.cursors[0].limit = get_u32(self.stage, HEAD_BYTES + rec.AT_CURSORS + 8)
        if self.role == ROLE_MAIN:
            copy(self.memory, 0, self.stage, HEAD_BYTES + rec.AT_MEMORY, GONE)  # how many were delivered, what is aside
        self._saved()

    def _saved(self):
        """All cursors as they stand now are durable."""
        for cursor in self.cursors:
            cursor.saved()


def _log2(size):
    power = 0
    while size > 1:
        size >>= 1
        power += 1
    return power
