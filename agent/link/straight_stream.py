"""The stream's usual cases for CPython: a message that is whole, and one of which a part has come.

Rules
1. Taken by agent.link.stream on CPython. Everything else (late terminators, a length that is none, a message too large
   for the buffer, a deadline) is `next_message` of the class below it.
2. What the four digits of a length mean is looked up: at most 9,980 of them are one.
3. Behind a message that is handed over the next length is looked at in the same turn and remembered, so that each is
   looked at once however the reads are cut. If that message is not whole yet, its deadline begins, and all that came
   was looked at: `is_empty()` says so.
"""

from collections.abc import Callable
from struct import Struct

from agent.base.fields import number
from agent.base.straight_class import remade
from agent.base.ticks import TICKS_MAX, Timer
from agent.link import FRAME_TIMEOUT_MS, LINK_MESSAGE, LINK_NEED_DATA

CPYTHON_ONLY = True  # boards have agent.link.stream as it is

_LENGTH_DIGITS = 4
_digits = Struct("4s").unpack_from
_LEAST = 20  # octets of a header
_lengths = {}  # by their digits, as far as they were seen
_known = _lengths.get


class _Straight:
    """What takes the place of methods of the stream."""

    buf: bytearray
    size: int
    start: int
    end: int
    at: int
    length: int
    wait: Timer
    skip: int
    _begun: int  # the length of the message at `start`, 0 if it was not looked at yet
    _with_care: Callable[[int], int]
    _forget: Callable[[], None]

    def clear(self):
        """Forget everything that is in it."""
        self._forget()
        self._begun = 0

    def is_empty(self):
        """True if all that came was looked at."""
        return self.start == self.end or self._begun > self.end - self.start

    def next_message(self, now):
        """Find the next whole message; see the link contract for what it returns."""
        start = self.start
        have = self.end - start
        length = self._begun
        if not length:
            if have < _LENGTH_DIGITS or self.skip:
                return self._with_care(now)
            length = _known(_digits(self.buf, start)[0], 0)
            if not length:
                return self._look_up(start, now)
        if length > have:
            return self._wait(length, now)
        self.at = start
        self.length = length
        start += length
        have -= length
        begun = 0
        armed = False
        if have:
            buf = self.buf
            if buf[start] == 0:
                start += 1  # its terminator
                have -= 1
            if have >= _LENGTH_DIGITS:
                begun = _known(_digits(buf, start)[0], 0)
                if begun > have:
                    if begun <= self.size:
                        self.wait.due = now + FRAME_TIMEOUT_MS & TICKS_MAX
                        armed = True
                    else:
                        begun = 0
        self.start = start
        self._begun = begun
        self.wait.armed = armed
        return LINK_MESSAGE

    def _look_up(self, start, now):
        """Go on with a length that was not seen before."""
        length = number(self.buf, start, _LENGTH_DIGITS)
        if length < _LEAST:
            return self._with_care(now)
        _lengths[_digits(self.buf, start)[0]] = length
        return self.next_message(now)

    def _wait(self, length, now):
        """Go on where the message that has begun is not whole."""
        if length <= self.size and not self.wait.armed:
            self._begun = length
            self.wait.start(now, FRAME_TIMEOUT_MS)
            return LINK_NEED_DATA
        self._begun = 0
        return self._with_care(now)


def straightened(stream):
    """Return the class that takes the place of `stream`."""
    return remade(stream, _Straight, ("_begun",), {"next_message": "_with_care", "clear": "_forget"})
