"""Outlets as Linux has them: MQTT with events and curves, and one whose secret is missing until it is there."""

from types import SimpleNamespace

import pytest

from toolcart.agent.base.counters import OUTLET_FAILED, Counters
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.cart import config
from toolcart.agent.linux import mqtt_settings
from toolcart.agent.linux.awaiting_secret import RETRY_MS, AwaitingSecret
from toolcart.agent.log.snapshot_fields import DAMAGED, OVERWRITTEN
from toolcart.tools.config.secrets import PendingSecrets
from host_tests.support.graphs import cart_with_curves
from host_tests.support.mqtt import BROKER, SETTINGS
from lab.harness.cart import Cart
from lab.harness.mqtt_broker import Broker, Consumer


class Made:
    """What an outlet does once it is there."""

    port = SimpleNamespace()

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *given: self.calls.append((name, *given))

    def step(self, now):
        return 77


@pytest.fixture
def awaiting(tmp_path):
    settings = {"kind": "mqtt", "host": "broker", "port": 1883, "user": "u", "password": "*" * 9}
    settings |= {"topic": "t", "tls_ca": None}
    settings["awaits"] = PendingSecrets(tmp_path, settings)
    settings["awaits"].add("password", {"file": "secret"})
    watched = []
    board = SimpleNamespace(watch=lambda port, slot: watched.append((port, slot)))
    station = SimpleNamespace(counters=Counters(), board=board, settings={"spool": {}}, outlets=[None, None])
    made = []

    def make(its, whose, index):
        assert whose.settings == {"spool": {}} and index == 1 and its["password"] == "geheim"
        made.append(Made())
        return made[0]

    outlet = AwaitingSecret(station, 1, settings, make)
    station.settings = None  # the station forgets them once everything is put together
    station.outlets[1] = outlet
    secret = tmp_path / "secret"
    return SimpleNamespace(outlet=outlet, secret=secret, made=made, watched=watched, station=station)


def test_it_tries_again_and_says_why_until_the_secret_is_there(awaiting):
    outlet, status = awaiting.outlet, {}
    outlet.begin(0)
    outlet.attach("scheduler", 5)
    for count in range(1, 4):
        assert outlet.step(count * RETRY_MS) == RETRY_MS and outlet.attempts == count
    assert awaiting.station.counters.counts[OUTLET_FAILED] == 3 and awaiting.station.counters.log.logged == 1
    outlet.put_state(status)
    expected = f"password: found {awaiting.secret}: No such file or directory; expected a file that can be read"
    assert status["place"] == "mqtt://broker:1883"
    assert status["why"] == expected
    assert not outlet.is_up() and outlet.may_stop(0) and not outlet.needs_operator() and awaiting.made == []

    awaiting.secret.write_text("geheim\n")
    awaiting.secret.chmod(0o600)
    assert outlet.step(40000) == 0
    made = awaiting.made[0]
    assert awaiting.watched == [(made.port, 5)] and made.calls == [("begin", 40000), ("attach", "scheduler", 5)]
    assert awaiting.station.outlets == [None, made]
    assert outlet.step(40001) == 77 and outlet.attempts == 4
    outlet.reset_after_fault(40002)
    assert made.calls[2:] == [("reset_after_fault", 40002)]


def test_an_orderly_end_makes_no_outlet(awaiting):
    awaiting.outlet.begin_shutdown(0)
    awaiting.secret.write_text("geheim\n")
    awaiting.secret.chmod(0o600)
    assert awaiting.outlet.step(0) == FOREVER and awaiting.made == []
    awaiting.outlet.stop()


def started(*others, **outlet):
    outlets = [{"kind": "mqtt", "host": BROKER[0], **settings} for settings in (outlet, *others)]
    outlets = [{"name": f"m{index}" if index else "mqtt", **one} for index, one in enumerate(outlets)]
    settings = {"station": {"outlets": [{"kind": "toolsnet"}, *outlets]}}
    cart = cart_with_curves(settings=settings)
    cart.broker = Broker()
    cart.consumer = Consumer(cart.broker)
    cart.network.listen(*BROKER, cart.broker.endpoint)
    cart.run(3000)
    return cart


