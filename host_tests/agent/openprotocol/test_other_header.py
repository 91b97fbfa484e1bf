"""Answers whose headers are laid out otherwise than asked begin no session, and the setting is named."""

import pytest

import toolcart
from toolcart.agent.cart.status import of_station
from toolcart.client import ConnectionLost
from toolcart.sim import profiles
from toolcart.tools.messages.reasons import of_controller
from lab.harness.cart import Cart

USUAL = 'controller.header out, or set it to "standard"'
FIRST = 'controller.header to "op-ford" or "op-bmw"'


def controller_status(name, setting, **more):
    """What status says of a controller of this profile where this header is configured, and the cart."""
    cart = Cart(
        controller=profiles.profile_options(name, **more), settings={"controller": {"header": setting}}, blocks=24
    )
    cart.run(30000)
    controller = of_station(cart.station, cart.clock.now)["controller"]
    return controller, of_controller(controller), cart


@pytest.mark.parametrize("name", ["power-focus-4000", "nexo", "minimal", "mt-focus-6000", "desoutter"])
@pytest.mark.parametrize("header", ["op-ford", "op-bmw"])
def test_usual_answers_where_another_header_is_set_are_reported(name, header):
    state, reason, cart = controller_status(name, header)
    assert state["why"] == "other header" and "controller.header" in reason.words and USUAL in reason.hint
    cart.produce(1, 5000)
    assert cart.ids() == []


@pytest.mark.parametrize("name", ["op-ford", "op-bmw"])
@pytest.mark.parametrize("spindle", ["00", "07", "42"])
def test_answers_with_the_spindle_first_are_reported(name, spindle):
    state, reason, _ = controller_status(name, "standard", spindle=spindle)
    assert state["why"] == "other header" and FIRST in reason.hint


def test_every_profile_is_served_with_its_own_header():
    for name in profiles.names():
        for style in ("digits", "blank", "zero", "parts"):
            own = profiles.PROFILES[name].get("header", "standard")
            options = {} if own.startswith("op-") else {"header": style}
            state, _, _ = controller_status(name, own if own.startswith("op-") else "standard", **options)
            assert state["state"] == "ready", (name, style)


def test_a_client_says_which_option_it_is():
    with toolcart.simulated.controller(header="op-ford") as simulated:
        with pytest.raises(ConnectionLost, match="option `header`"):
            with toolcart.connect_blocking(simulated.host, simulated.port, timeout=3):
                pass
