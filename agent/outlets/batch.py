"""Records in a batch: a head and a line for each, in one buffer, room in front for what carries it (docs/outlets.md).

    | room in front | ..head| line | line | ..
                      ^ start              ^ line.end

Rules
1. The head is written last, since it says where the batch ends: it is directly in front of the first line.
2. `after`: a consumer that has the record with this number, or knows that it is gone, has missed nothing before the
   batch. `last`: the batch is complete up to this number. Both are numbers of the log.
3. An ordinary record allocates nothing. The buffer belongs to `line`, and may grow there
   (toolcart.agent.linux.json_line).
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, put_number

NUMBER_DIGITS = const(10)
HEAD_MOST = const(160)  # with the longest numbers

_len = len  # a builtin is looked up in the module first


class Batch:
    """One batch at a time of one station, written by `line` behind `before` bytes of room.

    `line` writes as toolcart.agent.record.json_line does.
    `records_most` and `octets_most` say when it is full: the record that exceeds the latter is the last one in it.
    `more` are members of the head besides the usual ones. With `limit` a batch of several records is shorter than that.
    """

    def __init__(self, line, before, owner, identity, records_most, octets_most, more=""):
        self.line = line
        self.start = 0  # of the head, once it is sealed
        self.count = 0
        self.records_most = records_most
        self.limit = 0  # octets of a batch, with its head; 0: none
        self._first = before + HEAD_MOST
        self._full = self._first + octets_most
        self._head = (
            '{"schema":1,"system_type":%d,"system":%d,"station":%d,"identity":"%s"%s,"after":'
            % (owner + (identity, more))
        ).encode()
        self.clear()

    def clear(self):
        """Begin the next batch."""
        self.count = 0
        self.line.end = self._first

    def add(self, page, at, kind, flags, length):
        """Add the record whose payload lies at page[at:]; False if it has to wait for the next batch."""
        line = self.line
        before = line.end
        if self.count >= self.records_most or before >= self._full:
            return False
        if not line.put(page, at, kind, flags, length):
            return False
        if self.limit and self.count and line.end - self._first + HEAD_MOST >= self.limit:
            line.end = before
            return False
        self.count += 1
        return True

    def seal(self, after, last):
        """Write the head; return the length of the batch, which begins at `start`. It may be sealed again."""
        self.start = self._first
        self._put(b"}\n")
        self._put_number(self.count)
        self._put(b',"count":')
        self._put_number(last)
        self._put(b',"last":')
        self._put_number(after)
        self._put(self._head)
        return self.line.end - self.start

    def _put(self, octets):
        """Write these bytes in front of the head so far."""
        n = _len(octets)
        self.start -= n
        copy(self.line.buf, self.start, octets, 0, n)

    def _put_number(self, value):
        digits = 1
        while digits < 9 and value >= _TENS[digits]:
            digits += 1
        if digits == 9 and value >= 1000000000:
            digits = NUMBER_DIGITS
        self.start -= digits
        put_number(self.line.buf, self.start, digits, value)


_TENS = (1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000)


def identity_of(state):
    """Return the eight digits that name a spool: a new spool has others, and counts from 1 again."""
    return "%08x" % state.identity
