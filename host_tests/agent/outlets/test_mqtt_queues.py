"""Brokers whose queue for a slow consumer is short, and drop the rest in silence; consumers slower than the timeout."""

from toolcart.agent.outlets.mqtt_message_size import TRIED_LEAST, MessageSize
from host_tests.portable import LONG
from host_tests.support.combinations import each_choice
from host_tests.support.mqtt import BROKER, MqttBench
from lab.harness.mqtt_broker import Consumer

NEWEST, OLDEST = range(2)


class Slow(Consumer):
    """A consumer that takes one batch in each `pause_ms`; the broker keeps `room` more for it, and drops others."""

    def __init__(self, bench, room, drops, pause_ms, answers_gaps=True):
        self.bench = bench
        self.pause_ms = pause_ms
        self.answers_gaps = answers_gaps
        self.dropped = 0
        self.batches = 0
        bench.broker.consumers = []
        Consumer.__init__(self, bench.broker)
        self.queue = Room(self, room, drops)

    def work(self):
        """Nothing: `run` lets it work."""

    def run(self, ms):
        """Let time pass."""
        for _ in range(ms // self.pause_ms):
            self.bench.run(self.pause_ms)
            if self.queue:
                self.batches += 1
                self._take(*self.queue.pop(0))

    def confirm(self, topic, identity, number):
        if self.answers_gaps or self.have.get((topic, identity)) == number != self.last_confirmed:
            Consumer.confirm(self, topic, identity, number)
        self.last_confirmed = number

    last_confirmed = 0


class Room(list):
    """A broker's queue for this consumer, and what it has in its hands."""

    def __init__(self, consumer, room, drops):
        list.__init__(self)
        self.consumer = consumer
        self.room = room
        self.drops = drops

    def append(self, message):
        list.append(self, message)
        if len(self) > self.room + 1:
            self.consumer.dropped += 1
            self.pop(-1 if self.drops == NEWEST else 1)


def queued(room, drops, pause_ms=200, answers_gaps=True):
    """Return a bench, and the consumer behind a queue of that length."""
    bench = MqttBench(limits={"records_most": 32, "window": 4}, blocks=120)
    bench.consumer = slow = Slow(bench, room, drops, pause_ms, answers_gaps)
    slow.run(2000)
    return bench, slow


def test_short_queue_of_a_broker_is_no_limit_for_messages():
    for room in (0, 1, 2, 3, 7) if LONG else (0, 1, 7):
        for drops in (NEWEST, OLDEST):
            for answers_gaps in (True, False) if LONG else ((room > 0) == (drops == OLDEST),):
                case = room, drops, answers_gaps
                bench, slow = queued(room, drops, 200, answers_gaps)
                ids, limits = [], set()
                for _ in range(120 if LONG else 60):
                    ids += bench.store(20)
                    slow.run(1000)
                    limits.add(bench.status()["batch_limit"])
                slow.run(20000)
                assert limits == {0}, (case, limits)
                assert bench.ids() == ids, case
                assert bench.forward.batch.records_most > 8, (case, bench.forward.batch.records_most)
                assert bench.forward.counts.resent <= 8, (case, bench.forward.counts.resent)


def test_behind_a_short_queue_a_backlog_goes_at_the_consumers_pace():
    for room, drops in each_choice((1, 2), (NEWEST, OLDEST)):
        bench, slow = queued(room, drops)
        ids = bench.store(1200)
        slow.run(80000)  # 200 batches are 40 s
        assert bench.ids() == ids, (room, drops, len(bench.ids()))


def test_longer_queue_is_tried_again_and_used():
    bench, slow = queued(1, NEWEST)
    bench.store(600)
    slow.run(90000)
    slow.queue.room = 100
    most = 0
    for _ in range(200):
        if bench.log.backlog_of(bench.cursor) < 300:
            bench.store(300)
        slow.run(1000)
        most = max(most, len(slow.queue))
        if most >= 16:
            break
    assert most >= 16, most
    dropped = slow.dropped
    slow.run(60000)
    assert slow.dropped == dropped and bench.ids() == list(range(1, bench.log.number + 1))


def test_consumer_slower_than_the_timeout_still_gets_whole_batches():
    for room, pause_ms in each_choice((1, 2, 100), (12000, 25000)):
        bench, slow = queued(room, NEWEST, pause_ms)
        ids = bench.store(360)  # sixty whole batches
        slow.run(320 * pause_ms)  # what is sent again takes its time too
        assert bench.ids() == ids and bench.status()["batch_limit"] == 0, (room, pause_ms, len(bench.ids()))


def test_limit_for_messages_is_found_behind_a_short_queue_too():
    bench, slow = queued(1, NEWEST)
    bench.broker.payload_most = 2500
    ids = []
    for _ in range(300):
        ids += bench.store(10)
        slow.run(2000)
    resent = bench.forward.counts.resent
    for _ in range(30):
        ids += bench.store(10)
        slow.run(2000)
    slow.run(60000)
    assert bench.ids() == ids and 1700 < bench.status()["batch_limit"] < 3300, bench.status()
    assert bench.forward.counts.resent - resent <= 2


def test_one_outage_of_the_consumer_leaves_the_pace_as_it_was():
    bench, slow = queued(1000, NEWEST, 20)
    ids = bench.store(1000)
    slow.run(200)
    for _ in range(4):
        bench.run(120000)  # nobody takes anything
        slow.queue.clear()
        bench.network.cut(*BROKER)
        slow.run(90000)
        ids += bench.store(300)
        slow.run(100)
    slow.run(60000)
    assert bench.ids() == ids and bench.status()["batch_limit"] == 0 and bench.forward.batch.records_most == 32


def test_limit_is_tried_again_after_ever_more_messages():
    limit, number, tried = MessageSize(), 0, []

    def send(octets, arrives):
        nonlocal number
        number += 1
        limit.put_sent(number, octets, 3)
        if arrives:
            limit.put_confirmed(number)
        else:
            limit.put_failed(0, number)

    for octets, arrives in ((1500, True), (2500, False), (1500, True), (2500, False)):
        send(octets, arrives)
    assert limit.octets == 2500
    for _ in range(3):
        count = 0
        while limit.octets:
            send(2400, True)
            count += 1
        send(9000, False)
        assert limit.octets == 2500, "one failure is enough to know it again"
        tried.append(count)
    assert tried == [TRIED_LEAST, 2 * TRIED_LEAST, 4 * TRIED_LEAST]


def test_receipt_that_comes_late_takes_back_what_was_concluded():
    limit = MessageSize()
    for number, octets in ((1, 1500), (2, 2500)):
        limit.put_sent(number, octets, number)
        limit.put_confirmed(1)
    limit.put_failed(0, 2)
    limit.put_sent(3, 1200, 1)
    limit.put_confirmed(3)
    limit.put_sent(9, 2500, 8)
    limit.put_failed(0, 9)
    assert limit.octets == 2500
    limit.put_sent(5, 1000, 4)
    limit.put_failed(0, 5)
    assert limit.put_late(8) == 0 and limit.octets == 2500, "what was lost may be behind that"
    assert limit.put_late(9) == 8 and limit.octets == 0 and limit.put_late(9) == 0
