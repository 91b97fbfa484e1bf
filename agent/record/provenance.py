"""Where a result came from on the wire, as far as body and limits do not say it: what tells two results apart.

    byte 6 of the head   spindle of the header, 1 to 99; 0: an answer that named none. Its top bit: an origin follows
    end of the payload   | station u8 | source u16 | check u32 |   before what the quarantine adds

Rules
1. `station` is that of the header, 0 if an answer named none; without an origin it is 1, which a blank field means.
2. `check` is a CRC-30 over all that a message says, so that what is not kept of it counts too; `source` is its MID and
   revision. Only checks of one source are compared. A source of 0: there is no check, all is in the body. The ID of an
   answer does not count: it may be put right, and another time be said otherwise. Once it did, under other sources.
3. Blank and zero spindle and station of a push are 1 (OP 2.2.2 p. 26). An answer that names none says nothing.
"""

from struct import pack_into

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import compare

SPINDLE = const(6)
ORIGIN_BYTES = const(7)
NO_SOURCE = const(0)
NONE_NAMED = const(0)  # spindle and station of an answer whose header is blank

_HAS_ORIGIN = const(0x80)
SPINDLE_BITS = const(0x7F)
_FETCHED = const(2000)  # MID 0065: added to its revision; 1000 where its ID counted
_FETCHED_ID = const(2)  # place of the ID in the data of every MID 0065 (OP 5.8.6 p. 146-152)
_FETCHED_ID_END = const(12)
_CHECK_BYTES = const(6)  # with the source


def source_of(mid, revision):
    """Return the source of a MID 0061 or 0065."""
    return revision if mid == 61 else _FETCHED + revision


def put_origin(payload, at, length, station, source, buf, start, end):
    """Put the origin of a message with the data buf[start:end] behind the payload; return the payload's length."""
    payload[at + SPINDLE] |= _HAS_ORIGIN
    check = 0
    if source > _FETCHED and end - start > _FETCHED_ID_END:
        check = crc30(buf, start + _FETCHED_ID_END, end, crc30(buf, start, start + _FETCHED_ID))
    elif source:
        check = crc30(buf, start, end)
    pack_into("<BHI", payload, at + length, station, source, check)
    return length + ORIGIN_BYTES


def origin_bytes(page, at):
    """Return how many bytes the origin of the payload at page[at:] takes: 0 if it has none."""
    return ORIGIN_BYTES if page[at + SPINDLE] & _HAS_ORIGIN else 0


def spindle_in(page, at):
    """Return the spindle of the payload at page[at:], 1 where none was named. Hot."""
    return page[at + SPINDLE] & SPINDLE_BITS or 1


def is_elsewhere(one, at, length, other, start, other_length, by_check=True):
    """True if the payloads are of different spindles or stations, or of different messages of one kind. Hot.

    `by_check` False: what messages say beside that does not count.
    """
    mine = one[at + SPINDLE]
    its = other[start + SPINDLE]
    if (mine ^ its) & SPINDLE_BITS and mine & SPINDLE_BITS and its & SPINDLE_BITS:
        return True
    if not (mine | its) & _HAS_ORIGIN:
        return False
    tail = at + length - ORIGIN_BYTES if mine & _HAS_ORIGIN else -1
    other_tail = start + other_length - ORIGIN_BYTES if its & _HAS_ORIGIN else -1
    station = one[tail] if tail >= 0 else 1
    other_station = other[other_tail] if other_tail >= 0 else 1
    if station != other_station and station and other_station:
        return True
    if not by_check or tail < 0 or other_tail < 0 or compare(one, tail + 1, other, other_tail + 1, 2):
        return False
    return compare(one, tail + 1, other, other_tail + 1, _CHECK_BYTES) != 0


assert ORIGIN_BYTES == 1 + _CHECK_BYTES
