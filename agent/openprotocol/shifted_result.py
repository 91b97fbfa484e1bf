"""What can be read of a MID 0061 or 0065 that is not in place.

Rules
1. First its own revision with every field in its place, if something else follows: so digits of a time that look like
   an ID, and what follows, never make a text of other width. Then its own with texts of other widths; then another
   revision that it fits to the last octet, and that with other texts. What fits in two ways is not read.
   One of which a text is longer than its place, blanks and NULs aside, is marked as incomplete: it lacks the end of
   that, or all of it (toolcart.agent.openprotocol.shifted_fields, rule 7).
2. Then what is there of its own, marked as incomplete: the fields in front of a message's early end, each with the next
   one's ID after it. A message that ends where a lower revision of its chain ends is one that ends early, too. Where
   the unit was cut off the torque is not known, and nothing is read.
3. A field is proven by what is behind it, too: the next ID, the end, or blanks and NULs if it does not begin with its
   own ID once more; a time stamp by its separators, if no digit follows. So a later revision that goes on behind the
   last field is read as far as it is known; before anything else, which may be that field's end, the last field is
   left out.
4. Where all parameter IDs are one too low, from 00 on, and each is in its place, it is read as if they were right.
5. Revision 999 has no IDs, and a shift that shows at its time may have begun in any field in front of that. It began in
   the VIN if as many blanks as the message is too long are where the job would begin (`_straight_light`).
6. A message longer than its own length says holds octets that are not its own, unless its characters have several
   (`is_counted`). Neither do its texts hold a NUL, CR or LF. What another thread of a controller sent into the middle
   of it is never taken for a value.
7. Where its own length counts all fields of its revision, and each is in its place, what stands between that and the
   message's NUL is passed over if it is control characters; behind a text blanks may stand in front of these. Anything
   else may belong to the last field, or be the rest of a message that another thread of a controller sent into it: a
   blank too, as a header has some behind its digits. Then the last field is left out.

Imported when the first such message comes; it allocates.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, is_blank, number
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.layouts import LAST_REVISION, fields_of, in_place, rest_fits
from toolcart.agent.openprotocol.light_result import (
    CHANGE,
    LIGHT_BYTES,
    STAMP,
    STAMP_BYTES,
    is_change,
    is_counted,
    is_stamp,
)
from toolcart.agent.openprotocol.parameter_ids import ID_BYTES, TEXT, WIDTH_BITS, has_id
from toolcart.agent.openprotocol.shifted_fields import OCTETS_A_CHARACTER, is_cut, is_text, straightened, text_end
from toolcart.agent.record.malformed import INCOMPLETE, SHIFTED
from toolcart.agent.record.result import STATUSES_MOST

_LIGHT = const(999)
_STAGES = const(998)
_VIN = const(20)
_VIN_BYTES = const(25)
_VIN_END = const(45)
_STATUSES = const(58)
_LIGHT_ID_BYTES = const(10)
_ABSENT = (2, 5, 9, 13, 14, 15, 16, 17, 23, 28)  # how wide the first fields behind the VIN are together
_UNIT_PUSHED = const(48)  # IDs
_UNIT_FETCHED = const(29)


def find(mid, revision, buf, at, length):
    """Return the revision that the message is laid out in, a copy that is in place, and how that is to be marked.

    0, SHIFTED or INCOMPLETE (toolcart.agent.record.malformed). None if nothing in it can be proven.
    """
    counted = number(buf, at, 4)
    if HEADER_BYTES < counted < length and in_place(mid, revision, buf, at, counted):
        last = _last_field(mid, revision, at + counted)
        if _ends_there(mid, revision, buf, last, at + counted, at + length):
            return revision, bytes(buf[at : at + counted]), 0
        return (revision, bytes(buf[at:last]), INCOMPLETE) if revision <= LAST_REVISION else None
    if not is_counted(buf, at, length):
        return None
    if length >= HEADER_BYTES + ID_BYTES and has_id(buf, at + HEADER_BYTES, 0):
        numbered = _from_one(mid, revision, buf, at, length)
        found = find(mid, revision, numbered, 0, length) if numbered else None
        return found and (found[0], found[1], found[2] or SHIFTED)
    kept = _kept_bytes(mid, revision, buf, at, length)
    is_whole = kept > 0 and _is_whole(mid, revision, kept)
    if is_whole and not _goes_on(mid, revision, buf, at + kept, at + length):
        if kept < length and 0x30 <= buf[at + kept] <= 0x39:  # its last field is a time, and this may be of its seconds
            return revision, bytes(buf[at : at + kept - ID_BYTES - STAMP_BYTES]), INCOMPLETE
        return revision, bytes(buf[at : at + kept]), 0
    readings = _straight(mid, revision, buf, at, length)
    revisions = tuple(range(1, LAST_REVISION + 1)) + ((_STAGES, _LIGHT) if mid == 61 else ())
    others = [one for one in revisions if one != revision]
    if not readings:
        for one in others:
            if _fits(mid, one, buf, at, length):
                readings.append((one, bytes(buf[at : at + length])))
    if not readings:
        readings = []
        for one in others:
            for used, copy in _straight(mid, one, buf, at, length, 0):
                if not copy or not _is_last_twice(mid, used, copy, 0):
                    readings.append((used, copy))
    if readings:
        one, copy = readings[0]
        if len(readings) > 1 or not copy:
            return None
        if not _begins(mid, one, revision):
            return one, copy, _how(copy, buf, at, length, one == revision)
        return None if _lacks_unit(mid, one, revision) else (revision, copy, INCOMPLETE)
    return (revision, bytes(buf[at : at + kept]), 0 if is_whole else INCOMPLETE) if kept else None


def _how(copy, buf, at, length, is_own):
    """Return how a copy of the message buf[at:at+length] is to be marked; `is_own`: in its own revision.

    Where no field had to be moved none is shifted: a text at the end had padding behind it, or too little.
    """
    if is_cut(copy, buf, at, length):
        return INCOMPLETE
    octets = min(len(copy), length)
    if not is_own or copy[:octets] != buf[at : at + octets]:
        return SHIFTED
    return INCOMPLETE if len(copy) > length else 0


def _begins(mid, one, revision):
    """True if a whole message of revision `one` is the beginning of a longer one of `revision`."""
    last = 7 if revision == _STAGES and mid == 61 else revision
    return 2 <= one < last and (revision != _LIGHT or mid != 61)


def _lacks_unit(mid, one, revision):
    """True if of these revisions only `revision` has the unit of the torque."""
    unit = _UNIT_PUSHED if mid == 61 else _UNIT_FETCHED
    return fields_of(mid, one)[1] < unit <= fields_of(mid, revision)[1]


def _last_field(mid, revision, end):
    """Return where the last field of a message that ends at `end` begins, with its ID if it has one."""
    if revision == _LIGHT:
        return end - _LIGHT_ID_BYTES
    fields, count = fields_of(mid, revision)
    return end - (fields[count - 1] & WIDTH_BITS) - ID_BYTES


def _ends_there(mid, revision, buf, last, place, end):
    """True if the field at `last` ends at `place`, and what is at buf[place:end] is not its own (rule 7)."""
    if revision == _STAGES:
        return False
    is_number = revision == _LIGHT
    if not is_number:
        fields, count = fields_of(mid, revision)
        is_number = fields[count - 1] & TEXT == 0
    for octet in buf[place:end]:
        if octet > 0x20 or (octet == 0x20 and is_number):
            return False
    if is_number:
        return 0x30 <= buf[place - 1] <= 0x39
    return 0 < buf[end - 1] < 0x20 and is_text(buf, last + ID_BYTES, place)


def _from_one(mid, revision, buf, at, length):
    """Return a copy of a message whose IDs begin with 00, with IDs from 01 on; None if one is not in its place."""
    if revision > LAST_REVISION:
        return None
    fields, count = fields_of(mid, 1 if revision == 1 else LAST_REVISION)  # they are those of later revisions, too
    copy = bytearray(buf[at : at + length])
    place = HEADER_BYTES
    for index in range(count):
        if place + ID_BYTES > length:
            break
        if not has_id(copy, place, index):
            return None
        copy[place] = 0x30 + (index + 1) // 10
        copy[place + 1] = 0x30 + (index + 1) % 10
        place += ID_BYTES + (fields[index] & WIDTH_BITS)
    return copy


def _fits(mid, revision, buf, at, length):
    """True if it is in place in a revision other than its header's, and its last ID is not printed twice."""
    if revision == _LIGHT:
        return _is_light(buf, at, length)
    if not in_place(mid, revision, buf, at, length):
        return False
    return not _is_last_twice(mid, revision, buf, at)


