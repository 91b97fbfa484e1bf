"""What an 08 says about what went out before it: where to go on (protocol.md 8.4). Looked at at each connection.

    the 08 names                           what that means
    anything, and no server was met yet    what goes out next follows it (`_rebase`); nothing that was out counts
    anything, and an order was given       the same, but behind all sequences that were used (sequence_break)
    0                                      the server is empty: go on; an operator may order all again (`offer_again`).
                                           This and a server set back are in doubt, durably (`data_loss`)
    TAKEN                                  nothing new; where several were out, that says nothing yet: odd
    one up to the cursor                   LOOKAHEAD, or several out: it alone was taken before the log gave it up
                                           else: all up to it were
    one behind it that may have been sent  LOOKAHEAD: it alone was taken, and proves those in front of it refused
                                           else: all up to it were. Of an earlier version that had several out,
                                           those in front of it are in doubt, and quarantined
    one before TAKEN                       odd: the server was set back; what it lacks again, if it `rewind`s
    one of before a break                  the same, of another result (sequence_break)
    anything else                          odd: never sent from here, as far as the state knows; all that was delivered
                                           is in doubt. Nothing is skipped: a state set back by damage looks like a
                                           station number that is used twice. Up to half a circle ahead: what goes out
                                           next follows it. Else it keeps its sequences: what another database has under
                                           them would be taken for what has them now
                                           The next 08 is judged by what was before, if nothing went out
                                           (unknown_sequence)

A reoffered one that is out is settled first (toolcart.agent.outlets.toolsnet.reoffer). An odd 08 settles nothing
that was out.

What the log gives up counts as overwritten, and as delivered once the 08 says that all up to it were taken. After a cut
that may be up to a batch behind the place of the last snapshot that let one go out; else it is the one that was out.
Where events lie between, that is a bound: OVERWRITTEN is too high rather than too low.
What was kept, dropped or damaged there is not among them.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.snapshot_fields import (
    DELIVERED,
    DOUBT_LACKS,
    DOUBT_TO,
    DROPPED,
    HAD_MORE,
    OVERWRITTEN,
    QUARANTINE_LAST,
    SEND_LIMIT,
    SENT,
    SENT_AGAIN,
    SENT_ALONE,
    SENT_BACK,
    SENT_EMPTY,
    SENT_EVENTS_MET,
    SENT_MET,
    SENT_OPEN,
    STORED,
    TAKEN,
    again_to,
)
from toolcart.agent.record import KIND_RAW
from toolcart.agent.record.result import QUARANTINED_IN_DOUBT, QUARANTINED_MOVED, QUARANTINED_UNREADABLE
from toolcart.agent.toolsnet.telegram import SEQUENCES, sequence_at

_HALF = const(50000)
_SEVERAL_MOST = const(8)  # that an earlier version had outstanding


class StateAtStart:
    """Cursor and state as the start found them: what was out then may be overwritten before the first 08 comes."""

    def __init__(self, cursor, numbers):
        self.number = cursor.number
        self.sequence_lag = cursor.sequence_lag
        self.here = _sequence_of(cursor)
        self.taken = numbers[TAKEN]
        self.limit = numbers[SEND_LIMIT]
        self.is_alone = numbers[SENT] & SENT_ALONE != 0
        self.overwritten = numbers[OVERWRITTEN]
        # Of a server that was set back TAKEN is less than it has had: all up to here.
        self.had_to = numbers[DOUBT_TO] if numbers[SENT] & SENT_BACK else 0


def _sequence_of(cursor):
    """Return the sequence of what the cursor passed last."""
    return sequence_at(cursor.number - cursor.sequence_lag)


class ResumePoint:
    """Where one server stands."""

    def __init__(self, policy, settings):
        self.policy = policy
        self.numbers = policy.numbers
        self.cursor = policy.cursor
        self.in_flight = policy.in_flight
        self.awaits_08 = True  # the next 08 tells what became of what was out
        self.is_odd = False  # the last 08 named nothing that is known here
        self._rewinds = settings["rewind"]
        self.doubted = None  # what was in doubt when something was sent last (data_loss)
        self.unknown = None  # unknown_sequence's, from an 08 that names what was never sent on
        # What is sent again is counted since that began, or since the start.
        self.again_since_start = True
        self.again_base = self.numbers[DELIVERED]  # then
        # None from the first 08 on that is not odd
        self.start: "StateAtStart | None" = StateAtStart(self.cursor, self.numbers)

    def resume(self, stored, now):
        """The 08 names `stored`: go on from there; False if that could not be written down, or read."""
        policy, in_flight = self.policy, self.in_flight
        self.is_odd = False
        if not in_flight.state.ensure_reliable():
            return False
        if policy.log.doubtful:
            policy.log.settle()  # it may have been sent before this start
        policy.lookahead.quarantine.settle()  # what is in doubt there is never offered again
        if self.unknown is not None and stored != self.unknown.stored and not self.unknown.take_back():
            return False
        if not self.numbers[SENT] & SENT_MET:
            done = self._rebase(stored)  # what goes out first follows what the server has
        else:
            done = policy.reoffer.resume(stored, now) and self._resume_at(stored, now)
        if done:
            self.awaits_08 = False
            in_flight.unsettled_to = in_flight.may_have if self.is_odd else 0
            if not self.is_odd:
                self.start = None
                self._settle_out()
        return done

    def _settle_out(self):
        """One named of a lookahead says nothing about those before it: next time they may be sent."""
        in_flight = self.in_flight
        if in_flight.is_lookahead():
            in_flight.may_have = self.policy.lookahead.taken or self.cursor.number

    def _here(self):
        """Return the sequence of what the cursor passed last."""
        return _sequence_of(self.cursor)

    def _resume_at(self, stored, now):
        if stored == 0:
            return self._is_empty(now)
        policy, in_flight, cursor, numbers = self.policy, self.in_flight, self.cursor, self.numbers
        here = self._here()
        if numbers[SENT] & (SENT_EMPTY | SENT_BACK) and self._is_back(stored):
            return in_flight.save()
        taken = numbers[TAKEN]
        is_old, was_sent = self.is_old(stored), self.may_be_behind(stored)
        if stored == taken != here and numbers[DOUBT_LACKS] and numbers[DOUBT_TO] == cursor.number:
            self.is_odd = True  # it is still set back
            from toolcart.agent.outlets.toolsnet.data_loss import begin

            return not (self._rewinds and was_sent) or self._rewind(self.rows_back(stored), stored, begin(policy))
        if stored == taken:
            self.is_odd = in_flight.were_several() and not in_flight.is_lookahead()  # one at a time will show
            return True
        if was_sent and not is_old and (stored - taken) % SEQUENCES <= (here - taken) % SEQUENCES < _HALF:
            if in_flight.is_lookahead() or in_flight.were_several():
                policy.count_delivered_after_all()
            elif not self._count_delivered_after_all(stored, 1):
                return False
            numbers[TAKEN] = stored
            return True
        reached = 0 if is_old else self._find_row((stored - here) % SEQUENCES)
        if reached < 0:
            return False
        if reached:
            if not in_flight.is_lookahead():
                return self._take_up_to(reached, stored, now)
            policy.found_taken(reached, stored)
            return True
        self.is_odd = True
        if was_sent:
            return self._is_behind(stored, now)
        return self._is_unknown(stored, now)

    def _count_delivered_after_all(self, stored, least):
        """All up to `stored`, which the cursor has passed, are taken; False if it cannot be read now which these are.

        `least` of them are, where only what went out since the last 08 may be.
        """
        start, numbers = self.start, self.numbers
        taken = numbers[TAKEN]
        rows = least
        # Where something has gone out since, after an 08 that was odd, the one named may be that.
        if start is not None and not self.policy.number and start.taken == taken:
            # Where events lie nobody knows any more: as if they lay where that leaves most overwritten.
            others = max(0, min(start.sequence_lag, self.policy.log.number - numbers[STORED]))
            before = (start.here - taken) % SEQUENCES
            allowed = 1 if start.is_alone else self.in_flight.most
            open_numbers = max(0, start.number - max(start.limit - allowed, start.had_to))
            settled = max(0, before - max(0, open_numbers - others))
            passed = (self._here() - start.here) % SEQUENCES - (numbers[OVERWRITTEN] - start.overwritten)
            kept = self._kept_in(start.number - min(before, open_numbers) - others, start.number)
            if kept < 0:
                return False
            rows = (stored - taken) % SEQUENCES - settled - kept - max(0, passed)
            # If events lay elsewhere, more would be delivered; and what is damaged now may have been.
            if settled > max(0, before - open_numbers) or rows > numbers[OVERWRITTEN]:
                self.in_flight.state.places |= HAD_MORE
        self.policy.count_delivered_after_all(min(max(rows, 0), numbers[OVERWRITTEN]))
        return True

    def _kept_in(self, first, last):
        """Return how many numbers behind `first`, up to `last`, are kept; -1 if that cannot be read now."""
        if first >= last:
            return 0
        quarantine = self.policy.lookahead.quarantine
        count = 0
        kind = quarantine.next_listed(0)
        while kind > RECORD_NONE:
            count += first < quarantine.number <= last
            kind = quarantine.next_listed(quarantine.entry)
        return count if kind == RECORD_NONE else -1

    def _find_row(self, rows):
        """Return the number of the record `rows` places after the cursor; 0 if it was never sent, -1: ask again."""
        cursor, log, may_have = self.cursor, self.policy.log, self.in_flight.may_have
        scout = Cursor()
        scout.stand_at(cursor)
        row = cursor.number - cursor.sequence_lag + rows
        kind = log.peek(scout)
        while kind > RECORD_NONE and scout.found - scout.sequence_lag < row and scout.found <= may_have:
            scout.advance()
            kind = log.peek(scout)
        number = row + scout.sequence_lag  # also of one that cannot be read any more
        if kind < RECORD_NONE:
            return -1
        return number if number <= may_have else 0

    def _rebase(self, stored):
        """Make what goes out next follow what the server has; nothing that was out counts."""
        numbers, cursor, in_flight = self.numbers, self.cursor, self.in_flight
        lag, taken, may_have = cursor.sequence_lag, numbers[TAKEN], in_flight.may_have
        lacks, doubt_to, bits = numbers[DOUBT_LACKS], numbers[DOUBT_TO], numbers[SENT]
        if taken and not bits & SENT_MET:
            from toolcart.agent.outlets.toolsnet.data_loss import note_lost_meanwhile

            note_lost_meanwhile(self.policy, stored)
        state = in_flight.state
        broke = state.broke_at, state.broke_by
        if again_to(numbers) > cursor.number and (not stored or (self._here() - stored) % SEQUENCES < _HALF):
            # No sequence is used twice: it may lack what is not sent again, and be exchanged for one that does not.
            if not stored or self.rows_back(stored) % SEQUENCES:
                stored = self._here()
        cursor.sequence_lag = (cursor.number - stored) % SEQUENCES
        if taken or bits & SENT_MET or again_to(numbers):
            from toolcart.agent.outlets.toolsnet.sequence_break import note

            note(state, stored, (lag - cursor.sequence_lag) % SEQUENCES)
        numbers[TAKEN] = stored
        in_flight.may_have = cursor.number
        if in_flight.declare(cursor.number, in_flight.in_order() & ~(SENT_EMPTY | SENT_BACK) | SENT_MET):
            self.policy.resume_in_order()
            return True
        cursor.sequence_lag = lag
        state.broke_at, state.broke_by = broke
        numbers[TAKEN], numbers[DOUBT_LACKS], numbers[DOUBT_TO], numbers[SENT] = taken, lacks, doubt_to, bits
        in_flight.may_have = may_have
        return False

    def _is_empty(self, now):
        from toolcart.agent.outlets.toolsnet.data_loss import note_empty

        self.is_odd = True
        return note_empty(self.policy, now)

    def _is_unknown(self, stored, now):
        from toolcart.agent.outlets.toolsnet.data_loss import note_unknown
        from toolcart.agent.outlets.toolsnet.unknown_sequence import UnknownSequence

        self.policy.counters.note(counter.RESUME_UNKNOWN, stored, now)
        # If the state was set back by damage, the server has what waits: as many as its number is ahead, which wraps.
        waiting = min((stored - self._here()) % SEQUENCES, self.policy.log.backlog_of(self.cursor))
        unknown = UnknownSequence(self.policy, stored, waiting)
        note_unknown(self.policy)
        if self.numbers[TAKEN] and (self._here() - stored) % SEQUENCES < _HALF:
            self.numbers[TAKEN] = stored
            done = self.in_flight.save()
        else:
            done = self._rebase(stored)
        if not done:
            return False
        unknown.is_written()
        self.unknown = unknown
        return True

    def _is_back(self, stored):
        from toolcart.agent.outlets.toolsnet.data_loss import is_back

        return is_back(self.policy, stored)

    def _is_behind(self, stored, now):
        from toolcart.agent.outlets.toolsnet.data_loss import note_behind

        rows = self.rows_back(stored)
        doubts = note_behind(self.policy, stored, rows, now)
        return self._rewind(rows, stored, doubts) if self._rewinds and doubts else self.in_flight.save()

    def rows_back(self, stored):
        """Return how many results there are behind the one that `stored` names, up to the cursor; below 0: after it."""
        rows = (self._here() - stored) % SEQUENCES
        if self.in_flight.state.broke_at:
            from toolcart.agent.outlets.toolsnet.sequence_break import rows_of

            return rows_of(self.in_flight.state, self.cursor, stored, rows)
        return rows

    def is_old(self, stored):
        """True if `stored` is a sequence of before the break."""
        state = self.in_flight.state
        return state.broke_at != 0 and (state.broke_at - stored) % SEQUENCES < _HALF

    def may_be_behind(self, stored):
        """True if `stored` names a result that this spool has sent, and the cursor has passed."""
        state, cursor = self.in_flight.state, self.cursor
        back = (self._here() - stored) % SEQUENCES
        if not self.is_old(stored):
            # Behind a break as many sequences more were used as it says.
            again = state.broke_by if state.broke_at and state.broke_by < _HALF else 0
            return back < _HALF and back <= cursor.number + again
        from toolcart.agent.outlets.toolsnet.sequence_break import was_sent

        return was_sent(state, cursor, stored, back, again_to(self.numbers))

    def _rewind(self, rows, stored, doubts):
        """Send again what the server has lost, `rows` places back, as far as the log still has it; the rest it lacks.

        `stored` is the sequence that it has, `doubts` what was in doubt before (data_loss.begin). Places that
        reoffered ones have used up are not sent again: the row goes on after a gap.
        """
        from toolcart.agent.log.rewind import rewind
        from toolcart.agent.outlets.toolsnet.data_loss import send_rows_again

        numbers, cursor, log, offer = self.numbers, self.cursor, self.policy.log, self.policy.reoffer
        in_flight = self.in_flight
        here, was = self._here(), cursor.number
        there = rewind(log, cursor, rows, SEQUENCES)
        if there < 0:
            return False
        gone = (here - self._here()) % SEQUENCES
        while gone + offer.used - offer.used_before(cursor.number + 1) > rows and log.peek(cursor) > RECORD_NONE:
            cursor.advance()
            there -= 1
            gone = (here - self._here()) % SEQUENCES
        numbers[TAKEN] = stored
        if self.is_old(stored):  # the break is there now; and what the server has is no sequence of another result
            state, short = in_flight.state, (stored - self._here()) % SEQUENCES
            if short >= _HALF:
                short = 0
            cursor.sequence_lag = (cursor.sequence_lag - short) % SEQUENCES
            state.broke_at, state.broke_by = stored, (state.broke_by + short) % SEQUENCES
        send_rows_again(self.policy, was, rows, there, gone - there, doubts)
        self._count_anew()
        if cursor.number != was:  # else the first is the same, and was offered as often as before
            self.policy.resume_in_order()
        self._settle_out()
        return in_flight.declare(cursor.number, numbers[SENT])

    def _count_anew(self):
        self.again_base = self.numbers[DELIVERED]
        self.again_since_start = False

    def _take_up_to(self, reached, stored, now):
        """The server has everything up to `reached`: only answers were lost. False if that cannot be read."""
        policy, numbers, cursor = self.policy, self.numbers, self.cursor
        log = policy.log
        here = self._here()
        if 0 < (here - numbers[TAKEN]) % SEQUENCES < _HALF and not self.in_flight.were_several():
            if not self._count_delivered_after_all(here, 0):
                return False
            numbers[TAKEN] = here
        left = (stored - here) % SEQUENCES  # that are not accounted for
        while cursor.number < reached:
            kind = log.peek(cursor)
            number = cursor.found
            if kind < RECORD_NONE or (kind == RECORD_NONE and log.doubtful):
                return False  # ask again
            if kind == RECORD_NONE or number > reached:
                from toolcart.agent.outlets.toolsnet.data_loss import count_unreadable

                rows = (stored - self._here()) % SEQUENCES
                count_unreadable(numbers, rows)
                left = 0 if rows < _HALF else left
                break  # what was sent cannot be read any more
            left -= 1
            reason = 0
            if kind == KIND_RAW:
                reason = QUARANTINED_UNREADABLE
            elif number <= numbers[QUARANTINE_LAST] and policy.lookahead.quarantine.has(number):
                reason = QUARANTINED_MOVED  # it is there
            elif (
                self.in_flight.were_several()
                and 0 < (stored - number + cursor.sequence_lag) % SEQUENCES < _SEVERAL_MOST
            ):
                reason = QUARANTINED_IN_DOUBT
            is_dropped = reason and number == policy.drop_number  # an operator drops it: there is no room
            if reason and not is_dropped:
                if not policy.quarantine_and_pass(number, reason, now):
                    return False
                continue
            if not policy.pass_one(number):
                return False
            numbers[DROPPED if is_dropped else DELIVERED] += 1
            policy.counters.count(counter.RESUMED)
        if left > 0:  # damaged, and counted as that
            self.in_flight.state.places |= HAD_MORE
        numbers[TAKEN] = stored
        policy.resume_in_order()
        return True

    def offer_again(self, number, count, doubted, unread=0):
        """Have all from the log's `number` on sent again (toolcart.agent.linux.offer_again); True if that is durable.

        Those are `count` results that were delivered, of which `doubted` are in doubt; `unread` numbers between them
        cannot be read any more.
        """
        from toolcart.agent.log.recount import walk
        from toolcart.agent.outlets.toolsnet.data_loss import gaps, send_again, taken_unseen, undo
        from toolcart.agent.outlets.toolsnet.sequence_break import note_order

        cursor, in_flight = self.cursor, self.in_flight
        before, lag, may_have = cursor.number, cursor.sequence_lag, in_flight.may_have
        log = self.policy.log
        gap_count, unseen = gaps(self.policy), taken_unseen(self.policy)
        log.seek(cursor, number - 1)
        scout = Cursor()
        log.seek(scout, cursor.number)
        if not walk(log, scout, before):
            log.seek(cursor, before, lag)
            return False
        state = in_flight.state
        broke = state.broke_at, state.broke_by
        cursor.sequence_lag = (lag - before + cursor.number) % SEQUENCES  # they go on behind all that were used
        note_order(self.policy, before, before - cursor.number - scout.sequence_lag, gap_count)
        done = send_again(self.policy, before, count, doubted, unread, unseen)
        in_flight.may_have = cursor.number
        if not in_flight.declare(
            cursor.number, self.numbers[SENT] & (SENT_EVENTS_MET | SENT_AGAIN | SENT_OPEN)
        ):  # the next 08 says where they begin
            log.seek(cursor, before, lag)
            undo(self.policy, done)
            in_flight.may_have = may_have
            state.broke_at, state.broke_by = broke
            return False
        self._count_anew()
        self.policy.resume_in_order()
        in_flight.settle()
        return True
