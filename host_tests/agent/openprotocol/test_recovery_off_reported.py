"""Where nothing can be asked for, or nothing is to be, status says so in words."""

import json

import pytest

from toolcart.agent.cart.status import of_station
from toolcart.sim.profiles import profile_options
from toolcart.tools.messages import attention, status
from host_tests.support.world import Cart


def fetching_needs(cart):
    station = json.loads(json.dumps(of_station(cart.station, cart.clock.now)))
    return [need for need in attention.needs(station) if need.slug == "fetching"], "\n".join(
        status.problem_lines(station)
    )


@pytest.mark.parametrize("code", [99, 73, 97, 79])
def test_controller_that_answers_no_question_is_reported(code):
    cart = Cart(toolsnet=None, controller=profile_options("minimal", unknown_mids=(8, 9, 40), refuse={64: code}))
    cart.until_ready(300000)
    cart.produce(1, 1000)
    [need], lines = fetching_needs(cart)
    assert need.key == "controller" and need.level == attention.NOTE and "NOT FETCHED" in lines
    assert "answers no question about stored results" in lines
    cart.controller.options.refuse.clear()
    cart.run(4000000)
    cart.produce(1, 1000)
    cart.settle()
    assert fetching_needs(cart)[0] == []


def test_setting_is_reported_from_the_start():
    cart = Cart(toolsnet=None, settings={"controller": {"recover": False}})
    assert "controller.recover is false" in fetching_needs(cart)[1]
    cart.until_ready(2000)
    [need], lines = fetching_needs(cart)
    assert need.key == "setting" and "neither fetched nor counted" in lines


def test_usual_controller_needs_no_word():
    cart = Cart(toolsnet=None).until_ready(2000)
    cart.produce(2, 200)
    cart.settle()
    assert fetching_needs(cart)[0] == []
    cart.drop()
    assert fetching_needs(cart)[0] == []


@pytest.mark.parametrize("code", [98, 96])
@pytest.mark.parametrize("ends", [{}, {64: 0}, {64: 300}])
def test_controller_that_puts_questions_off_is_not_said_to_answer_none(ends, code):
    cart = Cart(toolsnet=None).until_ready(2000)
    cart.produce(2, 1000)
    cart.settle()
    cart.controller.options.refuse = {64: code}
    cart.controller.options.ends_refused = ends
    for _ in range(4):
        cart.miss(2, 1000)
        cart.run(60000)
        cart.produce(1, 1000)
        needs, lines = fetching_needs(cart)
        assert "answers no question" not in lines and {need.key for need in needs} <= {"later"}, lines
    cart.controller.options.refuse = {}
    cart.run(4000000)
    cart.produce(1, 1000)
    cart.settle()
    assert fetching_needs(cart)[0] == [] and cart.station.ledger.gone() == 0
    assert cart.stored_ids()[-1] == 15 and len(cart.stored_ids()) == 15
