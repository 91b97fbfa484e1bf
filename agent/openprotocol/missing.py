"""The IDs that are missing: from where on they may be had, which comes next, and which are gone for good.

Rules
1. Missing IDs are asked for one at a time, oldest first. Only 15 (gone) or the result itself closes one. Where there is
   no answer the same one is asked again; only if the next one is answered meanwhile UNANSWERED_MOST times are enough,
   and once more behind that answer: the controller may have had trouble with all of them, and be well again.
2. In a large gap, and where the controller's first result is not known, the way back from its newest end finds where it
   begins: WALK_GONE neighbours in a row that are gone, or fewer where a reset may have to be found behind it. The next
   connection goes on where the last one came to: pushes may wait for that, and a controller may end each connection
   that lets them wait.
3. Before a way back the controller is asked what it keeps, if it has a message for that (agent.openprotocol.kept).
"""

from agent.base.compat import const
from agent.base.fields import copy
from agent.base.ticks import Timer
from agent.openprotocol import known as kn
from agent.openprotocol.ids import ID_PERIOD, id_of, is_ahead, put_id
from agent.openprotocol.questions import (
    NEWEST_LAG,
    PHASE_FILL,
    PHASE_IDLE,
    PHASE_OFF,
    PHASE_OLDEST,
    PHASE_SEEK,
    PHASE_WALK_BACK,
    PHASE_WITNESS,
)
from agent.record.result import ID_BYTES
from agent.spool.record import GAP_PAYLOAD, KIND_GAP

WALK_GONE = const(100)  # this many IDs in a row gone: nothing older is kept there
GONE_AT_ONCE = const(100)  # IDs that are gone are written down together, as many as this
UNANSWERED_MOST = const(5)
_FIRST_GONE = const(10)  # the same in front of the first result of all, where the last one known is gone as well
PATIENCE_MS = const(300000)  # so long a pushed result waits for a controller that answers nothing about missing ones


