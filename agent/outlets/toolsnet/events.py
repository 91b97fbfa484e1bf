"""Events to ToolsNet: telegram 09 out of the event records of the log, in their place between the results.

Rules
1. An event goes out when every result in front of it is delivered or passed, and before those behind it. One that is
   refused or gets no answer is offered again later; results do not wait for that.
2. Which event ToolsNet has last says its 08 (DIGEST G.8, with a sequence of its own). `base` makes its number of ours.
3. Nothing goes out before a cursor record behind it in the log: so a start knows which ones may be over there. Its own
   cursor and the base come with the same record (agent.outlets.toolsnet.event_ring).
4. Best effort: events keep no block of the log; what the log gave up for newer results is counted as missed. One that
   is refused too often, or makes the server silent too often, is passed and counted (agent.outlets.toolsnet.source).
"""

from agent.outlets.toolsnet.event_ring import EVENTS, WANTS_ALL
from agent.outlets.toolsnet.outlet import SEQUENCES
from agent.outlets.toolsnet.source import HOLD_MS, Source
from agent.record import KIND_EVENT
from agent.record import event as ev
from agent.spool.cursors import WANTS_EVENTS, Cursor
from agent.spool.record import HEAD_BYTES, RECORD_NONE
from agent.toolsnet.event09 import EVENT_BYTES_MAX, EventWriter

CPYTHON_ONLY = True  # a board has room for results alone

WORDS = {
    "alarms": (ev.ALARM, ev.ALARM_ACKNOWLEDGED),
    "pset": (ev.PSET_SELECTED,),
    "job": (ev.JOB,),
    "vin": (ev.VIN,),
    "gone": (ev.GONE,),
}

LOOKED_AT = 32  # records a step

_HALF = 50000

