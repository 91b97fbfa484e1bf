"""What goes out to ToolsNet next, and what its answers mean. Opens no connection and writes no telegram.

It is told when a connection was lost, and when the 08 of a new one came; of them it keeps `has_refused_head` and
`connections_lost`.

The head is the record that the others wait for: refused, left unanswered, or one that nobody can read. The cursor
stands in front of it.

    phase      what goes out, and what is durable before it
    IN_ORDER   the cursor's next, which the cursor passes when it is taken; W1: SEND_LIMIT covers it; W2: if there was
               a lookahead, SENT says neither LOOKAHEAD nor SEVERAL (it is over)
    RETRY      the head, at once, after 2 s, after 8 s, then after each pause between lookaheads, which ends when a
               reoffered one is taken; W1 and W2 where SEND_LIMIT does not cover it, as that of a lookahead does
    LOOKAHEAD  what comes behind the head, one by one; W3: SEND_LIMIT is its end, SENT says LOOKAHEAD
    FINISH     nothing: what is before the taken one is copied to the quarantine; W4: the cursor, and SENT says neither
    HOLD       nothing until there is room for the head, but the head once a minute: a server that is mended takes it.
               An operator's order goes out, and can drop the head
    REOFFER    one of the quarantine (reoffer); W5: REOFFERED, sequence_lag - 1; W6: taken, its entry is gone; else
               sequence_lag + 1

    phase      event            next phase
    IN_ORDER   refused, silent  RETRY: it is the head, head_failures = 1 if that counts (below)
    IN_ORDER   write            HOLD: the quarantine has no room for a frame that nobody can read
    IN_ORDER   write            REOFFER
    IN_ORDER   08               RETRY: SENT says lookahead, of before a start
    IN_ORDER   08               FINISH: the same, and it names one of the lookahead
    IN_ORDER   08               HOLD: it names one behind such a frame
    RETRY      taken            IN_ORDER
    RETRY      refused, silent  LOOKAHEAD: from OFFERS on, each of which counts; with `refused: block` a pause
    RETRY      next             IN_ORDER: the head is gone, and nothing is behind it
    RETRY      write            HOLD: the next one is such a frame
    RETRY      write            REOFFER
    RETRY      08               IN_ORDER: the server has the head, or was set back
    RETRY      08               FINISH: it names one of the lookahead
    LOOKAHEAD  taken            FINISH
    LOOKAHEAD  silent           RETRY, unless the head had none either, or two connections with a refusal ended
    LOOKAHEAD  next             RETRY: none is left, or no room: failed_lookaheads + 1, a pause; or the head is gone
    LOOKAHEAD  next             HOLD: there is no room for the head
    LOOKAHEAD  drop, write      RETRY: the head is dropped, at once or when it has its outcome
    LOOKAHEAD  08               FINISH: it names one of the lookahead
    LOOKAHEAD  08               IN_ORDER: the server has the head, or was set back
    LOOKAHEAD  08               RETRY: it was set back, and SENT says lookahead still
    FINISH     write            IN_ORDER: that is done. Without room it waits
    FINISH     08               RETRY: it begins again with the next connection, if the head is refused again
    FINISH     08               IN_ORDER: the server was set back
    HOLD       next             RETRY: there is room, or the pause is over
    HOLD       drop, write      RETRY: the head is dropped
    HOLD       write            REOFFER: an order
    HOLD       08               IN_ORDER: the server has the head, or was set back
    REOFFER    write, 08        IN_ORDER, what it was before
    REOFFER    write, 08        RETRY, likewise
    REOFFER    write, 08        HOLD, likewise

`next`, `write`, `silent` and so on are methods; taken is `accepted`, 08 is `resume`, drop is `drop_first`. A start is
IN_ORDER, without failures. In every phase

    08            settles what was out (resume_point), and nothing goes out before it
    silent        counts as a refusal with `proven`, or after PATIENCE others; of a reoffered one it changes nothing
    overwritten   the head is gone: the next one is offered once, then comes the lookahead
    nobody_there  in RETRY, a pause after a lookahead in vain is over: the head is next, once a new connection's 08 came

Durable are the cursor, SEND_LIMIT and SENT, REOFFERED and `sequence_lag` (reoffer), the entries of the quarantine, and
TAKEN. What SENT can say (LOOKAHEAD, SEVERAL or neither) and how an 08 is read then is the table of
toolcart.agent.outlets.toolsnet.in_flight. In host_tests/agent/outlets test_policy_table.py shows that each row happens
and nothing else, refusals_model.py is a model of all this, test_refusals_compared.py runs both side by side, and
test_refusals_model.py shows what happens without each of W1 to W6.

`next` says WRITE where something has to be durable first: `write` does it when the flash may be used. What it cannot
write it takes back, so that the state may be saved by others at any time.
"""

