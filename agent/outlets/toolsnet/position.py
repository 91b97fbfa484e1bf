"""Where an outlet stands in the log: what may go out, what was delivered, what is set aside.

Rules
1. The cursor moves past a result that was acknowledged (`deliver`), or past one that cannot be delivered (`set_aside`):
   it is kept in the quarantine first, or with no room there the log says that it stays where it is.
2. Nothing goes out before the log says durably that it may (`allow`), and nothing is taken as stored over there that
   was not sent: `may_have` is what this process has sent since the server was last asked, and after a start the
   durable limit. A limit that was not used is taken back when the connection ends (`lower`).
3. What the quarantine has is not sent, also where the cursor comes to it again: an operator decides.
"""

from agent import health as h
from agent.base.compat import const
from agent.record.result import FLAG_ASIDE, PARKED_MOVED, PARKED_UNREADABLE, PASSED, TAKEN
from agent.spool.memory import ASIDE_LENGTH, OUTLET_FLAGS
from agent.spool.programmer import SENT_AHEAD
from agent.spool.reader import Cursor
from agent.spool.record import HEAD_BYTES as FRAME_HEAD
from agent.spool.record import KIND_RAW, KIND_RESULT, RECORD_NONE

OUTLET = const(0)
ASIDE_MOST = const(60000)  # records of the log that one ASIDE record speaks of
ASIDE_A_TURN = const(16)

SET_ASIDE = const(1)
SET_SOME = const(0)
NOT_SET = const(-1)

_NONE = const(0x3FFFFFFF)  # above any number

FLAG_SWEEP = const(2)


