"""How full a spool is: 100 percent is where it takes nothing more, in every voice."""

import json
from itertools import pairwise

import pytest

from toolcart.agent.cart.status import snapshot
from toolcart.tools.live import stations
from toolcart.tools.messages import spool_room
from toolcart.tools.messages import status as words
from host_tests.tools.messages.test_one_truth import of_live_view, of_log, of_metrics
from lab.harness.cart import PIM, Cart


def away(blocks, when_full):
    cart = Cart(blocks=blocks, settings={"spool": {"when_full": when_full}}).until_ready(and_ms=1000)
    cart.network.down(*PIM)
    cart.toolsnet.drop()
    return cart


def state_of(cart):
    station = json.loads(json.dumps(snapshot(cart.app, 0)["stations"][0]))
    station["spool"]["path"] = "cart.spool"
    return station


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("when_full", ["refuse", "overwrite"])
@pytest.mark.parametrize("blocks", [7, 8, 12])
def test_it_fills_from_0_to_100_and_has_100_only_where_it_is_full(blocks, when_full, restarts):
    cart = away(blocks, when_full)
    log, seen = cart.station.log, [state_of(cart)["spool"]["percent_full"]]
    assert seen == [0]
    for _ in range(400):
        cart.produce(1, 300)
        if restarts and len(seen) % 20 == 0:
            cart.cut()
            cart.until_ready(and_ms=500)
            log = cart.station.log
        station = state_of(cart)
        seen.append(spool_room.percent_full(station))
        is_full = not log.has_room(log.room_bytes, False)
        assert (seen[-1] == 100) == is_full
        if station["controller"]["waits_for_room"]:
            assert seen[-1] == 100
        if is_full:
            break
    assert seen[-1] == 100 and len(seen) > 12
    assert restarts or sorted(seen) == seen, "what waits only grows"
    assert restarts or all(later - one < 20 for one, later in pairwise(seen[:-1])), seen
    cart.network.up(*PIM)
    cart.run(120000)
    assert state_of(cart)["spool"]["percent_full"] == 0, "all is delivered"


def test_a_full_spool_is_full_in_every_voice():
    cart = away(7, "refuse")
    cart.produce(200, 100)
    station = state_of(cart)
    assert station["controller"]["waits_for_room"]
    lines = "\n".join(words.station_lines(station))
    assert "100 % full, of " in lines and "FULL" in lines and " blocks in use" not in lines
    log = of_log(station)
    assert any(text.startswith("the spool is full: ") for text in log) and not any(" % full" in text for text in log)
    assert "100 % full" in of_live_view(station)
    [sample] = [line for line in of_metrics(station).splitlines() if line.startswith("toolcart_spool_full_ratio{")]
    assert sample.endswith("} 1.0")
    assert "the spool is full" in stations.verdict(station)[1]
