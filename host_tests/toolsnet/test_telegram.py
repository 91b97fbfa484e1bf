"""ToolsNet's small telegrams are the worked examples octet for octet, and what comes in is read from its places."""

from toolcart.agent.base.fields import BAD
from toolcart.agent.toolsnet import telegram as tel
from toolcart.agent.toolsnet.telegram import (
    BUFFER_BYTES,
    FRAME_BROKEN,
    FRAME_FOUND,
    FRAME_NEED_DATA,
    FRAME_TOO_LARGE,
    Frames,
)
from toolcart.base.clock import Dice

PORTABLE = True

# DIGEST H.5, the lines "TN 05", "TN 06", "TN 07", "TN 08"
ACKNOWLEDGE = b"0024050004220240314092654000"
KEEPALIVE = b"00070600044"
REQUEST = b"00190700001000300010010"
INFORMATION = b"00370800001000160000310.0.0.5       10111"


def buffer():
    """Return a transmit buffer full of what an earlier telegram left there."""
    return bytearray(b"\xaa" * 64)


def information(result=b"00016", event=b"00003", address=b"10.0.0.5       ", port=b"10111"):
    return b"0037" + b"0800001" + result + event + address + port


def test_writers_write_the_worked_examples_and_touch_nothing_behind_them():
    for write, telegram in (
        (lambda tx: tel.put_keepalive(tx, 44), KEEPALIVE),
        (lambda tx: tel.put_keepalive(tx, 99999), b"00070699999"),
        (lambda tx: tel.put_info_request(tx, 1, 3, 1, 10), REQUEST),
        (lambda tx: tel.put_info_request(tx, 99999, 9999, 9999, 9999), b"00190799999" + b"9999" * 3),
        (lambda tx: tel.put_acknowledge(tx, 42, b"20240314092654"), ACKNOWLEDGE),
        (lambda tx: tel.put_acknowledge(tx, 99999, b"20240314092654"), b"00240599999" + ACKNOWLEDGE[11:]),
    ):
        tx = buffer()
        assert write(tx) == len(telegram)
        assert bytes(tx) == telegram + b"\xaa" * (64 - len(telegram))


def test_error_code_that_is_no_number_or_not_there_is_no_success():
    assert tel.code_of(ACKNOWLEDGE[:-3] + b"   ", 0, 24) == tel.NO_CODE
    assert tel.code_of(ACKNOWLEDGE[:-3] + b"0x0", 0, 24) == tel.NO_CODE
    assert tel.code_of(ACKNOWLEDGE, 0, 23) == tel.NO_CODE


def test_information_is_read_from_its_places():
    assert tel.head_of(INFORMATION, 0, 37) // tel.IDENTS == tel.ID_INFO
    assert tel.is_info(37) and not tel.is_info(36)
    assert tel.result_sequence_of(INFORMATION, 0) == 16
    assert tel.event_sequence_of(INFORMATION, 0) == 3
    assert INFORMATION[tel.ADDRESS : tel.ADDRESS + tel.ADDRESS_BYTES] == b"10.0.0.5       "
    assert tel.port_of(INFORMATION, 0) == 10111


def test_port_is_read_with_blanks_on_either_side():
    for text, port in (
        (b"10111", 10111),
        (b"6575 ", 6575),
        (b" 6575", 6575),
        (b"  80 ", 80),
        (b"00080", 80),
        (b"80\x00\x00\x00", 80),
        (b"65535", 65535),
    ):
        assert tel.port_of(information(port=text), 0) == port, text


def test_port_that_can_be_none_is_0():
    for text in (b"     ", b"00000", b"65536", b"99999", b"80 80", b"-0080", b"port1", b"\xff\xff\xff\xff\xff"):
        assert tel.port_of(information(port=text), 0) == 0, text


def test_telegram_too_short_for_an_identifier_has_no_number():
    assert tel.head_of(b"0006060004", 0, 6) == -1
    assert tel.head_of(b"0007ab00044", 0, 7) == BAD
    assert tel.head_of(b"00070600044", 0, 7) == tel.ID_KEEPALIVE * tel.IDENTS + 44
    assert tel.head_of(b"000706000x4", 0, 7) == BAD
    assert tel.head_of(b"00070699999", 0, 7) == tel.ID_KEEPALIVE * tel.IDENTS + 99999


# ToolsNet's frames are found by their length alone, in any split, and nothing that is no frame gets through.

FIRST = b"00071200001"
SECOND = b"0024050004220240314092654000"
THIRD = b"00370800001000160000310.0.0.5       10111"


def feed(frames, octets):
    """Give the octets in as large pieces as are taken; return what was found in order."""
    found = []
    start = 0
    while True:
        room = frames.room()
        n = min(room, len(octets) - start)
        if n:
            frames.inlet()[0:n] = octets[start : start + n]
            frames.receive(n)
            start += n
        while True:
            kind = frames.next()
            if kind == FRAME_NEED_DATA:
                break
            if kind != FRAME_FOUND:
                found.append(kind)
            else:
                found.append(bytes(frames.buf[frames.at : frames.at + 4 + frames.length]))
            if kind == FRAME_BROKEN:
                return found
        if start == len(octets):
            return found
        assert n > 0, "no octet was taken and none is left to be found"


def in_pieces(octets, dice, most):
    frames = Frames()
    found = []
    while octets:
        n = 1 + dice.randrange(most)
        found += feed(frames, octets[:n])
        octets = octets[n:]
    return found


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