class Missing:
    """One controller's missing IDs, asked for one after the other."""

    def __init__(self, ring, known, round_ids, retry_ms):
        self.ring = ring
        self.known = known
        self.round_ids = round_ids
        self.retry_ms = retry_ms
        self.phase = PHASE_IDLE
        self.ask_id = bytearray(b"0" * ID_BYTES)  # what is to be fetched
        self._epoch = 0  # that what is asked here belongs to
        self._run_first = 0  # IDs from here on are gone, and that is not written down yet
        self._run = 0
        self._asked = 0  # where the way back stands
        self._gone_run = 0
        self._gone_end = 0  # the ID behind these
        self._walk = -1  # the ID behind the gap that this is the way back of, or was when the connection ended
        self._walked = -1  # the ID behind the gap that needs no way back any more
        self._unanswered = 0
        self._beside = False  # the ID behind the one that is not answered was asked for
        self._last_try = -1  # the one that is not answered, once the ID behind it was
        self._below_first = False  # what is missing up to the highest ID of before is fetched before that is noted
        self._heard_first = 0  # IDs that were pushed in a row in this connection, or in doubt: no others than these
        self._heard = 0
        self._online = False
        self.shared = None  # where the controller names our station (agent.openprotocol.shared)
        self._retry = Timer()
        self._lacks_room = False  # what was told in this connection could not be kept; looked at when `_retry` is over
        self._held_to = -1  # up to this ID all was stored that was not missing, and is looked through again in doubt
        self.asks_kept = False
        self.claim = None  # made with the first large gap
        self._patience = Timer()  # since nothing about missing IDs was answered, over all connections
        self._left = Timer()  # since a push was left for later, over all connections
        self._left_at = -1  # the result that was stored last then; something about a missing ID was said since

    # -- what is open ------------------------------------------------------------------------------------------

    def makes_progress(self, now):
        """Tell whether missing IDs are being closed, or may be soon: a pushed result may wait for that.

        Where stations share the IDs one that comes before anything was asked waits too: it would hide what is in front.
        """
        if self.phase == PHASE_OFF:
            return False
        if not self._online:
            return self.known.shares()
        return self._unanswered == 0 or not self._patience.expired(now)

    def wait_for_room(self, now, of_result=False):
        """Nothing is asked for a while, nor as long as the log has no room: what was told could not be kept.

        Of a missing result (`of_result`) whoever asks looks for its room: a tight log may have that and no other.
        """
        self._retry.start(now, self.retry_ms)
        if not of_result or self.phase != PHASE_FILL:
            self._lacks_room = True

    def heard_of(self, number):
        """The result with this ID, which was missing or in doubt, was pushed and is stored."""
        if (self._heard_first + self._heard) % ID_PERIOD != number:
            self._heard_first = number
            self._heard = 0
        self._heard += 1

    def _shown_last(self, newest):
        """Return the highest ID the controller has shown: it may have pushed more since it named its newest."""
        last = newest
        if self.phase == PHASE_WITNESS:
            last = self.known.top()
        elif self._heard:
            last = (self._heard_first + self._heard - 1) % ID_PERIOD
            if (last - newest) % ID_PERIOD > NEWEST_LAG:
                return newest
        return last if is_ahead(last, newest) else newest

    def kept(self, why):
        """The log keeps what was asked for, though not as a result under its ID: close that; False if it could not."""
        return self._close(id_of(self.ask_id, 0), 1, why)

    def flush(self):
        """Write down which IDs are gone, as one range; False if that could not be."""
        run = self._run
        if run == 0:
            return True
        gaps = self.known.gaps
        if gaps.count == 0 or gaps.firsts[0] != self._run_first or self._is_over():  # closed by a push meanwhile
            self._run = 0
            return True
        if run > gaps.counts[0]:
            run = gaps.counts[0]
        if not self._close(self._run_first, run, kn.CLOSED_OTHERS if self.known.shares() else kn.CLOSED_GONE):
            return False
        self._run = 0
        self._run_first = (self._run_first + run) % ID_PERIOD  # where this gap goes on; another one has to be begun
        return True

    def _is_over(self):
        """Tell whether a pushed result has shown that the IDs count anew: what was asked before means nothing more."""
        return self._epoch != self.known.memory[kn.EPOCH]

    # -- steps -------------------------------------------------------------------------------------------------

    def _answered_beside(self):
        """The ID behind the one that is not answered is: that one is asked for once more."""
        self._beside = False
        self._last_try = (self._run_first + self._run) % ID_PERIOD

    def _answered(self):
        """Something about a missing ID was said."""
        self._unanswered = 0
        self._patience.stop()
        self._left_at = -1

    def _again(self, now):
        self._unanswered += 1
        if self.phase == PHASE_FILL and self._last_try == id_of(self.ask_id, 0):
            self._last_try = -1
            self._run += 1  # it is never answered
        if not self._patience.armed:
            self._patience.start(now, PATIENCE_MS)
        self._retry.start(now, self.retry_ms)

    def _begin_gap(self):
        """Turn to the oldest gap; False if there is none."""
        gaps = self.known.gaps
        if gaps.count == 0 or not self.known.fetches():
            return False
        if gaps.firsts[0] != self._run_first or self.known.shares():  # else a look at the newest came between
            self._run = 0
        self._run_first = gaps.firsts[0]
        self._beside = False
        if self.known.shares():
            return self._begin_stretch()
        behind = (gaps.firsts[0] + gaps.counts[0]) % ID_PERIOD
        wide = gaps.counts[0] > self.round_ids or self.known.memory[kn.FLAGS] & kn.FLAG_FIRST
        if self._walked != behind and (wide or gaps.counts[0] > WALK_GONE):
            phase = self._turn_to_kept(behind)
            if phase == PHASE_FILL:
                return self._begin_gap()
            if phase != PHASE_IDLE:
                self.phase = phase
                return True
        last = (behind - 1) % ID_PERIOD or ID_PERIOD - 1  # 0 cannot be asked for
        if wide and self._walked != behind and gaps.holding(last) == 0:
            if self._walk != behind or gaps.holding(self._asked) != 0:
                self._walk = behind
                self._asked = last
                self._gone_run = 0
                self._gone_end = behind
            self.phase = PHASE_WALK_BACK
        else:
            self.phase = PHASE_FILL
        return True

    def _turn_to_kept(self, behind):
        """Return the phase in which it is found out what the controller keeps, PHASE_IDLE without one."""
        if not self.asks_kept:
            return PHASE_IDLE
        if self.claim is None:
            from agent.openprotocol.kept import Kept  # only where much is missing

            self.claim = Kept()
        return self.claim.turn(self, self.known.gaps.firsts[0], behind)

    def _is_there(self, now):
        """The controller has the result by which a claim is looked at, or the next one on the way back."""
        if self.phase == PHASE_OLDEST:
            self.phase = self.claim.proves(self, True)  # type: ignore[union-attr] - else there is no such phase
            return
        self._gone_run = 0
        self._gone_end = self._asked
        self._walk_on(now)

    def _look_at_claim(self):
        """Where the look at a claim was not answered it ends."""
        if self.phase == PHASE_OLDEST and self._unanswered:
            self.claim.forget()  # type: ignore[union-attr]
            self.phase = PHASE_IDLE

    def _begin_stretch(self):
        """Turn to the first IDs of the oldest gap, where all stations share them; False if ours cannot be told."""
        if self.shared is None:
            return False
        gaps = self.known.gaps
        self.phase = PHASE_FILL if self.shared.stretch.begin(gaps.firsts[0], gaps.counts[0]) else PHASE_SEEK
        return True

    def _next_of_ours(self, now):
        """Set `ask_id` to the next of ours in the stretch; False if there is none any more."""
        gaps = self.known.gaps
        stretch = self.shared.stretch  # type: ignore[union-attr] - the caller has looked
        if gaps.holding(stretch.last) != 0:
            self.phase = PHASE_IDLE
            return False
        self._run_first = gaps.firsts[0]
        number = stretch.next_of_ours(gaps)
        self._run = (number - self._run_first) % ID_PERIOD  # others': they are closed with the next one of ours
        if stretch.ours:
            put_id(self.ask_id, number)
            return True
        if self.flush():
            self.phase = PHASE_IDLE
        else:
            self.wait_for_room(now)
        return False

    def _next_missing(self, now):
        """Set `ask_id` to the oldest missing ID that is not known to be gone; False if there is none in this gap."""
        if self.shared is not None and self.known.shares():
            return self._next_of_ours(now)
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
            if self.flush():
                self.phase = PHASE_IDLE  # what is left, of this gap or of others, is begun like any gap
            else:
                self.wait_for_room(now)
            return False
        if self._unanswered >= UNANSWERED_MOST:
            self._beside = not self._beside
            if self._beside:
                number = (number + 1) % ID_PERIOD or 1
        put_id(self.ask_id, number)
        return True

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
        most = _FIRST_GONE if self._below_first and self.known.memory[kn.FLAGS] & kn.FLAG_FIRST else WALK_GONE
        if self._gone_run < most and before >= back:
            self._asked = (self._asked - back) % ID_PERIOD
            return
        behind = (first + gaps.counts[0]) % ID_PERIOD
        self._run_first = first
        self._run = (self._gone_end - first) % ID_PERIOD  # also where fewer than WALK_GONE lie in front: asked already
        if self.flush():
            self.phase = PHASE_FILL
            self._walked = behind
        else:
            self._run = 0
            self.wait_for_room(now)  # the way back has no end before that is written down: it is asked for again

    def _close(self, number, length, why):
        """Write down why IDs are missing no more; False if that could not be.

        What was stored before its ID came into doubt is not gone where the controller does not have it any more.
        """
        held = 0
        if why == kn.CLOSED_GONE and self._held_to >= 0 and not is_ahead(number, self._held_to):
            held = min(length, (self._held_to - number) % ID_PERIOD + 1)
        if held and not self._write_gap(number, held, kn.CLOSED_HELD):
            return False
        return held == length or self._write_gap((number + held) % ID_PERIOD, length - held, why)

    def _write_gap(self, number, length, why):
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
