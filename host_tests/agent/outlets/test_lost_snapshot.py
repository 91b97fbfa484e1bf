"""The newest of a spool's state cannot be read: every result that is there goes out, and it is said what may lack."""

import pytest

from toolcart.agent.log.snapshot import STATE_BLOCKS
from toolcart.agent.log.snapshot_fields import OVERWRITTEN
from toolcart.spool.offline_spool import begun, opened
from toolcart.tools.messages import attention
from host_tests.agent.outlets.test_new_outlets import KINDS, OVERWRITES, TOOLSNET, Plant

SLOT = 256
WEBHOOK = KINDS["webhook"]
WAY = pytest.mark.parametrize("way", ["plain", "back", "renamed"])


def plant_with(way):
    """A plant whose log has gone round, both sides away at last; an outlet went back, or was renamed."""
    plant = Plant(TOOLSNET, WEBHOOK, spool=OVERWRITES)
    plant.until_ready()
    plant.produce(40, 200)
    plant.run(60000)
    reach(plant, False)
    if way == "renamed":
        plant.again(TOOLSNET, dict(WEBHOOK, name="other"))
    for _ in range(4):
        plant.produce(60, 200)
        plant.run(1000)
        plant.cut()
        plant.run(1000)
    if way == "back":
        plant.again(TOOLSNET, WEBHOOK, dict(KINDS["mqtt"]))
        plant.produce(30, 200)
        plant.run(1000)
    return plant


def reach(plant, is_there):
    for place in plant.places:
        (plant.network.up if is_there else plant.network.down)(*place)
    plant.reach("webhook", is_there)
    plant.reach("mqtt", is_there)


def snapshots(flash):
    """Return where each snapshot is, the newest last."""
    found = []
    for at in range(0, STATE_BLOCKS * flash.block_bytes, SLOT):
        if flash.cells[at : at + 2] == b"TS":
            generation = int.from_bytes(flash.cells[at + 4 : at + 8], "little")
            found.append((generation, at))
    return [at for _, at in sorted(found)]


def numbers_of(plant):
    """Return the number of every result that the log holds."""
    from host_tests.support.log import held

    log = plant.station.log
    return [number for number, _, _, _ in held(log)] + [log.number] * log.doubtful


@WAY
def test_results_behind_a_damaged_state_go_out_and_what_may_lack_is_said(way):
    plant = plant_with(way)
    flash = plant.flashes["spool0"]
    flash.wears = False
    kept = bytes(flash.cells)
    made = plant.station.log.number
    places = snapshots(flash)
    plant.cut()
    plant.run(10)
    wanted = numbers_of(plant)  # a start may overwrite the oldest
    given_up = [one["given_up"] for one in plant.status()["outlets"]]
    for count in (1, 2, 3, 5, 9, len(places) // 2, len(places)):
        flash.cells[:] = kept
        for at in places[-count:]:
            flash.cells[at : at + SLOT] = b"\x11" * SLOT
        plant.cut()
        plant.run(10)
        status = plant.status()
        spool = status["spool"]
        assert spool["state_lost"] == (count == len(places)) and spool["state_older"] == (count < len(places))
        assert numbers_of(plant) == wanted, "hidden"
        assert plant.station.log.next > made
        assert spool["damaged"] == 0
        said = [need for need in attention.needs(status) if need.slug == "state"]
        assert [need.label for need in said] == ["STATE LOST" if spool["state_lost"] else "STATE OLDER"]
        if way == "plain":
            for before, one in zip(given_up, status["outlets"], strict=True):
                assert one["given_up"] + one.get("lost_there", 0) >= before > 0, (count, one)
        assert plant.station.state.save()
        plant.cut()
        plant.run(10)
        spool = plant.status()["spool"]
        assert not spool["state_lost"] and not spool["state_older"], "said once"


@WAY
def test_all_that_the_log_holds_is_delivered_behind_an_older_state(way):
    plant = plant_with(way)
    flash = plant.flashes["spool0"]
    flash.wears = False
    for at in snapshots(flash)[-2:]:
        flash.cells[at : at + SLOT] = b"\x11" * SLOT
    plant.cut()
    plant.run(10)
    wanted = numbers_of(plant)
    reach(plant, True)
    plant.run(200000)
    plant.produce(2, 200)
    plant.run(60000)
    assert plant.station.log.number == len(plant.controller.produced), "none is stored twice"
    assert set(wanted) <= set(plant.has("webhook"))
    assert plant.status()["outlets"][0]["waiting"] == 0
    plant.cut()
    plant.run(10)
    assert not plant.status()["spool"]["state_older"]


def test_an_order_to_a_stopped_agent_counts_what_its_start_would():
    plant = plant_with("plain")
    flash = plant.flashes["spool0"]
    flash.wears = False
    places = snapshots(flash)
    for at in places[len(places) // 3 :]:
        flash.cells[at : at + SLOT] = b"\x11" * SLOT
    looked = opened(flash)
    gone = looked.state.numbers[OVERWRITTEN]
    assert looked.state.older and looked.state.missed_counts[1] == gone > 0
    ordered = begun(flash)
    gone += ordered.log.first_above(0) - looked.log.first_above(0)  # it settles the last record as a start does
    assert ordered.state.older and ordered.state.save()
    later = opened(flash)
    assert not later.state.older and later.state.missed_counts[1] == later.state.numbers[OVERWRITTEN] == gone
    assert later.damaged(0) == 0
