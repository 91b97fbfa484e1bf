"""Explores a small state space whole: the real Outlet, Ring, Quarantine and Forward with three results, and a ToolsNet.

A `World` is all of it at a moment at which the next thing is up to others; `moves` says what they can do then. From
each state every move is made, on a copy; what comes out is looked at once, whatever way led there.

Rules
1. A move that others need not make (a refusal, a loss, a cut of the power ..) takes one of `faults`. What is left is
   the ordinary way, and it is followed to its end from every state: then the account has to be right.
2. Power can fail at each operation of the flash, before it or just behind it, and between two of them.
3. The server is truthful: its 08 names what its store holds. It may be set back to an older store, or to an empty one;
   then doubles are excused, and nothing else.
4. Two worlds are the same if flash, server and everything the agent remembers agree, its timers by what is left of
   them. Counters, scratch buffers and identifiers of telegrams are nothing it decides by.
"""

import pickle

from agent.base.ticks import FOREVER, TICKS_MAX, Timer
from agent.base.words import get_u32
from agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN
from agent.quarantine import Quarantine
from agent.spool.fold import ROLE_QUARANTINE
from agent.spool.mount import mount
from agent.spool.record import HEAD_BYTES
from agent.spool.ring import Ring
from agent.spool.search import holds
from host_tests.support_spool import append, body_of, ident_in
from host_tests.support_station import SETTINGS as PLAIN
from host_tests.support_station import Station
from tools.sim.flash import ALL, NOTHING, PowerCut, SimFlash

RESULTS = 3
LAST = RESULTS + 1  # one more behind them at the end, which nobody refuses: what cannot be delivered is seen by it
ATTEMPTS = 3
SILENCES = 3
TURNS_MOST = 400  # of the agent until it waits for something
LOOPS_JUDGED = 60
MOVES_MOST = 20  # of the ordinary way until the account is made
HOUR_MS = 3600000
SETTLE_MS = 4 * HOUR_MS
PIM, SERVER = 1, 2
SHAPES = (NOTHING, ALL)

# What others can do. The ordinary way is in lower case, what takes one of the faults in capitals.
ACCEPT, REFUSE, WAIT, PRODUCE = "accept", "refuse", "wait", "produce"
REFUSE_NOW, LOSE_05, LOSE_04, MUTE = "REFUSE NOW", "LOSE THE 05", "LOSE THE 04", "MUTE"
CLOSE, STORE_CLOSE, CUT, STORE_CUT = "CLOSE", "STORE AND CLOSE", "CUT", "STORE AND CUT"
TROUBLE, STOP, PRODUCE_EARLY, OLDER, EMPTY = "TROUBLE", "STOP", "PRODUCE EARLY", "OLDER STORE", "EMPTY STORE"

SETTINGS = dict(PLAIN, pim_port=PIM, refused_attempts=ATTEMPTS)


class Breach(AssertionError):
    """A rule does not hold."""


def need(holds_true, why):
    if not holds_true:
        raise Breach(why)


class Server:
    """ToolsNet's side: what it holds, and what it has done with each tightening."""

    def __init__(self, refused):
        self.refused = refused  # tightenings it never takes
        self.store = []  # [(sequence, tightening)] in order of arrival
        self.ever = []  # what it stored at any time
        self.refusals = {}
        self.silences = {}
        self.in_trouble = False
        self.excused = False  # it lost some of its store
        self.doubles = 0

    def latest(self):
        return self.store[-1][0] if self.store else 0

    def keep(self, sequence, ident):
        if (sequence, ident) in self.store:
            return  # the same telegram once more
        for known, other in self.store:
            need(known != sequence or other == ident, "sequence %d means two results" % sequence)
        if ident in self.ever:
            self.doubles += 1
            need(self.excused, "tightening %d is stored twice" % ident)
        elif self.ever:
            need(ident > max(self.ever), "tightening %d comes behind %d" % (ident, max(self.ever)))
        self.store.append((sequence, ident))
        if ident not in self.ever:
            self.ever.append(ident)

    def refuse(self, ident):
        self.refusals[ident] = self.refusals.get(ident, 0) + 1

    def state(self):
        kept = [(ident, min(count, ATTEMPTS)) for ident, count in sorted(self.refusals.items())]
        silent = [(ident, min(count, SILENCES)) for ident, count in sorted(self.silences.items())]
        return (tuple(self.store), tuple(self.ever), tuple(kept), tuple(silent), self.in_trouble, self.excused)


