"""A whole cart on one clock: controller, agent, flash and ToolsNet, and a power switch.

    cart = Cart(seed=3, controller={"nul": "late"}, settings={"recover_round": 50})
    cart.run(5000); cart.controller.produce(); cart.settle(); cart.restart()

Rules
1. Time only moves to the next deadline of anybody: a sleeping agent is woken by input or its own deadline.
2. An agent that asks to run again at once, over and over, with nothing moving, is a fault of the agent.
3. `restart` is a power cut: new objects over the same flash; the peers learn nothing of it.
"""

from agent.app import App
from agent.base.words import get_u32
from agent.config import complete
from agent.openprotocol import questions as qs
from agent.openprotocol import states as st
from agent.record.result import BODY_BYTES, FLAG_COPY, HEAD_BYTES, TIGHTENING_ID, TIME, TIME_BYTES
from agent.spool import record as rec
from agent.spool.flash import FLASH_DONE, RamFlash
from agent.spool.walk import Walk
from tools.sim.clock import Dice, SimClock
from tools.sim.controller import Controller, ControllerOptions
from tools.sim.line import Network
from tools.sim.toolsnet import ToolsNet, ToolsNetOptions
from tools.sim.toolsnet_memory import MemoryArchive

PORTABLE = True

CONTROLLER = ("10.0.0.1", 4545)
PIM = ("10.0.0.5", 6575)
SERVER = ("10.0.0.5", 10111)
PAYLOAD_MAX = 700
SPINS_MAX = 100
TURNS_MAX = 200000
# The flash blocks that the parking area of 16 KiB takes in front of the ring.
PARKED_BLOCKS = 4


class WatchedFlash(RamFlash):
    """A flash in RAM that can refuse, and notes in `journal` what was programmed."""

    __slots__ = ("code", "journal", "left")

    def __init__(self, block_count=64, block_bytes=4096, unit_bytes=256):
        super().__init__(block_count, block_bytes, unit_bytes)
        self.code = FLASH_DONE  # what program and erase answer once `left` of them were done
        self.left = 0
        self.journal = None

    def read_into(self, address, buf, n):
        buf[0:n] = self.cells[address : address + n]
        return FLASH_DONE

    def program(self, address, buf, n):
        if self.code != FLASH_DONE:
            if self.left == 0:
                return self.code
            self.left -= 1
        self.cells[address : address + n] = buf[:n]
        if self.journal is not None:
            self.journal.append(("program", bytes(buf[:n])))
        return FLASH_DONE

    def erase(self, block):
        return self.code if self.code != FLASH_DONE and self.left == 0 else super().erase(block)


class Board:
    """What the agent is given: see agent.app."""

    def __init__(self, cart):
        self.cart = cart
        self.watched = []

    def now(self):
        return self.cart.clock.now

    def stamp_into(self, buf):
        buf[:] = self.cart.clock.stamp().encode()

    def tcp(self):
        port = self.cart.network.port()
        carry = port.write

        def write(buf, start, n):
            taken = carry(buf, start, n)
            if taken > 0 and self.cart.device.journal is not None:
                self.cart.device.journal.append(("said", bytes(buf[start : start + taken])))
            return taken

        port.write = write
        return port

    def flash(self, spool):
        return self.cart.device

    def seed(self):
        return self.cart.seed

    def watch(self, port, slot):
        self.watched.append((port, slot))


