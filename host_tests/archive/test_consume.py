"""The consumer of batches: its rules beside a model that knows nothing of it, and all that a broker can bring."""

import itertools
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolcart.archive.consume import broker, presence
from toolcart.archive.consume.batch import PAYLOAD_MOST, Unreadable, read
from toolcart.archive.consume.broker import Address
from toolcart.archive.consume.consumer import Consumer
from toolcart.archive.database import queries, sequence_gaps
from toolcart.archive.storage import maintenance
from host_tests.archive.batches import Peer, kept, line, message
from host_tests.portable import LONG
from host_tests.support.archive import place_in
from host_tests.support.brokers import Mosquitto, need_amqtt
from host_tests.support.consumer_model import Model
from host_tests.support.running import wait_for

DEADLINE_S = 30.0
COUNT = itertools.count()


# -- the rules -----------------------------------------------------------------------------------------------------


@st.composite
def batches(draw):
    """A batch of one of two topics and three spools, in any relation to those before it."""
    topic, spool = draw(st.integers(0, 1)), draw(st.integers(0, 2))
    after = draw(st.integers(0, 12))
    last = after + draw(st.integers(0, 6))
    numbers = [number for number in range(after + 1, last + 1) if draw(st.booleans())]
    return topic, spool, after, last, numbers, draw(st.integers(0, 9)) > 0


class Example:
    """One course of things, at two topics and stations of its own."""

    count = 0

    def __init__(self, archive):
        Example.count += 1
        self.archive = archive
        self.first = 2 * Example.count
        self.topics = [f"toolcart/{Example.count}/{topic}" for topic in (0, 1)]

    def ident(self, topic, spool, number):
        """The tightening ID of a record."""
        return 100_000 * (self.first + topic) + 1000 * spool + number

    def batch(self, topic, spool, after, last, numbers, waits):
        station = self.first + topic
        lines = [line(number, self.ident(topic, spool, number), station=station) for number in numbers]
        confirm = "consumer" if waits else "broker"
        return read(self.topics[topic], message(after, last, lines, f"0000000{spool}", station, confirm=confirm))

    def compare_with_model(self, commits):
        model, archive = Model(), self.archive
        for drawn in commits:
            wanted = [model.take(one[0], one[1], *one[2:5], waits=one[5]) for one in drawn]
            assert archive.take([self.batch(*one) for one in drawn]) == wanted
        mine = f'"Station" IN ({self.first}, {self.first + 1})'
        idents = archive.ask(f'SELECT "TighteningId" FROM "Result" WHERE {mine} ORDER BY "ResultId"')
        assert [row[0] for row in idents] == [self.ident(*one) for one in model.stored]
        sequences = archive.ask(f'SELECT "Station", "Sequence" FROM "Result" WHERE {mine}')
        assert len(set(sequences)) == len(sequences)
        numbers = archive.ask(f'SELECT "Topic", "Identity", "Number" FROM "Consumed" WHERE {mine}')
        assert {(self.topics.index(topic), int(identity)): number for topic, identity, number in numbers} == model.have
        assert archive.log == []


@pytest.fixture(scope="module")
def on_each(new_place):
    """A writer on each database in turn."""
    with kept(new_place()) as archive:
        yield archive


@settings(deadline=None, max_examples=400 if LONG else 30, database=None)
@given(commits=st.lists(st.lists(batches(), min_size=1, max_size=6), min_size=1, max_size=6))
def test_what_is_stored_and_confirmed_is_what_the_contract_has(on_each, commits):
    Example(on_each).compare_with_model(commits)


def test_a_new_spool_goes_on_where_the_old_one_ended(tmp_path):
    with kept(place_in(tmp_path)) as archive:
        first = read("b", message(0, 3, [line(number, 100 + number) for number in (1, 2, 3)]))
        other = read("b", message(0, 2, [line(number, 200 + number) for number in (1, 2)], "0000000b"))
        assert archive.take([first]) + archive.take([other]) == [(3, "stored"), (2, "stored")]
        with archive.engine.connect() as connection:
            assert list(sequence_gaps.check(connection)) == []
        assert archive.ask("SELECT Number FROM Result ORDER BY ResultId") == [(number,) for number in range(1, 6)]


