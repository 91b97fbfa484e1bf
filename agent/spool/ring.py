"""The ring: append is durable when it returns, a cursor is never ahead of what was acknowledged, nothing grows.

Rules
1. `begin` says where the payload goes in `stage`, `commit` programs it, as one piece. Nothing else may use the stage
   between the two. A block opens with a HEAD in the same piece; it repeats everything a start needs: counters,
   cursors, the owners' memory.
2. What a committed record changes is taken over by `apply` (agent.spool.fold). A refused write changes nothing.
3. Nothing is appended behind what a start found: the next record opens a block. The last record found counts for
   nothing until it was written once more (a copy has its number; readers pass over a number they know).
4. After a refusal of the whole device the record does not count, whatever of it was written.

Sizes: RAM is the stage, one page and some fifty numbers, whatever the area's size. One append is at most one program
and, when the block ahead was not erased in time, one erase for each block tried and a cursor record; a confirmation is
two programs more.
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.fields import copy
from agent.base.words import get_u32, put_u32
from agent.record.result import FLAG_ASIDE, FLAG_COPY
from agent.spool import record as rec
from agent.spool.blocks import (
    BLOCKS_TRIED,
    RETAINED_MAX,
    SEQ_MAX,
    SPOOL_FAILED,
    SPOOL_FULL,
    WHEN_FULL_REFUSE,
)
from agent.spool.cursors import WANTS_EVENTS, put_cursors
from agent.spool.flash import FLASH_DONE, FLASH_IO
from agent.spool.fold import ROLE_MAIN, ROLE_QUARANTINE
from agent.spool.memory import DELIVERED, OUTLET_FLAGS, OUTLET_OWN, OUTLET_OWN_BYTES
from agent.spool.programmer import Programmer
from agent.spool.record import (
    CURSOR_PAYLOAD,
    CURSORS_BYTES,
    FRAME_BYTES,
    HEAD_BYTES,
    HEAD_OCTETS,
    MEMORY_BYTES,
    MEMORY_PAYLOAD,
    OUTLETS,
)

BLOCKS_LEAST = const(3)  # the newest, the one that is erased before it is used, and one for what waits


class Ring(Programmer):
    """The log on one flash device. Made once; `agent.spool.mount.mount(ring)` brings it up."""

    def __init__(self, device, outlets=1, when_full=WHEN_FULL_REFUSE, role=ROLE_MAIN, other=None, wide=False):
        if device.block_count < (2 if role == ROLE_QUARANTINE else BLOCKS_LEAST):
            raise ValueError("a spool needs %d blocks at least, the device has %d" % (BLOCKS_LEAST, device.block_count))
        if not 1 <= outlets <= OUTLETS:
            raise ValueError("a spool has 1 to %d outlets" % OUTLETS)
        Programmer.__init__(self, device, outlets, when_full, role, other, wide)
        self.last_block = 0
        self.last_record_at = 0
        self.last_kind = 0
        self.lost = 0  # records behind the last result that a start could not read
        self.why = 0
        self.unreadable = 0
        self.unsealed = 0
        self.urgent = False  # what is written now may take the last free block
        self._confirming = False
        self._skipped = 0
        self.fresh_flags = 0
        self.fresh_length = 0

    # -- writing -----------------------------------------------------------------------------------------------

    def begin(self, kind, length):
        """Return where in `stage` the payload of `length` octets goes, or SPOOL_FULL or SPOOL_FAILED.

        `commit` must follow at once. Raises ValueError for a payload above `payload_most`.
        """
        if length > self.payload_most:
            raise ValueError("payload of %d octets, at most %d" % (length, self.payload_most))
        spare = (kind == rec.KIND_RESULT or rec.is_for_outlets(kind)) and not self.urgent and self.role == ROLE_MAIN
        if self.suspect and not self._confirming and self._stays_suspect(spare, length):
            return SPOOL_FAILED if self.is_free(1) else SPOOL_FULL
        self.desk.use(FRAME_BYTES + length)
        leave = 0 if not spare else self.spare_blocks if self._leaves_spare else self.spare_for(length)
        if leave < 0 or self.seq >= SEQ_MAX or (spare and self.number >= RETAINED_MAX and not self._keeps_below_most()):
            return SPOOL_FULL
        self._opens = self._spares = -1
        if spare and not self.next_ready:
            code = SPOOL_FULL if not self._make_free(1) else self._look_ready() if self.is_all_worn() else FLASH_DONE
            if code < 0:
                return code
        self.payload_at = HEAD_BYTES
        octets = FRAME_BYTES + length
        octets += -octets % self.align  # `aligned`, without a call
        room = self.device.block_bytes - self.offset - octets
        if room < self._reserve and not self.saving:
            if room >= 0 and not self.next_ready:
                code = self._look_ready()
                if code < 0 and spare:
                    return code
                room = self.device.block_bytes - self.offset - octets  # getting ready may have used some
            if room < 0:
                code = self._open_next(leave)
                if code < 0:
                    if code != SPOOL_FULL or spare or not self._take_rest(octets):
                        return code
                    self.desk.use(FRAME_BYTES + length)  # something may have gone in front of it
                else:
                    self.payload_at = HEAD_OCTETS + HEAD_BYTES
                    self.desk.use(HEAD_OCTETS + FRAME_BYTES + length)
        return self.payload_at

    def _stays_suspect(self, seals, length):
        """Confirm what the start found; True if that cannot be. The stage serves for `length` octets all the same."""
        if self.confirm(seals) or not self.suspect:
            return False
        self.desk.use(FRAME_BYTES + length)
        return True

    def commit(self, kind, flags, length):
        """Program the record begun: FLASH_DONE when it is durable, else SPOOL_FULL or SPOOL_FAILED."""
        tries = 0
        if self._spares >= 0:
            code = self._make_room(length)
            if code < 0:
                return code
        while True:
            code = self._program(kind, flags, length)
            if code == FLASH_DONE:
                if kind == rec.KIND_RESULT and not flags & FLAG_ASIDE:
                    self.desk.fresh = self
                    self.fresh_flags = flags
                    self.fresh_length = length
                return code
            behind = self.offset + self.aligned(self.desk.used)
            self._leave_place()
            if code == FLASH_IO:
                self._keep_rest(kind, flags, behind)
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
        if cursor.wants & WANTS_EVENTS and cursor.event != self.event_number:
            return False
        cursor.peek_event = cursor.event
        cursor.peek_seq = self.seq
        cursor.peek_number = self.number
        cursor.peek_block = self.block
        cursor.peek_offset = self.offset
        return True

    def save_cursors(self, limit, flags=-1):
        """Make all cursors durable, and that results up to `limit` may be on their way to the first outlet's server.

        `flags` are its own, as they are to be from now on.
        """
        at = self.begin(rec.KIND_CURSOR, CURSOR_PAYLOAD)
        if at < 0:
            return at
        self._put_cursors(at, limit, flags)
        code = self.commit(rec.KIND_CURSOR, self._refused if self._opens < 0 else 0, CURSOR_PAYLOAD)
        if code == FLASH_DONE:
            self._refused, self._wrong = 0, False
            self._saved()
        return code

    def save_aside(self, first, behind, reason, count, limit, flags):
        """Set aside what lies from `seq` number `first` on, `count` results; the first outlet then stands at `behind`.

        It says all that a cursor record says: in a full log there is no room for both.
        """
        at = self.begin(rec.KIND_ASIDE, rec.ASIDE_PAYLOAD)
        if at < 0:
            return at
        pack_into("<IIHH", self.stage, at, first, behind.seq, reason, count)
        at += rec.AT_ASIDE_CURSORS
        self._put_cursors(at, limit, flags)
        pack_into("<II", self.stage, at, behind.seq, behind.number)
        code = self.commit(rec.KIND_ASIDE, 0, rec.ASIDE_PAYLOAD)
        if code == FLASH_DONE:
            self.cursors[0].stand_at(behind)
            self._saved()
        return code

    def _put_cursors(self, at, limit, flags):
        """Write to stage[at:] what a cursor record says.

        What is granted already is not taken back where the next block is not free: after a start there would be no
        room to grant it again, and nothing could go out that makes room.
        """
        cursor = self.cursors[0]
        if self.role == ROLE_MAIN:
            granted = cursor.limit
            if self._opens >= 0:
                granted = get_u32(self.stage, HEAD_BYTES + rec.AT_CURSORS + 8)
            if limit < granted and not self.is_free(1 if self._opens < 0 else 2):
                limit = granted
        put_cursors(self.stage, at, self.cursors, limit, self.seq, self.missed)
        at += CURSORS_BYTES
        put_u32(self.stage, at, self.overwritten)
        at += 4
        copy(self.stage, at, self.memory, OUTLET_OWN, OUTLET_OWN_BYTES)
        put_u32(self.stage, at + DELIVERED, cursor.delivered)
        if flags >= 0:
            self.stage[at + OUTLET_FLAGS] = flags

    def begin_memory(self):
        """Return where in `stage` a copy of the memory stands that `commit_memory` makes the new one, or a SPOOL_."""
        at = self.begin(rec.KIND_MEMORY, MEMORY_PAYLOAD)
        if at >= 0:
            self._put_memory(at)
            put_u32(self.stage, at + MEMORY_BYTES, self.overwritten)
        return at

    def commit_memory(self):
        """Make the changed copy durable and take it over."""
        return self.commit(rec.KIND_MEMORY, 0, MEMORY_PAYLOAD)

    # -- after a start -----------------------------------------------------------------------------------------

    def confirm(self, seals=True):
        """Make what the start found reliable: write the last record once more and seal the log.

        What is sure to be written next seals it as well: no SEAL is needed then, and a full log is short of room.
        False while that cannot be: the log is full, or the device refuses; and where the record has faded meanwhile:
        who has just found it in the log must not rely on that.
        """
        if not self.suspect:
            return True
        if self._confirming:
            return False
        sparing = self.sparing
        self._confirming = self.urgent = True
        self.sparing = False
        torn = self.torn
        done = self._write_last_again()
        if done:
            self._end_skip()
            if seals and self.begin(rec.KIND_SEAL, 0) >= 0 and self.commit(rec.KIND_SEAL, 0, 0) != FLASH_DONE:
                self.unsealed += 1  # the next start writes the last record once more, that is all
        self._confirming = self.urgent = False
        self.sparing = sparing
        return done and self.torn == torn

    def skip_number(self):
        """Give the next number to nobody: something that cannot be read may carry it, and may have been sent."""
        if self.suspect:
            self._skipped = 1  # the record that waits to be confirmed has the number before
        else:
            self.number += 1
            self.event_number += 1

    def _write_last_again(self):
        kind = self.last_kind
        walk = self.walk
        found = self.reread_last()
        if not rec.is_for_outlets(kind) and (kind != rec.KIND_ASIDE or found != kind or not self.is_free(1)):
            # It is state: the HEAD of the block that this record opens repeats all of it, but why something is set
            # aside and where a second range lies.
            self.suspect = not self._say_state()
            return not self.suspect
        if found != kind:
            return self._forget_last(found)
        length = walk.length
        at = self.begin(kind, length)
        if at < 0:
            return False
        found = self.reread_last()  # `begin` may have used the page
        if found != kind or walk.length != length:
            return self._forget_last(found)
        copy(self.stage, at, walk.page, HEAD_BYTES, length)
        self.suspect = self.commit(kind, walk.flags | FLAG_COPY, length) != FLASH_DONE
        return not self.suspect

    def _say_state(self):
        done = self.save_cursors(self.cursors[0].limit) == FLASH_DONE
        if done and self._opens < 0:  # there was no room for a HEAD
            done = self.begin_memory() >= 0 and self.commit_memory() == FLASH_DONE
        return done

    def _forget_last(self, found):
        """The record has faded, or reads otherwise each time: it was torn. False if the device could not be read.

        Nobody was told of it and nothing was concluded from it; should it come back, it is void.
        """
        if found < 0:
            return False
        self.suspect = False
        self.torn += 1
        self.seq -= 1
        return True

    def rely(self):
        """Let the last record count as it is, since something else shows that it is whole; whether it reads so now."""
        walk = self.walk
        if self.reread_last() != self.last_kind:
            return False
        self.apply(walk.kind, walk.flags, walk.page, HEAD_BYTES, walk.length)
        self.suspect = False
        self._end_skip()
        return True

    def _end_skip(self):
        self.number += self._skipped
        self.event_number += self._skipped
        self._skipped = 0

    def reread_last(self):
        """Bring the last record that a start found into the page: its kind, RECORD_NONE or RECORD_BAD."""
        self.walk.begin(self.last_block, self.last_record_at, self.seq - 1, self.seq + 1)
        return self.walk.next()

    def may_change(self):
        """Tell whether a start might find another state than holds now, though there is room to say it once more.

        So it is while what this start has found last, state or the HEAD in front of a result, is not confirmed, and
        while a record that was refused may count after all.
        """
        if self.suspect:
            return not (self.proven and rec.is_for_outlets(self.last_kind)) and self.has_spare()
        return (self._wrong or self._burned > 0) and self.can_write()

    def overrule(self):
        """Say once more what holds, behind a record that was refused, so that it changes nothing; whether said."""
        self.saving = True
        done = self._say_state()
        self.saving = False
        return done