def _is_last_twice(mid, revision, buf, at):
    """True if the last field of a message that is in place begins with its own ID once more."""
    if revision > LAST_REVISION:
        return False
    fields, count = fields_of(mid, revision)
    place = at + HEADER_BYTES + ID_BYTES * count
    for index in range(count - 1):
        place += fields[index] & WIDTH_BITS
    return has_id(buf, place, count)


def _is_light(buf, at, length):
    if length != LIGHT_BYTES or not is_stamp(buf, at + STAMP) or not is_change(buf, at):
        return False
    statuses = at + _STATUSES
    for index in range(len(STATUSES_MOST)):
        if buf[statuses + index] > STATUSES_MOST[index]:
            return False
    return all_digits(buf, at + _VIN_END, STAMP - _VIN_END)


def _straight(mid, revision, buf, at, length, faults_most=1):
    """Return the revision and the copy, for each way in which its texts can be longer or shorter.

    `faults_most`: see toolcart.agent.openprotocol.shifted_fields.
    """
    if revision == _LIGHT:
        return _straight_light(mid, buf, at, length)
    fields, count = fields_of(mid, revision)
    rest = None
    if revision > LAST_REVISION:

        def rest(buf, place, end):
            return rest_fits(mid, revision, buf, place, end)

    return [(revision, copy) for copy in straightened(fields, count, buf, at, length, rest, faults_most)]


