"""What was missed while nobody listened: finds the holes in the tightening IDs and fetches them, oldest first.

Sans I/O: told of every result that became durable (`stored`), of every answer to MID 0064, and asked what to fetch
next (`want`). Its state is small enough for the spool's memory and is saved by the owner.

Rules (DIGEST D.6, on 003:6535-6557)
1. `top` is the highest ID known; a gap is a range below it of which nothing is stored. A pushed result above top + 1
   opens a gap; one inside a gap is cut out of it. Only 15 (gone) or the result itself closes an ID.
2. An ID at or below `top` and in no gap may be a repeat or a controller that was reset: the owner looks into the log
   by ID and time. What is not found there is stored: never lose one because of its number; and the newest is asked for.
3. After each connect the newest is asked for (ID 0). Forward up to 2**31 is a gap; backward by more than a wrap can
   explain is a reset: epoch + 1, and the start is found by walking back to the last time known.
4. A large gap, a reset and a first meeting that was empty walk back from the newest: until `round_ids` neighbours were
   found gone in a row (WALK_GONE), the last ID known, or a time not above the last one stored.
5. One request at a time; the owner calls when no live result waits. Silence and any refusal but 15 leave the ID open.
6. What is pushed during a walk back only moves the walk's newest end; until the walk is over, and while gaps lie over
   stored IDs, everything is looked for in the log before it is stored.
7. An old ID with a time later than that of the highest one is the sign of a reset (IN_RESET): it is durable with the
   record that showed it, and from then on neither the highest ID nor its time move until a walk by time is over.

    memory  0      1      2      3     4     8        13      20                    47
           | flags| start| subsc| epoch| identity| top BCD| time BCD| agent.openprotocol.gaps 27 |
"""

from agent.base.compat import const
from agent.base.crc import crc30
from agent.base.fields import all_digits, compare, copy, fill, holds
from agent.base.result import FLAG_EDGE_TIME, FLAG_RECOVERED, ID_BYTES, TIGHTENING_ID, TIME, TIME_BYTES, has_time
from agent.base.ticks import Timer
from agent.base.words import get_u32, pack_digits, put_u32, unpack_digits
from agent.openprotocol import replies
from agent.openprotocol.gaps import Gaps
from agent.openprotocol.ids import ID_PERIOD, id_of, increment, is_ahead, put_id

VERDICT_NEW = const(0)
VERDICT_LOOK = const(1)  # at or below the highest ID, in no gap: look into the log
VERDICT_UNSURE = const(2)  # new by its ID, but the IDs cannot be trusted now: look into the log as well

PHASE_IDLE = const(0)
PHASE_NEWEST = const(1)
PHASE_PROBE = const(2)  # ID 0 is not answered there: ask for the next IDs until one is gone
PHASE_WALK_BACK = const(3)
PHASE_FILL = const(4)
PHASE_OFF = const(5)
PHASE_NAMES = ("idle", "asking for the newest", "probing", "walking back", "filling", "off")

NEWS_NONE = const(0)
NEWS_STORE = const(1)  # the fetched result has to be stored
NEWS_GONE = const(2)  # an ID of a gap cannot be had any more
NEWS_RESET = const(3)  # the controller counts anew: epoch + 1
NEWS_SAVE = const(4)  # the state changed otherwise than by a result: save the memory

WALK_GONE = const(100)  # this many IDs in a row gone: nothing older is kept there
RESET_AT = const(100000)  # a step back larger than this is no wrap
NEWEST_LAG = const(16)  # an answer that crossed live results names one of the last few, and no later time

_KNOWN = const(1)
_WAS_EMPTY = const(2)
_IN_RESET = const(8)  # the IDs may have begun anew; what is later than the time in the memory has to be found
_COUNTED = const(16)  # and that is told already
_OVERLAPS = const(4)  # gaps were joined over stored IDs: look before storing

_START_INDEX = const(1)
_RESULT_INDEX = const(2)
_EPOCH = const(3)
_IDENTITY = const(4)
_TOP = const(8)
_TIME = const(13)


