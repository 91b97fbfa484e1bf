"""Linked results: a MID 0061 or 0065 that comes in parts is joined in the link's buffer, or none of it is answered.

      buf  |....... the link's, `size` octets .......|######## parts so far, joined ########|
                                                     size

Rules (OP 2.2.6 p. 30, protocol.md 2.4)
1. A client cannot decline linking: MID 0001 carries nothing, 0002 only announces it (OP 5.2.2 p. 72). So the header
   of each message decides: byte 19 from 2 to 9 is a part, blank, 0 and 1 are a whole message.
2. A part is never answered; the last one completes a message as if it had come in one frame, answered once.
   Link-level numbers go on from part to part; a part out of order gets 9998 with code 0004 and its number stays open.
3. Their headers do not say whose parts they are: two results differ in nothing but their data. So parts are one message
   only as 1, 2 .. n without a pause, in a run in which every part was in its place. One that is not, or a whole
   message of the same MID in between, ends what was begun, and nothing is joined any more until no part came for
   `WAIT_MS`, a new connection begins, or a 9998 tells the controller. A pause ends what was begun too: a controller
   waits longer before it repeats a result. The same first part twice is one.
   Messages of another MID may come in between; one that would fit the buffer, but not the room that the parts leave in
   it, ends them. Whatever ended is reported (EV_MALFORMED).
4. The length in the header of what is joined is the sum of what its parts counted, whatever came: more than that, from
   another thread of the controller, is found as it is in one frame (toolcart.agent.openprotocol.light_result).
5. A message too large for the buffer is followed to its last part and then handed over cut short, with its first
   bytes: like a large frame it is stored raw and answered, else the controller would repeat it for ever and send
   nothing else.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import compare, copy, number, put_number
from toolcart.agent.base.ticks import Timer

PART_KEPT = const(1)
PART_AGAIN = const(2)  # the first one, the same as before
PART_REJECTED = const(3)  # not in its place, or behind one that was not
PART_LAST = const(4)  # the message is whole: link.buf, link.at, link.length
PART_LAST_CUT = const(5)  # the message has ended, and only its first bytes are there

WAIT_MS = const(2000)  # a pause: parts do not wait for anything; repeats seen: 3 s and more. The documents name no time
LEFT_BYTES = const(128)  # of the buffer, for other messages meanwhile: a light result with its NUL has 122
LEFT_LARGE_BYTES = const(700)  # in a large buffer: the longest MID 0061, of revision 11, has 677
_LARGE_BYTES = const(2048)

_HEADER = const(20)
_COUNTED_MOST = const(9999)  # that the four digits of a header hold
_COUNT = const(18)  # places in the header
_PART = const(19)
_ZERO = const(0x30)


class LinkedMessages:
    """The one message that may be under way in parts; created when the first part ever comes."""

    __slots__ = ("_broken", "_count", "_counted", "_cut", "_next", "_torn", "mid", "pause", "under_way")

    def __init__(self):
        self.mid = 0
        self.under_way = False
        self.pause = Timer()  # runs from the last part on, as long as nothing else has begun to come
        self._broken = False  # a part of this run was not in its place
        self._count = 0
        self._next = 0  # the part that is awaited
        self._counted = 0  # octets of the message by the lengths of its parts' headers
        self._cut = False
        self._torn = False

    def take(self, link, mid, cut_short):
        """Take the part, one of 2 to 9, that `link` just handed over; return a PART_."""
        buf = link.buf
        count = buf[link.at + _COUNT] - _ZERO
        part = buf[link.at + _PART] - _ZERO
        self.pause.stop()
        if not self.under_way:
            if part != 1 or self._broken:
                return self._reject(link, mid)
            self._count = count
            self._cut = False
            self.mid = mid
            self.under_way = True
        elif count != self._count or not self._is_same(link):
            return self._reject(link, mid)
        elif part != self._next:
            return PART_AGAIN if self._is_first_again(link, part, cut_short) else self._reject(link, mid)
        self._next = part + 1
        self._keep_part(link, part, cut_short)
        if part == count:
            self._hand_over(link)
            return PART_LAST_CUT if self._cut else PART_LAST
        return PART_KEPT

    def pass_whole(self, link, mid, cut_short):
        """Take note of a message that is no part; True if it was cut short only because of what is under way.

        That ends then. So does what is of the same MID; `is_over` will report that.
        """
        if not self.under_way:
            return False
        took_room = cut_short and number(link.buf, link.at, 4) <= len(link.buf)
        if took_room or mid == self.mid:
            self._torn = not took_room
            self._reject(link, self.mid)
        return took_room

    def give_up(self, link):
        """End what is under way, if anything is; a new run begins."""
        self.under_way = False
        self._broken = False
        self.pause.stop()
        link.size = len(link.buf)

    def closed(self):
        """The connection is closed: what was under way is lost, which `is_over` will report."""
        self._torn = self._torn or self.under_way
        self.under_way = False
        self._broken = False
        self.pause.stop()

    def is_over(self, link, now):
        """True, once, if what was under way will not become whole: nothing came for too long, or it was torn."""
        if self._torn:
            self._torn = False
            return True
        if not (self.under_way or self._broken):
            return False
        if link.start < link.end:  # a message is coming: it may be the next part
            self.pause.stop()
            return False
        if not self.pause.armed:
            self.pause.start(now, WAIT_MS)
        if not self.pause.expired(now):
            return False
        was_under_way = self.under_way
        self.give_up(link)
        return was_under_way

    def _is_same(self, link):
        """True if the part belongs to the message under way: MID, revision, station and spindle."""
        buf = link.buf
        one = link.at
        other = link.size
        return compare(buf, one + 4, buf, other + 4, 7) == 0 and compare(buf, one + 12, buf, other + 12, 4) == 0

    def _is_first_again(self, link, part, cut_short):
        """True if this is the first part once more, as far as it was kept."""
        if part != 1 or self._next != 2 or (cut_short and not self._cut):
            return False
        buf = link.buf
        kept = len(buf) - link.size
        octets = link.length if link.length < kept else kept
        if number(buf, link.at, 4) != self._counted:
            return False
        return compare(buf, link.at + _HEADER, buf, link.size + _HEADER, octets - _HEADER) == 0

    def _reject(self, link, mid):
        self.give_up(link)
        self._broken = True
        self.mid = mid
        return PART_REJECTED

    def _keep_part(self, link, part, cut_short):
        first = link.at
        octets = link.length
        counted = number(link.buf, first, 4)
        self._counted = counted if part == 1 else self._counted + counted - _HEADER
        most = link.size - (LEFT_BYTES if len(link.buf) < _LARGE_BYTES else LEFT_LARGE_BYTES)
        if part > 1:
            first += _HEADER
            octets -= _HEADER
            if part == self._count:
                most = link.size
            if cut_short or octets > most:
                self._cut = True
        elif cut_short or octets > most:
            self._cut = True
            octets = octets if octets < most else most
        if part == 1 or not self._cut:
            _keep(link, first, octets)

    def _hand_over(self, link):
        buf = link.buf
        self.under_way = False
        link.at = at = link.size
        link.length = len(buf) - at
        link.size = len(buf)
        put_number(buf, at, 4, self._counted if self._counted < _COUNTED_MOST else _COUNTED_MOST)
        buf[at + _COUNT] = buf[at + _PART] = _ZERO


def _keep(link, first, octets):
    """Append buf[first:first+octets] to what is kept already; what was not looked at yet moves to the front."""
    buf = link.buf
    unread = link.end - link.start
    copy(buf, 0, buf, first, octets)
    copy(buf, octets, buf, link.start, unread)
    _rotate(buf, 0, octets, octets + unread)
    link.start = 0
    link.end = unread
    kept_at = link.size
    link.size = at = kept_at - octets
    for index in range(octets - 1, -1, -1):  # from the end: it moves to the right
        buf[at + index] = buf[unread + index]
    _rotate(buf, at, kept_at, len(buf))


def _rotate(buf, start, middle, end):
    """Exchange buf[start:middle] and buf[middle:end] in place, without a second buffer."""
    if start < middle < end:
        _reverse(buf, start, middle)
        _reverse(buf, middle, end)
        _reverse(buf, start, end)


def _reverse(buf, start, end):
    end -= 1
    while start < end:
        octet = buf[start]
        buf[start] = buf[end]
        buf[end] = octet
        start += 1
        end -= 1
