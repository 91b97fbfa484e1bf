"""The witness: a result that is known from before, by which a controller shows whether its IDs mean what they meant.

Rules
1. It is chosen before a connection has said anything: the highest ID known, or what stands in front of missing ones.
2. What is pushed before it was heard proves nothing, and is stored so (FLAG_UNPROVEN): as long as no question is
   answered the witness stays that of before, also after a start.
3. Where it is gone and others were stored behind it, the log is asked about these, one by one, before anything else
   finds room there: if each that the controller still has is the one that was stored, only what lies up to the witness
   is in doubt.
4. What is missing in front of one that is gone is asked for before the doubt is noted: it is earlier. If it is not, the
   controller counts anew.
"""

from agent.base.compat import const
from agent.base.fields import all_digits, compare, copy, fill
from agent.base.words import get_u32
from agent.openprotocol import known as kn
from agent.openprotocol.ids import ID_PERIOD, id_of, is_ahead, put_id
from agent.openprotocol.missing import Missing
from agent.openprotocol.questions import PHASE_NEWEST, PHASE_WITNESS
from agent.record.result import (
    BODY_BYTES,
    FLAG_RECOVERED,
    FLAG_UNPROVEN,
    ID_BYTES,
    TIGHTENING_ID,
    TIGHTENING_STATUS,
    TIME,
    TIME_BYTES,
    has_time,
)
from agent.spool.record import RECORD_BAD
from agent.spool.search import (
    PROVEN_BLOCKS_SEARCHED,
    find_proven,
    holds,
    holds_another,
    holds_earlier,
    holds_later_id,
    oldest_of,
)

RISES_MOST = const(100)  # more behind a witness that is gone are not asked for one by one


