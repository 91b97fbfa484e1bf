"""Which results there are under one ID, as the log shows it: one of each spindle, or several that name none.

Rules
1. As many results are expected under an ID as were pushed under one: what is missing of these is gone once the ID was
   asked for, whatever the answers were.
2. An answer that names no spindle is that of the spindle asked for only if nothing speaks against it: the log has
   pushes of that spindle, and not the same values of another one under this ID.
3. Spindles that are counted from 0 push two results of spindle 1 under an ID, in a row with one of each other spindle:
   then two of it are expected. Where another spindle has two as well, a count has begun anew.

How many results share an ID where no spindle is named: toolcart.agent.openprotocol.unnamed_spindles.
Imported where several results may have one ID.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, get_u32
from toolcart.agent.openprotocol.ids import id_of, is_within, unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, TIME, are_alike, are_of_one, put_digest
from toolcart.agent.openprotocol.unnamed_spindles import are_near, is_pushed
from toolcart.agent.record.provenance import spindle_in
from toolcart.agent.record.result import (
    FLAG_RECOVERED,
    HEAD_BYTES,
    ID_BYTES,
    TIGHTENING_ID,
)

_ROW_MOST = const(100)  # more than there are spindles: an ID may never change


class SpindleResults:
    """What was pushed, as the log has it now."""

    def __init__(self, duplicates, ledger):
        self._duplicates = duplicates
        self._spindles = set()
        self._are_named = ledger.spindles() > 1
        self.each = ledger.results_each()  # how many results there are under an ID (rule 1)
        self._each_of_first = 1  # of these spindle 1's (rule 3)
        found = set()
        row = []  # ID and spindle of each that was pushed under one ID in a row
        last = 0
        for page, at, flags in duplicates.results(1) if self._are_named else ():
            if not flags & FLAG_RECOVERED:
                spindle = spindle_in(page, at - HEAD_BYTES)
                self._spindles.add(spindle)
                ident = bytes(page[at + TIGHTENING_ID : at + TIGHTENING_ID + ID_BYTES])
                found.add((ident, spindle))
                record = get_u32(page, at - HEAD_BYTES)
                if row and (record < last or row[0][0] != ident):  # behind a block comes an older one
                    self._end_row(row)
                    row = []
                last = record
                if len(row) < _ROW_MOST:
                    row.append((ident, spindle))
        self._end_row(row)
        counts = {}
        for ident, _ in found:
            counts[ident] = counts.get(ident, 0) + 1
        if self._are_named:
            self.each = max(counts.values()) if counts else ledger.spindles()
            self.each += self._each_of_first - 1

    def _end_row(self, row):
        """Take how many results of spindle 1 these are, which were pushed under one ID (rule 3)."""
        others = [spindle for _, spindle in row if spindle > 1]
        if others and len(others) == len(set(others)):
            self._each_of_first = max(self._each_of_first, len(row) - len(others))

    def _known_by(self, page, at, flags):
        """Return what tells the result whose body is at page[at:] from others of its ID."""
        spindle = spindle_in(page, at - HEAD_BYTES)
        if self._are_named and (spindle > 1 or self._each_of_first == 1):
            return spindle
        digest = bytearray(FINGERPRINT_BYTES)
        put_digest(digest, 0, page, at, flags)
        return bytes(digest)

    def missing(self, ident, record):
        """Return how many results are missing of these ten digits: the log has those stored as this record or later."""
        results = set()
        for page, at, flags in self._duplicates.results_of(ident, record):
            results.add(self._known_by(page, at, flags))
        return max(0, self.each - len(results))

    def lacking(self, first, last, record, end=0):
        """Return how many results are missing of those of these IDs of which the log has one.

        It has those stored as this record or later, and in front of record `end` if that is not 0.
        """
        found = {}
        for page, at, flags in self._duplicates.results(record):
            if not all_digits(page, at + TIGHTENING_ID, ID_BYTES) or 0 < end <= get_u32(page, at - HEAD_BYTES):
                continue
            number = id_of(page, at + TIGHTENING_ID)
            if is_within(number, first, last):
                found.setdefault(number, set()).add(self._known_by(page, at, flags))
        return sum([max(0, self.each - len(results)) for results in found.values()])

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


def is_of_top_id(recovery, answer):
    """True if the answer, which the log has, is of the tightening of the highest result known."""
    ledger = recovery.ledger
    if recovery.spindle_count() > 1 and are_of_one(ledger.octets, answer):
        return True
    if unpack_id(answer, 0) != ledger.top() or recovery.ownership.shares:
        return False
    return is_pushed(recovery.duplicates, answer, ledger.epoch())


def may_share_its_id(recovery, answer, stored):
    """True if the answer, which the log does not have, may be another result of the ID of what is stored."""
    if recovery.spindle_count() > 1 or not recovery.has_several():
        return False
    return compare(answer, 0, stored, 0, TIME) == 0 and are_near(answer, stored)
