"""Lookahead: what goes out behind a refused one, one by one, until one of them is taken; then what was in front of it.

Rules
1. One at a time, again where the connection broke, no further than the quarantine has room. Each lookahead that
   finds nothing lets the next one reach twice as far.
2. What is met is refused, unreadable, in the quarantine already, or silent twice on a server that answers.
3. The one that is taken proves that those in front of it are really refused. They are copied, then the cursor passes
   them all with one snapshot. Until then nothing goes out.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.cursor import WANTS_FRAMES, WANTS_RESULTS, Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.snapshot_fields import DELIVERED, QUARANTINE_LAST, TAKEN
from toolcart.agent.quarantine.quarantine import NO_ROOM
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record.result import QUARANTINED_MOVED, QUARANTINED_SILENT, QUARANTINED_UNREADABLE
from toolcart.agent.toolsnet.telegram import sequence_at

# What happened in a turn of a lookahead
AHEAD_SENDS = const(1)  # `number` of `length` bytes, in the log's page, as `sequence`
AHEAD_WRITES = const(2)  # W3 comes first, up to `limit`
AHEAD_GOES_ON = const(3)
AHEAD_FAILED = const(4)  # the log cannot be read now
AHEAD_GONE = const(5)  # the head was overwritten
AHEAD_FULL = const(6)  # there is no room for the head
AHEAD_ENDS = const(7)  # none was taken

# Codes of a refusal that are none of the server's, which are above 0 (toolcart.agent.outlets.toolsnet.policy)
_UNKNOWN = const(-1)
_SILENCE = const(0)

REACH = const(64)  # of the first lookahead
_WIDER_MOST = const(11)  # then it reaches further than any log
PROVEN_MS = const(60000)  # how long one proves the server well: one refusal, or two silences, begin the next
SOON_MS = const(10000)  # a short lookahead that met everything is made again this soon when more has come
_A_TURN = const(8)  # records that are copied, or looked at


class Lookahead:
    """The lookahead of one log.

    `scout` is behind what was met; in front of the head there is none to go on with.
    """

    def __init__(self, log, quarantine, numbers):
        self.log = log
        self.quarantine = quarantine
        self.numbers = numbers
        self.scout = Cursor()
        self.scout.wants = WANTS_RESULTS | WANTS_FRAMES
        self.number = self.sequence = self.length = 0  # of what goes out
        self.limit = 0  # of this lookahead
        self.others = 0  # how many behind the head this lookahead, or the last one, has offered
        self.room = 0  # bytes that the quarantine had left when it began
        self.fits = False  # what it has met fits into them
        self.short = -1  # `room` of the last lookahead, if it was too little
        self.code = _UNKNOWN  # of the last refusal behind the head
        self.mute = 0  # what had no answer last
        self.taken = self.taken_sequence = 0  # by a lookahead
        self.proven = Timer()
        self.seen = 0  # the last number that the last lookahead has met, 0: it missed the log's end, or was long
        self.soon = Timer()

    def clear(self):
        """Forget everything but how long the server is proven well."""
        self.scout.number = self.mute = self.taken = self.seen = 0
        self.code = _UNKNOWN
        self.short = -1
        self.soon.stop()

    def begin_anew(self):
        """Let the next lookahead begin behind the head."""
        self.scout.number = 0

    def is_proven(self, now):
        """True while a lookahead has shown lately that the server takes results."""
        return self.proven.armed and not self.proven.expired(now)

    def is_stuck(self):
        """True while the quarantine has no more room than when it was too little for what is refused."""
        return self.short >= 0 and self.quarantine.octets() <= self.short

    def has_new(self):
        """True if another record came after all that the last lookahead has met."""
        return 0 < self.seen < self.log.number

    # -- what goes out -----------------------------------------------------------------------------------------

    def next(self, head, cursor, failed, may_send_to):
        """Return what to do next behind the refused `head`, as AHEAD_; `failed` lookaheads have found nothing yet.

        Up to `may_send_to` W3 is durable.
        """
        log, scout = self.log, self.scout
        if cursor.number >= head:
            return AHEAD_GONE
        if scout.number < head:
            code = self._begin(head, cursor)
            if code != AHEAD_GOES_ON:
                return code
        self.limit = head + (REACH << min(failed, _WIDER_MOST))
        for _ in range(_A_TURN):
            kind = log.peek(scout)
            if kind < RECORD_NONE:
                return AHEAD_FAILED
            if kind == RECORD_NONE or scout.found > self.limit or not self.fits:
                is_short = kind == RECORD_NONE and scout.number - head <= REACH
                self.seen = log.number if is_short else 0
                self.short = -1 if self.fits else self.room
                return AHEAD_ENDS
            if kind == KIND_RESULT and not self._is_quarantined():
                if scout.found > may_send_to:
                    return AHEAD_WRITES
                self.others += 1
                self.number = scout.found
                self.sequence = sequence_at(scout.found - scout.sequence_lag)
                self.length = log.length
                return AHEAD_SENDS
            self.pass_over(log.length)
        return AHEAD_GOES_ON

    def _begin(self, head, cursor):
        log, scout, quarantine = self.log, self.scout, self.quarantine
        scout.stand_at(cursor)
        kind = log.peek(scout)
        found = scout.found
        scout.number = 0  # until it is past the head
        if kind < RECORD_NONE:
            return AHEAD_FAILED
        if kind == RECORD_NONE or found != head:
            return AHEAD_GONE
        self.fits = quarantine.measure(log.length)
        self.room = quarantine.octets()
        if not self.fits:
            return AHEAD_FULL
        scout.advance()
        self.others = 0
        return AHEAD_GOES_ON

    def _is_quarantined(self):
        """True if the quarantine has what the scout found, or that cannot be told; else the page still holds that."""
        found = self.scout.found
        if found > self.numbers[QUARANTINE_LAST]:
            return False
        return self.quarantine.has(found) != 0 or self.log.peek(self.scout) <= RECORD_NONE  # they share the page

    def pass_over(self, length):
        """Let the scout pass one that is not taken; there has to be room for it before the next one goes out."""
        self.scout.advance()
        self.fits = self.quarantine.fits(length)

    def refused(self, code):
        """What went out is refused."""
        self.code = code
        self.pass_over(self.length)

    def silent(self):
        """It has no answer from a server that answers: the second time in a row it counts as refused."""
        if self.mute == self.number:
            self.refused(_SILENCE)
        else:
            self.mute = self.number  # it goes out again

    # -- one is taken ------------------------------------------------------------------------------------------

    def found_taken(self, number, sequence):
        """One is taken: that an earlier lookahead had too little room means nothing any more."""
        self.taken = number
        self.taken_sequence = sequence
        self.short = -1

    def finish(self, policy, now):
        """Copy what stands in front of the taken one, then pass it all (W4); False if that has to be tried again."""
        cursor, log = policy.cursor, self.log
        for _ in range(_A_TURN):
            kind = log.peek(cursor)
            if kind < RECORD_NONE or (kind == RECORD_NONE and log.doubtful):
                return False
            if kind == RECORD_NONE or cursor.found >= self.taken:
                return self._lookahead_taken(policy, now)
            number = cursor.found
            reason = policy.code if number == policy.head else self.code
            if kind == KIND_RAW:
                reason = QUARANTINED_UNREADABLE
            elif reason <= _SILENCE:
                reason = QUARANTINED_SILENT if reason == _SILENCE else QUARANTINED_MOVED
            code = policy.quarantine_record(number, reason, now)
            if code == NO_ROOM:
                policy.wait_for_room(now, NO_ROOM)
            if code <= 0:
                return False
            self.short = -1
            if not policy.pass_one(number):
                return False
        return True

    def _lookahead_taken(self, policy, now):
        numbers, cursor, taken = self.numbers, policy.cursor, self.taken
        if cursor.number >= taken:
            policy.count_delivered_after_all()
        else:
            numbers[DELIVERED] += 1
            if cursor.found == taken:  # else it cannot be read any more
                cursor.advance()
        numbers[TAKEN] = self.taken_sequence
        policy.counters.counts[counter.DELIVERED] += 1
        in_flight = policy.in_flight
        in_flight.settle()
        policy.resume_in_order()
        self.proven.start(now, PROVEN_MS)
        policy.reoffers.accepted(now)
        return in_flight.declare_batch(cursor.number, in_flight.in_order())  # else that comes before the next one
