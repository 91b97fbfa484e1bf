"""A controller whose stations share its tightening IDs (Power Focus 6000): which missing ones are ours.

    asked      n        n-3     ..      first
    answered   n-2 (A)  n-7 (us)        below first: the stretch is known, and n-7 is ours

There one counter serves every station and tool, and MID 0064 with n is answered with the newest result at or below n,
whoever made it; MID 0065 says who did from revision 7 on (parameter 37, bytes 343-352).

Rules
1. Where the controller names our station (0002 revision 6) MID 0064 is asked in revision 7. No version says whether the
   IDs are shared: an answer of another station shows it, or at a Power Focus 6000 one below the ID asked for; this is
   believed when the next answer shows it too, and what came below is there under its own ID, for which it is asked.
   Where that is not there, or a newer one lies between, answers are off, and the IDs not shared; so it is where one of
   ours that was answered is not there, whatever was believed before. An equal ID shows nothing. Where it is believed,
   or a Power Focus 6000 does not say whose an answer is, the ID after the newest is asked for once a connection: it is
   answered with the newest below it, or the IDs are not shared, if nothing else has shown it.
2. A stretch of missing IDs is walked down from its end. An answer m to n proves that nothing lies between the two; one
   below the stretch, or a rejection with 15, ends the walk. Ours are asked for again by their own IDs, oldest first.
3. After a stretch without any result the next one is twice as long: a gap of millions takes a few questions. More than
   OURS_MAX of ours shorten the stretch. If a connection ends within a stretch, the next one begins with a quarter of
   it: else a controller that ends each connection soon would never let one be finished.
4. An answer that does not say whose it is cannot be distinguished from another station's: then nothing is fetched. So
   it is with one that has the place for it, but no number there (blanks beside it count as zeros, anything else may
   stand for a digit), or where our own station is not known; whether the stations are known to share the IDs or not.
5. A session that was begun below revision 6 does not know our station. An answer with the place for one ends it, and is
   not taken: the next one begins with 6. Where that is rejected an answer that the log has shows it, pushed or fetched,
   for the whole run of the agent, or one of the station that `station_id` says. Where none did the newest result of the
   log is asked for, once a connection, and again after a push.
6. Some reject an ID that nobody used, or answer it with another one. Where no answer was below its question that says
   says nothing about what is below: the walk goes on, until many in a row are so. From then on a stretch costs one
   question; but the last one of a range is walked down so again, as the newest are there.

Imported where a controller names its station; other carts need the room.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import get_u32
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.controller_identity import STATION_BYTES
from toolcart.agent.openprotocol.ids import after, before, id_at, is_ahead, is_open, length_of, moved, unpack_id
from toolcart.agent.openprotocol.layouts import in_place
from toolcart.agent.record.result import HEAD_BYTES, TIGHTENING_ID

OWNER_NONE = const(0)  # the answer has no place for it
OWNER_OURS = const(1)
OWNER_OTHER = const(2)
OWNER_UNKNOWN = const(3)  # it has, and may be another's: no number is there, or ours is not known

# What an answer shows
JUDGED_FINE = const(0)  # nothing: it is taken like any other
JUDGED_DOUBT = const(1)  # that stations share the IDs, unless it is corrupt: ask again
JUDGED_SHARED = const(2)  # that, a second time
JUDGED_NO_OWNER = const(3)  # it may be another's, and does not say whose it is
JUDGED_OWN = const(4)  # that they do not

STRETCH_IDS = const(500)
OURS_MAX = const(250)

_OWNER_REVISION = const(7)  # of MID 0065, from which on it says whose it is
_START_REVISION = const(6)  # of MID 0001, from which on 0002 says who we are
_OWNER = const(342)  # parameter 37 of MID 0065, from the message's first byte


def station_of(buf, at, length, revision):
    """Return the number of the station that the MID 0065 at buf[at:] is of.

    0 if none can be read there, -1 if it has no place for it.
    """
    if not in_place(65, revision, buf, at, length):
        from toolcart.agent.openprotocol.shifted_result import find  # hardly any controller ever sends one

        reading = find(65, revision, buf, at, length)
        if reading is None:
            return 0 if revision >= _OWNER_REVISION else -1
        revision, buf, _ = reading
        at, length = 0, len(buf)
    if revision < _OWNER_REVISION:
        return -1
    return max(id_at(buf, at + _OWNER), 0) if length >= _OWNER + STATION_BYTES else 0


def seek_station(intake, now):
    """An answer came while our station is not known (rule 5); True if the session ends for its name."""
    session = intake.session
    ownership = intake.recovery.ownership
    link = intake.link
    if ownership.sharing != phases.SHARING_AUTO or ownership.by_own_ids:
        return False
    if station_of(link.buf, link.at, link.length, session.received.revision) < 0:
        return False
    if session.start_revisions.wanted() < _START_REVISION and session.start_revisions.prefer(_START_REVISION):
        intake.recovery.request.waits = False  # the connection does not end with the question
        session.stop(now)
        return True
    ownership.share(0, False)
    return False


class SharedIds:
    """Our station, 0 if it is not known, at a controller that shares its IDs, or may, for one connection."""

    def __init__(self, station, has_to_name, most_ids=0, is_proven=False):
        self.station = station
        self.is_named = bool(station)  # by the controller
        self._named = -1  # the station of the answer that came last
        self.is_proven = is_proven  # an answer on this connection, or a setting, says whether they are shared
        self.owner = OWNER_NONE  # of the answer that came last
        self.in_stretch = False  # one was begun
        self.seeks = False  # and what is ours in it is not known yet
        self.asked = 0
        self.last = 0  # of the stretch
        self._first = 0
        self._ours = []  # of the stretch, descending
        self._has_to_name = has_to_name  # an answer that names no station may be another one's
        self._suspects = False  # an answer has shown that the IDs are shared; it may be corrupt
        self._most_ids = most_ids or STRETCH_IDS
        self._ids = self._most_ids
        self._found = True
        self._begun = False
        self.asks_log = False  # PROBE is for what the log has (rule 5)
        self.has_asked_log = False
        self.is_probed = False  # the ID after the newest was asked for
        self.shown = -1  # PROBE is for this ID, which an answer has shown twice
        self._answers_below = False  # an answer has been below its question (rule 6)
        self._absent_run = 0

    def ordered(self, revisions):
        """Return the revisions of MID 0064, first the one whose answer names the station."""
        if _OWNER_REVISION not in revisions:
            return revisions
        return tuple([_OWNER_REVISION] + [revision for revision in revisions if revision != _OWNER_REVISION])

    # -- answers -----------------------------------------------------------------------------------------------

    def read_owner(self, buf, at, length, revision, station_id=0):
        """Note whose the MID 0065 at buf[at:] is; the recovery takes it next. `station_id`: the setting, or 0."""
        self.take_named(station_of(buf, at, length, revision))
        if self.lacks_station() and self._named == station_id:
            self.learn_station()

    def take_named(self, named):
        """The answer is of this station: as `station_of` returns it."""
        self._named = named
        if named <= 0 or not self.station:
            self.owner = OWNER_NONE if named < 0 else OWNER_UNKNOWN
        else:
            self.owner = OWNER_OURS if named == self.station else OWNER_OTHER

    def lacks_station(self):
        """True if the answer names a station, and ours is not known."""
        return self._named > 0 and not self.station

    def may_be_ours(self):
        """True if the answer names another station than ours, and the controller has not named ours."""
        return self._named > 0 and self._named != self.station and not self.is_named

    def turns_to_log(self):
        """True, once, if a result of the log is to be asked for, since its answer shows which station is ours."""
        if self.has_asked_log or not self.lacks_station():
            return False
        self.asks_log = self.has_asked_log = True
        return True

    def learn_station(self):
        """The answer is ours."""
        self.station = self._named
        self.owner = OWNER_OURS

    def may_be_others(self):
        """True if the answer is another station's, or not known to be ours though it has the place to say so."""
        return self.owner == OWNER_OTHER or self.owner == OWNER_UNKNOWN

    def is_ours(self):
        """True if the answer is from our station."""
        return self.owner == OWNER_OURS

    def judge(self, phase, shares, number, asked, is_lower):
        """Return the JUDGED_ of an answer with the ID `number` to the question for `asked`.

        `is_lower`: it may be the newest below that. By its digits: past a wrap it may be a later one.
        """
        is_newest = phase == phases.PHASE_NEWEST or phase == phases.PHASE_POLL
        is_below = not is_newest and is_lower
        self._answers_below = self._answers_below or is_below
        self.is_probed = self.is_probed or (phase == phases.PHASE_PROBE and number != asked and not self.asks_log)
        if not shares and (self.owner == OWNER_OTHER or (is_below and self._has_to_name)):
            self._suspects = not self._suspects
            return JUDGED_DOUBT if self._suspects else JUDGED_SHARED
        self._suspects = False
        self.is_proven = self.is_proven or is_below
        is_witness = (phase == phases.PHASE_WITNESS or phase == phases.PHASE_NEARBY) and number == asked
        needs_owner = not is_newest and phase != phases.PHASE_PROBE and not is_witness
        is_inconclusive = self.owner == OWNER_NONE and (shares or self._has_to_name)
        if needs_owner and (is_inconclusive or self.owner == OWNER_UNKNOWN):
            return JUDGED_NO_OWNER
        return JUDGED_FINE

    def needs_proof(self, shares):
        """True if an ID that was never made has to be asked for: are the IDs shared, is the next below answered?"""
        if shares:
            return not (self.is_proven and self.is_probed)
        return not self.is_proven and self._has_to_name and self.owner == OWNER_NONE

    def are_own(self):
        """An ID that was never made is not answered; True if that shows that the stations do not share the IDs."""
        self.is_probed = True
        if self.is_proven:
            return False
        self.is_proven = True
        self._has_to_name = False
        return True

    # -- the stretch -------------------------------------------------------------------------------------------

    def begin_range(self):
        """Begin with another range."""
        self.in_stretch = self.seeks = False
        self._absent_run = 0

    def begin(self, first, count):
        """Begin a stretch with the first of `count` missing IDs."""
        if self._begun and self._most_ids < STRETCH_IDS:
            self._most_ids *= 2
        self._ids = self._most_ids if self._found or not self._begun else self._ids * 2
        self._begun = self.in_stretch = self.seeks = True
        self._found = False
        self._first = first
        self.last = moved(first, min(count, self._ids) - 1) or before(0)
        self.asked = self.last
        self._ours = []
        if count <= self._ids:
            self._absent_run = 0

    def break_off(self):
        """The connection ended within a stretch; return how many IDs the next one should begin with."""
        return max(self._most_ids // 4, 1)

    def add_answer(self, number, is_ours):
        """Take `number` as the newest at or below `asked`. By its digits: past a wrap it may be a later one."""
        if is_ahead(self._first, number) or is_ahead(number, self.asked):
            self.seeks = False
            return
        self._found = True
        self._absent_run = 0
        if is_ours and number:  # 0 cannot be asked for
            self._ours.append(number)
            if len(self._ours) > OURS_MAX:
                self.last = before(self._ours.pop(0))
        self.asked = before(number)
        self.seeks = length_of(self._first, self.asked) > 0

    def add_absent(self, most):
        """Nothing was answered to `asked`; `most` in a row end the walk (rule 6)."""
        self._absent_run += 1
        self.asked = before(self.asked)
        goes_on = not self._answers_below and self._absent_run < most
        self.seeks = goes_on and length_of(self._first, self.asked) > 0

    def next_of_ours(self, number):
        """Return the oldest of ours in the stretch from `number` on; -1 if none is left."""
        ours = self._ours
        while ours and is_ahead(number, ours[-1]):
            ours.pop()
        return ours[-1] if ours else -1


def take_answer(recovery, number):
    """Take the newest at or below the ID that was asked for; return an OUTCOME_."""
    if recovery.phase == phases.PHASE_FILL:
        return _take_other_of_ours(recovery)
    is_ours = recovery.ownership.shared.is_ours()
    if number == recovery.request.asked:
        recovery.contradictions.repeats_itself(False)
    recovery.passed_over += not is_ours and not is_ahead(recovery.gap_fill.begin, number)
    return add_answer(recovery, number, is_ours)


def add_answer(recovery, number, is_ours):
    """Note whose the newest at or below the ID asked for is, and go on in the stretch; return OUTCOME_NONE."""
    recovery.ownership.shared.add_answer(number, is_ours)
    recovery.request.begin(recovery.request.asked)
    return phases.OUTCOME_NONE


def take_absent(recovery):
    """Nothing was answered to the ID that was asked for; return OUTCOME_NONE."""
    ownership = recovery.ownership
    if ownership.shared.needs_proof(ownership.shares):  # the memory was empty, or another station made it meanwhile
        recovery.start_over()
    else:
        ownership.shared.add_absent(ownership.gone_most)
        recovery.request.begin(recovery.request.asked)
    return phases.OUTCOME_NONE


def judge(recovery, number):
    """Return the JUDGED_ of an answer with the ID `number`."""
    shared = recovery.ownership.shared
    asked = recovery.request.asked
    if shared.may_be_ours() and _is_stored(recovery):
        shared.learn_station()
        recovery.ownership.station_learned(shared.station)
    is_lower = number < asked and not _is_no_shared_answer(recovery, number)
    if recovery.phase == phases.PHASE_PROBE and not (shared.asks_log or recovery.ownership.shares):
        is_shown = asked == shared.shown
        if is_shown and number == asked:
            return JUDGED_SHARED
        if is_shown or (number < asked and not is_lower):
            return JUDGED_DOUBT if recovery.request.is_first_other() else JUDGED_OWN
    return shared.judge(recovery.phase, recovery.ownership.shares, number, asked, is_lower)


def take_judged(recovery, judged):
    """An answer is not taken as it is, since all stations share the IDs, or may; return an OUTCOME_."""
    ownership = recovery.ownership
    if judged == JUDGED_NO_OWNER and ownership.shared.needs_proof(ownership.shares):
        recovery.start_over()
    elif judged == JUDGED_NO_OWNER and ownership.shared.turns_to_log():
        recovery.turn_to(phases.PHASE_PROBE, _newest_of_log(recovery.duplicates))
    elif judged == JUDGED_NO_OWNER:
        ownership.needs = "owner"
        recovery.switch_off(phases.PHASE_OFF)
        return phases.OUTCOME_NO_OWNER
    elif judged == JUDGED_SHARED:
        shared = ownership.shared
        shared.asks_log = False
        asked, number = recovery.request.asked, unpack_id(recovery.answer, 0)
        if number != asked and shared.owner != OWNER_OTHER:
            shared.shown = number
            return recovery.turn_to(phases.PHASE_PROBE, number)
        recovery.start_over()
        shared.is_proven = True
        ownership.are_shared()
    elif judged == JUDGED_OWN:
        ownership.take_no_answer()
        recovery.start_over()
    return phases.OUTCOME_NONE


def take_probed(recovery, is_absent, now):
    """PROBE is answered, or what was asked for is not there; return an OUTCOME_."""
    shared = recovery.ownership.shared
    if shared.asks_log:
        shared.asks_log = False
        recovery.start_over()
        return phases.OUTCOME_NONE
    if is_absent:
        recovery.ownership.take_no_answer()
    if recovery.request.asked == shared.shown:
        recovery.start_over()
        return phases.OUTCOME_NONE
    return phases.STEP_COMPARE_NEWEST


def _take_other_of_ours(recovery):
    """One of ours, which was answered, is now answered with one below it; return OUTCOME_NONE."""
    if not recovery.request.is_first_other():
        recovery.ownership.shared.is_proven = False
        recovery.ownership.take_no_answer()
        recovery.start_over()
    return phases.OUTCOME_NONE


def _newest_of_log(duplicates):
    """Return the ID of the newest result of the log that has one; 0 if there is none."""
    newest = number = 0
    for page, at, _ in duplicates.results(1):
        record = get_u32(page, at - HEAD_BYTES)
        ident = id_at(page, at + TIGHTENING_ID)
        if number and record < newest:
            break  # here an older block begins
        if ident > 0:
            newest, number = record, ident
    return number


def _is_stored(recovery):
    """True if the log has the answer: then it is ours."""
    answer = recovery.answer
    if recovery.is_pushed(answer, True):
        return True
    return recovery.is_top(answer) and recovery.is_pushed(recovery.ledger.octets, True)


def _is_no_shared_answer(recovery, number):
    """True if an answer `number` cannot be the newest at or below the ID asked for: a later one is there."""
    asked = recovery.request.asked
    if recovery.ownership.shares or number < recovery.observed.newest <= asked:
        return not recovery.ownership.shares
    for digest in (recovery.ledger.octets, recovery.ledger.last_push):
        if number < unpack_id(digest, 0) <= asked and recovery.is_pushed(digest):
            return True
    return False


def turn_to_ours(recovery, last):
    """Ask for the next of ours in the missing range that ends with `last`; False at the end of a stretch."""
    shared = recovery.ownership.shared
    gap_fill = recovery.gap_fill
    if is_open(gap_fill.at, last) and length_of(1, recovery.ledger.top()):
        gap_fill.jump(1, 0)
    if not shared.in_stretch:
        shared.begin(gap_fill.at, gap_fill.left_to(last))
    recovery.phase = phases.PHASE_OWN_IDS
    recovery.request.asked = shared.asked
    if shared.seeks:
        return True
    recovery.phase = phases.PHASE_FILL
    recovery.request.asked = number = shared.next_of_ours(gap_fill.at)
    shared.in_stretch = number >= 0
    if shared.in_stretch:
        gap_fill.jump(number, 0)
    else:
        gap_fill.jump(after(shared.last), 0)
    return shared.in_stretch
