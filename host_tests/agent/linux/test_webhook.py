"""A webhook answered in every way, and killed at random: nothing is lost, each result once, what happens is said."""

import json
import random
import sys
import time
from contextlib import contextmanager
from itertools import pairwise

import pytest
import trustme

from toolcart.agent.base import counters as counter
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.cart import settings as config_settings
from toolcart.agent.cart.status import why_name
from toolcart.agent.link import port as ports
from toolcart.agent.linux import http_client as hc
from toolcart.agent.linux import webhook, webhook_settings
from toolcart.agent.linux.http_client import HEAD_MOST
from toolcart.agent.linux.webhook import MOST, SENT
from toolcart.agent.log.framing import RETAINED_MAX
from toolcart.agent.log.log import WHEN_FULL_OVERWRITE
from toolcart.agent.outlets.redelivery import Redelivery
from toolcart.sim.controller_quirks import ControllerOptions
from host_tests.agent.cart.test_end_to_end import Agent
from host_tests.portable import LONG
from host_tests.support.archive import delivering
from host_tests.support.combinations import each_choice
from host_tests.support.consumers import HookServer
from host_tests.support.running import wait_for
from host_tests.support.webhook import PLACE, URL, WebhookBench, answer, section, stored
from lab.harness.cart import Board, Cart

FAR = "is more than 99990 above the spool's newest: nothing counts as given up for it"
NOTHING_UNTIL = (
    "nothing is delivered until it names another number, as when it forgets this `identity`, or the agent starts once "
    "the spool has come to that one"
)


def test_batch_is_a_post_of_lines_and_the_receipt_moves_the_cursor():
    plant = WebhookBench(limits={"records_most": 4}, token="t0ken")
    ids = plant.store(10)
    plant.run(5000)
    assert plant.server.ids() == ids and plant.cursor.number == 10
    assert [(head["after"], head["last"], head["count"]) for head in plant.server.batches] == [
        (0, 4, 4),
        (4, 8, 4),
        (8, 10, 2),
    ]
    assert plant.server.connections == 1
    lines = plant.server.heads[0]
    assert lines[0] == "POST /results?cart=7 HTTP/1.1" and "Host: hook:8080" in lines
    assert "Content-Type: application/x-ndjson" in lines and "Authorization: Bearer t0ken" in lines
    assert plant.status()["place"] == "http://hook:8080/results?..." and "t0ken" not in json.dumps(plant.status())


def test_what_an_answer_may_be_that_is_no_receipt():
    for octets, wanted in (
        (answer(200, b""), "names no receipt"),
        (answer(200, b"{"), "names no receipt"),
        (answer(200, b"[" * 4000), "names no receipt"),
        (answer(200, b'{"identity": "00000000", "number": 3}'), "another spool"),
        (answer(200, b'{"number": 3}'), "`identity` is missing"),
        (answer(200, b'{"identity": "00000001"}'), "`number` is missing"),
        (answer(200, b'{"identity": 7, "number": 3}'), "`identity` has to be a text, and is a number"),
        (answer(200, b'{"identity": "00000001", "number": "100"}'), "`number` has to be a number, and is a text"),
        (answer(200, b'{"identity": "00000001", "number": true}'), "has to be a number, and is true or false"),
        (answer(200, b'{"identity": "00000001", "number": null}'), "`number` has to be a number, and is null"),
        (answer(200, b'{"identity": "00000001", "number": [3]}'), "`number` has to be a number, and is a list"),
        (answer(200, b'{"identity": "00000001", "number": -3}'), "to 9007199254740991: it is -3"),
        (answer(200, b" " * 5000 + b"[1]"), "an object is expected, and a list came"),
        (answer(200, b" " * 5000 + b"{x"), "JSON is expected, and this came: {x"),
        (answer(200, b" " * 1048577), "the body of the answer is longer than 1048576 octets"),
        (answer(200, b"[1]"), "an object is expected, and a list came"),
        (answer(200, b"3"), "an object is expected, and a number came"),
        (answer(200, b"null"), "an object is expected, and null came"),
        (answer(200, b"<html>Welcome</html>"), "JSON is expected, and this came: <html>Welcome</html>"),
        (answer(200, b"\x1f\x8b\x08", Content_Encoding="gzip"), "coded as gzip, which was not asked for"),
        (answer(200, b"{}", Content_Encoding="identity, br"), "coded as br, which was not asked for"),
        (answer(500, b"\x1f\x8b\x08", Content_Encoding="gzip"), "it answers 500: what it says is coded as gzip"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "no answer of HTTP/1.1"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 660, "the head of the answer, or its trailer, is longer than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "1.1: its Content-Length is no number"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "1.1: the length of a chunk cannot be read"),
        (b"HTTP/1.1 200 OK\r\nno field\r\n\r\n", "1.1: a line of its head cannot be read"),
        (b"HTTP/1.1 99999 OK\r\n\r\n", "1.1: HTTP/1.1 99999 OK"),
        (answer(204), "names no receipt"),
        (answer(400, b"bad \x1b[31mline"), "it answers 400: bad  [31mline"),
        (answer(401), "it answers 401"),
        (answer(503, b"busy"), "it answers 503: busy"),
        (answer(429, b"", Retry_After="3"), "asks for a pause (Retry-After), and gets nothing for 3 s"),
        (
            answer(302, b"", Location="http://evil/"),
            "points elsewhere, which is not followed: http://evil/; is `url` right?",
        ),
        (answer(300), "it answers 300: nothing"),
        (answer(304), "it answers 304: nothing"),
        (answer(305, b"use a proxy"), "it answers 305: use a proxy"),
        (answer(308, b"", Location="/"), "points elsewhere, which is not followed: /; is `url` right?"),
        (answer(200, b'{"identity": "00000001", "number": 1, "number": 3}'), "`number` is there twice"),
        (answer(200, b'{"identity": "", "number": 3, "identity": "00000001"}'), "`identity` is there twice"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", "no answer of HTTP/1.1: only what cannot be shown"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * HEAD_MOST, "longer than"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + b"x" * 9000 + b"\r\n\r\n",
            "its body has a Transfer-Encoding other than chunked",
        ),
        (b"SSH-2.0-OpenSSH\r\n", "no answer of HTTP/1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel", "no whole answer came within 30 s"),
        (None, "no whole answer came within 30 s"),
    ):
        plant = WebhookBench()
        ids = plant.store(3)
        plant.server.answers = [octets]
        plant.run(30500 if "within" in wanted else 500)
        assert wanted in plant.why(), (octets, plant.why())
        assert plant.cursor.number == 0 and not plant.forward.is_up() and len(plant.why()) < 300
        assert plant.counted(counter.OUTLET_FAILED) == 1
        plant.run(5000)
        assert plant.server.ids() == ids and plant.cursor.number == 3 and plant.forward.is_up()


def test_what_an_answer_may_be_beside_the_usual_one():
    def chunked(body):
        pieces = b"".join([b"1\r\n%c\r\n" % octet for octet in body])
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\nX-Took: 3\r\n\r\n"

    for name, of, closes in (
        ("a byte order mark", lambda body: answer(200, b"\xef\xbb\xbf" + body), False),
        ("blanks around it", lambda body: answer(201, b" \r\n" + body + b"\n"), False),
        ("identity", lambda body: answer(200, body, Content_Encoding="Identity"), False),
        ("more members", lambda body: answer(200, body[:-1] + b',"more":[1]}'), False),
        ("chunks and a trailer", chunked, False),
        ("100 in front", lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + answer(200, body), False),
        ("102 for a long time", lambda body: b"HTTP/1.1 102 Processing\r\n\r\n" * 600 + answer(200, body), False),
        ("HTTP/1.0", lambda body: b"HTTP/1.0 200 OK\r\n\r\n" + body, True),
        ("connection: close", lambda body: answer(200, body, Connection="close"), True),
        ("up to the end", lambda body: b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body, True),
        ("large headers", lambda body: answer(200, body, X="x" * 15000), False),
        ("a cookie", lambda body: answer(200, body, Set_Cookie="a=b; Secure", Keep_Alive="timeout=1"), False),
    ):
        plant = WebhookBench()
        ids = plant.store(3)
        plant.server.answers = [of]
        plant.server.closes = closes
        plant.run(500)
        assert plant.cursor.number == 3 and plant.why() == "", (name, plant.why())
        ids += plant.store(2)
        plant.run(1500)
        assert plant.server.ids() == ids and plant.counted(counter.OUTLET_FAILED) == 0, name
        assert plant.server.connections == (2 if closes else 1), name
        assert "Accept-Encoding: identity" in plant.server.heads[0]


WHOLE = ("3", "3.0", "3e0", "30e-1", "0.3E+1", "3." + "0" * 500)
NOT_WHOLE = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "-0.0",
    "-0",
    "3.5",
    "3." + "0" * 50 + "1",
    "-3",
    "1e-9",
    "1e%d" % 10**20,
)


