"""RFC 2217 as its client: every split of what comes, the doubled byte, and servers that are not one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcart.board.linux.serial_server import Rfc2217

SERVED = {"baud": 9600, "parity": "even", "stop_bits": 1, "flow": "none"}
IAC, SB, SE, WILL, WONT, DO, DONT = 255, 250, 240, 251, 252, 253, 254
COM_PORT, ECHO = 44, 1
CONFIRMED = (
    b"\x65\x00\x00\x25\x80",  # baud 9600
    b"\x66\x08",
    b"\x67\x03",  # even
    b"\x68\x01",
    b"\x69\x01",  # no flow control
)


def confirmation(*values):
    """Return what a server says that has agreed and confirms these settings."""
    octets = bytes((IAC, DO, COM_PORT))
    for value in values:
        octets += bytes((IAC, SB, COM_PORT)) + value.replace(b"\xff", b"\xff\xff") + bytes((IAC, SE))
    return octets


def in_pieces(client, octets, ends):
    """Give these bytes to the client in pieces that end there; return the line's bytes."""
    line, at = b"", 0
    for end in [*sorted(end % (len(octets) + 1) for end in ends), len(octets)]:
        line += client.take(octets[at:end])
        at = end
    return line


@given(st.binary(max_size=60), st.lists(st.integers(0, 200), max_size=6))
def test_any_byte_of_line_comes_through_both_ways_however_it_is_split(sent, ends):
    client = Rfc2217(SERVED)
    assert in_pieces(client, client.escaped(sent), ends) == sent


@pytest.mark.parametrize("cut", range(len(confirmation(*CONFIRMED)) + 1))
def test_the_line_is_set_when_each_setting_is_confirmed_and_not_before(cut):
    client = Rfc2217(SERVED)
    octets = confirmation(*CONFIRMED)
    assert client.take(octets[:cut]) == b"" and client.is_set == (cut == len(octets))
    assert client.take(octets[cut:] + b"\x02\xff\xff0061") == b"\x02\xff0061"
    assert client.is_set and not client.refused


@pytest.mark.parametrize("index", range(len(CONFIRMED)))
def test_another_value_than_the_one_asked_for_is_a_refusal(index):
    client = Rfc2217(SERVED)
    values = list(CONFIRMED)
    values[index] = values[index][:-1] + bytes((values[index][-1] ^ 0xFF,))
    client.take(confirmation(*values))
    assert client.refused and not client.is_set


def test_a_value_with_a_doubled_byte_is_read_as_one():
    client = Rfc2217({**SERVED, "baud": 65535})
    assert b"\x01\x00\x00\xff\xff\xff\xff" not in client.outgoing
    client.take(confirmation(b"\x65\x00\x00\xff\xff", *CONFIRMED[1:]))
    assert b"\x01\x00\x00\xff\xff\xff\xff" in client.outgoing and client.is_set


def test_a_server_that_will_not_do_it_has_refused():
    client = Rfc2217(SERVED)
    client.take(bytes((IAC, DONT, COM_PORT)))
    assert client.refused and not client.speaks


def test_other_options_are_refused_a_limited_number_of_times():
    client = Rfc2217(SERVED)
    client.outgoing.clear()
    assert client.take(bytes((IAC, WILL, ECHO, IAC, DO, 24))) == b""
    assert client.outgoing == bytes((IAC, DONT, ECHO, IAC, WONT, 24))
    for _ in range(1000):
        client.take(bytes((IAC, DO, 24)))
    assert len(client.outgoing) <= 64 * 3


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_a_hostile_server_makes_nothing_grow(pieces):
    client = Rfc2217(SERVED)
    for piece in pieces:
        client.take(bytes((IAC, SB)) + piece * 10)
        assert len(client.outgoing) < 400 and len(client._inside) <= 64
