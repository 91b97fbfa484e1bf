"""After a start: any number of results waits, and nothing is stored twice."""

from toolcart.agent.cart import status
from toolcart.agent.openprotocol.missing_bound import missing_most
from lab.harness.cart import Cart

PORTABLE = True
HEAP = "6m"  # both simulators, their frames and the agent


def _cart_with(count):
    cart = Cart().until_ready(and_ms=1000)
    cart.produce(count)
    cart.until_quiet()
    return cart


def test_a_restart_at_a_block_border_stores_nothing_twice():
    # What is carried over may fill a block, and the next start has to know every result in front of it.
    for count in range(28, 34):
        cart = _cart_with(count)
        cart.cut()
        cart.run(5000)
        assert cart.station.log.number == count, (count, cart.station.log.number)
        assert missing_most(cart.station.ledger) == 0
        assert cart.ids() == cart.controller.produced


def test_restarts_one_after_the_other_store_nothing_twice():
    cart = _cart_with(31)
    for _ in range(3):
        cart.cut()
        cart.step()
    cart.run(5000)
    assert cart.station.log.number == 31
    assert missing_most(cart.station.ledger) == 0
    assert cart.ids() == cart.controller.produced


def test_every_count_of_results_is_the_same_after_a_start():
    cart = Cart(toolsnet={"tightening_codes": {3: 17}}, controller={"max_clients": 9}).until_ready(and_ms=1000)
    cart.produce(4)
    cart.produce(status="#", time="#" * 19)  # not to be read
    cart.until_stored(3, and_ms=5000)
    cart.network.cut("cart0", 4545)
    cart.produce(3)
    cart.controller.forget(7)
    cart.until_stored(5, and_ms=60000)
    for _ in range(3):
        counts = counts_of(cart)
        assert counts == {
            "stored": 7,
            "delivered": 5,
            "backlog": 0,
            "overwritten": 0,
            "parked": 2,
            "gone": 1,
            "open": 0,
        }
        cart.cut()
        cart.run(60000)


def counts_of(cart):
    station = status.snapshot(cart.app)["stations"][0]
    counts = {name: station[name] for name in ("stored", "delivered", "backlog", "overwritten", "parked")}
    counts["gone"], counts["open"] = station["recovery"]["gone"], station["recovery"]["open_ids"]
    return counts