@pytest.mark.parametrize("written", WHOLE)
def test_number_of_a_receipt_may_be_written_in_any_way(written):
    named, wrong = webhook.receipt_in(b'{"identity": "00000001", "more": 1e999, "number": %s}' % written.encode())
    assert named == ("00000001", 3) and type(named[1]) is int and wrong == ""


@pytest.mark.parametrize("written", [*NOT_WHOLE, "9007199254740992", "9" * 5000, "1e999999999"])
def test_number_of_a_receipt_that_is_none_is_reported_as_written(written):
    named, wrong = webhook.receipt_in(b'{"identity": "00000001", "number": %s}' % written.encode())
    assert named is None
    assert wrong == "`number` has to be a whole one from 0 to 9007199254740991: it is " + written[:120]


def test_greatest_number_that_a_receipt_may_have():
    assert webhook.receipt_in(b'{"identity": "x", "number": 9007199254740991.0}') == (("x", 2**53 - 1), "")


def test_long_answer_that_is_a_receipt_is_taken():
    plant = WebhookBench()
    plant.store(3)
    plant.server.answers = [lambda body: answer(200, body[:-1] + b', "log": "%s"}' % (b"x" * 1048000))]
    plant.run(900)
    assert plant.cursor.number == 3 and plant.why() == ""


def receipt(number, of=None):
    """Answer with this number, whatever was stored."""
    return lambda body: answer(200, json.dumps(dict(json.loads(body), number=number, **(of or {}))).encode())


def test_a_number_that_was_never_sent_is_an_alarm_and_moves_nothing():
    plant = WebhookBench()
    ids = plant.store(3)
    plant.server.answers = [receipt(4), receipt(10**12), receipt(-1), receipt(True), receipt("3")]
    plant.run(60000)
    assert plant.status()["alarms"] == 2 and plant.cursor.number == 3 and plant.server.ids() == ids
    assert plant.status()["given_again"] == plant.state.missed_counts[plant.forward.index] == 0
    assert plant.server.answers == []


def test_a_server_that_accepts_nothing_is_asked_in_growing_pauses():
    plant = WebhookBench()
    plant.store(3)
    plant.server.answers = [receipt(0)] * 6
    plant.run(20000)
    assert "took nothing" in plant.why() and 4 <= 6 - len(plant.server.answers) <= 5


def test_date_of_a_server_without_a_clock_is_counted_from_ours():
    cart = Cart(files=({"kind": "webhook", "url": URL},))
    plant = WebhookBench()
    plant.forward.wall_s = cart.app.board.wall_s
    plant.store(1)
    plant.server.answers = [answer(503, b"", Retry_After="Wed, 21 Oct 2026 07:29:30 GMT")]
    plant.run(500)
    assert "gets nothing for 90 s" in plant.why()
    assert cart.station.outlets[1].wall_s() == cart.app.board.wall_s()


