"""What a controller has that the log lacks: asks for it with MID 0064, and fetches what is missing, oldest first.

Sans I/O: asked what to fetch next (`want`) and told of every answer and every push. What it concludes is written down
in one snapshot (agent.openprotocol.known); everything here may be forgotten at any moment.

Rules
1. Until a connection has proven what its IDs mean, what it pushes is stored with FLAG_UNPROVEN. No push ever waits.
2. Proof: the newest (N, asked for as ID 0) is the highest result known (w); or it is above w, and w still stands under
   its ID; else a walk down from the newest has shown what the controller has, all of which may be missing.
3. Missing IDs are asked for one by one; an ID is closed only by the result itself, by 15 (gone), or by five silences
   while the next one is answered. Where many in a row are gone a walk from above finds where the range really begins.
4. How far a range is closed is saved every CLOSED_MOST IDs and at its end, with an event for what was gone.
5. A push fits if it may be missing, or is not behind the one before it while nothing is proven: it was on its way. One
   that does not fit starts the look over, once a minute at most. Which of two times is later never counts.
6. Where several spindles may have a result under one ID, each question goes to each of them in turn. An ID is gone only
   if it is for all, and `w` itself may be missing of another spindle: below a newer one it is asked for again, even if
   the log no longer has `w` and stores it twice then; as the newest, while the log has it.
7. Some controllers answer with an ID that is one too high (a Global 400mp of Sturtevant Richmont does, by its users):
   either n is answered with n + 1, twice; or w is found under w + 1, by its time and values. That is put right in all
   that follows (`higher`), and in w itself where it came from such an answer.
8. A run of pushes of this connection, one ID after the other, is asked for once: if the controller has its first one
   under that ID, it made the rest since. While such pushes come nothing is asked for.

    phase     asks for             it is there                         it is gone
    NEWEST    0                    w: proven; above w: WITNESS;        WITNESS, since 0 may be unknown there; without
                                   else WALK                           w: proven, there is nothing
    PROBE     N + 1, in doubt      below N + 1: the stations share     they do not
                                   the IDs (shared.py)
    WITNESS   w                    the same: settle w+1..N; else w+1,  w+1, then WALK; nothing, if 0 was gone as well
                                   then WALK
    WALK      downward from N      goes on                             settle all from the lowest that is there
    UP        upward, if 0 is gone goes on                             after K in a row: settle
    SEEK      downward, shared     is it ours? (shared.py)             the stretch is known
    FILL      the oldest missing   the first of a run of pushes:       close it, count it
                                   close the run; else store it, close it
    POLL      0, when told to      is it w? (agent.station.watch)      w + 1, since 0 may be unknown there
"""

from agent.base.compat import const
from agent.base.crc import crc30
from agent.base.fields import all_digits, copy
from agent.base.ticks import Timer
from agent.openprotocol import questions as qs
from agent.openprotocol import replies
from agent.openprotocol.identity import SHARED_SYSTEM, STATION, STATION_BYTES
from agent.openprotocol.ids import (
    ID_PERIOD,
    after,
    before,
    first_below,
    id_at,
    id_of,
    is_ahead,
    is_open,
    length_of,
    open_below,
    put_id,
    unpack_id,
)
from agent.openprotocol.known import DIGEST_BYTES, put_digest, put_unread, same
from agent.openprotocol.walk import Walk
from agent.record.result import FLAG_RECOVERED, FLAG_UNPROVEN, HEAD_BYTES, ID_BYTES, TIGHTENING_ID

GONE_OWN = const(24)  # K: more than the longest run of IDs that are not ours
GONE_SHARED = const(100)
HIGHER_NO = const(0)
HIGHER_SAID = const(1)  # n is answered with n's result under the ID n + 1
HIGHER_KEPT = const(2)  # n's result is found under n + 1
CLOSED_MOST = const(32)
UNANSWERED_MOST = const(5)
LOOK_AGAIN_MS = const(60000)
ON_ITS_WAY_MS = const(2000)  # behind one that was missing the next one may be pushed
OFF_MS = const(3600000)  # until a rejected revision is asked for again

_IDLE = const(0)  # read in each step of the station: compiled in
_OFF = const(6)
# Built once: a tuple in an expression would be allocated at each poll.
_TURNS = (qs.PHASE_IDLE, qs.PHASE_FILL, qs.PHASE_SEEK)
_LOOKED_UP = (qs.PHASE_NEWEST, qs.PHASE_UP, qs.PHASE_POLL)


