"""The HTTP client's machine: every answer in any pieces, and what no answer may be."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.linux import http_client as hc
from toolcart.agent.linux import http_fields
from toolcart.agent.linux.http_client import ASKED, BROKEN, OVER, READY, HttpClient
from toolcart.agent.linux.http_fields import authorization, retry_after_ms
from toolcart.agent.linux.web_address import WebAddress
from host_tests.support.combinations import each_choice

NOW = 1000
ADDRESS = WebAddress("http://hook/results")
GOOD = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;name=x\r\nllo\r\n0\r\n\r\n",
    "chunks and a trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\nDate: x\r\n\r\n",
    "lines that end by LF": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "answers 1xx in front": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
    b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    "fields of several lines": b"HTTP/1.1 200 OK\r\nA: b\r\n c: d\r\nContent-Length: 5\r\n\r\nhello",
    "a list of equal lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    "the same length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length:5\r\n\r\nhello",
}
BAD = {
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "status 999": b"HTTP/1.1 999 x\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "a length below 0": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "a length in other digits": "HTTP/1.1 200 OK\r\nContent-Length: \u00b2\r\n\r\n".encode("latin-1"),
    "a length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "two codings": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "chunks of HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a chunk without a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
    "a chunk of letters": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a huge chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n" + b"x" * (hc.BODY_MOST + 1),
    "a chunk that goes on": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n",
    "a field without a colon": b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",
    "a blank in front of the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
    "a head that is too long and whole": b"HTTP/1.1 200 OK\r\nA: " + b"x" * hc.HEAD_MOST + b"\r\n\r\n",
    "a body that is too long": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (hc.BODY_MOST + 1)
    + b"x" * (hc.BODY_MOST + 1),
    "an endless line": b"HTTP/1.1 200 OK\r\nA: " + b"x" * hc.HEAD_MOST,
    "endless fields": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 4000,
    "endless trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 4000,
    "endless small chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200000,
    "an endless length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * (hc.BODY_MOST + 1),
    "an endless extension": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 30000,
    "an endless body": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (hc.BODY_MOST + 1),
}


def client_with_request(timeout_ms=30000):
    http = HttpClient(timeout_ms)
    http.opened()
    http.ask(ADDRESS, "Bearer t0ken", b"{}\n", NOW)
    http.sent(len(http.outgoing))
    return http


def feed(http, octets, piece=4096):
    for at in range(0, len(octets), piece):
        if http.state != ASKED:
            return
        some = octets[at : at + piece]
        http.inlet[: len(some)] = some
        http.receive(len(some))


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("piece", [1, 2, 7, 4096])
def test_a_whole_answer_is_read_in_any_pieces(name, piece):
    http = client_with_request()
    feed(http, GOOD[name], piece)
    assert (http.state, http.status, http.body) == (READY, 200, b"hello"), http.why
    assert http.tick(NOW + 60000) == FOREVER


@pytest.mark.parametrize(("piece", "name"), each_choice([1, 4096], list(BAD)))
def test_what_no_answer_may_be_ends_the_exchange_within_its_bounds(name, piece):
    http = client_with_request()
    feed(http, BAD[name], piece if len(BAD[name]) < 50000 else 4096)
    assert http.state == BROKEN and http.why, (http.state, http.status)
    assert len(http.body) <= hc.BODY_MOST + hc.INLET_BYTES


def test_a_connection_goes_on_only_where_both_know_where_the_answer_ended():
    for octets, state in (
        (b"HTTP/1.1 204 No Content\r\n\r\n", READY),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", OVER),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x\r\nConnection: Close\r\n\r\n", OVER),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", OVER),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", OVER),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n", OVER),
    ):
        http = client_with_request()
        feed(http, octets)
        assert http.state == state, octets


def test_a_body_without_a_length_ends_with_the_connection():
    http = client_with_request()
    feed(http, b"HTTP/1.1 200 OK\r\n\r\nhel")
    feed(http, b"lo")
    assert http.state == ASKED
    http.ended()
    assert (http.state, http.body) == (OVER, b"hello")
    for part in (b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"):
        http = client_with_request()
        feed(http, part)
        http.ended()
        assert http.state == BROKEN and http.answered == bool(part)


def test_what_was_not_asked_for_ends_the_connection():
    http = HttpClient(1000)
    http.opened()
    http.inlet[:3] = b"HTT"
    http.receive(3)
    assert http.state == BROKEN
    http.opened()
    http.ended()
    assert http.state == OVER


@pytest.mark.parametrize("name", GOOD)
def test_answer_split_at_any_octet_is_read(name):
    for at in range(len(GOOD[name])):
        http = client_with_request()
        for part in (GOOD[name][:at], GOOD[name][at:]):
            if part:
                feed(http, part)
        assert (http.state, http.status, http.body) == (READY, 200, b"hello"), at


def test_connection_sends_one_request_after_the_other():
    http = client_with_request()
    for name in [*GOOD, *GOOD]:
        feed(http, GOOD[name])
        assert (http.state, http.body) == (READY, b"hello"), name
        http.ask(ADDRESS, "", b"{}\n", NOW)
        assert bytes(http.outgoing).startswith(b"POST /results HTTP/1.1\r\n") and http.body == b""
        http.sent(len(http.outgoing))


@pytest.mark.parametrize(
    "begin", [b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]
)
def test_answer_that_never_ends_needs_bounded_memory(begin):
    unit = {b"": b"A: b\r\n"}.get(begin, b"1\r\nx\r\n") * 500
    http = client_with_request()
    tracemalloc.start()
    try:
        feed(http, begin or b"HTTP/1.1 200 OK\r\n")
        for _ in range(4000):
            feed(http, unit)
        assert http.state == BROKEN and tracemalloc.get_traced_memory()[1] < 2_500_000
    finally:
        tracemalloc.stop()


def test_answer_of_a_mebibyte_is_read_and_what_is_longer_named():
    begin = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    http = client_with_request()
    feed(http, begin % hc.BODY_MOST + b"x" * hc.BODY_MOST)
    assert http.state == READY and len(http.body) == 1048576
    for octets, wanted in (
        (begin % 1048577 + b"x" * 1048577, "the body of the answer is longer than 1048576 octets"),
        (BAD["endless small chunks"], "the body of the answer has more than 16384 pieces"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 20000 + b"\r\n\r\n", "the head of the answer, or its trailer, is longer"),
    ):
        http = client_with_request()
        feed(http, octets)
        assert http.state == BROKEN and wanted in http.why, http.why


def test_head_of_the_longest_length_is_taken_and_one_octet_more_not():
    for more, state in ((0, READY), (1, BROKEN)):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: "
        head += b"x" * (hc.HEAD_MOST - len(head) - 4 + more) + b"\r\n\r\n"
        for piece in (1, 4095, 4096):
            http = client_with_request()
            feed(http, head + b"hello", piece)
            assert http.state == state, (more, piece, http.why)


def test_empty_line_in_front_of_an_answer_is_named():
    for begin in (b"\r\n", b"\n", b"\r\n\r\n"):
        for piece in (1, 4096):
            http = client_with_request()
            feed(http, begin + GOOD["a length"], piece)
            assert http.state == BROKEN and "an empty line is in front" in http.why


def test_what_is_shown_of_a_body_begins_where_something_can_be_seen():
    for body, words in (
        (b"", "nothing"),
        (b" " * 9000, "only what cannot be shown"),
        (b"\0\xff", "only what cannot be shown"),
        (b"\r\n" * 4000 + b"<html>" + b"x" * 9000, "<html>" + "x" * 114),
        (b"bad \x1b[31mline", "bad  [31mline"),
    ):
        assert http_fields.excerpt(body) == words


def test_answer_that_comes_too_slowly_is_given_up_at_the_deadline():
    http = client_with_request(30000)
    for second in range(30):
        assert http.tick(NOW + second * 1000) == 30000 - second * 1000
        feed(http, GOOD["a length"][second : second + 1])
    assert http.tick(NOW + 30000) == 0 and http.state == BROKEN and "within 30 s" in http.why


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(GOOD)), st.integers(0, 120), st.integers(0, 255), st.integers(1, 9))
def test_answer_with_one_octet_changed_never_raises(name, at, octet, piece):
    octets = bytearray(GOOD[name])
    octets[at % len(octets)] = octet
    http = client_with_request()
    feed(http, bytes(octets), piece)
    http.ended()
    assert http.state in (READY, OVER, BROKEN) and (http.state != BROKEN or http.why or not http.answered)
    assert all(" " <= letter <= "~" for letter in http.why)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.integers(1, 60), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", GOOD["chunks"][:40]]))
def test_no_octets_raise_or_are_kept_without_end(octets, piece, begin):
    http = client_with_request()
    feed(http, begin + octets, piece)
    http.ended()
    assert http.state in (READY, OVER, BROKEN) and len(http.body) <= hc.BODY_MOST + hc.INLET_BYTES


def test_when_to_come_again():
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    for fields, ms in (
        ({"retry-after": "120"}, 120000),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-1"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "9" * 40}, 999999999000),
        ({"retry-after": "Wed, 21 Oct 2026 07:29:30 GMT", "date": date}, 90000),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:30 GMT", "date": date}, 0),
        ({"retry-after": "Wed, 21 Oct 2026 07:29:30 GMT"}, 90000),
        ({"retry-after": "Wed, 21 Oct 2026 07:29:30 GMT", "date": "today"}, 90000),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "Wed, 99 Oct 9999999 99:99:99 GMT", "date": date}, 0),
        ({}, 0),
    ):
        assert retry_after_ms(fields, lambda: 1792567680.5) == ms, fields


def test_who_we_are_stands_in_the_head():
    assert authorization("t0ken", None, None) == "Bearer t0ken"
    assert authorization(None, "Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert authorization(None, None, None) == ""


def test_addresses_are_taken_apart_and_wrong_ones_named():
    for text, parts in (
        ("http://a/b?c=1", (False, "a", 80, "/b?c=1", "a")),
        ("HTTPS://a.b", (True, "a.b", 443, "/", "a.b")),
        ("https://[::1]:8443/x", (True, "::1", 8443, "/x", "[::1]:8443")),
        ("http://a?x", (False, "a", 80, "/?x", "a")),
    ):
        address = WebAddress(text)
        assert address.fault == ""
        assert (address.is_secure, address.host, address.number, address.path, address.name) == parts
    for text in (
        "",
        "a",
        "ftp://a",
        "http://",
        "http:///x",
        "http://u:p@a",
        "http://a:0",
        "http://a:x",
        "http://a:99999",
        "http://[::1",
        "http://[::1]8",
        "http://a b",
        "http://a\r\nX: y",
        "http://\u00e4",
        "http://a/#x",
    ):
        assert WebAddress(text).fault, text
