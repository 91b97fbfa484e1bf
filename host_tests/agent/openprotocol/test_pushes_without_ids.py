"""What is pushed without a usable ID is known again when it is fetched, or counted, and nothing is gone for it."""

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.cart.status import _why_off
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim import controller_frames as frames
from toolcart.sim import controller_session
from host_tests.support.combinations import each_choice
from host_tests.support.generated_firmware import _without_id
from host_tests.support.world import CONTROLLER, Cart

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


def cart_without_ids(monkeypatch):
    """A cart that misses six results of a controller which names no ID, neither in a push nor in an answer."""
    for name in ("result_data", "old_result_data"):
        monkeypatch.setattr(frames, name, _without_id(getattr(frames, name)))
    cart = Cart(controller={"result_revisions": (999,)}).ready()
    cart.produce(3, 1500)
    cart.drop()
    cart.produce(6)
    return cart


def test_answers_without_an_id_are_said_to_be_whatever_is_pushed_meanwhile(monkeypatch):
    cart = cart_without_ids(monkeypatch)
    said = []
    for _ in range(40):
        cart.run(15000)
        cart.produce(1)  # each without an ID
        said.append(_why_off(cart.station.log, cart.station.recovery))
    ends = said.index("no ID")
    assert set(said[ends:]) == {"no ID"} and said[1:ends] == ["in vain"] * (ends - 1)
    cart.network.down(*CONTROLLER)
    cart.run(60000)
    assert _why_off(cart.station.log, cart.station.recovery) == "no ID"


def test_that_the_last_answers_were_in_vain_is_said_without_a_connection_too(monkeypatch):
    cart = cart_without_ids(monkeypatch)
    cart.until(lambda: cart.station.recovery.unanswered == 3, 300000)
    cart.network.down(*CONTROLLER)
    cart.run(60000)
    assert _why_off(cart.station.log, cart.station.recovery) == "in vain"