class Line:
    """A port on which PIM and server answer at once; a telegram 04 waits for a move."""

    why = why_code = 0

    def __init__(self, world):
        self.world = world
        self.peer = 0
        self.lost = False
        self.mute = False  # the server takes nothing and says nothing any more on this connection
        self.sent = set()  # tightenings that went out on this connection
        self.unread = b""
        self.written = b""
        self.result = None  # (identifier, sequence, tightening) that waits to be judged

    def open(self, _host, number):
        self.close()
        self.peer = number
        if number == PIM:
            self._say(b"1200001")

    def close(self):
        self.peer = 0
        self.lost = self.mute = False
        self.unread = self.written = b""
        self.sent.clear()
        self.result = None

    def state(self):
        return PORT_OPEN if self.peer else PORT_CLOSED

    def readinto(self, buf, n):
        if self.unread:
            octets, self.unread = self.unread[:n], self.unread[n:]
            buf[: len(octets)] = octets
            return len(octets)
        return PORT_LOST if self.lost or not self.peer else 0

    def write(self, buf, start, n):
        if self.lost or not self.peer:
            return PORT_LOST
        self.written += bytes(buf[start : start + n])
        while len(self.written) >= 4 and len(self.written) >= 4 + int(self.written[:4]):
            end = 4 + int(self.written[:4])
            telegram, self.written = self.written[4:end], self.written[end:]
            self._take(telegram)
        return n

    def _say(self, telegram):
        self.unread += b"%04d" % len(telegram) + telegram

    def _take(self, telegram):
        kind, ident = telegram[:2], telegram[2:7]
        if kind == b"07":
            self._say(b"08" + ident + b"%05d%05d%-15s%05d" % (self.world.server.latest(), 0, b"tn", SERVER))
        elif kind == b"06":
            self.acknowledge(ident, 0)
        elif kind == b"04":
            at = telegram.index(b"VIN0") + 3
            number = int(telegram[at : at + 22]) // 7919
            self.world.watch_sent(number)
            if self.mute:
                return
            stored = any(other == number for _, other in self.world.server.store)
            need(number in self.sent or not stored, "%d is sent again though the 08 had told of it" % number)
            self.sent.add(number)
            need(self.result is None or self.result[2] == number, "two telegrams are out at a time")
            self.result = (ident, int(telegram[35:40]), number)

    def acknowledge(self, ident, code):
        self._say(b"05" + ident + b"20240314092653" + b"%03d" % code)


