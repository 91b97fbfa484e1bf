"""Events to ToolsNet: telegram 09 from the events of the log, in their place between the results.

Rules
1. An event goes out when every result in front of it is done, and before those behind it. One that is refused or gets
   no answer is offered again later; results do not wait for that.
2. The 08 says which event ToolsNet has last (protocol.md 8.4, in a sequence of its own): EVENT_SEQUENCE_LAG leads from
   the event's number in the log to that sequence. Neither events that are not for ToolsNet nor those that were passed
   without being taken leave a gap in it: an 08 says what was taken, and nothing more goes out before the latter is
   durable.
3. Nothing goes out above SEND_LIMIT, as for results: so after a start it is known which events may have been sent.
4. Best effort: events keep no block of the log, and one that is refused too often, or makes the server silent too
   often, is passed. All that ToolsNet lacks is in one number (toolcart.agent.log.missed_counts), which is durable with
   the cursor: an upper bound, and no more than there were.
5. The last 08 says what ToolsNet has lost: events with these ordinals, which go on where sequences jump. They count
   before another one goes out, or the sequences go on elsewhere, as no 08 shows the loss after that; each once since
   the start. A doubt ends when those that it speaks of are counted, or were sent again and taken.
6. An 08 may name an event of before the sequence jumped: the memory knows where it did, and a start forgets that.
7. What the log gave up while no events were wished for, or ToolsNet was not there, nobody has counted: how many events
   were among it is not known. The sequence goes on behind what the next 08 names. As missed count those that the log
   ever had and that have no sequence, no more than went.
"""

from toolcart.agent.base.fields import get_u32
from toolcart.agent.linux import telegram09
from toolcart.agent.linux.toolsnet_source import OFFERS, PAUSE_MS, ToolsNetSource
from toolcart.agent.log import missed_counts
from toolcart.agent.log.cursor import WANTS_EVENTS, Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.rewind import rewind
from toolcart.agent.log.snapshot_fields import (
    EVENT_CURSOR,
    EVENT_SEQUENCE_LAG,
    SEND_LIMIT,
    SENT,
    SENT_EVENTS_MET,
    STORED,
)
from toolcart.agent.record import event as ev
from toolcart.agent.toolsnet.telegram import SEQUENCES, sequence_at

CPYTHON_ONLY = True  # a board has room for results alone

WORDS = {
    "alarms": (ev.ALARM, ev.ALARM_ACKNOWLEDGED),
    "pset": (ev.PSET_SELECTED,),
    "job": (ev.JOB,),
    "vin": (ev.VIN,),
    "gone": (ev.GONE,),
    "commands": (ev.COMMAND,),
}

LOOKED_AT = 32  # events a turn

_HALF = 50000
_JUMPS_MOST = 8  # that are remembered


def mask_of(words):
    """Return the bits of the events that these words of the setting `toolsnet.events` name."""
    mask = 0
    for word in words:
        for what in WORDS[word]:
            mask |= 1 << what
    return mask


class EventCursor(Cursor):
    """How far the events are; those that the log gives up leave no gap in their sequence."""

    __slots__ = ("base", "counted", "mask", "may_have", "unsure")

    def __init__(self, mask, may_have):
        Cursor.__init__(self)
        self.wants = WANTS_EVENTS
        self.durable = False
        self.mask = mask
        self.may_have = may_have  # nothing above this number can have reached the server
        self.unsure = 0  # given up since the last 08 with a sequence that the server may have
        self.base = 0  # what keeps the ordinal as it is where the sequence or the place jumps
        self.counted = set()  # the ordinals of those that took a sequence and are counted as lacking

    def is_wanted(self, page, at):
        """True if the event at page[at:] is for ToolsNet."""
        return self.mask >> page[at + ev.WHAT] & 1

    def ordinal(self):
        """Return that of the event passed last; it grows by one with each that takes a sequence."""
        return self.number - self.sequence_lag - self.base

    def keep_ordinal(self, ordinal):
        """Let the event passed last have this ordinal, whatever its sequence is now."""
        self.base += self.ordinal() - ordinal

    def give_up(self, page, at):
        """Pass the event found last, which the log gives up; return 1 if ToolsNet lacks it, else 0."""
        is_wanted = self.is_wanted(page, at)
        self.advance()
        if is_wanted and self.number <= self.may_have:  # ToolsNet may have it under its sequence
            self.unsure += 1
            self.counted.add(self.ordinal())
        else:
            self.sequence_lag += 1
        return is_wanted


