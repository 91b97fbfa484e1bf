"""How many results may be missing, as it is shown: what was stored is not one of them."""

from toolcart.agent.openprotocol.missing_bound import missing_most
from host_tests.support.recovery import Bench
from host_tests.support.world import Cart


def test_what_is_pushed_before_an_answer_is_not_missing():
    bench = Bench().open()
    for _ in range(9):
        bench.live()
        assert missing_most(bench.ledger) == 0
    for _ in range(4):
        bench.memory.make()
    bench.live()
    bench.live()
    assert missing_most(bench.ledger) == 4
    bench.start()
    assert missing_most(bench.ledger) == 4
    bench.open().settle()
    assert missing_most(bench.ledger) == 0 and len(bench.stored()) == 15


def test_empty_memory_that_is_reported_by_another_code():
    cart = Cart(toolsnet=None, controller={"refuse": {64: 8}}).until_ready(2000)
    for _ in range(20):
        cart.produce(1, 1000)
        assert missing_most(cart.station.ledger) == 0


def test_what_pushes_skipped_is_no_more_than_what_the_newest_has_shown():
    bench = Bench().met(5)
    bench.away(6)
    assert bench.ask() == 0
    bench.answer(bench.memory.find(0))  # above the highest known
    bench.live()
    assert missing_most(bench.ledger) == 6
