"""The real toolcart.agent.outlets.toolsnet.policy, of what ToolsNet refuses, over a log, a state and a server that are
a few numbers each, so that every order of cuts, lost answers and moods of the server can be tried.

A world's whole state is one tuple. Time does not count: whatever waits for its time may come at any moment, but in
`settles`, where the clock runs.
"""

from collections import deque

from toolcart.agent.base.ticks import FOREVER, ticks_add
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.snapshot_fields import (
    CURSOR,
    NUMBERS,
    QUARANTINE_LAST,
    QUARANTINED,
    REOFFERED,
    SENT,
    SENT_LOOKAHEAD,
    SEQUENCE_LAG,
)
from toolcart.agent.outlets.toolsnet import policy as pol
from toolcart.agent.outlets.toolsnet.status import put_refused
from toolcart.agent.quarantine.quarantine import ADMITTED, ADMITTED_BEFORE, ASK_DONE, NO_ROOM
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record.result import QUARANTINED_IN_DOUBT, QUARANTINED_UNREADABLE

# What the server makes of a result; then an unreadable frame, and what is not for the server.
GOOD, REFUSED, MUTE, FRAME, EVENT = range(5)
WELL, REFUSES, SILENT = range(3)  # how the server is

SETTINGS = {"refused": "park", "rewind": False}
NOW = 1000000


class Cut(Exception):
    """The power has failed."""


class Breach(Exception):
    """The promise is broken."""


class Counts:
    """Counters that counts nothing."""

    def __init__(self):
        self.counts = [0] * 60

    def count(self, _counter):
        pass

    def note(self, _counter, _value, _now):
        pass

    log = note


class FewState:
    """A state whose snapshot is what its numbers were, and which entries of the quarantine are gone."""

    alarm = 0
    places = 0

    def __init__(self, world):
        self.world = world
        self.numbers = [0] * NUMBERS
        self.durable = self.numbers[:]
        self.gone = self.durable_gone = ()
        self.broke_at = self.broke_by = 0
        self.durable_break = 0, 0
        self.maybe = None  # a snapshot that was refused, and may count all the same until the next one does
        self.cursor = None
        self.is_reliable = False

    def save(self):
        self.numbers[CURSOR] = self.cursor.number
        self.numbers[SEQUENCE_LAG] = self.cursor.sequence_lag
        if self.world.operate() is False:
            self.maybe = (tuple(self.numbers), self.gone, (self.broke_at, self.broke_by))
            self.is_reliable = False
            return False
        self.durable = self.numbers[:]
        self.durable_gone = self.gone
        self.durable_break = self.broke_at, self.broke_by
        self.maybe = None
        self.is_reliable = True
        return True

    def ensure_reliable(self):
        return self.is_reliable or self.save()

    def is_moved(self, _cursor):
        return False  # nothing is overwritten here


class FewLog:
    """Numbers 1 to n of the world's kinds."""

    doubtful = False
    stage = b""
    at = place = flags = staged_length = staged_flags = 0
    room_bytes = 0

    def has_room(self, length):
        return True

    def cursor_at(self, slot):
        return self.cursors[0]

    def __init__(self, world):
        self.world = world
        self.cursors = [Cursor()]
        self.kind = self.length = 0
        self.page = [0]  # what lies in it: number of a record of this log, less than 0: of an entry

    @property
    def number(self):
        return len(self.world.kinds)

    visible = number

    @property
    def next(self):
        return len(self.world.kinds) + 1

    def peek_staged(self, _cursor):
        return False

    def peek(self, cursor):
        while cursor.number < len(self.world.kinds) and self.world.kinds[cursor.number] == EVENT:
            cursor.number += 1
            cursor.sequence_lag += 1
        cursor.found = cursor.number + 1
        if cursor.found > len(self.world.kinds):
            return 0
        self.kind = KIND_RAW if self.world.kinds[cursor.number] == FRAME else KIND_RESULT
        self.page[0] = cursor.found
        return self.kind

    def seek(self, cursor, number):
        cursor.number = number

    def backlog_of(self, cursor):
        return len(self.world.kinds) - cursor.number


