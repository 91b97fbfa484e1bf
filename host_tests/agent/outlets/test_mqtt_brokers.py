"""The MQTT outlet with real brokers, Mosquitto and amqtt, and the archive as consumer behind them, on the loopback."""

import contextlib
import json
import os
import signal
import sqlite3
import time

import paho.mqtt.client as paho
import pytest

from toolcart.agent.cart.status import why_name
from toolcart.board.linux.tcp import TcpPort
from toolcart.board.linux.tls import TlsPort, context_of
from toolcart.tools.messages import reasons
from host_tests.support.archive import Starter, place_in
from host_tests.support.brokers import Mosquitto, need_amqtt
from host_tests.support.consumers import consuming, until_printed
from host_tests.support.mqtt import MqttBench
from host_tests.support.tls import OURS, THEIRS, certificate_files

LIMIT_S = 60.0
BROKERS = {"mosquitto": lambda: Mosquitto, "amqtt": need_amqtt}
# TLS ends below MQTT: what it does with one broker it does with the other.
ALSO = pytest.mark.long("another broker over TLS")
OVER_TLS = pytest.mark.parametrize("kind", ["mosquitto", pytest.param("amqtt", marks=ALSO)], indirect=True)


@pytest.fixture(params=BROKERS)
def kind(request):
    """The class of one broker."""
    return BROKERS[request.param]()


@pytest.fixture
def broker(kind, tmp_path):
    with kind(tmp_path) as one:
        yield one


def bench_at(broker, make_port=TcpPort, receipt_timeout_ms=2000, blocks=24, **settings):
    settings = {"host": "127.0.0.1", "port": broker.port, **settings}
    limits = {"receipt_timeout_ms": receipt_timeout_ms}
    return MqttBench(wide=True, make_port=lambda network: make_port(), limits=limits, blocks=blocks, **settings)


def run(bench, condition):
    """Let real time pass until it holds."""
    until_s, before_s = time.monotonic() + LIMIT_S, time.monotonic()
    while not condition():
        assert time.monotonic() < until_s, bench.status()
        bench.forward.step(bench.clock.now)
        time.sleep(0.001)
        now_s = time.monotonic()
        bench.clock.advance(int((now_s - before_s) * 1000))
        before_s += int((now_s - before_s) * 1000) / 1000


def is_done(bench):
    return bench.log.backlog_of(bench.cursor) == 0


def stored(place):
    with sqlite3.connect(f"file:{place}?mode=ro", uri=True) as database:
        return [row[0] for row in database.execute('SELECT "TighteningId" FROM "Result" ORDER BY "ResultId"')]


def test_results_reach_archive_once_and_in_order_though_the_broker_is_killed(broker, tmp_path):
    place = place_in(tmp_path)
    with Starter() as starter:
        consumer = starter.start(str(place), f"consumer+{broker.port}")[0]
        try:
            bench = bench_at(broker)
            ids = bench.store(60)
            run(bench, lambda: is_done(bench))
            assert stored(place) == ids and bench.status()["why"] == ""
            broker.kill()
            ids += bench.store(20)
            run(bench, lambda: not bench.forward.is_up())
            broker.start()
            run(bench, lambda: is_done(bench))
            bench.start()  # as after a cut: nothing of the cursor was durable
            ids += bench.store(5)
            run(bench, lambda: is_done(bench))
            assert stored(place) == ids
        finally:
            os.kill(consumer, signal.SIGTERM)


def test_an_orderly_end_is_an_end_for_the_broker_too(broker):
    bench = bench_at(broker, confirm="broker")
    bench.store(10)
    run(bench, lambda: is_done(bench))
    bench.forward.begin_shutdown(bench.clock.now)
    run(bench, lambda: bench.forward.may_stop(bench.clock.now))
    assert bench.forward.session.lost_in == 0, "it was left by a deadline"
    bench.forward.stop()


def bench_over_tls(broker):
    names = {"tls_ca": "ca.pem", "tls_certificate": None, "tls_key": None}
    return bench_at(broker, lambda: TlsPort(lambda: context_of(str(broker.folder), names)), receipt_timeout_ms=500)


@contextlib.contextmanager
def consumed(broker, texts):
    """`toolcart archive consume mqtts://` beside it, once it has said so; its database."""
    place = place_in(broker.folder)
    url = f"mqtts://127.0.0.1:{broker.port}/toolcart/#"
    with consuming(place, url, "--mqtt-ca", broker.folder / "ca.pem") as process:
        until_printed(process, texts)
        yield place


@OVER_TLS
def test_over_tls_the_consumers_commit_moves_the_cursor(kind, tmp_path):
    with kind(tmp_path, certificate_files(tmp_path)) as broker:
        bench = bench_over_tls(broker)
        ids = bench.store(40)
        run(bench, lambda: bench.forward.progress.is_overdue)
        assert bench.log.backlog_of(bench.cursor) == 40, "the broker's PUBACK alone moved it"
        with consumed(broker, "connected, MQTT ") as place:
            run(bench, lambda: is_done(bench))
            assert stored(place) == ids and bench.status()["why"] == ""


