"""The code of an outlet, and of what goes out besides results, is loaded where it is configured, and nowhere else."""

import json
import subprocess
import sys

import pytest

# Starts the agent's process as far as its spool is there and its outlets are made; prints what that has loaded.
STARTED = """
import json, sys
from toolcart.agent.cart.app import App
from toolcart.board.linux.board import Board
from toolcart.tools.config.file import read_to_run
from toolcart.tools.process import agent

board = Board(sys.argv[2])
app = App(read_to_run(sys.argv[1]), board)
app.step(board.now())
assert app.stations[0].outlets
print(json.dumps(sorted(name for name in sys.modules if name.startswith("toolcart.agent."))))
"""
CONTROLLER = {"host": "127.0.0.1", "port": 11}
TOOLSNET = {"pim_host": "127.0.0.1", "pim_port": 10}
OF_OUTLETS = {
    "toolsnet": {"linux.toolsnet", "linux.telegram04", "outlets.toolsnet.policy", "toolsnet.session"},
    "file": {"linux.file"},
    "webhook": {"linux.webhook", "linux.http_client"},
    "mqtt": {"linux.mqtt", "outlets.mqtt", "mqtt.session"},
}
OF_EXTRAS = {
    "toolsnet_events",
    "telegram09",
    "toolsnet_descriptions",
    "parameter_set_names",
    "controller_names",
    "telegram01_02",
    "toolsnet_curves",
    "telegram13",
    "curve_assembly",
    "controller_curves",
    "mid0900",
    "controller_events",
}


def loaded(folder, outlet, toolsnet=None):
    """Return the modules of agent/ that an agent with this outlet loads."""
    station = {"number": 1, "name": "S", "controller": CONTROLLER, "spool": {"path": "spool", "graphs_kib": 64}}
    whole = {"system": {"number": 3, "name": "A"}, "stations": [dict(station, outlets=[outlet])]}
    if toolsnet is not None:
        whole["toolsnet"] = toolsnet
    path = folder / "cart.json"
    path.write_text(json.dumps(whole))
    run = subprocess.run([sys.executable, "-c", STARTED, path, folder], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return {name.removeprefix("toolcart.agent.") for name in json.loads(run.stdout)}


@pytest.mark.parametrize(
    "outlet",
    [
        {"kind": "toolsnet"},
        {"kind": "file", "path": "results.jsonl"},
        {"kind": "webhook", "url": "http://127.0.0.1:9/"},
        {"kind": "mqtt", "host": "127.0.0.1"},
    ],
    ids=lambda outlet: outlet["kind"],
)
def test_no_code_of_another_outlet_is_loaded(tmp_path, outlet):
    kind = outlet["kind"]
    modules = loaded(tmp_path, outlet, TOOLSNET if kind == "toolsnet" else None)
    assert OF_OUTLETS[kind] <= modules
    others = set().union(*[OF_OUTLETS[other] for other in OF_OUTLETS if other != kind])
    assert not (others - OF_OUTLETS[kind]) & modules


def test_a_cart_with_toolsnet_alone_loads_nothing_of_curves_events_and_names(tmp_path):
    modules = loaded(tmp_path, {"kind": "toolsnet"}, TOOLSNET)
    assert not {"linux." + name for name in OF_EXTRAS} & modules
    assert not {name for name in modules if "curve" in name or name.startswith("mqtt.")}


def test_what_toolsnet_gets_besides_results_is_loaded_where_it_is_wanted(tmp_path):
    wanted = dict(TOOLSNET, events=["alarms"], extras=["names", "curves"])
    modules = loaded(tmp_path, {"kind": "toolsnet"}, wanted)
    assert {"linux." + name for name in OF_EXTRAS - {"controller_curves", "mid0900"}} <= modules
