"""The log and the state on a flash that forks: every way a session may be cut, each image drained whole.

Rules
1. A session is a start and a row of operations (OPERATIONS), all of them the real code's. In front of each operation of
   the flash the world forks into what a cut there may leave behind (host_tests/support_log_flash.py).
2. `Promise` is all that the log promises, in numbers and tightenings; it knows nothing of blocks.
3. Each image is drained on a copy: a start, the doubtful record settled, all delivered, then appends must succeed.
4. A fault is a `Fault` whose text ends with the shortest way that led there, one session a line.
"""

from agent.log.log import (
    LOG_DONE,
    LOG_FAILED,
    LOG_FULL,
    Log,
)
from agent.log.mount import MOUNT_DONE, mount
from agent.log.numbers import CURSOR, DAMAGED, DELIVERED, JUMPED, LOG, NEXT, OVERWRITTEN, SET_ASIDE
from agent.log.record import RECORD_NONE
from agent.log.search import Search
from agent.log.state import STATE_FINE, State
from agent.record import KIND_RESULT
from agent.record import result as res
from host_tests.support_log_flash import (
    ERASE,
    FIRST_ERASE,
    FIRST_PROGRAM,
    LOOK_NAMES,
    UNTOUCHED,
    Area,
    Dice,
    Misuse,
    PowerCut,
    Torn,
)

try:
    from agent.log.cursor import Cursor
except ImportError:
    from agent.log.log import Cursor

