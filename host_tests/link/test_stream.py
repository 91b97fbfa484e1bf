"""Messages come out of a byte stream whole, however it was cut, and never take more than the buffer (DIGEST A.2)."""

from toolcart.agent.base.ticks import FOREVER, ticks_add
from toolcart.agent.link import (
    LINK_BROKEN,
    LINK_CUT_SHORT,
    LINK_MESSAGE,
    LINK_NEED_DATA,
    WHY_LENGTH,
    WHY_NOTHING,
    WHY_SLOW,
)
from toolcart.agent.link.stream import CUT_SHORT_BYTES, Stream
from toolcart.base.clock import START_TICKS, Dice
from host_tests.support.frames import EXAMPLE, accepted, message, pushed

PORTABLE = True
HEAP = "2m"

SHORT = (message(9999), accepted(60), b"00209999            ", message(4, b"009799"))
# A trace: its separator and its samples hold NULs and digits, and no NUL ends it (003:1206-1211).
TRACE = message(900, b"1234567890" + b"\0" + b"\x00\x00\x000020\x00\x01\x02")
LONG = (message(2, b"01" + b"7" * 35), EXAMPLE, EXAMPLE, pushed(2), TRACE, message(9999), TRACE, accepted(60))


def feed(stream, octets, now=START_TICKS):
    """Give octets as a port would and collect what comes out: (kind, octets) each; stops when the link is broken."""
    found = []
    at = 0
    while True:
        n = len(octets) - at
        room = stream.room()
        if n > room:
            n = room
        if n:
            inlet = stream.inlet()
            inlet[:n] = octets[at : at + n]
            stream.receive(n)
            at += n
        while True:
            kind = stream.next_message(now)
            if kind == LINK_NEED_DATA:
                break
            found.append((kind, bytes(stream.buf[stream.at : stream.at + stream.length])))
            if kind == LINK_BROKEN:
                return list(found[:-1]) + [(LINK_BROKEN, b"")]
        if at == len(octets):
            return found
        assert n, "neither room nor a message: it would stand still for ever"


def whole(messages):
    return [(LINK_MESSAGE, octets) for octets in messages]


def joined(messages, end=b"\0"):
    return b"".join([octets + end for octets in messages])


def test_conversation_whole_byte_by_byte_or_split_anywhere_gives_the_same_messages():
    octets = joined(LONG)
    wanted = whole(LONG)
    stream = Stream()
    found = []
    for octet in octets:
        found += feed(stream, bytes([octet]))
    assert found == wanted
    for cut in range(len(octets)):
        stream.reset()
        assert feed(stream, octets[:cut]) + feed(stream, octets[cut:]) == wanted, cut


def test_every_way_to_cut_a_conversation_in_three_gives_the_same_messages():
    octets = joined(SHORT)
    wanted = whole(SHORT)
    stream = Stream(256)
    for first in range(1, len(octets) - 1):
        for second in range(first + 1, len(octets)):
            stream.reset()
            found = feed(stream, octets[:first]) + feed(stream, octets[first:second]) + feed(stream, octets[second:])
            assert found == wanted, (first, second)


def test_random_pieces_give_the_same_messages_in_every_size_of_buffer():
    for seed in range(30):
        dice = Dice(seed + 1)
        stream = Stream(dice.randrange(600, 2000))
        octets = joined(LONG * 3)
        found = []
        at = 0
        while at < len(octets):
            n = dice.randrange(1, 400)
            found += feed(stream, octets[at : at + n])
            at += n
        assert found == whole(LONG * 3), seed


def test_missing_nul_is_not_missed():
    assert feed(Stream(), joined(LONG, b"")) == whole(LONG)


def test_late_and_superfluous_nuls_are_dropped():
    assert feed(Stream(), b"\0\0" + joined(LONG, b"\0\0\0")) == whole(LONG)
    stream = Stream()
    found = feed(stream, EXAMPLE)
    assert found == whole([EXAMPLE])
    assert feed(stream, b"\0") == [] and stream.tick(START_TICKS) == FOREVER
    assert feed(stream, EXAMPLE) == whole([EXAMPLE])


def test_nul_that_is_counted_in_the_length_belongs_to_the_message():
    counted = b"0122" + EXAMPLE[4:] + b"\0"
    assert feed(Stream(), counted + accepted(60) + b"\0") == whole([counted, accepted(60)])


def test_nul_inside_a_message_does_not_end_it():
    assert TRACE.count(b"\0") > 3
    assert feed(Stream(), TRACE + TRACE + EXAMPLE) == whole([TRACE, TRACE, EXAMPLE])


def test_length_that_is_none_breaks_the_link_and_is_named():
    for head in (b"0019", b"0000", b"001x", b"    ", b"-020", b"00 0", b"\xff\xfe\xfd\xfc", b"HTTP", b"0\x0020"):
        stream = Stream()
        assert feed(stream, EXAMPLE + b"\0" + head + EXAMPLE) == whole([EXAMPLE]) + [(LINK_BROKEN, b"")]
        assert stream.why == WHY_LENGTH
        # A new connection starts clean.
        stream.reset()
        assert stream.why == WHY_NOTHING and feed(stream, EXAMPLE) == whole([EXAMPLE])


