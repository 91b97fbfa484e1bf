"""What a controller says it keeps (MID 0902 and 0067, by MID 0006): where the missing IDs begin that it still has.

    0006 for 0902 | 0902 | revision 001 | 00 |
    0902   octet 20       30         40         59         69         88
                 | capacity| oldest ID| its time| newest ID| its time| fields      (003 has none: release 2.17)
    0006 for 0067 | 0067 | revision 001 | 13 | index 10, 0 for the newest | how many 3 |
    0067   octet 20    23
                 | count| per result, ascending: ID 10, time 19, status 1          (release 2.11)

Rules
1. Asked only where the way back would be walked else, a question for each ID (agent.openprotocol.missing). One of the
   two messages a connection: the one that was not answered is never asked for again, and after both nothing is.
2. An answer is a claim. It is looked at only if it is whole and does not contradict itself, and if its newest is the
   one that MID 0064 has named, or one of the few behind all known: what is counted there are tightenings, and ours.
3. A claim is proven before anything follows from it: the oldest ID that is named is answered by MID 0064, the
   BELOW_ASKED in front of it and the first of all that are missing are not. Then what lies in front of it is gone. Any
   other answer, or none, ends the claim, and the way back is walked.
4. MID 0066 is not asked: a number of results says neither which they are nor since when.

Imported where a large gap is first met.
"""

from agent.base.compat import const
from agent.base.fields import all_digits, compare, number
from agent.base.words import pack_time
from agent.openprotocol import known as kn
from agent.openprotocol import requests as rq
from agent.openprotocol.ids import ID_PERIOD, id_of, is_ahead
from agent.openprotocol.questions import NEWEST_LAG, PHASE_FILL, PHASE_IDLE, PHASE_KEPT, PHASE_OLDEST
from agent.record.result import TIME_BYTES

BELOW_ASKED = const(8)
LISTED_MOST = const(300)  # results of MID 0067: 9,023 octets, a message has 9999

_ASK = const(0)  # nothing was asked in this connection
_NONE = const(1)  # there is nothing to go by
_CLAIMED = const(2)
_PROVING = const(3)
_PROVEN = const(4)

_STORED = const(902)
_STORED_BYTES = const(88)
_LIST_HEAD = const(23)
_LISTED_BYTES = const(30)
_ROWS = (rq.STORED, rq.LIST)


class Kept:
    """What one controller claims to keep."""

    def __init__(self):
        self._row = 0  # of what is asked next; behind the last one nothing is
        self.asked = 0  # the ID that the proof asks for
        self.oldest = 0
        self._state = _ASK
        self._step = 0
        self._first = 0
        self._behind = 0
        self._epoch = 0

    def opened(self):
        """A session is ready: what was claimed on the last one may be no more."""
        self._state = _ASK if self._row < len(_ROWS) else _NONE

    def forget(self):
        """Nothing follows from what was said."""
        self._state = _NONE

    def turn(self, missing, first, behind):
        """The gap from `first` to the ID in front of `behind` is next; return the phase to turn to.

        PHASE_IDLE: go on as ever. PHASE_FILL: some of it was closed, begin once more.
        """
        if self._state == _ASK:
            return PHASE_KEPT
        if self._state == _NONE or self._epoch != missing.known.memory[kn.EPOCH]:
            return PHASE_IDLE
        lies_below = is_ahead(self.oldest, first)
        if self._state == _PROVEN and lies_below:
            count = min((self.oldest - first) % ID_PERIOD, (behind - first) % ID_PERIOD)
            return PHASE_FILL if missing._close(first, count, kn.CLOSED_GONE) else PHASE_IDLE
        if self._state == _PROVEN:
            missing._walked = behind
            return PHASE_IDLE
        self._state = _PROVING
        self._first = first
        self._behind = behind
        self._step = 0
        self.asked = self.oldest if lies_below else first
        return PHASE_OLDEST

    def ask(self, session):
        """Ask what is kept, in place of MID 0064."""
        row = _ROWS[self._row]
        self._row += 1  # a controller that answers with the end of the connection is not asked so again
        self._state = _NONE
        data = b"090200100"
        if row is rq.LIST:
            room = (len(session.link.buf) - _LIST_HEAD - 1) // _LISTED_BYTES
            data = b"0067001130000000000%03d" % min(room, LISTED_MOST)
        session.request.lower_too = False
        session.request.ask(row, rq.MID_HISTORY, row[rq.ANSWER], 1, data, 1)

    def hear(self, missing, buf, at, length, mid):
        """Take the claim at buf[at:at+length], if it is one (rule 2)."""
        oldest = _oldest_stored(buf, at, length) if mid == _STORED else _oldest_listed(buf, at, length)
        self._row -= 1  # it is known here
        if oldest < 0:
            return
        last = at + 59 if mid == _STORED else at + _LIST_HEAD + (number(buf, at + 20, 3) - 1) * _LISTED_BYTES
        if _is_newest(missing, buf, last, mid == _STORED):
            self.oldest = oldest
            self._epoch = missing.known.memory[kn.EPOCH]
            self._state = _CLAIMED

    def proves(self, missing, is_there):
        """MID 0064 has answered for `asked`: it is there or not. Return the phase to turn to."""
        if self._state != _PROVING or is_there != (self._step == 0):
            self._state = _NONE
            return PHASE_IDLE
        if self.asked == self._first:
            self._state = _CLAIMED if is_there else _PROVEN  # the first of all that are missing is there, or is not
            missing._walked = self._behind if is_there else missing._walked
            return PHASE_IDLE
        self._step += 1
        self.asked = (self.oldest - self._step) % ID_PERIOD
        if self.asked == 0:  # it cannot be asked for
            self.asked = ID_PERIOD - 1
        if self._step > BELOW_ASKED or not is_ahead(self.asked, self._first):
            self.asked = self._first or 1
            self._first = self.asked
        return PHASE_OLDEST


