"""The store of a station on Linux: it also keeps the identifier result parts 2 to 4.

Their layout is in toolcart.agent.record.extended_values. MID 0061 and 0065 have them from revision 4 on, always in the
same place. Behind a result whose fields were found by their parameter IDs, or not all there, it keeps the whole
message, if the log has room for it.
"""

from toolcart.agent.base.fields import copy, fill, is_blank
from toolcart.agent.record.identifiers import BYTES, IDENTIFIERS, PAYLOAD_BYTES, WIDTH
from toolcart.agent.station.store import Store

CPYTHON_ONLY = True  # boards keep none

_FIRST_REVISION = 4
_LIGHT = 999
_PUSHED = (422, 449, 476)  # first octets of parameters 50 to 52 (OP 5.8.2 p. 141), counted from 1
_FETCHED = (236, 263, 290)  # of 31 to 33 (OP 5.8.6 p. 151-152)


class ExtendedStore(Store):
    """A store that keeps the identifiers behind the body."""

    def read_proven(self, mid, buf, at, length, revision):
        """Read a message whose fields are in place; return a RESULT_ code."""
        read = Store.read_proven(self, mid, buf, at, length, revision)
        if read and octets_of(mid, revision, buf, at, length):
            put(self.log.stage, self.log.payload_at + self.length, mid, buf, at, length)
            self.length += BYTES
        return read

    def keep_marked(self, buf, at, length, how):
        """Keep the message beside the result in the stage, which is marked."""
        Store.keep_marked(self, buf, at, length, how)
        stage = self.log.stage
        if self.length < PAYLOAD_BYTES:
            fill(stage, self.log.payload_at + self.length, BYTES)
            stage[self.log.payload_at + self.length] = IDENTIFIERS
            self.length += BYTES
        if self.length + length <= self.longest:
            copy(stage, self.log.payload_at + self.length, buf, at, length)
            self.length += length


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
