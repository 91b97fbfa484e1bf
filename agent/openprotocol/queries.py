"""Low-priority queries to a controller: what its clock says, and which limits a parameter set has.

Rules
1. One request at a time, when the recovery asks nothing and no input waits; each is sent once. A result never waits for
   one: it is taken and answered while a request is outstanding.
2. The clock is asked for on each connection and once a day (MID 0080), and only while our own is kept by ToolsNet or
   NTP. How far it is ahead is shown; more than APART_S is noted. It is set (MID 0082) only where the settings say so,
   once each time, and asked for again.
3. Results of revision 999 carry no limits. Those of a parameter set are asked for (MID 0012) when a result with an
   unknown set has come, and appended to every later result with the same date of last change. A set without such a
   date, and set 0, gets none: it could not be said whether they still hold.
4. A new connection forgets all limits and asks again for the sets it knew: they may have been changed meanwhile.
   A set that is rejected, or not answered, is not asked for again before the next connection or another date.

Imported where the settings want one of the two.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, copy, fill, number
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol import error_codes
from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.openprotocol.parameter_ids import end_of
from toolcart.agent.openprotocol.session_states import EV_QUERY, EV_QUERY_REJECTED, EV_QUERY_SILENT
from toolcart.agent.record import result as res

APART_S = const(5)  # a clock that is never set drifts this much in a week or two
DAY_MS = const(86400000)
AGAIN_MS = const(600000)  # where our own clock is not set yet, or the controller puts us off
LATER_MS = const(5000)  # after a rejection for the moment
SETS = const(16)  # parameter sets whose limits are known at a time
APART_MOST_S = const(999999999)

CLOCK = (80, 81, 39, False, 0, 0, True, EV_QUERY, EV_QUERY_SILENT, EV_QUERY_REJECTED, rq.REPORT)
CLOCK_SET = (82, rq.DONE, 24, False, 19, 0, True, EV_QUERY, EV_QUERY_SILENT, EV_QUERY_REJECTED, rq.REPORT_OR_DONE)
LIMITS = (12, 13, 104, True, 3, 0, True, EV_QUERY, EV_QUERY_SILENT, EV_QUERY_REJECTED, rq.REPORT)

_DATA = const(20)  # of a message

# MID 0013 in revisions 1, 2 and 5 (OP 5.3.4 p. 83-84): place in the message, place in the limits, width.
_PSET = const(22)
_FIELDS = b"\x03\x99\x01\x02\x06\x06\x06\x05\x05\x05"  # of MID 0013 (toolcart.agent.openprotocol.parameter_ids)
_MOVES = (
    (61, res.TORQUE_MIN, 6),
    (69, res.TORQUE_MAX, 6),
    (77, res.TORQUE_TARGET, 6),
    (85, res.ANGLE_MIN, 5),
    (92, res.ANGLE_MAX, 5),
    (99, res.ANGLE_TARGET, 5),
)
_CHANGE_REVISION = const(5)  # carries the date of the last change as well
_CHANGE = const(122)
_CHANGE_END = const(141)
_REVISIONS = (5, 1)
ASKED = const(-1)  # in place of the ms until something is due
OTHER_LAYOUT = (3, 4)  # of Toyota (OP 5.3.4 p. 84-85)

# A parameter set: its number (4 digits), its date of last change, its limits, and what is known of it.
_SET_CHANGE = const(4)
_SET_LIMITS = const(23)
_SET_STATE = const(60)
_SET_BYTES = const(61)
_WANTED = const(1)
_KNOWN = const(2)
_REJECTED = const(3)


class Queries:
    """The queries of one station; `clock` and `limits` are None where they are not wanted."""

    def __init__(self, board, checks_clock, sets_clock, asks_limits):
        self.clock = ClockCheck(board, sets_clock) if checks_clock else None
        self.limits = ParameterSetLimits() if asks_limits else None

    def opened(self, now):
        """A session is ready."""
        if self.clock is not None:
            self.clock.opened(now)
        if self.limits is not None:
            self.limits.opened()

    def look(self, session, now, left):
        """Ask what is due; return ASKED if something was asked, else the ms until something is due, at most `left`."""
        if not session.can_fetch():
            return left
        if self.limits is not None and self.limits.ask(session, now):
            return ASKED
        if self.clock is not None and self.clock.ask(session, now):
            return ASKED
        if self.limits is not None:
            left = self.limits.later.least(now, left)
        return left if self.clock is None else self.clock.due.least(now, left)

    def take(self, event, session, counters, now):
        """Take an EV_QUERY: the answer to what was asked, or that there is none."""
        query = self.limits if session.request.row is LIMITS else self.clock
        query.take(event, session, counters, now)  # type: ignore - it was asked, so it is there


class ClockCheck:
    """Compares the controller's clock with our own."""

    def __init__(self, board, sets):
        self.ahead_s = None  # how far the controller's is ahead; None: not known
        self.due = Timer()
        self._board = board
        self._sets = sets
        self._was_set = False  # MID 0082 was accepted a moment ago
        self._wants_set = False  # it is asked next, or was asked last
        self._stamp = bytearray(res.STAMP_BYTES)

    def opened(self, now):
        """A connection begins: it may be another controller."""
        self.ahead_s = None
        self._was_set = self._wants_set = False
        self.due.start(now, 0)

    def ask(self, session, now):
        """Ask for the clock, or set it, if that is due; True if it was."""
        if not self.due.expired(now):
            return False
        if not self._is_sure():
            self.due.start(now, AGAIN_MS)
            return False
        self.due.stop()
        if self._wants_set:
            self._board.stamp_into(self._stamp)
            session.request.ask(CLOCK_SET, 82, 82, 1, self._stamp, 1)
        else:
            session.request.ask(CLOCK, 80, 80, 1, b"", 1)
        return True

    def take(self, event, session, counters, now):
        """Take the answer to MID 0080 or 0082."""
        was_set, self._was_set = self._was_set, False
        wanted, self._wants_set = self._wants_set, False
        later = event == EV_QUERY_REJECTED and session.received.rejection == error_codes.REJECTED_LATER
        self.due.start(now, AGAIN_MS if later else DAY_MS)
        if event != EV_QUERY:
            return
        if wanted:
            self._was_set = True
            counters.note(counter.CLOCK_SET, _small(self.ahead_s), now)
            self.due.start(now, 0)
            return
        buf = session.link.buf
        at = session.link.at + _DATA
        self._board.stamp_into(self._stamp)
        if not res.is_time(buf, at) or not res.is_time(self._stamp, 0):
            counters.note(counter.CONTROLLER_MALFORMED, session.received.mid, now)
            return
        self.ahead_s = _seconds_apart(buf, at, self._stamp)
        if abs(self.ahead_s) > APART_S:
            counters.note(counter.CLOCK_APART, _small(self.ahead_s), now)
            if self._sets and not was_set:
                self._wants_set = True
                self.due.start(now, 0)

    def _is_sure(self):
        """True if our own clock was set by ToolsNet or NTP."""
        is_set = getattr(self._board, "clock_is_set", None)
        return is_set is not None and is_set()


