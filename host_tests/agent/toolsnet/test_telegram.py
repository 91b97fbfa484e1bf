"""ToolsNet's small telegrams: the worked examples octet for octet, and what is no number or not there."""

from toolcart.agent.base.fields import BAD
from toolcart.agent.toolsnet import telegram as tel

PORTABLE = True

# example.md 4
ACKNOWLEDGE = b"0024050004220240314092654000"
KEEPALIVE = b"00070600044"
REQUEST = b"00190700001000300010010"
INFORMATION = b"00370800001000160000310.0.0.5       10111"


def buffer():
    """Return a transmit buffer full of what an earlier telegram left there."""
    return bytearray(b"\xaa" * 64)


def information(result=b"00016", event=b"00003", address=b"10.0.0.5       ", port=b"10111"):
    return b"0037" + b"0800001" + result + event + address + port


def test_writers_write_the_worked_examples_and_touch_nothing_after_them():
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


def test_port_that_is_left_out_is_0_and_one_that_cannot_be_is_below():
    for text in (b"     ", b"00000", b"\x00\x00\x00\x00\x00", b"    0"):
        assert tel.port_of(information(port=text), 0) == 0, text
    for text in (b"65536", b"99999", b"80 80", b"-0080", b"port1", b"\xff\xff\xff\xff\xff"):
        assert tel.port_of(information(port=text), 0) == -1, text


def test_telegram_too_short_for_an_identifier_has_no_number():
    assert tel.head_of(b"0006060004", 0, 6) == -1
    assert tel.head_of(b"0007ab00044", 0, 7) == BAD
    assert tel.head_of(b"00070600044", 0, 7) == tel.ID_KEEPALIVE * tel.IDENTS + 44
    assert tel.head_of(b"000706000x4", 0, 7) == BAD
    assert tel.head_of(b"00070699999", 0, 7) == tel.ID_KEEPALIVE * tel.IDENTS + 99999


def test_numbers_may_have_blanks_on_either_side():
    for text, ident in ((b"   44", 44), (b"44   ", 44), (b" 044 ", 44), (b"99999", 99999)):
        octets = b"002405" + text + b"20240314092654" + b" 07"
        assert tel.head_of(octets, 0, 28) == tel.ID_ACKNOWLEDGE * tel.IDENTS + ident, text
        assert tel.code_of(octets, 0, 28) == 7
    for text in (b"     ", b"4 4  ", b"  -44", b"\x00\x00\x0044"):
        assert tel.head_of(b"002405" + text + b"20240314092654000", 0, 28) == BAD, text
    assert tel.result_sequence_of(b"00370800001   16    3" + b" " * 20, 0) == 16
    assert tel.event_sequence_of(b"00370800001   16    3" + b" " * 20, 0) == 3
