"""A log that a test fills, the MQTT outlet, a simulated broker and consumer, on one simulated clock."""

from toolcart.agent.link.flash_window import FlashWindow
from toolcart.agent.outlets.mqtt import Mqtt, make
from host_tests.support.toolsnet import NUMBER, SecondOutlet
from lab.harness.mqtt_broker import Broker, Consumer

PORTABLE = True

BROKER = ("broker", 1883)
SETTINGS = {
    "kind": "mqtt",
    "name": "mqtt",
    "host": "broker",
    "port": 1883,
    "user": None,
    "password": None,
    "topic": "toolcart/{system}/{station}",
    "confirm": "consumer",
    "durable": True,
    "graphs": False,
    "tls_ca": None,
}
TOPIC = "toolcart/1/10"
LIMITS = {"records_most": 8, "window": 2}  # of the outlet's class: less than its own


class SteadyLink:
    """A controller's link on which nothing is said."""

    def quiet(self, ms):
        return True


class MqttBench(SecondOutlet):
    """One station's MQTT outlet."""

    places = (BROKER,)
    number = NUMBER
    outlets = ()

    def __init__(self, wide=False, make_port=None, limits=None, blocks=24, **settings):
        self.wide = wide
        self.limits = dict(LIMITS, **(limits or {}))
        self.mqtt_settings = dict(SETTINGS, **settings)
        self.durable = self.mqtt_settings["durable"]
        self.events = (1,) if wide else ()
        self.broker = Broker()
        self.consumer = Consumer(self.broker)
        self.flash_window = FlashWindow(SteadyLink())
        SecondOutlet.__init__(self, blocks=blocks, make_port=make_port, spool={"owner": (3, 1, NUMBER)})

    def make_outlet(self):
        self.network.listen(BROKER[0], BROKER[1], self.broker.endpoint)
        if not self.wide:
            return make(self.mqtt_settings, self, 1, type("Limited", (Mqtt,), self.limits))
        from toolcart.agent.linux.mqtt import ExtendedMqtt
        from toolcart.agent.linux.mqtt_settings import make as make_wide

        self.graphs = self.area.graphs
        return make_wide(self.mqtt_settings, self, 1, type("Limited", (ExtendedMqtt,), self.limits))

    def tcp(self):
        self.port = SecondOutlet.tcp(self)
        return self.port

    def numbers(self):
        """Return the numbers that the consumer has, in order of arrival."""
        return [number for _, number, _ in self.consumer.records]

    def ids(self):
        return [int(record["tightening_id"]) for _, _, record in self.consumer.records]

    def until_confirmed(self):
        return self.until(lambda: self.log.backlog_of(self.cursor) == 0)
