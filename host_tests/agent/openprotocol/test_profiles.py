"""The whole agent at every controller that `toolcart simulate controller --profile` can be.

Twenty results are pushed, ten more are made in an outage, some after it. All of them reach
the archive once and in order, and no result stays raw.
"""

from toolcart.agent.link.header_layouts import HEADERS
from toolcart.agent.openprotocol.recovery_phases import PHASE_OFF
from toolcart.base.clock import SimClock
from toolcart.sim.controller import Controller, ControllerOptions
from toolcart.sim.profiles import names, profile_options
from host_tests.portable import error_of
from host_tests.support.world import CONTROLLER, Cart

PORTABLE = True
HEAP = "8m"

PUSHED = 20
MISSED = 10
AFTER = 2


def cart_of(name, **changed):
    settings = {"controller": {"header": name}} if name in HEADERS else {}
    return Cart(toolsnet={}, controller=profile_options(name, **changed), settings=settings)


def shifts(cart):
    """The shift that every profile is tried with."""
    cart.settle()
    cart.produce(PUSHED, 200)
    cart.settle()
    cart.network.down(*CONTROLLER)
    cart.run(20000)
    cart.produce(MISSED, 200)
    cart.network.up(*CONTROLLER)
    cart.settle()
    cart.produce(AFTER, 200)
    return cart


def agrees(cart):
    """Everything of ours is in the archive once, in order, and nothing else; no one complained."""
    cart.settle(3600000)
    cart.until_quiet(3600000)
    assert cart.ids() == cart.controller.produced, cart.counts()
    assert cart.archive.out_of_order == 0 and cart.raw() == []
    assert cart.station.ledger.gone() == 0
    cart.clean()


def test_power_focus_6000_is_subscribed_in_what_it_knows():
    for name in ("power-focus-6000-2.8", "power-focus-6000-3.6"):
        cart = cart_of(name).settle()
        session = cart.station.session
        assert bytes(session.identity[41:51]) == b"0000000001"
        assert cart.controller.sessions[0].result_revision == 3
        cart.produce(3, 200)
        agrees(cart)
        assert cart.station.recovery.revision() == 7  # which says whose an answer is


def test_slot_that_a_cut_connection_keeps_is_waited_for():
    cart = cart_of("power-focus-6000-3.6").settle()
    cart.produce(3, 200)
    started = cart.controller.messages[1]
    cart.cut()
    cart.run(5000)
    assert not cart.is_ready() and cart.controller.messages[1] > started
    cart.produce(3, 200)
    cart.ready()
    agrees(cart)


def test_controller_that_keeps_nothing_loses_what_outage_took_and_agent_counts_it():
    cart = shifts(cart_of("minimal"))
    cart.settle()
    cart.run(60000)
    produced = cart.controller.produced
    assert cart.ids() == produced[:PUSHED] + produced[PUSHED + MISSED :]
    assert cart.station.recovery.phase == PHASE_OFF and cart.raw() == []
    assert cart.station.ledger.gone() == MISSED
    cart.clean()


def test_powermacs_gives_every_result_in_order():
    cart = shifts(cart_of("powermacs"))
    agrees(cart)
    assert 60 not in cart.controller.messages and 64 not in cart.controller.messages


def test_stepsync_gives_every_result_once_but_the_newest_of_an_outage_first():
    cart = shifts(cart_of("stepsync"))
    cart.settle(3600000)
    cart.until_quiet(3600000)
    produced = cart.controller.produced
    newest = produced[PUSHED + MISSED - 1]
    assert cart.ids() == produced[:PUSHED] + [newest] + [one for one in produced[PUSHED:] if one != newest]
    assert cart.raw() == [] and cart.station.ledger.gone() == 0
    cart.clean()


def test_every_controller_counts_what_the_agent_acknowledges_in_whatever_way():
    for name in names():
        cart = cart_of(name).settle()
        cart.produce(3, 200)
        cart.settle()
        assert cart.controller.acknowledged == cart.controller.produced, name
        cart.clean()


def test_every_profile_is_made_of_known_options():
    for name in names():
        controller = Controller(SimClock(), ControllerOptions(**profile_options(name)))
        for _ in range(40):
            controller.produce()
        assert len(controller.produced) == 40
    assert profile_options("nexo", identity={"cell": 4}, window=2)["identity"]["cell"] == 4
    error_of(lambda: profile_options("nix"), ValueError)
    error_of(lambda: ControllerOptions(identity={"x": 1}), ValueError)
