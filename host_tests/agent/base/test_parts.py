"""The small parts that all rooms use: constants, checksum, fields, forms, words, ticks, counters, FIFO."""

import sys

from toolcart.agent.base import byte_moves, fields
from toolcart.agent.base import counters as counter
from toolcart.agent.base.counters import NAMES, Counters
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.event_log import LOG_ENTRIES
from toolcart.agent.base.fields import TOO_LARGE, get_u32
from toolcart.agent.base.fifo import SIDE_BYTES, Fifo
from toolcart.agent.base.ticks import FOREVER, TICKS_MAX, TICKS_PERIOD, Timer, ticks_add, ticks_diff
from toolcart.agent.station.named_unit import OTHER_UNIT
from toolcart.base.clock import Dice
from lab.harness.portable_session import Skip

PORTABLE = True


CHECK = 0x1790FBF6  # of b"123456789", from the module's own definition of the polynomial


def bitwise(octets):
    """The same CRC by its definition, bit by bit: polynomial 0x2030B9C7 reflected, start all ones."""
    value = (1 << 30) - 1
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = (value >> 1) ^ 0x38E74301 if value & 1 else value >> 1
    return value


def reflected(value, bits):
    turned = 0
    for bit in range(bits):
        if value >> bit & 1:
            turned |= 1 << (bits - 1 - bit)
    return turned


def test_checksum_is_the_documented_one_small_and_never_that_of_blank_flash():
    assert crc30(b"123456789", 0, 9) == CHECK == bitwise(b"123456789")
    assert reflected(0x2030B9C7, 30) == 0x38E74301
    for octet in (0x00, 0xFF):
        assert crc30(bytes([octet] * 64), 0, 60) not in (0, 0x3FFFFFFF)
    for index in range(256):
        assert 0 <= crc30(bytes([index, 255 - index, index]), 0, 3) < 1 << 30, "a small int of a 32-bit board"


def test_a_buffer_holds_octets_only_where_they_begin():
    for buf in (b"01230", bytearray(b"01230")):
        assert fields.holds(buf, 0, bytearray(b"0123")) and fields.holds(buf, 1, b"1230") and fields.holds(buf, 4, b"0")
        assert not fields.holds(buf, 0, b"123") and not fields.holds(buf, 2, b"2301") and not fields.holds(buf, 3, b"0")


def made(move, source, upper):
    """The target after one move, from the third octet of it and of a larger source; None if it was refused."""
    target = bytearray(b"#" * 19)
    row = bytes((move | upper << 4, 1, 0, 2, len(source)))
    if not byte_moves.carry_out(row, 1, target, 2, b"?????" + source + b"?", 3):
        return None
    assert target[:3] == b"###"
    return bytes(target[3:]).rstrip(b"#")


def test_each_move_of_a_form_makes_what_it_says():
    for move, upper, source, target in (
        (byte_moves.TEXT, 0, b"A\0\x7f\x1f\xc3\xa4~ ", b"A ????~ "),
        (byte_moves.DIGITS, 0, b"012", b"012"),
        (byte_moves.DIGITS, 2, b"12", b"0012"),  # zeros in front of digits, blanks in front of blanks
        (byte_moves.DIGITS, 2, b"  ", b"    "),
        (byte_moves.DIGITS, 2, b"\0\0", b"    "),
        (byte_moves.PACK_TIME, 0, b"2024-03-14:09:26:53", b"\x20\x24\x03\x14\x09\x26\x53"),
        (byte_moves.PACK_TIME, 0, b"Last Change Unknown", bytes(7)),
        (byte_moves.PACK_TIME, 0, b"0000-03-14:09:26:53", bytes(7)),
        (byte_moves.PACK_TIME, 0, b"2024-13-14:09:26:53", bytes(7)),
        (byte_moves.PACK_TIME, 0, b"2024-03-14 09:26:53", bytes(7)),
        (byte_moves.STRIP, 0, b"0001234567", b"1234567   "),
        (byte_moves.STRIP, 0, b"0000", b"0   "),  # one digit stays
        (byte_moves.STRIP, 0, b"4294967295", b"4294967295"),
        (byte_moves.FIXED, 2, b"004237", b"00042.37"),
        (byte_moves.FIXED, 2, b"999999", b"09999.99"),
        (byte_moves.FIXED, 0, b"00095", b"000095.0"),
        (byte_moves.FIXED, 2, b"      ", b"00000.00"),
        (byte_moves.FIXED, 2, b"\0" * 6, b"00000.00"),
    ):
        assert made(move, source, upper) == target, (move, source)


