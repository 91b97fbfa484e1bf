"""What can be read of a MID 0061 or 0065 that is not in place.

Rules
1. First its own revision with every field in its place, if something else follows: so digits of a time that look like
   an ID, and what follows, never make a text of other width. Then its own with texts of other widths; then another
   revision that it fits to the last octet, and that with other texts. What fits in two ways is not read.
2. Then what is there of its own: the fields in front of a message's early end, each with the next one's ID after it,
   or all of them in front of what does not belong to it. Where the unit was cut off the torque is not known.
3. Revision 999: the separators of its time, and as many octets in all as its VIN is longer or shorter.

Imported when the first such message comes; it allocates.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.layouts import LAST_REVISION, fields_of, in_place, rest_fits
from toolcart.agent.openprotocol.light_result import CHANGE, LIGHT_BYTES, STAMP, STAMP_BYTES, is_stamp
from toolcart.agent.openprotocol.parameter_ids import ID_BYTES, TEXT, WIDTH_BITS, has_id
from toolcart.agent.openprotocol.shifted_fields import OCTETS_A_CHARACTER, straightened

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
    readings = _straight(mid, revision, buf, at, length)
    revisions = tuple(range(1, LAST_REVISION + 1)) + ((_STAGES, _LIGHT) if mid == 61 else ())
    others = [one for one in revisions if one != revision]
    if not readings:
        readings = [(one, bytes(buf[at : at + length])) for one in others if _fits(mid, one, buf, at, length)]
    if not readings:
        for one in others:
            readings += _straight(mid, one, buf, at, length, 0)
    if readings:
        return readings[0] + (True,) if len(readings) == 1 and readings[0][1] else None
    return (revision, bytes(buf[at : at + kept]), False) if kept else None


def _fits(mid, revision, buf, at, length):
    """True if it is in place in a revision other than its header's."""
    return _is_light(buf, at, length) if revision == _LIGHT else in_place(mid, revision, buf, at, length)


def _is_light(buf, at, length):
    is_fixed = length == LIGHT_BYTES and is_stamp(buf, at + STAMP) and is_stamp(buf, at + CHANGE)
    return is_fixed and all_digits(buf, at + _VIN + _VIN_BYTES, STAMP - _VIN - _VIN_BYTES)


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
    more = length - LIGHT_BYTES
    if mid != 61 or not -_VIN_BYTES <= more <= (OCTETS_A_CHARACTER - 1) * _VIN_BYTES:
        return []
    vin_end = at + _VIN + _VIN_BYTES + more
    vin = bytes(buf[at + _VIN : vin_end])
    copy = bytes(buf[at : at + _VIN]) + (vin + b" " * _VIN_BYTES)[:_VIN_BYTES] + bytes(buf[vin_end : at + length])
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
        if not has_id(buf, place, index + 1):
            return 0
        before = place
        place += ID_BYTES + (fields[index] & WIDTH_BITS)
    if place > end:
        return before - at
    is_longer = place + ID_BYTES <= end and has_id(buf, place, count + 1)
    return place - at if not is_longer or revision == _STAGES else 0