# First, because imports nest (toolcart.agent.cart.app).
from toolcart.agent.quarantine.quarantine import (
    ADMITTED,
    ADMITTED_BEFORE,
    ASK_NO_ROOM,
    DROP_DONE,
    DROP_NONE,
    DROP_SOON,
    FAILED,
    NO_ROOM,
)

# isort: split
from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.snapshot import STATE_LAST
from toolcart.agent.log.snapshot_fields import (
    DELIVERED,
    DROPPED,
    OVERWRITTEN,
    QUARANTINE_LAST,
    REOFFERED,
    SENT,
    TAKEN,
    TOOLSNET_CURSOR,
)
from toolcart.agent.outlets.toolsnet.in_flight import InFlight
from toolcart.agent.outlets.toolsnet.lookahead import (
    AHEAD_ENDS,
    AHEAD_FAILED,
    AHEAD_FULL,
    AHEAD_GOES_ON,
    AHEAD_GONE,
    AHEAD_SENDS,
    AHEAD_WRITES,
    SOON_MS,
    Lookahead,
)
from toolcart.agent.outlets.toolsnet.reoffer import REOFFER, Reoffer
from toolcart.agent.outlets.toolsnet.reoffer_schedule import ReofferSchedule
from toolcart.agent.outlets.toolsnet.resume_point import ResumePoint
from toolcart.agent.record import KIND_RAW
from toolcart.agent.record.result import QUARANTINED_UNREADABLE
from toolcart.agent.toolsnet.telegram import SEQUENCES

# Answers of `next`
NOTHING = const(0)
SEND = const(1)  # `number`, which lies at buf[at:], as `sequence`
WRITE = const(2)
BUSY = const(3)  # ask again at once

# What is being done; the next number is REOFFER (toolcart.agent.outlets.toolsnet.reoffer)
IN_ORDER = const(0)
RETRY = const(1)
LOOKAHEAD = const(2)
FINISH = const(3)
HOLD = const(4)

OFFERS = const(4)  # of the head, in vain, before a lookahead
PATIENCE = const(8)  # silences in a row that tell nothing, as the server may be away; later ones count
_RETRIES_MS = (0, 2000, 8000)  # a server has ten seconds to get well before others go out
# After each lookahead that has found nothing; the last is how long others may wait once the server takes them again.
_LOOKAHEAD_PAUSES_MS = (10000, 30000, 60000)  # and between two offers of the head in a hold
AGAIN_MS = const(5000)  # until what the flash or the quarantine did not take is tried again

# Codes of a refusal that are none of the server's, which are above 0 (toolcart.agent.outlets.toolsnet.lookahead)
_UNKNOWN = const(-1)
_SILENCE = const(0)

# What `write` has to do
_RAISE_LIMIT = const(1)
_QUARANTINE = const(2)
_BEGIN_LOOKAHEAD = const(3)
_FINISH = const(4)
_BEGIN_REOFFER = const(5)
_END_REOFFER = const(6)
_DROP = const(7)


