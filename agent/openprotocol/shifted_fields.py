"""Finds the fields of a message by their parameter IDs where these do not stand in the places of its layout.

A name with one letter of two octets that was padded by characters makes its field an octet too long, and shifts all
behind it. The result is a copy of the message with every text as wide as documented, which any reader can read.

Rules
1. Only a text is longer or shorter than its layout has it, by three octets a character at most. Every other field has
   its width, so behind a text all IDs up to the next one are shifted alike.
2. An alignment counts if every ID stands in its place, and the message ends where the last field does; blanks and NULs
   may follow.
3. A text can hold digits that look like an ID, so there may be several alignments. Those come first in which each text
   has as many characters as its layout has octets, in UTF-8 or an encoding of one or two octets. Of them, or else of
   all, there must be exactly one: nothing is guessed.

Imported when the first such message comes; it allocates.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, is_blank
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.layouts import LAST_REVISION, fields_of, in_place, rest_fits
from toolcart.agent.openprotocol.light_result import CHANGE, LIGHT_BYTES, STAMP, STAMP_BYTES, is_stamp
from toolcart.agent.openprotocol.parameter_ids import ID_BYTES, TEXT, WIDTH_BITS, stands

_OCTETS_A_CHARACTER = const(3)
_TRIED_MOST = const(5000)  # places of IDs that are looked at; a message of texts full of IDs has more, and is not read


def straightened(widths, count, buf, at, length, rest=None):
    """Return copies of the message buf[at:at+length] with its first `count` fields as wide as documented.

    None was found, or one; of more than one it cannot be known which is right. `rest(buf, place, end)` tells whether
    what follows these fields fits; without it only blanks and NULs may follow.
    """
    end = at + length
    found = []
    left = [_TRIED_MOST]
    _align(widths, count, buf, at + HEADER_BYTES, end, rest or _is_padding, [], found, left)
    if left[0] < 0:
        return [None, None]
    fitting = [starts for starts in found if _are_padded_by_characters(widths, buf, starts)]
    return [_copy(widths, buf, at, end, starts) for starts in fitting or found]


def _align(widths, count, buf, place, end, rest, starts, found, left):
    """Add to `found` where each field begins, and what follows them, for each alignment that goes on like `starts`."""
    index = len(starts)
    starts = list(starts)
    left[0] -= 1
    width = -1  # of a text
    while index < count and width < 0:
        if left[0] < 0 or place + ID_BYTES > end or not stands(buf, place, index + 1):
            return
        starts.append(place)
        place += ID_BYTES
        if widths[index] & TEXT:
            width = widths[index] & WIDTH_BITS
        else:
            place += widths[index]
            index += 1
    if width < 0:
        if place <= end and rest(buf, place, end):
            found.append(starts + [place])
        return
    last = min(end, place + _OCTETS_A_CHARACTER * width)
    if index < count - 1:
        following = b"%02d" % (index + 2)
        place = buf.find(following, place, last + ID_BYTES)
        while place >= 0:
            _align(widths, count, buf, place, end, rest, starts, found, left)
            place = buf.find(following, place + 1, last + ID_BYTES)
    elif rest is _is_padding:  # a text at the end: what is too long of it is cut off
        if last == end:
            _align(widths, count, buf, end, end, rest, starts, found, left)
    else:
        for behind in range(place, last + 1):
            _align(widths, count, buf, behind, end, rest, starts, found, left)


def _is_padding(buf, place, end):
    return is_blank(buf, place, end - place)


def _are_padded_by_characters(widths, buf, starts):
    """True if each text has the octets, or the characters, that its layout has octets (rule 3)."""
    for index in range(len(starts) - 1):
        if widths[index] & TEXT:
            text = bytes(buf[starts[index] + ID_BYTES : starts[index + 1]])
            if (widths[index] & WIDTH_BITS) not in (len(text), _characters(text), _pairs(text)):
                return False
    return True


def _characters(text):
    """Return how many characters the text has in UTF-8."""
    return len([octet for octet in text if octet & 0xC0 != 0x80])


def _pairs(text):
    """Return how many characters the text has where an octet above 0x80 begins one of two, as in GBK or Shift JIS."""
    at = characters = 0
    while at < len(text):
        at += 2 if text[at] > 0x80 else 1
        characters += 1
    return characters


def _copy(widths, buf, at, end, starts):
    """Return the header, the fields that begin at `starts`, each as wide as documented, and the rest."""
    copied = bytes(buf[at : at + HEADER_BYTES])
    for index in range(len(starts) - 1):
        width = ID_BYTES + (widths[index] & WIDTH_BITS)
        field = bytes(buf[starts[index] : starts[index + 1]])
        copied += field[:width] + b" " * (width - len(field))
    return copied + bytes(buf[starts[-1] : end])


# What can be read of a MID 0061 or 0065 that is not in place.
#
# Rules
# 1. First its own revision with every field in its place, if something else follows: so digits of a time that look like
#    an ID, and what follows, never make a text of other width. Then its own with texts of other widths; then another
#    revision that it fits to the last octet, and that with other texts. What fits in two ways is not read.
# 2. Then what is there of its own: the fields in front of a message's early end, each with the next one's ID behind it,
#    or all of them in front of what does not belong to it. Where the unit was cut off the torque is not known.
# 3. Revision 999: the separators of its time, and as many octets in all as its VIN is longer or shorter.

_LIGHT = const(999)
_STAGES = const(998)
_VIN = const(20)
_VIN_BYTES = const(25)
_UNIT_PUSHED = const(48)  # IDs
_UNIT_FETCHED = const(29)


def find(mid, revision, buf, at, length):
    """Return the revision that the message is laid out in, a copy that is in place, and whether it was shifted.

    None if nothing in it can be proven.
    """
    kept = _kept_bytes(mid, revision, buf, at, length)
    if kept and _is_whole(mid, revision, kept):
        return revision, bytes(buf[at : at + kept]), False
    found = _straight(mid, revision, buf, at, length)
    known = tuple(range(1, LAST_REVISION + 1)) + ((_STAGES, _LIGHT) if mid == 61 else ())
    others = [one for one in known if one != revision]
    if not found:
        found = [(one, bytes(buf[at : at + length])) for one in others if _fits(mid, one, buf, at, length)]
    if not found:
        for one in others:
            found += _straight(mid, one, buf, at, length)
    if found:
        return found[0] + (True,) if len(found) == 1 and found[0][1] else None
    return (revision, bytes(buf[at : at + kept]), False) if kept else None


def _fits(mid, revision, buf, at, length):
    """True if it is in place in a revision other than its header's."""
    return _is_light(buf, at, length) if revision == _LIGHT else in_place(mid, revision, buf, at, length)