PORTABLE = True

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
ALL_WANTS = 7
TOLD = SET_ASIDE  # what results bring with them, here their sum: nobody else counts in it here
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
        self.known = {}  # tightening: its number at the consumer
        self.twice = ()  # what the consumer may get twice: it had it, and the log had it no more
        self.floor = 0  # a saved cursor

    def copy(self):
        twin = Promise(self.wanted)
        for name in ("tried", "acked", "given", "known"):
            setattr(twin, name, dict(getattr(self, name)))
        twin.last, twin.pending, twin.twice, twin.floor = self.last, self.pending, self.twice, self.floor
        return twin

    def key(self):
        rows = [tuple(sorted(row.items())) for row in (self.tried, self.acked, self.given)]
        return tuple(rows) + (self.last, self.pending, self.twice, self.floor)

    def attempt(self, number, ident):
        need(number not in self.acked and number not in self.given, "number %d is used twice" % number)
        self.tried[number] = self.tried.get(number, ()) + (ident,)
        if ident in self.known:
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
        need(ident not in self.known or ident in self.twice, "%d is delivered twice, as %d too" % (ident, number))
        self.given[number] = ident
        self.known[ident] = number

    def owed(self):
        """Numbers that were acknowledged, that the consumer wants and does not have."""
        rest = [n for n, ident in self.acked.items() if n not in self.given and ident not in self.known]
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
    need(digits.isdigit(), "octets are delivered that nobody wrote: %r" % digits)
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
        self.covered = state.numbers[log.ring + NEXT]
        self.slot = CURSOR
        self.when_full = shape.when_full
        self.kind_of = lambda ident: KIND_RESULT
        self.restless = False
        self.hopeless = False  # too many blocks are worn
        self.refused = 0
        self.saved = False
        self.usual = 0  # octets of the last payload of this session
        self.replayed = None  # how far what results bring was taken in since the start; False: all is

    @property
    def faulty(self):
        """True if the device has refused something of this operation."""
        return self.hopeless or self.area.refused > self.refused

    def check_start(self, counted=True):
        self.refused = self.area.refused
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
            self.replayed.wants = ALL_WANTS
            self.replayed.number = self.covered - 1
        while log.peek(self.replayed) > 0:
            numbers[TOLD] += payload_at(log.page, log.at, log.length)[1]
            self.replayed.advance()
            log.cover(self.replayed.number)
        if self.faulty or log.doubtful:
            return
        log.cover(log.number)
        self.replayed = False
        more = numbers[TOLD] - sum(promise.acked.values())
        unsure = [idents for number, idents in promise.tried.items() if number not in promise.acked]
        need(0 <= more <= sum([max(idents) for idents in unsure]), "told of %d too much" % more)

    def tell(self, number, ident):
        """What a result brings counts from its append on."""
        if self.replayed is False or (self.slot == CURSOR and self.state.numbers[self.log.ring + NEXT] == number + 1):
            self.state.numbers[TOLD] += ident
            self.replayed = False
        self.replay()

    def maintain(self):
        if self.log.maintain():
            ready = self.log.is_ready() or self.usual == 0 or self.is_full()
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
        """The controller's next result, or the one that waits for its acknowledgement once more."""
        promise, log = self.promise, self.log
        repeated = promise.pending and not another
        ident = promise.pending if repeated else promise.last + 1
        if repeated:
            if not self.settle():
                return LOG_FAILED
            number = self.number_of(ident)
            if number == UNKNOWN:
                return LOG_FAILED
            if number:
                promise.acknowledge(number, ident)
                return LOG_DONE
        self.replay()
        number, length = log.next, self.shape.length_of(ident)
        operations = self.area.operations
        room, ready = log.has_room(length), log.is_ready() and length <= self.usual
        need(operations == self.area.operations, "a question writes")
        put_payload(log.stage, log.place, number, ident, length)
        promise.attempt(number, ident)
        torn = log.torn
        answer = log.append(self.kind_of(ident), 0, length)
        if answer == LOG_DONE:
            need(log.number == number, "it was appended as %d, not as %d" % (log.number, number))
            need(log.next == number + 1, "the next after %d is %d" % (number, log.next))
            need(room or self.faulty, "there was no room, and it was appended")
            need(not ready or self.faulty or self.area.operations == operations + 1, "it was ready for one program")
            self.tell(number, ident)
            self.usual = length
            promise.acknowledge(number, ident)
        elif answer == LOG_FULL:
            need(not room or self.faulty, "there was room, and the log is full")
            need(self.when_full == 0, "full, though it may overwrite")
            need(log.full, "full is not shown")
            need(self.is_full(), "full, though the consumer has taken all")
        else:
            need(answer == LOG_FAILED, "append answers %d" % answer)
            need(self.faulty or log.torn > torn, "the append fails")
        return answer

    def is_full(self):
        """True if there is something the consumer has not taken."""
        return self.log.doubtful or self.log.peek(self.cursor) != RECORD_NONE

    def number_of(self, ident):
        """Where the log holds this tightening, 0 if it does not: what a repeat is acknowledged on."""
        scout = Cursor()
        scout.wants = ALL_WANTS
        self.log.rewind(scout, 0)
        last = 0
        for _ in range(TURNS_MOST):
            kind = self.log.peek(scout)
            if kind <= 0:
                need(kind == RECORD_NONE or self.faulty, "the log cannot be read")
                return 0 if kind == RECORD_NONE else UNKNOWN
            number, found = payload_at(self.log.page, self.log.at, self.log.length)
            need(number == scout.found, "record %d says that it is %d" % (scout.found, number))
            need(number > last, "record %d behind %d" % (number, last))
            if found == ident:
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
            number, found = payload_at(self.log.page, self.log.at, self.log.length)
            need(found == ident, "a search for %d finds %d" % (ident, found))
            newest = max(newest, number)
        raise Fault("the search has no end")

    def give(self):
        """Deliver one; True if there was one."""
        log, cursor = self.log, self.cursor
        if not self.state.ready():
            need(self.faulty, "the state cannot be written")
            return False
        self.saved = True
        if log.fresh(cursor):
            buf, at, length = log.stage, log.place, log.fresh_length
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


class Session(Client):
    """The real code from one start on."""

    seed = 7

    def __init__(self, shape, area, promise, counted=True):
        state = State(area.parts[0])
        log = Log(area.parts[1], state, LOG, when_full=shape.when_full, payload_most=shape.payload)
        before = area.operations
        need(mount(state, (log,), self.seed) == MOUNT_DONE, "the mount fails")
        need(area.operations == before, "the mount writes")
        Client.__init__(self, shape, area, promise, state, log)
        self.check_start(counted)


def drain(shape, area, promise, more=3):
    """A start on this image with power that stays: all that was acknowledged arrives, and there is room again."""
    session = Session(shape, area, promise)
    need(session.state.alarm == STATE_FINE, "an alarm of the state")
    drained(session, more)


