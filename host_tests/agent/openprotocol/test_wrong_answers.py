"""A controller that answers, only not as it should, is not said to be silent: what came is named."""

import pytest

from toolcart.agent.cart.status import of_station
from toolcart.sim.controller_session import ControllerSession
from toolcart.tools.messages.reasons import of_controller
from lab.harness.cart import Cart

WRONG = {
    "another MID": (b"00200030001         ", "MID 0030"),
    "a rejection of another": (b"00260004001         004297", "MID 0004"),
    "a yes to another": (b"00240005001         0042", "MID 0005"),
    "a yes to a number that is none": (b"00240005001         ABCD", "MID 0005"),
    "a length that is too long": (b"00990002001         010001", "does not end"),
    "half a header": (b"00570002", "does not end"),
}


def controller_status(monkeypatch, mid, frame, options=None):
    """What status says where this frame is the answer to a request."""

    def answer(session, request, *rest, answer=ControllerSession._answer):
        if request == mid:
            session.send(frame + b"\0" if frame[:4] == b"%04d" % len(frame) else frame)
        else:
            answer(session, request, *rest)

    monkeypatch.setattr(ControllerSession, "_answer", answer)
    cart = Cart(blocks=24, controller=options or {})
    cart.run(30000)
    controller = of_station(cart.station, cart.clock.now)["controller"]
    return controller, of_controller(controller)


@pytest.mark.parametrize("mid", [1, 60])
@pytest.mark.parametrize("how", WRONG)
def test_what_came_in_place_of_an_answer_is_named(monkeypatch, how, mid):
    frame, named = WRONG[how]
    state, reason = controller_status(monkeypatch, mid, frame)
    assert state["why"] == "no usable answer", (how, state, reason)
    assert named in reason.words and f"MID {mid:04d}" in reason.words, reason
    assert "does not answer" not in reason.text() and "accepted the connection" not in reason.text()


def test_nothing_at_all_is_still_a_silence(monkeypatch):
    state, reason = controller_status(monkeypatch, 1, b"")
    assert state["why"] == "silence" and "does not answer MID 0001" in reason.words


@pytest.mark.parametrize("data", [b"9", b" 9", b"9 ", b"09", b"00019", b"0001 9", b"00019 "])
def test_code_of_one_digit_is_read(monkeypatch, data):
    frame = b"%04d0004001         " % (20 + len(data)) + data
    state, reason = controller_status(monkeypatch, 1, frame)
    assert state["why"] == "no revision accepted" and state["why_code"] == 9, (data, state, reason)
