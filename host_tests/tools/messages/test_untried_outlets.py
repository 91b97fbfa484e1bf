"""What is said of outlets in the first moment after a start: each is not tried yet, and none is at fault."""

import json

import pytest

from toolcart.agent.cart.status import snapshot
from toolcart.tools.messages import latched_conditions
from toolcart.tools.messages.status import station_lines
from host_tests.tools.messages.test_one_truth import of_metrics
from lab.harness.cart import Cart

OUTLETS = ({"path": "b.jsonl"}, {"kind": "webhook", "url": "http://hook/"}, {"kind": "mqtt", "host": "broker"})


def station_of(cart):
    return json.loads(json.dumps(snapshot(cart.app)["stations"][0]))


def just_mounted(cart):
    """Let the station's spool be mounted, and nothing else be done."""
    while not cart.station.mounted:
        cart.app.step(cart.clock.now)
        cart.clock.advance(1)
    assert sum(outlet.attempts for outlet in cart.station.outlets) <= 1


@pytest.mark.parametrize("waiting", [0, 3])
def test_an_outlet_that_a_start_has_not_come_to_yet_is_not_tried_and_nothing_is_wrong_with_it(waiting):
    cart = Cart(files=OUTLETS).until_ready(and_ms=1000)
    for outlet in cart.station.outlets:
        outlet.stop()
    cart.produce(waiting, 1000)
    cart.boot()
    just_mounted(cart)
    station = station_of(cart)
    untried = [outlet for outlet in station["outlets"] if outlet["state"] == "not tried yet"]
    assert len(untried) == 4
    assert [outlet["waiting"] for outlet in untried] == [waiting] * 4 and not any(outlet["why"] for outlet in untried)
    assert not [need for need in latched_conditions.all_needs(station) if need.slug == "outlet"]
    assert "cannot be used" not in "".join(station_lines(station))
    assert [line for line in of_metrics(station).splitlines() if line.startswith("toolcart_connected{")][1:] == []
    cart.run(1000)
    states = [outlet["state"] for outlet in station_of(cart)["outlets"]]
    assert states[:2] == ["streaming", "open"] and "not tried yet" not in states[3:]
    assert (states[2] == "not tried yet") == (waiting == 0), "a webhook is not tried before there is a record"
