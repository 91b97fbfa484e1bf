"""What a controller has that the log lacks: asks for it with MID 0064, and fetches what is missing, oldest first.

Sans I/O: asked what to fetch next (`want`) and told of every answer and every push. What it concludes is written down
in one snapshot (toolcart.agent.openprotocol.id_ledger); everything here may be forgotten at any moment.

Rules
1. Until a connection has proven what its IDs mean, what it pushes is stored with FLAG_UNPROVEN. No push ever waits.
2. Proof: the newest (N, asked for as ID 0) is the highest result known (w); or it is above w, and w still stands under
   its ID; else a walk down from the newest has shown what the controller has, all of which may be missing.
3. Missing IDs are asked for one by one; an ID is closed only by the result itself, by 15 (gone), by another ID that
   comes twice in its place, or by five silences while the next one is answered. Once a result came on this connection
   any rejection of an ID means the same as 15, unless it says "later", with whatever code or none. Where many in a row
   are gone a walk from above finds where the range really begins.
4. How far a range is closed is saved every CLOSED_MOST IDs and at its end, with an event for what was gone.
5. A push fits if it may be missing, or is not behind the one before it while nothing is proven: it was on its way. One
   that does not fit starts the look over, once a minute at most: where IDs come in no order (two spindles that count
   for themselves and name none) each push would, and with a walk each time the look would never end. Which of two times
   is later never counts.
6. Where several spindles may have a result under one ID, each question goes to each of them in turn. An ID is gone only
   if it is for all, and `w` itself may be missing of another spindle: below a newer one it is asked for again, even if
   the log no longer has `w` and stores it twice then; as the newest, while the log has it.
7. Some controllers answer with IDs that are off by a constant, or other questions than they are asked
   (toolcart.agent.openprotocol.id_offset): what was pushed shows it. It is put right in all that follows, and in w
   itself where it came from such an answer.
8. A run of pushes of this connection is asked for once (toolcart.agent.openprotocol.observed_ids). While such pushes
   come nothing is asked for, and what was asked for is not taken: it may be one of those that follow.
9. Where nothing can be asked for, what is missing is counted (toolcart.agent.openprotocol.push_gaps). So is an ID that
   is answered with another one, and ID 0, which cannot be asked for. What the log has under an ID is not gone.
   What began, was acknowledged in part and cannot be had is counted by its ID (toolcart.agent.openprotocol.unfinished).
   VAIN_MOST questions in a row without a usable answer, on however many connections, show that there is none: before
   anything is proven nothing can be asked for, and later each ID is gone until one is answered.
10. Where a controller has nothing at all though `w` is known, that says nothing about its IDs: `w` stays, or becomes
   the last push in the log, and what is missing in front of that is asked for.

    phase     asks for             it is there                         it is gone (15)
    NEWEST    0                    w: SETTLE; else WITNESS, or WALK    WITNESS, since 0 may be unknown there; without
                                   if it is not above w and no ID      w: SETTLE, there is nothing
                                   can be off; in doubt: PROBE
    PROBE     N + 1, in doubt      below N + 1: the stations share     they do not; either way on as from NEWEST
                                   the IDs (shared_ids.py)
    WITNESS   w, or the last push  the same, N above: SETTLE w+1..N    BESIDE; SETTLE, if 0 was gone too (rule 10)
                                   else BESIDE
    BESIDE    w + 8 or N, then     the next one; behind the last       the same; WALK if this was the first, and w gone
              the next to w, up    one WALK
              to 8 away (rule 7)
    WALK      downward from N      goes on                             goes on; at its end SETTLE all from the lowest
                                                                       that is there, in FILL fetch on from it
    UP        upward from N, where goes on                             goes on; after K in a row SETTLE
              0 is gone, at SETTLE
    SETTLE    -                    written down (W1): FILL; refused: SETTLE after a pause
    SEEK      downward, shared     is it ours? (shared_ids.py)             the stretch is known: FILL
    FILL      the oldest missing   the first of a run of pushes:       close it, count it; at the end of the range W2
                                   close the run; else store it, close it
    IDLE      -                    what may be missing: FILL, WALK or SEEK; told to poll: POLL
    POLL      0, then w + 1        is it w? (subscription_watchdog)   w + 1, since 0 may be unknown there; then IDLE
    OFF       -                    rejected: NEWEST in an hour, W4; else the rest of the connection
    NAMELESS  -                    a push that has an ID: NEWEST (also where only a push shows whether IDs are off)
    CLOSED    -                    a session is ready: NEWEST, or OFF where that is configured or cannot be; where it
                                   answered nothing before OFF, W4 and NEWEST at once

    event     what it does in any phase
    opened    NEWEST               closed      W2, CLOSED              push does not fit      W2, NEWEST (rule 5)
    rejected  never known: OFF; a revision: the next one, else OFF; rule 3; anything else as silent
    answered  where nothing was before: NEWEST
    another   than was asked for, and not below it at stations that share the IDs: once more, then as gone. If `w` was
              never pushed: NAMELESS, and after a push it is what WITNESS and BESIDE ask for
    lower     twice, where no station is named: asked for itself; if it is there they share the IDs, else they do not
    silent    recovery_request.py; given up: in FILL closed, in WITNESS and BESIDE gone, else it may be there
              PROBE: they do not share them; POLL: IDLE; NEWEST without an ID, five times: NAMELESS,
              or OFF at a controller that never answered anything

    W1  one snapshot: w, what is missing, whose the IDs are, and whether they began again; what was missing before and
        is lost then is reported first, once (`_told`)
    W2  toolcart.agent.openprotocol.gap_fill        W3  w under its own ID (rule 7)        W4  push_gaps.py
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, copy
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol import error_codes
from toolcart.agent.openprotocol import recovery_request as qs
from toolcart.agent.openprotocol.gap_fill import WHY_NEVER, WHY_NONE, WHY_RESET, WHY_SILENT, Filling
from toolcart.agent.openprotocol.id_ledger import DIGEST_BYTES, are_alike, put_digest, put_unread, same
from toolcart.agent.openprotocol.id_offset import OFFSET_MOST, Offset, apart
from toolcart.agent.openprotocol.id_ownership import Whose
from toolcart.agent.openprotocol.ids import (
    ID_PERIOD,
    after,
    before,
    first_below,
    following,
    id_at,
    id_of,
    is_ahead,
    is_open,
    length_of,
    moved,
    open_below,
    preceding,
    put_id,
    unpack_id,
)
from toolcart.agent.openprotocol.observed_ids import Heard, Pushes, Walk
from toolcart.agent.openprotocol.recovery_request import BESIDE, UNANSWERED_MOST, Question
from toolcart.agent.record.result import FLAG_RECOVERED, FLAG_UNPROVEN, HEAD_BYTES, ID_BYTES, TIGHTENING_ID

LOOK_AGAIN_MS = const(60000)
ON_ITS_WAY_MS = const(2000)  # behind one that was missing the next one may be pushed
_NOT_THERE = const(15)  # the code of a result that the controller does not have
VAIN_MOST = const(45)  # some 22 minutes of rejections that say "later", 34 of silence
RETRY_MS = const(30000)  # before what could not be fetched is asked for again: long enough not to disturb a controller
# Of MID 0064, in the order of trying: 3 is the shortest that names the unit of its torque; few know those of later
# releases.
REVISIONS = (3, 4, 5, 6, 7, 2, 1, 8, 9, 10, 11)
OFF_MS = const(3600000)  # until a rejected revision is asked for again

_IDLE = const(0)  # read in each step of the station: compiled in
_OFF = const(11)
# Built once: a tuple in an expression would be allocated at each poll.
_ZERO = b"0000000000"
_TURNS = (qs.PHASE_IDLE, qs.PHASE_FILL, qs.PHASE_SEEK)
_OF_TOP = (qs.PHASE_WITNESS, qs.PHASE_BESIDE)
_NOT_CERTAIN = (qs.PHASE_PROBE, qs.PHASE_SEEK, qs.PHASE_POLL)
_LOOKED_UP = (qs.PHASE_NEWEST, qs.PHASE_UP, qs.PHASE_POLL)


def _why_of(code, otherwise):
    """Return why an ID is gone that was rejected with this code; `otherwise` where that says nothing, or is 15."""
    return -code if code > 0 and code != _NOT_THERE else otherwise


class Recovery:
    """Asks one controller for what is missing."""

    def __init__(self, look, known, revisions=REVISIONS, retry_ms=RETRY_MS, sharing=qs.SHARING_AUTO, gone=None):
        self.look = look
        self.known = known
        self.retry_ms = retry_ms
        self.by_spindle = True  # where there are several
        self.flags = FLAG_UNPROVEN if known.recovers else 0  # of a result that is pushed now
        self.phase = qs.PHASE_CLOSED
        self.passed_over = 0  # answers that name another station, and were not taken
        self.polled = -1  # the ID that a poll brought, if it is not the highest known
        self.offset = Offset()  # rule 7
        self._has_answered = False
        self.ask_id = bytearray(b"0" * ID_BYTES)
        self.ask_spindle = 0  # the spindle to ask, 0: the controller's own
        self.question = Question()
        self.heard = Heard()
        self.pushes = Pushes()
        self.filling = Filling(known, gone)
        self.whose = Whose(sharing)
        self._answer = bytearray(DIGEST_BYTES)  # of what came last
        self._sought = bytearray(DIGEST_BYTES)  # in WITNESS and BESIDE: `w`, or the last push
        self._revisions = self._ordered = revisions
        self._revision_index = 0
        self._other = 0  # the identity of this connection
        self._why = (
            WHY_NEVER  # what came last, if that was no result: why an ID is gone (toolcart.agent.openprotocol.gap_fill)
        )
        self._told = False  # what settling loses has been reported, but settling could not be written down
        self._retry, self._looked = Timer(), Timer()
        self._walk = Walk()
        self._unfinished = None  # what was begun and not completed, once there was such a push
        self._vain = 0  # questions in a row, of any connection, that got no usable answer
        self._is_shut_out = False  # since a question was asked last
        self._is_later = False  # the last rejection says that it will be answered later
        self._lower = -1  # an ID asked for since it came in place of a higher one

    # -- the connection ----------------------------------------------------------------------------------------

    def opened(self, identity, system_type=0, now=0, by_own_ids=False):
        """A session is ready. `identity` is the session's 51 bytes; the name in it does not count."""
        known = self.known
        whose = self.whose
        self._forget()
        whose.forget()
        self.offset.begin_connection()
        self._has_answered = False  # a question of this connection, by a result
        known.last_id = -1
        self.phase = qs.PHASE_OFF
        if not known.recovers:
            return
        self.flags = FLAG_UNPROVEN
        revisions = self._revisions
        if whose.opened(identity, system_type, by_own_ids, known):
            revisions = whose.shared.ordered(revisions)  # type: ignore[union-attr] - then there is one
        if revisions != self._ordered:
            self._ordered = revisions
            self._revision_index = 0
        if whose.is_other and self._other != whose.identity:
            self._unfinished = None
            known.since = self.look.next_record()
        self._other = whose.identity
        if whose.needs:
            return
        if self._proves_itself():
            self._retry.start(now, 0)  # it is asked again all the same
            self._count_missing(now)
        else:
            self.phase = qs.PHASE_NEWEST

    def closed(self):
        """The session is over."""
        self.filling.drop()
        if self.phase == qs.PHASE_SEEK:
            self.whose.break_off()
        self.phase = qs.PHASE_CLOSED
        self.pushes.close()
        self.known.run = 0
        self._forget()
        if self.known.recovers:
            self.flags = FLAG_UNPROVEN  # the next connection may push before it is opened

    def look_again(self, now):
        """Start over with the newest, once a minute at most: a push did not fit, or was lost."""
        if self.phase < _OFF:
            self._look_after_pause(now)

    def _look_after_pause(self, now):
        self.begin_look()
        if self._looked.armed and not self._looked.expired(now):
            self._retry.start(now, self._looked.left(now))
        else:
            self._looked.start(now, LOOK_AGAIN_MS)

    def begin_look(self):
        """Start over with the newest at once."""
        self.filling.drop()
        self._forget()
        if self.flags or not self.known.is_unasked():
            self.flags = FLAG_UNPROVEN
        self.phase = qs.PHASE_NEWEST

    def _forget(self):
        """Forget what was heard, asked and concluded."""
        self.question.forget()
        self._lower = -1
        self.offset.begin_look()
        self.heard.forget()
        self.filling.forget()
        self._retry.stop()

    def can_poll(self):
        """True if this controller can be asked for the newest, now or later."""
        return self.phase < _OFF

    def poll(self):
        """Ask whether the newest is still the highest known, unless something else is to be found out."""
        if self.phase == qs.PHASE_IDLE and not self.known.ranges:
            self._turn(qs.PHASE_POLL, 0)

    def _turn(self, phase, asked):
        """Turn to this phase and its question; return NEWS_NONE."""
        self.phase = phase
        self.question.begin(asked)
        return qs.NEWS_NONE

    # -- pushes ------------------------------------------------------------------------------------------------

    def pushed(self, record, now):
        """Take note of a push, this record of the log, that Known has seen; False if its ID is out of order."""
        known = self.known
        heard = self.heard
        number = known.last_id
        if number < 0:
            return True
        follows = self.pushes.follows(number)
        if self.pushes.take(number, known.last):
            known.run = record if self._spindles() == 1 else 0
        if self._proves_itself():
            if self.flags or known.ranges:
                self._count_missing(now)
            return follows
        if self.flags == 0:
            if known.misses(number):
                self._retry.start(now, ON_ITS_WAY_MS)
                return True
            if number != known.top():
                self.look_again(now)
                return follows
            return True
        if self.phase == qs.PHASE_NAMELESS and number > 0:  # ID 0 is no result's, or one's just past the wrap
            self._look_after_pause(now)
            return False
        if heard.is_nothing():
            return True
        top = unpack_id(heard.top, 0)
        if is_ahead(number, top):
            if number != after(top) and not self.whose.shares:
                heard.upto = preceding(number)  # else the IDs skipped would not be asked for
        elif number != top:
            if not follows:
                self.look_again(now)
            return follows
        if not known.is_beside(heard.top):
            copy(heard.top, 0, known.last, 0, DIGEST_BYTES)
        return True

    def missed(self, digits, now):
        """A push of this ID began, was acknowledged in part, and will not be completed: fetch it, or count it."""
        if not self.known.recovers:
            return
        if self._unfinished is None:
            from toolcart.agent.openprotocol.unfinished import Unfinished  # hardly any controller needs it

            self._unfinished = Unfinished()
        if not self._unfinished.take(digits, self.known, self.filling.told, now):
            return
        self.look_again(now)
        if self.phase == qs.PHASE_OFF:
            self._end_unfinished(now)

    def _end_unfinished(self, now):
        """Count what was not completed and cannot be had; False if that has to wait: then it is tried again."""
        left = self._unfinished.settle(self.filling, self.look, self._why, now) if self._unfinished is not None else 0
        if left:
            self._retry.start(now, left)
        return left == 0

    def _proves_itself(self):
        """True if this connection's controller answers nothing: a push is all that will ever be known."""
        return self.known.is_unasked() and not self.whose.is_other and self.phase != qs.PHASE_CLOSED

    def _count_missing(self, now):
        """W4: what is missing is gone, since nothing can be asked for, and pushes prove themselves."""
        from toolcart.agent.openprotocol import push_gaps  # hardly any controller needs it

        self.filling.drop()
        if push_gaps.settle(self, self._why):
            self.flags = 0
        else:
            self.wait_for_room(now)

    # -- asking ------------------------------------------------------------------------------------------------

    def seeks(self):
        """True if something is to be asked for, now or later. Hot: allocates nothing."""
        if self.phase == _IDLE:
            return True if self.known.ranges else False
        return self.phase < _OFF or self._retry.armed

    def want(self, now):
        """True if the ID in `ask_id` should be fetched now."""
        question = self.question
        if self._retry.armed:
            if not self._retry.expired(now):
                return False
            self._retry.stop()
            if self.phase == _OFF:
                self.begin_look()
        if not self.seeks():
            return False
        if self.filling.is_due() and not self.filling.flush():
            self.wait_for_room(now)
            return False
        if self.phase == qs.PHASE_SETTLE:
            self._settle(now)
        if self.phase in _TURNS and self._lower < 0:
            self._turn_to_missing(now)
        if self.phase == qs.PHASE_SETTLE or self.phase == qs.PHASE_IDLE or self._retry.armed:
            return False
        number = after(question.asked) if question.state == BESIDE else question.asked
        if number and number + self.offset.ask <= 0:  # 0 would be the newest
            self._why = WHY_NEVER
            self._absent(now)
            return self.want(now)
        put_id(self.ask_id, number)
        self.ask_spindle = question.spindle if self._spindles() > 1 else 0
        question.waits = True
        self._is_shut_out = False
        return True

    def wait_least(self, now, ms):
        """Return the ms until `want` may change its mind by time alone, or `ms` if that is less."""
        return self._retry.least(now, ms) if self._retry.armed else ms

    def wait_for_room(self, now):
        """Ask for the same again later: there was no room for it."""
        self._retry.start(now, self.retry_ms)

    def asks_with(self):
        """Return what to add to the ID in `ask_id` for the question (rule 7)."""
        return self.offset.ask if id_of(self.ask_id, 0) > 0 else 0

    def hears_off(self):
        """True if an answer with an ID near the one asked for counts as one (rule 7)."""
        return not (self.offset.is_kept or self.whose.by_own_ids)

    def revision(self):
        """Return the revision to ask in."""
        return self._ordered[self._revision_index]

    def _spindles(self):
        """Return how many spindles are asked each question."""
        whose = self.whose
        return self.known.spindles() if self.by_spindle and not (whose.shares or whose.by_own_ids) else 1

    def _turn_spindle(self):
        return self.question.turn_spindle(self._spindles())

    # -- answers -----------------------------------------------------------------------------------------------

    def fetched(self, body, start, now, flags=0, length=0):
        """Take the answer to what `want` asked for, a body with the flags its record would have; return a NEWS_.

        `length` is that of its payload, which begins HEAD_BYTES in front of the body.

        It may have used the stage unless that is NEWS_STORE: then `kept` or `wait_for_room` comes next.
        """
        self._has_answered = True
        if self._is_stale() or self._answers():
            return qs.NEWS_NONE
        at = start + TIGHTENING_ID
        number = id_at(body, at)
        if number < 0:
            return self._hear_nameless(now)
        by = self.offset.by
        if by:
            number = self.offset.right(number)
        if by or not all_digits(body, at, ID_BYTES):
            digits = bytearray(ID_BYTES)
            put_id(digits, number)
            copy(body, at, digits, 0, ID_BYTES)
        put_digest(self._answer, 0, body, start, flags)
        looks = self.phase in _LOOKED_UP or self._spindles() > 1
        held = looks and self.look.holds(body, start - HEAD_BYTES, length, flags | FLAG_RECOVERED) > 0
        if not (held or self.offset.is_none) and self.phase == qs.PHASE_FILL and self._may_be_off():
            near = self.look.near(body, start, length, flags | FLAG_RECOVERED, number, OFFSET_MOST)
            if near:
                return self._hear_off(number, moved(number, -near))
        return self._hear(number, held, now)

    def fetched_unread(self, body, start, check, now):
        """The same for an answer of which only the ID can be read; NEWS_STORE: it is to be kept as it came.

        `check`, 30 bits, tells its frame from others: without it a reset could not be seen.
        """
        if self._is_stale() or self._answers():
            return qs.NEWS_NONE
        number = id_at(body, start + TIGHTENING_ID)
        if number >= 0:
            number = self.offset.right(number)
        if number < 0 and self.phase == qs.PHASE_FILL:
            number = self.question.asked
        if number < 0:
            return self._hear_nameless(now)
        put_unread(self._answer, number, check)
        return self._hear(number, False, now)

    def refused(self, kind, now, code=0):
        """Take a rejection of the REFUSED_ class `kind` with this code, if known; return a NEWS_."""
        if self._is_stale():
            return qs.NEWS_NONE
        is_later = kind == error_codes.REFUSED_LATER or kind == error_codes.REFUSED_BUSY
        # Not every controller says 15 of an ID that is not there: one that has answered other questions says it by any
        # code, or by none; and one that does not know ID 0 may reject that so for ever.
        is_absent = self.phase == qs.PHASE_PROBE or (self._has_answered and self.question.asked)
        is_absent = is_absent or (self._is_tried() and kind == error_codes.REFUSED_OTHER and self.known.top() > 0)
        if kind == error_codes.REFUSED_GONE or (is_absent and not is_later):
            if self._answers():
                return qs.NEWS_NONE
            self._why = _why_of(code, WHY_NONE)
            if self.question.asked:
                self._vain = 0
            return self._absent(now)
        self._why = _why_of(code, WHY_NEVER)
        self._is_later = is_later
        if kind == error_codes.REFUSED_REVISION and self._revision_index + 1 < len(self._ordered):
            self._revision_index += 1
            return qs.NEWS_NONE
        if kind == error_codes.REFUSED_REVISION or kind == error_codes.REFUSED_NEVER:
            return self._cannot_ask(now)
        return self._again(now)

    def silent(self, now):
        """No answer came: ask for the same again later; return a NEWS_."""
        if self._is_stale():
            return qs.NEWS_NONE
        self._why = WHY_SILENT
        self._is_later = False
        return self._again(now)

    def _is_tried(self, more=0):
        """True if the newest was asked for often enough in vain, `more` than is counted."""
        return self.phase == qs.PHASE_NEWEST and self.question.tries + more >= UNANSWERED_MOST

    def shut_out(self, now):
        """Nothing may be asked for on this connection, since others ended with such a question; return a NEWS_.

        One that has answered before is believed to do so again, until that comes twice.
        """
        if self.phase >= _OFF:
            return qs.NEWS_NONE
        if self._why >= 0:
            self._vain += 0 if self._is_shut_out else VAIN_MOST // 2 + 1
            self._is_shut_out = True
            if self.known.identity() and not self.known.is_unasked() and self._vain < VAIN_MOST:
                self._switch_off(qs.PHASE_OFF)
                self._retry.start(now, OFF_MS)
                return qs.NEWS_NONE
        return self._cannot_ask(now)

    def _cannot_ask(self, now):
        """Nothing can be asked for, as far as is known: ask again in an hour. Return a NEWS_."""
        whose = self.whose
        self._revision_index = 0
        self._switch_off(qs.PHASE_OFF)
        if whose.is_other and not whose.is_believed():
            return qs.NEWS_ASK_AGAIN
        self._retry.start(now, OFF_MS)  # a controller in trouble says so, too
        self._count_missing(now)
        self._end_unfinished(now)
        return qs.NEWS_NONE

    def _answers(self):
        """There is an answer; True if none was to be expected: then the look begins anew."""
        known = self.known
        self._why = WHY_NONE
        if not known.is_unasked():
            return False
        known.put_unasked(False)
        self.flags = FLAG_UNPROVEN
        known.try_save()  # a start that does not know it yet learns it from the next answer
        self.begin_look()
        return True

    def kept(self, now):
        """The log has what was fetched."""
        if self.phase == qs.PHASE_FILL:
            self.filling.row = 0
            self.question.there = True
            self._turn_or_close()

    def _is_stale(self):
        """Take note of an answer; True if it is to an earlier question, or to none."""
        question = self.question
        waited, question.waits = question.waits, False
        return not waited or self.phase >= _OFF

    def _hear_nameless(self, now):
        """Take an answer without an ID; return a NEWS_.

        If the newest has none again and again, nothing can be asked for until one has.
        """
        if self.phase == qs.PHASE_POLL:
            self.begin_look()  # else each poll would find that nothing is unknown
            return qs.NEWS_NONE
        if self.phase != qs.PHASE_NEWEST or self.question.tries + 1 < UNANSWERED_MOST:
            return self._again(now)
        self._switch_off(qs.PHASE_NAMELESS)
        return qs.NEWS_NONE

    def _switch_off(self, phase):
        """Stop asking, for this connection or a long while."""
        self.phase = phase
        if not self.known.is_unasked():
            self.flags = FLAG_UNPROVEN

    def _again(self, now):
        """No usable answer: ask again later, but not for ever where others are answered; return a NEWS_."""
        phase = self.phase
        if self._lower >= 0:
            self.begin_look()
        if phase == qs.PHASE_POLL:
            return self._end_poll(True)  # nothing is known to be missing
        self._vain += 1
        if self._is_tried(1):
            self._end_unfinished(now)
        if self._asks_in_vain():
            return self._go_on_in_vain(now)
        is_certain = phase not in (qs.PHASE_NEWEST, qs.PHASE_UP) and (
            phase not in (qs.PHASE_WITNESS, qs.PHASE_BESIDE) or not self.heard.is_nothing()
        )
        if not self.question.fails(is_certain):
            return self._give_up(now)
        if phase == qs.PHASE_PROBE and self.question.tries >= UNANSWERED_MOST:
            self.whose.shared.is_proven = True  # type: ignore[union-attr] - nothing more will be said about it
            return self._compare_newest(now)
        self._retry.start(now, self.retry_ms)
        return qs.NEWS_NONE

    def _asks_in_vain(self):
        """True if questions were asked in vain for so long that there will be no answer.

        That is soon where nothing was ever answered, and no one has said "later".
        """
        known = self.known
        was_answered = known.identity() and not known.is_unasked()
        return self._vain >= VAIN_MOST or (self._is_tried(1) and not (was_answered or self._is_later))

    def _go_on_in_vain(self, now):
        """Nothing was answered for long: before anything is proven nothing can be asked for; later, it is gone."""
        if self.flags or self.known.is_unasked():
            return self._cannot_ask(now)
        if self.phase == qs.PHASE_FILL and not self._turn_spindle():
            return self._close(not self.question.there)
        return self._absent(now)

    def _give_up(self, now):
        """Give up an ID that is not answered while the next one is; return a NEWS_."""
        phase = self.phase
        if phase == qs.PHASE_FILL:
            return qs.NEWS_NONE if self._turn_spindle() else self._close(not self.question.there)
        if phase == qs.PHASE_WITNESS or phase == qs.PHASE_BESIDE:
            return self._absent(now)
        return self._go_on(self.question.asked, True, now)  # it may be there

    def _hear(self, number, held, now):
        """Take the result `number` in `_answer`; `held`: by the log, where that was looked up. Return a NEWS_."""
        phase = self.phase
        question = self.question
        whose = self.whose
        if question.is_answered_beside():
            return qs.NEWS_NONE
        if self._lower >= 0:
            return self._hear_lower(number == self._lower)
        if phase in _OF_TOP and self._is_off(number):
            return self._hear_off(number, unpack_id(self._sought, 0))
        if whose.shared is None and number != question.asked and self._lacks_push():
            return self._hear_other(number, now)
        is_lower = number < question.asked and not self._is_no_shared_answer(number)
        if whose.shared is None and is_lower and whose.hears_lower():
            whose.suspect()
        if whose.shared is not None:
            judged = whose.shared.judge(phase, whose.shares, number, question.asked, is_lower)
            if judged != qs.JUDGED_FINE:
                return self._hear_judged(judged, number)
        if phase == qs.PHASE_NEWEST:
            return self._hear_newest(number, held, now)
        if phase == qs.PHASE_PROBE:
            return self._compare_newest(now)
        if phase == qs.PHASE_POLL:
            return self._end_poll(held or self.known.is_top(self._answer), number)
        if number == question.asked:
            return self._hear_asked(number, held, now) if phase != qs.PHASE_SEEK else self._hear_sought(number, now)
        # Who shares the IDs answers with the nearest lower one: by its digits, so past a wrap too.
        if whose.shares and number < question.asked:
            return self._hear_sought(number, now) if phase == qs.PHASE_SEEK else self._absent(now)
        return self._hear_other(number, now)

    def _hear_sought(self, number, now):
        """Take the newest at or below the ID that was asked for; return a NEWS_."""
        is_ours = self.whose.shared.is_ours()  # type: ignore[union-attr] - else there is no such phase
        self.passed_over += not is_ours and not is_ahead(self.filling.begin, number)
        return self._go_on(number, is_ours, now)

    def _hear_other(self, number, now):
        """Another ID came than was asked for: an answer to an earlier question, or at the second time its own.

        Then the one that was asked for cannot be had. Return a NEWS_.
        """
        if self.question.is_first_other():
            return qs.NEWS_NONE
        if self._is_no_shared_answer(number):
            self.whose.answer_otherwise()
        if self._lacks_push():
            return self._wait_for_push()
        self._why = WHY_SILENT
        self.heard.is_witness_there = self.heard.is_witness_there or self.phase == qs.PHASE_WITNESS
        return self._absent(now)

    def _hear_asked(self, number, held, now):
        """The ID that was asked for is there; return a NEWS_."""
        phase = self.phase
        self._vain = 0
        if phase == qs.PHASE_WITNESS:
            return self._hear_witness(held, now)
        if phase == qs.PHASE_BESIDE:
            return self._hear_beside(now)
        if phase == qs.PHASE_FILL:
            return self._hear_missing()
        if phase == qs.PHASE_UP:
            self.heard.take(number, self._answer)
            self.heard.miss_up_to_newest(held)
        return self._go_on(number, True, now)

    def _absent(self, now):
        """The controller has nothing under the ID that was asked for; return a NEWS_."""
        phase = self.phase
        question = self.question
        if question.is_answered_beside() or self._turn_spindle():
            return qs.NEWS_NONE
        if self._lower >= 0:
            return self._hear_lower(False)
        if phase == qs.PHASE_NEWEST:
            return self._hear_nothing(now) if self.heard.is_nothing() else self._look_at_sharing(now)
        if phase == qs.PHASE_PROBE:
            self.whose.are_own()
            return self._compare_newest(now)
        if phase == qs.PHASE_POLL:
            return self._hear_poll_gone()
        if phase == qs.PHASE_WITNESS:
            return self._look_beside(question.there, now)
        if phase == qs.PHASE_BESIDE:
            was_highest = self.offset.beside == 1 and not self.heard.is_witness_there  # the oldest go first
            return self._hear_no_witness(now) if was_highest else self._turn_beside(now)
        if phase == qs.PHASE_FILL:
            self.filling.row += not question.there
            is_here = self.known.doubted and self.look.has_id(self.ask_id, self.known.since)
            return self._close(not (question.there or is_here))
        return self._go_on(before(self.filling.begin), False, now)

    def _go_on(self, number, there, now):
        """Turn to the next question of a walk or a stretch, or to its end; return a NEWS_."""
        question = self.question
        heard = self.heard
        if self.phase == qs.PHASE_SEEK:
            self.whose.shared.hear(number, there)  # type: ignore[union-attr] - else there is no such phase
            question.begin(question.asked)
        elif self.phase == qs.PHASE_UP:
            heard.row = 0 if there else heard.row + 1
            if heard.row >= self.whose.gone_most:
                return self._end_up(now)
            question.begin(after(question.asked))
        elif self._walk.hear(there):
            question.begin(self._walk.asked)
        else:
            return self._end_walk(now)
        return qs.NEWS_NONE

    # -- a poll ------------------------------------------------------------------------------------------------

    def _end_poll(self, is_known, number=-1):
        """Return to rest after a poll; return a NEWS_."""
        self._turn(qs.PHASE_IDLE, 0)
        self.polled = number
        return qs.NEWS_KNOWN if is_known else qs.NEWS_UNKNOWN

    def _hear_poll_gone(self):
        """ID 0 is gone, which may be unknown there: ask for the one after `w`. Return a NEWS_."""
        top = self.known.top()
        if self.question.asked or top < 0:
            return self._end_poll(True)
        return self._turn(qs.PHASE_POLL, after(top))

    # -- the look ------------------------------------------------------------------------------------------------

    def _hear_newest(self, number, held, now):
        """Take the newest of the spindle asked: the highest of all counts. Return a NEWS_."""
        self.question.again()
        self.heard.take_newest(number, self._answer, held, self.known)
        return qs.NEWS_NONE if self._turn_spindle() else self._look_at_sharing(now)

    def _look_at_sharing(self, now):
        """The newest is known: first see whether its ID is the stations' or ours alone. Return a NEWS_."""
        whose = self.whose
        if whose.shared is None or not whose.shared.needs_proof(whose.shares):
            return self._compare_newest(now)
        return self._turn(qs.PHASE_PROBE, after(self.heard.newest))

    def _hear_judged(self, judged, number):
        """An answer is not taken as it is, since all stations share the IDs, or may; return a NEWS_."""
        whose = self.whose
        if judged == qs.JUDGED_NO_OWNER and not whose.shared.is_proven:  # type: ignore[union-attr]
            self.begin_look()
        elif judged == qs.JUDGED_NO_OWNER:
            whose.needs = "owner"
            self._switch_off(qs.PHASE_OFF)
            return qs.NEWS_NO_OWNER
        if judged == qs.JUDGED_SHARED and whose.suspects:
            self._lower = number
            self.question.begin(number)
        elif judged == qs.JUDGED_SHARED:
            self.begin_look()
            whose.are_shared()
        return qs.NEWS_NONE

    def _hear_lower(self, is_there):
        """A lower ID that came in place of the one asked for was asked for itself: if it `is_there`, IDs are shared."""
        self.begin_look()
        if is_there:
            self.whose.are_shared()
        else:
            self.whose.answer_otherwise()
        return qs.NEWS_NONE

    def _compare_newest(self, now):
        """Go on from the newest; return a NEWS_."""
        known = self.known
        heard = self.heard
        newest = heard.newest
        several = self._spindles() > 1
        is_held = heard.is_held and several and known.is_of_top(heard.top)
        heard.miss_up_to_newest(heard.is_held and not several)
        self.question.again()
        heard.is_afresh = heard.is_reset = False
        if not known.is_met() and not known.is_empty():
            heard.first = following(heard.upto)  # what it made before the first meeting is not ours
            return self._conclude(now)
        if known.is_empty() and not self.whose.is_other:
            heard.is_afresh = True
            heard.first = first_below(newest) if self.whose.shares else open_below(heard.upto)
            return self._conclude(now)
        top = known.top()
        if known.is_top(heard.top) or is_held:
            heard.take(newest, known.octets)  # which may say more
            heard.first = newest if is_held else following(heard.upto)
            return self._conclude(now)
        is_above = is_ahead(newest, top)
        if top <= 0 or not (is_above or self._may_be_moved()):
            return self._begin_walk(top >= 0 and not is_above, now)
        return self._turn_to_witness()

    def _hear_nothing(self, now):
        """ID 0 is gone: the controller has nothing, or does not know ID 0. Return a NEWS_."""
        known = self.known
        heard = self.heard
        self.question.again()
        heard.is_zero_gone = True
        if known.last_id >= 0:  # this connection has pushed one: it counts as the newest
            heard.take(known.last_id, known.last)
            heard.is_held = True
            return self._look_at_sharing(now)
        if known.top() <= 0:
            return self._conclude_empty(now)
        return self._turn_to_witness()

    def _turn_to_witness(self):
        """Ask for the highest known; where it may be off, and was never pushed, for the last push. Return NEWS_NONE."""
        known = self.known
        may_be = self.offset.is_odd and self._may_be_off() and not self._is_pushed(known.octets)
        is_other = may_be and self._is_pushed(known.last)
        copy(self._sought, 0, known.last if is_other else known.octets, 0, DIGEST_BYTES)
        return self._turn(qs.PHASE_WITNESS, unpack_id(self._sought, 0))

    def _hear_witness(self, held, now):
        """There is a result under the highest ID known; return a NEWS_."""
        question = self.question
        known = self.known
        heard = self.heard
        several = self._spindles() > 1
        is_above = several or heard.is_nothing() or is_ahead(heard.newest, question.asked)
        if question.asked != known.top():
            return self._end_push_sought(same(self._answer, self._sought))
        is_known = known.is_top(self._answer) or (several and held and known.is_of_top(self._answer))
        if is_known and not several and self._is_pushed(known.octets):
            self.offset.is_none = not self.offset.is_known()
        if not is_above or not is_known:
            question.there = True
            return qs.NEWS_NONE if self._turn_spindle() else self._look_beside(True, now)
        heard.first = question.asked if several else following(question.asked)
        return self._conclude(now)

    def _look_beside(self, is_reset, now):
        """What was sought is not under its ID: it may be beside it (rule 7). Return a NEWS_."""
        top = unpack_id(self._sought, 0)
        self.heard.is_reset = is_reset
        self.heard.is_witness_there = self.heard.is_witness_there or is_reset
        if self._spindles() > 1:
            return self._hear_no_witness(now)
        self.heard.is_reset = is_reset or not is_ahead(self.heard.newest, top)
        return self._turn_beside(now)

    def _turn_beside(self, now):
        """Ask for the next ID beside the one sought; return a NEWS_."""
        top = unpack_id(self._sought, 0)
        offset = self.offset
        newest = self.heard.newest
        most = OFFSET_MOST
        if newest >= 0 and not is_ahead(newest, moved(top, most)):
            most = apart(newest, top)
        is_near = newest >= 0 and (most != 0 or newest == top)  # far above the newest nothing was ever made
        is_near = is_near and not (offset.is_none or offset.is_known())
        beside = offset.next_beside(most) if offset.by or is_near else 0
        while beside and top + beside <= 0:
            beside = offset.next_beside(most)
        if not beside:
            return self._hear_no_witness(now)
        return self._turn(qs.PHASE_BESIDE, moved(top, beside) or after(0))

    def _hear_beside(self, now):
        """There is a result beside the highest ID known; return a NEWS_."""
        if self.offset.by and self.known.is_like_top(self._answer):
            return self._put_top_right(now)
        return self._turn_beside(now)

    def _hear_no_witness(self, now):
        """What was sought is nowhere; return a NEWS_."""
        heard = self.heard
        if unpack_id(self._sought, 0) != self.known.top():
            return self._end_push_sought(False)
        return self._conclude_empty(now) if heard.is_nothing() else self._begin_walk(heard.is_reset, now)

    def _may_be_off(self):
        """True if the ID of an answer may show by how much they are off."""
        return self.offset.may_be_off() and self._spindles() == 1 and not (self.whose.shares or self.whose.by_own_ids)

    def _may_be_moved(self):
        """True if the highest ID known is asked for though the newest is not above it: either may be off."""
        return self._spindles() == 1 and not (self.offset.is_none or self.whose.shares or self.whose.by_own_ids)

    def _is_pushed(self, digest):
        """True if the log has this result from a push; not if its ID is 0, which cannot be asked for."""
        number = unpack_id(digest, 0)
        one = bytearray(DIGEST_BYTES)
        put_id(one, number)
        since = self.known.since
        if not number or not self.look.was_pushed(one, since):
            return False
        for page, at, flags in self.look.results(since):
            if not flags & FLAG_RECOVERED and all_digits(page, at + TIGHTENING_ID, ID_BYTES):
                put_digest(one, 0, page, at, flags)
                if same(one, digest):
                    return True
        return False

    def _lacks_push(self):
        """True if an answer with another ID than was asked for shows nothing before something is pushed (rule 7)."""
        if not self.question.asked or self.phase in _NOT_CERTAIN or self.offset.is_odd or not self._may_be_off():
            return False
        return not self._is_pushed(self.known.octets)

    def _is_off(self, number):
        """True if the answer is what was sought, and was pushed, but ID or question are others (rule 7)."""
        sought = unpack_id(self._sought, 0)
        asked = self.question.asked
        if not self._may_be_off() or number == sought == asked or not are_alike(self._answer, self._sought):
            return False
        is_near = (number == sought or apart(number, sought)) and (asked == sought or apart(asked, sought))
        return bool(is_near) and self._is_pushed(self._sought)

    def _hear_off(self, number, pushed):
        """The result pushed as `pushed` came as `number`: put IDs right from now on if that is certain."""
        if not self.offset.shows(number, pushed, self.question.asked):
            return qs.NEWS_NONE
        self.begin_look()
        return qs.NEWS_OFF

    def _is_no_shared_answer(self, number):
        """True if an answer `number` cannot be the newest at or below the ID asked for: a later one is there."""
        asked = self.question.asked
        if self.whose.shares or number < self.heard.newest <= asked:
            return not self.whose.shares
        for digest in (self.known.octets, self.known.last):
            if number < unpack_id(digest, 0) <= asked and self._is_pushed(digest):
                return True
        return False

    def _wait_for_push(self):
        """Nothing shows what these answers are as long as nothing is pushed that is known from elsewhere."""
        self.offset.is_odd = True
        if self._is_pushed(self.known.last):
            self.begin_look()
        else:
            self._switch_off(qs.PHASE_NAMELESS)
        return qs.NEWS_NONE

    def _end_push_sought(self, is_there):
        """The last push was asked for in place of the highest known: IDs are right, as far as can be found out."""
        self.offset.is_none = is_there
        self.offset.is_odd = False
        self.offset.give_up()
        self.begin_look()
        return qs.NEWS_NONE

    def _put_top_right(self, now):
        """W3: the highest one known came from an answer of this kind: that is its own ID. Return NEWS_NONE."""
        self.known.begin()
        self.known.put_top_right(self._answer)
        self.begin_look()
        if not self.known.commit():
            self.wait_for_room(now)
        return qs.NEWS_NONE

    def _begin_walk(self, is_reset, now):
        """Nothing proves what the IDs mean: find what the controller has, all of which may be missing."""
        heard = self.heard
        whose = self.whose
        heard.is_afresh = True
        heard.is_reset = is_reset
        heard.first = first_below(heard.newest)
        if whose.is_other:
            if not whose.is_believed():
                self._switch_off(qs.PHASE_OFF)
                return qs.NEWS_ASK_AGAIN
            heard.is_reset = True
            heard.first = following(heard.upto)  # what it made before is not ours
        elif not whose.shares:  # else ours are found in stretches
            return self._walk_down(heard.newest, ID_PERIOD // 2)
        return self._conclude(now)

    def _walk_down(self, above, left):
        """Walk down from `above`, for `left` IDs at most. Return NEWS_NONE."""
        self._walk.begin(above, left, self.whose.gone_most)
        return self._turn(qs.PHASE_WALK, self._walk.asked)

    def _end_walk(self, now):
        """The walk has found the lowest ID that is there; return a NEWS_."""
        lowest = self._walk.lowest()
        if self.flags:  # else the walk was inside a range
            self.heard.first = lowest
            return self._conclude(now)
        self.filling.jump(lowest, True, self._count_here(self.filling.at, preceding(lowest)))
        return self._turn(qs.PHASE_FILL, lowest)

    # -- what follows ------------------------------------------------------------------------------------------

    def _conclude_empty(self, now):
        """The controller has nothing: what it makes from now on is ours. Return a NEWS_."""
        heard = self.heard
        if self.known.last_id >= 0:
            return self._hear_nothing(now)  # it has pushed one meanwhile
        heard.is_afresh = self.whose.is_other or self.known.top() <= 0
        heard.is_reset = self.whose.is_other and self.known.is_met()
        if not heard.is_afresh:
            self._stay_at_top()
        return self._settle(now)

    def _conclude(self, now):
        """What is missing begins at `first`: write it down, or first find where it ends. Return a NEWS_."""
        heard = self.heard
        if not heard.is_zero_gone:
            return self._settle(now)
        heard.row = 0
        return self._turn(qs.PHASE_UP, heard.first or 1 if heard.is_nothing() else after(heard.newest))

    def _end_up(self, now):
        heard = self.heard
        if heard.is_nothing():  # nothing above the highest ID known
            self._stay_at_top()
        return self._settle(now)

    def _stay_at_top(self):
        """The controller has nothing above the highest ID known; what lies between that and a push may be missing."""
        known = self.known
        heard = self.heard
        top = known.top()
        heard.take(top, known.octets)
        if known.doubted:
            from toolcart.agent.openprotocol.push_gaps import find_skipped  # hardly any controller needs it

            find_skipped(self.look, known, [], heard.top)
            heard.newest = unpack_id(heard.top, 0)
        heard.first = following(top)
        heard.miss_up_to_newest(True)
        if heard.newest == top:
            heard.first = top  # nothing

    def _settle(self, now):
        """W1: write down what was concluded; if that fails, try again later. Return a NEWS_."""
        known = self.known
        heard = self.heard
        whose = self.whose
        self.phase = qs.PHASE_SETTLE
        is_reset = heard.is_afresh and heard.is_reset
        if heard.is_afresh and not self._told and not self._tell_lost():
            self.wait_for_room(now)
            return qs.NEWS_NONE
        self._told = True
        known.begin()
        if heard.is_afresh:
            known.since = known.doubted if known.doubted > 1 else self.look.next_record()
            known.forget_ranges()
        if (heard.is_afresh and known.is_met()) or self._spindles() > 1:
            known.doubt()  # all the controller has may be missing, or `w` itself
        if heard.is_nothing():
            known.put_empty()
        else:
            is_zero_here = heard.first == 0 and self.look.has_id(_ZERO, known.since)
            known.add(1 if is_zero_here else heard.first, heard.upto)
            known.put_top(heard.top)
        known.end_doubt()
        known.put_controller(whose.identity, whose.shares, is_reset)
        if not known.commit():
            self.wait_for_room(now)
            return qs.NEWS_NONE
        self._forget()
        self._told = False
        self.flags = 0
        whose.is_other = False
        self.phase = qs.PHASE_FILL
        return qs.NEWS_RESET if is_reset else qs.NEWS_NONE

    def _tell_lost(self):
        """Report what was missing, or made since, below what is settled as gone; False if that has to wait."""
        known = self.known
        heard = self.heard
        parts = [(first, last) for first, last in known.ranges]
        if not heard.is_reset and known.is_met():
            parts.append((following(known.top()), preceding(heard.first)))
        lost = []
        for first, last in parts:
            if not heard.is_reset and not is_ahead(heard.first, last):
                last = preceding(heard.first)
            if length_of(first, last) and not is_open(first, last):
                lost.append((first, last))
        if not lost or self.whose.shares:
            return True
        count = sum([length_of(first, last) - self._count_here(first, last) for first, last in lost])
        return count == 0 or self.filling.tell(
            lost[0][0], lost[-1][1], count, WHY_RESET if heard.is_reset else WHY_NONE
        )

    def _count_here(self, first, last):
        """Return how many of these IDs, which may be missing, are in the log all the same."""
        known = self.known
        return self.look.count_ids(first, last, known.since) if known.doubted and length_of(first, last) else 0

    # -- what is missing -----------------------------------------------------------------------------------------

    def _turn_to_missing(self, now):
        """Ask for the next ID that may be missing; IDLE if there is none."""
        ranges = self.known.ranges
        filling = self.filling
        shared = self.whose.shared
        while ranges:
            first, last = ranges[0]
            if filling.turn(first):
                self.question.again()
                if shared is not None:
                    shared.begin_range()
            if filling.left_to(last):
                if self._turn_to_ours(shared, last) if self.whose.shares else self._turn_to_next(last):
                    return
            elif not filling.flush():
                self.wait_for_room(now)
                return
        if not self._end_unfinished(now):
            return
        self.phase = qs.PHASE_IDLE
        self.question.asked = self._walk.asked = 0  # IDs near the wrap are on the heap

    def _turn_to_next(self, last):
        """Ask for the next one; after many that are gone a walk from the end finds where the rest begins."""
        filling = self.filling
        self.phase = qs.PHASE_FILL
        self.question.asked = filling.at
        left = filling.left_to(last)
        most = self.whose.gone_most
        if is_open(filling.at, last) or (filling.row >= most and left > most):
            self._walk_down(after(last), left)
        return True

    def _turn_to_ours(self, shared, last):
        """The same where stations share the IDs, for ours alone; False at the end of a stretch."""
        filling = self.filling
        if is_open(filling.at, last) and length_of(1, self.known.top()):
            filling.skip(1)
        if not shared.in_stretch:
            shared.begin(filling.at, filling.left_to(last))
        self.phase = qs.PHASE_SEEK
        self.question.asked = shared.asked
        if shared.seeks:
            return True
        self.phase = qs.PHASE_FILL
        self.question.asked = number = shared.next_of_ours(filling.at)
        shared.in_stretch = number >= 0
        if shared.in_stretch:
            filling.skip(number)
        else:
            filling.jump(after(shared.last), False)
        return shared.in_stretch

    def _turn_or_close(self):
        """Ask the next spindle for the same ID, or close it: it is not gone. Return NEWS_NONE."""
        return qs.NEWS_NONE if self._turn_spindle() else self._close(False)

    def _close(self, gone):
        """Close the ID that is asked for: it is no longer missing. Return NEWS_NONE."""
        filling = self.filling
        filling.close(gone, self._why)
        ranges = self.known.ranges
        if filling.at == 1 and ranges and filling.is_over_zero(ranges[0][1]) and not self.whose.shares:
            if not self.look.has_id(_ZERO, self.known.since):
                filling.lose_zero()
        return self._turn(qs.PHASE_FILL, self.filling.at)

    def _hear_missing(self):
        """Take the one that is missing; if that is the first of a run of pushes, close them all. Return a NEWS_."""
        known = self.known
        pushes = self.pushes
        if self._retry.armed:
            return qs.NEWS_NONE  # a push came meanwhile (rule 8): it is asked for again
        is_others = self.whose.shares and not self.whose.shared.is_ours()  # type: ignore[union-attr]
        self.passed_over += is_others
        if is_others:
            return self._close(False)
        if pushes.last < 0 or self._spindles() > 1 or not same(self._answer, pushes.first):
            return qs.NEWS_STORE
        self.filling.jump(pushes.last, False)
        pushes.close()
        known.close_run()
        return self._close(False)


assert _IDLE == qs.PHASE_IDLE and _OFF == qs.PHASE_OFF < qs.PHASE_NAMELESS < qs.PHASE_CLOSED
