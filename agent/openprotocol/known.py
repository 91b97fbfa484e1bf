"""What is known of a controller's tightening IDs: a fold of the log, the owner of the controller's part of its memory.

Rules
1. Everything here follows from the records that count, in their order: `stored` for a result, `closed_ids` for a GAP
   record, `load` for what a HEAD or a MEMORY record says. Nothing else changes it, so a start sees what ran before.
2. `top` is the highest ID known; a gap is a range below it of which nothing is stored. A pushed result above top + 1
   opens a gap; one inside a gap is cut out of it.
3. An ID at or below `top` and in no gap says nothing here: it is a repeat, or a controller that counts anew, and which
   of the two the controller is asked (agent.openprotocol.recovery).
4. An ID that is not above `top` and is pushed with a time later than all that are known counts anew: it is the new
   `top`, and all from 1 on in front of it is missing; not one out of a gap while no time of the `top` is known. While
   gaps lie over IDs that may be stored (`FLAG_LOOK`) the latest time stays what it was before: what is earlier is of a
   former life, and for the rest the log is asked. The controller's newest ends that, once no gap is left. The `top`
   itself counts anew only then, and before the newest was heard (`FLAG_UNPROVEN`): else it is an ID that stands still.
   At the latest time itself a record's epoch says whether it does (agent.openprotocol.witness).
5. What is counted as gone is told by an event (agent.openprotocol.untold, agent.gone).

    octet  0       4      5       6      7          11       16        23               45
           |gone   |flags |indexes|epoch |identity  |top BCD |time BCD |gaps            |
"""

from agent.base.compat import ON_CPYTHON, const
from agent.base.fields import all_digits, compare, copy, fill, holds
from agent.base.words import pack_digits, unpack_digits
from agent.openprotocol.gaps import GAP_IDS_MAX, Gaps
from agent.openprotocol.ids import ID_PERIOD, id_of, increment, is_ahead
from agent.openprotocol.untold import (  # noqa: F401
    FLAG_EMPTY,
    FLAG_KNOWN,
    GONE_MOST,
    WHY_ANEW,
    WHY_MANY,
    WHY_NEVER,
    WHY_NONE,
    Untold,
    add_gone,
)
from agent.record import SEVERAL_LEAST
from agent.record.result import (
    FLAG_EDGE_TIME,
    FLAG_RECOVERED,
    FLAG_UNPROVEN,
    HEAD_BYTES,
    ID_BYTES,
    ID_EPOCH,
    TIGHTENING_ID,
    TIME,
    TIME_BYTES,
)
from agent.spool.memory import EPOCH, GAPS, GONE, IDENTITY, INDEXES, TIME_KNOWN, TOP  # noqa: F401 - IDs' own
from agent.spool.memory import ID_FLAGS as FLAGS
from agent.spool.record import KIND_RESULT

VERDICT_NEW = const(0)
VERDICT_LOOK = const(1)  # it may be stored already: look into the log
VERDICT_LATER = const(2)  # new, but there is no room to remember what it leaves open: it has to come again
VERDICT_MISSING = const(3)  # it is missing; while `looks` it may be stored already for all that: look into the log

FLAG_NO_FETCH = const(2)  # the controller knows no MID 0064
FLAG_LOOK = const(4)  # what is fetched may be stored already: look at its time, and into the log

FLAG_TOP_HELD = const(64)  # the result of the highest ID is stored; the latest time is its own, unless that stands

FLAG_UNTIMED = const(128)  # of the highest ID no time was read: one that is missing may be later than the latest known

FLAG_SHARED = const(32)  # its IDs are those of all stations of the controller: a jump leaves nothing open

FLAG_FIRST = const(16)  # the oldest gap reaches in front of its first result: what is gone there was never made

DEFERRED_MOST = const(16)  # pushes that a controller has under way at a time, and more

CLOSED_GONE = const(0)  # why IDs are closed without a result: the controller has them no more
CLOSED_OTHERS = const(2)  # there is nothing of ours: not counted either
CLOSED_HELD = const(3)  # they were stored, before it was in doubt what their IDs mean: not counted either
CLOSED_KEPT = const(1)  # the log has them, though not under their ID: not counted as gone

