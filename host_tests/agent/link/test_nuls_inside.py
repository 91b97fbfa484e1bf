"""Messages with NULs in their fields: each comes out once, in whatever they end and however they come.

Also where octets of one are damaged or missing: framing is found again behind it, or the connection ends.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.link import FRAME_TIMEOUT_MS, LINK_BROKEN, LINK_MESSAGE
from toolcart.agent.link.stream import NUL_MS, Stream
from toolcart.base.clock import START_TICKS
from toolcart.codec.stream import Messages
from host_tests.agent.link.test_resync_property import pieces
from host_tests.agent.link.test_stream import feed
from host_tests.support.combinations import each_choice
from host_tests.support.frames import EXAMPLE, fetched, light, message, pushed

ALIVE = b"00209999001         "
REJECTED = b"00260004001         006415"
NAME = b"STATION 12"
PADDINGS = (b"\0" + b" " * 14, b" " * 14 + b"\0", b"\0" * 15, b" \0" + b" " * 13)


def padded(padding):
    return [make(1, vin=NAME + padding) for make in (pushed, fetched)] + [light(vin=NAME + padding)]


RESULTS = [one for padding in PADDINGS for one in padded(padding)]
CURVE = message(900, b"0000000001" + b"00050\0" + bytes(range(256)) * 2)
MESSAGES = st.one_of(
    st.sampled_from(RESULTS + [EXAMPLE, pushed(3), CURVE]),
    st.sampled_from((ALIVE, REJECTED, b"00240005001         0060")),
    st.tuples(st.sampled_from((2, 61, 101)), st.text("A-: \0", max_size=90)).map(
        lambda one: message(one[0], b":" + one[1].encode() + b":")
    ),
)


def counted(octets):
    """Return the message with a NUL that its length counts."""
    return b"%04d" % (len(octets) + 1) + octets[4:] + b"\0"


WAYS = {
    "no end": lambda octets: octets,
    "NUL": lambda octets: octets + b"\0",
    "NUL that counts": counted,
    "CR LF": lambda octets: octets + b"\r\n",
    "CR LF NUL": lambda octets: octets + b"\r\n\0",
}


def found_in(stream, groups, gap):
    """Return the messages that come out of octets `gap` ms apart, without what they end in."""
    found = []
    now = START_TICKS
    for octets in groups:
        found += feed(stream, octets, now)
        for _ in range(gap // NUL_MS):  # as often as its deadline passes
            now = ticks_add(now, NUL_MS)
            found += feed(stream, b"", now)
        now = ticks_add(now, gap % NUL_MS)
    found += feed(stream, b"", ticks_add(now, NUL_MS))
    assert LINK_BROKEN not in [kind for kind, _ in found]
    return [one[4:].rstrip(b"\r\n\0") for kind, one in found if kind == LINK_MESSAGE]


def made(messages):
    return [one[4:].rstrip(b"\0") for one in messages]


@pytest.mark.parametrize("way", WAYS)
@given(st.lists(MESSAGES, min_size=1, max_size=8), st.lists(st.integers(1, 900), min_size=1, max_size=9))
def test_each_message_comes_out_once_however_it_is_cut(way, messages, sizes):
    octets = b"".join([WAYS[way](one) for one in messages])
    assert found_in(Stream(6000), pieces(octets, sizes), 5) == made(messages)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("front", [b"", ALIVE, REJECTED])
def test_results_one_by_one_come_out_behind_one_that_was_joined_to_another_message(way, front):
    for result in RESULTS:
        end = WAYS[way]
        groups = [end(ALIVE)] * 2 + [(end(front) if front else b"") + end(result)] + [end(result)] * 5
        expected = made([ALIVE] * 2 + ([front] if front else []) + [result] * 6)
        for gap in (5, 1200, 4000):
            assert found_in(Stream(), groups, gap) == expected, (result, gap)


@pytest.mark.parametrize("way", WAYS)
def test_every_cut_of_two_messages(way):
    for first, result in each_choice((ALIVE, REJECTED, RESULTS[0]), RESULTS[::4]):
        octets = WAYS[way](first) + WAYS[way](result)
        for cut in range(1, len(octets)):
            for gap in (5, 250):  # a NUL with 300 ms of silence behind it is an end
                groups = (octets[:cut], octets[cut:], WAYS[way](RESULTS[0]))
                assert found_in(Stream(), groups, gap) == made([first, result, RESULTS[0]]), (first, result, cut)


DAMAGES = st.one_of(
    st.tuples(st.just("lost"), st.integers(0, 120), st.integers(1, 60)),
    st.tuples(
        st.just("put in"), st.integers(0, 120), st.sampled_from((b"#", b"\0", b"\r\n", ALIVE, b"0700", b"12" * 40))
    ),
    st.tuples(st.just("length"), st.just(0), st.integers(20, 1999).map(lambda n: b"%04d" % n)),
)


def damaged(octets, damage):
    kind, at, what = damage
    if kind == "lost":
        return octets[:at] + octets[at + what :]
    return octets[:at] + what + octets[at + 4 * (kind == "length") :]


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=40)
@given(st.sampled_from(RESULTS), DAMAGES, st.sampled_from((5, 600, 1200, 2500, 4000)), st.data())
def test_framing_is_found_again_behind_what_is_damaged(way, result, damage, gap, data):
    end = WAYS[way]
    between = data.draw(st.lists(MESSAGES, max_size=5))
    behind = data.draw(st.lists(MESSAGES, min_size=12, max_size=15))
    stream = Stream(6000)
    now = START_TICKS
    found = []
    for turn, one in enumerate([ALIVE, damaged(result, damage)] + between + behind):
        octets = end(one)
        pause = FRAME_TIMEOUT_MS if turn == 1 + len(between) else gap if turn <= len(between) else 1200
        for _ in range(1 + pause // NUL_MS):
            events = feed(stream, octets, now)
            if (LINK_BROKEN, b"") in events:
                stream.reset()
            found += [one[4:].rstrip(b"\r\n\0") for kind, one in events if kind == LINK_MESSAGE]
            octets = b""
            now = ticks_add(now, min(pause, NUL_MS))
    expected = made(behind[-2:])
    assert found[-len(expected) :] == expected


def test_a_capture_is_read_as_the_agent_reads_it():
    for end in WAYS.values():
        for result in RESULTS:
            messages = Messages()
            found = list(messages.feed(end(REJECTED) + end(result))) + list(messages.end())
            assert [one[4:].rstrip(b"\r\n\0") for one, is_message in found if is_message] == made([REJECTED, result])
