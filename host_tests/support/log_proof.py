"""The log and the state on a flash that forks: every way a session may be cut, each image drained whole.

Rules
1. A session is a start and a row of operations, all of them the real code's. In front of each operation of the flash
   the world forks into what a cut there may leave behind (lab/harness/flash.py).
2. Each image is drained on a copy: a start, the doubtful record settled, all delivered, then appends must succeed.
   Images are told apart by flash and promise together, and each is followed once.
3. A fault ends with the way that led there, one session between "/"; `replay` follows it again.
"""

from toolcart.agent.log.framing import LOG_DONE
from toolcart.agent.log.log import Log
from toolcart.agent.log.mount import MOUNT_DONE, mount
from toolcart.agent.log.snapshot import STATE_FINE, Snapshot
from toolcart.agent.log.snapshot_fields import CURSOR, DELIVERED, LOG
from host_tests.support.log_promise import (
    APPEND,
    GIVE_ALL,
    GIVE_SAVE,
    NAMES,
    SAVE,
    Client,
    Fault,
    Promise,
    drained,
    need,
)
from lab.harness.flash import FIRST, LOOK_NAMES, Misuse

PORTABLE = True


class Session(Client):
    """The real code from one start on."""

    seed = 7

    def __init__(self, shape, area, promise, counted=True):
        state = Snapshot(area.parts[0])
        log = Log(area.parts[1], state, LOG, when_full=shape.when_full, payload_most=shape.payload)
        before = area.operations
        need(mount(state, (log,), self.seed) == MOUNT_DONE, "the mount fails")
        need(area.operations == before, "the mount writes")
        Client.__init__(self, shape, area, promise, state, log)
        self.check_start(counted)


def drain(shape, area, promise):
    """A start on this image with power that stays: all that was acknowledged arrives, and there is room again."""
    session = Session(shape, area, promise)
    need(session.state.alarm == STATE_FINE, "an alarm of the state")
    drained(session)


class Explorer:
    """Follows every way from an image: sessions of `length` operations, `cuts` of them cut.

    With `refusals` each session is run again with each of its operations refused once, not begun and torn. `report`, if
    set, is given each operation.
    """

    report = None

    def __init__(self, shape, operations, length, refusals=(), worn=()):
        self.shape = shape
        self.refusals = refusals
        self.rows = [()]
        for _ in range(length):
            self.rows = [row + (operation,) for row in self.rows for operation in operations]
        self.seen = {}
        self.images = self.sessions = 0
        self.area = shape.area()
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
            sessions = self.sessions_of(image, promise, left, trace, row)
            image, promise, _, trace = sessions[dice.randrange(len(sessions))]
            self.look_at(image, promise, left - 1, trace)

    def look_at(self, image, promise, cuts, trace):
        """Drain the image if it is a new one; True if it was not followed that far yet."""
        key = hash((image, promise.key()))
        cuts_seen = self.seen.get(key, -1)
        if cuts_seen >= cuts:
            return False
        self.seen[key] = cuts
        if cuts_seen < 0:
            self.images += 1
            self.guarded(lambda: self.drain(self.area.load(image), promise.copy()), trace, lambda: "drain")
            self.looked(image, promise, trace)
        return True

    def sessions_of(self, image, promise, cuts, trace, row):
        """Return what a session of these operations may leave behind: [(image, promise, cuts left, trace)]."""
        outcomes = []
        area = self.area
        area.load(image)
        first = area.operations
        self.session(image, promise, cuts, trace, row, "", outcomes)
        for index in range(area.operations - first) if self.refusals else ():
            for look in self.refusals:
                area.refuse_at = {area.operations + index + 1: look}
                note = "!%d=%s" % (index + 1, LOOK_NAMES[look])
                self.session(image, promise, cuts, trace, row, note, outcomes)
        area.refuse_at = {}
        return outcomes

    def session(self, image, promise, cuts, trace, row, note, outcomes):
        self.sessions += 1
        area = self.area.load(image)
        promise = promise.copy()
        done = []
        first = area.operations

        def before(operation, block, address, new):
            if self.report:
                what = area.operations - first + 1, ("program", "erase")[operation], block, address, len(new)
                self.report("      %d %s block %d at %d, %d" % what)
            session.note()
            held = promise.copy()
            way = "".join(done) + note + "@%d=" % (area.operations - first + 1)
            here = area.image()
            for later in area.later(self.shape.flickers):
                for look in FIRST[operation]:
                    area.load(later).tear(operation, block, address, new, look)
                    outcomes.append((area.image(), held, cuts - 1, trace + (way + LOOK_NAMES[look] + looks_of(later),)))
            area.load(here)

        def act():
            nonlocal session
            session = self.begin(area, promise)
            area.before = before
            for operation in row:
                done.append(operation)
                session.run(operation)
                if self.report:
                    self.report("   %s -> %s" % (NAMES[operation], describe(session)))
                for later in area.later(self.shape.flickers):
                    way = "".join(done) + note + looks_of(later)
                    outcomes.append((later, promise.copy(), cuts - 1, trace + (way,)))

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
    return "{%s}" % ",".join([LOOK_NAMES[torn.look] for torn in image[2]]) if image[2] else ""


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
            area, promise = self.shape.area(), Promise()
            area.worn = self.area.worn
            for _ in range(starts):
                session = self.begin(area, promise)
                for _ in range(saves):
                    session.run(SAVE)
            self.explore(area.image(), promise, cuts, (SAVE * saves,) * starts)

    def begin(self, area, promise):
        return StateSession(area, promise)

    def drain(self, area, promise):
        for _ in range(2):
            session = self.begin(area, promise)
            for _ in range(3):
                session.run(SAVE)