def test_a_lost_answer_brings_half_the_batch_again_and_nothing_twice():
    plant = WebhookBench(limits={"timeout_ms": 2000})
    ids = plant.store(3)
    plant.server.answers = [lambda body: b""]
    plant.run(2500)
    assert plant.server.ids() == ids and plant.cursor.number == 0
    ids += plant.store(2)
    plant.run(5000)
    assert plant.server.ids() == ids and [head["last"] for head in plant.server.batches] == [3, 2, 5]


def test_a_server_that_was_restored_gets_again_what_the_log_still_has():
    plant = WebhookBench()
    old = plant.store(5)
    plant.run(5000)
    (key,) = plant.server.model.have
    plant.server.model.have[key] = 2
    new = plant.store(2)
    plant.run(500)
    assert plant.status()["server_behind"] == 1 and plant.counted(counter.OUTLET_FAILED) == 1
    assert plant.server.batches[-1]["after"] == 2 and plant.forward.is_up() and plant.cursor.number == 7
    assert plant.server.ids() == old + old[2:] + new
    plant.server.model.have[key] = 0
    last = plant.store(1)
    plant.cut()  # the next run learns it from the first answer
    plant.run(5000)
    assert plant.server.ids() == old + old[2:] + new + old + new + last and plant.cursor.number == 8


def gone_round():
    """Return a bench whose log has lost its oldest records, all confirmed, and the key of what the server has."""
    plant = WebhookBench()
    plant.log.blocks.when_full = WHEN_FULL_OVERWRITE
    while plant.log.first_above(0) < 40 or plant.log.number < plant.log.first_above(0) + 20:
        plant.store(10)
        plant.run(2000)
    assert plant.log.backlog_of(plant.cursor) == 0
    (key,) = plant.server.model.have
    plant.server.lines.clear()
    return plant, key


def test_server_older_than_the_log_gets_all_that_the_log_has():
    for have in (0, 7):
        plant, key = gone_round()
        plant.server.model.have[key] = have
        oldest, newest = plant.log.first_above(0), plant.log.number
        plant.store(1)
        plant.run(60000)
        assert plant.server.ids() == list(range(oldest, newest + 2)) and plant.forward.is_up()
        counts = plant.status()["given_again"], plant.state.missed_counts[plant.forward.index]
        assert counts == (newest + 1 - oldest, oldest - 1 - have), have


def behind(plant, number):
    """The server was restored: it has everything up to this number; another record is stored, and it answers that."""
    for key in plant.server.model.have:
        plant.server.model.have[key] = number
    plant.store(1)
    plant.run(50)
    return plant


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_to_be_given_again_waits_and_a_durable_outlet_keeps_it(durable):
    plant = WebhookBench(durable)
    ids = plant.store(60)
    plant.run(5000)
    plant.server.answers = [receipt(20)] + [answer(500)] * 1000
    plant.server.lines = plant.server.lines[:20]
    behind(plant, 20)
    assert plant.log.backlog_of(plant.cursor) == 41 and plant.status()["server_behind"] == 1
    plant.cut()
    assert plant.log.backlog_of(plant.cursor) == 41, "also after a power cut"
    while plant.log.has_room(200) and plant.log.number < 3000:
        ids += plant.store(1)
    ids.append(61)
    plant.server.answers = []
    plant.run(200000)
    missing = {*ids} - {*plant.server.ids()}
    if durable:
        assert plant.log.number < 3000 and not missing
    else:
        assert 0 < len(missing) <= plant.state.missed_counts[plant.forward.index]


def test_what_the_spool_gives_up_before_it_is_given_again_is_counted_once():
    plant, _ = gone_round()
    oldest, newest = plant.log.first_above(0), plant.log.number
    plant.server.answers = [receipt(7)] + [answer(500)] * 1000
    behind(plant, 7)
    given_up = plant.state.missed_counts[plant.forward.index]
    assert given_up == oldest - 8
    for _ in range(newest):
        plant.store(1)
    plant.server.answers = []
    plant.run(200000)
    assert plant.server.ids()[-1] == plant.log.number and plant.forward.is_up()
    lacks = plant.server.ids()[0] - 8
    assert plant.state.missed_counts[plant.forward.index] == lacks > given_up


@pytest.mark.parametrize("is_taken", [False, True])
def test_what_the_spool_gives_up_on_its_way_is_not_missed_once_it_is_confirmed(is_taken):
    plant, _ = gone_round()
    before, given_up = plant.log.number, plant.state.missed_counts[plant.forward.index]
    plant.server.model.have.clear()
    plant.network.down(*PLACE)
    plant.store(100)
    plant.run(1000)
    plant.network.up(*PLACE)
    plant.server.answers = [] if is_taken else [answer(500)]
    plant.until(lambda: plant.forward.state == SENT)
    plant.store(plant.log.number)
    assert plant.state.missed_counts[plant.forward.index] > given_up + 100
    plant.run(200000)
    lacks = plant.log.number - len({*plant.server.ids()})
    assert plant.state.missed_counts[plant.forward.index] - given_up == lacks > before


