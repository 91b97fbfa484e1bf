"""Octets that are no message, around the messages of a controller: the station goes on, and says so."""

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol import session_states
from host_tests.support.frames import light
from host_tests.support.world import Cart
from lab.harness.cart import CONTROLLER

PORTABLE = True
HEAP = "4m"


def cart_with(change, **options):
    """Return a cart whose controller's pieces of output are changed on their way."""
    cart = Cart(controller=dict({"max_clients": 9}, **options), blocks=24)
    real = cart.controller.endpoint

    def endpoint():
        session = real()
        outgoing = session.outgoing
        session.outgoing = lambda: change(outgoing())
        return session

    cart.network.listen(CONTROLLER[0], CONTROLLER[1], endpoint)
    return cart


def each_message(octets, change):
    """Return the octets with each message changed; it is given with its NUL."""
    changed = b""
    while octets:
        end = int(octets[:4]) + 1
        changed += change(octets[:end])
        octets = octets[end:]
    return changed


def test_a_controller_that_sends_octets_around_each_message_is_served():
    for change in (
        lambda octets: octets + b"\r\n",
        lambda octets: octets + b" " * 10,
        lambda octets: octets + b"2026-09-22:06:55:20\0",
        lambda octets: octets + b"430000044\0",
        lambda octets: octets + b"XYZ",
        lambda octets: b"log: tightening done\r\n" + octets,
    ):
        cart = cart_with(lambda octets, change=change: each_message(octets, change)).settle()
        cart.produce(3, 50)
        cart.network.cut(CONTROLLER[0], CONTROLLER[1])
        cart.produce(3, 50)
        cart.settle()
        assert cart.stored_ids() == cart.controller.produced == [1, 2, 3, 4, 5, 6]
        assert cart.counted(counter.CONTROLLER_LOSSES) == 1 and cart.counted(counter.CONTROLLER_CONNECTS) == 2
        assert cart.counted(counter.CONTROLLER_MALFORMED) > 5
        logged = [one[1:] for one in cart.station.counters.log.entries()]
        assert logged.count((counter.CONTROLLER_MALFORMED, 0)) == 2  # once for each connection


def test_a_wrong_length_stops_no_result():
    for by in (-8, -5, -3, 10):

        def change(octets, by=by):
            return b"%04d" % (int(octets[:4]) + by) + octets[4:] if octets[4:8] == b"0061" else octets

        cart = cart_with(lambda octets, change=change: each_message(octets, change)).settle()
        cart.produce(3, 1500)
        cart.run(10000)
        assert len(cart.stored_ids()) + len(cart.raw()) == 3, by
        assert cart.controller.messages[62] == 3 and cart.counted(counter.CONTROLLER_LOSSES) == 0, by


def test_what_is_durable_is_acknowledged_before_the_connection_ends():
    cart = Cart(controller={"max_clients": 9}, blocks=24).settle()
    cart.controller.inject(light(tightening_id=1) + b"\0" + b"A" * 12000)
    cart.run(500)
    assert cart.counted(counter.STORED) == 1 and cart.counted(counter.CONTROLLER_LOSSES) == 1
    assert cart.controller.messages[62] == 1


def test_connections_that_end_again_without_a_result_come_after_longer_and_longer_pauses():
    cart = Cart(controller={"max_clients": 9}, blocks=24).settle()

    def connects_in(ms):
        before = cart.counted(counter.CONTROLLER_CONNECTS)
        for _ in range(ms // 500):
            if cart.station.session.state == session_states.READY:
                cart.controller.inject(b"A" * 12000)
            cart.run(500)
        return cart.counted(counter.CONTROLLER_CONNECTS) - before

    connects_in(120000)
    assert connects_in(120000) <= 4
    cart.run(60000)
    cart.produce(1, 50)
    cart.run(1000)
    assert cart.stored_ids() == [1]
    assert connects_in(2500) >= 1  # it has brought a result: the pauses begin anew
