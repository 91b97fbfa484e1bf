"""A whole cart with ToolsNet and a broker: each has every result, and neither waits for the other."""

from host_tests.support.mqtt import BROKER, SETTINGS
from tools.harness.cart import PIM, SERVER, Cart
from tools.sim.mqtt import Broker, Consumer

PORTABLE = True
HEAP = "4m"


class MqttCart(Cart):
    """A cart as a board is given its configuration: completed."""

    def __init__(self):
        Cart.__init__(self, on=False)
        self.broker = Broker()
        self.consumer = Consumer(self.broker)
        self.network.listen(BROKER[0], BROKER[1], self.broker.endpoint)
        self.configuration["stations"][0]["outlets"] = [{"kind": "toolsnet"}, dict(SETTINGS)]
        self.boot()

    def produce(self, count):
        for _ in range(count):
            self.controller.produce()
            self.run(100)

    def consumed(self):
        return [int(record["tightening_id"]) for _, _, record in self.consumer.records]


def test_both_have_every_result_whatever_becomes_of_the_other():
    cart = MqttCart()
    cart.until_ready()
    cart.produce(5)
    cart.until_quiet()
    cart.until(lambda: len(cart.consumed()) == 5)
    for address in (PIM, SERVER):
        cart.network.down(*address)
    cart.produce(5)
    cart.until(lambda: len(cart.consumed()) == 10)
    assert len(cart.ids()) == 5
    for address in (PIM, SERVER):
        cart.network.up(*address)
    cart.network.down(*BROKER)
    cart.produce(5)
    cart.until_quiet()
    assert len(cart.consumed()) == 10
    cart.cut()
    cart.network.up(*BROKER)
    cart.produce(5)
    cart.until_quiet()
    cart.until(lambda: len(cart.consumed()) == 20)
    assert cart.consumed() == cart.ids() and cart.broker.complaints == []


def test_it_leaves_the_broker_in_order():
    cart = MqttCart()
    cart.until_ready()
    cart.produce(3)
    cart.until(lambda: len(cart.consumed()) == 3)
    cart.app.stop(cart.clock.now)
    cart.until(cart.app.stopped)
    cart.app.close()
    state = cart.broker.retained["toolcart/p/l/10/state"]
    assert b'"online":false' in state and b"stopped" in state