@pytest.mark.parametrize("durable", [True, False])
def test_what_the_spool_gives_up_behind_a_batch_that_is_confirmed_is_all_that_is_missed(durable):
    plant = WebhookBench(durable)
    plant.log.blocks.when_full = WHEN_FULL_OVERWRITE
    plant.store(200)
    plant.run(100000)
    plant.store(60)
    plant.until(lambda: plant.forward.state == SENT)
    first, last = plant.forward.confirmed.before + 1, plant.forward.confirmed.last
    while plant.cursor.number <= last:
        plant.store(1)  # the server has the batch, and its answer is late
    given_up = plant.cursor.number - last
    assert plant.state.missed_counts[1] == given_up + last + 1 - first > 50 > given_up
    plant.run(200000)
    assert plant.state.missed_counts[1] == given_up == plant.log.number - len({*plant.server.ids()})
    plant.forward.stop()
    plant.cut()
    assert plant.state.missed_counts[1] == given_up
    plant.log.blocks.when_full = WHEN_FULL_OVERWRITE
    plant.run(1000)
    plant.store(60)
    plant.until(lambda: plant.forward.state == SENT)
    last = plant.forward.confirmed.last
    while plant.cursor.number <= last:
        plant.store(1)
    plant.until(lambda: plant.forward.confirmed.after == last)
    plant.server.answers = [answer(500)] * 3
    kept = [line for line in plant.server.lines if line["number"] <= last - 20]
    plant.server.lines[:] = kept
    behind(plant, last - 20)
    plant.run(200000)
    assert plant.state.missed_counts[1] == plant.log.number - len({*plant.server.ids()}) > given_up + 20


def test_what_is_lost_again_further_back_is_counted_too():
    plant, _ = gone_round()
    oldest = plant.log.first_above(0)
    plant.server.answers = [receipt(20), receipt(7), receipt(20), receipt(7), answer(500)]
    behind(plant, 7)
    plant.run(30000)
    assert plant.state.missed_counts[plant.forward.index] == oldest - 8


@pytest.mark.parametrize("above", [1000, RETAINED_MAX, RETAINED_MAX + 1, MOST - 9])
def test_a_number_that_is_too_far_away_counts_nothing_and_the_reason_says_so(above):
    plant = WebhookBench()
    plant.store(8)
    plant.run(5000)
    (key,) = plant.server.model.have
    plant.forward.stop()
    plant.cut()
    is_far = above > RETAINED_MAX
    plant.server.model.have[key] = plant.log.number + 1 + above
    plant.store(1)
    plant.run(60000)
    assert plant.state.missed_counts[plant.forward.index] == (0 if is_far else above + 1)
    assert plant.why().startswith("its answer names a number that was never sent: ")
    assert plant.why().endswith(f"; that number {FAR}") == is_far and (FAR in plant.why()) == is_far
    if above == RETAINED_MAX + 1:
        plant.store(1)  # now it is near enough
        plant.run(600000)
        assert plant.state.missed_counts[plant.forward.index] == above + 1 and FAR not in plant.why()
    before = plant.state.missed_counts[plant.forward.index]
    plant.server.model.have[key] = 0
    plant.run(600000)
    assert plant.forward.is_up() and plant.why() == "" and plant.state.missed_counts[plant.forward.index] <= before
    assert sorted(set(plant.server.ids())) == list(range(1, plant.log.number + 1))


def test_server_that_names_what_was_never_sent_gets_all_that_there_is_once():
    plant, key = gone_round()
    oldest, newest = plant.log.first_above(0), plant.log.number
    plant.server.answers = [receipt(newest + 1000)]
    plant.server.model.have[key] = 0
    plant.store(1)
    plant.run(900)
    assert (
        "its answer names a number that was never sent: %d; its database" % (newest + 1000) in plant.why()
        and NOTHING_UNTIL in plant.why()
        and plant.status()["alarms"] == 1
    )
    first = plant.why()
    plant.run(60000)
    assert plant.server.ids() == list(range(oldest, newest + 2)) and plant.forward.is_up()
    assert (plant.status()["given_again"], plant.state.missed_counts[plant.forward.index]) == (
        newest + 1 - oldest,
        oldest - 1,
    )
    plant.server.model.have[key] = newest + 1000
    plant.store(1)
    plant.run(600000)
    assert plant.cursor.number == plant.log.first_above(0) - 1 and not plant.forward.is_up(), "it keeps all for it"
    assert "never sent" in plant.why() and NOTHING_UNTIL in plant.why()
    assert plant.why() == first, "log and status say one thing"
    plant.server.model.have[key] = 0
    plant.run(120000)
    assert plant.server.ids()[-1] == newest + 2 and plant.forward.is_up() and plant.why() == ""


def test_what_no_longer_counts_as_given_up_does_not_after_a_power_cut():
    plant = WebhookBench()
    plant.store(8)
    plant.run(5000)
    (key,) = plant.server.model.have
    for _ in range(3):
        right = plant.log.number
        plant.server.model.have[key] = right + 40
        plant.store(1)
        plant.run(60000)
        assert plant.state.missed_counts[plant.forward.index] > 0
        plant.server.model.have[key] = right
        plant.until(lambda: plant.forward.is_up() and plant.cursor.number == plant.log.number)
        assert plant.state.missed_counts[plant.forward.index] == 0
        plant.cut()
        assert plant.state.missed_counts[plant.forward.index] == 0
        plant.run(60000)
        assert plant.forward.is_up() and plant.state.missed_counts[plant.forward.index] == 0


@pytest.mark.parametrize("starts", [False, True])
@pytest.mark.parametrize("left", [0, 1, 4])
def test_what_a_server_was_ahead_by_no_longer_counts_once_it_has_forgotten_all_and_has_all_again(left, starts):
    plant = WebhookBench()
    for _ in range(10):
        plant.store(1)
        plant.run(1000)
    (key,) = plant.server.model.have
    kept = plant.server.lines[:left]
    plant.server.model.have[key] += 5
    plant.store(1)
    plant.run(3000)
    assert plant.state.missed_counts[plant.forward.index] == 15
    plant.store(12)
    plant.run(60000)
    assert plant.forward.is_up() and plant.state.missed_counts[plant.forward.index] == 15, "a batch went beyond it"
    if starts:
        plant.forward.stop()
        plant.cut()
        plant.run(3000)
        assert plant.state.missed_counts[plant.forward.index] == 15
    plant.server.model.have[key], plant.server.lines[:] = left, kept
    plant.store(1)
    plant.run(60000)
    assert plant.forward.is_up() and plant.server.ids() == list(range(1, 25))
    assert plant.state.missed_counts[plant.forward.index] == 0
    plant.cut()
    plant.run(3000)
    assert plant.state.missed_counts[plant.forward.index] == 0