class Recovery:
    """The IDs of one controller: what is known, what is missing, what to ask next."""

    def __init__(self, memory, revisions=(2, 1), round_ids=500, retry_ms=30000, store_newest=False, enabled=True):
        self.memory = memory
        self.revisions = revisions
        self.round_ids = round_ids
        self.retry_ms = retry_ms
        self.store_newest = store_newest
        self.enabled = enabled
        self.revision_index = 0
        self.phase = PHASE_IDLE
        self.ask_id = bytearray(b"0" * ID_BYTES)  # what `want` wants fetched
        self.gone = 0
        self._expected = bytearray(ID_BYTES)
        self.gaps = Gaps(memory)
        self._asked = 0  # the ID that the walk back stands at
        self._newest = 0
        self._newest_time = bytearray(TIME_BYTES)
        self._start = 0
        self._low = 0
        self._by_time = False
        self._gone_run = 0
        self._unsure = False  # results above `top` were stored, or some while nothing was known
        self._empty_now = False  # the controller had nothing when it was asked in this connection
        self._online = False
        self._checked = False  # the newest was asked for again in this connection
        self._waiting = False  # for an answer
        self._stale = False  # that answer is to a question of no more interest
        self._retry = Timer()
        self.load()

    # -- memory ------------------------------------------------------------------------------------------------

    def load(self):
        """Take the state over from the memory."""
        memory = self.memory
        unpack_digits(self._expected, 0, memory, _TOP, ID_BYTES)
        increment(self._expected)
        self.gaps.load()

    def load_from(self, page, at):
        """Take the memory over from a record of the log."""
        copy(self.memory, 0, page, at, len(self.memory))
        self.load()

    def distrust(self):
        """The memory may be older than the log: look into the log before storing anything fetched."""
        self.memory[0] |= _OVERLAPS

    def must_look(self):
        """Tell whether a fetched result may be stored already."""
        return self.memory[0] & _OVERLAPS != 0

    def epoch(self):
        """Return how often the controller has begun to count anew, 0..255."""
        return self.memory[_EPOCH]

    def open_ids(self):
        """Return how many IDs are missing."""
        return self.gaps.total()

    # -- what becomes durable ----------------------------------------------------------------------------------

    def verdict(self, body, start):
        """Say whether a pushed result is new by its ID, or has to be looked for in the log."""
        at = start + TIGHTENING_ID
        state = self.memory[0]
        if state & _KNOWN and not state & _IN_RESET and holds(body, at, self._expected):
            return VERDICT_NEW
        return self._verdict_elsewhere(body, at) if all_digits(body, at, ID_BYTES) else VERDICT_NEW

    def _verdict_elsewhere(self, body, at):
        """The verdict on an ID that is not the expected one."""
        fresh = VERDICT_UNSURE if self.memory[0] & _OVERLAPS else VERDICT_NEW
        if not self.memory[0] & _KNOWN or self.memory[0] & _IN_RESET:
            return fresh
        number = id_of(body, at)
        if self.gaps.holding(number) >= 0 or is_ahead(number, self._top()):
            return fresh
        return VERDICT_LOOK

    def stored(self, body, start, flags=0):
        """A result became durable; also called for every result of the log behind the memory at a start.

        `flags` are its record's: what was fetched, or carries the agent's own time, proves nothing about a reset.
        """
        at = start + TIGHTENING_ID
        if self.phase == PHASE_WALK_BACK or self.memory[0] & _IN_RESET:
            if all_digits(body, at, ID_BYTES):
                self._stored_in_doubt(body, at, start + TIME)
        elif self.memory[0] & _KNOWN and holds(body, at, self._expected):
            pack_digits(self.memory, _TOP, body, at, ID_BYTES)
            increment(self._expected)
            self._keep_time(body, start + TIME)
        elif all_digits(body, at, ID_BYTES):
            if self._stored_elsewhere(body, at, start + TIME, flags & (FLAG_RECOVERED | FLAG_EDGE_TIME) == 0):
                self._keep_time(body, start + TIME)

    def _stored_elsewhere(self, body, at, time_at, proves):
        """Find the place of an ID that is not the expected one; whether it is the highest now."""
        number = id_of(body, at)
        if not self.memory[0] & _KNOWN:
            if not self.memory[0] & _WAS_EMPTY or self._empty_now or not self._asks():
                self._set_top(body, at)
                return True
            self._doubt(number, body, time_at)  # pushed before the newest was told: find what lies below it
            return False
        gap = self.gaps.holding(number)
        if gap >= 0:
            self._close_id(gap, number)
            if not proves or not self._is_later(body, time_at):
                return False
        elif is_ahead(number, self._top()):
            first = (self._top() + 1) % ID_PERIOD
            if number != first:
                self._open_gap(first, (number - first) % ID_PERIOD)
            self._set_top(body, at)
            return True
        elif not proves or not self._is_later(body, time_at):
            if not self._checked:
                self._checked = True
                self._ask_newest()
            return False
        if not self._asks():  # nothing will be fetched: go on from here
            self._set_top(body, at)
            return True
        self.memory[0] |= _IN_RESET
        self._doubt(number, body, time_at)
        self._ask_newest()
        return False

    def _stored_in_doubt(self, body, at, time_at):
        """A result that came while the walk back is not over."""
        number = id_of(body, at)
        memory = self.memory
        if not self._asks():
            memory[0] &= ~(_IN_RESET | _COUNTED) & 0xFF
            self._set_top(body, at)
            self._keep_time(body, time_at)
        elif self.phase != PHASE_WALK_BACK or is_ahead(number, self._newest):
            self._doubt(number, body, time_at)
        else:
            self._doubt(self._newest, self._newest_time, 0)
            plain = memory[0] & _KNOWN and not memory[0] & _IN_RESET
            if plain and not is_ahead(number, self._top()) and self._is_later(body, time_at):
                memory[0] |= _IN_RESET
                self._ask_newest()

    def _doubt(self, newest, body, time_at):
        self._newest = newest
        copy(self._newest_time, 0, body, time_at, TIME_BYTES)
        self._unsure = True
        self.memory[0] |= _OVERLAPS

    def _asks(self):
        return self.enabled and self.phase != PHASE_OFF

    def _ask_newest(self):
        if self._online and self._asks():
            self._stale = self._waiting
            self.phase = PHASE_NEWEST

    # -- asking ------------------------------------------------------------------------------------------------

    def opened(self, identity):
        """A session is ready: ask for the newest. `identity` is the 41 octets of the session; name not counted."""
        value = crc30(identity, 31, 41, crc30(identity, 0, 6))
        memory = self.memory
        if memory[0] & _KNOWN and get_u32(memory, _IDENTITY) != value:
            memory[0] |= _OVERLAPS  # another controller, or its serial was not told before: trust no number
        put_u32(memory, _IDENTITY, value)
        self._retry.stop()
        self.gaps.begin()
        self._online = True
        self._checked = False
        if self.enabled and self.phase != PHASE_OFF:
            self.phase = PHASE_NEWEST

    def closed(self):
        """The session is over; what is open stays open."""
        if self.phase != PHASE_OFF:
            self.phase = PHASE_IDLE
        self._retry.stop()
        self._online = False
        self._empty_now = False
        self._waiting = False
        self._stale = False

    def seeks(self):
        """Tell whether something is to be asked for, now or later."""
        phase = self.phase
        return (phase != PHASE_IDLE and phase != PHASE_OFF) or (self.gaps.count > 0 and self.enabled)

    def want(self, now):
        """Tell whether the ID in `ask_id` should be fetched now."""
        phase = self.phase
        if phase == PHASE_IDLE and self.gaps.count and self.enabled:
            phase = self.phase = PHASE_FILL
        if phase == PHASE_IDLE or phase == PHASE_OFF:
            return False
        if self._retry.armed:
            if not self._retry.expired(now):
                return False
            self._retry.stop()
        if phase == PHASE_FILL and not self.gaps.step():
            if not self.gaps.count:
                self.phase = PHASE_IDLE
            else:
                self.gaps.begin()
                self._retry.start(now, self.retry_ms)
            return False
        self._waiting = True
        if phase == PHASE_NEWEST:
            fill(self.ask_id, 0, ID_BYTES, 0x30)
        elif phase == PHASE_PROBE:
            copy(self.ask_id, 0, self._expected, 0, ID_BYTES)
        else:
            put_id(self.ask_id, self.gaps.asked if phase == PHASE_FILL else self._asked)
        return True

    def wait_least(self, now, ms):
        """Return the ms until `want` may change its mind by time alone, or `ms` if that is less."""
        return self._retry.least(now, ms) if self._retry.armed else ms

    def revision(self):
        """Return the revision to ask in."""
        return self.revisions[self.revision_index]

    # -- answers -----------------------------------------------------------------------------------------------

    def fetched(self, body, start):
        """Take the answer to what `want` asked for; returns a NEWS_."""
        if self._is_stale():
            return NEWS_NONE
        at = start + TIGHTENING_ID
        if not all_digits(body, at, ID_BYTES):
            self.phase = PHASE_IDLE
            return NEWS_NONE
        if self.phase == PHASE_FILL or self.phase == PHASE_PROBE:
            # It may have been pushed while the answer was on its way.
            number = id_of(body, at)
            return NEWS_STORE if self.gaps.holding(number) >= 0 or is_ahead(number, self._top()) else NEWS_NONE
        if self.phase == PHASE_NEWEST:
            return self._learn_newest(body, start, id_of(body, at))
        if self.phase == PHASE_WALK_BACK:
            self._gone_run = 0
            if self._by_time and has_time(body, start) and not self._is_later(body, start + TIME):
                return self._walked()
            self._start = self._asked
            return self._walk_on()
        return NEWS_NONE

    def refused(self, kind, now):
        """Take a refusal of the REFUSED_ class `kind`; returns a NEWS_."""
        if self._is_stale():
            return NEWS_NONE
        if kind == replies.REFUSED_REVISION:
            self.revision_index += 1
            if self.revision_index == len(self.revisions):
                self.revision_index = 0
                self.phase = PHASE_OFF
            return NEWS_NONE
        if kind == replies.REFUSED_NEVER:
            self.phase = PHASE_OFF
            return NEWS_NONE
        if kind != replies.REFUSED_GONE:
            self.silent(now)
            return NEWS_NONE
        if self.phase == PHASE_NEWEST:
            return self._newest_refused()
        if self.phase == PHASE_PROBE:
            self.phase = PHASE_IDLE
        elif self.phase == PHASE_WALK_BACK:
            self._gone_run += 1
            return self._walked() if self._gone_run >= WALK_GONE else self._walk_on()
        elif self.phase == PHASE_FILL:
            gap = self.gaps.holding(self.gaps.asked)
            if gap >= 0:
                self.gone += 1
                self._close_id(gap, self.gaps.asked)
                return NEWS_GONE
        return NEWS_NONE

    def _newest_refused(self):
        """There are no results, or ID 0 is not known there."""
        if self.memory[0] & _IN_RESET and self._unsure:
            return self._walk_by_time(self._newest)
        if self.memory[0] & _KNOWN:
            self.phase = PHASE_PROBE
            return NEWS_NONE
        self._by_time = False
        if self._unsure:
            return self._walk_from(self._newest, 0)
        self.phase = PHASE_IDLE
        self.memory[0] |= _WAS_EMPTY
        self._empty_now = True
        return NEWS_SAVE

    def kept_raw(self):
        """What was fetched could not be read and is kept as it came: its ID is closed. Returns a NEWS_."""
        gap = self.gaps.holding(self.gaps.asked)
        if self.phase == PHASE_PROBE:
            self._set_top(self._expected, 0)
        elif gap >= 0:
            self._close_id(gap, self.gaps.asked)
        return NEWS_SAVE

    def silent(self, now):
        """No answer, or one that may change: the ID stays open. A fill tries the next one, the rest waits."""
        if not self._is_stale() and self.phase != PHASE_FILL:
            self._retry.start(now, self.retry_ms)

    def _is_stale(self):
        stale = self._stale
        self._waiting = False
        self._stale = False
        return stale

    # -- the newest, and the way back --------------------------------------------------------------------------

    def _learn_newest(self, body, start, newest):
        at = start + TIGHTENING_ID
        memory = self.memory
        if self._unsure and is_ahead(self._newest, newest):
            newest = self._newest  # pushed while the answer was on its way
        else:
            copy(self._newest_time, 0, body, start + TIME, TIME_BYTES)
        if not memory[0] & _KNOWN:
            self._newest = newest
            self._by_time = False
            if memory[0] & _WAS_EMPTY:
                return self._walk_from(newest, 0)
            if self.store_newest:
                self._open_gap(newest, 1)
            self._set_top(body, at)
            self._keep_time(body, start + TIME)
            self.phase = PHASE_IDLE
            return NEWS_SAVE
        top = self._top()
        ahead = (newest - top) % ID_PERIOD
        later = self._is_later(self._newest_time, 0)
        if memory[0] & _IN_RESET and later:
            return self._walk_by_time(newest)
        memory[0] &= ~_IN_RESET & 0xFF
        if ahead == 0 or ((top - newest) % ID_PERIOD <= NEWEST_LAG and not later):
            self.phase = PHASE_IDLE
            self._trust()
            return NEWS_NONE
        if ahead > ID_PERIOD // 2 or (newest < top and ahead > RESET_AT):
            return self._walk_by_time(newest)
        self._by_time = False
        if ahead > self.round_ids:
            return self._walk_from(newest, (top + 1) % ID_PERIOD)
        self._open_gap((top + 1) % ID_PERIOD, ahead)
        put_id(self._expected, newest)
        self._set_top(self._expected, 0)
        self._keep_time(self._newest_time, 0)
        self._trust()
        self.phase = PHASE_FILL
        return NEWS_SAVE

    def _walk_by_time(self, newest):
        """The IDs count anew: fetch all that is later than the last one known of before."""
        memory = self.memory
        self._by_time = True
        told = memory[0] & _COUNTED
        if not told:
            memory[_EPOCH] = (memory[_EPOCH] + 1) & 0xFF
        memory[0] |= _IN_RESET | _COUNTED | _OVERLAPS
        news = self._walk_from(newest, 0)
        return news if told else NEWS_RESET

    def _walk_from(self, newest, low):
        self._newest = newest
        self._start = newest
        self._low = low
        self._asked = newest
        self._gone_run = 0
        self.phase = PHASE_WALK_BACK
        return self._walk_on()

    def _walk_on(self):
        # Below 1 the IDs go on only where the way back leads over the wrap; 0 itself cannot be asked for.
        if self._asked == self._low or (self._asked == 1 and self._low <= self._newest):
            return self._walked()
        self._asked = self._asked - 1 if self._asked > 1 else ID_PERIOD - 1
        return NEWS_NONE

    def _walked(self):
        count = (self._newest - self._start) % ID_PERIOD + 1
        self._open_gap(self._start, count)
        put_id(self._expected, self._newest)
        self._set_top(self._expected, 0)
        self._keep_time(self._newest_time, 0)
        self.phase = PHASE_FILL
        self.gaps.begin()
        self._unsure = False
        self.memory[0] &= ~(_IN_RESET | _COUNTED) & 0xFF
        return NEWS_SAVE

    def _open_gap(self, first, count):
        if self.gaps.open(first, count):
            self.memory[0] |= _OVERLAPS

    def _close_id(self, gap, number):
        if self.gaps.cut_out(gap, number):
            self.memory[0] |= _OVERLAPS
        if not self._unsure:
            self._trust()

    def _trust(self):
        """Whatever was stored in doubt lies in a gap, or below the highest ID, now."""
        self._unsure = False
        if self.gaps.count == 0:
            self.memory[0] &= ~_OVERLAPS & 0xFF

    # -- top and time ------------------------------------------------------------------------------------------

    def _top(self):
        return (id_of(self._expected, 0) - 1) % ID_PERIOD

    def _set_top(self, digits, at):
        self.memory[0] |= _KNOWN
        pack_digits(self.memory, _TOP, digits, at, ID_BYTES)
        if digits is not self._expected:
            copy(self._expected, 0, digits, at, ID_BYTES)
        increment(self._expected)

    def _keep_time(self, body, at):
        if self._is_later(body, at):
            copy(self.memory, _TIME, body, at, TIME_BYTES)

    def _is_later(self, body, at):
        """Tell whether the packed time at body[at:] is later than the latest stored."""
        return compare(body, at, self.memory, _TIME, TIME_BYTES) > 0