class World(Station):
    """Everything there is, and what the account will be made of."""

    def __init__(self, refused=(), quarantine_blocks=2, **settings):
        self.now = 1000
        self.total_ms = 0
        self.settings = dict(SETTINGS, **settings)
        self.flash = SimFlash(4, 1024, 16)
        self.kept_flash = SimFlash(quarantine_blocks, 1024, 16)
        self.server = Server(frozenset(refused))
        self.acknowledged = []  # tightenings of which the controller was told that they are kept
        self.moves = 0  # of the ordinary way, since the last that was not
        self.path = ()
        self.start()
        self.turn()

    def stamp_into(self, buf):
        buf[0:19] = b"2024-03-14:09:26:53"

    # -- the agent ---------------------------------------------------------------------------------------------

    def start(self):
        """Make everything anew over the two flash devices."""
        self.line = Line(self)
        need(self.bring_up(self.flash, self.kept_flash), "a start finds no log")
        self.send(self.line, self, self.settings, 2)
        self.forward.begin(self.now)
        self.left = 0

    def cut(self):
        """Power fails and comes back."""
        self.flash.restart()
        self.kept_flash.restart()
        self._forgive_blank_units()
        self.start()

    def _forgive_blank_units(self):
        """The quarantine goes on in the block it was in: what a cut has left erased it programs once more."""
        flash = self.kept_flash
        for unit in range(len(flash.used)):
            at = unit * flash.unit_bytes
            if flash.used[unit] and flash.cells[at : at + flash.unit_bytes] == b"\xff" * flash.unit_bytes:
                flash.used[unit] = 0

    def turn(self):
        """Let the agent do what it can until a result waits at the server, or only time can bring more."""
        for _ in range(TURNS_MOST):
            self.left = self.forward.step(self.now)
            if self.left > 0 or self.line.result is not None:
                if not self.line.unread:
                    return
        raise Breach("the agent never comes to rest")

    def produce(self):
        """The controller comes with its next result, as often as it is not acknowledged."""
        ident = len(self.acknowledged) + 1
        known = holds(self.ring, body_of(ident), 0)
        if self.ring.confirm() if known else append(self.ring, ident) == 0:
            self.acknowledged.append(ident)
        self.left = 0

    def watch_sent(self, ident):
        """Nothing goes out of which the log does not say that it may have gone."""
        need(ident in self.acknowledged or self.is_in_doubt(ident), "a result that nobody has stored is sent")
        number = self.forward._sent
        ring = mounted_copy(self.flash)
        need(number <= ring.cursors[0].limit, "number %d is out, the log allows %d" % (number, ring.cursors[0].limit))

    def is_in_doubt(self, ident):
        """Tell whether power failed while this one was stored: the log has it, and the controller does not know."""
        return ident == len(self.acknowledged) + 1

    # -- moves -------------------------------------------------------------------------------------------------

    def usual(self):
        """Return the move of the ordinary way."""
        if self.line.result is not None:
            refuses = self.server.in_trouble or self.line.result[2] in self.server.refused
            return REFUSE if refuses else ACCEPT
        if len(self.acknowledged) < RESULTS:
            return PRODUCE
        return WAIT

    def unusual(self):
        """Return the moves that take one of the faults."""
        found = [CUT, STOP]
        if self.line.result is not None:
            found += [LOSE_04, MUTE, CLOSE]
            if self.usual() == ACCEPT:
                found += [LOSE_05, STORE_CLOSE, STORE_CUT, REFUSE_NOW, TROUBLE]
        if len(self.acknowledged) < RESULTS and self.usual() != PRODUCE:
            found.append(PRODUCE_EARLY)
        if self.server.store:
            found.append(EMPTY)
            if len(self.server.store) > 1:
                found.append(OLDER)
        return found

    def is_quiet(self):
        """Tell whether nothing waits and nothing is to be tidied up."""
        return not self.forward.outlet.waits() and not self.ring.has_aside() and self.left > 0

    def do(self, move):
        """Make a move and let the agent do what follows."""
        server, line = self.server, self.line
        self.moves += 1
        if move in (ACCEPT, LOSE_05, STORE_CLOSE, STORE_CUT):
            server.keep(line.result[1], line.result[2])
        if move == WAIT:
            self.advance(self.left if self.left < HOUR_MS else HOUR_MS)
        elif move == ACCEPT:
            line.acknowledge(line.result[0], 0)
        elif move in (REFUSE, REFUSE_NOW, TROUBLE):
            server.in_trouble = server.in_trouble or move == TROUBLE
            server.refuse(line.result[2])
            line.acknowledge(line.result[0], 17)
        elif move == MUTE:
            server.silences[line.result[2]] = server.silences.get(line.result[2], 0) + 1
            line.mute = True
        elif move in (CLOSE, STORE_CLOSE):
            line.lost = True
        elif move in (CUT, STORE_CUT):
            self.cut()
        elif move == STOP:
            self.forward.stop()
            self.cut()
        elif move in (PRODUCE, PRODUCE_EARLY):
            self.produce()
        elif move in (OLDER, EMPTY):
            server.excused = True
            server.store = server.store[:1] if move == OLDER else []
            line.lost = True
        if move not in (PRODUCE, PRODUCE_EARLY):
            self.line.result = None
        self.turn()

    def advance(self, ms):
        self.total_ms += ms
        self.now = (self.now + ms) & TICKS_MAX

    # -- rules -------------------------------------------------------------------------------------------------

    def check(self):
        """What has to hold at every moment."""
        twin = mounted_copy(self.flash)
        # The cursor runs ahead of its record, and with it how many were delivered.
        need(bytes(twin.memory[4:]) == bytes(self.ring.memory[4:]), "a start would remember something else")
        need(twin.number == self.ring.number, "a start would give another number")
        ring = Ring(clone_of(self.kept_flash), role=ROLE_QUARANTINE)
        Quarantine(ring)
        need(mount(ring) >= 0 and ring.confirm(), "the quarantine does not come up")
        need(bytes(ring.memory) == bytes(self.quarantine.ring.memory), "the quarantine would remember something else")

    def kept(self):
        """Return the tightenings in the quarantine."""
        found = []
        for number in self.quarantine.numbers():
            need(self.quarantine.find(number) > 0, "a kept record cannot be read")
            found.append(ident_in(self.quarantine.ring.walk.page))
        return found

    def settle(self):
        """Faults cease: follow the ordinary way until nothing waits, then make the account."""
        self.server.in_trouble = False
        end = self.total_ms + SETTLE_MS
        while self.total_ms < end:
            move = self.usual()
            if move == WAIT and len(self.acknowledged) < LAST:
                move = PRODUCE  # what is refused waits for one behind it
            elif move == WAIT and self.is_quiet():
                break
            taken = len(self.acknowledged)
            self.do(move)
            if move == PRODUCE and len(self.acknowledged) == taken:
                self.do(WAIT)  # the log is full
        self.check()
        self.account()

    def account(self):
        """Everything acknowledged is at the server or kept, and kept for a reason."""
        server = self.server
        kept = self.kept()
        need(len(self.acknowledged) == LAST, "the controller's results are not taken")
        need(not self.forward.outlet.waits() and not self.ring.has_aside(), "something is stuck")
        need(len(set(kept)) == len(kept), "one is kept twice")
        for ident in self.acknowledged:
            refusals = server.refusals.get(ident, 0)
            silences = server.silences.get(ident, 0)
            if ident in kept:
                need(refusals >= ATTEMPTS or silences >= SILENCES, "tightening %d is kept without a reason" % ident)
            else:
                need(ident in server.ever, "tightening %d is lost" % ident)
                if self.settings["rewind"]:
                    need(ident in [other for _, other in server.store], "tightening %d is not sent again" % ident)
            if ident in kept and ident in server.ever:
                need(refusals or server.excused, "tightening %d is kept and stored" % ident)
        if not server.excused:
            need(
                self.ring.cursors[0].delivered == len(server.ever), "it counts others as delivered than the server has"
            )

    # -- sameness ----------------------------------------------------------------------------------------------

    def key(self):
        """Return what two worlds that go on alike have in common."""
        ring, forward = self.ring, self.forward
        parts = [
            bytes(self.flash.cells),
            bytes(self.kept_flash.cells),
            self.server.state(),
            len(self.acknowledged),
            None if self.line.result is None else self.line.result[1:],
            (tuple(sorted(self.line.sent)), self.line.peer, self.line.lost, self.line.mute, ring.desk.fresh is ring),
        ]
        left = min(self.left, FOREVER)
        for one in (
            forward,
            forward.outlet,
            forward.outlet.scout,
            ring,
            ring.cursors[0],
            self.session,
            self.quarantine,
        ):
            parts.append(self._remembered(one))
        parts.append(left)
        return hash(tuple(parts))

    def _remembered(self, one):
        names = one.__slots__ if hasattr(one, "__slots__") else sorted(vars(one))
        found = []
        for name in names:
            value = getattr(one, name)
            if isinstance(value, Timer):
                found.append((value.armed, value.left(self.now) if value.armed else 0))
            elif isinstance(value, int | None) and name not in SCRATCH:
                found.append(value)
        return tuple(found)


