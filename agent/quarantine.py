"""Where results lie that ToolsNet refuses and frames that nobody can read: kept until an operator decides.

A small log of its own in front of the main one, so that it costs the waiting results no room and never keeps a block
of theirs from being used again. Behind its payload a record carries its number in the main log, why it is here, and
two zeros.

Rules
1. What an outlet has set aside lies in the main log until it is kept here (`take_oldest`); with no room here it stays
   there. So nothing is ever in neither place, and a cut between the two is seen: numbers ascend, and what is not above
   the last one kept is here already.
2. Records go by `drop` only, and that is durable when it returns. A block is used again when all of it is dropped.
3. At most SLOTS records, whatever the area's size: one bit each says which are dropped.

    memory  0         4                                             60
           | last u32| dropped, one bit a record: number % SLOTS    |
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.fields import copy
from agent.base.result import PARKED_BYTES, PARKED_UNREADABLE
from agent.base.words import get_u32, put_u32
from agent.spool.reader import Cursor
from agent.spool.record import HEAD_BYTES as FRAME_HEAD
from agent.spool.record import KIND_RAW, KIND_RESULT, RECORD_NONE

SLOTS = const(448)

TAKEN = const(1)
NOTHING = const(0)
NO_ROOM = const(-1)
FAILED = const(-2)

_LAST = const(0)
_DROPPED = const(4)


class Quarantine:
    """One station's kept records. `ring` is mounted and confirmed; it tells this object what it holds."""

    def __init__(self, ring):
        self.ring = ring
        self._range = 0  # the range that `_reason` speaks of
        self._reason = 0
        ring.owner = self

    # -- what its records say (the owner's calls, see agent.spool.ring) ---------------------------------------

    def load(self):
        """The memory was read anew: it is looked at where it lies."""

    def closed_ids(self, _buf, _at):
        """No GAP record lies here."""

    def stored(self, _kind, _flags, buf, at, length):
        """A record is kept."""
        memory = self.ring.memory
        put_u32(memory, _LAST, get_u32(buf, at + length - PARKED_BYTES))
        slot = get_u32(buf, at) % SLOTS
        memory[_DROPPED + (slot >> 3)] &= ~(1 << (slot & 7)) & 0xFF

    # -- the agent's calls -------------------------------------------------------------------------------------

    def count(self):
        """Return how many records are kept."""
        cursor = self.ring.cursors[0]
        kept = 0
        for number in range(cursor.number + 1, self.ring.number + 1):
            if not self._is_dropped(number):
                kept += 1
        return kept

    def take_oldest(self, main):
        """Keep the oldest record that `main` has set aside: TAKEN, NOTHING if there is none, NO_ROOM or FAILED."""
        if not main.has_aside() or main.suspect:
            return NOTHING
        from agent.spool import aside  # most stations never set anything aside

        first, last = aside.first_of(main), aside.last_of(main)
        if self._range != first:
            found = aside.find_range(main, first - 1)
            if found is None:
                return FAILED
            self._range, self._reason = first, found[2]
        known = get_u32(self.ring.memory, _LAST)
        walk = main.walk

        def visit(kind):
            return (kind == KIND_RESULT or kind == KIND_RAW) and get_u32(walk.page, FRAME_HEAD) > known

        found = aside.walk_from(main, main.aside_block, first, last + 1, visit)
        if found is not True:
            if found is not False:
                return FAILED
            return TAKEN if aside.leave_range(main) == 0 else FAILED
        return self._keep(main, walk.record_at, walk.seq)

    def _keep(self, main, record_at, seq):
        """Copy the record that stands in the page; the two logs share page and stage."""
        ring = self.ring
        walk = main.walk
        block = walk.block
        kind, flags, length = walk.kind, walk.flags, walk.length
        number = get_u32(walk.page, FRAME_HEAD)
        if ring.number - ring.cursors[0].number >= SLOTS:
            return NO_ROOM
        at = ring.begin(kind, length + PARKED_BYTES)
        if at < 0:
            return NO_ROOM
        walk.begin(block, record_at, seq - 1)
        if walk.next() != kind or walk.length != length:
            return FAILED
        copy(ring.stage, at, walk.page, FRAME_HEAD, length)
        put_u32(ring.stage, at, ring.number + 1)
        reason = PARKED_UNREADABLE if kind == KIND_RAW else self._reason
        pack_into("<IHH", ring.stage, at + length, number, reason, 0)
        return TAKEN if ring.commit(kind, flags, length + PARKED_BYTES) == 0 else FAILED

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
                return kind if not self._is_dropped(number) else RECORD_NONE
            if scout.peek_number > number:
                return RECORD_NONE
            scout.advance()

    def numbers(self):
        """Return the numbers of the kept records, oldest first."""
        return [
            number
            for number in range(self.ring.cursors[0].number + 1, self.ring.number + 1)
            if not self._is_dropped(number)
        ]

    def drop(self, number):
        """Give up the kept record `number`; whether that is durable."""
        ring = self.ring
        at = ring.begin_memory()
        if at < 0:
            return False
        slot = number % SLOTS
        ring.stage[at + _DROPPED + (slot >> 3)] |= 1 << (slot & 7)
        return ring.commit_memory() == 0 and self._pass_dropped()

    def _pass_dropped(self):
        ring = self.ring
        cursor = ring.cursors[0]
        moved = False
        while cursor.number < ring.number and ring.peek(0) > RECORD_NONE and self._is_dropped(cursor.peek_number):
            ring.advance(0)
            moved = True
        return not moved or ring.save_cursor(0, 0) == 0

    def _is_dropped(self, number):
        slot = number % SLOTS
        return self.ring.memory[_DROPPED + (slot >> 3)] & 1 << (slot & 7) != 0
