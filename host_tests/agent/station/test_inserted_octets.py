"""Octets that came into the middle of a result, from another thread of a controller: no value of it is made of them."""

import pytest

from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.link import LINK_MESSAGE
from toolcart.agent.link.stream import NUL_MS, Stream
from toolcart.agent.record import result as res
from toolcart.agent.station.store import KEPT
from toolcart.base.clock import START_TICKS
from host_tests.agent.link.test_stream import feed
from host_tests.portable import LONG
from host_tests.support.frames import EXAMPLE, fetched, light, pushed
from host_tests.support.station import Bench, LinkMessage
from host_tests.support.talk import Talk, parts_of

ALIVE = b"00209999001         "
ACCEPTED = b"00240005001         0070"
REJECTED = b"00260004001         009799"
IDENTIFIER = b"00450052001         VIN            2305200012"
INSERTED = (
    ALIVE,
    ALIVE + b"\0",
    ACCEPTED + b"\0",
    REJECTED + b"\0",
    IDENTIFIER + b"\0",
    b"002400050010000000000070\0",
    b"WARN low battery",
    b"\r\n",
    b"\0",
)
RESULTS = {
    "0061 revision 999": EXAMPLE,
    "0061 revision 999 without a time of change": light(pset_change=b""),
    "0061 revision 1": pushed(1),
    "0061 revision 3": pushed(3),
    "0065 revision 2": fetched(2),
}
VALUES = (
    (res.VIN, res.VIN_BYTES),
    (res.TORQUE, res.TORQUE_BYTES),
    (res.ANGLE, res.ANGLE_BYTES),
    (res.TIGHTENING_STATUS, 1),
    (res.TIME, res.TIME_BYTES),
    (res.TIGHTENING_ID, res.ID_BYTES),
)
RAW = -9


class Reader:
    """A store that stores nothing, and remembers what it made of a message."""

    def __init__(self):
        self.bench = bench = Bench()
        store = bench.store
        store._put_raw = lambda *_: RAW
        store._put_read = store._put_next = lambda *_: KEPT
        store._complete = lambda flags: flags
        self.known = {}

    def read(self, octets):
        """Return the values of a result, as they would be stored; None if they would not."""
        if octets not in self.known:
            self.known[octets] = self._read(octets)
        return self.known[octets]

    def _read(self, octets):
        revision = octets[8:11]
        if not revision.isdigit():
            return None
        store = self.bench.store
        if octets[4:8] == b"0061":
            is_read = store.put_pushed(LinkMessage(b"##" + octets + b"\0", 2, len(octets)), int(revision), False, 0)
            is_read = is_read == KEPT
        else:
            is_read = store.read_fetched(octets, 0, len(octets), int(revision))
        body = store.body
        return [bytes(self.bench.log.stage[body + at : body + at + width]) for at, width in VALUES] if is_read else None


def splits(place, inserted, length):
    """Return where the octets are divided into two reads: where it may matter, and in the long run at others too."""
    whole = length + len(inserted) + 1
    near = {at + by for at in (place, place + len(inserted)) for by in (0, 1)}
    elsewhere = range(1 + place % 16, whole, 16) if LONG else ()
    return sorted(near | {length + by for by in (0, 1, 2, 10)} | {whole - 1, whole, *elsewhere})


def agrees(values, made):
    """True if each value is what was made, or missing: blank, or no number, as "95.." is for what cannot be read."""
    pairs = zip(values, made, strict=True)
    return all(value == right or not value.strip(b" \0") or b".." in value for value, right in pairs)


@pytest.mark.parametrize("name", RESULTS)
def test_no_value_is_read_that_was_not_made(name):
    result = RESULTS[name]
    reader = Reader()
    made = reader.read(result)
    assert made
    step = 1 if LONG else 9 if len(result) < 250 else 31
    wrong = []
    for inserted in INSERTED:
        for place in range(1, len(result) + 1):
            if place % (step if place < len(result) - 50 or LONG else 3):
                continue
            octets = result[:place] + inserted + result[place:] + b"\0"
            for at in splits(place, inserted, len(result)):
                stream = Stream()
                found = feed(stream, EXAMPLE + b"\0")[1:] + feed(stream, octets[:at]) + feed(stream, octets[at:])
                found += feed(stream, b"", ticks_add(START_TICKS, 1001)) + feed(
                    stream, b"", ticks_add(START_TICKS, 9001)
                )
                for kind, one in found:
                    if kind != LINK_MESSAGE or one[4:8] not in (b"0061", b"0065"):
                        continue
                    values = reader.read(one)
                    if values and not agrees(values, made):
                        wrong.append((inserted, place, at, values))
    assert not wrong, (len(wrong), wrong[:3])


@pytest.mark.parametrize("name", [name for name in RESULTS if "0061" in name])
def test_no_value_is_read_that_was_not_made_where_a_result_comes_in_parts(name):
    result = RESULTS[name]
    reader = Reader()
    made = reader.read(result)
    wrong = []
    for inserted in INSERTED:
        talk = Talk().ready()
        for number, part in enumerate(parts_of(result, 2)):
            for place in range(21, len(part) + 1, 1 if LONG else 4):
                if place + len(inserted) == len(part) + 1 and inserted[-1] == 0:
                    continue  # its NUL is where the part's length ends: nothing is seen of it
                parts = parts_of(result, 2)
                parts[number] = part[:place] + inserted + part[place:]
                del talk.results[:]
                talk.deliver(*parts)
                talk.wait(11000)  # what is incomplete is given up
                values = [reader.read(one) for one in talk.results]
                wrong += [(inserted, number, place, one) for one in values if one and not agrees(one, made)]
    assert not wrong, (len(wrong), wrong[:3])


def test_lengths_that_count_characters_are_still_read():
    reader = Reader()
    for encoding in ("utf-8", "gbk"):
        vin = "拧紧程序 04".ljust(25).encode(encoding)
        for result in (light(vin=b""), pushed(1, vin=b""), pushed(3, vin=b""), fetched(2, vin=b"")):
            made = reader.read(result)
            place = result.find(b" " * 25, 20)
            octets = result[:place] + vin + result[place + 25 :] + b"\0"
            for at in range(1, len(octets)):
                stream = Stream()
                found = feed(stream, octets[:at]) + feed(stream, octets[at:])
                assert [one for _, one in found] == [octets[:-1]], (encoding, at)
            assert reader.read(octets[:-1]) == [vin[:25]] + made[1:], (encoding, result)


def test_a_nul_that_does_not_come_is_waited_for_once():
    stream = Stream()
    assert feed(stream, EXAMPLE) == []
    assert stream.tick(START_TICKS) == NUL_MS
    assert feed(stream, b"", ticks_add(START_TICKS, NUL_MS)) == [(LINK_MESSAGE, EXAMPLE)]
    for _ in range(3):
        assert feed(stream, EXAMPLE, ticks_add(START_TICKS, NUL_MS)) == [(LINK_MESSAGE, EXAMPLE)]
    stream.reset()
    assert feed(stream, EXAMPLE) == []
    assert feed(stream, b"\0") == [(LINK_MESSAGE, EXAMPLE)]
