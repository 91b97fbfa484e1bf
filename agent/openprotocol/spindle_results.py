"""Which results there are under one ID, as the log shows it: one of each spindle, or several that name none.

Rules
1. As many results are expected under an ID as were pushed under one: what is missing of these is gone once the ID was
   asked for, whatever the answers were.
2. An answer that names no spindle is that of the spindle asked for only if nothing speaks against it: the log has
   pushes of that spindle, and not the same values of another one under this ID.
3. Where no spindle is named so many results have an ID as were pushed under one in a row, among the last PUSHES_READ,
   each with its own time or values, if another ID was made since (`unnamed_each`). An ID that never changes shows
   nothing; pushed IDs that are not the memory's are no matter of this module.
4. An answer under the highest ID known may be any of its results: one that was pushed under it since the IDs began
   (`is_pushed`), or one that never came, if its time is near (`are_near`).

Imported where several results may have one ID.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, get_u32
from toolcart.agent.openprotocol.ids import is_some, put_id, unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, TIME, are_alike, put_digest, same
from toolcart.agent.record.provenance import spindle_in
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


class SpindleResults:
    """What was pushed, as the log has it now."""

    def __init__(self, duplicates, ledger):
        self._duplicates = duplicates
        self._spindles = set()
        self._are_named = ledger.spindles() > 1
        self.each = ledger.results_each()  # how many results there are under an ID (rule 1)
        found = set()
        for page, at, flags in duplicates.results(1) if self._are_named else ():
            if not flags & FLAG_RECOVERED:
                spindle = spindle_in(page, at - HEAD_BYTES)
                self._spindles.add(spindle)
                found.add((bytes(page[at + TIGHTENING_ID : at + TIGHTENING_ID + ID_BYTES]), spindle))
        counts = {}
        for ident, _ in found:
            counts[ident] = counts.get(ident, 0) + 1
        if self._are_named:
            self.each = max(counts.values()) if counts else ledger.spindles()

    def missing(self, ident, epoch, record):
        """Return how many results are missing of these ten digits.

        The log has those of this epoch, and what was stored as this record or later; 0: none of these.
        """
        results = set()
        digest = bytearray(FINGERPRINT_BYTES)
        for page, at, flags in self._duplicates.results_of(ident, 1):
            if page[at - HEAD_BYTES + ID_EPOCH] == epoch or 0 < record <= get_u32(page, at - HEAD_BYTES):
                put_digest(digest, 0, page, at, flags)
                results.add(spindle_in(page, at - HEAD_BYTES) if self._are_named else bytes(digest))
        return max(0, self.each - len(results))

    def is_proven(self, body, start, flags):
        """True if the answer at body[start:], which names no spindle, is that of the one that was asked (rule 2)."""
        spindle = spindle_in(body, start - HEAD_BYTES)
        if self._spindles and spindle not in self._spindles:
            return False
        answer = bytearray(FINGERPRINT_BYTES)
        stored = bytearray(FINGERPRINT_BYTES)
        put_digest(answer, 0, body, start, flags)
        ident = bytes(body[start + TIGHTENING_ID : start + TIGHTENING_ID + ID_BYTES])
        for page, at, other in self._duplicates.results_of(ident, 1):
            put_digest(stored, 0, page, at, other)
            if spindle_in(page, at - HEAD_BYTES) != spindle and are_alike(answer, stored):
                return False
        return True


def unnamed_each(duplicates, epoch, goes_on):
    """Rule 3: return how many results an ID has, as the pushes of this epoch of the IDs show.

    `goes_on`: another ID than the last one pushed was made since.
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
    for _, one in sorted(pushes):
        if alike and compare(alike[0], 0, one, 0, TIME):
            most = max(most, len(alike))
            alike = []
        if one not in alike:
            alike.append(one)
    return max(most, len(alike)) if goes_on else most


def is_pushed(duplicates, answer, epoch):
    """Rule 4: True if the result with this digest was pushed when this epoch of the IDs was proven."""
    ident = bytearray(ID_BYTES)
    digest = bytearray(FINGERPRINT_BYTES)
    put_id(ident, unpack_id(answer, 0))
    for page, at, flags in duplicates.results_of(bytes(ident), 1):
        put_digest(digest, 0, page, at, flags)
        is_proven = page[at - HEAD_BYTES + ID_EPOCH] == epoch and not flags & (_ASKED_FOR | FLAG_UNPROVEN)
        if is_proven and same(digest, answer):
            return True
    return False


def are_near(one, other):
    """True if both have a time, and these are a minute apart or less."""
    return one[TIME + 2] > 0 and other[TIME + 2] > 0 and abs(_minute(one) - _minute(other)) <= 1


def _minute(digest):
    """Return the minute of a digest, counted so that a month has 31 days."""
    minute = _of_bcd(digest[TIME]) * 100 + _of_bcd(digest[TIME + 1])
    for at, most in ((2, 12), (3, 31), (4, 24), (5, 60)):
        minute = minute * most + _of_bcd(digest[TIME + at])
    return minute


def _of_bcd(octet):
    return (octet >> 4) * 10 + (octet & 0x0F)
