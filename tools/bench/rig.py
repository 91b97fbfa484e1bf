"""The whole agent between a simulated controller and ToolsNet in memory, for figures: made once, driven step by step.

It wakes a slot only when its port has something, like a board, so that every step of the agent has a reason.
"""

from agent.app import App
from agent.config import complete
from agent.spool.flash import RamFlash
from tools.sim.clock import Dice, SimClock
from tools.sim.controller import Controller
from tools.sim.controller_model import ControllerOptions
from tools.sim.line import Network
from tools.sim.toolsnet import ToolsNet, ToolsNetOptions
from tools.sim.toolsnet_memory import MemoryArchive

PORTABLE = True

TURNS_MAX = 2000  # without time passing: more is a loop that nobody ends


class Board:
    """What agent.app asks of a board."""

    def __init__(self, rig):
        self.rig = rig
        self.watched = []  # [port, slot, state, octets under way] as the agent last left them

    def now(self):
        return self.rig.clock.now

    def stamp_into(self, buf):
        buf[0:19] = self.rig.clock.stamp().encode()

    def tcp(self):
        return self.rig.make_port()

    def flash(self, spool):
        return self.rig.flash

    def seed(self):
        return 7

    def watch(self, port, slot):
        self.watched.append([port, slot, 0, 0])

    def wake_what_has_input(self, scheduler):
        for entry in self.watched:
            port = entry[0]
            connection = port._connection
            under_way = connection.to_peer_bytes if connection is not None else 0
            pending = connection is not None and (connection.unread or connection.ended)
            if pending or port.state() != entry[2] or under_way < entry[3]:
                scheduler.wake(entry[1], self.rig.clock.now)

    def note(self):
        for entry in self.watched:
            connection = entry[0]._connection
            entry[2] = entry[0].state()
            entry[3] = connection.to_peer_bytes if connection is not None else 0


class Rig:
    """One station with its surroundings."""

    def __init__(self, blocks=32, unit_bytes=256, archive=4000, flash=None, settings=None):
        self.clock = SimClock()
        self.network = Network(self.clock, Dice(5))
        self.controller = Controller(self.clock, ControllerOptions())
        self.archive = MemoryArchive(archive)
        self.toolsnet = ToolsNet(self.clock, self.archive, ToolsNetOptions(server_host="tn"))
        self.network.listen("cart", 4545, self.controller.endpoint)
        self.network.listen("tn", 6575, self.toolsnet.pim_endpoint)
        self.network.listen("tn", 10111, self.toolsnet.server_endpoint)
        self.flash = flash or RamFlash(blocks, 4096, unit_bytes)
        tree = {
            "system": {},
            "toolsnet": {"pim_host": "tn", "pim_port": 6575},
            "stations": [
                {"number": 10, "controller": {"host": "cart"}, "spool": {"path": "x", "parked_kib": 8, "size_kib": 16}}
            ],
        }
        for part, values in (settings or {}).items():
            (tree["stations"][0][part] if part in ("controller", "spool") else tree[part]).update(values)
        self.configuration = complete(tree)
        self.steps = 0
        self.boot()

    def make_port(self):
        """A port for the agent; a meter gives another."""
        return self.network.port()

    def boot(self):
        """Make the agent, as after power has come back."""
        self.board = Board(self)
        self.app = App(self.configuration, self.board)
        self.station = self.app.stations[0]

    def cut(self):
        """Let the power fail and come back."""
        for entry in self.board.watched:
            self.network.abandon(entry[0])
        self.boot()

    def app_step(self):
        """The agent's own step; a meter takes its place."""
        return self.app.step(self.clock.now)

    def step(self):
        """One turn without waiting; the ms until something is due."""
        self.network.step()
        self.board.wake_what_has_input(self.app.scheduler)
        self.steps += 1
        left = self.app_step()
        self.board.note()
        if self.network.step() or self.network.readable():
            return 0
        return min(left, self.network.next_due())

    def run(self, ms):
        """Let `ms` pass."""
        end = self.clock.total_ms + ms
        turns = 0
        while self.clock.total_ms < end:
            left = min(self.step(), end - self.clock.total_ms)
            turns = turns + 1 if left <= 0 else 0
            if turns > TURNS_MAX:
                raise RuntimeError("no time passes")
            if left > 0:
                self.clock.advance(left)

    def until_stored(self, count, limit_ms=600000):
        """Let time pass until the archive holds `count` results."""
        end = self.clock.total_ms + limit_ms
        while self.archive.stored < count:
            if self.clock.total_ms > end:
                raise RuntimeError("%d of %d arrived in time" % (self.archive.stored, count))
            self.run(20)
