"""Which block of the ring may be used next, and how it is made ready: the ring's half that knows places, not records.

Rules
1. Blocks are used in the order of their place, round and round; the log's `seq` orders them.
2. A block is free when every durable outlet has passed its records and nothing that was set aside lies in it; a
   best-effort outlet is moved on. It is erased by this very process before it is used: what a cut left may read as
   erased today and otherwise tomorrow.
3. No block is erased while the durable cursor stands in front of something in it that was passed since: the cursor is
   made durable first. So a start that finds records missing knows that they were done with.
4. A result never takes the last free block (`spare`): what has to be written so that results may go out, be set aside
   or be confirmed finds room in a full spool, and lets the next block become free. Where the quarantine is nearly full
   a result takes no room either in such a block that something else has opened: what is refused is moved on there.
5. A block that fails is left: the record goes to the next one, at most BLOCKS_TRIED.
"""

from agent.base.compat import const
from agent.spool import record as rec
from agent.spool.flash import FLASH_DONE, FLASH_IO, FLASH_WORN
from agent.spool.reader import Reader
from agent.spool.record import RECORD_NONE

SPOOL_FULL = const(-3)
SPOOL_FAILED = const(-4)  # the device refused; the acknowledgement has to wait
SPOOL_FOREIGN = const(-5)  # the area holds a spool that does not fit these settings; `ring.why` says how

WHEN_FULL_REFUSE = const(0)
WHEN_FULL_OVERWRITE = const(1)

RETAINED_MAX = const(99990)  # ToolsNet's five digits must stay unique within the ring (DIGEST G.8)
SEQ_MAX = const(0x3FFFFFF0)  # 30 bits: ten records a second for three years and a half
BLOCKS_TRIED = const(3)
BURNED = const(2)  # numbers a HEAD and the record behind it may have left in a block that failed