class FewKept:
    """A quarantine: `entries` of (number, reason) are durable, entry n is entries[n - 1]; the state says what left."""

    length = 0

    def __init__(self, world, state):
        self.world = world
        self.state = state
        self.entries = ()
        self.log = self
        self.page = world.log.page
        self.at = self.flags = self.kind = 0
        self.entry = self.number = self.reason = self.left = 0

    def settle(self):
        """Nothing is in doubt."""
        return True

    def live(self, gone):
        return [self.entries[n - 1] for n in range(1, len(self.entries) + 1) if n not in gone]

    def count(self):
        return len(self.entries) - len(self.state.gone)

    def octets(self):
        return self.world.room - self.count()

    def measure(self, length, count=1):
        self.left = self.octets() - count + 1
        return self.fits(length)

    def fits(self, _length):
        self.left -= 1
        return self.left >= 0

    def has(self, number):
        self.page[0] = 0
        return int(any(number == one[0] for one in self.live(self.state.gone)))

    def admit(self, number, reason):
        if self.has(number):
            return ADMITTED_BEFORE
        if self.world.checks_room and self.octets() <= 0:
            return NO_ROOM
        self.world.operate()
        if self.world.kinds[number - 1] == FRAME:
            reason = QUARANTINED_UNREADABLE
        self.entries += ((number, reason),)
        self.world.ever.add(number)
        self.state.numbers[QUARANTINE_LAST] = max(number, self.state.numbers[QUARANTINE_LAST])
        self.state.numbers[QUARANTINED] = len(self.entries)
        return ADMITTED

    def next_listed(self, after):
        return self.next_entry(after)

    def next_entry(self, after):
        for entry in range(after + 1, len(self.entries) + 1):
            if entry not in self.state.gone:
                self.entry = entry
                self.number, self.reason = self.entries[entry - 1]
                self.page[0] = -self.number
                self.kind = KIND_RAW if self.reason == QUARANTINED_UNREADABLE else KIND_RESULT
                return self.kind
        return 0

    def find(self, number):
        kind = self.next_entry(0)
        while kind and self.number != number:
            kind = self.next_entry(self.entry)
        return kind

    def may_be_reoffered(self):
        return self.kind == KIND_RESULT and self.reason != QUARANTINED_IN_DOUBT

    def may_leave(self):
        return True

    def tidy(self):
        return True

    def leave(self, entry):
        if entry not in self.state.gone:
            self.state.gone = (*self.state.gone, entry)
        return True

    def end_reoffer(self, taken):
        numbers = self.state.numbers
        if taken and numbers[REOFFERED]:
            self.leave(numbers[REOFFERED])
        numbers[REOFFERED] = 0
        return True


# What a state is made of, by the part that has it; times are none of it, and what is set before it is used neither.
PLAIN = {
    "": "mood stored dropped connected",
    "kept": "entries left",
    "state": "gone durable_gone is_reliable maybe broke_at broke_by durable_break",
    "policy": "phase head_failures failed_lookaheads head code has_refused_head connections_lost unanswered "
    "drop_number pending_write out number sequence",
    "policy.in_flight": "may_have may_send_to unsettled_to",
    "policy.reoffer": "entry before is_taken",
    "policy.lookahead": "room fits short code mute taken taken_sequence seen",
    "policy.lookahead.scout": "number found sequence_lag",
    "policy.resume_point": "awaits_08 is_odd",
    "policy.reoffers": "wants _after",
}
TIMERS = {"policy": "pause", "policy.lookahead": "soon proven", "policy.reoffers": "timer _again pause"}
NUMBERS_OF = slice(9, 36)  # of the state
IDLE = 24  # so many steps in a row without progress: of its own it makes none any more; 23 were needed at most
MANY = 1  # so many lookaheads without success count as any number of them


