"""The MQTT outlet against a simulated broker and consumer: what a receipt moves, and what is lost when brokers lie."""

import json

from toolcart.agent.base.fields import put_number, put_u32
from toolcart.agent.log.snapshot_fields import CURSOR
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res
from host_tests.support.heap import allocated, heap_tools
from host_tests.support.mqtt import BROKER, TOPIC, MqttBench
from lab.harness.allocation_free_peers import QuietPort

PORTABLE = True
HEAP = "6m"


def test_an_acknowledgement_of_the_broker_moves_nothing():
    bench = MqttBench()
    bench.consumer.away = True
    bench.store(20)
    bench.run(9000)
    assert bench.cursor.number == 0 and bench.forward.session.window.count == 0 and bench.forward.is_up()
    bench.run(3000)
    assert not bench.forward.is_up() and bench.status()["why"] == "no receipt from a consumer"
    bench.consumer.away = False
    bench.run(300000)
    assert bench.cursor.number == bench.log.number and bench.numbers() == list(range(1, 21))
    assert bench.forward.is_up() and bench.status()["why"] == ""


def test_of_what_the_broker_acknowledged_long_ago_few_are_sent_again_after_a_power_cut():
    for pause, count in ((60000, 1), (60000, 70), (10, 5)):
        bench = MqttBench(confirm="broker")
        saves = bench.state.saves
        while bench.log.number < 240:
            bench.store(count)
            bench.run(pause)
            if pause > 1000:
                assert bench.log.backlog_of(bench.cursor) == 0
                assert bench.log.number - bench.state.durable[bench.cursor.slot] <= 31
        bench.run(60000)
        last = bench.cursor.number
        assert bench.state.saves - saves <= 240 // 32 + 4, "not with each"
        bench.cut()
        assert last - 31 <= bench.cursor.number <= last


def test_without_receipts_what_goes_out_is_bounded():
    bench = MqttBench(limits={"records_most": 4})
    bench.consumer.away = True
    bench.store(150)
    bench.run(5000)
    assert bench.forward.counts.batches == 16
    before = bench.forward.counts.batches
    bench.run(3600000)
    assert bench.forward.counts.batches - before <= 3600 // 80 + 6


def test_a_broker_that_accepts_no_whole_batch_delays_nothing_for_ever():
    for closes, confirm in ((True, "consumer"), (True, "broker"), (False, "consumer")):
        bench = MqttBench(limits={"records_most": 32}, confirm=confirm)
        bench.broker.payload_most = 2500
        bench.broker.closes = closes
        ids = bench.store(40)
        bench.run(600000)
        assert bench.ids() == ids and bench.cursor.number == 40, (closes, confirm)
        bench.broker.payload_most = 1 << 30
        for _ in range(20):
            ids += bench.store(20)
            bench.run(20000)
        assert bench.ids() == ids and bench.forward.batch.records_most > 20, (closes, confirm)


def test_brokers_that_forget_drop_and_come_back_empty_lose_nothing():
    bench = MqttBench()
    ids = bench.store(10)
    bench.broker.forgets = True
    bench.run(30000)
    assert bench.cursor.number == 0
    bench.broker.forgets = False
    bench.until_confirmed()
    for round_ in range(12):
        ids += bench.store(30)
        bench.broker.queue_most = 2
        bench.consumer.away = True
        bench.run(round_ * 700)
        if round_ % 3 == 0:
            bench.broker.restart()
        if round_ % 3 == 1:
            bench.network.cut(BROKER[0], BROKER[1])
        bench.run(3000)
        bench.consumer.away = False
        bench.consumer.work()
        bench.until_confirmed()
        assert bench.ids() == ids, round_
    assert bench.consumer.gaps and bench.broker.complaints == []


def test_after_a_cut_the_retained_receipt_says_where_to_go_on():
    bench = MqttBench()
    ids = bench.store(10)
    bench.until_confirmed()
    assert bench.state.durable[CURSOR + 1] == 0, "the cut would test nothing"
    bench.cut()
    ids += bench.store(5)
    bench.until_confirmed()
    assert bench.ids() == ids and bench.consumer.repeats == 0 and bench.consumer.gaps == 0
    bench.cut()
    bench.broker.restart()
    ids += bench.store(5)
    bench.until_confirmed()
    assert bench.ids() == ids


def receipt(bench, identity, number):
    bench.broker.publish(TOPIC + "/receipt", json.dumps({"number": number, "identity": identity}).encode(), True)
    bench.run(100)


def test_receipts_of_others_and_above_all_that_was_sent_move_nothing():
    bench = MqttBench()
    bench.consumer.away = True
    bench.store(10)
    bench.run(1000)
    outlet = bench.forward
    receipt(bench, "00000000", 5)
    assert outlet.counts.receipts_other == 1 and bench.cursor.number == 0
    for number in (11, 999999999, 12345678901):
        receipt(bench, outlet.identity, number)
    assert outlet.counts.receipts_above == 3 and bench.cursor.number == 0 and bench.status()["why"] == ""
    bench.run(outlet.receipt_timeout_ms)
    assert outlet.progress.is_overdue and "more than this spool has" in bench.status()["why"]
    receipt(bench, outlet.identity, 4)
    assert bench.cursor.number == 4
    for payload in (b"", b"{}", b"\xff\x00", b'{"identity":"', b'{"identity":7,"number":8}', b"[" * 150):
        bench.broker.publish(TOPIC + "/receipt", payload, False)
    for number in ("-1", "1.5", '"7"', "null", "7x", ""):
        text = '{"identity":"%s","number":%s}' % (outlet.identity, number)
        bench.broker.publish(TOPIC + "/receipt", text.encode(), False)
    bench.broker.publish(TOPIC + "/receipt", b"x" * 4000, False)
    bench.run(100)
    assert outlet.counts.receipts_unreadable == 13 and outlet.counts.unexpected == 0 and bench.cursor.number == 4
    text = ' { "x" : [1] , "number" : 7 ,\n "identity" : "%s" }' % outlet.identity
    bench.broker.publish(TOPIC + "/receipt", text.encode(), False)
    bench.run(100)
    assert bench.cursor.number == 7


