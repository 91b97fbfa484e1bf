"""Where the outlets are is durable once nothing moves, and nothing is written after that."""

from toolcart.agent.base.ticks import ticks_add
from toolcart.tools.process.idle_save import LOOK_MS, IdleSave
from host_tests.support.world import Cart


def idle(cart, looks):
    """Nothing happens for so many looks; return how often the spool was written."""
    before = cart.device.programs
    saver = IdleSave(cart.app.stations, cart.clock.now)
    for look in range(1, looks + 1):
        saver.on_turn(ticks_add(cart.clock.now, look * LOOK_MS))
    return cart.device.programs - before


def unsaved(cart):
    state = cart.station.state
    return [cursor.number - state.durable[cursor.slot] for cursor in cart.station.log.cursors]


def test_what_was_delivered_last_is_durable_once_nothing_moves_any_more():
    cart = Cart(toolsnet={})
    cart.settle(20000)
    cart.produce(5, 1000)
    cart.settle(20000)
    assert cart.stored_ids() == cart.controller.produced and unsaved(cart)[0] > 0
    assert idle(cart, 1) == 0 and unsaved(cart)[0] > 0
    assert idle(cart, 10) == 1 and unsaved(cart) == [0]
    cart.cut()
    cart.run(1000)
    assert cart.station.log.cursors[0].number == 5


def test_nothing_is_written_while_records_come():
    cart = Cart(toolsnet={})
    cart.settle(20000)
    saver = IdleSave(cart.app.stations, cart.clock.now)
    for _ in range(20):
        cart.produce(1, 1000)
        before = cart.device.programs
        saver.on_turn(ticks_add(cart.clock.now, LOOK_MS))
        assert cart.device.programs == before