def drained(session, more=3):
    shape, promise = session.shape, session.promise
    session.settle()
    session.replay()
    owed = promise.owed()
    if not session.log.doubtful and not session.restless:
        for number in (owed[:1] + owed[-1:]) if owed and owed[0] > session.cursor.number else ():
            if session.kind_of(promise.acked[number]) == KIND_RESULT:
                need(session.search(promise.acked[number]), "a search for %d finds nothing" % promise.acked[number])
        need(not session.search(promise.last + 1), "a search finds what was never there")
    remaining = session.log.waits(session.cursor)
    before = dict(promise.given)
    session.give_all()
    arrived = [n for n in promise.given if n not in before]
    need(len(arrived) <= remaining, "%d wait, %d arrive" % (remaining, len(arrived)))
    need(session.log.waits(session.cursor) == 0, "some still wait")
    lost = promise.owed()
    numbers = session.state.numbers
    need(numbers[DAMAGED] == 0, "%d count as damaged" % numbers[DAMAGED])
    holes = [n for n in range(1, session.log.number + 1) if n not in promise.tried]
    need(len(holes) <= numbers[JUMPED], "never used: %r, and %d are counted" % (holes, numbers[JUMPED]))
    if shape.when_full == 0:
        gone = [n for n in range(1, session.log.number + 1) if n not in promise.given]
        need(promise.wanted or len(gone) == numbers[JUMPED], "gone: %r, counted %d" % (gone, numbers[JUMPED]))
        need(not lost, "lost: %r" % lost)
        need(numbers[OVERWRITTEN] == 0, "%d count as overwritten" % numbers[OVERWRITTEN])
    else:
        need(not lost or not arrived or max(lost) < min(arrived), "lost %r, but not %r" % (lost, arrived))
        need(len(lost) <= numbers[OVERWRITTEN], "lost %r, and %d are counted" % (lost, numbers[OVERWRITTEN]))
    for _ in range(more):
        answer = session.append()
        for _ in range(WORN_MOST if session.faulty else 0):
            answer = session.append() if answer != LOG_DONE else answer
        need(answer == LOG_DONE, "all is taken, and an append is refused")
        session.give_all()
        need(not promise.owed() or shape.when_full, "the last one does not arrive")


class Explorer:
    """Follows every way from an image: sessions of `length` operations, `cuts` of them cut.

    With `refusals` each session is run again with each of its operations refused once, not begun and torn.
    """

    def __init__(self, shape, operations, length, refusals=(), worn=()):
        self.shape = shape
        self.refusals = refusals
        self.rows = [()]
        for _ in range(length):
            self.rows = [row + (operation,) for row in self.rows for operation in operations]
        self.seen = {}
        self.images = self.sessions = self.forks = 0
        self.area = Area(shape.parts, shape.unit, Dice(1))
        self.area.worn = set(worn)

    def explore(self, image, promise, cuts, trace=()):
        """All images within that many cuts behind this one, which is at rest."""
        stack = [(image, promise, cuts, trace)]
        while stack:
            image, promise, cuts, trace = stack.pop()
            if self.look_at(image, promise, cuts, trace) and cuts:
                for row in self.rows:
                    stack += self.sessions_of(image, promise, cuts, trace, row)

    def sample(self, image, promise, cuts, dice, trace=()):
        """One way of that many cuts."""
        for left in range(cuts, 0, -1):
            row = self.rows[dice.randrange(len(self.rows))]
            found = self.sessions_of(image, promise, left, trace, row)
            image, promise, _, trace = found[dice.randrange(len(found))]
            self.look_at(image, promise, left - 1, trace)

    def look_at(self, image, promise, cuts, trace):
        """Drain the image if it is a new one; True if it was not followed that far yet."""
        key = hash((image.key(), promise.key()))
        known = self.seen.get(key, -1)
        if known >= cuts:
            return False
        self.seen[key] = cuts
        if known < 0:
            self.images += 1
            self.guarded(lambda: self.drain(self.area.load(image), promise.copy()), trace, lambda: "drain")
            self.looked(image, promise, trace)
        return True

    def sessions_of(self, image, promise, cuts, trace, row):
        """Return what a session of these operations may leave behind: [(image, promise, cuts left, trace)]."""
        found = []
        area = self.area
        area.load(image)
        first = area.operations
        self.session(image, promise, cuts, trace, row, "", found)
        for index in range(area.operations - first) if self.refusals else ():
            for look in self.refusals:
                area.refuse_at = {area.operations + index + 1: look}
                note = "!%d=%s" % (index + 1, LOOK_NAMES[look])
                self.session(image, promise, cuts, trace, row, note, found)
        area.refuse_at = {}
        return found

    def session(self, image, promise, cuts, trace, row, note, found):
        self.sessions += 1
        area = self.area.load(image)
        promise = promise.copy()
        done = []
        first = area.operations

        def before(operation, block, at, old, new):
            session.note()
            held = promise.copy()
            way = "".join(done) + note + "@%d=" % (area.operations - first + 1)
            for later in area.image().later(self.shape.flickers):
                old = later.blocks[block][at : at + len(new)]
                for look in FIRST_ERASE if operation == ERASE else FIRST_PROGRAM:
                    torn = later.tear(Torn(operation, block, at, old, new, look), self.shape.unit)
                    found.append((torn, held, cuts - 1, trace + (way + LOOK_NAMES[look] + looks_of(later),)))
                    self.forks += 1

        def act():
            nonlocal session
            session = self.begin(area, promise)
            area.before = before
            for operation in row:
                done.append(operation)
                session.run(operation)
                for later in area.image().later(self.shape.flickers):
                    way = "".join(done) + note + looks_of(later)
                    found.append((later, promise.copy(), cuts - 1, trace + (way,)))

        session = None
        self.guarded(act, trace, lambda: "".join(done) + note)

    def begin(self, area, promise):
        return Session(self.shape, area, promise)

    def drain(self, area, promise):
        drain(self.shape, area, promise)

    def looked(self, image, promise, trace):
        """What else is to be done with each new image."""

    def guarded(self, act, trace, what):
        try:
            act()
        except (AssertionError, IndexError, ValueError) as error:
            kind = "" if isinstance(error, (Fault, Misuse)) else type(error).__name__ + " "
            raise Fault("%s%s\n%s\nway: %s" % (kind, error, self.shape.name, "/".join(trace + (what(),)))) from error
        finally:
            self.area.before = None


