"""A controller that answers a question for an old result with "busy", or "later", is asked again: nothing is gone."""

import pytest

from toolcart.agent.openprotocol import error_codes
from host_tests.support.combinations import each_choice
from host_tests.support.recovery import Bench, Memory
from host_tests.support.world import Cart

OWN_COUNT = {"identity": {"system_type": 3}, "recover_revisions": (3,), "spindle": "  ", "station": "  "}
LATER = (error_codes.REJECTED_LATER, error_codes.REJECTED_BUSY)


def put_off(bench, kind, times):
    for _ in range(times):
        assert bench.ask() >= 0
        bench.recovery.rejected(kind, bench.now, 98)


@pytest.mark.parametrize("kind", LATER)
@pytest.mark.parametrize("times", [1, 6, 46, 200])
@pytest.mark.parametrize("count", range(5))
def test_what_is_asked_for_waits_however_often_it_is_put_off(count, times, kind):
    bench = Bench(Memory(100)).met(6)
    bench.away(4)
    for _ in range(count):
        bench.step()
    put_off(bench, kind, times)
    assert bench.ledger.gone() == 0 and not bench.ledger.is_unanswering()
    bench.settle()
    bench.make(1)
    assert sorted(bench.uids()) == list(range(1, 12)) and bench.ledger.gone() == 0


@pytest.mark.parametrize("kind", LATER)
def test_connections_that_end_with_it_give_up_nothing(kind):
    bench = Bench(Memory(100)).met(6)
    for _ in range(9):
        bench.away(3)
        put_off(bench, kind, 1)
        bench.close().open()
        bench.recovery.requests_suspended(bench.now)
    bench.now += 4000000
    bench.settle()
    assert len(bench.uids()) == 33 and bench.ledger.gone() == 0


@pytest.mark.parametrize(("code", "sessions"), each_choice([98, 28, 27, 96], [2, 3, 8]))
def test_sessions_that_end_soon_after_it_on_the_wire(code, sessions):
    cart = Cart(toolsnet=None)
    cart.until_ready(2000)
    cart.produce(6, 200)
    cart.run(8000)
    cart.controller.options.refuse = {64: code}
    for _ in range(sessions):
        cart.miss(4, 50)
        cart.until_ready(60000)
        cart.run(3000)
        cart.cut()
    cart.controller.options.refuse = {}
    cart.run(7300000)
    cart.settle()
    assert cart.station.ledger.gone() == 0
    assert cart.stored_ids() == cart.controller.produced


def test_short_sessions_in_which_questions_are_answered_shut_nothing_out():
    cart = Cart(toolsnet=None, controller=OWN_COUNT).ready()
    cart.produce(3, 200)
    cart.run(8000)
    for _ in range(8):  # a bad network: each ends soon after the answer that there is nothing above the newest
        cart.drop()
        cart.run(100)
        cart.until(cart.is_ready)
        cart.run(3000)
    cart.miss(4, 50)
    cart.until(cart.is_ready)
    cart.run(60000)
    assert sorted(cart.stored_ids()) == cart.controller.produced


@pytest.mark.parametrize("known", [(1,), (2,)])
def test_controller_that_says_later_of_revisions_it_does_not_know_is_asked_in_others(known):
    bench = Bench(Memory(1))
    for _ in range(4):
        bench.memory.make()
    bench.open()
    for _ in range(60):
        number = bench.ask()
        if number >= 0 and bench.recovery.revision() in known:
            bench.answer(bench.memory.find(number))
        elif number >= 0:
            bench.recovery.rejected(error_codes.REJECTED_BUSY, bench.now, 98)
    assert bench.recovery.revision() in known
    bench.make(1)
    bench.away(3)
    bench.settle()
    assert bench.ledger.gone() == 0 and bench.uids()[-4:] == [5, 6, 7, 8]
