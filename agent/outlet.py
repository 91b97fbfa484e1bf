"""Where ToolsNet stands in the log: the cursor, the number a result has over there, what is parked, what may go out.

Rules
1. The cursor moves only here: past a result that was acknowledged (`move_past`), past one that was parked (`park`), or
   to where the server's 08 says it is (`resume`, DIGEST G.8).
2. Nothing goes out before the log says durably that it may (`allow`): after a cut the 08 then tells what is there from
   what never left (never skip what was never sent).
3. A result that was refused is held (`hold`) before one behind it may reach the server: a cut in between must not take
   it for delivered.
4. What is parked lies durably in an area of its own before the cursor moves; with that area full nothing moves.
"""

from struct import pack_into

from agent import health as h
from agent.base.compat import const
from agent.base.fields import copy
from agent.base.result import PARKED_BYTES, PARKED_UNREADABLE
from agent.base.words import get_u32, put_u32
from agent.spool.record import HEAD_BYTES as FRAME_HEAD
from agent.spool.record import KIND_RAW, KIND_RESULT

OUTLET = const(0)
SEQUENCES = const(99999)  # 1..99999, 0 means nothing (DIGEST G.8)

_HELD_AT = const(47)  # in the ring's memory, behind what agent.openprotocol.recovery keeps there
_HALF = const(50000)


