"""What goes out to ToolsNet next, and what its answers mean. Knows no connection and no telegram.

Rules (host_tests/outlets/test_refusals_model.py shows what happens without each of them)
1. In order, nothing goes out above LIMIT, which is durable before that (W1). The 08 vouches for everything up to the
   one it names, as far as it may have been sent; so only answers are missing. The cursor is made durable once in a
   batch, even where LIMIT is far above it: `allowed` is how far results may go out before the next time.
2. The first that is refused is offered again at once, after 2 s and after 8 s. Then comes a pass: those after it go out
   once each, again where the connection broke, no further than the quarantine has room, each pass further than the one
   before. In a pass the 08 vouches only for the one it names; this is durable before the pass (W3), and so is its end
   before anything goes out in order again (W2). Silence is a refusal if the server has answered anything else; if it
   has not, only after PATIENCE. A single silence sets nothing aside: it may be the network's.
3. The first that a pass finds taken proves that those before it are really refused: they are copied, then the cursor
   passes them (W4). If none is taken, the server is in trouble: the order is kept, the next pass comes later.
4. What was set aside is offered again (agent.outlets.toolsnet.late) under the next number on the wire: this is durable
   before (W5), and durably taken back if it is refused (W6). The 08 vouches for it alone.
5. If the quarantine has no room for what is refused, nothing goes out but what an operator orders.

`next` says WRITE where something has to be durable first: `write` does it when the flash may be used. What it cannot
write it takes back, so that the state may be saved by others at any time.
"""

# First, because imports nest (agent.cart.app).
from agent.quarantine.quarantine import (
    ASK_NO_ROOM,
    DROP_DONE,
    DROP_NONE,
    DROP_SOON,
    FAILED,
    KEPT_BEFORE,
    KEPT_DONE,
    NO_ROOM,
)

# isort: split
from agent.base import health as h
from agent.base.compat import const
from agent.base.ticks import Timer
from agent.log.cursor import WANTS_FRAMES, WANTS_RESULTS, Cursor
from agent.log.numbers import (
    CURSOR,
    DELIVERED,
    DROPPED,
    KEPT_LAST,
    LATE,
    LIMIT,
    OVERWRITTEN,
    SENT,
    SENT_EVENTS_MET,
    SENT_MET,
    SENT_PASS,
    SENT_WINDOW,
    TAKEN,
)
from agent.log.record import RECORD_NONE
from agent.log.state import STATE_LAST
from agent.outlets.toolsnet.late import Late
from agent.record import KIND_RAW, KIND_RESULT
from agent.record.result import PARKED_MOVED, PARKED_SILENT, PARKED_UNREADABLE
from agent.toolsnet.telegram import SEQUENCES, sequence_at

# Answers of `next`
NOTHING = const(0)
SEND = const(1)  # `number`, which lies at buf[at:], as `sequence`; with `once` no copy may follow it
WRITE = const(2)
BUSY = const(3)  # ask again at once

# What is being done
ORDER = const(0)
RETRY = const(1)  # the first is refused, and waits for its next offer
PASS = const(2)
FINISH = const(3)  # one after it was taken
HOLD = const(4)  # no room for it
LATE_OUT = const(5)

OFFERS = const(4)  # of the first, in vain, before a pass
PATIENCE = const(8)  # silences in a row that tell nothing, as the server may be away; later ones count
_RETRIES_MS = (0, 2000, 8000)
_PASSES_MS = (10000, 30000, 60000)
REACH = const(64)  # of the first pass
PROVEN_MS = const(60000)  # how long a pass proves the server well: one refusal, or two silences, begin the next
SOON_MS = const(10000)  # a short pass that met everything is made again this soon when more has come
AGAIN_MS = const(5000)  # until what the flash or the quarantine did not take is tried again
LATES_MOST = const(8)
_A_TURN = const(8)  # records that are copied, or looked at in a pass

_HALF = const(50000)

# What `write` has to do
_ALLOW = const(1)
_KEEP = const(2)
_PASS = const(3)
_FINISH = const(4)
_LATE = const(5)
_LATE_OVER = const(6)
_DROP = const(7)


