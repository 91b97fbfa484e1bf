"""Does the count of IDs go on, though the answer under the highest ID known cannot be read?

Such an answer shows nothing but its ID: it may be the result known, or one of a new count.

Rules
1. It is the result known if its frame has the time or the torque of that, wherever they stand in it.
2. Else the results in front of it are asked for, the newest that the log has of this count, ASKED_MOST at most. One
   that is another shows a new count, whatever the others show; else one that is the same shows that the count goes on.
3. Where neither is shown nothing is concluded: all that the controller has may be missing, and no count has ended.

Imported where an answer under the highest ID known cannot be read.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol import nearby_search
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.differing_formats import COMPARED_MOST, digests, newest_of, turns_to_compare
from toolcart.agent.openprotocol.ids import is_ahead
from toolcart.agent.openprotocol.result_digest import TIME, is_unread, same
from toolcart.agent.openprotocol.spindle_results import may_share_its_id
from toolcart.agent.record.result import HEAD_BYTES, ID_EPOCH

ASKED_MOST = const(5)

_VALUES = const(12)  # of a digest


def tells(frame, digest):
    """Rule 1, of a frame and the digest of a result."""
    return _has_time(frame, digest) or _has_torque(frame, digest)


def has_both(frame, digest):
    """True if the frame has time and torque of this result: it is that, under whatever ID."""
    return _has_time(frame, digest) and _has_torque(frame, digest)


def _has_time(frame, digest):
    time = _text_of(digest, TIME, _VALUES)
    stamp = "%s-%s-%s:%s:%s:%s" % (time[:4], time[4:6], time[6:8], time[8:10], time[10:12], time[12:])
    return 0 < digest[TIME + 2] <= 0x12 and frame.find(stamp.encode()) >= 0


def _has_torque(frame, digest):
    torque = _text_of(digest, _VALUES, _VALUES + 3)
    return torque.isdigit() and torque != "000000" and frame.find(torque.encode()) >= 0


def _text_of(digest, at, end):
    return "".join(["%02x" % digest[index] for index in range(at, end)])


class CountCheck:
    """The results that are asked for, and what the answers have shown."""

    def __init__(self, duplicates, ledger):
        self._goes_on = False  # one is the same
        self._began_again = False  # one is another
        top = ledger.top()
        epoch = ledger.epoch()
        record = max(ledger.since, duplicates.next_record() - COMPARED_MOST)
        results = (one for one in duplicates.results(record) if one[0][one[1] - HEAD_BYTES + ID_EPOCH] == epoch)
        self._stored = newest_of((one for one in digests(results) if is_ahead(top, one[1])), ASKED_MOST)

    def is_over(self):
        """True if there is nothing to ask for."""
        return not self._stored

    def stored(self):
        """Return the digest of the result that is asked for."""
        return self._stored[-1][2]

    def asked(self):
        """Return its ID."""
        return self._stored[-1][1]

    def take(self, is_known):
        """Take whether the answer to that is the result stored; None if there is none, or it does not say."""
        self._stored.pop()
        if is_known:
            self._goes_on = True
        elif is_known is not None:
            self._began_again = True
            self._stored = []

    def began_again(self):
        """True if there is a new count."""
        return self._began_again

    def goes_on(self):
        """True if there is none."""
        return self._goes_on and not self._began_again

    def take_answer(self, recovery, is_there, now):
        """Take the answer to the question for a result in front of the highest known; return an OUTCOME_."""
        answer = recovery.answer
        stored = self.stored()
        is_known = None
        if is_there and is_unread(answer):
            is_known = tells(recovery.frame, stored) or None
        elif is_there:
            is_known = same(answer, stored) or recovery.fits_in_other_format(answer, stored)
            if not is_known and may_share_its_id(recovery, answer, stored):
                is_known = None
            if not is_known and turns_to_compare(recovery, answer, stored):
                recovery.check = None
                return phases.OUTCOME_NONE
        self.take(is_known)
        return _go_on(recovery, now)


def begin(recovery, now):
    """The highest ID known is answered with what cannot be compared: ask what is in front; return an OUTCOME_."""
    if recovery.spindle_count() > 1:
        return nearby_search.search(recovery, recovery.request.there, now)
    recovery.check = CountCheck(recovery.duplicates, recovery.ledger)
    return _go_on(recovery, now)


def _go_on(recovery, now):
    """Turn to the next one to be asked for, or to what follows from them all; return an OUTCOME_."""
    check = recovery.check
    if not check.is_over():
        return recovery.turn_to(phases.PHASE_COMPARE, check.asked())
    recovery.check = None
    if check.goes_on():
        return phases.STEP_COUNT_GOES_ON
    if check.began_again():
        return nearby_search.search(recovery, True, now)
    if recovery.observed.is_nothing():
        return phases.STEP_EMPTY
    from toolcart.agent.openprotocol import id_walk  # most answers tell enough

    recovery.observed.is_inconclusive = True
    return id_walk.begin(recovery, False, now)
