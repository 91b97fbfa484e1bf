"""The ring: append is durable when it returns, a cursor is never ahead of what was acknowledged, nothing grows.

Rules
1. Blocks are used in the order of their place, round and round; the log's `seq` orders them. Each opens with a HEAD
   that repeats everything a start needs: counters, cursors, the owner's memory.
2. A block is free when every cursor has passed its records. Free space is made by erasing one block ahead.
3. `begin` says where the payload goes in `stage`, `commit` programs it, as one piece. Nothing else may use the
   stage between the two.
4. A block that fails is left: its good records stay, the record goes to the next block (at most BLOCKS_TRIED).
5. The last result found at a start may be half programmed and still read well today: it is written once more with
   the same number before anybody relies on it; readers pass over a number they know.

Sizes: RAM is the stage, one page and some forty numbers, whatever the area's size. One append is at most one program
and, when the block ahead was not erased in time, one erase for each block tried.
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.fields import copy, fill
from agent.base.result import FLAG_COPY
from agent.base.words import get_u32, put_u32
from agent.spool import record as rec
from agent.spool.flash import FLASH_DONE, FLASH_IO, FLASH_WORN
from agent.spool.record import FRAME_BYTES, HEAD_BYTES, RECORD_NONE, seal
from agent.spool.walk import Walk

SPOOL_FULL = const(-3)
SPOOL_FAILED = const(-4)  # the device refused; the acknowledgement has to wait

WHEN_FULL_REFUSE = const(0)
WHEN_FULL_OVERWRITE = const(1)

FORMAT_VERSION = const(1)
MEMORY_BYTES = const(52)  # what a 256-octet unit leaves beside HEAD and one light result
OUTLETS = const(2)
PAYLOAD_MAX = const(648)  # one raw frame: the longest layout of MID 0061 is 544 octets (DIGEST D.4)
RETAINED_MAX = const(99990)  # ToolsNet's five digits must stay unique within the ring (DIGEST G.8)
SEQ_MAX = const(0x3FFFFFF0)  # 30 bits: ten records a second for three years and a half
BLOCKS_TRIED = const(3)
SENT_AHEAD = const(48)  # results that may go out on the word of one HEAD; a block of 4 KiB holds 31

_HEAD_PAYLOAD = const(108)
_HEAD_OCTETS = const(120)  # with its frame, a multiple of 8
_CURSOR_PAYLOAD = const(16)
_PROBE_BYTES = const(64)
_BLANK = b"\xff" * _PROBE_BYTES


class Cursor:
    """How far one outlet is: everything up to `seq` (and result `number`) is done; `limit` may have been sent."""

    __slots__ = ("block", "jumped", "limit", "number", "offset", "peek_number", "peek_offset", "peek_seq", "seq")

    def __init__(self):
        self.seq = 0
        self.number = 0
        self.limit = 0
        self.block = 0
        self.offset = 0
        self.jumped = False
        self.peek_seq = 0
        self.peek_number = 0
        self.peek_offset = 0


class Ring:
    """The log on one flash device. Made once; `agent.spool.mount.mount(ring)` brings it up."""

    def __init__(self, device, outlets=1, when_full=WHEN_FULL_REFUSE):
        if device.block_count < 2:
            raise ValueError("a spool needs two blocks at least, the device has %d" % device.block_count)
        if not 1 <= outlets <= OUTLETS:
            raise ValueError("a spool has 1 to %d outlets" % OUTLETS)
        self.device = device
        self.when_full = when_full
        unit = device.unit_bytes
        self.align = unit if unit > rec.ALIGN_BYTES else rec.ALIGN_BYTES
        self.stage = bytearray(_HEAD_OCTETS + FRAME_BYTES + PAYLOAD_MAX + self.align)
        self.walk = Walk(device, FRAME_BYTES + PAYLOAD_MAX)
        self.memory = bytearray(MEMORY_BYTES)
        self.cursors = [Cursor() for _ in range(outlets)]
        self._probe = bytearray(_PROBE_BYTES)
        self.seq = 0
        self.number = 0
        self.event_number = 0
        self.base = 0
        self.block_no = 0
        self.block = device.block_count - 1
        self.offset = device.block_bytes
        self.last_record_at = 0
        self.suspect = False
        self.damaged = 0
        self.torn = 0
        self.worn = 0
        self.overwritten = 0
        self.erases = 0
        self._next_ready = False
        self.payload_at = 0
        self._opens = -1

    # -- writing -----------------------------------------------------------------------------------------------

    def begin(self, kind, length):
        """Return where in `stage` the payload of `length` octets goes, or SPOOL_FULL or SPOOL_FAILED.

        `commit` must follow at once. Raises ValueError for a payload above PAYLOAD_MAX.
        """
        if length > PAYLOAD_MAX:
            raise ValueError("payload of %d octets, at most %d" % (length, PAYLOAD_MAX))
        is_result = kind == rec.KIND_RESULT or kind == rec.KIND_RAW
        if self.seq >= SEQ_MAX or (is_result and self.number - self._slowest().number >= RETAINED_MAX):
            return SPOOL_FULL
        octets = self._aligned(FRAME_BYTES + length)
        # A result may not take the room of the cursor record that says which results may be sent again.
        spare = 0 if not is_result or self._next_is_free() else self._aligned(FRAME_BYTES + _CURSOR_PAYLOAD)
        self._opens = -1
        at = 0
        if self.offset + octets + spare > self.device.block_bytes:
            code = self._open_next()
            if code < 0:
                return code
            at = _HEAD_OCTETS
        self.payload_at = at + HEAD_BYTES
        return self.payload_at

    def has_room(self, length):
        """Tell whether a result with a payload of `length` octets would be taken now."""
        if self.when_full == WHEN_FULL_OVERWRITE:
            return True
        if self.seq >= SEQ_MAX or self.number - self._slowest().number >= RETAINED_MAX:
            return False
        spare = self._aligned(FRAME_BYTES + _CURSOR_PAYLOAD)
        return self._next_is_free() or self.offset + self._aligned(FRAME_BYTES + length) + spare <= self.device.block_bytes

    def commit(self, kind, flags, length):
        """Program the record begun: FLASH_DONE when it is durable, else SPOOL_FULL or SPOOL_FAILED."""
        tries = 0
        while True:
            code = self._program(kind, flags, length)
            if code == FLASH_DONE:
                return code
            if code == FLASH_IO:
                self._burn(kind, flags)
                return SPOOL_FAILED
            self.worn += 1
            tries += 1
            if tries == BLOCKS_TRIED:
                return SPOOL_FAILED
            code = self._move_elsewhere(length)
            if code < 0:
                return code

    def save_cursor(self, outlet, limit):
        """Make the cursor durable, and that results up to number `limit` may be on their way."""
        cursor = self.cursors[outlet]
        at = self.begin(rec.KIND_CURSOR, _CURSOR_PAYLOAD)
        if at < 0:
            return at
        pack_into("<IIII", self.stage, at, outlet, cursor.seq, cursor.number, limit)
        code = self.commit(rec.KIND_CURSOR, 0, _CURSOR_PAYLOAD)
        if code == FLASH_DONE and limit > cursor.limit:
            cursor.limit = limit
        return code

    def save_memory(self):
        """Make the owner's memory and the number base durable."""
        at = self.begin(rec.KIND_MEMORY, MEMORY_BYTES + 4)
        if at < 0:
            return at
        put_u32(self.stage, at, self.base)
        copy(self.stage, at + 4, self.memory, 0, MEMORY_BYTES)
        return self.commit(rec.KIND_MEMORY, 0, MEMORY_BYTES + 4)

    def maintain(self):
        """Erase the block ahead if it is free and not yet erased; return whether the device was busy with it."""
        if self._next_ready or not self._next_is_free():
            return False
        return self._prepare((self.block + 1) % self.device.block_count)

    def confirm(self):
        """Write the suspect last result once more; return whether everything found at the start can be relied on."""
        if not self.suspect:
            return True
        walk = self.walk
        walk.begin(self.block, self.last_record_at, 0)
        kind = walk.next()
        if kind < 0:
            return False
        if kind == RECORD_NONE:
            self.suspect = False  # it has faded: nobody was told of it since this start
            return True
        length = walk.length
        at = self.begin(kind, length)
        if at < 0:
            return False
        walk.begin(self.block, self.last_record_at, 0)  # once more: `begin` may have used the page
        if walk.next() != kind or walk.length != length:
            return False
        copy(self.stage, at, walk.page, HEAD_BYTES, length)
        self.suspect = self.commit(kind, walk.flags | FLAG_COPY, length) != FLASH_DONE
        return not self.suspect

    # -- reading -----------------------------------------------------------------------------------------------

    def peek(self, outlet):
        """Bring the outlet's next result or raw frame into `walk.page`: its kind, RECORD_NONE or RECORD_BAD.

        The page is everybody's: use it before the next call of any method.
        """
        cursor = self.cursors[outlet]
        if cursor.seq >= self.seq:
            if cursor.block != self.block:
                cursor.block = self.block
                cursor.offset = self.offset
            return RECORD_NONE
        walk = self.walk
        walk.begin(cursor.block, cursor.offset, cursor.seq)
        hops = self.device.block_count
        while True:
            kind = walk.next()
            if kind < 0:
                return kind
            if kind == RECORD_NONE:
                if cursor.block == self.block or hops == 0:
                    return RECORD_NONE
                hops -= 1
                cursor.block = (cursor.block + 1) % self.device.block_count
                cursor.offset = 0
                walk.begin(cursor.block, 0, cursor.seq)
                continue
            if not cursor.jumped:
                self.damaged += walk.seq - cursor.seq - 1
            cursor.seq = walk.seq - 1
            if kind == rec.KIND_RESULT or kind == rec.KIND_RAW:
                number = get_u32(walk.page, HEAD_BYTES)
                if cursor.jumped and number > cursor.number:
                    cursor.number = number - 1
                cursor.jumped = False
                if number > cursor.number:
                    cursor.peek_seq = walk.seq
                    cursor.peek_number = number
                    cursor.peek_offset = walk.offset
                    return kind
            cursor.seq = walk.seq
            cursor.offset = walk.offset

    def peek_second(self, outlet):
        """Bring the result behind the one `peek` finds into the page, and leave the cursor where it is.

        Returns (kind, number); for the rare question whether a refusal is the record's or the server's fault. Frames
        that could not be read are passed over.
        """
        cursor = self.cursors[outlet]
        kept = (cursor.seq, cursor.number, cursor.block, cursor.offset, self.damaged)
        first = (cursor.peek_seq, cursor.peek_number, cursor.peek_offset)
        kind = rec.KIND_RAW
        while kind == rec.KIND_RAW:
            self.advance(outlet)
            kind = self.peek(outlet)
        number = cursor.peek_number
        cursor.seq, cursor.number, cursor.block, cursor.offset, self.damaged = kept
        cursor.peek_seq, cursor.peek_number, cursor.peek_offset = first
        return kind, number

    def advance(self, outlet):
        """Pass over the record that `peek` found: it is acknowledged, parked or given up by the outlet's owner."""
        cursor = self.cursors[outlet]
        cursor.seq = cursor.peek_seq
        cursor.number = cursor.peek_number
        cursor.offset = cursor.peek_offset

    def rewind(self, outlet, number):
        """Set the outlet back behind result `number`, as far as the records still lie in the ring."""
        cursor = self.cursors[outlet]
        cursor.number = number
        cursor.seq = 0
        cursor.offset = 0
        cursor.jumped = True
        cursor.block = (self.block + 1) % self.device.block_count

    def backlog(self, outlet):
        """Return how many results the outlet has still to take."""
        return self.number - self.cursors[outlet].number

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

    def _next_is_free(self):
        following = (self.block + 1) % self.device.block_count
        for outlet in range(len(self.cursors)):
            cursor = self.cursors[outlet]
            if cursor.block == following and cursor.seq < self.seq:
                self.peek(outlet)  # moves the cursor on if nothing in that block is for it
                if cursor.block == following and cursor.seq < self.seq:
                    return False
        return True

    def _drop_oldest(self):
        following = (self.block + 1) % self.device.block_count
        for outlet in range(len(self.cursors)):
            cursor = self.cursors[outlet]
            if cursor.block == following and cursor.seq < self.seq:
                before = cursor.number
                cursor.block = (following + 1) % self.device.block_count
                cursor.offset = 0
                cursor.jumped = True
                self.peek(outlet)
                self.overwritten += cursor.number - before

    def _open_next(self):
        """Find and erase the block that comes next, and write its HEAD into the stage."""
        if not self._next_is_free():
            if self.when_full != WHEN_FULL_OVERWRITE:
                return SPOOL_FULL
            self._drop_oldest()
        for _ in range(BLOCKS_TRIED):
            following = (self.block + 1) % self.device.block_count
            if self._next_ready or self._prepare(following):
                self._opens = following
                self._write_head()
                return FLASH_DONE
            if not self._step_over(following):
                break
        return SPOOL_FAILED

    def _prepare(self, block):
        """Make sure that the block is erased; True when it is."""
        if not self.is_erased(block, 0):
            self.erases += 1
            code = self.device.erase(block)
            if code < 0:
                if code == FLASH_WORN:
                    self.worn += 1
                return False
        self._next_ready = block == (self.block + 1) % self.device.block_count
        return True

    def _step_over(self, block):
        """Leave a block that cannot be erased where it is and look behind it; False when that one is not free."""
        kept_block, kept_offset = self.block, self.offset
        self.block = block
        self.offset = self.device.block_bytes
        self._next_ready = False
        if self._next_is_free():
            return True
        self.block, self.offset = kept_block, kept_offset
        return False

    def is_erased(self, block, offset):
        """Tell whether everything from `offset` to the end of the block reads as erased."""
        device = self.device
        probe = self._probe
        end = device.block_bytes
        while offset < end:
            n = end - offset if end - offset < _PROBE_BYTES else _PROBE_BYTES
            if device.read_into(block * end + offset, probe, n) < 0:
                return False
            if n == _PROBE_BYTES:
                if probe != _BLANK:
                    return False
            else:
                for index in range(n):
                    if probe[index] != 0xFF:
                        return False
            offset += n
        return True

    def _write_head(self):
        device = self.device
        stage = self.stage
        at = HEAD_BYTES
        pack_into("<4sBBHI", stage, at, b"TCSP", FORMAT_VERSION, OUTLETS, device.unit_bytes, device.block_bytes)
        pack_into("<II", stage, at + 12, device.block_count, self.block_no + 1)
        pack_into("<III", stage, at + 20, self.number, self.event_number, self.base)
        fill(stage, at + 32, 12 * OUTLETS, 0)
        at += 32
        for cursor in self.cursors:
            # Between this HEAD and the next nothing else may be written, so what may be sent until then counts.
            limit = cursor.number + SENT_AHEAD
            if limit < cursor.limit:
                limit = cursor.limit
            cursor.limit = limit
            pack_into("<III", stage, at, cursor.seq, cursor.number, limit)
            at += 12
        copy(stage, HEAD_BYTES + _HEAD_PAYLOAD - MEMORY_BYTES, self.memory, 0, MEMORY_BYTES)

    def _program(self, kind, flags, length):
        """Seal the record (and the HEAD in front of it) and program both in one piece."""
        stage = self.stage
        device = self.device
        opens = self._opens
        at = self.payload_at - HEAD_BYTES
        seq = self.seq
        block = self.block
        offset = self.offset
        if opens >= 0:
            seq += 1
            seal(stage, 0, rec.KIND_HEAD, 0, _HEAD_PAYLOAD, seq)
            block = opens
            offset = 0
        end = at + seal(stage, at, kind, flags, length, seq + 1)
        padded = self._aligned(end)
        fill(stage, end, padded - end, 0xFF)
        code = device.program(block * device.block_bytes + offset, stage, padded)
        if opens >= 0 and code != FLASH_IO:
            self.block = block
            self.block_no += 1
            self._next_ready = False
        if code == FLASH_DONE:
            self.seq = seq + 1
            self.offset = offset + padded
            if (kind == rec.KIND_RESULT or kind == rec.KIND_RAW) and not flags & FLAG_COPY:
                self.number += 1
        return code

    def _burn(self, kind, flags):
        """After a refusal nobody knows what was written: leave this place, and never use these numbers again."""
        self.seq += 1 if self._opens < 0 else 2
        if (kind == rec.KIND_RESULT or kind == rec.KIND_RAW) and not flags & FLAG_COPY:
            self.number += 1
        self.offset = self.device.block_bytes
        self._next_ready = False

    def _move_elsewhere(self, length):
        """After a block has failed: open the next one and put the payload behind its HEAD."""
        at = self.payload_at
        stage = self.stage
        self.offset = self.device.block_bytes
        code = self._open_next()
        if code < 0:
            return code
        target = _HEAD_OCTETS + HEAD_BYTES
        if at != target:
            index = length - 1
            while index >= 0:  # backwards: the two overlap
                stage[target + index] = stage[at + index]
                index -= 1
            self.payload_at = target
        return FLASH_DONE