def test_tightening_that_is_there_under_another_number_is_counted_and_not_doubled(tmp_path):
    with kept(place_in(tmp_path)) as archive:
        archive.take([read("b", message(0, 1, [line(1, 77)]))])
        again = [line(2, 77, again=True), line(3, 77, torque="42.38"), line(4, 78), line(5, 78, again=True)]
        assert archive.take([read("b", message(1, 5, again))]) == [(5, "stored")]
        assert archive.ask("SELECT TighteningId, Torque, Arrivals FROM Result") == [
            (77, 42.37, 2),
            (77, 42.38, 1),
            (78, 42.37, 2),
        ]
        assert again_of(archive) == 2


def again_of(archive):
    """How many came again: as `archive check` counts them, as the figures of `archive serve` have it."""
    with archive.engine.connect() as connection:
        counts = [gap.count for gap in sequence_gaps.check(connection) if gap.kind == "again"]
    assert sum(counts) == archive.writer.repeated
    return sum(counts)


def test_what_came_by_toolsnet_and_by_a_broker_is_counted_once_for_each_arrival(tmp_path):
    with kept(place_in(tmp_path)) as archive:
        archive.take([read("b", message(0, 2, [line(1, 77), line(2, 78)]))])
        archive.take([read("b", message(0, 2, [line(1, 77), line(2, 78)]))])  # a repeat, of which nothing is looked at
        assert again_of(archive) == 0
        archive.take([read("c", message(0, 3, [line(1, 77), line(2, 78), line(3, 79)], "0000000c"))])
        archive.take([read("d", message(0, 2, [line(1, 77), line(2, 79)], "0000000d"))])
        assert again_of(archive) == 4
        assert archive.ask("SELECT TighteningId, Arrivals FROM Result") == [(77, 3), (78, 2), (79, 2)]


def test_numbers_that_end_alike_are_two_results_of_one_second(tmp_path):
    with kept(place_in(tmp_path)) as archive:
        archive.take([read("b", message(0, 1, [line(1, 5)]))])
        much_later = read("b", message(1, 100_000, [line(100_000, 6)]))
        assert archive.take([much_later]) == [(100_000, "stored")]
        assert archive.ask("SELECT TighteningId, Number FROM Result") == [(5, 1), (6, 100_000)]
        assert archive.ask("SELECT * FROM Breach") == [] and again_of(archive) == 0


def test_what_is_forgotten_is_taken_again_and_what_is_imported_is_not(tmp_path):
    place, copy = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    four = [line(number, 50 + number) for number in (1, 2, 3, 5)]
    whole, behind = read("b", message(0, 6, four)), read("b", message(6, 7, [line(7, 57)]))
    other = read("c", message(0, 1, [line(1, 99, station=8)], station=8))
    with kept(place) as archive:
        archive.take([whole])
        archive.take([other])
    maintenance.take_from(str(copy), str(place), lambda share: None)
    maintenance.forget_newest(str(place), 3)  # the other station's only one, and two of four
    with kept(place) as archive:
        assert archive.take([behind]) == [(2, "gap")]
        assert archive.take([whole]) == [(6, "stored")] and archive.take([other]) == [(1, "stored")]
        results = archive.ask("SELECT TighteningId, Number FROM Result WHERE Station = 7 ORDER BY ResultId")
        assert results == [(51, 1), (52, 2), (53, 3), (55, 5)]
    with kept(copy) as archive:
        assert archive.take([whole]) == [(6, "repeated")] and archive.take([behind]) == [(7, "stored")]
        assert archive.ask("SELECT COUNT(*) FROM Result") == [(6,)]


