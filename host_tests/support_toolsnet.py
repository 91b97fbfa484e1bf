"""A spool that a test fills, the agent's way to ToolsNet, and a simulated ToolsNet, on one simulated clock."""

from struct import pack_into

from agent.health import NAMES
from agent.openprotocol.light import read_light
from agent.outlets.toolsnet.position import OUTLET
from agent.record import result as res
from agent.log.flash import RamFlash
from agent.spool.mount import mount
from agent.spool.record import HEAD_BYTES, KIND_RAW, KIND_RESULT
from agent.spool.ring import Ring
from agent.spool.walk import Walk
from host_tests.support_station import NUMBER, SETTINGS, Station
from tools.sim import controller_frames as frames
from tools.sim.clock import Dice, SimClock
from tools.sim.controller_model import Tightening
from tools.sim.line import Network
from tools.sim.toolsnet import ToolsNet, ToolsNetOptions
from tools.sim.toolsnet_memory import MemoryArchive

PORTABLE = True

PIM = ("pim", 6575)
SERVER = ("tn", 10111)
IDLE_TURNS_MAX = 2000  # turns in which no time passes: more is a loop that nobody ends


class Outlet(Station):
    """One station's forwarding. What survives a cut are the flash devices, the clock, and ToolsNet."""

    def __init__(
        self,
        options=None,
        blocks=16,
        parked_blocks=4,
        cursor_batch=32,
        session=None,
        make_flash=RamFlash,
        make_port=None,
        **settings,
    ):
        self.clock = SimClock()
        self.network = Network(self.clock, Dice(5))
        options = dict(options or {})
        options.setdefault("server_host", "tn")
        self.options = ToolsNetOptions(**options)
        self.archive = MemoryArchive(3000)
        self.toolsnet = ToolsNet(self.clock, self.archive, self.options)
        self.network.listen(PIM[0], PIM[1], self.toolsnet.pim_endpoint)
        self.network.listen(SERVER[0], SERVER[1], self.toolsnet.server_endpoint)
        self.flash = make_flash(blocks)
        self.parked_flash = make_flash(parked_blocks)
        self.make_port = make_port  # of the network; None for its own
        self.settings = dict(SETTINGS)
        self.settings.update(settings)
        self.session_settings = session or {}
        self.cursor_batch = cursor_batch
        self.next_id = 1
        self.steps = 0
        self.start()

    def start(self):
        """Make everything anew over the flash, as after power has come back."""
        assert self.bring_up(self.flash, self.parked_flash, confirms=False)
        port = self.make_port(self.network) if self.make_port else self.network.port()
        self.send(port, self, self.settings, self.cursor_batch, **self.session_settings)
        self.forward.begin(self.clock.now)

    def cut(self):
        """Let the power fail and come back: the connection goes without a word."""
        self.network.abandon(self.port)
        self.start()

    def stamp_into(self, buf):
        """The station's wall clock, as a board gives it."""
        buf[0:19] = self.clock.stamp().encode()

    # What lies in the spool

    def store(self, count=1, **fields):
        """Put light results into the spool; returns their tightening IDs."""
        ids = []
        for _ in range(count):
            result = Tightening()
            result.tightening_id = self.next_id
            result.time = self.clock.stamp()
            result.pset_change = "2024-02-01:08:00:00"
            for name in fields:
                setattr(result, name, fields[name])
            message = frames.header(61, 999, 101) + frames.result_data(result, 999)
            at = self.ring.begin(KIND_RESULT, res.HEAD_BYTES + res.BODY_BYTES)
            assert at >= 0, "the spool is full"
            pack_into("<IHBB", self.ring.stage, at, self.ring.number + 1, NUMBER, 1, 0)
            read_light(self.ring.stage, at + res.HEAD_BYTES, message, 0, len(message))
            assert self.ring.commit(KIND_RESULT, 0, res.HEAD_BYTES + res.BODY_BYTES) == 0
            ids.append(result.tightening_id)
            self.next_id += 1
        return ids

    def store_raw(self, octets=b"0061 that nobody could read"):
        """Put a frame that could not be read into the spool."""
        length = res.HEAD_BYTES + len(octets)
        at = self.ring.begin(KIND_RAW, length)
        assert at >= 0, "the spool is full"
        pack_into("<IHBB", self.ring.stage, at, self.ring.number + 1, NUMBER, 1, 0)
        self.ring.stage[at + res.HEAD_BYTES : at + length] = octets
        assert self.ring.commit(KIND_RAW, 0, length) == 0

    def parked_records(self):
        """Return (kind, number in the log, reason, content behind the number) of all that was parked, in order."""
        walk = Walk(self.parked_flash, len(self.ring.walk.page), None)
        found = []
        for block in range(self.parked_flash.block_count):
            walk.begin(block, 0, 0)
            while True:
                kind = walk.next()
                if kind <= 0:
                    break
                # What a start wrote once more is in there twice.
                if (kind == KIND_RESULT or kind == KIND_RAW) and not walk.flags & res.FLAG_COPY:
                    page = bytes(walk.page[HEAD_BYTES : HEAD_BYTES + walk.length])
                    tail = page[-res.PARKED_BYTES :]
                    number = tail[0] | tail[1] << 8 | tail[2] << 16 | tail[3] << 24
                    found.append((kind, number, tail[4] | tail[5] << 8, page[4 : -res.PARKED_BYTES]))
        return found

    def parked_numbers(self):
        return [record[1] for record in self.parked_records()]

    def ring_after_cut(self):
        """Return the ring that a start would find if power failed now; the flash itself is not touched."""
        flash = RamFlash(self.flash.block_count)
        flash.cells[:] = self.flash.cells
        ring = Ring(flash)
        assert mount(ring) >= 0
        return ring

    # Time

    def step(self):
        """One turn of the scheduler's loop without waiting; returns the ms until something is due."""
        self.network.step()
        self.steps += 1
        left = self.forward.step(self.clock.now)
        if self.network.step() or self.network.readable():
            return 0
        return min(left, self.network.next_due())

    def run(self, ms):
        """Let `ms` pass, waking only for deadlines and input."""
        end = self.clock.total_ms + ms
        idle = 0
        while True:
            left = self.step()
            rest = end - self.clock.total_ms
            if left <= 0:
                idle += 1
                assert idle < IDLE_TURNS_MAX, "no time passes"
                if rest > 0 or self.network.readable():
                    continue
            if rest <= 0:
                return
            idle = 0 if left > 0 else idle
            self.clock.advance(min(left, rest))

    def until(self, condition, limit_ms=600000):
        """Let time pass until the condition holds; returns the ms it took."""
        start = self.clock.total_ms
        idle = 0
        while not condition():
            assert self.clock.total_ms - start < limit_ms, "it did not happen in time"
            left = self.step()
            idle = idle + 1 if left <= 0 else 0
            assert idle < IDLE_TURNS_MAX, "no time passes"
            if left > 0 and not condition():
                self.clock.advance(min(left, limit_ms))
        return self.clock.total_ms - start

    def until_stored(self, count, limit_ms=600000):
        """Let time pass until the archive holds so many results."""
        return self.until(lambda: self.archive.stored >= count, limit_ms)

    def until_refused(self, count, limit_ms=600000):
        """Let time pass until ToolsNet has refused so many telegrams; returns the ms it took."""
        return self.until(lambda: self.toolsnet.refused >= count, limit_ms)

    def until_passed(self, limit_ms=600000):
        """Let time pass until the cursor is behind everything."""
        return self.until(lambda: self.ring.backlog(OUTLET) == 0, limit_ms)

    def ids(self):
        """Return the tightening IDs in the archive, in order of arrival."""
        return self.archive.tightening_ids()

    def counts(self):
        """Return what was counted, by name; for a failed test's message."""
        return {NAMES[code]: self.counted(code) for code in range(len(NAMES)) if self.counted(code)}

    def clean(self):
        """Assert that ToolsNet found nothing to complain about."""
        assert self.toolsnet.complaints == [], self.toolsnet.complaints[:3]
