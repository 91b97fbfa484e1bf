"""Plain ASCII on a serial line: whole messages or none, whatever came before, between and inside."""

from toolcart.agent.link import LINK_CUT_SHORT, LINK_MESSAGE
from toolcart.agent.link.serial_ascii import HOLD_MS, SerialAscii
from toolcart.agent.link.serial_framing import TALLY_JUNK, TALLY_REFUSED, TALLY_SILENCES
from host_tests.agent.link.serial_talk import message
from host_tests.support.heap import allocated, heap_tools
from host_tests.support.talk import content_of, give

PORTABLE = True

RESULT = message(61, b"x" * 101, 999)
ANSWER = message(5, b"0060")


def wrapped(text, tail=b"\0\x03"):
    return b"\x02" + text + tail


def feed(link, octets, now=0):
    """Give the link these octets in one read each of at most its room; return the messages."""
    texts = []
    for code in give(link, octets, now):
        assert code == LINK_MESSAGE or code == LINK_CUT_SHORT
        text = content_of(link)
        is_result = text.startswith(RESULT[:8])
        if not is_result:
            link.answered()
        if not is_result or link.pushed():
            texts.append(text)
    return texts


def test_every_split_of_two_messages_gives_the_two():
    octets = wrapped(RESULT) + wrapped(ANSWER)
    for cut in range(len(octets)):
        link = SerialAscii()
        assert feed(link, octets[:cut]) + feed(link, octets[cut:], 50) == [RESULT, ANSWER]


def test_what_lies_between_messages_is_counted_and_skipped():
    link = SerialAscii()
    assert feed(link, b"noise\x03" + wrapped(ANSWER) + b"\0\0more" + wrapped(ANSWER)) == [ANSWER, ANSWER]
    assert link.tally[TALLY_JUNK] == 10


def test_what_lies_between_nul_and_etx_is_no_part_of_the_message():
    for tail in (b"\0\0\x03", b"\0\r\n\x03", b"\0XYZ\0\x03", b"\0" + b" " * 10 + b"\x03", b"\0x", b"\0"):
        octets = wrapped(RESULT, tail) + wrapped(ANSWER) + wrapped(RESULT)
        for cut in range(1, len(octets)):
            link = SerialAscii()
            assert feed(link, octets[:cut]) + feed(link, octets[cut:], 50) == [RESULT, ANSWER, RESULT], (tail, cut)


def test_wrong_length_or_end_drops_the_message_and_the_next_is_found():
    for bad in (
        b"\x0201x1" + RESULT[4:] + b"\0\x03",
        b"\x020019" + RESULT[4:] + b"\0\x03",
        b"\x02\x02\0\x03",
        b"\x020120" + RESULT[4:] + b"\0\x03",
        wrapped(RESULT, b""),
    ):
        link = SerialAscii()
        assert feed(link, bad + wrapped(ANSWER)) == [ANSWER]
        assert link.tally[TALLY_REFUSED] >= 1


def test_length_that_is_too_long_ends_at_the_gap():
    for gap_ms in (100, 250):
        link = SerialAscii(zvz_ms=gap_ms)
        assert feed(link, b"\x020921" + RESULT[4:] + b"\0\x03", 0) == []
        assert link.tick(0) == gap_ms
        assert feed(link, b"", gap_ms) == [] and link.tally[TALLY_SILENCES] == 1
        assert feed(link, wrapped(RESULT), 3000) == [RESULT]


def test_a_message_that_lacks_an_octet_is_no_message_though_its_nul_makes_up_the_length():
    for text in (RESULT, ANSWER, message(65, b"y" * 98, 3), message(900, b"1" * 3000)):
        for at in range(22, len(text), 7):
            link = SerialAscii()
            short = wrapped(text[:at] + text[at + 1 :])
            assert feed(link, wrapped(ANSWER) + short + wrapped(ANSWER)) == [ANSWER, ANSWER], (text[4:8], at)
            assert link.tally[TALLY_REFUSED] == 1


def test_a_controller_may_send_no_nul_or_count_it():
    binary = message(900, b"abc\0")
    counted = b"0021" + message(5)[4:] + b"\0"
    for text, tail in ((binary, b"\x03"), (counted, b"\x03"), (binary, b"\0\x03")):
        link = SerialAscii()
        assert feed(link, wrapped(text, tail) * 3) == [text] * 3
    link = SerialAscii()
    assert feed(link, wrapped(ANSWER) + wrapped(ANSWER, b"\x03") + wrapped(binary, b"\x03")) == [ANSWER, ANSWER, binary]