# Numbers by which nothing is decided: identifiers of telegrams, counters, and where a scratch buffer was read.
SCRATCH = frozenset(
    (
        "ident",
        "_out_ident",
        "attempts",
        "at",
        "length",
        "flags",
        "payload_at",
        "erases",
        "lost",
        "torn",
        "damaged",
        "_counted",
        "fresh_flags",
        "fresh_length",
        "_opens",
    )
)


def clone_of(flash):
    twin = SimFlash(flash.block_count, flash.block_bytes, flash.unit_bytes)
    twin.cells[:] = flash.cells
    twin.used[:] = flash.used
    return twin


def mounted_copy(flash):
    """Return the ring that a start would find now; the flash itself is not touched."""
    ring = Ring(clone_of(flash))
    need(mount(ring) >= 0, "a start finds no log")
    number = ring.number + (1 if ring.suspect and get_last_number(ring) > ring.number else 0)
    ring.confirm()
    need(ring.number >= number, "the last record is gone")
    return ring


def get_last_number(ring):
    """Return the number of the result that waits to be confirmed, 0 if it is none."""
    walk = ring.walk
    walk.begin(ring.last_block, ring.last_record_at, ring.seq - 1, ring.seq + 1)
    kind = walk.next()
    return get_u32(walk.page, HEAD_BYTES) if kind == 0xD2 or kind == 0xD7 else 0


