"""Octets leave the FIFO in the order they came, in one piece, and it never holds more than its size."""

from toolcart.agent.base.fifo import SIDE_BYTES, Fifo
from toolcart.base.clock import Dice

PORTABLE = True


def push(fifo, octets):
    """Offer octets as a port does: what there is room for; return how many were taken."""
    n = fifo.room()
    if n > len(octets):
        n = len(octets)
    inlet = fifo.inlet()
    inlet[:n] = octets[:n]
    fifo.receive(n)
    return n


def content(fifo):
    return bytes(fifo.buf[fifo.start : fifo.end])


def test_first_piece_goes_into_the_buffer_itself_without_a_copy():
    fifo = Fifo(300, SIDE_BYTES)
    assert fifo.inlet() is fifo.buf and fifo.room() == 300
    assert push(fifo, b"abc") == 3
    assert content(fifo) == b"abc"
    assert fifo.inlet() is not fifo.buf and fifo.room() == SIDE_BYTES <= fifo.free


def test_full_takes_nothing_until_something_is_dropped():
    fifo = Fifo(200, SIDE_BYTES)
    octets = bytes([index & 0xFF for index in range(200)])
    assert push(fifo, octets[:150]) == 150
    assert push(fifo, octets[150:]) == 50
    assert fifo.room() == 0 and push(fifo, b"z") == 0
    fifo.start += 10
    assert fifo.room() == 10
    assert push(fifo, b"0123456789abc") == 10
    assert content(fifo) == octets[10:] + b"0123456789"


def test_what_is_skipped_is_passed_over_and_nothing_behind_it():
    fifo = Fifo(50, 16)
    push(fifo, b"x" * 10)
    fifo.skip = 13
    fifo.pass_over()
    assert (fifo.skip, content(fifo)) == (3, b"")
    push(fifo, b"xxxyz")
    fifo.pass_over()
    assert (fifo.skip, content(fifo)) == (0, b"yz")
    fifo.pass_over()
    assert content(fifo) == b"yz"
    fifo.skip = 5
    fifo.clear()
    assert fifo.skip == 0


def test_any_sequence_of_pieces_comes_out_as_it_went_in():
    for seed in range(20):
        dice = Dice(seed + 1)
        size = 130 + dice.randrange(400)
        fifo = Fifo(size, SIDE_BYTES)
        kept = bytearray()
        number = 0
        for _ in range(150):
            if dice.randrange(3):
                piece = bytes([(number + index) & 0xFF for index in range(dice.randrange(1, 300))])
                taken = push(fifo, piece)
                number += taken
                kept += piece[:taken]
            else:
                n = dice.randrange(len(kept) + 1)
                fifo.start += n
                kept = kept[n:]
            assert len(kept) <= size and content(fifo) == bytes(kept)
            # It never says full while there is room for a whole side buffer.
            assert fifo.room() > 0 or len(kept) == size
