"""Messages that end in CR, LF, CR LF, a blank or ETX in place of the NUL: learned for each connection.

Rules (protocol.md 2.3)
1. What is in front of such an octet is believed by its length, as if nothing had followed. The octet itself is no
   message, and is passed over.
2. It was an end if the next message begins right behind it, or its NUL, and ends, by its own length, in front of the
   same octet, with nothing behind that, a NUL or a header: then that message is proven, as by a NUL. No NUL may show
   that it is shorter.
3. From then on such octets in front of a length are dropped like late NULs, and a length in front of one is believed.
   A NUL still proves what it did before.

Imported when such an octet comes where a message should begin. Nothing here allocates but the one object.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number
from toolcart.agent.link.resync import CR, LF, NOWHERE, end_of, inner_place, may_be_header

_HEADER_BYTES = const(20)


def place_behind(link):
    """Return where the next message is proven behind what ends another one in place of a NUL, else NOWHERE."""
    if link.terminator is None:
        link.terminator = Terminator()
    return link.terminator.place_behind(link.buf, link.start, link.end, link.junk)


class Terminator:
    """In what the messages of one connection end."""

    __slots__ = ("is_known", "octet", "_octets")

    def __init__(self):
        self.is_known = False
        self.octet = 0  # the first one
        self._octets = 0  # so many were passed over since the last message, all of them its end

    def is_at(self, buf, at, end):
        """True if it is known that a message ends in what is at buf[at:]."""
        return self.is_known and at < end and self._is_of_it(buf[at])

    def _is_of_it(self, octet):
        return octet == self.octet or (octet == LF and self.octet == CR)

    def pass_over(self, buf, at, end):
        """Return where what is at buf[at:] goes on behind such ends, where they are known."""
        while self.is_at(buf, at, end):
            at += 1
        return at

    def place_behind(self, buf, at, end, passed):
        """Return where the message begins that proves that the one before it has ended in this (rule 2), else NOWHERE.

        `at` is where octets begin that are no message, `passed` how many of these were passed over in front of it.
        """
        if not passed:
            place = end_of(buf, at, end)
            self._octets = place - at
            if place > at and not self.is_known:
                self.octet = buf[at]
        elif passed != self._octets:
            return NOWHERE
        else:
            place = at
            if passed == 1 and self.octet == CR and at < end and buf[at] == LF:
                place += 1
                self._octets = 2
        if self._octets and place < end and buf[place] == 0:
            place += 1
        if not self._octets or place + _HEADER_BYTES > end or not may_be_header(buf, place, end):
            return NOWHERE
        length = number(buf, place, 4)
        behind = place + length
        if behind >= end or buf[behind] != self.octet or inner_place(buf, place, length, end, False) != NOWHERE:
            return NOWHERE
        rest = end_of(buf, behind, end)
        if rest < end and buf[rest] != 0 and not may_be_header(buf, rest, end):
            return NOWHERE
        self.is_known = True
        return place