def test_a_frame_is_kept_as_a_breach_in_the_same_commit(tmp_path):
    with kept(place_in(tmp_path)) as archive:
        frame = {"schema": 1, "type": "frame", "station": 7, "number": 2, "frame": "0012\x00A", "cut_short": False}
        assert archive.take([read("b", message(0, 2, [line(1), frame]))]) == [(2, "stored")]
        assert archive.ask("SELECT Peer, Field, Found FROM Breach") == [("b", "message 2", "0012\\x00A")]


# -- what is refused -----------------------------------------------------------------------------------------------

GOOD = message(0, 2, [line(1), line(2)])
REFUSED = {
    "empty": b"",
    "binary": bytes(range(256)),
    "not JSON": b"hello\n",
    "a list": b"[1]\n",
    "deep": b"[" * 100_000,
    "NaN": GOOD.replace(b'"angle":95', b'"angle":NaN', 1),
    "infinite": GOOD.replace(b'"angle":95', b'"angle":1e999', 1),
    "endless digits": GOOD.replace(b'"angle":95', b'"angle":' + b"9" * 5000, 1),
    "schema unknown": message(0, 2, [line(1), line(2)], schema=2),
    "schema of a line": message(0, 1, [line(1, schema=True)]),
    "count": message(0, 2, [line(1), line(2)], count=3),
    "a line is missing": GOOD[: GOOD.rindex(b'{"schema"')],
    "half a line": GOOD[:-20],
    "not ascending": message(0, 2, [line(2), line(1)]),
    "twice the same": message(0, 2, [line(1), line(1)]),
    "at after": message(1, 2, [line(1), line(2)]),
    "above last": message(0, 1, [line(1), line(2)]),
    "last below after": message(3, 2, []),
    "negative": message(-1, 2, []),
    "too large": message(0, 2**32, []),
    "a number that is none": message(0, 2, [line("1")]),
    "true is no number": message(0, True, []),
    "identity": message(0, 2, [], identity="0000000A"),
    "no identity": message(0, 2, [], identity=None),
    "station": message(0, 2, [], station=0),
    "another station in a line": message(0, 1, [line(1, station=8)]),
    "an event": message(0, 1, [line(1, type="event")]),
    "confirm": message(0, 1, [], confirm="nobody"),
    "huge": b"x" * (PAYLOAD_MOST + 1),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_no_batch_is_refused_as_a_whole(name):
    with pytest.raises(Unreadable) as why:
        read("b", REFUSED[name])
    assert 0 < len(str(why.value)) < 400


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(deadline=None, max_examples=200 if LONG else 50, database=None)
def test_nothing_else_comes_out_of_reading(octets):
    for tried in (octets, GOOD[:50] + octets, GOOD.replace(b'"42.37"', octets, 1)):
        try:
            read("b", tried)
        except Unreadable:
            pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [*line(1), "spindles", "odd", "tool_serial", "identifier_2", "torque_min", "angle_target", "job"]
)


@given(st.dictionaries(NAMES, JSON, max_size=6))
@settings(deadline=None, max_examples=150 if LONG else 50, database=None)
def test_whatever_a_field_is_the_batch_is_refused_or_stored(on_each, fields):
    try:
        batch = read("b", message(0, 1, [{**line(1), **fields}]))
    except Unreadable:
        return
    other = replace(batch, topic=f"fields/{next(COUNT)}")
    assert on_each.take([other]) == [(1, "stored")] and on_each.log == []


def test_numbers_that_no_column_takes_do_not_stop_a_station(on_each):
    fields = {"vin": "x" * 300 + "\0", "tool_serial": "\0" * 20, "program": 10**9, "spindle": 2**40, "odd": "ü" * 50}
    batch = read("b", message(0, 1, [line(1, 10**30, **fields, torque="9" * 40, angle=1e300, batch_size=2**60)]))
    odd = replace(batch, topic=f"numbers/{next(COUNT)}")
    assert on_each.take([odd]) == [(1, "stored")] and on_each.log == []


# -- with a broker -------------------------------------------------------------------------------------------------