class World:
    """One station, its ToolsNet, and how much may still go wrong."""

    room = 2
    batch = 2
    highest = False  # the 08 names the highest number, else the one stored last
    checks_room = True
    proves = (WELL, REFUSES)  # the moods in which it answers a 06
    in_order = False  # not even what was set aside may come late
    lies = ()  # 08s that do not name what it has: then what is stored may be stored again
    breaks = 0  # so often a connection breaks under what goes out
    unnoticed = False  # the agent hears nothing of that, and takes it for the server's silence
    proven = False  # a lookahead has always just proven the server well
    make = pol.Policy

    def __init__(self, kinds, toggles=0, cuts=0, lost=0, refusals=0, asks=0, moods=(REFUSES,), saves=0, **more):
        for name in more:
            setattr(self, name, more[name])
        self.kinds = kinds
        self.moods = moods
        self.budget = [toggles, cuts, lost, refusals, asks, saves, self.breaks, len(self.lies)]
        self.mood = WELL
        self.stored = ()  # (number on the wire, number in the log)
        self.ever = set()  # ever set aside
        self.dropped = ()
        self.connected = False
        self.cut_at = 0  # the power fails in front of this operation
        self.refuse_at = 0
        self.state = FewState(self)
        self.log = FewLog(self)
        self.kept = FewKept(self, self.state)
        self.state.cursor = self.log.cursors[0]
        self.counters = Counts()
        self.now = NOW
        self.start()

    # -- the power ---------------------------------------------------------------------------------------------

    def operate(self):
        """Something is about to be durable; False if the flash refuses it."""
        if self.cut_at:
            self.cut_at -= 1
            if self.cut_at == 0:
                raise Cut
        if self.refuse_at:
            self.refuse_at -= 1
            return self.refuse_at != 0
        return True

    def start(self):
        state = self.state
        state.maybe = None
        state.numbers[:] = state.durable
        state.gone = state.durable_gone
        state.broke_at, state.broke_by = state.durable_break
        state.is_reliable = False
        if self.kept.entries:
            state.numbers[QUARANTINE_LAST] = max(
                [state.numbers[QUARANTINE_LAST]] + [one[0] for one in self.kept.entries]
            )
            state.numbers[QUARANTINED] = len(self.kept.entries)
        self.log.cursors[0].number = state.numbers[CURSOR]
        self.log.cursors[0].sequence_lag = state.numbers[SEQUENCE_LAG]
        self.policy = self.make(self.log, state, self.kept, self.counters, SETTINGS, self.batch)
        self.policy.reoffers.begin(self.now)
        self.connected = False
        self.plain = self._fields(PLAIN)
        self.timers = [*map(getattr, *self._fields(TIMERS))]

    # -- the server --------------------------------------------------------------------------------------------

    def named(self):
        if not self.stored:
            return 0
        return max(self.stored)[0] if self.highest else self.stored[-1][0]

    def connect(self, named=None):
        """True if what the 08 says could be taken in."""
        self.connected = self.policy.resume(self.named() if named is None else named, self.now)
        return self.connected

    def answer(self):
        """What the server makes of what goes out: True, False, or None for no answer."""
        policy = self.policy
        kind = self.kinds[policy.number - 1]
        lies = policy.buf[0]
        if lies != (-policy.number if policy.phase == pol.REOFFER else policy.number):
            raise Breach("another one goes out")
        if self.mood == REFUSES or (self.mood == WELL and kind == REFUSED):
            return False
        if self.mood == SILENT or kind == MUTE:
            return None
        self.stored += ((policy.sequence, policy.number),)
        return True

    def step(self, lost=False, breaks=False):
        """What the agent does next, "" if it waits. With `lost` no answer arrives, with `breaks` nothing at all."""
        policy = self.policy
        code = policy.next(self.now)
        if code == pol.WRITE:
            policy.write(self.now)
            return "writes"
        if code == pol.BUSY:
            return "looks"
        if code == pol.NOTHING:
            return ""
        number = policy.number
        taken = None if breaks else self.answer()
        if lost and taken:
            taken = None
        if taken is None:
            self.connected = False
            policy.silent(self.now, self.unnoticed if breaks else self.mood in self.proves)
            return "%d without an answer" % number
        if taken:
            policy.accepted(self.now)
            return "%d taken" % number
        policy.refused(17, self.now)
        return "%d refused" % number

    # -- the promise -------------------------------------------------------------------------------------------

    def check(self):
        there = [number for _wire, number in self.stored]
        wires = [wire for wire, _number in self.stored]
        stored = set(there)
        lied = self.budget[LIES] < len(self.lies)
        if not lied and wires != sorted(set(wires)):
            raise Breach("numbers on the wire do not ascend")
        if not lied and len(stored) < len(there):
            raise Breach("stored twice")
        if self.moods == () and set(self.kinds) <= {GOOD, EVENT} and wires != list(range(1, len(wires) + 1)):
            raise Breach("a gap in the sequences")
        state = self.state
        for cursor, gone in ((state.durable[CURSOR], state.durable_gone), (self.log.cursors[0].number, state.gone)):
            missing = set(range(1, cursor + 1)) - stored
            if missing:
                missing -= {one[0] for one in self.kept.live(gone)}
                if any(self.kinds[number - 1] != EVENT and number not in self.dropped for number in missing):
                    raise Breach("lost")
        in_order = [number for number in there if number not in self.ever]
        if not lied and in_order != sorted(in_order) and not self._is_lookahead():
            raise Breach("order")
        if self.in_order and there != sorted(there):
            raise Breach("order")
        if self.kept.count() > self.room:
            raise Breach("quarantine too full")

    def _is_lookahead(self):
        numbers = self.state
        return (numbers.numbers[SENT] | numbers.durable[SENT]) & SENT_LOOKAHEAD or self.policy.phase == pol.FINISH

    def settles(self):
        """From now on all is well, more good results come, and an operator looks after what needs one.

        Everything has to be delivered, kept because it is refused, or dropped.
        """
        self.mood = WELL
        idle = more = 0
        before = None
        policy = self.policy
        for _ in range(4000):
            far = (self.stored, self.log.cursors[0].number, self.kept.count(), len(self.kinds))
            idle = idle + 1 if far == before else 0
            before = far
            if not self.connected:
                self.now = ticks_add(self.now, 60000)
                self.connect()
                continue
            if self.step():
                self.check()
            else:
                self.now = ticks_add(self.now, policy.time_left(self.now, 86400000))
            if idle < IDLE and not policy.is_stuck():
                continue
            if self._helps() or idle < IDLE + IDLE // 3:
                continue
            waits = any(self._is_good(one[0]) for one in self.kept.live(self.state.gone))
            if self.log.cursors[0].number == len(self.kinds) and not waits:
                return self._settled()
            if more == 16:
                break
            more += 1
            idle = 0
            self.kinds += (GOOD,)
        raise Breach("never done")

    def _is_good(self, number):
        return self.kinds[number - 1] == GOOD

    def _helps(self):
        """An operator has good ones of the quarantine offered, drops others, or the one that all wait for."""
        policy = self.policy
        kept = self.kept.live(self.state.gone)
        good = [one[0] for one in kept if self._is_good(one[0])]
        if policy.is_stuck():
            if good:
                return not policy.reoffers.ordered and policy.offer_on_order(good[0], False) == ASK_DONE
            if kept:
                self.kept.find(kept[0][0])
                self.kept.leave(self.kept.entry)
                self.state.save()
                self.dropped += (kept[0][0],)
                return True
        first = policy.head
        refused = {}
        put_refused(refused, policy, self.now, True)
        tried_all = refused["refused"] and refused["refused"]["tried_all"]
        if (refused["needs_operator"] or tried_all) and len(self.kinds) > 12 and policy.drop_first():
            self.dropped += (first,)
            return True
        return False

    def _settled(self):
        there = [number for _wire, number in self.stored]
        for number in range(1, len(self.kinds) + 1):
            if number not in there and self._is_good(number):
                raise Breach("a good one is dropped" if number in self.dropped else "a good one is lost")

    # -- as one tuple ------------------------------------------------------------------------------------------

    def _fields(self, table):
        """Return the part of each field of this table, and the fields' names."""
        fields = []
        for path in table:
            part = self
            for name in path.split(".") if path else ():
                part = getattr(part, name)
            fields += [(part, name) for name in table[path].split()]
        return tuple(zip(*fields, strict=True))

    def pack(self):
        policy, state, cursor = self.policy, self.state, self.log.cursors[0]
        policy.failed_lookaheads = min(policy.failed_lookaheads, MANY)
        policy.lookahead.scout.found *= policy.out
        state.numbers[CURSOR], state.numbers[SEQUENCE_LAG] = cursor.number, cursor.sequence_lag
        return (
            tuple(self.budget),
            *map(getattr, *self.plain),
            *[timer.armed for timer in self.timers],
            tuple(sorted(self.ever)),
            tuple(policy.reoffers.ordered),
            tuple(state.numbers[NUMBERS_OF]),
            tuple(state.durable[NUMBERS_OF]),
            len(self.kinds),
        )

    def unpack(self, packed):
        policy, state, cursor = self.policy, self.state, self.log.cursors[0]
        values = iter(packed)
        self.budget = list(next(values))
        deque(map(setattr, *self.plain, values), 0)  # the parts end first: no more values are taken than they need
        for timer in self.timers:
            timer.armed, timer.due = next(values), NOW
        self.ever = set(next(values))
        policy.reoffers.ordered[:] = next(values)
        state.numbers[NUMBERS_OF] = next(values)
        state.durable[NUMBERS_OF] = next(values)
        self.kinds = self.kinds[: next(values)]
        cursor.number, cursor.sequence_lag = state.numbers[CURSOR], state.numbers[SEQUENCE_LAG]
        self.now = NOW
        if self.proven:
            policy.lookahead.proven.start(NOW, FOREVER)
        self.cut_at = self.refuse_at = 0