class Outlet:
    """One spool as ToolsNet takes it."""

    def __init__(self, ring, parked, health, cursor_batch, rewinds, resends_if_empty):
        self.ring = ring
        self.parked = parked
        self.health = health
        self.cursor = ring.cursors[OUTLET]
        self.cursor_batch = cursor_batch
        self.rewinds = rewinds
        self.resends_if_empty = resends_if_empty
        self.taken = 0  # number of the latest result that the server is known to have
        self.held = 0  # number of the result that is held
        self.reason = 0  # why it was refused
        # The record to be sent: where its payload lies. Use it before the next call of any method.
        self.buf = ring.walk.page
        self.at = FRAME_HEAD
        self.length = 0
        self.flags = 0

    def sequence_of(self, number):
        """Return the rundown sequence 1..99999 of a result number."""
        return (number + self.ring.base - 1) % SEQUENCES + 1

    def next(self):
        """Find the next result or raw frame: its kind, or 0 or less if there is none.

        What was stored just now is taken from where it was put together; everything else is read from the flash.
        """
        ring = self.ring
        if self.cursor.number >= ring.number:
            return 0
        if ring.peek_stage(OUTLET):
            self.buf = ring.stage
            self.at = ring.payload_at
            self.length = ring.fresh_length
            self.flags = ring.fresh_flags
            return KIND_RESULT
        return self._read(ring.peek(OUTLET))

    def _read(self, kind):
        """What `kind` tells of lies in the ring's page."""
        walk = self.ring.walk
        self.buf = walk.page
        self.at = FRAME_HEAD
        self.length = walk.length
        self.flags = walk.flags
        return kind

    def may_go(self, number):
        """Tell whether the log already allows this result to go out."""
        return number <= self.cursor.limit

    def allow(self, number):
        """Allow results up to `number` and the rest of its batch to go out; uses the page."""
        self.ring.save_cursor(OUTLET, number + self.cursor_batch - 1)

    def prepare(self):
        """The flash may be used now and perhaps not for long: allow the next results, if that is due soon."""
        if self.cursor.limit <= self.cursor.number + self.cursor_batch // 2:
            self.ring.save_cursor(OUTLET, self.cursor.number + self.cursor_batch)

    def save(self):
        """Make the cursor durable."""
        self.ring.save_cursor(OUTLET, self.cursor.limit)

    def deliver(self, number):
        """The server has acknowledged result `number`."""
        self.move_past(number)
        self.taken = number
        self.health.count(h.DELIVERED)
        if number == self.held:
            self.hold(0)

    def move_past(self, number):
        """Move the cursor past a result; it may have been overwritten meanwhile, then it has moved already."""
        cursor = self.cursor
        if cursor.number < number:
            if cursor.peek_number != number:
                self.ring.peek(OUTLET)
            if cursor.peek_number == number:
                self.ring.advance(OUTLET)

    def hold(self, number):
        """Note durably which result was refused, 0 for none."""
        self.held = number
        put_u32(self.ring.memory, _HELD_AT, number)
        self.ring.save_memory()

    def prepare_probe(self, refused):
        """Find the result behind the refused one, all notes made; its number, 0 if there is none."""
        ring = self.ring
        kind, number = ring.peek_second(OUTLET)
        if kind != KIND_RESULT:
            return 0
        self.hold(refused)
        if not self.may_go(number):
            self.allow(number)
        kind, number = ring.peek_second(OUTLET)
        return number if self._read(kind) == KIND_RESULT else 0

    # -- parking -----------------------------------------------------------------------------------------------

    def park(self, reason, now):
        """Put the next record into the parking area and move past it; False if it could not be kept there."""
        ring = self.ring
        parked = self.parked
        if ring.peek(OUTLET) <= 0:
            return False
        walk = ring.walk
        length = walk.length + PARKED_BYTES
        at = parked.begin(walk.kind, length)
        if at >= 0 and ring.peek(OUTLET) > 0:  # once more: the two rings share the page
            copy(parked.stage, at, walk.page, FRAME_HEAD, walk.length)
            put_u32(parked.stage, at, parked.number + 1)
            pack_into("<IHH", parked.stage, at + walk.length, self.cursor.peek_number, reason, 0)
            if parked.commit(walk.kind, walk.flags, length) == 0:
                self.health.note(h.PARKED, reason, now)
                ring.advance(OUTLET)
                return True
        self.health.note(h.PARKED_FAILED, reason, now)
        return False

    def park_up_to(self, probe, now):
        """The probe was taken: park what lies in front of it, then it is delivered; False if parking failed."""
        ring = self.ring
        reason = self.reason
        self.taken = probe
        while ring.peek(OUTLET) > 0 and self.cursor.peek_number < probe:
            if not self.park(reason, now):
                return False
            reason = PARKED_UNREADABLE  # between the two only frames that could not be read may lie
        self.move_past(probe)
        self.health.count(h.DELIVERED)
        self.hold(0)
        return True

    # -- where the server stands -------------------------------------------------------------------------------

    def resume(self, stored, now):
        """Set the cursor by the sequence that the 08 names (DIGEST G.8); False if something could not be parked."""
        ring = self.ring
        cursor = self.cursor
        self.held = get_u32(ring.memory, _HELD_AT)
        if ring.number == 0:
            self._begin_behind(stored)
            return True
        if stored == 0:
            if cursor.number:
                self.health.note(h.SERVER_EMPTY, cursor.number, now)
                if self.resends_if_empty:
                    ring.rewind(OUTLET, 0)
            return True
        reached = ring.number - (self.sequence_of(ring.number) - stored) % SEQUENCES
        if reached == cursor.number or 0 < self.taken == reached < cursor.number:
            return True  # what lies between the two was parked
        if cursor.number < reached <= cursor.limit:
            return self._take_as_stored(reached, now)
        if 0 <= reached < cursor.number and cursor.number - reached < _HALF:
            self.health.note(h.SERVER_BEHIND, cursor.number - reached, now)
            if self.rewinds:
                ring.rewind(OUTLET, reached)
            return True
        self.health.note(h.RESUME_UNKNOWN, stored, now)
        if reached <= cursor.number:
            self._move_ahead_of(stored)
        return True

    def _begin_behind(self, stored):
        """A virgin log counts on from what the server has."""
        if self.ring.base != stored % SEQUENCES:
            self.ring.base = stored % SEQUENCES
            self.ring.save_memory()

    def _move_ahead_of(self, stored):
        """If our numbers lie behind the server's, move them, so that nothing new looks already stored."""
        following = self.sequence_of(self.cursor.number + 1)
        if (following - stored - 1) % SEQUENCES >= _HALF:
            self.ring.base = (self.ring.base + stored + 1 - following) % SEQUENCES
            self.ring.save_memory()

    def _take_as_stored(self, reached, now):
        """The server has everything up to number `reached`: only its 05 were lost."""
        ring = self.ring
        cursor = self.cursor
        self.taken = reached
        held = self.held
        while cursor.number < reached:
            kind = ring.peek(OUTLET)
            number = cursor.peek_number
            if kind <= 0 or number > reached:
                return True
            refused = number == held and number < reached  # the probe behind it was taken
            if kind == KIND_RAW or refused:
                if not self.park(PARKED_UNREADABLE if kind == KIND_RAW else self.reason, now):
                    return False
            else:
                ring.advance(OUTLET)
            self.health.count(h.RESUMED)
        if 0 < held <= reached:
            self.hold(0)
        return True
