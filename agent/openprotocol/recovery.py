"""What was missed while nobody listened: asks the controller what it has, fetches the missing IDs, oldest first.

Sans I/O: asked what to fetch next (`want`) and told of every answer to MID 0064. What it concludes becomes known by
records of the log only (agent.openprotocol.known); everything here may be forgotten at any moment.

Rules
1. First what the controller has is learnt (agent.openprotocol.newest), then what is missing is fetched
   (agent.openprotocol.missing).
2. One request at a time; the owner calls when no live result waits.
3. Where ID 0 is not answered, the IDs above all that are known are tried once nothing below them is missing.
"""

from agent.base.crc import crc30
from agent.base.fields import all_digits, compare, copy, fill, is_blank
from agent.openprotocol import known as kn
from agent.openprotocol import replies
from agent.openprotocol.identity import SHARED_SYSTEM, STATION, STATION_BYTES
from agent.openprotocol.ids import id_of, is_ahead, put_id
from agent.openprotocol.missing import PATIENCE_MS
from agent.openprotocol.newest import Newest
from agent.openprotocol.questions import (
    NEWS_AGAIN,
    NEWS_GO_ON,
    NEWS_GONE,
    NEWS_NO_OWNER,
    NEWS_NONE,
    NEWS_STORE,
    PHASE_FILL,
    PHASE_IDLE,
    PHASE_KEPT,
    PHASE_NEWEST,
    PHASE_OFF,
    PHASE_OLDEST,
    PHASE_PROBE,
    PHASE_SEEK,
    PHASE_WALK_BACK,
    PHASE_WITNESS,
    SHARING_AUTO,
)
from agent.openprotocol.untold import FLAG_UNTOLD, UNTOLD_AT
from agent.record.result import ID_BYTES, TIGHTENING_ID, has_time


