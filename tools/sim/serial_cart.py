"""The whole agent on a simulated serial line, between controller and ToolsNet, on one clock; its flash may stall it."""

from agent.app import App
from agent.config import complete
from agent.health import NAMES
from agent.spool.flash import RamFlash
from tools.sim.clock import Dice
from tools.sim.controller import Controller
from tools.sim.controller_model import ControllerOptions
from tools.sim.line import Network
from tools.sim.r3964_peer import AsciiPeer, R3964Peer
from tools.sim.serial_line import MicroClock, SerialLine, StallFlash
from tools.sim.toolsnet import ToolsNet, ToolsNetOptions
from tools.sim.toolsnet_memory import MemoryArchive

PORTABLE = True

PIM = ("tn", 6575)
SERVER = ("tn", 10111)


class SerialCart:
    """One station on one line. What survives a cut of the power: flash, clock, controller, ToolsNet.

    kind is "3964r" or "ascii"; `settings` overrides the controller's settings, `peer` the peer's, `controller` the
    simulated controller's options; stalls are (program_us, erase_us) or None.
    """

    def __init__(
        self,
        kind="3964r",
        baud=9600,
        blocks=16,
        stalls=None,
        settings=None,
        peer=None,
        controller=None,
        seed=7,
        cursor_batch=32,
    ):
        self.clock = MicroClock()
        self.network = Network(self.clock, Dice(3))
        self.archive = MemoryArchive(5000)
        self.toolsnet = ToolsNet(self.clock, self.archive, ToolsNetOptions(server_host="tn"))
        self.network.listen(PIM[0], PIM[1], self.toolsnet.pim_endpoint)
        self.network.listen(SERVER[0], SERVER[1], self.toolsnet.server_endpoint)
        options = {"keepalive": "mirror", "blame_silence": False}
        options.update(controller or {})
        self.controller = Controller(self.clock, ControllerOptions(**options))
        make = R3964Peer if kind == "3964r" else AsciiPeer
        self.peer = make(self.controller.endpoint, self.clock, **(peer or {}))
        self.line = SerialLine(self.clock, Dice(seed), self.peer, baud)
        self.flash_device = RamFlash(blocks)
        if stalls is not None:
            self.flash_device = StallFlash(self.flash_device, self.line, stalls[0], stalls[1])
        link = {"link": kind, "device": "line", "baud": baud}
        link.update(settings or {})
        self.configuration = complete(
            {
                "system": {},
                "toolsnet": {"pim_host": PIM[0], "pim_port": PIM[1], "reconnect_s": 1},
                "stations": [
                    {
                        "number": 10,
                        "controller": link,
                        "spool": {"path": "s", "parked_kib": 8, "size_kib": 16, "cursor_batch": cursor_batch},
                    }
                ],
            }
        )
        self.boot()

    # What agent.app asks of a board

    def now(self):
        return self.clock.now

    def stamp_into(self, buf):
        buf[0:19] = self.clock.stamp().encode()

    def tcp(self):
        return self.network.port()

    def serial(self, controller):
        self.line.port.close()
        return self.line.port

    def flash(self, spool):
        return self.flash_device

    def seed(self):
        return 1

    def watch(self, port, slot):
        self.watched.append((port, slot))

    # The world

    def boot(self):
        """Make the agent anew, as after power has come back."""
        self.watched = []
        self.app = App(self.configuration, self)
        self.station = self.app.stations[0]

    def cut(self):
        """Let the agent's power fail and come back."""
        for port, _ in self.watched:
            if port is not self.line.port:
                self.network.abandon(port)
        self.boot()

    def run(self, ms, until=None):
        """Let time pass; stop when `until()` is true. Whoever produces calls this in pieces."""
        end = self.clock.total_us + ms * 1000
        scheduler = self.app.scheduler
        while True:
            self.network.step()
            self.line.run()
            for port, slot in self.watched:
                if port is self.line.port:
                    if port.has_input():  # a link that takes nothing now leaves it there
                        scheduler.wake(slot, self.clock.now)
                elif self._has_input(port):
                    scheduler.wake(slot, self.clock.now)
            left = self.app.step(self.clock.now)
            if scheduler.last_fault is not None:
                raise scheduler.last_fault
            if until is not None and until():
                return True
            rest = end - self.clock.total_us
            if rest <= 0:
                return False
            self.line.run()
            if self.network.step():
                continue
            step = min(rest, self.line.due_us(), self.network.next_due() * 1000 or 1)
            if self.line.port.has_input():
                step = min(step, 50)
            if left < 100000000:
                # A deadline is due when its millisecond begins.
                step = min(step, left * 1000 - self.clock.total_us % 1000 if left else 1)
            self.clock.advance_us(max(step, 1))

    def _has_input(self, port):
        connection = port._connection
        return connection is None or bool(connection.unread) or connection.ended or not connection.opened

    def is_ready(self):
        return self.station.intake is not None and self.station.session.state == 4

    def is_drained(self):
        """Everything produced is acknowledged and in the archive."""
        return len(self.archived()) >= len(self.controller.produced)

    def archived(self):
        return self.archive.tightening_ids()

    def counters(self):
        counters = self.station.health.counters
        return {NAMES[index]: counters[index] for index in range(len(NAMES)) if counters[index]}

    def tally(self):
        return self.station.session.link.tally
