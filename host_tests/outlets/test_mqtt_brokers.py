"""The MQTT outlet with real brokers, Mosquitto and amqtt, and the archive as consumer behind them, on the loopback."""

import os
import signal
import sqlite3
import time

import pytest

from board.linux_tcp import TcpPort
from host_tests.support.archive import place_in
from host_tests.support.archive_process import Starter
from host_tests.support.brokers import Mosquitto, need_amqtt
from host_tests.support.mqtt import MqttBench

LIMIT_S = 60.0
BROKERS = {"mosquitto": lambda: Mosquitto, "amqtt": need_amqtt}


@pytest.fixture(params=BROKERS)
def broker(request, tmp_path):
    with BROKERS[request.param]()(tmp_path) as one:
        yield one


def bench_at(broker, **settings):
    settings = {"host": "127.0.0.1", "port": broker.port, "receipt_timeout_ms": 2000, **settings}
    return MqttBench(wide=True, make_port=lambda network: TcpPort(), **settings)


def run(bench, condition):
    """Let real time pass until it holds."""
    until_s, before_s = time.monotonic() + LIMIT_S, time.monotonic()
    while not condition():
        assert time.monotonic() < until_s, bench.shown()
        bench.forward.step(bench.clock.now)
        time.sleep(0.001)
        now_s = time.monotonic()
        bench.clock.advance(int((now_s - before_s) * 1000))
        before_s += int((now_s - before_s) * 1000) / 1000


def is_done(bench):
    return bench.log.waits(bench.cursor) == 0


def stored(place):
    with sqlite3.connect(f"file:{place}?mode=ro", uri=True) as database:
        return [row[0] for row in database.execute('SELECT "TighteningId" FROM "Result" ORDER BY "ResultId"')]


def test_results_reach_the_archive_once_and_in_order_though_the_broker_is_killed(broker, tmp_path):
    place = place_in(tmp_path)
    with Starter() as starter:
        consumer = starter.start(str(place), "consumer", broker.port)[0]
        try:
            bench = bench_at(broker)
            ids = bench.store(60)
            run(bench, lambda: is_done(bench))
            assert stored(place) == ids and bench.shown()["why"] == ""
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
    bench.forward.leave(bench.clock.now)
    run(bench, lambda: bench.forward.has_left(bench.clock.now))
    assert bench.forward.session.lost_in == 0, "it was left by a deadline"
    bench.forward.stop()


def test_a_wrong_password_is_named(tmp_path):
    class Closed(Mosquitto):
        options = "password_file /dev/null"

        def command(self):
            command = super().command()
            config = command[-1]
            with open(config, encoding="utf-8") as file:
                text = file.read().replace("allow_anonymous true", "allow_anonymous false")
            with open(config, "w", encoding="utf-8") as file:
                file.write(text)
            return command

    with Closed(tmp_path) as broker:
        bench = bench_at(broker, user="cart", password="wrong")
        run(bench, lambda: "does not let" in bench.shown().get("why", "") or "is wrong" in bench.shown().get("why", ""))
