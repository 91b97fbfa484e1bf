"""How much is said to wait where events do: these are no results, and ToolsNet gets none that it does not want."""

import json

import pytest

from toolcart.agent.cart.status import snapshot
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import waiting_by_outlet
from toolcart.tools.messages.status import results
from toolcart.tools.process.agent import _figures_of
from host_tests.agent.linux.test_events import put
from host_tests.support.agent_lines import status_of
from lab.harness.cart import PIM, SERVER, Cart


def station_of(cart):
    return json.loads(json.dumps(snapshot(cart.app)["stations"][0]))


@pytest.mark.parametrize("wants", [[], ["alarms"]])
def test_no_voice_counts_events_among_the_results_that_wait(wants):
    settings = {"toolsnet": {"events": wants}} if wants else {}
    cart = Cart(files=[{"path": "b.jsonl"}], settings=settings).until_ready(and_ms=1000)
    cart.produce(3, 1000)
    cart.run(5000)
    assert results(station_of(cart)) == "3 stored, 3 delivered, 0 waiting for ToolsNet, 0 for file"
    cart.network.down(*PIM)
    cart.network.down(*SERVER)
    cart.lines["b.jsonl"].refuses = ("open", "add", "sync")
    cart.produce(2, 1000)
    assert results(station_of(cart)).startswith("5 stored, 3 delivered, 2 waiting for ToolsNet, 2 for file")
    for _ in range(4):
        put(cart)
    cart.run(1000)
    for figures in (station_of(cart), _figures_of(cart.station)):
        assert waiting_by_outlet.waiting_text([figures], "waiting") == "up to 6 waiting for ToolsNet, up to 6 for file"
        assert waiting_by_outlet.delivered_text([figures]) == "3"
    station = station_of(cart)
    station["spool"]["percent_full"] = 60
    texts = [change.text for change in Figures().feed(status_of(station), 0.0)]
    assert "the spool is 60 % full: up to 6 results waiting for ToolsNet and file" in texts
    cart.network.up(*PIM)
    cart.network.up(*SERVER)
    cart.lines["b.jsonl"].refuses = ()
    cart.run(200000)
    cart.lines["b.jsonl"].refuses = ("open", "add", "sync")
    cart.produce(1, 1000)
    assert results(station_of(cart)).startswith("6 stored, 6 delivered, 1 waiting for file, 0 for ToolsNet")