_KNOWN_OR_EMPTY = const(9)
_BUT_TOP = const(0x3F)  # all flags but those two of the highest ID


class Known(Untold):
    """The IDs of one controller."""

    def __init__(self, memory, enabled=True):
        Untold.__init__(self, memory)
        self.enabled = enabled
        self.gaps = Gaps()
        self.expected = bytearray(ID_BYTES)  # top + 1 as it would come
        self.covered = False  # the newest of this connection is noted: all in front of what is pushed was heard of
        self.deferred = []  # pushes of this connection that were left for later, in their order
        self.unheard = -1  # the highest one of them, until it is looked whether the controller's newest covers it
        self.load()

    # -- the fold ----------------------------------------------------------------------------------------------

    def load(self):
        """The memory was read anew."""
        unpack_digits(self.expected, 0, self.memory, TOP, ID_BYTES)
        increment(self.expected)
        self.gaps.load(self.memory, GAPS, self.memory[FLAGS] & FLAG_FIRST)
        self._compare_untold()

    def stored(self, kind, flags, buf, at, length):
        """The result whose payload lies at buf[at:] counts from now on."""
        at += HEAD_BYTES
        if kind != KIND_RESULT:
            return
        if self.memory[FLAGS] & _KNOWN_OR_EMPTY == FLAG_KNOWN and holds(buf, at + TIGHTENING_ID, self.expected):
            pack_digits(self.memory, TOP, buf, at + TIGHTENING_ID, ID_BYTES)
            increment(self.expected)
            self.hold_top(flags, buf, at)
        elif all_digits(buf, at + TIGHTENING_ID, ID_BYTES):
            if ON_CPYTHON:
                if has_identifiers(buf, at - HEAD_BYTES, length):
                    length = 0  # of one spindle all the same
            if length >= SEVERAL_LEAST:
                from agent.openprotocol.several import stored  # only where results have several spindles

                stored(self, flags, buf, at)
                return
            self._stored_elsewhere(flags, buf, at)

    def closed_ids(self, buf, at):
        """The IDs of the GAP record at buf[at:] will not come: epoch, why, two zeros, first and last ID."""
        if buf[at] != self.memory[EPOCH]:
            return
        first = id_of(buf, at + 4)
        if first == (self.top() + 1) % ID_PERIOD and self.memory[FLAGS] & FLAG_KNOWN:
            self.set_top(buf, at + 14)  # looked for above all that was known
        length = (id_of(buf, at + 14) - first) % ID_PERIOD + 1
        if buf[at + 1] == CLOSED_KEPT:
            self._begin_at(first)
        elif buf[at + 1] == CLOSED_GONE:
            self.gaps.lose(first, length)
            self._count_lost(self.gaps, WHY_NONE)
        self.gaps.cut(first, length)
        self._count_lost(self.gaps, WHY_MANY)
        self._write_gaps()

    def _stored_elsewhere(self, flags, buf, at):
        """Find the place of an ID that is not the expected one."""
        id_at = at + TIGHTENING_ID
        number = id_of(buf, id_at)
        if self.begins_anew(flags, buf, at):
            self._begin_anew(number, buf, id_at)
            return
        counts = self.memory[FLAGS] & (_KNOWN_OR_EMPTY | FLAG_FIRST) == FLAG_KNOWN  # else all its IDs may be one
        if not self.memory[FLAGS] & FLAG_KNOWN:
            self.set_top(buf, id_at)
        elif self.gaps.holding(number) >= 0:
            if counts and number == self.top() and not self.looks():
                self.hold_top(flags, buf, at)
            self._begin_at(number)
            self.gaps.cut(number, 1)
            self._count_lost(self.gaps, WHY_MANY)
            self._write_gaps()
        elif self.is_beyond(number):
            self._open_up_to(number)
            self.set_top(buf, id_at)
            if counts:
                self.hold_top(flags, buf, at)
                return
        elif number != self.top() or flags & FLAG_UNPROVEN:
            return
        else:
            self.memory[FLAGS] &= _BUT_TOP | FLAG_UNTIMED  # it stands still: all its IDs may be one
        if flags & (FLAG_RECOVERED | FLAG_EDGE_TIME) == 0 and not self.looks():
            if number == self.top():
                self.memory[FLAGS] &= ~FLAG_UNTIMED & 0xFF
            self._keep_time(buf, at)

    def begins_anew(self, flags, buf, at):
        """Tell whether the ID of the body at buf[at:] is not above all known, and means another result than it did."""
        if not self.memory[FLAGS] & FLAG_KNOWN or not self.fetches() or flags & (FLAG_RECOVERED | FLAG_EDGE_TIME):
            return False
        if self.is_earlier(buf, at) or not all_digits(buf, at + TIGHTENING_ID, ID_BYTES):
            return False
        if not self.is_later(buf, at) and buf[at - HEAD_BYTES + ID_EPOCH] != (self.memory[EPOCH] + 1) & 0xFF:
            return False  # else the log has shown it (agent.openprotocol.witness)
        number = id_of(buf, at + TIGHTENING_ID)
        if self.gaps.holding(number) >= 0:
            return not self.memory[FLAGS] & (FLAG_LOOK | FLAG_UNTIMED)
        if self.is_beyond(number):
            return False
        return number != self.top() or (self.looks() and flags & FLAG_UNPROVEN != 0)  # else all its IDs may be one

    def _begin_anew(self, number, digits, at):
        """The controller counts anew, and has come to `number`: what is in front of it may be missing."""
        memory = self.memory
        gaps = self.gaps
        if gaps.count and not self.looks():  # some of these were missing before, whatever their time
            fill(memory, TIME_KNOWN, TIME_BYTES, 0)
        memory[EPOCH] = (memory[EPOCH] + 1) & 0xFF
        memory[FLAGS] |= FLAG_LOOK
        gaps.clear()
        self._begun()
        self._count_lost(self.gaps, WHY_ANEW)
        if number > 1:
            gaps.open(1, number - 1)
            self._count_lost(self.gaps, WHY_MANY)
        self.set_top(digits, at)
        self._write_gaps()

    def _open_up_to(self, number):
        """Everything between `top` and `number` is missing; other stations' where all share the IDs.

        Where nothing can be asked for it is gone.
        """
        if self.shares():
            return
        first = self.first_missing(number)
        if self.fetches():
            if self.memory[FLAGS] & FLAG_EMPTY:
                self.memory[FLAGS] |= FLAG_FIRST
                self.gaps.begins = number
            self.gaps.open(first, (number - first) % ID_PERIOD)
            self._count_lost(self.gaps, WHY_MANY)
            self._write_gaps()
        elif self.enabled and not self.memory[FLAGS] & FLAG_EMPTY and number != first:
            self.count_gone(first, (number - first) % ID_PERIOD, WHY_NEVER)

    def _write_gaps(self):
        self.gaps.write(self.memory, GAPS)
        if not self.gaps.reaches_in_front():
            self._begun()

    def _begin_at(self, number):
        """There is a result under an ID that was missing: only what lies in front of it may never have been made."""
        if number == self.gaps.firsts[0]:
            self._begun()

    def _begun(self):
        """What is gone from here on was made once."""
        self.memory[FLAGS] &= ~FLAG_FIRST & 0xFF
        self.gaps.begins = -1

    def set_top(self, digits, at):
        """The ID at digits[at:] is the highest one from now on."""
        self.memory[FLAGS] = (self.memory[FLAGS] | FLAG_KNOWN | FLAG_UNTIMED) & ~(FLAG_EMPTY | FLAG_TOP_HELD) & 0xFF
        pack_digits(self.memory, TOP, digits, at, ID_BYTES)
        copy(self.expected, 0, digits, at, ID_BYTES)
        increment(self.expected)

    def hold_top(self, flags, body, start):
        """The result of the highest ID is stored: while its time is the latest, both tell it when it comes again."""
        memory = self.memory
        held = memory[FLAGS] & _BUT_TOP
        if flags & FLAG_EDGE_TIME:
            memory[FLAGS] = held | FLAG_UNTIMED
            return
        order = 0 if held & FLAG_LOOK else compare(body, start + TIME, memory, TIME_KNOWN, TIME_BYTES)
        if order > 0:
            copy(memory, TIME_KNOWN, body, start + TIME, TIME_BYTES)
        memory[FLAGS] = held | FLAG_TOP_HELD if order >= 0 else held

    def _keep_time(self, body, start):
        if self.is_later(body, start):
            copy(self.memory, TIME_KNOWN, body, start + TIME, TIME_BYTES)

    # -- questions ---------------------------------------------------------------------------------------------

    def verdict(self, body, start):
        """Say whether the pushed result at body[start:] is new by its ID, or has to be looked for in the log."""
        at = start + TIGHTENING_ID
        if not self.memory[FLAGS] & FLAG_KNOWN:
            return VERDICT_LOOK
        if holds(body, at, self.expected) and (not self.deferred or not self._waits(id_of(body, at))):
            return VERDICT_NEW
        if not all_digits(body, at, ID_BYTES):
            return VERDICT_LOOK
        number = id_of(body, at)
        is_missing = self.gaps.holding(number) >= 0
        if not is_missing and not self.is_beyond(number):
            return VERDICT_LOOK
        if is_missing:
            may = not self.gaps.splits(number)
        elif not self.fetches():
            return VERDICT_NEW
        else:
            may = self.covered if self.shares() else self.gaps.fits(self.first_missing(number))
        if not may or self._waits(number):
            if number not in self.deferred and len(self.deferred) < DEFERRED_MOST:
                self.deferred.append(number)
            if self.unheard < 0 or is_ahead(number, self.unheard):
                self.unheard = number
            return VERDICT_LATER
        return VERDICT_MISSING if is_missing else VERDICT_NEW

    def _waits(self, number):
        """Tell whether another push was left for later and is still missing: MID 0062 would be taken for that one's."""
        deferred = self.deferred
        while deferred and not self.is_beyond(deferred[0]) and self.gaps.holding(deferred[0]) < 0:
            deferred.pop(0)
        return len(deferred) > 0 and deferred[0] != number

    def holds_top(self, body, start):
        """Tell whether the pushed result at body[start:] is the one of the highest ID, and stored: the log may not."""
        return (
            self.memory[FLAGS] & (FLAG_TOP_HELD | FLAG_LOOK) == FLAG_TOP_HELD
            and not self.is_earlier(body, start)
            and not self.is_later(body, start)
            and all_digits(body, start + TIGHTENING_ID, ID_BYTES)
            and id_of(body, start + TIGHTENING_ID) == self.top()
        )

    def is_beyond(self, number):
        """Tell whether the ID is above all that are known."""
        return self.memory[FLAGS] & FLAG_EMPTY != 0 or is_ahead(number, self.top())

    def first_missing(self, number):
        """Return the first ID that is missing if `number`, above all that are known, is stored or seen."""
        if not self.memory[FLAGS] & FLAG_EMPTY:
            return (self.top() + 1) % ID_PERIOD
        return (number - GAP_IDS_MAX + 1) % ID_PERIOD  # it may have begun in front of the wrap

    def looks(self):
        """Tell whether what is fetched may be stored already."""
        return self.memory[FLAGS] & FLAG_LOOK != 0

    def shares(self):
        """Tell whether all stations of the controller share its IDs."""
        return self.memory[FLAGS] & FLAG_SHARED != 0

    def fetches(self):
        """Tell whether what is missing can be asked for at all."""
        return self.enabled and not self.memory[FLAGS] & FLAG_NO_FETCH

    def top(self):
        """Return the highest ID known."""
        return (id_of(self.expected, 0) - 1) % ID_PERIOD

    def settled(self):
        """Return the highest ID in front of all that are missing; the first behind them if they begin at 1."""
        gaps = self.gaps
        if gaps.count == 0:
            return self.top()
        return gaps.firsts[0] - 1 if gaps.firsts[0] > 1 else (gaps.firsts[0] + gaps.counts[0]) % ID_PERIOD

    def is_earlier(self, body, start):
        """Tell whether the body's time is earlier than the latest that was pushed."""
        return compare(body, start + TIME, self.memory, TIME_KNOWN, TIME_BYTES) < 0

    def is_later(self, body, start):
        """Tell whether the body's time is later than the latest that was pushed."""
        return compare(body, start + TIME, self.memory, TIME_KNOWN, TIME_BYTES) > 0


if ON_CPYTHON:
    from agent.record.identifiers import has_identifiers