TOGGLES, CUTS, LOST, REFUSALS, ASKS, SAVES, BREAKS, LIES = range(8)


def explored(world, limit=300000):
    """Try everything from here; (states, {what broke: the shortest way there})."""
    kinds = world.kinds
    first = world.pack()
    ways = {first: None}
    queue = [first]
    broken = {}
    fine = set()  # what settles does not depend on what may still go wrong
    at = 0
    while at < len(queue):
        packed = queue[at]
        at += 1
        world.unpack(packed)
        try:
            if packed[2:] not in fine:
                world.check()
                world.settles()
                fine.add(packed[2:])
        except Breach as breach:
            broken.setdefault(str(breach), packed)
            world.kinds = kinds
            if len(broken) > 3:
                break
            continue
        world.kinds = kinds
        world.unpack(packed)
        for label, do in _choices(world):
            world.unpack(packed)
            problem = do(world)
            if problem is None:
                continue
            then = world.pack()
            if then not in ways:
                assert len(ways) < limit, "more states than expected"
                ways[then] = (packed, label or problem)
                queue.append(then)
    return len(ways), {what: _way(ways, packed) for what, packed in broken.items()}


def _way(ways, packed):
    labels = []
    while ways[packed]:
        packed, label = ways[packed]
        labels.append(label)
    return ", ".join(reversed(labels))


