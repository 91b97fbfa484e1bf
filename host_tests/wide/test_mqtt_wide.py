"""MQTT as Linux has it: events and curves as topics of their own, and settings that their form does not show."""

import pytest

from toolcart.agent.cart import config
from toolcart.agent.wide import mqtt
from host_tests.support.mqtt import BROKER, SETTINGS
from lab.harness.cart import Cart
from lab.harness.mqtt_broker import Broker, Consumer


def started(**outlet):
    settings = {"controller": {"traces": ["torque", "angle"]}, "spool": {"graphs_kib": 64, "size_kib": 256}}
    settings["station"] = {"outlets": [{"kind": "toolsnet"}, {"kind": "mqtt", "host": BROKER[0], **outlet}]}
    cart = Cart(controller={"traces": (1, 2, 3), "max_clients": 9}, settings=settings, blocks=40)
    cart.broker = Broker()
    cart.consumer = Consumer(cart.broker)
    cart.network.listen(*BROKER, cart.broker.endpoint)
    cart.until_ready()
    cart.run(2000)
    return cart


def test_events_and_curves_have_topics_of_their_own():
    cart = started(graphs=True)
    cart.controller.raise_alarm("E404")
    for _ in range(3):
        cart.controller.produce()
        cart.run(1000)
    cart.run(60000)
    assert [int(record["tightening_id"]) for _, _, record in cart.consumer.records] == cart.ids() == [1, 2, 3]
    assert [alarm["code"] for alarm in cart.broker.alarms] == ["E404"]
    curves = [(int(one["tightening_id"]), one.get("curve") or one["type"]) for one in cart.broker.curves]
    assert curves == [(ident, what) for ident in (1, 2, 3) for what in ("torque", "angle", "plot parameters")]
    assert cart.broker.complaints == []
    station = cart.station
    assert station.log.waits(station.log.cursors[1]) == 0 and station.graphs.waits(station.graphs.cursors[1]) == 0


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"password": "x"}, "user"),
        ({"topic": "a/+/b"}, "topic"),
        ({"topic": "a/{cell}"}, "topic"),
        ({"tls_key": "k.pem"}, "tls_key"),
    ],
)
def test_what_settings_cannot_mean_is_said(changes, key):
    settings = {**SETTINGS, "tls_name": None, "tls_certificate": None, "tls_key": None, **changes}
    assert [found for found, _ in mqtt.wrong(settings)] == [key]


def test_two_stations_may_not_have_one_topic():
    outlets = [{"kind": "toolsnet"}, {"kind": "mqtt", "host": "b", "topic": "all"}]
    stations = [
        {"number": one, "controller": {"host": f"c{one}"}, "spool": {"path": f"s{one}"}, "outlets": outlets}
        for one in (1, 2)
    ]
    tree = {"toolsnet": {"pim_host": "p", "pim_port": 1}, "stations": stations}
    assert [mistake[2] for mistake in config.check(tree)] == ["a topic of its own for each station"]
    outlets[1]["topic"] = "all/{station}"
    assert config.check(tree) == []
