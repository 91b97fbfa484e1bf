"""Parts in any order, of any size, cut into any pieces: what becomes of them is what a plain model says."""

from hypothesis import given
from hypothesis import strategies as st

from host_tests.agent.link.test_linked_messages import check_against_model
from host_tests.support.frames import light, message
from host_tests.support.talk import part_of, parts_of

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
