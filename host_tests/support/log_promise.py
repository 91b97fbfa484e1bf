"""What the log promises, in forty lines that know nothing of blocks, and a client who holds the real code to it.

Rules
1. A `Promise` has numbers and tightenings: what may stand under a number, what was acknowledged, what the consumer has.
2. A `Client` is the controller, the store and one outlet at one log, from one start on. Its consumer keeps what it was
   given; a repeat is looked up before it is stored; what results bring is replayed from the snapshot's NEXT on.
3. A broken promise is a `Fault`. What a device refused in an operation excuses the answer to this one alone.
"""

from toolcart.agent.log.cursor import WANTS_ALL, Cursor
from toolcart.agent.log.framing import FRAME_BYTES, LOG_DONE, LOG_FAILED, LOG_FULL, RECORD_NONE
from toolcart.agent.log.search import Search
from toolcart.agent.log.snapshot_fields import CURSOR, DAMAGED, DELIVERED, JUMPED, NEXT, OVERWRITTEN, QUARANTINED
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res
from lab.harness.flash import Nor

PORTABLE = True

# What a session is made of: letters, so that a way can be written down.
APPEND, APPEND_NEW, GIVE, GIVE_SAVE, GIVE_ALL, SAVE, MAINTAIN, SETTLE = "A", "N", "D", "S", "X", "s", "M", "T"
NAMES = {
    APPEND: "append",
    APPEND_NEW: "append another",
    GIVE: "deliver one",
    GIVE_SAVE: "deliver one, save",
    GIVE_ALL: "deliver all, save",
    SAVE: "save",
    MAINTAIN: "maintain",
    SETTLE: "settle",
}
COUNTED = QUARANTINED  # what results bring with them, here their sum: no one else counts in it here
TURNS_MOST = 400
WORN_MOST = 3
UNKNOWN = -1


class Fault(AssertionError):
    """A promise is broken."""


def need(holds_true, why):
    if not holds_true:
        raise Fault(why)


class Promise:
    """What was promised: the log's numbers, the controller's acknowledgements, the consumer's list."""

    def __init__(self, wanted=None):
        self.wanted = wanted  # None: all; else what says whether the consumer wants a tightening
        self.last = 0  # the newest tightening of the controller
        self.pending = 0  # the one that waits for its acknowledgement
        self.tried = {}  # number: tightenings that may stand there
        self.acked = {}  # number: tightening
        self.given = {}  # number: tightening, what the consumer has
        self.delivered = {}  # tightening: its number at the consumer
        self.twice = ()  # what the consumer may get twice: it had it, and the log had it no more
        self.floor = 0  # a saved cursor
        self.rotten = 0  # so many of the log's read well once, and do so no more
        self.may_leave_rests = False  # what an erase whose sync failed leaves behind the newest looks like damage

    def copy(self):
        twin = Promise(self.wanted)
        for name in ("tried", "acked", "given", "delivered"):
            setattr(twin, name, dict(getattr(self, name)))
        twin.last, twin.pending, twin.twice, twin.floor = self.last, self.pending, self.twice, self.floor
        return twin

    def key(self):
        rows = [tuple(sorted(row.items())) for row in (self.tried, self.acked, self.given)]
        return tuple(rows) + (self.last, self.pending, self.twice, self.floor)

    def attempt(self, number, ident):
        need(number not in self.acked and number not in self.given, "number %d is used twice" % number)
        self.tried[number] = self.tried.get(number, ()) + (ident,)
        if ident in self.delivered:
            self.twice = self.twice + (ident,)
        self.last, self.pending = max(self.last, ident), ident

    def acknowledge(self, number, ident):
        self.acked[number] = ident
        self.pending = 0

    def give(self, number, ident):
        if number in self.given:
            need(self.given[number] == ident, "number %d reaches the consumer with two payloads" % number)
            return
        need(ident in self.tried.get(number, ()), "%d was never tried under number %d" % (ident, number))
        need(self.acked.get(number, ident) == ident, "number %d is delivered with another payload" % number)
        need(not self.given or number > max(self.given), "number %d is delivered behind %r" % (number, self.given))
        need(ident not in self.delivered or ident in self.twice, "%d is delivered twice, as %d too" % (ident, number))
        self.given[number] = ident
        self.delivered[ident] = number

    def owed(self):
        """Numbers that were acknowledged, that the consumer wants and does not have."""
        rest = [n for n, ident in self.acked.items() if n not in self.given and ident not in self.delivered]
        return sorted([n for n in rest if self.wanted is None or self.wanted(self.acked[n])])


