"""Any bytes in any pieces: the stream gives messages or breaks, and parts become what a plain model says."""

from hypothesis import given
from hypothesis import strategies as st

from toolcart.agent.link import LINK_BROKEN, LINK_CUT_SHORT, LINK_MESSAGE
from toolcart.agent.link.stream import Stream
from host_tests.agent.link.test_linked_messages import check_against_model
from host_tests.agent.link.test_stream import feed
from host_tests.support.frames import light, message
from host_tests.support.talk import part_of, parts_of

BODIES = st.binary(max_size=300)
MESSAGES = BODIES.map(lambda octets: b"%04d" % (20 + len(octets)) + b"0061999         " + octets)
STREAMS = st.lists(st.one_of(MESSAGES, BODIES, st.just(b"\0"), st.just(b"9999")), max_size=12).map(b"".join)


@given(STREAMS, st.lists(st.integers(1, 200), min_size=1, max_size=20), st.integers(128, 700))
def test_pieces_never_change_what_comes_out(octets, sizes, buffer_bytes):
    at_once = feed(Stream(buffer_bytes), octets)
    stream = Stream(buffer_bytes)
    found = []
    at = turn = 0
    while at < len(octets) and LINK_BROKEN not in [kind for kind, _ in found]:
        n = sizes[turn % len(sizes)]
        found += feed(stream, octets[at : at + n])
        at += n
        turn += 1
    assert found == at_once
    for kind, content in found:
        assert len(content) <= buffer_bytes
        if kind == LINK_MESSAGE:
            assert int(content[:4]) == len(content) >= 20
        elif kind == LINK_CUT_SHORT:
            assert int(content[:4]) > buffer_bytes


# Parts in any order, of any size, cut into any pieces: what becomes of them is what a plain model says.

DATA = st.binary(max_size=900)
RESULTS = st.builds(message, st.just(61), DATA, st.integers(1, 2))
SETS = st.builds(parts_of, RESULTS, st.integers(2, 9))
ANY_PART = st.builds(part_of, RESULTS, st.integers(1, 9), st.integers(0, 9), DATA)
OTHERS = st.one_of(
    st.builds(light, tightening_id=st.integers(0, 9)),
    st.builds(message, st.sampled_from((71, 900, 9999)), st.binary(max_size=300)),
)


@st.composite
def scenes(draw):
    """Sets of parts, some of them disturbed, with other messages pushed in anywhere."""
    frames = []
    for parts in draw(st.lists(SETS, min_size=1, max_size=3)):
        frames += draw(st.one_of(st.just(parts), st.permutations(parts), st.lists(st.sampled_from(parts), max_size=9)))
    for frame in draw(st.lists(st.one_of(OTHERS, ANY_PART), max_size=4)):
        frames.insert(draw(st.integers(0, len(frames))), frame)
    return frames


@given(scenes(), st.sampled_from((256, 300, 700, 1024, 2048)), st.lists(st.integers(1, 600), min_size=1, max_size=9))
def test_parts_become_what_the_model_says(frames, size, lengths):
    turn = 0

    def piece():
        nonlocal turn
        turn += 1
        return lengths[turn % len(lengths)]

    check_against_model(frames, size, piece)
