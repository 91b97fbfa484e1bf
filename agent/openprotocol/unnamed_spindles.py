"""How many results share an ID where no spindle is named, as what was pushed shows it.

Rules
1. So many results have an ID as were pushed under one in a row, among the last PUSHES_READ, each with its own time or
   values, on one connection, if another ID was made since: between two connections a count may begin again with the ID
   that it ended with. An ID that never changes shows nothing; pushed IDs that are not the memory's are no matter of
   this module.
2. An answer under the highest ID known may be any of its results: one that was pushed under it since the IDs began, or
   one that never came, if its time is near.
3. A newest below the highest ID known, which is there, shows that IDs have begun again, unless the log has it and what
   was pushed last has another ID: then the memory is late, or answers ID 0 with an older one.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, get_u32
from toolcart.agent.openprotocol.ids import is_some, put_id, unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, TIME, put_digest, same, two_digits
from toolcart.agent.record.result import (
    FLAG_RECOVERED,
    FLAG_RETRIED,
    FLAG_UNPROVEN,
    HEAD_BYTES,
    ID_BYTES,
    ID_EPOCH,
    TIGHTENING_ID,
)

PUSHES_READ = const(32)

_ASKED_FOR = FLAG_RECOVERED | FLAG_RETRIED


def unnamed_each(duplicates, epoch, goes_on, first_records=()):
    """Return how many results an ID has, as the pushes of this epoch of the IDs show.

    `goes_on`: another ID than the last one pushed was made since. `first_records`: with each of these a connection
    began.
    """
    pushes = []
    digest = bytearray(FINGERPRINT_BYTES)
    for page, at, flags in duplicates.results(max(1, duplicates.next_record() - PUSHES_READ)):
        is_named = all_digits(page, at + TIGHTENING_ID, ID_BYTES) and is_some(page, at + TIGHTENING_ID)
        if is_named and not flags & _ASKED_FOR and page[at - HEAD_BYTES + ID_EPOCH] == epoch:
            put_digest(digest, 0, page, at, flags)
            pushes.append((get_u32(page, at - HEAD_BYTES), bytes(digest)))
    most = 1
    alike = []  # of one ID, in a row
    for record, one in sorted(pushes):
        if alike and (record in first_records or compare(alike[0], 0, one, 0, TIME)):
            most = max(most, len(alike))
            alike = []
        if one not in alike:
            alike.append(one)
    return max(most, len(alike)) if goes_on else most


def is_pushed(duplicates, answer, epoch):
    """Return True if the result with this digest was pushed when this epoch of the IDs was proven."""
    ident = bytearray(ID_BYTES)
    digest = bytearray(FINGERPRINT_BYTES)
    put_id(ident, 0, unpack_id(answer, 0))
    for page, at, flags in duplicates.results_of(bytes(ident), 1):
        put_digest(digest, 0, page, at, flags)
        is_proven = page[at - HEAD_BYTES + ID_EPOCH] == epoch and not flags & (_ASKED_FOR | FLAG_UNPROVEN)
        if is_proven and same(digest, answer):
            return True
    return False


def is_behind_last(duplicates, number):
    """Return True unless what was pushed last has this ID (rule 3)."""
    last = 0
    is_other = True
    digest = bytearray(FINGERPRINT_BYTES)
    for page, at, flags in duplicates.results(max(1, duplicates.next_record() - PUSHES_READ)):
        record = get_u32(page, at - HEAD_BYTES)
        if not flags & FLAG_RECOVERED and record > last:
            last = record
            put_digest(digest, 0, page, at, flags)
            is_other = unpack_id(digest, 0) != number
    return is_other


def are_near(one, other):
    """True if both have a time, and these are a minute apart or less."""
    return one[TIME + 2] > 0 and other[TIME + 2] > 0 and abs(_minute(one) - _minute(other)) <= 1


def _minute(digest):
    """Return the minute of a digest, counted so that a month has 31 days."""
    minute = two_digits(digest, TIME) * 100 + two_digits(digest, TIME + 1)
    for at, most in ((2, 12), (3, 31), (4, 24), (5, 60)):
        minute = minute * most + two_digits(digest, TIME + at)
    return minute