class Recovery(Newest):
    """Asks one controller for what is missing."""

    def __init__(self, ring, known, revisions=(2, 1), round_ids=500, retry_ms=30000, store_newest=False):
        Newest.__init__(self, ring, known, round_ids, retry_ms, store_newest)
        self.revisions = revisions
        self.revision_index = 0
        self.sharing = SHARING_AUTO
        self._may_share = False  # without a station of its own named, all the same
        self._waiting = False  # for an answer
        self._stale = False  # that answer is to a question of no more interest

    # -- the connection ----------------------------------------------------------------------------------------

    def opened(self, identity, system_type=0, now=0):
        """A session is ready: ask for the newest. `identity` is the 51 octets of the session; name not counted."""
        self._identity = crc30(identity, 31, 41, crc30(identity, 0, 6))
        before = self.shared
        self.shared = None
        self._may_share = system_type == SHARED_SYSTEM
        if not is_blank(identity, STATION, STATION_BYTES):
            from agent.openprotocol.shared import meet  # only where the controller names our station

            self.shared = meet(identity, system_type, self.sharing, self.known, self.ring, before)
        if self.shared is not None:
            self._identity = crc30(identity, STATION, STATION + STATION_BYTES, self._identity)
            self.revisions = self.shared.ordered(self.revisions)
        if self.claim is not None:
            self.claim.opened()
        if self._empty_of == self._identity and not self.known.memory[kn.FLAGS] & kn.FLAG_KNOWN:
            self._note_empty(now)  # the log could not say it before; what the controller has made since is ours
        self._choose_witness()
        self.known.covered = False
        self.known.deferred = []
        self.known.unheard = -1
        self._retry.stop()
        self._online = True
        self._unanswered = 0
        if self.known.enabled:
            self.phase = PHASE_NEWEST

    def closed(self):
        """The session is over; what is open stays open."""
        if self.phase == PHASE_SEEK:
            self.shared.stretch.break_off()  # type: ignore[union-attr] - else there is no such phase
        self.phase = PHASE_IDLE
        self._retry.stop()
        self._lacks_room = False
        self._online = False
        self.known.covered = False
        self._waiting = False
        self._stale = False
        self._beside = False
        self._last_try = -1
        self._postponed = self._below_first = False
        self._run = 0

    def look_again(self):
        """Something was stored that does not fit what is known: ask for the newest once more."""
        if self._online and self.known.enabled and self.phase != PHASE_OFF:
            self._stale = self._waiting
            self.phase = PHASE_NEWEST

    def postpones(self, now):
        """Tell whether a push is left for later. It may never come again: then the newest is asked for.

        Not for ever: a controller may end each connection in which that is not acknowledged, before anything is proven.
        """
        if not self.makes_progress(now) or (self._left_at == self.ring.number and self._left.expired(now)):
            return False
        self._postponed = True
        if self._left_at != self.ring.number:
            self._left_at = self.ring.number
            self._left.start(now, PATIENCE_MS)
        return True

    # -- asking ------------------------------------------------------------------------------------------------

    def seeks(self):
        """Tell whether something is to be asked for, now or later."""
        phase = self.phase
        if self.known.memory[UNTOLD_AT] & FLAG_UNTOLD:
            return True  # to be told, at least (agent.gone)
        if phase != PHASE_IDLE:
            return phase != PHASE_OFF
        return self.known.gaps.count > 0 or self.known.looks() or self._postponed

    def want(self, now):
        """Tell whether the ID in `ask_id` should be fetched now."""
        if self._retry.armed:
            if not self._retry.expired(now):
                return False
            self._retry.stop()
            if self._lacks_room and not self.ring.has_spare():  # the same answer once more would change nothing
                self.wait_for_room(now)
                return False
            self._lacks_room = False
        if self.phase == PHASE_OFF or not self._online:
            return False
        if not self._is_decided():
            self.wait_for_room(now)
            return False
        phase = self._turn(now)
        if phase == PHASE_IDLE:
            return False
        if phase == PHASE_NEWEST:
            fill(self.ask_id, 0, ID_BYTES, 0x30)
        elif phase == PHASE_WITNESS:
            copy(self.ask_id, 0, self.witness, 0, ID_BYTES)
            if self._rung >= 0:
                put_id(self.ask_id, self._rung)
        elif phase == PHASE_PROBE:
            copy(self.ask_id, 0, self.known.expected, 0, ID_BYTES)
        elif phase == PHASE_WALK_BACK:
            put_id(self.ask_id, self._asked)
        elif phase == PHASE_OLDEST:
            put_id(self.ask_id, self.claim.asked)  # type: ignore[union-attr] - else there is no such phase
        elif phase == PHASE_SEEK:
            put_id(self.ask_id, self.shared.stretch.asked)  # type: ignore[union-attr] - else there is no such phase
        self._waiting = True
        return True

    def wait_least(self, now, ms):
        """Return the ms until `want` may change its mind by time alone, or `ms` if that is less."""
        return self._retry.least(now, ms) if self._retry.armed else ms

    def revision(self):
        """Return the revision to ask in."""
        return self.revisions[self.revision_index]

    def _is_decided(self):
        """Tell whether what is to be believed about shared IDs is written down; False if it could not be yet.

        A controller that names no station has none to share with: a spoiled answer said so, or another controller. One
        of system type 003 may have: there nothing is fetched until it names ours again.
        """
        if self.shared is not None:
            return self.shared.is_decided()
        if not self.known.shares() or self._may_share:
            return True
        at = self.ring.begin_memory() if self.ring.has_spare() else -1
        if at < 0:
            return False
        self.ring.stage[at + kn.FLAGS] &= ~kn.FLAG_SHARED & 0xFF
        return self.ring.commit_memory() == 0

    def _turn(self, now):
        """Return the phase to ask in; PHASE_IDLE if nothing is to be asked for now."""
        if self._is_over():
            if self._heard and not self._close(self._heard_first, self._heard, kn.CLOSED_KEPT):
                self.wait_for_room(now)
                return PHASE_IDLE
            self._turn_to_new_count()
        if self.phase == PHASE_PROBE and self.known.gaps.count:
            self.phase = PHASE_IDLE  # what is missing below what is known comes first
            self._postponed = True
        self._look_at_claim()
        while True:  # each turn closes a gap, or is the last one
            if self._below_first and self.phase == PHASE_IDLE and not self._is_missing_in_front():
                self.phase = PHASE_NEWEST  # what is above may follow others that are not known to be missing yet
            if self.phase == PHASE_IDLE and not self._begin_gap():
                if self.known.gaps.count or not (self.known.looks() or self._postponed):
                    return PHASE_IDLE
                self.phase = PHASE_NEWEST  # nothing is missing any more: what waited for that can be noted
            if self.phase != PHASE_FILL or self._next_missing(now):
                return self.phase
            if self.phase == PHASE_FILL:
                return PHASE_IDLE

    def _turn_to_new_count(self):
        """A push has begun it: what it has come to since is all that is left to ask for."""
        self._epoch = self.known.memory[kn.EPOCH]
        self._shown = True
        self._held_to = -1
        self._has_witness = False
        self._top = self.known.top()
        self._run = 0
        self._walk = self._walked = -1
        self.phase = PHASE_NEWEST

    # -- answers -----------------------------------------------------------------------------------------------

    def fetched(self, body, start, now):
        """Take the answer to what `want` asked for; returns a NEWS_. It may use the stage unless it is NEWS_STORE."""
        if self._is_stale() or self._cannot_compare(now):
            return NEWS_NONE
        at = start + TIGHTENING_ID
        phase = self.phase
        if not all_digits(body, at, ID_BYTES):
            self._again(now)
            return NEWS_NONE
        order = compare(body, at, self.ask_id, 0, ID_BYTES) if phase != PHASE_NEWEST else 0
        if self.shared is not None:
            news = self._hear_shared(id_of(body, at), order, now)
            if news != NEWS_GO_ON:
                return news
        if phase == PHASE_NEWEST:
            return self._hear_newest(body, start, now)
        if order != 0:
            self._again(now)  # an answer to another question
            return NEWS_NONE
        if phase == PHASE_WITNESS:
            return self._hear_witness(body, start, now)
        self._answered()
        if phase == PHASE_WALK_BACK or phase == PHASE_OLDEST:
            self._is_there(now)
            return NEWS_NONE
        if phase == PHASE_FILL and self._beside:
            self._answered_beside()
            return NEWS_NONE
        if phase == PHASE_FILL and self._is_made_since(body, start):
            self._doubt_all(body, start)
            return NEWS_NONE
        if self.known.looks() and has_time(body, start) and self.known.is_earlier(body, start):
            if not self.kept(kn.CLOSED_KEPT):  # of the time before the IDs began anew
                self.wait_for_room(now)
            return NEWS_NONE
        # It may have been pushed while the answer was on its way.
        number = id_of(body, at)
        is_new = is_ahead(number, self.known.top()) if phase == PHASE_PROBE else self.known.gaps.holding(number) >= 0
        return NEWS_STORE if is_new else NEWS_NONE

    def refused(self, kind, now):
        """Take a refusal of the REFUSED_ class `kind`; returns a NEWS_."""
        if self._is_stale():
            return NEWS_NONE
        if kind == replies.REFUSED_REVISION and self.revision_index + 1 < len(self.revisions):
            self.revision_index += 1
        elif kind == replies.REFUSED_REVISION or kind == replies.REFUSED_NEVER:
            self.revision_index = 0
            self._switch_off(now)
        elif kind != replies.REFUSED_GONE:
            self._again(now)
        elif self.phase == PHASE_NEWEST:
            return self._nothing_there(now)
        else:
            return self._gone(now)
        return NEWS_NONE

    def silent(self, now):
        """No answer, no room, or an answer that may change: the ID stays open and is asked for again later."""
        if not self._is_stale():
            self._again(now)

    def hear_kept(self, buf, at, length, mid):
        """Take the answer to what PHASE_KEPT has asked; none (`mid` 0) is one as well."""
        if mid:
            self.claim.hear(self, buf, at, length, mid)  # type: ignore[union-attr]
        if not self._is_stale() and self.phase == PHASE_KEPT:
            self.phase = PHASE_IDLE

    def keeps_answer(self):
        """Tell whether what is answered now is to be stored, readable or not."""
        return not (self._stale or self._is_over()) and (
            self.phase == PHASE_PROBE or (self.phase == PHASE_FILL and not self._beside)
        )

    def _gone(self, now):
        """The controller has the result that was asked for no more, or has none of ours there; returns a NEWS_."""
        if self.phase == PHASE_WITNESS:
            return self._lose_witness(now)
        self._answered()
        if self.phase == PHASE_PROBE:
            self._probed(now)
        elif self.phase == PHASE_WALK_BACK:
            self._gone_run += 1
            self._walk_on(now)
        elif self.phase == PHASE_SEEK:
            self.phase = PHASE_FILL
        elif self.phase == PHASE_OLDEST:
            self.phase = self.claim.proves(self, False)  # type: ignore[union-attr] - else there is no such phase
        elif self.phase == PHASE_FILL:
            if self._beside:
                self._answered_beside()
            elif not self.known.shares():
                self._run += 1
            elif not self.flush() or not self.kept(kn.CLOSED_GONE):
                self.wait_for_room(now)
        return NEWS_NONE

    def _hear_shared(self, number, order, now):
        """Where our station is named: returns a NEWS_, NEWS_GO_ON if the answer is to be taken like any other."""
        shared = self.shared
        shares = self.known.shares()
        news = shared.hear(self.phase, number, order)  # type: ignore[union-attr] - the caller has looked
        if news == NEWS_GONE:
            return self._gone(now)
        if news == NEWS_AGAIN:
            self._again(now)
        elif news == NEWS_NO_OWNER:
            self.phase = PHASE_OFF
            return news
        elif news == NEWS_NONE:
            self._answered()
            if not shares and (self.phase == PHASE_FILL or self.phase == PHASE_WALK_BACK):
                self.phase = PHASE_IDLE  # what is missing is looked through anew
        return NEWS_NONE if news == NEWS_AGAIN else news

    def _is_stale(self):
        stale = self._stale or self._is_over()
        self._waiting = False
        self._stale = False
        return stale
