"""Pushes without an ID of the memory: how many of the memory's IDs that are gone are in the log all the same.

Rules
1. From `top`, a result of the memory, up to the newest each ID is one result, whether it was pushed or not. What was
   pushed behind `top` and is not found again under one of these IDs is one of those that are gone.
2. How many that are is known at the end of all. At the end of a connection each ID that was not asked for yet counts as
   one of these pushes: then more are gone than it says, and never less.
3. Where the log does not have `top` among the newest, nothing that was pushed is known to have come behind it; where it
   does not have it at all, `top` was there at the first meeting, and what was pushed when that was proven came behind
   it.

Imported where what is pushed has no ID, or not the memory's.
"""

from toolcart.agent.base.fields import get_u32
from toolcart.agent.openprotocol.ids import ahead_by, is_ahead, is_open, length_of, unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, are_alike, put_digest
from toolcart.agent.record.result import FLAG_RECOVERED, FLAG_UNPROVEN, HEAD_BYTES


def knows_memory(recovery):
    """True if the highest ID known is one of this controller's memory."""
    return recovery.ledger.is_met() and not recovery.ownership.is_other and recovery.is_id_unique()


def begun(recovery):
    """Return what counts for the look that is to be written down; None where the memory's IDs do not go on."""
    observed = recovery.observed
    if observed.starts_over or observed.is_nothing() or not knows_memory(recovery):
        return None
    return DifferingPushIds(recovery.duplicates, bytes(recovery.ledger.octets[:FINGERPRINT_BYTES]), recovery.looked_at)


class DifferingPushIds:
    """What was pushed between two looks."""

    def __init__(self, duplicates, highest, end):
        """`highest` is the digest of `top` before this look; what came from record `end` on is newer than it showed."""
        self._duplicates = duplicates
        self._highest = highest
        self._end = end
        self._count = -1  # of these pushes that are not found yet; -1: not counted
        self._stored = 0  # how much was fetched since, and stored

    def take_from(self, gone, gap_fill):
        """Return how many of so many IDs that are gone, of those that are closed now, were pushed for certain."""
        closed = ahead_by(gap_fill.at, gap_fill.begin)
        if is_open(gap_fill.begin, gap_fill.at) or not is_ahead(gap_fill.begin, unpack_id(self._highest, 0)):
            return 0
        left = -closed
        for begin, end in gap_fill.ledger.ranges:
            left += 0 if is_open(begin, end) else length_of(begin, end)
        if self._count < 0:
            self._count = self._pushed()
        before, self._stored = self._stored, self._fetched()
        self._count -= closed - gone - (self._stored - before)  # those were found
        count = max(0, min(gone, self._count - left))
        self._count -= count
        return count

    def _results(self, first):
        return self._duplicates.results(first, self._duplicates.contents_most)

    def _fetched(self):
        """Return how much was stored that was fetched since the look."""
        return sum([1 for _, _, flags in self._results(self._end) if flags & FLAG_RECOVERED])

    def _pushed(self):
        """Return how much was pushed between `top` and the look."""
        pushes = []
        proven = top = 0
        one = bytearray(FINGERPRINT_BYTES)
        for page, at, flags in self._results(1):
            record = get_u32(page, at - HEAD_BYTES)
            if record < top:
                break
            put_digest(one, 0, page, at, flags)
            if are_alike(one, self._highest):
                top = max(top, record)
            elif not flags & FLAG_RECOVERED and record < self._end:
                pushes.append(record)
                proven += not flags & FLAG_UNPROVEN
        if top:
            return len([record for record in pushes if record > top])
        return proven if self._duplicates.next_record() <= self._duplicates.contents_most else 0
