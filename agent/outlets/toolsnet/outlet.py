"""Where ToolsNet stands: the number a result has over there, what its 08 means, which result it takes at all.

Rules
1. The cursor goes to where the server's 08 says it is (`resume`, DIGEST G.8), as far as that can be.
2. The first meeting with the server settles the base, whatever waits by then: what is sent first follows what the
   server has (`FLAG_MET`).
3. While refused results are passed over in search of one that the server takes (`begin_sweep`), the log says so: of
   what lies between the cursor and the one that the 08 names nothing was taken.
"""

from agent import health as h
from agent.base.compat import const
from agent.base.words import get_u32, put_u32
from agent.outlets.toolsnet.position import FLAG_SWEEP, NOT_SET, OUTLET, SET_ASIDE, Position
from agent.record.result import BODY_BYTES, FLAG_ASIDE, HEAD_BYTES, PARKED_MOVED, PARKED_UNREADABLE
from agent.spool.memory import BASE, OUTLET_FLAGS
from agent.spool.programmer import SENT_AHEAD
from agent.spool.record import CURSOR_PAYLOAD, FRAME_BYTES, KIND_RAW, KIND_RESULT, RECORD_NONE
from agent.spool.record import HEAD_BYTES as FRAME_HEAD

SEQUENCES = const(99999)  # 1..99999, 0 means nothing (DIGEST G.8)

FLAG_MET = const(1)

_HALF = const(50000)


