"""A log of which several results are out at once: what ToolsNet has of them, and what nobody can tell.

Rules
1. The log says durably that several may be out (FLAG_WINDOW) before a second one goes out, and says so until an 08 has
   settled them.
2. The numbers that are out lie within WINDOW_MOST, however many of them nobody has. So after a start only these are in
   doubt: what lies further in front of the one that the 08 names was settled before that one went out.
3. Of what lies in front of the one that the 08 names, an answer that was read tells. What has none may be stored or
   refused, and nobody can be asked (docs/decisions.md): it is set aside, PARKED_IN_DOUBT.
"""

from agent import health as h
from agent.outlets.toolsnet.beside import AnyOutlet
from agent.outlets.toolsnet.position import FLAG_SWEEP, NOT_SET, OUTLET
from agent.outlets.toolsnet.row import UNANSWERED
from agent.quarantine import PRESSURE_NONE
from agent.record.result import PARKED_IN_DOUBT
from agent.spool.cursors import Cursor
from agent.spool.memory import OUTLET_FLAGS
from agent.spool.record import KIND_RESULT, RECORD_NONE

CPYTHON_ONLY = True  # on a board one result is out at a time

WINDOW_MOST = 8
FLAG_WINDOW = 4


def was_left_open(ring):
    """Tell whether this log says that several results may be out."""
    return ring.memory[OUTLET_FLAGS] & FLAG_WINDOW != 0


class WindowOutlet(AnyOutlet):
    """A log of which several results are out at once.

    `row` has those that are. `left_open` has those that were and are not settled: one was refused, or the connection
    is gone.
    """

    def __init__(self, ring, quarantine, health, cursor_batch, rewinds, resends_if_empty):
        AnyOutlet.__init__(self, ring, quarantine, health, cursor_batch, rewinds, resends_if_empty)
        self.row = []
        self.left_open = []
        self.ahead = Cursor()  # behind the last one that is out
        self.in_doubt = 0  # results set aside because nobody knows what became of them

    def says_open(self):
        """Tell whether the log says that several results may be out."""
        return was_left_open(self.ring)

    def open(self):
        """Have the log say that several results may be out; whether it does."""
        self.ahead.stand_at(self.cursor)
        if self.says_open():
            return True
        last = self._batch_from(self.cursor.number + 1)
        last = last if last > self.cursor.limit else self.cursor.limit
        return self._save(last, self._flags() & ~FLAG_SWEEP | FLAG_WINDOW)

    def shut(self):
        """Have it say that one is out at a time; whether it does. Else a start doubts more than it has to."""
        return self._save(self.cursor.limit, self._flags() & ~FLAG_WINDOW)

    def may_open(self, least):
        """Tell whether so many results wait, and all of them can be relied on."""
        ring = self.ring
        much = ring.number - self.cursor.number >= least
        return much and not ring.suspect and self.vouched <= self.cursor.number and self.has_room()

    def has_room(self):
        """Tell whether what may be in doubt some day finds room, and what the log has to say of it."""
        quarantine, ring = self.quarantine, self.ring
        is_tidy = not self.has_untidied() and quarantine.pressure() == PRESSURE_NONE
        return is_tidy and ring.are_free(2 + ring.spare_blocks)

    def next_ahead(self):
        """Find the next result behind the last one that is out: its number, 0 if the next is none or too far ahead."""
        if self.ahead.number < self.cursor.number:  # what was overwritten meanwhile
            self.ahead.stand_at(self.cursor)
        if self.ahead.number >= self.ring.number or self._read(self.ahead) != KIND_RESULT:
            return 0
        number = self.ahead.peek_number
        return number if not self.row or number - self.row[0].number < WINDOW_MOST else 0

    def goes_out(self, number):
        """Result `number` is sent now; what was overwritten while others were out may still be delivered."""
        gone_from = self.cursor.gone_from
        AnyOutlet.goes_out(self, number)
        if self.row:
            self.cursor.gone_from = gone_from

    def deliver(self, number):
        """The server has acknowledged result `number`, or vouches for it; others may be out behind it."""
        cursor = self.cursor
        AnyOutlet.deliver(self, number)
        if (self.row or self.left_open) and number < cursor.gone_to:
            cursor.gone_from = number

    def pass_delivered(self, number):
        """The server has acknowledged result `number`: pass it; False if the log cannot be read just now."""
        if self.cursor.number < number and self.ring.peek(OUTLET) < RECORD_NONE:
            return False
        self.deliver(number)
        self.health.count(h.DELIVERED)
        return True

    # -- where the server stands -------------------------------------------------------------------------------

    def resume(self, stored, now):
        """Set the cursor by the sequence that the 08 names; False if that could not be written down."""
        done = AnyOutlet.resume(self, stored, now)
        if done:
            self.left_open = []
            if self.says_open():
                self.shut()
        return done

    def _doubt_about(self, number, reached):
        """Return 0 if the server has result `number`, as its 08 names `reached`, else why it is set aside."""
        if number == reached or number <= reached - WINDOW_MOST:
            return 0
        for out in self.left_open:
            if out.number == number and out.code != UNANSWERED:
                return out.code
        return PARKED_IN_DOUBT

    def _regain(self, reached):
        """What was overwritten before the server could be asked, and what it surely has of that: it was delivered."""
        cursor = self.cursor
        if not self.says_open() or self.sweeps():
            AnyOutlet._regain(self, reached)
            return
        last = min(cursor.gone_to, reached)
        if last > cursor.gone_from and reached <= self.may_have:
            numbers = range(cursor.gone_from + 1, last + 1)
            self.regained += sum(self._doubt_about(number, reached) == 0 for number in numbers)
            cursor.gone_from = last

    def _take_as_stored(self, reached, now):
        """The server has number `reached`; what is in front of it was stored, refused, or nobody knows."""
        if not self.says_open() or self.sweeps():
            return AnyOutlet._take_as_stored(self, reached, now)
        cursor = self.cursor
        while cursor.number < reached:
            kind = self._read(cursor)
            number = cursor.peek_number
            if kind <= RECORD_NONE or number > reached:
                break
            reason = self._doubt_about(number, reached) if kind == KIND_RESULT else 0
            if reason == 0:
                if not AnyOutlet._take_as_stored(self, number, now):
                    return False
            elif self.set_aside(number + 1, reason, now) == NOT_SET:
                return False
            else:
                self.in_doubt += reason == PARKED_IN_DOUBT
        return AnyOutlet._take_as_stored(self, reached, now)