@OVER_TLS
@pytest.mark.parametrize(("authority", "name"), [(THEIRS, "127.0.0.1"), (OURS, "broker.example")])
def test_a_broker_whose_certificate_is_anothers_gets_nothing(authority, name, kind, tmp_path):
    with kind(tmp_path, certificate_files(tmp_path, authority, name)) as broker:
        OURS.cert_pem.write_to_path(tmp_path / "ca.pem")
        bench = bench_over_tls(broker)
        bench.store(3)
        run(bench, lambda: bench.forward.fault.why)
        status = {**bench.status(), "why": why_name(bench.forward.fault.why)}
        words = reasons.of_outlet(status).words
        why = "is not signed by tls_ca" if authority is THEIRS else "is for another host"
        assert words.startswith(f"broker 127.0.0.1:{broker.port}: its certificate {why}")
        assert bench.log.backlog_of(bench.cursor) == 3
        with consumed(broker, "certificate verify failed") as place:
            assert stored(place) == []


def test_a_wrong_password_is_named(tmp_path):
    with Mosquitto(tmp_path, options="allow_anonymous false\npassword_file /dev/null") as broker:
        bench = bench_at(broker, user="cart", password="wrong")
        run(
            bench,
            lambda: "does not let" in bench.status().get("why", "") or "is wrong" in bench.status().get("why", ""),
        )


def test_a_broker_that_keeps_nothing_is_reported_and_served_without(tmp_path):
    with Mosquitto(tmp_path, options="allow_anonymous true\nretain_available false") as broker:
        bench = bench_at(broker, confirm="broker")
        ids = bench.store(3)
        run(bench, lambda: "set `retain` to false" in bench.status().get("why", ""))
        assert bench.log.backlog_of(bench.cursor) == len(ids)
        bench = bench_at(broker, confirm="broker", retain=False)
        bench.store(3)
        run(bench, lambda: is_done(bench))
        assert bench.status()["why"] == ""


def test_archive_serves_a_cart_though_the_broker_keeps_nothing(tmp_path):
    with Mosquitto(tmp_path, options="allow_anonymous true\nretain_available false") as broker:
        place = place_in(tmp_path)
        with consuming(place, f"mqtt://127.0.0.1:{broker.port}/toolcart/#") as process:
            until_printed(process, "connected, MQTT 5")
            bench = bench_at(broker, receipt_timeout_ms=1000, retain=False)
            ids = bench.store(30)
            run(bench, lambda: is_done(bench))
            assert stored(place) == ids and bench.status()["why"] == "" and process.poll() is None


def test_the_limit_of_a_broker_is_met_a_few_times_and_then_kept(tmp_path):
    with Mosquitto(tmp_path, options="allow_anonymous true\nmessage_size_limit 6000") as broker:
        bench = bench_at(broker, confirm="broker")
        for _ in range(40):
            bench.store(20)
            run(bench, lambda: is_done(bench))
        attempts = bench.forward.attempts
        for _ in range(20):
            bench.store(20)
            run(bench, lambda: is_done(bench))
        assert bench.forward.attempts == attempts <= 8, bench.status()


class SlowConsumer:
    """A client of the broker that takes `pause_s` for a batch, keeps the contract, and acknowledges behind that."""

    def __init__(self, broker, pause_s):
        self.pause_s = pause_s
        self.have = self.gaps = 0
        self.ids = []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, "slow")
        self.client.on_connect = lambda client, *_: client.subscribe("toolcart/1/10/results", 1)
        self.client.on_message = lambda _client, _data, message: self.take(message.payload)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def take(self, octets):
        time.sleep(self.pause_s)  # in a thread of its own
        head, *lines = [json.loads(line) for line in octets.splitlines()]
        self.gaps += head["after"] > self.have
        if head["after"] <= self.have < head["last"]:
            self.ids += [int(line["tightening_id"]) for line in lines if line["number"] > self.have]
            self.have = head["last"]
        receipt = json.dumps({"identity": head["identity"], "number": self.have})
        self.client.publish("toolcart/1/10/receipt", receipt, 1, True)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize("room", [1, pytest.param(2, marks=pytest.mark.long("a longer queue"))])
def test_short_queue_of_mosquitto_for_a_slow_consumer_shortens_no_batches(room, tmp_path):
    options = f"allow_anonymous true\nmax_inflight_messages 1\nmax_queued_messages {room}"
    with Mosquitto(tmp_path, options=options) as broker:
        bench = bench_at(broker, receipt_timeout_ms=1000, blocks=120)
        consumer = SlowConsumer(broker, 0.05)
        try:
            ids = bench.store(800)
            run(bench, lambda: is_done(bench))
        finally:
            consumer.close()
        assert consumer.ids == ids and bench.status()["batch_limit"] == 0, bench.status()
        assert bench.forward.batch.records_most == 8 and bench.forward.counts.resent <= 4, bench.status()