class Outlet(Position):
    """One spool as ToolsNet takes it."""

    def __init__(self, ring, quarantine, health, cursor_batch, rewinds, resends_if_empty):
        Position.__init__(self, ring, quarantine, health, cursor_batch)
        self.sweep_last = 0  # the last number that the sweep looks at
        self.met = 0  # records that it has passed
        self.rewinds = rewinds
        self.resends_if_empty = resends_if_empty
        self.vouched = 0  # number of the last record, if the server has it and it is still to be confirmed
        self.reason = PARKED_MOVED  # of the last refusal; what was refused before this start does not say it again

    def sequence_of(self, number):
        """Return the rundown sequence 1..99999 of a result number."""
        memory = self.ring.memory
        return (number + (memory[BASE] | memory[BASE + 1] << 8 | memory[BASE + 2] << 16) - 1) % SEQUENCES + 1

    # -- in search of one that the server takes ----------------------------------------------------------------

    def begin_sweep(self, reach):
        """Look from the cursor on for `reach` numbers more than the next; whether the log says so durably."""
        cursor = self.cursor
        self.ring.pressed = True
        if self.ring.peek(OUTLET) <= RECORD_NONE:
            return False
        first = cursor.peek_number
        last = first + reach
        if last > self.ring.number:
            last = self.ring.number
        if not self.sweeps() or cursor.limit < last or self.ring.may_change():
            # Each sweep reaches further: with hardly any room one record is for all of them.
            most = last if self.ring.are_free(1 + self.ring.spare_blocks) else self.ring.number
            if not self._save(most if most > cursor.limit else cursor.limit, self._flags() | FLAG_SWEEP):
                if self.ring.can_write():
                    return False
                # With no room to say more: what the log says already, or the first alone, which passes over nothing.
                last = cursor.limit if self.sweeps() and cursor.limit > first else first
        self.sweep_last = last
        self.restart_sweep()
        return True

    def restart_sweep(self):
        """Begin at the cursor again."""
        self.met = 0
        self.scout.stand_at(self.cursor)

    def pass_in_sweep(self, number):
        """Go on behind result `number`, which was refused; it may have been overwritten meanwhile."""
        scout = self.scout
        if self.ring.peek_from(scout) > RECORD_NONE and scout.number < scout.peek_number <= number:
            scout.advance()  # where it cannot be read now it comes once more
            self.met += 1

    def sweeps(self):
        """Tell whether the log says that refused results are being passed over."""
        return self._flags() & FLAG_SWEEP != 0

    def end_sweep(self):
        """Nothing is passed over any more; whether the log says so, or has no room to say anything.

        In a full log results have to go out before there is room again. A cut before that keeps some of them in the
        quarantine although they were taken: better than to wait for ever.
        """
        if not self.sweeps():  # what set the others aside has said so
            return True
        return self._save(self._sent_most(), self._flags() & ~FLAG_SWEEP) or not self.ring.can_write()

    def must_write(self, number):
        """Tell whether something has to be written before result `number` goes out: that it may, or a sweep's end.

        What a HEAD has granted beyond a batch is for a log without room: with room the log says how far things are.
        The first one behind the durable cursor is no sweep's: there is nothing that it passes over.
        """
        cursor = self.cursor
        if self.sweeps() and self.ring.can_write() and (cursor.number != cursor.saved_number or number > cursor.limit):
            return True
        if self.ring.may_change():
            return True
        if number > cursor.saved_number + self.cursor_batch:
            self.ring.pressed = True
            if self.ring.has_room_behind():
                return number > cursor.saved_number + self._spread() or number > cursor.limit
        return number > cursor.limit

    def _spread(self):
        """Return after how many results the next record is due: few have room until the next block is free."""
        ring = self.ring
        if ring.is_free(1):
            return self.cursor_batch
        octets = ring.device.block_bytes
        room = octets - (ring.offset if ring.offset < octets else ring.rest)
        if self.quarantine.pressure():  # what is refused stays in the log, and is moved on into this block
            room -= octets // 2
        records = room // ring.aligned(FRAME_BYTES + CURSOR_PAYLOAD) - 1  # one for the block's end
        if records <= 0:
            return SENT_AHEAD
        results = (octets - self.cursor.offset) // ring.aligned(FRAME_BYTES + HEAD_BYTES + BODY_BYTES)
        batch = (results + records - 1) // records
        return batch if batch > self.cursor_batch else self.cursor_batch

    def next_of_sweep(self):
        """Find the next result of the sweep, past frames that cannot be read: its kind, or 0 or less at its end."""
        ring = self.ring
        scout = self.scout
        cursor = self.cursor
        if scout.number < cursor.number:  # what was overwritten meanwhile
            self.restart_sweep()
        while True:
            kind = self._read(scout)
            if kind != KIND_RAW:
                if kind == RECORD_NONE and not ring.suspect:  # all were met: the other numbers are nobody's
                    cursor.unused = ring.number - cursor.number - self.met
                    cursor.unused_at = cursor.number
                return kind if kind <= RECORD_NONE or scout.peek_number <= self.sweep_last else RECORD_NONE
            scout.advance()
            if not self.flags & FLAG_ASIDE:  # what was moved on is set aside, and waits for nothing
                self.met += 1

    # -- where the server stands -------------------------------------------------------------------------------

    def resume(self, stored, now):
        """Set the cursor by the sequence that the 08 names (DIGEST G.8); False if that could not be written down."""
        cursor = self.cursor
        number = self.ring.number
        self.vouched = 0
        self._kept_at = 0  # what the quarantine has is looked up anew
        if self.ring.suspect:
            # The last record may have been sent before this start.
            number = self.ring.number if self.ring.confirm() else self._last_found()
        if not self._flags() & FLAG_MET:
            done = self._set_base(stored - cursor.number)  # what goes out first follows what the server has
        elif stored == 0:
            done = self._server_is_empty(now)
        else:
            reached = number - (self.sequence_of(number) - stored) % SEQUENCES
            self._regain(reached)
            if reached == cursor.number or 0 < self.taken == reached < cursor.number:
                done = True  # what lies between the two was set aside
            elif cursor.gone_from <= reached < cursor.gone_to == cursor.number:
                done = True  # or overwritten
            elif cursor.number < reached <= self.may_have:
                done = self._take_as_stored(reached, now)
            elif 0 <= reached < cursor.number and cursor.number - reached < _HALF:
                if self._lacks(reached):
                    self.health.note(h.SERVER_BEHIND, cursor.number - reached, now)
                    done = not self.rewinds or self._rewind(reached)
                else:
                    done = True
            else:
                self.health.note(h.RESUME_UNKNOWN, stored, now)
                done = self._move_ahead_of(stored)
        if done and self.regained:
            done = self._save(cursor.limit, self._flags()) or not self.ring.can_write()
        if done:
            cursor.gone_from = cursor.gone_to
            self.may_have = self.vouched or cursor.number  # a vouched one lies behind the cursor
        return done

    def _last_found(self):
        """Return the number of the last record, which cannot be confirmed; some in front of it may be nobody's."""
        ring = self.ring
        kind = ring.reread_last()
        return get_u32(ring.walk.page, FRAME_HEAD) if kind in (KIND_RESULT, KIND_RAW) else ring.number + 1

    def _regain(self, reached):
        """What was overwritten before the server could be asked, and what it has of that: delivered after all."""
        cursor = self.cursor
        last = cursor.gone_to if cursor.gone_to < reached else reached
        if last > cursor.gone_from and reached <= self.may_have:
            # While refused ones were passed over, all in front of the one that was taken is gone.
            self.regained += last - cursor.gone_from if not self.sweeps() else last == reached
            cursor.gone_from = last

    def _lacks(self, reached):
        """Tell whether the server lacks anything behind `reached` that it once had: what is set aside it never got.

        It does unless the log shows otherwise, and the quarantine for what the log has no more.
        """
        ring = self.ring
        scout = self.scout
        last = self.cursor.number
        scout.seq = 0
        scout.number = reached - 1 if reached else 0
        scout.jumped = True
        scout.enter((ring.block + 1) % ring.device.block_count, 0)
        kind = ring.peek_from(scout)
        if kind > RECORD_NONE and scout.peek_number == reached:
            scout.advance()
        elif kind >= RECORD_NONE and scout.number > reached:
            from agent.spool import aside  # a log that has lost its front is rare

            gone = scout.number if scout.number < last else last
            if aside.kept_between(self.quarantine.ring, reached + 1, gone)[0] != gone - reached:
                return True
        while True:
            kind = self._read(scout)
            if kind <= RECORD_NONE or scout.peek_number > last:
                return kind < RECORD_NONE
            if kind != KIND_RAW and not self._is_aside(scout.peek_seq):
                return True
            scout.advance()

    def _server_is_empty(self, now):
        if self.cursor.delivered:
            self.health.note(h.SERVER_EMPTY, self.cursor.number, now)
            if self.resends_if_empty:
                return self._rewind(0)
        return True

    def _rewind(self, number):
        """Send again what the server has lost, as far as the log still holds it; whether that could be read.

        What was set aside in front of that is passed at once: set aside anew each time it would fill the log.
        """
        cursor = self.cursor
        before = cursor.number
        done = self.ring.rewind(OUTLET, number)
        while done and cursor.number < before:
            kind = self._read(cursor)
            if kind <= RECORD_NONE or cursor.peek_number > before:
                done = kind >= RECORD_NONE
                break
            if kind != KIND_RAW and not self._is_aside(cursor.peek_seq):
                break
            cursor.advance()
        if cursor.number < before and cursor.limit > cursor.number:
            cursor.limit = cursor.number  # so the log says where the cursor is before anything goes out again
        again = before - cursor.number
        if cursor.number < self.quarantine.last_kept():
            from agent.spool import aside  # a server that was set back is rare

            kept = aside.kept_between(self.quarantine.ring, cursor.number + 1, before)[0]
            again -= kept if kept > 0 else 0
        cursor.delivered = cursor.delivered - again if cursor.delivered > again else 0
        return done

    def _set_base(self, base):
        base %= SEQUENCES
        ring = self.ring
        ring.pressed = True
        if not ring.can_write():
            # Not even behind what the start found: results have to go out before there is room again, and the HEAD that
            # is written then says it. A cut before that may store some of them twice.
            self._put_base(ring.memory, 0, base)
            return True
        at = ring.begin_memory()
        if at < 0:
            return False
        self._put_base(ring.stage, at, base)
        return ring.commit_memory() == 0

    def _put_base(self, buf, at, base):
        flags = buf[at + OUTLET_FLAGS] | FLAG_MET  # they share four octets
        put_u32(buf, at + BASE, base)
        buf[at + OUTLET_FLAGS] = flags

    def _move_ahead_of(self, stored):
        """If our numbers lie behind the server's, move them, so that nothing new looks already stored."""
        following = self.sequence_of(self.cursor.number + 1)
        if (following - stored - 1) % SEQUENCES < _HALF:
            return True
        return self._set_base(stored - self.cursor.number)

    def _take_as_stored(self, reached, now):
        """The server has everything up to number `reached`, or that one alone after a sweep: only its 05 were lost."""
        cursor = self.cursor
        if self.sweeps():
            while True:
                code = self.set_aside(reached, self.reason, now, True)
                if code == NOT_SET:
                    return False
                if code == SET_ASIDE:
                    break
        while cursor.number < reached:
            kind = self._read(cursor)
            number = cursor.peek_number
            if kind < RECORD_NONE:
                return False  # it cannot be read just now: the server is asked again
            if kind == RECORD_NONE or number > reached:
                break
            if kind == KIND_RESULT:
                self.deliver(number)
                self.health.count(h.RESUMED)
            elif self.set_aside(number + 1, PARKED_UNREADABLE, now) == NOT_SET:
                return False
        self.taken = reached
        if cursor.number < reached:
            self.vouched = reached  # the last record, as long as it cannot be confirmed
        return True