class Cart:
    """See the module. `toolsnet` None: there is none; else its options. `on` False: the agent has no power yet."""

    def __init__(
        self, seed=1, controller=None, toolsnet=None, settings=None, first_id=1, blocks=64, spool=None, on=True
    ):
        self.seed = seed
        self.clock = SimClock()
        self.network = Network(self.clock, Dice(seed))
        self.controller = Controller(self.clock, ControllerOptions(**(controller or {})), first_id)
        self.line = self.network.listen(CONTROLLER[0], CONTROLLER[1], self.controller.endpoint)
        self.toolsnet = None
        if toolsnet is not None:
            self.toolsnet = ToolsNet(
                self.clock,
                MemoryArchive(20000),
                ToolsNetOptions(server_host=SERVER[0], server_port=SERVER[1], **toolsnet),
            )
            self.network.listen(PIM[0], PIM[1], self.toolsnet.pim_endpoint)
            self.network.listen(SERVER[0], SERVER[1], self.toolsnet.server_endpoint)
        self._resets = 0
        self._wait = 0
        self.device = WatchedFlash(blocks)
        control = {"host": CONTROLLER[0]}
        control.update(settings or {})
        area = {"path": "x"}
        area.update(spool or {})
        self.configuration = complete(
            {
                "system": {},
                "toolsnet": {"pim_host": PIM[0], "pim_port": PIM[1]},
                "stations": [{"number": 10, "controller": control, "spool": area}],
            }
        )
        self.board = None
        self.app = None
        if on:
            self.power_on()

    # The agent

    def power_on(self):
        self.board = Board(self)
        self.app = App(self.configuration, self.board)
        self.app.step(self.clock.now)

    def restart(self):
        """Cut the power and switch it on again."""
        for port, _ in self.board.watched:
            self.network.abandon(port)
        self.power_on()

    @property
    def station(self):
        return self.app.stations[0]

    def counted(self, counter):
        return self.station.health.counters[counter]

    def healthy(self):
        """Raise what a task raised, if one did."""
        if self.app.scheduler.faults:
            raise self.app.scheduler.last_fault

    # Time

    def run(self, ms):
        """Let `ms` milliseconds pass."""
        end = self.clock.total_ms + ms
        spins = turns = 0
        while True:
            moved = self._turn()
            left = end - self.clock.total_ms
            wait = min(self._wait, self.network.next_due(), left)
            if wait > 0:
                self.clock.advance(wait)
                spins = 0
            elif left == 0 and not moved:
                return
            elif moved:
                spins = 0
            else:
                spins += 1
                assert spins < SPINS_MAX, "the agent asks to run again and again, and does nothing"
            turns = 0 if wait > 0 else turns + 1
            assert turns < TURNS_MAX, "a talk without end, and no time passes"

    def _turn(self):
        moved = self.network.step()
        if moved or self.network.readable() or self.network.resets != self._resets:
            self._resets = self.network.resets
            for _, slot in self.board.watched:
                self.app.scheduler.wake(slot, self.clock.now)
            moved = True
        self._wait = self.app.step(self.clock.now)
        return moved

    def until(self, condition, limit_ms=60000, step_ms=20):
        """Let time pass until the condition holds; whether it does."""
        for _ in range(limit_ms // step_ms):
            if condition():
                return True
            self.run(step_ms)
        return condition()

    def is_ready(self):
        return self.station.session.state == st.READY

    def ready(self):
        """Let time pass until the subscription stands; return self."""
        assert self.until(self.is_ready), "no session"
        self.healthy()
        return self

    def is_quiet(self):
        """True when nothing is open: all that was pushed is acknowledged, nothing missing."""
        station = self.station
        recovery = station.recovery
        if not self.is_ready() or recovery.open_ids() or recovery.phase not in (qs.PHASE_IDLE, qs.PHASE_OFF):
            return False
        if not station.session.can_fetch():
            return False
        for session in self.controller.sessions:
            if session.unsent or session.waiting or session.owed:
                return False
        return True

    def settle(self, limit_ms=600000):
        """Let time pass until nothing is open any more; return self."""
        assert self.until(self.is_quiet, limit_ms, 200), "it does not come to rest"
        self.run(200)
        self.healthy()
        return self

    # What lies on the flash

    def records(self):
        """Return (kind, flags, payload) of every sound record, oldest first."""
        found = []
        walk = Walk(self.device, PAYLOAD_MAX)
        for block in range(PARKED_BLOCKS, self.device.block_count):
            walk.begin(block, 0, 0)
            while walk.next() > 0:
                found.append((walk.seq, walk.kind, walk.flags, bytes(walk.page[8 : 8 + walk.length])))
        found.sort()
        return [(kind, flags, payload) for _, kind, flags, payload in found]

    def stored(self):
        """Return the payload of every result of the log once, by its number."""
        found = {}
        for kind, flags, payload in self.records():
            if kind == rec.KIND_RESULT:
                number = get_u32(payload, 0)
                assert number not in found or (flags & FLAG_COPY and found[number] == payload)
                found[number] = payload
        return [found[number] for number in sorted(found)]

    def raw(self):
        """Return the frames of every raw record once."""
        found = {}
        for kind, _, payload in self.records():
            if kind == rec.KIND_RAW:
                found[get_u32(payload, 0)] = payload[HEAD_BYTES:]
        return [found[number] for number in sorted(found)]

    def stored_ids(self):
        return [id_of(payload) for payload in self.stored()]

    def gaps(self):
        """Return (first, last) of every record of IDs that cannot be had."""
        return [
            (int(payload[4:14]), int(payload[14:24])) for kind, _, payload in self.records() if kind == rec.KIND_GAP
        ]


def id_of(payload):
    text = payload[HEAD_BYTES + TIGHTENING_ID : HEAD_BYTES + TIGHTENING_ID + 10]
    return int(text) if text.strip() else None


def key_of(payload):
    """Return what tells one tightening from all others: ID and time."""
    at = HEAD_BYTES + TIME
    return id_of(payload), bytes(payload[at : at + TIME_BYTES])


def body_of(payload):
    return payload[HEAD_BYTES : HEAD_BYTES + BODY_BYTES]


def packed_time(text):
    digits = "".join([c for c in text if c.isdigit()])
    return bytes([int(digits[i]) << 4 | int(digits[i + 1]) for i in range(0, 14, 2)])
