"""The ring: append is durable when it returns, a cursor is never ahead of what was acknowledged, nothing grows.

Rules
1. Blocks are used in the order of their place, round and round; the log's `seq` orders them. Each opens with a HEAD
   that repeats everything a start needs: counters, cursors, the owner's memory.
2. A block is free when every cursor has passed its records. It is erased by this very process before it is used:
   what a cut left may read as erased today and otherwise tomorrow.
3. For the same reason nothing is appended behind what a start found: the next record opens a block. The last record
   found is written once more (a copy has its number; readers pass over a number they know), then sealed.
4. `begin` says where the payload goes in `stage`, `commit` programs it, as one piece. Nothing else may use the
   stage between the two.
5. A block that fails is left: its good records stay, the record goes to the next block (at most BLOCKS_TRIED). After
   a refusal of the whole device the record does not count, whatever of it was written.

Sizes: RAM is the stage, one page and some forty numbers, whatever the area's size. One append is at most one program
and, when the block ahead was not erased in time, one erase for each block tried; a confirmation is two programs more.
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.fields import copy, fill
from agent.base.result import FLAG_COPY
from agent.base.words import put_u32
from agent.spool import record as rec
from agent.spool.flash import FLASH_DONE, FLASH_IO, FLASH_WORN
from agent.spool.reader import PAYLOAD_MAX, Reader
from agent.spool.record import (
    CURSOR_PAYLOAD,
    FORMAT_VERSION,
    FRAME_BYTES,
    HEAD_BYTES,
    HEAD_OCTETS,
    HEAD_PAYLOAD,
    MEMORY_BYTES,
    MEMORY_PAYLOAD,
    OUTLETS,
    seal,
)
from agent.spool.stage import Stage

SPOOL_FULL = const(-3)
SPOOL_FAILED = const(-4)  # the device refused; the acknowledgement has to wait
SPOOL_FOREIGN = const(-5)  # the area holds a spool that does not fit these settings; `ring.why` says how

WHEN_FULL_REFUSE = const(0)
WHEN_FULL_OVERWRITE = const(1)

ROLE_MAIN = const(0)
ROLE_PARKED = const(1)  # dead letters: few, for ever, so the rest of a block is used again after a start

RETAINED_MAX = const(99990)  # ToolsNet's five digits must stay unique within the ring (DIGEST G.8)
SEQ_MAX = const(0x3FFFFFF0)  # 30 bits: ten records a second for three years and a half
BLOCKS_TRIED = const(3)
SENT_AHEAD = const(48)  # results that may go out on the word of one HEAD; a block of 4 KiB holds 31
BURNED = const(2)  # numbers a HEAD and the record behind it may have left in a block that failed


class Ring(Reader):
    """The log on one flash device. Made once; `agent.spool.mount.mount(ring)` brings it up."""

    def __init__(self, device, outlets=1, when_full=WHEN_FULL_REFUSE, role=ROLE_MAIN, other=None):
        if device.block_count < 2:
            raise ValueError("a spool needs two blocks at least, the device has %d" % device.block_count)
        if not 1 <= outlets <= OUTLETS:
            raise ValueError("a spool has 1 to %d outlets" % OUTLETS)
        Reader.__init__(self, device, outlets, other)
        self.when_full = when_full
        self.role = role
        self.first_block = getattr(device, "first_block", 0)
        unit = device.unit_bytes
        self.align = unit if unit > rec.ALIGN_BYTES else rec.ALIGN_BYTES
        # Two rings of one process may share stage and page: they are in use for a moment only.
        self.desk = other.desk if other else Stage(HEAD_OCTETS + FRAME_BYTES + PAYLOAD_MAX + self.align)
        self.stage = self.desk.buf
        self.memory = bytearray(MEMORY_BYTES)
        self.event_number = 0
        self.base = 0
        self.block_no = 0
        self.last_block = 0
        self.last_record_at = 0
        self.headed = False
        self.after_start = True
        self.proven = True  # the newest block holds more than the unit it was opened with
        self.last_kind = 0
        self.why = 0
        self.torn = 0
        self.worn = 0
        self.overwritten = 0
        self.unreadable = 0
        self.erases = 0
        self.payload_at = 0
        self._next_ready = False
        self._burned = 0
        self._confirming = False
        self._opens = -1
        self._cursor_octets = self._aligned(FRAME_BYTES + CURSOR_PAYLOAD)
        self.fresh_flags = 0
        self.fresh_length = 0

    # -- writing -----------------------------------------------------------------------------------------------

    def begin(self, kind, length):
        """Return where in `stage` the payload of `length` octets goes, or SPOOL_FULL or SPOOL_FAILED.

        `commit` must follow at once. Raises ValueError for a payload above PAYLOAD_MAX.
        """
        if length > PAYLOAD_MAX:
            raise ValueError("payload of %d octets, at most %d" % (length, PAYLOAD_MAX))
        self.desk.use(FRAME_BYTES + length)  # also where there is no place: the stage serves all the same
        if self.suspect and not self._confirming and not self.confirm() and self.suspect:
            return SPOOL_FAILED if self._next_is_free() else SPOOL_FULL
        is_result = kind == rec.KIND_RESULT or kind == rec.KIND_RAW
        if self.seq >= SEQ_MAX or (is_result and self.number >= RETAINED_MAX and not self._keeps_below_most()):
            return SPOOL_FULL
        self._opens = -1
        self.payload_at = HEAD_BYTES
        room = self.device.block_bytes - self.offset - self._aligned(FRAME_BYTES + length)
        # A result may not take the room of the cursor record that says which results may be sent again.
        if room < 0 or (is_result and room < self._cursor_octets and not self._next_is_free()):
            code = self._open_next()
            if code < 0:
                return code
            self.payload_at = HEAD_OCTETS + HEAD_BYTES
            self.desk.use(HEAD_OCTETS + FRAME_BYTES + length)
        return self.payload_at

    def has_room(self, length):
        """Tell whether a result with a payload of `length` octets would be taken now."""
        if self.seq >= SEQ_MAX:
            return False
        if self.when_full == WHEN_FULL_OVERWRITE:
            return True
        if self.number - self._slowest().number >= RETAINED_MAX:
            return False
        octets = self._aligned(FRAME_BYTES + length) + self._cursor_octets
        return self.offset + octets <= self.device.block_bytes or self._next_is_free()

    def commit(self, kind, flags, length):
        """Program the record begun: FLASH_DONE when it is durable, else SPOOL_FULL or SPOOL_FAILED."""
        tries = 0
        while True:
            code = self._program(kind, flags, length)
            if code == FLASH_DONE:
                if kind == rec.KIND_RESULT:
                    self.desk.fresh = self
                    self.fresh_flags = flags
                    self.fresh_length = length
                return code
            self._leave_place()
            if code == FLASH_IO:
                return SPOOL_FAILED
            self.worn += 1
            tries += 1
            if tries == BLOCKS_TRIED:
                return SPOOL_FAILED
            code = self._move_elsewhere(length)
            if code < 0:
                return code

    def peek_stage(self, outlet):
        """Tell whether the outlet's next result is the one just committed, which still lies in the stage.

        It stands at stage[payload_at:] then, with `fresh_length` and `fresh_flags`, and `advance` passes over it.
        """
        cursor = self.cursors[outlet]
        if self.desk.fresh is not self or cursor.number != self.number - 1 or cursor.jumped or self.suspect:
            return False
        cursor.peek_seq = self.seq
        cursor.peek_number = self.number
        cursor.peek_block = self.block
        cursor.peek_offset = self.offset
        return True

    def save_cursor(self, outlet, limit):
        """Make the cursor durable, and that results up to number `limit` may be on their way."""
        cursor = self.cursors[outlet]
        at = self.begin(rec.KIND_CURSOR, CURSOR_PAYLOAD)
        if at < 0:
            return at
        pack_into("<IIII", self.stage, at, outlet, cursor.seq, cursor.number, limit)
        code = self.commit(rec.KIND_CURSOR, 0, CURSOR_PAYLOAD)
        if code == FLASH_DONE and limit > cursor.limit:
            cursor.limit = limit
        return code

    def save_memory(self):
        """Make the owner's memory and the number base durable."""
        at = self.begin(rec.KIND_MEMORY, MEMORY_PAYLOAD)
        if at < 0:
            return at
        put_u32(self.stage, at, self.base)
        copy(self.stage, at + 4, self.memory, 0, MEMORY_BYTES)
        return self.commit(rec.KIND_MEMORY, 0, MEMORY_PAYLOAD)

    def maintain(self):
        """Erase the block ahead if it is free and not yet erased; return whether the device was busy with it."""
        if self._next_ready or not self._next_is_free():
            return False
        return self._prepare((self.block + 1) % self.device.block_count) == FLASH_DONE

    # -- after a start -----------------------------------------------------------------------------------------

    def confirm(self):
        """Make what the start found reliable: write the last record once more and seal the log.

        False while that cannot be (full, or the device refuses), and for the one call that finds the record faded:
        whatever was concluded from it is to be forgotten.
        """
        if not self.suspect:
            return True
        if self._confirming:
            return False
        self._confirming = True
        done = self._write_last_again()
        if done and self.begin(rec.KIND_SEAL, 0) >= 0:
            self.commit(rec.KIND_SEAL, 0, 0)
        self._confirming = False
        return done

    def _write_last_again(self):
        kind = self.last_kind
        if kind != rec.KIND_RESULT and kind != rec.KIND_RAW:
            # It is state: the HEAD of the block that this record opens repeats all of it.
            self.suspect = self.save_cursor(0, self.cursors[0].limit) != FLASH_DONE
            return not self.suspect
        walk = self.walk
        found = self._reread_last()
        if found != kind:
            if found >= 0:
                self._forget_last()
            return False
        length = walk.length
        at = self.begin(kind, length)
        if at < 0 or self._reread_last() != kind or walk.length != length:  # `begin` may have used the page
            return False
        copy(self.stage, at, walk.page, HEAD_BYTES, length)
        self.suspect = self.commit(kind, walk.flags | FLAG_COPY, length) != FLASH_DONE
        return not self.suspect

    def _reread_last(self):
        self.walk.begin(self.last_block, self.last_record_at, self.seq - 1, self.seq + 1)
        return self.walk.next()

    def _forget_last(self):
        """The record has faded. Nobody was told of it since the start; should it come back, it does not count."""
        self.suspect = False
        self.torn += 1
        self.seq -= 1

    # -- blocks ------------------------------------------------------------------------------------------------

    def _aligned(self, octets):
        octets += self.align - 1
        return octets - octets % self.align

    def _slowest(self):
        slowest = self.cursors[0]
        for cursor in self.cursors:
            if cursor.number < slowest.number:
                slowest = cursor
        return slowest

    def _keeps_below_most(self):
        """Tell whether one result more may be kept; where overwriting is allowed, room is made for it."""
        while self.number - self._slowest().number >= RETAINED_MAX:
            cursor = self._slowest()
            if self.when_full != WHEN_FULL_OVERWRITE or cursor.block == self.block:
                return False
            self._drop_block(cursor)
        return True

    def _next_is_free(self, ahead=1):
        following = (self.block + ahead) % self.device.block_count
        for cursor in self.cursors:
            if cursor.block == following and cursor.seq < self.seq:
                self.find_next(cursor)  # moves the cursor on if nothing in that block is for it
                if cursor.block == following and cursor.seq < self.seq:
                    return False
        return True

    def _drop_block(self, cursor):
        """Give up what the cursor has not taken of its block."""
        before = cursor.number
        cursor.block = (cursor.block + 1) % self.device.block_count
        cursor.offset = 0
        cursor.jumped = True
        self.find_next(cursor)
        self.overwritten += cursor.number - before

    def _drop_oldest(self):
        following = (self.block + 1) % self.device.block_count
        for cursor in self.cursors:
            if cursor.block == following and cursor.seq < self.seq:
                self._drop_block(cursor)

    def _open_next(self):
        """Find and erase the block that comes next, and write its HEAD into the stage."""
        if not self._next_is_free():
            if self.when_full != WHEN_FULL_OVERWRITE:
                return SPOOL_FULL
            self._drop_oldest()
        for _ in range(BLOCKS_TRIED):
            following = (self.block + 1) % self.device.block_count
            code = FLASH_DONE if self._next_ready else self._prepare(following)
            if code == FLASH_DONE and self.after_start:
                code = self._clear_behind()
            if code == FLASH_DONE:
                self._opens = following
                self._write_head()
                return FLASH_DONE
            if code != FLASH_WORN or not self._step_over(following):
                break
        return SPOOL_FAILED

    def _prepare(self, block):
        """Erase the block that comes next."""
        self.erases += 1
        code = self.device.erase(block)
        if code == FLASH_WORN:
            self.worn += 1
        self._next_ready = code == FLASH_DONE
        return code

    def _clear_behind(self):
        """Erase the block after next as well, once after a start.

        A start may find nothing of two cuts before it: neither the block that was opened last nor the one that the
        start in between opened behind that. If what lies there came back, it would look newer than all that follows.
        Not where the newest block has its first unit only: if that faded, the HEAD before it may be the last one left.
        """
        other = (self.block + 2) % self.device.block_count
        self.after_start = False
        if not self.proven or other == self.block or not self._next_is_free(2):
            return FLASH_DONE
        self.erases += 1
        code = self.device.erase(other)
        return FLASH_IO if code == FLASH_IO else FLASH_DONE

    def _step_over(self, block):
        """Leave a block that cannot be erased where it is and look behind it; False when that one is not free."""
        kept_block, kept_offset = self.block, self.offset
        self.block = block
        self.offset = self.device.block_bytes
        self._next_ready = False
        if self._next_is_free():
            self._burned += BURNED
            return True
        self.block, self.offset = kept_block, kept_offset
        return False

    def is_erased(self, block, offset):
        """Tell whether everything from `offset` to the end of the block reads as erased."""
        return self.walk.blank_to(block, offset) == self.device.block_bytes

    def _write_head(self):
        device = self.device
        stage = self.stage
        at = HEAD_BYTES
        pack_into("<4sBBHI", stage, at, b"TCSP", FORMAT_VERSION, OUTLETS, device.unit_bytes, device.block_bytes)
        pack_into("<IHBBI", stage, at + 12, device.block_count, self.first_block, self.role, 0, self.seq)
        pack_into("<IIII", stage, at + 24, self.block_no + 1, self.number, self.event_number, self.base)
        at += rec.AT_CURSORS
        fill(stage, at, rec.CURSOR_BYTES * OUTLETS, 0)
        for cursor in self.cursors:
            # Between this HEAD and the next nothing else may be written, so what may be sent until then counts.
            limit = cursor.number + SENT_AHEAD
            if limit < cursor.limit:
                limit = cursor.limit
            pack_into("<III", stage, at, cursor.seq, cursor.number, limit)
            at += rec.CURSOR_BYTES
        copy(stage, HEAD_BYTES + rec.AT_MEMORY, self.memory, 0, MEMORY_BYTES)

    def _program(self, kind, flags, length):
        """Seal the record (and the HEAD in front of it) and program both in one piece."""
        desk = self.desk
        at = self.payload_at - HEAD_BYTES
        seq = self.seq + 1
        if self._opens >= 0:
            seq += 1 + self._burned
            seal(self.stage, 0, rec.KIND_HEAD, 0, HEAD_PAYLOAD, seq - 1)
        end = at + seal(self.stage, at, kind, flags, length, seq)
        if desk.used > end:
            fill(self.stage, end, desk.used - end, 0xFF)
        desk.used = end
        octets = end + self.align - 1
        octets -= octets % self.align
        code = self.device.program(self._address(), self.stage, octets)
        if self._opens >= 0 and code != FLASH_IO:
            self.block = self._opens
            self.block_no += 1
            self._next_ready = False
            self.offset = 0
        if code == FLASH_DONE:
            if self._opens >= 0:
                self._burned = 0
                self._take_limits()
            self.seq = seq
            self.offset += octets
            if (kind == rec.KIND_RESULT or kind == rec.KIND_RAW) and not flags & FLAG_COPY:
                self.number += 1
        return code

    def _address(self):
        """Return where the record begun goes."""
        if self._opens >= 0:
            return self._opens * self.device.block_bytes
        return self.block * self.device.block_bytes + self.offset

    def _take_limits(self):
        """The HEAD is durable: what it says about sending holds from now on."""
        for cursor in self.cursors:
            if cursor.limit < cursor.number + SENT_AHEAD:
                cursor.limit = cursor.number + SENT_AHEAD

    def _leave_place(self):
        """Nobody knows what was written: go on in another block, whose HEAD says that nothing of it counts."""
        if self._opens >= 0:
            self._burned += BURNED
        self.offset = self.device.block_bytes
        self._next_ready = False

    def _move_elsewhere(self, length):
        """After a block has failed: open the next one and put the payload behind its HEAD."""
        at = self.payload_at
        stage = self.stage
        code = self._open_next()
        if code < 0:
            return code
        target = HEAD_OCTETS + HEAD_BYTES
        if at != target:
            self.desk.use(HEAD_OCTETS + FRAME_BYTES + length)
            index = length - 1
            while index >= 0:  # backwards: the two overlap
                stage[target + index] = stage[at + index]
                index -= 1
            self.payload_at = target
        return FLASH_DONE
