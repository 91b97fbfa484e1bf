"""Where the next message begins, once octets came that are no message. Imported when that happens (protocol.md 2.3).

The buffers are those of a link; `end` is one past the last octet that has come. Nothing here allocates.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number

NOWHERE = const(-1)

_HEADER_BYTES = const(20)
_HEAD_BYTES = const(12)  # length, MID, revision, flag: the same in each message of a kind
_CERTAIN_BYTES = const(8)  # of a header: length and MID
CR = const(0x0D)
LF = const(0x0A)
_ETX = const(0x03)
MARGIN_BYTES = const(100)  # by so much a wrong length is too small or too large, at most


def may_be_header(buf, at, end):
    """True if a header may begin at buf[at], as far as its octets have come: digits, and blanks after the MID."""
    index = at
    stop = at + _HEADER_BYTES
    if stop > end:
        stop = end
    while index < stop:
        octet = buf[index]
        if octet < 0x30 or octet > 0x39:
            if index < at + _CERTAIN_BYTES or octet != 0x20:
                return False
        index += 1
    if at + 4 <= end and number(buf, at, 4) < _HEADER_BYTES:
        return False
    return at + _CERTAIN_BYTES > end or number(buf, at + 4, 4) > 0


def may_end(octet):
    """True if a message may end in this octet in place of a NUL (toolcart.agent.link.terminators)."""
    return octet == CR or octet == LF or octet == 0x20 or octet == _ETX


def end_of(buf, at, end):
    """Return where what a message may end in, at buf[at:end], ends; `at` if that is none."""
    if at < end and may_end(buf[at]):
        at += 2 if buf[at] == CR and at + 1 < end and buf[at + 1] == LF else 1
    return at


def _next_place(buf, at, end):
    """Return where the next message begins behind the one at buf[at], if its length is right."""
    at = end_of(buf, at + number(buf, at, 4), end)
    while at < end and buf[at] == 0:
        at += 1
    return at


def _behind_header(buf, at, end):
    """Return where a message goes on behind the one whose header stands at buf[at], NOWHERE if none stands there."""
    if at == NOWHERE or at + _HEADER_BYTES > end or not may_be_header(buf, at, end):
        return NOWHERE
    return _next_place(buf, at, end)


def _is_in_line(buf, at, end):
    """True if a header stands at buf[at:], and all octets end, or one more header stands, where its length says."""
    place = _behind_header(buf, at, end)
    return place == end or (
        NOWHERE < place < end and (buf[at + number(buf, at, 4)] == 0 or may_be_header(buf, place, end))
    )


def is_shown(buf, start, end):
    """True if what follows the message at buf[start] shows that its length is right, whatever NULs are in it.

    That is a whole message which ends in its place too, or a control character that ends all that has come.
    """
    place = _next_place(buf, start, end)
    if place < end:
        return _is_in_line(buf, place, end)
    behind = start + number(buf, start, 4)
    return place == end and place > behind and buf[behind] != 0x20 and (buf[behind] != LF or buf[behind - 1] != CR)


def _may_have_ended(buf, at, end):
    """True if a NUL in buf[at:end] may be an end: nothing, or a header, is behind it."""
    at = nul_place(buf, at, end)
    while at != NOWHERE:
        if may_be_header(buf, at + 1, end):
            return True
        at = nul_place(buf, at + 1, end)
    return False


def may_be_shown(buf, start, end):
    """True if that may come: a header follows whose message is not whole, and more must show what a NUL in it means."""
    at = _next_place(buf, start, end)
    if at + _HEADER_BYTES > end or not may_be_header(buf, at, end) or at + number(buf, at, 4) <= end:
        return False
    return _may_have_ended(buf, at, end)


def place_in_line(buf, at, end):
    """Return the first place from buf[at] on where two whole messages in a row have headers behind, else NOWHERE."""
    while at + _HEADER_BYTES < end:
        place = _behind_header(buf, _behind_header(buf, at, end), end)
        if place != NOWHERE and _behind_header(buf, place, end) != NOWHERE:
            return at
        at += 1
    return NOWHERE


def last_place(buf, at, end):
    """Return the first place from buf[at] on where whole messages begin that end where all octets end, else NOWHERE."""
    while at + _HEADER_BYTES <= end:
        place = _behind_header(buf, at, end)
        while place != NOWHERE and place < end:
            place = _behind_header(buf, place, end)
        if place == end:
            return at
        at += 1
    return NOWHERE


def is_proven(buf, at, end, terminator=0):
    """True if the message at buf[at] is there from its header to its NUL, or to the other octet that it may end in.

    The header of a next one is no proof here: fields of digits look like one.
    """
    if end - at <= _HEADER_BYTES or not may_be_header(buf, at, end):
        return False
    behind = at + number(buf, at, 4)
    if behind < end and buf[behind] == CR:
        place = end_of(buf, behind, end)
        if place < end and buf[place] == 0:
            return True
    return behind < end and (buf[behind] == 0 or buf[behind] == terminator)


def proven_place(buf, at, end, terminator=0):
    """Return the first place from buf[at] on where a message is proven, NOWHERE if none is."""
    while at < end:
        if is_proven(buf, at, end, terminator):
            return at
        at += 1
    return NOWHERE


def open_place(buf, at, end, size):
    """Return the first place from buf[at] on where what comes next may prove a message that fits; `end` if none."""
    while at < end:
        if may_be_header(buf, at, end):
            if end - at < 4:
                return at
            behind = at + number(buf, at, 4)
            if behind - at < size and (behind >= end or may_be_header(buf, _next_place(buf, at, end), end)):
                return at
        at += 1
    return end


def _repeats_head(buf, start, at, end):
    """True if the octets at buf[at:] are the head of the message at buf[start], as far as they have come."""
    index = 0
    while index < _HEAD_BYTES and at + index < end:
        if buf[start + index] != buf[at + index]:
            return False
        index += 1
    return True


def inner_place(buf, start, length, end, is_open):
    """Return where another message begins inside the one at buf[start], whose length is too large then.

    That is one behind a NUL that is proven or of the same kind, or one of the same kind that is proven. With `is_open`:
    one that the octets to come may prove. NOWHERE if there is none.
    """
    at = start + 4
    stop = start + length
    while at < stop:
        if 0x30 <= buf[at] <= 0x39:
            is_behind_nul = buf[at - 1] == 0
            is_same = _repeats_head(buf, start, at, end)
            there = end - at
            if is_open:
                if is_same or (is_behind_nul and end > stop):
                    if there >= _CERTAIN_BYTES and may_be_header(buf, at, end) and number(buf, at, 4) >= there:
                        return at
            elif is_behind_nul and is_same and there >= _HEAD_BYTES:
                return at
            elif (is_behind_nul or is_same) and is_proven(buf, at, end):
                return at
        at += 1
    return NOWHERE


def nul_place(buf, at, end):
    """Return the place of the first NUL in buf[at:end], NOWHERE if there is none."""
    while at < end:
        if buf[at] == 0:
            return at
        at += 1
    return NOWHERE


def may_follow(buf, start, at, end):
    """True if the next message may begin at buf[at:], behind the one at buf[start].

    That is a header, and no NUL that may be an end in front of its last octet, or else the same MID.
    """
    if not may_be_header(buf, at, end):
        return False
    if _is_in_line(buf, at, end):
        return True
    if at + _CERTAIN_BYTES <= end and number(buf, start + 4, 4) == number(buf, at + 4, 4):
        return True
    if at + 4 <= end and at + number(buf, at, 4) <= end:
        return nul_place(buf, at, at + number(buf, at, 4) - 1) == NOWHERE
    return not _may_have_ended(buf, at, end)


def breaks_off(buf, start, end):
    """True if the message at buf[start], whose end nothing shows, broke off: others without NULs begin in it."""
    if buf[end - 1] == 0 or is_shown(buf, start, end) or may_follow(buf, start, _next_place(buf, start, end), end):
        return False
    return last_place(buf, start + 1, end) != NOWHERE or place_in_line(buf, start + 1, end) != NOWHERE


def is_ended(buf, at, end):
    """True if what is at buf[at:end], behind a message that no NUL follows, shows where that has ended."""
    if at < end:
        is_line_end = buf[at] == CR or (buf[at] == LF and buf[at - 1] != CR)
        if is_line_end or buf[at] == _ETX or nul_place(buf, at, end) != NOWHERE:
            return True
    if at < end and buf[at] == 0x20:
        at += 1
    return at + _HEADER_BYTES <= end and may_be_header(buf, at, end) and at + number(buf, at, 4) <= end


def true_end(buf, start, length, end):
    """Return where the message at buf[start] ends, whose length no NUL and no header follows.

    At a NUL soon after it, if no other message begins in front of that: the length was counted in characters.
    """
    behind = start + length
    place = end_of(buf, behind, end)
    if place != behind and (place == end or buf[place] != 0):
        if is_shown(buf, start, end) or may_follow(buf, start, place, end):
            return behind
    stop = behind + MARGIN_BYTES
    nul = nul_place(buf, behind, stop if stop < end else end)
    if nul == NOWHERE:
        return behind
    next_one = proven_place(buf, behind, nul + 1)
    return nul if next_one == NOWHERE else behind


def ends_early(buf, start, end):
    """True if what has come of the message at buf[start] lacks little, and its last octet is a NUL, the only one."""
    if not may_be_header(buf, start, end) or start + number(buf, start, 4) - end > MARGIN_BYTES:
        return False
    return nul_place(buf, start, end) == end - 1
