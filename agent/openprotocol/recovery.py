"""What a controller has that the log lacks: asks for it with MID 0064, and fetches what is missing, oldest first.

Sans I/O: asked what to fetch next (`prepare_request`) and is given every answer and every push. What it concludes is
written down in one snapshot (toolcart.agent.openprotocol.id_ledger); everything here may be forgotten at any moment.

Usually a connection asks for the newest result, N (ID 0), and for the highest one known, `top`, under its own ID. Both
are as they were: what lies between them is missing, is asked for from the oldest on, and stored. Then nothing is asked
until a push leaves a gap. All else is for controllers that answer otherwise.

Rules
1. Until a connection has proven what its IDs mean, what it pushes is stored with FLAG_UNPROVEN. No push ever waits.
2. Proof: the newest (N, asked for as ID 0) is the highest result known (`top`); or it is above `top`, and both are
   under their IDs; else a walk down from the newest has shown what the controller has, all of which may be missing. At
   the first meeting N and what is below it are not ours, unless it is pushed yet, or one in front of it, within a
   pause. What this connection has pushed above an N that is not below `top` counts as N. An N that is not the newest,
   or has another result's ID, counts as if ID 0 were not known (toolcart.agent.openprotocol.newest_check).
3. Missing IDs are asked for one by one; an ID is closed by the result itself, by 15 (gone), by another ID that comes
   twice in its place, by five silences while the next one is answered, or by what rule 9 says. Once a result came on
   this connection any rejection of an ID, with another code or none, means the same as 15 when the question was asked
   once more and is rejected again. The code that came then means so at once from there on, until the look starts over.
   Not where it says "later" or "busy", nor where stations share the IDs. Where many in a row are gone a walk from above
   finds where the range really begins (toolcart.agent.openprotocol.range_fetch).
4. How far a range is closed is saved every CLOSED_MOST IDs and at its end, with an event for what was gone.
5. A push fits if it may be missing, or is not after the one before it while nothing is proven: it was on its way. Nor
   does one fit that is not above `top`, where N is, or where ID 0 shows nothing; nor another result of its ID there.
   One that does not fit
   makes it start over, once a minute at most, and more seldom, down to once an hour, as long as that brings nothing:
   where IDs come in no order (two spindles that count for themselves and name none) each push would,
   and with a walk each time it would never end. Which of two times is later never counts.
6. Where several spindles may have a result under one ID, each question goes to each of them in turn. An ID is gone only
   if it is for all, and `top` itself may be missing of another spindle: below a newer one it is asked for again, even
   if the log no longer has `top` and stores it twice then; as the newest, while the log has it. So it is where results
   of one ID name no spindle: any of them answers for `top`.
7. Some controllers answer with IDs that are off by a constant, or other questions than they are asked
   (toolcart.agent.openprotocol.id_offset): what was pushed shows it. It is put right in all that follows
   (toolcart.agent.openprotocol.other_ids), and in `top` itself where it came from such an answer
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
   the memory's, the memory alone counts: what lies between `top` and its lowest result is gone, but for what was pushed
   (toolcart.agent.openprotocol.differing_push_ids).
   A result of which a part was acknowledged may be missing until it is whole (toolcart.agent.openprotocol.seen_ids);
   for GRACE_MS it may come again whole, and is not counted.
   Many questions in vain in a row, on however many connections, show that there is no answer: before anything is
   proven nothing can be asked for, and later each ID is gone until one is answered
   (toolcart.agent.openprotocol.unanswered_requests). So do answers that contradict each other
   (toolcart.agent.openprotocol.contradictions): `contradicts` has status say so.
10. Where a controller has nothing at all though `top` is known, that says nothing about its IDs: `top` stays, or
    becomes the last push in the log, and what is missing in front of that is asked for; where pushes have no ID, or one
    for all, it cannot be known, and nothing is asked for (toolcart.agent.openprotocol.nothing_above).
11. An answer of which only the ID can be read is kept as it came. It is never another result than `top`, and begins no
    new count unless it is the newest, below `top`: what is in front of `top` says which count it is
    (toolcart.agent.openprotocol.count_check).

Here is what the station asks and tells: the connection, pushes, questions, answers. What a push means is in
toolcart.agent.openprotocol.push_run; what an answer or a rejection means in recovery_answers and recovery_rejections,
by the table of the phases in recovery_phases. The first questions of a connection are in id_continuity, what is
missing in range_fetch. What hardly any controller needs is in modules of its own, imported where it is needed.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol import look_conclusion, push_run, range_fetch, recovery_answers, recovery_rejections
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.contradictions import Contradictions
from toolcart.agent.openprotocol.duplicate_search import HELD, HELD_UNKNOWN, NOT_HELD, RESULTS_MOST
from toolcart.agent.openprotocol.gap_fill import WHY_NEVER, WHY_SILENT, GapFill
from toolcart.agent.openprotocol.id_offset import IdOffset
from toolcart.agent.openprotocol.id_ownership import IdOwnership
from toolcart.agent.openprotocol.ids import after, id_of, moved, put_id, unpack_id
from toolcart.agent.openprotocol.observed_ids import ObservedIds
from toolcart.agent.openprotocol.question_revisions import NEWEST_UNANSWERED, REVISIONS, QuestionRevisions
from toolcart.agent.openprotocol.recovery_phases import GRACE_MS, LOOK_AGAIN_MS
from toolcart.agent.openprotocol.recovery_request import NEXT, UNANSWERED_MOST, RecoveryRequest
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, are_alike, put_digest, same
from toolcart.agent.record.result import FLAG_RECOVERED, FLAG_UNPROVEN, ID_BYTES

_IN_A_ROW_REPORTED = const(2)
_FIRST_MOST = const(8)
RETRY_MS = const(30000)  # before what could not be fetched is asked for again: long enough not to disturb a controller

_IDLE = const(0)  # read in each step of the station: compiled in
_OFF = const(13)
# Built once: a tuple in an expression would be allocated at each poll.
_PHASES_OF_MISSING = (phases.PHASE_IDLE, phases.PHASE_FILL, phases.PHASE_OWN_IDS)
_PHASES_THAT_READ_LOG = (phases.PHASE_WALK, phases.PHASE_FILL)


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
        self.other_format = None  # toolcart.agent.openprotocol.differing_formats's, where an answer may be that
        self.check = None  # toolcart.agent.openprotocol.count_check's or oldest_first's, while it asks
        self.spindle_results = None  # toolcart.agent.openprotocol.spindle_results', where there are several
        self.contents = None  # toolcart.agent.openprotocol.stored_contents', once something may have to be fetched
        self.is_checked = False  # on this connection: whether the highest ID known still stands, before any is gone
        self.frame = b""  # of an answer of which only the ID can be read
        self.has_answered = False
        self.ask_id = bytearray(b"0" * ID_BYTES)
        self.ask_spindle = 0  # the spindle to ask, 0: the controller's own
        self.request = RecoveryRequest()
        self.observed = ObservedIds()
        self.push_run = push_run.PushRun()
        self.gap_fill = GapFill(ledger, gone)
        self.ownership = IdOwnership(sharing)
        self.answer = bytearray(FINGERPRINT_BYTES)  # of what came last
        self.sought = bytearray(FINGERPRINT_BYTES)  # in WITNESS and NEARBY: `top`, or the last push
        self.revisions = QuestionRevisions(revisions)
        self._identity = 0  # the identity of this connection
        self.first_record = 0  # of its first push, 0: there was none
        self.first_records = [0] * _FIRST_MOST  # of the last _FIRST_MOST connections
        self.looked_at = 0  # the next record of the log when the newest was answered
        self.has_noted_seen = False  # what it has shown above `top` (toolcart.agent.openprotocol.seen_ids)
        self.seen_before = -1
        self.first_id = -1
        self.why = WHY_NEVER  # an ID is gone, as what came last says if it was no result (`gap_fill`)
        self.saw_new_count = False  # by pushes, or by a look, of whatever connection, that is not over
        self.lost_reported = 0  # events of what the look loses that are written, while the rest is not
        self.retry, self._looked = Timer(), Timer()
        self.pause_ms = LOOK_AGAIN_MS
        self.deferred = None  # toolcart.agent.openprotocol.deferred_ids's, once a question was in vain
        self.walk = None  # toolcart.agent.openprotocol.id_walk's, once one is needed
        self.grace = Timer()  # in which a push of which a part was acknowledged may come whole
        self.overdue = Timer()  # then that is not waited for any longer, since others begin all the time
        self.unanswered = 0  # questions in a row, of any connection, that got no usable answer
        self.contradictions = Contradictions()
        self.known_top = -1  # `top` before the push that came last
        self.closed_top = -1  # `top` that was asked for again (rule 6), and of which nothing came since
        self.is_elsewhere = False  # the log has what came last under another ID, which is not the memory's
        self.contradicts = False  # nothing is asked for since the answers do not match what is asked
        self.was_suspended = False  # since a question was asked last
        self.may_be_late = False  # the answer to the question that was asked last
        self.is_later = False  # the last rejection says that it will be answered later
        self.stored_late = ()  # missing IDs whose results came when their questions had been given up

    # -- the connection ----------------------------------------------------------------------------------------

    def begin_session(self, identity, system_type=0, now=0, by_own_ids=False):
        """A session is ready. `identity` is the session's; the name in it does not count."""
        ledger = self.ledger
        ownership = self.ownership
        self.forget_look()
        ownership.forget()
        self.other_format = self.contents = None
        self.is_checked = self.has_noted_seen = False
        self.pause_ms = LOOK_AGAIN_MS
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
        names_station = ownership.begin_session(identity, system_type, by_own_ids, ledger)
        self.revisions.begin_session(ownership.shared if names_station else None, self.duplicates.next_record() > 1)
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
        if self.answers_nothing():
            self.count_missing(now)
        self.phase = phases.PHASE_NEWEST  # it is asked again all the same

    def end_session(self, now=0, by_question=True):
        """The session is over, `by_question` as far as can be told; True if that is the first one in its revision."""
        is_first = False
        if self.request.waits:
            from toolcart.agent.openprotocol import deferred_ids  # hardly any connection ends with a question

            deferred_ids.ended_connection(self, now)
        if self.request.waits and not self.has_answered:
            is_first = self.revisions.ended(by_question and not self.ownership.by_own_ids)
        self.ledger.end_contact()
        self.first_record = 0
        self.first_id = -1
        self.gap_fill.drop()
        if self.phase == phases.PHASE_OWN_IDS:
            self.ownership.break_off()
        if self.phase != phases.PHASE_CLOSED:  # else no connection came about
            self.last_phase = self.phase
        self.phase = phases.PHASE_CLOSED
        self.push_run.close()
        self.ledger.run = 0
        self.forget_look()
        if self.ledger.recovers:
            self.flags = FLAG_UNPROVEN  # the next connection may push before it is opened
        return is_first

    def start_over_later(self, now):
        """Start over with the newest, after a pause since the last time (rule 5): a push did not fit, or was lost."""
        if self.phase < _OFF:
            self.start_over_after_pause(now)

    def start_over_after_pause(self, now):
        self.start_over()
        self.contradictions.restarts = 0
        if self._looked.armed and not self._looked.expired(now):
            self.retry.start(now, self._looked.left(now))
        else:
            self._looked.start(now, self.pause_ms)
            self.pause_ms = min(2 * self.pause_ms, phases.OFF_MS)

    def start_over(self):
        """Start over with the newest at once."""
        self.gap_fill.drop()
        self.forget_look()
        self.contradictions.restarts += 1
        if self.flags or not self.ledger.is_unanswering():
            self.flags = FLAG_UNPROVEN
        self.phase = phases.PHASE_NEWEST

    def forget_look(self):
        """Forget what was observed, asked and concluded."""
        self.request.forget()
        self.check = self.spindle_results = None
        if self.walk is not None:
            self.walk.forget_look()
        self.may_be_late = False
        self.offset.restart()
        self.observed.forget()
        self.gap_fill.forget()
        self.gap_fill.differing_push_ids = None
        self.ledger.take_written()
        self.retry.stop()

    def is_deferred(self):
        """True if the controller has said that it will answer later."""
        return self.is_later

    def is_in_vain(self):
        """True if the last questions brought no usable answer, and the same is asked for again, or as it connects."""
        phase = self.last_phase if self.phase == phases.PHASE_CLOSED else self.phase
        is_asked_again = self.request.tries > 0 or (phase == phases.PHASE_FILL and self.retry.armed)
        is_asked_again = is_asked_again or phase == phases.PHASE_NEWEST  # a push begins to count the tries anew
        return 0 < phase < _OFF and self.unanswered >= _IN_A_ROW_REPORTED and is_asked_again

    def can_poll(self):
        """True if this controller can be asked for the newest, now or later."""
        return self.phase < _OFF

    def poll(self):
        """Ask whether the newest is still the highest known, unless something else is to be found out."""
        if self.phase == phases.PHASE_IDLE and not self.ledger.ranges:
            top = self.ledger.top()
            is_unanswered = self.revisions.lacks_newest == NEWEST_UNANSWERED
            self.turn_to(phases.PHASE_POLL, after(top) if is_unanswered and top > 0 else 0)

    def turn_to(self, phase, asked):
        """Turn to this phase and its question; return OUTCOME_NONE."""
        self.phase = phase
        self.request.begin(asked)
        return phases.OUTCOME_NONE

    # -- pushes ------------------------------------------------------------------------------------------------

    def pushed(self, record, now):
        """Take note of a push, this record of the log, that the ledger has seen; False if its ID is out of order."""
        return push_run.take_push(self, record, now)

    def push_incomplete(self, now):
        """A push that began will not be completed, and is among what may be missing: fetch it, or count it."""
        self.grace.start(now, GRACE_MS)
        if self.phase == phases.PHASE_OFF and self.ledger.ranges and self.ledger.is_unanswering():
            self.count_missing(now)

    def answers_nothing(self):
        """True if this connection's controller answers nothing: a push is all that will ever be known."""
        return self.ledger.is_unanswering() and not self.ownership.is_other and self.phase != phases.PHASE_CLOSED

    def count_missing(self, now):
        """W4: what is missing is gone, since nothing can be asked for, and pushes prove themselves."""
        from toolcart.agent.openprotocol.unfetchable import count_missing  # hardly any controller needs it

        count_missing(self, now)

    # -- asking ------------------------------------------------------------------------------------------------

    def seeks(self):
        """True if something is to be asked for, now or later. Hot: allocates nothing."""
        if self.phase == _IDLE:
            return True if self.ledger.ranges else False
        return self.phase < _OFF or self.retry.armed or self.push_run.on_its_way is not None

    def prepare_request(self, now):
        """True if the ID in `ask_id` should be fetched now."""
        request = self.request
        if self.deferred is not None and self.deferred.pauses(now):
            return False
        if self.retry.armed:
            if not self.retry.expired(now):
                return False
            self.retry.stop()
            if self.phase == _OFF:
                self.start_over()
        if not self.seeks():
            return False
        if self.contradictions.is_restless():
            self.end_contradiction(now)
            return False
        if self.gap_fill.is_due() and not self.gap_fill.flush():
            self.wait_for_room(now)
            return False
        if self.phase == phases.PHASE_COMMIT:
            look_conclusion.settle(self, now)
        if self.phase in _PHASES_OF_MISSING:
            range_fetch.turn_to_missing(self, now)
        if self.phase == phases.PHASE_COMMIT or self.phase == phases.PHASE_IDLE or self.retry.armed:
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
            self.follow(phases.STEP_ABSENT, now)
            return self.prepare_request(now)
        if self.deferred is not None:
            from toolcart.agent.openprotocol import unanswered_requests

            if self.phase in phases.PHASES_OF_SEARCH and unanswered_requests.passes_over(self, number, now):
                return self.prepare_request(now)
            self.deferred.asked += 1
        put_id(self.ask_id, 0, number)
        self.ask_spindle = request.spindle if self.spindle_count() > 1 else 0
        request.waits = True
        self.was_suspended = self.may_be_late = False
        return True

    def wait_least(self, now, ms):
        """Return the ms until `prepare_request` may change its mind by time alone, or `ms` if that is less."""
        if self.deferred is not None and self.deferred.pause.armed:
            return self.deferred.pause.least(now, ms)
        return self.retry.least(now, ms) if self.retry.armed else ms

    def wait_for_room(self, now, ms=0):
        """Ask for the same again later, or after so many ms: there was no room for it."""
        self.retry.start(now, ms or self.retry_ms)

    def put_request(self, digits):
        """Write the ID of the question to digits[0:10]: that in `ask_id`, moved where the controller's are off."""
        copy(digits, 0, self.ask_id, 0, ID_BYTES)
        by = self.offset.ask
        if by:  # what is moved is allocated
            number = id_of(digits, 0)
            put_id(digits, 0, moved(number, by) if number > 0 else 0)

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
        ownership = self.ownership
        if self.ledger.results_each() == 1 and not (ownership.by_own_ids and self.ledger.spindles() > 1):
            return False
        return not (ownership.shares or self.may_push_ids_differ())

    def learn_results_each(self, goes_on=True):
        """Take how many results an ID has, as the last pushes show, where no spindle is named.

        `goes_on`: other IDs were made since these.
        """
        if self.spindle_count() == 1 and not (self.ownership.shares or self.may_push_ids_differ()):
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
        """Take the answer to the last request, a body with the flags its record would have; return an OUTCOME_.

        `length` is that of its payload, which begins HEAD_BYTES in front of the body.

        It may have used the stage unless that is OUTCOME_STORE: then `stored` or `wait_for_room` comes next.
        """
        return self.follow(recovery_answers.take_answer(self, body, start, now, flags, length), now)

    def fetched_unread(self, body, start, check, now, frame=b""):
        """The same for an answer of which only the ID can be read; OUTCOME_STORE: it is to be kept as it came.

        `check`, 30 bits, tells its frame, or as much of it as there is in `frame`, from others, under any ID where the
        frame has a time.
        """
        from toolcart.agent.openprotocol import unread_answers

        return self.follow(unread_answers.take_unread(self, body, start, check, now, frame), now)

    def rejected(self, kind, now, code=0):
        """Take a rejection of the REJECTED_ class `kind` with this code, if known; return an OUTCOME_."""
        return self.follow(recovery_rejections.take_rejection(self, kind, now, code), now)

    def silent(self, now):
        """No answer came: ask for the same again later; return an OUTCOME_."""
        return self.follow(recovery_answers.take_silence(self, now), now)

    def follow(self, outcome, now):
        """Do what follows from an answer until nothing does; return the OUTCOME_ for the station."""
        while outcome >= phases.STEP_ABSENT:
            outcome = recovery_answers.take_step(self, outcome, now)
        return outcome

    def was_answered(self):
        """True if this controller has answered questions, on whatever connection, and may do so again."""
        ledger = self.ledger
        return ledger.identity() != 0 and not ledger.is_unanswering()

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

    def stored(self, now):
        """The log has what was fetched; under another ID it is no answer to what was asked."""
        if self.phase == phases.PHASE_FILL:
            self.why = WHY_SILENT  # why it is gone, or another spindle's result of this ID
            if self.is_elsewhere:
                self.is_elsewhere = False
                self.follow(phases.STEP_ABSENT, now)
                return
            if self.ledger.epoch():
                from toolcart.agent.openprotocol import oldest_first  # hardly any count begins anew

                if oldest_first.takes_kept(self):
                    return
            self.gap_fill.gone_run = 0
            self.request.there = True
            self.pause_ms = LOOK_AGAIN_MS
            range_fetch.turn_or_close(self)

    def awaits(self, number):
        """True if an answer with this ID is to what is asked for, or is to be asked for again."""
        return self.request.asked == number and (self.request.waits or self.may_be_late)

    def switch_off(self, phase):
        """Stop asking, for this connection or a long while."""
        self.phase = phase
        if not self.ledger.is_unanswering():
            self.flags = FLAG_UNPROVEN

    def came_first_as(self, number):
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

    # -- a poll ------------------------------------------------------------------------------------------------

    def end_poll(self, is_known, number=-1):
        """Return to rest after a poll; return an OUTCOME_."""
        self.turn_to(phases.PHASE_IDLE, 0)
        self.polled = number
        return phases.OUTCOME_KNOWN if is_known else phases.OUTCOME_UNKNOWN

    # -- what the controller has ------------------------------------------------------------------------------

    def ended(self):
        """Return what is known of a count whose end lies above the newest, None where that was not asked for."""
        return None if self.walk is None else self.walk.ended

    # -- what a question and an ID mean ---------------------------------------------------------------------

    def asks_own_station(self):
        """True if a question is for this station's results, whatever their spindles."""
        return self.spindle_count() == 1 and self.ownership.has_plain_ids()

    def is_id_unique(self):
        """True if an ID means one result, of this station."""
        return self.asks_own_station() and not self.has_several()

    def may_be_offset(self):
        """True if the ID of an answer may show by how much they are off."""
        return self.offset.may_show_offset() and self.asks_own_station()

    def may_push_ids_differ(self):
        """True if pushed IDs are not the memory's, or one answer of this connection has shown it."""
        return self.ledger.push_ids_differ() or (self.contents is not None and self.contents.is_suspected())

    # -- whether an answer is the highest result known -----------------------------------------------------

    def is_top(self, answer):
        """True if the answer is the highest result known, in whatever writing."""
        return self.ledger.is_top(answer) or (
            self.ledger.is_met() and self.fits_in_other_format(answer, self.ledger.octets)
        )

    def is_pushed(self, digest, or_fetched=False, since=0):
        """True if the log has this result from a push, or from any; not if its ID is 0, which cannot be asked for.

        `since`: as this record or later; 0: of the present count.
        """
        number = unpack_id(digest, 0)
        ident = bytearray(ID_BYTES)
        put_id(ident, 0, number)
        one = bytearray(FINGERPRINT_BYTES)
        for page, at, flags in self.duplicates.results_of(bytes(ident), since or self.ledger.since) if number else ():
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

    def first_of_count(self):
        """Return from which record of the log on IDs are of the present count, as far as is known after a start too."""
        ledger = self.ledger
        if ledger.since > 1 or not ledger.epoch():
            return ledger.since
        from toolcart.agent.openprotocol import stored_contents  # hardly any count has begun anew

        return stored_contents.whole(self).since

    # -- an answer in another writing (toolcart.agent.openprotocol.differing_formats) ----------------------------------

    def fits_in_other_format(self, answer, pushed):
        """True if the answer is what was pushed under its ID, in the writing that is proven.

        That IDs are off was shown by time and values, where need be without seconds: so is this.
        """
        if unpack_id(answer, 0) != unpack_id(pushed, 0):
            return False
        if self.other_format is None or not self.other_format.is_proven:
            return self.offset.is_known() and are_alike(answer, pushed)
        from toolcart.agent.openprotocol.differing_formats import fits

        return fits(answer, pushed)

    def holds_otherwise(self, body, start, flags):
        """Return HELD if the log has what is at body[start:] otherwise, HELD_UNKNOWN if it may, else NOT_HELD."""
        if flags & FLAG_RECOVERED:
            from toolcart.agent.openprotocol import stored_contents  # only once something is fetched

            holds = stored_contents.holds_fetched(self, body, start, flags)
            if holds:
                return holds
        other = self.other_format
        is_proven = other is not None and other.is_proven
        if not self.is_id_unique() or not (is_proven or (flags & FLAG_RECOVERED and self.ledger.doubted)):
            return NOT_HELD
        from toolcart.agent.openprotocol.differing_formats import is_stored

        digest = bytearray(FINGERPRINT_BYTES)
        put_digest(digest, 0, body, start, flags)
        since = self.ledger.since if is_proven else 1
        if is_stored(self.duplicates, body, start, digest, flags, since, is_proven):
            return HELD if is_proven else HELD_UNKNOWN
        return NOT_HELD


assert _IDLE == phases.PHASE_IDLE and _OFF == phases.PHASE_OFF < phases.PHASE_NO_ID < phases.PHASE_CLOSED