def test_a_number_that_comes_and_goes_wears_no_flash():
    plant = WebhookBench()
    again = Redelivery(plant.log, plant.cursor)
    saves = 0
    for _ in range(100):
        assert again.is_above(5000, 8)
        saves += again.unsaved
        again.unsaved = False
        assert not again.is_above(8, 8)
        saves += again.unsaved
        again.unsaved = False
    assert saves < 20 and plant.state.missed_counts[plant.forward.index] == 0


def test_kind_of_a_failure_does_not_change_with_what_the_server_says():
    for octets in (
        lambda at: answer(503, b"request %d" % at),
        lambda at: answer(302, b"", Location="http://login/?state=%d" % at),
        lambda at: answer(200, b"request %d" % at),
        lambda at: answer(200, b'{"identity": "00000001", "number": %d.5}' % at),
        lambda at: answer(200, b'{"identity": "%d", "number": 1}' % at),
        lambda at: answer(200, b'{"identity": "00000001", "number": %d}' % (at + 1000)),
        lambda at: b"220 mail.example %d" % at,
    ):
        plant = WebhookBench()
        plant.store(3)
        kinds, words = set(), set()
        for at in range(3):
            plant.server.answers = [octets(at)]
            plant.forward.connect_now(plant.clock.now)
            plant.run(300)
            kinds.add(plant.status()["why_kind"])
            words.add(plant.why())
        assert len(kinds) == 1 and kinds != {""} and len(words) == 3, (kinds, words)


def test_nothing_is_sent_before_the_first_record_and_it_is_down_from_then_until_that_is_taken():
    plant = WebhookBench()
    plant.run(1000)
    assert plant.forward.attempts == 0 and plant.forward.is_up() and plant.status()["batches_sent"] == 0
    plant.store(1)
    assert not plant.forward.is_up()
    plant.run(500)
    assert plant.status()["state"] == "waiting for records" and plant.forward.is_up()
    plant.store(1)
    assert plant.forward.is_up()


@pytest.mark.parametrize("url", [URL, URL.replace("http:", "https:")])
def test_library_that_is_installed_meanwhile_is_found(monkeypatch, url):
    made = []
    monkeypatch.setattr(Board, "tls", lambda board, settings: made.append(settings) or board.tcp(), raising=False)
    with monkeypatch.context() as without:
        without.setattr(hc, "find_spec", lambda name: None)
        cart = Cart(files=({"kind": "webhook", "url": url},), controller={"max_clients": 9})
        cart.run(5000)
        cart.produce(1, 5000)
        assert cart.outlet_status(1)["why"] == webhook.MISSING and len(made) == url.startswith("https")
    cart.run(webhook.RETRY_MOST_MS)
    status = cart.outlet_status(1)
    assert "not installed" not in str(status) and status["state"] != "connecting", "there is no server to be asked"


def test_webhook_without_its_library_says_so_and_stops_nothing_else(monkeypatch):
    monkeypatch.setattr(hc, "find_spec", lambda name: None)
    cart = Cart(files=({"kind": "webhook", "url": "http://hook/"},), controller={"max_clients": 9})
    cart.run(5000)
    cart.produce(1, 5000)
    assert "the extra `webhook`" in cart.outlet_status(1)["why"] and not cart.station.outlets[1].is_up()
    assert cart.controller.acknowledged == cart.controller.produced


def test_a_batch_that_is_too_large_becomes_smaller():
    plant = WebhookBench()
    ids = plant.store(40)
    plant.server.answers = [answer(413)] * 3
    plant.run(20000)
    assert plant.server.ids() == ids and max(head["count"] for head in plant.server.batches) == 5


def test_length_that_was_too_large_is_tried_again_after_ever_more_batches():
    plant = WebhookBench(limits={"records_most": 8})
    limit, sizes, take = 1, [], plant.server.take

    def small(body):
        sizes.append(json.loads(body.partition(b"\n")[0])["count"])
        return answer(200, take(body)) if sizes[-1] <= limit else answer(413)

    plant.server.take = small
    plant.server.answers = [lambda octets: octets] * 4000
    for _ in range(500):
        plant.store(2)
        plant.run(2000)
    refused = [at for at, size in enumerate(sizes) if size > 1]
    assert 2 <= len(refused) <= 4, refused
    assert all(
        3 * (one - first) < 2 * (other - one)
        for first, one, other in zip(refused, refused[1:], refused[2:], strict=False)
    )
    limit = 8
    for _ in range(600):
        plant.store(8)
        plant.run(8000)
        if max(sizes[-2:]) == 8:
            break
    assert max(sizes[-2:]) == 8 and plant.server.ids() == list(range(1, plant.log.number + 1))


@pytest.mark.parametrize("too_much", [b"", answer(504), "closes"])
def test_what_a_way_or_a_server_cannot_take_in_time_delays_nothing_for_ever(too_much):
    plant = WebhookBench()
    ids = plant.store(150)
    sizes, take = [], plant.server.take

    def slow(body):
        sizes.append(json.loads(body.partition(b"\n")[0])["count"])
        if sizes[-1] <= 28:
            return answer(200, take(body))
        plant.server.closes = too_much == "closes"  # a server that ends its worker after 30 s says nothing
        return b"" if plant.server.closes else too_much

    plant.server.take = slow
    plant.server.answers = [lambda octets: octets] * 400
    plant.run(3600000)
    assert sizes[:5] == [100, 50, 25, 26, 27] and max(sizes[2:]) == 29
    assert plant.server.ids() == ids and plant.cursor.number == 150 and plant.forward.is_up()


def outage(plant, ms=600000):
    """Let the server be away until the pauses are at their longest, then come back; it is tried within the next one."""
    plant.network.down(*PLACE)
    plant.run(ms)
    plant.network.up(*PLACE)


