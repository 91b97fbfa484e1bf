"""Events to ToolsNet: telegram 09 out of the events of the log, in their place between the results.

Rules
1. An event goes out when every result in front of it is done, and before those behind it. One that is refused or gets
   no answer is offered again later; results do not wait for that.
2. Which event ToolsNet has last says its 08 (DIGEST G.8, with a sequence of its own): EVENT_BASE makes it of the number
   that the event has in the log. What is no event leaves holes.
3. Nothing goes out above LIMIT, as results: so a start knows which ones may be over there.
4. Best effort: events keep no block of the log; what the log gave up for newer results is counted as missed. One that
   is refused too often, or makes the server silent too often, is passed and counted.
"""

from agent.log.cursor import WANTS_EVENTS, Cursor
from agent.log.numbers import EVENT_BASE, EVENT_CURSOR, LIMIT, SENT, SENT_EVENTS_MET
from agent.log.record import RECORD_NONE
from agent.record import event as ev
from agent.toolsnet.event09 import EVENT_BYTES_MAX, EventWriter
from agent.toolsnet.telegram import SEQUENCES
from agent.wide.toolsnet_source import HOLD_MS, Source

CPYTHON_ONLY = True  # a board has room for results alone

WORDS = {
    "alarms": (ev.ALARM, ev.ALARM_ACKNOWLEDGED),
    "pset": (ev.PSET_SELECTED,),
    "job": (ev.JOB,),
    "vin": (ev.VIN,),
    "gone": (ev.GONE,),
}

LOOKED_AT = 32  # events a turn

_HALF = 50000


def mask_of(words):
    """Return the bits of what these words of the setting `toolsnet.events` name."""
    mask = 0
    for word in words:
        for what in WORDS[word]:
            mask |= 1 << what
    return mask


