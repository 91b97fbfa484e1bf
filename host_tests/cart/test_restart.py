"""A start after any number of results: nothing is stored twice, nothing is asked for that is there."""

from toolcart.agent.base import health as h
from toolcart.agent.cart import status
from lab.harness.cart import PIM, Cart

PORTABLE = True
HEAP = "6m"  # both simulators, their frames and the agent


def _cart_with(count):
    cart = Cart()
    cart.until_ready()
    cart.run(1000)
    for _ in range(count):
        cart.controller.produce()
    cart.until_quiet()
    return cart


def test_a_restart_at_a_block_border_stores_nothing_twice():
    # What is carried over may fill a block, and the next start has to know every result in front of it.
    for count in range(28, 34):
        cart = _cart_with(count)
        cart.cut()
        cart.run(5000)
        assert cart.station.log.number == count, (count, cart.station.log.number)
        assert cart.station.known.missing() == 0
        assert cart.ids() == cart.controller.produced


def test_restarts_one_after_the_other_store_nothing_twice():
    cart = _cart_with(31)
    for _ in range(3):
        cart.cut()
        cart.step()
    cart.run(5000)
    assert cart.station.log.number == 31
    assert cart.station.known.missing() == 0
    assert cart.ids() == cart.controller.produced


def test_frame_no_one_can_read_is_set_aside_once_over_thirty_starts():
    for rewind in (False, True):
        cart = Cart(settings={"toolsnet": {"rewind": rewind}})
        cart.until_ready()
        cart.controller.produce()
        cart.controller.produce(status="#", time="#" * 19)
        cart.run(5000)
        assert cart.ids() == [1] and cart.counted(h.RAW) == 1 and cart.counted(h.PARKED) == 1
        raw = parked = 0
        for _ in range(30):
            cart.cut()
            cart.run(5000)
            raw += cart.counted(h.RAW)
            parked += cart.counted(h.PARKED)
        kept = cart.station.quarantine.count()
        assert (raw, parked, kept) == (0, 0, 1), (rewind, raw, parked, kept)
        assert cart.station.log.number == 2 and cart.archive.repeated == 0
        cart.controller.produce()
        cart.until_stored(2)
        assert cart.ids() == [1, 3]


def test_every_count_of_results_says_after_a_start_what_it_said_before():
    cart = Cart(toolsnet={"tightening_codes": {3: 17}}, controller={"max_clients": 9})
    cart.until_ready()
    cart.run(1000)
    for _ in range(4):
        cart.controller.produce()
    cart.controller.produce(status="#", time="#" * 19)  # not to be read
    cart.until_stored(3)
    cart.run(5000)
    cart.network.cut("cart0", 4545)
    for _ in range(3):
        cart.controller.produce()
    cart.controller.forget(7)
    cart.until_stored(5)
    cart.run(60000)
    for _ in range(3):
        told = counts_of(cart)
        assert told == {"stored": 7, "delivered": 5, "backlog": 0, "overwritten": 0, "parked": 2, "gone": 1, "open": 0}
        cart.cut()
        cart.run(60000)


def test_what_was_overwritten_is_still_counted_after_a_start():
    cart = Cart(settings={"spool": {"when_full": "overwrite"}}, blocks=8)
    cart.network.down(PIM[0], PIM[1])
    cart.until_ready()
    for _ in range(300):
        cart.controller.produce()
        cart.run(200)
    lost = counts_of(cart)["overwritten"]
    assert lost > 100
    cart.cut()
    cart.run(1000)
    assert counts_of(cart)["overwritten"] >= lost
    cart.network.up(PIM[0], PIM[1])
    cart.until_stored(300 - counts_of(cart)["overwritten"])
    cart.run(5000)
    told = counts_of(cart)
    assert told["stored"] == 300 == told["delivered"] + told["overwritten"] and told["backlog"] == 0
    assert cart.ids() == list(range(told["overwritten"] + 1, 301))
    cart.cut()
    cart.run(5000)
    assert counts_of(cart) == told


def counts_of(cart):
    shown = status.snapshot(cart.app)["stations"][0]
    told = {name: shown[name] for name in ("stored", "delivered", "backlog", "overwritten", "parked")}
    told["gone"], told["open"] = shown["recovery"]["gone"], shown["recovery"]["open_ids"]
    return told
