"""A controller's memory, the agent's half that stores and fetches, and a judge who compares their books.

The promise: what the controller still has, and made since it was first met, is stored exactly once; what was
acknowledged is stored; nothing else is; what was fetched was fetched in the order it was made; and at every moment a
start from a copy of the flash knows exactly what the running agent knows.

Left out, because DIGEST D.6 says so or nothing on the wire could tell:
1. an ID 0 that was not pushed cannot be asked for, nor can a result under an ID that is blank or means another one;
2. a reset within the second of the last result before it, where that is not stored;
3. a reset or a deleted witness in a log so small that it no longer holds what was pushed since;
4. a reset whose first connection ends before the controller was asked for the highest ID known from before.
"""

from agent.base.ticks import ticks_add
from agent.base.words import get_u32
from agent.openprotocol import questions as qs
from agent.openprotocol import replies
from agent.openprotocol.ids import ID_PERIOD
from agent.openprotocol.known import CLOSED_KEPT
from agent.openprotocol.layouts import place_of_id
from agent.record import result as res
from agent.record.result import FLAG_RECOVERED, TIGHTENING_ID
from agent.spool import record as rec
from agent.spool.mount import mount
from agent.spool.unread import is_another
from agent.store import KEPT, KEPT_BEFORE, NOT_KEPT
from host_tests.support_frames import fetched, light
from host_tests.support_spool import made, mounted
from host_tests.support_station import Station
from tools.sim.clock import START_TICKS, Dice, stamp_text
from tools.sim.flash import SHAPES, PowerCut, SimFlash

PORTABLE = True

LAST_ID = ID_PERIOD - 1
IDENTITY = b"000101Cart controller          C1234567            "
WALL_S = 1710408413
BLANK = -1
_READ_IN_ALL = 32  # octets of a MID 0065, up to the end of its ID


class Result:
    """One tightening: `uid` counts them all and stands in its values."""

    def __init__(self, uid, ident, time_s):
        self.uid = uid
        self.ident = ident
        self.time_s = time_s
        self.readable = True

    def _fields(self):
        return {
            "tightening_id": b" " * 10 if self.ident == BLANK else ("%010d" % self.ident).encode(),
            "time": stamp_text(WALL_S + self.time_s),
            "torque": self.uid,
            "angle": self.uid,
        }

    def pushed(self):
        return light(**self._fields())

    def fetched(self, revision=2):
        fields = self._fields()
        fields["tightening_id"] = self.ident
        frame = fetched(revision, **fields)
        if self.readable:
            return frame
        rest = b"%04d" % self.uid  # two such frames are not the same
        return frame[:_READ_IN_ALL] + b"#" * (len(frame) - _READ_IN_ALL - len(rest)) + rest


class Memory:
    """What a controller has made and keeps; `limit` results, the oldest goes."""

    def __init__(self, next_id=1, limit=100000, fixed=None):
        self.next_id = next_id
        self.limit = limit
        self.fixed = fixed  # the ID that every result carries
        self.made = []
        self.kept = []
        self.time_s = 0

    def make(self, after_s=1, ident=None):
        self.time_s += after_s
        if ident is None:
            ident = self.next_id if self.fixed is None else self.fixed
        result = Result(len(self.made) + 1, ident, self.time_s)
        if ident != BLANK:
            self.next_id = (ident + 1) % ID_PERIOD
        self.made.append(result)
        self.kept = [one for one in self.kept if one.ident != ident or ident == BLANK]
        self.kept.append(result)
        if len(self.kept) > self.limit:
            self.kept.pop(0)
        return result

    def wipe(self, next_id=1):
        self.kept = []
        self.next_id = next_id

    def find(self, number):
        """Return what MID 0064 with this ID is answered with; None for 0004/15."""
        if number == 0:
            return self.kept[-1] if self.kept and self.kept[-1].ident != BLANK else None
        for one in self.kept:
            if one.ident == number:
                return one
        return None


class Clock:
    def stamp_into(self, buf):
        buf[:] = b"2030-01-01:00:00:00"


def copy_of(device):
    """Return a second device with the same content."""
    if hasattr(device, "clone"):
        return device.clone()
    twin = type(device)(device.block_count, device.block_bytes, device.unit_bytes)
    twin.cells[:] = device.cells
    return twin


