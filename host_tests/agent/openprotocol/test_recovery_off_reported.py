"""Where nothing can be asked for, or nothing is to be, status says so in words."""

import json

import pytest

from toolcart.agent.cart.status import of_station
from toolcart.sim import controller_frames as frames
from toolcart.sim.controller_session import ControllerSession
from toolcart.sim.profiles import profile_options
from toolcart.tools.messages import attention, status
from host_tests.support.combinations import each_choice
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
    assert "the last questions about stored results brought none" in lines
    cart.drop()
    assert fetching_needs(cart)[0] == [need]  # nothing has changed
    cart.ready()
    cart.controller.options.refuse.clear()
    cart.run(4000000)
    cart.produce(1, 1000)
    cart.settle()
    assert fetching_needs(cart)[0] == []


def test_controller_that_has_answered_is_not_said_to_answer_nothing():
    cart = Cart(toolsnet=None).until_ready(2000)
    cart.produce(2, 1000)
    cart.settle()
    cart.controller.options.refuse = {64: 97}
    cart.controller.options.ends_refused = {64: 0}
    for _ in range(6):
        cart.miss(2, 1000)
        cart.run(60000)
        needs, lines = fetching_needs(cart)
        assert "answers no question" not in lines
        assert not needs or "fetching" not in lines, lines


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


@pytest.mark.parametrize(("ends", "code"), each_choice([{}, {64: 0}, {64: 300}], [98, 96]))
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
        assert "brought none" not in lines and {need.key for need in needs} <= {"later"}, lines
    cart.controller.options.refuse = {}
    cart.run(4000000)
    cart.produce(1, 1000)
    cart.settle()
    assert fetching_needs(cart)[0] == [] and cart.station.ledger.gone() == 0
    assert cart.stored_ids()[-1] == 15 and len(cart.stored_ids()) == 15


def answer_of(how, content, revision):
    """Return the octets of an answer that cannot be used."""
    whole = b"%04d0065%03d         " % (20 + len(content), revision) + content + b"\0"
    if how == "no length":
        return b"0000" + whole[4:]
    if how == "no number for its length":
        return b"12x4" + whole[4:]
    if how == "short":
        return b"00250065%03d         abcde\0" % revision
    return whole[:20] + b"#" * len(content) + b"\0"


@pytest.mark.parametrize(
    ("how", "missed"), each_choice(["no length", "no number for its length", "short", "no field"], [0, 5])
)
def test_answers_that_cannot_be_used_are_told_while_it_is_asked_again(monkeypatch, how, missed):
    cart = Cart(toolsnet=None).until_ready(2000)
    cart.produce(2, 1000)
    cart.settle()
    bad = True
    say_old = ControllerSession._say_old
    asked = []

    def say(session, result, revision, spindle=None):
        asked.append(cart.clock.now)
        if not bad:
            return say_old(session, result, revision, spindle)
        session.deliver(answer_of(how, frames.old_result_data(result, revision, session.options.pad, ()), revision))
        return None

    monkeypatch.setattr(ControllerSession, "_say_old", say)
    cart.miss(missed, 1000)
    for _ in range(120):
        cart.run(1000)
        needs, lines = fetching_needs(cart)
        if needs:
            break
    assert [need.level for need in needs] == [attention.NOTE] and "NOT FETCHED" in lines and len(asked) < 10
    assert "brought no usable answer" in lines
    bad = False
    cart.run(60000)
    cart.produce(1, 1000)
    cart.run(120000)
    assert fetching_needs(cart)[0] == [] and len(cart.stored_ids()) == 3 + missed, "no alarm stays"


def test_one_answer_that_does_not_come_needs_no_word(monkeypatch):
    cart = Cart(toolsnet=None).until_ready(2000)
    cart.produce(2, 1000)
    cart.settle()
    monkeypatch.setattr(ControllerSession, "_say_old", lambda *one: None)
    cart.miss(1, 1000)
    cart.run(12000)
    assert fetching_needs(cart)[0] == []
