"""The whole agent on a simulated serial line, between controller and ToolsNet, on one clock; its flash may stall it."""

import toolcart.agent.cart.app  # noqa: F401 - first: imports nest, and from deeper down a small stack would not do

# isort: split
from toolcart.base.clock import Dice
from toolcart.sim.serial_peers import PEERS
from lab.harness import cart as whole
from lab.harness.flash import ERASE, PAGE_BYTES, Nor
from lab.harness.serial_line import MicroClock, SerialLine

PORTABLE = True
TURNS_A_MS = 300  # of an agent with much to do; one that never rests has a thousand


class Board(whole.Board):
    """A board with a serial line."""

    def serial(self, controller):
        self.cart.line.port.close()
        return self.cart.line.port


class SerialCart(whole.Cart):
    """One station on one line. Flash, clock, controller and ToolsNet survive a power cut.

    kind is the procedure; `peer` has settings of the line's other end; stalls are (program_us, erase_us) or
    None; input_octets are what a system keeps of the line's input, 0 for a chip's UART; the rest as in Cart.
    """

    make_board = Board

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
        input_octets=0,
    ):
        options = {"keepalive": "mirror", "blame_silence": False}
        options.update(controller or {})
        tables = {"toolsnet": {"reconnect_s": 1}}
        tables.update(settings or {})
        link = {"link": kind, "device": "line", "baud": baud}
        link.update(tables.get("controller", {}))
        tables["controller"] = link
        self.clock = MicroClock()
        whole.Cart.__init__(
            self,
            blocks=blocks,
            controller=options,
            settings=tables,
            archive_rows=5000,
            clock=self.clock,
            make_flash=Nor,
            on=False,
        )
        self.peer = PEERS[kind](self.controller.endpoint, self.clock, **(peer or {}))
        self.line = SerialLine(self.clock, Dice(seed), self.peer, baud)
        if input_octets:
            self.line.port.input_octets = input_octets
        self.stalls = stalls
        self.flash_device = self.flashes["spool0"]
        if stalls is not None:
            self.flash_device.before = self._stall
        self._turns = self._turned_at = 0
        self.boot()

    def _stall(self, operation, _block, _address, new):
        """Keep the chip away from its UART, as an RP2 while its flash works."""
        program_us, erase_us = self.stalls
        self.line.stall(erase_us if operation == ERASE else program_us * ((len(new) + PAGE_BYTES - 1) // PAGE_BYTES))

    def abandon(self, port):
        if port is not self.line.port:
            self.network.abandon(port)

    def run(self, ms, until=None):
        """Let time pass; stop when `until()` is true. To produce in between, call this in pieces."""
        return self.line.play(ms, self._turn, self._wait_us, until)

    def _turn(self):
        scheduler = self.app.scheduler
        self.network.step()
        self.line.run()
        for port, slot, _ in self.board.watched:
            if port is self.line.port:
                if port.has_input():  # a link that takes nothing now leaves it there
                    scheduler.wake(slot, self.clock.now)
            elif self._has_input(port):
                scheduler.wake(slot, self.clock.now)
        left = self.app.step(self.clock.now)
        self.healthy()
        self._turns = self._turns + 1 if self._turned_at == self.clock.now else 1
        self._turned_at = self.clock.now
        assert self._turns < TURNS_A_MS, "the agent never rests"
        return left

    def _wait_us(self, left):
        if self.network.step():
            return 0
        step = self.network.next_due(True) * 1000 or 1
        if self.line.port.has_input():
            step = min(step, 50)
        if left < 100000000:
            # A deadline is due when its millisecond begins.
            step = min(step, left * 1000 - self.clock.total_us % 1000 if left else 1)
        return max(step, 1)

    def _has_input(self, port):
        connection = port._connection
        return connection is None or bool(connection.unread) or connection.ended or not connection.opened

    def is_ready(self):
        return self.station.intake is not None and self.station.session.state == 4

    def is_drained(self):
        """True if everything produced is acknowledged and in the archive."""
        return len(self.archive.results) >= len(self.controller.produced)  # asked at each octet

    def tally(self):
        return self.station.session.link.tally