class Tank(Station):
    """Log, memory, recovery and store of one station, as agent.assembly and agent.intake join them."""

    def __init__(self, device, **settings):
        self.device = device
        self.enabled = settings.pop("enabled", True)
        self.settings = settings
        self.now = START_TICKS
        self.asked = []
        self.news = []
        self.start()

    def start(self):
        """As after a power cut: everything new but the flash."""
        assert self.bring_up(self.device, recover=self.enabled, confirms=False)
        self.take(Clock(), **self.settings)
        self.ring.confirm()
        self.started_at = self.ring.seq
        return self

    def connect(self, identity=IDENTITY):
        self.recovery.opened(identity)
        return self

    def lose(self):
        self.recovery.flush()
        self.recovery.closed()

    def wait(self, ms=30000):
        self.now = ticks_add(self.now, ms)

    def push(self, result):
        frame = result.pushed()
        return self.store.put_pushed(frame, 0, len(frame), 999, False, self.now)

    def ask(self):
        """Return the ID asked for, -1 if none is wanted now; as agent.intake it looks for room first."""
        recovery = self.recovery
        if recovery.phase == qs.PHASE_FILL and not self.ring.has_room(res.ROOM_BYTES):
            recovery.wait_for_room(self.now, True)
            return -1
        if not recovery.want(self.now):
            return -1
        number = int(bytes(self.recovery.ask_id))
        self.asked.append(number)
        return number

    def refuse(self, code=15):
        self.news.append(self.recovery.refused(replies.refusal_class(code), self.now))

    def silent(self):
        self.recovery.silent(self.now)

    def answer(self, result, revision=2):
        """What agent.intake does with a MID 0065."""
        recovery = self.recovery
        frame = result.fetched(revision)
        if recovery.phase == qs.PHASE_FILL and not recovery.flush():
            recovery.wait_for_room(self.now)
            return
        assert self.store.read_fetched(frame, 0, len(frame), revision) == result.readable
        if not result.readable and recovery.keeps_answer():
            kept = self.store.put_fetched_raw(frame, 0, len(frame), recovery.ask_id, place_of_id(999), self.now)
            if kept == NOT_KEPT or not recovery.kept(CLOSED_KEPT):
                recovery.wait_for_room(self.now, kept == NOT_KEPT)
            return
        if not result.readable:
            recovery.is_another_unread = is_another(self.ring, frame, 0, len(frame), recovery.witness, place_of_id(999))
        news = recovery.fetched(self.ring.stage, self.store.body_place(), self.now)
        self.news.append(news)
        if news != qs.NEWS_STORE:
            return
        kept = self.store.put_fetched(self.now)
        if kept == NOT_KEPT or (kept == KEPT_BEFORE and not recovery.kept(CLOSED_KEPT)):
            recovery.wait_for_room(self.now, kept == NOT_KEPT)

    def check_memory(self):
        """A start from a copy of the flash knows what is known here.

        Not where the last record is torn and reads differently each time: the next one that is written makes it void.
        """
        if self.ring.torn and self.ring.seq == self.started_at:
            return
        twin = made(copy_of(self.device), recover=self.enabled)
        assert mount(twin) >= 0 and twin.confirm()
        assert bytes(twin.memory) == bytes(self.ring.memory), "a start would not know what is known"

    def stored(self):
        """Return (flags, uid, ID) of every result that a start would find, in the order of the log."""
        twin = mounted(copy_of(self.device), recover=True)
        found = []
        while True:
            kind = twin.peek(0)
            if kind <= 0:
                assert kind == rec.RECORD_NONE
                return found
            if kind == rec.KIND_RESULT:
                found.append(entry_of(twin.walk.page, rec.HEAD_BYTES, twin.walk.flags))
            twin.advance(0)


def entry_of(page, at, flags):
    at += res.HEAD_BYTES
    uid = int(bytes(page[at + res.TORQUE : at + res.TORQUE + 6]))
    return flags & FLAG_RECOVERED, uid, bytes(page[at + TIGHTENING_ID : at + TIGHTENING_ID + 10])


