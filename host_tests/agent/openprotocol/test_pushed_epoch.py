"""A pushed result names how often the controller's IDs had restarted, like a fetched one."""

from toolcart.agent.record.result import HEAD_BYTES, ID_EPOCH
from host_tests.support.world import Cart


def epochs(cart):
    duplicates = cart.station.recovery.duplicates
    return [page[at - HEAD_BYTES + ID_EPOCH] for page, at, _ in duplicates.results(1)]


def test_results_name_the_epoch_of_their_ids():
    cart = Cart(toolsnet=None)
    cart.until_ready(2000)
    cart.produce(4, 200)
    cart.settle()
    expected = [0] * 4
    for epoch in (1, 2):
        cart.controller.reset_ids()
        cart.miss(2, 200)
        cart.until_ready(60000)
        cart.settle()
        cart.produce(2, 200)
        cart.settle()
        expected += [epoch] * 4
        assert cart.station.ledger.epoch() == epoch
        assert epochs(cart) == expected