class Position:
    """How far one outlet is in one spool."""

    def __init__(self, ring, quarantine, health, cursor_batch):
        self.ring = ring
        self.quarantine = quarantine
        self.health = health
        self.cursor = ring.cursors[OUTLET]
        self.scout = Cursor()  # looks ahead of it
        self.cursor_batch = cursor_batch
        self.may_have = self.cursor.limit  # nothing above this number can have reached the server
        self.taken = 0  # number of the latest result that the server is known to have
        self._kept_from = 0  # from this number on the quarantine has none in front of `_kept_at`, 0: not known
        self._kept_at = 0
        self.regained = 0  # so many counted as overwritten turned out to be delivered; the next cursor record says so
        # The record to be sent: where its payload lies. Use it before the next call of any method.
        self.buf = ring.walk.page
        self.at = FRAME_HEAD
        self.length = 0
        self.flags = 0

    def waits(self):
        """Tell whether anything waits to be sent."""
        return self.cursor.number < self.ring.number or self.ring.suspect

    def next(self):
        """Find the next result or raw frame: its kind, or 0 or less if there is none.

        What was stored just now is taken from where it was put together; everything else is read from the flash.
        """
        ring = self.ring
        if ring.peek_stage(OUTLET):
            self.buf = ring.stage
            self.at = ring.payload_at
            self.length = ring.fresh_length
            self.flags = ring.fresh_flags
            return KIND_RESULT
        kind = self._read(self.cursor)
        return RECORD_NONE if kind == KIND_RAW and self.flags & FLAG_ASIDE and self.quarantine.moves else kind

    def _read(self, cursor):
        """Bring the cursor's next into the ring's page: its kind, KIND_RAW for all that is set aside and not sent."""
        ring = self.ring
        walk = ring.walk
        kind = ring.peek_from(cursor)
        if kind == KIND_RESULT and not self._kept_from <= cursor.peek_number <= self._kept_at:
            kind = self._look_what_is_kept(cursor)
        self.buf = walk.page
        self.at = FRAME_HEAD
        self.length = walk.length
        self.flags = walk.flags
        is_aside = kind > RECORD_NONE and (walk.flags & FLAG_ASIDE or cursor.peek_number == self._kept_at)
        return KIND_RAW if is_aside else kind

    def _look_what_is_kept(self, cursor):
        """Ask the quarantine for the first that it has from the cursor's next on; find that one once more."""
        number = cursor.peek_number
        last = self.quarantine.last_kept()
        kept = _NONE
        if number <= last:
            from agent.spool import aside  # behind what was delivered nothing is kept, but where a server was set back

            count, first = aside.kept_between(self.quarantine.ring, number, last)
            if count < 0:
                return count
            if count:
                kept = first
        self._kept_from = number
        self._kept_at = kept
        return self.ring.peek_from(cursor)  # the two logs share the page

    # -- what may go out ---------------------------------------------------------------------------------------

    def streams(self, on):
        """Results go out as they come now, or no more: a HEAD that is written meanwhile allows a batch of them."""
        self.cursor.ahead = 0 if not on else self.cursor_batch if self.cursor_batch < SENT_AHEAD else SENT_AHEAD

    def allow(self, number):
        """Allow results up to `number` and the rest of its batch to go out; whether they may. Uses the page.

        In a full log without room for another record, behind what a start found neither, they go out all the same: only
        that makes room. A cut before that may store one twice that the server cannot vouch for.
        """
        ring = self.ring
        last = self._batch_from(number)
        done = self._save(last, self._flags() & ~FLAG_SWEEP)
        if not done and not ring.can_write():
            ring.pressed = True
            done = self._save(last, self._flags() & ~FLAG_SWEEP) or not ring.can_write()
        return done

    def _batch_from(self, number):
        """Return the last result that the next record lets go out: the last record that finds room speaks of all."""
        ring = self.ring
        last = number + self.cursor_batch - 1
        if last >= ring.number:
            return last
        has_room = not ring.suspect or ring.confirm(False)  # first: that takes room as well
        return last if has_room and ring.has_room_behind() else ring.number

    def goes_out(self, number):
        """Result `number` is sent now: of what was overwritten so far nothing is out any more."""
        self.cursor.gone_from = self.cursor.gone_to
        if number > self.may_have:
            self.may_have = number

    def prepare(self):
        """The flash may be used now and perhaps not for long: allow the next results, if that is due soon."""
        if self.cursor.limit > self.cursor.number + self.cursor_batch // 2 or self._flags() & FLAG_SWEEP:
            return True
        return self._save(self._batch_from(self.cursor.number + 1), self._flags())

    def save(self):
        """Make the cursor durable, and what was really sent: at an orderly end. Whether that is done."""
        return not self.ring.has_spare() or self._save(self._sent_most(), self._flags())

    def lower(self):
        """The connection is gone: take back what was allowed and not sent. Whether that is done, or may be left."""
        most = self._sent_most()
        ring = self.ring
        # With the next block not free what is allowed stays (`save_cursors`): a record a connection would fill the log.
        may = self.cursor.limit > most and ring.has_spare() and ring.is_free(1)
        return not may or self._save(most, self._flags())

    def _sent_most(self):
        return self.may_have if self.may_have > self.cursor.number else self.cursor.number

    def _flags(self):
        return self.ring.memory[OUTLET_FLAGS]

    def _save(self, limit, flags):
        ring = self.ring
        regained = self.regained
        self.regained = 0
        ring.overwritten -= regained
        self.cursor.delivered += regained
        done = ring.save_cursors(limit, flags) == 0
        if not done:
            self.regained = regained
            ring.overwritten += regained
            self.cursor.delivered -= regained
        return done

    # -- delivered or not --------------------------------------------------------------------------------------

    def deliver(self, number):
        """The server has acknowledged result `number`, or vouches for it."""
        cursor = self.cursor
        before = cursor.number
        self.move_past(number)
        self.taken = number
        if cursor.number != before:
            cursor.delivered += 1
        elif cursor.gone_from < number <= cursor.gone_to:  # it was overwritten meanwhile
            self.regained += 1
        cursor.gone_from = cursor.gone_to

    def move_past(self, number):
        """Move the cursor past a result; it may have been overwritten meanwhile, then it has moved already."""
        cursor = self.cursor
        if cursor.number < number:
            if cursor.peek_number == number or (self.ring.peek(OUTLET) > RECORD_NONE and cursor.peek_number == number):
                cursor.advance()

    def set_aside(self, before, reason, now, is_taken=False):
        """Pass everything that waits in front of result `before`, undelivered: SET_ASIDE when it is done.

        With `is_taken` the server has that one: what says that all in front of it stays where it lies ends the sweep.
        SET_SOME if there is more to do: a long row takes several turns. NOT_SET if it could not be kept anywhere.
        """
        ring = self.ring
        cursor = self.cursor
        for _ in range(ASIDE_A_TURN):
            kind = ring.peek(OUTLET)
            if kind <= RECORD_NONE or cursor.peek_number >= before:
                return SET_ASIDE if kind >= RECORD_NONE else NOT_SET
            if kind != KIND_RAW and ring.walk.flags & FLAG_ASIDE:
                reason = PARKED_MOVED
            code = self.quarantine.keep(ring, reason)
            if code > 0:
                ring.advance(OUTLET)
                if code == TAKEN:
                    self.health.note(h.PARKED, PARKED_UNREADABLE if kind == KIND_RAW else reason, now)
                elif code == PASSED:
                    self.health.note(h.PARKED_FAILED, reason, now)
            elif cursor.peek_number <= self.quarantine.last_kept() or (
                not self._passes_again() and not self._leave_in_place(before, reason, now, is_taken)
            ):
                self.health.note(h.PARKED_FAILED, reason, now)
                return NOT_SET
        return SET_SOME

    def has_untidied(self):
        """Tell whether something was set aside in its place, or the log has still to be told that it moved."""
        memory = self.ring.memory
        return memory[ASIDE_LENGTH] != 0 or memory[ASIDE_LENGTH + 1] != 0

    def _passes_again(self):
        """A server was set back: pass what is set aside in its place already, or was moved on; whether it is."""
        if self.ring.peek(OUTLET) <= RECORD_NONE or not self._is_aside(self.cursor.peek_seq):
            return False
        self.cursor.advance()
        return True

    def _is_aside(self, seq):
        """Tell whether the record in the page, `seq`, was set aside where it lies, or moved on in the log."""
        from agent.spool import moving  # what finds no room in the quarantine, or a server that was set back, is rare

        ring = self.ring
        return moving.was_moved(ring) is True or (ring.has_aside() and self._begins_range(seq))

    def _begins_range(self, seq):
        """Tell whether record `seq` is the first of a range that is set aside in its place; there is one at least."""
        from agent.spool import aside

        found = aside.find_range(self.ring, seq - 1)
        return found is not None and found[0] == seq

    def _leave_in_place(self, before, reason, now, is_taken):
        """The quarantine takes nothing now: one record says what is passed in front of `before`; whether it does.

        If it takes the last of the room it lets all that wait go out. With `is_taken` it ends a sweep, and allows what
        a cursor record behind that would allow.
        """
        ring = self.ring
        ring.pressed = True
        scout = self.scout
        limit, flags = self.cursor.limit, self._flags()
        if is_taken:
            limit = self._batch_from(before)
        elif not flags & FLAG_SWEEP and limit < ring.number and not ring.has_room_behind():
            limit = ring.number
        kind = ring.peek(OUTLET)
        if kind <= RECORD_NONE:
            return False
        first = self.cursor.peek_seq
        count, reached = self._look_over(kind, first, before)
        if is_taken and reached == before:
            flags &= ~FLAG_SWEEP
        if ring.peek(OUTLET) <= RECORD_NONE:  # the block it lies in is where the range begins
            return False
        if ring.save_aside(first, scout, reason, count, limit, flags) != 0:
            return False
        for _ in range(count):
            self.health.count(h.PARKED)
        self.health.log(h.PARKED, reason, now)
        return True

    def _look_over(self, kind, first, before):
        """Let the scout go past what is set aside with record `first`, which is in the page, in front of `before`.

        Returns how many results that are, and the number of the one that it stands at, 0 for none.
        """
        ring = self.ring
        scout = self.scout
        moved = ring.walk.flags & FLAG_ASIDE
        raw = kind == KIND_RAW
        scout.stand_at(self.cursor)
        count = 0
        while True:
            kind = ring.peek_from(scout)
            if kind <= RECORD_NONE:
                return count, 0
            # One record speaks of all in a row that were moved on in the log, or that nobody can read: there is little
            # room when they are many.
            alike = moved & ring.walk.flags or (raw and kind == KIND_RAW)
            if scout.peek_seq - first >= ASIDE_MOST or (scout.peek_number >= before and not alike):
                return count, scout.peek_number
            scout.advance()
            count += 1
