"""board/unix/main.py: starts from a configuration file, refuses a wrong one with every mistake, ends in order."""

import json
import signal
import subprocess
import sys

from toolcart.board.unix import main
from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import wait_for
from lab.cache import CHECKOUT

DEADLINE_S = 20


def test_the_folder_of_a_path_is_found_without_os_path():
    assert main.folder_of("cart.json") == "."
    assert main.folder_of("/etc/toolcart/cart.json") == "/etc/toolcart"
    assert main.folder_of("/cart.json") == "/"


def test_a_wrong_configuration_ends_with_2_and_names_every_mistake(tmp_path):
    file = tmp_path / "cart.json"
    file.write_text(json.dumps({"toolsnet": {"pim_host": "10.0.0.5"}, "stations": [{"number": 0}]}))
    done = subprocess.run(
        [sys.executable, "-m", "toolcart.board.unix.main", str(file)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 2
    for place in ("toolsnet.pim_port", "stations[0].number", "stations[0].spool.path"):
        assert place in done.stdout


def test_an_orderly_stop_says_goodbye_to_the_controller(tmp_path):
    with SimulatedPlant() as plant:
        controller = {"host": "127.0.0.1", "port": plant.controller_port}
        station = {"number": 1, "controller": controller, "spool": {"path": "one.spool", "size_kib": 64}}
        toolsnet = {"pim_host": "127.0.0.1", "pim_port": plant.pim_port}
        file = tmp_path / "cart.json"
        file.write_text(json.dumps({"toolsnet": toolsnet, "stations": [station]}))
        process = subprocess.Popen([sys.executable, "-m", "toolcart.board.unix.main", str(file)], cwd=CHECKOUT)
        wait_for("a subscription", lambda: plant.controller.messages.get(60, 0), DEADLINE_S)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0
        assert plant.controller.messages.get(3, 0) == 1
        assert plant.complaints() == []