def sent_at(plant, ms):
    """Run so long; return the ms after the first one at which each batch came to the server."""
    moments = []
    for _ in range(ms // 100):
        plant.run(100)
        moments += [plant.clock.total_ms] * (len(plant.server.heads) - len(moments))
    return [moment - moments[0] for moment in moments]


def growing(times):
    """The pauses between these moments, in whole seconds."""
    return [round((later - earlier) / 1000) for earlier, later in pairwise(times)]


@pytest.mark.parametrize("status", [400, 413, 500, 503])
def test_server_that_answers_again_is_not_waited_for_as_a_dead_one(status):
    plant = WebhookBench()
    ids = plant.store(40)
    outage(plant)
    plant.server.answers = [answer(status)] * 4
    assert growing(sent_at(plant, 90000))[:4] == [1, 2, 4, 8]
    assert plant.server.ids() == ids


def test_server_that_is_silent_and_then_answers_is_asked_again_soon():
    plant = WebhookBench()
    ids = plant.store(4)
    plant.server.answers = [None] * 7 + [answer(500)] * 2
    plant.run(600000)
    assert plant.server.ids() == ids
    plant.server.answers = [answer(500)] * 9  # and one that always refuses is asked ever more seldom
    plant.store(1)
    del plant.server.heads[:]
    assert growing(sent_at(plant, 300000))[:8] == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("have", [0, 2])
def test_server_that_forgot_gets_its_records_at_once(have):
    plant = WebhookBench()
    old = plant.store(5)
    plant.run(5000)
    (key,) = plant.server.model.have
    plant.server.model.have[key] = have
    plant.server.lines.clear()
    new = plant.store(2)
    outage(plant)
    del plant.server.heads[:]
    times = sent_at(plant, 90000)
    assert len(times) == 2 and times[1] <= 200, times
    assert plant.server.ids() == old[have:] + new and plant.status()["server_behind"] == 1


def test_server_that_forgets_again_and_again_is_not_hammered():
    plant = WebhookBench(limits={"records_most": 2})
    plant.store(6)
    forgets = [receipt(0), receipt(2)] * 100
    plant.server.answers = [receipt(2), *forgets]
    plant.run(20000)
    assert 200 - len(plant.server.answers) < 50


def test_only_what_server_closed_is_opened_again_at_once():
    for loses, reason in (
        (lambda plant: None, "no whole answer came within 30 s"),
        (lambda plant: plant.network.swallow(*PLACE), "no whole answer came within 30 s"),
    ):
        plant = WebhookBench()
        ids = plant.store(2)
        plant.run(100)
        ids += plant.store(2)
        plant.server.answers = [None]
        loses(plant)
        plant.run(30500)
        assert reason in plant.why() and plant.counted(counter.OUTLET_FAILED) == 1
        assert plant.server.connections == 1
        plant.network.up(*PLACE)
        plant.run(10000)
        assert plant.server.ids() == ids and plant.why() == ""


@pytest.mark.parametrize("why", [ports.WHY_TIMED_OUT, ports.WHY_NO_ROUTE, ports.WHY_NO_NETWORK])
def test_connection_that_the_way_ended_counts_as_a_failure(why):
    plant = WebhookBench()
    plant.store(2)
    plant.run(100)
    plant.store(2)
    plant.server.answers = [None]
    plant.run(100)
    plant.network.cut(*PLACE)
    plant.port.why = why
    plant.run(100)
    assert plant.counted(counter.OUTLET_FAILED) == 1 and plant.why() == why_name(why)


def test_what_never_accepts_a_connection_is_reported_as_of_every_outlet():
    for url in (URL, URL.replace("http:", "https:")):
        plant = WebhookBench(url=url)
        plant.network.swallow(*PLACE)
        plant.store(1)
        plant.run(webhook.CONNECT_MS + 500)
        assert plant.why() == "timed out"


def test_connection_is_used_again_and_opened_again_where_the_server_closed_it():
    plant = WebhookBench()
    ids = plant.store(2)
    plant.run(100)
    ids += plant.store(2)
    plant.run(100)
    assert plant.server.connections == 1
    plant.run(webhook.IDLE_MS + 1000)
    ids += plant.store(2)
    plant.run(100)
    assert plant.server.connections == 2
    plant.network.half_open(*PLACE)  # the server has forgotten it, and we do not know
    ids += plant.store(2)
    plant.run(200)
    assert plant.server.ids() == ids and plant.counted(counter.OUTLET_FAILED) == 0
    plant.server.closes = True
    ids += plant.store(2)
    plant.run(200)
    ids += plant.store(2)
    plant.run(200)
    assert plant.server.ids() == ids and plant.counted(counter.OUTLET_FAILED) == 0


def test_at_the_end_nothing_new_goes_out():
    plant = WebhookBench()
    plant.store(2)
    plant.server.answers = [None]
    plant.run(100)
    plant.forward.begin_shutdown(plant.clock.now)
    assert not plant.forward.may_stop(plant.clock.now)
    plant.run(webhook.SHUTDOWN_MS)
    assert plant.forward.may_stop(plant.clock.now)
    plant = WebhookBench()
    plant.forward.begin_shutdown(plant.clock.now)
    plant.store(2)
    plant.run(5000)
    assert plant.forward.may_stop(plant.clock.now) and plant.server.heads == []
    plant.forward.stop()
    assert plant.forward.step(plant.clock.now) == FOREVER


def test_it_says_why_it_reaches_no_one():
    plant = WebhookBench()
    plant.network.down(*PLACE)
    plant.store(1)
    plant.run(500)
    assert plant.why() and plant.status()["state"] == "trying again later"
    plant.network.up(*PLACE)
    plant.network.swallow(*PLACE)
    plant.forward.connect_now(plant.clock.now)
    plant.run(webhook.CONNECT_MS + 500)
    assert plant.why() and plant.cursor.number == 0


@pytest.mark.parametrize(
    ("changed", "keys"),
    [
        ({"token": "a\r\nX: y"}, ["token"]),
        ({"token": "t", "user": "u", "password": "p"}, ["token"]),
        ({"password": "p"}, ["user"]),
    ],
)
def test_settings_that_cannot_be_are_named(changed, keys):
    chosen = dict(section(webhook_settings.SETTINGS), url="http://hook/")
    chosen.update(changed)
    assert [key for key, _ in webhook_settings.wrong(chosen)] == keys


def test_a_webhook_that_cannot_be_stops_nothing_else(monkeypatch):
    monkeypatch.setitem(config_settings.OUTLET_FAULTS, "webhook", None)  # as with a secret that is there only later
    cart = Cart(files=({"kind": "webhook", "url": "http://a b/"},), controller={"max_clients": 9})
    cart.run(5000)
    cart.produce(1, 5000)
    assert cart.outlet_status(1)["why"].startswith("url: ") and not cart.station.outlets[1].is_up()
    assert cart.controller.acknowledged == cart.controller.produced


KILLS = 300 if LONG else 8
RATE_PER_S = 40
UP_S = (0.05, 0.8)
SEED = 31
TOKEN = "t0ken-of-the-cart"


@contextmanager
def hooked(server, folder, hook, **plant):
    """A plant and its agent, which has ToolsNet and this webhook at the server."""
    secret = folder / "hook.token"
    secret.write_text(TOKEN)
    secret.chmod(0o600)
    with delivering(folder, **plant) as made:
        outlets = {"kind": "toolsnet"}, {"kind": "webhook", "token": {"file": "hook.token"}, **hook}
        agent = Agent([sys.executable, "-m", "toolcart.tools.process.standalone"], folder, made, outlets)
        try:
            with agent:
                yield made, agent
                agent.end_in_order()
        finally:
            server.kill()


def test_every_acknowledged_result_is_in_server_s_database_once_whoever_is_killed(tmp_path):
    dice = random.Random(SEED)
    server = HookServer(tmp_path, TOKEN)
    hook = {"url": f"http://127.0.0.1:{server.port}/results"}
    with hooked(server, tmp_path, hook, controller_options=ControllerOptions(memory=200000)) as (plant, agent):
        plant.produce_rate(RATE_PER_S)
        for index in range(KILLS):
            time.sleep(dice.uniform(*UP_S))
            (server, agent)[index % 3 == 2].kill()
            time.sleep(dice.uniform(0, 0.3))
            (server, agent)[index % 3 == 2].start()
        plant.stop_producing()
        produced = plant.account()["produced"]
        wait_for_all(server, produced)
        wait_for("ToolsNet has it too", lambda: plant.account()["lost"] == 0)
    ids = [int(line["tightening_id"]) for line in stored(server.database)]
    assert sorted(ids) == list(range(ids[0], ids[0] + len(ids))) and len(ids) == produced
    assert len(set(ids)) == len(ids)
    assert TOKEN not in (tmp_path / "agent.log").read_text()


def test_it_speaks_tls_to_a_vouched_server_alone(tmp_path):
    ours, theirs = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name, authority in (("ours.pem", ours), ("theirs.pem", theirs)):
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / name)
    server = HookServer(tmp_path, TOKEN, tmp_path / "theirs.pem")
    hook = {"url": f"https://127.0.0.1:{server.port}/", "tls_ca": "ca.pem"}
    with hooked(server, tmp_path, hook) as (plant, _):
        ids = plant.produce(5)
        wait_for("it is said", lambda: '"not trusted"' in (tmp_path / "agent.log").read_text())
        assert stored(server.database) == []
        server.kill()
        server.certificate = (tmp_path / "ours.pem",)
        server.start()
        wait_for("all of it", lambda: len(stored(server.database)) == len(ids))
        assert [int(line["tightening_id"]) for line in stored(server.database)] == ids