class Events(Source):
    """The events of one station, of which those in `mask` go to ToolsNet."""

    takes_10 = True

    def __init__(self, log, state, mask, parameters, settings):
        Source.__init__(self)
        self.log = log
        self.state = state
        self.cursor = Cursor()
        self.cursor.wants = WANTS_EVENTS
        self.cursor.durable = False
        self.cursor.number = state.numbers[EVENT_CURSOR]
        log.follow(self.cursor, EVENT_CURSOR)
        self.mask = mask
        self.rewinds = settings["rewind"]
        self.resends_if_empty = settings["server_empty"] == "resend"
        self.tx = bytearray(EVENT_BYTES_MAX)
        self.may_have = state.numbers[LIMIT]  # nothing above this number can have reached the server
        self.parameters = parameters
        self.resumed = 0
        self.doubt = ""  # about the last 08, in words
        self._number = 0  # of the event that is out, or was offered last
        # To a server that has said since that it has none: one that never says more gets them once.
        self._has_resent = False

    def join(self, forward):
        """This one sends over `forward`."""
        self.forward = forward
        self.session = session = forward.session
        self.writer = EventWriter(self.tx, session.system_type, session.system, self.parameters)

    def put_state(self, shown):
        """Add what people want to know."""
        shown["events_sent"] = self.sent + self.resumed
        shown["events_waiting"] = self._count(self.cursor.number, self.log.number)
        shown["events_passed"] = self.passed
        shown["events_doubt"] = self.doubt

    def sequence_of(self, number):
        """Return the event sequence 1..99999 of an event's number."""
        return (number + self.state.numbers[EVENT_BASE] - 1) % SEQUENCES + 1

    # -- the next one ------------------------------------------------------------------------------------------

    def waits(self):
        """True if there may be an event that was not passed."""
        return self.log.waits(self.cursor) > 0

    def send(self, now):
        """Write the next event whose turn it is; 0 if none may go out now."""
        if self.is_held(now) or not self._find():
            return 0
        number = self.cursor.found
        policy = self.forward.policy
        if not policy.is_passed(number):
            return 0
        if number > self.state.numbers[LIMIT]:
            if not self.forward.may_write():
                return 0
            if not policy.allow(number):
                self.hold.start(now, HOLD_MS)
                return 0
        if self.log.peek(self.cursor) <= RECORD_NONE or self.cursor.found != number:
            return 0
        if number != self._number:
            self._number = number
            self.begin_next()
        self.is_out = True
        self.may_have = max(self.may_have, number)
        return self.writer.write(self.log.page, self.log.at, self.session.next_ident(), self.sequence_of(number))

    def _find(self):
        """Go on to the next event for ToolsNet; True if it is in the page now."""
        self.busy = False
        for _ in range(LOOKED_AT):
            if self.log.peek(self.cursor) <= RECORD_NONE:
                return False
            if self._is_told():
                return True
            self.cursor.advance()
        self.busy = True
        return False

    def _is_told(self):
        return self.mask >> self.log.page[self.log.at + ev.WHAT] & 1

    def _pass(self, number):
        """Pass event `number`; it may have been given up meanwhile."""
        cursor = self.cursor
        if cursor.number < number and self.log.peek(cursor) > RECORD_NONE and cursor.found == number:
            cursor.advance()

    # -- what became of it -------------------------------------------------------------------------------------

    def accepted(self, now):
        """The server has it."""
        self.count_accepted()
        self._pass(self._number)

    def refused(self, code, now):
        """Offer it again a few times, then let it be."""
        if self.count_refused(now):
            self._pass(self._number)

    def silent(self, now):
        """It may be stored or not; the next 08 tells."""
        self.count_silent(now)

    # -- where the server stands -------------------------------------------------------------------------------

    def resume(self, now):
        """Go on where the 08 says (DIGEST G.8); False if that could not be written down, or read."""
        stored = self.session.event_sequence
        done = self.cursor.number
        self.doubt = ""
        fine = True
        if not self.state.numbers[SENT] & SENT_EVENTS_MET:
            fine = self._number_from(stored - done)
        elif stored <= 0:
            lacking = self._count(0, done)
            if lacking:
                self.doubt = "ToolsNet holds no event of this station: was its database emptied?"
                if self.resends_if_empty and not self._has_resent:
                    self._has_resent = True
                    self._rewind(0)
        else:
            self._has_resent = False
            newest = max(self.log.number, done)
            reached = newest - (self.sequence_of(newest) - stored) % SEQUENCES
            if done < reached <= self.may_have:
                fine = self._take_up_to(reached)
            elif 0 <= reached <= done and done - reached < _HALF:
                self._look_behind(reached, done)
            else:
                fine = self._wonder(stored, done)
        self._look_at_silent()
        self.may_have = self.cursor.number
        return fine

    def _number_from(self, base):
        """What follows has another number there; nothing goes out before that is durable."""
        numbers = self.state.numbers
        before = numbers[EVENT_BASE], numbers[SENT]
        numbers[EVENT_BASE] = base % SEQUENCES
        numbers[SENT] |= SENT_EVENTS_MET
        if self.state.save():
            return True
        numbers[EVENT_BASE], numbers[SENT] = before
        return False

    def _take_up_to(self, reached):
        """Only the answers to what lies in front of `reached`, and to that one, were lost."""
        cursor = self.cursor
        while cursor.number < reached:
            kind = self.log.peek(cursor)
            if kind < RECORD_NONE:
                return False
            if kind == RECORD_NONE or cursor.found > reached:
                break
            self.resumed += self._is_told()
            cursor.advance()
        return True

    def _look_behind(self, reached, done):
        """The server names an event that was delivered long ago; what was not for it, it never got."""
        lacking = self._count(reached, done)
        if lacking:
            self.doubt = "ToolsNet is %d events behind: was it restored from an old copy?" % lacking
            if self.rewinds:
                self._rewind(reached)

    def _count(self, after, last):
        """Return how many events for ToolsNet the log has behind `after`, up to `last`."""
        scout = Cursor()
        scout.wants = WANTS_EVENTS
        self.log.rewind(scout, after)
        count = 0
        while self.log.peek(scout) > RECORD_NONE and scout.found <= last:
            count += self._is_told()
            scout.advance()
        return count

    def _rewind(self, reached):
        self.log.rewind(self.cursor, reached)

    def _wonder(self, stored, done):
        """The server names an event that this log never sent: go on, with numbers that are new to it."""
        self.doubt = "ToolsNet holds event %d, which this spool never sent: is station %d used twice?" % (
            stored,
            self.session.station,
        )
        if (self.sequence_of(done + 1) - stored - 1) % SEQUENCES >= _HALF:
            return self._number_from(stored - done)
        return True

    def _look_at_silent(self):
        """The one that got no answer is not stored: let it be after some tries."""
        if self.has_had_enough() and self.cursor.number < self._number:
            self.passed += 1
            self._pass(self._number)
            self.begin_next()