def _is_light(buf, at, length):
    is_fixed = length == LIGHT_BYTES and is_stamp(buf, at + STAMP) and is_stamp(buf, at + CHANGE)
    return is_fixed and all_digits(buf, at + _VIN + _VIN_BYTES, STAMP - _VIN - _VIN_BYTES)


def _straight(mid, revision, buf, at, length):
    """Return the revision and the copy, for each way in which its texts can be longer or shorter."""
    if revision == _LIGHT:
        return _straight_light(mid, buf, at, length)
    fields, count = fields_of(mid, revision)
    rest = None
    if revision > LAST_REVISION:

        def rest(buf, place, end):
            return rest_fits(mid, revision, buf, place, end)

    return [(revision, copy) for copy in straightened(fields, count, buf, at, length, rest)]


def _straight_light(mid, buf, at, length):
    more = length - LIGHT_BYTES
    if mid != 61 or not -_VIN_BYTES <= more <= (_OCTETS_A_CHARACTER - 1) * _VIN_BYTES:
        return []
    behind = at + _VIN + _VIN_BYTES + more
    vin = bytes(buf[at + _VIN : behind])
    copy = bytes(buf[at : at + _VIN]) + (vin + b" " * _VIN_BYTES)[:_VIN_BYTES] + bytes(buf[behind : at + length])
    return [(_LIGHT, copy)] if _is_light(copy, 0, len(copy)) else []


def _is_whole(mid, revision, kept):
    """True if so many octets are all fields of the revision, and the last one is no text, which may be longer."""
    if revision == _STAGES or revision == _LIGHT:
        return False
    fields, count = fields_of(mid, revision)
    octets = HEADER_BYTES
    for index in range(count):
        octets += ID_BYTES + (fields[index] & WIDTH_BITS)
    return kept == octets and not fields[count - 1] & TEXT


def _kept_bytes(mid, revision, buf, at, length):
    """Return how many octets of it are proven in its own revision, 0 for none (rule 2)."""
    if revision == _LIGHT and mid == 61:
        return length if length >= STAMP + STAMP_BYTES and is_stamp(buf, at + STAMP) else 0
    fields, count = fields_of(mid, revision)
    end = at + length
    before = place = at + HEADER_BYTES
    for index in range(count):
        if place + ID_BYTES > end:
            unit = _UNIT_PUSHED if mid == 61 else _UNIT_FETCHED
            return before - at if count < unit or index > unit else 0
        if not stands(buf, place, index + 1):
            return 0
        before = place
        place += ID_BYTES + (fields[index] & WIDTH_BITS)
    if place > end:
        return before - at
    is_longer = place + ID_BYTES <= end and stands(buf, place, count + 1)
    return place - at if not is_longer or revision == _STAGES else 0
