"""With `results: operations` MID 1201 is asked for first, where a fixtured system pushes MID 0061 too."""

import pytest

import toolcart
from toolcart.agent.openprotocol import session_states
from toolcart.sim.profiles import profile_options
from toolcart.tools.doctor.controller import over_tcp
from lab.harness.cart import Cart

FIXTURE = profile_options("stepsync", unknown_mids=(), objects=3)  # since software 3.10 it has MID 0060 too


def cart_at(results, **options):
    cart = Cart(controller=options, settings={"controller": {"results": results}}, blocks=24)
    station = cart.station
    cart.until(lambda: station.session is not None and station.session.state == session_states.READY, 120000)
    return cart


def examined(results, **options):
    """What doctor says of results at such a controller."""
    with toolcart.simulated.controller(**options) as simulated:
        settings = {"host": simulated.host, "port": simulated.port, "start_revisions": [6], "result_revisions": [3, 2]}
        findings = over_tcp("station 1", {**settings, "results": results})
    return next(one for one in findings if "results are pushed" in one.words)


def test_operations_are_asked_for_first_and_hold_all_bolts():
    cart = cart_at("operations", **FIXTURE)
    cart.produce(2, 4000)
    assert 60 not in cart.controller.messages and cart.ids() == [1, 2]
    cart.cut()
    cart.run(30000)
    cart.produce(1, 4000)
    assert 60 not in cart.controller.messages and cart.ids() == [1, 2, 3]


def test_auto_asks_for_mid_0060_first_as_before():
    cart = cart_at("auto", **FIXTURE)
    assert cart.controller.messages.get(60) and 8 not in cart.controller.messages


@pytest.mark.parametrize("more", [{}, {"ends_refused": {0: 0}}, {"refuse": {8: 97}}, {"refuse": {8: 99}}])
def test_where_mid_1201_is_rejected_results_come_by_mid_0060(more):
    cart = cart_at("operations", **more)
    cart.produce(2, 4000)
    assert cart.controller.messages.get(60) and cart.ids() == [1, 2]


def test_what_was_missed_is_fetched():
    cart = cart_at("operations", **FIXTURE)
    cart.produce(1, 4000)
    cart.network.down("cart0", 4545)
    cart.produce(3, 4000)
    cart.network.up("cart0", 4545)
    cart.run(120000)
    assert sorted(cart.ids()) == [1, 2, 3, 4]  # the newest first: revision 1 does not say what it answers


def test_doctor_says_where_both_ways_are_known():
    both = examined("auto", **FIXTURE)
    assert "it offers MID 1201 as well" in both.words and 'controller.results to "operations"' in both.hint
    assert "results are pushed by MID 1201" in examined("operations", **FIXTURE).words
    single = examined("auto", **profile_options("power-focus-6000-3.6", max_clients=9))
    assert "1201" not in single.words and not single.hint