class ParameterSetLimits:
    """The limits of the parameter sets that results came with."""

    def __init__(self):
        self.later = Timer()
        self._sets = bytearray(SETS * _SET_BYTES)
        self._places = {}  # where the entry of a parameter set begins, by its number
        self._next = 0  # where the next one is put: in the place of the oldest
        self._asked = -1
        self._data = bytearray(3)
        self._index = 0  # of the revision
        self._wants = False  # one of them is to be asked for
        self._is_off = False  # this controller knows no MID 0012

    def opened(self):
        """Rule 4."""
        self._asked = -1
        self._index = 0
        self._is_off = False
        self._wants = len(self._places) > 0
        self.later.stop()
        for at in range(_SET_STATE, len(self._sets), _SET_BYTES):
            self._sets[at] = _WANTED

    def put(self, stage, body):
        """Append its limits to the result at stage[body:] if they are known; return their length, else 0."""
        pset = number(stage, body + res.PSET, 4)
        at = self._places.get(pset, -1)
        sets = self._sets
        if at < 0 or compare(sets, at + _SET_CHANGE, stage, body + res.PSET_CHANGE, res.STAMP_BYTES) != 0:
            self.want(pset, stage, body + res.PSET_CHANGE)
            return 0
        if sets[at + _SET_STATE] != _KNOWN:
            return 0
        copy(stage, body + res.BODY_BYTES, sets, at + _SET_LIMITS, res.LIMITS_BYTES)
        return res.LIMITS_BYTES

    def want(self, pset, buf, change):
        """Have this parameter set, whose date of last change is at buf[change:], asked for when there is time."""
        if pset <= 0 or not res.is_time(buf, change):
            return
        at = self._places.get(pset, -1)
        sets = self._sets
        if at < 0:
            at = self._next
            self._next = (at + _SET_BYTES) % len(sets)
            before = number(sets, at, 4)
            if before in self._places:
                del self._places[before]
            self._places[pset] = at
            for place in range(3, -1, -1):
                sets[at + place] = 0x30 + pset % 10
                pset //= 10
        elif compare(sets, at + _SET_CHANGE, buf, change, res.STAMP_BYTES) == 0:
            return
        copy(sets, at + _SET_CHANGE, buf, change, res.STAMP_BYTES)
        sets[at + _SET_STATE] = _WANTED
        self._wants = True
        if at == self._asked:
            self._asked = -1  # the answer will be that of another set, or of this one as it was

    def ask(self, session, now):
        """Ask for the next set that is wanted; True if there was one."""
        if not self._wants or self._is_off or (self.later.armed and not self.later.expired(now)):
            return False
        self.later.stop()
        for at in self._places.values():
            if self._sets[at + _SET_STATE] == _WANTED:
                self._asked = at
                copy(self._data, 0, self._sets, at + 1, 3)
                session.request.ask(LIMITS, 12, 12, _REVISIONS[self._index], self._data, 1)
                return True
        self._wants = False
        return False

    def take(self, event, session, counters, now):
        """Take the answer to MID 0012."""
        at = self._asked
        self._asked = -1
        if at < 0:
            return
        sets = self._sets
        if event == EV_QUERY_REJECTED:
            self._rejected(at, session.received.rejection, now)
            return
        if event != EV_QUERY or session.received.revision in OTHER_LAYOUT:
            sets[at + _SET_STATE] = _REJECTED
            return
        link = session.link
        buf = link.buf
        start = link.at
        if not end_of(_FIELDS, len(_FIELDS), buf, start + _DATA, start + link.length):  # e.g. its name is wider
            sets[at + _SET_STATE] = _REJECTED
            return
        if compare(buf, start + _PSET, self._data, 0, 3) != 0:
            counters.note(counter.CONTROLLER_UNKNOWN, session.received.mid, now)
            self.later.start(now, LATER_MS)
            return
        if session.received.revision == _CHANGE_REVISION and link.length >= _CHANGE_END:
            copy(sets, at + _SET_CHANGE, buf, start + _CHANGE, res.STAMP_BYTES)
        fill(sets, at + _SET_LIMITS, res.LIMITS_BYTES)
        for place, to, width in _MOVES:
            if all_digits(buf, start + place, width):
                copy(sets, at + _SET_LIMITS + to, buf, start + place, width)
        sets[at + _SET_STATE] = _KNOWN

    def _rejected(self, at, rejection, now):
        if rejection == error_codes.REJECTED_REVISION and self._index + 1 < len(_REVISIONS):
            self._index += 1
        elif rejection == error_codes.REJECTED_REVISION or rejection == error_codes.REJECTED_NEVER:
            self._is_off = True
        elif rejection == error_codes.REJECTED_LATER or rejection == error_codes.REJECTED_BUSY:
            self.later.start(now, LATER_MS)
        else:
            self._sets[at + _SET_STATE] = _REJECTED


def _small(seconds):
    return max(-APART_MOST_S, min(APART_MOST_S, seconds))


def _seconds_apart(one, at, other):
    """Return by how many seconds the time at one[at:] is ahead of the one at other[0:]."""
    days = _day(one, at) - _day(other, 0)
    return days * 86400 + _second(one, at) - _second(other, 0)


def _day(buf, at):
    """Return the day of the time at buf[at:], counted from a fixed one."""
    year = number(buf, at, 4)
    month = number(buf, at + 5, 2)
    if month < 3:  # a year begins in March: a leap day is its last
        year -= 1
        month += 12
    return year * 365 + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + number(buf, at + 8, 2)


def _second(buf, at):
    return (number(buf, at + 11, 2) * 60 + number(buf, at + 14, 2)) * 60 + number(buf, at + 17, 2)


assert _SET_STATE == _SET_LIMITS + res.LIMITS_BYTES and _SET_LIMITS == _SET_CHANGE + res.STAMP_BYTES