@contextmanager
def consuming(port, place, filters=("toolcart/#",), passes_gaps=False):
    with kept(place) as archive:
        address = Address("127.0.0.1", port, filters=filters, client_id="test")
        archive.consumer = Consumer(address, archive.writer, archive.log.append, passes_gaps)
        wait_for(lambda: archive.log, lambda: archive.consumer.broker.is_connected)
        try:
            yield archive
        finally:
            archive.consumer.close()


@pytest.mark.parametrize("kind", [lambda: Mosquitto, need_amqtt], ids=["mqtt 5", "mqtt 3 alone"])
def test_good_and_bad_on_the_whole_way(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(broker, "CONNECT_S", 1.0)  # silence to MQTT 5; where an answer is late, that is tried again
    with kind()(tmp_path) as one, consuming(one.port, place_in(tmp_path)) as archive, Peer(one.port) as peer:
        good_and_bad(archive, peer)


def good_and_bad(archive, peer):
    counted = archive.consumer.counted.of
    peer.send(GOOD)
    assert peer.wait(1) == ("toolcart/x/receipt", {"identity": "0000000a", "number": 2}, False)
    peer.send(message(5, 6, [line(6)]))
    assert peer.wait(2)[1] == {"identity": "0000000a", "number": 2}
    refused = [octets for octets in REFUSED.values() if len(octets) < PAYLOAD_MOST]
    for octets in refused:
        peer.send(octets)
    peer.send(b"junk", topic="toolcart/x/other")
    peer.send(b'{"schema":1,"online":true}', topic="toolcart/x/state")
    peer.send(GOOD)
    assert peer.wait(3)[1] == {"identity": "0000000a", "number": 2}
    peer.send(message(2, 9, [line(9)]))
    assert peer.wait(4)[1] == {"identity": "0000000a", "number": 9}
    peer.send(message(0, 1, [line(1, 55, station=8)], "0000000b", 8))
    assert peer.wait(5)[1] == {"identity": "0000000b", "number": 1}
    # What a batch counts last; its receipt is out before.
    wait_for(lambda: (counted, archive.log), lambda: counted["two_stations"] == 1)
    wait_for(lambda: (counted, archive.log), lambda: counted["unreadable"] == len(refused))
    assert (counted["gaps"], counted["batches_repeated"], counted["other_topics"]) == (1, 1, 1)
    assert (counted["missing_numbers"], counted["two_stations"], counted["results"]) == (6, 1, 4)
    assert len([text for text in archive.log if "unreadable" in text]) == 1  # the first of an hour
    wait_for(lambda: archive.log, lambda: len(archive.ask("SELECT * FROM Breach")) == 5)
    fields = {row[0] for row in archive.ask("SELECT Field FROM Breach")}
    assert fields == {"gaps", "unreadable", "other topics", "missing numbers", "two stations"}


EVENT = {"schema": 1, "type": "event", "station": 7, "number": 3, "event": "alarm", "code": "E404", "text": "hot"}


def test_alarm_and_curve_come_to_their_results_and_frame_to_the_breaches(tmp_path):
    curve = {"schema": 1, "type": "graph", "station": 7, "number": 1, "result": 2, "curve": "torque", "unit": "Nm"}
    curve |= {"result_time": line(2)["time"], "spindle": 1, "program": "12", "samples": [1, 2], "steps": [[2, 1]]}
    with Mosquitto(tmp_path) as one, consuming(one.port, place_in(tmp_path)) as archive, Peer(one.port) as peer:
        early = {**EVENT, "number": 1}
        peer.send(json.dumps(early), topic="toolcart/x/alarms")
        wait_for(lambda: archive.log, lambda: archive.consumer.counted.of["curves_left_out"] == 1)
        peer.send(GOOD)
        peer.wait(1)
        for _ in range(2):
            peer.send(json.dumps({**EVENT, "time": "2026-03-14T09:00:00"}), topic="toolcart/x/alarms")
            peer.send(json.dumps(curve), topic="toolcart/x/curves")
        peer.send(json.dumps({**curve, "curve": "current"}), topic="toolcart/x/curves")
        peer.send(json.dumps({**curve, "samples": [40000]}), topic="toolcart/x/curves")
        counted = archive.consumer.counted.of
        wait_for(lambda: counted, lambda: (counted["unreadable"], counted["events"], counted["curves"]) == (1, 2, 2))
        assert counted["curves_left_out"] == 2
        assert archive.ask("SELECT System, Station, -Sequence, Code, Arrivals FROM Event") == [(3, 7, 3, 404, 2)]
        assert archive.ask("SELECT -Sequence, GraphType, Arrivals FROM Graph") == [(2, 0, 2)]
        with archive.engine.connect() as connection:
            [row] = queries.results(connection, queries.ResultFilter(tightening_id=2))
            assert len(queries.result(connection, row["ResultId"])["Graphs"]) == 1


def test_what_cannot_be_read_of_a_line_is_counted_and_shown_once_an_hour(tmp_path):
    each = [{"spindle": number, "status": "OK", "torque": "x", "angle": 5} for number in (1, 2)]
    odd = [line(1, torque="12,34"), line(2, torque="NaN", angle=True), line(3, spindles={"told": 2, "each": each})]
    with Mosquitto(tmp_path) as one, consuming(one.port, place_in(tmp_path)) as archive, Peer(one.port) as peer:
        for _ in range(2):  # what is there already is not counted again
            peer.send(message(0, 3, odd))
        peer.send(message(3, 5, [line(4, time="2026-13-45T00:00:00"), line(5)]))
        counted = archive.consumer.counted.of
        wait_for(lambda: counted, lambda: counted["batches_stored"] == 2)
        wait_for(lambda: peer.messages, lambda: peer.messages and peer.messages[-1][1]["number"] == 5)
        assert counted["batches_repeated"] == 1
        assert (counted["unread_fields"], counted["unreadable"], counted["results"]) == (5, 0, 5)
        wait_for(lambda: archive.log, lambda: len(archive.ask("SELECT * FROM Breach")) == 4)
        found = archive.ask("SELECT Peer, Field, Found FROM Breach ORDER BY Field")
        assert found[0][:2] == ("toolcart/x", "angle") and json.loads(found[1][2])["time"] == "2026-13-45T00:00:00"
        assert [row[1:] for row in found[2:]] == [("spindles.each[0].torque", '"x"'), ("torque", '"12,34"')]
        assert archive.ask("SELECT DISTINCT Torque FROM Result ORDER BY 1") == [(None,), (42.37,)]
        peer.send(json.dumps({**EVENT, "count": 1.5}), topic="toolcart/x/alarms")
        peer.send(json.dumps({**EVENT, "time": "2026-13-45T00:00:00"}), topic="toolcart/x/alarms")
        wait_for(lambda: counted, lambda: (counted["events"], counted["unreadable"]) == (1, 1))
        assert counted["unread_fields"] == 6


def test_a_station_that_is_online_is_known_though_nothing_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(presence, "BEAT_S", 0.0)
    statement = 'SELECT "Heard" FROM "TNMapStation" WHERE "Station" = 7'
    old = [("20200101000000",)]

    def make_old(writer):
        writer.change(lambda connection: None)  # what was heard until now is committed behind this one
        writer.change(lambda connection: connection.exec_driver_sql(f"UPDATE TNMapStation SET Heard = '{old[0][0]}'"))

    with Mosquitto(tmp_path) as one, Peer(one.port) as peer:
        with consuming(one.port, place_in(tmp_path), ("toolcart/+",)) as archive:
            peer.send(GOOD)
            peer.wait(1)
        peer.send(b'{"schema":1,"online":true,"reason":""}', topic="toolcart/x/state", retain=True)
        with consuming(one.port, place_in(tmp_path), ("toolcart/+",)) as archive:
            make_old(archive.writer)
            wait_for(lambda: archive.log, lambda: archive.ask(statement) != old)
            peer.send(b'{"schema":1,"online":false,"reason":"stopped"}', topic="toolcart/x/state", retain=True)
            wait_for(lambda: archive.log, lambda: archive.consumer.figures()["consumed_stations_online"] == 0)
            make_old(archive.writer)
            peer.send(b'{"online":1}', topic="toolcart/x/state")  # read by the thread that beats each time it reads
            wait_for(lambda: archive.log, lambda: archive.consumer.counted.of["unreadable"] == 1)
            for _ in range(2):
                archive.writer.change(lambda connection: None)
            assert archive.ask(statement) == old


def test_what_is_retained_on_a_results_topic_is_left(tmp_path):
    with Mosquitto(tmp_path) as one:
        with Peer(one.port) as peer:
            peer.send(GOOD, retain=True)
        with consuming(one.port, place_in(tmp_path)) as archive, Peer(one.port) as peer:
            wait_for(lambda: archive.log, lambda: archive.consumer.counted.of["retained"] == 1)
            peer.send(GOOD)
            assert peer.wait(1)[1]["number"] == 2


def test_what_comes_while_the_consumer_is_away_waits_at_the_broker(tmp_path):
    with Mosquitto(tmp_path) as one:
        with consuming(one.port, place_in(tmp_path)):
            pass
        with Peer(one.port) as peer:
            peer.send(message(0, 2, [line(1), line(2)], confirm="broker"))
            with consuming(one.port, place_in(tmp_path)) as archive:
                peer.wait(1)
                assert archive.ask("SELECT COUNT(*) FROM Result") == [(2,)]


def test_gaps_are_passed_where_nothing_is_sent_again(tmp_path):
    with Mosquitto(tmp_path) as one, consuming(one.port, place_in(tmp_path), passes_gaps=True) as archive:
        with Peer(one.port) as peer:
            peer.send(message(5, 6, [line(6)]))
            assert peer.wait(1)[1]["number"] == 6
            counted = archive.consumer.counted.of
            wait_for(lambda: counted, lambda: (counted["missing_numbers"], counted["gaps"]) == (5, 0))


def test_the_receipt_stays_for_whoever_comes_later(tmp_path):
    with Mosquitto(tmp_path) as one, consuming(one.port, place_in(tmp_path)), Peer(one.port) as peer:
        peer.send(GOOD)
        peer.wait(1)
        with Peer(one.port) as later:
            assert later.wait(1) == ("toolcart/x/receipt", {"identity": "0000000a", "number": 2}, True)


def test_what_the_database_does_not_take_comes_again_and_is_acknowledged_then(tmp_path):
    with Mosquitto(tmp_path) as one, consuming(one.port, place_in(tmp_path)) as archive, Peer(one.port) as peer:
        archive.change("ALTER TABLE Result RENAME TO Hidden")
        peer.send(GOOD)
        wait_for(lambda: archive.log, lambda: archive.consumer.counted.of["not_stored"] >= 1)
        assert peer.messages == []
        archive.change("ALTER TABLE Hidden RENAME TO Result")
        assert peer.wait(1)[1]["number"] == 2
        assert archive.ask("SELECT COUNT(*) FROM Result") == [(2,)]


def test_while_the_database_hangs_nothing_grows_and_everything_comes_in_the_end(tmp_path):
    padding = "x" * 300_000
    with Mosquitto(tmp_path) as one, consuming(one.port, place_in(tmp_path)) as archive, Peer(one.port) as peer:
        hangs = threading.Event()
        threading.Thread(target=archive.writer.change, args=(lambda connection: hangs.wait(DEADLINE_S),)).start()
        for number in range(60):
            peer.send(message(number, number + 1, [line(number + 1, padding=padding)]))
        wait_for(lambda: archive.consumer.waiting_octets, lambda: archive.consumer.waiting_octets > 5_000_000)
        time.sleep(0.3)
        assert archive.consumer.waiting_octets < 9_000_000
        hangs.set()
        peer.wait(1)
        wait_for(lambda: peer.messages[-1], lambda: peer.messages[-1][1]["number"] == 60)
        assert archive.ask("SELECT COUNT(*) FROM Result") == [(60,)]
