"""Octets between the end that a result's length says and its NUL: passed over where no value can be meant."""

import pytest

from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.link import LINK_MESSAGE
from toolcart.agent.link.stream import Stream
from toolcart.agent.openprotocol.shifted_result import find
from toolcart.agent.record import result as res
from toolcart.base.clock import START_TICKS
from host_tests.agent.link.test_stream import feed
from host_tests.agent.station.test_inserted_octets import VALUES, Reader, agrees
from host_tests.portable import LONG
from host_tests.support.combinations import some
from host_tests.support.frames import EXAMPLE, fetched, light, pushed

RESULTS = {"0061 999": EXAMPLE, "0061 999 without its times": light(pset_change=b"", time="")}
RESULTS.update({"0061 %d" % revision: pushed(revision) for revision in range(1, 12)})
RESULTS.update({"0065 %d" % revision: fetched(revision) for revision in range(1, 12)})
TEXT_LAST = ("0061 4", "0061 5", "0065 4", "0065 5")  # identifier 4, the customer's error code
BEHIND = (b"\r\n", b"\n", b"\r", b"\x03", b"\t")
OTHER = (b"0", b"12", b" 7", b"X0", b"\xff", b" ", b"   ", b"X", b" OK\r\n", b"\xc3\xa4", b"X" * 60)
CONTROL = (b"\r\n", b"\n", b"\r", b"\x03", b"\t", b" \r\n")
ID = [place for place, _ in VALUES].index(res.TIGHTENING_ID)


def read(reader, octets, split=0):
    """Return the values of each result that a link finds in these octets, None for one that cannot be read."""
    stream = Stream()
    found = feed(stream, EXAMPLE + b"\0")[1:]
    found += feed(stream, octets[:split]) + feed(stream, octets[split:])
    found += feed(stream, b"", ticks_add(START_TICKS, 1001)) + feed(stream, b"", ticks_add(START_TICKS, 9001))
    return [reader.read(one) for kind, one in found if kind == LINK_MESSAGE and one[4:8] in (b"0061", b"0065")]


@pytest.mark.parametrize("name", some([*RESULTS], 3))
def test_a_result_is_read_whatever_stands_between_its_end_and_its_nul(name):
    result, reader = RESULTS[name], Reader()
    made = reader.read(result)
    assert made
    for behind in BEHIND:
        for split in (0, len(result) - 1, len(result), len(result) + 1, len(result) + len(behind)):
            for next_one in (b"", result + b"\0", result + behind + b"\0"):
                values = read(reader, result + behind + b"\0" + next_one, split)
                wanted = [made] * (2 if next_one else 1)
                assert values == wanted, (name, behind, split, next_one[-5:])


@pytest.mark.parametrize("name", RESULTS)
def test_what_may_be_of_the_last_field_takes_nothing_but_that(name):
    result, reader = RESULTS[name], Reader()
    made = reader.read(result)
    for behind in OTHER:
        for values in read(reader, result + behind + b"\0"):
            assert values is None or agrees(values, made), (name, behind)
            assert values is not None or "999" in name
    if name in ("0061 1", "0061 999"):
        (values,) = read(reader, result + b"0" + b"\0")
        assert values is None or not values[ID].strip()


@pytest.mark.parametrize("name", RESULTS)
def test_a_keep_alive_sent_into_the_last_field_is_no_value(name):
    """By another thread of the controller; some send it without a revision."""
    result, reader = RESULTS[name], Reader()
    made = reader.read(result)
    for inserted in (b"00209999001         ", b"00209999            "):
        for place in range(len(result) - 24, len(result) + 1):
            for end in (b"\0", b"\r\n\0", b"\r\n"):
                for values in read(reader, result[:place] + inserted + end + result[place:] + b"\0"):
                    assert values is None or agrees(values, made), (name, inserted, place, end)


@pytest.mark.parametrize("name", TEXT_LAST)
def test_a_text_at_the_end_is_whole_only_in_front_of_a_control_character(name):
    result = RESULTS[name]
    mid, revision = int(result[4:8]), int(result[8:11])
    for behind, how in [(one, 0) for one in CONTROL] + [(one, 1) for one in (b" ", b"X", b"\xe4", b"0")]:
        octets = result + behind
        found = find(mid, revision, octets, 0, len(octets))
        assert found is not None and bool(found[2]) == how, (name, behind)
        assert result.startswith(found[1]) and (found[1] == result) == (not how), (name, behind)


@pytest.mark.parametrize("name", some([*RESULTS], 5))
def test_a_length_that_is_too_small_never_cuts_a_value(name):
    result, reader = RESULTS[name], Reader()
    made = reader.read(result)
    for less in range(1, len(result) - 20, 1 if LONG else 7):
        for behind in (b"", b" ", b"\r\n", b"X"):
            for values in read(reader, b"%04d" % (len(result) - less) + result[4:] + behind + b"\0"):
                assert values is None or agrees(values, made), (name, less, behind)
