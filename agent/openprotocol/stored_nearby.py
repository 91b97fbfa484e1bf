"""Whether the log has a fetched result under an ID near its own: then the IDs of the answers are off.

Imported where a missing result comes and it is not ruled out that IDs are off.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy
from toolcart.agent.openprotocol.duplicate_search import HELD
from toolcart.agent.openprotocol.id_offset import OFFSET_MOST
from toolcart.agent.openprotocol.ids import moved, put_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, are_alike, put_digest
from toolcart.agent.record.result import HEAD_BYTES, ID_BYTES, TIGHTENING_ID, TIME, TIME_BYTES

_SECOND = const(62)  # of the time, in a body


def ahead_of_stored(duplicates, body, start, length, flags, number):
    """Return by how much `number`, the ID of the result at body[start:], is ahead of the one it has in the log.

    0 if the log has it under no other ID OFFSET_MOST apart; under ID 0 it may be without one. The ID stays as it is.
    One whose second is 0 may be without seconds.
    """
    digits = bytearray(ID_BYTES)
    at = start + TIGHTENING_ID
    ahead = 0
    for by in range(-OFFSET_MOST, OFFSET_MOST + 1):
        if by and by != number and not ahead:
            put_id(digits, 0, moved(number, -by))
            copy(body, at, digits, 0, ID_BYTES)
            is_there = duplicates.holds(body, start - HEAD_BYTES, length, flags) == HELD
            if not is_there and not body[start + _SECOND]:
                is_there = _has_alike(duplicates.results_of(bytes(digits), 1), body, start, flags)
            ahead = by if is_there else 0
    put_id(digits, 0, number)
    copy(body, at, digits, 0, ID_BYTES)
    return ahead


def _has_alike(results, body, start, flags):
    """True if one of these results of the log is what is at body[start:], under any ID; its second may be 0."""
    one, other = bytearray(FINGERPRINT_BYTES), bytearray(FINGERPRINT_BYTES)
    put_digest(one, 0, body, start, flags)
    is_there = False
    for page, at, stored in results:
        put_digest(other, 0, page, at, stored)
        is_there = is_there or are_alike(one, other)
    return is_there


assert _SECOND == TIME + TIME_BYTES - 1
