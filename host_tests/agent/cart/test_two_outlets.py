"""A whole cart with ToolsNet and a broker: each has every result, and neither waits for the other."""

from toolcart.agent.cart.led import NO_OUTLET, RUNNING, code_of
from toolcart.agent.cart.status import snapshot
from toolcart.agent.quarantine.orders import of_station
from host_tests.support.mqtt import BROKER, SETTINGS
from lab.harness.cart import Cart
from lab.harness.mqtt_broker import Broker, Consumer

PORTABLE = True
HEAP = "4m"


class MqttCart(Cart):
    """A cart as a board is given its configuration: completed. `alone`: without ToolsNet."""

    def __init__(self, alone=False):
        Cart.__init__(self, on=False)
        self.broker = Broker()
        self.consumer = Consumer(self.broker)
        self.network.listen(BROKER[0], BROKER[1], self.broker.endpoint)
        self.configuration["stations"][0]["outlets"] = [{"kind": "toolsnet", "name": "toolsnet"}, dict(SETTINGS)][
            alone:
        ]
        if alone:
            self.configuration["toolsnet"] = None
        self.boot()

    def consumed(self):
        return [int(record["tightening_id"]) for _, _, record in self.consumer.records]


def test_without_toolsnet_the_broker_is_all_there_is():
    cart = MqttCart(alone=True).until_ready()
    cart.produce(5, 100)
    cart.until(lambda: len(cart.consumed()) == 5)
    cart.network.down(*BROKER)
    cart.produce(5, 100)
    assert code_of(cart.app.stations, True) == NO_OUTLET
    cart.cut()
    cart.network.up(*BROKER)
    cart.until(lambda: len(cart.consumed()) == 10)
    cart.until(lambda: cart.station.log.backlog_of(cart.station.log.cursors[0]) == 0)
    (station,) = snapshot(cart.app)["stations"]
    assert [outlet["kind"] for outlet in station["outlets"]] == ["mqtt"] and station["backlog"] == 0
    assert "parked" not in station and "delivered" not in station and station["stored"] == 10
    assert cart.station.quarantine is None
    cart.until(lambda: code_of(cart.app.stations, True) == RUNNING)
    (line,) = of_station(cart.station, cart.board, ["list"])
    assert line["error"].startswith("ToolsNet is not among the outlets of station 10")
    assert cart.ids() == [] and cart.toolsnet.complaints == [] and cart.broker.complaints == []


def test_it_leaves_the_broker_in_order():
    cart = MqttCart().until_ready()
    cart.produce(3, 100)
    cart.until(lambda: len(cart.consumed()) == 3)
    cart.app.stop(cart.clock.now)
    cart.until(cart.app.stopped)
    cart.app.close()
    state = cart.broker.retained["toolcart/1/10/state"]
    assert b'"online":false' in state and b"stopped" in state
