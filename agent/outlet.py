"""Where ToolsNet stands in the log: the cursor, the number a result has over there, what is set aside, what may go out.

Rules
1. The cursor moves only here: past a result that was acknowledged (`deliver`), past one that cannot be delivered
   (`set_aside`: it is kept in the quarantine first, or with no room there the log says that it stays where it is), or
   to where the server's 08 says it is (`resume`, DIGEST G.8).
2. Nothing goes out before the log says durably that it may (`allow`), and nothing is taken as stored over there that
   was not sent: `may_have` is what this process has sent since the server was last asked, and after a start the
   durable limit. A limit that was not used is taken back when the connection ends (`lower`).
3. The first meeting with the server settles the base, whatever waits by then: what is sent first follows what the
   server has (`FLAG_MET`).
4. While refused results are passed over in search of one that the server takes (`begin_sweep`), the log says so: of
   what lies between the cursor and the one that the 08 names nothing was taken.
"""

from struct import pack_into

from agent import health as h
from agent.base.compat import const
from agent.base.result import FLAG_ASIDE, PARKED_MOVED, PARKED_UNREADABLE
from agent.base.words import get_u32, put_u32
from agent.quarantine import TAKEN
from agent.spool.memory import ASIDE_LENGTH, BASE, DELIVERED, OUTLET_FLAGS
from agent.spool.reader import Cursor
from agent.spool.record import ASIDE_PAYLOAD, KIND_ASIDE, KIND_RAW, KIND_RESULT, RECORD_NONE
from agent.spool.record import HEAD_BYTES as FRAME_HEAD
from agent.spool.ring import SENT_AHEAD

OUTLET = const(0)
SEQUENCES = const(99999)  # 1..99999, 0 means nothing (DIGEST G.8)
ASIDE_MOST = const(60000)  # records of the log that one ASIDE record speaks of

ASIDE_A_TURN = const(16)

SET_ASIDE = const(1)
SET_SOME = const(0)
NOT_SET = const(-1)

FLAG_MET = const(1)
FLAG_SWEEP = const(2)

_HALF = const(50000)


