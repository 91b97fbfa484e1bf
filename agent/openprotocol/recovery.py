"""What was missed while nobody listened: asks the controller what it has, fetches the missing IDs, oldest first.

Sans I/O: asked what to fetch next (`want`) and told of every answer to MID 0064. What it concludes becomes known by
records of the log only (agent.openprotocol.known); everything here may be forgotten at any moment.

Rules (DIGEST D.6, on 003:6535-6557)
1. After each connect the newest is asked for (ID 0), then the highest ID known from before: it proves whether the
   controller still counts where it did. With another, later time it counts anew, and all its IDs from 1 on are missing;
   of these what is earlier than the last one before is not new. An old ID that is pushed with new values asks again.
2. The first time a controller is met only its newest ID is noted: what it made before is not ours.
3. Missing IDs are asked for one at a time, oldest first. Only 15 (gone) or the result itself closes one. Where there is
   no answer the same one is asked again; only if the next one is answered meanwhile, UNANSWERED_MOST times are enough.
4. In a large gap the way back from its newest end finds where it begins: WALK_GONE neighbours in a row that are gone.
5. One request at a time; the owner calls when no live result waits.
"""

from agent.base.compat import const
from agent.base.crc import crc30
from agent.base.fields import all_digits, compare, copy, fill
from agent.base.result import ID_BYTES, TIGHTENING_ID, TIME, TIME_BYTES, has_time
from agent.base.ticks import Timer
from agent.base.words import get_u32, pack_digits, put_u32
from agent.openprotocol import known as kn
from agent.openprotocol import replies
from agent.openprotocol.gaps import Gaps
from agent.openprotocol.ids import ID_PERIOD, id_of, is_ahead, put_id
from agent.spool.record import GAP_PAYLOAD, KIND_GAP

PHASE_IDLE = const(0)
PHASE_NEWEST = const(1)
PHASE_WITNESS = const(2)  # the highest ID known before this connection: does it mean the same result?
PHASE_PROBE = const(3)  # ID 0 is not answered there: ask for the next ID until one is gone
PHASE_WALK_BACK = const(4)
PHASE_FILL = const(5)
PHASE_OFF = const(6)
PHASE_NAMES = (
    "idle",
    "asking for the newest",
    "asking for the last known",
    "probing",
    "walking back",
    "filling",
    "off",
)

NEWS_NONE = const(0)
NEWS_STORE = const(1)  # the fetched result has to be stored
NEWS_RESET = const(2)  # the controller counts anew
NEWS_ASK_AGAIN = const(3)  # end the session: the next one tells whether this is another controller

_SAME = const(0)  # what the witness proves: the IDs mean what they meant
_UNKNOWN = const(1)  # it is not there any more
_ANEW = const(2)

NEWEST_LAG = const(16)  # an answer that crossed live results names one of the last few, and no later time
WALK_GONE = const(100)  # this many IDs in a row gone: nothing older is kept there
GONE_AT_ONCE = const(100)  # IDs that are gone are written down together, as many as this
UNANSWERED_MOST = const(5)