# What the log keeps for this: the base, and whether the server was met.
_BASE = 0x1FFFF
_MET = 0x20000


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

    def __init__(self, forward, mask, parameters, settings):
        Source.__init__(self, settings)
        self.forward = forward
        self.ring = forward.outlet.ring
        self.cursor = self.ring.cursors[EVENTS]
        self.mask = mask
        self.rewinds = settings["rewind"]
        self.resends_if_empty = settings["server_empty"] == "resend"
        self.tx = bytearray(EVENT_BYTES_MAX)
        session = forward.session
        self.writer = EventWriter(self.tx, session.system_type, session.system, parameters)
        self.may_have = self.ring.event_limit  # nothing above this number can have reached the server
        self._allowed = 0  # up to here a cursor record of this process lies behind
        self._out = 0  # number of the event that is out
        self._tried = 0  # the one that was offered last
        # To a server that has said since that it has none: one that never says more gets them once.
        self._resent = False
        self.resumed = 0
        self.doubt = ""  # about the last 08, in words

    def put_state(self, shown):
        """Add what people want to know."""
        shown["events_sent"] = self.sent + self.resumed
        shown["events_waiting"] = self.ring.event_number - self.cursor.event
        shown["events_passed"] = self.passed
        shown["events_doubt"] = self.doubt

    # -- the numbers -------------------------------------------------------------------------------------------

    def sequence_of(self, number):
        """Return the event sequence 1..99999 of an event's number."""
        return (number + (self.ring.told & _BASE) - 1) % SEQUENCES + 1

    def is_met(self):
        """Tell whether the server has said once where it stands."""
        return self.ring.told & _MET != 0

    def _number_from(self, base):
        """What follows has another number there; the next cursor record says so, and nothing goes out before it."""
        self.ring.put_told(_MET | base % SEQUENCES)
        self._allowed = 0

    # -- the next one ------------------------------------------------------------------------------------------

    def waits(self):
        """Tell whether an event lies in the log that was not passed; with none the cursor keeps up with the log."""
        ring = self.ring
        if self.cursor.event < ring.event_number or ring.suspect:
            return True
        if self.cursor.seq != ring.seq:
            self._stand_at_end()
        return False

    def send(self, now):
        """Write the next event whose turn it is; 0 if none may go out now."""
        if self.hold.armed and not self.hold.expired(now):
            return 0
        self.hold.stop()
        if not self._find():
            return 0
        number = self.cursor.peek_event
        if number > self._allowed and not self._allow(number, now):
            return 0
        if number != self._tried:
            self._tried = number
            self.begin_anew()
        self._out = number
        if number > self.may_have:
            self.may_have = number
        session = self.forward.session
        return self.writer.write(self.ring.walk.page, HEAD_BYTES, session.next_ident(), self.sequence_of(number))

    def _find(self):
        """Go on to the next event for ToolsNet, as far as results are done; whether it is in the page now."""
        ring = self.ring
        cursor = self.cursor
        self.busy = False
        for _ in range(LOOKED_AT):
            if cursor.event >= ring.event_number and not ring.suspect:
                self._stand_at_end()
                return False
            kind = ring.peek(EVENTS)
            if kind <= RECORD_NONE:
                return False
            if kind == KIND_EVENT:
                if self._is_told():
                    return True
            elif cursor.peek_number > ring.cursors[0].number:
                return False  # a result's turn
            cursor.advance()
        self.busy = True
        return False

    def _is_told(self):
        return self.mask >> self.ring.walk.page[HEAD_BYTES + ev.WHAT] & 1

    def _stand_at_end(self):
        """No event lies behind the cursor: nothing has to be looked at."""
        ring = self.ring
        cursor = self.cursor
        cursor.seq = ring.seq
        cursor.number = ring.number
        cursor.jumped = cursor.dropped = False
        cursor.enter(ring.block, ring.offset)

    def _allow(self, number, now):
        """Write a cursor record behind event `number`, which may go out then; whether it is in the page still."""
        if not self.forward.may_write():
            return False
        if not self._save():
            self.hold.start(now, HOLD_MS)
            return False
        self._allowed = self.ring.event_number
        return self.ring.peek(EVENTS) == KIND_EVENT and self.cursor.peek_event == number

    def _save(self):
        ring = self.ring
        return ring.has_spare() and self.forward.outlet.save_as_is()

    # -- what became of it -------------------------------------------------------------------------------------

    def accepted(self, now):
        """The server has it."""
        self.count_accepted()
        self._pass_out()

    def refused(self, code, now):
        """Offer it again a few times, then let it be."""
        if self.count_refused(now):
            self._pass_out()
        self._out = 0

    def silent(self, now):
        """It may be stored or not; the next 08 tells."""
        self.count_silent(now)
        self._out = 0

    def _pass_out(self):
        number = self._out
        self._out = 0
        cursor = self.cursor
        if cursor.event < number:  # else it was given up meanwhile
            if cursor.peek_event == number or (self.ring.peek(EVENTS) > RECORD_NONE and cursor.peek_event == number):
                cursor.advance()

    # -- where the server stands -------------------------------------------------------------------------------

    def resume(self, now):
        """Go on where the 08 says (DIGEST G.8); False if the log could not be read for that."""
        ring = self.ring
        cursor = self.cursor
        stored = self.forward.session.event_sequence
        self.doubt = ""
        if ring.suspect and not ring.confirm():
            self.hold.start(now, HOLD_MS)  # what the start found is not reliable yet
        done = cursor.event
        if not self.is_met():
            self._number_from(stored - done if stored > 0 else -done)
        elif stored <= 0:
            if done and self._lacks(0):
                self.doubt = "ToolsNet holds no event of this station: was its database emptied?"
                if self.resends_if_empty and not self._resent:
                    self._resent = True
                    if not self._rewind(0):
                        return False
        else:
            self._resent = False
            reached = ring.event_number - (self.sequence_of(ring.event_number) - stored) % SEQUENCES
            if done < reached <= self.may_have:
                if not self._take_as_stored(reached):
                    return False
            elif 0 <= reached < done and done - reached < _HALF:
                if self._lacks(reached) and self.rewinds and not self._rewind(reached):
                    return False
            elif reached != done:
                self._doubt_of(stored, done)
        self._look_at_silent()
        self.may_have = cursor.event
        return True

    def _take_as_stored(self, reached):
        """Only the answers to what lies in front of `reached`, and to that one, were lost."""
        ring = self.ring
        cursor = self.cursor
        cursor.wants = WANTS_EVENTS
        while cursor.event < reached:
            kind = ring.peek(EVENTS)
            if kind <= RECORD_NONE or cursor.peek_event > reached:
                break
            self.resumed += self._is_told()
            cursor.advance()
        else:
            kind = KIND_EVENT
        cursor.wants = WANTS_ALL
        return kind >= RECORD_NONE

    def _lacks(self, reached):
        """Tell whether the server once had an event behind `reached`: what was not for it, it never got."""
        scout = Cursor()
        scout.wants = WANTS_EVENTS
        self._enter_oldest(scout, reached)
        ring = self.ring
        while ring.peek_from(scout) > RECORD_NONE and scout.peek_event <= self.cursor.event:
            if self._is_told():
                self.doubt = "ToolsNet is %d events behind: was it restored from an old copy?" % (
                    self.cursor.event - reached
                )
                return True
            scout.advance()
        return False

    def _rewind(self, reached):
        self._enter_oldest(self.cursor, reached)
        self.cursor.number = 0
        self._allowed = 0
        return self.ring.peek(EVENTS) >= RECORD_NONE

    def _enter_oldest(self, cursor, event):
        ring = self.ring
        cursor.seq = 0
        cursor.number = ring.cursors[0].number
        cursor.event = event
        cursor.jumped = True
        cursor.enter((ring.block + 1) % ring.device.block_count, 0)

    def _doubt_of(self, stored, done):
        """The server names an event that this log never sent: go on, with numbers that are new to it."""
        self.doubt = "ToolsNet holds event %d, which this spool never sent: is station %d used twice?" % (
            stored,
            self.forward.session.station,
        )
        if (self.sequence_of(done + 1) - stored - 1) % SEQUENCES >= _HALF:
            self._number_from(stored - done)

    def _look_at_silent(self):
        """The one that got no answer is not stored: let it be after some tries."""
        if self.has_had_enough() and self.cursor.event == self._tried - 1 and self._find_tried():
            self.passed += 1
            self.cursor.advance()

    def _find_tried(self):
        return self.ring.peek(EVENTS) == KIND_EVENT and self.cursor.peek_event == self._tried