class Shape:
    """How a world is built. `payload` and `log_bytes` say how many records a block has."""

    def __init__(
        self, unit=256, state_bytes=512, log_blocks=3, log_bytes=512, payload=190, when_full=0, flickers=False, spread=0
    ):
        self.unit = unit
        self.parts = [(4, state_bytes), (log_blocks, log_bytes)]
        self.payload = payload
        self.spread = spread  # payloads are up to that many octets shorter
        self.when_full = when_full
        self.flickers = flickers
        self.name = "unit %d, state blocks of %d, %d log blocks of %d, when full %d" % (
            unit,
            state_bytes,
            log_blocks,
            log_bytes,
            when_full,
        )

    def area(self, dice=None, more=()):
        """Return a chip with these parts, and more."""
        parts = self.parts + list(more)
        return Nor(sum([count * size for count, size in parts]) // self.unit, self.unit, self.unit, dice).divide(parts)

    def length_of(self, ident):
        return self.payload - (ident * 37 % (self.spread + 1) if self.spread else 0)


def put_payload(stage, at, number, ident, length):
    """Write a result of that many octets: every octet says which one it is."""
    for index in range(4):
        stage[at + index] = number >> 8 * index & 0xFF
    stage[at + 4 : at + 8] = b"\x0a\x00\x01\x00"
    stage[at + 8 : at + length] = body_of(ident, length)


_BODIES = {}


def body_of(ident, length):
    body = _BODIES.get((ident, length))
    if body is None:
        text = b"%010d" % ident
        body = bytearray((text * (length // 10 + 1))[: length - 8])
        body[res.TIGHTENING_ID : res.TIGHTENING_ID + 10] = text
        body = _BODIES[(ident, length)] = bytes(body)
    return body


def payload_at(page, at, length):
    """Return (number, tightening) of what lies there, octet for octet as it was written."""
    number = page[at] | page[at + 1] << 8 | page[at + 2] << 16 | page[at + 3] << 24
    start = at + 8 + res.TIGHTENING_ID
    digits = bytes(page[start : start + 10])
    need(digits.isdigit(), "octets are delivered that no one wrote: %r" % digits)
    need(bytes(page[at + 8 : at + length]) == body_of(int(digits), length), "a wrong payload of %d" % int(digits))
    return number, int(digits)


class Client:
    """A controller and a consumer at one log. Each answer of the real code is held against the promise."""

    def __init__(self, shape, area, promise, state, log):
        self.shape = shape
        self.area = area
        self.promise = promise
        self.state = state
        self.log = log
        self.cursor = log.cursors[0]
        self.covered = state.numbers[log.ring_id + NEXT]
        self.slot = CURSOR
        self.when_full = shape.when_full
        self.kind_of = lambda ident: KIND_RESULT
        self.restless = False
        self.hopeless = False  # too many blocks are worn
        self.refused = 0
        self.saved = False
        self.counts = True  # the state knows all that was before
        self.replayed = None  # how far what results bring was taken in since the start; False: all is

    @property
    def faulty(self):
        """True if the device has refused something of this operation."""
        return self.hopeless or self.area.refused > self.refused

    def check_start(self, counted=True):
        self.refused = self.area.refused
        self.counts = counted
        self.replay()
        cursor, promise, numbers = self.cursor.number, self.promise, self.state.numbers
        need(self.state.found or not promise.floor, "the state is lost")
        need(cursor >= promise.floor, "the cursor stands at %d, saved was %d" % (cursor, promise.floor))
        passed = numbers[DELIVERED] + numbers[OVERWRITTEN]
        wanted = promise.wanted or (lambda ident: True)
        least = len([n for n, ident in promise.acked.items() if n <= cursor and wanted(ident)])
        most = len([n for n in promise.tried if n <= cursor])
        text = "cursor %d: %d are passed, %d to %d were there" % (cursor, passed, least, most)
        need(least <= passed <= most or not counted, text)
        need(
            self.log.next > max([0, cursor] + list(promise.acked) + list(promise.given)),
            "the next number is %d" % self.log.next,
        )

    def run(self, operation):
        self.refused = self.area.refused
        if operation == APPEND or operation == APPEND_NEW:
            self.append(operation == APPEND_NEW)
        elif operation == GIVE:
            self.give()
        elif operation == GIVE_SAVE:
            self.give()
            self.save()
        elif operation == GIVE_ALL:
            self.give_all()
            self.save()
        elif operation == SAVE:
            self.save()
        elif operation == MAINTAIN:
            self.maintain()
        elif operation == SETTLE:
            self.settle()
        self.note()

    def note(self):
        """What the code believes to be durable has to be, once it has saved in this session."""
        if not self.saved:
            return
        self.promise.floor = max(self.promise.floor, self.state.durable[self.slot])

    def replay(self):
        """Take in what the snapshot does not cover, with the function that is called after an append."""
        log, numbers, promise = self.log, self.state.numbers, self.promise
        if self.slot != CURSOR or self.replayed is False:
            return
        if self.replayed is None:
            self.replayed = Cursor()
            self.replayed.wants = WANTS_ALL
            self.replayed.number = self.covered - 1
        while log.peek(self.replayed) > 0:
            numbers[COUNTED] += payload_at(log.page, log.at, log.length)[1]
            self.replayed.advance()
            log.checkpoint(self.replayed.number)
        if self.faulty or log.doubtful:
            return
        log.checkpoint(log.number)
        self.replayed = False
        more = numbers[COUNTED] - sum(promise.acked.values())
        unsure = [idents for number, idents in promise.tried.items() if number not in promise.acked]
        need(not self.counts or 0 <= more <= sum([max(idents) for idents in unsure]), "told of %d too much" % more)

    def count_on_append(self, number, ident):
        """What a result brings counts from its append on."""
        if self.replayed is False or (
            self.slot == CURSOR and self.state.numbers[self.log.ring_id + NEXT] == number + 1
        ):
            self.state.numbers[COUNTED] += ident
            self.replayed = False
        self.replay()

    def maintain(self):
        if self.log.maintain():
            ready = self.log.writes_in_one_program() or self.is_full() or self.when_full
            need(ready, "maintained, and the next append is no single program")
        else:
            need(self.faulty or self.is_full(), "it cannot be maintained")

    def settle(self):
        answer = self.log.settle()
        # A worn block may have been the room that was kept for it: then the consumer has to take something first.
        need(answer or self.faulty or self.waits_for_worn(), "the last record cannot be settled")
        need(answer != self.log.doubtful, "settled and doubtful")
        self.replay()
        return answer

    def waits_for_worn(self):
        return self.area.worn and self.log.peek(self.cursor) > 0

    def append(self, another=False):
        """The controller's next result, or the one that waits for its acknowledgement once more: a LOG_ code."""
        promise, log = self.promise, self.log
        if promise.pending and not another:
            number = self.number_of(promise.pending) if self.settle() else UNKNOWN
            if number:
                if number != UNKNOWN:
                    promise.acknowledge(number, promise.pending)
                return LOG_FAILED if number == UNKNOWN else LOG_DONE
            ident = promise.pending
        else:
            ident = promise.last + 1
        self.replay()
        number, length, operations, torn = log.next, self.shape.length_of(ident), self.area.operations, log.damage.torn
        room, ready = log.has_room(length), log.writes_in_one_program() and self.is_usual(length)
        need(operations == self.area.operations, "a question writes")
        put_payload(log.stage, log.payload_at, number, ident, length)
        promise.attempt(number, ident)
        answer = log.append(self.kind_of(ident), 0, length)
        if answer == LOG_DONE:
            need(room or self.faulty, "there was no room, and it was appended")
            need(not ready or self.faulty or self.area.operations == operations + 1, "it was ready for one program")
            self.appended(number, ident)
        elif answer == LOG_FULL:
            need(not room or self.faulty, "there was room, and the log is full")
            need(self.when_full == 0, "full, though it may overwrite")
            need(log.is_still_full(), "full is not shown")
            need(self.is_full(), "full, though the consumer has taken all")
        else:
            need(answer == LOG_FAILED, "append answers %d" % answer)
            need(self.faulty or log.damage.torn > torn, "the append fails")
        return answer

    def appended(self, number, ident):
        need(self.log.number == number, "it was appended as %d, not as %d" % (self.log.number, number))
        need(self.log.next == number + 1, "the next after %d is %d" % (number, self.log.next))
        self.count_on_append(number, ident)
        self.promise.acknowledge(number, ident)

    def is_usual(self, length):
        """True if the log may have counted on a record as long as that."""
        octets = length + FRAME_BYTES
        return octets + -octets % self.log.align <= self.log.longest_bytes

    def is_full(self):
        """True if there is something the consumer has not taken."""
        return self.log.doubtful or self.log.peek(self.cursor) != RECORD_NONE

    def number_of(self, ident):
        """Where the log holds this tightening, 0 if it does not: what a repeat is acknowledged on."""
        scout = Cursor()
        scout.wants = WANTS_ALL
        self.log.seek(scout, 0)
        last = 0
        for _ in range(TURNS_MOST):
            kind = self.log.peek(scout)
            if kind <= 0:
                need(kind == RECORD_NONE or self.faulty, "the log cannot be read")
                return 0 if kind == RECORD_NONE else UNKNOWN
            number, stored_ident = payload_at(self.log.page, self.log.at, self.log.length)
            need(number == scout.found, "record %d says that it is %d" % (scout.found, number))
            need(number > last, "record %d behind %d" % (number, last))
            if stored_ident == ident:
                return number
            last = number
            scout.advance()
        raise Fault("the log has no end")

    def search(self, ident):
        """Where a look-up by tightening ID finds it, 0 if it does not."""
        key = b"..%010d" % ident
        search = Search(self.log)
        search.begin(key, 2)
        newest = 0
        for _ in range(TURNS_MOST):
            kind = search.next()
            if kind <= 0:
                need(kind == RECORD_NONE or self.faulty, "the log cannot be read")
                return newest
            number, stored_ident = payload_at(self.log.page, self.log.at, self.log.length)
            need(stored_ident == ident, "a search for %d finds %d" % (ident, stored_ident))
            newest = max(newest, number)
        raise Fault("the search has no end")

    def give(self):
        """Deliver one; True if there was one."""
        log, cursor = self.log, self.cursor
        if not self.state.ensure_reliable():
            need(self.faulty, "the state cannot be written")
            return False
        self.saved = True
        if log.peek_staged(cursor):
            buf, at, length = log.stage, log.payload_at, log.staging.staged_length
        else:
            kind = log.peek(cursor)
            if kind == RECORD_NONE and log.doubtful and self.settle():
                kind = log.peek(cursor)
            if kind <= 0:
                need(kind == RECORD_NONE or self.faulty, "the log cannot be read")
                return False
            buf, at, length = log.page, log.at, log.length
        number, ident = payload_at(buf, at, length)
        need(number == cursor.found, "record %d says that it is %d" % (cursor.found, number))
        self.promise.give(number, ident)
        cursor.advance()
        need(cursor.number >= number, "the cursor does not advance")
        if self.slot == CURSOR:
            self.state.numbers[DELIVERED] += 1
        return True

    def give_all(self):
        for _ in range(TURNS_MOST):
            if not self.give():
                return
        raise Fault("the log has no end")

    def save(self):
        if self.state.save():
            need(self.state.durable[self.slot] == self.cursor.number, "saved is another cursor")
            self.saved = True
            self.note()
        else:
            need(self.faulty, "the state cannot be saved")


def drained(session, more=3):
    """All that was acknowledged arrives, once and in order, and there is room again."""
    shape, promise = session.shape, session.promise
    session.settle()
    session.replay()
    if not session.log.doubtful and not session.restless:
        searched(session)
    remaining = session.log.backlog_of(session.cursor)
    before = dict(promise.given)
    session.give_all()
    arrived = [n for n in promise.given if n not in before]
    need(len(arrived) <= remaining, "%d wait, %d arrive" % (remaining, len(arrived)))
    need(session.log.backlog_of(session.cursor) == 0, "some still wait")
    counted(session, arrived)
    for _ in range(more):
        answer = session.append()
        for _ in range(WORN_MOST if session.faulty else 0):
            answer = session.append() if answer != LOG_DONE else answer
        need(answer == LOG_DONE, "all is taken, and an append is refused")
        session.give_all()
        need(not promise.owed() or shape.when_full, "the last one does not arrive")


def searched(session):
    """A look-up by ID finds the oldest and the newest that no one has taken, and no other."""
    promise = session.promise
    owed = [promise.acked[n] for n in promise.owed() if n > session.cursor.number]
    for ident in owed[:1] + owed[-1:]:
        need(session.kind_of(ident) != KIND_RESULT or session.search(ident), "a search for %d finds nothing" % ident)
    need(not session.search(promise.last + 1), "a search finds what was never there")


def counted(session, arrived):
    """What is gone is counted, by the name of what took it."""
    promise, numbers = session.promise, session.state.numbers
    lost = promise.owed()
    is_right = numbers[DAMAGED] == promise.rotten or (promise.may_leave_rests and numbers[DAMAGED] > promise.rotten)
    need(is_right, "%d count as damaged, not %d" % (numbers[DAMAGED], promise.rotten))
    gaps = [n for n in range(1, session.log.number + 1) if n not in promise.tried]
    need(len(gaps) <= numbers[JUMPED], "never used: %r, and %d are counted" % (gaps, numbers[JUMPED]))
    if session.shape.when_full == 0:
        gone = [n for n in range(1, session.log.number + 1) if n not in promise.given]
        need(promise.wanted or len(gone) == numbers[JUMPED], "gone: %r, counted %d" % (gone, numbers[JUMPED]))
        need(not lost, "lost: %r" % lost)
        need(numbers[OVERWRITTEN] == 0, "%d count as overwritten" % numbers[OVERWRITTEN])
    else:
        need(not lost or not arrived or max(lost) < min(arrived), "lost %r, but not %r" % (lost, arrived))
        need(len(lost) <= numbers[OVERWRITTEN], "lost %r, and %d are counted" % (lost, numbers[OVERWRITTEN]))
