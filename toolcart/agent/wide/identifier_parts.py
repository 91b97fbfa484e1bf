"""The store of a station on Linux: it also keeps the identifier result parts 2 to 4 (agent.record.specials).

MID 0061 and 0065 have them from revision 4 on, always in the same place.
"""

from toolcart.agent.base.fields import copy, is_blank
from toolcart.agent.record.specials import BYTES, IDENTIFIERS, WIDTH
from toolcart.agent.station.store import Store

CPYTHON_ONLY = True  # boards keep none

_FIRST_REVISION = 4
_LIGHT = 999
_PUSHED = (422, 449, 476)  # first octets of parameters 50 to 52 (003:6319-6336), counted from 1
_FETCHED = (236, 263, 290)  # of 31 to 33 (003:6945-6967)


class WideStore(Store):
    """A store that keeps the identifiers behind the body."""

    def read_long(self, mid, buf, at, length, revision):
        """Read any revision with care; return a RESULT_ code."""
        read = Store.read_long(self, mid, buf, at, length, revision)
        if read and octets_of(mid, revision, buf, at, length):
            put(self.log.stage, self.log.place + self.length, mid, buf, at, length)
            self.length += BYTES
        return read


def octets_of(mid, revision, buf, at, length):
    """Return how many bytes of a record the identifiers of buf[at:at+length] take: BYTES, or 0 if there are none."""
    if revision < _FIRST_REVISION or revision == _LIGHT:
        return 0
    for place in _PUSHED if mid == 61 else _FETCHED:
        if place - 1 + WIDTH <= length and not is_blank(buf, at + place - 1, WIDTH):
            return BYTES
    return 0


def put(record, start, mid, buf, at, length):
    """Write them into record[start:start+BYTES]; one that was cut off is blank."""
    record[start : start + BYTES] = b" " * BYTES
    record[start] = IDENTIFIERS
    to = start + 1
    for place in _PUSHED if mid == 61 else _FETCHED:
        if place - 1 + WIDTH <= length:
            copy(record, to, buf, at + place - 1, WIDTH)
        to += WIDTH
