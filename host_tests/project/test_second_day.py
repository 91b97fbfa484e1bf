"""docs/operations.md: what happens to a cart later, done as the page says with a real agent between simulators."""

import shutil

import pytest

from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import cart_of, run_agent, written


@pytest.fixture
def plant():
    with SimulatedPlant() as simulated:
        yield simulated


def configured(folder, plant, number=7, spool="cart.spool", **toolsnet):
    """A cart's configuration in this folder."""
    folder.mkdir(exist_ok=True)
    station = {"spool": {"path": spool, "size_kib": 64}}
    return written(folder, cart_of(plant, number, station=station, toolsnet={"reconnect_s": 1, **toolsnet}))


def life(config, is_over, act=None):
    """Run the agent until `is_over` its newest state; `act` once the controller is ready. The station's last state."""
    acts = [act] if act else []
    seen = 0  # lines told before that

    def goes_on(_agent, lines):
        nonlocal seen
        states = [line["stations"][0] for line in lines[seen:] if line["kind"] == "status"]
        if not states or not states[-1]["mounted"]:
            return True
        if acts and states[-1]["controller"]["state"] == "ready":
            acts.pop()()
            seen = len(lines)
            return True
        return bool(acts) or not is_over(states[-1])

    code, all_lines = run_agent(config, goes_on)
    assert code == 0
    return all_lines[-1]["stations"][0]


def stored(count):
    return lambda station: station["stored"] >= count


def delivered(count):
    return lambda station: station["delivered"] >= count and not station["backlog"]


def archived(plant):
    """The tightening IDs that ToolsNet has, in the order in which they came."""
    return plant.archive.tightening_ids()


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
    assert run_agent(configured(tmp_path, plant, 8), lambda *_: True)[0] == 3, "no spool can be used"
    last = life(configured(tmp_path, plant, 8, "cart8.spool"), delivered(2), lambda: plant.produce(2))
    assert last["number"] == 8 and archived(plant) == plant.controller.produced


def test_what_a_restored_toolsnet_lacks_is_sent_again(tmp_path, plant):
    life(configured(tmp_path, plant), delivered(6), lambda: plant.produce(6))
    plant.loop.call(lambda: plant.archive.restore_backup(2))
    assert archived(plant) != plant.controller.produced
    life(configured(tmp_path, plant, rewind=True), lambda _: archived(plant) == plant.controller.produced)
