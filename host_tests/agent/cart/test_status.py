"""How a station says that it is well or not: its status."""

import json

from toolcart.agent.cart import status
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.quarantine.quarantine import PRESSURE_FULL
from host_tests.support.log import Area, append
from lab.harness.cart import Cart

PORTABLE = True
HEAP = "2m"  # both simulators, their frames and the agent


def _running():
    """Return a cart whose both sides are connected."""
    cart = Cart(blocks=8, archive_rows=500, settings={"station": {"name": "Cart"}})
    cart.run(3000)
    return cart


def _shown(cart):
    return status.snapshot(cart.app)["stations"][0]


def test_set_aside_results_and_a_full_quarantine_are_reported():
    cart = _running()
    station = _shown(cart)
    assert (station["parked"], station["needs_operator"]) == (0, None)
    cart.station.quarantine.pressure = lambda: PRESSURE_FULL
    need = _shown(cart)["needs_operator"]
    assert "full" in need["why"]


def test_what_waited_at_the_start_is_a_bound_as_numbers_may_be_missing():
    cart = _running()
    cart.network.down("tn", 10111)
    cart.produce(3)
    cart.run(2000)
    outlet = _shown(cart)["outlets"][0]
    assert (outlet["waiting"], outlet["waiting_at_most"]) == (3, False)
    cart.cut()
    cart.run(3000)
    outlet = _shown(cart)["outlets"][0]
    assert (outlet["waiting"], outlet["waiting_at_most"]) == (3, True)
    cart.network.up("tn", 10111)
    cart.run(60000)
    assert not _shown(cart)["outlets"][0]["waiting_at_most"], "nothing is no bound"
    cart.network.down("tn", 10111)
    cart.produce(1)
    cart.run(2000)
    outlet = _shown(cart)["outlets"][0]
    assert (outlet["waiting"], outlet["waiting_at_most"]) == (1, False), "that one was stored since"


def test_results_are_newest_first_over_the_border_of_a_block():
    log = Area(4 + 7, 4096, 16).mount()[1]
    for _ in range(35):
        assert append(log, log.next) == LOG_DONE
    numbers = [result["number"] for result in status.newest_results(log, 12)]
    assert numbers == list(range(35, 23, -1))


def test_a_running_agent_tells_names_and_figures_as_json():
    cart = _running()
    cart.produce(3)
    cart.run(2000)
    snapshot = json.loads(json.dumps(status.snapshot(cart.app)))
    station = snapshot["stations"][0]
    assert station["number"] == 10 and station["name"] == "Cart" and station["mounted"]
    assert station["controller"]["state"] == "ready"
    assert station["outlets"][0]["state"] == "streaming"
    assert station["outlets"][0]["server"] == "tn:10111"
    assert station["stored"] == 3 and station["backlog"] == 0 and station["oldest_waiting"] is None
    assert station["counters"]["stored"] == 3 and station["counters"]["delivered"] == 3
    assert "raw" not in station["counters"]
    assert station["recovery"]["phase"] == "idle" and station["recovery"]["open_ids"] == 0
    assert station["spool"]["blocks"] == 6 and station["spool"]["used_blocks"] == 1
    assert [result["number"] for result in station["results"]] == [3, 2, 1]
    assert snapshot["scheduler"] == {"faults": 0, "last_fault": None}


def test_the_oldest_waiting_result_and_the_reason_of_a_loss_are_reported():
    cart = _running()
    cart.toolsnet.options.silent = True
    stamp = cart.clock.stamp()
    cart.produce(1, 100)
    cart.controller.drop()
    cart.run(5000)
    station = _shown(cart)
    assert station["backlog"] == 1
    assert station["oldest_waiting"] == stamp.replace(":", " ", 1)
    assert station["log"][0]["name"] == "controller losses"
    assert station["log"][0]["text"] == "ended"
    assert 0 < station["log"][0]["age_ms"] <= 5100


def test_a_station_without_its_spool_is_reported_as_such():
    cart = Cart(make_flash=lambda blocks: None, archive_rows=500)
    cart.run(100)
    station = _shown(cart)
    assert not station["mounted"]
    assert station["counters"] == {"flash failed": 1}
    assert "controller" not in station


def test_results_are_found_of_the_station_that_is_asked_for_alone():
    cart = _running()
    cart.produce(1, 2000)
    number = cart.station.number
    assert len(status.snapshot(cart.app)["stations"][0]["results"]) == 1
    assert len(status.snapshot(cart.app, 5, number)["stations"][0]["results"]) == 1
    for results, of in ((5, number + 1), (5, -1), (0, None)):
        station = status.snapshot(cart.app, results, of)["stations"][0]
        assert station["results"] == [] and station["stored"] == 1
