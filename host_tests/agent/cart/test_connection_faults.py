"""Why a side cannot be reached, in a whole agent on a simulated plant: the number, the state, once in the log."""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.connection_fault import NO_ANSWER
from toolcart.agent.cart import status
from lab.harness.cart import CONTROLLER, Cart

PORTABLE = True

HEAP = "2m"  # both simulators and the agent


def _cart(controller=None, toolsnet=None):
    return Cart(blocks=8, archive_rows=50, controller=controller or {}, toolsnet=toolsnet or {})


def _sides(cart):
    station = status.snapshot(cart.app)["stations"][0]
    return station["controller"], station["outlets"][0]


def _logged(cart, code):
    return [value for _, index, value in cart.station.counters.log.entries() if index == code]


def test_a_refused_controller_is_logged_once_however_often_it_is_tried():
    cart = _cart()
    cart.network.down(*CONTROLLER)
    cart.run(60000)
    controller, _ = _sides(cart)
    assert (controller["why"], controller["why_in"]) == ("refused", "closed")
    assert cart.counted(counter.CONTROLLER_AWAY) > 2 and _logged(cart, counter.CONTROLLER_AWAY) == [11]
    cart.network.up(*CONTROLLER)
    cart.network.swallow(*CONTROLLER)
    cart.run(120000)
    assert _sides(cart)[0]["why"] == "timed out" and _logged(cart, counter.CONTROLLER_AWAY) == [11, 14]
    cart.network.up(*CONTROLLER)
    cart.run(60000)
    assert _sides(cart)[0]["why"] == ""


def test_a_refusal_of_the_controller_keeps_its_code_and_what_was_asked():
    cart = _cart(controller={"refuse": {1: 96}})
    cart.run(5000)
    controller, _ = _sides(cart)
    assert (controller["why"], controller["why_in"]) == ("slot taken", "starting")
    assert (controller["why_code"], controller["why_mid"]) == (96, 1)


def test_controller_that_knows_no_results_is_reported_with_the_mid_it_refused():
    cart = _cart(controller={"refuse": {60: 99, 8: 99}})
    cart.run(5000)
    controller, _ = _sides(cart)
    assert controller["why"] == "knows no MID 0060" and controller["why_mid"] == 60


def test_a_server_that_acknowledges_nothing_is_logged_once():
    cart = _cart(toolsnet={"silent": True})
    cart.run(3000)
    cart.produce(1, 300000)
    _, toolsnet = _sides(cart)
    assert toolsnet["why"] in ("no answer", "") and _logged(cart, counter.SERVER_AWAY) == [NO_ANSWER]
