"""Messages that end in CR, LF, CR LF, a blank or ETX: each comes out at once, however the stream was cut."""

from hypothesis import given
from hypothesis import strategies as st

from toolcart.agent.base import counters as counter
from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.link import LINK_BROKEN, LINK_JUNK, LINK_MESSAGE
from toolcart.agent.link.stream import NUL_MS, Stream
from toolcart.base.clock import START_TICKS
from host_tests.agent.link.test_resync_property import MESSAGES, pieces
from host_tests.agent.link.test_stream import feed
from host_tests.agent.station.test_junk import cart_with, each_message
from host_tests.support.frames import EXAMPLE, fetched, pushed
from lab.harness.cart import CONTROLLER

ENDS = (b"\r", b"\n", b"\r\n", b" ", b"\x03")


def messages_of(found):
    return [octets for kind, octets in found if kind == LINK_MESSAGE]


@given(st.lists(MESSAGES, min_size=1, max_size=6), st.sampled_from(ENDS), st.lists(st.integers(1, 400), min_size=1))
def test_each_message_comes_out_as_soon_as_its_end_is_there(messages, end, sizes):
    stream = Stream()
    found = []
    for one in messages:
        for piece in pieces(one + end, sizes):
            found += feed(stream, piece)
        if one is messages[0]:
            if end == b" ":  # it may be an octet of a message that another thread wrote into this one
                found += feed(stream, b"", ticks_add(START_TICKS, NUL_MS))
            first = len(found)
    assert messages_of(found) == messages
    assert LINK_JUNK not in [kind for kind, _ in found[first:]]  # it is known by then


@given(st.lists(MESSAGES, min_size=1, max_size=9), st.sampled_from(ENDS), st.lists(st.integers(1, 999), min_size=1))
def test_messages_that_come_together_come_out_in_order(messages, end, sizes):
    stream = Stream(6000)
    found = []
    for piece in pieces(b"".join(one + end for one in messages), sizes):
        found += feed(stream, piece)
    found += feed(stream, b"", ticks_add(START_TICKS, NUL_MS))  # a blank alone is no end yet
    assert messages_of(found) == messages


@given(
    st.lists(st.tuples(MESSAGES, st.booleans()), min_size=3, max_size=9),
    st.sampled_from(ENDS),
    st.lists(st.integers(1, 400), min_size=1),
)
def test_those_that_end_in_a_nul_come_out_among_others(messages, end, sizes):
    stream = Stream()
    found = []
    for one, has_nul in messages:
        for piece in pieces(one + (b"\0" if has_nul else end), sizes):
            found += feed(stream, piece)
    found += feed(stream, b"", ticks_add(START_TICKS, NUL_MS))  # a blank alone is no end yet
    assert messages_of(found) == [one for one, _ in messages]


def test_what_is_no_message_costs_none_of_those_behind_it():
    for end in ENDS:
        stream = Stream()
        found = feed(stream, EXAMPLE + end) + feed(stream, EXAMPLE + end)
        found += feed(stream, b"log: tightening done#") + feed(stream, EXAMPLE + end) + feed(stream, EXAMPLE + end)
        assert messages_of(found) == [EXAMPLE] * 4, end


def test_a_blank_inside_a_message_whose_length_is_too_small_is_not_taken_for_its_end():
    results = [EXAMPLE] + [make(revision) for revision in (1, 3, 7, 11) for make in (pushed, fetched)]
    for text in results:
        for short in range(1, 60):
            wrong = b"%04d" % (len(text) - short) + text[4:]
            octets = EXAMPLE + b"\0" + wrong + b"\0"
            at = len(octets) - 1 - short
            stream = Stream()
            found = feed(stream, octets[:at]) + feed(stream, octets[at : at + 1]) + feed(stream, octets[at + 1 :])
            found += feed(stream, EXAMPLE + b"\0")
            found += feed(stream, b"", ticks_add(START_TICKS, 5001)) + feed(stream, EXAMPLE + b"\0")
            assert LINK_BROKEN not in [kind for kind, _ in found]
            assert messages_of(found)[0] == messages_of(found)[-1] == EXAMPLE, (text, short)
            assert stream.terminator is None or not stream.terminator.is_known, (text, short)


def test_a_controller_whose_messages_end_otherwise_is_served_without_a_wait():
    for end in ENDS:
        for revision in (999, 1, 7):
            cart = cart_with(
                lambda octets, end=end: each_message(octets, lambda one: one[:-1] + end), result_revisions=(revision,)
            ).settle()
            for _ in range(5):
                cart.produce(1)
                cart.run(300)
            assert cart.stored_ids() == [1, 2, 3, 4, 5], (end, revision, cart.stored_ids())
            cart.network.cut(CONTROLLER[0], CONTROLLER[1])
            cart.produce(3, 50)
            cart.run(8000)
            assert cart.stored_ids() == cart.controller.produced, (end, revision)
            assert cart.counted(counter.CONTROLLER_LOSSES) == 1
            assert cart.counted(counter.CONTROLLER_MALFORMED) <= 2, (end, revision)