def test_a_consumer_that_was_set_back_gets_what_there_still_is():
    bench = MqttBench()
    ids = bench.store(30)
    bench.until_confirmed()
    bench.consumer.restore(12)
    bench.network.cut(BROKER[0], BROKER[1])
    ids += bench.store(3)
    bench.run(120000)
    assert bench.ids() == ids and bench.forward.counts.receipts_below == 1 and bench.status()["receipts_below"] == 1


def test_a_new_consumer_gets_all_that_there_still_is():
    bench = MqttBench()
    ids = bench.store(10)
    bench.until_confirmed()
    bench.consumer.restore(0)
    bench.broker.restart()
    ids += bench.store(1)
    bench.run(120000)
    assert bench.ids() == ids


def test_the_state_is_retained_and_has_a_last_will():
    bench = MqttBench()
    bench.run(1000)

    def state():
        return json.loads(bench.broker.retained[TOPIC + "/state"])

    assert state() == {"schema": 1, "online": True, "reason": "", "identity": bench.forward.identity}
    bench.network.cut(BROKER[0], BROKER[1])
    assert state()["online"] is False and state()["reason"] == "connection lost"
    bench.run(5000)
    assert state()["online"] is True
    bench.forward.begin_shutdown(bench.clock.now)
    bench.until(lambda: bench.forward.may_stop(bench.clock.now))
    bench.forward.stop()
    assert state()["online"] is False and state()["reason"] == "stopped"


def test_a_frame_that_could_not_be_read_goes_too():
    bench = MqttBench()
    bench.store(2)
    bench.store_raw(b"\x00\xff" * 300)
    bench.store(2)
    bench.until_confirmed()
    assert bench.numbers() == [1, 2, 3, 4, 5] and bench.consumer.records[2][2]["frame"] == "\x00\xff" * 300


class QuietBroker(QuietPort):
    """A broker and a consumer at the outlet's port that allocate nothing: each batch has its PUBACK and its receipt."""

    def __init__(self, identity):
        QuietPort.__init__(self)
        self.answer = bytearray(message(b'{"identity":"' + identity + b'","number":000000000 }'))
        self.digits = len(self.answer) - 11
        self.batches = 0

    def write(self, buf, start, n):
        first = buf[start]
        if first == 0x10:
            self.send(b"\x20\x02\x00\x00")
        elif first == 0x82:
            self.send(b"\x90\x03\x00\x01\x01")
        elif first == 0xC0:
            self.send(b"\xd0\x00")
        elif first & 0xF0 == 0x30:
            self._answer(buf, start, n)
        return n

    def _answer(self, buf, start, n):
        """Acknowledge, and send a receipt for what is said to be the last."""
        topic = buf.find(b"toolcart", start, start + 20)
        end = topic + (buf[topic - 2] << 8 | buf[topic - 1])
        frame = self.answer
        frame[2] = buf[end]
        frame[3] = buf[end + 1]
        last = buf.find(b'"last":', end, end + 160)
        self.send(frame)
        if last > 0 and buf.find(b"/results", topic, end) > 0:
            last += 7
            number = 0
            while 0x30 <= buf[last] <= 0x39:
                number = number * 10 + buf[last] - 0x30
                last += 1
            put_number(frame, self.digits, 9, number)
            self.batches += 1
        else:
            self.left = 4


def message(payload):
    """A PUBACK, and a PUBLISH on the topic of the receipts behind it."""
    topic = (TOPIC + "/receipt").encode()
    body = bytes([0, len(topic)]) + topic + b"\x00\x09" + payload
    return b"\x40\x02\x00\x00\x32" + bytes([len(body)]) + body


def test_a_result_allocates_nothing_from_the_log_to_its_receipt():
    heap_tools()
    bench = MqttBench(limits={"records_most": 4})
    outlet = bench.forward
    outlet.port = QuietBroker(outlet.identity.encode())
    log = bench.log
    bench.store(1)
    serial = log.payload_at + res.HEAD_BYTES + res.SERIAL
    log.stage[serial : serial + res.SERIAL_BYTES] = b"A4711         "
    now = bench.clock.now

    def store():
        put_u32(log.stage, log.payload_at, log.next)
        log.append(KIND_RESULT, 0, res.HEAD_BYTES + res.BODY_BYTES)

    def some():
        turns = 12
        while turns:
            turns -= 1
            outlet.step(now)

    octets = 0
    for count in range(60):
        store()  # the bench's flash allocates
        if count < 5:
            some()
        else:
            octets += allocated(some)
    assert bench.cursor.number == 61 and outlet.port.batches >= 60
    print("allocated for 55 results: %d bytes" % octets)
    assert octets == 0