def _straight_light(mid, buf, at, length):
    """Return the copy of a message whose VIN is too wide.

    With a fault behind its VIN, padded by octets or by characters, the job would be where the octets are that are too
    many: its digits, or blanks if there is no job. As many blanks as absent fields have prove nothing. Nor does
    anything in a message that is too short: the last octets of a VIN can look like a job.
    """
    more = length - LIGHT_BYTES
    if mid != 61 or not 0 < more <= (OCTETS_A_CHARACTER - 1) * _VIN_BYTES:
        return []
    vin_end = at + _VIN_END
    by_characters = text_end(buf, at + _VIN, at + length, _VIN_BYTES) - vin_end
    if more in _ABSENT or more - by_characters in _ABSENT:
        return []
    if not is_blank(buf, vin_end, more) or not is_text(buf, at + _VIN, vin_end):
        return []
    copy = bytes(buf[at:vin_end]) + bytes(buf[vin_end + more : at + length])
    return [(_LIGHT, copy)] if _is_light(copy, 0, len(copy)) else []


def _is_whole(mid, revision, kept):
    """True if so many octets are all fields of the revision."""
    fields, count = fields_of(mid, revision)
    octets = HEADER_BYTES
    for index in range(count):
        octets += ID_BYTES + (fields[index] & WIDTH_BITS)
    return kept >= octets and (revision != _STAGES or mid != 61)


def _goes_on(mid, revision, buf, place, end):
    """True if what is behind the last field may be its own: of a text, or of a later revision."""
    fields, count = fields_of(mid, revision)
    return fields[count - 1] & TEXT != 0 or (place + ID_BYTES <= end and has_id(buf, place, count + 1))


def _kept_bytes(mid, revision, buf, at, length):
    """Return how many octets of it are proven in its own revision, 0 for none (rules 2 and 3)."""
    if revision == _LIGHT and mid == 61:
        return CHANGE if length < LIGHT_BYTES and _has_light_time(buf, at, length) else 0
    fields, count = fields_of(mid, revision)
    end = at + length
    earlier = before = place = at + HEADER_BYTES
    for index in range(count):
        if place + ID_BYTES > end:
            unit = _UNIT_PUSHED if mid == 61 else _UNIT_FETCHED
            kept = place if place == end and _is_stamp_of(buf, before, place) else before
            if kept == before and before + ID_BYTES == end:
                kept, index = earlier, index - 1  # an ID with nothing behind it may be the end of something else
            return kept - at if count < unit or index > unit else 0
        if not has_id(buf, place, index + 1):
            return 0
        earlier, before = before, place
        place += ID_BYTES + (fields[index] & WIDTH_BITS)
    is_proven = place == end or (place < end and _proves(buf, before, place, end, count, revision))
    return (place if is_proven else before) - at


def _has_light_time(buf, at, length):
    """True if the time of a light message that ends early is in its place: the other one begins, or is none, behind it.

    Where that ends nothing says, nor that it is not the only one that is left: without a separator it may be the ID.
    """
    if length <= CHANGE + 4 or not is_stamp(buf, at + STAMP) or not all_digits(buf, at + CHANGE - 2, 2):
        return False
    if length >= CHANGE + STAMP_BYTES:
        return is_change(buf, at)
    begun = bytes(buf[at + CHANGE : at + length])
    for index in (4, 7, 10, 13, 16):
        if index < len(begun) and begun[index] != (0x2D if index < 10 else 0x3A):
            return False
    return True


def _proves(buf, last, place, end, count, revision):
    """True if what is at buf[place:end] proves that the field `count`, which begins at `last`, ends there (rule 3)."""
    if is_blank(buf, place, end - place):
        return not has_id(buf, last + ID_BYTES, count)
    if _is_stamp_of(buf, last, place):
        return True
    return revision > 1 and end - place > place - last and has_id(buf, place, count + 1)


def _is_stamp_of(buf, last, place):
    """True if the field that begins at `last` and ends at `place` is a time stamp."""
    return place - last == ID_BYTES + STAMP_BYTES and is_stamp(buf, last + ID_BYTES)