class WornStateExplorer(StateExplorer):
    """Two blocks are left: two cuts may set the state back to what half an erase has left, but never lose it whole."""

    def begin(self, area, promise):
        state = Snapshot(area.parts[0])
        state.load()
        need(state.found or promise.floor == 0, "nothing is left of the state")
        promise.floor = min(promise.floor, state.numbers[DELIVERED])
        return StateSession(area, promise)


class StateSession:
    def __init__(self, area, promise):
        self.promise = promise
        self.state = Snapshot(area.parts[0])
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


def replay(shape, way, report=print, kind=Explorer):
    """Follow the way of a fault again and tell every operation of the flash.

    Sessions stand between "/": operations, "!3=bad" the third operation is refused and torn so, "@5=new" it is cut at
    the fifth, which looks new then, "{bad,new}" what was torn before looks so from then on. A session is told to its
    end, whatever the way takes of it.
    """
    explorer = kind(shape, "", 0)
    explorer.report = report
    area = explorer.area
    image, promise = area.image(), Promise()
    for day in [day for day in way.strip("/").split("/") if day]:
        report(day)
        if day in ("drain", "lose"):
            (explorer.drain if day == "drain" else explorer.lose)(area.load(image), promise)
            return
        row, _, refusal = day.split("@")[0].split("{")[0].partition("!")
        at, _, look = refusal.partition("=")
        area.refuse_at = {area.operations + int(at): LOOK_NAMES.index(look)} if refusal else {}
        outcomes = []
        explorer.session(image, promise, 1, (), row, refusal and "!" + refusal, outcomes)
        area.refuse_at = {}
        image, promise = next(one for one in outcomes if one[3] == (day,))[:2]
        report("off; torn: %s" % [(t.block, t.address, LOOK_NAMES[t.look]) for t in image[2]])


def describe(session):
    if not isinstance(session, Client):
        return "first %d, durable %d" % (session.first, session.state.durable[DELIVERED])
    log, state = session.log, session.state
    return "number %d, next %d, cursor %d, saved %d, waits %d%s%s, used %d, state %r" % (
        log.number,
        log.next,
        session.cursor.number,
        state.durable[CURSOR],
        log.backlog_of(session.cursor),
        ", full" if log.is_still_full() else "",
        ", doubtful" if log.doubtful else "",
        log.used_blocks(),
        state.numbers[:3],
    )


def bases(shape, most):
    """Return images at rest that fault-free days lead to, no two of the same shape: [(image, promise, way)]."""
    area = shape.area()
    by_key = {}
    rows = [(area.image(), Promise(), "")]
    days = [(a,) for a in (APPEND, GIVE_SAVE, GIVE_ALL)]
    days += [day + last for day in days for last in days]
    for _ in range(40):
        behind = []
        for image, promise, way in rows:
            for row in days:
                area.load(image)
                after = promise.copy()
                session = Session(shape, area, after)
                for operation in row:
                    session.run(operation)
                behind_it = after.last - max([0] + list(after.given))
                key = (area.image()[1], behind_it, len(after.acked) - len(after.given))
                if key not in by_key:
                    by_key[key] = (area.image(), after, way + "/" + "".join(row))
                    behind.append(by_key[key])
                    if len(by_key) >= most:
                        return list(by_key.values())
        rows = behind
    return list(by_key.values())
