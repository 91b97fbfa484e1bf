"""What is in order is read by patterns: as the strict reader has it."""

from hypothesis import example, given
from hypothesis import strategies as st

from toolcart.archive.server import reader
from toolcart.toolsnet.telegrams import take_apart
from host_tests.support.archive import (
    RESULT,
)

WHOLE = RESULT.encode()
HEAD = WHOLE[:65] + b"0002" + b"70" + b"02" + b"29" + b"002" + b"72"  # two of each
SEVERAL = HEAD + WHOLE[80:150] + b"0002" + WHOLE[84:150]
SEVERAL += b"0001ENGINE 4711              " + b"0003" + b"~" * 25 + WHOLE[150:294]
VALUES = (b"-2147483648", b"2147483648", b"12.5", b"-", b"1.", b".5", b" 7", b"x", b"")


OCTETS = st.sampled_from([b"0", b" ", b"-", b"9", b".", b"\n", b"\xff", b"5"])


def agree(telegram):
    fields, breaches = take_apart(telegram)
    read, differences = reader.read(telegram)
    if not breaches:
        assert (read, differences) == ({**fields, "unread": set()}, [])
    return read


def test_telegrams_in_order_are_read_by_it():
    assert agree(WHOLE)["spindles"][0]["torque"] == "00042.37"
    assert agree(SEVERAL)["vins"][0]["identifier"] == 1


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_one_octet_changed(at, octet):
    agree(WHOLE[:at] + bytes([octet]) + WHOLE[at + 1 :])


@given(st.lists(st.tuples(st.integers(0, 500), OCTETS), max_size=4))
@example([(18, b"9"), (19, b"9")])
def test_several_octets_changed_with_two_spindles_and_vins(changes):
    page = bytearray(SEVERAL)
    for at, octet in changes:
        page[at % len(page)] = octet[0]
    agree(bytes(page))


@given(st.sampled_from(VALUES), st.sampled_from(b"0123"), st.integers(0, 4))
def test_values_of_every_type(value, kind, which):
    at = 150 + 72 * which
    agree(WHOLE[: at + 38] + value.ljust(25) + bytes([kind]) + WHOLE[at + 64 :])


@given(st.integers(0, len(WHOLE)), st.binary(max_size=3))
def test_cut_or_longer(length, more):
    agree(WHOLE[:length] + more)