class Policy:
    """Where one station's ToolsNet stands in its log. `doubts` (or None) knows more about what an 08 leaves open."""

    def __init__(self, log, state, quarantine, health, settings, cursor_batch, doubts=None):
        self.log = log
        self.state = state
        self.numbers = state.numbers
        self.quarantine = quarantine
        self.health = health
        self.doubts = doubts
        self.cursor = log.cursors[0]
        self.late = Late(quarantine, state)
        self.batch = cursor_batch
        self.parks = settings["refused"] == "park"
        self.rewinds = settings["rewind"]
        self.resends_if_empty = settings["server_empty"] == "resend"
        self.doing = ORDER
        self.out = False  # something that `next` gave has no answer yet
        self.unsure = True  # the next 08 tells what became of what was out
        # Nothing above this number can have reached the server under the sequence that it has now. A cursor that goes
        # back does not lower it: a server believed to have less may say next time that it has everything.
        self.may_have = min(state.numbers[LIMIT], log.next - 1)
        self.allowed = min(state.numbers[LIMIT], self.cursor.number + cursor_batch)
        self._is_odd = False  # the last 08 named nothing that is known here: it settles nothing for a window
        self.keeps = 0  # bits of SENT that stay as they are
        self._todo = 0
        self._drops = 0  # the number that an operator drops, once nothing is out; 0: none
        self._has_resent = False  # to a server that has said since then that it has none
        # What goes out: use it before the next call of any method.
        self.number = 0
        self.buf = log.page
        self.at = self.length = self.flags = self.sequence = 0
        self.once = False
        self._know_no_refusal()
        self._know_no_late_one()

    def _know_no_refusal(self):
        """Begin with nothing refused, and no pass over what comes after it."""
        self.first = 0  # the one that is refused
        self.code = -1  # of its last refusal, 0: no answer, below 0: no longer known
        self.failed = 0  # passes in a row in which nothing was taken
        self.hold = Timer()
        self._offers = 0  # of the first, all in vain
        self._mutes = 0  # silences that told nothing
        self._mute = 0  # what had no answer last in a pass
        self._wants_pass = False
        self._goes_on = False  # the pass, with the one that had no answer
        self._reach = 0
        self.others = 0  # how many behind the first the last pass has offered
        self._room = 0  # bytes that the quarantine had left when the pass began
        self._short = -1  # the same when they were last too few; -1: they are enough, as far as is known
        self._fits = False  # what the pass has met fits into the quarantine
        self._met = 0
        self._pass_code = -1
        self._taken = self._taken_sequence = 0  # by a pass
        self._scout = Cursor()
        self._scout.wants = WANTS_RESULTS | WANTS_FRAMES
        self._proven = Timer()
        self._seen = 0  # the last number that the last pass has met, 0: it did not get to the log's end, or was long
        self._soon = Timer()

    def _know_no_late_one(self):
        """Begin with nothing that is offered again late."""
        self.late_number = 0
        self.lates = 0  # numbers on the wire that late ones have used up since the start
        self._late_entry = 0
        self._late_taken = False
        # Up to here the last 08 has left open what was out. Until that is settled no late one gets its sequence, as it
        # would be taken for it, and a pass is not over: one at a time goes out, each after the cursor is saved.
        self._open = 0
        self._before = ORDER  # what was done before a late one
        self._lates_at = [0] * LATES_MOST  # of the last of them: after which number of the log

    # -- what goes out -----------------------------------------------------------------------------------------

    def next(self, now):
        """Return what to do now: NOTHING, SEND, WRITE or BUSY; what it gives is out. Hot: allocates nothing."""
        late = self.late
        if self.doing or late.asked or (late.timer.armed and late.timer.expired(now)):
            return self._next_else(now)
        return self._next_in_order(now)

    def _next_in_order(self, now):
        log = self.log
        cursor = self.cursor
        if cursor.number >= log.shown:
            return NOTHING  # as `peek` would say
        if log.fresh(cursor):
            self.buf = log.stage
            self.at = log.place
            self.length = log.fresh_length
            self.flags = log.fresh_flags
        else:
            kind = log.peek(cursor)
            if kind <= RECORD_NONE:
                if kind < RECORD_NONE and not self.hold.armed:
                    self.hold.start(now, AGAIN_MS)
                return NOTHING
            if kind == KIND_RAW:
                return self._ask(_KEEP, now)
            self.buf = log.page
            self.at = log.at
            self.length = log.length
            self.flags = log.flags
        number = cursor.found
        if number <= self.numbers[KEPT_LAST] and self.is_kept(cursor):
            return self._ask(_KEEP, now)  # a server that was set back
        if number > self.allowed:
            return self._ask(_ALLOW, now)
        self.number = number
        self.sequence = (number - cursor.ahead - 1) % SEQUENCES + 1  # sequence_at, without a call
        self.once = False
        self.out = True
        if number > self.may_have:
            self.may_have = number
        return SEND

    def is_kept(self, cursor):
        """True if the quarantine has the cursor's next, or that cannot be told; else the page still holds that."""
        return self.quarantine.has(cursor.found) != 0 or self.log.peek(cursor) <= RECORD_NONE  # they share the page

    def _ask(self, todo, now):
        if self.hold.armed and not self.hold.expired(now):
            return NOTHING  # it could not be written just now
        self._todo = todo
        return WRITE

    def _next_else(self, now):
        """The same as `next` while something is refused, or a late one may go out."""
        doing = self.doing
        if doing == LATE_OUT:
            return self._next_late(now)
        if doing == FINISH:
            return self._ask(_FINISH, now)
        if self.cursor.number < self._drops:
            self._todo = _DROP
            return WRITE
        if doing == PASS:
            return self._next_of_pass(now)
        if (self.late.asked or doing == ORDER) and not self.is_open():
            self._late_entry = self.late.choose(now)
            if self._late_entry:
                self._todo = _LATE
                return WRITE
        if doing == ORDER:
            return self._next_in_order(now)
        if self.hold.armed and not self.hold.expired(now):
            if not self._has_more(now):
                return NOTHING
            self._seen = 0  # that counts once: a flash that takes nothing is not asked all the time
        self.hold.stop()
        if doing == HOLD:
            if self.is_stuck():
                self.hold.start(now, AGAIN_MS)
                return NOTHING
            self._once_more()
        if self._wants_pass:
            return self._begin_pass(now)
        code = self._next_in_order(now)
        if code != NOTHING and self.cursor.found != self.first:
            self._first_is_gone()
            self.first = self.cursor.found
        elif code == NOTHING and self.cursor.number >= self.first:
            self._end_trouble()  # and nothing else waits
        return code

    def left(self, now, ms):
        """Return `ms`, or what is left until `next` may give something, if that is less."""
        hold = self.hold
        if hold.armed:
            if hold.expired(now):
                hold.stop()
                return 0
            ms = hold.least(now, ms)
            if self._short >= 0:
                if ms > AGAIN_MS:
                    ms = AGAIN_MS  # nothing tells when there is room
            elif self.doing == RETRY and self.has_new():
                ms = self._soon.least(now, ms)
        return self.late.left(now, ms, self.doing == ORDER)

    # -- what became of it -------------------------------------------------------------------------------------

    def accepted(self, now):
        """The server has it. Hot: allocates nothing."""
        self.out = False
        if self.doing > RETRY:
            self._accepted_else(now)
            return
        numbers = self.numbers
        number = self.number
        cursor = self.cursor
        if cursor.number < number:
            cursor.advance()
            numbers[DELIVERED] += 1
        else:
            self._regain()
        numbers[TAKEN] = self.sequence
        self.health.counters[h.DELIVERED] += 1  # without a call
        if self.doing:
            self._end_trouble()
        late = self.late
        if late.wants and not late.timer.armed:
            late.good(now)

    def _accepted_else(self, now):
        if self.doing == LATE_OUT:
            self._late_taken = True
            self._todo = _LATE_OVER
        else:
            self._begin_finish(self.number, self.sequence)

    def _begin_finish(self, number, sequence):
        """The pass has found `number` taken: that an earlier one had too little room means nothing any more."""
        self._taken = number
        self._taken_sequence = sequence
        self._short = -1
        self.hold.stop()
        self.doing = FINISH

    def refused(self, code, now):
        """The server refuses it."""
        self.out = False
        self.late.afresh(now)
        if self.doing == LATE_OUT:
            self._late_taken = False
            self._todo = _LATE_OVER
        elif self.doing == PASS:
            self._pass_code = code
            self._meet(self.length)
        elif self._is_first(code):
            self._count_offer(now)

    def silent(self, now, proven=False):
        """The connection is gone; what was out may or may not be stored, and the next 08 tells.

        `proven`: the server has answered something on that connection, and had the time to answer this.
        """
        self.unsure = True
        if not self.out:
            return
        self.out = False
        if self.doing == LATE_OUT or not (self.doing == PASS or self._is_first(0)):
            return
        counts = proven or self._mutes >= PATIENCE
        if not counts:
            self._mutes += 1
        if self.doing == PASS:
            if counts and self._mute == self.number:
                self._meet(self.length)
                self._pass_code = 0
            elif counts:
                self._mute = self.number  # it goes out again
            # It may still be the server's trouble: the first goes out again before the pass goes on, unless it has had
            # no answer either.
            if self.code or not proven:
                self._once_more()
                self._goes_on = True
        elif counts:
            self._count_offer(now)

    def take(self, number, behind):
        """The server has `number`, one of several that were out; the cursor `behind` is just past it."""
        numbers = self.numbers
        if self.cursor.number < number:
            self.cursor.stand_at(behind)
            numbers[DELIVERED] += 1
        else:
            self._regain()
        numbers[TAKEN] = sequence_at(number - behind.ahead)
        self.health.counters[h.DELIVERED] += 1

    def is_passed(self, number):
        """True if no result before `number` waits."""
        cursor = self.cursor
        if cursor.number >= number:
            return True
        kind = self.log.peek(cursor)
        return kind == RECORD_NONE or (kind > RECORD_NONE and cursor.found > number)

    def _regain(self):
        """Count as delivered what was overwritten while it was out, and is taken."""
        numbers = self.numbers
        numbers[OVERWRITTEN] -= 1
        numbers[DELIVERED] += 1

    # -- the first is refused ----------------------------------------------------------------------------------

    def _is_first(self, code):
        """Make what went out the first that is refused; code 0: there was no answer. False if it was overwritten."""
        number = self.number
        if number <= self.cursor.number:
            return False  # meanwhile another one is the first
        if number != self.first:
            self._end_trouble()
            self.first = number
        self.doing = RETRY
        self.code = code
        return True

    def _count_offer(self, now):
        """The first was offered in vain: offer it again later, or begin a pass."""
        self._offers += 1
        is_proven = self._proven.armed and not self._proven.expired(now)
        is_enough = is_proven and (self.code != 0 or self._offers > 1)
        if self.parks and (is_enough or self._offers >= OFFERS):
            self._wants_pass = True
        else:
            self._wait(now, _RETRIES_MS[self._offers - 1] if self._offers < OFFERS else -1)

    def _wait(self, now, ms):
        """Hold everything for `ms`; with -1 for the pause between passes."""
        if ms < 0:
            ms = _PASSES_MS[self.failed if self.failed < 3 else 2]
            self.failed += 1
        if ms:
            self.hold.start(now, ms)

    def _end_trouble(self):
        """Go on in order. After a pass that must be durable first."""
        self.doing = ORDER
        self._wants_pass = self._goes_on = False
        self.first = self._offers = self._mutes = self._reach = self._met = self.failed = self._seen = self._drops = 0
        self.code = self._pass_code = self._short = -1
        self.hold.stop()
        self._soon.stop()
        if self.numbers[SENT] & SENT_PASS:
            self.allowed = self.cursor.number

    def _once_more(self):
        """Offer the first once, which may be another one by then; if it is refused the next pass comes."""
        self.doing = RETRY
        self._offers = OFFERS - 1
        self._wants_pass = self._goes_on = False

    def _first_is_gone(self):
        """The first was overwritten, or dropped; nothing is known of the next one yet."""
        self._once_more()
        self._drops = self.failed = 0
        self.code = self._short = -1

    def is_stuck(self):
        """True while the quarantine has no more room than when it was too little for what is refused."""
        return self._short >= 0 and self._has_first() and self.quarantine.octets() <= self._short

    def _has_first(self):
        """True unless what holds the others was overwritten."""
        return self.doing == FINISH or self.cursor.number < self.first

    def _has_more(self, now):
        """True if there is more room than the last pass had, or another record after all that it has met."""
        if self._short >= 0:
            return not self.is_stuck()
        return self.has_new() and self._soon.expired(now)

    def has_new(self):
        """True if another record came after all that the last pass has met."""
        return 0 < self._seen < self.log.number

    # -- the pass ----------------------------------------------------------------------------------------------

    def _begin_pass(self, now):
        """Begin a pass over what comes after the first, or go on with one."""
        self._wants_pass = False
        log = self.log
        scout = self._scout
        if self._goes_on and scout.number > self.cursor.number:
            self._goes_on = False
            self.doing = PASS
            return self._next_of_pass(now)
        self._goes_on = False
        scout.stand_at(self.cursor)
        kind = log.peek(scout)
        if kind < RECORD_NONE:
            self._wants_pass = True
            self.hold.start(now, AGAIN_MS)
            return NOTHING
        if kind == RECORD_NONE or scout.found != self.first:
            self._once_more()  # it was overwritten
            return BUSY
        scout.advance()
        self._fits = self.quarantine.measure(log.length)
        self._room = self.quarantine.octets()
        if not self._fits:
            self._hold(now)
            return NOTHING
        if self._met >= self._reach:
            self._reach = self._reach * 2 or REACH
        self._met = self.others = 0
        self.doing = PASS
        return self._next_of_pass(now)

    def _next_of_pass(self, now):
        log = self.log
        scout = self._scout
        if self.hold.armed and not self.hold.expired(now):
            return NOTHING
        if scout.number < self.first or self.cursor.number >= self.first:  # overwritten
            self._once_more()
            return BUSY
        for _ in range(_A_TURN):
            kind = log.peek(scout)
            if kind < RECORD_NONE:
                self.hold.start(now, AGAIN_MS)
                return NOTHING
            if kind == RECORD_NONE or self._met >= self._reach or not self._fits:
                self._end_pass(kind == RECORD_NONE, now)
                return NOTHING
            number = scout.found
            numbers = self.numbers
            if kind == KIND_RESULT and (number > numbers[KEPT_LAST] or not self.is_kept(scout)):
                if number > self.allowed or not numbers[SENT] & SENT_PASS:
                    return self._ask(_PASS, now)
                self.others += 1
                return self._give(log, number, log.length, sequence_at(number - scout.ahead))
            self._meet(log.length)
        return BUSY

    def _meet(self, length):
        """Let the scout pass one that is not taken; there has to be room for it before the next one goes out."""
        self._scout.advance()
        self._met += 1
        self._fits = self.quarantine.fits(length)

    def _give(self, log, number, length, sequence):
        self.buf = log.page
        self.at = log.at
        self.flags = log.flags
        self.length = length
        self.number = number
        self.sequence = sequence
        self.once = self.out = True
        if number > self.may_have:
            self.may_have = number
        return SEND

    def _end_pass(self, at_end, now):
        """End a pass in which nothing was taken."""
        self._close()
        self._once_more()
        self._seen = self.log.number if at_end and self._met <= REACH else 0
        self._mutes = 0
        self._short = -1 if self._fits else self._room
        self._wait(now, -1)
        self._soon.start(now, SOON_MS)

    def _close(self):
        """Leave nothing in doubt that the cursor has not passed, even if an 08 that could not be believed left more."""
        self.may_have = self.cursor.number
        self._open = 0

    # -- late ones ---------------------------------------------------------------------------------------------

    def _next_late(self, now):
        if self._todo == _LATE_OVER:
            return self._ask_over(now)
        quarantine = self.quarantine
        entry = self.numbers[LATE]
        kind = quarantine.next_entry(entry - 1)
        if kind != KIND_RESULT or quarantine.entry != entry:
            self._late_taken = False  # it cannot be read now, or is dropped
            return self._ask_over(now)
        self.late_number = quarantine.number
        self.late.goes_out(quarantine.number)
        return self._give(quarantine.log, quarantine.number, quarantine.length, self._next_sequence())

    def _ask_over(self, now):
        """Ask to end a late offer. It waits for no hold: that is for what is refused in order."""
        self._todo = _LATE_OVER
        pause = self.late.pause
        return NOTHING if pause.armed and not pause.expired(now) else WRITE

    def ask(self, number, in_doubt):
        """An operator wants the log's `number` offered now; return an ASK_ code of agent.quarantine.quarantine."""
        if self.doing == FINISH and self.is_stuck():  # no number on the wire is free before the pass is over
            return ASK_NO_ROOM
        return self.late.ask(number, in_doubt)

    # -- what is durable first ---------------------------------------------------------------------------------

    def write(self, now):
        """Do what `next` has asked for, as the flash may be used now; False if it has to wait."""
        todo = self._todo
        if todo == _ALLOW:
            done = self.allow(self.cursor.found)
        elif todo == _KEEP:
            done = self._keep_next(now)
        elif todo == _PASS:
            done = self._say_pass()
        elif todo == _FINISH:
            done = self._finish(now)
        elif todo == _LATE:
            done = self._begin_late()
        elif todo == _DROP:
            done = self.drop_first() == DROP_DONE
        else:
            done = self._end_late(now)
        if not done:
            self._put_off(todo, now)
        return done

    def copies(self):
        """True if what `write` has to do may write to the quarantine, too."""
        return self._todo > _PASS or self._todo == _KEEP

    def _put_off(self, todo, now):
        if todo == _LATE or todo == _LATE_OVER:
            self.late.pause.start(now, AGAIN_MS)
        elif self.hold.armed and not self.hold.expired(now):
            return  # it has been noted already
        else:
            self.hold.start(now, AGAIN_MS)
        self.health.note(h.NOT_SAVED, todo, now)

    def _save(self):
        """Make the state durable; with a flash that can no longer save, results go out all the same."""
        return self.state.save() or self.state.alarm == STATE_LAST

    def _say(self, limit, sent):
        """Make the state say this durably; True if it does. A failed save may still count, until a later one does."""
        numbers = self.numbers
        old_limit, old_sent = numbers[LIMIT], numbers[SENT]
        numbers[LIMIT] = limit if limit > self.may_have else self.may_have
        numbers[SENT] = sent
        if self._save():
            self.allowed = limit
            return True
        numbers[SENT] = old_sent
        numbers[LIMIT] = old_limit
        self.allowed = self.cursor.number  # so nothing goes out before that
        return False

    def is_open(self):
        """True while the last 08 has left open what was out: a later one may still name what a pass has sent."""
        return self.cursor.number < self._open

    def _in_order(self):
        """Return SENT without what speaks of a pass or a window, as far as that is settled."""
        sent = self.numbers[SENT]
        if sent & SENT_PASS and self.is_open():
            return sent | self.keeps
        if sent & SENT_WINDOW and self.cursor.number < self.may_have:
            return sent & ~SENT_PASS | self.keeps  # a later 08 may still name one of those that were out
        return sent & (SENT_MET | SENT_EVENTS_MET) | self.keeps

    def allow(self, number):
        """W1, W2: let `number` go out in order, with the rest of its batch; True if that is durable."""
        return self._say(number if self.doing or self.is_open() else number + self.batch - 1, self._in_order())

    def prepare(self):
        """The flash may be used now and perhaps not for long: allow the next ones if that is due soon."""
        number = self.cursor.number
        if self.doing or self.unsure or self.is_open() or self.allowed > number + self.batch // 2:
            return True
        return self._say(number + self.batch, self._in_order())

    def _keep_next(self, now):
        """Set an unreadable frame aside when its turn comes; pass what the quarantine has."""
        return self.set_aside(self.cursor.found, PARKED_UNREADABLE, now)

    def _hold(self, now):
        """Hold everything: there is no room for the first."""
        self.doing = HOLD
        self._short = self._room
        self.hold.start(now, AGAIN_MS)
        self.health.note(h.PARKED_FAILED, NO_ROOM, now)

    def _keep(self, number, reason, now):
        """Set the log's record `number` aside; return a code of Quarantine.keep."""
        if self.state.alarm == STATE_LAST:  # the log keeps everything, and no cursor is durable any more
            self.health.note(h.PARKED_FAILED, reason, now)
            return KEPT_BEFORE
        code = self.quarantine.keep(number, reason)
        if code == KEPT_DONE:
            self.late.wants = True
            self.health.note(h.PARKED, reason, now)
        return code

    def set_aside(self, number, reason, now):
        """Set the log's `number`, which is the cursor's next, aside and pass it; True if that is done."""
        if self.state.durable[CURSOR] < self.cursor.number > self.numbers[KEPT_LAST] and not self._save():
            return False  # a restart passes what is kept, and nothing else may be before it
        code = self._keep(number, reason, now)
        if code == NO_ROOM:
            self.first = number
            self.code = reason
            self._room = self.quarantine.octets()
            self._hold(now)
        return code > 0 and self._pass(number)

    def _pass(self, number):
        """Let the cursor pass `number`, which is its next; False if it cannot be read now."""
        cursor = self.cursor
        if cursor.number < number:
            if self.log.peek(cursor) <= RECORD_NONE or cursor.found != number:
                return False
            cursor.advance()
        return True

    def _say_pass(self):
        """W3: make durable that from now on the 08 vouches only for the one that it names."""
        numbers = self.numbers
        limit = self._scout.found + self._reach - self._met - 1
        return self._say(limit if limit > numbers[LIMIT] else numbers[LIMIT], self._in_order() | SENT_PASS)

    def _finish(self, now):
        """The pass has found one that is taken: copy those before it, then pass them all (W4)."""
        cursor = self.cursor
        taken = self._taken
        for _ in range(_A_TURN):
            kind = self.log.peek(cursor)
            if kind < RECORD_NONE or (kind == RECORD_NONE and self.log.doubtful):
                return False
            if kind == RECORD_NONE or cursor.found >= taken:
                return self._pass_taken(now)
            number = cursor.found
            reason = self.code if number == self.first else self._pass_code
            if kind == KIND_RAW:
                reason = PARKED_UNREADABLE
            code = self._keep(number, PARKED_MOVED if reason < 0 else reason or PARKED_SILENT, now)
            if code == NO_ROOM:
                if self._short < 0:
                    self.health.note(h.PARKED_FAILED, NO_ROOM, now)
                self._short = self.quarantine.octets()
                self.hold.start(now, AGAIN_MS)
            if code <= 0:
                return False
            self._short = -1
            if not self._pass(number):
                return False
        return True

    def _pass_taken(self, now):
        numbers = self.numbers
        taken = self._taken
        self._taken = 0
        if self.cursor.number >= taken:
            self._regain()
        else:
            numbers[DELIVERED] += 1
            if self.cursor.found == taken:  # else it cannot be read any more
                self.cursor.advance()
        numbers[TAKEN] = self._taken_sequence
        self._close()
        self.health.counters[h.DELIVERED] += 1
        self._end_trouble()
        self._proven.start(now, PROVEN_MS)
        self.late.good(now)
        return self._say(self.cursor.number + self.batch, self._in_order())  # else that comes before the next one

    def _begin_late(self):
        """W5: make durable that the next number on the wire is a late one's."""
        quarantine = self.quarantine
        numbers = self.numbers
        entry = self._late_entry
        if not quarantine.may_leave():
            return quarantine.tidy()
        numbers[LATE] = entry
        self._go_ahead(-1)
        if not self._say(self.cursor.number, self._in_order()):
            numbers[LATE] = 0
            self._go_ahead(1)
            return False
        self._before = self.doing
        self.doing = LATE_OUT
        return True

    def _end_late(self, now, is_unknown=False):
        """W6: it was taken and leaves the quarantine, or it was not and its number on the wire is free again.

        With `is_unknown` that cannot be told: it stays there, and its number is used up.
        """
        numbers = self.numbers
        entry = numbers[LATE]
        if entry:
            is_taken = self._late_taken
            if not self.quarantine.end_late(is_taken):
                return False
            self.late.done(entry, is_taken, now)
            if is_taken:
                numbers[DELIVERED] += 1
                self.health.counters[h.DELIVERED] += 1
            if is_taken or is_unknown:
                numbers[TAKEN] = self._next_sequence()
                self.lates += 1
                self._lates_at[self.lates % LATES_MOST] = self.cursor.number
            else:
                self._go_ahead(1)
        if not self._save():
            return False
        self._todo = 0
        if self.doing == LATE_OUT:
            self.doing = self._before
            if self.doing == HOLD:
                self.hold.stop()
        return True

    def drop_first(self):
        """An operator drops the one that all others wait for; return DROP_DONE when that is durable."""
        numbers = self.numbers
        if not ((self._short >= 0 or self.failed) and self._has_first()):
            return DROP_NONE
        cursor = self.cursor
        if self.log.peek(cursor) <= RECORD_NONE:
            return DROP_NONE
        if self.out or self.unsure:
            self._drops = cursor.found
            return DROP_SOON
        before, ahead, limit, sent = cursor.number, cursor.ahead, numbers[LIMIT], numbers[SENT]
        cursor.advance()
        numbers[DROPPED] += 1
        is_taken = self.doing == FINISH  # one after it is
        done = self._say(limit if is_taken else cursor.number, sent if is_taken else self._in_order())
        if not done:
            numbers[DROPPED] -= 1
            self.log.rewind(cursor, before, ahead)
        elif not is_taken:
            self._first_is_gone()
            self.hold.stop()
        return DROP_DONE if done else DROP_NONE

    def offer_again(self, number):
        """An operator has everything from `number` on sent again; True if that is durable. Nothing may be connected.

        It goes out with new sequences, after whatever the next 08 names: a server that names one of these now, or has
        some of them still, cannot be told from one that was emptied.
        """
        numbers, cursor = self.numbers, self.cursor
        if numbers[LATE] or self._drops or not self.state.ready():
            return False  # the next 08 tells what became of those
        before, ahead, may_have = cursor.number, cursor.ahead, self.may_have
        self.log.rewind(cursor, number - 1, ahead)
        self.may_have = cursor.number
        if not self._say(cursor.number, numbers[SENT] & SENT_EVENTS_MET | self.keeps):
            self.log.rewind(cursor, before, ahead)
            self.may_have = may_have
            return False
        self._end_trouble()
        self._close()
        self._taken = 0
        return True

    def save_at_end(self):
        """Make durable, at an orderly end, the cursor and what was really sent; True if that is done."""
        return self._say(self.cursor.number, self.numbers[SENT])

    # -- where the server stands -------------------------------------------------------------------------------

    def lates_before(self, number):
        """Return how many numbers late ones have used up before the log's `number`, since the start."""
        count = self.lates
        for at in self._lates_at:
            count -= at >= number
        return count

    def _here(self):
        """Return the sequence of what the cursor passed last."""
        return sequence_at(self.cursor.number - self.cursor.ahead)

    def _next_sequence(self):
        """Return the sequence that follows what the server has; the cursor may be past what it never gets."""
        return sequence_at(self.numbers[TAKEN] + 1)

    def _go_ahead(self, count):
        for one in (self.cursor, self._scout):  # a pass may go on behind a late one
            one.ahead = (one.ahead + count) % SEQUENCES

    def resume(self, stored, now):
        """The 08 names `stored` (DIGEST G.8): go on from there; False if that could not be written down, or read."""
        numbers = self.numbers
        self.late.afresh(now)
        self._taken = 0
        self._is_odd = False
        if self.doing == FINISH:
            self.doing = RETRY  # the 08 says it again
        if not self.state.ready():
            return False
        if self.log.doubtful:
            self.log.settle()  # it may have been sent before this start
        self.quarantine.settle()  # what is in doubt there is never offered again
        if not numbers[SENT] & SENT_MET:
            done = self._rebase(stored)  # what goes out first follows what the server has
        else:
            done = self._resume_late(stored, now) and self._resume_at(stored, now)
        if done:
            self.unsure = False
            self._open = self.may_have if self._is_odd else 0
            is_pass = numbers[SENT] & SENT_PASS
            if not (self._is_odd and is_pass):
                self._settle_out()
            if self.doing == ORDER and is_pass:
                # What it has sent may still be there, whatever the 08 says: nothing goes out in order after the first.
                self._once_more()
            elif self.doing == ORDER:
                self._end_trouble()
        return done

    def _settle_out(self):
        """One named of a pass or of a window says nothing about those before it: next time they may be sent."""
        if self.numbers[SENT] & (SENT_PASS | (0 if self._is_odd else SENT_WINDOW)):
            self.may_have = self._taken or self.cursor.number

    def _resume_late(self, stored, now):
        """A late one was out: taken if the 08 names it."""
        numbers = self.numbers
        if numbers[LATE]:
            self._late_taken = stored == self._next_sequence()
        elif self.doing != LATE_OUT:
            return True
        return self._end_late(now, stored != numbers[TAKEN])

    def _resume_at(self, stored, now):
        if stored == 0:
            return self._server_is_empty(now)
        self._has_resent = False
        numbers = self.numbers
        cursor = self.cursor
        taken = numbers[TAKEN]
        if stored == taken:
            # Nothing more than before: that says nothing about a window yet, one at a time will show. Until then a
            # restart has to know which answers were read, else it doubts those.
            self._is_odd = numbers[SENT] & (SENT_PASS | SENT_WINDOW) == SENT_WINDOW
            return not self._is_odd or self._save()
        here = self._here()
        if (stored - taken) % SEQUENCES <= (here - taken) % SEQUENCES < _HALF:
            self._regain()  # it was out when it was overwritten
            numbers[TAKEN] = stored
            return True
        reached = self._find_row((stored - here) % SEQUENCES)
        if reached < 0:
            return False
        behind = (taken - stored) % SEQUENCES
        if reached:
            if not numbers[SENT] & SENT_PASS:
                return self._take_up_to(reached, stored, now)
            self._begin_finish(reached, stored)
            return True
        self._is_odd = True
        if behind < _HALF and behind <= cursor.number:
            self.health.note(h.SERVER_BEHIND, behind, now)
            return not self.rewinds or self._rewind(behind + (here - taken) % SEQUENCES, stored)
        self.health.note(h.RESUME_UNKNOWN, stored, now)
        # What is new would look stored already.
        return (here - stored) % SEQUENCES < _HALF or self._rebase(stored)

    def _find_row(self, rows):
        """Return the number of the record `rows` places after the cursor; 0 if it was never sent, -1: ask again."""
        cursor, log = self.cursor, self.log
        scout = Cursor()
        scout.stand_at(cursor)
        row = cursor.number - cursor.ahead + rows
        kind = log.peek(scout)
        while kind > RECORD_NONE and scout.found - scout.ahead < row and scout.found <= self.may_have:
            scout.advance()
            kind = log.peek(scout)
        number = row + scout.ahead  # also of one that cannot be read any more
        if kind < RECORD_NONE:
            return -1
        return number if number <= self.may_have else 0

    def _rebase(self, stored):
        """Make what goes out next follow what the server has; nothing that was out counts."""
        numbers, cursor = self.numbers, self.cursor
        ahead, taken, may_have = cursor.ahead, numbers[TAKEN], self.may_have
        cursor.ahead = (cursor.number - stored) % SEQUENCES
        numbers[TAKEN] = stored
        self.may_have = cursor.number
        if self._say(cursor.number, self._in_order() | SENT_MET):
            self._end_trouble()
            return True
        cursor.ahead = ahead
        numbers[TAKEN] = taken
        self.may_have = may_have
        return False

    def _server_is_empty(self, now):
        numbers = self.numbers
        self._is_odd = True
        if numbers[DELIVERED]:
            self.health.note(h.SERVER_EMPTY, numbers[TAKEN], now)
            if self.resends_if_empty and not self._has_resent:
                # A server that never says what it has gets them once.
                self._has_resent = self._rewind(self.cursor.number + LATES_MOST, 0)
                return self._has_resent
        return True

    def _rewind(self, rows, stored):
        """Send again what the server has lost, `rows` places back, as far as the log still has it.

        `stored` is the sequence that it has, 0 if it has none. Places that late ones have used up are not sent again:
        the row goes on after a gap.
        """
        from agent.log.back import go_back

        numbers, cursor = self.numbers, self.cursor
        here = self._here()
        if not go_back(self.log, cursor, rows, SEQUENCES):
            return False
        gone = (here - self._here()) % SEQUENCES
        while gone + self.lates - self.lates_before(cursor.number + 1) > rows and self.log.peek(cursor) > RECORD_NONE:
            cursor.advance()
            gone -= 1
        numbers[TAKEN] = stored or self._here()
        self._end_trouble()
        self._settle_out()
        return self._say(cursor.number, numbers[SENT])

    def _take_up_to(self, reached, stored, now):
        """The server has everything up to `reached`: only answers were lost. False if that cannot be read."""
        numbers = self.numbers
        cursor = self.cursor
        while cursor.number < reached:
            kind = self.log.peek(cursor)
            number = cursor.found
            if kind < RECORD_NONE or (kind == RECORD_NONE and self.log.doubtful):
                return False  # ask again
            if kind == RECORD_NONE or number > reached:
                break  # what was sent cannot be read any more
            reason = 0
            if kind == KIND_RAW:
                reason = PARKED_UNREADABLE
            elif number <= numbers[KEPT_LAST] and self.quarantine.has(number):
                reason = PARKED_MOVED  # it is there
            elif self.doubts is not None:
                reason = self.doubts.reason_of(number, (stored - number + cursor.ahead) % SEQUENCES)
            is_dropped = reason and number == self._drops  # an operator drops it: there is no room
            if reason and not is_dropped:
                if not self.set_aside(number, reason, now):
                    return False
                continue
            if not self._pass(number):
                return False
            numbers[DROPPED if is_dropped else DELIVERED] += 1
            self.health.count(h.RESUMED)
        numbers[TAKEN] = stored
        self._end_trouble()
        return True


assert FAILED < 0 and NO_ROOM < 0