class Blocks(Reader):
    """A log's blocks on one device."""

    def __init__(self, device, outlets, when_full, other, wide):
        Reader.__init__(self, device, outlets, other, wide)
        self.when_full = when_full
        unit = device.unit_bytes
        self.align = unit if unit > rec.ALIGN_BYTES else rec.ALIGN_BYTES
        self.memory = bytearray(rec.MEMORY_BYTES)
        self.worn = 0
        self.torn = 0  # records that a cut left half written
        self.erases = 0
        self.after_start = True
        self.proven = True  # the newest block holds more than the unit it was opened with
        self.certain = 0  # where it does not, that unit may fade: what counts in front of it, as its HEAD says; else 0
        # The oldest range that is set aside in its place (agent.spool.aside): its first and last seq, its block, and
        # how many ranges lie behind it.
        self.aside_first = 0
        self.aside_last = 0
        self.aside_block = 0
        self.aside_ranges = 0
        self.next_ready = False
        self.spare_blocks = 1
        self._leaves_spare = False  # known to be so for the newest block
        self._quarantine = None  # of a main log, which tells whether what is refused will have to be moved on
        self._passed_over = 0  # so many blocks failed in front of the one that is opened next
        self._worn_ahead = 0  # so many that are free, one behind the other, could not be erased when tried last
        self._burned = 0
        self.saving = False
        self._cursor_octets = 0  # what the writing half needs for a cursor record
        self.memory_octets = 0  # and for a copy of the memory
        self.rest = device.block_bytes  # from here on the newest block read as erased when it was found, or is unused
        self._refused = 0  # so many records in front of `rest` were refused
        self._wrong = False  # they may count, and say what does not hold: something has to overrule them
        self.pressed = False  # only another record can make room: it may go there
        # What is begun may be in the log: nothing is given up for it, though overwriting is allowed, nor erased yet.
        self.sparing = False

    def save_cursors(self, limit, flags=-1):
        """Make the cursors durable: the writing half's."""
        return SPOOL_FAILED

    def overrule(self):
        """Say once more what holds, behind a record that was refused: the writing half's."""
        return not self._wrong

    def maintain(self, keeps=False):
        """Erase the block ahead if it is free and not yet erased; False if that has to be tried again.

        With `keeps` it is not erased yet: something in it may be looked for.
        """
        if self.suspect and self.has_spare() and not self.confirm():
            return False
        if self.next_ready or keeps or not self.is_free(1):
            return True
        code = self._prepare()
        self._worn_ahead = int(code == FLASH_WORN)
        return code == FLASH_DONE

    def is_free(self, ahead):
        """Tell whether nobody needs anything of the block that comes next, or of the one after it."""
        block = (self.block + ahead) % self.device.block_count
        if self.aside_block == block and self.has_aside():
            return False
        for cursor in self.cursors:
            if cursor.durable and cursor.block == block and cursor.seq < self.seq:
                # This moves the cursor on if nothing in that block is for it.
                if self.find_next(cursor) < RECORD_NONE or (cursor.block == block and cursor.seq < self.seq):
                    return False
        return True

    def are_free(self, count):
        """The same of so many blocks that come next."""
        for ahead in range(1, 1 + count):
            if not self.is_free(ahead):
                return False
        return True

    def aligned(self, octets):
        """Return what a record of so many octets takes of the flash."""
        return octets + -octets % self.align

    def fits(self, octets):
        """Tell whether a record of so many octets fits behind the last one."""
        return not self.suspect and self.offset + octets <= self.device.block_bytes

    def has_next(self):
        """Tell whether a block may be opened: the one behind all that could not be erased has to be free as well."""
        return self.next_ready or self.are_free(1 + self._worn_ahead)

    def stand_beside(self, quarantine):
        """What is refused is kept there; where that is nearly full, results leave room to move some on in the log."""
        self._quarantine = quarantine

    def leaves_spare(self):
        """Tell whether a result may go into the newest block: as many as have to be left are free behind it.

        Or nothing will need them: the quarantine takes what is refused, or it is given up.
        """
        if not self._leaves_spare:
            ahead = self.spare_blocks
            is_pressed = self._quarantine is not None and self._quarantine.pressure() > 0
            while is_pressed and self.spare_blocks > ahead - self.count_passed_over(ahead):
                ahead += 1
            self._leaves_spare = self.are_free(ahead)
            if not self._leaves_spare and self.when_full != WHEN_FULL_OVERWRITE:
                return not is_pressed
        return True

    def spare_for(self, length):
        """Return how many free blocks a result with a payload of so many octets has to leave, -1 if it may not go in.

        None where all else has been moved on round the log and nothing has come of it, if that can still be done again.
        """
        if self.leaves_spare() or self._quarantine is None:
            return self.spare_blocks
        from agent.spool.moving import is_movable_behind

        return 0 if self._quarantine.has_gone_round(self) and is_movable_behind(self, length) else -1

    def count_usable(self, ahead):
        """Return how many of so many blocks ahead, which are free, can be used: the next one is erased to know."""
        works = self.next_ready or (self.maintain() and self.next_ready)
        passed = self.count_passed_over(ahead)
        return ahead - (passed if works or passed else 1)

    def count_passed_over(self, ahead):
        """Return how many of so many blocks ahead failed when their turn was last: the HEADs behind them say so."""
        count = 0
        blocks = self.device.block_count
        for hop in range(2, ahead + 1 + BLOCKS_TRIED if ahead + BLOCKS_TRIED < blocks else blocks):
            if self.walk.first((self.block + hop) % blocks) == rec.KIND_HEAD:
                for passed in range(hop - self.walk.flags, hop):
                    count += 1 <= passed <= ahead
        return count

    def is_all_worn(self):
        """Tell whether none of the blocks that are free could be erased, when one was tried last."""
        return self._worn_ahead > 0 and not self.is_free(1 + self._worn_ahead)

    def can_write(self):
        """Tell whether a small record could be written at all."""
        if self.fits(self._cursor_octets) or self.has_next():
            return True
        return self.pressed and self.rest + self._cursor_octets <= self.device.block_bytes

    def has_room_behind(self):
        """Tell whether another small record could be written behind the next one."""
        octets = 2 * self._cursor_octets
        if self.fits(octets) or self.has_next():
            return True
        return self.pressed and self.rest + octets <= self.device.block_bytes

    def has_spare(self):
        """Tell whether a record that can be done without may be written: it must not take the last free block."""
        return self.fits(self.memory_octets) or self.are_free(2)

    def _take_rest(self, octets):
        """With no other place left: go on behind what the start found, or what was refused; whether there is room."""
        if not self.pressed:
            return False
        rest = self.rest
        self.rest = self.device.block_bytes
        if self._wrong:
            octets += self._cursor_octets + self.memory_octets
        if rest + octets > self.rest or self.walk.blank_to(self.block, rest) != self.rest:
            return False
        self.offset = rest
        if self.torn or self._refused:  # what lies in front of it may turn out to be a record with the next number
            self._burned += 1
        return not self._wrong or self.overrule()

    def has_aside(self):
        """Tell whether a record that was set aside still lies where it was stored."""
        return self.aside_first != 0

    def _make_free(self, ahead):
        """The same, after giving up what lies there where that is allowed."""
        if self.is_free(ahead):
            return True
        if self.when_full != WHEN_FULL_OVERWRITE or self.sparing:
            return False
        block = (self.block + ahead) % self.device.block_count
        for cursor in self.cursors:
            if cursor.durable and cursor.block == block and cursor.seq < self.seq and not self._drop_block(cursor):
                return False
        while self.aside_block == block and self.has_aside():  # several ranges may lie there
            from agent.spool.aside import give_up  # only where overwriting is allowed and the quarantine is full

            if give_up(self, block) < 0:
                return False
        return self.is_free(ahead)

    def _keeps_below_most(self):
        """Tell whether one more may be kept by its number; where overwriting is allowed, room is made for it."""
        cursor = self.cursors[0]  # the others' sides count as the log does
        while self.number - cursor.number >= RETAINED_MAX:
            if self.when_full != WHEN_FULL_OVERWRITE or self.sparing or cursor.block == self.block:
                return False
            if not self._drop_block(cursor):
                return False
        return True

    def _drop_block(self, cursor):
        """Give up what the cursor has not taken of its block; False if it cannot be read what comes behind that."""
        block = cursor.block
        jumped, dropped = cursor.jumped, cursor.dropped
        cursor.enter((block + 1) % self.device.block_count, 0)
        cursor.jumped = cursor.dropped = True
        if self.find_next(cursor) < RECORD_NONE:
            cursor.enter(block, 0)
            cursor.jumped, cursor.dropped = jumped, dropped
            return False
        return True

    def _make_ready(self, spare):
        """Have the next block erased and `spare` blocks behind it free: FLASH_DONE or a SPOOL_."""
        for ahead in range(1, 2 + spare):
            if not self._make_free(ahead):
                return SPOOL_FULL
        worn = 0
        before = (0, 0, 0, 0)  # block, offset, numbers and blocks where the first one failed
        for _ in range(BLOCKS_TRIED):
            code = FLASH_DONE if self.next_ready else self._prepare()
            if code == FLASH_DONE and self.after_start and not self.sparing:
                code = self._clear_behind()
            if code == FLASH_DONE:
                if not self.sparing:  # else nothing was erased yet
                    self._worn_ahead = 0
                return FLASH_DONE
            if code != FLASH_WORN:
                return SPOOL_FAILED
            if worn == 0:
                before = self.block, self.offset, self._burned, self._passed_over
            worn += 1
            if not self._step_over():
                self._worn_ahead = worn
                self.block, self.offset, self._burned, self._passed_over = before  # the newest block serves still
                return SPOOL_FULL  # no block that works is free
        self._worn_ahead = 1
        return SPOOL_FULL

    def _prepare(self):
        """Erase the block that comes next."""
        block = (self.block + 1) % self.device.block_count
        if not self._move_on(block) or self._save_passed(block) != FLASH_DONE:
            return FLASH_IO
        if self.next_ready or self.sparing:  # saving has opened a block; or nothing is erased yet
            return FLASH_DONE
        code = self._erase((self.block + 1) % self.device.block_count)
        if code == FLASH_WORN:
            self.worn += 1
        self.next_ready = code == FLASH_DONE
        return code

    def _erase(self, block):
        """Erase a block; a cursor that has taken everything may still stand there, and stands at its begin then."""
        for cursor in self.cursors:
            if cursor.block == block:
                cursor.enter(block, 0)
        if self.half == block:
            self.half = -1
        self.erases += 1
        return self.device.erase(block)

    def _move_on(self, block):
        """Let the best-effort outlets leave this block, whatever they have not had of it; False if it is unreadable."""
        for cursor in self.cursors:
            if cursor.durable:
                continue
            if cursor.block == block and cursor.seq < self.seq:
                # Perhaps nothing in there is for it.
                if self.find_next(cursor) != RECORD_NONE and cursor.block == block:
                    cursor.enter((block + 1) % self.device.block_count, 0)
                    cursor.jumped = cursor.dropped = True
            if cursor.dropped and self.find_next(cursor) < RECORD_NONE:  # it lands, and what it has missed is counted
                return False
        return True

    def _save_passed(self, block):
        """Make the cursors durable if one that has moved on stands in this block; where that has no room, go on."""
        if self.saving:
            return FLASH_DONE
        for cursor in self.cursors:
            if cursor.saved_block == block and cursor.number != cursor.saved_number and self.fits(self._cursor_octets):
                self.saving = True
                code = self.save_cursors(self.cursors[0].limit)
                self.saving = False
                return code
        return FLASH_DONE

    def _clear_behind(self):
        """Erase the block after next as well, once after a start.

        A start may find nothing of two cuts before it: neither the block that was opened last nor the one that the
        start in between opened behind that. If what lies there came back, it would look newer than all that follows.
        Not where the newest block has its first unit only: if that faded, the HEAD before it may be the last one left.
        """
        other = (self.block + 2) % self.device.block_count
        self.after_start = False
        if not self.proven or other == self.block or not self.is_free(2):
            return FLASH_DONE
        if not self._move_on(other) or self._save_passed(other) != FLASH_DONE:
            return FLASH_DONE
        code = self._erase(other)
        return FLASH_IO if code == FLASH_IO else FLASH_DONE

    def _step_over(self):
        """Leave a block that cannot be erased where it is and look behind it; whether that one is free."""
        self.block = (self.block + 1) % self.device.block_count
        self.offset = self.device.block_bytes
        self._passed_over += 1
        self._burned += BURNED
        self.next_ready = False
        return self._make_free(1)
