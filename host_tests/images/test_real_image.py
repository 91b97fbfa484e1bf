"""An image from MicroPython's real sources in the simulated chip: a result by UART, a power cut, delivery by Ethernet.

Rules
1. The sources are nowhere in here, and nothing fetches them: TOOLCART_MICROPYTHON names their folder, prepared as
   docs/boards.md says. Without it the test is skipped.
2. The W5500 and the network behind it are simulated; lwIP, the driver and the agent are those that a board gets.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from toolcart.sim.controller import Controller
from toolcart.sim.controller_model import ControllerOptions
from toolcart.sim.endpoint import Endpoint
from toolcart.sim.r3964_peer import AsciiPeer
from toolcart.sim.tcp import Loop, RealClock, Served
from toolcart.sim.toolsnet import ToolsNet, ToolsNetOptions
from toolcart.sim.toolsnet_memory import MemoryArchive
from host_tests.support.firmware import Rp2040

SOURCES = os.environ.get("TOOLCART_MICROPYTHON", "")
HERE = "10.0.2.2"  # rp2040js/lan.mjs
BUILD_S = 3000
COMMAND_S = 900  # the simulated chip is slower than a real one, on a busy machine twenty times
PLANT_SLOWER = 10  # so that the plant does not lose patience with it
RESULTS = 3

pytestmark = [
    pytest.mark.xdist_group("rp2040"),
    pytest.mark.skipif(not SOURCES, reason="TOOLCART_MICROPYTHON names no sources of MicroPython"),
]


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
    """A controller on a serial line, and a ToolsNet that is not reached until `open`; a thread of its own serves it."""

    def __init__(self):
        self.loop = Loop(RealClock(slower=PLANT_SLOWER))
        clock = self.loop.clock
        self.controller = Controller(clock, ControllerOptions())
        peer = AsciiPeer(self.controller.endpoint, clock)
        self.uart = Served(self.loop, lambda: Wire(peer))
        self.toolsnet = ToolsNet(clock, MemoryArchive(), ToolsNetOptions(server_host=HERE))
        self.pim = Served(self.loop, self.toolsnet.pim_endpoint)
        self.server = Served(self.loop, self.toolsnet.server_endpoint)
        self.toolsnet.options.server_port = self.server.port
        self.pim.cut()

    def __enter__(self):
        self._thread = threading.Thread(target=self.loop.run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.loop.stop()
        self._thread.join(10)
        self.loop.close()


def command(*words):
    """Run a command of toolcart to its end; what it printed."""
    line = [str(Path(sys.executable).parent / "toolcart"), *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=BUILD_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def image_of(uf2):
    """What dropping this file on a Pico's drive puts into its flash."""
    return b"".join(uf2[at + 32 : at + 32 + 256] for at in range(0, len(uf2), 512))


def until(is_done):
    deadline = time.monotonic() + COMMAND_S
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_w5500_image_keeps_results_over_a_cut_and_delivers_them(tmp_path):
    command("image", "--board", "w5500_evb_pico", "--source", SOURCES, "--output", tmp_path / "image.uf2")
    firmware, cart = tmp_path / "image.bin", tmp_path / "cart.json"
    firmware.write_bytes(image_of((tmp_path / "image.uf2").read_bytes()))
    with Plant() as plant:
        cart.write_text(json.dumps(configuration(plant)))
        more = {"firmware": firmware, "lan": True, "uarts": (plant.uart.port,)}
        with contextlib.closing(Rp2040(tmp_path / "flash.bin", **more)) as chip:
            command("flash", "--board", "rp2", "--port", chip.port, "--config", cart, "--wait", COMMAND_S)
            for number in range(RESULTS):
                plant.loop.call(plant.controller.produce)
                until(lambda count=number + 1: len(plant.controller.acknowledged) == count)
            chip.cut_power()
            assert plant.toolsnet.archive.stored == 0

            plant.loop.call(plant.pim.listen)
            chip.power_on()
            until(lambda: plant.toolsnet.archive.stored == RESULTS)
            said = command("board", "status", "--port", chip.port)

    assert plant.toolsnet.archive.tightening_ids() == plant.controller.acknowledged
    assert plant.controller.complaints == [] and plant.toolsnet.complaints == []
    assert "10.0.2.15" in said and f"{RESULTS} stored, {RESULTS} delivered, 0 waiting" in said


def configuration(plant):
    return {
        "toolsnet": {"pim_host": "pim.plant.example", "pim_port": plant.pim.port},
        "board": {"network": "ethernet"},
        "stations": [
            {
                "number": 10,
                "controller": {"link": "ascii", "device": "0", "baud": 9600},
                "spool": {"path": "raw", "size_kib": 64, "parked_kib": 12},
            }
        ],
    }
