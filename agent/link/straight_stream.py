"""The stream's usual cases for CPython: a message that is whole, and one of which a part has come.

Rules
1. Taken by agent.link.stream on CPython. Everything else (late terminators, a length that is none, a message too large
   for the buffer, a deadline) is `next_message` of the class below it.
2. What the four digits of a length mean is looked up: at most 9,980 of them are one.
"""

from struct import Struct

from agent.base.fields import number
from agent.link import LINK_MESSAGE, LINK_NEED_DATA

CPYTHON_ONLY = True  # boards have agent.link.stream as it is

_LENGTH_DIGITS = 4
_digits = Struct("4s").unpack_from
_lengths = {}  # by their digits, as far as they were seen


def straightened(stream, least):
    """Return the class that takes the place of `stream`; no message is shorter than `least` octets."""
    with_care = stream.next_message
    known = _lengths.get

    class Stream(stream):
        """The same, the usual cases first."""

        __slots__ = ()

        def next_message(self, now):
            """Find the next whole message; see the link contract for what it returns."""
            start = self.start
            end = self.end
            if end - start < _LENGTH_DIGITS or self._discard:
                return with_care(self, now)
            buf = self.buf
            digits = _digits(buf, start)[0]
            length = known(digits)
            if length is None:
                length = number(buf, start, _LENGTH_DIGITS)
                if length < least:
                    return with_care(self, now)
                _lengths[digits] = length
            begin = start + length
            if begin <= end:
                self.at = start
                self.length = length
                self.start = begin + 1 if begin < end and buf[begin] == 0 else begin  # with its terminator
                self.late.armed = False
                return LINK_MESSAGE
            if length <= self.size and not self.late.armed:
                self.late.start(now, self.frame_timeout_ms)
                return LINK_NEED_DATA
            return with_care(self, now)

    return Stream
