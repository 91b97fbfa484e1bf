"""Messages come out of a stream whole, however it was cut."""

from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.link import LINK_BROKEN, LINK_CUT_SHORT, LINK_JUNK, LINK_MESSAGE, WHY_SLOW
from toolcart.agent.link.stream import Stream
from toolcart.base.clock import START_TICKS
from host_tests.support.frames import EXAMPLE, message
from host_tests.support.talk import content_of, give

PORTABLE = True
HEAP = "2m"


def feed(stream, octets, now=START_TICKS):
    """Give octets as a port would and collect what comes out: (kind, octets) each; stops when the link is broken."""
    messages = []
    for kind in give(stream, octets, now):
        if kind == LINK_BROKEN:
            return messages + [(LINK_BROKEN, b"")]
        messages.append((kind, content_of(stream)))
    return messages


def whole(messages):
    return [(LINK_MESSAGE, octets) for octets in messages]


def test_length_is_judged_digit_by_digit():
    stream = Stream()
    assert feed(stream, b"01") == []
    assert feed(stream, b"2") == []
    assert feed(stream, b"x") == [(LINK_JUNK, b"")]


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