def test_number_of_more_than_30_bits_is_told_apart_and_never_made():
    buf = bytearray(b"\x00\x00\x00\x40" + b"\xff" * 4)
    assert get_u32(buf, 0) == TOO_LARGE
    assert get_u32(buf, 4) == TOO_LARGE
    buf[3] = 0x3F
    assert get_u32(buf, 0) == 0x3F000000


HALF = TICKS_PERIOD // 2
# Both ends of the circle, its middle, and what lies beside them.
MOMENTS = (0, 1, 2, HALF - 1, HALF, HALF + 1, TICKS_PERIOD - 2, TICKS_PERIOD - 1)


def test_ticks_stay_on_the_circle_of_a_32_bit_board_and_differ_the_shorter_way():
    assert (TICKS_PERIOD, TICKS_MAX, FOREVER) == (1 << 30, (1 << 30) - 1, HALF - 1)
    for moment in MOMENTS:
        for ms in (-HALF, -HALF + 1, -1000, -1, 0, 1, 1000, HALF - 1):
            assert ticks_diff((moment + ms) % TICKS_PERIOD, moment) == ms
            assert ms < 0 or ticks_add(moment, ms) == (moment + ms) % TICKS_PERIOD


def test_timer_expires_at_its_moment_and_not_before_whatever_the_start():
    timer = Timer()
    for start in MOMENTS:
        for ms in (1, 50, 6000, FOREVER):
            timer.start(start, ms)
            assert timer.left(start) == ms
            before = ticks_add(start, ms - 1)
            assert not timer.expired(before) and timer.left(before) == 1
            due = ticks_add(start, ms)
            assert timer.expired(due) and timer.left(due) == 0


def test_every_counter_has_one_number_and_one_name():
    if sys.implementation.name != "cpython":
        raise Skip("on a chip constants have no names")
    numbers = {OTHER_UNIT: "OTHER_UNIT"}  # which its module alone counts
    for name in dir(counter):
        value = getattr(counter, name)
        if name.isupper() and isinstance(value, int) and name not in ("LOG_ENTRIES",):
            assert value not in numbers, name
            numbers[value] = name
    assert [numbers[value].lower().replace("_", " ") for value in sorted(numbers)] == list(NAMES)
    assert sorted(numbers) == list(range(len(NAMES)))


def test_counting_and_noting_add_one_each():
    counters = Counters()
    counters.count(counter.STORED)
    counters.note(counter.STORED, 5, 100)
    assert counters.counts[counter.STORED] == 2
    assert sum(counters.counts) == 2
    assert list(counters.log.entries()) == [(100, counter.STORED, 5)]


def test_log_keeps_the_latest_entries_in_their_order():
    counters = Counters()
    for index in range(LOG_ENTRIES * 2 + 5):
        counters.note(counter.RAW, index, index * 10)
    entries = list(counters.log.entries())
    assert len(entries) == LOG_ENTRIES and counters.log.logged == LOG_ENTRIES * 2 + 5
    assert [value for _, _, value in entries] == list(range(LOG_ENTRIES + 5, LOG_ENTRIES * 2 + 5))


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


def test_full_accepts_nothing_until_something_is_dropped():
    fifo = Fifo(200, SIDE_BYTES)
    octets = bytes([index & 0xFF for index in range(200)])
    assert push(fifo, octets[:150]) == 150
    assert push(fifo, octets[150:]) == 50
    assert fifo.room() == 0 and push(fifo, b"z") == 0
    fifo.start += 10
    assert fifo.room() == 10
    assert push(fifo, b"0123456789abc") == 10
    assert content(fifo) == octets[10:] + b"0123456789"


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
