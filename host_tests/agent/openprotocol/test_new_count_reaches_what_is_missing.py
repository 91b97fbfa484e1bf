"""A push has shown what is missing, and the count begins again before it is fetched: its IDs are others' soon."""

import pytest

from toolcart.agent.openprotocol.id_ledger import IdLedger
from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import OddController
from host_tests.support.recovery import Bench, Memory
from host_tests.support.world import CONTROLLER


def away(one, count):
    """So many are made while no one hears; then it is subscribed to again."""
    cart = one.cart
    cart.network.down(*CONTROLLER)
    one.make(count, 50)
    cart.run(500)
    cart.controller.messages.pop(60)
    cart.network.up(*CONTROLLER)
    cart.until_ready(400)


@pytest.mark.parametrize(
    ("late_ms", "every_ms", "live", "missed", "later", "is_cut"),
    all_pairs([0, 5, 20, 50, 100], [20, 100, 300], [4, 12, 45], [3, 30], [None, 0, 12, 60], [False, True]),
)
def test_what_the_new_count_has_reached_is_gone(monkeypatch, late_ms, every_ms, live, missed, later, is_cut):
    one = OddController(monkeypatch, first_id=6)
    one.late_ms = late_ms
    cart = one.cart
    cart.until_ready(5000)
    one.make(6, 100)
    cart.run(2000)
    away(one, missed)
    one.make(1, every_ms)
    cart.controller.reset_ids()
    one.make(live, every_ms)
    if is_cut:
        cart.cut()
        cart.until_ready(60000)
    if later is not None:
        away(one, later)
        one.make(5, every_ms)
    cart.run(200000)
    twice, again, missing, gone, opened = books = one.books()
    assert twice <= again and opened == 0, books
    assert missing <= gone, (books, cart.gone(), one.requests)


def begun_again(ends_with=Bench.close):
    """Six are stored, 100 to 105, and 106 to 115 missing, as a push shows; then two are made of a new count."""
    bench = Bench(Memory(100)).met(6)
    bench.away(10)
    bench.live()
    bench.memory.next_id = 1
    ends_with(bench)
    bench.memory.make()
    bench.memory.make()
    return bench.open()


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("reached", [104, 106, 110, 115, 130])
def test_a_start_knows_which_range_is_of_the_count_before(reached, restarts):
    bench = begun_again()
    while not bench.ledger.ended_ranges:
        assert bench.step()
    bench.memory.next_id = reached - 3
    for _ in range(4):
        bench.live()  # the count has jumped: what it has skipped was never made
    if restarts:
        bench.ledger.try_save()
        bench.start().open()
    bench.settle()
    lost = [run for run in bench.gone.runs if run[3] == 1]
    assert sum([run[2] for run in lost]) == max(0, min(reached, 115) - 105), bench.gone.runs
    assert not bench.ledger.ended_ranges and not bench.ledger.ranges


def test_it_is_written_beside_the_identity_of_the_controller():
    bench = begun_again()
    identity = bench.ledger.identity()
    while not bench.ledger.ended_ranges:
        assert bench.step()
    for _ in range(2):
        again = IdLedger(bench.state)
        assert (again.ended_ranges, again.ranges, again.identity()) == (1, bench.ledger.ranges, identity)
        bench.ledger.put_controller(identity, False, False)
    bench.settle()
    assert (IdLedger(bench.state).ended_ranges, bench.ledger.identity()) == (0, identity)
