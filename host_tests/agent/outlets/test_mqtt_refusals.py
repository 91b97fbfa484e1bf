"""Brokers that refuse by closing the connection alone: messages that are too long, and what is to be retained."""

import gc

from toolcart.agent.outlets.mqtt_message_size import REMEMBERED_MS, MessageSize
from host_tests.portable import HAS_ALL
from host_tests.support.mqtt import BROKER, TOPIC, MqttBench

PORTABLE = True
HEAVY = True
HEAP = "12m"

LIMIT = 2500


def store_and_run(bench, ms):
    bench.store(20)
    bench.run(ms)
    if not HAS_ALL:
        gc.collect()  # or what a consumer keeps lies all over MicroPython's heap, and leaves no room for the next bench


def connections(bench, ms, pause_ms=1000):
    """How many connections it takes, with 20 results in each pause."""
    before = bench.forward.session.incoming
    opened = 0

    def endpoint():
        nonlocal opened
        opened += 1
        return bench.broker.endpoint()

    bench.network.listen(BROKER[0], BROKER[1], endpoint)
    for _ in range(ms // pause_ms):
        store_and_run(bench, pause_ms)
    assert before is bench.forward.session.incoming
    return opened


def test_limit_of_a_broker_is_remembered_and_costs_no_more_connections():
    for closes, confirm in ((True, "consumer"), (True, "broker"), (False, "consumer")):
        bench = MqttBench(limits={"records_most": 32}, confirm=confirm)
        bench.broker.payload_most = LIMIT
        bench.broker.closes = closes
        connections(bench, 60000 if closes else 600000, 1000 if closes else 20000)
        resent = bench.forward.counts.resent
        assert connections(bench, 60000) == 0 and bench.forward.counts.resent == resent, (closes, confirm)
        assert bench.log.backlog_of(bench.cursor) <= 40, "it keeps up with 20 results a second"
        assert LIMIT - 800 < bench.status()["batch_limit"] < LIMIT + 800
        assert bench.ids() == list(range(1, bench.cursor.number + 1))


def test_limit_that_is_gone_is_found_gone_after_a_day_or_a_start():
    bench = MqttBench(limits={"records_most": 32})
    bench.broker.payload_most = LIMIT
    bench.broker.closes = True
    connections(bench, 60000)
    bench.broker.payload_most = 1 << 30
    bench.run(3600000)
    connections(bench, 20000)
    assert bench.status()["batch_limit"] < LIMIT + 800
    bench.run(REMEMBERED_MS)
    connections(bench, 20000)
    assert bench.status()["batch_limit"] == 0
    bench.broker.payload_most = LIMIT
    connections(bench, 60000)
    assert bench.status()["batch_limit"]
    bench.cut()
    assert bench.status()["batch_limit"] == 0


def test_network_that_breaks_now_and_then_is_no_limit():
    bench = MqttBench(limits={"records_most": 32})
    for _ in range(8):
        for _ in range(40):
            store_and_run(bench, 1000)
        bench.store(20)
        bench.network.cut(BROKER[0], BROKER[1])
        bench.run(3000)
    assert bench.status()["batch_limit"] == 0 and bench.log.backlog_of(bench.cursor) <= 40


def test_limit_is_what_two_failures_in_a_row_agree_on():
    limit = MessageSize()
    number = 0

    def send(octets, arrives, now=0):
        nonlocal number
        number += 1
        limit.put_sent(number, octets, 3)
        if arrives:
            limit.put_confirmed(number)
        else:
            limit.put_failed(now)
        return limit.octets

    assert [send(octets, False) for octets in (9000, 5000, 2600)] == [0, 0, 0], "nothing was taken yet"
    assert [send(1500, True), send(2000, True), send(2500, False)] == [0, 0, 0]
    assert [send(1500, True), send(1900, True), send(2600, False)] == [0, 0, 2500]
    assert send(1500, True) == 2500 and send(2400, False) == 2400, "it comes closer"
    assert limit.look(REMEMBERED_MS - 1) == 2400 and limit.look(REMEMBERED_MS) == 0
    assert [send(8000, True), send(8000, False), send(700, True), send(800, False)] == [0, 0, 0, 0]


def test_single_record_above_the_limit_goes_alone():
    bench = MqttBench(limits={"records_most": 32})
    bench.forward.limit.octets = 300
    ids = bench.store(9)
    bench.until_confirmed()
    assert bench.ids() == ids and bench.forward.counts.batches == 9


def test_broker_that_refuses_what_is_retained_is_reported_with_the_setting():
    for allows, reason in (
        ("allows_retained", "right behind the first retained message: perhaps it refuses these"),
        ("allows_retained_will", "at CONNECT: perhaps it refuses a retained will"),
    ):
        bench = MqttBench()
        setattr(bench.broker, allows, False)
        bench.store(3)
        bench.run(30000)
        assert (
            bench.cursor.number == 0
            and reason in bench.status()["why"]
            and "set `retain` to false" in bench.status()["why"]
        )
        assert not bench.forward.is_up() or bench.forward.failure
        bench = MqttBench(retain=False)
        setattr(bench.broker, allows, False)
        ids = bench.store(3)
        bench.until_confirmed()
        assert bench.ids() == ids and bench.status()["why"] == "" and TOPIC + "/state" not in bench.broker.retained


def test_connection_that_ends_later_is_no_refusal_of_what_is_retained():
    bench = MqttBench()
    bench.store(3)
    bench.until_confirmed()
    bench.network.down(*BROKER)
    bench.network.cut(*BROKER)
    bench.run(3000)
    assert "retain" not in (bench.status().get("why") or "")


def test_broker_that_took_what_is_retained_and_ends_connections_now_is_not_suspected_of_that():
    bench = MqttBench()
    bench.store(3)
    bench.until_confirmed()
    bench.broker.allows_retained_will = False  # it ends each connection at CONNECT
    bench.network.cut(*BROKER)
    bench.store(1)
    for _ in range(100):
        bench.run(1000)
        assert "retain" not in (bench.status().get("why") or "")
    assert bench.forward.fault.why and not bench.forward.is_up()
    bench.cut()
    bench.run(30000)
    assert "perhaps it refuses a retained will" in bench.status()["why"], "a new start knows nothing of before"


def begun(bench):
    """When each connection begins, in ms, as they come."""
    moments = []
    endpoint = bench.broker.endpoint
    bench.network.listen(*BROKER, lambda: (moments.append(bench.clock.total_ms), endpoint())[1])
    return moments


def test_broker_that_accepts_no_batch_is_asked_ever_more_rarely_and_never_called_well():
    for confirm in ("consumer", "broker"):
        ends = "the broker ends the connection when results or alarms are published, and acknowledges none: may this "
        ends += "client publish to each topic of the station?"
        for fault, reason in (("closed_topic", ends), ("silent_topic", "the broker does not acknowledge")):
            bench = MqttBench(confirm=confirm)
            bench.run(5000)
            moments = begun(bench)
            assert bench.forward.is_up()
            setattr(bench.broker, fault, "/results")
            ids = bench.store(9)
            bench.run(12000)
            for _ in range(600):
                bench.run(1000)
                status = bench.status()
                assert not bench.forward.is_up() and status["state"] != "connected", (confirm, fault)
                assert status["why"] == reason, (confirm, fault)
            pauses = [moments[index + 1] - moments[index] for index in range(len(moments) - 1)]
            assert pauses == sorted(pauses) and 59000 <= pauses[-1] <= 71000 and len(moments) < 20, (fault, pauses)
            setattr(bench.broker, fault, None)
            bench.run(61000)
            assert bench.forward.is_up() and bench.status()["why"] == "" and bench.status()["state"] == "connected"
            assert bench.ids() == ids


def confirmed_without_a_puback(bench):
    """The consumer confirms what it gets all the same."""
    for _ in range(10):
        bench.store(1)
        for _ in range(6):
            bench.run(1000)
            assert not bench.forward.is_up() and bench.status()["why"] == "the broker does not acknowledge"
    assert bench.forward.counts.receipts


def test_broker_that_acknowledges_nothing_at_all_is_never_called_well():
    bench = MqttBench()
    bench.broker.silent_acks = True
    bench.run(12000)
    for _ in range(100):
        bench.run(1000)
        assert not bench.forward.is_up() and bench.status()["why"] == "the broker does not acknowledge"
    confirmed_without_a_puback(bench)
    bench.broker.silent_acks = False
    bench.run(61000)
    assert bench.forward.is_up() and bench.status()["why"] == ""


def test_broker_that_acknowledges_nothing_is_not_called_well_for_what_the_consumer_confirms():
    bench = MqttBench()
    bench.store(3)
    bench.until_confirmed()
    bench.broker.silent_acks = True
    bench.store(1)
    bench.run(30000)
    for _ in range(200):
        bench.store(1)
        bench.run(1000)
        status = bench.status()
        assert not bench.forward.is_up() and status["why"] == "the broker does not acknowledge", status["state"]
    assert bench.cursor.number > 20, "they arrive"
    confirmed_without_a_puback(bench)
    bench.broker.silent_acks = False
    bench.run(61000)
    assert bench.forward.is_up() and bench.status()["why"] == ""
    assert bench.ids() == list(range(1, bench.log.number + 1))


def test_broker_that_acknowledges_no_batch_is_not_called_well_on_any_connection():
    for silent in ("/results", True):
        for mute in (False, True):
            bench = MqttBench()
            bench.store(3)
            bench.until_confirmed()
            bench.broker.silent_acks = silent
            bench.consumer.mute = mute
            bench.store(1)
            bench.run(12000)
            moments = begun(bench)
            for _ in range(200):
                bench.store(1)
                bench.run(1000)
                status = bench.status()
                assert not bench.forward.is_up(), (silent, mute)
                assert status["why"] == "the broker does not acknowledge", (silent, mute, status["state"])
            assert len(moments) >= 3
            bench.broker.silent_acks = bench.consumer.mute = False
            bench.run(61000)
            bench.store(1)
            bench.run(61000)
            assert bench.forward.is_up() and bench.status()["why"] == "" and bench.status()["state"] == "connected"


def keep_receipt(bench, number):
    """The broker has a receipt, and gives it to whoever subscribes."""
    receipt = b'{"identity":"%s","number":%d}' % (bench.status()["identity"].encode(), number)
    bench.broker.retained[TOPIC + "/receipt"] = receipt


def run_over_connections(state, results, receipts, closes_after=0):
    """Return the bench after five connections to a broker that does not acknowledge the topics with a number.

    With `closes_after` it ends each connection so many ms after its beginning.
    """
    bench = MqttBench()
    bench.store(3)
    bench.until_confirmed()
    moments = begun(bench)
    for topic, off in (("/state", state), ("/results", results)):
        if off is not None:
            bench.broker.unacked[TOPIC + topic] = off
    bench.consumer.mute = receipts != "each"
    bench.network.cut(*BROKER)
    tolerated = 2 if closes_after else 1  # one end of a connection may be the network's
    while len(moments) < 6:
        if receipts == "kept":
            keep_receipt(bench, max(bench.consumer.have.values()))
        bench.store(1)
        for _ in range(4):
            bench.run(500)
            if closes_after and bench.broker.sessions and bench.clock.total_ms - moments[-1] > closes_after:
                bench.broker.sessions[-1].wants_close = True
            if len(moments) > tolerated:
                shown = bench.status()
                case = (state, results, receipts, closes_after, len(moments), shown["state"], shown.get("why"))
                assert not bench.forward.is_up() and shown["state"] != "connected", case
                if closes_after:
                    assert "why" not in shown or shown["why"], case
                elif receipts == "each":
                    assert shown["why"] == "the broker does not acknowledge", case
                else:
                    assert shown["why"] in ("the broker does not acknowledge", "no receipt from a consumer"), case
    return bench


def test_broker_without_a_puback_for_one_kind_is_not_called_well_for_another_nor_for_receipts():
    wrong = []
    for state, results in ((None, 0), (None, 1000), (0, None), (1000, None), (0, 0), (1000, 1000), (0, 1000)):
        for receipts in ("each", "kept", "none"):
            try:
                bench = run_over_connections(state, results, receipts)
            except AssertionError as error:
                wrong.append(error.args[0].split("\n")[0])
                continue
            bench.consumer.mute = False
            bench.broker.unacked.clear()
            bench.store(1)
            bench.run(140000)
            bench.store(1)
            bench.run(15000)
            shown = bench.status()
            assert bench.forward.is_up() and shown["why"] == "" and shown["state"] == "connected", (state, results)
            assert bench.ids() == list(range(1, bench.log.number + 1))
    assert not wrong, "\n".join(wrong)


def test_broker_that_ends_each_connection_without_a_puback_is_not_called_well_for_receipts():
    for receipts in ("each", "kept", "none"):
        bench = run_over_connections(None, 0, receipts, 3000)
        bench.consumer.mute = False
        bench.broker.unacked.clear()
        bench.run(61000)
        bench.store(1)
        bench.run(61000)
        assert bench.forward.is_up() and bench.status()["why"] == "", receipts


def test_what_the_consumer_confirms_after_all_ends_what_a_lost_connection_was_blamed_for():
    bench = MqttBench()
    bench.store(3)
    bench.until_confirmed()
    bench.broker.silent_topic = "/results"
    bench.store(2)
    bench.run(1000)
    bench.network.cut(*BROKER)
    bench.run(100)
    assert not bench.forward.is_up()
    keep_receipt(bench, bench.log.number)
    bench.run(5000)
    assert bench.cursor.number == bench.log.number and bench.forward.is_up() and bench.status()["why"] == ""


def test_a_broker_that_breaks_the_rules_of_mqtt_is_not_said_to_send_no_puback():
    bench = MqttBench()
    bench.store(3)
    bench.until_confirmed()
    bench.broker.instead[4] = b"\x34\x06\x00\x01a\x00\x01x"  # QoS 2, which nobody has subscribed to
    bench.store(2)
    bench.run(100)
    bench.broker.instead.clear()
    keep_receipt(bench, bench.log.number)
    bench.run(5000)
    assert bench.cursor.number == bench.log.number and not bench.forward.is_up()
    status = bench.status()
    assert (status["state"], status["why"]) == ("no MQTT", "what answers does not speak MQTT")
    bench.store(1)
    bench.until_confirmed()
    assert bench.forward.is_up() and bench.status()["state"] == "connected" and bench.status()["why"] == ""


def test_what_the_consumer_confirms_does_not_end_what_a_silent_broker_is_blamed_for():
    bench = MqttBench()
    bench.store(3)
    bench.until_confirmed()
    bench.broker.silent_topic = "/results"
    bench.store(2)
    bench.run(12000)
    keep_receipt(bench, bench.log.number)
    for _ in range(200):
        bench.run(1000)
        assert not bench.forward.is_up() and bench.status()["why"] == "the broker does not acknowledge"
    assert bench.cursor.number == bench.log.number and bench.status()["state"] == "no PUBACK"
    bench.network.down(*BROKER)  # for a while it cannot be reached
    bench.run(20000)
    bench.network.up(*BROKER)
    bench.run(61000)
    assert bench.status()["state"] == "no PUBACK" and bench.status()["why"] == "the broker does not acknowledge"
    bench.broker.silent_topic = None
    bench.consumer.have[TOPIC + "/results", bench.status()["identity"]] = bench.log.number
    bench.store(1)
    bench.run(5000)
    assert bench.forward.is_up() and bench.status()["why"] == "" and bench.status()["state"] == "connected"


def test_broker_that_acknowledges_neither_and_gets_one_batch_only_is_never_called_well():
    for receipts in ("each", "kept", "none"):
        bench = MqttBench()
        bench.store(3)
        bench.until_confirmed()
        bench.broker.silent_acks = True
        bench.consumer.mute = receipts != "each"
        bench.network.cut(*BROKER)
        bench.store(1)
        moments = begun(bench)
        while len(moments) < 6:
            if receipts == "kept":
                keep_receipt(bench, max(bench.consumer.have.values()))
            bench.run(500)
            if len(moments) > 1:
                shown = bench.status()
                assert not bench.forward.is_up() and shown["state"] != "connected", (receipts, len(moments))