class Policy:
    """Where one station's ToolsNet stands in its log."""

    def __init__(self, log, state, quarantine, counters, settings, cursor_batch, batch_most=0):
        self.log = log
        self.numbers = state.numbers
        self.counters = counters
        self.cursor = log.cursor_at(TOOLSNET_CURSOR)
        self.in_flight = InFlight(log, state, cursor_batch, batch_most)
        self.reoffers = ReofferSchedule(quarantine, state)
        self.reoffer = Reoffer(self)
        self.lookahead = Lookahead(log, quarantine, state.numbers)
        self.resume_point = ResumePoint(self, settings)
        self.quarantines_refused = settings["refused"] == "park"
        self.phase = IN_ORDER
        self.head_failures = 0  # offers of the head in vain, OFFERS at most
        self.failed_lookaheads = 0  # in a row behind it, that found nothing
        self.head = 0  # the one that is refused
        self.code = _UNKNOWN  # of its last refusal
        self.has_refused_head = False  # this connection's server
        self.connections_lost = 0  # connections that were lost in a lookahead, and where the head was refused
        self.unanswered = 0  # silences that told nothing
        self.pause = Timer()  # until something goes out, or is written, again; orders and reoffers do not wait for it
        self.drop_number = 0  # the number that an operator drops, once nothing is out; 0: none
        self.pending_write = 0  # what `write` has to do
        self.out = False  # something that `next` gave has no answer yet
        # What goes out: use it before the next call of any method.
        self.number = self.at = self.length = self.flags = self.sequence = 0
        self.buf = log.page

    # -- what goes out -----------------------------------------------------------------------------------------

    def next(self, now):
        """Return what to do now: NOTHING, SEND, WRITE or BUSY; what it gives is out. Hot: allocates nothing.

        Here and in `accepted` short methods are written out, as each call costs a board time with every result.
        """
        reoffers = self.reoffers
        if self.phase or reoffers.ordered or (reoffers.timer.armed and reoffers.timer.expired(now)):
            return self._next_by_phase(now)
        if self.cursor.number >= self.log.visible:
            return NOTHING  # as `peek` would say
        return self._next_in_order(now)

    def _next_in_order(self, now):
        log = self.log
        cursor = self.cursor
        if log.peek_staged(cursor):
            self.buf = log.stage
            self.at = log.payload_at
            self.length = log.staging.staged_length
            self.flags = log.staging.staged_flags
        else:
            kind = log.peek(cursor)
            if kind <= RECORD_NONE:
                if kind < RECORD_NONE and not self.pause.armed:
                    self.pause.start(now, AGAIN_MS)
                return NOTHING
            if kind == KIND_RAW:
                return self._request_write(_QUARANTINE, now)
            self.buf = log.page
            self.at = log.at
            self.length = log.length
            self.flags = log.flags
        number = cursor.found
        if number <= self.numbers[QUARANTINE_LAST] and self.is_quarantined(cursor):
            return self._request_write(_QUARANTINE, now)  # a server that was set back
        in_flight = self.in_flight
        if number > in_flight.may_send_to or self.numbers[OVERWRITTEN] != in_flight.overwritten:
            return self._request_write(_RAISE_LIMIT, now)
        self.number = number
        self.sequence = (number - cursor.sequence_lag - 1) % SEQUENCES + 1  # sequence_at
        self.out = True
        if number > in_flight.may_have:
            in_flight.may_have = number
        return SEND

    def is_quarantined(self, cursor):
        """True if the quarantine has the cursor's next, or that cannot be told; else the page still holds that."""
        return (
            self.lookahead.quarantine.has(cursor.found) != 0 or self.log.peek(cursor) <= RECORD_NONE
        )  # they share the page

    def _request_write(self, write, now):
        if self.pause.armed and not self.pause.expired(now):
            return NOTHING  # it could not be written just now
        self.pending_write = write
        return WRITE

    def _give(self, log, number, length, sequence):
        """Send what lies in the page of this log; no copy of it may follow."""
        self.buf = log.page
        self.at = log.at
        self.flags = log.flags
        self.length = length
        self.number = number
        self.sequence = sequence
        self.out = True
        self.in_flight.note_sent(number)
        return SEND

    def may_not_retransmit(self):
        """True if no copy may follow what went out last."""
        return self.phase == LOOKAHEAD or self.phase == REOFFER

    def _next_by_phase(self, now):
        """The same as `next` while something is refused, or a reoffered one may go out."""
        phase = self.phase
        if phase == REOFFER:
            return self._next_reoffer(now)
        if phase == FINISH:
            return self._request_write(_FINISH, now)
        if self.cursor.number < self.drop_number:
            self.pending_write = _DROP
            return WRITE
        if phase == LOOKAHEAD:
            return self._next_of_lookahead(now)
        if (self.reoffers.ordered or phase == IN_ORDER) and not self.in_flight.is_unsettled():
            self.reoffer.entry = self.reoffers.choose(now)
            if self.reoffer.entry:
                self.pending_write = _BEGIN_REOFFER
                return WRITE
        if phase == IN_ORDER:
            return self._next_in_order(now)
        return self._next_retry(now)

    def _next_reoffer(self, now):
        offer = self.reoffer
        if self.pending_write != _END_REOFFER and offer.find():
            quarantine = self.lookahead.quarantine
            return self._give(quarantine.log, offer.number, quarantine.length, offer.next_sequence())
        # It does not wait for the policy's pause: that is for what is refused in order.
        self.pending_write = _END_REOFFER
        pause = self.reoffers.pause
        return NOTHING if pause.armed and not pause.expired(now) else WRITE

    def _next_retry(self, now):
        """The head, when its time has come, or there is room again."""
        lookahead = self.lookahead
        if self.pause.armed and not self.pause.expired(now):
            if not self._has_more(now):
                return NOTHING
            lookahead.seen = 0  # that counts once: a flash that takes nothing is not asked all the time
        self.pause.stop()
        if self.phase == HOLD:
            self.retry_head()
        code = self._next_in_order(now)
        if code != NOTHING and self.cursor.found != self.head:
            self._head_is_gone()
            self.head = self.cursor.found
        elif code == NOTHING and self.cursor.number >= self.head:
            self.resume_in_order()  # and nothing else waits
        return code

    def _next_of_lookahead(self, now):
        if self.pause.armed and not self.pause.expired(now):
            return NOTHING
        lookahead, in_flight = self.lookahead, self.in_flight
        code = lookahead.next(
            self.head, self.cursor, self.failed_lookaheads, in_flight.may_send_to if in_flight.is_lookahead() else 0
        )
        if code == AHEAD_SENDS:
            return self._give(self.log, lookahead.number, lookahead.length, lookahead.sequence)
        if code == AHEAD_WRITES:
            return self._request_write(_BEGIN_LOOKAHEAD, now)
        if code == AHEAD_GOES_ON:
            return BUSY
        if code == AHEAD_GONE:
            self.retry_head()
            return BUSY
        if code == AHEAD_FAILED:
            self.pause.start(now, AGAIN_MS)
        elif code == AHEAD_FULL:
            self._hold(now)
        elif code == AHEAD_ENDS:
            in_flight.settle()
            self.retry_head()
            self.unanswered = 0
            lookahead.soon.start(now, SOON_MS)
            self._lookahead_failed(now)
        return NOTHING

    def time_left(self, now, ms):
        """Return `ms`, or what is left until `next` may give something, if that is less."""
        pause = self.pause
        if pause.armed:
            if pause.expired(now):
                pause.stop()
                return 0
            ms = pause.least(now, ms)
            if self.lookahead.short >= 0:
                if ms > AGAIN_MS:
                    ms = AGAIN_MS  # nothing tells when there is room
            elif self.phase == RETRY and self.lookahead.has_new():
                ms = self.lookahead.soon.least(now, ms)
        reoffers = self.reoffers
        if reoffers.pause.armed or reoffers.timer.armed:
            ms = reoffers.time_left(now, ms, self.phase == IN_ORDER)
        return ms

    # -- what became of it -------------------------------------------------------------------------------------

    def accepted(self, now):
        """The server has it. Hot: allocates nothing."""
        self.out = False
        if self.phase > RETRY:
            self._accepted_out_of_order()
            return
        numbers = self.numbers
        number = self.number
        cursor = self.cursor
        if cursor.number < number:
            cursor.number = cursor.found  # `advance`
            cursor.offset = cursor.next_offset
            numbers[DELIVERED] += 1
        else:
            self.count_delivered_after_all()
        numbers[TAKEN] = self.sequence
        self.counters.counts[counter.DELIVERED] += 1
        if self.phase:
            self.resume_in_order()
        reoffers = self.reoffers
        if reoffers.wants and not reoffers.timer.armed:
            reoffers.accepted(now)

    def _accepted_out_of_order(self):
        if self.phase == REOFFER:
            self.reoffer.is_taken = True
            self.pending_write = _END_REOFFER
        else:
            self.found_taken(self.number, self.sequence)

    def found_taken(self, number, sequence):
        """A lookahead has found `number` taken."""
        self.lookahead.found_taken(number, sequence)
        self.pause.stop()
        self.phase = FINISH

    def refused(self, code, now):
        """The server refuses it."""
        self.out = False
        self.reoffers.reset(now)
        if self.phase == REOFFER:
            self.reoffer.is_taken = False
            self.pending_write = _END_REOFFER
        elif self.phase == LOOKAHEAD:
            self.lookahead.refused(code)
        elif self._make_head(code):
            self.has_refused_head = True
            self.in_flight.answered(self.number)
            self._head_failed(now)

    def silent(self, now, proven=False):
        """The connection is gone; what was out may or may not be stored, and the next 08 tells.

        `proven`: the server has answered something on that connection, and had the time to answer this.
        """
        self.resume_point.awaits_08 = True
        if not self.out:
            return
        self.out = False
        if self.phase == REOFFER or not (self.phase == LOOKAHEAD or self._make_head(_SILENCE)):
            return
        counts = proven or self.unanswered >= PATIENCE
        if not counts:
            self.unanswered += 1
        if self.phase == LOOKAHEAD:
            if counts:
                self.lookahead.silent()
            # It may still be the server's trouble: the head goes out again before the lookahead goes on, unless it has
            # had no answer either, or its refusals end the connections: one more was lost where it was refused.
            self.connections_lost += self.has_refused_head
            if (self.code != _SILENCE or not proven) and not (self.has_refused_head and self.connections_lost > 1):
                self.phase = RETRY
        elif counts:
            self._head_failed(now)

    def nobody_there(self):
        """No connection can be made: what all was refused before need not wait for the end of a pause after it."""
        if self.phase == RETRY and self.failed_lookaheads:
            self.pause.stop()

    def is_passed(self, number):
        """True if no result before `number` waits."""
        cursor = self.cursor
        if cursor.number >= number:
            return True
        kind = self.log.peek(cursor)
        return kind == RECORD_NONE or (kind > RECORD_NONE and cursor.found > number)

    def count_delivered_after_all(self, rows=1):
        """Count as delivered what was overwritten while it was out, or before it was known to be taken."""
        numbers = self.numbers
        numbers[OVERWRITTEN] = max(0, numbers[OVERWRITTEN] - rows)  # one that could not be read is no overwritten one
        numbers[DELIVERED] += rows

    def resume(self, stored, now):
        """The 08 names `stored` (resume_point): go on from there; False if that could not be written down, or read."""
        self.reoffers.reset(now)
        self.lookahead.taken = 0
        self.has_refused_head = False
        if self.phase == FINISH:
            self.phase = RETRY  # the 08 says it again
        if not self.resume_point.resume(stored, now):
            return False
        if self.phase == IN_ORDER and self.in_flight.is_lookahead():
            # What it has sent may still be there, whatever the 08 says: nothing goes out in order after the head.
            self.retry_head()
        elif self.phase == IN_ORDER:
            self.resume_in_order()
        return True

    # -- the head is refused -----------------------------------------------------------------------------------

    def _make_head(self, code):
        """Make what went out the head, refused with this code; False if it was overwritten."""
        number = self.number
        if number <= self.cursor.number:
            return False  # meanwhile another one is in front
        if number != self.head:
            self.resume_in_order()
            self.head = number
        self.phase = RETRY
        self.code = code
        return True

    def _head_failed(self, now):
        """The head was offered in vain: offer it again later, or look behind it."""
        if self.head_failures < OFFERS:
            self.head_failures += 1
        if self.lookahead.is_proven(now) and (self.code != _SILENCE or self.head_failures > 1):
            self.head_failures = OFFERS
        if self.head_failures < OFFERS:
            if self.head_failures > 1:
                self.pause.start(now, _RETRIES_MS[self.head_failures - 1])
        elif self.quarantines_refused:
            self.phase = LOOKAHEAD
        else:
            self._lookahead_failed(now)

    def _lookahead_failed(self, now):
        """A lookahead, or what takes its place where none is allowed, has found nothing: let everything wait."""
        self.pause.start(now, _LOOKAHEAD_PAUSES_MS[min(self.failed_lookaheads, len(_LOOKAHEAD_PAUSES_MS) - 1)])
        self.failed_lookaheads += 1

    def resume_in_order(self):
        """Go on in order. After a lookahead that must be durable first."""
        self.phase = IN_ORDER
        self.head_failures = self.failed_lookaheads = self.connections_lost = 0
        self.head = self.unanswered = self.drop_number = 0
        self.code = _UNKNOWN
        self.lookahead.clear()
        self.pause.stop()
        self.in_flight.end_lookahead()

    def retry_head(self):
        """Offer the head once, which may be another one by then; if it is refused, a new lookahead comes."""
        self.phase = RETRY
        self.head_failures = OFFERS
        self.lookahead.begin_anew()

    def _head_is_gone(self):
        """The head was overwritten, or dropped; nothing is known of the next one yet."""
        self.retry_head()
        self.failed_lookaheads = 0
        self.drop_number = 0
        self.code = _UNKNOWN
        self.lookahead.short = -1

    def is_stuck(self):
        """True while the quarantine has no more room than when it was too little for what is refused."""
        return self._has_head() and self.lookahead.is_stuck()

    def _has_head(self):
        """True while the head still waits: it was not taken, dropped or overwritten."""
        return self.phase == FINISH or self.cursor.number < self.head

    def _has_more(self, now):
        """True if there is more room than the last lookahead had, or another record after all that it has met."""
        lookahead = self.lookahead
        if lookahead.short >= 0:
            return not self.is_stuck()
        return lookahead.has_new() and lookahead.soon.expired(now)

    def wait_for_room(self, now, reason):
        """The quarantine has no room for what it must take: wait, and say so once."""
        lookahead = self.lookahead
        if lookahead.short < 0:
            self.counters.note(counter.PARKING_FAILED, reason, now)
        lookahead.short = lookahead.quarantine.octets()
        self.pause.start(now, AGAIN_MS)

    def _hold(self, now):
        """Hold everything: there is no room for the head."""
        self.phase = HOLD
        self.wait_for_room(now, self.code)
        self.pause.start(now, _LOOKAHEAD_PAUSES_MS[-1])

    # -- what is durable first ---------------------------------------------------------------------------------

    def write(self, now):
        """Do what `next` has asked for, as the flash may be used now; False if it has to wait."""
        write = self.pending_write
        if write == _RAISE_LIMIT:
            done = self.raise_send_limit(self.cursor.found)
        elif write == _QUARANTINE:  # an unreadable frame, or one that the quarantine has
            done = self.quarantine_and_pass(self.cursor.found, QUARANTINED_UNREADABLE, now)
        elif write == _BEGIN_LOOKAHEAD:
            done = self.in_flight.begin_lookahead(self.lookahead.limit)
        elif write == _FINISH:
            done = self.lookahead.finish(self, now)
        elif write == _BEGIN_REOFFER:
            done = self.reoffer.begin()
        elif write == _DROP:
            done = self.drop_first() == DROP_DONE
        else:
            done = self.reoffer.conclude(now)
        if not done:
            self._put_off(write, now)
        return done

    def writes_quarantine(self):
        """True if what `write` has to do may write to the quarantine, too."""
        return self.pending_write > _BEGIN_LOOKAHEAD or self.pending_write == _QUARANTINE

    def _put_off(self, write, now):
        if write == _BEGIN_REOFFER or write == _END_REOFFER:
            self.reoffers.pause.start(now, AGAIN_MS)
        elif self.pause.armed and not self.pause.expired(now):
            return  # it has been noted already
        else:
            self.pause.start(now, AGAIN_MS)
        self.counters.note(counter.NOT_SAVED, 0, now)

    def raise_send_limit(self, number):
        """W1, W2: let `number` go out in order, with the rest of its batch; True if that is durable."""
        return self.in_flight.raise_send_limit(number, self.phase != IN_ORDER)

    def prepare(self):
        """The flash may be used now and perhaps not for long: allow the next ones if that is due soon."""
        in_flight, number = self.in_flight, self.cursor.number
        if (
            self.phase
            or self.resume_point.awaits_08
            or in_flight.is_unsettled()
            or in_flight.may_send_to > number + in_flight.batch // 2
        ):
            return True
        return in_flight.declare_batch(number, in_flight.in_order())

    def reoffer_is_over(self):
        """A reoffered one has its outcome (W6): go on with what was done before."""
        self.pending_write = 0
        if self.phase == REOFFER:
            self.phase = self.reoffer.before
            # A server that takes one may take the head again: that need not wait for the end of a long pause.
            if self.phase == HOLD or (self.reoffer.is_taken and self.phase == RETRY and self.failed_lookaheads):
                self.pause.stop()

    def quarantine_record(self, number, reason, now):
        """Keep the log's record `number` in the quarantine; return a code of Quarantine.admit.

        With STATE_LAST nothing is copied: no log takes anything any more, and the quarantine is one. ADMITTED_BEFORE
        lets the cursor pass it all the same, or it would hold all others for ever. It is not lost, as the log erases
        nothing then: after a start the cursor stands where the last snapshot has it, and it is offered anew.
        """
        if self.in_flight.state.alarm == STATE_LAST:
            self.counters.note(counter.PARKING_FAILED, reason, now)
            return ADMITTED_BEFORE
        code = self.lookahead.quarantine.admit(number, reason)
        if code == ADMITTED:
            self.reoffers.wants = True
            self.counters.note(counter.PARKED, reason, now)
        return code

    def quarantine_and_pass(self, number, reason, now):
        """Keep the log's `number`, which is the cursor's next, in the quarantine and pass it; True if that is done."""
        in_flight = self.in_flight
        if (
            in_flight.state.durable[TOOLSNET_CURSOR] < self.cursor.number > self.numbers[QUARANTINE_LAST]
            and not in_flight.save()
        ):
            return False  # a restart passes what is kept, and nothing else may be before it
        code = self.quarantine_record(number, reason, now)
        if code == NO_ROOM:
            self.head = number
            self.code = reason
            self._hold(now)
        return code > 0 and self.pass_one(number)

    def pass_one(self, number):
        """Let the cursor pass `number`, which is its next; False if it cannot be read now."""
        cursor = self.cursor
        if cursor.number < number:
            if self.log.peek(cursor) <= RECORD_NONE or cursor.found != number:
                return False
            cursor.advance()
        return True

    # -- orders ------------------------------------------------------------------------------------------------

    def offer_on_order(self, number, in_doubt):
        """An operator wants `number` offered now; return an ASK_ of toolcart.agent.quarantine.quarantine."""
        if self.phase == FINISH and self.is_stuck():  # no number on the wire is free before the lookahead is over
            return ASK_NO_ROOM
        return self.reoffers.offer_on_order(number, in_doubt)

    def drop_first(self):
        """The order "drop first": drop the one that all others wait for; return DROP_DONE when that is durable."""
        numbers, cursor, in_flight = self.numbers, self.cursor, self.in_flight
        if (
            not ((self.lookahead.short >= 0 or self.failed_lookaheads) and self._has_head())
            or self.log.peek(cursor) <= RECORD_NONE
        ):
            return DROP_NONE
        if self.out or self.resume_point.awaits_08 or self.phase == REOFFER:  # that has to have its outcome first
            self.drop_number = cursor.found
            return DROP_SOON
        before, lag = cursor.number, cursor.sequence_lag
        cursor.advance()
        numbers[DROPPED] += 1
        is_taken = self.phase == FINISH  # one after it is
        if is_taken:
            done = in_flight.save()
        else:
            done = in_flight.declare(cursor.number, in_flight.in_order())
        if not done:
            numbers[DROPPED] -= 1
            self.log.seek(cursor, before, lag)
        elif not is_taken:
            self._head_is_gone()
            self.pause.stop()
        return DROP_DONE if done else DROP_NONE

    def offer_again(self, number, count, doubted, unread=0):
        """An operator has everything from `number` on sent again; True if that is durable. Nothing may be connected.

        Those are `count` results that were delivered, of which `doubted` are in doubt; `unread` numbers between them
        cannot be read any more.

        It goes out with new sequences, after whatever the next 08 names: a server that names one of these now, or has
        some of them still, cannot be told from one that was emptied.
        """
        if self.numbers[REOFFERED] or self.drop_number or not self.in_flight.state.ensure_reliable():
            return False  # the next 08 tells what became of those
        return self.resume_point.offer_again(number, count, doubted, unread)

    def save_at_end(self):
        """Make durable, at an orderly end, the cursor and what was really sent; True if that is done."""
        return self.in_flight.declare(self.cursor.number, self.numbers[SENT])


assert FAILED < 0 and NO_ROOM < 0 and REOFFER == HOLD + 1