def looks_of(image):
    """How the torn operations look, for a way that can be followed again."""
    return "{%s}" % ",".join([LOOK_NAMES[torn.look] for torn in image.torn]) if image.torn else ""


class LostState(Explorer):
    """Every image is drained once more with nothing of its state left: the log alone has to do (invariants 11, 13)."""

    def looked(self, image, promise, trace):
        self.guarded(lambda: self.lose(self.area.load(image), promise.copy()), trace, lambda: "lose")

    def lose(self, area, promise):
        area.wipe(area.parts[0])
        promise.floor = 0
        owed = promise.owed()
        session = Session(self.shape, area, promise, False)
        need(not session.state.found, "the state is lost, and it says that it was found")
        session.give_all()  # nothing is passed any more: what is in doubt may have to wait for room
        need(not promise.owed(), "lost: %r of %r" % (promise.owed(), owed))
        for _ in range(3):
            need(session.append() == LOG_DONE, "all is taken, and an append is refused")
            session.give_all()


class StateExplorer(Explorer):
    """The state alone: each save moves a cursor; what was saved is never lost, what was not tried never read."""

    def explore_after(self, starts, cuts):
        """Explore from an image that so many starts without a cut have left, one save each and two each."""
        for saves in (1, 2):
            area, promise = Area(self.shape.parts, self.shape.unit, Dice(1)), Promise()
            for _ in range(starts):
                session = self.begin(area, promise)
                for _ in range(saves):
                    session.run(SAVE)
            self.explore(area.image(), promise, cuts, (SAVE * saves,) * starts)

    def begin(self, area, promise):
        return StateSession(area, promise)

    def drain(self, area, promise):
        for _ in range(2):
            session = StateSession(area, promise)
            for _ in range(3):
                session.run(SAVE)


class StateSession:
    def __init__(self, area, promise):
        self.promise = promise
        self.state = State(area.parts[0])
        operations = area.operations
        need(mount(self.state, (Log(area.parts[1], self.state, LOG),), 7) == MOUNT_DONE, "the mount fails")
        need(area.operations == operations, "the mount writes")
        self.first = self.state.numbers[DELIVERED]
        need(promise.floor <= self.first <= promise.last, "%d of %d" % (self.first, promise.floor))
        self.area = area
        self.saved = False

    def run(self, operation):
        refused = self.area.refused
        self.promise.last += 1
        self.state.numbers[DELIVERED] = self.promise.last
        saved = self.state.save()
        need(saved or self.area.refused > refused, "a save fails")
        self.saved = self.saved or saved
        self.note()
        need(not saved or self.promise.floor == self.promise.last, "saved is not what was to be saved")

    def note(self):
        if self.saved:
            self.promise.floor = max(self.promise.floor, self.state.durable[DELIVERED])


