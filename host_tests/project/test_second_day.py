"""docs/operations.md: what happens to a cart later, done as the page says with a real agent between simulators."""

import json
import shutil
import time

import pytest

from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.config import file as config_file
from toolcart.tools.process.agent import Agent

LIMIT_S = 30.0


@pytest.fixture
def plant():
    with SimulatedPlant() as made:
        yield made


def configured(folder, plant, number=7, spool="cart.spool", **toolsnet):
    """A cart's configuration in this folder."""
    folder.mkdir(exist_ok=True)
    sides = {"pim_host": "127.0.0.1", "pim_port": plant.pim_port, "reconnect_s": 1, **toolsnet}
    controller = {"host": "127.0.0.1", "port": plant.controller_port}
    place = {"path": spool, "size_kib": 64}
    station = {"number": number, "controller": controller, "spool": place}
    (folder / "cart.json").write_text(json.dumps({"toolsnet": sides, "stations": [station]}))
    return folder / "cart.json"


def life(config, is_over, act=None):
    """Run the agent until `is_over` its newest state; `act` once the controller is ready. The stations' last state."""
    told, acted = [], []

    def tell(line):
        if line["kind"] == "status" and line["stations"][0]["mounted"]:
            told.append(line["stations"][0])

    agent = Agent(config_file.read_to_run(config), str(config), 20, tell)
    until_s = time.monotonic() + LIMIT_S

    def goes_on():
        assert time.monotonic() < until_s, told[-1:]
        if not told:
            return True
        if act and not acted and told[-1]["controller"]["state"] == "ready":
            acted.append(act())
            told.clear()
            return True
        return (act and not acted) or not is_over(told[-1])

    code = agent.run(goes_on)
    last = agent.last_line()["stations"][0]
    agent.board.close()
    assert code == 0
    return last


def stored(count):
    return lambda shown: shown["stored"] >= count


def delivered(count):
    return lambda shown: shown["delivered"] >= count and not shown["backlog"]


def archived(plant, number=7):
    """The tightening IDs that ToolsNet has of a station, in the order of its numbers."""
    rows = plant.archive.query("SELECT TighteningId FROM Result ORDER BY rowid")
    return [row[0] for row in rows]


def test_a_spool_that_is_moved_goes_on_where_it_was(tmp_path, plant):
    plant.cut_toolsnet(True)
    old = configured(tmp_path / "old", plant)
    life(old, stored(5), lambda: plant.produce(5))
    plant.cut_toolsnet(False)
    new = configured(tmp_path / "new", plant)
    shutil.move(old.parent / "cart.spool", new.parent / "cart.spool")
    last = life(new, delivered(8), lambda: plant.produce(3))
    assert last["stored"] == 8 and archived(plant) == plant.controller.produced


def test_a_new_pi_follows_what_toolsnet_has(tmp_path, plant):
    life(configured(tmp_path / "dead", plant), delivered(4), lambda: plant.produce(4))
    last = life(configured(tmp_path / "new", plant), delivered(3), lambda: plant.produce(3))
    assert last["stored"] == 3 and archived(plant) == plant.controller.produced
    assert plant.archive.sequences() == list(range(1, 8))


def test_a_station_with_a_new_number_needs_a_new_spool(tmp_path, plant):
    life(configured(tmp_path, plant), delivered(4), lambda: plant.produce(4))
    agent = Agent(
        config_file.read_to_run(configured(tmp_path, plant, 8)), str(tmp_path / "cart.json"), 20, lambda _: None
    )
    assert agent.run() == 3, "no spool can be used"
    agent.board.close()
    last = life(configured(tmp_path, plant, 8, "cart8.spool"), delivered(2), lambda: plant.produce(2))
    assert last["number"] == 8 and archived(plant) == plant.controller.produced


def test_what_a_restored_toolsnet_lacks_is_sent_again(tmp_path, plant):
    life(configured(tmp_path, plant), delivered(6), lambda: plant.produce(6))
    plant.loop.call(lambda: plant.archive.restore_backup(2))
    assert archived(plant) != plant.controller.produced
    life(configured(tmp_path, plant, rewind=True), lambda _: archived(plant) == plant.controller.produced)
