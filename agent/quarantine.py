"""Where results lie that ToolsNet refuses and frames that nobody can read: kept until an operator decides.

A small log of its own in front of the main one, so that it costs the waiting results no room and never keeps a block
of theirs from being used again. Behind its payload a record carries its number in the main log, why it is here, and
two zeros.

Rules
1. What an outlet cannot deliver is kept here before the outlet passes it (`keep`). With no room here it is set aside
   where it lies in the main log, and moves in later (`take_oldest`). So nothing is ever in neither place, and a cut
   between the two is seen: numbers ascend, and what is not above the last one kept is here already.
2. Records go by `drop` only, and that is durable when it returns. A block is used again when all of it is dropped.
3. At most SLOTS records, whatever the area's size: one bit each says which are dropped. A bit is used again only when
   the durable cursor has passed the record it spoke of.
4. A drop has to be written down as well. So the last block is not filled (`Ring.has_room`), and where that is used up
   only a drop that empties the oldest block is taken (`may_drop` of agent.quarantine_retry): a full quarantine can
   always be emptied.

    memory  0         4           8       16                                   60
           | last u32| newest u32| zeros | dropped, one bit a record: number % SLOTS

`last` is the main log's number of the newest record; what a torn record left between two numbers counts as dropped.
The zeros cover what a main log keeps of its own in there (agent.spool.memory): nothing of this log is set aside.
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.fields import copy
from agent.base.words import get_u32, put_u32
from agent.record.result import FLAG_ASIDE, FLAG_RETRIED, PARKED_BYTES, PARKED_UNREADABLE, PASSED, ROOM_BYTES, TAKEN
from agent.spool.blocks import SPOOL_FULL
from agent.spool.memory import ASIDE_LENGTH, ASIDE_RANGES, NoOwner
from agent.spool.reader import Cursor
from agent.spool.record import HEAD_BYTES as FRAME_HEAD
from agent.spool.record import KIND_RAW, MEMORY_BYTES, RECORD_NONE, is_for_outlets

SLOTS = const(352)

NOTHING = const(0)
NO_ROOM = const(-1)
KEPT = const(2)
FAILED = const(-2)

CARRIED_A_BLOCK = const(31)  # light results in a block of 4 KiB

PRESSURE_NONE = const(0)
PRESSURE_TIGHT = const(1)  # more than three quarters are used
PRESSURE_FULL = const(2)  # what was set aside last found no room

_LAST = const(0)
_NEWEST = const(4)
_DROPPED = const(16)


class Quarantine(NoOwner):
    """One station's kept records. `ring` is mounted and confirmed; it tells this object what it holds."""

    def __init__(self, ring):
        self.ring = ring
        self._range = 0  # the range that `_reason` speaks of
        self._reason = 0
        self.full = False  # when it was asked last
        self._gain = -1  # what was delivered or kept when a record was moved on in the main log last
        self._carried = 0  # so many were moved on since
        self.moves = False  # more are moved on at once: one record then sets all of them aside
        self._doubtful = 0  # the number of what was kept last, if that cannot be relied on
        self._begins = True  # what was moved on before this start has still to be passed
        self.taken = 0  # so many were kept since the start
        self.retried = None  # numbers sent again whose drop is not durable; None: not looked up since the start
        self.in_place = -1  # so many lay in the main log when they were counted; agent.quarantine_list keeps it
        self.in_place_mark = 0
        ring.owner = self
        ring.pressed = True  # nothing but a drop makes room here

    # -- what its records say (the owner's calls, see agent.spool.ring) ---------------------------------------

    def stored(self, kind, flags, buf, at, length):
        """A record is kept."""
        memory = self.ring.memory
        number = get_u32(buf, at)
        for void in range(get_u32(memory, _NEWEST) + 1, number):
            self._mark(memory, _DROPPED, void)
        put_u32(memory, _LAST, get_u32(buf, at + length - PARKED_BYTES))
        put_u32(memory, _NEWEST, number)
        slot = number % SLOTS
        memory[_DROPPED + (slot >> 3)] &= ~(1 << (slot & 7)) & 0xFF

    # -- the agent's calls -------------------------------------------------------------------------------------

    def settle(self, main):
        """After a start: rely on what was kept last; False if it is still not sure that it will be there tomorrow.

        With no block for its copy it is whole if the main log has passed it: that was written behind it.
        """
        ring = self.ring
        self.pass_dropped()  # first: what it frees may be the room that confirming needs
        if ring.confirm():
            return True
        if not ring.suspect or not is_for_outlets(ring.last_kind) or ring.reread_last() != ring.last_kind:
            return False
        number = get_u32(ring.walk.page, FRAME_HEAD + ring.walk.length - PARKED_BYTES)
        if number > main.cursors[0].number:
            return False
        if main.has_aside():  # what is still in there was passed before it was kept
            from agent.spool.aside import find_result

            if find_result(main, main.aside_block, main.aside_first, main.aside_last, 0) is not True:
                return False
            if get_u32(main.walk.page, FRAME_HEAD) <= number:
                return False
        return ring.rely()

    def count(self):
        """Return how many records are kept. Allocates nothing, as it hands no range on."""
        kept = 0
        for number in range(self.ring.cursors[0].number + 1, get_u32(self.ring.memory, _NEWEST) + 1):
            kept += not self.is_dropped(number)
        return kept

    def last_kept(self):
        """Return the number in the main log of the record that was kept last; what is above it is not here yet."""
        last = get_u32(self.ring.memory, _LAST)
        return self._doubtful - 1 if self.ring.suspect and 0 < self._doubtful <= last else last

    def pressure(self):
        """Return one of PRESSURE_: whether an operator is needed. Allocates nothing."""
        if self.full:
            return PRESSURE_FULL
        ring = self.ring
        cursor = ring.cursors[0]
        kept = ring.number - cursor.number
        device = ring.device
        octets = (ring.block - cursor.block) % device.block_count * device.block_bytes + ring.offset
        is_tight = kept * 4 > SLOTS * 3 or octets * 4 > device.block_count * device.block_bytes * 3
        return PRESSURE_TIGHT if kept and is_tight else PRESSURE_NONE

    def take_oldest(self, main):
        """Keep the oldest record that `main` has set aside: TAKEN, NOTHING if there is none, NO_ROOM or FAILED."""
        from agent.spool import aside, moving  # most stations never set anything aside

        self.moves = False
        if not main.has_aside():
            self.full = False
            if aside.is_saved(main) or not main.has_spare():
                return NOTHING
            return TAKEN if aside.save(main) == 0 else FAILED
        main.pressed = True
        # What was found last counts only when it is confirmed: in the one log it is kept, in the other moved on.
        if not self.ring.confirm():
            return self._is_unsure()
        known = self.last_kept()
        if self._begins and (not main.confirm() or moving.pass_moved(main, known) < 0):
            return FAILED
        self._begins = False
        if not main.has_aside():
            return TAKEN
        self.pass_dropped()
        walk = main.walk
        found = aside.find_result(main, main.aside_block, main.aside_first, main.aside_last, known)
        if found is not True:
            if found is not False:
                return FAILED
            return TAKEN if aside.leave_range(main) == 0 else FAILED
        reason = PARKED_UNREADABLE if walk.kind == KIND_RAW else -1
        record_at, seq, block = walk.record_at, walk.seq, walk.block
        if reason < 0:
            reason = self._reason_of(main)
            walk.begin(block, record_at, seq - 1)
            if reason < 0 or walk.next() <= RECORD_NONE:
                return FAILED
        return self._keep(main, record_at, seq, reason)

    def make_way(self, main):
        """With no room here, move on in the log what would keep its next blocks from being used: TAKEN or less."""
        from agent.spool import moving

        # Once round without any gain the log holds nothing else, and turns are wear: it ends where a result has room.
        gain = main.cursors[0].delivered + self.taken
        most = main.device.block_count * CARRIED_A_BLOCK
        if gain != self._gain:
            self._gain, self._carried = gain, 0
        if self._carried > 3 * most or not moving.is_in_the_way(main):
            return NO_ROOM
        if self._carried > most and main.has_room(ROOM_BYTES):
            self._carried = self._carried if self._carried > 2 * most else most + 1
            return NO_ROOM
        self._carried += 1
        if moving.carry(main, self.last_kept()) != 0:
            return FAILED
        self.moves = main.has_aside()
        self.in_place = -1  # it will be set aside, and counted, once more
        return TAKEN

    def has_gone_round(self, main):
        """Tell whether all that is set aside was moved on twice round the log, and nothing came of it."""
        most = main.device.block_count * CARRIED_A_BLOCK
        return main.cursors[0].delivered + self.taken == self._gain and self._carried > 2 * most

    def keep(self, main, reason):
        """Keep the record that `main.peek` has found: TAKEN, KEPT if it is kept already, PASSED, NO_ROOM or FAILED.

        What a server that was set back refuses in front of that is moved on in the log, if that has room.
        """
        walk = main.walk
        number = get_u32(walk.page, FRAME_HEAD)
        if number > get_u32(self.ring.memory, _LAST) and main.has_aside():
            return NO_ROOM  # what lies in front of it waits for room
        if not self.ring.confirm():
            code = self._is_unsure()
            if code == FAILED or number > self.last_kept():
                return code
        self.pass_dropped()
        if number <= self.last_kept():
            from agent.spool import aside, moving  # a server that was set back is rare

            count = aside.kept_between(self.ring, number, number)[0]
            if count != 0 or main.peek(0) <= RECORD_NONE:
                return KEPT if count > 0 else FAILED
            moved = moving.was_moved(main)  # since it was refused before
            if moved or main.peek(0) <= RECORD_NONE:
                return KEPT if moved is True else FAILED
            code = moving.write_again(main)
            return KEPT if code == 0 else PASSED if code == SPOOL_FULL else FAILED
        if main.peek(0) <= RECORD_NONE:  # the two logs share the page
            return FAILED
        return self._keep(main, walk.record_at, walk.seq, PARKED_UNREADABLE if walk.kind == KIND_RAW else reason)

    def _is_unsure(self):
        """What was kept last cannot be relied on: NO_ROOM if there is no place for its copy, else FAILED.

        Without room it lies where it lies, and its original in the main log as well: not passed by before.
        """
        ring = self.ring
        if ring.has_next() or ring.rest < ring.device.block_bytes or ring.reread_last() != ring.last_kind:
            return FAILED
        if is_for_outlets(ring.last_kind):
            self._doubtful = get_u32(ring.walk.page, FRAME_HEAD + ring.walk.length - PARKED_BYTES)
        self.full = True
        return NO_ROOM

    def _keep(self, main, record_at, seq, reason):
        """Copy the record that stands in the page; the two logs share page and stage."""
        ring = self.ring
        walk = main.walk
        block = walk.block
        kind, flags, length = walk.kind, walk.flags, walk.length
        number = get_u32(walk.page, FRAME_HEAD)
        if not ring.has_room(length + PARKED_BYTES):
            self.pass_dropped()
        self.full = True
        if not self._has_slot() or not ring.has_room(length + PARKED_BYTES):
            return NO_ROOM
        at = ring.begin(kind, length + PARKED_BYTES)
        if at < 0:
            return FAILED
        walk.begin(block, record_at, seq - 1)
        if walk.next() != kind or walk.length != length:
            return FAILED
        copy(ring.stage, at, walk.page, FRAME_HEAD, length)
        put_u32(ring.stage, at, ring.number + 1)
        pack_into("<IHH", ring.stage, at + length, number, reason, 0)
        self.full = False
        if flags & FLAG_ASIDE:  # moved on in the log, not sent again
            flags &= ~(FLAG_ASIDE | FLAG_RETRIED)
        if ring.commit(kind, flags, length + PARKED_BYTES) != 0:
            return FAILED
        self.taken += 1
        return TAKEN

    def _has_slot(self):
        """Tell whether the next record's bit speaks of none that a start might still find."""
        ring = self.ring
        cursor = ring.cursors[0]
        if ring.number - cursor.number >= SLOTS:
            return False
        return ring.number - cursor.saved_number < SLOTS or ring.save_cursors(0) == 0

    def _reason_of(self, main):
        """Return why the oldest range was set aside, -1 if it cannot be read: its record may lie far behind it."""
        from agent.spool import aside

        first = main.aside_first
        if self._range != first:
            found = aside.find_range(main, first - 1)
            if found is None:
                return -1
            self._range, self._reason = first, found[2]
        return self._reason

    # -- the operator's calls ----------------------------------------------------------------------------------

    def find(self, number):
        """Bring the kept record `number` into the ring's page: its kind, RECORD_NONE if there is no such record."""
        ring = self.ring
        scout = Cursor()
        scout.stand_at(ring.cursors[0])
        while True:
            kind = ring.peek_from(scout)
            if kind <= RECORD_NONE:
                return kind
            if scout.peek_number == number:
                return kind if not self.is_dropped(number) else RECORD_NONE
            if scout.peek_number > number:
                return RECORD_NONE
            scout.advance()

    def numbers(self):
        """Return the numbers of the kept records, oldest first."""
        return [number for number in self._all() if not self.is_dropped(number)]

    def drop(self, *numbers):
        """Give up these kept records by one record of the log; whether that is durable. False for one never kept."""
        ring = self.ring
        known = self._all()
        for number in numbers:
            if number not in known:
                return False
        self.pass_dropped()
        at = ring.begin_memory()
        if at < 0:
            return False
        for number in numbers:
            self._mark(ring.stage, at + _DROPPED, number)
        if ring.commit_memory() != 0:
            return False
        self.full = False
        self.pass_dropped()
        return True

    def pass_dropped(self):
        """Let the cursor go past what is dropped; after a start it may stand in front of some."""
        ring = self.ring
        cursor = ring.cursors[0]
        while cursor.number < ring.number and ring.peek(0) > RECORD_NONE and self.is_dropped(cursor.peek_number):
            ring.advance(0)

    def _all(self):
        return range(self.ring.cursors[0].number + 1, get_u32(self.ring.memory, _NEWEST) + 1)

    def _mark(self, buf, at, number):
        slot = number % SLOTS
        buf[at + (slot >> 3)] |= 1 << (slot & 7)

    def is_dropped(self, number):
        """Tell whether record `number`, one of those that lie here, was given up."""
        slot = number % SLOTS
        return self.ring.memory[_DROPPED + (slot >> 3)] & 1 << (slot & 7) != 0


assert _DROPPED + SLOTS // 8 == MEMORY_BYTES and ASIDE_LENGTH >= _NEWEST + 4 and ASIDE_RANGES < _DROPPED
