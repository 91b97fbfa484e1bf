"""From an erased RP2040 to results in the archive with the command lines of docs/internals/firmware.md, as they stand.

The chip is simulated, and its Ethernet is played: MicroPython's socket and network are modules in /lib here, whose
connections go over the two UARTs to a bridge (lab/firmware/jobs/lib). The rest is as on a chip.
"""

import contextlib
import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolcart.base.cache import CHECKOUT
from toolcart.base.sources import compiler
from toolcart.sim.controller import Controller
from toolcart.sim.controller_model import ControllerOptions
from toolcart.sim.tcp import Loop, RealClock, Served
from toolcart.sim.toolsnet import ToolsNet, ToolsNetOptions
from toolcart.sim.toolsnet_memory import MemoryArchive
from host_tests.support.firmware import lines_of, need_rp2040
from host_tests.support.rp2040 import Chip, InThread
from lab.firmware import rp2040
from lab.firmware.bridge import Bridge

RESULTS = 10
COMMAND_S = 700
HEALTHY_S = 600  # the simulated chip is slower than a real one, on a busy machine twenty times
ARCHIVED_S = 300
PLANT_SLOWER = 10  # so that the plant does not lose patience with it
CHAPTER = "## RP2040 with our image"

pytestmark = pytest.mark.xdist_group("rp2040")


def documented():
    """The command lines of the chapter, one a step."""
    text = (CHECKOUT / "docs/internals/firmware.md").read_text(encoding="utf-8").split(CHAPTER)[1].split("\n#")[0]
    lines = [line.split("#")[0].strip() for line in text.splitlines() if line.startswith("    ")]
    return lines[:4]  # a drawing of the flash follows


class Plant(InThread):
    """A controller that tightens when the result before is in the archive, and the ToolsNet."""

    def __init__(self):
        self.loop = Loop(RealClock(slower=PLANT_SLOWER))
        self.controller = Controller(self.loop.clock, ControllerOptions())
        self.toolsnet = ToolsNet(self.loop.clock, MemoryArchive(), ToolsNetOptions(server_host="127.0.0.1"))
        self.cart = Served(self.loop, self.controller.endpoint)
        self.pim = Served(self.loop, self.toolsnet.pim_endpoint)
        self.toolsnet.options.server_port = Served(self.loop, self.toolsnet.server_endpoint).port
        self.loop.workers.append(self.tighten)

    def tighten(self):
        made = len(self.controller.produced)
        if self.controller.messages.get(60) and made < RESULTS and self.toolsnet.archive.stored >= made:
            self.controller.produce()
        return 20


def with_a_driver(flash, folder):
    """Erased but for the modules that stand for the W5500's driver, which is in the firmware of such a board."""
    for source in sorted((rp2040.JOBS / "lib").glob("*.py")):
        target = folder / "tree/files/lib" / (source.stem + ".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler()[0], "-O3", "-o", str(target), str(source)], check=True, timeout=60)
    code, lines = lines_of(rp2040.command(rp2040.JOBS / "lay_out_job.py", (), folder / "tree", flash))
    assert code == 0, lines


def run(line, port, cart):
    """One documented line with this test's port and file; its words on stdout."""
    words = shlex.split(line.replace("/dev/ttyACM0", port).replace("cart.json", str(cart)))
    words[0] = str(Path(sys.executable).parent / Path(words[0]).name)
    if words[1:2] == ["flash"]:
        words += ["--wait", str(HEALTHY_S)]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, timeout=COMMAND_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def image_of(uf2):
    """What dropping this file on a Pico's drive puts into its flash."""
    return b"".join(uf2[at + 32 : at + 32 + 256] for at in range(0, len(uf2), 512))


@pytest.mark.long("an erased chip from its first minute on")
def test_four_documented_lines_take_an_erased_chip_to_results_in_the_archive(tmp_path):
    need_rp2040()
    fetch, copy, flash, status = documented()
    flash_file, cart = tmp_path / "flash.bin", tmp_path / "cart.json"
    with_a_driver(flash_file, tmp_path)
    with Plant() as plant, Bridge() as bridge:
        cart.write_text(json.dumps(configuration(plant)))

        # 1 and 2: the image that is printed is the one that the chip has.
        folder = Path(re.search(r"\S*firmware-images/rp2040-\w+", run(fetch, "", cart)).group())
        assert copy.startswith("cp FOLDER/fw.uf2 ")
        assert image_of((folder / "fw.uf2").read_bytes()).startswith((rp2040.build() / "fw.bin").read_bytes())

        with contextlib.closing(Chip(flash_file, uarts=tuple(line.port for line in bridge.lines))) as chip:
            run(flash, chip.port, cart)
            deadline = time.monotonic() + ARCHIVED_S
            while plant.toolsnet.archive.stored < RESULTS and time.monotonic() < deadline:
                time.sleep(0.1)
            said = run(status, chip.port, cart)

    archived = plant.toolsnet.archive.tightening_ids()
    assert len(archived) == RESULTS and archived == sorted(plant.controller.acknowledged)
    assert plant.controller.complaints == [] and plant.toolsnet.complaints == []
    assert f"{RESULTS} stored, {RESULTS} delivered, 0 waiting" in said and "blocks in use" in said


def configuration(plant):
    """Keep-alives are early: the simulated chip may be slower than the plant's clock."""
    return {
        "toolsnet": {"pim_host": "127.0.0.1", "pim_port": plant.pim.port},
        "board": {"network": "ethernet"},
        "stations": [
            {
                "number": 10,
                "controller": {"host": "127.0.0.1", "port": plant.cart.port},
                "spool": {"path": "raw", "size_kib": 64, "parked_kib": 12},
            }
        ],
    }