def test_a_message_is_received_from_its_stx_to_its_end_or_to_the_gap():
    link = SerialAscii()
    octets = wrapped(RESULT)
    for at, octet in enumerate(octets):
        assert link.is_receiving() == (at > 0)
        feed(link, bytes([octet]))
    assert not link.is_receiving()
    for noise in (b"x", b"\x02x", b"\x10", b"\0", b"\x15"):
        feed(link, noise)
        assert not link.is_receiving(), noise
    feed(link, octets[:50], 0)
    assert feed(link, b"", 99) == [] and link.is_receiving()
    assert feed(link, b"", 100) == [] and not link.is_receiving()


def test_header_that_cannot_be_is_refused():
    for at, octet in ((5, b"x"), (9, b"A"), (12, b"\x05"), (16, b"?"), (19, b"Z")):
        link = SerialAscii()
        bad = RESULT[:at] + octet + RESULT[at + 1 :]
        assert feed(link, wrapped(bad) + wrapped(ANSWER)) == [ANSWER]
        assert link.tally[TALLY_REFUSED] == 1


def test_message_larger_than_the_buffer_is_cut_short():
    link = SerialAscii(buffer_bytes=256)
    text = message(61, b"y" * 700)
    texts = feed(link, wrapped(text) + wrapped(ANSWER))
    assert text.startswith(texts[0]) and len(texts[0]) == 256 and texts[1] == ANSWER


def sent(link):
    octets = bytes(link.tx[link.tx_from : link.tx_from + link.pending])
    link.sent(link.pending)
    return octets


def post(link, text):
    for index in range(len(text)):
        link.tx[link.tx_at + index] = text[index]
    link.post(len(text))
    return sent(link)


def test_own_messages_carry_the_tag_and_nul_as_the_document_draws_them():
    assert post(SerialAscii(payload="v2"), ANSWER) == b"\x07\x09\x07\x09\x02" + ANSWER + b"\0\x03"
    assert post(SerialAscii(payload="v1"), ANSWER) == b"\x02" + ANSWER + b"\0\x03"


def test_tag_is_left_away_when_only_that_is_answered():
    link = SerialAscii()
    assert post(link, message(1)).startswith(b"\x07\x09\x07\x09\x02")
    assert post(link, message(1)).startswith(b"\x02")
    feed(link, wrapped(message(2, b"z" * 37)))
    assert post(link, message(60)).startswith(b"\x02")
    link.reset()
    assert post(link, message(1)).startswith(b"\x02")


def test_flash_may_be_busy_between_a_result_and_its_acknowledgement_only():
    for mid in (61, 71, 1201):
        link = SerialAscii(octet_us=87)
        assert not link.quiet(400) and link.quiet(3)
        octets = wrapped(message(mid, b"x" * 30))
        link.inlet()[0:128] = octets + bytes(128 - len(octets))
        link.receive(len(octets))
        assert link.next_message(0) == LINK_MESSAGE and link.pushed()
        assert link.quiet(400) and link.last_chance()
        link.post(20, False)
        assert not link.quiet(400) and not link.last_chance()
        sent(link)
        assert not link.quiet(3)  # 115200 baud: what comes in 3 ms does not fit the UART
        link.next_message(600)
        link.tick(600)
        assert link.quiet(3)


def test_own_message_has_its_room_and_no_octet_more():
    for octets in (24, 30, 63):
        link = SerialAscii(payload="v2", message_bytes=octets)
        assert post(link, message(8, b"z" * (octets - 20)))[-3:] == b"z\0\x03"
        assert len(link.tx) == link.tx_at + octets + 2


def test_slow_line_lets_the_flash_work_between_messages():
    link = SerialAscii(octet_us=1042)
    feed(link, wrapped(ANSWER))
    assert link.quiet(3)
    feed(link, wrapped(ANSWER)[:10])
    assert not link.quiet(3)


def test_fast_result_waits_for_the_answer_that_is_due():
    link = SerialAscii(octet_us=87)
    post(link, message(64, b"0" * 10))
    assert feed(link, wrapped(RESULT), 10) == []
    assert link.room() == 0 and not link.quiet(3) and link.tick(10) == HOLD_MS
    assert feed(link, b"", 10 + HOLD_MS) == [RESULT]


def test_no_message_allocates():
    heap_tools()
    link = SerialAscii(payload="v2")
    octets = wrapped(RESULT)

    def once():
        inlet = link.inlet()
        at = 0
        for octet in octets:
            inlet[at] = octet
            at += 1
        link.receive(at)
        got = link.next_message(5)
        link.pushed()
        link.post(20, False)
        link.sent(link.pending)
        link.next_message(5)
        link.tick(5)
        return got

    def many():
        for _ in range(200):
            assert once() == LINK_MESSAGE

    once()
    assert allocated(many) == 0
