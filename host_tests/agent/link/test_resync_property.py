"""Octets that are no message, in front of messages, behind and between them: each message comes out once, in order."""

from hypothesis import example, given
from hypothesis import strategies as st

from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.link import LINK_BROKEN, LINK_JUNK, LINK_MESSAGE, WHY_LENGTH
from toolcart.agent.link.stream import JUNK_MOST, Stream
from toolcart.base.clock import START_TICKS
from host_tests.agent.link.test_stream import feed
from host_tests.portable import LONG
from host_tests.support.frames import EXAMPLE, message

TEXT = st.text("0123456789 ABC:-.", max_size=200).map(lambda text: text.encode())
# A message that is to come out has a NUL behind it and none inside, as all but curves.
MESSAGES = st.tuples(st.sampled_from((2, 5, 61, 65, 101, 9999)), TEXT).map(lambda one: message(one[0], b":" + one[1]))
# None of it is a whole message.
TRAILS = st.one_of(
    st.sampled_from(
        (b"\r\n", b"          ", b"XYZ", b"2026-09-22:06:55:20\0", b"430000044\0", b"12015130000044#", b"0044 1")
    ),
    st.binary(min_size=1, max_size=60).filter(lambda octets: not octets[:1].isdigit()),
    st.integers(4, 19).map(lambda n: EXAMPLE[:n] + b"#"),
    st.integers(1, 99).map(lambda n: b"#" + b"%04d" % (20 + n) + b"0061001         " + b"x" * (n + 3)),
)
PARTS = st.lists(st.one_of(MESSAGES, MESSAGES, TRAILS), min_size=1, max_size=8)


def is_message(part):
    return part[:8].isdigit() and int(part[:4]) == len(part)


def pieces(octets, sizes):
    at = turn = 0
    while at < len(octets):
        n = sizes[turn % len(sizes)]
        yield octets[at : at + n]
        at += n
        turn += 1


def found_in(parts, sizes, buffer_bytes=2048):
    """Return the messages that come out when these parts come in pieces, at last followed by one more message."""
    stream = Stream(buffer_bytes)
    octets = b"".join(part + b"\0" if is_message(part) else part for part in parts)
    found = []
    now = START_TICKS
    for piece in pieces(octets, sizes):
        found += feed(stream, piece, now)
        now = ticks_add(now, 1)
    for _ in range(2):  # what was waited for in vain is given up, and looked at again
        now = ticks_add(now, 5001)
        found += feed(stream, b"", now)
    found += feed(stream, EXAMPLE + b"\0", now)
    assert LINK_BROKEN not in [kind for kind, _ in found]
    return [octets for kind, octets in found if kind == LINK_MESSAGE]


@given(PARTS, st.lists(st.integers(1, 400), min_size=1, max_size=12))
@example([EXAMPLE, b"XYZ", EXAMPLE], [1])
@example([EXAMPLE, b"12015130000044", EXAMPLE], [1])
def test_each_message_comes_out_once_and_in_order_and_nothing_else(parts, sizes):
    assert found_in(parts, sizes) == [part for part in parts if is_message(part)] + [EXAMPLE]


def test_every_split_of_a_message_with_something_behind_it():
    for trail in (
        b"\r\n",
        b"XYZ",
        b" " * 10,
        b"2026-09-22:06:55:20\0",
        b"12015130000044",
        b"430000044\0",
        EXAMPLE[:19],
    ):
        octets = EXAMPLE + b"\0" + trail
        for cut in range(1, len(octets)):
            assert found_in([EXAMPLE, trail, EXAMPLE], [cut, len(octets)]) == [EXAMPLE] * 3, (trail, cut)


def test_message_that_broke_off_is_passed_over_when_it_comes_again():
    for n in range(20, 100, 1 if LONG else 7):
        for cut in range(1, len(EXAMPLE) + n):
            if cut != len(EXAMPLE):  # nothing shows then that it is not the end
                assert found_in([EXAMPLE[:n] + EXAMPLE[:0], EXAMPLE], [cut, 999])[-2:] == [EXAMPLE] * 2, (n, cut)


def longer(octets, by):
    """Return a message whose length is wrong by so many octets."""
    return b"%04d" % (len(octets) + by) + octets[4:]


def test_length_that_is_too_large_ends_at_the_nul_in_front_of_the_next_message():
    for following in (message(9999, b""), longer(EXAMPLE, 10), EXAMPLE):
        wrong = longer(EXAMPLE, 10)
        found = feed(Stream(), wrong + b"\0" + following + b"\0")
        assert found[0] == (LINK_MESSAGE, wrong)
        if int(following[:4]) == len(following):
            assert found[1:] == [(LINK_MESSAGE, following)]


def test_length_that_is_too_large_ends_at_the_nul_however_the_next_message_comes():
    wrong = longer(EXAMPLE, 10)
    octets = message(65, b"x" * 213, 3)
    for cut in range(1, len(octets)):
        stream = Stream()
        found = feed(stream, wrong + b"\0") + feed(stream, octets[:cut]) + feed(stream, octets[cut:] + b"\0")
        assert found == [(LINK_MESSAGE, wrong), (LINK_MESSAGE, octets)] or cut == 9, cut  # it is as long as it says


def test_length_that_is_too_large_ends_at_the_nul_if_nothing_follows():
    stream = Stream()
    wrong = longer(EXAMPLE, 10)
    assert feed(stream, wrong + b"\0") == []
    assert feed(stream, b"", ticks_add(START_TICKS, 5000)) == [(LINK_MESSAGE, wrong)]
    assert feed(stream, EXAMPLE + b"\0") == [(LINK_MESSAGE, EXAMPLE)]


def test_length_that_is_too_small_ends_at_the_nul():
    for by in (3, 5, 8, 50):
        wrong = longer(EXAMPLE, -by)
        assert feed(Stream(), wrong + b"\0" + EXAMPLE + b"\0") == [(LINK_MESSAGE, wrong), (LINK_MESSAGE, EXAMPLE)]


def test_curve_whose_length_leaves_its_samples_out_stands_in_no_ones_way():
    samples = b"".join((index * 37 % 30000).to_bytes(2, "big") for index in range(50))
    curve = message(900, b"0000001001" + b"00050")
    found = feed(Stream(), EXAMPLE + b"\0" + curve + b"\0" + samples + EXAMPLE + b"\0")
    assert [octets for kind, octets in found if kind == LINK_MESSAGE] == [EXAMPLE, curve, EXAMPLE]
    assert [kind for kind, _ in found].count(LINK_JUNK) == 1


def test_what_is_passed_over_is_reported_once_and_ends_the_connection_when_it_is_too_much():
    stream = Stream(300)
    found = []
    for _ in range(JUNK_MOST // 100):
        found += feed(stream, b"junk " * 20)
    assert [kind for kind, _ in found] == [LINK_JUNK]
    found = feed(stream, b"junk " * 40)
    assert found[0][0] == LINK_BROKEN and stream.why == WHY_LENGTH
    stream.reset()
    assert feed(stream, EXAMPLE + b"\0") == [(LINK_MESSAGE, EXAMPLE)]


def test_messages_make_up_for_what_is_passed_over():
    stream = Stream(300)
    for _ in range(300):
        found = feed(stream, EXAMPLE + b"\0" + b"x" * 100)
        assert [kind for kind, _ in found] == [LINK_MESSAGE, LINK_JUNK]