def _oldest_stored(buf, at, length):
    """Return the oldest ID of the MID 0902 at buf[at:], -1 if it contradicts itself."""
    if length < _STORED_BYTES or not all_digits(buf, at + 20, 20) or not all_digits(buf, at + 59, 10):
        return -1
    oldest = id_of(buf, at + 30)
    newest = id_of(buf, at + 59)
    times = bytearray(2 * TIME_BYTES)
    pack_time(times, 0, buf, at + 40)
    pack_time(times, TIME_BYTES, buf, at + 69)
    if not times[2] or compare(times, 0, times, TIME_BYTES, TIME_BYTES) > 0:
        return -1
    return oldest if _fits(oldest, newest, id_of(buf, at + 20)) else -1


def _oldest_listed(buf, at, length):
    """Return the first ID of the MID 0067 at buf[at:], -1 if it contradicts itself."""
    count = number(buf, at + 20, 3) if length >= _LIST_HEAD else 0
    if count < 1 or length < _LIST_HEAD + count * _LISTED_BYTES:
        return -1
    before = bytearray(TIME_BYTES)
    time = bytearray(TIME_BYTES)
    last = -1
    for place in range(at + _LIST_HEAD, at + _LIST_HEAD + count * _LISTED_BYTES, _LISTED_BYTES):
        pack_time(time, 0, buf, place + 10)
        if not all_digits(buf, place, 10) or not time[2] or compare(time, 0, before, 0, TIME_BYTES) < 0:
            return -1
        ident = id_of(buf, place)
        if last >= 0 and not is_ahead(ident, last):
            return -1
        last = ident
        before[:] = time
    oldest = id_of(buf, at + _LIST_HEAD)
    return oldest if _fits(oldest, last, ID_PERIOD) else -1


def _fits(oldest, newest, capacity):
    """Tell whether so many results can be kept."""
    return 0 < oldest < ID_PERIOD and newest < ID_PERIOD and (newest - oldest) % ID_PERIOD < capacity


def _is_newest(missing, buf, at, is_whole):
    """Tell whether ID and time at buf[at:] are those of the newest that is known, or of one made since.

    MID 0067 names the time at which a tightening began (`is_whole` False): not later than that of its result.
    """
    ident = id_of(buf, at)
    if ident != id_of(missing._newest, 0):
        return (ident - missing.known.top()) % ID_PERIOD <= NEWEST_LAG
    time = bytearray(TIME_BYTES)
    pack_time(time, 0, buf, at + 10)
    order = compare(time, 0, missing._newest_time, 0, TIME_BYTES)
    return order == 0 or (order < 0 and not is_whole)
