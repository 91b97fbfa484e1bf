"""ToolsNet's frames are found by their length alone, in any split, and nothing that is no frame gets through."""

from toolcart.agent.toolsnet.telegram import (
    BUFFER_BYTES,
    FRAME_BROKEN,
    FRAME_FOUND,
    FRAME_NEED_DATA,
    FRAME_TOO_LARGE,
    Frames,
)
from toolcart.base.clock import Dice
from host_tests.support.fifo import given

PORTABLE = True
HEAP = "2m"


FIRST = b"00071200001"
SECOND = b"0024050004220240314092654000"
THIRD = b"00370800001000160000310.0.0.5       10111"


def feed(frames, octets):
    """Give the octets in as large pieces as are taken; return what was found in order, up to a lost frame."""
    events = []
    for kind in given(frames, octets, frames.next, FRAME_NEED_DATA):
        events.append(kind)
        if kind == FRAME_FOUND:
            events[-1] = bytes(frames.buf[frames.at : frames.at + 4 + frames.length])
        elif kind == FRAME_BROKEN:
            break
    return events


def in_pieces(octets, dice, most):
    frames = Frames()
    events = []
    while octets:
        n = 1 + dice.randrange(most)
        events += feed(frames, octets[:n])
        octets = octets[n:]
    return events


def test_telegrams_are_found_whatever_the_split():
    stream = FIRST + SECOND + THIRD
    for cut in range(len(stream) + 1):
        frames = Frames()
        assert feed(frames, stream[:cut]) + feed(frames, stream[cut:]) == [FIRST, SECOND, THIRD], cut
    assert in_pieces(stream, Dice(1), 1) == [FIRST, SECOND, THIRD]


def test_binary_content_and_digits_inside_end_no_telegram():
    inside = b"0031" + b"05\x00\x00\x00\x03\x02000700070007\xff\xfe0007\x00\x00\x00\x00\x10\x10"
    assert len(inside) == 35
    assert feed(Frames(), inside + FIRST) == [inside, FIRST]


def test_largest_telegram_that_is_kept_fills_the_buffer():
    length = BUFFER_BYTES - 4
    whole = ("%04d" % length).encode() + b"z" * length
    assert feed(Frames(), whole + FIRST) == [whole, FIRST]


def test_length_that_is_no_number_loses_the_frame():
    for octets in (b"00 7", b"    ", b"\x00\x00\x00\x00", b"-007", b"0000", b"abcd", b"\xff\xff\xff\xff"):
        assert feed(Frames(), FIRST + octets + SECOND) == [FIRST, FRAME_BROKEN], octets


def test_new_connection_knows_nothing_of_the_last_one():
    frames = Frames()
    assert feed(frames, b"9999" + b"x" * 500) == [FRAME_TOO_LARGE]
    frames.reset()
    assert feed(frames, FIRST[:6]) == []
    frames.reset()
    assert feed(frames, SECOND) == [SECOND]