def _choices(world):
    """Everything that may happen in this state, as (label, what does it): it returns None if it changes nothing.

    Each is done before the next one is asked for.
    """
    budget, mood, connected, entries = world.budget, world.mood, world.connected, world.kept.entries
    may_count, good = world.state.maybe, world.policy.reoffers.timer.armed
    act = World.step if connected else World.connect
    yield "" if connected else "connects", lambda world: act(world) or "waits"
    if connected and entries and good:
        yield "", _early
    if budget[CUTS]:
        cuts = [0]
        for at in range(1, 8):
            if at == len(cuts):  # there was an operation before it
                yield "cut at operation %d of %s" % (at, "a step" if connected else "a connect"), _cutter(act, cuts)
        yield "cut", _just_cut
        if may_count:
            yield "cut, and what was refused counts", _cut_after_all
        yield "orderly end", _stop
    if budget[REFUSALS]:
        yield "the flash refuses", lambda world: _refused(world, act)
    if budget[LOST] and connected:
        yield "", _lose
    if budget[LIES] and not connected:
        yield "a lie", _lie
    if budget[BREAKS] and connected:
        yield "", _break
    if budget[SAVES]:
        yield "somebody saves", _save
        yield "a silence is used", _prepare
    if budget[TOGGLES]:
        for other in (WELL,) if mood else world.moods:
            yield (
                "server " + ("is well", "refuses", "is silent")[other],
                lambda world, other=other: _toggle(world, other),
            )
    if budget[ASKS]:
        for entry in range(1, len(entries) + 1):
            yield "asked for entry %d" % entry, lambda world, entry=entry: _ask(world, entry)


def _cutter(act, cuts):
    """The power fails in front of the operation behind `cuts` of what is done, and is one of them then."""

    def cut(world):
        world.cut_at = len(cuts)
        try:
            act(world)
        except Cut:
            cuts.append(world.cut_at)
            world.cut_at = 0
            return _just_cut(world)
        return None

    return cut


def _just_cut(world):
    world.budget[CUTS] -= 1
    world.start()
    return True


def _cut_after_all(world):
    state = world.state
    state.durable[:], state.durable_gone, state.durable_break = state.maybe
    return _just_cut(world)


def _refused(world, act):
    world.refuse_at = 1
    label = act(world)
    if world.refuse_at:
        return None
    world.budget[REFUSALS] -= 1
    return label or True


def _early(world):
    """It is no time for reoffered ones yet."""
    world.policy.reoffers.timer.due = ticks_add(NOW, 1000)
    return world.step() or "waits"


def _lose(world):
    before = len(world.stored)
    label = world.step(True)
    if len(world.stored) == before:
        return None
    world.budget[LOST] -= 1
    return label + ", its answer lost"


def _lie(world):
    world.budget[LIES] -= 1
    world.connect(world.lies[world.budget[LIES]])
    return True


def _break(world):
    label = world.step(False, True)
    if world.connected:
        return None
    world.budget[BREAKS] -= 1
    return label + ", the connection broke"


def _save(world):
    world.budget[SAVES] -= 1
    return world.state.save()


def _prepare(world):
    world.budget[SAVES] -= 1
    return world.policy.prepare()


def _stop(world):
    world.policy.save_at_end()
    return _just_cut(world)


def _toggle(world, other):
    world.budget[TOGGLES] -= 1
    world.mood = other
    return True


def _ask(world, entry):
    number, _reason = world.kept.entries[entry - 1]
    if entry in world.state.gone or number in world.policy.reoffers.ordered:
        return None
    if world.policy.offer_on_order(number, False):
        return None
    world.budget[ASKS] -= 1
    return True