class Recovery:
    """Asks one controller for what is missing."""

    def __init__(self, ring, known, revisions=(2, 1), round_ids=500, retry_ms=30000, store_newest=False):
        self.ring = ring
        self.known = known
        self.revisions = revisions
        self.round_ids = round_ids
        self.retry_ms = retry_ms
        self.store_newest = store_newest
        self.revision_index = 0
        self.phase = PHASE_IDLE
        self.ask_id = bytearray(b"0" * ID_BYTES)  # what `want` wants fetched
        self.other = False  # the controller says that it is another one: trust no number
        self._newest = bytearray(ID_BYTES)  # what the controller called its newest
        self._newest_time = bytearray(TIME_BYTES)
        self._witness = bytearray(ID_BYTES)  # the highest ID known before this connection, and its time
        self._witness_time = bytearray(TIME_BYTES)
        self._has_witness = False
        self._epoch = 0  # when this connection began
        self._identity = 0
        self._doubts = False  # the witness was another result; it is heard twice
        self._named = 0  # an identity that was told once and not believed
        self._run_first = 0  # IDs from here on are gone, and that is not written down yet
        self._run = 0
        self._asked = 0  # where the way back stands
        self._gone_run = 0
        self._walked = -1  # the ID behind the gap that needs no way back any more
        self._unanswered = 0
        self._beside = False  # the ID behind the one that is not answered was asked for
        self._lagged = False  # the newest was one of the last few, not the last, when it was asked for before
        self._is_empty = False  # what is being written down is that there is no result
        self._postponed = False  # what is new has to be noted once there is room for one gap more
        self._online = False
        self._waiting = False  # for an answer
        self._stale = False  # that answer is to a question of no more interest
        self._retry = Timer()
        self._draft = Gaps()

    # -- the connection ----------------------------------------------------------------------------------------

    def opened(self, identity):
        """A session is ready: ask for the newest. `identity` is the 41 octets of the session; name not counted."""
        known = self.known
        memory = known.memory
        self._identity = crc30(identity, 31, 41, crc30(identity, 0, 6))
        doubts = kn.FLAG_LOOK | kn.FLAG_EMPTY
        self._has_witness = memory[kn.FLAGS] & (kn.FLAG_KNOWN | doubts) == kn.FLAG_KNOWN
        put_id(self._witness, known.top())
        self.other = self._has_witness and get_u32(memory, kn.IDENTITY) not in (0, self._identity)
        self._epoch = memory[kn.EPOCH]
        copy(self._witness_time, 0, memory, kn.TIME_KNOWN, TIME_BYTES)
        self._retry.stop()
        self._online = True
        self._unanswered = 0
        self._walked = -1
        self._doubts = False
        if known.enabled:
            self.phase = PHASE_NEWEST

    def closed(self):
        """The session is over; what is open stays open."""
        self.phase = PHASE_IDLE
        self._retry.stop()
        self._online = False
        self._waiting = False
        self._stale = False
        self._beside = False
        self._lagged = False
        self._postponed = False
        self._run = 0

    def look_again(self):
        """Something was stored that does not fit what is known: ask for the newest once more."""
        if self._online and self.known.enabled and self.phase != PHASE_OFF:
            self._stale = self._waiting
            self.phase = PHASE_NEWEST

    # -- asking ------------------------------------------------------------------------------------------------

    def open_ids(self):
        """Return how many IDs are missing."""
        return self.known.gaps.total()

    def seeks(self):
        """Tell whether something is to be asked for, now or later."""
        phase = self.phase
        if phase != PHASE_IDLE:
            return phase != PHASE_OFF
        return self.known.gaps.count > 0 or self.known.looks() or self._postponed

    def want(self, now):
        """Tell whether the ID in `ask_id` should be fetched now."""
        if self._retry.armed:
            if not self._retry.expired(now):
                return False
            self._retry.stop()
        if self.phase == PHASE_OFF or not self._online:
            return False
        phase = self._turn(now)
        if phase == PHASE_IDLE:
            return False
        if phase == PHASE_NEWEST:
            fill(self.ask_id, 0, ID_BYTES, 0x30)
        elif phase == PHASE_WITNESS:
            copy(self.ask_id, 0, self._witness, 0, ID_BYTES)
        elif phase == PHASE_PROBE:
            copy(self.ask_id, 0, self.known.expected, 0, ID_BYTES)
        elif phase == PHASE_WALK_BACK:
            put_id(self.ask_id, self._asked)
        self._waiting = True
        return True

    def wait_least(self, now, ms):
        """Return the ms until `want` may change its mind by time alone, or `ms` if that is less."""
        return self._retry.least(now, ms) if self._retry.armed else ms

    def revision(self):
        """Return the revision to ask in."""
        return self.revisions[self.revision_index]

    def makes_progress(self):
        """Tell whether missing IDs are being closed: a pushed result may wait for that."""
        return self._online and self.phase != PHASE_OFF and self._unanswered == 0

    def _turn(self, now):
        """Return the phase to ask in; PHASE_IDLE if nothing is to be asked for now."""
        while True:  # each turn closes a gap, or is the last one
            if self.phase == PHASE_IDLE and not self._begin_gap():
                if self.known.gaps.count or not (self.known.looks() or self._postponed):
                    return PHASE_IDLE
                self.phase = PHASE_NEWEST  # nothing is missing any more: what waited for that can be noted
            if self.phase != PHASE_FILL or self._next_missing(now):
                return self.phase
            if self.phase == PHASE_FILL:
                return PHASE_IDLE

    def _begin_gap(self):
        """Turn to the oldest gap; False if there is none."""
        gaps = self.known.gaps
        if gaps.count == 0 or not self.known.fetches():
            return False
        self._run = 0
        self._run_first = gaps.firsts[0]
        behind = (gaps.firsts[0] + gaps.counts[0]) % ID_PERIOD
        if gaps.counts[0] > self.round_ids and self._walked != behind:
            self._asked = (behind - 1) % ID_PERIOD or ID_PERIOD - 1
            self._gone_run = 0
            self.phase = PHASE_WALK_BACK
        else:
            self.phase = PHASE_FILL
        return True

    def _next_missing(self, now):
        """Set `ask_id` to the oldest missing ID that is not known to be gone; False if there is none in this gap."""
        gaps = self.known.gaps
        if gaps.count == 0 or gaps.firsts[0] != self._run_first:
            self._run = 0
            self.phase = PHASE_IDLE
            return False
        number = (self._run_first + self._run) % ID_PERIOD
        if number == 0:  # it cannot be asked for
            self._run += 1
            number = 1
        if self._run >= gaps.counts[0] or self._run >= GONE_AT_ONCE:
            if not self.flush():
                self._retry.start(now, self.retry_ms)
                return False
            return self._next_missing(now)
        if self._unanswered >= UNANSWERED_MOST:
            self._beside = not self._beside
            if self._beside:
                number = (number + 1) % ID_PERIOD or 1
        put_id(self.ask_id, number)
        return True

    # -- answers -----------------------------------------------------------------------------------------------

    def fetched(self, body, start, now):
        """Take the answer to what `want` asked for; returns a NEWS_. It may use the stage unless it is NEWS_STORE."""
        if self._is_stale():
            return NEWS_NONE
        at = start + TIGHTENING_ID
        phase = self.phase
        if not all_digits(body, at, ID_BYTES):
            self._again(now)
            return NEWS_NONE
        if phase == PHASE_NEWEST:
            copy(self._newest, 0, body, at, ID_BYTES)
            copy(self._newest_time, 0, body, start + TIME, TIME_BYTES)
            return self._learn_newest(now)
        if compare(body, at, self.ask_id, 0, ID_BYTES) != 0:
            self._again(now)  # an answer to another question
            return NEWS_NONE
        if phase == PHASE_WITNESS:
            later = self._is_later(body, start + TIME)
            if later and not self._doubts:
                self._doubts = True  # that much depends on it: once more
                return NEWS_NONE
            return self._note_newest(_ANEW if later else _SAME, now)
        self._answered()
        if phase == PHASE_WALK_BACK:
            self._gone_run = 0
            self._walk_on(now)
            return NEWS_NONE
        if phase == PHASE_FILL and self._beside:
            self._run += 1  # the one in front of it is never answered
            self._beside = False
            return NEWS_NONE
        if self.known.looks() and has_time(body, start) and self.known.is_earlier(body, start):
            if not self.kept(kn.CLOSED_KEPT):  # of the time before the IDs began anew
                self.wait_for_room(now)
            return NEWS_NONE
        # It may have been pushed while the answer was on its way.
        number = id_of(body, at)
        if phase == PHASE_PROBE:
            return NEWS_STORE if is_ahead(number, self.known.top()) else NEWS_NONE
        return NEWS_STORE if self.known.gaps.holding(number) >= 0 else NEWS_NONE

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
            self._nothing_there(now)
        elif self.phase == PHASE_WITNESS:
            # Deleted as too old, or one that the controller has not used since it began anew: the way back tells.
            return self._note_newest(_UNKNOWN, now)
        else:
            self._answered()
            if self.phase == PHASE_PROBE:
                self._probed(now)
            elif self.phase == PHASE_WALK_BACK:
                self._gone_run += 1
                self._walk_on(now)
            elif self.phase == PHASE_FILL:
                self._run += 1
                self._beside = False
        return NEWS_NONE

    def silent(self, now):
        """No answer, no room, or an answer that may change: the ID stays open and is asked for again later."""
        if not self._is_stale():
            self._again(now)

    def keeps_answer(self):
        """Tell whether what is answered now is to be stored, readable or not."""
        return not self._stale and (self.phase == PHASE_PROBE or (self.phase == PHASE_FILL and not self._beside))

    def wait_for_room(self, now):
        """What was fetched could not be kept: it is asked for again."""
        self._retry.start(now, self.retry_ms)

    def kept(self, why):
        """The log keeps what was asked for, though not as a result under its ID: close that; False if it could not."""
        return self._close(id_of(self.ask_id, 0), 1, why)

    def flush(self):
        """Write down which IDs are gone, as one range; False if that could not be."""
        run = self._run
        if run == 0:
            return True
        gaps = self.known.gaps
        if gaps.count == 0 or gaps.firsts[0] != self._run_first:  # somebody has closed them meanwhile
            self._run = 0
            return True
        if not self._close(self._run_first, run if run < gaps.counts[0] else gaps.counts[0], kn.CLOSED_GONE):
            return False
        self._run = 0
        if gaps.count:
            self._run_first = gaps.firsts[0]
        return True

    # -- steps -------------------------------------------------------------------------------------------------

    def _is_stale(self):
        stale = self._stale
        self._waiting = False
        self._stale = False
        return stale

    def _answered(self):
        self._unanswered = 0

    def _again(self, now):
        self._unanswered += 1
        self._retry.start(now, self.retry_ms)

    def _close(self, number, length, why):
        ring = self.ring
        at = ring.begin(KIND_GAP, GAP_PAYLOAD) if ring.has_spare() else -1
        if at < 0:
            return False
        stage = ring.stage
        stage[at] = self.known.memory[kn.EPOCH]
        stage[at + 1] = why
        stage[at + 2] = stage[at + 3] = 0
        digits = bytearray(ID_BYTES)
        put_id(digits, number)
        copy(stage, at + 4, digits, 0, ID_BYTES)
        put_id(digits, (number + length - 1) % ID_PERIOD)
        copy(stage, at + 14, digits, 0, ID_BYTES)
        return ring.commit(KIND_GAP, 0, GAP_PAYLOAD) == 0

    def _walk_on(self, now):
        """Go one ID back, or end the way and write down what lies in front of its end."""
        gaps = self.known.gaps
        if gaps.count == 0:
            self.phase = PHASE_IDLE
            return
        first = gaps.firsts[0]
        before = (self._asked - first) % ID_PERIOD
        if before >= gaps.counts[0]:  # what was pushed meanwhile has split the gap
            self.phase = PHASE_IDLE
            return
        back = 1 if self._asked != 1 else 2  # 0 cannot be asked for
        if self._gone_run < WALK_GONE and before >= back:
            self._asked = (self._asked - back) % ID_PERIOD
            return
        self.phase = PHASE_FILL
        self._run_first = first
        self._run = before if self._gone_run >= WALK_GONE else 0
        self._walked = (first + gaps.counts[0]) % ID_PERIOD
        if not self.flush():
            self.wait_for_room(now)  # what could not be written down is asked for again

    def _is_later(self, buf, at):
        """Tell whether the time at buf[at:] is later than anything from before this connection; none is not."""
        before = self._witness_time
        return before[2] != 0 and compare(buf, at, before, 0, TIME_BYTES) > 0  # a month: else nothing is known

    # -- what the controller has -------------------------------------------------------------------------------

    def _learn_newest(self, now):
        """The newest is known: go on from it, or see first whether the IDs still mean the same."""
        self._answered()
        if not self._has_witness or self.known.memory[kn.EPOCH] != self._epoch or self.known.looks():
            return self._note_newest(_SAME, now)  # there is no witness, or it was heard
        newest = id_of(self._newest, 0)
        witness = id_of(self._witness, 0)
        if witness and not is_ahead(newest, witness) and self._is_later(self._newest_time, 0):
            return self._note_newest(_ANEW, now)
        if newest != self.known.top() and not is_ahead(newest, self.known.top()):
            if compare(self._newest_time, 0, self.known.memory, kn.TIME_KNOWN, TIME_BYTES) > 0:
                return self._note_newest(_ANEW, now)
            if (self.known.top() - newest) % ID_PERIOD <= NEWEST_LAG:
                return self._note_newest(_SAME, now)
            fill(self._witness_time, 0, TIME_BYTES, 0)  # the times prove nothing: only the log tells what is stored
            return self._note_newest(_ANEW, now)
        if is_ahead(newest, witness):
            if witness == 0:  # to ask for 0 is to ask for the newest
                return self._note_newest(_SAME, now)
            self.phase = PHASE_WITNESS
            return NEWS_NONE
        return self._note_newest(_SAME, now)

    def _note_newest(self, evidence, now):
        """Write down what the controller has beyond what is known, and that it is this controller."""
        known = self.known
        memory = known.memory
        newest = id_of(self._newest, 0)
        top = known.top()
        met = memory[kn.FLAGS] & kn.FLAG_KNOWN
        if memory[kn.EPOCH] != self._epoch:
            evidence = _SAME  # a pushed result has told of it meanwhile
        beyond = not met or known.is_beyond(newest)
        told = get_u32(memory, kn.IDENTITY) == self._identity and not memory[kn.FLAGS] & kn.FLAG_NO_FETCH
        settled = known.looks() and known.gaps.count == 0
        if settled and not beyond and newest != top and evidence == _SAME:
            lag = (top - newest) % ID_PERIOD
            if lag <= NEWEST_LAG and not self._lagged:
                self._lagged = True  # it may have crossed live results
                self._retry.start(now, self.retry_ms)
                return NEWS_NONE
            evidence = _ANEW  # once more, while the IDs of the first time were looked through
        self._lagged = False
        beyond = beyond or (settled and newest == top)
        if evidence == _SAME and not beyond and told and not settled:
            self._at_rest()
            return NEWS_NONE
        if self.other and evidence == _UNKNOWN and self._named != self._identity:
            self._named = self._identity  # another controller, if it says so once more: one frame may be spoiled
            self.phase = PHASE_OFF
            return NEWS_ASK_AGAIN
        if met and self._has_to_wait(evidence, beyond, known.first_missing(newest)):
            self._at_rest()
            self._postponed = True
            return NEWS_NONE
        return self._write_newest(evidence, beyond, settled, now)

    def _write_newest(self, evidence, beyond, settled, now):
        """Make it durable; returns a NEWS_."""
        known = self.known
        newest = id_of(self._newest, 0)
        top = known.top()
        met = known.memory[kn.FLAGS] & kn.FLAG_KNOWN
        ring = self.ring
        at = ring.begin_memory() if ring.has_spare() else -1
        if at < 0:
            self._retry.start(now, self.retry_ms)
            return NEWS_NONE
        draft = self._draft
        draft.load(ring.stage, at + kn.GAPS)
        anew = evidence == _ANEW or (evidence == _UNKNOWN and self.other)
        gone = 0
        if not met or (self.other and evidence == _UNKNOWN):
            gone = draft.clear()  # what it made before it was met is not ours
            if self.store_newest and newest:
                draft.open(newest, 1)
            beyond = True
        elif evidence != _SAME:
            gone = self._begin_anew(draft, newest, top)
            beyond = True
        elif newest != top and beyond:
            first = known.first_missing(newest)
            gone = draft.open(first, (newest - first + 1) % ID_PERIOD)
        if settled:
            ring.stage[at + kn.FLAGS] &= ~kn.FLAG_LOOK & 0xFF
        self._put(ring.stage, at, beyond, gone, anew)
        if met and evidence != _SAME and draft.count:
            self._put_doubt(ring.stage, at)
        draft.write(ring.stage, at + kn.GAPS)
        if ring.commit_memory() != 0:
            self._retry.start(now, self.retry_ms)
            return NEWS_NONE
        self._at_rest()
        return NEWS_RESET if anew else NEWS_NONE

    def _at_rest(self):
        """What the controller has is written down, or was known."""
        self.phase = PHASE_IDLE
        self.other = False
        self._postponed = False

    def _has_to_wait(self, evidence, beyond, first):
        """Tell whether what is missing is to be fetched first, before more is noted, from the ID `first` on."""
        gaps = self.known.gaps
        if not self.known.fetches() or self.other:
            return False
        if evidence == _UNKNOWN:  # what is missing is earlier than the latest time: no look at times would find it new
            return gaps.count > 0
        return evidence == _SAME and beyond and not gaps.fits(first) and self.makes_progress()

    def _begin_anew(self, draft, newest, top):
        """The IDs up to the witness may mean other results now; returns how many of those before are gone."""
        witness = id_of(self._witness, 0)
        if not is_ahead(newest, top) and newest != top:
            gone = draft.clear()
            return gone + draft.open(1, newest) if newest else gone
        gone = draft.put_below(1, witness) if witness else 0
        if is_ahead(newest, top):
            gone += draft.open((top + 1) % ID_PERIOD, (newest - top) % ID_PERIOD)
        return gone

    def _put(self, stage, at, takes_newest, gone, anew):
        """Change the copy of the memory that begins at stage[at]."""
        stage[at + kn.FLAGS] = (stage[at + kn.FLAGS] | kn.FLAG_KNOWN) & ~kn.FLAG_NO_FETCH & 0xFF
        if takes_newest:
            stage[at + kn.FLAGS] &= ~kn.FLAG_EMPTY & 0xFF
        if self._is_empty:
            stage[at + kn.FLAGS] |= kn.FLAG_EMPTY
        put_u32(stage, at + kn.IDENTITY, self._identity)
        kn.add_gone(stage, at + kn.GONE, gone)
        if anew:
            stage[at + kn.EPOCH] = (stage[at + kn.EPOCH] + 1) & 0xFF
        if takes_newest:
            pack_digits(stage, at + kn.TOP, self._newest, 0, ID_BYTES)
            looks = stage[at + kn.FLAGS] & kn.FLAG_LOOK
            if not looks and compare(self._newest_time, 0, stage, at + kn.TIME_KNOWN, TIME_BYTES) > 0:
                copy(stage, at + kn.TIME_KNOWN, self._newest_time, 0, TIME_BYTES)

    def _put_doubt(self, stage, at):
        """What is fetched from now on may be stored: that is seen by its time, or by the log."""
        stage[at + kn.FLAGS] |= kn.FLAG_LOOK
        if self.known.gaps.count:  # some of these were missing before, whatever their time
            fill(stage, at + kn.TIME_KNOWN, TIME_BYTES, 0)
        else:
            copy(stage, at + kn.TIME_KNOWN, self._witness_time, 0, TIME_BYTES)

    def _nothing_there(self, now):
        """There are no results, or ID 0 is not known there."""
        self._answered()
        flags = self.known.memory[kn.FLAGS]
        if flags & kn.FLAG_EMPTY:
            self._at_rest()
            return
        if flags & kn.FLAG_KNOWN:
            self.phase = PHASE_PROBE
            return
        # Met while empty: whatever it has from now on is ours.
        fill(self._newest, 0, ID_BYTES, 0x30)
        fill(self._newest_time, 0, TIME_BYTES, 0)
        self._is_empty = True
        self._note_newest(_SAME, now)
        self._is_empty = False

    def _probed(self, now):
        """There is nothing above what is known: nor is there anything left to look for."""
        known = self.known
        if known.looks() and known.gaps.count == 0:
            at = self.ring.begin_memory()
            if at >= 0:
                self.ring.stage[at + kn.FLAGS] &= ~kn.FLAG_LOOK & 0xFF
            if at < 0 or self.ring.commit_memory() != 0:
                self._again(now)
                return
        self._at_rest()

    def _switch_off(self, now):
        """This controller knows no MID 0064: nothing that is missing can be had."""
        ring = self.ring
        at = ring.begin_memory() if ring.has_spare() else -1
        if at < 0:
            self._retry.start(now, self.retry_ms)
            return
        stage = ring.stage
        draft = self._draft
        draft.load(stage, at + kn.GAPS)
        kn.add_gone(stage, at + kn.GONE, draft.clear())
        draft.write(stage, at + kn.GAPS)
        stage[at + kn.FLAGS] |= kn.FLAG_NO_FETCH
        put_u32(stage, at + kn.IDENTITY, self._identity)
        if ring.commit_memory() == 0:
            self.phase = PHASE_OFF
        else:
            self._retry.start(now, self.retry_ms)