def test_events_and_curves_have_topics_of_their_own():
    cart = started(graphs=True)
    cart.controller.raise_alarm("E404")
    cart.produce(3, 1000)
    cart.run(60000)
    assert [int(record["tightening_id"]) for _, _, record in cart.consumer.records] == cart.ids() == [1, 2, 3]
    assert [alarm["code"] for alarm in cart.broker.alarms] == ["E404"]
    curves = [(int(one["tightening_id"]), one.get("curve") or one["type"]) for one in cart.broker.curves]
    assert curves == [(ident, what) for ident in (1, 2, 3) for what in ("torque", "angle", "plot parameters")]
    assert cart.broker.complaints == []
    station = cart.station
    assert (
        station.log.backlog_of(station.log.cursors[1]) == 0
        and station.graphs.backlog_of(station.graphs.cursors[1]) == 0
    )


BESIDE_MQTT = {"station": {"outlets": [{"kind": "toolsnet"}, {"kind": "mqtt", "name": "mqtt", "host": BROKER[0]}]}}


def without_toolsnet(spool):
    """A cart with a broker, and with a ToolsNet that is away."""
    cart = Cart(settings={**BESIDE_MQTT, "spool": spool}, blocks=10)
    cart.broker = Broker()
    cart.consumer = Consumer(cart.broker)
    cart.network.listen(*BROKER, cart.broker.endpoint)
    cart.run(3000)
    cart.refuse(True)
    return cart


def raise_alarms(cart, count):
    """So many alarms, while ToolsNet is away and takes no event anyway."""
    begin = len(cart.broker.alarms)
    for number in range(begin, begin + count):
        cart.controller.raise_alarm(f"E{number:03d}")
        cart.run(200)
    cart.run(20000)
    assert len(cart.broker.alarms) == begin + count


@pytest.mark.parametrize("when_full", ["refuse", "overwrite"])
@pytest.mark.parametrize("cuts", [0, 1])
def test_events_that_toolsnet_does_not_want_fill_no_spool_while_it_is_away(when_full, cuts):
    cart = without_toolsnet({"when_full": when_full})
    raise_alarms(cart, 300)
    for _ in range(cuts):
        cart.cut()
        cart.boot()
        cart.run(60000)
        raise_alarms(cart, 300)
    log = cart.station.log
    assert log.number >= 300 and max(log.backlog_of(cursor) for cursor in log.cursors) <= 1
    cart.produce(3, 1000)
    cart.run(20000)
    assert len(cart.controller.acknowledged) == 3
    raise_alarms(cart, 1)
    assert log.backlog_of(log.cursors[0]) > 3  # behind a result they wait with it
    cart.refuse(False)
    cart.run(120000)
    assert cart.ids() == [1, 2, 3]
    assert log.state.numbers[OVERWRITTEN] == log.state.numbers[DAMAGED] == 0


def test_what_is_damaged_is_passed_only_with_an_08():
    """What was out before a start may be what is damaged: it is counted where that is known."""
    cart = without_toolsnet({})
    raise_alarms(cart, 3)
    log = cart.station.log
    cursor = log.cursors[0]
    cart.run(1000)
    before = cursor.number
    log.next += 1  # as if one lacked
    raise_alarms(cart, 3)
    assert cursor.number == before + 1 and log.state.numbers[DAMAGED] == 0
    cart.refuse(False)
    cart.run(60000)
    assert log.backlog_of(cursor) == 0


def test_two_outlets_of_a_station_at_one_broker_do_not_end_each_others_connection():
    cart = started({"topic": "umh/{station}", "confirm": "broker"}, {"topic": "third"})
    before = list(cart.broker.sessions)
    assert len(before) == 3
    cart.produce(3, 1000)
    cart.run(60000)
    assert cart.broker.sessions == before and {len(one.client) for one in before} == {13, 16}
    assert len(cart.consumer.have) == 3 and set(cart.consumer.have.values()) == {3}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"password": "x"}, "user"),
        ({"topic": "a/+/b"}, "topic"),
        ({"topic": "a/{cell}"}, "topic"),
        ({"tls_key": "k.pem"}, "tls_key"),
    ],
)
def test_what_settings_cannot_mean_is_reported(changes, key):
    settings = {**SETTINGS, "tls_name": None, "tls_certificate": None, "tls_key": None, **changes}
    assert [name for name, _ in mqtt_settings.wrong(settings)] == [key]


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
