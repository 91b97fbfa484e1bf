"""An image from MicroPython's real sources in the simulated chip: a result by UART, a power cut, delivery by Ethernet.

Rules
1. The sources are nowhere in here, and nothing fetches them: TOOLCART_MICROPYTHON names their folder, prepared as
   docs/boards.md says. Without it the test is skipped.
2. The W5500 and the network behind it are simulated; lwIP, the driver and the agent are those that a board gets.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.support.chip_plant import Plant
from host_tests.support.firmware import Rp2040
from host_tests.support.running import wait_for

SOURCES = os.environ.get("TOOLCART_MICROPYTHON", "")
BUILD_S = 3000
COMMAND_S = 900  # the simulated chip is slower than a real one, on a busy machine twenty times
RESULTS = 3
BURST = 20  # results that wait in the controller when it is reached: more than a block of the flash holds
PACE = 10  # a chip that waits may be so much quicker than its user; on a busy machine it is not
FIVE_MINUTES = '"silences": 1'  # of the chip's clock: then it restarts a network that carries nothing
ACKNOWLEDGED_MS = 100  # the chip's clock
STARTED_MS = 10000
RUNS = b"toolcart: running"
LOW = "4.20 V, at least 4.40 V wanted; 1 writes not made; BELOW IT"
SERIAL_ALONE = {"network": "none"}
DEAD_RADIO = {"network": "wifi", "ssid": "PLANT", "password": {"file": "wifi.password"}}

pytestmark = [pytest.mark.skipif(not SOURCES, reason="TOOLCART_MICROPYTHON names no sources of MicroPython")]


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
    wait_for("it never came", is_done, COMMAND_S)


@contextlib.contextmanager
def installed(tmp_path, name, board):
    """A plant, and the chip with this board's image in which the agent runs, with `board` of its configuration."""
    command("image", "--board", name, "--source", SOURCES, "--output", tmp_path / "image.uf2")
    firmware, cart = tmp_path / "image.bin", tmp_path / "cart.json"
    firmware.write_bytes(image_of((tmp_path / "image.uf2").read_bytes()))
    with Plant() as plant:
        cart.write_text(json.dumps(configuration(plant, board)))
        (tmp_path / "wifi.password").touch(0o600)
        (tmp_path / "wifi.password").write_text("correct horse")
        more = {"firmware": firmware, "lan": board["network"] == "ethernet", "uarts": (plant.uart.port,)}
        with contextlib.closing(Rp2040(tmp_path / "flash.bin", wired=True, **more)) as chip:
            chip.change(names=False)
            command("flash", "--board", "rp2", "--port", chip.port, "--config", cart, "--wait", COMMAND_S)
            yield plant, chip


def status_by(chip):
    return command("board", "status", "--port", chip.port)


def tighten(plant, number):
    """Make this result; it is acknowledged when this returns."""
    plant.loop.call(plant.controller.produce)
    until(lambda: len(plant.controller.acknowledged) == number)


def ends_of(rows, mid, sign):
    """When the last byte of each such message came (`<`), or the first one left (`>`): ms since power-on."""
    rows = [row for row in rows if row[2] == sign]
    matches = re.finditer(rb"\x02(\d{4})" + mid, bytes(octet for *_, octet in rows))
    return [rows[one.start() + (int(one[1]) if sign == "<" else 0)][0] for one in matches]


def test_w5500_image_delivers_after_a_cut_and_five_minutes_without_names(tmp_path):
    with installed(tmp_path, "w5500_evb_pico", {"network": "ethernet"}) as (plant, chip):
        for number in range(RESULTS):
            tighten(plant, number + 1)
        chip.cut_power()
        questions = plant.controller.messages[64]
        chip.power_on()
        until(lambda: plant.controller.messages[64] > questions)  # it has subscribed; what was pushed before is fetched
        for number in range(RESULTS):
            tighten(plant, RESULTS + number + 1)
        chip.change(pace=PACE)
        until(lambda: FIVE_MINUTES in status_by(chip))
        before = status_by(chip)
        chip.change(names=True, pace=1)
        until(lambda: plant.toolsnet.archive.stored == 2 * RESULTS)
        after = status_by(chip)

    assert f"{2 * RESULTS} stored, 0 delivered, up to {2 * RESULTS} waiting" in before
    assert f"{2 * RESULTS} stored, {2 * RESULTS} delivered, 0 waiting" in after and "10.0.2.15" in after
    assert plant.toolsnet.archive.tightening_ids() == plant.controller.acknowledged
    assert plant.controller.complaints == [] and plant.toolsnet.complaints == []
    assert chip.output.count(RUNS) == 2  # one start for each time that the power came


@pytest.mark.parametrize(("name", "board"), [("rpi_pico", SERIAL_ALONE), ("rpi_pico_w", DEAD_RADIO)])
def test_image_keeps_results_of_a_serial_line_over_a_cut(tmp_path, name, board):
    with installed(tmp_path, name, board) as (plant, chip):
        for number in range(RESULTS):
            tighten(plant, number + 1)
        for _ in range(BURST):
            plant.loop.call(plant.controller.produce)
        until(lambda: len(plant.controller.acknowledged) == RESULTS + BURST)
        chip.cut_power()
        chip.power_on()
        until(lambda: chip.output.count(RUNS) == 2)
        status = status_by(chip)
        listed = command("board", "spool", "--port", chip.port, "--station", 10, "--last", 100)
        chip.cut_power()

    rows = chip.trace()
    took_ms = [
        after - came for came, after in zip(ends_of(rows, b"0061", "<"), ends_of(rows, b"0062", ">"), strict=True)
    ]
    starts_ms = ends_of(rows, b"0001", ">")
    lost = [row for row in rows if row[2] == "!"]
    print(f"{name}: MID 0001 {starts_ms} ms after power-on, 0062 {took_ms} ms after 0061, {len(lost)} bytes lost")
    kept = RESULTS + BURST
    assert f"{kept} stored, 0 delivered, up to {kept} waiting" in status and listed.count("  LIVE  ") == kept
    assert plant.controller.complaints == [] and lost == []
    assert max(took_ms) < ACKNOWLEDGED_MS and max(starts_ms) < STARTED_MS and len(starts_ms) == 2


def test_supply_below_its_limit_leaves_results_in_the_controller(tmp_path):
    with installed(tmp_path, "rpi_pico", {**SERIAL_ALONE, "supply": "min_mv 4400"}) as (plant, chip):
        tighten(plant, 1)
        chip.change(supply_mv=4200)
        plant.loop.call(plant.controller.produce)
        until(lambda: LOW in status_by(chip))
        assert plant.controller.acknowledged == plant.controller.produced[:1]

        chip.change(supply_mv=5000)
        until(lambda: "2 stored, 0 delivered, 2 waiting" in status_by(chip))
    assert chip.output.count(RUNS) == 1


def configuration(plant, board):
    return {
        "toolsnet": {"pim_host": "pim.plant.example", "pim_port": plant.pim.port},
        "board": board,
        "stations": [
            {
                "number": 10,
                "controller": {"link": "ascii", "device": "0", "baud": 9600},
                "spool": {"path": "raw", "size_kib": 64, "parked_kib": 12},
            }
        ],
    }