class Witness(Missing):
    """What one controller is asked about before it is believed."""

    def __init__(self, ring, known, round_ids, retry_ms):
        Missing.__init__(self, ring, known, round_ids, retry_ms)
        self.other = False  # the controller says that it is another one: trust no number
        self.witness = bytearray(ID_BYTES)  # an ID that was known before this connection, and the latest time
        self._witness_time = bytearray(TIME_BYTES)
        self._has_witness = False
        self._was_timed = False  # the time of the witness was read when it was heard of
        self.is_another_unread = False  # so says the log of an answer that nobody can read, as the one before
        self._back_from = -1  # the witness that is asked for first, while IDs that count anew are looked through
        self._steps_back = 0  # as many in front of it are not there; a connection may end before one is
        self._is_top = False  # the witness is the highest ID stored, as no other could be had
        self._of_log = False  # the witness is the oldest one of this epoch that the log holds
        self.doubt = 0  # FLAG_UNPROVEN until the controller has proven this time that its IDs mean what they meant
        self._begins = True  # no session since the start
        self._is_older = False  # the witness is not the highest ID that was known
        self._top = 0  # the highest ID known before this connection, or when its IDs began anew
        self._in_doubt = 0  # of what was stored before this connection, all up to this ID may mean another result now
        self._rung = -1  # the one behind the witness that is asked for in its place
        self._rises = 0  # as many may be asked for yet
        self._climbed = -1  # all behind the witness up to here are gone: another connection goes on from there
        self._climbs = True
        self._identity = 0
        self._shown = False  # by a push, that it counts anew
        self._doubts = False  # so an answer has said; it is heard twice
        self._is_anew = False  # so it was heard on this connection, and may not be written down yet
        self._newest = bytearray(ID_BYTES)  # what the controller called its newest
        self._newest_time = bytearray(TIME_BYTES)

    def compares(self):
        """Tell whether the log is needed as it is: what it holds may have to tell what the controller's IDs mean.

        So it is until this connection has proven that; while IDs that count anew are looked through, also between two
        connections: by what the log holds alone is a second reset told from the first one.
        """
        return self.doubt != 0 or (self.known.looks() and not self._online)

    def _choose_witness(self):
        """Remember what is known before this connection says anything."""
        known = self.known
        memory = known.memory
        looks = known.looks()
        keeps = self.doubt and self._has_witness and self._epoch == memory[kn.EPOCH]
        before = known.settled() if looks else -1
        if not keeps and (before != self._back_from or self._epoch != memory[kn.EPOCH]):
            self._back_from = before
            self._steps_back = 0
        self._epoch = memory[kn.EPOCH]
        self._shown = False
        self._has_witness = memory[kn.FLAGS] & (kn.FLAG_KNOWN | kn.FLAG_EMPTY) == kn.FLAG_KNOWN
        self._top = self._in_doubt = known.top()
        self._is_older = self._has_witness and (keeps or self._find_older())
        self._is_top = keeps and self._is_top
        if not self._is_older:
            put_id(self.witness, before if looks else self._top)
            copy(self._witness_time, 0, memory, kn.TIME_KNOWN, TIME_BYTES)
            self._was_timed = not memory[kn.FLAGS] & kn.FLAG_UNTIMED
        self.other = self._has_witness and not looks and get_u32(memory, kn.IDENTITY) not in (0, self._identity)
        self.doubt = FLAG_UNPROVEN if self._has_witness and known.fetches() else 0
        self._rung = -1
        self._climbed = self._climbed if keeps else -1
        self._climbs = True
        self._rises = RISES_MOST if self._is_older and not looks and not known.shares() else 0
        self._heard = 0
        self._of_log = False
        self._doubts = self._is_anew = False

    def _find_older(self):
        """After a start: take what was stored last with an ID that was proven, if other IDs came behind it.

        Where none was, since these IDs count, it is the first one.
        """
        begins = self._begins
        self._begins = False
        body = bytearray(BODY_BYTES) if begins else b""
        if not begins or not find_proven(self.ring, self._epoch, body) or id_of(body, TIGHTENING_ID) == self._top:
            return False
        copy(self.witness, 0, body, TIGHTENING_ID, ID_BYTES)
        copy(self._witness_time, 0, body, TIME, TIME_BYTES)
        self._was_timed = True
        return True

    def _rise(self):
        """The witness is gone, or the one behind it is what it was: turn to the next one; False if there is none."""
        gaps = self.known.gaps
        witness = id_of(self.witness, 0)
        number = self._rung
        if number < 0:
            number = self._climbed if self._climbed >= 0 else witness
        elif self._climbs:
            self._climbed = number
        self._rung = -1
        if self._rises == 0:
            return False
        self._rises -= 1
        while True:
            number = (number + 1) % ID_PERIOD or 1  # 0 cannot be asked for
            gap = gaps.holding(number)
            if gap < 0:
                break
            number = (gaps.firsts[gap] + gaps.counts[gap] - 1) % ID_PERIOD
        if is_ahead(number, self._top):
            self._in_doubt = witness
            self._rises = 0
            return False
        self._rung = number
        return True

    def _look_at_rung(self, body, start):
        """What the log does not hold is another result, or was stored too long ago: all that was stored is in doubt."""
        self._climbs = False
        if not holds(self.ring, body, start, flags=FLAG_RECOVERED):
            self._rises = 0

    def _held_before(self):
        """Return the ID up to which nothing was missing before this connection."""
        gaps = self.known.gaps
        if gaps.count == 0 or is_ahead(gaps.firsts[0], self._top):
            return self._top
        return (gaps.firsts[0] - 1) % ID_PERIOD

    def _turn_to_top(self):
        """Turn to the highest ID that is stored; False if there is none to ask for, or it is the witness already."""
        if self._is_top:
            return False
        gaps = self.known.gaps
        number = self._top
        gap = gaps.holding(number)
        while gap >= 0 and number:
            number = (gaps.firsts[gap] - 1) % ID_PERIOD
            gap = gaps.holding(number)
        if number == 0:
            return False
        self._is_top = True
        put_id(self.witness, number)
        return True

    def _is_missing_in_front(self):
        """Tell whether IDs are missing in front of the witness; others a push that proved nothing has shown."""
        gaps = self.known.gaps
        return gaps.count > 0 and not is_ahead(gaps.firsts[0], id_of(self.witness, 0))

    def _put_doubt(self, stage, at, anew):
        """What is fetched from now on may be stored: that is seen by its time, or by the log."""
        stage[at + kn.FLAGS] |= kn.FLAG_LOOK
        if anew and self.known.gaps.count:  # some of these were missing before, whatever their time
            fill(stage, at + kn.TIME_KNOWN, TIME_BYTES, 0)
        else:
            copy(stage, at + kn.TIME_KNOWN, self._witness_time, 0, TIME_BYTES)

    def _cannot_compare(self, now):
        """Tell whether the log cannot be read: what was answered proves nothing then, and is asked for again later."""
        if self.phase > PHASE_WITNESS or self.ring.walk.first(self.ring.block) != RECORD_BAD:
            return False
        self.wait_for_room(now)
        return True

    def _is_another(self, body, start):
        """Tell whether the body under the witness's ID is of another result than the one that was known.

        Its time is later, or its values differ from those in the log; or only one of the two can be read, or none, and
        their octets differ. Where the highest ID may stand still, several results have it: a log that has lost the
        newest of them tells nothing.
        """
        if body[start + TIGHTENING_STATUS] == 0:
            return self._was_timed or self.is_another_unread
        if not self._was_timed:
            return has_time(body, start) and not self._is_stored(body, start)
        if self._is_later(body, start + TIME):
            return True
        may_stand = not self._is_older and not self.known.memory[kn.FLAGS] & kn.FLAG_TOP_HELD
        return holds_another(self.ring, body, start, FLAG_RECOVERED, may_stand)

    def _is_of_another_count(self, body, start):
        """Tell whether IDs that are looked through began anew once more; None if the witness is another one now.

        All that was closed is earlier than the first time they began anew, or was found in the log or put there. A log
        may have lost that: then its oldest result tells, since the IDs of one count ascend with its time, or where both
        have the same time the controller's answer for that one.
        """
        known = self.known
        if not known.is_later(body, start) or holds(self.ring, body, start):
            return False
        if self._is_top:  # of the former life there may be none left
            return holds_earlier(self.ring, body, start, known.memory[kn.EPOCH])
        oldest = bytearray(BODY_BYTES)
        if self._of_log or not oldest_of(self.ring, known.memory[kn.EPOCH], oldest):
            return True
        order = compare(body, start + TIME, oldest, TIME, TIME_BYTES)
        if order != 0 and is_ahead(id_of(oldest, TIGHTENING_ID), id_of(self.witness, 0)):
            return order > 0
        copy(self.witness, 0, oldest, TIGHTENING_ID, ID_BYTES)
        self._of_log = True
        return None

    def _is_made_since(self, body, start):
        """Tell whether the body of an ID that is missing in front of the witness is later than that.

        One of the same second shows it only where the controller has lost the witness: it loses the oldest first.
        """
        before = self._witness_time
        return (
            self.doubt != 0
            and not self.known.looks()
            and before[2] != 0  # a month: else nothing is known
            and compare(body, start + TIME, before, 0, TIME_BYTES) >= (0 if self._below_first else 1)
            and not is_ahead(id_of(body, start + TIGHTENING_ID), id_of(self.witness, 0))
        )

    def _doubt_all(self, body, start):
        """The controller counts anew, so the body says: it is asked once more, then for its newest."""
        self._doubts = not self._doubts
        if not self._doubts:
            self._is_anew = True
            self._take_newest(body, start)
            self.phase = PHASE_NEWEST

    def _take_newest(self, body, start):
        """The newest that is known is the result at body[start:]."""
        copy(self._newest, 0, body, start + TIGHTENING_ID, ID_BYTES)
        copy(self._newest_time, 0, body, start + TIME, TIME_BYTES)

    def _is_stored(self, body, start):
        """Tell whether the newest blocks hold what was answered; a push in doubt may be of the new count itself."""
        return holds(self.ring, body, start, PROVEN_BLOCKS_SEARCHED, FLAG_RECOVERED | FLAG_UNPROVEN)

    def stood_once(self, body, start):
        """Tell whether the push at body[start:] is the result of the highest ID, which the log may have lost since."""
        return self.known.holds_top(body, start) and not holds_another(self.ring, body, start, 0)

    def begins_anew(self, flags, body, start):
        """Tell whether the push at body[start:], which is not stored, shows that the controller counts anew.

        By its time; or within the second of the highest ID, if the log has a higher ID of an earlier time: in one count
        that cannot be.
        """
        known = self.known
        if known.begins_anew(flags, body, start):
            return True
        return (
            flags == FLAG_UNPROVEN
            and known.memory[kn.FLAGS] & (kn.FLAG_TOP_HELD | kn.FLAG_LOOK) == kn.FLAG_TOP_HELD
            and compare(body, start + TIME, known.memory, kn.TIME_KNOWN, TIME_BYTES) == 0
            and all_digits(body, start + TIGHTENING_ID, ID_BYTES)
            and not known.is_beyond(id_of(body, start + TIGHTENING_ID))
            and known.gaps.holding(id_of(body, start + TIGHTENING_ID)) < 0
            and id_of(body, start + TIGHTENING_ID) != known.top()
            and holds_later_id(self.ring, body, start)
        )

    def _is_later(self, buf, at):
        """Tell whether the time at buf[at:] is later than anything from before this connection; none is not."""
        before = self._witness_time
        return before[2] != 0 and compare(buf, at, before, 0, TIME_BYTES) > 0  # a month: else nothing is known
