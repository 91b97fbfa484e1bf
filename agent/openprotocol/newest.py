"""What a controller has beyond what is known, and whether its IDs still mean what they meant.

Rules (DIGEST D.6, on 003:6535-6557)
1. After each connect the newest is asked for (ID 0), then the witness: the highest ID known from before. It proves
   whether the controller still counts where it did. With another, later time it counts anew, and all its IDs from 1 on
   are missing; of these what is earlier than the last one before is not new. A push that shows the same leaves what is
   above it to be asked for. Other values at the same time show it as well, or that only one of the two can be read,
   or other octets where none can.
2. While IDs that count anew are looked through the witness is the last ID in front of all that is missing: what is
   earlier than the former life's latest, or lies in the log, is the same. Where it cannot be had, one before it serves,
   at last the highest ID stored; where the log has lost it, the oldest one there. A newest below that tells without it.
3. The first time a controller is met only its newest ID is noted: what it made before is not ours.
"""

from agent.base.compat import const
from agent.base.fields import compare, copy, fill
from agent.base.words import get_u32, pack_digits, put_u32
from agent.openprotocol import known as kn
from agent.openprotocol.gaps import GAP_IDS_MAX, GAPS_MAX, Gaps
from agent.openprotocol.ids import ID_PERIOD, id_of, is_ahead, put_id
from agent.openprotocol.missing import WALK_GONE
from agent.openprotocol.questions import (
    NEWEST_LAG,
    NEWS_ASK_AGAIN,
    NEWS_NONE,
    NEWS_RESET,
    PHASE_IDLE,
    PHASE_NEWEST,
    PHASE_OFF,
    PHASE_PROBE,
    PHASE_WITNESS,
)
from agent.openprotocol.witness import Witness
from agent.record.result import ID_BYTES, TIME_BYTES, has_time

_SAME = const(0)  # what the witness proves: the IDs mean what they meant
_UNKNOWN = const(1)  # it is not there any more
_ANEW = const(2)


