"""Messages come out of a byte stream whole, however it was cut, and never take more than the buffer (DIGEST A.2)."""

from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.link import (
    LINK_BROKEN,
    LINK_CUT_SHORT,
    LINK_MESSAGE,
    LINK_NEED_DATA,
    WHY_SLOW,
)
from toolcart.agent.link.stream import Stream
from toolcart.base.clock import START_TICKS
from host_tests.support.frames import EXAMPLE, message

PORTABLE = True
HEAP = "2m"


def feed(stream, octets, now=START_TICKS):
    """Give octets as a port would and collect what comes out: (kind, octets) each; stops when the link is broken."""
    found = []
    at = 0
    while True:
        n = len(octets) - at
        room = stream.room()
        if n > room:
            n = room
        if n:
            inlet = stream.inlet()
            inlet[:n] = octets[at : at + n]
            stream.receive(n)
            at += n
        while True:
            kind = stream.next_message(now)
            if kind == LINK_NEED_DATA:
                break
            found.append((kind, bytes(stream.buf[stream.at : stream.at + stream.length])))
            if kind == LINK_BROKEN:
                return list(found[:-1]) + [(LINK_BROKEN, b"")]
        if at == len(octets):
            return found
        assert n, "neither room nor a message: it would stand still for ever"


def whole(messages):
    return [(LINK_MESSAGE, octets) for octets in messages]


def test_length_is_judged_only_when_all_its_digits_are_there():
    stream = Stream()
    assert feed(stream, b"xx") == []
    assert feed(stream, b"x") == []
    assert feed(stream, b"x")[0][0] == LINK_BROKEN


def test_message_that_fills_the_buffer_exactly_is_whole():
    octets = message(61, b"x" * (700 - 20), 7)
    for size in (700, 701, 2048):
        assert feed(Stream(size), octets + b"\0" + EXAMPLE + b"\0") == whole([octets, EXAMPLE])


def test_large_message_that_never_ends_is_given_up_too():
    stream = Stream(300)
    large = message(61, b"1" * 980, 7)
    assert feed(stream, large[:500], START_TICKS) == [(LINK_CUT_SHORT, large[:300])]
    assert stream.tick(START_TICKS) <= 5000
    assert stream.next_message(ticks_add(START_TICKS, 5000)) == LINK_BROKEN and stream.why == WHY_SLOW