class ToolsNetEvents(ToolsNetSource):
    """The events of one station, of which those in `mask` go to ToolsNet."""

    takes_10 = True

    def __init__(self, log, state, mask, settings):
        ToolsNetSource.__init__(self)
        self.log = log
        self.state = state
        self.cursor = EventCursor(mask, state.numbers[SEND_LIMIT])
        log.follow(self.cursor, EVENT_CURSOR, EVENT_SEQUENCE_LAG)
        was, taken = self.cursor.number, self.cursor.ordinal() % SEQUENCES
        if log.number and was < log.first_above(0):
            log.seek(self.cursor, was, self.cursor.sequence_lag)  # what went while there were none is no damage
        self.rewinds = settings["rewind"]
        self.resumed = 0
        self.doubt = ""  # about the last 08, in words
        self.doubts = 0  # since the start; those of one 08 after another that say the same are one
        self.latest_doubt = ""
        self.perhaps_there = 0  # how many were out at an 08 that made the sequence go on elsewhere, since the start
        self._jumps = []  # where the sequence went on elsewhere: the last one before, its ordinal, how many led there
        self._lacking = set()  # the ordinals of those that the last 08 shows to be lost: not counted, nor sent again
        self._again_to = 0  # up to this number of the log some were sent again
        self._perhaps_to = 0  # up to this number the server may have them, whatever its 08s have said since the start
        self._untaken = []  # the numbers of those passed without being taken, as far as the log has them
        self._is_unsaved = False  # what became of the last ones is not durable
        self._number = 0  # of the outstanding event, or the one offered last
        gone = self.cursor.number - was
        if gone > 0 and state.older:
            self._lacks(gone)  # nobody knows what of these it had (toolcart.agent.log.lost_snapshot)
        elif gone > 0:  # rule 7
            state.numbers[SENT] &= ~SENT_EVENTS_MET
            if was:
                passed = self._passed()
                self._lacks(min(gone, passed - taken if taken <= passed else passed))  # else it began elsewhere

    def join(self, forward):
        ToolsNetSource.join(self, forward)
        self.session = forward.session

    def put_state(self, report):
        report["events_sent"] = self.sent + self.resumed
        report["events_waiting"] = self._count(self.cursor.number, self.log.number)
        report["events_missed"] = missed_counts.shown(self.state)[0]
        report["events_doubt"] = self.doubt
        report["events_doubts"] = self.doubts
        report["events_doubt_latest"] = self.latest_doubt
        report["events_perhaps_there"] = self.perhaps_there

    def _sequence_of(self, number):
        """Return the event sequence 1..99999 for the cursor's number, or for that of the event it finds next."""
        return sequence_at(number - self.cursor.sequence_lag)

    # -- the next one ------------------------------------------------------------------------------------------

    def waits(self):
        """True if there may be an event that was not passed."""
        return self.log.backlog_of(self.cursor) > 0

    def send(self, now):
        if self.is_pausing(now) or not self._find():
            return 0
        number = self.cursor.found
        if self._lacking:
            self._count_lacking()
            self._end_doubt()
        if self._is_unsaved:
            if not self.forward.may_write():
                return 0
            if not self.state.save():
                self.pause.start(now, PAUSE_MS)
                return 0
            self._is_unsaved = False
            if self.log.peek(self.cursor) <= RECORD_NONE or self.cursor.found != number:
                return 0
        policy = self.forward.policy
        if not policy.is_passed(number):
            return 0
        if number > policy.in_flight.may_send_to:
            if not self.forward.may_write():
                return 0
            if not policy.raise_send_limit(number):
                self.pause.start(now, PAUSE_MS)
                return 0
        if self.log.peek(self.cursor) <= RECORD_NONE or self.cursor.found != number:
            return 0
        if number != self._number:
            self._number = number
            self.begin_next()
        self.is_out = True
        if number > self.cursor.may_have:
            self.cursor.may_have = number
            self.session.heartbeat.has_news = True
        place = self.session.place
        self.tx = telegram09.write(
            self.log.page, self.log.at, place[0], place[1], self.session.ident, self._sequence_of(number)
        )
        return len(self.tx)

    def _find(self):
        """Go on to the next event for ToolsNet; True if it is in the page now."""
        self.busy = False
        for _ in range(LOOKED_AT):
            if self.log.peek(self.cursor) <= RECORD_NONE:
                return False
            if self._is_wanted():
                return True
            self.cursor.sequence_lag += 1  # it is not for ToolsNet
            self.cursor.advance()
        self.busy = True
        return False

    def _is_wanted(self):
        return self.cursor.is_wanted(self.log.page, self.log.at)

    def give_up(self):
        cursor = self.cursor
        before = cursor.number
        is_certain = self._refusals >= OFFERS or self.session.info.event_sequence >= 0  # else it may be there
        ToolsNetSource.give_up(self)
        if cursor.number == before:
            return  # the log has given it up, and counted it
        self._lacks(1)
        if not is_certain:
            cursor.counted.add(cursor.ordinal())
            return
        cursor.sequence_lag += 1
        first = self.log.first_above(0)
        self._untaken = [number for number in self._untaken if number >= first]
        self._untaken.append(cursor.number)

    def _lacks(self, count):
        """Count events that ToolsNet lacks, all that were passed at most; nothing goes out before that is durable."""
        self.state.missed_counts[0] += max(0, min(count, self._passed() - self.state.missed_counts[0]))
        missed_counts.put(self.state)
        self._is_unsaved = True

    def _passed(self):
        """Return how many events of any kind the log ever had up to the cursor, at most."""
        log = self.log  # one that was taken over may have a number and no record yet
        return log.next - 1 - self.state.numbers[STORED] - self._count(self.cursor.number, log.number, lambda: True)

    def _count_lacking(self):
        """Count what the last 08 shows to be lost."""
        self.cursor.counted |= self._lacking
        self._lacks(len(self._lacking))
        self._lacking = set()

    def go_past(self):
        """Pass the event offered last, unless the log has given it up meanwhile."""
        cursor = self.cursor
        if cursor.number < self._number and self.log.peek(cursor) > RECORD_NONE and cursor.found == self._number:
            cursor.advance()
        self._end_doubt()

    def _end_doubt(self):
        """Doubt no more once what was lost is counted, or taken again."""
        if self.doubt and not self._lacking:
            if not self._count(self.cursor.number, self._again_to, self._has_sequence):
                self.doubt = ""

    # -- where the server stands -------------------------------------------------------------------------------

    def resume(self, now):
        """Go on where the 08 says (protocol.md 8.4); False if that could not be made durable, or read."""
        stored = self.session.info.event_sequence
        here = self._sequence_of(self.cursor.number)
        fine = True
        is_odd = stored < 0
        lacking, doubt = self._lacking, self.doubt
        if not is_odd:
            self.doubt = ""
            self._lacking = set()
        may_have = max(self.cursor.may_have, self.cursor.number)
        unsure, self.cursor.unsure = self.cursor.unsure, 0
        behind = (here - stored) % SEQUENCES
        if not self.state.numbers[SENT] & SENT_EVENTS_MET:
            fine = self._number_from(max(stored, 0))
        elif stored < 0:
            pass  # no number, so it names none
        elif 0 < behind <= unsure:
            fine = self._number_from(stored, behind)
        elif stored == 0:
            is_odd = here != SEQUENCES  # it had some
            if is_odd:
                self._note_empty(self._had(self._taken(here)))
        elif behind:
            code = self._take(SEQUENCES - behind)
            is_odd = code <= 0
            if code < 0:
                fine = False
            elif code == 0:
                rows = self._rows_behind(stored, behind)
                if behind < _HALF:
                    fine = self._look_behind(stored, rows)
                else:
                    fine = self._move_on(stored, rows if rows != behind else None)
        if not fine:
            self._lacking = lacking - self.cursor.counted
        elif self._lacking - lacking:
            self.losses += 1
        if self.doubt and self.doubt != doubt:
            self.doubts += 1
            self.latest_doubt = self.doubt
        if is_odd or not fine:
            self._perhaps_to = max(self._perhaps_to, may_have)
        self._look_at_silent()
        self.cursor.may_have = max(self.cursor.number, self._perhaps_to)
        return fine

    def _number_from(self, stored, freed=0):
        """Number what follows from `stored` on; nothing goes out before that is durable.

        The last `freed` events that were passed leave their sequences to others.
        """
        numbers, cursor = self.state.numbers, self.cursor
        before = cursor.sequence_lag, cursor.base, numbers[SENT]
        last = cursor.ordinal() - freed
        cursor.sequence_lag = (cursor.number - stored) % SEQUENCES
        cursor.keep_ordinal(last)
        numbers[SENT] |= SENT_EVENTS_MET
        if self.state.save():
            cursor.counted.difference_update(range(last + 1, last + freed + 1))
            return True
        cursor.sequence_lag, cursor.base, numbers[SENT] = before
        return False

    def _lose(self, rows):
        """ToolsNet lost the last `rows` events that were passed; False if that says nothing that is not counted."""
        last = self.cursor.ordinal()
        self._lacking = set(range(last - rows + 1, last + 1)) - self.cursor.counted
        return not rows or len(self._lacking) > 0

    def _taken(self, here):
        """Return how many were taken at most, where the sequence is `here`, which says it unless that went round."""
        passed = self._passed()
        return passed if self._jumps or passed >= SEQUENCES else min(here, passed)

    def _rows_behind(self, stored, behind):
        """Return how many events lie behind what `stored` names: `behind`, unless that is of before a jump."""
        now = self.cursor.ordinal()
        if self._jumps and behind > now - self._jumps[-1][1]:
            for at, ordinal, most in reversed(self._jumps):
                rows = (at - stored) % SEQUENCES
                if rows <= most:
                    return now - ordinal + rows
        return behind

    def _note_jump(self):
        """The sequence goes on elsewhere; not noted if nothing had one since the last time."""
        cursor = self.cursor
        ordinal = cursor.ordinal()
        most = ordinal - self._jumps[-1][1] if self._jumps else min(cursor.number, _HALF)
        if most > 0:
            self._jumps.append((self._sequence_of(cursor.number), ordinal, most))
            del self._jumps[:-_JUMPS_MOST]

    def _take(self, rows):
        """Pass `rows` events whose answers were lost: 1 if they were sent, else 0; -1 if they cannot be read now."""
        cursor = self.cursor
        scout = Cursor()
        scout.wants = WANTS_EVENTS
        scout.stand_at(cursor)
        taken = 0
        while taken < rows:
            kind = self.log.peek(scout)
            if kind <= RECORD_NONE or scout.found > self.cursor.may_have:
                return kind if kind < RECORD_NONE else 0
            is_wanted = self._is_wanted()
            taken += is_wanted
            scout.sequence_lag += 1 - is_wanted
            scout.advance()
        cursor.stand_at(scout)
        self.resumed += taken
        return 1

    def _look_behind(self, stored, behind):
        """The server names an event that was delivered long ago, or a later one was passed without being taken.

        False if the log cannot be read now.
        """
        if not behind:  # it is the last one before a jump, and nothing went out since
            return True
        done = self.cursor.number
        lacks = self._had(behind)
        if not lacks or behind > done:  # not one of this log's
            if self._lose(lacks):
                self._note_unknown_event(stored)
            return True
        again = 0
        if self.rewinds:
            again = self._send_again(behind)
            if again < 0:
                return False
        self._lose(lacks - again)
        if self._lacking or again:
            self._note_behind(lacks)
        return True

    def _send_again(self, behind):
        """Go back by `behind` events, as far as the log has them; return how many, below 0 if it cannot be read now."""
        cursor, done = self.cursor, self.cursor.number
        scout = Cursor()
        scout.wants = WANTS_EVENTS
        scout.stand_at(cursor)
        if rewind(self.log, scout, behind, SEQUENCES, self._has_sequence) < 0:
            return -1
        again = self._count(scout.number, done, self._has_sequence)
        last = cursor.ordinal() - again
        cursor.stand_at(scout)
        cursor.keep_ordinal(last)
        self._untaken = [number for number in self._untaken if number <= scout.number]
        self._again_to = done
        self.losses += again > 0
        return again

    def _had(self, rows):
        """Return how many of the last `rows` events ToolsNet can have had at most: those in the log, and gone ones."""
        done = self.cursor.number
        gone = min(self.log.first_above(0) - 1, done) if self.log.number else done
        return min(rows, gone + self._count(0, done, self._has_sequence))

    def _has_sequence(self):
        """True if the event in the page, which was passed, is for ToolsNet and is not one that it never took."""
        return self._is_wanted() and get_u32(self.log.page, self.log.at) not in self._untaken

    def _count(self, after, last, counts=None):
        """Return how many events for ToolsNet, or that `counts` says, the log has behind `after`, up to `last`."""
        counts = counts or self._is_wanted
        scout = Cursor()
        scout.wants = WANTS_EVENTS
        self.log.seek(scout, after)
        count = 0
        while self.log.peek(scout) > RECORD_NONE and scout.found <= last:
            count += counts()
            scout.advance()
        return count

    def _note_unknown_event(self, stored):
        """The server names an event that this log never sent, or did before a jump that a start has forgotten."""
        words = "ToolsNet holds event %d, which this spool never sent, as far as it knows: is station %d used twice?"
        self.doubt = words % (stored, self.session.place[2])

    def _note_behind(self, lacks):
        words = "ToolsNet is up to %d %s behind: was it restored from an old copy?"
        self.doubt = words % (lacks, "event" if lacks == 1 else "events")

    def _note_empty(self, lacks):
        """The server names no event, and had some; not said again of those that are counted."""
        if not self._lose(lacks):
            return
        had = ", of up to %d that %s taken" % (lacks, "was" if lacks == 1 else "were") if lacks else ""
        self.doubt = "ToolsNet holds no event of station %d%s: was its database emptied?" % (self.session.place[2], had)

    def _move_on(self, stored, lacks):
        """The server names an event in front of all that this log has sent: go on with sequences that are new to it.

        If that is one of before a jump, it lacks so many behind it; else `lacks` is None.
        """
        if lacks is None:
            self._note_unknown_event(stored)
        elif lacks:
            self._note_behind(self._had(lacks))
        cursor = self.cursor
        perhaps = self._count(cursor.number, cursor.may_have)
        self._note_jump()
        self._lose(self._had(SEQUENCES))
        if self._lacking:  # nothing shows that it has any of them, now or later
            self.losses += 1
            self._count_lacking()
        if not self._number_from(stored):
            return False
        self.perhaps_there += perhaps
        return True

    def _look_at_silent(self):
        """Pass the event that got no answer and is not stored, after some tries."""
        if self.has_had_enough() and self.cursor.number < self._number:
            self.give_up()
