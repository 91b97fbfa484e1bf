"""A log that a test fills, the MQTT outlet, a simulated broker and consumer, on one simulated clock."""

from toolcart.agent.base.health import Health
from toolcart.agent.link.quiet import Quiet
from toolcart.agent.outlets.mqtt import Mqtt, make
from host_tests.support.toolsnet import NUMBER, Outlet
from lab.harness.mqtt_broker import Broker, Consumer

PORTABLE = True

BROKER = ("broker", 1883)
SETTINGS = {
    "kind": "mqtt",
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


class MqttBench(Outlet):
    """One station's MQTT outlet at its second cursor; ToolsNet takes nothing and keeps nothing."""

    def __init__(self, wide=False, make_port=None, limits=None, **settings):
        self.wide = wide
        self.limits = dict(LIMITS)
        self.limits.update(limits or {})
        self.mqtt_settings = dict(SETTINGS)
        self.mqtt_settings.update(settings)
        self.broker = Broker()
        self.consumer = Consumer(self.broker)
        self.is_linked = False
        Outlet.__init__(self, make_port=make_port)

    def start(self):
        if not self.is_linked:
            self.network.listen(BROKER[0], BROKER[1], self.broker.endpoint)
            self.is_linked = True
        best_effort = (0,) if self.mqtt_settings["durable"] else (0, 1)
        events = (1,) if self.wide else ()
        self.state, self.log = self.area.mount(best_effort, events=events, cursors=2, when_full=self.when_full)
        self.health = Health()
        self.quiet = Quiet(SteadyLink())
        self.board = self
        self.number = NUMBER
        self.cursor = self.log.cursors[1]
        self.settings_of_station = {"spool": {"owner": (3, 1, NUMBER)}}
        self.port = self.make_port(self.network) if self.make_port else self.network.port()
        station = Station(self)
        if self.wide:
            from toolcart.agent.wide.mqtt import WideMqtt
            from toolcart.agent.wide.mqtt import make as make_wide

            station.graphs = self.area.graphs
            self.forward = make_wide(self.mqtt_settings, station, 1, type("Limited", (WideMqtt,), self.limits))
        else:
            self.forward = make(self.mqtt_settings, station, 1, type("Limited", (Mqtt,), self.limits))
        self.forward.begin(self.clock.now)

    def numbers(self):
        """Return the numbers that the consumer has, in order of arrival."""
        return [number for _, number, _ in self.consumer.records]

    def ids(self):
        return [int(record["tightening_id"]) for _, _, record in self.consumer.records]

    def until_confirmed(self):
        return self.until(lambda: self.log.waits(self.cursor) == 0)


class Station:
    """What the outlet is made of."""

    def __init__(self, bench):
        self.log = bench.log
        self.health = bench.health
        self.quiet = bench.quiet
        self.board = Board(bench)
        self.settings = bench.settings_of_station


class Board:
    def __init__(self, bench):
        self.bench = bench

    def tcp(self):
        return self.bench.port