def wait_for_all(server, produced):
    """The deadline counts from the last one that came."""
    while True:
        before = len(stored(server.database))
        if before >= produced:
            return
        wait_for("the next one is stored", lambda before=before: len(stored(server.database)) > before)


@pytest.mark.parametrize("starts_again", [False, True])
def test_what_a_server_takes_for_a_newer_copy_of_the_spool_is_counted(starts_again):
    plant = WebhookBench()
    plant.store(10)
    plant.run(5000)
    (key,) = plant.server.model.have
    plant.cut()
    plant.server.model.have[key] = 16  # of records that are gone
    made = plant.store(2)
    plant.run(20000)
    assert plant.cursor.number == 0 and NOTHING_UNTIL in plant.why()
    assert plant.log.state.missed_counts[1] == 6, "it takes them for what it had"
    made += plant.store(12)
    plant.run(200)
    if starts_again:
        plant.cut()
    plant.run(60000)
    assert plant.server.ids() == list(range(1, 11)) + made[6:] and plant.forward.is_up()
    assert plant.log.state.missed_counts[1] == 6


@pytest.mark.parametrize(("ends", "oldest"), each_choice(["ccc", "sss", "csc"], [1, 40]))
def test_what_a_server_takes_for_a_newer_copy_stays_counted_through_all_starts(ends, oldest):
    plant, key = gone_round() if oldest > 1 else (WebhookBench(), None)
    if oldest == 1:
        plant.store(10)
        plant.run(5000)
        (key,) = plant.server.model.have
        plant.forward.stop()
    plant.cut()
    newest = plant.log.number
    given_up = plant.log.state.missed_counts[1]
    plant.server.model.have[key] = newest + 10  # of records that are gone
    for at, end in enumerate(ends):
        plant.store(2)
        plant.run((900, 20000, 900)[at])
        assert plant.log.state.missed_counts[1] == given_up + 10
        if end == "s":
            plant.forward.stop()
        plant.cut()
        assert plant.log.state.missed_counts[1] == given_up + 10
    made = plant.store(8)
    plant.run(200000)
    if not plant.forward.is_up():
        plant.cut()
        plant.run(200000)
    assert plant.forward.is_up() and plant.server.ids()[-4:] == made[-4:]
    assert plant.log.state.missed_counts[1] == given_up + 10
    plant.forward.stop()
    plant.cut()
    newest = plant.log.number
    plant.server.model.have[key] = newest + 5
    plant.store(1)
    plant.run(20000)
    assert plant.log.state.missed_counts[1] == given_up + 15, "another time it is another copy"


