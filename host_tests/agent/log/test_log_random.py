"""Random lives of a log with its state and a quarantine: nothing acknowledged is lost, whatever goes wrong.

Cuts, refused operations, worn blocks, flickering units.

Rules
1. A `Life` is drawn from its seed alone. Two outlets stand at the log: the first is durable, the second is moved on.
2. The quarantine's ring has records of its own; its consumer is the operator who drops the oldest.
3. After every cut all is made new from the flash; at the end everything is drained with a device that works. Before
   that some that are owed may rot: that is counted, and no other suffers from it.
4. HEAVY: 30 lives in the normal run, 20,000 with --long. A fault names its seed and tells
   the story.
"""

from toolcart.agent.log.cursor import WANTS_ALL, WANTS_FRAMES, WANTS_RESULTS, Cursor
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.framing import FRAME_BYTES, RECORD_NONE
from toolcart.agent.log.log import Log
from toolcart.agent.log.mount import MOUNT_DONE, mount
from toolcart.agent.log.snapshot import Snapshot
from toolcart.agent.log.snapshot_fields import CURSOR, LOG, MISSED, QUARANTINE, QUARANTINE_CURSOR
from toolcart.agent.record import KIND_EVENT, KIND_RESULT
from toolcart.base.clock import Dice
from host_tests.portable import LONG
from host_tests.support.log_promise import (
    APPEND,
    APPEND_NEW,
    GIVE,
    GIVE_ALL,
    GIVE_SAVE,
    MAINTAIN,
    SAVE,
    SETTLE,
    Client,
    Promise,
    Shape,
    drained,
    need,
    payload_at,
)
from host_tests.support.log_proof import Session
from lab.harness.flash import PowerCut

PORTABLE = True
HEAVY = True
HEAP = "2m"

LIVES = 20000 if LONG else 15
STEPS = 120
# Lives that once lost something, and those of them in which much is cut and what is torn may read otherwise at every
# start, if the seed is odd at every read.
LOST_ONCE = (1009647, 1018168, 1024032, 1034571)
MISCOUNTED_ONCE = (61, 312, 545, 744, 933, 1351, 1512, 1973)
LOST_ONCE_HARSH = (3201418, 3207745, 3301197, 3304433, 3307151, 3402369)

OPERATIONS = APPEND * 8 + APPEND_NEW + GIVE * 2 + GIVE_SAVE * 4 + GIVE_ALL + SAVE * 2 + MAINTAIN * 2 + SETTLE
WANTS_NO_EVENTS = WANTS_RESULTS | WANTS_FRAMES


def is_result(ident):
    return ident % 5 != 0


def kind_of(ident):
    return KIND_RESULT if is_result(ident) else KIND_EVENT


