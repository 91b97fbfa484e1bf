"""Messages in any pieces, with NULs or without: the stream gives them all, and parts become what a plain model says."""

from hypothesis import given
from hypothesis import strategies as st

from toolcart.agent.link import LINK_BROKEN, LINK_CUT_SHORT, LINK_MESSAGE
from toolcart.agent.link.stream import Stream
from host_tests.agent.link.test_stream import feed

BODIES = st.binary(max_size=300)
MESSAGES = BODIES.map(lambda octets: b"%04d" % (20 + len(octets)) + b"0061999         " + octets)
STREAMS = st.lists(st.one_of(MESSAGES, st.just(b"\0")), max_size=12).map(b"".join)


@given(STREAMS, st.lists(st.integers(1, 200), min_size=1, max_size=20), st.integers(128, 700))
def test_pieces_never_change_what_comes_out(octets, sizes, buffer_bytes):
    at_once = feed(Stream(buffer_bytes), octets)
    stream = Stream(buffer_bytes)
    events = []
    at = turn = 0
    while at < len(octets) and LINK_BROKEN not in [kind for kind, _ in events]:
        n = sizes[turn % len(sizes)]
        events += feed(stream, octets[at : at + n])
        at += n
        turn += 1
    assert events == at_once
    for kind, content in events:
        assert len(content) <= buffer_bytes
        if kind == LINK_MESSAGE:
            assert int(content[:4]) == len(content) >= 20
        elif kind == LINK_CUT_SHORT:
            assert int(content[:4]) > buffer_bytes