class Recovery:
    """Asks one controller for what is missing."""

    def __init__(
        self, look, known, revisions=(2, 1), retry_ms=30000, sharing=qs.SHARING_AUTO, store_newest=False, gone=None
    ):
        self.look = look
        self.known = known
        self.retry_ms = retry_ms
        self.sharing = sharing
        self.store_newest = store_newest
        self.gone = gone  # writes an event of what is gone, False if there is no room: agent.station.store's tell_gone
        self.flags = FLAG_UNPROVEN if known.recovers else 0  # of a result that is pushed now
        self.phase = qs.PHASE_IDLE
        self.needs = ""  # the setting without which nothing can be fetched here
        self.passed_over = 0  # answers that name another station, and were not taken
        self.polled = -1  # the ID that a poll brought, if it is not the highest known
        self.higher = HIGHER_NO  # rule 7
        self.shared = None  # our station (agent.openprotocol.shared), where the controller names it and may share IDs
        self.not_saved = 0  # snapshots that could not be written
        self.ask_id = bytearray(b"0" * ID_BYTES)
        self.ask_spindle = 0  # the spindle to ask, 0: the controller's own
        self.by_spindle = True  # where there are several
        self._answer = bytearray(DIGEST_BYTES)  # of what came last
        self._revisions = self._ordered = revisions
        self._revision_index = self._gone_first = self._gone_last = 0
        self._gone_most = GONE_SHARED  # K
        self._shares = False  # the stations share the IDs, as far as this connection has shown
        self._stretch_ids = 0  # how many IDs are looked through at a time, if so
        self._identity = self._named = 0  # another controller is believed when it names itself twice
        self._other = self._online = False
        self._told = False  # what settling loses has been reported, but settling could not be written down
        self._by_own_ids = False  # it answers MID 0006, which names no spindle
        self._retry, self._looked = Timer(), Timer()
        self._top = bytearray(DIGEST_BYTES)  # the newest heard on this connection: N, or pushed since
        self._first = self._upto = 0  # what is to be settled as missing
        self._afresh = self._reset = False  # only that is missing, not what was before; since the IDs began again
        self._run_first = bytearray(DIGEST_BYTES)  # of the first of the pushes that came one ID after the other
        self._run_last = -1  # the last one's ID; -1: nothing was pushed on this connection since a run was closed
        self._run_record = 0  # the first one's number in the log
        self._walk = Walk()
        self._never_asked = -1  # ID of the last push of a controller that cannot be asked
        self._forget()

    # -- the connection ----------------------------------------------------------------------------------------

    def opened(self, identity, system_type=0, now=0, by_own_ids=False):
        """A session is ready. `identity` is the session's 51 bytes; the name in it does not count."""
        known = self.known
        self._forget()
        self._online = True
        self.needs = ""
        self.shared = None
        self.higher = HIGHER_NO
        known.last_id = -1
        self.phase = qs.PHASE_OFF
        if not known.recovers:
            return
        self._by_own_ids = by_own_ids
        self.flags = FLAG_UNPROVEN
        alone = crc30(identity, 31, 31 + STATION_BYTES, crc30(identity, 0, 6))
        named = crc30(identity, STATION, STATION + STATION_BYTES, alone)
        self._identity = alone
        self._choose_sharing(identity, system_type, qs.SHARING_OWN if by_own_ids else self.sharing)
        if not self.needs:
            self.phase = qs.PHASE_NEWEST
        self._other = known.identity() not in (0, alone, named)  # an update may begin or end the sharing

    def closed(self):
        """The session is over."""
        self._drop_range()
        if self.phase == qs.PHASE_SEEK:
            self._stretch_ids = self.shared.break_off()  # type: ignore[union-attr] - else there is no such phase
        self.phase = qs.PHASE_IDLE
        self._online = False
        self._run_last = -1
        self._forget()
        if self.known.recovers:
            self.flags = FLAG_UNPROVEN  # the next connection may push before it is opened

    def look_again(self, now):
        """Start over with the newest, once a minute at most: a push did not fit, or was lost."""
        if not self._online or self.phase == qs.PHASE_OFF:
            return
        self.begin_look()
        if self._looked.armed and not self._looked.expired(now):
            self._retry.start(now, self._looked.left(now))
        else:
            self._looked.start(now, LOOK_AGAIN_MS)

    def can_poll(self):
        """True if this controller can be asked for the newest, now or later."""
        return self._online and self.phase != qs.PHASE_OFF

    def poll(self):
        """Ask whether the newest is still the highest known, unless something else is to be found out."""
        if self.phase == qs.PHASE_IDLE and not self.known.ranges:
            self.phase = qs.PHASE_POLL
            self._asked = self._tries = 0

    def _end_poll(self, is_known, number=-1):
        """Return to rest after a poll; return a NEWS_."""
        self.phase = qs.PHASE_IDLE
        self._asked = 0
        self._spindle = 1
        self.polled = number
        return qs.NEWS_KNOWN if is_known else qs.NEWS_UNKNOWN

    def _hear_poll_gone(self):
        """ID 0 is gone, which may be unknown there: ask for the one after `w`. Return a NEWS_."""
        if self._asked or self.known.top() < 0:
            return self._end_poll(True)
        self._asked = after(self.known.top())
        return qs.NEWS_NONE

    def begin_look(self):
        """Start over with the newest at once."""
        self._drop_range()
        self._forget()
        self.flags = FLAG_UNPROVEN
        self.phase = qs.PHASE_NEWEST

    def _forget(self):
        """Forget what was heard, asked and concluded."""
        self._asked = 0  # the newest: an answer below it would show that stations share the IDs
        self._newest = -1  # N
        self._pushed_first = -1  # of what came before any answer
        self._held = False  # by the log
        self._zero = False  # ID 0 is gone
        self._nameless = False  # the newest has no ID
        self._beyond = False  # the witness is looked for beside its ID
        self._saw_higher = False  # a question was answered with the ID after it
        self._run = 0  # gone in a row
        self._spindle = 1  # that is asked
        self._there = False  # one of those asked before had it
        self._tries = 0
        self._beside = False  # the ID after the one that is not answered is asked for
        self._waiting = False  # for an answer that is still of interest
        self._begin = self._at = 0  # where the oldest range begins: as saved, and in fact
        self._closed = self._gone_count = 0  # from CLOSED_MOST on it is saved how far the range is closed
        self._retry.stop()

    def _choose_sharing(self, identity, system_type, sharing):
        """Begin with what the setting or earlier answers say about the IDs; this connection's answers decide."""
        named = all_digits(identity, STATION, STATION_BYTES) and id_of(identity, STATION) > 0
        of_system = system_type == SHARED_SYSTEM
        may = sharing == qs.SHARING_AUTO and (named or of_system)
        self._shares = shares = sharing == qs.SHARING_ALL or (may and self.known.shares())
        own = sharing == qs.SHARING_OWN or (system_type > 0 and not (may and of_system))
        self._gone_most = GONE_OWN if own and not shares else GONE_SHARED
        revisions = self._revisions
        if shares and not named:
            self.needs = "station_id" if sharing == qs.SHARING_ALL else "tightening_ids"
        elif shares or may:
            self._share(identity, of_system, sharing == qs.SHARING_ALL)
            if named:
                self._identity = crc30(identity, STATION, STATION + STATION_BYTES, self._identity)
                revisions = self.shared.ordered(revisions)  # type: ignore[union-attr] - _share has made it
        if revisions != self._ordered:
            self._ordered = revisions
            self._revision_index = 0

    def _share(self, identity, has_to_name, is_proven=False):
        from agent.openprotocol.shared import Shared  # only where stations share the IDs, or may

        self.shared = Shared(identity, has_to_name, self._stretch_ids, is_proven)

    # -- pushes ------------------------------------------------------------------------------------------------

    def heard(self, record, now):
        """Take note of a push, this record of the log, that Known has seen; False if its ID is out of order."""
        known = self.known
        number, before_it = known.last_id, self._run_last
        if number < 0:
            return True
        self._run_last = number
        if before_it < 0 or number != after(before_it):
            copy(self._run_first, 0, known.last, 0, DIGEST_BYTES)
            self._run_record = record
        follows = before_it < 0 or is_ahead(number, before_it)
        if self.flags == 0:
            if known.misses(number):
                self._retry.start(now, ON_ITS_WAY_MS)
            elif number != known.top():
                self.look_again(now)
                return follows
            return True
        if self._nameless and number > 0:  # ID 0 is no result's, or one's just past the wrap
            self.phase = qs.PHASE_NEWEST
            self.look_again(now)
            return False
        if self._newest < 0:
            if self._pushed_first < 0:
                self._pushed_first = number
            if self.phase == qs.PHASE_OFF:
                self._count_lost()
            return True
        top = unpack_id(self._top, 0)
        if is_ahead(number, top):
            if number != after(top) and not self._shares:
                self._upto = before(number)  # else the IDs skipped would not be asked for
        elif number != top:
            if not follows:
                self.look_again(now)
            return follows
        if not known.is_beside(self._top):
            self._take_top(known.last)
        return True

    def _doubts_run(self):
        """True if nothing but this run of pushes may be missing though it was stored."""
        return self._run_last >= 0 and 1 < self._run_record == self.known.doubted

    def may_be_second(self, first):
        """True if a fetched result that the log lacks may have been stored in front of `first`, the oldest there is."""
        return self.known.may_have_had(first) and not self._doubts_run()  # a run is closed without being stored

    def _count_lost(self):
        """Count a jump in the pushed IDs as lost, also since the last connection: nothing can be asked for here."""
        before_it, first = self._never_asked, self._pushed_first
        self._never_asked = self._run_last
        self._pushed_first = -1
        if before_it < 0 or first < 0 or self._shares or not is_ahead(first, after(before_it)):
            return
        lost = after(before_it)
        count = length_of(lost, before(first))
        if not self._tell(lost, before(first), count):
            self.known.count_gone(lost, count)
        self._save()

    def _take_top(self, digest):
        copy(self._top, 0, digest, 0, DIGEST_BYTES)

    # -- asking ------------------------------------------------------------------------------------------------

    def seeks(self):
        """True if something is to be asked for, now or later. Hot: allocates nothing."""
        if not self._online:
            return False
        if self.phase == _IDLE:
            return True if self.known.ranges else False
        return self.phase != _OFF or self._retry.armed

    def want(self, now):
        """True if the ID in `ask_id` should be fetched now."""
        if self._retry.armed:
            if not self._retry.expired(now):
                return False
            self._retry.stop()
            if self.phase == _OFF:
                self.begin_look()
        if not self.seeks():
            return False
        if self._closed >= CLOSED_MOST and not self._flush():
            self.wait_for_room(now)
            return False
        if self.phase == qs.PHASE_SETTLE:
            self._settle(now)
        if self.phase in _TURNS:
            self._turn_to_missing(now)
        if self.phase == qs.PHASE_SETTLE or self.phase == qs.PHASE_IDLE or self._retry.armed:
            return False
        put_id(self.ask_id, after(self._asked) if self._beside else self._asked)
        self.ask_spindle = self._spindle if self._spindles() > 1 else 0
        self._waiting = True
        return True

    def wait_least(self, now, ms):
        """Return the ms until `want` may change its mind by time alone, or `ms` if that is less."""
        return self._retry.least(now, ms) if self._retry.armed else ms

    def wait_for_room(self, now):
        """Ask for the same again later: there was no room for it."""
        self._retry.start(now, self.retry_ms)

    def hears_lower(self):
        """True if an answer below the ID asked for counts as one: it shows that stations share the IDs."""
        return self.sharing != qs.SHARING_OWN and not self._by_own_ids

    def hears_higher(self):
        """True if an answer with the ID after the one asked for counts as one (rule 7)."""
        return self.higher != HIGHER_KEPT

    def asks_higher(self):
        """True if the ID after the one in `ask_id` is to be asked for (rule 7); behind the last one that would be 0."""
        number = id_of(self.ask_id, 0)
        return self.higher == HIGHER_KEPT and 0 < number < ID_PERIOD - 1

    def revision(self):
        """Return the revision to ask in."""
        return self._ordered[self._revision_index]

    # -- spindles ----------------------------------------------------------------------------------------------

    def _spindles(self):
        """Return how many spindles are asked each question."""
        return self.known.spindles() if self.by_spindle and not (self._shares or self._by_own_ids) else 1

    def _turn_spindle(self):
        """Turn to the next spindle with the same question; False if it was the last one."""
        self._spindle = self._spindle + 1 if self._spindle < self._spindles() else 1
        self._tries = 0
        return self._spindle > 1

    # -- answers -----------------------------------------------------------------------------------------------

    def fetched(self, body, start, now, flags=0, length=0):
        """Take the answer to what `want` asked for, a body with the flags its record would have; return a NEWS_.

        `length` is that of its payload, which begins HEAD_BYTES in front of the body.

        It may have used the stage unless that is NEWS_STORE: then `kept` or `wait_for_room` comes next.
        """
        if self._is_stale():
            return qs.NEWS_NONE
        at = start + TIGHTENING_ID
        number = id_at(body, at)
        if number < 0:
            return self._hear_nameless(now)
        if self.higher:
            number = before(number)
        if self.higher or not all_digits(body, at, ID_BYTES):
            digits = bytearray(ID_BYTES)
            put_id(digits, number)
            copy(body, at, digits, 0, ID_BYTES)
        put_digest(self._answer, 0, body, start, flags)
        looks = self.phase in _LOOKED_UP or self._spindles() > 1
        held = looks and self.look.holds(body, start - HEAD_BYTES, length, flags | FLAG_RECOVERED) > 0
        return self._hear(number, held, now)

    def _hear_nameless(self, now):
        """Take an answer without an ID; return a NEWS_.

        If the newest has none again and again, nothing can be asked for until one has.
        """
        if self.phase == qs.PHASE_POLL:
            self.begin_look()  # else each poll would find that nothing is unknown
            return qs.NEWS_NONE
        if self.phase != qs.PHASE_NEWEST or self._tries + 1 < UNANSWERED_MOST:
            return self._again(now)
        self._switch_off()
        self._nameless = True
        return qs.NEWS_NONE

    def fetched_unread(self, body, start, check, now):
        """The same for an answer of which only the ID can be read; NEWS_STORE: it is to be kept as it came.

        `check`, 30 bits, tells its frame from others: without it a reset could not be seen.
        """
        if self._is_stale():
            return qs.NEWS_NONE
        number = id_at(body, start + TIGHTENING_ID)
        if number >= 0 and self.higher:
            number = before(number)
        if number < 0 and self.phase == qs.PHASE_FILL:
            number = self._asked
        if number < 0:
            return self._hear_nameless(now)
        put_unread(self._answer, number, check)
        return self._hear(number, False, now)

    def refused(self, kind, now):
        """Take a rejection of the REFUSED_ class `kind`; return a NEWS_."""
        if self._is_stale():
            return qs.NEWS_NONE
        if kind == replies.REFUSED_GONE:
            return self._absent(now)
        if kind == replies.REFUSED_REVISION and self._revision_index + 1 < len(self._ordered):
            self._revision_index += 1
        elif kind == replies.REFUSED_REVISION or kind == replies.REFUSED_NEVER:
            self._revision_index = 0
            self._switch_off()
            if kind == replies.REFUSED_REVISION:  # a controller in trouble says so, too
                self._retry.start(now, OFF_MS)
        else:
            return self._again(now)
        return qs.NEWS_NONE

    def silent(self, now):
        """No answer came: ask for the same again later; return a NEWS_."""
        return qs.NEWS_NONE if self._is_stale() else self._again(now)

    def kept(self, now):
        """The log has what was fetched."""
        if self.phase == qs.PHASE_FILL:
            self._run = 0
            self._there = True
            self._turn_or_close()

    def _is_stale(self):
        """Take note of an answer; True if it is to an earlier question, or to none."""
        waited, self._waiting = self._waiting, False
        return not waited or self.phase == qs.PHASE_OFF

    def _switch_off(self):
        """Stop asking, for this connection or a long while."""
        self._flush()
        self.phase = qs.PHASE_OFF
        self.flags = FLAG_UNPROVEN
        if self._pushed_first >= 0:
            self._count_lost()

    def _again(self, now):
        """No usable answer: ask again later, but not for ever where others are answered; return a NEWS_."""
        if self.phase == qs.PHASE_POLL:
            return self._end_poll(True)  # nothing is known to be missing
        self._tries += 1
        if self._tries == 0:
            return self._give_up(now)
        if self.phase == qs.PHASE_PROBE and self._tries >= UNANSWERED_MOST:
            self.shared.is_proven = True  # type: ignore[union-attr] - nothing more will be said about it
            return self._compare_newest(now)
        self._retry.start(now, self.retry_ms)
        phase = self.phase
        if self._tries >= UNANSWERED_MOST and phase not in (qs.PHASE_NEWEST, qs.PHASE_UP):
            self._beside = not self._beside and (phase != qs.PHASE_WITNESS or self._newest >= 0)
        return qs.NEWS_NONE

    def _give_up(self, now):
        """Give up an ID that is not answered while the next one is; return a NEWS_."""
        if self.phase == qs.PHASE_FILL:
            return qs.NEWS_NONE if self._turn_spindle() else self._close(not self._there)
        if self.phase == qs.PHASE_WITNESS:
            return self._absent(now)
        return self._go_on(self._asked, True, now)  # it may be there

    def _hear(self, number, held, now):
        """Take the result `number` in `_answer`; `held`: by the log, where that was looked up. Return a NEWS_."""
        phase = self.phase
        if self._beside:
            return self._answered_beside()
        if self.shared is None and number < self._asked and self.hears_lower():
            self._share(bytes(STATION + STATION_BYTES), True)
        if self.shared is not None:
            judged = self.shared.judge(phase, self._shares, number, self._asked)
            if judged != qs.JUDGED_FINE:
                return self._hear_judged(judged)
        if phase == qs.PHASE_NEWEST:
            return self._hear_newest(number, held, now)
        if phase == qs.PHASE_PROBE:
            return self._compare_newest(now)
        if phase == qs.PHASE_POLL:
            return self._end_poll(held or self.known.is_top(self._answer), number)
        if self._asked and not self.higher and self._is_higher(number):
            return self._hear_higher()
        if is_ahead(number, self._asked) and not (phase == qs.PHASE_SEEK and number < self._asked):
            return self._again(now)  # an answer to an earlier question
        if phase == qs.PHASE_SEEK:
            is_ours = self.shared.is_ours()  # type: ignore[union-attr]
            self.passed_over += not is_ours and not is_ahead(self._begin, number)
            return self._go_on(number, is_ours, now)
        if number != self._asked:
            return self._absent(now) if phase != qs.PHASE_FILL or self._shares else self._turn_or_close()
        if phase == qs.PHASE_FILL:
            return self._hear_missing()
        if phase == qs.PHASE_WITNESS:
            return self._hear_witness(held, now)
        if phase == qs.PHASE_UP:
            self._newest = number
            self._take_top(self._answer)
            self._upto = before(number) if held else number
        return self._go_on(number, True, now)

    def _absent(self, now):
        """The controller has nothing under the ID that was asked for; return a NEWS_."""
        phase = self.phase
        if self._beside:
            return self._answered_beside()
        if self._turn_spindle():
            return qs.NEWS_NONE
        if phase == qs.PHASE_POLL:
            return self._hear_poll_gone()
        if phase == qs.PHASE_NEWEST:
            return self._look_at_sharing(now) if self._newest >= 0 else self._hear_nothing(now)
        if phase == qs.PHASE_PROBE:
            self._end_sharing()
            return self._compare_newest(now)
        if phase == qs.PHASE_WITNESS:
            return self._hear_no_witness(self._there, now)
        if phase == qs.PHASE_FILL:
            self._run += not self._there
            return self._close(not self._there)
        return self._go_on(before(self._begin), False, now)

    def _go_on(self, number, there, now):
        """Turn to the next question of a walk or a stretch, or to its end; return a NEWS_."""
        self._tries = 0
        self._spindle = 1
        if self.phase == qs.PHASE_SEEK:
            self.shared.hear(number, there)  # type: ignore[union-attr] - else there is no such phase
        elif self.phase == qs.PHASE_UP:
            self._run = 0 if there else self._run + 1
            if self._run >= self._gone_most:
                return self._end_up(now)
            self._asked = after(self._asked)
        elif self._walk.hear(there):
            self._asked = self._walk.asked
        else:
            return self._end_walk(now)
        return qs.NEWS_NONE

    # -- the look ------------------------------------------------------------------------------------------------

    def _hear_newest(self, number, held, now):
        """Take the newest of the spindle asked: the highest of all counts. Return a NEWS_."""
        self._tries = 0
        is_above = self._newest < 0 or is_ahead(number, self._newest)
        if is_above or (self.known.is_top(self._answer) and not self.known.is_top(self._top)):
            self._newest = number
            self._take_top(self._answer)
        if is_above or number == self._newest:
            self._held = held or (self._held and not is_above)
        return qs.NEWS_NONE if self._turn_spindle() else self._look_at_sharing(now)

    def _look_at_sharing(self, now):
        """The newest is `_top`: first see whether its ID is the stations' or ours alone. Return a NEWS_."""
        if self.shared is None or not self.shared.needs_proof(self._shares):
            return self._compare_newest(now)
        self.phase = qs.PHASE_PROBE
        self._asked = after(self._newest)
        return qs.NEWS_NONE

    def _end_sharing(self):
        """The stations do not share the IDs."""
        self.shared.are_own()  # type: ignore[union-attr] - else nothing was to be proven
        self._shares = False
        self._gone_most = GONE_OWN

    def _compare_newest(self, now):
        """Go on from the newest; return a NEWS_."""
        known = self.known
        newest = self._newest
        held = self._held
        several = self._spindles() > 1
        self._upto = before(newest) if held and not several else newest
        self._tries = 0
        self._afresh = self._reset = False
        if not known.is_met() and not known.is_empty():
            self._first = newest if self.store_newest else after(self._upto)
            return self._conclude(now)
        if known.is_empty() and not self._other:
            self._afresh = True
            self._first = first_below(newest) if self._shares else open_below(self._upto)
            return self._conclude(now)
        if known.is_top(self._top) or (several and held and newest == known.top()):
            self._take_top(known.octets)  # which may say more
            self._first = newest if several and held else after(self._upto)
            return self._conclude(now)
        top = known.top()
        is_above = is_ahead(newest, top)
        if top <= 0 or not (is_above or self.higher == HIGHER_SAID):
            return self._begin_walk(top >= 0 and not is_above, now)
        self.phase = qs.PHASE_WITNESS
        self._asked = top
        return qs.NEWS_NONE

    def _hear_nothing(self, now):
        """ID 0 is gone: the controller has nothing, or does not know ID 0. Return a NEWS_."""
        known = self.known
        self._tries = 0
        self._zero = True
        if known.last_id >= 0:  # this connection has pushed one: it counts as the newest
            self._newest = known.last_id
            self._held = True
            self._take_top(known.last)
            return self._look_at_sharing(now)
        if known.top() <= 0:
            return self._conclude_empty(now)
        self.phase = qs.PHASE_WITNESS
        self._asked = known.top()
        return qs.NEWS_NONE

    def _hear_witness(self, held, now):
        """There is a result under the highest ID known; return a NEWS_."""
        several = self._spindles() > 1
        if self._beyond and self.higher == HIGHER_SAID and self._is_top_under(self._asked):
            return self._lower_top(now)
        is_above = several or self._newest < 0 or is_ahead(self._newest, self._asked)
        is_known = self.known.is_top(self._answer) or (several and held)
        if self._beyond or not is_above or not is_known:
            self._there = True
            return qs.NEWS_NONE if self._turn_spindle() else self._hear_no_witness(True, now)
        self._spindle = 1
        self._first = self._asked if several else after(self._asked)
        return self._conclude(now)

    def _hear_no_witness(self, is_reset, now):
        """The highest result known is not under its ID: it may be beside it (rule 7). Return a NEWS_."""
        if not self._beyond and self._spindles() == 1:
            top = self.known.top()
            self._beyond = True
            self._reset = is_reset or not is_ahead(self._newest, top)
            self._asked = before(top) if self.higher == HIGHER_SAID else after(top)
            return qs.NEWS_NONE
        return (
            self._conclude_empty(now)
            if self._newest < 0
            else self._begin_walk(self._reset if self._beyond else is_reset, now)
        )

    def _is_higher(self, number):
        """True if the answer `number` may show that the controller's answers have IDs that are one too high."""
        if self._spindles() > 1:
            return False
        return number == self._asked + 1 or (self._beyond and self._is_top_under(number))

    def _is_top_under(self, number):
        """True if the answer is the highest result known, under this ID instead of its own."""
        at = before(number) if self.higher == HIGHER_NO else after(number)
        return at == self.known.top() and self.known.is_like_top(self._answer)

    def _hear_higher(self):
        """Put the IDs of answers right from now on; ask again if this may be a late answer. Return a NEWS_."""
        number = unpack_id(self._answer, 0)
        is_kept = self._beyond and number == self._asked
        if not is_kept and not self._saw_higher:
            self._saw_higher = True
            return qs.NEWS_NONE
        self.higher = HIGHER_KEPT if is_kept else HIGHER_SAID
        self.begin_look()
        return qs.NEWS_HIGHER

    def _lower_top(self, now):
        """The highest result known came from an answer of this controller: its own ID is one less. Return NEWS_NONE."""
        self.known.begin()
        self.known.lower_top(self._answer)
        self.begin_look()
        if not self.known.commit():
            self.not_saved += 1
            self.wait_for_room(now)
        return qs.NEWS_NONE

    def _conclude_empty(self, now):
        """The controller has nothing: what it makes from now on is ours. Return a NEWS_."""
        if self.known.last_id >= 0:
            return self._hear_nothing(now)  # it has pushed one meanwhile
        self._newest = -1
        self._afresh = True
        self._reset = self.known.is_met()
        return self._settle(now)

    def _conclude(self, now):
        """What is missing begins at `_first`: write it down, or first find where it ends. Return a NEWS_."""
        if not self._zero:
            return self._settle(now)
        self.phase = qs.PHASE_UP
        self._asked = self._first if self._newest < 0 else after(self._newest)
        self._run = self._tries = 0
        return qs.NEWS_NONE

    def _end_up(self, now):
        if self._newest < 0:  # nothing above the highest ID known
            self._newest = self.known.top()
            self._take_top(self.known.octets)
            self._upto = before(self._newest)
        return self._settle(now)

    def _begin_walk(self, is_reset, now):
        """Nothing proves what the IDs mean: find what the controller has, all of which may be missing."""
        self._afresh = True
        self._reset = is_reset
        self._first = first_below(self._newest)
        if self._other:
            if self._named != self._identity:
                self._named = self._identity  # a single frame may be corrupt
                self._switch_off()
                return qs.NEWS_ASK_AGAIN
            self._reset = True
            self._first = self._newest if self.store_newest else after(self._upto)  # what it made before is not ours
        elif not self._shares:  # else ours are found in stretches
            self.phase = qs.PHASE_WALK
            self._tries = 0
            self._walk.begin(self._newest, ID_PERIOD // 2, self._gone_most)
            self._asked = self._walk.asked
            return qs.NEWS_NONE
        return self._conclude(now)

    def _end_walk(self, now):
        """The walk has found the lowest ID that is there; return a NEWS_."""
        lowest = self._walk.lowest()
        if self.flags:  # else the walk was inside a range
            self._first = lowest
            return self._conclude(now)
        self.phase = qs.PHASE_FILL
        self._run = 0
        count = (lowest - self._at) % ID_PERIOD
        if count:
            if not is_open(self._at, before(lowest)):  # else it is not known that they were made
                self._count_gone(self._at, before(lowest), count)
            self._at = lowest
            self._closed = CLOSED_MOST
        return qs.NEWS_NONE

    def _settle(self, now):
        """Write down what was concluded, in one snapshot; if that fails, try again later. Return a NEWS_."""
        known = self.known
        self.phase = qs.PHASE_SETTLE
        if self._afresh and not self._told and not self._tell_lost():
            self.wait_for_room(now)
            return qs.NEWS_NONE
        self._told = True
        known.begin()
        if self._afresh:
            known.forget_ranges()
        if (self._afresh and known.is_met()) or self._spindles() > 1:
            known.doubt()  # all the controller has may be missing, or `w` itself
        if self._newest < 0:
            known.put_empty()
        else:
            known.add(self._first, self._upto)
            known.put_top(self._top)
        known.end_doubt()
        known.put_controller(self._identity, self._shares, self._afresh and self._reset)
        if not known.commit():
            self.not_saved += 1
            self.wait_for_room(now)
            return qs.NEWS_NONE
        self._forget()
        self._told = False
        self.flags = 0
        self._other = False
        self.phase = qs.PHASE_FILL
        return qs.NEWS_RESET if self._afresh and self._reset else qs.NEWS_NONE

    def _tell_lost(self):
        """Report what was missing, or made since, below what is settled as gone; False if that has to wait."""
        known = self.known
        parts = [(first, last) for first, last in known.ranges]
        if not self._reset and known.is_met():
            parts.append((after(known.top()), before(self._first)))
        lost = []
        for first, last in parts:
            if not self._reset and not is_ahead(self._first, last):
                last = before(self._first)
            if length_of(first, last) and not is_open(first, last):
                lost.append((first, last))
        if not lost or self._shares:
            return True
        return self._tell(lost[0][0], lost[-1][1], sum([length_of(first, last) for first, last in lost]))

    # -- what is missing -----------------------------------------------------------------------------------------

    def _turn_to_missing(self, now):
        """Set `_asked` to the next ID that may be missing; IDLE if there is none."""
        ranges = self.known.ranges
        while ranges:
            first, last = ranges[0]
            if self._begin != first:
                self._begin = self._at = first
                self._run = self._closed = self._gone_count = self._tries = 0
                self._beside = False
                if self.shared is not None:
                    self.shared.begin_range()
            if length_of(self._at, last):
                if self._turn_to_ours(self.shared, last) if self._shares else self._turn_to_next(last):
                    return
            elif not self._flush():
                self.wait_for_room(now)
                return
        self.phase = qs.PHASE_IDLE
        self._asked = self._walk.asked = 0  # IDs near the wrap are on the heap

    def _turn_to_next(self, last):
        """Ask for the next one; after many that are gone a walk from the end finds where the rest begins."""
        self.phase = qs.PHASE_FILL
        self._asked = self._at
        left = length_of(self._at, last)
        if is_open(self._at, last) or (self._run >= self._gone_most and left > self._gone_most):
            self.phase = qs.PHASE_WALK
            self._walk.begin(after(last), left, self._gone_most)
            self._asked = self._walk.asked
        return True

    def _turn_to_ours(self, shared, last):
        """The same where stations share the IDs, for ours alone; False at the end of a stretch."""
        if is_open(self._at, last) and length_of(1, self.known.top()):
            self._at = 1
        if not shared.in_stretch:
            shared.begin(self._at, length_of(self._at, last))
        self.phase = qs.PHASE_SEEK
        self._asked = shared.asked
        if shared.seeks:
            return True
        self.phase = qs.PHASE_FILL
        self._asked = number = shared.next_of_ours(self._at)
        shared.in_stretch = number >= 0
        self._at = number if number >= 0 else after(shared.last)
        if number < 0:
            self._closed = CLOSED_MOST
        return number >= 0

    def _hear_judged(self, judged):
        """An answer is not taken as it is, since all stations share the IDs, or may; return a NEWS_."""
        if judged == qs.JUDGED_NO_OWNER and not self.shared.is_proven:  # type: ignore[union-attr]
            self.begin_look()
        elif judged == qs.JUDGED_NO_OWNER:
            self.needs = "recover_revisions"
            self._switch_off()
            return qs.NEWS_NO_OWNER
        if judged == qs.JUDGED_SHARED:
            self.begin_look()
            self._shares = True
            self._gone_most = GONE_SHARED
        return qs.NEWS_NONE

    def _turn_or_close(self):
        """Ask the next spindle for the same ID, or close it: it is not gone. Return NEWS_NONE."""
        return qs.NEWS_NONE if self._turn_spindle() else self._close(False)

    def _close(self, gone):
        """Close the ID at `_at`: it is no longer missing. Return NEWS_NONE."""
        if gone:
            self._count_gone(self._at, self._at, 1)
        self._at = after(self._at)
        self._tries = 0
        self._spindle = 1
        self._there = False
        self._closed += 1
        return qs.NEWS_NONE

    def _hear_missing(self):
        """Take the one at `_at`; if that is the first of a run of pushes, close them all. Return a NEWS_."""
        is_others = self._shares and not self.shared.is_ours()  # type: ignore[union-attr]
        self.passed_over += is_others
        if is_others:
            return self._close(False)
        if self._run_last < 0 or self._spindles() > 1 or not same(self._answer, self._run_first):
            return qs.NEWS_STORE
        self._run = 0
        self._closed += length_of(self._at, self._run_last)
        self._at = self._run_last
        if self._doubts_run():
            self.known.doubted = 0
        self._run_last = -1
        return self._close(False)

    def _answered_beside(self):
        """The ID after the unanswered one is answered: that one gets a last try. Return NEWS_NONE."""
        self._beside = False
        self._tries = -1
        return qs.NEWS_NONE

    def _count_gone(self, first, last, count):
        if self._gone_count == 0:
            self._gone_first = first
        self._gone_last = last
        self._gone_count += count

    def _flush(self):
        """Write down how far the oldest range is closed; False if what is gone cannot be reported now."""
        ranges = self.known.ranges
        if not ranges or ranges[0][0] != self._begin or self._at == self._begin:
            self._closed = 0
            return True
        if self._gone_count and not self._tell(self._gone_first, self._gone_last, self._gone_count):
            self._closed = CLOSED_MOST
            return False
        self.known.close_up_to(self._at)
        self._begin = self._at  # the next range has its own
        self._closed = self._gone_count = 0
        self._save()  # else some are asked for again after a restart
        return True

    def _drop_range(self):
        """Write down how far the oldest range is closed; what cannot be saved is asked for again."""
        if not self._flush():
            self.known.doubt()

    def _save(self):
        if not self.known.state.save():
            self.not_saved += 1

    def _tell(self, first, last, count):
        """Count IDs that are gone, and append an event; False, and nothing counted, if there is no room."""
        known = self.known
        if self.gone is not None:
            is_reset = self._afresh and self._reset
            if not self.gone(first, last, count, known.gone() + count, known.epoch(), is_reset):
                return False
        known.count_gone(first, count)
        return True


assert _IDLE == qs.PHASE_IDLE and _OFF == qs.PHASE_OFF