@pytest.mark.parametrize("has_gone_round", [False, True])
@pytest.mark.parametrize("above", [10, 99000])
@pytest.mark.parametrize("is_met", [False, True])
def test_a_server_that_names_a_number_that_was_never_sent_once_has_lost_nothing(has_gone_round, above, is_met):
    plant = gone_round()[0] if has_gone_round else WebhookBench()
    if not has_gone_round:
        plant.store(15)
        plant.run(5000)
    if not is_met:
        plant.cut()
    plant.server.answers = [receipt(plant.log.number + above)]
    plant.store(1)
    plant.run(900)
    assert plant.state.missed_counts[1] >= above and NOTHING_UNTIL in plant.why()
    plant.run(10000)
    for _ in range(2):
        assert plant.forward.is_up() and plant.log.backlog_of(plant.cursor) == 0
        assert plant.state.missed_counts[1] == 0, "its next answer names all that it was sent"
        plant.cut()
        plant.store(1)
        plant.run(10000)


@pytest.mark.parametrize("has_gone_round", [False, True])
def test_what_a_number_that_was_never_sent_counts_beyond_all_records_is_none_behind_a_start(has_gone_round):
    plant = gone_round()[0] if has_gone_round else WebhookBench()
    if not has_gone_round:
        plant.store(15)
        plant.run(5000)
    plant.server.answers = [receipt(plant.log.number + 99000)]
    plant.store(1)
    plant.run(900)
    plant.cut()
    assert plant.state.missed_counts[1] >= 99000
    plant.run(10000)
    plant.store(1)
    plant.run(10000)
    assert plant.forward.is_up() and plant.log.backlog_of(plant.cursor) == 0
    missed = plant.state.missed_counts[1]
    assert missed <= plant.log.first_above(0) - 1, "it is a bound"
    plant.cut()
    assert plant.state.missed_counts[1] == missed


@pytest.mark.parametrize("is_orderly", [False, True])
@pytest.mark.parametrize("durable", [False, True])
def test_what_a_server_that_named_too_much_through_a_start_counts_is_none_with_its_first_right_answer(
    durable, is_orderly
):
    def too_much(body):
        wrong = json.loads(body)
        wrong["number"] += 1000
        return answer(200, json.dumps(wrong).encode())

    plant = WebhookBench(durable)
    plant.store(8)
    plant.run(5000)
    plant.server.answers = [too_much] * 1000
    plant.store(4)
    plant.run(12000)
    for _ in range(2):
        if is_orderly:
            plant.forward.stop()
        plant.cut()
        plant.run(12000)
        assert plant.state.missed_counts[1] == 1012 and NOTHING_UNTIL in plant.why()
    plant.server.answers = []
    plant.store(1)
    plant.until(plant.forward.is_up, 100000)
    for _ in range(2):
        assert plant.state.missed_counts[1] == 0
        plant.cut()
    assert plant.server.ids() == list(range(1, 14))


def test_a_server_that_stays_at_a_number_which_the_log_has_come_to_is_not_believed():
    plant = WebhookBench(limits={"records_most": 5})
    plant.store(10)
    plant.run(5000)
    (key,) = plant.server.model.have
    plant.cut()
    plant.server.model.have[key] = 16
    plant.store(2)
    plant.run(20000)
    plant.store(12)
    plant.run(60000)
    assert plant.cursor.number == 0 and NOTHING_UNTIL in plant.why()


def test_a_server_that_forgets_what_it_had_of_a_newer_copy_gets_everything():
    plant = WebhookBench(limits={"records_most": 5})
    made = plant.store(10)
    plant.run(5000)
    (key,) = plant.server.model.have
    plant.cut()
    plant.server.model.have[key] = 16
    made += plant.store(2)
    plant.run(20000)
    plant.server.lines.clear()
    plant.server.model.have[key] = 0
    made += plant.store(12)
    plant.run(120000)
    assert plant.server.ids() == made and plant.forward.is_up() and plant.log.state.missed_counts[1] == 0


@pytest.mark.parametrize("numbers", [(20, 4, 21), (4, 21, 5), (21, 4, 4), (4, 5, 6)])
@pytest.mark.parametrize("kills", each_choice([False, True], [False, True]))
@pytest.mark.parametrize("above", [20, 480])
def test_of_several_numbers_that_were_never_sent_the_latest_counts_whatever_ends_between(numbers, kills, above):
    plant = WebhookBench()
    plant.store(60)
    plant.run(5000)
    plant.forward.stop()
    plant.cut()
    made = before = 0
    for at, number in enumerate(numbers):
        number += above
        plant.server.answers = [receipt(60 + number)] * 1000
        made += len(plant.store(2))
        plant.run(70000)
        assert plant.state.missed_counts[1] == number and NOTHING_UNTIL in plant.why(), at
        if at < 2 and kills[at]:
            plant.cut()
            before = made
            assert plant.state.missed_counts[1] == number
    plant.server.answers = []
    plant.store(1)
    plant.until(plant.forward.is_up, 100000)
    for _ in range(2):
        assert plant.state.missed_counts[1] == (before if above == 20 else 0), "it named a right one: a bound"
        plant.cut()
        plant.run(60000)
    assert plant.server.ids() == list(range(1, 68))