class Outlet:
    """One spool as ToolsNet takes it."""

    def __init__(self, ring, quarantine, health, cursor_batch, rewinds, resends_if_empty):
        self.ring = ring
        self.quarantine = quarantine
        self.health = health
        self.cursor = ring.cursors[OUTLET]
        self.scout = Cursor()  # looks ahead of it while refused results are passed over
        self.sweep_last = 0  # the last number that the sweep looks at
        self.cursor_batch = cursor_batch
        self.rewinds = rewinds
        self.resends_if_empty = resends_if_empty
        self.vouched = 0  # number of the last record, if the server has it and it is still to be confirmed
        self.taken = 0  # number of the latest result that the server is known to have
        self.may_have = self.cursor.limit  # nothing above this number can have reached the server
        self.reason = 0  # of the last refusal
        # The record to be sent: where its payload lies. Use it before the next call of any method.
        self.buf = ring.walk.page
        self.at = FRAME_HEAD
        self.length = 0
        self.flags = 0

    def sequence_of(self, number):
        """Return the rundown sequence 1..99999 of a result number."""
        memory = self.ring.memory
        return (number + (memory[BASE] | memory[BASE + 1] << 8 | memory[BASE + 2] << 16) - 1) % SEQUENCES + 1

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
        return self._read(ring.peek(OUTLET))

    def _read(self, kind):
        """What `kind` tells of lies in the ring's page."""
        walk = self.ring.walk
        self.buf = walk.page
        self.at = FRAME_HEAD
        self.length = walk.length
        self.flags = walk.flags
        return KIND_RAW if kind > RECORD_NONE and walk.flags & FLAG_ASIDE else kind  # neither is to be sent

    # -- what may go out ---------------------------------------------------------------------------------------

    def streams(self, on):
        """Results go out as they come now, or no more: a HEAD that is written meanwhile allows a batch of them."""
        self.cursor.ahead = 0 if not on else self.cursor_batch if self.cursor_batch < SENT_AHEAD else SENT_AHEAD

    def allow(self, number):
        """Allow results up to `number` and the rest of its batch to go out; whether they may. Uses the page.

        In a full log without room for another record they go out all the same: only that makes room. A cut before that
        may store one twice that the server cannot vouch for.
        """
        return self._save(number + self.cursor_batch - 1, self._flags() & ~FLAG_SWEEP) or not self.ring.can_write()

    def prepare(self):
        """The flash may be used now and perhaps not for long: allow the next results, if that is due soon."""
        if self.cursor.limit > self.cursor.number + self.cursor_batch // 2 or self._flags() & FLAG_SWEEP:
            return True
        return self._save(self.cursor.number + self.cursor_batch, self._flags())

    def save(self):
        """Make the cursor durable, and what was really sent: at an orderly end. Whether that is done."""
        return not self.ring.has_spare() or self._save(self._sent_most(), self._flags())

    def lower(self):
        """The connection is gone: take back what was allowed and not sent. Whether that is done, or may be left."""
        most = self._sent_most()
        return self.cursor.limit <= most or not self.ring.has_spare() or self._save(most, self._flags())

    def _sent_most(self):
        return self.may_have if self.may_have > self.cursor.number else self.cursor.number

    def _flags(self):
        return self.ring.memory[OUTLET_FLAGS]

    def _save(self, limit, flags):
        return self.ring.save_cursor(OUTLET, limit, flags) == 0

    # -- delivered or not --------------------------------------------------------------------------------------

    def deliver(self, number):
        """The server has acknowledged result `number`, or vouches for it."""
        before = self.cursor.number
        self.move_past(number)
        self.taken = number
        if self.cursor.number != before:  # else it was overwritten meanwhile
            self.cursor.delivered += 1

    def move_past(self, number):
        """Move the cursor past a result; it may have been overwritten meanwhile, then it has moved already."""
        cursor = self.cursor
        if cursor.number < number:
            if cursor.peek_number == number or (self.ring.peek(OUTLET) > RECORD_NONE and cursor.peek_number == number):
                self.ring.advance(OUTLET)

    def set_aside(self, before, reason, now):
        """Pass everything that waits in front of result `before`, undelivered: SET_ASIDE when it is done.

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
            elif not self._leave_in_place(before, reason, now):
                self.health.note(h.PARKED_FAILED, reason, now)
                return NOT_SET
        return SET_SOME

    def has_untidied(self):
        """Tell whether something was set aside in its place, or the log has still to be told that it moved."""
        memory = self.ring.memory
        return memory[ASIDE_LENGTH] != 0 or memory[ASIDE_LENGTH + 1] != 0

    def _leave_in_place(self, before, reason, now):
        """The quarantine takes nothing now: one record says what is passed in front of `before`; whether it does."""
        ring = self.ring
        cursor = self.cursor
        scout = self.scout
        # The record moves the durable cursor: what was delivered in front of it has to be counted by then.
        if cursor.delivered != get_u32(ring.memory, DELIVERED) and not self._save(cursor.limit, self._flags()):
            return False
        if ring.peek(OUTLET) <= RECORD_NONE:
            return False
        first = cursor.peek_seq
        scout.stand_at(cursor)
        count = 0
        while ring.peek_from(scout) > RECORD_NONE and scout.peek_number < before:
            if scout.peek_seq - first >= ASIDE_MOST:
                break
            scout.advance()
            count += 1
        if ring.peek(OUTLET) <= RECORD_NONE:  # the block it lies in is where the range begins
            return False
        at = ring.begin(KIND_ASIDE, ASIDE_PAYLOAD)
        if at < 0:
            return False
        pack_into("<IIIHH", ring.stage, at, first, scout.seq, scout.number, reason, count)
        if ring.commit(KIND_ASIDE, 0, ASIDE_PAYLOAD) != 0:
            return False
        for _ in range(count):
            self.health.count(h.PARKED)
        self.health.log(h.PARKED, reason, now)
        return True

    # -- in search of one that the server takes ----------------------------------------------------------------

    def begin_sweep(self, reach):
        """Look from the cursor on for `reach` numbers more than the next; whether the log says so durably."""
        cursor = self.cursor
        last = cursor.number + 1 + reach
        if last > self.ring.number:
            last = self.ring.number
        if not self.sweeps() or cursor.limit < last:
            if not self._save(last if last > cursor.limit else cursor.limit, self._flags() | FLAG_SWEEP):
                return False
        self.sweep_last = last
        self.scout.stand_at(cursor)
        return True

    def pass_in_sweep(self):
        """Go on behind the one that was refused last."""
        scout = self.scout
        if self.ring.peek_from(scout) > RECORD_NONE and scout.peek_number > scout.number:
            scout.advance()  # where it cannot be read now it comes once more

    def sweeps(self):
        """Tell whether the log says that refused results are being passed over."""
        return self._flags() & FLAG_SWEEP != 0

    def end_sweep(self):
        """Nothing is passed over any more; whether the log says so, or has no room to say anything.

        In a full log results have to go out before there is room again. A cut before that keeps some of them in the
        quarantine although they were taken: better than to wait for ever.
        """
        return self._save(self._sent_most(), self._flags() & ~FLAG_SWEEP) or not self.ring.can_write()

    def is_swept(self):
        """Tell whether the log has still to be told that a sweep is over."""
        return self._flags() & FLAG_SWEEP != 0 and self.ring.can_write()

    def next_of_sweep(self):
        """Find the next result of the sweep, past frames that cannot be read: its kind, or 0 or less at its end."""
        ring = self.ring
        scout = self.scout
        if scout.number < self.cursor.number:  # what was overwritten meanwhile
            scout.stand_at(self.cursor)
        while True:
            kind = self._read(ring.peek_from(scout))
            if kind != KIND_RAW:
                return kind if kind <= RECORD_NONE or scout.peek_number <= self.sweep_last else RECORD_NONE
            scout.advance()

    # -- where the server stands -------------------------------------------------------------------------------

    def resume(self, stored, now):
        """Set the cursor by the sequence that the 08 names (DIGEST G.8); False if that could not be written down."""
        cursor = self.cursor
        number = self.ring.number
        self.vouched = 0
        if self.ring.suspect:
            # The last record may have been sent before this start.
            number = self.ring.number if self.ring.confirm() else number + 1
        if not self._flags() & FLAG_MET:
            done = self._set_base(stored - cursor.number)  # what goes out first follows what the server has
        elif stored == 0:
            done = self._server_is_empty(now)
        else:
            reached = number - (self.sequence_of(number) - stored) % SEQUENCES
            if reached == cursor.number or 0 < self.taken == reached < cursor.number:
                done = True  # what lies between the two was set aside
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
        if done:
            self.may_have = cursor.number
        return done

    def _lacks(self, reached):
        """Tell whether the server lacks anything behind `reached` that it once had: frames set aside it never got.

        It does unless the log still holds all from `reached` on and shows otherwise.
        """
        ring = self.ring
        scout = self.scout
        first = reached if reached else 1
        scout.seq = 0
        scout.number = first - 1
        scout.jumped = True
        scout.enter((ring.block + 1) % ring.device.block_count, 0)
        if ring.peek_from(scout) <= RECORD_NONE or scout.peek_number != first:
            return True
        if reached:
            scout.advance()
        while True:
            kind = ring.peek_from(scout)
            if kind != KIND_RAW or scout.peek_number > self.cursor.number:
                return kind < RECORD_NONE or (kind > RECORD_NONE and scout.peek_number <= self.cursor.number)
            scout.advance()

    def _server_is_empty(self, now):
        if self.cursor.delivered:
            self.health.note(h.SERVER_EMPTY, self.cursor.number, now)
            if self.resends_if_empty:
                return self._rewind(0)
        return True

    def _rewind(self, number):
        """Send again what the server has lost, as far as the log still holds it; whether that could be read."""
        cursor = self.cursor
        before = cursor.number
        done = self.ring.rewind(OUTLET, number)
        again = before - cursor.number
        cursor.delivered = cursor.delivered - again if cursor.delivered > again else 0
        return done

    def _set_base(self, base):
        base %= SEQUENCES
        ring = self.ring
        if not ring.can_write():
            # In a full log results have to go out before there is room again, and the HEAD that is written then says
            # it. A cut before that may store some of them twice.
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
        ring = self.ring
        cursor = self.cursor
        if self.sweeps():
            while True:
                code = self.set_aside(reached, self.reason, now)
                if code == NOT_SET:
                    return False
                if code == SET_ASIDE:
                    break
        while cursor.number < reached:
            kind = ring.peek(OUTLET)
            number = cursor.peek_number
            if kind <= 0 or number > reached:
                break
            if kind == KIND_RESULT and not ring.walk.flags & FLAG_ASIDE:
                self.deliver(number)
                self.health.count(h.RESUMED)
            elif self.set_aside(number + 1, PARKED_UNREADABLE, now) == NOT_SET:
                return False
        self.taken = reached
        if cursor.number < reached:
            self.vouched = reached  # the last record, as long as it cannot be confirmed
        return True
