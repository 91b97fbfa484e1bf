"""A plant around a simulated chip: a controller at its UART, and a ToolsNet behind its network."""

from toolcart.sim.controller import Controller
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.endpoint import Endpoint
from toolcart.sim.memory_archive import MemoryArchive
from toolcart.sim.r3964_peer import AsciiPeer
from toolcart.sim.serve import served_toolsnet
from toolcart.sim.tcp import Loop, RealClock, Served
from toolcart.sim.toolsnet import ToolsNet

HERE = "10.0.2.2"  # lab/firmware/rp2040js/lan.mjs
PLANT_SLOWER = 10  # the simulated chip is slower than a real one: so the plant does not lose patience with it


class Wire(Endpoint):
    """The chip's UART, which comes over TCP: the controller at its end does not notice who is plugged in."""

    def __init__(self, peer):
        super().__init__([], [])
        self.peer = peer

    def receive(self, octets, now):
        for octet in octets:
            self.peer.octet(octet, now)

    def tick(self, now):
        return self.peer.tick(now)

    def outgoing(self):
        return self.peer.outgoing()


class Plant:
    """A controller on a serial line, and a ToolsNet; a thread of its own serves them."""

    def __init__(self):
        self.loop = Loop(RealClock(slower=PLANT_SLOWER))
        clock = self.loop.clock
        self.controller = Controller(clock, ControllerOptions())
        peer = AsciiPeer(self.controller.endpoint, clock)
        self.uart = Served(self.loop, lambda: Wire(peer))
        self.toolsnet = ToolsNet(clock, MemoryArchive())
        self.pim, self.server = served_toolsnet(self.loop, self.toolsnet)
        self.toolsnet.options.server_host = HERE

    def __enter__(self):
        self.loop.start("plant")
        return self

    def __exit__(self, *_):
        self.loop.close()