class Explorer:
    """Goes through all states that at most `faults` of the unusual moves lead to."""

    def __init__(self, faults):
        self.faults = faults
        self.seen = {}  # key -> faults that were left
        self.states = 0
        self.moves = 0
        self.accounts = 0
        self.longest = 0

    def explore(self, world):
        """Visit everything that can come of this world; raises Breach with the way that led to it."""
        waiting = [(pickle.dumps(world), self.faults)]
        while waiting:
            frozen, left = waiting.pop()
            world = pickle.loads(frozen)
            self.longest = max(self.longest, len(world.path))
            if world.moves >= MOVES_MOST or (world.is_quiet() and len(world.acknowledged) >= RESULTS):
                self._settle(frozen)
                usual = ()
            else:
                usual = (world.usual(),)
            before = len(waiting)
            for move in usual:
                self._follow(waiting, frozen, move, left, 0)
            # It leads back to where it was: what is refused for good is offered again and again. Some of these will do.
            leads_back = usual and len(waiting) == before and len(world.acknowledged) >= RESULTS
            if leads_back and self.accounts < LOOPS_JUDGED:
                self._settle(frozen)
            if left:
                for move in world.unusual():
                    self._follow(waiting, frozen, move, left - 1, 0)
                for move in usual:
                    self._cut_everywhere(waiting, frozen, move, left - 1)

    def _cut_everywhere(self, waiting, frozen, move, left):
        for operation in range(1, 100):
            for shape in SHAPES:
                if not self._follow(waiting, frozen, move, left, operation, shape):
                    return
        raise Breach("one move takes too many operations")

    def _follow(self, waiting, frozen, move, left, operation, shape=NOTHING):
        """Make the move, cut at an operation of the two devices; False if it ended before that."""
        world = pickle.loads(frozen)
        world.path = (*world.path, move if not operation else "%s, cut %s at %d" % (move, shape, operation))
        if operation or move.isupper():
            world.moves = 0
        self.moves += 1
        try:
            if operation:
                arm(world, operation, shape)
                try:
                    world.do(move)
                    return False
                except PowerCut:
                    world.cut()
                    world.turn()
            else:
                world.do(move)
            world.check()
        except Breach as breach:
            raise Breach(
                "%s: %s, refused %s" % (breach, " / ".join(world.path), sorted(world.server.refused))
            ) from None
        key = world.key()
        if self.seen.get(key, -1) < left:
            self.states += key not in self.seen
            self.seen[key] = left
            waiting.append((pickle.dumps(world), left))
        return True

    def _settle(self, frozen):
        world = pickle.loads(frozen)
        self.accounts += 1
        try:
            world.settle()
        except Breach as breach:
            raise Breach(
                "%s: %s, refused %s" % (breach, " / ".join(world.path), sorted(world.server.refused))
            ) from None


def arm(world, operation, shape):
    """Cut the power at this operation from now on, counted over both devices."""
    world.flash.cut_shape = world.kept_flash.cut_shape = shape
    counter = Countdown(operation)
    for flash in (world.flash, world.kept_flash):
        flash.before_operation = counter


class Countdown:
    """Arms the cut of the device whose turn it is."""

    def __init__(self, left):
        self.left = left

    def __call__(self, flash, *_):
        self.left -= 1
        if self.left == 0:
            flash.cut_at = flash.operations