class Life:
    """One drawn world. `run(steps)` lives it and drains it; `story` says what happened, for who reads a fault."""

    def __init__(self, seed, **fixed):
        dice = self.dice = Dice(seed)
        unit = (16, 64, 256)[dice.randrange(3)]
        records = 2 + dice.randrange(6)
        shape = self.shape = Shape(
            unit=unit,
            state_bytes=256 * (2 + dice.randrange(3)),
            log_blocks=3 + dice.randrange(6),
            log_bytes=256 * records,
            payload=190,
            when_full=dice.randrange(2),
            spread=dice.randrange(2) * 70,
        )
        self.cuts_in_100 = (0, 5, 15, 40)[dice.randrange(4)]
        self.refusals_in_100 = (0, 0, 4, 15)[dice.randrange(4)]
        self.restarts_in_100 = (1, 10, 50)[dice.randrange(3)]
        self.eager_in_100 = (20, 50, 80)[dice.randrange(3)]
        shape.flickers = dice.randrange(3) == 0
        self.wears = dice.randrange(3) == 0
        self.unreadable_in_100 = (0, 0, 5)[dice.randrange(3)]
        self.restless = shape.flickers and dice.randrange(2) == 0
        for name in fixed:
            setattr(self, name, fixed[name])
        self.area = shape.area(dice, [(3 + dice.randrange(2), 512)])
        self.area.restless = self.restless
        self.promise = Promise(is_result)
        self.kept_promise = Promise()
        self.second = {}  # what the second outlet has: number, tightening
        self.unsure = set()
        self.second_floor = 0
        self.scout = None
        self.story = []
        self.cuts = self.starts = 0

    def run(self, steps):
        self.start()
        for _ in range(steps):
            self.step()
        self.finish()
        return self

    # -- a life ------------------------------------------------------------------------------------------------------

    def start(self):
        while True:
            self.starts += 1
            self.area.read_fails_in = 0
            try:
                self.mount()
                return
            except PowerCut:
                self.cut()

    def mount(self):
        shape, area = self.shape, self.area
        state = self.state = Snapshot(area.parts[0])
        log = Log(area.parts[1], state, LOG, 2, CURSOR, shape.when_full, shape.payload)
        kept = Log(area.parts[2], state, QUARANTINE, 1, QUARANTINE_CURSOR, 0, shape.payload, log)
        for index, wants in enumerate((WANTS_NO_EVENTS, WANTS_ALL)):
            log.cursors[index].wants = wants
        log.cursors[1].durable = False
        operations = area.operations
        need(mount(state, (log, kept), 7) == MOUNT_DONE, "the mount fails")
        need(area.operations == operations, "the mount writes")
        self.log = log
        self.client = Client(shape, area, self.promise, state, log)
        self.client.kind_of = kind_of
        self.keeper = Client(shape, area, self.kept_promise, state, kept)
        self.client.restless = self.keeper.restless = self.restless  # a unit that reads otherwise each time hides it
        self.keeper.slot = QUARANTINE_CURSOR
        self.keeper.when_full = 0
        self.client.check_start()
        self.keeper.check_start(False)
        self.client.hopeless = self.keeper.hopeless = shape.parts[1][0] - len(area.worn) < 3
        self.scout = None
        self.check_second()

    def check_second(self):
        cursor = self.log.cursors[1].number
        need(cursor >= self.second_floor, "the second cursor is lowered")
        missed = self.state.numbers[MISSED]
        least = len([n for n in self.promise.acked if n <= cursor and n not in self.second])
        self.unsure.update([n for n in self.second if n > cursor])  # taken, not saved: they may count as missed later
        most = len([n for n in self.promise.tried if n <= cursor and (n not in self.second or n in self.unsure)])
        need(least <= missed <= most, "the second outlet missed %d to %d, and %d are counted" % (least, most, missed))

    def cut(self):
        self.cuts += 1
        self.story.append("cut at operation %d" % self.area.operations)
        self.area.restart(self.shape.flickers)
        self.area.refuse_at = {}
        self.area.code = FLASH_DONE

    def step(self):
        dice, area = self.dice, self.area
        self.strike()
        operation = self.drawn()
        self.story.append(operation)
        try:
            if operation == "K":
                self.keeper.run(APPEND)
            elif operation == "k":
                self.keeper.run(GIVE_SAVE)
            elif operation == "2":
                self.give_second()
            elif operation == "?":
                self.look_up()
            elif operation == "P":
                self.walk_on()
            elif operation == "R":
                area.restart(self.shape.flickers)
                self.start()
            else:
                self.client.run(operation)
            self.note()
        except PowerCut:
            self.cut()
            self.start()
        area.read_fails_in = 0
        if area.code and dice.randrange(3) == 0:
            area.code = FLASH_DONE

    def note(self):
        if self.client.saved or self.keeper.saved:
            self.client.saved = self.keeper.saved = True
            self.second_floor = max(self.second_floor, self.state.durable[CURSOR + 1])
            self.client.note()
            self.keeper.note()

    def drawn(self):
        dice = self.dice
        if dice.randrange(100) < self.restarts_in_100:
            return "R"
        drawn = dice.randrange(100)
        if drawn < 12:
            return "Kkk22?PP"[dice.randrange(8)] if drawn < 9 else "K"
        if dice.randrange(100) < self.eager_in_100:
            return (GIVE_SAVE, GIVE_SAVE, GIVE_ALL, APPEND, APPEND)[dice.randrange(5)]
        return OPERATIONS[dice.randrange(len(OPERATIONS))]

    def strike(self):
        """Draw what goes wrong with the next operations."""
        dice, area = self.dice, self.area
        if area.cut_after is None and dice.randrange(100) < self.cuts_in_100:
            area.cut_after = dice.randrange(8)
        if dice.randrange(100) < self.refusals_in_100:
            if dice.randrange(4) == 0:
                area.code = FLASH_IO
            area.refuse_at = {area.operations + 1 + dice.randrange(6): None}
        if dice.randrange(100) < self.unreadable_in_100:
            area.read_fails_in = dice.randrange(12) - 1
        if self.wears and dice.randrange(40) == 0:
            blocks = self.shape.parts[1][0]
            log_worn = len([b for b in area.worn if 4 <= b < 4 + blocks])
            block = dice.randrange(4 + blocks)
            if (block < 4 and not any(b < 4 for b in area.worn)) or (block >= 4 and log_worn < blocks - 3):
                area.worn.add(block)
                self.story.append("block %d is worn" % block)

    # -- the second outlet, and who looks something up ---------------------------------------------------------------

    def give_second(self):
        """Deliver one record to the second outlet; True if there was one."""
        log, cursor = self.log, self.log.cursors[1]
        refused = self.area.refused
        if not self.state.ensure_reliable():
            need(self.area.refused > refused, "the state cannot be written")
            return False
        number = self.read(cursor, refused)
        if number:
            ident = payload_at(log.page, log.at, log.length)[1]
            need(self.second.get(number, ident) == ident, "the second outlet gets number %d with two payloads" % number)
            need(number in self.second or number > max([0] + list(self.second)), "the second outlet's order")
            self.check_skipped(cursor.number, number)
            self.second[number] = ident
            cursor.advance()
        return number > 0

    def walk_on(self):
        """Somebody reads on where he stood, whatever was erased since: nothing that is owed is skipped."""
        if self.scout is None or self.dice.randrange(4) == 0:
            self.scout = Cursor()
            self.scout.wants = WANTS_ALL
            self.log.seek(self.scout, self.dice.randrange(self.promise.last + 1))
        for _ in range(1 + self.dice.randrange(3)):
            number = self.read(self.scout, self.area.refused)
            if not number:
                return
            need(number > self.scout.number, "a reader goes backwards, to %d" % number)
            self.check_skipped(self.scout.number, number)
            self.scout.advance()

    def read(self, cursor, refused):
        """Return the number of the record that this cursor comes to, 0 if none."""
        log = self.log
        kind = log.peek(cursor)
        if kind <= 0:
            need(kind == RECORD_NONE or self.area.refused > refused, "the log cannot be read")
            if kind == RECORD_NONE and self.area.refused == refused and not log.doubtful:
                self.check_skipped(cursor.number, log.number + 1)
            return 0
        number, ident = payload_at(log.page, log.at, log.length)
        need(number == cursor.found, "record %d says that it is %d" % (cursor.found, number))
        need(ident in self.promise.tried.get(number, ()), "%d was never tried as %d" % (ident, number))
        need(self.promise.acked.get(number, ident) == ident, "number %d has another payload" % number)
        return number

    def check_skipped(self, first, last):
        """Whatever is owed to the first outlet is still in the log."""
        owed = [n for n in self.promise.owed() if max(first, self.client.cursor.number) < n < last]
        need(not owed, "a reader goes from %d to %d, and %r are owed" % (first, last, owed))

    def look_up(self):
        """A search finds every result that no one has taken yet, and nothing that was never there."""
        if self.log.doubtful or self.restless:
            return
        promise, client = self.promise, self.client
        owed = [promise.acked[n] for n in promise.owed() if n > client.cursor.number]
        ident = owed[self.dice.randrange(len(owed))] if owed else promise.last + 1
        client.refused = self.area.refused
        is_found = client.search(ident)
        need(is_found or not owed or client.faulty, "a search for %d finds nothing" % ident)
        need(not is_found or owed, "a search finds %d, which is not there" % ident)

    # -- the end -----------------------------------------------------------------------------------------------------

    def rot(self):
        """Some of what is owed reads well no more."""
        log, promise = self.log, self.promise
        scout = Cursor()
        for number in promise.owed():
            log.seek(scout, number - 1)
            if number > self.client.cursor.number and not self.restless and self.dice.randrange(4) == 0:
                need(log.peek(scout) > 0 and scout.found == number, "number %d is not there" % number)
                device = log.device
                at = device.address + scout.place * device.block_bytes + scout.offset + FRAME_BYTES
                self.area.cells[at] ^= 0x10
                promise.acked.pop(number)
                promise.rotten += 1
        self.kept_promise.rotten = promise.rotten  # they share the state

    def finish(self):
        area = self.area
        area.refuse_at, area.code, area.cut_after, area.read_fails_in = {}, FLASH_DONE, None, 0
        area.restart(self.shape.flickers)
        self.mount()
        self.keeper.settle()
        if self.client.settle():
            while self.give_second():
                pass
            self.rot()
        drained(self.client)
        drained(self.keeper, 0)
        self.check_second()


