"""Receipts that come twice, late, again or never, and of consumers that know another time: nothing is lost."""

import json

from toolcart.agent.log.framing import RETAINED_MAX
from toolcart.agent.log.log import LOG_DONE, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE
from toolcart.agent.log.snapshot_fields import MISSED
from toolcart.agent.mqtt.session import ACKS_MOST
from toolcart.agent.outlets.mqtt_receipts import RECEIPT_BELOW, RECEIPT_KNOWN, Receipts
from toolcart.agent.record import KIND_EVENT
from toolcart.base.clock import Dice
from host_tests.portable import HAS_ALL, LONG
from host_tests.support.log import Area, append_event, store
from host_tests.support.mqtt import BROKER, TOPIC, MqttBench
from lab.harness.mqtt_broker import Consumer

PORTABLE = True
HEAVY = True
HEAP = "4m"

BATCHES = 3
ONCE, TWICE, LATE, TWICE_AND_LATE, NEVER = range(5)
FATES = (ONCE, TWICE, LATE, TWICE_AND_LATE, NEVER)
LATE_MS = 3000
TIMEOUT_MS = 10000
CONNECT, PUBLISH, SUBSCRIBE, PINGREQ = 0x10, 0x30, 0x80, 0xC0


class Way(Consumer):
    """A consumer whose first receipts and batches meet these fates on their way."""

    def __init__(self, bench, receipts=(), batches=()):
        self.bench = bench
        self.fates = list(receipts)
        self.lost = list(batches)  # True for each that is lost
        self.late = []  # [when, topic, octets]
        self.batches = 0
        bench.broker.consumers = []
        Consumer.__init__(self, bench.broker)

    def work(self):
        """Nothing: it takes one batch at a time, in `pace`."""

    def pace(self, ms, pause_ms=100):
        """Let time pass; in each pause it commits one batch."""
        for _ in range(ms // pause_ms):
            self.bench.run(pause_ms)
            if self.queue and not self.away:
                self._take(*self.queue.pop(0))
            self.bring_late()

    def _take(self, topic, payload):
        self.batches += 1
        if not (self.lost and self.lost.pop(0)):
            Consumer._take(self, topic, payload)

    def confirm(self, topic, identity, number):
        octets = json.dumps({"identity": identity, "number": number}).encode()
        topic = topic[: -len("results")] + "receipt"
        fate = self.fates.pop(0) if self.fates else ONCE
        for _ in range((1, 2, 0, 1, 0)[fate]):
            self.broker.publish(topic, octets, True)
        if fate in (LATE, TWICE_AND_LATE):
            self.late.append((self.bench.clock.now + LATE_MS, topic, octets))

    def bring_late(self):
        """Bring what is due."""
        for one in [one for one in self.late if one[0] <= self.bench.clock.now]:
            self.late.remove(one)
            self.broker.publish(one[1], one[2], True)


def world(receipts=(), batches=()):
    """Return the bench and its consumer after three batches and a minute."""
    bench = MqttBench(limits={"records_most": 2, "window": 4})
    bench.consumer = way = Way(bench, receipts, batches)
    bench.run(1000)
    ids = bench.store(2 * BATCHES)
    way.pace(4000, 200)
    way.pace(60000, 1000)
    return bench, way, ids


def test_every_order_of_receipts_loses_nothing_and_repeats_nothing_without_need():
    fates = FATES if HAS_ALL else FATES[1:4]
    for first in fates:
        for second in fates:
            for third in fates:
                bench, way, ids = world((first, second, third))
                case = first, second, third
                assert bench.ids() == ids and bench.cursor.number == 2 * BATCHES, case
                assert bench.broker.complaints == [] and way.gaps == 0, case
                if third == NEVER:
                    assert 1 <= way.repeats <= 4, case
                elif LATE not in (first, second, third) and TWICE_AND_LATE not in (first, second):
                    assert way.repeats == 0 and bench.forward.counts.resent == 0, (case, way.repeats)
                else:  # a late one that is the last word may cost one look
                    assert way.repeats <= 2, (case, way.repeats)


def test_every_loss_of_batches_is_made_good_whatever_becomes_of_the_receipts():
    for lost in range(1, 8):
        for fate in FATES if HAS_ALL else (TWICE, NEVER):
            batches = [bool(lost >> index & 1) for index in range(BATCHES)]
            bench, way, ids = world((fate, fate), batches)
            assert bench.ids() == ids and bench.cursor.number == 2 * BATCHES, (lost, fate)
            assert way.batches <= 5 * BATCHES, (lost, fate, way.batches)


def test_receipt_that_comes_twice_sends_nothing_again():
    bench = MqttBench(limits={"records_most": 2, "window": 4})
    bench.consumer = way = Way(bench, [TWICE] * 100)
    ids = bench.store(80)
    way.pace(20000)
    assert bench.ids() == ids and way.repeats == 0 and way.batches == 40


def test_receipts_that_come_in_one_piece_are_all_heard_though_more_than_are_acknowledged_at_once():
    if not HAS_ALL:
        return  # a board reads fewer at once
    bench = MqttBench(wide=True, limits={"records_most": 1, "window": 40})
    bench.consumer.away = True
    bench.run(1000)
    bench.store(3 * ACKS_MOST)
    bench.run(1000)
    for number in range(1, 3 * ACKS_MOST + 1):
        receipt = {"identity": bench.forward.identity, "number": number}
        bench.broker.publish(TOPIC + "/receipt", json.dumps(receipt).encode(), False)
    bench.run(100)
    assert bench.forward.counts.receipts == bench.cursor.number == 3 * ACKS_MOST
    assert bench.broker.complaints == [] and bench.forward.step(bench.clock.now) > 100


def test_consumer_that_says_its_number_again_and_again_while_it_commits_gets_nothing_twice():
    bench = MqttBench(limits={"records_most": 2, "window": 4})
    bench.consumer = way = Way(bench)
    bench.run(1000)
    ids = bench.store(4)
    way.pace(1000)
    way.away = True  # a commit of nine seconds
    ids += bench.store(8)
    for _ in range(9):
        bench.run(1000)
        for topic, identity in way.have:
            way.confirm(topic, identity, way.have[topic, identity])
    way.away = False
    way.pace(1000)
    assert bench.ids() == ids and way.repeats == 0 and bench.status()["why"] == ""


def test_consumer_that_confirms_nothing_new_is_told_apart_from_a_silent_one():
    bench = MqttBench(limits={"records_most": 2, "window": 4})
    bench.consumer = way = Way(bench, (), [False] + [True] * 1000)
    bench.store(2)
    way.pace(1000)
    bench.store(20)
    for _ in range(60):
        way.pace(1000)
        for topic, identity in way.have:
            way.confirm(topic, identity, way.have[topic, identity])
    assert "the consumer confirms nothing new: its receipts name 2" in bench.status()["why"] and way.batches < 40


def gone_round(when_full):
    """Return a bench whose log has lost its oldest records, all confirmed."""
    bench = MqttBench()
    bench.log.blocks.when_full = when_full
    ids = []
    for _ in range(60):
        ids += bench.store(10)
        bench.until_confirmed()
        if bench.log.first_above(0) > 40:
            break
    assert 40 < bench.log.first_above(0) < bench.log.number - 20
    return bench, ids


def forget(bench, number):
    """The consumer has another number, and nothing of what it stored."""
    bench.consumer.records = []
    for key in bench.consumer.have:
        bench.consumer.have[key] = number


def test_consumer_older_than_the_log_gets_all_that_the_log_has():
    for number in (0, 5):
        bench, ids = gone_round(WHEN_FULL_OVERWRITE)
        oldest, newest = bench.log.first_above(0), bench.log.number
        forget(bench, number)
        bench.network.cut(BROKER[0], BROKER[1])
        ids += bench.store(1)
        bench.run(120000)
        assert bench.ids() == ids[oldest - 1 :] and bench.cursor.number == newest + 1
        status = bench.status()
        assert (status["given_again"], missed(bench)) == (newest - oldest + 1, oldest - 1 - number)


def forgetful(bench, kind, number):
    """From the next connection on the consumer is restored to `number`, once, behind the first packet of this kind."""
    consumer, made = bench.consumer, []

    def endpoint():
        session = bench.broker.endpoint()
        take = session._take

        def take_and_forget(first, body):
            take(first, body)
            if first & 0xF0 == kind and not made:
                made.append(session)
                consumer.restore(number)
                for topic, identity in consumer.have:
                    consumer.confirm(topic, identity, number)

        session._take = take_and_forget
        return session

    bench.network.listen(BROKER[0], BROKER[1], endpoint)
    bench.network.cut(BROKER[0], BROKER[1])
    assert bench.until(lambda: made)
    bench.run(50)


def test_consumer_that_is_restored_at_any_moment_of_a_connection_gets_all_again_though_nothing_new_is_made():
    for kind in (CONNECT, SUBSCRIBE, PINGREQ, PUBLISH):
        for ends in ("", "again", "empty", "reload", "cut"):
            if kind == CONNECT and ends == "empty":
                continue  # the agent has not heard it
            bench = MqttBench()
            ids = bench.store(20)
            bench.until_confirmed()
            assert bench.state.save_cursor(bench.cursor)
            forgetful(bench, kind, 5)
            if ends == "empty":
                bench.broker.retained = {}
            if ends in ("again", "empty"):
                bench.network.cut(BROKER[0], BROKER[1])
            elif ends:
                if ends == "reload":
                    bench.forward.stop()
                bench.cut()
            bench.run(30000)
            case = kind, ends
            assert bench.ids() == ids and bench.log.backlog_of(bench.cursor) == 0, case
            assert bench.broker.complaints == [] and missed(bench) == 0, case
            status = bench.status()
            if ends not in ("reload", "cut"):  # a start counts anew
                assert (status["given_again"], status["receipts_below"]) == (15, 1), case


def test_what_is_given_again_is_counted_whole_though_shorter_batches_were_tried_before_a_receipt_came():
    for silence_s in range(0, 120, 10):
        bench = MqttBench(limits={"records_most": 16, "window": 1})
        ids = bench.store(20)
        bench.until_confirmed()
        consumer = bench.consumer
        take = consumer._take

        def take_silently(topic, payload, consumer=consumer, take=take):
            consumer.mute = True
            take(topic, payload)
            consumer.mute = False

        consumer._take = take_silently
        forgetful(bench, SUBSCRIBE, 5)
        bench.run(1000 * silence_s)
        consumer._take = take
        (topic, identity), number = next(iter(consumer.have.items()))
        consumer.confirm(topic, identity, number)
        bench.run(200000)
        assert bench.ids() == ids and bench.log.backlog_of(bench.cursor) == 0, silence_s
        assert bench.status()["given_again"] == 15, silence_s


def test_no_batch_says_that_what_a_restored_consumer_lacks_was_sent_before():
    for kind in (CONNECT, SUBSCRIBE, PINGREQ, PUBLISH):
        bench = MqttBench()
        ids = bench.store(20)
        bench.until_confirmed()
        forgetful(bench, kind, 5)
        for _ in range(3):
            ids += bench.store(1)
            bench.run(1000)
        bench.run(30000)
        assert bench.ids() == ids and bench.broker.complaints == [], kind


def test_a_broker_that_keeps_no_receipt_costs_nothing_of_what_was_confirmed():
    for ends in ("again", "reload", "cut"):
        bench = MqttBench()
        ids = bench.store(20)
        bench.until_confirmed()
        assert bench.state.save_cursor(bench.cursor)
        bench.broker.retained = {}
        if ends == "again":
            bench.network.cut(BROKER[0], BROKER[1])
        else:
            if ends == "reload":
                bench.forward.stop()
            bench.cut()
        bench.run(30000)
        assert bench.consumer.repeats == 0 and bench.log.backlog_of(bench.cursor) == 0, ends
        ids += bench.store(1)
        bench.run(1000)
        assert bench.ids() == ids and bench.consumer.repeats == bench.consumer.gaps == 0, ends


def test_receipts_that_a_consumer_repeats_while_it_is_connected_to_send_nothing_again():
    for numbers in ((20, 18, 19, 20), (20, 20), (18, 20)):
        bench = MqttBench()
        ids = bench.store(20)
        bench.until_confirmed()
        consumer = bench.consumer
        bench.broker.retained = {}
        consumer.restore = lambda number: None
        confirm = consumer.confirm

        def repeat(topic, identity, number, numbers=numbers, confirm=confirm):
            for one in numbers if number == 0 else (number,):
                confirm(topic, identity, one)

        consumer.confirm = repeat
        forgetful(bench, SUBSCRIBE, 0)
        bench.run(60000)
        status = bench.status()
        assert bench.ids() == ids and consumer.repeats == 0 and bench.log.backlog_of(bench.cursor) == 0, numbers
        assert (status["receipts_below"], status["given_again"]) == (int(numbers[0] < 20), 0)


def test_what_is_to_be_given_again_waits_and_is_counted_once_though_the_spool_moves_on():
    bench, _ = gone_round(WHEN_FULL_OVERWRITE)
    oldest, newest = bench.log.first_above(0), bench.log.number
    forget(bench, 5)
    bench.broker.consumers = []
    topic, identity = next(iter(bench.consumer.have))
    bench.network.cut(BROKER[0], BROKER[1])
    bench.consumer.confirm(topic, identity, 5)
    bench.run(3000)
    assert bench.log.backlog_of(bench.cursor) == newest + 1 - oldest
    given_up = bench.state.missed_counts[bench.forward.index]
    for _ in range(newest):
        bench.store(1)
    bench.broker.consumers = [bench.consumer]
    bench.run(300000)
    have = [number for _, number, _ in bench.consumer.records]
    assert have[-1] == bench.log.number
    assert missed(bench) == have[0] - 6 > given_up


def test_consumer_that_lost_something_finds_it_kept_after_a_power_cut_too():
    bench = MqttBench()
    ids = bench.store(60)
    bench.until_confirmed()
    assert bench.state.save_cursor(bench.cursor)
    forget(bench, 20)
    bench.broker.consumers = []
    topic, identity = next(iter(bench.consumer.have))
    bench.consumer.confirm(topic, identity, 20)
    bench.network.cut(BROKER[0], BROKER[1])
    bench.run(3000)
    assert bench.log.backlog_of(bench.cursor) == 40
    bench.cut()
    assert bench.log.backlog_of(bench.cursor) == 40
    while bench.log.has_room(200):
        ids += bench.store(1)
    bench.broker.consumers = [bench.consumer]
    bench.run(300000)
    assert bench.ids() == ids[20:]


class Careless(Consumer):
    """It answers with the end of each batch, and stores what it lacks, by the tightening."""

    def _take(self, topic, payload):
        head, records = json.loads(payload.split(b"\n")[0]), payload.decode().split("\n")[1:-1]
        have = [one[2]["tightening_id"] for one in self.records]
        for record in [json.loads(line) for line in records]:
            if record["tightening_id"] not in have:
                self.records.append((head["identity"], record["number"], record))
        self.confirm(topic, head["identity"], head["last"])


def test_receipt_above_all_that_there_is_brings_all_from_the_oldest_record_once():
    bench, ids = gone_round(WHEN_FULL_OVERWRITE)
    oldest, newest = bench.log.first_above(0), bench.log.number
    topic, identity = next(iter(bench.consumer.have))
    bench.broker.consumers = []
    bench.consumer = other = Careless(bench.broker)
    other.confirm(topic, identity, newest + 1000)
    ids += bench.store(1)
    bench.run(120000)
    status = bench.status()
    assert bench.ids() == ids[oldest - 1 :] and bench.cursor.number == newest + 1 and status["why"] == ""
    assert (status["receipts_above"], status["given_again"], missed(bench)) == (
        1,
        newest - oldest + 1,
        oldest - 1,
    )


def test_receipt_above_with_the_right_one_behind_it_gives_nothing_again():
    bench = MqttBench()
    for count in range(1, 5):
        bench.consumer.mute = True
        bench.store(3)
        bench.run(1000)
        topic, identity = next(iter(bench.consumer.have))
        bench.consumer.mute = False
        batches = bench.forward.counts.batches
        bench.consumer.confirm(topic, identity, 3 * count + 1)
        bench.consumer.confirm(topic, identity, 3 * count)
        bench.run(1000)
        status = bench.status()
        assert (status["receipts_above"], status["given_again"], bench.cursor.number) == (count, 0, 3 * count)
        assert bench.forward.counts.batches == batches


def test_what_no_longer_counts_as_given_up_does_not_after_a_power_cut():
    for more in (0, 1):
        no_longer_counts(MqttBench(), more)


def no_longer_counts(bench, more):
    bench.store(3)
    bench.run(1000)
    topic, identity = next(iter(bench.consumer.have))
    bench.consumer.mute = True
    bench.store(3)
    bench.run(500)
    bench.consumer.mute = False
    bench.broker.consumers = []
    bench.consumer.confirm(topic, identity, 46)
    bench.run(1000)
    assert bench.log.state.durable[MISSED] > 0
    bench.broker.consumers = [bench.consumer]
    bench.consumer.confirm(topic, identity, 6)
    bench.store(more)
    bench.run(1000)
    assert missed(bench) == 0 and bench.cursor.number == 6 + more
    bench.cut()
    assert missed(bench) == 0
    bench.run(60000)
    assert missed(bench) == 0 and bench.status()["why"] == ""


def test_consumer_that_stays_above_all_that_there_is_gets_it_once_and_is_reported():
    bench, _ = gone_round(WHEN_FULL_OVERWRITE)
    oldest, newest = bench.log.first_above(0), bench.log.number
    forget(bench, newest + 1000)
    before = bench.forward.counts.batches
    bench.store(3)
    bench.run(600000)
    assert bench.cursor.number == oldest - 1, "it keeps all for it"
    why = bench.status()["why"]
    assert "more than this spool has" in why
    assert "until it names another number, as when it forgets this `identity`, or the agent starts once" in why
    assert bench.forward.counts.batches - before < (newest - oldest) // 8 + 40
    assert missed(bench) == newest + 1000, "what it takes for that"


def test_a_spool_that_is_full_below_a_number_of_a_newer_copy_goes_on_once_that_is_forgotten_and_at_no_start():
    for more in (2, 1000):
        bench, _ = gone_round(WHEN_FULL_REFUSE)
        number = bench.log.number + more
        forget(bench, number)
        bench.run(10000)
        for _ in range(2000):
            if not bench.log.has_room(bench.log.room_bytes):
                break
            bench.store(1)
            bench.run(20)
        bench.run(600000)
        stuck = bench.cursor.number
        assert not bench.log.has_room(bench.log.room_bytes) and stuck < bench.log.number < number
        bench.cut()
        bench.log.blocks.when_full = WHEN_FULL_REFUSE
        bench.run(600000)
        assert bench.cursor.number == stuck, "no start helps"
        forget(bench, 0)
        bench.network.cut(BROKER[0], BROKER[1])
        bench.run(600000)
        assert bench.cursor.number == bench.log.number, "it was forgotten"


NO_RECEIPT_OF_OURS = (
    "what comes as receipts is none, or is too long: one JSON object with `identity` and a whole `number` of its own, "
    "of at most 160 octets"
)
ODD_RECEIPTS = (  # what is published for what a consumer has up to this number, and what is said of it
    (lambda identity, number: octets_of("00000000", number), "the receipts that come name another spool"),
    (lambda identity, number: b"database down", NO_RECEIPT_OF_OURS),
    (lambda identity, number: octets_of(identity, number) + b" " * 5000, NO_RECEIPT_OF_OURS),
    (lambda identity, number: octets_of(identity, number + 7), "a receipt names more than this spool has"),
)


def octets_of(identity, number):
    return json.dumps({"identity": identity, "number": number}).encode()


def after_odd_receipts(made, away=False):
    """Return a bench whose consumer has three records and published these odd receipts since; `away`: nothing else."""
    bench = MqttBench()
    bench.store(3)
    bench.until_confirmed()
    bench.consumer.away = away
    for octets in made:
        bench.broker.publish(TOPIC + "/receipt", octets(bench.forward.identity, 3), True)
        bench.run(100)
    return bench


def test_right_receipt_ends_what_an_odd_one_explains():
    pairs = [(ODD_RECEIPTS[at], ODD_RECEIPTS[to]) for at in range(4) for to in range(4)]
    for pair in pairs if HAS_ALL else pairs[-4:]:
        for is_new, reconnects in ((True, False), (True, True), (False, False), (False, True)):
            case = [one[1] for one in pair], is_new, reconnects
            bench = after_odd_receipts([one[0] for one in pair])
            if is_new:
                bench.store(3)
                bench.until_confirmed()
            else:
                bench.consumer.confirm(TOPIC + "/results", bench.forward.identity, 3)
            bench.run(1000)
            if reconnects:
                bench.network.cut(BROKER[0], BROKER[1])
                bench.run(3000)
            bench.consumer.away = True
            bench.store(3)
            bench.run(60000)
            status = bench.status()
            assert (status["state"], status["why"]) == ("no receipts", "no receipt from a consumer"), (case, status)


def test_an_odd_receipt_explains_a_silence_until_a_right_one_comes():
    """The one that says most, where there were two kinds; a right one is one also if it confirms nothing new."""
    for odd in range(4):
        octets, why = ODD_RECEIPTS[odd]
        bench = after_odd_receipts([octets] + [ODD_RECEIPTS[at][0] for at in range(odd)], away=True)
        bench.broker.retained = {}
        bench.store(3)
        bench.run(60000)
        assert bench.status()["why"].startswith(why), (why, bench.status()["why"])
        bench.broker.publish(TOPIC + "/receipt", octets_of(bench.forward.identity, 2), False)
        bench.run(100)
        nothing_new = "the consumer confirms nothing new: its receipts name 2"
        assert bench.status()["why"] == ("" if odd == 3 else nothing_new), why  # it was gone back to 0 for the last


def test_what_is_no_receipt_confirms_nothing_and_is_reported():
    for form, reason in (
        ('{"error":"database down","refused":%s}', "what comes as receipts is none"),
        ("[%s]", "what comes as receipts is none"),
        ('%s {"identity"', "what comes as receipts is none"),
        ('{"identity":"00000000","number":1,"of":%s}', "the receipts that come name another spool"),
        ("%s" + " " * 5000, NO_RECEIPT_OF_OURS),
    ):
        bench = MqttBench()
        consumer = bench.consumer

        def confirm(topic, identity, number, form=form, consumer=consumer):
            words = form % json.dumps({"identity": identity, "number": number})
            consumer.broker.publish(topic[: -len("results")] + "receipt", words.encode(), True)

        consumer.confirm = confirm
        bench.store(3)
        bench.run(60000)
        assert bench.cursor.number == 0 and bench.status()["why"].startswith(reason), (form, bench.status()["why"])


def test_too_long_receipt_is_counted_as_one_that_cannot_be_read():
    bench = MqttBench()
    bench.store(3)
    bench.until_confirmed()
    counts = bench.forward.counts
    most = bench.forward.receipt_bytes
    octets = octets_of(bench.forward.identity, 3)
    for length in (most, most + 3, 4000, 70000):
        before = counts.receipts, counts.receipts_unreadable
        bench.broker.publish(TOPIC + "/receipt", octets + b" " * (length - len(octets)), False)
        bench.run(1000)
        expected = (before[0] + 1, before[1]) if length == most else (before[0], before[1] + 1)
        assert (counts.receipts, counts.receipts_unreadable) == expected, length
    assert counts.unexpected == 0


def test_receipt_below_what_was_confirmed_goes_back_though_the_flash_refuses_reads():
    for refuses in (False, True):
        area = Area()
        log = area.mount()[1]
        store(log, range(1, 6))
        cursor = log.cursors[0]
        log.seek(cursor, 5)
        progress = Receipts(log, cursor, True, 10, TIMEOUT_MS)
        progress.stand_at_cursor()
        area.flash.unreadable = range(area.flash.block_count) if refuses else ()
        assert progress.put_receipt(2, 0, 0) == RECEIPT_BELOW
        assert (progress.scout.number, progress.base) == (2, 2)


def test_no_consumer_lacks_anything_where_none_is_waited_for_though_the_flash_refuses_reads():
    area = Area()
    log = area.mount()[1]
    store(log, range(1, 6))
    assert append_event(log, 6) == LOG_DONE
    cursor = log.cursors[0]
    cursor.wants |= 1 << (KIND_EVENT & 15)
    log.seek(cursor, 5)
    progress = Receipts(log, cursor, False, 10, TIMEOUT_MS)
    progress.begin()
    assert progress.go_back(0) == RECEIPT_KNOWN and log.peek(progress.scout) == KIND_EVENT
    progress.scout.advance()
    progress.confirm(0)
    area.flash.unreadable = range(area.flash.block_count)
    progress.stand_at_cursor()
    assert progress.go_back(0) == RECEIPT_KNOWN and progress.base == cursor.number == 6


def test_receipt_without_the_last_one_goes_back_while_that_is_in_doubt():
    area = Area()
    log = area.mount()[1]
    store(log, range(1, 6))
    log.seek(log.cursors[0], 5)
    assert area.state.save()
    log = area.mount()[1]
    assert log.doubtful and log.visible == 4
    progress = Receipts(log, log.cursors[0], True, 10, TIMEOUT_MS)
    progress.stand_at_cursor()
    assert progress.put_receipt(4, 0, 0) == RECEIPT_BELOW
    assert log.settle() and log.peek(progress.scout) > 0 and progress.scout.found == 5


def overwriting(dice, batches=()):
    """Return a bench with a small log that overwrites, and its consumer, which is slow; it loses some batches."""
    limits = {"records_most": 8, "window": 1 + dice.randrange(6)}
    bench = MqttBench(limits=limits, blocks=14, durable=dice.randrange(2) == 0)
    bench.log.blocks.when_full = WHEN_FULL_OVERWRITE
    bench.consumer = Way(bench, (), batches)
    bench.run(3000)
    return bench, bench.consumer


def lacks(bench, way):
    return bench.log.number - len({number for _, number, _ in way.records})


def missed(bench):
    return bench.state.missed_counts[bench.forward.index]


def test_what_the_spool_gives_up_on_its_way_is_not_missed_once_it_is_confirmed():
    counted, lives = 0, 12 if LONG else 4
    for seed in range(lives):
        dice = Dice(seed)
        bench, way = overwriting(dice)
        for _ in range(40):
            bench.store(dice.randrange(24))
            counted += missed(bench)
            way.pace(100 * (1 + dice.randrange(3)))
        way.pace(60000)
        assert missed(bench) == lacks(bench, way), seed
    assert counted > 80 * lives


def test_what_is_counted_is_never_less_than_a_consumer_lacks():
    for seed in range(12 if LONG else 2):
        dice = Dice(seed)
        bench, way = overwriting(dice, [dice.randrange(6) == 0 for _ in range(300)])
        for _ in range(40):
            bench.store(dice.randrange(20))
            way.pace(100 * (1 + dice.randrange(3)))
            day = dice.randrange(12)
            if day == 0:
                bench.network.cut(*BROKER)
            elif day == 1:
                way.restore(dice.randrange(len(way.records) + 1))
        way.lost = []
        for pause_ms in (400000, 100000):
            bench.store(1)
            way.pace(pause_ms)
            bench.network.cut(*BROKER)
        assert missed(bench) >= lacks(bench, way) > 0, seed


def test_a_consumer_that_was_exchanged_lacks_what_is_counted_though_the_spool_goes_on_while_it_is_sent_again():
    bench, _ = gone_round(WHEN_FULL_OVERWRITE)
    given_up = missed(bench)
    topic, identity = next(iter(bench.consumer.have))
    forget(bench, 0)
    bench.consumer.confirm(topic, identity, 0)
    bench.network.cut(*BROKER)
    bench.until(lambda: bench.forward.progress.scout.number > bench.cursor.number > bench.forward.progress.base)
    out = bench.forward.progress.scout.number - bench.cursor.number
    bench.store(1)  # the log gives up a block, which begins with what is on its way
    assert missed(bench) - given_up > out > 0
    bench.run(100000)
    have = {number for _, number, _ in bench.consumer.records}
    assert missed(bench) - given_up == bench.log.number - len(have)


def stopped_behind_ten():
    """A bench whose ten records are confirmed and that was stopped in order, and what its consumer knows it by."""
    bench = MqttBench()
    bench.store(10)
    bench.until_confirmed()
    bench.forward.stop()
    bench.cut()
    ((topic, identity),) = bench.consumer.have
    return bench, topic, identity


def test_what_a_consumer_takes_for_a_newer_copy_stays_counted_through_all_starts():
    for ends in ("ccc", "sss", "csc"):
        bench, topic, identity = stopped_behind_ten()
        bench.consumer.have[topic, identity] = 20  # of records that are gone
        bench.consumer.confirm(topic, identity, 20)
        for at, end in enumerate(ends):
            bench.store(2)
            bench.run((5000, 120000, 5000)[at])
            assert bench.log.state.missed_counts[1] == 10, (ends, at)
            if end == "s":
                bench.forward.stop()
            bench.cut()
            assert bench.log.state.missed_counts[1] == 10, (ends, at)
        made = bench.store(8)
        bench.run(200000)
        bench.cut()
        bench.run(200000)
        assert bench.ids()[-4:] == made[-4:] and bench.status()["why"] == ""
        assert bench.log.state.missed_counts[1] == 10
        bench.forward.stop()
        bench.cut()
        above = bench.log.number + 5
        bench.consumer.have[topic, identity] = above
        bench.consumer.confirm(topic, identity, above)
        bench.run(120000)
        assert bench.log.state.missed_counts[1] == 15, "another time it is another copy"


def test_of_several_numbers_that_were_never_sent_the_latest_counts_whatever_ends_between():
    for numbers in ((20, 4, 21), (4, 21, 5), (21, 4, 4), (4, 5, 6)):
        for kills in ((False, False), (False, True), (True, False), (True, True)):
            bench, topic, identity = stopped_behind_ten()
            bench.broker.consumers = []
            for at, number in enumerate(numbers):
                number += 480
                bench.store(2)
                bench.consumer.confirm(topic, identity, 10 + number)
                bench.run(20000)
                assert missed(bench) == number, (numbers, kills, at)
                if at < 2 and kills[at]:
                    bench.cut()
                    assert missed(bench) == number
            bench.broker.consumers = [bench.consumer]
            bench.consumer.confirm(topic, identity, 10)
            bench.run(120000)
            assert bench.log.backlog_of(bench.cursor) == 0 and bench.status()["why"] == ""
            assert missed(bench) == 0, (numbers, kills)
            bench.cut()
            assert missed(bench) == 0


def test_what_a_consumer_lacks_that_named_numbers_up_and_down_through_a_start_is_counted_whole():
    bench, topic, identity = stopped_behind_ten()
    bench.broker.consumers = []
    for number in (40, 24):
        bench.consumer.confirm(topic, identity, number)
        bench.store(1)
        bench.run(12000)
    bench.cut()
    bench.consumer.confirm(topic, identity, 41)
    bench.run(3000)
    assert missed(bench) == 31
    made = bench.store(40)
    bench.run(20000)
    bench.consumer.have[topic, identity] = 41
    bench.broker.consumers = [bench.consumer]
    bench.forward.stop()
    bench.cut()
    bench.run(200000)
    lacks = 12 + 40 - len(set(bench.ids()))
    assert bench.ids()[-1] == made[-1] and lacks == 31 == missed(bench)


def test_a_number_that_is_too_far_away_counts_nothing_and_the_reason_says_so():
    far = "; that number is more than 99990 above the spool's newest: nothing counts as given up for it"
    for above in (1000, RETAINED_MAX, RETAINED_MAX + 1, 2000000000):
        bench, topic, identity = stopped_behind_ten()
        number = bench.log.number + above
        bench.consumer.have[topic, identity] = number
        bench.consumer.confirm(topic, identity, number)
        bench.run(5000)
        assert bench.log.state.missed_counts[1] == (0 if above > RETAINED_MAX else above), above
        bench.store(1)
        bench.run(400000)
        is_far = above > RETAINED_MAX + 1  # the log has come nearer by one
        assert bench.log.state.missed_counts[1] == (0 if is_far else above), above
        why = bench.status()["why"]
        assert why.startswith("a receipt names more than this spool has: ") and why.endswith(far) == is_far, why


def test_what_a_consumer_takes_for_a_newer_copy_of_the_spool_is_counted():
    for forgets in (False, True):
        bench = MqttBench()
        made = bench.store(10)
        bench.until_confirmed()
        ((topic, identity),) = bench.consumer.have
        bench.cut()
        bench.consumer.have[topic, identity] = 16  # of records that are gone
        bench.consumer.confirm(topic, identity, 16)
        newer = bench.store(2)
        bench.run(120000)
        assert bench.cursor.number == 0 and "more than this spool has" in bench.status()["why"]
        assert bench.log.state.missed_counts[1] == 6, "it takes them for what it had"
        if forgets:
            bench.consumer.have[topic, identity] = 0
            bench.consumer.records = []
            bench.consumer.confirm(topic, identity, 0)
            bench.run(120000)
            assert bench.ids() == made + newer and bench.log.state.missed_counts[1] == 0
        newer += bench.store(12)
        bench.run(200000)
        if not forgets:
            assert bench.ids() == made and "more than this spool has" in bench.status()["why"]
            bench.cut()
            bench.run(200000)
        assert bench.ids() == made + newer[0 if forgets else 6 :] and bench.status()["why"] == ""
        assert bench.log.state.missed_counts[1] == (0 if forgets else 6)
        bench.consumer.have[topic, identity] = 0
        bench.consumer.records = []
        bench.consumer.confirm(topic, identity, 0)
        bench.run(200000)
        assert bench.ids() == made + newer and bench.log.state.missed_counts[1] == 0, "it has all"
        bench.cut()
        assert bench.log.state.missed_counts[1] == 0


def test_a_subscription_that_the_broker_has_forgotten_is_made_again():
    for is_kept in (True, False):
        bench = MqttBench(limits={"records_most": 8, "window": 4})
        bench.store(5)
        bench.until_confirmed()
        connections = len(bench.broker.sessions)
        bench.broker.sessions[0].topics = ()
        if not is_kept:
            bench.broker.retained = {}
        ids = bench.store(20)
        bench.run(120000)
        assert bench.cursor.number == 25 and bench.status()["why"] == "" and len(bench.broker.sessions) == connections
        assert bench.ids()[5:] == ids and bench.broker.complaints == []


def test_a_receipt_that_the_broker_kept_is_none_of_a_consumer_that_is_away():
    bench = MqttBench(limits={"records_most": 8})
    bench.store(5)
    bench.until_confirmed()
    bench.consumer.away = True
    bench.store(5)
    bench.run(400000)
    assert bench.status()["why"] == "no receipt from a consumer"
    bench.consumer.away = False
    bench.consumer.work()
    bench.run(1000)
    assert bench.cursor.number == 10 and bench.status()["why"] == ""
