"""A log: what is appended is durable when `append` says so, nothing is used twice, and nothing grows.

Rules
1. A session's first append opens a block erased in this session, and so does the one after a refusal. What it finds in
   the newest block is carried over first (toolcart.agent.log.carry_over), and later too, whenever only that makes room.
   A block's head and its first record are programmed together.
2. A block is erased only when all durable cursors of a snapshot of this session are past it; blocks in which nothing
   counts go first, then the oldest. One block is kept free, in a quarantine two, unless everything is passed or the log
   overwrites.
3. Overwriting, where no block is free: the cursors are moved past the oldest one and this is counted, then a snapshot,
   then the erase.
4. A writer to the stage writes the number `next` to stage[payload_at:] before anything else: a fresh record is
   recognized by its number.
5. FULL is remembered until a cursor moves. A block that fails is left; the record goes elsewhere, BLOCKS_TRIED times.
"""

from struct import pack_into

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import compare, copy, fill, get_u32
from toolcart.agent.log import block_head
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.blocks import Blocks
from toolcart.agent.log.carry_over import carry, fits
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, FLASH_WORN
from toolcart.agent.log.framing import (
    ALIGN_BYTES,
    BLOCKS_TRIED,
    FRAME_BYTES,
    KIND_RESULT,
    LOG_DONE,
    LOG_FAILED,
    LOG_FULL,
    NUMBER_TOP,
    RETAINED_MAX,
    WHEN_FULL_OVERWRITE,
    WHEN_FULL_REFUSE,
    seal,
)
from toolcart.agent.log.reader import TOP, WORN, Reader
from toolcart.agent.log.snapshot import STATE_LAST
from toolcart.agent.log.staging import PAYLOAD_AT, Staging
from toolcart.agent.record import PAYLOAD_MAX
from toolcart.agent.record.result import HEAD_BYTES as BODY
from toolcart.agent.record.result import ID_BYTES, ROOM_BYTES, TIGHTENING_ID

ERASE_AHEAD = const(4)  # with room for fewer records than this the next block is erased ahead of time
BLOCKS_LEAST = const(3)  # the newest, the one kept free, and one for the backlog
LIGHT_RESULT_BYTES = const(126)  # of its record: frame, head and body of a result of MID 0061 in revision 999

_AT_ID = const(150)  # in the stage
_AT_LAST = const(158)  # its last two digits
_LAST = const(18)  # those of the highest, in `newest`


class IdRanges:
    """Between which tightening IDs a log's results lie, so that a search for one skips blocks.

    It is here as only a log has one, and a module of its own costs heap on a board, where logs are always imported.
    """

    def __init__(self):
        self.newest = bytearray(2 * ID_BYTES)  # the lowest and the highest of the newest block
        self._front = bytearray(b"\xff" * (ID_BYTES - 2))  # of that highest ID, if it was appended last
        self.earlier = bytearray(ID_BYTES)  # the highest of all blocks before it
        self.words = bytearray(block_head.WORDS_BYTES)  # on the block before, in the newest block's head

    def note(self, stage):
        """Widen the newest block's by the ID of the result in the stage, its last. Hot: allocates nothing."""
        newest = self.newest
        if stage.find(self._front, _AT_ID, _AT_LAST) == _AT_ID:  # IDs usually ascend one by one
            if stage[_AT_LAST] == newest[_LAST] and stage[_AT_LAST + 1] > newest[_LAST + 1]:
                newest[_LAST + 1] = stage[_AT_LAST + 1]
                return
        block_head.note_id(newest, stage, _AT_ID)
        copy(self._front, 0, newest, block_head.IDS_HIGHEST, ID_BYTES - 2)

    def forget(self):
        """The newest block has no results."""
        block_head.forget_ids(self.newest)
        fill(self._front, 0, ID_BYTES - 2, 0xFF)

    def set_newest(self, ids):
        """The newest block has copies only, between these IDs."""
        copy(self.newest, 0, ids, 0, 2 * ID_BYTES)
        fill(self._front, 0, ID_BYTES - 2, 0xFF)

    def widen_earlier(self, ids, at):
        """Widen those of earlier blocks by the highest ID at ids[at:]."""
        if compare(ids, at, self.earlier, 0, ID_BYTES) > 0:
            copy(self.earlier, 0, ids, at, ID_BYTES)