def run_life(seed, **fixed):
    """Live one life; a fault says which."""
    life = Life(seed, **fixed)
    try:
        return life.run(STEPS)
    except Exception as error:
        story = " ".join(life.story[-60:])
        raise AssertionError("life %d, %s: %s %s\n%s" % (seed, life.shape.name, type(error).__name__, error, story))


def test_random_lives_lose_nothing():
    cuts = starts = 0
    for seed in range(1, LIVES):
        life = run_life(seed)
        cuts += life.cuts
        starts += life.starts
    assert cuts > LIVES and starts > LIVES


def filled(restarts):
    """Return how many results fit into 64 KiB, with one start for each or one for all, and what 100 of them take."""
    shape = Shape(unit=256, state_bytes=4096, log_blocks=16, log_bytes=4096, payload=190)
    area, promise = shape.area(), Promise()
    session = Session(shape, area, promise)
    hundred = 0
    for count in range(1000):
        if restarts and count:
            session = Session(shape, area, promise)
        if count == 100:
            hundred = session.log.used_blocks()
        session.run(APPEND)
        if session.log.is_still_full():
            return count, hundred
    raise AssertionError("it is never full")


def test_hundred_starts_with_result_each_take_no_more_room_than_hundred_results():
    (once, blocks), (each, blocks_each) = filled(False), filled(True)
    assert blocks_each <= blocks + 1 and each * 100 >= once * 85, (once, blocks, each, blocks_each)


def test_lives_that_once_lost_something_lose_nothing():
    for seed in LOST_ONCE:
        Life(seed).run(100)
    for seed in MISCOUNTED_ONCE:
        Life(seed).run(STEPS)
    for seed in LOST_ONCE_HARSH:
        life = Life(seed, cuts_in_100=40)
        life.shape.flickers = True
        life.restless = life.area.restless = seed % 2 == 1
        life.run(100)
