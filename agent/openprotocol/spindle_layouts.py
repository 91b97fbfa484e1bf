"""Where the fields of MID 0101, 0106 and 0107 are: in front of the rows of each message, and what may follow these.

`FIELDS` has the widths of a chain of parameter IDs (toolcart.agent.openprotocol.parameter_ids). `RESTS` has a function
for each message that says whether buf[place:end] can be what follows those fields; the message begins at buf[at:].
Unless `is_whole` it may end in it.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.parameter_ids import end_of, has_id
from toolcart.agent.record import spindles as sp

SYNC_MID = const(101)
STATION_MID = const(106)
BOLT_MID = const(107)

BOLT_BYTES = const(67)  # of MID 0106
SPECIAL_BYTES = const(24)  # in front of its value
VALUE_BYTES = const(29)  # of a bolt; that of a step has the step's two digits after it

FIELDS = {
    SYNC_MID: (b"\x02\x99\x02\x03\x04\x04\x01\x06\x06\x06\x05\x05\x05\x13\x13\x05\x01",),
    STATION_MID: (b"\x02\x02\x0a\x02\x94\x13\x02\x94\x01\x01\xa8\x02",),
    BOLT_MID: (  # the time as wide as it is said to be, or as it is printed
        b"\x02\x02\x0a\x02\x13\x04\x94\x94\x01\xb2\x84\x02",
        b"\x02\x02\x0a\x02\x09\x04\x94\x94\x01\xb2\x84\x02",
    ),
}


def is_in_place(mid, buf, at, length):
    """True if every field of the message is where it belongs."""
    for fields in FIELDS[mid]:
        place = end_of(fields, len(fields), buf, at + HEADER_BYTES, at + length)
        if place and RESTS[mid](buf, at, place, at + length, number(buf, at, 4) <= length):
            return True
    return False


def _sync_rest(buf, at, place, end, is_whole):
    if place + 2 > end or not has_id(buf, place, 18):
        return False
    place += 2 + number(buf, at + 22, 2) * sp.SYNC_ROW_BYTES
    for ident, width in ((19, 5), (20, 7)):
        if place + width > end:
            return not is_whole or _is_end(buf, place, end)
        place += width if has_id(buf, place, ident) else 0
    return _is_end(buf, place, end)


def _station_rest(buf, at, place, end, is_whole):
    left = number(buf, place - 2, 2)
    while left > 0 and place + BOLT_BYTES <= end:
        ident = place
        for index in range(10):
            if not has_id(buf, ident, 13 + index):
                return False
            ident += 2 + _BOLT_WIDTHS[index]
        place += BOLT_BYTES
        left -= 1
    if left == 0:
        return _specials_fit(buf, place, end, 23, 0, is_whole)
    return left > 0 and not is_whole and (place + 2 > end or has_id(buf, place, 13))


def _bolt_rest(buf, at, place, end, is_whole):
    count = number(buf, place - 2, 2)
    place += count * VALUE_BYTES
    if count < 0 or place + 9 > end:
        return count >= 0 and not is_whole
    if not has_id(buf, place, 13) or not has_id(buf, place + 5, 14):
        return False
    count = number(buf, place + 2, 3)
    place += 8 + count * sp.VALUE_BYTES
    return count >= 0 and _specials_fit(buf, place, end, 15, 2, is_whole)


def _specials_fit(buf, place, end, ident, step_octets, is_whole):
    """True if the special values at buf[place:end] lead to the message's end, or to the subtype there."""
    if place + 4 > end:
        return not is_whole
    count = number(buf, place + 2, 2)
    if not has_id(buf, place, ident):
        return False
    place += 4
    while count > 0 and place + SPECIAL_BYTES <= end:
        octets = number(buf, place + SPECIAL_BYTES - 2, 2)
        if octets < 0:
            return False
        place += SPECIAL_BYTES + octets + step_octets
        count -= 1
    if count or place > end:
        return not is_whole
    if place + 5 > end:
        return not is_whole or _is_end(buf, place, end)
    place += 5 if has_id(buf, place, ident + 1) else 0
    return _is_end(buf, place, end)


def _is_end(buf, place, end):
    """True if nothing is at buf[place:end] but what a length may count too: blanks, its NUL, an end of line."""
    while place < end and buf[place] <= 0x20:
        place += 1
    return place == end


_BOLT_WIDTHS = b"\x02\x01\x01\x01\x07\x07\x07\x07\x07\x07"
RESTS = {SYNC_MID: _sync_rest, STATION_MID: _station_rest, BOLT_MID: _bolt_rest}