class Newest(Witness):
    """What one controller has, as far as it says so."""

    def __init__(self, ring, known, round_ids, retry_ms, store_newest):
        Witness.__init__(self, ring, known, round_ids, retry_ms)
        self.store_newest = store_newest
        self._named = 0  # an identity that was told once and not believed
        self._is_empty = False  # what is being written down is that there is no result
        self._postponed = False  # what is new has to be noted once there is room for one gap more
        self._draft = Gaps()
        self._empty_of = -1  # a controller that was found to be empty before it was met

    # -- the answers -------------------------------------------------------------------------------------------

    def _hear_newest(self, body, start, now):
        """The newest is the result at body[start:]; returns a NEWS_."""
        self._take_newest(body, start)
        news = self._learn_newest(body, start, now)
        if self._shown and news == NEWS_NONE:
            self._shown = False
            news = NEWS_RESET
        return news

    def _learn_newest(self, body, start, now):
        """Go on from the newest, or see first whether the IDs still mean the same."""
        self._unanswered = 0
        if not self._has_witness or self._is_anew:  # there is none, or it was heard, or another result tells
            return self._note_newest(_ANEW if self._has_witness else _SAME, now)
        newest = id_of(self._newest, 0)
        witness = id_of(self.witness, 0)
        looks = self.known.looks()
        if looks:
            if is_ahead(self._top, newest):
                return self._conclude(True, now)
            if is_ahead(witness, self._top):
                witness = 0
        elif witness and not is_ahead(newest, witness) and self._is_later(self._newest_time, 0):
            return self._note_newest(_ANEW, now)
        elif newest == witness and self._is_another(body, start):
            return self._conclude(True, now)
        elif newest != self.known.top() and not is_ahead(newest, self.known.top()):
            order = compare(self._newest_time, 0, self.known.memory, kn.TIME_KNOWN, TIME_BYTES)
            # A newest below all that was known before this connection has crossed nothing.
            if order > 0 or (order == 0 and is_ahead(self._top, newest) and not self._is_stored(body, start)):
                return self._note_newest(_ANEW, now)
            if (self.known.top() - newest) % ID_PERIOD > NEWEST_LAG or not self._newest_time[2]:  # a month: it was read
                fill(self._witness_time, 0, TIME_BYTES, 0)  # the times prove nothing: only the log tells what is stored
                return self._note_newest(_ANEW, now)
            if not self._is_older:
                return self._note_newest(_SAME, now)
        if witness and (looks or is_ahead(newest, witness)):  # to ask for 0 is to ask for the newest
            self.phase = PHASE_WITNESS
            return NEWS_NONE
        self._has_witness = False  # the newest was it, or none serves
        return self._note_newest(_SAME, now)

    def _hear_witness(self, body, start, now):
        """The result under the witness's ID: is it the one that was known?"""
        if self._rung >= 0:
            self._look_at_rung(body, start)
            return self._lose_witness(now)
        if not self.known.looks():
            another = self._is_another(body, start)
        elif not has_time(body, start):
            return self._lose_witness(now)
        else:
            another = self._is_of_another_count(body, start)
            if another is None:
                return NEWS_NONE
        return self._conclude(another or self._is_anew, now)

    def _conclude(self, another, now):
        """The IDs mean other results than they did, or they do not."""
        self._doubts = another and not self._doubts
        if self._doubts:
            return NEWS_NONE  # that much depends on it: once more
        self._is_anew = another
        self._has_witness = another or not self.known.looks()
        return self._note_newest(_ANEW if another else _SAME, now)

    def _lose_witness(self, now):
        """Deleted as too old, or one that the controller has not used since it began anew: the way back tells.

        While that is looked through the one before it may serve, at last the highest one that is stored.
        """
        if not self.known.looks():
            return NEWS_NONE if self._rise() else self._note_newest(_UNKNOWN, now)
        number = id_of(self.witness, 0)
        number -= self._steps_back + 1 if number == self._back_from else 1
        self._steps_back += 1
        if number > 0 and self._steps_back < WALK_GONE and self.known.gaps.holding(number) < 0:
            put_id(self.witness, number)
            return NEWS_NONE
        if self._turn_to_top():
            return NEWS_NONE
        self._has_witness = False
        return self._note_newest(_SAME, now)

    # -- what is written down ----------------------------------------------------------------------------------

    def _note_newest(self, evidence, now):
        """Write down what the controller has beyond what is known, and that it is this controller."""
        known = self.known
        memory = known.memory
        newest = id_of(self._newest, 0)
        top = known.top()
        if evidence != _SAME:
            newest = self._shown_last(newest)
            put_id(self._newest, newest)
        met = memory[kn.FLAGS] & kn.FLAG_KNOWN
        beyond = not met or known.is_beyond(newest)
        told = get_u32(memory, kn.IDENTITY) == self._identity and not memory[kn.FLAGS] & kn.FLAG_NO_FETCH
        settled = known.looks() and known.gaps.count == 0
        if settled and not beyond and newest != top and evidence == _SAME:
            if not is_ahead(self._top, newest):  # it has crossed live results: the next one may not
                self.phase = PHASE_NEWEST
                self.wait_for_room(now)
                return NEWS_NONE
            evidence = _ANEW  # once more, while the IDs of the first time were looked through
        beyond = beyond or (settled and newest == top)
        if evidence == _SAME and not beyond and told and not settled:
            self._at_rest()
            return NEWS_NONE
        if self.other and evidence == _UNKNOWN and self._named != self._identity:
            self._named = self._identity  # another controller, if it says so once more: one frame may be spoiled
            self.phase = PHASE_OFF
            return NEWS_ASK_AGAIN
        if met and self._has_to_wait(evidence, beyond, known.first_missing(newest), now):
            kept = self.doubt, self._below_first  # the same question comes again, in another connection perhaps
            self._at_rest()
            if evidence != _SAME:
                self.doubt, self._below_first = kept
            self._postponed = True
            known.covered = False
            return NEWS_NONE
        return self._write_newest(evidence, beyond, settled, now)

    def _note_empty(self, now):
        """Met while empty: whatever it has from now on is ours."""
        fill(self._newest, 0, ID_BYTES, 0x30)
        fill(self._newest_time, 0, TIME_BYTES, 0)
        self._is_empty = True
        self._note_newest(_SAME, now)
        self._is_empty = False

    def _write_newest(self, evidence, beyond, settled, now):
        """Make it durable; returns a NEWS_."""
        ring = self.ring
        at = ring.begin_memory() if ring.has_spare() else -1
        if at < 0:
            self.wait_for_room(now)
            return NEWS_NONE
        known = self.known
        met = known.memory[kn.FLAGS] & kn.FLAG_KNOWN
        draft = self._draft
        draft.load(ring.stage, at + kn.GAPS, ring.stage[at + kn.FLAGS] & kn.FLAG_FIRST)
        anew = evidence == _ANEW or (evidence == _UNKNOWN and self.other)
        held_to = self._held_before()
        gone = self._lay_open(draft, evidence, beyond)
        if settled and evidence == _SAME:
            ring.stage[at + kn.FLAGS] &= ~kn.FLAG_LOOK & 0xFF
        self._put(ring.stage, at, beyond or evidence != _SAME, gone, anew)
        if met and evidence != _SAME and draft.count and not known.looks():
            self._put_doubt(ring.stage, at, anew)
        draft.write(ring.stage, at + kn.GAPS)
        if known.commit_memory(ring, draft.lost, kn.WHY_ANEW if anew else kn.WHY_MANY) != 0:
            self.wait_for_room(now)
            return NEWS_NONE
        self._at_rest()
        if evidence != _SAME:
            self._held_to = held_to if evidence == _UNKNOWN and not anew else -1
            self._has_witness = False
            self._top = id_of(self._newest, 0)
            self._epoch = known.memory[kn.EPOCH]
            self._run = 0
            self._walk = self._walked = -1
        return NEWS_RESET if anew else NEWS_NONE

    def _lay_open(self, draft, evidence, beyond):
        """Note in the draft what is missing now; return how many IDs that were missing before are gone."""
        known = self.known
        newest = id_of(self._newest, 0)
        top = known.top()
        gone = 0
        if not known.memory[kn.FLAGS] & kn.FLAG_KNOWN or (self.other and evidence == _UNKNOWN):
            gone = draft.clear()  # what it made before it was met is not ours
            if self.store_newest and newest:
                draft.open(newest, 1)
        elif evidence != _SAME:
            if is_ahead(top, newest):
                gone = draft.clear()
            last = newest
            goes_on = evidence == _UNKNOWN  # past the wrap even; one that counts anew has begun at 1
            before = self._in_doubt if goes_on and draft.count <= GAPS_MAX - 2 else self._top
            if (is_ahead(top, before) if goes_on else top > before) and not is_ahead(top, newest):
                last = before  # what is above it was heard of in this connection, or looked for in the log
                gone = draft.open((top + 1) % ID_PERIOD, (newest - top) % ID_PERIOD)
            count = GAP_IDS_MAX if last < top and is_ahead(last, top) else last
            if goes_on:  # what lies far in front was stored or given up
                count = min(count, max(GAP_IDS_MAX - draft.total(), 0))
            gone += draft.put_below((last - count + 1) % ID_PERIOD, count)  # all may mean other results now
            gone += draft.cut(self._heard_first, self._heard)  # but these
        elif beyond and (newest != top or known.memory[kn.FLAGS] & kn.FLAG_EMPTY):  # met empty the top is 0
            first = known.first_missing(newest)
            gone = draft.open(first, (newest - first + 1) % ID_PERIOD)
        return gone

    def _at_rest(self):
        """What the controller has is written down, or was known; a push above it that was left for later is not."""
        known = self.known
        is_above = known.unheard >= 0 and is_ahead(known.unheard, id_of(self._newest, 0))
        is_behind = is_above and known.shares()  # no jump shows it there: it is looked for at once
        known.unheard = -1
        self.phase = PHASE_NEWEST if is_behind else PHASE_IDLE
        self.other = False
        self.doubt = 0
        self._postponed = is_above
        self._below_first = False
        known.covered = not is_behind

    def _has_to_wait(self, evidence, beyond, first, now):
        """Tell whether what is missing is to be fetched first, before more is noted, from the ID `first` on."""
        gaps = self.known.gaps
        if not self.known.fetches() or self.other:
            return False
        if evidence == _UNKNOWN:  # what is missing in front of it is earlier: no look at times would find it new
            self._below_first = self._is_missing_in_front()
            return self._below_first
        return evidence == _SAME and beyond and not gaps.fits(first) and self.makes_progress(now)

    def _put(self, stage, at, takes_newest, gone, anew):
        """Change the copy of the memory that begins at stage[at]."""
        stage[at + kn.FLAGS] = (stage[at + kn.FLAGS] | kn.FLAG_KNOWN) & ~kn.FLAG_NO_FETCH & 0xFF
        if not self._draft.reaches_in_front() or anew:
            stage[at + kn.FLAGS] &= ~kn.FLAG_FIRST & 0xFF
        if takes_newest and stage[at + kn.FLAGS] & kn.FLAG_EMPTY:
            stage[at + kn.FLAGS] += kn.FLAG_FIRST - kn.FLAG_EMPTY
        if self._is_empty:
            stage[at + kn.FLAGS] |= kn.FLAG_EMPTY
        put_u32(stage, at + kn.IDENTITY, self._identity)
        kn.add_gone(stage, at + kn.GONE, gone)
        if anew:
            stage[at + kn.EPOCH] = (stage[at + kn.EPOCH] + 1) & 0xFF
        if takes_newest:
            newest = id_of(self._newest, 0)
            holds_top = not anew and newest == self.known.top() and self._draft.holding(newest) < 0
            pack_digits(stage, at + kn.TOP, self._newest, 0, ID_BYTES)
            if not stage[at + kn.FLAGS] & kn.FLAG_LOOK:
                order = compare(self._newest_time, 0, stage, at + kn.TIME_KNOWN, TIME_BYTES)
                if order > 0:
                    copy(stage, at + kn.TIME_KNOWN, self._newest_time, 0, TIME_BYTES)
                holds_top = holds_top and order >= 0
            if not holds_top:
                stage[at + kn.FLAGS] &= ~kn.FLAG_TOP_HELD & 0xFF
            if self._newest_time[2]:  # a month: it was read
                stage[at + kn.FLAGS] &= ~kn.FLAG_UNTIMED & 0xFF
            else:
                stage[at + kn.FLAGS] |= kn.FLAG_UNTIMED

    # -- without a newest --------------------------------------------------------------------------------------

    def _nothing_there(self, now):
        """There are no results, or ID 0 is not known there; returns a NEWS_."""
        self._unanswered = 0
        flags = self.known.memory[kn.FLAGS]
        if self._is_anew and self._has_witness:
            return self._note_newest(_ANEW, now)  # what has shown it is the newest that is known
        if flags & kn.FLAG_EMPTY:
            fill(self._newest, 0, ID_BYTES, 0x30)
            self._at_rest()
        elif flags & kn.FLAG_KNOWN:
            self.phase = PHASE_PROBE
        else:
            self._empty_of = self._identity  # as long as the log does not say so
            self._note_empty(now)
        return NEWS_NONE

    def _probed(self, now):
        """There is nothing above what is known: nor is there anything left to look for."""
        known = self.known
        if known.looks() and known.gaps.count == 0:
            at = self.ring.begin_memory()
            if at >= 0:
                flags = self.ring.stage[at + kn.FLAGS] & ~(kn.FLAG_LOOK | kn.FLAG_TOP_HELD) & 0xFF
                self.ring.stage[at + kn.FLAGS] = flags | kn.FLAG_UNTIMED  # the latest time is that of the former count
            if at < 0 or self.ring.commit_memory() != 0:
                self._again(now)
                return
        self._at_rest()

    def _switch_off(self, now):
        """This controller knows no MID 0064: nothing that is missing can be had."""
        ring = self.ring
        at = ring.begin_memory() if ring.has_spare() else -1
        if at < 0:
            self.wait_for_room(now)
            return
        stage = ring.stage
        draft = self._draft
        draft.load(stage, at + kn.GAPS, stage[at + kn.FLAGS] & kn.FLAG_FIRST)
        kn.add_gone(stage, at + kn.GONE, draft.clear())
        draft.write(stage, at + kn.GAPS)
        stage[at + kn.FLAGS] |= kn.FLAG_NO_FETCH
        put_u32(stage, at + kn.IDENTITY, self._identity)
        if self.known.commit_memory(ring, draft.lost, kn.WHY_NEVER) == 0:
            self.phase = PHASE_OFF
            self.doubt = 0
        else:
            self.wait_for_room(now)