def replay(shape, way, tell=print, kind=Explorer):
    """Follow the way of a fault again and tell every operation of the flash.

    Sessions stand between "/": operations, "!3=bad" the third operation is refused and torn so, "@5=new" it is cut at
    the fifth, which looks new then, "{bad,new}" what was torn before looks so from then on.
    """
    explorer = kind(shape, "", 0)
    area, promise = Area(shape.parts, shape.unit, Dice(1)), Promise()
    image = area.image()

    def before(operation, block, at, old, new):
        tell("      %d %s block %d at %d, %d" % (count() + 1, ("program", "erase")[operation], block, at, len(old)))
        if count() + 1 == cut_at:
            area.torn_by = (operation, block, at, new)
            raise PowerCut

    def count():
        return area.operations - first

    for day in [day for day in way.strip("/").split("/") if day]:
        area.load(image)
        area.before = before
        first = area.operations
        if day in ("drain", "lose"):
            tell(day)
            (explorer.drain if day == "drain" else explorer.lose)(area, promise)
            break
        day, looks = (day[:-1] + "{").split("{")[:2] if "{" in day else (day, "")
        day, cut = (day + "@").split("@")[:2]
        day, refusal = (day + "!").split("!")[:2]
        cut_at = int(cut.split("=")[0]) if cut else 0
        if refusal:
            at, look = refusal.split("=")
            area.refuse_at = {first + int(at): LOOK_NAMES.index(look) if look in LOOK_NAMES else UNTOUCHED}
        session = explorer.begin(area, promise)
        tell("start: " + told(session))
        try:
            for operation in day:
                tell("   " + NAMES[operation])
                session.run(operation)
                tell("   -> " + told(session))
        except PowerCut:
            session.note()
        image = area.image()
        for index, look in enumerate(looks.split(",") if looks else ()):
            image = image.looking(index, LOOK_NAMES.index(look))
        if cut_at:
            operation, block, at, new = area.torn_by
            look = LOOK_NAMES.index(cut.split("=")[1])
            old = image.blocks[block][at : at + len(new)]
            image = image.tear(Torn(operation, block, at, old, new, look), shape.unit)
        tell("off; torn: %s" % [(t.block, t.at, LOOK_NAMES[t.look]) for t in image.torn])
        area.refuse_at = {}


def told(session):
    if not isinstance(session, Client):
        return "first %d, durable %d" % (session.first, session.state.durable[DELIVERED])
    log, state = session.log, session.state
    return "number %d, next %d, cursor %d, saved %d, waits %d%s%s, used %d, state %r" % (
        log.number,
        log.next,
        session.cursor.number,
        state.durable[CURSOR],
        log.waits(session.cursor),
        ", full" if log.full else "",
        ", doubtful" if log.doubtful else "",
        log.used_blocks(),
        state.numbers[:3],
    )


def bases(shape, most, depth=40, operations=(APPEND, GIVE_SAVE, GIVE_ALL, "R")):
    """Return images at rest that fault-free days lead to, no two of the same shape: [(image, promise, way)]."""
    area = Area(shape.parts, shape.unit, Dice(1))
    found = {}
    rows = [(area.image(), Promise(), "")]
    for _ in range(depth):
        behind = []
        for image, promise, way in rows:
            for row in _days(operations):
                area.load(image)
                after = promise.copy()
                session = Session(shape, area, after)
                for operation in row:
                    session.run(operation)
                key = (
                    area.image().units,
                    after.last - max([0] + list(after.given)),
                    len(after.acked) - len(after.given),
                )
                if key not in found:
                    found[key] = (area.image(), after, way + "/" + "".join(row))
                    behind.append(found[key])
                    if len(found) >= most:
                        return list(found.values())
        rows = behind
    return list(found.values())


def _days(operations):
    days = [(a,) for a in operations if a != "R"]
    return days + [day + (a,) for day in days for a in operations if a != "R"]
