"""What a controller has that the log lacks: asks for it with MID 0064, and fetches what is missing, oldest first.

Sans I/O: asked what to fetch next (`want`) and is given every answer and every push. What it concludes is written down
in one snapshot (toolcart.agent.openprotocol.id_ledger); everything here may be forgotten at any moment.

Rules
1. Until a connection has proven what its IDs mean, what it pushes is stored with FLAG_UNPROVEN. No push ever waits.
2. Proof: the newest (N, asked for as ID 0) is the highest result known (w); or it is above w, and both are under
   their IDs; else a walk down from the newest has shown what the controller has, all of which may be
   missing. At the first meeting N and what is below it are not ours, unless it is pushed yet, or one in front of it,
   within a pause. What this connection has pushed above an N that is not below w counts as N. An N that is not the
   newest, or has another result's ID, counts as if ID 0 were not known (toolcart.agent.openprotocol.newest_check).
3. Missing IDs are asked for one by one; an ID is closed only by the result itself, by 15 (gone), by another ID that
   comes twice in its place, or by five silences while the next one is answered. Once a result came on this connection
   any rejection of an ID means the same as 15, unless it says "later", with whatever code or none, if the same question
   is rejected twice; not where stations share the IDs. Where many in a row are gone a walk from above finds where the
   range really begins (toolcart.agent.openprotocol.range_fetch).
4. How far a range is closed is saved every CLOSED_MOST IDs and at its end, with an event for what was gone.
5. A push fits if it may be missing, or is not after the one before it while nothing is proven: it was on its way. Nor
   does one fit that is not above `w`, or is another result of its ID, where ID 0 shows nothing. One that does not fit
   makes it start over, once a minute at most, and more seldom, down to once an hour, as long as that brings nothing:
   where IDs come in no order (two spindles that count for themselves and name none) each push would,
   and with a walk each time it would never end. Which of two times is later never counts.
6. Where several spindles may have a result under one ID, each question goes to each of them in turn. An ID is gone only
   if it is for all, and `w` itself may be missing of another spindle: below a newer one it is asked for again, even if
   the log no longer has `w` and stores it twice then; as the newest, while the log has it. So it is where results of
   one ID name no spindle: any of them answers for `w`.
7. Some controllers answer with IDs that are off by a constant, or other questions than they are asked
   (toolcart.agent.openprotocol.id_offset): what was pushed shows it. It is put right in all that follows
   (toolcart.agent.openprotocol.other_ids), and in w itself where it came from such an answer
   (toolcart.agent.openprotocol.nearby_search).
8. A run of pushes of this connection is asked for once (toolcart.agent.openprotocol.push_run). While such pushes
   come nothing is asked for, and what was asked for is not taken: it may be one of those that follow.
9. Where nothing can be asked for, what is missing is counted (toolcart.agent.openprotocol.unfetchable). So is an ID
   that is answered with another one, with a blank record, or with a result that the log has under another ID or that
   came under another one before; and ID 0, which cannot be asked for. What the log has under an ID is not gone,
   whatever came of its question (toolcart.agent.openprotocol.stored_contents): what a push skips is asked for, or
   counted, when it did not come behind that. A push below the last one begins no count where the log has the ID above
   it, or one not far below. Where several results are pushed under one ID, so many are expected
   (toolcart.agent.openprotocol.spindle_results). Where a count begins anew, what lies in front of its lowest result is
   gone, unless one of the count before is there (toolcart.agent.openprotocol.lost_ids). Where pushes have no ID, or not
   the memory's, the memory alone counts: what lies between `w` and its lowest result is gone, but for what was pushed
   (toolcart.agent.openprotocol.pushes_apart).
   A result of which a part was acknowledged may be missing until it is whole (toolcart.agent.openprotocol.seen_ids);
   for GRACE_MS it may come again whole, and is not counted.
   Many questions in vain in a row, on however many connections, show that there is no answer: before anything is
   proven nothing can be asked for, and later each ID is gone until one is answered
   (toolcart.agent.openprotocol.unanswered_requests). So do answers that contradict each other
   (toolcart.agent.openprotocol.contradictions): `contradicts` has status say so.
10. Where a controller has nothing at all though `w` is known, that says nothing about its IDs: `w` stays, or becomes
   the last push in the log, and what is missing in front of that is asked for; where pushes have no ID, or one for
   all, it cannot be known, and nothing is asked for (toolcart.agent.openprotocol.nothing_above).
11. An answer of which only the ID can be read is kept as it came. It is never another result than `w`, and begins no
    new count unless it is the newest, below `w`: what is in front of `w` says which count it is
    (toolcart.agent.openprotocol.count_check).

Here are the connection, pushes, questions and answers, and what turns from phase to phase. What follows from them is
in the modules that are named; those that hardly any controller needs are imported where they are needed.

The tables: `w` is the highest result known, with its ID; N the newest that the controller has, as it has shown; K how
many IDs in a row that are gone end a way up or down (toolcart.agent.openprotocol.id_ownership).

    phase     asks for             it is there                         it is gone (15)
    NEWEST    0                    w: SETTLE; at the first meeting     WITNESS, since 0 may be unknown there: a push of
                                   too, after a pause; else WITNESS,   this connection is N, or one since w, not above
                                   or WALK if it is not above w and    it. Without w: SETTLE, there is nothing.
                                   no ID can be off; in doubt: PROBE;
                                   what ID 0 shows nothing by: as gone
                                                                       Rejected otherwise: WITNESS before OFF; NO_ID by
                                                                       rule 10
    PROBE     N + 1, in doubt      below N + 1: the stations share     they do not; either way on as from NEWEST
                                   the IDs (shared_ids.py)
              the log's newest     its station is ours                 whether or not: NEWEST
    WITNESS   w, or the last push  the same: CONFIRM; without N:       NEARBY; SETTLE, if 0 was gone too (rule 10)
                                   SETTLE from w+1; another: NEARBY,
                                   it is N if there is none; cannot
                                   be read: COMPARE (rule 11)
    CONFIRM   N, under its ID      the same, above w: SETTLE w+1..N,   NEWEST, where ID 0 is as if gone
              (newest_check.py)    else NEARBY; another: as gone
    NEARBY    w + 8 or N, then     the next one; after the last        the same; WALK if this was the first, and w gone
              the next to w, up    one WALK
              to 8 away            N not above w: UPWARD in front of each WALK; N above w, and pushes without an ID of
              (nearby_search.py)   the memory: none of these, SETTLE w+1..N
    WALK      downward from N, to  goes on                             goes on; at its end SETTLE all from the lowest
              w if it was pushed                                       that is there, in FILL fetch on from it
              and N is above it
              (id_walk.py)
    UPWARD    upward from N, where goes on                             goes on; after K in a row SETTLE
              0 is gone, at SETTLE
              upward from w, N not goes on                             goes on; after K in a row that are gone,
              above (ended_count.py)                                   or in the log, WALK
    SETTLE    - (look_conclusion.py)      written down (W1): FILL; refused: SETTLE after a pause
    COMPARE   what was pushed      is it that, in another writing?     the next one; at last NEWEST, with what that
              (differing_formats)  (the same)                         has shown
              what is in front     is it that? (the same)             the next one; at last as from WITNESS, or
              of w (rule 11)                                          neither: WALK, and no new count
    SEEK      downward, shared     is it ours? (shared_ids.py)         the stretch is known: FILL; goes on, to K in
                                                                       a row, where no answer is below its question;
                                                                       not known yet: NEWEST, to PROBE
    FILL      the oldest missing   the first of a run of pushes:       close it, count it; at the end of the range W2
              (range_fetch.py)     close the run; else store it, close it
    IDLE      -                    what may be missing: FILL, WALK or SEEK; asked to poll: POLL
    POLL      0, then w + 1        is it w? (subscription_check)      w + 1, since 0 may be unknown there; then IDLE
    OFF       -                    rejected: NEWEST in an hour, W4; else the rest of the connection
    NO_ID     -                    a push that has an ID: NEWEST (also where only a push shows whether IDs are off)
    CLOSED    -                    a session is ready: NEWEST, or OFF where that is configured or cannot be; where it
                                   answered nothing before OFF, W4 and NEWEST at once

    The first ID of a connection that would count as gone turns to NEWEST instead, unless w was found as it was pushed:
    pushed IDs may not be those of the memory (stored_contents.py). In front of WALK and FILL the log's newest results
    are read, in turns: what is stored though one of them has its time and values is counted as stored again.

    event     what it does in any phase
    opened    NEWEST               closed      W2, CLOSED              push does not fit      W2, NEWEST (rule 5)
    rejected  never known: OFF, of ID 0 WITNESS; a revision: the next one, else the same; rule 3; before an answer,
              without a usable code: each revision once, or often "later": each in turn (question_revisions.py);
              anything else as silent
    answered  where nothing was before: NEWEST
    another   than was asked for, and not below it at stations that share the IDs: once more, then as gone. If `w` was
              never pushed: NO_ID, and after a push it is what WITNESS and NEARBY ask for (other_ids.py). Too often:
              rule 9
    late      as if in time, until the same is asked for again; of FILL, whatever is asked for by then: stored, and
              closed when it has its turn (toolcart.agent.station.late_answers)
    in vain   in FILL, twice, or twice when the connection ended: toolcart.agent.openprotocol.deferred_ids
    silent    recovery_request.py; given up (unanswered_requests.py): in FILL closed; where one that is there is
    or later  answered, gone, in WITNESS and NEARBY in any case; else it may be there
              PROBE: they do not share them; POLL: IDLE; NEWEST without an ID, five times: NO_ID,
              or OFF at a controller that never answered anything

    W1  one snapshot: w, what is missing, whose the IDs are, and whether they began again; what was missing before and
        is lost then is reported first, once (lost_ids.py)
    W2  toolcart.agent.openprotocol.gap_fill        W3  w under its own ID (rule 7)        W4  unfetchable.py
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, copy
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol import error_codes, look_conclusion, range_fetch
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.contradictions import Contradictions
from toolcart.agent.openprotocol.duplicate_search import HELD, HELD_UNKNOWN, NOT_HELD, RESULTS_MOST
from toolcart.agent.openprotocol.gap_fill import WHY_NEVER, WHY_NONE, WHY_SILENT, GapFill
from toolcart.agent.openprotocol.id_offset import OFFSET_MOST, IdOffset
from toolcart.agent.openprotocol.id_ownership import IdOwnership
from toolcart.agent.openprotocol.ids import (
    after,
    first_below,
    following,
    id_at,
    id_of,
    is_ahead,
    length_of,
    moved,
    open_below,
    preceding,
    put_id,
    unpack_id,
)
from toolcart.agent.openprotocol.observed_ids import ObservedIds
from toolcart.agent.openprotocol.push_run import PushRun
from toolcart.agent.openprotocol.question_revisions import REVISIONS, QuestionRevisions
from toolcart.agent.openprotocol.recovery_phases import GRACE_MS, LOOK_AGAIN_MS
from toolcart.agent.openprotocol.recovery_request import NEXT, UNANSWERED_MOST, RecoveryRequest
from toolcart.agent.openprotocol.result_digest import (
    FINGERPRINT_BYTES,
    are_alike,
    is_unread,
    put_digest,
    put_unread,
    same,
)
from toolcart.agent.record.result import (
    FLAG_RECOVERED,
    FLAG_UNPROVEN,
    HEAD_BYTES,
    ID_BYTES,
    TIGHTENING_ID,
    is_blank_record,
)

_ON_ITS_WAY_MS = const(2000)  # after one that was missing the next one may be pushed
_NOT_THERE = const(15)  # the code of a result that the controller does not have
_VAIN_REPORTED = const(2)
_FIRST_MOST = const(8)
RETRY_MS = const(30000)  # before what could not be fetched is asked for again: long enough not to disturb a controller

_IDLE = const(0)  # read in each step of the station: compiled in
_OFF = const(13)
# Built once: a tuple in an expression would be allocated at each poll.
_PHASES_OF_MISSING = (phases.PHASE_IDLE, phases.PHASE_FILL, phases.PHASE_SEEK)
_PHASES_THAT_READ_LOG = (phases.PHASE_WALK, phases.PHASE_FILL)
# Each ID asked for is to bring a result of its own.
_PHASES_OF_NEW_RESULTS = (phases.PHASE_WALK, phases.PHASE_UPWARD, phases.PHASE_FILL)
_PHASES_OF_WAYS = (phases.PHASE_WALK, phases.PHASE_UPWARD)
_PHASES_LOOKED_UP = (phases.PHASE_NEWEST, phases.PHASE_UPWARD, phases.PHASE_POLL)


def _why_of(code, otherwise):
    """Return why an ID is gone that was rejected with this code; `otherwise` where that says nothing, or is 15."""
    return -code if code > 0 and code != _NOT_THERE else otherwise


class Recovery:
    """Asks one controller for what is missing."""

    def __init__(
        self, duplicates, ledger, revisions=REVISIONS, retry_ms=RETRY_MS, sharing=phases.SHARING_AUTO, gone=None
    ):
        self.duplicates = duplicates
        self.ledger = ledger
        self.retry_ms = retry_ms
        self.by_spindle = True  # where there are several
        self.flags = FLAG_UNPROVEN if ledger.recovers else 0  # of a result that is pushed now
        self.phase = self.last_phase = phases.PHASE_CLOSED  # the second one: in which the last connection ended
        self.passed_over = 0  # answers that name another station, and were not taken
        self.polled = -1  # the ID that a poll brought, if it is not the highest known
        self.offset = IdOffset()  # rule 7
        self.writing = None  # toolcart.agent.openprotocol.differing_formats's, where an answer may be that
        self.check = None  # toolcart.agent.openprotocol.count_check's, while it asks
        self.spindle_results = None  # toolcart.agent.openprotocol.spindle_results', where there are several
        self.contents = None  # toolcart.agent.openprotocol.stored_contents', once something may have to be fetched
        self._is_checked = False  # on this connection: whether the highest ID known still stands, before any is gone
        self.frame = b""  # of an answer of which only the ID can be read
        self.has_answered = False
        self.ask_id = bytearray(b"0" * ID_BYTES)
        self.ask_spindle = 0  # the spindle to ask, 0: the controller's own
        self.request = RecoveryRequest()
        self.observed = ObservedIds()
        self.push_run = PushRun()
        self.gap_fill = GapFill(ledger, gone)
        self.ownership = IdOwnership(sharing)
        self.answer = bytearray(FINGERPRINT_BYTES)  # of what came last
        self._compared = bytearray(FINGERPRINT_BYTES)
        self.sought = bytearray(FINGERPRINT_BYTES)  # in WITNESS and NEARBY: `w`, or the last push
        self.revisions = QuestionRevisions(revisions)
        self._identity = 0  # the identity of this connection
        self.first_record = 0  # of its first push, 0: there was none
        self.first_records = [0] * _FIRST_MOST  # of the last _FIRST_MOST connections
        self.looked_at = 0  # the next record of the log when the newest was answered
        self.has_noted_seen = False  # what it has shown above `w` (toolcart.agent.openprotocol.seen_ids)
        self.seen_before = -1
        self.first_id = -1
        self.why = WHY_NEVER  # an ID is gone, as what came last says if it was no result (`gap_fill`)
        self.saw_new_count = False  # by a look, of whatever connection, that is not over
        self.lost_reported = 0  # events of what the look loses that are written, while the rest is not
        self.retry, self._looked = Timer(), Timer()
        self._pause_ms = LOOK_AGAIN_MS
        self.deferred = None  # toolcart.agent.openprotocol.deferred_ids's, once an ID was asked for in vain
        self.walk = None  # toolcart.agent.openprotocol.id_walk's, once one is needed
        self.grace = Timer()  # in which a push of which a part was acknowledged may come whole
        self.overdue = Timer()  # then that is not waited for any longer, since others begin all the time
        self.vain = 0  # questions in a row, of any connection, that got no usable answer
        self.contradictions = Contradictions()
        self.known_top = -1  # `w` before the push that came last
        self.closed_top = -1  # `w` that was asked for again (rule 6), and of which nothing came since
        self.is_elsewhere = False  # the log has what came last under another ID, which is not the memory's
        self.contradicts = False  # nothing is asked for since the answers do not match what is asked
        self.was_suspended = False  # since a question was asked last
        self._may_be_late = False  # the answer to the question that was asked last
        self.is_later = False  # the last rejection says that it will be answered later
        self.stored_late = ()  # missing IDs whose results came when their questions had been given up

    # -- the connection ----------------------------------------------------------------------------------------

    def opened(self, identity, system_type=0, now=0, by_own_ids=False):
        """A session is ready. `identity` is the session's 51 bytes; the name in it does not count."""
        ledger = self.ledger
        ownership = self.ownership
        self.forget_look()
        ownership.forget()
        self.writing = self.contents = None
        self._is_checked = self.has_noted_seen = False
        self._pause_ms = LOOK_AGAIN_MS
        self.stored_late = ()
        self.has_answered = False  # a question of this connection, by a result
        self.contradictions.opened()
        self.walk = None
        self.known_top = ledger.top()
        ledger.last_id = -1
        self.phase = phases.PHASE_OFF
        if not ledger.recovers:
            return
        self.flags = FLAG_UNPROVEN
        names_station = ownership.opened(identity, system_type, by_own_ids, ledger)
        self.revisions.opened(ownership.shared if names_station else None, self.duplicates.next_record() > 1)
        if self._identity == ownership.identity:
            self.offset.opened()
        else:
            self.offset.forget()
        if ownership.is_other:
            self.saw_new_count = False
            from toolcart.agent.openprotocol import successor  # hardly any cart needs it

            successor.note_successor(self, self._identity != ownership.identity)
        self._identity = ownership.identity
        ledger.note_contact()
        if self._answers_nothing():
            self._count_missing(now)
        self.phase = phases.PHASE_NEWEST  # it is asked again all the same

    def closed(self, now=0):
        """The session is over."""
        if self.request.waits and (self.phase == phases.PHASE_FILL or self.phase in phases.PHASES_OF_SEARCH):
            from toolcart.agent.openprotocol import deferred_ids  # hardly any connection ends with a question

            deferred_ids.ended_connection(self, now)
        self.ledger.end_contact()
        self.first_record = 0
        self.first_id = -1
        self.gap_fill.drop()
        if self.phase == phases.PHASE_SEEK:
            self.ownership.break_off()
        self.last_phase = self.phase
        self.phase = phases.PHASE_CLOSED
        self.push_run.close()
        self.ledger.run = 0
        self.forget_look()
        if self.ledger.recovers:
            self.flags = FLAG_UNPROVEN  # the next connection may push before it is opened

    def restart_later(self, now):
        """Start over with the newest, after a pause since the last time (rule 5): a push did not fit, or was lost."""
        if self.phase < _OFF:
            self._restart_after_pause(now)

    def _restart_after_pause(self, now):
        self.restart()
        self.contradictions.restarts = 0
        if self._looked.armed and not self._looked.expired(now):
            self.retry.start(now, self._looked.left(now))
        else:
            self._looked.start(now, self._pause_ms)
            self._pause_ms = min(2 * self._pause_ms, phases.OFF_MS)

    def restart(self):
        """Start over with the newest at once."""
        self.gap_fill.drop()
        self.forget_look()
        self.contradictions.restarts += 1
        if self.flags or not self.ledger.is_unasked():
            self.flags = FLAG_UNPROVEN
        self.phase = phases.PHASE_NEWEST

    def forget_look(self):
        """Forget what was observed, asked and concluded."""
        self.request.forget()
        self.check = self.spindle_results = None
        if self.walk is not None:
            self.walk.ended = None
        self._may_be_late = False
        self.offset.restart()
        self.observed.forget()
        self.gap_fill.forget()
        self.gap_fill.pushes_apart = None
        self.ledger.take_written()
        self.retry.stop()

    def is_deferred(self):
        """True if the controller has said that it will answer later."""
        return self.is_later

    def is_in_vain(self):
        """True if the last questions brought no usable answer, and the same is asked for again."""
        is_asked_again = self.request.tries > 0 or (self.phase == phases.PHASE_FILL and self.retry.armed)
        return 0 < self.phase < _OFF and self.vain >= _VAIN_REPORTED and is_asked_again

    def can_poll(self):
        """True if this controller can be asked for the newest, now or later."""
        return self.phase < _OFF

    def poll(self):
        """Ask whether the newest is still the highest known, unless something else is to be found out."""
        if self.phase == phases.PHASE_IDLE and not self.ledger.ranges:
            top = self.ledger.top()
            self.turn_to(phases.PHASE_POLL, after(top) if self.revisions.lacks_newest and top > 0 else 0)

    def turn_to(self, phase, asked):
        """Turn to this phase and its question; return OUTCOME_NONE."""
        self.phase = phase
        self.request.begin(asked)
        return phases.OUTCOME_NONE

    # -- pushes ------------------------------------------------------------------------------------------------

    def pushed(self, record, now):
        """Take note of a push, this record of the log, that the ledger has seen; False if its ID is out of order."""
        ledger = self.ledger
        observed = self.observed
        number = ledger.last_id
        if number < 0:
            if ledger.is_empty():
                self.restart_later(now)  # under which ID the memory has it shows where its IDs begin
            return True
        if number in ledger.begun:
            ledger.begun.remove(number)
        if number == self.closed_top:
            self.closed_top = -1
        if ledger.end_contact():
            ledger.try_save()  # else a start would not know that it is the first one
            if not observed.is_nothing():
                from toolcart.agent.openprotocol import newest_check  # hardly any push comes just then

                newest_check.take_first_push(self)
        if not self.first_record:
            self.first_record = record
            self.first_records.pop(0)
            self.first_records.append(record)
            self.first_id = number
        if self.phase == _OFF and self.ownership.is_other:  # now the session may be ended
            self.retry.start(now, _ON_ITS_WAY_MS)
        if self.phase == _OFF and self.ownership.lacks_station():
            self.ownership.shared.has_asked_log = False  # type: ignore[union-attr] - else nothing is lacking
            self._restart_after_pause(now)  # the answer with this push shows which station is ours
        follows = self.push_run.follows(number)
        if self.push_run.take(number, ledger.last):
            ledger.run = 0 if self.has_several() else record
        known, self.known_top = self.known_top, ledger.top()
        if self._answers_nothing():
            if not self.flags and known >= 0 and is_ahead(known, number) and self.ownership.has_plain_ids():
                from toolcart.agent.openprotocol.unfetchable import take_new_count  # hardly any controller needs it

                take_new_count(self, number, record)
            if self.phase >= _OFF and self.flags:  # else the answers may show more
                self._count_missing(now)
            elif self.phase >= _OFF and ledger.ranges:
                self.push_run.on_its_way = self.push_run.on_its_way or Timer()
                self.push_run.on_its_way.start(now, _ON_ITS_WAY_MS)
            return follows
        if self.flags == 0:
            if ledger.misses(number):
                self.retry.start(now, _ON_ITS_WAY_MS)
                return True
            if number != ledger.top() or (number == known and record == self.first_record and self._is_another(record)):
                self.restart_later(now)
                return follows
            if known >= 0 and number != after(known) and ledger.ranges:
                self.retry.start(now, _ON_ITS_WAY_MS)  # what it skipped may come behind it
            return True
        # ID 0 is no result's, or one's just past the wrap; one that comes again says nothing new.
        if self.phase == phases.PHASE_NO_ID and number > 0 and number != ledger.top():
            self._restart_after_pause(now)
            return False
        if observed.is_nothing():
            is_of_count = not observed.is_zero_absent or self.ownership.shares or is_ahead(number, ledger.top())
            if not (is_of_count or number < 1 or ledger.is_top(ledger.last)):
                self.restart_later(now)  # its count has begun anew, and ID 0 does not show it
            return True
        top = unpack_id(observed.top, 0)
        if is_ahead(number, top):
            if number != after(top) and not self.ownership.shares:
                observed.upto = preceding(number)  # else the IDs skipped would not be asked for
        elif number != top:
            if not follows:
                self.restart_later(now)
            return follows
        if not ledger.is_other_spindle_of(observed.top):
            copy(observed.top, 0, ledger.last, 0, FINGERPRINT_BYTES)
        return True

    def _is_another(self, record):
        """True if the first push of this connection is another result than the highest known, under its ID."""
        if not self.counts_alone():
            return False
        from toolcart.agent.openprotocol import nothing_above  # hardly any count begins anew

        return nothing_above.gives_back_top(self, record)

    def has_begun(self):
        """True if a part of a push was acknowledged and the push has not become whole since."""
        return len(self.ledger.begun) > 0

    def missed(self, now):
        """A push that began will not be completed, and is among what may be missing: fetch it, or count it."""
        self.grace.start(now, GRACE_MS)
        if self.phase == phases.PHASE_OFF and self.ledger.ranges and self.ledger.is_unasked():
            self._count_missing(now)

    def _answers_nothing(self):
        """True if this connection's controller answers nothing: a push is all that will ever be known."""
        return self.ledger.is_unasked() and not self.ownership.is_other and self.phase != phases.PHASE_CLOSED

    def _count_missing(self, now):
        """W4: what is missing is gone, since nothing can be asked for, and pushes prove themselves."""
        from toolcart.agent.openprotocol.unfetchable import count_missing  # hardly any controller needs it

        count_missing(self, now)

    # -- asking ------------------------------------------------------------------------------------------------

    def seeks(self):
        """True if something is to be asked for, now or later. Hot: allocates nothing."""
        if self.phase == _IDLE:
            return True if self.ledger.ranges else False
        return self.phase < _OFF or self.retry.armed or self.push_run.on_its_way is not None

    def want(self, now):
        """True if the ID in `ask_id` should be fetched now."""
        request = self.request
        if self.retry.armed:
            if not self.retry.expired(now):
                return False
            self.retry.stop()
            if self.phase == _OFF:
                self.restart()
        if not self.seeks():
            return False
        if self.contradictions.is_restless():
            self.end_contradiction(now)
            return False
        if self.gap_fill.is_due() and not self.gap_fill.flush():
            self.wait_for_room(now)
            return False
        if self.phase == phases.PHASE_SETTLE:
            look_conclusion.settle(self, now)
        if self.phase in _PHASES_OF_MISSING:
            range_fetch.turn_to_missing(self, now)
        if self.phase == phases.PHASE_SETTLE or self.phase == phases.PHASE_IDLE or self.retry.armed:
            return False
        if self.phase in _PHASES_THAT_READ_LOG and not self.read_contents(self.duplicates.read_most):
            self.retry.start(now, 0)  # the others have their turn first
            return False
        number = request.asked
        if request.state == NEXT:
            from toolcart.agent.openprotocol import unanswered_requests  # hardly any question is asked so often

            number = unanswered_requests.next_of(self)
        if number and number + self.offset.ask <= 0:  # 0 would be the newest
            self.why = WHY_NEVER
            self.take_absent(now)
            return self.want(now)
        if self.deferred is not None and self.phase in phases.PHASES_OF_SEARCH:
            from toolcart.agent.openprotocol import unanswered_requests

            if unanswered_requests.passes_over(self, number, now):
                return self.want(now)
        put_id(self.ask_id, number)
        self.ask_spindle = request.spindle if self.spindle_count() > 1 else 0
        request.waits = True
        self.was_suspended = self._may_be_late = False
        return True

    def wait_least(self, now, ms):
        """Return the ms until `want` may change its mind by time alone, or `ms` if that is less."""
        return self.retry.least(now, ms) if self.retry.armed else ms

    def wait_for_room(self, now, ms=0):
        """Ask for the same again later, or after so many ms: there was no room for it."""
        self.retry.start(now, ms or self.retry_ms)

    def ask_offset(self):
        """Return what to add to the ID in `ask_id` for the question (rule 7)."""
        return self.offset.ask if id_of(self.ask_id, 0) > 0 else 0

    def revision(self):
        """Return the revision to ask in."""
        return self.revisions.revision()

    def spindle_count(self):
        """Return how many spindles are asked each question."""
        return self.ledger.spindles() if self.by_spindle and self.ownership.has_plain_ids() else 1

    def results_of_spindles(self):
        """Return what is known of the results of several spindles."""
        if self.spindle_results is None:
            from toolcart.agent.openprotocol.spindle_results import SpindleResults  # hardly any controller has several

            self.spindle_results = SpindleResults(self.duplicates, self.ledger)
        return self.spindle_results

    def results_each(self):
        """Return how many results there are under one ID."""
        return self.results_of_spindles().each if self.has_several() else 1

    def has_several(self):
        """True if several results may have one ID, whether their spindles are named or not."""
        if self.spindle_count() > 1:
            return True
        return self.ledger.results_each() > 1 and self.asks_alone() and not self.may_be_apart()

    def learn_results_each(self, goes_on=True):
        """Take how many results an ID has, as the last pushes show, where no spindle is named.

        `goes_on`: other IDs were made since these.
        """
        if self.asks_alone() and not self.may_be_apart():
            from toolcart.agent.openprotocol.unnamed_spindles import unnamed_each

            each = unnamed_each(self.duplicates, self.ledger.epoch(), goes_on, self.first_records)
            self.ledger.put_results_each(each)

    def is_of_asked(self, body, start, flags):
        """True if the answer at body[start:], which names no spindle, is that of the one that was asked."""
        return self.spindle_count() == 1 or self.results_of_spindles().is_proven(body, start, flags)

    def turn_spindle(self):
        return self.request.turn_spindle(self.spindle_count())

    # -- answers -----------------------------------------------------------------------------------------------

    def fetched(self, body, start, now, flags=0, length=0):
        """Take the answer to what `want` asked for, a body with the flags its record would have; return an OUTCOME_.

        `length` is that of its payload, which begins HEAD_BYTES in front of the body.

        It may have used the stage unless that is OUTCOME_STORE: then `kept` or `wait_for_room` comes next.
        """
        self.has_answered = True
        self.revisions.is_answered()
        if self._is_not_awaited():
            return phases.OUTCOME_NONE
        asked = self.request.asked
        is_other = id_at(body, start + TIGHTENING_ID) != asked or is_blank_record(body, start)
        if asked and is_other and self.ledger.is_unasked():
            return self.cannot_ask(now)  # neither ID 0 nor a real one brings what was asked for
        if self._starts_over_as_answered():
            return phases.OUTCOME_NONE
        if is_blank_record(body, start):
            return self.take_absent(now)
        at = start + TIGHTENING_ID
        number = id_at(body, at)
        if number < 0:
            return self._handle_without_id(now)
        by = self.offset.by
        if by:
            number = self.offset.corrected(number)
        if by or not all_digits(body, at, ID_BYTES):
            digits = bytearray(ID_BYTES)
            put_id(digits, number)
            copy(body, at, digits, 0, ID_BYTES)
        put_digest(self.answer, 0, body, start, flags)
        if self.request.state == NEXT and self.offset.suspect >= 0:
            from toolcart.agent.openprotocol import other_ids  # hardly any controller's IDs are off

            return other_ids.take_suspect(self, number)
        is_searched = self.phase in _PHASES_LOOKED_UP or self.phase == phases.PHASE_WITNESS or self.has_several()
        is_logged = (
            is_searched and self.duplicates.holds(body, start - HEAD_BYTES, length, flags | FLAG_RECOVERED) == HELD
        )
        if not (is_logged or self.offset.is_ruled_out) and self.phase == phases.PHASE_FILL and self.may_be_offset():
            from toolcart.agent.openprotocol.stored_nearby import ahead_of_stored  # only while something is fetched

            near = ahead_of_stored(self.duplicates, body, start, length, flags | FLAG_RECOVERED, number)
            if near:
                from toolcart.agent.openprotocol import other_ids  # hardly any controller's IDs are off

                if not other_ids.is_repeated(self, moved(number, -near)):
                    return other_ids.put_right(self, number, moved(number, -near))
        is_walked = self.phase == phases.PHASE_WALK and number == self.request.asked
        if is_walked and self.asks_alone() and not self.offset.is_known():
            from toolcart.agent.openprotocol.stored_contents import is_pushed_as_another  # hardly any connection walks

            is_pushed_as_another(self, body, start, flags)
        if self.phase == phases.PHASE_FILL and self._turn_to_compare_pushed(number):
            return phases.OUTCOME_NONE
        return self._handle_result(number, is_logged, now)

    def fetched_unread(self, body, start, check, now, frame=b""):
        """The same for an answer of which only the ID can be read; OUTCOME_STORE: it is to be kept as it came.

        `check`, 30 bits, tells its frame, or as much of it as there is in `frame`, from others, under any ID where the
        frame has a time.
        """
        self.frame = frame
        if self._is_not_awaited() or self._starts_over_as_answered():
            return phases.OUTCOME_NONE
        number = id_at(body, start + TIGHTENING_ID)
        if number >= 0:
            number = self.offset.corrected(number)
        if number < 0 and self.phase == phases.PHASE_FILL:
            number = self.request.asked
        if number < 0:
            return self._handle_without_id(now)
        put_unread(self.answer, number, check)
        last = self.ledger.last_id
        if self.phase == phases.PHASE_FILL and number == self.request.asked and last >= 0 and last != number:
            from toolcart.agent.openprotocol.count_check import has_both  # hardly any controller has such answers

            if self.counts_alone() and has_both(frame, self.ledger.last):
                return self.take_as_absent(now)  # the newest by now, which is answered for what is gone
        return self._handle_result(number, False, now)

    def refused(self, kind, now, code=0):
        """Take a rejection of the REFUSED_ class `kind` with this code, if known; return an OUTCOME_."""
        if self._is_not_awaited():
            return phases.OUTCOME_NONE
        is_later = kind == error_codes.REFUSED_LATER or kind == error_codes.REFUSED_BUSY
        # Not every controller says 15 of an ID that is not there: one that has answered other questions says it by any
        # code, or by none; and one that does not know ID 0 may reject that so for ever. Where stations share the IDs
        # one that is not there is answered with another: whatever is rejected without 15 may be there.
        is_certain = self.request.asked or self.phase == phases.PHASE_POLL
        is_certain = is_certain or (self.revisions.lacks_newest and self.ledger.top() > 0)
        is_absent = self.has_answered and is_certain and not self.ownership.shares
        is_absent = is_absent or self.phase == phases.PHASE_PROBE
        is_absent = is_absent or (
            self.is_newest_tried() and kind == error_codes.REFUSED_OTHER and self.ledger.top() > 0
        )
        if kind == error_codes.REFUSED_GONE:
            self.revisions.is_answered()
        if kind == error_codes.REFUSED_GONE or (is_absent and not is_later):
            if self._starts_over_as_answered():
                return phases.OUTCOME_NONE
            number = id_of(self.ask_id, 0)
            if kind != error_codes.REFUSED_GONE and number and self.request.is_first_rejection(number, code):
                return phases.OUTCOME_NONE
            self.why = _why_of(code, WHY_NONE)
            if self.request.asked:
                self.vain = 0
            return self.take_absent(now)
        self.why = _why_of(code, WHY_NEVER)
        self.is_later = is_later
        if is_later and not (self.has_answered or self.was_answered()):
            self.revisions.is_deferred()
        does_without = self.phase == phases.PHASE_NEWEST and self.revisions.does_without_newest
        if self.revisions.turns(kind, self.has_answered or does_without):
            return phases.OUTCOME_NONE
        if kind == error_codes.REFUSED_REVISION and self.was_answered() and self.revisions.may_be_known():
            # The revision that it has answered in before was rejected for another reason.
            return self.ask_again_later(now)
        is_for_newest = self.phase == phases.PHASE_NEWEST and self.ledger.top() > 0 and not is_later
        is_for_newest = is_for_newest and self.revisions.lack_newest_alone()
        if is_for_newest or kind == error_codes.REFUSED_REVISION or kind == error_codes.REFUSED_NEVER:
            from toolcart.agent.openprotocol import unfetchable

            return unfetchable.cannot_ask_this(self, now)
        return self.ask_again_later(now)

    def was_answered(self):
        """True if this controller has answered questions, on whatever connection, and may do so again."""
        ledger = self.ledger
        return ledger.identity() != 0 and not ledger.is_unasked()

    def silent(self, now):
        """No answer came: ask for the same again later; return an OUTCOME_."""
        if self._is_not_awaited():
            return phases.OUTCOME_NONE
        self.why = WHY_SILENT
        self.is_later = False
        phase, asked = self.phase, self.request.asked
        outcome = self.ask_again_later(now)
        self._may_be_late = self.retry.armed and (self.phase, self.request.asked) == (phase, asked)
        return outcome

    def is_newest_tried(self, more=0):
        """True if the newest was asked for often enough in vain, `more` than is counted."""
        return self.phase == phases.PHASE_NEWEST and self.request.tries + more >= UNANSWERED_MOST

    def ask_again_later(self, now):
        """No usable answer: ask again later, but not for ever where others are answered; return an OUTCOME_."""
        from toolcart.agent.openprotocol import unanswered_requests  # a controller that behaves well answers

        return unanswered_requests.ask_again_later(self, now)

    def requests_suspended(self, now):
        """Nothing may be asked for on this connection, since others ended with such a question; return an OUTCOME_.

        One that has answered before is believed to do so again, until that comes twice.
        """
        if self.phase >= _OFF:
            return phases.OUTCOME_NONE
        from toolcart.agent.openprotocol import unanswered_requests  # hardly any controller ends connections so

        return unanswered_requests.requests_suspended(self, now)

    def cannot_ask(self, now):
        """Nothing can be asked for, as far as is known: ask again in an hour. Return an OUTCOME_."""
        from toolcart.agent.openprotocol import unfetchable  # hardly any controller needs it

        self.revisions.begin_anew()
        return unfetchable.cannot_ask(self, now)

    def _starts_over_as_answered(self):
        """There is an answer; True if none was to be expected: then the look begins anew."""
        ledger = self.ledger
        self.why = WHY_NONE
        if not ledger.is_unasked():
            return False
        ledger.put_unasked(False)
        self.flags = FLAG_UNPROVEN
        ledger.try_save()  # a start that does not know it yet learns it from the next answer
        self.restart()
        return True

    def kept(self, now):
        """The log has what was fetched; under another ID it is no answer to what was asked."""
        if self.phase == phases.PHASE_FILL:
            if self.is_elsewhere:
                self.is_elsewhere = False
                self.why = WHY_SILENT
                self.take_absent(now)
                return
            self.gap_fill.gone_run = 0
            self.request.there = True
            self._pause_ms = LOOK_AGAIN_MS
            range_fetch.turn_or_close(self)

    def awaits(self, number):
        """True if an answer with this ID is to what is asked for, or is to be asked for again."""
        return self.request.asked == number and (self.request.waits or self._may_be_late)

    def _is_not_awaited(self):
        """Take note of an answer; True if it is to an earlier question, or to none."""
        request = self.request
        waited, request.waits = request.waits, False
        self.is_later = False
        if self._may_be_late:  # it is to the question that is to be asked again
            waited = True
            self._may_be_late = False
            self.retry.stop()
            request.again()
        return not waited or self.phase >= _OFF

    def _handle_without_id(self, now):
        """Take an answer without an ID; return an OUTCOME_.

        If the newest has none again and again, nothing can be asked for until one has.
        """
        if self.phase == phases.PHASE_POLL:
            self.restart()  # else each poll would find that nothing is unknown
            return phases.OUTCOME_NONE
        if self.phase != phases.PHASE_NEWEST or self.request.tries + 1 < UNANSWERED_MOST:
            return self.ask_again_later(now)
        self.switch_off(phases.PHASE_NO_ID)
        return phases.OUTCOME_NONE

    def switch_off(self, phase):
        """Stop asking, for this connection or a long while."""
        self.phase = phase
        if not self.ledger.is_unasked():
            self.flags = FLAG_UNPROVEN

    def _handle_result(self, number, is_logged, now):
        """Take the result `number` in `answer`; `is_logged`: by what was looked up. Return an OUTCOME_."""
        phase = self.phase
        request = self.request
        ownership = self.ownership
        if number != request.asked and self._gives_one_id_to_two(number):
            return self.end_contradiction(now)
        if request.is_answer_to_next():
            return phases.OUTCOME_NONE
        if phase == phases.PHASE_COMPARE:
            return self._handle_compared(number, now)
        if phase in phases.PHASES_OF_KNOWN and not number == request.asked == unpack_id(self.sought, 0):
            from toolcart.agent.openprotocol import other_ids  # hardly any controller's IDs are off

            if other_ids.shows_offset(self, number):
                return other_ids.put_right(self, number, unpack_id(self.sought, 0))
        if ownership.shared is None and request.asked and number != request.asked:
            from toolcart.agent.openprotocol import other_ids  # hardly any controller answers another question

            if other_ids.lacks_push(self):
                return other_ids.take_other_id(self, number, now)
        if ownership.shared is not None:
            from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

            judged = shared_ids.judge(self, number)
            if judged != phases.JUDGED_FINE:
                return shared_ids.take_judged(self, judged)
        if phase == phases.PHASE_NEWEST:
            return self._handle_newest(number, is_logged, now)
        if phase == phases.PHASE_PROBE:
            from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

            return shared_ids.take_probed(self, False, now)
        if phase == phases.PHASE_POLL:
            is_unsaid = number == self.ledger.top() and self._is_unsaid(self.answer)
            return self.end_poll(is_logged or is_unsaid or self.is_top(self.answer), number)
        # Who shares the IDs answers with the nearest lower one: by its digits, so past a wrap too.
        is_lower = ownership.shares and number < request.asked
        if phase == phases.PHASE_SEEK and (number == request.asked or is_lower):
            from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

            return shared_ids.take_answer(self, number, now)
        if number == request.asked:
            return self._handle_asked_id(number, is_logged, now)
        if is_lower:
            return self.take_absent(now)
        # Hardly any controller answers another question.
        from toolcart.agent.openprotocol.other_ids import take_other_id

        return take_other_id(self, number, now)

    def _gives_one_id_to_two(self, number):
        """Take an answer with another ID than was asked for; True if answers have one ID for several results."""
        if not self.counts_alone() or is_unread(self.answer):
            return False
        return self.contradictions.gives_one_id_to_two(number, self.answer, self.observed.top)

    def _came_first_as(self, number):
        """Return under which ID answers of this connection have brought this result first: this one if none has."""
        if not self.ownership.has_plain_ids():
            return number
        return self.contradictions.first_brought_as(number, self.answer)

    def end_contradiction(self, now):
        """The answers do not match what is asked: whatever they are, nothing follows from them. Return an OUTCOME_."""
        self.contradictions.end()
        self.why = WHY_SILENT
        self.contradicts = True
        self.offset.forget()
        self.offset.give_up()
        return self.cannot_ask(now)

    def _handle_asked_id(self, number, is_logged, now):
        """The ID that was asked for is there; return an OUTCOME_."""
        phase = self.phase
        self.vain = 0
        self.revisions.does_without_newest = self.revisions.lacks_newest
        first = self._came_first_as(number)
        is_repeat = first != number  # one of the two IDs is wrong
        is_new = not (is_repeat or is_unread(self.answer))
        if phase in _PHASES_OF_WAYS and self.contradictions.proves_nothing(is_new):
            return self.end_contradiction(now)
        if is_repeat and first == self.contradictions.newest:
            if phase == phases.PHASE_WITNESS and self._is_unconfirmed() and self.is_top(self.answer):
                return self._end_confirming(False, now)  # the newest was given another ID than its own
            return self.take_as_absent(now)
        if self.contradictions.repeats_itself(is_repeat):
            return self.end_contradiction(now)
        if phase == phases.PHASE_WALK and not is_repeat:
            self.walk.take_there(self.answer)  # type: ignore[attr-defined] - it walks
        if is_repeat and phase in _PHASES_OF_NEW_RESULTS:
            return self.take_as_absent(now)
        self.contradicts = False
        if phase == phases.PHASE_CONFIRM:
            return self._end_confirming(True, now)
        if phase == phases.PHASE_WITNESS:
            return self._handle_witness(is_logged, now)
        if phase == phases.PHASE_NEARBY:
            from toolcart.agent.openprotocol import nearby_search  # hardly any controller's IDs are off

            return nearby_search.take_nearby(self, now)
        if phase == phases.PHASE_FILL:
            return range_fetch.take_missing(self)
        if self._rises():
            is_top = number == self.ledger.top()
            if is_top:
                self.walk.ended.is_there = self.is_top(self.answer)  # type: ignore[attr-defined] - it rises
            return self.go_on_searching(number, not (is_top or is_logged), now)
        if phase == phases.PHASE_UPWARD:
            self.observed.take(number, self.answer)
            self.observed.miss_up_to_newest(is_logged)
            if self.observed.end and are_alike(self.answer, self.observed.end):
                return look_conclusion.end_up(self, now)
        return self.go_on_searching(number, True, now)

    def take_as_absent(self, now):
        """What was asked for is answered with another result: as if it were not there. Return an OUTCOME_."""
        from toolcart.agent.openprotocol import unanswered_requests  # hardly any controller answers so

        return unanswered_requests.take_as_absent(self, now)

    def take_absent(self, now):
        """The controller has nothing under the ID that was asked for; return an OUTCOME_."""
        phase = self.phase
        request = self.request
        if request.is_answer_to_next() or self.turn_spindle():
            return phases.OUTCOME_NONE
        if phase == phases.PHASE_NEWEST:
            return self._handle_no_newest(now) if self.observed.is_nothing() else self.look_at_sharing(now)
        if phase == phases.PHASE_PROBE:
            from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

            return shared_ids.take_probed(self, True, now)
        if phase == phases.PHASE_POLL:
            return self._handle_poll_gone()
        if phase == phases.PHASE_COMPARE:
            return self._go_on_comparing(False, now)
        if phase == phases.PHASE_CONFIRM:
            return self._end_confirming(False, now)
        if phase == phases.PHASE_WITNESS:
            return self.search_nearby(request.there, now)
        if phase == phases.PHASE_NEARBY:
            from toolcart.agent.openprotocol import nearby_search  # hardly any controller's IDs are off

            return nearby_search.take_absent(self, now)
        if phase == phases.PHASE_FILL:
            self.gap_fill.gone_run += not request.there
            if not request.there and self._is_unchecked():
                from toolcart.agent.openprotocol.stored_contents import is_id_stored  # hardly any is gone

                if not is_id_stored(self):
                    self._is_checked = True
                    self.restart()
                    return phases.OUTCOME_NONE
            return range_fetch.close_asked(self, not request.there)
        if phase == phases.PHASE_SEEK:
            from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

            return shared_ids.take_absent(self)
        return self.go_on_searching(request.asked, False, now)

    def go_on_searching(self, number, there, now):
        """Turn to the next question of a walk or a stretch, or to its end; return an OUTCOME_."""
        request = self.request
        observed = self.observed
        if self.phase == phases.PHASE_SEEK:
            self.ownership.shared.add_answer(number, there)  # type: ignore[union-attr] - else there is no such phase
            request.begin(request.asked)
        elif self._rises():
            from toolcart.agent.openprotocol import id_walk  # hardly any connection needs one

            return id_walk.rise(self, there, now)
        elif self.phase == phases.PHASE_UPWARD:
            observed.gone_run = 0 if there else observed.gone_run + 1
            if observed.gone_run >= self.ownership.gone_most:
                return look_conclusion.end_up(self, now)
            request.begin(after(request.asked))
        elif self.walk.search.answered(there):  # type: ignore[attr-defined] - it walks
            request.begin(self.walk.search.asked)  # type: ignore[attr-defined]
        else:
            from toolcart.agent.openprotocol import id_walk  # hardly any connection needs one

            return id_walk.end(self, now)
        return phases.OUTCOME_NONE

    # -- a poll ------------------------------------------------------------------------------------------------

    def end_poll(self, is_known, number=-1):
        """Return to rest after a poll; return an OUTCOME_."""
        self.turn_to(phases.PHASE_IDLE, 0)
        self.polled = number
        return phases.OUTCOME_KNOWN if is_known else phases.OUTCOME_UNKNOWN

    def _handle_poll_gone(self):
        """ID 0 is gone, which may be unknown there: ask for the one after `w`. Return an OUTCOME_."""
        top = self.ledger.top()
        if self.request.asked or top < 0:
            return self.end_poll(True)
        return self.turn_to(phases.PHASE_POLL, after(top))

    # -- what the controller has ------------------------------------------------------------------------------

    def _handle_newest(self, number, is_logged, now):
        """Take the newest of the spindle asked: the highest of all counts. Return an OUTCOME_."""
        self.request.again()
        self.looked_at = self.duplicates.next_record()
        self._came_first_as(number)
        self.contradictions.newest = number
        self.observed.take_newest(number, self.answer, is_logged, self.ledger)
        return phases.OUTCOME_NONE if self.turn_spindle() else self.look_at_sharing(now)

    def look_at_sharing(self, now):
        """The newest is known: first see whether its ID is the stations' or ours alone. Return an OUTCOME_."""
        ownership = self.ownership
        if ownership.shared is None or not ownership.shared.needs_proof(ownership.shares):
            return self.compare_newest(now)
        return self.turn_to(phases.PHASE_PROBE, after(self.observed.newest))

    def compare_newest(self, now):
        """Go on from the newest; return an OUTCOME_."""
        ledger = self.ledger
        observed = self.observed
        newest = observed.newest
        top = ledger.top()
        if self.ownership.is_other and ledger.successor_id < 0 and not self.ownership.is_believed:
            ledger.put_successor(self.ownership.identity, newest)
            ledger.try_save()
        self.learn_results_each(top >= 0 and is_ahead(newest, top))
        if ledger.doubted and not observed.is_held and top > 0 and is_ahead(newest, top):
            from toolcart.agent.openprotocol import nothing_above  # most connections are proven before they push

            if nothing_above.is_below_push(self) and nothing_above.goes_on_from_push(self, True):
                top = ledger.top()
        several = self.has_several()
        if ledger.last_id >= 0 and is_ahead(ledger.last_id, newest):
            from toolcart.agent.openprotocol import newest_check  # hardly any memory is late

            newest = newest_check.take_push(self)
        is_held = observed.is_held and several and self._is_of_top_id(observed.top)
        is_newest = self.is_top(observed.top) or (newest > 0 and is_ahead(newest, top))
        if (ledger.has_unnamed() or ledger.is_apart() or not is_newest) and self._is_unconfirmed():
            from toolcart.agent.openprotocol import newest_check  # most have something new, or nothing

            if newest_check.shows_nothing(self):
                return newest_check.do_without(self, now)
        observed.miss_up_to_newest(observed.is_held and not several)
        self.request.again()
        observed.starts_over = observed.is_reset = False
        if not ledger.is_met() and not ledger.is_empty():
            observed.first = following(observed.upto)  # what it made before the first meeting is not ours
            self.phase = phases.PHASE_SETTLE
            self.wait_for_room(now, _ON_ITS_WAY_MS)  # unless it pushes that, or one in front of it, yet
            return phases.OUTCOME_NONE
        if ledger.is_empty() and not self.ownership.is_other:
            if self._is_unconfirmed():
                return self.turn_to(phases.PHASE_CONFIRM, newest)
            observed.starts_over = True
            observed.first = first_below(newest) if self.ownership.shares else open_below(observed.upto)
            return look_conclusion.conclude_look(self, now)
        observed.is_unsaid = is_unsaid = newest == top and self._is_unsaid(observed.top)
        if self.is_top(observed.top) or is_held:
            observed.take(newest, ledger.octets)  # which may say more
            observed.first = newest if is_held and newest != self.closed_top else following(observed.upto)
            return look_conclusion.conclude_look(self, now)
        if newest == top and self._turns_to_compare(observed.top, ledger.octets):
            return phases.OUTCOME_NONE
        is_above = is_ahead(newest, top)
        if is_above and top > 0 and not self.saw_new_count:
            from toolcart.agent.openprotocol import seen_ids  # hardly any connection needs it

            seen_ids.note_newest(self, newest)
        elif newest > 0 and not is_unsaid and (self.saw_new_count or not is_above):  # until that is settled
            ledger.skipped = max(ledger.skipped, newest)
            if self.offset.is_ruled_out or is_ahead(moved(top, -OFFSET_MOST), newest):  # else they may be off
                self.saw_new_count |= not (observed.is_held or ledger.is_like_top(observed.top))
        if top <= 0 or not (is_above or is_unsaid or self._may_be_moved()):
            from toolcart.agent.openprotocol import id_walk  # hardly any connection needs one

            return id_walk.begin(self, top >= 0 and not (is_above or is_unsaid), now)
        return self.turn_to_witness()

    def _is_unconfirmed(self):
        """True if it is to be seen whether what ID 0 brought is the newest, under its own ID."""
        observed = self.observed
        is_open = not (observed.is_zero_absent or observed.is_nothing()) and not observed.is_confirmed
        return is_open and not self.ownership.is_other and self.counts_alone()

    def _end_confirming(self, is_there, now):
        """Take whether there is a result under the ID of the newest; return an OUTCOME_."""
        observed = self.observed
        newest = observed.top
        is_other = unpack_id(newest, 0) != observed.newest  # one was pushed since
        is_it = same(self.answer, newest) or is_unread(self.answer) or is_unread(newest)
        if not is_there or not (is_other or is_it):
            from toolcart.agent.openprotocol import newest_check  # hardly any controller gives it a wrong ID

            return newest_check.do_without(self, now)
        observed.is_confirmed = True
        if not observed.is_witness_there:  # it had nothing before
            return self.compare_newest(now)
        self.offset.is_proven = True
        is_above = is_ahead(observed.newest, self.ledger.top())
        return self.count_goes_on(now) if is_above else self.search_nearby(True, now)

    def _handle_no_newest(self, now):
        """ID 0 is gone: the controller has nothing, or does not know ID 0. Return an OUTCOME_."""
        ledger = self.ledger
        observed = self.observed
        self.request.again()
        observed.is_zero_absent = True
        is_pushed = ledger.last_id >= 0  # this connection has pushed one: it counts as the newest, unless it was late
        if is_pushed and is_ahead(ledger.top(), ledger.last_id):
            from toolcart.agent.openprotocol import nothing_above  # hardly any push is below the one before it

            is_pushed = nothing_above.has_pushed_newest(self)
        if is_pushed:
            observed.take(ledger.last_id, ledger.last)
            observed.is_held = True
            return self.look_at_sharing(now)
        if ledger.top() <= 0:
            return self.conclude_empty(now)
        return self.look_at_sharing(now) if self.takes_push() else self.turn_to_witness()

    def takes_push(self):
        """True if the last push since the highest ID known is not above it: it counts as the newest."""
        if not self.ledger.doubted:
            return False
        from toolcart.agent.openprotocol import nothing_above  # hardly any connection begins so

        return nothing_above.takes_push(self)

    def turn_to_witness(self):
        """Ask for the highest known; where it may be off and was not pushed, for the last push. Return OUTCOME_NONE."""
        ledger = self.ledger
        is_other = self.offset.needs_push and self.may_be_offset() and self.is_pushed(ledger.last)
        copy(self.sought, 0, ledger.last if is_other else ledger.octets, 0, FINGERPRINT_BYTES)
        return self.turn_to(phases.PHASE_WITNESS, unpack_id(self.sought, 0))

    def _handle_witness(self, is_logged, now):
        """There is a result under the highest ID known; return an OUTCOME_."""
        request = self.request
        ledger = self.ledger
        observed = self.observed
        if request.asked != ledger.top():
            from toolcart.agent.openprotocol import nearby_search  # hardly any controller's IDs are off

            return nearby_search.take_push_sought(self, now)
        several = self.has_several()
        is_above = observed.is_nothing() or is_ahead(observed.newest, request.asked)
        if several and observed.is_held and not is_above:
            from toolcart.agent.openprotocol.unnamed_spindles import is_behind_last  # hardly any memory is late

            is_above = is_behind_last(self.duplicates, unpack_id(observed.top, 0))
        is_known = self.is_top(self.answer) or (is_logged and self._is_of_top_id(self.answer))
        if not is_known and is_unread(self.answer):
            from toolcart.agent.openprotocol.count_check import tells  # hardly any answer cannot be read

            is_known = tells(self.frame, ledger.octets)
        if is_known and not several and self.is_pushed(ledger.octets):
            self.offset.is_ruled_out = not self.offset.is_known()
        if not is_known and self._turns_to_compare(self.answer, ledger.octets):
            return phases.OUTCOME_NONE
        if not is_known and self._is_unsaid(self.answer):
            if self.turn_spindle():
                return phases.OUTCOME_NONE
            from toolcart.agent.openprotocol import count_check  # hardly any controller has such answers

            return count_check.begin(self, now)
        is_top = observed.newest == request.asked
        if is_known and self._is_unconfirmed() and not observed.is_unsaid:
            observed.is_witness_there = True
            # Where it has the same ID another result was given that.
            return self._end_confirming(False, now) if is_top else self.turn_to(phases.PHASE_CONFIRM, observed.newest)
        if not is_known or not (is_above or is_top):
            request.there = True
            return phases.OUTCOME_NONE if self.turn_spindle() else self.search_nearby(True, now)
        self.offset.is_proven = True
        return self.count_goes_on(now)

    def count_goes_on(self, now):
        """The highest ID known still means the same; return an OUTCOME_."""
        ledger = self.ledger
        observed = self.observed
        top = ledger.top()
        if not observed.is_nothing() and not is_ahead(unpack_id(observed.top, 0), top):
            observed.take(top, ledger.octets)  # the newest that was answered cannot be read, and says no more
            observed.upto = top
        observed.first = top if self.has_several() and top != self.closed_top else following(top)
        return look_conclusion.conclude_look(self, now)

    def search_nearby(self, is_reset, now):
        """What was sought is not under its ID: it may be near it (rule 7). Return an OUTCOME_."""
        from toolcart.agent.openprotocol import nearby_search  # it is there, as a rule

        return nearby_search.search(self, is_reset, now)

    def conclude_empty(self, now):
        """The controller has nothing: what it makes from now on is ours. Return an OUTCOME_."""
        observed = self.observed
        if self.ledger.last_id >= 0:
            from toolcart.agent.openprotocol.nothing_above import has_pushed_newest  # most have something new

            if has_pushed_newest(self):
                return self._handle_no_newest(now)  # meanwhile
        observed.starts_over = self.ownership.is_other or self.ledger.top() <= 0
        observed.is_reset = self.ownership.is_other and self.ledger.is_met()
        if not self.ownership.is_other and (self.ledger.is_met() or self.ledger.has_unnamed()):
            from toolcart.agent.openprotocol import nothing_above  # most have something new

            if nothing_above.shows_nothing(self):
                self.switch_off(phases.PHASE_NO_ID)
                return phases.OUTCOME_NONE
            if not observed.starts_over:
                nothing_above.stay_at_top(self)
        return look_conclusion.settle(self, now)

    def _rises(self):
        """True if what the count before may have left is asked for."""
        return self.walk is not None and self.walk.rises()

    def ended(self):
        """Return what is known of a count whose end lies above the newest, None where that was not asked for."""
        return None if self.walk is None else self.walk.ended

    # -- what a question and an ID mean ---------------------------------------------------------------------

    def asks_alone(self):
        """True if a question is for this station's results, whatever their spindles."""
        return self.spindle_count() == 1 and self.ownership.has_plain_ids()

    def counts_alone(self):
        """True if an ID means one result, of this station."""
        return self.asks_alone() and not self.has_several()

    def may_be_offset(self):
        """True if the ID of an answer may show by how much they are off."""
        return self.offset.may_show_offset() and self.asks_alone()

    def _may_be_moved(self):
        """True if the highest ID known is asked for though the newest is not above it: either may be off."""
        return self.asks_alone() and not self.offset.is_ruled_out

    def may_be_apart(self):
        """True if pushed IDs are not the memory's, or one answer of this connection has shown it."""
        return self.ledger.is_apart() or (self.contents is not None and self.contents.is_suspected())

    def _is_unchecked(self):
        """True if it is to be seen whether the highest ID known stands, before what was skipped in front is gone."""
        is_checked = self._is_checked or self.offset.is_ruled_out or self.gap_fill.pushes_apart
        return not (is_checked or self.flags) and self.counts_alone()

    # -- whether an answer is the highest result known -----------------------------------------------------

    def is_top(self, answer):
        """True if the answer is the highest result known, in whatever writing."""
        return self.ledger.is_top(answer) or (self.ledger.is_met() and self.fits_in_writing(answer, self.ledger.octets))

    def _is_unsaid(self, answer):
        """True if this answer under the highest ID known says neither that it is that result nor that it is not."""
        top = self.ledger.octets
        may_be = is_unread(answer) or is_unread(top) or self.may_share_its_id(answer, top)
        return may_be and not self.is_top(answer)

    def _is_of_top_id(self, answer):
        """True if the answer, which the log has, is of the tightening of the highest result known."""
        from toolcart.agent.openprotocol.spindle_results import is_of_top_id  # hardly any controller has several

        return is_of_top_id(self, answer)

    def may_share_its_id(self, answer, stored):
        """True if the answer, which the log does not have, may be another result of the ID of what is stored."""
        if not self.has_several():
            return False
        from toolcart.agent.openprotocol.spindle_results import may_share_its_id  # hardly any controller has several

        return may_share_its_id(self, answer, stored)

    def is_pushed(self, digest, or_fetched=False):
        """True if the log has this result from a push, or from any; not if its ID is 0, which cannot be asked for."""
        number = unpack_id(digest, 0)
        ident = bytearray(ID_BYTES)
        put_id(ident, number)
        one = bytearray(FINGERPRINT_BYTES)
        for page, at, flags in self.duplicates.results_of(bytes(ident), self.ledger.since) if number else ():
            if or_fetched or not flags & FLAG_RECOVERED:
                put_digest(one, 0, page, at, flags)
                if same(one, digest):
                    return True
        return False

    # -- what the log has, under whatever IDs (toolcart.agent.openprotocol.stored_contents) --------------------------

    def read_contents(self, most):
        """Read so many records of what the log has; True once that is known.

        Of a log that has no more than these it is read when an answer is to be compared: most first walks bring none.
        """
        if self.contents is None and self.duplicates.next_record() - 1 <= most < RESULTS_MOST:
            return True
        from toolcart.agent.openprotocol import stored_contents  # only once something may have to be fetched

        return stored_contents.begun(self).read(most)

    def count_here(self, first, last):
        """Return how many of these IDs, which may be missing, are in the log all the same."""
        ledger = self.ledger
        if not length_of(first, last):
            return 0
        if self.ownership.is_other:  # these IDs are of the one before
            from toolcart.agent.openprotocol.successor import count_before  # hardly any cart needs it

            return count_before(self.duplicates, first, last, ledger.since)
        return self.duplicates.count_ids(first, last, self.first_of_count())

    def first_of_count(self):
        """Return from which record of the log on IDs are of the present count, as far as is known after a start too."""
        ledger = self.ledger
        if ledger.since > 1 or not ledger.epoch():
            return ledger.since
        from toolcart.agent.openprotocol import stored_contents  # hardly any count has begun anew

        return stored_contents.whole(self).since

    # -- an answer in another writing (toolcart.agent.openprotocol.differing_formats) ----------------------------------

    def fits_in_writing(self, answer, pushed):
        """True if the answer is what was pushed under its ID, in the writing that is proven.

        That IDs are off was shown by time and values, where need be without seconds: so is this.
        """
        if unpack_id(answer, 0) != unpack_id(pushed, 0):
            return False
        if self.writing is None or not self.writing.is_proven:
            return self.offset.is_known() and are_alike(answer, pushed)
        from toolcart.agent.openprotocol.differing_formats import fits

        return fits(answer, pushed)

    def _turn_to_compare_pushed(self, number):
        """The same for an answer to what may be missing, and was pushed in front of the proof."""
        ledger = self.ledger
        is_open_yet = self.writing is None or not self.writing.is_over
        if number != self.request.asked or not (ledger.doubted and is_open_yet and self.counts_alone()):
            return False
        pushed = bytearray(FINGERPRINT_BYTES)
        for page, at, flags in self.duplicates.results_of(bytes(self.ask_id), ledger.since):
            if not flags & FLAG_RECOVERED:
                put_digest(pushed, 0, page, at, flags)
                if same(self.answer, pushed):
                    return False
        if unpack_id(pushed, 0) != number or not self._turns_to_compare(self.answer, pushed):
            return False
        self.gap_fill.drop()
        return True

    def _handle_compared(self, number, now):
        """Take the answer to the question for a result that was pushed; return an OUTCOME_."""
        if number != self.request.asked and self.request.is_first_other():
            return phases.OUTCOME_NONE
        return self._go_on_comparing(number == self.request.asked, now)

    def _go_on_comparing(self, is_there, now):
        """Take the result that was asked for, or that it is not there, and turn to the next one; return an OUTCOME_."""
        if self.check is not None:
            from toolcart.agent.openprotocol import count_check  # hardly any controller has such answers

            return count_check.take_answer(self, is_there, now)
        from toolcart.agent.openprotocol import differing_formats  # hardly any controller writes them otherwise

        return differing_formats.take_answer(self, self.answer if is_there else None)

    def _turns_to_compare(self, answer, pushed):
        """True if this answer may be what was pushed under its ID, in another writing: then that is to be found out."""
        from toolcart.agent.openprotocol import differing_formats  # hardly any controller writes them otherwise

        return differing_formats.turns_to_compare(self, answer, pushed)

    def has_otherwise(self, body, start, flags):
        """Return HELD if the log has what is at body[start:] otherwise, HELD_UNKNOWN if it may, else NOT_HELD."""
        if flags & FLAG_RECOVERED:
            from toolcart.agent.openprotocol import stored_contents  # only once something is fetched

            holds = stored_contents.holds_fetched(self, body, start, flags)
            if holds:
                return holds
        writing = self.writing
        is_proven = writing is not None and writing.is_proven
        if not self.counts_alone() or not (is_proven or (flags & FLAG_RECOVERED and self.ledger.doubted)):
            return NOT_HELD
        from toolcart.agent.openprotocol.differing_formats import is_stored

        put_digest(self._compared, 0, body, start, flags)
        since = self.ledger.since if is_proven else 1
        if is_stored(self.duplicates, body, start, self._compared, flags, since, is_proven):
            return HELD if is_proven else HELD_UNKNOWN
        return NOT_HELD


assert _IDLE == phases.PHASE_IDLE and _OFF == phases.PHASE_OFF < phases.PHASE_NO_ID < phases.PHASE_CLOSED