class Life:
    """One seed: random things happen to a tank and a controller's memory, then both come to rest and are compared.

    `fixed`: the controller gives every result this ID. `small`: a log of a few blocks that is emptied all the time.
    """

    def __init__(self, seed, fixed=None, small=False):
        self.dice = Dice(seed)
        self.small = small
        first = (1, 1, 5000, LAST_ID - 12, LAST_ID - 3)[self._draw(5)]
        limit = (100000, 100000, 30, 8)[self._draw(4) if not small else 0]
        self.memory = Memory(first, limit, fixed)
        self.tank = Tank(SimFlash(5 if small else 60, 1024, 16, seed + 1), round_ids=20)
        self.again = self._draw(2)  # it pushes once more after a reconnect what nobody has acknowledged
        self.queue = []
        self.acknowledged = []
        self.taken = []
        self.taken_up_to = 0
        self.late = None
        self.met_at = 0
        self.resets = 0
        self.connects = 0
        self.jumped = 0
        self.forgotten = 0
        self.connected = False
        self.log = []
        if self._draw(3):
            for _ in range(self._draw(5) + (1 if first > 9999 else 0)):
                self.memory.make()
        elif first > 9999:  # a first meeting without any result, just behind the wrap, cannot be told from one at 1
            self.memory.make()

    def _draw(self, limit):
        return self.dice.randrange(limit)

    # -- what happens ------------------------------------------------------------------------------------------

    def live(self, steps):
        self.connect()
        self.rest()
        self.met_at = len(self.memory.made)
        for _ in range(steps):
            self.step()
        self.finish()
        return self

    def finish(self):
        self.tank.device.cut_at = 0
        self.lose()
        self.connect()
        self.rest()
        self.memory.make(2)  # a last push shows what stands above the rest
        self.queue.append(self.memory.made[-1])
        self.rest()
        self.lose()
        self.connect()
        self.rest()
        self.judge()

    def step(self):
        what = self._draw(16)
        self.log.append(what)
        if self._draw(9) == 0:  # the power fails somewhere within what comes now, or within the next few steps
            flash = self.tank.device
            flash.cut_at = flash.operations + 1 + self._draw(6)
            flash.cut_shape = SHAPES[self._draw(len(SHAPES))]
        try:
            self._step(what)
        except PowerCut:
            self.restart()
        self.tank.check_memory()

    def _step(self, what):
        if what < 3:
            self.make(1 + self._draw(4))
        elif what < 6:
            self.push()
        elif what < 11:
            for _ in range(1 + self._draw(6)):
                self.exchange()
        elif what == 11:
            self.lose() if self.connected else self.connect()
        elif what == 12:
            self.lose()
            for _ in range(self._draw(5)):
                self.make(self._draw(12))
            self.connect()
        elif what == 13:
            jump = 1 + self._draw(12)
            self.jumped += jump
            self.memory.next_id = (self.memory.next_id + jump) % ID_PERIOD
        elif what == 14:
            self.forget()
        elif self._draw(2):
            self.restart()
        else:
            self.reset()

    def make(self, count):
        for _ in range(count):
            result = self.memory.make(self._draw(3))
            if self.connected:
                self.queue.append(result)

    def forget(self):
        kept = self.memory.kept
        if kept and self.memory.fixed is None and not self.small:
            self.forgotten += 1
            kept.pop(self._draw(len(kept)))

    def connect(self):
        self.connected = True
        self.connects += 1
        self.tank.connect()

    def lose(self):
        self.tank.lose()
        self._disconnected()

    def restart(self):
        """Power off and on: nothing but the flash is left."""
        self.tank.device.restart()
        self._disconnected()
        self.tank.start()
        self.take()
        for uid in self.acknowledged:
            assert uid in self.seen(), "acknowledged, and not stored: %d" % uid
        if self._draw(3):
            self.connect()

    def _disconnected(self):
        self.connected = False
        self.late = None
        if not self.again:
            self.queue = []

    def push(self):
        """The controller pushes the oldest that nobody has acknowledged; its acknowledgement may get lost."""
        if not self.connected or not self.queue:
            return
        result = self.queue[0]
        kept = self.tank.push(result)
        self.take()
        if kept == KEPT or kept == KEPT_BEFORE:
            self.acknowledged.append(result.uid)
            if self._draw(5):
                self.queue.pop(0)
        else:
            assert kept != NOT_KEPT or self.tank.ring.suspect, "no room, and yet there is"

    def exchange(self, faults=True):
        """One question and its answer, or what comes instead; False if nothing is wanted now."""
        tank = self.tank
        number = tank.ask() if self.connected else -1
        if number < 0:
            return False
        found = self.memory.find(number)
        what = self._draw(20) if faults else 19
        if faults and self._draw(4) == 0:
            self.push()  # a live result comes while the answer is on its way
        if what == 0:
            tank.refuse((98, 79, 1)[self._draw(3)])
        elif what == 1:
            tank.silent()
            self.late = found
        elif what == 2 and self.late and number:
            tank.answer(self.late)  # to an earlier question
        elif what == 3 and number and self._other(number):
            tank.answer(self._other(number))
        elif found is None:
            tank.refuse(15)
        else:
            tank.answer(found)
        self.take()
        if what < 4:
            tank.wait(self._draw(2) * 30000)
        return True

    def _other(self, number):
        """Return a result that was not asked for."""
        for one in self.memory.kept:
            if one.ident != number and one.ident != BLANK:
                return one
        return None

    def reset(self):
        """The controller forgets everything and begins at 1 again; see the module for what comes with it."""
        if self.small or self.tank.known.top() > 2000000000 or not self.proven():
            return
        self.resets += 1
        self.tank.device.cut_at = 0
        self.lose()
        self.queue = []
        made = self.memory.made
        self.memory.time_s += self._draw(3) if made and made[-1].uid in self.seen() else 2
        self.memory.wipe()
        for _ in range(self._draw(4)):
            self.make(self._draw(15))
        if self._draw(3) == 0 and self.memory.fixed is None:  # up to the highest ID of before, or past it
            for _ in range(min(80, max(0, self.tank.known.top() - self.memory.next_id + self._draw(3)))):
                self.make(1)
        self.memory.make(self._draw(3))
        self.connect()
        while not self.proven():
            if not self.exchange():
                self.tank.wait()
            if self._draw(3) == 0:
                self.make(1)

    def proven(self):
        """Whether the agent knows by now if the IDs mean what they meant."""
        return self.connected and self.tank.recovery.phase not in (qs.PHASE_NEWEST, qs.PHASE_WITNESS)

    def rest(self):
        """Push and fetch until nobody wants anything."""
        self.tank.device.cut_at = 0
        quiet = 0
        for _ in range(3000):
            if self.queue:
                self.push()
                quiet = 0
            if self.exchange(False):
                quiet = 0
            else:
                self.tank.wait()
                quiet += 1
                if quiet == 3 and not self.queue:
                    self.tank.check_memory()
                    return
        raise AssertionError("it never comes to rest")

    # -- the judge ---------------------------------------------------------------------------------------------

    def take(self):
        """In a small log everything is taken at once, as by a server that answers."""
        ring = self.tank.ring
        before = self.taken_up_to
        while self.small and not ring.suspect and ring.peek(0) > 0:
            page = ring.walk.page
            number = get_u32(page, rec.HEAD_BYTES)
            if number > self.taken_up_to:
                self.taken_up_to = number
                self.taken.append(entry_of(page, rec.HEAD_BYTES, ring.walk.flags))
            ring.advance(0)
        if self.taken_up_to != before:
            ring.save_cursors(self.taken_up_to)

    def entries(self):
        return self.taken if self.small else self.tank.stored()

    def seen(self):
        return [uid for _, uid, _ in self.entries()]

    def judge(self):
        entries = self.entries()
        uids = [uid for _, uid, _ in entries]
        twice = [uid for uid in set(uids) if uids.count(uid) > 1]
        assert not twice, "stored twice: %s" % twice
        made = self.memory.made
        for _, uid, ident in entries:
            wanted = made[uid - 1].ident
            assert ident == (b" " * 10 if wanted == BLANK else ("%010d" % wanted).encode())
        lost = [one.uid for one in self.memory.kept if self._is_owed(one) and one.uid not in uids]
        assert not lost, "lost: %s" % lost
        assert not [uid for uid in self.acknowledged if uid not in uids], "acknowledged, and not stored"
        recovered = [uid for flags, uid, _ in entries if flags]
        assert recovered == sorted(recovered), "fetched out of order: %s" % recovered
        most = 60 + 12 * self.connects + 3 * (len(made) + self.jumped) + 250 * (self.resets + self.forgotten + 1)
        assert len(self.tank.asked) <= most, "%d questions, %d were enough" % (len(self.tank.asked), most)

    def _is_owed(self, one):
        return one.uid > self.met_at and one.ident not in (0, BLANK) and self.memory.fixed is None