def test_length_is_judged_only_when_all_its_digits_are_there():
    stream = Stream()
    assert feed(stream, b"xx") == []
    assert feed(stream, b"x") == []
    assert feed(stream, b"x")[0][0] == LINK_BROKEN


def test_unfinished_message_is_given_up_after_its_time_across_the_wrap():
    for got in (1, 3, 4, 20, 120):
        stream = Stream(2048)
        now = START_TICKS
        assert feed(stream, EXAMPLE[:got], now) == []
        assert stream.tick(now) == 5000
        assert stream.tick(ticks_add(now, 4999)) == 1
        assert stream.next_message(ticks_add(now, 4999)) == LINK_NEED_DATA
        assert stream.next_message(ticks_add(now, 5001)) == LINK_BROKEN
        assert stream.why == WHY_SLOW


def test_further_octets_do_not_put_the_time_off():
    stream = Stream(2048)
    now = START_TICKS
    feed(stream, EXAMPLE[:10], now)
    for step in range(4):
        now = ticks_add(now, 1249)
        assert feed(stream, EXAMPLE[10 + step : 11 + step], now) == []
    assert feed(stream, EXAMPLE[14:15], ticks_add(now, 10)) == [(LINK_BROKEN, b"")]


def test_silence_between_messages_is_no_fault():
    stream = Stream(2048)
    assert feed(stream, EXAMPLE + b"\0", START_TICKS) == whole([EXAMPLE])
    assert stream.next_message(ticks_add(START_TICKS, 100000)) == LINK_NEED_DATA
    assert feed(stream, EXAMPLE, ticks_add(START_TICKS, 200000)) == whole([EXAMPLE])
    # The time of the second message counts from its own first octet.
    assert feed(stream, b"\0" + EXAMPLE[:50], ticks_add(START_TICKS, 300000)) == []
    assert stream.next_message(ticks_add(START_TICKS, 304999)) == LINK_NEED_DATA


def test_message_that_fills_the_buffer_exactly_is_whole():
    octets = message(61, b"x" * (700 - 20), 7)
    for size in (700, 701, 2048):
        assert feed(Stream(size), octets + b"\0" + EXAMPLE + b"\0") == whole([octets, EXAMPLE])


def test_message_of_9999_octets_is_cut_short_and_what_follows_is_whole():
    huge = b"9999" + message(900, bytes([index * 7 & 0xFF for index in range(9979)]))[4:]
    assert len(huge) == 9999
    for size in (256, 400, 640, 641, 2048):
        kept = size if size < CUT_SHORT_BYTES else CUT_SHORT_BYTES
        stream = Stream(size)
        found = feed(stream, EXAMPLE + b"\0" + huge + EXAMPLE + b"\0" + huge + accepted(60))
        assert found == [
            (LINK_MESSAGE, EXAMPLE),
            (LINK_CUT_SHORT, huge[:kept]),
            (LINK_MESSAGE, EXAMPLE),
            (LINK_CUT_SHORT, huge[:kept]),
            (LINK_MESSAGE, accepted(60)),
        ]
        assert len(stream.buf) == size


def test_cut_short_message_comes_out_the_same_however_it_was_split():
    large = message(61, bytes([0x30 + index % 10 for index in range(980)]), 7)
    octets = large + b"\0" + EXAMPLE
    stream = Stream(300)
    for cut in range(1, len(octets), 3):
        stream.reset()
        found = feed(stream, octets[:cut]) + feed(stream, octets[cut:])
        assert found == [(LINK_CUT_SHORT, large[:300]), (LINK_MESSAGE, EXAMPLE)], cut


def test_large_message_that_never_ends_is_given_up_too():
    stream = Stream(300)
    large = message(61, b"1" * 980, 7)
    assert feed(stream, large[:500], START_TICKS) == [(LINK_CUT_SHORT, large[:300])]
    assert stream.tick(START_TICKS) <= 5000
    assert stream.next_message(ticks_add(START_TICKS, 5000)) == LINK_BROKEN and stream.why == WHY_SLOW


def test_message_is_valid_until_the_next_call():
    stream = Stream()
    inlet = stream.inlet()
    inlet[:122] = EXAMPLE + b"\0"
    stream.receive(122)
    assert stream.next_message(START_TICKS) == LINK_MESSAGE
    assert (stream.at, stream.length) == (0, 121)
    # The message lies in the buffer that the port filled: no copy was made.
    assert stream.buf is inlet


def test_posted_message_goes_out_with_its_nul_in_any_pieces():
    stream = Stream()
    assert stream.idle() and stream.pending == 0
    stream.tx[stream.tx_at : stream.tx_at + 20] = message(9999)
    stream.post(20)
    assert not stream.idle() and stream.pending == 21
    sent = b""
    while stream.pending:
        n = 4 if stream.pending > 4 else stream.pending
        sent += bytes(stream.tx[stream.tx_from : stream.tx_from + n])
        stream.sent(n)
    assert sent == message(9999) + b"\0" and stream.idle()


def test_new_connection_forgets_what_was_not_sent_and_not_whole():
    stream = Stream()
    stream.post(20)
    feed(stream, EXAMPLE[:77])
    stream.reset()
    assert stream.idle() and stream.pending == 0 and stream.tick(START_TICKS) == FOREVER
    assert feed(stream, EXAMPLE) == whole([EXAMPLE])


def test_network_never_asks_the_flash_to_wait():
    assert Stream().quiet(400)
