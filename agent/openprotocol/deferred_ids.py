"""Questions that were in vain, or ended the connection, and are asked again later: the others go on meanwhile.

Rules
1. If others may be missing an ID is put off at once where its question is answered with "later", since a memory may be
   a ring and drops the others meanwhile; after TRIES_MOST questions in a row that were not answered in a usable way;
   and after as many that ended the connection, whatever else is missing. So is an ID that is looked for, after one
   more that did, where one that is there was answered on it (toolcart.agent.openprotocol.unanswered_requests, rule 6).
2. It stays open, as a range of its own, and is asked for again when nothing else is left, after RETRY_MS, or
   AFTER_CUT_MS if its question ended connections.
3. No more than PUT_OFF_MOST are put off at a time, CUT_MOST where they end connections: further ones are asked for
   again and again, as if there were none.
4. Pushes come first: where connections end with questions, whichever, though others are answered, nothing is asked for
   FIRST_PAUSE_MS from the second end on, for PAUSE_MS from the ENDS_MOST'th on, for twice as long after each further
   one, an hour at most. As many as ANSWERED_EACH questions in front of an end make up for it; ten minutes without one,
   behind the pause, forget all.
   So long an ID that is looked for stays put off.
   Where no question is answered the rules of toolcart.agent.openprotocol.question_revisions and requests end it sooner.

Imported where a question for a missing ID is in vain, or ends a connection.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.ids import after

TRIES_MOST = const(2)
PUT_OFF_MOST = const(8)
CUT_MOST = const(24)
RETRY_MS = const(30000)
AFTER_CUT_MS = const(600000)
ENDS_MOST = const(8)  # a controller that ends them at what it does not have is known by then, or nearly
FIRST_PAUSE_MS = const(4000)  # some three times as long as a connection takes to come back
PAUSE_MS = const(10000)
ANSWERED_EACH = const(8)


class DeferredIds:
    """Of one controller, over all its connections."""

    def __init__(self):
        self._waits = []  # an ID and until when it is put off, each, in the order of their turns
        self._failed = -1  # the ID asked for in vain last
        self._is_cut = False  # that question ended the connection
        self._times = 0  # in a row
        self.asked = 0  # questions since a connection ended with one
        self.pause = Timer()  # until any is asked (rule 4)
        self._ends = 0  # connections that ended with one, less those that were made up for
        self._remembered = Timer()

    def ends(self, now, has_answered):
        """A connection ended with a question; `has_answered`: others were answered on it."""
        if not self._remembered.armed or self._remembered.expired(now):
            self._ends = 0
        self._ends = max(self._ends - self.asked // ANSWERED_EACH, min(self._ends, ENDS_MOST - 1)) + has_answered
        self.asked = 0
        wait_ms, over = 0, self._ends - ENDS_MOST
        if over > -ENDS_MOST + 1:
            wait_ms = FIRST_PAUSE_MS if over < 0 else min(PAUSE_MS << min(over, 10), phases.OFF_MS)
            self.pause.start(now, wait_ms)
        self._remembered.start(now, wait_ms + AFTER_CUT_MS)

    def pauses(self, now):
        """True while no question is asked since too many ended connections."""
        if self.pause.expired(now):
            self.pause.stop()
        return self.pause.armed

    def fails(self, number, is_cut=False, is_later=False, tries_most=TRIES_MOST):
        """Take a question for this ID that was in vain, so often in a row at most; True if it is to be put off."""
        if (number, is_cut) != (self._failed, self._is_cut):
            self._failed, self._is_cut = number, is_cut
            self._times = 0
        self._times += 1
        is_new = not self.has(number)
        is_enough = self._times >= tries_most or is_later or not is_new
        most = CUT_MOST if is_cut else PUT_OFF_MOST
        return is_enough and (not is_new or len(self._waits) < most)

    def put_off(self, number, now, is_cut=False):
        """Put this ID off."""
        self.is_done(number)
        timer = Timer()
        timer.start(now, AFTER_CUT_MS if is_cut else RETRY_MS)
        self._waits.append((number, timer))

    def has(self, number):
        """True if this ID was put off, and is still missing."""
        return any(one == number for one, _ in self._waits)

    def due(self, now):
        """Return those that are to be asked for again, in the order of their turns."""
        return [one for one, timer in self._waits if timer.expired(now)]

    def is_waiting(self, number, now):
        """True if this ID is not to be asked for yet."""
        return self.has(number) and number not in self.due(now)

    def is_passed_over(self, number, now):
        """True if this ID, which is looked for, is not: while connections end that counts on."""
        return self.has(number) and (not self._remembered.expired(now) or number not in self.due(now))

    def is_done(self, number):
        """This ID is no longer missing."""
        self._waits = [one for one in self._waits if one[0] != number]

    def next_range(self, ledger, now):
        """Return the place of the next range to ask for: put off last; -1 if all are, and have to wait."""
        for place in range(len(ledger.ranges)):
            first, last = ledger.ranges[place]
            if not self.has(first):
                return place
            if first != last and self.is_waiting(first, now):
                ledger.split(place)
                return place + 1
        for number in self.due(now):
            if ledger.place_of(number) >= 0:
                return ledger.place_of(number)
        return -1


def known_there(recovery):
    """Return an ID that is there, by which it is seen whether others than what is looked for are answered; -1: none."""
    if recovery.phase not in phases.PHASES_OF_SEARCH or not (recovery.has_answered and recovery.is_id_unique()):
        return -1
    if recovery.phase == phases.PHASE_CONFIRM:
        return recovery.ledger.top()
    newest = recovery.observed.newest
    is_top_there = recovery.phase == phases.PHASE_UPWARD or not recovery.flags
    return recovery.ledger.top() if newest < 0 and is_top_there else newest


def ended_connection(recovery, now):
    """The connection has ended with a question open (rule 4), maybe for what is missing or looked for (rule 1)."""
    _deferred(recovery).ends(now, recovery.has_answered)
    if recovery.phase not in phases.PHASES_OF_SEARCH and recovery.phase != phases.PHASE_FILL:
        return
    if recovery.phase == phases.PHASE_FILL or known_there(recovery) >= 0:
        fails_for_now(recovery, now, True)


def _deferred(recovery):
    if recovery.deferred is None:
        recovery.deferred = DeferredIds()
    return recovery.deferred


def fails_for_now(recovery, now, is_cut):
    """Take a question that was in vain; True if its ID is put off: a missing one, or one whose question `is_cut`.

    `is_cut`: the connection ended with it, in FILL or while what may be gone was looked for.
    """
    is_looked_for = recovery.phase != phases.PHASE_FILL
    if (is_looked_for and not is_cut) or recovery.spindle_count() > 1 or recovery.ownership.shares:
        return False
    deferred = _deferred(recovery)
    number = recovery.request.asked
    if not deferred.fails(number, is_cut, recovery.is_later and not is_cut, TRIES_MOST + is_looked_for):
        return False
    if not is_cut and not _has_others(recovery, deferred, now):
        return False
    deferred.put_off(number, now, is_cut)
    return True


def _has_others(recovery, deferred, now):
    """True if others may be asked for than the one that was just asked for in vain.

    Those that are put off have their turn, but one without an answer is given up.
    """
    gap_fill = recovery.gap_fill
    for first, last in recovery.ledger.ranges:
        if first == gap_fill.begin:
            if gap_fill.left_to(last) > 1:
                return True
        elif not deferred.has(first) or (recovery.is_later and not deferred.is_waiting(first, now)):
            return True
    return False


def pass_over(recovery, number):
    """Go on with another than this ID, which is put off."""
    recovery.gap_fill.flush()
    place = recovery.ledger.place_of(number)
    if place >= 0:
        recovery.ledger.split(place)
    recovery.turn_to(phases.PHASE_FILL, after(number))