class Log(Reader):
    """One ring of blocks. Made once, started by `mount` of toolcart.agent.log.mount.

    Payloads are written to stage[payload_at:].
    """

    payload_at = PAYLOAD_AT
    newest_event = 0  # since the start: how many of the records up to that are events nobody counts

    def __init__(
        self,
        device,
        state,
        ring,
        cursors=1,
        cursor_slot=field.CURSOR,
        when_full=WHEN_FULL_REFUSE,
        payload_most=PAYLOAD_MAX,
        staging_of=None,
    ):
        if device.block_count < BLOCKS_LEAST:
            raise ValueError("a log needs %d blocks at least" % BLOCKS_LEAST)
        unit = device.unit_bytes
        align = unit if unit > ALIGN_BYTES else ALIGN_BYTES
        Reader.__init__(
            self, device, state, ring, staging_of.staging if staging_of else Staging(payload_most, unit), align
        )
        self.blocks = Blocks(self, when_full, 2 if ring == field.QUARANTINE else 1)
        self.ids = IdRanges()
        self.last_block_number = 0  # the highest of all blocks
        self.stage = self.staging.stage
        self.room_bytes = ROOM_BYTES  # an append waits for room for this; more where a controller repeats nothing
        # the space in a block for the longest record that was read at the start or appended since
        self.longest_bytes = LIGHT_RESULT_BYTES + -LIGHT_RESULT_BYTES % align
        self._reset()
        for index in range(cursors):
            self.follow(Cursor(), cursor_slot + index, field.SEQUENCE_LAG if ring == field.LOG and index == 0 else -1)

    def _reset(self):
        """Reset what `mount` will find."""
        self.open_to = 0  # the newest block may be written up to here; 0: another one must be opened
        self.begun = False  # what the start found was carried over
        self.unsaved = False  # it was, but the snapshot that says so is not durable yet
        self._number_limit = 0  # the highest number that may be appended before the cursors must be checked
        self._full_at = -1  # `lowest` when an append was refused for want of room
        self._idle_at = -1  # `lowest` when nothing could be erased ahead of time: no retry until it moves

    def follow(self, cursor, slot, lag=-1):
        """Add a cursor that keeps blocks; it is saved as `state.numbers[slot]`, its sequence_lag as [lag]."""
        self.cursors.append(cursor)
        self.state.follow(cursor, slot, lag)

    def cursor_at(self, slot):
        """Return the cursor that is saved as `state.numbers[slot]`; None if this log has no such cursor."""
        for cursor in self.cursors:
            if cursor.slot == slot:
                return cursor
        return None

    # -- a result's way ----------------------------------------------------------------------------------------

    def append(self, kind, flags, length):
        """Make the payload of `length` bytes at stage[payload_at:] the record `next`; return a LOG_ code.

        Also LOG_FAILED if the last record found by the start is gone: `next` has changed then. Hot: allocates nothing.
        """
        octets = length + FRAME_BYTES
        octets += -octets % self.align
        if self.offset + octets > self.open_to or self.next > self._number_limit or self.state.alarm == STATE_LAST:
            return self._append_slowly(kind, flags, length)
        code = self._put(kind, flags, length)
        if code == FLASH_DONE:
            return LOG_DONE
        return LOG_FAILED if code == FLASH_IO else self._append_slowly(kind, flags, length)

    def peek_staged(self, cursor):
        """True if the cursor's next record is the result appended last, and is still in the stage.

        Hot: allocates nothing.
        """
        number = self.number
        if self.staging.staged_log is not self or cursor.number != number - 1:
            return False
        if get_u32(self.stage, PAYLOAD_AT) != number:  # something was written there since
            self.staging.staged_log = None
            return False
        cursor.found = number
        if cursor.version != self.version or cursor.place != self.block:
            cursor.place = self.block
            cursor.first = self.firsts[self.block]
            cursor.version = self.version
        cursor.bound = TOP
        cursor.offset = self.staging.staged_at
        cursor.next_offset = self.offset
        return True

    def checkpoint(self, number):
        """Let a snapshot say that everything up to `number` is accounted for and need not be replayed."""
        numbers = self.state.numbers
        numbers[self.ring_id + field.NEXT] = number + 1
        if number >= self.number:
            numbers[self.ring_id + field.NEXT] = self.next
            numbers[self.ring_id + field.SOLID] = min(numbers[self.ring_id + field.SOLID], self.number + 1)

    # -- asking ------------------------------------------------------------------------------------------------

    def backlog_cursor(self):
        """Return the cursor that is furthest behind."""
        found = self.cursors[0]
        for cursor in self.cursors:
            if cursor.number < found.number:
                found = cursor
        return found

    def backlog(self):
        """Return how many numbers come after the backlog's cursor."""
        return self.backlog_of(self.backlog_cursor())

    def payload_most(self):
        """Return the octets of the longest payload."""
        return min(self.staging.most, self.device.block_bytes - block_head.HEAD_OCTETS) - FRAME_BYTES

    def room(self, length):
        """Return how many payloads of this length fit in the rest of the newest block."""
        octets = length + FRAME_BYTES
        octets += -octets % self.align
        room = (self.device.block_bytes if self.unsaved else self.open_to) - self.offset
        return room // octets if room > 0 else 0

    def has_room(self, length, gives_up=True):
        """True if such an append would not return LOG_FULL, nor overwrite unless it `gives_up`; writes nothing."""
        low = self.lowest()
        if gives_up and self.blocks.when_full == WHEN_FULL_OVERWRITE:
            # Worn blocks may leave only the newest, which holds the backlog.
            return not self.is_still_full() or self.room(length) > 0
        if low < self.next - RETAINED_MAX:
            return False
        is_sure = self.last_was_durable or not self.doubtful
        if self.room(length) and is_sure:
            return True
        if self.is_still_full():
            return False
        free = self.blocks.count_free(low)
        if free > 1 or (free and is_sure and (low >= self.number or (self.begun and not self.blocks.leaves()))):
            return True
        if free == 0 or (self.begun and not self._has_room_to_carry(low)):
            return self.room(length) > 0
        return fits(self, low, FRAME_BYTES + length)

    def free_blocks(self):
        """Return how many blocks may be opened, including the one kept free."""
        return self.blocks.count_free(self.lowest())

    def is_still_full(self):
        """True while no cursor has moved since an append was refused."""
        return self._full_at == self.lowest()

    def writes_in_one_program(self):
        """True if the next append, for a record like those before, is one program. Hot: allocates nothing."""
        if not self.state.is_reliable or self.next > self._number_limit:
            return False
        if self.offset + self.longest_bytes <= self.open_to:
            return True
        if self.blocks.erased < 0 or not self.begun or self.unsaved:
            return False
        low = self.blocks.saved_lowest()
        return low >= self.number or self.blocks.count_free(low) > self.blocks.leaves()

    # -- ahead of time -----------------------------------------------------------------------------------------

    def maintain(self):
        """Do now what the next appends would have to do first; return False if that must be tried again.

        Nothing is overwritten for it. After a refused snapshot either that or the one before may count until a later
        one is durable, so a later one is written here too. Hot: allocates nothing.
        """
        if not self.state.ensure_reliable():
            return False
        if self.offset + ERASE_AHEAD * self.longest_bytes <= self.open_to or self.lowest() == self._idle_at:
            return True
        if (self.blocks.erased >= 0 and self.writes_in_one_program()) or self.state.alarm == STATE_LAST:
            return True
        code = self.prepare_append(LIGHT_RESULT_BYTES)
        if code == LOG_DONE and self.blocks.erased < 0:
            code = self.blocks.find(1, False) if self._update_number_limit() else LOG_FULL
        if code == LOG_FULL:
            self._idle_at = self.lowest()
        return code != LOG_FAILED

    def reopen(self):
        """Prepare for the next append as for the session's first: a cursor went back, and no block may be free now.

        Else what is appended to the newest block would be in doubt after a cut, and no room to settle it, for ever.
        """
        if not self.unsaved:  # else the block that was carried over is all that counts
            self.begun = False
            self.open_to = 0

    def settle(self):
        """Resolve the doubt about what the start found; return True if none is left."""
        if self.doubtful and not self._trust_last():
            self.prepare_append(0)
        return not self.doubtful

    def _trust_last(self):
        """Trust the last record if the start's snapshot called it durable and one of this session does too.

        Where no snapshot can be written any more what reads well counts: nothing is appended or erased, so a number has
        one meaning; and nothing is acknowledged (toolcart.agent.station.store). Return False if it is still in doubt
        and no snapshot calls it durable.
        """
        if (self.last_was_durable and self.state.ensure_reliable()) or self.state.alarm == STATE_LAST:
            self.doubtful = self.last_was_durable = False
            self.visible = self.number
        return self.last_was_durable or not self.doubtful

    def prepare_append(self, octets):
        """Do what must come before an append of this length, mainly the session's first; return a LOG_ code."""
        state = self.state
        if not state.ensure_reliable():
            return LOG_FAILED
        self._trust_last()
        if state.alarm == STATE_LAST:
            return LOG_FAILED
        if not self.begun or self._needs_carry(octets):
            code = carry(self, octets)
            if code != LOG_DONE:
                return code
            self.begun = True
            self._update_number_limit()
        if self.unsaved:
            if state.durable[self.ring_id + field.COUNTS_TO] < self.block_number and not state.save():
                return LOG_FAILED
            self.unsaved = self.doubtful = False
            self.visible = self.number
            self.open_to = self.device.block_bytes
        return LOG_DONE

    def _needs_carry(self, octets):
        """True if a carry would make room for this many bytes, and nothing else does."""
        low = self.lowest()
        if self.offset + octets <= self.open_to or low >= self.number:
            return False
        if (
            not self._has_room_to_carry(low)
            or self.blocks.count_free(low) > self.blocks.kept_free * self.blocks.leaves()
        ):
            return False
        return fits(self, low, octets)

    # -- appending ---------------------------------------------------------------------------------------------

    def _put(self, kind, flags, length):
        """Program the record in the stage to the newest block; return a FLASH_ code. Hot: allocates nothing."""
        number = self.next
        offset = self.offset
        octets = seal(self.stage, block_head.HEAD_OCTETS, kind, flags, length, number)
        octets += -octets % self.align
        code = self.device.program(self.block * self.device.block_bytes + offset, self.staging.record, octets)
        if code == FLASH_DONE:
            self.staging.staged_at = offset
            self.offset = offset + octets
            if octets > self.longest_bytes:
                self.longest_bytes = octets
            self._appended(kind, flags, length, number)
        else:
            self.open_to = 0
            self.staging.staged_log = None
            self.damage.worn += code == FLASH_WORN
        return code

    def _appended(self, kind, flags, length, number):
        self.number = self.visible = number
        self.next = number + 1
        numbers = self.state.numbers
        if numbers[self.ring_id + field.NEXT] == number:  # else what comes before it is not accounted for yet
            numbers[self.ring_id + field.NEXT] = number + 1
        numbers[self.ring_id + field.SOLID] = number + 1
        if kind != KIND_RESULT:
            self.staging.staged_log = None
            return
        staging = self.staging
        staging.staged_log = self
        staging.staged_flags = flags
        staging.staged_length = length
        self.ids.note(self.stage)

    def end_at(self, number):
        """Let the log end with this number; the next one is above all that were ever used."""
        self.number = self.visible = number
        numbers = self.state.numbers
        self.next = max(number + 1, numbers[self.ring_id + field.NEXT], numbers[self.ring_id + field.SOLID])
        for cursor in self.cursors:
            if cursor.number >= self.next:
                self.next = cursor.number + 1

    def _append_slowly(self, kind, flags, length):
        """Append when something else must be done first."""
        if length > self.payload_most():
            raise ValueError("payload of %d octets, at most %d" % (length, self.payload_most()))
        self.staging.staged_log = None  # the number in the stage may be that of its record
        if self.is_still_full() and not self.doubtful:
            return self._refuse(length)
        octets = length + FRAME_BYTES
        number = self.next
        code = self.prepare_append(octets)
        if code == LOG_DONE:
            code = self._ensure_number_allowed() if self.next == number else LOG_FAILED
        before = self.number
        octets += -octets % self.align
        tries = 0
        while code >= LOG_DONE:
            if self.offset + octets <= self.open_to:
                tries += 1
                code = self._put(kind, flags, length)
            else:
                code = self.blocks.find(1)
                tries += 1
                # The block to be opened is worn.
                if code == LOG_FULL and tries < BLOCKS_TRIED and self._needs_carry(octets):
                    code = self.prepare_append(octets)
                    continue
                if code < 0:
                    break
                code = self._open(code, kind, flags, length)
            if code == FLASH_DONE:
                if number > before + 1:
                    self.state.numbers[field.JUMPED] += number - before - 1 if self.ring_id == field.LOG else 0
                    self.damage.exclude(before, number)
                return LOG_DONE
            code = LOG_DONE if code == FLASH_WORN and tries < BLOCKS_TRIED else LOG_FAILED
        return self._refuse(length) if code == LOG_FULL else code

    def _open(self, place, kind, flags, length):
        """Program a head, and after it the record in the stage, to an erased block; return a FLASH_ code."""
        number = first = self.next
        stage = self.stage
        self.put_words(stage)
        own = self.put_head(stage, place, first, 0)
        octets = block_head.HEAD_OCTETS + seal(stage, block_head.HEAD_OCTETS, kind, flags, length, number)
        octets += -octets % self.align
        self.blocks.erased = -1
        code = self.device.program(place * self.device.block_bytes, stage, octets)
        if code == FLASH_DONE:
            self.enter(place, first, octets, own, stage)
            self.ids.forget()
            self.staging.staged_at = block_head.HEAD_OCTETS
            self._appended(kind, flags, length, number)
        elif code == FLASH_WORN:
            self.damage.worn += 1
            self.mark(place, WORN)
        return code

    def put_words(self, buf):
        """Write the words on the newest block to the head at buf[0:]; where that is void, on the one before it."""
        first = self.firsts[self.block]
        if first == 0 or first == WORN:
            copy(buf, block_head.AT_WORDS, self.ids.words, 0, block_head.WORDS_BYTES)
            return
        pack_into("<HI", buf, block_head.AT_WORDS, self.block, self.block_number)
        copy(buf, block_head.AT_WORDS + block_head.WORDS_LOWEST, self.ids.newest, 0, 2 * ID_BYTES)

    def put_head(self, buf, place, first, flags):
        """Seal a head for `place` at buf[0:], where its words are; return the block's number, which is now used up."""
        state = self.state
        count = self.device.block_count
        self.last_block_number = number = max(self.last_block_number // count + 1, state.round) * count + place
        kept, graphs = state.kept_blocks(), state.graph_blocks()
        size = block_head.size_of(self.device)
        block_head.seal_head(buf, self.ring_id, state.identity, number, first, flags, size, kept, graphs)
        return number

    def enter(self, place, first, offset, number, buf):
        """Make the block at `place` the newest one; its head is at buf[0:], and it is written up to `offset`."""
        ids = self.ids
        ids.widen_earlier(ids.newest, block_head.IDS_HIGHEST)
        if self.firsts[self.block] >= first:  # nothing in it counts any more
            self.mark(self.block, 0)
        self.mark(place, first)
        self.block = place
        self.block_number = self.state.numbers[self.ring_id + field.COUNTS_TO] = number
        self.offset = offset
        self.open_to = self.device.block_bytes
        copy(ids.words, 0, buf, block_head.AT_WORDS, block_head.WORDS_BYTES)

    # -- room --------------------------------------------------------------------------------------------------

    def mark(self, place, first):
        """Set the first number of the block at `place`; 0 or WORN: nothing in it counts."""
        self.firsts[place] = first
        self.version += 1

    def _has_room_to_carry(self, low):
        """True if the newest block has room that only a carry can use: in records up to `low`, or after a refusal."""
        return not self.unsaved and self.firsts[self.block] <= (low if self.open_to else self.number)

    def _refuse(self, length):
        """Remember that there is no room; a payload longer than `room_bytes` raises that, so it waits for as much."""
        if length > self.room_bytes:
            self.room_bytes = length
        self._full_at = self.lowest()
        return LOG_FULL

    def _update_number_limit(self):
        """Set the highest number that may be appended; True if the next one is not above it.

        A sequence has five digits, and ToolsNet names records by it (protocol.md 8.4): as long as at most RETAINED_MAX
        numbers are above what all cursors have passed, a sequence names one record of the log.
        """
        low = self.lowest()
        self._number_limit = low + RETAINED_MAX if low < NUMBER_TOP - RETAINED_MAX else NUMBER_TOP
        return self.next <= self._number_limit

    def _ensure_number_allowed(self):
        """Make sure that the next number may be used; return a LOG_ code."""
        while not self._update_number_limit():
            code = LOG_FULL
            if self.blocks.when_full == WHEN_FULL_OVERWRITE:
                code = self.blocks.give_up_oldest(self.lowest())
            if code != LOG_DONE:
                return code
        return LOG_DONE


assert _AT_ID == PAYLOAD_AT + BODY + TIGHTENING_ID
