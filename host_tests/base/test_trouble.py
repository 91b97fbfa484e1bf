"""Why a side cannot be reached, in a whole agent on a simulated plant: the number, the state, once in the log."""

from toolcart.agent.base import health as h
from toolcart.agent.base.trouble import NO_ANSWER
from toolcart.agent.cart import status
from lab.harness.cart import CONTROLLER, PIM, SERVER, Cart

PORTABLE = True
HEAP = "2m"  # both simulators and the agent


def _cart(controller=None, toolsnet=None):
    return Cart(blocks=8, archive_rows=50, controller=controller or {}, toolsnet=toolsnet or {})


def _sides(cart):
    shown = status.snapshot(cart.app)["stations"][0]
    return shown["controller"], shown["outlets"][0]


def _logged(cart, counter):
    return [value for _, code, value in cart.station.health.entries() if code == counter]


def test_a_side_that_stands_has_no_reason():
    cart = _cart()
    cart.run(3000)
    controller, toolsnet = _sides(cart)
    assert (controller["why"], controller["why_in"], toolsnet["why"], toolsnet["why_in"]) == ("", "", "", "")


def test_a_refused_controller_is_logged_once_however_often_it_is_tried():
    cart = _cart()
    cart.network.down(*CONTROLLER)
    cart.run(60000)
    controller, _ = _sides(cart)
    assert (controller["why"], controller["why_in"]) == ("refused", "closed")
    assert cart.counted(h.CONTROLLER_AWAY) > 2 and _logged(cart, h.CONTROLLER_AWAY) == [11]
    cart.network.up(*CONTROLLER)
    cart.network.swallow(*CONTROLLER)
    cart.run(120000)
    assert _sides(cart)[0]["why"] == "timed out" and _logged(cart, h.CONTROLLER_AWAY) == [11, 14]
    cart.network.up(*CONTROLLER)
    cart.run(60000)
    assert _sides(cart)[0]["why"] == ""


def test_a_refusal_of_the_controller_keeps_its_code_and_what_was_asked():
    cart = _cart(controller={"refuse": {1: 96}})
    cart.run(5000)
    controller, _ = _sides(cart)
    assert (controller["why"], controller["why_in"]) == ("slot taken", "starting")
    assert (controller["why_code"], controller["why_mid"]) == (96, 1)


def test_controller_that_knows_no_results_is_told_with_the_mid_it_refused():
    cart = _cart(controller={"refuse": {60: 99, 8: 99}})
    cart.run(5000)
    controller, _ = _sides(cart)
    assert controller["why"] == "knows no MID 0060" and controller["why_mid"] == 60


def test_what_is_no_pim_is_told_apart_from_one_that_is_silent():
    cart = _cart(toolsnet={"send_12": False})
    cart.run(20000)
    _, toolsnet = _sides(cart)
    assert (toolsnet["why"], toolsnet["why_in"]) == ("no PIM", "pim verify")
    cart = _cart(toolsnet={"send_12": False, "first_telegram": b"99HTTP"})
    cart.run(20000)
    _, toolsnet = _sides(cart)
    assert (toolsnet["why"], toolsnet["why_in"]) == ("foreign PIM", "pim verify")
    assert len(_logged(cart, h.SERVER_AWAY)) == 1


def test_pim_without_an_answer_and_a_server_that_is_away_are_told():
    cart = _cart(toolsnet={"pim_silent": True})
    cart.run(30000)
    _, toolsnet = _sides(cart)
    assert (toolsnet["why"], toolsnet["why_in"]) == ("no info", "pim info")
    cart = _cart()
    cart.network.down(*SERVER)
    cart.run(10000)
    _, toolsnet = _sides(cart)
    assert (toolsnet["why"], toolsnet["why_in"]) == ("refused", "server opening")
    cart.network.down(*PIM)
    cart.run(70000)
    _, toolsnet = _sides(cart)
    assert (toolsnet["why"], toolsnet["why_in"]) == ("refused", "pim opening")


def test_a_server_that_acknowledges_nothing_is_logged_once():
    cart = _cart(toolsnet={"silent": True})
    cart.run(3000)
    cart.controller.produce()
    cart.run(300000)
    _, toolsnet = _sides(cart)
    assert toolsnet["why"] in ("no answer", "") and _logged(cart, h.SERVER_AWAY) == [NO_ANSWER]


def test_a_side_that_is_down_says_when_it_is_tried_next():
    cart = _cart()
    cart.run(3000)
    assert [side["next_try_ms"] for side in _sides(cart)] == [0, 0], "both stand"
    cart.network.down(*CONTROLLER)
    cart.network.down(*PIM)
    cart.network.cut(*CONTROLLER)
    cart.toolsnet.drop()
    cart.run(30000)
    before = _sides(cart)
    assert [0 < side["next_try_ms"] < 40000 for side in before] == [True, True], before
    waits_ms = max(side["next_try_ms"] for side in before)
    tried = cart.station.intake.attempts
    cart.run(waits_ms + 1)
    assert cart.station.intake.attempts > tried
    cart.network.swallow(*CONTROLLER)
    cart.run(39000)
    cart.run(_sides(cart)[0]["next_try_ms"] + 1)
    assert _sides(cart)[0]["next_try_ms"] == 0, "it is tried now"
