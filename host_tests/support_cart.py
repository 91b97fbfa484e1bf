"""The whole agent on a board in memory, between a simulated controller and a simulated ToolsNet, on one clock."""

from agent.app import App
from agent.config import complete
from agent.health import NAMES
from agent.spool.flash import RamFlash
from agent.spool.mount import mount
from agent.spool.ring import Ring
from host_tests.support_lines import SimLines
from tools.sim.clock import Dice, SimClock
from tools.sim.controller import Controller
from tools.sim.controller_model import ControllerOptions
from tools.sim.line import Network
from tools.sim.toolsnet import ToolsNet, ToolsNetOptions
from tools.sim.toolsnet_memory import MemoryArchive

PORTABLE = True

PIM = ("tn", 6575)
SERVER = ("tn", 10111)
OPEN_PROTOCOL_PORT = 4545
PARKED_BLOCKS = 2
IDLE_TURNS_MAX = 3000  # turns in which no time passes: more is a loop that nobody ends


def controller_address(index):
    return ("cart%d" % index, OPEN_PROTOCOL_PORT)


class Board:
    """What agent.app asks of a board. Wakes a slot only when its port has something: no step for nothing."""

    def __init__(self, cart):
        self.cart = cart
        self.watched = []  # [port, slot, what was last seen of it]

    def now(self):
        return self.cart.clock.now

    def stamp_into(self, buf):
        buf[0:19] = self.cart.clock.stamp().encode()

    def tcp(self):
        return self.cart.network.port()

    def flash(self, spool):
        return self.cart.flashes[spool["path"]]

    def lines(self, outlet):
        from agent.outlets.file import FileOutlet  # no board has it

        file = self.cart.lines.setdefault(outlet["path"], SimLines())
        file.outlet = lambda ring, index, health: FileOutlet(ring, index, file, health)
        return file

    def seed(self):
        return 1

    def watch(self, port, slot):
        self.watched.append([port, slot, None])

    def wake_what_has_input(self, scheduler):
        """Wake whose port can be read, has ended, or has changed since the agent's last step."""
        for port, slot, before in self.watched:
            connection = port._connection
            ready = connection is not None and (bool(connection.unread) or connection.ended)
            if ready or before != _seen(port):
                scheduler.wake(slot, self.now())

    def note_ports(self):
        """Remember how the ports are left by the agent's step."""
        for entry in self.watched:
            entry[2] = _seen(entry[0])


def _seen(port):
    connection = port._connection
    return port.state(), connection.to_peer_bytes if connection is not None else 0


class Cart:
    """Stations 10, 20 .. with a controller each. What survives a cut: flash, clock, controllers, ToolsNet."""

    def __init__(
        self,
        stations=1,
        blocks=16,
        controller=None,
        toolsnet=None,
        settings=None,
        limits=None,
        spool=None,
        files=(),
    ):
        self.clock = SimClock()
        self.network = Network(self.clock, Dice(3))
        self.controllers = []
        for index in range(stations):
            self.controllers.append(Controller(self.clock, ControllerOptions(**(controller or {}))))
            self.network.listen("cart%d" % index, OPEN_PROTOCOL_PORT, self.controllers[index].endpoint)
        self.controller = self.controllers[0]
        options = dict(toolsnet or {})
        options.setdefault("server_host", "tn")
        self.archive = MemoryArchive(3000)
        self.toolsnet = ToolsNet(self.clock, self.archive, ToolsNetOptions(**options))
        self.options = self.toolsnet.options
        self.network.listen(PIM[0], PIM[1], self.toolsnet.pim_endpoint)
        self.network.listen(SERVER[0], SERVER[1], self.toolsnet.server_endpoint)
        self.flashes = {}
        self.lines = {}  # of the files, by their path
        tree = {"system": {}, "toolsnet": {"pim_host": PIM[0], "pim_port": PIM[1]}, "stations": []}
        tree["toolsnet"].update(settings or {})
        for index in range(stations):
            path = "spool%d" % index
            self.flashes[path] = RamFlash(blocks)
            link = {"host": "cart%d" % index}
            link.update(limits or {})
            keep = {"path": path, "parked_kib": 8, "size_kib": 16}
            keep.update(spool or {})
            tree["stations"].append({"number": 10 * (index + 1), "controller": link, "spool": keep})
            if files:
                outlets = [dict(file, kind="file") for file in files]
                tree["stations"][-1]["outlets"] = [{"kind": "toolsnet"}] + outlets
        self.configuration = complete(tree)
        self.steps = 0
        self.boot()

    def boot(self):
        """Make the agent anew, as after power has come back."""
        self.board = Board(self)
        self.app = App(self.configuration, self.board)
        self.station = self.app.stations[0]

    def cut(self):
        """Let the power fail and come back: the connections go without a word."""
        for entry in self.board.watched:
            self.network.abandon(entry[0])
        self.boot()

    def ring_after_cut(self):
        """Return station 10's log as a start would find it if power failed now; the flash itself is not touched."""
        flash = RamFlash(self.flashes["spool0"].block_count - PARKED_BLOCKS)
        flash.cells[:] = self.flashes["spool0"].cells[PARKED_BLOCKS * flash.block_bytes :]
        ring = Ring(flash)
        assert mount(ring) >= 0
        assert ring.confirm()
        return ring

    # Time

    def step(self):
        """One turn of a board's loop without waiting; returns the ms until something is due."""
        self.network.step()
        self.board.wake_what_has_input(self.app.scheduler)
        self.steps += 1
        left = self.app.step(self.clock.now)
        self.board.note_ports()
        if self.app.scheduler.last_fault is not None:
            raise self.app.scheduler.last_fault
        if self.network.step() or self.network.readable():
            return 0
        return min(left, self.network.next_due())

    def run(self, ms):
        """Let `ms` pass, waking only for deadlines and input."""
        end = self.clock.total_ms + ms
        self.until(lambda: self.clock.total_ms >= end, ms + 1, end)

    def until(self, condition, limit_ms=600000, end=None):
        """Let time pass until the condition holds; returns the ms it took."""
        start = self.clock.total_ms
        idle = 0
        while not condition():
            assert self.clock.total_ms - start < limit_ms, "it did not happen in time"
            left = self.step()
            idle = idle + 1 if left <= 0 else 0
            assert idle < IDLE_TURNS_MAX, "no time passes"
            if left > 0 and not condition():
                if end is not None:
                    left = min(left, end - self.clock.total_ms)
                self.clock.advance(left)
        return self.clock.total_ms - start

    def until_ready(self):
        """Let time pass until every controller has a subscriber."""
        return self.until(lambda: all(device.messages.get(60) for device in self.controllers))

    def until_stored(self, count, limit_ms=600000):
        """Let time pass until the archive holds so many results."""
        return self.until(lambda: self.archive.stored >= count, limit_ms)

    def until_quiet(self, limit_ms=600000):
        """Let time pass until all that was produced lies in the archive."""
        made = sum([len(device.produced) for device in self.controllers])
        return self.until_stored(made, limit_ms)

    # Books

    def ids(self):
        """Return the tightening IDs in the archive, in order of arrival."""
        return self.archive.tightening_ids()

    def counted(self, code):
        return self.station.health.counters[code]

    def counts(self):
        """Return what station 10 counted, by name; for a failed test's message."""
        return {NAMES[code]: self.counted(code) for code in range(len(NAMES)) if self.counted(code)}

    def clean(self):
        """Assert that neither side found anything to complain about."""
        complaints = self.toolsnet.complaints[:]
        for device in self.controllers:
            complaints += device.complaints
        assert complaints == [], complaints[:3]
