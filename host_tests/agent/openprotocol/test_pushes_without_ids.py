"""What is pushed without a usable ID is known again when it is fetched, or counted, and nothing is gone for it."""

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim import controller_session
from host_tests.support.combinations import each_choice
from host_tests.support.world import Cart

ID = 91  # where it stands in the data of a MID 0061 in revision 999

HOW = {
    "one short": lambda data: data[: ID + 9],
    "two short": lambda data: data[: ID + 8],
    "three short": lambda data: data[: ID + 7],
    "six short": lambda data: data[: ID + 4],
    "none": lambda data: data[:ID],
    "blank": lambda data: data[:ID] + b" " * 10,
    "zero": lambda data: data[:ID] + b"0" * 10,
    "letters": lambda data: data[:ID] + b"ABCDEFGHIJ",
}


def pushing(monkeypatch, how):
    write = controller_session.frames.result_data
    monkeypatch.setattr(controller_session.frames, "result_data", lambda *given: HOW[how](write(*given)))


def agrees(cart):
    count = len(cart.stored()) + len(cart.raw())
    made = len(cart.controller.produced)
    again = cart.stored_again()
    assert made <= count <= made + again, (made, count, again, cart.stored_ids())
    assert cart.station.ledger.gone() == 0 and cart.counted(counter.CONTROLLER_RESETS) == 0
    assert missing_most(cart.station.ledger) == 0
    return count


@pytest.mark.parametrize(("how", "live_and_missed"), each_choice(list(HOW), [(4, 3), (3, 2), (1, 1), (2, 5)]))
def test_each_push_is_stored_once_over_outages(monkeypatch, how, live_and_missed):
    live, missed = live_and_missed
    pushing(monkeypatch, how)
    cart = Cart().until_ready(2000).settle()
    for _ in range(3):
        cart.produce(live, 1300)
        cart.run(20000)
        cart.miss(missed, 1300)
        cart.settle()
    assert agrees(cart) == len(cart.controller.produced)


@pytest.mark.parametrize("how", HOW)
def test_pushes_in_front_of_the_first_question_are_no_ids(monkeypatch, how):
    pushing(monkeypatch, how)
    cart = Cart()
    cart.produce(5)  # what is made before the first meeting is not asked for
    cart.ready()
    cart.produce(1)
    cart.settle()
    cart.produce(2, 1300)
    cart.miss(2, 1300)
    cart.settle()
    count = len(cart.stored()) + len(cart.raw())
    assert 5 <= count <= 5 + cart.stored_again(), cart.stored_ids()
    assert cart.station.ledger.gone() == 0


@pytest.mark.parametrize("how", HOW)
def test_ids_that_come_at_last_begin_no_new_count(monkeypatch, how):
    with monkeypatch.context() as patched:
        pushing(patched, how)
        cart = Cart().until_ready(2000).settle()
        cart.produce(3, 1300)
        cart.run(20000)
    cart.produce(2, 1300)
    cart.miss(2, 1300)
    cart.settle()
    agrees(cart)
